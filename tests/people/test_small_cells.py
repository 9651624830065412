"""A table that leaves gives no small cell away: attacked by subtraction, by algebra and by search."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecontracts import small_cells
from carecontracts.refusal import Refusal
from carecontracts.small_cells import ALL, MARK

counts_of_people = st.one_of(st.integers(0, 14), st.integers(0, 400))


@st.composite
def frames(draw, most_rows=5, most_columns=4):
    rows, columns = draw(st.integers(1, most_rows)), draw(st.integers(1, most_columns))
    cells = draw(st.lists(counts_of_people, min_size=rows * columns, max_size=rows * columns))
    return pd.DataFrame(np.array(cells).reshape(rows, columns), columns=[f"c{j}" for j in range(columns)])


@st.composite
def staged(draw):
    width = draw(st.integers(2, 4))
    step = st.lists(counts_of_people, min_size=width, max_size=width)
    steps = draw(st.lists(step, min_size=1, max_size=5))
    made = pd.DataFrame(np.cumsum(np.array(steps), axis=1)[:, ::-1], columns=[f"s{j}" for j in range(width)])
    made.insert(0, "group", [f"g{i}" for i in range(len(made))])
    return made


def with_totals(frame):
    whole = frame.copy()
    if frame.shape[1] > 1:
        whole[ALL] = whole.sum(axis=1)
    if frame.shape[0] > 1:
        whole.loc[ALL] = whole.sum()
    return whole.to_numpy()


def sums(rows, columns):
    """Every sum that a reader of a table with totals knows, over its cells in reading order."""
    wide, high = columns + (columns > 1), rows + (rows > 1)
    at = np.arange(wide * high).reshape(high, wide)
    found = []
    for line in [*at] * (columns > 1) + [*at.T] * (rows > 1):
        equation = np.zeros(at.size)
        equation[line[:-1]], equation[line[-1]] = 1, -1
        found.append(equation)
    return np.array(found).reshape(-1, at.size)


def given_away_by_subtraction(equations, hidden):
    """What is found by filling in, again and again, the one number that a sum still lacks."""
    unknown = {int(k) for k in np.flatnonzero(hidden)}
    found = True
    while found:
        found = {lacking.pop() for e in equations if len(lacking := unknown & {*np.flatnonzero(e)}) == 1}
        unknown -= found
    return {int(k) for k in np.flatnonzero(hidden)} - unknown


def given_away_by_algebra(equations, hidden):
    """What any combination of the sums determines: no solution of the sums without it moves it."""
    columns = np.flatnonzero(hidden)
    if not len(columns) or not len(equations):
        return set()
    _, sizes, right = np.linalg.svd(equations[:, columns])
    free = right[(sizes > 1e-9).sum() :]
    return {int(columns[n]) for n in np.flatnonzero(np.abs(free).max(axis=0, initial=0) < 1e-9)}


@settings(max_examples=60, deadline=None)
@given(frames())
def test_no_small_cell_is_shown_or_can_be_worked_out(frame):
    made = small_cells.counts(frame)
    true, shown = with_totals(frame).ravel(), made.table.to_numpy().ravel()
    hidden = shown == MARK
    small = {int(k) for k in np.flatnonzero((true > 0) & (true < 11))}
    assert small <= {int(k) for k in np.flatnonzero(hidden)}
    equations = sums(*frame.shape)
    assert not small & given_away_by_subtraction(equations, hidden)
    assert not small & given_away_by_algebra(equations, hidden)


@settings(max_examples=60, deadline=None)
@given(frames())
def test_what_is_shown_is_true_and_what_is_hidden_is_counted(frame):
    made = small_cells.counts(frame)
    true, shown = with_totals(frame).ravel(), made.table.to_numpy().ravel()
    hidden = shown == MARK
    assert (true[~hidden] == shown[~hidden].astype(int)).all()
    assert (true[hidden] > 0).all()
    assert (made.cells, made.hidden, made.small) == (len(true), hidden.sum(), ((true > 0) & (true < 11)).sum())


@settings(max_examples=60, deadline=None)
@given(staged())
def test_no_step_between_two_stages_can_be_worked_out(frame):
    """Subtraction along rows and down columns, where the steps are numbers too."""
    names = list(frame.columns[1:])
    shown = small_cells.stages(frame, names).table[names].to_numpy()
    true = frame[names].to_numpy()
    if len(true) > 1:
        true = np.vstack([true, true.sum(axis=0)])
    high, wide = true.shape
    at = np.arange(high * wide).reshape(high, wide)
    step = high * wide + np.arange(high * (wide - 1)).reshape(high, wide - 1)
    equations = []
    for i, j in product(range(high), range(wide - 1)):
        equations.append({at[i, j]: 1, at[i, j + 1]: -1, step[i, j]: -1})
    if high > 1:
        equations += [dict.fromkeys(line[:-1], 1) | {line[-1]: -1} for line in [*at.T, *step.T]]
    matrix = np.zeros((len(equations), at.size + step.size))
    for n, equation in enumerate(equations):
        for k, sign in equation.items():
            matrix[n, k] = sign
    values = np.concatenate([true.ravel(), (true[:, :-1] - true[:, 1:]).ravel()])
    hidden = np.concatenate([shown.ravel() == MARK, np.ones(step.size, dtype=bool)])
    small = {int(k) for k in np.flatnonzero((values > 0) & (values < 11))}
    assert small <= {int(k) for k in np.flatnonzero(hidden)}
    assert not small & given_away_by_subtraction(matrix, hidden)
    assert not small & given_away_by_algebra(matrix, hidden)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 16), min_size=4, max_size=4))
def test_every_value_from_1_to_10_stays_possible(cells):
    """All 2 by 2 tables of numbers up to 60 that fit what is shown, one by one: no program decides this test."""
    frame = pd.DataFrame(np.array(cells).reshape(2, 2))
    true, shown = with_totals(frame).ravel(), small_cells.counts(frame).table.to_numpy().ravel()
    a, b, c, d = np.meshgrid(*[np.arange(33)] * 4, indexing="ij", sparse=True)
    whole = [a, b, a + b, c, d, c + d, a + c, b + d, a + b + c + d]
    fits = np.ones((33,) * 4, dtype=bool)
    for value, mark in zip(whole, shown, strict=True):
        fits &= (value > 0) if mark == MARK else (value == mark)
    for k in (0, 1, 3, 4):  # a total of two people or more is never 1
        if 0 < true[k] < 11:
            possible = np.unique(np.broadcast_to(whole[k], fits.shape)[fits])
            assert set(range(1, 11)) <= set(possible.tolist())


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ([[11, 30], [20, 40]], [11, 30, 41, 20, 40, 60, 31, 70, 101]),  # 11 may be shown
        ([[0, 30], [20, 40]], [0, 30, 30, 20, 40, 60, 20, 70, 90]),  # and so may 0
        ([[10, 30], [20, 40]], [MARK, MARK, 40, MARK, MARK, 60, 30, 70, 100]),  # 10 may not
        ([[3], [4], [50]], [MARK, MARK, MARK, 57]),  # 3 + 4 = 7 would say that neither is over 6
        ([[6], [6], [50]], [MARK, MARK, 50, 62]),  # 6 + 6 = 12 leaves each 1 to 11
        ([[5, 0]], [MARK, 0, MARK]),  # a total of one small cell is that cell
        ([[2, 2, 2], [40, 40, 40]], [MARK] * 4 + [MARK, MARK, MARK, MARK] + [42, 42, 42, 126]),
    ],
)
def test_by_hand(cells, shown):
    assert small_cells.counts(pd.DataFrame(cells)).table.to_numpy().ravel().tolist() == shown


def test_a_rate_is_hidden_with_its_numerator_its_denominator_or_its_complement():
    frame = pd.DataFrame(
        {"group": list("ABCDE"), "denominator": [40, 40, 9, 200, 300], "numerator": [4, 36, 9, 100, 120]}
    )
    made = small_cells.rates(frame)
    by_group = made.table.set_index("group")
    assert by_group.loc[["A", "B", "C"], "rate"].tolist() == [MARK] * 3  # 4 of 40, 4 not of 40, 9 in all
    assert by_group.loc["E", "rate"] == 0.4
    assert by_group.loc["A", "denominator"] == MARK  # the smallest that keeps the 9 of C from the total
    assert small_cells.rates(frame, totals=False).table["denominator"].tolist() == [40, 40, MARK, 200, 300]


def test_the_interval_and_the_dollars_of_a_hidden_rate_are_hidden_with_it():
    frame = pd.DataFrame({"group": ["A", "B"], "denominator": [40, 90], "numerator": [4, 44], "low": [0.03, 0.4]})
    table = small_cells.rates(frame, totals=False).table
    assert table["low"].tolist() == [MARK, 0.4]
    assert table["rate"].tolist() == [MARK, 44 / 90]


def test_services_have_no_complement():
    """12 admissions of 14 people: two people fewer is nobody's number, since one may have had three."""
    frame = pd.DataFrame({"group": ["A"], "denominator": [14], "numerator": [12]})
    assert small_cells.rates(frame).hidden == 1
    assert small_cells.rates(frame, events=True).hidden == 0


def test_one_mark_for_the_small_and_for_those_that_hide_it():
    made = small_cells.counts(pd.DataFrame({"a": [4, 60], "b": [40, 70]}))
    assert made.small == 1
    assert made.others == 3
    assert set(map(type, made.table.to_numpy().ravel())) == {str, int}
    assert {x for x in made.table.to_numpy().ravel() if isinstance(x, str)} == {MARK}
    assert "4 of 9 counts are hidden" in made.note


@pytest.mark.parametrize("bad", [-1, 2.5, float("nan"), "12", True])
def test_what_is_not_a_count_is_refused(bad):
    with pytest.raises(Refusal) as refusal:
        small_cells.counts(pd.DataFrame({"a": [bad, 3]}, dtype=object))
    assert [fault.where for fault in refusal.value.faults] == ["row 0, a"]


def test_stages_out_of_order_are_refused():
    with pytest.raises(Refusal, match="order the stages"):
        small_cells.stages(pd.DataFrame({"offered": [30], "reached": [31]}), ["offered", "reached"])
    with pytest.raises(Refusal, match="name columns of the table"):
        small_cells.stages(pd.DataFrame({"offered": [30]}), ["offered", "reached"])
