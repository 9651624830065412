"""How numbers are drawn with numpy: quickly, and exactly where an exact law is known."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import nbinom, poisson
from tqdm import tqdm

from . import convolution
from .noise import Costs

PROGRESS = "Drawing members"


class Arrays:
    """So many draws at once, as numpy arrays."""

    def __init__(self, rng: np.random.Generator | None, draws: int) -> None:
        self.rng: Any = rng
        self.draws = draws

    def normal(self) -> Any:
        return self.rng.standard_normal(self.draws)

    def uniform(self) -> Any:
        return self.rng.random(self.draws)

    def poisson(self, mean: float) -> Any:
        return self.rng.poisson(mean, self.draws)

    def binomial(self, count: Any, share: float) -> Any:
        return self.rng.binomial(np.broadcast_to(np.asarray(count, dtype=int), (self.draws,)), share)

    def full(self, value: Any) -> Any:
        """The value in every draw, where it is not one for each already."""
        return np.broadcast_to(np.asarray(value, dtype=float), (self.draws,))

    def years(self, amounts: list[Any]) -> Any:
        """(years x draws)"""
        return np.array(amounts)

    @staticmethod
    def exp(x: Any) -> Any:
        return np.exp(x)

    @staticmethod
    def whole(x: Any) -> Any:
        return np.rint(x)

    @staticmethod
    def below(z: Any) -> Any:
        """The share of a normal law that lies below."""
        return ndtr(z)

    @staticmethod
    def quantile(values: Any, share: float) -> float:
        return float(np.quantile(values, share))

    @staticmethod
    def total(cv: float, lives: int, cap: float, u: Any) -> Any:
        """What so many people cost together, over what they cost on average, at the quantiles `u`."""
        totals = _total_of(cv, lives, cap)
        return totals.quantile(u) / totals.mean

    def members(self, costs: Costs, lives: int, cap: float, kept: int, z: Any) -> tuple[Any, list[Any]]:
        """Totals over their mean from members, each counted up to a cap, and each draw's largest costs.

        They are put in the order of `z`, so that years stay correlated.
        """
        totals, tops = np.empty(self.draws), np.empty((self.draws, kept))
        chunk = max(1, 2_000_000 // lives)
        with tqdm(total=self.draws, desc=PROGRESS, leave=False, disable=None) as bar:
            for start in range(0, self.draws, chunk):
                size = (min(chunk, self.draws - start), lives)
                cost = np.exp(costs.mu + costs.sigma * self.rng.standard_normal(size))
                if costs.zeros:
                    cost[self.rng.random(size) < costs.zeros] = 0
                tops[start : start + chunk] = np.partition(cost, lives - kept)[:, lives - kept :]
                totals[start : start + chunk] = np.minimum(cost, cap).sum(axis=1)
                bar.update(size[0])
        order = np.argsort(totals)[np.argsort(np.argsort(z))]
        return totals[order] / (lives * costs.moment(1, cap)), [tops[order, k] for k in range(kept)]

    @staticmethod
    def count(mean: float, clumps: float, u: Any) -> Any:
        """A count with this mean and `clumps` times its variance, at the quantiles u: negative binomial, or Poisson."""
        if mean <= 0:
            return np.zeros(len(u))
        law = poisson(mean) if clumps == 1 else nbinom(mean / (clumps - 1), 1 / clumps)
        sd = math.sqrt(mean * clumps)
        low, high = max(0, math.floor(mean - 12 * sd)), math.ceil(mean + 12 * sd + 12 * clumps)
        step = max(1, (high - low) // 200_000)  # of very many, every so many
        counts = np.arange(low, high + step, step)
        return counts[np.minimum(np.searchsorted(law.cdf(counts), u), len(counts) - 1)].astype(float)


@lru_cache(maxsize=8)
def _total_of(cv: float, lives: int, cap: float) -> convolution.Totals:
    """What people who cost 1 each on average cost together; years of one contract share it."""
    return convolution.total(Costs.with_cv(1.0, cv), lives, cap=cap)
