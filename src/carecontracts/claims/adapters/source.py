"""What adapters share: finding a publisher's files, reading their columns as text, and writing the five tables."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from ...refusal import Fault, Refusal, did_you_mean, in_dollars, many, show
from ..engine import blaming, fetched, scratch
from ..folder import faults_in, header, listed, load
from ..layout import SCHEMAS, Claims, Given, as_written, told_apart
from ..used import use

READ = (".csv", ".parquet", ".txt")
PACKED = (".gz", ".zip", ".bz2", ".zst", ".7z", ".tsv", ".dat", ".xlsx", ".xls", ".sas7bdat")
MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
RACES = {
    "1": "white", "2": "black or african american", "3": "other", "4": "asian", "5": "hispanic",
    "6": "american indian or alaska native",
}  # fmt: skip
GENDERS = {"1": "male", "2": "female"}


class Read(NamedTuple):
    """One kind of file: how many rows it had, how many rows of which table came of them, and why not all or more."""

    file: str
    rows: int
    table: str
    became: int
    why: str


@dataclass(frozen=True)
class Imported:
    """The five tables of a publisher's files, what became of each kind of file, and what someone should know."""

    tables: dict[str, ir.Table]
    read: tuple[Read, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def claims(self) -> Claims:
        """The rows of the tables that are used, as when they are read again."""
        return use({name: Given(name, table) for name, table in self.tables.items()})

    def write(self, folder: Path, on_step: Callable[[str], None] | None = None) -> None:
        """Each table that has rows as NAME.parquet in a new folder."""
        folder.mkdir(parents=True)
        made = {read.table for read in self.read if read.became}
        for name, table in self.tables.items():
            if name in made:
                if on_step:
                    on_step(f"Writing {name}")
                with blaming(name, "cells as the layout says", "mend the cell that is named"):
                    table.to_parquet(folder / f"{name}.parquet")


class Kind(NamedTuple):
    """A kind of file: what its name is like, and the columns it cannot do without, each by any of its names."""

    like: str
    needed: tuple[tuple[str, ...], ...]


class Files:
    """A publisher's files in a folder, by kind, as tables of lower-case columns; other absent columns read as empty."""

    def __init__(self, folder: Path, kinds: dict[str, Kind]) -> None:
        if not folder.is_dir():
            raise Refusal([Fault(str(folder), "no such folder", "a folder with the files", "check the path")])
        self.folder, self.kinds = folder, kinds
        here = listed(folder)
        self.found = {
            kind: [p for p in here if p.suffix.lower() in READ and re.search(like, p.name.lower())]
            for kind, (like, _) in kinds.items()
        }
        claimed = {path for files in self.found.values() for path in files}
        unpacked = {path.name.lower().split(".")[0] for path in claimed}
        rest = [path for path in here if path not in claimed]
        self.packed = [
            path
            for path in rest
            if path.suffix.lower() in PACKED
            and path.name.lower().split(".")[0] not in unpacked
            and any(re.search(like, path.name.lower()) for like, _ in kinds.values())
        ]
        self.unread = [path.name for path in rest if path not in self.packed]
        self.con = scratch()
        self.asked: list[Columns] = []
        self.faults: list[Fault] = []  # of columns, lines and cells: all are told before anything is made

    def refuse_without(self, *kinds: str) -> None:
        """Refuses kinds that are missing and files that are no table; needed columns not there are told with cells."""
        faults = [
            Fault(
                f"{self.folder}",
                f"no file of {kind}",
                f"a CSV or Parquet file named like {self.kinds[kind].like}",
                "add it",
            )
            for kind in kinds
            if not self.found[kind]
        ]
        faults += [
            Fault(str(path), "a file that is packed or of another kind", "CSV or Parquet", "unpack it, or take it out")
            for path in self.packed
        ]
        for kind, files in self.found.items():
            wrong = list(faults_in(files))
            faults += wrong
            self.faults += [] if wrong else self._columns_missing(kind, files)
        if faults:
            raise Refusal(faults + self.faults)

    def refuse(self) -> None:
        """Refuses with every fault that was found on the way."""
        if self.faults:
            raise Refusal(self.faults)

    def _columns_missing(self, kind: str, files: Sequence[Path]) -> list[Fault]:
        faults = []
        for path in files:
            columns = header(path)[0]
            for names in self.kinds[kind].needed:
                if not set(names) & set(columns):
                    near = did_you_mean(names[0].upper(), [column.upper() for column in columns])
                    where = f"{path}, column {names[0].upper()}"
                    allowed = " or ".join(name.upper() for name in names)
                    faults.append(Fault(where, "no such column", allowed, f"{near}give the column as it is published"))
        return faults

    def table(self, kind: str, files: Sequence[Path] | None = None, name: str = "") -> ir.Table | None:
        """All files of a kind as one table; None where there is none."""
        files = list(files or self.found[kind])
        if not files:
            return None
        place = self.place(kind, files)
        with blaming(place, "a file that can be read as a table", "write it again, as CSV in UTF-8 or Parquet"):
            table, junk = load(self.con, name or f"given_{kind}", files)
            table = told_apart(table, "")
            rows = count(table)
        self.faults += [Fault(where, line.strip()[:60], "a row as the header says", "mend it") for where, line in junk]
        if not rows and not junk:
            do = "check that it was written to its end"
            self.faults.append(Fault(place, "a header and no rows", "a row or more", do))
        return table

    def place(self, kind: str, files: Sequence[Path] | None = None) -> str:
        """Where the rows of a kind stand, for a refusal."""
        files = files or self.found[kind]
        return str(files[0]) if len(files) == 1 else f"{self.folder}, files of {kind}"

    def columns(self, table: ir.Table, place: str) -> "Columns":
        """The columns of a table; its cells that are no number or day are refused when the table is stored."""
        self.asked.append(Columns(table, place))
        return self.asked[-1]

    def stored(self, name: str, parts: Sequence[ir.Table]) -> ir.Table:
        """Rows from several files as one table in the engine, worked out once."""
        waiting, self.asked = self.asked, []
        with blaming(str(self.folder), "cells as the layout says", "mend the cell that is named"):
            self.faults += [fault for of in waiting for fault in of.faults()]
            rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
            made: ir.Table = self.con.create_table(f"made_{name}", rows)
            return made

    def not_read(self) -> list[Read]:
        """The files that no kind claims, by name."""
        return [Read(name, 0, "not read", 0, "no kind of this layout has such a name") for name in self.unread]


class Columns:
    """A table's columns by name, as text, numbers or days; one that is not there is empty."""

    def __init__(self, table: ir.Table, place: str) -> None:
        self.table, self.place = table, place
        self._asked: dict[str, str] = {}

    def text(self, name: str) -> ir.StringValue:
        if name not in self.table.columns:
            return ibis.null("string").nullif(
                ""
            )  # an expression, which `==` compares, and not Ibis's null, which it asks
        column = self.table[name]
        if column.type().is_floating():
            whole = column % 1 == 0  # an identifier that a data frame with gaps holds as 1.0
            column = ibis.ifelse(whole, column.try_cast("int64").cast("string"), column.cast("string"))
        return column.cast("string").strip().nullif("")

    def number(self, name: str) -> ir.FloatingValue:
        self._asked[name] = "numbers as 1250.50"
        if not self._is_text(name):
            return self._cast(name, "float64")
        return as_written(self.text(name), "float64").try_cast("float64")

    def day(self, name: str) -> ir.DateValue:
        """A day from a timestamp, or from text as 20081231, 31-Dec-2008 or 2008-12-31."""
        self._asked[name] = "days as 20261231, 31-Dec-2026 or 2026-12-31"
        if not self._is_text(name):
            return self._cast(name, "date")
        text = self.text(name).lower()
        month = (ibis.literal(MONTHS).find(text.re_extract("-([a-z]{3})-", 1)) // 3 + 1).cast("string").lpad(2, "0")
        months = "|".join(MONTHS[n : n + 3] for n in range(0, 36, 3))
        written = ibis.cases(
            (text.re_search("^[0-9]{8}$"), text.substr(0, 4).concat("-", text.substr(4, 2), "-", text.substr(6, 2))),
            (
                text.re_search(f"^[0-9]{{1,2}}-({months})-[0-9]{{4}}$"),
                text.right(4).concat("-", month, "-", text.split("-")[0].lpad(2, "0")),
            ),
            else_=text,
        )
        return as_written(written, "date").try_cast("date")

    def faults(self) -> Iterator[Fault]:
        """Cells that were asked for as numbers or days and are none: how many of each column, and the first."""
        wrong = {name: self._broken(name) for name in list(self._asked) if name in self.table.columns}
        if not wrong:
            return
        (counts,) = fetched(self.table.aggregate(**{name: where.cast("int64").sum() for name, where in wrong.items()}))
        for name, found in counts.items():
            if found:
                (row,) = fetched(self.table.filter(wrong[name]).select(first=self.table[name].cast("string")).limit(1))
                more = f" and {found - 1:,} more" if found > 1 else ""
                where = f"{self.place}, column {name.upper()}"
                yield Fault(where, f"{show(row['first'])}{more}", self._asked[name], "mend the cells")

    def _broken(self, name: str) -> ir.BooleanValue:
        """Where a cell is no number or day: text that is none, NaN, infinity, a year beyond 9999."""
        written, number = self.table[name], self._asked[name].startswith("numbers")
        value = self.number(name) if number else self.day(name)
        lost = written.notnull() & value.isnull()
        if self._is_text(name):
            lost &= written.strip() != ""
        beyond = (
            value.isnan() | value.isinf() if number else ~value.between(ibis.date(1, 1, 1), ibis.date(9999, 12, 31))
        )
        return (lost | beyond).fill_null(False)

    def _is_text(self, name: str) -> bool:
        return name in self.table.columns and self.table[name].type().is_string()

    def _cast(self, name: str, dtype: str) -> ir.Value:
        return self.table[name].cast(dtype) if name in self.table.columns else ibis.null(dtype)

    def numbered(self, like: str) -> list[int]:
        """The numbers n for which a column like `hcpcs_cd_{n}` is there; 1, which then is empty, where none is."""
        pattern = re.compile(like.replace("{n}", "([0-9]+)") + "$")
        return sorted(int(found[1]) for name in self.table.columns if (found := pattern.match(name))) or [1]


def mapped(value: ir.StringValue, words: dict[str, str]) -> ir.StringValue:
    return ibis.cases(*[(value == code, word) for code, word in words.items()], else_="unknown")


def row_of(name: str, table: ir.Table, **columns: Any) -> ir.Table:
    """Rows of one of the five tables from expressions; the columns that are not given are empty."""
    schema = SCHEMAS[name]
    unknown = set(columns) - set(schema)
    assert not unknown, unknown
    return table.select(**{c: _as(columns.get(c), dtype) for c, dtype in schema.items()})


def _as(value: Any, dtype: Any) -> ir.Value:
    if value is None:
        return ibis.null(dtype)
    value = value if isinstance(value, ir.Value) else ibis.literal(value)
    return value if value.type() == dtype else value.cast(dtype)


def count(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())


def given_twice(people: ir.Table) -> Iterator[str]:
    """In words, the persons of a year who have more than one row; `people` has person_id and year of every row."""
    twice = people.group_by("person_id", "year").agg(rows=people.count()).filter(lambda t: t.rows > 1)
    for row in fetched(twice.group_by("year").agg(people=twice.count(), rows=twice.rows.sum()).order_by("year")):
        who = f"{many(row['people'], 'person')} {'has' if row['people'] == 1 else 'have'}"
        rows = many(row["rows"], "row")
        yield f"{row['year']}: {who} more than one row of the year ({rows}): their months count once."


def of_nobodys_years(people: ir.Table, tables: dict[str, ir.Table]) -> Iterator[str]:
    """In words, the years of service in which no beneficiary is given, with their claim lines and dollars."""
    years = people.select("year").distinct()
    for name, day in (("medical_claim", "claim_start_date"), ("pharmacy_claim", "dispensing_date")):
        if name in tables:
            lines = tables[name].mutate(year=lambda t, day=day: t[day].year().cast("int64")).anti_join(years, "year")
            found = lines.group_by("year").agg(n=lines.count(), paid=lines.paid_amount.sum()).order_by("year")
            for row in fetched(found):
                money = f"{row['n']:,} line{'s' * (row['n'] != 1)}, {in_dollars(row['paid'] or 0)}"
                yield f"{row['year']}: no beneficiary is given, so that {name} of it ({money}) is nobody's."
