from typing import Annotated, Literal

from pydantic import Field

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, Rate, Share, least, most, reaches, when
from ..worded import ClauseName
from ..year import Year


class SavingsGuarantee(Clause):
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
        "If they fall short, {payer} refunds what was paid, {refund}.",
        "The refund, as a share of what was paid, is at most {cap}.",
        "What is refunded under {cap_counts} counts toward that limit.",
    )
    not_modelled = (
        "how the benchmark and the spending were made; they are facts of the year",
        "the reserve or letter of credit that secures the refund",
    )
    reads = {"benchmark": None, "spend": None}
    looks_back = ("fee", "cap_counts")
    lan, vbpr = "3B", "ssl"

    kind: Literal["savings_guarantee"]
    fee: Annotated[list[ClauseName], Field(min_length=1)]
    times: Rate
    beyond: Share | None = None
    refund: Literal["in full", "in proportion to the shortfall", "dollar for dollar"]
    cap: Share
    cap_counts: list[ClauseName] = []

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        fee = ledger.total(year=year.year, clause=self.fee)
        target = self.times * fee + (self.beyond or 0) * year.benchmark
        saved = year.benchmark - year.spend
        shortfall = most(target - saved, 0.0)
        refund = fee
        if self.refund != "in full":
            refund = shortfall if self.refund == "dollar for dollar" else fee * shortfall / most(target, 0.01)
        left = most(self.cap * fee - ledger.total(year=year.year, clause=self.cap_counts), 0.0)
        owed = when(reaches(saved, target), 0.0, least(refund, left))
        return owed, {"target": target, "shortfall": shortfall, "most that is refunded": left}
