"""Scales: terms that depend on how many people there are, on a tier, or on a result; and the units that check them."""

import math
from collections.abc import Callable, Mapping
from itertools import groupby, pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from .refusal import refuse, show
from .units import (
    SHARE,
    Lives_unit,
    Number,
    Rate_unit,
    Schedule,
    Unit,
    each_once,
    least,
    most,
    say_dollars,
    say_list,
    say_percent,
    tidy,
    when,
)

HAIR = 1e-9  # what floats lose decides no payment: 0.30 - 0.25 is 0.0499…, and has reached 0.05


class SlidingScale(dict[int, float]):
    """A term that slides with the number of lives: `{lives: {5000: 0.039, 5999: 0.036}}`, straight between the points.

    Below the first point and above the last the value is theirs. A contract names a scale once, under `scales`; a term
    that names it is a scale without points until its contract gives it them.

    >>> scale = SlidingScale({5000: 0.039, 5999: 0.036})
    >>> round(scale.at(5333), 6), scale.at(100), scale.at(90_000)
    (0.038, 0.039, 0.036)
    """

    def __init__(self, points: Mapping[int, float] | None = None, name: str = "") -> None:
        super().__init__(points or {})
        self.name = name  # where the contract names it

    def at(self, lives: Number) -> Number:
        points = sorted(self)
        lives = least(most(lives, points[0]), points[-1])
        value: Number = self[points[0]]
        for low, high in pairwise(points):
            between = (self[low] * (high - lives) + self[high] * (lives - low)) / (high - low)
            value = when(lives >= low, between, value)
        return value

    def say(self, value: Callable[[Any], str]) -> str:
        if self.name:
            return f"set by lives on the scale “{self.name}” below"
        parts = [f"{value(share)} {lives}" for lives, share in self.spans()]
        return "set by lives (" + "; ".join(parts) + "; in a straight line between)"

    def spans(self) -> list[tuple[str, float]]:
        """The points in words; neighbors with one value are said once.

        >>> SlidingScale({500: 0.122, 999: 0.087, 1000: 0.087, 2999: 0.05}).spans()
        [('up to 500', 0.122), ('999 to 1,000', 0.087), ('from 2,999', 0.05)]
        """
        points = sorted(self)
        groups = [list(group) for _, group in groupby(points, key=self.__getitem__)]
        spans = []
        for group in groups:
            low, high = f"{group[0]:,}", f"{group[-1]:,}"
            lives = low if low == high else f"{low} to {high}"
            if group[-1] == points[-1]:
                lives = f"from {low}"
            elif group[0] == points[0]:
                lives = f"up to {high}"
            spans.append((lives, self[group[0]]))
        return spans


class Ladder(dict[float, float]):
    """A term that depends on a result: `{0.60: 0, 0.70: 0.5, 0.80: 1}`. The clause says how it climbs.

    >>> ladder = Ladder({0.60: 0.0, 0.70: 0.5, 0.80: 1.0})
    >>> ladder.step(0.75), round(ladder.line(0.75), 6), ladder.step(0.5), ladder.line(2)
    (0.5, 0.75, 0.0, 1.0)

    As bands, each value applies to the part of the result between its rung and the next:

    >>> corridor = Ladder({0.0: 0.0, 0.02: 0.5, 0.04: 0.8})
    >>> round(corridor.bands(0.05), 6)  # half of two points, and 80% of one
    0.018
    """

    def step(self, result: Number) -> Number:
        """The value of the highest rung reached; nothing under the first."""
        value: Number = 0.0
        for rung in sorted(self):
            value = when(result >= rung, self[rung], value)
        return value

    def line(self, result: Number) -> Number:
        """In straight lines from rung to rung; flat outside."""
        rungs = sorted(self)
        result = least(most(result, rungs[0]), rungs[-1])
        value: Number = self[rungs[0]]
        for low, high in pairwise(rungs):
            between = (self[low] * (high - result) + self[high] * (result - low)) / (high - low)
            value = when(result >= low, between, value)
        return value

    def climbed(self, result: Number, climbs: str) -> Number:
        """In steps, or in straight lines; what floats lose holds back no step: 0.1 + 0.7 has reached 0.8."""
        return self.step(result + HAIR) if climbs == "in steps" else self.line(result)

    def bands(self, result: Number) -> Number:
        """The sum over bands of value x the part of the result in the band."""
        rungs = sorted(self)
        total: Number = 0.0
        for low, high in zip(rungs, [*rungs[1:], math.inf], strict=True):
            total = total + self[low] * most(least(result, high) - low, 0.0)
        return total

    def say(self, value: Callable[[Any], str]) -> str:
        rungs = sorted(self)
        return "; ".join(f"{value(self[rung])} from {rung:,.10g}" for rung in rungs)

    def say_bands(self, value: Callable[[Any], str]) -> str:
        """The bands in words, where the rungs are shares.

        >>> Ladder({0.0: 1.0, 0.02: 0.5, 0.04: 0.2}).say_bands(say_percent)
        'all of the part up to 2%, 50% of the part from 2% to 4% and 20% of the part above 4%'
        >>> Ladder({0.0: 1.0}).say_bands(say_percent)
        'all of it'
        """
        rungs = sorted(self)
        words: dict[float, str] = {0: "none", 1: "all"}
        shares = {rung: words.get(self[rung]) or value(self[rung]) for rung in rungs}
        if rungs == [0]:
            return f"{shares[0]} of it"
        parts = []
        for low, high in zip(rungs, [*rungs[1:], None], strict=True):
            if high is None:
                part = f"above {say_percent(low)}"
            else:
                part = f"from {say_percent(low)} to {say_percent(high)}" if low else f"up to {say_percent(high)}"
            parts.append(f"{shares[low]} of the part {part}")
        return say_list(parts)


def credibility(people: Number, full: Number | None = None, half: Number | None = None) -> Number:
    """How far the result of so many people is believed: none of it is 0, and all of it 1.

    Limited fluctuation, all from `full` people on: least(1, square root of people / full).
    Buhlmann, half of it at `half` people: people / (people + half).

    >>> credibility(1_250, full=5_000), credibility(5_000, full=5_000), credibility(20_000, full=5_000)
    (0.5, 1.0, 1)
    >>> credibility(5_000, half=5_000), credibility(15_000, half=5_000), credibility(0, full=5_000), credibility(7)
    (0.5, 0.75, 0.0, 1)
    """
    if full is not None:
        return least((people / full) ** 0.5, 1)
    return 1 if half is None else people / (people + half)


# --- units ------------------------------------------------------------------------------------------------------------


class ScaledUnit(Unit):
    """A number that may slide with the number of lives; a contract may name its scale."""

    def say(self, value: Any) -> str:
        return value.say(self.say) if isinstance(value, SlidingScale) else super().say(value)

    def check_now(self, value: Any) -> Any:
        if isinstance(value, SlidingScale):
            value = self.written(value)
        if isinstance(value, str) and tidy(value):
            return SlidingScale(name=tidy(value))
        if isinstance(value, Mapping) and set(value) == {"lives"} and isinstance(value["lives"], Mapping):
            points = value["lives"].items()
            if points:
                return SlidingScale({Lives_unit.check_number(key): self.check_number(item) for key, item in points})
        return self.check_number(value)

    def written(self, value: Any) -> Any:
        return value.name or {"lives": dict(value)} if isinstance(value, SlidingScale) else super().written(value)


class TieredUnit(Unit):
    """A number for all members, or one for each tier of them."""

    def say(self, value: Any) -> str:
        if isinstance(value, Mapping) and not isinstance(value, Schedule):
            return ", ".join(f"{super(TieredUnit, self).say(amount)} for {tier}" for tier, amount in value.items())
        return super().say(value)

    def check(self, value: Any) -> Any:
        """A tier may have its schedule, or a year its tiers."""
        if _are_tiers(value):
            each = Unit(self.name, self.allowed, self.say_number, self.top)
            return {tidy(tier): each.check(amount) for tier, amount in each_once(value).items()}
        return super().check(value)

    def check_now(self, value: Any) -> Any:
        if _are_tiers(value):
            return {tidy(tier): self.check_number(amount) for tier, amount in each_once(value).items()}
        return self.check_number(value)


class LadderUnit(Unit):
    """A ladder of numbers by result."""

    def say(self, value: Any) -> str:
        if isinstance(value, Schedule):
            return value.say(lambda ladder: f"({self.say(ladder)})")
        return value.say(self.say) if isinstance(value, Ladder) else super().say(value)

    def check(self, value: Any) -> Any:
        """Its rungs may look like years, so it is a schedule only where it holds ladders."""
        return self.check_now(value) if _is_ladder(value) else super().check(value)

    def check_now(self, value: Any) -> Any:
        if not _is_ladder(value):
            self.refuse(value, "write results and what each earns: {0.6: 0, 0.8: 1}")
        return Ladder({float(self.check_rung(key)): self.check_number(item) for key, item in value.items()})

    def check_rung(self, rung: Any) -> Any:
        return Rate_unit.check_number(rung)


class BandsUnit(LadderUnit):
    """A ladder whose values each apply to one band of the result, the rungs being shares."""

    def say(self, value: Any) -> str:
        return value.say_bands(self.say) if isinstance(value, Ladder) else super().say(value)

    def check_rung(self, rung: Any) -> Any:
        if Rate_unit.check_number(rung) > 1:
            refuse(f"a band from {rung:,.10g}", self.allowed, what_a_share_is(rung))
        return rung


def what_a_share_is(rung: float) -> str:
    """What to do about a rung that should be a share and is above 1.

    >>> what_a_share_is(2), what_a_share_is(100_000)
    ('for 2% write 0.02', 'write the share that it is: $1,000 of $100,000 is 0.01')
    """
    if rung <= 100:
        return f"for {rung:.10g}% write {rung / 100:.10g}"
    return "write the share that it is: $1,000 of $100,000 is 0.01"


def _are_tiers(value: Any) -> bool:
    """A tier's name is words: one that begins with a digit could be a year."""
    named = isinstance(value, Mapping) and bool(value) and set(value) != {"lives"}
    return named and all(
        isinstance(key, str) and key.strip() and key.isprintable() and not key.strip()[0].isdigit() for key in value
    )


def _is_ladder(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and not isinstance(next(iter(value.values())), Mapping)


TieredDollars = Annotated[
    Number,
    TieredUnit("dollars", "dollars, 0 or more, or an amount for each tier: {standard: 20, complex: 100}", say_dollars),
]
ScaledShare = Annotated[
    Number,
    ScaledUnit(
        "share",
        SHARE + ", or a sliding scale {lives: {5000: 0.039, 60000: 0.02}}, or the name of one under `scales`",
        say_percent,
        1,
    ),
]
ShareLadder = Annotated[
    Number, LadderUnit("share", "a ladder of shares by result: {0.6: 0, 0.7: 0.5, 0.8: 1}", say_percent, 1)
]
ShareBands = Annotated[
    Number,
    BandsUnit(
        "share", "a share for each band, by the share at which it begins: {0: 1, 0.02: 0.5, 0.04: 0.2}", say_percent, 1
    ),
]
DollarLadder = Annotated[
    Number, LadderUnit("dollars", "a ladder of dollars by result: {0: 0, 20: 3200000}", say_dollars)
]


def say_change(share: float) -> str:
    """By how much a payment is changed.

    >>> say_change(0.06), say_change(-0.01), say_change(0)
    ('6% more', '1% less', 'as it is')
    """
    return f"{say_percent(abs(share))} {'more' if share > 0 else 'less'}" if share else "as it is"


Change = Annotated[
    Number,
    LadderUnit(
        "change", "a ladder, by result, of shares from -1 (all less) to 1: {0: -0.01, 1: 0.06}", say_change, 1, -1
    ),
]
Climbs = Literal["in steps", "in straight lines between"]
HOW_IT_CLIMBS = {
    "in steps": "in steps, and unchanged below the first",
    "in straight lines between": "in straight lines",
}


def _only_a_scale(value: Any) -> SlidingScale:
    if not isinstance(value, SlidingScale) or value.name:
        allowed = "a sliding scale: {lives: {5000: 0.039, 60000: 0.02}}"
        refuse(show(getattr(value, "name", value)), allowed, "write its points under `lives:`")
    return value


Scale = Annotated[ScaledShare, AfterValidator(_only_a_scale)]
