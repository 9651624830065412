from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Count, Dollars, Number, least, unit_of
from ..worded import MeasureName
from ..year import Year


class ServicePrice(Clause):
    """A new service that can be billed, at a price for each: a care plan made, a care plan reviewed.

    paid = least(price x how many were accepted, cap)
    """

    words = (
        "{payer} pays {payee} {price} for each {service} that {payer} accepts in the year.",
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
    cap: Dollars | None = None

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        accepted = year.counts[self.service]
        paid = accepted * self.price
        if self.cap is not None:
            paid = least(paid, self.cap)
        return paid, {"accepted count": accepted}
