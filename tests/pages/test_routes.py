"""The pages that lead elsewhere: every route ends somewhere, and half an hour is half an hour."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
SETTLEMENTS = ROOT / "tests" / "engine" / "settlements"
SOURCES = (BOOK / "where-the-sources-went.md").read_text("utf-8")
START = (BOOK / "start.md").read_text("utf-8")
WORDS_A_MINUTE = 240  # an adult's silent reading; tables and formulas are read faster than they count


def rows() -> list[tuple[str, str, str]]:
    """The point, where it is worked out and what computes it, of each row of each table."""
    cells = [line.strip("|").split("|") for line in SOURCES.splitlines() if line.startswith("|")]
    found = [
        tuple(cell.strip() for cell in row) for row in cells if len(row) == 3 and not set("".join(row)) <= set("-| ")
    ]
    return [row for row in found if row[1] != "Where it is worked out"]  # type: ignore[misc]


def chapters(text: str) -> list[str]:
    return [name.split("<")[-1].rstrip(">") for name in re.findall(r"\{doc\}`([^`]+)`", text)]


def test_each_document_has_points_here() -> None:
    points = [point for point, _, _ in rows()]
    *documents, _ = SOURCES.split("\n## ")[1:]  # the last section is on what they do not have
    assert [text.splitlines()[0] for text in documents if not any(f"| {point} |" in text for point in points)] == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:50])
def test_every_point_has_a_chapter_and_something_that_runs(row: tuple[str, str, str]) -> None:
    _, explained, computed = row
    pages = chapters(explained)
    assert pages, "no chapter"
    assert [page for page in pages if not (BOOK / f"{page}.md").is_file()] == []
    files = re.findall(r"\]\(([^)]+)\)", computed)
    assert files, "nothing that runs"
    assert [file for file in files if not (BOOK / file).resolve().is_file()] == []
    assert all(file.endswith(".ipynb") or (BOOK / file).with_suffix(".yaml").is_file() for file in files)


def test_every_reader_is_done_in_half_an_hour() -> None:
    cards = START.split("::::{grid-item-card} ")[1:]
    assert len(cards) == 6
    for card in cards:
        steps = re.findall(r"^\d+\. (.*)$", card, re.M)
        assert len(steps) == 3
        words = 0
        for page in chapters("\n".join(steps)):
            text = (BOOK / f"{page}.md").read_text("utf-8")
            text = re.sub(r"```.*?```|<[^>]+>|\{[^}]*\}|`[^`]*`", " ", text, flags=re.S)
            words += len(text.split())
        assert words / WORDS_A_MINUTE <= 30, f"{card.splitlines()[0]}: {words / WORDS_A_MINUTE:.0f} minutes"


def test_more_cases_are_worked_by_hand_than_the_page_says() -> None:
    cases = sum(len(yaml.safe_load(file.read_text("utf-8"))["cases"]) for file in SETTLEMENTS.glob("*.yaml"))
    said = re.search(r"More than (\d+) settlement cases", (BOOK / "how-we-know.md").read_text("utf-8"))
    assert said
    assert int(said[1]) < cases < 2 * int(said[1])
