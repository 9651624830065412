"""Two clocks: the ramps are the integrals they claim to be, and power is what drawn programs show."""

from math import inf
from statistics import NormalDist

import numpy as np
import pytest
from statsmodels.stats.power import normal_power_het

from carecontracts.chance.noise import members_needed
from carecontracts.evaluation.clocks import Measure, Plan, cost, events, months_needed, scorecard, share
from carecontracts.refusal import Refusal

PLANS = [Plan(500), Plan(400, enrolling=0, growing=9), Plan(250, enrolling=14, growing=3), Plan(80, 5, 0)]


@pytest.mark.parametrize("plan", PLANS, ids=str)
@pytest.mark.parametrize("month", [2.0, 6.0, 11.5, 30.0])
def test_the_ramps_are_integrals(plan: Plan, month: float) -> None:
    """Against sums over many people and fine steps; the midpoint rule's error is far below the tolerance."""
    starts = (np.arange(2_000) + 0.5) / 2_000 * plan.enrolling
    times = (np.arange(2_000) + 0.5) / 2_000 * month
    since = times[:, None] - starts
    effect = np.clip(since / plan.growing, 0, 1) if plan.growing else (since > 0).astype(float)
    step = plan.people * month
    assert plan.person_months(month) == pytest.approx((since > 0).mean() * step, rel=2e-3)
    assert plan.effect_months(month) == pytest.approx(effect.mean() * step, rel=2e-3)
    assert plan.enrolled(month) == pytest.approx((starts <= month).mean() * plan.people, rel=2e-3)


def test_without_ramps_every_month_counts_whole() -> None:
    plan = Plan(100, enrolling=0, growing=0)
    assert plan.person_months(12) == plan.effect_months(12) == 1_200


# Members needed for 80% power at a one-sided 5%, against a fixed benchmark with a coefficient of 2.15, and with an
# equal comparison group: (1.645 + 0.842)² 2.15² / effect², and twice that.
NEEDED = {0.01: (285_789, 571_578), 0.02: (71_448, 142_895), 0.05: (11_432, 22_864), 0.10: (2_858, 5_716)}


@pytest.mark.parametrize(("reduction", "people"), NEEDED.items())
def test_a_year_of_the_members_needed_has_eighty_percent_power(reduction: float, people: tuple[int, int]) -> None:
    for comparison, lives in zip((inf, 1), people, strict=True):
        spend = cost("cost", mean=1, cv=2.15, reduction=reduction, run_out=0, decision="x", comparison=comparison)
        assert spend.power(Plan(lives, 0, 0), 12) == pytest.approx(0.80, abs=1e-4)


@pytest.mark.parametrize("reduction", [0.02, 0.07])
def test_the_members_needed_agree_with_the_closed_form_of_noise(reduction: float) -> None:
    people = members_needed(reduction, power=0.9, error=0.1, spread=1.6)
    spend = cost("cost", mean=30_000, cv=1.6, reduction=reduction, run_out=0, decision="x")
    assert spend.power(Plan(people, 0, 0), 12, error=0.1) == pytest.approx(0.9, abs=1e-4)


def test_what_a_person_keeps_shrinks_with_people_and_not_with_time() -> None:
    """Yearly cost of 200 people with a correlation of 0.4 between years: the variance of their mean over 3 years."""
    rng, draws, lasting = np.random.default_rng(9), 4_000, 0.4
    kept = np.sqrt(lasting) * rng.standard_normal((draws, 200, 1))
    years = kept + np.sqrt(1 - lasting) * rng.standard_normal((draws, 200, 3))
    seen = years.mean(axis=(1, 2)).var(ddof=1)
    spend = cost("cost", mean=1, cv=1, reduction=0.1, run_out=0, decision="x", lasting=lasting)
    assert 1 / spend.information(Plan(200, 0, 0), 36) == pytest.approx(seen, rel=4 * np.sqrt(2 / draws))
    assert 1 / spend.information(Plan(200, 0, 0), 12_000) == pytest.approx(lasting / 200, rel=2e-3)


def test_power_agrees_with_statsmodels() -> None:
    spend = cost("cost", mean=20_000, cv=1.4, reduction=0.08, run_out=3, decision="share", comparison=2)
    plan = Plan(700, enrolling=0, growing=0)
    theirs = normal_power_het(1_600, 700 * 1.5, 0.05, 28_000 * np.sqrt(1.5), 28_000 * np.sqrt(1.5), "larger")
    assert spend.power(plan, 21) == pytest.approx(theirs, abs=1e-9)  # 18 months known: 1.5 person-years each


def test_power_is_what_drawn_programs_show() -> None:
    """Admissions of people who enroll over six months, effect growing over six: Poisson counts month by month."""
    rng, draws, plan = np.random.default_rng(3), 20_000, Plan(300, enrolling=6, growing=6)
    stays = events("admissions", per_year=1.5, reduction=0.25, run_out=1, decision="targeting")
    month = 13.0
    years, whole = plan.person_months(12) / 12, plan.effect_months(12) / 12
    seen = rng.poisson(1.5 * years - 0.25 * 1.5 * whole, draws)
    z = (1.5 - seen / years) / np.sqrt(1.5 / years)
    chance = stays.power(plan, month)
    # The reading varies a little less once the program works (fewer stays): shift the tolerance by that as well.
    less = np.sqrt(1 - 0.25 * whole / years)
    exact = NormalDist().cdf((stays.z(plan, month) - 1.6449) / less)
    assert np.mean(z > 1.6449) == pytest.approx(exact, abs=4 * np.sqrt(0.25 / draws) + 0.01)  # counts are whole
    assert chance == pytest.approx(exact, abs=0.03)


def test_a_leading_measure_is_read_before_a_lagging_one() -> None:
    plan = Plan(500)
    reached = share("reached", unacceptable=0.4, planned=0.6, window=1, decision="fix outreach")
    spend = cost("cost", mean=24_000, cv=1.18, reduction=0.08, run_out=3, decision="share")
    early, late = reached.readable(plan), spend.readable(plan)
    assert early is not None
    assert late is not None
    assert early < late
    for measure, month in ((reached, early), (spend, late)):
        assert measure.power(plan, month - 1) < 0.8 <= measure.power(plan, month)


def test_a_cost_that_cannot_be_read_in_time_is_said_to_be_so() -> None:
    spend = cost("cost", mean=24_000, cv=2.5, reduction=0.03, run_out=3, decision="share")
    assert spend.readable(Plan(200), within=60) is None


def test_nothing_is_known_before_the_run_out() -> None:
    spend = cost("cost", mean=24_000, cv=1.18, reduction=0.08, run_out=3, decision="share")
    assert spend.information(Plan(500), 3) == 0
    assert spend.power(Plan(500), 3) == pytest.approx(0.05)


def test_a_share_of_events_counts_events() -> None:
    """300 people for 12 months at 0.5 discharges a year are 150 discharges: the binomial's standard error."""
    seen = share("seen in 7 days", unacceptable=0.4, planned=0.6, window=0, decision="x", per_year=0.5)
    plan = Plan(300, 0, 6)
    assert seen.z(plan, 12) == pytest.approx(0.2 / np.sqrt(0.4 * 0.6 / 150))  # and no ramp: it is done or not


def test_a_slower_ramp_is_read_later() -> None:
    spend = cost("cost", mean=24_000, cv=1.18, reduction=0.15, run_out=3, decision="share")
    months = [spend.readable(Plan(1_000, enrolling=e, growing=g)) for e, g in ((0, 0), (6, 0), (6, 6), (12, 12))]
    assert months == sorted(months)
    assert len(set(months)) == 4


def test_the_scorecard_has_a_decision_for_every_measure() -> None:
    measures: list[Measure] = [
        share("reached", unacceptable=0.4, planned=0.6, window=1, decision="fix outreach"),
        events("admissions", per_year=1.2, reduction=0.15, run_out=1, decision="targeting"),
    ]
    rows = scorecard(measures, Plan(500), [6, 12])
    assert [row["decision"] for row in rows] == ["fix outreach", "targeting"]
    assert all(row["month 6"] <= row["month 12"] for row in rows)


def test_the_term_is_the_sum_of_what_comes_one_after_another() -> None:
    assert months_needed(36, run_out=3, settlement=3, notice=3) == 45


def test_what_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(Refusal) as refusal:
        Plan(0, enrolling=-1)
    assert len(refusal.value.faults) == 2
    with pytest.raises(Refusal, match="for 40% write"):
        share("reached", unacceptable=40, planned=60, window=1, decision="fix outreach")
