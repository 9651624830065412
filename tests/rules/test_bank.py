"""The clause bank: its terms are terms of a contract, its sentences are a contract's, and its page is the data."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from carecontracts import Contract, gallery
from carecontracts.chance import assumed
from carecontracts.clauses import MECHANISMS
from carecontracts.measuring.section import Measurement
from carecontracts.provisions.section import SECTIONS
from carecontracts.review.bank import as_markdown, bank, said
from carecontracts.review.draft import Draft
from carecontracts.review.our_file import our_file
from carecontracts.worded import options_in

BOOK = Path(__file__).parents[2] / "book"
BANK = bank()


def kinds(part: str) -> Iterator[type[BaseModel]]:
    """What a part of a contract may be."""
    if part == "contract":
        yield Contract
    yield from (kind for name, kind in (MECHANISMS | SECTIONS).items() if name == part)
    if part in Measurement.model_fields:
        options = options_in(Measurement.model_fields[part].annotation)
        yield from (each for each in options if isinstance(each, type) and issubclass(each, BaseModel))


def test_every_term_of_the_bank_is_one_of_a_contract_and_in_one_entry() -> None:
    named = [of for entry in BANK.values() for of in entry.of]
    assert len(set(named)) == len(named)
    for of in named:
        part, term = of.split(".")
        assert any(term in kind.model_fields for kind in kinds(part)), of


def test_every_choice_that_favors_someone_is_in_the_bank() -> None:
    named = {of for entry in BANK.values() for of in entry.of}
    assert {f"{name}.{term}" for name, kind in SECTIONS.items() for term in kind.favors} <= named


@pytest.mark.parametrize("name", BANK)
def test_an_entry_has_two_sides_a_sentence_and_a_chapter(name: str) -> None:
    entry = BANK[name]
    assert entry.payer.refuses != entry.provider.refuses
    assert (BOOK / f"{entry.chapter}.md").exists()
    assert len(entry.sentence()) > 10
    assert "{" not in entry.sentence()
    for text in (
        entry.fallback,
        *(getattr(side, t) for side in (entry.payer, entry.provider) for t in side.model_fields_set),
    ):
        assert text
        assert not text.endswith(".")


def test_a_sentence_has_the_value_of_its_contract() -> None:
    beds = Contract.load(gallery("medicaid-with-beds"))
    assert [each.words for each in said(BANK["notice"], beds)] == [
        "Either party may end it with 180 days' notice; a breach may be cured within 60 days."
    ]
    sooner = beds.amend(provisions={"ending": {"notice": 90}})
    assert "90 days' notice" in said(BANK["notice"], sooner)[0].words
    [minimum] = said(BANK["minimum"], beds)
    assert minimum.where == "Paragraph 5, “three years' savings”"
    assert "Once the sum reaches 5% of" in minimum.words


def test_what_a_contract_does_not_set_is_not_said() -> None:
    fee = Contract.load(gallery("care-management-fee"))
    assert not said(BANK["minimum"], fee)
    assert not said(BANK["notice"], fee)
    assert said(BANK["fee"], fee)


def test_the_page_is_the_data() -> None:
    assert as_markdown().strip() in (BOOK / "clause-bank.md").read_text("utf-8")


def test_the_terms_of_every_chapter_lead_to_it() -> None:
    chapters = [page for page in BOOK.glob("*.md") if "\n## Terms to agree on\n" in page.read_text("utf-8")]
    assert len(chapters) > 20
    for page in chapters:
        terms = page.read_text("utf-8").partition("\n## Terms to agree on\n")[2].partition("\n## ")[0]
        assert "{doc}`clause-bank`" in terms, page.name


def test_our_file_says_where_to_give_of_what_the_draft_sets() -> None:
    agreed = Contract.load(gallery("medicaid-with-housing"))
    taken = assumed.take(agreed, lives=150, line="medicaid")
    sections = our_file(Draft(agreed, taken.years, taken.luck, taken.cost, 0.05, "medicaid"), taken)
    [give] = [section for section in sections if section.heading == "Where to give, and where not"]
    points = {title.lower(): (words, where) for title, words, where in give.points}
    assert points[BANK["advance"].about][1] == "Now: Paragraph 1, “advance”."
    assert BANK["minimum"].about not in points
    words, where = points[BANK["notice"].about]
    assert where == "Now: Term, re-opener, stop and exit."
    assert words.startswith(f"Both can live with: {BANK['notice'].fallback}.")
    assert BANK["notice"].provider.refuses in words
    assert BANK["notice"].payer.since in words


def test_the_command_prints_one_term_from_one_seat(run: Any) -> None:
    done = run("bank", "notice", "--seat", "provider")
    assert done.code == 0
    flat = re.sub(r"\s+", " ", done.out)
    assert BANK["notice"].provider.opens in flat
    assert BANK["notice"].payer.since not in flat
    assert "180 days' notice" in flat
    whole = run("bank")
    assert all(f"{name}: {entry.about}" in whole.out for name, entry in BANK.items())


def test_a_term_or_a_seat_that_is_none_is_refused(run: Any) -> None:
    done = run("bank", "minimun", "--seat", "judge")
    assert done.code == 2
    assert "did you mean 'minimum'" in done.err
    assert "payer or provider" in done.err
