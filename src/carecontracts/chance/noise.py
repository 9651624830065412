"""Noise in closed form: how far a savings rate strays by luck, and what a contract pays for it.

Standard library only, so it runs anywhere. The savings rate is taken as normal; `convolution` has the exact answer,
`bootstrap` the one from members, and a test holds the three together.

The rate of 2.15 / sqrt(lives), and the confidence behind each size of Medicare's sliding minimum, are fitted here to
the published scale (42 CFR 425.604, check the current text). They are not figures of the regulation.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Literal, NamedTuple, Self, TypeAlias

from ..refusal import Fault, Refusal, show
from ..units import Number, least, most, when

STANDARD = NormalDist()
HAIR = 1e-12  # what floats lose decides no payment
Tail: TypeAlias = Callable[[float], tuple[float, float]]  # x -> P(S >= x), E[S; S >= x]
COEFFICIENT = 2.15  # fitted: the spread of one member's cost over its mean that yields Medicare's sliding minimum
CONFIDENCE = ((5_000, 0.90), (20_000, 0.95), (50_000, 0.99))  # fitted beyond 5,000; straight between, flat outside


def under(z: float) -> float:
    """The share of a normal law that lies below z, with every digit in its tail, in every version of Python.

    >>> under(-8) > 6e-16, under(0)
    (True, 0.5)
    """
    return 0.5 * math.erfc(-z / math.sqrt(2))


# --- what one member costs ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What one member costs in a year: some cost nothing, the others follow a lognormal.

    The default is fitted to the Medical Expenditure Panel Survey's concentration of spending (MEPS statistical brief
    556: the top 1% of people make 24% of cost, the top 5% more than half).

    >>> everyone = Costs(mean=6_800)
    >>> round(everyone.cv(), 2), round(everyone.cv(250_000), 2), round(everyone.removed(250_000), 3)
    (3.56, 2.68, 0.034)
    """

    mean: float  # dollars a year
    zeros: float = 0.14  # the share of members who cost nothing
    sigma: float = 1.57  # of the lognormal

    def __post_init__(self) -> None:
        _refuse(
            _fault("mean", self.mean, "dollars, more than 0", self.mean > 0),
            _fault("zeros", self.zeros, "a share from 0 to under 1", 0 <= self.zeros < 1),
            _fault("sigma", self.sigma, "a number above 0", self.sigma > 0),
        )

    @classmethod
    def with_cv(cls, mean: float, cv: float, zeros: float = 0.0) -> Self:
        """Costs with this mean and coefficient of variation (the standard deviation over the mean).

        1 + cv^2 = exp(sigma^2) / (1 - zeros), solved for sigma.

        >>> round(Costs.with_cv(24_000, 1.2).cv(), 6)
        1.2
        """
        squared = (1 + cv * cv) * (1 - zeros)
        _refuse(_fault("cv", cv, f"more than what {zeros:.0%} without cost give alone", squared > 1))
        return cls(mean=mean, zeros=zeros, sigma=math.sqrt(math.log(squared)))

    @property
    def mu(self) -> float:
        return math.log(self.mean / (1 - self.zeros)) - self.sigma**2 / 2

    def moment(self, k: int, cap: float = math.inf) -> float:
        """E[min(X, cap)^k].

        With mu and sigma of the lognormal and d = (ln cap - mu) / sigma, completing the square in the exponent gives
        E[X^k; X <= cap] = exp(k mu + k^2 sigma^2 / 2) Phi(d - k sigma), and everyone above the cap adds
        cap^k (1 - Phi(d)).
        """
        whole = math.exp(k * self.mu + (k * self.sigma) ** 2 / 2)
        if cap == math.inf:
            return (1 - self.zeros) * whole
        if cap <= 0:
            return 0.0
        d = (math.log(cap) - self.mu) / self.sigma
        below = whole * under(d - k * self.sigma)
        return (1 - self.zeros) * (below + cap**k * under(-d))

    def cv(self, cap: float = math.inf) -> float:
        """The coefficient of variation of a member's cost, counted up to a cap."""
        return math.sqrt(self.moment(2, cap) / self.moment(1, cap) ** 2 - 1)

    def skew(self, cap: float = math.inf) -> float:
        """The skewness of a member's cost, counted up to a cap."""
        m1, m2, m3 = (self.moment(k, cap) for k in (1, 2, 3))
        variance = m2 - m1 * m1
        return float((m3 - 3 * m1 * variance - m1**3) / variance**1.5)

    def removed(self, cap: float) -> float:
        """The share of all cost that lies above the cap."""
        return 1 - self.moment(1, cap) / self.mean

    def above(self, x: float) -> float:
        """The share of members who cost more than x.

        >>> costs = Costs.with_cv(24_000, 2.15)
        >>> round(costs.above(costs.quantile(0.99)), 9)
        0.01
        """
        if x <= 0:
            return 1 - self.zeros
        return (1 - self.zeros) * under((self.mu - math.log(x)) / self.sigma)

    def quantile(self, p: float) -> float:
        """The cost that a share p of members does not exceed."""
        if p <= self.zeros:
            return 0.0
        return math.exp(self.mu + self.sigma * STANDARD.inv_cdf((p - self.zeros) / (1 - self.zeros)))


# --- how far the savings rate strays --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Who a contract is settled on: how many people, how unequal their cost, for how many years.

    A savings rate is an average over people and years. Its standard deviation:

    sd^2 = cv^2 / lives x (1 + 1 / control) x (1 + (years - 1) kept) / years  +  common^2 / years

    - cv: one member's standard deviation of cost, over its mean, after truncation if any
    - control: people in the comparison group for each member; without it the benchmark is a fixed number
    - kept: the correlation of one year's luck with the next's, in the same members; years pooled help less for it
    - common: the standard deviation of what moves everyone at once (a benchmark reset, a winter); size removes none

    >>> round(Panel(lives=5_000).sd, 4), round(Panel(lives=5_000, years=3).sd, 4)
    (0.0304, 0.0176)
    >>> round(Panel(lives=500_000, common=0.015).sd, 4)
    0.0153
    """

    lives: float
    cv: float = COEFFICIENT
    years: int = 1
    common: float = 0.0
    kept: float = 0.0
    control: float = math.inf

    def __post_init__(self) -> None:
        _refuse(
            _fault("lives", self.lives, "people, more than 0", self.lives > 0),
            _fault("cv", self.cv, "a number above 0", self.cv > 0),
            _fault("years", self.years, "years, 1 or more", self.years >= 1),
            _fault("common", self.common, "a share, 0 or more: 0.015 is 1.5%", 0 <= self.common < 1),
            _fault("kept", self.kept, "a correlation from 0 to 1", 0 <= self.kept <= 1),
            _fault("control", self.control, "people for each member, more than 0", self.control > 0),
        )

    @property
    def sampling(self) -> float:
        """The part of the standard deviation that more people would remove."""
        pooled = (1 + (self.years - 1) * self.kept) / self.years
        return self.cv * math.sqrt((1 + 1 / self.control) / self.lives * pooled)

    @property
    def sd(self) -> float:
        """The standard deviation of the savings rate."""
        return math.hypot(self.sampling, self.common / math.sqrt(self.years))


# --- what a contract pays -------------------------------------------------------------------------------------------


class Odds(NamedTuple):
    """What chance makes of a sharing arrangement; amounts are shares of the benchmark."""

    pays: float  # how often the payer shares savings
    owes: float  # how often the provider shares losses
    payment: float  # what the payer pays, on average over all years
    repayment: float  # what the provider pays back, on average over all years

    @property
    def net(self) -> float:
        """What the payer pays on average, less what it gets back: with no true effect, the price of noise."""
        return self.payment - self.repayment


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How savings and losses are shared, apart from everything else a contract may say.

    Rates are shares of the benchmark. `loss_share` 0 is a one-sided arrangement. A cap is the most that is paid.

    >>> one_sided = Sharing(share=0.5, minimum=0.02)
    >>> one_sided.pays(0.03), one_sided.pays(0.01), one_sided.pays(-0.05)
    (0.015, 0.0, 0.0)
    >>> excess = Sharing(share=0.5, minimum=0.02, counted_from="the minimum", loss_share=0.5, loss_minimum=0.02)
    >>> round(excess.pays(0.03), 6), round(excess.pays(-0.05), 6)
    (0.005, -0.015)
    """

    share: float = 0.5
    minimum: float = 0.02
    cap: float = math.inf
    counted_from: Literal["the first dollar", "the minimum"] = "the first dollar"
    loss_share: float = 0.0
    loss_minimum: float = 0.0
    loss_cap: float = math.inf

    def __post_init__(self) -> None:
        for rate in ("share", "minimum", "loss_share", "loss_minimum"):
            given = getattr(self, rate)
            _refuse(_fault(rate, given, "a share from 0 to 1: 2% is 0.02", 0 <= given <= 1))
        for cap in ("cap", "loss_cap"):
            _refuse(_fault(cap, getattr(self, cap), "a share of the benchmark, 0 or more", getattr(self, cap) >= 0))

    def pays(self, saved: Number) -> Number:
        """What the payer pays at a savings rate; below zero, what the provider pays back. Takes arrays too."""
        excess = self.counted_from == "the minimum"
        gain = least(self.share * (saved - self.minimum * excess), self.cap)
        loss = least(self.loss_share * (-saved - self.loss_minimum * excess), self.loss_cap)
        earned, owed = saved >= self.minimum - HAIR, -saved >= self.loss_minimum - HAIR
        return when(earned, most(gain, 0.0), 0.0) - when(owed, most(loss, 0.0), 0.0)

    def odds(self, sd: float, effect: float = 0.0) -> Odds:
        """What it pays when the savings rate is normal with this standard deviation around the true effect.

        For S normal with mean m and standard deviation sd, and z = (x - m) / sd:
        P(S >= x) = Phi(-z) and E[S; S >= x] = m Phi(-z) + sd phi(z); the rest is `odds_over`.

        With no minimum, no cap and no effect the sum is share x sd / sqrt(2 pi): a call option on noise.

        >>> pays, owes, payment, _ = Sharing(share=0.5, minimum=0).odds(sd=0.03)
        >>> round(pays, 6), owes, round(payment, 6) == round(0.5 * 0.03 / math.sqrt(2 * math.pi), 6)
        (0.5, 0.0, True)
        """
        _refuse(_fault("sd", sd, "a number above 0", sd > 0))

        def tail(mean: float) -> Tail:
            def at(x: float) -> tuple[float, float]:
                if x == math.inf:
                    return 0.0, 0.0
                z = (x - mean) / sd
                above = STANDARD.cdf(-z)
                return above, mean * above + sd * STANDARD.pdf(z)

            return at

        return self.odds_over(tail(effect), tail(-effect))

    def odds_over(self, saved: Tail, lost: Tail) -> Odds:
        """What it pays over any distribution, given by the tails of the savings rate S and of its negative.

        Each side pays nothing under its minimum, a straight line a + b S from there to where its cap begins, and the
        cap beyond. With G(x) = P(S >= x) and H(x) = E[S; S >= x]:

        E = a (G(minimum) - G(bend)) + b (H(minimum) - H(bend)) + cap G(bend)
        """
        excess = self.counted_from == "the minimum"
        pays, payment = _side(saved, self.share, self.minimum, self.cap, excess)
        owes, repayment = _side(lost, self.loss_share, self.loss_minimum, self.loss_cap, excess)
        return Odds(pays, owes, payment, repayment)


def _side(tail: Tail, b: float, minimum: float, cap: float, excess: bool) -> tuple[float, float]:
    """How often one side of an arrangement pays, and how much on average."""
    if b == 0 or cap == 0:
        return 0.0, 0.0
    a = -b * minimum if excess else 0.0
    bend = max((cap - a) / b, minimum)
    g, h = tail(minimum)
    beyond, h_beyond = tail(bend)
    return g, a * (g - beyond) + b * (h - h_beyond) + (cap * beyond if beyond else 0.0)


# --- rules of thumb that can be checked -----------------------------------------------------------------------------


def minimum_at(sd: float, confidence: float) -> float:
    """The minimum savings rate that luck passes in 1 - confidence of years: z(confidence) x sd.

    >>> round(minimum_at(Panel(lives=5_000).sd, 0.90), 3)
    0.039
    """
    return STANDARD.inv_cdf(confidence) * sd


def sliding_minimum(lives: float) -> float:
    """Medicare's sliding minimum savings rate as one formula, fitted to the published scale; never under 2%.

    z(confidence) x 2.15 / sqrt(lives); the confidence is 90% up to 5,000 lives (published) and rises to 95% at
    20,000 and 99% at 50,000 (fitted). The scale itself is in the gallery's `mssp` contracts.

    >>> [round(sliding_minimum(n) * 100, 1) for n in (500, 5_000, 10_000, 60_000)]
    [12.3, 3.9, 3.0, 2.0]
    """
    confidence = CONFIDENCE[0][1]
    for (n1, c1), (n2, c2) in pairwise(CONFIDENCE):
        if lives > n1:
            confidence = c1 + (c2 - c1) * (min(lives, n2) - n1) / (n2 - n1)
    return max(0.02, minimum_at(Panel(lives=lives).sd, confidence))


def members_needed(effect: float, *, power: float = 0.8, error: float = 0.05, spread: float = COEFFICIENT) -> int:
    """How many people show a true effect as more than luck: ((z(1 - error) + z(power)) x spread / effect)^2.

    `spread` is one member's: `cv` against a fixed benchmark; cv x sqrt(2) against an equal comparison group, for each
    of the two; cv x sqrt(2 (1 - r^2)) for each arm of a trial adjusted for a baseline that correlates r with the
    outcome. `error` is one-sided.

    >>> members_needed(0.05), members_needed(0.10)
    (11432, 2858)
    """
    _refuse(_fault("effect", effect, "a share above 0: 5% is 0.05", 0 < effect < 1))
    z = STANDARD.inv_cdf(1 - error) + STANDARD.inv_cdf(power)
    return math.ceil((z * spread / effect) ** 2)


def full_credibility(spread: float = COEFFICIENT, *, within: float = 0.05, confidence: float = 0.9) -> int:
    """How many people make a year credible in full: their cost is within so much of what is expected, so surely.

    (z x spread / within)^2, with z the two-sided point of the normal curve (limited fluctuation)

    >>> full_credibility(), full_credibility(1.2)
    (5003, 1559)
    """
    _refuse(
        _fault("within", within, "a share above 0: 5% is 0.05", 0 < within < 1),
        _fault("confidence", confidence, "a share between 0 and 1: 0.9", 0 < confidence < 1),
    )
    return math.ceil((STANDARD.inv_cdf((1 + confidence) / 2) * spread / within) ** 2)


def half_credibility(between: float, spread: float = COEFFICIENT) -> int:
    """How many people make a year credible by half: where luck varies as much as true results do (Buhlmann's k).

    (spread / between)^2, with `between` the standard deviation of true savings rates from one provider to another

    >>> half_credibility(0.03), half_credibility(0.05, spread=1.2)
    (5137, 576)
    """
    _refuse(_fault("between", between, "a share above 0: 3% is 0.03", 0 < between < 1))
    return math.ceil((spread / between) ** 2)


def interval_se(low: float, high: float, level: float = 0.95) -> float:
    """The standard error behind a published confidence interval.

    >>> round(interval_se(-14_914, -550))  # CareMore's trial, dollars per member per year
    3664
    """
    return (high - low) / 2 / STANDARD.inv_cdf(0.5 + level / 2)


def detectable(se: float, *, power: float = 0.8, error: float = 0.05) -> float:
    """The smallest effect that a study with this standard error finds with such power; `error` is two-sided.

    >>> round(detectable(3_664))
    10265
    """
    return (STANDARD.inv_cdf(1 - error / 2) + STANDARD.inv_cdf(power)) * se


class Split(NamedTuple):
    """How panels fall around their target when there is only noise, or noise around one common effect."""

    won: float  # the share of panels under their target
    winners: float  # by how much those were under it, on average
    losers: float  # by how much the others were over it, on average


def split(sd: float, effect: float = 0.0) -> Split:
    """Winners and losers among many panels of one kind: the half-normal means m + sd phi(z) / Phi(z), z = m / sd.

    >>> [round(x, 3) for x in split(0.05)]
    [0.5, 0.04, 0.04]
    """
    _refuse(_fault("sd", sd, "a number above 0", sd > 0))
    won = STANDARD.cdf(effect / sd)
    height = sd * STANDARD.pdf(effect / sd)
    return Split(won, effect + height / won, height / (1 - won) - effect)


def _fault(where: str, given: object, allowed: str, holds: bool) -> Fault | None:
    return None if holds else Fault(where, show(given), allowed, "correct it")


def _refuse(*faults: Fault | None) -> None:
    found = [fault for fault in faults if fault]
    if found:
        raise Refusal(found)
