"""What several tests share: a small contract, the command line, and CMS's files where the machine has them."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from carecontracts import Contract
from carecontracts.cli import main
from carecontracts.programs import mssp, results

# Derandomized: a test that fails fails for everyone; no deadline: shared machines pause.
settings.register_profile(
    "quiet", derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("quiet")


@pytest.fixture
def four_clauses() -> Contract:
    return Contract.load(Path(__file__).parent / "engine" / "four-clauses.yaml")


class Run(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Runs the command with some words: its exit code and what it printed."""

    def command(*words: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["carecontracts", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Run(code, out, err)

    return command


@pytest.fixture(scope="session")
def sample() -> Path:
    """The folder of CMS's synthetic claims (DE-SynPUF: 500 people, 2008 and 2009), which stay outside the project."""
    folder = os.environ.get("CARECONTRACTS_CLAIMS")
    if not folder:
        pytest.skip("CARECONTRACTS_CLAIMS is not set: it names the folder with the DE-SynPUF sample")
    return Path(folder)


@pytest.fixture(scope="session")
def oracles() -> Path:
    """The folder of CMS's published files, which are too large to ship."""
    folder = os.environ.get("CARECONTRACTS_ORACLES")
    if not folder:
        pytest.skip("CARECONTRACTS_ORACLES is not set: it names the folder with CMS's full results files")
    return Path(folder)


@pytest.fixture(scope="session")
def panel(oracles: Path) -> list[mssp.Aco]:
    """All 4,122 ACO-years of 2014 to 2022, read once."""
    return mssp.read(oracles / "mssp_panel_2014_2022.csv")


@pytest.fixture(scope="session")
def settled_panel(panel: list[mssp.Aco]) -> list[results.Settled]:
    return mssp.settle_all(panel)
