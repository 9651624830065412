"""Results beside those of others, limits for one person, people of a fund: what holds whatever the numbers are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecontracts import Contract, gallery
from carecontracts.year import Year, year_from

SHARES = st.floats(0, 1).map(lambda x: round(x, 4))
COUNTS = st.integers(0, 400)
MONEY = st.integers(1, 10_000)


def one(*clauses: dict[str, Any]) -> Contract:
    sides = {"payer": "plan", "payee": "group", "due": "monthly"}
    return Contract.model_validate(
        {
            "title": "t",
            "summary": "s",
            "parties": {"plan": "the plan", "group": "the group"},
            "first_year": 2026,
            "clauses": [sides | clause for clause in clauses],
        }
    )


def paid(contract: Contract, **facts: Any) -> dict[str, float]:
    ledger = contract.settle([year_from({"year": 2026, **{k.replace("__", "."): v for k, v in facts.items()}}, "")])
    return {line.clause: float(line.amount) for line in ledger}


FEE = {"name": "fee", "kind": "advance", "amount": 100_000}
BACK = {"payer": "group", "payee": "plan", "kind": "payment_adjustment", "payments": ["fee"], "side": "what is less"}


@given(SHARES, SHARES, SHARES, SHARES)
def test_the_larger_of_two_cuts_is_what_both_together_take(a: float, b: float, first: float, second: float) -> None:
    cuts = [
        BACK | {"name": name, "measure": name, "ladder": {0: -most, 1: 0}, "climbs": "in straight lines between"}
        for name, most in (("a", first), ("b", second))
    ]
    alone = [paid(one(FEE, cut), measures__a=a, measures__b=b) for cut in cuts]
    both = paid(one(FEE, cuts[0], cuts[1] | {"only_beyond": ["a"]}), measures__a=a, measures__b=b)
    assert both["a"] + both["b"] == pytest.approx(max(alone[0]["a"], alone[1]["b"]), abs=0.011)


@given(st.lists(COUNTS, min_size=1, max_size=6), MONEY, MONEY)
def test_nobody_is_paid_for_beyond_the_limit_for_one_person(each: list[int], price: int, limit: int) -> None:
    """With every person listed, the payment is the sum of what is paid for each."""
    persons = {str(n): number for n, number in enumerate(each, 1)}
    wanted = sum(min(price * number, limit) for number in each)
    for kind, named, group in (("service_price", "service", "counts"), ("outcome_price", "outcome", "outcomes")):
        clause = {"name": "it", "kind": kind, named: "x", "price": price, "cap_per_person": limit}
        facts = {f"{group}.x": sum(each)} | {f"{group}.x.{n}": number for n, number in persons.items()}
        assert paid(one(clause), **facts)["it"] == pytest.approx(wanted)


@given(COUNTS, COUNTS, SHARES)
def test_a_trigger_pays_for_all_or_for_nothing(verified: int, comparison: int, trigger: float) -> None:
    clause = {"name": "it", "kind": "outcome_price", "outcome": "x", "comparison": "y", "better": "fewer", "price": 7}
    facts = {"outcomes.x": verified, "outcomes.y": comparison}
    whole = paid(one(clause), **facts)["it"]
    got = paid(one(clause | {"at_least": trigger}), **facts)["it"]
    assert got in (0, whole)
    if comparison - verified > trigger * comparison + 1e-6:
        assert got == whole
    if comparison - verified < trigger * comparison - 1e-6:
        assert got == 0


@given(SHARES, SHARES, st.sampled_from([0.05, 0.1, 0.5]), st.sampled_from(["higher", "lower"]))
def test_a_share_of_what_was_before_is_that_much_of_it(now: float, before: float, rung: float, better: str) -> None:
    """To be better by a share of what was before is to be better by that share times it."""
    bonus = {
        "name": "it",
        "kind": "performance_bonus",
        "measure": "m",
        "amount": 100,
        "per": "in all",
        "better": better,
    }
    facts = {"measures.m": now, "measures.before": before}
    relative = paid(one(bonus | {"baseline": "before", "relative_improvement": {rung: 1}}), **facts)["it"]
    gained = now - before if better == "higher" else before - now
    if abs(gained - rung * before) > 1e-6:
        assert relative == (100 if before > 0 and gained > rung * before else 0)


@given(st.lists(SHARES, min_size=3, max_size=3), st.lists(SHARES, min_size=3, max_size=3), SHARES, SHARES)
def test_beside_peers_no_more_is_taken_than_the_most(
    rates: list[float], medians: list[float], most: float, multiplier: float
) -> None:
    names, peers = ["a", "b", "c"], ["pa", "pb", "pc"]
    cut = BACK | {
        "name": "it", "measures": names, "peers": peers, "better": "lower", "minimum_cases": 10, "at_most": most,
        "multiplier": multiplier,
    }  # fmt: skip
    facts: dict[str, Any] = {f"measures.{n}": r for n, r in zip(names, rates, strict=True)}
    facts |= {f"measures.{n}": r for n, r in zip(peers, medians, strict=True)}
    enough, few = ({f"denominators.{n}": count for n in names} for count in (10, 9))
    worse = sum(max(r - m, 0) for r, m in zip(rates, medians, strict=True))
    assert paid(one(FEE, cut), **facts, **enough)["it"] == pytest.approx(
        100_000 * min(most, multiplier * worse), abs=0.006
    )
    assert paid(one(FEE, cut), **facts, **few)["it"] == 0
    more = cut | {"payer": "plan", "payee": "group", "side": "what is more"}
    better = sum(max(m - r, 0) for r, m in zip(rates, medians, strict=True))
    assert paid(one(FEE, more), **facts, **enough)["it"] == pytest.approx(
        100_000 * min(most, multiplier * better), abs=0.006
    )


@given(st.integers(1, 9_000), st.integers(1, 9_000), st.integers(50_000_000, 70_000_000))
def test_people_of_a_fund_count_as_the_people_of_a_year_do(people: int, others: int, spend: int) -> None:
    contract = Contract.load(gallery("two-programs"))
    facts = {"benchmarks.Medicaid": 1.0, "spends.Medicaid": 1.0, "people.Medicaid": others, "people.Medicare": people}
    got = paid(contract, **facts, **{"benchmarks.Medicare": 60_000_000, "spends.Medicare": spend, "lives": others})
    plain = contract.amend(
        {clause.name: {"funds": [], "people_of": None} for clause in contract.clauses if "Medicare" in clause.name}
    )
    known = {"lives": people, "benchmark": 60_000_000, "spend": spend, "benchmarks": {"Medicaid": 1}}
    alone = plain.settle([Year(year=2026, **known, spends={"Medicaid": 1}, people={"Medicaid": others})])
    assert got["savings on Medicare"] == float(alone.total(clause="savings on Medicare"))
