"""What a benchmark's sentences promise, held with people: who is compared, in which bands, from which year."""

from typing import Any

import pandas as pd
import pytest

from carecontracts import Contract
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import from_frames
from carecontracts.measured import measure

Person = dict[str, Any]  # about, and what a person cost by year


Listed = tuple[str, str, str | None]  # person, and the first and last day on the clinic's list


def claims(*people: Person, listed: list[Listed] | None = None) -> Claims:
    """Each person is covered for all of 2024 to 2026, and costs so much in March of a year, paid at once.

    The clinic's are those whose id begins with "own", unless its list says otherwise.
    """
    frame = pd.DataFrame([{key: value for key, value in one.items() if not isinstance(key, int)} for one in people])
    plain = {"gender": "female", "birth_date": "1980-05-01", "payer_type": "medicaid", "dual_status_code": "00"}
    for column, value in plain.items():
        frame[column] = frame[column].fillna(value) if column in frame else value
    frame = frame.assign(payer="p", plan="p", enrollment_start_date="2024-01-01", enrollment_end_date="2026-12-31")
    costs = [(one["person_id"], key, float(value)) for one in people for key, value in one.items() if type(key) is int]
    lines = pd.DataFrame(costs, columns=["person_id", "year", "paid_amount"])
    lines["claim_start_date"] = lines["paid_date"] = lines.pop("year").astype(str) + "-03-01"
    lines = lines.assign(claim_id=[str(n) for n in range(len(lines))], claim_line_number=1, claim_type="professional")
    own = [(one["person_id"], "2024-01-01", None) for one in people if one["person_id"].startswith("own")]
    roster = pd.DataFrame(listed or own, columns=["person_id", "start_date", "end_date"])
    return from_frames({"eligibility": frame, "medical_claim": lines, "roster": roster.assign(organization="clinic")})


def benchmark(there: Claims, rule: dict[str, Any], **section: Any) -> float:
    measurement = {"attribution": {"kind": "roster", "organization": "clinic"}, "benchmark": rule} | section
    contract = Contract.model_validate(
        {
            "title": "t", "summary": "s", "parties": {"plan": "the plan", "clinic": "the clinic"}, "first_year": 2026,
            "years": 1, "measurement": measurement,
            "clauses": [{"name": "fee", "kind": "care_management_fee", "payer": "plan", "payee": "clinic",
                         "due": "monthly", "per_member_per_month": 10}],
        }
    )  # fmt: skip
    return measure(there, contract).years[0].facts()["benchmark"]  # type: ignore[no-any-return]


def person(name: str, **about: Any) -> Person:
    return {"person_id": name} | about


def born(age: int) -> dict[str, str]:
    """Of an age at the end of 2026, to the day: born on its last day."""
    return {"birth_date": f"{2026 - age}-12-31"}


# Each case is the clinic's one person, someone alike who cost $120 in 2026 and someone who is not and cost $1,200.
# Alike: $10 for each of the twelve months.
@pytest.mark.parametrize(
    ("by", "own", "alike", "unlike"),
    [
        ("age", born(18), born(0), born(19)),
        ("age", born(19), born(34), born(18)),
        ("age", born(34), born(19), born(35)),
        ("age", born(64), born(50), born(65)),
        ("age", born(84), born(75), born(85)),
        ("age", born(85), born(100), born(84)),
        ("gender", {}, {"gender": "female"}, {"gender": "male"}),
        ("payer_type", {}, {"payer_type": "medicaid"}, {"payer_type": "commercial"}),
        ("dual", {"dual_status_code": "02"}, {"dual_status_code": "04"}, {"dual_status_code": "00"}),
        ("cost in the year before", {2025: 0}, {2025: 0}, {2025: 0.01}),
        ("cost in the year before", {2025: 0.01}, {2025: 999.99}, {2025: 0}),
        ("cost in the year before", {2025: 999.99}, {2025: 0.01}, {2025: 1_000}),
        ("cost in the year before", {2025: 1_000}, {2025: 4_999.99}, {2025: 999.99}),
        ("cost in the year before", {2025: 99_999.99}, {2025: 50_000}, {2025: 100_000}),
        ("cost in the year before", {2025: 100_000}, {2025: 1_000_000}, {2025: 99_999.99}),
    ],
)
def test_who_is_alike(by: str, own: Person, alike: Person, unlike: Person) -> None:
    there = claims(
        {**person("own"), 2025: 0, 2026: 777, **own}, {**person("a"), 2026: 120, **alike},
        {**person("b"), 2026: 1_200, **unlike},
    )  # fmt: skip
    assert benchmark(there, {"kind": "matched_comparison", "alike_in": [by]}) == 120


def test_people_are_compared_who_are_in_the_same_population_and_another_s() -> None:
    # c is too old for the contract, and the clinic's own other person is no comparison: a alone is.
    there = claims(
        {**person("own"), 2026: 777}, {**person("own2"), 2026: 999}, {**person("a"), 2026: 120},
        {**person("c"), 2026: 9_000, **born(70)},
    )  # fmt: skip
    rule = {"kind": "matched_comparison", "alike_in": ["gender"]}
    assert benchmark(there, rule, population={"age_to": 65}) == 240
    assert benchmark(there, rule) == 24 * (120 + 9_000) / 24


@pytest.mark.parametrize(
    ("people", "right"),
    [
        ("the people found by the same rules", 1_000),  # on the list when 2025 began: a
        ("the same people", 300),  # own, as they were in 2025
    ],
)
def test_the_people_of_an_earlier_year(people: str, right: float) -> None:
    there = claims(
        {**person("own"), 2025: 300, 2026: 50}, {**person("a"), 2025: 1_000, 2026: 60},
        listed=[("a", "2024-01-01", "2025-06-30"), ("own", "2025-07-01", None)],
    )  # fmt: skip
    rule = {"kind": "own_history", "weights": [1.0], "trend": 0, "people": people}
    assert benchmark(there, rule) == right


def test_what_remains_is_of_everyone_found_a_year_earlier_wherever_they_get_their_care() -> None:
    # In 2024 a was found with 10,000 and own2 with 20,000; in 2025 they cost 6,000 and 9,000: half of it remained.
    # own was found in 2025 with 12,000: 6,000 are expected. The clinic's own2 alone would say 0.45.
    there = claims(
        {**person("own"), 2025: 12_000, 2026: 1}, {**person("own2"), 2024: 20_000, 2025: 9_000, 2026: 1},
        {**person("a"), 2024: 10_000, 2025: 6_000, 2026: 1},
    )  # fmt: skip
    rule = {"kind": "persistence_corrected", "trend": 0}
    assert benchmark(there, rule, population={"definition": {"cost": {"dollars": 9_500}}}) == 6_000
