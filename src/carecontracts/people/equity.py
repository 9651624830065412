"""Equity: the gap between groups with its interval, what gap this many people could show, and how a gap closed.

A gap is a difference of two rates, so it is noisier than either. It also closes when the better group gets worse, which
no equity goal means; `change` says which it was.

Not modelled: adjustment for who is in each group (age, need); the error of the group itself, as when race is missing or
imputed, which draws groups together.
"""

from collections.abc import Sequence
from math import pi, sqrt
from statistics import NormalDist
from typing import NamedTuple

import pandas as pd
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from ..refusal import Fault, Refusal, show
from ..small_cells import MARK, rates

LEVEL = 0.95


class Rate(NamedTuple):
    """So many of so many."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float:
        return self.numerator / self.denominator


class Gap(NamedTuple):
    """How far one group's rate lies from another's: the difference and its interval."""

    gap: float
    low: float
    high: float

    @property
    def is_distinguishable(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def gap(one: Rate, other: Rate, *, level: float = LEVEL) -> Gap:
    """The first rate less the second, with Newcombe's score interval, which holds in small groups.

    >>> print(*(f"{x:.4f}" for x in gap(Rate(56, 70), Rate(48, 80))))
    0.2000 0.0524 0.3339

    Raises: Refusal for a numerator past its denominator, or nobody. Source: Newcombe, Statistics in Medicine 1998,
    17:873, whose Table II has this example (method 10).
    """
    _refuse_unless_rates([one, other])
    low, high = confint_proportions_2indep(*one, *other, compare="diff", method="newcomb", alpha=1 - level)
    return Gap(one.value - other.value, float(low), float(high))


def distinguishable(one: float, other: float, rate: float, *, level: float = LEVEL, power: float = 0.80) -> float:
    """The smallest true gap that groups of these sizes would show, most of the time.

        gap = (z of the two-sided level + z of the power) x sqrt(rate (1 - rate) (1/n1 + 1/n2))

    >>> print(f"{distinguishable(400, 100, 0.6):.3f}")
    0.153
    """
    if min(one, other) <= 0 or not 0 < rate < 1:
        allowed = "groups of 1 or more, and a rate between 0 and 1"
        raise Refusal([Fault("groups", f"{one:g}, {other:g}, {rate:g}", allowed, "check the sizes")])
    z = NormalDist().inv_cdf(1 - (1 - level) / 2) + NormalDist().inv_cdf(power)
    return z * sqrt(rate * (1 - rate) * (1 / one + 1 / other))


def index_of_disparity(values: Sequence[float], reference: float) -> float:
    """How far the groups are from a reference rate, on average, as a share of it: the index of disparity.

        index = mean of |rate - reference| over the groups other than the reference / reference

    >>> round(index_of_disparity([0.50, 0.55], 0.60), 4)
    0.125

    It weighs a small group like a large one, and luck alone makes it positive: see `index_by_luck`.
    """
    if not values or reference <= 0:
        allowed = "a rate for each group, and a reference above 0"
        raise Refusal([Fault("index of disparity", f"{len(values)} rates, reference {reference:g}", allowed, "check")])
    return sum(abs(value - reference) for value in values) / len(values) / reference


def index_by_luck(sizes: Sequence[float], reference_size: float, rate: float) -> float:
    """What the index would average if every group truly had the same rate: never zero, and large in small groups.

        mean of sqrt(2/pi) x sqrt(rate (1 - rate) (1/n + 1/reference)) / rate, by the normal approximation

    >>> round(index_by_luck([100, 100], 400, 0.6), 3)
    0.073
    """
    noise = [sqrt(rate * (1 - rate) * (1 / n + 1 / reference_size)) for n in sizes]
    return sqrt(2 / pi) * sum(noise) / len(noise) / rate


class Change(NamedTuple):
    """What became of a gap: how much of its closing each group did."""

    before: Gap
    after: Gap
    worse_off: float  # the change in the rate of the group that was worse off
    better_off: float  # ... and of the one that was better off

    @property
    def closed(self) -> float:
        return abs(self.before.gap) - abs(self.after.gap)

    @property
    def by_decline(self) -> bool:
        """Whether the gap is narrower though the worse-off group gained nothing."""
        return self.closed > 0 and self.worse_off <= 0


def change(before: tuple[Rate, Rate], after: tuple[Rate, Rate], *, higher_is_better: bool = True) -> Change:
    """A gap over two years; each pair holds the same two groups in the same order.

    >>> before, after = (Rate(120, 200), Rate(80, 200)), (Rate(100, 200), Rate(80, 200))
    >>> found = change(before, after)
    >>> round(found.closed, 2), found.worse_off, round(found.better_off, 2), found.by_decline
    (0.1, 0.0, -0.1, True)
    """
    first, second = gap(*before), gap(*after)
    sign = 1 if higher_is_better else -1
    moved = [sign * (late.value - early.value) for early, late in zip(before, after, strict=True)]
    worse = 1 if sign * first.gap > 0 else 0
    return Change(first, second, moved[worse], moved[1 - worse])


def earns(changed: Change, *, better: float, by: float) -> bool:
    """Whether an equity bonus is earned: the worse-off gained `better` or more, and the gap closed by `by` or more.

    >>> earns(change((Rate(120, 200), Rate(80, 200)), (Rate(100, 200), Rate(80, 200))), better=0.03, by=0.03)
    False
    """
    hair = 1e-9
    return changed.worse_off >= better - hair and changed.closed >= by - hair


def by_group(frame: pd.DataFrame, reference: str, *, level: float = LEVEL) -> pd.DataFrame:
    """Each group's rate with its interval (Wilson), and its gap to the reference group; as it may leave.

    `frame` has group, denominator and numerator, as `measures.by_group` gives. Small cells are hidden, and every figure
    that rests on one, the gaps to a hidden reference included. Only for shares of people, not for visits or stays.

    >>> frame = pd.DataFrame({"group": ["A", "B", "C"], "denominator": [400, 150, 12], "numerator": [240, 75, 5]})
    >>> print(by_group(frame, "A").gap.map(lambda x: x if isinstance(x, str) else f"{x:.2f}").tolist())
    ['0.00', '*', '*']
    """
    if reference not in set(frame["group"]):
        raise Refusal(
            [Fault("reference", show(reference), ", ".join(map(str, frame["group"])), "name one of the groups")]
        )
    pairs = [Rate(float(n), float(d)) for n, d in zip(frame["numerator"], frame["denominator"], strict=True)]
    _refuse_unless_rates([pair for pair in pairs if pair.denominator])
    base = pairs[list(frame["group"]).index(reference)]
    made = frame[["group", "denominator", "numerator"]].copy()
    made[["denominator", "numerator"]] = made[["denominator", "numerator"]].astype(int)
    ends = [proportion_confint(*p, alpha=1 - level, method="wilson") if p.denominator else (None, None) for p in pairs]
    made["low"], made["high"] = [e[0] for e in ends], [e[1] for e in ends]
    gaps = [gap(p, base, level=level) if p.denominator and base.denominator else None for p in pairs]
    same = [str(g) == reference for g in frame["group"]]
    for name in ("gap", "low", "high"):
        column = "gap" if name == "gap" else f"gap_{name}"
        made[column] = [
            0.0 if own else None if g is None else float(getattr(g, name)) for g, own in zip(gaps, same, strict=True)
        ]
    out = rates(made).table.iloc[: len(made)]  # as if with its totals, which other tables show
    hidden = out.loc[out["group"] == reference, "rate"].iloc[0] == MARK
    if hidden:
        out[["gap", "gap_low", "gap_high"]] = MARK
    order = ["group", "denominator", "numerator", "rate", "low", "high", "gap", "gap_low", "gap_high"]
    return out[order].reset_index(drop=True)


def _refuse_unless_rates(found: Sequence[Rate]) -> None:
    faults = [
        Fault("rate", f"{r.numerator:g} of {r.denominator:g}", "0 to all of 1 or more", "count people, not visits")
        for r in found
        if not (r.denominator >= 1 and 0 <= r.numerator <= r.denominator)
    ]
    if faults:
        raise Refusal(faults)
