"""Difference: what care cost less than was expected, or more: what clauses that share savings or losses share."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from .expected import QUALITY, Expected, middle
from .funds import OfFunds
from .ledger import Ledger
from .refusal import refuse
from .scales import HOW_IT_CLIMBS, Change, Climbs, ShareLadder, credibility
from .units import Number, Persons, Share, Unit, Years, add_up, least, most, unit_of
from .worded import ClauseName, ConditionName, MeasureName
from .year import Year


class Difference(OfFunds):
    """What a clause about savings or losses says first, and what that comes to.

    savings = benchmark - spend - payments that count as spending, of the year or of the funds named
    losses  = spend + payments that count as spending - benchmark

    Of few people, as much counts as they make credible: least(1, square root of lives / full_credibility) of it, or
    lives / (lives + half_credibility) of it; the rest is taken to be chance.

    What is paid may then change by a measure, upward and downward: payment x (1 + what the ladder gives for it).

    The benchmark may be cut first, and a part of it held back until quality, or staying, has earned it:

    left      = benchmark x (1 - discount)
    benchmark = left - left x (quality_withhold x (1 - earned) + retention_withhold, unless returned) + raised - lowered
    """

    opening: ClassVar[tuple[str, ...]] = (
        "{of} are {meaning}.",
        *OfFunds.of_funds,
        "The benchmark is discounted first, by {discount}.",
        "A part of the benchmark is held back for quality: {quality_withhold}; the share of that which the measure"
        " {earned_by} gives is earned back.",
        "That share is, by the measure: {earned_at}; nothing below.",
        "A part of the benchmark is held back for staying: {retention_withhold}; it is given back if: {returned_if}.",
        "What is held back is a share of {withheld_of}.",
        "The amount {raised_by} is added to the benchmark.",
        "The amount {lowered_by} is taken off the benchmark.",
        "Spending counts what {plan} paid under {net_of}, less what it got back under them.",
        "They count in full from {full_credibility} people on, and with fewer in part: the square root of the number of"
        " people over that number (limited-fluctuation credibility).",
        "They count in part: the number of people over the sum of that number and this one: {half_credibility}"
        " (Bühlmann credibility).",
        "No more of them counts than {counted_up_to} of the benchmark, before any share is taken.",
    )
    adjusting: ClassVar[tuple[str, ...]] = (
        "The payment is then changed by the measure {adjusted_by}, {climbs}: {adjustment}.",
    )
    caps: ClassVar[tuple[str, ...]] = (
        "It is at most {revenue_cap} of {provider}'s revenue from {plan}.",
        "It is at most {fee_cap} of what was paid for the year under {fees}.",
    )
    limits: ClassVar[tuple[str, ...]] = (
        "It comes out of what {payer} is paid for the year under {only_out_of}, less what it pays back under them,"
        " and is never more.",
    )
    roles = (*OfFunds.roles, "plan", "provider")
    plainly = ("meaning",)
    spoken = {"climbs": HOW_IT_CLIMBS}
    reads = {
        "benchmark": None,
        "spend": None,
        "measures.{adjusted_by}": None,
        "measures.{earned_by}": None,
        "conditions.{returned_if}": None,
        "amounts.{raised_by}": None,
        "amounts.{lowered_by}": None,
    }
    looks_back = ("net_of", "fees", "only_out_of")
    together: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("quality_withhold", "earned_by"),
        ("earned_by", "quality_withhold"),
        ("earned_at", "earned_by"),
        ("retention_withhold", "returned_if"),
        ("returned_if", "retention_withhold"),
        ("adjusted_by", "adjustment", "climbs"),
        ("adjustment", "adjusted_by"),
        ("climbs", "adjustment"),
        ("fee_cap", "fees"),
        ("fees", "fee_cap"),
    )
    units = {"credibility": unit_of(Share), "change": unit_of(Share)}

    of: Literal["savings", "losses"]
    discount: Share | None = None
    quality_withhold: Share | None = None
    earned_by: MeasureName | None = None
    earned_at: ShareLadder | None = None
    retention_withhold: Share | None = None
    returned_if: ConditionName | None = None
    withheld_of: Literal["the discounted benchmark", "the benchmark before the discount"] | None = None
    raised_by: MeasureName | None = None
    lowered_by: MeasureName | None = None
    net_of: list[ClauseName] = []
    adjusted_by: MeasureName | None = None
    adjustment: Change | None = None
    climbs: Climbs | None = None
    revenue_cap: Share | None = None
    fee_cap: Share | None = None
    fees: list[ClauseName] = []
    only_out_of: list[ClauseName] = []
    full_credibility: Persons | None = None
    half_credibility: Persons | None = None
    counted_up_to: Share | None = None

    @model_validator(mode="after")
    def _one_credibility(self) -> Self:
        if self.full_credibility is not None and self.half_credibility is not None:
            allowed = "one of them, or neither: what is counted is weighed once"
            refuse("both `full_credibility` and `half_credibility`", allowed, "take one of them out")
        return self

    @property
    def weighed(self) -> bool:
        """Whether less than the whole counts where people are few."""
        return self.full_credibility is not None or self.half_credibility is not None

    def part(self, people: Number) -> Number:
        """How much of what so many people show counts."""
        return credibility(people, self.full_credibility, self.half_credibility)

    def reading(self) -> Mapping[str, Unit | None]:
        by_score = {"measures.{earned_by}": unit_of(Share)} if self.earned_at is None else {}
        needs = {**self.reads, **by_score} | ({"lives": None} if self.weighed else {})
        return needs | ({"provider_revenue": None} if self.revenue_cap is not None else {})

    def expects(self, year: Expected) -> Mapping[str, Number]:
        score = middle(self.earned_at) if self.earned_at else QUALITY
        change = {f"measures.{self.adjusted_by}": middle(self.adjustment)} if self.adjustment else {}
        return change | ({f"measures.{self.earned_by}": score} if self.earned_by else {})

    @property
    def meaning(self) -> str:
        if self.of == "savings":
            return "the benchmark less the year's spending"
        return "the year's spending less the benchmark"

    @property
    def plan(self) -> str:
        """The party whose money pays for the care, and whose fees therefore count as spending."""
        return self.payer if self.of == "savings" else self.payee

    @property
    def provider(self) -> str:
        return self.payee if self.of == "savings" else self.payer

    @property
    def money_back(self) -> bool:
        return self.of == "losses"

    def categories(self) -> tuple[str, str]:
        return self.lan, "ssp" if self.of == "savings" else "ssl"

    def benchmark_of(self, year: Year) -> Number:
        """The year's benchmark after its discount, what is held back and not earned, and its adjustment."""
        return self._benchmark(year).get("benchmark that counts", year.benchmark)

    def _benchmark(self, year: Year) -> dict[str, Number]:
        """How the benchmark that counts came about, step by step; nothing where it is the year's own."""
        left, steps = year.benchmark, {}
        if self.discount is not None:
            steps["discount"] = self.discount * left
            left = left - steps["discount"]
        base = year.benchmark if self.withheld_of == "the benchmark before the discount" else left
        if self.quality_withhold is not None and self.earned_by:
            share = year.measures[self.earned_by]
            share = share if self.earned_at is None else self.earned_at.step(share)
            steps["held back for quality"] = self.quality_withhold * base
            steps["earned back"] = share * steps["held back for quality"]
            left = left - steps["held back for quality"] + steps["earned back"]
        if self.retention_withhold is not None and self.returned_if:
            steps["held back for staying"] = self.retention_withhold * base * (1 - year.conditions[self.returned_if])
            left = left - steps["held back for staying"]
        if self.raised_by is not None:
            steps["added to the benchmark"] = year.amounts[self.raised_by]
            left = left + steps["added to the benchmark"]
        if self.lowered_by is not None:
            steps["taken off the benchmark"] = year.amounts[self.lowered_by]
            left = left - steps["taken off the benchmark"]
        return steps | {"benchmark that counts": most(left, 0.0)} if steps else {}

    def difference(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        """The savings or the losses that count, below nothing where it is the other; and the steps to them, if any."""
        how = self._benchmark(year)
        benchmark = how.get("benchmark that counts", year.benchmark)
        outlay = ledger.outlay(self.plan, year=year.year, clause=self.net_of)
        counted = benchmark - year.spend - outlay
        if self.of == "losses":
            counted = year.spend + outlay - benchmark
        if self.weighed:
            part = self.part(year.lives)
            how |= {f"{self.of} before credibility": counted, "credibility": part}
            counted = part * counted
        if self.counted_up_to is not None:
            how[f"{self.of} before the limit"] = counted
            counted = least(counted, self.counted_up_to * benchmark)
        return counted, how

    def adjusted(self, paid: Number, year: Year) -> tuple[Number, dict[str, Number]]:
        """A payment after what a measure adds to it or takes off, and by how much that is."""
        if not self.adjustment or not self.adjusted_by:
            return paid, {}
        change = self.adjustment.climbed(year.measures[self.adjusted_by], self.climbs)
        return paid * (1 + change), {"change": change}

    def most_that_is_paid(self, year: Year, ledger: Ledger) -> list[Number]:
        """The limits on a payment that are shares of the provider's revenue, or of what other clauses paid."""
        limits = [] if self.revenue_cap is None else [self.revenue_cap * year.provider_revenue]
        fees = [] if self.fee_cap is None else [self.fee_cap * ledger.paid(year=year.year, clause=self.fees)]
        return limits + fees

    def within(self, paid: Number, year: Year, ledger: Ledger) -> Number:
        """A payment, where it may only come out of others: at most what its payer has left of them."""
        if not self.only_out_of:
            return paid
        return least(paid, most(-ledger.outlay(self.payer, year=year.year, clause=self.only_out_of), 0.0))


class Carrying(Difference):
    """A difference off which the other side of earlier years comes first: losses off savings, or savings off losses.

    counted = the year's difference - what is left of earlier years, the oldest first
    left    = carried share x what was left and not taken, and of this year what went the other way
    """

    from_before: ClassVar[tuple[str, ...]] = (
        "Losses of earlier years that are not yet made good come off savings first;"
        " of them, {losses_carried} is carried from one year to the next.",
        "Savings of earlier years that no loss has taken yet come off losses first;"
        " of them, {savings_carried} is carried from one year to the next.",
        "What a year leaves is carried into the years after it, this many of them: {carried_for}.",
    )

    losses_carried: Share | None = None
    savings_carried: Share | None = None
    carried_for: Years | None = None

    @model_validator(mode="after")
    def _carries_the_other(self) -> Self:
        term, other = ("losses_carried", "savings_carried")[:: 1 if self.of == "savings" else -1]
        if getattr(self, other) is not None:
            refuse(f"`{other}` in a clause on {self.of}", f"`{term}`: it comes off {self.of}", f"write `{term}:`")
        if self.carried_for is not None and self.carried is None:
            refuse(f"`carried_for` without `{term}`", f"`carried_for` together with `{term}`", f"add `{term}:`")
        return self

    @property
    def carried(self) -> Number:
        """The share that is carried from one year to the next; None where nothing is."""
        return self.losses_carried if self.of == "savings" else self.savings_carried

    @property
    def remembers(self) -> tuple[str, ...]:  # type: ignore[override]
        """What is carried on, oldest first: in one sum, or by its age where it is not carried for ever."""
        if self.carried is None:
            return ()
        what = f"{'losses' if self.of == 'savings' else 'savings'} carried on"
        ages = range(int(self.carried_for or 0), 0, -1)
        return tuple(f"{what}, from {age} year{'s' * (age > 1)} before" for age in ages) or (what,)

    @property
    def has_memory(self) -> bool:
        return self.carried is not None

    def after_earlier_years(self, difference: Number, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        """What is left of a year's difference after earlier years, and what is carried into the next."""
        if self.carried is None:
            return difference, {}
        before = [ledger.last_working(self.name, name) for name in self.remembers]
        gained, still = most(difference, 0.0), []
        for each in before:
            made_good = least(gained, each)
            gained = gained - made_good
            still.append(self.carried * (each - made_good))
        new = self.carried * most(-difference, 0.0)
        kept = [still[0] + new] if self.carried_for is None else [*still[1:], new]
        return difference - add_up(before), dict(zip(self.remembers, kept, strict=True))


class Sequestered(Carrying):
    """A difference whose payment the law cuts, before the payment's own limits or after them."""

    by_law: ClassVar[tuple[str, ...]] = (
        "The payment is reduced by {sequestration} (sequestration).",
        "That reduction comes {sequestration_comes}.",
    )
    together = (*Difference.together, ("sequestration_comes", "sequestration"))

    sequestration: Share | None = None
    sequestration_comes: Literal["before the limits of the payment", "after the limits of the payment"] | None = None

    def after_law(self, paid: Number, *limits: Number) -> Number:
        """A payment within its limits, cut by law: before them, where the contract does not say otherwise."""
        left = 1 - self.sequestration if self.sequestration else 1
        if self.sequestration_comes == "after the limits of the payment":
            return least(paid, *limits) * left
        return least(paid * left, *limits)
