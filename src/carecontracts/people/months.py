"""One calendar: months as whole numbers, contract years, and who was covered when.

Month m of year y is 12y + m - 1, so that years, windows and lags are subtraction. A contract year is named for the
calendar year in which it begins, in `first_month`.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from ..claims.engine import fetched
from ..claims.layout import FAR, Claims
from ..refusal import Fault, Refusal

PINNED = {"any day": 0, "first day": 1, "15th day": 15, "days": 0}  # the day on which one must be covered
DUAL = ("01", "02", "03", "04", "05", "06", "08")  # dual status codes of people with both Medicare and Medicaid


def month_of(day: Any) -> Any:
    """The number of a date's month, of a column or one date.

    >>> month_of(date(2026, 3, 31))
    24314
    """
    if isinstance(day, date):
        return 12 * day.year + day.month - 1
    return day.year().cast("int64") * 12 + day.month().cast("int64") - 1


def contract_year(day: Any, first_month: int = 1) -> Any:
    """The contract year that a day is in, of a column or one date.

    >>> contract_year(date(2026, 6, 30), first_month=7), contract_year(date(2026, 7, 1), first_month=7)
    (2025, 2026)
    """
    if isinstance(day, date):
        return day.year - (day.month < first_month)
    year = day.year().cast("int64")
    return year if first_month == 1 else year - (day.month() < first_month).cast("int64")


def first_day(year: int, first_month: int = 1) -> date:
    """The day on which a contract year begins."""
    return date(year, first_month, 1)


def last_day(year: int, first_month: int = 1) -> date:
    """The day on which a contract year ends.

    >>> last_day(2025, first_month=7)
    datetime.date(2026, 6, 30)
    """
    return first_day(year + 1, first_month) - timedelta(days=1)


def _merged(table: ir.Table, start: str, end: str, after: Callable[[Any, Any], Any]) -> ir.Table:
    """Spans that touch or overlap as one, `after` being how far one begins after another's end: person_id, the two."""
    in_order = {"group_by": "person_id", "order_by": [start, end]}
    upto = table[end].max().over(ibis.window(preceding=(None, 1), **in_order))
    table = table.mutate(new=(upto.isnull() | (after(table[start], upto) > 1)).cast("int64"))
    table = table.mutate(number=table.new.sum().over(ibis.window(preceding=(None, 0), **in_order)))
    found = table.group_by("person_id", "number").agg(**{start: table[start].min(), end: table[end].max()})
    return found.drop("number")


def spans_lived(claims: Claims) -> ir.Table:
    """The spans of eligibility, an open one to FAR; a payer may not have ended one by a death, which ends it here."""
    spans = claims.eligibility
    spans = spans.mutate(death_date=spans.death_date.max().over(ibis.window(group_by="person_id")))
    far = ibis.literal(FAR)
    spans = spans.mutate(
        enrollment_end_date=ibis.least(spans.enrollment_end_date.fill_null(far), spans.death_date.fill_null(far), far)
    )
    return spans.filter(spans.death_date.isnull() | (spans.enrollment_start_date <= spans.death_date))


def spells(claims: Claims) -> ir.Table:
    """Unbroken coverage, a row for each spell: person_id, start, end. Spans that touch or overlap are one."""
    spans = spans_lived(claims)
    spans = spans.select("person_id", start=spans.enrollment_start_date, end=spans.enrollment_end_date)
    return _merged(spans, "start", "end", lambda start, upto: start.delta(upto, unit="day"))


def _in_months(claims: Claims) -> ir.Table:
    """The spans with the first and the last month that counts of each; those with none are not there.

    A month counts with any day of coverage, or where its first or its 15th day is covered: as the claims are read.
    """
    spans, day = spans_lived(claims), PINNED[claims.month_counts_by]
    start, end = spans.enrollment_start_date, spans.enrollment_end_date
    if not day:
        return spans.mutate(first=month_of(start), last=month_of(end))
    spans = spans.mutate(
        first=month_of(start) + (start.day() > day).cast("int64"), last=month_of(end) - (end.day() < day).cast("int64")
    )
    return spans.filter(spans["first"] <= spans["last"])


def month_runs(claims: Claims) -> ir.Table:
    """Months that count, in a row: person_id, first, last. No two of a person touch."""
    spans = _in_months(claims).select("person_id", "first", "last")
    return _merged(spans, "first", "last", lambda first, upto: first - upto)


def days_in(month: Any) -> Any:
    """How many days a month has, by its number, of a column.

    >>> months = [12 * 2023 + 1, 12 * 2024 + 1, 12 * 2024 + 3]
    >>> [int(days_in(ibis.literal(month)).execute()) for month in months]
    [28, 29, 30]
    """
    year, of_year = (month / 12).floor().cast("int64"), month % 12
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    return ibis.cases((of_year == 1, 28 + leap.cast("int64")), (of_year.isin([3, 5, 8, 10]), 30), else_=31)


def covered_months(claims: Claims, year: int, first_month: int = 1) -> ir.Table:
    """A row for each person and month of a contract year that counts: person_id, month, counts (1, or the share)."""
    begin = month_of(first_day(year, first_month))
    if claims.month_counts_by == "days":
        spans = spells(claims)
        parts = []
        for month in range(begin, begin + 12):
            first, last = _ends_of(month)
            here = spans.filter(spans.start <= last, spans.end >= first)
            days = ibis.least(here.end, last).delta(ibis.greatest(here.start, first), unit="day") + 1
            share = days.cast("float64") / ((last - first).days + 1)
            parts.append(here.select("person_id", month=ibis.literal(month, "int64"), counts=share))
        rows = ibis.union(*parts)
        return rows.group_by("person_id", "month").agg(counts=rows.counts.sum())
    spans = _in_months(claims)
    parts = [
        spans.filter(spans["first"] <= month, spans["last"] >= month).select(
            "person_id", month=ibis.literal(month, "int64"), counts=ibis.literal(1, "int64")
        )
        for month in range(begin, begin + 12)
    ]
    return ibis.union(*parts, distinct=True)


def _ends_of(month: int) -> tuple[date, date]:
    first = date(month // 12, month % 12 + 1, 1)
    return first, date((month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)


def coverage(claims: Claims, years: Sequence[int], first_month: int = 1) -> ir.Table:
    """Each person's months of coverage in each contract year, and who they are: those with a month, no others."""
    spans = _in_months(claims)
    person = ibis.window(group_by="person_id")
    spans = spans.mutate(
        gender=spans.gender.nullif("unknown").max().over(person).fill_null("unknown"),
        race=spans.race.max().over(person),
        born=month_of(spans.birth_date.max().over(person)),
        death=month_of(spans.death_date),
        dual=spans.dual_status_code.isin(DUAL).fill_null(False).cast("int64"),
    )
    # A span counts from its first month that no earlier one has counted.
    before = ibis.window(group_by="person_id", order_by=["first", "last"], preceding=(None, 1))
    spans = spans.mutate(fresh=ibis.greatest(spans.first, (spans["last"].max().over(before) + 1).fill_null(0)))
    parts = []
    for year in years:
        begin = month_of(first_day(year, first_month))
        end = begin + 11
        part = spans.filter(spans["first"] <= end, spans["last"] >= begin)
        months = ibis.least(part["last"], end) - ibis.greatest(part.fresh, begin) + 1
        parts.append(part.mutate(year=ibis.literal(year, "int64"), months=ibis.greatest(months, 0)))
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    by_year = rows.group_by("person_id", "year").agg(
        payer_type=rows.payer_type.max(),
        dual=rows.dual.max(),
        gender=rows.gender.max(),
        race=rows.race.max(),
        born=rows.born.max(),
        death=rows.death.max(),
        months=rows.months.sum(),
    )
    if claims.month_counts_by == "days":
        by_days = [
            months.group_by("person_id").agg(year=ibis.literal(year, "int64"), months=months.counts.sum())
            for year in years
            for months in [covered_months(claims, year, first_month)]
        ]
        shares = ibis.union(*by_days) if len(by_days) > 1 else by_days[0]
        by_year = by_year.drop("months").inner_join(shares, ["person_id", "year"])
    end = by_year.year * 12 + first_month + 10  # the number of the year's last month
    return by_year.select(
        "person_id", "year", "payer_type", "dual", "gender", "race", "months",
        age=((end - by_year.born) // 12).cast("int64"),
        died=by_year.death.between(end - 11, end).fill_null(False).cast("int64"),
    )  # fmt: skip


def observed_years(claims: Claims, first_month: int = 1) -> list[int]:
    """The contract years from the first enrollment to the last enrollment or claim, open ends aside. Runs a query."""
    spans = claims.eligibility
    end = spans.enrollment_end_date
    asked = [
        spans.agg(first=spans.enrollment_start_date.min(), last=spans.enrollment_start_date.max()),
        spans.agg(last=end.max(where=end < FAR)),
        claims.medical_claim.agg(last=claims.medical_claim.claim_start_date.max()),
        claims.pharmacy_claim.agg(last=claims.pharmacy_claim.dispensing_date.max()),
    ]
    rows = [fetched(table)[0] for table in asked]
    if rows[0]["first"] is None:
        raise Refusal([Fault("eligibility", "no enrollment", "at least one span with a start", "check the file")])
    last = max(row["last"] for row in rows if row["last"] is not None)
    return list(range(contract_year(rows[0]["first"], first_month), contract_year(last, first_month) + 1))
