"""Nothing of a folder is ignored without a word, nothing else is read in its place, and nothing stays behind."""

import datetime
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from carecontracts import Contract, Refusal
from carecontracts.claims import engine
from carecontracts.claims.adapters import medicare, synpuf
from carecontracts.claims.check import check
from carecontracts.claims.layout import REQUIRED
from carecontracts.claims.read import look, read
from carecontracts.measured import measure

PEOPLE = "person_id,gender,birth_date,enrollment_start_date,enrollment_end_date\na,female,1980-05-05,2025-01-01,\n"
LINES = "claim_id,claim_line_number,claim_type,person_id,claim_start_date,paid_date,paid_amount\n"
LINE = "c1,1,professional,a,2025-02-03,2025-02-20,{}\n"
DRUGS = "claim_id,claim_line_number,person_id,dispensing_date,paid_amount\nd1,1,a,2025-03-04,5000\n"


def folder(place: Path, paid: object = 100, **more: str) -> Path:
    """One person, one line of a given amount, and files by the name of their table."""
    place.mkdir(parents=True)
    for name, text in {"eligibility": PEOPLE, "medical_claim": LINES + LINE.format(paid), **more}.items():
        (place / f"{name}.csv").write_text(text)
    return place


def paid(source: Path | str) -> float:
    return float(read(source).medical_claim.paid_amount.sum().to_pyarrow().as_py())


def refused(source: Path | str) -> list[tuple[str, str]]:
    """The faults of a folder, by the file or column and by what was given; `check` says them too."""
    with pytest.raises(Refusal) as caught:
        read(source)
    return [(Path(fault.where).name, fault.given) for fault in caught.value.faults]


def all_told(source: Path) -> None:
    """What `read` refuses of files, `check` finds."""
    given = {given for _, given in refused(source)}
    assert given <= {finding.rule for finding in check(source).faults}


# --- nothing ignored --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pharmacy_claims.csv", "Pharmacy.csv", "pharmacy_claim.csv.gz", "pharmacy_claim.txt"])
def test_a_name_that_is_nearly_a_tables_is_refused(tmp_path, name):
    claims = folder(tmp_path / "claims")
    (claims / name).write_text(DRUGS)
    assert refused(claims) == [(name, "a name that no table claims")]
    all_told(claims)


def test_a_table_given_twice_is_refused(tmp_path):
    claims = folder(tmp_path / "claims")
    (claims / "medical_claim").mkdir()
    (claims / "medical_claim" / "a.csv").write_text(LINES + LINE.format(1))
    assert refused(claims) == [("claims, table medical_claim", "medical_claim, medical_claim.csv")]
    (claims / "medical_claim.csv").rename(claims / "medical_claim_2025.csv")
    assert refused(claims) == [("medical_claim_2025.csv", "a name that no table claims")]


def test_a_part_that_is_no_table_is_refused_and_a_mark_of_done_is_none(tmp_path):
    claims = folder(tmp_path / "claims")
    parts = claims / "pharmacy_claim"
    parts.mkdir()
    assert refused(claims) == [("pharmacy_claim", "an empty folder")]
    (parts / "a.csv").write_text(DRUGS)
    (parts / "_SUCCESS").write_text("")
    (parts / ".a.csv.crc").write_text("x")
    assert int(read(claims).pharmacy_claim.count().to_pyarrow().as_py()) == 1
    for name in ("b.csv.gz", "c.txt"):
        (parts / name).write_text(DRUGS)
    (parts / "sub").mkdir()
    kind = "a part of another kind"
    assert refused(claims) == [("b.csv.gz", kind), ("c.txt", kind), ("sub", "a folder")]
    all_told(claims)


@pytest.mark.parametrize(("name", "day", "near"), [("drugs.csv", "dispensing_date", "pharmacy_claim"),
                                                   ("dental.csv", "claim_start_date", "medical_claim")])  # fmt: skip
def test_payments_under_another_name_are_a_fault(tmp_path, name, day, near):
    claims = folder(tmp_path / "claims")
    (claims / name).write_text(f"claim_id,person_id,{day},paid_amount\nx,a,2025-02-03,5000\n")
    assert refused(claims) == [(name, "people's payments under a name that no table claims")]
    with pytest.raises(Refusal, match=f"name it {near}.csv"):
        read(claims)
    all_told(claims)


@pytest.mark.parametrize("table", ["eligibility", "medical_claim"])
def test_a_table_of_no_known_column_lacks_those_that_it_needs(tmp_path, table):
    claims = folder(tmp_path / "claims")
    (claims / f"{table}.csv").write_text("Extract of 2025\n" + (claims / f"{table}.csv").read_text())
    lacking = [f"{table}.csv, column {column}" for column in REQUIRED[table]]
    assert refused(claims) == [(where, "no such column") for where in lacking]
    all_told(claims)


def test_what_no_table_claims_is_told_by_name(tmp_path, run):
    claims = folder(tmp_path / "claims")
    for name in ("dental.csv", "readme.md", ".DS_Store"):
        (claims / name).write_text("x")
    told = (f"{claims / 'dental.csv'} is not read: no table has such a name",)
    told += (f"{claims / 'readme.md'} is not read: no table has such a name",)
    assert read(claims).notes == told
    assert [f.rule for f in check(claims).notes if not f.table] == list(told)
    contract = Contract.model_validate(AGREED)
    assert set(told) < set(measure(read(claims), contract).notes)


AGREED = {
    "title": "Test contract",
    "summary": "Total cost for everyone.",
    "parties": {"plan": "the plan", "aco": "the ACO"},
    "first_year": 2025,
    "years": 1,
    "clauses": [
        {
            "name": "savings", "kind": "shared_savings", "payer": "plan", "payee": "aco",
            "due": "9 months after the year ends", "minimum": 0, "share": 0.5, "basis": "illustrative",
        }
    ],
    "measurement": {
        "attribution": {"kind": "everyone"},
        "run_out": {"months": 12},
        "benchmark": {"kind": "fixed", "per_member_per_month": 100, "basis": "illustrative"},
    },
}  # fmt: skip


def test_a_geography_whose_column_is_empty_is_refused(tmp_path):
    where = {"kind": "geography", "by": "zip_code", "areas": ["80202"]}
    contract = Contract.model_validate(AGREED | {"measurement": AGREED["measurement"] | {"attribution": where}})
    with pytest.raises(Refusal, match="by: zip_code, which is not there or empty in every row"):
        measure(read(folder(tmp_path / "claims")), contract)


# --- nothing else read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a[1]", "a?", "a*"])
def test_a_folders_name_is_no_pattern(tmp_path, name):
    folder(tmp_path / "a1", 999_999)
    claims = folder(tmp_path / name, 80)
    assert paid(claims) == 80
    for table in ("eligibility", "medical_claim"):
        rows = duckdb.read_csv(str(claims / f"{table}.csv").replace("[", "[[]").replace("?", "[?]").replace("*", "[*]"))
        pq.write_table(rows.to_arrow_table(), claims / f"{table}.parquet")
        (claims / f"{table}.csv").unlink()
    assert paid(claims) == 80


def test_a_folders_name_is_no_column(tmp_path):
    claims = folder(tmp_path / "payer=other")
    assert "payer" not in look(claims).given["eligibility"].rows.columns


def test_parts_are_read_by_name(tmp_path):
    claims = folder(tmp_path / "claims")
    parts = claims / "pharmacy_claim"
    parts.mkdir()
    (parts / "a.csv").write_text(DRUGS)
    (parts / "b.csv").write_text(
        "paid_amount;dispensing_date;person_id;claim_line_number;claim_id\n7;2025-05-05;a;1;d2\n"
    )
    rows = read(claims).pharmacy_claim.order_by("claim_id").select("claim_id", "paid_amount").to_pyarrow().to_pylist()
    assert [tuple(row.values()) for row in rows] == [("d1", 5000), ("d2", 7)]
    (parts / "c.csv").write_text(DRUGS.replace("paid_amount", "paid_amnt"))
    assert refused(claims) == [("c.csv", "other columns than a.csv: 'paid_amnt', 'paid_amount' in one of them")]


# --- cells ------------------------------------------------------------------------------------------------------------


def parquet(claims: Path, **columns: object) -> Path:
    """The one line as Parquet, with columns of its own."""
    (claims / "medical_claim.csv").unlink()
    line = {
        "claim_id": ["c1"], "claim_line_number": [1], "claim_type": ["professional"], "person_id": ["a"],
        "claim_start_date": [datetime.date(2025, 2, 3)], "paid_amount": [100.0],
    }  # fmt: skip
    pq.write_table(pa.table(line | columns), claims / "medical_claim.parquet")
    return claims


@pytest.mark.parametrize(
    ("column", "value", "given"),
    [
        ("paid_amount", pa.array([float("nan")]), "'nan'"),
        ("allowed_amount", pa.array([float("inf")]), "'inf'"),
        ("person_id", pa.array([1.5]), "'1.5'"),
        ("person_id", pa.array([float("inf")]), "'inf'"),
        ("claim_line_number", pa.array([1e300]), "'1e+300'"),
        (
            "paid_date",
            pa.array([np.datetime64("20250-03-01").astype(int)], pa.int32()).cast(pa.date32()),
            "'20250-03-01'",
        ),
    ],
)
def test_a_cell_of_parquet_that_is_no_value_is_refused_with_its_row(tmp_path, column, value, given):
    claims = parquet(folder(tmp_path / "claims"), **{column: value})
    ((where, told),) = refused(claims)
    assert (where.endswith(f"column {column}"), "claim_id c1" in where, told) == (True, True, given)
    assert column in {finding.column for finding in check(claims).faults}


@pytest.mark.parametrize(("paid", "line"), [("NaN", ""), ("100", "20250-03-01")])
def test_a_cell_of_text_that_is_no_value_is_refused(tmp_path, paid, line):
    claims = folder(tmp_path / "claims", paid)
    if line:
        file = claims / "medical_claim.csv"
        file.write_text(file.read_text().replace("2025-02-20", line))
    ((where, given),) = refused(claims)
    assert where.startswith("medical_claim.csv, claim_id c1")
    assert given == repr(line or paid)


def test_a_column_of_parquet_with_nothing_in_it_is_empty(tmp_path):
    claims = folder(tmp_path / "claims")
    people = {"person_id": ["a"], "enrollment_start_date": ["2025-01-01"], "enrollment_end_date": pa.nulls(1)}
    (claims / "eligibility.csv").unlink()
    pq.write_table(pa.table(people), claims / "eligibility.parquet")
    assert measure(read(claims), Contract.model_validate(AGREED)).years[0].member_months == {"all": 12}
    assert check(claims).faults == []


# --- files that do not open -------------------------------------------------------------------------------------------


def test_what_does_not_open_is_a_fault_with_its_file(tmp_path):
    claims = folder(tmp_path / "claims")
    parts = claims / "pharmacy_claim"
    parts.mkdir()
    (parts / "a.csv").symlink_to(tmp_path / "gone.csv")
    (parts / "b.csv").mkdir()
    os.mkfifo(parts / "c.csv")  # to open it would wait for ever
    (parts / "d.parquet").mkdir()
    (parts / "d.parquet").rmdir()
    given = ["a link to nothing", "a folder", "no file that can be read twice"]
    assert refused(claims) == list(zip(("a.csv", "b.csv", "c.csv"), given, strict=True))
    all_told(claims)
    for path in (claims / ("x" * 300), tmp_path / "gone", parts / "c.csv"):
        with pytest.raises(Refusal):
            read(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_fault_with_its_file(tmp_path):
    claims = folder(tmp_path / "claims")
    (claims / "eligibility.csv").chmod(0)
    assert refused(claims) == [("eligibility.csv", "Permission denied")]
    claims.chmod(0)
    assert refused(claims) == [("claims", "Permission denied")]
    claims.chmod(0o700)


def test_the_engines_errors_are_whose_they_are():
    def blamed(error: BaseException) -> str:
        with pytest.raises(Refusal) as caught, engine.blaming("in/a.csv", "a table", "mend it"):
            raise error
        return caught.value.faults[0].where

    with pytest.raises(KeyboardInterrupt), engine.blaming("in/a.csv", "a table", "mend it"):
        raise duckdb.InterruptException("Query interrupted")
    assert blamed(duckdb.IOException("could not write to x/claims.duckdb: no space left")) == "this machine"
    assert blamed(duckdb.OutOfMemoryException("out of memory")) == "this machine"
    assert blamed(duckdb.ConversionException("could not convert 'x'")) == "in/a.csv"
    assert blamed(duckdb.IOException("cannot read in/a.csv")) == "in/a.csv"


# --- databases --------------------------------------------------------------------------------------------------------


def test_a_database_is_only_read_and_sees_nothing_else(tmp_path):
    (tmp_path / "secret.txt").write_text("seen")
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(f"create table eligibility as from read_csv('{folder(tmp_path / 'f')}/eligibility.csv')")
        con.execute(f"""create view medical_claim as select content as claim_id, 1 as claim_line_number,
            'professional' as claim_type, 'a' as person_id, date '2025-01-01' as claim_start_date, 1.0 as paid_amount
            from read_text('{tmp_path}/secret.txt')""")
    for source in (str(path), f"duckdb://{path}"):
        claims, _, (fault,) = look(source)
        assert fault.where.endswith("table medical_claim")
        assert "disabled" in fault.given
        con = claims["eligibility"].rows.get_backend()
        for statement in ("create table t as select 1", "set enable_external_access = true"):
            with pytest.raises(duckdb.Error):
                con.raw_sql(statement)


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_an_address_makes_no_file(tmp_path, kind):
    with pytest.raises(Refusal):
        read(f"{kind}://{tmp_path}/new.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_engine_is_refused_by_its_first_bytes(tmp_path):
    path = tmp_path / "x.db"
    ibis.sqlite.connect(path).raw_sql("create table eligibility (a text)").close()
    assert refused(path) == [("x.db", "a SQLite file")]


def test_no_password_is_shown():
    with pytest.raises(Refusal) as caught:
        read("nosuch://user:first@host/db?password=second")
    assert "host/db" in str(caught.value)
    assert not {"first", "second", "user"} & set(str(caught.value).replace("@", " ").replace("=", " ").split())
    assert "first" not in str(caught.value)
    assert "second" not in str(caught.value)


# --- nothing stays behind ---------------------------------------------------------------------------------------------

HOLD = (
    "import sys; from carecontracts.claims.engine import scratch; c = scratch(); print(1, flush=True); sys.stdin.read()"
)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_the_copy_of_claims_goes_with_its_process(tmp_path, monkeypatch, name):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(getattr(signal, name))
    process.communicate()
    if name == "SIGKILL":  # the next one sweeps
        assert len(list(tmp_path.iterdir())) == 1
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        engine._sweep()
    assert list(tmp_path.iterdir()) == []


# --- adapters ---------------------------------------------------------------------------------------------------------

ENTITLED = [f"MDCR_ENTLMT_BUYIN_{n}_IND" for n in range(1, 13)]


def rif(place: Path) -> Path:
    """A man all of 2019, without his race, and one stay of $9,000."""
    place.mkdir()
    row = ["A", "2019", "1", "01-Mar-1945", *["3"] * 12]
    people = ["BENE_ID", "RFRNC_YR", "BENE_SEX_IDENT_CD", "BENE_BIRTH_DT", *ENTITLED]
    (place / "beneficiary_2019.csv").write_text("|".join(people) + "\n" + "|".join(row) + "\n")
    stay = "BENE_ID|CLM_ID|CLM_FROM_DT|CLM_THRU_DT|CLM_PMT_AMT\nA|1|05-Mar-2019|08-Mar-2019|9000\n"
    (place / "inpatient.csv").write_text(stay)
    return place


def test_columns_that_an_adapter_can_do_without_read_as_empty(tmp_path):
    claims = medicare.adapt(rif(tmp_path / "rif")).claims
    assert claims.eligibility.race.to_pyarrow().to_pylist() == ["unknown"]
    assert claims.medical_claim.paid_amount.to_pyarrow().to_pylist() == [9000]


def test_columns_that_an_adapter_needs_are_all_told_at_once(tmp_path):
    files = rif(tmp_path / "rif")
    file = files / "inpatient.csv"
    file.write_text(file.read_text().replace("CLM_PMT_AMT", "CLM_PMT_AMTX"))
    (files / "carrier.csv").write_text("a,b\n1,2\n")
    (files / "snf.csv").write_bytes(b"\x00\xff\xfe" * 100)
    (files / "hha.csv").write_text("")
    (files / "dme.csv.gz").write_text("x")
    with pytest.raises(Refusal) as caught:
        medicare.adapt(files)
    told = {Path(fault.where).name: fault for fault in caught.value.faults}
    assert told["inpatient.csv, column CLM_PMT_AMT"].do.startswith("did you mean 'CLM_PMT_AMTX'?")
    assert {f"carrier.csv, column {c}" for c in ("BENE_ID", "CLM_ID", "CLM_FROM_DT", "LINE_NCH_PMT_AMT")} < set(told)
    assert {"snf.csv", "hha.csv", "dme.csv.gz"} < set(told)


def test_files_of_a_kind_are_read_by_name(tmp_path):
    files = rif(tmp_path / "rif")
    (files / "inpatient_b.csv").write_text(
        "CLM_PMT_AMT,CLM_ID,BENE_ID,CLM_THRU_DT,CLM_FROM_DT\n60,2,A,08-Apr-2019,05-Apr-2019\n"
    )
    rows = (
        medicare.adapt(files).claims.medical_claim.order_by("claim_id").select("claim_id", "person_id", "paid_amount")
    )
    assert [tuple(row.values()) for row in rows.to_pyarrow().to_pylist()] == [("1", "A", 9000), ("2", "A", 60)]


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [("9000", "nan", "CLM_PMT_AMT"), ("9000", "many", "CLM_PMT_AMT"), ("05-Mar-2019", "05-Mrz-2019", "CLM_FROM_DT")],
)
def test_a_cell_that_is_no_value_is_told_by_file_and_column(tmp_path, old, new, column):
    file = rif(tmp_path / "rif") / "inpatient.csv"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(Refusal) as caught:
        medicare.adapt(file.parent)
    assert [(Path(f.where).name, f.given) for f in caught.value.faults] == [
        (f"inpatient.csv, column {column}", repr(new))
    ]


def test_a_file_without_rows_and_a_year_that_no_name_says_are_refused(tmp_path):
    files = rif(tmp_path / "rif")
    (files / "inpatient.csv").write_text("BENE_ID|CLM_ID|CLM_FROM_DT|CLM_THRU_DT|CLM_PMT_AMT\n")
    with pytest.raises(Refusal, match="a header and no rows"):
        medicare.adapt(files)
    with pytest.raises(Refusal, match="no year"):
        synpuf._year_in(Path("x_beneficiary_summary.csv"))


def test_files_that_no_kind_claims_are_told(tmp_path):
    files = rif(tmp_path / "rif")
    (files / "notes.csv").write_text("a\n1\n")
    assert [read.file for read in medicare.adapt(files).read if read.table == "not read"] == ["notes.csv"]
