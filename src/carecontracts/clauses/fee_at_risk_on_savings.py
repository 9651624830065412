from typing import Literal

from ..fee_at_risk import FeeAtRisk
from ..funds import OfFunds
from ..ledger import Ledger
from ..units import Number, Rate, Share, least, most, reaches, when
from ..year import Year


class FeeAtRiskOnSavings(FeeAtRisk, OfFunds):
    """A fee at risk: refunded, in whole or in part, unless savings are so many times the fee.

    target    = times x fee + beyond x benchmark
    shortfall = target - (benchmark - spend)
    refund    = least(fee | fee x shortfall / target | shortfall, cap x fee - refunded already)
    and nothing is refunded where savings reach the target

    At times = 1 the fee pays for itself. A shortfall has no end where care costs more than the benchmark, so the cap
    is a term that must be given, and is at most the whole fee.
    """

    words = (
        "{payer} guarantees {payee} savings which, as a multiple of what was paid under {fee}, are at least {times}.",
        "On top of that it guarantees, as a share of the benchmark, {beyond}.",
        "Savings are the benchmark less the year's spending, before that fee.",
        *OfFunds.of_funds,
        "If they fall short, {payer} refunds what was paid, {refund}.",
        *FeeAtRisk.limits,
    )
    not_modelled = (
        "how the benchmark and the spending were made; they are facts of the year",
        "the reserve or letter of credit that secures the refund",
    )
    reads = {"benchmark": None, "spend": None}
    lan = "3B"

    kind: Literal["fee_at_risk_on_savings"]
    times: Rate
    beyond: Share | None = None
    refund: Literal["in full", "in proportion to the shortfall", "dollar for dollar"]

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        fee = self.paid(year, ledger)
        target = self.times * fee + (self.beyond or 0) * year.benchmark
        saved = year.benchmark - year.spend
        shortfall = most(target - saved, 0.0)
        refund = fee
        if self.refund != "in full":
            refund = shortfall if self.refund == "dollar for dollar" else fee * shortfall / most(target, 0.01)
        left = self.left(fee, year, ledger)
        owed = when(reaches(saved, target), 0.0, least(refund, left))
        return owed, {"target": target, "shortfall": shortfall, "most that is refunded": left}
