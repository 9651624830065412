from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from ..clause import Clause
from ..expected import (
    ADMISSIONS,
    CERTIFIED,
    HOSPITAL_DAYS,
    OTHER_DAYS,
    OTHER_OUTCOMES,
    Expected,
    Moves,
    OutcomeUnit,
)
from ..ledger import Ledger
from ..per_person import FIRST, beyond_the_limit
from ..refusal import refuse
from ..scales import DollarLadder, Ladder
from ..units import Count, Dollars, Number, Share, Unit, least, most, reaches, unit_of, when
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
    paid    = least(counted x price, or the schedule at counted; cap; what is left of the cap in all),
              less what any one person's come to beyond cap_per_person,
              and nothing where the difference is under at_least x the number it is compared with
    """

    words = (
        "The outcome is {outcome}, counted in {unit}, as verified for the year.",
        "Of these, only those that met the precondition count: {precondition}.",
        "What is paid for is the difference from {expected},"
        " the number expected without the program; {better} is better.",
        "What is paid for is the difference from the comparison, {comparison}; {better} is better.",
        "What is paid for is the difference from the forecast for the year, {forecast}; {better} is better.",
        "Nothing is paid unless that difference is {at_least} or more of the number with which it is compared;"
        " from there on all of it is paid for.",
        "For each, {payer} pays {payee} {price}.",
        "{payer} pays {payee} by this schedule, {climbs}: {schedule}.",
        "For any one person at most {cap_per_person} is paid for a year.",
        "At most {cap} is paid for a year.",
        "At most {cap_in_all} is paid in all years together.",
    )
    not_modelled = (
        "how an outcome is verified, and how a comparison is made; both come before the settlement",
        "chance error in the comparison",
    )
    reads = dict.fromkeys(
        ("outcomes.{outcome}", "outcomes.{precondition}", "outcomes.{comparison}", "outcomes.{forecast}")
    )
    together = (
        ("expected", "better"),
        ("comparison", "better"),
        ("forecast", "better"),
        ("schedule", "climbs"),
        ("climbs", "schedule"),
        ("at_least", "better"),
        ("cap_per_person", "price"),
    )
    units = dict.fromkeys(("verified count", "expected count", "paid count"), unit_of(Count))
    lan, vbpr = "2C", "ubip"
    for_all = ("expected", "cap", "cap_in_all")

    kind: Literal["outcome_price"]
    outcome: MeasureName
    unit: OutcomeUnit = "events"
    precondition: MeasureName | None = None
    expected: Count | None = None
    comparison: MeasureName | None = None
    forecast: MeasureName | None = None
    better: Literal["more", "fewer"] | None = None
    at_least: Share | None = None
    price: Dollars | None = None
    schedule: DollarLadder | None = None
    climbs: Literal["in steps", "in straight lines between", "each one at the price of its band"] | None = None
    cap_per_person: Dollars | None = None
    cap: Dollars | None = None
    cap_in_all: Dollars | None = None

    def reading(self) -> Mapping[str, Unit | None]:
        return self.reads if self.cap_per_person is None else {**self.reads, "outcomes.{outcome}" + FIRST: None}

    @property
    def compared(self) -> bool:
        return self.expected is not None or bool(self.comparison or self.forecast)

    @property
    def pays_for_results(self) -> bool:
        return self.compared

    def expects(self, year: Expected) -> Mapping[str, Number]:
        """As many as it is compared with; else what people of this kind have."""
        if self.compared:
            each = HOSPITAL_DAYS if self.unit == "days" else ADMISSIONS
            number = each * year.lives if self.expected is None else self.expected
        elif self.unit == "dollars":
            number = CERTIFIED
        else:
            number = year.lives * (OTHER_DAYS if self.unit == "days" else OTHER_OUTCOMES)
        verified = year.first(f"outcomes.{self.outcome}", number)
        known = {
            self.comparison: number,
            self.forecast: number,
            self.outcome: verified,
            self.precondition: verified,
        }
        if self.cap_per_person is not None and self.price:
            known[f"{self.outcome}{FIRST}"] = self.cap_per_person / self.price  # what the limit pays for
        return {f"outcomes.{name}": value for name, value in known.items() if name}

    def moves(self) -> Mapping[str, Moves]:
        fewer, dollars = self.better == "fewer", self.unit == "dollars"
        known = {
            self.outcome: Moves(self.unit, held=dollars, lowered=fewer, stays=fewer),
            self.precondition: Moves(self.unit, held=dollars, part_of=f"outcomes.{self.outcome}"),
            self.comparison: Moves(self.unit, held=dollars, stays=True),
            self.forecast: Moves(self.unit, held=True),
        }
        return {f"outcomes.{name}": how for name, how in known.items() if name}

    @property
    def has_memory(self) -> bool:
        return self.cap_in_all is not None

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        verified = year.outcomes[self.outcome]
        met = least(verified, year.outcomes[self.precondition]) if self.precondition else verified
        without = self.comparison or self.forecast
        expected = year.outcomes[without] if without else self.expected or 0
        counted = most(expected - met if self.better == "fewer" else met - expected, 0)
        paid = counted * self.price if self.schedule is None else CLIMBS[self.climbs or ""](self.schedule, counted)
        how = {"verified count": verified, "expected count": expected, "paid count": counted}
        if self.cap_per_person is not None:
            beyond = beyond_the_limit(year, f"outcomes.{self.outcome}", self.price, self.cap_per_person)
            paid, how = most(paid - beyond, 0.0), how | {"beyond the limit for one person": beyond}
        if self.at_least is not None:
            reached = reaches(counted, self.at_least * expected) & (counted > 0)
            paid = when(reached, paid, 0.0)
        if self.cap is not None:
            paid = least(paid, self.cap)
        if self.cap_in_all is not None:
            paid = least(paid, most(self.cap_in_all - ledger.total(clause=self.name), 0.0))
        return paid, how

    @model_validator(mode="after")
    def _one_price_and_one_comparison(self) -> Self:
        compared = sum(term is not None for term in (self.expected, self.comparison, self.forecast))
        allowed = "one price or schedule; one expected number, comparison or forecast with `better`, or none"
        if (self.price is None) == (self.schedule is None):
            refuse("both or neither of `price` and `schedule`", allowed, "keep one of `price` and `schedule`")
        if compared > 1 or (self.better and not compared):
            given = "not one alone of `expected`, `comparison` and `forecast`"
            refuse(given, allowed, "keep one of them, or leave out `better` too")
        if self.compared and self.cap_per_person is not None:
            given = "`cap_per_person` together with a comparison"
            refuse(given, "a limit for one person where each one is paid for", "take one of them out")
        return self
