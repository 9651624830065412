"""Which payment: what speaks for and against each form where somebody stands, and what would change the answer."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..contract import Contract
from ..evidence.library import faults_in, place_in
from ..files import parse_yaml, read_text, read_yaml
from ..gallery import gallery
from ..provisions.purpose import Business
from ..refusal import Fault, Refusal, many, refuse
from ..units import say_count
from ..worded import options_in

MOST_BYTES, MOST_PEOPLE = 100_000, 10_000_000
DOUBTED = 0.75  # of what a plain fee costs a payer for nothing: a form that costs as much does not answer doubt
SHORT = {  # of each answer, what it is about
    "line": "the members are",
    "people": "people are",
    "scope": "it is about",
    "beds": "the provider's beds have",
    "reserve_months": "reserves, in months of the team's cost, are",
    "data_days": "days until a stay is known are",
    "savings_year": "the first year of savings is",
    "term": "the years of the contract are",
    "maturity": "the program is",
    "doubt": "",
    "countable": "whether a result can be counted is",
    "billed": "whether most work has a billing code is",
    "capital": "whether somebody pays up front is",
}
Concern = Literal["scope", "cash", "loss", "luck", "beds", "doubt", "time", "work"]


class Situation(BaseModel):
    """Where two sides stand. What is not known is left out, and then asked for.

    >>> Situation(people=600, beds="most of their stays").unknown()[:2]
    ['line', 'scope']
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    line: Annotated[Business | None, Field(description="Whose members are they?")] = None
    people: Annotated[int | None, Field(ge=1, le=MOST_PEOPLE, description="How many people are on the list?")] = None
    scope: Annotated[
        Literal["identified people", "everyone the provider serves"] | None,
        Field(description="Is the contract about people on a list, or about everyone the provider serves?"),
    ] = None
    beds: Annotated[
        Literal["none of their stays", "some of their stays", "most of their stays"] | None,
        Field(description="How many of these people's hospital stays are in the provider's own beds?"),
    ] = None
    reserve_months: Annotated[
        float | None,
        Field(ge=0, le=120, description="How many months of its team's cost could the provider do without, or lose?"),
    ] = None
    data_days: Annotated[
        float | None, Field(ge=0, le=720, description="How many days until the provider learns of a hospital stay?")
    ] = None
    savings_year: Annotated[
        int | None, Field(ge=1, le=10, description="In which year of the contract are savings first expected?")
    ] = None
    term: Annotated[int | None, Field(ge=1, le=20, description="For how many years will the payer sign?")] = None
    maturity: Annotated[
        Literal["new", "proven elsewhere", "proven here"] | None, Field(description="How proven is the program?")
    ] = None
    doubt: Annotated[
        Literal["nobody doubts", "the payer doubts the program", "the provider doubts the data", "both doubt"] | None,
        Field(description="Who doubts whom?"),
    ] = None
    countable: Annotated[
        Literal["yes", "no"] | None, Field(description="Is there a result that somebody else can count and verify?")
    ] = None
    billed: Annotated[
        Literal["yes", "no"] | None, Field(description="Does most of the team's work have a billing code?")
    ] = None
    capital: Annotated[
        Literal["yes", "no"] | None, Field(description="Is there an investor or a foundation that would pay up front?")
    ] = None

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.savings_year and self.term and self.savings_year > self.term:
            refuse(
                f"savings in year {self.savings_year} of a contract of {self.term}",
                "savings within the contract",
                "sign for longer, or expect nothing of it",
            )
        return self

    @classmethod
    def load(cls, path: Traversable | Path | str) -> Self:
        """The answers in a YAML file; a `Refusal` lists all that is wrong with them."""
        data, lines = parse_yaml(read_text(path, MOST_BYTES), str(path))
        if data is not None and not isinstance(data, Mapping):
            raise Refusal([Fault(str(path), "no answers by name", "answers such as people: 600", "write them so")])
        try:
            return cls.model_validate({key: _answer(value) for key, value in (data or {}).items() if value is not None})
        except ValidationError as error:
            raise Refusal(faults_in(error, place_in(lines, str(path)), cls.model_fields)) from None

    def unknown(self) -> list[str]:
        """The answers that are left out."""
        return [name for name in type(self).model_fields if getattr(self, name) is None]


def _answer(value: Any) -> Any:
    """YAML reads yes and no as true and false."""
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


def questions() -> dict[str, tuple[str, tuple[Any, ...]]]:
    """What is asked, by name: the question, and the answers where they are given."""
    asked = {}
    for name, field in Situation.model_fields.items():
        options = next((get_args(each) for each in options_in(field.annotation) if "Literal" in str(each)[:20]), ())
        asked[name] = (field.description or "", options)
    return asked


# --- the rules, as data -----------------------------------------------------------------------------------------------


class Limit(BaseModel):
    """A number that is under, or from, so much."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    under: Annotated[float | None, Field(ge=0, le=MOST_PEOPLE)] = None
    least: Annotated[float | None, Field(ge=0, le=MOST_PEOPLE, alias="from")] = None

    def holds(self, value: float) -> bool:
        return (self.under is None or value < self.under) and (self.least is None or value >= self.least)


class Reason(BaseModel):
    """What speaks for a form, or against it: when, and because of what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    because: str
    when: dict[str, Limit | list[str]] = {}
    concern: Concern | None = None

    def holds(self, situation: Situation) -> bool | None:
        """Whether it applies; None, where an answer that decides it is not known."""
        known = [_meets(getattr(situation, name), wanted) for name, wanted in self.when.items()]
        return False if False in known else None if None in known else True


def _meets(value: Any, wanted: Limit | list[str]) -> bool | None:
    if value is None:
        return None
    return wanted.holds(value) if isinstance(wanted, Limit) else value in wanted


class Template(BaseModel):
    """A contract of the gallery to begin with, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    when: dict[str, list[str]] = {}


class Form(BaseModel):
    """A form of payment: what it is, who carries what, and what speaks for and against it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    carries: str
    contracts: list[Template]
    against: list[Reason] = []
    for_it: Annotated[list[Reason], Field(alias="for")] = []
    ask: list[str] = []
    compared: str | None = None  # the contract of the gallery on which its three numbers were measured
    months: Annotated[float | None, Field(ge=0, le=120)] = None
    idle: Annotated[float | None, Field(ge=0, le=10)] = None
    success_costs: bool | None = None

    def objections(self) -> Iterator[Reason]:
        """All that may speak against it: what was measured, and what is known of its kind."""
        if self.months:
            because = (
                f"until it is paid, the provider is out of pocket by {many(self.months, 'month')} of its team's cost"
            )
            yield Reason(concern="cash", when={"reserve_months": Limit(under=self.months)}, because=because)
        if self.idle is not None and self.idle >= DOUBTED:
            doubts: list[str] = ["the payer doubts the program", "both doubt"]
            because = "it is paid whether care works or not"
            yield Reason(concern="doubt", when={"doubt": doubts}, because=because)
        if self.success_costs:
            because = "a system with beds of its own has no more if its team works well, and often less"
            yield Reason(concern="beds", when={"beds": ["most of their stays"]}, because=because)
        yield from self.against

    def template(self, situation: Situation) -> str:
        """The contract to begin with."""
        fits = (t for t in self.contracts if all(getattr(situation, k) in v for k, v in t.when.items()))
        return next(fits).name

    def category(self, situation: Situation) -> str:
        """The highest HCP-LAN category of what its template pays."""
        contract = Contract.load(gallery(self.template(situation)))
        return max(code for clause in contract.clauses if (code := clause.categories()[0]))


class Step(BaseModel):
    """A step of the path: the form, how many months after the start it begins, and what must be true by then."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: str
    begins: Annotated[int, Field(ge=0, le=240)]
    tests: list[str]


class Rules(BaseModel):
    """All of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: dict[Concern, str]
    forms: dict[str, Form]
    path: list[Step]
    of_line: dict[Business, list[str]]


@cache
def rules() -> Rules:
    """The rules that come with the package."""
    data, _ = read_yaml(files("carecontracts.review").joinpath("forms.yaml"))
    data["forms"] = {name: _strings(form) for name, form in data["forms"].items()}
    return Rules.model_validate(data)


def _strings(value: Any) -> Any:
    """Answers of yes and no, as they are written."""
    if isinstance(value, Mapping):
        return {key: _strings(each) if key != "success_costs" else each for key, each in value.items()}
    return [_answer(_strings(each)) for each in value] if isinstance(value, list) else value


# --- the answer -------------------------------------------------------------------------------------------------------


class Ranked(NamedTuple):
    """A form in its place: what speaks against it here, what for it, and what might, once more is known."""

    key: str
    form: Form
    against: tuple[Reason, ...]
    in_favor: tuple[Reason, ...]
    open: tuple[Reason, ...]


def ranked(situation: Situation) -> list[Ranked]:
    """Every form, the best first: by the highest concern that speaks against it, then the next; then by what is for it.

    Where the provider's reserves are not known, a form that may need them comes after one that does not. Of two that
    are still alike, the one that pays less for nothing comes first.

    >>> best, *_ = ranked(Situation(people=600, beds="most of their stays", reserve_months=6, line="Medicaid",
    ...                             doubt="the provider doubts the data", savings_year=2, term=3))
    >>> best.key, best.form.template(Situation(beds="most of their stays"))
    ('pooled', 'medicaid-with-beds')
    """
    places = []
    for key, form in rules().forms.items():
        told = [(reason, reason.holds(situation)) for reason in form.objections()]
        against = tuple(reason for reason, holds in told if holds)
        in_favor = tuple(reason for reason in form.for_it if reason.holds(situation))
        places.append(Ranked(key, form, against, in_favor, tuple(reason for reason, holds in told if holds is None)))
    concerns = list(rules().order)

    def place(one: Ranked) -> tuple[Any, ...]:
        against = (sum(reason.concern == concern for reason in one.against) for concern in concerns)
        unknown = sum(reason.concern in ("cash", "loss") for reason in one.open)
        return (*against, unknown, -len(one.in_favor), 1.0 if one.form.idle is None else one.form.idle)

    return sorted(places, key=place)


class Turn(NamedTuple):
    """Another answer to one question, and the form that would then come first."""

    name: str
    answer: str
    first: str


def turns(situation: Situation) -> list[Turn]:
    """Each answer that would put another form first, one at a time: of numbers, the limit at which it turns."""
    first = ranked(situation)[0].key
    found = []
    for name in Situation.model_fields:
        for value, said in _others(name, getattr(situation, name)):
            try:
                other = Situation.model_validate(situation.model_dump() | {name: value})
            except ValidationError:
                continue
            if (now := ranked(other)[0].key) != first:
                found.append(Turn(name, said, rules().forms[now].title))
    return list({(turn.name, turn.first): turn for turn in reversed(found)}.values())[::-1]


def _others(name: str, given: Any) -> Iterator[tuple[Any, str]]:
    """Other answers to a question, the nearest first: each side of each limit that any rule has."""
    _, options = questions()[name]
    if options:
        yield from ((option, option) for option in options if option != given)
        return
    reasons = [r for form in rules().forms.values() for r in (*form.objections(), *form.for_it)]
    limits = {x for r in reasons if isinstance(w := r.when.get(name), Limit) for x in (w.under, w.least) if x}
    whole = Situation.model_fields[name].annotation != (float | None)
    near = sorted(limits, key=lambda x: abs(x - (given or 0)))
    for limit in near:
        value = int(limit) if whole else limit
        if given is None or given < limit:
            yield value, f"{say_count(limit)} or more"
        if given is None or given >= limit:
            below = max(1, value - 1) if whole else limit / 2
            yield below, f"under {say_count(limit)}"


class Dated(NamedTuple):
    """A step of the path with the day on which it begins, and what must be true by then."""

    begins: date
    title: str
    tests: list[str]


def path(situation: Situation, start: date) -> list[Dated]:
    """From the form that comes first to the one that carries most: the steps that are left, with their days."""
    first, steps = ranked(situation)[0], rules().path
    here = next((n for n, step in enumerate(steps) if step.step == first.key), 0)  # beside the path: then onto it
    dated = [Dated(start, first.form.title, steps[0].tests)]
    for step in steps[here + 1 :]:
        months = step.begins - steps[here].begins
        if situation.term and months >= 12 * situation.term:
            break
        month = start.month - 1 + months
        begins = date(start.year + month // 12, month % 12 + 1, 1)
        dated.append(Dated(begins, rules().forms[step.step].title, step.tests))
    return dated


def ask_first(situation: Situation) -> list[str]:
    """The questions to ask before anything else: of the line, of the form, and what is not known and would decide."""
    first = ranked(situation)[0]
    decide = {turn.name for turn in turns(situation)}
    unknown = [questions()[name][0] for name in situation.unknown() if name in decide]
    of_line = rules().of_line.get(situation.line, []) if situation.line else []
    return [*unknown, *first.form.ask, *of_line]


def as_markdown() -> str:
    """All of the rules on one page: the order, and of every form what speaks against it and for it, and when."""
    told = rules()
    lines = ["An objection outweighs all that come later in this order:", ""]
    lines += [f"{n}. {words[0].upper()}{words[1:]}." for n, words in enumerate(told.order.values(), 1)]
    for form in told.forms.values():
        lines += ["", f"### {form.title[0].upper()}{form.title[1:]}", "", f"The provider carries {form.carries}."]
        template = ", ".join(f"`{each.name}`{_when(each.when)}" for each in form.contracts)
        lines += [f"To begin with: {template}.", ""]
        lines += [f"- Against it{_when(each.when)}: {each.because}." for each in form.objections()]
        lines += [f"- For it{_when(each.when)}: {each.because}." for each in form.for_it]
    return "\n".join(lines) + "\n"


def _when(conditions: Mapping[str, Limit | list[str]]) -> str:
    """The conditions in words, to stand in a sentence."""
    said = [f"{SHORT[name]} {_said(wanted)}".strip() for name, wanted in conditions.items()]
    return f", if {' and '.join(said)}" if said else ""


def _said(wanted: Limit | list[str]) -> str:
    if isinstance(wanted, Limit):
        return (
            f"under {say_count(wanted.under)}"
            if wanted.under is not None
            else f"{say_count(wanted.least or 0)} or more"
        )
    return " or ".join(wanted)


def example() -> str:
    """An empty file of answers, each with its question and what may be answered."""
    lines = ["# Answer what you know, and leave the rest empty.", ""]
    for name, (question, options) in questions().items():
        lines += [f"# {question}" + (f" {' / '.join(options)}" if options else ""), f"{name}:"]
    return "\n".join(lines) + "\n"
