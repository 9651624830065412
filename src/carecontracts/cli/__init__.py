"""The command line: one verb per job."""

import csv
import hashlib
import importlib
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from .. import __version__, definitions
from ..contract import Contract
from ..files import number_in, read_yaml, safe_cell
from ..gallery import gallery, gallery_names
from ..ledger import Ledger, Line, month_name
from ..paper.term_sheet import term_sheet
from ..paper.word import write_word
from ..programs import mssp as medicare
from ..refusal import Fault, Refusal, did_you_mean, show, told
from ..units import say_count, say_percent
from ..year import read_years

if TYPE_CHECKING:
    from ..claims.check import Report

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    help="Payment contracts for complex care: print one, settle one, check Medicare's own results.",
)
ContractFile = Annotated[
    str, typer.Argument(metavar="CONTRACT", help="A contract file (YAML), or a name from the gallery.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Write to this file instead of the screen.")]


def main() -> None:
    """Runs the command; bad input is told in full on standard error, with exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a narrow terminal loses a sign, not the run
    try:
        app()
    except Refusal as refusal:
        count = len(refusal.faults)
        sys.stderr.write(
            "\n".join(told(refusal.faults)) + f"\n\n{count:,} mistake{'s' * (count > 1)}. Nothing was done.\n"
        )
        raise SystemExit(2) from None


@app.command()
def settle(
    contract: ContractFile,
    years: Annotated[
        Path, typer.Argument(metavar="YEARS", help="The years' facts: a CSV file with a row each, or a YAML list.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the statement to this CSV file too.")] = None,
    cash_flow: Annotated[Path | None, typer.Option(help="Write each party's cash by month to this CSV file.")] = None,
) -> None:
    """Settle a contract: who pays whom, how much, when and why, line by line."""
    agreed, facts = _all_or_refuse(lambda: _load(contract), lambda: read_years(years))
    ledger = agreed.settle(facts)
    _print_statement(agreed, ledger)
    unread = dict.fromkeys(
        name for year in facts for name in year.facts() if name not in agreed.facts() and not _counted(name, agreed)
    )
    if unread:
        _console(stderr=True).print(Text("No clause reads: " + ", ".join(unread)))
    numbers = {clause.name: n for n, clause in enumerate(agreed.clauses, 1)}
    if out:
        header = ("year", "paragraph", "clause", "payer", "payee", "amount", "due", "workings")
        rows = [
            (
                line.year, numbers[line.clause], line.clause, line.payer, line.payee, f"{line.amount:.2f}",
                _due(line), "; ".join(f"{name} {_working(name, value)}" for name, value in line.workings.items()),
            )
            for line in ledger
        ]  # fmt: skip
        _write(out, _csv(header, rows))
    if cash_flow:
        flow = [(m, p, f"{r:.2f}", f"{d:.2f}", f"{s:.2f}") for m, p, r, d, s in ledger.cash_flow()]
        _write(cash_flow, _csv(("month", "party", "received", "paid", "position"), flow))


@app.command("term-sheet")
def term_sheet_command(contract: ContractFile, out: Out = None) -> None:
    """Print a contract as a term sheet in Markdown; with --out FILE.docx, as a Word document."""
    agreed = _load(contract)
    if out and out.suffix.lower() == ".docx":
        _write_word(out, agreed)
        return
    text = term_sheet(agreed)
    if out:
        _write(out, text)
    else:
        sys.stdout.write(text)


@app.command()
def years(contract: ContractFile, out: Out = None) -> None:
    """Print an empty years file: the columns that a contract reads, ready to fill in."""
    agreed = _load(contract)
    columns = ["year", *agreed.facts()]
    last = agreed.first_year + (agreed.years or 1)
    text = _csv(columns, [(year, *[""] * (len(columns) - 1)) for year in range(agreed.first_year, last)])
    if out:
        _write(out, text)
    else:
        sys.stdout.write(text)


@app.command("gallery")
def gallery_command() -> None:
    """List the contracts that come with the package."""
    table = _table("Contract", "What it is")
    for name in gallery_names():
        table.add_row(name, Contract.load(gallery(name)).title)
    _console().print(table)


@app.command()
def mssp(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CMS's results file as published, or the tidy panel (CSV).")
    ],
    year: Annotated[int | None, typer.Option(help="The performance year, where the file does not say.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write one row per ACO to this CSV file.")] = None,
) -> None:
    """Settle every ACO in a Medicare Shared Savings Program results file and compare with what CMS published."""
    acos = medicare.read(file, year)
    console, errors = _console(), _console(stderr=True)
    settled = [medicare.settle(aco) for aco in track(acos, "Settling", console=errors, transient=True)]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    console.print(Text(f"{file.name} (SHA-256 {digest}…): {len(settled):,} ACO-years\n"))
    table = _table(
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
        table.add_row(str(counts[0]), *(f"{n:,}" for n in counts[1:]), f"{published:,.0f}", f"{recomputed:,.0f}")
    console.print(table)
    console.print(
        "The band is what the published rounding of the quality score can move, and $1.50 for rounded dollars.\n"
        "Losses owed count as negative."
    )
    _print_differences(console, settled)
    if out:
        rows = [
            (
                s.aco_id, s.performance_year, s.track, "" if s.published is None else f"{s.published:.10g}",
                f"{s.recomputed:.2f}", f"{s.band:.2f}", "" if s.matched is None else str(s.matched).lower(), s.reason,
            )
            for s in settled
        ]  # fmt: skip
        _write(out, _csv(medicare.Settled._fields, rows))


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"carecontracts {__version__}")
        raise typer.Exit


# --- helpers ----------------------------------------------------------------------------------------------------


def _load(contract: str) -> Contract:
    """A contract by its path, or by its name in the gallery."""
    named = contract in gallery_names() and not Path(contract).exists()
    return Contract.load(gallery(contract) if named else contract)


def _all_or_refuse(*jobs: Any) -> list[Any]:
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


def _counted(fact: str, contract: Contract) -> bool:
    """Member months by tier are read where a fee is for all members."""
    return fact.startswith("member_months.") and "member_months" in contract.facts()


def _print_statement(contract: Contract, ledger: Ledger) -> None:
    console = _console()
    console.print(Text(contract.title, style="bold"))
    for year in dict.fromkeys(line.year for line in ledger):
        name = f"Year {year}" if year < 100 else str(year)
        table = _table(">", "Clause", "From", "To", ">Amount", "Due", "Workings", title=name)
        for number, line in enumerate((line for line in ledger if line.year == year), 1):
            workings = "\n".join(f"{name} {_working(name, value)}" for name, value in line.workings.items())
            table.add_row(str(number), line.clause, line.payer, line.payee, f"{line.amount:,.2f}", _due(line), workings)
        console.print(table)
    table = _table("Party", ">Received", ">Paid", ">Net", ">Lowest cash", "In", title="Totals by party")
    flow = ledger.cash_flow()
    for party, net in ledger.net().items():
        lowest = min((p for p in flow if p.party == party), key=lambda p: p.position)
        amounts = (ledger.total(payee=party), ledger.total(payer=party), net, lowest.position)
        table.add_row(contract.parties[party], *(f"{x:,.2f}" for x in amounts), lowest.month)
    console.print(table)


def _print_differences(console: Console, settled: Sequence[medicare.Settled]) -> None:
    different = [s for s in settled if not s.matched]
    if not different:
        console.print("\nEvery row matches.")
        return
    console.print(f"\n{len(different):,} of {len(settled):,} rows are not matched:")
    table = _table("ACO", "Year", "Track", ">Published $", ">Recomputed $", "Reason")
    for s in different:
        published = "none" if s.published is None else f"{s.published:,.0f}"
        table.add_row(s.aco_id, str(s.performance_year), s.track, published, f"{s.recomputed:,.2f}", s.reason)
    console.print(table)


def _working(name: str, value: Any) -> str:
    """A working by the last word of its name: a rate is a share; a count, months, lives; else dollars."""
    last = name.rpartition(" ")[2]
    if last == "rate":
        return say_percent(float(value))
    return say_count(value) if last in ("months", "lives", "count") else f"{value:,.2f}"


def _due(line: Line) -> str:
    if not line.due:
        return "in kind"
    first, last = month_name(line.due[0]), month_name(line.due[-1])
    return first if first == last else f"{first} to {last}"


def _console(stderr: bool = False) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 160  # in a file or a pipe nothing is cut off
    return console


def _table(*columns: str, title: str | None = None) -> Table:
    """A table; a heading that begins with > is of numbers, to the right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        right = column.startswith(">")
        table.add_column(
            Text(column.removeprefix(">")), justify="right" if right else "left", overflow="fold", no_wrap=right
        )
    return table


def _csv(header: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return file.getvalue()


def _write_word(path: Path, contract: Contract) -> None:
    try:
        write_word(contract, path)
    except OSError as error:
        given = error.strerror or "an error"
        raise Refusal([Fault(str(path), given, "a file that can be written", "give another path")]) from None
    _console(stderr=True).print(Text(f"Wrote {path}"))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise Refusal(
            [Fault(str(path), error.strerror or "an error", "a file that can be written", "give another path")]
        ) from None
    _console(stderr=True).print(Text(f"Wrote {path}"))


# --- claims ---------------------------------------------------------------------------------------------------

claims_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Claims: check them, import them, make them up."
)
app.add_typer(claims_app, name="claims")
ClaimsSource = Annotated[
    str,
    typer.Argument(metavar="CLAIMS", help="A folder of CSV or Parquet files, a .duckdb file, or a database's address."),
]


@claims_app.command("check")
def claims_check(
    source: ClaimsSource,
    out: Annotated[Path | None, typer.Option(help="Write every finding to this CSV file.")] = None,
) -> None:
    """List every fault of claims tables: what, where, how many, the first, and what to do. Exit code 2 with faults."""
    check = _people("claims.check")
    console, errors = _console(), _console(stderr=True)
    with errors.status("Reading") as status:
        report = check.check(source, on_step=lambda step: status.update(Text(step)))
    _print_findings(console, report)
    if out:
        rows = [(*f[:6], "fault" if f.fault else "note", "; ".join(f.examples), f.do) for f in report.findings]
        header = ("table", "column", "rule", "count", "of_rows", "effect", "kind", "examples", "do")
        _write(out, _csv(header, rows))
    if report.faults:
        raise typer.Exit(2)


@claims_app.command("import")
def claims_import(
    layout: Annotated[
        str, typer.Argument(metavar="LAYOUT", help="synpuf (DE-SynPUF) or medicare (CMS's own columns).")
    ],
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the files as they are published.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write the tables to, as Parquet.")],
) -> None:
    """Turn public Medicare files into the tables that `claims check` and every later step read."""
    if layout not in ("synpuf", "medicare"):
        raise Refusal([Fault("LAYOUT", layout, "synpuf, medicare", did_you_mean(layout, ("synpuf", "medicare")))])
    adapter, console = _people(f"claims.adapters.{layout}"), _console()
    with _console(stderr=True).status("Reading") as status:
        imported = adapter.adapt(source, on_step=lambda step: status.update(Text(step)))
        imported.write(out, on_step=lambda step: status.update(Text(step)))
    table = _table("File", ">Rows", "Became", ">Rows", "How")
    for read in imported.read:
        table.add_row(read.file, f"{read.rows:,}", read.table, f"{read.became:,}", read.why)
    console.print(table)
    _console(stderr=True).print(Text(f"Wrote {out}"))


@claims_app.command("make")
def claims_make(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write the tables to, as Parquet.")],
    line: Annotated[str, typer.Option(help="medicaid, medicare, dual or commercial.")] = "medicaid",
    members: Annotated[int, typer.Option(help="How many people.")] = 5_000,
    years: Annotated[int, typer.Option(help="How many calendar years.")] = 3,
    first_year: Annotated[int, typer.Option(help="The first of them.")] = 2023,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 1,
) -> None:
    """Make up people and their claims, to try every later step without anyone's data."""
    synthetic = _people("synthetic.people")
    random = importlib.import_module("numpy").random.default_rng(seed)
    with _console(stderr=True).status("Making people up"):
        people = synthetic.panel(line, members, years, rng=random, first_year=first_year)
        tables = synthetic.tables(people, rng=random)
    shown = _table("Table", ">Rows", ">Paid $")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, rows in tables.items():
            rows.to_parquet(out / f"{name}.parquet", index=False)
            shown.add_row(name, f"{len(rows):,}", f"{rows.paid_amount.sum():,.2f}" if "paid_amount" in rows else "")
    except OSError as error:
        given = error.strerror or "an error"
        raise Refusal([Fault(str(out), given, "a folder that can be written", "give another path")]) from None
    _console().print(shown)
    _console(stderr=True).print(Text(f"Wrote {out}"))


def _people(module: str) -> Any:
    """A module that stands on the data libraries, which a lean installation may lack."""
    try:
        return importlib.import_module(f"carecontracts.{module}")
    except ModuleNotFoundError as error:
        do = "install them: pip install 'carecontracts[people]'"
        raise Refusal([Fault("claims", f"no module {error.name}", "Ibis, DuckDB and pandera", do)]) from None


def _print_findings(console: Console, report: "Report") -> None:
    for title, found in (("Faults", report.faults), ("Notes", report.notes)):
        if not found:
            continue
        table = _table("Table", "Column", "Rule", ">Rows", "They are", "The first", "To do", title=title)
        for f in found:
            table.add_row(f.table, f.column, f.rule, f"{f.found:,}", f.effect, "\n".join(f.examples), f.do)
        console.print(table)
        console.print()
    table = _table(
        "Table", ">Rows", ">Left out", ">Kept", ">Paid $", ">Left out $", ">Kept $", title="What later steps use"
    )
    for t in report.tables:
        paid = (t.paid, t.paid_left_out, t.paid - t.paid_left_out)
        shown = [f"{x:,.2f}" for x in paid] if t.table in ("medical_claim", "pharmacy_claim") else ["", "", ""]
        table.add_row(t.table, f"{t.rows:,}", f"{t.left_out:,}", f"{t.rows - t.left_out:,}", *shown)
    console.print(table)
    faults, notes = len(report.faults), len(report.notes)
    console.print(Text(f"\n{faults} kind{'s' * (faults != 1)} of fault, {notes} note{'s' * (notes != 1)}."))


# --- chance -----------------------------------------------------------------------------------------------------


@app.command()
def odds(
    contract: ContractFile,
    years: Annotated[
        Path | None,
        typer.Argument(metavar="[YEARS]", help="What is expected if the program changes nothing; else made up."),
    ] = None,
    lives: Annotated[int | None, typer.Option(help="People; else as the years say, or 500.")] = None,
    effect: Annotated[float, typer.Option(help="What the program truly saves: 0.05 is 5% of spending.")] = 0.05,
    draws: Annotated[int, typer.Option(help="How many times chance is drawn.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed draws the same years.")] = 1,
    spread: Annotated[
        float, typer.Option(help="One member's standard deviation of yearly cost, over its mean; 1.2 for complex care.")
    ] = 2.15,
    truncation: Annotated[float | None, typer.Option(help="Dollars up to which a member's cost counts.")] = None,
    cost: Annotated[
        list[str] | None, typer.Option(metavar="PARTY=DOLLARS", help="What a party pays a year outside the contract.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the tables to this CSV file too.")] = None,
) -> None:
    """Is it savings or luck? A contract through thousands of years of chance, with and without a true effect."""
    try:
        import numpy

        from ..chance import simulate as chance
    except ModuleNotFoundError as error:
        do = 'pip install "carecontracts[chance]"'
        raise Refusal([Fault("odds", f"no {error.name}", "the packages that draw chance", do)]) from None
    agreed = _load(contract)
    luck = chance.Luck(lives=lives, cv=spread, truncation=float("inf") if truncation is None else truncation)
    if years:
        expected = read_years(years)
    else:
        expected = chance.expected_years(agreed, **({"lives": lives} if lives else {}))
        _console(stderr=True).print(Text("No years given: expected ones are made from the contract's terms."))
    outside = _dollars_by_party(cost or [])
    drawn = [
        chance.simulate(
            agreed, expected, rng=numpy.random.default_rng(seed), draws=draws, effect=e, luck=luck, costs=outside
        )
        for e in dict.fromkeys((0.0, effect))
    ]
    console = _console()
    console.print(Text(agreed.title, style="bold"))
    console.print(Text(chance.in_words(drawn[0], drawn[-1], effect) + "\n"))
    rows = []
    for simulation, e in zip(drawn, dict.fromkeys((0.0, effect)), strict=True):
        title = f"True effect {say_percent(e)}: net by party over {len(expected)} years, {draws:,} draws"
        table = _table(
            "Party",
            ">Mean",
            ">Sd",
            ">5%",
            ">Median",
            ">95%",
            ">Chance\nof loss",
            ">Lowest cash\n(1 in 20)",
            title=title,
        )
        for party, *amounts, loss, low in simulation.table().itertuples(index=False, name=None):
            table.add_row(party, *(f"{x:,.0f}" for x in amounts), f"{loss:.0%}", f"{low:,.0f}")
            rows.append((e, party, *(f"{x:.2f}" for x in amounts), f"{loss:.4f}", f"{low:.2f}"))
        console.print(table)
    if out:
        header = ("effect", "party", "mean", "sd", "q05", "median", "q95", "chance_of_loss", "lowest_cash_1_in_20")
        _write(out, _csv(header, rows))


def _dollars_by_party(given: Sequence[str]) -> dict[str, float]:
    """`practice=1250000` as a party and a number."""
    found, faults = {}, []
    for text in given:
        party, _, dollars = text.partition("=")
        number = number_in(dollars)
        if isinstance(number, str) or number < 0 or not party:
            faults.append(Fault("--cost", show(text), "PARTY=DOLLARS, as in practice=1250000", "correct it"))
        else:
            found[party] = float(number)
    if faults:
        raise Refusal(faults)
    return found


# --- from staffing to a price ------------------------------------------------------------------------------------


@app.command("price")
def price_command(
    proposal: Annotated[
        Path | None, typer.Argument(metavar="PROGRAM", help="A program's staff, people and pay (YAML); see --example.")
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Print a program to copy, and stop.")] = False,
    chance: Annotated[float, typer.Option(help="The chance of saving its cost to work backwards from.")] = 0.5,
    out: Annotated[Path | None, typer.Option(help="Write the years and chances to this CSV file too.")] = None,
) -> None:
    """Price a program: its cost per member month, what it must save, how likely that is, and what would change it."""
    from ..parties import price as pricing

    if example:
        sys.stdout.write(pricing.example().read_text(encoding="utf-8"))
        return
    if proposal is None:
        raise Refusal([Fault("PROGRAM", "nothing", "a file", "begin with: carecontracts price --example > mine.yaml")])
    priced = pricing.price(pricing.Proposal.load_file(proposal), chance=chance)
    console = _console()
    console.print(Text(priced.proposal.name, style="bold"))
    table = _table(">Year", ">People", ">Posts", ">Cost $", ">Per member month $", ">Must save to date")
    for year, so_far in zip(priced.years, priced.to_date, strict=True):
        table.add_row(
            str(year.year), f"{year.people:,.0f}", f"{year.posts:,.1f}", f"{year.cost:,.0f}", f"{year.price:,.2f}",
            f"{so_far.required:.1%}",
        )  # fmt: skip
    console.print(table)
    table = _table("By the end of year", "If we believe", ">Truly saves its cost", ">The result says so")
    for row in priced.chances:
        table.add_row(str(row.year), row.belief, f"{row.truly:.0%}", f"{row.shown:.0%}")
    console.print(table)
    table = _table("For a chance of", "Change", ">From", ">To", "", title="Backwards, one at a time")
    for lever in priced.backwards:
        needed = "-" if lever.needed is None else f"{lever.needed:,.2f}"
        table.add_row(f"{chance:.0%}", lever.lever, f"{lever.now:,.2f}", needed, lever.note)
    console.print(table)
    console.print(Text(str(priced.support)))
    console.print(Text("Assumed, to be replaced with your own: " + ", ".join(priced.proposal.assumed())))
    if out:
        header = ("year", "people", "posts", "cost", "price", "must_save_to_date", "belief", "truly", "shown")
        years = {y.year: (y, t) for y, t in zip(priced.years, priced.to_date, strict=True)}
        rows = [
            (
                c.year, f"{years[c.year][0].people:.1f}", f"{years[c.year][0].posts:.2f}",
                f"{years[c.year][0].cost:.2f}", f"{years[c.year][0].price:.2f}", f"{years[c.year][1].required:.6f}",
                c.belief, f"{c.truly:.6f}", f"{c.shown:.6f}",
            )
            for c in priced.chances
        ]  # fmt: skip
        _write(out, _csv(header, rows))


# --- measure --------------------------------------------------------------------------------------------------


@app.command("measure")
def measure_command(
    claims: ClaimsSource,
    contract: ContractFile,
    out: Annotated[Path, typer.Option(help="Write the years file, which `settle` reads, to this CSV file.")],
    reconciliation: Annotated[
        Path | None, typer.Option(help="Write the tables from claim lines to every number to this folder.")
    ] = None,
) -> None:
    """Turn claims into the facts of each contract year, by the contract's own measurement section."""
    reading, room = _people("claims.read"), _people("measured")
    agreed, given = _all_or_refuse(lambda: _load(contract), lambda: reading.read(claims))
    errors = _console(stderr=True)
    with errors.status("Reading") as status:
        made = room.measure(given, agreed, tell=lambda doing: status.update(Text(doing)))
    facts = list(agreed.facts())
    rows = [(year.year, *("" if (v := year.fact(fact)) is None else v for fact in facts)) for year in made.years]
    _write(out, _csv(("year", *facts), rows))
    table = _table("Year", "Fact", ">Value", "From", title=agreed.title)
    for row in made.reconciliation.facts:
        table.add_row(str(row.year), row.fact, f"{row.value:,.10g}", row.source)
    _console().print(table)
    for note in made.notes:
        errors.print(Text(note))
    if made.unmade:
        errors.print(Text("Not made from claims, to be filled in: " + ", ".join(made.unmade)))
    if reconciliation:
        leaving, hidden = _people("reconciliation").may_leave(made.reconciliation)
        try:
            reconciliation.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            given = error.strerror or "an error"
            do = "give another path"
            raise Refusal([Fault(str(reconciliation), given, "a folder that can be written", do)]) from None
        for name, frame in leaving.items():
            cells = frame.astype(object).where(frame.notna(), "")
            _write(reconciliation / f"{name}.csv", _csv(frame.columns, cells.itertuples(index=False, name=None)))
        if hidden:
            errors.print(
                Text(f"* {hidden:,} rows of few people, or that would give one away, are hidden in the tables.")
            )


# --- whose list is right ----------------------------------------------------------------------------------------


@claims_app.command("definitions")
def claims_definitions() -> None:
    """List the population definitions: their words, and what each number in them rests on."""
    table = _table("Name", "In words", "Terms, and what they rest on")
    for name in definitions.kinds():
        made = definitions.definition(name)
        bases = "\n".join(f"{term} {value}: {basis}" for _, term, value, basis in made.bases())
        table.add_row(name, str(made), bases)
    _console().print(table)


@claims_app.command("crosswalk")
def claims_crosswalk(
    source: ClaimsSource,
    definition: Annotated[
        list[str], typer.Option(help="The name of a definition, or a YAML file that holds one. Give two or more.")
    ],
    year: Annotated[int | None, typer.Option(help="Draw the lists from this year; else the last but one.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write who is on which list to this CSV file.")] = None,
) -> None:
    """Lay definitions of who is high-need on one roster: overlap, who is missed, what came next by itself.

    Counts of 1 to 10, and what would give one away, are hidden in all that it prints and writes.
    """

    def one(text: str) -> definitions.Definition:
        path = Path(text)
        return definitions.from_data(read_yaml(path)[0] if path.suffix in (".yaml", ".yml") else text, text)

    *made, claims = _all_or_refuse(
        *(lambda text=text: one(text) for text in definition), lambda: _people("claims.read").read(source)
    )
    with _console(stderr=True).status("Reading claims"):
        roster = _people("claims.engine").in_memory(_people("people.member_table").member_table(claims))
        if any(isinstance(rule, definitions.Predicted) for each in made for rule in each.rules()):
            roster, _ = _people("people.predict").with_predicted(roster)
        crossed = _people("people.crosswalk").crosswalk(roster, dict(zip(definition, made, strict=True)), year)
    console = _console()
    table = _table("On", ">People", ">Share", ">Cost $", ">A year later $", title=f"Lists of {crossed.year}")
    for row in crossed.released().itertuples(index=False):
        table.add_row(row.on, *map(_cell, row[1:], ("{:,}", "{:.1%}", "{:,.0f}", "{:,.0f}")))
    console.print(table)
    table = _table(
        "List", ">People", ">Cost $", ">A year later $", ">Fall by itself", ">±", ">Still on it", title="Each list"
    )
    for row in crossed.released_lists().itertuples(index=False):
        table.add_row(row.on, *map(_cell, row[1:], ("{:,.0f}", "{:,.0f}", "{:,.0f}", "{:.1%}", "{:.1%}", "{:.1%}")))
    console.print(table)
    if out:
        frame = crossed.released()
        cells = frame.where(frame.notna(), "")
        _write(out, _csv(frame.columns, cells.itertuples(index=False, name=None)))


def _cell(value: Any, form: str) -> str:
    """A number in its form; a hidden one as its mark; one that is not known as nothing."""
    return value if isinstance(value, str) else "" if value is None or value != value else form.format(value)
