"""A folder of claims, whole and broken: every fault found and counted, nothing dropped without saying so."""

import csv
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import ibis
import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from carecontracts import Refusal
from carecontracts.claims import engine
from carecontracts.claims.check import Report, check, schema
from carecontracts.claims.layout import SCHEMAS
from carecontracts.claims.read import held, read
from carecontracts.claims.rules import KEPT
from carecontracts.people.member_years import member_years, outside

TODAY = date(2026, 11, 1)
PEOPLE = 50
LINES = 2_000

Table = list[list[str]]


def whole() -> dict[str, Table]:
    """Fifty people all of 2025, forty lines each, two fills each."""
    eligibility = [["person_id", "gender", "birth_date", "enrollment_start_date", "enrollment_end_date", "payer_type"]]
    eligibility += [[f"p{n}", "female", "1980-02-03", "2025-01-01", "2025-12-31", "medicaid"] for n in range(PEOPLE)]
    names = "claim_id claim_line_number claim_type person_id claim_start_date claim_end_date paid_date paid_amount "
    medical = [(names + "allowed_amount hcpcs_code diagnosis_code_1 diagnosis_code_type rendering_npi").split()]
    for n in range(LINES):
        day = f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}"
        paid_on = f"2026-{n % 9 + 1:02d}-15"
        medical.append(
            [
                f"c{n}", "1", "professional", f"p{n % PEOPLE}", day, day, paid_on, "100.25", "120", "99213", "I10",
                "icd-10-cm", "1234567890",
            ]
        )  # fmt: skip
    pharmacy = [["claim_id", "claim_line_number", "person_id", "dispensing_date", "ndc_code", "paid_amount"]]
    for month in (6, 7):
        day = f"2025-{month:02d}-01"
        pharmacy += [[f"d{month}{n}", "1", f"p{n}", day, "00093101301", "10.00"] for n in range(PEOPLE)]
    return {"eligibility": eligibility, "medical_claim": medical, "pharmacy_claim": pharmacy}


def write(folder: Path, tables: dict[str, Table]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    return folder


def found(report: Report) -> dict[tuple[str, str, str], int]:
    return {(f.table, f.column, f.rule): f.found for f in report.findings}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Each kind of fault a known number of times, in rows of their own."""
    tables = whole()
    medical, people = tables["medical_claim"], tables["eligibility"]
    header = medical[0]
    at = {name: n for n, name in enumerate(header)}

    def put(first: int, column: str, *values: str) -> None:
        for n, value in enumerate(values):
            medical[first + n][at[column]] = value

    put(1, "paid_amount", "eighty", "1,250.50", "$12", "2e13")  # wrong types: 3 unread, 1 beyond
    put(11, "claim_start_date", "03/02/2025", "20250302x")  # 2 dates not as 2026-01-31
    put(21, "allowed_amount", "n/a")  # 1, in a column that may be empty
    put(31, "claim_end_date", "2024-01-01", "2024-01-02", "2024-01-03")  # 3 reversed
    put(41, "person_id", "stranger", "stranger", "nobody", "")  # 3 unknown members, 1 empty
    put(51, "paid_amount", "-100.25", "-5")  # 2 negative
    put(61, "claim_start_date", "2031-01-01")  # in the future; and it then ends before it starts
    put(61, "paid_date", "")
    put(71, "claim_start_date", "2024-12-31")  # 1 before coverage
    put(81, "claim_type", "proffesional")
    put(91, "diagnosis_code_1", "I50.30")
    put(101, "rendering_npi", "12345")
    put(111, "paid_date", "2024-06-01")
    medical += [list(row) for row in medical[201:206]]  # 5 lines again
    medical += [[*medical[210][:7], "999.00", *medical[210][8:]]]  # and one again with another amount
    people += [["p1", "female", "1980-02-03", "2025-12-31", "2025-01-01", "medicaid"]]  # reversed
    people += [["p2", "femail", "1980-02-04", "2025-03-01", "2025-04-30", "medicaid"]]  # gender; a second birth date
    folder = write(tmp_path / "claims", tables)
    with (folder / "medical_claim.csv").open("ab") as file:  # 1% junk, of three kinds
        file.write(b"~~~~ page 2 of 9 ~~~~\n" * 10 + b"a,b,c\n" * 9 + b"c9,1,professional,\xff\xfep1,2025,,,,,,,,\n")
    (folder / "pharmacy_claim.csv").write_bytes(b"")
    return folder


EXPECTED = {
    ("medical_claim", "", "a line that is no row"): 20,
    ("medical_claim", "paid_amount", "not a number"): 3,
    ("medical_claim", "paid_amount", "not finite, or beyond 10,000,000,000,000"): 1,
    ("medical_claim", "claim_start_date", "not a date"): 2,
    ("medical_claim", "allowed_amount", "not a number"): 1,
    ("medical_claim", "claim_end_date", "ends before it starts"): 4,
    ("medical_claim", "person_id", "empty"): 1,
    ("medical_claim", "person_id", "a member who is not in eligibility"): 3,
    ("medical_claim", "paid_amount", "negative amount"): 2,
    ("medical_claim", "claim_start_date", "date in the future"): 1,
    ("medical_claim", "claim_start_date", "on a day without coverage"): 1,
    ("medical_claim", "claim_type", "not one of institutional, professional, vision, dental, undetermined"): 1,
    ("medical_claim", "diagnosis_code_1", "another spelling of the code"): 1,
    ("medical_claim", "rendering_npi", "not ten digits"): 1,
    ("medical_claim", "paid_date", "paid before it began"): 1,
    ("medical_claim", "", "given again"): 5,
    ("medical_claim", "paid_amount", "the same line again, with other values"): 2,
    ("eligibility", "enrollment_end_date", "ends before it starts"): 1,
    ("eligibility", "gender", "not one of female, male, unknown"): 1,
    ("eligibility", "birth_date", "more than one birth_date for a person_id"): 1,
    ("eligibility", "gender", "more than one gender for a person_id"): 1,
}


def test_every_fault_is_found_and_counted(broken):
    report = check(broken, today=TODAY)
    empty = ("", "pharmacy_claim.csv", "an empty file")
    assert found(report) == EXPECTED | {empty: 1}
    notes = {"not ten digits", "paid before it began", "on a day without coverage", "more than one", "another spelling"}
    assert {" ".join(f.rule.split()[:2]) for f in report.notes} == {" ".join(n.split()[:2]) for n in notes}


def test_the_first_examples_say_which_row_and_what_it_holds(broken):
    by_rule = {(f.column, f.rule): f.examples for f in check(broken, today=TODAY).findings}
    assert by_rule["paid_amount", "not a number"] == (
        "claim c0 line 1: 'eighty'",
        "claim c1 line 1: '1,250.50'",
        "claim c2 line 1: '$12'",
    )
    assert by_rule["claim_end_date", "ends before it starts"][0] == "claim c30 line 1: '2024-01-01'"
    assert "claim c42 line 1: 'nobody'" in by_rule["person_id", "a member who is not in eligibility"]
    assert set(by_rule["", "given again"]) < {f"claim c{n} line 1" for n in range(200, 205)}
    assert by_rule["", "a line that is no row"][0] == f"medical_claim.csv, line {LINES + 8:,}: '~~~~ page 2 of 9 ~~~~'"


def test_what_is_left_out_and_what_stays_add_up_to_what_was_given(broken):
    report = check(broken, today=TODAY)
    summary = {t.table: t for t in report.tables}
    medical = summary["medical_claim"]
    # Refused: 20 junk, 3 + 1 amounts and 1 allowed, 2 dates. Left out: 4 reversed, 1 empty, 3 strangers, 6 again.
    assert (medical.rows, medical.left_out) == (LINES + 6 + 20, 20 + 5 + 2 + 4 + 1 + 3 + 6)
    assert report.refused
    kept = report.kept.medical_claim.execute()
    assert len(kept) == medical.rows - medical.left_out
    assert kept["paid_amount"].sum() == pytest.approx(medical.paid - medical.paid_left_out, abs=0.005)
    # Of the line that came again with another amount, the larger: both were paid on the same day.
    assert kept.loc[kept["claim_id"] == "c209", "paid_amount"].tolist() == [999.00]
    inside, beyond = member_years(report.kept).execute(), outside(report.kept).execute()
    assert inside["paid"].sum() + beyond["paid"].sum() == pytest.approx(kept["paid_amount"].sum(), abs=0.005)
    assert summary["eligibility"].left_out == 1


def one_year(lines: list[dict[str, object]], **more: pd.DataFrame) -> Report:
    """What `check` finds in claim lines of one person, covered from 10 March to 20 September 2025."""
    span = {"person_id": "a", "enrollment_start_date": "2025-03-10", "enrollment_end_date": "2025-09-20"}
    given = {"claim_line_number": 1, "claim_type": "professional", "person_id": "a", "paid_amount": 100.0}
    frame = pd.DataFrame([given | {"claim_id": f"c{n}"} | line for n, line in enumerate(lines)])
    return check(held({"eligibility": pd.DataFrame([span]), "medical_claim": frame} | more), today=TODAY)


def test_the_first_and_the_last_day_of_coverage_are_covered():
    days = ("2025-03-09", "2025-03-10", "2025-09-20", "2025-09-21")
    (outside_it,) = one_year([{"claim_start_date": day} for day in days]).findings
    assert (outside_it.rule, outside_it.found) == ("on a day without coverage", 2)
    assert outside_it.examples == ("claim c0 line 1: '2025-03-09'", "claim c3 line 1: '2025-09-21'")


def test_of_two_versions_of_a_line_the_last_paid_stays_and_not_the_dearer():
    versions = [("2025-06-01", 250.0), ("2025-08-01", 180.0), ("2025-07-01", 900.0)]
    lines = [
        {"claim_id": "same", "claim_start_date": "2025-05-05", "paid_date": day, "paid_amount": amount}
        for day, amount in versions
    ]
    report = one_year(lines)
    assert report.kept.medical_claim.paid_amount.execute().tolist() == [180.0]
    assert (report.tables[1].rows, report.tables[1].left_out, report.tables[1].paid_left_out) == (3, 2, 1_150.0)


def test_today_is_not_the_future():
    days = [TODAY, TODAY + timedelta(days=1)]  # 1 November 2026, and the day after
    report = one_year([{"claim_start_date": str(day)} for day in days])
    assert found(report)["medical_claim", "claim_start_date", "date in the future"] == 1
    assert report.kept.medical_claim.count().execute() == 2  # what is used does not hang on the day of asking


def test_a_stay_on_the_roster_that_ends_before_it_starts_is_left_out():
    listed = pd.DataFrame({"person_id": ["a"] * 3, "organization": "clinic"})
    listed = listed.assign(
        start_date=["2025-05-01", "2025-06-01", "2025-07-01"], end_date=["2025-04-30", "2025-06-01", None]
    )
    report = one_year([{"claim_start_date": "2025-05-05"}], roster=listed)
    assert found(report) == {("roster", "end_date", "ends before it starts"): 1}
    assert sorted(f"{day:%m-%d}" for day in report.kept.roster.start_date.execute()) == ["06-01", "07-01"]


def test_two_values_found_on_one_day_are_two_records():
    found_that_day = pd.DataFrame({"person_id": ["a"] * 3, "outcome_value": [14.0, 9.0, 9.0]})
    records = found_that_day.assign(outcome_date="2025-05-05", outcome="phq9")
    report = one_year([{"claim_start_date": "2025-05-05"}], outcome=records)
    assert sorted(report.kept.outcome.outcome_value.execute()) == [9.0, 14.0]  # the second 9 is the first again


def test_text_that_is_no_number_or_date_is_refused_and_never_nothing(tmp_path):
    tables = whole()
    for row, amount in ((7, "eighty"), (9, "1,250.50"), (11, "$5")):
        tables["medical_claim"][row][7] = amount
    tables["eligibility"][3][2] = "02/03/1980"
    folder = write(tmp_path / "claims", tables)
    with pytest.raises(Refusal) as refused:
        read(folder)
    assert [(fault.where.rpartition(" ")[2], fault.given) for fault in refused.value.faults] == [
        ("birth_date", "'02/03/1980'"),
        ("paid_amount", "'eighty' and 2 more"),
    ]
    # From elsewhere than files too.
    frames = {name: pd.DataFrame(rows[1:], columns=rows[0]) for name, rows in tables.items()}
    with pytest.raises(Refusal, match="eighty"):
        read(held(frames))


def test_lines_that_are_no_rows_are_refused_and_an_open_quote_counts_every_line_it_swallows(tmp_path):
    folder = write(tmp_path / "claims", whole())
    with (folder / "pharmacy_claim.csv").open("a") as file:
        file.write('d1000,1,"p1,2025-06-01,00093101301,10\nd1001,1,p1,2025-06-01,00093101301,10\n')
    with pytest.raises(Refusal) as refused:
        read(folder)
    assert [fault.where.rpartition(": ")[2] for fault in refused.value.faults] == [
        "pharmacy_claim.csv, line 102",
        "pharmacy_claim.csv, line 103",
    ]
    assert found(check(folder, today=TODAY)) == {("pharmacy_claim", "", "a line that is no row"): 2}


def test_a_whole_folder_is_clean_and_pandera_says_so_too(tmp_path):
    folder = write(tmp_path / "claims", whole())
    report = check(folder, today=TODAY)
    assert report.findings == ()
    assert [(t.table, t.rows, t.left_out) for t in report.tables] == [
        ("eligibility", PEOPLE, 0), ("medical_claim", LINES, 0), ("pharmacy_claim", 2 * PEOPLE, 0),
    ]  # fmt: skip
    claims = read(folder)
    for name in whole():
        schema(name, TODAY).validate(claims.tables()[name], lazy=True)


def test_pandera_counts_as_check_does(broken):
    """What stays still breaks the rules that leave nothing out; two implementations count it."""
    report = check(broken, today=TODAY)
    kept = {(f.column, f.rule): f.found for f in report.findings if f.table == "medical_claim" and f.effect == KEPT}
    with pytest.raises(SchemaErrors) as caught:
        schema("medical_claim", TODAY).validate(engine.kept(report.kept.medical_claim), lazy=True)
    counted = caught.value.failure_cases.groupby("check").size().to_dict()
    expected = {
        f"{column}: {rule}": count
        for (column, rule), count in kept.items()
        # The day in the future is of a claim that is left out: it ends before it starts.
        if rule not in ("on a day without coverage", "date in the future") and not rule.startswith(("negative", "more"))
    }
    assert counted == expected
    assert len(expected) == 3


def test_the_command_prints_and_writes_the_whole_report(broken, run, tmp_path):
    code, out, _ = run("claims", "check", broken, "--out", tmp_path / "report.csv")
    assert code == 2
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(r["table"], r["column"], r["rule"]) for r in rows} >= set(EXPECTED)
    for words in (
        "an empty file",
        "a line that is no row",
        "claim c0 line 1: 'eighty'",
        "Later steps refuse these claims",
    ):
        assert words in out
    medical = next(line for line in out.splitlines() if line.startswith("medical_claim  ") and " 2,026 " in line)
    assert medical.split()[1:4] == ["2,026", "41", "1,985"]


def test_a_clean_folder_exits_with_0(run, tmp_path):
    code, out, _ = run("claims", "check", write(tmp_path / "claims", whole()))
    assert code == 0
    assert "0 kinds of fault, 0 notes." in out


@pytest.mark.parametrize("kind", ["parquet", "parts", "csv parts", "duckdb", "connection"])
def test_the_same_claims_from_any_source(tmp_path, kind):
    folder = write(tmp_path / "claims", whole())
    expected = member_years(read(folder)).execute().sort_values(["person_id", "year"], ignore_index=True)
    con = ibis.duckdb.connect(tmp_path / "claims.duckdb")
    for name, table in read(folder).tables().items():
        if name in whole():
            con.create_table(name, ibis.memtable(table.to_pyarrow()))
    source: object = tmp_path / "other"
    (tmp_path / "other").mkdir()
    for name, rows in whole().items():
        table = con.table(name)
        if kind == "parquet":
            table.to_parquet(tmp_path / "other" / f"{name.upper()}.parquet")
        elif kind == "parts":
            (tmp_path / "other" / name).mkdir()
            table.limit(30).to_parquet(tmp_path / "other" / name / "part-1.parquet")
            table.limit(10**6, offset=30).to_parquet(tmp_path / "other" / name / "part-2.parquet")
        elif kind == "csv parts":
            write(tmp_path / "other" / name, {"b": [rows[0], *rows[31:]], "a": rows[:31]})
    if kind == "duckdb":
        con.disconnect()
        source = str(tmp_path / "claims.duckdb")
    elif kind == "connection":
        source = con
    claims = read(source)
    got = member_years(claims).execute().sort_values(["person_id", "year"], ignore_index=True)
    pd.testing.assert_frame_equal(got, expected)
    assert check(claims, today=TODAY).faults == []


def test_csv_as_spreadsheets_write_it(tmp_path):
    tables = whole()
    folder = write(tmp_path / "claims", tables)
    people = "\r\n".join(
        ";".join(row) for row in [[*map(str.upper, tables["eligibility"][0])], *tables["eligibility"][1:]]
    )
    (folder / "eligibility.csv").write_bytes(b"\xef\xbb\xbf" + people.encode())
    assert check(folder, today=TODAY).findings == ()


@pytest.mark.parametrize(
    ("file", "content", "given"),
    [
        ("eligibility.csv", None, "no such file; here: medical_claim.csv, pharmacy_claim.csv"),
        ("eligibility.csv", b"", "an empty file"),
        ("eligibility.csv", "person_id\n".encode("utf-16"), "UTF-16 or binary text"),
        ("eligibility.parquet", b"PAR1", "eligibility.csv, eligibility.parquet"),
        ("medical_claim.csv", b"claim_id,claim_id\n1,1\n", "the column 'claim_id' twice"),
        ("medical_claim.csv", b"claim_id,,\n1,1,\n", "a column without a name"),
    ],
)
def test_files_that_are_no_tables_are_refused(tmp_path, file, content, given):
    folder = write(tmp_path / "claims", whole())
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(Refusal) as refused:
        read(folder)
    assert given in str(refused.value)
    assert refused.value.faults[0].do
    assert any(given in finding.rule for finding in check(folder, today=TODAY).faults)


def test_all_that_is_wrong_with_files_is_told_at_once(tmp_path):
    folder = write(tmp_path / "claims", whole())
    (folder / "eligibility.csv").write_text("patient_id,enrollment_start,gender\nx,2025-01-01,male\n")
    (folder / "medical_claim.csv").unlink()
    (folder / "medical_claim.parquet").write_bytes(b"not parquet")
    (folder / "pharmacy_claim.csv").write_bytes(b"")
    with pytest.raises(Refusal) as refused:
        read(folder)
    places = [fault.where.removeprefix(f"{folder}/") for fault in refused.value.faults]
    assert places == [
        "eligibility.csv, column person_id",
        "eligibility.csv, column enrollment_start_date",
        "eligibility.csv, column enrollment_end_date",
        "medical_claim.parquet",
        "pharmacy_claim.csv",
    ]
    assert "did you mean 'patient_id'?" in refused.value.faults[0].do
    assert "did you mean 'enrollment_start'?" in refused.value.faults[1].do


def test_a_source_that_is_not_there_is_refused(tmp_path, run):
    with pytest.raises(Refusal, match="nothing there"):
        read(tmp_path / "none")
    (tmp_path / "bad.duckdb").write_bytes(b"not a database at all")
    with pytest.raises(Refusal, match="database that opens"):
        read(tmp_path / "bad.duckdb")
    assert run("claims", "check", tmp_path / "none").code == 2


def test_columns_of_the_wrong_kind_are_faults(tmp_path):
    """In Parquet and databases a column has a type already: a date held as a number cannot be read as one."""
    frames = {name: pd.DataFrame(rows[1:], columns=rows[0]) for name, rows in whole().items()}
    frames["medical_claim"]["claim_start_date"] = range(LINES)
    frames["medical_claim"]["hcpcs_code"] = 99213
    with pytest.raises(Refusal) as refused:
        read(held(frames))
    (fault,) = refused.value.faults
    assert fault.where.endswith("column claim_start_date")
    assert (fault.given, fault.allowed) == ("int64", "date, or text such as 2026-01-31")
    frames["medical_claim"]["claim_start_date"] = frames["medical_claim"]["claim_end_date"]
    notes = found(check(held(frames), today=TODAY))
    assert notes == {}  # a column of numbers is read as the codes it holds


def test_a_column_that_is_not_of_the_layout_is_said(tmp_path):
    tables = whole()
    tables["pharmacy_claim"][0][5] = "paid_amount"
    tables["pharmacy_claim"] = [[*row, "1"] for row in tables["pharmacy_claim"]]
    tables["pharmacy_claim"][0][-1] = "supply"
    (finding,) = check(write(tmp_path / "claims", tables), today=TODAY).findings
    assert (finding.fault, finding.examples, finding.do) == (
        False,
        ("column supply",),
        "did you mean 'days_supply'?",
    )


def test_schemas_name_what_check_requires():
    for name, columns in SCHEMAS.items():
        assert set(schema(name).columns) == set(columns)


def test_payments_for_one_thing_under_several_numbers_are_noted():
    """Two numbers, everything else the same; another hour's code, another day, nothing paid and one claim are not."""
    line = {"claim_line_number": 1, "claim_type": "professional", "person_id": "a", "hcpcs_code": "99213",
            "claim_start_date": "2025-02-03", "paid_amount": 80.0}  # fmt: skip
    others: list[dict[str, object]] = [
        {"claim_id": "2"},
        {"claim_id": "3", "hcpcs_code": "99214"},
        {"claim_id": "4", "claim_start_date": "2025-02-04"},
        *({"claim_id": number, "paid_amount": 0.0} for number in "56"),
        {"claim_id": "7", "person_id": "b"},
        *({"claim_id": "8", "claim_line_number": n, "paid_amount": 30.0} for n in (1, 2)),
    ]
    span = {"enrollment_start_date": "2025-01-01", "enrollment_end_date": "2025-12-31"}
    people = pd.DataFrame([{"person_id": person} | span for person in "ab"])
    lines = pd.DataFrame([line | {"claim_id": "1"}, *(line | other for other in others)])
    (note,) = check(held({"eligibility": people, "medical_claim": lines}), today=TODAY).notes
    assert (note.rule, note.found, note.dollars) == ("alike in all but the claim's number", 2, 160.0)
    assert note.examples == ("claims 1 and 2: 80.0",)


def test_no_library_speaks_to_the_reader_as_it_is_loaded():
    """PySpark, which pandera looks for wherever it is installed, warns at its import."""
    for module in ("claims.check", "claims.read", "measured"):
        done = subprocess.run(
            [sys.executable, "-c", f"import carecontracts.{module}"], capture_output=True, text=True, check=True
        )
        assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("day", "number"),
    [("epoch", "1_000"), ("infinity", "5d"), ("2025", "inf"), ("2025-05", "0x10"), ("25-05-05", "1,000"),
     ("2025.05.05", "5 dollars"), ("05/05/2025", "_")],
)  # fmt: skip
def test_only_what_is_written_as_a_day_or_a_number_is_one(tmp_path, day, number):
    """Engines read more: 1970 for epoch, the year 25, a thousand for 1_000."""
    tables = whole()
    tables["medical_claim"][1][4], tables["medical_claim"][2][7] = day, number
    found = {(f.column, f.rule, f.found) for f in check(write(tmp_path / "claims", tables), today=TODAY).faults}
    assert found == {("claim_start_date", "not a date", 1), ("paid_amount", "not a number", 1)}
