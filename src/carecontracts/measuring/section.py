"""Measurement: the terms by which a contract turns people into the facts of a year.

A contract file may have a section `measurement:`. Each part of it is one choice, said in words on the term sheet, with
the basis of its numbers. `measured` asks each part in turn and makes the years; `settle` never sees it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Self, get_args

from pydantic import BaseModel, ConfigDict, model_validator

from ..refusal import refuse
from ..worded import EachOnce, MeasureName, Name
from .attribution import AnyAttribution
from .benchmark import AnyBenchmark, OwnHistory
from .enrollment import Enrollment
from .fees import Fees
from .part import Part
from .population import Population, Tier
from .recorded import Measure, MonthsWith, Recorded
from .risk import Risk
from .run_out import RunOut
from .spending import Service, Spending

if TYPE_CHECKING:
    from .books import Books


class Measurement(BaseModel):
    """How the facts of a year are made from claims: who counts, which dollars, what was expected.

    >>> measurement = Measurement.model_validate({
    ...     "attribution": {"kind": "everyone"},
    ...     "benchmark": {"kind": "fixed", "per_member_per_month": 640},
    ... })
    >>> [(title, part.say()) for title, part in measurement.parts()][1]
    ('Attribution', "Everyone enrolled with the payer is the provider's.")
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    population: Population = Population()
    attribution: AnyAttribution
    enrollment: Enrollment = Enrollment()
    spending: Spending = Spending()
    run_out: RunOut = RunOut()
    fees: Fees | None = None
    benchmark: AnyBenchmark | None = None
    risk: Risk | None = None
    tiers: Annotated[dict[Name, Tier], EachOnce] = {}
    engaged_months: MonthsWith | None = None
    documented_months: MonthsWith | None = None
    measures: Annotated[dict[MeasureName, Measure], EachOnce] = {}
    outcomes: Annotated[dict[Name, Recorded], EachOnce] = {}

    @model_validator(mode="after")
    def _risk_has_two_sides(self) -> Self:
        if self.risk and not isinstance(self.benchmark, OwnHistory):
            given = f"`risk` with {f'a benchmark of kind {self.benchmark.kind}' if self.benchmark else 'no benchmark'}"
            refuse(given, "a benchmark made from earlier years: own_history, regional_blend", "take out `risk:`")
        return self

    @model_validator(mode="after")
    def _paid_in_the_year(self) -> Self:
        if self.spending.day == "payment" and (self.run_out.months or self.run_out.completion != "none"):
            given = "`run_out` with `spending: {day: payment}`"
            refuse(given, "no run-out: what is paid after the year is of the next one", "take out `run_out:`")
        return self

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Every part with its title, in the order of the term sheet."""
        for field in type(self).model_fields:
            value = getattr(self, field)
            if isinstance(value, Part):
                yield (field.replace("_", " ").capitalize() if isinstance(value, MonthsWith) else value.title), value
            elif value:
                yield from ((f"{part.title} “{name}”", part) for name, part in value.items())

    def years_of_people(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        """The years of claims that are read to find the people of a year, and to score them."""
        for part in (self.population, self.attribution, *([self.risk] if self.risk else [])):
            yield from part.years_read(books, year)

    def provides(self, fact: str) -> bool:
        """Whether the section says how a fact of the year is made.

        >>> Measurement.model_validate({"attribution": {"kind": "everyone"}}).provides("benchmark")
        False
        """
        group, _, name = fact.partition(".")
        if group in ("benchmark", "engaged_months", "documented_months"):
            return getattr(self, group) is not None and (not name or name in self.tiers)
        if group == "member_months":
            return not name or name in self.tiers
        if group in ("measures", "outcomes"):
            return name in getattr(self, group)
        if group == "denominators":
            return name in self.measures
        return fact in ("lives", "spend") or (group == "services" and name in get_args(Service))
