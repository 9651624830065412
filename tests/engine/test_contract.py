"""Identities of settling: what must hold for every contract and year, whatever the numbers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from carecontracts import Contract, Ledger, Line, Refusal, Year, gallery
from carecontracts.chance.plausible import expected_years
from carecontracts.gallery import gallery_names
from carecontracts.scales import SlidingScale
from carecontracts.units import Schedule, cents
from carecontracts.year import year_from

FOUR_CLAUSES = Path(__file__).with_name("four-clauses.yaml")

# --- contracts and years to try -------------------------------------------------------------------------------------

shares = st.integers(0, 1_000).map(lambda n: n / 1_000)
eighths = st.integers(0, 8_000).map(lambda n: n / 8)  # dollars a month, to fractions of a cent
dollars = st.integers(0, 5_000_000_000).map(lambda n: n / 100)  # to 50 million, in cents


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """The four mechanisms with any terms: the share by year, the fee by tier, with or without the optional terms."""
    first, later = draw(shares), draw(shares)
    optional: dict[str, Any] = {
        "cap": shares,
        "sequestration": shares,
        "counted_from": st.sampled_from(["the first dollar", "the minimum"]),
    }
    chosen = draw(st.fixed_dictionaries({}, optional=optional))
    losses = draw(
        st.fixed_dictionaries({}, optional={"cap": shares, "forgiven": shares, "revenue_cap": shares})
        | st.just({"quality": "q", "quality_counts": 0.75, "least_share": 0.4, "lower_share_if": "met"})
    )
    return Contract.load(FOUR_CLAUSES).amend(
        {
            "advance": {"amount": {1: draw(dollars), 3: draw(dollars)}},
            "fee": {"per_member_per_month": {"standard": draw(eighths), "complex": draw(eighths)}},
            "savings": {"minimum": draw(shares) / 10, "share": {1: first, 2: later}, **chosen},
            "losses": {"minimum": draw(shares) / 10, "share": draw(shares), "net_of": [], **losses},
            "recouped": {"share": draw(shares)},
        }
    )


@st.composite
def years(draw: st.DrawFn, contract: Contract) -> list[Year]:
    """One to five years with every fact that the contract reads."""

    def value(name: str) -> Any:
        group = name.partition(".")[0]
        if group == "measures":
            return draw(shares)
        if group == "member_months":
            return draw(st.integers(0, 1_000_000))
        return draw(st.integers(0, 1)) if group == "conditions" else draw(dollars)

    facts = contract.facts()
    return [year_from({"year": 2026 + n} | {f: value(f) for f in facts}, "") for n in range(draw(st.integers(1, 5)))]


@st.composite
def agreements(draw: st.DrawFn) -> tuple[Contract, list[Year]]:
    contract = draw(contracts())
    return contract, draw(years(contract))


def amounts(ledger: Ledger) -> list[tuple[int, str, float]]:
    return [(line.year, line.clause, line.amount) for line in ledger]


# --- identities of house rule 8 -------------------------------------------------------------------------------------


@given(agreements())
def test_amounts_are_whole_cents_and_never_negative(agreement: tuple[Contract, list[Year]]) -> None:
    contract, facts = agreement
    for line in contract.settle(facts):
        assert line.amount >= 0
        assert line.amount == round(line.amount, 2)


@given(agreements())
def test_all_that_is_paid_is_received(agreement: tuple[Contract, list[Year]]) -> None:
    contract, facts = agreement
    ledger = contract.settle(facts)
    assert cents(sum(ledger.net().values())) == 0
    by_month: dict[str, float] = {}
    for position in ledger.cash_flow():
        by_month[position.month] = by_month.get(position.month, 0) + position.position
    assert all(cents(total) == 0 for total in by_month.values())


@given(agreements())
def test_the_last_position_is_the_net(agreement: tuple[Contract, list[Year]]) -> None:
    contract, facts = agreement
    ledger = contract.settle(facts)
    last = {position.party: position.position for position in ledger.cash_flow()}
    assert last == ledger.net()


@given(agreements(), st.sampled_from(["savings", "losses", "recouped"]))
def test_a_share_of_nothing_pays_nothing(agreement: tuple[Contract, list[Year]], clause: str) -> None:
    contract, facts = agreement
    assert contract.amend({clause: {"share": 0}}).amend({"losses": no_quality}).settle(facts).total(clause=clause) == 0


no_quality: Mapping[str, Any] = {"quality": None, "quality_counts": None, "least_share": None, "lower_share_if": None}


@given(agreements(), st.sampled_from(["savings", "losses"]))
def test_two_clauses_of_half_the_share_pay_what_one_does(agreement: tuple[Contract, list[Year]], name: str) -> None:
    contract, facts = agreement
    contract = contract.amend({"savings": {"cap": None}, "losses": {"cap": None, "revenue_cap": None, **no_quality}})
    contract = contract.amend({name: {"share": 0.5}})
    data = contract.model_dump()
    one = next(clause for clause in data["clauses"] if clause["name"] == name)
    data["clauses"] = [{**one, "name": half, "share": 0.25, "net_of": []} for half in ("first half", "second half")]
    two = Contract.parse(json.dumps(data))
    whole = contract.amend({"savings": {"net_of": []}}).settle(facts)
    halves = two.settle(facts)
    for year in facts:
        apart = halves.total(year=year.year) - whole.total(year=year.year, clause=name)
        assert abs(apart) < 0.0101  # each half is rounded


@given(agreements())
def test_amend_and_amend_back_changes_nothing(agreement: tuple[Contract, list[Year]]) -> None:
    contract, facts = agreement
    before = contract.model_dump()["clauses"][2]
    there = contract.amend({"savings": {"share": 0.123, "cap": 0.05, "quality": None}})
    back = there.amend({"savings": {term: before[term] for term in ("share", "cap", "quality")}})
    assert back == contract
    assert back.settle(facts) == contract.settle(facts)


@given(agreements())
def test_dumped_and_parsed_again_it_settles_the_same(agreement: tuple[Contract, list[Year]]) -> None:
    contract, facts = agreement
    again = Contract.parse(yaml.safe_dump(contract.model_dump(), sort_keys=False, allow_unicode=True))
    assert again == contract
    assert again.settle(facts) == contract.settle(facts)


@given(agreements(), st.integers(0, 5))
def test_year_by_year_is_all_at_once(agreement: tuple[Contract, list[Year]], split: int) -> None:
    contract, facts = agreement
    so_far = contract.settle(facts[:split])
    assert contract.settle(facts[split:], so_far) == contract.settle(facts)


@given(agreements())
def test_no_more_is_recouped_than_was_advanced_and_earned(agreement: tuple[Contract, list[Year]]) -> None:
    contract, facts = agreement
    ledger = contract.settle(facts)
    advanced = earned = recouped = 0.0
    for year in facts:
        advanced += ledger.total(year=year.year, clause="advance")
        earned += ledger.total(year=year.year, clause="savings")
        recouped += ledger.total(year=year.year, clause="recouped")
        assert cents(recouped) <= cents(min(advanced, earned))


@given(st.data())
def test_arrays_settle_as_each_of_their_elements_does(data: st.DataObject) -> None:
    contract = data.draw(contracts())
    draws = [data.draw(years(contract)) for _ in range(3)]
    length = min(map(len, draws))
    draws = [draw[:length] for draw in draws]
    stacked = [
        year_from(
            {"year": one.year} | {name: np.array([d[n].facts()[name] for d in draws], float) for name in one.facts()},
            "",
        )
        for n, one in enumerate(draws[0])
    ]
    together = contract.settle(stacked)
    for k, draw in enumerate(draws):
        for line, alone in zip(together, contract.settle(draw), strict=True):
            assert np.broadcast_to(line.amount, 3)[k] == alone.amount, line.clause


# --- order ----------------------------------------------------------------------------------------------------------


def test_a_clause_counts_only_what_stands_before_it(four_clauses: Contract) -> None:
    """Savings net of a fee need the fee first; the other way round the contract is refused, not settled wrongly."""
    data = four_clauses.model_dump()
    data["clauses"][1], data["clauses"][2] = data["clauses"][2], data["clauses"][1]
    with pytest.raises(Refusal, match=r"(?s)term `net_of`.*'fee'.*look only back"):
        Contract.parse(yaml.safe_dump(data))


def test_the_order_of_clauses_that_do_not_name_each_other_does_not_matter(four_clauses: Contract) -> None:
    year = a_year(spend=20_000_000)
    data = four_clauses.model_dump()
    data["clauses"] = [data["clauses"][n] for n in (1, 0, 3, 2, 4)]
    other = Contract.parse(yaml.safe_dump(data))
    assert sorted(amounts(other.settle([year]))) == sorted(amounts(four_clauses.settle([year])))


def a_year(year: int = 2026, **facts: Any) -> Year:
    """A year that reads: 12,000 months x $40 = 480,000, so savings are 24,000,000 - spend - 480,000."""
    held = {"member_months": {"all": 12_000}, "benchmark": 24_000_000, "spend": 22_000_000}
    return Year(year=year, **{**held, "measures": {"quality score": 0.9}, **facts})


# --- amending -------------------------------------------------------------------------------------------------------


def test_an_amendment_is_checked_like_a_contract(four_clauses: Contract) -> None:
    with pytest.raises(Refusal) as refusal:
        four_clauses.amend({"savings": {"share": 50}, "losses": {"minimum": -1}}, years=0)
    told = str(refusal.value)
    assert "for 50% write 0.5" in told
    assert "clause 'losses', term `minimum`" in told
    assert "term `years`" in told


def test_an_amendment_of_an_unknown_clause_is_refused(four_clauses: Contract) -> None:
    with pytest.raises(Refusal, match="did you mean 'savings'"):
        four_clauses.amend({"saving": {"share": 0.4}})


def test_amending_leaves_the_contract_as_it_was(four_clauses: Contract) -> None:
    before = four_clauses.model_dump()
    four_clauses.amend({"savings": {"share": 0.1}, "fee": {"per_member_per_month": 99}})
    assert four_clauses.model_dump() == before


@pytest.mark.parametrize("name", gallery_names())
def test_each_contract_of_the_gallery_can_be_written_and_read_again(name: str) -> None:
    contract = Contract.load(gallery(name))
    assert Contract.parse(yaml.safe_dump(contract.model_dump(), sort_keys=False)) == contract


# --- years and schedules --------------------------------------------------------------------------------------------


def test_a_year_counts_from_the_first_year_of_the_contract() -> None:
    """`{1: …, 3: …}` in a contract from 2026 speaks of 2026 and 2028; in a contract from 1, of years 1 and 3."""
    for first in (2026, 1):
        contract = Contract.load(FOUR_CLAUSES).amend(
            {"fee": {"per_member_per_month": {1: 10, 3: 20}}}, first_year=first
        )
        ledger = contract.settle([a_year(first + n) for n in range(5)])
        paid = [ledger.total(clause="fee", year=first + n) for n in range(5)]
        assert paid == [120_000, 120_000, 240_000, 240_000, 240_000]


def test_years_may_be_skipped_where_nothing_is_remembered(four_clauses: Contract) -> None:
    """A recoupment counts what was advanced in every year before: none of them may be missing."""
    for years, missing in (([2026, 2028], "2027"), ([2027], "2026"), ([2029], "2026, 2027 and 2028")):
        with pytest.raises(Refusal, match=f"without {missing}\\n"):
            four_clauses.settle([a_year(year) for year in years])
    before = four_clauses.settle([a_year(2026)])
    assert four_clauses.settle([a_year(2027)], before) == four_clauses.settle([a_year(2026), a_year(2027)])
    data = four_clauses.model_dump(exclude_unset=True)
    data["clauses"] = [clause for clause in data["clauses"] if clause["name"] != "recouped"]
    forgets = Contract.model_validate(data)
    assert forgets.settle([a_year(2028)]) == [n for n in forgets.settle([a_year(2026), a_year(2028)]) if n.year == 2028]


def test_a_payment_whose_cents_are_not_exact_is_refused(four_clauses: Contract) -> None:
    """10^13 months at $85 are $8.5 x 10^14, of which a float no longer holds the cents."""
    with pytest.raises(Refusal, match="of which the cents are exact") as refusal:
        four_clauses.settle([a_year(2026, member_months={"all": 1e13})])
    assert refusal.value.faults[0].where == "year 2026, clause 'fee'"


def test_years_are_not_repeated_or_turned_round(four_clauses: Contract) -> None:
    for wrong in ([2026, 2026], [2027, 2026]):
        with pytest.raises(Refusal, match="give each year once, the earliest first"):
            four_clauses.settle([a_year(year) for year in wrong])


@pytest.mark.parametrize("year", [2025, 2031])
def test_a_year_outside_the_contract_is_refused(four_clauses: Contract, year: int) -> None:
    with pytest.raises(Refusal, match="a year of the contract: 2026 to 2030"):
        four_clauses.settle([a_year(year)])


@pytest.mark.parametrize("last", [2026, 2030])
def test_the_first_and_the_last_year_of_the_contract_settle(four_clauses: Contract, last: int) -> None:
    years = range(2026, last + 1)
    assert len(four_clauses.settle([a_year(year) for year in years])) == 5 * len(years)


def test_a_year_already_settled_is_refused(four_clauses: Contract) -> None:
    so_far = four_clauses.settle([a_year(2026), a_year(2027)])
    with pytest.raises(Refusal, match="a year after 2027"):
        four_clauses.settle([a_year(2026)], so_far)


def test_every_missing_fact_is_named_with_the_clause_that_reads_it(four_clauses: Contract) -> None:
    with pytest.raises(Refusal) as refusal:
        four_clauses.settle([Year(year=2026, benchmark=1), Year(year=2027, spend=1)])
    wheres = {fault.where for fault in refusal.value.faults}
    assert wheres >= {"year 2026, spend", "year 2026, member_months", "year 2027, benchmark"}
    assert "clause 'fee' reads it" in str(refusal.value)


def test_a_quality_score_in_percent_is_refused(four_clauses: Contract) -> None:
    with pytest.raises(Refusal, match=r"for 95% write 0\.95"):
        four_clauses.settle([a_year(measures={"quality score": 95})])


def test_a_schedule_holds_each_value_until_the_next() -> None:
    schedule = Schedule({2014: 0.02, 2019: 0.0, 2021: 0.02})
    assert [schedule.at(year) for year in (2014, 2018, 2019, 2020, 2021, 2099)] == [0.02, 0.02, 0.0, 0.0, 0.02, 0.02]


def test_a_schedule_is_said_in_runs_of_years() -> None:
    said = Schedule({2014: 1, 2015: 2, 2019: 3}).say(str)
    assert said == "1 in 2014, 2 in 2015 to 2018 and 3 from 2019"


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=8, unique=True), st.integers(0, 200_000), st.data())
def test_a_scale_passes_through_its_points_and_stays_between_them(
    lives: list[int], asked: int, data: st.DataObject
) -> None:
    scale = SlidingScale({n: data.draw(shares) for n in lives})
    assert all(abs(scale.at(n) - scale[n]) < 1e-12 for n in lives)
    assert min(scale.values()) - 1e-12 <= scale.at(asked) <= max(scale.values()) + 1e-12
    assert np.allclose(scale.at(np.array([asked, lives[0]])), [scale.at(asked), scale[lives[0]]])


# --- workings -------------------------------------------------------------------------------------------------------


def test_each_line_says_how_it_came_about(four_clauses: Contract) -> None:
    ledger = four_clauses.settle([a_year()])
    lines: dict[str, Line] = {line.clause: line for line in ledger}
    # saved 24,000,000 - 22,000,000 - 480,000 = 1,520,000; x 0.5 x 0.9 = 684,000; half of it is recouped
    assert lines["savings"].workings == {"saved": 1_520_000, "minimum rate": 0.02, "sharing rate": 0.45}
    assert lines["savings"].amount == 684_000
    assert lines["recouped"].workings == {"outstanding": 400_000, "earned this year": 684_000}
    assert lines["recouped"].amount == 342_000


def test_facts_may_be_arrays_of_whole_numbers() -> None:
    """12,000 months as an integer array x $40, an integer: the amounts are dollars and cents all the same."""
    fee = Contract.load(FOUR_CLAUSES).settle([a_year(member_months={"all": np.array([12_000, 1])})])[1]
    assert fee.amount.tolist() == [480_000.0, 40.0]


@pytest.mark.parametrize(
    ("contract", "clause", "working", "unit"),
    [
        ("task-force-form", "care management fee", "complex member months", "count"),
        ("task-force-form", "fee for health", "earned rate", "share"),
        ("task-force-form", "fee for health", "at stake", "dollars"),
        ("task-force-form", "shared savings", "minimum rate", "share"),
        ("task-force-form", "shared savings", "saved", "dollars"),
        ("medical-home", "care managers in the practice", "full-time care manager count", "count"),
        ("global-capitation", "capitation", "score that counts", "rate"),
        ("fee-at-risk", "refund for admissions", "missed rate", "share"),
    ],
)
def test_a_working_has_the_unit_that_its_clause_gives_it(contract: str, clause: str, working: str, unit: str) -> None:
    agreed = Contract.load(gallery(contract))
    ledger = agreed.settle(expected_years(agreed, count=1))
    assert any(line.clause == clause and working in line.workings for line in ledger)
    [of] = [c for c in agreed.clauses if c.name == clause]
    assert of.unit_of(working).name == unit
