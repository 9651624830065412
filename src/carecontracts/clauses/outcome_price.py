from typing import Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from ..clause import Clause
from ..ledger import Ledger
from ..units import Count, DollarLadder, Dollars, Ladder, Number, least, most
from ..worded import MeasureName
from ..year import Year

CLIMBS = {
    "in steps": Ladder.step,
    "in straight lines between": Ladder.line,
    "each one at the price of its band": Ladder.bands,
}


class OutcomePrice(Clause):
    """One line of a rate card: a price for each verified outcome, or a schedule by how many there were.

    counted = verified, or those that met the precondition, less the number expected without the program
              (the expected number less the verified, where fewer is better); never under zero
    paid    = least(counted x price, or the schedule at counted; cap; what is left of the cap in all)
    """

    words = (
        "The outcome is {outcome}, as verified for the year.",
        "Of these, only those that met the precondition count: {precondition}.",
        "What is paid for is the difference from {expected},"
        " the number expected without the program; {better} is better.",
        "What is paid for is the difference from the comparison, {comparison}; {better} is better.",
        "For each, {payer} pays {payee} {price}.",
        "{payer} pays {payee} by this schedule, {climbs}: {schedule}.",
        "At most {cap} is paid for a year.",
        "At most {cap_in_all} is paid in all years together.",
    )
    not_modelled = (
        "how an outcome is verified, and how a comparison is made; both come before the settlement",
        "chance error in the comparison",
    )
    reads = {"outcomes.{outcome}": None, "outcomes.{precondition}": None, "outcomes.{comparison}": None}
    together = (("expected", "better"), ("comparison", "better"), ("schedule", "climbs"), ("climbs", "schedule"))
    lan, vbpr = "2C", "ubip"

    kind: Literal["outcome_price"]
    outcome: MeasureName
    precondition: MeasureName | None = None
    expected: Count | None = None
    comparison: MeasureName | None = None
    better: Literal["more", "fewer"] | None = None
    price: Dollars | None = None
    schedule: DollarLadder | None = None
    climbs: Literal["in steps", "in straight lines between", "each one at the price of its band"] | None = None
    cap: Dollars | None = None
    cap_in_all: Dollars | None = None

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        verified = year.outcomes[self.outcome]
        met = least(verified, year.outcomes[self.precondition]) if self.precondition else verified
        expected = year.outcomes[self.comparison] if self.comparison else self.expected or 0
        counted = most(expected - met if self.better == "fewer" else met - expected, 0)
        paid = counted * self.price if self.schedule is None else CLIMBS[self.climbs or ""](self.schedule, counted)
        if self.cap is not None:
            paid = least(paid, self.cap)
        if self.cap_in_all is not None:
            paid = least(paid, most(self.cap_in_all - ledger.total(clause=self.name), 0.0))
        return paid, {"verified count": verified, "expected count": expected, "paid count": counted}

    @model_validator(mode="after")
    def _one_price_and_one_comparison(self) -> Self:
        compared = (self.expected is not None) + (self.comparison is not None)
        if (self.price is None) == (self.schedule is None):
            given, do = "both or neither of `price` and `schedule`", "keep one of `price` and `schedule`"
        elif compared > 1 or (self.better and not compared):
            given, do = "both or neither of `expected` and `comparison`", "keep one of them, or leave out `better` too"
        else:
            return self
        allowed = "one price or schedule; one expected number or comparison with `better`, or none of the three"
        raise PydanticCustomError("one of", "one of", {"given": given, "allowed": allowed, "do": do})
