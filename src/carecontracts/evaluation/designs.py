"""Evaluation designs: one program whose true effect is known, judged by every design that a contract might name.

`DESIGNS` judge many samples of a place, all at once, in closed form; `one_table.evaluate` does the same to one table of
people by statsmodels, for readers with a table of their own. Tests hold the two together.

Errors by person know nothing of what moves a whole place at once; `by_place` does. All count those who are there to the
end, which is fair only where the program has no part in who that is: `Program.keeps` is for seeing what it does.

A saving is dollars per person and year that were not spent: positive is good.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from ..contract import Contract
from ..refusal import Fault, Refusal, did_you_mean, show
from ..year import Year
from .places import STRATA, Array, Draws, Estimand, Place, Sample, draw
from .series import step


@dataclass(frozen=True)
class Estimates:
    """What a design found in each draw: the saving, its standard error, and the interval's ends."""

    saving: Array
    se: Array
    people: Array  # whom the saving is counted for: those of the estimand who stayed
    freedom: float = np.inf  # degrees of freedom of the interval, or of each draw's

    @property
    def low(self) -> Array:
        return self.saving - reach(self.freedom) * self.se

    @property
    def high(self) -> Array:
        return self.saving + reach(self.freedom) * self.se


def reach(freedom: float) -> float:
    """How many standard errors a 95% interval reaches to either side.

    >>> round(reach(np.inf), 2), round(reach(4), 2)
    (1.96, 2.78)
    """
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


def _change(group: Sample, there: Place) -> Array:
    return np.asarray(_after(group, there) - group.cost[:, :, ~there.after].mean(axis=2))


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
    who, within, saving, rest = _match(d)
    n = who.sum(axis=1)
    variance = (within**2 * rest**2).sum(axis=1) / (within**2).sum(axis=1) ** 2 * n / (n - STRATA - 1)  # HC1
    return Estimates(saving, np.sqrt(variance), (d.offered.stays & d.offered.enrolled).sum(axis=1))


def _match(d: Draws) -> tuple[Array, Array, Array, Array]:
    """Least squares of cost on side and a level for each stratum: who counts, their side, the saving, the rest of each.

    Cost and side are taken about the means of the person's stratum, which leaves saving and rest as they are.
    """
    who = _both(d.offered.stays & d.offered.enrolled, d.elsewhere.stays)
    base = _both(_trigger(d.offered, d.place), _trigger(d.elsewhere, d.place))[who]
    draws = np.nonzero(who)[0]
    cell = np.searchsorted(d.place.cuts, base, side="right") + STRATA * draws
    people = np.maximum(np.bincount(cell, minlength=STRATA * len(who)), 1)

    def about_the_mean(values: Array) -> Array:
        found = np.zeros(who.shape)
        found[who] = values[who] - (np.bincount(cell, values[who], len(people)) / people)[cell]
        return found

    within = about_the_mean(_side(d.offered, d.elsewhere))
    cost = about_the_mean(_both(_after(d.offered, d.place), _after(d.elsewhere, d.place)))
    beta = (within * cost).sum(axis=1) / (within**2).sum(axis=1)
    return who, within, -beta, cost - beta[:, None] * within


def difference_in_differences(d: Draws) -> Estimates:
    """The change of those offered less the change elsewhere, from the average of the years up to the trigger.

    Errors are clustered by person, with statsmodels' small-sample factor for two rows a person and four terms.
    """

    stays = _both(d.offered.stays, d.elsewhere.stays)
    y = _both(_change(d.offered, d.place), _change(d.elsewhere, d.place))
    beta, variance = _fit(y, _terms(_side(d.offered, d.elsewhere)), stays)
    n = stays.sum(axis=1)
    factor = (n - 2) / n * n / (n - 1) * (2 * n - 1) / (2 * n - 4)
    return Estimates(-beta[:, 1], np.sqrt(variance[:, 1] * factor), d.offered.stays.sum(axis=1))


def by_place(d: Draws, design: str = "difference-in-differences") -> Estimates:
    """Difference-in-differences or a matched comparison with a place for each observation: its people's mean, compared.

    Of difference-in-differences the mean change; of a matched comparison the mean cost, less what its people's strata
    account for. Student's interval for two groups of equal variance, with places - 2 degrees of freedom. With one place
    on either side there is none: what happened to it cannot be told from what the program did, whatever its size.

    Source: Donald and Lang, Review of Economics and Statistics 89, 2007: two steps where the groups are few.
    """
    if design == "difference-in-differences":
        who = _both(d.offered.stays, d.elsewhere.stays)
        value = _both(_change(d.offered, d.place), _change(d.elsewhere, d.place))
    elif design == "matched comparison":
        who, _, saved, rest = _match(d)
        value = rest - saved[:, None] * _side(d.offered, d.elsewhere)
    else:
        allowed = "difference-in-differences, matched comparison: both arms of the others are of the same places"
        raise Refusal([Fault("by_place, design", show(design), allowed, "name one that compares places")])
    people = d.offered.stays.shape[1]

    def means(part: slice, home: Array) -> Array:
        found = []
        for p in range(int(home.max()) + 1):
            here = (home == p) & who[:, part]
            found.append(np.where(here, value[:, part], 0.0).sum(axis=1) / np.maximum(here.sum(axis=1), 1))
        return np.stack(found, axis=1)

    offered, elsewhere = means(slice(people), d.offered.place), means(slice(people, None), d.elsewhere.place)
    saving = elsewhere.mean(axis=1) - offered.mean(axis=1)
    counted = who[:, :people].sum(axis=1)
    freedom = offered.shape[1] + elsewhere.shape[1] - 2
    if not freedom:
        return Estimates(saving, np.full(len(saving), np.inf), counted, 1)
    squares = sum(((side - side.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for side in (offered, elsewhere))
    se = np.sqrt(squares / freedom * (1 / offered.shape[1] + 1 / elsewhere.shape[1]))
    return Estimates(saving, se, counted, freedom)


def interrupted_time_series(d: Draws) -> Estimates:
    """The quarterly cost of those offered: a line through all quarters, and a step when the program starts.

    How far neighboring quarters hang together is not known, and the interval counts that in: see `series.step`.
    """
    after = np.repeat(d.place.after, 4)
    found, low, high = step(d.offered.quarters * 4, after)  # a year's rate
    freedom = len(after) - 3
    return Estimates(-found, (high - low) / 2 / reach(freedom), d.offered.stays.sum(axis=1), freedom)


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


def compare(d: Draws, found: Mapping[str, Estimates] | None = None) -> pd.DataFrame:
    """Every design on the same draws: its estimand's truth, and how often it was near.

    One row a design: the true saving and the mean estimate in dollars per person of the estimand and year; `bias`;
    `sd` between draws; `coverage`, how often the 95% interval held the truth; `power`, how often it lay above zero;
    `needed`, the people to offer the program to for that interval to lie above zero in 80% of draws. What the designs
    found may be given, which saves finding it again.

    >>> from .places import Program, lognormal, place
    >>> rng = np.random.default_rng(1)
    >>> there = place(lognormal(20_000, 5, rng=rng), Program(), trigger=2, rng=rng)
    >>> found = compare(draw(there, 200, 50, rng=rng))
    >>> bool(found.loc["pre-post", "bias"] > 10 * abs(found.loc["randomized or wait-list", "bias"]))
    True
    """
    rows = {}
    people = d.offered.stays.shape[1]
    for name, design in DESIGNS.items():
        answer, truth = found[name] if found else design.judge(d), d.place.truth(design.estimand)
        ratio = 2.8016 * float(answer.saving.std(ddof=1)) / truth if truth else np.inf
        rows[name] = {
            "estimand": design.estimand,
            "truth": truth,
            "estimate": float(answer.saving.mean()),
            "bias": float(answer.saving.mean()) - truth,
            "sd": float(answer.saving.std(ddof=1)),
            "se": float(answer.se.mean()),
            "coverage": held(answer, truth),
            "power": float(np.mean(answer.low > 0)),
            "needed": people * ratio**2,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("design")


def held(found: Estimates, truth: float) -> float:
    """How often the 95% interval held the truth."""
    return float(np.mean((found.low <= truth) & (truth <= found.high)))


def coverage(
    there: Place, people: int, places: Sequence[int], draws: int, *, rng: np.random.Generator, shock: float
) -> pd.DataFrame:
    """How often each design's 95% interval holds the truth, with so many places on either side, each with its shocks.

    One row a design and a kind of error, one column for each number of places. "by person" is what every program
    prints. Where the others are elsewhere two more rows stand: "clustered by place" takes the places' own scatter and
    the normal 1.96, "by place" (`by_place`) takes Student's for so few. NaN where there is none. A share p of so many
    draws is itself off by sqrt(p (1 - p) / draws), one standard error.

    >>> from .places import Program, lognormal, place
    >>> rng = np.random.default_rng(1)
    >>> there = place(lognormal(20_000, 5, rng=rng), Program(effect=0.0), trigger=2, rng=rng)
    >>> shown = coverage(there, 200, [1, 3], 20, rng=rng, shock=0.016)
    >>> shown.loc[("difference-in-differences", "by place")].isna().tolist()
    [True, False]
    """
    rows: dict[tuple[str, str], dict[int, float]] = {}
    for count in places:
        d = draw(there, people, draws, rng=rng, places=count, shock=shock)
        for name, design in DESIGNS.items():
            truth = there.truth(design.estimand)
            rows.setdefault((name, "by person"), {})[count] = held(design.judge(d), truth)
            if design.others == "elsewhere":
                by = by_place(d, name)
                known = np.isfinite(by.se).all()
                usual = held(replace(by, freedom=np.inf), truth) if known else np.nan
                rows.setdefault((name, "clustered by place"), {})[count] = usual
                rows.setdefault((name, "by place"), {})[count] = held(by, truth) if known else np.nan
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["design", "errors"])


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
