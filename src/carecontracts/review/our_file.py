"""Our file: what a side knows of a draft and keeps to itself, as sections to stand behind the agreement's own."""

from collections.abc import Iterator, Sequence

from ..chance.assumed import Business, Taken, take
from ..chance.simulate import Simulation, in_words
from ..contract import Contract
from ..paper.term_sheet import Section
from ..parties.net import Netted
from ..refusal import in_dollars
from ..units import say_percent
from .bank import bank, said
from .draft import Draft
from .rules import findings

ODDS = ("If the program saves", "Party", "Nets", "Ends behind", "1 in 20 lower than", "Lowest cash")
GIVE = (
    "Of each term that this draft sets: how far both can go, what each side should refuse and why, and where it stands."
)
ASSUMED = ("What", "Value", "It rests on", "To change it")


def our_file(draft: Draft, taken: Taken, netted: Sequence[Netted] = ()) -> list[Section]:
    """The odds, what each party nets, the traps, whom each choice favors, where to give, and on what it all rests."""
    found = findings(draft)
    traps = [(each.severity, each.where, f"{each.found} {each.numbers}", each.do) for each in found]
    return [
        Section(
            "What chance makes of it",
            in_words(draft.nothing, draft.works, draft.effect),
            table=[ODDS, *_odds(draft)],
        ),
        Section(
            "What each paragraph pays",
            "On average in a year, in dollars.",
            table=[("Paragraph", "Clause", "If the program does nothing", "If it works"), *_clauses(draft)],
        ),
        *([Section("What each party nets, all in", _left_out(netted), table=[*_nets(netted)])] if netted else []),
        Section("Traps found in this draft", table=[("", "Where", "What was found", "What to do"), *traps]),
        Section("Whom each choice favors", table=[("Section", "Choice", "It favors"), *_favored(draft)]),
        Section("Where to give, and where not", GIVE, points=[*_give(draft)]),
        Section("What this assumes", table=[ASSUMED, *map(tuple, taken.rows())]),
    ]


LINES: dict[str, Business] = {
    "Medicaid": "medicaid",
    "Medicare Advantage": "medicare",
    "Medicare": "medicare",
    "dual eligible": "dual",
    "commercial": "commercial",
    "self-insured": "commercial",
}


def as_it_says(contract: Contract, effect: float = 0.05) -> list[Section]:
    """Our file of a contract for the people and the line of business that it names, in years that are made up."""
    purpose = contract.provisions.purpose if contract.provisions else None
    line = LINES[purpose.line_of_business] if purpose else "medicaid"
    taken = take(contract, None, line=line, lives=round(purpose.people) if purpose else None)
    return our_file(Draft(contract, taken.years, taken.luck, taken.cost, effect, line), taken)


def _odds(draft: Draft) -> Iterator[tuple[str, ...]]:
    drawn: list[tuple[str, Simulation]] = [("nothing", draft.nothing)]
    drawn += [(say_percent(draft.effect), draft.works)] if draft.effect else []
    for case, simulation in drawn:
        for row in simulation.table((0.05,)).to_dict("records"):
            amounts = [in_dollars(row[name], ",.0f") for name in ("mean", "5%", "lowest cash")]
            yield case, row["party"], amounts[0], f"{row['chance of loss']:.0%}", *amounts[1:]


def _clauses(draft: Draft) -> Iterator[tuple[str, ...]]:
    for n, clause in enumerate(draft.contract.clauses, 1):
        means = [in_dollars(float(drawn.of(clause.name).mean()), ",.0f") for drawn in (draft.nothing, draft.works)]
        yield str(n), clause.name, *means


def _nets(netted: Sequence[Netted]) -> Iterator[tuple[str, ...]]:
    yield "If it takes off", "Party", "Nets over the term", "Ends behind", "Lowest cash", "In"
    for one in netted:
        for party in one.parties:
            low = one.worst(party)
            amounts = in_dollars(one.mean(party), ",.0f"), f"{one.loses(party):.0%}", in_dollars(low.cash, ",.0f")
            yield say_percent(one.effect), party, *amounts, low.month


def _left_out(netted: Sequence[Netted]) -> str:
    """Against what it is compared, and what nothing says."""
    said = "Compared with the same years and the same luck, without the program and without the contract."
    expected = netted[0].expected
    missing = expected.outside.missing(expected.contract)
    return said + (f" Not counted, since nothing says it: {'; '.join(missing)}." if missing else "")


def _favored(draft: Draft) -> Iterator[tuple[str, ...]]:
    for title, part in draft.provisions.parts():
        for term, option, whom in part.favored():
            yield title, f"{term.replace('_', ' ')}: {option}", whom


def _give(draft: Draft) -> Iterator[tuple[str, str, str]]:
    """The clause bank, as far as the draft sets its terms: what it is about, and where each side stands on it."""
    for entry in bank().values():
        if now := said(entry, draft.contract):
            refuse = "".join(
                f" The {seat} refuses {side.refuses}: {side.since}."
                for seat, side in (("payer", entry.payer), ("provider", entry.provider))
            )
            where = "; ".join(dict.fromkeys(each.where for each in now))
            title = entry.about[0].upper() + entry.about[1:]
            yield title, f"Both can live with: {entry.fallback}.{refuse}", f"Now: {where}."
