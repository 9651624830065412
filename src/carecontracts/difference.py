"""Difference: what care cost less than was expected, or more: what clauses that share savings or losses share."""

from typing import ClassVar, Literal

from .clause import Clause
from .ledger import Ledger
from .units import Number
from .worded import ClauseName
from .year import Year


class Difference(Clause):
    """What a clause about savings or losses says first, and what that comes to.

    savings = benchmark - spend - payments that count as spending
    losses  = spend + payments that count as spending - benchmark
    """

    opening: ClassVar[tuple[str, ...]] = (
        "{of} are {meaning}.",
        "Spending counts what {plan} paid under {net_of}, less what it got back under them.",
    )
    roles = (*Clause.roles, "plan", "provider")
    plainly = ("meaning",)
    reads = {"benchmark": None, "spend": None}
    looks_back = ("net_of",)

    of: Literal["savings", "losses"]
    net_of: list[ClauseName] = []

    @property
    def meaning(self) -> str:
        if self.of == "savings":
            return "the benchmark less the year's spending"
        return "the year's spending less the benchmark"

    @property
    def plan(self) -> str:
        """The party whose money pays for the care, and whose fees therefore count as spending."""
        return self.payer if self.of == "savings" else self.payee

    @property
    def provider(self) -> str:
        return self.payee if self.of == "savings" else self.payer

    @property
    def money_back(self) -> bool:
        return self.of == "losses"

    def categories(self) -> tuple[str, str]:
        return self.lan, "ssp" if self.of == "savings" else "ssl"

    def difference(self, year: Year, ledger: Ledger) -> Number:
        """The savings or the losses of a year; below nothing where it is the other."""
        outlay = ledger.outlay(self.plan, year=year.year, clause=self.net_of)
        if self.of == "savings":
            return year.benchmark - year.spend - outlay
        return year.spend + outlay - year.benchmark
