"""No amount is set as mathematics, as two bare dollar signs in one paragraph would have it; nor written as $-5."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
AMOUNT, SIGN = re.compile(r"(?<![\\$])\$(?=\d)"), re.compile(r"(?<!\\)\$")


def amounts_at_risk(text: str) -> list[str]:
    """The paragraphs in which a bare dollar sign stands before a digit and another may close it."""
    paragraphs = re.split(r"\n\s*\n", CODE.sub("", text))
    return [part for part in paragraphs if AMOUNT.search(part) and len(SIGN.findall(part)) > 1]


def texts() -> dict[str, str]:
    """The prose of the book, of the term sheets and of the notebooks, by file and cell."""
    pages = [*sorted((ROOT / "book").glob("*.md")), *sorted((ROOT / "contracts").rglob("*.md"))]
    found = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in pages}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for n, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"]):
            if cell["cell_type"] == "markdown":
                found[f"{path.name} cell {n}"] = "".join(cell["source"])
    return found


def test_no_amount_becomes_a_formula():
    assert {where: parts for where, text in texts().items() if (parts := amounts_at_risk(text))} == {}


@pytest.mark.parametrize(
    ("text", "at_risk"),
    [
        ("It lent $9.6 million and guaranteed $7.2 million.", True),
        (r"It lent \$9.6 million and guaranteed \$7.2 million.", False),
        ("The fee is $260.", False),
        ("The fee is $260.\n\nIt is $230 now.", False),
        ("With $\\sigma$ the spread and $c$ the score.", False),
        ("`$9 and $7`", False),
    ],
)
def test_the_rule_itself(text, at_risk):
    assert bool(amounts_at_risk(text)) == at_risk


def test_every_message_writes_dollars_by_one_function():
    """Which puts the minus first; that function aside, and what shows tables and pictures."""
    own = {"refusal.py", "plots.py", "notebook.py"}
    files = [path for path in (ROOT / "src").rglob("*.py") if path.name not in own]
    assert [path.name for path in files if re.search(r"[\"' (]\$\{", path.read_text("utf-8"))] == []
