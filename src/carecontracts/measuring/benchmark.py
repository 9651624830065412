"""What was expected: each kind of benchmark, from groups of people whose cost was measured by the same rules."""

from collections.abc import Iterator, Mapping, Sequence
from math import fsum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from ..reconciliation import Kind, Step
from ..refusal import refuse, show
from ..scales import credibility
from ..units import Dollars, Growth, Lives, Persons, Share, reaches, say_dollars, say_list
from .part import Part

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from .books import Books, Group, People

PMPM = "dollars for each member month"
AGES = (19, 35, 50, 65, 75, 85)  # where the bands of a matched comparison begin, after the first
COSTS = (0.01, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000)


class Earlier(NamedTuple):
    """People of an earlier year from whom a benchmark is made, and how much the year counts."""

    name: str
    weight: float
    year: int
    own: "ir.Table"


class Benchmark(Part):
    """What the people of a year were expected to cost for each member month."""

    title = "Benchmark"

    def expected(self, books: "Books", people: "People") -> tuple[list[Step], list[Earlier]]:
        """The steps to the price of a member month, the last one's amount, and the earlier people behind it."""
        raise NotImplementedError

    def growth(self, begin: int, end: int, first_year: int) -> float:
        """How much prices and use grow from one year to another, at the trend of each year after the first.

        >>> rule = PersistenceCorrected(kind="persistence_corrected", trend={2026: 0.05, 2027: 0.04}, remains=0.5)
        >>> round(rule.growth(2025, 2027, first_year=2026), 6)
        1.092
        """
        growth = 1.0
        for year in range(begin + 1, end + 1):
            growth *= 1 + self.at(year, first_year).trend  # type: ignore[attr-defined]
        return growth


class Fixed(Benchmark):
    """A price that was agreed: so much for each member month."""

    words = ("The benchmark is {per_member_per_month} for each member month.",)
    kind: Literal["fixed"]
    per_member_per_month: Dollars

    def expected(self, books: "Books", people: "People") -> tuple[list[Step], list[Earlier]]:
        price = self.at(books.year, books.first_year).per_member_per_month
        return [Step(Kind.PRICE, "agreed price", price, PMPM)], []


class OwnHistory(Benchmark):
    """What earlier years cost, weighted and brought up to the year by the trend.

    Of the same people, each earlier year is what they cost then. Otherwise each earlier year has its own people, found
    by the same rules; a list made for their worst year then stands beside lists made for theirs.
    """

    words: ClassVar[tuple[str, ...]] = (
        "The benchmark is what {people} cost for each member month in the years before the contract, weighted {weights}"
        " from the oldest to the last.",
        "Each is brought up to the year by a trend of {trend} a year.",
    )
    not_modelled = ("a benchmark made anew from the contract's own years",)
    kind: Literal["own_history"]
    weights: Annotated[list[Share], Field(min_length=1, max_length=5)]
    trend: Growth
    people: Literal["the people found by the same rules", "the same people"] = "the people found by the same rules"

    @model_validator(mode="after")
    def _weights_of_one(self) -> Self:
        if any(isinstance(weight, Mapping) for weight in self.weights) or not reaches(1e-9, abs(sum(self.weights) - 1)):
            allowed, do = "shares that add up to 1, the oldest year first: [0.1, 0.3, 0.6]", "make them add up to 1"
            refuse(show(self.weights), allowed, do)
        return self

    def years(self, first_year: int) -> range:
        """The years before the contract, the oldest first."""
        return range(first_year - len(self.weights), first_year)

    def years_read(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        for before in reversed(self.years(books.first_year)):
            yield before, "the benchmark"
            if self.people == "the people found by the same rules":
                yield from books.rules.years_of_people(books, before)

    def expected(self, books: "Books", people: "People") -> tuple[list[Step], list[Earlier]]:
        groups, earlier = [], []
        for year, weight in zip(self.years(books.first_year), self.weights, strict=True):
            name = f"benchmark year {year}"
            if self.people == "the same people":
                base = books.same_people(people.own, year, name)
            else:
                base = books.everyone(year, books.rules.population.found_in(year, books.first_year), name)
            groups.append(books.cost(name, year, base))
            earlier.append(Earlier(name, weight, year, base.own))
        return self.steps(groups, books.year, books.first_year), earlier

    def steps(self, groups: Sequence["Group"], year: int, first_year: int) -> list[Step]:
        """Earlier years' cost for a member month, brought up to the year and weighted.

        >>> from .books import Group
        >>> rule = OwnHistory(kind="own_history", weights=[0.25, 0.75], trend=0.1)
        >>> groups = [Group("", 2024, 1, 12, 120_000), Group("", 2025, 1, 12, 240_000)]
        >>> rule.steps(groups, 2026, 2026)[-1].amount  # 0.25 x 100 x 1.21 + 0.75 x 200 x 1.1
        195.25
        """
        steps = []
        for weight, group in zip(self.weights, groups, strict=True):
            growth = self.growth(group.year, year, first_year)
            steps += [
                Step(Kind.COST, f"{group.year}: cost", group.per_month, PMPM),
                Step(Kind.TREND, f"{group.year}: trend to {year}", growth, "ratio"),
                Step(Kind.WEIGHT, f"{group.year}: weight", weight, "ratio"),
            ]
        total = self.weighted(groups, year, first_year)
        return [*steps, Step(Kind.HISTORY, "own history, weighted", round(total, 10), PMPM)]

    def weighted(self, groups: Sequence["Group"], year: int, first_year: int) -> float:
        """The groups' cost for a member month, each brought up to the year, by their weights."""
        total = 0.0
        for weight, group in zip(self.weights, groups, strict=True):
            total += weight * group.per_month * self.growth(group.year, year, first_year)
        return total


class RegionalBlend(OwnHistory):
    """Own history and a regional average, weighted: by an agreed share, or as far as its people make it credible.

    blend = own x own history + (1 - own) x region, with own agreed, or least(1, square root of member years /
    full_credibility), or member years / (member years + half_credibility), of all the years of its history
    """

    words = (
        *OwnHistory.words,
        "That counts for {own}.",
        "That counts in full from {full_credibility} member years of history on, and with fewer in part: the square"
        " root of the number of member years over that number (limited-fluctuation credibility).",
        "That counts in part: the number of member years of history over the sum of that number and this one:"
        " {half_credibility} (Bühlmann credibility).",
        "The rest is the region's {regional_per_member_per_month} for each member month.",
    )
    kind: Literal["regional_blend"]  # type: ignore[assignment]
    own: Share | None = None
    full_credibility: Persons | None = None
    half_credibility: Persons | None = None
    regional_per_member_per_month: Dollars

    @model_validator(mode="after")
    def _one_weight(self) -> Self:
        terms = ("own", "full_credibility", "half_credibility")
        given = [f"`{term}`" for term in terms if getattr(self, term) is not None]
        if len(given) != 1:
            allowed = "one of `own`, `full_credibility` and `half_credibility`"
            refuse(say_list(given) or "none of them", allowed, "say once how much its own history counts")
        return self

    def counts_for(self, member_years: float, year: int, first_year: int) -> float:
        """How much its own history counts.

        >>> terms = dict(kind="regional_blend", weights=[1.0], trend=0, regional_per_member_per_month=100)
        >>> RegionalBlend(full_credibility=5_000, **terms).counts_for(1_250, 2026, 2026)
        0.5
        """
        now = self.at(year, first_year)
        if now.own is not None:
            return float(now.own)
        return float(credibility(member_years, now.full_credibility, now.half_credibility))

    def steps(self, groups: Sequence["Group"], year: int, first_year: int) -> list[Step]:
        region, history = (
            self.at(year, first_year).regional_per_member_per_month,
            self.weighted(groups, year, first_year),
        )
        own = self.counts_for(fsum(group.months for group in groups) / 12, year, first_year)
        return [
            *super().steps(groups, year, first_year),
            Step(Kind.OWN_SHARE, "own share", own, "ratio"),
            Step(Kind.REGION, "region", region, PMPM),
            Step(Kind.BLEND, "blend", round(own * history + (1 - own) * region, 10), PMPM),
        ]


class MatchedComparison(Benchmark):
    """What alike people cost in the same year who are enrolled with the payer and not the provider's.

    People are alike who agree in everything named. Each group of them is weighted as the provider's people are. The
    provider's people with nobody alike take the average of all who could be compared.
    """

    words = (
        "The benchmark is what people in the same population who are not the provider's cost in the same year for each"
        " member month, weighted to be alike in {alike_in}.",
        f"Ages are in bands that begin at {say_list([*map(str, (0, *AGES))])}, and costs in bands that begin at"
        f" {say_list([*map(say_dollars, COSTS)])}.",
        "A group counts with at least {least} people to compare; the provider's people without one take the average.",
    )
    not_modelled = ("differences that claims do not show",)
    kind: Literal["matched_comparison"]
    alike_in: Annotated[
        list[Literal["age", "gender", "payer_type", "dual", "cost in the year before"]], Field(min_length=1)
    ]
    least: Lives = 1

    def years_read(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        if "cost in the year before" in self.alike_in:
            yield year - 1, "the comparison"

    def expected(self, books: "Books", people: "People") -> tuple[list[Step], list[Earlier]]:
        return self.steps(*self.alike(books, people)), []

    def alike(self, books: "Books", people: "People") -> tuple[list[dict[str, Any]], float]:
        """For each group of alike people: own_months of the provider's, and the people, months and cents of others.

        The cents are completed and held to the limit; the factor that completed them is given beside.
        """
        from ..claims.engine import fetched
        from .books import cents_of

        spending, table = books.rules.spending, people.table
        table = table.filter(table.status.isin([Kind.COUNTS.value, Kind.NOT_OWN.value]))
        lines, _ = books.lines_of(books.year)  # of others' people, for all of their months
        lines, others = lines.filter(lines.why.isnull()), table.filter(table.status == Kind.NOT_OWN.value)
        theirs = lines.semi_join(others, "person_id")
        factor = books.rules.run_out.complete(books, books.year, others, theirs).factor
        limit = spending.limit(books, books.year, people)
        spent = spending.marked(cents_of(table, lines), limit, factor)
        if "cost in the year before" in self.alike_in:
            earlier, _ = books.lines_of(books.year - 1)
            earlier = earlier.filter(earlier.why.isnull())
            before = earlier.group_by("person_id").agg(before=earlier.cents.sum())
            spent = spent.left_join(before, "person_id").drop("person_id_right")
        bands = {
            "age": lambda: _band(spent.age, AGES),
            "gender": lambda: spent.gender,
            "payer_type": lambda: spent.payer_type,
            "dual": lambda: spent.dual,
            "cost in the year before": lambda: _band(spent.before.fill_null(0), [round(c * 100) for c in COSTS]),
        }
        groups = [f"alike_{n}" for n in range(len(self.alike_in))]
        spent = spent.mutate(**{group: bands[by]() for group, by in zip(groups, self.alike_in, strict=True)})
        own, other = spent.status == Kind.COUNTS.value, spent.status == Kind.NOT_OWN.value
        cells = spent.group_by(groups).agg(
            own_months=spent.months.sum(where=own).fill_null(0),
            people=other.cast("int64").sum(),
            months=spent.months.sum(where=other).fill_null(0),
            **spending.sums(spent, other),
        )
        found = fetched(cells.order_by(groups))
        return [c | {"cents": spending.within(c, limit, factor, books, books.year)} for c in found], factor

    def steps(self, cells: Sequence[Mapping[str, Any]], factor: float) -> list[Step]:
        """The comparison's cost for a member month, group by group, weighted by the provider's member months.

        >>> rule = MatchedComparison(kind="matched_comparison", alike_in=["age"])
        >>> cells = [{"own_months": 10, "people": 5, "months": 60, "cents": 60_000},
        ...          {"own_months": 30, "people": 5, "months": 60, "cents": 180_000}]
        >>> rule.steps(cells, 1.0)[-1].amount  # a quarter at $10 and three quarters at $30
        25.0
        """
        enough = max(int(self.least), 1)
        usable = [c for c in cells if c["people"] >= enough and c["months"] > 0 and c["own_months"] > 0]
        alike, own = fsum(c["own_months"] for c in usable), fsum(c["own_months"] for c in cells)
        weighted = fsum(c["own_months"] * c["cents"] / c["months"] for c in usable) / 100
        found = sum(int(c["people"]) for c in usable)
        return [
            Step(Kind.ALIKE_GROUPS, "groups of alike people with someone to compare", len(usable), "groups"),
            Step(Kind.ALIKE_PEOPLE, "people to compare with in them", found, "people"),
            Step(Kind.ALIKE_MONTHS, "share of member months in those groups", alike / own if own else 0.0, "ratio"),
            Step(Kind.COMPLETION, "completion factor, of the cost below", factor, "ratio"),
            Step(Kind.EXPECTED, "expected", round(weighted / alike, 10) if alike else 0.0, PMPM),
        ]


def _band(value: Any, begins: Sequence[float]) -> Any:
    """The number of the band that a value is in: 0 below the first."""
    import ibis

    return ibis.cases(*((value >= begin, n) for n, begin in reversed(list(enumerate(begins, 1)))), else_=0)


class PersistenceCorrected(Benchmark):
    """What the same people cost when they were found, less what would have gone away by itself.

    expected = cost for a member month in the year they were found x what remains x (1 + trend)

    Where what remains is not agreed, it is measured: the payer's people whom the same rules found a year earlier, and
    what they cost the year after as a share of the year in which they were found, without the trend.
    """

    words = (
        "The benchmark is what the same people cost for each member month in the year in which they were found,"
        " times what remains without a program.",
        "What remains is {remains}.",
        "It is brought up to the year by a trend of {trend} a year.",
    )
    not_modelled = ("an effect of the program on the earlier people, where it had begun",)
    kind: Literal["persistence_corrected"]
    trend: Growth
    remains: Share | None = None

    def sentences(self) -> list[str]:
        measured = (
            "What remains is measured: what the people whom the same rules found a year earlier, wherever they get"
            " their care, cost the year after, as a share of the year in which they were found, the trend taken out."
        )
        said = super().sentences()
        return said if self.remains is not None else [said[0], measured, *said[1:]]

    def found(self, books: "Books", year: int) -> int:
        """The year in which the people of a contract year were found: before it, at the latest."""
        return min(books.rules.population.found_in(year, books.first_year), year - 1)

    def years_read(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        found = self.found(books, year)
        yield found, "the benchmark"
        if self.remains is None:
            yield found - (year - found), "what remains"

    def expected(self, books: "Books", people: "People") -> tuple[list[Step], list[Earlier]]:
        found = self.found(books, books.year)
        group = f"the same people in {found}, when they were found"
        before = books.cost(group, found, books.same_people(people.own, found, group))
        earlier = self.found_earlier(books, found) if self.remains is None else None
        return self.steps(before, earlier, books.year, books.first_year), []

    def found_earlier(self, books: "Books", found: int) -> tuple["Group", "Group"]:
        """Those whom the same rules found as much earlier, wherever they get care: their cost then and afterwards."""
        before = found - (books.year - found)
        name = f"found in {before}, wherever they get care"
        table = books.everyone(found, before, f"{name}: in {found}").table
        anywhere = table.filter(table.status.isin([Kind.COUNTS.value, Kind.NOT_OWN.value]))
        groups = []
        for year in (before, found):
            label = f"{name}: cost in {year}"
            groups.append(books.cost(label, year, books.same_people(anywhere, year, label)))
        return groups[0], groups[1]

    def steps(self, found: "Group", earlier: tuple["Group", "Group"] | None, year: int, first_year: int) -> list[Step]:
        """What the people cost in the year they were found, times what remains, brought up to the year.

        >>> from .books import Group
        >>> rule = PersistenceCorrected(kind="persistence_corrected", trend=0.05, remains=0.6)
        >>> rule.steps(Group("", 2025, 1, 12, 120_000), None, 2026, 2026)[-1].amount
        63.0
        """
        steps = [Step(Kind.COST, f"{found.year}: cost in the year they were found", found.per_month, PMPM)]
        if earlier:
            before, after = earlier
            growth = self.growth(before.year, after.year, first_year)
            remains = after.per_month / before.per_month / growth if before.cents else 1.0
            found_earlier = f"{before.year}: cost of those found a year earlier"
            steps += [
                Step(Kind.COST_BEFORE, found_earlier, before.per_month, PMPM),
                Step(Kind.COST_AFTER, f"{after.year}: what the same people cost then", after.per_month, PMPM),
                Step(Kind.TREND, f"trend from {before.year} to {after.year}", growth, "ratio"),
            ]
        else:
            remains = float(self.at(year, first_year).remains or 0)
        growth = self.growth(found.year, year, first_year)
        return [
            *steps,
            Step(Kind.REMAINS, "what remains", remains, "ratio"),
            Step(Kind.TREND, f"trend from {found.year} to {year}", growth, "ratio"),
            Step(Kind.EXPECTED, "expected", round(found.per_month * remains * growth, 10), PMPM),
        ]


AnyBenchmark = Annotated[
    Fixed | OwnHistory | RegionalBlend | MatchedComparison | PersistenceCorrected, Field(discriminator="kind")
]
