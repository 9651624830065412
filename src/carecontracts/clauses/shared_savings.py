from collections.abc import Mapping
from typing import Annotated, Literal

from ..difference import Sequestered
from ..expected import QUALITY, Expected, middle
from ..ledger import Ledger
from ..scales import ScaledShare, ShareLadder
from ..units import Number, Share, least, reaches, unit_of, when
from ..worded import ByYear, ConditionName, MeasureName
from ..year import Year


class SharedSavings(Sequestered):
    """The provider's share of what a year cost less than was expected.

    saved = benchmark - spend - payments that count as spending - earlier losses not yet made good
    share = share, or the ladder's share where that is less
    paid  = least(saved x share x quality x (1 - sequestration), cap x benchmark)
    and nothing is paid while saved < minimum x benchmark

    Sequestration comes before the cap: a capped payment is the cap exactly (CMS 2023 specification, steps 8 and 9).
    """

    words = (
        *Sequestered.opening,
        *Sequestered.from_before,
        "Once savings reach the minimum savings rate, {payer} pays {payee} a share of them,"
        " counted from {counted_from}: {share}.",
        "The minimum savings rate, as a share of the benchmark, is {minimum}.",
        "Nothing is paid here once savings reach a limit which, as a share of the benchmark, is {below}.",
        "The share is set by the measure {share_by}, within that: {share_ladder}; nothing below.",
        "The share is multiplied by the measure {quality}.",
        "The share is paid whole, whatever that measure, if: {whole_share_if}.",
        *Sequestered.adjusting,
        *Sequestered.by_law,
        "It is at most {cap} of the benchmark.",
        *Sequestered.caps,
        *Sequestered.limits,
    )
    not_modelled = ("how the benchmark, the spending and the measures were made; they are facts of the year",)
    reads = {
        **Sequestered.reads,
        "measures.{share_by}": None,
        "measures.{quality}": unit_of(Share),
        "conditions.{whole_share_if}": None,
    }
    together = (
        *Sequestered.together,
        ("whole_share_if", "quality"),
        ("share_by", "share_ladder"),
        ("share_ladder", "share_by"),
    )
    units = Sequestered.units | {"minimum rate": unit_of(Share), "sharing rate": unit_of(Share)}
    lan = "3A"

    kind: Literal["shared_savings"]
    of: Literal["savings"] = "savings"
    minimum: ScaledShare
    share: Share
    counted_from: Literal["the first dollar", "the minimum"] = "the first dollar"
    below: ScaledShare | None = None
    share_by: MeasureName | None = None
    share_ladder: ShareLadder | None = None
    quality: MeasureName | None = None
    whole_share_if: Annotated[ConditionName | None, ByYear()] = None
    cap: Share | None = None

    def expects(self, year: Expected) -> Mapping[str, Number]:
        score = {f"measures.{self.share_by}": middle(self.share_ladder)} if self.share_by and self.share_ladder else {}
        return {**super().expects(year)} | score | ({f"measures.{self.quality}": QUALITY} if self.quality else {})

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        saved, weighed = self.difference(year, ledger)
        saved, carried = self.after_earlier_years(saved, ledger)
        benchmark = self.benchmark_of(year)
        minimum = self.minimum * benchmark
        rate = self.share
        if self.share_by and self.share_ladder:
            rate = least(rate, self.share_ladder.step(year.measures[self.share_by]))
        if self.quality:
            whole = year.conditions[self.whole_share_if] == 1 if self.whole_share_if else False
            rate = when(whole, rate, rate * year.measures[self.quality])
        counted = saved if self.counted_from == "the first dollar" else saved - minimum
        paid, change = self.adjusted(counted * rate, year)
        limits = [] if self.cap is None else [self.cap * benchmark]
        paid = self.after_law(paid, *limits, *self.most_that_is_paid(year, ledger))
        earned = reaches(saved, minimum) & (saved > 0)
        if self.below is not None:
            earned = when(reaches(saved, self.below * benchmark), False, earned)
        workings = {"saved": saved, "minimum rate": self.minimum, "sharing rate": rate}
        return when(earned, self.within(paid, year, ledger), 0.0), weighed | workings | change | carried
