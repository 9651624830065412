"""What a reader downloads runs where the package was never installed, without a network."""

import ast
import html
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from carecontracts import Contract, gallery
from carecontracts.gallery import gallery_names
from downloads import EVERY, SOME

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
SOURCES = HTML / "_sources" / "notebooks"
KIT = HTML / "carecontracts-kit.zip"
NAMES = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
# Every notebook of the kit is the one that runs alone but for its set-up, so three of them try the kit: one that takes
# a contract from the folder beside it, one that takes Medicare's results from the package, one that needs a database.
OF_THE_KIT = ["shared-savings.ipynb", "medicare-results.ipynb", "savings-or-luck.ipynb"]
WHERE = "import carecontracts\nprint(carecontracts.__file__)"

notebooks = pytest.mark.parametrize("name", NAMES)

NO_NETWORK = """\
import socket

lookup = socket.getaddrinfo


def refuse(host, *arguments, **options):
    if host not in ("127.0.0.1", "localhost", "::1", None):
        raise OSError(f"this test has no network, and something asked for {host}")
    return lookup(host, *arguments, **options)


socket.getaddrinfo = refuse
"""


def with_what_they_need(names) -> set[str]:
    """These distributions (`pandas`, `ibis-framework[duckdb]`) and all they depend on."""
    found, waiting, seen = set(), [Requirement(name) for name in names], set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras} - {extra for other, extra in seen if other == name}:
            seen.add((name, extra))
            found.add(name)
            needs = [Requirement(line) for line in importlib.metadata.requires(name) or []]
            waiting += [need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})]
    return found


def promised(notebook) -> list[str]:
    """The libraries that a notebook's set-up asks for; in the kit, whose set-up asks for none, all that any needs."""
    named = re.search(r"^    needed = (.*)$", notebook.cells[1].source, re.M)
    return list(ast.literal_eval(named[1])) if named else [*EVERY, *SOME]


@pytest.fixture(scope="session")
def python_with(tmp_path_factory):
    """A Python that has what a download promises to need (and a kernel to run it in), and nothing else."""

    @cache
    def python_with(*libraries: str) -> Path:
        home = tmp_path_factory.mktemp("alone")
        venv.create(home, with_pip=False, symlinks=os.name != "nt")
        folders = sysconfig.get_paths("venv", vars={"base": str(home), "platbase": str(home)})
        site = Path(folders["purelib"])
        for name in with_what_they_need([*libraries, "ipykernel"]):
            distribution = importlib.metadata.distribution(name)
            files = {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}
            for top in files:
                there = Path(str(distribution.locate_file(top)))
                if not (site / top).exists():
                    copy = shutil.copytree if there.is_dir() else shutil.copyfile
                    os.symlink(there, site / top) if os.name != "nt" else copy(there, site / top)
        (site / "sitecustomize.py").write_text(NO_NETWORK, "utf-8")
        return Path(folders["scripts"]) / ("python.exe" if os.name == "nt" else "python")

    return python_with


@pytest.fixture
def run(python_with, tmp_path, monkeypatch):
    """Run a notebook with a Python that has what it asks for, in a folder of its own unless one is named.

    Gives what its cells show, and the file from which the package was imported.
    """
    spec = tmp_path / "share" / "kernels" / "alone" / "kernel.json"
    spec.parent.mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def run(notebook, folder=None):
        argv = [str(python_with(*promised(notebook))), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec.write_text(json.dumps({"argv": argv, "display_name": "alone", "language": "python"}), "utf-8")
        where = {"metadata": {"path": str(folder or tmp_path)}}
        notebook.cells.append(nbformat.v4.new_code_cell(WHERE))
        try:
            NotebookClient(notebook, timeout=60, kernel_name="alone", resources=where).execute()
        except CellTimeoutError:  # on a busy machine a kernel's message can be lost; the notebook is not at fault
            NotebookClient(notebook, timeout=60, kernel_name="alone", resources=where).execute()
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
        return outputs[:-1], outputs[-1].text

    return run


def handed_out(name):
    if not (SOURCES / name).is_file():
        pytest.fail("the site is not built: make book")
    return nbformat.read(SOURCES / name, as_version=4)


def test_that_python_has_neither_the_package_nor_the_books_tools(python_with):
    python = python_with(*EVERY)
    names = ("carecontracts", "typer", "myst_nb", "jinja2", "pandas")
    ask = f"import importlib.util as i; print([name for name in {names} if i.find_spec(name)])"
    assert subprocess.check_output([python, "-c", ask], text=True).strip() == "['pandas']"


@notebooks
def test_a_notebook_runs_alone_on_the_copy_that_rides_in_it(name, run):
    outputs, package = run(handed_out(name))
    assert outputs
    assert "carecontracts.zip" in package


@notebooks
def test_its_set_up_is_the_only_thing_added_and_only_what_the_page_hides_is_taken(name):
    original = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    wanted = [cell.id for cell in original.cells if "remove-cell" not in cell.metadata.get("tags", [])]
    cells = handed_out(name).cells
    assert [cell.id for cell in cells] == [wanted[0], "set-up", *wanted[1:]]
    assert cells[1].metadata["jupyter"]["source_hidden"]


@notebooks
def test_it_has_no_link_to_a_file_that_is_not_there(name):
    for cell in handed_out(name).cells:
        if cell.cell_type == "markdown":
            assert not re.findall(r"\]\((?!\w+:|#)[^)]*\)", cell.source)
            assert not re.findall(r"\{(?:doc|ref|cite\S*|term|glue\S*|numref|download)\}`", cell.source), cell.source


@notebooks
def test_its_page_offers_it_and_the_kit_and_shows_no_set_up(name):
    page = (HTML / "notebooks" / name).with_suffix(".html").read_text("utf-8")
    assert f'href="../_sources/notebooks/{name}" download' in page
    assert 'href="../carecontracts-kit.zip" download' in page
    assert "def set_up" not in page


def test_where_a_library_is_missing_the_set_up_says_which_and_how_to_get_it():
    source = handed_out(NAMES[0]).cells[1].source
    said = subprocess.run([sys.executable, "-I", "-S", "-"], input=source, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr.strip().endswith(
        "ImportError: This notebook needs pandas, matplotlib, ipywidgets, pydantic, PyYAML. "
        "Install with: pip install pandas matplotlib ipywidgets pydantic PyYAML"
    )


@pytest.fixture(scope="session")
def kit(tmp_path_factory) -> Path:
    if not KIT.is_file():
        pytest.fail("the site is not built: make book")
    folder = tmp_path_factory.mktemp("kit")
    with zipfile.ZipFile(KIT) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder / "carecontracts-kit"


@pytest.mark.parametrize("name", OF_THE_KIT)
def test_the_kits_notebooks_run_with_the_package_beside_them(name, kit, run):
    outputs, package = run(nbformat.read(kit / "notebooks" / name, as_version=4), kit / "notebooks")
    assert outputs
    assert str(kit / "src") in package


def test_every_contract_is_there_in_word():
    for name in gallery_names():
        with zipfile.ZipFile(HTML / "contracts" / f"{name}.docx") as file:
            text = html.unescape(file.read("word/document.xml").decode())
        contract = Contract.load(gallery(name))
        assert contract.title in text
        assert "What each number rests on" not in text
        ours = HTML / "contracts" / f"{name}-our-file.docx"
        assert ours.exists() == (contract.provisions is not None)
        if contract.provisions:
            with zipfile.ZipFile(ours) as file:
                text = html.unescape(file.read("word/document.xml").decode())
            assert "Traps found in this draft" in text


def test_the_kit_has_every_contract_and_every_module(kit):
    for top in ("contracts", "src/carecontracts"):
        here = {path.relative_to(ROOT / top) for path in (ROOT / top).rglob("*") if path.is_file()}
        there = {path.relative_to(kit / top) for path in (kit / top).rglob("*") if path.is_file()}
        assert {path for path in here if "__pycache__" not in path.parts} == {
            path for path in there if "__pycache__" not in path.parts
        }


def test_the_kit_installs(kit, tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", tmp_path / "site", kit], check=True, capture_output=True)
    assert (tmp_path / "site" / "carecontracts" / "contract.py").is_file()


def test_the_kit_asks_for_the_versions_the_site_was_built_with(kit):
    asked = dict(re.findall(r"^(\S+)==(\S+)$", (kit / "requirements.txt").read_text("utf-8"), re.M))
    assert set(asked) == {*EVERY, *SOME}
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text("utf-8"), re.M))
    assert all(locked[name.lower().partition("[")[0]] == version for name, version in asked.items())


def test_the_kits_page_names_what_is_in_it(kit):
    page = (kit / "README.md").read_text("utf-8")
    for name in re.findall(r"`([\w./-]+)`", page):
        if not name.startswith((".venv", "carecontracts ")):
            assert (kit / name).exists() or (kit / "notebooks" / name).exists(), name
