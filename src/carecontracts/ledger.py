"""Line and Ledger: who paid whom, how much, when, under which clause, why. A contract has no other memory."""

from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate, pairwise
from typing import NamedTuple

from .units import Number, add_up, cents


class Line(NamedTuple):
    """One clause's payment for one year."""

    year: int
    clause: str
    payer: str
    payee: str
    amount: Number
    workings: dict[str, Number]  # how it came about, each in the unit that its clause gives it
    due: tuple[int, ...]  # months (12 x year + month - 1) in which equal instalments fall due


class Position(NamedTuple):
    """One party's cash in one month: what came in, what went out, and the sum of all so far."""

    month: str
    party: str
    received: Number
    paid: Number
    position: Number


class Ledger(list[Line]):
    """Lines in the order in which they were settled.

    >>> january_and_july = (2026 * 12, 2026 * 12 + 6)
    >>> ledger = Ledger([Line(2026, "fee", "plan", "practice", 100.01, {}, january_and_july)])
    >>> ledger.total(clause="fee"), ledger.total(payee=["plan"])
    (100.01, 0.0)
    >>> for position in ledger.cash_flow():
    ...     if position.party == "practice" and position.received:
    ...         print(position.month, position.received, position.position)
    2026-01 50.01 50.01
    2026-07 50.0 100.01
    """

    def total(
        self,
        *,
        year: int | None = None,
        clause: str | Collection[str] | None = None,
        payer: str | Collection[str] | None = None,
        payee: str | Collection[str] | None = None,
    ) -> Number:
        """The sum of the lines that match; a collection matches any of its members."""
        wanted = [
            (field, {w} if isinstance(w, str) else set(w))
            for field, w in (("clause", clause), ("payer", payer), ("payee", payee))
            if w is not None
        ]
        return add_up(
            line.amount
            for line in self
            if (year is None or line.year == year) and all(getattr(line, field) in names for field, names in wanted)
        )

    def outlay(self, party: str, *, year: int, clause: Collection[str]) -> Number:
        """What a party paid under these clauses in a year, less what it got back under them.

        >>> fee = Line(1, "fee", "plan", "practice", 100.0, {}, (12,))
        >>> refund = Line(1, "refund", "practice", "plan", 30.0, {}, (24,))
        >>> Ledger([fee, refund]).outlay("plan", year=1, clause=["fee", "refund"])
        70.0
        """
        return add_up(
            line.amount if line.payer == party else -line.amount
            for line in self
            if line.year == year and line.clause in clause and party in (line.payer, line.payee)
        )

    def paid(self, *, year: int, clause: Collection[str]) -> Number:
        """What was paid under these clauses in a year, by whom it was: what a payer got back of it is taken off.

        >>> fees = [Line(1, f"fee of {plan}", plan, "practice", 100.0, {}, (12,)) for plan in ("a", "b")]
        >>> refund = Line(1, "refund", "practice", "a", 30.0, {}, (24,))
        >>> Ledger([*fees, refund]).paid(year=1, clause=["fee of a", "fee of b", "refund"])
        170.0
        """
        lines = [line for line in self if line.year == year and line.clause in clause]
        first = lines[0].payee if lines else ""
        return add_up(-line.amount if line.payer == first else line.amount for line in lines)

    def parties(self) -> list[str]:
        return list(dict.fromkeys(party for line in self for party in (line.payer, line.payee)))

    def net(self) -> dict[str, Number]:
        """What each party received less what it paid; these sum to zero."""
        return {party: cents(self.total(payee=party) - self.total(payer=party)) for party in self.parties()}

    def working(self, clause: str, name: str, year: int) -> Number:
        """A working that a clause left in a year, or zero: what a clause may remember besides payments."""
        return next((line.workings.get(name, 0) for line in self if line.clause == clause and line.year == year), 0)

    def last_working(self, clause: str, name: str) -> Number:
        """A working that a clause left in its last year so far, or zero."""
        return next((line.workings.get(name, 0) for line in reversed(self) if line.clause == clause), 0)

    def period(self, clause: str, years: int) -> list[Line]:
        """A clause's lines so far in its current run of years, the one that the next line belongs to.

        >>> lines = [Line(year, "netting", "plan", "practice", 0.0, {}, ()) for year in (1, 2, 3, 4)]
        >>> [line.year for line in Ledger(lines).period("netting", 3)], Ledger(lines[:3]).period("netting", 3)
        ([4], [])
        """
        lines = [line for line in self if line.clause == clause]
        return lines[len(lines) - len(lines) % years :]

    def npv(self, party: str, yearly_rate: float) -> Number:
        """A party's cash, discounted by month to the month of the contract's first payment."""
        flow = [p for p in self.cash_flow() if p.party == party]
        return sum((p.received - p.paid) / (1 + yearly_rate) ** (k / 12) for k, p in enumerate(flow))

    def irr(self, party: str) -> float | None:
        """The yearly rate at which a party's cash is worth nothing; None where there is none, or not one only.

        Money in may alternate with money out, as long as the running sum turns but once: from the start where the party
        gains in all, and from the end where it loses (Norstrom's rule). Solved by bisection between -99.9% and 10,000%.
        """
        flow = [p.received - p.paid for p in self.cash_flow() if p.party == party]
        gains = sum(flow) > 0
        running = accumulate(flow if gains else reversed(flow))
        low, high = -0.999, 100.0
        if _turns(flow) != 1:
            if _turns(running) != 1:
                return None
            low, high = (0.0, high) if gains else (low, 0.0)

        def worth(rate: float) -> float:
            return float(sum(amount / (1 + rate) ** (k / 12) for k, amount in enumerate(flow) if amount))

        if worth(low) * worth(high) > 0:
            return None
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if worth(low) * worth(middle) > 0 else (low, middle)
        return (low + high) / 2

    def cash_flow(self) -> list[Position]:
        """Each party's cash by month, from the first payment due to the last; each month all positions sum to zero.

        Instalments are rounded so that they add up to their line exactly.
        `pandas.DataFrame(ledger.cash_flow())` makes a table of it.
        """
        received: dict[tuple[int, str], Number] = {}
        paid: dict[tuple[int, str], Number] = {}
        for line in self:
            before: Number = 0.0
            for k, month in enumerate(line.due, 1):
                so_far = cents(line.amount * k / len(line.due))
                part, before = so_far - before, so_far
                received[month, line.payee] = received.get((month, line.payee), 0) + part
                paid[month, line.payer] = paid.get((month, line.payer), 0) + part
        months = [month for line in self for month in line.due]
        position: dict[str, Number] = dict.fromkeys(self.parties(), 0.0)
        flow = []
        for month in range(min(months), max(months) + 1) if months else ():
            for party in position:
                came, went = cents(received.get((month, party), 0)), cents(paid.get((month, party), 0))
                position[party] = cents(position[party] + came - went)
                flow.append(Position(month_name(month), party, came, went, position[party]))
        return flow


OUTSIDE = "outside the contract"


def costs_outside(costs: Mapping[str, Number], years: Mapping[int, Iterable[int]]) -> Ledger:
    """What parties pay a year outside the contract, such as for a team: in equal parts over the months of each year.

    >>> costs_outside({"practice": 1_200_000}, {2026: range(2026 * 12, 2027 * 12)}).net()
    {'practice': -1200000.0, 'outside the contract': 1200000.0}
    """
    lines = Ledger()
    for year, months in years.items():
        due = tuple(months)
        lines += [Line(year, "costs outside the contract", p, OUTSIDE, cost, {}, due) for p, cost in costs.items()]
    return lines


def _turns(amounts: Iterable[float]) -> int:
    """How often a row of amounts changes sign, cents and less left out."""
    signs = [amount > 0 for amount in amounts if abs(amount) > 0.005]
    return sum(a != b for a, b in pairwise(signs))


def month_name(month: int) -> str:
    """A month as people write it; years below 100 count from the contract's start.

    >>> month_name(2026 * 12 + 6), month_name(1 * 12)
    ('2026-07', 'year 1, month 1')
    """
    year, index = divmod(month, 12)
    return f"{year}-{index + 1:02}" if year >= 100 else f"year {year}, month {index + 1}"
