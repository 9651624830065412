"""What a hospital stay is, once, for whoever counts them: the member-years, the member table and the measures.

A stay is the time that a person is an inpatient without a break. Its claims may be many: interim bills, lines, and
those of a hospital to which the patient is transferred. So claims of one admission date are one, and so are those that
overlap or that begin on the day on which another ends: a transfer, or a return on the day of discharge, as in the
published measures of readmission. A claim that begins a day later is another stay.

Not modelled: a transfer to post-acute care and back, and a leave of absence.
"""

import ibis
import ibis.expr.types as ir

from ..claims.layout import Claims
from ..claims.services import is_inpatient
from .months import merged

SUDDEN = ("1", "2", "5")  # admission types: emergency, urgent, trauma
ELECTIVE = "3"
DIED = "20"  # discharge disposition


def stays(claims: Claims) -> ir.Table:
    """A row for each stay, by the dates of its claims.

    - admission_date, discharge_date: the first and the last; days: the nights between them, at least 1.
    - paid, allowed: the money of its hospital claims.
    - unplanned, elective, diagnosis: the type of admission and the principal diagnosis (ICD-10-CM), as it began.
    - died: 1 if the patient died in it.

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
    by_admission = lines.group_by("person_id", admission_date=lines.begun).agg(
        discharge_date=ibis.coalesce(lines.discharge_date, lines.claim_end_date, lines.claim_start_date).max(),
        paid=lines.paid_amount.sum(),
        allowed=lines.allowed_amount.sum(),
        unplanned=lines.admit_type_code.isin(SUDDEN).fill_null(False).cast("int64").max(),
        elective=(lines.admit_type_code == ELECTIVE).fill_null(False).cast("int64").max(),
        diagnosis=lines.diagnosis_code_1.max(where=lines.diagnosis_code_type == "icd-10-cm"),
        died=(lines.discharge_disposition_code == DIED).fill_null(False).cast("int64").max(),
    )
    parts = merged(by_admission, "admission_date", "discharge_date", apart=0)
    whole = parts.group_by("person_id", "number").agg(
        admission_date=parts.admission_date.min(),
        discharge_date=parts.discharge_date.max(),
        paid=parts.paid.sum(),
        allowed=parts.allowed.sum(),
        unplanned=parts.unplanned.max(where=parts.new == 1),
        elective=parts.elective.max(where=parts.new == 1),
        diagnosis=parts.diagnosis.max(where=parts.new == 1),
        died=parts.died.max(),
    )
    nights = whole.discharge_date.delta(whole.admission_date, unit="day").cast("int64")
    return whole.drop("number").mutate(days=ibis.greatest(nights, 1))


def stays_in_turn(claims: Claims) -> ir.Table:
    """Stays, each with next_admission and next_elective of the same person's next."""
    whole = stays(claims)
    person = ibis.window(group_by="person_id", order_by="admission_date")
    return whole.mutate(
        next_admission=whole.admission_date.lead().over(person), next_elective=whole.elective.lead().over(person)
    )
