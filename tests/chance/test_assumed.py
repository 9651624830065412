"""What an odds assumes is said, can be changed, and is where it says that it is from."""

import numpy as np
import pytest
from typer.testing import CliRunner

from carecontracts import Contract, gallery
from carecontracts.chance.assumed import TYPICAL, benchmark_error_of, swings, take
from carecontracts.chance.plausible import expected_years, without_effect
from carecontracts.chance.simulate import Luck, draw_years, simulate
from carecontracts.cli import app
from carecontracts.refusal import Refusal
from carecontracts.synthetic.people import panel

SAVINGS = Contract.load(gallery("shared-savings"))
MEASURED = Contract.load(gallery("whole-population-measured"))


@pytest.mark.parametrize("line", ["medicaid", "medicare", "dual", "commercial"])
def test_what_is_typical_is_that_of_the_synthetic_people(line):
    people = panel(line, 40_000, 3, rng=np.random.default_rng(2026))
    cost = people.pivot(index="person_id", columns="year", values="paid")
    first, second, third = cost.columns
    whole = TYPICAL[line, False]
    assert cost[second].mean() == pytest.approx(whole.cost, rel=0.1)
    assert cost[second].std() / cost[second].mean() == pytest.approx(whole.spread, rel=0.15)
    cost = cost.dropna()
    assert cost[first].corr(cost[second]) == pytest.approx(whole.kept, abs=0.1)
    dear, again = cost[cost[first] >= cost[first].quantile(0.95)], TYPICAL[line, True]
    assert dear[second].mean() == pytest.approx(again.cost, rel=0.1)
    assert dear[second].std() / dear[second].mean() == pytest.approx(again.spread, rel=0.25)
    assert dear[second].corr(dear[third]) == pytest.approx(again.kept, abs=0.15)


def test_the_contracts_numbers_come_first_then_those_given_then_the_lines():
    capitation = Contract.load(gallery("global-capitation"))
    own = take(capitation, line="medicaid").rows()[1]
    assert own.rests_on == "the contract: what it pays for all care"
    assert take(SAVINGS, line="medicaid").rows()[1].value == "$9,000"
    assert take(SAVINGS, line="medicaid", member_cost=25_200).rows()[1][1:3] == ("$25,200", "given")
    assert take(SAVINGS).rows()[1][1:3] == ("$24,000", "assumption")
    years = expected_years(SAVINGS, lives=700, cost=1_000)
    assert [row[1:3] for row in take(SAVINGS, years).rows()[:2]] == [
        ("700", "the years file"),
        ("$1,000", "the years file"),
    ]


def test_what_is_fitted_to_the_whole_is_not_widened_again():
    assert take(MEASURED, lives=400).luck.benchmark == 0
    assert take(MEASURED, lives=400, spread=2.0).luck.benchmark == pytest.approx(0.1 * np.sqrt(0.4**2 + 0.6**2))
    assert take(MEASURED, lives=400, spread=2.0, benchmark_error=0.01).luck.benchmark == 0.01
    run = CliRunner().invoke(app, ["odds", "shared-savings", "--truncation", "100000"])
    assert isinstance(run.exception, Refusal)
    assert "--spread or --line" in str(run.exception)


def test_the_error_of_a_benchmark_by_drawing_its_years():
    """Two years of other people, weighed 0.4 and 0.6; of the same people, each year keeps 0.3 of the luck of all."""
    rng, s, kept, draws = np.random.default_rng(1), 0.1, 0.3, 400_000
    history = s * (0.4 * rng.standard_normal(draws) + 0.6 * rng.standard_normal(draws))
    assert benchmark_error_of(MEASURED, Luck(cv=2.0, kept=kept), 400)[0] == pytest.approx(history.std(), rel=0.01)
    lasting = np.sqrt(kept) * rng.standard_normal(draws)
    now, one, two = (lasting + np.sqrt(1 - kept) * rng.standard_normal(draws) for _ in range(3))
    gap = s * (now - 0.4 * one - 0.6 * two)
    same = MEASURED.amend(measurement={"benchmark": {"people": "the same people"}})
    error, words = benchmark_error_of(same, Luck(cv=2.0, kept=kept), 400)
    assert np.hypot(s, error) == pytest.approx(gap.std(), rel=0.01)
    assert "the same people" in words


def test_the_benchmarks_error_lasts_and_the_trends_adds_up():
    years = expected_years(SAVINGS, lives=1_000)
    luck = Luck(lives=1_000, churn=0, benchmark=0.03, trend=0.01)
    drawn = draw_years(SAVINGS, years, rng=np.random.default_rng(1), draws=40_000, luck=luck)
    off = np.array([d.benchmark / y.benchmark - 1 for d, y in zip(drawn, years, strict=True)])
    for n, row in enumerate(off, 1):
        assert row.std() == pytest.approx(np.hypot(0.03, 0.01 * np.sqrt(n)), rel=0.03)
    assert np.corrcoef(off[0], off[2])[0, 1] > 0.9
    still = [draw_years(SAVINGS, years, rng=np.random.default_rng(1), draws=50, luck=Luck(lives=1_000)) for _ in "ab"]
    assert all((a.spend == b.spend).all() for a, b in zip(*still, strict=True))


def test_an_error_in_the_benchmark_is_paid_for():
    def paid(luck):
        pays, _ = simulate(SAVINGS, rng=np.random.default_rng(1), draws=4_000, luck=luck).results()
        return pays.mean()

    assert paid(Luck(lives=2_000, benchmark=0.05)) > 1.1 * paid(Luck(lives=2_000))


def test_what_moves_the_answer_most_is_what_it_says():
    taken = take(SAVINGS, line="medicaid", lives=2_000)
    found = swings(SAVINGS, taken.years, taken.luck, seed=1, draws=400)
    assert [s.width for s in found] == sorted((s.width for s in found), reverse=True)
    assert found[0].what == "one member's spread"
    assert swings(Contract.load(gallery("compared/fee")), taken.years, taken.luck, seed=1) == []


@pytest.mark.parametrize("which", ["without", "with"])
def test_years_that_are_under_the_benchmark_must_say_what_they_are(which, tmp_path):
    file = tmp_path / "years.csv"
    years = expected_years(SAVINGS, lives=1_000, effect=0.05)
    names = ["lives", "benchmark", "spend", "member_months.standard", "member_months.complex", "measures.quality score"]
    rows = [",".join(["year", *names]), *(",".join(map(str, [y.year, *(y.fact(n) for n in names)])) for y in years)]
    file.write_text("\n".join(rows), "utf-8")
    run = CliRunner().invoke(app, ["odds", "shared-savings", str(file), "--draws", "200"])
    assert isinstance(run.exception, Refusal)
    assert "5.0% under the benchmark" in str(run.exception)
    run = CliRunner().invoke(app, ["odds", "shared-savings", str(file), "--draws", "2000", "--years-are", which])
    assert run.exit_code == 0, run.exception
    known = years if which == "without" else without_effect(SAVINGS, years, 0.05)
    nothing = simulate(SAVINGS, known, rng=np.random.default_rng(1), draws=2_000, luck=take(SAVINGS, known).luck)
    assert f"pays ${nothing.results()[0].mean():,.0f}" in run.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--line", "medicad"], "did you mean 'medicaid'"),
        (["--complex"], "say whose dearest 5%"),
        (["--years-are", "with"], "a years file"),
    ],
)
def test_options_without_a_sense_are_refused(words, says):
    run = CliRunner().invoke(app, ["odds", "shared-savings", *words])
    assert isinstance(run.exception, Refusal)
    assert says in str(run.exception)
