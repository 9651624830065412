"""A chance that stands on several pages is the exact one, whichever page works it out."""

import ast

import nbformat
import pytest
from jupyter_cache import get_cache

from carecontracts.chance import convolution
from carecontracts.chance.noise import COEFFICIENT, Costs, Sharing
from execute import CACHE, NOTEBOOKS

# A half share from the first dollar past 2%: notebook, what it pastes, people, spread of one of them, true effect.
PASSES = [
    ("savings-or-luck", "paid_300", 300, COEFFICIENT, 0.0),
    ("savings-or-luck", "paid_1000", 1_000, COEFFICIENT, 0.0),
    ("savings-or-luck", "paid_20000", 20_000, COEFFICIENT, 0.0),
    ("health-system", "one_nothing", 500, COEFFICIENT, 0.0),
    ("health-system", "one_effect", 500, COEFFICIENT, 0.04),
    ("health-system", "ten_nothing", 5_000, COEFFICIENT, 0.0),
    ("shared-savings", "luck_left_out", 1_000, 1.2, 0.0),
]


def pasted(notebook: str) -> dict[str, object]:
    """What a notebook hands to the chapters, by name."""
    [path] = [path for path in NOTEBOOKS if path.stem == notebook]
    found = {}
    _, executed = get_cache(CACHE).merge_match_into_notebook(nbformat.read(path, as_version=4))
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            if "scrapbook" in output.get("metadata", {}):
                text = output.data.get("application/papermill.record/text/plain", "")
                html = output.data.get("application/papermill.record/text/html")
                found[output.metadata["scrapbook"]["name"]] = html or (
                    ast.literal_eval(text) if text[:1] in "'\"" else text
                )
    return found


@pytest.mark.parametrize(("notebook", "name", "people", "spread", "effect"), PASSES)
def test_how_often_luck_passes_two_percent_is_one_figure(notebook, name, people, spread, effect):
    totals = convolution.total(Costs.with_cv(1.0, spread), people)
    assert pasted(notebook)[name] == f"{totals.odds(Sharing(share=0.5, minimum=0.02), effect=effect).pays:.0%}"


def test_the_table_of_every_size_has_them_too():
    table = pasted("savings-or-luck")["luck_table"]
    for _, name, people, spread, effect in PASSES:
        if not effect and name != "paid_20000":
            odds = convolution.total(Costs.with_cv(1.0, spread), people).odds(Sharing(share=0.5, minimum=0.02))
            [row] = [row for row in table.split("<tr>") if f"<td>{people:,}</td>" in row]
            assert f"{odds.pays:.0%}, " in row
