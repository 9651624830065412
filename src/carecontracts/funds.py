"""Funds: a contract may keep several benchmarks and spendings apart, and a clause says whose difference is meant."""

from functools import cached_property
from typing import ClassVar

from .clause import Clause
from .ledger import Ledger
from .units import Number, Unit
from .worded import MeasureName
from .year import OF_FUNDS, Year


class OfFunds(Clause):
    """Which benchmark and spending a clause means: the year's one, a fund's, or those of several funds added together.

    Added together, a deficit of one fund comes off another's surplus before anything is shared.
    """

    of_funds: ClassVar[str] = "Benchmark and spending are those of {funds}."

    funds: list[MeasureName] = []

    @cached_property
    def facts(self) -> dict[str, Unit | None]:
        needs: dict[str, Unit | None] = {}
        for name, unit in super().facts.items():
            apart = [f"{OF_FUNDS[name]}.{fund}" for fund in self.funds] if name in OF_FUNDS else []
            needs |= dict.fromkeys(apart or [name], unit)
        return needs

    def say_term(self, term: str) -> str:
        said = super().say_term(term)
        if term != "funds":
            return said
        if len(self.funds) == 1:
            return f"the fund {said}"
        return f"the funds {said} together, so that a deficit of one comes off the surplus of another"

    def pay(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        return super().pay(year.of(self.funds) if self.funds else year, ledger)
