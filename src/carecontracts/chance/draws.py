"""Draws: one number a draw, with the arithmetic of a number, where there is no numpy.

A simulation is a year whose facts are arrays. Where numpy is, they are its own; in a page they are these. `least`,
`most`, `when` and `cents` ask an array's class to choose, so that a contract settles either by the same code.
"""

import math
import operator
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any


class Draws:
    """A number for each draw.

    >>> spend = Draws([1.0, 2.0, 4.0])
    >>> (10 - 2 * spend).values, (spend >= 2).mean(), spend.quantile(0.75)
    ([8.0, 6.0, 2.0], 0.6666666666666666, 3.0)
    """

    __slots__ = ("values",)
    __hash__ = None  # type: ignore[assignment]
    ndim = 1
    dtype = float

    def __init__(self, values: Iterable[Any]) -> None:
        self.values = list(values)

    # --- arithmetic, draw by draw ---

    def _with(self, function: Callable[[Any, Any], Any], other: Any) -> "Draws":
        others = other.values if isinstance(other, Draws) else repeat(other)
        return Draws(map(function, self.values, others))

    def _from(self, function: Callable[[Any, Any], Any], other: Any) -> "Draws":
        return Draws(map(function, repeat(other), self.values))

    def __add__(self, other: Any) -> "Draws":
        return self._with(operator.add, other)

    def __sub__(self, other: Any) -> "Draws":
        return self._with(operator.sub, other)

    def __rsub__(self, other: Any) -> "Draws":
        return self._from(operator.sub, other)

    def __mul__(self, other: Any) -> "Draws":
        return self._with(operator.mul, other)

    def __truediv__(self, other: Any) -> "Draws":
        return self._with(_divided, other)

    def __rtruediv__(self, other: Any) -> "Draws":
        return self._from(_divided, other)

    def __pow__(self, other: Any) -> "Draws":
        return self._with(operator.pow, other)

    def __rpow__(self, other: Any) -> "Draws":
        return self._from(operator.pow, other)

    def __neg__(self) -> "Draws":
        return Draws(map(operator.neg, self.values))

    def __abs__(self) -> "Draws":
        return Draws(map(abs, self.values))

    def __and__(self, other: Any) -> "Draws":
        return self._with(operator.and_, other)

    def __or__(self, other: Any) -> "Draws":
        return self._with(operator.or_, other)

    __radd__, __rmul__, __rand__, __ror__ = __add__, __mul__, __and__, __or__

    def __lt__(self, other: Any) -> "Draws":
        return self._with(operator.lt, other)

    def __le__(self, other: Any) -> "Draws":
        return self._with(operator.le, other)

    def __gt__(self, other: Any) -> "Draws":
        return self._with(operator.gt, other)

    def __ge__(self, other: Any) -> "Draws":
        return self._with(operator.ge, other)

    def __eq__(self, other: Any) -> "Draws":  # type: ignore[override]
        return self._with(operator.eq, other)

    def __ne__(self, other: Any) -> "Draws":  # type: ignore[override]
        return self._with(operator.ne, other)

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        raise TypeError("whether a condition holds is one answer for each draw: use `when`")

    # --- over all draws ---

    @property
    def size(self) -> int:
        return len(self.values)

    def mean(self) -> float:
        return math.fsum(self.values) / len(self.values)

    def std(self) -> float:
        mean = self.mean()
        return math.sqrt(math.fsum((value - mean) ** 2 for value in self.values) / len(self.values))

    def min(self) -> Any:
        return min(self.values)

    def max(self) -> Any:
        return max(self.values)

    def all(self) -> bool:
        return all(self.values)

    def any(self) -> bool:
        return any(self.values)

    def quantile(self, share: float) -> float:
        """The value that a share of draws does not exceed, in a straight line between neighbors."""
        ordered = sorted(self.values)
        place = share * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))

    # --- what an array's library offers (`units`) ---

    def each(self, function: Callable[[Any], Any]) -> "Draws":
        return Draws(map(function, self.values))

    @staticmethod
    def where(condition: "Draws", then: Any, otherwise: Any) -> "Draws":
        count = len(condition)
        return Draws(
            a if holds else b
            for holds, a, b in zip(condition.values, _each(then, count), _each(otherwise, count), strict=True)
        )

    @staticmethod
    def minimum(a: Any, b: Any) -> "Draws":
        return a._with(min, b) if isinstance(a, Draws) else b._with(min, a)

    @staticmethod
    def maximum(a: Any, b: Any) -> "Draws":
        return a._with(max, b) if isinstance(a, Draws) else b._with(max, a)

    @staticmethod
    def floor(amount: "Draws", out: "Draws") -> "Draws":
        out.values = list(map(math.floor, amount.values))
        return out


def _divided(a: Any, b: Any) -> float:
    """As arrays divide: by zero is infinite, or no number."""
    if b:
        return float(a / b)
    return math.copysign(math.inf, a) if a else math.nan


def _each(value: Any, count: int) -> Iterable[Any]:
    return value.values if isinstance(value, Draws) else repeat(value, count)


def joined(parts: Iterable[Draws]) -> Draws:
    """All the draws of several, as one.

    >>> joined([Draws([1.0]), Draws([2.0])]).values
    [1.0, 2.0]
    """
    return Draws(value for part in parts for value in part.values)
