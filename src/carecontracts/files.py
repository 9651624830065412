"""Reading what people write: YAML without its dangers, CSV without its surprises. Every mistake names its line."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from .refusal import Fault, Refusal, many, printable, show

Place: TypeAlias = tuple[Any, ...]  # the keys and positions that lead to a value
MOST_BYTES = 2_000_000
MOST_YAML_BYTES = 250_000  # some hundred times a long contract; a larger one takes many seconds to parse
MOST_DEPTH = 20
MOST_COLUMNS = 5_000


def read_text(path: Traversable | Path | str, most_bytes: int = MOST_BYTES) -> str:
    """A file's text; refuses a missing, empty, huge or binary one."""
    path = Path(path) if isinstance(path, str) else path
    try:
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)  # never more: a file may be endless
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        do = "check the path" if isinstance(error, FileNotFoundError) else "give a readable file"
        given = getattr(error, "strerror", None) or "an unreadable file"
        raise Refusal([Fault(str(path), given, "a file that can be read", do)]) from None
    if len(raw) > most_bytes:
        do = "check that it is the right file"
        raise Refusal([Fault(str(path), "a larger file", f"at most {most_bytes:,} bytes", do)])
    if not raw.strip():
        raise Refusal([Fault(str(path), "an empty file", "a file with content", "check that it was saved")])
    text = _decoded(raw, str(path))
    bad = next((c for c in text if (c < " " and c not in "\t\r\n") or c in "\x7f\ufffd"), None)
    if bad is not None:
        given = f"a binary file, or text with the character {bad!r}"
        raise Refusal([Fault(str(path), given, "plain text (UTF-8)", "save it as text: a spreadsheet as CSV UTF-8")])
    return text


def _decoded(raw: bytes, where: str) -> str:
    """UTF-8; or the Windows page of a file that is written in it throughout, with nothing that only UTF-8 writes."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if re.search(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}", raw):
            line = raw.count(b"\n", 0, error.start) + 1
            given = f"the byte {raw[error.start]:02X}, in a file that is otherwise UTF-8"
            place, do = f"{where}, line {line}", "type the letter anew"
            raise Refusal([Fault(place, given, "plain text (UTF-8)", do)]) from None
        return raw.decode("cp1252", errors="replace")


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
    return yaml.SafeLoader("").construct_document(documents[0]), lines


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


_KINDS = {"timestamp": "a date", "int": "a number", "float": "a number"}


def _is_value(node: yaml.ScalarNode) -> bool:
    try:
        yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):
        return False
    return True


def _walk(node: yaml.Node, path: Place, where: str, lines: dict[Place, int]) -> Iterator[Fault]:
    lines[path] = node.start_mark.line + 1
    if node.tag.endswith((":int", ":float")) and _ODD_NUMBER.fullmatch(node.value):
        here = f"{where}, line {node.start_mark.line + 1}"
        yield Fault(here, f"the number {node.value}", "decimal digits, without leading zeros, _ or :", "write it out")
    elif isinstance(node, yaml.ScalarNode) and not _is_value(node):
        here, word = f"{where}, line {node.start_mark.line + 1}", node.tag.rpartition(":")[2]
        given = f"{show(node.value)}, which YAML takes for {_KINDS.get(word, 'a value')} and cannot read"
        yield Fault(here, given, "plain values", "correct it, or put it in quotes")
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
            if node.flow_style and not isinstance(name, str) and item.value == "":
                allowed = "a value for each key; decimals with a point"
                yield Fault(here, f"the key {key.value} without a value", allowed, "write 0.5, not 0,5")
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
    reader = csv.reader(io.StringIO(text), delimiter=separator(text.partition("\n")[0]), strict=True)
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


def separator(header: str) -> str:
    """The sign between the columns of a CSV file: of comma, semicolon, tab and bar, the one that its header has most.

    >>> separator("year;benchmark;spend, in dollars"), separator("year")
    (';', ',')
    """
    return max(",;\t|", key=header.count)


def _faults_in_header(header: list[str], rows: list[list[str]], where: str) -> Iterator[Fault]:
    if len(header) > MOST_COLUMNS:
        given, do = many(len(header), "column"), "check that it is the right file"
        yield Fault(where, given, f"at most {MOST_COLUMNS:,} columns", do)
        return
    seen: set[str] = set()
    for n, name in enumerate(header):
        if not name and any(row[n].strip() for row in rows if n < len(row)):
            yield Fault(where, f"column {n + 1} without a name", "a name for each column", "name or remove it")
        elif name and name in seen:
            yield Fault(where, f"the column {show(name)} again", "each column once", "remove one")
        seen.add(name)


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


def as_csv(header: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV text, in cells that a spreadsheet shows as they are."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in header])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return file.getvalue()


def safe_cell(value: Any) -> Any:
    """A cell that a spreadsheet will not run as a formula, and that does not break its row.

    >>> safe_cell("=cmd()"), safe_cell("-5.20"), safe_cell("the plan"), safe_cell("\\t=cmd()")
    ("'=cmd()", '-5.20', 'the plan', "'\\\\t=cmd()")
    """
    if not isinstance(value, str):
        return value
    begins = value.lstrip()[:1]
    value = printable(value)
    return "'" + value if begins in ("=", "+", "-", "@") and isinstance(number_in(value), str) else value
