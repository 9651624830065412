from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Dollars, Number
from ..year import Year


class Investment(Clause):
    """Capital that pays for the work before anyone pays for results: one tranche, drawn year by year.

    It comes back only as a `repayment` says, and its rank is the order of the repayments.
    """

    words = ("{payer} invests in {payee}, at its own risk: each year it provides {draw}.",)
    not_modelled = (
        "the fees of whoever arranges the capital",
        "interest on capital that was committed and not yet drawn",
    )
    vbpr = "custom"
    for_all = ("draw",)

    kind: Literal["investment"]
    draw: Dollars

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        return self.draw, {}
