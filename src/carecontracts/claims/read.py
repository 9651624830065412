"""How the five tables are read: from a folder of files, a database, or data frames. Nothing is computed here."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from ..refusal import Fault, Refusal, did_you_mean, show
from .address import FILES, connect, open_duckdb, shown
from .engine import blaming, duckdb, fetched, mended, scratch, tables_in
from .folder import Sorted, faults_in, load, nearest, opened, sort
from .layout import NEEDED, REQUIRED, SCHEMAS, Claims, Given, misfit, nearly, told_apart
from .used import use

if TYPE_CHECKING:
    import pandas as pd

Source: TypeAlias = str | Path | BaseBackend


def read(source: Source) -> Claims:
    """The claims in a folder, a database file, a database's address or an open Ibis connection.

    In a folder, each table is NAME.csv, NAME.parquet, or a folder NAME with such files as its parts; a database holds a
    table by each name. `used.py` says which rows of them are used. Raises: Refusal with every missing, empty or
    unreadable table, every missing column, every line that is no row and every column with text that is no date or
    number.
    """
    return use(*look(source))


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
    return read(held(frames))


def held(frames: Mapping[str, "pd.DataFrame"]) -> BaseBackend:
    """Pandas tables by name as a database in memory, to be read or checked."""
    con = duckdb()
    unknown = [name for name in frames if name not in SCHEMAS]
    if unknown:
        raise Refusal([Fault("claims", f"the table {show(n)}", ", ".join(SCHEMAS), "rename it") for n in unknown])
    for name, frame in frames.items():
        con.create_table(name, ibis.memtable(frame, schema=_frame_schema(name, frame)))
    return con


def _frame_schema(name: str, frame: "pd.DataFrame") -> ibis.Schema | None:
    """A frame's own types, but text where a column is empty of anything to tell its type by."""
    known = SCHEMAS[name]
    empty = [column for column in frame.columns if frame[column].isna().all()]
    if not empty:
        return None
    own = dict(ibis.memtable(frame.drop(columns=empty)).schema()) if len(empty) < len(frame.columns) else {}
    return ibis.schema({column: own.get(column, known.get(column, "string")) for column in frame.columns})


class Written(NamedTuple):
    """Tables as they were written, what lay beside them, and what is wrong with files and columns."""

    given: dict[str, Given]
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]


def look(source: Source) -> Written:
    """What `read` finds, before any row is looked at: lines that are no rows aside, beside what is wrong."""
    if isinstance(source, BaseBackend):
        return _assemble(_in_database(mended(source), "the connection"))
    if "://" in str(source):
        return _assemble(_in_database(connect(str(source)), shown(str(source))))
    place = Path(source)
    start = opened(place)
    if isinstance(start, Fault) and start.given == "a folder":
        found = sort(place)
        notes = (f"{place / name} is not read: no table has such a name" for name in found.unread)
        return _assemble(_in_folder(place, found))._replace(notes=tuple(notes))
    if not isinstance(start, Fault) and place.suffix in FILES:
        return _assemble(_in_database(open_duckdb(place), str(place)))
    given = "a file" if isinstance(start, bytes) else "nothing there" if not os.path.exists(place) else start.given
    allowed = "a folder of CSV or Parquet files, a .duckdb file, or a database's address"
    raise Refusal([Fault(str(place), given, allowed, "check the path; each table is a file, such as eligibility.csv")])


_Found = Iterator[tuple[str, Given | None, list[Fault]]]  # name, as written, what is wrong


def _assemble(found: _Found) -> Written:
    given: dict[str, Given] = {}
    faults: list[Fault] = []
    for name, written, wrong in found:
        faults += wrong
        if written is not None:
            misfits = {}
            for column, fault in _faults_in_columns(name, written):
                misfits[column] = fault
            faults += misfits.values()
            fit = [column for column in written.rows.columns if column not in misfits]
            if not set(fit).isdisjoint(SCHEMAS[name]):  # else it has nothing to look at
                given[name] = written._replace(rows=written.rows.select(*fit))
    return Written(given, (), tuple(faults))


def _faults_in_columns(name: str, written: Given) -> Iterator[tuple[str, Fault]]:
    columns = written.rows.columns
    for column in REQUIRED[name]:
        if column not in columns:
            old = {"person_id": "patient_id"}.get(column)
            near = f"did you mean '{old}'? " if old in columns else did_you_mean(column, columns)
            do = f"{near}name the column {column}"
            yield (
                column,
                Fault(f"{written.place}, column {column}", "no such column", "a column that every row fills", do),
            )
    lacking = [column for column in SCHEMAS[name] if column not in (*columns, *REQUIRED[name])]
    for column in columns:
        if column not in SCHEMAS[name] and (meant := nearly(column, lacking)):
            do = f"name it {meant}, or otherwise if it is something else, or take it out"
            yield column, Fault(f"{written.place}, column {column}", "a name that no rule reads", meant, do)
    for column, dtype in SCHEMAS[name].items():
        if column in columns and (allowed := misfit(written.rows[column].type(), dtype)):
            given = str(written.rows[column].type())
            yield column, Fault(f"{written.place}, column {column}", given, allowed, "change the column's type")


# --- a database ---------------------------------------------------------------------------------------------


def _in_database(con: BaseBackend, place: str) -> _Found:
    with blaming(place, "a database whose tables can be listed", "check the address and that you may read it"):
        here = {table.lower(): table for table in sorted(tables_in(con))}  # of two, the one in lower case
    for name in SCHEMAS:
        if name in here:
            where, allowed = f"{place}, table {name}", "a table, or a view of this database's own tables"
            try:
                with blaming(where, allowed, "give the rows in the database itself"):
                    rows = told_apart(_in_lower_case(con.table(here[name]), where), name)
                    fetched(rows.limit(0))  # one that may not be read says so now
            except Refusal as refusal:
                yield name, None, refusal.faults
                continue
            yield name, Given(where, rows), []
        elif near := next((table for table in here if nearest(table) == name), ""):
            given, do = f"the table {show(here[near])}", f"make it a table or view {name}, or take it out"
            yield name, None, [Fault(place, given, f"a table {name}", do)]
        elif name in NEEDED:
            given = f"the tables {', '.join(sorted(here)) or 'none'}"
            yield name, None, [Fault(place, given, f"a table {name}", f"add or rename a table or view: {name}")]


def _in_lower_case(rows: ir.Table, where: str) -> ir.Table:
    lower = [column.lower() for column in rows.columns]
    if twice := sorted({column for column in lower if lower.count(column) > 1}):
        do = "name one of them otherwise, or take it out"
        raise Refusal([Fault(where, f"the column {show(twice[0])} twice", "each column once, with a name", do)])
    return rows.rename(str.lower) if lower != list(rows.columns) else rows


# --- a folder -----------------------------------------------------------------------------------------------


def _in_folder(folder: Path, sorted_: Sorted) -> _Found:
    con = mended(scratch(), str(folder))
    for name, files in sorted_.files.items():
        faults = sorted_.faults[name] or list(faults_in(files))
        if faults:
            yield name, None, faults
        elif files:
            place = str(files[0]) if len(files) == 1 else str(files[0].parent)
            do = "write it again: as Parquet, or as CSV in UTF-8"
            try:
                with blaming(place, "a file that can be read as a table", do):
                    table, junk = load(con, name, files)
            except Refusal as refusal:
                yield name, None, refusal.faults
                continue
            table = told_apart(table, name)
            yield name, Given(place, table, junk), []
