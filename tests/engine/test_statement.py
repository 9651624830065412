"""The statement: line n is paragraph n, every working in its unit, every party's total."""

import csv
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from carecontracts import Contract, Ledger, Year, gallery, read_years
from carecontracts.clause import Clause
from carecontracts.gallery import gallery_names
from carecontracts.paper.statement import Row, Total, rows, totals
from carecontracts.units import Share, unit_of
from carecontracts.year import columns_for

FOUR_CLAUSES = Path(__file__).with_name("four-clauses.yaml")
YEAR = Year(
    year=2026, member_months={"all": 12_000}, benchmark=24_000_000, spend=22_000_000, measures={"quality score": 0.9}
)


def test_every_line_by_hand(four_clauses: Contract) -> None:
    """Fee 12,000 x 40 = 480,000; saved 24,000,000 - 22,000,000 - 480,000 = 1,520,000, of which 0.5 x 0.9 = 45%:
    684,000; half of it, 342,000, is recouped of the 400,000 advanced.
    """
    assert rows(four_clauses, four_clauses.settle([YEAR])) == [
        Row(2026, 1, "advance", "plan", "practice", 400_000, "2026-01", []),
        Row(2026, 2, "fee", "plan", "practice", 480_000, "2026-01 to 2026-12", ["member months 12,000"]),
        Row(
            2026, 3, "savings", "plan", "practice", 684_000, "2027-09",
            ["saved 1,520,000.00", "minimum rate 2%", "sharing rate 45%"],
        ),
        Row(
            2026, 4, "losses", "practice", "plan", 0, "2027-09",
            ["lost -1,520,000.00", "minimum rate 2%", "loss rate 30%"],
        ),
        Row(
            2026, 5, "recouped", "practice", "plan", 342_000, "2027-09",
            ["outstanding 400,000.00", "earned this year 684,000.00"],
        ),
    ]  # fmt: skip


def test_the_totals_by_hand(four_clauses: Contract) -> None:
    """In: 400,000 + 480,000 + 684,000 = 1,564,000. The plan pays 40,000 a month: by December it is 880,000 down, and by
    September 684,000 - 342,000 further.
    """
    assert totals(four_clauses, four_clauses.settle([YEAR])) == [
        Total("the plan", 342_000, 1_564_000, -1_222_000, -1_222_000, "2027-09"),
        Total("the practice", 1_564_000, 342_000, 1_222_000, 440_000, "2026-01"),
    ]


def test_years_settled_before_keep_their_paragraphs(four_clauses: Contract) -> None:
    so_far = four_clauses.settle([YEAR])
    both = four_clauses.settle([YEAR.__class__(**{**vars(YEAR), "year": 2027})], so_far)
    assert [row.paragraph for row in rows(four_clauses, both)] == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]


class Odd(Clause):
    """A mechanism whose workings' names would mislead."""

    words = ("{payer} pays {payee}.",)
    units = {"half of it": unit_of(Share)}

    def settle(self, year: Year, ledger: Ledger) -> tuple[float, dict[str, float]]:
        return 7.0, {"a day rate": 1_250.0, "half of it": 0.5, "what a visit count costs": 3.0}


def test_a_working_is_said_in_its_unit_and_not_by_its_name() -> None:
    odd = Odd(name="odd", kind="odd", payer="plan", payee="us", due="in kind")
    contract = Contract(title="t", summary="s", parties={"plan": "p", "us": "u"}, first_year=2026, clauses=[odd])
    (row,) = rows(contract, contract.settle([Year(year=2026)]))
    assert row.workings == ["a day rate 1,250.00", "half of it 50%", "what a visit count costs 3.00"]
    assert row.due == "in kind"


@pytest.mark.parametrize("name", gallery_names())
def test_every_contract_has_a_line_for_each_paragraph_and_totals_that_add_up(
    name: str, run: Any, tmp_path: Path
) -> None:
    contract = Contract.load(gallery(name))
    facts = dict.fromkeys(columns_for(contract.facts()), 1)
    with (tmp_path / "years.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["year", *facts], [contract.first_year, *facts.values()]])
    assert run("settle", name, tmp_path / "years.csv", "--out", tmp_path / "out.csv").code == 0
    ledger = contract.settle(read_years(tmp_path / "years.csv"))
    lines = rows(contract, ledger)
    assert [line.paragraph for line in lines] == list(range(1, len(contract.clauses) + 1))
    written = list(csv.reader((tmp_path / "out.csv").read_text("utf-8").splitlines()))
    assert written[1:] == [
        [str(x) for x in (*line[:5], f"{line.amount:.2f}", line.due, "; ".join(line.workings))] for line in lines
    ]
    parties = totals(contract, ledger)
    assert abs(sum(total.net for total in parties)) < 0.005
    assert all(abs(total.received - total.paid - total.net) < 0.005 for total in parties)


# --- a lean installation ----------------------------------------------------------------------------------------------

LEAN = """\
import io, sys
for name in ("numpy", "pandas", "ibis", "duckdb", "matplotlib", "scipy"):
    sys.modules[name] = None
from carecontracts.cli import main
for words in map(str.split, sys.argv[1:]):
    sys.argv = ["carecontracts", *words]
    try:
        main()
        code = 0
    except SystemExit as done:
        code = done.code
    print("code", code, file=sys.stderr)
"""


def lean(*commands: str) -> list[str]:
    """Each command where the data libraries are missing: what it says on standard error, its exit code last."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", LEAN, *commands], capture_output=True, encoding="utf-8", check=True
    )
    return [said.strip() for said in done.stderr.split("code ")]


def test_what_needs_no_library_works_without_them(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text(
        "year,member_months,benchmark,spend,measures.quality score\n2026,12000,24000000,22000000,0.9\n", "utf-8"
    )
    program = files("carecontracts") / "parties" / "price-example.yaml"
    said = lean("term-sheet shared-savings", "years shared-savings", "gallery", "claims definitions",
                f"price {program}", f"settle {FOUR_CLAUSES} {tmp_path / 'y.csv'}")  # fmt: skip
    assert said[1:] == ["0"] * 6


def test_a_missing_library_is_told_once_with_what_to_install() -> None:
    verbs = ["odds shared-savings", "measure x shared-savings --out y", "claims check x",
             "claims import synpuf x y", "claims make x", "claims crosswalk x --definition cost"]  # fmt: skip
    said = lean(*verbs)
    for verb, told, after in zip(verbs, said, said[1:], strict=False):
        told = told.removeprefix("2").strip()
        assert "no module" in told, verb
        assert "pip install 'numpy' 'pandas'" in told if verb[0] == "o" else "'ibis-framework[duckdb]>=12'" in told, (
            verb
        )
        assert "'carecontracts" not in told  # whose name may be anyone's on a public index
        assert "1 mistake. Nothing was done." in told, verb
        assert after.startswith("2"), verb


# --- with what parties pay outside the contract, and as a workbook ---------------------------------------------------


@pytest.fixture
def fee_years(tmp_path):
    path = tmp_path / "years.csv"
    path.write_text("year,lives,member_months,benchmark,spend\n1,500,6000,15000000,14000000\n")
    return path


def test_payroll_is_in_the_cash_and_not_in_the_statement(fee_years, run, tmp_path):
    out, flow = tmp_path / "out.csv", tmp_path / "flow.csv"
    words = ("settle", "compared/shared-savings", fee_years, "--cost", "practice=2400000", "--out", out)
    done = run(*words, "--cash-flow", flow)
    assert done.code == 0
    assert "with the costs that were given" in done.out
    assert "outside" not in out.read_text("utf-8")
    rows = list(csv.DictReader(flow.read_text("utf-8").splitlines()))
    staff = [float(row["received"]) for row in rows if row["party"] == "outside the contract"]
    assert sum(staff) == pytest.approx(2_400_000)
    last = {row["party"]: float(row["position"]) for row in rows}
    assert sum(last.values()) == pytest.approx(0, abs=0.01)
    refused = run("settle", "compared/shared-savings", fee_years, "--cost", "practise=5")
    assert refused.code == 2
    assert "did you mean 'practice'" in refused.err


def test_a_workbook_holds_the_statement_and_its_sums_as_formulas(fee_years, run, tmp_path):
    book, table = tmp_path / "out.xlsx", tmp_path / "out.csv"
    for path in (book, table):
        assert run("settle", "compared/shared-savings", fee_years, "--out", path, "--cost", "practice=9").code == 0
    read = openpyxl.load_workbook(book, data_only=True)
    assert read.sheetnames == ["Statement", "Totals", "Cash by month"]
    lines = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    shown = list(read["Statement"].iter_rows(min_row=2, values_only=True))
    assert [(row[2], round(row[5], 2)) for row in shown] == [(row["clause"], float(row["amount"])) for row in lines]
    for party, received, paid, net in read["Totals"].iter_rows(min_row=2, values_only=True):
        assert received == pytest.approx(sum(float(row["amount"]) for row in lines if row["payee"] == party))
        assert paid == pytest.approx(sum(float(row["amount"]) for row in lines if row["payer"] == party))
        assert net == pytest.approx(received - paid)
    formulas = openpyxl.load_workbook(book)
    assert formulas["Totals"]["B2"].value.startswith("=SUMIFS(Statement!")
    assert formulas["Cash by month"]["E3"].value == "=E2+C3-D3"
    assert all(not str(row[2].value).startswith("=") for row in formulas["Statement"].iter_rows(min_row=2))
