"""What a Word document is made of: numbered paragraphs, fields that name them, tables, and tracked changes."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from difflib import SequenceMatcher
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt, RGBColor

from .word import REFERENCE, Block, aligned_rows

TOKEN = re.compile("\ue000\\d+\ue001|\\w+|\\s+|.", re.DOTALL)
FONT, INK = "Georgia", RGBColor(0x1A, 0x1A, 0x1A)
AUTHOR = "carecontracts"
SHORT_TABLE = 12  # rows, up to which a table stands on one page
SIGNS_ACROSS = 88  # of a table, from margin to margin
LONGEST_NAME = 48  # characters of a title in the footer, which is one line
HEADINGS, CLAUSES = 41, 42  # numbers of our two lists, above those of python-docx's own template
NUMBERING = """
<w:abstractNum {ns} w:abstractNumId="{headings}"><w:multiLevelType w:val="multilevel"/>
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="upperLetter"/><w:lvlText w:val="%1."/><w:lvlJc w:val="left"/>
<w:pPr><w:ind w:left="425" w:hanging="425"/></w:pPr></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/><w:lvlJc w:val="left"/>
<w:pPr><w:ind w:left="567" w:hanging="567"/></w:pPr></w:lvl></w:abstractNum>
""", """
<w:abstractNum {ns} w:abstractNumId="{clauses}"><w:multiLevelType w:val="singleLevel"/>
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/><w:lvlJc w:val="left"/>
<w:pPr><w:ind w:left="567" w:hanging="567"/></w:pPr></w:lvl></w:abstractNum>
"""  # fmt: skip
LISTS = {"heading": (HEADINGS, 0), "point": (HEADINGS, 1), "clause": (CLAUSES, 0)}
STYLES = {"title": "Title", "heading": "Heading 1", "item": "List Bullet"}


class Document:
    """A page with a mark above and a footer below, on which blocks are put one after the other."""

    def __init__(self, title: str, mark: str, on: date | None) -> None:
        self.word = docx.Document()
        self.word.core_properties.title, self.word.core_properties.author = title, ""
        self.day = f"{on:%d %B %Y}".lstrip("0") if on else "[date]"
        self.changed = {"w:author": AUTHOR, "w:date": f"{on or date(2000, 1, 1):%Y-%m-%d}T00:00:00Z"}
        self.ids = count(1)
        self.clauses = 0
        self._style()
        self._number()
        self._margins(title, mark)

    def save(self, file: Path | str | BinaryIO) -> None:
        self.word.save(str(file) if isinstance(file, Path) else file)

    def put(self, block: Block | None, was: Block | None) -> None:
        """A block at the end of the page; where it was otherwise before, with its changes tracked."""
        shown = block or was
        assert shown
        if shown.kind == "table":
            self._table(block, was)
            return
        paragraph = self.word.add_paragraph(style=STYLES.get(shown.kind))
        if shown.kind in LISTS:
            _in_list(paragraph, *LISTS[shown.kind])
        if block is None or was is None:  # the paragraph itself comes, or goes
            mark = OxmlElement("w:rPr")
            paragraph._p.get_or_add_pPr().append(mark)
            mark.append(self._change("w:ins" if block else "w:del"))
        if shown.kind == "clause" and block:
            self.clauses += 1
            with_name = self._bookmark(paragraph, f"paragraph_{self.clauses}")
            self._write(paragraph, was.text if was else (), block.text)
            paragraph._p.append(with_name)
        else:
            self._write(paragraph, was.text if was else (), block.text if block else ())

    # --- text ---

    def _write(self, paragraph: Any, was: Sequence[tuple[str, str]], now: Sequence[tuple[str, str]]) -> None:
        """The words, each with its style; those that went and those that came are marked so."""
        old, new = _tokens(was), _tokens(now)
        for how, a, b, c, d in SequenceMatcher(None, old, new, False).get_opcodes():
            if how == "equal":
                self._runs(paragraph._p, new[c:d])
                continue
            for tag, tokens in (("w:del", old[a:b]), ("w:ins", new[c:d])):
                if tokens:
                    change = self._change(tag)
                    paragraph._p.append(change)
                    self._runs(change, tokens, gone=tag == "w:del")

    def _runs(self, parent: Any, tokens: Sequence[tuple[str, str]], *, gone: bool = False) -> None:
        for text, style in _joined(tokens):
            if found := REFERENCE.fullmatch(text):
                if gone:
                    parent.append(_run(found[1], style, gone=True))
                else:
                    for part in _field(f" REF paragraph_{found[1]} \\r \\h ", found[1]):
                        parent.append(part)
            else:
                parent.append(_run(text, style, gone=gone))

    def _change(self, tag: str) -> Any:
        change = OxmlElement(tag)
        change.set(qn("w:id"), str(next(self.ids)))
        for name, value in self.changed.items():
            change.set(qn(name), value)
        return change

    def _bookmark(self, paragraph: Any, name: str) -> Any:
        """Begins a bookmark here; its end is for the caller to put."""
        start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
        number = str(next(self.ids))
        start.set(qn("w:id"), number)
        start.set(qn("w:name"), name)
        end.set(qn("w:id"), number)
        paragraph._p.append(start)
        return end

    # --- tables ---

    def _table(self, block: Block | None, was: Block | None) -> None:
        shown = block or was
        assert shown
        columns = len(shown.rows[0])
        together = len(shown.rows) - 1 if len(shown.rows) <= SHORT_TABLE else 0
        table = self.word.add_table(rows=0, cols=columns, style="Table Grid")
        for n, (old, new) in enumerate(aligned_rows(was, block)):
            row = table.add_row()
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
            if shown.key == "Signatures" and n:
                row.height = Pt(30)
            if old is None or new is None:
                row._tr.get_or_add_trPr().append(self._change("w:ins" if new else "w:del"))
            style = "bold" if n == 0 else "plain"
            for cell, before, after in zip(row.cells, old or ("",) * columns, new or ("",) * columns, strict=True):
                paragraph = cell.paragraphs[0]
                paragraph.style = self.word.styles["No Spacing"]
                if n < together:
                    paragraph.paragraph_format.keep_with_next = True
                self._write(paragraph, [(before, style)] if before else [], [(after, style)] if after else [])
        if table.rows:
            _repeats(table.rows[0])
        _lines_and_room(table)
        _fit(table, shown.rows, self.word.sections[0])
        self.word.add_paragraph().paragraph_format.space_after = Pt(2)

    # --- the page ---

    def _style(self) -> None:
        for name, size in (
            ("Normal", 10.5),
            ("Title", 18),
            ("Heading 1", 12.5),
            ("List Bullet", 10.5),
            ("No Spacing", 9),
        ):
            style = self.word.styles[name]
            style.font.name, style.font.size, style.font.color.rgb = FONT, Pt(size), INK
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
                fonts.set(qn(kind), FONT)
            for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
                fonts.attrib.pop(qn(theme), None)
        for line in self.word.styles["Title"].element.findall(f".//{qn('w:pBdr')}"):
            line.getparent().remove(line)
        self.word.styles["Normal"].paragraph_format.space_after = Pt(6)
        self.word.styles["Heading 1"].paragraph_format.keep_with_next = True
        self.word.styles["Heading 1"].paragraph_format.space_after = Pt(5)

    def _number(self) -> None:
        numbering = self.word.part.numbering_part.element
        first = numbering.find(qn("w:num"))
        for text in NUMBERING:
            first.addprevious(parse_xml(text.format(ns=nsdecls("w"), headings=HEADINGS, clauses=CLAUSES)))
        for number in (HEADINGS, CLAUSES):
            numbering.append(
                parse_xml(f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="{number}"/></w:num>')
            )

    def _margins(self, title: str, mark: str) -> None:
        section = self.word.sections[0]
        above = section.header.paragraphs[0]
        above.add_run(mark).bold = True
        below = section.footer.paragraphs[0]
        below.alignment = WD_ALIGN_PARAGRAPH.CENTER
        name = title if len(title) <= LONGEST_NAME else title[:LONGEST_NAME].rpartition(" ")[0] + " …"
        below._p.append(_run(f"{name} · {self.day} · page ", "plain"))
        for part in (*_field(" PAGE ", "1"), _run(" of ", "plain"), *_field(" NUMPAGES ", "1")):
            below._p.append(part)
        for paragraph in (above, below):
            paragraph.style.font.size = Pt(9)
            paragraph.style.font.name = FONT


def _tokens(text: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(token, style) for words, style in text for token in TOKEN.findall(words)]


def _joined(tokens: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Neighbors of one style as one text; a reference stands alone."""
    held, held_style = "", ""
    for token, style in tokens:
        if held and (style != held_style or REFERENCE.fullmatch(token) or REFERENCE.fullmatch(held)):
            yield held, held_style
            held = ""
        held, held_style = held + token, style
    if held:
        yield held, held_style


def _run(text: str, style: str, *, gone: bool = False) -> Any:
    run = OxmlElement("w:r")
    if style != "plain":
        properties = OxmlElement("w:rPr")
        properties.append(OxmlElement("w:b" if style == "bold" else "w:i"))
        run.append(properties)
    words = OxmlElement("w:delText" if gone else "w:t")
    words.text = text
    words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    run.append(words)
    return run


def _field(code: str, shown: str) -> Iterator[Any]:
    """A field: what it asks Word for, and what it shows until Word has looked."""
    for kind in ("begin", "", "separate", "shown", "end"):
        run = OxmlElement("w:r")
        if kind == "":
            asked = OxmlElement("w:instrText")
            asked.text = code
            asked.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
            run.append(asked)
        elif kind == "shown":
            words = OxmlElement("w:t")
            words.text = shown
            run.append(words)
        else:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run.append(mark)
        yield run


def _in_list(paragraph: Any, number: int, level: int) -> None:
    listed = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    listed.get_or_add_ilvl().val = level
    listed.get_or_add_numId().val = number


def _repeats(row: Any) -> None:
    """The head of a table stands on each page of it, on gray."""
    head = OxmlElement("w:tblHeader")
    row._tr.get_or_add_trPr().append(head)
    for cell in row.cells:
        cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="EFEFEF"/>'))


def _lines_and_room(table: Any) -> None:
    """Gray lines, room above and below what stands in a cell, and the lines at the margins of the page."""
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    lines = "".join(f'<w:{side} w:val="single" w:sz="4" w:color="A6A6A6"/>' for side in sides)
    room = "".join(
        f'<w:{side} w:w="{twentieths}" w:type="dxa"/>'
        for side, twentieths in (("top", 40), ("left", 80), ("bottom", 40), ("right", 80))
    )
    own = table._tbl.tblPr
    for before in own.findall(qn("w:tblInd")):
        own.remove(before)
    look = own.find(qn("w:tblLook"))  # what comes before it has an order in the standard
    for part in (
        f'<w:tblInd {nsdecls("w")} w:w="0" w:type="dxa"/>',
        f"<w:tblBorders {nsdecls('w')}>{lines}</w:tblBorders>",
        f"<w:tblCellMar {nsdecls('w')}>{room}</w:tblCellMar>",
    ):
        made = parse_xml(part)
        own.append(made) if look is None else look.addprevious(made)


def _usual(column: Sequence[str]) -> float:
    """How many signs a cell of a column has: the root of the mean square, so that one long cell is not all of it."""
    return float((sum(min(120, len(cell)) ** 2 for cell in column) / len(column)) ** 0.5)


def _fit(table: Any, rows: Sequence[Sequence[str]], page: Any) -> None:
    """Columns within the page: each as wide as its longest word, and the rest shared by how much stands in them."""
    columns = list(zip(*rows, strict=True))
    least = [max(7, *(len(word) + 4 for cell in column for word in cell.split())) for column in columns]
    wished = [max(n, _usual(column)) for n, column in zip(least, columns, strict=True)]
    more, room = [w - n for w, n in zip(wished, least, strict=True)], max(0, SIGNS_ACROSS - sum(least))
    if sum(more) > room:
        signs = [n + room * m / sum(more) for n, m in zip(least, more, strict=True)]
    else:
        signs = [w + (room - sum(more)) / len(wished) for w in wished]
    width = page.page_width - page.left_margin - page.right_margin
    table.autofit = False
    for column, share in zip(table.columns, signs, strict=True):
        column.width = int(width * share / sum(signs))
        for cell in column.cells:
            cell.width = column.width
