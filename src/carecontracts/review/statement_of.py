"""Their statement: the other side's lines, read from what they sent, each bound to a clause and a year."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..contract import Contract
from ..files import number_in, read_csv
from ..refusal import Fault, Refusal, did_you_mean, listed, show
from ..units import looks
from ..year import Year

AMOUNT = re.compile(r"(?P<open>\()?(?P<minus>-)?\$?(?P<number>(\d{1,3}(,\d{3})+|\d+)(\.\d*)?)(?(open)\))", re.ASCII)
COLUMNS = ("year", "clause", "paragraph", "payer", "payee", "amount")


class Theirs(NamedTuple):
    """One line of the other side's statement; negative where it is paid the other way round than its clause pays."""

    year: int
    clause: str
    amount: float
    where: str


def read_statement(path: Path, contract: Contract) -> list[Theirs]:
    """The lines of a CSV or XLSX file with the columns year, clause (or paragraph) and amount.

    Refuses lines of no clause and no year, the same line twice, amounts that are no numbers, parties that are none.
    """
    rows = list(_rows_of_a_workbook(path) if path.suffix.lower() == ".xlsx" else _rows_of_a_table(path))
    lines, faults = [], []
    for row, where in rows:
        try:
            lines.append(_line(row, where, contract))
        except Refusal as refusal:
            faults += refusal.faults
    seen: dict[tuple[int, str], str] = {}
    for line in lines:
        if (key := (line.year, line.clause)) in seen:
            given = f"{line.clause} of {line.year} again, as in {seen[key]}"
            faults.append(Fault(line.where, given, "each clause once a year", "add the two up, or take one out"))
        seen[key] = line.where
    if not rows:
        do = "put a line for each clause and year under the header"
        faults.append(Fault(str(path), "a header without rows", "at least one row", do))
    if faults:
        raise Refusal(faults)
    return lines


def without_facts(lines: list[Theirs], years: Sequence[Year]) -> None:
    """Refuses lines of years whose facts are not there to compare them with."""
    known = [year.year for year in years]
    do = "add the facts of that year to the years file, or take the line out"
    faults = [
        Fault(line.where, f"a line of {line.year}", listed(map(str, known)), do)
        for line in lines
        if line.year not in known
    ]
    if faults:
        raise Refusal(faults)


def _rows_of_a_table(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    header, rows = read_csv(path, any_header=True)
    _has_columns(header, str(path))
    for row in rows:
        yield {name.lower(): value for name, value in row.items()}, f"{path}, row {row['']}"


def _rows_of_a_workbook(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError:
        do = "pip install openpyxl, or save the sheet as CSV"
        raise Refusal([Fault(str(path), "an Excel file", "a .csv file, where openpyxl is not installed", do)]) from None
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # whatever a broken zip, or a file of another kind, makes of it
        do = "save it again from a spreadsheet, or as CSV"
        raise Refusal([Fault(str(path), type(error).__name__, "an Excel file that opens", do)]) from None
    try:
        sheet = next((each for each in book.worksheets if each.title.lower() == "statement"), book.worksheets[0])
        rows = iter(sheet.iter_rows(values_only=True))
        header = [str(cell or "").strip().lower() for cell in next(rows, ())]
        _has_columns(header, f"{path}, sheet {sheet.title!r}")
        for number, row in enumerate(rows, 2):
            if any(cell is not None for cell in row):
                yield dict(zip(header, row, strict=False)), f"{path}, row {number}"
    finally:
        book.close()


def _has_columns(header: list[str], where: str) -> None:
    names = [name.strip().lower() for name in header]
    missing = [name for name in ("year", "amount") if name not in names]
    if "clause" not in names and "paragraph" not in names:
        missing.append("clause, or paragraph,")
    if missing:
        do = "name the columns so; write one with: carecontracts settle CONTRACT YEARS --out statement.csv"
        raise Refusal([Fault(where, f"no column {' and '.join(missing)}", ", ".join(COLUMNS), do)])
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        do = "take one out: which of them counts, nothing says"
        raise Refusal([Fault(where, f"the column {' and '.join(twice)} twice", "each column once", do)])


def _dollars_in(text: str) -> float | str:
    """Dollars as people write them, with a sign or in brackets where negative, commas only between thousands.

    >>> _dollars_in("$1,200.50"), _dollars_in("($1,200.50)"), _dollars_in("-1200.5"), _dollars_in("1,5")
    (1200.5, -1200.5, -1200.5, '1,5')
    """
    found = AMOUNT.fullmatch(text)
    if not found:
        return number_in(text)
    number = float(found["number"].replace(",", ""))
    return -number if found["minus"] or found["open"] else number


def _line(row: dict[str, Any], where: str, contract: Contract) -> Theirs:
    names = [clause.name for clause in contract.clauses]
    faults = []
    given = str(row.get("clause") or "").strip()
    name = next((each for each in names if looks(each) == looks(given)), "") if given else ""
    number = number_in(str(row.get("paragraph") or ""))
    if not name and not given and isinstance(number, (int, float)) and number in range(1, len(names) + 1):
        name = names[int(number) - 1]
    elif name and number != "" and number != names.index(name) + 1:
        do = "correct one of the two, or leave one empty"
        faults.append(Fault(where, f"{name} as paragraph {number}", f"paragraph {names.index(name) + 1}", do))
    if not name:
        do = did_you_mean(given, names) + "name the clause, or give its paragraph's number"
        faults.append(Fault(where, show(given or row.get("paragraph")), listed(names), do))
    year = number_in(str(row.get("year") or ""))
    if not isinstance(year, (int, float)) or year != int(year):
        faults.append(Fault(where, show(row.get("year")), "a year", "correct it"))
    amount = row.get("amount")
    dollars = amount if isinstance(amount, (int, float)) else _dollars_in(str(amount or "").strip())
    if isinstance(dollars, (str, bool)) or dollars != dollars or abs(dollars) > 1e13:
        faults.append(Fault(where, show(amount), "dollars", "write a number"))
    sign = 1
    payer, payee = (str(row.get(side) or "").strip() for side in ("payer", "payee"))
    if name and (payer or payee):
        clause = contract.clauses[names.index(name)]
        if (payer or clause.payer, payee or clause.payee) == (clause.payee, clause.payer):
            sign = -1
        elif (payer or clause.payer, payee or clause.payee) != (clause.payer, clause.payee):
            allowed = f"{clause.payer} to {clause.payee}, or the other way round"
            faults.append(Fault(where, f"{payer} to {payee}", allowed, "correct the parties"))
    if faults:
        raise Refusal(faults)
    return Theirs(int(year), name, sign * float(dollars), where)
