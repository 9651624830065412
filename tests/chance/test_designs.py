"""Evaluation designs: the closed forms are statsmodels', the sound find the truth, the others miss by a formula."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.linalg import toeplitz
from scipy.stats import norm, ttest_ind
from scipy.stats import t as student

from carecontracts import Contract
from carecontracts.evaluation import series
from carecontracts.evaluation.designs import DESIGNS, by_place, coverage, difference_in_differences, paid
from carecontracts.evaluation.one_table import evaluate, event_study
from carecontracts.evaluation.persistence import remains
from carecontracts.evaluation.places import Draws, Place, Program, draw, histories, lognormal, place
from carecontracts.refusal import Refusal

MEAN, SIGMA, LASTING, FADE, TREND, TOP = 8_000.0, 0.9, 0.5, 0.2, 0.04, 0.2
DRAWS = 1_500

CONTRACT = """
title: Shared savings
summary: The plan shares what is saved.
parties: {plan: the plan, practice: the practice}
first_year: 1
clauses:
  - {name: share, kind: shared_savings, payer: plan, payee: practice, due: 9 months after the year ends,
     minimum: 0.02, share: 0.5}
"""


PLAIN = Program(effect=0.3)
SELECTED = Program(effect=0.3, willing=0.5)


@cache
def a_place(program: Program = PLAIN, people: int = 60_000, leaves: float = 0.05, **other) -> Place:
    rng = np.random.default_rng(20)
    cost = lognormal(people, 5, rng=rng, mean=MEAN, sigma=SIGMA, lasting=LASTING, fade=FADE, trend=TREND, leaves=leaves)
    return place(cost, program, trigger=2, rng=rng, top=TOP, trend=TREND, **other)


@cache
def draws(program: Program = PLAIN, people: int = 300, count: int = DRAWS, comparison: float = 1.0, **other) -> Draws:
    return draw(a_place(program, **other), people, count, rng=np.random.default_rng(21), comparison=comparison)


def four_standard_errors(estimates: np.ndarray) -> float:
    return 4 * float(estimates.std(ddof=1)) / np.sqrt(len(estimates))


# --- closed form and statsmodels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [name for name in DESIGNS if name != "interrupted time series"])
def test_the_closed_form_is_statsmodels(design: str) -> None:
    d = draws(SELECTED, people=120, count=2)
    found = DESIGNS[design].judge(d)
    theirs = evaluate(d.panel(1), design, trend=TREND, cuts=d.place.cuts)
    assert theirs["saving"] == pytest.approx(found.saving[1], rel=1e-7)
    assert theirs["se"] == pytest.approx(found.se[1], rel=1e-6)
    assert theirs["low"] == pytest.approx(found.low[1], rel=1e-5, abs=1)


def test_one_series_is_judged_as_all_are() -> None:
    d = draws(SELECTED, people=120, count=2)
    found = DESIGNS["interrupted time series"].judge(d)
    years = np.repeat(d.place.years, 4)
    rows = {"person_id": "all", "group": "offered", "year": years, "quarter": np.tile([1, 2, 3, 4], len(years) // 4)}
    one = pd.DataFrame(rows | {"paid": d.offered.quarters[1], "enrolled": 1, "engaged": 1})
    theirs = evaluate(one, "interrupted time series")
    assert (theirs["saving"], theirs["se"]) == pytest.approx((found.saving[1], found.se[1]), rel=1e-8)
    assert theirs["high"] == pytest.approx(found.high[1], rel=1e-8)


def test_by_place_is_statsmodels_on_the_places() -> None:
    d = draw(a_place(PLAIN), 120, 2, rng=np.random.default_rng(21), places=4, shock=0.1)
    found, theirs = by_place(d), evaluate(d.panel(1), "difference-in-differences", by="place")
    assert theirs["saving"] == pytest.approx(found.saving[1], rel=1e-7)
    assert theirs["se"] == pytest.approx(found.se[1], rel=1e-7)
    assert (theirs["low"], theirs["high"]) == pytest.approx((found.low[1], found.high[1]), rel=1e-6)
    found = by_place(d, "matched comparison")
    theirs = evaluate(d.panel(1), "matched comparison", by="place", cuts=d.place.cuts)
    assert (theirs["saving"], theirs["se"]) == pytest.approx((found.saving[1], found.se[1]), rel=1e-7)
    with pytest.raises(Refusal, match="name one that compares places"):
        by_place(d, "encouragement")
    with pytest.raises(Refusal, match="two places or more"):
        evaluate(draws(count=2, people=50).panel(0), "difference-in-differences", by="place")
    assert np.isinf(by_place(draws(count=2, people=50)).se).all()


def test_an_event_study_by_place_is_two_samples_of_places() -> None:
    """Each year's bar is Student's for the places' mean changes since the trigger year, as scipy has it."""
    there = a_place(Program(effect=0.0))
    d = draw(there, 1_000, 1, rng=np.random.default_rng(5), places=4, shock=0.3)
    people = d.panel(0)
    means = people.groupby(["group", "place", "year"]).paid.mean().unstack()
    study = event_study(people, by="place").set_index("year")
    by_person = event_study(people).set_index("year")
    for year in (-2, -1, 1, 2):
        change = means[year] - means[0]
        theirs = ttest_ind(change["elsewhere"], change["offered"])
        ends = theirs.confidence_interval()
        assert study.saving[year] == pytest.approx(change["elsewhere"].mean() - change["offered"].mean(), rel=1e-9)
        assert (study.low[year], study.high[year]) == pytest.approx((ends.low, ends.high), rel=1e-6)
        assert by_person.se[year] < study.se[year] / 2
    assert study.loc[0].tolist() == [0.0, 0.0, 0.0, 0.0]
    with pytest.raises(Refusal, match="on both sides") as refusal:
        event_study(people.assign(place=people.place.str[-1]).drop(columns="paid"), by="place", base=9)
    assert len(refusal.value.faults) == 3


@pytest.mark.parametrize("r", [0.0, 0.5, 0.9])
def test_a_step_by_least_squares_of_statsmodels(r: float) -> None:
    """Where one r is all that is allowed, the step is that of generalized least squares, with Student's interval."""
    rng, after = np.random.default_rng(4), np.arange(20) >= 12
    y = np.cumsum(rng.normal(size=20)) * 100 + 5_000
    x = np.column_stack([np.ones(20), np.arange(20), after])
    fit = sm.GLS(y, x, sigma=toeplitz(r ** np.arange(20))).fit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series, "HANG_TOGETHER", np.array([r]))
        found, low, high = series.step(y[None, :], after)
    assert found[0] == pytest.approx(fit.params[2], rel=1e-6)
    assert (low[0], high[0]) == pytest.approx(tuple(fit.conf_int()[2]), rel=1e-5)


@pytest.mark.parametrize("r", [0.0, 0.3, 0.6, 0.9])
def test_a_95_percent_interval_of_a_short_series_holds_the_truth_in_95_of_100(r: float) -> None:
    """Twenty quarters, eight of them after: however far the quarters hang together, of which little can be seen."""
    count, rng, after = 4_000, np.random.default_rng(8), np.arange(20) >= 12
    rest = rng.normal(size=(count, 20))
    rest[:, 0] /= np.sqrt(1 - r * r)
    for t in range(1, 20):
        rest[:, t] += r * rest[:, t - 1]
    _, low, high = series.step(1_000 + 20 * np.arange(20) - 30 * after + 40 * rest, after)
    covered = np.mean((low <= -30) & (high >= -30))
    assert 0.93 <= covered <= 0.98  # over all r alike it is 95 of 100; of each r alone, near it


@pytest.mark.parametrize("people", [1_000, 10_000])
def test_a_shock_to_a_place_is_no_luck_of_persons(people: int) -> None:
    """A shock of 1.6% to each place and year: errors by person are the surer the more people, and the wronger.

    The change of a place's mean is off by 1.6% x sqrt(1/2 + 1/3) of its cost, twice over: the comparison has one too.
    An interval of 1.96 s holds the truth as often as a normal of sd sqrt(s^2 + that^2) lies within it.
    """
    cost = lognormal(40_000, 5, rng=np.random.default_rng(2), lasting=0.8, sigma=1.0)
    there = place(cost, Program(effect=0.0), trigger=2, rng=np.random.default_rng(2), top=0.9)
    d = draw(there, people, 300, rng=np.random.default_rng(3), shock=0.016)
    found = difference_in_differences(d)
    own = found.se.mean()
    whole = np.hypot(own, d.place.expected() * 0.016 * np.sqrt(2 * (1 / 2 + 1 / 3)))
    assert found.saving.std() == pytest.approx(whole, rel=0.12)
    held = 2 * norm.cdf(1.96 * own / whole) - 1
    assert held < (0.92 if people == 1_000 else 0.6)
    assert np.mean((found.low <= 0) & (found.high >= 0)) == pytest.approx(
        held, abs=4 * np.sqrt(held * (1 - held) / 300)
    )
    many = draw(there, people // 10, 300, rng=np.random.default_rng(3), places=8, shock=0.016)
    found = by_place(many)
    assert np.mean((found.low <= 0) & (found.high >= 0)) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 300))


# What the 95% intervals hold of the truth where nobody chooses and the program does nothing.
WITHIN = ["randomized or wait-list", "encouragement", "engaged or not"]  # both arms are of the same places
PAST = ["trend benchmark", "pre-post"]  # the year that picked them is no ordinary one


def test_the_table_of_coverage_is_what_theory_says_of_every_design() -> None:
    count = 500
    there = place(
        lognormal(40_000, 5, rng=np.random.default_rng(2), lasting=0.8, sigma=1.0),
        Program(effect=0.0),
        trigger=2,
        rng=np.random.default_rng(2),
        top=0.5,
    )
    shown = coverage(there, 1_000, [1, 3, 8], count, rng=np.random.default_rng(3), shock=0.05)

    def near(found: float, p: float) -> bool:
        return abs(found - p) < 4 * np.sqrt(p * (1 - p) / count) + 0.005

    for design in WITHIN:
        assert all(near(p, 0.95) for p in shown.loc[(design, "by person")]), design
    for design in PAST:
        assert not any(near(p, 0.95) for p in shown.loc[(design, "by person")]), design
    again = draw(there, 1_000, count, rng=np.random.default_rng(4), shock=0.05)  # a series has no theory so short
    found = DESIGNS["interrupted time series"].judge(again)
    mine = np.mean((found.low <= 0) & (found.high >= 0))
    both = np.sqrt(mine * (1 - mine) * 2 / count)
    assert shown.loc[("interrupted time series", "by person"), 1] == pytest.approx(mine, abs=4 * both)
    for design in ("difference-in-differences", "matched comparison"):
        assert shown.loc[(design, "by person"), 1] < 0.7
        assert np.isnan(shown.loc[(design, "by place"), 1])
        assert np.isnan(shown.loc[(design, "clustered by place"), 1])
        for places in (3, 8):  # of Student's t with as many degrees of freedom as places, less two
            assert near(shown.loc[(design, "by place"), places], 0.95)
            usual = 1 - 2 * student.cdf(-1.96, 2 * places - 2)
            assert near(shown.loc[(design, "clustered by place"), places], usual)
    assert len(shown) == len(DESIGNS) + 4


def test_the_table_of_coverage_drawn_again_by_hand() -> None:
    """One place on either side, three years before and two after, drawn and judged in ten lines without the package."""
    rng, tries, people = np.random.default_rng(6), 1_000, 400
    own = 0.8 * rng.standard_normal((tries, 2, people, 1)) + 0.4 * rng.standard_normal((tries, 2, people, 5))
    cost = np.exp(own) * (1 + 0.05 * rng.standard_normal((tries, 2, 1, 5)))
    change = cost[..., 3:].mean(axis=3) - cost[..., :3].mean(axis=3)
    saving = change[:, 1].mean(axis=1) - change[:, 0].mean(axis=1)
    error = np.sqrt(change.var(axis=2, ddof=1).sum(axis=1) / people)
    by_hand = np.mean(np.abs(saving) < 1.96 * error)
    pool = np.exp(0.8 * rng.standard_normal((40_000, 1)) + 0.4 * rng.standard_normal((40_000, 5)))
    there = place(pool, Program(effect=0.0), trigger=2, rng=rng, top=0.999)
    shown = coverage(there, people, [1], tries, rng=rng, shock=0.05)
    both = np.sqrt(by_hand * (1 - by_hand) * 2 / tries)
    assert shown.loc[("difference-in-differences", "by person"), 1] == pytest.approx(by_hand, abs=4 * both)
    assert by_hand < 0.85


def test_a_step_in_a_straight_line_is_found_exactly() -> None:
    years = np.repeat([-2, -1, 0, 1, 2], 4)
    line = 1_000 + 20 * np.arange(20) - 150 * (years > 0)
    rows = {"person_id": "all", "group": "offered", "year": years, "quarter": np.tile([1, 2, 3, 4], 5)}
    one = pd.DataFrame(rows | {"paid": line, "enrolled": 1, "engaged": 1})
    assert evaluate(one, "interrupted time series")["saving"] == pytest.approx(600)  # 150 a quarter


# --- the sound designs ------------------------------------------------------------------------------------------------

SOUND = ["randomized or wait-list", "encouragement", "difference-in-differences", "matched comparison"]


@pytest.mark.parametrize("design", SOUND)
def test_a_sound_design_is_unbiased_and_covers(design: str) -> None:
    """Where the other place is like this one and all are equally willing, four designs are right."""
    found, truth = DESIGNS[design].judge(draws()), draws().place.truth(DESIGNS[design].estimand)
    # A ratio estimate (encouragement) is off by about sd² x cov(first stage): below a tenth of its sd here.
    slack = 0.1 * found.saving.std() if design == "encouragement" else 0.0
    assert found.saving.mean() == pytest.approx(truth, abs=four_standard_errors(found.saving) + slack)
    covered = np.mean((found.low <= truth) & (truth <= found.high))
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / DRAWS) + 0.005)  # 0.005: the costs are skewed
    assert found.se.mean() == pytest.approx(found.saving.std(), rel=4 / np.sqrt(2 * DRAWS) + 0.05)


@pytest.mark.parametrize("design", ["randomized or wait-list", "encouragement"])
def test_a_lottery_does_not_mind_who_is_willing(design: str) -> None:
    found, truth = DESIGNS[design].judge(draws(SELECTED)), draws(SELECTED).place.truth(DESIGNS[design].estimand)
    slack = 0.1 * found.saving.std() if design == "encouragement" else 0.0
    assert found.saving.mean() == pytest.approx(truth, abs=four_standard_errors(found.saving) + slack)


@pytest.mark.parametrize("design", ["matched comparison", "engaged or not"])
def test_matching_on_cost_does_not_mend_who_chose_to_enroll(design: str) -> None:
    """The willing would have cost less anyway; where nobody chooses, the same design is right."""
    for program, biased in ((SELECTED, True), (PLAIN, False)):
        there, found = draws(program).place, DESIGNS[design].judge(draws(program))
        # Who engages is drawn once for the place: by luck they differ a little from the rest, in every draw alike.
        cost = there.without[there.stays].sum(axis=2)[:, 3:].mean(axis=1)
        luck = 4 * cost.std() / np.sqrt(there.stays.sum() * 0.36 * 0.64)
        far = found.saving.mean() - there.truth(DESIGNS[design].estimand)
        assert (far > np.hypot(four_standard_errors(found.saving), luck)) == biased


# --- the others, and by how much they miss ----------------------------------------------------------------------------


def expected_cost(h: int) -> float:
    """Mean cost h years from the trigger of the dearest TOP of the trigger year, by the bivariate normal."""
    q, rho = norm.isf(TOP), (LASTING + (1 - LASTING) * FADE**h if h else 1.0)
    return MEAN * (1 + TREND) ** (2 + h) * norm.cdf(rho * SIGMA - q) / TOP


def test_the_formula_is_that_of_persistence() -> None:
    rho = LASTING + (1 - LASTING) * FADE
    assert expected_cost(1) / expected_cost(0) == pytest.approx((1 + TREND) * remains(TOP, SIGMA, rho), rel=1e-9)


@pytest.mark.parametrize(("design", "carried"), [("pre-post", 0.0), ("trend benchmark", TREND)])
def test_what_regression_to_the_mean_saves_without_a_program(design: str, carried: float) -> None:
    """No effect at all: the expected "saving" is that of the closed form, and the trend benchmark adds the trend."""
    idle = Program(effect=0.0)
    d = draws(idle, people=400, count=800, leaves=0.0)
    grown = np.mean([(1 + carried) ** h for h in (1, 2)])
    expected = expected_cost(0) * grown - np.mean([expected_cost(1), expected_cost(2)])
    found = DESIGNS[design].judge(d).saving
    there = d.place.without.sum(axis=2)
    own = (there[:, 2] * grown - there[:, 3:].mean(axis=1)).std() / np.sqrt(len(there))  # the pool is a sample too
    assert found.mean() == pytest.approx(expected, abs=np.hypot(four_standard_errors(found), 4 * own))
    assert expected > 0.2 * expected_cost(0)


def test_the_made_up_histories_regress_as_published() -> None:
    """The defaults: next year the dearest 5% cost 44 to 49% less with no program (facts on persistence, a copula of .6
    to .65), before a year's trend."""
    cost = lognormal(400_000, 2, rng=np.random.default_rng(5), trend=0.0)
    top = cost[:, 0] >= np.quantile(cost[:, 0], 0.95)
    assert 0.43 < 1 - cost[top, 1].mean() / cost[top, 0].mean() < 0.50


def test_the_variance_of_difference_in_differences() -> None:
    """The variance of the one group's change, times 1 + 1/k for a comparison k times as large."""
    there = a_place()
    change = there.offered[..., :].sum(axis=2)
    change = (change[:, 3:].mean(axis=1) - change[:, :3].mean(axis=1))[there.stays]
    far = there.elsewhere.sum(axis=2)
    far = (far[:, 3:].mean(axis=1) - far[:, :3].mean(axis=1))[there.stays_elsewhere]
    assert far.var() == pytest.approx(change.var(), rel=0.15)  # alike, but for the effect
    for k in (1.0, 3.0):
        d = draws(people=200, comparison=k)
        stayed = there.stays.mean()
        expected = change.var() / (200 * stayed) + far.var() / (200 * k * stayed)
        found = DESIGNS["difference-in-differences"].judge(d).saving
        assert found.var(ddof=1) == pytest.approx(expected, rel=4 * np.sqrt(2 / DRAWS) + 0.02)
        assert expected == pytest.approx((1 + 1 / k) * far.var() / (200 * stayed), rel=0.15)


def test_a_comparison_picked_by_another_rule_fails_before_the_program_starts() -> None:
    """The event study shows it: years before the trigger differ from it, though nothing had happened."""
    ordinary = draws(people=1_500, count=2, same_rule=False)
    before = event_study(ordinary.panel(0)).set_index("year").loc[-1]
    assert before["low"] > 0
    alike = draws(people=1_500, count=2)
    before = event_study(alike.panel(0)).set_index("year").loc[-1]
    assert abs(before["saving"]) < 4 * before["se"]
    found = DESIGNS["difference-in-differences"].judge(draws(same_rule=False))
    assert found.saving.mean() - ordinary.place.truth("eligible") > four_standard_errors(found.saving)


def test_who_is_kept_is_counted_by_every_design_and_saved_by_none() -> None:
    """One in five leaves each year. Those kept cost three times the others: the lottery books that to the program.

    For the whole pool, by least squares: its stayers and its kept with the program, beside its stayers without it.
    """
    keeping = Program(effect=0.3, keeps=1.0, kept_cost=3.0)
    plain, kept = a_place(leaves=0.2), a_place(keeping, leaves=0.2)
    assert (kept.kept == (kept.engages & ~kept.stays)).all()
    assert not plain.kept.any()
    assert kept.truth("eligible") == pytest.approx(plain.truth("eligible"), rel=1e-9)
    usual = kept.without.sum(axis=2)[kept.stays].mean(axis=0)
    gone = np.isnan(plain.without.sum(axis=2))[kept.kept]
    assert kept.without.sum(axis=2)[kept.kept][gone] == pytest.approx(np.tile(3 * usual, (len(gone), 1))[gone])
    with_it, without = kept.offered.sum(axis=2)[kept.stays | kept.kept], kept.without.sum(axis=2)[kept.stays]
    both = np.concatenate([with_it, without])
    x = np.column_stack([np.ones(len(both)), np.arange(len(both)) < len(with_it), both[:, 2]])
    limit = -np.linalg.lstsq(x, both[:, 3:].mean(axis=1), rcond=None)[0][1]
    found = DESIGNS["randomized or wait-list"].judge(draws(keeping, leaves=0.2)).saving
    assert found.mean() == pytest.approx(limit, abs=four_standard_errors(found))
    assert limit < kept.truth("eligible") - 4 * four_standard_errors(found)


# --- the estimand -----------------------------------------------------------------------------------------------------


def test_the_effect_on_the_eligible_is_the_share_engaged_times_the_effect_on_the_engaged() -> None:
    there = a_place()
    engaged = (there.engages & there.stays).sum() / there.stays.sum()
    assert there.truth("eligible") == pytest.approx(engaged * there.truth("engaged"), rel=1e-12)
    assert engaged == pytest.approx(0.36, abs=4 * np.sqrt(0.36 * 0.64 / there.stays.sum()))
    spent = there.without.sum(axis=2)[there.engages & there.stays][:, 3:].mean()
    assert there.truth("engaged") == pytest.approx(0.3 * spent, rel=1e-12)


def test_the_instrument_is_the_effect_of_asking_over_the_engagement_it_brings() -> None:
    """ITT / share who engage because they were asked, for the same people and the same adjustment: an identity."""
    from carecontracts.evaluation.designs import _after, _both, _fit, _side, _terms, _trigger

    d = draws(SELECTED, people=250, count=5)
    who = _both(d.offered.stays, d.unasked.stays)
    base = _both(_trigger(d.offered, d.place), _trigger(d.unasked, d.place))
    asked = _terms(_side(d.offered, d.unasked), base)
    cost, _ = _fit(_both(_after(d.offered, d.place), _after(d.unasked, d.place)), asked, who)
    engaged, _ = _fit(_both(d.offered.engaged, d.unasked.engaged).astype(float), asked, who)
    assert DESIGNS["encouragement"].judge(d).saving == pytest.approx(-cost[:, 1] / engaged[:, 1], rel=1e-8)


def test_enrolling_that_helps_by_itself_breaks_the_instrument() -> None:
    """The saving of the enrolled who do not engage is booked to those who do."""
    d = draws(Program(effect=0.3, enrolled_effect=0.2))
    found = DESIGNS["encouragement"].judge(d).saving
    assert found.mean() - d.place.truth("engaged") > four_standard_errors(found)


def test_only_who_was_there_up_to_the_trigger_year_is_picked() -> None:
    """Of ten people the dearest tenth: who came in the trigger year and cost most is none of them; who leaves is."""
    cost = np.tile(np.arange(1.0, 11.0)[:, None], (1, 4))  # the first costs 1 a year, the last 10
    cost[0] = [np.nan, np.nan, 99.0, 99.0]
    cost[9, 3] = np.nan
    there = place(cost, Program(), trigger=2, rng=np.random.default_rng(1), top=0.1)
    assert there.without.sum(axis=2)[0, :3].tolist() == pytest.approx([10, 10, 10])
    assert there.stays.tolist() == [False]


# --- the money --------------------------------------------------------------------------------------------------------


def test_what_a_design_pays_is_what_the_contract_says() -> None:
    d = draws(people=150, count=40)
    contract = Contract.parse(CONTRACT)
    found = DESIGNS["randomized or wait-list"].judge(d)
    spend = np.nansum(d.offered.cost[:, :, 3:].mean(axis=2), axis=1)
    saved = found.saving * found.people
    by_hand = np.where((saved > 0) & (saved >= 0.02 * (spend + saved)), 0.5 * saved, 0.0)
    assert paid(d, "randomized or wait-list", contract) == pytest.approx(by_hand, abs=0.01)
    proved = paid(d, "randomized or wait-list", contract, proved=True)
    assert proved == pytest.approx(np.where(found.low > 0, by_hand, 0.0), abs=0.01)
    assert 0 < (proved > 0).sum() < (by_hand > 0).sum()


def test_a_program_that_does_nothing_is_paid_for_regression_to_the_mean() -> None:
    d = draws(Program(effect=0.0), people=300, count=200)
    contract = Contract.parse(CONTRACT)
    assert (paid(d, "pre-post", contract) > 0).all()
    assert (paid(d, "randomized or wait-list", contract) > 0).mean() < 0.6


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        Program(reach=60, engagement=-0.1, keeps=2, kept_cost=-1)
    assert len(refusal.value.faults) == 4
    with pytest.raises(Refusal, match="trigger year"):
        place(np.ones((10, 3)), Program(), trigger=2, rng=np.random.default_rng(1))
    with pytest.raises(Refusal, match="person_id, year and paid"):
        histories(pd.DataFrame({"person_id": [1]}))
    with pytest.raises(Refusal, match="did you mean 'pre-post'"):
        evaluate(pd.DataFrame(), "pre-pots")
    with pytest.raises(Refusal, match="column") as refusal:
        evaluate(pd.DataFrame({"person_id": []}), "interrupted time series")
    assert len(refusal.value.faults) == 6
    with pytest.raises(Refusal, match="did you mean"):
        paid(draws(people=150, count=40), "randomised or wait-list", Contract.parse(CONTRACT))
