"""What else the clauses read: measures, months with something on record, and what happened how often."""

from ..units import Count, Lives, Share
from ..worded import Name
from .part import Part


class Measure(Part):
    """A measure of the year, by its specification."""

    title = "Measure"
    words = (
        "It is the measure {measure} of the people who count.",
        "It is used with: {settings}.",
        "It counts where its denominator is at least {least}.",
        "Below that it is taken to be {otherwise}.",
    )
    together = (("otherwise", "least"),)
    measure: Name
    settings: dict[Name, Count] = {}
    least: Lives | None = None
    otherwise: Share | None = None


class MonthsWith(Part):
    """Member months in which something is on record in the outcome table."""

    title = "Months"
    words = ("A member month in which the outcome table records {outcome} at least {least} times.",)
    outcome: Name
    least: Count = 1


class Recorded(Part):
    """How often something is on record in the outcome table for the people who count."""

    title = "Outcome"
    words = ("How many times the outcome table records {outcome} in the year for the people who count.",)
    outcome: Name
