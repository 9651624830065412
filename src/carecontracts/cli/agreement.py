"""From one version to the next: both Word files of a contract, and what changed between two versions, or in Word."""

import json
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from ..contract import Contract
from ..files import as_csv
from ..paper.word import write_word
from ..refusal import Fault, Refusal, in_dollars, listed, show
from ..year import Year, read_years
from .common import ContractFile, all_or_refuse, load, needing, plain, screen, show_or_put, table_of, within, writing
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
    from ..chance.assumed import Taken
    from ..review.compare import Change
    from ..review.from_word import Back

HEADER = ("where", "what", "before", "after", "worth_alone")
DRAWS = 2_000


@with_luck
def agreement(
    contract: ContractFile,
    theirs: Annotated[
        Path | None, typer.Option(help="Write the Word file for the other side here: clean, what is open in brackets.")
    ] = None,
    ours: Annotated[
        Path | None, typer.Option(help="Write the Word file for our own file here: odds, nets, traps, bases.")
    ] = None,
    before: Annotated[
        str | None, typer.Option(metavar="CONTRACT", help="An earlier version: each difference is a tracked change.")
    ] = None,
    dated: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day in the footer and on tracked changes; else today.")
    ] = None,
    years: YearsFile = None,
    years_are: YearsAre = None,
    outside: OutsideFile = None,
    luck: Asked = NOTHING,
    effect: HopedFor = 0.05,
) -> None:
    """Write a contract as Word files: one to send to the other side, one for our own file."""
    if theirs is None and ours is None:
        raise Refusal([Fault("--theirs, --ours", "neither", "one of them, or both", "name the file to write")])
    faults = [
        Fault(f"--{name}", show(str(path)), "a .docx file", "name it so")
        for name, path in (("theirs", theirs), ("ours", ours))
        if path and path.suffix.lower() != ".docx"
    ]
    if faults:
        raise Refusal(faults)
    with writing(contract, before, years, outside) as outputs:
        outputs.file(theirs)
        outputs.file(ours)
        agreed, earlier, on, asked, _ = all_or_refuse(
            lambda: load(contract),
            lambda: load(before) if before else None,
            lambda: _day(dated),
            lambda: _given(years, years_are, outside, luck, effect),
            outputs.ready,
        )
        for path, sections in ((theirs, None), (ours, [])):
            if path is None:
                continue
            if sections is not None:
                sections = _our_sections(agreed, asked, years_are, luck, effect)
            document = BytesIO()
            with needing("people"):
                write_word(agreed, document, ours=sections, before=earlier, on=on)
            outputs.put(path, document.getvalue())


def _our_sections(
    agreed: Contract, asked: Sequence[Any], years_are: str | None, luck: Asked, effect: float
) -> list[Any]:
    with needing("chance"):
        from ..parties import net as netting
        from ..parties import outside as beside
        from ..review.draft import Draft
        from ..review.our_file import our_file
    taken, told = _expected(agreed, asked, years_are, effect)
    with screen(stderr=True).status("Drawing") as status:
        draft = Draft(agreed, taken.years, taken.luck, taken.cost, effect, luck["line"] or "medicaid", told)
        netted = []
        if told:
            expected = beside.with_care(taken.years, taken.lives * taken.cost)
            effects = sorted({0.0, effect})
            netted = netting.net(
                agreed, expected, told, seed=1, effects=effects, draws=DRAWS, luck=taken.luck,
                tell=lambda say: status.update(plain(say)),
            )  # fmt: skip
        return our_file(draft, taken, netted)


def _given(years: Path | None, years_are: str | None, outside: Path | None, luck: Asked, effect: float) -> list[Any]:
    """What chance is told, the years, and what no contract says; a refusal tells all that is wrong with them."""
    from ..parties.outside import Outside

    _, asked, _, given, told = all_or_refuse(
        lambda: within(effect=effect),
        lambda: taken_as(luck, years),
        lambda: of_years(years_are, years),
        lambda: read_years(years) if years else None,
        lambda: Outside.load_file(outside) if outside else None,
    )
    return [asked, given, told]


def _expected(agreed: Contract, asked: Sequence[Any], years_are: str | None, effect: float) -> "tuple[Taken, Any]":
    """What is expected of the years without the program, and what no contract says."""
    from ..chance import assumed
    from ..chance.plausible import without_effect

    how, given, told = asked
    if years_are == "with":
        given = without_effect(agreed, given, effect)
    elif given and years_are is None:
        without_the_program(given, effect)
    return assumed.take(agreed, given, **how), told.beside(agreed) if told else None


def _day(text: str | None) -> date:
    if text is None:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal([Fault("--dated", show(text), "a day as YYYY-MM-DD", "correct it")]) from None


# --- two versions -----------------------------------------------------------------------------------------------------


@with_luck
def compare(
    contract: ContractFile,
    other: Annotated[
        str, typer.Argument(metavar="OTHER", help="A later version (YAML or gallery name), or an edited Word file.")
    ],
    years: Annotated[
        Path | None, typer.Option(help="Settle both on these years (CSV or YAML); else on years that are made up.")
    ] = None,
    luck: Asked = NOTHING,
    effect: HopedFor = 0.05,
    take: Annotated[
        Path | None, typer.Option(help="Of an edited Word file: write the contract as it now reads to this YAML file.")
    ] = None,
    redline: Annotated[
        Path | None, typer.Option(help="Write the later version to this Word file, each difference a tracked change.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the differences to this CSV file too.")] = None,
) -> None:
    """What changed between two versions: clause by clause, in dollars on the same years, and in odds."""
    from ..review import compare as comparing

    edited = other.lower().endswith(".docx")
    with writing(contract, other, years) as outputs:
        for path in (take, redline, out):
            outputs.file(path)
        if take and not edited:
            raise Refusal([Fault("--take", "with a contract file", "an edited Word file", "take the option out")])
        if redline and redline.suffix.lower() != ".docx":
            raise Refusal([Fault("--redline", show(str(redline)), "a .docx file", "name it so")])
        before, given, _, asked, _ = all_or_refuse(
            lambda: load(contract),
            lambda: read_years(years) if years else None,
            lambda: within(effect=effect),
            lambda: taken_as(luck, years),
            outputs.ready,
        )
        console = screen()
        console.print(Text(before.title, style="bold"))
        back = _from_word(before, Path(other)) if edited else None
        after = back.contract if back else load(other)
        if back:
            _print_back(console, back)
        found = comparing.changes(before, after)
        try:
            old, new, wanted = _on_years(before, after, given, asked, effect)
            untold = ""
        except Refusal as refusal:  # the words of both can be compared all the same
            old, new, wanted = [], [], None
            untold = "; ".join(f"{each.where}: {each.given}" for each in refusal.faults)
        rows = [(*change[:4], _alone(before, change, old)) for change in found]
        _print_changes(console, rows, before)
        if found and old:
            _print_worth(console, before, after, old, new, made=given is None)
        elif found:
            console.print(plain(f"Not settled: {untold or 'none of the years is in both'}. Give years with --years."))
        if found and wanted:
            _print_odds(console, before, after, wanted, effect)
        if take and back:
            outputs.put(take, back.contract.as_yaml())
        if redline:
            document = BytesIO()
            with needing("people"):
                write_word(after, document, before=before, on=date.today())
            outputs.put(redline, document.getvalue())
        outputs.put(out, as_csv(HEADER, rows))


def _from_word(before: Contract, path: Path) -> "Back":
    from ..review.from_word import from_word

    return from_word(before, path)


def _print_back(console: Console, back: "Back") -> None:
    if back.fingerprint in ("another", "none"):
        given = "has no fingerprint" if back.fingerprint == "none" else "has the fingerprint of other terms"
        console.print(Text(f"The document {given}: it may come from another version of the contract."))
    left = [edit for edit in back.edits if not edit.taken]
    if left:
        table = table_of("Where", "The contract says", "The document says", title="Words that no term of it says")
        for edit in left:
            table.add_row(edit.where, edit.contract, edit.document)
            table.add_row("", "", "")
        console.print(table)
        console.print(Text("Write these into the contract file by hand, or strike them from the document."))
    elif back.edits:
        console.print(Text("Every edit of the document is a term of the contract."))
    else:
        console.print(Text("The document says what the contract says."))


def _on_years(
    before: Contract, after: Contract, given: Sequence[Year] | None, asked: dict[str, Any], effect: float
) -> "tuple[list[Year], list[Year], tuple[Taken, Taken] | None]":
    """The years on which each is settled, with the program; and what their odds are drawn with."""
    from ..review.compare import same_years

    with needing("chance"):
        from ..chance import assumed
        from ..chance.plausible import with_effect
    if given:
        both = [year for year in given if _runs(before, year.year) and _runs(after, year.year)]
        return both, both, None
    taken = assumed.take(before, None, **asked), assumed.take(after, None, **asked)
    years = same_years(taken[0].years, taken[1].years)
    old, new = ([affected for year in each for affected in with_effect(after, [year], effect)] for each in years)
    return old, new, (taken[0]._replace(years=years[0]), taken[1]._replace(years=years[1]))


def _runs(contract: Contract, year: int) -> bool:
    return year >= contract.first_year and (contract.years is None or year in contract.numbers(contract.years))


def _alone(before: Contract, change: "Change", years: Sequence[Year]) -> str:
    from ..review.compare import alone

    got = alone(before, change, years, before.payer) if years else None
    return "" if got is None else f"{got:z.2f}"


def _print_changes(console: Console, rows: Sequence[Sequence[str]], before: Contract) -> None:
    if not rows:
        console.print(Text("The two say the same."))
        return
    table = table_of("Where", "What", "Before", "After", f">Alone, to\n{before.payer} $")
    for where, what, old, new, worth in rows:
        table.add_row(where, what, old, new, f"{float(worth):z,.0f}" if worth else "–")
    console.print(table)


def _print_worth(
    console: Console, before: Contract, after: Contract, old: Sequence[Year], new: Sequence[Year], *, made: bool
) -> None:
    from ..review.compare import worth

    try:
        found = worth(before, after, old, new)
    except Refusal as refusal:
        missing = list(dict.fromkeys(each.where for each in refusal.faults))
        console.print(plain(f"Not settled on the same years, which do not have: {listed(missing, 5)}."))
        return
    said = "years that are made up" if made else "the same years"
    for title, amounts in (("What each clause pays", found.clauses), ("What each party nets", found.parties)):
        table = table_of("", ">Before", ">After", ">Difference", title=f"{title}, on {said}, in dollars")
        for name, (was, now) in amounts.items():
            table.add_row(name, *(in_dollars(x, ",.2f") for x in (was, now, now - was)))
        console.print(table)


def _print_odds(
    console: Console, before: Contract, after: Contract, taken: "tuple[Taken, Taken]", effect: float
) -> None:
    from numpy.random import default_rng

    from ..chance.simulate import simulate

    table = table_of(
        "If the program saves", "Party", ">Nets, before", ">After", ">Ends behind, before", ">After",
        title="Odds, drawn with the same luck",
    )  # fmt: skip
    for e in dict.fromkeys((0.0, effect)):
        drawn = [
            simulate(each, one.years, rng=default_rng(1), draws=DRAWS, effect=e, luck=one.luck)
            for each, one in zip((before, after), taken, strict=True)
        ]
        rows = [{row["party"]: row for row in each.table().to_dict("records")} for each in drawn]
        for party in dict.fromkeys((*rows[0], *rows[1])):
            old, new = (each.get(party) for each in rows)
            means = [in_dollars(row["mean"], ",.0f") if row else "–" for row in (old, new)]
            losses = [f"{row['chance of loss']:.0%}" if row else "–" for row in (old, new)]
            table.add_row(f"{e:.3g}" if e else "nothing", party, *means, *losses)
    console.print(table)


# --- for other systems ------------------------------------------------------------------------------------------------


def vbpr(
    contract: Annotated[
        str | None, typer.Argument(metavar="[CONTRACT]", help="A contract file, or a name from the gallery.")
    ] = None,
    years: Annotated[Path | None, typer.Option(help="Settle these years too (CSV or YAML), a report for each.")] = None,
    dated: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day on which it is reported; else the year's last.")
    ] = None,
    read: Annotated[
        Path | None,
        typer.Option(help="Read a report of the guide (JSON) back, in place of writing one."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the resources (JSON), or what was read (CSV), here.")] = None,
) -> None:
    """A contract and its settled years as HL7 Da Vinci VBPR resources, or such a report read back."""
    from ..paper import vbpr as guide

    if (contract is None) == (read is None):
        do = "name a contract to write, or give --read to read a report"
        raise Refusal([Fault("CONTRACT, --read", "both" if read else "neither", "one of the two", do)])
    with writing(contract, years, read) as outputs:
        outputs.file(out)
        if read:
            rows, _ = all_or_refuse(lambda: guide.read_report(read), outputs.ready)
            table = table_of("Whose", "Group", "Payment stream", "What", "Of", ">Value", "")
            for row in rows:
                value = f"{row.value:,.10g}" if isinstance(row.value, float) else row.value or ""
                table.add_row(row.subject, row.group, row.stream, row.metric, row.part, value, row.unit)
            screen().print(table)
            for stream, total in guide.payments(rows).items():
                screen().print(plain(f"{stream}: {in_dollars(total)}"))
            outputs.put(out, as_csv(guide.Row._fields, rows))
            return
        agreed, given, on, _ = all_or_refuse(
            lambda: load(contract or ""),
            lambda: read_years(years) if years else [],
            lambda: _day(dated) if dated else None,
            outputs.ready,
        )
        text = json.dumps(guide.bundle(agreed, given, on), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        show_or_put(text, out, outputs)
