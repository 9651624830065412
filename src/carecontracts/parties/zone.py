"""Where all can sign: one or two terms moved step by step, and how often each party ends behind at every point.

A point is in the zone if no party ends the term behind more often than it says that it can bear. Of the points in it
one is suggested: where the party that is nearest to its limit is farthest from it; of several such, where the party
that nets least nets most. Others would suggest another; the grid is there to disagree with.

Every point is drawn with the same luck, so that points differ by their terms alone. What a party nets is `net`'s.

Not modelled: what a party fears beside a loss, as a month without cash; terms that are traded and are not on the grid.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..chance.simulate import Luck
from ..contract import Contract
from ..refusal import Fault, Refusal, did_you_mean, listed, show
from ..year import Year
from .net import EFFECTS, net
from .outside import Outside

MOST_LOSS = 0.5  # how often a party may end behind, where it says nothing: as often as not


class Axis(NamedTuple):
    """A term of a clause, and the values that it takes."""

    clause: str
    term: str
    values: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.clause}.{self.term}"


class Point(NamedTuple):
    """One pair of terms: how often each party ends behind, and what it nets on average."""

    at: tuple[float, ...]
    behind: dict[str, float]
    nets: dict[str, float]

    def spare(self, limits: Mapping[str, float]) -> float:
        """How far the party that is nearest to its limit is from it; below nothing, one is over it."""
        return min(limit - self.behind[party] for party, limit in limits.items())


class Step(NamedTuple):
    """One term moved by one step, with all others as they were: what that does to each party."""

    axis: Axis
    low: float
    high: float
    nets: dict[str, float]  # by how many dollars what it nets changes
    behind: dict[str, float]  # by how much the share of draws changes in which it ends behind


@dataclass(frozen=True)
class Grid:
    """All points, and each party's limit."""

    axes: Sequence[Axis]
    limits: dict[str, float]
    points: Sequence[Point]

    @property
    def zone(self) -> list[Point]:
        """The points at which no party is over its limit."""
        return [point for point in self.points if point.spare(self.limits) >= -1e-9]

    @property
    def suggested(self) -> Point:
        """The point of the zone that is farthest from every limit; where there is no zone, the nearest to one."""
        return max(
            self.points, key=lambda p: (round(p.spare(self.limits), 9), min(p.nets[party] for party in self.limits))
        )

    def steps(self, point: Point) -> list[Step]:
        """What each step of each term costs each party, with the other term as it is at a point."""
        by_place = {each.at: each for each in self.points}
        found = []
        for n, axis in enumerate(self.axes):
            for low, high in itertools.pairwise(axis.values):
                before, after = (by_place[(*point.at[:n], value, *point.at[n + 1 :])] for value in (low, high))
                nets = {party: after.nets[party] - before.nets[party] for party in after.nets}
                behind = {party: after.behind[party] - before.behind[party] for party in after.behind}
                found.append(Step(axis, low, high, nets, behind))
        return found


def axis(contract: Contract, clause: str, term: str, low: float, high: float, steps: int = 5) -> Axis:
    """A term at so many values from low to high; refuses one that the contract has not, or that has several numbers.

    >>> from carecontracts import gallery
    >>> axis(Contract.load(gallery("hnhc-targeted")), "care management fee", "per_member_per_month", 100, 200, 3).values
    (100, 150, 200)
    """
    where = f"the term {clause}.{term}"
    clauses = {each.name: each for each in contract.clauses}
    if clause not in clauses:
        raise Refusal([Fault(where, show(clause), listed(clauses), did_you_mean(clause, clauses) + "name a clause")])
    may = {
        name
        for name in type(clauses[clause]).model_fields
        if isinstance(getattr(clauses[clause], name), (int, float))
        and not isinstance(getattr(clauses[clause], name), bool)
    }
    if term not in may:
        given = getattr(clauses[clause], term, None)
        what = show(term) if given is None else f"{show(term)}, which is {show(given)}"
        allowed = listed(sorted(may)) if may else "nothing: no term of this clause is one number"
        raise Refusal([Fault(where, what, allowed, did_you_mean(term, may) + "name a term that is one number")])
    if not low < high:
        raise Refusal([Fault(where, f"from {low:.10g} to {high:.10g}", "the lower value first", "turn them round")])
    values = [round(low + (high - low) * n / (steps - 1), 10) for n in range(steps)]
    tidy = tuple(int(value) if float(value).is_integer() else value for value in values)
    faults: dict[str, Fault] = {}
    for value in tidy:
        try:
            contract.amend({clause: {term: value}})
        except Refusal as refusal:
            faults |= {f"{fault.allowed}": fault for fault in refusal.faults}
    if faults:
        raise Refusal(list(faults.values()))
    return Axis(clause, term, tidy)


def zone(
    contract: Contract,
    years: Sequence[Year],
    outside: Outside,
    axes: Sequence[Axis],
    *,
    seed: int,
    limits: Mapping[str, float] | None = None,
    effects: Sequence[float] = EFFECTS,
    draws: int = 1_000,
    luck: Luck | None = None,
    tell: Callable[[str], None] = lambda doing: None,
) -> Grid:
    """A contract at every pair of values of two terms, or at every value of one.

    `years` and `outside` are as of `net`. Each of `effects` is as likely as the others; one that is given twice counts
    twice. `limits` is how often a party may end behind; each party of the contract that is not in it, half the time.
    """
    may = {**dict.fromkeys(contract.parties, MOST_LOSS), **(limits or {})}
    known = [*contract.parties, *outside.others]
    if unknown := [party for party in may if party not in known]:
        do = "correct it, or name it in `others`"
        raise Refusal([Fault("the most loss of", show(p), listed(known), did_you_mean(p, known) + do) for p in unknown])
    weights = {effect: effects.count(effect) / len(effects) for effect in sorted(set(effects))}
    places = list(itertools.product(*(each.values for each in axes)))
    points = []
    for n, at in enumerate(places):
        tell(f"Point {n + 1} of {len(places)}")
        changes: dict[str, dict[str, Any]] = {}
        for each, value in zip(axes, at, strict=True):
            changes.setdefault(each.clause, {})[each.term] = value
        drawn = net(contract.amend(changes), years, outside, seed=seed, effects=list(weights), draws=draws, luck=luck)
        parties = drawn[0].parties
        points.append(
            Point(
                at,
                {p: sum(weights[one.effect] * one.loses(p) for one in drawn) for p in parties},
                {p: sum(weights[one.effect] * one.mean(p) for one in drawn) for p in parties},
            )
        )
    return Grid(axes, may, points)
