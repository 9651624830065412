"""Funds: a contract may keep several benchmarks and spendings apart, and a clause says whose difference is meant."""

from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from .clause import Clause
from .ledger import Ledger
from .refusal import refuse
from .units import Number, Unit
from .worded import MeasureName
from .year import OF_FUNDS, PEOPLE_OF_FUNDS, Year


class OfFunds(Clause):
    """Which benchmark and spending a clause means: the year's one, a fund's, or those of several funds added together.

    Added together, a deficit of one fund comes off another's surplus before anything is shared.
    """

    of_funds: ClassVar[tuple[str, ...]] = (
        "Benchmark and spending are those of {funds}.",
        "Where the number of people counts, it is that of {people_of}.",
    )

    funds: list[MeasureName] = []
    people_of: Literal["the funds named"] | None = None

    @model_validator(mode="after")
    def _people_of_funds(self) -> Self:
        if self.people_of and not self.funds:
            refuse("`people_of` without `funds`", "`people_of` together with `funds`", "add `funds:`")
        return self

    @cached_property
    def facts(self) -> dict[str, Unit | None]:
        needs: dict[str, Unit | None] = {}
        for name, unit in super().facts.items():
            group = self._apart.get(name)
            apart = [f"{group}.{fund}" for fund in self.funds] if group else []
            needs |= dict.fromkeys(apart or [name], unit)
        return needs

    @property
    def _apart(self) -> dict[str, str]:
        """The facts of the whole year that are a fund's here, and what those of a fund are called."""
        return OF_FUNDS | (PEOPLE_OF_FUNDS if self.people_of else {})

    def at(self, year: Year, first_year: int) -> Self:
        return super().at(self._year(year), first_year)

    def _year(self, year: Year) -> Year:
        return year.of(self.funds, self._apart) if self.funds else year

    def say_term(self, term: str) -> str:
        said = super().say_term(term)
        if term != "funds":
            return said
        if len(self.funds) == 1:
            return f"the fund {said}"
        return f"the funds {said} together, so that a deficit of one comes off the surplus of another"

    def pay(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        return super().pay(self._year(year), ledger)
