"""Runs the notebooks for the book, each once, on every processor at a time.

What a notebook shows is kept in Jupyter Book's cache, where the pages and the tests read it. Jupyter Book knows a
result by the notebook's code alone; here it is kept with the digest of all that the code ran on, and a notebook
runs again when the package, a contract or a pinned library has changed.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from downloads import ROOT, tree

CACHE = ROOT / "_build" / ".jupyter_cache"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST = 60  # seconds for one cell


@cache
def engine() -> str:
    """A digest of what the notebooks run on: the package, the contracts, the pinned libraries, this Python."""
    digest = hashlib.sha256(sys.version.encode())
    for name, data in {
        **tree("src/carecontracts", "contracts"),
        "requirements.lock": (ROOT / "requirements.lock").read_bytes(),
    }.items():
        digest.update(f"\n{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def state() -> dict[str, int]:
    """The files that a notebook might write to, and when each was last written."""
    return {
        path.relative_to(ROOT).as_posix(): path.stat().st_mtime_ns
        for top in ("notebooks", "contracts", "book")
        for path in (ROOT / top).rglob("*")
    }


def run(path: Path) -> tuple[str, dict[str, Any]]:
    """The notebook with its results, as JSON; and the seconds it took, on the clock and of CPU, and what it wrote."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("import time\nprint(time.process_time())"))
    before, start = state(), time.perf_counter()
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=LONGEST, resources=where, record_timing=False).execute()
    data = {
        "execution_seconds": time.perf_counter() - start,
        "cpu_seconds": float(notebook.cells.pop().outputs[0].text),
        "wrote": sorted(name for name, _ in state().items() ^ before.items()),
    }
    return nbformat.writes(notebook), data


def patiently(path: Path) -> tuple[str, dict[str, Any]]:
    """A run; the second where the first stalled, as a kernel can on a busy machine."""
    try:
        return run(path)
    except CellTimeoutError:
        return run(path)


def main() -> None:
    results = get_cache(CACHE)
    for record in results.list_cache_records():
        if record.data.get("engine") != engine():
            results.remove_cache(record.pk)
    known = {record.hashkey for record in results.list_cache_records()}
    waiting = [
        path
        for path in NOTEBOOKS
        if results.create_hashed_notebook(nbformat.read(path, nbformat.NO_CONVERT))[1] not in known
    ]
    failed = 0
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        runs = {pool.submit(patiently, path): path for path in waiting}
        for done in as_completed(runs):
            try:
                notebook, data = done.result()
            except (CellExecutionError, CellTimeoutError) as error:
                print(f"{runs[done].relative_to(ROOT)}\n{error}", file=sys.stderr)
                failed += 1
            else:
                bundle = CacheBundleIn(nbformat.reads(notebook, 4), str(runs[done]), data=data | {"engine": engine()})
                results.cache_notebook_bundle(bundle, overwrite=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
