from typing import Literal

from ..difference import Difference
from ..ledger import Ledger
from ..units import Number, Share, Years, least, most, reaches, when
from ..year import Year

ONCE = "once, when the period ends"


class Cumulative(Difference):
    """The provider's share of the savings, or of the losses, of several years added together.

    sum  = over the period's years so far, of the difference
    due  = least(sum x share, cap x their benchmarks), once sum reaches minimum x their benchmarks
    paid = due - what this clause paid earlier in the period, and never less than nothing

    A new period begins when one ends; nothing is carried from one to the next.
    """

    words = (
        *Difference.opening,
        "Good and bad years are added together over a period of {period} years.",
        "Once the sum reaches {minimum} of the same years' benchmarks, {payer} pays {payee} {share} of it, {settled}.",
        *Difference.adjusting,
        "The payments of a period are together at most {cap} of its benchmarks.",
        *Difference.caps,
        *Difference.limits,
    )
    not_modelled = (
        "how the benchmark and the spending were made; they are facts of the year",
        "a period that ends early",
        "the letter of credit or reserve that secures the payment",
    )
    remembers = ("saved this year", "lost this year", "benchmark")

    kind: Literal["cumulative"]
    period: Years
    minimum: Share
    share: Share
    settled: Literal["once, when the period ends", "each year on the years so far, less what was paid for them before"]
    cap: Share | None = None

    def categories(self) -> tuple[str, str]:
        return ("3A", "ssp") if self.of == "savings" else ("3B", "ssl")

    @property
    def has_memory(self) -> bool:
        return int(self.period) != 1

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        before, done = ledger.period(self.name, int(self.period)), "saved" if self.of == "savings" else "lost"
        this_year, weighed = self.difference(year, ledger)
        so_far = this_year + sum(line.workings[f"{done} this year"] for line in before)
        benchmark = self.benchmark_of(year)
        expected = benchmark + sum(line.workings["benchmark"] for line in before)
        earned = when(reaches(so_far, self.minimum * expected) & (so_far > 0), self.share * so_far, 0.0)
        earned, change = self.adjusted(earned, year)
        if self.cap is not None:
            earned = least(earned, self.cap * expected)
        ends = len(before) + 1 >= int(self.period)
        due = 0.0 if self.settled == ONCE and not ends else earned
        paid = least(most(due - sum(line.amount for line in before), 0.0), *self.most_that_is_paid(year, ledger))
        return self.within(paid, year, ledger), weighed | change | {
            f"{done} this year": this_year,
            "benchmark": benchmark,
            f"{done} in the period": so_far,
        }
