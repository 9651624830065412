from typing import Literal

from ..units import Count
from ..worded import Text
from .provision import Provision


class Quality(Provision):
    """How many measures there may be, who reports them, and what is done about unequal results."""

    title = "Quality and equity"
    words = (
        "At most {most_measures} measures are reported, by this specification: {specification}.",
        "They are reported by {reported_by}.",
        "Results are {equity}.",
        "A measure that counts fewer than {smallest} people is reported and decides nothing.",
    )
    spoken = {
        "equity": {
            "not broken down": "not broken down by group",
            "shown by group": "shown by group, with intervals",
            "weighed by group": "shown by group, and the group furthest behind has a weight of its own in what is paid",
        }
    }
    favors = {
        "equity": {
            "not broken down": "whoever serves the easiest people",
            "weighed by group": "the people furthest behind; small groups make the payment louder",
        }
    }
    plainly = ("specification",)

    most_measures: Count
    specification: Text
    reported_by: Literal["the provider", "the payer", "an independent evaluator"]
    equity: Literal["not broken down", "shown by group", "weighed by group"]
    smallest: Count
