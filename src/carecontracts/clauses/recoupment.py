from typing import Annotated, Literal

from pydantic import Field

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, Share, least
from ..worded import ClauseName
from ..year import Year


class Recoupment(Clause):
    """An advance that is paid back out of later earnings, in this year and the years after, until it is whole.

    outstanding = all advanced so far - all recouped so far
    recouped    = least(outstanding, share x this year's earnings)
    """

    words = (
        "{payer} pays back to {payee} what was advanced under {advance}:"
        " each year {share} of what it earns under {out_of}, until nothing is outstanding.",
    )
    not_modelled = (
        "interest on the advance",
        "what becomes of a balance that is left when the contract ends",
    )
    looks_back = ("advance", "out_of")
    once = ("advance",)  # two clauses that each count only their own recoupment would take it twice

    kind: Literal["recoupment"]
    advance: Annotated[list[ClauseName], Field(min_length=1)]
    out_of: Annotated[list[ClauseName], Field(min_length=1)]
    share: Share

    @property
    def has_memory(self) -> bool:
        return True

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        outstanding = ledger.total(clause=self.advance) - ledger.total(clause=self.name)
        earned = ledger.total(year=year.year, clause=self.out_of)
        return least(outstanding, self.share * earned), {"outstanding": outstanding, "earned this year": earned}
