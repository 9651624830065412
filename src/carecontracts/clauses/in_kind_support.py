from collections.abc import Mapping
from typing import Literal

from ..clause import Clause
from ..expected import CASELOAD, Expected, Moves
from ..ledger import Ledger
from ..units import Count, Dollars, Number, unit_of
from ..worded import MeasureName
from ..year import Year


class InKindSupport(Clause):
    """Support that the payer gives instead of money: its own care managers in the practice, software, training.

    worth = value x how many were given, or value where it is given as a whole

    It is a line of the statement and moves no cash. A later clause counts it as spending only if it names it.
    """

    words = (
        "{payer} gives {payee} support in kind: {support}.",
        "By agreement its yearly worth is {value}.",
        "That is the worth of one {for_each} for a year; as many count as were given.",
    )
    not_modelled = (
        "what the support would have cost the provider to buy",
        "whom the people work for, and what happens to them when the contract ends",
    )
    reads = {"counts.{for_each}": None}
    units = {"{for_each} count": unit_of(Count)}
    plainly = ("support", "for_each")

    kind: Literal["in_kind_support"]
    due: Literal["in kind"] = "in kind"
    support: MeasureName
    value: Dollars
    for_each: MeasureName | None = None

    def expects(self, year: Expected) -> Mapping[str, Number]:
        return {f"counts.{self.for_each}": max(1.0, year.lives / CASELOAD)} if self.for_each else {}

    def moves(self) -> Mapping[str, Moves]:
        return {f"counts.{self.for_each}": Moves("people", held=True)} if self.for_each else {}  # staff

    def set_for_size(self) -> tuple[str, ...]:
        return () if self.for_each else ("value",)

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        if self.for_each is None:
            return self.value, {}
        given = year.counts[self.for_each]
        return self.value * given, {f"{self.for_each} count": given}
