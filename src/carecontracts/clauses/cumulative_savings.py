from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, Share, Years, least, most, reaches, when
from ..worded import ClauseName
from ..year import Year


class CumulativeSavings(Clause):
    """The provider's share of what several years, added together, cost less than was expected.

    saved  = sum over the period's years so far of (benchmark - spend - payments that count as spending)
    earned = least(saved x share, cap x their benchmarks), once saved reaches minimum x their benchmarks
    paid   = earned - what this clause paid earlier in the period, and never less than nothing

    A new period begins when one ends; nothing is carried from one to the next.
    """

    words = (
        "Savings are the benchmark less the year's spending.",
        "Spending counts what {payer} paid under {net_of}, less what it got back under them.",
        "Good and bad years are added together over a period of {period} years.",
        "Once the sum reaches {minimum} of the same years' benchmarks, {payer} pays {payee} {share} of it, {settled}.",
        "The payments of a period are together at most {cap} of its benchmarks.",
    )
    not_modelled = (
        "how the benchmark and the spending were made; they are facts of the year",
        "a period that ends early",
    )
    reads = {"benchmark": None, "spend": None}
    looks_back = ("net_of",)
    remembers = ("saved this year", "benchmark")
    lan, vbpr = "3A", "ssp"

    kind: Literal["cumulative_savings"]
    period: Years
    minimum: Share
    share: Share
    settled: Literal["once, when the period ends", "each year on the years so far, less what was paid for them before"]
    net_of: list[ClauseName] = []
    cap: Share | None = None

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        before = ledger.period(self.name, int(self.period))
        this_year = year.benchmark - year.spend - ledger.outlay(self.payer, year=year.year, clause=self.net_of)
        saved = this_year + sum(line.workings["saved this year"] for line in before)
        expected = year.benchmark + sum(line.workings["benchmark"] for line in before)
        earned = when(reaches(saved, self.minimum * expected) & (saved > 0), self.share * saved, 0.0)
        if self.cap is not None:
            earned = least(earned, self.cap * expected)
        ends = len(before) + 1 >= int(self.period)
        due = earned if ends or self.settled.startswith("each") else 0.0
        paid = most(due - sum(line.amount for line in before), 0.0)
        return paid, {"saved this year": this_year, "benchmark": year.benchmark, "saved in the period": saved}
