"""Attainment: how many people of a panel meet all of their targets by chance, and what is paid by that share."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..refusal import Fault, Refusal, show

Released = Callable[[Any], Any]  # of what was held back, the share that a share of people earns


class Group(NamedTuple):
    """People who are alike in how often they meet all of their targets."""

    people: int
    rate: float


class Release(NamedTuple):
    """Of what was held back: the average that returns, its standard deviation, and how often less than all returns."""

    mean: float
    sd: float
    short: float


def met(groups: Sequence[Group]) -> Any:
    """The chance of each number of people who meet all of their targets, from none to everyone.

    Each group's number is binomial; groups add up.

    >>> met([Group(2, 0.5)]).round(6).tolist(), met([Group(1, 1.0), Group(1, 0.25)]).round(6).tolist()
    ([0.25, 0.5, 0.25], [0.0, 0.75, 0.25])
    """
    for place, group in enumerate(groups, 1):
        if not 0 <= group.rate <= 1 or group.people < 0 or group.people != int(group.people):
            allowed = "a whole number of people, and a rate from 0 to 1"
            raise Refusal([Fault(f"group {place}", show(tuple(group)), allowed, "correct it")])
    chances = np.ones(1)
    for people, rate in groups:
        # one person after the other: exact, and no factorial grows too large
        for _ in range(int(people)):
            chances = np.append(chances, 0.0) * (1 - rate) + np.append(0.0, chances) * rate
    return chances


def by_line(line: float) -> Released:
    """All of it from a line on, and below as much of it as the share is of the line.

    >>> by_line(0.5)(np.array([0.25, 0.5, 0.9])).tolist()
    [0.5, 1.0, 1.0]
    """
    return lambda share: np.minimum(share / line, 1.0)


def by_ladder(rungs: dict[float, float]) -> Released:
    """The share of the highest rung reached, and nothing below the first.

    >>> by_ladder({0.3: 0.6, 0.5: 1.0})(np.array([0.29, 0.3, 0.5])).tolist()
    [0.0, 0.6, 1.0]
    """
    edges = sorted(rungs)
    values = np.array([0.0, *(rungs[edge] for edge in edges)])
    return lambda share: values[np.searchsorted(np.array(edges) - 1e-9, share, side="right")]


def released(groups: Sequence[Group], rule: Released, periods: int = 1) -> Release:
    """What a rule releases to a panel, exactly; over several periods added together, if so many are.

    >>> released([Group(2, 0.5)], by_line(0.5))  # none of two people meets them in a quarter of all periods
    Release(mean=0.75, sd=0.4330127018922193, short=0.25)
    """
    together = [Group(people * periods, rate) for people, rate in groups]
    chances, people = met(together), sum(people for people, _ in together)
    paid = rule(np.arange(people + 1) / max(people, 1))
    mean = float(chances @ paid)
    spread = float(max(chances @ paid**2 - mean**2, 0.0)) ** 0.5
    return Release(mean, spread, float(chances @ (paid < 1 - 1e-9)))
