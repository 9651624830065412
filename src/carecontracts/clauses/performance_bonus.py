from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from ..clause import Clause
from ..expected import QUALITY, RESULT, Expected, MeasureUnit, Moves, middle
from ..ledger import Ledger
from ..refusal import refuse
from ..scales import HAIR, Ladder, ShareLadder, what_a_share_is
from ..units import Count, Dollars, Number, Rate, Schedule, Share, Unit, most, unit_of, when
from ..worded import MeasureName
from ..year import Year

SIZE = {"in all": "", "per member": "lives", "per member month": "member_months"}
TINY = 1e-9  # what nothing is divided by
RESULTS = ("measures.{measure}", "measures.{baseline}", "measures.{forecast}", "measures.{equity_measure}")


class PerformanceBonus(Clause):
    """Pay for performance on one measure: a share of a bonus, by result, by improvement or by percentile.

    earned = the most that the ladders give, an improvement being a difference, or a share of what was before; of it,
             equity_weight comes from the ladder of results on equity_measure
    bonus  = amount x (1, members or member months) x earned x multiplier, and nothing under the gate

    A result pooled over years or practices, and a gate that is not a measure, are facts of the year: name the pooled
    measure, or the condition under `only_if`.
    """

    words = (
        "For the measure {measure}, {unit}, {payer} pays {payee} up to {amount} {per}; {better} is better.",
        "The share earned is the most that any test here gives.",
        "A result equal to the number or {better} earns {attainment}.",
        "An improvement on the measure {baseline}, as a difference of the number or more, earns {improvement}.",
        "An improvement on the forecast for the year, {forecast}, as a difference of the number or more,"
        " earns {improvement}.",
        "An improvement on the measure {baseline}, as a share of it of the number or more, earns"
        " {relative_improvement}.",
        "An improvement on the forecast for the year, {forecast}, as a share of it of the number or more, earns"
        " {relative_improvement}.",
        "A percentile of the number or more, given by the measure {ranked_in}, earns {percentile}.",
        "People without a report count as people who did not meet it; the measure {not_reported} gives their share.",
        "Between two numbers the share {between}.",
        "Of the bonus, {equity_weight} is earned by the result of {equity_measure} alone.",
        "A measure that counts fewer than {minimum_denominator} earns {below_minimum}, whatever its result.",
        "Nothing is paid unless the measure {gate} is {gate_minimum} or more.",
        "What is earned is multiplied by the measure {multiplier}.",
    )
    not_modelled = (
        "how a measure is computed, who is left out of it, and how its percentile is drawn; they are facts of the year",
        "a bonus that others' results make larger or smaller",
    )
    reads = {
        "measures.{measure}": None,
        "measures.{baseline}": None,
        "measures.{forecast}": None,
        "measures.{ranked_in}": None,
        "measures.{equity_measure}": None,
        "measures.{gate}": None,
        "measures.{multiplier}": unit_of(Share),
        "measures.{not_reported}": unit_of(Share),
    }
    together = (
        ("percentile", "ranked_in"),
        ("ranked_in", "percentile"),
        ("equity_weight", "equity_measure", "attainment"),
        ("equity_measure", "equity_weight"),
        ("minimum_denominator", "below_minimum"),
        ("below_minimum", "minimum_denominator"),
        ("gate", "gate_minimum"),
        ("gate_minimum", "gate"),
    )
    units = {"earned rate": unit_of(Share)}
    lan, vbpr = "2C", "qip"

    kind: Literal["performance_bonus"]
    measure: MeasureName
    unit: MeasureUnit = "a share"
    amount: Dollars
    per: Literal["in all", "per member", "per member month"]
    better: Literal["higher", "lower"]
    attainment: ShareLadder | None = None
    improvement: ShareLadder | None = None
    relative_improvement: ShareLadder | None = None
    baseline: MeasureName | None = None
    forecast: MeasureName | None = None
    percentile: ShareLadder | None = None
    ranked_in: MeasureName | None = None
    not_reported: MeasureName | None = None
    between: Literal["stays as reached", "moves in a straight line"] = "stays as reached"
    equity_weight: Share | None = None
    equity_measure: MeasureName | None = None
    minimum_denominator: Count | None = None
    below_minimum: Share | None = None
    gate: MeasureName | None = None
    gate_minimum: Rate | None = None
    multiplier: MeasureName | None = None

    @model_validator(mode="after")
    def _has_a_ladder(self) -> Self:
        improving = self.improvement or self.relative_improvement
        if not (self.attainment or improving or self.percentile):
            allowed = "one or more of the ladders `attainment`, `improvement`, `relative_improvement`, `percentile`"
            do = "add, say, `attainment: {0.6: 0.5, 0.7: 1}`"
            refuse("no ladder", allowed, do)
        if improving and bool(self.baseline) == bool(self.forecast):
            ladder = "improvement" if self.improvement else "relative_improvement"
            given = f"`{ladder}` with {'both' if self.baseline else 'neither'} of `baseline` and `forecast`"
            allowed = f"`{ladder}` together with `baseline`, or with `forecast`"
            do = "name what it is an improvement on"
            refuse(given, allowed, do)
        for term in ("baseline", "forecast"):
            if getattr(self, term) and not improving:
                allowed = f"`{term}` together with `improvement` or `relative_improvement`"
                refuse(f"`{term}` without `improvement`", allowed, f"add `improvement:`, or take out `{term}`")
        if (rung := _top_rung(self.relative_improvement)) > 1:
            allowed = "shares of what it is an improvement on, from 0 to 1: {0.05: 1}"
            refuse(f"`relative_improvement` from {rung:,.10g}", allowed, what_a_share_is(rung))
        if self.not_reported and self.unit != "a share":
            refuse(f"`not_reported` of a measure that is {self.unit}", "a measure that is a share", "take one out")
        if self.unit == "a share":
            for term in ("attainment", "improvement"):
                if (rung := _top_rung(getattr(self, term))) > 1:
                    allowed = "numbers from 0 to 1, as the measure is a share: {0.6: 0.5, 0.7: 1}"
                    refuse(f"`{term}` from {rung:,.10g}", allowed, what_a_share_is(rung))
        return self

    def set_for_size(self) -> tuple[str, ...]:
        return ("amount",) if self.per == "in all" else ()

    def reading(self) -> Mapping[str, Unit | None]:
        size = {SIZE[self.per]: None} if SIZE[self.per] else {}
        results = dict.fromkeys(RESULTS, RESULT.get(self.unit))
        counted = ("denominators.{measure}", "denominators.{equity_measure}")
        return self.reads | results | size | (dict.fromkeys(counted) if self.minimum_denominator is not None else {})

    def _counted(self) -> list[str]:
        return [n for n in (self.measure, self.equity_measure) if n and self.minimum_denominator is not None]

    def expects(self, year: Expected) -> Mapping[str, Number]:
        """The middle of its ladder, the same as before and in every group; the gate just opens."""
        ladder = self.percentile if not self.attainment and self.measure == self.ranked_in else self.attainment
        guess = middle(ladder) if ladder else year.rate(self.unit)
        result = year.first(f"measures.{self.measure}", guess)
        known = {
            self.measure: result,
            self.baseline: result,
            self.forecast: result,
            self.equity_measure: result,
            self.ranked_in: middle(self.percentile) if self.percentile else None,
            self.gate: min(1.0, (self.gate_minimum or 0) + 0.05),
            self.multiplier: QUALITY,
            self.not_reported: 0.0,
        }
        counted = {f"denominators.{name}": year.counted(self.unit) for name in self._counted()}
        return {f"measures.{name}": value for name, value in known.items() if name} | counted

    def moves(self) -> Mapping[str, Moves]:
        known = {
            self.baseline: Moves(self.unit),
            self.forecast: Moves(self.unit, held=True),
            self.equity_measure: Moves(self.unit),
            self.measure: Moves(self.unit, lowered=self.better == "lower"),
            self.ranked_in: Moves(held=True),
            self.multiplier: Moves(held=True),
            self.not_reported: Moves(held=True),
        }
        return {f"measures.{name}": how for name, how in known.items() if name}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        earned = self._enough(year, self.measure, most(*self._earned(year)))
        if self.equity_measure:
            weight, alone = self.equity_weight or 0, year.measures[self.equity_measure]
            alone = self._enough(year, self.equity_measure, self._climb(self.attainment, alone, self.better))
            earned = (1 - weight) * earned + weight * alone
        if self.multiplier:
            earned = earned * year.measures[self.multiplier]
        if self.gate:
            earned = when(year.measures[self.gate] >= self.gate_minimum, earned, 0.0)
        at_stake = self.amount * (year.fact(SIZE[self.per]) if SIZE[self.per] else 1)
        return at_stake * earned, {"at stake": at_stake, "earned rate": earned}

    def _earned(self, year: Year) -> list[Number]:
        """The share of the bonus by each test; nothing by a test that is not set."""
        result, shares = self._reported(year), [0.0]
        if self.attainment:
            shares.append(self._climb(self.attainment, result, self.better))
        if self.improvement or self.relative_improvement:
            before = year.measures[self.baseline or self.forecast or ""]
            gained = result - before if self.better == "higher" else before - result
            if self.improvement:
                shares.append(self._climb(self.improvement, gained, "higher"))
            if self.relative_improvement:
                part = when(before > 0, gained / most(before, TINY), 0.0)
                shares.append(self._climb(self.relative_improvement, part, "higher"))
        if self.ranked_in:
            shares.append(self._climb(self.percentile, year.measures[self.ranked_in], "higher"))
        return shares

    def _reported(self, year: Year) -> Number:
        """The result, with people of whom nothing is reported among those who did not meet it."""
        result = year.measures[self.measure]
        if not self.not_reported:
            return result
        missing = year.measures[self.not_reported]
        met = result * (1 - missing)
        return met if self.better == "higher" else met + missing

    def _climb(self, ladder: Number, result: Number, better: str) -> Number:
        """The ladder's share at a result; nothing before its first rung. Where lower is better it is climbed down."""
        way = 1 if better == "higher" else -1
        ladder, result = Ladder({way * rung: share for rung, share in ladder.items()}), way * result
        if self.between == "stays as reached":
            return ladder.step(result + HAIR)
        return when(result + HAIR >= min(ladder), ladder.line(result), 0.0)

    def _enough(self, year: Year, measure: str, share: Number) -> Number:
        if self.minimum_denominator is None:
            return share
        return when(year.denominators[measure] >= self.minimum_denominator, share, self.below_minimum)


def _top_rung(value: Number) -> float:
    """The highest result that a ladder names, or one of a schedule of them."""
    if isinstance(value, Schedule):
        return max(map(_top_rung, value.values()))
    return max(value) if isinstance(value, Ladder) else 0
