"""Figures and words of the pages: a number is one number wherever it stands, and one of a thing is one."""

import ast
import json
import re
from pathlib import Path

import pytest

from carecontracts import Contract, Year, gallery
from carecontracts.chance.noise import Sharing
from carecontracts.measuring.enrollment import Enrollment
from carecontracts.worded import in_number

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.md"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOURCE = sorted((ROOT / "src").rglob("*.py"))


def cells(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]]


def prose(path: Path) -> str:
    """What a page says, without its code and its formulas."""
    if path.suffix == ".md":
        return re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    told = json.loads(path.read_text("utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in told if cell["cell_type"] == "markdown")


# --- one of a thing is one --------------------------------------------------------------------------------------------

THINGS = (
    "people|persons|rows|lines|members|months|years|days|claims|mistakes|places|stays|columns|files|clauses|studies|"
    "draws|values|codes|dates|visits|cases|points"
)


def counted_by_hand(tree: ast.AST) -> list[str]:
    """The f-strings in which a number that may be 1 stands before a word for several."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for number, words in zip(node.values, node.values[1:], strict=False):
                if not isinstance(number, ast.FormattedValue) or not isinstance(words, ast.Constant):
                    continue
                form = ast.unparse(number.format_spec) if number.format_spec else ""
                fixed = isinstance(number.value, ast.IfExp | ast.Call) or re.search(r"\.\d[f%]", form)
                constant = isinstance(number.value, ast.Name) and number.value.id.isupper()
                if re.match(rf" ({THINGS})\b", str(words.value)) and not fixed and not constant:
                    found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", SOURCE, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_things_are_counted_by_many(path):
    assert counted_by_hand(ast.parse(path.read_text("utf-8"))) == []


def test_the_rule_itself_sees_what_it_should():
    assert counted_by_hand(ast.parse("f'{n} rows'")) == ["f'{n} rows'"]
    assert counted_by_hand(ast.parse("f'{n:,} people who'")) != []
    assert counted_by_hand(ast.parse("f'{MOST} rows, {many(n, word)} left, {x:.1f} months, {n} rowsets'")) == []


def test_a_term_of_one_is_said_as_one():
    given = {"counts": "with any day of coverage", "deaths": "counted for the months that they lived", "least": 1}
    fields = {name: value for name, value in given.items() if name in Enrollment.model_fields}
    missing = [name for name, field in Enrollment.model_fields.items() if field.is_required() and name not in fields]
    assert missing == []
    assert "for at least 1 month of the year" in Enrollment(**fields).say()
    assert "for at least 2 months of the year" in Enrollment(**fields | {"least": 2}).say()
    assert in_number("{n} months", {"n": "1"}) == "{n} month"


@pytest.mark.parametrize("path", sorted((ROOT / "contracts").rglob("*.md")), ids=lambda path: path.stem)
def test_no_term_sheet_says_one_of_several(path):
    assert re.findall(rf"(?<![\w.,$-])1 (?:{THINGS})\b", path.read_text("utf-8")) == []


# --- a chance is worked out where it is pasted from -------------------------------------------------------------------

CHANCE = re.compile(
    r"\d[\d.,]*%? (?:to \d[\d.,]*%? )?(?:of|in) (?:the )?(?:\w+ )?(?:100|years|samples|draws|settlements|cases|terms)\b"
    r"|\b(?:a few|some|several|a couple of) (?:points|percent)\b"
    r"|\b(?:curve|formula|form|answer|interval|table)\b[^.]* says \d"
    r"|\b(?:about|nearly) a (?:third|quarter|fifth|half) (?:of years|of the time|short|too)\b"
)


def typed_chances(text: str) -> list[str]:
    # What is quoted is a contract's own sentence, whose shares are terms.
    own = (line for line in text.splitlines() if "{cite" not in line and not line.startswith("> "))
    lines = (re.sub(r"\{glue:\w*\}`[^`]*`", "", line) for line in own)
    return [line for line in lines if CHANCE.search(line)]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chance_in_a_chapter_is_pasted_or_cited(path):
    assert typed_chances(prose(path)) == []


def test_the_rule_of_chances_itself():
    assert typed_chances("It holds the truth in 70 to 80 of 100.")
    assert typed_chances("The table takes the normal curve, which is a few points too low.")
    assert typed_chances("The normal curve says 29%.")
    assert not typed_chances("It holds in {glue:text}`a.ipynb::b:s` of years; a fall of 10% was promised.")
    assert not typed_chances("Rewarded in 24% of years {cite:p}`delia2012`.")


# --- examples whose figures stand typed are worked out here -----------------------------------------------------------


def numbers(text: str) -> set[float]:
    found = re.findall(r"(?<![\w.])\\?\$?([\d,]*\d(?:\.\d+)?)", text)
    return {float(number.replace(",", "")) for number in found}


def test_the_two_orders_of_contracting_are_what_the_contract_pays():
    """Balance ACO, 2017: 2% first, then the cap, is what Medicare's contract pays; the other order is 2% less."""
    page = (ROOT / "book" / "contracting.md").read_text("utf-8")
    benchmark, spend, quality = 128_423_263, 90_089_518, 0.9146
    saved = benchmark - spend
    cap = 0.10 * benchmark
    first = min(0.5 * quality * saved * 0.98, cap)
    other = min(0.5 * quality * saved, cap) * 0.98
    worked = [
        saved,
        0.5 * quality * saved,
        0.5 * quality * saved * 0.98,
        cap,
        first,
        other,
        round(first) - round(other),
    ]
    assert {float(round(number)) for number in worked} <= numbers(page)
    contract = Contract.load(gallery("mssp/track-1"))
    facts = {"quality score": quality}
    met = ("quality standard met", "a quality standard met", "in the program at year end")
    conditions = dict.fromkeys(met, 1) | {"benchmark guardrail applies": 0}
    year = Year(year=2017, lives=12_000, spend=spend, benchmark=benchmark, measures=facts, conditions=conditions)
    assert contract.settle([year]).total(payee=contract.clauses[0].payee) == pytest.approx(first, abs=1)


def test_whether_the_fee_is_a_cost_is_worked_out():
    page = (ROOT / "book" / "contracting.md").read_text("utf-8")
    fee, saved = 500 * 260 * 12, 0.08 * 15_000_000
    assert {fee / 1e6, saved / 1e6, fee - saved, 0.5 * saved, fee - saved + 0.5 * saved} <= numbers(page)
    assert f"{fee / 15_000_000:.1%}" in page


def test_the_table_of_choosing_the_payment_is_worked_out():
    """The closed form at 500 people and $15 million, a spread of 1.18: rounded as the page rounds."""
    page = (ROOT / "book" / "payment.md").read_text("utf-8")
    spread = ((14_914 - 550) / 3.92) / (1 / 71 + 1 / 127) ** 0.5 / (7_732 / 0.37)
    assert f"{spread:.2f}" == "1.18"
    sd = 1.18 / 500**0.5
    assert {round(100 * sd, 2), round(sd * 15_000_000, -3)} <= numbers(page)
    for minimum, counted_from in ((0.0, "the first dollar"), (0.02, "the first dollar"), (0.0676, "the first dollar"),
                                  (0.0676, "the minimum")):  # fmt: skip
        odds = Sharing(share=0.5, minimum=minimum, counted_from=counted_from).odds(sd)
        cells = [cell for cell in page.splitlines() if cell.startswith("| ") and f"{odds.pays:.0%}" in cell]
        dollars = odds.payment * 15_000_000
        near = [number for line in cells for number in numbers(line) if abs(number - dollars) <= 600]
        assert near, (minimum, counted_from, odds.pays, dollars)


# --- names ------------------------------------------------------------------------------------------------------------


def test_no_two_pages_share_a_title():
    titles = {}
    for path in (*CHAPTERS, *NOTEBOOKS):
        text = path.read_text("utf-8") if path.suffix == ".md" else cells(path)[0]
        title = re.search(r"^# (.+)", text, re.MULTILINE)
        assert title, path
        titles.setdefault(title[1].casefold(), []).append(path.name)
    assert {title: names for title, names in titles.items() if len(names) > 1} == {}


FILE = re.compile(r"`((?:[\w-]+/)*[\w-]+\.(?:yaml|py|ipynb|md|csv))`")
A_READERS_OWN = {"years.csv", "mine.yaml", "deal.yaml", "contract.yaml", "findings.csv"}


@pytest.mark.parametrize("path", [*CHAPTERS, *NOTEBOOKS], ids=lambda path: path.name)
def test_a_page_names_files_that_are_there(path):
    roots = [ROOT, ROOT / "src" / "carecontracts", ROOT / "book", ROOT / "contracts"]
    folders = [*roots, *(folder for folder in (ROOT / "src" / "carecontracts").iterdir() if folder.is_dir())]
    named = set(FILE.findall(prose(path))) - A_READERS_OWN
    assert {name for name in named if not any((folder / name).is_file() for folder in folders)} == set()


BRITISH = re.compile(
    r"\b(colou?r(?<=our)|favour|behaviour|neighbour|labour|honour|programmes?|organis|centre|judgement|analyse|randomis|"
    r"recognis|summaris|prioritis|whilst|enrolment|fulfilment|travell|modell(?:ed|ing)(?<!modelled)(?<!modelling))\w*"
)


def test_spelling_is_american():
    own = [
        *CHAPTERS,
        *NOTEBOOKS,
        *SOURCE,
        *(ROOT / "site").rglob("*.py"),
        *(ROOT / "site" / "templates").glob("*.html"),
    ]
    own += [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "contracts").rglob("*.yaml")]
    found = {path.name: BRITISH.findall(path.read_text("utf-8").lower()) for path in own}
    assert {name: words for name, words in found.items() if words} == {}
