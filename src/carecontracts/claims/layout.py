"""The five tables that a year is measured from, in the Tuva Project's input layer layout: names, types and keys.

Names and meanings are Tuva's (https://thetuvaproject.com/input-layer) for eligibility, medical and pharmacy claims;
`outcome` and `roster` are ours. A table is an Ibis expression on the engine that holds it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NamedTuple

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from . import engine
from .services import with_service

FAR = date(2100, 1, 1)  # a span that has no end, or ends then or later, is open
MOST_CODES = 25  # diagnosis and procedure codes a claim line may carry, as in Tuva's layout


def _codes(prefix: str) -> dict[str, str]:
    return {f"{prefix}_{n}": "string" for n in range(1, MOST_CODES + 1)}


SCHEMAS: dict[str, ibis.Schema] = {
    "eligibility": ibis.schema(
        {
            "person_id": "string",
            "member_id": "string",
            "subscriber_id": "string",
            "gender": "string",  # female, male or unknown
            "race": "string",
            "birth_date": "date",
            "death_date": "date",
            "death_flag": "int64",
            "enrollment_start_date": "date",
            "enrollment_end_date": "date",  # none, or FAR and later: still enrolled
            "payer": "string",
            "payer_type": "string",  # medicaid, medicare, commercial
            "plan": "string",
            "original_reason_entitlement_code": "string",
            "dual_status_code": "string",  # 01 to 08; 00 or none: not dual
            "medicare_status_code": "string",
            "group_id": "string",
            "group_name": "string",
            "city": "string",
            "state": "string",
            "zip_code": "string",
            "data_source": "string",
        }
    ),
    "medical_claim": ibis.schema(
        {
            "claim_id": "string",
            "claim_line_number": "int64",
            "claim_type": "string",  # institutional or professional
            "person_id": "string",
            "member_id": "string",
            "payer": "string",
            "plan": "string",
            "claim_start_date": "date",
            "claim_end_date": "date",
            "claim_line_start_date": "date",
            "claim_line_end_date": "date",
            "admission_date": "date",
            "discharge_date": "date",
            "admit_source_code": "string",
            "admit_type_code": "string",
            "discharge_disposition_code": "string",
            "place_of_service_code": "string",
            "bill_type_code": "string",
            "drg_code_type": "string",  # ms-drg or apr-drg
            "drg_code": "string",
            "revenue_center_code": "string",
            "service_unit_quantity": "float64",
            "hcpcs_code": "string",
            **{f"hcpcs_modifier_{n}": "string" for n in range(1, 6)},
            "rendering_npi": "string",
            "rendering_tin": "string",
            "billing_npi": "string",
            "billing_tin": "string",
            "facility_npi": "string",
            "paid_date": "date",
            "paid_amount": "float64",
            "allowed_amount": "float64",
            "charge_amount": "float64",
            "coinsurance_amount": "float64",
            "copayment_amount": "float64",
            "deductible_amount": "float64",
            "total_cost_amount": "float64",
            "diagnosis_code_type": "string",  # icd-9-cm or icd-10-cm
            **_codes("diagnosis_code"),
            "procedure_code_type": "string",
            **_codes("procedure_code"),
            "in_network_flag": "int64",
            "data_source": "string",
        }
    ),
    "pharmacy_claim": ibis.schema(
        {
            "claim_id": "string",
            "claim_line_number": "int64",
            "person_id": "string",
            "member_id": "string",
            "payer": "string",
            "plan": "string",
            "prescribing_provider_npi": "string",
            "dispensing_provider_npi": "string",
            "dispensing_date": "date",
            "ndc_code": "string",
            "quantity": "float64",
            "days_supply": "float64",
            "refills": "float64",
            "paid_date": "date",
            "paid_amount": "float64",
            "allowed_amount": "float64",
            "charge_amount": "float64",
            "coinsurance_amount": "float64",
            "copayment_amount": "float64",
            "deductible_amount": "float64",
            "in_network_flag": "int64",
            "data_source": "string",
        }
    ),
    "outcome": ibis.schema(
        {
            "person_id": "string",
            "outcome_date": "date",
            "outcome": "string",  # contact, assessment, care_plan, housing_need, phq9, school_ready ...
            "outcome_value": "float64",
            "data_source": "string",
        }
    ),
    "roster": ibis.schema(
        {
            "person_id": "string",
            "organization": "string",
            "start_date": "date",
            "end_date": "date",  # none: still on it
        }
    ),
}

# The columns without which a table cannot be used. Of the tables, eligibility and medical_claim must be there.
REQUIRED: dict[str, tuple[str, ...]] = {
    "eligibility": ("person_id", "enrollment_start_date", "enrollment_end_date"),
    "medical_claim": ("claim_id", "claim_line_number", "claim_type", "person_id", "claim_start_date", "paid_amount"),
    "pharmacy_claim": ("claim_id", "claim_line_number", "person_id", "dispensing_date", "paid_amount"),
    "outcome": ("person_id", "outcome_date", "outcome"),
    "roster": ("person_id", "organization", "start_date"),
}
NEEDED = ("eligibility", "medical_claim")

# What identifies a row: no two rows of a table should share it.
KEYS: dict[str, tuple[str, ...]] = {
    "eligibility": ("person_id", "enrollment_start_date", "enrollment_end_date", "payer", "plan"),
    "medical_claim": ("claim_id", "claim_line_number", "person_id", "payer", "data_source"),
    "pharmacy_claim": ("claim_id", "claim_line_number", "person_id", "payer", "data_source"),
    "outcome": ("person_id", "outcome_date", "outcome", "outcome_value"),
    "roster": ("person_id", "organization", "start_date"),
}


class Given(NamedTuple):
    """A table as it was written: its rows before any text is read as a date or number, and lines that are no rows."""

    place: str
    rows: ir.Table
    junk: tuple[tuple[str, str], ...] = ()  # (where, the line), for a CSV file's lines that do not fit its header


class Taken(NamedTuple):
    """The rows of a table that one rule took out, and their money in cents."""

    table: str
    why: str  # unusable, replaced, again, netted, version, stranger
    words: str
    rows: int
    people: int
    paid: int
    allowed: int


@dataclass(frozen=True)
class Claims:
    """Both parties' words as five tables of the rows that are used; those that were not given are empty.

    `used.py` says which rows these are. `given` are the tables as they were written, and `taken` what became of the
    others: the rows used and those taken out add up to those given.
    """

    eligibility: ir.Table
    medical_claim: ir.Table
    pharmacy_claim: ir.Table
    outcome: ir.Table
    roster: ir.Table
    given: Mapping[str, Given] = field(default_factory=dict, compare=False, repr=False)
    notes: tuple[str, ...] = field(default=(), compare=False)  # what was not read or not used, in words
    taken: tuple[Taken, ...] = field(default=(), compare=False)
    month_counts_by: str = "any day"  # of coverage; or its first or 15th day; or "days", each its share of the month
    _kept: dict[Any, ir.Table] = field(
        default_factory=dict, compare=False, repr=False
    )  # shared by what is made of them

    def tables(self) -> dict[str, ir.Table]:
        """The five tables by name."""
        return {name: getattr(self, name) for name in SCHEMAS}

    @cached_property
    def lines(self) -> ir.Table:
        """The medical lines, each with its kind of `service`: an expression, and the one place that classes lines."""
        return with_service(self.medical_claim)

    def kept(self, table: ir.Table) -> ir.Table:
        """A table made of these claims, computed once by their engine and held until it closes.

        Asked again for the same expression, the same table: what is read many times need not be carried about.
        """
        if table.op() not in self._kept:
            self._kept[table.op()] = engine.kept(table)
        return self._kept[table.op()]


def typed(table: ir.Table, name: str) -> dict[str, ir.Value]:
    """Each column of the layout; text that is no date or number is empty, and so is a column that is not there."""
    return {
        column: _typed(table[column], str(dtype)) if column in table.columns else ibis.null(dtype)
        for column, dtype in SCHEMAS[name].items()
    }


def _typed(column: ir.Value, dtype: str) -> ir.Value:
    own = column.type()
    if str(own) == dtype or (dtype == "string" and own.is_string()):
        return column
    if own.is_string():
        column = as_written(column, dtype)
    if own.is_string() and dtype == "int64":
        column = column.try_cast("float64")  # 1.0 is a whole number, as a spreadsheet writes it
    if column.type().is_floating() and dtype in ("int64", "string"):
        # A cast would round: 1.5 and 2.0 are not one person, and infinity is none.
        column = ibis.ifelse(column % 1 == 0, column, ibis.null("float64"))
        column = column.try_cast("int64")  # an identifier that a data frame with gaps holds as 1.0
    return column.try_cast(dtype) if str(column.type()) != dtype else column


def as_written(text: ir.StringValue, dtype: str) -> ir.StringValue:
    """The text, or nothing where some engine reads a value that nobody wrote: `epoch`, 2026 or 26-01-05 as a day,
    1_000 or 5d as a number.
    """
    bare = text.strip()
    if dtype == "date":
        meant = bare.substr(4, 1).isin(["-", "/"]) & (bare.length() >= 8)
    else:
        meant = (bare.right(1) <= "9") & ~bare.contains("_")
    return ibis.ifelse(meant, text, ibis.null("string"))


def told_apart(table: ir.Table, name: str) -> ir.Table:
    """The table, a column that holds nothing at all, and so has no type of its own, as an empty one of the layout's."""
    known = SCHEMAS.get(name, {})
    empty = [column for column, own in table.schema().items() if own.is_null() or _is_nothing(own)]
    return table.mutate(**{c: ibis.null(known.get(c, "string")) for c in empty}) if empty else table


def _is_nothing(own: dt.DataType) -> bool:
    return own.is_unknown() and "NULL" in str(own)


def nearly(column: str, columns: Iterable[str]) -> str:
    """The column of which this is the name but for a slip: letters alike, digits the same; or nothing.

    >>> lacking = ["bill_type_code", "payer", "plan", "diagnosis_code_1", "procedure_code_1", "drg_code"]
    >>> [nearly(name, lacking) for name in ("BillTypeCode", "bil_type_code", "payor", "diagnosis_codes_1")]
    ['bill_type_code', 'bill_type_code', 'payer', 'diagnosis_code_1']
    >>> {nearly(name, lacking) for name in ("bill", "plan_name", "diagnosis_code_2", "procedure_date_1", "ms_drg_code")}
    {''}
    """
    column = {"payor": "payer"}.get(column, column)
    letters, digits = re.sub("[^a-z]", "", column.lower()), re.sub("[^0-9]", "", column)
    alike = {re.sub("[^a-z]", "", known): known for known in columns if re.sub("[^0-9]", "", known) == digits}
    return next((alike[near] for near in get_close_matches(letters, alike, 1, 0.9)), "")


def misfit(own: dt.DataType, dtype: dt.DataType) -> str:
    """What a column must be instead of its own type, which cannot be read as the layout's; nothing where it can."""
    if own.is_string() or own.is_null():
        return ""
    if dtype.is_date():
        return "" if own.is_date() or own.is_timestamp() else "date, or text such as 2026-01-31"
    if dtype.is_string():
        return "" if own.is_numeric() and not own.is_boolean() else "text"
    return "" if own.is_numeric() else "a number"
