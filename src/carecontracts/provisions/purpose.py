from typing import Literal

from ..units import Count
from ..worded import Text
from .provision import Provision

Business = Literal["Medicaid", "Medicare Advantage", "Medicare", "dual eligible", "commercial", "self-insured"]


class Purpose(Provision):
    """What the agreement is for, whose members they are, and which other programs may serve them."""

    title = "Purpose and people"
    words = (
        "The agreement is about {line_of_business} members, {people} of them as expected in the first year.",
        "Its purpose: {purpose}.",
        "They are found by {identified_by}.",
        "A person on the list is served by {other_programs}.",
        "The list is made anew {refreshed}.",
    )
    spoken = {
        "other_programs": {
            "this program alone": "this program alone",
            "others too": "other programs too, and no service is paid for twice",
        }
    }
    favors = {
        "other_programs": {
            "this program alone": "the provider: nobody else claims its result; a member may lose a program that helps",
            "others too": "the member; a saving then has several parents",
        },
        "refreshed": {
            "never": "whoever chose the list: those who get better stay in it, and nobody new comes",
            "each month": "the provider's reach; the benchmark must follow the list",
        },
    }
    plainly = ("purpose", "identified_by")

    line_of_business: Business
    people: Count
    purpose: Text
    identified_by: Text
    other_programs: Literal["this program alone", "others too"]
    refreshed: Literal["never", "each year", "each quarter", "each month"]
