"""Each part of how a year is measured, worked by hand on nine people; halving any number of any part moves a fact."""

from functools import cache
from typing import Any

import pandas as pd
import pytest
import yaml

from carecontracts import Contract
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import from_frames
from carecontracts.measured import Measured, measure
from carecontracts.measuring.attribution import Roster
from carecontracts.measuring.benchmark import OwnHistory
from carecontracts.measuring.part import Part
from carecontracts.measuring.population import Population
from carecontracts.reconciliation import THE_YEAR, Kind
from carecontracts.worded import fields_in

# Nine people of a clinic, its rival and nobody. What each cost, by year of service:
#            2025    2026
#   ann     1,000   1,200   the clinic's; $1,000 of 2026 is an emergency visit
#   bob     9,000   6,000   the clinic's; 76 years old at the end of 2026; covered in 2027, $100
#   cat     3,000   3,000   the rival's; 41; Medicare and Medicaid
#   dan       600     400   the clinic's; 36; covered from July 2025; the $400 were paid on 1 February 2027
#   eve     2,000     800   the clinic's; died in March 2026, after three months
#   fay         0      50   nobody's; 16; nine months of 2026, not July to September
#   gus       500     700   went to the clinic in 2024 alone ($100); 65
#   hal     4,100   5,000   the rival's; in hospice in November 2025; covered in 2027, $100
#   ida     7,000   7,000   the clinic's; end-stage renal disease
# All are covered from 2024 to 2026 but where it says otherwise: in 2025, 8 x 12 + 6 = 102 months; in 2026,
# 7 x 12 + 3 + 9 = 96. Together $27,200 in 2025; in 2026 $23,750 paid before 2027, and dan's $400.
SPANS = [  # person, first day, last day, death, born, dual status, zip code
    ("ann", "2024-01-01", "2026-12-31", None, "1980-05-01", "00", "80001"),
    ("bob", "2024-01-01", "2027-12-31", None, "1950-05-01", "00", "80001"),
    ("cat", "2024-01-01", "2026-12-31", None, "1985-05-01", "02", "90001"),
    ("dan", "2025-07-01", "2026-12-31", None, "1990-05-01", "00", "90001"),
    ("eve", "2024-01-01", "2026-03-31", "2026-03-10", "1940-05-01", "00", "90001"),
    ("fay", "2024-01-01", "2026-06-30", None, "2010-05-01", "00", "90001"),
    ("fay", "2026-10-01", "2026-12-31", None, "2010-05-01", "00", "90001"),
    ("gus", "2024-01-01", "2026-12-31", None, "1961-05-01", "00", "90001"),
    ("hal", "2024-01-01", "2027-12-31", None, "1948-05-01", "00", "90001"),
    ("ida", "2024-01-01", "2026-12-31", None, "1970-05-01", "00", "90001"),
]
VISIT, OTHER, EMERGENCY = "99213", "70010", "99283"
LINES = [  # person, day, paid, paid on, code, biller, bill type, diagnosis
    ("ann", "2025-03-01", 100, "2025-04-01", VISIT, "clinic", "", "I10"),
    ("ann", "2025-06-01", 900, "2025-07-01", OTHER, "hospital", "", "I10"),
    ("ann", "2026-02-01", 200, "2026-03-01", VISIT, "clinic", "", "I10"),
    ("ann", "2026-07-01", 1_000, "2026-08-01", EMERGENCY, "hospital", "", "I10"),
    ("bob", "2025-04-01", 100, "2025-05-01", VISIT, "clinic", "", "I10"),
    ("bob", "2025-05-01", 8_900, "2025-06-01", OTHER, "hospital", "", "I10"),
    ("bob", "2026-05-01", 6_000, "2026-06-01", OTHER, "hospital", "", "I10"),
    ("bob", "2027-02-01", 100, "2027-03-01", OTHER, "hospital", "", "I10"),
    ("cat", "2025-05-01", 100, "2025-06-01", VISIT, "rival", "", "I10"),
    ("cat", "2025-05-02", 2_900, "2025-05-30", OTHER, "hospital", "", "I10"),
    ("cat", "2026-05-01", 3_000, "2026-06-01", OTHER, "hospital", "", "I10"),
    ("dan", "2025-08-01", 100, "2025-09-01", VISIT, "clinic", "", "I10"),
    ("dan", "2025-09-01", 500, "2025-10-01", OTHER, "hospital", "", "I10"),
    ("dan", "2026-09-01", 400, "2027-02-01", OTHER, "hospital", "", "I10"),
    ("eve", "2025-06-01", 100, "2025-07-01", VISIT, "clinic", "", "I10"),
    ("eve", "2025-07-01", 1_900, "2025-08-01", OTHER, "hospital", "", "I10"),
    ("eve", "2026-02-01", 800, "2026-03-01", OTHER, "hospital", "", "I10"),
    ("fay", "2026-03-01", 50, "2026-04-01", OTHER, "hospital", "", "I10"),
    ("gus", "2024-09-01", 100, "2024-10-01", VISIT, "clinic", "", "I10"),
    ("gus", "2025-09-01", 500, "2025-10-01", OTHER, "hospital", "", "I10"),
    ("gus", "2026-12-05", 700, "2026-12-20", OTHER, "hospital", "", "I10"),
    ("hal", "2025-02-01", 100, "2025-03-01", VISIT, "rival", "", "I10"),
    ("hal", "2025-11-05", 4_000, "2025-12-05", "", "hospice", "811", "I10"),
    ("hal", "2026-05-01", 5_000, "2026-06-01", OTHER, "hospital", "", "I10"),
    ("hal", "2027-02-01", 100, "2027-03-01", OTHER, "hospital", "", "I10"),
    ("ida", "2025-02-01", 100, "2025-03-01", VISIT, "clinic", "", "N186"),
    ("ida", "2025-09-01", 6_900, "2025-10-01", OTHER, "hospital", "", "N186"),
    ("ida", "2026-09-01", 7_000, "2026-10-01", OTHER, "hospital", "", "N186"),
]
RECORDS = [  # person, day, what, value
    ("ann", "2026-02-03", "contact", 1), ("ann", "2026-02-20", "contact", 1), ("ann", "2026-05-01", "contact", 1),
    ("bob", "2026-01-09", "contact", 1),
    ("eve", "2026-05-01", "contact", 1),  # after her death: on record, in no covered month
    ("ann", "2024-06-01", "score", 1), ("eve", "2024-06-01", "score", 1),
    ("ann", "2025-06-01", "score", 1), ("eve", "2025-06-01", "score", 3),
    ("ann", "2024-06-01", "need", 2), ("ann", "2025-06-01", "need", 1),
]  # fmt: skip


@cache
def claims() -> Claims:
    columns = ["person_id", "enrollment_start_date", "enrollment_end_date", "death_date", "birth_date"]
    people = pd.DataFrame(SPANS, columns=[*columns, "dual_status_code", "zip_code"])
    people = people.assign(gender="female", payer_type="medicaid", payer="plan", plan="plan")
    columns = ["person_id", "claim_start_date", "paid_amount", "paid_date", "hcpcs_code", "billing_npi"]
    lines = pd.DataFrame(LINES, columns=[*columns, "bill_type_code", "diagnosis_code_1"])
    lines["claim_type"] = ["institutional" if bill else "professional" for bill in lines.bill_type_code]
    lines["paid_amount"] = lines.paid_amount.astype(float)
    lines = lines.assign(
        claim_id=[str(n) for n in range(len(lines))],
        claim_line_number=1,
        allowed_amount=lines.paid_amount * 1.25,
        diagnosis_code_type="icd-10-cm",
    )
    records = pd.DataFrame(RECORDS, columns=["person_id", "outcome_date", "outcome", "outcome_value"])
    roster = pd.DataFrame(
        [("ann", "clinic", "2026-01-25", None)], columns=["person_id", "organization", "start_date", "end_date"]
    )
    return from_frames(
        {
            "eligibility": people,
            "medical_claim": lines,
            "outcome": records.assign(outcome_value=records.outcome_value.astype(float)),
            "roster": roster,
        }
    )


def run(years: int = 1, **measurement: Any) -> Measured:
    data = {
        "title": "t", "summary": "s", "parties": {"plan": "the plan", "clinic": "the clinic"}, "first_year": 2026,
        "years": years, "measurement": {"attribution": {"kind": "everyone"}} | measurement,
        "clauses": [{"name": "fee", "kind": "care_management_fee", "payer": "plan", "payee": "clinic",
                     "due": "monthly", "per_member_per_month": 10}],
    }  # fmt: skip
    return measure(claims(), Contract.parse(yaml.safe_dump(data)))


def facts(measured: Measured) -> dict[str, Any]:
    return measured.years[0].facts()


def left_out(kind: Kind, **measurement: Any) -> int | None:
    """How many people a rule leaves out."""
    (row,) = (r for r in run(**measurement).reconciliation.people if r.kind == kind and r.group == THE_YEAR)
    return row.people


# --- worked by hand ---------------------------------------------------------------------------------------------------


def test_everyone() -> None:
    assert facts(run()) == {"lives": 9, "member_months.all": 96, "spend": 23_750.0}


@pytest.mark.parametrize(
    ("population", "lives"),
    [
        ({"definition": {"cost": {"dollars": 3_000}}}, 4),  # in 2025: bob, hal, ida, and cat with exactly 3,000
        ({"definition": {"cost": {"dollars": 3_001}}}, 3),
        ({"definition": {"cost": {"dollars": 4_500}}}, 2),  # in 2025: bob, ida
        ({"definition": {"cost": {"dollars": 4_500}}, "known": "the year itself"}, 3),  # in 2026: hal too
        ({"definition": {"cost": {"dollars": 4_500}}, "known": "the year itself", "years_running": 2}, 2),
        ({"age_from": 41}, 7),  # not dan and fay; cat is 41
        ({"age_from": 42}, 6),
        ({"age_to": 65}, 6),  # not bob, eve, hal; gus is 65
        ({"age_to": 64}, 5),
        ({"left_out": ["both Medicare and Medicaid"]}, 8),  # cat
        ({"left_out": ["hospice"]}, 8),  # hal
        ({"left_out": ["end-stage renal disease"]}, 8),  # ida
    ],
)
def test_population(population: dict[str, Any], lives: int) -> None:
    assert facts(run(population=population))["lives"] == lives


@pytest.mark.parametrize(("made", "lives"), [("anew for each year", 2), ("once, before the first year", 1)])
def test_a_list_made_once_is_that_of_the_first_year(made: str, lives: int) -> None:
    # Bob and hal are covered in 2027. Both cost $4,500 or more in 2026; in 2025 bob alone.
    population = {"definition": {"cost": {"dollars": 4_500}}, "made": made}
    assert [year.lives for year in run(2, population=population).years] == [2, lives]


def test_hospice_counts_for_the_year_and_the_one_after() -> None:
    assert [year.lives for year in run(2, population={"left_out": ["hospice"]}).years] == [8, 2]


@pytest.mark.parametrize(
    ("enrollment", "kind", "people"),
    [
        ({"least": 9}, Kind.FEW_MONTHS, 0),  # fay has nine; eve lived three, and had them
        ({"least": 10}, Kind.FEW_MONTHS, 1),
        ({"least_before": 6}, Kind.FEW_MONTHS_BEFORE, 0),  # dan had six
        ({"least_before": 7}, Kind.FEW_MONTHS_BEFORE, 1),
        ({"gap": 3}, Kind.GAP, 0),  # fay's is three; after her death eve has none
        ({"gap": 2}, Kind.GAP, 1),
        ({"deaths": "left out"}, Kind.DIED, 1),
    ],
)
def test_enrollment(enrollment: dict[str, Any], kind: Kind, people: int) -> None:
    assert left_out(kind, enrollment=enrollment) == people


@pytest.mark.parametrize(
    ("attribution", "lives"),
    [
        ({"kind": "geography", "areas": ["80001"]}, 2),  # ann and bob
        ({"kind": "plurality", "billed_by": ["clinic"], "lookback": 12}, 5),  # in 2025: ann, bob, dan, eve, ida
        ({"kind": "plurality", "billed_by": ["clinic"], "lookback": 24}, 6),  # and gus in 2024
    ],
)
def test_attribution(attribution: dict[str, Any], lives: int) -> None:
    assert facts(run(attribution=attribution))["lives"] == lives


@pytest.mark.parametrize(
    ("section", "spend"),
    [
        ({"run_out": {"months": 1}}, 23_750),  # the first of February is one day too late
        ({"run_out": {"months": 2}}, 24_150),
        ({"run_out": {"completion": "a given factor", "factor": 1.02}}, 24_225),  # 23,750 x 1.02
        ({"spending": {"truncated_at": 5_000}}, 20_750),  # bob's 6,000 and ida's 7,000 lose 3,000; hal's 5,000 nothing
        ({"spending": {"truncated_at": 5_000, "above": 0.5}}, 22_250),
        ({"spending": {"without": ["emergency"]}}, 22_750),
        ({"spending": {"only": ["emergency"]}}, 1_000),
        ({"spending": {"cost": "allowed"}}, 29_687.5),  # 23,750 x 1.25
        ({"fees": {"treatment": "inside", "clauses": ["fee"]}}, 24_710),  # and $10 x 96 months
        ({"fees": {"treatment": "outside", "clauses": ["fee"], "codes": [EMERGENCY]}}, 22_750),
        ({"fees": {"treatment": "inside", "clauses": [], "codes": [EMERGENCY]}}, 23_750),
    ],
)
def test_spending_run_out_and_fees(section: dict[str, Any], spend: float) -> None:
    assert facts(run(**section))["spend"] == spend


OWN = {"kind": "own_history", "weights": [1.0], "trend": 0}
SCORE = {"score": "a given score", "outcome": "score"}
NEED = {"score": "a given score", "outcome": "need"}


@pytest.mark.parametrize(
    ("section", "benchmark"),
    [
        ({"benchmark": {"kind": "fixed", "per_member_per_month": {1: 200, 2: 300}}}, 19_200),  # 96 x 200
        ({"benchmark": OWN}, 25_600),  # 27,200 / 102 x 96
        ({"benchmark": OWN | {"trend": 0.05}}, 26_880),
        # 2024: gus's $100 in 8 x 12 = 96 months; half of it, and half of 2025's 27,200 / 102, times 96
        ({"benchmark": OWN | {"weights": [0.5, 0.5]}}, 12_850),
        # The same people: all of 2026 were there in 2025.
        ({"benchmark": OWN | {"people": "the same people"}}, 25_600),
        # Ann scores 1 for 12 months of 2026 and eve 3 for 3: (12 + 9) / 15 = 1.4. In 2025 both scored 1.
        ({"benchmark": OWN, "risk": SCORE}, 35_840),  # 25,600 x 1.4
        ({"benchmark": OWN, "risk": SCORE | {"most_growth": 0.4}}, 35_840),
        ({"benchmark": OWN, "risk": SCORE | {"most_growth": 0.1}}, 28_160),
        ({"benchmark": OWN, "risk": SCORE | {"most_fall": 0.1}}, 35_840),
        ({"benchmark": OWN, "risk": NEED}, 12_800),  # ann's need fell from 2 to 1
        ({"benchmark": OWN, "risk": NEED | {"most_fall": 0.2}}, 20_480),
        # Those found in 2025 (bob and ida: $16,000 in 24 months), in 24 months, times 0.6, with 5% more: 10,080.
        (
            {
                "population": {"definition": {"cost": {"dollars": 4_500}}},
                "benchmark": {"kind": "persistence_corrected", "remains": 0.6, "trend": 0.05},
            },
            10_080,
        ),
        # The clinic's 51 months: ann and dan (35 to 49) are compared with cat, $250 a month; bob (75 to 84) with hal,
        # $5,000 / 12; eve and ida with nobody. (24 x 250 + 12 x 5,000 / 12) / 36 x 51 = 11,000 / 36 x 51.
        (
            {
                "attribution": {"kind": "plurality", "billed_by": ["clinic"], "lookback": 12},
                "benchmark": {"kind": "matched_comparison", "alike_in": ["age"]},
            },
            15_583.33,
        ),
    ],
)
def test_benchmark_and_risk(section: dict[str, Any], benchmark: float) -> None:
    assert facts(run(**section))["benchmark"] == benchmark


def test_a_trend_may_fall() -> None:
    # Everyone's $27,200 in the 102 months of 2025, less 4.5%, for the 96 months of 2026.
    section = {"benchmark": {"kind": "own_history", "weights": [1.0], "trend": -0.045}}
    assert facts(run(**section))["benchmark"] == round(27_200 / 102 * 0.955 * 96, 2)
    assert "by a trend of -4.5% a year" in OwnHistory(**section["benchmark"]).say()


def test_what_is_on_record() -> None:
    # Months: ann February and May, bob January. February alone has two. Eve's is after her coverage.
    made = facts(
        run(
            engaged_months={"outcome": "contact"},
            documented_months={"outcome": "contact", "least": 2},
            outcomes={
                "contacts": {"outcome": "contact"},
                "reached": {"outcome": "contact", "counted": "people"},
            },
        )
    )
    assert (made["engaged_months.all"], made["documented_months.all"]) == (3, 1)
    assert (made["outcomes.contacts"], made["outcomes.reached"]) == (5, 3)


def test_a_death_ends_the_coverage_that_a_payer_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    # Eve died in March 2026. With a span without an end, and another that begins after her death, she has the same
    # three months of 2026, and none of 2027: there are bob and hal.
    spans = [(*span[:2], None, *span[3:]) if span[0] == "eve" else span for span in SPANS]
    spans.append(("eve", "2026-06-01", "2027-12-31", None, "1940-05-01", "00", "90001"))
    asked: list[tuple[int, dict[str, Any]]] = [
        (2, {}),
        (1, {"enrollment": {"gap": 1, "least": 3}}),
        (1, {"engaged_months": {"outcome": "contact"}}),
    ]
    before = [run(years, **section).years for years, section in asked]
    monkeypatch.setitem(globals(), "SPANS", spans)
    claims.cache_clear()
    try:
        after = [run(years, **section).years for years, section in asked]
    finally:
        claims.cache_clear()
    assert [(year.lives, year.member_months["all"]) for year in after[0]] == [(9, 96), (2, 24)]
    assert after == before


# --- every term is said, and halving any number moves a fact ----------------------------------------------------------

PLURALITY = {"kind": "plurality", "billed_by": ["clinic"], "lookback": 24}
HISTORY = {"kind": "own_history", "weights": [0.4, 0.6], "trend": 0.1}
SECTIONS: list[tuple[str, dict[str, Any]]] = [  # a part, and a section in which each number that it sets moves a fact
    ("population", {"population": {"definition": {"cost": {"dollars": 4_500}}, "known": "the year itself",
                                   "years_running": 2}}),
    ("population", {"population": {"age_from": 42, "age_to": 66}}),
    ("tiers", {"tiers": {"high": {"definition": {"cost": {"dollars": 4_500}}}}}),
    ("attribution", {"attribution": PLURALITY}),
    ("enrollment", {"enrollment": {"least": 12}}),
    ("enrollment", {"enrollment": {"least_before": 12}}),
    ("enrollment", {"enrollment": {"gap": 4}}),
    ("spending", {"spending": {"truncated_at": 5_000, "above": 0.5}}),
    ("spending", {"spending": {"truncated_at_percentile": 0.8}}),
    ("run_out", {"run_out": {"months": 2, "completion": "a given factor", "factor": 1.02}}),
    ("run_out", {"run_out": {"completion": "the chain ladder", "triangle": 24}}),
    ("benchmark", {"benchmark": {"kind": "fixed", "per_member_per_month": 200}}),
    ("benchmark", {"benchmark": HISTORY}),
    ("benchmark", {"benchmark": HISTORY | {"kind": "regional_blend", "own": 0.8, "regional_per_member_per_month": 90}}),
    ("benchmark", {"benchmark": HISTORY | {"kind": "regional_blend", "full_credibility": 90,
                                           "regional_per_member_per_month": 90}}),
    ("benchmark", {"benchmark": HISTORY | {"kind": "regional_blend", "half_credibility": 10,
                                           "regional_per_member_per_month": 90}}),
    ("benchmark", {"attribution": PLURALITY,
                   "benchmark": {"kind": "matched_comparison", "alike_in": ["age"], "least": 2}}),
    ("benchmark", {"population": {"definition": {"cost": {"dollars": 4_500}}},
                   "benchmark": {"kind": "persistence_corrected", "remains": 0.6, "trend": 0.04}}),
    ("risk", {"benchmark": OWN, "risk": SCORE | {"most_growth": 0.2}}),
    ("risk", {"benchmark": OWN, "risk": NEED | {"most_fall": 0.2}}),
    ("measures", {"measures": {"m": {"measure": "emergency_visits", "least": 16, "otherwise": 0.5}}}),
    ("measures", {"measures": {"m": {"measure": "engaged_in_time", "settings": {"days": 14}}}}),
    ("engaged_months", {"engaged_months": {"outcome": "contact", "least": 2}}),
]  # fmt: skip


def kinds(of: type[Part] = Part) -> list[type[Part]]:
    """Every kind of part that has words."""
    return [kind for part in of.__subclasses__() for kind in ([part] if "words" in vars(part) else []) + kinds(part)]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_term_of_every_part_is_said(kind: type[Part]) -> None:
    said = {term for sentence in kind.words for term in fields_in(sentence)}
    assert said >= set(kind.terms()), set(kind.terms()) - said
    assert said <= set(kind.model_fields)


def test_a_list_is_said_as_it_is_read() -> None:
    # In the claims ann alone is on the clinic's list, from 25 January 2026 on: on some day of the year, not on its
    # first. The words say which of the two decides.
    said = {}
    for timing, lives in (("prospective", 0), ("retrospective", 1), ("prospective with true-up", 0)):
        attribution = {"kind": "roster", "organization": "clinic", "timing": timing}
        assert facts(run(attribution=attribution))["lives"] == lives
        said[timing] = Roster(**attribution).say()
    assert "who is on it on the first day of the year." in said["prospective"]
    assert "who is on it on any day of the year." in said["retrospective"]
    assert "on the first day of the year, less those" in said["prospective with true-up"]
    assert "hospice in the year or the one before" in Population(left_out=["hospice"]).say()


@pytest.mark.parametrize(
    ("timing", "months", "spend", "engaged", "off"),
    [
        # On the list on 1 April, July and October: nine months, the $1,000 of July, the contact of May.
        ("refreshed each quarter", 9, 1_000.0, 1, 3),
        # On 1 February and every later one: eleven months, also the $200 of 1 February and its contacts.
        ("refreshed each month", 11, 1_200.0, 2, 1),
        # On some day of the year: all of it.
        ("retrospective", 12, 1_200.0, 2, None),
    ],
)
def test_a_list_that_is_refreshed_within_the_year(
    timing: str, months: int, spend: float, engaged: int, off: int | None
) -> None:
    """Ann alone is on the clinic's list, from 25 January 2026 on."""
    attribution = {"kind": "roster", "organization": "clinic", "timing": timing}
    measured = run(attribution=attribution, engaged_months={"outcome": "contact"})
    assert facts(measured) == {
        "lives": 1,
        "member_months.all": months,
        "spend": spend,
        "engaged_months.all": engaged,
    }
    people = [row for row in measured.reconciliation.people if row.group == THE_YEAR]
    assert [row.member_months for row in people if row.kind == Kind.OFF_LIST] == ([] if off is None else [off])
    enrolled = next(row.member_months for row in people if row.kind == Kind.ENROLLED)
    of_people = (Kind.ENROLLED, Kind.ON_RECORD)
    assert enrolled == 96 == sum(row.member_months or 0 for row in people if row.kind not in of_people)
    dollars = [row for row in measured.reconciliation.dollars if row.group == THE_YEAR]
    left = [row.cents for row in dollars if row.kind == Kind.OFF_LIST]
    assert left == ([-200_00] if timing == "refreshed each quarter" else [])


def test_a_list_by_care_that_is_refreshed_each_quarter() -> None:
    """By the clinic's visits of the twelve months before: ann's of March 2025 and February 2026, bob's of April 2025,
    dan's of August 2025, eve's of June 2025 until her death, ida's of February 2025.

    January: ann, bob, dan, eve, ida; April: ann, bob, dan; July: ann, dan; October: ann. Ann 12 months, bob 6, dan 9,
    eve 3 and ida 3; $1,200 + 6,000 of May + nothing of September for dan, paid late + 800 of February.
    """
    attribution = PLURALITY | {"lookback": 12, "timing": "refreshed each quarter"}
    assert facts(run(attribution=attribution)) == {"lives": 5, "member_months.all": 33, "spend": 8_000.0}


def numbers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of each number in what a part says."""
    if isinstance(value, dict):
        return [place for key, inside in value.items() for place in numbers(inside, (*path, key))]
    if isinstance(value, list) and all(isinstance(item, float) for item in value):
        return [path]  # weights: shares that add up
    return [path] if isinstance(value, (int, float)) and value else []


def halved(value: Any, path: tuple[Any, ...]) -> Any:
    """The same with one number halved: of a factor, what it adds; of weights the first, and the last takes the rest."""
    if path:
        return (
            value | {path[0]: halved(value[path[0]], path[1:])}
            if path != ("factor",)
            else value | {"factor": 1 + (value["factor"] - 1) / 2}
        )
    if isinstance(value, list):
        return [value[0] / 2, *value[1:-1], value[-1] + value[0] / 2]
    return value // 2 if isinstance(value, int) else value / 2


HALVED = [(part, section, place) for part, section in SECTIONS for place in numbers(section[part])]


@pytest.mark.parametrize(
    ("part", "section", "place"), HALVED, ids=[f"{p}: {'.'.join(map(str, x))}" for p, _, x in HALVED]
)
def test_halving_any_number_moves_a_fact(part: str, section: dict[str, Any], place: tuple[Any, ...]) -> None:
    assert facts(run(**section | {part: halved(section[part], place)})) != as_agreed(section)


KEPT: dict[str, dict[str, Any]] = {}


def as_agreed(section: dict[str, Any]) -> dict[str, Any]:
    """The facts before anything is halved, measured once."""
    if repr(section) not in KEPT:
        KEPT[repr(section)] = facts(run(**section))
    return KEPT[repr(section)]


def test_every_number_of_every_part_is_among_them() -> None:
    set_ = set()
    for part, section in SECTIONS:
        told = Contract.parse(
            yaml.safe_dump(
                {"title": "t", "summary": "s", "parties": {"a": "a", "b": "b"}, "first_year": 2026,
                 "clauses": [{"name": "f", "kind": "advance", "payer": "a", "payee": "b", "due": "monthly",
                              "amount": 1}],
                 "measurement": {"attribution": {"kind": "everyone"}} | section}
            )
        ).measurement  # fmt: skip
        found = getattr(told, part)
        for one in found.values() if isinstance(found, dict) else [found]:
            set_ |= {(type(one), term) for term in one.terms() if getattr(one, term) not in (None, [], {})}
    assert set_ >= {(kind, term) for kind in kinds() for term, unit in kind.terms().items() if unit}
