"""The engine that holds the tables, and all that must be known of it: every workaround for Ibis and DuckDB."""

import os
import platform
import shutil
import signal
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from ..refusal import Fault, Refusal

# No file that is given may make the engine fetch code.
_CLOSED = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}


def duckdb(path: str | Path = ":memory:", *, read_only: bool = False) -> BaseBackend:
    """The engine by default, without its progress bar: a notebook would show that as a widget no page can run.

    One that only reads was given by someone else: its views see no other file and no network.
    """
    con = ibis.duckdb.connect(path, read_only=read_only, **_CLOSED)
    con.raw_sql("SET enable_progress_bar = false")
    if read_only:
        con.raw_sql("SET enable_external_access = false")  # which cannot be taken back while it is open
    return con


# --- a file of its own, which does not stay behind ------------------------------------------------------------------

_ours = f"carecontracts-{platform.node()}-"
_held: set[str] = set()


def scratch() -> Any:
    """A DuckDB of its own file, so that what is read of CSV may be larger than memory; it goes when its reader goes.

    It is a copy of people's claims: it goes too when the process is told to end, and what a killed one left goes now.
    """
    _sweep()
    _go_with_signals()
    folder = tempfile.mkdtemp(prefix=f"{_ours}{os.getpid()}-")
    _held.add(folder)
    con = duckdb(Path(folder) / "claims.duckdb")
    weakref.finalize(con, _drop, folder)
    return con


def _drop(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _held.discard(folder)


def _sweep() -> None:
    """Drops the folders of processes of this machine that are gone."""
    if os.name != "posix":  # elsewhere asking for a process may end it
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{_ours}*-*"):
        pid = folder.name.removeprefix(_ours).split("-")[0]
        if pid.isdigit() and not _runs(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # someone else's
    return True


def _go_with_signals() -> None:
    """Where nobody else has an answer to being told to end, ours is to drop what is held, and end."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    for folder in list(_held):
        _drop(folder)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


# --- what went wrong, and whose it is -------------------------------------------------------------------------------


@contextmanager
def blaming(place: str, allowed: str, do: str) -> Iterator[None]:
    """Work of DuckDB on what a place holds: told to stop, it stops; else the machine is at fault, or the place."""
    import duckdb  # its name here is that of the function above

    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except (duckdb.Error, OSError, MemoryError) as error:
        given = (str(error).strip().splitlines() or [type(error).__name__])[0]
        given = given.removeprefix("Invalid Input Error: ")
        if isinstance(error, _of_the_machine(duckdb)) and Path(place).name not in given:
            room = "room in memory and in the folder for temporary files"
            make = "make room, or set TMPDIR to a folder that has it"
            raise Refusal([Fault("this machine", given, room, make)]) from None
        raise Refusal([Fault(place, given, allowed, do)]) from None


def _of_the_machine(duckdb: Any) -> tuple[type[BaseException], ...]:
    return (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException, OSError, MemoryError)


# --- tables ---------------------------------------------------------------------------------------------------------


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


def named(table: ir.Table) -> ir.Table:
    """A table as a view that its engine holds until it is closed: written once, however often it is asked.

    Ibis writes the whole of an expression again for each question; of claims' many columns that is most of a small
    question's time. The engine reads the view as if it were written out.
    """
    backend: Any = table.get_backend()
    if backend.name not in ("duckdb", "postgres", "pyspark"):
        return table
    backend._run_pre_execute_hooks(table)
    name = ibis.util.gen_name("carecontracts_view")
    quote = "`" if backend.name == "pyspark" else '"'
    with backend._safe_raw_sql(f"CREATE TEMPORARY VIEW {quote}{name}{quote} AS {backend.compile(table)}"):
        pass
    if backend.name == "pyspark":  # where Ibis drops a cached table that no expression holds, and a view knows its name
        vars(backend).setdefault("behind_views", []).append(table)
    view: ir.Table = backend.table(name, database=("temp", "main") if backend.name == "duckdb" else None)
    return view


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
