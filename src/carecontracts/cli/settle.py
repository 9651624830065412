"""Settling: a contract's years, and Medicare's own results."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.text import Text

from ..contract import Contract
from ..ledger import Ledger, costs_outside
from ..paper import statement, workbook
from ..programs import mssp as medicare
from ..refusal import many
from ..year import read_years
from .common import (
    ContractFile,
    all_or_refuse,
    as_csv,
    by_party,
    load,
    of_parties,
    plain,
    screen,
    table_of,
    tell,
    within,
    writing,
)


def settle(
    contract: ContractFile,
    years: Annotated[
        Path, typer.Argument(metavar="YEARS", help="The years' facts: a CSV file with a row each, or a YAML list.")
    ],
    cost: Annotated[
        list[str] | None,
        typer.Option(metavar="PARTY=DOLLARS", help="What a party's team costs a year: it goes into its cash by month."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the statement to this CSV file too; or, as .xlsx, with totals and cash.")
    ] = None,
    cash_flow: Annotated[Path | None, typer.Option(help="Write each party's cash by month to this CSV file.")] = None,
) -> None:
    """Settle a contract: who pays whom, how much, when and why, line by line."""
    with writing(contract, years) as outputs:
        outputs.file(out)
        outputs.file(cash_flow)
        agreed, facts, outside, _ = all_or_refuse(
            lambda: load(contract), lambda: read_years(years), lambda: by_party("--cost", cost), outputs.ready
        )
        of_parties({"--cost": outside}, agreed)
        ledger = agreed.settle(facts)
        whole = Ledger([*ledger, *costs_outside(outside, {year.year: agreed.months_of(year.year) for year in facts})])
        _print_statement(agreed, ledger, whole)
        unread = dict.fromkeys(
            name for year in facts for name in year.facts() if name not in agreed.facts() and not _counted(name, agreed)
        )
        if unread:
            tell("No clause reads: " + ", ".join(unread))
        if out and out.suffix.lower() == ".xlsx":
            outputs.put(out, workbook.settled(agreed, ledger, whole))
        else:
            rows = statement.rows(agreed, ledger)
            lines = [(*r[:5], f"{r.amount:z.2f}", r.due, "; ".join(r.workings)) for r in rows]
            outputs.put(out, as_csv(workbook.LINES, lines))
        flow = [(m, p, f"{r:z.2f}", f"{d:z.2f}", f"{s:z.2f}") for m, p, r, d, s in whole.cash_flow()]
        outputs.put(cash_flow, as_csv(workbook.CASH, flow))


def _counted(fact: str, contract: Contract) -> bool:
    """A part is read where a clause reads the whole: months by tier for a fee for all, each member's claims."""
    return fact.partition(".")[0] in contract.facts()


def _print_statement(contract: Contract, ledger: Ledger, whole: Ledger) -> None:
    """The statement, and what each party has of it; `whole` is with the costs outside, where they were given."""
    console, lines = screen(), statement.rows(contract, ledger)
    console.print(Text(contract.title, style="bold"))
    for year in dict.fromkeys(line.year for line in lines):
        name = f"Year {year}" if year < 100 else str(year)
        table = table_of(">", "Clause", "From", "To", ">Amount", "Due", "Workings", title=name)
        for line in (line for line in lines if line.year == year):
            amount, workings = f"{line.amount:z,.2f}", "\n".join(line.workings)
            table.add_row(str(line.paragraph), line.clause, line.payer, line.payee, amount, line.due, workings)
        console.print(table)
    table = table_of(
        "Party",
        ">Received",
        ">Paid",
        ">Net",
        ">Lowest cash",
        "In",
        title="Totals by party" + ", with the costs that were given" * (len(whole) > len(ledger)),
    )
    for party, *amounts, month in statement.totals(contract, whole):
        table.add_row(party, *(f"{x:z,.2f}" for x in amounts), month)
    console.print(table)


def mssp(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CMS's results file as published, or the tidy panel (CSV).")
    ],
    year: Annotated[int | None, typer.Option(help="The performance year, where the file does not say.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write one row per ACO to this CSV file.")] = None,
) -> None:
    """Settle every ACO in a Medicare Shared Savings Program results file and compare with what CMS published."""
    with writing(file) as outputs:
        outputs.file(out)
        acos, _, _ = all_or_refuse(lambda: medicare.read(file, year), lambda: within(year=year), outputs.ready)
        settled = _settle_all(file, acos)
        outputs.put(out, as_csv(medicare.Settled._fields, [_row(s) for s in settled]))


def _settle_all(file: Path, acos: Sequence[medicare.Aco]) -> list[medicare.Settled]:
    console, errors = screen(), screen(stderr=True)
    settled = [medicare.settle(aco) for aco in track(acos, "Settling", console=errors, transient=True)]
    # what comes through a pipe cannot be read a second time
    digest = f" (SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()[:12]}…)" if file.is_file() else ""
    console.print(plain(f"{file.name}{digest}: {len(settled):,} ACO-years\n"))
    table = table_of(
        "Year",
        ">ACOs",
        ">Settlements\nnot zero",
        ">Matched within\nthe rounding band",
        ">Within $1",
        ">Published $",
        ">Recomputed $",
    )
    for row in medicare.by_year(settled):
        *counts, published, recomputed = row
        table.add_row(str(counts[0]), *(f"{n:,}" for n in counts[1:]), f"{published:z,.0f}", f"{recomputed:z,.0f}")
    console.print(table)
    console.print(
        "The band is what the published rounding of the quality score can move, and $1.50 for rounded dollars.\n"
        "Losses owed count as negative."
    )
    _print_differences(console, settled)
    return settled


def _row(settled: medicare.Settled) -> tuple[str | int, ...]:
    published = "" if settled.published is None else f"{settled.published:.10g}"
    matched = "" if settled.matched is None else str(settled.matched).lower()
    found = (published, f"{settled.recomputed:z.2f}", f"{settled.band:z.2f}", matched, settled.reason)
    return (settled.aco_id, settled.performance_year, settled.track, *found)


def _print_differences(console: Console, settled: Sequence[medicare.Settled]) -> None:
    different = [s for s in settled if not s.matched]
    if not different:
        console.print("\nEvery row matches.")
        return
    console.print(f"\nNot matched: {len(different):,} of {many(len(settled), 'row')}.")
    table = table_of("ACO", "Year", "Track", ">Published $", ">Recomputed $", "Reason")
    for s in different:
        published = "none" if s.published is None else f"{s.published:z,.0f}"
        table.add_row(s.aco_id, str(s.performance_year), s.track, published, f"{s.recomputed:z,.2f}", s.reason)
    console.print(table)
