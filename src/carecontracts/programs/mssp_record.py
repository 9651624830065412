"""What shared savings did in practice: Medicare's published results, year by year and by the size of the ACO.

The two tables ride with the package. `write_record` makes them again from the results files.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles, stdev
from typing import Any, NamedTuple

from ..refusal import in_dollars
from .mssp import Aco, election, track_contract

SIZES = (0, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 50_000)  # lower ends, in assigned lives
NEW_IDS = 2018  # identifiers changed between 2017 and 2018, so nobody is followed across


class YearRecord(NamedTuple):
    """One performance year of the program. Shares are of all ACOs."""

    year: int
    acos: int
    two_sided: float  # could owe
    below_benchmark: float  # spent less than the benchmark
    earned: float  # were paid
    owed: int  # ACOs that owed
    median_savings_rate: float
    paid_dollars: float
    owed_dollars: float


class SizeRecord(NamedTuple):
    """All ACO-years of one size. A swing is the change of one ACO's savings rate from one year to the next."""

    lives_from: int
    aco_years: int
    earned: float
    median_minimum: float  # the minimum savings rate in force
    swings: int
    swing_sd: float
    bad_year: float  # the swing that one year in ten falls short of
    earners: int
    earners_loss_in_bad_year: float  # share of earners whom a bad year would put above the benchmark
    earners_owe_in_bad_year: float  # ... and past the minimum loss rate
    followed: int  # earners still in the file a year later
    followed_loss: float  # share of them that then spent more than the benchmark
    followed_past_minimum: float  # ... and by more than the minimum rate


def spans() -> list[str]:
    """The sizes in words.

    >>> spans()[0], spans()[1], spans()[-1]
    ('under 5,000', '5,000 to 7,499', '50,000 or more')
    """
    between = (f"{low:,} to {high - 1:,}" for low, high in pairwise(SIZES[1:]))
    return [f"under {SIZES[1]:,}", *between, f"{SIZES[-1]:,} or more"]


def rows(table: str) -> list[dict[str, float]]:
    """The rows of a table of the record, `by_year` or `by_size`."""
    text = record_file(table).read_text("utf-8")
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(text.splitlines())]


def in_words() -> dict[str, str]:
    """What the record says, by name: sums and ends of the years, and means over all sizes.

    >>> said = in_words()
    >>> said["years_from"], said["bad_small"], said["paid_total"][-7:]
    ('2014', '5.7%', 'billion')
    """
    years, sizes = rows("by_year"), rows("by_size")
    first, last, small, large = years[0], years[-1], sizes[1], sizes[-1]

    def total(name: str) -> float:
        return sum(row[name] for row in years)

    def of(count: str, share: str) -> float:
        return sum(row[count] * row[share] for row in sizes) / sum(row[count] for row in sizes)

    middle = (SIZES[1] + SIZES[2]) / 2  # of the second size, from which luck alone is reckoned to the largest
    return {
        "years_from": f"{first['year']:.0f}",
        "years_to": f"{last['year']:.0f}",
        "earned_first": f"{first['earned']:.0%}",
        "earned_last": f"{last['earned']:.0%}",
        "two_sided_first": f"{first['two_sided']:.0%}",
        "two_sided_last": f"{last['two_sided']:.0%}",
        "aco_years": f"{total('acos'):,.0f}",
        "paid_total": in_dollars(total("paid_dollars") / 1e9, ",.1f") + " billion",
        "owed_count": f"{total('owed'):,.0f}",
        "owed_total": in_dollars(total("owed_dollars") / 1e6, ",.0f") + " million",
        "bad_small": f"{-small['bad_year']:.1%}",
        "bad_large": f"{-large['bad_year']:.1%}",
        "bad_by_luck": f"{-small['bad_year'] * math.sqrt(middle / SIZES[-1]):.1%}",
        "min_small": f"{small['median_minimum']:.1%}",
        "min_large": f"{large['median_minimum']:.1%}",
        "one_bad_year": f"{of('earners', 'earners_loss_in_bad_year'):.0%}",
        "one_bad_year_owe": f"{of('earners', 'earners_owe_in_bad_year'):.0%}",
        "followed": f"{sum(row['followed'] for row in sizes):,.0f}",
        "followed_loss": f"{of('followed', 'followed_loss'):.0%}",
        "followed_owe": f"{of('followed', 'followed_past_minimum'):.1%}",
    }


def savings_rate(aco: Aco) -> float:
    return (aco.benchmark - aco.spend) / aco.benchmark


def minimum_rate(aco: Aco) -> float:
    elected = election(aco)
    return float(track_contract(aco.track).scales["minimum rate"].at(aco.lives)) if elected is None else elected


def two_sided(aco: Aco) -> bool:
    return any(clause.kind == "shared_losses" for clause in track_contract(aco.track).clauses)


def record_by_year(acos: Iterable[Aco]) -> list[YearRecord]:
    """The program's record, year by year."""
    years: dict[int, list[Aco]] = defaultdict(list)
    for aco in acos:
        years[aco.year].append(aco)
    return [
        YearRecord(
            year=year,
            acos=len(rows),
            two_sided=_share(rows, two_sided),
            below_benchmark=_share(rows, lambda a: a.spend < a.benchmark),
            earned=_share(rows, lambda a: (a.published or 0) > 0),
            owed=sum(1 for a in rows if (a.published or 0) < 0),
            median_savings_rate=median(savings_rate(a) for a in rows),
            paid_dollars=sum(max(a.published or 0, 0) for a in rows),
            owed_dollars=-sum(min(a.published or 0, 0) for a in rows),
        )
        for year, rows in sorted(years.items())
    ]


def record_by_size(acos: Sequence[Aco]) -> list[SizeRecord]:
    """The program's record by size: how far results swing, and how many earners were one bad year from a loss."""
    next_year = {(a.year >= NEW_IDS, a.aco_id, a.year - 1): a for a in acos}
    after = {id(a): next_year.get((a.year >= NEW_IDS, a.aco_id, a.year)) for a in acos}
    records = []
    for low, high in zip(SIZES, [*SIZES[1:], 10**9], strict=True):
        rows = [a for a in acos if low <= a.lives < high]
        swings = [savings_rate(b) - savings_rate(a) for a in rows if (b := after[id(a)])]
        bad = quantiles(swings, n=10, method="inclusive")[0]
        earners = [a for a in rows if (a.published or 0) > 0]
        followed = [(a, b) for a in earners if (b := after[id(a)])]
        records.append(
            SizeRecord(
                lives_from=low,
                aco_years=len(rows),
                earned=len(earners) / len(rows),
                median_minimum=median(minimum_rate(a) for a in rows),
                swings=len(swings),
                swing_sd=stdev(swings),
                bad_year=bad,
                earners=len(earners),
                earners_loss_in_bad_year=_share(earners, lambda a, bad=bad: savings_rate(a) + bad < 0),
                earners_owe_in_bad_year=_share(earners, lambda a, bad=bad: savings_rate(a) + bad < -minimum_rate(a)),
                followed=len(followed),
                followed_loss=_share(followed, lambda pair: savings_rate(pair[1]) < 0),
                followed_past_minimum=_share(followed, lambda pair: savings_rate(pair[1]) < -minimum_rate(pair[1])),
            )
        )
    return records


def _share(rows: Sequence[Any], holds: Any) -> float:
    return sum(1 for row in rows if holds(row)) / len(rows)


# --- the tables ---------------------------------------------------------------------------------------------------


def record_file(name: str) -> Traversable:
    """A table that rides with the package: `by_year` or `by_size`."""
    return files("carecontracts") / "programs" / f"mssp_record_{name}.csv"


def write_record(acos: Sequence[Aco], folder: Path) -> None:
    """Write both tables, six digits to a number."""
    tables: dict[str, Sequence[Any]] = {"by_year": record_by_year(acos), "by_size": record_by_size(acos)}
    for name, rows in tables.items():
        write_table(folder / f"mssp_record_{name}.csv", rows)


def write_table(path: Path, rows: Sequence[Any]) -> None:
    """Rows with names as a table, six digits to a number."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0]._fields)
        writer.writerows(
            [
                f"{x:.6g}" if isinstance(x, float) and abs(x) < 1000 else x if isinstance(x, str) else f"{x:.0f}"
                for x in r
            ]
            for r in rows
        )
