"""A contract fitted to another number of people pays each of them the same."""

import pytest

from carecontracts import Contract, gallery
from carecontracts.chance.plausible import expected_years
from carecontracts.clause import MECHANISMS
from carecontracts.gallery import gallery_names
from carecontracts.notebook import opened, resized, statement
from carecontracts.units import add_up

# The dollars of a mechanism that are for each of something, and so fit any number of people.
FOR_EACH = {
    ("capitation", "per_member_per_month"),
    ("care_management_fee", "per_member_per_month"),
    ("case_rate", "per_member_per_month"),
    ("stop_loss_premium", "per_member_per_month"),
    ("outcome_price", "price"),
    ("service_price", "price"),
    ("joint_cap", "person_cap"),
    ("outcome_price", "cap_per_person"),
    ("service_price", "cap_per_person"),
    ("stop_loss", "attachment"),
    ("stop_loss", "cap"),
}
BY_TERMS = {("performance_bonus", "amount"), ("in_kind_support", "value")}  # for everyone or for each, as they say
NOT_FITTED = {("outcome_price", "schedule")}  # rungs of counts: a reader writes it anew


def test_every_dollar_of_every_mechanism_is_for_each_or_for_all():
    known = FOR_EACH | BY_TERMS | NOT_FITTED
    for kind, mechanism in MECHANISMS.items():
        if mechanism.__module__.startswith("carecontracts."):
            named = {term for term, unit in mechanism.terms().items() if unit and unit.name == "dollars"}
            assert {term for term in named if (kind, term) not in known} <= set(mechanism.for_all), kind


def proportional(contract: Contract) -> bool:
    """Whether what it pays each member does not hang on how many there are, once its sums fit."""
    return contract.first_year_months == 12 and not any(
        {"lives", "claims"} & set(clause.facts)
        or getattr(clause, "schedule", None)
        or getattr(clause, "minimum_denominator", None)
        or getattr(clause, "full_credibility", None)
        or getattr(clause, "unit", "") == "dollars"  # certified, of which a plausible year has one sum
        for clause in contract.clauses
    )


@pytest.mark.parametrize("name", [n for n in gallery_names() if proportional(Contract.load(gallery(n)))])
def test_twice_the_people_are_paid_twice_as_much(name):
    contract = Contract.load(gallery(name))
    twice = resized(contract, 2_000, set_for=1_000, say=lambda said: None)
    one = contract.settle(expected_years(contract, lives=1_000, effect=0.1))
    two = twice.settle(expected_years(twice, lives=2_000, effect=0.1))
    for line, double in zip(one, two, strict=True):
        assert double.amount == pytest.approx(2 * line.amount, abs=2.0, rel=1e-6), line.clause


def test_as_written_changes_nothing_and_says_so():
    said = []
    contract = opened("shared-savings")
    kept = resized(contract, 500, set_for=1_000, as_written=True, say=said.append)
    assert kept == contract
    assert "Kept as they are written: advance, amount ($400,000" in said[0]
    assert "now" not in said[0]


def test_what_fits_is_not_mentioned():
    said = []
    contract = opened("compared/fee")
    assert resized(contract, 500, set_for=1_000, say=said.append) == contract
    assert said == []


def test_the_price_of_all_care_goes_with_what_a_member_costs():
    said = []
    contract = opened("compared/capitation")
    cheaper = resized(contract, 500, set_for=500, cost=25_200, set_for_cost=30_000, say=said.append)
    rate, now = (c.clauses[0].per_member_per_month for c in (contract, cheaper))
    assert now == pytest.approx(rate * 0.84)
    assert "set for $30,000 a member and year, and here it is $25,200" in said[0]


def test_a_statement_says_how_an_amount_came_about():
    contract = opened("shared-savings")
    ledger = contract.settle(expected_years(contract, lives=1_000, effect=0.1))
    shown = statement(contract, ledger).html
    assert shown.count("<tr>") == 1 + len(ledger)
    assert str(add_up(line.amount for line in ledger if line.clause == "advance"))[:3] in shown.replace(",", "")
