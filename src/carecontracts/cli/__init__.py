"""The command line: one verb per job, a file for each group of verbs."""

import sys
from typing import Annotated

import typer

from .. import __version__
from ..refusal import Refusal, told
from . import chance, claims, settle, show

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
app.command("settle")(settle.settle)
app.command("term-sheet")(show.print_term_sheet)
app.command("years")(show.years)
app.command("gallery")(show.list_gallery)
app.command("mssp")(settle.mssp)
app.command("odds")(chance.odds)
app.command("price")(chance.price)
app.command("measure")(claims.measure)
claims_app.command("check")(claims.check)
claims_app.command("import")(claims.bring_in)
claims_app.command("make")(claims.make)
claims_app.command("definitions")(claims.list_definitions)
claims_app.command("crosswalk")(claims.crosswalk)


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


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"carecontracts {__version__}")
        raise typer.Exit
