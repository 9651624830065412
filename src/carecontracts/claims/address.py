"""A database's address: opened, asked for its tables, and shown without what may be a secret.

folder/claims.duckdb
postgresql://user:password@host:5432/warehouse?schema=input_layer
spark://host:7077?schema=input_layer&spark.executor.memory=4g
spark://host:7077?folder=/data/claims
snowflake://…, bigquery://…, databricks://… and others as Ibis writes them
"""

import atexit
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote

import ibis
from ibis.backends import BaseBackend

from ..refusal import Fault, Refusal, show
from .engine import blaming, duckdb, mended
from .folder import nearest, opened
from .layout import SCHEMAS

FILES = (".duckdb", ".ddb", ".db")
SECONDS = 60.0  # that a cluster may be without a worker to do the work


def connect(address: str) -> BaseBackend:
    """The database at an address; one that is a file must be there, since to connect would make it."""
    kind, _, rest = address.partition("://")
    file = Path(rest.partition("?")[0])
    if kind == "duckdb":
        return open_duckdb(file)
    if kind == "sqlite" and isinstance(fault := opened(file), Fault):
        raise Refusal([fault])
    place = shown(address)
    by_kind = {"postgres": _postgres, "postgresql": _postgres, "spark": _spark}
    try:
        return mended(by_kind.get(kind, ibis.connect)(address), place)
    except ModuleNotFoundError as error:
        extra = {"postgresql": "postgres", "spark": "spark"}.get(kind, kind)
        package = "carecontracts" if extra in ("postgres", "spark") else "ibis-framework"
        do = f"install it: pip install '{package}[{extra}]'"
        raise Refusal([Fault(place, f"no module {error.name}", f"the driver of {extra}", do)]) from None
    except Refusal:
        raise
    except Exception as error:  # each engine has its own
        thrown = getattr(error, "java_exception", None)  # Spark's own words are Java's
        said = str(error) if thrown is None else str(thrown.getMessage() or thrown)
        given = (said.strip().splitlines() or [type(error).__name__])[0]
        for secret in _secrets(address):
            given = given.replace(secret, "…")
        allowed, do = "a database that opens", "check the address and that you may read it"
        raise Refusal([Fault(place, given, allowed, do)]) from None


def open_duckdb(path: Path) -> BaseBackend:
    """A DuckDB file, to be read; another kind is refused by its first bytes, before the engine looks for help."""
    start = opened(path)
    allowed, do = "a database that opens: a DuckDB file", "check the path; for SQLite, write sqlite:// before it"
    if isinstance(start, Fault):
        raise Refusal([start])
    if start[8:12] != b"DUCK":
        given = "a SQLite file" if start.startswith(b"SQLite") else "a file of another kind"
        raise Refusal([Fault(str(path), given, allowed, do)])
    with blaming(str(path), allowed, do):
        return mended(duckdb(path, read_only=True), str(path))


def shown(address: str) -> str:
    """An address without the user, the password and the options that may hold one.

    >>> shown("postgresql://reader:geheim@db.example/warehouse?schema=input_layer")
    'postgresql://db.example/warehouse'
    """
    kind, _, rest = address.partition("://")
    return f"{kind}://{rest.partition('?')[0].rpartition('@')[2]}"


def _secrets(address: str) -> list[str]:
    """What must not be shown of an address, as written and as meant: the longest first, since one may hold another."""
    user, at, _ = address.partition("://")[2].partition("?")[0].rpartition("@")
    told = parse_qsl(address.partition("?")[2])
    options = [value for name, value in told if name not in ("schema", "folder") and not name.startswith("spark.")]
    if address.startswith("spark://"):
        options += [value for name, value in told if re.search("password|secret|token|key", name, re.IGNORECASE)]
        return sorted({text for value in options for text in (value, unquote(value)) if text}, key=len, reverse=True)
    found = [address.partition("?")[2], user, user.partition(":")[2], *options] if at or options else options
    return sorted({text for each in found for text in (each, unquote(each)) if text}, key=len, reverse=True)


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _postgres(address: str) -> BaseBackend:
    """All that the server's own library reads in an address, and the schema to look in."""
    from psycopg.conninfo import conninfo_to_dict

    before, _, options = address.partition("?")
    given = dict(parse_qsl(options, keep_blank_values=True))
    schema = given.pop("schema", None)
    about: dict[str, Any] = conninfo_to_dict(f"{before}?" + "&".join(f"{k}={quote(v)}" for k, v in given.items()))
    about |= {"database": about.pop("dbname", None), "port": about.get("port")}
    con: Any = ibis.postgres.connect(**about, schema=schema and f'"{schema}"')
    if con.current_database is None:
        do = "check `?schema=`, or GRANT USAGE ON SCHEMA to the role"
        raise Refusal(
            [Fault(shown(address), f"the schema {show(schema or 'public')}", "one that the role may use", do)]
        )
    return con


# --- a Spark cluster ------------------------------------------------------------------------------------------------


class _Asked(NamedTuple):
    """What a Spark address asks for: where its tables are, and settings by Spark's own names."""

    master: str
    schema: str
    folder: str
    settings: dict[str, str]


def _asked(address: str) -> _Asked:
    master, _, options = address.partition("?")
    given = dict(parse_qsl(options, keep_blank_values=True))
    settings = {key: value for key, value in given.items() if key.startswith("spark.")}
    if wrong := [key for key in given if key not in ("schema", "folder") and key not in settings]:
        do = "take it out, or write the whole name of Spark's setting"
        raise Refusal([Fault(shown(address), show(key), "schema, folder, spark.…", do) for key in wrong])
    if "schema" in given and "folder" in given:
        raise Refusal([Fault(shown(address), "a schema and a folder", "one of the two", "take one of them out")])
    return _Asked(master, given.get("schema", ""), given.get("folder", ""), settings)


def _spark(address: str) -> BaseBackend:
    """A session on a standalone cluster; the tables are those of a schema, or Parquet in a folder that it can read."""
    asked = _asked(address)
    _there(asked.master)
    from pyspark.sql import SparkSession

    ours = {"spark.ui.enabled": "false", "spark.log.level": "ERROR", "spark.ui.showConsoleProgress": "false"}
    # An answer is a few rows: without this they come one by one, through Python.
    ours["spark.sql.execution.arrow.pyspark.enabled"] = "true"
    if asked.folder:  # no catalog is asked for, but Spark makes one, where it is started
        ours["spark.sql.warehouse.dir"] = tempfile.mkdtemp(prefix="carecontracts-spark-")
        atexit.register(shutil.rmtree, ours["spark.sql.warehouse.dir"], ignore_errors=True)
    builder = SparkSession.builder.master(asked.master).appName("carecontracts")
    for key, value in (ours | asked.settings).items():
        builder = builder.config(key, value)
    session: Any = builder.getOrCreate()
    _has_workers(session, shown(address))
    _watch(session)
    con = ibis.pyspark.connect(session)
    if asked.schema:
        session.sql("USE " + ".".join(f"`{name}`" for name in asked.schema.split(".")))
    if asked.folder:
        _read_folder(session, asked.folder)
    return con


def _there(master: str) -> None:
    """Whether anything listens there: Spark by itself would try for a minute, and then throw a page of Java."""
    host, _, port = master.removeprefix("spark://").partition(",")[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        given = getattr(error, "strerror", None) or str(error)
        allowed, do = "the master of a Spark cluster, as spark://host:7077", "check the address and that it runs"
        raise Refusal([Fault(master, given, allowed, do)]) from None


def _has_workers(session: Any, place: str) -> None:
    """Whether a worker takes the work: without one, Spark would wait for ever."""
    until, status = time.monotonic() + SECONDS, session.sparkContext._jsc.sc().statusTracker()
    while len(status.getExecutorInfos()) < 2:  # the driver is one
        if time.monotonic() > until:
            session.stop()
            given, allowed = (
                f"no worker took the work in {SECONDS:g} seconds",
                "a worker with memory and a core to spare",
            )
            do = "ask for less, as &spark.executor.memory=1g&spark.cores.max=2, or wait for others to end"
            raise Refusal([Fault(place, given, allowed, do)])
        time.sleep(0.1)


def _watch(session: Any) -> None:
    """Ends the work once no worker is left to do it: by itself Spark would wait for one for ever."""
    context, ended = session.sparkContext, threading.Event()
    tracker = context._jsc.sc().statusTracker()

    def watch() -> None:
        since = time.monotonic()
        while not ended.wait(min(2.0, SECONDS / 2)) and context._jsc is not None:
            try:
                if not tracker.getActiveJobIds() or len(tracker.getExecutorInfos()) > 1:
                    since = time.monotonic()
                elif time.monotonic() - since > SECONDS:
                    context.cancelAllJobs()
            except Exception:  # the session ends while it is asked
                return

    atexit.register(ended.set)
    threading.Thread(target=watch, daemon=True).start()


def _read_folder(session: Any, folder: str) -> None:
    """Parquet of each table as a temporary view, by the rules of a folder on this machine."""
    faults = []
    for path, is_folder in _listed(session, folder):
        name = path.rpartition("/")[2]
        key, _, ending = name.lower().partition(".")
        if key in SCHEMAS and (is_folder or ending == "parquet"):
            session.read.parquet(path).createOrReplaceTempView(key)
        elif near := nearest(key):
            do = f"write it as Parquet, named {near}.parquet or as parts in a folder {near}, or take it out"
            faults.append(Fault(path, "what no table claims", f"{near}.parquet, or a folder {near} of Parquet", do))
    if faults:
        raise Refusal(faults)


def _listed(session: Any, folder: str) -> Iterator[tuple[str, bool]]:
    """What is in a folder, as the cluster names it, and whether each is a folder."""
    jvm, conf = session._jvm, session._jsc.hadoopConfiguration()
    path = jvm.org.apache.hadoop.fs.Path(folder)
    for each in path.getFileSystem(conf).listStatus(path):
        if not each.getPath().getName().startswith((".", "_")):
            yield each.getPath().toString(), each.isDirectory()
