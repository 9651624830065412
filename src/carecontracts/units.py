"""Units: a term's type is its unit, and the unit knows how to check, schedule and print a value.

A term is a number, a *schedule* (a number for each run of years) or, where the type says so, a *sliding scale*
(a number for each size of population). `settle` never sees the difference: `Clause.at` makes each a plain number first.

`least`, `most`, `reaches` and `when` are arithmetic that reads like a clause, for numbers and numpy arrays alike.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby, pairwise
from operator import add
from typing import Annotated, Any, NoReturn, TypeAlias

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError, core_schema

from .refusal import show

Number: TypeAlias = Any  # a float, or a numpy array with one value for each draw


# --- arithmetic for numbers and arrays -------------------------------------------------------------------------------


def is_array(x: Any) -> bool:
    return getattr(x, "ndim", 0) > 0


def when(condition: Any, then: Number, otherwise: Number) -> Number:
    """`then` where the condition holds, `otherwise` where it does not. Numbers are finite, as the facts of a year are.

    >>> when(3 > 2, 10, 0)
    10
    """
    if is_array(condition):
        if not is_array(otherwise) and otherwise == 0:
            return then * condition  # a fifth of the time that a choice takes
        import numpy

        return numpy.where(condition, then, otherwise)
    return then if condition else otherwise


def least(*numbers: Number) -> Number:
    """The smallest, element by element for arrays.

    >>> least(3, 2, 5)
    2
    """
    return reduce(lambda a, b: _pick("minimum", min, a, b), numbers)


def most(*numbers: Number) -> Number:
    """The largest, element by element for arrays.

    >>> most(3, 2, 5)
    5
    """
    return reduce(lambda a, b: _pick("maximum", max, a, b), numbers)


def add_up(numbers: Iterable[Number]) -> Number:
    """The sum, without adding the first array to a zero.

    >>> add_up([1, 2, 3]), add_up([])
    (6, 0.0)
    """
    numbers = list(numbers)
    return reduce(add, numbers) if numbers else 0.0


def reaches(amount: Number, threshold: Number) -> Any:
    """Whether an amount is at least the threshold, to a hundredth of a cent: what floats lose decides no payment.

    >>> 7 >= 0.07 * 100, reaches(7, 0.07 * 100)
    (False, True)
    """
    return amount >= threshold - 0.0001


def _pick(ufunc: str, plain: Callable[..., Any], a: Number, b: Number) -> Number:
    if is_array(a) or is_array(b):
        import numpy

        return getattr(numpy, ufunc)(a, b)
    return plain(a, b)


def cents(amount: Number) -> Number:
    """Rounded to the cent, half a cent upwards: the one rounding between the arithmetic and the statement.

    >>> cents(10.005), cents(2.675), cents(0)
    (10.01, 2.68, 0.0)
    """
    # 1e-6 of a cent lifts what floats hold just under the half (10.005 is 10.00499…) without reaching a real 0.4999.
    if is_array(amount):
        import numpy

        amount = amount * 100.0  # a copy; the rest in place, since simulations spend their time on memory
        amount += 0.500001
        numpy.floor(amount, out=amount)
        amount /= 100
        return amount
    return math.floor(amount * 100 + 0.500001) / 100


# --- values that depend on the year or on size ----------------------------------------------------------------


class Schedule(dict[int, Any]):
    """A term with a value for each run of years: `{2014: 0.02, 2019: 0, 2021: 0.02}`.

    Each value holds from its year until the next one named. Years below 100 count from the contract's first year.

    >>> sequestration = Schedule({2014: 0.02, 2019: 0.0, 2021: 0.02})
    >>> sequestration.at(2018), sequestration.at(2020), sequestration.at(2025)
    (0.02, 0.0, 0.02)
    """

    def counts_from_first_year(self) -> bool:
        return max(self) < 100

    def at(self, year: int) -> Any:
        return self[max(start for start in self if start <= year)]

    def say(self, value: Callable[[Any], str]) -> str:
        starts = sorted(self)
        prefix = "year " if self.counts_from_first_year() else ""
        parts = []
        for start, after in zip(starts, [*starts[1:], None], strict=True):
            if after is None:
                span = f"from {prefix}{start}"
            elif after == start + 1:
                span = f"in {prefix}{start}"
            elif prefix:
                span = f"in years {start} to {after - 1}"
            else:
                span = f"in {start} to {after - 1}"
            said = value(self[start])
            parts.append(f"({said}) {span}" if isinstance(self[start], Ladder) else f"{said} {span}")
        return say_list(parts)


class SlidingScale(dict[int, float]):
    """A term that slides with the number of lives: `{lives: {5000: 0.039, 5999: 0.036}}`, straight between the points.

    Below the first point and above the last the value is theirs. A contract names a scale once, under `scales`.

    >>> scale = SlidingScale({5000: 0.039, 5999: 0.036})
    >>> round(scale.at(5333), 6), scale.at(100), scale.at(90_000)
    (0.038, 0.039, 0.036)
    """

    name = ""  # where the contract names it

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
        """The points in words; neighbours with one value are said once.

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


# --- units ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unit:
    """What one kind of number may be, how it is written, and how it is printed."""

    name: str
    allowed: str  # in an error: what would have been accepted
    say_number: Callable[[float], str]
    top: float = 1e13  # ten trillion: more is a slip of the keyboard
    bottom: float = 0
    whole: bool = False
    scales: bool = False  # may be a sliding scale by lives
    tiers: bool = False  # may be a number for each tier of members
    rungs: bool = False  # is a ladder of numbers by result
    bands: bool = False  # is a ladder whose values each apply to one band of the result, the rungs being shares

    def say(self, value: Any) -> str:
        if self.bands and isinstance(value, Ladder):
            return value.say_bands(self.say)
        if isinstance(value, (Schedule, SlidingScale, Ladder)):
            return value.say(self.say)
        if isinstance(value, Mapping):
            return ", ".join(f"{self.say(amount)} for {tier}" for tier, amount in value.items())
        return self.say_number(value)

    def fault(self, number: Any) -> str:
        """What is wrong with a number (or an array of them), or an empty string."""
        if isinstance(number, bool) or not (isinstance(number, (int, float)) or hasattr(number, "dtype")):
            text = str(number).strip() if isinstance(number, str) else ""
            if text.endswith("%"):
                return "write a share as a decimal: 0.5, not 50%"
            return "write a plain number, without quotes, commas or signs" if text else "write a number"
        # the ends of an array are enough, and take no memory; NaN is inside nothing
        low, high = (number.min(), number.max()) if is_array(number) and number.size else (number, number)
        inside = (low >= self.bottom) & (high <= self.top)
        if not (inside.all() if hasattr(inside, "all") else inside):
            if self.top == 1 and not is_array(number) and 1 < number <= 100:
                return f"for {number:g}% write {number / 100:g}"
            if not is_array(number) and number < 0:
                return "nothing here is negative: for money back, swap payer and payee"
            return "correct the value"
        if self.whole and not is_array(number) and number != int(number):
            return "write a whole number"
        return ""

    def check(self, value: Any, scales: Mapping[str, SlidingScale] | None = None, by_year: bool = True) -> Any:
        """The value, a schedule or a scale of checked values; a mistake is raised with what to do about it."""
        if isinstance(value, str) and self.scales and tidy(value) in (scales or {}):
            return (scales or {})[tidy(value)]
        if self.rungs and isinstance(value, Mapping) and value and not isinstance(next(iter(value.values())), Mapping):
            return Ladder({_rung(key): self._one(item) for key, item in value.items()})
        if isinstance(value, Mapping) and value:
            if by_year and all(is_year(key) for key in value):
                if min(value) < 100 <= max(value):
                    self._refuse(value, "count all years from the contract's first, or name all by the calendar")
                return Schedule({key: self.check(item, scales, by_year=False) for key, item in value.items()})
            if self.scales and set(value) == {"lives"} and isinstance(value["lives"], Mapping) and value["lives"]:
                return SlidingScale({self._lives(key): self._one(item) for key, item in value["lives"].items()})
            if (
                self.tiers
                and set(value) != {"lives"}
                and all(isinstance(key, str) and key.strip() and key.isprintable() for key in value)
            ):
                tier = replace(self, tiers=False)
                return {tidy(key): tier.check(item, by_year=by_year) for key, item in value.items()}
        if self.rungs:
            self._refuse(value, "write results and what each earns: {0.6: 0, 0.8: 1}")
        return self._one(value)

    def _one(self, number: Any) -> Any:
        do = self.fault(number)
        if do:
            self._refuse(number, do)
        return number

    def _refuse(self, value: Any, do: str) -> NoReturn:
        raise PydanticCustomError("unit", "{do}", {"given": show(value), "allowed": self.allowed, "do": do})

    def _lives(self, key: Any) -> Any:
        return Lives_unit._one(key)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            lambda value, info: self.check(value, (info.context or {}).get("scales")),
            serialization=core_schema.plain_serializer_function_ser_schema(_as_written),
        )


def tidy(name: Any) -> Any:
    """A name as it is compared: one space between words, none around them. Anything but text is left as it is.

    >>> tidy(" care  management fee")
    'care management fee'
    """
    return " ".join(name.split()) if isinstance(name, str) else name


def _rung(key: Any) -> float:
    """A rung of a ladder: any finite number that is not negative."""
    return float(Rate_unit._one(key))


def is_year(key: Any) -> bool:
    return isinstance(key, int) and not isinstance(key, bool) and 1 <= key < 3000


def _as_written(value: Any) -> Any:
    """A term as it stands in the file, so that a contract can be amended and written back."""
    if isinstance(value, SlidingScale):
        return value.name or {"lives": dict(value)}
    if isinstance(value, Mapping):
        return {key: _as_written(item) for key, item in value.items()}
    return value


def say_list(items: Sequence[str]) -> str:
    """Several things in one sentence.

    >>> say_list(["fee"]), say_list(["fee", "bonus"]), say_list(["fee", "bonus", "gift"])
    ('fee', 'fee and bonus', 'fee, bonus and gift')
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def say_percent(share: float) -> str:
    """A share in printed words, every digit kept.

    >>> say_percent(0.5), say_percent(0.0235), say_percent(1 / 3)
    ('50%', '2.35%', '33.33333333%')
    """
    return f"{share * 100:.10g}%"


def say_dollars(amount: float) -> str:
    """Dollars, with cents only where there are any, and every digit of a rate in fractions of a cent.

    >>> say_dollars(1250000), say_dollars(85.5), say_dollars(4.125)
    ('$1,250,000', '$85.50', '$4.125')
    """
    if amount == int(amount):
        return f"${amount:,.0f}"
    return f"${amount:,.2f}" if amount == round(amount, 2) else f"${amount:,.10g}"


def say_count(count: float) -> str:
    return f"{count:,.10g}"


Lives_unit = Unit("lives", "a whole number of people, 0 or more", say_count, whole=True)
_share = (
    "share",
    "a number from 0 to 1 (0.5 is half), or one for each run of years: {2024: 0.5, 2026: 0.4}",
    say_percent,
    1,
)

Dollars = Annotated[
    Number,
    Unit("dollars", "dollars, 0 or more, or one amount for each run of years: {2024: 85, 2026: 80}", say_dollars),
]
TieredDollars = Annotated[
    Number,
    Unit(
        "dollars",
        "dollars, 0 or more, or an amount for each tier: {standard: 20, complex: 100}",
        say_dollars,
        tiers=True,
    ),
]
Share = Annotated[Number, Unit(*_share)]
ScaledShare = Annotated[
    Number,
    Unit(
        _share[0],
        _share[1] + ", or a sliding scale {lives: {5000: 0.039, 60000: 0.02}}, or the name of one under `scales`",
        say_percent,
        1,
        scales=True,
    ),
]
Rate_unit = Unit("rate", "a number, 0 or more", say_count)
Rate = Annotated[Number, Rate_unit]
ShareLadder = Annotated[
    Number, Unit(_share[0], "a ladder of shares by result: {0.6: 0, 0.7: 0.5, 0.8: 1}", say_percent, 1, rungs=True)
]
ShareBands = Annotated[
    Number,
    Unit(
        _share[0],
        "a share for each band, by the share at which it begins: {0: 1, 0.02: 0.5, 0.04: 0.2}",
        say_percent,
        1,
        rungs=True,
        bands=True,
    ),
]
DollarLadder = Annotated[
    Number, Unit("dollars", "a ladder of dollars by result: {0: 0, 20: 3200000}", say_dollars, rungs=True)
]


def _only_a_scale(value: Any) -> SlidingScale:
    if not isinstance(value, SlidingScale):
        allowed, do = "a sliding scale: {lives: {5000: 0.039, 60000: 0.02}}", "write its points under `lives:`"
        raise PydanticCustomError("unit", "{do}", {"given": show(value), "allowed": allowed, "do": do})
    return value


Scale = Annotated[ScaledShare, AfterValidator(_only_a_scale)]
Count = Annotated[Number, Unit("count", "a count, 0 or more", say_count)]
Lives = Annotated[Number, Lives_unit]
Years = Annotated[Number, Unit("years", "a whole number of years, 1 or more", say_count, 99, 1, whole=True)]
Months = Annotated[Number, Unit("months", "a number of months, 0 or more", say_count)]


def unit_of(annotation: Any) -> Unit:
    """The unit that an annotated type such as `Share` carries."""
    return next(item for item in annotation.__metadata__ if isinstance(item, Unit))
