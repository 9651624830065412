"""What a bad term costs, what must be held against it and what cover is worth, as `odds` prints them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ..refusal import many
from ..units import say_percent
from .common import table_of

if TYPE_CHECKING:
    from ..chance.capital import Cover, Held

TAILS = ("var_95", "tvar_95", "var_99", "tvar_99")
COLUMNS = (
    *(f"term_{name}" for name in TAILS), *(f"worst_year_{name}" for name in TAILS), "owes_in_a_year_95",
    "owes_in_a_year_99", "reserve_95", "reserve_99", "reserve", "chance_of_ruin", "holding_cost", "present_value",
)  # fmt: skip


def print_held(console: Console, parties: "Sequence[Held]", effect: float, years: int) -> Iterator[Sequence[str]]:
    """What each party loses in a bad term and a bad year, and what it must hold; its columns for a file."""
    case = f"True effect {say_percent(effect)}"
    heads = [f">{span}\n{name} {level}" for span in ("Term:", "Worst year:") for level in ("95%", "99%") for name in ("VaR", "TVaR")]  # fmt: skip # noqa: E501
    over = f"over {many(years, 'year')}, and in the worst of its years; a minus is a gain even then"
    title = f"{case}: what is paid beyond what is received, {over}"
    table = table_of("Party", *heads, title=title)
    for one in parties:
        table.add_row(one.party, *(_dollars(x) for x in (*one.term, *one.year)))
    console.print(table)
    optional = {
        ">Reserve\ngiven": [one.reserve for one in parties],
        ">Chance it\nruns out": [one.ruin for one in parties],
        ">Holding one\ncosts": [one.holding for one in parties],
        ">Present value\nof its result": [one.worth for one in parties],
    }
    shown = {head: values for head, values in optional.items() if any(value is not None for value in values)}
    heads = [
        ">Owes for results\nin a year, 95%", ">the same,\n99%", ">Reserve that\nlasts, 95%", ">the same,\n99%",
    ]  # fmt: skip
    table = table_of("Party", *heads, *shown, title=f"{case}: what must be held")
    for n, one in enumerate(parties):
        held = (one.owes_95, one.owes_99, one.reserve_95, one.reserve_99)
        more = [
            "-" if values[n] is None else f"{values[n]:.1%}" if "Chance" in head else _dollars(values[n])
            for head, values in shown.items()
        ]
        table.add_row(one.party, *map(_dollars, held), *more)
        known = (*one.term, *one.year, *held, one.reserve)
        ruin = "" if one.ruin is None else f"{one.ruin:.4f}"
        yield [*map(_cell, known), ruin, _cell(one.holding), _cell(one.worth)]
    console.print(table)
    console.print(Text("What a party has besides, such as a plan's premium, is not in it.\n"))


def print_cover(console: Console, covers: "Sequence[Cover]", loading: float) -> None:
    """What each cover is expected to pay and the premium that it is worth, beside what the contract has for it."""
    title = f"What cover against cost is worth, with {say_percent(loading)} of the premium for what is not claims"
    table = table_of(
        "Cover, or premium", "From", ">Pays something in", ">In an average\nyear", ">A member\nmonth",
        ">Premium for it,\na member month", title=title,
    )  # fmt: skip
    for one in covers:
        loaded = "-" if one.loaded is None else f"{one.loaded:,.2f}"
        often = "-" if one.pays_in is None else f"{one.pays_in:.1%} of years"
        table.add_row(one.name, one.begins or "-", often, _dollars(one.year), f"{one.month:,.2f}", loaded)
    console.print(table)
    console.print(Text(""))


def _dollars(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:z,.0f}"


def _cell(amount: float | None) -> str:
    return "" if amount is None else f"{amount:z.2f}"
