from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Dollars, Number, most
from ..worded import ClauseName
from ..year import Year


class JointCap(Clause):
    """One limit over several clauses: whoever was paid more gives back what exceeds it.

    paid      = what was paid under the clauses named, less what has been given back under this one
    paid back = most(paid - cap, 0)
    """

    words = (
        "Taken together, what {payee} pays {payer} under {over} is at most {cap} {limits}.",
        "{payer} pays back to {payee} what exceeds it.",
    )
    not_modelled = ("which of the clauses is cut first; the money goes back in one sum",)
    looks_back = ("over",)

    kind: Literal["joint_cap"]
    over: list[ClauseName]
    cap: Dollars
    limits: Literal["for each year", "for all years together"] = "for each year"

    @property
    def has_memory(self) -> bool:
        return self.limits == "for all years together"

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        counted = year.year if self.limits == "for each year" else None
        paid = ledger.total(year=counted, clause=self.over, payer=self.payee, payee=self.payer)
        paid = paid - ledger.total(year=counted, clause=self.name)
        return most(paid - self.cap, 0.0), {"paid under those clauses": paid}
