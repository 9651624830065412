"""A place with a program whose true effect is known: its people, what would have happened to each, and samples of it.

Start from histories: what each person would have cost, year by year, without any program (from claims, from synthetic
people, or from `lognormal`). `place` picks the eligible by their cost in a trigger year and gives each a type: would
enroll if offered, would engage. So both what happened and what would have happened are known for everyone.
`draw` takes many samples of such a place, for the `designs` to judge.

What moves everyone in a place at once, a price or a bad winter, is a shock to the place: people do not average it out,
only places do.

Not modelled:
- spillover: a program that changes the care of those who are not offered it
- effects that differ with a person's cost, other than by share; effects that build up over the years
- comparison people lost or found for reasons that have to do with the program
- places of different sizes or with shocks of different sizes, which make few places fewer
- providers and households within a place, each with a level and a shock of its own: people who share one tell less than
  as many strangers
- a shock that lasts from one year to the next, or that strikes the dear harder than the cheap
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..refusal import Fault, Refusal, show

Array = np.ndarray[Any, np.dtype[Any]]
Estimand = Literal["eligible", "enrolled", "engaged"]
STRATA = 10  # of trigger-year cost, within which the matched design compares


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
    keeps: float = 0.0  # of those engaged who would leave or die before the end, who stay
    kept_cost: float = 2.0  # what they cost in the years they would have missed, in averages of those who stay anyway

    def __post_init__(self) -> None:
        faults = [
            Fault(f"program, {name}", show(value), f"{least:g} to {most:g}", do)
            for name, value, least, most, do in (
                ("reach", self.reach, 0, 1, "for 15% write 0.15"),
                ("engagement", self.engagement, 0, 1, "for 15% write 0.15"),
                ("effect", self.effect, -1, 1, "for 15% write 0.15"),
                ("enrolled_effect", self.enrolled_effect, -1, 1, "for 15% write 0.15"),
                ("willing", self.willing, -1, 1, "for 15% write 0.15"),
                ("unasked", self.unasked, 0, 1, "for 15% write 0.15"),
                ("keeps", self.keeps, 0, 1, "for 15% write 0.15"),
                ("kept_cost", self.kept_cost, 0, 100, "for twice what the others cost write 2"),
            )
            if not least <= value <= most
        ]
        if faults:
            raise Refusal(faults)


@dataclass(frozen=True)
class Place:
    """The eligible people of a place, each with what they cost without the program, and with it if they are offered it.

    Arrays are [person, year, quarter]; types are [person]. `stays` marks who is there to the end without the program,
    `kept` who is only because they engage in it.
    """

    years: tuple[int, ...]  # 0 is the trigger year; the program starts after it
    without: Array
    offered: Array
    elsewhere: Array  # of another place without the program: those picked by the same rule, or not
    enrolls: Array
    engages: Array
    unasked: Array
    stays: Array
    kept: Array
    stays_elsewhere: Array
    cuts: Array  # between strata of trigger-year cost
    trend: float
    program: Program

    @property
    def after(self) -> Array:
        return np.array(self.years) > 0

    def truth(self, of: Estimand) -> float:
        """The true saving in dollars per person and year: the mean of the eligible, the enrolled or the engaged.

        Of those who stay in any case: whoever is kept is there to be cared for, and no saving.
        """
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

    stays = ~np.isnan(eligible).any(axis=1)
    kept = engages & ~stays & (rng.random(people) < program.keeps) if program.keeps else np.zeros(people, bool)
    if kept.any():
        usual = program.kept_cost * eligible[stays].mean(axis=0)
        eligible = np.where(kept[:, None] & np.isnan(eligible), usual, eligible)

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
        stays,
        kept,
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
        sample(there.offered, there.stays | there.kept, there.enrolls, there.engages, people, here),
        sample(there.without, there.stays, nobody, nobody, others, here),
        sample(there.elsewhere, there.stays_elsewhere, nobody, nobody, others, far),
        sample(
            half, there.stays | there.kept & there.unasked, there.unasked, there.unasked & there.engages, others, here
        ),
    )
