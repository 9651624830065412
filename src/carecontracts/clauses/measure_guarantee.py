from typing import Annotated, Literal

from pydantic import Field

from ..clause import Clause
from ..ledger import Ledger
from ..units import Count, Number, Share, least, most, when
from ..worded import ClauseName, MeasureName
from ..year import Year


class MeasureGuarantee(Clause):
    """A fee at risk: refunded, in whole or in part, unless a rate beats its own baseline or a comparator's by so much.

    target = against x (1 - by), or x (1 + by) where it is to be higher
    missed = distance of the measure from the target / (by x against)
    refund = least(fee | fee x missed, cap x fee - refunded already)
    and nothing is refunded where the target is reached, or where the measure counts too few
    """

    words = (
        "{payer} guarantees {payee} that the measure {measure} is {direction} than the measure {against},"
        " by at least this share of the latter: {by}.",
        "If it falls short, {payer} refunds what was paid under {fee}, {refund}.",
        "The refund, as a share of what was paid, is at most {cap}.",
        "What is refunded under {cap_counts} counts toward that limit.",
        "Nothing is refunded if the measure counts fewer than {minimum_denominator}.",
    )
    not_modelled = (
        "how the measure, its baseline or the comparator's rate is computed; they are facts of the year",
        "the reserve or letter of credit that secures the refund",
    )
    reads = {"measures.{measure}": None, "measures.{against}": None, "denominators.{measure}": None}
    looks_back = ("fee", "cap_counts")
    lan, vbpr = "2C", "ssl"

    kind: Literal["measure_guarantee"]
    fee: Annotated[list[ClauseName], Field(min_length=1)]
    measure: MeasureName
    direction: Literal["lower", "higher"]
    against: MeasureName
    by: Share
    refund: Literal["in full", "in proportion to the shortfall"]
    cap: Share
    cap_counts: list[ClauseName] = []
    minimum_denominator: Count

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        fee = ledger.total(year=year.year, clause=self.fee)
        result, against = year.measures[self.measure], year.measures[self.against]
        way = -1 if self.direction == "lower" else 1
        target = against * (1 + way * self.by)
        short = most(way * (target - result), 0.0)
        missed = short / most(self.by * against, 1e-9)
        refund = fee if self.refund == "in full" else fee * missed
        left = most(self.cap * fee - ledger.total(year=year.year, clause=self.cap_counts), 0.0)
        short_of_it = short > 1e-9  # what floats lose is no shortfall
        owed = short_of_it & (year.denominators[self.measure] >= self.minimum_denominator)
        return when(owed, least(refund, left), 0.0), {"most that is refunded": left, "missed rate": missed}
