"""Plausible years for any contract, made from its own terms: what its facts would be if care went on as expected.

What a mechanism knows of its facts stands on the mechanism (`expects`); the assumptions are in `expected.py`.
A years file of your own is better.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..clause import Clause
from ..contract import Contract
from ..expected import BILLED, CLAIMS, COST, COUNTED, ENGAGED, LIVES, REVENUE, YEARS, Expected, Moves
from ..refusal import Fault, Refusal, show
from ..units import Number
from ..year import OF_FUNDS, PEOPLE_OF_FUNDS, Year, year_from
from .noise import Costs


def expected_years(
    contract: Contract, lives: int = LIVES, cost: float | None = None, count: int | None = None, effect: float = 0.0
) -> list[Year]:
    """The contract's years with every fact that it reads, at the value expected of `lives` people who cost `cost` each.

    Without `cost`, it is what a capitation for all care pays, or else $24,000. Spending equals the benchmark, an
    outcome equals what it is compared with, and a measure stands in the middle of its ladder: the program changes
    nothing. `effect` then acts as in `with_effect`.

    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("shared-savings"))
    >>> first, *_ = years = expected_years(contract, lives=1_000, effect=0.05)
    >>> len(years), first.benchmark, first.spend, dict(first.measures)
    (3, 24000000.0, 22800000.0, {'quality score': 0.9})
    """
    cost = (paid_for_all_care(contract) or COST) if cost is None else cost
    faults = [*not_twelve_months(contract)]
    faults += [
        Fault(name, show(value), "more than 0", "correct it")
        for name, value in (("lives", lives), ("cost", cost))
        if not value > 0
    ]
    if faults:
        raise Refusal(faults)
    length = contract.years or count or YEARS
    if count is not None and not 1 <= count <= length:
        raise Refusal([Fault("years", show(count), f"1 to {length}, as the contract runs", "correct it")])
    numbers = contract.numbers(count or length)
    years = [_expected(contract, number, number == numbers[-1], lives, cost) for number in numbers]
    return with_effect(contract, years, effect)


def not_twelve_months(contract: Contract) -> Iterator[Fault]:
    """What is wrong with a first contract year of another length: luck is reckoned in years of twelve months."""
    if contract.first_year_months != 12:
        do = "amend it to 12 to see what luck does in a year"
        yield Fault("first_year_months", str(contract.first_year_months), "12, to reckon what luck does", do)


def paid_for_all_care(contract: Contract) -> float | None:
    """What a clause that pays for all care pays for a member in the first year, where there is one."""
    at = Year(year=contract.first_year, lives=LIVES)
    prices = (clause.at(at, contract.first_year).price_of_all_care() for clause in contract.clauses)
    return next((float(price) for price in prices if price is not None), None)


def with_effect(contract: Contract, years: Sequence[Year], effect: float) -> list[Year]:
    """The same years with a program that truly takes `effect` off spending and off the use that stands behind it.

    Spending, the counts and rates where fewer is better, and the services that a budget covers all become (1 - effect)
    of what they were. Nothing else changes: that a program which saves also raises a quality measure is no matter of
    course.
    """
    if not 0 <= effect < 1:
        raise Refusal([Fault("effect", show(effect), "a share from 0 to under 1: 5% is 0.05", "correct it")])
    return [_affected(contract, year, effect) for year in years] if effect else list(years)


def without_effect(contract: Contract, years: Sequence[Year], effect: float) -> list[Year]:
    """What was expected without the program, of years as expected with one that takes `effect` off.

    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("shared-savings"))
    >>> with_it = expected_years(contract, lives=1_000, effect=0.05)
    >>> round(without_effect(contract, with_it, 0.05)[0].spend, 2)
    24000000.0
    """
    if not 0 <= effect < 1:
        raise Refusal([Fault("effect", show(effect), "a share from 0 to under 1: 5% is 0.05", "correct it")])
    return [_affected(contract, year, -effect / (1 - effect)) for year in years] if effect else list(years)


def moving(clauses: Iterable[Clause]) -> dict[str, Moves]:
    """How the facts move of which the clauses know more than their group: all that any of them knows."""
    known: dict[str, Moves] = {}
    for clause in clauses:
        for fact, how in clause.moves().items():
            known[fact] = known.get(fact, Moves()).and_as(how)
    return known


def _affected(contract: Contract, year: Year, effect: float) -> Year:
    facts: dict[str, Any] = {name: dict(getattr(year, name)) for name in ("outcomes", "measures", "services")}
    for name, how in moving(contract.clauses).items():
        group, _, part = name.partition(".")
        if how.lowered:
            facts[group][part] *= 1 - effect
    facts["spends"] = {fund: spend * (1 - effect) for fund, spend in year.spends.items()}
    return replace(year, **facts, spend=None if year.spend is None else year.spend * (1 - effect))


def _expected(contract: Contract, number: int, last: bool, lives: int, cost: float) -> Year:
    at = Year(year=number, lives=lives)
    read = list(contract.facts())
    tiers = list(dict.fromkeys(name.partition(".")[2] for name in read if "_months." in name))

    def of_its_group(name: str) -> dict[str, Number]:
        """A fact of which no clause knows more than that it is read."""
        group, _, part = name.partition(".")
        if group.endswith("_months"):
            if not part and any(other.startswith(f"{group}.") for other in read):
                return {}  # the tiers add up to everyone's
            months = 12 * lives / (len(tiers) if part else 1)
            return {name: months * (1 if group == "member_months" else ENGAGED)}
        if group == "claims":
            whole = Costs(mean=cost)
            return {f"claims.{k + 1}": whole.quantile(1 - (k + 0.5) / lives) for k in range(min(CLAIMS, lives))}
        if group in OF_FUNDS.values():  # funds share the whole alike
            return {name: lives * cost / sum(other.startswith(f"{group}.") for other in read)}
        if group in PEOPLE_OF_FUNDS.values():
            return {name: lives / sum(other.startswith(f"{group}.") for other in read)}
        value = {
            "denominators": round(COUNTED * lives),
            "counts": float(lives),
            "services": BILLED * lives,
            "conditions": _condition(contract.clauses, part),
            "amounts": 0.0,
            "provider_revenue": lives * cost * REVENUE,
        }
        return {} if name == "lives" else {name: value.get(group, lives * cost)}

    def year_of(clauses: Sequence[Clause]) -> Year:
        facts: dict[str, Any] = {"year": number, "lives": lives}
        for name in dict.fromkeys(fact for clause in clauses for fact in clause.facts):
            facts |= {name: plausible.known[name]} if name in plausible.known else of_its_group(name)
        return year_from(facts, "")

    def paid(names: Collection[str]) -> Number:
        earlier = contract.clauses[: max(k for k, clause in enumerate(contract.clauses) if clause.name in names) + 1]
        return contract.model_copy(update={"clauses": earlier}).settle([year_of(earlier)]).total(clause=names)

    plausible = Expected(lives, lives * cost, last, paid)
    for clause in contract.clauses:
        for name, value in clause.at(at, contract.first_year).expects(plausible).items():
            plausible.known.setdefault(name, value)
    return year_of(contract.clauses)


def _condition(clauses: Sequence[Clause], name: str) -> int:
    """1 for what a payment waits for, 0 for what would stop it."""
    stops = any(name in clause.unless for clause in clauses)
    return int(any(name in clause.only_if for clause in clauses) or not stops)
