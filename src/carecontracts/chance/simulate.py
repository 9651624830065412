"""Any contract through thousands of years of chance: facts drawn around what is expected, settled by the contract.

Each fact of a `Year` becomes an array of draws; `Contract.settle` does not know the difference. With a generator of
numpy's the arrays are numpy's (`arrays`); with one of the standard library they need nothing else (`scalar`).

How facts are drawn:
- spending: the expected total times what the members' luck makes of it (exact, by `convolution`) and a common shock
- the spending of a fund: spread as all spending is, and high with it as use is
- member months: members who leave at a random month; the benchmark and the spending follow the months
- use that a program should lower (admissions, hospital days, rates where lower is better): counts that come in clumps,
  high in the same years as spending
- measures that are shares: binomial on the people whom they count, or on 40% of all where a contract does not say
- other outcomes and billed services: counts that come in clumps
- the same members' luck correlates from year to year; common shocks do not
- the benchmark, where it is made from people or a trend: off by its own luck, for the whole term or anew in each year,
  by so much of the members' luck and of the common shock as it has in it, and by a trend that strays more each year
- premiums, budgets, forecasts, scores, percentiles, staff lent to a practice and conditions are held as expected

What a measure or an outcome is counted in is a term of the contract; no name decides anything.

A joint bootstrap of members (`bootstrap`) shows how use and cost move together in your own data; here it is one number.

Not modelled: people chosen for a bad year who get better by themselves, claims that come in late, what the parties do
when they see how the year goes, and whether it is the same members whose claims are large again: years keep their luck
as a whole.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

from ..contract import Contract
from ..expected import COST, COUNTED, ENGAGED, PER, Moves
from ..ledger import Ledger, costs_outside
from ..refusal import Fault, Refusal, in_dollars, show
from ..units import cents, least, most, say_list, when
from ..year import Year
from .noise import COEFFICIENT, Costs
from .plausible import expected_years, moving, not_twelve_months, with_effect, without_effect
from .scalar import Scalar

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = [
    "Luck",
    "Simulation",
    "draw_years",
    "expected_years",
    "in_words",
    "simulate",
    "with_effect",
    "without_effect",
]


@dataclass(frozen=True, kw_only=True)
class Luck:
    """How much each thing moves by chance. The defaults are assumptions, except where a source is named.

    - lives: people, where the years do not say
    - cv: one member's standard deviation of cost over its mean, before truncation; 2.15 reproduces Medicare's scale of
      minimum savings rates, and CareMore's trial implies 1.2 for complex care after adjustment
    - truncation: dollars up to which a member's cost counts
    - common: standard deviation of what moves everyone's cost at once. Medicare's published swings from year to year
      to 2022, at 50,000 people and more, leave about this much that size does not explain; with 2023 and 2024, 1.4%
    - kept: correlation of the members' luck in one year with that in another
    - churn: share of members who leave in a year, each at a random month
    - benchmark: standard deviation of the benchmark's own error, as a share of it
    - benchmark_lasts: correlation of that error in one year with that in another; 1 is the same for the whole term
    - benchmark_with_members: its correlation with the members' luck that lasts, where it is made from the same people
    - benchmark_with_everyone: how much of what moves everyone's cost at once moves the benchmark too
    - trend: standard deviation of the error in each year's trend of the benchmark; it adds up over the years
    - clumps: variance of a count over its mean; 1 is Poisson, and people who come once come again
    - day_clumps, home_clumps: the same for hospital days, which come in stays, and for days of living somewhere
    - with_cost: correlation of admissions and the like with spending; in the synthetic people (`people.synthetic`) who
      are offered care management it is 0.5 to 0.6, and their luck from year to year correlates 0.2 to 0.4
    """

    lives: int | None = None
    cv: float = COEFFICIENT
    truncation: float = math.inf
    common: float = 0.016
    kept: float = 0.3
    churn: float = 0.1
    benchmark: float = 0.0
    benchmark_lasts: float = 1.0
    benchmark_with_members: float = 0.0
    benchmark_with_everyone: float = 0.0
    trend: float = 0.0
    clumps: float = 2.0
    day_clumps: float = 12.0
    home_clumps: float = 70.0
    with_cost: float = 0.55

    def __post_init__(self) -> None:
        checks = [
            ("lives", "people, 1 or more", self.lives is None or self.lives >= 1),
            ("cv", "a number above 0", self.cv > 0),
            ("truncation", "dollars, more than 0", self.truncation > 0),
            ("common", "a share from 0 to under 1: 0.015 is 1.5%", 0 <= self.common < 1),
            ("kept", "a correlation from 0 to 1", 0 <= self.kept <= 1),
            ("churn", "a share from 0 to 1", 0 <= self.churn <= 1),
            ("benchmark", "a share from 0 to 0.5: 0.03 is 3%", 0 <= self.benchmark <= 0.5),
            ("benchmark_lasts", "a correlation from 0 to 1", 0 <= self.benchmark_lasts <= 1),
            ("benchmark_with_members", "a correlation from 0 to 1", 0 <= self.benchmark_with_members <= 1),
            ("benchmark_with_everyone", "a share from 0 to 1", 0 <= self.benchmark_with_everyone <= 1),
            ("trend", "a share from 0 to 0.5: 0.01 is 1%", 0 <= self.trend <= 0.5),
            ("with_cost", "a correlation from 0 to 1", 0 <= self.with_cost <= 1),
            *((name, "1 or more", getattr(self, name) >= 1) for name in ("clumps", "day_clumps", "home_clumps")),
        ]
        faults = [
            Fault(name, show(getattr(self, name)), allowed, "correct it")
            for name, allowed, holds in checks
            if not holds
        ]
        if faults:
            raise Refusal(faults)


def simulate(
    contract: Contract,
    years: Sequence[Year] | None = None,
    *,
    rng: "np.random.Generator | Random",
    draws: int = 10_000,
    effect: float = 0.0,
    luck: Luck | None = None,
    costs: Mapping[str, float] | None = None,
    care: str | None = None,
) -> "Simulation":
    """A contract settled `draws` times over its years, by chance around what is expected.

    `years` holds what is expected if the program changes nothing, such as `expected_years(contract)` or a years file;
    `effect` is what the program truly takes off. `costs` is what a party pays in a year outside the contract, such as
    for the team, in monthly parts; `care` is the party that pays for care, as one does who is paid by the head: what
    the year's care costs is then among its costs.

    >>> import numpy as np
    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("shared-savings"))
    >>> drawn = simulate(contract, draws=1_000, rng=np.random.default_rng(1), costs={"practice": 450_000})
    >>> list(drawn.table().party), bool(drawn.net("plan").std() > 0)
    (['plan', 'practice'], True)
    """
    luck = luck or Luck()
    years = expected_years(contract, **({"lives": luck.lives} if luck.lives else {})) if years is None else years
    faults = [*not_twelve_months(contract)]
    faults += [
        Fault(what, show(party), "a party of the contract: " + ", ".join(contract.parties), "correct it")
        for what, parties in (("costs", costs or {}), ("care", [care] if care else []))
        for party in parties
        if party not in contract.parties
    ]
    if care and any(year.whole_spend is None for year in years):
        faults.append(Fault("care", show(care), "years with `spend`", "add what the year's care costs"))
    if draws < 2:
        faults.append(Fault("draws", show(draws), "2 or more", "correct it"))
    if faults:
        raise Refusal(faults)
    contract.settle(years)  # refuses facts that are missing before anything is drawn
    drawn = draw_years(contract, with_effect(contract, years, effect), rng=rng, draws=draws, luck=luck)
    return Simulation(
        contract, drawn, contract.settle(drawn, workings=False), draws, dict(costs or {}), care, drawn_by(rng, draws)
    )


@dataclass(frozen=True)
class Simulation:
    """What came of it: the drawn years, the ledger of all draws at once, and tables of them."""

    contract: Contract
    years: list[Year]
    ledger: Ledger
    draws: int
    costs: dict[str, float] = field(default_factory=dict)
    care: str | None = None
    by: Any = None  # what drew it; numpy, where nothing is said

    @cached_property
    def chance(self) -> Any:
        return self.by or drawn_by(None, self.draws)

    def net(self, party: str, year: int | None = None) -> Any:
        """What a party received less what it paid, its costs outside included, in all years or in one; by draw."""
        return self._array(self._all.total(payee=party, year=year) - self._all.total(payer=party, year=year))

    def owed(self, party: str, year: int) -> Any:
        """What a party owes for results, or for want of them, in a year; one number per draw."""
        clauses = [clause.name for clause in self.contract.clauses if clause.pays_for_results]
        return self._array(self.ledger.total(payer=party, year=year, clause=clauses))

    def worth(self, party: str, yearly_rate: float) -> Any:
        """The present value of a party's cash in the month of the first payment; one number per draw."""
        return self._array(self._all.npv(party, yearly_rate))

    def worst_cash(self, party: str) -> Any:
        """A party's lowest cash in any month, and never above zero; one number per draw."""
        return self._worst[party]

    def table(self, quantiles: Sequence[float] = (0.05, 0.5, 0.95)) -> "pd.DataFrame":
        """Outcomes by party, over all years: mean, standard deviation, quantiles, chance of loss, lowest cash.

        The lowest cash is the one that is undercut in one draw of twenty.
        """
        import pandas

        return pandas.DataFrame(self.by_party(quantiles))

    def by_party(self, quantiles: Sequence[float] = (0.05, 0.5, 0.95)) -> list[dict[str, Any]]:
        """The rows of `table`."""
        rows = []
        for party in self.contract.parties:
            net = self.net(party)
            row = {"party": party, "mean": net.mean(), "sd": net.std()}
            row |= {f"{q:.0%}": self.chance.quantile(net, q) for q in quantiles}
            low = self.chance.quantile(self.worst_cash(party), 0.05)
            rows.append(row | {"chance of loss": float((net < -0.005).mean()), "lowest cash": low})
        return rows

    def results(self) -> tuple[Any, Any]:
        """What the payer pays for results, and what it gets back for them, in each year and draw: (years x draws)."""
        clauses = [clause.name for clause in self.contract.clauses if clause.pays_for_results]
        numbers = [year.year for year in self.years]
        pays = [self._array(self.ledger.total(year=y, payer=self.contract.payer, clause=clauses)) for y in numbers]
        back = [self._array(self.ledger.total(year=y, payee=self.contract.payer, clause=clauses)) for y in numbers]
        return self.chance.years(pays), self.chance.years(back)

    def of(self, clause: str) -> Any:
        """What a clause pays in each year and draw: (years x draws)."""
        return self.chance.years(self.by_year(clause))

    def by_year(self, clause: str) -> list[Any]:
        """What a clause pays in each year; an array of draws for each."""
        return [self._array(self.ledger.total(year=year.year, clause=clause)) for year in self.years]

    @cached_property
    def _all(self) -> Ledger:
        months = {year.year: self.contract.months_of(year.year) for year in self.years}
        lines = [*self.ledger, *costs_outside(self.costs, months)]
        for year in self.years if self.care else ():
            lines += costs_outside({self.care or "": cents(year.whole_spend)}, {year.year: months[year.year]})
        return Ledger(lines)

    @cached_property
    def _worst(self) -> dict[str, Any]:
        worst: dict[str, Any] = dict.fromkeys(self.contract.parties, 0.0)
        for position in self._all.cash_flow():
            if position.party in worst:
                worst[position.party] = least(worst[position.party], position.position)
        return {party: self._array(low) for party, low in worst.items()}

    def _array(self, value: Any) -> Any:
        return self.chance.full(value)


def in_words(nothing: Simulation, works: Simulation, effect: float) -> str:
    """What chance pays, told plainly: with a program that changes nothing, and with one that truly saves."""
    clauses = [clause for clause in nothing.contract.clauses if clause.pays_for_results]
    if not clauses:
        covers = [clause.name for clause in nothing.contract.clauses if clause.by_spending or "claims" in clause.facts]
        if covers:
            said = [f"“{name}” pays {_in_an_average_year(nothing.of(name))}" for name in covers]
            return f"No clause pays by results; luck moves what {say_list(said)}."
        return (
            "No clause pays by results, so luck pays nothing:"
            " what moves is how many months, services and outcomes there are to pay for."
        )
    payer = nothing.contract.parties[nothing.contract.payer]
    sentences = []
    for drawn, case in ((nothing, "changes nothing"), (works, f"truly saves {effect * 100:.10g}%"))[: 1 + (effect > 0)]:
        pays, back = drawn.results()
        who = f"If the program {case}, {payer}"
        if any(not clause.money_back for clause in clauses):
            still = " still" if drawn is nothing else ""
            sentences.append(f"{who}{still} pays {_in_an_average_year(pays, ' for results')}.")
            who = "It"
        if any(clause.money_back for clause in clauses):
            sentences.append(f"{who} gets back {_in_an_average_year(back)}.")
    return "\n".join(sentences)


def _in_an_average_year(amounts: Any, what: str = "") -> str:
    """The mean, and in how many of a hundred years it is anything at all."""
    share = float((amounts > 0).mean())
    times = round(share * 100)
    often = f"in {times} of 100" if 0 < times < 100 else "always" if share == 1 else "never" if not share else ""
    often = often or ("in nearly every year" if times else "less than once in 100 years")
    return f"{in_dollars(amounts.mean(), ',.0f')}{what} in an average year (something {often})"


# --- drawing ----------------------------------------------------------------------------------------------------------


def drawn_by(rng: "np.random.Generator | Random | None", draws: int) -> Any:
    """What draws with a generator: `Scalar` with one of the standard library, and else `Arrays`."""
    if isinstance(rng, Random):
        return Scalar(rng, draws)
    from .arrays import Arrays

    return Arrays(rng, draws)


def draw_years(
    contract: Contract, years: Sequence[Year], *, rng: "np.random.Generator | Random", draws: int, luck: Luck
) -> list[Year]:
    """The years with every fact drawn around its value, as arrays of `draws`."""
    lives = [_lives(year, luck) for year in years]
    chance = drawn_by(rng, draws)
    lasting = chance.normal()
    drawn, shocks = [], []
    for year, people in zip(years, lives, strict=True):
        fresh = chance.normal()
        z = math.sqrt(luck.kept) * lasting + math.sqrt(1 - luck.kept) * fresh
        one = _Draw(contract, year, people, z, chance, luck)
        drawn.append(one.year())
        shocks.append(one.shock)
    # The benchmark's error last, and only where there is one: without it the draws are those that they were.
    for n, off in enumerate(_benchmark_errors(lasting, len(drawn), chance, luck)):
        benchmark = drawn[n].benchmark
        if benchmark is not None:
            moved = most(benchmark * (1 + off), 0.0) * shocks[n] ** luck.benchmark_with_everyone
            drawn[n] = replace(drawn[n], benchmark=moved)
        funds = {
            fund: most(each * (1 + off), 0.0) * shocks[n] ** luck.benchmark_with_everyone
            for fund, each in drawn[n].benchmarks.items()
        }
        drawn[n] = replace(drawn[n], benchmarks=funds) if funds else drawn[n]
    return drawn


def _benchmark_errors(lasting: Any, years: int, chance: Any, luck: Luck) -> Iterator[Any]:
    """How far the benchmark of each year is off: by its people's luck, and by trends that add up."""
    if not (luck.benchmark or luck.trend or luck.benchmark_with_everyone):
        return
    again, lasts = luck.benchmark_with_members, luck.benchmark_lasts
    own: Any = again * lasting + math.sqrt(1 - again**2) * chance.normal() if luck.benchmark else 0.0
    strayed: Any = 0.0
    for _ in range(years):
        error = own
        if luck.benchmark and lasts < 1:
            error = math.sqrt(lasts) * own + math.sqrt(1 - lasts) * chance.normal()
        strayed = strayed + (luck.trend * chance.normal() if luck.trend else 0.0)
        yield luck.benchmark * error + strayed


def _lives(year: Year, luck: Luck) -> int:
    """The people of a year: as told, as its facts say, or as its months say."""
    months = year.fact("member_months")
    known = luck.lives or year.lives or (months / 12 if months else None)
    if not known:
        do = "say how many people: `lives` in the years, or --lives"
        raise Refusal([Fault(f"{year.place}, lives", "nothing", "people, 1 or more", do)])
    return max(1, round(known))


class _Draw:
    """One year, drawn. `z` is the members' luck: standard normal, high where their care costs more than expected."""

    def __init__(self, contract: Contract, year: Year, lives: int, z: Any, chance: Any, luck: Luck) -> None:
        self.contract, self.expected, self.lives, self.z, self.luck = contract, year, lives, z, luck
        self.chance = chance
        self.clauses = [clause.at(year, contract.first_year) for clause in contract.clauses]
        self.moving = moving(self.clauses)
        self.costs = Costs.with_cv((year.whole_spend or year.whole_benchmark or COST * lives) / lives, luck.cv)
        sigma = math.sqrt(math.log(1 + luck.common**2))
        self.shock = chance.exp(sigma * chance.normal() - sigma**2 / 2)  # what moves everyone's cost

    def year(self) -> Year:
        year = self.expected
        relative, claims = self._cost()
        months = {tier: self._months(number) for tier, number in year.member_months.items()}
        present = self._share(months, year.member_months)
        facts: dict[str, Any] = {
            "member_months": months,
            "engaged_months": self._engaged(year.engaged_months, months),
            "documented_months": self._engaged(year.documented_months, months),
            "denominators": {name: self.chance.poisson(n) for name, n in year.denominators.items()},
            "services": {
                name: number * self._service(name, relative, present) for name, number in year.services.items()
            },
            "counts": {name: self._staff_or_count(name, number) for name, number in year.counts.items()},
            "claims": claims,
            "benchmarks": {fund: number * present for fund, number in year.benchmarks.items()},
            "spends": {fund: number * self._fund() * present for fund, number in year.spends.items()},
        }
        facts["measures"] = dict(self._measures(facts["denominators"]))
        facts["outcomes"] = dict(self._outcomes())
        for name, share in (("spend", relative * present), ("benchmark", present), ("provider_revenue", present)):
            number = getattr(year, name)
            facts[name] = None if number is None else number * share
        return replace(year, **facts)

    def _cost(self) -> tuple[Any, dict[str, Any]]:
        """What care costs over what was expected, and the largest claims where the contract reads them."""
        if self.expected.claims:
            relative, claims = self._members()
            return relative * self.shock, {name: claim * self.shock for name, claim in claims.items()}
        return self._of_panel(self.chance.below(self.z)) * self.shock, {}

    def _of_panel(self, u: Any) -> Any:
        """What all members cost over what they cost on average, at these quantiles."""
        return self.chance.total(self.luck.cv, self.lives, self.luck.truncation / self.costs.mean, u)

    def _members(self) -> tuple[Any, dict[str, Any]]:
        """Totals from members, with each draw's largest claims. One that could pass no attachment point is not kept."""
        points = [clause.claims_from() for clause in self.clauses if "claims" in clause.facts]
        above = self.costs.above(min(points, default=0.0) / 2)
        kept = min(self.lives, math.ceil(self.lives * above + 6 * math.sqrt(self.lives * above) + 6))
        relative, tops = self.chance.members(self.costs, self.lives, self.luck.truncation, kept, self.z)
        return relative, {f"member {k}": top for k, top in enumerate(tops, 1)}

    def _months(self, number: float) -> Any:
        """Member months, where a share `churn` leaves at a random month of the year.

        A member's months have mean 12 - 6 churn and variance 48 churn - 36 churn^2: 144 (1 - churn) + 48 churn for the
        mean square, 12 and 0 to 12 evenly. The expected number stands; its spread is that of number / 12 members.
        """
        churn = self.luck.churn
        one = math.sqrt(48 * churn - 36 * churn**2) / (12 - 6 * churn)
        spread = one * math.sqrt(12 * number)
        return most(self.chance.whole(number + spread * self.chance.normal()), 0)

    def _share(self, months: Mapping[str, Any], expected: Mapping[str, float]) -> Any:
        """Months drawn over months expected, for all tiers together."""
        whole = sum(expected.values())
        if whole:
            return sum(months.values()) / whole
        return self._months(12.0 * self.lives) / (12.0 * self.lives)

    def _engaged(self, expected: Mapping[str, float], months: Mapping[str, Any]) -> dict[str, Any]:
        """Engaged months: so many members, by the draw, are engaged at all; never more than are members."""
        drawn = {}
        for tier, number in expected.items():
            whole = self.expected.member_months.get(tier)
            share = min(number / whole, 1.0) if whole else ENGAGED
            people = max(1, round(number / 12 / share)) if share else 1
            count = number * self.chance.binomial(people, share) / (people * share) if share else number
            drawn[tier] = self.chance.whole(least(count, months[tier]) if tier in months else self.chance.full(count))
        return drawn

    def _service(self, name: str, relative: Any, present: Any) -> Any:
        """A service's dollars over what was expected: with all cost where a program lowers it, else by its own luck."""
        how = self.moving.get(f"services.{name}")
        if how and how.lowered:
            return relative * present
        if how:
            own = 1 + self.chance.normal() / math.sqrt(self.lives)
            return most(own, 0) * present
        return present

    def _fund(self) -> Any:
        """A fund's spending over what was expected: spread as all care is, and high with it as use is."""
        return self._of_panel(self._with_cost()) * self.shock

    def _staff_or_count(self, name: str, number: float) -> Any:
        if self._how("counts", name).held:
            return number
        return self.chance.count(number, self.luck.clumps, self._own())

    def _how(self, group: str, name: str) -> Moves:
        return self.moving.get(f"{group}.{name}", Moves())

    def _measures(self, denominators: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, rate in self.expected.measures.items():
            how = self._how("measures", name)
            if how.held:
                yield name, rate
            elif how.unit in PER:
                people = PER[how.unit] / self.lives
                u = self._with_cost() if how.lowered else self._own()
                yield name, self.chance.count(rate / people, self.luck.clumps, u) * people
            elif how.unit in ("", "a share") and 0 < rate < 1:
                counted = denominators.get(name)
                if counted is None:
                    counted = max(1, round(COUNTED * self.lives))
                counted = self.chance.full(counted)
                yield name, when(counted > 0, self.chance.binomial(counted, rate) / most(counted, 1), rate)
            else:
                yield name, rate

    def _outcomes(self) -> Iterator[tuple[str, Any]]:
        """Counts; an outcome and its precondition move as one, and so do admissions and what they cost."""
        luck: dict[str, Any] = {}
        for name, number in self.expected.outcomes.items():
            how = self._how("outcomes", name)
            first = how.part_of.partition(".")[2] or name
            if first not in luck:
                luck[first] = self._with_cost() if self._how("outcomes", first).lowered else self._own()
            if how.held:
                yield name, number
            else:
                days = self.luck.day_clumps if how.stays else self.luck.home_clumps
                yield name, self.chance.count(number, days if how.unit == "days" else self.luck.clumps, luck[first])

    def _with_cost(self) -> Any:
        rho = self.luck.with_cost
        return self.chance.below(rho * self.z + math.sqrt(1 - rho**2) * self.chance.normal())

    def _own(self) -> Any:
        return self.chance.uniform()
