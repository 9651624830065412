"""What a page asks of the engine: JSON in, JSON out, with the standard library, pydantic and PyYAML alone.

A request names a verb and its arguments; an answer holds what was asked for, or every fault that stands in the way.
Nothing is computed here that the command line does not compute by the same code, so that both say the same to the cent.

A contract comes as the text of its file, and years as a table of cells, as in a spreadsheet.
"""

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from . import form
from .chance import assumed
from .chance.draws import joined
from .chance.plausible import expected_years, with_effect, without_effect
from .chance.simulate import Simulation, in_words, simulate
from .contract import Contract
from .edits import moved, put_in, set_to, written
from .files import parse_yaml
from .gallery import gallery
from .ledger import Ledger
from .paper import statement, workbook
from .paper.term_sheet import sections, term_sheet
from .parties import first_deal as first
from .parties import net as netting
from .parties.outside import CONTRACT, Case, Outside, with_care
from .parties.outside import settle as settle_all
from .refusal import Fault, Refusal, did_you_mean, in_dollars, listed, show
from .review import compare as comparing
from .review.draft import Draft
from .review.rules import findings
from .units import say_percent
from .year import FACTS, Year, columns_for, read_years

Answer = dict[str, Any]
Table = Mapping[str, Any]  # the columns by their names, and rows of cells
VERBS: dict[str, Callable[..., Any]] = {}
MOST_ALONE = 12  # changes that are settled one at a time
STEP = 500  # draws between two looks at whether to stop


def verb(function: Callable[..., Any]) -> Callable[..., Any]:
    VERBS[function.__name__] = function
    return function


def answer(request: str) -> str:
    """The answer to a request, both as JSON: `{"is": …}`, or `{"refused": […]}` with every fault.

    >>> json.loads(answer('{"ask": "words", "contract": "title: A fee"}'))["refused"][0]["do"]
    'add `summary:`'
    """
    try:
        asked = json.loads(request)
        name = asked.pop("ask")
        if name not in VERBS:
            raise Refusal([Fault("the page", show(name), listed(VERBS), did_you_mean(name, VERBS) + "ask for one")])
        return json.dumps({"is": VERBS[name](**asked)}, allow_nan=False)
    except Refusal as refusal:
        return json.dumps({"refused": [_told(fault) for fault in refusal.faults]})


def _told(fault: Fault) -> Answer:
    """A fault with its place apart: the line of the text, and the clause or part and the term that a form shows."""
    line = re.search(r"\bline (\d+)", fault.where)
    clause = re.search(r"clause '((?:[^'\\]|\\.)*)'|clause (\d+)", fault.where)
    part = re.search(r"(measurement|provision) '([^']*)'", fault.where)
    term = re.search(r"term `([^`]*)`", fault.where)
    return {
        **fault._asdict(),
        "said": str(fault),
        "line": int(line[1]) if line else None,
        "clause": (clause[1] or int(clause[2])) if clause else None,
        "part": part[2] if part else None,
        "term": term[1] if term else None,
    }


# --- opening and changing a contract ----------------------------------------------------------------------------------


@verb
def text_of(name: str) -> str:
    """The file of a contract in the gallery."""
    return gallery(name).read_text("utf-8")


@verb
def form_of(contract: str) -> Answer:
    """The contract as a form: its clauses and parts with every term, whether it is sound yet or not."""
    return form.form_of(contract)


@verb
def kinds() -> list[Answer]:
    """The mechanisms that a clause may be, with what each says."""
    return form.kinds()


@verb
def change(contract: str, place: Sequence[Any], value: Any, how: str = "yaml") -> str:
    """The text with one term changed, as a form gives it: see `form.value_of`."""
    return set_to(contract, place, form.value_of(value, how))


@verb
def add_clause(contract: str, kind: str, at: int) -> str:
    """The text with a new clause of this kind at a position; what it must have and nobody knows yet is left to say."""
    return put_in(contract, ["clauses", at], form.new_clause(contract, kind))


@verb
def remove(contract: str, place: Sequence[Any]) -> str:
    """The text without what is at a place."""
    return set_to(contract, place, None)


@verb
def move(contract: str, place: Sequence[Any], to: int) -> str:
    """The text with an item of a list at another position."""
    return moved(contract, place, to)


# --- looking at it ----------------------------------------------------------------------------------------------------


@verb
def words(contract: str) -> Answer:
    """The term sheet, section by section, and as Markdown."""
    agreed = Contract.parse(contract)
    told = [section._asdict() for section in sections(agreed)]
    return {"title": agreed.title, "summary": agreed.summary, "sections": told, "markdown": term_sheet(agreed)}


@verb
def years_for(contract: str, lives: int | None = None, cost: float | None = None, effect: float = 0.0) -> Answer:
    """Years with every fact that the contract reads, as expected of so many people who cost so much each."""
    agreed = Contract.parse(contract)
    people = {"lives": lives} if lives else {}
    return _as_table(agreed, expected_years(agreed, **people, cost=cost, effect=effect))


@verb
def years_from(contract: str, text: str, name: str = "pasted cells") -> Answer:
    """The years in a CSV file, in cells pasted from a spreadsheet, or in a YAML list."""
    return _as_table(Contract.parse(contract), read_years(_Given(text, name)))  # type: ignore[arg-type]


@verb
def settle(contract: str, years: Table) -> Answer:
    """The statement with its workings, totals, cash by month, and who pays whom how much."""
    agreed = Contract.parse(contract)
    facts = _years(years)
    return _settled(agreed, agreed.settle(facts), facts)


@verb
def compare(before: str, after: str, years: Table | None = None) -> Answer:
    """What two versions say otherwise, what each change alone is worth to the payer, and all of it to each party."""
    old, new = Contract.parse(before), Contract.parse(after)
    facts = _years(years) if years else []
    said = [
        {
            **change._asdict(),
            "amendment": None,
            "alone": comparing.alone(old, change, facts, old.payer) if facts and n < MOST_ALONE else None,
        }
        for n, change in enumerate(comparing.changes(old, new))
    ]
    parties = comparing.worth(old, new, facts).parties if facts else {}
    told = [
        {"party": party, "before": was, "after": now, "worth": round(now - was, 2)}
        for party, (was, now) in parties.items()
    ]
    return {"said": said, "payer": old.payer, "worth": told}


@verb
def nets(
    contract: str,
    years: Table | None = None,
    years_are: str = "without",
    costs: Mapping[str, float] | None = None,
    effects: Sequence[float] = netting.EFFECTS,
    luck: Mapping[str, Any] | None = None,
) -> Answer:
    """What each party nets if all goes as expected, for each effect: payments, care not bought, and teams."""
    agreed = Contract.parse(contract)
    taken = _taken(agreed, years, years_are, max(effects), luck)
    told = Outside(name="the page").with_teams(dict(costs or {})).beside(agreed)
    expected = with_care(taken.years, taken.lives * taken.cost)
    cases = []
    for effect in effects:
        case = settle_all(agreed, with_effect(agreed, expected, effect), told, effect)
        cases.append({"effect": effect, "case": _case(effect), "parties": list(_netted(case))})
    return {
        "cases": cases,
        "parties": agreed.parties,
        "care": told.care,
        "missing": told.missing(agreed),
        "assumed": [row._asdict() for row in taken.rows()],
    }


@verb
def found(
    contract: str,
    years: Table | None = None,
    years_are: str = "without",
    effect: float = 0.05,
    luck: Mapping[str, Any] | None = None,
) -> Answer:
    """The traps of a draft, each with its numbers and what to do; those with a mend can be mended."""
    agreed = Contract.parse(contract)
    told = [{**each._asdict(), "mend": bool(each.mend)} for each in _found(agreed, years, years_are, effect, luck)]
    return {"findings": told}


@verb
def mend(contract: str, which: int, **how: Any) -> str:
    """The text with the mend of one finding, by its number in `found`, which is asked again."""
    agreed = Contract.parse(contract)
    each = _found(agreed, **{"years": None, "years_are": "without", "effect": 0.05, "luck": None, **how})[which]
    for place, value in _places(agreed, each.mend):
        contract = set_to(contract, place, value)
    return contract


# --- chance, in steps -------------------------------------------------------------------------------------------------


class _Odds:
    """Draws of a contract, made a few at a time, for a program that does nothing and for one that works."""

    def __init__(self, agreed: Contract, taken: assumed.Taken, effect: float, draws: int, seed: int) -> None:
        self.agreed, self.taken, self.effect, self.wanted, self.seed = agreed, taken, effect, draws, seed
        self.effects = list(dict.fromkeys((0.0, effect)))
        self.rngs = [Random(seed) for _ in self.effects]
        self.parts: list[list[Simulation]] = [[] for _ in self.effects]

    @property
    def drawn(self) -> int:
        return sum(part.draws for part in self.parts[0])

    def step(self) -> None:
        draws = min(STEP, self.wanted - self.drawn)
        for effect, rng, parts in zip(self.effects, self.rngs, self.parts, strict=True):
            one = simulate(
                self.agreed, self.taken.years, rng=rng, draws=max(2, draws), effect=effect, luck=self.taken.luck
            )
            parts.append(one)

    def told(self) -> Answer:
        whole = [_pooled(parts) for parts in self.parts]
        return {
            "drawn": self.drawn,
            "wanted": self.wanted,
            "seed": self.seed,
            "words": in_words(whole[0], whole[-1], self.effect),
            "cases": [
                {"effect": effect, "case": _case(effect), "parties": list(_by_chance(self.agreed, parts))}
                for effect, parts in zip(self.effects, self.parts, strict=True)
            ],
            "assumed": [row._asdict() for row in self.taken.rows()],
        }


_drawing: dict[str, _Odds] = {}


@verb
def odds(
    contract: str,
    years: Table | None = None,
    years_are: str = "without",
    effect: float = 0.05,
    draws: int = 2_000,
    seed: int = 1,
    luck: Mapping[str, Any] | None = None,
) -> Answer:
    """The first draws of a contract's odds; `more_odds` draws on until there are as many as were wanted."""
    if not 2 <= draws <= 20_000:
        raise Refusal([Fault("draws", show(draws), "2 to 20,000 in a page", "give a number in between")])
    agreed = Contract.parse(contract)
    _drawing["now"] = _Odds(agreed, _taken(agreed, years, years_are, effect, luck), effect, draws, seed)
    return _drawn_on()


@verb
def more_odds() -> Answer:
    """The next draws of the odds last asked for, with what all so far say."""
    return _drawn_on()


def _drawn_on() -> Answer:
    if "now" not in _drawing:
        raise Refusal([Fault("odds", "nothing drawn yet", "odds that have begun", "ask for `odds` first")])
    now = _drawing["now"]
    if now.drawn < now.wanted:
        now.step()
    return now.told()


def _pooled(parts: Sequence[Simulation]) -> Simulation:
    """Several simulations of one contract as one, with all their draws."""
    first = parts[0]
    lines = [
        line._replace(amount=joined(part.chance.full(part.ledger[n].amount) for part in parts))
        for n, line in enumerate(first.ledger)
    ]
    return Simulation(first.contract, first.years, Ledger(lines), sum(p.draws for p in parts), by=first.chance)


def _by_chance(agreed: Contract, parts: Sequence[Simulation]) -> Iterator[Answer]:
    for party in agreed.parties:
        net = joined(part.net(party) for part in parts)
        low = joined(part.worst_cash(party) for part in parts)
        yield {
            "party": party,
            "mean": net.mean(),
            "low": net.quantile(0.05),
            "median": net.quantile(0.5),
            "high": net.quantile(0.95),
            "loses": (net < -0.005).mean(),
            "lowest_cash": low.quantile(0.05),
        }


@verb
def first_deal(**given: Any) -> Answer:
    """What a fee and a share of savings ask of each side, from a few numbers, with the contract that they make."""
    made = first.first_deal(**given)
    effect = float(given.get("effect", first.NUMBERS["effect"][1]))
    parties = made.contract.parties
    return {
        "lines": first.lines(made, effect),
        "heads": ["Over three years", *(f"if {_case(case.effect)}" for case in made.cases)],
        "rows": [
            [f"{name} nets", *(in_dollars(case.nets[party], ",.0f") for case in made.cases)]
            for party, name in parties.items()
        ],
        "contract": made.contract.as_yaml(),
    }


# --- taking it away ---------------------------------------------------------------------------------------------------


@verb
def file_of(contract: str, years: Table, kind: str) -> Answer:
    """The statement, or everyone's cash by month, as a file: `statement.csv`, `cash.csv` or `statement.xlsx`."""
    agreed = Contract.parse(contract)
    ledger = agreed.settle(_years(years))
    if kind == "statement.csv":
        text = statement.lines_csv(agreed, ledger).encode()
    elif kind == "cash.csv":
        text = statement.cash_csv(ledger).encode()
    elif kind == "statement.xlsx":
        text = workbook.settled(agreed, ledger)
    else:
        allowed = "statement.csv, cash.csv, statement.xlsx"
        raise Refusal([Fault("the file", show(kind), allowed, "ask for one of them")])
    return {"name": kind, "base64": base64.b64encode(text).decode()}


@verb
def years_file(years: Table) -> str:
    """The table of years as CSV."""
    return _as_text(years)


@verb
def without_notes(contract: str) -> str:
    """The contract's text for the other side: its terms alone, without our notes and comments."""
    Contract.parse(contract)
    data, _ = parse_yaml(contract, "contract")
    return written(_without_notes(data))


# --- helpers ----------------------------------------------------------------------------------------------------------


class _Given:
    """A text that a reader gave, where the package reads a file."""

    def __init__(self, text: str, name: str) -> None:
        self.raw, self.name = text.encode(), name

    def open(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self.raw)

    def __str__(self) -> str:
        return self.name


def _as_text(years: Table) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([years["columns"], *years["rows"]])
    return file.getvalue()


def _years(years: Table) -> list[Year]:
    """The years of a table of cells, read as a CSV file is."""
    if not years["rows"]:
        raise Refusal([Fault("your years", "no row", "a row for each year", "add a year")])
    return read_years(_Given(_as_text(years), "your years"))  # type: ignore[arg-type]


def _as_table(agreed: Contract, years: Sequence[Year]) -> Answer:
    """Years as a table: a column for each fact that they hold or the contract reads, with what it is."""
    read = agreed.facts()
    held = [name.removesuffix(".all") for year in years for name in year.facts()]
    wanted = [name for name in columns_for(read) if not any(other.startswith(f"{name}.") for other in held)]
    columns = ["year", *dict.fromkeys([*wanted, *held])]
    rows = [["" if (v := _cell(year, name)) is None else _plain(v) for name in columns] for year in years]
    about = []
    for name in columns:
        group, _, part = name.partition(".")
        unit, what = FACTS.get(group, (None, "the contract year"))
        readers = read.get(name) or read.get(group) or []
        about.append({"fact": name, "part": part, "what": what, "unit": unit.name if unit else "", "read_by": readers})
    return {"columns": columns, "rows": rows, "about": about}


def _cell(year: Year, name: str) -> Any:
    return year.year if name == "year" else year.fact(name) if year.has(name) else None


def _plain(number: Any) -> str:
    return f"{number:.10g}" if isinstance(number, float) and abs(number) < 1e10 else str(number)


def _settled(contract: Contract, ledger: Ledger, years: Sequence[Year]) -> Answer:
    pairs: dict[tuple[str, str], dict[str, float]] = {}
    for line in ledger:
        by_clause = pairs.setdefault((line.payer, line.payee), {})
        by_clause[line.clause] = by_clause.get(line.clause, 0.0) + line.amount
    return {
        "parties": contract.parties,
        "rows": [row._asdict() for row in statement.rows(contract, ledger)],
        "totals": [
            {**total._asdict(), "key": key}
            for key, total in zip(
                (party for party in ledger.net() if party in contract.parties),
                statement.totals(contract, ledger),
                strict=True,
            )
        ],
        "flows": [
            {
                "payer": payer,
                "payee": payee,
                "amount": round(sum(by_clause.values()), 2),
                "clauses": [{"clause": name, "amount": round(amount, 2)} for name, amount in by_clause.items()],
            }
            for (payer, payee), by_clause in pairs.items()
        ],
        "cash": [position._asdict() for position in ledger.cash_flow()],
        "unread": contract.unread(years),
    }


def _without_notes(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_notes(each) for key, each in value.items() if key != "note"}
    return [_without_notes(each) for each in value] if isinstance(value, list) else value


def _taken(
    agreed: Contract, years: Table | None, years_are: str, effect: float, luck: Mapping[str, Any] | None
) -> assumed.Taken:
    given = _years(years) if years else None
    if given and years_are == "with":
        given = without_effect(agreed, given, effect)
    return assumed.take(agreed, given, **dict(luck or {}))


def _found(
    agreed: Contract, years: Table | None, years_are: str, effect: float, luck: Mapping[str, Any] | None
) -> list[Any]:
    taken = _taken(agreed, years, years_are, effect, luck)
    line = (luck or {}).get("line") or "medicaid"
    return findings(Draft(agreed, taken.years, taken.luck, taken.cost, effect, line))


def _places(agreed: Contract, terms: Mapping[str, Any]) -> Iterator[tuple[list[Any], Any]]:
    """Where an amendment changes a contract's text, and to what."""
    names = [clause.name for clause in agreed.clauses]
    for name, changes in terms.get("clauses", {}).items():
        yield from ((["clauses", names.index(name), term], value) for term, value in changes.items())
    for name, value in terms.items():
        if name in ("measurement", "provisions"):
            before = agreed.model_dump(exclude_unset=True).get(name) or {}
            if not before:
                yield [name], value
                continue
            for part, changes in value.items():
                same = isinstance(before.get(part), dict) and changes.get("kind") in (None, before[part].get("kind"))
                if same:
                    yield from (([name, part, term], each) for term, each in changes.items())
                else:
                    yield [name, part], changes
        elif name != "clauses":
            yield [name], value


def _case(effect: float) -> str:
    return f"it takes {say_percent(effect)} off the cost of care" if effect else "the program does nothing"


def _netted(case: Case) -> Iterator[Answer]:
    sources = [CONTRACT, *dict.fromkeys(line.clause for line in case.beside)]
    for party in case.parties:
        of = {source: round(float(case.net(party, source=source)), 2) for source in sources}
        low = min((p for p in case.cash_flow() if p.party == party), key=lambda p: p.position, default=None)
        yield {
            "party": party,
            "nets": round(float(case.net(party)), 2),
            "sources": {source: amount for source, amount in of.items() if amount},
            "lowest_cash": min(float(low.position), 0.0) if low else 0.0,
            "in": low.month if low and low.position < 0 else "",
        }
