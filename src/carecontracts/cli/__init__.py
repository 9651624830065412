"""The command line: one verb per job, a file for each group of verbs."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from .. import __version__
from ..refusal import Fault, Refusal, printable, told
from . import agreement, bank, chance, claims, net, review, select, settle, show, zone

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    help="Payment contracts for complex care: print one, settle one, check Medicare's own results.",
)
claims_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Claims: check them, import them, make them up."
)
app.add_typer(claims_app, name="claims")

# in the order of --help
app.command("select")(select.select)
app.command("bank")(bank.bank)
app.command("settle")(settle.settle)
app.command("term-sheet")(show.print_term_sheet)
app.command("agreement")(agreement.agreement)
app.command("years")(show.years)
app.command("gallery")(show.list_gallery)
app.command("mssp")(settle.mssp)
app.command("reach")(settle.reach)
app.command("odds")(chance.odds)
app.command("check")(review.check)
app.command("vbpr")(agreement.vbpr)
app.command("compare")(agreement.compare)
app.command("audit")(review.audit)
app.command("net")(net.net)
app.command("zone")(zone.zone)
app.command("price")(chance.price)
app.command("measure")(claims.measure)
claims_app.command("check")(claims.check)
claims_app.command("import")(claims.bring_in)
claims_app.command("make")(claims.make)
claims_app.command("definitions")(claims.list_definitions)
claims_app.command("crosswalk")(claims.crosswalk)


def main() -> None:
    """Runs the command; bad input is told in full on standard error, with exit code 2."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the command runs
    try:
        if sys.stdout is None:
            raise Refusal([Fault("standard output", "a closed one", "one that takes text", "do not close it")])
        for stream in (sys.stdout, sys.stderr):  # a narrow terminal loses a sign, not the run
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _let_go()  # who read it has read enough
        raise SystemExit(1) from None
    except OSError as error:
        _let_go()
        _refuse([Fault("standard output", error.strerror or "an error", "one that takes text", "make room")], [])
    except Refusal as refusal:
        _refuse(refusal.faults, refusal.done)


def _refuse(faults: Sequence[Fault], done: Sequence[str]) -> NoReturn:
    count = len(faults)
    after = "; ".join(map(printable, done)) + ". Nothing else was done." if done else "Nothing was done."
    sys.stderr.write("\n".join(told(faults)) + f"\n\n{count:,} mistake{'s' * (count > 1)}. {after}\n")
    raise SystemExit(2)


def _let_go() -> None:
    """What could not be written to standard output is not tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"carecontracts {__version__}")
        raise typer.Exit
