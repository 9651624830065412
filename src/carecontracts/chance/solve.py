"""Backwards: what minimum, how many people, how many years or what truncation hold each error at a level.

Two errors pull against each other. *False payment*: the program does nothing and something is paid. *Denial*: the
program truly saves `effect` and nothing is paid. A higher minimum trades one for the other; only a smaller standard
deviation lowers both. With z(p) the normal quantile and m the minimum:

false payment = Phi(-m / sd)            held at x where  m >= z(1 - x) sd
denial        = Phi((m - effect) / sd)  held at y where  m <= effect - z(1 - y) sd

So a minimum that holds both exists where sd <= effect / (z(1 - x) + z(1 - y)).
"""

import math
from dataclasses import replace
from typing import NamedTuple

from scipy.optimize import brentq

from ..refusal import Fault, Refusal, many, show
from .noise import STANDARD, Costs, Panel, Sharing

MOST_LIVES = 10_000_000
MOST_YEARS = 20


class Errors(NamedTuple):
    """The two errors of paying by a savings rate."""

    false_payment: float
    denial: float


class Range(NamedTuple):
    """From the least to the most that serves."""

    least: float
    most: float


def errors(panel: Panel, *, minimum: float, effect: float) -> Errors:
    """How often luck is paid, and how often a true effect is not.

    >>> five_thousand = errors(Panel(lives=5_000), minimum=0.039, effect=0.07)
    >>> round(five_thousand.false_payment, 3), round(five_thousand.denial, 3)
    (0.1, 0.154)
    """
    return Errors(STANDARD.cdf(-minimum / panel.sd), STANDARD.cdf((minimum - effect) / panel.sd))


def minimum(panel: Panel, *, effect: float, false_payment: float = 0.1, denial: float = 0.2) -> Range:
    """The minimum savings rates that hold both errors, from the lowest to the highest.

    >>> low, high = minimum(Panel(lives=5_000), effect=0.07)
    >>> round(low, 4), round(high, 4)
    (0.039, 0.0444)

    >>> minimum(Panel(lives=500), effect=0.05)
    Traceback (most recent call last):
    ...
    carecontracts.refusal.Refusal: minimum
      given:   500 lives, a spread of 9.6%, a true effect of 5.0%
      allowed: at least 12.3% to hold false payment at 10%, at most -3.1% to hold denial at 20%
      do:      no minimum does both: more lives or years, truncation, or pay for something that moves less by chance
    """
    _check(effect, false_payment, denial)
    low = max(STANDARD.inv_cdf(1 - false_payment) * panel.sd, 0.0)
    high = effect - STANDARD.inv_cdf(1 - denial) * panel.sd
    if low > high:
        given = f"{panel.lives:,.0f} lives, a spread of {panel.sd:.1%}, a true effect of {effect:.1%}"
        allowed = (
            f"at least {low:.1%} to hold false payment at {false_payment:.0%},"
            f" at most {high:.1%} to hold denial at {denial:.0%}"
        )
        do = "no minimum does both: more lives or years, truncation, or pay for something that moves less by chance"
        raise Refusal([Fault("minimum", given, allowed, do)])
    return Range(low, high)


def widest_sd(*, effect: float, false_payment: float = 0.1, denial: float = 0.2, minimum: float | None = None) -> float:
    """The largest standard deviation at which both errors hold; for one minimum, or for whichever minimum is best.

    >>> round(widest_sd(effect=0.05), 4), round(widest_sd(effect=0.05, minimum=0.02), 4)
    (0.0235, 0.0156)
    """
    _check(effect, false_payment, denial)
    z_false, z_denial = STANDARD.inv_cdf(1 - false_payment), STANDARD.inv_cdf(1 - denial)
    if minimum is None:
        return effect / (z_false + z_denial)
    if not 0 < minimum < effect:
        allowed = f"more than 0 and less than the effect of {effect:.1%}"
        do = "with no room on either side, no size holds both errors"
        raise Refusal([Fault("minimum", f"{minimum:.1%}", allowed, do)])
    return min(minimum / z_false, (effect - minimum) / z_denial)


def lives(
    panel: Panel, *, effect: float, false_payment: float = 0.1, denial: float = 0.2, minimum: float | None = None
) -> int:
    """The fewest people who hold both errors, everything else of the panel as it is.

    sampling^2 = sd^2 - common^2 / years, and sampling^2 falls as 1 / lives.

    >>> lives(Panel(lives=500), effect=0.05), lives(Panel(lives=500, years=3), effect=0.05)
    (8336, 2779)
    """
    sd = widest_sd(effect=effect, false_payment=false_payment, denial=denial, minimum=minimum)
    room = sd**2 - panel.common**2 / panel.years
    needed = panel.sampling**2 * panel.lives / room if room > 0 else math.inf
    if needed > MOST_LIVES:
        given = f"a common shock of {panel.common:.1%} in {many(panel.years, 'year')}, where {sd:.2%} in all would do"
        do = "people do not average it out: pool years, compare with a group that it strikes too, or ask less"
        raise Refusal([Fault("lives", given, f"at most {MOST_LIVES:,} lives", do)])
    return math.ceil(needed - 1e-6)


def years(
    panel: Panel, *, effect: float, false_payment: float = 0.1, denial: float = 0.2, minimum: float | None = None
) -> int:
    """The fewest years, pooled, that hold both errors.

    Luck that the same members keep from year to year does not average out, so years may not be enough.

    >>> years(Panel(lives=2_000), effect=0.05), years(Panel(lives=3_000, kept=0.3), effect=0.05)
    (5, 12)
    """
    sd = widest_sd(effect=effect, false_payment=false_payment, denial=denial, minimum=minimum)
    for count in range(1, MOST_YEARS + 1):
        if replace(panel, years=count).sd <= sd:
            return count
    left = replace(panel, years=MOST_YEARS).sd
    given = f"{panel.lives:,.0f} lives: {left:.2%} is left after {MOST_YEARS} years, where {sd:.2%} would do"
    raise Refusal([Fault("years", given, f"at most {MOST_YEARS} years", "more lives, truncation, or a larger effect")])


def truncation(
    panel: Panel,
    costs: Costs,
    *,
    effect: float,
    false_payment: float = 0.1,
    denial: float = 0.2,
    minimum: float | None = None,
) -> float:
    """The highest cap on a member's cost, in dollars, that holds both errors; infinite where none is needed.

    The panel's `cv` is taken from `costs` at each cap. The effect is taken to be the same share of what stays under
    the cap, which a program that works mainly on the very costly would not achieve.

    >>> round(truncation(Panel(lives=10_000), Costs(mean=6_800), effect=0.05), -3)
    137000.0
    """
    sd = widest_sd(effect=effect, false_payment=false_payment, denial=denial, minimum=minimum)

    def over(log_cap: float) -> float:
        return replace(panel, cv=costs.cv(math.exp(log_cap))).sd - sd

    if replace(panel, cv=costs.cv()).sd <= sd:
        return math.inf
    low, high = math.log(costs.mean), math.log(costs.quantile(1 - 1e-12))
    if over(low) > 0:
        left = over(low) + sd
        given = f"{panel.lives:,.0f} lives: {left:.2%} is left with a cap at the mean cost, where {sd:.2%} would do"
        do = "more lives or years, or a larger effect: no truncation does it alone"
        raise Refusal([Fault("truncation", given, f"a cap of {costs.mean:,.0f} dollars or more", do)])
    return math.exp(brentq(over, low, high, xtol=1e-9))


def minimum_for_price(panel: Panel, sharing: Sharing, *, price: float) -> float:
    """The minimum savings rate at which luck costs the payer no more than `price`, a share of the benchmark.

    Only the minimum for savings moves; zero where luck costs no more than that without one.

    >>> thousand = Panel(lives=1_000)
    >>> m = minimum_for_price(thousand, Sharing(share=0.5), price=0.005)
    >>> round(m, 3), round(Sharing(share=0.5, minimum=m).odds(thousand.sd).net, 6)
    (0.096, 0.005)
    """

    def over(rate: float) -> float:
        return replace(sharing, minimum=rate).odds(panel.sd).net - price

    if over(0.0) <= 0:
        return 0.0
    if over(1.0) > 0:
        allowed = f"{over(1.0) + price:.2%} of the benchmark or more, which is what is left at a minimum of 100%"
        raise Refusal([Fault("price", show(price), allowed, "lower the share or the cap, or share losses")])
    return float(brentq(over, 0.0, 1.0, xtol=1e-12))


def _check(effect: float, false_payment: float, denial: float) -> None:
    faults = [
        Fault(name, show(value), allowed, "correct it")
        for name, value, allowed, holds in (
            ("effect", effect, "a share above 0: 5% is 0.05", 0 < effect < 1),
            ("false_payment", false_payment, "a chance above 0 and under 0.5", 0 < false_payment < 0.5),
            ("denial", denial, "a chance above 0 and under 0.5", 0 < denial < 0.5),
        )
        if not holds
    ]
    if faults:
        raise Refusal(faults)
