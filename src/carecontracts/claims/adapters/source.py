"""What adapters share: finding a publisher's files, reading their columns as text, and writing the five tables."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import ibis
import ibis.expr.types as ir

from ...refusal import Fault, Refusal
from ..engine import scratch
from ..layout import SCHEMAS, Claims
from ..read import load_text

RACES = {
    "1": "white", "2": "black or african american", "3": "other", "4": "asian", "5": "hispanic",
    "6": "american indian or alaska native",
}  # fmt: skip
GENDERS = {"1": "male", "2": "female"}


class Read(NamedTuple):
    """One kind of file: how many rows it had, how many rows of which table came of them, and why not all or more."""

    file: str
    rows: int
    table: str
    became: int
    why: str


@dataclass(frozen=True)
class Imported:
    """Claims in the five tables, and what became of each kind of file."""

    claims: Claims
    read: tuple[Read, ...]

    def write(self, folder: Path, on_step: Callable[[str], None] | None = None) -> None:
        """Each table that has rows as NAME.parquet in a new folder."""
        folder.mkdir(parents=True)
        made = {read.table for read in self.read if read.became}
        for name, table in self.claims.tables().items():
            if name in made:
                if on_step:
                    on_step(f"Writing {name}")
                _told(partial(table.to_parquet, folder / f"{name}.parquet"), name)


class Files:
    """A publisher's files in a folder, by kind, as tables of lower-case columns; absent columns read as empty."""

    def __init__(self, folder: Path, kinds: dict[str, str]) -> None:
        if not folder.is_dir():
            raise Refusal([Fault(str(folder), "no such folder", "a folder with the files", "check the path")])
        self.folder, self.con, self.kinds = folder, scratch(), kinds
        self.found = {
            kind: [p for p in _listed(folder) if re.search(like, p.name.lower())] for kind, like in kinds.items()
        }

    def refuse_without(self, *kinds: str) -> None:
        faults = [
            Fault(
                f"{self.folder}", f"no file of {kind}", f"a CSV or Parquet file named like {self.kinds[kind]}", "add it"
            )
            for kind in kinds
            if not self.found[kind]
        ]
        if faults:
            raise Refusal(faults)

    def table(self, kind: str, files: Sequence[Path] | None = None, name: str = "") -> ir.Table | None:
        """All files of a kind as one table; None where there is none."""
        files = list(files or self.found[kind])
        if not files:
            return None
        name = name or f"given_{kind}"
        if files[0].suffix.lower() == ".parquet":
            table = self.con.read_parquet([str(path) for path in files], table_name=name, union_by_name=True)
            return table.rename(str.lower) if any(c != c.lower() for c in table.columns) else table
        table, junk = load_text(self.con, name, files)
        if junk:
            raise Refusal(
                [Fault(where, line.strip()[:60], "a row as the header says", "mend it") for where, line in junk]
            )
        return table


def _listed(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in (".csv", ".parquet", ".txt"))


class Columns:
    """A table's columns by name, as text, numbers or days; one that is not there is empty."""

    def __init__(self, table: ir.Table) -> None:
        self.table = table

    def text(self, name: str) -> ir.StringValue:
        if name not in self.table.columns:
            return ibis.null("string")
        column = self.table[name]
        if column.type().is_floating():
            column = column.cast("int64")
        return column.cast("string").strip().nullif("")

    def number(self, name: str) -> ir.FloatingValue:
        return self.text(name).cast("float64") if self._is_text(name) else self._cast(name, "float64")

    def day(self, name: str) -> ir.DateValue:
        """A day from a timestamp, or from text as 20081231, 31-Dec-2008 or 2008-12-31."""
        if not self._is_text(name):
            return self._cast(name, "date")
        text = self.text(name)
        return ibis.cases(
            (text.re_search("^[0-9]{8}$"), text.as_date("%Y%m%d")),
            (text.re_search("^[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4}$"), text.as_date("%d-%b-%Y")),
            else_=text.cast("date"),
        )

    def _is_text(self, name: str) -> bool:
        return name in self.table.columns and self.table[name].type().is_string()

    def _cast(self, name: str, dtype: str) -> ir.Value:
        return self.table[name].cast(dtype) if name in self.table.columns else ibis.null(dtype)

    def numbered(self, like: str) -> list[int]:
        """The numbers n for which a column like `hcpcs_cd_{n}` is there."""
        pattern = re.compile(like.replace("{n}", "([0-9]+)") + "$")
        return sorted(int(found[1]) for name in self.table.columns if (found := pattern.match(name)))


def mapped(value: ir.StringValue, words: dict[str, str]) -> ir.StringValue:
    return ibis.cases(*[(value == code, word) for code, word in words.items()], else_="unknown")


def row_of(name: str, table: ir.Table, **columns: Any) -> ir.Table:
    """Rows of one of the five tables from expressions; the columns that are not given are empty."""
    schema = SCHEMAS[name]
    unknown = set(columns) - set(schema)
    assert not unknown, unknown
    return table.select(**{c: _as(columns.get(c), dtype) for c, dtype in schema.items()})


def _as(value: Any, dtype: Any) -> ir.Value:
    if value is None:
        return ibis.null(dtype)
    value = value if isinstance(value, ir.Value) else ibis.literal(value)
    return value if value.type() == dtype else value.cast(dtype)


def stored(files: Files, name: str, parts: Sequence[ir.Table]) -> ir.Table:
    """Rows from several files as one table in the engine, worked out once."""
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return _told(lambda: files.con.create_table(f"made_{name}", rows), name)


def count(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())


def claims_of(tables: dict[str, ir.Table]) -> Claims:
    return Claims(**{n: tables[n] if n in tables else ibis.memtable([], schema=s) for n, s in SCHEMAS.items()})


def _told(job: Callable[[], Any], name: str) -> Any:
    """A job of the engine; what it could not read is a refusal."""
    try:
        return job()
    except (OSError, duckdb.Error) as error:
        given = str(error).splitlines()[0]
        raise Refusal([Fault(name, given, "cells as the layout says", "mend the cell that is named")]) from None
