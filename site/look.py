"""What the theme gets wrong on every page, put right; and checklists that can be ticked.

The templates beside this file do the rest: buttons with names a screen reader can say, and the site's mark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# What Sphinx and its extensions write into an article, and what belongs there.
AMENDED = [
    # A box of a task list that can be ticked on the screen, named by the words beside it.
    (
        r'(?s)<input class="task-list-item-checkbox"[^>]*>\s*(.*?)(?=</p>|<ul|<ol|</li>)',
        r'<label><input type="checkbox"> <span>\1</span></label>',
    ),
    # The empty corner of a table heads nothing.
    (r"<th\b[^>]*>\s*(?:<p>\s*</p>)?\s*</th>", "<td></td>"),
    # A fold is named by the words on it, which say what it does and change as it opens.
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # An entry of a bibliography is an item of its list; the role Sphinx gives it has been withdrawn.
    (r' role="doc-biblioentry"', ' role="listitem"'),
]


def scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Drop the scripts a page has no use for.

    Thebe would run code on a third party's servers, and its settings, written twice, are a console error.
    The widget manager (1.9 MB) is of use only where a widget is on the page; widgets in notebooks are for
    the downloaded copy, since one that moves here would recompute nothing.
    """
    live = WIDGET_VIEW in context.get("body", "")

    def wanted(script: Any) -> bool:
        name = str(getattr(script, "filename", script) or "")
        attributes = getattr(script, "attributes", {})
        about = f"{name} {attributes.get('body', '')} {attributes.get('type', '')}".lower()
        return "thebe" not in about and (live or not ("vendor/widgets" in about or "vnd.jupyter.widget" in about))

    context["script_files"][:] = [script for script in context.get("script_files", []) if wanted(script)]


def article(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Amend what was written into the article."""
    for written, wanted in AMENDED if "body" in context else []:
        context["body"] = re.sub(written, wanted, context["body"])


def paper(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Lay a term sheet out as one sheet of paper."""
    if page.startswith("contracts/") and "body" in context:
        context["body"] = f'<div class="term-sheet">{context["body"]}</div>'


# Sphinx looks a word up in plain objects, of which `constructor` is a part that is no page.
OWN_WORDS_ALONE = """<script>
document.addEventListener("DOMContentLoaded", () => {
  const bare = Object.create(null, { hasOwnProperty: { value: Object.prototype.hasOwnProperty } });
  for (const words of [Search._index.terms, Search._index.titleterms]) Object.setPrototypeOf(words, bare);
});
</script>
"""


def search(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Find what is in the pages, and nothing for a word that is in none."""
    if page == "search":
        context["metatags"] = context.get("metatags", "") + OWN_WORDS_ALONE


NUMBER = re.compile(r"[-−(+]?[$€£]?[-−]?\d.*|[-–—]|nan|", re.I)


def printed_tables(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Set tables that code printed: numbers at the right, words at the left, and a wide one scrolls by itself."""
    if "dataframe" not in context.get("body", ""):
        return
    body = BeautifulSoup(context["body"], "html.parser")
    for table in body.select("table.dataframe"):
        rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")]
        under = [row for row in rows if row and row[-1].name == "td"]
        for column in zip(*under, strict=False):
            if not all(NUMBER.fullmatch(cell.get_text(strip=True)) for cell in column):
                place = under[0].index(column[0])
                for row in rows:
                    for cell in row[place : place + 1]:
                        cell["class"] = " ".join([*cell.get_attribute_list("class"), "words"])
        if not table.find_parent(class_="cell_output"):
            table.wrap(body.new_tag("div", attrs={"class": "pst-scrollable-table-container"}))
    context["body"] = str(body)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", scripts, priority=900)
    app.connect("html-page-context", article, priority=900)
    app.connect("html-page-context", printed_tables, priority=900)
    app.connect("html-page-context", paper, priority=900)
    app.connect("html-page-context", search, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
