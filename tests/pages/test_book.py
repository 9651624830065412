"""The site as it was built: whole, joined up, readable without eyes, and asking nothing of anyone else."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
ASIDE = {"genindex", "index", "search"}  # pages that Sphinx adds


def contents(part=None) -> list[str]:
    """The files that _toc.yml names, in reading order."""
    part = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")) if part is None else part
    own = [part[key] for key in ("root", "file") if key in part]
    if "glob" in part:
        found = sorted(ROOT.glob(f"{part['glob']}.md")) + sorted(ROOT.glob(f"{part['glob']}.ipynb"))
        own += [path.relative_to(ROOT).with_suffix("").as_posix() for path in found]
    return own + [
        name for key in ("parts", "chapters", "sections") for child in part.get(key, []) for name in contents(child)
    ]


PAGES = contents()
pages = pytest.mark.parametrize("page", PAGES)


@cache
def soup(page: str) -> BeautifulSoup:
    path = HTML / f"{page}.html"
    if not path.is_file():
        pytest.fail(f"{path.relative_to(ROOT)} is not built: make book")
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def test_every_page_is_built_and_no_other():
    built = {
        path.relative_to(HTML).with_suffix("").as_posix()
        for path in HTML.rglob("*.html")
        if "_static" not in path.parts
    }
    assert built == set(PAGES) | ASIDE


def test_github_pages_serves_the_folders_that_begin_with_an_underscore():
    assert (HTML / ".nojekyll").is_file()


@pages
def test_links_lead_somewhere(page):
    broken = []
    for tag, attribute in [("a", "href"), ("link", "href"), ("img", "src"), ("script", "src")]:
        for element in soup(page).find_all(tag, attrs={attribute: True}):
            url = urlsplit(element[attribute])
            if url.scheme or url.netloc or element[attribute] == "#":
                continue
            target = (HTML / page).parent / unquote(url.path) if url.path else HTML / f"{page}.html"
            if not target.is_file():
                broken.append(element[attribute])
            elif url.fragment and target.suffix == ".html":
                there = soup(target.resolve().relative_to(HTML.resolve()).with_suffix("").as_posix())
                if not there.find(id=unquote(url.fragment)):
                    broken.append(element[attribute])
    assert not broken


@pages
def test_pictures_are_described_in_words(page):
    for picture in soup(page).find_all("img"):
        words = picture.get("alt", "")
        assert len(words.split()) > 3, f"{picture['src']} is described as {words!r}"
        assert not re.search(r"\.(png|svg|jpe?g)$|/", words), f"{picture['src']} is described by a file name"


@pages
def test_headings_make_an_outline(page):
    levels = [int(heading.name[1]) for heading in soup(page).article.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels)), levels


@pages
def test_no_page_asks_a_third_party_for_anything(page):
    asked = [
        element[attribute]
        for tag, attribute in [
            ("script", "src"),
            ("img", "src"),
            ("iframe", "src"),
            ("source", "src"),
            ("link", "href"),
        ]
        for element in soup(page).find_all(tag, attrs={attribute: True})
        if urlsplit(element[attribute]).netloc and element.get("rel") != ["canonical"]
    ]
    inline = [script.string for script in soup(page).find_all("script", src=False) if "//" in (script.string or "")]
    assert not asked
    assert not [text for text in inline if re.search(r"https?://|unpkg|jsdelivr|cdnjs", text)]


def test_no_style_asks_a_third_party_for_anything():
    styles = sorted(HTML.rglob("*.css"))
    assert styles
    for style in styles:
        assert not re.search(r"""(@import|url\()\s*["']?(https?:)?//""", style.read_text("utf-8")), style


@pages
def test_pasted_results_are_results(page):
    """A chapter pastes `{glue:text}`path::key:format``; the plain role would print a string with its quotes."""
    shown = [node.get_text() for node in soup(page).select("article p > code, article li > code, article td > code")]
    assert not [text for text in shown if re.fullmatch(r"""(['"]).*\1|np\.\w+\(.*\)""", text)]


PEOPLE = re.compile(r"\b(people|persons?|members?|lives|patients?)\b", re.I)
FEW = re.compile(r"(?<![\d.,])(?:[1-9]|10)(?= (?:people|persons?|members|patients)\b)")
MADE_UP = re.compile(r"made[- ]up|synthetic", re.I)


def few_people(page: BeautifulSoup) -> list[str]:
    """The counts of 1 to 10 that a page gives of people: under a heading of a table, or before the word."""
    found = FEW.findall(page.get_text(" "))
    for table in page.find_all("table"):
        head, *rows = ([cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in table("tr"))
        for column in (n for n, name in enumerate(head) if PEOPLE.search(name)):
            found += [row[column] for row in rows if len(row) > column and re.fullmatch("[1-9]|10", row[column])]
    return found


@pages
def test_few_people_are_made_up_and_the_page_says_so(page):
    """Of real people no page may tell so few: small cells of what leaves are hidden, and here nothing hides them."""
    article = soup(page).find("article") or soup(page)
    assert not few_people(article) or MADE_UP.search(article.get_text(" "))


@pytest.mark.parametrize(
    ("html", "few"),
    [
        ("<table><tr><th>List</th><th>People</th></tr><tr><td>both</td><td>7</td></tr></table>", ["7"]),
        ("<table><tr><th>List</th><th>People</th></tr><tr><td>both</td><td>11</td></tr></table>", []),
        ("<table><tr><th>Rungs</th></tr><tr><td>3</td></tr></table><p>1,210 people in 10 parts</p>", []),
        ("<pre>the year: 1 people, $126,708</pre>", ["1"]),
    ],
)
def test_the_rule_of_few_people_itself(html, few):
    assert few_people(BeautifulSoup(html, "html.parser")) == few
