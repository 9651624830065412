from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..per_month import MONTHS, WORKINGS, per_month
from ..scales import TieredDollars
from ..units import Number, Unit
from ..worded import Text
from ..year import Year


class CaseRate(Clause):
    """One price a month for a named package of care, for each enrolled member, the same for all or by tier.

    paid = sum over tiers of (per member per month x months that count)

    The provider bills none of the named services apart. A `reconciliation` shares what they cost more or less.
    """

    words = (
        "{payer} pays {payee} {per_member_per_month} per member for each {for_each}.",
        "The rate covers these services, and none of them is billed apart: {services}.",
    )
    not_modelled = (
        "members who change tier within a month",
        "who may be enrolled, and when enrollment ends",
    )
    units = WORKINGS
    lan, vbpr = "4A", "eoc"

    kind: Literal["case_rate"]
    per_member_per_month: TieredDollars
    services: list[Text]
    for_each: Literal["enrolled month", "engaged month", "month with a documented service"] = "enrolled month"

    @property
    def care_taken_on(self) -> Literal["none", "some", "all"]:
        return "some"

    def reading(self) -> Mapping[str, Unit | None]:
        return {MONTHS[self.for_each] + ".{per_member_per_month}": None}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        return per_month(self.per_member_per_month, year, MONTHS[self.for_each])
