"""What a hospital stay is, once, for whoever counts them: the member-years, the member table and the measures.

A stay is the time that a person is an inpatient without a break. Its claims may be many: interim bills, lines, and
those of a hospital to which the patient is transferred. Claims are of one stay

- that have one admission date, that overlap, or of which one begins on the day on which another ends: a transfer, or a
  return on the day of discharge, as in the published measures of readmission;
- of which one begins a day after another that ends with a transfer to a hospital (discharge status 02, 05, 43, 62, 63,
  65, 66 or the same with a planned return, 82 to 94) or with the patient still there (30);
- that say themselves that they go on with a stay: the second and later interim bills (the last digit of the bill type
  is 3 or 4) go on with one that ended the day before, and with one whose patient was still there, though a bill between
  them is missing.

Any other claim that begins a day later is another stay, in whichever hospital. Observation is none: it is billed as
outpatient care.

Not modelled: a transfer to post-acute care and back, and a leave of absence that a hospital bills as two stays.
"""

import ibis
import ibis.expr.types as ir

from ..claims.layout import Claims
from ..claims.services import is_inpatient

SUDDEN = ("1", "2", "5")  # admission types: emergency, urgent, trauma
ELECTIVE = "3"
# Discharge status: the patient died; is still there; was transferred to a hospital of whatever kind.
DIED = ("20", "40", "41", "42")
STILL_THERE = "30"
TRANSFERRED = ("02", "2", "05", "5", "43", "62", "63", "65", "66", "82", "85", "88", "90", "91", "93", "94")
UNFINISHED, GOES_ON = ("2", "3"), ("3", "4")  # interim bills, by the last digit of the bill type


def stays(claims: Claims) -> ir.Table:
    """A row for each stay, by the dates of its claims.

    - admission_date, discharge_date: the first and the last; days: the nights between them, at least 1.
    - paid, allowed: the money of its hospital claims.
    - unplanned, elective, diagnosis: the type of admission and the principal diagnosis (ICD-10-CM), as it began.
    - died: 1 if the patient died in it. still: 1 if the last bill says that the patient is still there.

    An admission on the 2nd and a transfer on the 5th, discharged on the 9th, are one stay of 7 days:

    >>> from ..claims.read import from_frames
    >>> import pandas as pd
    >>> stay = {"person_id": "a", "claim_type": "institutional", "bill_type_code": "111", "claim_line_number": 1}
    >>> claims = from_frames({
    ...     "eligibility": pd.DataFrame({"person_id": ["a"], "enrollment_start_date": ["2026-01-01"],
    ...                                  "enrollment_end_date": ["2026-12-31"]}),
    ...     "medical_claim": pd.DataFrame([
    ...         stay | {"claim_id": "1", "claim_start_date": "2026-03-02", "claim_end_date": "2026-03-05",
    ...                 "paid_amount": 9_000.0},
    ...         stay | {"claim_id": "2", "claim_start_date": "2026-03-05", "claim_end_date": "2026-03-09",
    ...                 "paid_amount": 12_000.0}])})
    >>> stays(claims).select("days", "paid").execute().values.tolist()
    [[7.0, 21000.0]]
    """
    lines = claims.medical_claim
    begun = ibis.coalesce(lines.admission_date, lines.claim_start_date)
    lines = lines.mutate(begun=begun).filter(is_inpatient(lines), begun.notnull())
    status, bill = lines.discharge_disposition_code.fill_null(""), lines.bill_type_code.fill_null("").right(1)
    parts = lines.group_by(
        "person_id",
        begun=lines.begun,
        ended=ibis.coalesce(lines.discharge_date, lines.claim_end_date, lines.claim_start_date, lines.begun),
    ).agg(
        paid=lines.paid_amount.sum(),
        allowed=lines.allowed_amount.sum(),
        unplanned=_any(lines.admit_type_code.isin(SUDDEN)),
        elective=_any(lines.admit_type_code == ELECTIVE),
        diagnosis=lines.diagnosis_code_1.max(where=lines.diagnosis_code_type == "icd-10-cm"),
        died=_any(status.isin(DIED)),
        left=_any(~status.isin(["", STILL_THERE])),
        there=_any((status == STILL_THERE) | ((status == "") & bill.isin(UNFINISHED))),
        transferred=_any(status.isin(TRANSFERRED)),
        goes_on=_any(bill.isin(GOES_ON)),
    )
    parts = parts.mutate(there=ibis.greatest(parts.there - parts.left, 0))
    parts = _numbered(parts)
    stay = ibis.window(group_by=["person_id", "number"])
    parts = parts.mutate(first=parts.begun.min().over(stay), last=parts.ended.max().over(stay))
    as_it_began = parts.begun == parts["first"]
    whole = parts.group_by("person_id", "number").agg(
        admission_date=parts.begun.min(),
        discharge_date=parts.ended.max(),
        paid=parts.paid.sum(),
        allowed=parts.allowed.sum(),
        unplanned=parts.unplanned.max(where=as_it_began),
        elective=parts.elective.max(where=as_it_began),
        diagnosis=parts.diagnosis.max(where=as_it_began),
        died=parts.died.max(),
        still=parts.there.min(where=parts.ended == parts["last"]),
    )
    nights = whole.discharge_date.delta(whole.admission_date, unit="day").cast("int64")
    return whole.drop("number").mutate(days=ibis.greatest(nights, 1))


def _any(condition: ir.BooleanValue) -> ir.IntegerScalar:
    return condition.fill_null(False).cast("int64").max()


def _numbered(parts: ir.Table) -> ir.Table:
    """A person's claims of stays with a `number`: those of one stay share it."""
    in_order = {"group_by": "person_id", "order_by": ["begun", "ended"]}
    earlier = ibis.window(preceding=(None, 1), **in_order)
    so_far = ibis.window(preceding=(None, 0), **in_order)
    upto = parts.ended.max().over(earlier)
    kept = ibis.ifelse(parts.there == 1, parts.ended, None).max().over(earlier) == upto
    handed_on = ibis.ifelse(parts.transferred == 1, parts.ended, None).max().over(earlier) == upto
    next_day = parts.begun.delta(upto, unit="day") <= 1
    goes_on = parts.goes_on == 1
    same = (parts.begun <= upto) | (next_day & (kept | handed_on | goes_on)) | (goes_on & kept)
    parts = parts.mutate(new=1 - same.fill_null(False).cast("int64"))
    return parts.mutate(number=parts.new.sum().over(so_far))


def stays_in_turn(claims: Claims) -> ir.Table:
    """Stays, each with next_admission and next_elective of the same person's next."""
    whole = stays(claims)
    person = ibis.window(group_by="person_id", order_by="admission_date")
    return whole.mutate(
        next_admission=whole.admission_date.lead().over(person), next_elective=whole.elective.lead().over(person)
    )
