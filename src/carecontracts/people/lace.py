"""The LACE index of a hospital discharge: length of stay, acuity, comorbidity, emergency visits.

Source: van Walraven and others, CMAJ 182(6), 2010; the points as reprinted in Table 1 of Wang and others, BMC
Cardiovascular Disorders 14:97, 2014. The index was made for adults discharged home from medical and surgical wards.
Comorbidity is read from the year's claims (the code lists of Quan and others), not from a chart, so that a condition
that nobody coded in the year is missed.
"""

from collections.abc import Mapping
from typing import Any

import ibis

LENGTH = ((1, 0), (2, 1), (3, 2), (4, 3), (7, 4), (14, 5))  # fewer days than the first: the points; else 7
COMORBIDITY: Mapping[str, int] = {
    "myocardial_infarction": 1,
    "stroke": 1,
    "peripheral_vascular": 1,
    "heart_failure": 2,
    "pulmonary_disease": 2,
    "cancer": 2,
    "dementia": 3,
    "rheumatic_disease": 3,
    "hiv": 4,
}  # points of the conditions that stand alone; the pairs below count once, the worse of the two
WORSE_OF: tuple[tuple[tuple[str, int], ...], ...] = (
    (("diabetes_complicated", 2), ("diabetes", 1)),
    (("severe_liver_disease", 4), ("liver_disease", 2)),
    (("esrd", 4), ("renal_disease", 2)),
    (("metastatic_cancer", 6),),
)


def score(days: Any, emergent: Any, comorbidity: Any, emergency_visits: Any) -> Any:
    """The index, 0 to 19, for numbers or Ibis columns: a score of 10 or more is high.

    `comorbidity` are the Charlson points, `emergency_visits` those of the six months before the stay.

    >>> score(5, True, 5, 2), score(2, False, 0, 0)  # the two examples of the R package cliot
    (14, 2)
    """
    if isinstance(days, ibis.Expr):
        length = ibis.cases(*((days < most, points) for most, points in LENGTH), else_=7)
        chronic = ibis.ifelse(comorbidity >= 4, 5, comorbidity)
        return length + ibis.ifelse(emergent, 3, 0) + chronic + ibis.least(emergency_visits, 4)
    length = next((points for most, points in LENGTH if days < most), 7)
    return length + 3 * bool(emergent) + (5 if comorbidity >= 4 else comorbidity) + min(emergency_visits, 4)


def comorbidity(t: ibis.Table) -> Any:
    """The Charlson points of a person's year, from condition flags: cancer that has spread counts 6, not 2 and 6."""

    def flag(name: str) -> Any:
        return t[name].fill_null(0).cast("int32")

    alone = [points * flag(name) for name, points in COMORBIDITY.items() if name != "cancer"]
    pairs = [ibis.greatest(*(points * flag(name) for name, points in pair)) for pair in WORSE_OF[:-1]]
    spread = ibis.greatest(6 * flag("metastatic_cancer"), 2 * flag("cancer"))
    parts = [*alone, *pairs, spread]
    return sum(parts[1:], parts[0])
