"""A first deal from a few numbers: a monthly fee and a share of savings, and what they ask of each side.

Who can say how many people, what they cost, what is paid and what is hoped for has a contract, its odds and its nets.
It is a beginning: every number that was not given is an assumption, and the contract is there to be changed.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple, get_args

from ..chance.assumed import take
from ..chance.plausible import with_effect
from ..chance.simulate import simulate
from ..clauses.care_management_fee import CareManagementFee
from ..contract import Contract
from ..refusal import Fault, Refusal, show
from ..units import say_dollars, say_percent
from .net import highest_fee
from .outside import Outside, example, settle, with_care

SEED, DRAWS = 1, 1_000
UNITS = get_args(CareManagementFee.model_fields["for_each"].annotation)
BEDS = ("none of theirs", "a hospital's, as in the example")
SHARING = "shared savings"

# Of each number: what it is, where it begins, the least and the most.
NUMBERS = {
    "people": ("People", 600, 1, 1_000_000),
    "cost": ("Dollars one costs in a year", 25_200, 1, 10_000_000),
    "fee": ("Fee, dollars a month", 120, 0, 100_000),
    "engaged": ("Share of months engaged", 0.7, 0.01, 1),
    "effect": ("What it is expected to save", 0.1, 0, 0.9),
    "minimum": ("Minimum savings", 0.05, 0, 1),
    "share": ("Share of savings", 0.5, 0, 1),
}
CHOICES = {"unit": ("The fee is for each", UNITS), "beds": ("Whose beds empty", BEDS)}


class Case(NamedTuple):
    """One effect: what each party nets over the term, if all goes as expected."""

    effect: float
    nets: dict[str, float]


class FirstDeal(NamedTuple):
    """The contract, and what it asks."""

    contract: Contract
    fees: float  # dollars in the first year
    required: float  # off the cost of care, before anyone gains
    highest: float  # the most a payer can pay for a month and lose nothing at the expected effect
    paid_for_luck: float  # how often a year is paid for a program that does nothing
    paid_for_work: float  # how often one is paid for a program that does what is expected
    price_of_luck: float  # dollars in an average year, for a program that does nothing
    cases: list[Case]


def first_deal(
    *,
    people: float = 600,
    cost: float = 25_200,
    fee: float = 120,
    engaged: float = 0.7,
    effect: float = 0.1,
    minimum: float = 0.05,
    share: float = 0.5,
    unit: str = UNITS[0],
    beds: str = BEDS[0],
) -> FirstDeal:
    """What a fee for each month and a share of savings ask of a payer and of whoever does the work.

    required reduction = fees of a year / what the people's care costs
    highest price = effect x cost / 12 / share of months that are paid

    >>> deal = first_deal(people=600, cost=25_200, fee=120)
    >>> round(deal.required, 4), round(deal.highest), round(deal.fees)
    (0.0571, 210, 864000)
    """
    given = {
        "people": people, "cost": cost, "fee": fee, "engaged": engaged, "effect": effect, "minimum": minimum,
        "share": share, "unit": unit, "beds": beds,
    }  # fmt: skip
    if faults := list(_faults_in(given)):
        raise Refusal(faults)
    contract = _contract(given)
    counted = unit != UNITS[0]
    taken = take(contract, lives=round(people), member_cost=cost, engaged=engaged if counted and fee else None)
    years = with_care(taken.years, people * cost)
    fees = float(contract.settle(years[:1]).total(clause="care management fee"))
    outside = _outside(contract, beds).beside(contract)
    cases = []
    for each in dict.fromkeys((0.0, effect / 2, effect)):
        case = settle(contract, with_effect(contract, years, each), outside, each)
        cases.append(Case(each, {party: round(float(case.net(party)), 2) for party in contract.parties}))
    often, price = [0.0, 0.0], 0.0
    if share:
        for n, each in enumerate((0.0, effect)):
            drawn = simulate(contract, years, rng=Random(SEED), draws=DRAWS, effect=each, luck=taken.luck)
            paid = drawn.of(SHARING)
            often[n] = float((paid > 0).mean())
            price = float(paid.mean()) if n == 0 else price
    paid_months = engaged if counted else 1.0
    highest = highest_fee(cost, effect, engaged=paid_months)
    return FirstDeal(contract, fees, fees / (people * cost), highest, often[0], often[1], price, cases)


def lines(deal: FirstDeal, effect: float) -> list[tuple[str, str]]:
    """What it asks, in words."""
    told = [
        ("The fee comes to", f"{say_dollars(round(deal.fees))} a year"),
        ("Required reduction", f"{deal.required:.1%} off the cost of care, before the payer gains anything"),
        ("Highest price", f"{say_dollars(round(deal.highest, 2))} a month, if it saves the {say_percent(effect)}"),
    ]
    if any(clause.name == SHARING for clause in deal.contract.clauses):
        told += [
            ("Odds of a share of savings", f"in {deal.paid_for_luck:.0%} of years if the program does nothing, and in"
             f" {deal.paid_for_work:.0%} if it saves {say_percent(effect)}"),
            ("Price of luck", f"{say_dollars(round(deal.price_of_luck))} in an average year, for nothing"),
        ]  # fmt: skip
    return told


def _faults_in(given: dict[str, Any]) -> Iterator[Fault]:
    for name, (what, _, least, most) in NUMBERS.items():
        value = given[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and least <= value <= most):
            yield Fault(what, show(value), f"{least:,.10g} to {most:,.10g}", "give a number in between")
    for name, (what, options) in CHOICES.items():
        if given[name] not in options:
            yield Fault(what, show(given[name]), " or ".join(options), "choose one of them")


def _contract(given: dict[str, Any]) -> Contract:
    """The agreement: a fee, and a share of what is saved beyond it."""
    clauses: list[dict[str, Any]] = []
    if given["fee"]:
        clauses.append({
            "name": "care management fee", "kind": "care_management_fee", "payer": "plan", "payee": "practice",
            "due": "monthly", "per_member_per_month": given["fee"], "for_each": given["unit"], "basis": "assumption",
        })  # fmt: skip
    if given["share"] or not clauses:
        clauses.append({
            "name": SHARING, "kind": "shared_savings", "payer": "plan", "payee": "practice",
            "due": "9 months after the year ends", "minimum": given["minimum"], "share": given["share"],
            "net_of": ["care management fee"] if given["fee"] else [], "basis": "assumption",
        })  # fmt: skip
    return Contract.model_validate({
        "title": "A first deal for complex care",
        "summary": "The plan pays a monthly fee for care management, and shares what is saved beyond it.",
        "parties": {"plan": "the plan", "practice": "the practice"},
        "first_year": 1,
        "years": 3,
        "clauses": clauses,
    })  # fmt: skip


def _outside(contract: Contract, beds: str) -> Outside:
    """Who pays for care; and the example's hospital, where its beds are the practice's own."""
    if beds == BEDS[0]:
        return Outside(name="a first deal")
    return Outside(name="a first deal", beds=Outside.load_file(example()).beds)
