from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from ..clause import Clause
from ..expected import Expected, middle
from ..ledger import Ledger
from ..refusal import refuse
from ..scales import HOW_IT_CLIMBS, Change, Climbs
from ..units import Dollars, Number, Share, least, most, unit_of
from ..worded import ClauseName, MeasureName
from ..year import Year


class PaymentAdjustment(Clause):
    """A share of what other clauses pay: agreed once, or set by a measure, upward or downward.

    change = share, or what the ladder gives for the measure
    paid   = least(payments x most(change, 0), cap), or for what is less: least(payments x most(-change, 0), cap)

    What goes up and what goes down are two clauses, the second with the parties the other way round.
    """

    words = (
        "{payer} pays {payee}, of what was paid for the year under {payments}, {share}.",
        "By the measure {measure}, what was paid for the year under {payments} is changed, {climbs}: {ladder}.",
        "{payer} pays {payee} {side}.",
        "At most {cap} is paid for a year.",
    )
    spoken = {"climbs": HOW_IT_CLIMBS}
    not_modelled = ("how the measure is made; it is a fact of the year",)
    reads = {"measures.{measure}": None}
    looks_back = ("payments",)
    together = (
        ("measure", "ladder", "climbs", "side"),
        ("ladder", "measure"),
        ("climbs", "ladder"),
        ("side", "ladder"),
    )
    units = {"change": unit_of(Share)}
    lan, vbpr = "2C", "qip"
    for_all = ("cap",)

    kind: Literal["payment_adjustment"]
    payments: list[ClauseName]
    share: Share | None = None
    measure: MeasureName | None = None
    ladder: Change | None = None
    climbs: Climbs | None = None
    side: Literal["what is more", "what is less"] | None = None
    cap: Dollars | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.share is None) == (self.measure is None):
            given = "neither `share` nor `measure`" if self.share is None else "both `share` and `measure`"
            allowed = "a `share` of the payments, or a `measure` with its `ladder`"
            refuse(given, allowed, "add `measure:`, or `share:`" if self.share is None else "take one of them out")
        return self

    @property
    def money_back(self) -> bool:
        return self.side == "what is less"

    def expects(self, year: Expected) -> Mapping[str, Number]:
        return {f"measures.{self.measure}": middle(self.ladder)} if self.measure and self.ladder else {}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        payments, change = ledger.paid(year=year.year, clause=self.payments), self.share or 0
        if self.measure and self.ladder:
            change = self.ladder.climbed(year.measures[self.measure], self.climbs)
        paid = most(payments, 0.0) * most(-change if self.side == "what is less" else change, 0.0)
        if self.cap is not None:
            paid = least(paid, self.cap)
        return paid, {"paid for the year": payments, "change": change}
