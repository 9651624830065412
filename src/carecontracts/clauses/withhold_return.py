from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from ..clause import Clause
from ..expected import BUDGETED, QUALITY, Expected, Moves, middle
from ..ledger import Ledger
from ..refusal import refuse
from ..scales import ShareLadder
from ..units import Number, Share, Unit, least, most, unit_of
from ..worded import ClauseName, MeasureName
from ..year import Year

NOTHING = 1e-9  # a line of nothing is reached by any result


class WithholdReturn(Clause):
    """What was held back this year, returned by how a budget was kept, or by a measure.

    overrun  = most(cost of the services - budget, 0) / (lost_at x budget)
    returned = held x (1 - overrun), and never less than nothing; or
    returned = held x earned, where earned is the measure, or what the ladder gives for it, or least(measure / line, 1)

    Of people without a report the measure says nothing, and they count as not met: measure x (1 - not reported).
    A second measure may take off its own shortfall, least(1 - second / its line, at most so much); of the two
    reductions the larger applies.
    """

    words = (
        "{payer} returns to {payee} what was held back this year under {withheld}.",
        "All of it is returned if these services together cost no more than the {budget}: {services}.",
        "Each dollar over the budget takes an equal part of it,"
        " and none is returned once they cost {lost_at} more than the budget.",
        "The share of it that is returned is earned by the measure {measure}.",
        "People without a report count as people who did not meet it; the measure {not_reported} gives their share.",
        "The measure earns {earned_at}; nothing below.",
        "All of it is earned once the measure reaches the line of {whole_from}; below, as much of it as the measure is"
        " of that line.",
        "The measure {also_by} takes off what it lacks of the line of {also_whole_from}, as a share of that line, and"
        " at most {also_at_most} of what was held back; only the larger of the two reductions applies.",
    )
    not_modelled = (
        "a share of what the budget saved; that is a `corridor`",
        "how the budget, the services and the measure were made; they are facts of the year",
    )
    reads = {
        "services.{services}": None,
        "amounts.{budget}": None,
        "measures.{measure}": None,
        "measures.{not_reported}": unit_of(Share),
        "measures.{also_by}": unit_of(Share),
    }
    looks_back = ("withheld",)
    together = (
        ("services", "budget", "lost_at"),
        ("budget", "services", "lost_at"),
        ("lost_at", "services", "budget"),
        ("earned_at", "measure"),
        ("whole_from", "measure"),
        ("not_reported", "measure"),
        ("also_by", "measure", "also_whole_from", "also_at_most"),
        ("also_whole_from", "also_by"),
        ("also_at_most", "also_by"),
    )
    units = {"returned rate": unit_of(Share)}

    kind: Literal["withhold_return"]
    withheld: list[ClauseName]
    services: list[MeasureName] = []
    budget: MeasureName | None = None
    lost_at: Share | None = None
    measure: MeasureName | None = None
    not_reported: MeasureName | None = None
    earned_at: ShareLadder | None = None
    whole_from: Share | None = None
    also_by: MeasureName | None = None
    also_whole_from: Share | None = None
    also_at_most: Share | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if (self.budget is None) == (self.measure is None):
            given = "both `budget` and `measure`" if self.budget else "neither `budget` nor `measure`"
            allowed = "one test: a `budget` with its `services` and `lost_at`; or a `measure`, with or without a ladder"
            refuse(given, allowed, "add, say, `measure: measures met` and `earned_at: {0.4: 0.5, 0.8: 1}`")
        if self.earned_at is not None and self.whole_from is not None:
            refuse(
                "both `earned_at` and `whole_from`",
                "a table, or a line below which it is in proportion",
                "take one out",
            )
        return self

    def reading(self) -> Mapping[str, Unit | None]:
        return {**self.reads, **({"measures.{measure}": unit_of(Share)} if self.earned_at is None else {})}

    def expects(self, year: Expected) -> Mapping[str, Number]:
        if self.measure:
            guess = middle(self.earned_at) if self.earned_at else QUALITY
            known = {self.measure: guess, self.not_reported: 0.0, self.also_by: self.also_whole_from}
            return {f"measures.{name}": value for name, value in known.items() if name}
        each, budget = BUDGETED * year.benchmark / len(self.services), BUDGETED * year.benchmark
        return {f"services.{service}": each for service in self.services} | {f"amounts.{self.budget}": budget}

    def moves(self) -> Mapping[str, Moves]:
        return {f"services.{service}": Moves(lowered=True) for service in self.services}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        held = ledger.total(year=year.year, clause=self.withheld)
        if self.measure:
            share = self._earned(year)
            return held * share, {"held": held, "returned rate": share}
        cost = sum(year.services[name] for name in self.services)
        budget = year.amounts[self.budget or ""]
        lost = most(cost - budget, 0.0) / most(self.lost_at * budget, 0.01)
        return held * most(1 - lost, 0.0), {"held": held, "cost of the services": cost, "budget": budget}

    def _earned(self, year: Year) -> Number:
        """The share of what was held back that the measures earn."""
        result = year.measures[self.measure or ""]
        if self.not_reported:
            result = result * (1 - year.measures[self.not_reported])
        if self.earned_at is not None:
            result = self.earned_at.step(result)
        if self.whole_from is not None:
            result = least(result / most(self.whole_from, NOTHING), 1.0)
        if not self.also_by:
            return result
        short = most(1 - year.measures[self.also_by] / most(self.also_whole_from, NOTHING), 0.0)
        return least(result, 1 - least(short, self.also_at_most))
