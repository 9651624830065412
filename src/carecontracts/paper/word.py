"""A contract as a Word document: a draft for the other side, or our own file with all that we keep to ourselves.

Needs python-docx. Paragraph n is line n of the statement; numbers and the places that name them are Word's own fields.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from difflib import SequenceMatcher
from pathlib import Path
from typing import BinaryIO, NamedTuple

from .. import __version__
from ..contract import Contract
from ..refusal import Fault, Refusal
from .fingerprint import fingerprint_of
from .term_sheet import Section, sections

REFERENCE = re.compile("\ue000(\\d+)\ue001")  # a paragraph's number where another names it; no contract has these signs
LONGEST_PROPERTY = 255  # characters, of a document's own title in Word
DRAFT = "Draft for discussion. Nothing binds before both sides have signed."
OURS = "Our file. Not for the other side."
SIGNED = ("", "Name and title", "Signature", "Date")


class Block(NamedTuple):
    """One thing on the paper: its kind, what it is called among its kind, and its text with styles, or its rows."""

    kind: str  # title, text, heading, clause, point, item or table
    key: str
    text: tuple[tuple[str, str], ...] = ()  # each with its style: plain, bold or italic
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        return self.kind, self.key


def blocks(contract: Contract, ours: Sequence[Section] | None = None) -> list[Block]:
    """What stands on the paper, in order; `ours` are the sections of our file, without which it is for the other side.

    A paragraph that another one names is written as its number between the two signs of `REFERENCE`.
    """
    found = [Block("title", "title", ((contract.title, "plain"),)), *_text("summary", contract.summary)]
    signed = [s for s in sections(contract, "\ue000{}\ue001".format, bracketed=True) if ours is not None or not s.ours]
    for section in [*signed, *_annex(contract), *(ours or ())]:
        found += _section(section, notes=ours is not None)
    found += _text(
        "fingerprint", f"Fingerprint of the terms: {fingerprint_of(contract)} (carecontracts {__version__})."
    )
    if ours is None:
        found.append(Block("heading", "Signatures", (("Signatures", "plain"),)))
        rows = tuple((name[0].upper() + name[1:], "", "", "") for name in contract.parties.values())
        found.append(Block("table", "Signatures", rows=(SIGNED, *rows)))
    return found


def _annex(contract: Contract) -> Iterator[Section]:
    """The measures by which a contract that measures its own years does so, and the tables from which."""
    if contract.measurement:
        from .data_appendix import measures_of_a_year, tables_of_a_year

        if measures := contract.measurement.measures:
            yield measures_of_a_year(measure.spec for measure in measures.values())
        yield tables_of_a_year()


def _section(section: Section, *, notes: bool) -> Iterator[Block]:
    yield Block("heading", section.heading, ((section.heading, "plain"),))
    yield from _text(f"{section.heading}, lead", section.lead)
    for kind, paragraphs in (("clause", section.clauses), ("point", section.points)):
        for title, words, note in paragraphs:
            noted = ((f" {note}", "italic"),) if note and notes else ()
            yield Block(kind, f"{section.heading}, {title}", ((f"{title}. ", "bold"), (words, "plain"), *noted))
    for n, item in enumerate(section.items):
        yield Block("item", f"{section.heading}, {n}", ((item, "plain"),))
    if len(section.table) > 1:
        yield Block("table", section.heading, rows=tuple(section.table))
    elif section.table:
        yield from _text(f"{section.heading}, none", "None.")
    yield from _text(f"{section.heading}, after", section.after)


def _text(key: str, text: str) -> Iterator[Block]:
    if text:
        yield Block("text", key, ((text, "plain"),))


def write_word(
    contract: Contract,
    file: Path | str | BinaryIO,
    *,
    ours: Sequence[Section] | None = None,
    before: Contract | None = None,
    on: date | None = None,
) -> None:
    """Write the contract as a .docx file, to a path or into an open file.

    For the other side it has what both sign, with what is open in brackets. With `ours`, the sections of our file, it
    has them too, and the bases, the notes and what is not modelled. With `before`, an earlier version, every difference
    from it is a tracked change. `on` is the day in its footer; without it the day is left blank.
    """
    try:
        from .word_parts import Document
    except ModuleNotFoundError:
        allowed, do = "a .docx file, where python-docx is installed", "pip install python-docx, or write a .md file"
        raise Refusal([Fault(contract.title, "a Word file", allowed, do)]) from None
    document = Document(contract.title[:LONGEST_PROPERTY], OURS if ours is not None else DRAFT, on)
    now = blocks(contract, ours)
    then = now if before is None else blocks(before, ours)
    for was, block in aligned(then, now):
        document.put(block, was)
    document.save(file)


def aligned(then: Sequence[Block], now: Sequence[Block]) -> Iterator[tuple[Block | None, Block | None]]:
    """Each block of the later version with the one it comes from; what was struck out stands where it stood."""
    return (
        pair
        for how, a, b, c, d in SequenceMatcher(None, [x.name for x in then], [x.name for x in now], False).get_opcodes()
        for pair in (
            zip(then[a:b], now[c:d], strict=True)
            if how == "equal"
            else [*((was, None) for was in then[a:b]), *((None, block) for block in now[c:d])]
        )
    )


def aligned_rows(then: Block | None, now: Block | None) -> Iterator[tuple[Sequence[str] | None, Sequence[str] | None]]:
    """The same for the rows of a table: a row with other cells is the same row, where as many came as went."""
    old, new = (then.rows if then else ()), (now.rows if now else ())
    for how, a, b, c, d in SequenceMatcher(None, old, new, False).get_opcodes():
        if how == "equal" or (how == "replace" and b - a == d - c):
            yield from zip(old[a:b], new[c:d], strict=True)
        else:
            yield from ((row, None) for row in old[a:b])
            yield from ((None, row) for row in new[c:d])
