"""The clause bank on the screen: one term, or all of them, from one seat or both."""

from typing import Annotated

import typer
from rich.text import Text

from ..refusal import Fault, Refusal, did_you_mean, show
from ..review import bank as banked
from .common import plain, screen, table_of

SEATS = ("payer", "provider")


def bank(
    term: Annotated[
        str | None, typer.Argument(metavar="[TERM]", help="One term, such as minimum; without it, all of them.")
    ] = None,
    seat: Annotated[str | None, typer.Option(metavar="payer|provider", help="The position of one side alone.")] = None,
) -> None:
    """The clause bank: where each side opens, what both can live with, what to refuse and why, and the sentence."""
    entries = banked.bank()
    faults = []
    if term is not None and term not in entries:
        do = did_you_mean(term, entries) + "name one of them"
        faults.append(Fault("TERM", show(term), ", ".join(entries), do))
    if seat is not None and seat not in SEATS:
        faults.append(Fault("--seat", show(seat), " or ".join(SEATS), did_you_mean(seat, SEATS) + "name one"))
    if faults:
        raise Refusal(faults)
    console = screen()
    for name in [term] if term else entries:
        entry = entries[name]
        console.print(Text(f"{name}: {entry.about}", style="bold"))
        table = table_of("", "Opens with", "Refuses", "Because")
        for each in [seat] if seat else SEATS:
            side = entry.seat(each)  # type: ignore[arg-type]
            table.add_row(each, side.opens, side.refuses, side.since)
        console.print(table)
        console.print(plain(f"Both can live with: {entry.fallback}."))
        console.print(plain(f"“{entry.sentence()}”\n"))
