from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..per_month import per_month
from ..scales import TieredDollars
from ..units import Number
from ..year import Year


class StopLossPremium(Clause):
    """What the provider pays for its stop-loss cover, per member per month.

    paid = sum over tiers of (per member per month x member months)
    """

    words = (
        "For stop-loss cover, {payer} pays {payee} {per_member_per_month} per member for each month of membership.",
    )
    not_modelled = ("a premium that is settled again once claims are known",)
    reads = {"member_months.{per_member_per_month}": None}
    insures = "premium"

    kind: Literal["stop_loss_premium"]
    per_member_per_month: TieredDollars

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        paid, _ = per_month(self.per_member_per_month, year, "member_months")
        return paid, {}
