"""Risk scores: whose count, of which year, and what those without one weigh; worked by hand with people."""

from typing import Any

import ibis
import pandas as pd
import pytest
from hccinfhir import Demographics, HCCInFHIR

from carecontracts import Contract, Refusal
from carecontracts.claims.layout import SCHEMAS, Claims
from carecontracts.claims.read import from_frames
from carecontracts.measured import Measured, measure
from carecontracts.measuring.risk import Risk
from carecontracts.people import hcc
from carecontracts.people.months import coverage
from carecontracts.reconciliation import Kind, may_leave
from carecontracts.small_cells import MARK

# Ann and bob are covered from 2024 on, cat from July 2026: six months. $1,200 of ann's in 2025: $50 for each of the 24
# member months of that year; the 30 member months of 2026 were expected to cost $1,500, before their risk.
EVERYONE = {"ann": "2024-01-01", "bob": "2024-01-01", "cat": "2026-07-01"}
SCORES = [
    ("ann", "2024-06-01", 1.0),
    ("bob", "2024-06-01", 1.0),
    ("ann", "2025-06-01", 1.5),
    ("bob", "2025-06-01", 1.1),
]
GIVEN = {"score": "a given score", "outcome": "score"}


def claims(
    scores: list[tuple[str, str, float]] = SCORES,
    *,
    lines: tuple[str, ...] = ("2025-03-01", "2026-03-01"),
    **about: Any,
) -> Claims:
    people = pd.DataFrame(
        {"person_id": list(EVERYONE), "enrollment_start_date": list(EVERYONE.values()),
         "enrollment_end_date": "2027-12-31", "gender": "female", "birth_date": "1955-05-01"}
    ).assign(**{"payer_type": "medicare", "payer": "p", "plan": "p"} | about)  # fmt: skip
    medical = pd.DataFrame({"claim_id": list(lines), "claim_line_number": 1, "claim_type": "professional",
                            "person_id": "ann", "claim_start_date": list(lines), "paid_amount": 1_200.0})  # fmt: skip
    outcome = pd.DataFrame(scores, columns=["person_id", "outcome_date", "outcome_value"]).assign(outcome="score")
    return from_frames({"eligibility": people, "medical_claim": medical, "outcome": outcome})


def run(there: Claims, starts: int = 1, **risk: Any) -> Measured:
    benchmark = {"kind": "own_history", "weights": [1.0], "trend": 0}
    return measure(
        there,
        Contract.model_validate(
            {
                "title": "t", "summary": "s", "parties": {"plan": "the plan", "clinic": "the clinic"},
                "first_year": 2026, "years": 1, "year_starts": starts,
                "measurement": {"attribution": {"kind": "everyone"}, "benchmark": benchmark, "risk": risk},
                "clauses": [{"name": "fee", "kind": "care_management_fee", "payer": "plan", "payee": "clinic",
                             "due": "monthly", "per_member_per_month": 10}],
            }
        ),
    )  # fmt: skip


def ratio(measured: Measured) -> float:
    return next(row.amount for row in measured.reconciliation.benchmark if row.kind == Kind.RISK_GROWTH)


def rows(measured: Measured, kind: Kind) -> dict[str, tuple[int | None, int | None]]:
    """People and months by group."""
    return {row.group: (row.people, row.member_months) for row in measured.reconciliation.people if row.kind == kind}


# --- a given score ----------------------------------------------------------------------------------------------------


def test_whoever_has_no_score_is_taken_as_agreed_and_counted() -> None:
    # Of 2026: ann 1.5 and bob 1.1 for 12 months each, 1.3; cat has none for her six. In 2025 both had 1.
    made = run(claims(), **GIVEN)
    assert (ratio(made), made.years[0].facts()["benchmark"]) == (pytest.approx(1.3), 1_950)
    assert rows(made, Kind.UNSCORED) == {"the year": (1, 6), "benchmark year 2025": (0, 0)}
    told = "fewer than 11 people who count in the year have no risk score: taken at the average of those who have one."
    assert f"2026: {told}" in made.notes
    assert ratio(run(claims(), **GIVEN, unscored="at 1")) == pytest.approx((24 * 1.3 + 6) / 30)
    with pytest.raises(Refusal, match="1 person counted in the year without one"):
        run(claims(), **GIVEN, unscored="refused")


@pytest.mark.parametrize(
    ("several", "of_ann"), [("the last", 0.9), ("the largest", 2.4), ("the average", 1.6)]
)  # 1.5 in June, 2.4 in July and 0.9 in August
def test_of_several_scores_the_agreed_one_counts(several: str, of_ann: float) -> None:
    more = [("ann", "2025-07-01", 2.4), ("ann", "2025-08-01", 0.9)]
    made = run(claims([*SCORES, *more]), **GIVEN, several=several)
    assert ratio(made) == pytest.approx((of_ann + 1.1) / 2)
    assert rows(made, Kind.SCORES) == {"the year": (1, 12), "benchmark year 2025": (0, 0)}


def test_of_two_scores_of_one_day_the_larger_is_the_last() -> None:
    made = run(claims([*SCORES, ("ann", "2025-06-01", 1.7)]), **GIVEN)
    assert ratio(made) == pytest.approx((1.7 + 1.1) / 2)


@pytest.mark.parametrize(("day", "counts"), [("2024-12-31", False), ("2025-01-01", True), ("2025-12-31", True),
                                             ("2026-01-01", False)])  # fmt: skip
def test_a_score_is_of_the_year_before(day: str, counts: bool) -> None:
    made = run(claims([*SCORES, ("cat", day, 1.9)]), **GIVEN)
    assert ratio(made) == pytest.approx((24 * 1.3 + 6 * 1.9) / 30 if counts else 1.3)


def test_a_score_may_be_of_the_year_itself() -> None:
    # Those of 2024 explain nothing then: of 2026 ann has 1.2 and bob 2, of 2025 they have 1.5 and 1.1.
    now = [("ann", "2026-01-01", 1.2), ("bob", "2026-12-31", 2.0), ("bob", "2027-01-01", 9.0)]
    assert ratio(run(claims([*SCORES, *now]), **GIVEN, known="the year itself")) == pytest.approx(1.6 / 1.3)
    assert "A person's score is of the year itself" in Risk(**GIVEN, known="the year itself").say()  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_model_may_be_read_in_the_year_itself_at_the_age_of_its_end() -> None:
    # In 2026 all are 71; cat has six months of it. In 2025 ann and bob were 70.
    own, new = (published([], age=71, sex="F", orec="", new_enrollee=new) for new in (False, True))
    made = run(claims(), score="CMS-HCC V24", known="the year itself")
    assert ratio(made) == pytest.approx((24 * own + 6 * new) / 30 / published([], age=70, sex="F", orec=""))


def test_a_contract_year_of_october_has_the_scores_of_the_one_before() -> None:
    # October 2025 to September 2026 is before the contract year 2026; 2025's begins in October 2024.
    scores = [
        ("ann", "2025-10-01", 1.5),
        ("bob", "2026-09-30", 1.1),
        ("ann", "2024-10-01", 1.0),
        ("bob", "2025-09-30", 1.0),
    ]
    there = claims(scores, lines=("2025-11-01", "2026-11-01"))
    made = run(there, 10, **GIVEN, unscored="at 1")
    assert ratio(made) == pytest.approx((24 * 1.3 + 12) / 36)  # cat is covered for all of it
    with pytest.raises(Refusal, match="a CMS-HCC score is read from a calendar year"):
        run(there, 10, score="CMS-HCC V28")


def test_a_given_score_needs_no_claims_of_its_year() -> None:
    # No claim line before 2025; the scores of 2024 are in the outcome table.
    assert ratio(run(claims(), **GIVEN)) == pytest.approx(1.3)
    with pytest.raises(Refusal, match="lines of 2024: the risk score in 2026 reads it"):
        run(claims(), score="CMS-HCC V28")


@pytest.mark.parametrize("value", [-0.1, 20.1, 110.0])
def test_what_can_be_no_score_is_refused(value: float) -> None:
    with pytest.raises(Refusal, match="1 of “score” from 2025-01-01 to 2025-12-31 are no number from 0 to 20"):
        run(claims([*SCORES, ("cat", "2025-06-01", value)]), **GIVEN)


def test_scores_that_are_all_of_another_year_are_named() -> None:
    late = [(who, day.replace("2025", "2027"), score) for who, day, score in SCORES]
    with pytest.raises(Refusal, match="it is on record from 2024-06-01 to 2027-06-01"):
        run(claims(late), **GIVEN)


def test_the_words_say_which_score_and_what_stands_for_none() -> None:
    said = Risk(**GIVEN).say()  # type: ignore[arg-type]
    assert "A person's score is of the year before" in said
    assert "Of several that it records for a person in that year, the last (of one day, the larger) counts." in said
    assert "have no score are taken at the average of those who have one." in said
    assert "new enrollees" not in said
    model = Risk(score="CMS-HCC V28", unscored="at 1").say()
    assert "fewer than 12 months of coverage in that year have the score of new enrollees" in model
    assert "taken at a score of 1" in model
    assert "Of several" not in model


def test_few_people_without_a_score_are_hidden_when_it_leaves() -> None:
    made = run(claims(), **GIVEN).reconciliation
    people = may_leave(made)[0]["people"]
    shown = people[people.step.str.contains("without a risk score") & (people.group == "the year")]
    assert list(shown.people) == [MARK]
    assert list(shown.member_months) == [MARK]


# --- the model of Medicare --------------------------------------------------------------------------------------------

SICK = ["E1165", "I5030", "J449"]  # diabetes, heart failure, lung disease


def sick(*spans: dict[str, Any], **about: Any) -> Claims:
    """One man, born in May 1959, with three diagnoses in November 2024."""
    who = {"person_id": "a", "gender": "male", "birth_date": "1959-05-01", "enrollment_start_date": "2024-01-01",
           "enrollment_end_date": "2025-12-31", "original_reason_entitlement_code": "0"}  # fmt: skip
    lines = pd.DataFrame({"claim_id": SICK, "claim_line_number": 1, "claim_type": "professional", "person_id": "a",
                          "claim_start_date": "2024-11-15", "paid_amount": 1.0, "diagnosis_code_1": SICK,
                          "diagnosis_code_type": "icd-10-cm"})  # fmt: skip
    people = pd.DataFrame([who | about | span for span in spans or ({},)])
    return from_frames({"eligibility": people, "medical_claim": lines})


def of_one(there: Claims, model: str = "CMS-HCC Model V24") -> float | None:
    made = hcc.scores(coverage(there, [2024]), there, 2024, model=model).to_pyarrow().to_pylist()
    return made[0]["hcc"]  # type: ignore[no-any-return]


def published(codes: list[str], **about: Any) -> float:
    engine = HCCInFHIR(model_name="CMS-HCC Model V24")
    person = Demographics(**{"age": 65, "sex": "M", "orec": "0"} | about)
    return float(engine.calculate_from_diagnosis(codes, person).risk_score)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("since", "new"), [("2024-11-01", True), ("2024-02-01", True), ("2024-01-01", False), ("2023-06-01", False)]
)
def test_fewer_than_twelve_months_of_the_year_are_a_new_enrollee_s(since: str, new: bool) -> None:
    # V24: 0.518 for a new enrollee of 65 without Medicaid; 1.552 with a year of diagnoses, 0.308 of it for age and sex.
    made = of_one(sick(enrollment_start_date=since))
    assert made == pytest.approx(0.518 if new else 1.552, abs=0.0005)
    assert made == published(SICK, new_enrollee=new)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("about", "right"),
    [
        ({"birth_date": None}, None),
        ({"gender": "unknown"}, None),
        ({"dual_status_code": None}, {}),  # unknown counts as none
        ({"dual_status_code": "02"}, {"dual_elgbl_cd": "02"}),
        ({"original_reason_entitlement_code": None}, {}),
        ({"original_reason_entitlement_code": "1"}, {"orec": "1"}),
    ],
)
def test_what_is_unknown_of_a_person(about: dict[str, Any], right: dict[str, str] | None) -> None:
    assert of_one(sick(**about)) == (None if right is None else published(SICK, **right))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_dual_status_is_that_of_the_last_span_of_the_year_that_has_one() -> None:
    # Partly dual until March, wholly from April to June, not since; partly again the year after.
    spans = [("2023-01-01", "2024-03-31", "01"), ("2024-04-01", "2024-06-30", "02"), ("2024-07-01", "2024-12-31", "00"),
             ("2025-01-01", "2025-12-31", "01")]  # fmt: skip
    terms = ("enrollment_start_date", "enrollment_end_date", "dual_status_code")
    there = sick(*(dict(zip(terms, span, strict=True)) for span in spans))
    assert of_one(there) == published(SICK, dual_elgbl_cd="02")


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "databricks", "snowflake", "bigquery", "mssql"])
def test_what_is_asked_for_a_score_compiles_for_warehouses(dialect: str) -> None:
    there = Claims(**{name: ibis.table(schema, name=name) for name, schema in SCHEMAS.items()})
    assert "eligibility" in ibis.to_sql(hcc._entitlement(there, 2025), dialect=dialect)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_who_joins_after_the_year_of_the_diagnoses_is_a_new_enrollee_and_has_a_score() -> None:
    # In 2026 ann and bob are 70 at the end of 2025, a year of coverage: 0.395 or so without diagnoses; cat joins in
    # 2026, with no month of 2025. Each has a score: nobody is left out.
    there = claims(lines=("2024-03-01", "2025-03-01", "2026-03-01"))
    made = run(there, score="CMS-HCC V24")
    assert rows(made, Kind.UNSCORED) == {"the year": (0, 0), "benchmark year 2025": (0, 0)}
    own, new = (published([], age=70, sex="F", orec="", new_enrollee=new) for new in (False, True))
    before = published([], age=69, sex="F", orec="")
    assert ratio(made) == pytest.approx((24 * own + 6 * new) / 30 / before)
    unknown = claims(lines=("2024-03-01", "2025-03-01", "2026-03-01"), gender=["female", "female", "unknown"])
    assert rows(run(unknown, score="CMS-HCC V24"), Kind.UNSCORED)["the year"] == (1, 6)
