"""A contract as a Word document, for those who negotiate in one. Needs python-docx."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..contract import Contract
from ..refusal import Fault, Refusal
from .term_sheet import Section, sections

LONGEST_PROPERTY = 255  # characters, of a document's own title in Word


def write_word(contract: Contract, file: Path | str | BinaryIO) -> None:
    """Write the term sheet as a .docx file, to a path or into an open file: paragraph n is line n of the statement.

    The numbers of paragraphs are typed, so that they stay what they are when a paragraph is moved.
    """
    try:
        from docx import Document
    except ModuleNotFoundError:
        allowed, do = "a .docx file, where python-docx is installed", "pip install python-docx, or write a .md file"
        raise Refusal([Fault(contract.title, "a Word file", allowed, do)]) from None
    document = Document()
    document.core_properties.title, document.core_properties.author = contract.title[:LONGEST_PROPERTY], ""
    document.add_heading(contract.title, 0)
    document.add_paragraph(contract.summary)
    for section in sections(contract):
        _add(document, section)
    document.save(str(file) if isinstance(file, Path) else file)


def _add(document: Any, section: Section) -> None:
    document.add_heading(section.heading, 1)
    if section.lead:
        document.add_paragraph(section.lead)
    for number, (title, words, note) in enumerate(section.clauses, 1):
        paragraph = document.add_paragraph(f"{number}. ")
        paragraph.add_run(f"{title}. ").bold = True
        paragraph.add_run(words)
        if note:
            paragraph.add_run(f" {note}").italic = True
    for item in section.items:
        document.add_paragraph(item, style="List Bullet")
    for title, words, note in section.points:
        paragraph = document.add_paragraph(style="List Bullet")
        paragraph.add_run(f"{title}. ").bold = True
        paragraph.add_run(words)
        if note:
            paragraph.add_run(f" {note}").italic = True
    if section.table:
        _add_table(document, section.table)
    if section.after:
        document.add_paragraph(section.after)


def _add_table(document: Any, rows: Sequence[tuple[str, ...]]) -> None:
    if len(rows) == 1:
        document.add_paragraph("None.")
        return
    table = document.add_table(rows=0, cols=len(rows[0]), style="Light Grid Accent 1")
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
