from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, Share, Years, least, most, reaches, when
from ..worded import ClauseName
from ..year import Year


class CumulativeLosses(Clause):
    """The provider's share of what several years, added together, cost more than was expected.

    lost = sum over the period's years so far of (spend + payments that count as spending - benchmark)
    owed = least(lost x share, cap x their benchmarks), once lost reaches minimum x their benchmarks
    paid = owed - what this clause paid earlier in the period, and never less than nothing
    """

    words = (
        "Losses are the year's spending less the benchmark.",
        "Spending counts what {payee} paid under {net_of}, less what it got back under them.",
        "Good and bad years are added together over a period of {period} years.",
        "Once the sum reaches {minimum} of the same years' benchmarks, {payer} pays {payee} {share} of it, {settled}.",
        "The payments of a period are together at most {cap} of its benchmarks.",
    )
    not_modelled = (
        "how the benchmark and the spending were made; they are facts of the year",
        "a period that ends early",
        "the letter of credit or reserve that secures the payment",
    )
    reads = {"benchmark": None, "spend": None}
    looks_back = ("net_of",)
    remembers = ("lost this year", "benchmark")
    lan, vbpr = "3B", "ssl"

    kind: Literal["cumulative_losses"]
    period: Years
    minimum: Share
    share: Share
    settled: Literal["once, when the period ends", "each year on the years so far, less what was paid for them before"]
    net_of: list[ClauseName] = []
    cap: Share | None = None

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        before = ledger.period(self.name, int(self.period))
        this_year = year.spend + ledger.outlay(self.payee, year=year.year, clause=self.net_of) - year.benchmark
        lost = this_year + sum(line.workings["lost this year"] for line in before)
        expected = year.benchmark + sum(line.workings["benchmark"] for line in before)
        owed = when(reaches(lost, self.minimum * expected) & (lost > 0), self.share * lost, 0.0)
        if self.cap is not None:
            owed = least(owed, self.cap * expected)
        ends = len(before) + 1 >= int(self.period)
        due = owed if ends or self.settled.startswith("each") else 0.0
        paid = most(due - sum(line.amount for line in before), 0.0)
        return paid, {"lost this year": this_year, "benchmark": year.benchmark, "lost in the period": lost}
