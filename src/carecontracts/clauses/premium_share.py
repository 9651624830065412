from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..expected import CARE_RATIO, Expected
from ..ledger import Ledger
from ..units import Number, Share
from ..worded import MeasureName, Text
from ..year import Year


class PremiumShare(Clause):
    """A share of the plan's premium, for all care but what is carved out.

    paid = share x premium

    The provider takes the premium's ups and downs along with the care.
    """

    words = (
        "{payer} pays {payee} {share} of the year's premium, {premium}, whatever care is used.",
        "It covers all services but these, which {payer} goes on paying for: {carve_outs}.",
    )
    not_modelled = ("how the premium is set; it is a fact of the year, and a program that lowers cost lowers it later",)
    reads = {"amounts.{premium}": None}
    lan, vbpr = "4B", ""

    kind: Literal["premium_share"]
    share: Share
    premium: MeasureName
    carve_outs: list[Text] = []

    @property
    def care_taken_on(self) -> Literal["none", "some", "all"]:
        return "some" if self.carve_outs else "all"

    def expects(self, year: Expected) -> Mapping[str, Number]:
        return {f"amounts.{self.premium}": year.benchmark / CARE_RATIO}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        premium = year.amounts[self.premium]
        return self.share * premium, {"premium": premium}
