"""Plausible years for any contract, made from its own terms: what its facts would be if care went on as expected.

These are assumptions to start from, each in one place below. A years file of your own is better.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..clause import Clause
from ..clauses.capitation import Capitation
from ..clauses.fee_schedule_increase import FeeScheduleIncrease
from ..clauses.guarantee import Guarantee
from ..clauses.in_kind_support import InKindSupport
from ..clauses.measure_guarantee import MeasureGuarantee
from ..clauses.outcome_price import OutcomePrice
from ..clauses.performance_bonus import PerformanceBonus
from ..clauses.premium_share import PremiumShare
from ..clauses.reconciliation import Reconciliation
from ..clauses.shared_losses import SharedLosses
from ..clauses.shared_savings import SharedSavings
from ..clauses.withhold_return import WithholdReturn
from ..contract import Contract
from ..refusal import Fault, Refusal, show
from ..year import Year, year_from
from .noise import Costs

LIVES = 500
COST = 24_000.0  # dollars a member costs in a year
YEARS = 3  # of a contract without an end
REVENUE = 0.3  # the provider's own revenue, of the benchmark
ENGAGED = 0.7  # of members, in months that are engaged or documented
COUNTED = 0.4  # of members, whom a measure counts
QUALITY = 0.9  # a quality score, or another share that is not on a ladder
RATE = 0.6  # a measure between 0 and 1 that nothing is known of
PER_1000 = 300.0  # and one per 1,000
ADMISSIONS, HOSPITAL_DAYS = 1.2, 6.0  # a member's, in a year
OTHER_OUTCOMES, OTHER_DAYS, CERTIFIED = 0.5, 150.0, 100_000.0  # a member's, days of living somewhere, dollars in all
BILLED = 1_200.0  # dollars a member's billed services come to, for each service
BUDGETED = 0.4  # of expected cost, all services that one budget covers
CARE_RATIO = 0.85  # of the premium, expected cost of care
CASELOAD = 100.0  # members for each person lent to a practice
CLAIMS = 20  # the largest claims that an expected year lists


def expected_years(
    contract: Contract, lives: int = LIVES, cost: float | None = None, count: int | None = None, effect: float = 0.0
) -> list[Year]:
    """The contract's years with every fact that it reads, at the value expected of `lives` people who cost `cost` each.

    Without `cost`, it is what a capitation for all care pays, or else $24,000. Spending equals the benchmark, an
    outcome equals what it is compared with, and a measure stands in the middle of its ladder: the program changes
    nothing. `effect` then acts as in `with_effect`.

    >>> from carecontracts import gallery
    >>> contract = Contract.load(gallery("shared-savings"))
    >>> first, *_ = years = expected_years(contract, lives=1_000, effect=0.05)
    >>> len(years), first.benchmark, first.spend, dict(first.measures)
    (3, 24000000.0, 22800000.0, {'quality score': 0.9})
    """
    cost = _paid_for_all_care(contract) if cost is None else cost
    faults = [
        Fault(name, show(value), "more than 0", "correct it")
        for name, value in (("lives", lives), ("cost", cost))
        if not value > 0
    ]
    if faults:
        raise Refusal(faults)
    length = contract.years or count or YEARS
    if count is not None and not 1 <= count <= length:
        raise Refusal([Fault("years", show(count), f"1 to {length}, as the contract runs", "correct it")])
    numbers = range(contract.first_year, contract.first_year + (count or length))
    years = [_expected(contract, number, number == numbers[-1], lives, cost) for number in numbers]
    return with_effect(contract, years, effect)


def _paid_for_all_care(contract: Contract) -> float:
    """What a capitation without named services pays for a member in the first year, tiers alike; or the default."""
    at = Year(year=contract.first_year, lives=LIVES)
    for clause in contract.clauses:
        if isinstance(clause, Capitation) and not clause.services:
            rate = clause.at(at, contract.first_year).per_member_per_month
            return 12 * (sum(rate.values()) / len(rate) if isinstance(rate, dict) else rate)
    return COST


def with_effect(contract: Contract, years: Sequence[Year], effect: float) -> list[Year]:
    """The same years with a program that truly takes `effect` off spending and off the use that stands behind it.

    Spending, the counts and rates where fewer is better, and the services that a budget covers all become (1 - effect)
    of what they were. Nothing else changes: that a program which saves also raises a quality measure is no matter of
    course.
    """
    if not 0 <= effect < 1:
        raise Refusal([Fault("effect", show(effect), "a share from 0 to under 1: 5% is 0.05", "correct it")])
    return [_affected(contract, year, effect) for year in years] if effect else list(years)


def lowered(clause: Clause) -> str | None:
    """The count or rate of a clause that is better when fewer or lower; None where it has none."""
    if isinstance(clause, OutcomePrice) and clause.better == "fewer":
        return f"outcomes.{clause.outcome}"
    if isinstance(clause, PerformanceBonus) and clause.better == "lower":
        return f"measures.{clause.measure}"
    if isinstance(clause, MeasureGuarantee) and clause.direction == "lower":
        return f"measures.{clause.measure}"
    return None


def _affected(contract: Contract, year: Year, effect: float) -> Year:
    fewer = {name for name in map(lowered, contract.clauses) if name}
    fewer |= {f"services.{name}" for clause in contract.clauses for name in budgeted(clause)}
    facts: dict[str, Any] = {name: dict(getattr(year, name)) for name in ("outcomes", "measures", "services")}
    for name in fewer:
        group, _, part = name.partition(".")
        facts[group][part] *= 1 - effect
    return replace(year, **facts, spend=None if year.spend is None else year.spend * (1 - effect))


def budgeted(clause: Clause) -> list[str]:
    """The services whose cost a clause sets against a budget or a prepayment."""
    return clause.services if isinstance(clause, (Reconciliation, WithholdReturn)) else []


def _expected(contract: Contract, number: int, last: bool, lives: int, cost: float) -> Year:
    at = Year(year=number, lives=lives)
    clauses = [clause.at(at, contract.first_year) for clause in contract.clauses]
    read = list(contract.facts())
    tiers = list(dict.fromkeys(name.partition(".")[2] for name in read if "_months." in name))
    guesses = {"measures": _measures(clauses), "outcomes": _outcomes(clauses, lives)}
    facts: dict[str, Any] = {"year": number, "lives": lives}
    for name in read:
        group, _, part = name.partition(".")
        if group.endswith("_months"):
            if part or not any(other.startswith(f"{group}.") for other in read):  # tiers add up to everyone's
                months = 12 * lives / (len(tiers) if part else 1)
                facts[name] = months * (1 if group == "member_months" else ENGAGED)
        elif group in guesses:
            facts[name] = guesses[group][part]
        elif group == "denominators":
            facts[name] = float(lives) if "per 1,000" in part else round(COUNTED * lives)
        elif group == "counts":
            kind = any(isinstance(clause, InKindSupport) and clause.for_each == part for clause in clauses)
            facts[name] = max(1.0, lives / CASELOAD) if kind else float(lives)
        elif group == "services":
            facts[name] = BILLED * lives
        elif group == "conditions":
            facts[name] = _condition(clauses, part, last)
        elif group == "claims":
            whole = Costs(mean=cost)
            facts |= {f"claims.{k + 1}": whole.quantile(1 - (k + 0.5) / lives) for k in range(min(CLAIMS, lives))}
        elif group not in ("lives", "amounts"):
            facts[name] = lives * cost * (REVENUE if group == "provider_revenue" else 1)
    _budgets(contract, clauses, facts, lives * cost)
    return year_from(facts, "")


def _measures(clauses: Sequence[Clause]) -> dict[str, float]:
    """Each measure's value: the middle of its ladder, or the value above for its kind; compared measures are equal."""
    known: dict[str, float] = {}

    def know(name: str | None, value: float) -> None:
        if name:
            known.setdefault(name, value)

    for clause in clauses:
        if isinstance(clause, PerformanceBonus):
            ladder = clause.attainment or clause.percentile if clause.measure == clause.ranked_in else clause.attainment
            middle = (min(ladder) + max(ladder)) / 2 if ladder else _unknown(clause.measure)
            know(clause.measure, middle)
            for same in (clause.baseline, clause.equity_measure):
                know(same, known[clause.measure])
            if clause.percentile:
                know(clause.ranked_in, (min(clause.percentile) + max(clause.percentile)) / 2)
            know(clause.gate, min(1.0, (clause.gate_minimum or 0) + 0.05))
            know(clause.multiplier, QUALITY)
        elif isinstance(clause, MeasureGuarantee):
            know(clause.measure, _unknown(clause.measure))
            know(clause.against, known[clause.measure])
        elif isinstance(clause, SharedSavings):
            if clause.share_by and clause.share_ladder:
                know(clause.share_by, (min(clause.share_ladder) + max(clause.share_ladder)) / 2)
            know(clause.quality, QUALITY)
        elif isinstance(clause, SharedLosses):
            know(clause.quality, QUALITY)
        elif isinstance(clause, Capitation):
            know(clause.risk_score, 1.0)
    return known


def _unknown(measure: str) -> float:
    if "per 1,000" in measure:
        return PER_1000
    return ADMISSIONS if "per member" in measure else RATE


def _outcomes(clauses: Sequence[Clause], lives: int) -> dict[str, float]:
    """How many of each outcome; one that is compared equals its comparison."""
    known: dict[str, float] = {}
    for clause in clauses:
        if isinstance(clause, OutcomePrice):
            if clause.comparison or clause.expected is not None:
                each = HOSPITAL_DAYS if "days" in clause.outcome else ADMISSIONS
                count = each * lives if clause.expected is None else clause.expected
                known.setdefault(clause.comparison or "", count)
            elif "dollars" in clause.outcome:
                count = CERTIFIED
            else:
                count = lives * (OTHER_DAYS if "days" in clause.outcome else OTHER_OUTCOMES)
            known.setdefault(clause.outcome, count)
            known.setdefault(clause.precondition or "", known[clause.outcome])
    return known


def _condition(clauses: Sequence[Clause], name: str, last: bool) -> int:
    """1 for what a payment waits for, 0 for what would stop it; that the contract has ended, in its last year."""
    if any(isinstance(clause, Guarantee) and clause.ended == name for clause in clauses):
        return int(last)
    stops = any(name in clause.unless for clause in clauses)
    return int(any(name in clause.only_if for clause in clauses) or not stops)


def _budgets(contract: Contract, clauses: Sequence[Clause], facts: dict[str, Any], benchmark: float) -> None:
    """Services and the money meant for them: what was prepaid is spent, and a budget is kept."""
    for clause in clauses:
        if isinstance(clause, Reconciliation):
            without = {name: 0.0 if name.startswith("services.") else value for name, value in facts.items()}
            missing = {f"amounts.{part}": 0.0 for part in _amounts(contract)}
            earlier = contract.clauses[: clauses.index(clause)]
            prepaid = contract.model_copy(update={"clauses": earlier}).settle([year_from(missing | without, "")])
            each = prepaid.total(clause=clause.prepaid) / len(clause.services)
            facts |= {f"services.{service}": each for service in clause.services}
        elif isinstance(clause, WithholdReturn):
            facts |= {f"services.{service}": BUDGETED * benchmark / len(clause.services) for service in clause.services}
            facts[f"amounts.{clause.budget}"] = BUDGETED * benchmark
        elif isinstance(clause, PremiumShare):
            facts[f"amounts.{clause.premium}"] = benchmark / CARE_RATIO
    for part in _amounts(contract):
        facts.setdefault(f"amounts.{part}", 0.0)


def _amounts(contract: Contract) -> list[str]:
    return [name.partition(".")[2] for name in contract.facts() if name.startswith("amounts.")]


def billed(clause: Clause) -> list[str]:
    """The services whose fees a clause raises."""
    return clause.services if isinstance(clause, FeeScheduleIncrease) else []
