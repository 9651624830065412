"""Substantial financial risk of a group of physicians (42 CFR 422.208): what it may gain or lose by what care costs.

potential = the most that the contract can leave it, whatever care costs
at risk   = potential - the least that it can leave it
substantial, where at risk is more than 25% of potential

A withhold, a bonus and a share of losses all come to that one sum: a bonus above a third of all else is above a quarter
of the whole. Pay by quality does not count, so quality stays as expected while the cost of care goes from next to
nothing to four times what is expected. What a group is paid for its own services outside the contract is not known
here; `enough` says from which sum on it would matter.

Whoever is at such risk must have cover of 90% above a quarter of potential payments for the year, or above a sum for
one person that depends on how many people there are. The sums are second-hand: those of the rule's table until it was
changed in 2018, not read at their source. Every finding says so; read the current text.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..chance.plausible import with_effect, without_effect
from ..clauses.aggregate_stop_loss import AggregateStopLoss
from ..contract import Contract
from ..refusal import many
from ..units import say_dollars
from ..year import Year

THRESHOLD = 0.25
COVERED = 0.9
HAIR = 1e-9
CHEAPER = (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 0.99)  # taken off
# the fewest people of a panel: what one person's care may come to before 90% is covered: all of it, or hospital and
# professional care apart
PANELS: dict[int, tuple[int, int, int] | None] = {
    1: (6_000, 10_000, 3_000),
    1_001: (30_000, 40_000, 10_000),
    5_001: (40_000, 60_000, 15_000),
    8_001: (75_000, 100_000, 20_000),
    10_001: (150_000, 200_000, 25_000),
    25_001: None,
}


class AtRisk(NamedTuple):
    """What one party may gain or lose by what care costs."""

    party: str
    potential: float
    least: float

    @property
    def sum(self) -> float:
        return self.potential - self.least

    @property
    def substantial(self) -> bool:
        return self.sum > THRESHOLD * self.potential + 0.005

    @property
    def enough(self) -> float:
        """What it would be paid beside the contract for its own services, for the same sum to be a quarter.

        >>> AtRisk("practice", 1_000_000, 600_000).enough
        600000.0
        """
        return max(self.sum / THRESHOLD - self.potential, 0.0)


def deductibles(people: int) -> tuple[int, int, int] | None:
    """What one person's care may come to before cover begins, by the size of the panel; None beyond 25,000 people.

    >>> deductibles(1_000), deductibles(1_001), deductibles(25_001)
    ((6000, 10000, 3000), (30000, 40000, 10000), None)
    """
    return PANELS[max(fewest for fewest in PANELS if fewest <= max(people, 1))]


def at_risk(contract: Contract, years: Sequence[Year], care: float) -> Iterator[AtRisk]:
    """Each party that deals with the payer and whose result moves with the cost of care, in its year of most risk.

    `care` is what all care is expected to cost, for a party that takes it on at a fixed price. Insurers' risk is their
    trade.
    """
    cheaper = [(1 - effect, with_effect(contract, years, effect)) for effect in CHEAPER]
    dearer = [(1 / (1 - effect), without_effect(contract, years, effect)) for effect in CHEAPER if effect <= 0.75]
    settled = [(factor, contract.settle(each)) for factor, each in (*cheaper, *dearer)]
    takes_on = {c.payee for c in contract.clauses if c.care_taken_on != "none" and not getattr(c, "services", [])}
    insurers = {c.payer for c in contract.clauses if c.insures == "cover"}
    agreed = [c.name for c in contract.clauses if not c.insures]  # cover is what the risk asks for, not part of it
    deals = {side for c in contract.clauses if contract.payer in (c.payer, c.payee) for side in (c.payer, c.payee)}
    for party in contract.parties:
        if party == contract.payer or party in insurers or party not in deals:
            continue
        found = []
        for year in years:
            paid = [ledger.total(year=year.year, clause=agreed, payee=party) for _, ledger in settled]
            paid_out = [ledger.total(year=year.year, clause=agreed, payer=party) for _, ledger in settled]
            buys = [care * factor * (party in takes_on) for factor, _ in settled]
            left = [float(i - o) for i, o in zip(paid, paid_out, strict=True)]
            after_care = [each - cost for each, cost in zip(left, buys, strict=True)]
            found.append(AtRisk(party, max(left), max(left) - (max(after_care) - min(after_care))))
        most = max(found, key=lambda risk: risk.sum / max(risk.potential, 0.01))
        if most.sum > 0.005:
            yield most


def covered(contract: Contract, risk: AtRisk, year: Year, people: int) -> bool:
    """Whether the contract has cover of one person's care, or of the year's, that is as much as is asked for."""
    asked = deductibles(people)
    for clause in contract.clauses:
        if clause.insures != "cover" or clause.payee != risk.party:
            continue
        of_one = clause.covers_of_a_member()
        if of_one and asked and of_one[0] >= COVERED - HAIR and clause.claims_from() <= asked[0]:
            return True
        if isinstance(clause, AggregateStopLoss) and clause.coinsurance >= COVERED - HAIR:
            above = (clause.attachment - 1) * (year.whole_benchmark or 0)
            if above <= THRESHOLD * risk.potential + HAIR:
                return True
    return asked is None


def in_words(risk: AtRisk, people: int) -> str:
    """The arithmetic, and which cover is asked for."""
    asked = deductibles(people)
    share = f"{risk.sum / risk.potential:.0%} of it" if risk.potential > 0 else "all of it and more"
    most, least = say_dollars(round(risk.potential)), say_dollars(round(risk.least))
    words = (
        f"At most {most} in a year, and at least {least}, if care costs from next to nothing to four times what is"
        f" expected: {say_dollars(round(risk.sum))} hangs on it, {share}, and 25% is the line."
    )
    if asked is None:
        return f"{words} For more than 25,000 people no cover of one person was asked for."
    one, hospital, doctors = map(say_dollars, asked)
    return (
        f"{words} For {many(people, 'person')} the rule's table until 2018, known here at second hand, asked for"
        f" cover of 90% above {one} of one person's care ({hospital} in hospitals and {doctors} of professionals,"
        f" where apart), or above {say_dollars(round(THRESHOLD * max(risk.potential, 0)))} of the year's."
    )
