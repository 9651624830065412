"""The house rules, held against every contract of the gallery: it does what it says, and each number has a basis."""

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from carecontracts import Contract, Ledger, gallery
from carecontracts.clauses import MECHANISMS
from carecontracts.gallery import gallery_names
from carecontracts.paper.term_sheet import escape, paragraph, term_sheet
from carecontracts.scales import Ladder, SlidingScale
from carecontracts.units import Schedule, cents, is_year
from carecontracts.worded import fields_in
from carecontracts.year import columns_for, year_from

ROOT = Path(__file__).parents[2]
NAMES = gallery_names()
REFERENCES = ROOT / "book" / "references.bib"


@pytest.fixture(params=NAMES)
def contract(request: pytest.FixtureRequest) -> Contract:
    return Contract.load(gallery(request.param))


# --- a numeric term moves money -------------------------------------------------------------------------------------

# Differences from the benchmark, so close together that one lies between any threshold and half of it.
DIFFERENCES = (0.0, 0.002, 0.004, 0.007, 0.012, 0.021, 0.036, 0.063, 0.11, 0.2, 0.4)
FURTHER = 0.8  # for a contract with a band that begins beyond the last of them


def probing_years(contract: Contract) -> list[Any]:
    """Years in which every term of the contract should count in some draw.

    Every size of population on a scale meets every difference from the benchmark, six times; the other facts are drawn.
    The years are the first, each in which a schedule changes, and one after.
    """
    rng = np.random.default_rng(20261122)
    sizes = sorted({lives for scale in contract.scales.values() for lives in scale}) or [1_000]
    rungs = [rung for clause in contract.clauses for rung in getattr(clause, "bands", ())]
    further = [FURTHER] * (max(rungs, default=0) > DIFFERENCES[-1])
    signed = [sign * d for d in (*DIFFERENCES, *further) for sign in (1, -1)]
    lives, difference = (a.ravel() for a in np.meshgrid(np.repeat(sizes, 6 if contract.scales else 60), signed))
    n = len(lives)
    stops = {name for clause in contract.clauses for name in clause.unless}
    gates = {name for clause in contract.clauses for name in clause.only_if}

    carries = any(getattr(clause, "carried", None) is not None for clause in contract.clauses)

    def fact(name: str) -> Any:
        group, _, part = name.partition(".")
        if name == "lives":
            return lives.astype(float)
        if name == "benchmark" or group == "benchmarks":
            return np.full(n, 1e8)
        if group == "spends":  # one fund's difference says nothing of another's
            return 1e8 * (1 - rng.permutation(difference))
        if name == "spend":  # one year's difference says nothing of the next one's
            return 1e8 * (1 - (rng.permutation(difference) if carries else difference))
        if group in ("measures", "denominators"):
            around = [number * by for number in asked_of(contract, name) for by in (0.6, 0.93, 0.97, 1)]
            shares = any(getattr(clause.facts.get(name), "top", None) == 1 for clause in contract.clauses)
            scores = [] if shares else [0.98, 1.02, 1.1]  # such as a risk score
            return rng.choice([0.0, 0.2, 0.5, 0.7, 0.9, 1.0, *scores, *(x for x in around if x <= 1 or not shares)], n)
        if group == "conditions":
            holds = 0.1 if part in stops else 0.9 if part in gates else 0.5
            return (rng.random(n) < holds).astype(float)
        if group == "amounts":
            return rng.choice([0.0, 1e4, 1e5], n)
        if group == "counts":
            return 10.0 ** rng.uniform(-1, 5, n)  # people lent to a practice, and services billed
        if group == "services" or group.endswith("_months"):  # below the benchmark, so that it does not decide alone
            return 10.0 ** rng.uniform(3, 7 if group == "services" else 6, n)
        return 10.0 ** rng.uniform(2, 8, n)  # counts and revenue, small and large

    changes = {contract.first_year}
    for clause in contract.clauses:
        for schedule in schedules_in([getattr(clause, term) for term in clause.terms()]):
            counted = schedule.counts_from_first_year()
            changes |= {start + contract.first_year - 1 if counted else start for start in schedule}
    last = contract.numbers(contract.years)[-1] if contract.years else max(changes) + 1
    years = sorted({year for year in changes | {max(changes) + 1} if contract.first_year <= year <= last})
    if any(clause.needs_every_year for clause in contract.clauses):
        years = list(range(years[0], max(years[-1], min(last, years[0] + 2)) + 1))  # a period of three comes to its end
    skipped = range(contract.first_year + 1, contract.second_year)  # a long first year is not over
    return [
        year_from({"year": year} | {name: fact(name) for name in columns_for(contract.facts())}, "")
        for year in years
        if year not in skipped
    ]


def asked_of(contract: Contract, fact: str) -> list[float]:
    """The numbers, rungs of ladders too, in the clauses that read a fact: where its money may turn."""
    reading = [clause for clause in contract.clauses if fact in clause.facts]
    values = [getattr(clause, term) for clause in reading for term, unit in clause.terms().items() if unit]
    found = {abs(number) for value in values for _, number in numbers_in(value)}
    return sorted(found | {rung for value in values for ladder in ladders_in(value) for rung in ladder})


def ladders_in(value: Any) -> Iterator[Ladder]:
    if isinstance(value, dict):
        yield from [value] if isinstance(value, Ladder) else (x for item in value.values() for x in ladders_in(item))


def schedules_in(value: Any) -> Iterator[Schedule]:
    if isinstance(value, Schedule):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from schedules_in(item)


def numbers_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], float]]:
    """Every number of a term and the keys that lead to it: of a schedule, a tier, a scale, a ladder."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers_in(item, (*path, key))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def halved(value: Any, path: tuple[Any, ...], whole: bool = False) -> Any:
    """The term with one of its numbers halved; what is nothing becomes a little, and what is whole stays so."""
    if not path:
        return value // 2 if whole else value / 2 or 0.015
    changed = deepcopy(value)
    changed[path[0]] = halved(changed[path[0]], path[1:], whole)
    return changed


def moved(before: Ledger, after: Ledger) -> bool:
    return any(not np.array_equal(a.amount, b.amount) for a, b in zip(before, after, strict=True))


# Numbers of the regulation that can never decide a payment, by title of the contract.
IDLE = {
    # Half the rate of what falls short of 12.2% is at most 3% of the benchmark: the limit of 10% is never reached.
    "level": {("shared savings below the minimum", "cap", ())},
    # A perfect score leaves 1 - 0.6 = 40% of losses: the formula ends by itself where the floor of 40% begins.
    "Track 2": {("shared losses", "least_share", ())},
}


def test_halving_any_number_moves_money(contract: Contract) -> None:
    years = probing_years(contract)
    before = contract.settle(years)
    written = contract.model_dump()
    idle: list[tuple[str, str, tuple[Any, ...]]] = []
    for clause, terms in zip(contract.clauses, written["clauses"], strict=True):
        for term, unit in clause.terms().items():
            for path, _ in numbers_in(terms[term]) if unit else ():
                changed = contract.amend({clause.name: {term: halved(terms[term], path, unit.whole)}})
                if not moved(before, changed.settle(years)):
                    idle.append((clause.name, term, path))
    for name, scale in written["scales"].items():
        for path, _ in numbers_in(scale):
            changed = contract.amend(scales={**written["scales"], name: halved(scale, path)})
            if not moved(before, changed.settle(years)):
                idle.append(("scale", name, path))
    known = [idle for title, idle in IDLE.items() if title in contract.title]
    assert set(idle) == set().union(*known), "no probing year's payment depends on these"


# --- what is set is said --------------------------------------------------------------------------------------------


def test_what_has_no_memory_pays_the_same_without_earlier_years(contract: Contract) -> None:
    years = probing_years(contract)
    ledger = contract.settle(years)
    for year in years[1:]:
        this_year = [line for line in ledger if line.year == year.year]
        for n, clause in enumerate(contract.clauses):
            if not clause.needs_every_year:
                amount, _ = clause.at(year, contract.first_year).pay(year, Ledger(this_year[:n]))
                assert np.array_equal(cents(amount), this_year[n].amount), (year.year, clause.name)


def test_every_term_that_is_set_is_said(contract: Contract) -> None:
    for clause in contract.clauses:
        named = {term for sentence in clause.sentences() for term in fields_in(sentence)}
        set_terms = {term for term in clause.terms() if clause._is_set(term)}
        assert set_terms <= named, clause.name
        said = paragraph(contract, clause)
        assert not re.search(r"[{}]", said), "a placeholder is left"
        for term, unit in clause.terms().items():
            if unit and term in set_terms:
                assert unit.say(getattr(clause, term)) in said, (clause.name, term)


@pytest.mark.parametrize("kind", MECHANISMS)
def test_each_sentence_names_terms_that_exist(kind: str) -> None:
    mechanism = MECHANISMS[kind]
    named = {term for sentence in mechanism.words for term in fields_in(sentence)}
    assert named <= {*mechanism.model_fields, *mechanism.roles, *mechanism.plainly}
    assert set(mechanism.terms()) - {"kind"} <= named, "a term that no sentence can say"


def test_every_number_has_a_basis(contract: Contract) -> None:
    for clause in contract.clauses:
        for term, unit in clause.terms().items():
            if unit and clause._is_set(term):
                assert clause.basis_of(term), f"{clause.name}: {term} rests on nothing"


def test_every_basis_is_a_source_or_says_that_there_is_none(contract: Contract) -> None:
    if not REFERENCES.exists():
        pytest.skip("book/references.bib is not here, so the keys of the bases cannot be looked up")
    keys = set(re.findall(r"(?m)^@\w+\{([^,\s]+),", REFERENCES.read_text("utf-8"))) | {"illustrative", "assumption"}
    for clause in contract.clauses:
        bases = [clause.basis] if isinstance(clause.basis, str) else clause.basis.values()
        for basis in bases:
            assert basis.partition(",")[0].strip() in keys, f"{clause.name}: {basis}"


@pytest.mark.parametrize("kind", MECHANISMS)
def test_each_mechanism_says_what_it_does_not_model(kind: str) -> None:
    left_out = MECHANISMS[kind].not_modelled
    assert left_out
    assert all(item and "\n" not in item for item in left_out)


# --- the term sheet -------------------------------------------------------------------------------------------------


def test_paragraph_n_is_line_n(contract: Contract) -> None:
    sheet = term_sheet(contract)
    lines = contract.settle(probing_years(contract)[:1])
    paragraphs = re.findall(r"(?m)^(\d+)\. \*\*(.+?)\.\*\*", sheet)
    assert [int(n) for n, _ in paragraphs] == list(range(1, len(lines) + 1))
    for (_, heading), line in zip(paragraphs, lines, strict=True):
        assert heading.lower() == escape(line.clause).lower()


def test_the_term_sheet_repeats_what_is_not_modelled(contract: Contract) -> None:
    sheet = term_sheet(contract)
    for item in [*contract.not_modelled, *(item for clause in contract.clauses for item in clause.not_modelled)]:
        assert f"- {escape(item)}" in sheet


def test_the_term_sheet_prints_each_basis(contract: Contract) -> None:
    sheet = term_sheet(contract)
    for clause in contract.clauses:
        for basis in [clause.basis] if isinstance(clause.basis, str) else clause.basis.values():
            assert escape(basis) in sheet


def test_every_point_of_a_scale_is_printed(contract: Contract) -> None:
    sheet = term_sheet(contract)
    for scale in contract.scales.values():
        assert isinstance(scale, SlidingScale)
        for lives, share in scale.spans():
            assert f"| {lives} | {share * 100:.10g}% |" in sheet


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_term_sheet_is_what_prints(name: str) -> None:
    committed = ROOT / "contracts" / f"{name}.md"
    if not committed.exists():
        pytest.skip(f"contracts/{name}.md is not committed yet")
    assert committed.read_text("utf-8") == term_sheet(Contract.load(gallery(name))), f"write contracts/{name}.md again"


def test_schedules_cover_the_years_of_the_contract(contract: Contract) -> None:
    for clause in contract.clauses:
        for schedule in schedules_in([getattr(clause, term) for term in clause.terms()]):
            assert all(is_year(year) for year in schedule)
            if contract.years:
                last = contract.years if schedule.counts_from_first_year() else contract.first_year + contract.years - 1
                assert max(schedule) <= last, f"{clause.name}: a value for a year after the last"


# --- the gallery's page -----------------------------------------------------------------------------------------------


def test_the_gallery_page_lists_every_contract_by_its_title() -> None:
    page = (ROOT / "book" / "gallery.md").read_text("utf-8")
    listed = dict(re.findall(r"^- \[(.+)\]\(\.\./contracts/(.+)\.md\)$", page, re.M))
    assert {name: title for title, name in listed.items()} == {
        name: Contract.load(gallery(name)).title for name in NAMES
    }
