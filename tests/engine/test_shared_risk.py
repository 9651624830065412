"""What must hold between mechanisms that share risk, whatever the year: one is a special case of another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecontracts import Contract, Refusal, Year, gallery
from carecontracts.chance.plausible import expected_years
from carecontracts.chance.simulate import simulate
from carecontracts.paper.term_sheet import paragraph
from carecontracts.year import year_from

PARTIES = {"plan": "the plan", "group": "the group"}
dollars = st.integers(0, 2_000_000).map(float)
share = st.integers(0, 100).map(lambda percent: percent / 100)


def contract(*clauses: dict) -> Contract:
    common = {"payer": "plan", "payee": "group", "due": "monthly"}
    text = {
        "title": "Two ways to say one thing",
        "summary": "They must pay the same.",
        "parties": PARTIES,
        "first_year": 1,
        "clauses": [common | clause for clause in clauses],
    }
    return Contract.model_validate(text)


def pays(clause: dict, *years: Year) -> list[float]:
    return [line.amount for line in contract({"name": "it"} | clause).settle(years)]


@given(dollars, dollars, share, share)
def test_a_corridor_with_nothing_up_to_a_minimum_is_savings_counted_from_the_minimum(benchmark, spend, part, minimum):
    year = Year(year=1, benchmark=benchmark, spend=spend)
    savings = {"kind": "shared_savings", "minimum": minimum, "share": part, "counted_from": "the minimum"}
    corridor = {"kind": "corridor", "of": "savings", "bands": {0.0: 0.0, minimum or 1e-9: part}}
    (one,), (other,) = pays(savings, year), pays(corridor, year)
    assert abs(one - other) <= 0.02


@given(dollars, dollars, share, share)
def test_a_period_of_one_year_is_shared_savings(benchmark, spend, part, minimum):
    year = Year(year=1, benchmark=benchmark, spend=spend)
    terms = {"minimum": minimum, "share": part}
    once = {"kind": "cumulative", "of": "savings", "period": 1, "settled": "once, when the period ends"}
    assert pays({"kind": "shared_savings"} | terms, year) == pays(once | terms, year)


@given(st.lists(dollars, min_size=3, max_size=3), share)
def test_years_added_together_never_pay_more_than_the_good_ones_alone(spends, part):
    years = [Year(year=k, benchmark=1_000_000.0, spend=spend) for k, spend in enumerate(spends, 1)]
    terms = {
        "kind": "cumulative",
        "of": "savings",
        "minimum": 0,
        "share": part,
        "settled": "once, when the period ends",
    }
    together, alone = sum(pays(terms | {"period": 3}, *years)), sum(pays(terms | {"period": 1}, *years))
    assert together <= alone + 0.02


@given(st.lists(dollars, min_size=3, max_size=3), share)
def test_paid_as_it_goes_ends_at_no_less_than_paid_once(spends, part):
    years = [Year(year=k, benchmark=1_000_000.0, spend=spend) for k, spend in enumerate(spends, 1)]
    terms = {"kind": "cumulative", "of": "savings", "minimum": 0, "share": part, "period": 3}
    as_it_goes = terms | {"settled": "each year on the years so far, less what was paid for them before"}
    once = terms | {"settled": "once, when the period ends"}
    assert sum(pays(as_it_goes, *years)) >= sum(pays(once, *years)) - 0.02


@given(st.integers(0, 5_000), dollars)
def test_a_prepayment_reconciled_in_full_both_ways_is_fee_for_service(months, cost):
    rate = {"name": "rate", "kind": "capitation", "per_member_per_month": 100}
    settled = {"kind": "reconciliation", "prepaid": ["rate"], "services": ["visits"], "bands": {0: 1}}
    back = settled | {
        "name": "back",
        "payer": "group",
        "payee": "plan",
        "side": "what was paid beyond their cost",
    }
    more = settled | {"name": "more", "side": "what they cost beyond that"}
    year = Year(year=1, member_months={"all": months}, services={"visits": cost})
    net = contract(rate, back, more).settle([year]).net()
    assert abs(net["group"] - cost) <= 0.02


@given(st.lists(dollars, min_size=1, max_size=5), dollars)
def test_full_cover_above_the_attachment_leaves_claims_up_to_it(claims, attachment):
    cover = {"kind": "stop_loss", "attachment": attachment, "coinsurance": 1}
    year = Year(year=1, claims={f"member {k}": claim for k, claim in enumerate(claims)})
    (recovered,) = pays(cover, year)
    assert abs(sum(claims) - recovered - sum(min(claim, attachment) for claim in claims)) <= 0.02


@given(st.integers(1_000, 2_000_000).map(float), dollars, st.integers(0, 50_000).map(float))
def test_savings_of_one_way_are_losses_the_other_way_round(benchmark, spend, fee):
    year = Year(year=1, benchmark=benchmark, spend=spend)
    fee = {"name": "fee", "kind": "advance", "amount": fee}
    terms = {"net_of": ["fee"], "bands": {0: 1}, "kind": "corridor"}
    saved = {"name": "saved", "of": "savings"} | terms
    lost = {"name": "lost", "of": "losses", "payer": "group", "payee": "plan"} | terms
    _, one, other = contract(fee, saved, lost).settle([year])
    assert abs(one.workings["saved"] + other.workings["lost"]) < 0.001
    assert abs(one.amount - other.amount - one.workings["saved"]) <= 0.02


@pytest.mark.parametrize(
    ("kind", "of", "categories"),
    [
        ("corridor", "savings", ("3B", "ssp")),
        ("corridor", "losses", ("3B", "ssl")),
        ("cumulative", "savings", ("3A", "ssp")),
        ("cumulative", "losses", ("3B", "ssl")),
        ("shared_savings", "savings", ("3A", "ssp")),
        ("shared_losses", "losses", ("3B", "ssl")),
    ],
)
def test_of_savings_and_of_losses_are_two_categories_of_payment(kind, of, categories):
    terms = {"cumulative": {"period": 1, "settled": "once, when the period ends"}, "corridor": {"bands": {0: 1}}}
    sharing = {} if kind == "corridor" else {"minimum": 0, "share": 0.5}
    (clause,) = contract({"name": "it", "kind": kind, "of": of} | terms.get(kind, {}) | sharing).clauses
    assert clause.categories() == categories
    assert clause.money_back == (of == "losses")


def test_shared_savings_are_of_nothing_else():
    with pytest.raises(ValueError, match="savings"):
        contract({"name": "it", "kind": "shared_savings", "of": "losses", "minimum": 0, "share": 0.5})


# --- credibility ------------------------------------------------------------------------------------------------------

WEIGHED = Contract.load(gallery("small-panel"))


def test_credibility_is_said_asks_for_people_and_is_shown() -> None:
    """800 of 5,000 people count 0.4: of $100,000 saved, $40,000, and half of that is paid."""
    [year] = [Year(year=2026, lives=800, benchmark=20_000_000, spend=19_900_000)]
    line = WEIGHED.settle([year])[0]
    assert line.amount == 20_000
    assert line.workings == {
        "savings before credibility": 100_000, "credibility": 0.4, "saved": 40_000, "minimum rate": 0,
        "sharing rate": 0.5,
    }  # fmt: skip
    assert WEIGHED.clauses[0].unit_of("credibility").say(line.workings["credibility"]) == "40%"
    with pytest.raises(Refusal, match="lives"):
        WEIGHED.settle([Year(year=2026, benchmark=20_000_000, spend=19_900_000)])
    half = WEIGHED.amend({"shared savings": {"full_credibility": None, "half_credibility": 3_200}})
    said = paragraph(half, half.clauses[0])
    assert "the sum of that number and this one: 3,200 (Bühlmann credibility)" in said
    assert "limited-fluctuation" not in said
    assert half.settle([year])[0].amount == 10_000  # 800 / 4,000 = 0.2
    plain = WEIGHED.amend({clause.name: {"full_credibility": None} for clause in WEIGHED.clauses})
    assert "lives" not in plain.facts()
    assert "credib" not in paragraph(plain, plain.clauses[0])
    assert set(plain.settle([year])[0].workings) == {"saved", "minimum rate", "sharing rate"}


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"half_credibility": 3_200}, "weighed once"),
        ({"full_credibility": 0}, "1 or more"),
        ({"full_credibility": 0.4}, "1 or more"),
        ({"full_credibility": None, "half_credibility": -1}, "1 or more"),
    ],
)
def test_a_credibility_that_cannot_be_is_refused(terms: dict[str, float], says: str) -> None:
    with pytest.raises(Refusal, match=says):
        WEIGHED.amend({"shared savings": terms})


# --- funds ------------------------------------------------------------------------------------------------------------


def test_a_fund_is_told_by_its_columns_name() -> None:
    with pytest.raises(Refusal, match=r"for a fund write 'spends.hospital'; else rename or remove it"):
        year_from({"year": 1, "spend.hospital": 5.0}, "years.csv, row 2")
    with pytest.raises(Refusal, match=r"add `benchmarks.drugs`"):
        Contract.load(gallery("two-funds")).settle(
            [Year(year=2026, benchmarks={"hospital": 1}, spends={"hospital": 1})]
        )


def test_a_clause_without_a_difference_has_no_fund() -> None:
    with pytest.raises(Refusal, match="unknown term `funds`"):
        Contract.load(gallery("care-management-fee")).amend({"care management fee": {"funds": ["hospital"]}})


def test_luck_moves_each_fund_by_itself_and_with_all_care() -> None:
    contract = Contract.load(gallery("two-funds"))
    drawn = simulate(contract, expected_years(contract, count=1), draws=4_000, rng=np.random.default_rng(4))
    spends = drawn.years[0].spends
    assert 0.1 < np.corrcoef(spends["hospital"], spends["drugs"])[0, 1] < 0.9
    assert spends["hospital"].mean() == pytest.approx(500 * 24_000 / 2, rel=0.03)
