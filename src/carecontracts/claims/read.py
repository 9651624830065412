"""How the five tables are read: from a folder of files, a database, or data frames. Nothing is computed here."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from ..refusal import Fault, Refusal, did_you_mean, show
from .engine import duckdb, scratch, tables_in
from .layout import NEEDED, REQUIRED, SCHEMAS, Claims, Given, conform, misfit, typed

if TYPE_CHECKING:
    import pandas as pd

Source: TypeAlias = str | Path | BaseBackend


def read(source: Source) -> Claims:
    """The claims in a folder, a database file, a database's address or an open Ibis connection.

    In a folder, each table is NAME.csv, NAME.parquet, or a folder NAME with such files as its parts; a database holds a
    table by each name. Raises: Refusal with every missing, empty or unreadable table, every missing column, every line
    that is no row and every column with text that is no date or number.
    """
    claims, faults = look(source)
    for name, given in claims.given.items():
        faults += _faults_in_cells(name, given)
        faults += [
            Fault(f"{given.place}: {where}", show(line.strip()), "a row as the header says, in UTF-8", "mend the line")
            for where, line in given.junk
        ]
    if faults:
        raise Refusal(faults)
    return claims


def from_frames(frames: Mapping[str, "pd.DataFrame"]) -> Claims:
    """Claims from pandas tables by name, held in DuckDB's memory.

    >>> import pandas as pd
    >>> people = pd.DataFrame({"person_id": ["a"], "enrollment_start_date": ["2026-01-01"],
    ...                        "enrollment_end_date": ["2026-12-31"]})
    >>> lines = pd.DataFrame({"claim_id": ["1"], "claim_line_number": [1], "claim_type": ["professional"],
    ...                       "person_id": ["a"], "claim_start_date": ["2026-03-02"], "paid_amount": [80.0]})
    >>> claims = from_frames({"eligibility": people, "medical_claim": lines})
    >>> int(claims.medical_claim.count().execute()), int(claims.roster.count().execute())
    (1, 0)
    """
    con = duckdb()
    unknown = [name for name in frames if name not in SCHEMAS]
    if unknown:
        raise Refusal([Fault("claims", f"the table {show(n)}", ", ".join(SCHEMAS), "rename it") for n in unknown])
    for name, frame in frames.items():
        con.create_table(name, ibis.memtable(frame, schema=_frame_schema(name, frame)))
    claims, faults = look(con)
    if faults:
        raise Refusal(faults)
    return claims


def _frame_schema(name: str, frame: "pd.DataFrame") -> ibis.Schema | None:
    """A frame's own types, but text where a column is empty of anything to tell its type by."""
    known = SCHEMAS[name]
    empty = [column for column in frame.columns if frame[column].isna().all()]
    if not empty:
        return None
    own = dict(ibis.memtable(frame.drop(columns=empty)).schema()) if len(empty) < len(frame.columns) else {}
    return ibis.schema({column: own.get(column, known.get(column, "string")) for column in frame.columns})


def look(source: Source) -> tuple[Claims, list[Fault]]:
    """As `read`, but what can be read, lines that are no rows aside, beside what is wrong with the rest."""
    if isinstance(source, BaseBackend):
        return _assemble(_in_database(source, "the connection"))
    place = Path(source)
    if "://" in str(source):
        return _assemble(_in_database(_connect(str(source)), str(source).rpartition("@")[2]))
    if place.is_dir():
        return _assemble(_in_folder(place))
    if place.is_file() and place.suffix in (".duckdb", ".ddb", ".db"):
        return _assemble(_in_database(_connect(f"duckdb://{place}?read_only=1", str(place)), str(place)))
    given = "a file" if place.is_file() else "nothing there"
    allowed = "a folder of CSV or Parquet files, a .duckdb file, or a database's address"
    raise Refusal([Fault(str(place), given, allowed, "check the path; each table is a file, such as eligibility.csv")])


def _connect(address: str, shown: str = "") -> BaseBackend:
    try:
        if shown:
            return duckdb(shown, read_only=True)
        return ibis.connect(address)
    except Exception as error:  # each engine has its own
        place = shown or address.rpartition("@")[2]
        given = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refusal(
            [Fault(place, given, "a database that opens", "check the address and that you may read it")]
        ) from None


_Found = Iterator[
    tuple[str, Given | None, ir.Table | None, list[Fault]]
]  # name, as written, as engine reads it, faults


def _assemble(found: _Found) -> tuple[Claims, list[Fault]]:
    tables: dict[str, ir.Table] = {}
    given: dict[str, Given] = {}
    faults: list[Fault] = []
    for name, written, table, wrong in found:
        wrong = wrong if written is None else list(_faults_in_columns(name, written))
        if written is not None and table is not None and not wrong:
            given[name] = written
            tables[name] = conform(table, name)
        faults += wrong
    for name in SCHEMAS:
        if name not in tables:
            tables[name] = ibis.memtable([], schema=SCHEMAS[name])
    return Claims(**tables, given=given), faults


def _faults_in_columns(name: str, written: Given) -> Iterator[Fault]:
    columns = written.rows.columns
    for column in REQUIRED[name]:
        if column not in columns:
            old = {"person_id": "patient_id"}.get(column)
            near = f"did you mean '{old}'? " if old in columns else did_you_mean(column, columns)
            do = f"{near}name the column {column}"
            yield Fault(f"{written.place}, column {column}", "no such column", "a column that every row fills", do)
    for column, dtype in SCHEMAS[name].items():
        if column in columns and (allowed := misfit(written.rows[column].type(), dtype)):
            given = str(written.rows[column].type())
            yield Fault(f"{written.place}, column {column}", given, allowed, "change the column's type")


def _faults_in_cells(name: str, given: Given) -> Iterator[Fault]:
    """Text that is not the date or number its column holds: how much of it, and the first."""
    rows, read_as = given.rows, typed(given.rows, name, "try_cast")
    unread = {
        column: (rows[column].strip() != "") & read_as[column].isnull()
        for column, dtype in SCHEMAS[name].items()
        if column in rows.columns and rows[column].type().is_string() and not dtype.is_string()
    }
    if not unread:
        return
    counts = rows.aggregate(**{column: wrong.cast("int64").sum() for column, wrong in unread.items()})
    for column, count in counts.to_pyarrow().to_pylist()[0].items():
        if count:
            first = rows.filter(unread[column]).select(column).limit(1).to_pyarrow().to_pylist()[0][column]
            more = f" and {count - 1:,} more" if count > 1 else ""
            allowed = "dates as 2026-01-31" if SCHEMAS[name][column].is_date() else "numbers as 1250.50"
            do = "mend them; `carecontracts claims check` lists them"
            yield Fault(f"{given.place}, column {column}", f"{show(first)}{more}", allowed, do)


# --- a database ---------------------------------------------------------------------------------------------


def _in_database(con: BaseBackend, place: str) -> _Found:
    here = {table.lower(): table for table in tables_in(con)}
    for name in SCHEMAS:
        if name in here:
            rows = con.table(here[name])
            yield name, Given(f"{place}, table {name}", rows), rows, []
        elif name in NEEDED:
            given = f"the tables {', '.join(sorted(here)) or 'none'}"
            yield name, None, None, [Fault(place, given, f"a table {name}", f"add or rename a table or view: {name}")]


# --- a folder -----------------------------------------------------------------------------------------------


def _in_folder(folder: Path) -> _Found:
    con = scratch()
    for name in SCHEMAS:
        files = _files(folder, name)
        if not files and name not in NEEDED:
            continue
        faults = list(_faults_in_files(folder, name, files))
        if faults:
            yield name, None, None, faults
            continue
        try:
            written, table = _open(con, name, files, folder)
        except Exception as error:  # DuckDB's, which tells what is wrong with the file
            given = str(error).splitlines()[0].removeprefix("Invalid Input Error: ")
            do = "write it again: as Parquet, or as CSV in UTF-8"
            yield name, None, None, [Fault(str(files[0]), given, "a file that can be read as a table", do)]
            continue
        yield name, written, table, []


def _files(folder: Path, name: str) -> list[Path]:
    """The files of a table, by name in lower or upper case; of a folder, its parts in order."""
    inside = folder / name
    if inside.is_dir():
        return sorted(path for path in inside.iterdir() if path.suffix.lower() in (".csv", ".parquet"))
    return sorted(
        path
        for path in folder.iterdir()
        if path.stem.lower() == name and path.suffix.lower() in (".csv", ".parquet") and path.is_file()
    )


def _faults_in_files(folder: Path, name: str, files: list[Path]) -> Iterator[Fault]:
    if not files:
        here = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "an empty folder"
        allowed = f"{name}.csv, {name}.parquet, or a folder {name} of parts"
        yield Fault(f"{folder}, table {name}", f"no such file; here: {here}", allowed, "add the file or rename it")
    kinds = {path.suffix.lower() for path in files}
    if (len(files) > 1 and files[0].parent == folder) or len(kinds) > 1:
        given = ", ".join(path.name for path in files[:4])
        yield Fault(f"{folder}, table {name}", given, "one file, or one folder of one kind", "keep one of them")
        return
    headers: dict[tuple[str, ...], Path] = {}
    for path in files:
        with path.open("rb") as file:
            start = file.read(4)
        if not start:
            yield Fault(str(path), "an empty file", "a table with a header and rows", "check that it was saved")
        elif path.suffix.lower() == ".parquet" and start != b"PAR1":
            yield Fault(str(path), "a file that is not Parquet", "Parquet", "write it again, or name it .csv")
        elif start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start:
            yield Fault(str(path), "UTF-16 or binary text", "CSV in UTF-8", "save it again as CSV UTF-8")
        elif path.suffix.lower() == ".csv":
            header, _ = _header(path)
            headers.setdefault(tuple(header), path)
            twice = sorted({column for column in header if column and header.count(column) > 1})
            if twice or "" in header:
                given = f"the column {show(twice[0])} twice" if twice else "a column without a name"
                yield Fault(f"{path}, line 1", given, "each column once, with a name", "mend the header")
    if len(headers) > 1:
        first, other = list(headers.values())[:2]
        yield Fault(str(other), f"other columns than {first.name}", "one header for all parts", "mend the header")


def _header(path: Path) -> tuple[list[str], str]:
    """A CSV file's columns, in lower case, and the sign between them."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        line = file.readline()
    sign = max(",|;\t", key=line.count)
    return [name.strip().lower() for name in next(csv.reader([line], delimiter=sign))], sign


def _open(con: Any, name: str, files: list[Path], folder: Path) -> tuple[Given, ir.Table]:
    place = str(files[0]) if len(files) == 1 else str(folder / name)
    if files[0].suffix.lower() == ".parquet":
        table = con.read_parquet([str(path) for path in files], table_name=f"{name}_given", union_by_name=True)
        table = table.rename(str.lower) if any(c != c.lower() for c in table.columns) else table
        return Given(place, table), table
    table, junk = load_text(con, name, files)
    return Given(place, table, junk), table


def load_text(con: Any, name: str, files: list[Path]) -> tuple[ir.Table, tuple[tuple[str, str], ...]]:
    """CSV files of one header as a table of text, columns in lower case; and the lines that are no rows.

    Every cell as text, by rules that are stated: what is guessed from a sample differs from file to file. The files are
    read once, into DuckDB, which keeps aside the lines that do not fit, with an entry for each cell that they lack.
    """
    header, sign = _header(files[0])
    columns = "{" + ", ".join(f"{_quoted(column)}: 'VARCHAR'" for column in header) + "}"
    listed = "[" + ", ".join(_quoted(str(path)) for path in files) + "]"
    text = f"read_csv({listed}, auto_detect=false, header=true, delim={_quoted(sign)}, quote='\"', escape='\"', "
    text += f"columns={columns}, store_rejects=true, rejects_limit=0)"
    con.raw_sql(f'create table "{name}" as select * from {text}')
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


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
