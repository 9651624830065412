"""From studies to an expectation for your own program: weigh, pool, doubt, and combine with your own trial.

A reader weighs each study by its design, by how like their people it is, and by how long it ran. The weights are plain
numbers to see and to change; a study with a weight of one half counts as half a study. Studies are pooled by random
effects, and what is carried to your program is the *predictive* distribution: the uncertainty of the average and the
differences between programs together, since yours is one more program and not the average of them.

No expectation stands alone. `scenarios` gives three: what the studies say, a sceptic's view centered on nothing, and
the null, in which the program does nothing and all that a contract pays is luck.

Reductions are shares of usual total cost: 0.10 is 10% less. Standard library only.

Not modelled: studies that were never published; bias within a design beyond its weight; effects that change with time.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Literal, NamedTuple, get_args

from ..refusal import Fault, Refusal, did_you_mean, show
from .library import SPREAD, Design, Library, Line, Program, Relative

STANDARD = NormalDist()

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
    """Whose program it is, and how much a study of other people counts for it.

    - line: the line of business; a study of another counts for `other_line`
    - high_need: whether people are picked for need or cost; a study that did otherwise counts for `other_need`
    - telephone: whether the work is mostly by telephone; a study of the other kind counts for `other_contact`
    - months: how long until the program is judged; a study half or twice as long counts for half, and no less than
      `other_horizon`, which is also what a study counts for that does not say how long it ran
    - designs: the weight of each design
    - nulls: a study that says only "no difference" enters at zero with the standard error that its size allows; or
      "left out", to see what leaving such studies out would do
    - spread: one person's standard deviation of yearly cost over its mean
    """

    line: Line
    high_need: bool = True
    telephone: bool = False
    months: float = 24
    other_line: float = 0.5
    other_need: float = 0.25
    other_contact: float = 0.5
    other_horizon: float = 0.25
    designs: Mapping[str, float] = field(default_factory=lambda: dict(DESIGNS))
    nulls: Literal["at zero", "left out"] = "at zero"
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
        for name in ("months", "spread"):
            if not getattr(self, name) > 0:
                faults.append(Fault(f"reader, `{name}`", show(getattr(self, name)), "more than 0", "correct it"))
        if self.nulls not in ("at zero", "left out"):
            faults.append(Fault("reader, `nulls`", show(self.nulls), "at zero, or left out", "correct it"))
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
        relative = row.relative(reader.spread)
        why = row.not_pooled
        if relative and reader.nulls == "left out" and row.pooled and row.pooled.estimate is None:
            why = "no difference, without an interval, left out at the reader's wish"
        elif relative and design * similarity * horizon == 0:
            why = f"the reader gives a design that is {row.design} no weight"
        weight = 0.0 if why else design * similarity * horizon
        weighed.append(Weighed(row, relative, design, similarity, horizon, weight, why))
    return weighed


# --- pooling ----------------------------------------------------------------------------------------------------


class Pooled(NamedTuple):
    """Studies as one: the mean effect and its standard error, and how much programs differ."""

    mean: float
    se: float  # of the mean
    tau: float  # the standard deviation of true effects between programs
    q: float  # Cochran's Q
    i_squared: float  # the share of the variation between results that is not chance
    studies: int


def pool(effects: Sequence[float], ses: Sequence[float], weights: Sequence[float] | None = None) -> Pooled:
    """Random-effects pooling by the method of moments; with equal weights, that of DerSimonian and Laird.

    With a_i = w_i / v_i and Q = sum a_i (y_i - y_a)^2 about the mean weighted by a_i,

    tau^2 = max(0, [Q - (sum a v - sum a^2 v / sum a)] / (sum a - sum a^2 / sum a))

    and then each study's share in the mean is w_i / (v_i + tau^2), and the variance of the mean 1 / their sum. A weight
    w discounts a study as if its variance were 1/w times what it is, whatever its size: a million people in a weak
    design do not outvote a trial.

    Source: DerSimonian and Laird 1986; DerSimonian and Kacker 2007 for general weights.

    >>> pooled = pool([0.10, 0.30], [0.10, 0.10])
    >>> round(pooled.mean, 3), round(pooled.se, 3), round(pooled.tau, 3), round(pooled.q, 3)
    (0.2, 0.1, 0.1, 2.0)
    """
    weights = [1.0] * len(effects) if weights is None else list(weights)
    _check_pool(effects, ses, weights)
    rows = [(y, s * s, w) for y, s, w in zip(effects, ses, weights, strict=True) if w > 0]
    a = [w / v for _, v, w in rows]
    total = sum(a)
    middle = sum(ai * y for ai, (y, _, _) in zip(a, rows, strict=True)) / total
    q = sum(ai * (y - middle) ** 2 for ai, (y, _, _) in zip(a, rows, strict=True))
    by_chance = sum(w for _, _, w in rows) - sum(ai * w for ai, (_, _, w) in zip(a, rows, strict=True)) / total
    spare = total - sum(ai * ai for ai in a) / total
    tau2 = max(0.0, (q - by_chance) / spare) if len(rows) > 1 else 0.0
    shares = [w / (v + tau2) for _, v, w in rows]
    mean = sum(share * y for share, (y, _, _) in zip(shares, rows, strict=True)) / sum(shares)
    not_chance = max(0.0, (q - by_chance) / q) if q > 0 else 0.0
    return Pooled(mean, math.sqrt(1 / sum(shares)), math.sqrt(tau2), q, not_chance, len(rows))


def pool_weighed(weighed: Iterable[Weighed]) -> Pooled:
    """The studies that count, pooled at the reader's weights."""
    counted = [(w.relative, w.weight) for w in weighed if w.weight > 0 and w.relative]
    if not counted:
        allowed = "at least one study with a weight above 0"
        raise Refusal([Fault("reader", "weights under which no study counts", allowed, "raise a weight")])
    return pool([r.reduction for r, _ in counted], [r.se for r, _ in counted], [w for _, w in counted])


# --- expectations -----------------------------------------------------------------------------------------------


class Belief(NamedTuple):
    """What is thought of a program's reduction of cost: normal, with this mean and standard deviation.

    >>> Belief(0.03, 0.05).chance_of(0.104) < 0.10
    True
    """

    mean: float
    sd: float

    def chance_of(self, reduction: float) -> float:
        """The chance that the reduction is at least this much."""
        if self.sd == 0:
            return float(self.mean >= reduction)
        return 1 - STANDARD.cdf((reduction - self.mean) / self.sd)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        half = STANDARD.inv_cdf((1 + level) / 2) * self.sd
        return self.mean - half, self.mean + half

    def after(self, estimate: float, se: float) -> "Belief":
        """The belief after a trial of one's own: each side counts by one over its variance.

        >>> posterior = Belief(0.03, 0.05).after(0.37, 0.175)  # CareMore's estimate, in a cautious reader's mind
        >>> round(posterior.mean, 3), round(posterior.sd, 3)
        (0.056, 0.048)
        """
        if not se > 0:
            raise Refusal([Fault("trial, `se`", show(se), "more than 0", "give the trial's standard error")])
        if self.sd == 0:
            return self
        own = self.sd**2 / (self.sd**2 + se**2)  # how much of the trial is believed
        return Belief(self.mean + own * (estimate - self.mean), self.sd * se / math.hypot(self.sd, se))

    def seen_with(self, noise: float) -> "Belief":
        """What a year will show: the reduction and the year's noise together."""
        return Belief(self.mean, math.hypot(self.sd, noise))


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
    basis = pool_weighed(weigh(library, reader))
    sd = math.hypot(basis.se, basis.tau)
    return Scenarios(Belief(basis.mean, sd), Belief(0.0, sd), Belief(0.0, 0.0), basis)


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


def _check_pool(effects: Sequence[float], ses: Sequence[float], weights: Sequence[float]) -> None:
    faults = []
    if not len(effects) == len(ses) == len(weights):
        given = f"{len(effects)} effects, {len(ses)} standard errors, {len(weights)} weights"
        raise Refusal([Fault("pool", given, "one of each for every study", "correct the lists")])
    for n, (effect, se, weight) in enumerate(zip(effects, ses, weights, strict=True), 1):
        if not math.isfinite(effect):
            faults.append(Fault(f"pool, study {n}", show(effect), "a finite effect", "correct it"))
        if not (math.isfinite(se) and se > 0):
            faults.append(Fault(f"pool, study {n}", f"se {show(se)}", "a standard error above 0", "correct it"))
        if not 0 <= weight <= 1:
            faults.append(Fault(f"pool, study {n}", f"weight {show(weight)}", "0 to 1", "correct it"))
    if not any(weight > 0 for weight in weights):
        faults.append(Fault("pool", "no study with a weight", "at least one weight above 0", "raise a weight"))
    if faults:
        raise Refusal(faults)
