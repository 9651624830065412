"""What has not arrived yet: the chain ladder over months of service and months until payment.

For each month of service the claims paid so far are a row; how long they took to be paid is the column. The growth from
one column to the next, over all rows that have both, is the development factor; the product of those still to come is
what a month of that age grows by (volume-weighted chain ladder: Mack, ASTIN Bulletin 23, 1993).

    factor(age) = sum of paid by age + 1 / sum of paid by age, over months of service old enough for both
    completed(month) = paid so far x product of the factors from its age on

Not modelled:
- a tail: nothing is added beyond the oldest age in the triangle
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from pydantic import model_validator

from ..reconciliation import Kind
from ..refusal import Fault, Refusal, refuse, show
from ..units import Count, LongMonths, Months, Schedule
from .part import Part
from .spending import Service

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims
    from .books import Books, Rule


class RunOut(Part):
    """How long claims may arrive, and what is added for those that have not.

    Chain ladder: for each month of service, the dollars paid by the closing date times the growth that older months
    showed from the same age on. Earlier years are closed and completed the same way.
    """

    title = "Run-out and completion"
    words = (
        "Claims count whose service was in the year and which were paid by {months} months after its end.",
        "Claims still to come: {completion}.",
        "The factor is {factor}.",
        "The triangle holds the {triangle} months of service before the closing date, of everyone enrolled.",
    )
    not_modelled = ("a completion factor of its own for each service; pharmacy and medical claims are one triangle",)
    months: Months = 0
    completion: Literal["none", "a given factor", "the chain ladder"] = "none"
    factor: Count | None = None
    triangle: LongMonths | None = None

    @model_validator(mode="after")
    def _factor_where_given(self) -> Self:
        if (self.completion == "a given factor") != (self.factor is not None):
            refuse(
                f"completion: {self.completion}, factor: {show(self.factor)}",
                "a `factor` with `completion: a given factor`, and only there",
                "add or take out `factor:`",
            )
        for factor in self.factor.values() if isinstance(self.factor, Schedule) else [self.factor]:
            if factor is not None and not 1 <= factor <= 2:
                refuse(f"factor: {factor:g}", "1 to 2 (1.02 adds 2%)", "write what is added as 1.0 and more")
        if (self.triangle is not None) != (self.completion == "the chain ladder"):
            refuse(
                f"completion: {self.completion}, triangle: {show(self.triangle)}",
                "the months of a `triangle` with `completion: the chain ladder`, and only there",
                "add or take out `triangle:`",
            )
        return self

    def closes(self, year: int, first_month: int) -> date:
        """The day from which a payment comes too late to count.

        >>> RunOut(months=3).closes(2026, first_month=1)
        datetime.date(2027, 4, 1)
        """
        month = 12 * (year + 1) + first_month - 1 + int(self.months)
        return date(month // 12, month % 12 + 1, 1)

    def paid_late(self, lines: "ir.Table", books: "Books", year: int) -> tuple["Rule", Any]:
        """The rule that takes out lines paid on or after the closing date; a line without a date of payment counts."""
        from .books import Rule

        late = (lines.paid_date >= self.closes(year, books.first_month)).fill_null(False)
        return Rule(Kind.PAID_LATE, "paid after the closing date"), late

    def growth(self, books: "Books", year: int) -> float:
        """What a year's counted dollars are multiplied by for the claims still to come; 1 where none is added."""
        if self.completion == "a given factor":
            return float(self.at(year, books.first_year).factor or 1)
        if self.completion == "none":
            return 1.0
        from ..claims.engine import fetched

        lines = books.lines
        counted = [service for service in get_args(Service) if books.rules.spending.counts(service)]
        lines = lines.filter(lines.service.isin(counted)).mutate(cents=lines.cents.fill_null(0))
        closing, begin = self.closes(year, books.first_month), books.begins(year)
        found = fetched(triangle(lines, closing, int(self.triangle or 0)))
        cells = {(row["month"], row["lag"]): row["cents"] for row in found}
        return completion_factor(cells, range(begin, begin + 12), 12 * closing.year + closing.month - 2)

    def notes(self, claims: "Claims", years: Sequence[int], first_month: int) -> Iterator[str]:
        """What a reader should know where the claims end before a closing date."""
        from ..people.months import month_of

        days = [table.paid_date.max().to_pyarrow().as_py() for table in (claims.medical_claim, claims.pharmacy_claim)]
        latest = max((day for day in days if day), default=None)
        if latest is None and years:
            yield "No claim has a paid date: every claim of a year counts, whenever it arrived."
        for year in years if latest else ():
            closing = self.closes(year, first_month)
            if month_of(latest) + 1 < month_of(closing):
                yield (
                    f"{year}: the last payment in the claims is of {latest:%B %Y}; claims count that were paid before "
                    f"{closing:%B %Y}. Later claims would change the year."
                )


def triangle(lines: "ir.Table", closing: date, months: int) -> "ir.Table":
    """Dollars by month of service and by months until payment, paid before the closing date: month, lag, cents.

    `lines` has `month`, `paid_date` and `cents`. Paid before its month of service, or on no date, is lag 0.
    """
    import ibis

    from ..people.months import month_of

    last = month_of(closing) - 1
    lines = lines.mutate(lag=ibis.greatest((month_of(lines.paid_date) - lines.month).fill_null(0), 0))
    inside = lines.filter(lines.month > last - months, lines.month <= last, lines.month + lines.lag <= last)
    return inside.group_by("month", "lag").agg(cents=inside.cents.sum())


def development(paid: Sequence[Sequence[float]]) -> list[float]:
    """The development factors of a cumulative triangle: a row for each month, oldest first, of what was paid by age.

    Three years of a triangle worked by hand: (150 + 180) / (100 + 120) = 1.5 and 165 / 150 = 1.1.

    >>> [round(factor, 6) for factor in development([[100, 150, 165], [120, 180], [140]])]
    [1.5, 1.1]
    """
    factors = []
    for age in range(max(map(len, paid), default=1) - 1):
        both = [(row[age], row[age + 1]) for row in paid if len(row) > age + 1]
        before, after = sum(b for b, _ in both), sum(a for _, a in both)
        factors.append(after / before if before > 0 else 1.0)
    return factors


def to_ultimate(factors: Sequence[float]) -> list[float]:
    """What dollars of each age still grow by: the product of the factors from it on.

    >>> to_ultimate([1.5, 1.1])
    [1.6500000000000001, 1.1, 1.0]
    """
    return [*accumulate(reversed(factors), mul, initial=1.0)][::-1]


def cumulative(cells: Mapping[tuple[int, int], float], last: int) -> list[list[float]]:
    """Rows of what was paid by each age, the oldest month first, from dollars by (month of service, lag).

    >>> cumulative({(1, 0): 100, (1, 1): 50, (2, 0): 120}, last=2)
    [[100.0, 150.0], [120.0]]
    """
    first = min((month for month, _ in cells), default=last + 1)
    rows = range(first, last + 1)
    return [[*map(float, accumulate(cells.get((m, k), 0) for k in range(last - m + 1)))] for m in rows]


def completion_factor(cells: Mapping[tuple[int, int], float], year_months: range, last: int) -> float:
    """What a year's paid dollars are multiplied by: each month of service by its age, weighted by what it has paid.

    >>> round(completion_factor({(1, 0): 100, (1, 1): 50, (2, 0): 120}, range(1, 3), last=2), 6)  # 150 x 1 + 120 x 1.5
    1.222222
    """
    rows = cumulative(cells, last)
    grows = to_ultimate(development(rows))
    first = last + 1 - len(rows)
    paid = {first + n: row[-1] for n, row in enumerate(rows) if first + n in year_months}
    total = sum(paid.values())
    if total <= 0:
        given = f"{total / 100:,.2f} dollars paid in the triangle for the year's months"
        raise Refusal([Fault("the chain ladder", given, "claims with paid dates", "check paid_date in the claims")])
    return sum(dollars * grows[last - month] for month, dollars in paid.items()) / total
