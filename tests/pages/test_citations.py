"""Every study that a chapter cites is a row of the evidence library, and every source of a row is in the references.

A source that the chapters cite is one of four things: the source of a row of `evidence/library.yaml`; of a profile in
`evidence/organizations.yaml`; a regulation or a wage statistic, by the beginning of its key; or in
`cited-otherwise.yaml`, under what it is. Nothing that says what a program did belongs in the last two.
"""

import re
from html import escape
from pathlib import Path

import pytest
import yaml

from carecontracts.evidence.as_html import FILTERS, REPORTERS, filterable, profiles
from carecontracts.evidence.library import load
from carecontracts.evidence.organizations import CRITERIA, organizations

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.md"))
LIBRARY = load()
OTHERWISE = yaml.safe_load((ROOT / "tests" / "pages" / "cited-otherwise.yaml").read_text("utf-8"))
BEGINNINGS = ("cfr", "bls")  # regulations, wages
SPEAK_OF_RESULTS = ("how cost persists and concentrates", "methods", "models and surveys")
# Words of a sentence that says what a program did.
DID = re.compile(
    r"\btrials?\b|randomi[sz]ed|\bsaved\b|savings of|reductions? in|\b(fewer|lower|higher) (stays|spending)", re.I
)


def cited(text: str) -> set[str]:
    return {key.strip() for keys in re.findall(r"\{cite:[a-z]+\}`([^`]+)`", text) for key in keys.split(",")}


def of_evidence() -> set[str]:
    return LIBRARY.sources() | {key for row in organizations() for key in row.sources()}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_what_a_chapter_cites_is_a_row_or_said_to_be_something_else(chapter):
    known = of_evidence() | {key for keys in OTHERWISE.values() for key in keys}
    unknown = {key for key in cited(chapter.read_text("utf-8")) - known if not key.startswith(BEGINNINGS)}
    assert not unknown, (
        f"{sorted(unknown)}: if it says what a program did, add a row to evidence/library.yaml; "
        "if not, list it in tests/pages/cited-otherwise.yaml"
    )


def test_nothing_is_listed_twice_or_for_nothing():
    everywhere = set().union(*(cited(path.read_text("utf-8")) for path in CHAPTERS))
    listed = [key for keys in OTHERWISE.values() for key in keys]
    assert len(listed) == len(set(listed))
    bibliography = set(re.findall(r"@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text("utf-8")))
    assert set(listed) & bibliography <= everywhere
    assert not set(listed) & of_evidence()


def test_every_source_of_a_row_is_cited_so_that_the_references_list_it():
    everywhere = set().union(*(cited(path.read_text("utf-8")) for path in CHAPTERS))
    assert of_evidence() - everywhere == set()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_a_sentence_on_what_a_program_did_cites_a_row(chapter):
    """A sentence that cites somebody and speaks of a trial or of savings rests on a row, or on studies of people."""
    allowed = of_evidence().union(*(OTHERWISE[kind] for kind in SPEAK_OF_RESULTS))
    for line in chapter.read_text("utf-8").splitlines():
        keys = {key for key in cited(line) if not key.startswith(BEGINNINGS)}
        if keys and DID.search(line):
            assert keys & allowed, line


def test_organizations_rest_on_rows_and_name_who_says_so():
    rows = organizations()
    assert len(rows) >= 10
    assert len({row.key for row in rows}) == len(rows)
    for row in rows:
        for key in row.programs:
            assert LIBRARY[key]
        assert list(row.criteria()) == list(CRITERIA)
        own = {source for key in row.programs for source in LIBRARY[key].sources()}
        assert set(row.sources()) <= own, f"{row.key} says what no row of its programs says"


def test_an_organization_without_a_comparison_does_not_meet_the_test_of_evidence():
    uncompared = {"before and after", "historical control", "none"}
    for row in organizations():
        designs = {LIBRARY[key].design for key in row.programs}
        if designs <= uncompared:
            assert row.evidence.met in ("not met", "not seen", "partly met")
        if row.evidence.met == "met":
            assert designs & {"randomized", "encouragement"}


# --- the page -----------------------------------------------------------------------------------------------------


def test_the_page_holds_every_row_and_every_word_of_it():
    html = filterable(LIBRARY).html
    assert html.count("<details>") == len(LIBRARY)
    for row in LIBRARY:
        assert row.url.replace("&", "&amp;") in html
        for effect in row.effects:
            assert effect.note is None or escape(effect.note[1:]) in html
    assert "<script" not in html
    assert not re.search(r"(src|@import|url\()", html)


def test_each_filter_keeps_what_it_says_and_each_row_passes_one_answer_at_least():
    html = filterable(LIBRARY).html
    for question in FILTERS:
        for key, _, keeps in question.answers:
            kept = [row for row in LIBRARY if keeps(row)]
            assert 0 < len(kept) < len(LIBRARY)
            marked = re.findall(rf'<tr class="[^"]*\b{question.name}-{key}\b', html)
            assert len(marked) == len(kept)
            assert f":has(#evidence-{question.name}-{key}:checked)" in html
            assert f'id="evidence-{question.name}-{key}"' in html
        assert all(any(keeps(row) for _, _, keeps in question.answers) for row in LIBRARY)


def test_who_reports_a_figure_has_a_name():
    told = [row.cost.by for row in LIBRARY] + [row.payment.by for row in LIBRARY]
    told += [by for row in LIBRARY for effect in row.effects for by in (effect.by, effect.usual_by)]
    assert {key for key in told if key} == set(REPORTERS) - {"hcinnovation_landmark"} | {"hcinnovation2020caremore"}


def test_the_profiles_hold_every_organization():
    html = profiles(organizations()).html
    assert html.count('<th scope="row">') == len(organizations())
    told = [part for row in organizations() for part in (*row.criteria().values(), row.paid)]
    assert html.count("(as reported by") == sum(part.by in REPORTERS for part in told) > 5
