"""Builds the wheel, installs it in a bare Python with what the package index has, and goes from claims to a statement.

python .ci/installed.py
"""

import csv
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "tests" / "people" / "fee-measured.yaml"


def main() -> None:
    # a name that is not ASCII, with a space in it, as home folders have
    with tempfile.TemporaryDirectory(prefix="caf\u00e9 au lait ", ignore_cleanup_errors=True) as made:
        place = Path(made)
        subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", place, ROOT], check=True)
        [wheel] = place.glob("*.whl")
        venv.create(place / "bare", with_pip=True)
        scripts = place / "bare" / ("Scripts" if os.name == "nt" else "bin")
        subprocess.run(
            [scripts / "python", "-m", "pip", "install", "--quiet", f"{wheel}[people,chance,word]"], check=True
        )
        try_commands([scripts / "carecontracts"], place)


def try_commands(command: list[Path | str], place: Path) -> None:
    """From a name of the gallery to a statement, and from claims to one; stops at the first that fails."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: object) -> str:
        words = tuple(map(str, words))
        done = subprocess.run([*command, *words], cwd=place, env=clean, capture_output=True, check=False)
        out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
        print(done.returncode, *words, flush=True)
        if done.returncode or "Traceback" in err:
            sys.exit(out + err)
        return out

    assert "shared-savings" in run("gallery")
    run("term-sheet", "shared-savings", "--out", "sheet.docx")
    assert zipfile.is_zipfile(place / "sheet.docx")
    run("term-sheet", "shared-savings", "--out", "sheet.md")
    assert "“".encode() in (place / "sheet.md").read_bytes()
    run("years", "care-management-fee", "--out", "empty.csv")
    header, *rows = (place / "empty.csv").read_text("utf-8").splitlines()
    filled = [",".join(cell or "100" for cell in row.split(",")) for row in rows]
    (place / "years.csv").write_text("\n".join([header, *filled]), "utf-8")
    assert "Totals by party" in run("settle", "care-management-fee", "years.csv", "--out", "statement.csv")
    run("settle", "care-management-fee", "years.csv", "--out", "statement.csv")  # and over the old one
    assert "in an average year" in run("odds", "shared-savings", "--draws", "200")
    run("claims", "make", "claims", "--members", "200", "--years", "2", "--first-year", "2024")
    assert "0 kinds of fault" in run("claims", "check", "claims")
    run("measure", "claims", CONTRACT, "--out", "measured.csv", "--reconciliation", "tables")
    with (place / "measured.csv").open(encoding="utf-8", newline="") as file:
        assert float(next(csv.DictReader(file))["member_months"]) > 0
    assert b"\r\n" not in (place / "measured.csv").read_bytes()
    assert "Totals by party" in run("settle", CONTRACT, "measured.csv")


if __name__ == "__main__":
    main()
