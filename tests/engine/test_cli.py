"""The command line: each verb, what it prints and writes, its exit codes, and text that tries to be more than text."""

import csv
import html
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from carecontracts import Contract, __version__, gallery, read_years
from carecontracts.files import safe_cell
from carecontracts.gallery import gallery_names
from carecontracts.paper.term_sheet import term_sheet
from carecontracts.programs import mssp, reach
from carecontracts.year import columns_for

FOUR_CLAUSES = Path(__file__).with_name("four-clauses.yaml")
# saved 24,000,000 - 22,000,000 - 480,000 = 1,520,000 x 0.5 x 0.9 = 684,000; recouped least(400,000, 342,000)
YEARS = "year,member_months,benchmark,spend,measures.quality score\n2026,12000,24000000,22000000,0.9\n"


@pytest.fixture
def years(tmp_path: Path) -> Path:
    path = tmp_path / "years.csv"
    path.write_text(YEARS, "utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- settle ----------------------------------------------------------------------------------------------------------


def test_settle_prints_every_line_with_its_workings_and_the_totals(run, years) -> None:
    done = run("settle", FOUR_CLAUSES, years)
    assert done.code == 0
    for text in ("400,000.00", "480,000.00", "684,000.00", "342,000.00", "saved 1,520,000.00", "sharing rate 45%"):
        assert text in done.out
    totals = done.out.split("Totals by party")[1]
    assert re.search(r"the practice +1,564,000\.00 +342,000\.00 +1,222,000\.00", totals)
    assert re.search(r"the plan +342,000\.00 +1,564,000\.00 +-1,222,000\.00", totals)


def test_settle_writes_a_statement_that_adds_up_as_printed(run, years, tmp_path) -> None:
    assert run("settle", FOUR_CLAUSES, years, "--out", tmp_path / "out.csv").code == 0
    written = rows(tmp_path / "out.csv")
    ledger = Contract.load(FOUR_CLAUSES).settle(read_years(years))
    assert [(r["year"], r["paragraph"], r["clause"], float(r["amount"])) for r in written] == [
        (str(line.year), str(n), line.clause, line.amount) for n, line in enumerate(ledger, 1)
    ]
    assert written[1]["due"] == "2026-01 to 2026-12"
    assert "saved 1,520,000.00" in written[2]["workings"]


def test_settle_writes_the_cash_flow(run, years, tmp_path) -> None:
    assert run("settle", FOUR_CLAUSES, years, "--cash-flow", tmp_path / "flow.csv").code == 0
    written = rows(tmp_path / "flow.csv")
    assert written[0] == {
        "month": "2026-01", "party": "plan", "received": "0.00", "paid": "440000.00", "position": "-440000.00",
    }  # fmt: skip
    assert written[-1]["position"] == "1222000.00"


def test_settle_reads_years_in_yaml_and_says_what_no_clause_reads(run, tmp_path) -> None:
    (tmp_path / "years.yaml").write_text(
        "- {year: 2026, member_months: {a: 6000, b: 6000}, benchmark: 24000000, spend: 22000000, lives: 1000,\n"
        "   measures: {quality score: 0.9, falls: 0.1}}\n",
        "utf-8",
    )
    done = run("settle", FOUR_CLAUSES, tmp_path / "years.yaml")
    assert "684,000.00" in done.out
    assert "No clause reads: lives, measures.falls" in done.err


def test_several_years_are_settled_in_order_with_one_memory(run, years) -> None:
    years.write_text(YEARS + YEARS.splitlines()[1].replace("2026", "2027") + "\n", "utf-8")
    done = run("settle", FOUR_CLAUSES, years)
    assert done.out.index("2026") < done.out.index("2027")
    assert "58,000.00" in done.out  # what was left of the advance: 400,000 - 342,000


STOP_LOSS = """\
title: Stop loss with an aggregating specific deductible
summary: The insurer covers each person's claims above a point, once the county has paid a deductible over all of them.
parties: {insurer: the insurer, county: the county}
first_year: 2018
clauses:
  - {name: premium, kind: stop_loss_premium, payer: county, payee: insurer, due: monthly, per_member_per_month: 43.60}
  - {name: specific cover, kind: stop_loss, payer: insurer, payee: county, due: 3 months after the year ends,
     attachment: 225000, coinsurance: 1}
  - {name: deductible, kind: distribution, payer: county, payee: insurer, due: 3 months after the year ends,
     out_of: [specific cover], share: 1, cap: 250000}
"""


def test_each_member_has_a_column_of_claims(run, tmp_path) -> None:
    """Claims of 400,000, 300,000 and 260,000 above 225,000: 175,000 + 75,000 + 35,000 = 285,000."""
    contract, years = tmp_path / "cover.yaml", tmp_path / "years.csv"
    contract.write_text(STOP_LOSS, "utf-8")
    template = run("years", contract)
    assert template.out == "year,member_months,claims.1,claims.2\n2018,,,\n"
    assert "A column for each member who cost much: claims.1, claims.2 and so on." in template.err
    years.write_text("year,member_months,claims.1,claims.2,claims.c\n2018,28092,400000,300000,260000\n", "utf-8")
    settled = run("settle", contract, years)
    assert "1,224,811.20" in settled.out  # 28,092 x 43.60
    assert "285,000.00" in settled.out
    assert settled.err == "", "all three columns are read"


@pytest.mark.parametrize("column", ["claims", "claims.all", " claims"])
def test_one_column_of_all_members_claims_is_refused(column: str, run, tmp_path) -> None:
    contract, years = tmp_path / "cover.yaml", tmp_path / "years.csv"
    contract.write_text(STOP_LOSS, "utf-8")
    years.write_text(f"year,member_months,{column}\n2018,28092,960000\n", "utf-8")
    done = run("settle", contract, years)
    assert (done.code, done.out) == (2, "")
    assert "a member's claims in each: claims.1, claims.2" in done.err


def test_who_gives_no_claims_is_told_of_the_columns(run, tmp_path) -> None:
    contract, years = tmp_path / "cover.yaml", tmp_path / "years.csv"
    contract.write_text(STOP_LOSS, "utf-8")
    years.write_text("year,member_months\n2018,28092\n", "utf-8")
    assert "add `claims.1`" in run("settle", contract, years).err


def test_a_year_missing_from_the_middle_is_refused(run, tmp_path) -> None:
    years = tmp_path / "years.csv"
    header = "year,member_months,benchmark,spend\n"
    years.write_text(header + "2026,1000,10000000,11000000\n2028,1000,10000000,9000000\n", "utf-8")
    done = run("settle", "losses-carried", years)
    assert (done.code, done.out) == (2, "")
    assert "row 3, year" in done.err
    assert "2028 without 2027" in done.err


def test_odds_tells_all_wrong_options_at_once_by_their_names(run) -> None:
    wrong = "--draws 0 --effect 2 --spread -1 --lives 0 --seed -1 --truncation 1e-9"
    done = run("odds", "shared-savings", *wrong.split(), "--cost", "x", "--cost", "plan=1", "--cost", "plan=2")
    assert done.code == 2
    for told in ("--draws", "--effect", "--spread", "--lives", "--seed", "--truncation", "'x'", "'plan' again"):
        assert told in done.err, told
    assert "8 mistakes" in done.err


def test_a_name_of_the_gallery_misspelt(run) -> None:
    done = run("term-sheet", "shared-saving")
    assert (done.code, "did you mean 'shared-savings'?" in done.err) == (2, True)


# --- term-sheet, years, gallery, help --------------------------------------------------------------------------------


def test_term_sheet_prints_and_writes_the_same(run, tmp_path) -> None:
    printed = run("term-sheet", FOUR_CLAUSES)
    assert printed.out == term_sheet(Contract.load(FOUR_CLAUSES))
    assert run("term-sheet", FOUR_CLAUSES, "--out", tmp_path / "sheet.md").code == 0
    assert (tmp_path / "sheet.md").read_text("utf-8") == printed.out


@pytest.mark.parametrize("name", gallery_names())
def test_the_empty_years_file_has_the_columns_that_a_contract_reads(name: str, run, tmp_path) -> None:
    """Filled in with anything plausible, it settles."""
    assert run("years", name, "--out", tmp_path / "years.csv").code == 0
    header, *empty = csv.reader((tmp_path / "years.csv").read_text("utf-8").splitlines())
    contract = Contract.load(gallery(name))
    assert header == ["year", *columns_for(contract.facts())]
    assert len(empty) == (contract.years or 1)
    filled = [[row[0], *("1" for _ in row[1:])] for row in empty]
    with (tmp_path / "years.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *filled])
    assert run("settle", name, tmp_path / "years.csv").code == 0


def test_gallery_lists_every_contract(run) -> None:
    out = run("gallery").out
    assert all(name in out for name in gallery_names())


def test_a_name_of_the_gallery_stands_for_its_file(run) -> None:
    assert run("term-sheet", "mssp/track-1").out == term_sheet(Contract.load(gallery("mssp/track-1")))


def test_help_and_version(run) -> None:
    assert run("--version").out == f"carecontracts {__version__}\n"
    for words in ([], ["settle"], ["term-sheet"], ["mssp"], ["years"], ["gallery"]):
        done = run(*words, "--help")
        assert done.code == 0
        assert "Usage:" in done.out
    assert {"settle", "term-sheet", "mssp"} <= set(re.findall(r"[\w-]+", run("--help").out))


@pytest.mark.parametrize("words", [["settle"], ["settle", "a"], ["nothing"], ["mssp", "f.csv", "--year", "soon"]])
def test_what_is_not_a_command_exits_with_2(words: list[str], run) -> None:
    assert run(*words).code == 2


def test_it_runs_as_a_command_of_its_own() -> None:
    """In a narrow terminal that knows only ASCII, as on an old server."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "40"}
    done = subprocess.run(
        [sys.executable, "-m", "carecontracts.cli", "term-sheet", "shared-savings"],
        capture_output=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith(b"# ")
    done = subprocess.run(
        [sys.executable, "-m", "carecontracts.cli", "settle", "none.yaml", "none.csv"], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"2 mistakes" in done.stderr


# --- mssp ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.csv"
    path.write_bytes(mssp.published_rows().read_bytes())
    return path


def test_mssp_compares_with_what_was_published(run, results) -> None:
    done = run("mssp", results)
    assert done.code == 0
    assert "90 ACO-years" in done.out
    assert "Not matched: 1 of 90 rows" in done.out
    assert re.search(r"A2392 +2019 +track-1-plus +-2,074,092 +-2,561,463\.30 +a loss limit of 8%", done.out)
    assert len(re.findall(r"(?m)^20\d\d +\d", done.out)) == 11, "a row for each year"


def test_mssp_writes_a_row_for_each_aco_in_the_files_order(run, results, tmp_path) -> None:
    assert run("mssp", results, "--out", tmp_path / "out.csv").code == 0
    written, given = rows(tmp_path / "out.csv"), rows(results)
    assert ",".join(written[0]) == "aco_id,performance_year,track,published,recomputed,band,matched,reason"
    assert [(r["aco_id"], r["performance_year"]) for r in written] == [(r["ACO_ID"], r["PY"]) for r in given]
    assert [float(r["published"]) for r in written] == [float(r["EarnSaveLoss"]) for r in given]
    assert [r["matched"] for r in written].count("false") == 1
    for row in written:
        apart = abs(float(row["published"]) - float(row["recomputed"]))
        assert (apart <= float(row["band"]) + 0.005) == (row["matched"] == "true")
        assert bool(row["reason"]) == (row["matched"] == "false")


def test_mssp_settles_a_file_that_publishes_nothing(run, results, tmp_path) -> None:
    results.write_text(results.read_text("utf-8").replace("EarnSaveLoss", "NotYet"), "utf-8")
    assert run("mssp", results, "--out", tmp_path / "out.csv").code == 0
    written = rows(tmp_path / "out.csv")
    assert {(r["published"], r["matched"]) for r in written} == {("", "")}
    assert any(float(r["recomputed"]) > 0 for r in written)


def test_mssp_wants_the_year_where_the_file_does_not_say(run, results, tmp_path) -> None:
    text = re.sub(r"(?m)^(?!2022|PY).*\n", "", results.read_text("utf-8")).replace("PY,", "Sheet,", 1)
    results.write_text(text, "utf-8")
    assert run("mssp", results, "--out", tmp_path / "out.csv").code == 2
    assert not (tmp_path / "out.csv").exists()
    done = run("mssp", results, "--year", 2022)
    assert done.code == 0
    assert "Every row matches." in done.out


def test_reach_compares_with_what_was_published(run, tmp_path) -> None:
    path = tmp_path / "organizations.csv"
    path.write_bytes(reach.published_rows().read_bytes())
    done = run("reach", path, "--out", tmp_path / "out.csv", "--lines", tmp_path / "lines.csv")
    assert done.code == 0
    assert "Not matched: 1 of 38 rows" in done.out
    assert re.search(r"D0128 +2022 +professional-high-needs +0 +354,879\.56 +\$362,122 was shared before", done.out)
    assert re.search(r"global-new-entrant +\d", done.out)
    assert "that constant is in no file" in done.out
    written, given = rows(tmp_path / "out.csv"), rows(path)
    assert ",".join(written[0]) == "aco_id,performance_year,track,published,recomputed,band,matched,reason"
    assert [(r["aco_id"], r["performance_year"]) for r in written] == [(r["aco_id"], r["perf_year"]) for r in given]
    assert [r["matched"] for r in written].count("false") == 1
    lines = rows(tmp_path / "lines.csv")
    assert list(lines[0]) == ["aco_id", "performance_year", "line", "dollars"]
    last = {
        (r["aco_id"], r["performance_year"]): abs(float(r["dollars"])) for r in lines
    }  # its last line is what it nets
    assert all(abs(float(r["recomputed"])) == last[r["aco_id"], r["performance_year"]] for r in written)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe of POSIX")
def test_mssp_from_a_pipe_has_no_sum_of_nothing(run, results, tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(results.read_bytes()))
    writer.start()
    done = run("mssp", pipe)
    writer.join()
    assert (done.code, "SHA-256" in done.out) == (0, False)
    assert "SHA-256" in run("mssp", results).out


def test_in_a_narrow_terminal_no_column_goes_away(run, years, monkeypatch) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    for columns in ("20", "79", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        out = re.sub(r"\x1b\[\d*m", "", run("settle", FOUR_CLAUSES, years).out)
        assert {"Clause", "From", "To", "Amount", "Due", "Workings"} <= set(re.findall(r"\w+", out)), columns


def test_an_unknown_fact_without_parts_is_unknown(run, tmp_path) -> None:
    (tmp_path / "years.yaml").write_text("- {year: 2026, member_months: 5, spendd: {}, measures: {}}\n", "utf-8")
    done = run("settle", "care-management-fee", tmp_path / "years.yaml")
    assert "the unknown fact 'spendd'" in done.err
    assert "measures" not in done.err.replace("measures.NAME", "")


# --- text that tries to be more --------------------------------------------------------------------------------------


@pytest.fixture
def tricky(tmp_path: Path) -> Path:
    """A contract whose names are markup of one kind or another."""
    path = tmp_path / "tricky.yaml"
    path.write_text(
        FOUR_CLAUSES.read_text("utf-8")
        .replace("title: Care management", "title: '<script>alert(1)</script> [bold]Care[/bold] $x$ :::{raw} html'")
        .replace(" for people with complex needs", "")
        .replace("summary: A fee,", "summary: '% A fee ![x](http://a.example/x.png) {{fee}} `code`' #")
        .replace("plan: the plan", "plan: '[link](http://a.example) [red]plan[/red]'")
        .replace("practice: the practice", "practice: '1. the | practice *and* _more_ {share}'"),
        "utf-8",
    )
    return path


def test_markup_in_names_is_printed_not_obeyed(run, tricky, years) -> None:
    done = run("settle", tricky, years)
    assert "[bold]Care[/bold]" in done.out
    assert "[red]plan[/red]" in re.sub(r"\s*\n\s*", " ", done.out)


def test_markup_in_names_is_escaped_in_the_term_sheet(run, tricky) -> None:
    """Rendered, the names stand there as they were written, and the page has no element that the sheet has not."""
    sheet = run("term-sheet", tricky).out
    page = MarkdownIt("commonmark").enable("table").render(sheet)
    assert set(re.findall(r"<(\w+)", page)) <= {"h1", "h2", "p", "ul", "ol", "li", "strong", *TABLE}
    contract = Contract.load(tricky)
    for text in (contract.title, contract.summary, *contract.parties.values()):
        assert text in html.unescape(page)
    assert not re.search(r"(?m)^(%|:::)", sheet), "no comment and no fence of MyST"


TABLE = ("table", "thead", "tbody", "tr", "th", "td")


def test_formulas_are_defused_in_what_a_spreadsheet_opens(run, tmp_path) -> None:
    for cell in ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0"):
        assert safe_cell(cell) == "'" + cell
    for cell in ("-5.20", "+5", "the plan", "5", "", None, -5.2):
        assert safe_cell(cell) == cell
    contract = FOUR_CLAUSES.read_text("utf-8").replace("per_member_per_month: 40", "per_member_per_month: {'=1+1': 40}")
    (tmp_path / "deal.yaml").write_text(contract, "utf-8")
    (tmp_path / "years.csv").write_text(YEARS.replace("member_months,", "member_months.=1+1,"), "utf-8")
    assert run("settle", tmp_path / "deal.yaml", tmp_path / "years.csv", "--out", tmp_path / "out.csv").code == 0
    cells = [cell for row in rows(tmp_path / "out.csv") for cell in row.values()]
    assert not any(re.match(r"[=+@]|-(?!\d+(\.\d+)?$)", cell) for cell in cells)
    assert run("years", tmp_path / "deal.yaml").out.startswith("year,member_months.=1+1,")


# --- files that cannot be written ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["settle", "term-sheet", "years", "mssp"])
@pytest.mark.parametrize("kind", ["no such folder", "a folder"])
def test_a_file_that_cannot_be_written(verb: str, kind: str, run, years, results, tmp_path) -> None:
    out = tmp_path if kind == "a folder" else tmp_path / "none" / "out.csv"
    words = {"settle": [FOUR_CLAUSES, years], "mssp": [results]}.get(verb, [FOUR_CLAUSES])
    done = run(verb, *words, "--out", out)
    assert done.code == 2
    assert str(out) in done.err
    assert "Nothing was done." in done.err


def test_a_very_long_name_is_no_file(run) -> None:
    done = run("term-sheet", "a" * 5_000)
    assert done.code == 2
    assert "File name too long" in done.err
