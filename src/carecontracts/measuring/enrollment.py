"""How long a person must have been covered to count."""

from typing import TYPE_CHECKING, Literal

from ..reconciliation import Kind
from ..units import MonthsOfYear
from .part import Part

if TYPE_CHECKING:
    from .books import Books, People


class Enrollment(Part):
    """How long a person must have been covered to count.

    Someone who dies is held to the months that they lived.
    """

    title = "Enrollment"
    words = (
        "A person counts who was enrolled for at least {least} months of the year.",
        "In the year before, they were enrolled for at least {least_before} months.",
        "No gap in the year is longer than {gap} months.",
        "People who die in the year are {deaths}.",
    )
    least: MonthsOfYear = 1
    least_before: MonthsOfYear | None = None
    gap: MonthsOfYear | None = None
    deaths: Literal["counted for the months that they lived", "left out"] = "counted for the months that they lived"

    def leave_out(self, people: "People", books: "Books", year: int, found: int) -> None:
        """Leaves out those who were covered for too short a time, or had too long a gap, or died."""
        import ibis

        from ..people.months import coverage, covered_months, month_of

        claims, first_month = books.claims, books.first_month
        begin = books.begins(year)
        spans = claims.eligibility
        people.know(spans.group_by("person_id").agg(death=month_of(spans.death_date.max())))
        who = people.table
        lived = ibis.ifelse(who.died == 1, who.death - begin + 1, 12)
        short = f"fewer than {self.least:g} months of enrollment"
        people.leave_out(Kind.FEW_MONTHS, short, who.months < ibis.least(lived, self.least))
        if self.least_before is not None:
            people.know(coverage(claims, [year - 1], first_month).select("person_id", before="months"))
            short = f"fewer than {self.least_before:g} months of enrollment the year before"
            condition = people.table.before.fill_null(0) < self.least_before
            people.leave_out(Kind.FEW_MONTHS_BEFORE, short, condition)
        if self.gap is not None:
            # The longest run without coverage before, between or after the covered months.
            months = covered_months(claims, year, first_month)
            before = months.month.lag().over(group_by="person_id", order_by="month").fill_null(begin - 1)
            months = months.mutate(gap=months.month - before - 1)
            people.know(months.group_by("person_id").agg(gap=months.gap.max(), latest=months.month.max()))
            who = people.table
            after = ibis.ifelse(who.died == 1, who.death, begin + 11) - who.latest
            words = f"a gap of more than {self.gap:g} months"
            people.leave_out(Kind.GAP, words, ibis.greatest(who.gap, after) > self.gap)
        if self.deaths == "left out":
            people.leave_out(Kind.DIED, "died in the year", people.table.died == 1)
