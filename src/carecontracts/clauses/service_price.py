from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..expected import Expected
from ..ledger import Ledger
from ..per_person import FIRST, beyond_the_limit
from ..units import Count, Dollars, Number, Unit, least, most, unit_of
from ..worded import MeasureName
from ..year import Year


class ServicePrice(Clause):
    """A new service that can be billed, at a price for each: a care plan made, a care plan reviewed.

    paid = least(price x how many were accepted - what any one person had beyond cap_per_person, cap)
    """

    words = (
        "{payer} pays {payee} {price} for each {service} that {payer} accepts in the year.",
        "For any one person {cap_per_person} is the most that it pays for this service in a year.",
        "For one year {cap} is the most that it pays for this service.",
    )
    not_modelled = ("how often it may be billed for one member; the year's count holds only what was accepted",)
    reads = {"counts.{service}": None}
    units = {"accepted count": unit_of(Count)}
    lan, vbpr = "2A-2C", "custom"
    for_all = ("cap",)

    kind: Literal["service_price"]
    service: MeasureName
    price: Dollars
    cap_per_person: Dollars | None = None
    cap: Dollars | None = None

    def reading(self) -> Mapping[str, Unit | None]:
        return self.reads if self.cap_per_person is None else {**self.reads, "counts.{service}" + FIRST: None}

    def expects(self, year: Expected) -> Mapping[str, Number]:
        """As many for one person as the limit pays for."""
        if self.cap_per_person is None or not self.price:
            return {}
        return {f"counts.{self.service}{FIRST}": self.cap_per_person / self.price}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        accepted = year.counts[self.service]
        paid, how = accepted * self.price, {}
        if self.cap_per_person is not None:
            beyond = beyond_the_limit(year, f"counts.{self.service}", self.price, self.cap_per_person)
            paid, how = most(paid - beyond, 0.0), {"beyond the limit for one person": beyond}
        if self.cap is not None:
            paid = least(paid, self.cap)
        return paid, {"accepted count": accepted} | how
