"""Who nets what: a contract with all that is outside it."""

import math
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from ..files import as_csv
from ..paper import workbook
from ..parties import outside as beside
from ..parties.part import at
from ..refusal import Fault, Refusal, many
from ..units import say_list, say_percent
from ..year import read_years
from .common import (
    all_or_refuse,
    by_party,
    load,
    needing,
    of_parties,
    plain,
    screen,
    table_of,
    within,
    writing,
)
from .luck import (
    NOTHING,
    Asked,
    ExpectedYears,
    Seed,
    TeamCosts,
    YearsAreWithMost,
    of_years,
    taken_as,
    with_luck,
    without_the_program,
)

if TYPE_CHECKING:
    from ..chance import assumed
    from ..parties import net as netting


@with_luck
def net(
    contract: Annotated[
        str | None, typer.Argument(metavar="CONTRACT", help="A contract file (YAML), or a name from the gallery.")
    ] = None,
    years: ExpectedYears = None,
    years_are: YearsAreWithMost = None,
    outside: Annotated[
        Path | None,
        typer.Option(help="Teams, beds, pockets and premiums (YAML): what a contract does not say; see --example."),
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Print such a file to copy, and stop.")] = False,
    effect: Annotated[
        list[float] | None,
        typer.Option(help="What the program truly saves; give it more than once. Without it 0, 0.03 and 0.1."),
    ] = None,
    price_of: Annotated[
        str | None,
        typer.Option(metavar="CLAUSE", help="The clause to solve for: who can pay how much, who needs how much."),
    ] = None,
    luck: Asked = NOTHING,
    draws: Annotated[int, typer.Option(help="How many times chance is drawn.")] = 2_000,
    seed: Seed = 1,
    cost: TeamCosts = None,
    out: Annotated[
        Path | None, typer.Option(help="Write every party's net by year and source to this CSV or XLSX file.")
    ] = None,
) -> None:
    """Who nets what: payments, care not bought, teams, empty beds, the next premium, if it works, a little, or not."""
    if example:
        sys.stdout.write(beside.example().read_text(encoding="utf-8"))
        return
    if contract is None:
        do = "name one, such as hnhc-targeted; what is outside it begins with: carecontracts net --example > mine.yaml"
        raise Refusal([Fault("CONTRACT", "nothing", "a contract file, or a name from the gallery", do)])
    with needing("chance"):
        from ..chance import assumed
        from ..chance.plausible import without_effect
        from ..parties import net as netting
    effects = sorted(set(netting.EFFECTS if effect is None else effect))
    with writing(contract, years, outside) as outputs:
        outputs.file(out)
        agreed, _, asked, _, given, told, teams, _, *_ = all_or_refuse(
            lambda: load(contract),
            lambda: within(draws=draws, seed=seed),
            lambda: taken_as(luck, years),
            lambda: of_years(years_are, years),
            lambda: read_years(years) if years else None,
            lambda: beside.Outside.load_file(outside) if outside else beside.Outside(name="nothing was given"),
            lambda: by_party("--cost", cost),
            outputs.ready,
            *(lambda e=e: within(effect=e) for e in effects),
        )
        if years_are == "with":
            ramp = told.effect_ramp
            given = [
                year
                for n, each in enumerate(given)
                for year in without_effect(agreed, [each], max(effects) * at(ramp, n))
            ]
        elif given and years_are is None:
            without_the_program(given, max(effects))
        all_or_refuse(
            lambda: of_parties({"--cost": teams}, agreed, told.others),
            lambda: netting.priced(agreed, price_of) if price_of else None,
        )
        told = told.with_teams(teams).beside(agreed)
        taken = assumed.take(agreed, given, **asked)
        expected = beside.with_care(taken.years, taken.lives * taken.cost)
        with screen(stderr=True).status("Drawing") as status:
            found = netting.net(
                agreed, expected, told, seed=seed, effects=effects, draws=draws, luck=taken.luck,
                tell=lambda say: status.update(plain(say)),
            )  # fmt: skip
            if price_of:
                status.update(plain(f"What {price_of} would have to pay"))
            zones = netting.zone(found, price_of) if price_of else []
        console = screen()
        console.print(Text(agreed.title, style="bold"))
        keeps = say_list([f"{party} ({say_percent(share)})" for party, share in (told.care or {}).items()])
        console.print(Text(f"Who pays for care, and keeps what is not bought: {keeps}."))
        for clause in agreed.clauses:
            if share := told.taken_on.get(clause.name):
                buys = f"{clause.payee} buys {say_percent(share)} of the care of {clause.payer}, and keeps what is not"
                console.print(Text(f"Under “{clause.name}” {buys} bought of it: “{beside.TAKEN_ON}”."))
        if told.effect_ramp != [1.0]:
            steps = ", ".join(say_percent(at(told.effect_ramp, n)) for n in range(len(expected)))
            console.print(Text(f"Of the effect, what is reached in each year: {steps}."))
        console.print()
        shown = netting.sources(found)
        for one in found:
            _print_parties(console, one, shown)
        if price_of:
            unsaid = told.unsaid(agreed)
            unknown = {p for c in agreed.clauses if c.name in unsaid for p in (c.payer, c.payee)}
            _print_zones(console, price_of, zones, unknown)
        _print_rest(console, found, told.missing(agreed), taken)
        rows = list(netting.rows(found, shown))
        outputs.put(out, workbook.net(rows) if out and out.suffix.lower() == ".xlsx" else as_csv(workbook.NET, rows))


def _print_parties(console: Console, one: "netting.Netted", shown: Sequence[str]) -> None:
    """What each party nets over the term, by source; the last row is all others, so that the column adds up to zero."""
    title = f"{_case(one.effect)}: what each nets over {many(len(one.expected.years), 'year')}, in dollars"
    heads = (*(f">{source.capitalize()}" for source in shown), ">Nets", ">Ends\nbehind", ">Lowest cash", "in")
    table = table_of("Party", *heads, ">1 in 20\nlower than", title=title)
    for party in one.parties:
        low = one.worst(party)
        table.add_row(
            party, *(f"{one.mean(party, source=source):z,.0f}" for source in shown), f"{one.mean(party):z,.0f}",
            f"{one.loses(party):.0%}", f"{low.cash:z,.0f}", low.month, f"{one.worst_of_20(party):z,.0f}",
        )  # fmt: skip
    world = [-sum(one.mean(party, source=source) for party in one.parties) for source in (*shown, None)]
    table.add_row("all others", *(f"{x:z,.0f}" for x in world), "", "", "", "")
    console.print(table)


def _case(effect: float) -> str:
    return f"If it takes {say_percent(effect)} off the cost of care" if effect else "If the program does nothing"


def _print_zones(console: Console, clause: str, zones: "Sequence[netting.Zone]", unknown: Collection[str]) -> None:
    """The least that who is paid needs and the most that who pays can pay, by effect, where the care bought is said."""
    table = table_of("If it takes off", "Party", "", ">Times the price", ">Price $", title=f"What “{clause}” can carry")
    for zone in zones:
        if zone.party in unknown:
            table.add_row(say_percent(zone.effect), zone.party, "not known without `taken_on`", "", "")
            continue
        side = "can pay at most" if zone.pays else "needs at least"
        times = "no price does" if zone.times is None else "any" if math.isinf(zone.times) else f"{zone.times:.2f}"
        table.add_row(
            say_percent(zone.effect), zone.party, side, times, "" if zone.price is None else f"{zone.price:,.2f}"
        )
    console.print(table)


def _print_rest(
    console: Console, found: "Sequence[netting.Netted]", missing: Sequence[str], taken: "assumed.Taken"
) -> None:
    """Cash to bring, what is left out, and what is assumed."""
    from ..parties import net as netting

    for one in (found[0], found[-1])[: len(found)]:
        for party in one.expected.outside.teams:
            if (months := one.months_to_bring(party)) is not None:
                said = f"{party} must bring {months:.1f} months of its team's cost to be safe in 19 of 20 draws."
                console.print(Text(f"{_case(one.effect)}, {said}"))
            if (needed := netting.months_needed(one, party)) is not None:
                paid = "the months that are expected to be engaged or documented"
                ends = f"ends even at {needed:.0%}" if needed else "does not end behind even with none"
                console.print(Text(f"{_case(one.effect)}, {party} {ends} of {paid}."))
    console.print(Text("Compared with the same years and the same luck, without the program and without the contract."))
    if missing:
        console.print(Text("Not counted, since nothing says it: " + "; ".join(missing) + "."))
    table = table_of("What is assumed", "Value", "It rests on", "To change it", title="What this assumes")
    for row in taken.rows():
        table.add_row(*row)
    console.print(table)
