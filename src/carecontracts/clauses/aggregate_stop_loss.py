from typing import Literal

from ..funds import OfFunds
from ..ledger import Ledger
from ..units import Number, Rate, Share, least, most
from ..worded import ClauseName
from ..year import Year


class AggregateStopLoss(OfFunds):
    """Cover for the year that costs too much: the part of all members' claims above a multiple of what was expected.

    claims = least(spend - recovered under `net_of`, cap x benchmark)
    paid   = coinsurance x most(claims - attachment x benchmark, 0)
    """

    words = (
        "{payer} pays {payee} {coinsurance} of what the year's spending comes to"
        " above {attachment} times the benchmark.",
        *OfFunds.of_funds,
        "What was recovered under {net_of} is taken off spending first.",
        "Spending counts up to {cap} times the benchmark.",
    )
    not_modelled = ("claims that are paid after the cover ends",)
    reads = {"benchmark": None, "spend": None}
    looks_back = ("net_of",)
    insures = "cover"

    kind: Literal["aggregate_stop_loss"]
    attachment: Rate
    coinsurance: Share
    net_of: list[ClauseName] = []
    cap: Rate | None = None

    @property
    def pays_for_results(self) -> bool:
        return False  # a bad year is no result of a program

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        claims = year.spend - ledger.total(year=year.year, clause=self.net_of)
        if self.cap is not None:
            claims = least(claims, self.cap * year.benchmark)
        above = most(claims - self.attachment * year.benchmark, 0.0)
        return self.coinsurance * above, {"above the attachment": above}
