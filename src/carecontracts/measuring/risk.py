"""The benchmark follows the people's risk."""

from typing import Literal, Self

from pydantic import model_validator

from ..refusal import refuse, show
from ..units import Share
from ..worded import Name
from .part import Part


class Risk(Part):
    """The benchmark follows the people's risk: their average score over that of the people it was made from.

    ratio = average score of the year / weighted average score of the earlier years' people, within the limits

    A score is read from the year before the one that it explains, and weighted by member months.
    """

    title = "Risk adjustment"
    words = (
        "The benchmark is multiplied by the growth of the average risk score: {score}.",
        "The scores are those that the outcome table records as {outcome}.",
        "The score rises by {most_growth} at most.",
        "The score falls by {most_fall} at most.",
    )
    not_modelled = ("a correction for coding that has grown everywhere",)
    score: Literal["CMS-HCC V28", "CMS-HCC V24", "a given score"]
    outcome: Name | None = None
    most_growth: Share | None = None
    most_fall: Share | None = None

    @model_validator(mode="after")
    def _outcome_where_given(self) -> Self:
        if (self.score == "a given score") != (self.outcome is not None):
            refuse(
                f"score: {self.score}, outcome: {show(self.outcome)}",
                "an `outcome` with `score: a given score`, and only there",
                "add or take out `outcome:`",
            )
        return self
