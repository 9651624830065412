from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, TieredDollars, Unit, add_up
from ..year import Year

MONTHS = {
    "enrolled month": "member_months",
    "engaged month": "engaged_months",
    "month with a documented service": "documented_months",
}


class CareManagementFee(Clause):
    """A monthly fee for each member, the same for all or by risk tier.

    fee = sum over tiers of (per member per month x months that count)

    A taper after graduation is a tier of its own, at a lower fee; a graduation bonus is an `outcome_price`.
    """

    words = ("{payer} pays {payee} {per_member_per_month} per member for each {for_each}.",)
    not_modelled = ("members who change tier within a month",)
    lan, vbpr = "2A", "ccf"

    kind: Literal["care_management_fee"]
    per_member_per_month: TieredDollars
    for_each: Literal["enrolled month", "engaged month", "month with a documented service"] = "enrolled month"

    def reading(self) -> Mapping[str, Unit | None]:
        return {MONTHS[self.for_each] + ".{per_member_per_month}": None}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        fee, counted = self.per_member_per_month, MONTHS[self.for_each]
        if not isinstance(fee, dict):
            months = year.fact(counted)
            return fee * months, {"member months": months}
        months = {tier: year.fact(f"{counted}.{tier}") for tier in fee}
        return add_up(fee[tier] * months[tier] for tier in fee), {
            f"{tier} member months": m for tier, m in months.items()
        }
