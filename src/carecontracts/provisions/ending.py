from typing import Literal

from ..units import Days, Months
from ..worded import Text
from .provision import Provision


class Ending(Provision):
    """How the agreement is renewed, opened again, stopped early and wound down."""

    title = "Term, re-opener, stop and exit"
    words = (
        "It is renewed {renewed}.",
        "It is opened again for: {reopened_for}.",
        "It is stopped early only by this rule: {stop_rule}.",
        "Either party may end it with {notice} days' notice; a breach may be cured within {cure} days.",
        "After its end the fee goes on for {wind_down} months, while people are handed over by name.",
        "Start-up cost that is not yet recovered is {start_up}.",
    )
    spoken = {
        "start_up": {
            "the provider's": "the provider's loss",
            "shared": "shared by halves, if the payer ends it without cause",
            "the payer's": "paid by the payer, if it ends it without cause",
        },
        "renewed": {
            "by agreement": "by agreement",
            "unless either says no": "for a year at a time, unless either says no in time",
        },
    }
    favors = {
        "start_up": {
            "the provider's": "the payer: it can leave in month 13, when the team is full",
            "the payer's": "the provider",
        }
    }
    apart = ("reopened_for",)
    plainly = ("stop_rule",)

    renewed: Literal["by agreement", "unless either says no"]
    reopened_for: list[
        Literal[
            "a change of law",
            "a change of benefits",
            "a shock that moves everyone's cost",
            "data that do not come",
            "fewer people than expected",
        ]
    ] = []
    stop_rule: Text | None = None
    notice: Days
    cure: Days
    wind_down: Months
    start_up: Literal["the provider's", "shared", "the payer's"]
