"""The engine that holds the tables, and all that must be known of it: every workaround for Ibis and DuckDB."""

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend


def duckdb(path: str | Path = ":memory:", *, read_only: bool = False) -> BaseBackend:
    """The engine by default, without its progress bar: a notebook would show that as a widget no page can run."""
    con = ibis.duckdb.connect(path, read_only=read_only)
    con.raw_sql("SET enable_progress_bar = false")
    return con


def scratch() -> Any:
    """A DuckDB of its own file, so that what is read of CSV may be larger than memory; it goes when its reader goes."""
    folder = tempfile.mkdtemp(prefix="carecontracts-")
    con = duckdb(Path(folder) / "claims.duckdb")
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    return con


def tables_in(con: Any) -> list[str]:
    """The names of a database's tables and views."""
    if con.name != "duckdb":
        return list(con.list_tables())
    # Ibis 12 asks this by a method that DuckDB 2 no longer has.
    found = con.raw_sql("select table_name from information_schema.tables where table_schema = current_schema()")
    return [row[0] for row in found.fetchall()]


def kept(table: ir.Table) -> ir.Table:
    """A table that the engine computes once and holds until it is closed."""
    backend: Any = table.get_backend()
    if backend.name == "duckdb":  # Ibis 12's cache drops its tables by a statement that DuckDB 2 does not read
        made: ir.Table = backend.create_table(ibis.util.gen_name("carecontracts"), table, temp=True)
        return made
    backend._run_pre_execute_hooks(table)  # which its cache forgets on PySpark: tables in memory must be there first
    return table.cache()


def in_memory(table: ir.Table) -> ir.Table:
    """A table computed now and held in memory, rather than again for each question that is put to it.

    For one too large for that, `kept`, which the engine holds.
    """
    return ibis.memtable(quiet(table).to_pyarrow())


def fetched(table: ir.Table) -> list[dict[str, Any]]:
    """The rows of a small table."""
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return rows


def quiet(table: ir.Table) -> ir.Table:
    """The table, its engine told not to draw: in a notebook DuckDB shows a query of over two seconds as a widget."""
    backend = table.get_backend()
    if backend.name == "duckdb":
        backend.raw_sql("SET enable_progress_bar = false")
    return table
