"""Reading what people write: YAML without its dangers, CSV without its surprises. Every mistake names its line."""

import csv
import io
import math
import re
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from .refusal import Fault, Refusal, show

Place: TypeAlias = tuple[Any, ...]  # the keys and positions that lead to a value
MOST_BYTES = 2_000_000
MOST_YAML_BYTES = 250_000  # some hundred times a long contract; a larger one takes many seconds to parse
MOST_DEPTH = 20


def read_text(path: Traversable | Path | str, most_bytes: int = MOST_BYTES) -> str:
    """A file's text; refuses a missing, empty, huge or binary one."""
    path = Path(path) if isinstance(path, str) else path
    try:
        raw = path.read_bytes()
    except OSError as error:
        do = "check the path" if isinstance(error, FileNotFoundError) else "give a readable file"
        raise Refusal(
            [Fault(str(path), error.strerror or "an unreadable file", "a file that can be read", do)]
        ) from None
    if not raw.strip():
        raise Refusal([Fault(str(path), "an empty file", "a file with content", "check that it was saved")])
    if len(raw) > most_bytes:
        given = f"{len(raw):,} bytes"
        raise Refusal([Fault(str(path), given, f"at most {most_bytes:,} bytes", "check that it is the right file")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    bad = next((c for c in text if (c < " " and c not in "\t\r\n") or c in "\x7f�"), None)
    if bad is not None:
        given = f"a binary file, or text with the character {bad!r}"
        raise Refusal([Fault(str(path), given, "plain text (UTF-8)", "save it as text: a spreadsheet as CSV UTF-8")])
    return text


# --- YAML ----------------------------------------------------------------------------------------------------


def read_yaml(path: Traversable | Path | str) -> tuple[Any, dict[Place, int]]:
    """A YAML file's data, and the line on which each part of it begins."""
    return parse_yaml(read_text(path, MOST_YAML_BYTES), str(path))


def parse_yaml(text: str, where: str) -> tuple[Any, dict[Place, int]]:
    """YAML as data only: no tags, no anchors or aliases, no key given twice.

    >>> parse_yaml("title: Fee\\nshare: 0.5", "fee.yaml")
    ({'title': 'Fee', 'share': 0.5}, {(): 1, ('title',): 1, ('share',): 2})
    >>> parse_yaml("a: &x [1]\\nb: *x", "fee.yaml")
    Traceback (most recent call last):
    ...
    carecontracts.refusal.Refusal: fee.yaml, line 1
      given:   the anchor &x
      allowed: plain YAML: no anchors (&), aliases (*) or tags (!)
      do:      write the value out
    fee.yaml, line 2
      given:   the alias *x
      allowed: plain YAML: no anchors (&), aliases (*) or tags (!)
      do:      write the value out
    """
    faults: list[Fault] = []
    try:
        faults = list(_faults_in_events(text, where))
        if faults:
            raise Refusal(faults)
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"{where}, line {mark.line + 1}" if mark else where
        given = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise Refusal([Fault(line, given, "YAML", "check the indentation, the colons and the quotes")]) from None
    except RecursionError:
        raise Refusal([_too_deep(where)]) from None
    if len(documents) != 1 or documents[0] is None:
        given = f"{len(documents)} documents" if len(documents) > 1 else "no content"
        raise Refusal([Fault(where, given, "one YAML document", "remove the lines ---")])
    lines: dict[Place, int] = {}
    faults = list(_walk(documents[0], (), where, lines))
    if faults:
        raise Refusal(faults)
    constructor = yaml.SafeLoader("")
    try:
        return constructor.construct_document(documents[0]), lines
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Refusal(
            [Fault(where, str(error).splitlines()[0], "plain YAML values", "write the value in quotes")]
        ) from None


def _too_deep(where: str) -> Fault:
    return Fault(where, f"values nested more than {MOST_DEPTH} deep", f"at most {MOST_DEPTH} levels", "flatten it")


def _faults_in_events(text: str, where: str) -> Iterator[Fault]:
    allowed, do, depth = "plain YAML: no anchors (&), aliases (*) or tags (!)", "write the value out", 0
    event: Any
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = f"{where}, line {event.start_mark.line + 1}"
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            yield Fault(line, f"the alias *{anchor}", allowed, do)
        elif anchor:
            yield Fault(line, f"the anchor &{anchor}", allowed, do)
        if tag:
            yield Fault(line, f"the tag {tag}", allowed, "write the value plainly")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            yield _too_deep(line)
            return


# YAML reads 010 as 8, 1:30 as 90 and 1_0 as 10: an agreement must not.
_ODD_NUMBER = re.compile(r".*[_:xb].*|[-+]?0[0-9]+")


def _key(node: yaml.Node) -> str | float | None:
    """A key as it will be read, text or a number; None for anything else."""
    if not isinstance(node, yaml.ScalarNode) or node.tag.endswith(":str"):
        return node.value if isinstance(node, yaml.ScalarNode) else None
    number = number_in(node.value) if node.tag.endswith((":int", ":float")) else ""
    return None if isinstance(number, str) or _ODD_NUMBER.fullmatch(node.value) else number


def _walk(node: yaml.Node, path: Place, where: str, lines: dict[Place, int]) -> Iterator[Fault]:
    lines[path] = node.start_mark.line + 1
    if node.tag.endswith((":int", ":float")) and _ODD_NUMBER.fullmatch(node.value):
        here = f"{where}, line {node.start_mark.line + 1}"
        yield Fault(here, f"the number {node.value}", "decimal digits, without leading zeros, _ or :", "write it out")
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*path, index), where, lines)
    elif isinstance(node, yaml.MappingNode):
        first: dict[Any, int] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            here = f"{where}, line {line}"
            name = _key(key)
            if name is None:
                given = f"the key {key.value}" if isinstance(key, yaml.ScalarNode) else "a list or terms as a key"
                yield Fault(here, given, "a key that is a word or a plain number", "write it so, or put it in quotes")
                continue
            if name in first:
                given = f"`{name}` twice (first on line {first[name]})"
                yield Fault(here, given, "each key once", "remove one of them")
            first[name] = line
            yield from _walk(item, (*path, name), where, lines)
            lines[*path, name] = line


# --- CSV ----------------------------------------------------------------------------------------------------


def read_csv(
    path: Traversable | Path | str, most_bytes: int = MOST_BYTES, any_header: bool = False
) -> tuple[list[str], list[dict[str, str]]]:
    """A CSV file's header and rows, all as text, without its blank rows.

    With `any_header` a column may have no name, or another's: the caller reads only columns that it knows.
    """
    text = read_text(path, most_bytes)
    where = str(path)
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        line = f"{where}, line {reader.line_num}"
        raise Refusal([Fault(line, str(error), "CSV", "save the table again as CSV UTF-8")]) from None
    header = [name.strip() for name in rows[0]] if rows else []
    if not header:
        do = "begin with the names of the columns"
        raise Refusal([Fault(f"{where}, row 1", "an empty row", "a header", do)])
    faults = [] if any_header else list(_faults_in_header(header, rows[1:], f"{where}, row 1"))
    body = []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            given = f"{len(row)} cells"
            faults.append(
                Fault(f"{where}, row {number}", given, f"{len(header)} cells, as in the header", "mend the row")
            )
        body.append(dict(zip(header, (cell.strip() for cell in row), strict=False)) | {"": str(number)})
    if not body:
        faults.append(Fault(where, "a header without rows", "at least one row", "add a row"))
    if faults:
        raise Refusal(faults)
    return header, body


def _faults_in_header(header: list[str], rows: list[list[str]], where: str) -> Iterator[Fault]:
    for n, name in enumerate(header):
        if not name and any(row[n].strip() for row in rows if n < len(row)):
            yield Fault(where, f"column {n + 1} without a name", "a name for each column", "name or remove it")
        elif name and name in header[:n]:
            yield Fault(where, f"the column {show(name)} again", "each column once", "remove one")


def number_in(text: str) -> float | str:
    """The number that a cell holds, or the cell's text where it holds none.

    >>> number_in("1250000"), number_in("0.5"), number_in("1,250"), number_in("nan")
    (1250000, 0.5, '1,250', 'nan')
    """
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number) or "_" in text:
        return text
    return int(number) if number.is_integer() and "." not in text else number


def safe_cell(value: Any) -> Any:
    """A cell that a spreadsheet will not run as a formula.

    >>> safe_cell("=cmd()"), safe_cell("-5.20"), safe_cell("the plan")
    ("'=cmd()", '-5.20', 'the plan')
    """
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and isinstance(number_in(value), str):
        return "'" + value
    return value
