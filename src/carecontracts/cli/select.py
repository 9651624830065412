"""Which payment: the questions, the answer, what would change it, and where to begin."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError
from rich.text import Text

from ..contract import Contract
from ..evidence.library import faults_in
from ..gallery import gallery
from ..refusal import Fault, Refusal, show
from ..review import select as selecting
from ..units import say_list
from .common import all_or_refuse, plain, screen, table_of, tell, writing

MOST_REASONS = 4  # of what speaks against a form, in the table


def select(
    answers: Annotated[
        Path | None, typer.Argument(metavar="[ANSWERS]", help="A file of answers (YAML); without it, they are asked.")
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Print an empty file of answers, and stop.")] = False,
    show_rules: Annotated[bool, typer.Option("--rules", help="Print all of the rules (Markdown), and stop.")] = False,
    answer: Annotated[
        list[str] | None, typer.Option(metavar="NAME=ANSWER", help="One answer, in place of the file's: people=600.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day on which it begins; else the next 1 January.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the contract to begin with to this YAML file, with your answers in it.")
    ] = None,
) -> None:
    """Which payment fits? Ranks every form for where you stand, with reasons, a path, and what to ask first."""
    if example:
        sys.stdout.write(selecting.example())
        return
    if show_rules:
        sys.stdout.write(selecting.as_markdown())
        return
    with writing(answers) as outputs:
        outputs.file(out)
        given, begins, told, _ = all_or_refuse(
            lambda: selecting.Situation.load(answers) if answers else None,
            lambda: _day(start),
            lambda: _told(answer or []),
            outputs.ready,
        )
        if given is None and not told:
            given = _asked()
        situation = _with(given or selecting.Situation(), told)
        places = selecting.ranked(situation)
        _print(situation, places, begins)
        best = places[0]
        if out:
            outputs.put(out, _begun(best.form.template(situation), situation).as_yaml())
    name = str(out) if out else best.form.template(situation)
    tell(f"Next: carecontracts check {name}; carecontracts net {name}; carecontracts agreement {name}", stderr=False)


def _day(text: str | None) -> date:
    if text is None:
        return date(date.today().year + 1, 1, 1)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal([Fault("--start", show(text), "a day as YYYY-MM-DD", "correct it")]) from None


def _told(answers: list[str]) -> dict[str, Any]:
    """`people=600` as an answer by name, read as a file of answers has it."""
    allowed = "NAME=ANSWER, as in people=600"
    faults = [Fault("--answer", show(text), allowed, "correct it") for text in answers if "=" not in text]
    if faults:
        raise Refusal(faults)
    told: dict[str, Any] = {}
    for text in answers:
        name, _, value = text.partition("=")
        told[name.strip()] = _value(value.strip())
    return told


def _value(text: str) -> Any:
    """A number where it is one, and words where it is not."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else text


def _with(given: selecting.Situation, told: dict[str, Any]) -> selecting.Situation:
    try:
        return selecting.Situation.model_validate(given.model_dump(exclude_none=True) | told)
    except ValidationError as error:
        fields = selecting.Situation.model_fields
        raise Refusal(faults_in(error, lambda at: f"the answer `{at[0]}`" if at else "the answers", fields)) from None


def _asked() -> selecting.Situation:
    """The answers, asked one after the other in a terminal; what is wrong is asked again."""
    if not sys.stdin.isatty():
        do = "carecontracts select --example > mine.yaml, fill it in, and carecontracts select mine.yaml"
        raise Refusal([Fault("ANSWERS", "nothing, and no terminal to ask in", "a file of answers, or --answer", do)])
    tell("Leave empty what you do not know.", stderr=False)
    given = selecting.Situation()
    for name, (question, options) in selecting.questions().items():
        hint = f" ({', '.join(f'{n} {option}' for n, option in enumerate(options, 1))})" if options else ""
        while text := typer.prompt(question + hint, default="", show_default=False).strip():
            chosen = options[int(text) - 1] if options and text.isdigit() and 0 < int(text) <= len(options) else text
            try:
                given = _with(given, {name: chosen if options else _value(text)})
                break
            except Refusal as refusal:
                fault = refusal.faults[0]
                tell(f"{fault.given}: {fault.allowed}.", stderr=False)
    return given


def _print(situation: selecting.Situation, places: list[selecting.Ranked], begins: date) -> None:
    console, order = screen(), selecting.rules().order
    table = table_of(">", "Form", "HCP-LAN", "The provider carries", "Against it here", "For it here")
    for n, one in enumerate(places, 1):
        against = [f"{order[r.concern]}: {r.because}" for r in one.against if r.concern]
        more = f" … and {len(against) - MOST_REASONS} more" if len(against) > MOST_REASONS else ""
        table.add_row(
            str(n), one.form.title, one.form.category(situation), one.form.carries,
            "; ".join(against[:MOST_REASONS]) + more or "nothing known", "; ".join(r.because for r in one.in_favor),
        )  # fmt: skip
        table.add_row("", "", "", "", "", "")
    console.print(table)
    console.print(Text("An objection outweighs all that come later in this order: " + "; ".join(order.values()) + "."))
    unmeasured = [one.form.title for one in places if one.form.compared is None]
    console.print(plain(f"Not measured on the same people as the others: {say_list(unmeasured)}."))
    best = places[0]
    console.print(Text(f"\nBegin with: {best.form.template(situation)}", style="bold"))
    if found := selecting.turns(situation):
        table = table_of("If the answer to", "were", "first would come", title="What would change it")
        for turn in found:
            table.add_row(selecting.questions()[turn.name][0], turn.answer, turn.first)
        console.print(table)
    table = table_of("From", "Form", "Once this is so", title="A path")
    for step in selecting.path(situation, begins):
        table.add_row(f"{step.begins:%Y-%m-%d}", step.title, "; ".join(step.tests))
    console.print(table)
    console.print(Text("Ask first:", style="bold"))
    for question in selecting.ask_first(situation):
        console.print(plain(f"- {question}"))


def _begun(name: str, situation: selecting.Situation) -> Contract:
    """The contract to begin with, and the answers where it has a place for them."""
    contract = Contract.load(gallery(name))
    purpose = {"line_of_business": situation.line, "people": situation.people}
    known = {term: value for term, value in purpose.items() if value is not None}
    if contract.provisions and contract.provisions.purpose and known:
        contract = contract.amend(provisions={"purpose": known})
    return contract
