"""Two clocks: when does each measure rise out of the noise, at this size, with a team that hires in month one?

A leading measure says whether the program happens; a lagging one whether it mattered. Each is read late: people enroll
over months, the effect grows over months, and the record arrives months after that. `Plan` holds the ramps, `Measure`
what is measured, and both together say what z (an estimate in standard errors) to expect at each look.
Standard library only, so that it runs in a browser.

Not modelled:
- people who leave; give the number who stay
- noise that strikes everyone at once: a rule change, a hard winter, a benchmark that is wrong
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import NormalDist
from typing import Any, Literal

from ..refusal import Fault, Refusal, show

NORMAL = NormalDist()


@dataclass(frozen=True)
class Plan:
    """How a program starts: people enroll evenly over some months, and the effect on each grows evenly over others.

    >>> plan = Plan(people=600, enrolling=6, growing=6)
    >>> plan.enrolled(3), plan.enrolled(12)
    (300.0, 600.0)
    >>> plan.person_months(12), round(plan.effect_months(12) / plan.person_months(12), 2)
    (5400.0, 0.67)
    """

    people: float
    enrolling: float = 6.0  # months until the last of them is enrolled
    growing: float = 6.0  # months from a person's enrollment until the effect on them is whole

    def __post_init__(self) -> None:
        faults = [
            Fault(f"plan, {name}", show(value), allowed, "correct it")
            for name, value, allowed, holds in (
                ("people", self.people, "more than 0", self.people > 0),
                ("enrolling", self.enrolling, "months, 0 or more", self.enrolling >= 0),
                ("growing", self.growing, "months, 0 or more", self.growing >= 0),
            )
            if not holds
        ]
        if faults:
            raise Refusal(faults)

    def enrolled(self, month: float) -> float:
        """How many are enrolled by the end of a month."""
        if month <= 0:
            return 0.0
        return self.people * (min(month / self.enrolling, 1.0) if self.enrolling else 1.0)

    def person_months(self, month: float) -> float:
        """How many months they have been enrolled, all together: the integral of `enrolled`."""
        return self._over_starts(month, lambda t: max(t, 0.0), lambda t: max(t, 0.0) ** 2 / 2)

    def effect_months(self, month: float) -> float:
        """The same, each month counted at the part of the effect it had: months of whole effect."""
        r = self.growing

        def so_far(t: float) -> float:  # a person's months of whole effect, t months after enrolling
            t = max(t, 0.0)
            return t * t / (2 * r) if t < r else t - r / 2

        def summed(t: float) -> float:  # its integral
            t = max(t, 0.0)
            return t**3 / (6 * r) if t < r else r * r / 6 + (t * t - r * r) / 2 - r * (t - r) / 2

        return self._over_starts(month, so_far, summed)

    def _over_starts(self, month: float, each: Any, summed: Any) -> float:
        """Sum over people of what each has by then: the mean over the months in which they start."""
        if not self.enrolling:
            return float(self.people * each(month))
        return float(self.people / self.enrolling * (summed(month) - summed(month - self.enrolling)))


@dataclass(frozen=True)
class Measure:
    """One measure on one clock, with the decision that it drives.

    `counts` is what it counts: "people" (a share of the enrolled, fixed once their window has closed) or "time" (a rate
    or a cost per person-year, which grows truer month by month and on which the effect ramps up).
    `without` is its level if the program does nothing, `gain` how far a program that works as planned moves it in the
    good direction, `spread` its standard deviation per person, or per person-year. See `share`, `events`, `cost`.
    """

    name: str
    clock: Literal["leading", "lagging"]
    counts: Literal["people", "time"]
    without: float
    gain: float
    spread: float
    waits: float  # months from the event, or from a person's enrollment, until it is known
    decision: str
    comparison: float = inf  # people in the comparison for each in the program; infinite: against a fixed standard
    ramps: bool = True  # whether the gain grows with the effect on a person, or is there from the first
    lasting: float = 0.0  # the part of a year's variance that a person keeps: it shrinks with people, not with time

    def z(self, plan: Plan, month: float) -> float:
        """How many standard errors from no effect the reading is expected to stand, if the program works as planned."""
        information = self.information(plan, month)
        return self.signal(plan, month) * sqrt(information)

    def signal(self, plan: Plan, month: float) -> float:
        """The gain to be seen by then, on average over the time that is counted."""
        known = month - self.waits
        if not self.ramps:
            return self.gain
        months = plan.person_months(known)
        return self.gain * plan.effect_months(known) / months if months else 0.0

    def information(self, plan: Plan, month: float) -> float:
        """One over the squared standard error of the reading.

        spread² x (1 + 1/comparison) / people, or over time
        spread² x (1 + 1/comparison) x (lasting / people + (1 - lasting) / person-years).
        """
        known = month - self.waits
        people, years = plan.enrolled(known), plan.person_months(known) / 12
        if not people:
            return 0.0
        noise = 1 / people if self.counts == "people" else self.lasting / people + (1 - self.lasting) / years
        return 1 / (noise * self.spread**2 * (1 + 1 / self.comparison))

    def power(self, plan: Plan, month: float, error: float = 0.05) -> float:
        """The chance that a program that works is told from one that does not; a useless one passes with `error`.

        >>> medicare = cost("cost", mean=12_000, cv=2.15, reduction=0.05, run_out=0, decision="share")
        >>> at_once = Plan(11_432, enrolling=0, growing=0)
        >>> round(medicare.power(at_once, 12), 3)
        0.8
        """
        return NORMAL.cdf(self.z(plan, month) - NORMAL.inv_cdf(1 - error))

    def readable(self, plan: Plan, power: float = 0.8, error: float = 0.05, within: int = 120) -> int | None:
        """The first month at whose end the power is reached, or None where it is not within that many months."""
        return next((m for m in range(1, within + 1) if self.power(plan, m, error) >= power), None)


def share(
    name: str,
    *,
    unacceptable: float,
    planned: float,
    window: float,
    decision: str,
    per_year: float | None = None,
) -> Measure:
    """A share of the enrolled, such as those reached within 30 days, against a share that would not be accepted.

    With `per_year` it is a share of events, of which a person has so many a year: follow-up visits after discharges.

    >>> reached = share("reached in 30 days", unacceptable=0.4, planned=0.6, window=1, decision="fix outreach")
    >>> reached.readable(Plan(300, enrolling=6))
    2
    """
    _check(name, unacceptable=unacceptable, planned=planned)
    spread = sqrt(unacceptable * (1 - unacceptable) / (per_year or 1))
    counts: Literal["people", "time"] = "time" if per_year else "people"
    gain = planned - unacceptable
    return Measure(name, "leading", counts, unacceptable, gain, spread, window, decision, ramps=False)


def events(
    name: str,
    *,
    per_year: float,
    reduction: float,
    run_out: float,
    decision: str,
    dispersion: float = 1.0,
    comparison: float = inf,
    lasting: float = 0.0,
) -> Measure:
    """Events per person-year, such as admissions; `dispersion` is their variance over their mean (1: by chance alone).

    `lasting` is the correlation of one person's events in two years, among people whom the benchmark takes as alike.

    >>> stays = events("admissions", per_year=1.2, reduction=0.15, run_out=1, decision="targeting", dispersion=2)
    >>> stays.readable(Plan(500))
    21
    """
    _check(name, reduction=reduction, lasting=lasting)
    spread, gain = sqrt(dispersion * per_year), reduction * per_year
    return Measure(name, "lagging", "time", per_year, gain, spread, run_out, decision, comparison, lasting=lasting)


def cost(
    name: str,
    *,
    mean: float,
    cv: float,
    reduction: float,
    run_out: float,
    decision: str,
    comparison: float = inf,
    lasting: float = 0.0,
) -> Measure:
    """Cost per person-year, whose standard deviation is `cv` times its mean; `lasting` as for `events`.

    >>> spend = cost("cost", mean=50_000, cv=1.2, reduction=0.1, run_out=3, decision="renew")
    >>> lasts = cost("cost", mean=50_000, cv=1.2, reduction=0.1, run_out=3, decision="renew", lasting=0.3)
    >>> spend.readable(Plan(500)), lasts.readable(Plan(500))
    (34, 51)
    """
    _check(name, reduction=reduction, lasting=lasting)
    gain = reduction * mean
    return Measure(name, "lagging", "time", mean, gain, cv * mean, run_out, decision, comparison, lasting=lasting)


def scorecard(
    measures: Sequence[Measure], plan: Plan, looks: Sequence[float], power: float = 0.8
) -> list[Mapping[str, Any]]:
    """One row for each measure: its clock, its decision, the first month it can be read, and its power at each look.

    >>> card = scorecard([share("reached", unacceptable=0.4, planned=0.6, window=1, decision="fix outreach")],
    ...                  Plan(300), [3, 6])
    >>> card[0]["readable"], [round(card[0][look], 2) for look in ("month 3", "month 6")]
    (2, [0.99, 1.0])
    """
    return [
        {"measure": m.name, "clock": m.clock, "decision": m.decision, "readable": m.readable(plan, power)}
        | {f"month {look:g}": m.power(plan, look) for look in looks}
        for m in measures
    ]


def months_needed(horizon: float, *, run_out: float, settlement: float, notice: float) -> float:
    """How long a contract must run for its savings to be seen before it must be renewed: all four, one after another.

    `horizon` is the month by which the savings that are counted on have been earned.

    >>> months_needed(36, run_out=3, settlement=3, notice=3)
    45
    """
    return horizon + run_out + settlement + notice


def _check(name: str, **shares: float) -> None:
    faults = [
        Fault(f"measure {show(name)}, {term}", show(value), "a share above 0 and below 1", "for 40% write 0.4")
        for term, value in shares.items()
        if not (0 < value < 1 or (term == "lasting" and value == 0))
    ]
    if faults:
        raise Refusal(faults)
