"""Settling: a contract's years, and Medicare's own results."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ..contract import Contract
from ..files import as_csv
from ..ledger import Ledger, costs_outside
from ..paper import statement, workbook
from ..programs import mssp as shared_savings
from ..programs import preregistered
from ..programs import reach as reach_results
from ..programs.results import Settled, by_year
from ..refusal import many
from ..year import read_years
from .common import (
    ContractFile,
    all_or_refuse,
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
        unread = agreed.unread(facts)
        if unread:
            tell("No clause reads: " + ", ".join(unread))
        if out and out.suffix.lower() == ".xlsx":
            outputs.put(out, workbook.settled(agreed, ledger, whole))
        else:
            outputs.put(out, statement.lines_csv(agreed, ledger))
        outputs.put(cash_flow, statement.cash_csv(whole))


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


Results = Annotated[
    Path, typer.Argument(metavar="FILE", help="CMS's results file as published, or a copy of it (CSV).")
]
PerformanceYear = Annotated[int | None, typer.Option(help="The performance year, where the file does not say.")]
Out = Annotated[Path | None, typer.Option(help="Write one row per ACO to this CSV file.")]
LOSSES = "Losses owed count as negative."


def mssp(file: Results, year: PerformanceYear = None, out: Out = None) -> None:
    """Settle every ACO in a Medicare Shared Savings Program results file and compare with what CMS published."""
    with writing(file) as outputs:
        outputs.file(out)
        acos, _, _ = all_or_refuse(lambda: shared_savings.read(file, year), lambda: within(year=year), outputs.ready)
        settled = shared_savings.settle_all(acos)
        _compare(
            file,
            settled,
            "The band is what the published rounding of the quality score can move, and $1.50 for rounded dollars.",
        )
        _print_registered("mssp", settled)
        outputs.put(out, as_csv(Settled._fields, [_row(s) for s in settled]))


def reach(
    file: Results,
    year: PerformanceYear = None,
    out: Out = None,
    lines: Annotated[
        Path | None, typer.Option(help="Write how each settlement comes about, line by line, to this CSV file.")
    ] = None,
) -> None:
    """Settle every organization in an ACO REACH (Direct Contracting) results file and compare with what CMS paid."""
    with writing(file) as outputs:
        outputs.file(out)
        outputs.file(lines)
        acos, _, _ = all_or_refuse(lambda: reach_results.read(file, year), lambda: within(year=year), outputs.ready)
        settled = reach_results.settle_all(acos)
        _compare(
            file, settled, "The band is $1.50 for rounded dollars. Published and recomputed are after sequestration."
        )
        _print_kinds(settled)
        for each in reach_results.constants(acos):
            screen().print(
                f"\n{each.performance_year}: in {each.within} of {many(each.of, 'row')} the discount and the withholds"
                f" leave {each.constant:.4f} of the benchmark before adjustment, within 0.2%;"
                " that constant is in no file."
            )
        _print_registered("reach", settled)
        outputs.put(out, as_csv(Settled._fields, [_row(s) for s in settled]))
        if lines:
            told = [(a.aco_id, a.year, name, f"{x:z.2f}") for a in acos for name, x in reach_results.lines(a)]
            outputs.put(lines, as_csv(("aco_id", "performance_year", "line", "dollars"), told))


def _compare(file: Path, settled: Sequence[Settled], band: str) -> None:
    """The years beside what was published, and every row that is not matched with its reason."""
    console = screen()
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
    for row in by_year(settled):
        *counts, published, recomputed = row
        table.add_row(str(counts[0]), *(f"{n:,}" for n in counts[1:]), f"{published:z,.0f}", f"{recomputed:z,.0f}")
    console.print(table)
    console.print(f"{band}\n{LOSSES}")
    _print_differences(console, settled)


def _print_registered(program: str, settled: Sequence[Settled]) -> None:
    """Whether the file is of a year that was pre-registered, and what came of it."""
    screen().print(plain("\n" + "\n".join(preregistered.verdicts(program, settled))))


def _print_kinds(settled: Sequence[Settled]) -> None:
    table = table_of("Track", ">ACOs", ">Matched", ">Published $", ">Recomputed $", title="By kind of organization")
    for name in sorted({s.track for s in settled}):
        rows = [s for s in settled if s.track == name]
        sums = (sum(s.published or 0 for s in rows), sum(s.recomputed for s in rows))
        table.add_row(name, f"{len(rows):,}", f"{sum(bool(s.matched) for s in rows):,}", *(f"{x:z,.0f}" for x in sums))
    screen().print(table)


def _row(settled: Settled) -> tuple[str | int, ...]:
    published = "" if settled.published is None else f"{settled.published:.10g}"
    matched = "" if settled.matched is None else str(settled.matched).lower()
    found = (published, f"{settled.recomputed:z.2f}", f"{settled.band:z.2f}", matched, settled.reason)
    return (settled.aco_id, settled.performance_year, settled.track, *found)


def _print_differences(console: Console, settled: Sequence[Settled]) -> None:
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
