"""The options of chance: the same for every command that draws it, and checked in one place."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from ..files import number_in
from ..refusal import Fault, Refusal, did_you_mean, show
from ..units import MOST_DOLLARS, say_percent, tidy
from ..year import Year
from .common import all_or_refuse, within

Asked = dict[str, Any]  # what was given of these options, by name; None, or False, where nothing was
OPTIONS: dict[str, Any] = {
    "lives": Annotated[int | None, typer.Option(help="People; else as the years say, or 500.")],
    "line": Annotated[
        str | None,
        typer.Option(help="medicaid, medicare, dual or commercial: what a member costs, the spread, lasting luck."),
    ],
    "complex_care": Annotated[
        bool, typer.Option("--complex", help="With --line: its dearest 5% of one year, in the next.")
    ],
    "member_cost": Annotated[float | None, typer.Option(help="Dollars that one member costs in a year.")],
    "spread": Annotated[
        float | None, typer.Option(help="One member's standard deviation of yearly cost over its mean, before any cap.")
    ],
    "truncation": Annotated[float | None, typer.Option(help="Dollars up to which a member's cost counts.")],
    "common": Annotated[float | None, typer.Option(help="What moves everyone's cost at once: 0.016 is 1.6%.")],
    "kept": Annotated[float | None, typer.Option(help="How much of a year's luck is there again in the next.")],
    "churn": Annotated[float | None, typer.Option(help="The share of members who leave in a year.")],
    "benchmark_from": Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="How the benchmark is made: agreed, history, same-people, blend, comparison or factor; else as the"
            " contract says.",
        ),
    ],
    "weights": Annotated[
        str | None, typer.Option(metavar="SHARES", help="Of a history, the oldest year first: 0.1,0.3,0.6.")
    ],
    "own_share": Annotated[float | None, typer.Option(help="Of a blend, how much its own history counts.")],
    "compared": Annotated[
        int | None, typer.Option(help="People in the comparison, or on whom the factor is measured; else as many.")
    ],
    "common_shared": Annotated[
        float | None, typer.Option(help="How much of what moves everyone moves the benchmark too: 1 is all of it.")
    ],
    "benchmark_error": Annotated[
        float | None, typer.Option(help="How far the benchmark itself strays by luck; else by how it is made.")
    ],
    "trend_error": Annotated[float | None, typer.Option(help="How far its trend strays in a year, adding up.")],
    "clumps": Annotated[
        float | None, typer.Option(help="Variance of a count over its mean: 1 if each comes alone; else 2.")
    ],
    "with_cost": Annotated[
        float | None, typer.Option(help="Correlation of admissions and the like with spending; else 0.55.")
    ],
    "engaged": Annotated[float | None, typer.Option(help="Of all months, those engaged or documented; else 0.7.")],
    "measure": Annotated[
        list[str] | None, typer.Option(metavar="NAME=RESULT", help="What a measure comes to: quality score=0.8.")
    ],
}

# what several commands that draw chance take alike
ExpectedYears = Annotated[
    Path | None,
    typer.Argument(metavar="[YEARS]", help="What is expected if the program changes nothing; else made up."),
]
YearsFile = Annotated[
    Path | None, typer.Option(help="What is expected if the program changes nothing (CSV or YAML); else made up.")
]
YearsAre = Annotated[
    str | None,
    typer.Option(metavar="without|with", help="Whether those years are care without the program, or with it."),
]
YearsAreWithMost = Annotated[
    str | None,
    typer.Option(
        metavar="without|with",
        help="Whether the years file is care without the program, or with it: with the largest --effect.",
    ),
]
OutsideFile = Annotated[
    Path | None, typer.Option(help="Teams, beds, pockets and premiums (YAML), as `net` reads them.")
]
HopedFor = Annotated[float, typer.Option(help="What the program is hoped to save: 0.05 is 5% of spending.")]
Seed = Annotated[int, typer.Option(help="The same seed draws the same years.")]
TeamCosts = Annotated[list[str] | None, typer.Option(metavar="PARTY=DOLLARS", help="What a party's team costs a year.")]
NOTHING: Asked = {name: False if name == "complex_care" else None for name in OPTIONS}
WORDS = {  # of those that are one word of several
    "line": ["medicaid", "medicare", "dual", "commercial"],
    "benchmark_from": ["agreed", "history", "same-people", "blend", "comparison", "factor"],
}
NUMBERS = [name for name in OPTIONS if name not in (*WORDS, "complex_care", "weights", "measure")]


def with_luck(command: Callable[..., None]) -> Callable[..., None]:
    """A command with every option of chance in the place of its parameter `luck`, which gets what was given."""
    parameters: list[Parameter] = []
    for each in inspect.signature(command).parameters.values():
        if each.name == "luck":
            parameters += [
                Parameter(name, each.kind, annotation=kind, default=NOTHING[name]) for name, kind in OPTIONS.items()
            ]
        else:
            parameters.append(each)

    @wraps(command)
    def run(**given: Any) -> None:
        luck = {name: given.pop(name) for name in OPTIONS}
        command(**given, luck=luck)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def taken_as(luck: Asked, years: Path | None) -> dict[str, Any]:
    """What was given, as `assumed.take` has it; refuses all that is out of its limits or has nothing to act on."""
    _, _, weights, measures = all_or_refuse(
        lambda: within(**{name: luck[name] for name in NUMBERS}),
        lambda: _can_act(luck, years),
        lambda: _shares(luck["weights"]),
        lambda: _results(luck["measure"] or []),
    )
    return {name: luck[name] for name in OPTIONS if name != "measure"} | {"weights": weights, "measures": measures}


def _can_act(luck: Asked, years: Path | None) -> None:
    faults = []
    for name, words in WORDS.items():
        if (given := luck[name]) is not None and given not in words:
            do = did_you_mean(given, words) + "correct it"
            faults.append(Fault(f"--{name.replace('_', '-')}", show(given), " or ".join(words), do))
    if luck["complex_care"] and luck["line"] is None:
        faults.append(Fault("--complex", "without --line", "--line with it", "say whose dearest 5% they are"))
    if luck["member_cost"] is not None and years:
        do = "take the option out: the years say what was expected"
        faults.append(Fault("--member-cost", "with a years file", "one of the two", do))
    if luck["truncation"] is not None and luck["spread"] is None and luck["line"] is None:
        allowed = "--spread or --line with it"
        do = "give the spread before any cap: 2.15, which stands in for it, is fitted to capped cost already"
        faults.append(Fault("--truncation", "without a spread of cost", allowed, do))
    if faults:
        raise Refusal(faults)


def of_years(years_are: str | None, years: Path | None) -> None:
    """Refuses `--years-are` that is none of its words, or that has no years."""
    words = ["without", "with"]
    if years_are is not None and years_are not in words:
        do = did_you_mean(years_are, words) + "correct it"
        raise Refusal([Fault("--years-are", show(years_are), " or ".join(words), do)])
    if years_are and not years:
        do = "give one, or take the option out"
        raise Refusal([Fault("--years-are", "without a years file", "a years file", do)])


ALIKE = 0.005  # of the benchmark; a years file that spends so little less is taken as care without the program


def without_the_program(years: Sequence[Year], effect: float) -> None:
    """Refuses years whose spending is under the benchmark, where it is not said whether the program is in them."""
    for year in years:
        expected, spend = year.whole_benchmark, year.whole_spend
        if expected and spend and spend < (1 - ALIKE) * expected:
            given = f"spending {1 - spend / expected:.1%} under the benchmark"
            do = (
                "say which: --years-are without, if care would cost that without the program;"
                f" --years-are with, if the program's {say_percent(effect)} is in it already"
            )
            raise Refusal([Fault(year.place, given, "years without the program, or with it", do)])


def _results(given: Sequence[str]) -> dict[str, float]:
    """`quality score=0.8` as a measure and its result."""
    found: dict[str, float] = {}
    faults = []
    for text in given:
        name, _, value = text.rpartition("=")
        name, number = tidy(name), number_in(value)
        if not name or isinstance(number, str) or not 0 <= number <= MOST_DOLLARS:
            faults.append(Fault("--measure", show(text), "NAME=RESULT, as in quality score=0.8", "correct it"))
        elif name in found:
            faults.append(Fault("--measure", f"{show(name)} again", "each measure once", "give one"))
        else:
            found[name] = float(number)
    if faults:
        raise Refusal(faults)
    return found


def _shares(text: str | None) -> list[float] | None:
    """`0.1,0.3,0.6` as numbers."""
    if text is None:
        return None
    numbers = [number_in(part) for part in text.split(",")]
    if any(isinstance(number, str) for number in numbers):
        raise Refusal([Fault("--weights", show(text), "shares, the oldest year first: 0.1,0.3,0.6", "correct it")])
    return [float(number) for number in numbers]
