"""Year: the measured facts that a settlement may read. Attribution, measures and benchmarks come before it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from .files import number_in, read_csv, read_yaml
from .refusal import Fault, Refusal, did_you_mean, many, show
from .units import Number, Unit, add_up, is_array, say_count, say_dollars, tidy

MOST_YEARS = 2_999
_dollars = Unit("dollars", "dollars, 0 or more", say_dollars)
_count = Unit("count", "a number, 0 or more", say_count)

# What a year may hold: a fact, its unit and what it is. A fact with named parts is written `member_months.complex`.
PLAIN_FACTS = {
    "lives": (_count, "people assigned to the contract"),
    "spend": (_dollars, "what their care cost in the year, as the contract defines spending"),
    "benchmark": (_dollars, "what their care was expected to cost"),
    "provider_revenue": (_dollars, "the provider's own revenue from the payer"),
}
NAMED_FACTS = {
    "benchmarks": (_dollars, "what the care of this fund was expected to cost"),
    "spends": (_dollars, "what the care of this fund cost"),
    "people": (_count, "people of this fund"),
    "member_months": (_count, "months of membership, by tier"),
    "engaged_months": (_count, "months in which the member was engaged, by tier"),
    "documented_months": (_count, "months with the core service on record, by tier"),
    "measures": (_count, "a measure's rate, as the contract defines it"),
    "denominators": (_count, "how many people or events a measure counts"),
    "outcomes": (_count, "how many times a priced outcome was verified"),
    "counts": (_count, "how many of a billable service were given"),
    "services": (_dollars, "dollars of a category of services"),
    "claims": (_dollars, "one member's claims in the year, for each member who cost much"),
    "conditions": (_count, "1 if it held, 0 if not"),
    "amounts": (_dollars, "another certified dollar amount"),
}
FACTS = PLAIN_FACTS | NAMED_FACTS
OF_FUNDS = {"benchmark": "benchmarks", "spend": "spends"}  # a fact of the whole year, and the same of each fund
PEOPLE_OF_FUNDS = {"lives": "people"}  # where a clause says that it means them


@dataclass(frozen=True, kw_only=True)
class Year:
    """One contract year's facts. Each number may be a numpy array of draws.

    >>> year = Year(year=2026, lives=1_000, member_months={"complex": 11_400}, benchmark=24e6, spend=22.5e6)
    >>> year.fact("member_months.complex"), year.fact("measures.quality")
    (11400, None)

    A number that cannot be is refused:

    >>> Year(year=2026, spend=-1)
    Traceback (most recent call last):
    ...
    carecontracts.refusal.Refusal: year 2026, spend
      given:   -1
      allowed: dollars, 0 or more
      do:      nothing here is negative: for money back, swap payer and payee
    """

    year: int
    lives: Number = None
    spend: Number = None
    benchmark: Number = None
    provider_revenue: Number = None
    benchmarks: Mapping[str, Number] = field(default_factory=dict)
    spends: Mapping[str, Number] = field(default_factory=dict)
    people: Mapping[str, Number] = field(default_factory=dict)
    member_months: Mapping[str, Number] = field(default_factory=dict)
    engaged_months: Mapping[str, Number] = field(default_factory=dict)
    documented_months: Mapping[str, Number] = field(default_factory=dict)
    measures: Mapping[str, Number] = field(default_factory=dict)
    denominators: Mapping[str, Number] = field(default_factory=dict)
    outcomes: Mapping[str, Number] = field(default_factory=dict)
    counts: Mapping[str, Number] = field(default_factory=dict)
    services: Mapping[str, Number] = field(default_factory=dict)
    claims: Mapping[str, Number] = field(default_factory=dict)
    conditions: Mapping[str, Number] = field(default_factory=dict)
    amounts: Mapping[str, Number] = field(default_factory=dict)
    where: str = field(default="", compare=False)  # the file and row that it came from

    def __post_init__(self) -> None:
        faults = list(_faults_in(self))
        if faults:
            raise Refusal(faults)

    @property
    def place(self) -> str:
        return self.where or f"year {self.year}"

    def fact(self, name: str) -> Number:
        """A fact by its name (`spend`, `measures.quality score`), or None where the year does not have it."""
        group, _, part = name.partition(".")
        value = getattr(self, group)
        if part or not isinstance(value, Mapping):
            return value.get(part) if part else value
        if "all" in value:  # everyone's, which the tiers beside it are part of
            return value["all"]
        return add_up(value.values()) if value else None

    def has(self, name: str) -> bool:
        """Whether the year holds a fact, without adding up its parts."""
        group, _, part = name.partition(".")
        value = getattr(self, group)
        return bool(value) and (not part or part in value) if isinstance(value, Mapping) else value is not None

    @property
    def whole_spend(self) -> Number:
        """What all care cost, or that of all funds; None where the year has neither."""
        return self.fact("spends") if self.spend is None else self.spend

    @property
    def whole_benchmark(self) -> Number:
        """What all care was expected to cost, or that of all funds; None where the year has neither."""
        return self.fact("benchmarks") if self.benchmark is None else self.benchmark

    def of(self, funds: Iterable[str], apart: Mapping[str, str] = OF_FUNDS) -> "Year":
        """The same year, with the benchmark and the spending of these funds alone, added together; and their people.

        >>> year = Year(year=1, benchmarks={"hospital": 600, "drugs": 100}, spends={"hospital": 540, "drugs": 125})
        >>> year.of(["drugs"]).spend, year.of(["hospital", "drugs"]).spend, year.whole_benchmark
        (125, 665, 700)
        """
        names = list(funds)
        added = {
            whole: add_up(getattr(self, of_fund)[name] for name in names)
            for whole, of_fund in apart.items()
            if all(name in getattr(self, of_fund) for name in names)
        }
        return replace(self, **added)

    def facts(self) -> dict[str, Number]:
        """Every fact that this year holds, by name."""
        held: dict[str, Number] = {}
        for name in FACTS:
            value = getattr(self, name)
            if isinstance(value, Mapping):
                held.update({f"{name}.{part}": number for part, number in value.items()})
            elif value is not None:
                held[name] = value
        return held


def _faults_in(year: Year) -> Iterator[Fault]:
    if isinstance(year.year, bool) or not isinstance(year.year, int) or not 1 <= year.year < 3000:
        yield Fault(
            f"{year.where}, year".lstrip(", "),
            show(year.year),
            "a whole number: 1 to 99, or a calendar year",
            "write, say, 2026",
        )
    for name, number in year.facts().items():
        unit = FACTS[name.partition(".")[0]][0]
        do = unit.fault(number)
        if not do and name.startswith("conditions.") and not _is_yes_or_no(number):
            yield Fault(f"{year.place}, {name}", show(number), "1 (it held) or 0 (it did not)", "write 1 or 0")
        elif do:
            yield Fault(f"{year.place}, {name}", show(number), unit.allowed, do)


def _is_yes_or_no(number: Number) -> bool:
    inside = (number == 0) | (number == 1)
    return bool(inside.all()) if is_array(number) else bool(inside)


def year_from(facts: Mapping[str, Any], where: str) -> Year:
    """A year from facts by name, as a row of a table holds them; refuses unknown names.

    >>> year_from({"year": 2026, "spend": 100.0, "measures.quality score": 0.9}, "years.csv, row 2").measures
    {'quality score': 0.9}
    """
    faults: list[Fault] = []
    plain: dict[str, Any] = {}
    named: dict[str, dict[str, Any]] = {}
    for name, value in facts.items():
        group, _, part = map(tidy, name.partition("."))
        if not name.isprintable():
            faults.append(Fault(f"{where}, {show(name)}", "a name that does not print", "plain words", "rename it"))
        elif group == "claims" and part in ("", "all"):
            given, allowed = "one number for all members", "a member's claims in each: claims.1, claims.2 and so on"
            do = "write each member's apart; one who cost little may be left out"
            faults.append(Fault(f"{where}, {name}", given, allowed, do))
        elif group in NAMED_FACTS and (part or group.endswith("_months")):
            value = int(value) if group == "conditions" and isinstance(value, bool) else value
            if (part or "all") in named.setdefault(group, {}):
                faults.append(Fault(f"{where}, {name}", f"{show(name)} again", "each fact once", "remove one"))
            named[group][part or "all"] = value
        elif name in PLAIN_FACTS or name == "year":
            plain[name] = value
        else:
            known = ["year", *PLAIN_FACTS, *(f"{group}.NAME" for group in NAMED_FACTS)]
            of_fund = f"for a fund write {show(f'{OF_FUNDS[group]}.{part}')}; else " if group in OF_FUNDS else ""
            do = (of_fund or did_you_mean(name, known)) + "rename or remove it"
            faults.append(Fault(f"{where}, {name}", f"the unknown fact {show(name)}", ", ".join(known), do))
    if "year" not in plain:
        faults.append(Fault(f"{where}, year", "nothing", "a year in each row", "add `year`"))
    try:
        year = Year(**{"year": 1, **plain, **named, "where": where})
    except Refusal as refusal:
        faults += refusal.faults
    if faults:
        raise Refusal(faults)
    return year


def columns_for(facts: Iterable[str]) -> list[str]:
    """The columns of a years file that hold these facts; members' claims have one for each, and so two to begin with.

    >>> columns_for(["member_months", "claims"])
    ['member_months', 'claims.1', 'claims.2']
    """
    return [column for fact in facts for column in (("claims.1", "claims.2") if fact == "claims" else (fact,))]


def read_years(path: Traversable | Path | str) -> list[Year]:
    """The years in a CSV file (a row each) or a YAML file (a list); a `Refusal` lists all that is wrong with them.

    A fact with parts is a column `member_months.complex`, or in YAML `member_months: {complex: 11400}`.
    An empty cell is a fact that the year does not have. Beside tiers, `member_months` alone is everyone's.
    """
    name = str(path)
    if name.lower().endswith((".yaml", ".yml")):
        data, lines = read_yaml(path)
        if not isinstance(data, list) or not data or not all(isinstance(item, dict) for item in data):
            raise Refusal(
                [Fault(name, show(data), "a list of years, each with its facts", "begin each with `- year: 2026`")]
            )
        rows = [(item, f"{name}, line {lines[index,]}") for index, item in enumerate(data)]
    else:
        _, cells = read_csv(path)
        rows = [({k: _in_cell(k, v) for k, v in row.items() if k and v}, f"{name}, row {row['']}") for row in cells]
    if len(rows) > MOST_YEARS:
        do = "check that it is the right file"
        raise Refusal([Fault(name, many(len(rows), "row"), f"a row for each year, at most {MOST_YEARS:,}", do)])
    years, faults = [], []
    for facts, where in rows:
        try:
            years.append(year_from(_flat(facts, where), where))
        except Refusal as refusal:
            faults += refusal.faults
    if faults:
        raise Refusal(faults)
    return years


def _in_cell(fact: str, text: str) -> Any:
    """A number, or what a spreadsheet writes for yes and no where the fact is a condition."""
    if fact.startswith("conditions.") and text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    return number_in(text)


def _flat(facts: Mapping[Any, Any], where: str) -> dict[str, Any]:
    """Facts by their whole names: `measures: {a: 1}` is `measures.a`."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        parts = {str(name): value}
        if isinstance(value, Mapping) and (value or name in NAMED_FACTS):  # an unknown fact is one without parts too
            parts = {f"{name}.{part}": v for part, v in value.items()}
        for twice in flat.keys() & parts:
            raise Refusal([Fault(f"{where}, {twice}", f"{show(twice)} again", "each fact once", "remove one")])
        flat |= parts
    return flat
