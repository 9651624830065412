"""Draft: a contract with what is expected of its years, drawn through chance once for every rule that asks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from ..chance.simulate import Luck, Simulation, simulate
from ..clause import Clause
from ..contract import Contract
from ..difference import Difference
from ..parties.outside import Outside
from ..provisions.section import Provisions
from ..year import Year

SEED, DRAWS = 1, 2_000


@dataclass(frozen=True)
class Draft:
    """What a rule may ask: the contract, its expected years without a program, and what chance makes of them."""

    contract: Contract
    years: Sequence[Year]
    luck: Luck
    care: float  # dollars a member's care costs in a year
    effect: float  # what the program is hoped to take off
    line: str  # of business: medicaid, medicare, dual or commercial
    outside: Outside | None = None  # what no contract says: teams, beds, pockets and premiums

    @property
    def provisions(self) -> Provisions:
        return self.contract.provisions or Provisions()

    @property
    def lives(self) -> int:
        year = self.years[0]
        months = year.fact("member_months")
        return max(1, round(float(self.luck.lives or year.lives or (months or 0) / 12 or 1)))

    def paragraph(self, clause: Clause) -> str:
        """Where a clause stands on the sheet."""
        return f"paragraph {1 + [each.name for each in self.contract.clauses].index(clause.name)}, “{clause.name}”"

    def sharing(self, of: str) -> Iterator[Difference]:
        """The clauses that share savings, or losses."""
        yield from (each for each in self.contract.clauses if isinstance(each, Difference) and each.of == of)

    @cached_property
    def nothing(self) -> Simulation:
        """The contract through chance, for a program that changes nothing."""
        return self._drawn(0.0)

    @cached_property
    def works(self) -> Simulation:
        """The same, for one that does all that is hoped for."""
        return self._drawn(self.effect)

    def _drawn(self, effect: float) -> Simulation:
        return simulate(self.contract, self.years, rng=Random(SEED), draws=DRAWS, effect=effect, luck=self.luck)
