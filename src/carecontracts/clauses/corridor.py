from typing import Literal

from ..difference import Sequestered
from ..ledger import Ledger
from ..scales import ShareBands
from ..units import Number, Share, most, unit_of
from ..year import Year


class Corridor(Sequestered):
    """The provider's part of savings, or of losses, each band of them at its own share.

    paid = least(sum over bands of share x the difference in the band x (1 - sequestration),
                 cap x benchmark, revenue_cap x revenue)

    A band that begins at 2% of the benchmark covers what lies from there to the next. No band is a cliff: one more
    dollar is worth the share of its own band.
    """

    words = (
        *Sequestered.opening,
        *Sequestered.from_before,
        "{payer} pays {payee} a share of the {of}, by bands of the benchmark: {bands}.",
        *Sequestered.adjusting,
        *Sequestered.by_law,
        "The payment is at most {cap} of the benchmark.",
        *Sequestered.caps,
        *Sequestered.limits,
    )
    not_modelled = (
        "how the benchmark and the spending were made; they are facts of the year",
        "the letter of credit or reserve that secures the payment",
    )
    units = Sequestered.units | {"savings rate": unit_of(Share), "loss rate": unit_of(Share)}
    lan = "3B"

    kind: Literal["corridor"]
    bands: ShareBands
    cap: Share | None = None

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        difference, weighed = self.difference(year, ledger)
        difference, carried = self.after_earlier_years(difference, ledger)
        benchmark = most(self.benchmark_of(year), 0.01)
        rate = most(difference, 0.0) / benchmark
        limits = [] if self.cap is None else [self.cap * benchmark]
        paid, change = self.adjusted(self.bands.bands(rate) * benchmark, year)
        paid = self.after_law(paid, *limits, *self.most_that_is_paid(year, ledger))
        paid, weighed = self.within(paid, year, ledger), weighed | change | carried
        if self.of == "savings":
            return paid, weighed | {"saved": difference, "savings rate": rate}
        return paid, weighed | {"lost": difference, "loss rate": rate}
