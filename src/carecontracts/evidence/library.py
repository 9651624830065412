"""The evidence library: programs and trials as data, those that changed nothing beside those that did.

`library.yaml` holds a row for each program or trial. A row says who was served, how it was studied, what it cost, how
it was paid and what changed, and each of those says where it was seen. Nothing is filled in that was not seen.

What care cost with the program left out (`total_cost`, gross) and with its own cost counted (`net_cost`) are two
outcomes: a prior pools one or the other, never both.

`Effect.relative` turns a row's effect on either into a share of usual cost with a standard error, so that a prior can
pool it. Where a source left out what that needs, one rule stands in for it, in both directions: the standard error of a
difference between two groups is at least the spread of one person's cost times sqrt(1/n + 1/m). Of a study that reports
only "no difference", no more is known than that its estimate was within chance of nothing at that standard error; one
that reports only dollars and a p-value enters at its z times it, or over the most that people are known to cost, where
the error of a large study is more than their spread can explain. None is dropped.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..files import Place, read_yaml
from ..refusal import Fault, Refusal, did_you_mean, in_dollars, in_words, refuse, show

Design = Literal[
    "randomized",
    "encouragement",
    "matched",
    "difference in differences",
    "panel",
    "comparison group",
    "time series",
    "historical control",
    "before and after",
    "review",
    "none",
]
Line = Literal["medicaid", "medicare", "dual", "commercial", "va", "mixed"]
Tag = Literal["seen", "reported", "derived", "not seen"]
Finding = Literal["better", "worse", "no difference", "not tested", "not seen"]
Unit = Literal[
    "percent",
    "percentage points",
    "percent chance",
    "ratio",
    "dollars",
    "dollars per person-year",
    "dollars per person-quarter",
    "dollars per person-month",
    "per person-year",
    "per 1,000",
    "days",
]
Interval = Literal["95%", "90%", "range", "sensitivity"]  # what `low` and `high` are the ends of
Cost = Literal["gross", "net"]  # of the program's own cost
OUTCOMES: Mapping[Cost, str] = {"gross": "total_cost", "net": "net_cost"}
Words = Annotated[str, Field(min_length=2)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z][\w-]*$")]

A_YEAR = {"dollars per person-quarter": 4.0, "dollars per person-month": 12.0}  # of what an amount is for
MOST_USUAL = 88_000.0  # dollars a person-year: those three years running in the dearest 5% (kff2019persistent)
SPREAD = 1.18  # one person's standard deviation of yearly cost over its mean, from CareMore's interval; see `spread`


class Relative(NamedTuple):
    """A reduction of cost as a share of usual cost: 0.10 is 10% less. An increase is negative."""

    reduction: float  # 0 where only "no difference" was printed
    se: float
    basis: str  # where the standard error comes from, in words
    within_chance: bool = False  # only "no difference" was printed: the estimate is within 1.96 standard errors of 0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        half = NormalDist().inv_cdf((1 + level) / 2) * self.se
        return self.reduction - half, self.reduction + half


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(_Row):
    """Something said in words, with where it was seen."""

    words: Words
    per_member_month: Annotated[float, Field(gt=0)] | None = None  # dollars
    tag: Tag
    by: Key | None = None  # who reports it

    @model_validator(mode="after")
    def _check(self) -> Self:
        _says_who(self.tag, self.by)
        return self


class Size(_Row):
    """How many people, in words; and in the two groups, where a comparison of means needs them."""

    words: Words
    treated: Annotated[int, Field(gt=0)] | None = None
    comparison: Annotated[int, Field(gt=0)] | None = None
    split: Literal[
        "seen", "not seen", "by the ratio of randomizing", "halves of the total", "comparison taken as equal"
    ]

    def root(self) -> float | None:
        """sqrt(1/treated + 1/comparison), by which a person's spread becomes that of a difference in means."""
        if self.treated is None or self.comparison is None:
            return None
        return math.sqrt(1 / self.treated + 1 / self.comparison)


class Effect(_Row):
    """What changed in one outcome. Negative estimates are less cost or less use; a ratio under 1 is less."""

    outcome: Key
    words: Words
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    interval: Interval = "95%"
    p: Annotated[float, Field(gt=0, lt=1)] | None = None
    p_below: Annotated[float, Field(gt=0, lt=1)] | None = None
    se: Annotated[float, Field(gt=0)] | None = None  # a standard error worked out, not printed, as the note says
    unit: Unit
    usual: Annotated[float, Field(gt=0)] | None = None  # the mean under usual care, in the same unit
    usual_by: Key | None = None
    finding: Finding
    months: Annotated[int, Field(gt=0)] | None = None  # how long people were followed
    tag: Tag
    by: Key | None = None
    pool: bool = False  # whether a prior may pool it
    note: Words | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _says_who(self.tag, self.by)
        if (self.low is None) != (self.high is None):
            refuse("one end of an interval", "both ends, low and high, or neither", "add the other end")
        if self.low is not None and self.high is not None:
            interval = f"{self.low} to {self.high}"
            if self.estimate is None or not self.low <= self.estimate <= self.high:
                given = f"{self.estimate} with {interval}"
                refuse(given, "an estimate inside its interval", "check the signs: less is negative")
            nothing = 1.0 if self.unit == "ratio" else 0.0
            confidence = self.interval in ("95%", "90%")
            if confidence and self.finding in ("better", "worse") and self.low < nothing < self.high:
                refuse(f"{self.finding}, with {interval}", "no difference", "correct the finding")
        if self.finding == "not seen" and self.estimate is not None:
            refuse("an estimate that was not seen", "no estimate", "remove it, or say where it was seen")
        if self.low is None and self.interval != "95%":
            refuse(f"interval: {self.interval} without its ends", "low and high with it", "add the ends")
        if self.se is not None and (self.estimate is None or self.note is None or self.low is not None or self.p):
            allowed = "se with an estimate, and a note on how it was worked out, where no interval or p was printed"
            refuse(f"se: {self.se}", allowed, "add what is missing, or leave se out")
        if self.pool and self.outcome not in OUTCOMES.values():
            allowed = "pool on total_cost or net_cost only"
            refuse(f"pool, on {self.outcome}", allowed, "pool the row's effect on what care cost")
        return self

    @property
    def interval_se(self) -> float | None:
        """The standard error behind an interval of confidence, or behind the p-value, or as it was worked out."""
        if self.low is not None and self.high is not None and self.interval in ("95%", "90%"):
            level = 0.95 if self.interval == "95%" else 0.90
            return (self.high - self.low) / (2 * NormalDist().inv_cdf((1 + level) / 2))
        if self.p is not None and self.estimate:
            return abs(self.estimate) / NormalDist().inv_cdf(1 - self.p / 2)
        return self.se

    def relative(self, size: Size, spread: float = SPREAD) -> Relative | None:
        """The reduction as a share of usual cost with its standard error, or None where it cannot be told.

        The standard error is the larger of the reported one and spread x sqrt(1/n + 1/m).
        """
        root = size.root()
        floor = spread * root if root is not None else 0.0
        usual = 100.0 if self.unit == "percent" else self.usual
        reported = self.interval_se
        if self.estimate is None:
            return Relative(0.0, floor, "no difference; spread and size", within_chance=True) if floor else None
        if usual is None:
            if reported is None or not floor:
                return None
            # What usual care would have to cost for the reported error to be no more than the spread of people's.
            implied = reported / floor * A_YEAR.get(self.unit, 1.0)
            if implied > MOST_USUAL:
                usual = MOST_USUAL / A_YEAR.get(self.unit, 1.0)
                basis = f"over {in_dollars(MOST_USUAL, ',.0f')}, the most that usual care is taken to cost"
                return Relative(-self.estimate / usual, reported / usual, basis)
            return Relative(-self.estimate / reported * floor, floor, "z x spread and size")
        if reported is None:
            return Relative(-self.estimate / usual, floor, "spread and size") if floor else None
        if reported / usual < floor * (1 - 1e-9):
            return Relative(-self.estimate / usual, floor, "spread and size, above what was printed")
        basis = "interval" if self.low is not None else "p-value" if self.p else "worked out"
        return Relative(-self.estimate / usual, reported / usual, basis)


class Program(_Row):
    """One program or trial."""

    key: Key
    name: Words
    short: Words | None = None  # for a picture
    model: Words
    population: Words
    line: Line
    high_need: bool  # picked for need or cost, rather than everyone a practice serves
    telephone: bool = False  # mostly by telephone, rather than in person
    setting: Words
    payer: Words
    design: Design
    size: Size
    dose: Words
    cost: Told
    payment: Told
    source: Key  # a key of the bibliography
    also: list[Key] = []
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    tag: Tag
    not_seen: Words
    not_pooled: Words | None = None  # why a prior cannot pool it
    effects: Annotated[list[Effect], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        pooled = [effect for effect in self.effects if effect.pool]
        if len({effect.outcome for effect in pooled}) < len(pooled):
            refuse(f"{len(pooled)} effects to pool", "one of total_cost and one of net_cost a row", "pool one of them")
        if any(effect.relative(self.size) is None for effect in pooled):
            given = "an effect that cannot be a share of usual cost"
            refuse(given, "an interval and the usual mean, or the sizes of both groups", "add them, or not_pooled")
        if bool(pooled) == bool(self.not_pooled):
            given = "both `pool` and `not_pooled`" if pooled else "neither `pool` nor `not_pooled`"
            refuse(given, "an effect with pool: true, or the reason in not_pooled", "write one of them")
        return self

    def pooled(self, cost: Cost | None = None) -> Effect | None:
        """The effect on what care cost that a prior may pool: gross, net, or the row's first of the two."""
        outcomes = list(OUTCOMES.values()) if cost is None else [OUTCOMES[cost]]
        return next((effect for effect in self.effects if effect.pool and effect.outcome in outcomes), None)

    @property
    def cost_effect(self) -> Effect | None:
        """What the row says of cost: the effect to pool, or its first on total or net cost."""
        costs = (effect for effect in self.effects if effect.outcome in OUTCOMES.values())
        return self.pooled() or next(costs, None)

    @property
    def finding(self) -> Finding:
        """What was found of cost; where nothing was said of it, that it was not seen."""
        return self.cost_effect.finding if self.cost_effect else "not seen"

    @property
    def months(self) -> int | None:
        """How long people were followed for the row's first effect that says so."""
        pooled = self.pooled()
        told = [pooled] if pooled else self.effects
        return next((effect.months for effect in told if effect and effect.months), None)

    def relative(self, spread: float = SPREAD, cost: Cost | None = None) -> Relative | None:
        """Its effect that a prior may pool, gross, net or the first of the two, as a share of usual cost."""
        pooled = self.pooled(cost)
        return pooled.relative(self.size, spread) if pooled else None

    def sources(self) -> list[str]:
        """Every key of the bibliography that the row rests on, its own first."""
        told = [self.cost.by, self.payment.by] + [by for e in self.effects for by in (e.by, e.usual_by)]
        return list(dict.fromkeys([self.source, *self.also, *(key for key in told if key)]))


class Library(tuple[Program, ...]):
    """The rows in order, by key, and filtered.

    >>> library = load()
    >>> library["caremore-memphis"].design
    'randomized'
    >>> len(library.where(design="randomized")) > 12
    True
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return super().__getitem__(key)
        for row in self:
            if row.key == key:
                return row
        known = [row.key for row in self]
        raise Refusal(
            [Fault("library", show(key), "a key of the library", did_you_mean(key, known) + "see library.yaml")]
        )

    def where(self, test: Callable[[Program], bool] | None = None, /, **fields: Any) -> "Library":
        """The rows whose fields are as given: `where(line="medicaid", design="randomized")`; a set means any of it."""
        faults = [
            Fault("filter", f"`{name}`", "one of " + ", ".join(Program.model_fields), "correct the name")
            for name in fields
            if name not in Program.model_fields and not hasattr(Program, name)
        ]
        if faults:
            raise Refusal(faults)
        wanted = {name: value if isinstance(value, set | frozenset) else {value} for name, value in fields.items()}
        return Library(
            row
            for row in self
            if all(getattr(row, name) in value for name, value in wanted.items()) and (test is None or test(row))
        )

    def poolable(self) -> "Library":
        """The rows that have an effect on what care cost to pool."""
        return Library(row for row in self if row.pooled())

    def sources(self) -> set[str]:
        return {key for row in self for key in row.sources()}


def spread() -> float:
    """One person's spread of yearly cost, from CareMore's interval: the value of `SPREAD`, derived.

    (14,914 - 550) / 3.92 = $3,664; divided by sqrt(1/71 + 1/127), and by the usual mean of $20,897.

    >>> round(spread(), 2)
    1.18
    """
    row = load()["caremore-memphis"]
    effect = row.pooled()
    return float(effect.interval_se / row.size.root() / effect.usual)


@cache
def load() -> Library:
    """The library that comes with the package."""
    return read(files("carecontracts.evidence") / "library.yaml")


def read(path: Traversable | Path | str) -> Library:
    """A library from a file of your own; a `Refusal` lists all that is wrong with it."""
    rows, lines = read_yaml(path)
    return Library(read_rows(rows, lines, str(path), Program))


def read_rows(rows: Any, lines: dict[Place, int], where: str, model: Any) -> list[Any]:
    """The rows of a YAML list as models, with every fault of every row at once."""
    if not isinstance(rows, list):
        raise Refusal([Fault(where, show(rows), "a list of rows, each beginning with `- key:`", "write it as a list")])
    found: list[Any] = []
    faults: list[Fault] = []
    fields = [*model.model_fields, *Effect.model_fields]
    for index, row in enumerate(rows):
        try:
            found.append(model.model_validate(row))
        except ValidationError as error:
            key = row.get("key") if isinstance(row, dict) else None
            place = place_in(lines, where, (index,), f", row '{key or index + 1}'")
            faults += faults_in(error, place, fields)
    faults += _repeated(rows, lines, where)
    if faults:
        raise Refusal(faults)
    return found


# --- refusing ---------------------------------------------------------------------------------------------------


def _says_who(tag: Tag, by: str | None) -> None:
    if (tag == "reported") != (by is not None):
        given = f"tag `{tag}` with{'' if by else 'out'} `by`"
        refuse(given, "`by` exactly where the tag is `reported`", "name who reports it, or change the tag")


def _repeated(rows: Iterable[Any], lines: dict[Place, int], where: str) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for index, row in enumerate(rows):
        key = row.get("key") if isinstance(row, dict) else None
        if isinstance(key, str):
            if key in seen:
                line = lines.get((index, "key"), 0)
                yield Fault(f"{where}, line {line}", f"the key '{key}' again", "each key once", "rename one of them")
            seen[key] = index


def faults_in(error: ValidationError, place: Callable[[Place], str], fields: Collection[str]) -> Iterator[Fault]:
    """What pydantic found wrong, in the reader's words; `place` says where in the file a part of the data stands."""
    for e in error.errors():
        yield from (fault._replace(where=place(tuple(e["loc"]))) for fault in in_words(e, fields))


def place_in(lines: dict[Place, int], where: str, start: Place = (), name: str = "") -> Callable[[Place], str]:
    """A function that says where a part of a file's data stands: the file, the line, the row, the field."""

    def place(loc: Place) -> str:
        line = next((lines[p] for n in range(len(loc), -1, -1) if (p := (*start, *loc[:n])) in lines), 1)
        return f"{where}, line {line}{name}" + (", `" + ".".join(map(str, loc)) + "`" if loc else "")

    return place
