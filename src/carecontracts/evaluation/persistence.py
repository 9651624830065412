"""Persistence: how much of a high cost is still there a year later, when nobody did anything.

Two years of one person's cost are lognormal, and the normal scores behind them have a correlation. Everything here
follows from that one correlation and the spread; where you have your own past years, `factor_from` needs neither.

Not modelled: people who spend nothing, deaths, and members who join or leave; `carecontracts.people` has them.
"""

from collections.abc import Sequence
from math import fsum, sqrt
from statistics import NormalDist, fmean, variance
from typing import NamedTuple

from ..refusal import Fault, Refusal, many, show

_NORMAL = NormalDist()


def spread_from(top: float, share: float) -> float:
    """The spread of log cost at which the dearest `top` of people make up `share` of all cost.

    A lognormal's top q holds Φ(σ − c), where c = Φ⁻¹(1 − q); so σ = c + Φ⁻¹(share).

    >>> round(spread_from(top=0.05, share=0.50), 2)
    1.64
    """
    _shares(top=top, share=share)
    if share <= top:
        do = "give a share above the part of people, or the costs would be equal"
        raise Refusal([Fault("persistence, share", show(share), f"more than {top}", do)])
    return _cut(top) + _NORMAL.inv_cdf(share)


def stays(top: float, correlation: float, then: float | None = None) -> float:
    """The chance that someone in the dearest `top` this year is in the dearest `then` (the same) next year.

    A correlation of about 0.6 gives what surveys of the United States found: Monheit (2003) 30% and 45% for the first
    two of these, and the Agency for Healthcare Research and Quality 14% to 25%, by year, for the third.

    >>> round(stays(0.05, 0.62), 2), round(stays(0.05, 0.62, then=0.10), 2), round(stays(0.01, 0.62), 2)
    (0.33, 0.5, 0.2)
    """
    _shares(top=top)
    _correlated(correlation)
    return _both(_cut(top if then is None else then), _cut(top), correlation) / top


def correlation_from(top: float, stayed: float) -> float:
    """The correlation at which `stayed` of the dearest `top` are in it again a year later.

    >>> round(correlation_from(top=0.05, stayed=0.30), 2)
    0.59
    """
    _shares(top=top, stayed=stayed)
    if not top < stayed < stays(top, 0.999):
        allowed = f"more than {top} (chance alone) and less than all"
        raise Refusal([Fault("persistence, stayed", show(stayed), allowed, "check the count")])
    low, high = 0.0, 0.999
    while high - low > 1e-7:
        middle = (low + high) / 2
        low, high = (middle, high) if stays(top, middle) < stayed else (low, middle)
    return (low + high) / 2


def remains(top: float, spread: float, correlation: float, two_years: float | None = None) -> float:
    """Next year's cost of the dearest `top`, as a part of this year's, with no program: 1 less the expected fall.

    The average of everyone is held level; multiply by their trend. With c = Φ⁻¹(1 − top) it is
    Φ(ρσ − c) / Φ(σ − c).

    >>> round(1 - remains(top=0.05, spread=1.57, correlation=0.62), 2)
    0.47
    >>> round(1 - remains(top=0.01, spread=1.57, correlation=0.62), 2)
    0.61
    >>> remains(top=0.05, spread=1.57, correlation=1)
    1.0

    With `two_years`, the correlation of years two apart, people qualify by two years in a row in the dearest `top`,
    and next year is compared with the later of them: L(c − ρ₂σ, c − ρσ) / L(c − ρσ, c − σ), where L(a, b) is the chance
    that two scores of correlation ρ are above a and b. The second year helps if need stands (ρ₂ = ρ) and does not if it
    fades (ρ₂ = ρ²): then the latest year already says all there is to know.

    >>> [round(1 - remains(0.05, 1.57, 0.62, two_years=apart), 2) for apart in (0.62, 0.62**2)]
    [0.31, 0.53]
    """
    _shares(top=top)
    _correlated(correlation, most=1)
    cut = _cut(top)
    if two_years is None or correlation == 1:
        return _NORMAL.cdf(correlation * spread - cut) / _NORMAL.cdf(spread - cut)
    if not 2 * correlation**2 - 1 <= two_years <= 1:
        allowed = f"{2 * correlation**2 - 1:.2f} to 1, given {correlation} for years that touch"
        raise Refusal([Fault("persistence, two_years", show(two_years), allowed, "see `correlation_from`")])
    next_year = _both(cut - two_years * spread, cut - correlation * spread, correlation)
    return next_year / _both(cut - correlation * spread, cut - spread, correlation)


class Factor(NamedTuple):
    """What a group's next year was, as a part of the year that admitted it, with the uncertainty of that ratio."""

    factor: float
    standard_error: float
    people: int


def factor_from(before: Sequence[float], after: Sequence[float]) -> Factor:
    """The persistence factor of a group that nobody helped: what it cost after, over what it cost in the trigger year.

    Take an earlier cohort that passed the same rule on the same date of an earlier year, before any program. Give each
    person's cost in the trigger year and in the year that followed (0 for those who spent nothing), both per month of
    coverage where people leave. The error is the delta method's: the spread of after − factor × before, over n and
    the mean of before. Multiply the trigger year by the factor to get a benchmark; it already holds the trend.

    >>> factor_from(before=[100, 80, 60, 60], after=[60, 20, 40, 30])
    Factor(factor=0.5, standard_error=0.09428090415820634, people=4)
    """
    faults = []
    if len(before) != len(after):
        given = f"{len(before)} before and {len(after)} after"
        faults.append(Fault("persistence factor", given, "two costs for each person", "match the people"))
    elif len(before) < 2 or fsum(before) <= 0:
        given = f"{many(len(before), 'person')} who cost {fsum(before):,.0f}"
        faults.append(
            Fault("persistence factor", given, "two people or more who cost something", "give a larger group")
        )
    if faults:
        raise Refusal(faults)
    factor = fsum(after) / fsum(before)
    rest = [float(b - factor * a) for a, b in zip(before, after, strict=True)]
    return Factor(factor, sqrt(variance(rest, 0.0) / len(before)) / fmean(before), len(before))


def credible(observed: Factor, expected: float, expected_error: float) -> Factor:
    """An observed factor pulled towards an expected one, each by how sure it is.

    A small cohort's own factor is noisy; published persistence is somebody else's. Weights are one over the squared
    error: the same rule as adding two measurements of one thing.

    >>> mixed = credible(Factor(0.40, 0.10, 60), expected=0.53, expected_error=0.05)
    >>> round(mixed.factor, 3), round(mixed.standard_error, 3)
    (0.504, 0.045)
    """
    own, other = 1 / observed.standard_error**2, 1 / expected_error**2
    return Factor((own * observed.factor + other * expected) / (own + other), 1 / sqrt(own + other), observed.people)


def _cut(top: float) -> float:
    """The score above which the dearest `top` lie."""
    return _NORMAL.inv_cdf(1 - top)


def _both(first: float, second: float, correlation: float, steps: int = 400) -> float:
    """The chance that two scores are above `first` and `second`: ∫ φ(x) Φ(…) dx by Simpson's rule."""
    top = max(second, 0.0) + 9
    width = (top - second) / steps
    rest = sqrt(1 - correlation**2)
    total = 0.0
    for k in range(steps + 1):
        x = second + k * width
        weight = 1 if k in (0, steps) else 4 if k % 2 else 2
        total += weight * _NORMAL.pdf(x) * _NORMAL.cdf((correlation * x - first) / rest)
    return total * width / 3


def _shares(**given: float) -> None:
    faults = [
        Fault(f"persistence, {name}", show(value), "more than 0 and less than 1", "for 5% write 0.05")
        for name, value in given.items()
        if not 0 < value < 1
    ]
    if faults:
        raise Refusal(faults)


def _correlated(correlation: float, most: float = 0.9999) -> None:
    if not 0 <= correlation <= most:
        allowed = f"0 (nothing lasts) to {most:g} (everything does)"
        raise Refusal([Fault("persistence, correlation", show(correlation), allowed, "see `correlation_from`")])
