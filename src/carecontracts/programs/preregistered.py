"""Pre-registered: what we expect to settle of years whose results nobody here has seen, written down before they come.

`preregistered.yaml` holds the day, the rules, the band, what counts as failure, and the hashes of the contracts, of the
code that reads and settles a file, and of what that code makes of the rows that ride with the package. Whoever changes
one of these before the results are out registers again, with a new day: `write` does it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from ..files import read_yaml
from ..gallery import gallery, gallery_names
from . import mssp, reach
from .results import Settled

PROGRAMS: dict[str, Any] = {"mssp": mssp, "reach": reach}

TRACK_FAILS = "under 90% of a track with ten rows or more"


class Expectation(NamedTuple):
    """What is expected of one performance year of one program."""

    registered: str  # the day
    program: str
    performance_year: int
    rules: str
    band: str
    expected: float  # share of the rows with a published settlement that match, at least
    failure: float  # under this share we were wrong
    contracts: dict[str, str]  # SHA-256, by name
    code: dict[str, str]
    shipped_rows: str  # SHA-256 of how the shipped rows of the program settle


def registration() -> Traversable:
    """The dated file."""
    return files("carecontracts") / "programs" / "preregistered.yaml"


@cache
def expectations() -> tuple[Expectation, ...]:
    """Everything that is pre-registered."""
    data, _ = read_yaml(registration())
    return tuple(Expectation(registered=str(data["registered"]), **each) for each in data["expectations"])


def contract_hashes(program: str) -> dict[str, str]:
    """The SHA-256 of each of a program's contracts as it is now."""
    names = [name for name in gallery_names() if name.startswith(f"{program}/")]
    return {name: _hash(gallery(name).read_bytes()) for name in names}


def code_hashes(program: str) -> dict[str, str]:
    """The SHA-256 of the code that reads and settles a program's file as it is now."""
    folder = files("carecontracts") / "programs"
    return {name: _hash((folder / f"{name}.py").read_bytes()) for name in ("results", program)}


def shipped_hash(program: str) -> str:
    """The SHA-256 of what the rows that ride with the package settle to, cent by cent."""
    module = PROGRAMS[program]
    settled = module.settle_all(module.read(module.published_rows()))
    return _hash("\n".join(f"{s.aco_id},{s.performance_year},{s.recomputed:.2f}" for s in settled).encode())


def changed(expectation: Expectation) -> list[str]:
    """What is no longer as it was registered."""
    program = expectation.program
    now = {f"contracts/{n}.yaml": h for n, h in contract_hashes(program).items()}
    now |= {f"programs/{n}.py": h for n, h in code_hashes(program).items()}
    then = {f"contracts/{n}.yaml": h for n, h in expectation.contracts.items()}
    then |= {f"programs/{n}.py": h for n, h in expectation.code.items()}
    names = [name for name in dict.fromkeys([*then, *now]) if then.get(name) != now.get(name)]
    settles = [] if expectation.shipped_rows == shipped_hash(program) else ["how the shipped rows settle"]
    return names + settles


def verdicts(program: str, settled: Sequence[Settled]) -> list[str]:
    """For each pre-registered year in a file, what was expected and what came; or that the file has none."""
    known = {e.performance_year: e for e in expectations() if e.program == program}
    told = []
    for year in sorted({s.performance_year for s in settled} & set(known)):
        e = known[year]
        rows = [s for s in settled if s.performance_year == year and s.matched is not None]
        came = "The file publishes no settlement yet."
        if rows:
            share = _matched(rows)
            poor = [t for t in sorted({s.track for s in rows}) if _poor([s for s in rows if s.track == t])]
            judged = "as expected" if share >= e.expected else "fewer than expected"
            if share < e.failure or poor:
                judged = "a failure" + (f", by {', '.join(poor)}" if poor else "")
            came = f"{share:.1%} match: {judged}."
        since = changed(e)
        told.append(
            f"Performance year {year} was pre-registered on {e.registered}: at least {e.expected:.0%} of rows match;"
            f" under {e.failure:.0%}, or {TRACK_FAILS}, is a failure. {came} "
            + (f"Changed since then: {', '.join(since)}." if since else "Contracts and code are as they were then.")
        )
    if not told:
        years = ", ".join(map(str, sorted(known))) or "none"
        told = [f"No year of this file was pre-registered (of this program: {years})."]
    return told


def _matched(rows: Sequence[Settled]) -> float:
    return sum(bool(s.matched) for s in rows) / len(rows)


def _poor(rows: Sequence[Settled]) -> bool:
    return len(rows) >= 10 and _matched(rows) < 0.9


def write(path: Path, day: date, expectations: Iterable[Expectation]) -> None:
    """Write the file again, with this day and the hashes as they are now."""
    import yaml

    each = [
        e._asdict()
        | {
            "contracts": contract_hashes(e.program),
            "code": code_hashes(e.program),
            "shipped_rows": shipped_hash(e.program),
        }
        for e in expectations
    ]
    for row in each:
        del row["registered"]
    head = "# What is expected of results that are not yet out, by `write` of preregistered.py; never after them.\n"
    text = yaml.safe_dump({"registered": day.isoformat(), "expectations": each}, sort_keys=False, width=110)
    path.write_text(head + text, encoding="utf-8")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
