from typing import Annotated, Literal

from ..units import Count, Share
from ..worded import EachOnce, Name, Text
from .provision import Provision


class Services(Provision):
    """What the program does, who does it, and for how many each."""

    title = "Services and staffing"
    words = (
        "The program gives: {activities}.",
        "For each full-time post there are at most so many people: {caseloads}.",
        "At least {filled} of posts are filled in any quarter.",
        "How the work is done changes {changed}.",
    )
    spoken = {
        "changed": {
            "as the provider sees fit": "as the provider sees fit",
            "after notice": "after notice to the payer",
            "by the joint committee": "by decision of the joint committee alone",
        }
    }
    favors = {
        "changed": {
            "as the provider sees fit": "the provider; an evaluation may then be of two programs",
            "by the joint committee": "the payer; a bad script is kept longer",
        }
    }
    apart = ("activities",)

    activities: list[Text]
    caseloads: Annotated[dict[Name, Count], EachOnce] = {}
    filled: Share | None = None
    changed: Literal["as the provider sees fit", "after notice", "by the joint committee"]
