"""Claims: check them, import them, make them up, measure them, and ask whose list is right."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from .. import definitions
from ..files import as_csv, read_yaml
from ..refusal import Fault, Refusal, did_you_mean, in_dollars, many, show
from ..year import columns_for
from .common import ContractFile, all_or_refuse, load, needing, plain, screen, table_of, tell, within, writing

if TYPE_CHECKING:
    from ..claims.check import Report
    from ..claims.layout import Claims
    from ..people.crosswalk import Crosswalk

ClaimsSource = Annotated[
    str,
    typer.Argument(metavar="CLAIMS", help="A folder of CSV or Parquet files, a .duckdb file, or a database's address."),
]


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """Work on claims of which a file may turn out to be damaged, long after it was opened."""
    from ..claims.engine import blaming

    place = "the database" if "://" in source else source  # an address may hold a password
    with blaming(place, "tables that can be read to their ends", "write or fetch the damaged file again"):
        yield


def check(
    source: ClaimsSource,
    out: Annotated[Path | None, typer.Option(help="Write every finding to this CSV file.")] = None,
) -> None:
    """List every fault of claims tables: what, where, how many, the first, and what to do. Exit code 2 with faults."""
    with needing("people"):
        from ..claims import check as checking
    with writing(source) as outputs:
        outputs.file(out)
        outputs.ready()
        with _reading(source), screen(stderr=True).status("Reading") as status:
            report = checking.check(source, on_step=lambda step: status.update(plain(step)))
        _print_findings(screen(), report)
        rows = [
            (*f[:6], "fault" if f.fault else "note", "; ".join(f.examples), f.do, f"{f.dollars:.2f}")
            for f in report.findings
        ]
        header = ("table", "column", "rule", "count", "of_rows", "effect", "kind", "examples", "do", "dollars")
        outputs.put(out, as_csv(header, rows))
        if any(f.examples for f in report.findings):
            tell("The examples are rows of people: this report stays where the claims are.")
    if report.faults:
        raise typer.Exit(2)


def _print_findings(console: Console, report: "Report") -> None:
    for title, found in (("Faults", report.faults), ("Notes", report.notes)):
        if not found:
            continue
        table = table_of("Table", "Column", "Rule", ">Rows", ">Paid $", "They are", "The first", "To do", title=title)
        for f in found:
            dollars, first = f"{f.dollars:,.2f}" if f.dollars else "", "\n".join(f.examples)
            table.add_row(f.table, f.column, f.rule, f"{f.found:,}", dollars, f.effect, first, f.do)
        console.print(table)
        console.print()
    title = "What later steps use"
    if report.refused:
        title = "Later steps refuse these claims until what is refused is mended; without it they would use"
    table = table_of("Table", ">Rows", ">Left out", ">Kept", ">Paid $", ">Left out $", ">Kept $", title=title)
    for t in report.tables:
        paid = (t.paid, t.paid_left_out, t.paid - t.paid_left_out)
        shown = [f"{x:,.2f}" for x in paid] if t.table in ("medical_claim", "pharmacy_claim") else ["", "", ""]
        table.add_row(t.table, f"{t.rows:,}", f"{t.left_out:,}", f"{t.rows - t.left_out:,}", *shown)
    console.print(table)
    faults, notes = len(report.faults), len(report.notes)
    console.print(Text(f"\n{faults} kind{'s' * (faults != 1)} of fault, {notes} note{'s' * (notes != 1)}."))


def bring_in(
    layout: Annotated[
        str, typer.Argument(metavar="LAYOUT", help="synpuf (DE-SynPUF) or medicare (CMS's own columns).")
    ],
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the files as they are published.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write the tables to, as Parquet.")],
) -> None:
    """Turn public Medicare files into the tables that `claims check` and every later step read."""
    if layout not in ("synpuf", "medicare"):
        raise Refusal([Fault("LAYOUT", layout, "synpuf, medicare", did_you_mean(layout, ("synpuf", "medicare")))])
    with needing("people"):
        from ..claims.adapters import medicare, synpuf
    adapter = medicare if layout == "medicare" else synpuf
    with writing(source) as outputs:
        folder = outputs.folder(out)
        outputs.ready()
        with screen(stderr=True).status("Reading") as status:
            imported = adapter.adapt(source, on_step=lambda step: status.update(plain(step)))
            imported.write(folder, on_step=lambda step: status.update(plain(step)))
        table = table_of("File", ">Rows", "Became", ">Rows", "How")
        for read in imported.read:
            table.add_row(read.file, f"{read.rows:,}", read.table, f"{read.became:,}", read.why)
        screen().print(table)
        for note in imported.notes:
            tell(note)


def make(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write the tables to, as Parquet.")],
    line: Annotated[str, typer.Option(help="medicaid, medicare, dual or commercial.")] = "medicaid",
    members: Annotated[int, typer.Option(help="How many people.")] = 5_000,
    years: Annotated[int, typer.Option(help="How many calendar years.")] = 3,
    first_year: Annotated[int, typer.Option(help="The first of them.")] = 2023,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 1,
    willing: Annotated[
        float, typer.Option(help="How far the costlier decline care management (assumption): 0, not at all, to 1.")
    ] = 0.0,
) -> None:
    """Make up people and their claims, to try every later step without anyone's data."""
    with needing("people"):
        from numpy.random import default_rng

        from ..synthetic import people as synthetic
    with writing() as outputs:
        folder = outputs.folder(out)
        all_or_refuse(
            lambda: within(seed=seed),
            lambda: synthetic.refuse_unless_possible(line, members, years, first_year, willing),
            outputs.ready,
        )
        random = default_rng(seed)
        with screen(stderr=True).status("Making people up"):
            people = synthetic.panel(line, members, years, rng=random, first_year=first_year, willing=willing)
            tables = synthetic.tables(people, rng=random)
        shown = table_of("Table", ">Rows", ">Paid $")
        folder.mkdir(parents=True)
        for name, rows in tables.items():
            rows.to_parquet(folder / f"{name}.parquet", index=False)
            shown.add_row(name, f"{len(rows):,}", f"{rows.paid_amount.sum():,.2f}" if "paid_amount" in rows else "")
        screen().print(shown)


def measure(
    claims: ClaimsSource,
    contract: ContractFile,
    out: Annotated[Path, typer.Option(help="Write the years file, which `settle` reads, to this CSV file.")],
    reconciliation: Annotated[
        Path | None, typer.Option(help="Write the tables from claim lines to every number to this folder.")
    ] = None,
    unmasked_for: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="Hide nothing in these tables, which then say in each row who may read them."
        ),
    ] = None,
) -> None:
    """Turn claims into the facts of each contract year, by the contract's own measurement section.

    The tables hide rows of 1 to 10 people, and what would give one away. A contract too small for that can still be
    audited by its parties: --unmasked-for "the plan and the clinic". The years file is whole, for those who settle.
    """
    with needing("people"):
        from .. import measured
        from ..claims import read
        from ..reconciliation import TABLES, may_leave, of_few
    with writing(claims, contract) as outputs:
        outputs.file(out)
        tables = outputs.files_in(reconciliation, [f"{name}.csv" for name in TABLES])
        agreed, given, _, _ = all_or_refuse(
            lambda: load(contract),
            lambda: read.read(claims),
            lambda: _named(unmasked_for, reconciliation),
            outputs.ready,
        )
        with _reading(claims), screen(stderr=True).status("Reading") as status:
            made = measured.measure(given, agreed, tell=lambda doing: status.update(plain(doing)))
        facts = columns_for(agreed.facts())
        rows = [(year.year, *("" if (v := year.fact(fact)) is None else v for fact in facts)) for year in made.years]
        outputs.put(out, as_csv(("year", *facts), rows))
        table = table_of("Year", "Fact", ">Value", "From", title=agreed.title)
        for row in made.reconciliation.facts:
            table.add_row(str(row.year), row.fact, f"{row.value:,.10g}", row.source)
        screen().print(table)
        for note in made.notes:
            tell(note)
        if made.unmade:
            tell("Not made from claims, to be filled in: " + ", ".join(made.unmade))
        if few := of_few(made.reconciliation):
            years = ", ".join(map(str, few))
            tell(
                f"Facts of {years} tell of 1 to 10 people: the years file is for those who settle, not to be published."
            )
        leaving, hidden = may_leave(made.reconciliation)
        if unmasked_for is not None:
            leaving, hidden = made.reconciliation.tables(), 0
        for path in tables:
            frame = leaving[path.stem]
            if unmasked_for is not None:
                frame = frame.assign(**{"not to be published, to be read by": unmasked_for})
            cells = frame.astype(object).where(frame.notna(), "")
            outputs.put(path, as_csv(frame.columns, cells.itertuples(index=False, name=None)))
        if tables and hidden:
            tell(f"* Hidden in the tables: {many(hidden, 'row')} of few people, or that would give one away.")


def _named(unmasked_for: str | None, reconciliation: Path | None) -> None:
    """Refuses to unmask the tables for nobody, or where there are none."""
    if unmasked_for is None:
        return
    faults = []
    if not unmasked_for.strip() or not unmasked_for.isprintable():
        do = "name them, as in --unmasked-for 'the plan and the clinic'"
        faults.append(Fault("--unmasked-for", show(unmasked_for), "who may read the tables", do))
    if reconciliation is None:
        allowed = "it together with --reconciliation, whose tables it leaves whole"
        faults.append(Fault("--unmasked-for", "no --reconciliation", allowed, "add --reconciliation FOLDER"))
    if faults:
        raise Refusal(faults)


def list_definitions() -> None:
    """List the population definitions: their words, and what each number in them rests on."""
    table = table_of("Name", "In words", "Terms, and what they rest on")
    for name in definitions.kinds():
        made = definitions.definition(name)
        bases = "\n".join(f"{term} {value}: {basis}" for _, term, value, basis in made.bases())
        table.add_row(name, str(made), bases)
    screen().print(table)


def crosswalk(
    source: ClaimsSource,
    definition: Annotated[
        list[str], typer.Option(help="The name of a definition, or a YAML file that holds one. Give two or more.")
    ],
    year: Annotated[int | None, typer.Option(help="Draw the lists from this year; else the last but one.")] = None,
    payer: Annotated[list[str] | None, typer.Option(help="Of several payers, one that counts.")] = None,
    data_source: Annotated[list[str] | None, typer.Option(help="Of several data sources, one that counts.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write who is on which list to this CSV file.")] = None,
) -> None:
    """Lay definitions of who is high-need on one roster: overlap, who is missed, what came next by itself.

    Counts of 1 to 10, and what would give one away, are hidden in all that it prints and writes.
    """
    with needing("people"):
        from ..claims import read

    def one(text: str) -> definitions.Definition:
        path = Path(text)
        return definitions.from_data(read_yaml(path)[0] if path.suffix in (".yaml", ".yml") else text, text)

    def two_or_more() -> None:
        if len(definition) < 2 or len(set(definition)) < len(definition):
            given = "one" if len(definition) < 2 else " and ".join(map(show, definition))
            allowed = "two or more definitions, each once"
            raise Refusal([Fault("--definition", given, allowed, "name them, as in --definition stays")])

    with writing(source, *definition) as outputs:
        outputs.file(out)
        *made, claims, _, _, _ = all_or_refuse(
            *(lambda text=text: one(text) for text in definition),
            lambda: read.read(source),
            two_or_more,
            lambda: within(year=year),
            outputs.ready,
        )
        for note in claims.notes:
            tell(note)
        with _reading(source):
            claims = _of(claims, payer or [], data_source or [])
            crossed = _crossed(claims, dict(zip(definition, made, strict=True)), year)
        _print_crosswalk(crossed)
        frame = crossed.released()
        cells = frame.where(frame.notna(), "")
        outputs.put(out, as_csv(frame.columns, cells.itertuples(index=False, name=None)))


def _of(claims: "Claims", payers: list[str], data_sources: list[str]) -> "Claims":
    """The claims of the payers and sources named; refuses several of which none is named."""
    from ..measuring.enrollment import Enrollment, by_value

    options = {"payers": "--payer", "data_sources": "--data-source"}
    whose = Enrollment.model_construct(payers=payers, data_sources=data_sources)
    if faults := [*whose.misnamed(claims, options)]:
        raise Refusal(faults)
    counted = whose.counted(claims)
    if faults := [*whose.unnamed(counted, by_value(counted, "payer"), options)]:
        raise Refusal(faults)
    if others := whose.others(claims):
        both = by_value(others, "payer").values()
        lines, cents = sum(n for n, _ in both), sum(cents for _, cents in both)
        tell(f"{lines:,} claim lines, {in_dollars(cents / 100)}, are not of those named, and do not count.")
    return counted


def _crossed(claims: Any, lists: Mapping[str, definitions.Definition], year: int | None) -> "Crosswalk":
    from ..people import member_table, predict
    from ..people.crosswalk import crosswalk

    with screen(stderr=True).status("Reading claims"):
        roster = claims.kept(member_table.member_table(claims))
        if any(isinstance(rule, definitions.Predicted) for each in lists.values() for rule in each.rules()):
            roster, _ = predict.with_predicted(roster)
        return crosswalk(roster, lists, year)


def _print_crosswalk(crossed: "Crosswalk") -> None:
    console = screen()
    table = table_of("On", ">People", ">Share", ">Cost $", ">A year later $", title=f"Lists of {crossed.year}")
    for row in crossed.released().itertuples(index=False):
        table.add_row(str(row.on), *map(_cell, row[1:], ("{:,}", "{:.1%}", "{:,.0f}", "{:,.0f}")))
    console.print(table)
    table = table_of(
        "List", ">People", ">Cost $", ">A year later $", ">Fall by itself", ">±", ">Still on it", title="Each list"
    )
    for row in crossed.released_lists().itertuples(index=False):
        table.add_row(
            str(row.on), *map(_cell, row[1:], ("{:,.0f}", "{:,.0f}", "{:,.0f}", "{:.1%}", "{:.1%}", "{:.1%}"))
        )
    console.print(table)


def _cell(value: Any, form: str) -> str:
    """A number in its form; a hidden one as its mark; one that is not known as nothing."""
    return value if isinstance(value, str) else "" if value is None or value != value else form.format(value)
