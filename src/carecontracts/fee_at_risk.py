"""FeeAtRisk: a fee that goes back, in whole or in part, where a promise is not kept."""

from typing import Annotated, ClassVar

from pydantic import Field

from .clause import Clause
from .ledger import Ledger
from .units import Number, Share, most
from .worded import ClauseName
from .year import Year


class FeeAtRisk(Clause):
    """Which fee is at risk, the most of it that goes back, and what other refunds count toward that.

    left = cap x fee - refunded already
    """

    limits: ClassVar[tuple[str, ...]] = (
        "The refund, as a share of what was paid, is at most {cap}.",
        "What is refunded under {cap_counts} counts toward that limit.",
    )
    looks_back = ("fee", "cap_counts")
    vbpr = "ssl"

    fee: Annotated[list[ClauseName], Field(min_length=1)]
    cap: Share
    cap_counts: list[ClauseName] = []

    @property
    def money_back(self) -> bool:
        return True

    def paid(self, year: Year, ledger: Ledger) -> Number:
        """The year's fee."""
        return ledger.total(year=year.year, clause=self.fee)

    def left(self, fee: Number, year: Year, ledger: Ledger) -> Number:
        """The most that may still go back of it."""
        return most(self.cap * fee - ledger.total(year=year.year, clause=self.cap_counts), 0.0)
