from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..clause import Clause
from ..expected import Moves
from ..ledger import Ledger
from ..refusal import refuse
from ..units import Multiple, Number, Rate, Share, most
from ..worded import MeasureName
from ..year import Year


class FeeScheduleIncrease(Clause):
    """Higher fees for services that the provider bills already.

    paid today = what was paid in the year for the services, at the fees before the increase
    by points     increase = points x paid today / fees_today      (points are of the standard fee schedule)
    by multiplier increase = (multiplier - 1) x paid today         (a multiplier is of what is paid today)
    """

    words = (
        "{payer} pays {payee} more than today's fees for these services: {services}.",
        "The increase, as a share of the standard fee schedule, is {points}.",
        "Today's fees, as a multiple of that schedule, are {fees_today}.",
        "Today's fees, whatever share of a fee schedule they are, are multiplied by {multiplier}.",
    )
    not_modelled = (
        "services billed more often because they pay more; the year's services are what was billed",
        "patients' share of the higher fee",
    )
    reads = {"services.{services}": None}
    together = (("points", "fees_today"), ("fees_today", "points"))
    lan, vbpr = "2A-2C", "qip"

    kind: Literal["fee_schedule_increase"]
    services: Annotated[list[MeasureName], Field(min_length=1)]
    points: Share | None = None
    fees_today: Multiple | None = None
    multiplier: Rate | None = None

    @model_validator(mode="after")
    def _one_way_to_count(self) -> Self:
        if (self.points is None) == (self.multiplier is None):
            given = "neither `points` nor `multiplier`" if self.points is None else "both `points` and `multiplier`"
            allowed = "`points` of the fee schedule with `fees_today`, or a `multiplier` of what is paid today"
            refuse(given, allowed, "give one of them")
        return self

    def moves(self) -> Mapping[str, Moves]:
        return {f"services.{service}": Moves("dollars") for service in self.services}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        paid_today = sum(year.services[name] for name in self.services)
        if self.multiplier is None:
            increase = self.points * paid_today / self.fees_today
        else:
            increase = most(self.multiplier - 1, 0.0) * paid_today
        return increase, {"paid at today's fees": paid_today}
