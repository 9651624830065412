from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..expected import Expected
from ..ledger import Ledger
from ..units import Dollars, Number, Share, least, most, when
from ..worded import ClauseName, ConditionName
from ..year import Year


class LossCover(Clause):
    """A third party makes good a share of what an investor lost, once the contract has ended.

    loss = sums provided - repayments; never under zero
    paid = least(share x loss, cap) - what this cover has already paid
    """

    words = (
        "Once it is certified that {ended}, {payer} makes good to {payee} {share} of its loss.",
        "The loss is what {payee} provided under {investment}, less what it was repaid under {repaid_by}.",
        "At most {cap} is paid.",
    )
    not_modelled = (
        "the guarantor's fee",
        "return forgone: the guarantee is of the sums provided",
        "repayments that come in after it was paid",
    )
    reads = {"conditions.{ended}": None}
    looks_back = ("investment", "repaid_by")
    vbpr = "custom"
    for_all = ("cap",)

    kind: Literal["loss_cover"]
    investment: list[ClauseName]
    repaid_by: list[ClauseName]
    ended: ConditionName
    share: Share
    cap: Dollars | None = None

    def expects(self, year: Expected) -> Mapping[str, Number]:
        return {f"conditions.{self.ended}": int(year.last)}

    @property
    def has_memory(self) -> bool:
        return True

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        provided = ledger.total(clause=self.investment, payer=self.payee)
        loss = most(provided - ledger.total(clause=self.repaid_by, payee=self.payee), 0.0)
        paid = self.share * loss
        if self.cap is not None:
            paid = least(paid, self.cap)
        paid = most(paid - ledger.total(clause=self.name), 0.0)
        return when(year.conditions[self.ended] == 1, paid, 0.0), {"loss": loss}
