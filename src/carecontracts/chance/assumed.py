"""What an odds rests on, line by line: each number with where it is from, and how far the answer hangs on it.

A contract's own numbers come first, then the reader's, then what is typical of a line of business, and what nobody gave
is called an assumption.

Not modelled: an error in the benchmark that favors one side; a trend that both parties misjudge and then correct.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np

from ..contract import Contract
from ..expected import COST, COUNTED, ENGAGED, LIVES
from ..year import Year
from .noise import COEFFICIENT
from .plausible import expected_years, paid_for_all_care
from .simulate import Luck, simulate

Business = Literal["medicaid", "medicare", "dual", "commercial"]


class Typical(NamedTuple):
    """What a member costs, how unequal members are, and how much of a year's luck is there in the next."""

    cost: float  # dollars a year
    spread: float  # one member's standard deviation over the mean, before any cap
    kept: float


# Of this project's synthetic people, which are held to published figures (`synthetic.targets`): of everyone, and of the
# dearest twentieth of one year in the year after. A test makes the people again and compares.
TYPICAL: dict[tuple[Business, bool], Typical] = {
    ("medicaid", False): Typical(9_000, 3.2, 0.36),
    ("medicare", False): Typical(14_600, 2.1, 0.50),
    ("dual", False): Typical(38_000, 1.2, 0.82),
    ("commercial", False): Typical(6_700, 3.3, 0.37),
    ("medicaid", True): Typical(54_000, 1.7, 0.3),
    ("medicare", True): Typical(63_000, 1.2, 0.39),
    ("dual", True): Typical(142_000, 0.45, 0.57),
    ("commercial", True): Typical(37_000, 1.9, 0.3),
}
ASSUMED = "assumption"


class Row(NamedTuple):
    """One thing that an odds assumes."""

    what: str
    value: str
    rests_on: str
    option: str  # how to change it


def benchmark_error_of(contract: Contract, luck: Luck, lives: int) -> tuple[float, str]:
    """How far the benchmark itself strays by luck, as a share of it, by the contract's own kind of benchmark.

    With s one year's chance spread of the people's cost, cv / sqrt(lives): own history of other people, s times
    sqrt(sum of squared weights); of the same people, who bring part of their luck along, less; a comparison group of as
    many people, s; a persistence factor measured on as many earlier people, s.

    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("whole-population-measured"))
    >>> share, words = benchmark_error_of(contract, Luck(cv=2.0), lives=400)
    >>> round(share, 4), words  # 0.1 x sqrt(0.4^2 + 0.6^2)
    (0.0721, 'the luck of its own 2 years of history')
    """
    rule = contract.measurement.benchmark if contract.measurement else None
    s = luck.cv / math.sqrt(lives)
    if rule is None or rule.kind == "fixed":
        return 0.0, "the benchmark is an agreed number" if rule else "the contract does not say how it is made"
    if rule.kind == "matched_comparison":
        return s, "the luck of as many people to compare with"
    if rule.kind == "persistence_corrected":
        if rule.remains is not None:
            return 0.0, "the factor is an agreed number"
        return s, "the luck of as many earlier people, on whom the factor is measured"
    squares = sum(weight**2 for weight in rule.weights)
    words = f"the luck of its own {len(rule.weights)} year{'s' * (len(rule.weights) > 1)} of history"
    if rule.people == "the same people":
        return s * math.sqrt(max(0.0, (1 - luck.kept) * (1 + squares) - 1)), f"{words}, of the same people"
    return s * math.sqrt(squares), words


class Taken(NamedTuple):
    """What an odds is drawn with, and what each number of it rests on."""

    years: list[Year]
    luck: Luck
    basis: dict[str, str]  # by option
    made: bool  # whether the years are made from the contract's terms

    @property
    def lives(self) -> int:
        """The people of the first year."""
        return _lives(self.years[0], self.luck)

    def rows(self) -> list[Row]:
        """Everything that is assumed, in the order in which it matters to a reader."""
        luck, year = self.luck, self.years[0]
        cost = float(year.spend or year.benchmark or COST * self.lives) / self.lives
        cap = "no limit" if math.isinf(luck.truncation) else f"${luck.truncation:,.0f}"

        def row(what: str, value: str, option: str) -> Row:
            return Row(what, value, self.basis.get(option, ASSUMED), f"--{option.replace('_', '-')}")

        found = [
            row("people", f"{self.lives:,}", "lives"),
            row("what one costs in a year", f"${cost:,.0f}", "member_cost"),
            row("one member's spread of cost, over the mean", f"{luck.cv:g}", "spread"),
            row("the most that one member counts", cap, "truncation"),
            row("what moves everyone's cost at once, in a year", f"{luck.common:.1%}", "common"),
            row("how much of the members' luck is there again next year", f"{luck.kept:g}", "kept"),
            row("members who leave in a year", f"{luck.churn:.0%}", "churn"),
            row("how far the benchmark strays by luck", f"{luck.benchmark:.1%}", "benchmark_error"),
            row("how far its trend strays in a year, adding up", f"{luck.trend:.1%}", "trend_error"),
            Row(
                "counts: how clumped, and how far they go with cost",
                f"{luck.clumps:g}, {luck.with_cost:g}",
                ASSUMED,
                "-",
            ),
        ]
        if not self.made:
            found[1] = found[1]._replace(option="the years file")
            return found
        if year.engaged_months or year.documented_months:
            found.append(Row("months engaged or documented", f"{ENGAGED:.0%} of all", ASSUMED, "a years file"))
        for name, value in year.measures.items():
            counted = f", of {COUNTED:.0%} of people" if name in year.denominators else ""
            found.append(Row(f"measure “{name}”", f"{value:g}{counted}", ASSUMED, "a years file"))
        return found


def take(
    contract: Contract,
    years: Sequence[Year] | None = None,
    *,
    line: Business | None = None,
    complex_care: bool = False,
    lives: int | None = None,
    member_cost: float | None = None,
    spread: float | None = None,
    truncation: float | None = None,
    common: float | None = None,
    kept: float | None = None,
    churn: float | None = None,
    benchmark_error: float | None = None,
    trend_error: float | None = None,
) -> Taken:
    """The years and the luck of an odds: the contract's own numbers, then those given, then what is typical of a line.

    >>> from carecontracts import gallery
    >>> taken = take(Contract.load(gallery("shared-savings")), line="medicaid", complex_care=True, lives=600)
    >>> [(row.what, row.value) for row in taken.rows()[:3]]
    [('people', '600'), ('what one costs in a year', '$54,000'), ("one member's spread of cost, over the mean", '1.7')]
    """
    usual, rests_on = typical(line, complex_care)
    given = {
        "lives": lives, "member_cost": member_cost, "spread": spread, "truncation": truncation, "common": common,
        "kept": kept, "churn": churn, "benchmark_error": benchmark_error, "trend_error": trend_error,
    }  # fmt: skip
    basis = {"spread": rests_on} | ({"kept": rests_on, "member_cost": rests_on} if line else {})
    own = None if years else paid_for_all_care(contract)
    if own:
        basis["member_cost"] = "the contract: what it pays for all care"
    basis |= {option: "given" for option, value in given.items() if value is not None}
    if years:
        basis |= {"member_cost": "the years file"} | ({} if lives else {"lives": "the years file"})
        expected = list(years)
    else:
        cost = member_cost or own or usual.cost
        expected = expected_years(contract, cost=cost, **({"lives": lives} if lives else {}))
    changed = {"common": common, "churn": churn, "trend": trend_error}
    luck = Luck(
        lives=lives,
        cv=usual.spread if spread is None else spread,
        kept=usual.kept if kept is None else kept,
        truncation=math.inf if truncation is None else truncation,
        **{name: value for name, value in changed.items() if value is not None},
    )
    error, because = benchmark_error_of(contract, luck, _lives(expected[0], luck))
    if error and spread is None and line is None:
        error, because = 0.0, f"in the spread of {COEFFICIENT} already, which is fitted to the whole of it"
    if benchmark_error is None:
        basis["benchmark_error"] = because
    luck = replace(luck, benchmark=min(0.5, error if benchmark_error is None else benchmark_error))
    return Taken(expected, luck, basis, made=not years)


def _lives(year: Year, luck: Luck) -> int:
    months = year.fact("member_months")
    return max(1, round(float(luck.lives or year.lives or (months / 12 if months else LIVES))))


class Swing(NamedTuple):
    """What the payer pays for nothing in an average year, with one assumption at either end."""

    what: str
    low: str
    at_low: float
    high: str
    at_high: float

    @property
    def width(self) -> float:
        return abs(self.at_high - self.at_low)

    def __str__(self) -> str:
        return f"{self.what}: {_dollars(self.at_low)} at {self.low}, {_dollars(self.at_high)} at {self.high}"


def _dollars(amount: float) -> str:
    return f"{'−' if amount < -0.5 else ''}${abs(amount):,.0f}"


def swings(
    contract: Contract,
    years: Sequence[Year],
    luck: Luck,
    *,
    seed: int,
    draws: int = 2_000,
    tell: Callable[[str], None] = lambda doing: None,
) -> list[Swing]:
    """How far what is paid for nothing hangs on each assumption, one at a time, the widest first.

    The same seed draws every one of them, so that what differs is the assumption. Empty where nothing is paid by
    results.
    """
    if not any(clause.pays_for_results for clause in contract.clauses):
        return []

    def paid(changed: Luck) -> float:
        drawn = simulate(contract, years, rng=np.random.default_rng(seed), draws=draws, luck=changed)
        pays, back = drawn.results()
        return float(pays.mean() - back.mean())

    found = []
    for what, low, high, changes in _ends(luck):
        tell(f"What moves it: {what}")
        at_low, at_high = (paid(replace(luck, **change)) for change in changes)
        found.append(Swing(what, low, at_low, high, at_high))
    return sorted(found, key=lambda swing: -swing.width)


def _ends(luck: Luck) -> Iterator[tuple[str, str, str, tuple[dict[str, Any], dict[str, Any]]]]:
    """Each assumption's two ends: what another reader may as well have taken."""
    for what, name, ends, form in (
        ("one member's spread", "cv", (luck.cv / 1.5, luck.cv * 1.5), "{:.2g}"),
        ("what moves everyone at once", "common", (0.0, 2 * max(luck.common, 0.01)), "{:.1%}"),
        ("luck that is there again", "kept", (0.0, 0.8), "{:g}"),
        ("members who leave", "churn", (0.0, 0.3), "{:.0%}"),
        ("the benchmark's own error", "benchmark", (0.0, max(0.03, 2 * luck.benchmark)), "{:.1%}"),
        ("the trend's error", "trend", (0.0, max(0.01, 2 * luck.trend)), "{:.1%}"),
    ):
        low, high = ends
        yield what, form.format(low), form.format(high), ({name: low}, {name: high})


def typical(line: Business | None, complex_care: bool) -> tuple[Typical, str]:
    """What to take of cost, spread and lasting luck, and what that rests on."""
    if line is None:
        words = f"{ASSUMED}: fitted to Medicare's scale of minimums, all included; give --line or your own"
        return Typical(COST, COEFFICIENT, Luck().kept), words
    who = "the dearest 5% of a year in the next" if complex_care else "everyone"
    return TYPICAL[line, complex_care], f"synthetic people, {line}, {who}"
