"""The engine that holds the tables, and all that must be known of it: every workaround for Ibis and DuckDB."""

import os
import platform
import shutil
import signal
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends import BaseBackend
from ibis.backends.sql.compilers import PostgresCompiler

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
    """Work of an engine on what a place holds: told to stop, it stops; else the machine is at fault, or the place."""
    import duckdb  # its name here is that of the function above

    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except ConnectionError as error:
        raise Refusal([Fault(place, _first_line(error), *_LOST)]) from None
    except (duckdb.Error, OSError, MemoryError) as error:
        given = _first_line(error).removeprefix("Invalid Input Error: ")
        if isinstance(error, _of_the_machine(duckdb)) and Path(place).name not in given:
            room = "room in memory and in the folder for temporary files"
            make = "make room, or set TMPDIR to a folder that has it"
            raise Refusal([Fault("this machine", given, room, make)]) from None
        raise Refusal([Fault(place, given, allowed, do)]) from None
    except Exception as error:
        kind = type(error).__module__.split(".")[0]
        if isinstance(error, AttributeError) and _raised_in(error, "pyspark"):
            kind = "pyspark"  # of a session that has been stopped nothing is left but None
        if kind in ("builtins", __name__.split(".")[0]):
            raise
        told = {"psycopg": _said_by_postgres, "pyspark": _said_by_spark, "py4j": _said_by_spark}.get(kind)
        raise Refusal([Fault(place, *(told(error) if told else (_first_line(error), allowed, do)))]) from None


def _of_the_machine(duckdb: Any) -> tuple[type[BaseException], ...]:
    return (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException, OSError, MemoryError)


def _raised_in(error: BaseException, package: str) -> bool:
    """Whether an error comes out of a package's own code."""
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    return at is not None and str(at.tb_frame.f_globals.get("__name__", "")).startswith(package)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_ANSWER = ("an answer", "mend what it names, or report it")
_LOST = ("a connection that holds until the end", "see that the server runs and lets you in, and start again")
_STATES = {  # PostgreSQL's codes of what a data team can mend
    "42501": (
        "a role that may read the tables and make temporary ones",
        "grant it USAGE on the schema, SELECT on its tables and TEMPORARY on the database",
    ),
    "25006": ("a server that makes temporary tables, which a standby does not", "ask the primary server"),
    "53100": ("room on the server's disk for temporary tables", "make room there, or measure a part of the claims"),
    "53200": ("room in the server's memory", "ask its administrator for more, or try at another time"),
    "57014": ("time to answer", "ask for more: add ?options=-c%20statement_timeout%3D0 to the address"),
    "57P01": _LOST, "57P02": _LOST, "57P03": _LOST, "57P05": _LOST, "": _LOST,
}  # fmt: skip


def _said_by_postgres(error: Any) -> tuple[str, str, str]:
    """What it gave, what is allowed and what to do, by the code that it sent; none was sent by one that is gone."""
    code = error.sqlstate or ""
    return _first_line(error), *(_LOST if code.startswith("08") else _STATES.get(code, _ANSWER))


def _said_by_spark(error: Any) -> tuple[str, str, str]:
    """The same by the condition that Spark names; what Java has thrown without one comes of a cluster that is gone."""
    thrown = getattr(error, "java_exception", None)
    condition = (error.getCondition() if hasattr(error, "getCondition") else "") or ""
    given = _first_line(error)
    if thrown is not None:
        given = f"{thrown.getClass().getSimpleName()}: {(thrown.getMessage() or '').strip().partition(chr(10))[0]}"
    if "PERMISSION" in condition or "ACCESS" in condition:
        return given, "a user who may read the tables", "grant SELECT on them and USAGE on their schema"
    if condition:
        return given, *_ANSWER
    return given, "a cluster that holds until the end", "see that its master and workers run, and start again"


# --- what Ibis says wrongly to an engine ----------------------------------------------------------------------------

_YEAR_MONTH_DAY = (  # a day that the calendar has, with a time or none, as DuckDB reads it
    r"^\s*(?!0000)(\d{4}[-/](0?[13578]|1[02])[-/](0?[1-9]|[12]\d|3[01])|\d{4}[-/](0?[469]|11)[-/](0?[1-9]|[12]\d|30)"
    r"|\d{4}[-/]0?2[-/](0?[1-9]|1\d|2[0-8])"
    r"|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)[-/]0?2[-/]29)"
    r"([ T]([01]?\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?)?\s*$"
)
_NUMBER = r"^\s*([+-]?(\d{1,250}(\.\d*)?|\.\d+)(e[+-]?\d{1,2})?|[+-]?inf(inity)?|nan)\s*$"
_WHOLE = 2**63 - 1024  # the largest float that is a whole number of 64 bits


class Postgres(PostgresCompiler):  # type: ignore[misc]
    """PostgreSQL as Ibis 12 writes it, but for three things that it refuses or rounds otherwise than DuckDB."""

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:
        """A truth becomes a whole number of 32 bits, and of no other size."""
        if op.arg.dtype.is_boolean() and to.is_integer() and not to.is_int32():
            return self.cast(self.cast(arg, dt.int32), to)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_TryCast(self, op: Any, *, arg: Any, to: Any) -> Any:
        """A cast of text that is no value stops the query there: it is looked at first."""
        own, cast = op.arg.dtype, self.visit_Cast(op, arg=arg, to=to)
        if own.is_string() and (to.is_date() or to.is_floating()):
            looks = self.f.anon.regexp_like(arg, sge.convert(_YEAR_MONTH_DAY if to.is_date() else _NUMBER), "i")
            return self.if_(looks, cast, sge.null())
        if own.is_floating() and to.is_integer():
            return self.if_(self.f.abs(arg) <= sge.convert(_WHOLE), cast, sge.null())
        return cast

    def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
        """Half a cent goes away from zero, as elsewhere: a float's own rounding goes to the even."""
        if op.dtype.is_integer() and op.arg.dtype.is_floating():
            return self.cast(self.f.sign(arg) * self.f.floor(self.f.abs(arg) + 0.5), op.dtype)
        return super().visit_Round(op, arg=arg, digits=digits)


def _number_loader() -> type:
    """What PostgreSQL calls numeric, as a sum of whole numbers or 0.0, is read as the number that Ibis expects."""
    from psycopg.adapt import Loader

    class Number(Loader):
        def load(self, data: Any) -> int | float:
            text = bytes(data).decode()
            return int(text) if text.lstrip("-").isdigit() else float(text)

    return Number


def mended(con: Any, place: str = "") -> BaseBackend:
    """A connection that says what is meant; `place` is what may be shown of its address."""
    con.place = place or getattr(con, "place", "the connection")
    if con.name == "postgres" and not isinstance(con.compiler, Postgres):
        con.compiler = Postgres()
        con.con.adapters.register_loader("numeric", _number_loader())
        con.raw_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE").close()  # to make temporary tables
        con.raw_sql("SET jit = off").close()  # of queries as long as these it compiles longer than it reads
    return con


# --- tables ---------------------------------------------------------------------------------------------------------


def tables_in(con: Any) -> list[str]:
    """The names of a database's tables and views, those that may not be read included."""
    if con.name == "postgres":  # Ibis lists those alone that the role may read, and no materialized view
        asked = "select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = any(%s)"
        with con.con.cursor() as cursor:
            return [row[0] for row in cursor.execute(asked, (["r", "v", "m", "f", "p"],)).fetchall()]
    if con.name != "duckdb":
        return list(con.list_tables())
    # Ibis 12 asks this by a method that DuckDB 2 no longer has.
    found = con.raw_sql("select table_name from information_schema.tables where table_schema = current_schema()")
    return [row[0] for row in found.fetchall()]


def kept(table: ir.Table) -> ir.Table:
    """A table that the engine computes once and holds until it is closed: nothing of it comes here."""
    backend: Any = table.get_backend()
    with answering(backend):
        if backend.name in ("duckdb", "postgres"):
            # Ibis 12's cache drops its tables by a statement that DuckDB 2 does not read.
            made: ir.Table = backend.create_table(ibis.util.gen_name("carecontracts"), table, temp=True)
            if backend.name == "postgres":  # which plans by what it knows of a table
                backend.raw_sql(f'ANALYZE "{made.get_name()}"').close()
            return made
        backend._run_pre_execute_hooks(table)  # its cache forgets this on PySpark: tables in memory must be there first
        return table.cache()


def named(table: ir.Table) -> ir.Table:
    """A table as a view that its engine holds until it is closed: written once, however often it is asked.

    Ibis writes the whole of an expression again for each question; of claims' many columns that is most of a small
    question's time. The engine reads the view as if it were written out.
    """
    backend: Any = table.get_backend()
    if backend.name not in ("duckdb", "postgres", "pyspark"):
        return table
    with answering(backend):
        backend._run_pre_execute_hooks(table)
        name = ibis.util.gen_name("carecontracts_view")
        quote = "`" if backend.name == "pyspark" else '"'
        with backend._safe_raw_sql(f"CREATE TEMPORARY VIEW {quote}{name}{quote} AS {backend.compile(table)}"):
            pass
        if backend.name == "pyspark":
            # Ibis drops a cached table that no expression holds, and a view knows its name alone.
            vars(backend).setdefault("behind_views", []).append(table)
            return backend.table(name)
    # What columns it has is not asked: of one renamed by its case alone, DuckDB 2 tells the name it had.
    place = ops.Namespace(catalog="temp", database="main") if backend.name == "duckdb" else ops.Namespace()
    return ops.DatabaseTable(name, schema=table.schema(), source=backend, namespace=place).to_expr()


def in_memory(table: ir.Table) -> ir.Table:
    """A table computed now and held in memory, rather than again for each question that is put to it.

    For one too large for that, `kept`, which the engine holds.
    """
    with answering(table.get_backend()):
        return ibis.memtable(quiet(table).to_pyarrow())


def fetched(table: ir.Table) -> list[dict[str, Any]]:
    """The rows of a small table."""
    with answering(table._find_backend(use_default=True)):
        rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return rows


def answering(backend: Any) -> AbstractContextManager[None]:
    """A question to an engine that has begun well: what it says instead of an answer is told with its place."""
    return blaming(getattr(backend, "place", "the connection"), *_ANSWER)


def quiet(table: ir.Table) -> ir.Table:
    """The table, its engine told not to draw: in a notebook DuckDB shows a query of over two seconds as a widget."""
    backend = table.get_backend()
    if backend.name == "duckdb":
        backend.raw_sql("SET enable_progress_bar = false")
    return table
