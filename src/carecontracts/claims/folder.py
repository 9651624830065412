"""What the files of a folder hold: which are a table, which cannot be opened, and which nothing reads."""

import csv
import os
import re
import stat
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import ibis.expr.types as ir
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ..refusal import Fault, Refusal, show
from .layout import NEEDED, SCHEMAS

TABLES = (".csv", ".parquet")


class Sorted(NamedTuple):
    """A folder's files by table; what is wrong with some of them; and the names of what no table claims."""

    files: dict[str, list[Path]]
    faults: dict[str, list[Fault]]  # of each table
    unread: list[str]


def listed(folder: Path) -> list[Path]:
    """What is in a folder, in order, hidden files aside."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise Refusal([_not_opened(folder, error.strerror)]) from None


def sort(folder: Path) -> Sorted:
    """Which file or folder of parts each table is; a name that is nearly a table's is a fault, any other is told."""
    files: dict[str, list[Path]] = {name: [] for name in SCHEMAS}
    faults: dict[str, list[Fault]] = {name: [] for name in SCHEMAS}
    unread = []
    here = listed(folder)
    for path in here:
        key = path.name.lower().split(".")[0]
        if key in SCHEMAS and ((path.is_dir() and path.name.lower() == key) or path.suffix.lower() in TABLES):
            files[key].append(path)
        elif near := nearest(key):
            do = f"name it {near}.csv or {near}.parquet, put it into a folder {near} of parts, or take it out"
            faults[near].append(Fault(str(path), "a name that no table claims", f"{near}.csv, {near}.parquet", do))
        elif near := _holds(path):
            do = f"name it {near}.csv or {near}.parquet if it is that table, add its rows to it, or take it out"
            given = "people's payments under a name that no table claims"
            faults[near].append(Fault(str(path), given, f"{near}.csv, {near}.parquet", do))
        else:
            unread.append(path.name)
    for name, found in files.items():
        if len(found) > 1:
            given = ", ".join(path.name for path in found)
            allowed = "one file, or one folder of one kind"
            faults[name].append(Fault(f"{folder}, table {name}", given, allowed, "keep one of them"))
        elif found and found[0].is_dir():
            files[name], wrong = _parts(found[0])
            faults[name] += wrong
        elif not found and name in NEEDED and not faults[name]:
            names = ", ".join(path.name for path in here[:8]) or "an empty folder"
            allowed = f"{name}.csv, {name}.parquet, or a folder {name} of parts"
            do = "add the file or rename it"
            faults[name].append(Fault(f"{folder}, table {name}", f"no such file; here: {names}", allowed, do))
    return Sorted(files, faults, unread)


def nearest(key: str) -> str:
    """The table that a name means that is not quite its own, or nothing.

    >>> nearest("pharmacy_claims"), nearest("medicalclaim_2025"), nearest("elegibility"), nearest("pharmacy")
    ('pharmacy_claim', 'medical_claim', 'eligibility', 'pharmacy_claim')
    >>> nearest("dental_claim"), nearest("readme")
    ('', '')
    """
    tables = {name.replace("_", ""): name for name in SCHEMAS}
    letters = re.sub("[^a-z]", "", key)
    for joined, name in tables.items():
        if joined in letters or (len(letters) > 5 and joined.startswith(letters)):
            return name
    return next((tables[joined] for joined in get_close_matches(letters, tables, 1, 0.85)), "")


def _holds(path: Path) -> str:
    """The table of claims whose rows a file of another name seems to hold, by its columns, or nothing."""
    if path.suffix.lower() not in TABLES or next(_faults_in_one(path), None):
        return ""
    columns = set(header(path)[0])
    if not {"person_id", "paid_amount"} <= columns:
        return ""
    return "pharmacy_claim" if columns & {"dispensing_date", "ndc_code"} else "medical_claim"


def _parts(folder: Path) -> tuple[list[Path], list[Fault]]:
    """A folder's parts; what marks a job as done, as Spark's _SUCCESS, is none."""
    parts, faults = [], []
    for path in listed(folder):
        if path.suffix.lower() in TABLES:
            parts.append(path)
        elif path.is_dir() or not path.name.startswith("_"):
            given = "a folder" if path.is_dir() else "a part of another kind"
            do = "write it as CSV or Parquet into the table's folder itself, or take it out"
            faults.append(Fault(str(path), given, "parts that are .csv or .parquet files", do))
    if not parts and not faults:
        faults.append(Fault(str(folder), "an empty folder", "parts that are .csv or .parquet files", "add them"))
    return parts, faults


# --- one file, and the parts of one table ---------------------------------------------------------------------------


def faults_in(files: Iterable[Path]) -> Iterator[Fault]:
    """What keeps files from being read as one table: each by itself, and then as parts of the same columns."""
    files, headers = list(files), {}
    if len({path.suffix.lower() == ".parquet" for path in files}) > 1:
        given = ", ".join(path.name for path in files[:4])
        yield Fault(f"{files[0].parent}", given, "one file, or one folder of one kind", "keep one kind of them")
        return
    for path in files:
        wrong = list(_faults_in_one(path))
        yield from wrong
        if not wrong:
            headers[path] = header(path)[0]
    for path, columns in headers.items():
        first = next(iter(headers))
        if set(columns) != set(headers[first]):
            unlike = sorted(set(columns) ^ set(headers[first]))
            given = f"other columns than {first.name}: {', '.join(map(show, unlike[:5]))} in one of them"
            yield Fault(str(path), given, "one header for all parts", "mend the header")


def _faults_in_one(path: Path) -> Iterator[Fault]:
    start = opened(path)
    if isinstance(start, Fault):
        yield start
        return
    parquet = path.suffix.lower() == ".parquet"
    if not start:
        yield Fault(str(path), "an empty file", "a table with a header and rows", "check that it was saved")
        return
    if parquet and start[:4] != b"PAR1":
        yield Fault(str(path), "a file that is not Parquet", "Parquet", "write it again, or name it .csv")
        return
    if not parquet and (start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start):
        yield Fault(str(path), "UTF-16 or binary text", "CSV in UTF-8", "save it again as CSV UTF-8")
        return
    try:
        columns, _ = header(path)
    except (OSError, csv.Error, pa.ArrowException) as error:
        given = (str(error).splitlines() or [""])[0]
        yield Fault(str(path), given, "a file that can be read as a table", "write it again, as Parquet or CSV")
        return
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice or "" in columns or not columns:
        given = f"the column {show(twice[0])} twice" if twice else "a column without a name"
        yield Fault(f"{path}, line 1", given, "each column once, with a name", "mend the header")


def opened(path: Path) -> bytes | Fault:
    """A file's first bytes, or why it cannot be opened; what is no file, such as a pipe, is never opened."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            given = "a folder" if path.is_dir() else "no file that can be read twice"
            return Fault(str(path), given, "a file", "write the table to a file of this name, or take it out")
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        return _not_opened(path, error.strerror)


def _not_opened(path: Path, why: str | None) -> Fault:
    given = "a link to nothing" if os.path.islink(path) and not os.path.exists(path) else why or "it does not open"
    return Fault(str(path), given, "what opens to be read", "check the path, and that you may read it")


def header(path: Path) -> tuple[list[str], str]:
    """A file's columns, in lower case, and in a CSV file the sign between them."""
    if path.suffix.lower() == ".parquet":
        return [name.lower() for name in pq.read_schema(path).names], ""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        line = file.readline()
    sign = max(",|;\t", key=line.count)
    return [name.strip().lower() for name in next(csv.reader([line], delimiter=sign), [])], sign


# --- into the engine ------------------------------------------------------------------------------------------------


def load(con: Any, name: str, files: list[Path]) -> tuple[ir.Table, tuple[tuple[str, str], ...]]:
    """Files of the same columns as one table, columns in lower case; and the lines of text that are no rows."""
    if files[0].suffix.lower() != ".parquet":
        return load_text(con, name, files)
    paths = [escaped(path) for path in files]
    table = con.read_parquet(paths, table_name=f"{name}_given", union_by_name=True, hive_partitioning=False)
    return table.rename(str.lower) if any(c != c.lower() for c in table.columns) else table, ()


def load_text(con: Any, name: str, files: list[Path]) -> tuple[ir.Table, tuple[tuple[str, str], ...]]:
    """CSV files of the same columns as a table of text, by name; and the lines that are no rows.

    Every cell as text, by rules that are stated: what is guessed from a sample differs from file to file. The files are
    read once, into DuckDB, which keeps aside the lines that do not fit, with an entry for each cell that they lack.
    """
    alike: dict[tuple[tuple[str, ...], str], list[Path]] = {}
    for path in files:
        names, sign = header(path)
        alike.setdefault((tuple(names), sign), []).append(path)
    made = False
    for (each, sign), group in alike.items():
        columns = "{" + ", ".join(f"{_quoted(column)}: 'VARCHAR'" for column in each) + "}"
        listed = "[" + ", ".join(_quoted(escaped(path)) for path in group) + "]"
        text = f"read_csv({listed}, auto_detect=false, header=true, delim={_quoted(sign)}, quote='\"', escape='\"', "
        text += f"columns={columns}, store_rejects=true, rejects_limit=0, hive_partitioning=false)"
        into = f'insert into "{name}" by name' if made else f'create table "{name}" as'
        con.raw_sql(f"{into} select * from {text}")
        made = True
    rejected = con.raw_sql(
        "select s.file_path, r.line, any_value(r.csv_line) from reject_errors r join reject_scans s "
        "using (scan_id, file_id) group by all order by all"
    ).fetchall()
    con.raw_sql("drop table if exists reject_errors; drop table if exists reject_scans")
    junk = tuple(
        (f"{Path(path).name}, line {line + below:,}", part)
        for path, line, lines in rejected
        for below, part in enumerate(lines.strip("\r\n").splitlines())  # an open quote swallows the lines below it
    )
    return con.table(name), junk


def escaped(path: Path) -> str:
    """A path as DuckDB reads it: as one path, and not as a pattern of many.

    >>> escaped(Path("claims [2024]/Q1?/*.csv")) == "claims [[]2024]/Q1[?]/[*].csv"
    True
    """
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
