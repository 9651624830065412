"""The package as a page runs it: Python in WebAssembly, and beside it the package with the few that it stands on.

Everything comes from this site and is fetched only when a reader touches what needs it. The pure packages are those
that are installed here, so a page computes with the versions of the lock.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import importlib.util
import json
import re
import shutil
import zipfile
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carecontracts import Contract, gallery
from carecontracts.gallery import gallery_names
from carecontracts.live import VERBS
from carecontracts.parties import first_deal
from downloads import PACKAGE, SKIPPED, imported, tree, zipped
from vendor import MODULES, WHEELS

if TYPE_CHECKING:
    from sphinx.application import Sphinx

RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "python_stdlib.zip", "README.md")
LISTED = "pyodide-lock.json"  # of its hundreds of packages a page loads none: they come with ours
COMPILED = "pyodide.asm.wasm"  # three times smaller when compressed, which not every server does
PURE = ("pydantic", "annotated_types", "typing_inspection", "typing_extensions", "yaml")
DISTRIBUTIONS = ("pydantic", "annotated-types", "typing-inspection", "typing-extensions", "PyYAML")
ON_REQUEST = {"xlsx": ("xlsxwriter",)}  # fetched when a page is asked for a file of this kind
NUMBER = ' class="number"'
DATA = (".yaml", ".csv")
MOUNT = re.compile(r'<div class="live" data-live="(\w+)"')  # where a page runs it, and by which script
# A page that runs the package reaches no other address than its own site's; its worker is held to the same.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:;"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self';"
    " form-action 'none'; base-uri 'none'; object-src 'none'"
)


def installed(*names: str) -> dict[str, bytes]:
    """The Python files of these installed packages, by their paths from the folder they are installed in."""
    found = {}
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise FileNotFoundError(f"{name} is not installed")
        origin = Path(spec.origin)
        paths = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        top = origin.parent.parent if origin.name == "__init__.py" else origin.parent
        for path in paths:
            if SKIPPED.isdisjoint(path.parts):
                found[path.relative_to(top).as_posix()] = path.read_bytes()
    return found


def package() -> bytes:
    """What a page unpacks: the package, its contracts, and what it imports, as one .zip."""
    files = installed(*PURE)
    # A part of pydantic that only its own plug-ins and version 1 need would be half of it.
    files = {name: data for name, data in files.items() if not name.startswith(("pydantic/v1/", "pydantic/mypy"))}
    mechanisms = [f"carecontracts.clauses.{path.stem}" for path in (PACKAGE / "clauses").glob("*.py")]
    needed = reached("carecontracts.live", *mechanisms)  # a mechanism is found by its file
    rooms = {name.split("/")[1].partition(".")[0] for name in needed}
    for name, data in tree("src/carecontracts").items():
        name = name.removeprefix("src/")
        room = name.split("/")[1].partition(".")[0]
        if name in needed or (room in rooms and name.endswith(DATA)):
            files[name] = data
    for name, data in tree("contracts").items():
        if name.endswith(".yaml"):
            files[f"carecontracts/gallery/{name.removeprefix('contracts/')}"] = data
    with zipfile.ZipFile(core()) as archive:
        files |= {name: archive.read(name) for name in archive.namelist() if name.endswith((".py", ".so"))}
        files |= {name: archive.read(name) for name in archive.namelist() if "LICENSE" in name}
    return zipped(files | licenses(*DISTRIBUTIONS))


def reached(*names: str) -> set[str]:
    """The files of the package that are loaded when these of its modules are imported."""
    found, seen, waiting = set(), set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in seen or not name.startswith("carecontracts"):
            continue
        seen.add(name)
        waiting.append(name.rpartition(".")[0])
        path = PACKAGE.joinpath(*name.split(".")[1:])
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                found.add(f"carecontracts/{file.relative_to(PACKAGE).as_posix()}")
                within = name if file.name == "__init__.py" else name.rpartition(".")[0]
                waiting += imported(file.read_text("utf-8"), within)
    return found


def licenses(*names: str) -> dict[str, bytes]:
    """What these packages may be used under, which goes where they go."""
    return {
        f"licenses/{name}/{Path(str(path)).name}": Path(str(path.locate())).read_bytes()
        for name in names
        for path in importlib.metadata.files(name) or ()
        if "LICENSE" in str(path).upper()
    }


def core() -> Path:
    """The wheel of pydantic's core for a page's Python."""
    found = sorted(WHEELS.glob("pydantic_core-*.whl"))
    if not found:
        raise FileNotFoundError(".wheels/pydantic_core-*.whl")
    return found[-1]


def require(app: Sphinx) -> None:
    """Refuse to build live pages whose Python is not here."""
    from sphinx.errors import ExtensionError

    missing = [name for name in (*RUNTIME, LISTED, COMPILED) if not (MODULES / "pyodide" / name).is_file()]
    missing += [] if any(WHEELS.glob("pydantic_core-*.whl")) else [".wheels/pydantic_core-*.whl"]
    if missing:
        raise ExtensionError(f"node_modules/ lacks {', '.join(missing)}. Fetch it first: python site/vendor.py")


def copy(app: Sphinx, exception: Exception | None) -> None:
    """Put the runtime and the package into the finished site."""
    if exception is not None or app.builder.format != "html":
        return
    put(Path(app.outdir))


def put(site: Path) -> None:
    live = site / "_static" / "live"
    (live / "pyodide").mkdir(parents=True, exist_ok=True)
    for name in RUNTIME:
        shutil.copyfile(MODULES / "pyodide" / name, live / "pyodide" / name)
    listed = json.loads((MODULES / "pyodide" / LISTED).read_text("utf-8"))
    (live / "pyodide" / LISTED).write_text(json.dumps(listed | {"packages": {}}), "utf-8")
    compiled = (MODULES / "pyodide" / COMPILED).read_bytes()
    (live / "pyodide" / f"{COMPILED}.gz").write_bytes(gzip.compress(compiled, 9, mtime=0))
    (live / "package.zip").write_bytes(package())
    for kind, names in ON_REQUEST.items():
        (live / f"{kind}.zip").write_bytes(zipped(installed(*names) | licenses(*names)))


def page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give a live page its scripts, its styles and its policy, and what it shows before any touch."""
    scripts = dict.fromkeys(MOUNT.findall(context.get("body", "")))
    if not scripts:
        return
    app.add_css_file("live/live.css")
    for name in ("live", *scripts):
        app.add_js_file(f"live/{name}.js", loading_method="defer")
    if "workbench" in scripts:
        known = [{"name": name, "title": title_of(name)} for name in gallery_names()]
        context["body"] += f'<script type="application/json" id="live-gallery">{as_json(known)}</script>'
    if "calculator" in scripts:
        made = calculator(context["pathto"]("book/workbench"))
        context["body"] = context["body"].replace('<div class="live" data-live="calculator"></div>', made)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    context["metatags"] = context.get("metatags", "") + policy


def as_json(value: Any) -> str:
    """JSON that ends no script."""
    return json.dumps(value).replace("<", "\\u003c")


@cache
def calculator(workbench: str) -> str:
    """The calculator with its first answer worked out: an example where no script runs, and on paper."""
    told = VERBS["first_deal"]()
    fields = [
        f'<div class="live-field"><label for="calc-{name}">{escape(what)}</label>'
        f'<input type="text" inputmode="decimal" id="calc-{name}" name="{name}" value="{begins:.10g}"></div>'
        for name, (what, begins, _, _) in first_deal.NUMBERS.items()
    ]
    fields += [
        f'<div class="live-field"><label for="calc-{name}">{escape(what)}</label>'
        f'<select id="calc-{name}" name="{name}">{"".join(f"<option>{escape(each)}</option>" for each in options)}'
        "</select></div>"
        for name, (what, options) in first_deal.CHOICES.items()
    ]
    listed = "".join(f"<dt>{escape(what)}</dt><dd>{escape(text)}</dd>" for what, text in told["lines"])
    head = "".join(f'<th scope="col"{NUMBER * (n > 0)}>{escape(cell)}</th>' for n, cell in enumerate(told["heads"]))
    rows = ""
    for what, *cells in told["rows"]:
        rows += f'<tr><th scope="row">{escape(what)}</th>' + "".join(f"<td{NUMBER}>{escape(c)}</td>" for c in cells)
        rows += "</tr>"
    return f"""<form class="live live-calculator" data-live="calculator" data-workbench="{workbench}"
aria-label="A first deal, with your numbers"><p class="live-note">Shares are decimals: 0.1 is 10%.</p>
<div class="live-fields">{"".join(fields)}</div>
<p class="live-say" role="status" aria-live="polite"></p>
<div class="live-results"><dl>{listed}</dl>
<div class="live-scroll" tabindex="0" role="region" aria-label="What each side nets"><table class="table">
<caption>What each side nets if all goes as expected, before what its own team costs</caption>
<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>
<div class="live-bar"><button type="button" class="live-open" hidden>Open this as a contract</button></div>
<script type="application/json" class="live-made">{as_json(told["contract"])}</script></form>"""


def title_of(name: str) -> str:
    return Contract.load(gallery(name)).title


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", require)
    app.connect("html-page-context", page)
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    import sys

    put(Path(sys.argv[1]))
