"""Whose claims count, in which year and of which months: each option of each term, worked by hand on a few people."""

from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
import pytest
import yaml
from numpy.random import default_rng

from carecontracts import Contract
from carecontracts.claims.check import check
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import from_frames
from carecontracts.measured import Measured, measure
from carecontracts.people.months import coverage, covered_months
from carecontracts.reconciliation import THE_YEAR, Kind
from carecontracts.refusal import Refusal

PRICE = {"kind": "fixed", "per_member_per_month": 100}


def covered(start: str, end: str | None, person: str = "a", **more: Any) -> dict[str, Any]:
    who = {"person_id": person, "enrollment_start_date": start, "enrollment_end_date": end, "gender": "female"}
    return who | {"birth_date": "1980-05-05", "payer": "plan a", "payer_type": "commercial", "plan": "ppo"} | more


def paid(day: str, amount: float, person: str = "a", **more: Any) -> dict[str, Any]:
    line: dict[str, Any] = {"person_id": person, "claim_start_date": day, "claim_end_date": day}
    line |= {"claim_type": "professional"}
    line |= {"paid_date": day, "paid_amount": float(amount), "hcpcs_code": "99213", "billing_npi": "clinic"}
    return line | {"payer": "plan a", "plan": "ppo", "diagnosis_code_type": "icd-10-cm"} | more


def stay(first: str, last: str, amount: float, person: str = "a", **more: Any) -> dict[str, Any]:
    bill = {"claim_type": "institutional", "bill_type_code": "111", "claim_end_date": last, "hcpcs_code": None}
    return paid(first, amount, person) | bill | more


def claims_of(spans: list[dict[str, Any]], lines: list[dict[str, Any]], drugs: Any = (), **tables: Any) -> Claims:
    medical = pd.DataFrame(lines).assign(claim_id=[str(n) for n in range(len(lines))], claim_line_number=1)
    frames = {"eligibility": pd.DataFrame(spans), "medical_claim": medical}
    if drugs:
        filled = [line | {"dispensing_date": line["claim_start_date"]} for line in drugs]
        columns = ["person_id", "dispensing_date", "paid_date", "paid_amount", "payer", "plan"]
        frames["pharmacy_claim"] = pd.DataFrame(filled)[columns].assign(
            claim_id=[str(n) for n in range(len(filled))], claim_line_number=1
        )
    return from_frames(frames | {name: pd.DataFrame(rows) for name, rows in tables.items()})


def run(claims: Claims, years: int = 1, first_year: int = 2025, year_starts: int = 1, **measurement: Any) -> Measured:
    measurement = {"attribution": {"kind": "everyone"}, "run_out": {"months": 12}, "benchmark": PRICE} | measurement
    data = {
        "title": "t", "summary": "s", "parties": {"plan": "the plan", "clinic": "the clinic"}, "years": years,
        "first_year": first_year, "year_starts": year_starts,
        "measurement": {name: part for name, part in measurement.items() if part is not None},
        "clauses": [{"name": "fee", "kind": "care_management_fee", "payer": "plan", "payee": "clinic",
                     "due": "monthly", "per_member_per_month": 10}],
    }  # fmt: skip
    return measure(claims, Contract.parse(yaml.safe_dump(data)))


def facts(claims: Claims, **measurement: Any) -> dict[str, Any]:
    return run(claims, **measurement).years[0].facts()


def row(measured: Measured, kind: Kind) -> tuple[int | None, int | None, int]:
    """People, lines and dollars of a row of the year."""
    (found,) = (r for r in measured.reconciliation.dollars if r.kind == kind and r.group == THE_YEAR)
    return found.people, found.lines, found.cents // 100


# --- several payers in one folder -------------------------------------------------------------------------------------

MEDICARE = {"payer": "medicare", "payer_type": "medicare", "plan": "ffs"}
OTHER = {"payer": "medicare", "plan": "ffs"}


@cache
def both() -> Claims:
    return claims_of(
        [covered("2025-01-01", "2025-12-31"), covered("2025-01-01", "2025-12-31", **MEDICARE)],
        [paid("2025-05-05", 40), paid("2025-05-06", 5_000, **OTHER)],
    )


@pytest.mark.parametrize(
    "named",
    [
        {"payers": ["plan a"]},
        {"payers": [" Plan A "]},
        {"plans": ["ppo"]},
        {"payer_types": ["commercial"]},
        {"payers": ["plan a"], "plans": ["PPO"]},
    ],
)
def test_the_payer_named_is_the_one_whose_claims_count(named: dict[str, Any]) -> None:
    made = run(both(), enrollment=named)
    assert made.years[0].facts() == {"lives": 1, "member_months.all": 12, "spend": 40, "benchmark": 1_200}
    assert row(made, Kind.OTHER_PAYER) == (1, -1, -5_000)
    assert row(made, Kind.READ) == (None, 2, 5_040)
    assert made.notes[0].startswith("2025: 1 claim line, $5,000.00, do not count: of another payer or plan")


def test_several_payers_and_none_named_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        run(both())
    (fault,) = refused.value.faults
    assert fault.where == "claims, column payer"
    assert "'medicare': 1 span of coverage, 1 claim line, $5,000.00; 'plan a': 1 span" in fault.given
    assert facts(both(), enrollment={"payers": ["plan a", "medicare"]})["spend"] == 5_040
    one = claims_of(
        [covered("2025-01-01", None), covered("2025-01-01", None, "b", payer="PLAN A ")], [paid("2025-05-05", 40)]
    )
    assert facts(one)["lives"] == 2  # one payer, spelled twice


def two_sources(**more: Any) -> Claims:
    """Nobody says a payer; the same person is covered by two sources."""
    spans = [covered("2025-01-01", None, data_source=of, payer=None) for of in ("carrier", "state")]
    lines = [paid("2025-05-05", 40, payer=None, data_source="state"), paid("2025-05-06", 7, payer=None, **more)]
    return claims_of(spans, [*lines, paid("2025-05-07", -10, payer=None, data_source="carrier")])


def test_sources_stand_for_payers_where_no_row_says_its_payer() -> None:
    with pytest.raises(Refusal) as refused:
        run(two_sources(data_source="state"))
    (fault,) = refused.value.faults
    assert fault.where == "claims, column data_source"
    assert "'carrier': 1 span of coverage, 1 claim line, -$10.00; 'state': 1 span of coverage, 2 claim" in fault.given
    assert "`enrollment: {data_sources: [NAME]}`" in fault.do
    assert facts(two_sources(data_source="state"), enrollment={"data_sources": ["state"]})["spend"] == 47
    assert facts(two_sources(data_source="state"), enrollment={"data_sources": ["state", "carrier"]})["spend"] == 37
    notes = {note.table: note for note in check(two_sources(data_source="state")).notes if "sources" in note.rule}
    assert notes["eligibility"].examples == ("'carrier': 1 row", "'state': 1 row")
    assert notes["medical_claim"].examples == ("'carrier': 1 row, -$10.00", "'state': 2 rows, $47.00")
    # One payer's coverage, whose claims come by two ways, is of one payer.
    one = claims_of([covered("2025-01-01", None, payer=None, data_source="state")],
                    [paid("2025-05-05", 40, payer=None, data_source=of) for of in ("state", "vendor")])  # fmt: skip
    assert facts(one)["spend"] == 80


def test_check_says_that_there_are_several_payers() -> None:
    notes = {note.table: note for note in check(both()).notes if note.rule == "several payers"}
    assert notes["eligibility"].examples == ("'medicare': 1 row", "'plan a': 1 row")
    assert notes["medical_claim"].examples == ("'medicare': 1 row, $5,000.00", "'plan a': 1 row, $40.00")
    assert "`payers` of `enrollment`" in notes["medical_claim"].do
    alone = claims_of([covered("2025-01-01", None)], [paid("2025-05-05", 40), paid("2025-05-06", 7, payer=None)])
    assert not [note for note in check(alone).notes if note.rule == "several payers"]


@pytest.mark.parametrize(
    ("named", "where", "says"),
    [
        ({"payers": ["plan b"]}, "measurement 'enrollment', term `payers`", "did you mean 'plan a'?"),
        ({"plans": ["pppo"]}, "measurement 'enrollment', term `plans`", "did you mean 'ppo'?"),
        (
            {"payers": ["plan a"], "plans": ["ffs"]},
            "measurement 'enrollment', term `plans`",
            "name it as the tables do",
        ),
        ({"data_sources": ["s1"]}, "measurement 'enrollment', term `data_sources`", "name it as the tables do"),
        ({"payer_types": ["medicaid"]}, "measurement 'enrollment', term `payer_types`", "name it as the tables do"),
    ],
)
def test_a_name_that_no_row_has_is_refused(named: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(Refusal) as refused:
        run(both(), enrollment=named)
    (fault,) = refused.value.faults
    assert (fault.where, says in fault.do) == (where, True)


def test_a_claim_that_does_not_say_whose_it_is_is_refused() -> None:
    spans = [covered("2025-01-01", None), covered("2025-01-01", None, **MEDICARE)]
    claims = claims_of(spans, [paid("2025-05-05", 40), paid("2025-05-06", 7, payer=None)])
    with pytest.raises(Refusal) as refused:
        run(claims, enrollment={"payers": ["plan a"]})
    (fault,) = refused.value.faults
    assert (fault.where, fault.given) == ("medical_claim, column payer", "no payer in 1 row, $7.00 paid")
    alone = claims_of(spans[:1], [paid("2025-05-05", 40), paid("2025-05-06", 7, payer=None)])
    assert facts(alone, enrollment={"payers": ["plan a"]})["spend"] == 47  # nobody else's could they be


def test_nothing_of_another_payer_is_read_anywhere() -> None:
    # Ann's own claims make her the clinic's, cheap and healthy; her other payer's, the rival's, dear and ill. Bob is
    # the other payer's alone. With plan a named, every fact is as if plan a's rows were all there are.
    ours = [covered("2023-01-01", "2025-08-31", "ann"), covered("2023-01-01", None, "cat")]
    theirs = [covered("2023-01-01", None, "ann", **MEDICARE), covered("2023-01-01", None, "bob", **MEDICARE)]
    lines = [line for year in (2023, 2024, 2025) for line in (
        paid(f"{year}-03-01", 100, "ann", diagnosis_code_1="I10"),
        paid(f"{year}-03-02", 3_000, "cat", diagnosis_code_1="E119"),
    )]  # fmt: skip
    others = [line | OTHER for year in (2023, 2024, 2025) for line in (
        paid(f"{year}-04-01", 9_000, "ann", billing_npi="rival", diagnosis_code_1="I5030"),
        paid(f"{year}-05-01", 9_000, "ann", billing_npi="rival", diagnosis_code_1="I5030"),
        stay(f"{year}-06-01", f"{year}-06-05", 20_000, "ann", diagnosis_code_1="I5030"),
        stay(f"{year}-06-15", f"{year}-06-20", 20_000, "ann", diagnosis_code_1="I5030"),
        paid(f"{year}-04-01", 9_000, "bob", diagnosis_code_1="I5030"),
    )]  # fmt: skip
    drugs = [paid("2025-02-01", 30, "ann"), paid("2025-02-01", 4_000, "ann") | OTHER]
    asked: dict[str, Any] = {
        "population": {"definition": {"cost": {"dollars": 50}}},
        "tiers": {"dear": {"definition": {"cost": {"dollars": 2_000}}}},
        "attribution": {"kind": "plurality", "billed_by": ["clinic"], "lookback": 12},
        "enrollment": {"least_before": 1, "gap": 12},
        "benchmark": {"kind": "own_history", "weights": [1.0], "trend": 0.0},
        "risk": {"score": "CMS-HCC V28"},
        "measures": {"admissions": {"measure": "admissions"}, "readmissions": {"measure": "readmissions"}},
    }
    alone = facts(claims_of(ours, lines, drugs[:1]), **asked)
    mixed = claims_of(ours + theirs, lines + others, drugs)
    named = asked | {"enrollment": asked["enrollment"] | {"payers": ["plan a"]}}
    assert facts(mixed, **named) == alone
    assert alone["lives"] == 2
    assert alone["spend"] == 3_130
    assert alone["measures.admissions"] == 0
    assert facts(mixed, **asked | {"enrollment": {"payers": ["plan a", "medicare"]}}) != alone


def test_a_change_of_plan_within_the_year() -> None:
    spans = [covered("2025-01-01", "2025-06-30"), covered("2025-07-01", "2025-12-31", plan="hmo")]
    claims = claims_of(spans, [paid("2025-02-01", 1), paid("2025-08-01", 10, plan="hmo"), paid("2025-09-01", 100)])
    found = [facts(claims, enrollment={"plans": plans}) for plans in (["ppo"], ["hmo"], ["ppo", "hmo"])]
    assert [each["member_months.all"] for each in found] == [6, 6, 12]
    assert [each["spend"] for each in found] == [
        1,
        10,
        111,
    ]  # the first plan's claim of September is out of its coverage


# --- the day that decides the year ------------------------------------------------------------------------------------


@cache
def new_year() -> Claims:
    return claims_of(
        [covered("2024-01-01", "2026-12-31")],
        [stay("2024-12-20", "2025-01-10", 50_000, paid_date="2025-02-01"), paid("2025-02-03", 100),
         paid("2024-12-31", 7, claim_end_date="2025-01-02", paid_date="2026-03-01")],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "spend"),
    [
        ("first day of service", [50_007, 100, 0]),
        ("last day of service", [0, 50_107, 0]),
        ("discharge", [7, 50_100, 0]),
        ("payment", [0, 50_100, 7]),
    ],
)
def test_the_day_that_decides_the_year(day: str, spend: list[int]) -> None:
    run_out = None if day == "payment" else {"months": 24}
    made = run(new_year(), 3, 2024, spending={"day": day}, run_out=run_out, enrollment={"payers": ["plan a"]})
    by_year = {year.year: year.spend for year in made.years}
    assert [by_year.get(year, 0) for year in (2024, 2025, 2026)] == spend


@pytest.mark.parametrize("day", ["first day of service", "last day of service", "discharge", "payment"])
def test_every_claim_is_of_one_year(day: str) -> None:
    # Whatever day decides and whenever the year begins, the sum over the years is the whole.
    random = default_rng(5)
    lines = []
    for n in range(200):
        first = pd.Timestamp("2023-01-05") + pd.Timedelta(days=int(random.integers(0, 900)))
        last = first + pd.Timedelta(days=int(random.integers(0, 40)))
        paid_on = last + pd.Timedelta(days=int(random.integers(0, 60)))
        kind = stay(f"{first:%F}", f"{last:%F}", 2**n % 9_973) if n % 2 else paid(f"{first:%F}", 2**n % 9_973)
        lines.append(kind | {"paid_date": f"{paid_on:%F}"})
    claims = claims_of([covered("2023-01-01", "2027-12-31")], lines)
    for starts in (1, 7):
        made = run(claims, 5, 2022, starts, spending={"day": day}, run_out=None, benchmark=None)
        rows = made.reconciliation.dollars
        by = {kind: sum(r.cents for r in rows if r.kind == kind) for kind in (Kind.COUNTS, Kind.PAID_LATE)}
        assert by[Kind.COUNTS] - by[Kind.PAID_LATE] == sum(round(line["paid_amount"] * 100) for line in lines)


def test_the_day_of_payment_needs_one_and_has_no_run_out() -> None:
    with pytest.raises(Refusal, match="what is paid after the year is of the next one"):
        run(new_year(), spending={"day": "payment"})
    unpaid = claims_of([covered("2025-01-01", None)], [paid("2025-02-01", 30, paid_date=None), paid("2025-02-01", 1)])
    with pytest.raises(Refusal, match=r"1 claim lines without a paid date, \$30\.00"):
        run(unpaid, spending={"day": "payment"}, run_out=None)


# --- part of a month --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spans", "by"),
    [
        ([("2025-01-15", "2025-01-31")], {"any day": 1, "first day": 0, "15th day": 1, "days": 17 / 31}),
        ([("2025-01-01", "2025-01-14")], {"any day": 1, "first day": 1, "15th day": 0, "days": 14 / 31}),
        ([("2025-01-16", "2025-02-14")], {"any day": 2, "first day": 1, "15th day": 0, "days": 16 / 31 + 14 / 28}),
        ([("2025-01-01", "2025-01-10"), ("2025-01-20", "2025-02-28")],
         {"any day": 2, "first day": 2, "15th day": 1, "days": 22 / 31 + 1}),
        ([("2025-01-01", "2025-01-20"), ("2025-01-10", "2025-01-31")],
         {"any day": 1, "first day": 1, "15th day": 1, "days": 1}),  # two spans, each day once
        ([("2024-11-20", None)], {"any day": 12, "first day": 12, "15th day": 12, "days": 12}),
        ([("2025-12-31", "2026-06-30")], {"any day": 1, "first day": 0, "15th day": 0, "days": 1 / 31}),
    ],
)  # fmt: skip
def test_part_of_a_month(spans: list[tuple[str, str | None]], by: dict[str, float]) -> None:
    claims = claims_of([covered(*each) for each in spans], [paid("2025-01-01", 1), paid("2025-12-31", 1)])
    for month, months in by.items():
        found = facts(claims, enrollment={"month": month}, spending={"begun": "any day"})
        assert found["member_months.all"] == pytest.approx(months, abs=1e-6)
        assert found["benchmark"] == pytest.approx(100 * months, abs=0.01)
        assert found["lives"] == (months > 0)


@pytest.mark.parametrize("month", ["any day", "first day", "15th day", "days"])
def test_months_are_those_counted_day_by_day(month: str) -> None:
    # Drawn spans that overlap, touch and leave gaps, some of them ended by a death, in a year that begins in July.
    random = default_rng(7)
    spans, covered_days = [], {}
    for n in range(60):
        died = pd.Timestamp("2025-07-01") + pd.Timedelta(days=int(random.integers(0, 365))) if n % 3 == 0 else None
        days: set[pd.Timestamp] = set()
        for _ in range(3):
            first = pd.Timestamp("2025-06-01") + pd.Timedelta(days=int(random.integers(0, 420)))
            last = first + pd.Timedelta(days=int(random.integers(0, 90)))
            spans.append(covered(f"{first:%F}", f"{last:%F}", str(n), death_date=died and f"{died:%F}"))
            days |= {day for day in pd.date_range(first, last) if died is None or day <= died}
        covered_days[str(n)] = days
    expected = {}
    for person, days in covered_days.items():
        total = 0.0
        for begin in pd.date_range("2025-07-01", periods=12, freq="MS"):
            whole = pd.date_range(begin, begin + pd.offsets.MonthEnd())
            here = [day.day for day in whole if day in days]
            total += {"any day": bool(here), "first day": 1 in here, "15th day": 15 in here}.get(
                month, len(here) / len(whole)
            )
        if total:
            expected[person] = total
    claims = replace(claims_of(spans, [paid("2025-07-01", 1)]), month_counts_by=month)
    found = {row.person_id: row.months for row in coverage(claims, [2025], 7).execute().itertuples()}
    assert found == pytest.approx(expected)
    by_month = covered_months(claims, 2025, 7)
    by_month = by_month.group_by("person_id").agg(months=by_month.counts.sum())
    assert {row.person_id: row.months for row in by_month.execute().itertuples()} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("month", "least", "lives"),
    [
        ("any day", 3, 1), ("15th day", 3, 1), ("days", 3, 1),  # she lived to 10 March, and had that
        ("days", 2, 1), ("15th day", 2, 1),
    ],
)  # fmt: skip
def test_who_dies_is_held_to_the_part_of_the_month_that_they_lived(month: str, least: int, lives: int) -> None:
    claims = claims_of([covered("2025-01-01", None, death_date="2025-03-10")], [paid("2025-01-05", 1)])
    assert facts(claims, enrollment={"month": month, "least": least, "gap": 0})["lives"] == lives
    late = claims_of([covered("2025-02-01", None, death_date="2025-03-10")], [paid("2025-02-05", 1)])
    assert facts(late, enrollment={"month": month, "least": 2})["lives"] == (month == "any day")


def test_months_by_days_reach_measures_fees_and_tiers() -> None:
    claims = claims_of(
        [covered("2025-01-15", "2025-01-31")],
        [stay("2025-01-20", "2025-01-22", 500, admit_type_code="1")],
        outcome=[{"person_id": "a", "outcome_date": "2025-01-20", "outcome": "contact", "outcome_value": 1.0}],
    )
    found = facts(
        claims,
        enrollment={"month": "days"},
        measures={"admissions": {"measure": "admissions"}},
        tiers={"all of them": {"definition": "everyone"}},
        population={"known": "the year itself"},
        engaged_months={"outcome": "contact"},
        fees={"treatment": "inside", "clauses": ["fee"]},
    )
    assert found["member_months.all of them"] == 0.548387
    assert found["engaged_months.all of them"] == 0.548387
    assert found["measures.admissions"] == pytest.approx(1_000 / (17 / 31 / 12))
    assert found["spend"] == 505.48  # and $10 x 17/31


# --- claims out of coverage -------------------------------------------------------------------------------------------


@cache
def ended() -> Claims:
    return claims_of(
        [covered("2025-01-01", "2025-03-15")],
        [
            paid("2025-02-01", 1), paid("2025-03-15", 2), paid("2025-03-20", 4), paid("2025-10-01", 160),
            stay("2025-03-14", "2025-04-02", 1_000),  # begins in coverage and counts whole; so do its later bills
            stay("2025-04-01", "2025-04-20", 2_000, admission_date="2025-03-14", bill_type_code="113"),
            stay("2025-05-01", "2025-05-03", 8_000),
            paid("2024-12-31", 16_000), paid("2024-06-01", 32_000),
        ],
        drugs=[paid("2025-03-31", 64), paid("2025-04-01", 128)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("begun", "spend", "out", "admissions"),
    [
        ("covered month", 3_071, (1, -3, -8_288), 1),
        ("covered day", 3_003, (1, -5, -8_356), 1),
        ("any day", 11_359, None, 2),
    ],
)
def test_claims_out_of_coverage(begun: str, spend: int, out: Any, admissions: int) -> None:
    made = run(ended(), spending={"begun": begun}, measures={"admissions": {"measure": "admissions"}})
    found = made.years[0].facts()
    assert (found["spend"], found["member_months.all"]) == (spend, 3)
    assert found["measures.admissions"] == 1_000 * admissions / 0.25
    if out:
        assert row(made, Kind.NOT_COVERED) == out
        lines, dollars = -out[1], -out[2]
        said = f"2025: {lines} claim lines, ${dollars:,}.00, do not count: of people who count"
        assert any(note.startswith(said) for note in made.notes)
    else:
        assert not [r for r in made.reconciliation.dollars if r.kind == Kind.NOT_COVERED]


def test_by_default_what_began_out_of_a_covered_month_does_not_count() -> None:
    assert facts(ended())["spend"] == 3_071
    months = facts(ended(), enrollment={"month": "15th day"}, spending={"begun": "covered month"})
    assert months["spend"] == 3_071  # the 15th of March is the last covered day
    early = claims_of([covered("2025-01-16", "2025-12-31")], [paid("2025-01-20", 8), paid("2025-02-20", 1)])
    assert facts(early, enrollment={"month": "15th day"})["spend"] == 1  # January does not count


def test_each_line_has_one_reason() -> None:
    # Of who does not count, their own rule says why; of who was not covered in the year at all, that.
    spans = [covered("2025-01-01", "2025-01-31"), covered("2025-01-01", "2025-02-28", "young", birth_date="2015-01-01")]
    spans.append(covered("2024-01-01", "2024-12-31", "gone"))
    lines = [paid("2025-10-01", 1), paid("2025-10-01", 10, "young"), paid("2025-10-01", 100, "gone")]
    made = run(claims_of(spans, lines), population={"age_from": 18})
    rows = {r.kind: r.cents // 100 for r in made.reconciliation.dollars if r.group == THE_YEAR}
    assert (rows[Kind.NOT_COVERED], rows[Kind.YOUNG], rows[Kind.NOT_ENROLLED]) == (-1, -10, -100)
    assert rows[Kind.READ] + sum(rows[kind] for kind in (Kind.NOT_COVERED, Kind.YOUNG, Kind.NOT_ENROLLED)) == 0


# --- what else the sentences say --------------------------------------------------------------------------------------


def test_born_moved_or_enrolled_within_the_year() -> None:
    spans = [
        covered("2025-06-10", None, "born", birth_date="2025-06-10"),
        covered("2025-01-01", "2025-05-31", "a day apart"), covered("2025-06-01", "2025-12-31", "a day apart"),
        covered("2025-01-01", "2025-05-31", "a gap"), covered("2025-07-01", "2025-12-31", "a gap"),
        covered("2026-02-01", None, "later"),
    ]  # fmt: skip
    claims = claims_of(spans, [paid("2025-07-01", 1, "born")])
    assert facts(claims)["lives"] == 3
    assert facts(claims)["member_months.all"] == 7 + 12 + 11
    assert facts(claims, enrollment={"least": 12})["lives"] == 1  # a child born in June was enrolled for seven
    assert facts(claims, enrollment={"gap": 0})["lives"] == 1  # before the first month is a gap
    assert facts(claims, enrollment={"gap": 1})["lives"] == 2
    assert facts(claims, population={"age_from": 18})["lives"] == 2


def test_who_moves_lives_where_the_year_began() -> None:
    here, there = {"zip_code": "80001"}, {"zip_code": "90001"}
    spans = [
        covered("2024-01-01", "2025-05-31", "left", **here), covered("2025-06-01", None, "left", **there),
        covered("2024-01-01", "2025-05-31", "came", **there), covered("2025-06-01", None, "came", **here),
        covered("2025-06-01", None, "new", **here),
    ]  # fmt: skip
    amounts = {"left": 1, "came": 10, "new": 100}
    claims = claims_of(spans, [paid("2025-07-01", amount, person) for person, amount in amounts.items()])
    assert facts(claims, attribution={"kind": "geography", "areas": ["80001"]})["spend"] == 101


def test_a_record_out_of_coverage_is_a_record_but_of_no_member_month() -> None:
    record = {"person_id": "a", "outcome": "contact", "outcome_value": 1.0}
    claims = claims_of(
        [covered("2025-01-01", "2025-01-31")],
        [paid("2025-01-05", 1)],
        outcome=[record | {"outcome_date": f"2025-{month}-01"} for month in ("01", "02")],
    )
    found = facts(
        claims,
        engaged_months={"outcome": "contact"},
        outcomes={"contacts": {"outcome": "contact"}},
        measures={"contacts": {"measure": "contacts_per_month"}},
    )
    assert (found["engaged_months.all"], found["outcomes.contacts"], found["measures.contacts"]) == (1, 2, 1)


# --- a list that is read from a contract year that begins in July -----------------------------------------------------

DAYS = {
    "early": "2025-02-01",
    "before": "2025-06-30",
    "first": "2025-07-01",
    "last": "2026-06-30",
    "after": "2026-07-01",
}


@pytest.mark.parametrize("definition", [{"cost": {"dollars": 900}}, {"has": {"conditions": ["diabetes"]}}])
@pytest.mark.parametrize(
    ("starts", "listed"), [(1, ["early", "before", "first"]), (7, ["first", "last"]), (2, ["early", "before", "first"])]
)
def test_a_definition_is_read_from_the_contract_year_before(
    definition: dict[str, Any], starts: int, listed: list[str]
) -> None:
    # The contract year 2026 begins in January: its list is of 2025. In July: it is of July 2025 to June 2026.
    claims = claims_of(
        [covered("2024-01-01", "2027-12-31", person) for person in DAYS],
        [stay(day, day, 1_000, person, diagnosis_code_1="E1165") for person, day in DAYS.items()],
    )
    population = {"definition": definition, "made": "anew for each year"}
    made = run(claims, first_year=2026, year_starts=starts, population=population)
    assert made.years[0].lives == len(listed)
    assert made.years[0].spend == 1_000 * sum(
        f"2026-{starts:02}" <= DAYS[person] < f"2027-{starts:02}" for person in listed
    )
