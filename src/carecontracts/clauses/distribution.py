from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Dollars, Number, Share, least, most
from ..worded import ClauseName
from ..year import Year


class Distribution(Clause):
    """What a party passes on, of what it receives itself: to sites, or to a community organization.

    passed on = least(share x (received under `out_of` - paid back under `net_of`), cap)
    """

    words = (
        "Of what {payer} receives for the year under {out_of}, it passes {share} to {payee}.",
        "What {payer} pays back under {net_of} is taken off first.",
        "At most {cap} is passed on for a year.",
    )
    not_modelled = ("how the receiving party divides it among its own people",)
    looks_back = ("out_of", "net_of")

    kind: Literal["distribution"]
    out_of: list[ClauseName]
    share: Share
    net_of: list[ClauseName] = []
    cap: Dollars | None = None

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        received = ledger.total(year=year.year, clause=self.out_of, payee=self.payer)
        received = received - ledger.total(year=year.year, clause=self.net_of, payer=self.payer)
        passed_on = self.share * most(received, 0.0)
        if self.cap is not None:
            passed_on = least(passed_on, self.cap)
        return passed_on, {"received less paid back": received}
