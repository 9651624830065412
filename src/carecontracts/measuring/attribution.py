"""Whose person is it? Each kind of attribution as one expression: the persons who are the provider's in a year."""

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from ..claims.read import Claims
from ..claims.services import is_primary_care
from ..people.months import first_day
from .section import Geography, Plurality, Roster


def attributed(claims: Claims, rule: Roster | Plurality | Geography, year: int, first_month: int = 1) -> ir.Table:
    """The person_id of everyone whom the rule gives to the provider in a contract year, each once.

    >>> from ..claims.read import from_frames
    >>> import pandas as pd
    >>> claims = from_frames({
    ...     "eligibility": pd.DataFrame({"person_id": ["a", "b"], "enrollment_start_date": ["2025-01-01"] * 2,
    ...                                  "enrollment_end_date": ["2026-12-31"] * 2}),
    ...     "medical_claim": pd.DataFrame({"claim_id": ["1", "2", "3"], "claim_line_number": [1] * 3,
    ...         "claim_type": ["professional"] * 3, "person_id": ["a", "b", "b"], "hcpcs_code": ["99213"] * 3,
    ...         "billing_npi": ["1", "1", "2"], "claim_start_date": ["2025-05-01", "2025-05-01", "2025-06-01"],
    ...         "paid_amount": [80.0] * 3}),
    ... })
    >>> rule = Plurality(kind="plurality", billed_by=["1"], lookback=12)
    >>> attributed(claims, rule, 2026).execute().person_id.tolist()  # b's latest visit was elsewhere
    ['a']
    """
    if isinstance(rule, Geography):
        return _living_in(claims, rule, year, first_month)

    def whose(at_end: bool) -> ir.Table:
        if isinstance(rule, Roster):
            return _on_roster(claims, rule, year, first_month, at_end=at_end)
        return _by_plurality(claims, rule, year, first_month, at_end=at_end)

    decided = whose(at_end=rule.timing == "retrospective")
    own = decided.filter(decided.own == 1).select("person_id")
    if rule.timing != "prospective with true-up":
        return own
    later = whose(at_end=True)
    return own.anti_join(later.filter(later.own == 0), "person_id")


def _on_roster(claims: Claims, rule: Roster, year: int, first_month: int, *, at_end: bool) -> ir.Table:
    """Each person on any list, and whether it is the provider's.

    At the start: on the list on the first day. At the end, on the provider's on any day; or, with true-up, on another's
    on the last day and no longer on the provider's.
    """
    begin, end = first_day(year, first_month), first_day(year + 1, first_month)
    names = claims.roster
    last = names.end_date.fill_null(ibis.date(9999, 12, 31))
    names = names.mutate(own=(names.organization == rule.organization).cast("int64"), last=last)
    if not at_end:
        here = names.filter(names.own == 1, names.start_date <= begin, names.last >= begin)
    elif rule.timing == "retrospective":
        here = names.filter(names.own == 1, names.start_date < end, names.last >= begin)
    else:
        here = names.filter(names.start_date < end, names.last >= end - timedelta(days=1))
    return here.group_by("person_id").agg(own=here.own.max())


def _by_plurality(claims: Claims, rule: Plurality, year: int, first_month: int, *, at_end: bool) -> ir.Table:
    """Each person with a primary-care visit in the window, and whether most of them were the provider's."""
    end = 12 * (year + at_end) + first_month - 1
    begin = end - int(rule.lookback)
    lines = claims.medical_claim
    day = lines.claim_start_date
    month = day.year().cast("int64") * 12 + day.month().cast("int64") - 1
    lines = lines.filter(is_primary_care(lines).fill_null(False), month >= begin, month < end)
    billed = lines.billing_npi.fill_null("")
    own = billed.isin(rule.billed_by)
    lines = lines.mutate(number=ibis.ifelse(own, min(rule.billed_by), billed), own=own.cast("int64"))
    by = lines.group_by("person_id", "number").agg(
        own=lines.own.max(),
        visits=lines.claim_start_date.nunique(),
        charges=(lines.allowed_amount.fill_null(0) * 100).round().cast("int64").sum(),
        latest=lines.claim_start_date.max(),
    )
    order = {"visits": by.visits, "allowed charges": by.charges}[rule.counted_by]
    tie = {"the most recent visit": by.latest, "the larger allowed charges": by.charges}[rule.tie]
    most = ibis.row_number().over(group_by=by.person_id, order_by=[ibis.desc(order), ibis.desc(tie), by.number])
    by = by.mutate(place=most)
    return by.filter(by.place == 0).select("person_id", "own")


def _living_in(claims: Claims, rule: Geography, year: int, first_month: int) -> ir.Table:
    """Everyone with an address in the areas, by the span that holds the first day of the year or is the next."""
    spans = claims.eligibility
    begin, end = first_day(year, first_month), first_day(year + 1, first_month)
    here = spans.filter(spans.enrollment_start_date < end, spans.enrollment_end_date.fill_null(end) >= begin)
    order = [here.enrollment_start_date, here[rule.by]]
    here = here.mutate(place=ibis.row_number().over(group_by=here.person_id, order_by=order))
    return here.filter(here.place == 0, here[rule.by].isin(rule.areas)).select("person_id")
