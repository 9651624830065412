from typing import Literal

from ..units import Count, Days, Months, Share
from .provision import Provision


class Outreach(Provision):
    """How people are found and spoken with, how many are expected to take part, and how they leave."""

    title = "Outreach, engagement and graduation"
    words = (
        "A first contact is tried within {first_contact} days, at least {attempts} times and in two ways.",
        "{expected} of those on the list are expected to take part.",
        "Those who cannot be reached stay on the list {unreached}.",
        "A person graduates once {graduates}; the fee goes on for {tail} months after that.",
    )
    spoken = {
        "unreached": {
            "and count in every result": "and count in every result",
            "and do not count": "and do not count in any result",
        }
    }
    favors = {
        "unreached": {
            "and count in every result": "the payer: what it bought is judged on all whom it offered",
            "and do not count": "the provider: those who refuse are often the costliest, and leave its result",
        }
    }
    plainly = ("graduates",)

    first_contact: Days
    attempts: Count
    expected: Share
    unreached: Literal["and count in every result", "and do not count"]
    graduates: (
        Literal["their goals are met", "their risk has been low for six months", "two years have passed"] | None
    ) = None
    tail: Months | None = None
