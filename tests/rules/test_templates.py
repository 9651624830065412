"""The complete agreements: whole, sourced, without an error, and of every warning the reason for which it is borne."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from carecontracts import Contract, gallery
from carecontracts.chance import assumed
from carecontracts.paper.word import write_word
from carecontracts.provisions.section import Provisions
from carecontracts.review.draft import Draft
from carecontracts.review.our_file import our_file
from carecontracts.review.rules import findings

ROOT = Path(__file__).parents[2]
FEW = "so few people are mostly luck; it is small beside the fee, or capped, and three years or bands soften it"
PHYSICIANS = "no group of physicians signs it, or counsel is asked in the agreement itself"
# Of each, whose members and how many, and what it trips on purpose: the rule, and why it is borne.
TEMPLATES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "medicaid-with-beds": (
        {"line": "medicaid", "complex_care": True, "lives": 600},
        {
            "luck decides": FEW,
            "a price that pays for luck": "it pays some of the margin of an empty bed, and is capped",
            "the data come after the decision": "the first goal is read from the system's own records, not from claims",
            "a party loses by success": "at 5% the plan pays a little more than it saves; it signs in hope of more",
            "substantial financial risk": PHYSICIANS,
        },
    ),
    "medicaid-with-housing": (
        {"line": "medicaid", "complex_care": True, "lives": 150},
        {"substantial financial risk": PHYSICIANS},
    ),
    "state-with-plan": (
        {"line": "medicaid", "complex_care": True, "lives": 2_000},
        {
            "luck decides": "it is the state's part of a gain that is larger than what is hoped for",
            "substantial financial risk": PHYSICIANS,
        },
    ),
    "advantage-primary-care": (
        {"line": "medicare", "complex_care": True, "lives": 1_500},
        {
            "luck decides": FEW,
            "success lowers the next benchmark": "a question for renewal, which the agreement opens again",
        },
    ),
    "employer-complex-care": (
        {"line": "commercial", "complex_care": True, "lives": 600},
        {
            "luck decides": FEW,
            "the minimum does not fit the size": "three years are pooled, and the share is a quarter",
        },
    ),
    "everyone-with-complex-care": (
        {"line": "commercial", "lives": 12_000},
        {
            "luck decides": FEW,
            "success lowers the next benchmark": "four tenths of the benchmark are the region's",
        },
    ),
    "success-wrapper": (
        {"line": "medicaid", "complex_care": True, "lives": 400},
        {"substantial financial risk": PHYSICIANS},
    ),
    "access-like-fee": ({"line": "medicare", "lives": 3_000}, {}),
}
names = pytest.mark.parametrize("name", TEMPLATES)


def draft(name: str) -> Draft:
    agreed, (where, _) = Contract.load(gallery(name)), TEMPLATES[name]
    taken = assumed.take(agreed, **where)
    return Draft(agreed, taken.years, taken.luck, taken.cost, 0.05, where["line"])


@names
def test_it_has_goals_and_every_section(name: str) -> None:
    agreed = Contract.load(gallery(name))
    assert len(agreed.goals) >= 3
    assert agreed.provisions
    assert agreed.provisions.open() == []
    assert agreed.not_modelled


@names
def test_every_number_in_it_has_a_basis(name: str) -> None:
    agreed = Contract.load(gallery(name))
    keys = set(re.findall(r"(?m)^@\w+\{([^,\s]+),", (ROOT / "book" / "references.bib").read_text("utf-8")))
    keys |= {"illustrative", "assumption"}
    measured = agreed.measurement.parts() if agreed.measurement else ()
    for title, part in [
        *((c.name, c) for c in agreed.clauses),
        *measured,
        *(agreed.provisions or Provisions()).parts(),
    ]:
        for term, said in part.numbers():
            basis = part.basis_of(term)
            assert basis, f"{title}: {term}, {said}"
            assert basis.partition(",")[0] in keys, f"{title}: {term}, {basis}"


@names
def test_what_the_checker_finds_is_listed_with_its_reason(name: str) -> None:
    found = findings(draft(name))
    assert not [each for each in found if each.severity == "error"]
    assert {each.rule for each in found} == set(TEMPLATES[name][1])


@names
def test_both_word_files_are_written(name: str) -> None:
    here, (where, _) = draft(name), TEMPLATES[name]
    for ours in (None, our_file(here, assumed.take(here.contract, **where))):
        file = BytesIO()
        write_word(here.contract, file, ours=ours)
        assert file.getvalue()[:2] == b"PK"


def test_they_come_first_in_the_gallery() -> None:
    page = (ROOT / "book" / "gallery.md").read_text("utf-8")
    first = page.partition("\n## ")[2].partition("\n## ")[0]
    assert first.startswith("Complete agreements, to begin with\n")
    assert re.findall(r"^- \[.+\]\(\.\./contracts/(.+)\.md\)$", first, re.M) == list(TEMPLATES)
