"""Gaps between groups: a published interval, power and luck by simulation, and a gap that closes the wrong way."""

import numpy as np
import pandas as pd
import pytest

from carecontracts.people import equity
from carecontracts.people.equity import Rate, by_group, change, distinguishable, earns, gap, index_by_luck
from carecontracts.refusal import Refusal
from carecontracts.small_cells import MARK


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        (Rate(56, 70), Rate(48, 80), 0.0524, 0.3339),  # Newcombe 1998, Table II, method 10, example (a)
        (Rate(9, 10), Rate(3, 10), 0.1705, 0.8090),  # (b)
        (Rate(10, 10), Rate(0, 10), 0.6075, 1.0000),  # (h)
    ],
)
def test_the_published_intervals_of_a_difference(one, other, low, high):
    found = gap(one, other)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_a_gap_turned_round_is_the_same_gap():
    found, turned = gap(Rate(30, 50), Rate(20, 60)), gap(Rate(20, 60), Rate(30, 50))
    assert turned.gap == pytest.approx(-found.gap)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_the_distinguishable_gap_is_seen_four_times_in_five():
    """20,000 draws: the share seen is within 4 standard errors, and 2 points for the normal approximation, of 80%."""
    rng = np.random.default_rng(3)
    one, other, rate = 600, 400, 0.6
    d = distinguishable(one, other, rate)
    first = rng.binomial(one, rate + d * other / (one + other), 20_000) / one
    second = rng.binomial(other, rate - d * one / (one + other), 20_000) / other
    pooled = (first * one + second * other) / (one + other)
    z = (first - second) / np.sqrt(pooled * (1 - pooled) * (1 / one + 1 / other))
    assert np.mean(np.abs(z) > 1.959964) == pytest.approx(0.80, abs=0.02 + 4 * np.sqrt(0.16 / 20_000))


def test_four_times_the_people_show_half_the_gap():
    assert distinguishable(400, 400, 0.5) == pytest.approx(distinguishable(100, 100, 0.5) / 2)


def test_the_index_of_equal_groups_is_luck():
    """20,000 draws of equal groups; 4 standard errors of the mean, and 1% for the normal approximation."""
    rng = np.random.default_rng(4)
    sizes, reference, rate = [80, 120, 200], 500, 0.6
    base = rng.binomial(reference, rate, 20_000) / reference
    drawn = np.mean([np.abs(rng.binomial(n, rate, 20_000) / n - base) for n in sizes], axis=0) / base
    expected = index_by_luck(sizes, reference, rate)
    assert drawn.mean() == pytest.approx(expected, rel=0.01, abs=4 * drawn.std() / np.sqrt(20_000))
    assert expected > 0.03


def test_the_index_by_hand():
    assert equity.index_of_disparity([0.5, 0.7], 0.6) == pytest.approx(0.1 / 0.6)
    assert equity.index_of_disparity([0.6], 0.6) == 0


BEFORE = (Rate(120, 200), Rate(90, 200))  # 60% and 45%


@pytest.mark.parametrize(
    ("after", "closed", "by_decline", "earned"),
    [
        ((Rate(120, 200), Rate(102, 200)), 0.06, False, True),  # the worse-off gain 6 points
        ((Rate(120, 200), Rate(96, 200)), 0.03, False, True),  # 3 points: exactly the two thresholds
        ((Rate(108, 200), Rate(90, 200)), 0.06, True, False),  # the better-off lose 6
        ((Rate(104, 200), Rate(86, 200)), 0.06, True, False),  # all lose
        ((Rate(130, 200), Rate(100, 200)), 0.0, False, False),  # all gain 5: nothing closes
        ((Rate(110, 200), Rate(94, 200)), 0.07, False, False),  # some of each: the gain is 2 points
        ((Rate(120, 200), Rate(155, 200)), -0.025, False, False),  # overshot: a gap the other way is a gap
    ],
)
def test_how_a_gap_closed(after, closed, by_decline, earned):
    found = change(BEFORE, after)
    assert found.closed == pytest.approx(closed, abs=1e-12)
    assert found.by_decline == by_decline
    assert earns(found, better=0.03, by=0.03) == earned


def test_where_lower_is_better_the_worse_off_have_the_higher_rate():
    found = change((Rate(20, 100), Rate(30, 100)), (Rate(20, 100), Rate(25, 100)), higher_is_better=False)
    assert (found.worse_off, found.better_off) == (pytest.approx(0.05), 0)


def test_the_order_of_the_two_groups_does_not_matter():
    after = (Rate(118, 200), Rate(100, 200))
    one, two = change(BEFORE, after), change(BEFORE[::-1], after[::-1])
    assert (one.closed, one.worse_off, one.better_off) == pytest.approx((two.closed, two.worse_off, two.better_off))


def test_a_table_by_group_hides_what_rests_on_few():
    frame = pd.DataFrame({"group": ["A", "B", "C"], "denominator": [400, 300, 14], "numerator": [240, 150, 6]})
    made = by_group(frame, "A")
    assert made.loc[2, ["numerator", "rate", "low", "high", "gap", "gap_low", "gap_high"]].tolist() == [MARK] * 7
    clear = by_group(frame.iloc[:2], "A")
    assert not (clear == MARK).to_numpy().any()
    assert clear.loc[1, "gap"] == pytest.approx(-0.1)
    assert clear.loc[1, "gap_low"] == pytest.approx(gap(Rate(150, 300), Rate(240, 400)).low)


def test_with_a_hidden_reference_no_gap_is_shown():
    """The rate of B less the gap would be the reference's."""
    frame = pd.DataFrame({"group": ["A", "B", "C"], "denominator": [14, 400, 300], "numerator": [6, 240, 150]})
    assert by_group(frame, "A").gap.tolist() == [MARK] * 3


def test_what_is_no_rate_is_refused():
    with pytest.raises(Refusal, match="count people, not visits"):
        gap(Rate(12, 10), Rate(1, 2))
    with pytest.raises(Refusal, match="name one of the groups"):
        by_group(pd.DataFrame({"group": ["A"], "denominator": [40], "numerator": [20]}), "Z")
    with pytest.raises(Refusal, match="check the sizes"):
        distinguishable(0, 10, 0.5)
    with pytest.raises(Refusal, match="reference above 0"):
        equity.index_of_disparity([], 0.5)
