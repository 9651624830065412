"""From studies to an expectation for your own program: weigh, pool, doubt, and combine with your own trial.

What care cost with the program left out (gross) and with its cost counted (net) are two questions. A reader asks one,
and only studies that answer it are pooled; what a program must save to pay for itself is a gross figure.

A reader weighs each study by its design, by how like their people it is, and by how long it ran. The weights are plain
numbers to see and to change; a weight of one half doubles a study's variance, everywhere. Studies are pooled by random
effects, and what is carried to your program is the *predictive* distribution: the uncertainty of the average, how far
programs differ, and how little is known of that, together, since yours is one more program and not the average of them.

No expectation stands alone. `scenarios` gives three: what the studies say, a sceptic's view centered on nothing, and
the null, in which the program does nothing and all that a contract pays is luck. `hangs_on` shows how far the answer
hangs on each judgment and on each study.

Reductions are shares of usual cost: 0.10 is 10% less. Standard library only.

Not modelled: studies that were never published; bias within a design beyond its weight; effects that change with time.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Literal, NamedTuple, get_args

from ..refusal import Fault, Refusal, did_you_mean, show
from .library import SPREAD, Cost, Design, Library, Line, Program, Relative

STANDARD = NormalDist()
Z95 = STANDARD.inv_cdf(0.975)
Nulls = Literal["within chance", "at zero", "left out"]

# How much of a study counts, by design. Judgment, not a finding: randomized results center near nothing and others
# run larger, and the further from randomizing, the more of an effect can be people who would have got better anyway.
DESIGNS: Mapping[str, float] = {
    "randomized": 1.0,
    "encouragement": 1.0,
    "matched": 0.3,
    "difference in differences": 0.3,
    "panel": 0.3,
    "comparison group": 0.2,
    "time series": 0.1,
    "historical control": 0.0,
    "before and after": 0.0,
    "review": 0.0,
    "none": 0.0,
}


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whose program it is, what is asked of it, and how much a study of other people counts for it.

    - cost: whether the question is what care costs without the program (gross) or with it (net)
    - line: the line of business; a study of another counts for `other_line`
    - high_need: whether people are picked for need or cost; a study that did otherwise counts for `other_need`
    - telephone: whether the work is mostly by telephone; a study of the other kind counts for `other_contact`
    - months: how long until the program is judged; a study half or twice as long counts for half, and no less than
      `other_horizon`, which is also what a study counts for that does not say how long it ran
    - designs: the weight of each design
    - nulls: of a study that says only "no difference", the estimate is taken to be somewhere "within chance" of
      nothing, 1.96 of the standard errors that its size allows; or "at zero"; or such studies are "left out", to see
      what that would do
    - mean_sd, between: what is thought before any study: the average effect is normal about 0 with this standard
      deviation, and that of true effects between programs is half-normal with this scale (two in three are below it)
    - spread: one person's standard deviation of yearly cost over its mean
    """

    line: Line
    cost: Cost = "gross"
    high_need: bool = True
    telephone: bool = False
    months: float = 24
    other_line: float = 0.5
    other_need: float = 0.25
    other_contact: float = 0.5
    other_horizon: float = 0.25
    designs: Mapping[str, float] = field(default_factory=lambda: dict(DESIGNS))
    nulls: Nulls = "within chance"
    mean_sd: float = 0.25
    between: float = 0.05
    spread: float = SPREAD

    def __post_init__(self) -> None:
        faults = []
        lines, designs = get_args(Line), get_args(Design)
        if self.line not in lines:
            do = did_you_mean(self.line, lines) + "correct it"
            faults.append(Fault("reader, `line`", show(self.line), "one of " + ", ".join(lines), do))
        for name in ("other_line", "other_need", "other_contact", "other_horizon"):
            if not 0 <= getattr(self, name) <= 1:
                faults.append(Fault(f"reader, `{name}`", show(getattr(self, name)), "0 to 1", "correct it"))
        for name, weight in self.designs.items():
            if name not in designs:
                do = did_you_mean(name, designs) + "correct it"
                faults.append(Fault("reader, `designs`", show(name), "one of " + ", ".join(designs), do))
            elif not 0 <= weight <= 1:
                faults.append(Fault(f"reader, `designs`, {name}", show(weight), "0 to 1", "correct it"))
        for name, most in (("months", 600), ("spread", 100), ("mean_sd", 10), ("between", 1)):
            if not 0 < getattr(self, name) <= most:
                given, allowed = show(getattr(self, name)), f"more than 0, at most {most}"
                faults.append(Fault(f"reader, `{name}`", given, allowed, "correct it"))
        for name, of in (("nulls", get_args(Nulls)), ("cost", get_args(Cost))):
            if getattr(self, name) not in of:
                given = show(getattr(self, name))
                faults.append(Fault(f"reader, `{name}`", given, "one of " + ", ".join(of), "correct it"))
        if faults:
            raise Refusal(faults)


class Weighed(NamedTuple):
    """A study as the reader takes it: its effect, the three weights, their product, and why it is 0 where it is."""

    row: Program
    relative: Relative | None
    design: float
    similarity: float
    horizon: float
    weight: float
    why_not: str | None


def weigh(library: Library, reader: Reader) -> list[Weighed]:
    """Every row of the library with its weight: none is dropped, and one that counts for nothing says why.

    >>> from carecontracts.evidence.library import load
    >>> rows = weigh(load(), Reader(line="medicaid"))
    >>> len(rows) == len(load())
    True
    >>> [(w.row.key, w.weight) for w in rows if w.row.key in ("caremore-memphis", "hennepin")]
    [('caremore-memphis', 0.5), ('hennepin', 0.0)]
    """
    weighed = []
    for row in library:
        design = reader.designs.get(row.design, 0.0)
        similarity = (
            (1 if row.line in (reader.line, "mixed") else reader.other_line)
            * (1 if row.high_need == reader.high_need else reader.other_need)
            * (1 if row.telephone == reader.telephone else reader.other_contact)
        )
        apart = min(row.months, reader.months) / max(row.months, reader.months) if row.months else 0.0
        horizon = max(apart, reader.other_horizon)
        relative = row.relative(reader.spread, reader.cost)
        why = row.not_pooled
        if not why and not relative:
            found = "with the program's cost counted" if reader.cost == "gross" else "without the program's cost"
            why = f"its effect is on cost {found}, which is another question"
        elif relative and relative.within_chance and reader.nulls == "left out":
            why = "no difference, without an interval, left out at the reader's wish"
        elif relative and design * similarity * horizon == 0:
            why = f"the reader gives a design that is {row.design} no weight"
        weight = 0.0 if why else design * similarity * horizon
        weighed.append(Weighed(row, relative, design, similarity, horizon, weight, why))
    return weighed


# --- beliefs ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Belief:
    """What is thought of a program's reduction of cost: normal, or a mixture of normals, each with its weight.

    >>> Belief.normal(0.03, 0.05).chance_of(0.104) < 0.10
    True
    """

    parts: tuple[tuple[float, float, float], ...]  # weight, mean, standard deviation; the weights add up to 1

    @classmethod
    def normal(cls, mean: float, sd: float) -> "Belief":
        """One normal; a standard deviation of 0 is certainty."""
        return cls(((1.0, mean, sd),))

    @property
    def mean(self) -> float:
        """The reduction expected."""
        return math.fsum(weight * mean for weight, mean, _ in self.parts)

    @property
    def sd(self) -> float:
        """How far from it the program may be."""
        middle = self.mean
        return math.sqrt(math.fsum(weight * (sd**2 + (mean - middle) ** 2) for weight, mean, sd in self.parts))

    def chance_of(self, reduction: float) -> float:
        """The chance that the reduction is at least this much."""
        return min(1.0, math.fsum(weight * _at_least(reduction, mean, sd) for weight, mean, sd in self.parts))

    def reached(self, chance: float) -> float:
        """The reduction that is reached with this chance.

        >>> round(Belief.normal(0.10, 0.05).reached(0.5), 6)
        0.1
        """
        if self.sd == 0:
            return self.mean
        low, high = self.mean - 12 * self.sd, self.mean + 12 * self.sd
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.chance_of(middle) >= chance else (low, middle)
        return (low + high) / 2

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The two ends with as much chance beyond the one as beyond the other."""
        return self.reached((1 + level) / 2), self.reached((1 - level) / 2)

    def after(self, estimate: float, se: float) -> "Belief":
        """The belief after a trial of one's own: each side counts by one over its variance.

        Each normal moves as it would alone, and counts as much more as it had foreseen the trial.

        >>> posterior = Belief.normal(0.03, 0.05).after(0.37, 0.175)  # CareMore's estimate, in a cautious reader's mind
        >>> round(posterior.mean, 3), round(posterior.sd, 3)
        (0.056, 0.048)
        """
        if not se > 0:
            raise Refusal([Fault("trial, `se`", show(se), "more than 0", "give the trial's standard error")])
        moved = []
        for weight, mean, sd in self.parts:
            both = math.hypot(sd, se)
            own = (sd / both) ** 2  # how much of the trial is believed
            foreseen = math.log(weight) - math.log(both) - ((estimate - mean) / both) ** 2 / 2
            moved.append((foreseen, mean + own * (estimate - mean), sd * se / both))
        shares = _shares([log for log, _, _ in moved])
        return Belief(tuple((share, mean, sd) for share, (_, mean, sd) in zip(shares, moved, strict=True) if share))

    def seen_with(self, noise: float) -> "Belief":
        """What a year will show: the reduction and the year's noise together."""
        return Belief(tuple((weight, mean, math.hypot(sd, noise)) for weight, mean, sd in self.parts))

    def about_nothing(self) -> "Belief":
        """As wide, and centered on no effect."""
        return Belief(tuple((weight, 0.0, sd) for weight, _, sd in self.parts))


def _at_least(x: float, mean: float, sd: float) -> float:
    return float(mean >= x) if sd == 0 else STANDARD.cdf((mean - x) / sd)


def _shares(logs: Sequence[float]) -> list[float]:
    """Shares that add up to 1, of weights given by their logarithms; of no account is 0."""
    weights = [math.exp(log - max(logs)) if log - max(logs) > -30 else 0.0 for log in logs]
    return [weight / math.fsum(weights) for weight in weights]


# --- pooling ----------------------------------------------------------------------------------------------------


class Study(NamedTuple):
    """A result to pool: its effect with a standard error; or no more than that it was within chance of nothing."""

    effect: float
    se: float
    weight: float = 1.0
    within_chance: bool = False


class Pooled(NamedTuple):
    """Studies as one."""

    mean: float  # the average effect
    se: float  # how unsure it is
    tau: float  # the standard deviation of true effects between programs
    studies: int
    one_more: Belief  # what one more program does


TAUS, MEANS = 30, 12  # how finely the spread between programs, and either side of the average, are cut


def pool(studies: Sequence[Study], *, mean_sd: float = 0.25, between: float = 0.05) -> Pooled:
    """Random-effects pooling that carries how little is known of the spread between programs.

    With y the effects, v = se^2 / weight, and for each average m and each spread t between programs,

    likelihood = product of normal(y; m, v + t^2), or of P(|y| <= 1.96 se) where only that is known
    m ~ normal(0, mean_sd), t ~ half-normal(between)

    worked out on a grid. One more program is normal(m, t), over what is left of both. A weight discounts a study as if
    its variance were 1 / weight times what it is, in every place where its variance counts.

    Source: the normal hierarchical model with a half-normal spread, as in Röver and others 2021.

    >>> pooled = pool([Study(0.10, 0.10), Study(0.30, 0.10)])
    >>> round(pooled.mean, 2), round(pooled.one_more.sd, 2)
    (0.18, 0.09)
    """
    _check_pool(studies, mean_sd, between)
    counted = [study for study in studies if study.weight > 0]
    spreads = [4 * between * ((n + 0.5) / TAUS) ** 2 for n in range(TAUS)]  # finer near none
    logs, means, variances = [], [], []  # for each spread: its share, and the average effect
    for n, t in enumerate(spreads):
        log, mean, variance = _average(counted, t, mean_sd)
        logs.append(log + math.log(n + 0.5) - (t / between) ** 2 / 2)  # n + 0.5: how wide the grid is here
        means.append(mean)
        variances.append(variance)
    cut = list(zip(_shares(logs), spreads, means, variances, strict=True))
    average = Belief(tuple((share, m, math.sqrt(v)) for share, _, m, v in cut if share))
    one_more = Belief(tuple((share, m, math.sqrt(v + t * t)) for share, t, m, v in cut if share))
    tau = math.fsum(share * t for share, t, _, _ in cut)
    return Pooled(average.mean, average.sd, tau, len(counted), one_more)


def _average(studies: Sequence[Study], t: float, mean_sd: float) -> tuple[float, float, float]:
    """At one spread between programs: the logarithm of its likelihood, the average effect and its variance."""
    variances = [study.se**2 / study.weight + t * t for study in studies]
    precision = 1 / mean_sd**2 + math.fsum(1 / v for v in variances)
    middle = math.fsum(study.effect / v for study, v in zip(studies, variances, strict=True)) / precision
    half = 6 / math.sqrt(precision)
    line = [middle + half * n / MEANS for n in range(-MEANS, MEANS + 1)]
    logs = []
    for m in line:
        told = (_log_likelihood(study, v, m) for study, v in zip(studies, variances, strict=True))
        logs.append(math.fsum(told) - (m / mean_sd) ** 2 / 2)
    shares = _shares(logs)
    mean = math.fsum(share * m for share, m in zip(shares, line, strict=True))
    variance = math.fsum(share * (m - mean) ** 2 for share, m in zip(shares, line, strict=True))
    whole = max(logs) + math.log(math.fsum(math.exp(log - max(logs)) for log in logs))
    return whole + math.log(half), mean, variance


def _log_likelihood(study: Study, variance: float, mean: float) -> float:
    if not study.within_chance:
        return -math.log(variance) / 2 - (study.effect - mean) ** 2 / (2 * variance)
    end, sd = Z95 * study.se, math.sqrt(variance)
    inside = STANDARD.cdf((end - mean) / sd) - STANDARD.cdf((-end - mean) / sd)
    return math.log(max(inside, 1e-300))


def pool_weighed(weighed: Iterable[Weighed], reader: Reader) -> Pooled:
    """The studies that count, pooled at the reader's weights."""
    counted = [
        Study(w.relative.reduction, w.relative.se, w.weight, w.relative.within_chance and reader.nulls != "at zero")
        for w in weighed
        if w.weight > 0 and w.relative
    ]
    if not counted:
        allowed = "at least one study with a weight above 0"
        raise Refusal([Fault("reader", "weights under which no study counts", allowed, "raise a weight")])
    return pool(counted, mean_sd=reader.mean_sd, between=reader.between)


# --- expectations -----------------------------------------------------------------------------------------------


class Scenarios(NamedTuple):
    """Three views of one program. A default never stands alone."""

    pooled: Belief  # what the studies say of one more program
    sceptical: Belief  # as uncertain, and centered on nothing
    null: Belief  # it does nothing
    basis: Pooled

    def beliefs(self) -> dict[str, Belief]:
        return {"what the studies say": self.pooled, "sceptical": self.sceptical, "null": self.null}


def scenarios(library: Library, reader: Reader) -> Scenarios:
    """What to expect of one more program like the reader's, with a sceptic's view and the null beside it."""
    basis = pool_weighed(weigh(library, reader), reader)
    return Scenarios(basis.one_more, basis.one_more.about_nothing(), Belief.normal(0.0, 0.0), basis)


class View(NamedTuple):
    """The answer with one judgment changed, or one study taken out."""

    changed: str
    studies: int
    one_more: Belief


def hangs_on(library: Library, reader: Reader) -> Iterator[View]:
    """How far the answer hangs on each judgment and on each study: all else as the reader has it, one change at a time.

    >>> from carecontracts.evidence.library import load
    >>> views = {view.changed: view for view in hangs_on(load(), Reader(line="medicaid"))}
    >>> "without Medicare Health Support" in views
    True
    """
    alike = {
        "every design alike": {"designs": dict.fromkeys(reader.designs, 1.0)},
        "every payer alike": {"other_line": 1.0},
        "people picked for need like any": {"other_need": 1.0},
        "by telephone like in person": {"other_contact": 1.0},
        "any length alike": {"other_horizon": 1.0},
        "“no difference” is zero": {"nulls": "at zero"},
        "“no difference” is left out": {"nulls": "left out"},
        "before any study, programs differ half as much": {"between": reader.between / 2},
        "before any study, programs differ twice as much": {"between": reader.between * 2},
        "one person's cost is spread twice as wide": {"spread": reader.spread * 2},
    }
    weighed = weigh(library, reader)
    yield _view("as weighed", weighed, reader)
    for words, change in alike.items():
        other = replace(reader, **change)  # type: ignore[arg-type]
        yield _view(words, weigh(library, other), other)
    trials = [w for w in weighed if w.row.design == "randomized"]
    if any(w.weight for w in trials):
        yield _view("randomized trials only", trials, reader)
    counted = [w for w in weighed if w.weight]
    for out in counted if len(counted) > 1 else ():
        yield _view(f"without {out.row.name}", [w for w in counted if w is not out], reader)


def _view(words: str, weighed: Iterable[Weighed], reader: Reader) -> View:
    pooled = pool_weighed(weighed, reader)
    return View(words, pooled.studies, pooled.one_more)


# --- what being published does to an estimate ---------------------------------------------------------------------


class Curse(NamedTuple):
    """What a study of this precision shows when it shows something."""

    power: float  # the chance of a significant result
    exaggeration: float  # the size of a significant estimate, on average, over the truth
    wrong_sign: float  # the chance that a significant estimate points the wrong way
    detectable: float  # the true effect that such a study would find 80% of the time


def winners_curse(true: float, se: float, error: float = 0.05) -> Curse:
    """How far the significant estimates of a small study overstate a true effect.

    For X normal about `true` with standard error `se`, and c the smallest significant estimate: power P(|X| > c),
    exaggeration E[|X| given |X| > c] / |true|. Source: Gelman and Carlin 2014.

    >>> curse = winners_curse(true=1_500, se=3_664)  # dollars; CareMore's standard error
    >>> round(curse.power, 2), round(curse.exaggeration, 1), round(curse.detectable)
    (0.07, 5.8, 10265)
    """
    if not (se > 0 and true != 0):
        given = f"true {show(true)}, se {show(se)}"
        raise Refusal([Fault("winners_curse", given, "a true effect other than 0, and se above 0", "correct it")])
    z = STANDARD.inv_cdf(1 - error / 2)
    shift = abs(true) / se
    above, below = STANDARD.cdf(shift - z), STANDARD.cdf(-shift - z)
    mean = shift * (above - below) + STANDARD.pdf(z - shift) + STANDARD.pdf(z + shift)
    power = above + below
    return Curse(power, mean / power / shift, below / power, (z + STANDARD.inv_cdf(0.8)) * se)


def _check_pool(studies: Sequence[Study], mean_sd: float, between: float) -> None:
    faults = []
    for n, study in enumerate(studies, 1):
        if not math.isfinite(study.effect):
            faults.append(Fault(f"pool, study {n}", show(study.effect), "a finite effect", "correct it"))
        if not (math.isfinite(study.se) and study.se > 0):
            faults.append(Fault(f"pool, study {n}", f"se {show(study.se)}", "a standard error above 0", "correct it"))
        if not 0 <= study.weight <= 1:
            faults.append(Fault(f"pool, study {n}", f"weight {show(study.weight)}", "0 to 1", "correct it"))
    if not any(study.weight > 0 for study in studies):
        faults.append(Fault("pool", "no study with a weight", "at least one weight above 0", "raise a weight"))
    for name, value, most in (("mean_sd", mean_sd, 10), ("between", between, 1)):
        if not 0 < value <= most:
            faults.append(Fault(f"pool, `{name}`", show(value), f"more than 0, at most {most}", "correct it"))
    if faults:
        raise Refusal(faults)
