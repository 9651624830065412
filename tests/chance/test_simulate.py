"""Any contract through years of chance: the draws have the moments they should, and every gallery contract runs."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, rankdata
from typer.testing import CliRunner

from carecontracts import Contract, Refusal, Year, gallery
from carecontracts.chance import convolution
from carecontracts.chance.noise import Costs, Sharing
from carecontracts.chance.simulate import Luck, draw_years, expected_years, in_words, simulate, with_effect
from carecontracts.cli import app
from carecontracts.gallery import gallery_names

DRAWS = 4_000
STILL = Luck(common=0.0, churn=0.0, kept=0.0)
SAVINGS = Contract.parse("""
title: A share of savings
summary: For tests.
parties: {plan: the plan, practice: the practice}
first_year: 2026
years: 2
clauses:
  - {name: savings, kind: shared_savings, payer: plan, payee: practice, due: 9 months after the year ends,
     minimum: 0.02, share: 0.5, cap: 0.1}
""")
FEE = Contract.parse("""
title: A fee
summary: For tests.
parties: {plan: the plan, practice: the practice}
first_year: 1
years: 1
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: practice, due: quarterly, per_member_per_month: 10}
""")


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


# Luck is reckoned in years of twelve months.
YEARLY = [name for name in gallery_names() if Contract.load(gallery(name)).first_year_months == 12]


@pytest.mark.parametrize("name", YEARLY)
def test_every_gallery_contract_simulates(name: str) -> None:
    contract = Contract.load(gallery(name))
    drawn = simulate(contract, draws=300, rng=rng(), effect=0.05)
    table = drawn.table()
    assert list(table.party) == list(contract.parties)
    assert np.isfinite(table.drop(columns="party").to_numpy()).all()
    assert abs(sum(drawn.net(party) for party in contract.parties)).max() < 0.05  # all paid is all received
    assert (table["lowest cash"] <= 0).all()
    assert in_words(drawn, drawn, 0.05)


@pytest.mark.parametrize("name", YEARLY)
def test_facts_are_drawn_around_what_is_expected(name: str) -> None:
    """The mean of each fact's draws lies within six standard errors of the expected value; rounding adds a half."""
    contract = Contract.load(gallery(name))
    years = expected_years(contract, lives=800, effect=0.03)[:1]
    [drawn] = draw_years(contract, years, rng=rng(7), draws=DRAWS, luck=Luck())
    for fact, value in years[0].facts().items():
        if fact.startswith("claims."):
            continue  # members are drawn anew: the dearest of one year is not that of another
        got = np.broadcast_to(drawn.fact(fact), DRAWS)
        assert got.min() >= 0
        if ".documented" in fact or "engaged_months" in fact:
            assert got.mean() <= value * 1.01  # never more months than members have, so a little fewer
            assert got.mean() >= value * 0.97
        else:
            slack = 0.5 + 1e-4 * value if got.std() else 1e-9
            assert abs(got.mean() - value) <= 6 * got.std() / math.sqrt(DRAWS) + slack, fact


def renamed(contract: Contract) -> tuple[Contract, dict[str, str]]:
    """The contract with every measure and outcome called x1, x2 …, and what each was called."""
    facts = [fact.partition(".") for fact in contract.facts()]
    names = dict.fromkeys(name for group, _, name in facts if group in ("measures", "outcomes"))
    new = {name: f"x{k}" for k, name in enumerate(names, 1)}
    new |= {name: f"{new[whole]}.1" for name in names if (whole := name.removesuffix(".1")) != name}  # of one person
    changes: dict[str, dict[str, Any]] = {clause.name: {} for clause in contract.clauses}
    for clause in contract.clauses:
        for group, _, term in (template.removesuffix(".1").partition(".") for template in clause.reading()):
            named = getattr(clause, term.strip("{}")) if group in ("measures", "outcomes") else None
            if named:
                now = [new[each] for each in named] if isinstance(named, list) else new[named]
                changes[clause.name][term.strip("{}")] = now
                if isinstance(named, list) and getattr(clause, "own", "") in named:
                    changes[clause.name]["own"] = new[clause.own]  # type: ignore[attr-defined]
    return contract.amend(changes), new


@pytest.mark.parametrize("name", YEARLY)
def test_names_decide_nothing(name: str) -> None:
    contract = Contract.load(gallery(name))
    other, new = renamed(contract)
    before, after = (simulate(c, draws=100, rng=rng(), effect=0.05) for c in (contract, other))
    for year, same in zip(before.years, after.years, strict=True):
        for fact, value in year.facts().items():
            group, _, part = fact.partition(".")
            known_as = f"{group}.{new[part]}" if group in ("measures", "outcomes", "denominators") else fact
            assert np.array_equal(value, same.fact(known_as)), fact
    for line, same in zip(before.ledger, after.ledger, strict=True):
        assert np.array_equal(line.amount, same.amount), line.clause
    assert in_words(before, before, 0.05) == in_words(after, after, 0.05)


PRICE = """
title: A price
summary: For tests.
parties: {plan: the plan, practice: the practice}
first_year: 1
years: 1
clauses:
  - {name: price, kind: outcome_price, payer: plan, payee: practice, due: quarterly, outcome: hospital nights,
     better: fewer, price: 100, TERM}
"""


@pytest.mark.parametrize(
    ("terms", "expected", "clumps", "others"),
    [
        ("unit: events, comparison: what others had", 600, 2, 2),  # 500 people x 1.2
        ("unit: people, comparison: what others had", 600, 2, 2),
        ("unit: days, comparison: what others had", 3_000, 12, 12),  # 500 people x 6, in stays
        ("unit: days, forecast: what others had", 3_000, 12, 0),
        ("unit: dollars, comparison: what others had", 600, 0, 0),
    ],
)
def test_an_outcome_is_drawn_by_its_unit(terms: str, expected: float, clumps: float, others: float) -> None:
    """The variance of a count is `clumps` times its mean; five standard errors of a variance, with room for skew."""
    contract = Contract.parse(PRICE.replace("TERM", terms))
    [drawn] = draw_years(contract, expected_years(contract, lives=500), rng=rng(), draws=DRAWS, luck=Luck())
    for name, by in (("hospital nights", clumps), ("what others had", others)):
        count = np.broadcast_to(drawn.outcomes[name], DRAWS)
        assert count.mean() == pytest.approx(expected, abs=6 * math.sqrt(by * expected / DRAWS) + 1e-9)
        assert count.var() / count.mean() == pytest.approx(by, abs=5 * by * math.sqrt(3 / DRAWS) + 1e-9)


BONUS = """
title: A bonus
summary: For tests.
parties: {plan: the plan, practice: the practice}
first_year: 1
years: 1
clauses:
  - {name: bonus, kind: performance_bonus, payer: plan, payee: practice, due: quarterly, measure: visits,
     BEFORE: visits before, improvement: {0: 1}, better: lower, per: in all, amount: 100, unit: UNIT}
"""


@pytest.mark.parametrize(
    ("unit", "known", "expected", "variance"),
    [
        ("a share", "baseline", 0.6, 0.6 * 0.4 / 200),  # of 40% of 500 people
        ("a rate per member", "baseline", 1.2, 2 * 1.2 / 500),  # twice Poisson's
        ("a rate per 1,000 members", "baseline", 300, 2 * 150 * 4),  # 150 events, each of which is 2 per 1,000
        ("a score", "baseline", 0.6, 0),  # a score is no matter of how many people are counted: held
        ("a rate per 1,000 members", "forecast", 300, 2 * 150 * 4),
    ],
)
def test_a_measure_is_drawn_by_its_unit(unit: str, known: str, expected: float, variance: float) -> None:
    contract = Contract.parse(BONUS.replace("BEFORE", known).replace("UNIT", f"'{unit}'"))
    [drawn] = draw_years(contract, expected_years(contract, lives=500), rng=rng(), draws=DRAWS, luck=Luck())
    for name, by in (("visits", variance), ("visits before", 0 if known == "forecast" else variance)):
        rate = np.broadcast_to(drawn.measures[name], DRAWS)
        assert rate.mean() == pytest.approx(expected, abs=6 * math.sqrt(by / DRAWS) + 1e-9)
        assert rate.var() == pytest.approx(by, abs=5 * by * math.sqrt(3 / DRAWS) + 1e-9)


def test_an_outcome_and_its_precondition_have_one_luck() -> None:
    """Both are drawn at one quantile: as many are expected of each, so they are the same number in every draw."""
    terms = "unit: people, better: fewer, comparison: what others had, precondition: seen by a nurse"
    contract = Contract.parse(PRICE.replace("better: fewer, ", "").replace("TERM", terms))
    [drawn] = draw_years(contract, expected_years(contract, lives=500), rng=rng(), draws=DRAWS, luck=Luck())
    assert (drawn.outcomes["hospital nights"] == drawn.outcomes["seen by a nurse"]).all()
    assert (drawn.outcomes["hospital nights"] != drawn.outcomes["what others had"]).any()


def test_a_measure_counts_forty_percent_of_members_where_nothing_says_how_many() -> None:
    least = "unit: UNIT, minimum_denominator: 30, below_minimum: 0"
    contract = Contract.parse(
        BONUS.replace("BEFORE", "baseline").replace("unit: UNIT", least).replace("UNIT", "a share")
    )
    assert expected_years(contract, lives=500)[0].denominators == {"visits": 200}  # 0.4 x 500
    per_member = contract.amend({"bonus": {"unit": "a rate per member"}})
    assert expected_years(per_member, lives=500)[0].denominators == {"visits": 500}  # a rate is of everyone


def test_a_clause_that_does_not_say_a_measures_unit_stands_beside_one_that_does() -> None:
    bonus = BONUS.strip().splitlines()[-2:]
    again = "\n".join(bonus).replace("name: bonus", "name: again").replace("measure: visits", "measure: kept")
    again = again.replace("visits before", "kept before")
    again = again.replace("unit: UNIT", "unit: a share, multiplier: visits")
    text = (BONUS.replace("UNIT", "a rate per member") + again).replace("BEFORE", "baseline")
    [year] = expected_years(Contract.parse(text), lives=500, effect=0.1)
    assert year.measures["visits"] == pytest.approx(1.08)  # 1.2 less a tenth, as the first says; the second multiplies


def test_tiers_share_the_members_evenly() -> None:
    contract = FEE.amend({"fee": {"per_member_per_month": {"standard": 20, "complex": 100}}})
    [year] = expected_years(contract, lives=500)
    assert dict(year.member_months) == {"standard": 3_000, "complex": 3_000}  # 12 x 500, by two


def test_the_benchmark_and_the_spending_follow_the_months() -> None:
    """Who is there fewer months costs, and is expected to cost, as much less."""
    both = Contract.parse("""
title: A fee and a share of savings
summary: For tests.
parties: {plan: the plan, practice: the practice}
first_year: 1
years: 1
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: practice, due: quarterly, per_member_per_month: 10}
  - {name: savings, kind: shared_savings, payer: plan, payee: practice, due: 9 months after the year ends,
     minimum: 0.02, share: 0.5, cap: 0.1}
""")
    years = expected_years(both, lives=200)
    same, moved = (draw_years(both, years, rng=rng(), draws=DRAWS, luck=Luck(churn=churn))[0] for churn in (0.0, 0.4))
    assert np.ptp(same.benchmark) == 0
    share = moved.member_months["all"] / years[0].member_months["all"]
    assert share.std() > 0.01
    assert moved.benchmark == pytest.approx(years[0].benchmark * share)
    assert moved.spend == pytest.approx(same.spend * share)  # the same draws of cost


def test_a_common_shock_strikes_the_largest_claims_too() -> None:
    """Members almost alike, so that the shock is all there is: its spread is that of spending and of each claim."""
    contract = Contract.load(gallery("global-capitation"))
    luck = Luck(lives=600, cv=0.01, common=0.1, churn=0.0)
    [drawn] = draw_years(contract, expected_years(contract, lives=600)[:1], rng=rng(3), draws=DRAWS, luck=luck)
    dearest = np.array(list(drawn.claims.values())).max(axis=0)
    for amount in (drawn.spend, dearest):
        assert amount.std() / amount.mean() == pytest.approx(0.1, abs=5 * 0.1 / math.sqrt(2 * DRAWS) + 0.001)
    assert np.corrcoef(drawn.spend, dearest)[0, 1] > 0.95


def test_a_measure_without_a_unit_is_a_share_and_more_is_refused() -> None:
    contract = Contract.parse(BONUS.replace("BEFORE", "baseline").replace(", unit: UNIT", ""))
    year = Year(year=1, lives=500, measures={"visits": 1.2, "visits before": 0.9})
    with pytest.raises(Refusal, match=r"a share from 0 to 1.*: clause 'bonus' reads it"):
        contract.settle([year])
    per_member = contract.amend({"bonus": {"unit": "a rate per member"}})
    assert per_member.settle([year]).total(clause="bonus") == 0  # not lower than before


def test_the_same_seed_draws_the_same_years() -> None:
    contract = Contract.load(gallery("shared-savings"))
    one, same, other = (simulate(contract, draws=200, rng=rng(seed)).net("plan") for seed in (4, 4, 5))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize("truncation", [math.inf, 100_000])
def test_a_simulated_share_of_savings_is_what_convolution_says(truncation: float) -> None:
    luck = Luck(lives=400, cv=2.0, truncation=truncation, common=0, churn=0, kept=0)
    drawn = simulate(SAVINGS, draws=20_000, rng=rng(), luck=luck)
    pays, back = drawn.results()
    costs = Costs.with_cv(24_000, 2.0)
    exact = convolution.total(costs, 400, cap=truncation).odds(Sharing(share=0.5, minimum=0.02, cap=0.1))
    n = pays.size
    assert abs((pays > 0).mean() - exact.pays) < 5 * math.sqrt(exact.pays * (1 - exact.pays) / n)
    assert abs(pays.mean() / (400 * 24_000) - exact.payment) < 5 * pays.std() / (400 * 24_000) / math.sqrt(n)
    assert not back.any()


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.8])
def test_luck_is_kept_from_year_to_year(kept: float) -> None:
    """Normal scores of the two years' spending correlate as told: a copula's correlation, five standard errors."""
    years = expected_years(SAVINGS, lives=300)
    drawn = draw_years(SAVINGS, years, rng=rng(), draws=20_000, luck=Luck(common=0, churn=0, kept=kept))
    scores = [norm.ppf((rankdata(year.spend) - 0.5) / 20_000) for year in drawn]
    assert np.corrcoef(*scores)[0, 1] == pytest.approx(kept, abs=5 * (1 - kept**2) / math.sqrt(20_000) + 0.005)


def test_member_months_have_the_moments_of_leaving_at_random() -> None:
    """Drawn directly: each of 300 members leaves with a chance of 0.2, at a time spread evenly over the year."""
    r, n, churn, draws = rng(3), 300, 0.2, 20_000
    stays = np.where(r.random((draws, n)) < churn, 12 * r.random((draws, n)), 12.0).sum(axis=1)
    expected = stays.mean()
    [drawn] = draw_years(
        FEE, [Year(year=1, member_months={"all": expected})], rng=r, draws=draws, luck=Luck(churn=churn)
    )
    got = drawn.member_months["all"]
    # the model scales one member's relative spread to the expected months: the same to a few parts in a hundred
    assert got.std() == pytest.approx(stays.std(), rel=0.08)
    assert abs(got.mean() - expected) < 5 * got.std() / math.sqrt(draws) + 0.5


def test_claims_and_spending_are_of_the_same_members() -> None:
    contract = Contract.load(gallery("global-capitation"))
    years = expected_years(contract, lives=600)[:1]
    luck = Luck(lives=600, common=0.0, churn=0.0)
    [drawn] = draw_years(contract, years, rng=rng(2), draws=5_000, luck=luck)
    costs = Costs.with_cv(years[0].spend / 600, luck.cv)
    attachment = 150_000
    claims = np.array(list(drawn.claims.values()))
    above = (claims > attachment).sum(axis=0)
    p = 1 - norm.cdf((math.log(attachment) - costs.mu) / costs.sigma)
    assert abs(above.mean() - 600 * p) < 5 * math.sqrt(600 * p / 5_000)  # binomial, nearly Poisson
    assert (claims.sum(axis=0) <= drawn.spend + 1).all()
    assert abs(drawn.spend.std() / drawn.spend.mean() / (luck.cv / math.sqrt(600)) - 1) < 0.15  # a heavy tail's spread
    assert np.corrcoef(claims.max(axis=0), drawn.spend)[0, 1] > 0.5


def test_use_and_cost_are_high_in_the_same_years() -> None:
    contract = Contract.load(gallery("compared/combination"))
    years = expected_years(contract)
    low, high = (
        draw_years(contract, years, rng=rng(1), draws=DRAWS, luck=Luck(with_cost=rho))[0] for rho in (0.0, 0.9)
    )
    assert abs(np.corrcoef(low.spend, low.outcomes["admissions"])[0, 1]) < 5 / math.sqrt(DRAWS)
    assert np.corrcoef(high.spend, high.outcomes["admissions"])[0, 1] > 0.7
    # clumps of 2: the variance of a count is twice its mean; five standard errors of a variance, with room for skew
    count = low.outcomes["admissions"]
    assert count.var() / count.mean() == pytest.approx(2, abs=5 * 2 * math.sqrt(3 / DRAWS))


def test_an_effect_moves_what_it_should_and_nothing_else() -> None:
    contract = Contract.load(gallery("compared/combination"))
    [year, *_] = years = expected_years(contract)
    assert with_effect(contract, years, 0.0) == years
    [less, *_] = with_effect(contract, years, 0.1)
    changed = {fact for fact, value in year.facts().items() if less.fact(fact) != value}
    assert changed == {"spend", "outcomes.admissions"}
    assert less.spend == pytest.approx(0.9 * year.benchmark)
    assert less.outcomes["admissions"] == pytest.approx(0.9 * year.outcomes["admissions expected"])


def test_cash_by_hand() -> None:
    """$10 x 12,000 months paid by the quarter, in the third month, and a team of $144,000 paid by the month.

    January and February: -24,000. March: +30,000 - 12,000. The lowest month is the eleventh: 90,000 - 132,000.
    """
    drawn = simulate(
        FEE, [Year(year=1, member_months={"all": 12_000})], draws=2, rng=rng(), luck=STILL, costs={"practice": 144_000}
    )
    assert drawn.net("practice").tolist() == [-24_000, -24_000]
    assert drawn.worst_cash("practice").tolist() == [-42_000, -42_000]
    [practice] = drawn.table().query("party == 'practice'").to_dict("records")
    assert practice["chance of loss"] == 1


@pytest.mark.parametrize(("team", "lost"), [(119_999, 0), (120_000, 0), (120_001, 1)])
def test_who_neither_gains_nor_loses_has_not_lost(team: float, lost: float) -> None:
    """$10 x 12,000 months, against what the team costs."""
    year = Year(year=1, member_months={"all": 12_000})
    drawn = simulate(FEE, [year], draws=2, rng=rng(), luck=STILL, costs={"practice": team})
    assert drawn.table().set_index("party").loc["practice", "chance of loss"] == lost


def test_more_people_are_less_luck() -> None:
    small, large = (simulate(SAVINGS, draws=DRAWS, rng=rng(), luck=Luck(lives=n, common=0)) for n in (300, 30_000))
    assert small.results()[0].mean() / 300 > 5 * large.results()[0].mean() / 30_000


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: simulate(SAVINGS, rng=rng(), draws=1), "2 or more"),
        (lambda: simulate(SAVINGS, rng=rng(), costs={"bank": 1}), "plan, practice"),
        (lambda: simulate(SAVINGS, rng=rng(), effect=1.5), "5% is 0.05"),
        (lambda: simulate(SAVINGS, [Year(year=2026, benchmark=1e6, spend=1e6)], rng=rng()), "how many people"),
        (lambda: simulate(SAVINGS, [Year(year=2026, benchmark=1e6, lives=50)], rng=rng()), "add `spend`"),
        (lambda: expected_years(SAVINGS, lives=0), "more than 0"),
        (lambda: expected_years(SAVINGS, count=5), "1 to 2"),
        (lambda: Luck(cv=0, kept=2), "kept"),
    ],
)
def test_what_cannot_be_is_refused(ask, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        ask()


# --- the command ------------------------------------------------------------------------------------------------------


def test_odds_in_plain_words(tmp_path: Path) -> None:
    out = tmp_path / "odds.csv"
    run = CliRunner().invoke(
        app,
        ["odds", "shared-savings", "--lives", "500", "--draws", "500", "--cost", "practice=300000", "--out", str(out)],
    )
    assert run.exit_code == 0, run.output
    assert "If the program changes nothing, the plan still pays $" in run.output
    assert "If the program truly saves 5%" in run.output
    assert out.read_text().count("\n") == 5  # a header, two parties, two effects


def test_odds_of_a_years_file(tmp_path: Path) -> None:
    file = tmp_path / "years.csv"
    file.write_text("year,lives,benchmark,spend\n2026,1000,24000000,24000000\n")
    contract = tmp_path / "savings.yaml"
    contract.write_text(gallery("aco-reach-professional").read_text())
    run = CliRunner().invoke(app, ["odds", "aco-reach-professional", str(file), "--draws", "100"])
    assert isinstance(run.exception, Refusal)  # 2026 is no year of that contract
    file.write_text("year,lives,benchmark,spend\n2023,1000,24000000,24000000\n")
    run = CliRunner().invoke(app, ["odds", "aco-reach-professional", str(file), "--draws", "100", "--effect", "0"])
    assert run.exit_code == 0, run.output


def test_odds_of_a_fee_says_that_luck_pays_nothing() -> None:
    run = CliRunner().invoke(app, ["odds", "compared/fee", "--draws", "50"])
    assert "luck pays nothing" in run.output


def test_of_cover_alone_it_is_said_what_luck_moves(tmp_path) -> None:
    """No clause pays by results, and yet luck moves the cover: "luck pays nothing" would be false."""
    (tmp_path / "cover.yaml").write_text(
        """\
title: Stop loss
summary: The insurer covers each person's claims above a point.
parties: {insurer: the insurer, county: the county}
first_year: 2018
years: 1
clauses:
  - {name: specific cover, kind: stop_loss, payer: insurer, payee: county, due: 3 months after the year ends,
     attachment: 100000, coinsurance: 1}
""",
        "utf-8",
    )
    drawn = simulate(Contract.load(tmp_path / "cover.yaml"), draws=200, rng=np.random.default_rng(1))
    said = in_words(drawn, drawn, 0.0)
    assert "luck pays nothing" not in said
    assert f"luck moves what “specific cover” pays ${drawn.net('county').mean():,.0f} in an average year" in said


@pytest.mark.parametrize("cost", ["practice", "practice=much", "practice=-5", "=5"])
def test_odds_refuses_a_cost_that_is_none(cost: str) -> None:
    run = CliRunner().invoke(app, ["odds", "compared/fee", "--cost", cost, "--draws", "50"])
    assert isinstance(run.exception, Refusal)


@pytest.mark.parametrize("both", ["baseline: a, forecast: b, ", ""])
def test_an_improvement_is_on_one_thing(both: str) -> None:
    with pytest.raises(Refusal, match="`improvement` together with `baseline`, or with `forecast`"):
        Contract.parse(BONUS.replace("BEFORE: visits before, ", both).replace(", unit: UNIT", ""))


def test_an_outcome_is_compared_with_one_thing() -> None:
    with pytest.raises(Refusal, match="keep one of them"):
        Contract.parse(PRICE.replace("TERM", "comparison: a, forecast: b"))
