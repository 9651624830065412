from collections.abc import Mapping
from typing import Literal

from ..expected import RESULT, Expected, MeasureUnit, Moves
from ..fee_at_risk import FeeAtRisk
from ..ledger import Ledger
from ..units import Count, Number, Share, Unit, least, most, unit_of, when
from ..worded import MeasureName
from ..year import Year


class FeeAtRiskOnMeasure(FeeAtRisk):
    """A fee at risk: refunded, in whole or in part, unless a rate beats its own baseline or a comparator's by so much.

    target = against x (1 - by), or x (1 + by) where it is to be higher
    missed = distance of the measure from the target / (by x against)
    refund = least(fee | fee x missed, cap x fee - refunded already)
    and nothing is refunded where the target is reached, or where the measure counts too few
    """

    words = (
        "{payer} guarantees {payee} that the measure {measure}, {unit}, is {direction} than the measure {against},"
        " by at least this share of the latter: {by}.",
        "If it falls short, {payer} refunds what was paid under {fee}, {refund}.",
        *FeeAtRisk.limits,
        "Nothing is refunded if the measure counts fewer than {minimum_denominator}.",
    )
    not_modelled = (
        "how the measure, its baseline or the comparator's rate is computed; they are facts of the year",
        "the reserve or letter of credit that secures the refund",
    )
    reads = {"measures.{measure}": None, "measures.{against}": None, "denominators.{measure}": None}
    units = {"missed rate": unit_of(Share)}
    lan = "2C"

    kind: Literal["fee_at_risk_on_measure"]
    measure: MeasureName
    unit: MeasureUnit = "a share"
    direction: Literal["lower", "higher"]
    against: MeasureName
    by: Share
    refund: Literal["in full", "in proportion to the shortfall"]
    minimum_denominator: Count

    def reading(self) -> Mapping[str, Unit | None]:
        result = RESULT.get(self.unit)
        return {**self.reads, "measures.{measure}": result, "measures.{against}": result}

    def expects(self, year: Expected) -> Mapping[str, Number]:
        result = year.first(f"measures.{self.measure}", year.rate(self.unit))
        counted = {f"denominators.{self.measure}": year.counted(self.unit)}
        return {f"measures.{name}": result for name in (self.measure, self.against)} | counted

    def moves(self) -> Mapping[str, Moves]:
        return {
            f"measures.{self.measure}": Moves(self.unit, lowered=self.direction == "lower"),
            f"measures.{self.against}": Moves(self.unit),
        }

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        fee = self.paid(year, ledger)
        result, against = year.measures[self.measure], year.measures[self.against]
        way = -1 if self.direction == "lower" else 1
        target = against * (1 + way * self.by)
        short = most(way * (target - result), 0.0)
        missed = short / most(self.by * against, 1e-9)
        refund = fee if self.refund == "in full" else fee * missed
        left = self.left(fee, year, ledger)
        short_of_it = short > 1e-9  # what floats lose is no shortfall
        owed = short_of_it & (year.denominators[self.measure] >= self.minimum_denominator)
        return when(owed, least(refund, left), 0.0), {"most that is refunded": left, "missed rate": missed}
