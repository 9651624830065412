"""The evidence library is whole and honest, and what is built on it is right."""

import json
import math
import re
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
import yaml
from pydantic import ValidationError
from scipy.special import ndtr
from statsmodels.stats.meta_analysis import combine_effects

from carecontracts.evidence import library as evidence
from carecontracts.evidence import prior
from carecontracts.evidence.as_html import said
from carecontracts.evidence.library import Effect, Library, Size, load
from carecontracts.evidence.prior import (
    DESIGNS,
    Belief,
    Reader,
    Study,
    hangs_on,
    pool,
    scenarios,
    weigh,
    winners_curse,
)
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
    assert (row.pooled().estimate, row.pooled().low, row.pooled().high) == (-7732, -14914, -550)
    assert row.pooled().interval_se == pytest.approx(3_664, abs=1)
    assert row.pooled().usual == pytest.approx(7_732 / 0.37, abs=1)
    sd = row.pooled().interval_se / math.sqrt(1 / 71 + 1 / 127)
    assert sd == pytest.approx(24_728, abs=30)
    assert evidence.spread() == pytest.approx(sd / 20_897)
    assert pytest.approx(evidence.spread(), abs=0.005) == evidence.SPREAD


def test_camden_as_published():
    """NEJM 2020: 0.82 points (-5.97 to 7.61), so a standard error of 3.46 points."""
    effect = LIBRARY["camden"].effects[0]
    assert effect.interval_se == pytest.approx(3.46, abs=0.01)
    assert LIBRARY["camden"].pooled() is None


def test_other_figures_as_published():
    carefirst = LIBRARY["carefirst-claims"].pooled()
    mean = 109 / 0.028  # dollars: $109 is 2.8%
    assert (carefirst.low, carefirst.high) == (
        pytest.approx(-192 / mean * 100, abs=0.01),
        pytest.approx(-27 / mean * 100, abs=0.01),
    )
    impact = LIBRARY["impact-trial"].pooled()
    assert impact.estimate == 2_450_882 - 3_852_190
    assert -impact.estimate / 567_950.82 == pytest.approx(2.47, abs=0.005)
    cpc = LIBRARY["cpc"]
    assert cpc.effects[1].estimate - cpc.effects[0].estimate == cpc.cost.per_member_month
    assert cpc.pooled().usual == pytest.approx(105 / 0.15 + 105)
    grace = LIBRARY["grace"].effects
    assert [e.estimate for e in grace] == [17_713 - 18_776, 14_348 - 11_834, 13_307 - 9_654, 5_088 - 6_575]


def z(p: float) -> float:
    return NormalDist().inv_cdf(1 - p / 2)


def test_figures_worked_out_are_worked_out_right():
    """Sums of printed parts, and standard errors borrowed, each as its row's note says."""
    first, inpatient, outpatient = LIBRARY["va-pim-first-year"].effects
    assert first.estimate == inpatient.estimate + outpatient.estimate == 472
    assert first.se == pytest.approx(math.hypot(inpatient.interval_se, outpatient.interval_se), abs=1)
    second, outpatient, inpatient = LIBRARY["va-pim-second-year"].effects
    assert second.estimate == 928 + 245
    assert second.se == pytest.approx(math.hypot(928 / z(0.053), 245 / z(0.97)), abs=1)
    cost, stays = LIBRARY["next-generation-acos"].effects  # AJMC July 2020: stays -21% (P = .03), cost -22%
    assert cost.se == pytest.approx(21 / z(0.03), abs=0.05) == pytest.approx(stays.interval_se, abs=0.05)
    assert LIBRARY["iowa-health-homes"].effects[1].usual == pytest.approx(132.10 / 0.15, abs=1)
    coordination = LIBRARY["commercial-coordination"].size
    assert (coordination.treated, coordination.comparison) == (round(0.6 * 93_379), round(0.4 * 93_379))
    assert round(172.61 * 0.98, 2) == 169.16  # Washington: after 2% withheld, by WSR 13-08-022
    assert round(67.50 * 0.98, 2) == 66.15
    assert "$169.16 and $66.15" in LIBRARY["washington-health-homes"].cost.words


def test_what_the_row_says_is_what_its_text_says():
    """Figures that were once told wrongly, by the texts that correct them."""
    aco = LIBRARY["next-generation-acos"].pooled()
    assert (aco.months, aco.finding) == (6, "better")  # "6 months post program"; it was 24, and untested
    back = next(e for e in LIBRARY["impact-trial"].effects if e.outcome == "return")
    assert (back.low, back.estimate, back.high, back.interval) == (1.84, 2.47, 3.09, "sensitivity")
    assert (back.interval_se, back.finding) == (None, "not tested")
    assert (LIBRARY["impact-trial"].size.treated, LIBRARY["impact-trial"].size.comparison) == (150, 152)
    stays = [e for e in LIBRARY["mccd"].effects if e.outcome == "admissions"]
    assert [(e.low, e.estimate, e.high, e.interval) for e in stays] == [
        (-0.283, -0.168, -0.054, "90%"),
        (0.025, 0.118, 0.210, "90%"),
    ]
    for e in stays:  # a 90% interval and the p-value beside it agree, as a 95% interval would not
        assert abs(e.estimate) / e.interval_se == pytest.approx(z(e.p), abs=0.1)
    assert LIBRARY["impact-pooled"].months == round(9_398 / 1_340)
    federal = LIBRARY["cbo-2012"]
    assert (federal.finding, federal.pooled()) == ("no difference", None)


def test_a_row_says_whether_it_is_gross_or_net():
    for row in LIBRARY.poolable():
        for effect in row.effects:
            if effect.pool:
                assert effect.note.startswith("gross" if effect.outcome == "total_cost" else "net"), row.key


def test_a_standard_error_worked_out_says_how():
    told = {"outcome": "total_cost", "words": "cost", "unit": "percent", "finding": "better", "tag": "derived"}
    size = Size(words="100 and 100", treated=100, comparison=100, split="seen")
    worked = Effect(estimate=-30, se=20, note="from its stays", **told)
    assert worked.relative(size, spread=1.0) == (0.30, 0.20, "worked out", False)
    assert worked.relative(size, spread=2.0).se == pytest.approx(2 * math.sqrt(2 / 100))  # never below the floor
    for wrong in ({"estimate": -30}, {"estimate": -30, "note": "so", "p": 0.04}, {"note": "so"}):
        with pytest.raises(ValidationError, match="a note on how it was worked out"):
            Effect(se=20, **wrong, **told)


def test_a_standard_error_is_never_less_than_people_can_vary():
    for row in LIBRARY.poolable():
        root = row.size.root()
        if root is not None:
            assert row.relative().se >= evidence.SPREAD * root * (1 - 1e-9)
    grace = LIBRARY["grace"].pooled()  # its p-value of .38 alone would give 6.4% on 226 people
    by_p = 1_063 / NormalDist().inv_cdf(1 - 0.38 / 2) / 18_776
    assert by_p == pytest.approx(0.0645, abs=0.0005)
    assert grace.relative(LIBRARY["grace"].size).se > 2 * by_p


def test_what_a_source_left_out_is_filled_by_one_rule_in_both_directions():
    size = Size(words="100 and 100", treated=100, comparison=100, split="seen")
    shared = {"outcome": "total_cost", "words": "cost", "finding": "no difference", "tag": "seen"}
    null = Effect(unit="percent", **shared).relative(size, spread=1.0)
    assert null[:2] == (0.0, pytest.approx(math.sqrt(2) / 10))
    assert null.within_chance
    dollars = Effect(unit="dollars", estimate=-500, p=0.04550026, **shared).relative(size, spread=1.0)  # z = 2
    assert dollars.reduction == pytest.approx(2 * math.sqrt(2) / 10)
    assert not dollars.within_chance
    worse = Effect(unit="dollars", estimate=500, p=0.04550026, **shared).relative(size, spread=1.0)
    assert worse.reduction == pytest.approx(-dollars.reduction)
    assert Effect(unit="dollars", estimate=-500, **shared).relative(size, spread=1.0) is None


@pytest.mark.parametrize(("unit", "times"), [("dollars per person-year", 1), ("dollars per person-month", 12)])
def test_nobody_is_taken_to_cost_more_than_people_are_known_to(unit, times):
    """10,000 in each group: the floor is 1.41%, and an error of $2,500 over it would be $176,777 of usual cost."""
    size = Size(words="as many", treated=10_000, comparison=10_000, split="seen")
    effect = Effect(
        outcome="total_cost",
        words="cost",
        estimate=-5_000 / times,
        p=0.04550026,
        unit=unit,
        finding="better",
        tag="seen",
    )
    found = effect.relative(size, spread=1.0)
    assert found[:2] == (pytest.approx(5_000 / 88_000), pytest.approx(2_500 / 88_000))
    assert "$88,000" in found.basis


def test_an_interval_counts_as_what_it_is():
    """The ends of a 90% interval are 1.645 standard errors apart from the middle; those of a range say nothing."""
    told = {"outcome": "total_cost", "words": "cost", "estimate": -4.0, "low": -8.0, "high": 0.0, "unit": "percent"}
    told |= {"finding": "not tested", "tag": "seen"}
    half = {kind: Effect(**told, interval=kind).interval_se for kind in ("95%", "90%", "range", "sensitivity")}
    assert half == {
        "95%": pytest.approx(4 / 1.959964),
        "90%": pytest.approx(4 / 1.644854),
        "range": None,
        "sensitivity": None,
    }
    with pytest.raises(ValidationError, match="without its ends"):
        Effect(**{k: v for k, v in told.items() if k not in ("low", "high")}, interval="90%")
    shown = said(Effect(**told, interval="sensitivity"))
    assert "−8 to 0, a sensitivity analysis, not an interval" in shown
    assert "interval" not in said(Effect(**told))


def test_gross_and_net_are_never_pooled_together():
    gross, net = (weigh(LIBRARY, Reader(line="medicaid", cost=cost)) for cost in ("gross", "net"))
    counted = [{w.row.key for w in weighed if w.weight} for weighed in (gross, net)]
    assert all(counted)
    assert counted[0] | counted[1] == {row.key for row in LIBRARY.poolable()}
    for weighed, outcome in ((gross, "total_cost"), (net, "net_cost")):
        for w in weighed:
            if w.weight:
                assert any(effect.pool and effect.outcome == outcome for effect in w.row.effects)
            elif w.row.pooled() and not w.relative:
                assert "another question" in w.why_not
    for key in ("hqp-second", "mccd", "grace", "va-pim-second-year", "va-impact-palo-alto", "mass-general"):
        assert key in counted[1] - counted[0]  # each says that the program's own cost is in it


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


def test_pooling_one_study_is_arithmetic():
    """With hardly any spread between programs, 0.10 +- 0.10 and a prior of 0 +- 0.25: 100 of 116 parts of 0.10."""
    pooled = pool([Study(0.10, 0.10)], between=1e-6)
    assert pooled.mean == pytest.approx(0.10 * 100 / 116, rel=1e-6)
    assert pooled.se == pytest.approx(116**-0.5, rel=1e-4)
    assert pooled.one_more.sd == pytest.approx(pooled.se, rel=1e-4)


def drawn(studies, mean_sd=0.25, between=0.05, draws=400_000, seed=7):
    """The same answer by another road: averages and spreads drawn as thought before, weighed by their likelihood."""
    rng = np.random.default_rng(seed)
    mean, tau = rng.normal(0, mean_sd / 2, draws), np.abs(rng.normal(0, between, draws))
    log = -((mean / mean_sd) ** 2) / 2 + (mean / (mean_sd / 2)) ** 2 / 2
    for study in studies:
        sd = np.sqrt(study.se**2 / study.weight + tau**2)
        if study.within_chance:
            end = 1.959964 * study.se
            log += np.log(np.maximum(ndtr((end - mean) / sd) - ndtr((-end - mean) / sd), 1e-300))
        else:
            log += -np.log(sd) - ((study.effect - mean) / sd) ** 2 / 2
    share = np.exp(log - log.max())
    share /= share.sum()
    one_more = rng.normal(mean, tau)
    middle = share @ mean
    return (
        middle,
        math.sqrt(share @ (mean - middle) ** 2),
        share @ tau,
        share @ (one_more >= 0.104),
        1 / (share @ share),
    )


@pytest.mark.parametrize("cost", ["gross", "net"])
def test_the_prior_by_drawing(cost):
    reader = Reader(line="medicaid", cost=cost)
    weighed = [w for w in weigh(LIBRARY, reader) if w.weight]
    studies = [Study(w.relative.reduction, w.relative.se, w.weight, w.relative.within_chance) for w in weighed]
    mean, se, tau, chance, enough = drawn(studies)
    basis = scenarios(LIBRARY, reader).basis
    assert enough > 5_000
    assert basis.mean == pytest.approx(mean, abs=4 * se / math.sqrt(enough))
    assert basis.se == pytest.approx(se, rel=0.05)
    assert basis.tau == pytest.approx(tau, rel=0.05)
    assert basis.one_more.chance_of(0.104) == pytest.approx(chance, abs=4 * math.sqrt(chance / enough))


@pytest.mark.parametrize("seed", range(3))
def test_with_many_studies_the_prior_is_that_of_statsmodels(seed):
    """Forty studies leave little to what was thought before: the estimators of one truth agree."""
    rng = np.random.default_rng(seed)
    ses = rng.uniform(0.02, 0.08, 40)
    effects = rng.normal(0.05, np.hypot(ses, 0.06))
    ours = pool([*map(Study, effects, ses)], between=0.2)
    theirs = combine_effects(effects, ses**2, method_re="iterated", use_t=True)
    assert ours.mean == pytest.approx(theirs.mean_effect_re, abs=0.3 * theirs.sd_eff_w_re_hksj)
    assert ours.se == pytest.approx(theirs.sd_eff_w_re_hksj, rel=0.25)
    assert ours.tau == pytest.approx(math.sqrt(theirs.tau2), rel=0.25)


def test_the_grid_is_fine_enough(monkeypatch):
    weighed = [w for w in weigh(LIBRARY, Reader(line="medicaid")) if w.weight]
    studies = [Study(w.relative.reduction, w.relative.se, w.weight, w.relative.within_chance) for w in weighed]
    coarse = pool(studies)
    monkeypatch.setattr(prior, "TAUS", 120)
    monkeypatch.setattr(prior, "MEANS", 50)
    fine = pool(studies)
    assert coarse[:3] == pytest.approx(fine[:3], rel=2e-3)
    assert coarse.one_more.chance_of(0.104) == pytest.approx(fine.one_more.chance_of(0.104), rel=5e-3)


def test_a_weight_is_a_variance_everywhere_and_zero_removes():
    effects = [Study(0.0, 0.05), Study(0.2, 0.05)]
    assert pool([*effects, Study(0.4, 0.05, 0.0)]) == pool(effects)
    halved, doubled = pool([Study(0.2, 0.05, 0.5)]), pool([Study(0.2, 0.05 * math.sqrt(2))])
    assert halved[:3] == pytest.approx(doubled[:3])
    means = [pool([*effects, Study(0.4, 0.05, w)]).mean for w in (1, 0.5, 0.1, 0.01)]
    assert means == sorted(means, reverse=True)


def test_no_difference_is_more_than_nothing_and_less_than_zero():
    """What is only known to be within chance may lie on either side: as a study at zero it would say more."""
    near = Study(0.20, 0.05)
    zero, within, out = (pool(s).mean for s in ([near, Study(0, 0.1)], [near, Study(0, 0.1, 1, True)], [near]))
    assert zero < within < out
    large = [pool([near, Study(0, 0.001, 1, w)]).mean for w in (False, True)]
    assert large[0] == pytest.approx(large[1], abs=1e-3)  # a large study that saw nothing saw zero


def test_pooling_refuses():
    with pytest.raises(Refusal) as refused:
        pool([Study(math.nan, 0.1, 0), Study(0.1, 0.0, 2)], between=0)
    assert len(refused.value.faults) == 4
    with pytest.raises(Refusal, match="at least one weight"):
        pool([Study(0.1, 0.1, 0)])


# --- expectations -------------------------------------------------------------------------------------------------


def test_no_row_is_dropped_and_each_that_counts_for_nothing_says_why():
    weighed = weigh(LIBRARY, Reader(line="medicaid"))
    assert [w.row for w in weighed] == list(LIBRARY)
    assert all((w.weight == 0) == bool(w.why_not) for w in weighed)
    assert all(w.weight == (0 if w.why_not else w.design * w.similarity * w.horizon) for w in weighed)


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
    assert weight("grace", cost="net") == 1  # a mixed line is like any


def test_no_expectation_stands_alone():
    three = scenarios(LIBRARY, Reader(line="medicaid"))
    assert list(three.beliefs()) == ["what the studies say", "sceptical", "null"]
    assert three.pooled.mean > three.sceptical.mean == three.null.mean == 0
    assert three.sceptical.sd == pytest.approx(three.pooled.sd, rel=0.1)
    assert three.null.sd == 0
    for required in (0.02, 0.104, 0.3):
        chances = [belief.chance_of(required) for belief in three.beliefs().values()]
        assert chances == sorted(chances, reverse=True)
        assert chances[-1] == 0


def test_leaving_out_nulls_without_intervals_is_what_makes_programs_look_good():
    nulls = ("at zero", "within chance", "left out")
    zero, kept, left_out = (scenarios(LIBRARY, Reader(line="medicaid", nulls=n)).pooled for n in nulls)
    assert zero.mean < kept.mean < left_out.mean / 2
    assert left_out.chance_of(0.104) > 2 * kept.chance_of(0.104)


def test_a_prediction_is_for_one_more_program():
    three = scenarios(LIBRARY, Reader(line="medicaid"))
    assert three.pooled.mean == pytest.approx(three.basis.mean)
    assert three.pooled.sd > math.hypot(three.basis.se, three.basis.tau)  # that little is known of tau counts too
    low, high = three.pooled.interval()
    assert low < three.basis.mean - 1.96 * three.basis.se < three.basis.mean + 1.96 * three.basis.se < high


def test_how_far_the_answer_hangs_on_each_judgment_and_each_study():
    reader = Reader(line="medicaid")
    views = {view.changed: view for view in hangs_on(LIBRARY, reader)}
    counted = [w.row for w in weigh(LIBRARY, reader) if w.weight]
    assert views["as weighed"].one_more == scenarios(LIBRARY, reader).pooled
    for row in counted:
        without = Library(r for r in LIBRARY if r is not row)
        assert views[f"without {row.name}"].one_more == scenarios(without, reader).pooled
    alike = Reader(line="medicaid", designs=dict.fromkeys(DESIGNS, 1.0))
    assert views["every design alike"].one_more.mean == pytest.approx(scenarios(LIBRARY, alike).pooled.mean)
    assert views["randomized trials only"].studies == sum(row.design == "randomized" for row in counted)
    assert len({view.one_more.mean for view in views.values()}) == len(views)  # each judgment moves it


def test_a_reader_is_refused_with_every_fault():
    with pytest.raises(Refusal) as refused:
        Reader(line="medicade", other_line=2, months=0, designs={"randomised": 1.0}, cost="both")  # type: ignore[arg-type]
    assert len(refused.value.faults) == 5
    with pytest.raises(Refusal, match="no study counts"):
        scenarios(LIBRARY, Reader(line="medicaid", designs=dict.fromkeys(DESIGNS, 0.0)))


@pytest.mark.parametrize(("estimate", "se"), [(0.37, 0.175), (-0.1, 0.02), (0.0, 0.5)])
def test_shrinkage(estimate, se):
    prior = Belief.normal(0.03, 0.05)
    after = prior.after(estimate, se)
    own = 0.05**2 / (0.05**2 + se**2)
    assert after.mean == pytest.approx((1 - own) * 0.03 + own * estimate)
    assert 1 / after.sd**2 == pytest.approx(1 / 0.05**2 + 1 / se**2)
    assert min(0.03, estimate) <= after.mean <= max(0.03, estimate)
    assert after.sd < min(0.05, se)


def test_trials_in_any_order_and_at_once_say_the_same():
    one, other = (0.2, 0.1), (-0.05, 0.08)
    for belief in (Belief.normal(0.03, 0.05), Belief(((0.3, 0.0, 0.02), (0.7, 0.1, 0.2)))):
        first, second = belief.after(*one).after(*other), belief.after(*other).after(*one)
        assert (first.mean, first.sd) == pytest.approx((second.mean, second.sd))
    wide = Belief.normal(0.0, 1e6).after(*one)
    assert (wide.mean, wide.sd) == pytest.approx(one, rel=1e-6)
    assert Belief.normal(0.0, 0.0).after(0.4, 0.01) == Belief.normal(0.0, 0.0)
    with pytest.raises(Refusal):
        Belief.normal(0.03, 0.05).after(0.1, 0)


def test_a_mixture_by_drawing():
    """Three in ten programs do nothing much, seven in ten 10% give or take 20%; a trial of 20% +- 10% is then read."""
    belief, rng = Belief(((0.3, 0.0, 0.02), (0.7, 0.1, 0.2))), np.random.default_rng(3)
    true = np.where(rng.random(400_000) < 0.3, rng.normal(0, 0.02, 400_000), rng.normal(0.1, 0.2, 400_000))
    assert (belief.mean, belief.sd) == pytest.approx((true.mean(), true.std()), abs=2e-3)
    assert belief.chance_of(0.15) == pytest.approx(np.mean(true >= 0.15), abs=3e-3)
    assert belief.reached(0.25) == pytest.approx(np.quantile(true, 0.75), abs=3e-3)
    share = np.exp(-(((0.2 - true) / 0.1) ** 2) / 2)
    after = belief.after(0.2, 0.1)
    assert after.mean == pytest.approx(np.average(true, weights=share), abs=2e-3)
    assert after.chance_of(0.15) == pytest.approx(np.average(true >= 0.15, weights=share), abs=5e-3)
    assert belief.seen_with(0.1).sd == pytest.approx(math.hypot(belief.sd, 0.1))
    assert belief.about_nothing() == Belief(((0.3, 0.0, 0.02), (0.7, 0.0, 0.2)))


@pytest.mark.parametrize(("level", "half"), [(0.95, 1.959964), (0.90, 1.644854), (0.50, 0.674490)])
def test_the_interval_of_a_belief_has_as_much_on_either_side(level, half):
    low, high = Belief.normal(0.10, 0.05).interval(level)
    assert (low, high) == pytest.approx((0.10 - half * 0.05, 0.10 + half * 0.05), abs=1e-6)
    assert Belief.normal(0.10, 0.05).chance_of(low) - Belief.normal(0.10, 0.05).chance_of(high) == pytest.approx(level)


def test_the_winners_curse_of_caremore():
    """A trial with a standard error of $3,664 finds an effect of $10,260 80% of the time: more than its own estimate.

    $10,260 is 3,664 x (1.96 + 0.84); unrounded, the two z make it $10,266.
    """
    se = LIBRARY["caremore-memphis"].pooled().interval_se
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
