"""Which conditions each person had in each year, read from the diagnosis codes on their claims.

A diagnosis on one outpatient claim may only be a suspicion that a test then ruled out. So the rule asks for the code on
one inpatient claim, or on `days` different days of other claims: two is what the CMS Chronic Conditions Warehouse asks
for in most of its conditions, over its own, often longer, look-back. Here the look-back is the year.

The diagnosis columns become rows in the engine, in one pass over the lines and without arrays, which not all have.

Not modelled:
- conditions inferred from drugs or procedures
- the order of the codes: a condition counts in any position
- the longer look-backs of published algorithms (one to three years): use `prior_` columns for those
"""

from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from ..claims.layout import MOST_CODES, Claims
from ..value_sets import KINDS, value_sets
from .months import contract_year


def diagnoses(claims: Claims, *, first_month: int = 1) -> ir.Table:
    """One row for each person, day, claim type and diagnosis code, from however many diagnosis columns there are."""
    lines = claims.lines
    columns = [c for c in lines.columns if c.startswith("diagnosis_code_") and c != "diagnosis_code_type"]
    lines = lines.select(
        "person_id", "diagnosis_code_type", *columns, day=_.claim_start_date, inpatient=_.service == "inpatient"
    )
    long = lines.cross_join(_positions())
    code = ibis.cases(*((long.position == n, long[column]) for n, column in enumerate(columns)))
    code = code.replace(".", "").strip().upper()
    return (
        long.mutate(code=code, kind=long.diagnosis_code_type.lower(), year=contract_year(long.day, first_month))
        .filter(_.code.notnull() & (_.code != ""))
        .select("person_id", "year", "day", "inpatient", "kind", "code")
        .distinct()
    )


@cache
def _positions() -> ir.Table:
    """The positions of a claim's diagnosis codes: one table, so that equal expressions are the same."""
    return ibis.memtable({"position": list(range(MOST_CODES))}, schema={"position": "int64"})


@cache
def _prefixes() -> ir.Table:
    """The prefixes of codes, and the condition that each means: one table, so that equal expressions are the same."""
    rows = [
        {"condition": name, "kind": KINDS[kind], "prefix": prefix}
        for name, c in value_sets().items()
        for kind in KINDS
        for prefix in getattr(c, kind)
    ]
    return ibis.memtable(rows, schema={"condition": "string", "kind": "string", "prefix": "string"})


def conditions(claims: Claims, *, days: int = 2, first_month: int = 1) -> ir.Table:
    """Which conditions each person had in each year: 0/1 columns, and the counts of three groups.

    Years begin in `first_month`. A condition counts with its code on one inpatient claim, or on `days` different days
    of any claims. A person-year without a diagnosed condition has no row. Columns: person_id, year, one for each
    condition, chronic_conditions, behavioral_conditions, complex_conditions, frailty_indicators.
    """
    sets = value_sets()
    coded = diagnoses(claims, first_month=first_month)
    listed = _prefixes()
    # The prefixes meet each different code once, not each line of a claim: a few thousand rows, whatever the panel.
    codes = coded.select("kind", "code").distinct()
    meaning = codes.inner_join(listed, [codes.kind == listed.kind, codes.code.startswith(listed.prefix)]).select(
        codes.kind, codes.code, listed.condition
    )
    found = (
        coded.inner_join(meaning.distinct(), ["kind", "code"])
        .group_by("person_id", "year", "condition")
        .agg(stayed=_.inpatient.any(), days=_.day.nunique())
        .filter(_.stayed | (_.days >= days))
    )
    flags = found.group_by("person_id", "year").agg(
        [(found.condition == name).any().cast("int8").name(name) for name in sets]
    )

    def count(keep: Any) -> Any:
        chosen = [flags[name].cast("int32") for name, c in sets.items() if keep(c)]
        return sum(chosen[1:], chosen[0])

    return flags.mutate(
        chronic_conditions=count(lambda c: c.group == "chronic"),
        behavioral_conditions=count(lambda c: c.group == "behavioral"),
        complex_conditions=count(lambda c: c.complex),
        frailty_indicators=count(lambda c: c.group == "frailty"),
    )
