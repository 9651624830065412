"""How fast a contract settles, beside the same formulas written by hand and beside what the machine can move.

One million contract-years as arrays (two years of 500,000 draws), and one contract-year at a time as numbers.
"""

import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np

from carecontracts import Contract, Year

DRAWS, YEARS = 2**19, 2
CONTRACT = Contract.load(Path(__file__).parent / "contract.yaml")


def drawn_years(rng: np.random.Generator, draws: int) -> list[Year]:
    return [
        Year(
            year=year,
            member_months={"standard": rng.uniform(7_000, 9_000, draws), "complex": rng.uniform(3_000, 5_000, draws)},
            benchmark=rng.uniform(23e6, 25e6, draws),
            spend=rng.normal(22.5e6, 1.5e6, draws).clip(0),
            measures={"quality score": rng.uniform(0.6, 1, draws)},
        )
        for year in range(1, YEARS + 1)
    ]


def cents(x: np.ndarray) -> np.ndarray:
    return np.floor(x * 100 + 0.500001) / 100


def by_hand(years: list[Year]) -> list[tuple]:
    """The six payments of each year, as an analyst would write them for this one contract."""
    outstanding, payments = 400_000.0, []
    for year in years:
        standard, complex_ = year.member_months["standard"], year.member_months["complex"]
        fee = cents(40 * standard + 120 * complex_)
        behavioral = cents(6 * (standard + complex_))
        saved = year.benchmark - year.spend - (fee + behavioral)
        share, loss_share = (0.5, 0.0) if year.year < 3 else (0.6, 0.3)
        earned = np.minimum(saved * (share * year.measures["quality score"]), 0.1 * year.benchmark)
        earned = cents(np.where((saved >= 0.02 * year.benchmark) & (saved > 0), earned, 0.0))
        owed = np.minimum(-saved * loss_share, 0.02 * year.benchmark)
        owed = cents(np.where((-saved >= 0.02 * year.benchmark) & (saved < 0), owed, 0.0))
        repaid = cents(np.minimum(outstanding, 0.5 * earned))
        outstanding = outstanding - repaid
        payments.append((400_000.0 if year.year == 1 else 0.0, fee, behavioral, earned, owed, repaid))
    return payments


def best(*jobs: Callable[[], object], times: int = 9) -> list[float]:
    """The best time of each job, the jobs taking turns so that a busy machine is unfair to all of them alike."""
    seconds = [[] for _ in jobs]
    for _ in range(times):
        for job, taken in zip(jobs, seconds, strict=True):
            start = time.perf_counter()
            job()
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in seconds]


def main() -> None:
    years = drawn_years(np.random.default_rng(2026), DRAWS)
    ledger = CONTRACT.settle(years)
    for line, payment in zip(ledger, chain(*by_hand(years)), strict=True):
        assert np.allclose(line.amount, payment, rtol=0, atol=0.011), line.clause  # a cent, where a half-cent rounds

    facts = [fact for year in years for fact in year.facts().values()]
    hand, package, copy = best(
        lambda: by_hand(years), lambda: CONTRACT.settle(years, workings=False), lambda: [fact.copy() for fact in facts]
    )
    print(f"{DRAWS * YEARS:,} contract-years of six clauses, as arrays: every payment of every year")
    print(f"  by hand in numpy       {hand:7.3f} s   1.00")
    print(f"  contract.settle        {package:7.3f} s   {package / hand:.2f}   (at most 1.20)")
    print(f"  copying the facts once {copy:7.3f} s   {copy / hand:.2f}   what the memory can move")

    one = [Year(year=year.year, **_scalars(year)) for year in years]
    runs = 300
    scalar, plain = (
        seconds / (runs * YEARS)
        for seconds in best(
            lambda: [CONTRACT.settle(one) for _ in range(runs)], lambda: [by_hand(one) for _ in range(runs)], times=3
        )
    )
    print("one contract-year at a time, as numbers")
    print(f"  by hand                {1 / plain:9,.0f} a second")
    print(f"  contract.settle        {1 / scalar:9,.0f} a second, with every line and its workings")


def _scalars(year: Year) -> dict[str, object]:
    return {
        "member_months": {tier: float(months[0]) for tier, months in year.member_months.items()},
        "benchmark": float(year.benchmark[0]),
        "spend": float(year.spend[0]),
        "measures": {name: float(rate[0]) for name, rate in year.measures.items()},
    }


if __name__ == "__main__":
    main()
