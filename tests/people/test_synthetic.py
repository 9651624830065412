"""Synthetic people: beside the published figures, and coherent to the cent, the day and the code."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from carecontracts import cli
from carecontracts.claims.read import read
from carecontracts.evaluation.persistence import factor_from
from carecontracts.people.conditions import conditions
from carecontracts.people.member_years import member_years, outside
from carecontracts.people.stays import stays
from carecontracts.refusal import Refusal
from carecontracts.synthetic import people as synthetic
from carecontracts.synthetic.claims import CODES
from carecontracts.synthetic.targets import MEASURES, SHORT, TARGETS, compare

ROOT = Path(__file__).parents[2]
BY = ["person_id", "year"]


def rng(seed):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def everyone():
    """40,000 members of each line over three years."""
    return pd.concat([synthetic.panel(line, 40_000, rng=rng(1)) for line in synthetic.NAMES], ignore_index=True)


@pytest.fixture(scope="module")
def seen(everyone):
    """The targets beside them."""
    return compare(everyone)


@pytest.fixture(scope="module", params=synthetic.NAMES)
def one_line(request):
    people = synthetic.panel(request.param, 900, rng=rng(5))
    return people, synthetic.tables(people, rng=rng(6))


# --- beside the published figures -------------------------------------------------------------------------------------


def test_the_people_are_like_the_published_ones_but_where_it_is_said(seen):
    """Prints the table (pytest -s). Fails when a target is missed without a word, and when a shortfall is no more."""
    told = seen.assign(synthetic=seen.synthetic.round(3)).drop(columns="note").to_string(index=False)
    print("\n" + told)
    for (line, target), why in SHORT.items():
        print(f"short: {line}, {target}: {why}")
    missed = {(row.line, row.target) for row in seen[~seen.within].itertuples()}
    assert missed == set(SHORT), told


def test_every_target_is_measured(seen):
    assert len(seen) == len(TARGETS)
    assert set(TARGETS.target) == set(MEASURES)


def test_every_target_has_a_range_around_it_and_a_source():
    assert (TARGETS.published.between(TARGETS.low, TARGETS.high)).all()
    assert not TARGETS.duplicated(["line", "target"]).any()
    keys = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text("utf-8"), re.M))
    assert set(TARGETS.source) <= keys | {"assumption"}
    unconfirmed = TARGETS[TARGETS.source == "assumption"]
    assert unconfirmed.note.str.contains("not confirmed").all()


def test_who_accepts_hangs_on_need_as_far_as_is_asked():
    """Of those offered care management as many accept; they cost as much as the others, or less where the costlier
    decline, by the formula for the mean of a normal beyond a cut."""
    accepted, gaps = {}, {}
    for willing in (0.0, 0.4, 1.0):
        people = synthetic.panel("medicaid", 60_000, 1, rng=rng(3), willing=willing)
        offered = people[people.offered == 1]
        yes = offered.engages == 1
        accepted[willing] = yes.mean()
        rank = norm.ppf((offered.paid.rank() - 0.5) / len(offered))
        gaps[willing] = rank[yes].mean() - rank[~yes].mean()
    share = synthetic.LINES["medicaid"].engages
    count = 4 * np.sqrt(share * (1 - share) / len(offered))
    assert accepted == pytest.approx(dict.fromkeys(accepted, share), abs=count)
    far = norm.pdf(norm.ppf(share)) * (
        1 / share + 1 / (1 - share)
    )  # between the means of those below and above the cut
    luck = 4 * np.sqrt(1 / len(offered) / share / (1 - share))
    assert gaps[0.0] == pytest.approx(0.0, abs=luck)
    # need is not all of cost: a stay, long-term care and the months covered have their own part
    assert -0.4 * far - luck < gaps[0.4] < -0.4 * far * 0.6
    assert -far < gaps[1.0] < -far * 0.6
    plain, same = (synthetic.panel("dual", 500, rng=rng(4), **given) for given in ({}, {"willing": 0.0}))
    pd.testing.assert_frame_equal(plain, same)
    with pytest.raises(Refusal, match="0 to 1"):
        synthetic.panel("dual", 5, rng=rng(4), willing=3)


def test_another_seed_is_another_sample_of_the_same_people(everyone, seen):
    """Two samples differ by chance alone: by less than the width of a target's range."""
    again = pd.concat([synthetic.panel(line, 40_000, rng=rng(2)) for line in synthetic.NAMES], ignore_index=True)
    first, second = seen, compare(again)
    assert ((first.synthetic - second.synthetic).abs() < first.high - first.low).all()
    assert not np.array_equal(everyone.paid.head(1_000), again.paid.head(1_000))


def test_the_same_seed_is_the_same_people():
    one, other = (synthetic.panel("dual", 500, rng=rng(9)) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)
    first, second = (synthetic.tables(one, rng=rng(3)) for _ in range(2))
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name])


def test_without_a_program_the_dear_get_cheaper_and_the_cheap_dearer(everyone):
    """Regression to the mean: the top tenth falls by about two fifths; everyone together only grows with the trend."""
    people = everyone[everyone.line == "commercial"]
    wide = people[people.months == 12].pivot(index="person_id", columns="year", values="paid")[[2023, 2024]].dropna()
    top = wide[2023] >= wide[2023].quantile(0.9)
    fell = factor_from(wide[2023][top].tolist(), wide[2024][top].tolist())
    assert 0.5 < fell.factor < 0.7
    assert wide[2024][~top].mean() > 1.5 * wide[2023][~top].mean()
    error = np.sqrt(wide.var().sum() / len(wide)) / wide[2023].mean()
    assert abs(wide[2024].mean() / wide[2023].mean() - 1.06) < 4 * error


def test_the_year_before_mirrors_the_year_after(everyone):
    """Picked by the middle year, net of trend: a bad year knows nothing of the direction of time."""
    people = everyone[(everyone.line == "commercial") & (everyone.months == 12)]
    wide = people.pivot(index="person_id", columns="year", values="paid").dropna()
    wide = wide / wide.mean()
    top = wide[2024] >= wide[2024].quantile(0.9)
    difference = (wide[2025] - wide[2023])[top]
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(top.sum())
    assert wide[2024][top].mean() > 1.4 * wide[2023][top].mean()


def test_use_never_comes_without_cost(everyone):
    for count, cost in (("admissions", "inpatient"), ("emergency_visits", "emergency")):
        assert ((everyone[count] > 0) == (everyone[f"{cost}_paid"] > 0)).all()
    assert (everyone.professional_paid[everyone.primary_care_visits > 0] >= 70).all()
    assert (everyone.inpatient_days >= everyone.admissions).all()
    total = sum(everyone[f"{name}_paid"] for name in synthetic.SERVICES)
    assert (total - everyone.paid).abs().max() < 0.005
    assert (everyone.allowed >= everyone.paid).all()


def test_a_member_owes_a_share_of_what_is_allowed_up_to_the_most():
    # A fifth, up to $1,000 a year at the prices of 2022, which rise by 10% in 2023 and 5% in 2024: of $400 paid the
    # member owed 100 beside it; from $4,400 paid on (2023), and from $4,620 on (2024), 1,100 and 1,155.
    like = replace(
        synthetic.LINES["commercial"], member_share=0.2, member_most=1_000.0,
        trend={year: 0.10 if year == 2023 else 0.05 for year in range(2023, 2033)},
    )  # fmt: skip
    people = synthetic.panel("commercial", 3_000, 2, rng=rng(4), like=like)
    for year, most in ((2023, 1_100.0), (2024, 1_155.0)):
        own = people[people.year == year]
        owed = own.allowed - own.paid
        assert owed.max() == pytest.approx(most, abs=0.006)
        dear = own.paid >= 4 * most
        assert dear.sum() > 50
        assert (owed[dear] - most).abs().max() < 0.006
        assert (owed[~dear] - own.paid[~dear] / 4).abs().max() < 0.006


def test_prices_rise_by_the_trend_from_2022_on():
    still, rising = (
        synthetic.panel(
            "commercial", 500, 2, rng=rng(4),
            like=replace(synthetic.LINES["commercial"], trend={2023: first, 2024: second}),
        ).groupby("year").paid.sum()
        for first, second in ((0.0, 0.0), (0.10, 0.05))
    )  # fmt: skip
    assert (rising / still).tolist() == pytest.approx([1.10, 1.10 * 1.05], abs=1e-4)


def test_kidney_failure_is_kidney_disease_too(everyone):
    failed = everyone[everyone.esrd == 1]
    assert len(failed) > 100
    assert (failed.ckd == 1).all()


# --- claim lines ------------------------------------------------------------------------------------------------------


def test_member_years_gives_the_panel_back(one_line):
    """Claims through the engine: the same rows, the same dollars to the cent, the same counts."""
    people, tables = one_line
    claims = synthetic.from_frames(tables)
    found = member_years(claims).to_pandas().sort_values(BY).reset_index(drop=True)
    wanted = people.sort_values(BY).reset_index(drop=True)
    assert len(found) == len(wanted)
    for column in found.columns:
        if column in ("paid", "allowed") or column.endswith("_paid"):
            assert (found[column] - wanted[column]).abs().max() < 0.005, column
        else:
            assert found[column].tolist() == wanted[column].tolist(), column
    assert outside(claims).count().execute() == 0


def test_every_line_is_on_a_covered_day(one_line):
    people, tables = one_line
    covered = people.set_index(BY).covered
    death = people.groupby("person_id").death_date.first()
    for name, day in (("medical_claim", "claim_start_date"), ("pharmacy_claim", "dispensing_date")):
        lines = tables[name]
        mask = covered.reindex(pd.MultiIndex.from_arrays([lines.person_id, lines[day].dt.year])).to_numpy()
        assert ((mask.astype(int) >> (lines[day].dt.month.to_numpy() - 1)) & 1).all()
        assert not (lines[day] > lines.person_id.map(death)).any()
        assert (lines.paid_date >= lines[day]).all()
    outcome = tables["outcome"]
    mask = covered.reindex(pd.MultiIndex.from_arrays([outcome.person_id, outcome.outcome_date.dt.year])).to_numpy()
    assert ((mask.astype(int) >> (outcome.outcome_date.dt.month.to_numpy() - 1)) & 1).all()


def test_stays_do_not_overlap_and_end_before_death(one_line):
    people, tables = one_line
    each = stays(synthetic.from_frames(tables)).to_pandas().sort_values(["person_id", "admission_date"])
    gap = (each.admission_date.shift(-1) - each.discharge_date).dt.days[:-1]
    same = (each.person_id.shift(-1) == each.person_id)[:-1]
    assert len(each) == people.admissions.sum()
    assert (gap[same] >= 1).all()
    death = each.person_id.map(people.groupby("person_id").death_date.first())
    assert not (each.discharge_date > death).any()


def test_nothing_is_paid_before_it_ends(one_line):
    _, lines = one_line
    medical, drugs = lines["medical_claim"], lines["pharmacy_claim"]
    assert (medical.paid_date >= medical.claim_end_date).all()
    assert (drugs.paid_date >= drugs.dispensing_date).all()


def test_stays_that_fill_a_month_end_in_it():
    # Five stays of 20 nights in all and two days between them take 28 of the 31 days of January.
    people = synthetic.panel("medicaid", 3_000, 1, rng=rng(5))
    full = {"covered": 1, "months": 1, "admissions": 5, "inpatient_days": 20}
    own = people[(people.admissions > 0) & (people.died == 0)].assign(**full, emergency_visits=0, primary_care_visits=0)
    lines = synthetic.tables(own, rng=rng(6))["medical_claim"]
    hospital = lines[(lines.bill_type_code == "111") & (lines.claim_line_number == 1)]
    assert len(hospital) == 5 * len(own) > 500
    assert hospital.admission_date.min() >= pd.Timestamp("2023-01-01")
    assert hospital.discharge_date.max() <= pd.Timestamp("2023-01-31")


def test_a_condition_is_coded_where_it_is_and_nowhere_else(one_line):
    people, tables = one_line
    lines = tables["medical_claim"]
    columns = [c for c in lines.columns if re.fullmatch(r"diagnosis_code_\d+", c)]
    long = lines.melt(["person_id", "claim_start_date"], columns, value_name="code").dropna()
    long["year"] = long.claim_start_date.dt.year
    used = pd.MultiIndex.from_frame(long[BY].drop_duplicates())
    rows = people.set_index(BY)
    for name in synthetic.CONDITIONS:
        coded = pd.MultiIndex.from_frame(long[long.code.isin(CODES[name])][BY].drop_duplicates())
        has = rows.index[rows[name] == 1]
        assert set(coded) <= set(has), name
        assert set(has.intersection(used)) <= set(coded), name


def test_the_value_sets_read_the_conditions_back(one_line):
    """With care on two days or a stay in the year, the package's own value sets find each condition and no other."""
    people, tables = one_line
    found = conditions(synthetic.from_frames(tables)).to_pandas().set_index(BY)
    lines = tables["medical_claim"].assign(year=lambda t: t.claim_start_date.dt.year)
    days = lines.groupby(BY).claim_start_date.nunique()
    known = people.set_index(BY)
    enough = (days.reindex(known.index).fillna(0) >= 2) | (known.admissions > 0)
    known = known[enough]
    found = found.reindex(known.index).fillna(0)
    for name in synthetic.CONDITIONS:
        assert (found[name].astype(int) == known[name]).all(), name


def test_codes_and_numbers_cannot_be_mistaken_for_real_ones(one_line):
    _, tables = one_line
    lines = tables["medical_claim"]
    for column in ("rendering_npi", "billing_npi", "facility_npi"):
        assert lines[column].dropna().str.fullmatch(r"9\d{9}").all()
    assert tables["pharmacy_claim"].ndc_code.str.fullmatch(r"99999\d{6}").all()
    assert not lines.duplicated(["claim_id", "claim_line_number"]).any()
    assert not tables["pharmacy_claim"].duplicated(["claim_id", "claim_line_number"]).any()


def test_most_primary_care_is_with_the_provider_of_the_panel(one_line):
    people, tables = one_line
    lines = tables["medical_claim"]
    visits = lines[lines.hcpcs_code.isin(["99213", "99214", "99215"])]
    own = people.set_index(BY).provider.reindex(
        pd.MultiIndex.from_arrays([visits.person_id, visits.claim_start_date.dt.year])
    )
    share = (visits.billing_tin.to_numpy() == own.to_numpy()).mean()
    # seven in eight, and one in twenty of the rest by chance
    assert abs(share - (7 / 8 + 1 / 8 / 20)) < 4 * np.sqrt(0.11 / len(visits))


def test_the_roster_is_the_panel_s_providers(one_line):
    people, tables = one_line
    roster = tables["roster"]
    assert not (roster.end_date < roster.start_date).any()
    spells = people.groupby("person_id").provider.nunique()
    assert roster.groupby("person_id").organization.nunique().eq(spells).all()


def test_claims_arrive_late_and_winter_is_dearer(everyone):
    """Half of institutional lines are unpaid 38 days after service; January outweighs July."""
    people = everyone[(everyone.line == "medicare") & (everyone.year == 2023)].head(8_000)
    lines = synthetic.tables(people, rng=rng(4))["medical_claim"]
    slow = lines[lines.claim_type == "institutional"]
    lag = (slow.paid_date - slow.claim_end_date).dt.days
    # the median is 38 days: half are paid by then, within four standard errors
    assert abs((lag <= 38).mean() - 0.5) < 4 * 0.5 / np.sqrt(len(slow)) + 0.01
    month = lines.claim_start_date.dt.month.value_counts(normalize=True)
    # a month of 31 days at 1.08 against one at 0.95, within four standard errors of so many lines
    assert month[1] / month[7] > 1.08 / 0.95 - 4 * np.sqrt(2 / (len(lines) / 12))


def test_discharge_brings_the_next_stay_closer(everyone):
    """HCUP has 52.4% of super-utilizers' stays and 8.8% of others' followed by another in 30 days (Medicaid, 2012)."""
    people = everyone[(everyone.line == "medicaid") & (everyone.admissions > 0)]
    each = stays(synthetic.claims(people, rng=rng(4))).to_pandas().sort_values(["person_id", "admission_date"])
    each["year"] = each.admission_date.dt.year
    each["often"] = each.groupby(BY).admission_date.transform("size") >= 4
    after = (each.admission_date.shift(-1) - each.discharge_date).dt.days
    again = (each.person_id.shift(-1) == each.person_id) & (after <= 30)
    rate = again.groupby(each.often).mean()
    print(f"\nreadmitted within 30 days: {rate[True]:.1%} of super-utilizers' stays, {rate[False]:.1%} of others'")
    assert 0.45 < rate[True] < 0.65
    assert 0.05 < rate[False] < 0.13


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_what_cannot_be_is_refused_all_at_once():
    with pytest.raises(Refusal) as refused:
        synthetic.panel("medicad", 0, 0, rng=rng(1), first_year=1999)
    assert [fault.where.rpartition(" ")[2] for fault in refused.value.faults] == [
        *("line", "members", "years", "first_year"),
    ]


def test_a_table_that_is_no_panel_is_refused():
    people = synthetic.panel("medicaid", 50, rng=rng(1))
    for wrong in (people.drop(columns="covered"), pd.concat([people, people])):
        with pytest.raises(Refusal):
            synthetic.tables(wrong, rng=rng(1))
    with pytest.raises(Refusal):
        compare(people.drop(columns="line"))
    with pytest.raises(Refusal):
        compare(people.assign(line="other"))


def test_the_command_line_makes_a_folder_that_reads_and_checks_clean(tmp_path):
    """`claims check` finds nothing wrong with what `claims make` writes; a wrong line is refused."""
    out = tmp_path / "made"
    made = CliRunner().invoke(
        cli.app, ["claims", "make", str(out), "--line", "dual", "--members", "200", "--seed", "3"]
    )
    assert made.exit_code == 0, made.output
    rng_again = rng(3)
    people = synthetic.panel("dual", 200, rng=rng_again)
    found = member_years(read(out)).to_pandas()
    assert abs(found.paid.sum() - people.paid.sum()) < 0.005
    checked = CliRunner().invoke(cli.app, ["claims", "check", str(out)])
    assert checked.exit_code == 0, checked.output
    wrong = CliRunner().invoke(cli.app, ["claims", "make", str(out), "--line", "duel"])
    assert isinstance(wrong.exception, Refusal)
