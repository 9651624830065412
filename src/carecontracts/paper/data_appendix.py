"""The dictionary that both parties sign: feeds, columns and measures on one page, with a fingerprint of the page.

It is printed from what the package computes with (the tables' schemas, the measures' specifications), so what is signed
and what is run are the same. Two copies with the same fingerprint say the same; a changed word changes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..claims.layout import KEYS, REQUIRED, SCHEMAS
from ..people.rates import Spec, specification
from ..refusal import Fault, Refusal, many, show
from ..small_cells import SMALLEST
from .fingerprint import fingerprint
from .term_sheet import Section

EVERY = {"day": 1, "week": 7, "month": 31, "quarter": 92}  # days from one file to the next, at most


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A guaranteed file: who sends which table, how often, how old at most its newest rows are, and what if not."""

    table: str
    sender: str
    receiver: str
    every: Literal["day", "week", "month", "quarter"]
    lag_days: int  # from an event to its row being ready to send
    remedy: str

    @property
    def known_after(self) -> int:
        """The most days from an event to the receiver's knowing of it: its lag, and the wait for the next file.

        >>> Feed(table="roster", sender="plan", receiver="clinic", every="week", lag_days=3, remedy="none").known_after
        10
        """
        return self.lag_days + EVERY[self.every]


class Late(NamedTuple):
    """A leading measure that nobody can steer by."""

    measure: str
    window: int  # days in which somebody can still act
    known_after: int  # days until its feeds tell


def too_late(measures: Iterable[str], feeds: Sequence[Feed]) -> list[Late]:
    """The leading measures whose window is shut before the slowest of their feeds tells that it is open.

    >>> feeds = [Feed(table=t, sender="plan", receiver="clinic", every="month", lag_days=45, remedy="none")
    ...          for t in ("eligibility", "medical_claim")]
    >>> too_late(["follow_up_7", "readmissions"], feeds)
    [Late(measure='follow_up_7', window=7, known_after=76)]
    """
    found = []
    for spec in map(specification, measures):
        known = max((feed.known_after for feed in feeds if feed.table in spec.needs), default=0)
        if spec.clock == "leading" and 0 < spec.how.window <= known:
            found.append(Late(spec.name, spec.how.window, known))
    return found


def appendix(title: str, feeds: Sequence[Feed], measures: Sequence[str], parties: Sequence[str]) -> str:
    """The dictionary as Markdown, to be attached to a contract; refuses a measure whose tables no feed carries."""
    specs = [specification(name) for name in measures]
    faults = [
        Fault("feeds", f"a feed of {show(feed.table)}", ", ".join(SCHEMAS), "name one of the five tables")
        for feed in feeds
        if feed.table not in SCHEMAS
    ]
    carried = {feed.table for feed in feeds}
    faults += [
        Fault(f"measure {spec.name!r}", f"no feed of {table}", "a feed of each table it needs", "add the feed")
        for spec in specs
        for table in spec.needs
        if table not in carried
    ]
    if faults:
        raise Refusal(faults)
    parts = [f"# {title}", "", *_feeds(feeds), *_tables(feeds), *_measures(specs), *_rules()]
    text = "\n".join(parts)
    lines = [f"- {party}: ____________________  date: __________" for party in parties]
    return "\n".join([text, "", "## Signatures", "", f"Fingerprint: {fingerprint(text)}", "", *lines, ""])


def tables_of_a_year() -> Section:
    """The tables that a year is measured from, for the annex of a contract: their keys, and what every row fills."""
    rows = [
        (table, ", ".join(KEYS[table]), ", ".join(f"{name} ({SCHEMAS[table][name]})" for name in REQUIRED[table]))
        for table in SCHEMAS
    ]
    return Section(
        "Annex: the data from which the year is measured",
        "Names and types are those of the Tuva Project's input layer; outcome and roster are ours.",
        table=[("Table", "No two rows share", "Every row fills"), *rows],
    )


def measures_of_a_year(specs: Iterable[Spec]) -> Section:
    """The specification of each measure that a contract reads, for its annex."""
    points = []
    for spec in specs:
        words = [
            spec.words,
            f"Counted: {spec.numerator}.",
            f"Out of: {spec.denominator}.",
            f"Left out: {spec.excluded}.",
        ]
        words += [f"It looks back: {spec.lookback}.", f"It rests on: {', '.join(spec.needs)}."]
        words += [f"Not reported where it counts fewer than {spec.minimum}.", f"Whose: {spec.steward}."]
        points.append((spec.title, " ".join(word.replace("..", ".") for word in words), ""))
    return Section("Annex: the measures", points=points)


def _feeds(feeds: Sequence[Feed]) -> list[str]:
    lines = [
        "## Feeds",
        "",
        "| Table | From | To | Every | Oldest new row | Known after, at most | If late or wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    for feed in feeds:
        cells = (feed.sender, feed.receiver, feed.every, many(feed.lag_days, "day"), many(feed.known_after, "day"))
        lines.append(f"| {feed.table} | {' | '.join(cells)} | {feed.remedy} |")
    return lines


def _tables(feeds: Sequence[Feed]) -> list[str]:
    lines = [
        "",
        "## Tables",
        "",
        "Names and types are those of the Tuva Project's input layer; outcome and roster are ours.",
    ]
    for table in SCHEMAS:
        if table in {feed.table for feed in feeds}:
            others = [f"{name} ({kind})" for name, kind in SCHEMAS[table].items() if name not in REQUIRED[table]]
            needed = [f"{name} ({SCHEMAS[table][name]})" for name in REQUIRED[table]]
            lines += ["", f"**{table}.** No two rows share {', '.join(KEYS[table])}."]
            lines += [f"Every row fills: {', '.join(needed)}.", f"May be empty: {', '.join(others)}."]
    return lines


def _measures(specs: Sequence[Spec]) -> list[str]:
    lines = ["", "## Measures"]
    for spec in specs:
        way = {"higher": "Higher is better", "lower": "Lower is better", "neither": "Neither way is better"}[
            spec.better
        ]
        settings = ", ".join(f"{term} {spec.how.say_term(term)}" for term in spec.how.set_terms())
        lines += [
            "",
            f"### {spec.title}",
            "",
            spec.words,
            "",
            f"- Counted: {spec.numerator}",
            f"- Out of: {spec.denominator}",
            f"- Left out: {spec.excluded}",
            f"- Looks back: {spec.lookback}",
            f"- Unit: {spec.unit}. {way}. {spec.clock.capitalize()}.",
            f"- Rests on: {', '.join(spec.needs)}; from the {spec.reporter};"
            f" can be trusted {many(spec.lag_months, 'month')} after the year.",
            f"- Not reported where it counts fewer than {spec.minimum}.",
            f"- Whose: {spec.steward}.",
            f"- Computed as `{spec.name}`, kind {spec.how.kind}{': ' + settings if settings else ''}.",
        ]
    return lines


def _rules() -> list[str]:
    return [
        "",
        "## Rules",
        "",
        f"- No table that leaves either party shows a count of 1 to {SMALLEST - 1}, or lets one be worked out.",
        "- A rate is a sum over a sum; both are handed over with it.",
        "- Either party can run the calculation again from the same files; they are kept until the year is final.",
        "- A changed definition changes the fingerprint, and holds from the next year unless both sign otherwise.",
    ]
