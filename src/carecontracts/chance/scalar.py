"""How numbers are drawn with the standard library alone: for a page, and for what must be the same in every place.

The laws are those of `arrays`. The total of a panel is its exact law on a coarser lattice; a large count, and the many
small costs of members below an attachment point, follow a normal law with their skewness (Cornish and Fisher's first
term). A test holds both ways of drawing together on every contract of the gallery.
"""

import cmath
import heapq
import math
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate, pairwise
from random import Random
from typing import Any

from .draws import Draws, joined
from .noise import STANDARD, Costs, under

FINE = 12  # steps of the lattice in one member's standard deviation: adds 1 / 576 to the variance at most
RARE = 1e-7  # the chance of a cost so large that the lattice leaves it out, for a whole panel
WIDE = 11  # standard deviations of the total on either side of its mean
LARGE = 50_000  # people, from whom on the total is as good as normal with its skewness
MANY = 60.0  # of variance, from which on a count is
NOISE = 1e-11  # a chance that the transform's own rounding could make; it differs from one machine to another
LEAST = 1e-16  # a quantile of zero is none


class Scalar:
    """So many draws, one number after another."""

    def __init__(self, rng: Random, draws: int) -> None:
        self.rng, self.draws = rng, draws

    def normal(self) -> Draws:
        return self.uniform().each(STANDARD.inv_cdf)

    def uniform(self) -> Draws:
        draw = self.rng.random
        return Draws(draw() or LEAST for _ in range(self.draws))

    def poisson(self, mean: float) -> Draws:
        return self.count(mean, 1.0, self.uniform())

    def binomial(self, count: Any, share: float) -> Draws:
        """Of so many in each draw, how many it is."""
        counts = (count if isinstance(count, Draws) else self.full(count)).values
        return Draws(
            _binomial(int(n), share)(u) if n else 0.0 for n, u in zip(counts, self.uniform().values, strict=True)
        )

    def full(self, value: Any) -> Draws:
        """The value in every draw, where it is not one for each already."""
        return value if isinstance(value, Draws) else Draws([float(value)] * self.draws)

    def years(self, amounts: list[Draws]) -> Draws:
        """The draws of all years."""
        return joined(amounts)

    @staticmethod
    def exp(x: Draws) -> Draws:
        return x.each(math.exp)

    @staticmethod
    def whole(x: Draws) -> Draws:
        return x.each(round)

    @staticmethod
    def below(z: Draws) -> Draws:
        """The share of a normal law that lies below."""
        return z.each(under)

    @staticmethod
    def quantile(values: Draws, share: float) -> float:
        return values.quantile(share)

    @staticmethod
    def total(cv: float, lives: int, cap: float, u: Draws) -> Draws:
        """What so many people cost together, over what they cost on average, at the quantiles `u`."""
        return u.each(_total_of(cv, lives, cap))

    def members(self, costs: Costs, lives: int, cap: float, kept: int, z: Draws) -> tuple[Draws, list[Draws]]:
        """Totals over their mean from members, each counted up to a cap, and each draw's largest costs.

        Members above a line are drawn one by one, about as many as are kept; all below it together. They are put in the
        order of `z`, so that years stay correlated.
        """
        share = min(costs.above(0.0), kept / lives)
        line = costs.quantile(1 - share)
        of_all = [_below(costs, k, line, cap) / (1 - share) for k in (1, 2, 3)] if share < 1 else [0.0, 0.0, 0.0]
        mean, variance = of_all[0], of_all[1] - of_all[0] ** 2
        skew = (of_all[2] - 3 * of_all[0] * variance - of_all[0] ** 3) / variance**1.5 if variance > 0 else 0.0
        drawn = []
        for above in self.binomial(lives, share).values:
            dear = [costs.quantile(1 - share * (self.rng.random() or LEAST)) for _ in range(int(above))]
            others = lives - len(dear)
            rest = 0.0
            if others and variance > 0:
                at = _skewed(STANDARD.inv_cdf(self.rng.random() or LEAST), skew / math.sqrt(others))
                rest = max(others * mean + math.sqrt(others * variance) * at, 0.0)
            top = heapq.nlargest(kept, dear)
            drawn.append((rest + sum(min(cost, cap) for cost in dear), top + [0.0] * (kept - len(top))))
        drawn.sort()
        order = sorted(range(self.draws), key=z.values.__getitem__)
        placed = [drawn[0]] * self.draws
        for each, at in zip(drawn, order, strict=True):
            placed[at] = each
        whole = lives * costs.moment(1, cap)
        return Draws(total / whole for total, _ in placed), [Draws(top[k] for _, top in placed) for k in range(kept)]

    @staticmethod
    def count(mean: float, clumps: float, u: Draws) -> Draws:
        """A count with this mean and `clumps` times its variance, at the quantiles u: negative binomial, or Poisson."""
        return u.each(_count(mean, clumps)) if mean > 0 else Draws([0.0] * len(u))


# --- laws, as functions of a quantile ---------------------------------------------------------------------------------

Law = Callable[[float], float]


def _skewed(z: float, skew: float) -> float:
    """A normal quantile, moved by a law's skewness."""
    return z + skew / 6 * (z * z - 1)


def _near_normal(mean: float, sd: float, skew: float, most: float = math.inf) -> Law:
    return lambda u: min(max(math.floor(mean + sd * _skewed(STANDARD.inv_cdf(u), skew) + 0.5), 0), most) * 1.0


def _table(first: int, chances: list[float]) -> Law:
    upto = list(accumulate(chances))
    last = len(upto) - 1
    return lambda u: float(first + min(bisect_left(upto, u), last))


@lru_cache(maxsize=64)
def _count(mean: float, clumps: float) -> Law:
    sd = math.sqrt(mean * clumps)
    if mean * clumps > MANY and sd < mean / 3:
        return _near_normal(mean, sd, (2 * clumps - 1) / sd)
    high = math.ceil(mean + 12 * sd + 12 * clumps)
    if clumps == 1:
        chances = [math.exp(-mean)]
        for k in range(1, high + 1):
            chances.append(chances[-1] * mean / k)
    else:
        size, stays = mean / (clumps - 1), 1 - 1 / clumps
        chances = [clumps**-size]
        for k in range(1, high + 1):
            chances.append(chances[-1] * stays * (size + k - 1) / k)
    return _table(0, chances)


@lru_cache(maxsize=4096)
def _binomial(count: int, share: float) -> Law:
    variance = count * share * (1 - share)
    if share >= 1:
        return lambda u: float(count)
    if variance > MANY:
        sd = math.sqrt(variance)
        return _near_normal(count * share, sd, (1 - 2 * share) / sd, count)
    if share > 0.5:
        fewer = _binomial(count, 1 - share)
        return lambda u: count - fewer(1 - u)
    chances = [(1 - share) ** count]
    for k in range(1, min(count, math.ceil(count * share + 12 * math.sqrt(variance) + 12)) + 1):
        chances.append(chances[-1] * share / (1 - share) * (count - k + 1) / k)
    return _table(0, chances)


@lru_cache(maxsize=8)
def _total_of(cv: float, lives: int, cap: float) -> Law:
    """What people who cost 1 each on average cost together, over its mean: by Fourier transform, as `convolution`."""
    costs = Costs.with_cv(1.0, cv)
    cap = min(cap, costs.quantile(1 - RARE / lives))
    mean, spread = costs.moment(1, cap), costs.cv(cap)
    if lives > LARGE:
        sd, skew = spread / math.sqrt(lives), costs.skew(cap) / math.sqrt(lives)
        return lambda u: max(1 + sd * _skewed(STANDARD.inv_cdf(u), skew), 0.0)
    step = spread * mean / FINE
    one = _lattice(costs, cap, step)
    # Round a circle that is longer than the total is wide, its place on the circle tells the total.
    wide = math.ceil(WIDE * FINE * math.sqrt(lives))
    size = 1 << math.ceil(math.log2(2 * wide + len(one)))
    middle = math.floor(mean * lives / step)
    first = max(middle - wide, 0)
    folded = [0.0] * size
    for k, chance in enumerate(one):
        folded[k % size] += chance
    back = _transform([(value**lives).conjugate() for value in _transform(folded)])
    chances = [back[(first + k) % size].real / size for k in range(size)]
    chances = [chance if chance > NOISE else 0.0 for chance in chances]
    whole = math.fsum(chances)
    upto = [each / whole for each in accumulate(chances)]
    expected = lives * math.fsum(k * chance for k, chance in enumerate(one))
    return lambda u: (first + min(bisect_left(upto, u), size - 1)) / expected


def _lattice(costs: Costs, cap: float, step: float) -> list[float]:
    """One member's cost on a lattice that keeps its mean, from the mean cost above each cell."""
    above = [_mean_above(costs, min(k * step, cap)) for k in range(math.ceil(cap / step) + 2)]
    falls = [(a - b) / step for a, b in pairwise(above)]
    one = [1 - falls[0], *(a - b for a, b in pairwise(falls)), falls[-1]]
    positive = [max(chance, 0.0) for chance in one]
    whole = math.fsum(positive)
    return [chance / whole for chance in positive]


def _mean_above(costs: Costs, x: float) -> float:
    """E[max(X - x, 0)]"""
    if x <= 0:
        return costs.moment(1)
    d = (math.log(x) - costs.mu) / costs.sigma
    mean = math.exp(costs.mu + costs.sigma**2 / 2)
    return (1 - costs.zeros) * (mean * under(costs.sigma - d) - x * under(-d))


def _below(costs: Costs, k: int, line: float, cap: float) -> float:
    """E[min(X, cap)^k; X <= line]"""
    if cap >= line:
        return costs.moment(k, line) - line**k * costs.above(line)
    return costs.moment(k, cap) - cap**k * costs.above(line)


def _transform(values: list[Any]) -> list[complex]:
    """The discrete Fourier transform of so many values, a power of two.

    >>> [round(abs(value), 9) for value in _transform([1.0, 0.0, 0.0, 0.0])]
    [1.0, 1.0, 1.0, 1.0]
    """
    count = len(values)
    if count == 1:
        return [complex(values[0])]
    even, odd = _transform(values[::2]), _transform(values[1::2])
    turned = [turn * value for turn, value in zip(_turns(count), odd, strict=True)]
    sums = [a + b for a, b in zip(even, turned, strict=True)]
    return sums + [a - b for a, b in zip(even, turned, strict=True)]


@lru_cache(maxsize=32)
def _turns(count: int) -> list[complex]:
    return [cmath.exp(-2j * math.pi * k / count) for k in range(count // 2)]
