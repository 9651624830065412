"""The Word file says what the term sheet says, and loses no text."""

from pathlib import Path

import pytest
from docx import Document

from carecontracts import Contract, gallery
from carecontracts.paper.term_sheet import paragraph, sections
from carecontracts.paper.word import write_word


def reopened(contract: Contract, folder: Path):
    path = folder / "sheet.docx"
    write_word(contract, path)
    return Document(str(path))


@pytest.mark.parametrize("name", ["shared-savings", "mssp/enhanced", "pay-for-success"])
def test_every_paragraph_and_table_is_there(name, tmp_path):
    contract = Contract.load(gallery(name))
    document = reopened(contract, tmp_path)
    texts = [p.text for p in document.paragraphs]
    for number, clause in enumerate(contract.clauses, 1):
        (text,) = [t for t in texts if t.startswith(f"{number}. {clause.name[0].upper()}{clause.name[1:]}. ")]
        assert paragraph(contract, clause) in text
    written = [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables]
    assert written == [[list(row) for row in section.table] for section in sections(contract) if len(section.table) > 1]


def test_no_sign_is_lost(tmp_path):
    contract = Contract.load(gallery("shared-savings")).amend(title="130 & over <x> “now” $5 {y} | z")
    document = reopened(contract, tmp_path)
    assert document.paragraphs[0].text == contract.title
    assert document.core_properties.title == contract.title
