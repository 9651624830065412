"""What is expected of years that are not yet out: written down with its day, and held to what is in the tree."""

import re

import pytest

from carecontracts.programs import mssp, preregistered, reach
from carecontracts.programs.results import Settled


@pytest.fixture(params=["mssp", "reach"])
def expectation(request: pytest.FixtureRequest) -> preregistered.Expectation:
    return next(e for e in preregistered.expectations() if e.program == request.param)


def test_two_years_are_registered_with_their_day() -> None:
    assert [(e.program, e.performance_year) for e in preregistered.expectations()] == [("mssp", 2025), ("reach", 2024)]
    for e in preregistered.expectations():
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", e.registered)
        assert 0.5 < e.failure < e.expected <= 1
        assert e.rules
        assert e.band


def test_what_is_registered_is_what_is_here(expectation: preregistered.Expectation) -> None:
    """Whoever changes a rule before the results are out registers it again, with a new day."""
    assert preregistered.changed(expectation) == []
    assert len(expectation.contracts) == {"mssp": 10, "reach": 2}[expectation.program]


def test_what_has_changed_is_named(expectation: preregistered.Expectation) -> None:
    first = next(iter(expectation.contracts))
    other = expectation._replace(
        contracts=expectation.contracts | {first: "0"}, code=expectation.code | {"results": "0"}, shipped_rows="0"
    )
    assert preregistered.changed(other) == [
        f"contracts/{first}.yaml",
        "programs/results.py",
        "how the shipped rows settle",
    ]


def rows(year: int, matched: int, of: int, track: str = "basic-e") -> list[Settled]:
    return [Settled(f"A{n}", year, track, 1.0, 1.0, 1.5, n < matched, "") for n in range(of)]


@pytest.mark.parametrize(
    ("matched", "judged"),
    [
        (980, "98.0% match: as expected."),
        (979, "97.9% match: fewer than expected."),
        (950, "95.0% match: fewer than expected."),
        (949, "94.9% match: a failure."),
    ],
)
def test_a_year_is_judged_by_what_was_registered(matched: int, judged: str) -> None:
    [told] = preregistered.verdicts("mssp", rows(2025, matched, 1_000))
    assert told.startswith("Performance year 2025 was pre-registered on 20")
    assert judged in told
    assert told.endswith("Contracts and code are as they were then.")


def test_one_track_may_fail_for_all() -> None:
    [told] = preregistered.verdicts("mssp", [*rows(2025, 990, 990), *rows(2025, 8, 10, "enhanced")])
    assert "99.8% match: a failure, by enhanced." in told
    [nine] = preregistered.verdicts("mssp", [*rows(2025, 991, 991), *rows(2025, 7, 9, "enhanced")])
    assert "as expected" in nine
    [just] = preregistered.verdicts("mssp", [*rows(2025, 990, 990), *rows(2025, 9, 10, "enhanced")])
    assert "as expected" in just


def test_a_year_without_settlements_and_a_file_without_such_a_year() -> None:
    unpublished = [s._replace(published=None, matched=None) for s in rows(2024, 5, 5)]
    assert "The file publishes no settlement yet." in preregistered.verdicts("reach", unpublished)[0]
    assert preregistered.verdicts("reach", rows(2023, 5, 5)) == [
        "No year of this file was pre-registered (of this program: 2024)."
    ]


def test_no_registered_year_ships() -> None:
    shipped = {("mssp", a.year) for a in mssp.read(mssp.published_rows())}
    shipped |= {("reach", a.year) for a in reach.read(reach.published_rows())}
    assert not shipped & {(e.program, e.performance_year) for e in preregistered.expectations()}
