"""The traps of a draft, one small rule each: what was found in plain words, the numbers behind it, what to do.

A rule yields a finding for each paragraph that trips it, and nothing where it cannot know. What only a lawyer answers
is a question, with its anchor; check the current text.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from statistics import fmean
from typing import Any, Literal, NamedTuple

from ..chance.plausible import with_effect
from ..clauses.case_rate import CaseRate
from ..clauses.investment import Investment
from ..clauses.outcome_price import OutcomePrice
from ..clauses.performance_bonus import PerformanceBonus
from ..clauses.recoupment import Recoupment
from ..clauses.repayment import Repayment
from ..clauses.withhold import Withhold
from ..definitions import Cost, Dearest, Predicted
from ..evaluation.persistence import remains
from ..evidence.library import load
from ..evidence.prior import Reader
from ..measuring.benchmark import OwnHistory
from ..parties.net import net
from ..parties.outside import CONTRACT, Outside, with_care
from ..parties.price import supported
from ..refusal import many
from ..units import say_dollars, say_list, say_percent
from .draft import DRAWS, SEED, Draft
from .financial_risk import AtRisk, at_risk, covered, in_words

Severity = Literal["error", "warning", "question"]
OFTEN = 0.2  # of years: paid by luck, or not paid for work, more often than this is told
CONFIDENT = 1.28  # standard deviations that luck alone passes in one year of ten
MOST_MINIMUM = 0.25  # of a benchmark: no program is hoped to save more
FEW = 1_000  # people, under whom a share of losses is mostly luck
HORIZON = 3  # years: the latest year in which a study of this kind of program found its savings (GRACE)
DEAREST = 0.05
PAID_MONTHS = {"engaged month": "engaged_month", "month with a documented service": "documented_service"}
PHYSICIANS = ("medicare", "dual", "medicaid")  # lines of business with a rule on physicians' risk


class Finding(NamedTuple):
    """One trap: how bad, where, in plain words, with its numbers, and a mend in words and as an amendment."""

    rule: str
    severity: Severity
    where: str
    found: str
    numbers: str
    do: str
    mend: Mapping[str, Any] = {}  # what `Contract.amend` takes


Rule = Callable[[Draft], Iterator[Finding]]
RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    def named(function: Rule) -> Rule:
        RULES[name] = function
        return function

    return named


def findings(draft: Draft) -> list[Finding]:
    """Everything that any rule finds, errors first."""
    order = ["error", "warning", "question"]
    found = [finding for each in RULES.values() for finding in each(draft)]
    return sorted(found, key=lambda finding: order.index(finding.severity))


# --- who, and against what --------------------------------------------------------------------------------------------


@rule("they would have cost less anyway")
def regression_to_the_mean(draft: Draft) -> Iterator[Finding]:
    measured = draft.contract.measurement
    if not measured or not isinstance(measured.benchmark, OwnHistory) or measured.benchmark.people != "the same people":
        return
    picked = [tier.definition for tier in measured.tiers.values()] + [measured.population.definition]
    if all(definition.say() == "everyone" for definition in picked):
        return
    left = remains(DEAREST, math.sqrt(math.log(1 + draft.luck.cv**2)), draft.luck.kept)
    yield Finding(
        "they would have cost less anyway",
        "error",
        "how the year is measured, “Benchmark”",
        "People are picked for a bad year, and are expected to go on costing what they did in it.",
        f"Of what the dearest {DEAREST:.0%} cost, about {left:.0%} is there a year later with no program"
        f" (spread {draft.luck.cv:g}, lasting luck {draft.luck.kept:g}).",
        "take history of people found by the same rule in earlier years, a comparison group, or a correction",
        {"measurement": {"benchmark": {"people": "the people found by the same rules"}}},
    )


@rule("the benchmark moves with the choice of people")
def selected_by_what_adjusts(draft: Draft) -> Iterator[Finding]:
    measured = draft.contract.measurement
    if not measured or not measured.risk:
        return
    picked = [d for tier in measured.tiers.values() for d in tier.definition.rules()]
    picked += measured.population.definition.rules()
    by = [type(each).__name__.lower() for each in picked if isinstance(each, (Cost, Dearest, Predicted))]
    if by:
        yield Finding(
            "the benchmark moves with the choice of people",
            "warning",
            "how the year is measured, “Risk”",
            f"People are picked by {say_list(by)}, and the benchmark is adjusted by a score that follows it.",
            "The same year puts a person on the list and raises what is expected of that person.",
            "use a score known before the year by which people are picked, or drop the adjustment",
        )


@rule("judged before and after")
def before_and_after(draft: Draft) -> Iterator[Finding]:
    evaluation = draft.provisions.evaluation
    pays = [c for c in draft.contract.clauses if c.pays_for_results]
    if evaluation and evaluation.design == "before and after" and pays:
        yield Finding(
            "judged before and after",
            "error",
            "what else is agreed, “Evaluation”",
            "Money moves by a comparison of the same people before and after.",
            f"Paid so: {say_list([f'“{c.name}”' for c in pays])}.",
            "name a comparison group before the first year",
            {"provisions": {"evaluation": {"design": "a comparison over time"}}},
        )


@rule("paid for drift")
def no_counterfactual(draft: Draft) -> Iterator[Finding]:
    for clause in draft.contract.clauses:
        if isinstance(clause, OutcomePrice) and not clause.compared:
            yield Finding(
                "paid for drift",
                "warning",
                draft.paragraph(clause),
                f"Each of “{clause.outcome}” is paid for, and nothing says how many there would be anyway.",
                f"In an average year it pays {say_dollars(round(float(draft.nothing.of(clause.name).mean())))} for a"
                " program that changes nothing.",
                "name what it is compared with: `comparison`, `forecast` or `expected`, and `better`",
            )


# --- luck -------------------------------------------------------------------------------------------------------------


@rule("luck decides")
def luck_decides(draft: Draft) -> Iterator[Finding]:
    for clause in draft.contract.clauses:
        if not clause.pays_for_results or clause.money_back or clause not in [*draft.sharing("savings")]:
            continue
        years = zip(draft.nothing.by_year(clause.name), draft.works.by_year(clause.name), strict=True)
        # The years in which it pays at all: a period may end only in the last.
        settles = [(idle > 0, works > 0) for idle, works in years if ((idle > 0) | (works > 0)).any()]
        paid, denied = (
            (fmean(idle.mean() for idle, _ in settles), 1 - fmean(works.mean() for _, works in settles))
            if settles
            else (0.0, 1.0)
        )
        if paid <= OFTEN and denied > OFTEN and not _paid_if_it_works(draft, [clause.name]):
            if _paid_if_it_works(draft, [each.name for each in draft.sharing("savings")]):
                continue  # it is for another case than the one that is hoped for
            if len(draft.years) < (draft.contract.years or 0):
                continue  # what it counts may not have ended yet
            yield Finding(
                "luck decides",
                "warning",
                draft.paragraph(clause),
                "It pays nothing for a program that does what is hoped for.",
                f"For {many(draft.lives, 'person')} it pays nothing in a year without luck in which"
                f" {say_percent(draft.effect)} is taken off; luck makes it pay in {1 - denied:.0%} of such years.",
                "a smaller fee before it, a lower minimum, or a program that saves more",
            )
        elif paid > OFTEN or denied > OFTEN:
            yield Finding(
                "luck decides",
                "warning",
                draft.paragraph(clause),
                "Luck decides it too often.",
                f"For {many(draft.lives, 'person')} it pays in {paid:.0%} of years in which the program did nothing,"
                f" and not in {denied:.0%} of years in which it took off {say_percent(draft.effect)}.",
                "pool several years, settle with others, or raise the minimum",
            )


@rule("the minimum does not fit the size")
def minimum_for_the_size(draft: Draft) -> Iterator[Finding]:
    for clause in draft.sharing("savings"):
        now = clause.at(draft.years[0], draft.contract.first_year)
        minimum, fits = getattr(now, "minimum", None), CONFIDENT * draft.luck.cv / draft.lives**0.5
        fits *= now.part(draft.lives)  # of what few people show, as much as counts
        forgone = float(draft.works.of(clause.name).mean())
        if isinstance(minimum, (int, float)) and minimum < fits / 2 and forgone > 0:
            yield Finding(
                "the minimum does not fit the size",
                "warning",
                draft.paragraph(clause),
                f"A minimum of {say_percent(minimum)} is that of a much larger group.",
                f"At {many(draft.lives, 'person')} luck alone passes {fits:.1%} in one year of ten; this clause pays"
                f" {say_dollars(round(forgone))} a year where the program works.",
                f"set it near {round(fits, 3):.1%}, or pool years; a higher one denies more that was earned"
                if fits <= MOST_MINIMUM
                else "pool years, or people: no minimum fits so few",
                {"clauses": {clause.name: {"minimum": round(fits, 3)}}} if fits <= MOST_MINIMUM else {},
            )


@rule("few people carry losses")
def losses_on_few(draft: Draft) -> Iterator[Finding]:
    for clause in draft.sharing("losses"):
        if draft.lives < FEW:
            owed = draft.nothing.of(clause.name)
            yield Finding(
                "few people carry losses",
                "warning",
                draft.paragraph(clause),
                f"{many(draft.lives, 'person')} are too few to share losses on.",
                f"In {float((owed > 0).mean()):.0%} of years something is owed for a program that changed nothing;"
                f" {say_dollars(round(float(owed.mean())))} in an average year.",
                f"wait until {FEW:,} people are pooled, or put a service or a fee at risk instead",
            )


@rule("a loss without an end")
def losses_without_a_cap(draft: Draft) -> Iterator[Finding]:
    for clause in draft.sharing("losses"):
        each_year = [getattr(clause.at(y, draft.contract.first_year), "bands", None) for y in draft.years]
        # Of what is beyond the last band nothing is shared.
        ends = all(isinstance(bands, dict) and bands[max(bands)] == 0 for bands in each_year)
        ends |= bool(getattr(clause, "only_out_of", []))  # no more than was paid in
        if not ends and all(
            getattr(clause, cap, None) is None for cap in ("cap", "revenue_cap", "fee_cap", "counted_up_to")
        ):
            owed = draft.nothing.of(clause.name).max()
            yield Finding(
                "a loss without an end",
                "error",
                draft.paragraph(clause),
                "What may be owed has no limit.",
                f"The worst of {many(draft.nothing.draws, 'draw')} owes {say_dollars(round(float(owed)))} in a year.",
                "add a cap that the provider could pay",
                {"clauses": {clause.name: {"cap": 0.03}}},
            )


@rule("a price that pays for luck")
def outcome_without_a_minimum(draft: Draft) -> Iterator[Finding]:
    for clause in draft.contract.clauses:
        if isinstance(clause, OutcomePrice) and clause.compared:
            paid = float(draft.nothing.of(clause.name).mean())
            pays, asks = ("below", "above") if clause.better == "fewer" else ("above", "below")
            if paid > 0 and clause.schedule is None:
                yield Finding(
                    "a price that pays for luck",
                    "warning",
                    draft.paragraph(clause),
                    f"It pays from the first one {pays} what was expected, and never asks for one {asks} it.",
                    f"For a program that changes nothing it pays {say_dollars(round(paid))} in an average year.",
                    "pay by a `schedule` that begins where luck ends, or let years be added together",
                )


# --- fees -------------------------------------------------------------------------------------------------------------


@rule("a fee counted by nobody")
def fee_in_no_sentence(draft: Draft) -> Iterator[Finding]:
    measured = draft.contract.measurement
    if measured and measured.fees:
        return
    fees = _fees(draft)
    for clause in [*draft.sharing("savings"), *draft.sharing("losses")]:
        earlier = [name for name, (at, payer) in fees.items() if at < _at(draft, clause) and payer in _sides(clause)]
        left = [name for name in earlier if name not in clause.net_of]
        if left:
            named = say_list([f"“{name}”" for name in left])
            yield Finding(
                "a fee counted by nobody",
                "error",
                draft.paragraph(clause),
                f"Nothing says whether {named} is a cost when savings are counted.",
                f"It comes to {say_dollars(round(_paid(draft, left)))} a year.",
                "name it under `net_of`, or say under `measurement: fees` that it is inside or outside total cost",
                {"clauses": {clause.name: {"net_of": [*clause.net_of, *left]}}},
            )


@rule("a month that nobody defined")
def engagement_undefined(draft: Draft) -> Iterator[Finding]:
    meanings = draft.provisions.meanings
    for clause in draft.contract.clauses:
        unit = getattr(clause, "for_each", "")
        for paid, word in PAID_MONTHS.items():
            if unit == paid and not (meanings and getattr(meanings, word)) and not _measured(draft, word):
                yield Finding(
                    "a month that nobody defined",
                    "warning",
                    draft.paragraph(clause),
                    f"It pays for each {paid}, and nothing says what one is.",
                    f"It comes to {say_dollars(round(_paid(draft, [clause.name])))} a year.",
                    f"define it under `provisions: meanings: {word}`, or measure it",
                )


@rule("finding people is nobody's line")
def outreach_unpriced(draft: Draft) -> Iterator[Finding]:
    months = [clause for clause in draft.contract.clauses if getattr(clause, "for_each", "")]
    if any(clause.for_each == "enrolled month" for clause in months):  # type: ignore[attr-defined]
        return
    for clause in (each for each in months if each.for_each in PAID_MONTHS):  # type: ignore[attr-defined]
        yield Finding(
            "finding people is nobody's line",
            "warning",
            draft.paragraph(clause),
            "The team is paid only for people who already take part.",
            "In Washington 38% of those eligible took part (xing2015washington); finding them comes first, unpaid.",
            "add a smaller fee for everyone on the list, or a price for each first contact",
        )


@rule("no study found as much")
def required_reduction(draft: Draft) -> Iterator[Finding]:
    fees = [c for c in draft.contract.clauses if c.name in _fees(draft)]
    year = _paid(draft, [c.name for c in fees])
    required = year / (draft.lives * draft.care) if draft.care else 0.0
    if not fees or not required:
        return
    months = 12.0 * (draft.contract.years or HORIZON)
    support = supported(required, load(), Reader(line=draft.line, months=months))  # type: ignore[arg-type]
    if support.warning:
        yield Finding(
            "no study found as much",
            "error" if not support.intervals else "warning",
            say_list([draft.paragraph(c) for c in fees]),
            f"The fees ask for {required:.1%} off the cost of care before anyone gains.",
            f"{support.warning} ({many(support.studies, 'study')}; care at {say_dollars(round(draft.care))} a member.)",
            "people who cost more, a smaller team, or fewer people with more of it",
        )


# --- measures, time, data ---------------------------------------------------------------------------------------------


@rule("a measure that cannot pay")
def too_few_counted(draft: Draft) -> Iterator[Finding]:
    for clause in draft.contract.clauses:
        least = getattr(clause, "minimum_denominator", None)
        measure = getattr(clause, "measure", None)
        counted = draft.years[0].fact(f"denominators.{measure}") if measure else None
        if isinstance(least, (int, float)) and counted is not None and counted < least:
            yield Finding(
                "a measure that cannot pay",
                "error",
                draft.paragraph(clause),
                f"“{measure}” is expected to count {counted:,.0f}, and must count {least:,.0f} to decide anything.",
                f"Under it, {say_percent(getattr(clause, 'below_minimum', None) or 0)} is earned whatever the result.",
                "lower the minimum, pool years, or pay on another measure",
            )


@rule("too many measures")
def too_many_measures(draft: Draft) -> Iterator[Finding]:
    measures = {fact for c in draft.contract.clauses for fact in c.facts if fact.startswith("measures.")}
    paid_on = {f"measures.{c.measure}" for c in draft.contract.clauses if isinstance(c, PerformanceBonus)}
    quality = draft.provisions.quality
    most = float(quality.most_measures) if quality else 10
    if len(paid_on & measures) > most:
        yield Finding(
            "too many measures",
            "error" if quality else "warning",
            "what is paid",
            f"{len(paid_on)} measures move money; at most {most:g} {'are agreed' if quality else 'can be worked on'}.",
            say_list(sorted(name.partition(".")[2] for name in paid_on)) + ".",
            "keep those that a party can move and that count enough people",
        )


@rule("the data come after the decision")
def slow_data(draft: Draft) -> Iterator[Finding]:
    feeds = draft.provisions.data_feeds
    read = min((goal.read_after_months for goal in draft.contract.goals), default=None)
    if feeds and read is not None and (slowest := feeds.slowest_to_provider()) > 30 * read / 2:
        yield Finding(
            "the data come after the decision",
            "warning",
            "what else is agreed, “Data”",
            f"The slowest feed reaches the provider after {many(round(slowest), 'day')}, and the first goal is read"
            f" after {many(read, 'month')}.",
            "More than half of the time is gone before anyone can act on what it shows.",
            "ask for it more often or sooner, or read the goal later",
        )


@rule("it ends before it can be read")
def shorter_than_the_horizon(draft: Draft) -> Iterator[Finding]:
    years = draft.contract.years
    shares = [c for c in draft.contract.clauses if c.by_spending and c.pays_for_results]
    if years and years < HORIZON and shares:
        yield Finding(
            "it ends before it can be read",
            "warning",
            "parties and term",
            f"The agreement ends after {years} year{'s' * (years > 1)}, and money moves by cost.",
            "GRACE, a program of this kind that saved, did so in its third year (counsell2009grace); with run-out and"
            f" settlement that is month {12 * HORIZON + 9}.",
            f"run for {HORIZON} years, or pay on reach and engagement in the early ones",
            {"years": HORIZON},
        )


@rule("success lowers the next benchmark")
def ratchet(draft: Draft) -> Iterator[Finding]:
    measured = draft.contract.measurement
    if measured and isinstance(measured.benchmark, OwnHistory) and [*draft.sharing("savings")] and draft.contract.years:
        saved = draft.effect * draft.lives * draft.care
        yield Finding(
            "success lowers the next benchmark",
            "question",
            "how the year is measured, “Benchmark”",
            "At renewal the benchmark will be made from years in which the program worked.",
            f"{say_dollars(round(saved))} a year of savings are then the new expectation, and the fee has nothing to be"
            " paid from.",
            "say now what part of savings stays in the next benchmark",
        )


@rule("a fee ahead, a list behind")
def prospective_and_retrospective(draft: Draft) -> Iterator[Finding]:
    measured = draft.contract.measurement
    timing = getattr(measured.attribution, "timing", "") if measured else ""
    for clause in draft.contract.clauses if timing == "retrospective" else ():
        if clause.name in _fees(draft) and clause.due in ("monthly", "quarterly"):
            yield Finding(
                "a fee ahead, a list behind",
                "question",
                draft.paragraph(clause),
                "The fee is paid as the year goes, for people who are known only when it has ended.",
                f"{say_dollars(round(_paid(draft, [clause.name])))} a year moves on a list that is not final.",
                "attribute prospectively, or agree on a true-up between the two lists",
            )


# --- cash and capital -------------------------------------------------------------------------------------------------


@rule("nothing underneath to repay it")
def investment_without_a_source(draft: Draft) -> Iterator[Finding]:
    clauses = {c.name: c for c in draft.contract.clauses}
    for clause in clauses.values():
        if not isinstance(clause, Investment):
            continue
        repaid = [c for c in clauses.values() if isinstance(c, Repayment) and clause.name in c.investment]
        sources = [clauses[name] for c in repaid for name in c.out_of]
        if not any(source.pays_for_results or isinstance(source, OutcomePrice) for source in sources):
            yield Finding(
                "nothing underneath to repay it",
                "error",
                draft.paragraph(clause),
                f"{'Only what no result pays' if repaid else 'Nothing'} repays the investor.",
                f"{say_dollars(round(_paid(draft, [clause.name])))} a year is put in.",
                "add an outcome price or a share of savings before it, and a `repayment` out of that",
            )


@rule("the advance comes back too early")
def advance_and_cash(draft: Draft) -> Iterator[Finding]:
    for clause in draft.contract.clauses:
        if isinstance(clause, Recoupment):
            flow = [p for p in draft.contract.settle(draft.years).cash_flow() if p.party == clause.payer]
            low = min(flow, key=lambda position: position.position, default=None)
            if low and low.position < 0:
                yield Finding(
                    "the advance comes back too early",
                    "warning",
                    draft.paragraph(clause),
                    "Where the program does nothing, what is taken back leaves the provider without cash.",
                    f"{say_dollars(round(low.position))} in {low.month}, before a cent of payroll.",
                    "recoup out of savings alone, later, or up to a smaller share",
                )


@rule("no security for what is owed")
def unsecured(draft: Draft) -> Iterator[Finding]:
    owed = [*draft.sharing("losses")]
    security = draft.provisions.security
    if owed and draft.contract.provisions and (security is None or security.means == "nothing"):
        worst = sum(draft.nothing.of(c.name) for c in owed).max()
        yield Finding(
            "no security for what is owed",
            "warning",
            "what else is agreed, “Security”",
            "The provider may owe losses, and nothing stands behind them.",
            f"The worst of {many(draft.nothing.draws, 'draw')} owes {say_dollars(round(float(worst)))} in a year.",
            "name a reserve, a letter of credit or a withheld part of the fee",
        )


@rule("a party loses by success")
def who_nets_what(draft: Draft) -> Iterator[Finding]:
    told = (draft.outside or Outside(name="nothing was given")).beside(draft.contract)
    years = with_care(draft.years, draft.lives * draft.care)
    cases = net(
        draft.contract, years, told, seed=SEED, effects=[0.0, draft.effect], draws=DRAWS, luck=draft.luck, plainly=True
    )
    term = many(len(draft.years), "year")
    unsaid = [clause for clause in draft.contract.clauses if clause.name in told.unsaid(draft.contract)]
    unknown = {party for clause in unsaid for party in (clause.payer, clause.payee)}  # who buys how much, nobody says
    for party in draft.contract.parties:
        if party in unknown:
            continue
        idle, works = (case.mean(party) for case in cases)
        paid = cases[1].mean(party, source=CONTRACT)
        if paid >= 0 and works < idle - 0.01 * paid - 1:
            yield Finding(
                "a party loses by success",
                "warning",
                "who nets what",
                f"{_called(draft, party)} has less the better the program works.",
                f"{say_dollars(round(works))} over {term} if it works, {say_dollars(round(idle))} if it does not.",
                "pay the party that loses by a clause, or have it say in writing that it will bear it",
            )
        elif works < -0.01 * abs(paid) - 1 and party == draft.contract.payer:
            yield Finding(
                "a party loses by success",
                "warning",
                "who nets what",
                f"{_called(draft, party)} loses even if the program takes {say_percent(draft.effect)} off.",
                f"{say_dollars(round(works))} over {term}, care not bought counted.",
                "a lower price, people who cost more, or a program that saves more",
            )


@rule("substantial financial risk")
def substantial_financial_risk(draft: Draft) -> Iterator[Finding]:
    for risk in _substantial(draft):
        there = covered(draft.contract, risk, draft.years[0], draft.lives)
        enough = say_dollars(round(risk.enough))
        yield Finding(
            "substantial financial risk",
            "question",
            "who nets what",
            f"More than a quarter of what {draft.contract.parties[risk.party]} can be paid hangs on what care costs."
            " If it is a group of physicians, that is substantial financial risk, 42 CFR 422.208; for Medicaid,"
            " 438.3(i).",
            f"{in_words(risk, draft.lives)} The contract has {'such' if there else 'no such'} cover."
            " Check the current text.",
            "ask counsel whether the cover is as the current text asks"
            if there
            else f"buy that cover, limit what can be gained or lost, or show pay of {enough} a year or more for its own"
            " services outside the contract",
        )


# --- for counsel ------------------------------------------------------------------------------------------------------


@rule("a question for counsel")
def for_counsel(draft: Draft) -> Iterator[Finding]:
    counsel, purpose = draft.provisions.counsel, draft.provisions.purpose
    asked = [*counsel.open, *counsel.answered] if counsel else []
    medicaid = purpose is not None and purpose.line_of_business in ("Medicaid", "dual eligible")
    clauses = draft.contract.clauses
    wanted: dict[str, bool] = {
        "directed payment, 42 CFR 438.6(c)": medicaid,
        "medical loss ratio, 42 CFR 438.8(e)": medicaid and bool(_fees(draft)),
        "care coordination that the plan owes, 42 CFR 438.208": medicaid and bool(_fees(draft)),
        "delegation, 42 CFR 438.230": medicaid and draft.provisions.delegation is not None,
        "withhold, 42 CFR 438.6(b)(3)": medicaid and any(isinstance(c, Withhold) for c in clauses),
        "risk sharing agreed before the rates, 42 CFR 438.6(b)(1)": medicaid and bool([*draft.sharing("losses")]),
        "physician incentive plan, 42 CFR 422.208": purpose is not None and bool(_substantial(draft)),
        "anti-kickback and Stark value-based rules, 42 CFR 1001.952 and 411.357": purpose is not None,
    }
    for question in (q for q, holds in wanted.items() if holds and q not in asked):
        yield Finding(
            "a question for counsel",
            "question",
            "what else is agreed, “Questions for counsel”",
            f"Nobody has asked: {question}.",
            "Check the current text.",
            "ask, and write it under `provisions: counsel` as open or answered",
        )


@rule("nothing is said of it")
def open_sections(draft: Draft) -> Iterator[Finding]:
    left = draft.provisions.open()
    if left:
        yield Finding(
            "nothing is said of it",
            "question",
            "what is still open",
            f"Of {len(left)} of the sections of an agreement nothing is said.",
            say_list([section.title for section in left]) + ".",
            "write them under `provisions`, or settle them in another document and say where",
        )


# --- helpers ----------------------------------------------------------------------------------------------------------


def _fees(draft: Draft) -> dict[str, tuple[int, str]]:
    """The fees for the program: by name, where they stand and who pays them."""
    return {
        c.name: (n, c.payer)
        for n, c in enumerate(draft.contract.clauses)
        if getattr(c, "per_member_per_month", None) is not None
        and c.care_taken_on == "none"
        and not isinstance(c, CaseRate)
        and hasattr(c, "for_each")
    }


def _at(draft: Draft, clause: Any) -> int:
    return [each.name for each in draft.contract.clauses].index(clause.name)


def _sides(clause: Any) -> tuple[str, str]:
    return clause.payer, clause.payee


def _paid(draft: Draft, names: list[str]) -> float:
    """What some clauses pay in the first year, if all goes as expected."""
    return float(draft.contract.settle(draft.years).total(year=draft.years[0].year, clause=names))


def _paid_if_it_works(draft: Draft, names: list[str]) -> float:
    """What some clauses pay over the term if the program takes off what is hoped for, and luck nothing."""
    years = with_effect(draft.contract, draft.years, draft.effect)
    return float(draft.contract.settle(years).total(clause=names))


def _measured(draft: Draft, word: str) -> bool:
    measured = draft.contract.measurement
    field = {"engaged_month": "engaged_months", "documented_service": "documented_months"}[word]
    return measured is not None and getattr(measured, field) is not None


def _substantial(draft: Draft) -> list[AtRisk]:
    """The parties who may lose, or gain, more than a quarter by what care costs."""
    if draft.line not in PHYSICIANS:
        return []
    found = at_risk(draft.contract, draft.years, draft.lives * draft.care)
    return [risk for risk in found if risk.substantial]


def _called(draft: Draft, party: str) -> str:
    """A party's name, to begin a sentence."""
    name = draft.contract.parties[party]
    return name[0].upper() + name[1:]
