"""What the verbs share: reading a contract, printing a table, writing a file."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..contract import Contract
from ..files import number_in
from ..gallery import gallery, gallery_names
from ..refusal import Fault, Refusal, did_you_mean, listed, printable, show
from ..units import MOST_DOLLARS
from ..writing import Outputs

ContractFile = Annotated[
    str, typer.Argument(metavar="CONTRACT", help="A contract file (YAML), or a name from the gallery.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Write to this file instead of the screen.")]
LIBRARIES = {"people": "Ibis, DuckDB and pandera", "chance": "the packages that draw chance"}


def _install(extra: str) -> str:
    """How to get the libraries of an extra, by their own names: this package's may be anyone's on a public index."""
    try:
        told = [text.partition(";") for text in requires("carecontracts") or ()]
        needed = [text.strip() for text, _, marker in told if re.search(rf"extra == .{extra}.", marker)]
    except PackageNotFoundError:  # run from a folder of files
        return f"those that pyproject.toml names under `{extra}`"
    return "pip install " + " ".join(f"'{text}'" for text in needed)


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Imports within it may lack a library, which a lean installation leaves out."""
    try:
        yield
    except ModuleNotFoundError as error:
        do = f"install them: {_install(extra)}"
        raise Refusal([Fault(extra, f"no module {error.name}", LIBRARIES[extra], do)]) from None


def load(contract: str) -> Contract:
    """A contract by its path, or by its name in the gallery."""
    known = gallery_names()
    if contract in known or Path(contract).is_file():
        return Contract.load(contract if Path(contract).is_file() else gallery(contract))
    if (hint := did_you_mean(contract, known)) and not Path(contract).exists():
        do = f"{hint}check the path, or name one of `carecontracts gallery`"
        raise Refusal([Fault(contract, "no such file", "a contract file, or a name from the gallery", do)])
    return Contract.load(contract)


def all_or_refuse(*jobs: Any) -> list[Any]:
    """The result of each job; where any refuses, one refusal with the faults of all."""
    results, faults = [], []
    for job in jobs:
        try:
            results.append(job())
        except Refusal as refusal:
            faults += refusal.faults
    if faults:
        raise Refusal(faults)
    return results


# Of each option that is a number: the least, the most, and what it is.
LIMITS: dict[str, tuple[float, float, str]] = {
    "lives": (1, 1_000_000, "people, 1 to 1,000,000"),
    "effect": (0, 0.99, "a share from 0 to 0.99: 0.05 is 5% of spending"),
    "draws": (2, 100_000, "2 to 100,000"),
    "seed": (0, 2**63, "a whole number, 0 or more"),
    "spread": (0.01, 20, "a number from 0.01 to 20"),
    "truncation": (1, MOST_DOLLARS, "dollars, 1 or more"),
    "member_cost": (1, 10_000_000, "dollars a year, 1 to 10,000,000"),
    "common": (0, 0.5, "a share from 0 to 0.5: 0.016 is 1.6%"),
    "kept": (0, 1, "a correlation from 0 to 1"),
    "churn": (0, 1, "a share from 0 to 1"),
    "clumps": (1, 1_000, "1 or more: 1 if each comes alone"),
    "with_cost": (0, 1, "a correlation from 0 to 1"),
    "engaged": (0, 1, "a share from 0 to 1: 0.7 of all months"),
    "attachment": (1, MOST_DOLLARS, "dollars a year, 1 or more"),
    "loading": (0, 0.9, "a share from 0 to 0.9: 0.25 is a quarter of the premium"),
    "own_share": (0, 1, "a share from 0 to 1: 0.5 is half"),
    "compared": (1, 10_000_000, "people, 1 to 10,000,000"),
    "common_shared": (0, 1, "a share from 0 to 1: 1 is all of it"),
    "benchmark_error": (0, 0.5, "a share from 0 to 0.5: 0.03 is 3%"),
    "trend_error": (0, 0.5, "a share from 0 to 0.5: 0.01 is 1%"),
    "chance": (0.001, 0.999, "a share from 0.001 to 0.999: 0.5 is an even chance"),
    "year": (1900, 2999, "a calendar year"),
}


def within(**options: float | None) -> None:
    """Refuses every option that is outside its limits, by the name that it has on the command line."""
    faults = [
        Fault(f"--{name.replace('_', '-')}", show(value), LIMITS[name][2], "give a number in between")
        for name, value in options.items()
        if value is not None and not LIMITS[name][0] <= value <= LIMITS[name][1]
    ]
    if faults:
        raise Refusal(faults)


@contextmanager
def writing(*inputs: Path | str | None) -> Iterator[Outputs]:
    """What a command writes that reads these: put in its places once all the work is done, and told."""
    with Outputs(inputs) as outputs:
        yield outputs
    for done in outputs.written:
        tell(done)


def show_or_put(text: str, out: Path | None, outputs: Outputs) -> None:
    outputs.put(out, text)
    if not out:
        typer.echo(text, nl=False)


def tell(text: str, stderr: bool = True) -> None:
    """A line for the reader, without a sign that moves a terminal."""
    screen(stderr).print(plain(text))


def plain(text: str) -> Text:
    return Text("\n".join(map(printable, text.split("\n"))))


def screen(stderr: bool = False) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    # In a file or a pipe nothing is cut off, and in a narrow terminal lines wrap: no column goes away.
    console.width = max(console.width, 80) if console.is_terminal else 160
    return console


class PlainTable(Table):
    """A table whose cells are text: no markup, and nothing that moves a terminal."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*(plain(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def table_of(*columns: str, title: str = "") -> Table:
    """A table; a heading that begins with > is of numbers, to the right."""
    heading = plain(title) if title else None
    table = PlainTable(
        title=heading, title_justify="left", box=None, pad_edge=False, header_style="bold", show_edge=False
    )
    for column in columns:
        right = column.startswith(">")
        table.add_column(
            Text(column.removeprefix(">")), justify="right" if right else "left", overflow="fold", no_wrap=right
        )
    return table


def by_party(option: str, given: Sequence[str] | None, *, rate: bool = False) -> dict[str, float]:
    """`practice=1250000` as a party and a number of dollars, or `practice=0.08` as one and a rate."""
    found: dict[str, float] = {}
    faults = []
    top, form, again = MOST_DOLLARS, "PARTY=DOLLARS, as in practice=1250000", "add them up"
    if rate:
        top, form, again = 1, "PARTY=RATE, as in practice=0.08", "give one"
    for text in given or ():
        party, _, value = text.partition("=")
        number = number_in(value)
        if party in found:
            faults.append(Fault(option, f"{show(party)} again", "each party once", again))
        elif isinstance(number, str) or not 0 <= number <= top or not party:
            faults.append(Fault(option, show(text), form, "correct it"))
        else:
            found[party] = float(number)
    if faults:
        raise Refusal(faults)
    return found


def of_parties(given: Mapping[str, Iterable[str]], contract: Contract, others: Iterable[str] = ()) -> None:
    """Refuses what was given, by option, for somebody who is no party of the contract, and none of the others."""
    known = [*contract.parties, *others]
    faults = [
        Fault(option, show(party), listed(known), did_you_mean(party, known) + "correct it")
        for option, parties in given.items()
        for party in parties
        if party not in known
    ]
    if faults:
        raise Refusal(faults)
