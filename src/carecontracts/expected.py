"""What a mechanism knows of its facts beyond their names: what a plausible year has, and how they move by chance.

The numbers are assumptions to start from, each in one place here.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

from .units import Number, Share, Unit, unit_of

LIVES = 500
COST = 24_000.0  # dollars a member costs in a year
YEARS = 3  # of a contract without an end
REVENUE = 0.3  # the provider's own revenue, of the benchmark
ENGAGED = 0.7  # of members, in months that are engaged or documented
COUNTED = 0.4  # of members, whom a measure counts
QUALITY = 0.9  # a quality score, or another share that is not on a ladder
RATE = 0.6  # a share that nothing is known of
PER_1000 = 300.0  # and a rate per 1,000 members
ADMISSIONS, HOSPITAL_DAYS = 1.2, 6.0  # a member's, in a year
OTHER_OUTCOMES, OTHER_DAYS, CERTIFIED = 0.5, 150.0, 100_000.0  # a member's, days of living somewhere, dollars in all
BILLED = 1_200.0  # dollars a member's billed services come to, for each service
BUDGETED = 0.4  # of expected cost, all services that one budget covers
CARE_RATIO = 0.85  # of the premium, expected cost of care
CASELOAD = 100.0  # members for each person lent to a practice
CLAIMS = 20  # the largest claims that an expected year lists

MeasureUnit: TypeAlias = Literal["a share", "a rate per member", "a rate per 1,000 members", "a score"]
OutcomeUnit: TypeAlias = Literal["events", "people", "days", "dollars"]
_share = replace(
    unit_of(Share), allowed="a share from 0 to 1; what is none has its `unit` in the clause: a rate per member, a score"
)
RESULT: dict[str, Unit | None] = {"a share": _share}  # what a measure of a unit may be, where that is not any number
PER = {"a rate per member": 1, "a rate per 1,000 members": 1_000}  # how many members a rate is for


class Moves(NamedTuple):
    """How chance, and a program that works, move a fact; two clauses that read one add what they know.

    Without any of it, a fact moves as its group does: months as members leave, a share as the people it counts.
    """

    unit: str = ""  # as the clause says it
    held: bool = False  # agreed, or no matter of chance: it stays what is expected
    lowered: bool = False  # a program that works lowers it, and it is high in the years in which spending is
    stays: bool = False  # its days come in hospital stays, not in whole years of living somewhere
    part_of: str = ""  # the fact whose luck it shares

    def and_as(self, other: "Moves") -> "Moves":
        """All that two clauses know."""
        return Moves(
            self.unit or other.unit,
            self.held or other.held,
            self.lowered or other.lowered,
            self.stays or other.stays,
            self.part_of or other.part_of,
        )


@dataclass
class Expected:
    """A year in the making: what is known of it when a clause says what it expects."""

    lives: int
    benchmark: Number
    last: bool  # whether it is the contract's last
    paid: Callable[[Collection[str]], Number]  # what earlier clauses pay in it
    known: dict[str, Number] = field(default_factory=dict)

    def first(self, fact: str, value: Number) -> Number:
        """What an earlier clause said of a fact, or else this value."""
        return self.known.get(fact, value)

    def rate(self, unit: str) -> float:
        """A measure of this unit that nothing else is known of."""
        return {"a rate per member": ADMISSIONS, "a rate per 1,000 members": PER_1000}.get(unit, RATE)

    def counted(self, unit: str) -> float:
        """How many people a measure of this unit counts."""
        return float(self.lives) if unit in PER else round(COUNTED * self.lives)


def middle(ladder: Collection[float]) -> float:
    """Half way up a ladder."""
    return (min(ladder) + max(ladder)) / 2
