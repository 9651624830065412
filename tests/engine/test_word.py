"""The Word files: all that is said stands in them, numbers and their mentions are Word's own, changes are tracked."""

import re
from datetime import date
from pathlib import Path

import pytest
from docx import Document

from carecontracts import Contract, gallery
from carecontracts.paper.fingerprint import fingerprint_of
from carecontracts.paper.term_sheet import Section, paragraph, sections
from carecontracts.paper.word import write_word
from carecontracts.review.from_word import _accepted, _paragraphs

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NAMES = ["shared-savings", "mssp/enhanced", "pay-for-success", "medicaid-with-beds"]


def reopened(contract: Contract, folder: Path, **how):
    path = folder / "sheet.docx"
    write_word(contract, path, **how)
    return Document(str(path))


def texts(document) -> list[str]:
    return [_accepted(p._p) for p in document.paragraphs]


@pytest.mark.parametrize("name", NAMES)
def test_every_paragraph_and_table_is_there(name, tmp_path):
    contract = Contract.load(gallery(name))
    document = reopened(contract, tmp_path, ours=[])
    said = texts(document)
    for clause in contract.clauses:
        title = f"{clause.name[0].upper()}{clause.name[1:]}. "
        assert [t for t in said if t.startswith(title + paragraph(contract, clause))], clause.name
    written = [[[_accepted(c._tc) for c in row.cells] for row in table.rows] for table in document.tables]
    for section in sections(contract):
        if len(section.table) > 1:
            assert [[" ".join(cell.split()) for cell in row] for row in section.table] in written, section.heading


@pytest.mark.parametrize("name", NAMES)
def test_the_other_side_sees_no_basis_no_note_and_nothing_of_ours(name, tmp_path):
    contract = Contract.load(gallery(name))
    clause = contract.clauses[0]
    contract = contract.amend({clause.name: {"note": "we would go to half of it"}})
    document = reopened(contract, tmp_path)
    whole = " ".join([*texts(document), *(_accepted(c._tc) for t in document.tables for r in t.rows for c in r.cells)])
    assert "we would go to half of it" not in whole
    for heading in ("What each number rests on", "What is not modelled", "What we ask our own people"):
        assert heading not in whole
    assert document.sections[0].header.paragraphs[0].text.startswith("Draft")
    assert [row.cells[0].text.lower() for row in document.tables[-1].rows[1:]] == [
        name.lower() for name in contract.parties.values()
    ]
    ours = " ".join(texts(reopened(contract, tmp_path, ours=[Section("What chance makes of it", "It pays.")])))
    for said in ("we would go to half of it", "What each number rests on", "What chance makes of it It pays."):
        assert said in ours


def test_what_is_open_stands_in_brackets_and_what_is_said_does_not(tmp_path):
    said = " ".join(texts(reopened(Contract.load(gallery("shared-savings")), tmp_path)))
    assert "it cannot, [nothing changes / an expert whom both have named beforehand decides within 30 days]" in said
    assert "Either party may end it with [________] days' notice" in said
    assert "Questions for counsel" not in said
    assert "[" not in " ".join(texts(reopened(Contract.load(gallery("medicaid-with-beds")), tmp_path)))


def test_numbers_and_mentions_are_words_own(tmp_path):
    contract = Contract.load(gallery("shared-savings"))
    document = reopened(contract, tmp_path)
    marks = [mark.get(f"{W}name") for mark in document.element.body.iter(f"{W}bookmarkStart")]
    assert marks == [f"paragraph_{n}" for n in range(1, len(contract.clauses) + 1)]
    asked = [field.text for field in document.element.body.iter(f"{W}instrText")]
    named = re.findall(r"\(paragraph (\d+)\)", " ".join(paragraph(contract, c) for c in contract.clauses))
    assert len(asked) >= len(named) > 0
    assert {re.search(r"REF (paragraph_\d+) ", field)[1] for field in asked} <= set(marks)
    numbered = [p for p in document.paragraphs if p._p.pPr is not None and p._p.pPr.numPr is not None]
    assert not [p.text for p in numbered if re.match(r"\d+\.", p.text)]
    footer = document.sections[0].footer.paragraphs[0]
    assert [f.text.strip() for f in footer._p.iter(f"{W}instrText")] == ["PAGE", "NUMPAGES"]


def test_the_day_and_the_fingerprint_are_on_it(tmp_path):
    contract = Contract.load(gallery("shared-savings"))
    document = reopened(contract, tmp_path, on=date(2027, 3, 1))
    assert "1 March 2027" in document.sections[0].footer.paragraphs[0].text
    assert f"Fingerprint of the terms: {fingerprint_of(contract)} (carecontracts" in " ".join(texts(document))
    assert "[date]" in reopened(contract, tmp_path).sections[0].footer.paragraphs[0].text


def struck_and_written(document) -> tuple[str, str]:
    """What was there and what is there now, from the marks alone."""
    body = document.element.body
    gone = "".join(t.text or "" for t in body.iter(f"{W}delText"))
    come = "".join(t.text or "" for ins in body.iter(f"{W}ins") for t in ins.iter(f"{W}t"))
    return gone, come


def test_a_redline_marks_each_difference_and_nothing_else(tmp_path):
    before = Contract.load(gallery("shared-savings"))
    assert struck_and_written(reopened(before, tmp_path, before=before)) == ("", "")
    after = before.amend({"shared losses": {"cap": 0.03}})
    gone, come = struck_and_written(reopened(after, tmp_path, before=before))
    assert gone.replace(" ", "") == "2" + fingerprint_of(before).replace(" ", "")
    assert come.replace(" ", "") == "3" + fingerprint_of(after).replace(" ", "")


def test_a_clause_that_goes_is_struck_whole_and_one_that_comes_is_inserted(tmp_path):
    after = Contract.load(gallery("shared-savings"))
    data = after.model_dump(exclude_unset=True)
    data["clauses"] = data["clauses"][:-1]
    before = Contract.model_validate(data)
    for first, second, mark in ((before, after, "ins"), (after, before, "del")):
        document = reopened(second, tmp_path, before=first)
        marked = [p for p in document.element.body.iter(f"{W}p") if p.find(f"{W}pPr/{W}rPr/{W}{mark}") is not None]
        (text,) = ["".join(t.text or "" for t in p.iter(f"{W}t", f"{W}delText")) for p in marked]
        assert text.startswith("Recoupment of the advance. ")


def test_a_redline_accepted_reads_as_the_later_version(tmp_path):
    before = Contract.load(gallery("medicaid-with-beds"))
    after = before.amend({"stays avoided": {"price": 5000}}, provisions={"ending": {"notice": 90}}, years=2)
    write_word(after, tmp_path / "after.docx")
    write_word(after, tmp_path / "red.docx", before=before)
    plain, red = ([p.text for p in _paragraphs(tmp_path / f"{name}.docx")] for name in ("after", "red"))
    assert red == plain


def test_no_sign_is_lost(tmp_path):
    contract = Contract.load(gallery("shared-savings")).amend(title="130 & over <x> “now” $5 {y} | z")
    document = reopened(contract, tmp_path)
    assert document.paragraphs[0].text == contract.title
    assert document.core_properties.title == contract.title


def test_the_annex_has_the_measures_and_tables_from_which_a_year_is_measured(tmp_path):
    contract = Contract.load(gallery("whole-population-measured"))
    assert contract.measurement
    said = " ".join(texts(reopened(contract, tmp_path)))
    for measure in contract.measurement.measures.values():
        assert f"{measure.spec.title}. {' '.join(measure.spec.words.split())}" in said
        assert f"Counted: {' '.join(measure.spec.numerator.split())}" in said
    assert "Annex: the data from which the year is measured" in said
    assert "Annex" not in " ".join(texts(reopened(Contract.load(gallery("shared-savings")), tmp_path)))


def test_a_short_table_stands_on_one_page_and_a_long_one_repeats_its_head(tmp_path):
    document = reopened(Contract.load(gallery("medicaid-with-beds")), tmp_path, ours=[])
    sizes = set()
    for table in document.tables:
        kept = [all(cell.paragraphs[0].paragraph_format.keep_with_next for cell in row.cells) for row in table.rows]
        short = len(kept) <= 12
        assert kept == [short] * (len(kept) - 1) + [False]
        assert table.rows[0]._tr.trPr.find(f"{W}tblHeader") is not None
        sizes.add(short)
    assert sizes == {True, False}
