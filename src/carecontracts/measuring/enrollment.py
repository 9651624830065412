"""How long a person must have been covered to count."""

from typing import Literal

from ..units import Months
from .part import Part


class Enrollment(Part):
    """How long a person must have been covered to count.

    Someone who dies is held to the months that they lived.
    """

    title = "Enrollment"
    words = (
        "A person counts who was enrolled for at least {least} months of the year.",
        "In the year before, they were enrolled for at least {least_before} months.",
        "No gap in the year is longer than {gap} months.",
        "People who die in the year are {deaths}.",
    )
    least: Months = 1
    least_before: Months | None = None
    gap: Months | None = None
    deaths: Literal["counted for the months that they lived", "left out"] = "counted for the months that they lived"
