"""What is installed is pinned, whole, hashed, and fetched from wherever the machine fetches."""

import json
import re
from pathlib import Path

from carecontracts import __version__

ROOT = Path(__file__).parents[2]
SHORT = (ROOT / "requirements.txt").read_text("utf-8")
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
NPM = json.loads((ROOT / "package-lock.json").read_text("utf-8"))


def test_who_cites_the_package_cites_this_version():
    assert re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.M) == [__version__]


def pins(text: str) -> set[tuple[str, str]]:
    found = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", text, re.M)
    return {(name.lower().replace("_", "-"), version) for name, version in found}


def test_the_short_list_installs_this_package_and_pins_the_rest():
    first, *rest = [line for line in SHORT.splitlines() if line and not line.startswith("#")]
    assert first == "-e ."
    assert len(pins(SHORT)) == len(rest)


def test_the_book_is_built_by_the_first_jupyter_book():
    assert dict(pins(SHORT))["jupyter-book"].startswith("1.0.")


def test_the_lock_is_made_from_the_short_list():
    assert pins(SHORT) <= pins(LOCK)


def test_every_locked_package_is_hashed():
    entries = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.M)[1:]
    assert len(entries) > 100
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert [
        name for name, entry in NPM["packages"].items() if name and not entry["integrity"].startswith("sha512-")
    ] == []


def test_no_lock_names_a_place_to_fetch_from():
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|file:", LOCK)
    assert not any("resolved" in entry for entry in NPM["packages"].values())
