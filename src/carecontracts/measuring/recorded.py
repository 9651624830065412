"""What else the clauses read: measures, months with something on record, and how often something is on record."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, model_validator

from ..people import rates
from ..refusal import show
from ..units import Count, Lives, Share
from ..worded import Name, refuse_each
from .part import Part, absent

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from .books import Books, People


class Measure(Part):
    """A measure of the year, by its specification."""

    title = "Measure"
    words = (
        "It is the measure {measure} of the people who count, from every claim of their coverage, whatever its service"
        " and whenever it was paid, and from the outcome table and the roster.",
        "It is used with: {settings}.",
        "It counts where its denominator is at least {least}.",
        "Below that it is taken to be {otherwise}.",
    )
    together = (("otherwise", "least"),)
    measure: Annotated[str, AfterValidator(rates.known)]
    settings: dict[str, Any] = {}
    least: Lives | None = None
    otherwise: Share | None = None

    @property
    def spec(self) -> rates.Spec:
        """The measure's specification, with the settings that the contract changes."""
        return rates.specification(self.measure, self.settings)

    @model_validator(mode="after")
    def _settings_of_the_measure(self) -> Self:
        how = rates.specifications()[self.measure].how
        if misfits := [(("settings", *at), fault) for at, fault in how.misfits(self.settings)]:
            refuse_each(misfits)
        return self

    def say_term(self, term: str) -> str:
        if term != "settings":
            return super().say_term(term)
        how = self.spec.how
        return ", ".join(f"{name} {how.say_term(name)}" for name in self.settings)

    def says(self, numerator: float, denominator: float) -> str:
        """How the rate came about."""
        return f"measure “{self.measure}”: {numerator:,.10g} of {denominator:,.10g}, times {self.spec.per or 1:,}"

    def has_enough(self, denominator: float) -> bool:
        """Whether the rate counts; of too few it is `otherwise`."""
        return self.least is None or denominator >= self.least


class MonthsWith(Part):
    """Member months in which something is on record in the outcome table."""

    title = "Months"
    words = ("A member month in which the outcome table records {outcome} at least {least} times.",)
    outcome: Name
    least: Count = 1

    def unmet(self, books: "Books") -> Iterator[str]:
        yield from no_record(books, self.outcome)

    def months(self, books: "Books", people: "People") -> dict[int, float]:
        """How many of the member months that count have it, by the number of the person's tier."""
        from ..claims.engine import fetched
        from ..people.months import covered_months
        from .books import in_months

        own, counted = people.own, people.on_list
        if counted is None:
            counted = covered_months(books.claims, books.year, books.first_month)
        rows = on_record(books, own, self.outcome)
        rows = rows.group_by("person_id", "month").agg(times=rows.count())
        rows = rows.filter(rows.times >= self.least)
        rows = rows.inner_join(counted, ["person_id", "month"])
        rows = rows.inner_join(own.select("person_id", "tier"), "person_id")
        found = fetched(rows.group_by("tier").agg(months=rows.counts.sum()))
        return {row["tier"]: in_months(row["months"]) for row in found}


class Recorded(Part):
    """How often something is on record in the outcome table for the people who count, or for how many of them it is."""

    title = "Outcome"
    words = (
        "The number of {counted} with {outcome} in the outcome table on any day of the year, covered or not, among the"
        " people who count.",
    )
    outcome: Name
    counted: Literal["records", "people"] = "records"

    def unmet(self, books: "Books") -> Iterator[str]:
        yield from no_record(books, self.outcome)

    def times(self, books: "Books", own: "ir.Table") -> int:
        """The records in the year, or the people who have one."""
        from ..claims.engine import fetched

        rows = on_record(books, own, self.outcome)
        (row,) = fetched(rows.agg(records=rows.count(), people=rows.person_id.nunique()))
        return int(row[self.counted])


def on_record(books: "Books", own: "ir.Table", outcome: str) -> "ir.Table":
    """The records of an outcome in the contract year, of the people who count, each with its month."""
    from ..people.months import month_of

    rows = books.claims.outcome
    rows = rows.mutate(month=month_of(rows.outcome_date)).semi_join(own, "person_id")
    begin = books.begins(books.year)
    return rows.filter(rows.outcome == outcome, rows.month.between(begin, begin + 11))


def no_record(books: "Books", outcome: str) -> Iterator[str]:
    """In words, an outcome that the outcome table does not have."""
    if absent(books.claims.outcome.outcome, [outcome]):
        yield f"No row of the outcome table has the outcome {show(outcome)}: it counts 0."
