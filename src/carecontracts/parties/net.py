"""Who nets what: a contract and all that is outside it through chance, when the program does nothing, little, and all.

What a party nets is compared with the same years, and the same luck, without the program and without the contract. So
the luck of care that a payer would have paid for anyway is not in it; luck is, where the contract moves it.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any, NamedTuple

from ..chance.plausible import not_twelve_months, with_effect
from ..chance.simulate import Luck, draw_years, drawn_by
from ..contract import Contract
from ..refusal import Fault, Refusal, did_you_mean, listed, show
from ..units import is_array, least
from ..year import Year
from .outside import CONTRACT, SOURCES, TEAM, Case, Outside, settle
from .part import at

EFFECTS = (0.0, 0.03, 0.10)  # nothing, little, all that is hoped for
PRICES = ("per_member_per_month", "price", "amount", "value")  # the term by which a clause is made to pay more
MOST_TIMES = 100.0  # as much as a price is tried at


class Low(NamedTuple):
    """The least cash that a party has in any month, never above zero."""

    cash: float
    month: str


@dataclass(frozen=True)
class Netted:
    """One effect: every party's position as it is expected, and in every draw."""

    effect: float
    expected: Case
    drawn: Case
    draws: int
    chance: Any  # what drew it

    @property
    def parties(self) -> list[str]:
        """The parties, and whoever else is named; not the world."""
        return self.drawn.parties

    def net(self, party: str, *, year: int | None = None, source: str | None = None) -> Any:
        """What a party nets in each draw, as `Case.net`."""
        return self.chance.full(self.drawn.net(party, year=year, source=source))

    def mean(self, party: str, *, year: int | None = None, source: str | None = None) -> float:
        return float(self.net(party, year=year, source=source).mean())

    def loses(self, party: str) -> float:
        """In what share of draws a party ends the term with less than it would have without the contract."""
        return float((self.net(party) < -0.005).mean())

    def worst(self, party: str) -> Low:
        """The least cash and its month, if all goes as expected."""
        low = min(
            (each for each in self.expected.cash_flow() if each.party == party),
            key=lambda each: each.position,
            default=None,
        )
        return Low(float(low.position), low.month) if low and low.position < 0 else Low(0.0, "")

    def worst_of_20(self, party: str) -> float:
        """The least cash in any month that is undercut in one draw of twenty."""
        return float(self.chance.quantile(self._lows[party], 0.05)) if party in self._lows else 0.0

    def months_to_bring(self, party: str) -> float | None:
        """The months of its team's cost that a party must bring to be safe in nineteen of twenty draws."""
        year, team = self.expected.years[0].year, self.expected.outside.teams.get(party)
        at_once = team.at_once() if team else 0.0
        spent = -float(self.expected.net(party, year=year, source=TEAM)) - at_once
        cost = spent / len(self.expected.contract.months_of(year))
        return -self.worst_of_20(party) / cost if cost else None

    @cached_property
    def _lows(self) -> dict[str, Any]:
        lows: dict[str, Any] = {}
        for each in self.drawn.cash_flow():
            lows[each.party] = least(lows.get(each.party, 0.0), each.position)
        return {party: self.chance.full(low) for party, low in lows.items()}


def net(
    contract: Contract,
    years: Sequence[Year],
    outside: Outside,
    *,
    seed: int,
    effects: Sequence[float] = EFFECTS,
    draws: int = 10_000,
    luck: Luck | None = None,
    works: Callable[[Year, float], Year] | None = None,
    tell: Callable[[str], None] = lambda doing: None,
    plainly: bool = False,
) -> list[Netted]:
    """What everyone nets under a contract, for a program with each of these effects.

    `years` holds what is expected if the program changes nothing, with what care costs in it (`outside.with_care`).
    Every effect is drawn with the same luck. `works` is how a year changes where it does in other ways than
    `plausible.with_effect` has it; it must take the effect off `spend`. `plainly` draws with the standard library.

    >>> from carecontracts import gallery
    >>> from carecontracts.chance.assumed import take
    >>> from carecontracts.parties.outside import with_care
    >>> contract = Contract.load(gallery("medicaid-shared-savings"))
    >>> years = with_care(take(contract, lives=600).years, 600 * 25_200)
    >>> nothing, _, works = net(contract, years, Outside(name="none"), seed=1, draws=200)
    >>> nothing.mean(contract.payer) < 0 < works.mean(contract.payer)
    True
    """
    if faults := list(not_twelve_months(contract)):
        raise Refusal(faults)
    told = outside.beside(contract)
    found = []
    for effect in effects:
        tell(f"An effect of {effect:.1%}")
        ramped = [(year, effect * at(told.effect_ramp, n)) for n, year in enumerate(years)]
        now = [works(year, e) if works else with_effect(contract, [year], e)[0] for year, e in ramped]
        rng = Random(seed) if plainly else _generator(seed)
        drawn = draw_years(contract, now, rng=rng, draws=draws, luck=luck or Luck())
        expected, by_chance = (settle(contract, each, told, effect) for each in (now, drawn))
        found.append(Netted(effect, expected, by_chance, draws, drawn_by(rng, draws)))
    return found


def _generator(seed: int) -> Any:
    from numpy.random import default_rng

    return default_rng(seed)


# --- backwards --------------------------------------------------------------------------------------------------------


class Zone(NamedTuple):
    """What one clause would have to pay, so that a party ends even on average; None where no price does it."""

    effect: float
    party: str
    times: float | None  # the price over the one in the contract; infinite where a payer can pay any
    price: float | None  # where the contract has one price for all
    pays: bool  # whether the party pays the clause: then it is the most that it can, else the least that it needs


def zone(netted: Sequence[Netted], clause: str) -> list[Zone]:
    """For each effect, the most that whoever pays a clause can pay and the least that whoever is paid can take."""
    found = []
    for one in netted:
        paid = priced(one.drawn.contract, clause)
        price = getattr(paid, _term(paid))
        for party in (paid.payee, paid.payer):
            pays = party == paid.payer
            times = _where_even(one, party, clause, pays)
            known = times is not None and math.isfinite(times) and isinstance(price, (int, float))
            found.append(Zone(one.effect, party, times, times * price if known else None, pays))
    return found


def priced(contract: Contract, name: str) -> Any:
    """The clause whose price is looked for; refuses one that has no price in dollars."""
    may = {clause.name: clause for clause in contract.clauses if _term(clause)}
    if name not in may:
        allowed = listed(may) if may else "nothing: no clause of this contract has a price in dollars"
        raise Refusal([Fault("the clause to price", show(name), allowed, did_you_mean(name, may) + "correct it")])
    return may[name]


def _term(clause: Any) -> str:
    return next((term for term in PRICES if getattr(clause, term, None) is not None), "")


def _times(value: Any, by: float) -> Any:
    return {key: _times(each, by) for key, each in value.items()} if isinstance(value, Mapping) else value * by


def _where_even(one: Netted, party: str, clause: str, pays: bool) -> float | None:
    """How many times its price a clause must pay for a party to end even on average, by halving."""
    contract = one.drawn.contract
    term = _term(priced(contract, clause))
    price = contract.model_dump(exclude_unset=True)["clauses"][_index(contract, clause)][term]

    def gap(times: float) -> float:
        changed = contract.amend({clause: {term: _times(price, times)}})
        return _mean(settle(changed, one.drawn.years, one.drawn.outside, one.effect).net(party))

    low, high = 0.0, 1.0
    at_low = gap(low)
    if abs(at_low) < 0.005 or (at_low > 0) != pays:  # even already; or whole with nothing, or at a loss before paying
        return None if pays and at_low < 0 else 0.0
    while (gap(high) > 0) == (at_low > 0):
        low, high = high, 2 * high
        if high > MOST_TIMES:
            return math.inf if pays else None
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if (gap(middle) > 0) == (at_low > 0) else (low, middle)
    return (low + high) / 2


def _mean(amount: Any) -> float:
    return float(amount.mean() if is_array(amount) else amount)


def _index(contract: Contract, clause: str) -> int:
    return [each.name for each in contract.clauses].index(clause)


def months_needed(one: Netted, party: str) -> float | None:
    """The share of engaged or documented months below which a party nets less than nothing; None where none is enough.

    All tiers move together, as a share of what the years hold: 1 is as expected. No more are tried than members have.
    """
    years = one.drawn.years
    if not any(year.engaged_months or year.documented_months for year in years):
        return None

    def gap(share: float) -> float:
        scaled = [
            replace(
                year,
                engaged_months=_times(year.engaged_months, share),
                documented_months=_times(year.documented_months, share),
            )
            for year in years
        ]
        return _mean(settle(one.drawn.contract, scaled, one.drawn.outside, one.effect).net(party))

    if gap(0.0) >= 0:
        return 0.0
    low, high = 0.0, min(_most_months(year) for year in one.expected.years)
    if gap(high) < 0:
        return None
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if gap(middle) >= 0 else (middle, high)
    return high


def _most_months(year: Year) -> float:
    """How many times its engaged or documented months a year's members could have."""
    paid = max(math.fsum(map(float, months.values())) for months in (year.engaged_months, year.documented_months))
    members = year.fact("member_months") or 12 * (year.lives or 0)
    return max(1.0, float(members) / paid) if members and paid else 3.0


def highest_fee(cost: float, effect: float, kept: float = 1.0, engaged: float = 1.0) -> float:
    """The most a payer can pay for each month and lose nothing, if care costs `cost` a member and year without it.

    fee = effect x cost / 12 x share of care that is this payer's / share of members in a paid month

    >>> round(highest_fee(25_200, 0.10), 2), round(highest_fee(25_200, 0.10, engaged=0.4), 2)
    (210.0, 525.0)
    """
    return effect * cost / 12 * kept / engaged


def sources(netted: Sequence[Netted]) -> list[str]:
    """The sources that move anything for anyone."""
    found = [CONTRACT]
    for source in SOURCES:
        if any((one.net(party, source=source) != 0).any() for one in netted for party in one.parties):
            found.append(source)
    return found


def rows(netted: Sequence[Netted], shown: Sequence[str]) -> Iterator[tuple[float, str, int, str, float]]:
    """Every mean, for a file: effect, party, year, source, dollars. All others are a party too, so that all is zero."""
    for one in netted:
        for year in one.expected.years:
            for source in shown:
                whole = 0.0
                for party in one.parties:
                    mean = round(one.mean(party, year=year.year, source=source), 2)
                    whole += mean
                    yield one.effect, party, year.year, source, mean
                yield one.effect, "all others", year.year, source, round(-whole, 2)
