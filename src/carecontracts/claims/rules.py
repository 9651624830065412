"""What the rows of a table must hold, rule by rule, and what becomes of those that do not."""

from collections.abc import Callable, Collection
from datetime import date
from typing import Any, NamedTuple

import ibis.expr.types as ir

from .codes import CODES
from .layout import SCHEMAS

REFUSED, LEFT_OUT, KEPT = "refused until mended", "left out", "kept as it is"
ONCE, NETTED, LAST_KEPT = "used once", "netted into one", "the last paid is kept"
SPELLED = "read as the standard spells it"

MOST = 1e13  # dollars, or units, either way: beyond it cents are not exact
OPEN_ENDED = ("enrollment_end_date", "end_date")  # none: still enrolled, still on the roster
AMOUNTS = ("paid_amount", "allowed_amount")

Holds = Callable[[ir.Table], ir.BooleanValue]


class Rule(NamedTuple):
    """A rule of each row, told at one column; `holds` is where the rule is kept, or null where it says nothing."""

    column: str
    name: str
    holds: Holds
    do: str
    effect: str = KEPT
    fault: bool = True  # False: a note; sound data can look so, but someone should know why


def row_rules(name: str, columns: Collection[str], today: date) -> list[Rule]:
    """What the rows of a table must hold in the columns that it has, beyond types and what may not be empty."""
    rules = []
    for column, dtype in SCHEMAS[name].items():
        if dtype.is_date():
            rules.append(Rule(column, "date before 1900", _at_least(column, date(1900, 1, 1)), "mend the date"))
        if dtype.is_date() and column not in OPEN_ENDED:
            rules.append(Rule(column, "date in the future", _at_most(column, today), "mend the date"))
        if dtype.is_floating():
            rules.append(Rule(column, BEYOND, within(column), "write the amount", REFUSED))
        if column in CODES:
            code = CODES[column]
            do = "write one of the values" if code.words.startswith("one of") else "write the code as its standard does"
            rules.append(
                Rule(column, f"not {code.words}", _like(column, code.form), do, fault=column not in MAY_DIFFER)
            )
    for first, then, words, effect, fault in ORDERS.get(name, []):
        if first in columns:
            rules.append(Rule(then, words, in_order(first, then), "swap or mend the dates", effect, fault))
    return [rule for rule in rules if rule.column in columns]


BEYOND = f"not finite, or beyond {MOST:,.0f}"


def _at_least(column: str, least: Any) -> Holds:
    return lambda rows: rows[column] >= least


def _at_most(column: str, most: Any) -> Holds:
    return lambda rows: rows[column] <= most


def within(column: str) -> Holds:
    """Of a number; NaN is larger than all others, on every engine."""
    return lambda rows: rows[column].abs() <= MOST


def _like(column: str, pattern: str) -> Holds:
    return lambda rows: (rows[column] == "") | rows[column].re_search(pattern)


def in_order(first: str, then: str) -> Holds:
    return lambda rows: rows[first] <= rows[then]


MAY_DIFFER = {column for column in CODES if column.endswith("_npi")} | {"zip_code", "state", "ndc_code", "drg_code"}

# Two dates that must not be the wrong way round: the first, the other, the rule, what happens, whether it is a fault.
ORDERS = {
    "eligibility": [
        ("enrollment_start_date", "enrollment_end_date", "ends before it starts", LEFT_OUT, True),
        ("birth_date", "death_date", "dead before birth", KEPT, True),
        ("birth_date", "enrollment_end_date", "covered before birth", KEPT, True),
        ("enrollment_start_date", "death_date", "enrolled after death", KEPT, False),
    ],
    "medical_claim": [
        ("claim_start_date", "claim_end_date", "ends before it starts", LEFT_OUT, True),
        ("claim_line_start_date", "claim_line_end_date", "ends before it starts", KEPT, True),
        ("admission_date", "discharge_date", "discharged before admission", KEPT, True),
        ("claim_start_date", "paid_date", "paid before it began", KEPT, False),
    ],
    "pharmacy_claim": [("dispensing_date", "paid_date", "paid before it was dispensed", KEPT, False)],
    "roster": [("start_date", "end_date", "ends before it starts", LEFT_OUT, True)],
}
