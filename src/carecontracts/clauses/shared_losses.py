from collections.abc import Mapping
from typing import Literal

from ..difference import Carrying
from ..expected import QUALITY, Expected
from ..ledger import Ledger
from ..scales import ScaledShare
from ..units import Number, Share, least, most, reaches, unit_of, when
from ..worded import ConditionName, MeasureName
from ..year import Year


class SharedLosses(Carrying):
    """The provider's share of what a year cost more than was expected.

    lost = spend + payments that count as spending - benchmark
    rate = share, or between least_share and share: 1 - quality_counts x quality, where the standard was met
    owed = least(lost x rate, cap x benchmark, revenue_cap x revenue) x (1 - forgiven) - relief
    and nothing is owed while lost < minimum x benchmark

    Relief comes after the cap (CMS 2023 specification, section 4.3).
    """

    words = (
        *Carrying.opening,
        *Carrying.from_before,
        "Once losses reach the minimum loss rate, {payer} pays {payee} a share of them,"
        " counted from {counted_from}: {share}.",
        "The minimum loss rate, as a share of the benchmark, is {minimum}.",
        "A good result lowers the share: to 100% less {quality_counts} times the measure {quality},"
        " but not under {least_share}, provided: {lower_share_if}.",
        *Carrying.adjusting,
        "The payment is at most {cap} of the benchmark.",
        *Carrying.caps,
        "Of the payment, {forgiven} is forgiven.",
        "From what is left, {relief} is taken off.",
        *Carrying.limits,
    )
    not_modelled = (
        "how the benchmark, the spending, the measures and the relief were made; they are facts of the year",
        "losses shared for part of a year after an early exit",
        "the letter of credit or reserve that secures the payment",
    )
    reads = {
        **Carrying.reads,
        "measures.{quality}": unit_of(Share),
        "conditions.{lower_share_if}": None,
        "amounts.{relief}": None,
    }
    together = (
        *Carrying.together,
        ("quality", "quality_counts", "least_share", "lower_share_if"),
        ("quality_counts", "quality"),
        ("least_share", "quality"),
        ("lower_share_if", "quality"),
    )
    units = Carrying.units | {"minimum rate": unit_of(Share), "loss rate": unit_of(Share)}
    lan = "3B"

    kind: Literal["shared_losses"]
    of: Literal["losses"] = "losses"
    minimum: ScaledShare
    share: Share
    counted_from: Literal["the first dollar", "the minimum"] = "the first dollar"
    quality: MeasureName | None = None
    quality_counts: Share | None = None
    least_share: Share | None = None
    lower_share_if: ConditionName | None = None
    cap: Share | None = None
    forgiven: Share | None = None
    relief: MeasureName | None = None

    def expects(self, year: Expected) -> Mapping[str, Number]:
        return {**super().expects(year)} | ({f"measures.{self.quality}": QUALITY} if self.quality else {})

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        lost, weighed = self.difference(year, ledger)
        lost, carried = self.after_earlier_years(lost, ledger)
        benchmark = self.benchmark_of(year)
        minimum = self.minimum * benchmark
        rate = self.share
        if self.quality and self.lower_share_if:
            lower = 1 - self.quality_counts * year.measures[self.quality]
            lower = least(most(lower, self.least_share), self.share)
            rate = when(year.conditions[self.lower_share_if] == 1, lower, self.share)
        counted = lost if self.counted_from == "the first dollar" else lost - minimum
        owed, change = self.adjusted(counted * rate, year)
        limits = [] if self.cap is None else [self.cap * benchmark]
        owed = least(owed, *limits, *self.most_that_is_paid(year, ledger))
        if self.forgiven:
            owed = owed * (1 - self.forgiven)
        if self.relief:
            owed = most(owed - year.amounts[self.relief], 0.0)
        owes = reaches(lost, minimum) & (lost > 0)
        workings = {"lost": lost, "minimum rate": self.minimum, "loss rate": rate}
        return when(owes, self.within(owed, year, ledger), 0.0), weighed | workings | change | carried
