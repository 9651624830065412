"""What was expected: each kind of benchmark, from groups of people whose cost was measured by the same rules."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from ..refusal import refuse, show
from ..units import Dollars, Lives, Share, least, most, reaches
from .part import Part

if TYPE_CHECKING:
    import pandas as pd


class Fixed(Part):
    """A price that was agreed: so much for each member month."""

    title = "Benchmark"
    words = ("The benchmark is {per_member_per_month} for each member month.",)
    kind: Literal["fixed"]
    per_member_per_month: Dollars


class OwnHistory(Part):
    """What earlier years cost, weighted and brought up to the year by the trend.

    Of the same people, each earlier year is what they cost then. Otherwise each earlier year has its own people, found
    by the same rules; a list made for their worst year then stands beside lists made for theirs.
    """

    title = "Benchmark"
    words: ClassVar[tuple[str, ...]] = (
        "The benchmark is what {people} cost for each member month in the years before the contract, weighted {weights}"
        " from the oldest to the last.",
        "Each is brought up to the year by a trend of {trend} a year.",
    )
    not_modelled = ("a benchmark made anew from the contract's own years",)
    kind: Literal["own_history"]
    weights: Annotated[list[Share], Field(min_length=1, max_length=5)]
    trend: Share
    people: Literal["the people found by the same rules", "the same people"] = "the people found by the same rules"

    @model_validator(mode="after")
    def _weights_of_one(self) -> Self:
        _check_weights(self.weights)
        return self


class RegionalBlend(OwnHistory):
    """Own history and a regional average, weighted."""

    words = (
        *OwnHistory.words,
        "That counts for {own}; the rest is the region's {regional_per_member_per_month} for each member month.",
    )
    kind: Literal["regional_blend"]  # type: ignore[assignment]
    own: Share
    regional_per_member_per_month: Dollars


class MatchedComparison(Part):
    """What alike people cost in the same year who are enrolled with the payer and not the provider's.

    People are alike who agree in everything named. Each group of them is weighted as the provider's people are. The
    provider's people with nobody alike take the average of all who could be compared.
    """

    title = "Benchmark"
    words = (
        "The benchmark is what people in the same population who are not the provider's cost in the same year for each"
        " member month, weighted to be alike in {alike_in}.",
        "Ages are in bands that begin at 0, 19, 35, 50, 65, 75 and 85, and costs in bands that begin at $0.01, $1,000,"
        " $5,000, $10,000, $25,000, $50,000 and $100,000.",
        "A group counts with at least {least} people to compare; the provider's people without one take the average.",
    )
    not_modelled = ("differences that claims do not show",)
    kind: Literal["matched_comparison"]
    alike_in: Annotated[
        list[Literal["age", "gender", "payer_type", "dual", "cost in the year before"]], Field(min_length=1)
    ]
    least: Lives = 1


class PersistenceCorrected(Part):
    """What the same people cost when they were found, less what would have gone away by itself.

    expected = cost for a member month in the year they were found x what remains x (1 + trend)

    Where what remains is not agreed, it is measured: the payer's people whom the same rules found a year earlier, and
    what they cost the year after as a share of the year in which they were found, without the trend.
    """

    title = "Benchmark"
    words = (
        "The benchmark is what the same people cost for each member month in the year in which they were found,"
        " times what remains without a program.",
        "What remains is {remains}.",
        "It is brought up to the year by a trend of {trend} a year.",
    )
    not_modelled = ("an effect of the program on the earlier people, where it had begun",)
    kind: Literal["persistence_corrected"]
    trend: Share
    remains: Share | None = None

    def sentences(self) -> list[str]:
        measured = (
            "What remains is measured: what the people whom the same rules found a year earlier, wherever they get"
            " their care, cost the year after, as a share of the year in which they were found, the trend taken out."
        )
        said = super().sentences()
        return said if self.remains is not None else [said[0], measured, *said[1:]]


AnyBenchmark = Annotated[
    Fixed | OwnHistory | RegionalBlend | MatchedComparison | PersistenceCorrected, Field(discriminator="kind")
]


def _check_weights(weights: list[Any]) -> None:
    if any(isinstance(weight, Mapping) for weight in weights) or not reaches(1e-9, abs(sum(weights) - 1)):
        allowed, do = "shares that add up to 1, the oldest year first: [0.1, 0.3, 0.6]", "make them add up to 1"
        refuse(show(weights), allowed, do)


# The bands of a matched comparison, as its words on the term sheet say.
AGES = (19, 35, 50, 65, 75, 85)
COSTS = (0.01, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000)


class Group(NamedTuple):
    """People of one year and what they cost, in whole cents: counted, of that within the limit, still to come."""

    name: str
    year: int
    people: int
    months: int
    counted: int
    within: int
    to_come: int

    @property
    def cents(self) -> int:
        """What counts as spending."""
        return self.within + self.to_come

    @property
    def per_month(self) -> float:
        """Dollars for each member month.

        >>> Group("own", 2025, 2, 24, 2_400_00, 2_400_00, 0).per_month
        100.0
        """
        return self.cents / 100 / self.months if self.months else 0.0


class Step(NamedTuple):
    """One number on the way to a benchmark."""

    step: str
    amount: float
    unit: str  # dollars for each member month; ratio; dollars; months


PMPM = "dollars for each member month"


def trend_between(part: Part, begin: int, end: int, first_year: int) -> float:
    """How much prices and use grow from one year to another, at the contract's trend of each year after the first.

    >>> part = PersistenceCorrected(kind="persistence_corrected", trend={2026: 0.05, 2027: 0.04}, remains=0.5)
    >>> round(trend_between(part, 2025, 2027, 2026), 6)
    1.092
    """
    growth = 1.0
    for year in range(begin + 1, end + 1):
        growth *= 1 + part.at(year, first_year).trend  # type: ignore[attr-defined]
    return growth


def own_history(rule: OwnHistory, groups: Sequence[Group], year: int, first_year: int) -> list[Step]:
    """Earlier years' cost for a member month, brought up to the year and weighted; blended where the rule says so.

    >>> rule = OwnHistory(kind="own_history", weights=[0.25, 0.75], trend=0.1)
    >>> groups = [Group("", 2024, 1, 12, 120_000, 120_000, 0), Group("", 2025, 1, 12, 240_000, 240_000, 0)]
    >>> own_history(rule, groups, 2026, 2026)[-1]  # 0.25 x 100 x 1.21 + 0.75 x 200 x 1.1
    Step(step='own history, weighted', amount=195.25, unit='dollars for each member month')
    """
    steps, total = [], 0.0
    for weight, group in zip(rule.weights, groups, strict=True):
        growth = trend_between(rule, group.year, year, first_year)
        steps += [
            Step(f"{group.year}: cost", group.per_month, PMPM),
            Step(f"{group.year}: trend to {year}", growth, "ratio"),
            Step(f"{group.year}: weight", weight, "ratio"),
        ]
        total += weight * group.per_month * growth
    steps.append(Step("own history, weighted", round(total, 10), PMPM))
    if isinstance(rule, RegionalBlend):
        now = rule.at(year, first_year)
        steps += [Step("own share", now.own, "ratio"), Step("region", now.regional_per_member_per_month, PMPM)]
        blended = now.own * total + (1 - now.own) * now.regional_per_member_per_month
        steps.append(Step("blend", round(blended, 10), PMPM))
    return steps


def persistence_corrected(
    rule: PersistenceCorrected,
    found: Group,
    earlier: tuple[Group, Group] | None,
    year: int,
    first_year: int,
) -> list[Step]:
    """What the people cost in the year they were found, times what remains, brought up to the year.

    >>> rule = PersistenceCorrected(kind="persistence_corrected", trend=0.05, remains=0.6)
    >>> persistence_corrected(rule, Group("", 2025, 1, 12, 120_000, 120_000, 0), None, 2026, 2026)[-1]
    Step(step='expected', amount=63.0, unit='dollars for each member month')
    """
    steps = [Step(f"{found.year}: cost in the year they were found", found.per_month, PMPM)]
    if earlier:
        before, after = earlier
        growth = trend_between(rule, before.year, after.year, first_year)
        remains = after.per_month / before.per_month / growth if before.cents else 1.0
        steps += [
            Step(f"{before.year}: cost of those found a year earlier", before.per_month, PMPM),
            Step(f"{after.year}: what the same people cost then", after.per_month, PMPM),
            Step(f"trend from {before.year} to {after.year}", growth, "ratio"),
        ]
    else:
        remains = float(rule.at(year, first_year).remains or 0)
    growth = trend_between(rule, found.year, year, first_year)
    steps += [Step("what remains", remains, "ratio"), Step(f"trend from {found.year} to {year}", growth, "ratio")]
    return [*steps, Step("expected", round(found.per_month * remains * growth, 10), PMPM)]


def matched(cells: "pd.DataFrame", fewest: int, completion: float) -> list[Step]:
    """The comparison's cost for a member month, group by group, weighted by the provider's member months.

    `cells` has a row for each group of alike people: own_months, people, months and cents of those compared.

    >>> import pandas as pd
    >>> cells = pd.DataFrame({"own_months": [10, 30], "people": [5, 5], "months": [60, 60], "cents": [60_000, 180_000]})
    >>> matched(cells, 1, 1.0)[-1]  # a quarter at $10 and three quarters at $30
    Step(step='expected', amount=25.0, unit='dollars for each member month')
    """
    usable = cells[(cells.people >= max(fewest, 1)) & (cells.months > 0) & (cells.own_months > 0)]
    alike = int(usable.own_months.sum())
    all_own = int(cells.own_months.sum())
    weighted = float((usable.own_months * usable.cents / usable.months).sum()) / 100 * completion
    return [
        Step("groups of alike people with someone to compare", len(usable), "groups"),
        Step("people to compare with in them", int(usable.people.sum()), "people"),
        Step("share of member months in those groups", alike / all_own if all_own else 0.0, "ratio"),
        Step("completion factor", completion, "ratio"),
        Step("expected", round(weighted / alike, 10) if alike else 0.0, PMPM),
    ]


def risk_ratio(score: float, before: float, most_growth: float | None, most_fall: float | None) -> float:
    """The growth of the average score within the limits that were agreed.

    >>> risk_ratio(1.10, 1.00, most_growth=0.03, most_fall=None), risk_ratio(0.9, 1.0, None, 0.05)
    (1.03, 0.95)
    """
    ratio = score / before
    if most_growth is not None:
        ratio = least(ratio, 1 + most_growth)
    if most_fall is not None:
        ratio = most(ratio, 1 - most_fall)
    return float(ratio)
