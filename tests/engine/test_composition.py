"""Clauses together, where designs fail: all paid is all received; order, caps, tranches, and parts passed on."""

import csv
from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from carecontracts import Contract, Ledger, Year, cli, gallery
from carecontracts.gallery import gallery_names
from carecontracts.ledger import Line
from carecontracts.paper.term_sheet import paragraph, term_sheet
from carecontracts.refusal import Refusal
from carecontracts.year import columns_for, year_from

# Plausible facts for any contract: of each kind one number, which `lean` moves up and down from year to year.
PLAUSIBLE = {"lives": 1_000, "spend": 11_000_000, "benchmark": 12_000_000, "provider_revenue": 6_000_000}
NAMED = {"measures": 0.8, "denominators": 400, "conditions": 1, "outcomes": 2_000, "counts": 500}
MONTHS = 6_000
DOLLARS = 400_000


def any_year(contract: Contract, number: int, lean: float) -> Year:
    facts: dict[str, Any] = {"year": number, "provider_revenue": PLAUSIBLE["provider_revenue"]}
    against = {name for clause in contract.clauses for name in clause.unless}
    for name in columns_for(contract.facts()):
        group, _, part = name.partition(".")
        value = PLAUSIBLE.get(group, NAMED.get(group, MONTHS if group.endswith("_months") else DOLLARS))
        if group in ("spend", "spends", "amounts", "services", "outcomes") or group.endswith("_months"):
            value = round(value * lean)
        if part in against:
            value = 0
        facts[name if part or group in PLAUSIBLE else f"{group}.all"] = value
    return year_from(facts, f"{contract.title}, {number}")


def some_years(contract: Contract) -> list[Year]:
    leans = (0.9, 1.0, 1.15, 0.8, 1.05)[: contract.years or 5]
    return [any_year(contract, year, lean) for year, lean in zip(contract.numbers(len(leans)), leans, strict=True)]


@cache
def load(name: str) -> Contract:
    return Contract.load(gallery(name))


GALLERY = pytest.mark.parametrize("name", gallery_names())


@GALLERY
def test_what_all_pay_is_what_all_receive(name: str) -> None:
    ledger = load(name).settle(some_years(load(name)))
    assert ledger.total() > 0, "these years move no money: they test nothing"
    assert sum(ledger.net().values()) == pytest.approx(0, abs=0.005)


@GALLERY
def test_what_all_pay_is_what_all_receive_in_every_month(name: str) -> None:
    ledger = load(name).settle(some_years(load(name)))
    by_month: dict[str, list[Any]] = defaultdict(list)
    for position in ledger.cash_flow():
        by_month[position.month].append(position)
    for month, positions in by_month.items():
        assert sum(p.received for p in positions) == pytest.approx(sum(p.paid for p in positions), abs=0.005), month
        assert sum(p.position for p in positions) == pytest.approx(0, abs=0.005), month


@GALLERY
def test_cash_adds_up_to_the_statement(name: str) -> None:
    """What a party holds at the end is what its lines in cash come to; payments in kind move no cash."""
    ledger = load(name).settle(some_years(load(name)))
    cash = Ledger(line for line in ledger if line.due)
    last = {p.party: p.position for p in ledger.cash_flow()}
    for party, net in cash.net().items():
        assert last[party] == pytest.approx(net, abs=0.005), party


@GALLERY
def test_settling_year_by_year_is_settling_at_once(name: str) -> None:
    contract = load(name)
    years = some_years(contract)
    so_far: Ledger = Ledger()
    for year in years:
        so_far = contract.settle([year], so_far)
    assert so_far == contract.settle(years)


@GALLERY
def test_without_its_workings_a_settlement_pays_the_same(name: str) -> None:
    years = some_years(load(name))
    whole, bare = load(name).settle(years), load(name).settle(years, workings=False)
    assert [line._replace(workings={}) for line in bare] == [line._replace(workings={}) for line in whole]
    assert all(line.workings.items() <= same.workings.items() for line, same in zip(bare, whole, strict=True))


@GALLERY
def test_the_commands_settle_it_and_print_it(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a years file, as a reader would: the statement, to the cent, and the term sheet."""
    years = some_years(load(name))
    facts, statement, sheet = tmp_path / "years.csv", tmp_path / "statement.csv", tmp_path / "sheet.md"
    columns = list(dict.fromkeys(fact for year in years for fact in year.facts()))
    with facts.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["year", *columns])
        writer.writerows([year.year, *(year.facts().get(column, "") for column in columns)] for year in years)
    for words in (["settle", name, str(facts), "--out", str(statement)], ["term-sheet", name, "--out", str(sheet)]):
        assert cli.app(words, standalone_mode=False) in (None, 0)
    capsys.readouterr()
    with statement.open(encoding="utf-8", newline="") as file:
        paid = [float(row["amount"]) for row in csv.DictReader(file)]
    assert paid == [pytest.approx(float(line.amount), abs=0.005) for line in load(name).settle(years)]
    assert sheet.read_text("utf-8") == term_sheet(load(name))


# --- two payers, one provider -----------------------------------------------------------------------------------------

TWO_PAYERS = """
title: Two payers and one provider
summary: Each payer pays for its own members, each up to its own limit.
parties: {plan: the plan, state: the state, provider: the provider, partner: the partner}
first_year: 2026
clauses:
  - {name: plan's price, kind: outcome_price, payer: plan, payee: provider, due: quarterly,
     outcome: plan visits, price: 100}
  - {name: state's price, kind: outcome_price, payer: state, payee: provider, due: quarterly,
     outcome: state visits, price: 80}
  - {name: plan's limit, kind: joint_cap, payer: provider, payee: plan, due: 3 months after the year ends,
     over: [plan's price, state's price], cap: 50000}
  - {name: partner's part, kind: distribution, payer: provider, payee: partner, due: 3 months after the year ends,
     out_of: [plan's price, state's price], net_of: [plan's limit], share: 0.2}
"""


def test_two_payers_and_one_provider() -> None:
    year = Year(year=2026, outcomes={"plan visits": 600, "state visits": 1_000})
    ledger = Contract.parse(TWO_PAYERS).settle([year])
    # the plan's 60,000 is cut to 50,000; the state's 80,000 is not the plan's to limit; a fifth of 130,000 is passed on
    assert ledger.net() == {"plan": -50_000, "provider": 104_000, "state": -80_000, "partner": 26_000}


# --- an advance recouped across years ---------------------------------------------------------------------------------

ADVANCE = """
title: An advance on outcome payments
summary: The plan advances money and takes it back out of what the provider earns.
parties: {plan: the plan, provider: the provider}
first_year: 1
clauses:
  - {name: advance, kind: advance, payer: plan, payee: provider, due: at the start of the year,
     amount: {1: 100000, 2: 0}}
  - {name: price, kind: outcome_price, payer: plan, payee: provider, due: quarterly, outcome: visits, price: 100}
  - {name: recouped, kind: recoupment, payer: provider, payee: plan, due: 3 months after the year ends,
     advance: [advance], out_of: [price], share: 0.5}
"""


def test_an_advance_is_recouped_across_years_and_no_more() -> None:
    years = [Year(year=k, outcomes={"visits": visits}) for k, visits in ((1, 400), (2, 900), (3, 5_000), (4, 100))]
    ledger = Contract.parse(ADVANCE).settle(years)
    back = [ledger.total(year=k, clause="recouped") for k in (1, 2, 3, 4)]
    assert back == [20_000, 45_000, 35_000, 0]  # half of 40,000 and 90,000, then what is left of 100,000
    assert ledger.net()["plan"] == -640_000  # what was earned in all, and the advance is no part of it


# --- investors repaid until whole over five years ---------------------------------------------------------------------


def pay_for_success_years(housed: int, avoided: float, pooled: float = 0) -> list[Year]:
    """Five years of one size; the results of the cohorts, and of all of them together in the last."""
    years = []
    for number in range(2026, 2031):
        end = int(number == 2030)
        outcomes = {
            "days housed": housed,
            "days housed of people who kept a lease for a year": housed,
            "hospital days of the cohort": 2_000 - avoided,
            "hospital days of the cohort's control group, scaled to the cohort": 2_000,
            "hospital days of all cohorts": 10_000 - pooled,
            "hospital days of all control groups, scaled to the cohorts": 10_000,
        }
        held = {
            "the cohort's result is certified": int(avoided > 0),
            "the pooled result is certified": end * int(pooled > 0),
            "the contract has ended": end,
        }
        years.append(Year(year=number, outcomes=outcomes, conditions=held))
    return years


def test_investors_are_repaid_until_whole_over_five_years() -> None:
    contract = load("pay-for-success")
    ledger = contract.settle(pay_for_success_years(housed=26_000, avoided=300, pooled=1_500))
    whole = {}
    for tranche, repaid in (
        ("working capital", "repayment of working capital"),
        ("senior loan", "repayment of the senior loan"),
        ("subordinate loan", "repayment of the subordinate loan"),
    ):
        drawn, back = ledger.total(clause=tranche), ledger.total(clause=repaid)
        assert drawn <= back <= drawn * 1.25
        in_years = [line.year for line in ledger if line.clause == repaid and line.amount]
        whole[tranche] = (in_years[0], in_years[-1])
    # whole in order: what comes later in the waterfall is not paid before what comes earlier is whole
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(whole.values()))
    assert ledger.total(clause="guarantee") == 0
    assert ledger.total(clause="most the county pays") == 0


def test_a_later_tranche_gets_nothing_while_an_earlier_one_is_owed() -> None:
    contract = load("pay-for-success")
    for housed in range(0, 30_000, 2_500):
        ledger = contract.settle(pay_for_success_years(housed, avoided=100))
        for year in range(2026, 2031):
            senior = ledger.working("repayment of the senior loan", "owed", year)
            unpaid = senior - ledger.total(year=year, clause="repayment of the senior loan")
            if unpaid > 0.005:
                assert ledger.total(year=year, clause="repayment of the subordinate loan") == 0, (housed, year)


def test_the_project_never_pays_out_more_than_it_was_paid_for_outcomes() -> None:
    contract = load("pay-for-success")
    prices = ["housed days", "hospital days avoided by a cohort", "price held back until all cohorts are counted"]
    for housed in (0, 10_000, 26_000, 40_000):
        ledger = contract.settle(pay_for_success_years(housed, avoided=600, pooled=3_000))
        assert ledger.total(payer="project") <= ledger.total(clause=prices) + 0.005


def cash(*flow: float) -> Ledger:
    """A ledger of one party's cash: money out where negative, in where positive, a year apart."""
    lines = []
    for k, amount in enumerate(flow):
        payer, payee = ("bank", "investor") if amount > 0 else ("investor", "bank")
        lines.append(Line(k + 1, "cash", payer, payee, abs(amount), {}, (12 * (k + 1),)))
    return Ledger(lines)


@pytest.mark.parametrize(
    ("flow", "rate"),
    [
        ((-100, 110), 0.10),
        ((-100, 0, 121), 0.10),
        ((100, -110), 0.10),  # a borrower's
        ((-100, 50), -0.50),
        ((-100, 60, -40, 100), 0.0831),  # draws between repayments: 55.40 - 34.10 + 78.70 = 100.00
        (
            (-100, 60, -40, 60),
            -0.1017,
        ),  # the same with a loss: 66.79 - 49.57 + 82.77 = 99.99
        ((-100, 230, -132), None),  # worth nothing at 10% and at 20%
        ((-100, -50), None),
    ],
)
def test_a_rate_of_return_is_the_only_one_or_none(flow: tuple[float, ...], rate: float | None) -> None:
    found = cash(*flow).irr("investor")
    assert found == (rate if rate is None else pytest.approx(rate, abs=0.001))


def test_nothing_was_achieved_and_each_party_loses_what_the_contract_says() -> None:
    ledger = load("pay-for-success").settle(pay_for_success_years(housed=0, avoided=0))
    # senior 1.2m + 1.2m + 0.8m + 0.8m = 4.0m; the guarantee makes good least(60% of it, 1.5m)
    net = ledger.net()
    assert net["county"] == 0
    assert (net["lender"], net["foundation"], net["fund"]) == (-2_500_000, -800_000, -300_000)
    assert net["guarantor"] == -1_500_000


def test_the_pooled_trigger_alone_pays_only_the_part_held_back() -> None:
    contract = load("pay-for-success")
    ledger = contract.settle(pay_for_success_years(housed=0, avoided=0, pooled=1_500))
    assert ledger.total(payer="county") == 900_000  # 1,500 x 600


# --- a community organization paid out of the provider's share --------------------------------------------------------


def test_a_community_organization_is_paid_out_of_the_providers_share_and_not_by_the_plan() -> None:
    contract = load("combination")
    year = good_year()
    with_partner = contract.settle([year])
    alone = contract.amend({"the community partner's part": {"share": 0}}).settle([year])
    assert with_partner.net()["plan"] == alone.net()["plan"]
    assert with_partner.total(payer="plan", payee="partner") == 0
    assert with_partner.net()["partner"] == 0.25 * alone.net()["provider"]


# --- one cap over several clauses, and no dollar paid twice -----------------------------------------------------------


def good_year(spend: float = 10_500_000) -> Year:
    outcomes = {
        "hospital days of enrolled members": 2_600,
        "hospital days of the comparison group, scaled to the enrolled members": 3_200,
        "social needs met, with the referral closed": 600,
    }
    return Year(year=2026, benchmark=12_000_000, spend=spend, outcomes=outcomes)


@pytest.mark.parametrize("spend", range(9_000_000, 12_500_000, 250_000))
def test_a_joint_cap_holds_whatever_was_saved(spend: int) -> None:
    assert load("combination").settle([good_year(spend)]).net()["plan"] >= -900_000


def test_counted_as_spending_an_outcome_payment_lowers_the_share_by_its_share() -> None:
    contract = load("combination").amend({"limit on the year's payments": {"cap": 10_000_000}})
    once = contract.settle([good_year()])
    twice = contract.amend({"shared savings": {"net_of": []}}).settle([good_year()])
    paid_for_outcomes = once.total(clause=["hospital days avoided", "needs met"])
    assert twice.total(clause="shared savings") - once.total(clause="shared savings") == 0.5 * paid_for_outcomes


# --- order ------------------------------------------------------------------------------------------------------------


def reordered(contract: Contract, *names: str) -> Contract:
    data = contract.model_dump()
    by_name = {clause["name"]: clause for clause in data["clauses"]}
    return Contract.parse(yaml.safe_dump(data | {"clauses": [by_name[name] for name in names]}))


ORDER = (
    "hospital days avoided",
    "needs met",
    "shared savings",
    "limit on the year's payments",
    "the community partner's part",
)


def test_the_order_of_clauses_changes_the_result_and_the_term_sheet_says_so() -> None:
    after = load("combination").amend({"the community partner's part": {"net_of": []}})
    before = reordered(after, *ORDER[:3], ORDER[4], ORDER[3])
    # A limit written first is settled first; the partner's part may then be net of it, and in the other order may not.
    net_of_it = load("combination").settle([good_year()])
    gross = before.settle([good_year()])
    assert net_of_it.total(payee="partner") == 225_000
    assert gross.total(payee="partner") == 241_500
    assert net_of_it.net()["plan"] == gross.net()["plan"] == -900_000
    sheet = term_sheet(load("combination"))
    assert "The clauses settle in this order" in sheet
    assert "“limit on the year's payments” (paragraph 4) is taken off first" in paragraph(
        load("combination"), load("combination").clauses[4]
    )


def test_an_order_in_which_a_clause_would_look_ahead_is_refused() -> None:
    with pytest.raises(Refusal, match="look only back"):
        reordered(load("combination"), *ORDER[:3], ORDER[4], ORDER[3])
    with pytest.raises(Refusal, match="look only back"):
        reordered(load("combination"), ORDER[2], *ORDER[:2], *ORDER[3:])


def test_savings_first_or_outcomes_first_is_not_the_same_contract() -> None:
    """Savings settled before the outcome prices cannot be net of them, and the plan pays part of a dollar twice."""
    contract = load("combination")
    free = contract.amend({"shared savings": {"net_of": []}, "limit on the year's payments": {"cap": 10_000_000}})
    savings_first = reordered(free, ORDER[2], *ORDER[:2], *ORDER[3:]).settle([good_year()])
    outcomes_first = contract.amend({"limit on the year's payments": {"cap": 10_000_000}}).settle([good_year()])
    assert savings_first.net()["plan"] - outcomes_first.net()["plan"] == -0.5 * 432_000


# --- a frame and what fits inside it ----------------------------------------------------------------------------------

MEDICAID = ("medicaid-shared-savings", "medicaid-outcome-prices", "medicaid-both")


@pytest.mark.parametrize("name", MEDICAID)
def test_each_medicaid_contract_settles_on_the_facts_of_the_state_framework(name: str) -> None:
    frame, inner = load("state-framework"), load(name)
    year = Year(
        year=2026,
        benchmark=12_000_000,
        spend=10_500_000,
        outcomes=good_year().outcomes,
        conditions={"the state approved the plan's contract with the provider": 1},
    )
    ledger = Ledger([*frame.settle([year]), *inner.settle([year])])
    assert set(inner.facts()) <= set(frame.facts())
    assert {"plan", "provider"} <= set(frame.parties) & set(inner.parties)
    assert sum(ledger.net().values()) == pytest.approx(0, abs=0.005)


def test_both_pays_less_than_the_two_contracts_side_by_side() -> None:
    year = good_year()
    paid = {name: load(name).settle([year]).total(payer="plan", payee="provider") for name in MEDICAID}
    back = load("medicaid-both").settle([year]).total(payer="provider", payee="plan")
    assert paid["medicaid-both"] - back < paid["medicaid-shared-savings"] + paid["medicaid-outcome-prices"]


# --- what a rate card refuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"price": None},
        {"schedule": {0: 0, 10: 500}, "climbs": "in steps"},
        {"expected": 10},
        {"comparison": None},
    ],
    ids=["no price", "a price and a schedule", "compared twice", "fewer than what"],
)
def test_a_price_that_cannot_be_read_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="one price or schedule"):
        load("combination").amend({"hospital days avoided": changes})


def test_a_clause_may_wait_for_another_never_to_have_paid() -> None:
    text = """
title: A consolation
summary: For tests.
parties: {plan: the plan, hub: the hub}
first_year: 2026
clauses:
  - {name: homes, kind: outcome_price, payer: plan, payee: hub, due: monthly, outcome: homes, price: 100}
  - {name: consolation, kind: advance, payer: plan, payee: hub, due: monthly, amount: 5000, only_if_never_paid: [homes]}
"""
    contract = Contract.parse(text)
    said = paragraph(contract, contract.clauses[1])
    assert "It is paid only if nothing was ever paid under “homes” (paragraph 1)." in said
    with pytest.raises(Refusal, match="2027 without 2026"):
        contract.settle([Year(year=2027, outcomes={"homes": 0})])
    with pytest.raises(Refusal, match="did you mean 'homes'"):
        Contract.parse(text.replace("[homes]", "[homs]"))
    draws = contract.settle([Year(year=2026, outcomes={"homes": np.array([0.0, 2.0])})])
    assert draws[1].amount.tolist() == [5_000, 0]
