from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Dollars, Number
from ..year import Year


class Advance(Clause):
    """Money paid before there is anything to show for it, so that a program can hire.

    Whether it must come back is for a `recoupment` clause to say; without one it is a grant.
    """

    words = ("Each year {payer} advances {payee} {amount}.",)
    not_modelled = ("what the provider may spend the money on",)
    lan, vbpr = "2A", "custom"
    for_all = ("amount",)

    kind: Literal["advance"]
    amount: Dollars

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        return self.amount, {}
