"""Text of a database, a folder or a definition is printed and written as text, whatever it tries to be."""

import csv
from pathlib import Path

import duckdb
import pytest

from carecontracts.cli.common import plain
from carecontracts.files import as_csv, safe_cell
from carecontracts.paper.term_sheet import escape

TRIES = [
    "\x1b[31mx",
    "\x1b]0;t\x07",
    "\t=1+1",
    "a\nb",
    "\r\n",
    "\u202eevil",
    "<b>",
    "[red]x",
    "=cmd()",
    "| x |",
    "@SUM(A1)",
]
COLUMNS = {
    "eligibility": "person_id varchar, gender varchar, birth_date date, payer_type varchar, enrollment_start_date date,"
    ' enrollment_end_date date, "\x1b[31mcol" varchar, "=1+1" int',
    "medical_claim": "claim_id varchar, claim_line_number int, claim_type varchar, person_id varchar,"
    " claim_start_date date, claim_end_date date, paid_date date, paid_amount double, hcpcs_code varchar,"
    " billing_npi varchar, diagnosis_code_type varchar, diagnosis_code_1 varchar",
}
DEAL = (Path(__file__).parent / "fee-measured.yaml").read_text("utf-8")


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """A database whose name, columns and cells try to be more than text."""
    path = tmp_path / "e\u0301 [x] \x1b[1m.duckdb"
    with duckdb.connect(str(path)) as made:
        for name, columns in COLUMNS.items():
            made.execute(f"create table {name}({columns})")
        day = "date '2025-02-01'"
        for text in TRIES:
            values = [text, text, text]
            made.execute(f"insert into eligibility values (?, ?, date '1980-01-01', ?, {day}, {day}, 'x', 1)", values)
            values = [text] * 7
            days = ", ".join([day] * 3)
            made.execute(f"insert into medical_claim values (?, 1, ?, ?, {days}, -5, ?, ?, ?, ?)", values)
    (tmp_path / "deal.yaml").write_text(DEAL, "utf-8")
    return path


@pytest.mark.parametrize(
    "command",
    [
        "claims check CLAIMS --out OUT",
        "measure CLAIMS DEAL --out OUT --reconciliation TABLES",
        "claims crosswalk CLAIMS --definition stays --definition cost --out OUT",
        "claims crosswalk CLAIMS --definition stays --definition \x1b[31mcost",
        "claims check CLAIMS\x1b[31m",
    ],
)
def test_text_of_a_database_moves_no_terminal_and_no_spreadsheet(command, claims, run, tmp_path):
    places = {"OUT": tmp_path / "out.csv", "TABLES": tmp_path / "tables", "DEAL": tmp_path / "deal.yaml"}
    done = run(*(str(places.get(word, word)).replace("CLAIMS", str(claims)) for word in command.split(" ")))
    assert done.code in (0, 2)
    assert [c for c in done.out + done.err if not c.isprintable() and c != "\n"] == []
    for path in tmp_path.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert all(cell.isprintable() and cell.lstrip()[:1] not in ("=", "@") for cell in cells)


@pytest.mark.parametrize("text", TRIES)
def test_each_way_out_has_one_escape(text):
    assert plain(text.replace("\n", " ")).plain.isprintable()
    assert safe_cell(text).isprintable()
    assert not safe_cell(text).lstrip().startswith(("=", "@"))
    (header, row) = csv.reader(as_csv([text], [[text]]).splitlines())
    assert header == row == [safe_cell(text)]
    assert "<" not in escape(text)
