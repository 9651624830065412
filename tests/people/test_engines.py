"""One answer from every engine: a folder, a DuckDB file, a PostgreSQL server and a Spark cluster, by command.

The server and the cluster (a master and two workers) are started here, on this machine alone. They need PostgreSQL's
server and psycopg (tests/people/postgres-requirements.txt), and Java and PySpark (tests/people/spark-requirements.txt).
Skipped where these are missing, unless CARECONTRACTS_ENGINES=1 says that they are to be there. What hangs on how soon a
cluster notices that it is gone is tried where CARECONTRACTS_ENGINES=all.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ibis
import numpy as np
import pandas as pd
import pytest

from carecontracts.claims import address
from carecontracts.claims.layout import SCHEMAS, Claims
from carecontracts.claims.read import read
from carecontracts.people.member_years import member_years, outside
from carecontracts.people.months import coverage
from carecontracts.people.stays import stays

REQUIRED = os.environ.get("CARECONTRACTS_ENGINES") in ("1", "all")
patient = pytest.mark.skipif(
    os.environ.get("CARECONTRACTS_ENGINES") != "all",
    reason="CARECONTRACTS_ENGINES is not all: it hangs on a cluster's own time",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # PySpark 4.3 warns of pandas 3


def without(*missing: str) -> None:
    """Skips, and says what the machine lacks."""
    if missing:
        reason = f"no {' and no '.join(missing)}"
        assert not REQUIRED, f"CARECONTRACTS_ENGINES=1, but {reason}"
        pytest.skip(reason)


def a_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# --- one set of claims, in four places --------------------------------------------------------------------------------


def drawn(rng: np.random.Generator, people: int = 300, lines: int = 5_000) -> dict[str, pd.DataFrame]:
    """Claims with what the expressions must handle: overlaps, gaps, open ends, strangers, missing codes, reversals."""
    who = np.array([f"p{n:04d}" for n in range(people)])

    def day(first: str, days: int, size: int) -> pd.Series:
        return pd.Series(pd.Timestamp(first) + pd.to_timedelta(rng.integers(0, days, size), unit="D")).dt.date

    def some(values: list, size: int) -> np.ndarray:
        return rng.choice(np.array([*values, None], dtype=object), size)

    spans = 2 * people
    starts = pd.to_datetime(day("2023-01-01", 900, spans))
    ends = starts + pd.to_timedelta(rng.integers(10, 500, spans), unit="D")
    eligibility = pd.DataFrame(
        {
            "person_id": np.tile(who, 2), "gender": rng.choice(["female", "male", "unknown"], spans),
            "race": some(["white", "asian"], spans), "birth_date": np.tile(day("1930-01-01", 30_000, people), 2),
            "death_date": np.tile(some([pd.Timestamp("2024-07-31").date()], people), 2),
            "enrollment_start_date": starts.dt.date,
            "enrollment_end_date": ends.dt.date.where(rng.random(spans) > 0.1, None),
            "payer_type": rng.choice(["medicaid", "medicare", "commercial"], spans),
            "dual_status_code": some(["02", "08", "00"], spans),
        }
    )  # fmt: skip
    begins = pd.to_datetime(day("2022-12-01", 1_000, lines))
    medical = pd.DataFrame(
        {
            "claim_id": [f"c{n // 2}" for n in range(lines)], "claim_line_number": [n % 2 + 1 for n in range(lines)],
            "claim_type": rng.choice(["institutional", "professional"], lines),
            "person_id": rng.choice([*who, "stranger"], lines), "claim_start_date": begins.dt.date,
            "claim_end_date": (begins + pd.to_timedelta(rng.integers(0, 9, lines), unit="D")).dt.date,
            "admission_date": begins.dt.date.where(rng.random(lines) < 0.05, None),
            "bill_type_code": some(["111", "0117", "131", "211", "329", "811"], lines),
            "revenue_center_code": some(["0120", "0450", "0915"], lines),
            "place_of_service_code": some(["11", "21", "23", "31", "53"], lines),
            "drg_code": some(["291"], lines), "hcpcs_code": some(["99213", "99284", "H0004", "G0439", "80053"], lines),
            "diagnosis_code_1": some(["F200", "I5030", "29620", "E119"], lines),
            "diagnosis_code_type": some(["icd-9-cm", "icd-10-cm"], lines),
            "paid_amount": np.round(rng.lognormal(4, 1.5, lines) - 20, 2),
            "allowed_amount": pd.Series(np.round(rng.lognormal(4.5, 1.5, lines), 2)).where(rng.random(lines) > 0.05),
        }
    )  # fmt: skip
    fills = lines // 2
    pharmacy = pd.DataFrame(
        {
            "claim_id": [f"d{n}" for n in range(fills)], "claim_line_number": 1, "person_id": rng.choice(who, fills),
            "dispensing_date": day("2022-12-01", 1_000, fills), "ndc_code": "00093101301",
            "paid_amount": np.round(rng.lognormal(3, 1, fills), 2),
            "allowed_amount": np.round(rng.lognormal(3, 1, fills), 2),
        }
    )  # fmt: skip
    medical["billing_npi"] = some(["1", "2", "3"], lines)
    medical["paid_date"] = (begins + pd.to_timedelta(rng.integers(0, 200, lines), unit="D")).dt.date
    outcome = pd.DataFrame({"person_id": rng.choice(who, 900), "outcome_date": day("2023-01-01", 1_000, 900)})
    outcome = outcome.assign(outcome="contact", outcome_value=rng.choice([0.5, 1.0, 2.0], 900))
    return {"eligibility": eligibility, "medical_claim": medical, "pharmacy_claim": pharmacy, "outcome": outcome}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables as Parquet."""
    path = tmp_path_factory.mktemp("claims")
    for name, frame in drawn(np.random.default_rng(20261122)).items():
        ibis.memtable(frame).to_parquet(path / f"{name}.parquet")
    return path


@pytest.fixture(scope="module")
def file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tables in a DuckDB file."""
    path = tmp_path_factory.mktemp("duckdb") / "claims.duckdb"
    con = ibis.duckdb.connect(path)
    for table in folder.glob("*.parquet"):
        con.raw_sql(f"create table {table.stem} as from '{table}'")
    con.disconnect()
    return str(path)


class Server:
    """A PostgreSQL with the tables in a schema, and a role that may read them and nothing else."""

    PASSWORD = "p@ss:w/rd%"

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port

    def connect(self) -> Any:
        """As the one who owns it."""
        import psycopg

        about = {"host": "127.0.0.1", "port": self.port, "user": "owner", "password": "owner", "dbname": "postgres"}
        return psycopg.connect(**about, autocommit=True)  # type: ignore[arg-type]

    def do(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connect() as con:
            done = con.execute(statement)
            return list(done.fetchall()) if done.description else []

    def address(self, options: str = "schema=input_layer", password: str = PASSWORD, user: str = "reader") -> str:
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/postgres?{options}"

    def load(self, folder: Path) -> None:
        """The tables in Tuva's layout and types: amounts are exact decimals there."""
        types = {"string": "varchar", "date": "date", "float64": "numeric(18,2)", "int64": "integer"}
        self.do("create schema input_layer; create schema spare")
        with self.connect() as con:
            for path in folder.glob("*.parquet"):
                frame = pd.read_parquet(path)
                columns = ", ".join(f"{c} {types[str(SCHEMAS[path.stem][c])]}" for c in frame.columns)
                con.execute(f"create table input_layer.{path.stem} ({columns})")
                into = f"copy input_layer.{path.stem} from stdin"
                with con.cursor() as cursor, cursor.copy(into) as copy:
                    for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
                        copy.write_row(row)
        self.do("analyze")
        self.do(f"create role reader login password '{self.PASSWORD}'")
        self.do(
            "grant usage on schema input_layer to reader;grant select on all tables in schema input_layer to reader"
        )


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """A real server, on this machine's own network, in a temporary folder."""
    homes = [
        Path("/usr/lib/postgresql"),
        *([Path(found).resolve().parent] if (found := shutil.which("initdb")) else []),
    ]
    bins = sorted(home for each in homes for home in (each, *each.glob("*/bin")) if (home / "pg_ctl").exists())
    missing = [] if bins else ["PostgreSQL server (Debian's package postgresql)"]
    try:
        import psycopg  # noqa: F401
    except ImportError:
        missing.append("psycopg (tests/people/postgres-requirements.txt)")
    without(*missing)
    root = hasattr(os, "getuid") and os.getuid() == 0
    as_user: dict[str, Any] = (
        {"user": "nobody", "group": "nogroup", "extra_groups": []} if root else {}
    )  # it refuses root
    home = Path(tempfile.mkdtemp(prefix="carecontracts-pg-"))
    if root:
        shutil.chown(home, "nobody", "nogroup")

    def run(program: str, *words: str) -> None:
        done = subprocess.run(
            [bins[-1] / program, "-D", home / "data", *words], cwd=home, stdin=subprocess.DEVNULL, check=False,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL, stderr=subprocess.STDOUT, **as_user,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout or (home / "log").read_text()

    port = a_port()
    (home / "password").write_text("owner")
    (home / "password").chmod(0o644)
    options = (
        f"-c listen_addresses=127.0.0.1 -p {port} -k {home} -c fsync=off -c shared_buffers=32MB -c max_connections=20"
    )
    try:
        run(
            "initdb",
            "-U",
            "owner",
            "--auth=scram-sha-256",
            f"--pwfile={home}/password",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        )
        run("pg_ctl", "-l", str(home / "log"), "-o", options, "-w", "start")
        made = Server(home, port)
        made.load(folder)
        yield made
        run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A standalone cluster: an address by what is asked of it."""
    missing = [] if shutil.which("java") else ["Java"]
    try:
        import pyspark
    except ImportError:
        missing.append("PySpark (tests/people/spark-requirements.txt)")
    without(*missing)
    home, port = tmp_path_factory.mktemp("spark"), a_port()
    spark = Path(pyspark.__file__).parent
    environment = os.environ | {"SPARK_HOME": str(spark), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    begun = []

    def begin(kind: str, *words: str) -> None:
        log = (home / f"log-{len(begun)}").open("wb")
        command = [spark / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1", *words]
        begun.append(
            subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True)
        )

    begin("master.Master", "--port", str(port), "--webui-port", "0")
    master, until = f"spark://127.0.0.1:{port}", time.monotonic() + 120
    while not any(f"Starting Spark master at {master}" in log.read_text() for log in home.glob("log-*")):
        assert time.monotonic() < until, "no master in two minutes"
        time.sleep(0.2)
    for n in (1, 2):
        begin(
            "worker.Worker",
            "--cores",
            "1",
            "--memory",
            "512m",
            "--webui-port",
            "0",
            "--work-dir",
            str(home / str(n)),
            master,
        )
    settings = {
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1", "spark.executor.memory": "512m",
        "spark.sql.shuffle.partitions": "2", "spark.sql.warehouse.dir": str(home / "warehouse"),
        "spark.driver.extraJavaOptions": f"-Duser.dir={home} -XX:TieredStopAtLevel=1",
        # Of a few thousand rows, compiling the queries is most of the work.
        "spark.sql.codegen.wholeStage": "false", "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    }  # fmt: skip
    yield lambda asked: f"{master}?{asked}&" + "&".join(f"{key}={value}" for key, value in settings.items())
    from pyspark.sql import SparkSession

    if session := SparkSession.getActiveSession():
        session.stop()
    for process in begun:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def spark(folder: Path, cluster: Callable[[str], str]) -> Claims:
    """The claims as the cluster reads them."""
    return read(cluster(f"folder={folder}"))


@pytest.fixture
def catalog(folder: Path, cluster: Callable[[str], str]) -> str:
    """The address of the same as tables of a schema in Spark's catalog."""
    from pyspark.sql import SparkSession

    address.connect(cluster("schema=default"))
    session: Any = SparkSession.getActiveSession()
    session.sql("CREATE SCHEMA IF NOT EXISTS input_layer")
    for path in folder.glob("*.parquet"):
        session.catalog.dropTempView(path.stem)  # of the address of the folder: one session has both
        session.sql(f"CREATE TABLE IF NOT EXISTS input_layer.{path.stem} USING parquet LOCATION '{path}'")
    return cluster("schema=input_layer")


# --- the expressions, row by row --------------------------------------------------------------------------------------


def rows(table: ibis.Table, *keys: str) -> pd.DataFrame:
    """All rows in one order, dollars to the cent: engines add floating numbers up in different orders."""
    frame = table.execute().sort_values(list(keys), ignore_index=True)
    frame = frame.astype(
        {column: "object" for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])}
    )
    return frame.where(frame.notna(), None).round(2)


@pytest.mark.parametrize(("first_month", "basis"), [(1, "paid"), (7, "allowed")])
def test_member_years_are_the_same_rows(folder, spark, first_month, basis):
    asked = {"first_month": first_month, "basis": basis}
    ours = rows(member_years(read(folder), **asked), "person_id", "year")
    theirs = rows(member_years(spark, **asked), "person_id", "year")
    assert len(ours) > 600
    assert (ours["inpatient_paid"] != 0).sum() > 100
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=0, atol=0.011)


@pytest.mark.parametrize(
    ("expression", "keys"),
    [
        (lambda claims: coverage(claims, [2023, 2024, 2025]), ("person_id", "year")),
        (stays, ("person_id", "admission_date")),
        (outside, ("person_id", "year")),
    ],
    ids=["coverage", "stays", "outside"],
)
def test_the_other_expressions_too(folder, spark, expression, keys):
    ours, theirs = rows(expression(read(folder)), *keys), rows(expression(spark), *keys)
    assert len(ours) > 100
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=0, atol=0.011)


# --- the commands ----------------------------------------------------------------------------------------------------

CONTRACT = """
title: The same year everywhere
summary: Most of the rules at once.
parties: {plan: the plan, clinic: the clinic}
first_year: 2025
years: 1
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: clinic, due: monthly, per_member_per_month: 10,
     for_each: engaged month}
  - {name: savings, kind: corridor, of: savings, payer: plan, payee: clinic, due: 9 months after the year ends,
     bands: {0: 0.5}}
measurement:
  population:
    definition: {cost: {dollars: 500}}
    left_out: [end-stage renal disease]
  attribution: {kind: plurality, billed_by: ["1", "2"], lookback: 24}
  enrollment: {least: 1, gap: 11}
  spending: {truncated_at_percentile: 0.95, above: 0.1, without: [post_acute]}
  run_out: {months: 2, completion: the chain ladder, triangle: 24}
  fees: {treatment: inside, clauses: [fee]}
  engaged_months: {outcome: contact}
  benchmark: {kind: own_history, weights: [1], trend: 0.05}
  risk: {score: CMS-HCC V28}
"""


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("contract") / "contract.yaml"
    path.write_text(CONTRACT)
    return path


def answers(run: Callable[..., Any], source: object, contract: Path, out: Path) -> dict[str, str]:
    """What check, measure and crosswalk print and write of claims, by where it stands."""
    out.mkdir()
    checked = run("claims", "check", source, "--out", out / "findings.csv")
    measured = run("measure", source, contract, "--out", out / "years.csv", "--reconciliation", out / "tables")
    lists = ["--definition", "camden", "--definition", "dearest"]
    crossed = run("claims", "crosswalk", source, *lists, "--out", out / "lists.csv")
    told = "".join(command.err for command in (checked, measured, crossed))
    assert (checked.code, measured.code, crossed.code) == (2, 0, 0), told
    files = {str(path.relative_to(out)): path.read_text() for path in sorted(out.rglob("*.csv"))}
    assert len(files) == 7
    return files | {"check": checked.out, "measure": measured.out, "crosswalk": crossed.out}


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    """The folder's answers, once they are asked for."""
    return {}


@pytest.fixture
def expected(ours, run, folder, contract, tmp_path) -> dict[str, str]:
    if not ours:
        ours |= answers(run, folder, contract, tmp_path / "ours")
        header, year = (line.split(",") for line in ours["years.csv"].splitlines())
        assert float(dict(zip(header, year, strict=True))["spend"]) > 1_000
    return ours


def test_a_duckdb_file_gives_what_a_folder_gives(expected, run, file, contract, tmp_path):
    assert answers(run, file, contract, tmp_path / "theirs") == expected


def test_postgresql_gives_it_too_and_a_few_rows_come_back(expected, run, server, contract, tmp_path, monkeypatch):
    import psycopg

    fetched = []

    def counted(cursor, ask):
        def fetch(self, *size):
            found = ask(self, *size)
            fetched.append(len(found))
            return found

        monkeypatch.setattr(cursor, ask.__name__, fetch)

    counted(psycopg.ServerCursor, psycopg.ServerCursor.fetchmany)
    counted(psycopg.Cursor, psycopg.Cursor.fetchall)
    before = server.do(
        "select relname, relfilenode from pg_class where relnamespace::regnamespace::text !~ 'pg_' order by 1"
    )
    contract_without_scores = tmp_path / "contract.yaml"
    contract_without_scores.write_text(CONTRACT.replace("  risk: {score: CMS-HCC V28}\n", ""))
    found = run("measure", server.address(), contract_without_scores, "--out", tmp_path / "years.csv")
    assert found.code == 0, found.err
    assert 10 < len(fetched) < 200
    assert max(fetched) <= 24 * 25 / 2  # the cells of a triangle of 24 months; there are 7,500 lines of 300 people
    assert answers(run, server.address(), contract, tmp_path / "theirs") == expected
    after = server.do(
        "select relname, relfilenode from pg_class where relnamespace::regnamespace::text !~ 'pg_' order by 1"
    )
    assert after == before


def test_a_spark_cluster_gives_it_too(expected, run, cluster, folder, contract, tmp_path):
    before = sorted(folder.iterdir())
    assert answers(run, cluster(f"folder={folder}"), contract, tmp_path / "theirs") == expected
    assert sorted(folder.iterdir()) == before


def test_the_tables_of_a_sparks_catalog_are_checked_alike(expected, run, catalog, tmp_path):
    """What reads them is the same from there on."""
    found = run("claims", "check", catalog, "--out", tmp_path / "findings.csv")
    assert (tmp_path / "findings.csv").read_text() == expected["findings.csv"], found.err
    assert found.out == expected["check"]


# --- what is refused --------------------------------------------------------------------------------------------------


def refused(told: Any, *words: str) -> None:
    """One refusal, without the password."""
    assert told.code == 2, told.err
    for word in words:
        assert word in told.err, told.err
    assert "1 mistake. Nothing was done." in told.err, told.err
    for secret in (Server.PASSWORD, quote(Server.PASSWORD, safe=""), "geheim"):
        assert secret not in told.err, told.err


@pytest.mark.parametrize(
    ("options", "password", "words"),
    [
        ("schema=input_layer", "geheim", ["password authentication failed"]),
        ("schema=nowhere", Server.PASSWORD, ["the schema 'nowhere'", "USAGE ON SCHEMA"]),
        ("schema=spare", Server.PASSWORD, ["the schema 'spare'", "USAGE ON SCHEMA"]),  # there, and not for this role
        ("schema=input_layer&sslmode=geheim", Server.PASSWORD, ["invalid sslmode value"]),
        ("schema=input_layer&shcema=1", Server.PASSWORD, ["shcema"]),
        (
            "schema=input_layer&options=-c statement_timeout=1",
            Server.PASSWORD,
            ["statement timeout", "statement_timeout"],
        ),
    ],
)
def test_a_server_that_does_not_let_in(run, server, contract, tmp_path, options, password, words):
    told = run("measure", server.address(options, password), contract, "--out", tmp_path / "years.csv")
    refused(told, *words)
    assert not (tmp_path / "years.csv").exists()


def test_a_server_that_is_not_there(run):
    refused(run("claims", "check", f"postgres://reader:geheim@127.0.0.1:{a_port()}/postgres"), "refused")


def test_each_grant_that_is_missing_is_named(run, server, contract, tmp_path):
    server.do(
        "create role narrow login password 'geheim'; create schema core; grant usage on schema core to narrow;"
        "create view core.eligibility as select * from input_layer.eligibility;"
        "create table core.medical_claim as select * from input_layer.medical_claim;"
        "grant select on core.eligibility to narrow"
    )
    told = run("measure", server.address("schema=core", "geheim", "narrow"), contract, "--out", tmp_path / "years.csv")
    refused(told, "table medical_claim", "permission denied", "SELECT")
    server.do("grant select on core.medical_claim to narrow; revoke temporary on database postgres from public")
    try:
        told = run("measure", server.address("schema=core", "geheim", "narrow"), contract, "--out", tmp_path / "y.csv")
        refused(told, "permission denied", "TEMPORARY")
    finally:
        server.do("grant temporary on database postgres to public")
        server.do("drop schema core cascade; drop owned by narrow; drop role narrow")


def test_a_role_whose_transactions_are_read_only_asks_all_the_same(run, server, tmp_path):
    server.do("alter role reader set default_transaction_read_only = on")
    told = run("claims", "check", server.address(), "--out", tmp_path / "findings.csv")
    server.do("alter role reader reset default_transaction_read_only")
    assert "negative amount" in (tmp_path / "findings.csv").read_text(), told.err


def test_a_connection_that_is_lost(run, server, contract, tmp_path, monkeypatch):
    from carecontracts import measured

    def years(*known: Any) -> Any:
        server.do("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'reader'")
        return held(*known)

    held = measured._years
    monkeypatch.setattr(measured, "_years", years)
    told = run("measure", server.address(), contract, "--out", tmp_path / "years.csv")
    refused(told, "terminat", "a connection that holds until the end")
    assert not (tmp_path / "years.csv").exists()


def test_text_that_is_no_date_or_number_is_the_same_fault_on_postgresql(run, server, tmp_path):
    """A cast of PostgreSQL stops at the first; the days and numbers that the calendar does not have are among them."""
    days = ["2025-02-29", "2024-02-29", "1900-02-29", "2000-02-29", "2025-04-31", "2025/1/5", "2025-13-01", "today",
            " ", "yesterday", "2025-01-05 00:00:00", "20250105", "2025-00-10", "05.01.2025"]  # fmt: skip
    amounts = ["1.5", "-2e3", ".5", "5.", "1,000", "NaN", "x", "1e30", "$5", None, "+7", "-inf", "0x10", "1 0"]
    rows = [(f"c{n}", 1, "professional", "p1", *both) for n, both in enumerate(zip(days, amounts, strict=True))]
    names = ["claim_id", "claim_line_number", "claim_type", "person_id", "claim_start_date", "paid_amount"]
    spans = pd.DataFrame([("p1", "2025-01-01", None)], columns=["person_id", *list(SCHEMAS["eligibility"])[8:10]])
    tables = {"eligibility": spans, "medical_claim": pd.DataFrame(rows, columns=names)}
    server.do("create schema written; grant usage on schema written to reader")
    for name, frame in tables.items():
        (tmp_path / "written").mkdir(exist_ok=True)
        frame.to_csv(tmp_path / "written" / f"{name}.csv", index=False)
        with server.connect() as con:
            con.execute(f"create table written.{name} ({', '.join(f'{c} varchar' for c in frame.columns)})")
            marks = ", ".join(["%s"] * len(frame.columns))
            values = frame.astype(object).where(frame.notna(), None).values.tolist()
            con.cursor().executemany(f"insert into written.{name} values ({marks})", values)
    server.do("grant select on all tables in schema written to reader")
    ours = run("claims", "check", tmp_path / "written", "--out", tmp_path / "ours.csv")
    theirs = run("claims", "check", server.address("schema=written"), "--out", tmp_path / "theirs.csv")
    assert "medical_claim,claim_start_date,not a date,9,14," in (tmp_path / "ours.csv").read_text()
    assert "medical_claim,paid_amount,not a number,7,14," in (tmp_path / "ours.csv").read_text()
    assert (tmp_path / "theirs.csv").read_text() == (tmp_path / "ours.csv").read_text(), theirs.err
    assert ours.out == theirs.out
    told = run("claims", "crosswalk", server.address("schema=written"), "--definition", "dearest")
    assert told.code == 2
    assert "'today'" in told.err or "2025-02-29" in told.err
    server.do("drop schema written cascade")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("folder=/nowhere", ["/nowhere"]),
        ("schema=nowhere", ["nowhere"]),
        ("folder=a&schema=b", ["one of the two"]),
        ("memory=1g", ["'memory'", "spark.…"]),
    ],
)
def test_a_cluster_asked_for_what_it_does_not_have(run, cluster, asked, words):
    refused(run("claims", "check", cluster(asked)), *words)


def test_a_folder_of_the_cluster_is_read_by_the_rules_of_a_folder(run, cluster, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "claims")
    (tmp_path / "claims" / "pharmacy_claim.parquet").rename(tmp_path / "claims" / "pharmacy_claims.parquet")
    (tmp_path / "claims" / "roster.csv").write_text("person_id,organization,start_date\n")
    told = run("claims", "check", cluster(f"folder={tmp_path / 'claims'}"))
    assert told.code == 2
    for word in ("pharmacy_claims.parquet", "pharmacy_claim.parquet", "roster.csv", "2 mistakes"):
        assert word in told.err, told.err


@patient
def test_a_cluster_that_is_not_there_and_one_without_a_worker_to_spare(run, cluster, spark, monkeypatch):
    refused(run("claims", "check", f"spark://127.0.0.1:{a_port()}"), "refused", "spark://host:7077")
    from pyspark.sql import SparkSession

    session: Any = SparkSession.getActiveSession()
    session.stop()
    monkeypatch.setattr(address, "SECONDS", 4.0)
    too_much = cluster("schema=default").replace("memory=512m", "memory=8g")
    refused(run("claims", "check", too_much), "no worker took the work", "spark.executor.memory")


@patient
@pytest.mark.parametrize("how", ["it stops", "its workers do"])
def test_a_cluster_that_goes_away(run, cluster, folder, contract, tmp_path, monkeypatch, how):
    from pyspark.sql import SparkSession

    from carecontracts import measured

    def years(*known: Any) -> Any:
        session: Any = SparkSession.getActiveSession()
        if how == "it stops":
            session.stop()
        else:
            until = time.monotonic() + 120
            while len(session._jsc.sc().statusTracker().getExecutorInfos()) < 3:  # the driver and both workers'
                assert time.monotonic() < until
                time.sleep(0.2)
            monkeypatch.setattr(address, "SECONDS", 4.0)
            for executor in ("0", "1"):
                assert session._jsc.sc().killExecutor(executor)
        return held(*known)

    held = measured._years
    monkeypatch.setattr(measured, "_years", years)
    if session := SparkSession.getActiveSession():
        session.stop()  # executors are numbered from 0 in each
    told = run("measure", cluster(f"folder={folder}"), contract, "--out", tmp_path / "years.csv")
    refused(told, "a cluster that holds until the end")
    assert not (tmp_path / "years.csv").exists()
    if session := SparkSession.getActiveSession():
        session.stop()
