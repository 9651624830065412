"""Every page, light and dark, on a desk and on a telephone; and what a reader does with the site."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
FRONT = "index.html"  # leads to the landing page at once
PAGES = sorted(
    {path.relative_to(HTML).as_posix() for path in HTML.glob("**/*.html") if "_static" not in path.parts} - {FRONT}
)
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 740}}
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
A_CHAPTER, A_NOTEBOOK = "book/shared-savings.html", "notebooks/shared-savings.html"

# What the theme does on every page, and we do not: its dialogs and its bar of buttons lie outside any landmark.
OF_THE_THEME = {"region"}

TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility())
    .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""


# The theme gives what scrolls sideways a place in the order of the Tab key, a moment after the window has changed.
REACHED = """() => [...document.querySelectorAll(".pst-scrollable-table-container, pre, .cell_output > .output")]
    .every(e => e.scrollWidth <= e.clientWidth || e.tabIndex === 0)"""


def violations(page) -> list[str]:
    """What axe finds on the page, element by element."""
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{rule['id']}: {rule['help']}: {node['target']} {node['html'][:160]}"
        for rule in found["violations"]
        if rule["id"] not in OF_THE_THEME
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_without_fault(page, visit, windows):
    """Once, on a desk in light colours; then its window narrows to a telephone's, and the system turns dark.

    It is never wider than its window, in either colours; and every rule is held in both sizes and in both colours.
    """
    seen = visit(page, windows(reduced_motion="reduce"))
    seen.page.evaluate(AXE.read_text("utf-8"))
    # With reduced motion nothing fades from light to dark, so no colour is read half-way.
    for size, colours, ruled in (
        ("desk", "dark", False), ("desk", "light", True), ("phone", "light", False), ("phone", "dark", True)
    ):  # fmt: skip
        seen.page.set_viewport_size(SIZES[size])
        seen.page.emulate_media(color_scheme=colours)
        seen.page.wait_for_function("colours => document.documentElement.dataset.theme === colours", arg=colours)
        seen.page.wait_for_function(REACHED)
        wide = seen.page.evaluate(TOO_WIDE)
        assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"too wide: {wide}"
        assert not (ruled and violations(seen.page)), f"{size}, {colours}"
    assert not seen.faults


def of_each_kind() -> list[str]:
    """One page for each folder and each set of scripts it loads: what a page is off a server hangs on no more.

    That every page's links and pictures lead to files is read in tests/pages/test_book.py.
    """
    kinds: dict[tuple[str, frozenset[str]], str] = {}
    for page in PAGES:
        scripts = re.findall(r'<script[^>]* src="([^"]+)"', (HTML / page).read_text("utf-8"))
        kinds.setdefault((page.rpartition("/")[0], frozenset(script.replace("../", "") for script in scripts)), page)
    return list(kinds.values())


@pytest.mark.parametrize("page", of_each_kind())
def test_a_page_opens_from_the_disk(page, visit, windows):
    assert not visit((HTML / page).as_uri(), windows()).faults


def test_the_address_of_the_site_leads_to_the_landing_page(browser, server):
    page = browser.new_page()
    page.goto(server)
    page.wait_for_url("**/book/index.html")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Paying for complex care")
    page.close()


def test_colours_can_be_chosen_and_are_remembered(visit):
    seen = visit(A_CHAPTER, viewport=SIZES["desk"], color_scheme="light")
    theme, ground = "document.documentElement.dataset.theme", "getComputedStyle(document.body).backgroundColor"
    light = seen.page.evaluate(ground)
    button = seen.page.get_by_role("button", name="Light, dark or system colors")
    for _ in range(3):
        if seen.page.evaluate(theme) == "dark":
            break
        button.click()
    assert seen.page.evaluate(theme) == "dark"
    assert seen.page.evaluate(ground) != light
    seen.page.reload()
    assert seen.page.evaluate(theme) == "dark"


def test_search_finds_a_word_of_a_chapter(visit):
    seen = visit("search.html?q=benchmark")
    seen.page.wait_for_selector("#search-results li a")
    assert seen.page.locator('#search-results a[href*="shared-savings"]').count()
    assert not seen.faults


@pytest.mark.parametrize("word", ["constructor", "__proto__", "toString", "hasOwnProperty"])
def test_search_for_what_no_page_holds_ends_with_nothing(visit, word):
    seen = visit(f"search.html?q={word}")
    seen.page.wait_for_selector("#search-results p.search-summary:has-text('did not match')")
    assert not seen.faults


def test_on_a_telephone_the_contents_open_at_a_touch(visit):
    seen = visit(A_CHAPTER, viewport=SIZES["phone"], has_touch=True)
    link = seen.page.get_by_role("navigation", name="Main").get_by_role("link", name="Glossary")
    assert not link.is_visible()
    seen.page.locator(".primary-toggle").first.tap()
    link.wait_for(state="visible")
    link.tap()
    seen.page.wait_for_url("**/glossary.html")
    assert not seen.faults


def test_the_button_on_a_notebooks_page_downloads_it(visit, tmp_path):
    seen = visit(A_NOTEBOOK, viewport=SIZES["desk"])
    seen.page.get_by_role("button", name="Download or print").click()
    with seen.page.expect_download() as download:
        seen.page.get_by_role("link", name="This notebook").click()
    assert download.value.suggested_filename == "shared-savings.ipynb"
    download.value.save_as(tmp_path / "it.ipynb")
    cells = json.loads((tmp_path / "it.ipynb").read_text("utf-8"))["cells"]
    assert cells[1]["id"] == "set-up"
    assert not seen.faults


def test_formulas_are_drawn_and_can_be_read_aloud(visit):
    seen = visit(A_CHAPTER)
    seen.page.wait_for_selector("mjx-container svg")
    assert seen.page.locator("mjx-container mjx-assistive-mml math").count()
    assert not seen.faults


def test_a_checklist_can_be_ticked_by_its_words(visit):
    seen = visit(A_CHAPTER)
    item = seen.page.locator("li.task-list-item").first
    item.locator("label span").click()
    assert item.get_by_role("checkbox").is_checked()


def test_on_paper_there_is_only_the_page(visit):
    seen = visit(A_CHAPTER, viewport=SIZES["desk"], color_scheme="dark")
    seen.page.emulate_media(media="print")
    furniture = "#pst-primary-sidebar, #pst-secondary-sidebar, .bd-header-article, .prev-next-footer, .headerlink"
    assert not [e for e in seen.page.locator(furniture).all() if e.is_visible()]
    assert seen.page.locator("article h1").is_visible()
    colours = seen.page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('article p')).color]"
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    pages = re.findall(rb"/Type\s*/Page\b", seen.page.pdf(format="A4"))
    assert 1 < len(pages) < 20
