"""Reconciliation: how each number of a year came about, a row for each rule, and what of it may leave.

- `people`: from everyone enrolled to those who count, a row for each rule that left someone out.
- `dollars`: from all claim lines to spending, a row for each rule that left a line out, and for each amount added.
- `benchmark`: the numbers from which what was expected is made; a group of people in it has its own rows in the others.
- `facts`: every number of the years file, and the row of another table that it comes from.

A row has a kind, which says what it is, and words, which say it to a reader. Nothing is found by its words.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("people", "dollars", "benchmark", "facts")
MOST_PEOPLE = 10**12
SMALLEST = 11  # the smallest number of people, other than zero, that may be shown
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
    OFF_LIST = auto()  # of those who count: months, and services in them, before or after they were on the list
    UNSCORED = auto()  # of those who count: without a risk score, with more than one
    SCORES = auto()

    READ = auto()
    UNUSABLE = auto()  # this and the next five: for the reasons in `claims/used.py`
    REPLACED = auto()
    AGAIN = auto()
    NETTED = auto()
    VERSION = auto()
    STRANGER = auto()
    OTHER_YEAR = auto()
    OTHER_PAYER = auto()
    NO_AMOUNT = auto()
    PAID_LATE = auto()
    SERVICE = auto()
    FEE_CLAIMS = auto()
    NOT_ENROLLED = auto()
    NOT_COVERED = auto()  # of people who count: service that began out of coverage
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


# The lines that no step uses, in whatever year: of every group of people the same rows.
NEVER_USED = frozenset({Kind.UNUSABLE, Kind.REPLACED, Kind.AGAIN, Kind.NETTED, Kind.VERSION, Kind.STRANGER})

# The rules that take claim lines out: their rows add up, from all lines of a year, to those that count.
LINES_LEFT_OUT = frozenset(list(Kind)[: list(Kind).index(Kind.COUNTS)]) - {Kind.ENROLLED} | {
    *NEVER_USED, Kind.OTHER_PAYER, Kind.NO_AMOUNT, Kind.PAID_LATE, Kind.SERVICE, Kind.FEE_CLAIMS, Kind.NOT_ENROLLED,
    Kind.NOT_COVERED, Kind.OFF_LIST,
}  # fmt: skip


class People(NamedTuple):
    """People of a group: all enrolled, those whom one rule leaves out, those who count."""

    year: int
    group: str
    kind: Kind
    step: str
    people: int | None
    member_months: float | None


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
    """A number of the years file, where it is from, and what it would tell of few people."""

    year: int
    fact: str
    value: Any
    source: str
    row: People | Dollars | None = None  # the row that it is, where it is one
    counts: tuple[float, ...] = ()  # of people or services: those that it gives away


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
            "facts": pd.DataFrame([row[:4] for row in self.facts], columns=["year", "fact", "value", "from"]),
        }


def may_leave(reconciliation: Reconciliation) -> tuple[dict[str, "pd.DataFrame"], int]:
    """The tables as they may be handed on, and how many rows are hidden in them: those of 1 to 10 people.

    With a row of few people as many more are hidden as keep it from being worked out: no adding and subtracting of what
    is shown, the years file's totals included, gives back the people or the dollars of rows that are all of few.
    A benchmark that rests on a group of 1 to 10 people is hidden with all its steps, a fact with the row that it is.

    Not modelled: the years file itself, which is whole for those who settle by it, and of a contract that 1 to 10
    people count for shows what they cost; see `of_few`.
    """
    from .small_cells import MARK

    tables = {name: table.astype(object) for name, table in reconciliation.tables().items()}
    known = {id(fact.row) for fact in reconciliation.facts if fact.row is not None}
    groups = {(row.year, row.group) for row in reconciliation.people if row.kind == Kind.COUNTS and _few(row.people)}
    people = set(_hidden_people(reconciliation.people, known))
    dollars = set(_hidden_dollars(reconciliation.dollars, groups))
    years = set(_years_with_a_small_group(reconciliation))
    benchmark = {n for n, row in enumerate(reconciliation.benchmark) if row.year in years}
    rows = {id(reconciliation.people[n]) for n in people} | {id(reconciliation.dollars[n]) for n in dollars}
    facts = {
        n
        for n, fact in enumerate(reconciliation.facts)
        if id(fact.row) in rows or any(map(_few, fact.counts)) or (fact.fact == "benchmark" and fact.year in years)
    }
    hidden = {
        "people": (people, ["people", "member_months"]),
        "dollars": (dollars, ["people", "lines", "dollars"]),
        "benchmark": (benchmark, ["amount"]),
        "facts": (facts, ["value", "from"]),
    }
    for name, (places, columns) in hidden.items():
        tables[name].loc[sorted(places), columns] = MARK
    return tables, sum(len(places) for places, _ in hidden.values())


def of_few(reconciliation: Reconciliation) -> list[int]:
    """The years of which a fact stands for 1 to 10 people, so that the years file is for the parties alone."""
    from .small_cells import MARK

    facts = may_leave(reconciliation)[0]["facts"]
    return sorted({int(year) for year in facts.year[facts.value == MARK]})


def _few(count: float | None) -> bool:
    return count is not None and 0 < count < SMALLEST


def _years_with_a_small_group(made: Reconciliation) -> Iterator[int]:
    """The years whose benchmark, or the year itself, rests on a group of few people."""
    yield from (row.year for row in made.people if row.kind == Kind.COUNTS and _few(row.people))
    yield from (row.year for row in made.benchmark if row.kind == Kind.ALIKE_PEOPLE and _few(row.amount))


def _by_group(rows: Sequence[Any]) -> Iterator[dict[int, Any]]:
    """The rows of each group of people in each year, by their place in the table."""
    groups: dict[tuple[int, str], dict[int, Any]] = {}
    for place, row in enumerate(rows):
        groups.setdefault((row.year, row.group), {})[place] = row
    yield from groups.values()


def _hidden_people(rows: Sequence[People], known: Collection[int]) -> Iterator[int]:
    """Rows of 1 to 10 people, and those that would give them away: the others add up to all enrolled.

    A row that stands in several groups is one count, since what one group shows counts in the others. `known` are the
    rows that are facts of the years file too, and so are not hidden for the sake of others.
    """
    from .small_cells import Sums

    sums = Sums()
    cells: dict[Any, int] = {}
    cell_of: dict[int, int] = {}
    for group in _by_group(rows):
        of: dict[Kind, list[int]] = {kind: [] for kind in Kind}
        for place, row in group.items():
            if row.people is not None:
                key = (row.kind, row.people, row.member_months, place if row.kind == Kind.TIER else None)
                cell_of[place] = cells[key] = cells[key] if key in cells else sums.add(row.people)
                of[row.kind].append(cell_of[place])
                if row.kind == Kind.COUNTS and id(row) in known and not _few(row.people):
                    sums.fixed.add(cell_of[place])
        (whole,), (counted,), tiers = of[Kind.ENROLLED], of[Kind.COUNTS], of[Kind.TIER]
        scored = of[Kind.UNSCORED] + of[Kind.SCORES]
        apart = (Kind.ENROLLED, Kind.TIER, Kind.UNSCORED, Kind.SCORES)
        sums.equal(whole, (c for kind, found in of.items() for c in found if kind not in apart))
        for some in scored:
            sums.equal(counted, [some, sums.add(sums.values[counted] - sums.values[some], printed=False)])
        if tiers:
            rest = sums.values[counted] - sum(sums.values[tier] for tier in tiers)
            sums.equal(counted, [*tiers, sums.add(rest, printed=False)])
    hidden = sums.protect()
    yield from (place for place, cell in cell_of.items() if hidden[cell])
    for group in _by_group(rows):  # member months on record, or off the list: those of few, or of all but few
        recorded = {place: row for place, row in group.items() if row.kind in (Kind.ON_RECORD, Kind.OFF_LIST)}
        whole = max((row.member_months or 0 for row in group.values() if row.kind == Kind.COUNTS), default=0)
        if any(_few(row.member_months) or _few(whole - (row.member_months or 0)) for row in recorded.values()):
            yield from recorded


def _hidden_dollars(rows: Sequence[Dollars], small_groups: Collection[tuple[int, str]]) -> Iterator[int]:
    """Rows of 1 to 10 people, and as many more as keep them from being worked out.

    The rows that left lines out add up, in each group, to what its people cost, which a reader has. Groups of one year
    of claims share some of them, so what one group shows or hides counts in the others. The rows of few are safe if no
    adding and subtracting of the groups' sums leaves only such: whatever is left has a row of 11 people or more in it.
    """
    import numpy as np

    groups = list(_by_group(rows))
    small = {place for place, row in enumerate(rows) if _few(row.people)}
    amount: dict[int, Any] = {}  # of each row that is a part of a sum: what stands for it wherever it stands
    whole: dict[int, Any] = {}  # and of those that count
    for group in groups:
        of_other_years = [row[4:] for row in group.values() if row.kind == Kind.OTHER_YEAR]
        for place, row in group.items():
            of_its_year = () if row.kind in NEVER_USED else of_other_years
            stands_for = (row.kind, row.people, row.lines, row.cents, *of_its_year)
            if row.kind == Kind.COUNTS:
                whole[place] = stands_for
            left_out = row.kind == Kind.OTHER_YEAR or (row.kind in LINES_LEFT_OUT and row.people)
            of_few = row.kind == Kind.LIMIT or (row.kind == Kind.COUNTS and (row.year, row.group) in small_groups)
            if left_out or (of_few and place in small):
                amount[place] = stands_for
    # What the limit took off is what counts less what was spent: where one is hidden, so is the other.
    beside = {
        whole[place]
        for group in groups
        if any(place in small and row.kind == Kind.LIMIT for place, row in group.items())
        for place in group.keys() & whole.keys()
    }
    counts = {place for place in whole if whole[place] in beside}
    hidden = {amount[place] for place in small if place in amount}

    def lacking(hidden: set[Any]) -> tuple[int, int]:
        """How many amounts of few people alone the sums give; and how many of them any."""
        order = sorted(hidden, key=str)
        sums = [[float(each in {amount.get(place) for place in group}) for each in order] for group in groups]
        large = [[x for x, each in zip(row, order, strict=True) if not _few(each[1])] for row in sums]
        rank, of_large = (int(np.linalg.matrix_rank(np.array(matrix))) if matrix[0] else 0 for matrix in (sums, large))
        return rank - of_large, rank

    def others() -> list[Any]:
        """What could hide them: the rows beside one of few, those of the fewest people first, other years' last."""
        near = [g for g in groups if any(place in small and place in amount for place in g)]
        found = {amount[place]: rows[place].people or MOST_PEOPLE for g in near for place in g if place in amount}
        return sorted((each for each in found if each not in hidden), key=lambda each: (found[each], str(each)))

    while groups and (now := lacking(hidden)[0]) and (left := others()):
        hidden.add(next((each for each in left if lacking(hidden | {each})[0] < now), left[0]))
    if any(each[0] == Kind.OTHER_YEAR for each in hidden):  # those of the other groups would give it back
        hidden |= {each for each in amount.values() if each[0] == Kind.OTHER_YEAR}
    yield from small | counts | {place for place in amount if amount[place] in hidden}
    for group in groups:  # dollars by service: one of few, with the next
        services = sorted((row.people or 0, place) for place, row in group.items() if row.kind == Kind.OF_SERVICE)
        if any(place in small for _, place in services):
            yield from [place for people, place in services if people >= SMALLEST][:1]
