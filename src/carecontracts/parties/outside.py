"""What a contract does not say and every party counts: care not bought, the team, empty beds, the next premium.

A contract's lines are payments. What a party nets is those, and what it pays, loses and keeps outside them, all
compared with the same year without the program and without the contract. Every amount has two ends, a party that has it
and one that has it not, so that all of them together are nothing.

care not bought  = care as it would have been - care as it was, in the pockets of those who pay for it
taken on         = share of its payer's care that a clause makes its payee buy, x care as it was, in years in which it
                   is in force; who is paid so may pay another so in turn
empty beds       = stays avoided x (payment + supplemental payment - variable cost) - stays refilled x their margin
                   stays avoided = care not bought x hospital share x share in these beds / payment for a stay
visits           = care not bought x share x (1 - variable share)
next premium     = share x care not bought that this party kept, less what it then paid under the contract, beyond the
                   care that this let it off, and the rate allows for, so many years before

Not modelled: care that moves to a payer or a year in which nobody looks; a closed unit, which turns fixed cost into
variable cost; taxes; reserves and their cost; time that people outside the parties give.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from ..contract import Contract
from ..evidence.library import faults_in, place_in
from ..files import read_yaml
from ..ledger import Ledger, Line, Position
from ..refusal import Fault, Refusal, did_you_mean, listed, refuse, show
from ..units import Number, cents, when
from ..worded import EachOnce, Name, Text
from ..year import Year
from .part import Basis, Money, Part, Ramp, Rate, Share, ShareOrNone, at, between, every_number_has_a_basis
from .price import Proposal, years_of

CARE, STAFF = "who gives the care", "staff and suppliers"
NEXT, SUPPLEMENTS = "who pays for the next patient", "who pays supplements"
WORLD = (CARE, STAFF, NEXT, SUPPLEMENTS)  # those whom nobody asks; what they lose and gain closes the sum

CONTRACT = "the contract"
NOT_BOUGHT, TAKEN_ON, TEAM = "care not bought", "care taken on", "the team"
BEDS, VISITS, PREMIUM = "empty beds", "visits not billed", "next premium"
START = "the team's start"  # a line of the team's that falls in one month
SOURCES = (NOT_BOUGHT, TAKEN_ON, TEAM, BEDS, VISITS, PREMIUM)  # beside the contract's own clauses

PerStay = Annotated[float, between("dollars a stay", 0, 10_000_000)]


def _adds_up(shares: dict[str, float]) -> dict[str, float]:
    if not math.isclose(whole := math.fsum(shares.values()), 1, abs_tol=1e-9):
        refuse(f"shares that add up to {whole:.10g}", "shares that add up to 1", "correct them, or name who is missing")
    return shares


Pockets = Annotated[dict[Name, Share], EachOnce, Field(min_length=1), AfterValidator(_adds_up)]


class Team(Part):
    """What a party spends on the program in a year: an amount, one for each year, or a program file as of `price`."""

    a_year: Money | Annotated[list[Money], Field(min_length=1, max_length=99)] | None = (
        None  # in a list, the last holds
    )
    start_up: Money = 0.0  # all of it in the first month
    raises: Rate = 0.0
    program: Text | None = None  # a file, beside this one
    basis: dict[str, Basis] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.a_year is None) == (self.program is None):
            refuse("both" if self.program else "neither", "`a_year` or `program`", "write one of them")
        if self.program and self.model_fields_set & {"start_up", "raises"}:
            refuse("`start_up` or `raises` beside a program", "those of the program file", "write them there")
        every_number_has_a_basis(
            [name for name in ("a_year", "start_up", "raises") if name in self.given()], self.basis
        )
        return self

    def given(self) -> set[str]:
        return {name for name in self.model_fields_set if getattr(self, name) is not None}

    def at_once(self) -> float:
        """Dollars of a year's costs that fall in the first month of all."""
        return Proposal.load_file(self.program).start_up if self.program else self.start_up

    def costs(self, years: int) -> list[float]:
        """Dollars in each of so many years, those of the start in the first."""
        if self.program:
            return [year.cost for year in years_of(Proposal.load_file(self.program).amend(years=years))]
        amounts = self.a_year if isinstance(self.a_year, list) else [self.a_year or 0.0]
        each = [at(amounts, n) * (1 + self.raises) ** n for n in range(years)]
        return [each[0] + self.start_up, *each[1:]]


class Payer(Part):
    """Of the stays in a party's beds, whose they are and what is paid for one."""

    of_stays: Share
    payment: PerStay


def _mix(payers: dict[str, Payer]) -> dict[str, Payer]:
    _adds_up({name: payer.of_stays for name, payer in payers.items()})
    return payers


Mix = Annotated[dict[Name, Payer], EachOnce, Field(min_length=1), AfterValidator(_mix)]


class Beds(Part):
    """A party whose beds empty: whose stays they are, what one costs, how much of that stays, who takes the bed."""

    hospital: Share  # of care not bought, what is stays in hospital
    ours: Share  # of those, what would have been in these beds
    payers: Mix
    full_cost: Annotated[float, between("dollars a stay", 1, 10_000_000)]
    fixed: ShareOrNone
    refilled: ShareOrNone = 0.0
    refill: Mix | None = None  # without it, as `payers`
    supplemental: PerStay | None = None  # directed and supplemental payments that go with a stay
    basis: dict[str, Basis]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.payment:
            refuse("payers who pay nothing for a stay", "one at least who pays", "correct `payers`")
        if self.refill and not self.refilled:
            refuse("`refill` without `refilled`", "the share of beds that is filled again", "give it, or take it out")
        every_number_has_a_basis([name for name in type(self).model_fields if name in self.given()], self.basis)
        return self

    def given(self) -> set[str]:
        return {name for name in self.model_fields_set if getattr(self, name) is not None} - {"basis"}

    @property
    def payment(self) -> float:
        """What is paid for a stay on average."""
        return sum(payer.of_stays * payer.payment for payer in self.payers.values())

    @property
    def next_payment(self) -> float:
        """What the next patient's stay pays on average."""
        return sum(payer.of_stays * payer.payment for payer in (self.refill or self.payers).values())

    @property
    def variable(self) -> float:
        return (1 - self.fixed) * self.full_cost

    @property
    def margin(self) -> float:
        """What is lost with one stay, before anyone takes the bed."""
        return self.payment + (self.supplemental or 0.0) - self.variable


class Visits(Part):
    """A party that bills for care which is then not needed."""

    share: Share  # of care not bought, what this party would have billed
    variable: ShareOrNone  # of that, the cost that goes away with it
    basis: dict[str, Basis]

    @model_validator(mode="after")
    def _check(self) -> Self:
        every_number_has_a_basis(["share", "variable"], self.basis)
        return self


class Premium(Part):
    """A party whose own revenue follows cost: what it keeps today lowers its rate some years on."""

    paid_by: Name
    share: Share = 1.0  # of what it kept, what its rate falls by
    after: Annotated[int, Field(ge=1, le=10)] = 2  # years
    fee_counts: ShareOrNone = 0.0  # of what it paid beyond care it was let off, what the next rate allows for
    basis: dict[str, Basis] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("share", "after", "fee_counts") if name in self.model_fields_set]
        every_number_has_a_basis(given, self.basis)
        return self


class Outside(Part):
    """What every party pays, loses and keeps outside a contract, and where each number is from."""

    name: Text
    others: Annotated[dict[Name, Text], EachOnce] = {}  # who is named here and is no party of the contract
    care: Pockets | None = None  # who pays for these people's care, and keeps what is not bought
    effect_ramp: Ramp = [1.0]
    taken_on: Annotated[dict[Name, ShareOrNone], EachOnce] = {}  # of its payer's care, what a clause's payee must buy
    teams: Annotated[dict[Name, Team], EachOnce] = {}
    beds: Annotated[dict[Name, Beds], EachOnce] = {}
    visits: Annotated[dict[Name, Visits], EachOnce] = {}
    premiums: Annotated[dict[Name, Premium], EachOnce] = {}
    basis: dict[str, Basis] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [n for n in ("care", "effect_ramp", "taken_on") if n in self.model_fields_set and getattr(self, n)]
        every_number_has_a_basis(given, self.basis)
        of_care = sum(b.hospital * b.ours for b in self.beds.values()) + sum(v.share for v in self.visits.values())
        if of_care > 1 + 1e-9:
            allowed = "what beds and visits would have been paid, together at most all of the care not bought"
            refuse(f"{of_care:.0%} of it", allowed, "correct `hospital`, `ours` or `share`")
        return self

    @classmethod
    def load_file(cls, path: Traversable | Path | str) -> Self:
        """What stands in a YAML file, with the costs of the program files that it names."""
        data, lines = read_yaml(path)
        if not isinstance(data, dict):
            do = "see carecontracts net --example"
            raise Refusal([Fault(str(path), show(data), "fields and their values", do)])
        known = [*cls.model_fields, *(f for part in (Team, Beds, Payer, Visits, Premium) for f in part.model_fields)]
        try:
            return cls.model_validate(data)._with_programs(Path(str(path)).parent)
        except ValidationError as error:
            raise Refusal(faults_in(error, place_in(lines, str(path)), known)) from None

    def _with_programs(self, folder: Path) -> Self:
        """The same, with each program file found from this folder, and read once, so that its faults are told."""
        teams = {
            party: team.model_copy(update={"program": str(folder / team.program)}) if team.program else team
            for party, team in self.teams.items()
        }
        for team in teams.values():
            team.costs(1)
        return self.model_copy(update={"teams": teams})

    def with_teams(self, costs: Mapping[str, float]) -> Self:
        """The same, with what some parties' teams cost a year."""
        teams = {party: Team(a_year=cost, basis={"a_year": "given"}) for party, cost in costs.items()}
        return self.model_copy(update={"teams": self.teams | teams})

    def beside(self, contract: Contract) -> Self:
        """The same, with what the contract says itself: who pays for care, and which clauses make someone buy it all.

        Refuses names that are neither a party nor one of `others`, and clauses that make nobody buy care.
        """
        faults = list(self._faults_in(contract))
        if faults:
            raise Refusal(faults)
        unsaid = self.unsaid(contract)
        whole = {
            clause.name: 1.0
            for clause in contract.clauses
            if clause.care_taken_on == "all" and clause.name not in unsaid
        }
        return self.model_copy(update={"care": self.care or {contract.payer: 1.0}, "taken_on": whole | self.taken_on})

    def unsaid(self, contract: Contract) -> list[str]:
        """The clauses whose payee buys care of which nothing says how much: some, or all that another buys too."""
        takes = [clause for clause in contract.clauses if clause.care_taken_on != "none"]
        return [
            clause.name
            for clause in takes
            if clause.name not in self.taken_on
            and (clause.care_taken_on == "some" or sum(each.payer == clause.payer for each in takes) > 1)
        ]

    def _faults_in(self, contract: Contract) -> Iterator[Fault]:
        known = [*contract.parties, *self.others]
        for name in self.others:
            if name in (*contract.parties, *WORLD):
                do = "take it out; if someone else is meant, give another name"
                yield Fault(f"{self.name}, `others`", show(name), "who is no party of the contract", do)
        named: dict[str, Iterable[str]] = {
            "care": self.care or (),
            "teams": self.teams,
            "beds": self.beds,
            "visits": self.visits,
            "premiums": [*self.premiums, *(premium.paid_by for premium in self.premiums.values())],
        }
        for field, names in named.items():
            for name in names:
                if name not in known:
                    do = did_you_mean(name, known) + "correct it, or name it in `others`"
                    yield Fault(f"{self.name}, `{field}`", show(name), listed(known), do)
        may = [clause.name for clause in contract.clauses if clause.care_taken_on != "none"]
        for name in self.taken_on:
            if name not in may:
                allowed = listed(may) if may else "nothing: no clause of this contract makes anyone buy care"
                do = did_you_mean(name, may) + "correct it, or take it out"
                yield Fault(f"{self.name}, `taken_on`", show(name), allowed, do)
        for party in contract.parties:
            shares = [self.taken_on.get(clause.name, 0.0) for clause in contract.clauses if clause.payer == party]
            if (whole := math.fsum(shares)) > 1 + 1e-9:
                given = f"{whole:.0%} of the care of {party}"
                do = "correct the shares: nobody is let off more than all"
                yield Fault(f"{self.name}, `taken_on`", given, "at most all of it, under all clauses together", do)

    def missing(self, contract: Contract) -> list[str]:
        """What moves money and is not said here: what a reader must add, or know to be left out."""
        told = [
            f"what {contract.parties[clause.payee]} must buy under “{clause.name}”, as a share of what its payer would"
            " (`taken_on`)"
            for clause in contract.clauses
            if clause.name in self.unsaid(contract)
        ]
        if not self.teams:
            told.append("what the program costs, and whom (`teams`)")
        if not self.beds:
            told.append("whose beds empty: here they are all other people's (`beds`)")
        told += [
            f"directed and supplemental payments that go with a stay in the beds of {name} (`supplemental`)"
            for name, beds in self.beds.items()
            if beds.supplemental is None
        ]
        if not self.premiums:
            told.append("that a payer's next rate follows what care costs (`premiums`)")
        return told


def example() -> Traversable:
    """The file that comes with the package, to copy."""
    return files("carecontracts.parties") / "outside-example.yaml"


class Case(NamedTuple):
    """A contract settled with all that is outside it: every line of everyone."""

    contract: Contract
    outside: Outside
    years: Sequence[Year]
    paid: Ledger  # the contract's own lines
    beside: Ledger

    @property
    def parties(self) -> list[str]:
        """The parties, and whoever else is named; not the world."""
        return [*self.contract.parties, *self.outside.others]

    @property
    def everyone(self) -> dict[str, str]:
        """Whom to ask, and the world: those whom nobody asks."""
        return {**self.contract.parties, **self.outside.others, **dict(zip(WORLD, WORLD, strict=True))}

    def net(self, party: str, *, year: int | None = None, source: str | None = None) -> Number:
        """What a party nets, over the term or in one year, from everything or from one source; CONTRACT is one too."""
        of = None if source in (None, CONTRACT) else source
        ledgers = [self.paid] * (source in (None, CONTRACT)) + [self.beside] * (source != CONTRACT)
        return sum(
            ledger.total(year=year, clause=of, payee=party) - ledger.total(year=year, clause=of, payer=party)
            for ledger in ledgers
        )

    def cash_flow(self) -> list[Position]:
        """Everyone's cash by month; each month all positions sum to zero."""
        return Ledger([*self.paid, *self.beside]).cash_flow()


def settle(contract: Contract, years: Sequence[Year], outside: Outside, effect: float = 0.0) -> Case:
    """A contract's lines and everyone's beside them, for years in which a program takes `effect` off care.

    The years are those with the effect: `spend` is care as it was. Facts may be arrays of draws; then so is everything.

    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("compared/fee"))
    >>> year = Year(year=1, member_months={"all": 6_000}, spend=14_250_000)
    >>> team = Team(a_year=1_250_000, basis={"a_year": "assumption"})
    >>> outside = Outside(name="mine", teams={"practice": team}).beside(contract)
    >>> case = settle(contract, [year], outside, effect=0.05)
    >>> {party: round(case.net(party)) for party in contract.parties}
    {'plan': -810000, 'practice': 154000, 'community': 156000}
    """
    paid, beside = contract.settle(years, workings=False), Ledger()
    not_bought: dict[int, Number] = {}
    for n, year in enumerate(years):
        now = effect * at(outside.effect_ramp, n)
        not_bought[year.year] = _care(year) * (now / (1 - now))
        months = tuple(contract.months_of(year.year))
        for source, payer, payee, amount in _in_a_year(
            contract, outside, year, n, len(years), not_bought, paid, beside
        ):
            due = months[:1] if source == START else months
            beside.append(Line(year.year, TEAM if source == START else source, payer, payee, cents(amount), {}, due))
    return Case(contract, outside, years, paid, beside)


def _care(year: Year) -> Number:
    """What care cost in a year; `with_care` says it where no clause reads it."""
    if year.whole_spend is None:
        do = "say what these people's care costs: `spend` in the years"
        raise Refusal([Fault(f"{year.place}, spend", "nothing", "dollars", do)])
    return year.whole_spend


def _in_a_year(
    contract: Contract,
    outside: Outside,
    year: Year,
    n: int,
    count: int,
    not_bought: Mapping[int, Number],
    paid: Ledger,
    beside: Ledger,
) -> Iterator[tuple[str, str, str, Number]]:
    """One year outside the contract: source, who has it not, who has it, dollars."""
    now, care = not_bought[year.year], outside.care or {}
    for pocket, share in care.items():
        yield NOT_BOUGHT, CARE, pocket, share * now
    held = {pocket: share * _care(year) for pocket, share in care.items()}
    for clause in contract.clauses:
        # Who pays the clause is let off what its payee buys: of the care that is its own, or that it has taken on.
        if share := outside.taken_on.get(clause.name, 0.0):
            moved = when(clause.allowed(year), held.get(clause.payer, 0.0) * share, 0.0)
            held[clause.payee] = held.get(clause.payee, 0.0) + moved
            yield TAKEN_ON, clause.payee, clause.payer, moved
    for party, team in outside.teams.items():
        at_once = 0.0 if n else team.at_once()
        yield START, party, STAFF, at_once
        yield TEAM, party, STAFF, team.costs(count)[n] - at_once
    for party, beds in outside.beds.items():
        stays = now * (beds.hospital * beds.ours / beds.payment)
        yield BEDS, party, CARE, stays * beds.payment
        yield BEDS, party, SUPPLEMENTS, stays * (beds.supplemental or 0.0)
        yield BEDS, STAFF, party, stays * beds.variable
        yield BEDS, NEXT, party, stays * beds.refilled * beds.next_payment
        yield BEDS, party, STAFF, stays * beds.refilled * beds.variable
    for party, visits in outside.visits.items():
        yield VISITS, party, CARE, now * visits.share
        yield VISITS, STAFF, party, now * visits.share * visits.variable
    for party, premium in outside.premiums.items():
        before = year.year - premium.after
        yield PREMIUM, party, premium.paid_by, not_bought.get(before, 0.0) * premium.share * care.get(party, 0.0)
        fee = paid.total(year=before, payer=party) - paid.total(year=before, payee=party)
        fee += beside.total(year=before, clause=TAKEN_ON, payer=party)
        fee -= beside.total(year=before, clause=TAKEN_ON, payee=party)
        yield PREMIUM, premium.paid_by, party, fee * premium.fee_counts


def with_care(years: Sequence[Year], dollars: float) -> list[Year]:
    """The years, each with what care is expected to cost where its facts do not say."""
    return [year if year.whole_spend is not None else replace(year, spend=year.benchmark or dollars) for year in years]
