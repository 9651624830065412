"""Who is high-need: the member table, and every definition on each side of each threshold."""

import datetime as dt
import math
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import yaml

from carecontracts import definitions as D
from carecontracts.claims.read import from_frames, read
from carecontracts.people import conditions as C
from carecontracts.people import lace
from carecontracts.people.member_table import (
    AFTER,
    COUNTS,
    FLAGS,
    LARGEST,
    MOST,
    NEEDS,
    _entitled_by_disability,
    member_table,
    with_years_beside,
)
from carecontracts.people.member_years import member_years
from carecontracts.people.predict import FEATURES, fit, with_predicted
from carecontracts.refusal import Refusal
from carecontracts.value_sets import value_sets
from carecontracts.worded import fields_in

day = dt.date.fromisoformat

# --- from claims to the member table ---------------------------------------------------------------------------------


def claims_of(lines, *, drugs=(), outcomes=(), people="abcd", **eligibility):
    spans = [
        {
            "person_id": p, "gender": "male", "birth_date": day("1950-05-01"), "payer_type": "medicaid",
            "enrollment_start_date": day("2023-01-01"), "enrollment_end_date": day("2024-12-31"), **eligibility,
        }
        for p in people
    ]  # fmt: skip
    medical = []
    for n, (person, start, codes, more) in enumerate(lines):
        kind = "institutional" if "bill_type_code" in more else "professional"
        more = {"claim_end_date": start, "paid_amount": 100.0, "diagnosis_code_type": "icd-10-cm"} | more
        medical.append(
            {"claim_id": f"c{n}", "claim_line_number": 1, "claim_type": kind, "person_id": person}
            | {"claim_start_date": day(start)}
            | {f"diagnosis_code_{k}": code for k, code in enumerate(codes, 1)}
            | {k: day(v) if k.endswith("_date") else v for k, v in more.items()}
        )
    frames = {"eligibility": pd.DataFrame(spans), "medical_claim": pd.DataFrame(medical)}
    if outcomes:
        columns = ["person_id", "outcome_date", "outcome", "outcome_value"]
        frames["outcome"] = pd.DataFrame([(p, day(d), o, float(v)) for p, d, o, v in outcomes], columns=columns)
    if drugs:
        columns = ["claim_id", "claim_line_number", "person_id", "dispensing_date", "ndc_code", "paid_amount"]
        rows = [(f"d{n}", 1, p, day(d), code, 10.0) for n, (p, d, code) in enumerate(drugs)]
        frames["pharmacy_claim"] = pd.DataFrame(rows, columns=columns)
    return from_frames(frames)


def stay(person, start, end, codes=(), admit="1", **more):
    more |= {"bill_type_code": "111", "admission_date": start, "discharge_date": end, "claim_end_date": end}
    return (person, start, list(codes), {"admit_type_code": admit, **more})


def emergency(person, start):
    return (person, start, ["R079"], {"bill_type_code": "131", "revenue_center_code": "0450"})


def office(person, start, codes=(), **more):
    return (person, start, list(codes), {"hcpcs_code": "99213", **more})


def of_years(table):
    frame = table.execute()
    return {(row.person_id, row.year): row for row in frame.itertuples(index=False)}


@pytest.fixture(scope="module")
def small():
    """Four people of whom every fact was worked out by hand, in the tests below."""
    lines = [
        stay("a", "2023-03-01", "2023-03-06", ["E11.22", "I50.9"]),
        emergency("a", "2023-02-01"),
        emergency("a", "2023-02-27"),
        emergency("a", "2022-12-31"),  # before the first year of the tables
        # one suspicion, never seen again; and the same code on two days, written in two ways
        office("b", "2023-05-01", ["F20.9", "E11.9"]),
        office("b", "2023-09-01", ["e119"]),
        office("b", "2024-02-01", ["25000"], diagnosis_code_type="icd-9-cm"),
        office("b", "2024-02-02", ["25002"], diagnosis_code_type="icd-9-cm"),
        # stays 182 and 183 days apart, and an elective one
        stay("c", "2023-01-10", "2023-01-11"),
        stay("c", "2023-07-11", "2023-07-11"),
        stay("d", "2023-01-10", "2023-01-11"),
        stay("d", "2023-07-12", "2023-07-13", admit="3"),
    ]
    outcomes = [
        ("a", "2023-06-01", "housing_need", 1), ("a", "2023-07-01", "food_need", 1), ("a", "2023-07-01", "phq9", 12),
        ("b", "2023-06-01", "functional_limits", 1), ("b", "2023-12-01", "functional_limits", 2),
        ("b", "2024-06-01", "score_prism", 1.7), ("c", "2024-01-01", "clinician_confirmed", 1),
        ("c", "2024-01-01", "disabled", 1),
    ]  # fmt: skip
    drugs = [("a", "2023-01-05", "00093010401"), ("a", "2023-02-05", "00093010405"), ("a", "2023-02-05", "00378001501")]
    return ibis.memtable(member_table(claims_of(lines, outcomes=outcomes, drugs=drugs)).to_pyarrow())


@pytest.fixture(scope="module")
def rows(small):
    return of_years(small)


def test_a_condition_needs_one_stay_or_two_days(rows):
    assert (rows["a", 2023].diabetes, rows["a", 2023].diabetes_complicated, rows["a", 2023].heart_failure) == (1, 1, 1)
    assert rows["b", 2023].smi == 0  # on one office claim only
    assert rows["b", 2023].diabetes == 1  # on two days
    assert rows["b", 2024].diabetes == 1  # in ICD-9-CM


def test_with_one_day_a_suspicion_counts():
    claims = claims_of([office("b", "2023-05-01", ["F20.9"])])
    assert of_years(C.conditions(claims, days=1))["b", 2023].smi == 1
    assert not of_years(C.conditions(claims, days=2))


def test_codes_mean_what_they_mean_in_their_own_edition():
    """E11 is diabetes in ICD-10-CM; in ICD-9-CM, E1100 would be a cause of injury."""
    claims = claims_of([stay("a", "2023-05-01", "2023-05-02", ["E1100"], diagnosis_code_type="icd-9-cm")])
    assert not of_years(C.conditions(claims))


def test_conditions_are_counted_by_group(rows):
    assert (rows["a", 2023].chronic_conditions, rows["a", 2023].behavioral_conditions) == (2, 0)
    assert rows["a", 2023].complex_conditions == 2
    assert rows["c", 2023].chronic_conditions == 0


def test_a_seventh_diagnosis_column_is_read_too():
    claims = claims_of([stay("a", "2023-05-01", "2023-05-02", ["R079"] * 24 + ["E119"])])
    assert of_years(C.conditions(claims))["a", 2023].diabetes == 1


def test_needs_limits_and_scores_come_from_outcomes(rows):
    assert (rows["a", 2023].housing_need, rows["a", 2023].food_need, rows["a", 2023].social_needs) == (1, 1, 2)
    assert rows["b", 2023].functional_limits == 2  # the larger of two
    assert rows["b", 2024].score_prism == 1.7
    assert math.isnan(rows["b", 2023].score_prism)  # unknown, not nothing
    assert (rows["c", 2023].clinician_confirmed, rows["c", 2024].clinician_confirmed) == (0, 1)
    assert (rows["c", 2024].disabled, rows["a", 2023].disabled) == (1, 0)
    assert rows["a", 2023].drugs == 2  # two packages of one product, and another product


def test_medicare_says_itself_who_came_by_disability():
    claims = claims_of([office("a", "2023-05-01")], people="a", original_reason_entitlement_code="1")
    assert of_years(_entitled(claims))["a", 2023].came == 1


def _entitled(claims):
    years = member_years(claims)
    return years.select("person_id", "year", came=_entitled_by_disability(claims, years))


def test_six_months_are_182_days(rows):
    assert rows["c", 2023].admissions_in_six_months == 2
    assert rows["d", 2023].admissions_in_six_months == 1
    assert (rows["d", 2023].admissions, rows["d", 2023].unplanned_admissions) == (2, 1)
    assert rows["a", 2023].emergency_visits_in_six_months == 3


def test_the_lace_score_of_a_stay(rows):
    """Five nights 4, emergent 3, diabetes with complications 2 and heart failure 2 make 5, three visits before 3."""
    assert rows["a", 2023].lace == 4 + 3 + 5 + 3
    assert math.isnan(rows["b", 2023].lace)


def test_lace_counts_the_visits_of_the_182_days_before_the_day_of_admission():
    # One night 1, emergent 3, no comorbidity. Visits: 3 March is 182 days before 1 September, 2 March one too many;
    # the visit by which one is admitted, on the day itself, is part of the stay.
    visits = [emergency("a", day) for day in ("2023-03-02", "2023-03-03", "2023-08-31", "2023-09-01")]
    claims = claims_of([stay("a", "2023-09-01", "2023-09-02", ["J189"]), *visits], people="a")
    assert of_years(member_table(claims))["a", 2023].lace == 1 + 3 + 0 + 2


@pytest.mark.parametrize(
    ("days", "codes", "diabetes"),
    [
        (["2023-05-01"], ["E119", "E1165"], 0),  # two codes for it on one day are one suspicion
        (["2023-05-01", "2023-05-01"], ["E119", "E1165"], 0),  # and so are two claims of that day
        (["2023-05-01", "2023-05-02"], ["E119"], 1),
        (["2023-12-31", "2024-01-01"], ["E119"], 0),  # a day in each of two years
    ],
)
def test_two_days_are_two_days_of_one_year(days, codes, diabetes):
    claims = claims_of([office("a", day, codes) for day in days], people="a")
    assert of_years(member_table(claims))["a", 2023].diabetes == diabetes


def test_a_year_away_has_nobody_beside_it():
    """The first was a member in all three years; the second left after 2022 and came back in 2024."""
    first, last = ({"paid": 1.0}, {"paid": 2.0}), ({"paid": 4.0}, {"paid": 5.0})
    table = made(*first, year=2022).union(made({"paid": 3.0}, year=2023)).union(made(*last, year=2024))
    beside = {key: (row.prior_paid, row.next_paid) for key, row in of_years(with_years_beside(table, ["paid"])).items()}
    assert beside["p000", 2023] == (1.0, 4.0)
    assert math.isnan(beside["p001", 2024][0])
    assert math.isnan(beside["p001", 2022][1])


def test_the_years_beside_it(rows):
    assert math.isnan(rows["b", 2023].prior_paid)
    assert rows["b", 2024].prior_paid == rows["b", 2023].paid == 200
    assert rows["b", 2023].next_paid == rows["b", 2024].paid
    assert rows["c", 2024].prior_admissions == 2
    assert (rows["a", 2023].next_known, rows["a", 2024].next_known) == (1, 0)


def test_there_is_one_row_for_each_person_and_year(small):
    frame = small.select("person_id", "year").execute()
    assert len(frame) == 8
    assert not frame.duplicated().any()


# --- definitions -----------------------------------------------------------------------------------------------------

YEAR = {
    "months": 12,
    "age": 50,
    "lace": None,
    **dict.fromkeys(("paid", "inpatient_paid", "pharmacy_paid", "predicted_paid", "hcc"), 0.0),
    **dict.fromkeys(("died", "dual", "admissions", "emergency_visits", "primary_care_visits", "drugs"), 0),
    **dict.fromkeys(("unplanned_admissions", "social_needs", *COUNTS, *value_sets(), *NEEDS, *FLAGS, *MOST), 0),
    **dict.fromkeys(LARGEST),
}
TYPES = {c: "float64" if c.endswith("paid") or c in (*LARGEST, "hcc", "lace") else "int64" for c in YEAR} | {
    "person_id": "string",
    "year": "int64",
    "payer_type": "string",
}


def kept(table):
    return ibis.memtable(table.to_pyarrow())


def made(*people, year=2024):
    """A member table by hand: each person is what differs from a healthy member of fifty."""
    rows = [
        {"person_id": f"p{n:03d}", "year": year, "payer_type": "medicaid", **YEAR, **facts}
        for n, facts in enumerate(people)
    ]
    return ibis.memtable(rows, schema=TYPES)


def held(made_of, members_table):
    frame = (
        members_table.select("person_id", "year", held=made_of(members_table)).order_by("year", "person_id").execute()
    )
    return frame.held.tolist()


# For each definition: terms, people who are in (a fact on the threshold), people who are out (just short of it).
EDGES = [
    ("cost", {}, [{"paid": 25_000.0}], [{"paid": 24_999.99}, {"paid": None}]),
    ("cost", {"dollars": 10}, [{"paid": 10.0}], [{"paid": 9.99}]),
    ("colorado_medicaid", {}, [{"paid": 25_000.0}], [{"paid": 24_999.99}]),
    ("stays", {}, [{"admissions": 2}], [{"admissions": 1}]),
    ("emergency_visits", {}, [{"emergency_visits": 4}], [{"emergency_visits": 3}]),
    (
        "super_utilizer", {},
        [{"admissions": 4}, {"admissions": 4, "payer_type": "medicare"}, {"admissions": 3, "payer_type": "commercial"}],
        [{"admissions": 3}, {"admissions": 3, "payer_type": "medicare"}, {"admissions": 2, "payer_type": "commercial"}],
    ),
    (
        "emergency_super_utilizer", {},
        [{"emergency_visits": 4}, {"admissions": 2}], [{"emergency_visits": 3, "admissions": 1}],
    ),
    (
        "denver_health_stays", {},
        [{"admissions": 3}, {"admissions": 2, "smi": 1}], [{"admissions": 2}, {"admissions": 1, "smi": 1}],
    ),
    (
        "camden", {},
        [
            {"admissions_in_six_months": 2, "chronic_conditions": 2, "housing_need": 1, "sud": 1},
            {"admissions_in_six_months": 2, "chronic_conditions": 2, "drugs": 5, "depression": 1},
            {"admissions_in_six_months": 2, "chronic_conditions": 2, "support_need": 1, "transport_need": 1},
        ],
        [
            {"admissions_in_six_months": 1, "chronic_conditions": 2, "housing_need": 1, "sud": 1},
            {"admissions_in_six_months": 2, "chronic_conditions": 1, "housing_need": 1, "sud": 1},
            {"admissions_in_six_months": 2, "chronic_conditions": 2, "drugs": 4, "smi": 1},
            {"admissions_in_six_months": 2, "chronic_conditions": 2, "depression": 1, "smi": 1},  # one factor, not two
        ],
    ),
    ("lace", {}, [{"lace": 10}], [{"lace": 9}, {}]),
    (
        "chronic_and_behavioral", {},
        [{"chronic_conditions": 2, "behavioral_conditions": 1, "primary_care_visits": 1}],
        [
            {"chronic_conditions": 1, "behavioral_conditions": 1, "primary_care_visits": 1},
            {"chronic_conditions": 2, "behavioral_conditions": 0, "primary_care_visits": 1},
            {"chronic_conditions": 2, "behavioral_conditions": 1, "primary_care_visits": 0},
        ],
    ),
    ("has", {"conditions": ["diabetes", "asthma"], "at_least": 2}, [{"diabetes": 1, "asthma": 1}], [{"diabetes": 1}]),
    (
        "commonwealth_fund", {},
        [{"chronic_conditions": 3, "functional_limits": 1.0}, {"chronic_conditions": 2, "behavioral_conditions": 1,
                                                               "functional_limits": 1.0, "age": 18}],
        [{"chronic_conditions": 2, "functional_limits": 1.0}, {"chronic_conditions": 3, "functional_limits": 0.0},
         {"chronic_conditions": 3}, {"chronic_conditions": 3, "functional_limits": 1.0, "age": 17}],
    ),
    (
        "health_home", {},
        [{"asthma": 1, "diabetes": 1}, {"sud": 1, "hypertension": 1}, {"smi": 1}, {"depression": 1, "obesity": 1}],
        # two heart conditions are heart disease once; hypertension is a risk, not a listed condition
        [{"asthma": 1}, {"coronary_disease": 1, "heart_failure": 1}, {"hypertension": 1, "hyperlipidemia": 1},
         {"depression": 1, "anxiety": 1}],
    ),
    (
        "new_york_health_home", {},
        [{"chronic_conditions": 2}, {"chronic_conditions": 1, "sud": 1}, {"hiv": 1}, {"smi": 1}],
        [{"sud": 1}, {"chronic_conditions": 1}],
    ),
    (
        "california_ecm", {},
        [{"housing_need": 1, "complex_conditions": 1}, {"homeless": 1, "sud": 1},
         {"emergency_visits_in_six_months": 5}, {"unplanned_admissions": 3}, {"smi": 1, "social_needs": 1, "age": 21}],
        [{"housing_need": 1}, {"emergency_visits_in_six_months": 4}, {"unplanned_admissions": 2}, {"smi": 1},
         {"unplanned_admissions": 3, "age": 20}],
    ),
    ("frail", {}, [{"age": 65, "frailty_indicators": 2}],
     [{"age": 64, "frailty_indicators": 2}, {"age": 65, "frailty_indicators": 1}]),
    (
        "nam_segment", {"segments": ["disabled_under_65", "frail_elderly"]},
        [{"esrd": 1, "age": 64}, {"disabled": 1, "age": 18}, {"age": 65, "frailty_indicators": 2}],
        [{"esrd": 1, "age": 65}, {"disabled": 1, "age": 17}, {"complex_conditions": 2}, {}],
    ),
    ("nam_segment", {"segments": ["children_complex"]},
     [{"age": 9, "severe_impairments": 4.0, "tube_feeding": 1},
      {"age": 17, "severe_impairments": 2.0, "ventilation": 1}],
     [{"age": 9, "severe_impairments": 3.0, "tube_feeding": 1}, {"age": 9, "severe_impairments": 1.0, "ventilation": 1},
      {"age": 18, "severe_impairments": 4.0, "tube_feeding": 1}]),
    ("nam_segment", {"segments": ["major_complex"]},
     [{"complex_conditions": 2, "chronic_conditions": 2}, {"chronic_conditions": 6}],
     [{"complex_conditions": 1, "chronic_conditions": 6}, {"chronic_conditions": 5},
      {"complex_conditions": 2, "chronic_conditions": 2, "palliative": 1}]),
    ("nam_segment", {"segments": ["advancing_illness"]},
     [{"palliative": 1}, {"metastatic_cancer": 1}], [{"cancer": 1}]),
    ("nam_segment", {"segments": ["multiple_chronic"]}, [{"chronic_conditions": 1}], [{}, {"chronic_conditions": 6}]),
    ("clinician_confirmed", {}, [{"clinician_confirmed": 1}], [{}]),
    ("social_need", {}, [{"social_needs": 1}], [{}]),
    ("score", {"system": "acg", "at_least": 3}, [{"score_acg": 3.0}], [{"score_acg": 2.99}, {"score_prism": 4.0}]),
    ("washington", {}, [{"score_prism": 1.5}], [{"score_prism": 1.49}, {}]),
    ("hcc", {}, [{"hcc": 2.0}], [{"hcc": 1.99}]),
    ("everyone", {}, [{}], []),
    ("covered", {}, [{"months": 10}], [{"months": 9}]),
    ("aged", {"at_least": 19, "at_most": 64}, [{"age": 19}, {"age": 64}], [{"age": 18}, {"age": 65}]),
    ("alive", {}, [{"died": 0}], [{"died": 1}]),
]  # fmt: skip


@pytest.fixture(scope="module")
def answers():
    """Every definition of EDGES over all their people, in one query: for each definition, its own people's answers."""
    people = made(*(person for _, _, inside, outside in EDGES for person in (*inside, *outside)))
    columns = {f"d{n}": D.definition(name, **terms)(people) for n, (name, terms, _, _) in enumerate(EDGES)}
    frame = people.select("person_id", **columns).order_by("person_id").execute()
    start, found = 0, []
    for n, (_, _, inside, outside) in enumerate(EDGES):
        stop = start + len(inside) + len(outside)
        found.append(frame[f"d{n}"].tolist()[start:stop])
        start = stop
    return found


@pytest.mark.parametrize("n", range(len(EDGES)), ids=[f"{edge[0]}-{n}" for n, edge in enumerate(EDGES)])
def test_each_side_of_each_threshold(n, answers):
    _, _, inside, outside = EDGES[n]
    assert answers[n] == [True] * len(inside) + [False] * len(outside)


def test_every_definition_is_tried_on_its_edges():
    assert set(D.kinds()) == {edge[0] for edge in EDGES} | {"dearest", "predicted"}


@pytest.mark.parametrize(("name", "column"), [("dearest", "paid"), ("predicted", "predicted_paid")])
def test_a_share_of_members_is_that_many_members(name, column):
    people = made(*({column: float(n)} for n in range(200)))
    assert [n for n, is_in in enumerate(held(D.definition(name, share=0.05), people)) if is_in] == list(range(190, 200))


@pytest.mark.parametrize(("people", "on"), [(24, 1), (36, 2), (40, 2), (8, 0)])  # 5%: 1.2, 1.8, 2.0 and 0.4 of them
def test_a_share_is_rounded_to_the_nearest_person(people, on):
    assert sum(held(D.definition("dearest", share=0.05), made(*({"paid": 1.0 + n} for n in range(people))))) == on


def test_a_tie_at_the_edge_of_a_share_goes_by_person_so_that_two_analysts_agree():
    people = made(*({"paid": 7.0} for _ in range(100)))
    assert sum(held(D.definition("dearest", share=0.05), people)) == 5
    assert held(D.definition("dearest", share=0.05), people)[:5] == [True] * 5


def test_nobody_without_cost_is_among_the_dearest():
    assert sum(held(D.definition("dearest", share=0.5), made({"paid": 5.0}, {}, {}, {"paid": None}))) == 1


def test_shares_are_taken_within_a_year():
    both = made(*({"paid": float(n)} for n in range(20))).union(
        made(*({"paid": 1000.0 + n} for n in range(20)), year=2025)
    )
    found = held(D.definition("dearest", share=0.1), both)
    assert [n for n, is_in in enumerate(found) if is_in] == [18, 19, 38, 39]


# --- purity ----------------------------------------------------------------------------------------------------------


def whole():
    """A member table with every column, the years beside included."""
    return with_years_beside(made({}).union(made({}, year=2025)), [*YEAR, "payer_type"])


@pytest.fixture(scope="module")
def table():
    return whole()


@pytest.mark.parametrize("name", D.kinds())
def test_no_definition_reads_the_year_after(name, table):
    for each in (D.definition(name), D.definition(name).both_years()):
        read = each.reads(table)
        assert read
        assert not [column for column in read if column.startswith("next_")]


def test_reading_the_year_after_is_refused_where_it_is_tried():
    table = whole()
    with pytest.raises(AttributeError, match="not known when the list is drawn"):
        _ = D.Columns(table).next_paid


def test_a_definition_is_the_same_whatever_came_after():
    """Had one read the outcome in any other way, changing all outcomes would change its list."""
    rng = np.random.default_rng(7)
    drawn = [c for c in YEAR if c != "died" and (TYPES[c] == "int64" or c == "paid")]
    people = [
        {c: float(rng.integers(0, 50_000)) if c == "paid" else int(rng.integers(0, 6)) for c in drawn}
        for _ in range(40)
    ]
    table = with_years_beside(made(*people).union(made(*people, year=2025)), [*YEAR, "payer_type"])
    other = table.mutate(**{f"next_{c}": ibis.literal(99) for c in AFTER}, next_known=ibis.literal(0))
    lists = [
        t.select("person_id", "year", **{name: D.definition(name)(t) for name in D.kinds()})
        .order_by("person_id", "year")
        .execute()
        for t in (table, other)
    ]
    pd.testing.assert_frame_equal(*lists)
    assert lists[0].drop(columns=["person_id", "year"]).any().sum() > 15  # the lists are not all empty


# --- definitions made of definitions ---------------------------------------------------------------------------------

FOUR = [{}, {"admissions": 2}, {"paid": 30_000.0}, {"admissions": 2, "paid": 30_000.0}]
STAYS, COST = D.definition("stays"), D.definition("cost")


@pytest.mark.parametrize(
    ("both", "truth"),
    [
        (STAYS & COST, [False, False, False, True]),
        (STAYS | COST, [False, True, True, True]),
        (~STAYS, [True, False, True, False]),
        (STAYS & ~COST, [False, True, False, False]),
        (~(STAYS | COST), [True, False, False, False]),
    ],
)
def test_and_or_and_not(both, truth):
    assert held(both, made(*FOUR)) == truth
    assert held(D.from_data(both.data()), made(*FOUR)) == truth


def test_what_is_unknown_does_not_qualify_and_so_is_not_excluded():
    unknown = made({"score_prism": None})
    assert held(D.definition("washington"), unknown) == [False]
    assert held(~D.definition("washington"), unknown) == [True]


def test_a_persistence_test_asks_for_both_years():
    table = with_years_beside(
        made({"admissions": 2}, {"admissions": 2}, {}).union(made({"admissions": 2}, {}, {"admissions": 2}, year=2025)),
        [*YEAR, "payer_type"],
    )
    assert held(STAYS, table) == [True, True, False, True, False, True]
    assert held(STAYS.both_years(), table) == [False, False, False, True, False, False]


def test_a_joined_definition_reads_as_yaml_holds_it():
    shared = (
        D.definition("stays", at_least=3) | (STAYS & D.definition("has", conditions=["smi"]))
    ) & ~COST.both_years()
    text = yaml.safe_dump(shared.data(), sort_keys=False)
    assert D.from_data(yaml.safe_load(text)) == shared
    assert str(D.from_data(yaml.safe_load(text))) == str(shared)


def test_joining_the_same_way_twice_makes_one_list():
    assert ((STAYS | COST) | D.definition("alive")).data() == {"any": ["stays", "cost", "alive"]}


@pytest.mark.parametrize("kind", D.kinds().values())
def test_every_term_of_every_definition_is_said(kind):
    assert {term for sentence in kind.words for term in fields_in(sentence)} == set(kind.terms())
    lists = {"conditions": ["heart_failure", "smi"], "at_risk_from": ["diabetes"], "segments": ["frail_elderly"]}
    for term, unit in kind.terms().items():
        default = getattr(kind(), term)
        other = default / 2 if unit else lists[term] if isinstance(default, list) else "other"
        assert kind().say() != kind(**{term: other}).say(), term


@pytest.fixture(scope="module")
def lists_by_hand():
    """Who of `claims-by-hand` is on each list of 2025, with a number as it stands and with half of it."""
    table = kept(member_table(read(Path(__file__).parent / "claims-by-hand")))
    table = table.mutate(predicted_paid=table.paid, hcc=table.score_prism)
    asked = {}
    for name, kind in D.kinds().items():
        for term in (term for term, unit in kind.terms().items() if unit):
            default = getattr(kind(), term)
            whole = 2 if default == 1 else default  # "half a stay or more" is "one or more"
            asked[name, term] = [D.definition(name, **{term: number}) for number in (whole, whole / 2)]
    flags = {f"{n}, {side}": pair[side](table) for n, pair in enumerate(asked.values()) for side in (0, 1)}
    rows = table.select("person_id", "year", **flags).filter(ibis._.year == 2025).to_pandas().set_index("person_id")
    return {key: [set(rows.index[rows[f"{n}, {side}"]]) for side in (0, 1)] for n, key in enumerate(asked)}


NUMBERS = [(name, term) for name, kind in D.kinds().items() for term, unit in kind.terms().items() if unit]


@pytest.mark.parametrize(("name", "term"), NUMBERS)
def test_halving_any_number_of_any_definition_changes_who_is_on_the_list(name, term, lists_by_hand):
    whole, half = lists_by_hand[name, term]
    if term in ("at_most", "share"):
        assert whole > half
    else:
        assert whole < half  # a lower threshold takes in more


def test_whom_half_a_number_takes_in(lists_by_hand):
    """Worked out from the table of people in `claims-by-hand/README.md`."""
    gained = {key: half - whole for key, (whole, half) in lists_by_hand.items()}
    assert gained["cost", "dollars"] == {"ada"}  # $20,000
    assert gained["super_utilizer", "private"] == {"ada"}  # two stays
    assert gained["super_utilizer", "public"] == {"dot", "fay", "hal"}
    assert gained["camden", "in_six_months"] == {"eve"}  # one stay, and the rest
    assert gained["camden", "chronic"] == {"fay"}  # kidney disease alone
    assert gained["camden", "factors"] == {"dot", "hal"}
    assert gained["camden", "drugs"] == {"hal"}  # three drugs are a second factor
    assert gained["chronic_and_behavioral", "visits"] == {"hal"}  # one visit
    assert gained["commonwealth_fund", "age"] == {"ida"}
    assert gained["health_home", "chronic"] == {"cal", "fay"}
    assert gained["frail", "indicators"] == {"kay"}
    assert gained["covered", "months"] == {"ada"}
    assert lists_by_hand["aged", "at_most"][0] - lists_by_hand["aged", "at_most"][1] == {"kay"}


@pytest.mark.parametrize("name", D.kinds())
def test_every_term_has_a_basis(name):
    for _, term, _, basis in D.definition(name).bases():
        assert basis, term
    kind = D.kinds()[name]
    assert bool(kind.source) == (kind.mark != "assumption" and name != "new_york_health_home")
    assert set(kind.assumed) <= set(kind.terms())


def test_a_basis_in_the_references_is_there():
    keys = {kind.source for kind in D.kinds().values()} - {"", "42 USC 1396w-4(h)"}
    bib = (Path(__file__).parents[2] / "book" / "references.bib").read_text("utf-8")
    assert not [key for key in keys if f"{{{key}," not in bib]


def test_a_term_that_a_party_sets_is_agreed_and_no_longer_a_published_number():
    bases = {term: basis for _, term, _, basis in D.definition("super_utilizer", public=5).bases()}
    assert bases == {"public": "agreed", "private": "hcup2015sb190"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("supper_utilizer", "did you mean 'super_utilizer'"),
        ({"stays": {"atleast": 3}}, "did you mean 'at_least'"),
        ({"dearest": {"share": 5}}, "for 5% write 0.05"),
        ({"cost": {"dollars": "25,000"}}, "without quotes, commas"),
        ({"stays": 3}, "write the terms as name: value"),
        ({"any": []}, "a list of definitions"),
        ({"any": ["stays"], "all": ["cost"]}, "all, any, not or both_years"),
        ({"has": {"conditions": ["diabetis"]}}, "did you mean 'diabetes'"),
        ({"score": {"system": "raf"}}, "'prism', 'acg', 'crg' or 'other'"),
        ({"both_years": {"both_years": "stays"}}, "take one out"),
        (12, "a name; a name with its terms"),
    ],
)
def test_a_definition_that_cannot_be_read_is_refused_with_what_to_do(data, said):
    with pytest.raises(Refusal, match=said):
        D.from_data(data)


def test_every_mistake_is_told_at_once():
    with pytest.raises(Refusal) as refused:
        D.from_data({"any": ["stay", {"all": [{"cost": {"dollar": 1}}, "costs"]}]})
    assert len(refused.value.faults) == 3


def test_a_column_that_is_not_there_is_named():
    table = ibis.memtable([{"person_id": "a", "year": 2024}])
    with pytest.raises(Refusal, match="no column `admissions`"):
        STAYS(table)


# --- LACE ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "points"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (6, 4), (7, 5), (13, 5), (14, 7), (40, 7)]
)
def test_length_of_stay(days, points):
    assert lace.score(days, False, 0, 0) == points


@pytest.mark.parametrize(("charlson", "points"), [(0, 0), (1, 1), (3, 3), (4, 5), (12, 5)])
def test_comorbidity(charlson, points):
    assert lace.score(0, False, charlson, 0) == points


@pytest.mark.parametrize(("visits", "points"), [(0, 0), (3, 3), (4, 4), (9, 4)])
def test_emergency_visits_before(visits, points):
    assert lace.score(0, False, 0, visits) == points


def test_the_top_of_the_index_is_nineteen():
    assert lace.score(30, True, 9, 9) == 19


def test_the_index_is_the_same_for_columns():
    rng = np.random.default_rng(3)
    cases = pd.DataFrame(
        {"d": rng.integers(0, 20, 300), "a": rng.integers(0, 2, 300), "c": rng.integers(0, 9, 300),
         "e": rng.integers(0, 7, 300)}
    )  # fmt: skip
    t = ibis.memtable(cases)
    found = t.mutate(s=lace.score(t.d, t.a == 1, t.c, t.e)).execute()
    assert found.s.tolist() == [lace.score(d, a == 1, c, e) for d, a, c, e in cases.itertuples(index=False)]


@pytest.mark.parametrize(
    ("flags", "points"),
    [
        (["diabetes"], 1),
        (["diabetes", "diabetes_complicated"], 2),
        (["renal_disease"], 2),
        (["renal_disease", "esrd"], 4),
        (["cancer"], 2),
        (["cancer", "metastatic_cancer"], 6),
        (["dementia", "heart_failure"], 5),
        (["myocardial_infarction", "stroke", "peripheral_vascular"], 3),
    ],
)
def test_charlson_points(flags, points):
    table = made(dict.fromkeys(flags, 1))
    assert table.select(points=lace.comorbidity(table)).execute().points.tolist() == [points]


# --- predicted cost and CMS-HCC --------------------------------------------------------------------------------------


def three_years(n=400, seed=5):
    rng = np.random.default_rng(seed)
    stays = rng.integers(0, 4, n)
    years = [made(*({"paid": 1000.0 + 5000 * s, "admissions": int(s)} for s in stays), year=2023 + y) for y in range(3)]
    return kept(with_years_beside(years[0].union(years[1]).union(years[2]), [*YEAR, "payer_type"]))


def test_the_model_finds_a_line_that_is_there():
    table = three_years()
    model = fit(table, 2024, features=("admissions",), cut=1.0)
    assert model.weights == pytest.approx({"intercept": 1000, "admissions": 5000})
    assert model.fitted_on == (2023,)
    rows = table.filter(table.year == 2024)
    assert rows.select(p=model(rows), s=rows.admissions).execute().eval("p - 1000 - 5000 * s").abs().max() < 1e-6


def test_a_month_of_the_next_year_weighs_as_a_month():
    # 300 people stay 12 months and cost $1,200; 100 stay 3 months and cost $1,500, which is $6,000 a year.
    # The mean of 300 x 12 months at 1,200 and of 100 x 3 at 6,000 is (4,320,000 + 1,800,000) / 3,900.
    now = made(*({"paid": 9_000.0} for _ in range(400)), year=2023)
    after = made(*({"paid": 1_200.0, "months": 12} for _ in range(300)),
                 *({"paid": 1_500.0, "months": 3} for _ in range(100)), year=2024)  # fmt: skip
    table = kept(with_years_beside(now.union(after), [*YEAR, "payer_type"]))
    model = fit(table, 2024, features=(), cut=1.0)
    assert model.weights == pytest.approx({"intercept": 6_120_000 / 3_900})


def test_a_prediction_knows_nothing_of_the_year_it_predicts():
    """The outcome of 2024's rows is replaced by nonsense: the model and each prediction stay what they were."""
    table = three_years()
    nonsense = table.mutate(next_paid=ibis.ifelse(table.year == 2024, 1e9, table.next_paid))
    assert fit(table, 2024) == fit(nonsense, 2024)
    a, b = (with_predicted(t)[0].filter(ibis._.year == 2024).predicted_paid.execute() for t in (table, nonsense))
    assert a.notna().all()
    assert a.tolist() == b.tolist()


def test_a_year_without_an_earlier_pair_has_no_prediction():
    table, models = with_predicted(three_years())
    assert sorted(models) == [2024, 2025]
    assert table.filter(table.year == 2023).predicted_paid.execute().isna().all()


def test_too_few_people_to_fit_on_are_refused():
    with pytest.raises(Refusal, match="200 or more"):
        fit(three_years(n=150), 2024)


def test_the_features_are_facts_of_the_year_itself():
    assert not [name for name in FEATURES if name.startswith(("next_", "prior_"))]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_hcc_score_of_a_member():
    """E11.69, I50.30, I50.9, I21.1, I20.9 and R05, a man of 70: 1.034 in V28, in each of three published packages."""
    from carecontracts.people import hcc

    codes = ["E11.69", "I50.30", "I50.9", "I21.1", "I20.9", "R05"]
    claims = claims_of([office("a", "2023-05-01", codes)], people="ab", birth_date=day("1953-05-01"))
    rows = of_years(hcc.scores(kept(member_years(claims)), claims, 2023))
    assert rows["a", 2023].age == 70
    assert rows["a", 2023].hcc == pytest.approx(1.034)
    assert rows["b", 2023].hcc == pytest.approx(0.396)  # age and sex alone: M70_74


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_hcc_score_reads_the_codes_of_the_year_and_who_was_dual_in_it():
    from carecontracts.people import hcc

    codes = ["E11.69", "I50.30", "I21.1"]
    lines = [office("a", "2023-05-01", codes), office("b", "2024-05-01", ["R05"])]
    spans = {"birth_date": day("1953-05-01"), "dual_status_code": "02"}
    single, dual = (claims_of(lines, people="ab", **given) for given in ({**spans, "dual_status_code": "00"}, spans))
    of_single, of_dual = (of_years(hcc.scores(kept(member_years(c)), c, 2024)) for c in (single, dual))
    # In 2024 nobody has a diagnosis that counts: a's are of 2023. What is left is a man of 71.
    assert of_single["a", 2024].hcc == of_single["b", 2024].hcc == pytest.approx(0.396)
    assert of_dual["b", 2024].hcc == pytest.approx(hcc.score(["R05"], age=71, gender="male", dual_code="02"))
    assert of_dual["b", 2024].hcc > 0.396
