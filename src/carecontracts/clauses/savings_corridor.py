from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, Share, ShareBands, Unit, least, most
from ..worded import ClauseName
from ..year import Year


class SavingsCorridor(Clause):
    """The provider's part of what a year cost less than was expected, each band of the savings at its own share.

    saved = benchmark - spend - payments that count as spending
    paid  = least(sum over bands of share x savings in the band, cap x benchmark)

    A band that begins at 2% of the benchmark covers savings from there to the next. No band is a cliff: one more
    dollar saved is worth the share of its own band.
    """

    words = (
        "Savings are the benchmark less the year's spending.",
        "Spending counts what {payer} paid under {net_of}, less what it got back under them.",
        "{payer} pays {payee} a share of the savings, by bands of the benchmark: {bands}.",
        "The payment is at most {cap} of the benchmark.",
        "It is at most {revenue_cap} of {payee}'s revenue from {payer}.",
    )
    not_modelled = ("how the benchmark and the spending were made; they are facts of the year",)
    reads = {"benchmark": None, "spend": None}
    looks_back = ("net_of",)
    lan, vbpr = "3B", "ssp"

    kind: Literal["savings_corridor"]
    bands: ShareBands
    net_of: list[ClauseName] = []
    cap: Share | None = None
    revenue_cap: Share | None = None

    def reading(self) -> Mapping[str, Unit | None]:
        return self.reads if self.revenue_cap is None else {**self.reads, "provider_revenue": None}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        saved = year.benchmark - year.spend - ledger.outlay(self.payer, year=year.year, clause=self.net_of)
        rate = most(saved, 0.0) / most(year.benchmark, 0.01)
        paid = self.bands.bands(rate) * year.benchmark
        if self.cap is not None:
            paid = least(paid, self.cap * year.benchmark)
        if self.revenue_cap is not None:
            paid = least(paid, self.revenue_cap * year.provider_revenue)
        return paid, {"saved": saved, "savings rate": rate}
