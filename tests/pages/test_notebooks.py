"""Every notebook runs from top to bottom, cleanly and soon, and has the skeleton a reader learns once."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
import yaml
from jupyter_cache import get_cache

from execute import CACHE, NOTEBOOKS, ROOT, engine

SLOWEST = 10  # seconds of CPU on a quiet machine, the kernel's start and its imports among them
SLOWER = {"claims-to-a-year": 30}  # it goes from claim lines to a settled year several times over
BUSY = 2  # a processor that has other work besides counts up to two seconds for one
WIDEST = 88  # characters of code: what a page shows without scrolling sideways

# What the level-two headings of a notebook say, in this order; others may stand between them. The notebooks of the
# chapters on payment settle a contract; the others work out what a contract rests on.
PAYMENT = (
    "question",
    "terms",
    "mechanism",
    "population",
    "settle",
    "moves the money",
    "chance",
    "exercises",
    "your own numbers",
    "sources",
)
OTHER = (
    "question",
    "in a few lines",
    ("people", "data"),
    "moves the answer",
    "exercises",
    "your own numbers",
    "sources",
)


class Run(NamedTuple):
    cells: list
    seconds: float
    written: list[str]


@cache
def executed(path: Path) -> Run:
    """The run whose results the book shows, and no older one: of this code, on this package and these contracts."""
    results = get_cache(CACHE)
    try:
        record = results.match_cache_notebook(source(path))
    except KeyError:
        pytest.fail(f"{path.name} has not run as it now is: make book")
    if record.data.get("engine") != engine():
        pytest.fail("the package, a contract or a pinned library has changed since the notebooks ran: make book")
    _, notebook = results.merge_match_into_notebook(source(path))
    return Run(notebook.cells, record.data["cpu_seconds"], record.data["wrote"])


notebooks = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def source(path: Path):
    return nbformat.read(path, as_version=4)


@cache
def of_payment() -> set[str]:
    """The notebooks that stand in the book's part on payment."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    [part] = [part for part in toc["parts"] if part["caption"] == "Payment"]
    files = [section["file"] for chapter in part["chapters"] for section in chapter.get("sections", ())]
    return {Path(file).name for file in files if file.startswith("notebooks/")}


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def sections(notebook) -> list[tuple[str, list]]:
    """The cells under each level-two heading, with the cell it stands in; those above the first are under ''."""
    found: list[tuple[str, list]] = [("", [])]
    for cell in notebook.cells:
        found[-1][1].append(cell)
        if cell.cell_type == "markdown":
            found += [(heading, [cell]) for heading in re.findall(r"^## (.+)", cell.source, re.M)]
    return found


@notebooks
def test_it_runs_without_a_word_on_stderr(path):
    for cell in executed(path).cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", f"{cell.source}\n\n{output.text}"


@notebooks
def test_it_runs_soon(path):
    assert executed(path).seconds < BUSY * SLOWER.get(path.stem, SLOWEST)


@notebooks
def test_it_writes_nothing(path):
    assert not executed(path).written


@notebooks
def test_no_results_are_committed(path):
    for cell in source(path).cells:
        if cell.cell_type == "code":
            assert not cell.outputs, f"clear the output of: {cell.source}"
            assert cell.execution_count is None, f"clear the execution count of: {cell.source}"


@notebooks
def test_its_code_fits_the_page(path):
    for cell in source(path).cells:
        if cell.cell_type == "code":
            long = [line for line in cell.source.splitlines() if len(line) > WIDEST]
            assert not long, f"more than {WIDEST} characters, in {cell.id}: {long}"


@notebooks
def test_its_tables_need_no_jinja(path):
    """A Styler needs Jinja, which a reader who runs one notebook may not have; and there is one way to show a table."""
    for cell in source(path).cells:
        if cell.cell_type == "code":
            by_hand = re.search(r"\.style\b|\.to_html\(", cell.source)
            assert not by_hand, f"use carecontracts.notebook.table in: {cell.source}"


@notebooks
def test_it_opens_with_a_question_and_its_answer(path):
    first = source(path).cells[0]
    assert first.cell_type == "markdown"
    title, *rest = first.source.splitlines()
    assert re.fullmatch(r"# .+\?", title), f"the title is a question: {title!r}"
    assert any(line.strip() for line in rest), "a sentence of answer stands under the title"


@notebooks
def test_it_says_how_long_it_takes_and_leads_to_its_chapter(path):
    above = "\n".join(cell.source for cell in sections(source(path))[0][1])
    assert re.search(r"\b\d+ minutes\b", above)
    assert re.search(r"\]\(\.\./book/[\w-]+\.md\)", above)


@notebooks
def test_it_has_one_cell_of_knobs_and_it_is_the_first_to_run(path):
    code = [cell for cell in source(path).cells if cell.cell_type == "code"]
    if code[0].id == "imports":  # which may stand before it, folded, and nothing else
        assert {type(node) for node in ast.parse(code.pop(0).source).body} <= {ast.Import, ast.ImportFrom}
    assert ["knobs" in tags(cell) for cell in code] == [True] + [False] * (len(code) - 1)


@notebooks
def test_its_sections_come_in_the_order_of_the_skeleton(path):
    headings = [heading for heading, _ in sections(source(path))[1:]]
    rest = iter(headings)
    for wanted in PAYMENT if path.stem in of_payment() else OTHER:
        words = (wanted,) if isinstance(wanted, str) else wanted
        assert any(word in heading.lower() for heading in rest for word in words), (
            f"no section says {wanted!r}, in order, in {headings}"
        )


@notebooks
def test_what_it_works_by_hand_is_asserted(path):
    """A payment notebook asserts its settlement; every other, something that it derived."""
    parts = sections(source(path))[1:]
    if path.stem in of_payment():
        parts = [(heading, cells) for heading, cells in parts if "settle" in heading.lower()][:1]
    code = [cell.source for _, cells in parts for cell in cells if cell.cell_type == "code"]
    assert any(re.search(r"^assert ", source, re.M) for source in code)


@notebooks
def test_it_ends_by_glueing_what_the_chapter_pastes(path):
    """Those cells are neither on the page nor in the copy a reader downloads, which has no use for the book's tools."""
    cells = source(path).cells
    hidden = ["remove-cell" in tags(cell) for cell in cells]
    assert hidden[-1]
    assert hidden == sorted(hidden), "only the last cells are removed from the page"
    for cell in cells:
        pastes = "myst_nb" in cell.source or "nb.paste(" in cell.source
        assert pastes <= ("remove-cell" in tags(cell)), f"tag this cell remove-cell: {cell.source}"


@notebooks
def test_it_glues_what_chapters_paste(path):
    outputs = [output for cell in executed(path).cells for output in cell.get("outputs", [])]
    glued = {output.metadata["scrapbook"]["name"] for output in outputs if "scrapbook" in output.get("metadata", {})}
    chapters = "\n".join(chapter.read_text("utf-8") for chapter in (ROOT / "book").glob("*.md"))
    inline = re.findall(rf"{re.escape(path.name)}::(\w+)", chapters)
    blocks = re.findall(rf"\{{glue:\w*\}} (\w+)\n(?::[^\n]*\n)*?:doc: \S*{re.escape(path.name)}", chapters)
    assert inline + blocks
    assert set(inline + blocks) <= glued


@notebooks
def test_a_widget_that_a_page_cannot_run_is_not_on_the_page(path):
    for cell in executed(path).cells:
        for output in cell.get("outputs", []):
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                assert {"remove-output", "remove-cell"} & set(tags(cell)), f"tag this cell remove-output: {cell.source}"
