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

# A contract with every mechanism's usual terms, for tests that change one thing and look.
FOUR_CLAUSES = """\
title: Care management for people with complex needs
summary: A fee, an advance that comes back, a share of savings and of losses.
parties: {plan: the plan, practice: the practice}
first_year: 2026
years: 5
clauses:
  - {name: advance, kind: advance, payer: plan, payee: practice, due: at the start of the year,
     amount: {1: 400000, 2: 0}}
  - {name: fee, kind: care_management_fee, payer: plan, payee: practice, due: monthly, per_member_per_month: 40}
  - {name: savings, kind: shared_savings, payer: plan, payee: practice, due: 9 months after the year ends,
     minimum: 0.02, share: 0.5, net_of: [fee], quality: quality score, cap: 0.1}
  - {name: losses, kind: shared_losses, payer: practice, payee: plan, due: 9 months after the year ends,
     minimum: 0.02, share: 0.3, net_of: [fee], cap: 0.04}
  - {name: recouped, kind: recoupment, payer: practice, payee: plan, due: 9 months after the year ends,
     advance: [advance], out_of: [savings], share: 0.5}
"""


@pytest.fixture
def four_clauses() -> Contract:
    return Contract.parse(FOUR_CLAUSES)


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
