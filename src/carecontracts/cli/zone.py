"""Where all can sign: two terms over a grid."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from ..files import as_csv, number_in
from ..parties import outside as beside
from ..parties.part import at
from ..refusal import Fault, Refusal, in_dollars, many, show
from ..units import say_list, say_percent
from ..year import read_years
from .common import ContractFile, all_or_refuse, by_party, load, needing, plain, screen, table_of, within, writing
from .luck import (
    NOTHING,
    Asked,
    ExpectedYears,
    OutsideFile,
    Seed,
    TeamCosts,
    YearsAreWithMost,
    of_years,
    taken_as,
    with_luck,
    without_the_program,
)

if TYPE_CHECKING:
    from ..parties.zone import Axis, Grid, Point

FORM = "CLAUSE.TERM=LOW:HIGH, as in care management fee.per_member_per_month=150:350"


@with_luck
def zone(
    contract: ContractFile,
    years: ExpectedYears = None,
    years_are: YearsAreWithMost = None,
    term: Annotated[
        list[str] | None, typer.Option(metavar="CLAUSE.TERM=LOW:HIGH", help="A term to move; one or two of them.")
    ] = None,
    steps: Annotated[int, typer.Option(help="How many values each term takes, from low to high.")] = 5,
    most_loss: Annotated[
        list[str] | None,
        typer.Option(metavar="PARTY=SHARE", help="How often a party may end behind: plan=0.3; else half the time."),
    ] = None,
    outside: OutsideFile = None,
    effect: Annotated[
        list[float] | None,
        typer.Option(help="What the program truly saves, each as likely; without it 0, 0.03 and 0.1."),
    ] = None,
    luck: Asked = NOTHING,
    draws: Annotated[int, typer.Option(help="How many times chance is drawn at each point.")] = 1_000,
    seed: Seed = 1,
    cost: TeamCosts = None,
    out: Annotated[Path | None, typer.Option(help="Write every point and party to this CSV file.")] = None,
) -> None:
    """Where all can sign: two terms over a grid, who ends behind how often, what a step costs, and one suggestion."""
    with needing("chance"):
        from ..chance import assumed
        from ..chance.plausible import without_effect
        from ..parties import net as netting
        from ..parties import zone as bargaining
    effects = list(netting.EFFECTS) if effect is None else effect
    with writing(contract, years, outside) as outputs:
        outputs.file(out)
        agreed, _, _, asked, _, given, told, teams, limits, axes, _, *_ = all_or_refuse(
            lambda: load(contract),
            lambda: within(draws=draws, seed=seed),
            lambda: _steps(steps),
            lambda: taken_as(luck, years),
            lambda: of_years(years_are, years),
            lambda: read_years(years) if years else None,
            lambda: beside.Outside.load_file(outside) if outside else beside.Outside(name="nothing was given"),
            lambda: by_party("--cost", cost),
            lambda: by_party("--most-loss", most_loss, rate=True),
            lambda: _asked_for(term or []),
            outputs.ready,
            *(lambda e=e: within(effect=e) for e in effects),
        )
        moved = all_or_refuse(
            *(partial(bargaining.axis, agreed, clause, name, low, high, steps) for clause, name, low, high in axes)
        )
        if years_are == "with":
            given = [
                year
                for n, each in enumerate(given)
                for year in without_effect(agreed, [each], max(effects) * at(told.effect_ramp, n))
            ]
        elif given and years_are is None:
            without_the_program(given, max(effects))
        told = told.with_teams(teams).beside(agreed)
        taken = assumed.take(agreed, given, **asked)
        expected = beside.with_care(taken.years, taken.lives * taken.cost)
        with screen(stderr=True).status("Drawing") as status:
            grid = bargaining.zone(
                agreed, expected, told, moved, seed=seed, limits=limits, effects=effects, draws=draws, luck=taken.luck,
                tell=lambda say: status.update(plain(say)),
            )  # fmt: skip
        console = screen()
        console.print(Text(agreed.title, style="bold"))
        cases = say_list([say_percent(each) for each in effects])
        likely = "each as likely" if len(effects) > 1 else "and nothing else"
        console.print(Text(f"The program takes {cases} off the cost of care, {likely}."))
        _print_grid(console, grid, len(expected))
        _print_steps(console, grid)
        _print_suggestion(console, grid)
        if missing := told.missing(agreed):
            console.print(Text("Not counted, since nothing says it: " + "; ".join(missing) + "."))
        table = table_of("What is assumed", "Value", "It rests on", "To change it", title="What this assumes")
        for row in taken.rows():
            table.add_row(*row)
        console.print(table)
        head = [*map(str, grid.axes), "party", "ends behind", "nets", "limit", "in the zone"]
        rows = [
            [
                *p.at,
                party,
                round(p.behind[party], 4),
                round(p.nets[party], 2),
                grid.limits.get(party, ""),
                p in grid.zone,
            ]
            for p in grid.points
            for party in p.behind
        ]
        outputs.put(out, as_csv(head, rows))


def _steps(steps: int) -> None:
    if not 2 <= steps <= 11:
        raise Refusal([Fault("--steps", show(steps), "2 to 11", "give a number in between")])


def _asked_for(given: Sequence[str]) -> list[tuple[str, str, float, float]]:
    """`shared savings.share=0.2:0.6` as a clause, its term, and two ends."""
    if not 1 <= len(given) <= 2:
        was = many(len(given), "term") if given else "nothing"
        raise Refusal([Fault("--term", was, f"one or two: {FORM}", "say which terms to move, and how far")])
    found: list[tuple[str, str, float, float]] = []
    faults = []
    for text in given:
        name, _, ends = text.rpartition("=")
        clause, _, term = name.rpartition(".")
        low, _, high = ends.partition(":")
        numbers = [number_in(low), number_in(high)]
        if not clause or not term or any(isinstance(number, str) for number in numbers):
            faults.append(Fault("--term", show(text), FORM, "give two numbers; a share is 0.2, not 20%"))
        elif (clause, term) in [each[:2] for each in found]:
            faults.append(Fault("--term", f"{show(name)} again", "each term once", "give one"))
        else:
            found.append((clause, term, float(numbers[0]), float(numbers[1])))
    if faults:
        raise Refusal(faults)
    return found


def _print_grid(console: Console, grid: "Grid", years: int) -> None:
    """How often each party ends behind at every point; what all can sign stands in brackets."""
    counted = list(grid.limits)
    limits = say_list([f"{party} at most {say_percent(limit)}" for party, limit in grid.limits.items()])
    first, *second = grid.axes
    title = f"How often each ends behind over {many(years, 'year')}: " + ", ".join(counted)
    columns = [_at(grid.axes[1], value) for value in second[0].values] if second else ["ends behind"]
    table = table_of(str(first), *(f">{column}" for column in columns), title=title)
    points = iter(grid.points)
    inside, suggested = grid.zone, grid.suggested
    for value in first.values:
        cells = []
        for _ in columns:
            point = next(points)
            cell = ", ".join(f"{point.behind[party]:.0%}" for party in counted)
            cells.append(f"[{cell}]{'*' if point is suggested else ''}" if point in inside else cell)
        table.add_row(f"{value:,.10g}", *cells)
    console.print(table)
    console.print(
        Text(f"In brackets, where all can sign: {limits}." + (" The star is the suggestion." if inside else ""))
    )
    console.print()


def _at(axis: "Axis", value: float) -> str:
    return f"{axis.term} {value:,.10g}"


def _print_steps(console: Console, grid: "Grid") -> None:
    """What each step costs each side, the other term as suggested."""
    parties = list(grid.limits)
    heads = [head for party in parties for head in (f">{party}\nnets $", ">ends\nbehind")]
    title = "What a step does to each, with the other term as suggested"
    table = table_of("Term", ">From", ">To", *heads, title=title if len(grid.axes) > 1 else "What a step does to each")
    for step in grid.steps(grid.suggested):
        cells = [cell for p in parties for cell in (f"{step.nets[p]:+z,.0f}", f"{100 * step.behind[p]:+z.0f} points")]
        table.add_row(str(step.axis), f"{step.low:,.10g}", f"{step.high:,.10g}", *cells)
    console.print(table)


def _print_suggestion(console: Console, grid: "Grid") -> None:
    """The point, and why; where there is no zone, who stands in the way at the nearest point."""
    point = grid.suggested
    where = say_list([f"{axis} at {value:,.10g}" for axis, value in zip(grid.axes, point.at, strict=True)])
    nets = say_list([_said(point, party) for party in grid.limits])
    if grid.zone:
        console.print(Text(f"One suggestion: {where}. There {nets}."))
        console.print(
            Text("It is where the party nearest to its limit is farthest from it; others would pick another.")
        )
        return
    over = [party for party, limit in grid.limits.items() if point.behind[party] > limit + 1e-9]
    console.print(Text(f"Nowhere on this grid can all sign. The nearest is {where}. There {nets}."))
    console.print(Text(f"Over its limit: {say_list(over)}. Widen a range, move another term, or lower what it costs."))


def _said(point: "Point", party: str) -> str:
    nets = in_dollars(point.nets[party], ",.0f")
    return f"{party} nets {nets} on average and ends behind in {point.behind[party]:.0%} of draws"
