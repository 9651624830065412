from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..expected import Expected, Moves
from ..ledger import Ledger
from ..scales import ShareBands
from ..units import Number, most
from ..worded import ClauseName, MeasureName
from ..year import Year


class Reconciliation(Clause):
    """What was paid in advance for services, set against what those services came to.

    over  = prepaid - cost of the services        (or, the other way round, what they cost beyond the prepayment)
    paid  = sum over bands of share x the part of `over` in the band, the bands measured as shares of the prepayment

    With the one band {0: 1} a prepayment is trued up to fee-for-service, dollar for dollar. A first band at 0 is a
    corridor in which the provider keeps a surplus and bears a shortfall.
    """

    words = (
        "What was paid under {prepaid} is set against what these services came to at their usual prices: {services}.",
        "{payer} pays {payee} a share of {side}, by bands of what was paid in advance: {bands}.",
    )
    not_modelled = ("how the services were priced; their cost is a fact of the year",)
    reads = {"services.{services}": None}
    looks_back = ("prepaid",)
    lan, vbpr = "", ""

    kind: Literal["reconciliation"]
    prepaid: list[ClauseName]
    services: list[MeasureName]
    side: Literal["what was paid beyond their cost", "what they cost beyond that"]
    bands: ShareBands

    def expects(self, year: Expected) -> Mapping[str, Number]:
        each = year.paid(self.prepaid) / len(self.services)  # what was prepaid is spent
        return {f"services.{service}": each for service in self.services}

    def moves(self) -> Mapping[str, Moves]:
        return {f"services.{service}": Moves(lowered=True) for service in self.services}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        prepaid = ledger.total(year=year.year, clause=self.prepaid)
        cost = sum(year.services[name] for name in self.services)
        over = prepaid - cost if self.side == "what was paid beyond their cost" else cost - prepaid
        base = most(prepaid, 0.01)  # a cent, where nothing was paid in advance
        paid = self.bands.bands(most(over, 0.0) / base) * base
        return paid, {"paid in advance": prepaid, "cost of the services": cost}
