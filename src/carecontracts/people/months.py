"""Months as whole numbers, so that years, windows and lags are subtraction: month m of year y is 12y + m - 1."""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from ..claims.layout import Claims
from .member_years import OPEN_END


def month_of(day: Any) -> Any:
    """The number of a date's month, of a column or one date.

    >>> month_of(date(2026, 3, 31))
    24314
    """
    if isinstance(day, date):
        return 12 * day.year + day.month - 1
    return day.year().cast("int64") * 12 + day.month().cast("int64") - 1


def first_day(year: int, first_month: int = 1) -> date:
    """The day on which a contract year begins."""
    return date(year, first_month, 1)


def covered_months(claims: Claims, year: int, first_month: int = 1) -> ir.Table:
    """A row for each person and month of a contract year with any day of coverage: person_id, month."""
    spans = claims.eligibility
    begin = 12 * year + first_month - 1
    spans = spans.select(
        "person_id",
        begins=month_of(spans.enrollment_start_date),
        ends=month_of(spans.enrollment_end_date).fill_null(OPEN_END * 12),
    )
    parts = [
        spans.filter(spans.begins <= month, spans.ends >= month).select("person_id", month=ibis.literal(month, "int64"))
        for month in range(begin, begin + 12)
    ]
    return ibis.union(*parts, distinct=True)
