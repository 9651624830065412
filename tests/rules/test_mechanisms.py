"""Every mechanism has its five things: a file, cases worked by hand, a contract, a notebook and a chapter."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from carecontracts import Contract, gallery
from carecontracts.clauses import MECHANISMS
from carecontracts.gallery import gallery_names

ROOT = Path(__file__).parents[2]

# The chapter, and the notebook of the same name, in which a mechanism is explained.
EXPLAINED = {
    "advance": "shared-savings",
    "aggregate_stop_loss": "capitation",
    "capitation": "capitation",
    "care_management_fee": "care-management-fee",
    "case_rate": "case-rate",
    "cumulative_losses": "shared-risk",
    "cumulative_savings": "shared-risk",
    "distribution": "combination",
    "fee_schedule_increase": "fee-schedule",
    "guarantee": "pay-for-success",
    "in_kind_support": "operational-support",
    "investment": "pay-for-success",
    "joint_cap": "combination",
    "losses_corridor": "shared-risk",
    "measure_guarantee": "fee-at-risk",
    "outcome_price": "outcome-price",
    "performance_bonus": "pay-for-performance",
    "premium_share": "capitation",
    "reconciliation": "case-rate",
    "recoupment": "shared-savings",
    "repayment": "pay-for-success",
    "savings_corridor": "shared-risk",
    "savings_guarantee": "fee-at-risk",
    "service_price": "fee-schedule",
    "shared_losses": "shared-savings",
    "shared_savings": "shared-savings",
    "stop_loss": "capitation",
    "stop_loss_premium": "capitation",
    "withhold": "capitation",
    "withhold_return": "capitation",
}


def kinds_in(contract: Any) -> set[str]:
    agreed = Contract.load(gallery(contract)) if isinstance(contract, str) else Contract.parse(yaml.safe_dump(contract))
    return {clause.kind for clause in agreed.clauses}


def test_every_mechanism_is_explained_somewhere():
    assert set(EXPLAINED) == set(MECHANISMS)


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


@pytest.mark.parametrize("kind", sorted(MECHANISMS))
def test_a_mechanism_has_its_five_things(kind, worked, contracts):
    place = EXPLAINED[kind]
    notebook, chapter = ROOT / "notebooks" / f"{place}.ipynb", ROOT / "book" / f"{place}.md"
    using = [name for name, kinds in contracts.items() if kind in kinds]
    text = chapter.read_text("utf-8") if chapter.exists() else ""
    code = (
        "".join("".join(c["source"]) for c in json.loads(notebook.read_text("utf-8"))["cells"])
        if notebook.exists()
        else ""
    )
    missing = [
        thing
        for thing, there in {
            "a file of its own in clauses/": (ROOT / "src/carecontracts/clauses" / f"{kind}.py").exists(),
            "cases in tests/engine/settlements/": kind in worked,
            "a contract in contracts/": bool(using),
            f"notebooks/{place}.ipynb, which settles such a contract": any(f'"{name}"' in code for name in using),
            f"book/{place}.md, which names such a contract": any(f"contracts/{name}" in text for name in using),
        }.items()
        if not there
    ]
    assert not missing, f"{kind} lacks " + "; ".join(missing)
