"""Measurement: the terms by which a contract turns people into the facts of a year.

A contract file may have a section `measurement:`. Each part of it is one choice, said in words on the term sheet, with
the basis of its numbers. `people.measure` reads the section and makes the years; `settle` never sees it.
"""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ..refusal import show
from ..units import Count, Dollars, Lives, Months, Schedule, Share, Years, reaches, say_count, say_percent
from ..worded import ClauseName, MeasureName, Name, Worded, fields_in

Service = Literal["inpatient", "emergency", "outpatient", "professional", "behavioral", "post_acute", "pharmacy"]


# A population definition by name, with its terms (`{cost: {dollars: 25000}}`), or joined by `all`, `any`, `not` and
# `both_years`. `people.definitions` knows the names and checks the terms.
Definition = Name | dict[str, Any]


def say_definition(made: Any) -> str:
    """A definition in words.

    >>> say_definition({"any": ["hospital_stays", {"cost": {"dollars": 25000}}]})
    'any of (hospital stays; cost with dollars 25,000)'
    """
    if isinstance(made, Mapping) and len(made) == 1:
        (name, inside), *_ = made.items()
        if isinstance(inside, list) and name in ("all", "any"):
            return f"{name} of ({'; '.join(map(say_definition, inside))})"
        if name in ("not", "both_years"):
            return f"{'not' if name == 'not' else 'this year and the year before:'} {say_definition(inside)}"
        if isinstance(inside, Mapping) and inside:
            terms = [f"{term} {say_count(v) if isinstance(v, (int, float)) else v}" for term, v in inside.items()]
            return f"{name} with {', '.join(terms)}".replace("_", " ")
        return str(name).replace("_", " ")
    return str(made).replace("_", " ")


class Part(Worded):
    """One choice in how a year is measured: its words, its terms, and what it does not model."""

    title: ClassVar[str]

    def at(self, year: int, first_year: int) -> Self:
        """The same part with every schedule turned into this year's number; before it begins, its first holds."""

        def now(value: Any) -> Any:
            if not isinstance(value, Schedule):
                return value
            count = year - first_year + 1 if value.counts_from_first_year() else year
            return value.at(max(count, min(value)))

        return self.model_copy(update={term: now(getattr(self, term)) for term in type(self).terms()})

    def say(self) -> str:
        """The part in words, plain text: every term that is set is said.

        >>> Spending(truncated_at=250_000).say()
        "Spending is the paid amount of each claim line. Of one person's spending in a year, $250,000 counts at most."
        """
        said = {term: self._say_term(term) for sentence in self.sentences() for term in fields_in(sentence)}
        return " ".join(sentence.format(**said) for sentence in self.sentences())

    def numbers(self) -> Iterator[tuple[str, str]]:
        """Each term that is a number, or several, with its value in words."""
        for term, unit in type(self).terms().items():
            value = getattr(self, term)
            if self._is_set(term) and (unit or (isinstance(value, (Mapping, list)) and _has_numbers(value))):
                yield term, self._say_term(term)

    def _is_set(self, term: str) -> bool:
        return super()._is_set(term) and getattr(self, term) != {}

    def _say_term(self, term: str) -> str:
        value, unit = getattr(self, term), type(self).terms().get(term)
        if unit and not isinstance(value, list) and (isinstance(value, Schedule) or not isinstance(value, dict)):
            return unit.say(value)
        plain = type(self).said_plainly(term)
        if term == "definition":
            return say_definition(value)
        if isinstance(value, Mapping):
            return ", ".join(f"{name} {say_count(number)}" for name, number in value.items())
        if isinstance(value, list):
            names = [_say_item(item, plain) for item in value]
            return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        return _say_item(value, plain)


def _has_numbers(value: Any) -> bool:
    if isinstance(value, (Mapping, list)):
        return any(map(_has_numbers, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _say_item(value: Any, plain: bool) -> str:
    if isinstance(value, (int, float)):
        return say_percent(value)
    return str(value).replace("_", " ") if plain else f"“{value}”"


def _refused(given: str, allowed: str, do: str) -> PydanticCustomError:
    return PydanticCustomError("measurement", "{do}", {"given": given, "allowed": allowed, "do": do})


# --- who counts -------------------------------------------------------------------------------------------------------


class Population(Part):
    """Who the contract is for: a definition by name, over what was known when the list was made."""

    title = "Population"
    words = (
        "The contract is for people who meet this definition, read from {known}: {definition}.",
        "It must hold in each of {years_running} such years in a row.",
        "The list is made {made}.",
        "People are {age_from} or older at the end of the year.",
        "People are {age_to} or younger at the end of the year.",
        "Left out are people with any of: {left_out}.",
    )
    not_modelled = (
        "lists made anew within a year",
        "claims of the year before that had not arrived when the list was made",
    )
    definition: Definition = "everyone"
    known: Literal["the year before", "the year itself"] = "the year before"
    years_running: Years | None = None
    made: Literal["anew for each year", "once, before the first year"] = "anew for each year"
    age_from: Years | None = None
    age_to: Years | None = None
    left_out: list[Literal["end-stage renal disease", "hospice", "both Medicare and Medicaid"]] = []


class Everyone(Part):
    """Everyone enrolled with the payer who is in the population."""

    title = "Attribution"
    words = ("Everyone enrolled with the payer is the provider's.",)
    kind: Literal["everyone"]


Timing = Literal["prospective", "retrospective", "prospective with true-up"]
TIMING = {
    "prospective": "what is known on the day before the year begins",
    "retrospective": "what is known on the last day of the year",
    "prospective with true-up": (
        "what is known on the day before the year begins, less those who by its last day are another's"
    ),
}


class Roster(Part):
    """A list that the payer (`assigned`) or the program (`roster`) keeps, with a first and a last day for each person.

    Prospective: on the list when the year begins. Retrospective: on it on any day of the year. With true-up: on it when
    the year begins, and not taken over by another organization during the year.
    """

    title = "Attribution"
    words = (
        "A person is the provider's who is on the list of {organization} that {kind} keeps.",
        "What decides is {timing}.",
    )
    not_modelled = ("challenges to single names on a list; a name stands or falls as the list says",)
    kind: Literal["assigned", "roster"]
    organization: Name
    timing: Timing = "prospective"

    def _say_term(self, term: str) -> str:
        if term == "kind":
            return "the payer" if self.kind == "assigned" else "the program"
        return TIMING[self.timing] if term == "timing" else super()._say_term(term)


class Plurality(Part):
    """The organization that gave a person most of their primary care.

    A person without a primary-care visit in the window is nobody's.
    """

    title = "Attribution"
    words = (
        "A person is the provider's whose primary care came more from it than from any other, counted by {counted_by}"
        " over {lookback} months.",
        "The provider is the billing numbers {billed_by}; every other billing number stands for itself.",
        "A tie goes to {tie}, and then to the lower number.",
        "What decides is {timing}.",
    )
    not_modelled = ("a choice of doctor by the person, and steps by specialty beyond the primary-care codes",)
    kind: Literal["plurality"]
    billed_by: Annotated[list[Name], Field(min_length=1)]
    counted_by: Literal["visits", "allowed charges"] = "visits"
    lookback: Months
    tie: Literal["the most recent visit", "the larger allowed charges"] = "the most recent visit"
    timing: Timing = "prospective"

    def _say_term(self, term: str) -> str:
        return TIMING[self.timing] if term == "timing" else super()._say_term(term)


class Geography(Part):
    """Everyone who lives in the areas named, by their address in the eligibility table when the year begins."""

    title = "Attribution"
    words = ("A person is the provider's who lives in one of these areas, by {by}: {areas}.",)
    not_modelled = ("moves within the year",)
    kind: Literal["geography"]
    by: Literal["zip_code", "fips_code", "state"] = "zip_code"
    areas: Annotated[list[Name], Field(min_length=1)]


AnyAttribution = Annotated[Everyone | Roster | Plurality | Geography, Field(discriminator="kind")]


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


# --- what counts as spending ----------------------------------------------------------------------------------------


class Spending(Part):
    """Which dollars count, and how much of one person's."""

    title = "Spending"
    words = (
        "Spending is the {cost} amount of each claim line.",
        "It counts these services alone: {only}.",
        "It leaves out these services: {without}.",
        "Of one person's spending in a year, {truncated_at} counts at most.",
        "Of one person's spending in a year, no more counts than the {truncated_at_percentile} point of all people"
        " enrolled with the payer.",
        "Of what lies above that, {above} counts.",
    )
    not_modelled = (
        "a limit that grows with months of enrollment, or a pooling charge for what lies above it",
        "standardized prices",
    )
    cost: Literal["paid", "allowed"] = "paid"
    only: list[Service] = []
    without: list[Service] = []
    truncated_at: Dollars | None = None
    truncated_at_percentile: Share | None = None
    above: Share | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        for first, second in (("only", "without"), ("truncated_at", "truncated_at_percentile")):
            if self._is_set(first) and self._is_set(second):
                raise _refused(f"`{first}` and `{second}`", "one of the two", "take one of them out")
        if self.above is not None and self.truncated_at is None and self.truncated_at_percentile is None:
            raise _refused("`above` without a limit", "a limit with it", "add `truncated_at:`, or take out `above`")
        return self

    def counts(self, service: str) -> bool:
        """Whether a service counts as spending."""
        return service in self.only if self.only else service not in self.without


class RunOut(Part):
    """How long claims may arrive, and what is added for those that have not.

    Chain ladder: for each month of service, the dollars paid by the closing date times the growth that older months
    showed from the same age on. Earlier years are closed and completed the same way.
    """

    title = "Run-out and completion"
    words = (
        "Claims count whose service was in the year and which were paid by {months} months after its end.",
        "Claims still to come: {completion}.",
        "The factor is {factor}.",
        "The triangle holds the {triangle} months of service before the closing date, of everyone enrolled.",
    )
    not_modelled = ("a completion factor of its own for each service; pharmacy and medical claims are one triangle",)
    months: Months = 0
    completion: Literal["none", "a given factor", "the chain ladder"] = "none"
    factor: Count | None = None
    triangle: Months | None = None

    @model_validator(mode="after")
    def _factor_where_given(self) -> Self:
        if (self.completion == "a given factor") != (self.factor is not None):
            raise _refused(
                f"completion: {self.completion}, factor: {show(self.factor)}",
                "a `factor` with `completion: a given factor`, and only there",
                "add or take out `factor:`",
            )
        for factor in self.factor.values() if isinstance(self.factor, Schedule) else [self.factor]:
            if factor is not None and not 1 <= factor <= 2:
                raise _refused(f"factor: {factor:g}", "1 to 2 (1.02 adds 2%)", "write what is added as 1.0 and more")
        if (self.triangle is not None) != (self.completion == "the chain ladder"):
            raise _refused(
                f"completion: {self.completion}, triangle: {show(self.triangle)}",
                "the months of a `triangle` with `completion: the chain ladder`, and only there",
                "add or take out `triangle:`",
            )
        return self


class Fees(Part):
    """What becomes of the program's own fees in total cost: inside it, outside it, or netted once at settlement.

    Inside: fee claims stay in spending, and fees of the clauses named, which are paid outside claims, are added to it.
    Outside: fee claims are taken out, and no clause nets the fees. Netted once: fee claims are taken out, and the
    clauses that share savings or losses net the fees themselves.
    """

    title = "Fees in total cost"
    words = (
        "The program's own fees are {treatment} total cost.",
        "Fee claims are claim lines with the codes {codes}.",
        "The fees are those of {clauses}.",
    )
    treatment: Literal["inside", "outside", "netted once from"]
    codes: list[Name] = []
    clauses: list[ClauseName] = []


# --- what was expected ------------------------------------------------------------------------------------------------


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
            raise _refused(
                f"score: {self.score}, outcome: {show(self.outcome)}",
                "an `outcome` with `score: a given score`, and only there",
                "add or take out `outcome:`",
            )
        return self


class Fixed(Part):
    """A price that was agreed: so much for each member month."""

    title = "Benchmark"
    words = ("The benchmark is {per_member_per_month} for each member month.",)
    kind: Literal["fixed"]
    per_member_per_month: Dollars


class OwnHistory(Part):
    """What earlier years cost, weighted and brought up to the year by the trend.

    Of the same people, each earlier year is what they cost then. Otherwise each earlier year has its own people, found
    by the same rules; a list made for their worst year then stands beside lists made for theirs.
    """

    title = "Benchmark"
    words: ClassVar[tuple[str, ...]] = (
        "The benchmark is what {people} cost for each member month in the years before the contract, weighted {weights}"
        " from the oldest to the last.",
        "Each is brought up to the year by a trend of {trend} a year.",
    )
    not_modelled = ("a benchmark made anew from the contract's own years",)
    kind: Literal["own_history"]
    weights: Annotated[list[Share], Field(min_length=1, max_length=5)]
    trend: Share
    people: Literal["the people found by the same rules", "the same people"] = "the people found by the same rules"

    @model_validator(mode="after")
    def _weights_of_one(self) -> Self:
        _check_weights(self.weights)
        return self


class RegionalBlend(OwnHistory):
    """Own history and a regional average, weighted."""

    words = (
        *OwnHistory.words,
        "That counts for {own}; the rest is the region's {regional_per_member_per_month} for each member month.",
    )
    kind: Literal["regional_blend"]  # type: ignore[assignment]
    own: Share
    regional_per_member_per_month: Dollars


class MatchedComparison(Part):
    """What alike people cost in the same year who are enrolled with the payer and not the provider's.

    People are alike who agree in everything named. Each group of them is weighted as the provider's people are. The
    provider's people with nobody alike take the average of all who could be compared.
    """

    title = "Benchmark"
    words = (
        "The benchmark is what people in the same population who are not the provider's cost in the same year for each"
        " member month, weighted to be alike in {alike_in}.",
        "Ages are in bands that begin at 0, 19, 35, 50, 65, 75 and 85, and costs in bands that begin at $0.01, $1,000,"
        " $5,000, $10,000, $25,000, $50,000 and $100,000.",
        "A group counts with at least {least} people to compare; the provider's people without one take the average.",
    )
    not_modelled = ("differences that claims do not show",)
    kind: Literal["matched_comparison"]
    alike_in: Annotated[
        list[Literal["age", "gender", "payer_type", "dual", "cost in the year before"]], Field(min_length=1)
    ]
    least: Lives = 1


class PersistenceCorrected(Part):
    """What the same people cost when they were found, less what would have gone away by itself.

    expected = cost for a member month in the year they were found x what remains x (1 + trend)

    Where what remains is not agreed, it is measured: the payer's people whom the same rules found a year earlier, and
    what they cost the year after as a share of the year in which they were found, without the trend.
    """

    title = "Benchmark"
    words = (
        "The benchmark is what the same people cost for each member month in the year in which they were found,"
        " times what remains without a program.",
        "What remains is {remains}.",
        "It is brought up to the year by a trend of {trend} a year.",
    )
    not_modelled = ("an effect of the program on the earlier people, where it had begun",)
    kind: Literal["persistence_corrected"]
    trend: Share
    remains: Share | None = None

    def sentences(self) -> list[str]:
        measured = (
            "What remains is measured: what the people whom the same rules found a year earlier, wherever they get"
            " their care, cost the year after, as a share of the year in which they were found, the trend taken out."
        )
        said = super().sentences()
        return said if self.remains is not None else [said[0], measured, *said[1:]]


AnyBenchmark = Annotated[
    Fixed | OwnHistory | RegionalBlend | MatchedComparison | PersistenceCorrected, Field(discriminator="kind")
]


def _check_weights(weights: list[Any]) -> None:
    if any(isinstance(weight, Mapping) for weight in weights) or not reaches(1e-9, abs(sum(weights) - 1)):
        allowed, do = "shares that add up to 1, the oldest year first: [0.1, 0.3, 0.6]", "make them add up to 1"
        raise _refused(show(weights), allowed, do)


# --- what else the clauses read -------------------------------------------------------------------------------------


class Tier(Part):
    """Members of one tier: those who meet its definition and no tier's before it."""

    title = "Tier"
    words = ("Of the people who count and are in no tier before it, those who meet this definition: {definition}.",)
    definition: Definition


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
    tiers: dict[Name, Tier] = {}
    engaged_months: MonthsWith | None = None
    documented_months: MonthsWith | None = None
    measures: dict[MeasureName, Measure] = {}
    outcomes: dict[Name, Recorded] = {}

    @model_validator(mode="after")
    def _risk_has_two_sides(self) -> Self:
        if self.risk and not isinstance(self.benchmark, OwnHistory):
            given = f"`risk` with {f'a benchmark of kind {self.benchmark.kind}' if self.benchmark else 'no benchmark'}"
            raise _refused(
                given, "a benchmark made from earlier years: own_history, regional_blend", "take out `risk:`"
            )
        return self

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Every part with its title, in the order of the term sheet."""
        for field in type(self).model_fields:
            value = getattr(self, field)
            if isinstance(value, Part):
                yield (field.replace("_", " ").capitalize() if isinstance(value, MonthsWith) else value.title), value
            elif value:
                yield from ((f"{part.title} “{name}”", part) for name, part in value.items())

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


def part_at(path: tuple[Any, ...], data: Any) -> tuple[type[Part] | None, tuple[Any, ...]]:
    """The kind of part that a place in the section belongs to, and how many keys lead to the part.

    >>> part_at(("attribution", "plurality", "lookback"), {"attribution": {"kind": "plurality"}})
    (<class 'carecontracts.measuring.section.Plurality'>, ('attribution',))
    """
    if not path or path[0] not in Measurement.model_fields:
        return None, ()
    annotation = Measurement.model_fields[path[0]].annotation
    here = path[:1]
    if get_origin(annotation) is dict:
        annotation, here = get_args(annotation)[1], path[:2]
    options = [option for option in _options(annotation) if isinstance(option, type) and issubclass(option, Part)]
    if len(options) > 1:
        given = data.get(path[0]) if isinstance(data, dict) else None
        kind = given.get("kind") if isinstance(given, dict) else None
        options = [option for option in options if kind in get_args(option.model_fields["kind"].annotation)]
    return (options[0] if options else None), here


def kinds_of(name: str) -> list[str]:
    """The kinds that a part may be.

    >>> kinds_of("attribution")
    ['everyone', 'assigned', 'roster', 'plurality', 'geography']
    """
    options = [option for option in _options(Measurement.model_fields[name].annotation) if hasattr(option, "terms")]
    return [kind for option in options for kind in get_args(option.model_fields["kind"].annotation)]


def _options(annotation: Any) -> Iterator[Any]:
    """Every alternative of an annotation."""
    if get_origin(annotation) in (Union, UnionType, Annotated):
        for option in get_args(annotation):
            yield from _options(option)
    else:
        yield annotation
