"""CMS-HCC risk scores of a year's diagnoses, computed by hccinfhir: the member table gains a column `hcc`.

The score is the raw one (no normalization, no coding adjustment) of V28 unless another model is named: of the community
segments, or of the new enrollees' for people with fewer than 12 months of coverage in the year, whom CMS scores by age,
sex, Medicaid and the original reason for entitlement alone.

Not modelled:
- the segments for kidney failure, long stays in institutions and special needs plans
- the rule of Medicare Advantage that diagnoses come from certain services and visits: filter the claims first
- which months were of Part B: coverage is that of the tables
"""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
from hccinfhir import Demographics, HCCInFHIR

from ..claims.engine import fetched
from ..claims.layout import Claims
from .conditions import diagnoses
from .months import DUAL, spans_lived

MODEL = "CMS-HCC Model V28"
A_YEAR = 12 - 1e-6  # months of coverage: shares of months do not add up to the last digit
_SEX = {"male": "M", "female": "F"}


def score(
    codes: list[str],
    *,
    age: int,
    gender: str,
    dual_code: str = "NA",
    reason: str = "",
    new_enrollee: bool = False,
    model: Any = MODEL,
) -> float:
    """The raw score of one person.

    >>> codes = ["E11.69", "I50.30", "I50.9", "I21.1", "I20.9", "R05"]
    >>> round(score(codes, age=70, gender="male"), 3)
    1.034
    """
    return _scored(HCCInFHIR(model_name=model), codes, age, gender, dual_code, reason, new_enrollee)


def _scored(
    engine: HCCInFHIR, codes: list[str], age: int, gender: str, dual_code: str, reason: str, new_enrollee: bool
) -> float:
    person = Demographics(
        age=age,
        sex=_SEX[gender],
        dual_elgbl_cd=dual_code if dual_code in DUAL else "NA",
        orec=reason if reason in ("0", "1", "2", "3") else "",
        new_enrollee=new_enrollee,
    )
    return float(engine.calculate_from_diagnosis(codes, person).risk_score)


def scores(members: ir.Table, claims: Claims, year: int, *, model: Any = MODEL) -> ir.Table:
    """The rows of one year with `hcc`, null for people whose sex or age is unknown: the model has no score for them.

    `members` has person_id, year, gender, age and months. The age is that at the end of the year of the diagnoses. The
    original reason for entitlement is the earliest span's, and unknown counts as age. Dual status is that of the last
    span of the year that has one; of people not covered in it, of the first span after it; unknown counts as none. The
    scores are computed here: the engine hands over each person's age, sex, status and codes.
    """
    rows = members.filter(members.year == year)
    scored = rows.filter(rows.gender.isin(list(_SEX)), rows.age >= 0).select("person_id", "age", "gender", "months")
    people = fetched(scored.left_join(_entitlement(claims, year), "person_id").drop("person_id_right"))
    coded = diagnoses(claims)
    coded = coded.filter(coded.year == year, coded.kind == "icd-10-cm").semi_join(scored, "person_id")
    codes: dict[str, list[str]] = {}
    for row in fetched(coded.select("person_id", "code").distinct()):
        codes.setdefault(row["person_id"], []).append(row["code"])
    engine = HCCInFHIR(model_name=model)
    found = [
        {"person_id": person["person_id"], "hcc": _scored(
            engine, codes.get(person["person_id"], []), int(person["age"]), person["gender"],
            person["dual_code"], person["reason"], person["months"] < A_YEAR,
        )}
        for person in people
    ]  # fmt: skip
    made = ibis.memtable(found, schema={"person_id": "string", "hcc": "float64"})
    return rows.left_join(made, "person_id").drop("person_id_right")


def _entitlement(claims: Claims, year: int) -> ir.Table:
    """Why each person has Medicare, and with which dual status in a year: person_id, reason, dual_code."""
    spans = spans_lived(claims)
    begin, dual = spans.enrollment_start_date, spans.dual_status_code.isin(DUAL).fill_null(False)
    in_year = (begin <= date(year, 12, 31)) & (spans.enrollment_end_date >= date(year, 1, 1))
    spans = spans.mutate(
        in_year=in_year.cast("int64"),
        dual_in_year=(dual & in_year).cast("int64"),
        dual_after=(dual & (begin > date(year, 12, 31))).cast("int64"),
    )

    def first(*order: ir.Value) -> ir.Value:
        return ibis.row_number().over(ibis.window(group_by="person_id", order_by=order)) == 0

    begin, end = spans.enrollment_start_date, spans.enrollment_end_date
    spans = spans.mutate(
        earliest=first(begin, end),
        last_in_year=first(ibis.desc(spans.dual_in_year), ibis.desc(begin), ibis.desc(end)),
        first_after=first(ibis.desc(spans.dual_after), begin, end),
    )
    by = spans.group_by("person_id").agg(
        reason=spans.original_reason_entitlement_code.max(where=spans.earliest),
        covered=spans.in_year.max(),
        then=spans.dual_status_code.max(where=spans.last_in_year & (spans.dual_in_year == 1)),
        later=spans.dual_status_code.max(where=spans.first_after & (spans.dual_after == 1)),
    )
    return by.select("person_id", "reason", dual_code=ibis.ifelse(by.covered == 1, by.then, by.later))
