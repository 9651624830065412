"""How far a benchmark itself strays by luck, by how it is made: its people's luck, and what moved everyone then.

With s one year's chance spread of the people's cost, cv / sqrt(lives), and `common` what moves everyone in a year:

- own history: sqrt(sum of squared weights) times s and times `common`. Where the people are the same, a part of their
  luck is there again, and moves with what they cost now
- a regional blend: its own share of that; the region's price is agreed
- a comparison group: its people's s, anew in each year; what moves everyone moves it too
- a factor of what remains, measured on earlier people: their s, and sqrt(5) times `common`, since the year in which the
  people were found counts twice and the year before once; an agreed factor, `common` alone. What the people cost when
  they were found is luck too, but as much of it as it adds is there again

Not modelled: a shock that strikes one place alone, and people in a history who were chosen for what they cost.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

from ..contract import Contract
from ..measuring.benchmark import Benchmark, Fixed, MatchedComparison, OwnHistory, PersistenceCorrected, RegionalBlend
from ..refusal import Fault, Refusal, show
from ..units import reaches, say_list, say_percent
from .simulate import Luck

Made = Literal["agreed", "history", "same-people", "blend", "comparison", "factor"]
MADE: tuple[Made, ...] = get_args(Made)
WEIGHTS = (0.1, 0.3, 0.6)  # of a history, the oldest year first
OWN = 0.5  # of a blend, its own history
UNSAID = "the contract does not say how it is made"


class Stray(NamedTuple):
    """How far a benchmark strays by luck, and with what."""

    size: float  # standard deviation, as a share of the benchmark
    how: str  # it is made
    because: str = ""
    lasts: float = 1.0  # correlation of the error in one year with that in another
    with_members: float = 0.0  # correlation with the members' luck that lasts
    with_everyone: float = 0.0  # how much of what moves everyone moves the benchmark too
    people: int = 0  # who are compared with, or on whom a factor is measured
    options: tuple[str, ...] = ()  # that change how it is made


def benchmark_error_of(
    contract: Contract, luck: Luck, lives: int, *, rule: Benchmark | None = None, compared: int | None = None
) -> Stray:
    """How far the benchmark itself strays by luck, by its own kind, or by that of another rule.

    `compared` is how many people are in a comparison group, or those on whom a factor is measured; else as many.

    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("whole-population-measured"))
    >>> stray = benchmark_error_of(contract, Luck(cv=2.0, common=0), lives=400)
    >>> round(stray.size, 4), stray.how  # 0.1 x sqrt(0.4^2 + 0.6^2)
    (0.0721, 'own history of other people, weighted 40% and 60%')
    """
    rule = rule or (contract.measurement.benchmark if contract.measurement else None)
    s = luck.cv / math.sqrt(lives)
    theirs = luck.cv / math.sqrt(compared or lives)
    if isinstance(rule, OwnHistory):  # a regional blend too
        own, first = 1.0, contract.first_year
        if isinstance(rule, RegionalBlend):
            own = rule.counts_for(lives * len(rule.weights), first, first)
        squares = sum(weight**2 for weight in rule.weights)
        same = rule.people == "the same people"
        again = s * math.sqrt(luck.kept) if same else 0.0
        fresh = s * math.sqrt((1 - luck.kept if same else 1.0) * squares)
        size = math.hypot(again, fresh, luck.common * math.sqrt(squares))
        weights = say_list([say_percent(weight) for weight in rule.weights])
        how = f"own history of {'the same' if same else 'other'} people, weighted {weights}"
        how += f"; it counts for {say_percent(own)}" if own < 1 else ""
        because = "the luck of the people of its history, and what moved everyone then"
        options = ("weights", "own-share") if isinstance(rule, RegionalBlend) else ("weights",)
        return Stray(own * size, how, because, with_members=again / size if size else 0.0, options=options)
    if isinstance(rule, MatchedComparison):
        because = "the luck of those people in each year"
        return Stray(theirs, "people to compare with", because, luck.kept, with_everyone=1.0, people=compared or lives)
    if isinstance(rule, PersistenceCorrected):
        anew = contract.measurement is None or contract.measurement.population.made == "anew for each year"
        lasts = luck.kept if anew else 1.0
        if rule.remains is not None:
            because = "what moved everyone in the year before"
            return Stray(luck.common, "what remains, an agreed factor", because, lasts)
        size = math.hypot(theirs, luck.common * math.sqrt(5))
        because = "the luck of the earlier people, and what moved everyone then"
        return Stray(size, "what remains, measured on earlier people", because, lasts, people=compared or lives)
    if isinstance(rule, Fixed):
        return Stray(0.0, "an agreed number", "nothing to be lucky in")
    return Stray(0.0, UNSAID, UNSAID)


def rule_of(
    contract: Contract,
    made: Made | None,
    weights: Sequence[float] | None = None,
    own: float | None = None,
    compared: int | None = None,
) -> Benchmark | None:
    """The rule by which a benchmark is made: the contract's, with what is given in its place.

    >>> from carecontracts import gallery
    >>> rule_of(Contract.load(gallery("shared-savings")), "history", weights=[0.5, 0.5]).weights
    [0.5, 0.5]
    """
    rule: Benchmark | None = contract.measurement.benchmark if contract.measurement else None
    history: dict[str, Any] = {"weights": [*WEIGHTS], "trend": 0}
    known: dict[str, Benchmark] = {
        "agreed": Fixed(kind="fixed", per_member_per_month=0),
        "history": OwnHistory(kind="own_history", **history),
        "same-people": OwnHistory(kind="own_history", people="the same people", **history),
        "blend": RegionalBlend(kind="regional_blend", own=OWN, regional_per_member_per_month=0, **history),
        "comparison": MatchedComparison(kind="matched_comparison", alike_in=["age"]),
        "factor": PersistenceCorrected(kind="persistence_corrected", trend=0),
    }
    if made:
        rule = known[made]
    faults = []
    measured = isinstance(rule, PersistenceCorrected) and rule.remains is None
    for option, given, holds, needs in (
        ("--weights", weights, isinstance(rule, OwnHistory), "a history: --benchmark-from history, same-people, blend"),
        ("--own-share", own, isinstance(rule, RegionalBlend), "a blend: --benchmark-from blend"),
        (
            "--compared",
            compared,
            measured or isinstance(rule, MatchedComparison),
            "people to compare with, or to measure on: --benchmark-from comparison, factor",
        ),
    ):
        if given is not None and not holds:
            faults.append(Fault(option, show(given), needs, "say how the benchmark is made, or take the option out"))
    if weights is not None and not (
        1 <= len(weights) <= 5 and all(0 <= w <= 1 for w in weights) and reaches(1e-9, abs(sum(weights) - 1))
    ):
        allowed, do = "1 to 5 shares that add up to 1, the oldest year first: 0.1,0.3,0.6", "make them add up to 1"
        faults.append(Fault("--weights", ",".join(f"{w:g}" for w in weights), allowed, do))
    if faults:
        raise Refusal(faults)
    changed: dict[str, Any] = {} if weights is None else {"weights": [*weights]}
    if own is not None:
        changed |= {"own": own, "full_credibility": None, "half_credibility": None}
    return rule.model_copy(update=changed) if rule else None
