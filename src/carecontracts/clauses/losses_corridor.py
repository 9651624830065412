from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, Share, ShareBands, Unit, least, most
from ..worded import ClauseName
from ..year import Year


class LossesCorridor(Clause):
    """The provider's part of what a year cost more than was expected, each band of the losses at its own share.

    lost = spend + payments that count as spending - benchmark
    owed = least(sum over bands of share x losses in the band, cap x benchmark, revenue_cap x revenue)
    """

    words = (
        "Losses are the year's spending less the benchmark.",
        "Spending counts what {payee} paid under {net_of}, less what it got back under them.",
        "{payer} pays {payee} a share of the losses, by bands of the benchmark: {bands}.",
        "The payment is at most {cap} of the benchmark.",
        "It is at most {revenue_cap} of {payer}'s revenue from {payee}.",
    )
    not_modelled = (
        "how the benchmark and the spending were made; they are facts of the year",
        "the letter of credit or reserve that secures the payment",
    )
    reads = {"benchmark": None, "spend": None}
    looks_back = ("net_of",)
    lan, vbpr = "3B", "ssl"

    kind: Literal["losses_corridor"]
    bands: ShareBands
    net_of: list[ClauseName] = []
    cap: Share | None = None
    revenue_cap: Share | None = None

    def reading(self) -> Mapping[str, Unit | None]:
        return self.reads if self.revenue_cap is None else {**self.reads, "provider_revenue": None}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        lost = year.spend + ledger.outlay(self.payee, year=year.year, clause=self.net_of) - year.benchmark
        rate = most(lost, 0.0) / most(year.benchmark, 0.01)
        owed = self.bands.bands(rate) * year.benchmark
        if self.cap is not None:
            owed = least(owed, self.cap * year.benchmark)
        if self.revenue_cap is not None:
            owed = least(owed, self.revenue_cap * year.provider_revenue)
        return owed, {"lost": lost, "loss rate": rate}
