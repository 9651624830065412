"""What an odds rests on, line by line: each number with where it is from, and how far the answer hangs on it.

A contract's own numbers come first, then the reader's, then what is typical of a line of business, and what nobody gave
is called an assumption.

Not modelled: an error in the benchmark that favors one side; a trend that both parties misjudge and then correct.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from ..contract import Contract
from ..expected import COST, ENGAGED, LIVES
from ..measuring.benchmark import OwnHistory
from ..refusal import Fault, Refusal, did_you_mean, in_dollars, listed, show
from ..year import Year
from .benchmark_error import Made, Stray, benchmark_error_of, rule_of
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


class Taken(NamedTuple):
    """What an odds is drawn with, and what each number of it rests on."""

    years: list[Year]
    luck: Luck
    basis: dict[str, str]  # by option
    made: bool  # whether the years are made from the contract's terms
    benchmark: Stray
    engaged: float  # of all months, in made-up years
    care: float  # dollars a member's care is taken to cost in a year, where no fact says it

    @property
    def lives(self) -> int:
        """The people of the first year."""
        return _lives(self.years[0], self.luck)

    @property
    def cost(self) -> float:
        """What a member's care is expected to cost in the first year."""
        return float(self.years[0].whole_spend or self.years[0].whole_benchmark or self.care * self.lives) / self.lives

    def rows(self) -> list[Row]:
        """Everything that is assumed, in the order in which it matters to a reader."""
        luck, year, cost = self.luck, self.years[0], self.cost
        cap = "no limit" if math.isinf(luck.truncation) else in_dollars(luck.truncation, ",.0f")

        def row(what: str, value: str, option: str) -> Row:
            return Row(what, value, self.basis.get(option, ASSUMED), f"--{option.replace('_', '-')}")

        found = [
            row("people", f"{self.lives:,}", "lives"),
            row("what one costs in a year", in_dollars(cost, ",.0f"), "member_cost"),
            row("one member's spread of cost, over the mean", f"{luck.cv:g}", "spread"),
            row("the most that one member counts", cap, "truncation"),
            row("what moves everyone's cost at once, in a year", f"{luck.common:.1%}", "common"),
            row("how much of the members' luck is there again next year", f"{luck.kept:g}", "kept"),
            row("members who leave in a year", f"{luck.churn:.0%}", "churn"),
            row("how the benchmark is made", self.benchmark.how, "benchmark_from")._replace(
                option=", ".join(f"--{option}" for option in ("benchmark-from", *self.benchmark.options))
            ),
            row("how far it strays by luck", f"{luck.benchmark:.1%}{self._lasts()}", "benchmark_error"),
            row("of what moves everyone, what moves it too", f"{luck.benchmark_with_everyone:.0%}", "common_shared"),
            row("how far its trend strays in a year, adding up", f"{luck.trend:.1%}", "trend_error"),
            row("how clumped counts are: variance over mean", f"{luck.clumps:g}", "clumps"),
            row("how far counts go with cost", f"{luck.with_cost:g}", "with_cost"),
        ]
        if self.benchmark.people:
            found.insert(8, row("people to compare with, or to measure on", f"{self.benchmark.people:,}", "compared"))
        if not self.made:
            found[1] = found[1]._replace(option="the years file")
            return found
        if year.engaged_months or year.documented_months:
            found.append(row("months engaged or documented", f"{self.engaged:.0%} of all", "engaged"))
        for name, value in year.measures.items():
            people = year.denominators.get(name)
            counted = "" if people is None else f", of {people / self.lives:.0%} of people"
            because = self.basis.get(f"measure {name}", ASSUMED)
            found.append(Row(f"measure “{name}”", f"{value:g}{counted}", because, "--measure"))
        return found

    def _lasts(self) -> str:
        """For how long the benchmark's error is there, where there is any."""
        if not self.luck.benchmark:
            return ""
        lasts = self.luck.benchmark_lasts
        return ", the same in every year" if lasts == 1 else f", {lasts:.0%} of it again in the next year"


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
    benchmark_from: Made | None = None,
    weights: Sequence[float] | None = None,
    own_share: float | None = None,
    compared: int | None = None,
    benchmark_error: float | None = None,
    common_shared: float | None = None,
    trend_error: float | None = None,
    clumps: float | None = None,
    with_cost: float | None = None,
    engaged: float | None = None,
    measures: Mapping[str, float] | None = None,
    care: bool = False,
) -> Taken:
    """The years and the luck of an odds: the contract's own numbers, then those given, then what is typical of a line.

    `engaged`, a share of months, and `measures`, results by name, are of made-up years. With `care` these say what care
    costs, though no clause reads it.

    >>> from carecontracts import gallery
    >>> taken = take(Contract.load(gallery("shared-savings")), line="medicaid", complex_care=True, lives=600)
    >>> [(row.what, row.value) for row in taken.rows()[:3]]
    [('people', '600'), ('what one costs in a year', '$54,000'), ("one member's spread of cost, over the mean", '1.7')]
    """
    usual, rests_on = typical(line, complex_care)
    given = {
        "lives": lives, "member_cost": member_cost, "spread": spread, "truncation": truncation, "common": common,
        "kept": kept, "churn": churn, "benchmark_from": benchmark_from, "compared": compared,
        "benchmark_error": benchmark_error, "common_shared": common_shared, "trend_error": trend_error,
        "clumps": clumps, "with_cost": with_cost, "engaged": engaged,
    }  # fmt: skip
    rule = rule_of(contract, benchmark_from, weights, own_share, compared)
    if spread is None and line is None:
        _refuse_to_widen(benchmark_from=benchmark_from, weights=weights, own_share=own_share, compared=compared)
    basis = {"spread": rests_on} | ({"kept": rests_on, "member_cost": rests_on} if line else {})
    own = None if years else paid_for_all_care(contract)
    if own:
        basis["member_cost"] = "the contract: what it pays for all care"
    basis |= {option: "given" for option, value in given.items() if value is not None}
    cost = member_cost or own or usual.cost
    if years:
        basis |= {"member_cost": "the years file"} | ({} if lives else {"lives": "the years file"})
        expected = list(years)
        _refuse_of_a_file(engaged=engaged, measure=measures or None)
    else:
        expected = expected_years(contract, cost=cost, **({"lives": lives} if lives else {}))
        if care:
            people = lives or LIVES
            expected = [
                year if year.whole_spend is not None else replace(year, spend=cost * people) for year in expected
            ]
        expected = _as_given(expected, engaged, measures or {})
        basis |= {f"measure {name}": "given" for name in measures or {}}
    changed = {"common": common, "churn": churn, "trend": trend_error, "clumps": clumps, "with_cost": with_cost}
    luck = Luck(
        lives=lives,
        cv=usual.spread if spread is None else spread,
        kept=usual.kept if kept is None else kept,
        truncation=math.inf if truncation is None else truncation,
        **{name: value for name, value in changed.items() if value is not None},
    )
    stray = benchmark_error_of(contract, luck, _lives(expected[0], luck), rule=rule, compared=compared)
    if spread is None and line is None:
        because = f"in the spread of {COEFFICIENT} already, which is fitted to the whole of it"
        stray = stray._replace(size=0.0, because=because if stray.size else stray.because, with_everyone=0.0)
    where = "the contract" if contract.measurement else ASSUMED
    found = {"benchmark_from": where, "benchmark_error": stray.because, "compared": f"{ASSUMED}: as many"}
    basis = found | {"common_shared": "how the benchmark is made"} | basis
    if benchmark_from and isinstance(rule, OwnHistory) and weights is None:
        basis["benchmark_from"] = f"given; its weights are an {ASSUMED}"
    elif weights or own_share is not None:
        basis["benchmark_from"] = "given"
    luck = replace(
        luck,
        benchmark=min(0.5, stray.size if benchmark_error is None else benchmark_error),
        benchmark_lasts=stray.lasts,
        benchmark_with_members=min(1.0, stray.with_members),
        benchmark_with_everyone=stray.with_everyone if common_shared is None else common_shared,
    )
    return Taken(expected, luck, basis, not years, stray, ENGAGED if engaged is None else engaged, cost)


def _as_given(years: Sequence[Year], engaged: float | None, measures: Mapping[str, float]) -> list[Year]:
    """Made-up years with the results, and the share of months, that were given."""
    known = list(years[0].measures)
    faults = [
        Fault("--measure", show(name), listed(known) or "no measure: no clause reads one", f"{hint}correct it")
        for name in measures
        if name not in known
        for hint in [did_you_mean(name, known)]
    ]
    if engaged is not None and not (years[0].engaged_months or years[0].documented_months):
        do = "take the option out"
        faults.append(Fault("--engaged", show(engaged), "a contract that pays by engaged or documented months", do))
    if faults:
        raise Refusal(faults)
    share = 1.0 if engaged is None else engaged / ENGAGED

    def engaged_in(year: Year, group: str) -> dict[str, float]:
        return {tier: number * share for tier, number in getattr(year, group).items()}

    return [
        replace(
            year,
            measures={**year.measures, **measures},
            engaged_months=engaged_in(year, "engaged_months"),
            documented_months=engaged_in(year, "documented_months"),
        )
        for year in years
    ]


def _refuse_of_a_file(**given: object) -> None:
    """Refuses what a years file says itself."""
    faults = [
        Fault(f"--{option}", "with a years file", "one of the two", "take the option out: the years say it")
        for option, value in given.items()
        if value is not None
    ]
    if faults:
        raise Refusal(faults)


def _refuse_to_widen(**given: object) -> None:
    """Refuses to add a benchmark's error to the spread that is fitted to all error there is."""
    faults = [
        Fault(
            f"--{option.replace('_', '-')}",
            show(value),
            "--spread or --line with it",
            f"give the spread of your members: {COEFFICIENT}, which stands in for it, has the benchmark's error in it",
        )
        for option, value in given.items()
        if value is not None
    ]
    if faults:
        raise Refusal(faults)


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
        low, high = (in_dollars(amount, ",.0f") for amount in (self.at_low, self.at_high))
        return f"{self.what}: {low} at {self.low}, {high} at {self.high}"


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
    from numpy.random import default_rng

    def paid(changed: Luck) -> float:
        drawn = simulate(contract, years, rng=default_rng(seed), draws=draws, luck=changed)
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
        ("what moves everyone, how much of it moves the benchmark", "benchmark_with_everyone", (0.0, 1.0), "{:.0%}"),
        ("the trend's error", "trend", (0.0, max(0.01, 2 * luck.trend)), "{:.1%}"),
    ):
        if name == "benchmark_with_everyone" and not luck.benchmark_with_everyone:
            continue  # it has nothing of it by how it is made
        low, high = ends
        yield what, form.format(low), form.format(high), ({name: low}, {name: high})


def typical(line: Business | None, complex_care: bool) -> tuple[Typical, str]:
    """What to take of cost, spread and lasting luck, and what that rests on."""
    if line is None:
        words = f"{ASSUMED}: fitted to Medicare's scale of minimums, all included; give --line or your own"
        return Typical(COST, COEFFICIENT, Luck().kept), words
    who = "the dearest 5% of a year in the next" if complex_care else "everyone"
    return TYPICAL[line, complex_care], f"synthetic people, {line}, {who}"
