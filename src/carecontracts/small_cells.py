"""Small cells: a table that leaves shows no number of 1 to 10 people or services, and nothing that gives one away.

The rule is CMS's cell size suppression policy: no cell of 1 to 10 is reported, and none that lets a value of 1 to 10
be derived "from other reported cells or information", percentages included; zero may be shown
(https://www.hhs.gov/guidance/document/cms-cell-suppression-policy; check the current text).

Hiding the small cells is the easy half. A row total gives a lone hidden cell back by subtraction, two hidden cells in
a row can still be pinned by their columns, and a rate beside its denominator is its numerator. So a table is taken as
unknowns tied by sums, and cells are hidden until the reader of what is left, who knows the rule, learns of a small cell
only that it is small: each sum, used with all the others, leaves it every value from 1 to 10. Linear programs say so;
in a two-way table their ends are whole numbers, so the range is exact.

Small cells and those hidden to protect them carry the same mark. Two marks would tell which is which.

Not modelled:
- other tables of the same people, and last month's: what two releases differ by is a cell too
- dollars: a mean or a sum is hidden with its count, but is not itself protected from subtraction
- a reader who reruns this algorithm to ask which numbers would have led to just these marks
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy.optimize import linprog  # type: ignore[import-untyped,unused-ignore]

from .refusal import Fault, Refusal, show

SMALLEST = 11  # the smallest number, other than zero, that may be shown
MARK = "*"
ALL = "all"  # the name of the row and the column that hold the totals


class Suppressed(NamedTuple):
    """A table that may leave, and what it does not show."""

    table: pd.DataFrame
    cells: int  # counts in the table, totals included
    small: int  # hidden because they are under 11
    others: int  # hidden because they would have given a small one away

    @property
    def hidden(self) -> int:
        return self.small + self.others

    @property
    def note(self) -> str:
        """The line that belongs under the table. It does not say how many were small: that is for those inside."""
        if not self.hidden:
            return f"All {self.cells} counts are shown: none would tell a number of 1 to {SMALLEST - 1}."
        return f"{MARK} {self.hidden} of {self.cells} counts are hidden: under {SMALLEST}, or enough to work one out."


def counts(frame: pd.DataFrame, *, row_totals: bool = True, column_totals: bool = True) -> Suppressed:
    """A one-way or two-way table of counts, with its totals, as it may leave.

    Every cell counts different people (or services), so that a row adds up to its total. The totals are made here:
    give the inner cells only.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"housed": [4, 60, 55], "not housed": [40, 70, 25]}, index=["north", "east", "south"])
    >>> print(counts(frame).table)
          housed not housed  all
    north      *          *   44
    east      60         70  130
    south      *          *   80
    all      119        135  254

    The 25 and the 55 are not small: with either of them shown, a subtraction gives back the 4.
    """
    _refuse_unless_counts(frame)
    inner = frame.to_numpy(dtype=np.int64)
    rows, columns = inner.shape
    table = Sums()
    cell = np.array([[table.add(int(n)) for n in row] for row in inner])
    right = [table.total(cell[i]) for i in range(rows)] if row_totals and columns > 1 else []
    below = [table.total(cell[:, j]) for j in range(columns)] if column_totals and rows > 1 else []
    corner = [table.total(right or below)] if (right and below) else []
    if right and below:
        table.equal(corner[0], below)
    hidden = table.protect()
    shown = np.array([MARK if hide else value for value, hide in zip(table.values, hidden, strict=True)], dtype=object)
    made = frame.astype(object)
    made.iloc[:, :] = shown[cell]
    if right:
        made[ALL] = shown[right]
    if below:
        last = pd.DataFrame([[*shown[below], *shown[corner]]], columns=made.columns, index=[ALL], dtype=object)
        made = pd.concat([made, last])
    return _suppressed(made, table, hidden)


def stages(frame: pd.DataFrame, columns: Sequence[str], *, totals: bool = True) -> Suppressed:
    """Counts of which each is part of the one before, such as eligible, offered, reached, enrolled; a row per group.

    What lies between two stages is not printed but can be subtracted, so it is protected too: 34 offered and 30
    reached would say that 4 were not. The other columns of numbers in a row are hidden with its counts.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"group": ["A", "B", "C"], "offered": [34, 90, 70], "reached": [30, 40, 35]})
    >>> print(stages(frame, ["offered", "reached"]).table.to_string(index=False))
    group offered reached
        A      34       *
        B      90      40
        C      70       *
      all     194     105
    """
    names = list(columns)
    if missing := [name for name in names if name not in frame.columns]:
        allowed = ", ".join(map(str, frame.columns))
        raise Refusal([Fault("columns", show(name), allowed, "name columns of the table") for name in missing])
    _refuse_unless_counts(frame[names])
    inner = frame[names].to_numpy(dtype=np.int64)
    faults = [
        Fault(f"row {i}, {names[j + 1]}", f"{row[j + 1]}, of {row[j]}", f"at most the {names[j]}", "order the stages")
        for i, row in enumerate(inner)
        for j in range(len(names) - 1)
        if row[j + 1] > row[j]
    ]
    if faults:
        raise Refusal(faults)
    table = Sums()
    cell = np.array([[table.add(int(n)) for n in row] for row in inner]).reshape(inner.shape)
    lost = np.array([[table.difference(row[j], row[j + 1]) for j in range(len(names) - 1)] for row in cell])
    below = []
    if totals and len(frame) > 1:
        below = [table.total(cell[:, j]) for j in range(len(names))]
        between = [table.difference(below[j], below[j + 1]) for j in range(len(names) - 1)]
        for j, whole in enumerate(between):
            table.equal(whole, lost[:, j])
    return _with_the_rest(frame, names, table, cell, below)


def rates(
    frame: pd.DataFrame,
    numerator: str = "numerator",
    denominator: str = "denominator",
    *,
    events: bool = False,
    totals: bool = True,
) -> Suppressed:
    """Rates by group: hidden where the numerator, the denominator or what lies between them is 1 to 10.

    With `events` the numerator counts services, of which a person may have several: there is no complement then.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"group": ["A", "B", "C"], "denominator": [40, 90, 70], "numerator": [4, 45, 35]})
    >>> print(rates(frame).table.to_string(index=False))
    group denominator numerator  rate
        A          40         *     *
        B          90        45   0.5
        C          70         *     *
      all         200        84  0.42
    """
    if not events:
        made = stages(frame, [denominator, numerator], totals=totals)
    else:
        names = [denominator, numerator]
        _refuse_unless_counts(frame[names])
        table = Sums()
        cell = np.array([[table.add(int(n)) for n in row] for row in frame[names].to_numpy(dtype=np.int64)])
        below = [table.total(cell[:, j]) for j in range(2)] if totals and len(frame) > 1 else []
        made = _with_the_rest(frame, names, table, cell, below)
    shown = made.table
    shown["rate"] = [
        MARK if MARK in (n, d) else n / d if d else None
        for n, d in zip(shown[numerator], shown[denominator], strict=True)
    ]
    return made


# --- cells tied by sums ---------------------------------------------------------------------------------------------


class Sums:
    """Counts, and the sums that tie them: each equation adds some counts and takes others away, to nothing."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self.printed: list[bool] = []  # one that is not printed can still be worked out
        self.inner: list[bool] = []  # not a total: hidden before one
        self.equations: list[dict[int, int]] = []
        self.fixed: set[int] = set()  # known from elsewhere, so that hiding it hides nothing
        self.least: dict[int, float] = {}  # of a small cell, with every count hidden

    def add(self, value: int, *, printed: bool = True, inner: bool = True) -> int:
        self.values.append(value)
        self.printed.append(printed)
        self.inner.append(inner)
        return len(self.values) - 1

    def equal(self, whole: int, parts: Iterable[int]) -> None:
        self.equations.append({whole: -1} | {int(part): 1 for part in parts})

    def total(self, parts: Iterable[int]) -> int:
        parts = list(parts)
        whole = self.add(sum(self.values[part] for part in parts), inner=False)
        self.equal(whole, parts)
        return whole

    def difference(self, whole: int, part: int) -> int:
        """What is left of the whole without the part: never printed."""
        rest = self.add(self.values[whole] - self.values[part], printed=False)
        self.equal(whole, [part, rest])
        return rest

    def is_small(self, cell: int) -> bool:
        return 0 < self.values[cell] < SMALLEST

    def protect(self) -> list[bool]:
        """Which counts to hide. A cell once safe stays safe, since hiding more only takes knowledge away."""
        small = [k for k in range(len(self.values)) if self.is_small(k)]
        hidden = [not self.printed[k] or self.is_small(k) for k in range(len(self.values))]
        extra: list[int] = []
        for cell in small:
            while not self.is_safe(cell, hidden):
                extra.append(self._next(cell, hidden))
                hidden[extra[-1]] = True
        for cell in sorted(extra, key=lambda k: -self.values[k]):  # what a later choice made needless is shown again
            hidden[cell] = False
            hidden[cell] = not all(self.is_safe(k, hidden) for k in small)
        return hidden

    def is_safe(self, cell: int, hidden: Sequence[bool]) -> bool:
        """Whether a small cell can still be as little as if all were hidden, and 10 or more."""
        if cell not in self.least:
            everything = [
                (self.values[k] > 0 or not self.printed[k]) and k not in self.fixed for k in range(len(self.values))
            ]
            self.least[cell] = self.range_of(cell, everything)[0]
        low, high = self.range_of(cell, hidden)
        return low <= self.least[cell] + 1e-6 and high >= SMALLEST - 1 - 1e-6

    def range_of(self, cell: int, hidden: Sequence[bool]) -> tuple[float, float]:
        """The least and the most that a hidden count can be, to a reader who has the others and knows the rule."""
        unknown = [k for k, hide in enumerate(hidden) if hide]
        column = {k: n for n, k in enumerate(unknown)}
        tied = [equation for equation in self.equations if column.keys() & equation.keys()]
        # No zero is ever hidden, so a mark is at least 1; what is not printed may be nothing.
        bounds = [(1 if self.printed[k] else 0, None) for k in unknown]
        left, right = np.zeros((len(tied), len(unknown))), np.zeros(len(tied))
        for n, equation in enumerate(tied):
            for k, sign in equation.items():
                if k in column:
                    left[n, column[k]] = sign
                else:
                    right[n] -= sign * self.values[k]
        aim = np.zeros(len(unknown))
        ends = []
        for way in (1.0, -1.0):
            aim[column[cell]] = way
            found = linprog(aim, A_eq=left if tied else None, b_eq=right if tied else None, bounds=bounds)
            ends.append(way * found.fun if found.status == 0 else np.inf)  # 3: without bound
        return ends[0], ends[1]

    def _next(self, cell: int, hidden: Sequence[bool]) -> int:
        """The next count to hide: the smallest one tied to the cell, or to another hidden one; totals come last."""
        near = {k for equation in self.equations if cell in equation for k in equation}
        wider = {k for equation in self.equations if any(hidden[k] for k in equation) for k in equation}
        for cells in (near, wider):
            free = [k for k in cells if not hidden[k] and self.values[k] > 0 and k not in self.fixed]
            inner = [k for k in free if self.inner[k]]
            if inner or free:
                return min(inner or free, key=lambda k: (self.values[k], k))
        raise AssertionError("with all counts hidden every small one is safe")


def _suppressed(made: pd.DataFrame, table: Sums, hidden: Sequence[bool]) -> Suppressed:
    printed = [k for k in range(len(hidden)) if table.printed[k]]
    small = sum(table.is_small(k) for k in printed)
    return Suppressed(made, len(printed), small, sum(hidden[k] for k in printed) - small)


def _with_the_rest(
    frame: pd.DataFrame, names: Sequence[str], table: Sums, cell: Any, below: Sequence[int]
) -> Suppressed:
    """The counts as they may be shown, with the row of totals and the other columns of each row."""
    hidden = table.protect()
    shown = np.array([MARK if hide else value for value, hide in zip(table.values, hidden, strict=True)], dtype=object)
    made = frame.astype(object).reset_index(drop=True)
    made[list(names)] = shown[cell]
    for name in frame.columns:
        if name not in names and is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name]):
            made[name] = [MARK if MARK in tuple(row) else v for v, row in zip(frame[name], shown[cell], strict=True)]
    if below:
        words = [name for name in frame.columns if name not in names and not is_numeric_dtype(frame[name])]
        last = (
            dict.fromkeys(frame.columns, None) | dict.fromkeys(words, ALL) | dict(zip(names, shown[below], strict=True))
        )
        made = pd.concat([made, pd.DataFrame([last], dtype=object)], ignore_index=True)
    return _suppressed(made, table, hidden)


def _refuse_unless_counts(frame: pd.DataFrame) -> None:
    faults = [
        Fault(f"row {index}, {name}", show(value), "a whole number, 0 or more", "give counts of people or services")
        for name in frame.columns
        for index, value in frame[name].items()
        if isinstance(value, bool) or value != value or not hasattr(value, "__int__") or value < 0 or value % 1
    ]
    if frame.empty:
        faults = [Fault("table", "no rows or no columns", "at least one count", "give the inner cells of the table")]
    if faults:
        raise Refusal(faults)
