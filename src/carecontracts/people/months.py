"""One calendar: months as whole numbers, contract years, and who was covered when.

Month m of year y is 12y + m - 1, so that years, windows and lags are subtraction. A contract year is named for the
calendar year in which it begins, in `first_month`.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from ..claims.layout import FAR, Claims
from ..refusal import Fault, Refusal

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


def merged(table: ir.Table, start: str, end: str, *, apart: int) -> ir.Table:
    """A person's spans of time with a number: those that follow within `apart` days of all earlier ones share it.

    Columns are added: `new` is 1 for the first span of a number.
    """
    earlier = ibis.window(group_by="person_id", order_by=[start, end], preceding=(None, 1))
    so_far = ibis.window(group_by="person_id", order_by=[start, end], preceding=(None, 0))
    upto = table[end].max().over(earlier)
    table = table.mutate(new=(upto.isnull() | (table[start].delta(upto, unit="day") > apart)).cast("int64"))
    return table.mutate(number=table.new.sum().over(so_far))


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
    spans = merged(spans, "start", "end", apart=1)
    return spans.group_by("person_id", "number").agg(start=spans.start.min(), end=spans.end.max()).drop("number")


def covered_months(claims: Claims, year: int, first_month: int = 1) -> ir.Table:
    """A row for each person and month of a contract year with any day of coverage: person_id, month."""
    spans = spans_lived(claims)
    begin = month_of(first_day(year, first_month))
    spans = spans.select(
        "person_id", begins=month_of(spans.enrollment_start_date), ends=month_of(spans.enrollment_end_date)
    )
    parts = [
        spans.filter(spans.begins <= month, spans.ends >= month).select("person_id", month=ibis.literal(month, "int64"))
        for month in range(begin, begin + 12)
    ]
    return ibis.union(*parts, distinct=True)


def coverage(claims: Claims, years: Sequence[int], first_month: int = 1) -> ir.Table:
    """Each person's months of coverage in each contract year, and who they are: those with a month, no others."""
    spans = spans_lived(claims)
    person = ibis.window(group_by="person_id")
    spans = spans.mutate(
        first=month_of(spans.enrollment_start_date),
        last=month_of(spans.enrollment_end_date),
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
    rows = [table.to_pyarrow().to_pylist()[0] for table in asked]
    if rows[0]["first"] is None:
        raise Refusal([Fault("eligibility", "no enrollment", "at least one span with a start", "check the file")])
    last = max(row["last"] for row in rows if row["last"] is not None)
    return list(range(contract_year(rows[0]["first"], first_month), contract_year(last, first_month) + 1))
