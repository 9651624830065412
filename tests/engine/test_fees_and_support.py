"""Fee schedules and support in kind: what is refused, what the term sheet says, and what never reaches the bank."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from carecontracts import Contract, Refusal, Year, gallery
from carecontracts.paper.term_sheet import paragraphs

CASES = Path(__file__).parent / "settlements"


def case_contract(name: str) -> Contract:
    return Contract.parse(yaml.safe_dump(yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))["contract"]))


@pytest.mark.parametrize(
    ("terms", "given"),
    [
        ({"points": None, "fees_today": None}, "neither `points` nor `multiplier`"),
        ({"multiplier": 1.1}, "both `points` and `multiplier`"),
        ({"fees_today": 0}, "0"),
        ({"fees_today": 1e-300}, "1e-300"),
        ({"fees_today": {2026: 0.8, 2027: 0}}, "0"),
        ({"fees_today": None}, "`points` without `fees_today`"),
        ({"points": None, "multiplier": 1.1}, "`fees_today` without `points`"),
    ],
)
def test_an_increase_is_counted_in_one_way(terms: dict[str, Any], given: str) -> None:
    with pytest.raises(Refusal) as refusal:
        case_contract("fee-schedule-increase").amend({"increase": terms})
    assert given in [fault.given for fault in refusal.value.faults]


def test_an_increase_needs_a_service() -> None:
    with pytest.raises(Refusal):
        case_contract("fee-schedule-increase").amend({"increase": {"services": []}})


def test_the_words_say_what_the_points_are_of() -> None:
    contract = case_contract("fee-schedule-increase")
    assert "as a share of the standard fee schedule, is 12%" in paragraphs(contract)[0]
    other = contract.amend({"increase": {"points": None, "fees_today": None, "multiplier": 1.12}})
    assert "whatever share of a fee schedule they are, are multiplied by 1.12" in paragraphs(other)[0]


def test_support_in_kind_is_due_in_kind() -> None:
    with pytest.raises(Refusal):
        case_contract("in-kind-support").amend({"nurses": {"due": "monthly"}})


def test_support_in_kind_moves_no_cash() -> None:
    contract = Contract.load(gallery("operational-support"))
    counts = {"user of the software": 6, "full-time care manager": 2}
    year = Year(year=2026, benchmark=24e6, spend=23.2e6, counts=counts)
    ledger = contract.settle([year])
    assert ledger.total() == 280_800 + 259_600  # on the statement
    assert sum(position.received for position in ledger.cash_flow()) == 259_600  # in the bank
    assert [line.due for line in ledger][:3] == [(), (), ()]
