"""The clause bank: of each term that matters, where each side opens, what both can live with, and what each refuses."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ..contract import Contract
from ..files import read_yaml
from ..gallery import gallery
from ..paper.term_sheet import escape, paragraph, term_of

Seat = Literal["payer", "provider"]
PARAGRAPH = "Paragraph"
COMPLETE = "medicaid-with-beds"  # the contract whose sentences are printed, where an entry names no other


class Position(BaseModel):
    """One side's: where it opens, what it refuses, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    opens: str
    refuses: str
    since: str


class Entry(BaseModel):
    """One term: what it is about, where it stands in a contract, each side's position, and what both can live with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str
    section: str
    of: Annotated[list[str], Field(min_length=1)]  # a clause's kind, a section, or a part of measurement, and its term
    chapter: str
    says: str = COMPLETE
    payer: Position
    provider: Position
    fallback: str

    def seat(self, seat: Seat) -> Position:
        return self.payer if seat == "payer" else self.provider

    def sentence(self) -> str:
        """The sentence, as a contract of the gallery has it."""
        return in_full(said(self, _contract(self.says)))


class Said(NamedTuple):
    """What a contract says of a term: where, and in which words."""

    where: str
    words: str


@cache
def bank() -> dict[str, Entry]:
    """Every entry, by the name of its term.

    >>> entry = bank()["challenge"]
    >>> print(entry.sentence())
    The other party may challenge it within 60 days. A challenge is met by running the contract file together on the \
same facts.
    >>> entry.provider.refuses
    'an answer with no rerun'
    """
    data, _ = read_yaml(files("carecontracts.review").joinpath("bank.yaml"))
    return {name: Entry.model_validate(entry) for name, entry in data.items()}


def said(entry: Entry, contract: Contract) -> list[Said]:
    """What a contract says of an entry's terms, each sentence once; nothing, where it sets none of them."""
    terms: dict[str, list[str]] = {}
    for part, _, term in (of.partition(".") for of in entry.of):
        terms.setdefault(part, []).append(term)
    return [each for part, names in terms.items() for each in _of(contract, part, names) if each.words]


def in_full(found: list[Said]) -> str:
    """What is said, each wording once; where paragraphs say it differently, each with its place."""
    once = list({each.words: each for each in reversed(found)}.values())[::-1]
    several = sum(each.where.startswith(PARAGRAPH) for each in once) > 1
    return " ".join(
        f"{each.where}: {each.words}" if several and each.where.startswith(PARAGRAPH) else each.words for each in once
    )


def _of(contract: Contract, part: str, terms: list[str]) -> Iterator[Said]:
    """Of one part of a contract: the sentences about some terms, or all of it, where they say which kind it is."""
    about = [] if "kind" in terms else terms
    if part == "contract":
        yield Said("Parties and term", term_of(contract))
    for n, clause in enumerate(contract.clauses, 1):
        if part == getattr(clause, "kind", ""):
            yield Said(f"{PARAGRAPH} {n}, “{clause.name}”", paragraph(contract, clause, about=about))
    for section in (contract.provisions, contract.measurement):
        if inside := getattr(section, part, None):
            yield Said(inside.title, inside.say(about=about))


@cache
def _contract(name: str) -> Contract:
    return Contract.load(gallery(name))


def as_markdown() -> str:
    """The whole bank on one page, by section."""
    lines: list[str] = []
    section = ""
    for entry in bank().values():
        if entry.section != section:
            section = entry.section
            lines += [f"## {section}", ""]
        lines += [f"### {entry.about[0].upper()}{entry.about[1:]}", ""]
        lines += ["| Seat | Opens with | Refuses | Because |", "|---|---|---|---|"]
        for seat, side in (("Payer", entry.payer), ("Provider", entry.provider)):
            lines.append(f"| **{seat}** | {escape(side.opens)} | {escape(side.refuses)} | {escape(side.since)} |")
        lines += ["", f"**Both can live with:** {escape(entry.fallback)}.", ""]
        lines += [f"> {escape(entry.sentence())}", "", f"More in {{doc}}`{entry.chapter}`.", ""]
    return "\n".join(lines).rstrip("\n") + "\n"
