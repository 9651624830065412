"""A statement, a cash flow and a table of nets as XLSX: numbers stay numbers, and sums stay formulas. Needs XlsxWriter.

Text from a contract is written as text: none of it becomes a formula, a link or a number.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..contract import Contract
from ..ledger import Ledger
from ..refusal import Fault, Refusal
from . import statement

NET = ("effect", "party", "year", "source", "dollars")
DOLLARS = {"amount", "received", "paid", "net", "position", "dollars", "nets"}  # columns in this format
WIDEST = 60


class Formula(NamedTuple):
    """A cell that is worked out where it is read, and what it comes to today."""

    text: str
    value: float


class Sheet(NamedTuple):
    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]  # text, numbers and formulas


def settled(contract: Contract, ledger: Ledger, whole: Ledger | None = None) -> bytes:
    """The statement, what each party received and paid, and everyone's cash by month.

    `whole` is the ledger with what parties pay outside the contract: it goes into the cash, not into the statement.

    >>> from carecontracts import Contract, Year, gallery
    >>> contract = Contract.load(gallery("compared/fee"))
    >>> file = settled(contract, contract.settle([Year(year=1, member_months={"all": 6_000})]))
    >>> file[:2]  # a zipped folder, as every .xlsx is
    b'PK'
    """
    lines = [(*row[:7], "; ".join(row.workings)) for row in statement.rows(contract, ledger)]
    return _written(
        [Sheet("Statement", statement.LINES, lines), _totals(contract, ledger, len(lines)), _cash(whole or ledger)]
    )


def net(rows: Sequence[Sequence[Any]]) -> bytes:
    """What everyone nets: every amount as a row, and the sums over them by party, source and effect."""
    sources = list(dict.fromkeys(source for _, _, _, source, _ in rows))
    sheets = [Sheet("Lines", NET, rows)]
    for effect in dict.fromkeys(row[0] for row in rows):
        table: list[list[Any]] = []
        for party in dict.fromkeys(row[1] for row in rows):
            at, cells = len(table) + 2, []
            for column, source in enumerate(sources, 1):
                value = sum(row[4] for row in rows if (row[0], row[1], row[3]) == (effect, party, source))
                where = f"Lines!$A:$A,{effect!r},Lines!$B:$B,$A{at},Lines!$D:$D,{_letter(column)}$1"
                cells.append(Formula(f"=SUMIFS(Lines!$E:$E,{where})", value))
            whole = Formula(f"=SUM(B{at}:{_letter(len(sources))}{at})", sum(cell.value for cell in cells))
            table.append([party, *cells, whole])
        sheets.append(Sheet(f"Effect {effect:.1%}", ("party", *sources, "nets"), table))
    return _written(sheets)


def _totals(contract: Contract, ledger: Ledger, lines: int) -> Sheet:
    rows: list[list[Any]] = []
    for n, (party, net) in enumerate(ledger.net().items(), 2):
        amounts = f"Statement!$F$2:$F${lines + 1}"
        got, gave = (f"=SUMIFS({amounts},Statement!${side}$2:${side}${lines + 1},$A{n})" for side in "ED")
        received, paid = ledger.total(payee=party), ledger.total(payer=party)
        rows.append([party, Formula(got, received), Formula(gave, paid), Formula(f"=B{n}-C{n}", net)])
    return Sheet("Totals", ("party", "received", "paid", "net"), rows)


def _cash(ledger: Ledger) -> Sheet:
    """Each party's months together, so that a position is the one above it and what came and went."""
    flow = ledger.cash_flow()
    rows: list[list[Any]] = []
    for party in ledger.parties():
        for month, _, received, paid, position in (each for each in flow if each.party == party):
            n = len(rows) + 2
            before = f"E{n - 1}+" if rows and rows[-1][1] == party else ""
            rows.append([month, party, received, paid, Formula(f"={before}C{n}-D{n}", position)])
    return Sheet("Cash by month", statement.CASH, rows)


def _written(sheets: Iterable[Sheet]) -> bytes:
    try:
        from xlsxwriter import Workbook
    except ModuleNotFoundError:
        allowed, do = "an .xlsx file, where XlsxWriter is installed", "pip install XlsxWriter, or write a .csv file"
        raise Refusal([Fault("--out", "an Excel file", allowed, do)]) from None
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as book:
        bold, dollars = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.freeze_panes(1, 0)
            for column, name in enumerate(sheet.header):
                page.write_string(0, column, name, bold)
            for n, row in enumerate(sheet.rows, 1):
                for column, cell in enumerate(row):
                    form = dollars if isinstance(cell, float | Formula) and sheet.header[column] != "effect" else None
                    if isinstance(cell, Formula):
                        page.write_formula(n, column, cell.text, form, round(cell.value, 2))
                    elif isinstance(cell, str):
                        page.write_string(n, column, cell)
                    else:
                        page.write_number(n, column, cell, form)
            for column, name in enumerate(sheet.header):
                longest = max(
                    [len(name), *(len(str(row[column])) for row in sheet.rows if not isinstance(row[column], Formula))]
                )
                page.set_column(column, column, min(max(longest + 2, 14 if name != "year" else 8), WIDEST))
    return file.getvalue()


def _letter(column: int) -> str:
    """The letter of a column from 0.

    >>> _letter(1), _letter(26)
    ('B', 'AA')
    """
    first, last = divmod(column, 26)
    return (chr(64 + first) if first else "") + chr(65 + last)
