"""Persistence: the closed forms against published figures, against each other and against draws."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecontracts.evaluation.persistence import (
    Factor,
    correlation_from,
    credible,
    factor_from,
    remains,
    spread_from,
    stays,
)
from carecontracts.refusal import Refusal

DRAWS = 400_000


def three_years(correlation, two_years, spread, seed=1):
    """Lognormal costs of three years with these correlations between their logs."""
    each = [[1, correlation, two_years], [correlation, 1, correlation], [two_years, correlation, 1]]
    scores = np.random.default_rng(seed).multivariate_normal(np.zeros(3), each, DRAWS)
    return np.exp(spread * scores)


def test_it_gives_the_published_persistence_of_the_united_states():
    """30% of the top 5% stay, 45% are in the top 10% (Monheit 2003); of the top 1%, 14% to 25% stay (AHRQ)."""
    rho = correlation_from(0.05, 0.30)
    assert stays(0.05, rho) == pytest.approx(0.30, abs=1e-6)
    assert stays(0.05, rho, then=0.10) == pytest.approx(0.45, abs=0.025)
    assert 0.14 < stays(0.01, rho) < 0.25


@pytest.mark.parametrize(("top", "low", "high"), [(0.01, 0.57, 0.63), (0.05, 0.44, 0.49), (0.10, 0.35, 0.41)])
def test_the_fall_at_the_correlations_that_surveys_imply(top, low, high):
    falls = [1 - remains(top, 1.57, rho) for rho in (0.65, 0.60)]
    assert low <= falls[0] + 0.01
    assert falls[1] - 0.01 <= high


@pytest.mark.parametrize("two_years", [0.62, 0.50, 0.62**2])
def test_the_closed_forms_agree_with_draws(two_years):
    """The standard error of the drawn ratio is from the draws themselves; four of them is the bound."""
    cost = three_years(0.62, two_years, 1.2)
    high = cost > np.quantile(cost, 0.9, axis=0)
    for chosen, closed in (
        (high[:, 1], remains(0.10, 1.2, 0.62)),
        (high[:, 0] & high[:, 1], remains(0.10, 1.2, 0.62, two_years=two_years)),
    ):
        drawn = factor_from(cost[chosen, 1], cost[chosen, 2])
        assert abs(drawn.factor - closed) < 4 * drawn.standard_error
    stayed = high[high[:, 0], 1].mean()
    assert abs(stayed - stays(0.10, 0.62)) < 4 * np.sqrt(0.25 / high[:, 0].sum())


def test_a_second_year_helps_only_where_need_stands():
    once = remains(0.05, 1.57, 0.62)
    assert remains(0.05, 1.57, 0.62, two_years=0.62) > once + 0.1
    assert remains(0.05, 1.57, 0.62, two_years=0.62**2) < once


@given(top=st.floats(0.005, 0.3), spread=st.floats(0.3, 2), rho=st.floats(0, 0.98))
def test_more_persistence_is_a_smaller_fall(top, spread, rho):
    left = remains(top, spread, rho)
    assert 0 < left < 1
    assert left < remains(top, spread, rho + 0.01)
    assert stays(top, rho) < stays(top, rho + 0.01)


@given(top=st.floats(0.01, 0.3), rho=st.floats(0.1, 0.95))
def test_the_correlation_comes_back(top, rho):
    assert correlation_from(top, stays(top, rho)) == pytest.approx(rho, abs=1e-5)


@given(top=st.floats(0.01, 0.3), more=st.floats(0.05, 0.6))
def test_the_spread_comes_back(top, more):
    share = min(0.95, top + more)
    spread = spread_from(top, share)
    # with nothing lasting, next year's average is everyone's: what remains is the group's size over its share of cost
    assert remains(top, spread, 0) == pytest.approx(top / share)


def test_the_error_of_a_factor_is_what_repeated_cohorts_show():
    rng = np.random.default_rng(7)
    factors, errors = [], []
    for _ in range(600):
        z = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 200)
        factor = factor_from(*np.exp(z).T)
        factors.append(factor.factor)
        errors.append(factor.standard_error)
    # 600 repeats know a standard deviation to 1/sqrt(1200) = 3%; a delta-method error is a few percent low
    assert np.mean(errors) == pytest.approx(np.std(factors), rel=0.15)


def test_two_estimates_meet_in_between():
    mixed = credible(Factor(0.4, 0.05, 50), 0.6, 0.05)
    assert mixed.factor == pytest.approx(0.5)
    assert mixed.standard_error == pytest.approx(0.05 / np.sqrt(2))


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: stays(5, 0.6), "top"),
        (lambda: stays(0.05, 1.2), "correlation"),
        (lambda: spread_from(0.1, 0.05), "share"),
        (lambda: correlation_from(0.1, 0.1), "stayed"),
        (lambda: remains(0.05, 1.5, 0.9, two_years=0.1), "two_years"),
        (lambda: factor_from([1, 2], [1]), "factor"),
        (lambda: factor_from([0, 0], [1, 1]), "factor"),
    ],
)
def test_what_cannot_be_is_refused(call, where):
    with pytest.raises(Refusal) as refused:
        call()
    assert where in refused.value.faults[0].where


def test_cms_s_synthetic_medicare_sample_falls_by_itself(sample):
    """DE-SynPUF, 498 people, 2008 to 2009: 38% of the top tenth stay; their cost falls 48% while all rise 12%."""
    people = pd.read_parquet(sample / "claimsdb_bene.parquet")
    people["paid"] = people[["MEDREIMB_IP", "MEDREIMB_OP", "MEDREIMB_CAR"]].sum(axis=1)  # what Medicare paid
    cost = people.pivot(index="DESYNPUF_ID", columns="BENE_YEAR", values="paid").dropna()
    assert len(cost) == 498
    top = cost.rank(ascending=False, method="first") <= round(len(cost) / 10)
    assert (top[2008] & top[2009]).sum() / top[2008].sum() == pytest.approx(0.38)
    assert cost.corr().loc[2008, 2009] == pytest.approx(0.45, abs=0.005)
    fell = factor_from(cost[2008][top[2008]].tolist(), cost[2009][top[2008]].tolist())
    assert 1 - fell.factor == pytest.approx(0.48, abs=0.005)
    assert cost[2009].mean() / cost[2008].mean() - 1 == pytest.approx(0.12, abs=0.005)
