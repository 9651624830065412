"""A contract as a term sheet: paragraph n is line n of the statement."""

import re
from collections.abc import Iterator
from typing import Any

from ..clause import Clause, fields_in
from ..contract import Contract
from ..units import Schedule, SlidingScale, say_percent
from ..year import FACTS

MONTHS = ("January", "February", "March", "April", "May", "June", "July",
          "August", "September", "October", "November", "December")  # fmt: skip


def term_sheet(contract: Contract) -> str:
    """The contract in Markdown: who, how long, what is paid, each number's basis, the facts read, what is left out.

    Text from the contract is escaped, so that it cannot change the page that shows it.
    """
    return "\n".join(_lines(contract)) + "\n"


def paragraphs(contract: Contract) -> list[str]:
    """The numbered paragraphs alone, in Markdown."""
    numbered = []
    for number, clause in enumerate(contract.clauses, 1):
        title = clause.name[0].upper() + clause.name[1:]
        note = f" *{escape(clause.note)}*" if clause.note else ""
        numbered.append(f"{number}. **{escape(title)}.** {escape(paragraph(contract, clause))}{note}")
    return numbered


def paragraph(contract: Contract, clause: Clause) -> str:
    """A clause in words, plain text: every term that is set is said."""
    said = {term: _say(contract, clause, term) for s in clause.sentences() for term in fields_in(s)}
    sentences = [sentence.format(**said) for sentence in clause.sentences()]
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def escape(text: str) -> str:
    r"""Text that Markdown, HTML and mathematics leave as it is.

    >>> escape("a <b> costs $5 | *now*")
    'a &lt;b&gt; costs \\$5 \\| \\*now\\*'
    >>> escape("% of it"), escape("1. first")
    ('\\% of it', '1\\. first')
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]#|~$^])", r"\\\1", text)
    # what means something only where a line begins: a list, a comment, a fence, a target
    return re.sub(r"^(\d+(?=[.)]\s)|(?=[-+=%:]|\([^)]*\)=))", r"\1\\", text)


def _lines(contract: Contract) -> Iterator[str]:
    yield f"# {escape(contract.title)}\n"
    yield f"{escape(contract.summary)}\n"
    yield "## Parties and term\n"
    for key, name in contract.parties.items():
        yield f"- {escape(name)}" + (f" (“{escape(key)}”)" if key != name else "")
    yield f"- {_term(contract)}\n"
    yield "## What is paid\n"
    yield "The clauses settle in this order, once a year. Line n of the statement is paragraph n.\n"
    yield from paragraphs(contract)
    yield ""
    yield from _scales(contract)
    yield "## What each number rests on\n"
    yield from _table(("Paragraph", "Term and value", "Basis"), _bases(contract))
    yield "## What is measured each year\n"
    yield from _table(("Fact", "What it is", "Read by paragraph"), _facts(contract))
    yield "## Payment categories\n"
    rows = [(str(n), *(code or "none" for code in c.categories())) for n, c in enumerate(contract.clauses, 1)]
    yield from _table(("Paragraph", "HCP-LAN", "HL7 VBPR"), rows)
    yield "## What is not modelled\n"
    left_out = [*contract.not_modelled, *(item for clause in contract.clauses for item in clause.not_modelled())]
    yield from (f"- {escape(item)}" for item in dict.fromkeys(left_out))


def _term(contract: Contract) -> str:
    starts = f"each contract year begins on 1 {MONTHS[contract.year_starts - 1]}"
    counted = contract.first_year < 100
    first = f"year {contract.first_year}" if counted else str(contract.first_year)
    if not contract.years:
        return f"From {first} until it is ended; {starts}."
    last = contract.first_year + contract.years - 1
    span = f"Years {contract.first_year} to {last}" if counted else f"{contract.first_year} to {last}"
    return f"{span if contract.years > 1 else first.capitalize()}; {starts}."


def _say(contract: Contract, clause: Clause, term: str) -> str:
    """One term in words."""
    value = getattr(clause, term)
    if term in ("payer", "payee"):
        return contract.parties[value]
    unit = clause.terms().get(term)
    if unit:
        return unit.say(value)
    if term in clause.looks_back:
        numbers = {other.name: n for n, other in enumerate(contract.clauses, 1)}
        named = [f"“{name}” (paragraph {numbers[name]})" for name in value]
        return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
    return _say_name(value, quoted=not clause.said_plainly(term))


def _say_name(value: Any, quoted: bool) -> str:
    if isinstance(value, Schedule):
        return value.say(lambda name: _say_name(name, quoted) if name is not None else "never")
    if isinstance(value, list):
        return "; ".join(value)
    return f"“{value}”" if quoted else str(value)


def _scales(contract: Contract) -> Iterator[str]:
    for name, scale in contract.scales.items():
        yield f"## The scale “{escape(name)}”\n"
        yield from _table(("Lives", "Share"), [(lives, say_percent(share)) for lives, share in scale.spans()])
        yield "In a straight line between the points.\n"


def _bases(contract: Contract) -> Iterator[tuple[str, ...]]:
    for number, clause in enumerate(contract.clauses, 1):
        for term, unit in clause.terms().items():
            value = getattr(clause, term)
            if unit and value is not None:
                basis = clause.basis_of(term) or "not stated"
                plain = (
                    f"the scale “{value.name}”" if isinstance(value, SlidingScale) and value.name else unit.say(value)
                )
                yield str(number), f"{term.replace('_', ' ')}: {plain}", basis


def _facts(contract: Contract) -> Iterator[tuple[str, ...]]:
    numbers = {clause.name: n for n, clause in enumerate(contract.clauses, 1)}
    for fact, readers in contract.facts().items():
        group, _, name = fact.partition(".")
        what = FACTS[group][1]
        yield name or group.replace("_", " "), what, ", ".join(str(numbers[reader]) for reader in readers)


def _table(header: tuple[str, ...], rows: Any) -> Iterator[str]:
    body = list(rows)
    if not body:
        yield "None.\n"
        return
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * len(header)
    for row in body:
        yield "| " + " | ".join(escape(cell) for cell in row) + " |"
    yield ""
