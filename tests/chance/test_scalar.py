"""Chance with the standard library alone: the same laws as with numpy, on every contract of the gallery."""

import math
from random import Random

import numpy as np
import pytest
from scipy import stats

from carecontracts import Contract, gallery
from carecontracts.chance import convolution
from carecontracts.chance.arrays import Arrays
from carecontracts.chance.assumed import take
from carecontracts.chance.draws import Draws
from carecontracts.chance.noise import Costs
from carecontracts.chance.scalar import Scalar
from carecontracts.chance.simulate import simulate
from carecontracts.gallery import gallery_names
from carecontracts.units import cents, least, most, when

# One comparison in 150,000 lies further out by luck, and there are about a thousand; the seeds are fixed.
FAR = 4.5
SHARES = Draws([0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999])


@pytest.mark.parametrize("name", gallery_names())
def test_every_contract_pays_alike_within_the_luck_of_drawing(name):
    """What each clause pays in each year on average, and how often it does, drawn either way."""
    agreed = Contract.load(gallery(name))
    if agreed.first_year_months != 12:
        pytest.skip("luck is reckoned in years of twelve months")
    taken = take(agreed, line="medicaid", complex_care=True)
    many, few = 4_000, 1_500
    by_arrays = simulate(agreed, taken.years, rng=np.random.default_rng(7), draws=many, luck=taken.luck)
    by_one = simulate(agreed, taken.years, rng=Random(7), draws=few, luck=taken.luck)
    for clause in agreed.clauses:
        pairs = zip(by_arrays.by_year(clause.name), by_one.by_year(clause.name), strict=True)
        for n, (arrays, one) in enumerate(pairs):
            where = f"{clause.name}, year {n + 1}"
            luck = math.hypot(arrays.std() / math.sqrt(many), one.std() / math.sqrt(few))
            assert abs(arrays.mean() - one.mean()) <= FAR * luck + 0.01, where
            often = float((arrays > 0).mean()), (one > 0).mean()
            both = (often[0] * many + often[1] * few) / (many + few)
            luck = math.sqrt(max(both * (1 - both), 1 / few) * (1 / many + 1 / few))
            assert abs(often[0] - often[1]) <= FAR * luck, where


@pytest.mark.parametrize(("mean", "clumps"), [(0.3, 1), (8, 1), (5_000, 1), (3, 2), (50, 12), (300, 2), (9e4, 70)])
def test_a_count_is_that_of_its_law(mean, clumps):
    law = stats.poisson(mean) if clumps == 1 else stats.nbinom(mean / (clumps - 1), 1 / clumps)
    for u, count in zip(SHARES.values, Scalar.count(mean, clumps, SHARES).values, strict=True):
        # As good as the law itself where it is small; a hundredth of its standard deviation, or one, where it is large.
        assert abs(count - law.ppf(u)) <= max(1, 0.03 * law.std()) * (law.var() > 60), (u, count)


@pytest.mark.parametrize(
    ("count", "share"), [(1, 0.3), (20, 0.5), (40, 0.97), (200, 0.9), (5_000, 0.004), (40_000, 0.6)]
)
def test_of_so_many_as_many_as_the_law_says(count, share):
    scalar = Scalar(Random(3), 4_000)
    drawn = scalar.binomial(count, share)
    law = stats.binom(count, share)
    assert abs(drawn.mean() - law.mean()) <= FAR * law.std() / math.sqrt(4_000) + 1e-9
    assert drawn.std() == pytest.approx(law.std(), rel=0.06)
    assert 0 <= drawn.min() <= drawn.max() <= count


@pytest.mark.parametrize(("cv", "lives"), [(0.45, 50), (1.7, 500), (2.15, 5_000), (3.2, 300), (2.15, 100_000)])
def test_what_a_panel_costs_is_the_exact_law_on_a_coarser_lattice(cv, lives):
    """Each quantile within 2% of the total's standard deviation: far less than what 2,000 draws can tell apart."""
    exact = convolution.total(Costs.with_cv(1.0, cv), lives)
    sd = exact.sd / exact.mean
    mine = Scalar.total(cv, lives, math.inf, SHARES)
    for u, value in zip(SHARES.values, mine.values, strict=True):
        far = 0.02 if u < 0.995 else 0.06
        assert abs(value - float(exact.quantile(u)) / exact.mean) <= far * sd, u


@pytest.mark.parametrize(("cv", "lives", "cap", "kept"), [(2.0, 600, math.inf, 30), (1.2, 300, 90_000.0, 300)])
def test_members_cost_alike_drawn_either_way(cv, lives, cap, kept):
    costs, draws = Costs.with_cv(24_000, cv), 3_000
    z = np.random.default_rng(1).standard_normal(draws)
    totals, tops = Arrays(np.random.default_rng(2), draws).members(costs, lives, cap, kept, z)
    mine, mine_tops = Scalar(Random(2), draws).members(costs, lives, cap, kept, Draws(z.tolist()))
    luck = FAR * math.hypot(totals.std(), mine.std()) / math.sqrt(draws)
    assert abs(totals.mean() - mine.mean()) <= luck
    assert mine.std() == pytest.approx(totals.std(), rel=0.15)
    largest = [max(each) for each in zip(*(top.values for top in mine_tops), strict=True)]
    assert np.median(largest) == pytest.approx(np.median(np.max(tops, axis=0)), rel=0.06)
    # The year's luck decides the order: who has a bad one has it in both.
    assert np.corrcoef(np.argsort(np.argsort(z)), np.argsort(np.argsort(mine.values)))[0, 1] > 0.999


def test_the_arithmetic_of_a_contract_is_that_of_numbers():
    numbers = [-1.5, 0.0, 0.005, 2.675, 1e6]
    draws = Draws(numbers)
    for ours, plain in [
        (least(draws, 1.0), [min(x, 1.0) for x in numbers]),
        (most(0, draws), [max(0, x) for x in numbers]),
        (when(draws > 0, draws, 0.0), [x if x > 0 else 0.0 for x in numbers]),
        (when(draws > 0, 7, draws), [7 if x > 0 else x for x in numbers]),
        (cents(draws), [cents(x) for x in numbers]),
        (2 / (draws + 3) - -draws * 3, [2 / (x + 3) - -x * 3 for x in numbers]),
        (when((draws > 0) & (draws <= 1), 1, 0), [0, 0, 1, 0, 0]),
    ]:
        assert ours.values == plain
    assert (draws / 0.0).values[0] == -math.inf
    with pytest.raises(TypeError, match="one answer for each draw"):
        bool(draws > 0)


def test_the_same_seed_draws_the_same():
    agreed = Contract.load(gallery("medicaid-shared-savings"))
    nets = [simulate(agreed, draws=50, rng=Random(4)).net(agreed.payer).values for _ in range(2)]
    assert nets[0] == nets[1]
