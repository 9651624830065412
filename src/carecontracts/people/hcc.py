"""CMS-HCC risk scores of a year's diagnoses, computed by hccinfhir: the member table gains a column `hcc`.

The score is the raw one (no normalization, no coding adjustment) of the community model, V28 unless another is named.
With all diagnoses of a year; the rule that they come from certain services and visits is Medicare Advantage's, and is
left out here: filter the claims first where it matters.
"""

from typing import Any

import ibis
import ibis.expr.types as ir
from hccinfhir import Demographics, HCCInFHIR

from ..claims.layout import Claims
from .conditions import diagnoses
from .months import DUAL

MODEL = "CMS-HCC Model V28"
_SEX = {"male": "M", "female": "F"}


def score(
    codes: list[str], *, age: int, gender: str, dual_code: str = "NA", reason: str = "", model: Any = MODEL
) -> float:
    """The raw score of one person.

    >>> codes = ["E11.69", "I50.30", "I50.9", "I21.1", "I20.9", "R05"]
    >>> round(score(codes, age=70, gender="male"), 3)
    1.034
    """
    person = Demographics(age=age, sex=_SEX[gender], dual_elgbl_cd=dual_code, orec=reason)
    return float(HCCInFHIR(model_name=model).calculate_from_diagnosis(codes, person).risk_score)


def scores(members: ir.Table, claims: Claims, year: int, *, model: Any = MODEL) -> ir.Table:
    """The rows of one year with `hcc`, null for people whose sex is unknown: the model has no score for them.

    The age is that at the end of the year of the diagnoses, and dual status that of the year. The original reason for
    entitlement is the earliest span's.
    """
    rows = members.filter(members.year == year)
    coded = diagnoses(claims)
    coded = coded.filter((coded.year == year) & (coded.kind == "icd-10-cm")).select("person_id", "code").distinct()
    listed = coded.group_by("person_id").agg(codes=coded.code.collect())
    reasons = claims.eligibility.group_by("person_id").agg(
        reason=claims.eligibility.original_reason_entitlement_code.first(
            order_by=claims.eligibility.enrollment_start_date
        ),
        dual_code=claims.eligibility.dual_status_code.max(),
    )
    people = (
        rows.filter(rows.gender.isin(list(_SEX)))
        .select("person_id", "age", "gender", "dual")
        .left_join(listed, "person_id")
        .drop("person_id_right")
        .left_join(reasons, "person_id")
        .drop("person_id_right")
        .to_pandas()
    )
    engine = HCCInFHIR(model_name=model)
    found = []
    for person in people.itertuples(index=False):
        codes = list(person.codes) if isinstance(person.codes, list) or hasattr(person.codes, "tolist") else []
        about = Demographics(
            age=int(person.age),
            sex=_SEX[person.gender],
            dual_elgbl_cd=person.dual_code if person.dual and person.dual_code in DUAL else "NA",
            orec=person.reason if person.reason in ("0", "1", "2", "3") else "",
        )
        found.append(float(engine.calculate_from_diagnosis(codes, about).risk_score))
    made = ibis.memtable(people[["person_id"]].assign(hcc=found), schema={"person_id": "string", "hcc": "float64"})
    return rows.left_join(made, "person_id").drop("person_id_right")
