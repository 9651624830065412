"""What an odds assumes is said, can be changed, and is where it says that it is from."""

import numpy as np
import pytest
from typer.testing import CliRunner

from carecontracts import Contract, gallery
from carecontracts.chance.assumed import TYPICAL, swings, take
from carecontracts.chance.benchmark_error import benchmark_error_of
from carecontracts.chance.plausible import expected_years, without_effect
from carecontracts.chance.simulate import Luck, draw_years, simulate
from carecontracts.cli import app
from carecontracts.measuring.benchmark import RegionalBlend
from carecontracts.refusal import Refusal
from carecontracts.synthetic.people import panel

SAVINGS = Contract.load(gallery("shared-savings"))
COMPLEX = Contract.load(gallery("complex-care-measured"))
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
    # members 0.1, and what moves everyone 0.016, in two years weighted 0.4 and 0.6
    assert take(MEASURED, lives=400, spread=2.0).luck.benchmark == pytest.approx(np.hypot(0.1, 0.016) * np.sqrt(0.52))
    assert take(MEASURED, lives=400, spread=2.0, benchmark_error=0.01).luck.benchmark == 0.01
    for words in (["--truncation", "100000"], ["--benchmark-from", "history"]):
        run = CliRunner().invoke(app, ["odds", "shared-savings", *words])
        assert isinstance(run.exception, Refusal)
        assert "--spread or --line" in str(run.exception)


def test_the_error_of_a_benchmark_by_drawing_its_years():
    """Two years of other people, weighed 0.4 and 0.6; of the same people, each year keeps 0.3 of the luck of all."""
    rng, s, kept, draws = np.random.default_rng(1), 0.1, 0.3, 400_000
    luck = Luck(cv=2.0, kept=kept, common=0)
    history = s * (0.4 * rng.standard_normal(draws) + 0.6 * rng.standard_normal(draws))
    assert benchmark_error_of(MEASURED, luck, 400).size == pytest.approx(history.std(), rel=0.01)
    lasting = rng.standard_normal(draws)
    one, two = (np.sqrt(kept) * lasting + np.sqrt(1 - kept) * rng.standard_normal(draws) for _ in range(2))
    history = s * (0.4 * one + 0.6 * two)
    same = MEASURED.amend(measurement={"benchmark": {"people": "the same people"}})
    error = benchmark_error_of(same, luck, 400)
    assert error.size == pytest.approx(history.std(), rel=0.01)
    assert error.with_members == pytest.approx(np.corrcoef(history, lasting)[0, 1], abs=0.005)
    assert "the same people" in error.how


def test_a_blend_by_credibility_strays_by_its_own_share():
    """Two years of 400 people are 800 member years, which count 0.4 of 5,000 and half at 800."""
    terms = {"kind": "regional_blend", "regional_per_member_per_month": 90, "weights": [0.4, 0.6], "trend": 0}
    whole = benchmark_error_of(MEASURED, Luck(cv=2.0, common=0), 400).size
    for weight, own in (({"full_credibility": 5_000}, 0.4), ({"half_credibility": 800}, 0.5), ({"own": 0.3}, 0.3)):
        blend = RegionalBlend(**terms, **weight)
        assert benchmark_error_of(MEASURED, Luck(cv=2.0, common=0), 400, rule=blend).size == pytest.approx(own * whole)


@pytest.mark.parametrize("line", ["medicaid", "medicare", "dual", "commercial"])
def test_a_factor_of_what_remains_adds_as_much_luck_as_the_people_have(line):
    """Lists of 400 of the dearest twentieth: what they cost, less what they cost when found times what remains.

    With an agreed factor it strays as their cost does; with one measured on 400 others, by sqrt(2) times that, and on
    1,600 by sqrt(1.25). A standard deviation of 2,000 draws is known to 1.6%.
    """
    rng = np.random.default_rng(5)
    cost = panel(line, 80_000, 2, rng=rng).pivot(index="person_id", columns="year", values="paid").dropna().to_numpy()
    dear = cost[cost[:, 0] >= np.quantile(cost[:, 0], 0.95)]

    def lists(people):
        return np.array([dear[rng.integers(len(dear), size=people)].mean(0) for _ in range(2_000)]).T

    found, now = lists(400)
    agreed = dear[:, 1].mean() / dear[:, 0].mean()
    s = now.std()
    assert (now - found * agreed).std() == pytest.approx(s, rel=0.08)
    for people in (400, 1_600):
        before, after = lists(people)
        luck = Luck(cv=s / now.mean() * 20, common=0)
        error = benchmark_error_of(COMPLEX, luck, 400, compared=people).size * now.mean()
        assert (now - found * after / before).std() == pytest.approx(np.hypot(s, error), rel=0.08)


@pytest.mark.parametrize(
    ("made", "given", "size", "lasts", "with_everyone"),
    [
        ("agreed", {}, 0, 1, 0),
        ("history", {}, np.hypot(0.1, 0.016) * np.sqrt(0.46), 1, 0),  # weighted 0.1, 0.3 and 0.6
        ("history", {"weights": [1]}, np.hypot(0.1, 0.016), 1, 0),
        ("blend", {"weights": [0.5, 0.5], "own_share": 0.2}, 0.2 * np.hypot(0.1, 0.016) * np.sqrt(0.5), 1, 0),
        ("comparison", {}, 0.1, 0.3, 1),
        ("comparison", {"compared": 1_600}, 0.05, 0.3, 1),
        ("comparison", {"common_shared": 0.5}, 0.1, 0.3, 0.5),
        ("factor", {}, np.hypot(0.1, 0.016 * np.sqrt(5)), 0.3, 0),
        ("factor", {"compared": 1_600}, np.hypot(0.05, 0.016 * np.sqrt(5)), 0.3, 0),
    ],
)
def test_how_a_benchmark_is_made_is_given_and_said(made, given, size, lasts, with_everyone):
    """400 people with a spread of 2 stray by 0.1."""
    taken = take(SAVINGS, lives=400, spread=2.0, benchmark_from=made, **given)
    luck = taken.luck
    assert luck.benchmark == pytest.approx(size)
    assert (luck.benchmark_lasts, luck.benchmark_with_everyone) == (lasts, with_everyone)
    rows = {row.what: row for row in taken.rows()}
    assert rows["how the benchmark is made"].rests_on.startswith("given")
    assert rows["how far it strays by luck"].value.startswith(f"{size:.1%}")
    if "compared" in given:
        assert rows["people to compare with, or to measure on"][1:3] == ("1,600", "given")
    if "own_share" in given:
        assert "50% and 50%; it counts for 20%" in rows["how the benchmark is made"].value


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--weights", "0.5,0.6", "--benchmark-from", "history"], "add up to 1"),
        (["--weights", "0.5,0.5"], "say how the benchmark is made"),
        (["--weights", "half", "--benchmark-from", "history"], "0.1,0.3,0.6"),
        (["--own-share", "0.5", "--benchmark-from", "history"], "--benchmark-from blend"),
        (["--compared", "900", "--benchmark-from", "history"], "--benchmark-from comparison"),
        (["--compared", "0", "--benchmark-from", "factor"], "people, 1 to"),
        (["--benchmark-from", "histories"], "did you mean 'history'"),
    ],
)
def test_a_benchmark_that_cannot_be_is_refused(words, says):
    run = CliRunner().invoke(app, ["odds", "shared-savings", "--spread", "2", *words])
    assert isinstance(run.exception, Refusal)
    assert says in str(run.exception)


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


def test_engagement_measures_and_counts_are_given_and_said():
    """Of 500 people, 6,000 months a year: half of them engaged; admissions with three times the variance."""
    contract = Contract.load(gallery("fee-at-risk"))
    known = {"admissions per 1,000": 280.0}
    taken = take(contract, lives=500, engaged=0.5, measures=known, clumps=3, with_cost=0.2)
    assert [sum(year.engaged_months.values()) for year in taken.years] == pytest.approx([3_000] * 3)
    assert taken.years[2].measures == known | {"admissions per 1,000, comparison group": 300}
    rows = {row.what: row for row in taken.rows()}
    assert rows["months engaged or documented"][1:] == ("50% of all", "given", "--engaged")
    assert rows["measure “admissions per 1,000”"][1:3] == ("280, of 100% of people", "given")
    assert rows["measure “admissions per 1,000, comparison group”"].rests_on == "assumption"
    assert rows["how clumped counts are: variance over mean"][1:3] == ("3", "given")
    assert rows["how far counts go with cost"][1:3] == ("0.2", "given")
    drawn = draw_years(contract, taken.years, rng=np.random.default_rng(1), draws=20_000, luck=taken.luck)
    counts = drawn[0].measures["admissions per 1,000"] / 2
    assert counts.var() / counts.mean() == pytest.approx(3, rel=0.05)
    assert 0.1 < np.corrcoef(counts, drawn[0].spend)[0, 1] < 0.25  # of a correlation of 0.2, what a skewed total leaves
    usual = {row.what: row for row in take(contract).rows()}
    assert usual["months engaged or documented"][1:3] == ("70% of all", "assumption")
    assert usual["how clumped counts are: variance over mean"][1:3] == ("2", "assumption")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--measure", "quality scor=0.8"], "did you mean 'quality score'"),
        (["--measure", "quality score=good"], "NAME=RESULT"),
        (["--measure", "quality score=0.8", "--measure", "quality  score=0.7"], "each measure once"),
        (["--measure", "quality score=8"], "for 8% write 0.08"),
        (["--engaged", "0.5"], "pays by engaged or documented months"),
        (["--engaged", "1.5"], "a share from 0 to 1"),
        (["--clumps", "0.5"], "1 or more"),
        (["--with-cost", "2"], "a correlation from 0 to 1"),
    ],
)
def test_what_cannot_be_of_them_is_refused(words, says):
    run = CliRunner().invoke(app, ["odds", "shared-savings", *words])
    assert isinstance(run.exception, Refusal)
    assert says in str(run.exception)


def test_what_a_years_file_says_is_not_given_again():
    years = expected_years(SAVINGS)
    with pytest.raises(Refusal, match="the years say it"):
        take(SAVINGS, years, measures={"quality score": 0.8})
    with pytest.raises(Refusal, match="the years say it"):
        take(SAVINGS, years, engaged=0.8)
