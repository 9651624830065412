"""The chain ladder: what is still to come of months of service, from how older ones were paid, and how far it may miss.

For each month of service the claims paid so far are a row; how long they took to be paid is the column. The growth from
one column to the next, over all rows that have both, is the development factor; the product of those still to come is
what a month of that age grows by. Formulas: Mack, Distribution-free calculation of the standard error of chain ladder
reserve estimates, ASTIN Bulletin 23 (1993), 213-225.

    factor(age) = sum of paid by age + 1 / sum of paid by age, over months of service old enough for both
    share(age)  = 1 / product of the factors from the age on: what is paid by it of what there will be
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import exp, log, prod, sqrt
from typing import NamedTuple

NORMAL_95 = 1.959963984540054


def cumulative(cells: Mapping[tuple[int, int], float], last: int) -> list[list[float]]:
    """Rows of what was paid by each age, the oldest month first, from dollars by (month of service, lag).

    >>> cumulative({(1, 0): 100, (1, 1): 50, (2, 0): 120}, last=2)
    [[100.0, 150.0], [120.0]]
    """
    first = min((month for month, _ in cells), default=last + 1)
    rows = range(first, last + 1)
    return [[*map(float, accumulate(cells.get((m, k), 0) for k in range(last - m + 1)))] for m in rows]


class Age(NamedTuple):
    """How dollars of one age grow to the next: None where the older months cannot tell."""

    factor: float | None
    variance: float | None  # Mack's sigma squared
    volume: float  # what the months that tell it had paid at this age


class Ladder:
    """A cumulative triangle: a row for each month of service, oldest first, of what was paid by age.

    Three months worked by hand: (150 + 180) / (100 + 120) = 1.5 and 165 / 150 = 1.1.

    >>> ladder = Ladder([[100, 150, 165], [120, 180], [140]])
    >>> [round(age.factor, 6) for age in ladder.ages], round(ladder.grows(0), 6)
    ([1.5, 1.1], 1.65)
    """

    def __init__(self, rows: Sequence[Sequence[float]]) -> None:
        self.ages: list[Age] = []
        for age in range(max(map(len, rows), default=1) - 1):
            self.ages.append(self._age([(row[age], row[age + 1]) for row in rows if len(row) > age + 1]))

    def _age(self, both: Sequence[tuple[float, float]]) -> Age:
        before, after = sum(b for b, _ in both), sum(a for _, a in both)
        if not any(value for pair in both for value in pair):
            return Age(1.0, 0.0, 0.0)  # nothing was ever paid: nothing grows
        if before <= 0 or after <= 0:
            return Age(None, None, before)
        factor = after / before
        told = [(b, a) for b, a in both if b or a]
        if any(b <= 0 for b, _ in told):  # a month that grew from nothing: no variance can hold it
            return Age(factor, None, before)
        if len(told) > 1:
            return Age(factor, sum((a - factor * b) ** 2 / b for b, a in told) / (len(told) - 1), before)
        return Age(factor, self._as_the_ages_before(), before)

    def _as_the_ages_before(self) -> float | None:
        """The variance of an age that one month alone tells, as Mack has it."""
        if not self.ages or self.ages[-1].variance is None:
            return None
        last = self.ages[-1].variance
        before = self.ages[-2].variance if len(self.ages) > 1 else last
        if before is None:
            return None
        return min(last**2 / before, before, last) if before else 0.0

    def grows(self, age: int) -> float | None:
        """What dollars of an age still grow by: 1 beyond the triangle; None where the older months cannot tell."""
        if age < 0:
            return None
        factors = [each.factor for each in self.ages[age:]]
        return None if None in factors else prod(factor for factor in factors if factor is not None)

    def share(self, age: int) -> float:
        """What is paid by an age of what there will be: 0 where the older months cannot tell.

        >>> Ladder([[0, 60, 100], [0, 60], [0]]).share(0), Ladder([[0, 60, 100], [0, 60], [0]]).share(1)
        (0.0, 0.6)
        """
        grows = self.grows(age)
        return 0.0 if grows is None else 1 / grows

    def error(self, paid: Mapping[int, float]) -> float | None:
        """Mack's standard error of what dollars, by age, grow to; None where it cannot be told.

        The dollars may be those of some of the people of the triangle: chance strikes theirs, and the factors' own
        error is the triangle's.
        """
        variance = 0.0
        for k, age in enumerate(self.ages):
            grown = {a: dollars * (self.grows(a) or 0.0) for a, dollars in paid.items() if 0 <= a <= k and dollars}
            if not grown:
                continue
            if age.factor is None or age.variance is None:
                return None
            if not age.volume:
                continue
            onward = self.grows(k)
            assert onward is not None
            chance = sum(abs(dollars) * onward for dollars in grown.values())
            variance += age.variance / age.factor**2 * (chance + sum(grown.values()) ** 2 / age.volume)
        return sqrt(variance)


def lognormal_95(estimate: float, error: float) -> tuple[float, float] | None:
    """The interval that holds an amount 95 times in 100, were it lognormal with this mean and standard error.

    None where nothing is to come, or less than nothing. The distribution is Mack's choice.

    >>> [round(end) for end in lognormal_95(100, 10)]
    [82, 121]
    """
    if estimate <= 0 or error <= 0:
        return None
    spread = sqrt(log(1 + (error / estimate) ** 2))
    middle = log(estimate) - spread**2 / 2
    return exp(middle - NORMAL_95 * spread), exp(middle + NORMAL_95 * spread)
