"""Whose list is right? Two or more definitions on one roster: who is on which, what each misses, what came next.

Every number is of the people in the member table for one year (the year that the lists are drawn from) and, where the
data reach it, the year after, in which nothing was done for anybody. So what falls in it falls by itself: `fall` is
what a comparison of before and after would call savings with no program at all.

Money is per person and year: paid per month of coverage, times twelve, over the people who were covered in both years.
Those who died or left are counted and are not in the comparison, as in most contracts. `alike` is what the cost of all
members did over the same two years: the trend that a benchmark would carry.

What leaves is suppressed: `released()` hides counts of 1 to 10, whatever would give one away, and the dollars that
stand on them. The other tables are for inside.

Not modelled:
- the uncertainty of a fall: a list of 200 people moves by luck alone; see `spread`
- two lists drawn at different dates
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np

from ..claims.engine import fetched, quiet
from ..definitions import Definition, definition
from ..refusal import Fault, Refusal, show
from ..small_cells import MARK, SMALLEST, Sums

if TYPE_CHECKING:
    import pandas as pd

BEFORE_AND_AFTER = ("paid", "months", "next_paid", "next_months")
MOMENTS = tuple(combinations_with_replacement(BEFORE_AND_AFTER, 2))  # for the spread of a fall
SHOWN = (
    "on", "people", "share", "total", "cost", "cost_both", "next_cost", "fall", "spread", "savings", "died", "stayed",
    "still", "found",
)  # fmt: skip
MOST_LISTS = 6  # 64 combinations; more than that nobody reads


@dataclass(frozen=True)
class Crosswalk:
    """The lists of several definitions, drawn from one year of one roster."""

    lists: Mapping[str, Definition]
    year: int
    cells: "pd.DataFrame"  # one row for each combination of lists that has anyone: people, money, what came next
    members: int
    alike: float | None  # what all members' cost did from the year to the next: 0.03 is 3% more

    @property
    def names(self) -> list[str]:
        return list(self.lists)

    # --- overlap ---

    def combinations(self) -> "pd.DataFrame":
        """Who is on which lists: a row for each combination that has anyone, the largest first, nobody's list last."""
        frame = _rates(self.cells, self.members)
        flags = [f"in {name}" for name in self.names]
        frame["lists"] = frame[flags].sum(axis=1)
        frame["on"] = [self._named(row) for row in frame[flags].itertuples(index=False)]
        frame = frame.sort_values(["people"], ascending=False, kind="stable")
        last = frame["lists"] == 0
        return _ordered(frame[~last], frame[last])

    def _named(self, flags: Sequence[int]) -> str:
        on = [name for name, flag in zip(self.names, flags, strict=True) if flag]
        return " and ".join(on) if on else "no list"

    def overlap(self, first: str, second: str) -> dict[str, float]:
        """Of two lists: the people on both, on the first, on the second, on either; and the share of either on both.

        The share is Jaccard's index: 1 if the lists are the same, 0 if nobody is on both.
        """
        self._known(first, second)
        on = {name: self.cells[f"in {name}"] == 1 for name in (first, second)}
        both = int(self.cells.people[on[first] & on[second]].sum())
        one, two = (int(self.cells.people[on[name]].sum()) for name in (first, second))
        either = one + two - both
        return {"both": both, first: one, second: two, "either": either, "share": both / either if either else 0.0}

    def missed(self, by: str, of: str | None = None) -> "pd.Series[Any]":
        """Those whom a list misses: on the list `of` (or on any other list) and not on it, and what they cost."""
        self._known(by, *([of] if of else []))
        others = [f"in {name}" for name in ([of] if of else self.names) if name != by]
        rows = self.cells[(self.cells[f"in {by}"] == 0) & (self.cells[others].max(axis=1) == 1)]
        return _rates(_summed(rows), self.members).iloc[0]

    def _known(self, *names: str) -> None:
        if unknown := [name for name in names if name not in self.lists]:
            known = ", ".join(self.names)
            raise Refusal(Fault("crosswalk", show(name), known, "name one of the lists") for name in unknown)

    # --- each list ---

    def by_list(self) -> "pd.DataFrame":
        """Each list by itself: size, cost, who is on it again, and what its cost did by itself; all members last.

        `still`: of those covered in the next year, the share on the list again. `found`: of the dearest 5% of the next
        year, the share who were on the list. `savings`: what a benchmark of the list's own cost, carried forward with
        all members' trend, would show with no program at all.
        """
        import pandas as pd

        rows = [_summed(self.cells[self.cells[f"in {name}"] == 1]).assign(on=name) for name in self.names]
        rows.append(_summed(self.cells).assign(on="all members"))
        frame = _rates(pd.concat(rows, ignore_index=True), self.members)
        frame["still"] = [*(self._again(name) for name in self.names), None]
        frame["found"] = _over(frame.dear_next, frame.dear_next.iloc[-1:].repeat(len(frame)).set_axis(frame.index))
        frame["savings"] = None if self.alike is None else 1 - (1 - frame.fall) / (1 + self.alike)
        return frame[list(SHOWN)]

    def _again(self, name: str) -> float | None:
        on = self.cells[self.cells[f"in {name}"] == 1]
        known = on.known.sum()
        return float(on[f"again {name}"].sum() / known) if known else None

    # --- what leaves ---

    def released(self) -> "pd.DataFrame":
        """The combinations as they may leave: people, cost and next year's cost, small cells and their like hidden.

        The combinations add up to each list's total and to all members, so that a hidden cell cannot be had by
        subtraction. Dollars stand beside a count that is shown, or not at all.
        """
        frame = self.combinations()
        sums = Sums()
        cell = [sums.add(int(n)) for n in frame.people]
        totals = {
            name: sums.total([c for c, on in zip(cell, frame[f"in {name}"], strict=True) if on]) for name in self.names
        }
        everyone = sums.total(cell)
        hidden = sums.protect()
        dollars = ["cost", "next_cost"]  # to the cent: engines add floating numbers up in different orders
        frame[dollars] = frame[dollars].round(2)
        made = frame[["on", "people", "share", *dollars]].astype(object)
        for row, at in zip(made.index, cell, strict=True):
            if hidden[at]:
                made.loc[row, ["people", "share", "cost", "next_cost"]] = MARK
            elif 0 < frame.known[row] < SMALLEST:  # those whose next year it is
                made.loc[row, "next_cost"] = MARK
        for name, at in [*totals.items(), ("all members", everyone)]:
            shown = MARK if hidden[at] else sums.values[at]
            made.loc[len(made)] = {
                "on": f"all on {name}" if name in self.lists else name,
                "people": shown,
                "share": MARK if hidden[at] else sums.values[at] / self.members,
                "cost": None,
                "next_cost": None,
            }
        return made

    def released_lists(self) -> "pd.DataFrame":
        """Each list by itself as it may leave: people, cost, next year's cost, fall, and who is still on it.

        A list whose total is hidden has no numbers, and one of which 1 to 10 people have a next year none of that year;
        the share still on a list is hidden where it stands for 1 to 10 people, or leaves as many out.
        """
        totals = self.released().set_index("on").people
        frame = self.by_list()[["on", "people", "cost", "next_cost", "fall", "spread", "still"]].astype(object)
        if totals["all members"] == MARK:
            frame.loc[frame.index[-1], frame.columns[1:]] = MARK
        for at, name in zip(frame.index, self.names, strict=False):
            on = self.cells[self.cells[f"in {name}"] == 1]
            again, known = int(on[f"again {name}"].sum()), int(on.known.sum())
            if totals[f"all on {name}"] == MARK:
                frame.loc[at, frame.columns[1:]] = MARK
                continue
            if 0 < known < SMALLEST:
                frame.loc[at, ["next_cost", "fall", "spread"]] = MARK
            if any(0 < count < SMALLEST for count in (again, known - again, int(on.people.sum()) - known)):
                frame.loc[at, "still"] = MARK
        return frame


def crosswalk(members: ir.Table, lists: Mapping[str, Definition], year: int | None = None) -> Crosswalk:
    """The lists of `year`, from the member table; what came next is there if the table holds the year after.

    Without a year, the lists are those of the last year that has one after it (of the only year, if there is one).
    Computed in the engine: what comes out of it is one row for each combination of lists.
    """
    import pandas as pd

    if not 1 <= len(lists) <= MOST_LISTS:
        do = "compare fewer definitions at a time" if lists else "give definitions by name"
        raise Refusal([Fault("crosswalk", f"{len(lists)} definitions", f"1 to {MOST_LISTS}", do)])
    quiet(members)
    if year is None:
        years = sorted(row["year"] for row in fetched(members.select("year").distinct()))
        year = int(years[-2:][0]) if years else 0
    # Flags are computed on whole years, since a share of members is of a year; then the year after is laid beside.
    flag = {name: f"on_{n}" for n, name in enumerate(lists)}
    kept = ["person_id", "year", "died", "next_died", "next_known", *BEFORE_AND_AFTER]
    listed = members.select(
        *kept,
        **{flag[name]: made(members).cast("int32") for name, made in lists.items()},
        dear=definition("dearest", share=0.05)(members).cast("int32"),
    )
    in_turn = ibis.window(group_by=listed.person_id, order_by=listed.year)
    follows = listed.year.lead().over(in_turn) == listed.year + 1
    again = {"dear_next": listed.dear.lead().over(in_turn)} | {
        f"again_{n}": listed[f"on_{n}"].lead().over(in_turn) for n in range(len(lists))
    }
    rows = listed.mutate(**{name: ibis.ifelse(follows, value, 0) for name, value in again.items()})
    rows = rows.filter(rows.year == year)
    both = rows.next_months > 0
    table = rows.group_by(list(flag.values())).agg(
        people=rows.person_id.count(),
        known=both.cast("int64").sum().fill_null(0),
        died=(rows.next_died == 1).cast("int64").sum().fill_null(0) + (rows.died == 1).cast("int64").sum(),
        reached=rows.next_known.cast("int64").sum(),
        paid=rows.paid.sum().fill_null(0.0),
        months=rows.months.sum(),
        paid_both=rows.paid.sum(where=both).fill_null(0.0),
        months_both=rows.months.sum(where=both).fill_null(0),
        next_paid=rows.next_paid.sum(where=both).fill_null(0.0),
        next_months=rows.next_months.sum(where=both).fill_null(0),
        **{
            f"{a} x {b}": (rows[a].cast("float64") * rows[b].cast("float64")).sum(where=both).fill_null(0.0)
            for a, b in MOMENTS
        },
        **{name: rows[name].sum() for name in again},
    )
    cells = pd.DataFrame(fetched(table.order_by([ibis.desc(table[name]) for name in flag.values()])))
    if cells.empty:
        held = sorted(row["year"] for row in fetched(members.select("year").distinct()))
        do = "give a year that the member table holds"
        raise Refusal([Fault("crosswalk, year", show(year), ", ".join(map(str, held)) or "no year", do)])
    names = {flag[name]: f"in {name}" for name in lists} | {
        f"again_{n}": f"again {name}" for n, name in enumerate(lists)
    }
    cells = cells.rename(columns=names)
    whole = _rates(_summed(cells), int(cells.people.sum())).iloc[0]
    alike = None if whole.next_cost != whole.next_cost else float(whole.next_cost / whole.cost_both - 1)
    return Crosswalk(dict(lists), year, cells, int(cells.people.sum()), alike)


def by_size(members: ir.Table, make: Callable[[Any], Definition], values: Sequence[Any], year: int) -> "pd.DataFrame":
    """How a list changes with one of its terms: size, cost, persistence and fall at each value.

    `make` turns a value into a definition: `lambda share: definition("dearest", share=share)`.
    """
    import pandas as pd

    rows = []
    for start in range(0, len(values), MOST_LISTS):
        some = {str(n): make(value) for n, value in enumerate(values[start : start + MOST_LISTS])}
        rows.append(crosswalk(members, some, year).by_list().iloc[:-1])
    return pd.concat(rows, ignore_index=True).drop(columns="on").assign(value=list(values))


# --- sums into rates ------------------------------------------------------------------------------------------------


def _ordered(*frames: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    return pd.concat(frames, ignore_index=True)


def _summed(cells: "pd.DataFrame") -> "pd.DataFrame":
    """One row: the sums of some cells."""
    import pandas as pd

    return pd.DataFrame([cells.select_dtypes("number").sum()])


def _rates(sums: "pd.DataFrame", members: int) -> "pd.DataFrame":
    """What the sums mean.

    - share: of all members; cost: dollars a person and year, everyone on the list; total: dollars paid in the year
    - cost_both, next_cost: of those covered in both years, this year and the next; fall = 1 - next_cost / cost_both
    - stayed: share of the people who were covered in the next year
    - spread: half the width of a 95% interval of the fall, were the people drawn at random from a larger group. The
      fall is one less a ratio of ratios, so a person counts in its logarithm, in parts of the sums (the delta method),
      as next_paid - next_months - paid + months
    """
    frame = sums.astype(dict.fromkeys(("paid_both", "months_both", "next_paid", "next_months"), float))
    frame["share"] = frame.people / members
    frame["total"] = frame.paid
    frame["cost"] = _over(frame.paid * 12, frame.months)
    frame["cost_both"] = _over(frame.paid_both * 12, frame.months_both)
    frame["next_cost"] = _over(frame.next_paid * 12, frame.next_months)
    frame["fall"] = 1 - _over(frame.next_cost, frame.cost_both)
    frame["stayed"] = _over(frame.known, frame.reached)
    total = {"paid": -frame.paid_both, "months": frame.months_both}
    total |= {"next_paid": frame.next_paid, "next_months": -frame.next_months}
    part = {name: 1 / value.where(value != 0) for name, value in total.items()}
    variance: Any = sum((1 if a == b else 2) * part[a] * part[b] * frame[f"{a} x {b}"] for a, b in MOMENTS)
    frame["spread"] = 1.96 * (1 - frame.fall) * np.sqrt(variance.clip(lower=0))
    return frame


def _over(top: Any, bottom: Any) -> Any:
    return top / bottom.where(bottom > 0)
