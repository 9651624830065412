from typing import Literal

from ..clause import Clause, ClauseName
from ..ledger import Ledger
from ..units import Number, Share
from ..year import Year


class Withhold(Clause):
    """A part of what earlier clauses pay the provider that stays with the payer until a test is settled.

    held = share x paid this year under the clauses named

    Its payer is the provider, since the payer's own payment stands whole in its paragraph.

    Not modelled:
    - interest on what is held
    """

    words = ("Of what {payer} is paid under {held_from}, {payee} holds back {share}.",)
    looks_back = ("held_from",)

    kind: Literal["withhold"]
    held_from: list[ClauseName]
    share: Share

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        paid = ledger.total(year=year.year, clause=self.held_from)
        return self.share * paid, {"paid this year": paid}
