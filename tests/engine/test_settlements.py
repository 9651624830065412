"""Every case in tests/engine/settlements/, worked by hand, settles to the cent: as numbers and as arrays of draws.

A file holds `cases`. For all its cases it may give a `contract` (a name of the gallery, or the contract itself) and
`facts` that every year has unless a case says otherwise. A case has

    title       what it shows
    source      where the figures were published, if they were
    contract    instead of the file's
    amend       terms changed, by clause
    years       the facts of each year
    pays        what each clause pays, by year where there are several; a clause that is not named pays nothing
    misprinted  what the source prints, where that is wrong: the settlement must differ

Code never writes these files.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from carecontracts import Contract, Ledger, Year, gallery
from carecontracts.year import year_from

FOLDER = Path(__file__).parent / "settlements"


def cases() -> list[Any]:
    found = []
    for file in sorted(FOLDER.glob("*.yaml")):
        shared = yaml.safe_load(file.read_text("utf-8"))
        assert set(shared) <= {"contract", "facts", "cases"}, file
        for case in shared.pop("cases"):
            found.append(pytest.param({"facts": {}} | shared | case, id=f"{file.stem}: {case['title']}"))
    return found


def agreed(case: dict[str, Any]) -> Contract:
    given = case["contract"]
    contract = Contract.load(gallery(given)) if isinstance(given, str) else Contract.parse(yaml.safe_dump(given))
    return contract.amend(case["amend"]) if "amend" in case else contract


def facts_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Each year's facts by name, `measures.quality score`, the file's own first."""
    return [flat(case["facts"]) | flat(year) for year in case["years"]]


def flat(facts: dict[str, Any]) -> dict[str, Any]:
    named = {f"{k}.{part}": v for k, value in facts.items() if isinstance(value, dict) for part, v in value.items()}
    return named | {k: value for k, value in facts.items() if not isinstance(value, dict)}


def paid(ledger: Ledger) -> dict[int, dict[str, Any]]:
    """What was paid, by year and clause, without the zeros."""
    years: dict[int, dict[str, Any]] = {line.year: {} for line in ledger}
    for line in ledger:
        if np.any(line.amount):
            years[line.year][line.clause] = line.amount
    return years


def expected(case: dict[str, Any]) -> dict[int, dict[str, float]]:
    years = [year["year"] for year in case["years"]]
    return case["pays"] if set(case["pays"]) == set(years) else {years[0]: case["pays"]}


@pytest.mark.parametrize("case", cases())
def test_pays_what_was_worked_by_hand(case: dict[str, Any]) -> None:
    assert set(case) <= {"title", "source", "contract", "facts", "amend", "years", "pays", "misprinted"}
    ledger = agreed(case).settle([year_from(facts, "") for facts in facts_of(case)])
    assert paid(ledger) == expected(case)
    for clause, printed in case.get("misprinted", {}).items():
        assert ledger.total(clause=clause) != printed


@pytest.mark.parametrize("case", cases())
def test_pays_the_same_in_every_draw(case: dict[str, Any]) -> None:
    years: list[Year] = []
    for facts in facts_of(case):
        arrays = {name: np.full(3, float(value)) for name, value in facts.items() if name != "year"}
        years.append(year_from({"year": facts["year"]} | arrays, ""))
    for year, clauses in paid(agreed(case).settle(years)).items():
        assert set(clauses) == set(expected(case)[year])
        for clause, amounts in clauses.items():
            assert np.array_equal(np.broadcast_to(amounts, 3), np.full(3, expected(case)[year][clause])), clause


def test_titles_are_said_once() -> None:
    titles = [case.id for case in cases()]
    assert len(titles) == len(set(titles)) >= 100
