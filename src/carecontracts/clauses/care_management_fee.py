from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..per_month import MONTHS, WORKINGS, per_month
from ..scales import TieredDollars
from ..units import Number, Unit
from ..year import Year


class CareManagementFee(Clause):
    """A monthly fee for each member, the same for all or by risk tier.

    fee = sum over tiers of (per member per month x months that count)

    A taper after graduation is a tier of its own, at a lower fee; a graduation bonus is an `outcome_price`.
    """

    words = ("{payer} pays {payee} {per_member_per_month} per member for each {for_each}.",)
    not_modelled = ("members who change tier within a month",)
    units = WORKINGS
    lan, vbpr = "2A", "ccf"

    kind: Literal["care_management_fee"]
    per_member_per_month: TieredDollars
    for_each: Literal["enrolled month", "engaged month", "month with a documented service"] = "enrolled month"

    def reading(self) -> Mapping[str, Unit | None]:
        return {MONTHS[self.for_each] + ".{per_member_per_month}": None}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        return per_month(self.per_member_per_month, year, MONTHS[self.for_each])
