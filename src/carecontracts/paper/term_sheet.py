"""A contract as a term sheet: paragraph n is line n of the statement."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from ..clause import Clause
from ..contract import Contract
from ..per_person import FIRST, OF_ONE
from ..provisions.section import Provisions
from ..refusal import many
from ..units import say_list, say_percent
from ..year import FACTS

MONTHS = ("January", "February", "March", "April", "May", "June", "July",
          "August", "September", "October", "November", "December")  # fmt: skip
STILL_OPEN = "What is still open"
MEASURED = (
    "Before anything settles, these rules turn claims into the facts of the year. Anyone who applies them to the same"
    " claims gets the same facts."
)


Refer = Callable[[int], str]  # how the number of a paragraph is written where another one names it


class Section(NamedTuple):
    """A part of the sheet, plain text: a lead, then numbered paragraphs, a list, or a table with its header."""

    heading: str
    lead: str = ""
    clauses: Sequence[tuple[str, str, str]] = ()  # title, words, note
    items: Sequence[str] = ()
    points: Sequence[tuple[str, str, str]] = ()  # title, words, note
    table: Sequence[tuple[str, ...]] = ()  # the first row is the header
    after: str = ""
    ours: bool = False  # what we keep to ourselves: on what a number rests, and what is left out


def term_sheet(contract: Contract) -> str:
    """The contract in Markdown: who, how long, what is paid, each number's basis, the facts read, what is left out.

    Text from the contract is escaped, so that it cannot change the page that shows it.
    """
    lines = [f"# {escape(contract.title)}\n", f"{escape(contract.summary)}\n"]
    for section in sections(contract):
        lines.append(f"## {escape(section.heading)}\n")
        lines += [f"{escape(section.lead)}\n"] if section.lead else []
        if section.clauses:
            lines += [*paragraphs(contract), ""]
        if section.items:
            lines += [*(f"- {escape(item)}" for item in section.items), ""]
        if section.points:
            lines += [*(f"- {_marked(*point)}" for point in section.points), ""]
        if section.table:
            lines += _table(section.table)
        lines += [f"{escape(section.after)}\n"] if section.after else []
    return "\n".join(lines).rstrip("\n") + "\n"


def sections(contract: Contract, refer: Refer = str, *, bracketed: bool = False) -> list[Section]:
    """The sheet's parts in order, for whatever prints it; a draft words what is open, with choices in brackets."""
    parties = [name + (f" (“{key}”)" if key != name else "") for key, name in contract.parties.items()]
    measured = list(contract.measurement.parts()) if contract.measurement else []
    worded = [*contract.clauses, *(part for _, part in measured)]
    left_out = [*contract.not_modelled, *(item for clause in worded for item in clause.not_modelled)]
    order = "The clauses settle in this order, once a year. Line n of the statement is paragraph n."
    categories = [(refer(n), *(code or "none" for code in c.categories())) for n, c in enumerate(contract.clauses, 1)]
    return [
        Section("Parties and term", items=[*parties, term_of(contract)]),
        *([Section("What both sides want", table=_goals(contract, refer))] if contract.goals else []),
        Section("What is paid", order, clauses=_clauses(contract, refer)),
        *(
            Section(
                f"The scale “{name}”",
                table=[("Lives", "Share"), *((lives, say_percent(share)) for lives, share in scale.spans())],
                after="In a straight line between the points.",
            )
            for name, scale in contract.scales.items()
        ),
        *(
            [Section("How the year is measured", MEASURED, points=[(t, p.say(), p.note or "") for t, p in measured])]
            if measured
            else []
        ),
        *_provisions(contract, bracketed),
        Section(
            "What each number rests on",
            table=[("Paragraph", "Term and value", "Basis"), *_bases(contract, refer)],
            ours=True,
        ),
        Section(
            "What is measured each year",
            table=[("Fact", "What it is", "Read by paragraph"), *_facts(contract, refer)],
        ),
        Section("Payment categories", table=[("Paragraph", "HCP-LAN", "HL7 VBPR"), *categories]),
        Section("What is not modelled", items=list(dict.fromkeys(left_out)), ours=True),
    ]


def _provisions(contract: Contract, bracketed: bool) -> Iterator[Section]:
    """What governs beside the money; and, where some of it is written, or in a draft, what is still open."""
    provisions = contract.provisions or Provisions()
    parts = [(part, (title, part.say(), part.note or "")) for title, part in provisions.parts()]
    if said := [point for part, point in parts if not (bracketed and part.between_us)]:
        yield Section("What else is agreed", points=said)
    left = provisions.open()
    if bracketed:
        choose = "Choose among what stands in brackets, fill in what is blank, and strike what is not wanted."
        if shown := [part for part in left if not part.between_us]:
            yield Section(STILL_OPEN, choose, points=[(part.title, part.bracketed(), "") for part in shown])
        if asked := [point for part, point in parts if part.between_us]:
            yield Section("What we ask our own people", points=asked, ours=True)
    elif left and said:
        yield Section(STILL_OPEN, "Nothing is said yet of:", items=[part.title for part in left])


def _goals(contract: Contract, refer: Refer) -> list[tuple[str, ...]]:
    """Each goal with its measure, clock and decision; and the paragraphs that pay for it, if any does."""
    rows: list[tuple[str, ...]] = [("Goal", "Measure", "Read after", "Reported by", "What it decides", "Paid in")]
    facts = [{fact.partition(".")[2] or fact for fact in clause.facts} for clause in contract.clauses]
    for goal in contract.goals:
        paid = (
            ", ".join(f"paragraph {refer(n)}" for n, read in enumerate(facts, 1) if goal.measure in read)
            or "no paragraph"
        )
        months = f"{goal.read_after_months} month{'s' * (goal.read_after_months > 1)} ({goal.clock})"
        name = goal.measure.replace("_", " ") if goal.measure in FACTS else goal.measure
        measure = f"{name}; {goal.better} is better"
        rows.append((goal.goal, measure, months, goal.reported_by, goal.decides, paid))
    return rows


def _clauses(contract: Contract, refer: Refer = str) -> list[tuple[str, str, str]]:
    return [(c.name[0].upper() + c.name[1:], paragraph(contract, c, refer), c.note or "") for c in contract.clauses]


def paragraphs(contract: Contract) -> list[str]:
    """The numbered paragraphs alone, in Markdown."""
    return [f"{number}. {_marked(*clause)}" for number, clause in enumerate(_clauses(contract), 1)]


def _marked(title: str, words: str, note: str) -> str:
    return f"**{escape(title)}.** {escape(words)}" + (f" *{escape(note)}*" if note else "")


def paragraph(contract: Contract, clause: Clause, refer: Refer = str, about: Collection[str] = ()) -> str:
    """A clause in words, plain text, with the parties' names and the numbers of the paragraphs that it names.

    `about` some terms, only the sentences that say them.
    """
    number = {other.name: n for n, other in enumerate(contract.clauses, 1)}
    named = {
        term: say_list([f"“{name}” (paragraph {refer(number[name])})" for name in getattr(clause, term)])
        for term in clause.looking_back
    }
    return clause.say({role: contract.parties[getattr(clause, role)] for role in clause.roles} | named, about)


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


def term_of(contract: Contract) -> str:
    """When it begins and ends, and on which day its years do."""
    starts = f"each contract year begins on 1 {MONTHS[contract.year_starts - 1]}"
    counted = contract.first_year < 100
    if contract.first_year_months != 12:
        second = contract.months_of(contract.second_year)[0]
        years = f"year {contract.second_year}" if counted else str(contract.second_year)
        starts = (
            f"the first contract year has {many(contract.first_year_months, 'month')},"
            f" from 1 {MONTHS[contract.year_starts - 1]}; the next one is {years},"
            f" and it and each later one begin on 1 {MONTHS[second % 12]}"
        )
    first = f"year {contract.first_year}" if counted else str(contract.first_year)
    if not contract.years:
        return f"From {first} until it is ended; {starts}."
    last = contract.numbers(contract.years)[-1]
    span = f"Years {contract.first_year} to {last}" if counted else f"{contract.first_year} to {last}"
    return f"{span if contract.years > 1 else first.capitalize()}; {starts}."


def _bases(contract: Contract, refer: Refer) -> Iterator[tuple[str, ...]]:
    worded = [(refer(n), clause) for n, clause in enumerate(contract.clauses, 1)]
    beside = [*(contract.measurement.parts() if contract.measurement else ())]
    beside += [*(contract.provisions.parts() if contract.provisions else ())]
    for title, part in [*worded, *beside]:
        for term, said in part.numbers():
            yield title, f"{term.replace('_', ' ')}: {said}", part.basis_of(term) or "not stated"


def _facts(contract: Contract, refer: Refer) -> Iterator[tuple[str, ...]]:
    numbers = {clause.name: n for n, clause in enumerate(contract.clauses, 1)}
    for fact, readers in contract.facts().items():
        group, _, name = fact.partition(".")
        of_one = fact.endswith(FIRST) and fact.removesuffix(FIRST) in contract.facts()
        what = OF_ONE if of_one else FACTS[group][1]
        yield name or group.replace("_", " "), what, ", ".join(refer(numbers[reader]) for reader in readers)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    header, *body = rows
    if not body:
        return ["None.\n"]
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return [*lines, *("| " + " | ".join(escape(cell) for cell in row) + " |" for row in body), ""]
