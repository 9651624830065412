"""Contract: clauses in order. Load it, amend it, settle it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from .clause import Clause
from .clauses import MECHANISMS, AnyClause
from .files import MOST_YAML_BYTES, Place, parse_yaml, read_text
from .goals import Goals
from .ledger import Ledger, Line
from .measuring.part import Part
from .measuring.section import Measurement, kinds_of, part_at
from .refusal import Fault, Refusal, did_you_mean, show
from .scales import LadderUnit, Scale, ScaledShare, SlidingScale
from .units import cents, is_year, tidy, unit_of
from .worded import Name, Party, Text, Worded
from .year import FACTS, Year


class Contract(BaseModel):
    """An agreement: who the parties are, when its years run, and its clauses in the order in which they settle.

    >>> from carecontracts import Contract, Year
    >>> contract = Contract.parse('''
    ... title: A fee for complex care
    ... summary: The plan pays a fee.
    ... parties: {plan: the plan, practice: the practice}
    ... first_year: 2026
    ... clauses:
    ...   - {name: fee, kind: care_management_fee, payer: plan, payee: practice, due: monthly, per_member_per_month: 85}
    ... ''')
    >>> year = Year(year=2026, member_months={"all": 12_000})
    >>> contract.settle([year]).net()
    {'plan': -1020000.0, 'practice': 1020000.0}
    >>> contract.amend({"fee": {"per_member_per_month": 90}}).settle([year]).total()
    1080000.0
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: Text
    summary: Text
    parties: Annotated[dict[Party, Text], Field(min_length=2)]
    first_year: Annotated[int, Field(ge=1, le=2999)]  # a calendar year; or 1, and years are counted
    years: Annotated[int, Field(ge=1, le=99)] | None = None  # how long it runs; without it, until it is ended
    year_starts: Annotated[int, Field(ge=1, le=12)] = 1  # the month in which a contract year begins
    scales: dict[Name, Scale] = {}  # sliding scales that several terms share, by name
    goals: Goals = []  # what both sides want of it
    clauses: Annotated[list[AnyClause], Field(min_length=1)]
    measurement: Measurement | None = None  # how the facts of a year are made from claims
    not_modelled: list[Text] = []

    @classmethod
    def load(cls, path: Traversable | Path | str) -> Self:
        """The contract in a YAML file; a `Refusal` lists all that is wrong with it."""
        return cls.parse(read_text(path, MOST_YAML_BYTES), str(path))

    @classmethod
    def parse(cls, text: str, where: str = "contract") -> Self:
        """The contract in a YAML text."""
        return cls._from(*parse_yaml(text, where), where)

    @classmethod
    def _from(cls, data: Any, lines: Mapping[Place, int], where: str) -> Self:
        place = _Places(data, lines, where)
        faults = list(_faults_between_clauses(data, place))
        try:
            contract = cls.model_validate(data, context={"scales": _scales(data)})
        except ValidationError as error:
            # pydantic tells of each alternative that a value failed; the reader needs one
            faults += {fault.where: fault for fault in (_fault(e, place) for e in error.errors())}.values()
        if faults:
            raise Refusal(sorted(faults, key=place.in_order))
        return contract

    def amend(self, clauses: Mapping[str, Mapping[str, Any]] | None = None, **terms: Any) -> Self:
        """The same contract with some terms changed: `amend({"shared savings": {"share": 0.4}}, years=5)`.

        Of the measurement, a part is changed by its terms: `amend(measurement={"spending": {"truncated_at": 1e5}})`.
        """
        data = self.model_dump()
        if data["measurement"] and terms.get("measurement"):
            terms["measurement"] = _amended(data["measurement"], terms["measurement"])
        data |= terms
        by_name = {clause["name"]: clause for clause in data["clauses"]}
        for name, changes in (clauses or {}).items():
            if name not in by_name:
                do = did_you_mean(name, by_name) + "name a clause of the contract"
                raise Refusal([Fault("amendment", f"the clause {show(name)}", ", ".join(by_name), do)])
            by_name[name].update(changes)
        return self._from(data, {}, "amended contract")

    def settle(self, years: Sequence[Year], so_far: Sequence[Line] = (), *, workings: bool = True) -> Ledger:
        """What everyone pays everyone: one line for each clause and year, in order.

        `so_far` is the ledger of earlier years, where they were settled before.
        Facts may be numpy arrays; then so are the amounts. A simulation that wants the payments alone says
        `workings=False`, and only what later years need is kept.
        """
        faults = list(self._faults_in(years, so_far))
        if faults:
            raise Refusal(faults)
        ledger = Ledger(so_far)
        for year in years:
            for clause in self.clauses:
                amount, how = clause.at(year, self.first_year).pay(year, ledger)
                if not workings:
                    how = {name: how[name] for name in clause.remembers if name in how}
                due = clause.months_due(year.year, self.year_starts)
                ledger.append(Line(year.year, clause.name, clause.payer, clause.payee, cents(amount), how, due))
        return ledger

    def facts(self) -> dict[str, list[str]]:
        """The facts that a year must have, and the clauses that read each."""
        read: dict[str, list[str]] = {}
        for clause in self.clauses:
            for name in clause.facts:
                read.setdefault(name, []).append(clause.name)
        return read

    def _faults_in(self, years: Sequence[Year], so_far: Sequence[Line]) -> Iterator[Fault]:
        last = max((line.year for line in so_far), default=self.first_year - 1)
        end = self.first_year + self.years - 1 if self.years else 2999
        for year in years:
            if not self.first_year <= year.year <= end:
                allowed = f"a year of the contract: {self.first_year} to {end if self.years else 'its end'}"
                yield Fault(f"{year.place}, year", str(year.year), allowed, "correct the year, or amend the contract")
            elif year.year <= last:
                do = "give each year once, the earliest first"
                yield Fault(f"{year.place}, year", str(year.year), f"a year after {last}", do)
            last = max(last, year.year)
            for clause in self.clauses:
                for name, unit in clause.facts.items():
                    allowed = f"{(unit or FACTS[name.partition('.')[0]][0]).allowed}: clause '{clause.name}' reads it"
                    if not year.has(name):
                        yield Fault(f"{year.place}, {name}", "nothing", allowed, f"add `{name}`")
                    elif unit and (do := unit.fault(value := year.fact(name))):
                        yield Fault(f"{year.place}, {name}", show(value), allowed, do)


def _amended(parts: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The parts with their terms changed; a part of another kind takes the place of the one before."""
    amended = dict(parts)
    for name, change in changes.items():
        before = parts.get(name)
        if isinstance(before, dict) and isinstance(change, Mapping):
            same = change.get("kind", before.get("kind")) == before.get("kind")
            change = {**before, **change} if same else change
        amended[name] = change
    return amended


# --- refusing a contract ----------------------------------------------------------------------------------------------


class _Places:
    """Where things stand in the file, told as a reader would look for them."""

    def __init__(self, data: Any, lines: Mapping[Place, int], where: str) -> None:
        self.data, self.lines, self.where = data, lines, where
        self.told: dict[str, int] = {}

    def in_order(self, fault: Fault) -> int:
        """By line of the file: the places are asked for in no order."""
        return self.told.get(fault.where, 0)

    def clause(self, index: int) -> Any:
        return self.data["clauses"][index]

    def __call__(self, path: Place) -> str:
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        parts = [self.where] + ([f"line {line}"] if line else [])
        if path[:1] == ("clauses",) and len(path) > 1:
            clause = self.clause(path[1])
            name = clause.get("name") if isinstance(clause, dict) else None
            parts.append(f"clause '{name}'" if isinstance(name, str) else f"clause {path[1] + 1}")
            path = path[2:]
        if path[:1] == ("measurement",) and len(path) > 1:
            _, part = part_at(path[1:], self.data["measurement"])
            parts.append("measurement '" + ", ".join(str(p) for p in part or path[1:2]) + "'")
            path = path[1 + len(part or path[1:2]) :]
        if path:
            parts.append("term `" + ".".join(str(p) for p in path) + "`")
        where = ", ".join(parts)
        self.told[where] = line or 0
        return where


def _mechanism(clause: Any) -> type[Clause] | None:
    kind = clause.get("kind") if isinstance(clause, dict) else None
    return MECHANISMS.get(kind) if isinstance(kind, str) else None


def _fault(error: Any, place: _Places) -> Fault:
    """A pydantic error in the reader's words."""
    loc, kind, given = error["loc"], error["type"], error["input"]
    model: Any = Contract
    depth = 1
    if loc[:1] == ("clauses",) and len(loc) > 1:
        clause = place.clause(loc[1])
        model, depth = _mechanism(clause) or Clause, 3
    elif loc[:1] == ("measurement",) and len(loc) > 1:
        part, here = part_at(loc[1:], place.data["measurement"])
        model, depth = part or Measurement, 2 + len(here)
        if part and "kind" in part.model_fields and len(loc) > 2:
            loc = (*loc[:2], *loc[3:])
    term = loc[depth - 1] if len(loc) >= depth else None
    where = place(tuple(part for part in loc if not (isinstance(part, str) and "[" in part)))
    known = sorted(model.model_fields, key="kind".__eq__)
    context = error.get("ctx", {})
    if isinstance(refusal := context.get("error"), Refusal):
        return refusal.faults[0]._replace(where=where)
    if "allowed" in context:
        return Fault(where, context["given"], context["allowed"], context["do"])
    if kind == "missing":
        unit = model.terms().get(term) if issubclass(model, Worded) else None
        return Fault(where, "nothing", unit.allowed if unit else f"`{term}:` is needed", f"add `{term}:`")
    if kind == "extra_forbidden":
        allowed = "one of the terms " + ", ".join(known)
        return Fault(where, f"the unknown term `{term}`", allowed, did_you_mean(term, known) + "rename or remove it")
    if kind.startswith("union_tag"):
        given = given.get("kind") if isinstance(given, dict) else given
        kinds = kinds_of(loc[1])
        do = did_you_mean(given, kinds) + f"write the kind of {loc[1]} as `kind:`"
        return Fault(where, f"kind: {show(given)}", "one of the kinds " + ", ".join(kinds), do)
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return Fault(where, show(given), "terms and their values (`term: value`)", "write one term to a line")
    allowed = {
        "string_type": "text (a number as text stands in quotes)",
        "list_type": "a list: [first, second]",
        "int_type": "a whole number",
        "too_short": "at least {min_length} of them",
        "too_long": "at most {max_length} of them",
        "literal_error": "{expected}",
        "greater_than_equal": "{ge} or more",
        "less_than_equal": "{le} or less",
        "string_too_long": "at most {max_length} characters",
    }.get(kind, error["msg"])
    words = re.findall(r"'([^']+)'", context.get("expected", ""))
    return Fault(where, show(given), allowed.format(**context), did_you_mean(given, words) + "correct it")


def _scales(data: Any) -> dict[str, SlidingScale]:
    """The contract's named scales, where they are sound; where not, validation says why."""
    scales = {}
    given = data.get("scales") if isinstance(data, dict) else None
    for name, points in given.items() if isinstance(given, dict) else ():
        with suppress(PydanticCustomError):
            scale = unit_of(ScaledShare).check(points, {})
            if isinstance(scale, SlidingScale) and isinstance(name, str):
                scale.name = tidy(name)
                scales[scale.name] = scale
    return scales


def _faults_between_clauses(data: Any, place: _Places) -> Iterator[Fault]:
    """What no clause sees alone: names given twice, unknown parties, references that do not look back, late schedules.

    Reads the raw data, so that these are told together with what is wrong inside the clauses.
    """
    if not isinstance(data, dict) or not isinstance(data.get("clauses"), list):
        return
    parties = [tidy(key) for key in data["parties"]] if isinstance(data.get("parties"), dict) else None
    for party in dict.fromkeys(key for key in parties or () if parties.count(key) > 1):  # type: ignore[union-attr]
        yield Fault(place(("parties",)), f"the party {show(party)} twice", "each party once", "rename one of them")
    seen: list[str] = []
    taken: list[tuple[Any, ...]] = []
    for index, clause in enumerate(data["clauses"]):
        if not isinstance(clause, dict):
            continue
        path, name, mechanism = ("clauses", index), tidy(clause.get("name")), _mechanism(clause)
        if name in seen:
            yield Fault(place((*path, "name")), f"the name {show(name)} again", "each name once", "rename one of them")
        payer, payee = tidy(clause.get("payer")), tidy(clause.get("payee"))
        for role, party in (("payer", payer), ("payee", payee)):
            if parties is not None and isinstance(party, str) and party not in parties:
                do = did_you_mean(party, map(str, parties)) + "name a party of the contract"
                yield Fault(place((*path, role)), show(party), "one of " + ", ".join(map(str, parties)), do)
        if isinstance(payer, str) and payer == payee:
            yield Fault(place((*path, "payee")), "the payer again", "another party", "name who is paid")
        if mechanism:
            yield from _faults_looking_back(clause, mechanism, path, place, seen, taken)
        for term, value in clause.items():
            unit = mechanism.terms().get(term) if mechanism else None
            years = _years_of_ladder(value) if isinstance(unit, LadderUnit) else value
            yield from _late_schedules(years, (*path, term), data.get("first_year"), place)
        basis = clause.get("basis")
        own = [term for term in mechanism.terms() if term in clause] if mechanism else []
        for term in basis if isinstance(basis, dict) and mechanism else ():
            if term not in own:
                allowed = "a term of this clause: " + ", ".join(own)
                yield Fault(place((*path, "basis", term)), f"a basis for `{term}`", allowed, "rename or remove it")
        if isinstance(name, str):
            seen.append(name)
    yield from _faults_in_measurement(data, place, seen)


def _faults_in_measurement(data: Mapping[str, Any], place: _Places, clauses: list[str]) -> Iterator[Fault]:
    """What no part of the measurement sees alone: fees that are counted twice or never, bases of nothing."""
    measured = data.get("measurement")
    if not isinstance(measured, dict):
        return
    fees = measured["fees"] if isinstance(measured.get("fees"), dict) else {}
    named = _names(fees.get("clauses"))
    for name in named:
        if name not in clauses:
            allowed = "a clause of the contract: " + ", ".join(clauses)
            do = did_you_mean(name, clauses) + "name the clause that pays the fee"
            yield Fault(place(("measurement", "fees", "clauses")), show(name), allowed, do)
    for index, clause in enumerate(data["clauses"]):
        mechanism = _mechanism(clause)
        if not mechanism or "net_of" not in mechanism.model_fields or "benchmark" not in mechanism.reads:
            continue
        netted, path = _names(clause.get("net_of")), ("clauses", index, "net_of")
        left, twice = [n for n in named if n not in netted], [n for n in named if n in netted]
        if fees.get("treatment") == "netted once from" and left:
            do = "name it under `net_of`, or say that fees are inside or outside total cost"
            yield Fault(place(path), f"no {', '.join(left)}", "the fees that are netted once from total cost", do)
        elif fees.get("treatment") in ("inside", "outside") and twice:
            allowed = f"no fee here: the measurement says that fees are {fees['treatment']} total cost"
            do = "take it out of `net_of`, or say `treatment: netted once from`"
            yield Fault(place(path), ", ".join(twice), allowed, do)
    for path, part, given in _parts_given(measured):
        basis = given.get("basis")
        own = [term for term in part.terms() if term in given]
        for term in basis if isinstance(basis, dict) else ():
            if term not in own:
                allowed = "a term of this part: " + ", ".join(own)
                yield Fault(place((*path, "basis", term)), f"a basis for `{term}`", allowed, "rename or remove it")
        for term, value in given.items():
            if part.terms().get(term):
                yield from _late_schedules(value, (*path, term), data.get("first_year"), place)


def _names(value: Any) -> list[str]:
    return [tidy(name) for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _parts_given(measured: Mapping[str, Any]) -> Iterator[tuple[Place, type[Part], Mapping[str, Any]]]:
    """Each part of a measurement as it was written, where it is and what kind it is."""
    for name, value in measured.items():
        entries: list[tuple[Place, Any]] = [((name,), value)]
        if isinstance(value, dict) and name in ("tiers", "measures", "outcomes"):
            entries = [((name, key), item) for key, item in value.items()]
        for path, given in entries:
            part, _ = part_at(path, measured)
            if part and isinstance(given, dict):
                yield ("measurement", *path), part, given


def _faults_looking_back(
    clause: Any, mechanism: type[Clause], path: Place, place: _Places, seen: list[str], taken: list[tuple[Any, ...]]
) -> Iterator[Fault]:
    """References to clauses that are not earlier, or that another clause of the kind has taken."""
    for term in mechanism.looks_back:
        for other in map(tidy, clause[term] if isinstance(clause.get(term), list) else ()):
            if other not in seen:
                allowed = "an earlier clause: " + (", ".join(seen) or "there is none before this one")
                do = did_you_mean(other, seen) + "clauses settle in written order and look only back"
                yield Fault(place((*path, term)), show(other), allowed, do)
            elif term in mechanism.once and (mechanism, term, other) in taken:
                allowed = f"each earlier clause in one {clause['kind']} only"
                yield Fault(place((*path, term)), f"{show(other)} again", allowed, "make one clause of the two")
            taken.append((mechanism, term, other))


def _years_of_ladder(value: Any) -> Any:
    """A schedule of ladders without its ladders, whose rungs are no years."""
    by_year = isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values())
    return dict.fromkeys(value) if by_year else None


def _late_schedules(value: Any, path: Place, first_year: Any, place: _Places) -> Iterator[Fault]:
    if not isinstance(value, Mapping) or not is_year(first_year):
        return
    if value and all(is_year(key) for key in value):
        begins, counted = min(value), max(value) < 100
        if (counted and begins != 1) or (not counted and begins > first_year):
            allowed = (
                "a value from year 1 on" if counted else f"a value from the contract's first year, {first_year}, on"
            )
            yield Fault(place(path), f"a schedule that begins in {begins}", allowed, "add the earlier years")
    for key, item in value.items():
        if key != "lives":  # a sliding scale: its keys are people, not years
            yield from _late_schedules(item, (*path, key), first_year, place)
