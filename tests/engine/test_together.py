"""What the settled programs show together: groups by hand, luck by its closed form, and the tables that ride along."""

import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

from carecontracts.chance.noise import COEFFICIENT
from carecontracts.programs import mssp, mssp_record, reach, together
from carecontracts.programs.together import LUCKS, Outcome

STANDARD = NormalDist()


def outcome(**facts: Any) -> Outcome:
    plain: dict[str, Any] = {
        "program": "reach", "kind": "standard", "lives": 1_000, "savings_rate": 0.02, "received": 5.0, "luck": 0.03,
        "paid_by_luck": 0.5, "dollars_by_luck": 1.0,
    }  # fmt: skip
    return Outcome(**plain | facts)


def test_groups_are_counted_as_by_hand() -> None:
    """Rates 2%, 4% and -6%: mean 0, variance (4 + 16 + 36) / 2 = 28; luck (9 + 9 + 25) / 3 of the same units."""
    found = [outcome(), outcome(savings_rate=0.04, lives=900, received=7.0)]
    found.append(outcome(kind="high needs", lives=999, savings_rate=-0.06, received=-3.0, luck=0.05, paid_by_luck=0.2))
    everyone, needs, standard = together.by_kind(found)
    assert [row.group for row in (everyone, needs, standard)] == ["all", "high needs", "standard"]
    assert (everyone.aco_years, needs.aco_years, standard.aco_years) == (3, 1, 2)
    assert (everyone.earned, everyone.owed, everyone.below_benchmark) == (2 / 3, 1 / 3, 2 / 3)
    assert (everyone.paid_dollars, everyone.owed_dollars, everyone.dollars_by_luck) == (12, 3, 3)
    assert (everyone.people, everyone.median_savings_rate) == (999, 0.02)
    assert everyone.spread == pytest.approx(math.sqrt(28e-4))
    assert everyone.luck == pytest.approx(math.sqrt(43e-4 / 3))
    assert everyone.paid_by_luck == pytest.approx(1.2 / 3)
    assert everyone.share_by_luck == 3 / 12
    assert everyone.variance_by_luck == pytest.approx(43 / 3 / 28)
    assert math.isnan(needs.share_by_luck), "nobody of it was paid"


def test_a_size_begins_with_its_own_number() -> None:
    """999 people are under 1,000, and 1,000 are not; the Shared Savings Program has its own sizes."""
    found = [outcome(lives=n) for n in (999, 1_000, 4_999, 5_000)] + [
        outcome(program="mssp", lives=n) for n in (4_999, 5_000)
    ]
    assert [(row.program, row.group, row.aco_years) for row in together.by_size(found)] == [
        ("mssp", "0", 1),
        ("mssp", "5000", 1),
        ("reach", "0", 1),
        ("reach", "1000", 2),
        ("reach", "5000", 1),
    ]


def test_luck_alone_is_paid_as_the_closed_form_says() -> None:
    """P(S >= m) = Phi(-m / sd), and E[S; S >= m] = sd phi(m / sd); the same settled through the contract itself."""
    one = next(a for a in mssp.read(mssp.published_rows()) if a.track == "track-1" and a.year == 2016 and a.met)
    [found] = together.outcomes("mssp", [one])
    sd = COEFFICIENT / math.sqrt(one.lives)
    minimum = mssp_record.minimum_rate(one)
    assert found.luck == pytest.approx(sd)
    assert found.paid_by_luck == pytest.approx(STANDARD.cdf(-minimum / sd), abs=1 / LUCKS)
    each = 0.5 * (one.quality or 1) * 0.98 * one.benchmark * sd * STANDARD.pdf(minimum / sd)
    assert found.dollars_by_luck == pytest.approx(each, rel=0.02)
    assert found.kind == "one-sided"
    assert found.savings_rate == pytest.approx((one.benchmark - one.spend) / one.benchmark)


def test_without_a_minimum_luck_alone_is_paid_in_half_of_all_years() -> None:
    """ACO REACH has none; Global shares all of it to 25%, which luck of 1,111 people reaches about never."""
    one = next(a for a in reach.read(reach.published_rows()) if (a.aco_id, a.year) == ("D0095", 2022))
    [found] = together.outcomes("reach", [one])
    assert found.paid_by_luck == 0.5
    each = 0.98 * one.benchmark * COEFFICIENT / math.sqrt(one.lives) / math.sqrt(2 * math.pi)
    assert found.dollars_by_luck == pytest.approx(each, rel=0.01)
    assert found.kind == "high needs"


def test_every_high_needs_organization_rides_along() -> None:
    needs = [one for one in reach.read(reach.published_rows()) if one.kind == "high-needs"]
    rows = together_rows("by_kind")
    assert len(needs) == int(next(row["aco_years"] for row in rows if row["group"] == "high needs")) == 14


def together_rows(name: str) -> list[dict[str, str]]:
    header, *lines = together.together_file(name).read_text("utf-8").splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


def test_both_tables_count_the_same_organizations() -> None:
    for program, count in {"mssp": 5_051, "reach": 152}.items():
        sizes = [int(row["aco_years"]) for row in together_rows("by_size") if row["program"] == program]
        kinds = {row["group"]: int(row["aco_years"]) for row in together_rows("by_kind") if row["program"] == program}
        assert sum(sizes) == kinds.pop("all") == sum(kinds.values()) == count


def test_the_tables_are_made_of_medicares_files(oracles: Path, panel: list[mssp.Aco], tmp_path: Path) -> None:
    """All 5,051 ACO-years of 2014 to 2024 and all 152 of ACO REACH, settled and counted again."""
    acos = [*panel, *(one for year in (2023, 2024) for one in mssp.read(oracles / "raw" / f"PY{year}.csv", year))]
    mssp_record.write_record(acos, tmp_path)
    more = reach.read(oracles / "reach_2021_2022.csv")
    together.write_together(together.outcomes("mssp", acos) + together.outcomes("reach", more), tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert len(made) == 4
    for name in made:
        assert (tmp_path / name).read_bytes() == (mssp_record.record_file("by_size").parent / name).read_bytes()  # type: ignore[attr-defined]
