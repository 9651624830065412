"""The exact distribution of what a panel costs, by Fourier transform: no sampling error, and the tail as it is.

Members are independent; what moves them together is mixed in as a common shock.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import ndtr

from ..refusal import Fault, Refusal, show
from .noise import HAIR, Costs, Odds, Sharing

FINE = 50  # steps of the lattice in one member's standard deviation: adds at most 1 / 10,000 to the variance
RARE = 1e-10  # the chance of a cost so large that the lattice leaves it out, for a whole panel
WRAPPED = 1e-9  # the most of the mean that may have run off the lattice's end
LARGEST = 2**23  # cells
MOST_NODES = 100


@dataclass(frozen=True)
class Totals:
    """What a panel may cost in a year, and how likely each amount is."""

    values: Any  # dollars, rising
    chances: Any  # of each; they sum to 1

    @cached_property
    def mean(self) -> float:
        return float(self.values @ self.chances)

    @property
    def sd(self) -> float:
        return math.sqrt(float((self.values - self.mean) ** 2 @ self.chances))

    def quantile(self, p: Any) -> Any:
        """The total that a share p of years does not exceed; takes arrays."""
        upto = self._running[0][1:]
        return self.values[np.minimum(np.searchsorted(upto, np.asarray(p) * upto[-1]), len(upto) - 1)]

    def equally_likely(self, count: int) -> Any:
        """So many totals, each as likely as any other: the middles of as many equal parts of chance."""
        return self.quantile((np.arange(count) + 0.5) / count)

    def odds(self, sharing: Sharing, benchmark: float | None = None, effect: float = 0.0) -> Odds:
        """What an arrangement pays, when a program takes `effect` off every total; the benchmark is else the mean.

        Tails come from running sums, so a thousand arrangements cost little more than one.
        """
        expected = self.mean if benchmark is None else benchmark

        # S = 1 - (1 - effect) total / expected reaches x where the total is at most (1 - x) expected / (1 - effect)
        def saved(x: float) -> tuple[float, float]:
            upto = int(np.searchsorted(self.values, _level(x - HAIR, expected, effect), side="right"))
            g, t = self._running[0][upto], self._running[1][upto]
            return float(g), float(g - (1 - effect) / expected * t)

        def lost(x: float) -> tuple[float, float]:
            first = int(np.searchsorted(self.values, _level(-x + HAIR, expected, effect), side="left"))
            g = self._running[0][-1] - self._running[0][first]
            t = self._running[1][-1] - self._running[1][first]
            return float(g), float((1 - effect) / expected * t - g)

        return sharing.odds_over(saved, lost)

    @cached_property
    def _running(self) -> tuple[Any, Any]:
        """P(total among the first k values), and E[total; among them]."""
        chances = np.concatenate([[0.0], np.cumsum(self.chances)])
        return chances, np.concatenate([[0.0], np.cumsum(self.chances * self.values)])


def _level(x: float, expected: float, effect: float) -> float:
    return (1 - x) * expected / (1 - effect)


def total(costs: Any, lives: int, *, cap: float = math.inf, common: float = 0.0, step: float | None = None) -> Totals:
    """What `lives` people cost together.

    `costs` is a `Costs`, or an array of members' yearly costs, each as likely as another. Each member's cost counts up
    to `cap`. `common` is the standard deviation of a shock that multiplies everyone's cost (lognormal, mean 1).

    One member's cost is put on a lattice of `step` dollars so that its mean is kept: with A(x) = E[max(X - x, 0)], the
    mass at k is (A((k-1) step) - 2 A(k step) + A((k+1) step)) / step. The transform of the panel is that of one member
    to the power of `lives`. What runs off the lattice's end comes back at its start, which lowers the mean by the
    lattice's length each time; so the mean itself says how much did, and the lattice is made longer until none does.

    >>> panel = total(Costs(mean=6_800), 20_000, cap=250_000)
    >>> round(panel.mean / (20_000 * Costs(mean=6_800).moment(1, 250_000)), 6), round(panel.sd / panel.mean, 4)
    (1.0, 0.019)
    """
    _check(lives, cap, common)
    if isinstance(costs, Costs):
        cap = min(cap, costs.quantile(1 - RARE / lives))
        step = step or costs.cv(cap) * costs.moment(1, cap) / FINE
        _room(math.ceil(cap / step), lives)
        one = _of_model(costs, cap, step)
    else:
        sample = _sample(costs, cap)
        step = step or float(sample.std() or sample.mean()) / FINE
        _room(math.ceil(sample.max() / step), lives)
        one = _of_sample(sample, step)
    cells = np.arange(len(one)) * step
    mean = float(one @ cells) * lives
    sd = math.sqrt(max(float(one @ cells**2) - (mean / lives) ** 2, 0.0) * lives)
    size = 2 ** math.ceil(math.log2((mean + 10 * sd) / step + len(one)))
    while True:
        _room(size, lives)
        chances = np.fft.irfft(np.fft.rfft(one, size) ** lives, size)
        values = np.arange(size) * step
        if abs(float(chances @ values) - mean) <= WRAPPED * mean:
            break
        size *= 2
    kept = np.flatnonzero(chances > 1e-15)
    values, chances = values[kept[0] : kept[-1] + 1], np.clip(chances[kept[0] : kept[-1] + 1], 0, None)
    chances /= chances.sum()
    return _mixed(Totals(values, chances), common) if common else Totals(values, chances)


def _of_model(costs: Costs, cap: float, step: float) -> Any:
    """One member's cost on the lattice, from the mean cost above each cell."""
    above = _mean_above(costs, np.minimum(np.arange(math.ceil(cap / step) + 2) * step, cap))
    falls = -np.diff(above) / step
    one = np.concatenate([[1 - falls[0]], -np.diff(falls), [falls[-1]]]).clip(0)
    return one / one.sum()


def _of_sample(sample: Any, step: float) -> Any:
    """One member's cost on the lattice, each cost split between its two neighbors so that its mean is kept."""
    cell, part = np.divmod(sample / step, 1)
    k = cell.astype(int)
    size = int(k.max()) + 2
    return (np.bincount(k, 1 - part, size) + np.bincount(k + 1, part, size)) / len(sample)


def _sample(costs: Any, cap: float) -> Any:
    sample = np.minimum(np.asarray(costs, dtype=float), cap)
    if sample.ndim != 1 or not len(sample) or not (sample >= 0).all() or not sample.any():
        raise Refusal([Fault("costs", show(costs), "members' yearly costs, 0 or more, not all 0", "correct them")])
    return sample


def _room(size: int, lives: int) -> None:
    if size > LARGEST:
        given = f"a lattice of {size:,} cells for {lives:,} lives"
        do = "give a larger `step`, a `cap`, or use the closed form, which is close at this size"
        raise Refusal([Fault("step", given, f"at most {LARGEST:,}", do)])


def _mean_above(costs: Costs, points: Any) -> Any:
    """E[max(X - x, 0)] at each point: in the tail this keeps the digits that a mean below x would lose."""
    with np.errstate(divide="ignore"):
        d = (np.log(points) - costs.mu) / costs.sigma
    mean = math.exp(costs.mu + costs.sigma**2 / 2)
    return (1 - costs.zeros) * (mean * ndtr(costs.sigma - d) - points * ndtr(-d))


def _mixed(totals: Totals, common: float) -> Totals:
    """The totals under every common shock, by Gauss-Hermite quadrature.

    The nodes must lie closer together than the totals are wide, or the mixture has gaps: k nodes lie about
    pi / sqrt(2 k) standard deviations apart near the middle.
    """
    sigma = math.sqrt(math.log(1 + common**2))
    nodes = max(16, math.ceil((math.pi * sigma * totals.mean / totals.sd) ** 2 / 2))
    if nodes > MOST_NODES:
        given = f"{common:.2%}, and {totals.sd / totals.mean:.2%} from the members"
        do = "use the closed form: at this size the common shock is nearly all there is"
        raise Refusal([Fault("common", given, "a common shock of at most 4.5 times the members' spread", do)])
    z, weights = hermegauss(nodes)
    shocks, weights = np.exp(sigma * z - sigma**2 / 2), weights / weights.sum()
    likely = totals.chances > 1e-13
    values = np.outer(shocks, totals.values[likely]).ravel()
    chances = np.outer(weights, totals.chances[likely]).ravel()
    order = np.argsort(values)
    return Totals(values[order], chances[order] / chances.sum())


def _check(lives: int, cap: float, common: float) -> None:
    whole = isinstance(lives, (int, np.integer)) and lives >= 1
    faults = [] if whole else [Fault("lives", show(lives), "a whole number of people, 1 or more", "correct it")]
    if not cap > 0:
        faults.append(Fault("cap", show(cap), "dollars, more than 0", "correct it"))
    if not 0 <= common < 1:
        faults.append(Fault("common", show(common), "a share, 0 or more: 0.015 is 1.5%", "correct it"))
    if faults:
        raise Refusal(faults)
