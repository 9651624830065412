"""What the public results of every program share: reading a file, settling its rows, holding them beside what was paid.

A program's own file maps columns to facts and rows to contracts; the rules are the contracts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from ..contract import Contract
from ..files import number_in, read_csv
from ..refusal import Fault, Refusal, show
from ..year import year_from

MOST_BYTES = 50_000_000
LAST_YEAR = 2100
MOST_DOLLARS = 1e12  # more than Medicare spends
ROUNDING = 1.5  # dollars: benchmark, spending and settlement are each published to the dollar
ABSENT = {"", "-", "--", ".", "*", "**", "na", "n/a", "nan", "null", "none"}

Columns = dict[str, list[str]]  # for each field, the columns of the file that hold it
Row = Mapping[str, str]


class Settled(NamedTuple):
    """One organization's settlement beside the published one: earned savings above zero, owed losses below."""

    aco_id: str
    performance_year: int
    track: str
    published: float | None
    recomputed: float
    band: float  # dollars by which the rounding of what is published can move the settlement
    matched: bool | None
    reason: str


class YearOfResults(NamedTuple):
    """A performance year in one row."""

    performance_year: int
    acos: int
    settlements: int  # published and not zero
    matched: int
    within_a_dollar: int
    published: float
    recomputed: float


# --- reading ----------------------------------------------------------------------------------------------------


def plain(name: str) -> str:
    """A column's name without what changes from year to year.

    >>> plain("Current_Track_1+"), plain("HEBA_UP_AMT")
    ('currenttrack1plus', 'hebaupamt')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("+", "plus"))


def columns_in(header: Sequence[str], known: Mapping[str, Sequence[str]]) -> Columns:
    """The columns that hold each field, in the order of the names by which a field is known."""
    by_plain = {plain(name): name for name in reversed(header)}
    columns = {field: [by_plain[n] for n in names if n in by_plain] for field, names in known.items()}
    return {field: names for field, names in columns.items() if names}


def faults_in(
    where: str, header: Sequence[str], columns: Columns, known: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> Iterator[Fault]:
    """Columns that are needed and not there, and columns that are read and there twice."""
    for field in needed:
        if field not in columns:
            allowed = "a column called " + " or ".join(known[field])
            yield Fault(f"{where}, row 1", f"no column {field!r}", allowed, "check the file")
    for name in dict.fromkeys(name for names in columns.values() for name in names if header.count(name) > 1):
        yield Fault(f"{where}, row 1", f"the column {show(name)} twice", "each column once", "remove one")


def table_in(path: Traversable | Path | str) -> tuple[list[str], list[dict[str, str]]]:
    """The header and the rows of a results file; a column may have no name, or another's."""
    return read_csv(path, MOST_BYTES, any_header=True)


def year_faults(where: str, column: str | None, rows: Sequence[Row], year: int | None, first: int) -> Iterator[Fault]:
    if year is not None and not first <= year <= LAST_YEAR:
        yield Fault("--year", str(year), f"a performance year from {first} on", "correct it")
    if column is None and year is None:
        hint = re.search(r"20[1-3]\d", Path(where).name)
        do = f"add --year {hint[0]}, if that is the year" if hint else "add --year with the performance year"
        yield Fault(f"{where}, row 1", "no column for the year", "a column PY, or --year", do)
    if column is not None and year is not None:
        others = {text for row in rows if (text := row[column]) and number_in(_year_in(text)) != year}
        if others:
            given = f"--year {year}, and rows of {', '.join(sorted(others)[:5])}"
            yield Fault(f"{where}, {column}", given, "one or the other", "leave out --year: the file says")


def _year_in(text: str) -> str:
    """A year as some files write it.

    >>> _year_in("PY2023"), _year_in("PY 2023"), _year_in("2023.0")
    ('2023', '2023', '2023.0')
    """
    return re.sub(r"(?i)^py\s*", "", text)


class Reader:
    """Reads the cells of a file row by row, and keeps what is wrong with them."""

    def __init__(self, where: str, rows: Sequence[Row], columns: Columns, year: int | None, first_year: int) -> None:
        self.where, self.rows, self.columns, self.year, self.first_year = where, rows, columns, year, first_year
        self.faults: list[Fault] = []

    def cell(self, row: Row, field: str) -> str:
        """The first of the field's columns that holds something; markers for "none" hold nothing."""
        for column in self.columns.get(field, ()):
            if (text := row[column]) and text.lower() not in ABSENT:
                return text
        return ""

    def number(self, row: Row, field: str, needed: bool = False) -> float | None:
        text = self.cell(row, field)
        if not text and not needed:
            return None
        value = number_in(text)
        if isinstance(value, str):
            value = number_in(re.sub(r"[$,%\s]", "", text))
        if isinstance(value, str):
            self.fault(row, self.columns[field][0], text or "an empty cell", "a number", "mend the cell")
            return None
        return value

    def amount(self, row: Row, field: str) -> float:
        """A number that each row must have, and that is not below nothing."""
        value = self.number(row, field, needed=True) or 0
        if not 0 <= value <= MOST_DOLLARS:
            self.fault(row, self.columns[field][0], f"{value:g}", f"0 to {MOST_DOLLARS:g}", "mend the cell")
        return value

    def identifier(self, row: Row) -> str:
        aco_id = self.cell(row, "aco_id")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", aco_id):
            self.fault(row, self.columns["aco_id"][0], aco_id, "an identifier: letters and digits", "mend the cell")
        return aco_id

    def year_of(self, row: Row) -> int:
        if self.year is not None or "year" not in self.columns:
            return self.year or 0
        text = self.cell(row, "year")
        year = number_in(_year_in(text))
        if isinstance(year, str):
            self.fault(row, self.columns["year"][0], text or "an empty cell", "a number", "mend the cell")
            return 0
        if year != int(year) or not self.first_year <= year <= LAST_YEAR:
            allowed = f"a performance year from {self.first_year} on"
            self.fault(row, self.columns["year"][0], f"{year:g}", allowed, "mend the cell")
        return int(year)

    def fault(self, row: Row, column: str, given: str, allowed: str, do: str) -> None:
        self.faults.append(Fault(f"{self.where}, row {row['']}, {column}", show(given), allowed, do))

    def unit_of(self, texts: Sequence[str], top: float = 1) -> tuple[float, float]:
        """What one published unit of a column of shares is worth, and half a step of its last digit.

        A column with a percent sign, or with a value above `top`, is in percent.
        """
        values = [v for text in texts if not isinstance(v := number_in(text.rstrip("% ")), str)]
        unit = 0.01 if any("%" in text for text in texts) or max(values, default=0) > top else 1.0
        # ten significant digits: a tidy file may hold 0.9312999999999999 for 0.9313
        digits = max((len(f"{v:.10g}".partition(".")[2]) for v in values), default=9)
        return unit, unit * 0.5 * 10.0**-digits

    def share(self, row: Row, field: str, text: str, unit: float, what: str) -> float | None:
        """A share of one, in the unit of its column."""
        value = number_in(text.rstrip("% "))
        share = value if isinstance(value, str) else value * unit
        if isinstance(share, str) or not 0 <= share <= 1:
            self.fault(row, self.columns[field][0], text, f"{what} from 0 to 1, or from 0 to 100", "mend the cell")
            return None
        return share

    def each_once(self, read: Iterable[tuple[Row, Any]]) -> list[Any]:
        """What was read of the rows, in their order; a row given twice is a fault."""
        once: dict[Any, str] = {}  # and the row of each
        for row, aco in read:
            if aco in once:
                given = f"{aco.aco_id} again, the same as row {once[aco]}"
                self.fault(row, self.columns["aco_id"][0], given, "each row once", "remove one")
            elif aco:
                once[aco] = row[""]
        if self.faults:
            raise Refusal(self.faults)
        return list(once)


# --- settling ----------------------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A row to settle: its contract, its year, and its facts by name."""

    contract: Contract
    year: int
    facts: Mapping[str, float]


def net_of(cases: Sequence[Case], party: str) -> list[float]:
    """What a party nets in each case. Rows that share a contract and a year settle together, as arrays."""
    alike: dict[tuple[int, int], list[int]] = {}
    for index, case in enumerate(cases):
        alike.setdefault((id(case.contract), case.year), []).append(index)
    net = [0.0] * len(cases)
    for (_, year), rows in alike.items():
        first, facts = cases[rows[0]], [cases[index].facts for index in rows]
        names = list(first.facts)
        together: dict[str, Any] = dict(first.facts)
        if len(rows) > 1:
            import numpy

            columns = numpy.array([[each[name] for name in names] for each in facts], dtype=float).T
            together = dict(zip(names, columns, strict=True))
        settled = first.contract.settle([year_from({"year": year, **together}, "")]).net()[party]
        values = settled.tolist() if hasattr(settled, "tolist") and len(rows) > 1 else [float(settled)]
        for index, value in zip(rows, values, strict=True):
            net[index] = value
    return net


def by_year(settled: Iterable[Settled]) -> list[YearOfResults]:
    """The comparison, one row for each performance year."""
    years: dict[int, list[Settled]] = {}
    for row in settled:
        years.setdefault(row.performance_year, []).append(row)
    return [
        YearOfResults(
            performance_year=year,
            acos=len(rows),
            settlements=sum(1 for r in rows if r.published),
            matched=sum(1 for r in rows if r.matched),
            within_a_dollar=sum(1 for r in rows if r.published is not None and abs(r.published - r.recomputed) <= 1),
            published=sum(r.published or 0 for r in rows),
            recomputed=sum(r.recomputed for r in rows),
        )
        for year, rows in sorted(years.items())
    ]
