"""Capital: VaR, TVaR, reserves and ruin of draws that are given by hand; cover priced by another route."""

import csv
import math
from statistics import NormalDist

import numpy as np
import pytest
from typer.testing import CliRunner

from carecontracts import Contract, Refusal, Year, gallery
from carecontracts.chance.assumed import take
from carecontracts.chance.capital import covers, held, loaded, recovery, tvar, var
from carecontracts.chance.noise import Costs
from carecontracts.chance.simulate import Luck, Simulation, simulate
from carecontracts.cli import app

BOTH_WAYS = Contract.parse("""
title: Half of savings, and half of losses
summary: For tests.
parties: {plan: the plan, practice: the practice}
first_year: 1
years: 2
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: practice, due: monthly, per_member_per_month: 1}
  - {name: savings, kind: corridor, of: savings, payer: plan, payee: practice, due: 1 months after the year ends,
     bands: {0: 0.5}}
  - {name: losses, kind: corridor, of: losses, payer: practice, payee: plan, due: 1 months after the year ends,
     bands: {0: 0.5}}
""")


def drawn(costs=None):
    """Four draws of two years: 12 months of fees at $1, a benchmark of $10,000, half of savings or of losses.

    Savings of the practice: -400, 100, 500, -1,000 in year 1, and 0, -300, 500, 200 in year 2; fees of 12 each year.
    """
    spend = [np.array([10_800, 9_800, 9_000, 12_000.0]), np.array([10_000, 10_600, 9_000, 9_600.0])]
    months = {"all": np.full(4, 12.0)}
    years = [Year(year=n, benchmark=np.full(4, 1e4), spend=s, member_months=months) for n, s in enumerate(spend, 1)]
    return Simulation(BOTH_WAYS, years, BOTH_WAYS.settle(years), 4, dict(costs or {}))


def test_what_is_held_by_hand():
    """Over the term the practice nets -376, -176, 1,024 and -776; its worst years are -388, -288, 512 and -988.

    With four draws, 95% and 99% are both the worst of them.
    It owes 400, 300, 0 and 1,000 in the year in which it owes most.
    Its cash is lowest after year 1 is settled in January of year 2, with 13 months of fees: -387; -176 at the end, with
    24 of fees, 100 earned and 300 owed; never below nothing; and -987.
    """
    plan, practice = held(drawn(), {"practice": 387})
    assert practice.term == (776, 776, 776, 776)
    assert practice.year == (988, 988, 988, 988)
    assert plan.term == (1_024,) * 4
    assert (practice.owes_95, practice.owes_99, plan.owes_99) == (1_000, 1_000, 500)
    assert (practice.reserve_95, practice.reserve_99) == (987, 987)
    assert practice.ruin == 0.25
    assert plan.ruin is plan.reserve is practice.holding is practice.worth is None


@pytest.mark.parametrize(("reserve", "ruin"), [(0, 0.75), (175.99, 0.75), (176, 0.5), (386.99, 0.5), (387, 0.25), (986.99, 0.25), (987, 0)])  # fmt: skip # noqa: E501
def test_a_reserve_lasts_to_its_last_cent(reserve, ruin):
    assert held(drawn(), {"practice": reserve})[1].ruin == ruin


def test_what_holding_costs_and_what_a_result_is_worth():
    """Holding $500 at 8% for two years is $80; without a reserve, the one for 99%: 987 x 0.08 x 2.

    Fees of $1 for 24 months at 12% a year, and a quarter of (-400 + 100 + 500 - 1,000) = -200 after 12 months and of
    (0 - 300 + 500 + 200) = 100 after 24.
    """
    plan, practice = held(drawn(), {"practice": 500}, {"practice": 0.08, "plan": 0.08}, {"practice": 0.12})
    assert practice.holding == pytest.approx(80)
    assert plan.holding == pytest.approx(plan.reserve_99 * 0.16)
    fees = sum(1.12 ** (-k / 12) for k in range(24))
    assert practice.worth == pytest.approx(fees - 200 / 1.12 + 100 / 1.12**2)
    assert held(drawn(), None, {"practice": 0.08})[1].holding == pytest.approx(987 * 0.16)
    assert held(drawn(), None, None, {"practice": 0})[1].worth == pytest.approx(24 - 100)


def test_costs_outside_are_lost_too():
    assert held(drawn({"practice": 120}))[1].term.var_99 == 776 + 240


def test_of_a_normal_curve():
    """VaR 1.645 and 2.326 standard deviations, TVaR 2.063 and 2.665: phi(z) / (1 - level)."""
    losses = np.random.default_rng(1).standard_normal(2_000_000)
    for level in (0.95, 0.99):
        z = NormalDist().inv_cdf(level)
        assert var(losses, level) == pytest.approx(z, abs=0.015)
        assert tvar(losses, level) == pytest.approx(NormalDist().pdf(z) / (1 - level), abs=0.015)


@pytest.mark.parametrize(("level", "least", "worst"), [(0.95, 95, 98), (0.99, 99, 100), (0.945, 95, 97.5 + 0.5 / 11)])
def test_of_a_hundred(level, least, worst):
    """Of 1 to 100; of 5.5% of them, the worst are 96 to 100 and half of 95: (490 + 47.5) / 5.5."""
    assert var(np.arange(1, 101), level) == least
    expected = (490 + 47.5) / 5.5 if level == 0.945 else worst
    assert tvar(np.arange(1, 101), level) == pytest.approx(expected)


# --- cover ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("attachment", "limit", "coinsurance"), [(50_000, math.inf, 1), (250_000, 1_000_000, 0.9)])
def test_what_cover_is_expected_to_pay_by_drawing_members(attachment, limit, coinsurance):
    rng, n = np.random.default_rng(1), 4_000_000
    s2 = math.log(1 + 2.15**2)
    cost = 24_000 * np.exp(math.sqrt(s2) * rng.standard_normal(n) - s2 / 2)
    cost *= np.exp(rng.normal(-(0.3**2) / 2, 0.3, n))  # each with a shock of its own: it widens one cost as well
    paid = coinsurance * np.maximum(np.minimum(cost, limit) - attachment, 0)
    common = math.sqrt(math.exp(0.3**2) - 1)
    costs = Costs.with_cv(24_000, 2.15)
    expected = recovery(costs, attachment, limit=limit, coinsurance=coinsurance, common=common)
    assert paid.mean() == pytest.approx(expected, abs=5 * paid.std() / math.sqrt(n))
    narrow = recovery(costs, attachment, limit=limit, coinsurance=coinsurance)
    assert expected - narrow > 3 * paid.std() / math.sqrt(n)


@pytest.mark.parametrize(
    ("expected", "loading", "premium"), [(80, 0.2, 100), (80, 0, 80), (0, 0.25, 0), (15, 0.9, 150)]
)
def test_a_premium_is_loaded(expected, loading, premium):
    assert loaded(expected, loading) == pytest.approx(premium)


def test_the_contracts_cover_beside_its_premium():
    """What was drawn beside the closed form of the contract's own terms: 90% from $250,000 to $1,000,000."""
    contract, lives, draws = Contract.load(gallery("global-capitation")), 2_000, 20_000
    taken = take(contract, lives=lives)
    simulation = simulate(contract, taken.years, rng=np.random.default_rng(1), draws=draws, luck=taken.luck)
    member, year, premium, same, lower = covers(
        simulation, taken.years[0], lives, taken.luck, points=(250_000, 100_000), loading=0.2
    )
    error = simulation.of("stop-loss for one member").std() / math.sqrt(3 * draws)
    assert member.year == pytest.approx(same.year, abs=4 * error)
    assert member.pays_in == pytest.approx(same.pays_in, abs=0.01)
    assert (premium.month, premium.loaded) == (pytest.approx(23, abs=0.02), None)
    assert year.begins == "1.1"
    assert year.year == pytest.approx(simulation.of("stop-loss for the year").mean())
    for one in (member, year, same, lower):
        assert one.loaded == pytest.approx(one.year / (12 * lives) / 0.8)
    assert lower.year > 3 * same.year


# --- who pays for care -----------------------------------------------------------------------------------------------


def test_who_pays_for_care_has_its_cost_in_its_line():
    """$1 for 12,000 months of the fee, and $9,000 of care in each of two years."""
    years = [Year(year=n, benchmark=9_000, spend=9_000, member_months={"all": 12_000}) for n in (1, 2)]
    still = Luck(lives=1_000, common=0, churn=0, cv=0.05)
    rng = np.random.default_rng(1)
    own, other = (simulate(BOTH_WAYS, years, draws=50, rng=rng, luck=still, care=p) for p in ("practice", None))
    assert own.net("practice") == pytest.approx(6_000, abs=200)
    assert other.net("practice") == pytest.approx(24_000, abs=200)
    with pytest.raises(Refusal, match="care"):
        simulate(BOTH_WAYS, years, draws=50, rng=rng, luck=still, care="hospital")


# --- the command ------------------------------------------------------------------------------------------------------


def run(*words):
    result = CliRunner().invoke(app, ["odds", *words, "--draws", "400"])
    if result.exception:
        raise result.exception
    return result.output


def test_odds_prints_capital_where_it_is_asked_for(tmp_path):
    plain, file = run("shared-savings"), tmp_path / "odds.csv"
    assert "VaR" not in plain
    assert "what must be held" not in plain
    money = ["--reserve", "practice=100000", "--capital-cost", "practice=0.1", "--discount", "practice=0.05"]
    said = run("shared-savings", "--cost", "practice=700000", *money, "--out", str(file))
    assert "the yearly rate of present values, for practice" in said
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["party"] for row in rows] == ["plan", "practice"] * 2
    practice = rows[1]
    assert float(practice["holding_cost"]) == 30_000
    assert 0 < float(practice["chance_of_ruin"]) <= 1
    assert float(practice["term_var_99"]) >= float(practice["term_var_95"])
    assert f"{float(practice['reserve_99']):,.0f}" in said
    assert rows[0]["reserve"] == rows[0]["present_value"] == ""


def test_odds_prices_cover_where_it_is_asked_for():
    assert "What cover against cost is worth" not in run("global-capitation")
    said = run("global-capitation", "--attachment", "100000", "--loading", "0.3", "--spread", "3")
    assert "with 30% of the premium for what is not claims" in said
    assert "$100,000" in said
    assert "stop-loss premium" in said


def test_odds_puts_care_in_a_line():
    assert "Care is in nobody's line" in run("compared/capitation")
    said = run("compared/capitation", "--care", "practice")
    assert "who pays for care" in said
    assert "nobody's line" not in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--reserve", "practise=5"], "did you mean 'practice'"),
        (["--care", "hospital"], "plan, practice"),
        (["--discount", "plan=5"], "PARTY=RATE"),
        (["--capital-cost", "plan=0.1", "--capital-cost", "plan=0.2"], "each party once"),
        (["--attachment", "0"], "dollars a year, 1 or more"),
        (["--loading", "1"], "a share from 0 to 0.9"),
        (["--loading", "0.3"], "of a contract without cover"),
        (["--attachment", "100000"], "--spread or --line"),
    ],
)
def test_what_cannot_be_is_refused(words, says):
    with pytest.raises(Refusal, match=says):
        run("shared-savings", *words)
