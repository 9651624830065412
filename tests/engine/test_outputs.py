"""What every command writes: never over what it reads, told before the work, whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from carecontracts import gallery

WRITERS = {  # a command's words, without its outputs; and its options that write
    "settle": (("settle", "{contract}", "{years}"), ("--out", "--cash-flow")),
    "term-sheet": (("term-sheet", "{contract}"), ("--out",)),
    "years": (("years", "{contract}"), ("--out",)),
    "mssp": (("mssp", "{results}"), ("--out",)),
    "odds": (("odds", "{contract}", "{years}", "--draws", "50"), ("--out",)),
    "net": (("net", "{contract}", "{years}", "--outside", "{outside}", "--draws", "50"), ("--out",)),
    "zone": (
        ("zone", "{contract}", "{years}", "--outside", "{outside}", "--term", "fee.x=1:2", "--draws", "50"),
        ("--out",),
    ),
    "price": (("price", "{program}"), ("--out",)),
    "review": (("check", "{contract}", "--years", "{years}"), ("--out", "--fix")),
    "audit": (("audit", "{contract}", "{years}", "{statement}"), ("--out", "--letter")),
    "check": (("claims", "check", "{claims}"), ("--out",)),
    "measure": (("measure", "{claims}", "{measured}"), ("--out",)),
    "crosswalk": (("claims", "crosswalk", "{claims}", "--definition", "stays", "--definition", "cost"), ("--out",)),
}
FILLED = {  # and those that fill a folder
    "make": ("claims", "make", "{folder}", "--members", "20"),
    "import": ("claims", "import", "synpuf", "{source}", "{folder}"),
}


@pytest.fixture
def given(tmp_path, run) -> dict[str, Path]:
    """One input of each kind."""
    found = {name: tmp_path / f"{name}.csv" for name in ("years", "results", "statement")}
    found |= {name: tmp_path / f"{name}.yaml" for name in ("contract", "measured", "program", "outside")}
    found |= {name: tmp_path / name for name in ("claims", "source", "folder")}
    found["contract"].write_bytes(gallery("care-management-fee").read_bytes())
    found["measured"].write_bytes(gallery("complex-care-measured").read_bytes())
    found["years"].write_text("year,member_months,engaged_months,documented_months\n2026,100,80,70\n")
    found["results"].write_text("aco_id\n")
    found["statement"].write_text("year,paragraph,amount\n2026,1,5\n")
    found["program"].write_text(run("price", "--example").out, "utf-8")
    found["outside"].write_text("name: mine\nteams: {team: {a_year: 900000.0, basis: {a_year: assumption}}}\n", "utf-8")
    found["claims"].mkdir()
    (found["claims"] / "eligibility.csv").write_text("person_id\n")
    found["source"].mkdir()
    (found["source"] / "inpatient.csv").write_text("a\n")
    return found


def words(command: tuple[str, ...], given: dict[str, Path]) -> list[str]:
    return [word.format(**given) for word in command]


@pytest.mark.parametrize("name", WRITERS)
def test_no_output_is_an_input(name, given, run):
    command, options = WRITERS[name]
    inputs = [given[word.strip("{}")] for word in command if word.startswith("{")]
    for path in [*inputs, *(folder / "new.csv" for folder in inputs if folder.is_dir())]:
        before = path.read_bytes() if path.is_file() else None
        for option in options:
            done = run(*words(command, given), option, path)
            assert done.code == 2
            assert any(said in done.err for said in ("an input of this command", "that this command reads", "a folder"))
            assert "Nothing was done." in done.err
            assert (path.read_bytes() if path.is_file() else None) == before


@pytest.mark.parametrize("name", WRITERS)
def test_an_output_that_cannot_be_is_told_with_the_faults_of_the_inputs(name, given, run, tmp_path):
    command, options = WRITERS[name]
    for path in given.values():
        if path.is_file() and path.suffix == ".yaml":
            path.write_text("title: [", "utf-8")
    for option in options:
        done = run(*words(command, given), option, tmp_path / "no" / "such.csv")
        assert done.code == 2
        assert "no such folder" in done.err
        assert "Nothing was done." in done.err


def test_two_outputs_are_two_files(given, run, tmp_path):
    command, _ = WRITERS["settle"]
    done = run(*words(command, given), "--out", tmp_path / "z.csv", "--cash-flow", tmp_path / "z.csv")
    assert done.code == 2
    assert "another output of this command" in done.err
    assert not (tmp_path / "z.csv").exists()


@pytest.mark.parametrize("name", FILLED)
def test_a_folder_that_holds_anything_is_not_filled(name, given, run):
    given["folder"].mkdir()
    last_year = given["folder"] / "pharmacy_claim.parquet"
    last_year.write_bytes(b"PAR1")
    done = run(*words(FILLED[name], given))
    assert done.code == 2
    assert "pharmacy_claim.parquet in it" in done.err
    assert [path.name for path in given["folder"].iterdir()] == ["pharmacy_claim.parquet"]


def test_a_folder_is_filled_whole(given, run):
    done = run(*words(FILLED["make"], given))
    assert (done.code, "Wrote" in done.err) == (0, True)
    assert run("claims", "check", given["folder"]).code == 0
    assert [path.name for path in given["folder"].parent.iterdir() if path.name.endswith(".part")] == []


def test_what_is_replaced_is_told(given, run, tmp_path):
    out = tmp_path / "sheet.md"
    assert f"Wrote {out}" in run("term-sheet", given["contract"], "--out", out).err.replace("\n", "")
    assert f"Replaced {out}" in run("term-sheet", given["contract"], "--out", out).err.replace("\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a machine without /dev/full")
@pytest.mark.parametrize("command", ["term-sheet shared-savings", "gallery", "--help", "years shared-savings"])
def test_a_standard_output_that_takes_nothing_is_told(command):
    full = [sys.executable, "-m", "carecontracts.cli", *command.split()]
    with open("/dev/full", "w", encoding="utf-8") as out:
        done = subprocess.run(full, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "standard output" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell's way of closing a stream")
def test_a_closed_standard_output_is_told():
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m carecontracts.cli term-sheet shared-savings >&-'],
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "standard output" in done.stderr


def test_text_of_a_file_cannot_move_the_terminal_or_a_spreadsheet(given, run, tmp_path):
    lines = tmp_path / "claims" / "medical_claim.csv"
    (tmp_path / "claims" / "eligibility.csv").write_text(
        "person_id,enrollment_start_date,enrollment_end_date\n1,2026-01-01,2026-12-31\n"
    )
    lines.write_text(
        "claim_id,claim_line_number,claim_type,person_id,claim_start_date,paid_amount,\x1b[31mred\n"
        '"\x1b]0;pwned\x07",1,professional,9,2026-01-01,-5,x\n"\t=1+1|x",1,professional,9,2026-01-01,-5,x\n'
    )
    out = tmp_path / "findings.csv"
    done = run("claims", "check", given["claims"], "--out", out)
    for text in (done.out, done.err, out.read_text("utf-8")):
        assert "\x1b" not in text
        assert "\x07" not in text
    assert "\t=" not in out.read_text("utf-8")
