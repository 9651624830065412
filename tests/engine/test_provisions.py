"""What governs beside the money: every term is said, every option is one that can be chosen, and a slip is told."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml

from carecontracts import Contract, gallery
from carecontracts.paper.term_sheet import term_sheet
from carecontracts.provisions.provision import Provision
from carecontracts.provisions.section import SECTIONS, Provisions
from carecontracts.worded import fields_in

WHOLE = Contract.load(gallery("medicaid-with-beds"))
KINDS = {name: get_args(field.annotation)[0] for name, field in Provisions.model_fields.items()}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def options(annotation: Any) -> Iterator[str]:
    """The choices of a term, or of each item of a list of them."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    for inside in get_args(annotation):
        if not isinstance(inside, str):
            yield from options(inside)


@kinds
def test_every_term_is_in_the_words(kind: type[Provision]) -> None:
    said = {term for sentence in kind.words for term in fields_in(sentence)}
    assert said == set(kind.terms())


@kinds
def test_whom_an_option_favors_is_said_of_options_that_there_are(kind: type[Provision]) -> None:
    for terms in (kind.favors, kind.spoken):
        for term, said in terms.items():
            assert set(said) <= set(options(kind.model_fields[term].annotation)), term
    for term in kind.spoken:  # a choice that is said otherwise is said so for all
        assert set(kind.spoken[term]) == set(options(kind.model_fields[term].annotation))


def chosen() -> Iterator[tuple[str, str, Any]]:
    for name in KINDS:
        for term in KINDS[name].terms():
            for option in options(KINDS[name].model_fields[term].annotation):
                yield name, term, option


@pytest.mark.parametrize(("name", "term", "option"), list(chosen()))
def test_every_option_reads_as_words_of_its_own(name: str, term: str, option: str) -> None:
    given = WHOLE.model_dump(exclude_unset=True)["provisions"][name]
    if name == "counsel":  # a question is open or answered
        given = {}
    several = isinstance(getattr(getattr(WHOLE.provisions, name), term), list)
    others = [each for each in options(KINDS[name].model_fields[term].annotation) if each != option]
    said = [
        KINDS[name].model_validate(given | {term: [value] if several else value}).say() for value in (option, *others)
    ]
    assert len(set(said)) == len(said)
    assert "{" not in said[0]


def test_the_whole_agreement_is_on_the_sheet_and_what_is_not_said_is_open() -> None:
    sheet = term_sheet(WHOLE)
    for title in (section.title for section in SECTIONS.values()):
        assert f"**{title}.**" in sheet
    assert "What is still open" not in sheet
    less = WHOLE.model_dump(exclude_unset=True)
    for name in ("privacy", "ending"):
        del less["provisions"][name]
    sheet = term_sheet(Contract.model_validate(less))
    _, _, after = sheet.partition("## What is still open")
    assert "- Privacy and consent" in after
    assert "- Term, re-opener, stop and exit" in after
    assert "- Data" not in after


def test_a_contract_without_provisions_has_no_line_of_them() -> None:
    sheet = term_sheet(Contract.load(gallery("shared-savings")))
    assert "What else is agreed" not in sheet
    assert "still open" not in sheet


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("privacy", "consent"), "opt out", "opt in"),
        (("ending", "notice"), -1, "a whole number of days"),
        (("ending", "notice"), 30.5, "a whole number of days"),
        (("outreach", "expected"), 40, "from 0 to 1"),
        (("data_feeds", "feeds", 0, "lag"), 9_999, "730"),
        (("data_feeds", "feeds"), [], "feeds"),
        (("counsel", "answered"), ["delegation, 42 CFR 438.230"], "each question once"),
        (("governance", "member"), 8, "did you mean"),
        (("privacies",), {}, "did you mean"),
    ],
)
def test_a_slip_is_told_where_it_is(path: tuple[Any, ...], value: Any, said: str, tmp_path: Any, run: Any) -> None:
    data = WHOLE.model_dump(exclude_unset=True)
    inside: Any = data["provisions"]
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    done = run("term-sheet", file)
    assert done.code == 2
    assert said in done.err
    assert "line " in done.err
    assert path[0] in done.err


def test_a_provision_is_amended_by_its_terms() -> None:
    changed = WHOLE.amend(provisions={"ending": {"notice": 90}})
    assert "90 days' notice" in term_sheet(changed)
    assert changed.provisions
    assert changed.provisions.privacy
    assert changed.provisions.privacy == WHOLE.provisions.privacy
    assert WHOLE.amend(provisions={"ending": {"notice": 180}}) == WHOLE
