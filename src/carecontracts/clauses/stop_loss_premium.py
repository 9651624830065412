from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, TieredDollars
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

    kind: Literal["stop_loss_premium"]
    per_member_per_month: TieredDollars

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        rate = self.per_member_per_month
        if not isinstance(rate, dict):
            return rate * year.fact("member_months"), {}
        return sum(rate[tier] * year.fact(f"member_months.{tier}") for tier in rate), {}
