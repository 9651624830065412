from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from ..clause import Clause
from ..expected import BUDGETED, QUALITY, Expected, Moves, middle
from ..ledger import Ledger
from ..refusal import refuse
from ..scales import ShareLadder
from ..units import Number, Share, Unit, most, unit_of
from ..worded import ClauseName, MeasureName
from ..year import Year


class WithholdReturn(Clause):
    """What was held back this year, returned by how a budget was kept, or by a measure.

    overrun  = most(cost of the services - budget, 0) / (lost_at x budget)
    returned = held x (1 - overrun), and never less than nothing; or
    returned = held x the measure, or what the ladder gives for it
    """

    words = (
        "{payer} returns to {payee} what was held back this year under {withheld}.",
        "All of it is returned if these services together cost no more than the {budget}: {services}.",
        "Each dollar over the budget takes an equal part of it,"
        " and none is returned once they cost {lost_at} more than the budget.",
        "The share of it that is returned is earned by the measure {measure}.",
        "The measure earns {earned_at}; nothing below.",
    )
    not_modelled = (
        "a share of what the budget saved; that is a `corridor`",
        "how the budget, the services and the measure were made; they are facts of the year",
    )
    reads = {"services.{services}": None, "amounts.{budget}": None, "measures.{measure}": None}
    looks_back = ("withheld",)
    together = (
        ("services", "budget", "lost_at"),
        ("budget", "services", "lost_at"),
        ("lost_at", "services", "budget"),
        ("earned_at", "measure"),
    )
    units = {"returned rate": unit_of(Share)}

    kind: Literal["withhold_return"]
    withheld: list[ClauseName]
    services: list[MeasureName] = []
    budget: MeasureName | None = None
    lost_at: Share | None = None
    measure: MeasureName | None = None
    earned_at: ShareLadder | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if (self.budget is None) == (self.measure is None):
            given = "both `budget` and `measure`" if self.budget else "neither `budget` nor `measure`"
            allowed = "one test: a `budget` with its `services` and `lost_at`; or a `measure`, with or without a ladder"
            refuse(given, allowed, "add, say, `measure: measures met` and `earned_at: {0.4: 0.5, 0.8: 1}`")
        return self

    def reading(self) -> Mapping[str, Unit | None]:
        return {**self.reads, **({"measures.{measure}": unit_of(Share)} if self.earned_at is None else {})}

    def expects(self, year: Expected) -> Mapping[str, Number]:
        if self.measure:
            return {f"measures.{self.measure}": middle(self.earned_at) if self.earned_at else QUALITY}
        each, budget = BUDGETED * year.benchmark / len(self.services), BUDGETED * year.benchmark
        return {f"services.{service}": each for service in self.services} | {f"amounts.{self.budget}": budget}

    def moves(self) -> Mapping[str, Moves]:
        return {f"services.{service}": Moves(lowered=True) for service in self.services}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        held = ledger.total(year=year.year, clause=self.withheld)
        if self.measure:
            result = year.measures[self.measure]
            share = result if self.earned_at is None else self.earned_at.step(result)
            return held * share, {"held": held, "returned rate": share}
        cost = sum(year.services[name] for name in self.services)
        budget = year.amounts[self.budget or ""]
        lost = most(cost - budget, 0.0) / most(self.lost_at * budget, 0.01)
        return held * most(1 - lost, 0.0), {"held": held, "cost of the services": cost, "budget": budget}
