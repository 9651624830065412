"""What has not arrived yet: how long claims may arrive, and what is added for those that have not."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import model_validator

from ..reconciliation import Kind
from ..refusal import Fault, Refusal, in_dollars, many, refuse, show
from ..units import Count, LongMonths, Months, Schedule
from .chain_ladder import Ladder, cumulative, lognormal_95
from .part import Part

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims
    from .books import Books, Rule

LADDERS = ("the chain ladder", "Bornhuetter-Ferguson")


class Completion(NamedTuple):
    """What dollars are multiplied by for the claims still to come, and its standard error where it has one."""

    factor: float
    error: float | None = None

    def say(self) -> str:
        """The factor with its error, and where it lies 95 times in 100.

        >>> Completion(1.02, 0.004).say()
        '1.020000 (standard error 0.004000; 95 times in 100 from 1.013303 to 1.028913)'
        """
        said = f"{self.factor:.6f}"
        if self.error is None:
            return said
        held = lognormal_95(self.factor - 1, self.error)
        between = f"; 95 times in 100 from {1 + held[0]:.6f} to {1 + held[1]:.6f}" if held else ""
        return f"{said} (standard error {self.error:.6f}{between})"


class RunOut(Part):
    """How long claims may arrive, and what is added for those that have not.

    The chain ladder, of a group of people: each month of service has paid so much by the closing date, and grows as
    older months of everyone did from the same age on.

        completed(month) = paid so far / share paid at its age

    Bornhuetter-Ferguson: what is unpaid at its age of what its member months are expected to cost. What they are
    expected to cost is the year's own average, each month counted as far as it is paid (Stanard-Buhlmann, "Cape Cod").

        completed(month) = paid so far + (1 - share) x member months x expected
        expected         = sum of paid so far / sum of member months x share, over the months of the year

    Under the chain ladder too, a month that it cannot complete is completed so. Earlier years are closed and completed
    the same way.
    """

    title = "Run-out and completion"
    words = (
        "Claims of the year count that were paid by {months} months after its end.",
        "A claim without a date of payment counts.",
        "Claims still to come: {completion}.",
        "The factor is {factor}.",
        "The triangle holds the {triangle} months of service before the closing date, of everyone enrolled; an older"
        " month is complete.",
        "Where the claims end before the closing date, it is read as of the month of their last payment.",
    )
    spoken = {
        "completion": {
            "the chain ladder": "each month of service grows as older months did, by the chain ladder",
            "Bornhuetter-Ferguson": "by Bornhuetter-Ferguson, each month of service adds what older months had not paid"
            " at its age, of what a member month of the year costs",
        }
    }
    not_modelled = (
        "a completion factor of its own for each service; pharmacy and medical claims are one triangle",
        "a tail: nothing is added beyond the oldest age in the triangle",
    )
    months: Months = 0
    completion: Literal["none", "a given factor", "the chain ladder", "Bornhuetter-Ferguson"] = "none"
    factor: Count | None = None
    triangle: LongMonths | None = None

    def sentences(self) -> list[str]:
        said = super().sentences()
        if self.triangle is None:
            said.remove(self.words[-1])
        if self.completion == "the chain ladder":
            said.append(
                "A month with nothing paid yet, or at an age at which older months had nothing paid, adds instead the"
                " share that they then had still to pay of what a member month of the year costs."
            )
            said.append(
                "The factor is printed with Mack's standard error and the 95% interval of a lognormal distribution."
            )
        if self.completion != "none":
            said.append("Each person's spending grows by the one factor of the group, before any limit on it.")
        return said

    @model_validator(mode="after")
    def _factor_where_given(self) -> Self:
        if (self.completion == "a given factor") != (self.factor is not None):
            refuse(
                f"completion: {self.completion}, factor: {show(self.factor)}",
                "a `factor` with `completion: a given factor`, and only there",
                "add or take out `factor:`",
            )
        for factor in _each(self.factor):
            if not 1 <= factor <= 2:
                refuse(f"factor: {factor:g}", "1 to 2 (1.02 adds 2%)", "write what is added as 1.0 and more")
        if (self.triangle is not None) != (self.completion in LADDERS):
            refuse(
                f"completion: {self.completion}, triangle: {show(self.triangle)}",
                "the months of a `triangle` with `completion: the chain ladder` or `Bornhuetter-Ferguson`, only there",
                "add or take out `triangle:`",
            )
        longest = max(map(int, _each(self.months)), default=0)
        for triangle in _each(self.triangle):
            if triangle < longest + 2:
                refuse(
                    f"triangle: {triangle:g}, months: {longest}",
                    f"{longest + 2} or more months: the year's last month, {many(longest, 'month')} old at the closing"
                    " date, and one that is older",
                    "write a longer `triangle:`, 24 where payments take a year",
                )
        return self

    def closes(self, year: int, first_year: int, first_month: int) -> date:
        """The day from which a payment comes too late to count.

        >>> RunOut(months=3).closes(2026, first_year=2026, first_month=1)
        datetime.date(2027, 4, 1)
        """
        month = 12 * (year + 1) + first_month - 1 + int(self.at(year, first_year).months)
        return date(month // 12, month % 12 + 1, 1)

    def paid_late(self, lines: "ir.Table", books: "Books", year: int) -> tuple["Rule", Any]:
        """The rule that takes out lines paid on or after the closing date; a line without a date of payment counts."""
        from .books import Rule

        late = (lines.paid_date >= self.closes(year, books.first_year, books.first_month)).fill_null(False)
        return Rule(Kind.PAID_LATE, "paid after the closing date"), late

    # --- what is still to come ---

    def complete(self, books: "Books", year: int, people: "ir.Table", lines: "ir.Table") -> Completion:
        """What the counted lines of a year of some people are multiplied by for the claims still to come."""
        if self.completion == "a given factor":
            return Completion(float(self.at(year, books.first_year).factor or 1))
        if self.completion == "none":
            return Completion(1.0)
        from ..claims.engine import fetched

        if ("triangle", year) not in books.found:
            books.found["triangle", year] = self._seen(books, year)
        seen = books.found["triangle", year]
        by_month = lines.group_by("month").agg(cents=lines.cents.sum())
        paid = {row["month"]: int(row["cents"]) for row in fetched(by_month)}
        begin = books.begins(year)
        return self._completed({m: paid.get(m, 0) for m in range(begin, begin + 12)}, seen, books, year, people)

    def _completed(
        self, paid: Mapping[int, int], seen: "Triangle", books: "Books", year: int, people: "ir.Table"
    ) -> Completion:
        ladder, last = Ladder(cumulative(seen.cells, seen.last)), seen.last
        share = {month: ladder.share(last - month) for month in paid}
        everyones = {month: sum(cents for (m, _), cents in seen.cells.items() if m == month) for month in paid}
        by_average = [
            month
            for month in paid
            if share[month] != 1
            and (self.completion == "Bornhuetter-Ferguson" or not share[month] or everyones[month] <= 0)
        ]
        total = sum(paid.values())
        if total <= 0:  # nothing to grow
            return Completion(1.0)
        if not by_average:
            grown = sum(cents / share[month] for month, cents in paid.items())
            error = ladder.error({last - month: float(cents) for month, cents in paid.items()})
            return Completion(grown / total, None if error is None else error / total)
        covered = _member_months(books, year, people)
        told = sum(covered.get(month, 0) * share[month] for month in paid)
        if not told:
            given = "no month of service that older ones can complete"
            do = "lengthen `months:` or `triangle:`, or give claims that reach further back"
            raise Refusal([Fault(f"{self.completion}, {year}", given, "one or more", do)])
        expected = sum(cents for month, cents in paid.items() if share[month]) / told
        grown = 0.0
        for month, cents in paid.items():
            if month in by_average:
                grown += cents + (1 - share[month]) * covered.get(month, 0) * expected
            else:
                grown += cents / share[month]
        if self.completion == "the chain ladder":
            named = ", ".join(f"{date(month // 12, month % 12 + 1, 1):%B %Y}" for month in by_average)
            books.note(
                f"{year}: the chain ladder cannot complete {named}: nothing is paid yet, or nothing was paid of older"
                " months at that age. The average of the year stands in for what is unpaid, and there is no interval."
            )
        return Completion(grown / total)

    def _seen(self, books: "Books", year: int) -> "Triangle":
        """The triangle before a year's closing date, of everyone enrolled; refuses claims without dates of payment."""
        from ..claims.engine import fetched
        from ..people.months import coverage, month_of

        months = int(self.at(year, books.first_year).triangle or 0)
        closing = self.closes(year, books.first_year, books.first_month)
        lines = books.counted_services()
        (row,) = fetched(lines.agg(latest=lines.paid_date.max()))
        if row["latest"] is None:
            do = "give `paid_date`, or agree on `completion: a given factor`"
            raise Refusal([Fault(f"{self.completion}, {year}", "no paid_date", "the date of each payment", do)])
        last = min(month_of(closing) - 1, month_of(row["latest"]))
        held = lines.filter(lines.month > last - months, lines.month <= last)
        years = range((last - months + 1 - books.first_month + 1) // 12, (last - books.first_month + 1) // 12 + 1)
        enrolled = coverage(books.claims, list(years), books.first_month)
        held = held.semi_join(enrolled, ["person_id", "year"])
        found = fetched(triangle(held, last))
        cells = {(row["month"], row["lag"]): int(row["cents"]) for row in found if row["lag"] is not None}
        seen = Triangle(cells, last, months)
        self._tell(books, year, seen, sum(int(row["cents"]) for row in found if row["lag"] is None), lines)
        return seen

    def _tell(self, books: "Books", year: int, seen: "Triangle", undated: int, lines: "ir.Table") -> None:
        """Notes what the triangle lacks: months, dates of payment, ages at which older months were still paid."""
        from ..claims.engine import fetched
        from ..people.months import month_of

        first = min((month for month, _ in seen.cells), default=seen.last + 1)
        if first > seen.last - seen.months + 1:
            had = seen.last + 1 - first
            books.note(
                f"{year}: the triangle is to hold {many(seen.months, 'month')} of service;"
                f" the claims have {had} of them."
            )
        if undated:
            books.note(
                f"{year}: {in_dollars(undated / 100)} of the triangle's months have no date of payment; the ladder"
                " cannot learn from them."
            )
        old = lines.filter(lines.month <= seen.last - seen.months, month_of(lines.paid_date) <= seen.last)
        late = month_of(old.paid_date) - old.month >= seen.months
        (row,) = fetched(old.agg(cents=old.cents.sum(), late=old.cents.sum(where=late)))
        if row["cents"] and row["late"]:
            books.note(
                f"{year}: of the months of service before the triangle, {row['late'] / row['cents']:.2%} was paid"
                f" {many(seen.months, 'month')} after service or later. The triangle does not see that, and nothing is"
                " added for it: lengthen `triangle:`."
            )

    def notes(self, claims: "Claims", years: Sequence[int], first_year: int, first_month: int) -> Iterator[str]:
        """What a reader should know where claims have no date of payment, or end before a closing date."""
        from ..claims.engine import fetched
        from ..people.months import month_of

        found = []
        for table in (claims.medical_claim, claims.pharmacy_claim):
            undated, cents = table.paid_date.isnull(), (table.paid_amount * 100).round().cast("int64")
            asked = {"latest": table.paid_date.max(), "lines": undated.cast("int64").sum()}
            found += fetched(table.agg(**asked, cents=cents.sum(where=undated)))
        latest = max((row["latest"] for row in found if row["latest"]), default=None)
        lines, paid = (sum(int(row[what] or 0) for row in found) for what in ("lines", "cents"))
        if latest is None and years:
            yield "No claim has a paid date: every claim of a year counts, whenever it arrived."
        elif lines:
            of = f"{lines:,} claim line{'s' * (lines != 1)}, {in_dollars(paid / 100)}"
            yield f"Without a date of payment: {of}. They count, whenever they were paid."
        for year in years if latest else ():
            closing = self.closes(year, first_year, first_month)
            if month_of(latest) + 1 < month_of(closing):
                yield (
                    f"{year}: the last payment in the claims is of {latest:%B %Y}; claims count that were paid before "
                    f"{closing:%B %Y}. Later claims would change the year."
                )


class Triangle(NamedTuple):
    """Cents by month of service and months until payment, the last month that it sees, and how many it is to hold."""

    cells: Mapping[tuple[int, int], int]
    last: int
    months: int


def triangle(lines: "ir.Table", last: int) -> "ir.Table":
    """Cents by month of service and by months until payment, paid by the last month: month, lag, cents.

    Paid before its month of service is lag 0; on no date, no lag.
    """
    import ibis

    from ..people.months import month_of

    lines = lines.mutate(lag=ibis.greatest(month_of(lines.paid_date) - lines.month, 0))
    lines = lines.mutate(lag=ibis.ifelse(lines.paid_date.isnull(), ibis.null("int64"), lines.lag))
    inside = lines.filter(lines.lag.isnull() | (lines.month + lines.lag <= last))
    return inside.group_by("month", "lag").agg(cents=inside.cents.sum())


def _member_months(books: "Books", year: int, people: "ir.Table") -> dict[int, float]:
    """The member months of the people in each month of a year."""
    from ..claims.engine import fetched
    from ..people.months import covered_months

    months = covered_months(books.claims, year, books.first_month).semi_join(people, "person_id")
    return {row["month"]: row["n"] for row in fetched(months.group_by("month").agg(n=months.counts.sum()))}


def _each(term: Any) -> list[Any]:
    """The numbers of a term: one, those of a schedule, or none."""
    return list(term.values()) if isinstance(term, Schedule) else [] if term is None else [term]
