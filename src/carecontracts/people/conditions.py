"""Which conditions each person had in each year, read from the diagnosis codes on their claims.

The value sets are data, in `conditions.yaml`: for each condition the ICD-10-CM and ICD-9-CM prefixes, their source, and
whether it counts as chronic, as behavioral or as a sign of frailty. A file of your own can take their place.

A diagnosis on one outpatient claim may only be a suspicion that a test then ruled out. So the rule asks for the code on
one inpatient claim, or on `days` different days of other claims: two is what the CMS Chronic Conditions Warehouse asks
for in most of its conditions, over its own, often longer, look-back. Here the look-back is the year.

The diagnosis columns are unpivoted in the engine. SQL Server has no arrays to do it with: unpivot there beforehand.

Not modelled:
- conditions inferred from drugs or procedures
- the order of the codes: a condition counts in any position
- the longer look-backs of published algorithms (one to three years): use `prior_` columns for those
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple

import ibis
import ibis.expr.types as ir
from ibis import _

from ..claims.read import Claims
from ..claims.services import with_service
from ..files import read_yaml
from ..refusal import Fault, Refusal, did_you_mean, show

GROUPS = ("chronic", "behavioral", "frailty", "other")
SOURCES = ("quan2005", "cms_hcc", "chosen")
KINDS = {"icd10": "icd-10-cm", "icd9": "icd-9-cm"}  # as Tuva writes diagnosis_code_type


class Condition(NamedTuple):
    """One condition and the codes that mean it."""

    name: str
    words: str
    group: str
    source: str
    icd10: tuple[str, ...]
    icd9: tuple[str, ...]
    complex: bool = False
    hcc: tuple[str, ...] = ()  # CMS-HCC V28 categories whose codes are all in icd10


@cache
def value_sets(path: Path | None = None) -> dict[str, Condition]:
    """The conditions by name: those that ship with the package, or those of a file of your own.

    >>> value_sets()["diabetes"].icd10
    ('E08', 'E09', 'E10', 'E11', 'E13')
    """
    where = path or files(__package__) / "conditions.yaml"
    data, _ = read_yaml(where)
    faults = list(_faults(data, str(path or "conditions.yaml")))
    if faults:
        raise Refusal(faults)
    return {
        name: Condition(
            name,
            entry["words"],
            entry["group"],
            entry["source"],
            tuple(p for item in entry["icd10"] for p in prefixes(item)),
            tuple(p for item in entry["icd9"] for p in prefixes(item)),
            complex=entry.get("complex", False),
            hcc=tuple(entry.get("hcc", ())),
        )
        for name, entry in data.items()
    }


def prefixes(item: str | int) -> list[str]:
    """One prefix, or all from the first to the last of a range.

    >>> prefixes("C77-C80"), prefixes("E11"), prefixes("4254-4256")
    (['C77', 'C78', 'C79', 'C80'], ['E11'], ['4254', '4255', '4256'])
    """
    first, dash, last = str(item).partition("-")
    if not dash:
        return [first]
    letter = first[: len(first) - len(first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
    digits = len(first) - len(letter)
    return [f"{letter}{n:0{digits}d}" for n in range(int(first[len(letter) :]), int(last[len(letter) :]) + 1)]


def _faults(data: Any, where: str) -> Iterator[Fault]:
    if not isinstance(data, dict) or not data:
        yield Fault(where, show(data), "conditions by name, each with its codes", "begin with, say, `diabetes:`")
        return
    needed = {"words", "group", "source", *KINDS}
    for name, entry in data.items():
        here = f"{where}, condition '{name}'"
        if not isinstance(entry, dict):
            yield Fault(here, show(entry), f"the terms {', '.join(sorted(needed))}", "write them under the name")
            continue
        if not (isinstance(name, str) and name.isidentifier()):
            yield Fault(here, show(name), "a name of letters, digits and _", "rename the condition")
        for term in sorted(needed - set(entry)):
            yield Fault(here, f"no `{term}`", f"the terms {', '.join(sorted(needed))}", f"add `{term}:`")
        for term in sorted(set(map(str, entry)) - needed - {"complex", "hcc"}):
            hint = did_you_mean(term, needed)
            yield Fault(
                here, f"the term `{term}`", "words, group, source, icd10, icd9, complex, hcc", f"{hint}remove it"
            )
        for term, choices in (("group", GROUPS), ("source", SOURCES)):
            if term in entry and entry[term] not in choices:
                yield Fault(f"{here}, `{term}`", show(entry[term]), ", ".join(choices), "choose one of these")
        for kind in KINDS:
            for item in entry.get(kind) or ():
                code = str(item)
                if not all(part.isalnum() and part == part.upper() for part in code.split("-")) or code.count("-") > 1:
                    allowed = "a code in capitals without its dot (E116), or a range (C77-C80)"
                    yield Fault(f"{here}, `{kind}`", show(item), allowed, "rewrite the code")


def named(group: Literal["chronic", "behavioral", "frailty", "other"]) -> list[str]:
    """The conditions of a group.

    >>> named("behavioral")
    ['dementia', 'smi', 'depression', 'anxiety', 'sud']
    """
    return [c.name for c in value_sets().values() if c.group == group]


def diagnoses(medical_claim: ir.Table) -> ir.Table:
    """One row for each person, day, claim type and diagnosis code, from however many diagnosis columns there are."""
    columns = [c for c in medical_claim.columns if c.startswith("diagnosis_code_") and c != "diagnosis_code_type"]
    lines = with_service(medical_claim).select(
        "person_id", "diagnosis_code_type", *columns, day=_.claim_start_date, inpatient=_.service == "inpatient"
    )
    long = lines.pivot_longer(columns, names_to="position", values_to="code")
    code = long.code.cast("string").replace(".", "").strip().upper()
    return (
        long.mutate(code=code, kind=long.diagnosis_code_type.lower(), year=long.day.year())
        .filter(_.code.notnull() & (_.code != ""))
        .select("person_id", "year", "day", "inpatient", "kind", "code")
        .distinct()
    )


def conditions(claims: Claims, *, days: int = 2, sets: Mapping[str, Condition] | None = None) -> ir.Table:
    """Which conditions each person had in each calendar year: 0/1 columns, and the counts of three groups.

    A condition counts with its code on one inpatient claim, or on `days` different days of any claims. A person-year
    without a diagnosed condition has no row. Columns: person_id, year, one for each condition, chronic_conditions,
    behavioral_conditions, complex_conditions, frailty_indicators.
    """
    sets = sets or value_sets()
    coded = diagnoses(claims.medical_claim)
    rows = [
        {"condition": c.name, "kind": KINDS[kind], "prefix": prefix}
        for c in sets.values()
        for kind in KINDS
        for prefix in getattr(c, kind)
    ]
    listed = ibis.memtable(rows, schema={"condition": "string", "kind": "string", "prefix": "string"})
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
        chosen = [flags[c.name].cast("int32") for c in sets.values() if keep(c)]
        return sum(chosen[1:], chosen[0]) if chosen else ibis.literal(0)

    return flags.mutate(
        chronic_conditions=count(lambda c: c.group == "chronic"),
        behavioral_conditions=count(lambda c: c.group == "behavioral"),
        complex_conditions=count(lambda c: c.complex),
        frailty_indicators=count(lambda c: c.group == "frailty"),
    )
