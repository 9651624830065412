from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, Share, least, most
from ..worded import ClauseName
from ..year import Year


class Repayment(Clause):
    """One step of a waterfall: what was earned goes to a tranche of capital until it is whole, then to the next step.

    available = share x all received so far under `out_of` - all passed on so far, here and under `after`
    owed      = last year's unpaid + this year's draws, and yearly_return on both,
                but never more in all than the draws and return_cap of them
    paid      = least(available, owed)

    Without a yearly return and without a cap on it, the draws alone are owed.
    """

    words = (
        "{payer} repays to {payee} what it provided under {investment}:"
        " each year {share} of what {payer} has received so far under {out_of}, less what it has passed on,"
        " until nothing is owed.",
        "What {payer} paid under {after} comes first and is taken off.",
        "Owed are the sums provided and not yet repaid, with a return of {yearly_return} a year on them.",
        "The return in all is at most {return_cap} of the sums provided.",
    )
    not_modelled = ("return for parts of a year: draws and unpaid sums earn for whole contract years",)
    looks_back = ("investment", "out_of", "after")
    remembers = ("owed", "drawn so far")
    vbpr = "custom"

    kind: Literal["repayment"]
    investment: list[ClauseName]
    out_of: list[ClauseName]
    share: Share
    after: list[ClauseName] = []
    yearly_return: Share | None = None
    return_cap: Share | None = None

    @property
    def has_memory(self) -> bool:
        return True

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        received = ledger.total(clause=self.out_of, payee=self.payer)
        passed_on = ledger.total(clause=[*self.after, self.name], payer=self.payer)
        available = most(self.share * received - passed_on, 0.0)
        last = max((line.year for line in ledger if line.clause == self.name), default=0)
        unpaid = ledger.working(self.name, "owed", last) - ledger.total(year=last, clause=self.name)
        drawn = ledger.total(clause=self.investment, payer=self.payee)
        new = drawn - ledger.working(self.name, "drawn so far", last)
        owed = (unpaid + new) * (1 + (self.yearly_return or 0))
        if self.return_cap is not None:
            most_in_all = drawn * (1 + self.return_cap) - ledger.total(clause=self.name)
            owed = most_in_all if self.yearly_return is None else least(owed, most_in_all)
        return most(least(available, owed), 0.0), {"available": available, "owed": owed, "drawn so far": drawn}
