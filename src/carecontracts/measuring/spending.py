"""Which dollars count, and how much of one person's."""

from typing import Literal, Self

from pydantic import model_validator

from ..refusal import refuse
from ..units import Dollars, Share
from .part import Part

Service = Literal["inpatient", "emergency", "outpatient", "professional", "behavioral", "post_acute", "pharmacy"]


class Spending(Part):
    """Which dollars count, and how much of one person's.

    >>> Spending(truncated_at=250_000).say()
    "Spending is the paid amount of each claim line. Of one person's spending in a year, $250,000 counts at most."
    """

    title = "Spending"
    words = (
        "Spending is the {cost} amount of each claim line.",
        "It counts these services alone: {only}.",
        "It leaves out these services: {without}.",
        "Of one person's spending in a year, {truncated_at} counts at most.",
        "Of one person's spending in a year, no more counts than the {truncated_at_percentile} point of all people"
        " enrolled with the payer.",
        "Of what lies above that, {above} counts.",
    )
    not_modelled = (
        "a limit that grows with months of enrollment, or a pooling charge for what lies above it",
        "standardized prices",
    )
    cost: Literal["paid", "allowed"] = "paid"
    only: list[Service] = []
    without: list[Service] = []
    truncated_at: Dollars | None = None
    truncated_at_percentile: Share | None = None
    above: Share | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        for first, second in (("only", "without"), ("truncated_at", "truncated_at_percentile")):
            if self._is_set(first) and self._is_set(second):
                refuse(f"`{first}` and `{second}`", "one of the two", "take one of them out")
        if self.above is not None and self.truncated_at is None and self.truncated_at_percentile is None:
            refuse("`above` without a limit", "a limit with it", "add `truncated_at:`, or take out `above`")
        return self

    def counts(self, service: str) -> bool:
        """Whether a service counts as spending."""
        return service in self.only if self.only else service not in self.without
