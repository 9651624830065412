"""One row for each person and contract year: months covered, money by service, stays and visits.

All of it is one expression that the engine runs: nothing is held in Python.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import ibis
import ibis.expr.types as ir

from ..claims.layout import Claims
from ..claims.services import SERVICES, is_inpatient, is_primary_care
from ..refusal import Fault, Refusal

Basis = Literal["paid", "allowed"]
OPEN_END = 2100  # an enrollment that ends in this year or later has no end yet
DUAL = ("01", "02", "03", "04", "05", "06", "08")


def member_years(
    claims: Claims, years: Sequence[int] | None = None, *, basis: Basis = "paid", first_month: int = 1
) -> ir.Table:
    """A row for each person and contract year with a month of coverage, those who used nothing included.

    A contract year is named for the calendar year in which it begins, in `first_month`. A claim belongs to the year of
    its claim_start_date (its dispensing_date, for a drug). `paid` and `allowed` are sums over all services; the columns
    by service are of the `basis`. An amount is null where a person has claims and none of them gives it.

    - months: calendar months with any day of coverage; overlapping spans count once.
    - age: whole years at the year's end. died: 1 if the death was in this year.
    - payer_type: of several in a year, medicare before medicaid before commercial, as they coordinate benefits.
    - dual: 1 if any span of the year has a dual status code 01 to 06 or 08.
    - admissions: distinct admission dates of inpatient claims, so that lines, interim bills and a transfer of the same
      day count once; inpatient_days: nights, at least 1 a stay; both by the date of admission.
    - emergency_visits, primary_care_visits: days with at least one such line.

    Claims of people in years that they have no coverage in are not here: see `outside`. Years default to those that
    the tables cover (`observed_years`, which runs a query).
    """
    years = observed_years(claims, first_month) if years is None else list(years)
    keys = ["person_id", "year"]
    lines, drugs = claims.lines, claims.pharmacy_claim
    drugs = drugs.mutate(year=_year(drugs.dispensing_date, first_month), amount=drugs[f"{basis}_amount"])
    lines = lines.select(
        "person_id", "claim_start_date", "paid_amount", "allowed_amount", "service",
        year=_year(lines.claim_start_date, first_month),
        amount=lines[f"{basis}_amount"],
        emergency=lines.service == "emergency",
        primary_care=is_primary_care(lines).fill_null(False),
    )  # fmt: skip
    medical = lines.group_by(keys).agg(
        lines=lines.count(),
        medical_paid=lines.paid_amount.sum(),
        medical_allowed=lines.allowed_amount.sum(),
        **{f"{service}_paid": lines.amount.sum(where=lines.service == service) for service in SERVICES},
    )
    # Days are counted from a table of days: distinct counts within the sums take twice the time and memory.
    days = lines.filter(lines.emergency | lines.primary_care)
    days = days.group_by(*keys, "claim_start_date").agg(
        emergency=days.emergency.cast("int64").max(), primary_care=days.primary_care.cast("int64").max()
    )
    visits = days.group_by(keys).agg(emergency_visits=days.emergency.sum(), primary_care_visits=days.primary_care.sum())
    pharmacy = drugs.group_by(keys).agg(
        drugs=drugs.count(),
        drugs_paid=drugs.paid_amount.sum(),
        drugs_allowed=drugs.allowed_amount.sum(),
        pharmacy_paid=drugs.amount.sum(),
    )
    admitted = stays(claims)
    admitted = admitted.mutate(year=_year(admitted.admission_date, first_month))
    admitted = admitted.group_by(keys).agg(admissions=admitted.count(), inpatient_days=admitted.days.sum())
    row = coverage(claims, years, first_month)
    for part in (medical, pharmacy, admitted, visits):
        row = row.left_join(part, keys, rname="{name}_again").drop("person_id_again", "year_again")

    def total(medical_sum: ir.Value, drugs_sum: ir.Value) -> ir.Value:
        """Nothing where there are no claims; unknown where there are, and none gives the amount."""
        return ibis.ifelse(row.lines.isnull(), 0, medical_sum) + ibis.ifelse(row.drugs.isnull(), 0, drugs_sum)

    services = [f"{service}_paid" for service in (*SERVICES, "pharmacy")]
    counts = ["admissions", "inpatient_days", "emergency_visits", "primary_care_visits"]
    return row.select(
        *keys, "payer_type", "dual", "gender", "race", "age", "months", "died",
        paid=total(row.medical_paid, row.drugs_paid),
        allowed=total(row.medical_allowed, row.drugs_allowed),
        **{name: row[name].fill_null(0) for name in services},
        **{name: row[name].fill_null(0).cast("int64") for name in counts},
    )  # fmt: skip


def coverage(claims: Claims, years: Sequence[int], first_month: int = 1) -> ir.Table:
    """Each person's months of coverage in each contract year, and who they are: those with a month, no others."""
    spans = claims.eligibility
    person = ibis.window(group_by="person_id")
    spans = spans.mutate(
        first=_month(spans.enrollment_start_date, first_month),
        last=_month(spans.enrollment_end_date, first_month).fill_null(OPEN_END * 12),
        gender=spans.gender.nullif("unknown").max().over(person).fill_null("unknown"),
        race=spans.race.max().over(person),
        born=_month(spans.birth_date.max().over(person), first_month),
        death=_month(spans.death_date.max().over(person), first_month),
        dual=spans.dual_status_code.isin(DUAL).fill_null(False).cast("int64"),
    )
    # A span counts from its first month that no earlier one has counted.
    before = ibis.window(group_by="person_id", order_by=["first", "last"], preceding=(None, 1))
    spans = spans.mutate(fresh=ibis.greatest(spans.first, (spans["last"].max().over(before) + 1).fill_null(0)))
    parts = []
    for year in years:
        begin, end = 12 * year, 12 * year + 11
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
    end = by_year.year * 12 + 11
    return by_year.select(
        "person_id", "year", "payer_type", "dual", "gender", "race", "months",
        age=((end - by_year.born) // 12).cast("int64"),
        died=by_year.death.between(end - 11, end).fill_null(False).cast("int64"),
    )  # fmt: skip


def stays(claims: Claims) -> ir.Table:
    """Hospital stays: one row for each person and admission date, with its nights (at least 1) and its money."""
    lines = claims.medical_claim
    lines = lines.filter(is_inpatient(lines))
    lines = lines.mutate(
        admission_date=ibis.coalesce(lines.admission_date, lines.claim_start_date),
        discharge_date=ibis.coalesce(lines.discharge_date, lines.claim_end_date, lines.claim_start_date),
    )
    found = lines.group_by("person_id", "admission_date").agg(
        discharge_date=lines.discharge_date.max(), paid=lines.paid_amount.sum(), allowed=lines.allowed_amount.sum()
    )
    nights = found.discharge_date.delta(found.admission_date, unit="day").cast("int64")
    return found.mutate(days=ibis.greatest(nights, 1))


def outside(claims: Claims, years: Sequence[int] | None = None, *, first_month: int = 1) -> ir.Table:
    """What `member_years` does not hold: claim lines and money of people in contract years without coverage.

    With it every dollar is somewhere: `paid` here and there adds up to the paid_amount of both claim tables.
    """
    years = observed_years(claims, first_month) if years is None else list(years)
    medical, drugs = claims.medical_claim, claims.pharmacy_claim
    columns = ("person_id", "paid_amount", "allowed_amount")
    lines = medical.select(*columns, year=_year(medical.claim_start_date, first_month)).union(
        drugs.select(*columns, year=_year(drugs.dispensing_date, first_month))
    )
    lines = lines.anti_join(coverage(claims, years, first_month), ["person_id", "year"])
    return lines.group_by("person_id", "year").agg(
        lines=lines.count(), paid=lines.paid_amount.sum(), allowed=lines.allowed_amount.sum()
    )


def observed_years(claims: Claims, first_month: int = 1) -> list[int]:
    """The contract years from the first enrollment to the last enrollment or claim, open ends aside. Runs a query."""
    spans = claims.eligibility
    end = spans.enrollment_end_date
    asked = [
        spans.agg(first=spans.enrollment_start_date.min(), last=spans.enrollment_start_date.max()),
        spans.agg(last=end.max(where=end.year() < OPEN_END)),
        claims.medical_claim.agg(last=claims.medical_claim.claim_start_date.max()),
        claims.pharmacy_claim.agg(last=claims.pharmacy_claim.dispensing_date.max()),
    ]
    rows = [table.to_pyarrow().to_pylist()[0] for table in asked]
    if rows[0]["first"] is None:
        raise Refusal([Fault("eligibility", "no enrollment", "at least one span with a start", "check the file")])
    last = max(row["last"] for row in rows if row["last"] is not None)
    return list(range(_contract_year(rows[0]["first"], first_month), _contract_year(last, first_month) + 1))


def _contract_year(day: date, first_month: int) -> int:
    return day.year - (day.month < first_month)


def _year(day: ir.DateValue, first_month: int) -> ir.IntegerValue:
    year = day.year().cast("int64")
    return year if first_month == 1 else year - (day.month() < first_month).cast("int64")


def _month(day: ir.DateValue, first_month: int) -> ir.IntegerValue:
    """The months from the start of contract year 0, so that year y is the months 12y to 12y + 11."""
    return day.year().cast("int64") * 12 + day.month().cast("int64") - first_month
