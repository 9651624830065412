"""From claims to a year: worked by hand, identities of the reconciliation, refusals."""

import math
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from carecontracts import Contract, Refusal, read_years
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import from_frames
from carecontracts.measured import Measured, measure
from carecontracts.reconciliation import LINES_LEFT_OUT, THE_YEAR, Kind
from carecontracts.synthetic import people as synthetic

# Six people, two years. All amounts are chosen so that every total can be added up in the head.
#   ann: the clinic's patient; $1,000 in 2025, $400 in 2026, of which $100 paid too late (July 2027)
#   bob: the clinic's; $9,000 in 2025, $5,000 in 2026
#   cat: another clinic's; $2,000 in 2025, $3,000 in 2026
#   dan: the clinic's; joined in November 2026: two months; $70
#   eve: died in March 2026, the clinic's; $800 in 2026, $0 in 2025
#   fay: nobody's: no visit to primary care; $0
PEOPLE = pd.DataFrame(
    [
        ("ann", "2025-01-01", "2026-12-31", None, "1980-05-01"),
        ("bob", "2025-01-01", "2026-12-31", None, "1950-05-01"),
        ("cat", "2025-01-01", "2026-05-31", None, "1981-05-01"),
        ("cat", "2026-08-01", "2026-12-31", None, "1981-05-01"),
        ("dan", "2026-11-01", "2026-12-31", None, "1990-05-01"),
        ("eve", "2025-01-01", "2026-03-31", "2026-03-10", "1940-05-01"),
        ("fay", "2025-01-01", "2026-12-31", None, "2010-05-01"),
    ],
    columns=["person_id", "enrollment_start_date", "enrollment_end_date", "death_date", "birth_date"],
).assign(gender="female", payer_type="medicaid", payer="plan", plan="plan", dual_status_code="00")
LINES = [  # person, day of service, paid, paid on, code, biller
    ("ann", "2025-02-01", 200, "2025-03-01", "99213", "clinic"),
    ("ann", "2025-06-01", 800, "2025-08-01", "70010", "hospital"),
    ("ann", "2026-02-01", 300, "2026-02-20", "99213", "clinic"),
    ("ann", "2026-12-01", 100, "2027-07-01", "99283", "hospital"),
    ("bob", "2025-02-01", 100, "2025-03-01", "99213", "other"),
    ("bob", "2025-03-01", 100, "2025-04-01", "99213", "clinic"),  # a tie: the more recent visit is the clinic's
    ("bob", "2025-07-01", 8_800, "2025-08-01", "70010", "hospital"),
    ("bob", "2026-07-01", 5_000, "2026-08-01", "70010", "hospital"),
    ("cat", "2025-02-01", 2_000, "2025-03-01", "99213", "other"),
    ("cat", "2026-02-01", 3_000, "2026-03-01", "99213", "other"),
    ("dan", "2026-11-05", 70, "2026-12-01", "99213", "clinic"),
    ("eve", "2025-05-01", 0, "2025-06-01", "99213", "clinic"),
    ("eve", "2026-01-05", 750, "2026-02-01", "70010", "hospital"),
    ("eve", "2026-02-05", 50, "2026-03-01", "G9008", "clinic"),
    ("zoe", "2026-02-05", 11, "2026-03-01", "99213", "clinic"),  # not enrolled
]


LISTED = [
    ("ann", "clinic", "2025-06-01", None),
    ("bob", "clinic", "2025-06-01", "2026-03-01"),
    ("bob", "rival", "2026-04-01", None),
    ("cat", "clinic", "2026-09-01", None),
]


def claims(
    lines: list[tuple[Any, ...]] = LINES,
    people: pd.DataFrame = PEOPLE,
    *,
    listed: list[tuple[Any, ...]] = LISTED,
    bills: Mapping[int, str] = MappingProxyType({}),
) -> Claims:
    """`bills` is the type of bill of some lines, by their place."""
    columns = ["person_id", "claim_start_date", "paid_amount", "paid_date", "hcpcs_code", "billing_npi"]
    frame = pd.DataFrame(lines, columns=columns)
    frame = frame.assign(
        claim_id=[str(n) for n in range(len(frame))],
        claim_line_number=1,
        claim_type="professional",
        allowed_amount=frame.paid_amount * 1.25,
        bill_type_code=[bills.get(n) for n in range(len(frame))],
    )
    frame["paid_amount"] = frame.paid_amount.astype(float)
    contacts = [("ann", "2026-02-03"), ("ann", "2026-02-20"), ("ann", "2026-05-01"), ("bob", "2026-01-09")]
    contacts.append(("cat", "2026-01-09"))
    outcome = pd.DataFrame(contacts, columns=["person_id", "outcome_date"]).assign(outcome="contact", outcome_value=1.0)
    roster = pd.DataFrame(listed, columns=["person_id", "organization", "start_date", "end_date"])
    return from_frames({"eligibility": people, "medical_claim": frame, "outcome": outcome, "roster": roster})


CLAIMS = claims()
CLINIC = {"kind": "plurality", "billed_by": ["clinic"], "lookback": 12}


def contract(**measurement: Any) -> Contract:
    fee = {"name": "fee", "kind": "care_management_fee", "payer": "plan", "payee": "clinic", "due": "monthly",
           "per_member_per_month": 10}  # fmt: skip
    savings = {"name": "savings", "kind": "corridor", "of": "savings", "payer": "plan", "payee": "clinic",
               "due": "9 months after the year ends", "bands": {0: 0.5}}  # fmt: skip
    if (measurement.get("fees") or {}).get("treatment") == "netted once from":
        savings["net_of"] = ["fee"]
    return Contract.model_validate(
        {
            "title": "t", "summary": "s", "parties": {"plan": "the plan", "clinic": "the clinic"}, "first_year": 2026,
            "years": 1, "clauses": [fee, savings], "measurement": {"attribution": {"kind": "everyone"}} | measurement,
        }
    )  # fmt: skip


def run(**measurement: Any) -> Measured:
    return measure(CLAIMS, contract(**measurement))


def made(measured: Measured) -> tuple[Any, ...]:
    (year,) = measured.years
    return year.lives, year.member_months["all"], year.spend


def who(measured: Measured, group: str = THE_YEAR) -> dict[Kind, int | None]:
    """The people of a group, by the kind of row."""
    return {row.kind: row.people for row in measured.reconciliation.people if row.group == group}


def what(measured: Measured, group: str = THE_YEAR) -> dict[Kind, float]:
    """The dollars of a group, by the kind of row."""
    return {row.kind: row.cents / 100 for row in measured.reconciliation.dollars if row.group == group}


# --- worked by hand ---------------------------------------------------------------------------------------------------


def test_everyone_enrolled() -> None:
    # months: ann 12, bob 12, cat 5 + 5, dan 2, eve 3, fay 12 = 51; dollars: 300 + 5,000 + 3,000 + 70 + 800 = 9,170
    measured = run()
    assert made(measured) == (6, 51, 9_170.0)
    assert what(measured)[Kind.PAID_LATE] == -100.0
    assert what(measured)[Kind.STRANGER] == -11.0  # zoe is not in eligibility


def test_run_out_lets_later_payments_in() -> None:
    assert made(run(run_out={"months": 6}))[2] == 9_170.0  # July 2027 is the seventh month
    assert made(run(run_out={"months": 7}))[2] == 9_270.0


def test_a_given_completion_factor() -> None:
    measured = run(run_out={"completion": "a given factor", "factor": 1.02})
    assert made(measured)[2] == 9_353.40  # 9,170 x 1.02


@pytest.mark.parametrize(
    ("timing", "own"),
    [
        # In 2025: ann and eve saw the clinic alone, bob tied and was there last; dan was not seen; cat went elsewhere.
        ("prospective", (3, 12 + 12 + 3, 300 + 5_000 + 800)),
        # In 2026: ann and dan; bob and eve had no primary-care visit; cat elsewhere.
        ("retrospective", (2, 12 + 2, 300 + 70)),
        # Nobody of the three went over to another: the same as prospective.
        ("prospective with true-up", (3, 27, 6_100)),
    ],
)
def test_plurality_and_its_timing(timing: str, own: tuple[int, int, float]) -> None:
    assert made(run(attribution=CLINIC | {"timing": timing})) == own


def test_true_up_takes_out_who_went_over() -> None:
    moved = claims([*LINES, ("bob", "2026-09-01", 90, "2026-10-01", "99213", "other")])
    for timing, lives in (("prospective", 3), ("prospective with true-up", 2)):
        assert measure(moved, contract(attribution=CLINIC | {"timing": timing})).years[0].lives == lives


def test_a_tie_can_go_to_the_larger_charges() -> None:
    # bob's two visits were both $125 allowed: then to the lower number, and "clinic" is before "other".
    lines = [line if line[:2] != ("bob", "2025-02-01") else ("bob", "2025-02-01", 101, *line[3:]) for line in LINES]
    rule = CLINIC | {"tie": "the larger allowed charges"}
    assert who(measure(CLAIMS, contract(attribution=rule)))[Kind.COUNTS] == 3
    assert who(measure(claims(lines), contract(attribution=rule)))[Kind.COUNTS] == 2


@pytest.mark.parametrize(
    ("timing", "lives"),
    [("prospective", 2), ("retrospective", 3), ("prospective with true-up", 1)],
)
def test_a_roster_and_its_timing(timing: str, lives: int) -> None:
    # On the clinic's list on 1 January: ann and bob; on any day: cat too; bob is the rival's on the last day.
    assert run(attribution={"kind": "roster", "organization": "clinic", "timing": timing}).years[0].lives == lives


def test_enrollment() -> None:
    assert who(run(enrollment={"least": 6}))[Kind.FEW_MONTHS] == 1  # dan; eve lived three
    assert who(run(enrollment={"least": 6, "deaths": "left out"}))[Kind.DIED] == 1
    gaps = run(enrollment={"gap": 1})
    assert who(gaps)[Kind.GAP] == 2  # cat: June and July; dan: ten months
    assert who(run(enrollment={"gap": 2}))[Kind.GAP] == 1
    assert who(run(enrollment={"least_before": 1}))[Kind.COUNTS] == 5  # all but dan


def test_truncation() -> None:
    # Over $2,500: bob's 5,000 and cat's 3,000 lose 3,000 together.
    measured = run(spending={"truncated_at": 2_500})
    assert made(measured)[2] == 6_170.0
    assert what(measured)[Kind.LIMIT] == -3_000.0
    assert made(run(spending={"truncated_at": 2_500, "above": 0.1}))[2] == 6_470.0
    # Sorted: 0, 70, 300, 800, 3,000, 5,000. The 60% point is the fourth: 800.
    assert made(run(spending={"truncated_at_percentile": 0.6}))[2] == 0 + 70 + 300 + 800 + 800 + 800


def test_cost_and_services() -> None:
    assert made(run(spending={"cost": "allowed"}))[2] == 9_170 * 1.25
    assert made(run(spending={"without": ["professional"]}))[2] == 0
    assert made(run(spending={"only": ["professional"]}))[2] == 9_170


def test_fees_inside_outside_and_netted_once() -> None:
    # A fee claim of $50 (G9008), and a fee outside claims of $10 x 51 months.
    rule = {"codes": ["G9008"], "clauses": ["fee"]}
    inside = run(fees=rule | {"treatment": "inside"})
    assert made(inside)[2] == 9_170 + 510
    assert what(inside)[Kind.FEE] == 510.0
    assert made(run(fees=rule | {"treatment": "outside"}))[2] == 9_120
    assert made(run(fees=rule | {"treatment": "netted once from"}))[2] == 9_120


def test_a_fixed_benchmark() -> None:
    assert run(benchmark={"kind": "fixed", "per_member_per_month": 200}).years[0].benchmark == 51 * 200


def test_own_history() -> None:
    # 2025, everyone: ann 1,000, bob 9,000, cat 2,000, eve 0, fay 0: $12,000 over 5 x 12 months = $200, trended 10%.
    rule = {"kind": "own_history", "weights": [1.0], "trend": 0.1}
    assert run(benchmark=rule).years[0].benchmark == 51 * 220
    # The same people: dan was not there.
    assert run(benchmark=rule | {"people": "the same people"}).years[0].benchmark == 51 * 220
    blend = rule | {"kind": "regional_blend", "own": 0.75, "regional_per_member_per_month": 180}
    assert run(benchmark=blend).years[0].benchmark == 51 * (0.75 * 220 + 0.25 * 180)


@pytest.mark.parametrize(
    ("terms", "own"),
    [
        ({"full_credibility": 20}, 0.5),  # the root of a quarter
        ({"full_credibility": 6}, math.sqrt(5 / 6)),
        ({"full_credibility": 5}, 1),
        ({"full_credibility": 4}, 1),
        ({"half_credibility": 5}, 0.5),
        ({"half_credibility": 15}, 0.25),
        ({"half_credibility": 1}, 5 / 6),
    ],
)
def test_a_blend_by_credibility(terms: dict[str, Any], own: float) -> None:
    # The history of above: 60 member months, which are 5 member years, at $220. The region's price is $180.
    blend = {"kind": "regional_blend", "weights": [1.0], "trend": 0.1, "regional_per_member_per_month": 180} | terms
    measured = run(benchmark=blend)
    assert measured.years[0].benchmark == pytest.approx(51 * (own * 220 + (1 - own) * 180), abs=0.006)
    [share] = [step.amount for step in measured.reconciliation.benchmark if step.kind == Kind.OWN_SHARE]
    assert share == pytest.approx(own)


@pytest.mark.parametrize("terms", [{}, {"own": 0.5, "full_credibility": 9}, {"half_credibility": 9, "own": 0}])
def test_a_blend_says_once_how_much_its_own_history_counts(terms: dict[str, Any]) -> None:
    blend = {"kind": "regional_blend", "weights": [1.0], "trend": 0.1, "regional_per_member_per_month": 180}
    with pytest.raises(ValueError, match="say once"):
        contract(benchmark=blend | terms)


def test_persistence_corrected_with_what_remains_agreed() -> None:
    # bob alone cost $5,000 or more in 2025: $9,000 / 12 = $750; 0.6 of it, trended 10%: $495 x 12 = $5,940.
    measured = run(
        population={"definition": {"cost": {"dollars": 5_000}}},
        benchmark={"kind": "persistence_corrected", "remains": 0.6, "trend": 0.1},
    )
    assert made(measured) == (1, 12, 5_000)
    assert measured.years[0].benchmark == 5_940
    assert who(measured)[Kind.DEFINITION] == 5


def test_a_matched_comparison() -> None:
    # ann is compared with cat and dan (35 to 49), bob and eve (75 and older) with nobody: they take the average.
    # cat and dan: $3,070 in 10 + 2 months; own months 12 + 12 + 3 = 27.
    measured = run(attribution=CLINIC, benchmark={"kind": "matched_comparison", "alike_in": ["age"]})
    assert measured.years[0].benchmark == 27 * 3_070 / 12
    assert who(measured)[Kind.NOT_OWN] == 3


def test_tiers_engaged_months_and_measures() -> None:
    agreed = contract(
        tiers={"costly": {"definition": {"cost": {"dollars": 5_000}}}, "rest": {"definition": "everyone"}},
        engaged_months={"outcome": "contact"},
        measures={"visits": {"measure": "emergency_visits"}},
        outcomes={"contacts": {"outcome": "contact"}},
    )
    (year,) = measure(CLAIMS, agreed).years
    # Those listed by 2025 have a tier: bob the costly one; dan was not there and has none.
    assert year.member_months == {"all": 51, "costly": 12, "rest": 12 + 10 + 3 + 12}
    assert year.engaged_months == {"all": 4, "costly": 1, "rest": 3}  # ann February and May, cat and bob January
    assert year.outcomes == {"contacts": 5}
    # One emergency visit of ann's in 51 months: per 1,000 member years, and 51 / 12 of these.
    assert year.measures["visits"] == pytest.approx(1_000 * 12 / 51)
    assert year.denominators["visits"] == pytest.approx(51 / 12)


def test_a_measure_of_too_few_is_what_was_agreed() -> None:
    part = {"measure": "emergency_visits", "least": 5, "otherwise": 0.25}
    measured = run(measures={"visits": part})
    assert measured.years[0].measures["visits"] == 0.25
    assert "fewer than 5: as agreed" in "".join(fact.source for fact in measured.reconciliation.facts)


def test_the_chain_ladder_by_hand() -> None:
    # One month lag for most; a month of service paid 100 at once grows as older months did.
    days = [f"2026-{month:02}-15" for month in range(1, 13)]
    lines = [("fay", day, 100, day, "70010", "x") for day in days]
    lines += [("fay", day, 50, str(date.fromisoformat(day).replace(month=n + 2)), "70010", "x")
              for n, day in enumerate(days[:-1])]  # fmt: skip
    # By 31 December, eleven months have grown 100 -> 150; December still will: 50 more to come on 1,750.
    measured = measure(claims(lines), contract(run_out={"completion": "the chain ladder", "triangle": 12}))
    assert measured.years[0].spend == 1_800.0
    assert what(measured)[Kind.COUNTS] == 1_750.0


def test_the_dead_are_held_to_the_months_that_they_lived() -> None:
    # Six months are asked for. eve lived three and was covered for three; gus lived three and was covered for two.
    gus = PEOPLE[PEOPLE.person_id == "eve"].assign(person_id="gus", enrollment_start_date="2026-02-01")
    people = pd.concat([PEOPLE, gus], ignore_index=True)
    counted = who(measure(claims(people=people), contract(enrollment={"least": 6})))
    assert (counted[Kind.FEW_MONTHS], counted[Kind.COUNTS]) == (2, 5)  # dan and gus; eve counts


@pytest.mark.parametrize(
    ("day", "bill", "left_out"),
    [
        ("2024-12-31", "813", 0),  # hospice, but two years before
        ("2025-01-01", "813", 1),  # in the year before
        ("2026-12-31", "0822", 1),  # in the year, of a hospital's hospice
        ("2026-06-01", "831", 0),  # another kind of bill
    ],
)
def test_who_was_in_hospice_is_left_out(day: str, bill: str, left_out: int) -> None:
    there = claims([*LINES, ("ann", day, 10, day, None, "h")], bills={len(LINES): bill})
    assert who(measure(there, contract(population={"left_out": ["hospice"]})))[Kind.HOSPICE] == left_out


@pytest.mark.parametrize(
    ("until", "lives"),
    [("2026-12-30", 2), ("2026-12-31", 1), (None, 1)],  # who is another's on the last day of the year is lost
)
def test_true_up_looks_at_the_last_day_of_the_year(until: str | None, lives: int) -> None:
    listed = [*LISTED[:2], ("bob", "rival", "2026-04-01", until)]
    rule = {"kind": "roster", "organization": "clinic", "timing": "prospective with true-up"}
    assert measure(claims(listed=listed), contract(attribution=rule)).years[0].lives == lives


@pytest.mark.parametrize(("day", "lives"), [("2024-12-31", 3), ("2025-01-01", 4), ("2025-12-31", 4), ("2026-01-01", 3)])
def test_the_look_back_is_twelve_months_and_no_more(day: str, lives: int) -> None:
    # ann, bob and eve are the clinic's; fay has one visit there, on this day.
    there = claims([*LINES, ("fay", day, 90, day, "99213", "clinic")])
    assert measure(there, contract(attribution=CLINIC)).years[0].lives == lives


def test_geography_asks_where_one_lives_when_the_year_begins() -> None:
    # cat moves from A to B during the year; dan, who comes in November, counts by where he then lives.
    homes = ["A", "B", "A", "B", "A", "B", "B"]  # ann, bob, cat until May, cat from August, dan, eve, fay
    there = claims(people=PEOPLE.assign(state=homes))
    for areas, lives in ((["A"], 3), (["B"], 3), (["A", "B"], 6), (["C"], 0)):
        rule = {"kind": "geography", "by": "state", "areas": areas}
        assert measure(there, contract(attribution=rule)).years[0].lives == lives


def test_the_triangle_holds_no_month_more_than_it_says() -> None:
    # Each month of 2026 is paid 100 at once, and each but the last 50 a month later: December grows by 50 more.
    # December 2025 came elevenfold a month late; a triangle of 12 months from December 2026 back does not hold it.
    days = [f"2026-{month:02}-15" for month in range(1, 13)]
    lines = [("fay", day, 100, day, "70010", "x") for day in days]
    lines += [("fay", a, 50, b, "70010", "x") for a, b in pairwise(days)]
    lines += [
        ("fay", "2025-12-15", amount, day, "70010", "x") for amount, day in ((100, "2025-12-15"), (1_000, days[0]))
    ]
    spends = [
        measure(claims(lines), contract(run_out={"completion": "the chain ladder", "triangle": months})).years[0].spend
        for months in (12, 13)
    ]
    # With it: 12 months were paid 1,200 at once and 12 x 100 + 11 x 50 + 1,000 a month later: 2,750 / 1,200.
    assert spends == [1_800.0, pytest.approx(1_650 + 100 * 2_750 / 1_200, abs=0.01)]


def test_a_group_is_compared_where_it_has_enough_people() -> None:
    # ann (35 to 49) beside cat and dan: $3,070 in 12 months. bob (75 to 84) beside gus alone: 1,200 in 12 months.
    # eve (85 and older) beside nobody: her 3 months take the average of the two, or of the one that has enough.
    gus = PEOPLE[PEOPLE.person_id == "bob"].assign(person_id="gus")
    lines = [*LINES, ("gus", "2026-03-03", 1_200, "2026-04-01", "70010", "x")]
    there = claims(lines, pd.concat([PEOPLE, gus], ignore_index=True))
    expected = {1: 27 * (3_070 + 1_200) / 24, 2: 27 * 3_070 / 12}
    for least, benchmark in expected.items():
        rule = {"kind": "matched_comparison", "alike_in": ["age"], "least": least}
        assert measure(there, contract(attribution=CLINIC, benchmark=rule)).years[0].benchmark == benchmark


def test_a_comparison_is_completed_as_the_spending_is() -> None:
    measured = run(
        attribution=CLINIC, run_out={"completion": "a given factor", "factor": 1.02},
        benchmark={"kind": "matched_comparison", "alike_in": ["age"]},
    )  # fmt: skip
    assert measured.years[0].benchmark == pytest.approx(27 * 3_070 / 12 * 1.02, abs=0.005)
    assert measured.years[0].spend == pytest.approx(6_100 * 1.02, abs=0.005)


def test_what_remains_is_measured_without_the_trend() -> None:
    # ann was found in 2024 with $12,000 and cost $6,600 the year after: 0.55 with the trend of 10%, 0.5 without.
    # bob was found in 2025 with $24,000, $2,000 a month: 2,000 x 0.5 x 1.1 = $1,100 for each of his 12 months.
    lines = [("ann", "2024-03-01", 12_000), ("ann", "2025-03-01", 6_600), ("bob", "2025-03-01", 24_000)]
    lines += [("bob", "2026-03-01", 9_000)]
    people = PEOPLE.assign(enrollment_start_date=PEOPLE.enrollment_start_date.replace("2025-01-01", "2024-01-01"))
    there = claims([(who, day, amount, day, "70010", "x") for who, day, amount in lines], people)
    rule = {"kind": "persistence_corrected", "trend": 0.1}
    measured = measure(there, contract(population={"definition": {"cost": {"dollars": 10_000}}}, benchmark=rule))
    assert made(measured) == (1, 12, 9_000)
    assert measured.years[0].benchmark == pytest.approx(13_200, abs=0.005)
    steps = {row.kind: row.amount for row in measured.reconciliation.benchmark}
    assert steps[Kind.REMAINS] == pytest.approx(0.5)


@pytest.mark.parametrize(("least", "rate"), [(6, 0.5), (7, 0.25)])
def test_a_measure_of_exactly_the_least_counts(least: int, rate: float) -> None:
    # Three of the six people have a contact on record: ann, bob and cat.
    part = {"measure": "access_offered", "least": least, "otherwise": 0.25}
    assert run(measures={"offered": part}).years[0].measures["offered"] == rate


def test_a_measure_of_too_few_with_nothing_agreed_is_none() -> None:
    (year,) = run(measures={"offered": {"measure": "access_offered", "least": 7}}).years
    assert "offered" not in year.measures
    assert year.denominators["offered"] == 6


def test_dollars_by_service_are_of_lines_that_count() -> None:
    # Professional, of the six: $9,170. Not ann's $100 that was paid late, not the fee claim of $50, not zoe's $11.
    agreed = contract(fees={"treatment": "outside", "codes": ["G9008"]})
    budget = {"name": "budget", "kind": "reconciliation", "payer": "plan", "payee": "clinic",
              "due": "9 months after the year ends", "prepaid": ["fee"], "services": ["professional"],
              "side": "what they cost beyond that", "bands": {0: 1.0}}  # fmt: skip
    data = agreed.model_dump(exclude_unset=True)
    reading = Contract.parse(yaml.safe_dump(data | {"clauses": [*data["clauses"], budget]}))
    assert measure(CLAIMS, reading).years[0].services == {"professional": 9_120}


def test_a_year_without_a_line_between_others_is_said() -> None:
    assert not any("nobody is in" in note or "no claim line" in note for note in run().notes)
    later = [(who, day.replace("2026", "2028"), *rest) for who, day, *rest in LINES]
    told = measure(claims(later), contract().amend(first_year=2025, years=4)).notes
    for year in (2026, 2027):
        assert f"{year}: no claim line, so the year is not measured. Is a file missing?" in told


def test_a_tier_of_nobody_is_said() -> None:
    told = run(
        tiers={"dear": {"definition": {"cost": {"dollars": 1_000_000}}}, "others": {"definition": "everyone"}}
    ).notes
    assert "2026: nobody is in the tier “dear”." in told


# --- identities -------------------------------------------------------------------------------------------------------

RICH = {
    "population": {"definition": {"cost": {"dollars": 900}}, "left_out": ["both Medicare and Medicaid"]},
    "attribution": CLINIC,
    "enrollment": {"least": 3, "gap": 3},
    "spending": {"truncated_at": 2_500},
    "run_out": {"months": 3, "completion": "a given factor", "factor": 1.013},
    "fees": {"treatment": "inside", "codes": ["G9008"], "clauses": ["fee"]},
    "benchmark": {"kind": "persistence_corrected", "remains": 0.7, "trend": 0.05},
}


@pytest.mark.parametrize(
    "rules", [{}, RICH, RICH | {"benchmark": {"kind": "matched_comparison", "alike_in": ["gender"]}}]
)
def test_the_reconciliation_adds_up_and_leads_to_every_fact(rules: dict[str, Any]) -> None:
    measured = run(**rules)
    found, (year,) = measured.reconciliation, measured.years
    for group in {row.group for row in found.people}:
        rows = {row.kind: row for row in found.people if row.group == group}
        enrolled = rows.pop(Kind.ENROLLED)
        assert enrolled.people == sum(row.people or 0 for row in rows.values()), group
        assert enrolled.member_months == sum(row.member_months or 0 for row in rows.values()), group
    for group in {row.group for row in found.dollars}:
        dollars = {row.kind: row for row in found.dollars if row.group == group}
        counts, whole = dollars[Kind.COUNTS], LINES_LEFT_OUT | {Kind.READ, Kind.OTHER_YEAR}
        assert counts.cents == sum(row.cents for kind, row in dollars.items() if kind in whole), group
        assert counts.lines == sum(row.lines or 0 for kind, row in dollars.items() if kind in whole), group
        added = [dollars[kind].cents for kind in (Kind.LIMIT, Kind.TO_COME, Kind.FEE) if kind in dollars]
        if group == THE_YEAR:
            assert counts.cents + sum(added) == dollars[Kind.SPEND].cents == round(year.spend * 100)
    told = {fact.fact: fact for fact in found.facts}
    assert {name: fact.value for name, fact in told.items()} == {
        "member_months" if name == "member_months.all" else name: value for name, value in year.facts().items()
    }
    (counted,) = (row for row in found.people if row.group == THE_YEAR and row.kind == Kind.COUNTS)
    assert (year.lives, year.member_months["all"]) == (counted.people, counted.member_months)
    for fact in found.facts:  # where it says that it is from, its number stands
        table, _, place = fact.source.partition(": ")
        if table != "benchmark":
            rows = found.tables()[table]
            here = rows[(rows.group == THE_YEAR) & rows.step.isin(place.split(", "))]
            leads = here.dollars if table == "dollars" else here.member_months if "months" in place else here.people
            assert list(leads) == [fact.value], fact
    if "benchmark" in told:
        assert (found.benchmark[-1].kind, found.benchmark[-1].amount) == (Kind.BENCHMARK, told["benchmark"].value)


def test_a_person_without_claims_changes_months_and_nothing_else() -> None:
    more = pd.concat([PEOPLE, PEOPLE.iloc[[0]].assign(person_id="gus")], ignore_index=True)
    one, other = run().years[0], measure(claims(people=more), contract()).years[0]
    assert (other.lives, other.member_months["all"]) == (one.lives + 1, one.member_months["all"] + 12)
    assert other.spend == one.spend


def test_the_provider_and_the_others_are_everyone() -> None:
    own = made(run(attribution=CLINIC))
    rest = what(run(attribution=CLINIC))[Kind.NOT_OWN]
    assert own[2] - rest == made(run())[2]


# --- refusals -----------------------------------------------------------------------------------------------------


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(Refusal) as refusal:
        run(
            population={"definition": {"cost": {"dollars": 5}}, "years_running": 3},
            attribution={"kind": "roster", "organization": "clinik"},
            benchmark={"kind": "own_history", "weights": [0.5, 0.5], "trend": 0},
        )
    told = "\n".join(map(str, refusal.value.faults))
    for expected in ("lines of 2023: the population", "lines of 2024: ", "did you mean 'clinic'?"):
        assert expected in told


@pytest.mark.parametrize(
    ("change", "given"),
    [
        ({"measurement": None}, "no measurement section"),
        ({"first_year": 1}, "1"),
        ({"first_year": 2040}, "lines of 2025 to 2026"),
    ],
)
def test_what_cannot_be_measured_is_refused(change: dict[str, Any], given: str) -> None:
    with pytest.raises(Refusal, match=f"given:   {given}"):
        measure(CLAIMS, contract().amend(**change))


def test_what_the_section_does_not_make_is_told() -> None:
    assert run().unmade == ["benchmark"]
    assert any("the last payment in the claims" in note for note in run(run_out={"months": 12}).notes)


# --- from raw files to a settled contract, one command line per step ------------------------------------------------


def command(*arguments: Any) -> None:
    from carecontracts.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["carecontracts", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0


def test_synthetic_claims_become_a_settled_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = synthetic.panel("medicaid", 3_000, years=4, rng=np.random.default_rng(1))
    folder = tmp_path / "claims"
    folder.mkdir()
    for name, table in synthetic.claims(people, rng=np.random.default_rng(2)).tables().items():
        table.to_parquet(folder / f"{name}.parquet")
    years, workings = tmp_path / "years.csv", tmp_path / "workings"
    command("measure", folder, "complex-care-measured", "--out", years, "--reconciliation", workings)
    command("settle", "complex-care-measured", years)
    assert "Totals by party" in capsys.readouterr().out
    (year,) = read_years(years)
    facts = pd.read_csv(workings / "facts.csv").set_index("fact").value
    assert float(facts["spend"]) == year.spend > 0
    assert float(facts["benchmark"]) == year.benchmark > 0
    for name in ("people", "dollars"):  # what leaves shows no small number of people
        shown = pd.to_numeric(pd.read_csv(workings / f"{name}.csv", dtype=str).people, errors="coerce").dropna()
        assert not shown.between(1, 10).any()
    with pytest.raises(AssertionError):  # faults of both inputs are told, with exit code 2
        command("measure", tmp_path / "nowhere", "complex-care", "--out", years)
    told = capsys.readouterr().err
    assert "nowhere" in told
    assert "did you mean 'employer-complex-care'" in told or "No such file" in told


SYNPUF = """
title: Fewer days in hospital
summary: A fee and a share.
parties: {plan: Medicare, practice: the practice}
first_year: 2009
years: 1
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: practice, due: monthly, per_member_per_month: 100}
  - {name: savings, kind: corridor, of: savings, payer: plan, payee: practice, due: 9 months after the year ends,
     bands: {0: 0, 0.02: 0.5}, net_of: [fee]}
measurement:
  population: {definition: {dearest: {share: 0.2}}}
  attribution: {kind: everyone}
  enrollment: {least: 1}
  spending: {truncated_at: 100000}
  fees: {treatment: netted once from, clauses: [fee]}
  benchmark: BENCHMARK
"""


def test_raw_medicare_files_become_a_settled_contract(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command("claims", "import", "synpuf", sample, tmp_path / "tables")
    benchmarks = {}
    for kind in ("{kind: own_history, weights: [1.0], trend: 0.05, people: the same people}",
                 "{kind: persistence_corrected, remains: 0.6, trend: 0.05}"):  # fmt: skip
        (tmp_path / "contract.yaml").write_text(SYNPUF.replace("BENCHMARK", kind))
        command("measure", tmp_path / "tables", tmp_path / "contract.yaml", "--out", tmp_path / "years.csv")
        command("settle", tmp_path / "contract.yaml", tmp_path / "years.csv")
        (year,) = read_years(tmp_path / "years.csv")
        benchmarks[kind] = (year.benchmark, year.spend)
    assert "Totals by party" in capsys.readouterr().out
    (same, spend), (corrected, again) = benchmarks.values()
    assert spend == again
    assert corrected == pytest.approx(0.6 * same, abs=0.01)
    assert same > spend  # the dearest fifth fell by itself: on their own worst year they "save"
