"""Every mechanism has its five things: a file, cases worked by hand, a contract, a notebook and a chapter."""

import ast
import json
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from carecontracts import Contract, gallery
from carecontracts.chance.simulate import expected_years, in_words, simulate, with_effect
from carecontracts.clauses import MECHANISMS
from carecontracts.gallery import gallery_names
from carecontracts.paper.term_sheet import paragraph

ROOT = Path(__file__).parents[2]


def kinds_in(contract: str | dict[str, Any]) -> set[str]:
    """The mechanisms of a contract in contracts/, or of one written out in a file of cases."""
    if isinstance(contract, dict):
        return {clause["kind"] for clause in contract["clauses"]}
    return {clause.kind for clause in Contract.load(gallery(contract)).clauses}


@pytest.fixture(scope="module")
def worked() -> set[str]:
    """The mechanisms that cases work by hand."""
    kinds = set()
    for file in (ROOT / "tests" / "engine" / "settlements").glob("*.yaml"):
        given = yaml.safe_load(file.read_text("utf-8"))
        for contract in [given.get("contract"), *(case.get("contract") for case in given["cases"])]:
            kinds |= kinds_in(contract) if contract else set()
    return kinds


@pytest.fixture(scope="module")
def contracts() -> dict[str, set[str]]:
    return {name: kinds_in(name) for name in gallery_names()}


@pytest.fixture(scope="module")
def chapters() -> dict[str, tuple[str, str]]:
    """What each chapter says, and what the notebook of the same name runs."""
    found = {}
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        chapter = ROOT / "book" / f"{notebook.stem}.md"
        if chapter.exists():
            cells = json.loads(notebook.read_text("utf-8"))["cells"]
            found[notebook.stem] = (chapter.read_text("utf-8"), "".join("".join(cell["source"]) for cell in cells))
    return found


@pytest.mark.parametrize("kind", sorted(MECHANISMS))
def test_a_mechanism_has_its_five_things(kind, worked, contracts, chapters):
    using = [name for name, kinds in contracts.items() if kind in kinds]
    explained = [
        place
        for place, (chapter, notebook) in chapters.items()
        if any(f"contracts/{name}" in chapter and f'"{name}"' in notebook for name in using)
    ]
    missing = [
        thing
        for thing, there in {
            "a file of its own in clauses/": (ROOT / "src/carecontracts/clauses" / f"{kind}.py").exists(),
            "cases in tests/engine/settlements/": kind in worked,
            "a contract in contracts/": bool(using),
            "a chapter that names such a contract, with a notebook that settles it": bool(explained),
        }.items()
        if not there
    ]
    assert not missing, f"{kind} lacks " + "; ".join(missing)


# --- what chance knows of a mechanism stands on the mechanism ---------------------------------------------------------


@pytest.mark.parametrize("file", sorted((ROOT / "src/carecontracts/chance").glob("*.py")), ids=lambda file: file.stem)
def test_chance_names_no_mechanism(file: Path) -> None:
    said = {node.value for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Constant)}
    assert not said & set(MECHANISMS)
    assert "..clauses" not in file.read_text("utf-8")


ANOTHER = '''
from typing import Literal

from carecontracts.clause import Clause
from carecontracts.expected import Moves
from carecontracts.units import Count, Dollars, most


class MissedVisits(Clause):
    """Money back for each missed visit over so many."""

    words = ("{payer} pays back to {payee} {each} for each of the {visits} over {free}.",)
    not_modelled = ("visits that were moved",)
    reads = {"outcomes.{visits}": None}

    kind: Literal["missed_visits"]
    visits: str
    free: Count
    each: Dollars

    @property
    def money_back(self):
        return True

    @property
    def pays_for_results(self):
        return True

    def expects(self, year):
        return {f"outcomes.{self.visits}": 2 * year.lives}

    def moves(self):
        return {f"outcomes.{self.visits}": Moves("events", lowered=True)}

    def settle(self, year, ledger):
        over = most(year.outcomes[self.visits] - self.free, 0.0)
        return self.each * over, {"over": over}
'''


@pytest.fixture
def another(tmp_path: Path) -> Iterator[None]:
    """A mechanism that is not of the package, for as long as the test runs."""
    (tmp_path / "missed_visits.py").write_text(ANOTHER)
    spec = spec_from_file_location("missed_visits", tmp_path / "missed_visits.py")
    spec.loader.exec_module(module_from_spec(spec))
    yield
    del MECHANISMS["missed_visits"]


def test_a_mechanism_from_elsewhere_is_loaded_settled_and_drawn(another: None) -> None:
    contract = Contract.parse("""
title: A penalty
summary: For tests.
parties: {plan: the plan, practice: the practice}
first_year: 1
years: 1
clauses:
  - {name: fee, kind: advance, payer: plan, payee: practice, due: monthly, amount: 100000}
  - {name: penalty, kind: missed_visits, payer: practice, payee: plan, due: monthly,
     visits: no-shows, free: 900, each: 50}
""")
    assert "pays back to the plan $50 for each of the “no-shows” over 900." in paragraph(contract, contract.clauses[1])
    assert Contract.model_validate(contract.model_dump()) == contract
    [year] = expected_years(contract, lives=500)
    assert year.outcomes == {"no-shows": 1_000}
    assert contract.settle([year]).total(clause="penalty") == 5_000  # (1,000 - 900) x 50
    [better] = with_effect(contract, [year], 0.25)
    assert better.outcomes == {"no-shows": 750}
    drawn = simulate(contract, [year], draws=4_000, rng=np.random.default_rng(1))
    assert drawn.contract.payer == "plan"  # it gets money back
    count = drawn.years[0].outcomes["no-shows"]
    assert abs(count.mean() - 1_000) < 6 * np.sqrt(2_000 / 4_000)  # clumps of 2: the variance is twice the mean
    assert count.var() / count.mean() == pytest.approx(2, abs=0.3)
    assert "gets back" in in_words(drawn, drawn, 0.0)
