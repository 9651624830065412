from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..expected import BUDGETED, Expected, Moves
from ..ledger import Ledger
from ..units import Number, Share, most
from ..worded import ClauseName, MeasureName
from ..year import Year


class WithholdReturn(Clause):
    """What was held back this year, returned in proportion to how a budget was kept.

    overrun  = most(cost of the services - budget, 0) / (lost_at x budget)
    returned = held x (1 - overrun), and never less than nothing
    """

    words = (
        "{payer} returns to {payee} what was held back this year under {withheld}.",
        "All of it is returned if these services together cost no more than the {budget}: {services}.",
        "Each dollar over the budget takes an equal part of it,"
        " and none is returned once they cost {lost_at} more than the budget.",
    )
    not_modelled = (
        "a share of what the budget saved; that is a `corridor`",
        "how the budget and the services were priced; they are facts of the year",
    )
    reads = {"services.{services}": None, "amounts.{budget}": None}
    looks_back = ("withheld",)

    kind: Literal["withhold_return"]
    withheld: list[ClauseName]
    services: list[MeasureName]
    budget: MeasureName
    lost_at: Share

    def expects(self, year: Expected) -> Mapping[str, Number]:
        each, budget = BUDGETED * year.benchmark / len(self.services), BUDGETED * year.benchmark
        return {f"services.{service}": each for service in self.services} | {f"amounts.{self.budget}": budget}

    def moves(self) -> Mapping[str, Moves]:
        return {f"services.{service}": Moves(lowered=True) for service in self.services}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        held = ledger.total(year=year.year, clause=self.withheld)
        cost = sum(year.services[name] for name in self.services)
        budget = year.amounts[self.budget]
        lost = most(cost - budget, 0.0) / most(self.lost_at * budget, 0.01)
        return held * most(1 - lost, 0.0), {"held": held, "cost of the services": cost, "budget": budget}
