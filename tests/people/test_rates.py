"""Measures on claims made by hand: a case on each side of every window's edge."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from carecontracts.claims.read import from_frames, read
from carecontracts.people import rates as measures
from carecontracts.people.rates import by_group, by_person, measure_table, specification, specifications
from carecontracts.people.stays import stays as stays_of
from carecontracts.refusal import Refusal

YEAR = 2025


def day(text):
    """'03-10' is in the year; a year may be given."""
    return dt.date.fromisoformat(text if len(text) == 10 else f"{YEAR}-{text}")


def covered(person="a", start="2024-01-01", end="2025-12-31", birth="1980-05-05", death=None, race=None):
    return {
        "person_id": person, "enrollment_start_date": day(start), "enrollment_end_date": day(end),
        "birth_date": day(birth), "death_date": death and day(death), "race": race, "payer": "p", "plan": "p",
    }  # fmt: skip


def stay(start, end, person="a", diagnosis="J189", elective=False, died=False, bill="111"):
    return {
        "person_id": person, "claim_type": "institutional", "bill_type_code": bill, "claim_start_date": day(start),
        "claim_end_date": day(end), "admission_date": day(start), "discharge_date": day(end),
        "diagnosis_code_1": diagnosis, "admit_type_code": "3" if elective else "1",
        "discharge_disposition_code": "20" if died else "01",
    }  # fmt: skip


def visit(when, person="a", hcpcs="99213", diagnosis="Z0000", place="11"):
    return {
        "person_id": person, "claim_type": "professional", "claim_start_date": day(when), "claim_end_date": day(when),
        "hcpcs_code": hcpcs, "diagnosis_code_1": diagnosis, "place_of_service_code": place,
    }  # fmt: skip


def record(when, outcome, value=1.0, person="a"):
    return {"person_id": person, "outcome_date": day(when), "outcome": outcome, "outcome_value": value}


def claims_of(lines=(), people=None, outcomes=(), roster=()):
    people = [covered()] if people is None else people
    lines = list(lines) or [visit("2023-01-01", person="nobody")]
    medical = pd.DataFrame(lines)
    medical["claim_id"] = [f"c{n}" for n in range(len(lines))]
    medical = medical.assign(claim_line_number=1, paid_amount=100.0, diagnosis_code_type="icd-10-cm")
    frames = {"eligibility": pd.DataFrame(people), "medical_claim": medical}
    if outcomes:
        frames["outcome"] = pd.DataFrame(outcomes)
    if roster:
        frames["roster"] = pd.DataFrame(roster)
    return from_frames(frames)


def counted(claims, measure, settings=None, **options):
    """(denominator, numerator) over everyone."""
    everyone = claims.eligibility.select("person_id").distinct()
    row = measure_table(claims, everyone, YEAR, {"m": (measure, settings or {})}, **options).execute().iloc[0]
    return round(float(row.denominator), 6), float(row.numerator)


def each(measure, cases, settings=None):
    """(denominator, numerator) of each case, as if each were alone: all in one query, a person to a case."""
    together = {"lines": [], "people": [], "outcomes": [], "roster": []}
    for n, case in enumerate(cases):
        for part, rows in ({"people": [covered()]} | case).items():
            together[part] += [row | {"person_id": f"case {n}"} for row in rows]
    claims = claims_of(**together)
    rows = by_person(claims, claims.eligibility, YEAR, measure, settings).execute()
    found = {row.person_id: (row.denominator, row.numerator) for row in rows.itertuples()}
    return [found.get(f"case {n}", (0, 0)) for n in range(len(cases))]


# --- stays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stays", "expected"),
    [
        ([stay("03-01", "03-05"), stay("03-05", "03-09")], [("03-01", "03-09")]),  # a transfer, or a same-day return
        ([stay("03-01", "03-05"), stay("03-06", "03-09")], [("03-01", "03-05"), ("03-06", "03-09")]),
        ([stay("03-01", "03-20"), stay("03-05", "03-09"), stay("03-15", "03-17")], [("03-01", "03-20")]),  # within
        ([stay("03-01", "03-05"), stay("03-05", "03-08"), stay("03-08", "03-10")], [("03-01", "03-10")]),  # a chain
        ([stay("03-01", "03-05"), stay("03-01", "03-05")], [("03-01", "03-05")]),  # two lines of one claim
    ],
)
def test_stays_that_touch_are_one(stays, expected):
    found = stays_of(claims_of(stays)).order_by("admission_date").execute()
    dates = [(f"{a:%m-%d}", f"{d:%m-%d}") for a, d in zip(found.admission_date, found.discharge_date, strict=True)]
    assert dates == expected


def bill(kind, start, end, status):
    """A claim of a stay without an admission date."""
    return stay(start, end, bill=kind) | {
        "admission_date": None, "discharge_date": None, "discharge_disposition_code": status,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("bills", "nights"),
    [
        # One long stay, billed each month: by the status "still a patient", by the bill type, or by either.
        ([("112", "01-10", "01-31", "30"), ("113", "02-01", "02-28", "30"), ("114", "03-01", "03-05", "01")], [54]),
        ([("112", "01-10", "01-31", None), ("113", "02-01", "02-28", None), ("114", "03-01", "03-05", None)], [54]),
        ([("0112", "01-10", "01-31", ""), ("0114", "02-01", "02-28", "1")], [49]),
        ([("111", "01-10", "01-31", "30"), ("111", "02-01", "02-28", "01")], [49]),
        ([("112", "01-10", "01-31", "30"), ("114", "03-01", "03-05", "01")], [54]),  # February's bill is missing
        ([("112", "01-10", "01-31", "01"), ("114", "02-10", "02-12", "01")], [21, 2]),  # it says that the patient left
        ([("112", "2024-12-20", "2024-12-31", "30"), ("114", "01-01", "01-10", "01")], [21]),  # over New Year
        # A transfer, by the day after; home is no transfer, and two days later is no transfer.
        ([("111", "01-10", "01-15", "02"), ("111", "01-16", "01-20", "01")], [10]),
        ([("111", "01-10", "01-15", "5"), ("111", "01-16", "01-20", "01")], [10]),
        ([("111", "01-10", "01-15", "65"), ("111", "01-16", "01-20", "01")], [10]),
        ([("111", "01-10", "01-15", "01"), ("111", "01-16", "01-20", "01")], [5, 4]),
        ([("111", "01-10", "01-15", "02"), ("111", "01-17", "01-20", "01")], [5, 3]),
        ([("111", "01-10", "01-20", "30"), ("111", "01-12", "01-15", "02"), ("111", "01-16", "01-20", "01")], [10]),
    ],
)
def test_interim_bills_and_transfers_are_one_stay(bills, nights):
    found = stays_of(claims_of([bill(*each) for each in bills])).order_by("admission_date").execute()
    assert found.days.tolist() == nights


def test_a_long_stay_billed_each_month_is_one_admission_and_no_readmission():
    bills = [("112", "01-10", "01-31", "30"), ("113", "02-01", "02-28", "30"), ("114", "03-01", "03-05", "01")]
    claims = claims_of([bill(*each) for each in bills])
    assert counted(claims, "admissions") == (1, 1)
    assert counted(claims, "readmissions") == (1, 0)


def test_who_is_still_there_or_dies_there_is_not_discharged():
    there = [bill("112", "01-10", "01-31", "30")]
    back = [stay("02-10", "02-12")]
    cases = [
        {"lines": there},
        {"lines": [*there, bill("114", "02-01", "02-05", "01"), *back]},
        {"lines": [stay("01-10", "01-31", died=True)]},
        {"lines": [stay("01-10", "01-31")], "people": [covered(death="01-31")]},  # which the bill does not say
        {"lines": [stay("01-10", "01-31")], "people": [covered(death="02-01")]},
    ]
    assert each("readmissions", cases) == [(0, 0), (2, 1), (0, 0), (0, 0), (1, 0)]


def test_a_stay_over_new_year_is_admitted_once():
    bills = [bill("112", "2024-12-20", "2024-12-31", "30"), bill("114", "01-01", "01-10", "01")]
    claims = claims_of(bills, [covered(end="2025-12-31")])
    assert counted(claims, "admissions") == (1, 0)
    assert counted(claims, "readmissions") == (1, 0)  # discharged in the year


def test_a_stay_has_the_reason_for_which_it_began():
    found = stays_of(claims_of([stay("03-01", "03-05", diagnosis="I509"), stay("03-05", "03-09", elective=True)]))
    row = found.execute().iloc[0]
    assert (row.diagnosis, row.elective) == ("I509", 0)


def test_admissions_count_by_the_day_they_begin_over_member_years():
    stays = [stay("2024-12-31", "01-04"), stay("01-10", "01-12"), stay("12-31", "2026-01-03"), stay("06-01", "06-02")]
    people = [covered(), covered("b", start="2025-10-01")]
    assert counted(claims_of(stays, people), "admissions") == (1.25, 3)  # 12 + 3 months
    claims = claims_of(stays, people)
    table = measure_table(claims, claims.eligibility, YEAR, ["admissions"])
    assert table.rate.execute()[0] == pytest.approx(1000 * 3 / 1.25)


def test_a_contract_year_that_begins_in_july():
    stays = [stay("06-30", "07-02"), stay("07-05", "07-06"), stay("2026-06-30", "2026-07-02")]
    people = [covered(end="2026-12-31")]
    assert counted(claims_of(stays, people), "admissions", first_month=7) == (1, 2)


def test_an_avoidable_admission_goes_by_its_principal_diagnosis():
    expected = {"I509": 1, "E1165": 1, "E119": 0, "K5720": 0, None: 0}
    cases = [{"lines": [stay("03-01", "03-05", diagnosis=code)]} for code in expected]
    assert each("avoidable_admissions", cases) == [(1, n) for n in expected.values()]


def test_avoidable_admissions_are_of_adults():
    """18 on the last day of the year, not a month later."""
    stays = [stay("03-01", "03-05", person=p, diagnosis="I509") for p in "ab"]
    people = [covered("a", birth="2007-12-15"), covered("b", birth="2008-01-15")]
    assert counted(claims_of(stays, people), "avoidable_admissions") == (1, 1)


def test_two_emergency_lines_of_a_day_are_one_visit():
    lines = [visit(d, hcpcs="99284", place="23") for d in ("03-01", "03-01", "03-02", "2024-12-31")]
    assert counted(claims_of(lines), "emergency_visits") == (1, 2)


# --- after a discharge ----------------------------------------------------------------------------------------------


def test_readmission():
    cases = [
        (stay("03-31", "04-02"), (2, 1)),  # day 30
        (stay("04-01", "04-02"), (2, 0)),  # day 31
        (stay("03-02", "03-04"), (2, 1)),  # day 1
        (stay("03-01", "03-04"), (1, 0)),  # the same day: one stay
        (stay("03-15", "03-16", elective=True), (2, 0)),  # planned: counts as a discharge, not as a return
        (stay("03-15", "03-16", died=True), (1, 1)),  # died in the second stay: it is no discharge to be back from
    ]
    first = stay("02-25", "03-01")
    found = each("readmissions", [{"lines": [first, back]} for back, _ in cases])
    assert found == [expected for _, expected in cases]


def test_a_return_in_the_last_30_days_of_the_year_cannot_be_seen_so_its_discharge_is_not_counted():
    assert counted(claims_of([stay("11-28", "12-01")]), "readmissions") == (1, 0)
    assert counted(claims_of([stay("11-28", "12-02")]), "readmissions") == (0, 0)


def test_a_discharge_whose_window_ends_in_the_next_year_is_not_of_this_one_though_it_was_watched():
    still = [covered(end="2026-12-31")]
    back = stay("12-20", "12-22")
    assert counted(claims_of([stay("11-28", "12-01"), back], still), "readmissions") == (1, 1)  # to 31 December
    assert counted(claims_of([stay("11-28", "12-02"), back], still), "readmissions") == (0, 0)  # to 1 January
    assert counted(claims_of([stay("12-20", "12-24"), visit("12-26")], still), "follow_up_7") == (1, 1)
    assert counted(claims_of([stay("12-20", "12-25"), visit("12-26")], still), "follow_up_7") == (0, 0)


def test_a_discharge_counts_when_it_was_watched_to_the_end():
    cases = [
        ([covered(end="2025-03-31")], (1, 0)),  # to day 30
        ([covered(end="2025-03-30")], (0, 0)),  # a day short: a return might have been paid by another plan
        ([covered(end="2025-03-10"), covered(start="2025-03-11")], (1, 0)),  # two spans that touch
        ([covered(end="2025-03-10"), covered(start="2025-03-12")], (0, 0)),  # a day between
        ([covered(end="2025-03-10", death="2025-03-10")], (1, 0)),  # watched until death
    ]
    lines = [stay("02-25", "03-01")]
    found = each("readmissions", [{"lines": lines, "people": people} for people, _ in cases])
    assert found == [expected for _, expected in cases]


def test_who_dies_in_the_stay_is_not_discharged():
    assert counted(claims_of([stay("02-25", "03-01", died=True)]), "readmissions") == (0, 0)
    assert counted(claims_of([stay("02-25", "03-01", died=True)]), "follow_up_7") == (0, 0)


def test_follow_up():
    days = {"03-01": (0, 0), "03-02": (1, 1), "03-08": (1, 1), "03-09": (0, 1), "03-15": (0, 1), "03-16": (0, 0)}
    cases = [{"lines": [stay("02-25", "03-01"), visit(when)]} for when in days]
    assert each("follow_up_7", cases) == [(1, seven) for seven, _ in days.values()]
    assert each("follow_up_14", cases) == [(1, fourteen) for _, fourteen in days.values()]
    assert each("follow_up_7", cases, {"days": 14}) == each("follow_up_14", cases)


def test_who_is_back_in_the_window_is_left_out_and_two_visits_are_one():
    first, two = stay("02-25", "03-01"), [visit("03-02"), visit("03-03")]
    assert counted(claims_of([first, stay("03-08", "03-09"), *two]), "follow_up_7") == (1, 0)  # the later one is left
    assert counted(claims_of([first, stay("03-09", "03-10"), *two]), "follow_up_7") == (2, 1)
    assert counted(claims_of([first, *two, visit("03-04", hcpcs="36415")]), "follow_up_7") == (1, 1)


def test_mental_health_follow_up_wants_both_a_stay_and_a_visit_of_that_kind():
    care = visit("03-05", hcpcs="90834", diagnosis="F329")
    assert counted(claims_of([stay("02-25", "03-01", diagnosis="F209"), care]), "mental_health_follow_up_7") == (1, 1)
    assert counted(claims_of([stay("02-25", "03-01"), care]), "mental_health_follow_up_7") == (0, 0)
    assert counted(
        claims_of([stay("02-25", "03-01", diagnosis="F209"), visit("03-05")]), "mental_health_follow_up_7"
    ) == (1, 0)


# --- what claims do not say -----------------------------------------------------------------------------------------


def on_roster(start, person="a"):
    return {"person_id": person, "organization": "clinic", "start_date": day(start)}


def test_engaged_in_time():
    cases = [
        ("03-01", "03-15", 1, (1, 1)),  # day 14
        ("03-01", "03-16", 1, (1, 0)),  # day 15
        ("03-01", "03-01", 1, (1, 1)),
        ("03-01", "02-28", 1, (1, 0)),  # before joining
        ("03-01", "03-05", 0, (1, 0)),  # tried, not reached
        ("12-17", "12-20", 1, (1, 1)),
        ("12-18", "12-20", 1, (0, 0)),  # has not had 14 days
        ("2024-12-31", "01-05", 1, (0, 0)),  # joined the year before
    ]
    given = [{"outcomes": [record(c, "contact", v)], "roster": [on_roster(start)]} for start, c, v, _ in cases]
    assert each("engaged_in_time", given) == [expected for *_, expected in cases]


def test_one_who_comes_back_to_the_roster_is_not_new():
    roster = [on_roster("2024-03-01"), on_roster("03-01")]
    claims = claims_of(outcomes=[record("03-05", "contact")], roster=roster)
    assert counted(claims, "engaged_in_time") == (0, 0)


def test_access_is_a_funnel_of_all_who_are_eligible():
    people = [covered(p) for p in "abcd"]
    outcomes = [
        record("03-01", "contact", 0, "a"),
        record("03-01", "contact", 0, "b"),
        record("03-02", "contact", 1, "b"),
        record("03-03", "contact", 1, "b"),
        record("04-01", "contact", 1, "c"),
        record("04-02", "care_plan", 1, "c"),
        record("2024-04-02", "care_plan", 1, "a"),  # another year's
    ]
    claims = claims_of(people=people, outcomes=outcomes)
    assert counted(claims, "access_offered") == (4, 3)
    assert counted(claims, "access_reached") == (4, 2)
    assert counted(claims, "access_enrolled") == (4, 1)
    assert counted(claims, "contacts_per_month") == (48, 3)


def scored(outcome, scores):
    return {"outcomes": [record(f"0{n + 1}-10", outcome, score) for n, score in enumerate(scores)]}


def test_depression():
    cases = [
        ([10, 5], (1, 1)),
        ([10, 6], (1, 0)),  # 4 points
        ([9, 2], (0, 0)),  # under the cut-off at first
        ([20], (1, 0)),  # no second score is no improvement
        ([20, 3, 18], (1, 0)),  # the last one counts, not the best
    ]
    found = each("depression_response", [scored("phq9", scores) for scores, _ in cases])
    assert found == [expected for _, expected in cases]


def test_of_two_scores_of_one_day_the_larger_counts():
    # 8 and 12 at first, then 7: from 12, a fall of 5. At the end 7 and 8: from 12, a fall of 4.
    cases = [
        ([("01-10", 8), ("01-10", 12), ("05-10", 7)], (1, 1)),
        ([("01-10", 12), ("05-10", 7), ("05-10", 8)], (1, 0)),
    ]
    given = [{"outcomes": [record(on, "phq9", score) for on, score in scores]} for scores, _ in cases]
    assert each("depression_response", given) == [expected for _, expected in cases]


def test_self_rated_health():
    cases = [([2, 3], (1, 1)), ([2, 2], (1, 0)), ([3, 2], (1, 0)), ([5, 5], (0, 0)), ([4, 5], (1, 1))]
    found = each("self_rated_health", [scored("self_rated_health", ratings) for ratings, _ in cases])
    assert found == [expected for _, expected in cases]


def test_housing_need_closed():
    cases = [
        ("01-01", "06-30", (1, 1)),  # day 180
        ("01-01", "07-01", (1, 0)),
        ("07-04", "07-05", (1, 1)),  # the last day with 180 days to go
        ("07-05", "07-06", (0, 0)),
        ("03-01", "02-01", (1, 0)),  # an earlier need's
    ]
    given = [
        {"outcomes": [record(start, "housing_need"), record(end, "housing_need_closed")]} for start, end, _ in cases
    ]
    assert each("housing_need_closed", given) == [expected for *_, expected in cases]


def test_needs_are_found_among_those_assessed():
    outcomes = [
        record("03-01", "assessment", person="a"), record("03-01", "food_need", person="a"),
        record("03-01", "assessment", person="b"), record("03-01", "food_need", person="c"),
    ]  # fmt: skip
    claims = claims_of(people=[covered(p) for p in "abc"], outcomes=outcomes)
    assert counted(claims, "social_need_found") == (2, 1)


def test_school_readiness_beside_how_many_are_known():
    people = [covered(p, birth="2020-06-01") for p in "abc"] + [covered("d", birth="2019-06-01")]
    outcomes = [record("09-01", "school_ready", v, p) for p, v in (("a", 1), ("b", 0), ("d", 1))]
    outcomes += [record("09-01", "social_emotional_screen", 0, p) for p in "ad"]
    claims = claims_of(people=people, outcomes=outcomes)
    assert counted(claims, "school_ready") == (2, 1)
    assert counted(claims, "school_ready_known") == (3, 2)
    assert counted(claims, "social_emotional_screen") == (3, 1)  # d is six


def test_blood_pressure():
    cases = [
        ([("03-01", 139, 89)], 1),
        ([("03-01", 140, 80)], 0),
        ([("03-01", 130, 90)], 0),
        ([("03-01", 120, 70), ("11-01", 150, 95)], 0),  # the last one
        ([("03-01", 150, 95), ("11-01", 120, 70)], 1),
        ([("2024-12-30", 120, 70)], 0),  # none in the year
        ([], 0),
    ]
    lines = [visit("2024-02-01", diagnosis="I10"), visit("2025-02-01", diagnosis="I110")]
    given = [
        {
            "lines": lines,
            "outcomes": [record(d, name, v) for d, s, b in readings for name, v in (("systolic", s), ("diastolic", b))],
        }
        for readings, _ in cases
    ]
    assert each("blood_pressure_controlled", given) == [(1, good) for _, good in cases]


def test_one_day_with_the_diagnosis_is_not_hypertension():
    lines = [visit("02-01", diagnosis="I10"), visit("02-01", diagnosis="I10"), visit("2023-12-31", diagnosis="I10")]
    assert counted(claims_of(lines), "blood_pressure_controlled") == (0, 0)


# --- all of them ----------------------------------------------------------------------------------------------------


def test_only_the_people_asked_for_count():
    claims = claims_of([stay("03-01", "03-05"), stay("03-01", "03-05", person="b")], [covered("a"), covered("b")])
    only = claims.eligibility.filter(claims.eligibility.person_id == "b")
    assert by_person(claims, only, YEAR, "admissions").execute().person_id.tolist() == ["b"]


def test_groups_add_up_to_the_whole():
    rng = np.random.default_rng(11)
    people = [covered(f"p{n}", race=str(rng.choice(["x", "y"]))) for n in range(40)]
    stays = [stay(f"{m:02d}-01", f"{m:02d}-04", person=f"p{rng.integers(40)}") for m in rng.integers(1, 12, 60)]
    claims = claims_of(stays, people)
    for measure in ("admissions", "readmissions"):
        groups = by_group(claims, claims.eligibility.select("person_id", "race"), YEAR, measure, "race").execute()
        assert (groups.denominator.sum(), groups.numerator.sum()) == pytest.approx(counted(claims, measure))
        expected = specifications()[measure].rate(groups.numerator, groups.denominator)
        assert groups.rate.tolist() == pytest.approx(expected.tolist())


@pytest.mark.parametrize("name", specifications())
def test_every_measure_has_all_its_words(name):
    spec = specifications()[name]
    for text in (spec.title, spec.words, spec.numerator, spec.denominator, spec.excluded, spec.lookback, spec.steward):
        assert text.strip()
    assert (spec.per is None) == spec.unit.startswith("share")


@pytest.mark.parametrize("name", specifications())
def test_every_number_of_a_measure_is_said_in_its_words(name):
    for term in numbers_of(name):
        spec, changed = specifications()[name], specification(name, {term: 77})
        assert [getattr(spec, key) for key in measures.WORDS] != [getattr(changed, key) for key in measures.WORDS], term


BY_HAND = read(Path(__file__).parent / "claims-by-hand")


def numbers_of(name):
    """The settings of a measure that are numbers and are set."""
    how = specifications()[name].how
    return [term for term, unit in how.terms().items() if unit and getattr(how, term) is not None]


# On the people of claims-by-hand, worked out from the table in its README: (denominator, numerator) of each measure as
# it is written, and with half of each of its numbers (rounded down where it is whole).
HALVED = {
    # eight adults, ada for seven months; eve's, fay's two and hal's two; at nine, ida and hers
    ("avoidable_admissions", "age_from"): ((7 + 7 / 12, 5), (8 + 7 / 12, 6)),
    ("readmissions", "days"): ((11, 1), (11, 0)),  # dot is back on day 20
    ("follow_up_7", "days"): ((11, 1), (11, 0)),  # ben's visit is on day 5
    ("follow_up_14", "days"): ((11, 2), (11, 1)),  # and eve's on day 10
    ("mental_health_follow_up_7", "days"): ((1, 1), (1, 0)),
    ("engaged_in_time", "days"): ((2, 1), (2, 0)),  # ben on day 10; nobody speaks with eve
    ("depression_response", "first_from"): ((1, 0), (2, 0)),  # hal at 12, cal at 7
    ("depression_response", "by"): ((1, 0), (1, 1)),  # hal's falls by 3
    ("self_rated_health", "first_from"): ((1, 0), (2, 1)),  # cal's 0.5, then 2
    ("self_rated_health", "first_to"): ((1, 0), (0, 0)),  # kay's 3
    ("self_rated_health", "by"): ((1, 0), (1, 1)),  # kay's half a step
    ("housing_need_closed", "days"): ((2, 1), (2, 0)),  # fay's after 120 days, ida's not
    ("school_ready", "age_from"): ((1, 1), (2, 1)),  # lee is 5, ned 3
    ("school_ready", "age_to"): ((1, 1), (0, 0)),
    ("school_ready_known", "age_from"): ((1, 1), (2, 2)),
    ("school_ready_known", "age_to"): ((1, 1), (0, 0)),
    ("social_emotional_screen", "age_to"): ((2, 1), (0, 0)),
    ("blood_pressure_controlled", "systolic"): ((1, 1), (1, 0)),  # eve, 130 over 80
    ("blood_pressure_controlled", "diastolic"): ((1, 1), (1, 0)),
    ("blood_pressure_controlled", "days"): ((1, 1), (2, 1)),  # cal's one day
    ("blood_pressure_controlled", "age_from"): ((1, 1), (2, 1)),  # ida is 12
    ("blood_pressure_controlled", "age_to"): ((1, 1), (0, 0)),  # eve is 55
}


def test_halving_any_number_of_a_measure_moves_its_numerator_or_denominator():
    assert set(HALVED) == {(name, term) for name in specifications() for term in numbers_of(name)}
    asked = {}
    for name, term in HALVED:
        how = specifications()[name].how
        whole, unit = getattr(how, term), how.terms()[term]
        asked[f"{name}, {term}"] = (name, {term: whole // 2 if unit.whole else whole / 2})
    asked |= {name: (name, {}) for name, _ in HALVED}
    rows = measure_table(BY_HAND, BY_HAND.eligibility, YEAR, asked).to_pandas().set_index("measure")
    found = {key: (round(rows.denominator[key], 6), rows.numerator[key]) for key in asked}
    for (name, term), (whole, half) in HALVED.items():
        assert whole != half
        assert (found[name], found[f"{name}, {term}"]) == (pytest.approx(whole), pytest.approx(half)), (name, term)


def test_a_rate_is_so_many_of_what_its_unit_names():
    table = measure_table(BY_HAND, BY_HAND.eligibility, YEAR, ["admissions", "readmissions", "contacts_per_month"])
    rows = table.to_pandas().set_index("measure")
    # ten people all year and one for seven months; eleven stays
    assert rows.denominator["admissions"] == pytest.approx(10 + 7 / 12)
    assert rows.rate["admissions"] == pytest.approx(1000 * 11 / (10 + 7 / 12))
    assert rows.rate["readmissions"] == pytest.approx(rows.numerator["readmissions"] / rows.denominator["readmissions"])
    assert rows.rate["contacts_per_month"] == pytest.approx(1 / 127)


def test_there_is_no_rate_of_nobody():
    nobody = claims_of(people=[covered(start="2019-01-01", end="2019-12-31")])
    table = measure_table(nobody, nobody.eligibility, YEAR, list(specifications())).execute()
    assert sorted(table.measure) == sorted(specifications())
    assert (table.denominator == 0).all()
    assert (table.numerator == 0).all()
    assert table.rate.isna().all()


def test_what_is_unknown_is_refused():
    claims = claims_of()
    with pytest.raises(Refusal, match="did you mean 'readmissions'"):
        measure_table(claims, claims.eligibility, YEAR, ["readmision"])
    with pytest.raises(Refusal, match="setting `weeks`"):
        measure_table(claims, claims.eligibility, YEAR, {"m": ("readmissions", {"weeks": 2, "days": 14})})
    with pytest.raises(Refusal, match="at least one measure"):
        measure_table(claims, claims.eligibility, YEAR, [])
