"""Two versions of a contract: what changed, clause by clause, in words; and what it is worth on the same years."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..clause import Clause
from ..contract import Contract
from ..goals import Goal
from ..paper.term_sheet import paragraph
from ..refusal import Refusal
from ..worded import Worded
from ..year import FACTS, Year

NOTHING = "not said"
STRUCK, ADDED, MOVED, KIND = "struck out", "added", "moved", "another mechanism"
PLAIN = {
    "title": "title",
    "summary": "summary",
    "first_year": "first year",
    "years": "years it runs",
    "year_starts": "month in which a year begins",
    "first_year_months": "months of the first year",
}
BESIDE = {"measurement": "how the year is measured", "provisions": "what else is agreed"}


class Change(NamedTuple):
    """One thing that is otherwise: where, which term, what it said and what it says, and what makes it of the first."""

    where: str
    what: str
    before: str
    after: str
    amendment: Mapping[str, Any] | None = None  # what `Contract.amend` takes; None, where no amendment of terms does it


def changes(before: Contract, after: Contract) -> list[Change]:
    """All that two versions say otherwise, in the order of the sheet. Clauses are the same where their names are.

    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("shared-savings"))
    >>> for change in changes(contract, contract.amend({"shared losses": {"cap": 0.03}}, years=2)):
    ...     print(*change[:4], sep=" | ")
    the agreement | years it runs | 3 | 2
    paragraph 4, “shared losses” | cap | 2% | 3%
    """
    return [
        *_plain(before, after),
        *_named("parties", before.parties, after.parties),
        *_named("scales", before.scales, after.scales),
        *_goals(before, after),
        *_clauses(before, after),
        *_beside(before, after),
        *_listed("what is not modelled", before.not_modelled, after.not_modelled),
    ]


def _plain(before: Contract, after: Contract) -> Iterator[Change]:
    for term, what in PLAIN.items():
        old, new = getattr(before, term), getattr(after, term)
        if old != new:
            yield Change("the agreement", what, _said(old), _said(new), {term: new})


def _named(term: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield Change(term, f"“{name}”", _said(old.get(name)), _said(new.get(name)))


def _goals(before: Contract, after: Contract) -> Iterator[Change]:
    old, new = ({goal.goal: goal for goal in each.goals} for each in (before, after))
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield Change("what both sides want", f"“{name}”", _goal(old.get(name)), _goal(new.get(name)))


def _goal(goal: Goal | None) -> str:
    terms = goal.model_dump(exclude={"goal"}) if goal else {}
    return "; ".join(f"{term.replace('_', ' ')}: {value}" for term, value in terms.items()) or NOTHING


def _clauses(before: Contract, after: Contract) -> Iterator[Change]:
    old, new = ({clause.name: clause for clause in each.clauses} for each in (before, after))
    for name, clause in old.items():
        if name not in new:
            yield Change(place(before, clause), STRUCK, paragraph(before, clause), NOTHING)
    kept = [name for name in old if name in new]
    order = [name for name in new if name in old]
    for clause in after.clauses:
        was = old.get(clause.name)
        if was is None:
            yield Change(place(after, clause), ADDED, NOTHING, paragraph(after, clause))
            continue
        if type(was) is not type(clause):
            yield Change(place(after, clause), KIND, paragraph(before, was), paragraph(after, clause))
            continue
        if kept.index(clause.name) != order.index(clause.name) and kept != order:
            numbers = [str(1 + list(each).index(clause.name)) for each in (old, new)]
            yield Change(place(after, clause), MOVED, f"paragraph {numbers[0]}", f"paragraph {numbers[1]}")
        for what, was_said, said, term, value in _terms(was, clause, before, after):
            yield Change(place(after, clause), what, was_said, said, {"clauses": {clause.name: {term: value}}})


def _beside(before: Contract, after: Contract) -> Iterator[Change]:
    for section, where in BESIDE.items():
        old, new = (dict(_parts(each, section)) for each in (before, after))
        for field in dict.fromkeys((*old, *new)):
            was, part = old.get(field), new.get(field)
            title = getattr(part or was, "title", "") or field.replace("_", " ")
            here = f"{where}, “{title}”"
            if was is None or part is None or type(was) is not type(part):
                if was != part:
                    what = ADDED if was is None else STRUCK if part is None else KIND
                    yield Change(here, what, was.say() if was else NOTHING, part.say() if part else NOTHING)
                continue
            for what, was_said, said, term, value in _terms(was, part, before, after):
                yield Change(here, what, was_said, said, {section: {field: {term: value}}})


def _parts(contract: Contract, section: str) -> Iterator[tuple[str, Worded]]:
    held = getattr(contract, section)
    for field in type(held).model_fields if held else ():
        part = getattr(held, field)
        if isinstance(part, Worded):
            yield field, part


def _terms(was: Worded, now: Worded, before: Contract, after: Contract) -> Iterator[tuple[str, str, str, str, Any]]:
    """Each term that differs: what it is called, both said, its name, and the value that an amendment gives it."""
    old, new = was.model_dump(), now.model_dump()
    for term in new:
        if old[term] != new[term]:
            said = [_term(part, term, contract) for part, contract in ((was, before), (now, after))]
            yield term.replace("_", " "), *said, term, new[term]


def _term(part: Worded, term: str, contract: Contract) -> str:
    value = getattr(part, term)
    if value is None or value in ([], {}, ""):
        return NOTHING
    if isinstance(part, Clause) and term in part.roles:
        return str(contract.parties.get(value, value))
    return part.say_term(term) if term in part.terms() or term == "due" else _said(value)


def _listed(where: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    yield from (Change(where, STRUCK, item, NOTHING) for item in old if item not in new)
    yield from (Change(where, ADDED, NOTHING, item) for item in new if item not in old)


def _said(value: Any) -> str:
    if value is None or value == {}:
        return NOTHING
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_said(each)}" for key, each in value.items())
    return "; ".join(map(_said, value)) if isinstance(value, list) else str(value)


def place(contract: Contract, clause: Clause) -> str:
    """Where a clause stands on the sheet."""
    return f"paragraph {1 + [each.name for each in contract.clauses].index(clause.name)}, “{clause.name}”"


# --- what it is worth -------------------------------------------------------------------------------------------------


class Worth(NamedTuple):
    """What two versions pay on the same years, by clause, and what each party nets under them."""

    clauses: Mapping[str, tuple[float, float]]
    parties: Mapping[str, tuple[float, float]]


def worth(before: Contract, after: Contract, years: Sequence[Year], of_after: Sequence[Year] | None = None) -> Worth:
    """Both versions settled on the same years: dollars by clause and by party, before and after.

    `of_after` are the same years by the numbers that the later version has for them, where they are others.
    """
    ledgers = [before.settle(years), after.settle(years if of_after is None else of_after)]
    names = dict.fromkeys(clause.name for each in (before, after) for clause in each.clauses)
    nets = [ledger.net() for ledger in ledgers]
    return Worth(
        {name: (ledgers[0].total(clause=name), ledgers[1].total(clause=name)) for name in names},
        {
            party: (nets[0].get(party, 0.0), nets[1].get(party, 0.0))
            for party in dict.fromkeys((*before.parties, *after.parties))
        },
    )


def alone(before: Contract, change: Change, years: Sequence[Year], party: str) -> float | None:
    """What a party gets more, or less, of this change alone; None, where it cannot stand alone."""
    if change.amendment is None:
        return None
    terms = dict(change.amendment)
    try:
        amended = before.amend(terms.pop("clauses", None), **terms)
        return worth(before, amended, years).parties[party][1] - worth(before, before, years).parties[party][0]
    except Refusal:
        return None


def same_years(before: Sequence[Year], after: Sequence[Year]) -> tuple[list[Year], list[Year]]:
    """The first years of both versions with the same facts, each by its own number: those that both run.

    Where both have a fact, the earlier version's stands.
    """
    pairs = list(zip(before, after, strict=False))
    return [_with(year, other) for year, other in pairs], [
        replace(_with(year, other), year=other.year) for year, other in pairs
    ]


def _with(year: Year, other: Year) -> Year:
    """A year with what another has and it lacks; where both have a fact, this one's stands."""
    filled: dict[str, Any] = {}
    for name in FACTS:
        mine, theirs = getattr(year, name), getattr(other, name)
        filled[name] = {**theirs, **mine} if isinstance(mine, Mapping) else theirs if mine is None else mine
    return replace(year, **filled)
