"""The member table: one row for each person and year, with all that a population definition may read.

`member_table(claims)` joins

- `member_years`: cost by service, stays, visits, months covered, age;
- `conditions`: a 0/1 column for each condition, and the counts of chronic, behavioral and complex ones and of frailty;
- stays looked at one by one: the most within six months, those unplanned, the highest LACE score at a discharge;
- `outcome` codes: social needs, limits in daily activities, a clinician's confirmation, scores computed elsewhere;
- `prior_...`: each of these facts for the year before, null where the person was not a member then;
- `next_...`: what came of it the year after (paid, months, admissions, emergency_visits, died), for evaluation only.
  Null where the person was not a member any more, or the data end: `next_known` is 1 where the data reach that year.

Needs and confirmations are coded in the `outcome` table as in NEEDS and CODES below. A need is unmet in the year in
which it was found, whether or not it was closed later in it.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from ..claims.layout import Claims
from ..value_sets import value_sets
from . import lace
from .conditions import conditions
from .member_years import member_years
from .months import contract_year
from .stays import stays

NEEDS = ("food_need", "housing_need", "transport_need", "utility_need", "support_need")
FLAGS = ("clinician_confirmed", "tube_feeding", "ventilation", "disabled")  # 1 where the code was sent in the year
LARGEST = ("functional_limits", "severe_impairments", "score_prism", "score_acg", "score_crg", "score_other")  # values
AFTER = ("paid", "months", "admissions", "emergency_visits", "died")
COUNTS = ("chronic_conditions", "behavioral_conditions", "complex_conditions", "frailty_indicators")
MOST = ("admissions_in_six_months", "emergency_visits_in_six_months")
FIXED = ("person_id", "year")
SIX_MONTHS = 182  # days


def member_table(claims: Claims, *, days: int = 2, first_month: int = 1) -> ir.Table:
    """One row per person and year, with the year before and (for evaluation) the year after beside it.

    Years begin in `first_month`, and are named for the calendar year in which they do.
    `days` is how many days of claims other than inpatient must carry a code before a condition counts.
    """
    base = member_years(claims, first_month=first_month)
    year = _joined(base, conditions(claims, days=days, first_month=first_month), [*value_sets(), *COUNTS])
    year = _joined(year, outcomes(claims, first_month), [*NEEDS, *FLAGS, "social_needs", *LARGEST])
    year = _joined(year, drugs(claims, first_month), ["drugs"])
    year = year.mutate(disabled=ibis.greatest(year.disabled, _entitled_by_disability(claims, year)))
    events = stays_and_visits(claims, first_month)
    year = _joined(year, _most(events), ["unplanned_admissions", *MOST])
    year = _joined(year, _highest_lace(events, year), ["lace"])
    return with_years_beside(year)


def with_years_beside(year: ir.Table, facts: Sequence[str] = ()) -> ir.Table:
    """Each person-year with `prior_` and `next_` columns; `next_known` says whether the data reach the year after."""
    facts = facts or [c for c in year.columns if c not in FIXED]
    by_year = ibis.window(group_by=year.person_id, order_by=year.year)
    before = year.year.lag().over(by_year) == year.year - 1  # not where a year without coverage lies between
    after = year.year.lead().over(by_year) == year.year + 1
    last = year.year.max().over(ibis.window())
    return year.mutate(
        **{f"prior_{c}": ibis.ifelse(before, year[c].lag().over(by_year), None) for c in facts},
        **{f"next_{c}": ibis.ifelse(after, year[c].lead().over(by_year), None) for c in AFTER},
        next_known=(year.year < last).cast("int8"),
    )


def _joined(left: ir.Table, right: ir.Table, columns: list[str]) -> ir.Table:
    """A person's year with further columns: zero where there is no row, except a score, which stays unknown."""
    extra = [right[c] for c in columns]
    joined = left.left_join(right.select(*FIXED, *extra), FIXED).drop("person_id_right", "year_right")
    unknown = [c for c in columns if c.startswith("score_") or c in ("functional_limits", "lace")]
    return joined.mutate(**{c: joined[c].fill_null(0) for c in columns if c not in unknown})


def outcomes(claims: Claims, first_month: int = 1) -> ir.Table:
    """What was found or sent about a person in a year, outside of claims: one column for each code."""
    sent = claims.outcome.mutate(year=contract_year(_.outcome_date, first_month))
    table = sent.group_by("person_id", "year").agg(
        **{code: (sent.outcome == code).any().cast("int8") for code in (*NEEDS, *FLAGS)},
        **{code: sent.outcome_value.max(where=sent.outcome == code) for code in LARGEST},
    )
    needs = [table[code].cast("int32") for code in NEEDS]
    return table.mutate(social_needs=sum(needs[1:], needs[0]))


def _entitled_by_disability(claims: Claims, year: ir.Table) -> ir.Value:
    """1 where Medicare's original reason for entitlement is disability (1, or 3 with kidney failure); Medicaid's aid
    category is not in this layout and comes in as the outcome code `disabled`."""
    spans = claims.eligibility
    people = spans.filter(spans.original_reason_entitlement_code.isin(["1", "3"])).person_id
    return year.person_id.isin(people).cast("int8")


def drugs(claims: Claims, first_month: int = 1) -> ir.Table:
    """How many different drugs a person had in a year: by the first nine digits of the NDC, labeler and product."""
    filled = claims.pharmacy_claim.mutate(year=contract_year(_.dispensing_date, first_month))
    return filled.group_by("person_id", "year").agg(drugs=filled.ndc_code.substr(0, 9).nunique())


def stays_and_visits(claims: Claims, first_month: int = 1) -> ir.Table:
    """One row for each hospital stay and for each day with an emergency visit, with what came in the six months before.

    Six months are 182 days. `visits_before` leaves out the day of the admission itself.
    """
    begun = stays(claims)
    begun = begun.select(
        "person_id", "unplanned",
        day=begun.admission_date,
        nights=begun.discharge_date.delta(begun.admission_date, unit="day"),  # a stay of one day has none
        stay=ibis.literal(1),
        visit=ibis.literal(0),
    )  # fmt: skip
    lines = claims.lines
    seen = lines.filter(lines.service == "emergency").select("person_id", day=lines.claim_start_date).distinct()
    seen = seen.select(
        "person_id",
        unplanned=ibis.literal(0, "int64"),
        day=seen.day,
        nights=ibis.literal(0, "int64"),
        stay=ibis.literal(0),
        visit=ibis.literal(1),
    )
    events = ibis.union(begun, seen)
    events = events.mutate(
        n=_.day.delta(ibis.date("2000-01-01"), unit="day"), year=contract_year(events.day, first_month)
    )
    alike = {"group_by": events.person_id, "order_by": events.n}
    upto = ibis.range_window(preceding=SIX_MONTHS, following=0, **alike)
    before = ibis.range_window(preceding=(SIX_MONTHS, 1), **alike)
    return events.mutate(
        stays_upto=events.stay.sum().over(upto),
        visits_upto=events.visit.sum().over(upto),
        visits_before=events.visit.sum().over(before).fill_null(0),
    )


def _most(events: ir.Table) -> ir.Table:
    """The most stays, and the most emergency visits, in any six months that end within the year."""
    return events.group_by("person_id", "year").agg(
        unplanned_admissions=events.unplanned.sum(),
        admissions_in_six_months=events.stays_upto.max(where=events.stay == 1).fill_null(0),
        emergency_visits_in_six_months=events.visits_upto.max(where=events.visit == 1).fill_null(0),
    )


def _highest_lace(events: ir.Table, year: ir.Table) -> ir.Table:
    """The highest LACE score of a stay that began in the year."""
    points = year.select("person_id", "year", comorbidity=lace.comorbidity(year))
    begun = events.filter(events.stay == 1).inner_join(points, FIXED)
    score = lace.score(begun.nights, begun.unplanned == 1, begun.comorbidity, begun.visits_before)
    return begun.mutate(score=score).group_by("person_id", "year").agg(lace=_.score.max())
