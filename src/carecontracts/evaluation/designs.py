"""Evaluation designs: one program whose true effect is known, judged by every design that a contract might name.

Start from histories: what each person would have cost, year by year, without any program (from claims, from synthetic
people, or from `lognormal`). `place` picks the eligible by their cost in a trigger year and gives each a type: would
enroll if offered, would engage. So both what happened and what would have happened are known for everyone.
`draw` takes many samples of such a place; `DESIGNS` judge them, all samples at once, in closed form; `evaluate` does
the same to one table of people by statsmodels, for readers with a table of their own. Tests hold the two together.

What moves everyone in a place at once, a price or a bad winter, is a shock to the place: people do not average it out,
only places do. Errors by person know nothing of it; `by_place` does.

A saving is dollars per person and year that were not spent: positive is good.

Not modelled:
- spillover: a program that changes the care of those who are not offered it
- effects that differ with a person's cost, other than by share; effects that build up over the years
- people who leave or die: every design counts those who are there to the end, which is fair only where the program has
  no part in who that is
- comparison people lost or found for reasons that have to do with the program
- providers within a place, each with a level and a shock of its own
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy.special import ndtri, stdtrit

from ..contract import Contract
from ..refusal import Fault, Refusal, did_you_mean, show
from ..year import Year
from .series import step

Array = np.ndarray[Any, np.dtype[Any]]
Estimand = Literal["eligible", "enrolled", "engaged"]
STRATA = 10  # of trigger-year cost, within which the matched design compares


# --- people, and what would have happened to them ---------------------------------------------------------------------


def lognormal(
    people: int,
    years: int,
    *,
    rng: np.random.Generator,
    mean: float = 7_000.0,
    sigma: float = 1.57,
    lasting: float = 0.5,
    fade: float = 0.25,
    trend: float = 0.05,
    leaves: float = 0.0,
) -> Array:
    """Made-up histories of cost, whose regression to the mean is known exactly: [person, year], NaN once gone.

    The log of cost is normal; two years h apart correlate by lasting + (1 - lasting) fade^h. The default correlates
    neighboring years by 0.625. Each year after the first a share `leaves` goes, whatever they cost.

    >>> cost = lognormal(1_000, 3, rng=np.random.default_rng(1))
    >>> cost.shape, bool((cost > 0).all())
    ((1000, 3), True)
    """
    z = np.empty((people, years))
    passing = rng.standard_normal(people)
    stays = np.sqrt(lasting) * rng.standard_normal(people)
    for k in range(years):
        if k:
            passing = fade * passing + np.sqrt(1 - fade**2) * rng.standard_normal(people)
        z[:, k] = stays + np.sqrt(1 - lasting) * passing
    cost = mean * np.exp(sigma * z - sigma**2 / 2) * (1 + trend) ** np.arange(years)
    if leaves:
        gone = rng.random((people, years)) < leaves
        gone[:, 0] = False
        cost[np.maximum.accumulate(gone, axis=1)] = np.nan
    return cost


def histories(panel: pd.DataFrame) -> Array:
    """A table of member-years as histories: [person, year], NaN in years without a row.

    >>> rows = pd.DataFrame({"person_id": ["a", "a", "b"], "year": [2023, 2024, 2023], "paid": [5.0, 7.0, 9.0]})
    >>> histories(rows).tolist()
    [[5.0, 7.0], [9.0, nan]]
    """
    missing = [column for column in ("person_id", "year", "paid") if column not in panel]
    if missing:
        do = "give one row for each person and year"
        raise Refusal([Fault("panel", "no " + ", ".join(missing), "columns person_id, year and paid", do)])
    return np.asarray(panel.pivot(index="person_id", columns="year", values="paid"), dtype=float)


@dataclass(frozen=True)
class Program:
    """What the program does, and to whom.

    The effect on the eligible is reach x (engagement x effect + (1 - engagement) x enrolled_effect), if those who
    enroll are like the rest.
    """

    reach: float = 0.6  # of those offered, who enroll
    engagement: float = 0.6  # of those enrolled, who engage
    effect: float = 0.15  # of their cost, taken off the engaged
    enrolled_effect: float = 0.0  # taken off those who enroll and do not engage
    willing: float = 0.0  # how far the costlier decline: correlation of enrolling with cost in the other years, negated
    unasked: float = 0.3  # of those who would enroll if asked, who enroll without being asked (encouragement)

    def __post_init__(self) -> None:
        faults = [
            Fault(f"program, {name}", show(value), f"{least:g} to 1", "for 15% write 0.15")
            for name, value, least in (
                ("reach", self.reach, 0),
                ("engagement", self.engagement, 0),
                ("effect", self.effect, -1),
                ("enrolled_effect", self.enrolled_effect, -1),
                ("willing", self.willing, -1),
                ("unasked", self.unasked, 0),
            )
            if not least <= value <= 1
        ]
        if faults:
            raise Refusal(faults)


@dataclass(frozen=True)
class Place:
    """The eligible people of a place, each with what they cost without the program, and with it if they are offered it.

    Arrays are [person, year, quarter]; types are [person]. `stays` marks who is there to the end.
    """

    years: tuple[int, ...]  # 0 is the trigger year; the program starts after it
    without: Array
    offered: Array
    elsewhere: Array  # of another place without the program: those picked by the same rule, or not
    enrolls: Array
    engages: Array
    unasked: Array
    stays: Array
    stays_elsewhere: Array
    cuts: Array  # between strata of trigger-year cost
    trend: float
    program: Program

    @property
    def after(self) -> Array:
        return np.array(self.years) > 0

    def truth(self, of: Estimand) -> float:
        """The true saving in dollars per person and year: the mean of the eligible, the enrolled or the engaged."""
        who = self.stays & {"eligible": self.stays, "enrolled": self.enrolls, "engaged": self.engages}[of]
        saved = (self.without - self.offered)[who][:, self.after].sum(axis=2)
        return float(saved.mean()) if len(saved) else 0.0

    def expected(self) -> float:
        """What one of the eligible costs in a year without the program, once it would have started."""
        return float(self.without[self.stays][:, self.after].sum(axis=2).mean())


def place(
    cost: Array,
    program: Program,
    *,
    trigger: int,
    rng: np.random.Generator,
    top: float = 0.05,
    trend: float = 0.05,
    elsewhere: float = 0.0,
    same_rule: bool = True,
) -> Place:
    """Pick the dearest `top` of those there in the trigger year (a column of `cost`), and give each a type.

    `trend` is what the market is believed to grow by a year. `elsewhere` makes the other place's people cost that
    share more. Without `same_rule` its people are ordinary ones, there in the trigger year but not picked by cost.

    >>> rng = np.random.default_rng(1)
    >>> there = place(lognormal(20_000, 5, rng=rng), Program(), trigger=2, rng=rng)
    >>> there.years, len(there.without), round(there.truth("engaged") / there.truth("eligible"), 1)
    ((-2, -1, 0, 1, 2), 1000, 2.8)
    """
    count = cost.shape[1]
    if not 0 < trigger < count - 1 or not 0 < top < 1:
        allowed = f"a trigger year with a year before and after it (1 to {count - 2}), and a top between 0 and 1"
        raise Refusal([Fault("place", f"trigger {trigger}, top {top:g}", allowed, "correct the one that is outside")])
    there = ~np.isnan(cost[:, : trigger + 1]).any(axis=1)
    cost = cost[there]
    cut = np.quantile(cost[:, trigger], 1 - top)
    eligible = cost[cost[:, trigger] >= cut]
    other = eligible if same_rule else cost[rng.permutation(len(cost))[: len(eligible)]]
    people = len(eligible)

    # Who enrolls: those whose other years are costlier are the less willing, as far as `willing` says.
    level = np.log1p(np.nanmean(np.delete(eligible, trigger, axis=1), axis=1))
    rank = ndtri((level.argsort().argsort() + 0.5) / people)
    score = -program.willing * rank + np.sqrt(1 - program.willing**2) * rng.standard_normal(people)
    enrolls = score >= np.quantile(score, 1 - program.reach) if program.reach else np.zeros(people, bool)
    engages = enrolls & (rng.random(people) < program.engagement)
    unasked = enrolls & (rng.random(people) < program.unasked)

    def by_quarter(yearly: Array) -> Array:  # a year's cost falls unevenly into its quarters
        parts = rng.standard_exponential((*yearly.shape, 4))
        return np.asarray(yearly[..., None] * (parts / parts.sum(axis=2, keepdims=True)))

    without = by_quarter(eligible)
    less = np.where(engages, program.effect, np.where(enrolls, program.enrolled_effect, 0.0))
    years = tuple(range(-trigger, count - trigger))
    offered = without * (1 - less[:, None, None] * (np.array(years) > 0)[None, :, None])
    far = by_quarter(other * (1 + elsewhere))
    return Place(
        years,
        without,
        offered,
        far,
        enrolls,
        engages,
        unasked,
        np.asarray(~np.isnan(eligible).any(axis=1)),
        np.asarray(~np.isnan(other).any(axis=1)),
        np.quantile(eligible[:, trigger], np.arange(1, STRATA) / STRATA),
        trend,
        program,
    )


@dataclass(frozen=True)
class Sample:
    """One group in every draw: yearly cost [draw, person, year], who stays, and what each did."""

    cost: Array
    quarters: Array  # the group's mean cost per person by quarter [draw, quarter]
    stays: Array
    enrolled: Array
    engaged: Array
    place: Array  # where each lives, [draw, person]: 0 and up


@dataclass(frozen=True)
class Draws:
    """Many samples of a place: those offered the program, those randomized to wait for it, those elsewhere, and those
    who were not asked but could have enrolled (for encouragement)."""

    place: Place
    offered: Sample
    waiting: Sample
    elsewhere: Sample
    unasked: Sample

    def panel(self, k: int) -> pd.DataFrame:
        """One draw as a plain table: a row for each person and year, columns person_id, group, year, paid, …"""
        rows: list[pd.DataFrame] = []
        for name in ("offered", "waiting", "elsewhere", "unasked"):
            group: Sample = getattr(self, name)
            people = group.cost.shape[1]
            for j, year in enumerate(self.place.years):
                rows.append(
                    pd.DataFrame(
                        {
                            "person_id": [f"{name} {i}" for i in range(people)],
                            "group": name,
                            "year": year,
                            "paid": group.cost[k, :, j],
                            "enrolled": group.enrolled[k].astype(int),
                            "engaged": group.engaged[k].astype(int),
                            "place": [f"{'elsewhere' if name == 'elsewhere' else 'here'} {p}" for p in group.place[k]],
                        }
                    )[group.stays[k]]
                )
        return pd.concat(rows, ignore_index=True)


def draw(
    there: Place,
    people: int,
    draws: int,
    *,
    rng: np.random.Generator,
    comparison: float = 1.0,
    places: int = 1,
    shock: float = 0.0,
) -> Draws:
    """Samples of `people` offered the program, and of `comparison` times as many in each comparison group.

    The offered live in so many `places`, and those elsewhere in as many others. In each year everyone in a place costs
    more or less by its `shock`: normal about 0, with this standard deviation as a share of cost.
    """
    if places < 1 or not 0 <= shock < 1:
        allowed = "1 place or more, and a shock from 0 to under 1: 0.016 is 1.6%"
        raise Refusal([Fault("draw", f"places {show(places)}, shock {show(shock)}", allowed, "correct it")])
    count = len(there.years)
    here, far = (1 + shock * rng.standard_normal((draws, places, count)) if shock else None for _ in range(2))

    def sample(source: Array, stays: Array, enrolled: Array, engaged: Array, size: int, shocks: Array | None) -> Sample:
        chosen = rng.integers(0, len(source), (draws, size))
        there_to_the_end = stays[chosen]
        cost = np.where(there_to_the_end[..., None], source.sum(axis=2)[chosen], np.nan)
        home = rng.integers(0, places, (draws, size)) if places > 1 else np.zeros((draws, size), int)
        flat = np.where(stays[:, None], source.reshape(len(source), -1), 0.0)
        quarters: Array = np.zeros((draws, flat.shape[1]))
        for p in range(places):
            counts = np.stack(
                [np.bincount(who[at == p], minlength=len(source)) for who, at in zip(chosen, home, strict=True)]
            )
            spent = counts @ flat
            quarters += spent if shocks is None else spent * np.repeat(shocks[:, p], 4, axis=1)
        if shocks is not None:
            cost = cost * np.take_along_axis(shocks, home[..., None], axis=1)
        quarters = quarters / there_to_the_end.sum(axis=1, keepdims=True)
        return Sample(cost, quarters, there_to_the_end, enrolled[chosen], engaged[chosen], home)

    nobody = np.zeros(len(there.stays), bool)
    others = round(people * comparison)
    # Those not asked: of the would-be enrollees some enroll all the same, and get what they would have got.
    half = np.where(there.unasked[:, None, None], there.offered, there.without)
    return Draws(
        there,
        sample(there.offered, there.stays, there.enrolls, there.engages, people, here),
        sample(there.without, there.stays, nobody, nobody, others, here),
        sample(there.elsewhere, there.stays_elsewhere, nobody, nobody, others, far),
        sample(half, there.stays, there.unasked, there.unasked & there.engages, others, here),
    )


# --- the designs, all draws at once -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Estimates:
    """What a design found in each draw: the saving, its standard error, and the interval's ends."""

    saving: Array
    se: Array
    people: Array  # whom the saving is counted for: those of the estimand who stayed
    freedom: float = np.inf  # degrees of freedom of the interval, or of each draw's

    @property
    def low(self) -> Array:
        return self.saving - _reach(self.freedom) * self.se

    @property
    def high(self) -> Array:
        return self.saving + _reach(self.freedom) * self.se


def _reach(freedom: float) -> float:
    """How many standard errors a 95% interval reaches to either side."""
    return float(stdtrit(freedom, 0.975) if np.isfinite(freedom) else ndtri(0.975))


def _fit(y: Array, x: Array, weight: Array, z: Array | None = None) -> tuple[Array, Array]:
    """Least squares (or with instruments z, two-stage) in every draw: coefficients, and their HC1 variances.

    y and weight are [draw, person], x and z [draw, person, term]; a weight is 1 for those counted, else 0.
    """
    y = np.where(weight > 0, y, 0.0)
    x = np.where(weight[..., None] > 0, x, 0.0)
    z = x if z is None else np.where(weight[..., None] > 0, z, 0.0)
    zt = z.transpose(0, 2, 1)
    bread = np.linalg.inv(zt @ x)
    beta = (bread @ (zt @ y[..., None]))[..., 0]
    rest = (y - (x @ beta[..., None])[..., 0])[..., None] * z
    count, terms = weight.sum(axis=1), x.shape[2]
    variance = bread @ (rest.transpose(0, 2, 1) @ rest) @ bread.transpose(0, 2, 1)
    return beta, np.diagonal(variance, axis1=1, axis2=2) * (count / (count - terms))[:, None]


def _after(group: Sample, there: Place) -> Array:
    return np.asarray(group.cost[:, :, there.after].mean(axis=2))


def _trigger(group: Sample, there: Place) -> Array:
    return np.asarray(group.cost[:, :, there.years.index(0)])


def _both(one: Array, other: Array) -> Array:
    return np.concatenate([one, other], axis=1)


def _side(first: Sample, second: Sample) -> Array:
    return _both(np.ones(first.stays.shape), np.zeros(second.stays.shape))


def _terms(*columns: Array) -> Array:
    return np.stack([np.ones_like(columns[0]), *columns], axis=2)


def randomized(d: Draws) -> Estimates:
    """Offered against waiting, by lot; adjusted for trigger-year cost. Everyone offered counts, engaged or not."""
    y = _both(_after(d.offered, d.place), _after(d.waiting, d.place))
    base = _both(_trigger(d.offered, d.place), _trigger(d.waiting, d.place))
    beta, variance = _fit(y, _terms(_side(d.offered, d.waiting), base), _both(d.offered.stays, d.waiting.stays))
    return Estimates(-beta[:, 1], np.sqrt(variance[:, 1]), d.offered.stays.sum(axis=1))


def encouragement(d: Draws) -> Estimates:
    """Asked against not asked, by lot, where all may enroll: being asked is the instrument for engaging.

    The saving is that of people who engage because they were asked (CACE, the complier average causal effect), as
    long as being asked and enrolling do nothing by themselves.
    """
    y = _both(_after(d.offered, d.place), _after(d.unasked, d.place))
    base = _both(_trigger(d.offered, d.place), _trigger(d.unasked, d.place))
    engaged = _both(d.offered.engaged, d.unasked.engaged).astype(float)
    beta, variance = _fit(
        y,
        _terms(engaged, base),
        _both(d.offered.stays, d.unasked.stays),
        _terms(_side(d.offered, d.unasked), base),
    )
    return Estimates(-beta[:, 1], np.sqrt(variance[:, 1]), (d.offered.stays & d.offered.engaged).sum(axis=1))


def matched(d: Draws) -> Estimates:
    """The enrolled against people elsewhere of like trigger-year cost: compared within tenths of it."""
    y = _both(_after(d.offered, d.place), _after(d.elsewhere, d.place))
    base = _both(_trigger(d.offered, d.place), _trigger(d.elsewhere, d.place))
    stratum = np.searchsorted(d.place.cuts, np.nan_to_num(base), side="right")
    strata = [(stratum == k).astype(float) for k in range(1, STRATA)]
    who = _both(d.offered.stays & d.offered.enrolled, d.elsewhere.stays)
    beta, variance = _fit(y, _terms(_side(d.offered, d.elsewhere), *strata), who)
    return Estimates(-beta[:, 1], np.sqrt(variance[:, 1]), (d.offered.stays & d.offered.enrolled).sum(axis=1))


def difference_in_differences(d: Draws) -> Estimates:
    """The change of those offered less the change elsewhere, from the average of the years up to the trigger.

    Errors are clustered by person, with statsmodels' small-sample factor for two rows a person and four terms.
    """

    def change(group: Sample) -> Array:
        return np.asarray(_after(group, d.place) - group.cost[:, :, ~d.place.after].mean(axis=2))

    stays = _both(d.offered.stays, d.elsewhere.stays)
    y = _both(change(d.offered), change(d.elsewhere))
    beta, variance = _fit(y, _terms(_side(d.offered, d.elsewhere)), stays)
    n = stays.sum(axis=1)
    factor = (n - 2) / n * n / (n - 1) * (2 * n - 1) / (2 * n - 4)
    return Estimates(-beta[:, 1], np.sqrt(variance[:, 1] * factor), d.offered.stays.sum(axis=1))


def by_place(d: Draws) -> Estimates:
    """Difference-in-differences with a place for each observation: its people's mean change, and places compared.

    Student's interval for two groups of equal variance, with places - 2 degrees of freedom. With one place on either
    side there is none: what happened to the place cannot be told from what the program did, whatever its size.
    """

    def changes(group: Sample) -> Array:
        change = _after(group, d.place) - group.cost[:, :, ~d.place.after].mean(axis=2)
        means = []
        for p in range(int(group.place.max()) + 1):
            who = (group.place == p) & group.stays
            means.append(np.where(who, change, 0.0).sum(axis=1) / np.maximum(who.sum(axis=1), 1))
        return np.stack(means, axis=1)

    offered, elsewhere = changes(d.offered), changes(d.elsewhere)
    saving = elsewhere.mean(axis=1) - offered.mean(axis=1)
    freedom = offered.shape[1] + elsewhere.shape[1] - 2
    if not freedom:
        return Estimates(saving, np.full(len(saving), np.inf), d.offered.stays.sum(axis=1), 1)
    squares = sum(((side - side.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for side in (offered, elsewhere))
    se = np.sqrt(squares / freedom * (1 / offered.shape[1] + 1 / elsewhere.shape[1]))
    return Estimates(saving, se, d.offered.stays.sum(axis=1), freedom)


def interrupted_time_series(d: Draws) -> Estimates:
    """The quarterly cost of those offered: a line through all quarters, and a step when the program starts.

    How far neighboring quarters hang together is not known, and the interval counts that in: see `series.step`.
    """
    after = np.repeat(d.place.after, 4)
    found, low, high = step(d.offered.quarters * 4, after)  # a year's rate
    freedom = len(after) - 3
    return Estimates(-found, (high - low) / 2 / _reach(freedom), d.offered.stays.sum(axis=1), freedom)


def trend_benchmark(d: Draws) -> Estimates:
    """The trigger year's cost carried forward by the market's trend, less what was spent."""
    grown = np.mean([(1 + d.place.trend) ** year for year in d.place.years if year > 0])
    return _paired(_trigger(d.offered, d.place) * grown - _after(d.offered, d.place), d)


def pre_post(d: Draws) -> Estimates:
    """The trigger year's cost less what was spent after it."""
    return _paired(_trigger(d.offered, d.place) - _after(d.offered, d.place), d)


def _paired(saving: Array, d: Draws) -> Estimates:
    beta, variance = _fit(saving, np.ones((*saving.shape, 1)), d.offered.stays)
    return Estimates(beta[:, 0], np.sqrt(variance[:, 0]), d.offered.stays.sum(axis=1))


def engaged_or_not(d: Draws) -> Estimates:
    """Those who engaged against those who were offered and did not; adjusted for trigger-year cost."""
    x = _terms(d.offered.engaged.astype(float), _trigger(d.offered, d.place))
    beta, variance = _fit(_after(d.offered, d.place), x, d.offered.stays)
    return Estimates(-beta[:, 1], np.sqrt(variance[:, 1]), (d.offered.stays & d.offered.engaged).sum(axis=1))


@dataclass(frozen=True)
class Design:
    """A design: whom its answer is for, whom it needs besides those offered, who waits, how it is worked out."""

    estimand: Estimand
    others: str  # the group it compares with, or nobody
    waits: bool  # whether people who would be served must wait
    judge: Callable[[Draws], Estimates]
    formula: str  # as `evaluate` runs it


DESIGNS: Mapping[str, Design] = {
    "randomized or wait-list": Design("eligible", "waiting", True, randomized, "after ~ offered + trigger"),
    "encouragement": Design("engaged", "unasked", False, encouragement, "after ~ trigger + [engaged ~ offered]"),
    "difference-in-differences": Design(
        "eligible", "elsewhere", False, difference_in_differences, "paid ~ offered * post"
    ),
    "matched comparison": Design("enrolled", "elsewhere", False, matched, "after ~ offered + C(stratum)"),
    "engaged or not": Design("engaged", "", False, engaged_or_not, "after ~ engaged + trigger"),
    "interrupted time series": Design("eligible", "", False, interrupted_time_series, "paid ~ quarter + post"),
    "trend benchmark": Design("eligible", "", False, trend_benchmark, "trigger * trend - after ~ 1"),
    "pre-post": Design("eligible", "", False, pre_post, "trigger - after ~ 1"),
}


def compare(d: Draws) -> pd.DataFrame:
    """Every design on the same draws: its estimand's truth, and how often it was near.

    One row a design: the true saving and the mean estimate in dollars per person of the estimand and year; `bias`;
    `sd` between draws; `coverage`, how often the 95% interval held the truth; `power`, how often it lay above zero;
    `needed`, the people to offer the program to for that interval to lie above zero in 80% of draws.

    >>> rng = np.random.default_rng(1)
    >>> there = place(lognormal(20_000, 5, rng=rng), Program(), trigger=2, rng=rng)
    >>> found = compare(draw(there, 200, 50, rng=rng))
    >>> bool(found.loc["pre-post", "bias"] > 10 * abs(found.loc["randomized or wait-list", "bias"]))
    True
    """
    rows = {}
    for name, design in DESIGNS.items():
        found, truth = design.judge(d), d.place.truth(design.estimand)
        people = d.offered.stays.shape[1]
        ratio = 2.8016 * float(found.saving.std(ddof=1)) / truth if truth else np.inf
        rows[name] = {
            "estimand": design.estimand,
            "truth": truth,
            "estimate": float(found.saving.mean()),
            "bias": float(found.saving.mean()) - truth,
            "sd": float(found.saving.std(ddof=1)),
            "se": float(found.se.mean()),
            "coverage": float(np.mean((found.low <= truth) & (truth <= found.high))),
            "power": float(np.mean(found.low > 0)),
            "needed": people * ratio**2,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("design")


def paid(
    d: Draws,
    design: str | Estimates,
    contract: Contract,
    *,
    clause: str | None = None,
    proved: bool = False,
    facts: Mapping[str, Any] | None = None,
) -> Array:
    """What the contract pays in each draw if this design's answer makes the benchmark: what was spent, and the saving.

    Give the design by name, or what it found (which saves finding it again). Spending is what those offered the program
    cost in an average year after it started. With `proved` a saving counts only where its 95% interval lies above zero.
    `facts` are whatever else the contract reads. The amount is what one clause pays, or what all pay, net, to the party
    that the first clause pays.
    """
    if not isinstance(design, Estimates) and design not in DESIGNS:
        do = did_you_mean(design, DESIGNS) + "name a design"
        raise Refusal([Fault("paid, design", show(design), ", ".join(DESIGNS), do)])
    found = design if isinstance(design, Estimates) else DESIGNS[design].judge(d)
    spend = np.nansum(_after(d.offered, d.place), axis=1)
    saved = np.where(found.low > 0, found.saving, 0.0) if proved else found.saving
    benchmark = np.maximum(spend + saved * found.people, 0.0)
    year = Year(year=contract.first_year, spend=spend, benchmark=benchmark, **(facts or {}))
    ledger = contract.settle([year])
    return np.asarray(ledger.total(clause=clause) if clause else ledger.net()[contract.clauses[0].payee])


# --- one table, by statsmodels ----------------------------------------------------------------------------------------


def evaluate(
    panel: pd.DataFrame,
    design: str,
    *,
    trend: float = 0.05,
    cuts: Array | None = None,
    by: Literal["person", "place"] = "person",
) -> Mapping[str, float]:
    """One design on one table, by statsmodels: the saving per person and year of the estimand, and its 95% interval.

    `panel` has a row for each person and year, for those there to the end: person_id, group (offered, and waiting,
    elsewhere or unasked as the design needs), year (0 the trigger year, the program after it), paid, enrolled, engaged
    (0 or 1). The interrupted time series needs a column `quarter` (1 to 4) and a row for each; difference-in-
    differences `by` place needs a column `place`, and two places or more on either side. `cuts` are the bounds between
    strata of trigger-year cost; without them they are the tenths of the enrolled.

    >>> people = [("a", "offered", 9, 5), ("b", "offered", 7, 5), ("c", "elsewhere", 9, 7), ("d", "elsewhere", 7, 7)]
    >>> rows = [(who, group, year, cost[year], 1, 1) for who, group, *cost in people for year in (0, 1)]
    >>> table = pd.DataFrame(rows, columns=["person_id", "group", "year", "paid", "enrolled", "engaged"])
    >>> round(evaluate(table, "difference-in-differences")["saving"], 6)  # they fell by 3, the others by 1
    2.0
    """
    _check(panel, design, by)
    them = panel[panel.group.isin(["offered", DESIGNS[design].others])]
    them = them.assign(offered=(them.group == "offered").astype(int), post=(them.year > 0).astype(int))
    if design == "interrupted time series":
        return _series(them)
    one = them.groupby("person_id").agg(offered=("offered", "first"), enrolled=("enrolled", "first"))
    one["engaged"] = them.groupby("person_id").engaged.first()
    one["after"] = them[them.post == 1].groupby("person_id").paid.mean()
    one["trigger"] = them[them.year == 0].groupby("person_id").paid.sum()
    if design == "difference-in-differences" and by == "place":
        return _by_place(them)
    if design == "difference-in-differences":
        two = them.groupby(["person_id", "offered", "post"], as_index=False).paid.mean()
        clusters = {"groups": two.person_id.astype("category").cat.codes}
        fit = smf.ols("paid ~ offered * post", two).fit(cov_type="cluster", cov_kwds=clusters)
        return _found(-fit.params["offered:post"], fit.bse["offered:post"])
    if design == "encouragement":
        return _instrument(one)
    if design == "matched comparison":
        one = one[(one.offered == 0) | (one.enrolled == 1)]
        if cuts is None:
            cuts = np.quantile(one[one.offered == 1].trigger, np.arange(1, STRATA) / STRATA)
        one = one.assign(stratum=np.searchsorted(cuts, one.trigger, side="right"))
        fit = smf.ols("after ~ offered + C(stratum)", one).fit(cov_type="HC1")
        return _found(-fit.params["offered"], fit.bse["offered"])
    if design in ("trend benchmark", "pre-post"):
        years = sorted(them[them.post == 1].year.unique())
        grown = float(np.mean([(1 + trend) ** int(year) for year in years])) if design == "trend benchmark" else 1.0
        fit = smf.ols("saving ~ 1", one.assign(saving=one.trigger * grown - one.after)).fit(cov_type="HC1")
        return _found(fit.params["Intercept"], fit.bse["Intercept"])
    term = "engaged" if design == "engaged or not" else "offered"
    fit = smf.ols(f"after ~ {term} + trigger", one).fit(cov_type="HC1")
    return _found(-fit.params[term], fit.bse[term])


def event_study(panel: pd.DataFrame, *, others: str = "elsewhere", base: int = 0) -> pd.DataFrame:
    """Year by year, the difference between those offered and the others, less that of the base year (statsmodels).

    Positive is a saving. Years before the program should show none: where they do, the comparison is not one.
    """
    them = panel[panel.group.isin(["offered", others])]
    them = them.assign(offered=(them.group == "offered").astype(int))
    clusters = {"groups": them.person_id.astype("category").cat.codes}
    terms = f"C(year, Treatment({base}))"
    fit = smf.ols(f"paid ~ offered * {terms}", them).fit(cov_type="cluster", cov_kwds=clusters)
    rows = []
    for year in sorted(them.year.unique()):
        name = f"offered:{terms}[T.{year}]"
        saving, se = (-fit.params[name], fit.bse[name]) if year != base else (0.0, 0.0)
        rows.append({"year": int(year)} | _found(saving, se))
    return pd.DataFrame(rows)


def _found(saving: float, se: float, freedom: float = np.inf) -> dict[str, float]:
    reach = _reach(freedom)
    return {
        "saving": float(saving),
        "se": float(se),
        "low": float(saving - reach * se),
        "high": float(saving + reach * se),
    }


def _instrument(one: pd.DataFrame) -> dict[str, float]:
    from statsmodels.sandbox.regression.gmm import IVGMM

    ones = np.ones(len(one))
    x = np.column_stack([ones, one.engaged, one.trigger]).astype(float)
    z = np.column_stack([ones, one.offered, one.trigger]).astype(float)
    # As many instruments as terms: one step is two-stage least squares, and the weights leave the answer alone.
    fit = IVGMM(one.after.to_numpy(), x, z).fit(
        maxiter=1,
        inv_weights=z.T @ z / len(one),
        optim_args={"disp": 0},
        weights_method="cov",
        wargs={"centered": False},
    )
    se = fit.bse[1] * np.sqrt(len(one) / (len(one) - 3))
    return _found(-fit.params[1], se)


def _series(them: pd.DataFrame) -> dict[str, float]:
    mean = them.groupby(["year", "quarter"], as_index=False).paid.mean()
    found, low, high = (float(x[0]) for x in step(4 * mean.paid.to_numpy()[None, :], (mean.year > 0).to_numpy()))
    se = (high - low) / 2 / _reach(len(mean) - 3)
    return {"saving": -found, "se": se, "low": -found - (high - low) / 2, "high": -found + (high - low) / 2}


def _by_place(them: pd.DataFrame) -> dict[str, float]:
    means = them.groupby(["person_id", "place", "offered", "post"], as_index=False).paid.mean()
    change = means.pivot(index=["person_id", "place", "offered"], columns="post", values="paid").reset_index()
    change = change.assign(change=change[1] - change[0]).groupby(["place", "offered"], as_index=False).change.mean()
    fit = smf.ols("change ~ offered", change).fit()
    return _found(-fit.params["offered"], fit.bse["offered"], len(change) - 2)


def _check(panel: pd.DataFrame, design: str, by: str) -> None:
    faults = []
    if design not in DESIGNS:
        do = did_you_mean(design, DESIGNS) + "name a design"
        raise Refusal([Fault("evaluate, design", show(design), ", ".join(DESIGNS), do)])
    needs = ["person_id", "group", "year", "paid", "enrolled", "engaged"]
    needs += ["quarter"] if design == "interrupted time series" else []
    needs += ["place"] if by == "place" else []
    for column in [name for name in needs if name not in panel]:
        faults.append(Fault(f"panel, {column}", "nothing", f"columns {', '.join(needs)}", f"add `{column}`"))
    if by not in ("person", "place") or (by == "place" and design != "difference-in-differences"):
        allowed = "person; or place, with difference-in-differences"
        faults.append(Fault("evaluate, by", f"{by}, with {design}", allowed, "correct it"))
    elif by == "place" and {"place", "group"} <= set(panel):
        sides = [panel[panel.group == group].place.nunique() for group in ("offered", "elsewhere")]
        if min(sides) < 2:
            given, allowed = f"{sides[0]} offered, {sides[1]} elsewhere", "two places or more on either side"
            do = "with one place, its own luck cannot be told from the program's effect: find more places"
            faults.append(Fault("panel, place", given, allowed, do))
    others = DESIGNS[design].others
    if "group" in panel and others and not (panel.group == others).any():
        do = f"name the group of the comparison {others!r}"
        faults.append(Fault("panel, group", show(sorted(panel.group.unique())), f"offered and {others}", do))
    if faults:
        raise Refusal(faults)
