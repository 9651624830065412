"""The evidence library is whole and honest, and what is built on it is right."""

import json
import math
import re
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
import yaml
from statsmodels.stats.meta_analysis import combine_effects

from carecontracts.evidence import library as evidence
from carecontracts.evidence.library import Effect, Size, load
from carecontracts.evidence.prior import DESIGNS, Belief, Reader, pool, pool_weighed, scenarios, weigh, winners_curse
from carecontracts.refusal import Refusal

ROOT = Path(__file__).parents[2]
LIBRARY = load()
rows = pytest.mark.parametrize("row", LIBRARY, ids=[row.key for row in LIBRARY])


def bibliography() -> dict[str, str]:
    """Each entry of references.bib by its key."""
    text = (ROOT / "book" / "references.bib").read_text("utf-8")
    return {entry.split("{", 1)[1].split(",", 1)[0]: entry for entry in re.split(r"(?m)^(?=@)", text) if "{" in entry}


BIBLIOGRAPHY = bibliography()


# --- the library --------------------------------------------------------------------------------------------------


def test_the_library_is_large_and_half_of_what_is_known_of_cost_is_nothing():
    assert len(LIBRARY) >= 30
    poolable = LIBRARY.poolable()
    nothing = [row for row in poolable if row.finding == "no difference"]
    assert len(nothing) >= len(poolable) / 2
    assert len(LIBRARY.where(design="randomized")) >= 12


@rows
def test_every_row_rests_on_the_bibliography(row):
    assert [key for key in row.sources() if key not in BIBLIOGRAPHY] == []


@rows
def test_a_rows_address_is_that_of_its_source(row):
    entry = BIBLIOGRAPHY[row.source]
    assert row.url in entry or row.url.removeprefix("https://doi.org/") in entry


@rows
def test_what_was_not_seen_is_said(row):
    told = [row.cost.tag, row.payment.tag] + [effect.tag for effect in row.effects]
    assert row.not_seen
    assert "[NV]" not in row.model_dump_json()
    for effect in row.effects:
        if effect.tag == "not seen":
            assert effect.finding == "not seen"
            assert effect.estimate is None
    assert set(told) <= {"seen", "reported", "derived", "not seen"}


def test_caremore_as_published():
    """AJMC February 2020: -$7,732 (-14,914 to -550), 71 and 127 people. The rest is arithmetic on that."""
    row = LIBRARY["caremore-memphis"]
    assert (row.pooled.estimate, row.pooled.low, row.pooled.high) == (-7732, -14914, -550)
    assert row.pooled.interval_se == pytest.approx(3_664, abs=1)
    assert row.pooled.usual == pytest.approx(7_732 / 0.37, abs=1)
    sd = row.pooled.interval_se / math.sqrt(1 / 71 + 1 / 127)
    assert sd == pytest.approx(24_728, abs=30)
    assert evidence.spread() == pytest.approx(sd / 20_897)
    assert pytest.approx(evidence.spread(), abs=0.005) == evidence.SPREAD


def test_camden_as_published():
    """NEJM 2020: 0.82 points (-5.97 to 7.61), so a standard error of 3.46 points."""
    effect = LIBRARY["camden"].effects[0]
    assert effect.interval_se == pytest.approx(3.46, abs=0.01)
    assert LIBRARY["camden"].pooled is None


def test_other_figures_as_published():
    carefirst = LIBRARY["carefirst-claims"].pooled
    mean = 109 / 0.028  # dollars: $109 is 2.8%
    assert (carefirst.low, carefirst.high) == (
        pytest.approx(-192 / mean * 100, abs=0.01),
        pytest.approx(-27 / mean * 100, abs=0.01),
    )
    impact = LIBRARY["impact-trial"].pooled
    assert impact.estimate == 2_450_882 - 3_852_190
    assert -impact.estimate / 567_950.82 == pytest.approx(2.47, abs=0.005)
    cpc = LIBRARY["cpc"]
    assert cpc.effects[1].estimate - cpc.effects[0].estimate == cpc.cost.per_member_month
    assert cpc.pooled.usual == pytest.approx(105 / 0.15 + 105)
    grace = LIBRARY["grace"].effects
    assert [e.estimate for e in grace] == [17_713 - 18_776, 14_348 - 11_834, 13_307 - 9_654, 5_088 - 6_575]


def test_a_standard_error_is_never_less_than_people_can_vary():
    for row in LIBRARY.poolable():
        root = row.size.root()
        if root is not None:
            assert row.relative().se >= evidence.SPREAD * root * (1 - 1e-9)
    grace = LIBRARY["grace"].pooled  # its p-value of .38 alone would give 6.4% on 226 people
    by_p = 1_063 / NormalDist().inv_cdf(1 - 0.38 / 2) / 18_776
    assert by_p == pytest.approx(0.0645, abs=0.0005)
    assert grace.relative(LIBRARY["grace"].size).se > 2 * by_p


def test_what_a_source_left_out_is_filled_by_one_rule_in_both_directions():
    size = Size(words="100 and 100", treated=100, comparison=100, split="seen")
    shared = {"outcome": "total_cost", "words": "cost", "finding": "no difference", "tag": "seen"}
    null = Effect(unit="percent", **shared).relative(size, spread=1.0)
    assert null[:2] == (0.0, pytest.approx(math.sqrt(2) / 10))
    dollars = Effect(unit="dollars", estimate=-500, p=0.04550026, **shared).relative(size, spread=1.0)  # z = 2
    assert dollars.reduction == pytest.approx(2 * math.sqrt(2) / 10)
    worse = Effect(unit="dollars", estimate=500, p=0.04550026, **shared).relative(size, spread=1.0)
    assert worse.reduction == pytest.approx(-dollars.reduction)
    assert Effect(unit="dollars", estimate=-500, **shared).relative(size, spread=1.0) is None


def test_filters():
    chosen = LIBRARY.where(line={"medicaid", "dual"}, design="randomized")
    assert {row.line for row in chosen} <= {"medicaid", "dual"}
    assert chosen["caremore-memphis"] in chosen
    assert len(LIBRARY.where(lambda row: row.months and row.months >= 24, high_need=True)) > 3
    with pytest.raises(Refusal, match="did you mean 'caremore-memphis'"):
        LIBRARY["caremore-memfis"]
    with pytest.raises(Refusal, match="`lines`"):
        LIBRARY.where(lines="medicaid")


def test_a_library_of_ones_own_is_refused_with_every_fault(tmp_path):
    good = yaml.safe_load((ROOT / "src/carecontracts/evidence/library.yaml").read_text("utf-8"))
    row = next(r for r in good if r["key"] == "caremore-memphis")
    wrong = {
        "no source": {k: v for k, v in row.items() if k != "source"},
        "design": row | {"design": "randomised"},
        "twice": row,
        "interval": row | {"key": "other", "effects": [row["effects"][0] | {"low": 1}]},
        "silent": row | {"key": "silent", "effects": [row["effects"][1]]},
        "who says": row | {"key": "whose", "cost": {"words": "dear", "tag": "reported"}},
        "better": row | {"key": "better", "effects": [row["effects"][0] | {"high": 900}]},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(list(wrong.values()), indent=1), encoding="utf-8")  # JSON is YAML without anchors
    with pytest.raises(Refusal) as refused:
        evidence.read(path)
    told = "\n".join(map(str, refused.value.faults))
    for words in (
        "`source:` is needed",
        "'randomized'",
        "each key once",
        "an estimate inside its interval",
        "the reason in not_pooled",
        "name who reports it",
        "no difference",
    ):
        assert words in told
    path.write_text(json.dumps(good, indent=1), encoding="utf-8")
    assert evidence.read(path) == LIBRARY


# --- pooling ------------------------------------------------------------------------------------------------------


def test_pooling_worked_by_hand():
    # y = 0.10, 0.30, 0.50; s = 0.1, 0.1, 0.2, so v = 0.01, 0.01, 0.04 and a = 1/v = 100, 100, 25; their sum 225
    # mean by a: (10 + 30 + 12.5) / 225 = 0.233333
    # Q = 100 x 0.133333^2 + 100 x 0.066667^2 + 25 x 0.266667^2 = 1.777778 + 0.444444 + 1.777778 = 4.000000
    # sum a^2 / sum a = (10,000 + 10,000 + 625) / 225 = 91.666667; spare = 225 - 91.666667 = 133.333333
    # tau^2 = (4 - 2) / 133.333333 = 0.015, so v + tau^2 = 0.025, 0.025, 0.055; shares 40, 40, 18.181818; sum 98.181818
    # mean = (4 + 12 + 9.090909) / 98.181818 = 0.255556; variance = 1 / 98.181818 = 0.010185
    pooled = pool([0.10, 0.30, 0.50], [0.1, 0.1, 0.2])
    assert pooled.q == pytest.approx(4.0)
    assert pooled.tau**2 == pytest.approx(0.015)
    assert pooled.mean == pytest.approx(25.090909 / 98.181818)
    assert pooled.se**2 == pytest.approx(1 / 98.181818)
    assert pooled.i_squared == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(5))
def test_pooling_is_that_of_statsmodels(seed):
    rng = np.random.default_rng(seed)
    effects, ses = rng.normal(0.05, 0.3, 9), rng.uniform(0.01, 0.2, 9)
    ours = pool(list(effects), list(ses))
    theirs = combine_effects(effects, ses**2, method_re="chi2")
    assert ours.tau**2 == pytest.approx(theirs.tau2)
    assert ours.mean == pytest.approx(theirs.mean_effect_re)
    assert ours.se == pytest.approx(theirs.sd_eff_w_re)
    assert ours.q == pytest.approx(theirs.q)


@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt")  # statsmodels, of a variance below zero
def test_studies_that_differ_less_than_chance_are_pooled_as_one():
    """Where the moment estimate is below zero, statsmodels keeps it and we, as DerSimonian and Laird, take zero."""
    effects, ses = np.array([0.10, 0.11, 0.12]), np.array([0.1, 0.2, 0.1])
    ours, theirs = pool(list(effects), list(ses)), combine_effects(effects, ses**2, method_re="chi2")
    assert theirs.tau2 < 0
    assert ours.tau == 0
    assert ours.mean == pytest.approx(theirs.mean_effect_fe)
    assert ours.se == pytest.approx(theirs.sd_eff_w_fe)


def test_a_weight_discounts_and_zero_removes():
    effects, ses = [0.0, 0.2, 0.4], [0.05, 0.05, 0.05]
    assert pool(effects, ses, [1, 1, 0]) == pool(effects[:2], ses[:2])
    means = [pool(effects, ses, [1, 1, w]).mean for w in (1, 0.5, 0.1, 0.01)]
    assert means == sorted(means, reverse=True)
    assert pool(effects, ses, [0.5] * 3).mean == pytest.approx(pool(effects, ses).mean)
    assert pool([0.1] * 3, ses, [0.25] * 3).se == pytest.approx(2 * pool([0.1] * 3, ses).se)


def test_one_study_is_itself_and_equal_studies_do_not_differ():
    assert pool([0.37], [0.175])[:3] == (pytest.approx(0.37), pytest.approx(0.175), 0.0)
    assert pool([0.1, 0.1], [0.05, 0.2]).tau == 0


def test_pooling_refuses():
    with pytest.raises(Refusal, match="one of each"):
        pool([0.1], [0.1, 0.2])
    with pytest.raises(Refusal) as refused:
        pool([math.nan, 0.1], [0.1, 0.0], [0, 2])
    assert len(refused.value.faults) == 3
    with pytest.raises(Refusal, match="at least one weight"):
        pool([0.1], [0.1], [0])


# --- expectations -------------------------------------------------------------------------------------------------


def test_no_row_is_dropped_and_each_that_counts_for_nothing_says_why():
    weighed = weigh(LIBRARY, Reader(line="medicaid"))
    assert [w.row for w in weighed] == list(LIBRARY)
    assert all((w.weight == 0) == bool(w.why_not) for w in weighed)
    assert all(w.weight == (0 if w.why_not else w.design * w.similarity * w.horizon) for w in weighed)
    assert sum(w.weight > 0 for w in weighed) == len(LIBRARY.poolable())


def test_weights_by_hand():
    # CareMore ran 12 months, in Medicaid, among people of high need, randomized
    def weight(key, **reader):
        return next(w.weight for w in weigh(LIBRARY, Reader(**({"line": "medicaid"} | reader))) if w.row.key == key)

    assert weight("caremore-memphis") == 12 / 24
    assert weight("caremore-memphis", months=12) == 1
    assert weight("caremore-memphis", months=120) == 0.25  # no less than other_horizon
    assert weight("caremore-memphis", line="medicare") == 0.5 * 12 / 24
    assert weight("caremore-memphis", high_need=False) == 0.25 * 12 / 24
    assert weight("caremore-memphis", line="medicare", other_line=0.2, high_need=False) == pytest.approx(0.025)
    assert weight("cpc") == pytest.approx(0.3 * 0.5 * 0.25 * 1)  # difference in differences, Medicare, everyone, 24
    assert weight("medicare-health-support", line="medicare") == 0.5 * 0.25  # by telephone; how long was not seen
    assert weight("medicare-health-support", line="medicare", telephone=True) == 0.25
    assert weight("caremore-memphis", telephone=True, other_contact=0.1) == pytest.approx(0.1 * 12 / 24)
    assert weight("grace") == 1  # a mixed line is like any


def test_no_expectation_stands_alone():
    three = scenarios(LIBRARY, Reader(line="medicaid"))
    assert list(three.beliefs()) == ["what the studies say", "sceptical", "null"]
    assert three.pooled.mean > three.sceptical.mean == three.null.mean == 0
    assert three.sceptical.sd == three.pooled.sd > three.null.sd == 0
    for required in (0.02, 0.104, 0.3):
        chances = [belief.chance_of(required) for belief in three.beliefs().values()]
        assert chances == sorted(chances, reverse=True)
        assert chances[-1] == 0


def test_leaving_out_nulls_without_intervals_is_what_makes_programs_look_good():
    kept, left_out = (scenarios(LIBRARY, Reader(line="medicaid", nulls=n)) for n in ("at zero", "left out"))
    assert left_out.pooled.mean > 2 * kept.pooled.mean
    assert left_out.pooled.chance_of(0.104) > 2 * kept.pooled.chance_of(0.104)


def test_a_prediction_is_for_one_more_program():
    basis = pool_weighed(weigh(LIBRARY, Reader(line="medicaid")))
    three = scenarios(LIBRARY, Reader(line="medicaid"))
    assert three.pooled == (basis.mean, pytest.approx(math.hypot(basis.se, basis.tau)))


def test_a_reader_is_refused_with_every_fault():
    with pytest.raises(Refusal) as refused:
        Reader(line="medicade", other_line=2, months=0, designs={"randomised": 1.0})  # type: ignore[arg-type]
    assert len(refused.value.faults) == 4
    with pytest.raises(Refusal, match="no study counts"):
        scenarios(LIBRARY, Reader(line="medicaid", designs=dict.fromkeys(DESIGNS, 0.0)))


@pytest.mark.parametrize(("estimate", "se"), [(0.37, 0.175), (-0.1, 0.02), (0.0, 0.5)])
def test_shrinkage(estimate, se):
    prior = Belief(0.03, 0.05)
    after = prior.after(estimate, se)
    own = 0.05**2 / (0.05**2 + se**2)
    assert after.mean == pytest.approx((1 - own) * 0.03 + own * estimate)
    assert 1 / after.sd**2 == pytest.approx(1 / 0.05**2 + 1 / se**2)
    assert min(0.03, estimate) <= after.mean <= max(0.03, estimate)
    assert after.sd < min(0.05, se)


def test_trials_in_any_order_and_at_once_say_the_same():
    prior = Belief(0.03, 0.05)
    one, other = (0.2, 0.1), (-0.05, 0.08)
    assert prior.after(*one).after(*other) == pytest.approx(prior.after(*other).after(*one))
    assert Belief(0.0, 1e6).after(*one) == pytest.approx(one, rel=1e-6)
    assert Belief(0.0, 0.0).after(0.4, 0.01) == (0.0, 0.0)
    with pytest.raises(Refusal):
        prior.after(0.1, 0)


@pytest.mark.parametrize(("level", "half"), [(0.95, 1.959964), (0.90, 1.644854), (0.50, 0.674490)])
def test_the_interval_of_a_belief_has_as_much_on_either_side(level, half):
    low, high = Belief(0.10, 0.05).interval(level)
    assert (low, high) == pytest.approx((0.10 - half * 0.05, 0.10 + half * 0.05), abs=1e-6)
    assert Belief(0.10, 0.05).chance_of(low) - Belief(0.10, 0.05).chance_of(high) == pytest.approx(level)


def test_the_winners_curse_of_caremore():
    """A trial with a standard error of $3,664 finds an effect of $10,260 80% of the time: more than its own estimate.

    $10,260 is 3,664 x (1.96 + 0.84); unrounded, the two z make it $10,266.
    """
    se = LIBRARY["caremore-memphis"].pooled.interval_se
    assert (1.96 + 0.84) * se == pytest.approx(10_260, abs=1)
    curse = winners_curse(true=7_732, se=se)
    assert curse.detectable == pytest.approx(10_266, abs=1)
    assert curse.detectable > 7_732
    assert curse.power == pytest.approx(1 - NormalDist().cdf(1.959964 - 7_732 / se), abs=1e-4)
    assert winners_curse(true=0.05 * 20_897, se=se).exaggeration > 5


def test_the_winners_curse_against_draws():
    """A million draws put the mean of significant estimates within five of its standard errors."""
    rng = np.random.default_rng(1)
    draws = rng.normal(1.0, 1.0, 1_000_000)
    significant = np.abs(draws)[np.abs(draws) > 1.959964]
    curse = winners_curse(true=1.0, se=1.0)
    assert abs(significant.size / draws.size - curse.power) < 5 * math.sqrt(curse.power / draws.size)
    assert abs(significant.mean() - curse.exaggeration) < 5 * significant.std() / math.sqrt(significant.size)
    wrong = np.mean(draws[np.abs(draws) > 1.959964] < 0)
    assert abs(wrong - curse.wrong_sign) < 5 * math.sqrt(curse.wrong_sign / significant.size)


def test_an_effect_easily_seen_is_not_exaggerated():
    curse = winners_curse(true=10.0, se=1.0)
    assert curse == (pytest.approx(1), pytest.approx(1), pytest.approx(0), pytest.approx(2.8016, abs=1e-4))
