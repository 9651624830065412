"""A table names its rows."""

import pandas as pd
import pytest

from carecontracts.notebook import table
from carecontracts.refusal import Refusal

FRAME = pd.DataFrame({"payer": ["Medicare", "<b>"], "lost": [7980, 3500]})


def test_a_named_index_stands_before_the_row():
    html = table(FRAME.set_index("payer"), {"lost": "{:,}"}).html
    assert "<thead><tr><th>payer</th><th>lost</th></tr></thead>" in html
    assert '<tr><th scope="row">Medicare</th><td>7,980</td></tr>' in html
    assert '<th scope="row">&lt;b&gt;</th>' in html


def test_so_do_labels_without_a_name_for_them():
    html = table(pd.DataFrame({"saved": [1, 2]}, index=["here", "there"])).html
    assert "<td></td><th>saved</th>" in html
    assert '<tr><th scope="row">here</th><td>1</td></tr>' in html


def test_the_order_of_the_rows_is_no_name():
    for frame in (FRAME, FRAME[FRAME.lost < 5000].reset_index(drop=True)):
        assert "scope" not in table(frame).html


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"lost": [7980, 3500]}, index=[300, 1_000]),  # sizes: without them no row says whose it is
        pd.DataFrame({"lost": [7980, 3500]}, index=[2025, 2026]),
        FRAME[FRAME.lost < 5000],  # what a filter left of the order
        FRAME.sort_values("lost"),
    ],
)
def test_numbers_that_may_be_names_are_refused_until_they_are_named(frame):
    with pytest.raises(Refusal, match="rename_axis"):
        table(frame)
    assert '<th scope="row">' in table(frame.rename_axis("people")).html
    assert "scope" not in table(frame.reset_index(drop=True)).html
