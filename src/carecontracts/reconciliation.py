"""Reconciliation: how each number of a year came about, a row for each rule, and what of it may leave.

- `people`: from everyone enrolled to those who count, a row for each rule that left someone out.
- `dollars`: from all claim lines to spending, a row for each rule that left a line out, and for each amount added.
- `benchmark`: the numbers from which what was expected is made; a group of people in it has its own rows in the others.
- `facts`: every number of the years file, and the row of another table that it comes from.

A row has a kind, which says what it is, and words, which say it to a reader. Nothing is found by its words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("people", "dollars", "benchmark", "facts")
MOST_PEOPLE = 10**12
THE_YEAR = "the year"  # the group of people whom the contract is for; a benchmark's groups have names of their own
BY_SERVICE = "the year by service"


class Kind(StrEnum):
    """What a row is. A rule that leaves people out has a row of people and one of their claim lines, of one kind."""

    ENROLLED = auto()
    FEW_MONTHS = auto()
    FEW_MONTHS_BEFORE = auto()
    GAP = auto()
    DIED = auto()
    YOUNG = auto()
    OLD = auto()
    DEFINITION = auto()
    KIDNEY_DISEASE = auto()
    HOSPICE = auto()
    DUAL = auto()
    NOT_OWN = auto()
    NOT_THIS_YEAR = auto()  # of people of an earlier year: those who do not count in the contract year
    COUNTS = auto()
    TIER = auto()
    ON_RECORD = auto()  # member months with something on record

    READ = auto()
    OTHER_YEAR = auto()
    NO_AMOUNT = auto()
    PAID_LATE = auto()
    SERVICE = auto()
    FEE_CLAIMS = auto()
    NOT_ENROLLED = auto()
    LIMIT = auto()
    TO_COME = auto()
    FEE = auto()
    SPEND = auto()
    OF_SERVICE = auto()

    COST = auto()
    TREND = auto()
    WEIGHT = auto()
    HISTORY = auto()
    OWN_SHARE = auto()
    REGION = auto()
    BLEND = auto()
    COST_BEFORE = auto()
    COST_AFTER = auto()
    REMAINS = auto()
    ALIKE_GROUPS = auto()
    ALIKE_PEOPLE = auto()
    ALIKE_MONTHS = auto()
    COMPLETION = auto()
    EXPECTED = auto()
    PRICE = auto()
    SCORE = auto()
    SCORE_BEFORE = auto()
    RISK_GROWTH = auto()
    MONTHS = auto()
    BENCHMARK = auto()


# The rules that take claim lines out: their rows add up, from all lines of a year, to those that count.
LINES_LEFT_OUT = frozenset(list(Kind)[: list(Kind).index(Kind.COUNTS)]) - {Kind.ENROLLED} | {
    Kind.NO_AMOUNT, Kind.PAID_LATE, Kind.SERVICE, Kind.FEE_CLAIMS, Kind.NOT_ENROLLED
}  # fmt: skip


class People(NamedTuple):
    """People of a group: all enrolled, those whom one rule leaves out, those who count."""

    year: int
    group: str
    kind: Kind
    step: str
    people: int | None
    member_months: int | None


class Dollars(NamedTuple):
    """Claim lines of a group, or an amount, in whole cents; those left out count below zero."""

    year: int
    group: str
    kind: Kind
    step: str
    people: int | None
    lines: int | None
    cents: int


class Step(NamedTuple):
    """One number on the way to a benchmark."""

    kind: Kind
    step: str
    amount: float
    unit: str  # dollars for each member month; ratio; dollars; months


class Expected(NamedTuple):
    """A step on the way to the benchmark of a year."""

    year: int
    kind: Kind
    step: str
    amount: float
    unit: str


class Fact(NamedTuple):
    """A number of the years file, and where it is from."""

    year: int
    fact: str
    value: Any
    source: str


@dataclass
class Reconciliation:
    """The rows that lead from claims to every fact of the years."""

    people: list[People] = field(default_factory=list)
    dollars: list[Dollars] = field(default_factory=list)
    benchmark: list[Expected] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def tables(self) -> dict[str, "pd.DataFrame"]:
        """The rows as they are printed: their words, without their kinds; dollars for cents."""
        import pandas as pd

        people = [(r.year, r.group, r.step, r.people, r.member_months) for r in self.people]
        dollars = [(r.year, r.group, r.step, r.people, r.lines, r.cents / 100) for r in self.dollars]
        benchmark = [(r.year, r.step, r.amount, r.unit) for r in self.benchmark]
        return {
            "people": pd.DataFrame(people, columns=["year", "group", "step", "people", "member_months"]),
            "dollars": pd.DataFrame(dollars, columns=["year", "group", "step", "people", "lines", "dollars"]),
            "benchmark": pd.DataFrame(benchmark, columns=["year", "step", "amount", "unit"]),
            "facts": pd.DataFrame(self.facts, columns=["year", "fact", "value", "from"]),
        }


def may_leave(reconciliation: Reconciliation) -> tuple[dict[str, "pd.DataFrame"], int]:
    """The tables as they may be handed on, and how many rows are hidden in them: those of 1 to 10 people.

    Of the table `people`, as many more are hidden as keep a small one from being worked out by subtraction. In the
    table `dollars` a row of 1 to 10 people is hidden whole; where only one of the rows that left lines out is, so is
    the next smallest, since these rows add up; where there is no other, the lines of other years are, in every group.
    The facts are the years file's own totals and stay.

    Not modelled: what the facts give away by themselves. The dollars over the limit of 1 to 10 people can be worked out
    from them, though not their number; and of a contract that 1 to 10 people count for, the facts show what they cost.
    """
    from .small_cells import MARK

    tables = {name: table.astype(object) for name, table in reconciliation.tables().items()}
    people, dollars = set(_hidden_people(reconciliation.people)), set(_hidden_dollars(reconciliation.dollars))
    tables["people"].loc[sorted(people), ["people", "member_months"]] = MARK
    tables["dollars"].loc[sorted(dollars), ["people", "lines", "dollars"]] = MARK
    return tables, len(people) + len(dollars)


def _by_group(rows: Sequence[Any]) -> Iterator[dict[int, Any]]:
    """The rows of each group of people in each year, by their place in the table."""
    groups: dict[tuple[int, str], dict[int, Any]] = {}
    for place, row in enumerate(rows):
        groups.setdefault((row.year, row.group), {})[place] = row
    yield from groups.values()


def _hidden_people(rows: Sequence[People]) -> Iterator[int]:
    """Rows of 1 to 10 people, and those that would give them away: the others add up to all enrolled."""
    from .small_cells import Sums

    for group in _by_group(rows):
        sums = Sums()
        cells = {place: sums.add(row.people) for place, row in group.items() if row.people is not None}
        of = {kind: [cells[place] for place in cells if group[place].kind == kind] for kind in Kind}
        (whole,), (counted,), tiers = of[Kind.ENROLLED], of[Kind.COUNTS], of[Kind.TIER]
        sums.equal(whole, set(cells.values()) - {whole, *tiers})
        if tiers:
            rest = sums.values[counted] - sum(sums.values[tier] for tier in tiers)
            sums.equal(counted, [*tiers, sums.add(rest, printed=False)])
        hidden = sums.protect()
        yield from (place for place, cell in cells.items() if hidden[cell])


def _hidden_dollars(rows: Sequence[Dollars]) -> Iterator[int]:
    """Rows of 1 to 10 people, and as many more as keep one from being worked out.

    The rows that left lines out add up, in each group, to a sum that a reader has. Groups of one year of claims share
    some of them, so what one group shows or hides counts in the others: a row is safe if no adding and subtracting of
    the groups' sums leaves it alone.
    """
    import numpy as np

    from .small_cells import SMALLEST

    groups = list(_by_group(rows))
    amount: dict[int, Any] = {}  # of each row that is a part of the sum: what stands for it wherever it stands
    for group in groups:
        of_other_years = [row[4:] for row in group.values() if row.kind == Kind.OTHER_YEAR]
        for place, row in group.items():
            if row.kind == Kind.OTHER_YEAR or (row.kind in LINES_LEFT_OUT and row.people):
                amount[place] = (row.kind, row.people, row.lines, row.cents, *of_other_years)
    small = {place for place, row in enumerate(rows) if row.people and row.people < SMALLEST}
    hidden = {amount[place] for place in small if place in amount}

    def alone(one: Any) -> bool:
        order = {each: n for n, each in enumerate(hidden)}
        sums = [[float(each in {amount.get(p) for p in group}) for each in order] for group in groups]
        row = [float(each == one) for each in order]
        return bool(np.linalg.matrix_rank(np.array([*sums, row])) == np.linalg.matrix_rank(np.array(sums)))

    def with_it(one: Any) -> Iterator[tuple[int, int]]:
        """The rows that could hide one, those of the fewest people first; the lines of other years last."""
        for group in groups:
            if any(amount.get(place) == one for place in group):
                for place, row in group.items():
                    if place in amount and amount[place] not in hidden:
                        yield row.people or MOST_PEOPLE, place

    for one in sorted({amount[place] for place in small if place in amount}, key=str):
        while alone(one) and (others := sorted(with_it(one))):
            other = rows[others[0][1]]
            if other.kind == Kind.OTHER_YEAR:  # those of the other groups would give it back
                hidden |= {amount[place] for place in amount if rows[place].kind == Kind.OTHER_YEAR}
            else:
                hidden.add(amount[others[0][1]])
    yield from small | {place for place in amount if amount[place] in hidden}
