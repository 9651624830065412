"""What the settled programs show together: who earned, by size and by kind, and how much of it luck alone explains.

Luck alone is the organization whose care truly costs its benchmark. What one person costs in a year strays by
`COEFFICIENT` of the mean, so a savings rate strays by that over the square root of the people. Each organization's own
contract settles equally likely years of such luck, with its quality, its minimum and its limits as they were; what
strikes all of its people at once, and a benchmark that is wrong, are left out.

The two tables ride with the package. `write_together` makes them again from the results files.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from statistics import NormalDist, median, stdev
from typing import Any, NamedTuple

from ..chance.noise import COEFFICIENT
from . import mssp, reach
from .mssp_record import SIZES, two_sided, write_table

LUCKS = 2_000  # equally likely years of luck for each organization
SIZES_OF = {"mssp": SIZES, "reach": (0, 1_000, 5_000, 10_000, 20_000)}  # lower ends, in assigned lives


class Outcome(NamedTuple):
    """One organization's year: what came of it, and what luck alone would have made of it."""

    program: str
    kind: str
    lives: float
    savings_rate: float
    received: float  # dollars; below zero, owed
    luck: float  # the standard deviation that luck alone gives the savings rate
    paid_by_luck: float  # how often luck alone is paid
    dollars_by_luck: float  # what luck alone is paid, on average over all years; what it owes is not taken off


class Together(NamedTuple):
    """Organizations of one kind, or of one size. Shares are of all of them."""

    program: str
    group: str
    aco_years: int
    people: float  # of the middle one
    below_benchmark: float
    earned: float
    owed: float
    median_savings_rate: float
    spread: float  # of savings rates: standard deviation
    luck: float  # the spread that luck alone would leave, by the same people
    paid_by_luck: float  # share that luck alone would have paid
    paid_dollars: float
    owed_dollars: float
    dollars_by_luck: float

    @property
    def share_by_luck(self) -> float:
        """What luck alone would have been paid, as a share of what was paid."""
        return self.dollars_by_luck / self.paid_dollars if self.paid_dollars else float("nan")

    @property
    def variance_by_luck(self) -> float:
        """How much of the variance of savings rates luck alone would leave."""
        return (self.luck / self.spread) ** 2


def outcomes(program: str, acos: Iterable[Any]) -> list[Outcome]:
    """Each organization's year of one program, `mssp` or `reach`."""
    module, kind = PROGRAMS[program]
    return [_outcome(program, kind(aco), module, aco) for aco in acos if aco.lives and aco.published is not None]


def _side(aco: mssp.Aco) -> str:
    return "two-sided" if two_sided(aco) else "one-sided"


def _kind(aco: reach.Aco) -> str:
    return aco.kind.replace("-", " ")


PROGRAMS: dict[str, tuple[Any, Callable[[Any], str]]] = {"mssp": (mssp, _side), "reach": (reach, _kind)}


def _outcome(program: str, kind: str, module: Any, aco: Any) -> Outcome:
    import numpy as np

    expected = aco.benchmark + getattr(aco, "raised", 0) - getattr(aco, "lowered", 0)
    luck = COEFFICIENT / aco.lives**0.5
    saved = luck * np.array([NormalDist().inv_cdf((k + 0.5) / LUCKS) for k in range(LUCKS)])
    year = replace(module.year_for(aco), spend=np.maximum(expected * (1 - saved), 0.0))
    paid = module.contract_for(aco).settle([year]).net()["aco"]
    paid = np.maximum(np.broadcast_to(paid, saved.shape), 0.0)
    rate = (expected - aco.spend) / expected
    return Outcome(program, kind, aco.lives, rate, aco.published, luck, float((paid > 0).mean()), float(paid.mean()))


def by_kind(found: Iterable[Outcome]) -> list[Together]:
    """All organizations of a program, and those of each kind."""
    found = list(found)
    kinds = _grouped(found, lambda one: one.kind)
    programs = _grouped(found, lambda one: "all")
    return sorted([*programs, *kinds], key=lambda row: (row.program, row.group != "all", row.group))


def by_size(found: Iterable[Outcome]) -> list[Together]:
    """The organizations of a program by size; a group is called by the fewest people in it."""

    def group(one: Outcome) -> str:
        return f"{max(edge for edge in SIZES_OF[one.program] if edge <= one.lives)}"

    return sorted(_grouped(found, group), key=lambda row: (row.program, int(row.group)))


def _grouped(found: Iterable[Outcome], group: Callable[[Outcome], str]) -> list[Together]:
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for one in found:
        groups[one.program, group(one)].append(one)
    return [_together(*name, rows) for name, rows in groups.items()]


def _together(program: str, group: str, rows: Sequence[Outcome]) -> Together:
    count = len(rows)
    rates = [one.savings_rate for one in rows]
    return Together(
        program=program,
        group=group,
        aco_years=count,
        people=median(one.lives for one in rows),
        below_benchmark=sum(rate > 0 for rate in rates) / count,
        earned=sum(one.received > 0 for one in rows) / count,
        owed=sum(one.received < 0 for one in rows) / count,
        median_savings_rate=median(rates),
        spread=stdev(rates) if count > 1 else 0.0,
        luck=(sum(one.luck**2 for one in rows) / count) ** 0.5,
        paid_by_luck=sum(one.paid_by_luck for one in rows) / count,
        paid_dollars=sum(max(one.received, 0.0) for one in rows),
        owed_dollars=sum(max(-one.received, 0.0) for one in rows),
        dollars_by_luck=sum(one.dollars_by_luck for one in rows),
    )


# --- the tables ---------------------------------------------------------------------------------------------------


def together_file(name: str) -> Traversable:
    """A table that rides with the package: `by_kind` or `by_size`."""
    return files("carecontracts") / "programs" / f"together_{name}.csv"


def write_together(found: Sequence[Outcome], folder: Path) -> None:
    """Write both tables, six digits to a number."""
    for name, rows in {"by_kind": by_kind(found), "by_size": by_size(found)}.items():
        write_table(folder / f"together_{name}.csv", rows)
