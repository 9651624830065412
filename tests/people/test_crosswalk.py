"""Whose list is right: overlaps that add up, what came next computed a second way, and what may leave."""

from itertools import combinations

import ibis
import numpy as np
import pandas as pd
import pytest

from carecontracts.claims.read import read
from carecontracts.definitions import definition
from carecontracts.people.crosswalk import by_size, crosswalk
from carecontracts.people.member_table import member_table, with_years_beside
from carecontracts.refusal import Refusal
from carecontracts.small_cells import MARK
from carecontracts.synthetic import people as synthetic

YEAR = 2024
LISTS = {
    "stays": definition("denver_health_stays"),
    "need": definition("chronic_and_behavioral"),
    "cost": definition("colorado_medicaid"),
}


@pytest.fixture(scope="module")
def panel():
    return synthetic.panel("medicaid", 6_000, 3, rng=np.random.default_rng(11))


@pytest.fixture(scope="module")
def members(panel):
    return ibis.memtable(with_years_beside(ibis.memtable(panel)).to_pyarrow())


@pytest.fixture(scope="module")
def made(members):
    return crosswalk(members, LISTS, YEAR)


@pytest.fixture(scope="module")
def people(members):
    """The same roster, member by member, in pandas: the second way."""
    use = ("admissions", "smi", "chronic_conditions", "behavioral_conditions", "primary_care_visits")
    frame = members.select("person_id", "year", "paid", "months", *use, "next_paid", "next_months").to_pandas()
    frame["stays"] = (frame.admissions >= 3) | ((frame.admissions >= 2) & (frame.smi == 1))
    frame["need"] = (
        (frame.chronic_conditions >= 2) & (frame.behavioral_conditions >= 1) & (frame.primary_care_visits >= 1)
    )
    frame["cost"] = frame.paid >= 25_000
    after = frame[frame.year == YEAR + 1].set_index("person_id")
    frame = frame[frame.year == YEAR].set_index("person_id")
    for name in LISTS:
        frame[f"{name} again"] = after[name].reindex(frame.index).fillna(False).astype(bool)
    return frame


# --- overlap ---------------------------------------------------------------------------------------------------------


def test_the_combinations_are_every_member_once(made, people):
    frame = made.combinations()
    assert frame.people.sum() == made.members == len(people)
    assert frame["on"].is_unique
    assert frame["on"].iloc[-1] == "no list"
    expected = people.groupby(list(LISTS)).size()
    found = frame.set_index([f"in {name}" for name in LISTS]).people
    for flags, count in expected.items():
        assert found[tuple(int(flag) for flag in flags)] == count


def test_inclusion_and_exclusion(made):
    """On any list = each list - each pair + all three."""
    size = made.by_list().set_index("on").people
    pairs = sum(made.overlap(a, b)["both"] for a, b in combinations(LISTS, 2))
    frame = made.combinations()
    on_all = frame[frame["lists"] == 3].people.sum()
    on_any = frame[frame["lists"] > 0].people.sum()
    assert on_all > 0
    assert on_any == sum(size[name] for name in LISTS) - pairs + on_all


def test_two_lists_overlap_as_their_members_do(made, people):
    found = made.overlap("need", "cost")
    assert found["both"] == (people.need & people.cost).sum()
    assert found["either"] == (people.need | people.cost).sum()
    assert found["share"] == pytest.approx(found["both"] / found["either"])


def test_a_list_overlaps_fully_with_itself(members):
    same = crosswalk(members, {"a": LISTS["cost"], "b": definition("cost", dollars=25_000)}, YEAR)
    assert same.overlap("a", "b")["share"] == 1
    assert len(same.combinations()) == 2
    assert same.missed("a").people == 0


def test_lists_that_exclude_each_other_do_not_overlap(members):
    apart = crosswalk(members, {"a": LISTS["cost"], "b": ~LISTS["cost"]}, YEAR)
    assert apart.overlap("a", "b")["share"] == 0
    assert apart.by_list().people.iloc[:2].sum() == apart.members


def test_who_a_list_misses(made, people):
    missed = made.missed("cost", "need")
    those = people[people.need & ~people.cost]
    assert missed.people == len(those) > 0
    assert missed.cost == pytest.approx(those.paid.sum() * 12 / those.months.sum())
    assert made.missed("cost").people == (~people.cost & (people.need | people.stays)).sum()
    assert missed.people == made.overlap("need", "cost")["need"] - made.overlap("need", "cost")["both"]


# --- what came next --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
def test_cost_this_year_and_next(made, people, name):
    row = made.by_list().set_index("on").loc[name]
    those = people[people[name]]
    both = those[those.next_months > 0]
    assert row.people == len(those)
    assert row.cost_both == pytest.approx(both.paid.sum() * 12 / both.months.sum())
    assert row.next_cost == pytest.approx(both.next_paid.sum() * 12 / both.next_months.sum())
    assert row.fall == pytest.approx(1 - row.next_cost / row.cost_both)
    assert row.stayed == pytest.approx(len(both) / len(those))
    assert row.still == pytest.approx(those[f"{name} again"].sum() / len(both))
    assert row.savings == pytest.approx(1 - row.next_cost / (row.cost_both * (1 + made.alike)))


def test_everyone_together_saves_nothing_against_their_own_trend(made):
    assert made.by_list().set_index("on").savings["all members"] == pytest.approx(0, abs=1e-12)
    assert made.by_list().set_index("on").found["all members"] == 1


def test_the_dearest_of_next_year_are_found_by_those_who_were_on_the_list(made, members):
    frame = members.select(
        "person_id", "year", dear=definition("dearest")(members), cost=LISTS["cost"](members)
    ).to_pandas()
    now = frame[frame.year == YEAR].set_index("person_id").cost
    dear = frame[(frame.year == YEAR + 1) & frame.dear].person_id
    dear = dear[dear.isin(now.index)]
    assert made.by_list().set_index("on").found["cost"] == pytest.approx(now[dear].mean())


def test_the_spread_of_a_fall_is_that_of_drawing_people_again(made, people):
    """A bootstrap's standard error has a relative error of about 1/sqrt(2 x draws): 4 of them are 14% at 400 draws."""
    both = people[people.cost & (people.next_months > 0)]
    draws, rng = 400, np.random.default_rng(5)
    falls = []
    for _ in range(draws):
        drawn = both.iloc[rng.integers(0, len(both), len(both))]
        now, after = (drawn[p].sum() / drawn[m].sum() for p, m in (("paid", "months"), ("next_paid", "next_months")))
        falls.append(1 - after / now)
    spread = made.by_list().set_index("on").spread["cost"]
    assert spread / 1.96 == pytest.approx(np.std(falls), rel=4 / np.sqrt(2 * draws))


def test_without_a_next_year_nothing_is_said_of_it(members):
    last = crosswalk(members, LISTS, YEAR + 1)
    frame = last.by_list()
    assert last.alike is None
    assert frame[["next_cost", "fall", "still", "stayed", "savings"]].isna().all().all()
    assert frame.people.iloc[-1] == last.members > 0


def test_the_dearer_the_list_the_further_it_falls(members):
    """Regression to the mean, in its order: the top 1% falls further than the top 5%, and that than the top 20%."""
    frame = by_size(members, lambda share: definition("dearest", share=share), [0.01, 0.05, 0.2], YEAR)
    assert frame.fall.is_monotonic_decreasing
    assert frame.fall.min() > 0
    assert (
        frame.people.tolist() == [round(frame.people.iloc[0] * k) for k in (1, 5, 20)]
        or frame.people.is_monotonic_increasing
    )


# --- what leaves -----------------------------------------------------------------------------------------------------


def by_hand(counts):
    """A roster of two lists with these counts: on neither, on b only, on a only, on both."""
    rows, person = [], 0
    for (a, b), count in zip([(0, 0), (0, 1), (1, 0), (1, 1)], counts, strict=True):
        for _ in range(count):
            person += 1
            for year in (2024, 2025):
                rows.append(
                    {"person_id": f"p{person:04d}", "year": year, "admissions": 2 * a, "paid": 30_000.0 * b + 100,
                     "months": 12, "died": 0, "emergency_visits": 0}
                )  # fmt: skip
    table = with_years_beside(ibis.memtable(rows))
    return crosswalk(table, {"a": definition("stays"), "b": definition("cost")}, 2024)


def test_nothing_small_leaves_and_nothing_that_gives_it_away():
    shown = by_hand([200, 40, 30, 7]).released().set_index("on").people
    assert shown["a and b"] == MARK
    assert shown["all members"] == 277
    # 30 + 7 is on a: with both totals and another cell shown, the 7 would be a subtraction
    for total, part in (("all on a", "a"), ("all on b", "b")):
        assert MARK in (shown[total], shown[part])


def test_dollars_that_stand_on_a_hidden_count_are_hidden_too():
    shown = by_hand([200, 40, 30, 7]).released().set_index("on")
    assert (shown[shown.people == MARK].cost.dropna() == MARK).all()


def test_where_nothing_is_small_everything_leaves():
    shown = by_hand([200, 40, 30, 12]).released().set_index("on")
    assert MARK not in shown.people.tolist()
    assert shown.people["all on a"] == 42
    assert shown.share["all members"] == 1
    assert shown.cost["b"] == pytest.approx(30_100)


def test_no_table_that_leaves_shows_one_to_ten(made):
    shown = [n for n in made.released().people if n != MARK]
    assert all(n == 0 or n >= 11 for n in shown)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_too_many_lists_or_none_are_refused(members):
    for count in (0, 7):
        with pytest.raises(Refusal, match="1 to 6"):
            crosswalk(members, {str(n): LISTS["cost"] for n in range(count)}, YEAR)


def test_a_year_that_is_not_there_is_refused_with_those_that_are(members):
    with pytest.raises(Refusal, match="2023, 2024, 2025"):
        crosswalk(members, LISTS, 2031)


def test_a_list_that_is_not_there_is_named(made):
    with pytest.raises(Refusal, match="stays, need, cost"):
        made.overlap("need", "price")


def test_the_tables_are_data_frames(made):
    assert isinstance(made.by_list(), pd.DataFrame)


# --- each list as it may leave ---------------------------------------------------------------------------------------


def test_each_list_leaves_with_its_numbers_or_none():
    hidden = by_hand([200, 40, 30, 7])
    frame = hidden.released_lists().set_index("on")
    totals = hidden.released().set_index("on").people
    for name in ("a", "b"):
        assert (frame.loc[name] == MARK).all() == (totals[f"all on {name}"] == MARK)
    shown = by_hand([200, 40, 30, 12]).released_lists().set_index("on")
    assert shown.people["a"] == 42
    assert shown.still["a"] == 1  # all 42 again: nobody is left out


def a_list_that(again, others, gone=0):
    """A list of people of whom so many are on it again, so many are not, and so many are gone; and 100 beside it."""
    rows = []
    for n in range(again + others + gone + 100):
        listed = n < again + others + gone
        for year in (2024, 2025):
            stays = 2 if listed and (year == 2024 or n < again) else 0
            if year == 2024 or not again + others <= n < again + others + gone:
                rows.append(
                    {"person_id": f"p{n:04d}", "year": year, "admissions": stays, "paid": 100.0, "months": 12,
                     "died": 0, "emergency_visits": 0}
                )  # fmt: skip
    return crosswalk(with_years_beside(ibis.memtable(rows)), {"a": definition("stays")}, 2024)


@pytest.mark.parametrize(
    ("again", "others", "gone", "still"),
    [
        (30, 11, 0, 30 / 41),  # 11 of 41 are not on it again: that may be known
        (30, 10, 0, MARK),  # 10 may not, and 30 of 40 would say so
        (11, 30, 0, 11 / 41),
        (10, 30, 0, MARK),
        (30, 20, 11, 30 / 50),  # of those who are still members
        (30, 20, 10, MARK),  # the 10 who left would be the list less those
        (30, 0, 0, 1),
    ],
)
def test_a_share_is_hidden_where_it_stands_for_few_or_leaves_few_out(again, others, gone, still):
    shown = a_list_that(again, others, gone).released_lists().set_index("on").still["a"]
    assert shown == (still if still == MARK else pytest.approx(still))


@pytest.mark.parametrize(("here", "marked"), [(10, True), (11, False)])
def test_what_came_next_is_hidden_where_few_had_a_next_year(here, marked):
    """Of 40 people on the list 30 or 29 are gone: the next year's cost is that of the 10 or 11 others."""
    made = a_list_that(here, 0, gone=40 - here)
    row = made.released().set_index("on").loc["a"]
    assert (row.people, row.next_cost == MARK) == (40, marked)
    row = made.released_lists().set_index("on").loc["a"]
    assert [row[name] == MARK for name in ("people", "cost", "next_cost", "fall", "spread")] == [False] * 2 + [
        marked
    ] * 3


def test_of_a_roster_of_few_nothing_leaves():
    made = by_hand([5, 0, 0, 0]).released_lists().set_index("on")
    assert (made.loc["all members"] == MARK).all()


def test_a_year_away_is_not_still_on_the_list():
    # One is on it in 2024 and 2025, the other in 2024 and 2026: of the two, one again, and of the one known, all.
    years = {"stays": (2024, 2025), "back": (2024, 2026), "neither": (2024, 2025, 2026)}
    rows = [
        {"person_id": who, "year": year, "admissions": 2 * (who != "neither"), "paid": 100.0, "months": 12, "died": 0,
         "emergency_visits": 0}
        for who, those in years.items() for year in those
    ]  # fmt: skip
    frame = crosswalk(with_years_beside(ibis.memtable(rows)), {"a": definition("stays")}, 2024).by_list()
    assert frame.set_index("on").loc["a", ["people", "stayed", "still"]].tolist() == [2, 0.5, 1]


def test_a_share_that_stands_for_few_people_is_hidden(members):
    rare = crosswalk(members, {"rare": definition("super_utilizer")}, YEAR)
    on = rare.cells[rare.cells["in rare"] == 1]
    again = int(on["again rare"].sum())
    assert 0 < again < 11, "the case that this test is of"
    assert rare.released_lists().set_index("on").still["rare"] == MARK


# --- from claims, and on the command line ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def few():
    return synthetic.panel("medicaid", 400, 2, rng=np.random.default_rng(3))


@pytest.fixture(scope="module")
def folder(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims")
    for name, frame in synthetic.tables(few, rng=np.random.default_rng(4)).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_the_member_table_from_claims_is_that_of_the_people_they_were_made_of(few, folder):
    found = member_table(read(folder)).to_pandas().merge(few, on=["person_id", "year"], suffixes=("", " known"))
    assert len(found) == len(few)
    for column in (
        "paid",
        "months",
        "admissions",
        "emergency_visits",
        "primary_care_visits",
        "housing_need",
        "disabled",
    ):
        assert found[column].astype(float).tolist() == pytest.approx(found[f"{column} known"].astype(float).tolist())
    for condition in ("diabetes", "heart_failure", "smi", "sud"):  # nobody has one on claims who has it not
        assert (found[condition] <= found[f"{condition} known"]).all()
    assert found.chronic_conditions.sum() > 0.8 * found["chronic_conditions known"].sum()


def test_the_command_line_hides_what_may_not_leave(folder, tmp_path, run):
    mine = tmp_path / "mine.yaml"
    mine.write_text("any: [denver_health_stays, cost: {dollars: 10000}]")
    out = tmp_path / "overlap.csv"
    arguments = ["--definition", "colorado_medicaid", "--definition", str(mine), "--out", str(out)]
    code, printed, _ = run("claims", "crosswalk", folder, *arguments)
    assert code == 0
    assert "colorado_medicaid" in printed
    frame = pd.read_csv(out, dtype=str)
    assert "all members" in frame["on"].tolist()
    assert all(n == MARK or int(n) >= 11 for n in frame.people)


def test_the_command_line_asks_whose_people_and_claims(folder, tmp_path, run):
    """Half the people are another payer's: both named are all, one named is as if the other were not there."""
    for name in ("eligibility", "medical_claim", "pharmacy_claim"):
        frame = pd.read_csv(folder / f"{name}.csv", dtype=str)
        odd = frame.person_id.str[-1].astype(int) % 2 == 1
        frame.assign(payer=np.where(odd, "Plan B", "plan a")).to_csv(tmp_path / f"{name}.csv", index=False)
    lists = ["--definition", "stays", "--definition", "denver_health_stays"]
    code, printed, said = run("claims", "crosswalk", tmp_path, *lists)
    assert (code, printed) == (2, "")
    assert "claims, column payer\n  given:   'plan a': " in said
    assert "name them, or all of them: --payer" in said
    code, _, said = run("claims", "crosswalk", tmp_path, *lists, "--payer", "plan c")
    assert code == 2
    assert "--payer\n  given:   'plan c'" in said
    _, both, _ = run("claims", "crosswalk", tmp_path, *lists, "--payer", "plan a", "--payer", "plan b")
    assert both == run("claims", "crosswalk", folder, *lists)[1]
    code, one, said = run("claims", "crosswalk", tmp_path, *lists, "--payer", "PLAN A")
    assert code == 0
    assert "are not of those named, and do not count." in said
    for name in ("eligibility", "medical_claim", "pharmacy_claim"):
        frame = pd.read_csv(tmp_path / f"{name}.csv", dtype=str)
        frame[frame.payer == "plan a"].to_csv(tmp_path / f"{name}.csv", index=False)
    assert one == run("claims", "crosswalk", tmp_path, *lists)[1]


def test_the_command_line_refuses_what_it_does_not_know(folder, run):
    unknown = ["--definition", "colorado_medicade", "--definition", "stay"]
    code, _, said = run("claims", "crosswalk", folder, *unknown)
    assert code == 2
    assert "did you mean 'colorado_medicaid'" in said
    assert "did you mean 'stays'" in said


def test_the_command_line_lists_the_definitions(run):
    code, printed, _ = run("claims", "definitions")
    assert code == 0
    assert "denver_health_stays" in printed
    assert "assumption" in printed
