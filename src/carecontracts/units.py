"""Units: a term's type is its unit, and the unit knows how to check, schedule and print a value.

A term is a number or a *schedule*, a number for each run of years; what depends on size or result is in `scales.py`.
`settle` never sees the difference: `Clause.at` makes each a plain number first.

`least`, `most`, `reaches` and `when` are arithmetic that reads like a clause, for numbers and numpy arrays alike.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Annotated, Any, NoReturn, TypeAlias

from pydantic_core import core_schema

from .refusal import in_dollars, refuse, show

Number: TypeAlias = Any  # a float, or a numpy array with one value for each draw


# --- arithmetic for numbers and arrays -------------------------------------------------------------------------------


def is_array(x: Any) -> bool:
    return getattr(x, "ndim", 0) > 0


def _library(array: Any) -> Any:
    """What chooses among the elements of an array: its own class, or numpy."""
    if hasattr(type(array), "minimum"):
        return type(array)
    import numpy

    return numpy


def when(condition: Any, then: Number, otherwise: Number) -> Number:
    """`then` where the condition holds, `otherwise` where it does not. Numbers are finite, as the facts of a year are.

    >>> when(3 > 2, 10, 0)
    10
    """
    if is_array(condition):
        if not is_array(otherwise) and otherwise == 0:
            return then * condition  # a fifth of the time that a choice takes
        return _library(condition).where(condition, then, otherwise)
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
        return getattr(_library(a if is_array(a) else b), ufunc)(a, b)
    return plain(a, b)


def cents(amount: Number) -> Number:
    """Rounded to the cent, half a cent upwards: the one rounding between the arithmetic and the statement.

    >>> cents(10.005), cents(2.675), cents(0)
    (10.01, 2.68, 0.0)
    """
    if is_array(amount):
        library = _library(amount)
        amount = amount * _CENTS  # a copy; the rest in place, since simulations spend their time on memory
        amount += _HALF
        library.floor(amount, out=amount)
        amount /= 100
        return amount
    return math.floor(amount * _CENTS + _HALF) / 100


# Floats hold many halves just below them: 10.005 is 10.00499…, and more so from $100 million on. Two of their steps and
# a millionth of a cent lift these, and no amount below $1 billion that is a ten-thousandth of a cent under the half.
_CENTS, _HALF = 100 * (1 + 2**-51), 0.500001


# --- values that depend on the year -----------------------------------------------------------------------------------


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
            parts.append(f"{value(self[start])} {span}")
        return say_list(parts)


# --- units ------------------------------------------------------------------------------------------------------------


MOST_DOLLARS = 1e13  # ten trillion: more is a slip of the keyboard, and its cents are not exact


@dataclass(frozen=True)
class Unit:
    """What one kind of number may be, how it is written, and how it is printed."""

    name: str
    allowed: str  # in an error: what would have been accepted
    say_number: Callable[[float], str]
    top: float = MOST_DOLLARS
    bottom: float = 0
    whole: bool = False

    def say(self, value: Any) -> str:
        return value.say(self.say) if isinstance(value, Schedule) else self.say_number(value)

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
            if self.top == 1 and not is_array(number) and 1 < (number if self.bottom >= 0 else abs(number)) <= 100:
                return f"for {number:g}% write {number / 100:g}"
            if self.bottom >= 0 and not is_array(number) and number < 0:
                return "nothing here is negative: for money back, swap payer and payee"
            return "correct the value"
        if self.whole and not is_array(number) and number != int(number):
            return "write a whole number"
        return ""

    def check(self, value: Any) -> Any:
        """The value, or a schedule of values, each checked; a mistake is raised with what to do about it."""
        if isinstance(value, Mapping) and value and all(is_year(key) for key in value):
            if min(value) < 100 <= max(value):
                self.refuse(value, "count all years from the contract's first, or name all by the calendar")
            return Schedule({key: self.check_now(item) for key, item in value.items()})
        return self.check_now(value)

    def check_now(self, value: Any) -> Any:
        """The value of one year, checked."""
        return self.check_number(value)

    def check_number(self, number: Any) -> Any:
        do = self.fault(number)
        if do:
            self.refuse(number, do)
        return number

    def refuse(self, value: Any, do: str) -> NoReturn:
        refuse(show(value), self.allowed, do)

    def written(self, value: Any) -> Any:
        """A term as it stands in the file, so that a contract can be amended and written back."""
        return {key: self.written(item) for key, item in value.items()} if isinstance(value, Mapping) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def checked(value: Any, info: core_schema.ValidationInfo) -> Any:
            return self.check(with_numbers(value) if info.mode == "json" else value)

        return core_schema.with_info_plain_validator_function(
            checked,
            serialization=core_schema.plain_serializer_function_ser_schema(self.written),
        )


def with_numbers(value: Any) -> Any:
    """JSON's names that are numbers as numbers, since it has no other keys: years, rungs and lives.

    >>> with_numbers({"lives": {"5000": 0.04}}), with_numbers({"0.02": 0.5, "complex": 1})
    ({'lives': {5000: 0.04}}, {0.02: 0.5, 'complex': 1})
    """
    if isinstance(value, Mapping):
        return {_as_number(key): with_numbers(item) for key, item in value.items()}
    return value


def _as_number(key: Any) -> Any:
    if isinstance(key, str) and key[:1].isdigit():
        try:
            return int(key) if key.isdigit() else float(key)
        except ValueError:
            pass
    return key


def tidy(name: Any) -> Any:
    """A name as it is compared: one space between words, none around them. Anything but text is left as it is.

    >>> tidy(" care  management fee")
    'care management fee'
    """
    return " ".join(name.split()) if isinstance(name, str) else name


# Cyrillic and Greek letters that look like Latin ones.
_LATIN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеорсухѕіјһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοιν", "ABESIJKMHOPCTYXaeopcyxsijhdqwABEZHIKMNOPTYXoiv"
)


def looks(name: str) -> str:
    """How a name looks on paper, where two alphabets have a letter alike.

    >>> looks("plаn") == looks("plan"), looks("план") == looks("plan")
    (True, False)
    """
    return unicodedata.normalize("NFKC", str(tidy(name))).translate(_LATIN)


def each_once(named: Any) -> Any:
    """Names in a list, or values by name, if no name is another's but for a space, or for a letter that looks alike."""
    if isinstance(named, (Mapping, list)):
        names = [tidy(name) for name in named if isinstance(name, str)]
        counted = Counter(map(looks, names))
        for name in dict.fromkeys(name for name in names if counted[looks(name)] > 1):
            do = "rename one of them" if isinstance(named, Mapping) else "remove one of them"
            alike = "" if names.count(name) > 1 else ", in letters that look alike"
            refuse(f"the name {show(name)} twice{alike}", "each name once", do)
    return named


def is_year(key: Any) -> bool:
    return isinstance(key, int) and not isinstance(key, bool) and 1 <= key < 3000


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
    return f"{share * 100:z.10g}%"


def say_dollars(amount: float) -> str:
    """Dollars, with cents only where there are any, and every digit of a rate in fractions of a cent.

    >>> say_dollars(1250000), say_dollars(85.5), say_dollars(4.125)
    ('$1,250,000', '$85.50', '$4.125')
    """
    if amount == int(amount):
        return in_dollars(amount, ",.0f")
    return in_dollars(amount) if amount == round(amount, 2) else in_dollars(amount, ",.10g")


def say_count(count: float) -> str:
    return f"{count:z,.10g}"


Lives_unit = Unit("lives", "a whole number of people, 0 or more", say_count, whole=True)
Rate_unit = Unit("rate", "a number, 0 or more", say_count)
SHARE = "a number from 0 to 1 (0.5 is half), or one for each run of years: {2024: 0.5, 2026: 0.4}"

Dollars = Annotated[
    Number,
    Unit("dollars", "dollars, 0 or more, or one amount for each run of years: {2024: 85, 2026: 80}", say_dollars),
]
Share = Annotated[Number, Unit("share", SHARE, say_percent, 1)]
Rate = Annotated[Number, Rate_unit]
Count = Annotated[Number, Unit("count", "a count, 0 or more", say_count)]
Lives = Annotated[Number, Lives_unit]
Persons = Annotated[
    Number,
    Unit("lives", "a whole number of people, 1 or more", say_count, bottom=1, whole=True),
]  # by whom something is divided
Years = Annotated[Number, Unit("years", "a whole number of years, 1 or more", say_count, 99, 1, whole=True)]
Growth = Annotated[
    Number,
    Unit(
        "growth",
        "a number from -0.99 to 1 (0.03 grows by 3%, -0.045 falls by 4.5%), or one for each run of years:"
        " {2024: 0.03, 2026: -0.01}",
        say_percent,
        1,
        -0.99,
    ),
]
Multiple = Annotated[
    Number, Unit("multiple", "a number from 0.01 to 100 (1.2 is a fifth more)", say_count, 100, 0.01)
]  # what may stand below a line
Months = Annotated[Number, Unit("months", "a whole number of months, from 0 to 60", say_count, 60, whole=True)]
Days = Annotated[Number, Unit("days", "a whole number of days, from 0 to 730", say_count, 730, whole=True)]
MonthsOfYear = Annotated[Number, Unit("months", "a whole number of months, from 0 to 12", say_count, 12, whole=True)]
LongMonths = Annotated[Number, Unit("months", "a whole number of months, from 1 to 120", say_count, 120, 1, whole=True)]


def unit_of(annotation: Any) -> Unit:
    """The unit that an annotated type such as `Share` carries."""
    return next(item for item in annotation.__metadata__ if isinstance(item, Unit))
