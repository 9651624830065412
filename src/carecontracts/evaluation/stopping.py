"""Stop rules agreed before the data: when a look may end a program, and what the rule costs.

A look reads an estimate, in standard errors from no effect (its z), when a part of the final information is in.
A rule says at each look: end it below this z (futility), call it proved above that one (efficacy).

No maintained, permissively licensed Python package was found to fit (November 2026): `gsdesign` 0.1.5 (MIT) holds the
integration grid only, `earlysign` 0.2.0 (Apache-2.0) is still empty, `gsmethods` 0.0.2 is GPL, and statsmodels has
none. So this is the usual recursion (Armitage, McPherson and Rowe, 1969; Jennison and Turnbull, *Group Sequential
Methods*, 2000, chapter 19) in a few lines of numpy. Tests hold it to the published constants and to scipy's
multivariate normal integral.

Not modelled:
- estimates whose gain from one look to the next depends on the last (the joint distribution is the canonical one)
- looks that are added, dropped or moved after the data were seen
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from ..refusal import Fault, Refusal, show

# One number for each look: a tuple, a list or an array.
Numbers: TypeAlias = Any
Shape = Literal["O'Brien-Fleming", "Pocock"]
NEVER = float("inf")

# How far out a density is followed, in standard errors, and on how many points: errors below 1e-9 for up to 20 looks.
_WIDEST, _POINTS = 9.0, 500


@dataclass(frozen=True)
class Exits:
    """The chance of leaving at each look, below and above; what is left at the end stayed between the bounds."""

    below: tuple[float, ...]
    above: tuple[float, ...]

    @property
    def left(self) -> float:
        return 1 - sum(self.below) - sum(self.above)


def exits(information: Numbers, lower: Numbers, upper: Numbers, mean_z: Numbers) -> Exits:
    """The chance that an estimate first leaves its bounds at each look, by recursive integration.

    `information` grows from look to look (any unit); `mean_z` is what z is expected to be at each look.

    >>> one = exits([1.0], [-1.96], [1.96], [0.0])
    >>> round(one.below[0], 4), round(one.above[0], 4)
    (0.025, 0.025)
    """
    _check(information, lower, upper, mean_z)
    info = np.asarray(information, float)
    root = np.sqrt(info)
    low, high = np.asarray(lower, float) * root, np.asarray(upper, float) * root  # on the scale of the score, z √I
    drift = np.asarray(mean_z, float) * root
    below, above = [], []
    at, mass, was, drifted = np.zeros(1), np.ones(1), 0.0, 0.0
    for k in range(len(info)):
        step, gain = np.sqrt(info[k] - was), drift[k] - drifted
        below.append(float(mass @ ndtr((low[k] - at - gain) / step)))
        above.append(float(mass @ ndtr((at + gain - high[k]) / step)))
        edge = _WIDEST * root[k]
        start, stop = max(low[k], drift[k] - edge), min(high[k], drift[k] + edge)
        if start >= stop or k == len(info) - 1:
            break
        nodes, weights = _legendre()
        inside = start + (nodes + 1) * (stop - start) / 2
        away = (inside[:, None] - at - gain) / step
        density = (np.exp(-0.5 * away**2) @ mass) / (step * np.sqrt(2 * np.pi))
        at, mass, was, drifted = inside, density * weights * (stop - start) / 2, info[k], drift[k]
    rest = [0.0] * (len(info) - len(below))
    return Exits((*below, *rest), (*above, *rest))


@cache
def _legendre() -> Any:
    return np.polynomial.legendre.leggauss(_POINTS)


def boundary(looks: int, shape: Shape = "O'Brien-Fleming", alpha: float = 0.05, sides: int = 2) -> tuple[float, ...]:
    """The z at each of several equally spaced looks that keeps the chance of a false alarm at `alpha` in all.

    O'Brien-Fleming asks for c √(K/k) at look k of K, hard at first; Pocock for the same c at every look.

    >>> [round(z, 3) for z in boundary(5)]
    [4.562, 3.226, 2.634, 2.281, 2.04]
    >>> round(boundary(5, "Pocock")[0], 3)
    2.413

    Source: Jennison and Turnbull (2000), tables 2.1 and 2.3.
    """
    if looks < 1 or sides not in (1, 2) or not 0 < alpha < 0.5:
        allowed = "1 look or more, 1 or 2 sides, and an alpha between 0 and 0.5"
        given = f"{looks} looks, {sides} sides, alpha {alpha}"
        raise Refusal([Fault("boundary", given, allowed, "correct the one that is outside")])
    power = 0.5 if shape == "O'Brien-Fleming" else 0.0
    shaped = [(looks / k) ** power for k in range(1, looks + 1)]
    equal = [k / looks for k in range(1, looks + 1)]

    def false_alarms(c: float) -> float:
        upper = [c * s for s in shaped]
        left = exits(equal, [-u for u in upper] if sides == 2 else [-NEVER] * looks, upper, [0.0] * looks)
        return sum(left.above) + (sum(left.below) if sides == 2 else 0.0) - alpha

    c = float(brentq(false_alarms, ndtri(1 - alpha / sides) - 1e-6, 6.0))
    return tuple(c * s for s in shaped)


def largest_information(
    looks: int, shape: Shape = "O'Brien-Fleming", alpha: float = 0.05, power: float = 0.9
) -> tuple[float, float, float]:
    """What looking costs: the most information, and that expected without and with the effect, per fixed-size test.

    >>> [round(100 * part, 2) for part in largest_information(4, "Pocock")]
    [118.31, 115.61, 69.75]

    Source: SAS/STAT SEQDESIGN, example "Creating Two-Sided Pocock and O'Brien-Fleming Designs": 118.3143, 115.6074
    and 69.74805 percent of the fixed sample.
    """
    upper = boundary(looks, shape, alpha)
    lower = [-u for u in upper]
    share = np.arange(1, looks + 1) / looks

    def run(drift: float) -> Exits:
        return exits(share, lower, upper, drift * np.sqrt(share))

    def short(drift: float) -> float:
        return sum(run(drift).above) - power

    drift = float(brentq(short, 0.1, 10.0))
    most = float((drift / (ndtri(1 - alpha / 2) + ndtri(power))) ** 2)

    def expected(found: Exits) -> float:
        out = np.add(found.below, found.above)
        return float(out @ share + found.left) * most

    return most, expected(run(0.0)), expected(run(drift))


def futility(
    information: Numbers,
    mean_z: Numbers,
    final_z: float,
    abandoned: float,
    shape: Shape = "O'Brien-Fleming",
) -> tuple[float, ...]:
    """The z below which each look ends the program, so that one that works is ended early at most this often.

    The chance of abandoning a program whose z is expected to be `mean_z` is spent look by look: late where the shape
    is O'Brien-Fleming, evenly where it is Pocock (Lan and DeMets, 1983). The last look's bound is `final_z`.
    What that last look adds to the chance is not counted in `abandoned`: it is the final test's own error.

    >>> bounds = futility([0.25, 0.5, 1.0], [1.25, 1.77, 2.5], 1.645, abandoned=0.05)
    >>> [round(z, 2) for z in bounds[:2]], bounds[2]
    ([-2.5, -0.77], 1.645)
    """
    spent = _spending(shape)
    share = np.asarray(information, float) / information[-1]
    bounds: list[float] = []
    for k in range(len(information) - 1):
        to_spend = spent(float(share[k]), abandoned)

        def over(z: float, k: int = k, to_spend: float = to_spend) -> float:
            found = exits(information[: k + 1], [*bounds, z], [NEVER] * (k + 1), mean_z[: k + 1])
            return sum(found.below) - to_spend

        bounds.append(float(brentq(over, mean_z[k] - 8.5, mean_z[k] + 8.5)))
    return (*bounds, final_z)


def _spending(shape: Shape) -> Callable[[float, float], float]:
    if shape == "Pocock":
        return lambda t, error: float(error * np.log1p((np.e - 1) * t))
    return lambda t, error: float(2 * (1 - ndtr(ndtri(1 - error / 2) / np.sqrt(t))))


def predictive(
    information: Numbers, final_z: float, least: float, prior_mean: float = 0.0, prior_sd: float = NEVER
) -> tuple[float, ...]:
    """The z below which, as things stand, the final look would succeed with a chance of less than `least`.

    The prior is for the z expected at the last look; an infinite spread lets the data speak alone, and a spread of
    zero is conditional power at `prior_mean`. With t the part of the information that is in, and v = prior_sd²:

        posterior of the final mean:  precision 1/v + t,  mean (prior_mean/v + √t z) / (1/v + t)
        final z | z  ~  normal(√t z + (1-t) mean,  (1-t)² / (1/v + t) + (1-t))

    and the bound is the z at which that passes `final_z` with chance `least`.

    >>> [round(z, 2) for z in predictive([0.25, 0.5, 1.0], 1.96, least=0.10)]
    [-0.13, 0.48, 1.96]

    Source: Spiegelhalter, Abrams and Myles, *Bayesian Approaches to Clinical Trials*, 2004.
    """
    bounds = []
    for part in np.asarray(information[:-1], float) / information[-1]:
        left = 1 - part
        if prior_sd == 0:
            mean_at_zero, slope, spread = left * prior_mean, np.sqrt(part), np.sqrt(left)
        else:
            precision = part + (0.0 if prior_sd == NEVER else prior_sd**-2)
            pull = 0.0 if prior_sd == NEVER else prior_mean * prior_sd**-2
            mean_at_zero, slope = left * pull / precision, np.sqrt(part) * (1 + left / precision)
            spread = np.sqrt(left**2 / precision + left)
        bounds.append(float((final_z + spread * ndtri(least) - mean_at_zero) / slope))
    return (*bounds, final_z)


@dataclass(frozen=True)
class Cost:
    """What a rule does to one program: is it abandoned, or kept; after how many months; at what cost."""

    abandoned: float
    kept: float
    months: float
    dollars: float


@dataclass(frozen=True)
class Rule:
    """Look in these months; end the program below `lower`, and stop looking, since it is proved, above `upper`.

    At the last look the program is kept from `lower` on. `information` is what is known at each look, in any unit.

    >>> one_look = Rule((12,), (1.0,), (0.0,))
    >>> found = one_look.cost([0.5], monthly=10_000)
    >>> round(found.abandoned, 3), found.months, found.dollars
    (0.309, 12.0, 120000.0)
    """

    months: tuple[float, ...]
    information: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...] = ()

    def cost(self, mean_z: Numbers, monthly: float = 0.0) -> Cost:
        """The chance that a program whose z is expected to be `mean_z` is abandoned, and what it costs till then.

        A program that is kept, early or late, is paid for to the last look.
        """
        upper = self.upper or (NEVER,) * len(self.lower)
        found = exits(self.information, self.lower, upper, mean_z)
        abandoned = sum(found.below)
        months = float(np.dot(found.below, self.months)) + (1 - abandoned) * self.months[-1]
        return Cost(abandoned, 1 - abandoned, months, months * monthly)


def _check(information: Numbers, lower: Numbers, upper: Numbers, z: Numbers) -> None:
    faults = []
    if not len(information) == len(lower) == len(upper) == len(z) > 0:
        given = f"{len(information)}, {len(lower)}, {len(upper)} and {len(z)} of them"
        faults.append(Fault("looks", given, "a bound, a mean and the information for each look", "add what is missing"))
    if any(b <= a for a, b in pairwise([0.0, *information])):
        do = "give what is known in all at each look, not what each look adds"
        faults.append(Fault("information", show(tuple(information)), "more at each look than at the last", do))
    if any(b > a for a, b in zip(upper, lower, strict=False)):
        faults.append(Fault("bounds", "a lower bound above the upper", "lower at or below upper", "swap them"))
    if faults:
        raise Refusal(faults)
