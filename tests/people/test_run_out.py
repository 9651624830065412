"""What is still to come: worked by hand; the chain ladder and its error against published figures; the cap after it."""

from itertools import accumulate
from typing import Any

import pandas as pd
import pytest

from carecontracts import Contract, Refusal
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import from_frames
from carecontracts.measured import Measured, measure
from carecontracts.measuring.chain_ladder import Ladder, cumulative
from carecontracts.measuring.run_out import RunOut
from carecontracts.reconciliation import THE_YEAR, Kind

# The triangle of Taylor and Ashe (1983), which Mack (1993) works through: what was paid in each year of development.
TAYLOR_ASHE = [
    [357848, 766940, 610542, 482940, 527326, 574398, 146342, 139950, 227229, 67948],
    [352118, 884021, 933894, 1183289, 445745, 320996, 527804, 266172, 425046],
    [290507, 1001799, 926219, 1016654, 750816, 146923, 495992, 280405],
    [310608, 1108250, 776189, 1562400, 272482, 352053, 206286],
    [443160, 693190, 991983, 769488, 504851, 470639],
    [396132, 937085, 847498, 805037, 705960],
    [440832, 847631, 1131398, 1063269],
    [359480, 1061648, 1443370],
    [376686, 986608],
    [344014],
]


def reserve(rows: list[list[float]]) -> tuple[float, float | None]:
    """What is still to come of a whole triangle, and its standard error."""
    ladder, paid = Ladder(rows), {len(row) - 1: row[-1] for row in rows}
    return sum(row * ((ladder.grows(age) or 0) - 1) for age, row in paid.items()), ladder.error(paid)


# --- the ladder itself ------------------------------------------------------------------------------------------------


def test_the_published_reserve_and_its_standard_error() -> None:
    """Mack, Distribution-free calculation of the standard error of chain ladder reserve estimates, ASTIN Bulletin 23
    (1993): reserves of 18,680,856 with a standard error of 2,447,095; by year in thousands, with the error in percent.
    """
    rows = [list(map(float, accumulate(row))) for row in TAYLOR_ASHE]
    to_come, error = reserve(rows)
    assert (round(to_come), round(error or 0)) == (18_680_856, 2_447_095)
    ladder = Ladder(rows)
    by_year = [(95, 80), (470, 26), (710, 19), (985, 27), (1419, 29), (2178, 26), (3920, 22), (4279, 23), (4626, 29)]
    for row, published in zip(rows[1:], by_year, strict=True):
        age = len(row) - 1
        due, error = row[-1] * ((ladder.grows(age) or 0) - 1), ladder.error({age: row[-1]}) or 0
        assert (round(due / 1000), round(100 * error / due)) == published


def test_the_same_as_another_package() -> None:
    """chainladder-python, on the same triangle by month, and on one of 24 months of its own."""
    chainladder = pytest.importorskip("chainladder", reason="needs tests/people/chainladder-requirements.txt")
    for n, paid in enumerate((TAYLOR_ASHE, _made_up(24))):
        first = pd.Period("2024-01", "M")
        cells = [
            {"origin": (first + i).to_timestamp(), "paid_in": (first + i + age).to_timestamp(), "paid": float(cents)}
            for i, row in enumerate(paid)
            for age, cents in enumerate(row)
        ]
        triangle = chainladder.Triangle(
            pd.DataFrame(cells), origin="origin", development="paid_in", columns="paid", cumulative=False
        ).incr_to_cum()
        model = chainladder.MackChainladder().fit(
            chainladder.Development(sigma_interpolation="mack").fit_transform(triangle)
        )
        to_come, error = reserve([list(map(float, accumulate(row))) for row in paid])
        assert to_come == pytest.approx(float(model.ibnr_.sum("origin")), rel=1e-9), n
        assert error == pytest.approx(float(model.total_mack_std_err_.iloc[0, 0]), rel=1e-6), n


def _made_up(months: int) -> list[list[int]]:
    """A triangle whose months are paid over half a year, unevenly and never the same."""
    pace = [500, 300, 100, 50, 30, 20]
    return [[(pace[age] if age < 6 else 1) * (90 + (7 * i + 3 * age) % 21) for age in range(months - i)]
            for i in range(months)]  # fmt: skip


def test_the_error_by_hand() -> None:
    # 100 grew to 150 and 130, by 1.4; variance (10^2 / 100 + 10^2 / 100) / 1 = 2. The last month's 100 grow to 140,
    # with an error of 2 / 1.4^2 x (140 x 1.4 + 140^2 / 200) = 300, squared.
    ladder = Ladder([[100, 150], [100, 130], [100]])
    assert ladder.error({0: 100.0}) == pytest.approx(300**0.5)
    # Half of the dollars: chance is that of half of them, 2 / 1.4^2 x (70 x 1.4 + 70^2 / 200) = 125.
    assert ladder.error({0: 50.0}) == pytest.approx(125**0.5)


@pytest.mark.parametrize(
    ("rows", "factors"),
    [
        ([[100, 80], [100, 80], [100]], [0.8]),  # money came back: a month shrinks
        ([[0, 60, 100], [0, 60], [0]], [None, 100 / 60]),  # nothing is ever paid at once: no factor can say
        ([[0, 0], [0, 0], [0]], [1.0]),  # nothing is ever paid: nothing grows
        ([[100, -20], [100]], [None]),
        ([[100]], []),
    ],
)
def test_factors_that_cannot_be_told(rows: list[list[float]], factors: list[float | None]) -> None:
    assert [age.factor for age in Ladder(rows).ages] == factors


def test_no_error_is_told_where_none_can_be() -> None:
    assert Ladder([[100, 150], [100]]).error({0: 100.0}) is None  # one month tells the factor, and none its spread
    assert Ladder([[0, 50], [100, 150], [100]]).error({0: 100.0}) is None  # a month grew from nothing
    assert Ladder([[100, 150], [100, 150], [100]]).error({0: 100.0}) == 0
    assert cumulative({}, 5) == []


# --- by people --------------------------------------------------------------------------------------------------------

Line = tuple[str, str, float, str | None]  # person, month of service, dollars, month of payment


def claims(lines: list[Line], *, since: dict[str, str] | None = None, gone: tuple[str, ...] = ()) -> Claims:
    """Everyone who has a line is enrolled from January 2024, or the day given; who is gone was in 2020 alone."""
    who = list(dict.fromkeys(line[0] for line in lines))
    people = pd.DataFrame({"person_id": who, "birth_date": "1980-05-01"})
    people = people.assign(gender="female", payer_type="medicaid", payer="plan", plan="plan")
    people["enrollment_start_date"] = [
        "2020-01-01" if person in gone else (since or {}).get(person, "2024-01-01") for person in who
    ]
    people["enrollment_end_date"] = ["2020-12-31" if person in gone else "2027-12-31" for person in who]
    frame = pd.DataFrame(
        {"person_id": [line[0] for line in lines], "claim_start_date": [f"{line[1]}-15" for line in lines],
         "paid_amount": [float(line[2]) for line in lines],
         "paid_date": [line[3] and f"{line[3]}-20" for line in lines], "billing_npi": [line[0] for line in lines]}
    )  # fmt: skip
    frame = frame.assign(claim_id=[str(n) for n in range(len(frame))], claim_line_number=1, hcpcs_code="70010",
                         claim_type="professional")  # fmt: skip
    own = frame.person_id.unique()
    listed = pd.DataFrame({"person_id": own, "start_date": "2024-01-01", "end_date": None})
    listed["organization"] = ["clinic" if person.startswith("own") else "rival" for person in own]
    return from_frames({"eligibility": people, "medical_claim": frame, "roster": listed})


def months(first: str, number: int) -> list[str]:
    return [str(month) for month in pd.period_range(first, periods=number, freq="M")]


def paid(person: str, first: str, number: int, by_lag: dict[int, float], known: str = "2026-12") -> list[Line]:
    """So many months of service, each paid so much after so many months, as far as it is known."""
    lines = [
        (person, month, dollars, str(pd.Period(month, "M") + lag))
        for month in months(first, number)
        for lag, dollars in by_lag.items()
    ]
    return [line for line in lines if line[3] <= known]


def run(there: Claims, starts: int = 1, **measurement: Any) -> Measured:
    return measure(
        there,
        Contract.model_validate(
            {
                "title": "t", "summary": "s", "parties": {"plan": "the plan", "clinic": "the clinic"},
                "first_year": 2026, "years": 1, "year_starts": starts,
                "measurement": {"attribution": {"kind": "everyone"}} | measurement,
                "clauses": [{"name": "fee", "kind": "care_management_fee", "payer": "plan", "payee": "clinic",
                             "due": "monthly", "per_member_per_month": 10}],
            }
        ),
    )  # fmt: skip


def spend(there: Claims, starts: int = 1, **measurement: Any) -> float:
    return run(there, starts, **measurement).years[0].facts()["spend"]  # type: ignore[no-any-return]


def dollars(measured: Measured, group: str = THE_YEAR) -> dict[Kind, float]:
    return {row.kind: row.cents / 100 for row in measured.reconciliation.dollars if row.group == group}


OWN = {"kind": "roster", "organization": "clinic"}
LADDER = "the chain ladder"


@pytest.mark.parametrize("triangle", [24, 13, 7, 3, 2])
def test_a_triangle_shorter_than_the_year_grows_what_is_in_it(triangle: int) -> None:
    # $1,000 a month, 900 at once and 100 a month later: December alone lacks its 100, however long the triangle is.
    there = claims(paid("a", "2025-01", 24, {0: 900, 1: 100}))
    assert spend(there, run_out={"completion": LADDER, "triangle": triangle}) == 12_000


@pytest.mark.parametrize(("lacks", "most"), [({"triangle": 2, "months": 1}, 3), ({"triangle": 12, "months": 12}, 14)])
def test_a_triangle_without_a_month_of_the_year_is_refused(lacks: dict[str, int], most: int) -> None:
    with pytest.raises(Exception, match=f"{most} or more months"):
        RunOut(completion=LADDER, **lacks)  # type: ignore[arg-type]
    assert RunOut(completion=LADDER, **lacks | {"triangle": most})  # type: ignore[arg-type]


def test_what_a_triangle_does_not_see_is_told() -> None:
    # A tenth of each month is paid five months later. Three months see nothing of it.
    there = claims(paid("a", "2025-01", 24, {0: 900, 5: 100}))
    short = run(there, run_out={"completion": LADDER, "triangle": 3})
    assert dollars(short)[Kind.TO_COME] == 0
    # Of the 21 months before October 2026, 19 had been paid their 100: 1,900 of 20,800.
    assert any("9.13% was paid 3 months after service or later" in note for note in short.notes)
    whole = run(there, run_out={"completion": LADDER, "triangle": 24})
    assert dollars(whole)[Kind.TO_COME] == 500
    assert not [note for note in whole.notes if "triangle" in note]
    longer = run(there, run_out={"completion": LADDER, "triangle": 36})
    assert any("to hold 36 months of service; the claims have 24" in note for note in longer.notes)


@pytest.mark.parametrize("completion", [LADDER, "Bornhuetter-Ferguson"])
@pytest.mark.parametrize(
    ("by_lag", "until", "run_out"),
    [
        ({1: 600, 2: 400}, "2026-12", 0),  # nothing is ever paid in the month of service
        ({1: 600, 2: 400}, "2026-12", 3),  # the claims end three months before the closing date
        ({2: 1_000}, "2026-12", 0),  # two months with nothing paid yet
        ({0: 100, 1: 500, 2: 400}, "2026-12", 0),
    ],
)
def test_a_month_with_nothing_paid_yet_is_not_complete(
    completion: str, by_lag: dict[int, float], until: str, run_out: int
) -> None:
    there = claims(paid("a", "2025-06", 19, by_lag, until))
    made = run(there, run_out={"completion": completion, "triangle": 18, "months": run_out})
    assert made.years[0].facts()["spend"] == 12_000
    told = [note for note in made.notes if "cannot complete" in note]
    assert bool(told) == (completion == LADDER and 0 not in by_lag)


def test_a_late_payment_run_is_the_average_as_far_as_it_is_unpaid() -> None:
    # A tenth is paid at once in all months but December, of which nothing was. Expected of a month: what was paid,
    # 11,500, over its share: 10 months + 0.6 (November) + 0.1 (December); December lacks 0.9 of it.
    lines = [line for line in paid("a", "2025-06", 19, {0: 100, 1: 500, 2: 400}) if line[1] != "2026-12"]
    expected = (10_000 + 600) / 10.7
    made = spend(claims(lines), run_out={"completion": LADDER, "triangle": 18})
    assert made == pytest.approx(11_000 + 0.9 * expected, abs=0.005)


def test_bornhuetter_ferguson_by_hand() -> None:
    # December was dear: 900 at once, where other months had 500 of their 1,000. Expected of a month:
    # (11 x 1,000 + 900) / (11 + 0.5) = 1,034.78; December adds half of it. The ladder doubles it.
    lines = [line for line in paid("a", "2025-06", 19, {0: 500, 1: 500}) if line[1] != "2026-12"]
    there = claims([*lines, ("a", "2026-12", 900, "2026-12")])
    expected = (11_000 + 900) / 11.5
    made = {c: spend(there, run_out={"completion": c, "triangle": 18}) for c in (LADDER, "Bornhuetter-Ferguson")}
    assert made == {LADDER: 12_800, "Bornhuetter-Ferguson": pytest.approx(11_900 + 0.5 * expected, abs=0.005)}


def test_a_year_that_begins_in_october() -> None:
    # October 2026 to September 2027, as of September: September alone lacks its 100.
    there = claims(paid("a", "2025-10", 24, {0: 900, 1: 100}, "2027-09"))
    assert spend(there, 10, run_out={"completion": LADDER, "triangle": 12}) == 12_000


def test_money_that_comes_back_is_still_to_come_below_zero() -> None:
    there = claims(paid("a", "2025-06", 19, {0: 1_100, 1: -100}))
    made = run(there, run_out={"completion": LADDER, "triangle": 18})
    assert (made.years[0].facts()["spend"], dollars(made)[Kind.TO_COME]) == (12_000, -100)


def test_the_provider_s_people_grow_by_their_own_months() -> None:
    # Everyone's months grow from 900 to 1,000. Own joins in December: all of their 450 is of that month.
    lines = [*paid("a", "2025-01", 24, {0: 900, 1: 100}), ("own", "2026-12", 450.0, "2026-12")]
    there = claims(lines, since={"own": "2026-12-01"})
    # What older months tell is everyone's: 1,000 / 900.
    assert spend(there, attribution=OWN, run_out={"completion": LADDER, "triangle": 24}) == 500


def test_the_triangle_is_of_people_enrolled() -> None:
    stranger = paid("zoe", "2025-01", 24, {0: 100, 1: 9_900})
    there = claims([*paid("a", "2025-01", 24, {0: 900, 1: 100}), *stranger], gone=("zoe",))
    for begun in ("covered month", "any day"):
        made = spend(there, spending={"begun": begun}, run_out={"completion": LADDER, "triangle": 24})
        assert made == 12_000


def test_claims_without_dates_of_payment() -> None:
    lines: list[Line] = [("a", month, 1_000, None) for month in months("2026-01", 12)]
    with pytest.raises(Refusal, match="no paid_date"):
        spend(claims(lines), run_out={"completion": LADDER, "triangle": 12})
    dated = paid("b", "2025-06", 19, {0: 900, 1: 100})
    made = run(claims([*dated, ("a", "2026-02", 77.0, None)]), run_out={"completion": LADDER, "triangle": 18})
    assert made.years[0].facts()["spend"] == 12_077
    assert any("$77.00 of the triangle's months have no date of payment" in note for note in made.notes)


def test_earlier_years_are_closed_and_completed_the_same_way() -> None:
    # 2025 as of its own end: December 2025 had 900, and what it then grew to is known in 2026, and not counted.
    there = claims(paid("a", "2024-01", 36, {0: 900, 1: 100}))
    made = run(
        there, run_out={"completion": LADDER, "triangle": 12},
        benchmark={"kind": "own_history", "weights": [1.0], "trend": 0},
    )  # fmt: skip
    rows = dollars(made, "benchmark year 2025")
    assert (rows[Kind.PAID_LATE], rows[Kind.COUNTS], rows[Kind.TO_COME]) == (-100, 11_900, 100)
    assert made.years[0].facts()["benchmark"] == 12_000


def test_the_closing_date_by_year() -> None:
    there = claims(paid("a", "2025-01", 24, {0: 900, 1: 100}, "2027-06"))
    assert spend(there, run_out={"months": {1: 0, 2: 3}}) == 11_900
    assert spend(there, run_out={"months": {1: 1, 2: 3}}) == 12_000


# --- the cap comes after ------------------------------------------------------------------------------------------

TWO: list[Line] = [("own", "2026-03", 3_000, "2026-03"), ("b", "2026-03", 6_000, "2026-03")]
GIVEN = {"completion": "a given factor", "factor": 1.02}


@pytest.mark.parametrize(
    ("spending", "right"),
    [
        ({"truncated_at": 5_000}, 8_060),  # 3,060 and 5,000; the cap first would give 1.02 x 8,000 = 8,160
        ({"truncated_at": 6_000}, 9_060),  # 6,120 is over it
        ({"truncated_at": 6_120}, 9_180),  # and exactly at it nothing is lost
        ({"truncated_at": 5_000, "above": 0.5}, 8_620),  # and half of the 1,120 beyond
        ({"truncated_at_percentile": 0.5}, 7_650),  # the point is 4,500, completed 4,590: 3,060 + 4,590
    ],
)
def test_each_person_is_completed_and_then_held_to_the_limit(spending: dict[str, float], right: float) -> None:
    assert spend(claims(TWO), spending=spending, run_out=GIVEN) == right


def test_the_rows_add_up_in_that_order() -> None:
    made = dollars(run(claims(TWO), spending={"truncated_at": 5_000}, run_out=GIVEN))
    assert (made[Kind.COUNTS], made[Kind.TO_COME], made[Kind.LIMIT], made[Kind.SPEND]) == (9_000, 180, -1_120, 8_060)


def test_an_actuary_s_example() -> None:
    # One person over $5,000, and $6,050.55 of the others; 2% is still to come: 6,171.56 + 5,000.
    lines = [("a", "2026-03", 6_050.55, "2026-03"), ("b", "2026-03", 9_000, "2026-03")]
    lines = [(who, month, part, when) for who, month, amount, when in lines for part in (
        [amount] if who == "b" else [2_000, 2_050.55, 2_000])]  # fmt: skip
    lines = [(f"{who}{n}" if who == "a" else who, *rest) for n, (who, *rest) in enumerate(lines)]  # type: ignore[misc]
    assert spend(claims(lines), spending={"truncated_at": 5_000}, run_out=GIVEN) == 11_171.56


def test_people_compared_are_completed_and_held_to_the_limit_too() -> None:
    # b's 6,000 are 6,120 completed, and 5,000 count: own's 12 months at 5,000 / 12.
    made = run(
        claims(TWO), attribution=OWN, spending={"truncated_at": 5_000}, run_out=GIVEN,
        benchmark={"kind": "matched_comparison", "alike_in": ["gender"]},
    )  # fmt: skip
    assert made.years[0].facts()["benchmark"] == 5_000


def test_the_point_of_a_limit_is_of_everyone_enrolled() -> None:
    # Everyone: 0, 70, 300, 800, 3,000, 5,000: the 60% point is 800. Own have 300, 3,000 and 5,000: 300 + 800 + 800.
    amounts = {"own1": 300, "own2": 3_000, "own3": 5_000, "b": 0, "c": 70, "d": 800}
    there = claims([(who, "2026-03", amount, "2026-03") for who, amount in amounts.items()])
    section: dict[str, Any] = {"attribution": OWN, "spending": {"truncated_at_percentile": 0.6}}
    assert spend(there, **section) == 1_900
    assert spend(there, **section, run_out=GIVEN) == 1_938  # the point grows as the dollars do


# --- an interval ------------------------------------------------------------------------------------------------------


def test_the_factor_is_printed_with_its_error() -> None:
    # Months of 100 grew by 50 and by 30 in turns, and November by 40. December's 100 will grow by 1.4, as all have.
    grew = [50, 30] * 5 + [40]
    lines = [line for n, month in enumerate(months("2026-01", 11)) for line in (
        ("a", month, 100.0, month), ("a", month, float(grew[n]), str(pd.Period(month, "M") + 1)))]  # fmt: skip
    made = run(claims([*lines, ("a", "2026-12", 100.0, "2026-12")]), run_out={"completion": LADDER, "triangle": 12})
    (row,) = (row for row in made.reconciliation.dollars if row.kind == Kind.TO_COME)
    assert row.cents == 40_00
    # In dollars: variance 10 x 10^2 / 100 / 10 = 1; error squared 1 / 1.96 x (140 x 1.4 + 140^2 / 1,100); of $1,640.
    error = ((140 * 1.4 + 140**2 / 1_100) / 1.96) ** 0.5 / 1_640
    assert f"at a factor of {1_680 / 1_640:.6f} (standard error {error:.6f}; 95 times in 100 from " in row.step


@pytest.mark.parametrize(
    ("completion", "sentence"),
    [
        ({"completion": LADDER, "triangle": 24}, "of everyone enrolled; an older month is complete."),
        ({"completion": LADDER, "triangle": 24}, "Mack's standard error and the 95% interval of a lognormal"),
        ({"completion": LADDER, "triangle": 24}, "A month with nothing paid yet"),
        ({"completion": "Bornhuetter-Ferguson", "triangle": 24}, "what older months had not paid at its age"),
        (GIVEN, "grows by the one factor of the group, before any limit on it."),
    ],
)
def test_the_words(completion: dict[str, Any], sentence: str) -> None:
    said = RunOut(**completion).say()
    assert sentence in said
    assert sentence not in RunOut().say()
