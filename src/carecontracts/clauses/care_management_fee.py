from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, TieredDollars
from ..year import Year


class CareManagementFee(Clause):
    """A monthly fee for each member, the same for all or by risk tier.

    fee = sum over tiers of (per member per month x member months)

    Not modelled:
    - the service that must be documented before a month can be billed
    - members who change tier within a month
    """

    words = ("{payer} pays {payee} {per_member_per_month} per member per month.",)
    reads = {"member_months.{per_member_per_month}": None}
    lan, vbpr = "2A", "ccf"

    kind: Literal["care_management_fee"]
    per_member_per_month: TieredDollars

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        fee = self.per_member_per_month
        if not isinstance(fee, dict):
            months = year.all_member_months()
            return fee * months, {"member months": months}
        amount = sum(fee[tier] * year.member_months[tier] for tier in fee)
        return amount, {f"{tier} member months": year.member_months[tier] for tier in fee}
