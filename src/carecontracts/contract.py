"""Contract: clauses in order. Load it, amend it, settle it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from .clauses import AnyClause
from .files import MOST_YAML_BYTES, parse_yaml, read_text
from .goals import Goals
from .ledger import Ledger, Line
from .measuring.section import Measurement
from .provisions.section import Provisions
from .refusal import Fault, Refusal, did_you_mean, listed, many, show
from .refusing import checked, faults_in
from .scales import Scale, SlidingScale
from .units import MOST_DOLLARS, cents, is_array, say_dollars, say_list
from .worded import EachOnce, Name, Party, Text
from .year import FACTS, Year, columns_for

TERMS = "terms and their values"
HOW_TO_AMEND = "write {clause: {term: value}}"


class Contract(BaseModel):
    """An agreement: who the parties are, when its years run, and its clauses in the order in which they settle.

    `load`, `parse` and `amend` raise a `Refusal`, as the rest of the package does. `Contract(...)` and `model_validate`
    raise pydantic's `ValidationError`, as the models of its users do, with the same faults: `refusing.faults_in`.

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
    parties: Annotated[dict[Party, Text], EachOnce, Field(min_length=2)]
    first_year: Annotated[int, Field(ge=1, le=2999)]  # a calendar year; or 1, and years are counted
    years: Annotated[int, Field(ge=1, le=99)] | None = None  # how long it runs; without it, until it is ended
    year_starts: Annotated[int, Field(ge=1, le=12)] = 1  # the month in which the first contract year begins
    first_year_months: Annotated[int, Field(ge=1, le=60)] = 12  # how long it is; every later one has twelve
    scales: Annotated[dict[Name, Scale], EachOnce] = {}  # sliding scales that several terms share, by name
    goals: Goals = []  # what both sides want of it
    clauses: Annotated[list[AnyClause], Field(min_length=1)]
    measurement: Measurement | None = None  # how the facts of a year are made from claims
    provisions: Provisions | None = None  # what governs beside the money
    not_modelled: Annotated[list[Text], EachOnce] = []

    @classmethod
    def load(cls, path: Traversable | Path | str) -> Self:
        """The contract in a YAML file; a `Refusal` lists all that is wrong with it."""
        return cls.parse(read_text(path, MOST_YAML_BYTES), str(path))

    @classmethod
    def parse(cls, text: str, where: str = "contract") -> Self:
        """The contract in a YAML text."""
        data, lines = parse_yaml(text, where)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise Refusal(faults_in(error, where, lines)) from None

    @model_validator(mode="wrap")
    @classmethod
    def _is_sound(cls, data: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Every door leads through here; the clauses get the points of the scales that they name."""
        contract = checked(cls, data, validate)
        contract.clauses[:] = [clause.on(contract.scales) for clause in contract.clauses]
        return contract

    def as_yaml(self) -> str:
        """The contract as a file that reads back the same: its keys stay numbers, as years, rungs and bands are."""
        terms = _plainly(self.model_dump(exclude_unset=True))
        return str(yaml.safe_dump(terms, sort_keys=False, allow_unicode=True, width=110))

    def amend(self, clauses: Mapping[str, Mapping[str, Any]] | None = None, **terms: Any) -> Self:
        """The same contract with some terms changed: `amend({"shared savings": {"share": 0.4}}, years=5)`.

        Of the measurement, a part is changed by its terms: `amend(measurement={"spending": {"truncated_at": 1e5}})`.
        """
        if clauses is not None and not isinstance(clauses, Mapping):
            raise Refusal([Fault("amendment", show(clauses), "clauses by name, each with its terms", HOW_TO_AMEND)])
        data = self.model_dump(exclude_unset=True)
        for section in ("measurement", "provisions"):
            if data.get(section) and isinstance(terms.get(section), Mapping):
                terms[section] = _amended(data[section], terms[section])
        data |= terms
        by_name = {clause["name"]: clause for clause in data["clauses"]}
        for name, changes in (clauses or {}).items():
            if name not in by_name:
                do = did_you_mean(name, by_name) + "name a clause of the contract"
                raise Refusal([Fault("amendment", f"the clause {show(name)}", listed(by_name), do)])
            if not isinstance(changes, Mapping):
                raise Refusal([Fault(f"amendment, clause '{name}'", show(changes), TERMS, "write {term: value}")])
            by_name[name].update(changes)
        try:
            return self.model_validate(data)
        except ValidationError as error:
            raise Refusal(faults_in(error, "amended contract")) from None

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
                amount, how = clause.at(year, year.year - self.nth(year.year) + 1).pay(year, ledger)
                if not (amount.max() if is_array(amount) else amount) <= MOST_DOLLARS:
                    allowed = f"a payment of at most {say_dollars(MOST_DOLLARS)}, of which the cents are exact"
                    where = f"{year.place}, clause '{clause.name}'"
                    raise Refusal([Fault(where, "a larger payment", allowed, "check its terms, and the year's facts")])
                if not workings:
                    how = {name: how[name] for name in clause.remembers if name in how}
                due = clause.months_due(self.months_of(year.year))
                ledger.append(Line(year.year, clause.name, clause.payer, clause.payee, cents(amount), how, due))
        return ledger

    def months_of(self, year: int) -> range:
        """The months of a contract year: 12 x calendar year + month - 1."""
        begins = self.first_year * 12 + self.year_starts - 1
        if year == self.first_year:
            return range(begins, begins + self.first_year_months)
        begins += self.first_year_months + 12 * (year - self.second_year)
        return range(begins, begins + 12)

    @property
    def second_year(self) -> int:
        """The number of the second contract year: the calendar year in which it begins, where the first has another.

        Where years are counted it is 2, however long the first was.
        """
        later = (self.year_starts - 1 + self.first_year_months) // 12
        return self.first_year + (1 if self.first_year < 100 else max(1, later))

    def nth(self, year: int) -> int:
        """Which of the contract's years it is: 1 for the first."""
        return 1 if year == self.first_year else year - self.second_year + 2

    def numbers(self, count: int) -> list[int]:
        """The first so many years of the contract, by their numbers."""
        return [self.first_year, *range(self.second_year, self.second_year + count - 1)]

    @property
    def payer(self) -> str:
        """The party that pays for results, or that gets money back for want of them; else the first clause's payer."""
        for clause in self.clauses:
            if clause.pays_for_results:
                return clause.payee if clause.money_back else clause.payer
        return self.clauses[0].payer

    def facts(self) -> dict[str, list[str]]:
        """The facts that a year must have, and the clauses that read each."""
        read: dict[str, list[str]] = {}
        for clause in self.clauses:
            for name in clause.facts:
                read.setdefault(name, []).append(clause.name)
        return read

    def unread(self, years: Iterable[Year]) -> list[str]:
        """The facts that some year holds and no clause reads; a part is read where a clause reads the whole."""
        read = self.facts()
        held = dict.fromkeys(name for year in years for name in year.facts())
        return [name for name in held if name not in read and name.partition(".")[0] not in read]

    def _faults_in(self, years: Sequence[Year], so_far: Sequence[Line]) -> Iterator[Fault]:
        last = max((line.year for line in so_far), default=self.first_year - 1)
        end = self.numbers(self.years)[-1] if self.years else 2999
        skipped = range(self.first_year + 1, self.second_year)  # the first year is not over
        remembering = [clause.name for clause in self.clauses if clause.needs_every_year]
        for year in years:
            if year.year in skipped:
                allowed = f"{self.first_year}, and then {self.second_year}: the first year has"
                allowed += f" {many(self.first_year_months, 'month')}"
                yield Fault(
                    f"{year.place}, year", str(year.year), allowed, "put its facts with those of the first year"
                )
            elif not self.first_year <= year.year <= end:
                allowed = f"a year of the contract: {self.first_year} to {end if self.years else 'its end'}"
                yield Fault(f"{year.place}, year", str(year.year), allowed, "correct the year, or amend the contract")
            elif year.year <= last:
                do = "give each year once, the earliest first"
                yield Fault(f"{year.place}, year", str(year.year), f"a year after {last}", do)
            elif remembering and (left_out := [n for n in range(last + 1, year.year) if n not in skipped]):
                missing = say_list([str(each) for each in left_out[:3]])
                missing += " and the years after it" * (len(left_out) > 3)
                allowed = f"every year from {self.first_year} on: the clause '{remembering[0]}' depends on earlier ones"
                do = f"add {missing}; or, from Python, give the ledger of the years before as `so_far`"
                yield Fault(f"{year.place}, year", f"{year.year} without {missing}", allowed, do)
            last = max(last, year.year)
            for clause in self.clauses:
                for name, unit in clause.facts.items():
                    allowed = f"{(unit or FACTS[name.partition('.')[0]][0]).allowed}: clause '{clause.name}' reads it"
                    if not year.has(name):
                        yield Fault(f"{year.place}, {name}", "nothing", allowed, f"add `{columns_for([name])[0]}`")
                    elif unit and (do := unit.fault(value := year.fact(name))):
                        yield Fault(f"{year.place}, {name}", show(value), allowed, do)


def _plainly(value: Any) -> Any:
    """Terms as a file holds them: a scale that has a name is its name, and stands under `scales`."""
    if isinstance(value, SlidingScale) and value.name:
        return value.name
    if isinstance(value, Mapping):
        return {key: _plainly(each) for key, each in value.items()}
    return [_plainly(each) for each in value] if isinstance(value, (list, tuple)) else value


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
