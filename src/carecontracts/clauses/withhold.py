from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Number, Share
from ..worded import ClauseName
from ..year import Year


class Withhold(Clause):
    """A part of what earlier clauses pay the provider that stays with the payer until a test is settled.

    held = share x paid this year under the clauses named

    Its payer is the provider, since the payer's own payment stands whole in its paragraph.
    """

    words = ("Of what {payer} is paid under {held_from}, {payee} holds back {share}.",)
    not_modelled = ("interest on what is held",)
    looks_back = ("held_from",)

    kind: Literal["withhold"]
    held_from: list[ClauseName]
    share: Share

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        paid = ledger.total(year=year.year, clause=self.held_from)
        return self.share * paid, {"paid this year": paid}
