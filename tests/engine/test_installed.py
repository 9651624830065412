"""`pip install .` gives everything a checkout has: the commands, the gallery, the data, Word."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, since setuptools leaves its workings beside what it builds.
    for name in ("src", "contracts"):
        skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, folder / "from" / name, ignore=skipped)
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "from" / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", folder, folder / "from"], check=True, capture_output=True)
    [made] = folder.glob("*.whl")
    return made


def test_the_wheel_holds_every_contract_and_every_file_of_the_package(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = (path.relative_to(ROOT / "src") for path in (ROOT / "src" / "carecontracts").rglob("*") if path.is_file())
    modules = {path.as_posix() for path in package if path.suffix in (".py", ".yaml", ".csv", ".typed")}
    gallery = {
        f"carecontracts/gallery/{path.relative_to(ROOT / 'contracts').as_posix()}"
        for path in (ROOT / "contracts").rglob("*.yaml")
    }
    assert inside == modules | gallery


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Runs a command of the wheel, in a Python of its own that borrows only the libraries."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "venv", with_pip=False, symlinks=os.name != "nt")
    python = home / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", ask], text=True).strip())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site]
    subprocess.run([*pip, wheel], check=True, capture_output=True)
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))  # its own .pth files are not followed
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: str) -> str:
        command = [python, "-m", "carecontracts.cli", *words]
        done = subprocess.run(command, cwd=home, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.check_output(
        [python, "-c", "import carecontracts; print(carecontracts.__file__)"], cwd=home, env=clean, text=True
    )
    assert Path(where.strip()).is_relative_to(site)
    return run


def test_the_commands_work_when_installed(installed, tmp_path):
    assert "shared-savings" in installed("gallery")
    years = tmp_path / "years.csv"
    installed("years", "care-management-fee", "--out", str(years))
    header, *rows = years.read_text().splitlines()
    filled = [",".join(cell or "100" for cell in row.split(",")) for row in rows]
    years.write_text("\n".join([header, *filled]))
    assert "Totals by party" in installed("settle", "care-management-fee", str(years))
    installed("term-sheet", "shared-savings", "--out", str(tmp_path / "sheet.docx"))
    assert zipfile.is_zipfile(tmp_path / "sheet.docx")
    assert "in an average year" in installed("odds", "shared-savings", "--draws", "200")
    installed("claims", "make", str(tmp_path / "claims"), "--members", "50")
    assert "0 kinds of fault" in installed("claims", "check", str(tmp_path / "claims"))
    assert "name:" in installed("price", "--example")
