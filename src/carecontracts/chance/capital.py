"""Capital: what a bad term costs each party, what must be held against it, and what cover against it is worth.

A loss is what was paid less what was received, costs outside the contract included; below nothing it is a gain.

Not modelled: what a party earns elsewhere, interest on a reserve, and a reserve that is filled up again.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..expected import COST
from ..units import say_dollars
from ..year import Year
from .noise import Costs
from .simulate import Luck, Simulation

LEVELS = (0.95, 0.99)
LOADING = 0.25  # of a premium, what is not claims: expenses, profit and the risk taken (assumption)


def var(losses: Any, level: float) -> float:
    """Value at risk: the smallest loss that is not passed in `level` of draws.

    >>> var(np.arange(1, 101), 0.95)
    95.0
    """
    return float(np.quantile(losses, level, method="inverted_cdf"))


def tvar(losses: Any, level: float) -> float:
    """Tail value at risk: the average of the worst 1 - `level` of draws.

    VaR + mean(max(loss - VaR, 0)) / (1 - level) (Rockafellar and Uryasev, 2000)

    >>> round(tvar(np.arange(1, 101), 0.95), 9)  # the average of 96 to 100
    98.0
    """
    least = var(losses, level)
    return least + float(np.maximum(losses - least, 0).mean()) / (1 - level)


class Tail(NamedTuple):
    """VaR and TVaR at 95% and at 99%."""

    var_95: float
    tvar_95: float
    var_99: float
    tvar_99: float


def tail(losses: Any) -> Tail:
    return Tail(*(of(losses, level) for level in LEVELS for of in (var, tvar)))


class Held(NamedTuple):
    """What one party loses in a bad term and a bad year, and what it must hold. Dollars."""

    party: str
    term: Tail  # of what it loses over the term
    year: Tail  # of what it loses in the worst year of the term
    owes_95: float  # for results, in the year in which it owes most: what a letter of credit secures
    owes_99: float
    reserve_95: float  # that lasts through every month of the term in so many of 100 draws
    reserve_99: float
    reserve: float | None  # that was given
    ruin: float | None  # the chance that it does not last
    holding: float | None  # what holding it costs over the term, or the one for 99%
    worth: float | None  # present value of what the party gets, less what it pays, on average


def held(
    drawn: Simulation,
    reserves: Mapping[str, float] | None = None,
    capital_cost: Mapping[str, float] | None = None,
    discount: Mapping[str, float] | None = None,
) -> list[Held]:
    """What each party of a contract must hold, from the draws of it.

    `reserves` are dollars by party; `capital_cost` is what a dollar held costs in a year, and `discount` the rate by
    which cash is brought back to the contract's first month, both by party.

    >>> from carecontracts import Contract, gallery
    >>> from carecontracts.chance.simulate import simulate
    >>> contract = Contract.load(gallery("vermont-corridor"))  # all of the first 3%, both ways
    >>> aco = held(simulate(contract, draws=2_000, rng=np.random.default_rng(1)), {"aco": 200_000})[1]
    >>> round(aco.term.var_99 / (500 * 24_000), 3), round(aco.reserve_99 / (500 * 24_000), 3), 0.3 < aco.ruin < 0.5
    (0.03, 0.03, True)
    """
    return [_held(drawn, party, reserves or {}, capital_cost or {}, discount or {}) for party in drawn.contract.parties]


def _held(
    drawn: Simulation,
    party: str,
    reserves: Mapping[str, float],
    capital_cost: Mapping[str, float],
    discount: Mapping[str, float],
) -> Held:
    owed = np.array([drawn.owed(party, year.year) for year in drawn.years]).max(axis=0)
    lowest = -drawn.worst_cash(party)
    reserve = reserves.get(party)
    keeps = [max(0.0, var(lowest, level)) for level in LEVELS]
    rate, cost = discount.get(party), capital_cost.get(party)
    return Held(
        party,
        tail(-drawn.net(party)),
        tail(-np.array([drawn.net(party, year.year) for year in drawn.years]).min(axis=0)),
        var(owed, 0.95),
        var(owed, 0.99),
        keeps[0],
        keeps[1],
        reserve,
        None if reserve is None else float((lowest > reserve + 0.005).mean()),
        None if cost is None else cost * len(drawn.years) * (keeps[1] if reserve is None else reserve),
        None if rate is None else float(np.mean(drawn.worth(party, rate))),
    )


# --- cover against the member, or the year, that costs too much ---


class Cover(NamedTuple):
    """What a cover is expected to pay, and what it is worth; or a premium that the contract has for it."""

    name: str
    begins: str  # the attachment point, in words; nothing of a premium
    pays_in: float | None  # the share of years; of a premium, none
    year: float  # dollars in an average year
    month: float  # the same for each member month
    loaded: float | None  # premium for each member month that pays for it; none of a premium

    @classmethod
    def of(cls, name: str, begins: str, pays_in: float, year: float, months: float, loading: float) -> "Cover":
        month = year / months
        return cls(name, begins, pays_in, float(year), float(month), loaded(float(month), loading))


def loaded(expected: float, loading: float) -> float:
    """The premium of which expected claims are all but the loading.

    >>> loaded(75, 0.25)
    100.0
    """
    return expected / (1 - loading)


def covers(
    drawn: Simulation,
    expected: Year,
    lives: int,
    luck: Luck,
    *,
    points: Iterable[float] = (),
    loading: float = LOADING,
) -> list[Cover]:
    """Each cover of a contract as drawn and each premium for it; then one member's cover from other points on.

    `expected` is a year as it is expected, whose months and mean cost are taken; other points have the coinsurance and
    the cap of the contract's own cover of a member, or all of the cost.
    """
    months = float(sum(expected.member_months.values()) or 12 * lives)
    paid = {c.name: drawn.of(c.name) for c in drawn.contract.clauses if c.insures}
    found = [
        Cover.of(
            c.name, c.say_term("attachment"), float((paid[c.name] > 0.005).mean()), paid[c.name].mean(), months, loading
        )
        for c in drawn.contract.clauses
        if c.insures == "cover"
    ]
    found += [
        Cover(c.name, "", None, float(paid[c.name].mean()), float(paid[c.name].mean()) / months, None)
        for c in drawn.contract.clauses
        if c.insures == "premium"
    ]
    now = (c.at(expected, drawn.contract.first_year).covers_of_a_member() for c in drawn.contract.clauses)
    coinsurance, limit = next((terms for terms in now if terms), (1.0, None))
    costs = Costs.with_cv(float(expected.whole_spend or expected.whole_benchmark or COST * lives) / lives, luck.cv)
    for point in points:
        each = recovery(costs, point, limit=limit or math.inf, coinsurance=coinsurance, common=luck.common)
        anyone = 1 - (1 - _shaken(costs, luck.common).above(point)) ** lives
        found.append(Cover.of("one member", say_dollars(point), anyone, each * lives, months, loading))
    return found


def recovery(
    costs: Costs, attachment: float, *, limit: float = math.inf, coinsurance: float = 1.0, common: float = 0.0
) -> float:
    """What cover for one member is expected to pay in a year: coinsurance x (E min(X, limit) - E min(X, attachment)).

    `common` is what moves everyone's cost at once; it makes one member's cost a little wider.

    >>> costs = Costs.with_cv(24_000, 2.15)
    >>> round(recovery(costs, 0)), round(recovery(costs, 250_000)), round(recovery(costs, 250_000, coinsurance=0.9))
    (24000, 1286, 1158)
    """
    wide = _shaken(costs, common)
    return coinsurance * (wide.moment(1, limit) - wide.moment(1, attachment))


def _shaken(costs: Costs, common: float) -> Costs:
    """Members' costs with what moves everyone at once in them."""
    return replace(costs, sigma=math.hypot(costs.sigma, math.sqrt(math.log(1 + common**2))))
