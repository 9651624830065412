"""`pip install .` gives everything a checkout has: the commands, the gallery, the data, Word."""

import importlib.util
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


def test_the_commands_work_when_installed(wheel, tmp_path):
    """In a Python that borrows only the libraries; the workflow does it with a bare one, on three systems."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=os.name != "nt")
    python = tmp_path / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", ask], text=True).strip())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site]
    subprocess.run([*pip, wheel], check=True, capture_output=True)
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))  # its own .pth files are not followed
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    where = [python, "-c", "import carecontracts; print(carecontracts.__file__)"]
    where = subprocess.check_output(where, cwd=tmp_path, env=clean, text=True)
    assert Path(where.strip()).is_relative_to(site)
    spec = importlib.util.spec_from_file_location("installed", ROOT / ".ci" / "installed.py")
    installed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(installed)
    installed.try_commands([python, "-m", "carecontracts.cli"], tmp_path)
