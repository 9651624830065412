"""What may leave of a reconciliation: by the kind of a row, whatever its words; attacked by adding and subtracting."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecontracts.reconciliation import LINES_LEFT_OUT, Dollars, Kind, People, Reconciliation, may_leave
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
    assert hidden(other) == hidden(made)


@settings(max_examples=30, deadline=None)
@given(reconciliations())
def test_no_row_of_few_people_comes_back_by_adding_and_subtracting(made: Reconciliation) -> None:
    tables, _ = may_leave(made)
    for column, values in (
        ("dollars", [row.cents for row in made.dollars]),
        ("lines", [row.lines for row in made.dollars]),
    ):
        shown = tables["dollars"][column]
        known = [v for v, cell in zip(values, shown, strict=True) if cell is not MARK and v]
        left, right = sums_of(known[::2]), sums_of(known[1::2])  # of all of them: one of each half
        for row, value, cell in zip(made.dollars, values, shown, strict=True):
            if row.people and row.people < SMALLEST:
                assert cell is MARK, row
                if value is not None:
                    assert not any(value - one in right for one in left), (column, row)


@settings(max_examples=60, deadline=None)
@given(reconciliations())
def test_no_number_of_few_people_is_fixed_by_the_others(made: Reconciliation) -> None:
    tables, _ = may_leave(made)
    rows, cells = made.people, list(tables["people"].people)
    small = [n for n, row in enumerate(rows) if row.people and row.people < SMALLEST]
    assert all(cells[n] is MARK for n in small)
    unknown = [n for n, cell in enumerate(cells) if cell is MARK]
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
        ({Kind.HOSPICE: 5}, {Kind.HOSPICE, Kind.COUNTS}),  # 405 - 400
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
        ({Kind.PAID_LATE: 3, Kind.FEE_CLAIMS: 5, Kind.NOT_OWN: 90}, {Kind.PAID_LATE, Kind.FEE_CLAIMS}),
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


@pytest.mark.parametrize(("over", "marked"), [(10, {Kind.LIMIT}), (11, set())])
def test_the_people_over_the_limit_are_hidden_alone(over: int, marked: set[Kind]) -> None:
    """They left no line out, so no other row is a sum with theirs."""
    made = whole(COUNTED, {Kind.NOT_OWN: 90}, np.random.default_rng(1))
    made.dollars.append(Dollars(2026, "the year", Kind.LIMIT, "over the limit", over, None, -5))
    assert {made.dollars[n].kind for n in hidden(made)[1]} == marked


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
    assert tables["people"].member_months.tolist() == [1_200, MARK, MARK]
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
