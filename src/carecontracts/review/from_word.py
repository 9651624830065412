"""A contract back from Word: each edited paragraph read into its terms, and what no term says told with its place."""

import re
import zipfile
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..clause import Clause
from ..contract import Contract
from ..paper.fingerprint import fingerprint_of
from ..paper.word import REFERENCE, Block, blocks
from ..provisions.section import SECTIONS
from ..refusal import Fault, Refusal
from ..units import say_list
from ..worded import Worded
from .compare import BESIDE, place
from .rewording import by_numbers, plain, read_new, reread

MOST_BYTES = 20_000_000
ALIKE = 0.6  # of its signs: a paragraph that is less like any of ours is a new one
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class Edit(NamedTuple):
    """A paragraph that was edited: where, what the contract says, what the document says, and whether terms do."""

    where: str
    contract: str
    document: str
    taken: bool


class Back(NamedTuple):
    """What came back: the contract with every edit that its terms can say, all edits, and whose copy it is.

    The fingerprint in the document is that of the contract it was made from, or of what it says now, or another's.
    """

    contract: Contract
    edits: list[Edit]
    fingerprint: Literal["the contract", "what it says now", "another", "none"]


class Paragraph(NamedTuple):
    mark: str  # the bookmark on it, where it has one
    text: str


def from_word(contract: Contract, path: Path) -> Back:
    """Read an edited document against the contract that it was made from; tracked changes count as accepted.

    A paragraph is found by its bookmark, else by its title, else by its likeness. Tables are compared, not read.
    """
    written = list(_paragraphs(path))
    rows = [row for row in _rows(path) if any(row)]
    edits: list[Edit] = []
    amended, left = contract, list(written)
    ours = any(each.text == RESTS_ON for each in written)
    titled = {block.name: block for block in blocks(contract, [] if ours else None)}
    for block in titled.values():
        if block.kind in ("table", "heading") or block.key == "fingerprint":
            continue
        said = _said(block)
        found = _find(block, said, left, contract)
        if found:
            left.remove(found)
        text = found.text if found else ""
        if plain(text) == plain(said):
            continue
        amended, taken = _take(amended, contract, block, _without_note(block, text))
        edits.append(Edit(_where(contract, block), said, text or "nothing", taken))
    headings = {plain(_said(block)) for block in titled.values() if block.kind == "heading"}
    for new in left if not ours else ():  # our own file has more, which is no part of the contract
        if plain(new.text) not in headings and not FURNITURE.match(new.text):
            edits.append(Edit("new in the document", "nothing", new.text, False))
    edits += _cells(titled.values(), rows)
    return Back(amended, edits, _fingerprint(contract, amended, written))


RESTS_ON = "What each number rests on"  # a heading that is in our own file alone
FURNITURE = re.compile(r"Fingerprint of the terms: |None\.$")


def _said(block: Block) -> str:
    return REFERENCE.sub(r"\1", "".join(text for text, _ in block.text))


def _without_note(block: Block, text: str) -> str:
    """The words of a paragraph, without the note that our own file has behind them."""
    note = block.text[-1][0] if len(block.text) > 2 else ""
    return plain(text).removesuffix(plain(note)).strip() if note else text


def _find(block: Block, said: str, left: list[Paragraph], contract: Contract) -> Paragraph | None:
    number = _number(block, contract)
    if number and (marked := [each for each in left if each.mark == f"paragraph_{number}"]):
        return marked[0]
    title = block.text[0][0].strip() if block.kind in ("clause", "point") else ""
    if title and (begun := [each for each in left if plain(each.text).startswith(plain(title))]):
        return begun[0]
    same = next((each for each in left if plain(each.text) == plain(said)), None)
    if same or title:
        return same
    best = max(left, key=lambda each: _likeness(each.text, said), default=None)
    return best if best and _likeness(best.text, said) >= ALIKE else None


def _likeness(a: str, b: str) -> float:
    matcher = SequenceMatcher(None, plain(a), plain(b), False)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE else 0.0


def _number(block: Block, contract: Contract) -> int | None:
    clause = _clause(block, contract)
    return contract.clauses.index(clause) + 1 if clause else None


def _clause(block: Block, contract: Contract) -> Clause | None:
    if block.kind != "clause":
        return None
    title = block.text[0][0].strip().removesuffix(".")
    return next(clause for clause in contract.clauses if clause.name[0].upper() + clause.name[1:] == title)


def _where(contract: Contract, block: Block) -> str:
    clause = _clause(block, contract)
    if clause:
        return place(contract, clause)
    heading = block.key.partition(",")[0]
    title = block.text[0][0].strip().removesuffix(".") if block.kind == "point" else ""
    return f"“{heading}”" + (f", “{title}”" if title else "")


# --- from words to terms ----------------------------------------------------------------------------------------------


def _take(amended: Contract, before: Contract, block: Block, text: str) -> tuple[Contract, bool]:
    """The contract with what a paragraph now says, and whether its terms can say it."""
    for changed in _tried(before, block, text):
        terms = dict(changed)
        try:
            candidate = amended.amend(terms.pop("clauses", None), **terms)
        except (Refusal, ValueError):
            continue
        if any(plain(_said(each)) == plain(text) for each in blocks(candidate) if each.kind == block.kind):
            return candidate, True
    return amended, False


def _tried(contract: Contract, block: Block, text: str) -> Iterator[Mapping[str, Any]]:
    """Amendments that may make the contract say the text."""
    if block.kind == "title":
        yield {"title": plain_of_contract(text)}
    elif block.key == "summary":
        yield {"summary": plain_of_contract(text)}
    elif block.kind == "item" and block.key.startswith("Parties and term"):
        yield from _parties_and_term(contract, block, text)
    elif block.kind == "clause":
        clause = _clause(block, contract)
        assert clause
        words = _without_title(block, text)
        terms = reread(clause, words, _named(contract, clause)) if words is not None else None
        if terms:
            yield {"clauses": {clause.name: terms}}
        if words is not None:
            yield from ({"clauses": {clause.name: terms}} for terms in by_numbers(clause, _said(block), text))
    elif block.kind == "point":
        yield from _beside(contract, block, text)


def plain_of_contract(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def _without_title(block: Block, text: str) -> str | None:
    title = plain(block.text[0][0])
    return plain(text)[len(title) :].strip() if plain(text).startswith(title) else None


def _named(contract: Contract, clause: Clause) -> dict[str, str]:
    """The terms that the contract says for a clause: its parties, and the paragraphs that it names."""
    number = {other.name: n for n, other in enumerate(contract.clauses, 1)}
    named = {
        term: say_list([f"“{name}” (paragraph {number[name]})" for name in getattr(clause, term)])
        for term in clause.looking_back
    }
    return {role: contract.parties[getattr(clause, role)] for role in clause.roles} | named


def _beside(contract: Contract, block: Block, text: str) -> Iterator[Mapping[str, Any]]:
    words = _without_title(block, text)
    title = block.text[0][0].strip().removesuffix(".")
    if words is None:
        return
    for section in BESIDE:
        held = getattr(contract, section)
        for field in type(held).model_fields if held else ():
            part = getattr(held, field)
            if isinstance(part, Worded) and getattr(part, "title", "") == title and (terms := reread(part, words)):
                yield {section: {field: terms}}
            if isinstance(part, Worded) and getattr(part, "title", "") == title:
                yield from ({section: {field: terms}} for terms in by_numbers(part, _said(block), text))
    for field, kind in SECTIONS.items():  # one that was open
        if kind.title == title and (new := read_new(kind, words)):
            said = contract.model_dump(exclude_unset=True).get("provisions") or {}
            yield {"provisions": {**said, field: new}}


def _parties_and_term(contract: Contract, block: Block, text: str) -> Iterator[Mapping[str, Any]]:
    if named := re.fullmatch(r"(.+?)(?: \(“(.+)”\))?", plain_of_contract(text)):
        key = named[2] or next((k for k, name in contract.parties.items() if name == _said(block)), named[1])
        if key in contract.parties:
            yield {"parties": {**contract.parties, key: named[1]}}
    if years := re.match(r"(?:Years )?(\d+) to (\d+);", text):
        first, last = int(years[1]), int(years[2])
        yield {"first_year": first, "years": last - first + 1}
        yield {"first_year": first}


# --- the document -----------------------------------------------------------------------------------------------------


def _body(path: Path) -> Any:
    try:
        from docx import Document
        from docx.opc.exceptions import PackageNotFoundError
    except ModuleNotFoundError:
        do = "pip install python-docx"
        raise Refusal([Fault(str(path), "a Word file", "one, where python-docx is installed", do)]) from None
    fault = Fault(
        str(path), "a file that Word cannot open", "a .docx file", "save it from Word as .docx, and give that"
    )
    try:
        if path.stat().st_size > MOST_BYTES:
            given = f"{path.stat().st_size:,} bytes"
            raise Refusal([Fault(str(path), given, f"at most {MOST_BYTES:,}", "take the pictures out")])
        with zipfile.ZipFile(path) as packed:
            if sum(each.file_size for each in packed.infolist()) > 10 * MOST_BYTES:
                raise Refusal([fault])
        return Document(str(path)).element.body
    except OSError as error:
        raise Refusal([Fault(str(path), error.strerror or "no file", "a .docx file", "check the path")]) from None
    except (zipfile.BadZipFile, PackageNotFoundError, KeyError, ValueError, SyntaxError):
        raise Refusal([fault]) from None


def _paragraphs(path: Path) -> Iterator[Paragraph]:
    """The paragraphs that are not in a table, as they read with every tracked change accepted."""
    for each in _body(path).iter(f"{W}p"):
        if any(True for _ in each.iterancestors(f"{W}tc")):
            continue
        marks = [mark.get(f"{W}name") for mark in each.iter(f"{W}bookmarkStart")]
        mark = next((name for name in marks if name and re.fullmatch(r"paragraph_\d+", name)), "")
        if text := _accepted(each):
            yield Paragraph(mark, text)


def _rows(path: Path) -> Iterator[tuple[str, ...]]:
    for row in _body(path).iter(f"{W}tr"):
        if row.find(f"{W}trPr/{W}del") is None:
            yield tuple(plain(" ".join(_accepted(p) for p in cell.iter(f"{W}p"))) for cell in row.iter(f"{W}tc"))


def _accepted(element: Any) -> str:
    """The text of an element without what was struck: `w:delText` is no `w:t`, and moved text stands where it went."""
    pieces = []
    for piece in element.iter(f"{W}t", f"{W}tab", f"{W}br"):
        if not any(True for _ in piece.iterancestors(f"{W}del", f"{W}moveFrom")):
            pieces.append(piece.text or "" if piece.tag == f"{W}t" else " ")
    return " ".join("".join(pieces).split())


def _cells(ours: Any, rows: list[tuple[str, ...]]) -> Iterator[Edit]:
    """The rows of the contract's tables that the document has not."""
    there = set(rows)
    for block in ours:
        if block.kind == "table" and block.key != "Signatures":
            for row in block.rows:
                said = tuple(plain(REFERENCE.sub(r"\1", cell)) for cell in row)
                if said not in there:
                    like = max(rows, key=lambda each: _likeness(" ".join(each), " ".join(said)), default=())
                    near = " | ".join(like) if _likeness(" ".join(like), " ".join(said)) >= ALIKE else "nothing"
                    yield Edit(f"the table “{block.key}”", " | ".join(said), near, False)


def _fingerprint(
    contract: Contract, amended: Contract, written: list[Paragraph]
) -> Literal["the contract", "what it says now", "another", "none"]:
    for each in written:
        if found := re.match(r"Fingerprint of the terms: ((?:[0-9a-f]{4} ?){4})", each.text):
            if plain(found[1]) == fingerprint_of(contract):
                return "the contract"
            return "what it says now" if plain(found[1]) == fingerprint_of(amended) else "another"
    return "none"
