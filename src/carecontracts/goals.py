"""Goals: what both sides want of a contract, each bound to a measure, a source, a clock and a decision."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .worded import MeasureName, Text

MOST_GOALS = 5  # a sixth goal is usually a measure that somebody reports anyway


class Goal(BaseModel):
    """One thing that both sides want, and how both will know.

    >>> goal = Goal(
    ...     goal="people have a named helper", measure="contact within 14 days", better="higher",
    ...     reported_by="the provider, monthly", read_after_months=3, decides="whether outreach is staffed differently",
    ... )
    >>> goal.clock
    'leading'
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    goal: Text
    measure: MeasureName  # the name by which a clause pays for it, where one does
    better: Literal["higher", "lower"]
    reported_by: Text
    read_after_months: Annotated[int, Field(ge=1, le=120)]
    decides: Text  # what is done with the result; a goal that decides nothing is left out

    @property
    def clock(self) -> str:
        """Whether it is read within half a year, while it can still change the year's work, or later."""
        return "leading" if self.read_after_months <= 6 else "lagging"


Goals = Annotated[list[Goal], Field(max_length=MOST_GOALS)]
