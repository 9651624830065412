"""Two versions and an edited Word file: every difference is told, in words and dollars, and every edit is read back."""

import csv
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from docx import Document

from carecontracts import Contract, Refusal, Year, gallery
from carecontracts.gallery import gallery_names
from carecontracts.paper.word import write_word
from carecontracts.review.compare import alone, changes, same_years, worth
from carecontracts.review.from_word import Back, from_word

SAVINGS = Contract.load(gallery("shared-savings"))
BEDS = Contract.load(gallery("medicaid-with-beds"))
UNSECURED = "What the provider may owe is secured by nothing."
SECURED = (
    "What the provider may owe is secured by a letter of credit."
    " It amounts to 25% of the most that the provider can owe in a year."
)
STOPPED = "fewer than a third of those on the list have a documented service in month 9"


# --- two contracts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", gallery_names())
def test_a_contract_is_like_itself_and_like_its_own_file(name: str) -> None:
    contract = Contract.load(gallery(name))
    assert changes(contract, contract) == []
    assert changes(contract, Contract.parse(contract.as_yaml())) == []


def test_every_kind_of_change_is_told_once_with_its_place() -> None:
    data = BEDS.model_dump(exclude_unset=True)
    data["title"] = "Another title"
    data["parties"]["system"] = "the county's health system"
    first, second, *rest = data["clauses"]
    rest = [clause for clause in rest if clause["name"] != "seen after the hospital"]
    rest[0]["price"] = 5000
    rest[-1]["net_of"] = [name for name in rest[-1]["net_of"] if name != "seen after the hospital"]
    new = {
        "name": "start",
        "kind": "advance",
        "payer": "plan",
        "payee": "system",
        "due": "at the start of the year",
        "amount": 100_000,
    }
    data["clauses"] = [second, first, *rest, new]
    data["goals"] = data["goals"][:2]
    data["provisions"]["governance"]["meets"] = "each quarter"
    del data["provisions"]["security"]
    data["not_modelled"] = [*data["not_modelled"], "what a lawyer says"]
    after = Contract.model_validate(data)
    told = {(change.where, change.what): (change.before, change.after) for change in changes(BEDS, after)}
    assert told["the agreement", "title"] == (BEDS.title, "Another title")
    assert told["parties", "“system”"] == ("the health system", "the county's health system")
    assert told["paragraph 3, “seen after the hospital”", "struck out"][1] == "not said"
    assert told["paragraph 5, “start”", "added"][0] == "not said"
    assert told["paragraph 3, “stays avoided”", "price"] == ("$4,400", "$5,000")
    assert told["paragraph 1, “fee for documented months”", "moved"] == ("paragraph 2", "paragraph 1")
    assert "seen after" in told["paragraph 4, “three years' savings”", "net of"][0]
    assert told["what else is agreed, “Governance”", "meets"] == ("each month", "each quarter")
    assert told["what else is agreed, “Security”", "struck out"][1] == "not said"
    assert told["what is not modelled", "added"] == ("not said", "what a lawyer says")
    assert sum(where == "what both sides want" for where, _ in told) == len(BEDS.goals) - 2


def test_a_clause_of_another_mechanism_under_the_same_name_is_told_as_such() -> None:
    data = SAVINGS.model_dump(exclude_unset=True)
    data["clauses"][0] = {**data["clauses"][0], "kind": "investment", "draw": 400_000}
    del data["clauses"][0]["amount"], data["clauses"][0]["basis"]
    (change,) = [c for c in changes(SAVINGS, Contract.model_validate(data)) if c.where.endswith("“advance”")]
    assert change.what == "another mechanism"


def test_what_it_is_worth_on_the_same_years_by_hand() -> None:
    # 12,000 months at $40 and $120: 8,000 x 40 + 4,000 x 120 = 800,000; at $45 for standard: 840,000
    year = Year(
        year=2026,
        member_months={"standard": 8_000, "complex": 4_000},
        benchmark=24e6,
        spend=21e6,
        measures={"quality score": 0.9},
    )
    after = SAVINGS.amend({"care management fee": {"per_member_per_month": {"standard": 45, "complex": 120}}})
    found = worth(SAVINGS, after, [year])
    assert found.clauses["care management fee"] == (800_000, 840_000)
    # savings after the fee fall from 2,200,000 to 2,160,000; half of them times 0.9: 990,000 and 972,000
    assert found.clauses["shared savings"] == (990_000, 972_000)
    # half of it pays the advance back, up to 400,000
    assert found.clauses["recoupment of the advance"] == (400_000, 400_000)
    assert found.parties["plan"][1] - found.parties["plan"][0] == -22_000
    (change,) = changes(SAVINGS, after)
    assert alone(SAVINGS, change, [year], "plan") == -22_000


def test_a_fact_that_only_one_version_reads_comes_from_its_own_years() -> None:
    one = Year(year=2026, spend=5.0, measures={"a": 0.5})
    other = Year(year=2026, spend=6.0, benchmark=7.0, measures={"a": 0.1, "b": 0.2})
    for years in same_years([one], [replace(other, year=2027), replace(other, year=2028)]):
        (year,) = years
        assert (year.spend, year.benchmark, year.measures) == (5.0, 7.0, {"a": 0.5, "b": 0.2})
    assert [[y.year for y in years] for years in same_years([one], [replace(other, year=2027)])] == [[2026], [2027]]


@pytest.mark.parametrize("other", ["mssp/enhanced", "global-capitation", "long-first-year", "pay-for-success"])
def test_two_contracts_that_have_little_in_common_are_compared_all_the_same(other: str, run: Any) -> None:
    done = run("compare", "shared-savings", other)
    assert done.code == 0, done.err
    assert "“shared savings”" in done.out
    assert ("Odds, drawn with the same luck" in done.out) == (other != "long-first-year")


# --- and an edited Word file ------------------------------------------------------------------------------------------


def edited(contract: Contract, folder: Path, *edits: tuple[str, str]) -> Back:
    """The contract's Word file with words replaced, as a hand does, read back."""
    path = folder / "sheet.docx"
    write_word(contract, path)
    document = Document(str(path))
    for old, new in edits:
        hits = [p for p in document.paragraphs if old in p.text]
        assert len(hits) == 1, (old, [p.text for p in hits])
        run = next((r for r in hits[0].runs if old in r.text), None)
        assert run is not None, old
        run.text = run.text.replace(old, new)
    document.save(str(path))
    return from_word(contract, path)


@pytest.mark.parametrize("name", gallery_names())
def test_an_unedited_file_says_what_the_contract_says(name: str, tmp_path: Path) -> None:
    contract = Contract.load(gallery(name))
    for ours in (None, []) if name in ("mssp/enhanced", "medicaid-with-beds") else (None,):
        write_word(contract, tmp_path / "sheet.docx", ours=ours)
        assert from_word(contract, tmp_path / "sheet.docx") == Back(contract, [], "the contract")


@pytest.mark.parametrize("name", ["shared-savings", "medicaid-with-beds", "pay-for-success", "complex-care-measured"])
def test_every_number_of_a_clause_is_read_back_from_a_redline(name: str, tmp_path: Path) -> None:
    contract = Contract.load(gallery(name))
    tried = 0
    for clause in contract.clauses:
        for term in clause.terms():
            value = getattr(clause, term)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            after = next(
                (a for new in (value * 2, value / 2) if (a := _amended(contract, clause.name, term, new))), None
            )
            if after is None or not changes(contract, after):
                continue
            tried += 1
            write_word(after, tmp_path / "red.docx", before=contract)
            back = from_word(contract, tmp_path / "red.docx")
            assert changes(back.contract, after) == [], (clause.name, term)
            assert back.fingerprint == "what it says now"
    assert tried >= 3


def _amended(contract: Contract, clause: str, term: str, value: float) -> Contract | None:
    try:
        return contract.amend({clause: {term: value}})
    except Refusal:
        return None


@pytest.mark.parametrize(
    ("contract", "edits", "told"),
    [
        (
            SAVINGS,
            [("$40 for standard, $120", "$45 for standard, $110")],
            {"per member per month": "$45 for standard, $110 for complex"},
        ),
        (
            SAVINGS,
            [("50% in years 1 to 2 and 60% from year 3", "45% in years 1 to 2 and 55% from year 3")],
            {"share": "45% in years 1 to 2 and 55% from year 3"},
        ),
        (SAVINGS, [("50% in years 1 to 2 and 60% from year 3", "45%")], {"share": "45%"}),
        (SAVINGS, [(" It is at most 10% of the benchmark.", "")], {"cap": "not said"}),
        (SAVINGS, [("Due at the start of the year.", "Due quarterly.")], {"due": "quarterly"}),
        (SAVINGS, [("2026 to 2028", "2026 to 2030")], {"years it runs": "5"}),
        (SAVINGS, [("the practice (“", "the clinic (“")], {"“practice”": "the clinic"}),
        (
            BEDS,
            [("Either party may end it with 180 days' notice", "Either party may end it with 90 days’ notice")],
            {"notice": "90"},
        ),
        (BEDS, [(UNSECURED, SECURED)], {"means": "a letter of credit", "of most": "25%"}),
        (BEDS, [("meets each month", "meets each quarter")], {"meets": "each quarter"}),
        (
            BEDS,
            [("fewer than a quarter of those on the list have", "fewer than a third of those on the list have")],
            {"stop rule": STOPPED},
        ),
        (
            BEDS,
            [
                ("At most $400,000 is paid for a year", "At most $300,000 is paid for a year"),
                ("pays the health system $4,400", "pays the health system $5,000"),
            ],
            {"price": "$5,000", "cap": "$300,000"},
        ),
    ],
)
def test_an_edit_by_hand_becomes_the_terms_that_say_it(
    contract: Contract, edits: list[tuple[str, str]], told: dict[str, str], tmp_path: Path
) -> None:
    back = edited(contract, tmp_path, *edits)
    assert [edit for edit in back.edits if not edit.taken] == []
    assert {change.what: change.after for change in changes(contract, back.contract)} == told
    assert back.fingerprint == "the contract"


def test_a_section_that_was_open_is_read_once_its_brackets_are_chosen(tmp_path: Path) -> None:
    back = edited(
        SAVINGS,
        tmp_path,
        (
            "[nothing / a reserve / a letter of credit / a withheld part of the fee / the parent's guaranty]",
            "a reserve",
        ),
        ("[________] of the most that", "20% of the most that"),
    )
    assert [edit for edit in back.edits if not edit.taken] == []
    assert back.contract.provisions
    assert back.contract.provisions.security
    assert back.contract.provisions.security.model_dump(exclude_unset=True) == {"means": "a reserve", "of_most": 0.2}


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        (
            ("pays the practice a share of them, counted", "may pay the practice a share of them, counted"),
            "paragraph 3",
        ),
        (("multiplied by the measure “quality score”", "multiplied by a measure both sides like"), "paragraph 3"),
        (
            (
                "minimum savings rate, as a share of the benchmark, is 2%",
                "minimum savings rate, as a share of the benchmark, is 200%",
            ),
            "paragraph 3",
        ),
    ],
)
def test_words_that_no_term_says_are_told_with_their_place(edit: tuple[str, str], where: str, tmp_path: Path) -> None:
    back = edited(SAVINGS, tmp_path, edit)
    (left,) = [each for each in back.edits if not each.taken]
    assert left.where.startswith(where)
    assert edit[1] in left.document
    assert back.contract == SAVINGS


def test_a_new_paragraph_a_struck_one_and_a_changed_cell_are_told(tmp_path: Path) -> None:
    path = tmp_path / "sheet.docx"
    write_word(BEDS, path)
    document = Document(str(path))
    struck = next(p for p in document.paragraphs if "Security. " in p.text)
    struck._p.getparent().remove(struck._p)
    document.add_paragraph("The system may leave whenever it likes.")
    cell = document.tables[0].rows[1].cells[2]
    cell.text = cell.text.replace("3 months", "4 months") if "3 months" in cell.text else "4 months (leading)"
    document.save(str(path))
    told = {edit.where: edit for edit in from_word(BEDS, path).edits}
    assert told["“What else is agreed”, “Security”"].document == "nothing"
    assert told["new in the document"].document == "The system may leave whenever it likes."
    assert "4 months" in told["the table “What both sides want”"].document


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"plain words", None])
def test_what_is_no_word_file_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "x.docx"
    if content is None:
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("a.txt", "x")
    else:
        path.write_bytes(content)
    with pytest.raises(Refusal, match=r"x\.docx"):
        from_word(SAVINGS, path)


# --- the commands -----------------------------------------------------------------------------------------------------


def test_there_and_back_by_commands_alone(run: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    shutil.copy(str(gallery("medicaid-with-beds")), mine)
    theirs, ours, back = tmp_path / "theirs.docx", tmp_path / "ours.docx", tmp_path / "back.yaml"
    done = run(
        "agreement", str(mine), "--theirs", str(theirs), "--ours", str(ours), "--lives", "600", "--line", "medicaid"
    )
    assert done.code == 0, done.err
    document = Document(str(theirs))
    piece = next(r for p in document.paragraphs for r in p.runs if "$4,400" in r.text)
    piece.text = piece.text.replace("$4,400", "$5,000")
    document.save(str(theirs))
    out = tmp_path / "d.csv"
    told = run("compare", str(mine), str(theirs), "--take", str(back), "--lives", "600", "--out", str(out))
    assert told.code == 0, told.err
    assert "Every edit of the document is a term of the contract." in told.out
    (row,) = csv.DictReader(out.read_text("utf-8").splitlines())
    assert (row["what"], row["before"], row["after"]) == ("price", "$4,400", "$5,000")
    assert yaml.safe_load(back.read_text("utf-8"))["clauses"][3]["price"] == 5000
    said = " ".join(p.text for p in Document(str(ours)).paragraphs)
    for heading in (
        "What chance makes of it",
        "Traps found in this draft",
        "Whom each choice favors",
        "What this assumes",
    ):
        assert heading in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["agreement", "shared-savings"], "--theirs, --ours"),
        (["agreement", "shared-savings", "--theirs", "x.pdf"], "a .docx file"),
        (["agreement", "shared-savings", "--theirs", "x.docx", "--dated", "tomorrow"], "YYYY-MM-DD"),
        (["compare", "shared-savings", "shared-risk", "--take", "x.yaml"], "--take"),
        (["compare", "shared-savings", "shared-risk", "--redline", "x.txt"], "--redline"),
        (["compare", "shared-savings", "nothing.docx"], "nothing.docx"),
        (["compare", "shared-savings", "shared-savings", "--lives", "0"], "--lives"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], told: str, run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.code == 2, result.err
    assert told in result.err
    assert list(tmp_path.iterdir()) == []
