"""A payment by the share of people who meet all of their targets: its odds, exactly, by drawing and by the contract."""

import math

import numpy as np
import pytest

from carecontracts import Contract, Refusal, Year, gallery
from carecontracts.chance.attainment import Group, by_ladder, by_line, met, released

DRAWS = 40_000


@pytest.mark.parametrize(("people", "missed"), [(25, 0.31), (50, 0.20), (100, 0.13), (200, 0.07), (500, 0.01)])
def test_how_often_a_panel_of_55_percent_misses_the_line_of_half(people: int, missed: float) -> None:
    found = released([Group(people, 0.55)], by_line(0.5)).short
    plainly = sum(math.comb(people, k) * 0.55**k * 0.45 ** (people - k) for k in range(math.ceil(people / 2)))
    assert found == pytest.approx(plainly, abs=1e-9)
    assert round(found, 2) == missed


@pytest.mark.parametrize(("people", "passed"), [(25, 0.31), (50, 0.28), (100, 0.18), (200, 0.09), (500, 0.01)])
def test_how_often_a_panel_of_45_percent_passes_it_by_luck(people: int, passed: float) -> None:
    assert round(1 - released([Group(people, 0.45)], by_line(0.5)).short, 2) == passed


@pytest.mark.parametrize(("people", "released_on_average"), [(25, 0.919), (100, 0.960), (1_000, 0.987)])
def test_what_a_panel_that_is_just_good_enough_gets(people: int, released_on_average: float) -> None:
    assert released([Group(people, 0.5)], by_line(0.5)).mean == pytest.approx(released_on_average, abs=6e-4)


PANEL = (Group(30, 0.7), Group(20, 0.3))
RULES = {"a line": by_line(0.5), "a ladder": by_ladder({0.3: 0.6, 0.4: 0.8, 0.5: 1.0})}


@pytest.mark.parametrize("periods", [1, 3])
@pytest.mark.parametrize("rule", RULES)
def test_the_closed_form_agrees_with_people_drawn_one_by_one(rule: str, periods: int) -> None:
    """Of so many draws an average is within five standard errors, and a share within five of its own."""
    rng = np.random.default_rng(20261128)
    reached = sum((rng.random((DRAWS, g.people * periods)) < g.rate).sum(axis=1) for g in PANEL)
    paid = RULES[rule](reached / (50 * periods))
    exact = released(PANEL, RULES[rule], periods)
    assert abs(paid.mean() - exact.mean) < 5 * exact.sd / math.sqrt(DRAWS)
    short = math.sqrt(exact.short * (1 - exact.short) / DRAWS)
    assert abs((paid < 1 - 1e-9).mean() - exact.short) < 5 * short
    assert paid.std() == pytest.approx(exact.sd, rel=0.05)


def test_the_contract_pays_what_the_closed_form_says() -> None:
    """The gallery's contract, settled for every number of people out of 25 and weighed by its chance."""
    contract, chances = Contract.load(gallery("access")), met([Group(25, 0.45)])
    tiers = contract.clauses[0].per_member_per_month
    months = dict.fromkeys(tiers, 0.0) | {"cardio-kidney-metabolic": 300.0}
    measures = {"met all targets": np.arange(26) / 25, "no report": np.zeros(26),
                "without substitute spending": np.ones(26)}  # fmt: skip
    ledger = contract.settle([Year(year=2026, member_months=months, measures=measures)])
    assert ledger.total(clause="half held back") == 5_250  # 25 x 420 / 2
    expected = float(chances @ ledger.total(clause="outcome payment"))
    assert expected == pytest.approx(5_250 * released([Group(25, 0.45)], by_line(0.5)).mean, abs=0.01)


@pytest.mark.parametrize("group", [Group(-1, 0.5), Group(2, 1.1)])
def test_groups_that_cannot_be(group: Group) -> None:
    with pytest.raises(Refusal, match="a rate from 0 to 1"):
        met([group])
