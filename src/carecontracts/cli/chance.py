"""Chance and price: is it savings or luck, and what must a program cost?"""

import math
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from ..files import as_csv
from ..parties import price as pricing
from ..refusal import Fault, Refusal, in_dollars, many
from ..units import say_percent
from ..year import Year, read_years
from .capital import COLUMNS, print_cover, print_held
from .common import (
    ContractFile,
    all_or_refuse,
    by_party,
    load,
    needing,
    of_parties,
    plain,
    screen,
    table_of,
    tell,
    within,
    writing,
)
from .luck import (
    NOTHING,
    Asked,
    ExpectedYears,
    Seed,
    YearsAre,
    of_years,
    taken_as,
    with_luck,
    without_the_program,
)

if TYPE_CHECKING:
    from ..chance import assumed
    from ..chance import simulate as chance
    from ..contract import Contract


@with_luck
def odds(
    contract: ContractFile,
    years: ExpectedYears = None,
    years_are: YearsAre = None,
    luck: Asked = NOTHING,
    effect: Annotated[float, typer.Option(help="What the program truly saves: 0.05 is 5% of spending.")] = 0.05,
    draws: Annotated[int, typer.Option(help="How many times chance is drawn.")] = 10_000,
    seed: Seed = 1,
    cost: Annotated[
        list[str] | None, typer.Option(metavar="PARTY=DOLLARS", help="What a party pays a year outside the contract.")
    ] = None,
    care: Annotated[
        str | None, typer.Option(metavar="PARTY", help="Who pays for care: its cost is then in that party's line.")
    ] = None,
    show_capital: Annotated[
        bool,
        typer.Option("--capital", help="What a bad term costs each party, what it must hold, what cover is worth."),
    ] = False,
    reserve: Annotated[
        list[str] | None, typer.Option(metavar="PARTY=DOLLARS", help="What a party holds: how likely it runs out.")
    ] = None,
    capital_cost: Annotated[
        list[str] | None, typer.Option(metavar="PARTY=RATE", help="What a dollar held costs a party in a year: 0.08.")
    ] = None,
    discount: Annotated[
        list[str] | None, typer.Option(metavar="PARTY=RATE", help="The yearly rate of a party's present value: 0.05.")
    ] = None,
    attachment: Annotated[
        list[float] | None, typer.Option(help="Price cover of one member from so many dollars a year on, too.")
    ] = None,
    loading: Annotated[
        float | None, typer.Option(help="Of a premium for cover, what is not claims; else 0.25.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the tables to this CSV file too.")] = None,
) -> None:
    """Is it savings or luck? A contract through thousands of years of chance, with and without a true effect."""
    with needing("chance"):
        from numpy.random import default_rng

        from ..chance import assumed
        from ..chance import capital as money
        from ..chance import simulate as chance
    with writing(contract, years) as outputs:
        outputs.file(out)
        agreed, _, asked, _, given, outside, reserves, costs, discounts, *_ = all_or_refuse(
            lambda: load(contract),
            lambda: within(effect=effect, draws=draws, seed=seed, loading=loading),
            lambda: taken_as(luck, years),
            lambda: of_years(years_are, years),
            lambda: read_years(years) if years else None,
            lambda: by_party("--cost", cost),
            lambda: by_party("--reserve", reserve),
            lambda: by_party("--capital-cost", capital_cost, rate=True),
            lambda: by_party("--discount", discount, rate=True),
            *(partial(within, attachment=point) for point in attachment or ()),
            outputs.ready,
        )
        named = {"--cost": outside, "--reserve": reserves, "--capital-cost": costs, "--discount": discounts}
        of_parties(named | {"--care": [care] if care else []}, agreed)
        _something_to_price(agreed, attachment, loading, luck)
        if not given:
            tell("No years given: expected ones are made from the contract's terms.")
        if years_are == "with":
            given = chance.without_effect(agreed, given, effect)
        elif given and years_are is None:
            without_the_program(given, effect)
        taken = assumed.take(agreed, given, **asked, care=bool(care))
        expected, drawn_by = taken.years, taken.luck
        with screen(stderr=True).status("Drawing") as status:

            def drawn_with(e: float) -> "chance.Simulation":
                rng = default_rng(seed)
                return chance.simulate(
                    agreed, expected, rng=rng, draws=draws, effect=e, luck=drawn_by, costs=outside, care=care
                )

            effects = list(dict.fromkeys((0.0, effect)))
            drawn = [drawn_with(e) for e in effects]
            hung = assumed.swings(
                agreed,
                expected,
                drawn_by,
                seed=seed,
                draws=min(draws, 2_000),
                tell=lambda say: status.update(plain(say)),
            )
        console = screen()
        console.print(Text(agreed.title, style="bold"))
        console.print(Text(chance.in_words(drawn[0], drawn[-1], effect) + "\n"))
        rows = [
            row
            for one, e in zip(drawn, effects, strict=True)
            for row in _print_parties(console, one, e, care=bool(care))
        ]
        header: Sequence[str] = (
            "effect",
            "party",
            "mean",
            "sd",
            "q05",
            "median",
            "q95",
            "chance_of_loss",
            "lowest_cash_1_in_20",
        )
        if show_capital or reserves or costs or discounts:
            more: list[Sequence[object]] = []
            for one, e in zip(drawn, effects, strict=True):
                more += print_held(console, money.held(one, reserves, costs, discounts), e, len(one.years))
            rows, header = [(*row, *own) for row, own in zip(rows, more, strict=True)], (*header, *COLUMNS)
        rest = [
            assumed.Row(f"{what}, for {party}", say_percent(rate), "given", option)
            for option, what, rates in (
                ("--capital-cost", "what a dollar held costs in a year", costs),
                ("--discount", "the yearly rate of present values", discounts),
            )
            for party, rate in rates.items()
        ]
        rest += [assumed.Row("who pays for care", care, "given", "--care")] if care else []
        priced = show_capital or attachment or loading is not None
        share = money.LOADING if loading is None else loading
        found = money.covers(drawn[0], expected[0], taken.lives, drawn_by, points=attachment or (), loading=share)
        if priced and found:
            print_cover(console, found, share)
            because = assumed.ASSUMED if loading is None else "given"
            rest.append(
                assumed.Row("what is not claims, of a premium for cover", say_percent(share), because, "--loading")
            )
        if not care:
            _print_care(console, agreed, expected, effect)
        _print_assumed(console, [*taken.rows(), *rest], hung)
        outputs.put(out, as_csv(header, rows))


def _print_parties(
    console: Console, simulation: "chance.Simulation", effect: float, care: bool
) -> Iterator[Sequence[object]]:
    """What each party receives less what it pays, as a table; its rows for a file."""
    years, draws = len(simulation.years), simulation.draws
    over = f"over {many(years, 'year')}, {many(draws, 'draw')}"
    title = f"True effect {say_percent(effect)}: received less paid, by party, {over}"
    heads = (">Mean", ">Sd", ">5%", ">Median", ">95%", ">Pays more\nthan it gets", ">Lowest cash\n(1 in 20)")
    table = table_of("Party", *heads, title=title)
    # Who pays for results pays more than it gets, whatever they are: what it keeps is care that it does not buy.
    keeps = None if care else simulation.contract.payer
    for party, *amounts, loss, low in simulation.table().itertuples(index=False, name=None):
        often = ("-", "") if party == keeps else (f"{loss:.0%}", f"{loss:.4f}")
        table.add_row(party, *(f"{x:,.0f}" for x in amounts), often[0], f"{low:,.0f}")
        yield (effect, party, *(f"{x:.2f}" for x in amounts), often[1], f"{low:.2f}")
    console.print(table)


def _print_care(console: Console, contract: "Contract", years: Sequence[Year], effect: float) -> None:
    """What is in no party's line: care, bought or not."""
    spends = [float(spend) for year in years if (spend := year.whole_spend) is not None]
    said = "These are payments and the costs that were given. Care is in nobody's line; --care PARTY puts it in one."
    if spends:
        kept = in_dollars(effect * sum(spends) / len(spends), ",.0f")
        said += (
            f" With a true effect of {say_percent(effect)} {kept} of it is not bought in an average year, and whoever"
            " pays for care keeps that. What each party nets of all this: carecontracts net."
        )
    if spends or any(clause.price_of_all_care() is not None for clause in contract.clauses):
        console.print(Text(said + "\n"))


def _print_assumed(console: Console, rows: "Sequence[assumed.Row]", hung: "Sequence[assumed.Swing]") -> None:
    """Everything that was assumed, and what the answer hangs on most."""
    table = table_of("What is assumed", "Value", "It rests on", "To change it", title="What these odds assume")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if hung:
        console.print(
            Text(f"What is paid for nothing in an average year, less what comes back, hangs most on {hung[0]}.")
        )


def _something_to_price(
    contract: "Contract",
    attachment: Sequence[float] | None,
    loading: float | None,
    luck: Asked,
) -> None:
    """Refuses to price a member's cover from a spread that is no member's, and a loading of no premium."""
    faults = []
    if attachment and luck["spread"] is None and luck["line"] is None:
        do = "give the spread of your members before any cap: 2.15, which stands in for it, is fitted to capped cost"
        faults.append(Fault("--attachment", "without a spread of cost", "--spread or --line with it", do))
    if loading is not None and not attachment and not any(clause.insures for clause in contract.clauses):
        do = "say from how many dollars on, with --attachment, or take the option out"
        faults.append(Fault("--loading", "of a contract without cover", "a contract with stop-loss", do))
    if faults:
        raise Refusal(faults)


def price(
    proposal: Annotated[
        Path | None, typer.Argument(metavar="PROGRAM", help="A program's staff, people and pay (YAML); see --example.")
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Print a program to copy, and stop.")] = False,
    chance: Annotated[float, typer.Option(help="The chance of saving its cost to work backwards from.")] = 0.5,
    out: Annotated[Path | None, typer.Option(help="Write the years and chances to this CSV file too.")] = None,
) -> None:
    """Price a program: its cost per member month, what it must save, how likely that is, and what would change it."""
    if example:
        sys.stdout.write(pricing.example().read_text(encoding="utf-8"))
        return
    if proposal is None:
        raise Refusal([Fault("PROGRAM", "nothing", "a file", "begin with: carecontracts price --example > mine.yaml")])
    with writing(proposal) as outputs:
        outputs.file(out)
        given, _, _ = all_or_refuse(
            lambda: pricing.Proposal.load_file(proposal), lambda: within(chance=chance), outputs.ready
        )
        priced = pricing.price(given, chance=chance)
        _print_price(priced, chance)
        header = ("year", "people", "posts", "cost", "price", "must_save_to_date", "belief", "truly", "shown")
        outputs.put(out, as_csv(header, _rows(priced)))


def _print_price(priced: pricing.Price, chance: float) -> None:
    console = screen()
    console.print(Text(priced.proposal.name, style="bold"))
    table = table_of(">Year", ">People", ">Posts", ">Cost $", ">Per member month $", ">Must save to date")
    for year, so_far in zip(priced.years, priced.to_date, strict=True):
        table.add_row(
            str(year.year), f"{year.people:,.0f}", f"{year.posts:,.1f}", f"{year.cost:,.0f}",
            _or_dash(year.price, ",.2f"), _or_dash(so_far.required, ".1%"),
        )  # fmt: skip
    console.print(table)
    table = table_of("By the end of year", "If we believe", ">Truly saves its cost", ">The result says so")
    for row in priced.chances:
        table.add_row(str(row.year), row.belief, f"{row.truly:.1%}", f"{row.shown:.1%}")
    console.print(table)
    table = table_of("For a chance of", "Change", ">From", ">To", "", title="Backwards, one at a time")
    for lever in priced.backwards:
        needed = "-" if lever.needed is None else f"{lever.needed:,.2f}"
        table.add_row(f"{chance:.0%}", lever.lever, f"{lever.now:,.2f}", needed, lever.note)
    console.print(table)
    console.print(Text(str(priced.support)))
    console.print(Text("Assumed, to be replaced with your own: " + ", ".join(priced.proposal.assumed())))


def _or_dash(rate: float, form: str, dash: str = "-") -> str:
    """A rate; a dash where it is over nobody."""
    return f"{rate:{form}}" if math.isfinite(rate) else dash


def _rows(priced: pricing.Price) -> Iterator[tuple[str | int, ...]]:
    """A row for each year and belief."""
    years = {year.year: (year, so_far) for year, so_far in zip(priced.years, priced.to_date, strict=True)}
    for row in priced.chances:
        year, so_far = years[row.year]
        price = (f"{year.people:.1f}", f"{year.posts:.2f}", f"{year.cost:.2f}", _or_dash(year.price, ".2f", ""))
        chances = (_or_dash(so_far.required, ".6f", ""), row.belief, f"{row.truly:.6f}", f"{row.shown:.6f}")
        yield (row.year, *price, *chances)
