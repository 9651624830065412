from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..units import Days
from ..worded import Text
from .provision import Provision


class Feed(BaseModel):
    """One set of data that one party sends another: what, how often, how late at most."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    what: Text
    to: Literal["the provider", "the payer", "both"]
    every: Literal["day", "week", "month", "quarter"]
    lag: Days

    def say(self) -> str:
        return f"{self.what}, to {self.to} every {self.every}, at most {self.lag:g} day{'s' * (self.lag != 1)} late"

    def has_numbers(self) -> bool:
        return True


class DataFeeds(Provision):
    """Which data each side sends, how often and how late, and what happens when they do not come."""

    title = "Data"
    words = (
        "These data are sent: {feeds}.",
        "If a feed is more than {cure} days late, {remedy}.",
        "They come as {standard}.",
    )
    spoken = {
        "remedy": {
            "nothing follows": "nothing follows",
            "the fee of the month is credited": "the fee of the month is credited to the party that waits",
            "settlement waits": "settlement waits, and no deadline of the other party runs",
            "the other side's figures count": "the figures of the party that waits count",
        }
    }
    favors = {
        "remedy": {
            "nothing follows": "the payer: a team that learns of a hospital stay after three weeks cannot act on it",
            "settlement waits": "neither: it is late for both",
            "the other side's figures count": "whoever keeps the better records",
        }
    }
    apart = ("feeds",)
    plainly = ("standard",)

    feeds: Annotated[list[Feed], Field(min_length=1)]
    cure: Days
    remedy: Literal[
        "nothing follows", "the fee of the month is credited", "settlement waits", "the other side's figures count"
    ]
    standard: Text | None = None

    def slowest_to_provider(self) -> float:
        """The days until the provider has the last of what it is sent: its lag and the wait for the next file."""
        waits = {"day": 1, "week": 7, "month": 30, "quarter": 91}
        return max((feed.lag + waits[feed.every] for feed in self.feeds if feed.to != "the payer"), default=0.0)
