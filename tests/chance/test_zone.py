"""Where all can sign: the grid by hand, the suggestion by hand, and what the command refuses."""

import csv
from pathlib import Path

import pytest

from carecontracts import Contract, Refusal, Year, gallery
from carecontracts.chance.simulate import Luck
from carecontracts.parties.outside import Outside, Team
from carecontracts.parties.zone import Axis, Grid, Point, axis, zone

FEE = """
title: A fee
summary: The plan pays a fee.
parties: {plan: the plan, system: the health system}
first_year: 1
years: 4
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: system, due: monthly, per_member_per_month: 200}
"""
CONTRACT = Contract.parse(FEE)
TEAM = Outside(name="mine", teams={"system": Team(a_year=1_000_000, basis={"a_year": "assumption"})})
# 7,200 months a year: a fee of $150 costs $1,080,000, one of $250 $1,800,000; a tenth of care is $1,512,000
YEARS = [Year(year=n + 1, lives=600, member_months={"all": 7_200}, spend=15_120_000) for n in range(4)]
CALM = Luck(lives=600, cv=0.2)


def grid(**options) -> Grid:
    told = TEAM.beside(CONTRACT)
    moved = [axis(CONTRACT, "fee", "per_member_per_month", 50, 250, 3)]
    return zone(CONTRACT, YEARS, told, moved, seed=1, draws=200, luck=CALM, **{"effects": [0.0, 0.1]} | options)


def test_who_ends_behind_at_each_fee_by_hand():
    """$50 pays $360,000 of a team of $1,000,000; $250 is more than a tenth of care; in half of cases none is saved."""
    behind = {point.at: point.behind for point in grid().points}
    assert behind == {
        (50,): {"plan": 0.5, "system": 1.0},
        (150,): {"plan": 0.5, "system": 0.0},
        (250,): {"plan": 1.0, "system": 0.0},
    }


def test_the_zone_is_where_nobody_is_over_its_limit_and_the_limit_itself_is_in_it():
    assert [point.at for point in grid().zone] == [(150,)]
    assert [point.at for point in grid(limits={"plan": 1.0}).zone] == [(150,), (250,)]
    assert grid(limits={"plan": 0.4}).zone == []


def test_an_effect_given_twice_counts_twice():
    thirds = grid(effects=[0.0, 0.1, 0.1])
    assert thirds.points[1].behind["plan"] == pytest.approx(1 / 3)


def test_what_a_step_costs_one_party_is_what_the_other_gets():
    """$100 more for 7,200 months in each of four years, less whoever left by chance."""
    found = grid()
    first, second = found.steps(found.suggested)
    assert (first.low, first.high, second.low, second.high) == (50, 150, 150, 250)
    assert first.nets["plan"] == pytest.approx(-100 * 7_200 * 4, rel=0.02)
    assert first.nets["plan"] + first.nets["system"] == pytest.approx(0, abs=1)
    assert first.behind == {"plan": 0.0, "system": -1.0}
    assert second.behind == {"plan": 0.5, "system": 0.0}


def test_the_suggestion_is_farthest_from_every_limit_and_then_what_the_least_nets():
    limits = {"plan": 0.5, "system": 0.2}
    points = [
        Point((1,), {"plan": 0.45, "system": 0.0}, {"plan": 9.0, "system": 9.0}),  # 5 points to spare
        Point((2,), {"plan": 0.30, "system": 0.1}, {"plan": 5.0, "system": 1.0}),  # 10
        Point((3,), {"plan": 0.40, "system": 0.0}, {"plan": 3.0, "system": 2.0}),  # 10, and its least nets more
        Point((4,), {"plan": 0.10, "system": 0.3}, {"plan": 9.0, "system": 9.0}),  # over
    ]
    found = Grid([Axis("fee", "per_member_per_month", (1, 2, 3, 4))], limits, points)
    assert found.suggested.at == (3,)
    assert [point.at for point in found.zone] == [(1,), (2,), (3,)]
    nearest = Grid(found.axes, {"plan": 0.05, "system": 0.0}, points)
    assert nearest.zone == []
    assert nearest.suggested.at == (2,)  # 25 points over a limit, where the others are 40, 35 and 30


def test_two_terms_are_moved_together_and_one_as_it_stands_is_the_contract():
    contract = Contract.load(gallery("medicaid-with-beds"))
    moved = [
        axis(contract, "fee for documented months", "per_member_per_month", 200, 260, 3),
        axis(contract, "three years' savings", "share", 0.1, 0.5, 3),
    ]
    assert moved[1].values == (0.1, 0.3, 0.5)
    assert str(moved[0]) == "fee for documented months.per_member_per_month"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("fees", "per_member_per_month", 1, 2), "did you mean"),
        (("fee", "per_member_per_mont", 1, 2), "did you mean"),
        (("fee", "payer", 1, 2), "'plan'"),
        (("fee", "per_member_per_month", 200, 200), "the lower value first"),
        (("fee", "per_member_per_month", -5, 200), "-5"),
    ],
)
def test_a_term_that_cannot_be_moved_is_refused(asked, told):
    with pytest.raises(Refusal) as refused:
        axis(CONTRACT, *asked)
    assert told in str(refused.value)


def test_nobody_else_has_a_limit():
    with pytest.raises(Refusal, match="the most loss of"):
        grid(limits={"plna": 0.3})


# --- from the command line --------------------------------------------------------------------------------------------


@pytest.fixture
def fee(tmp_path: Path) -> str:
    (tmp_path / "fee.yaml").write_text(FEE, "utf-8")
    return str(tmp_path / "fee.yaml")


def test_the_command_prints_the_zone_and_writes_every_point(fee, tmp_path, run):
    out = tmp_path / "points.csv"
    done = run(
        "zone", fee, "--term", "fee.per_member_per_month=50:250", "--steps=3", "--effect=0", "--effect=0.1",
        "--lives=600", "--member-cost=25200", "--spread=0.2", "--cost", "system=1000000", "--draws=100", f"--out={out}",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "[50%, 0%]*" in done.out
    assert "One suggestion: fee.per_member_per_month at 150" in done.out
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert len(rows) == 6
    assert {row["in the zone"] for row in rows if row["fee.per_member_per_month"] == "150"} == {"True"}


def test_where_nobody_can_sign_the_command_says_who_is_in_the_way(fee, run):
    done = run(
        "zone", fee, "--term", "fee.per_member_per_month=50:250", "--steps=2", "--effect=0", "--most-loss=plan=0.1",
        "--cost", "system=1000000", "--draws=50",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "Nowhere on this grid can all sign" in done.out
    assert "Over its limit:" in done.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "one or two"),
        (("--term=fee.per_member_per_month",), "LOW:HIGH"),
        (("--term=fee.per_member_per_month=a:b",), "LOW:HIGH"),
        (("--term=fee.per_member_per_month=1:2", "--term=fee.per_member_per_month=3:4"), "again"),
        (("--term=fee.per_member_per_month=1:2", "--steps=1"), "--steps"),
        (("--term=fee.per_member_per_month=1:2", "--most-loss=plan=2"), "--most-loss"),
        (("--term=fee.per_member_per_month=1:2", "--most-loss=nobody=0.2"), "nobody"),
        (("--term=fee.per_member_per_month=1:2", "--effect=3"), "--effect"),
        (("--term=fee.per_member_per_month=1:2", "--years-are=with"), "--years-are"),
    ],
)
def test_what_cannot_be_is_refused_with_code_2(fee, arguments, told, run):
    done = run("zone", fee, *arguments, "--draws=20")
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
