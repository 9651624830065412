from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..expected import Expected, Moves
from ..ledger import Ledger
from ..per_month import per_month
from ..scales import TieredDollars
from ..units import Number, Rate, Share, least, most, unit_of
from ..worded import MeasureName, Text
from ..year import Year


class Capitation(Clause):
    """A fixed amount per member per month for the services named, or for all but those carved out, whatever is used.

    paid  = sum over tiers of (per member per month x member months) x score
    score = the members' average risk score over the score on which the rate was set, kept within
            1 - fall_cap and 1 + growth_cap
    """

    words = (
        "{payer} pays {payee} {per_member_per_month} per member for each month of membership, whatever care is used.",
        "The payment covers these services: {services}.",
        "It covers all services but these, which {payer} goes on paying for: {carve_outs}.",
        "It is multiplied by the measure {risk_score}: the members' average risk score,"
        " divided by the score on which the rate was set.",
        "Of growth in that score, at most {growth_cap} counts.",
        "Of a fall in it, at most {fall_cap} counts.",
    )
    not_modelled = (
        "what the capitated services cost; that is the provider's, and no fact of the settlement",
        "members who change tier within a month",
        "how the risk score was made",
    )
    reads = {"member_months.{per_member_per_month}": None, "measures.{risk_score}": None}
    together = (("growth_cap", "risk_score"), ("fall_cap", "risk_score"))
    units = {"score that counts": unit_of(Rate)}
    lan, vbpr = "4A", "pcpcp"

    kind: Literal["capitation"]
    per_member_per_month: TieredDollars
    services: list[Text] = []
    carve_outs: list[Text] = []
    risk_score: MeasureName | None = None
    growth_cap: Share | None = None
    fall_cap: Share | None = None

    def categories(self) -> tuple[str, str]:
        """Named services are partial capitation; all services, with or without carve-outs, are global payment."""
        return (self.lan, self.vbpr) if self.services else ("4B", "")

    @property
    def pays_for_results(self) -> bool:
        return False  # a risk score is no result of a program

    @property
    def care_taken_on(self) -> Literal["none", "some", "all"]:
        return "some" if self.services or self.carve_outs else "all"

    def price_of_all_care(self) -> Number | None:
        rate = self.per_member_per_month
        if self.services:
            return None
        return 12 * (sum(rate.values()) / len(rate) if isinstance(rate, dict) else rate)

    def expects(self, year: Expected) -> Mapping[str, Number]:
        return {f"measures.{self.risk_score}": 1.0} if self.risk_score else {}

    def moves(self) -> Mapping[str, Moves]:
        return {f"measures.{self.risk_score}": Moves(held=True)} if self.risk_score else {}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        base, _ = per_month(self.per_member_per_month, year, "member_months")
        if self.risk_score is None:
            return base, {"before risk adjustment": base}
        score = year.measures[self.risk_score]
        if self.growth_cap is not None:
            score = least(score, 1 + self.growth_cap)
        if self.fall_cap is not None:
            score = most(score, 1 - self.fall_cap)
        return base * score, {"before risk adjustment": base, "score that counts": score}
