"""What several tests share: small contracts, years for them, and CMS's results where the machine has them."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from carecontracts import Contract
from carecontracts.programs import mssp

# Derandomized: a test that fails fails for everyone; no deadline: shared machines pause.
settings.register_profile(
    "quiet", derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("quiet")


@pytest.fixture
def four_clauses() -> Contract:
    return Contract.load(Path(__file__).with_name("four-clauses.yaml"))


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
def settled_panel(panel: list[mssp.Aco]) -> list[mssp.Settled]:
    return [mssp.settle(aco) for aco in panel]
