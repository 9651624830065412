"""One row for each person and contract year: months covered, money by service, stays and visits.

All of it is one expression that the engine runs: nothing is held in Python.
"""

from collections.abc import Sequence
from typing import Literal

import ibis
import ibis.expr.types as ir

from ..claims.layout import Claims
from ..claims.services import SERVICES, is_primary_care
from .months import contract_year, coverage, observed_years
from .stays import stays

Basis = Literal["paid", "allowed"]


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
    - admissions: hospital stays (`stays` says what one is); inpatient_days: their nights, at least 1 each; both by the
      date of admission.
    - emergency_visits, primary_care_visits: days with at least one such line.

    Claims of people in years that they have no coverage in are not here: see `outside`. Years default to those that
    the tables cover (`observed_years`, which runs a query).
    """
    years = observed_years(claims, first_month) if years is None else list(years)
    keys = ["person_id", "year"]
    lines, drugs = claims.lines, claims.pharmacy_claim
    drugs = drugs.mutate(year=contract_year(drugs.dispensing_date, first_month), amount=drugs[f"{basis}_amount"])
    lines = lines.select(
        "person_id", "claim_start_date", "paid_amount", "allowed_amount", "service",
        year=contract_year(lines.claim_start_date, first_month),
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
    admitted = admitted.mutate(year=contract_year(admitted.admission_date, first_month))
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


def outside(claims: Claims, years: Sequence[int] | None = None, *, first_month: int = 1) -> ir.Table:
    """What `member_years` does not hold: claim lines and money of people in contract years without coverage.

    With it every dollar is somewhere: `paid` here and there adds up to the paid_amount of both claim tables.
    """
    years = observed_years(claims, first_month) if years is None else list(years)
    medical, drugs = claims.medical_claim, claims.pharmacy_claim
    columns = ("person_id", "paid_amount", "allowed_amount")
    lines = medical.select(*columns, year=contract_year(medical.claim_start_date, first_month)).union(
        drugs.select(*columns, year=contract_year(drugs.dispensing_date, first_month))
    )
    lines = lines.anti_join(coverage(claims, years, first_month), ["person_id", "year"])
    return lines.group_by("person_id", "year").agg(
        lines=lines.count(), paid=lines.paid_amount.sum(), allowed=lines.allowed_amount.sum()
    )
