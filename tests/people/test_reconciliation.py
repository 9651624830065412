"""What may leave of a reconciliation: by the kind of a row, whatever its words; attacked by adding and subtracting."""

import re
from itertools import chain, combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecontracts.reconciliation import (
    LINES_LEFT_OUT,
    Dollars,
    Expected,
    Fact,
    Kind,
    People,
    Reconciliation,
    may_leave,
    of_few,
)
from carecontracts.small_cells import MARK, SMALLEST

PEOPLE_LEFT_OUT = (Kind.FEW_MONTHS, Kind.DEFINITION, Kind.HOSPICE, Kind.NOT_OWN)
LINES = (Kind.PAID_LATE, Kind.FEE_CLAIMS, *PEOPLE_LEFT_OUT, Kind.NOT_ENROLLED)
number = st.one_of(st.integers(0, 14), st.integers(11, 400))


def whole(
    people: dict[Kind, int], lines: dict[Kind, int], rng: np.random.Generator, tiers: tuple[int, ...] = ()
) -> Reconciliation:
    """A group that adds up: so many people left out by each rule, and so many whose lines each rule took out."""
    made = Reconciliation()
    months = {kind: 12 * n for kind, n in people.items()}
    rows = {Kind.ENROLLED: (sum(people.values()), sum(months.values()))}
    rows |= {kind: (people[kind], months[kind]) for kind in people}
    made.people = [People(2026, "the year", kind, kind.value, *row) for kind, row in rows.items()]
    made.people += [People(2026, "the year", Kind.TIER, f"tier {n}", tier, 12 * tier) for n, tier in enumerate(tiers)]
    # cents so large and so uneven that no sum of some of them is another by chance
    cents = {kind: -int(rng.integers(1, 10**12)) if n else 0 for kind, n in lines.items()}
    cents = {Kind.READ: int(rng.integers(10**14, 10**15)), Kind.OTHER_YEAR: -int(rng.integers(1, 10**13))} | cents
    count = {kind: -int(rng.integers(1, 10**9)) if amount < 0 else 10**12 for kind, amount in cents.items()}
    who = {Kind.READ: None, Kind.OTHER_YEAR: None} | lines
    made.dollars = [
        Dollars(2026, "the year", kind, kind.value, who[kind], count[kind], cents[kind])
        for kind in cents
        if who[kind] != 0
    ]
    counted = sum(row.cents for row in made.dollars)
    made.dollars += [
        Dollars(2026, "the year", Kind.COUNTS, "counts", 500, sum(row.lines or 0 for row in made.dollars), counted),
        Dollars(2026, "the year", Kind.TO_COME, "still to come", None, None, counted // 70),
        Dollars(2026, "the year", Kind.SPEND, "spend", 500, None, counted + counted // 70),
    ]
    (counts,) = (row for row in made.people if row.kind == Kind.COUNTS)
    made.facts = [Fact(2026, "lives", counts.people, "people", counts)]
    made.facts += [Fact(2026, f"member_months.{row.step}", 1, "", row) for row in made.people if row.kind == Kind.TIER]
    made.facts.append(Fact(2026, "spend", made.dollars[-1].cents / 100, "dollars", made.dollars[-1]))
    return made


@st.composite
def reconciliations(draw: st.DrawFn) -> Reconciliation:
    people = {kind: draw(number) for kind in PEOPLE_LEFT_OUT} | {Kind.COUNTS: draw(st.integers(30, 400))}
    first = draw(st.integers(0, people[Kind.COUNTS]))
    tiers = draw(st.sampled_from([(), (first,), (first, people[Kind.COUNTS] - first)]))
    lines = {kind: draw(number) for kind in LINES}
    return whole(people, lines, np.random.default_rng(draw(st.integers(0, 2**32 - 1))), tiers)


def hidden(made: Reconciliation) -> tuple[list[int], list[int]]:
    tables, _ = may_leave(made)
    return tuple([i for i, n in enumerate(tables[t].people) if n is MARK] for t in ("people", "dollars"))  # type: ignore[return-value]


def sums_of(numbers: list[int]) -> set[int]:
    """Every number that adding and subtracting some of these, each at most once, can give."""
    found = {0}
    for one in numbers:
        found |= {sum_ + sign * one for sum_ in found for sign in (1, -1)}
    return found


@settings(max_examples=60, deadline=None)
@given(reconciliations())
def test_renaming_any_label_changes_nothing_that_is_hidden(made: Reconciliation) -> None:
    other = Reconciliation(
        [row._replace(step=f"row {n}", group="theirs") for n, row in enumerate(made.people)],
        [row._replace(step=f"row {n}", group="theirs") for n, row in enumerate(made.dollars)],
    )
    other.facts = [
        Fact(2026, "a", 1, "", other.people[made.people.index(f.row)]) for f in made.facts if f.row in made.people
    ]
    assert hidden(other) == hidden(made)


@settings(max_examples=30, deadline=None)
@given(reconciliations())
def test_no_row_of_few_people_comes_back_by_adding_and_subtracting(made: Reconciliation) -> None:
    """Nor several of them together: what 3 people and 5 others cost is what 8 people cost."""
    tables, _ = may_leave(made)
    for column, values in (
        ("dollars", [row.cents for row in made.dollars]),
        ("lines", [row.lines for row in made.dollars]),
    ):
        shown = tables["dollars"][column]
        known = [v for v, cell in zip(values, shown, strict=True) if cell is not MARK and v]
        left, right = sums_of(known[::2]), sums_of(known[1::2])  # of all of them: one of each half
        few = [
            n for n, row in enumerate(made.dollars) if row.people and row.people < SMALLEST and values[n] is not None
        ]
        assert all(shown[n] is MARK for n in few)
        for some in chain.from_iterable(combinations(few, size) for size in range(1, len(few) + 1)):
            together = sum(values[n] for n in some)  # type: ignore[misc]
            assert not any(together - one in right for one in left), (column, [made.dollars[n].kind for n in some])


@settings(max_examples=60, deadline=None)
@given(reconciliations())
def test_no_number_of_few_people_is_fixed_by_the_others(made: Reconciliation) -> None:
    tables, _ = may_leave(made)
    rows, cells = made.people, list(tables["people"].people)
    small = [n for n, row in enumerate(rows) if row.people and row.people < SMALLEST]
    assert all(cells[n] is MARK for n in small)
    unknown = [
        n for n, cell in enumerate(cells) if cell is MARK and rows[n] is not made.facts[0].row
    ]  # lives are known
    parts = {Kind.ENROLLED: -1, Kind.TIER: 0}
    equation = np.array([[parts.get(rows[n].kind, 1) for n in unknown]])
    if Kind.TIER in {row.kind for row in rows}:
        of_counts = {Kind.COUNTS: -1, Kind.TIER: 1}
        rest = 1  # of no tier: not printed, and so never known
        equation = np.vstack([np.append(equation, 0), [*(of_counts.get(rows[n].kind, 0) for n in unknown), rest]])
    _, sizes, right = np.linalg.svd(equation) if equation.size else (None, np.array([]), np.eye(0))
    free = right[(sizes > 1e-9).sum() :]  # what may still move, as the sums have it
    for place, n in enumerate(unknown):
        if n in small:
            assert np.abs(free[:, place]).max(initial=0) > 1e-9, rows[n]


# 400 people count; of the others, by hand:
COUNTED = {Kind.COUNTS: 400}


@pytest.mark.parametrize(
    ("people", "marked"),
    [
        ({Kind.HOSPICE: 11, Kind.NOT_OWN: 90}, set()),  # 11 may be shown
        ({Kind.HOSPICE: 0, Kind.NOT_OWN: 90}, set()),  # and so may 0
        ({Kind.HOSPICE: 10, Kind.NOT_OWN: 90}, {Kind.HOSPICE, Kind.NOT_OWN}),  # 500 - 400 - 90 would be the 10
        ({Kind.HOSPICE: 5}, {Kind.HOSPICE, Kind.ENROLLED}),  # 405 - 400, and 400 are the lives of the years file
        ({Kind.HOSPICE: 6, Kind.DUAL: 7, Kind.NOT_OWN: 90}, {Kind.HOSPICE, Kind.DUAL}),  # 13 together: each 1 to 12
    ],
)
def test_people_by_hand(people: dict[Kind, int], marked: set[Kind]) -> None:
    made = whole(people | COUNTED, {}, np.random.default_rng(1))
    assert {made.people[n].kind for n in hidden(made)[0]} == marked


@pytest.mark.parametrize(
    ("lines", "marked"),
    [
        ({Kind.PAID_LATE: 11, Kind.NOT_OWN: 90}, set()),
        ({Kind.PAID_LATE: 10, Kind.NOT_OWN: 90, Kind.HOSPICE: 80}, {Kind.PAID_LATE, Kind.HOSPICE}),  # the next smallest
        (  # not the two alone, which would be the dollars of 8
            {Kind.PAID_LATE: 3, Kind.FEE_CLAIMS: 5, Kind.NOT_OWN: 90},
            {Kind.PAID_LATE, Kind.FEE_CLAIMS, Kind.NOT_OWN},
        ),
        ({Kind.FEE_CLAIMS: 5}, {Kind.FEE_CLAIMS, Kind.OTHER_YEAR}),  # no other rule: the year's total is hidden for it
    ],
)
def test_dollars_by_hand(lines: dict[Kind, int], marked: set[Kind]) -> None:
    made = whole(COUNTED, lines, np.random.default_rng(1))
    assert {made.dollars[n].kind for n in hidden(made)[1]} == marked


def test_a_tier_of_few_people_is_hidden_with_one_that_would_give_it_away() -> None:
    made = whole({Kind.NOT_OWN: 90, Kind.COUNTS: 400}, {}, np.random.default_rng(1), tiers=(4, 396))
    assert [made.people[n].step for n in hidden(made)[0]] == ["tier 0", "tier 1"]


def test_every_rule_for_lines_and_people_is_a_part_of_the_sum() -> None:
    totals = {Kind.ENROLLED, Kind.COUNTS, Kind.TIER, Kind.ON_RECORD, Kind.READ, Kind.OTHER_YEAR, Kind.LIMIT}
    assert not LINES_LEFT_OUT & totals
    assert set(LINES) <= LINES_LEFT_OUT
    assert all(a == b or a.value != b.value for a, b in product(Kind, Kind))


@pytest.mark.parametrize(("over", "marked"), [(10, {Kind.LIMIT, Kind.COUNTS, Kind.NOT_OWN}), (11, set())])
def test_what_the_limit_took_off_few_people_is_not_what_counts_less_what_was_spent(
    over: int, marked: set[Kind]
) -> None:
    """Nor all lines less those left out less what was spent: so a row of those goes too."""
    made = whole(COUNTED, {Kind.NOT_OWN: 90}, np.random.default_rng(1))
    made.dollars.append(Dollars(2026, "the year", Kind.LIMIT, "over the limit", over, None, -5))
    assert {made.dollars[n].kind for n in hidden(made)[1]} == marked


def test_a_fact_goes_with_its_row_and_with_the_few_whom_it_stands_for() -> None:
    made = whole({Kind.NOT_OWN: 90, Kind.COUNTS: 400}, {}, np.random.default_rng(1), tiers=(4, 396))
    made.facts.append(Fact(2026, "measures.seen", 0.95, "190 of 200", counts=(190, 200, 10)))  # 10 were not seen
    made.facts.append(Fact(2026, "measures.asked", 0.9, "180 of 200", counts=(180, 200, 20)))
    table = may_leave(made)[0]["facts"]
    assert table.fact[table.value == MARK].tolist() == ["member_months.tier 0", "member_months.tier 1", "measures.seen"]
    assert table["from"][table.value == MARK].tolist() == [MARK] * 3
    assert of_few(made) == [2026]


def test_of_a_group_of_few_no_step_of_a_benchmark_leaves() -> None:
    made = whole(COUNTED, {}, np.random.default_rng(1))
    made.benchmark = [
        Expected(2026, Kind.COST, "cost", 2_000.0, "dollars"),
        Expected(2025, Kind.COST, "cost", 9.0, "dollars"),
    ]
    made.facts.append(Fact(2026, "benchmark", 24_000.0, "benchmark: the last row"))
    assert MARK not in may_leave(made)[0]["benchmark"].amount.tolist()
    group = [
        People(2026, "the year before", kind, "", n, 12 * n)
        for kind, n in ((Kind.ENROLLED, 96), (Kind.NOT_OWN, 90), (Kind.COUNTS, 6))
    ]
    made.people += group
    tables, _ = may_leave(made)
    assert tables["benchmark"].amount.tolist() == [MARK, 9.0]
    assert tables["facts"].value.tolist()[-1] == MARK


def test_people_hidden_in_one_group_are_not_shown_in_another() -> None:
    """Two groups of the same 500 enrolled: 500 - 400 - 90 are the 10 of the first, in whichever the 90 stand."""
    made = whole({Kind.HOSPICE: 10, Kind.NOT_OWN: 90} | COUNTED, {}, np.random.default_rng(1))
    other = ((Kind.ENROLLED, 500), (Kind.NOT_OWN, 90), (Kind.FEW_MONTHS, 150), (Kind.COUNTS, 260))
    made.people += [People(2026, "the year before", kind, "", n, 12 * n) for kind, n in other]
    table = may_leave(made)[0]["people"]
    marked = set(zip(table.group[table.people == MARK], [made.people[n].kind for n in hidden(made)[0]], strict=True))
    assert marked >= {("the year", Kind.HOSPICE), ("the year", Kind.NOT_OWN), ("the year before", Kind.NOT_OWN)}
    assert len(marked) == 4  # and of the second group one more, or the 90 would come back


def test_member_months_of_few_are_hidden_and_so_are_those_of_all_but_few() -> None:
    made = whole({Kind.NOT_OWN: 90, Kind.COUNTS: 400}, {}, np.random.default_rng(1))
    for months, hides in ((10, True), (11, False), (4_790, True), (4_789, False), (0, False)):
        row = People(2026, "the year", Kind.ON_RECORD, "engaged months", None, months)
        again = Reconciliation([*made.people, row], facts=made.facts)
        assert (may_leave(again)[0]["people"].member_months.tolist()[-1] == MARK) == hides


def test_the_lines_of_other_years_go_in_every_group() -> None:
    """Lines read less those of other years are a year's: the same two rows in each group, so one says the other."""
    made = whole(COUNTED, {Kind.FEE_CLAIMS: 5}, np.random.default_rng(1))
    made.dollars += [row._replace(group="benchmark year 2025", people=row.people and 90) for row in made.dollars]
    marked = [(made.dollars[n].group, made.dollars[n].kind) for n in hidden(made)[1]]
    assert marked == [
        ("the year", Kind.OTHER_YEAR), ("the year", Kind.FEE_CLAIMS), ("benchmark year 2025", Kind.OTHER_YEAR),
    ]  # fmt: skip


def test_months_lines_and_dollars_go_with_their_people() -> None:
    made = whole({Kind.NOT_OWN: 10, Kind.COUNTS: 90}, {Kind.FEE_CLAIMS: 5, Kind.NOT_OWN: 6}, np.random.default_rng(1))
    tables, _ = may_leave(made)
    assert tables["people"].member_months.tolist() == [MARK, MARK, 1_080]
    rows = tables["dollars"][["people", "lines", "dollars"]].to_numpy().tolist()
    assert rows[2:4] == [[MARK] * 3] * 2


def test_what_one_group_shows_does_not_give_back_what_another_hides() -> None:
    """Two groups of one year of claims share two rules; each alone would hide the five people with another row.

    By hand: the first group's sum less the fee claims that the second showed were the $1,234.56 of five people.
    """

    def group(name: str, of_people: int) -> list[Dollars]:
        rows = [
            (Kind.READ, None, 5_000, 100_000_000),
            (Kind.OTHER_YEAR, None, -3_000, -60_000_000),
            (Kind.PAID_LATE, 5, -9, -123_456),
            (Kind.FEE_CLAIMS, 12, -12, -60_000),
            (Kind.NOT_THIS_YEAR, of_people, -900, -1_000_000 * of_people),
        ]
        return [Dollars(2026, name, kind, str(kind), *counts) for kind, *counts in rows]

    made = Reconciliation(dollars=[*group("the same people in 2025", 500), *group("found in 2024", 11)])
    hides = {(made.dollars[n].group, made.dollars[n].kind) for n in hidden(made)[1]}
    for name in ("the same people in 2025", "found in 2024"):
        assert hides >= {(name, Kind.PAID_LATE), (name, Kind.FEE_CLAIMS)}


# --- by command: hidden, unless it is said who may read it -----------------------------------------------------------

DEAL = (Path(__file__).parent / "fee-measured.yaml").read_text("utf-8").replace("{}", "{age_from: 60}")


@pytest.fixture
def small_contract(tmp_path) -> list[object]:
    (tmp_path / "deal.yaml").write_text(DEAL, "utf-8")
    by_hand = Path(__file__).parent / "claims-by-hand"
    return ["measure", by_hand, tmp_path / "deal.yaml", "--out", tmp_path / "years.csv"]


def test_what_is_measured_of_few_people_is_hidden_in_the_tables_and_said_of_the_years(small_contract, run, tmp_path):
    done = run(*small_contract, "--reconciliation", tmp_path / "tables")
    assert done.code == 0
    assert "Facts of 2025 tell of 1 to 10 people" in done.err
    assert re.search(r"Hidden in the tables: \d+ rows of few people, or that would give one away\.", done.err)
    people = pd.read_csv(tmp_path / "tables" / "people.csv")
    assert set(people.people) <= {MARK, "0", "11"}  # 11 are enrolled
    facts = pd.read_csv(tmp_path / "tables" / "facts.csv").set_index("fact")
    assert facts.value[["lives", "member_months", "spend"]].tolist() == [MARK] * 3


def test_the_tables_are_whole_for_those_who_are_named_in_every_row(small_contract, run, tmp_path):
    words = [*small_contract, "--reconciliation", tmp_path / "tables", "--unmasked-for", "the plan, the practice"]
    assert run(*words).code == 0
    for name in ("people", "dollars", "facts"):
        table = pd.read_csv(tmp_path / "tables" / f"{name}.csv")
        assert set(table["not to be published, to be read by"]) == {"the plan, the practice"}
        assert MARK not in table.astype(str).to_numpy()


@pytest.mark.parametrize("names", ["", " ", "a\x1b[31m"])
def test_nobody_is_no_reader(names, small_contract, run, tmp_path):
    done = run(*small_contract, "--reconciliation", tmp_path / "tables", "--unmasked-for", names)
    assert (done.code, "who may read the tables" in done.err) == (2, True)
    assert not (tmp_path / "tables").exists()


def test_there_is_nothing_to_unmask_without_tables(small_contract, run):
    assert "add --reconciliation FOLDER" in run(*small_contract, "--unmasked-for", "the plan").err
