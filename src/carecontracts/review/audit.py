"""Their statement against ours: the first line that differs, and which one change would explain all that differs.

Every cause that is tried is a change of one thing: a term, a choice, a reference, the order of two clauses, a fact, a
rounding, a slip of the pen. A term or a fact that could have any value is solved for on the first line that differs,
and taken at the roundest number that gives their amount. Whatever is tried is settled whole: a cause counts for the
lines that it explains, and against itself for those that it spoils.

Not modelled: two causes at once; a year of facts that is another's altogether.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple, get_args, get_origin

from ..clause import Clause
from ..contract import Contract
from ..refusal import Refusal, in_dollars
from ..scales import SlidingScale
from ..units import say_count, say_dollars
from ..year import Year
from .statement_of import Theirs

Kind = Literal["slip", "line", "term", "choice", "reference", "order", "fact", "rounding"]
Key = tuple[int, str]  # a year and a clause
Amounts = dict[Key, float]
NEAR = 0.011  # dollars: what rounding to cents may leave between the same amounts
# Where a number is tried, as a multiple of what it is; a share, from nothing to all.
GRID = (
    0, 0.01, 0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
    1.01, 1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2, 3, 5, 10, 12, 100,
)  # fmt: skip
SCALED = ((0.0, "nothing"), (1_000, "a thousand times"), (0.001, "a thousandth of"), (12, "twelve times"),
          (1 / 12, "a twelfth of"))  # fmt: skip
ROUNDED = ((0, "to whole numbers"), (-3, "to thousands"), (2, "to hundredths"), (3, "to thousandths"), (1, "to tenths"))
SHARES = tuple(n / 40 for n in range(41))


class Gap(NamedTuple):
    """A line on which the two statements differ; None where one of them has no such line."""

    year: int
    paragraph: int
    clause: str
    ours: float | None
    theirs: float | None

    @property
    def worth(self) -> float:
        return (self.theirs or 0.0) - (self.ours or 0.0)


class Cause(NamedTuple):
    """One change that would explain the difference."""

    kind: Kind
    words: str  # what they seem to have done
    explains: int  # of the lines that differ, how many it explains
    spoils: int  # of the lines that agree, how many would no longer
    doubt: float  # how far-fetched it is: less is likelier


class Audit(NamedTuple):
    """What came of it."""

    gaps: list[Gap]
    causes: list[Cause]  # the likeliest first
    whole_dollars: bool  # whether their statement is in whole dollars, and is compared so

    @property
    def agrees(self) -> bool:
        return not self.gaps


def audit(contract: Contract, years: Sequence[Year], statement: Sequence[Theirs], most: int = 5) -> Audit:
    """Compares a statement with the contract's own, and finds what one change would explain every line that differs.

    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("compared/shared-savings"))
    >>> years = [Year(year=1, lives=500, member_months={"all": 6_000}, benchmark=15e6, spend=12e6)]
    >>> theirs = [
    ...     Theirs(line.year, line.clause, line.amount, "")
    ...     for line in contract.amend({"shared savings": {"share": 0.4}}).settle(years)
    ... ]
    >>> audit(contract, years, theirs).causes[0].words
    'share of “shared savings”: 40% instead of 50%'
    """
    ours = _amounts(contract, years)
    theirs = {(line.year, line.clause): line.amount for line in statement}
    cents = any(abs(amount - round(amount)) > 1e-9 for amount in theirs.values())
    whole = not cents and any(abs(amount - round(amount)) > 1e-9 for amount in ours.values())
    near = 0.51 if whole else NEAR
    gaps = _gaps(contract, ours, theirs, near)
    if not gaps:
        return Audit([], [], whole)
    found = list(_slips(gaps, ours, near))
    tried = _Tried(contract, years, ours, theirs, gaps, near)
    found += tried.causes()
    unique: dict[str, Cause] = {}
    for cause in sorted(found, key=lambda each: each.doubt):
        unique.setdefault(cause.words, cause)
    return Audit(gaps, list(unique.values())[:most], whole)


def _amounts(contract: Contract, years: Sequence[Year]) -> Amounts:
    return {(line.year, line.clause): float(line.amount) for line in contract.settle(years, workings=False)}


def _gaps(contract: Contract, ours: Amounts, theirs: Amounts, near: float) -> list[Gap]:
    """In the order of the statement."""
    number = {clause.name: n for n, clause in enumerate(contract.clauses, 1)}
    keys = sorted({*ours, *theirs}, key=lambda key: (key[0], number.get(key[1], 0)))
    return [
        Gap(key[0], number[key[1]], key[1], ours.get(key), theirs.get(key))
        for key in keys
        if abs((theirs.get(key) or 0.0) - (ours.get(key) or 0.0)) > near
    ]


# --- slips of the pen: the line itself, and nothing under it ----------------------------------------------------------


def _slips(gaps: Sequence[Gap], ours: Amounts, near: float) -> Iterator[Cause]:
    if len(gaps) > 1 and not all(gap.theirs is None for gap in gaps):
        return
    if all(gap.theirs is None for gap in gaps):
        lines = ", ".join(f"“{gap.clause}” of {gap.year}" for gap in gaps)
        yield Cause("line", f"no line for {lines}", len(gaps), 0, 0.2)
        return
    (gap,) = gaps
    if gap.ours is None or gap.theirs is None:
        return
    us, them = gap.ours, gap.theirs
    at = f"“{gap.clause}” of {gap.year}"
    if abs(them + us) <= near:
        yield Cause("slip", f"{at} the other way round", 1, 0, 0.2)
    for times, said in ((2, "twice"), (0.5, "by half"), (0.1, "a tenth of it"), (10, "ten times")):
        if us and abs(them - us * times) <= near:
            yield Cause("slip", f"{at} counted {said}", 1, 0, 0.8)
    if _same_digits(us, them):
        yield Cause("slip", f"two digits of {at} changed about: {say_dollars(them)} for {say_dollars(us)}", 1, 0, 0.5)
    for (year, clause), amount in ours.items():
        if (year, clause) != (gap.year, gap.clause) and amount and abs(amount - them) <= near:
            yield Cause("slip", f"the amount of “{clause}” of {year} in the place of {at}", 1, 0, 0.9)


def _same_digits(a: float, b: float) -> bool:
    """Whether two amounts differ by two neighboring digits that changed places."""
    one, two = (f"{abs(x):.2f}" for x in (a, b))
    if len(one) != len(two):
        return False
    at = [n for n, (x, y) in enumerate(zip(one, two, strict=True)) if x != y]
    return len(at) == 2 and at[1] - at[0] in (1, 2) and one[at[0]] == two[at[1]] and one[at[1]] == two[at[0]]


# --- one change, settled whole ----------------------------------------------------------------------------------------


class _Tried:
    """What is tried against the two statements."""

    def __init__(
        self,
        contract: Contract,
        years: Sequence[Year],
        ours: Amounts,
        theirs: Amounts,
        gaps: Sequence[Gap],
        near: float,
    ) -> None:
        self.contract, self.years, self.ours, self.theirs = contract, list(years), ours, theirs
        self.gaps, self.near = gaps, near
        self.first = gaps[0]
        self.data = contract.model_dump(exclude_unset=True)
        self.until = [year for year in self.years if year.year <= self.first.year]

    def causes(self) -> Iterator[Cause]:
        last = self.first.paragraph
        for index, clause in enumerate(self.contract.clauses[:last]):
            yield from self._choices(index, clause)
            yield from self._references(index, clause)
            yield from self._terms(index, clause)
        yield from self._orders()
        yield from self._facts()
        yield from self._roundings()

    # the contract, changed

    def _with(self, index: int, changes: Mapping[str, Any]) -> Contract | None:
        clauses = [dict(clause) for clause in self.data["clauses"]]
        for term, value in changes.items():
            if value is None:
                clauses[index].pop(term, None)
            else:
                clauses[index][term] = value
        return self._made(clauses)

    def _made(self, clauses: Sequence[Mapping[str, Any]]) -> Contract | None:
        """The contract of these clauses, without what turns claims into years; None where it cannot be."""
        data = {k: v for k, v in self.data.items() if k not in ("measurement", "provisions", "goals")}
        try:
            return Contract.model_validate(data | {"clauses": [dict(clause) for clause in clauses]})
        except (Refusal, ValueError):
            return None

    def _judged(
        self, kind: Kind, words: str, doubt: float, contract: Contract | None, years: Sequence[Year] | None = None
    ) -> Iterator[Cause]:
        """The cause, where it explains the first line that differs."""
        if contract is None:
            return
        try:
            now = _amounts(contract, self.years if years is None else years)
        except (Refusal, ValueError, ArithmeticError):
            return
        right = [abs(now.get((g.year, g.clause), 0.0) - (g.theirs or 0.0)) <= self.near for g in self.gaps]
        if not right[0]:
            return
        differ = {(g.year, g.clause) for g in self.gaps}
        spoils = sum(
            abs(now.get(key, 0.0) - amount) > self.near for key, amount in self.theirs.items() if key not in differ
        )
        missed = len(right) - sum(right)
        yield Cause(kind, words, sum(right), spoils, doubt + 3 * (missed + spoils) / max(1, len(self.theirs)))

    def _choices(self, index: int, clause: Clause) -> Iterator[Cause]:
        """Another option of a term; a term left out; the number of another year's schedule."""
        given = self.data["clauses"][index]
        for term in clause.terms():
            field = type(clause).model_fields[term]
            said = term.replace("_", " ")
            for option in _options(field.annotation):
                if option != getattr(clause, term):
                    words = f"{said} of “{clause.name}”: “{option}” instead of “{getattr(clause, term)}”"
                    yield from self._judged("choice", words, 1.0, self._with(index, {term: option}))
            if term in given and not field.is_required():
                words = f"“{clause.name}” without its {said}"
                yield from self._judged("choice", words, 0.9, self._with(index, {term: None}))
        if len(self.contract.clauses) > 1:
            rest = [c for n, c in enumerate(self.data["clauses"]) if n != index]
            yield from self._judged("line", f"“{clause.name}” left out", 1.2, self._made(_without(rest, clause.name)))

    def _references(self, index: int, clause: Clause) -> Iterator[Cause]:
        """A clause that it looks back to and should not, or the other way round."""
        earlier = [each.name for each in self.contract.clauses[:index]]
        for term in clause.looks_back:
            named = getattr(clause, term)
            if not isinstance(named, list):
                continue
            for name in earlier:
                now = [each for each in named if each != name] if name in named else [*named, name]
                how = "without" if name in named else "with"
                words = f"“{clause.name}” {how} “{name}” in its {term.replace('_', ' ')}"
                yield from self._judged("reference", words, 0.8, self._with(index, {term: now}))

    def _orders(self) -> Iterator[Cause]:
        clauses = self.data["clauses"]
        for index in range(len(clauses) - 1):
            changed = [*clauses]
            changed[index], changed[index + 1] = changed[index + 1], changed[index]
            words = f"“{clauses[index + 1]['name']}” before “{clauses[index]['name']}”"
            yield from self._judged("order", words, 1.0, self._made(changed))

    def _terms(self, index: int, clause: Clause) -> Iterator[Cause]:
        """A number of the contract that is another one, solved for."""
        clauses = self.contract.clauses
        for term, unit in clause.terms().items():
            for path, number in _numbers(getattr(clause, term)) if unit else ():

                def changed(x: float, term: str = term, path: tuple[Any, ...] = path) -> Contract | None:
                    # A number in the place of another needs no check of the whole; whether it may be, its unit says.
                    now = clause.model_copy(update={term: _put(getattr(clause, term), path, x)})
                    return self.contract.model_copy(update={"clauses": [*clauses[:index], now, *clauses[index + 1 :]]})

                grid = SHARES if unit and unit.top == 1 and number <= 1 else [number * by for by in GRID]
                if not number and unit and unit.top != 1:
                    grid = [0.0, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6]
                for x in self._solved(changed, grid, number):
                    if unit and not unit.bottom <= x <= unit.top:
                        continue
                    say = unit.say if unit else say_count
                    of = "".join(f" at {key}" for key in path)
                    try:
                        words = f"{term.replace('_', ' ')}{of} of “{clause.name}”: {say(x)} instead of {say(number)}"
                    except (TypeError, ValueError):
                        words = f"{term.replace('_', ' ')}{of} of “{clause.name}”: {x:g} instead of {number:g}"
                    doubt = 0.6 + 0.5 * max(0, _digits(x) - max(2, _digits(number))) + _far(x, number)
                    yield from self._judged("term", words, doubt, changed(x))

    def _solved(
        self, changed: Callable[[float], Contract | None], grid: Sequence[float], today: float
    ) -> Iterator[float]:
        """The roundest numbers that give their amount on the first line that differs, the nearest to today's first."""
        target, key = self.first.theirs or 0.0, (self.first.year, self.first.clause)

        def gap(x: float) -> float | None:
            contract = changed(x)
            try:
                return None if contract is None else _amounts(contract, self.until).get(key, 0.0) - target
            except (Refusal, ValueError, ArithmeticError):
                return None

        yield from _roots(gap, sorted({*grid, today}), self.near, today)

    # --- facts ---

    def _facts(self) -> Iterator[Cause]:
        at = next((n for n, year in enumerate(self.years) if year.year == self.first.year), None)
        if at is None:
            return
        year = self.years[at]
        read = self._read_until_the_first()
        for name, number in year.facts().items():
            if not any(name == fact or name.startswith(f"{fact}.") for fact in read) or not isinstance(
                number, (int, float)
            ):
                continue
            yield from self._other_facts(at, name, float(number))

            def changed(x: float, name: str = name) -> list[Year] | None:
                return self._with_fact(at, name, x)

            for x in self._solved_fact(changed, [number * by for by in GRID] + [0.0, 1.0], float(number)):
                doubt = 1.4 + 0.25 * max(0, _digits(x) - max(2, _digits(number))) + _far(x, number)
                if _same_digits(x, number) or _one_digit(x, number):
                    doubt = 0.7
                words = f"{_called(name)} of {year.year}: {x:,.10g} instead of {number:,.10g}"
                yield from self._judged("fact", words, doubt, self.contract, changed(x))

    def _other_facts(self, at: int, name: str, number: float) -> Iterator[Cause]:
        """The same fact of another year, another fact of the year, or one that is scaled by a slip."""
        year = self.years[at]
        for other in self.years:
            value = other.fact(name)
            if other.year != year.year and isinstance(value, (int, float)) and value != number:
                words = f"{_called(name)} of {other.year} in {year.year}: {value:,.10g} instead of {number:,.10g}"
                yield from self._judged("fact", words, 0.7, self.contract, self._with_fact(at, name, float(value)))
        group = name.partition(".")[0]
        for second, value in year.facts().items():
            alike = second.partition(".")[0] == group or {name, second} == {"spend", "benchmark"}
            if second > name and alike and isinstance(value, (int, float)) and value != number:
                swapped = self._with_fact(at, name, float(value), second, number)
                words = f"{_called(name)} and {_called(second)} of {year.year} changed about"
                yield from self._judged("fact", words, 0.7, self.contract, swapped)
        for by, said in SCALED:
            words = f"{_called(name)} of {year.year}: {said} {'instead of ' if not by else ''}{number:,.10g}"
            yield from self._judged("fact", words, 0.9, self.contract, self._with_fact(at, name, number * by))

    def _read_until_the_first(self) -> set[str]:
        return {fact for clause in self.contract.clauses[: self.first.paragraph] for fact in clause.facts}

    def _with_fact(self, at: int, name: str, value: float, second: str = "", other: float = 0.0) -> list[Year] | None:
        changed = self.years[at]
        try:
            for fact, number in ((name, value), *([(second, other)] if second else [])):
                group, _, part = fact.partition(".")
                now: Any = {**getattr(changed, group), part: number} if part else number
                changed = replace(changed, **{group: now})
        except Refusal:
            return None
        return [*self.years[:at], changed, *self.years[at + 1 :]]

    def _solved_fact(
        self, changed: Callable[[float], list[Year] | None], grid: Sequence[float], today: float
    ) -> Iterator[float]:
        target, key = self.first.theirs or 0.0, (self.first.year, self.first.clause)

        def gap(x: float) -> float | None:
            years = changed(x)
            try:
                held = None if years is None else [year for year in years if year.year <= self.first.year]
                return None if held is None else _amounts(self.contract, held).get(key, 0.0) - target
            except (Refusal, ValueError, ArithmeticError):
                return None

        yield from _roots(gap, sorted({*grid, today}), self.near, today)

    def _roundings(self) -> Iterator[Cause]:
        """Facts rounded before the settlement: to the dollar, the thousand, the percent, the tenth of one."""
        for name in sorted({name for year in self.years for name in year.facts()}):
            for places, said in ROUNDED:
                years = self._rounded(name, places)
                if years is not None:
                    words = f"{_called(name)} rounded {said}"
                    yield from self._judged("rounding", words, 0.8, self.contract, years)

    def _rounded(self, name: str, places: int) -> list[Year] | None:
        years: list[Year] | None = self.years
        for at, year in enumerate(self.years):
            value = year.fact(name) if year.has(name) else None
            if years is not None and isinstance(value, (int, float)) and round(value, places) != value:
                held, self.years = self.years, years
                years = self._with_fact(at, name, float(round(value, places)))
                self.years = held
        return None if years is self.years else years


def _roots(gap: Callable[[float], float | None], grid: Sequence[float], near: float, today: float) -> Iterator[float]:
    """Where a gap closes, between the points of a grid; each at the roundest number that closes it."""
    known = [(x, found) for x in grid if (found := gap(x)) is not None]
    roots = [x for x, found in known if abs(found) <= near and x != today]
    for (a, at_a), (b, at_b) in pairwise(known):
        if (at_a > near) == (at_b > near) or abs(at_a) <= near or abs(at_b) <= near:
            continue
        for _ in range(60):
            middle = (a + b) / 2
            found = gap(middle)
            if found is None or abs(found) <= near / 20:
                break
            a, b = (middle, b) if (found > 0) == (at_a > 0) else (a, middle)
        roots.append((a + b) / 2)
    seen = set()
    for root in sorted(roots, key=lambda x: abs(x - today))[:3]:
        for digits in range(1, 13):
            x = float(f"{root:.{digits - 1}e}")
            found = gap(x)
            if found is not None and abs(found) <= near:
                if x not in seen and x != today:
                    seen.add(x)
                    yield x
                break


# --- helpers ----------------------------------------------------------------------------------------------------------


def _options(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [option for option in get_args(annotation) if isinstance(option, str)]
    return [option for inside in get_args(annotation) if not isinstance(inside, str) for option in _options(inside)]


def _numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], float]]:
    """Every number of a term and where it is: a tier, a year, a rung's share."""
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield path, float(value)
    elif isinstance(value, Mapping) and not isinstance(value, SlidingScale):
        for key, item in value.items():
            yield from _numbers(item, (*path, key))


def _put(value: Any, path: tuple[Any, ...], number: float) -> Any:
    if not path:
        return number
    return type(value)({key: _put(item, path[1:], number) if key == path[0] else item for key, item in value.items()})


def _without(clauses: Sequence[Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    """The clauses with no reference to one that is gone."""
    return [
        {
            term: [each for each in value if each != name] if isinstance(value, list) else value
            for term, value in clause.items()
        }
        for clause in clauses
    ]


def _digits(x: float) -> int:
    """Significant digits."""
    return len(f"{abs(x):.12g}".replace(".", "").strip("0").partition("e")[0]) or 1


def _far(x: float, today: float) -> float:
    if x <= 0 or today <= 0:
        return 0.5
    return 0.25 * abs(math.log(x / today))


def _one_digit(a: float, b: float) -> bool:
    """Whether two numbers differ in one digit."""
    one, two = (f"{x:.10g}" for x in (a, b))
    return len(one) == len(two) and sum(x != y for x, y in zip(one, two, strict=True)) == 1


def _called(name: str) -> str:
    group, _, part = name.partition(".")
    return f"{group.replace('_', ' ')} “{part}”" if part else group.replace("_", " ")


def letter(contract: Contract, found: Audit) -> str:
    """What to write to the other side."""
    gap = found.gaps[0]
    ours, theirs = (in_dollars(x or 0.0) for x in (gap.ours, gap.theirs))
    worth = in_dollars(abs(sum(each.worth for each in found.gaps)))
    lines = [
        f"{contract.title}: statement for {gap.year}",
        "",
        f"The first line on which your statement and ours differ is paragraph {gap.paragraph}, “{gap.clause}”: you have"
        f" {theirs}, and the contract on the agreed facts gives {ours}.",
        f"Lines that differ: {len(found.gaps)}; together {worth}.",
        "",
    ]
    if found.causes:
        lines += ["It would be explained by one of these, the likeliest first:", ""]
        lines += [f"{n}. {cause.words}" for n, cause in enumerate(found.causes, 1)]
        lines += ["", "Please tell us which it is, and send the facts of the year and the terms that you used."]
    else:
        lines += ["No single change explains it. Please send the facts of the year and the terms that you used."]
    lines += ["We propose to run the contract file together on the same facts.", ""]
    return "\n".join(lines)
