"""A settled contract as a statement: line n of a year is paragraph n of the term sheet."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..clause import Clause
from ..contract import Contract
from ..files import as_csv
from ..ledger import Ledger, Line, month_name
from ..units import Dollars, unit_of

LINES = ("year", "paragraph", "clause", "payer", "payee", "amount", "due", "workings")
CASH = ("month", "party", "received", "paid", "position")


class Row(NamedTuple):
    """One line: who pays whom how much, when, and how it came about."""

    year: int
    paragraph: int
    clause: str
    payer: str
    payee: str
    amount: float
    due: str
    workings: Sequence[str]  # each with its name, in its unit


class Total(NamedTuple):
    """All years of one party, and the month in which its cash is lowest."""

    party: str
    received: float
    paid: float
    net: float
    lowest: float
    month: str


def rows(contract: Contract, ledger: Ledger) -> list[Row]:
    """The statement, line by line.

    >>> from carecontracts import Year
    >>> contract = Contract(
    ...     title="A fee", summary="Paid.", parties={"plan": "the plan", "clinic": "the clinic"}, first_year=2026,
    ...     clauses=[{"name": "fee", "kind": "care_management_fee", "payer": "plan", "payee": "clinic",
    ...               "due": "monthly", "per_member_per_month": 85}])
    >>> rows(contract, contract.settle([Year(year=2026, member_months={"all": 12_000})]))[0][5:]
    (1020000.0, '2026-01 to 2026-12', ['member months 12,000'])
    """
    numbered = {clause.name: (n, clause) for n, clause in enumerate(contract.clauses, 1)}
    found = []
    for line in ledger:
        number, clause = numbered[line.clause]
        workings = [f"{name} {_said(clause, name, value)}" for name, value in line.workings.items()]
        found.append(Row(line.year, number, line.clause, line.payer, line.payee, line.amount, due(line), workings))
    return found


def totals(contract: Contract, ledger: Ledger) -> list[Total]:
    """What each party received and paid over all years, in the order in which they first appear; nobody else."""
    flow, found = ledger.cash_flow(), []
    for party, net in ledger.net().items():
        if party not in contract.parties:
            continue
        lowest = min((p for p in flow if p.party == party), key=lambda p: p.position)
        received, paid = ledger.total(payee=party), ledger.total(payer=party)
        found.append(Total(contract.parties[party], received, paid, net, lowest.position, lowest.month))
    return found


def lines_csv(contract: Contract, ledger: Ledger) -> str:
    """The statement as CSV, a row each line."""
    told = rows(contract, ledger)
    return as_csv(LINES, [(*r[:5], f"{r.amount:z.2f}", r.due, "; ".join(r.workings)) for r in told])


def cash_csv(ledger: Ledger) -> str:
    """Everyone's cash by month as CSV."""
    return as_csv(CASH, [(m, p, f"{r:z.2f}", f"{d:z.2f}", f"{s:z.2f}") for m, p, r, d, s in ledger.cash_flow()])


def due(line: Line) -> str:
    """When a line is paid: a month, the first and the last of several, or never in cash."""
    if not line.due:
        return "in kind"
    first, last = month_name(line.due[0]), month_name(line.due[-1])
    return first if first == last else f"{first} to {last}"


def _said(clause: Clause, working: str, value: Any) -> str:
    """A working in its unit; dollars stand as in the column of amounts, without their sign."""
    unit = clause.unit_of(working)
    return f"{value:z,.2f}" if unit == unit_of(Dollars) else unit.say(value)
