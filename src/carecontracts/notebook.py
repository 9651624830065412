"""Tables for notebooks and chapters: plain HTML that needs neither Jinja nor a kernel."""

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from .refusal import Fault, Refusal, listed


class Table:
    """A table whose numbers are formatted by column: `table(frame, {"amount": "{:,.2f}"})`."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


def table(frame: Any, formats: Mapping[str, str | Callable[[Any], str]] | None = None) -> Table:
    """A data frame as a table: columns as they are, and an index that names the rows before them; none is a dash.

    Rows numbered from 0 need no name. Other numbers may be sizes or years, or what a filter left of the order, and
    nobody can tell which: an index of them without a name is refused.

    >>> import pandas
    >>> print(table(pandas.DataFrame({"party": ["plan"], "net": [-1234.5]}), {"net": "${:,.0f}"}).html)
    <table class="dataframe">
    <thead><tr><th>party</th><th>net</th></tr></thead>
    <tbody>
    <tr><td>plan</td><td>−$1,234</td></tr>
    </tbody>
    </table>
    """
    say = {name: form.format if isinstance(form, str) else form for name, form in (formats or {}).items()}

    def cell(column: str, value: Any) -> str:
        if value is None or value != value:
            return "–"
        text = say.get(column, str)(value)
        return escape(re.sub(r"^(\$?)-(\$?)", r"−\1\2", text) if column in say else text)

    labels = frame.index.tolist()
    named = frame.index.name is not None or labels != list(range(len(labels)))
    if named and frame.index.name is None and all(isinstance(label, int) for label in labels):
        do = "name what the numbers are with `rename_axis`, or drop them with `reset_index(drop=True)`"
        raise Refusal([Fault("table, index", listed(labels, 5), "rows numbered from 0, or an index with a name", do)])
    names = [f'<th scope="row">{escape(str(label))}</th>' if named else "" for label in frame.index]
    corner = f"<th>{escape(str(frame.index.name))}</th>" if frame.index.name else "<td></td>" if named else ""
    head = corner + "".join(f"<th>{escape(str(name))}</th>" for name in frame.columns)
    rows = [
        f"<tr>{name}"
        + "".join(f"<td>{cell(column, value)}</td>" for column, value in zip(frame.columns, row, strict=True))
        + "</tr>"
        for name, row in zip(names, frame.itertuples(index=False, name=None), strict=True)
    ]
    lines = ['<table class="dataframe">', f"<thead><tr>{head}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table>"]
    return Table("\n".join(lines))
