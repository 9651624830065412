"""Looking at what is drafted and what is sent: the traps of a contract, and the other side's statement."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..contract import Contract
from ..files import as_csv
from ..refusal import Fault, Refusal
from ..year import read_years
from .common import ContractFile, all_or_refuse, load, needing, plain, screen, table_of, within, writing
from .luck import (
    NOTHING,
    Asked,
    HopedFor,
    OutsideFile,
    YearsAre,
    YearsFile,
    of_years,
    taken_as,
    with_luck,
    without_the_program,
)

if TYPE_CHECKING:
    from ..review.audit import Audit
    from ..review.rules import Finding

HEADER = ("severity", "rule", "where", "found", "numbers", "do")


@with_luck
def check(
    contract: ContractFile,
    years: YearsFile = None,
    claims: Annotated[Path | None, typer.Option(help="A folder of claims to measure those years from.")] = None,
    years_are: YearsAre = None,
    outside: OutsideFile = None,
    luck: Asked = NOTHING,
    effect: HopedFor = 0.05,
    fix: Annotated[
        Path | None, typer.Option(help="Write the contract with every mend that has one to this YAML file.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the findings to this CSV file too.")] = None,
) -> None:
    """Check a draft for traps: each with its numbers and a mend. Exit code 1 where one of them is an error."""
    with needing("chance"):
        from ..chance import assumed
        from ..chance.plausible import without_effect
        from ..parties import outside as beside
        from ..review.draft import Draft
        from ..review.rules import findings
    with writing(contract, years, claims, outside) as outputs:
        outputs.file(fix)
        outputs.file(out)
        agreed, _, asked, _, given, told, _ = all_or_refuse(
            lambda: load(contract),
            lambda: within(effect=effect),
            lambda: taken_as(luck, years or claims),
            lambda: of_years(years_are, years or claims),
            lambda: _years(contract, years, claims),
            lambda: beside.Outside.load_file(outside) if outside else None,
            outputs.ready,
        )
        if years_are == "with":
            given = without_effect(agreed, given, effect)
        elif given and years_are is None:
            without_the_program(given, effect)
        taken = assumed.take(agreed, given, **asked)
        with screen(stderr=True).status("Checking"):
            draft = Draft(agreed, taken.years, taken.luck, taken.cost, effect, luck["line"] or "medicaid", told)
            found = findings(draft)
        _print(agreed, found)
        outputs.put(out, as_csv(HEADER, [_row(each) for each in found]))
        if fix:
            outputs.put(fix, _mended(agreed, found).as_yaml())
    if any(each.severity == "error" for each in found):
        raise typer.Exit(1)


def _years(contract: str, years: Path | None, claims: Path | None) -> Any:
    """The years of a file, or those that the contract's own terms make of claims."""
    if years and claims:
        raise Refusal([Fault("--claims", "with --years", "one of the two", "take one out")])
    if claims is None:
        return read_years(years) if years else None
    with needing("people"):
        from ..claims.read import read
        from ..measured import measure
    agreed = load(contract)
    if agreed.measurement is None:
        do = "add a `measurement:` section, or give --years"
        raise Refusal([Fault(contract, "no section `measurement`", "one that says how claims become a year", do)])
    return measure(read(claims), agreed).years


def _print(contract: Contract, found: "list[Finding]") -> None:
    console = screen()
    console.print(Text(contract.title, style="bold"))
    if not found:
        console.print(Text("No trap was found."))
        return
    table = table_of("", "Where", "What was found", "Behind it", "What to do")
    for each in found:
        table.add_row(each.severity, each.where, each.found, each.numbers, each.do + " (--fix)" * bool(each.mend))
        table.add_row("", "", "", "", "")
    console.print(table)
    counts = {kind: sum(each.severity == kind for each in found) for kind in ("error", "warning", "question")}
    console.print(plain(", ".join(f"{n} {kind}{'s' * (n != 1)}" for kind, n in counts.items()) + "."))


def _row(finding: "Finding") -> tuple[str, ...]:
    return (finding.severity, finding.rule, finding.where, finding.found, finding.numbers, finding.do)


def _mended(contract: Contract, found: "list[Finding]") -> Contract:
    """The contract with every mend in turn; two mends of one clause are both in it."""
    for each in found:
        if each.mend:
            terms = dict(each.mend)
            contract = contract.amend(terms.pop("clauses", None), **terms)
    return contract


def audit(
    contract: ContractFile,
    years: Annotated[Path, typer.Argument(metavar="YEARS", help="The years' facts, as both sides have agreed them.")],
    statement: Annotated[
        Path, typer.Argument(metavar="STATEMENT", help="Theirs (CSV or XLSX): year, clause or paragraph, amount.")
    ],
    letter: Annotated[Path | None, typer.Option(help="Write the letter that asks for it to this file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the lines that differ to this CSV file.")] = None,
) -> None:
    """Compare their statement with ours: the first line that differs, and what would explain it. Exit 1 if one does."""
    from ..review import audit as auditing
    from ..review.statement_of import read_statement, without_facts

    with writing(contract, years, statement) as outputs:
        outputs.file(letter)
        outputs.file(out)
        agreed, facts, _ = all_or_refuse(lambda: load(contract), lambda: read_years(years), outputs.ready)
        theirs = read_statement(statement, agreed)
        without_facts(theirs, facts)
        with screen(stderr=True).status("Comparing"):
            found = auditing.audit(agreed, facts, theirs)
        console = screen()
        console.print(Text(agreed.title, style="bold"))
        if found.whole_dollars:
            console.print(Text("Their statement is in whole dollars, and is compared so."))
        if found.agrees:
            console.print(
                Text(f"All {len(theirs):,} lines agree, to the {'dollar' if found.whole_dollars else 'cent'}.")
            )
        else:
            _print_gaps(found)
        rows = [
            (g.year, g.paragraph, g.clause, _or_none(g.ours), _or_none(g.theirs), f"{g.worth:z.2f}") for g in found.gaps
        ]
        outputs.put(out, as_csv(("year", "paragraph", "clause", "ours", "theirs", "difference"), rows))
        if letter and found.gaps:
            outputs.put(letter, auditing.letter(agreed, found))
    if found.gaps:
        raise typer.Exit(1)


def _print_gaps(found: "Audit") -> None:
    console = screen()
    table = table_of("Year", ">", "Clause", ">Ours", ">Theirs", ">Difference", title="Lines that differ")
    for gap in found.gaps:
        amounts = (_or_none(gap.ours, ","), _or_none(gap.theirs, ","), f"{gap.worth:z,.2f}")
        table.add_row(str(gap.year), str(gap.paragraph), gap.clause, *amounts)
    console.print(table)
    table = table_of(">", "What would explain it, the likeliest first", "Lines", title="")
    for n, cause in enumerate(found.causes, 1):
        lines = f"{cause.explains} of {len(found.gaps)}" + f", and spoils {cause.spoils}" * bool(cause.spoils)
        table.add_row(str(n), cause.words, lines)
    if found.causes:
        console.print(table)
    else:
        console.print(Text("No single change explains it: ask for the facts and the terms that they used."))


def _or_none(amount: float | None, form: str = "") -> str:
    return "no line" if amount is None else f"{amount:z{form}.2f}"
