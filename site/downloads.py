"""What the site hands out: notebooks that run alone, and a kit with everything.

Every notebook under _sources/ gets a hidden set-up cell in which the package, its contracts and its data
are packed, so that one downloaded file runs offline wherever the libraries are installed that it names: pandas,
matplotlib, ipywidgets, pydantic and PyYAML, and those that its part of the package stands on. The notebooks of
the repository and the pages of the book stay as they are.

The kit (.zip) has the tree of the repository: notebooks, package, contracts, and one page to start from.
`python site/downloads.py` makes it without building the site.
"""

from __future__ import annotations

import ast
import base64
import io
import os
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from docutils import nodes

from carecontracts import Contract, __version__
from carecontracts.paper.word import write_word
from carecontracts.review.our_file import as_it_says

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
OURS = "-our-file"  # how the Word file for our own side is called, beside the one to send
KIT = "carecontracts-kit"
PACKAGE = ROOT / "src" / "carecontracts"
# What pip installs, and the module by which to see whether it is there. Every notebook needs the first few.
EVERY = {
    "pandas": "pandas",
    "matplotlib": "matplotlib",
    "ipywidgets": "ipywidgets",
    "pydantic": "pydantic",
    "PyYAML": "yaml",
}
SOME = {
    "ibis-framework[duckdb]": "ibis",
    "pandera[ibis]": "pandera",
    "hccinfhir": "hccinfhir",
    "scipy": "scipy",
    "statsmodels": "statsmodels",
    "tqdm": "tqdm",
}
SKIPPED = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}

SET_UP = '''\
# Set-up: the package carecontracts {version}, its contracts and its data ride in this cell.
# Where the package is installed in this version, that one is used and this cell does nothing.
def set_up(packed):
    import importlib.util
    import sys

    found = importlib.util.find_spec("carecontracts")
    if found and '__version__ = "{version}"' in open(found.origin, encoding="utf-8").read():
        return
    needed = {needs}
    missing = [name for name, module in needed.items() if importlib.util.find_spec(module) is None]
    if missing:
        install = "pip install " + " ".join(f"'{{name}}'" if "[" in name else name for name in missing)
        raise ImportError("This notebook needs " + ", ".join(missing) + ". Install with: " + install)
    import atexit
    import base64
    import pathlib
    import shutil
    import tempfile
    import zlib

    folder = tempfile.mkdtemp(prefix="carecontracts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    archive = pathlib.Path(folder, "carecontracts.zip")
    archive.write_bytes(zlib.decompress(base64.b64decode(packed)))
    sys.path.insert(0, str(archive))


set_up("""
{packed}""")
'''

KIT_SET_UP = """\
# Set-up: uses the package in the folder src/ beside this notebook's own, where it is not installed.
import importlib.util
import pathlib
import sys

if importlib.util.find_spec("carecontracts") is None:
    sys.path.insert(0, str(pathlib.Path("..", "src").resolve()))
"""

KIT_README = """\
# Paying for Complex Care: the kit

Everything here runs on your own machine, with Python 3.11 or newer. Nothing you type leaves it.

## Start

Open a terminal in this folder.

    python -m venv .venv
    .venv/bin/pip install -r requirements.txt
    .venv/bin/jupyter lab notebooks

On Windows, write `.venv\\Scripts\\` for `.venv/bin/`.

## What is here

| | |
| --- | --- |
| `notebooks/` | {notebooks} |
| `contracts/` | each contract as a file you can read and edit, with the basis of every number |
| `src/carecontracts/` | the package that prints, tests and settles them |
| `requirements.txt` | the versions that the site was built with |

## Use your own numbers

Copy a file in `contracts/`, change the terms, and give the copy to the notebook in its cell marked *knobs*,
or settle it in the terminal:

    .venv/bin/carecontracts settle contracts/mine.yaml years.csv
    .venv/bin/carecontracts term-sheet contracts/mine.yaml

## Licence

Code: BSD 3-Clause. Text, contracts and data: CC BY 4.0. See LICENSE.
The numbers marked *illustrative* or *assumption* are ours; check every number before you sign anything.
"""


def tree(*tops: str) -> dict[str, bytes]:
    """The files under these folders of the repository, by path from its root."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for top in tops
        for path in sorted((ROOT / top).rglob("*"))
        if path.is_file() and SKIPPED.isdisjoint(path.parts) and not path.match("*.egg-info/*")
    }


def zipped(files: Mapping[str, str | bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A .zip of these files, the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.compress_type = how
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


@cache
def package() -> str:
    """The package as text: a .zip that Python imports from, with contracts/ inside it as carecontracts/gallery/.

    The many small files are compressed as one, which halves them; the term sheets, which the package prints
    from the contracts, stay at home.
    """
    code = {name.removeprefix("src/"): data for name, data in tree("src/carecontracts").items()}
    gallery = {
        f"carecontracts/gallery/{name.removeprefix('contracts/')}": data
        for name, data in tree("contracts").items()
        if name.endswith(".yaml")
    }
    return base64.encodebytes(zlib.compress(zipped(code | gallery, zipfile.ZIP_STORED), 9)).decode()


def imported(source: str, package: str = "", inside: bool = False) -> set[str]:
    r"""The modules that a text imports as it is loaded, and with `inside` those that its functions import.

    >>> sorted(imported("import ibis\nfrom ..units import least", "carecontracts.people"))
    ['carecontracts.units', 'carecontracts.units.least', 'ibis']
    """
    found = set()
    tree = ast.parse(source)
    for node in ast.walk(tree) if inside else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def needs(notebook: Any) -> dict[str, str]:
    """The libraries that must be installed for a notebook to run: its own imports, and those of what it imports.

    What a function imports waits until it is called; a notebook that measures calls what the parts do, and one that
    draws calls what draws.
    """
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    waiting = [name for source in code for name in imported(re.sub(r"(?m)^[%!].*$", "", source))]
    measures = any(name.startswith("carecontracts.measured") for name in waiting)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            path = PACKAGE.joinpath(*name.split(".")[1:])
            for file in (path / "__init__.py", path.with_suffix(".py")) if name.startswith("carecontracts.") else ():
                if file.is_file():
                    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
                    parts = measures and name.startswith(("carecontracts.measuring.", "carecontracts.reconciliation"))
                    parts = parts or name.startswith("carecontracts.chance.")
                    waiting += imported(file.read_text("utf-8"), package, inside=parts)
    tops = {name.partition(".")[0] for name in seen}
    return EVERY | {library: module for library, module in SOME.items() if module in tops}


def resettle(markdown: str, folder: str, kept: Iterable[str], site: str) -> str:
    """The text of a notebook's cell with its links to other files made right for a reader elsewhere.

    A link to a kept file stays. Any other relative link leads to the published site; where its address
    is not known (`site` is empty), the words stay and the link goes.

    >>> resettle("See [the chapter](../book/shared-savings.md#terms).", "notebooks", [], "https://example.org")
    'See [the chapter](https://example.org/book/shared-savings.html#terms).'
    >>> resettle("See [the chapter](../book/shared-savings.md#terms).", "notebooks", [], "")
    'See the chapter.'
    >>> resettle("[Terms](../contracts/a.yaml), [CMS](https://cms.gov)", "notebooks", ["contracts/a.yaml"], "")
    '[Terms](../contracts/a.yaml), [CMS](https://cms.gov)'
    """
    kept = set(kept)

    def swap(link: re.Match[str]) -> str:
        words, target, fragment = link["words"], link["target"], link["fragment"] or ""
        path = posixpath.normpath(posixpath.join(folder, target))
        if path in kept:
            return link[0]
        page = re.sub(r"\.(md|ipynb)$", ".html", path)
        return f"[{words}]({site.rstrip('/')}/{page}{fragment})" if site else words

    return re.sub(
        r"(?<!!)\[(?P<words>[^\]]+)\]\((?!\w+:|#)(?P<target>[^)#\s]+)(?P<fragment>#[^)\s]*)?\)", swap, markdown
    )


def handed_out(notebook: Any, set_up: str, folder: str, kept: Iterable[str], site: str) -> Any:
    """The notebook as a reader gets it: set-up after the title, links made right, nothing that feeds the book."""
    cells = [cell for cell in notebook.cells if "remove-cell" not in cell.metadata.get("tags", [])]
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = resettle(cell.source, folder, kept, site)
    hidden = {"tags": ["hide-input", "set-up"], "jupyter": {"source_hidden": True}}
    cell = nbformat.v4.new_code_cell(set_up, metadata=hidden)
    cell["id"] = "set-up"
    notebook.cells = [cells[0], cell, *cells[1:]]
    nbformat.validate(notebook)
    return notebook


def alone(notebook: Any, folder: str, site: str) -> Any:
    """The notebook as one file that needs nothing beside it."""
    set_up = SET_UP.format(version=__version__, needs=needs(notebook), packed=package())
    return handed_out(notebook, set_up, folder, [], site)


def title(notebook: Any) -> str:
    return str(notebook.cells[0].source).splitlines()[0].lstrip("# ")


def kit(site: str = "") -> bytes:
    """The kit, as the bytes of a .zip."""
    files: dict[str, str | bytes] = {**tree("src/carecontracts", "contracts")}
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE"):
        files[name] = (ROOT / name).read_bytes()
    kept, titles = set(files), []
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    kept |= {f"notebooks/{path.name}" for path in paths}
    for path in paths:
        notebook = handed_out(nbformat.read(path, 4), KIT_SET_UP, "notebooks", kept, site)
        files[f"notebooks/{path.name}"] = nbformat.writes(notebook)
        titles.append(f"`{path.name}`: {title(notebook)}")
    names = "|".join(map(re.escape, EVERY | SOME))
    pins = re.findall(rf"^((?:{names})==\S+)", (ROOT / "requirements.txt").read_text("utf-8"), re.M)
    files["requirements.txt"] = "\n".join(["-e .", *pins, "jupyterlab>=4.4,<5", ""])
    files["README.md"] = KIT_README.format(notebooks="<br>".join(titles))
    return zipped({f"{KIT}/{name}": data for name, data in files.items()})


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Pack the notebooks of the finished site, and put the kit and the contracts beside them."""
    if exception is not None or app.builder.name != "html":
        return
    out, site = Path(app.outdir), app.config.html_baseurl
    for path in sorted((out / "_sources").rglob("*.ipynb")):
        folder = path.parent.relative_to(out / "_sources").as_posix()
        nbformat.write(alone(nbformat.read(path, 4), folder, site), path)
    (out / f"{KIT}.zip").write_bytes(kit(site))
    for name, data in tree("contracts").items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
        if name.endswith(".yaml"):
            agreed, beside = Contract.load(ROOT / name), name.removesuffix(".yaml")
            write_word(agreed, out / f"{beside}.docx")
            if agreed.provisions:  # a whole agreement has both of its files
                write_word(agreed, out / f"{beside}{OURS}.docx", ours=as_it_says(agreed))


def offer(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """What the download button of this page lists."""
    if not doctree:
        return
    source = context["pathto"](f"_sources/{context['sourcename']}", 1)
    word, ours, terms = (context["pathto"](f"{page}{end}", 1) for end in (".docx", f"{OURS}.docx", ".yaml"))
    contract = [
        {"url": word, "icon": "fa-file-word", "text": "Word (.docx)", "note": "a draft to send"},
        *(
            [{"url": ours, "icon": "fa-file-word", "text": "Our file (.docx)", "note": "odds and traps: do not send"}]
            if Path(ROOT / f"{page}.yaml").exists()
            and "\nprovisions:" in Path(ROOT / f"{page}.yaml").read_text("utf-8")
            else []
        ),
        {"url": terms, "icon": "fa-file-code", "text": "The contract (.yaml)", "note": "to settle"},
    ]
    context["downloads"] = [
        *(contract if page.startswith("contracts/") else []),
        {"url": source, "icon": "fa-file-code", "text": "This notebook (.ipynb)", "note": "runs on its own"}
        if source.endswith(".ipynb")
        else {"url": source, "icon": "fa-file-lines", "text": "This page as text (.md)", "note": ""},
        {
            "url": context["pathto"](f"{KIT}.zip", 1),
            "icon": "fa-box-archive",
            "text": "The whole kit (.zip)",
            "note": "notebooks, contracts, package",
        },
    ]


def kit_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, options: Any = None, content: Any = None
) -> Any:
    """The role {kit}`words`: a link, with these words, that downloads the kit."""
    depth = inliner.document.settings.env.docname.count("/")
    return [nodes.raw("", f'<a href="{"../" * depth}{KIT}.zip" download>{nodes.unescape(text)}</a>', format="html")], []


def address(app: Sphinx, config: Any) -> None:
    """Where the site will be published, for the links in what it hands out; the workflow that publishes it says."""
    config.html_baseurl = os.environ.get("SITE_URL", config.html_baseurl)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("kit", kit_role)
    app.connect("config-inited", address)
    app.connect("html-page-context", offer)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    target = ROOT / "_build" / f"{KIT}.zip"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(kit())
    print(target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target)
