"""How fast risk is priced and years are drawn, beside the plain numpy that an analyst would write.

The price of 200 contract designs on one exact distribution; and 10,000 years of 20,000 members, drawn member by member.
"""

import math
import time
from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

from carecontracts import Contract, gallery
from carecontracts.chance import bootstrap, convolution
from carecontracts.chance.noise import Costs, Sharing
from carecontracts.chance.simulate import Luck, simulate

LIVES, YEARS, CAP = 20_000, 10_000, 250_000
COSTS = Costs(mean=6_800)
DESIGNS = list(product(np.linspace(0, 0.04, 20), np.linspace(0.1, 1, 10)))  # minimum, share


def best(job: Callable[[], object], times: int) -> tuple[float, object]:
    seconds, result = math.inf, None
    for _ in range(times):
        start = time.perf_counter()
        result = job()
        seconds = min(seconds, time.perf_counter() - start)
    return seconds, result


def members(rng: np.random.Generator) -> pd.DataFrame:
    """Eight things that a contract may count of each member."""
    cost = np.exp(COSTS.mu + COSTS.sigma * rng.standard_normal(LIVES)) * (rng.random(LIVES) >= COSTS.zeros)
    admissions = rng.poisson(cost / 60_000)
    return pd.DataFrame(
        {
            "cost": np.minimum(cost, CAP),
            "cost under 100,000": np.minimum(cost, 100_000),
            "any cost": cost > 0,
            "admissions": admissions,
            "hospital days": admissions * 5,
            "emergency visits": rng.poisson(0.2 + cost / 40_000),
            "measured": rng.random(LIVES) < 0.4,
            "met": rng.random(LIVES) < 0.25,
        }
    ).astype(float)


def designs_by_hand(values: np.ndarray, chances: np.ndarray, expected: float) -> list[float]:
    saved = (expected - values) / expected
    return [
        float((chances * np.clip(np.where(saved >= minimum, share * saved, 0), 0, 0.1)).sum())
        for minimum, share in DESIGNS
    ]


def main() -> None:
    seconds, exact = best(lambda: convolution.total(COSTS, LIVES, cap=CAP), 3)
    print(f"the exact distribution of what {LIVES:,} members cost: {seconds:.3f} s, {len(exact.values):,} amounts")

    def designs() -> list[float]:
        fresh = convolution.Totals(exact.values, exact.chances)  # nothing kept from the run before
        return [fresh.odds(Sharing(share=share, minimum=minimum, cap=0.1)).payment for minimum, share in DESIGNS]

    package, ours = best(designs, 5)
    plain, theirs = best(lambda: designs_by_hand(exact.values, exact.chances, exact.mean), 3)
    assert np.allclose(ours, theirs, rtol=0, atol=1e-9)
    print(f"the price of risk of {len(DESIGNS)} designs on it")
    print(f"  plain numpy loop       {plain:7.3f} s   1.00")
    print(f"  Totals.odds            {package:7.3f} s   {package / plain:.2f}   (at most 0.50)")

    people = members(np.random.default_rng(7))
    cost = people.cost.to_numpy()
    rng = np.random.default_rng(1)
    plain, one = best(lambda: np.array([rng.choice(cost, LIVES).sum() for _ in range(YEARS)]), 1)
    package, eight = best(lambda: bootstrap.totals(people, LIVES, YEARS, rng=np.random.default_rng(1)), 1)
    # two samples of one spread: its standard error is spread / sqrt(2 years), for each of them
    assert abs(one.std() / eight.cost.std() - 1) < 5 * math.sqrt(2) / math.sqrt(2 * YEARS)
    print(f"{YEARS:,} years of {LIVES:,} members, drawn member by member")
    print(f"  rng.choice loop        {plain:7.2f} s   1.00   one column")
    print(
        f"  bootstrap.totals       {package:7.2f} s   {package / plain:.2f}   eight columns, whole rows (at most 8.00)"
    )

    contract = Contract.load(gallery("shared-savings"))
    luck = Luck(lives=LIVES)
    seconds, _ = best(lambda: simulate(contract, rng=np.random.default_rng(1), draws=YEARS, luck=luck).table(), 1)
    print(f"a contract of five clauses through {YEARS:,} draws of three years with {LIVES:,} members: {seconds:.2f} s")


if __name__ == "__main__":
    main()
