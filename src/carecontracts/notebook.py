"""What a notebook opens and shows with: contracts, numbers in words, tables, statements, sliders, what is pasted.

Tables are plain HTML that needs neither Jinja nor a kernel.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from .clause import Clause
from .contract import Contract
from .files import MOST_YAML_BYTES, read_text
from .gallery import gallery
from .ledger import Ledger
from .paper import statement as paper
from .paper.term_sheet import paragraphs
from .refusal import Fault, Refusal, listed
from .units import say_list
from .units import say_percent as say_percent  # a share as it is, for a label: 2%, 2.5%
from .year import Year

Which = Contract | Traversable | Path | str

# --- a contract -------------------------------------------------------------------------------------------------------


def opened(which: Which, form: str = "") -> Contract:
    """A contract of the gallery by its name, one in a file by its path, or one that is open already.

    With `form`, a contract of the gallery by its name, one of other clauses or other terms is refused: what works
    through its clauses one by one takes that form with any numbers, names, parties and years.

    >>> opened("shared-savings").title
    'Care management for 1,000 members with complex needs'
    >>> opened("case-rate", form="shared-savings")
    Traceback (most recent call last):
    ...
    carecontracts.refusal.Refusal: the contract “Home-based palliative care at a monthly case rate”
      given:   the clauses case_rate, reconciliation, reconciliation
      allowed: those of shared-savings: advance, care_management_fee, shared_savings, shared_losses, recoupment
      do:      put a copy of shared-savings.yaml with your numbers here; simulate-a-contract opens any contract
    """
    contract = which if isinstance(which, Contract) else Contract.load(_file(which))
    if form:
        _of_form(contract, Contract.load(gallery(form)), form)
    return contract


def file_text(which: Which) -> str:
    """The contract's file as it is written, with its comments."""
    return which.as_yaml() if isinstance(which, Contract) else read_text(_file(which), MOST_YAML_BYTES)


def _file(which: Any) -> Traversable | Path:
    if isinstance(which, str):
        return Path(which).expanduser() if which.lower().endswith((".yaml", ".yml")) else gallery(which)
    return which  # type: ignore[no-any-return]


def _of_form(contract: Contract, model: Contract, form: str) -> None:
    where = f"the contract “{contract.title}”"
    do = f"put a copy of {form}.yaml with your numbers here; simulate-a-contract opens any contract"
    kinds, wanted = ([clause.kind for clause in each.clauses] for each in (contract, model))
    if kinds != wanted:
        given, allowed = f"the clauses {', '.join(kinds)}", f"those of {form}: {', '.join(wanted)}"
        raise Refusal([Fault(where, given, allowed, do)])
    faults = []
    for own, its in zip(contract.clauses, model.clauses, strict=True):
        have, want = _shape(own, contract), _shape(its, model)
        if have != want:
            apart = [term for term in {**want, **have} if have.get(term) != want.get(term)]
            given = say_list([f"`{term}` {have.get(term, 'not there')}" for term in apart])
            allowed = say_list([f"`{term}` {want.get(term, 'not there')}" for term in apart])
            faults.append(Fault(f"{where}, clause '{own.name}'", given, f"as in {form}: {allowed}", do))
    if faults:
        raise Refusal(faults)


def _shape(clause: Clause, contract: Contract) -> dict[str, str]:
    """What a clause's terms are in the first year: a number, one for each of several, a choice, or so many names."""
    now = clause.at(Year(year=contract.first_year, lives=1), contract.first_year)

    def shape(term: str) -> str:
        value = getattr(now, term)
        if isinstance(value, Mapping):
            return "a number for each of several"
        if isinstance(value, list):
            return f"names ({len(value)})"
        return "a name" if isinstance(value, str) else "a number"

    terms = [t for t in (*clause.terms(), "only_if", "unless", "only_if_never_paid") if t not in ("kind",)]
    return {term: shape(term) for term in terms if getattr(now, term) not in (None, [], {})}


def resized(
    contract: Contract,
    people: float,
    set_for: float,
    cost: float = 1.0,
    set_for_cost: float = 1.0,
    *,
    as_written: bool = False,
    say: Callable[[str], None] = print,
) -> Contract:
    """A contract whose dollars were set for some number of people, made to fit another; and a sentence that says so.

    What is paid for each member or month fits by itself. A sum for everyone, such as an advance or a cap, is made
    larger or smaller with the people, and the price of all care with what a member costs, if that is given; with
    `as_written` they stay, and the sentence says that they do.

    >>> smaller = resized(opened("shared-savings"), 500, set_for=1_000)
    The contract's sums were set for 1,000 people, and here are 500. In proportion: advance, amount ($400,000 in year 1 and $0 from year 2: now $200,000 in year 1 and $0 from year 2).
    """  # noqa: E501
    changes: dict[str, dict[str, Any]] = {}
    data = {clause["name"]: clause for clause in contract.model_dump(exclude_unset=True)["clauses"]}
    for clause in contract.clauses:
        times = dict.fromkeys(clause.set_for_size(), people / set_for)
        if clause.at(Year(year=contract.first_year, lives=1), contract.first_year).price_of_all_care() is not None:
            times |= {"per_member_per_month": cost / set_for_cost}
        terms = {t: _times(data[clause.name][t], by) for t, by in times.items() if by != 1 and data[clause.name].get(t)}
        if terms:
            changes[clause.name] = terms
    if not changes:
        return contract
    fitting = contract.amend(changes)
    said = []
    for before, after in zip(contract.clauses, fitting.clauses, strict=True):
        for term in changes.get(before.name, ()):
            now = "" if as_written else f": now {after.say_term(term)}"
            said.append(f"{before.name}, {term.replace('_', ' ')} ({before.say_term(term)}{now})")
    sizes = [f"{set_for:,.0f} people, and here are {people:,.0f}"] if people != set_for else []
    sizes += [f"${set_for_cost:,.0f} a member and year, and here it is ${cost:,.0f}"] if cost != set_for_cost else []
    how = "Kept as they are written" if as_written else "In proportion"
    say(f"The contract's sums were set for {say_list(sizes)}. {how}: {'; '.join(said)}.")
    return contract if as_written else fitting


def _times(value: Any, by: float) -> Any:
    """A number so many times as large, to the cent; or each of several."""
    if isinstance(value, Mapping):
        return {key: _times(each, by) for key, each in value.items()}
    return round(value * by, 2)


def clauses_in(contract: Contract, year: int, lives: float = 1) -> list[Clause]:
    """The clauses with the terms of one of the contract's years, where terms go by year or by lives.

    >>> [clause.share for clause in clauses_in(opened("shared-savings"), 2028)[2:4]]
    [0.6, 0.3]
    """
    return [clause.at(Year(year=year, lives=lives), contract.first_year) for clause in contract.clauses]


def swept(contract: Contract, clause: str, term: str, values: Iterable[Any]) -> list[Contract]:
    """The contract with one term of one clause at each of some values.

    >>> [c.clauses[2].minimum for c in swept(opened("shared-savings"), "shared savings", "minimum", [0, 0.02])]
    [0, 0.02]
    """
    return [contract.amend({clause: {term: value}}) for value in values]


# --- numbers in words -------------------------------------------------------------------------------------------------


def percent(x: float, digits: int = 0) -> str:
    """A share in percent.

    >>> percent(0.125, 1), percent(-0.02)
    ('12.5%', '−2%')
    """
    return _minus(f"{x:z.{digits}%}")


def dollars(x: float, digits: int = 0) -> str:
    """An amount, whole or with cents.

    >>> dollars(-1234.5), dollars(0.005, 2), dollars(-0.2)
    ('−$1,234', '$0.01', '$0')
    """
    said = f"{x:z,.{digits}f}"
    return f"−${said[1:]}" if said.startswith("-") else f"${said}"


def millions(x: float, digits: int = 1) -> str:
    """An amount in millions.

    >>> millions(1_250_000), millions(-2_750_000, 2)
    ('$1.2 million', '−$2.75 million')
    """
    return f"{dollars(x / 1e6, digits)} million"


def whole(x: float) -> str:
    """A count.

    >>> whole(1234.4)
    '1,234'
    """
    return _minus(f"{x:z,.0f}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


# --- tables -----------------------------------------------------------------------------------------------------------


class Table:
    """A table whose numbers are formatted by column: `table(frame, {"amount": "{:,.2f}"})`."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


class Words:
    """Markdown that a notebook shows as text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_markdown_(self) -> str:
        return self.text


def terms(contract: Contract) -> Words:
    """The contract in words: paragraph n is line n of the statement."""
    return Words("\n".join(paragraphs(contract)))


def statement(contract: Contract, ledger: Ledger) -> Table:
    """A settled contract, line by line, with how each amount came about.

    >>> contract = opened("compared/fee")
    >>> "member months 6,000" in statement(contract, contract.settle([Year(year=1, member_months={"all": 6_000})])).html
    True
    """
    names = ("year", "clause", "payer", "payee", "amount")
    rows = [(*(getattr(r, n) for n in names), "; ".join(r.workings)) for r in paper.rows(contract, ledger)]
    return _table((*names, "how it came about"), rows, {"amount": "{:,.2f}"})


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
    labels = frame.index.tolist()
    named = frame.index.name is not None or labels != list(range(len(labels)))
    if named and frame.index.name is None and all(isinstance(label, int) for label in labels):
        do = "name what the numbers are with `rename_axis`, or drop them with `reset_index(drop=True)`"
        raise Refusal([Fault("table, index", listed(labels, 5), "rows numbered from 0, or an index with a name", do)])
    corner = str(frame.index.name) if frame.index.name else ""
    rows = frame.itertuples(index=False, name=None)
    return _table(list(frame.columns), rows, formats or {}, labels if named else None, corner)


def _table(
    columns: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    formats: Mapping[str, str | Callable[[Any], str]],
    labels: Sequence[Any] | None = None,
    corner: str = "",
) -> Table:
    say = {name: form.format if isinstance(form, str) else form for name, form in formats.items()}

    def cell(column: str, value: Any) -> str:
        if value is None or value != value:
            return "–"
        text = say.get(column, str)(value)
        return escape(re.sub(r"^(\$?)-(\$?)", r"−\1\2", text) if column in say else text)

    head = (f"<th>{escape(corner)}</th>" if corner else "<td></td>") if labels is not None else ""
    head += "".join(f"<th>{escape(str(name))}</th>" for name in columns)
    body = []
    for n, row in enumerate(rows):
        name = f'<th scope="row">{escape(str(labels[n]))}</th>' if labels is not None else ""
        cells = (f"<td>{cell(column, value)}</td>" for column, value in zip(columns, row, strict=True))
        body.append(f"<tr>{name}{''.join(cells)}</tr>")
    lines = ['<table class="dataframe">', f"<thead><tr>{head}</tr></thead>", "<tbody>", *body, "</tbody>", "</table>"]
    return Table("\n".join(lines))


# --- sliders ----------------------------------------------------------------------------------------------------------


def slider(label: str, value: float, low: float, high: float, step: float, form: str = "") -> Any:
    """A slider of a panel; it reaches as far as the value does, so that a reader's own number is always on it.

    `form` is how the number is shown: `.0%` a share, `$,.0f` dollars; else with cents where the step has some.
    """
    from ipywidgets import FloatSlider

    return FloatSlider(
        description=label,
        value=value,
        min=min(low, value),
        max=max(high, value),
        step=step,
        readout_format=form or (",.0f" if step >= 1 else ",.2f"),
        continuous_update=False,
        style={"description_width": "14em"},
        layout={"width": "36em"},
    )


def panel(show: Callable[..., Any], **sliders: Any) -> Any:
    """Sliders, and what `show` makes of where they stand: it takes each by its name, and returns it, or prints.

    What cannot be settled says so in its words.
    """
    from IPython.display import display
    from ipywidgets import VBox, interactive_output

    def shown(**values: Any) -> None:
        try:
            found = show(**values)
        except Refusal as refusal:
            print(refusal)
        else:
            if found is not None:
                display(found)  # type: ignore[no-untyped-call]

    return VBox([*sliders.values(), interactive_output(shown, sliders)])


# --- what is pasted ---------------------------------------------------------------------------------------------------


def paste(form: Callable[[Any], str] | str | None = None, /, **values: Any) -> None:
    """Keeps values by name, for the pages that paste them: each in words by `form`, or a picture or table as it is.

    It shows nothing, and does nothing where nothing pastes: outside of a notebook.

    >>> paste(percent, share=0.5)
    """
    try:
        from IPython import get_ipython
    except ModuleNotFoundError:
        return
    shell: Any = get_ipython()
    if shell is None:
        return
    say = form.format if isinstance(form, str) else form or (lambda value: value)
    kept = "application/papermill.record/"
    for name, value in values.items():
        data, metadata = shell.display_formatter.format(say(value))
        metadata["scrapbook"] = {"name": name, "mime_prefix": kept}
        shell.display_pub.publish({f"{kept}{kind}": shown for kind, shown in data.items()}, metadata)
