"""Years drawn from members, whole rows at a time: cost, use, quality, baseline and performance stay together.

A row is a member with everything that a contract may count of them. Drawing rows with replacement makes another panel
of the same kind; its totals keep whatever holds between the columns, known or not, which no formula does.
"""

from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from ..refusal import Fault, Refusal, show
from .noise import Odds, Sharing

CELLS = 100_000  # members drawn at once: few enough to stay near the processor


def totals(members: pd.DataFrame, lives: int, draws: int, *, rng: np.random.Generator, words: str = "") -> pd.DataFrame:
    """The column totals of `draws` panels of `lives` people, each drawn with replacement from `members`.

    Drawn in chunks: how often each member came up is a row of weights, and weights @ members are the totals of all
    columns at once. On a terminal a bar shows progress.

    >>> people = pd.DataFrame({"cost": [0.0, 100.0, 1_000.0], "admissions": [0, 0, 1]})
    >>> drawn = totals(people, 50, 4, rng=np.random.default_rng(1))
    >>> list(drawn.columns), len(drawn), bool((drawn.cost >= 1_000 * drawn.admissions).all())
    (['cost', 'admissions'], 4, True)
    """
    _check(members, lives, draws)
    table = members.to_numpy(dtype=float)
    count = len(table)
    chunk = max(1, CELLS // max(lives, count))
    drawn = np.empty((draws, table.shape[1]))
    with tqdm(total=draws, desc=words or "Drawing panels", leave=False, disable=None) as bar:
        for start in range(0, draws, chunk):
            panels = min(chunk, draws - start)
            chosen = rng.integers(0, count, (panels, lives), dtype=np.int32)
            chosen += (np.arange(panels, dtype=np.int32) * count)[:, None]
            weights = np.bincount(chosen.ravel(), minlength=panels * count).reshape(panels, count)
            drawn[start : start + panels] = weights @ table
            bar.update(panels)
    return pd.DataFrame(drawn, columns=members.columns)


def odds(saved: Any, sharing: Sharing) -> Odds:
    """What an arrangement paid over drawn savings rates.

    >>> odds([0.03, -0.01], Sharing(share=0.5, minimum=0.02))
    Odds(pays=0.5, owes=0.0, payment=0.0075, repayment=0.0)
    """
    paid = sharing.pays(np.asarray(saved, dtype=float))
    gave, back = np.maximum(paid, 0), np.maximum(-paid, 0)
    return Odds(*(float(x.mean()) for x in (gave > 0, back > 0, gave, back)))


def _check(members: pd.DataFrame, lives: int, draws: int) -> None:
    faults = [
        Fault(f"members, column {name}", f"values such as {show(members[name].iloc[0])}", "numbers", "leave it out")
        for name in members.columns
        if len(members) and not pd.api.types.is_numeric_dtype(members[name])
    ]
    faults += [
        Fault(f"members, column {name}", "a missing value", "a number for each member", "fill it, or leave members out")
        for name in members.columns
        if members[name].isna().any()
    ]
    if not len(members) or not len(members.columns):
        faults.append(Fault("members", "an empty table", "a row for each member", "give members"))
    for name, value in (("lives", lives), ("draws", draws)):
        if value < 1:
            faults.append(Fault(name, show(value), "a whole number, 1 or more", "correct it"))
    if faults:
        raise Refusal(faults)
