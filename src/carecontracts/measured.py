"""From claims to the years that settle: who counts, what they cost, what was expected, and how each number came about.

`measure(claims, contract)` follows the contract's `measurement:` section. All work is Ibis expressions until a few rows
of totals are left. Money is whole cents from the first line on, so that both sides, on any engine, get the same sum.

The reconciliation is four tables:

- `people`: from everyone enrolled to those who count, a row for each rule that left someone out.
- `dollars`: from all claim lines to spending, a row for each rule that left a line out, and for each amount added.
- `benchmark`: the numbers from which what was expected is made; a group of people in it has its own rows in the others.
- `facts`: every number of the years file, and the rows of the other tables that it comes from.

Not modelled:
- lines that a payer corrects after the closing date; the next run reads the tables as they are then
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd

from . import definitions
from .claims.read import Claims
from .claims.services import SERVICES, with_service
from .contract import Contract
from .ledger import Ledger
from .measuring.attribution import Everyone, Plurality, Roster
from .measuring.benchmark import (
    AGES,
    COSTS,
    PMPM,
    Fixed,
    Group,
    MatchedComparison,
    OwnHistory,
    PersistenceCorrected,
    Step,
    matched,
    own_history,
    persistence_corrected,
    risk_ratio,
)
from .measuring.run_out import completion_factor, triangle
from .measuring.section import Measurement
from .people import rates as measures
from .people import suppress
from .people.conditions import conditions
from .people.hcc import scores
from .people.member_table import members
from .people.member_years import coverage, member_years
from .people.months import covered_months, first_day, month_of
from .refusal import Fault, Refusal, did_you_mean, show
from .units import cents as to_the_cent
from .year import Year, year_from

COUNTS, NOT_OWN = "counts", "not the provider's"
HOSPICE = ("81", "82")  # type of bill


class Measured(NamedTuple):
    """The years, the tables that lead to them, the facts left to be filled in, and what a reader should know."""

    years: list[Year]
    reconciliation: dict[str, pd.DataFrame]
    unmade: list[str]
    notes: list[str]


def measure(
    claims: Claims,
    contract: Contract,
    years: Sequence[int] | None = None,
    *,
    tell: Callable[[str], None] = lambda doing: None,
    lists: dict[str, ir.Table] | None = None,
) -> Measured:
    """The facts of each contract year that the claims hold, by the contract's own rules, and the reconciliation.

    `years` names the contract years; without it, all that the claims reach. `tell` hears what is being done.
    `lists` keeps lines and lists of people between calls with the same claims: give the same dictionary to each.
    Raises: Refusal with everything that the section asks for and the claims or the contract do not have.
    """
    work = _work(claims, contract, years, {} if lists is None else lists)
    made, notes = [], list(work.notes())
    for year in work.years:
        made.append(_YearOf(work, year, tell).measured())
    tables = {
        "people": pd.DataFrame(
            [row for one in made for row in one.people], columns=["year", "group", "step", "people", "member_months"]
        ),
        "dollars": pd.DataFrame(
            [row for one in made for row in one.dollars],
            columns=["year", "group", "step", "people", "lines", "dollars"],
        ),
        "benchmark": pd.DataFrame(
            [row for one in made for row in one.expected], columns=["year", "step", "amount", "unit"]
        ),
        "facts": pd.DataFrame([row for one in made for row in one.facts], columns=["year", "fact", "value", "from"]),
    }
    found = [
        year_from({"year": year} | {fact: value for y, fact, value, _ in one.facts if y == year}, "the claims")
        for year, one in zip(work.years, made, strict=True)
    ]
    return Measured(found, tables, work.unmade, notes)


def may_leave(reconciliation: Mapping[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], int]:
    """The reconciliation as it may be handed on, and how many numbers are hidden: those of 1 to 10 people.

    Of the table `people`, as many more are hidden as keep a small one from being worked out by subtraction. In the
    table `dollars` a row of 1 to 10 people is hidden whole; where only one of the rows that left lines out is, so is
    the next smallest, since these rows add up. The facts are the years file's own totals and stay.

    Not modelled: the dollars over the limit of 1 to 10 people can be worked out from the totals; their number cannot.
    """
    tables = {name: table.astype(object) for name, table in reconciliation.items()}
    hidden = 0
    for _, rows in reconciliation["people"].groupby(["year", "group"], sort=False):
        counted, sums, cells = rows[rows.people.notna()], suppress.Sums(), {}
        for index, row in counted.iterrows():
            cells[index] = sums.add(int(row.people))
        by_step = {row.step: cells[index] for index, row in counted.iterrows()}
        tiers = [cell for step, cell in by_step.items() if step.startswith("tier ")]
        whole = by_step.pop("enrolled")
        sums.equal(whole, [cell for step, cell in by_step.items() if not step.startswith("tier ")])
        if tiers:
            rest = sums.values[by_step[COUNTS]] - sum(sums.values[cell] for cell in tiers)
            sums.equal(by_step[COUNTS], [*tiers, sums.add(rest, printed=False)])
        for index, hide in zip(cells, sums.protect(), strict=False):
            if hide:
                tables["people"].loc[index, ["people", "member_months"]] = suppress.MARK
                hidden += 1
    for _, rows in reconciliation["dollars"].groupby(["year", "group"], sort=False):
        counted = rows[rows.people.notna() & (rows.people > 0)]
        small = list(counted.index[counted.people < suppress.SMALLEST])
        parts = counted[counted.step.str.startswith(("of people", "paid after", "fee claims", "services", "no "))]
        if len(parts.index.intersection(small)) == 1:
            small += list(parts.drop(index=small, errors="ignore").sort_values("people", kind="stable").index[:1])
        tables["dollars"].loc[small, ["people", "lines", "dollars"]] = suppress.MARK
        hidden += len(small)
    return tables, hidden


# --- what there is to work with, and what is missing ------------------------------------------------------------------


@dataclass(frozen=True)
class _Work:
    claims: Claims
    contract: Contract
    rules: Measurement
    years: list[int]
    first_month: int
    lines: ir.Table
    by_year: pd.DataFrame  # of all lines: year, lines, cents
    lists: dict[str, ir.Table]

    @property
    def listed(self) -> ir.Table:
        """Each person and calendar year: whether the definitions of the population and the tiers hold in it."""
        asked = repr([self.rules.population.definition, *(tier.definition for tier in self.rules.tiers.values())])
        if asked not in self.lists:
            self.lists[asked] = self._list()
        return self.lists[asked]

    def _list(self) -> ir.Table:
        population = self.rules.population
        wanted = {"held": population.definition} | {
            f"tier_{n}": tier.definition for n, tier in enumerate(self.rules.tiers.values())
        }
        table = member_years(self.claims)
        try:  # cost and use need no diagnoses, which are most of the work
            flags = {name: made(table) for name, made in wanted.items()}
        except Refusal:
            table = members(self.claims)
            flags = {name: made(table) for name, made in wanted.items()}
        if "end-stage renal disease" not in population.left_out:
            flags["esrd"] = ibis.literal(False)
        elif "esrd" in table.columns:
            flags["esrd"] = (table.esrd == 1).fill_null(False)
        table = table.mutate(**flags).select("person_id", "year", *flags)
        if "esrd" not in flags:
            ill = conditions(self.claims).filter(ibis._.esrd == 1).select("person_id", "year", "esrd")
            table = table.left_join(ill, ["person_id", "year"]).drop("person_id_right", "year_right")
            table = table.mutate(esrd=(table.esrd == 1).fill_null(False))
        return kept(table)

    @property
    def needs_list(self) -> bool:
        population = self.rules.population
        return population.definition != definitions.Everyone() or bool(self.rules.tiers) or any(
            item == "end-stage renal disease" for item in population.left_out
        )  # fmt: skip

    def found_in(self, year: int) -> int:
        """The year from which a contract year's list is read; an earlier year has its own, by the same rules."""
        first = self.contract.first_year
        at = first if self.rules.population.made == "once, before the first year" and year > first else year
        return at - 1 if self.rules.population.known == "the year before" else at

    def closing(self, year: int) -> date:
        """The day from which a payment comes too late to count."""
        month = month_of(first_day(year + 1, self.first_month)) + int(self.rules.run_out.months)
        return date(month // 12, month % 12 + 1, 1)

    @property
    def unmade(self) -> list[str]:
        return [fact for fact in self.contract.facts() if not self.rules.provides(fact)]

    def notes(self) -> Iterator[str]:
        latest = max(
            (d for d in (_latest(self.claims.medical_claim), _latest(self.claims.pharmacy_claim)) if d), default=None
        )
        for year in self.years:
            if latest is None:
                yield "No claim has a paid date: every claim of a year counts, whenever it arrived."
                return
            if month_of(latest) + 1 < month_of(self.closing(year)):
                yield (
                    f"{year}: the last payment in the claims is of {latest:%B %Y}; claims count that were paid before "
                    f"{self.closing(year):%B %Y}. Later claims would change the year."
                )


def _latest(table: ir.Table) -> date | None:
    found: date | None = table.paid_date.max().to_pyarrow().as_py()
    return found


def _work(claims: Claims, contract: Contract, years: Sequence[int] | None, lists: dict[str, ir.Table]) -> _Work:
    rules = contract.measurement
    if rules is None:
        do = "add a section `measurement:`, or fill in a years file by hand"
        raise Refusal([Fault(contract.title, "no measurement section", "how a year is measured", do)])
    if contract.first_year < 100:
        do = "write the calendar year in which the contract begins"
        raise Refusal([Fault("first_year", str(contract.first_year), "a calendar year, to measure from claims", do)])
    name = f"lines, {rules.spending.cost}, {contract.year_starts}"
    if name not in lists:  # read many times: the engine classes them once
        lists[name] = kept(_lines(claims, contract.year_starts, rules.spending.cost))
    lines = lists[name]
    by_year = lines.group_by("year").agg(lines=lines.count(), cents=lines.cents.sum()).to_pyarrow().to_pandas()
    held = sorted(int(year) for year in by_year.year.dropna())
    if not held:
        raise Refusal([Fault("claims", "no claim line with a date", "at least one", "check the claims")])
    last = contract.first_year + contract.years - 1 if contract.years else held[-1]
    wanted = [y for y in held if contract.first_year <= y <= last] if years is None else list(years)
    work = _Work(claims, contract, rules, wanted, contract.year_starts, lines, by_year, lists)
    faults = list(_faults(work, held))
    if faults:
        raise Refusal(faults)
    return work


def _faults(work: _Work, held: list[int]) -> Iterator[Fault]:
    rules, contract = work.rules, work.contract
    span = f"{held[0]} to {held[-1]}"
    if not work.years:
        do = "give claims of the contract's years, or amend `first_year`"
        yield Fault("claims", f"lines of {span}", f"lines of {contract.first_year} or later", do)
    for year in work.years:
        for needed, why in sorted(_years_read(work, year).items()):
            if needed not in held:
                do = "give claims that reach back so far, or amend the measurement"
                yield Fault("claims", f"lines of {span}", f"lines of {needed}: {why} in {year} reads it", do)
    if work.needs_list and contract.year_starts != 1:
        do = "begin the contract year in January, or take everyone"
        yield Fault("year_starts", str(contract.year_starts), "1: a definition is read from a calendar year", do)
    for part in rules.measures.values():
        try:
            measures.by_person(work.claims, work.claims.eligibility, contract.first_year, part.measure, part.settings)
        except Refusal as refusal:
            yield from refusal.faults
    if isinstance(rules.attribution, Roster):
        names = sorted(work.claims.roster.select("organization").distinct().to_pyarrow().to_pandas().organization)
        if rules.attribution.organization not in names:
            do = did_you_mean(rules.attribution.organization, names) + "name it as the roster does"
            allowed = "one of " + ", ".join(map(str, names[:9])) if names else "a table roster with organizations"
            given = show(rules.attribution.organization)
            yield Fault("measurement 'attribution', term `organization`", given, allowed, do)


def _years_read(work: _Work, year: int) -> dict[int, str]:
    """Each year of claims that a contract year needs, and what needs it."""
    rules = work.rules
    needs = {year: "the year itself"}

    def of(at: int) -> None:
        found = work.found_in(at)
        if work.needs_list:
            for n in range(int(rules.population.years_running or 1)):
                needs.setdefault(found - n, "the population")
        if isinstance(rules.attribution, Plurality) and rules.attribution.timing != "retrospective":
            needs.setdefault(at - -(-int(rules.attribution.lookback) // 12), "the attribution")
        if rules.risk:
            needs.setdefault(at - 1, "the risk score")

    of(year)
    match rules.benchmark:
        case OwnHistory() as own:
            for n in range(1, len(own.weights) + 1):
                before = work.contract.first_year - n
                needs.setdefault(before, "the benchmark")
                if own.people == "the people found by the same rules":
                    of(before)
        case PersistenceCorrected() as rule:
            found = min(work.found_in(year), year - 1)
            needs.setdefault(found, "the benchmark")
            if rule.remains is None:
                needs.setdefault(found - (year - found), "what remains")
        case MatchedComparison() as rule if "cost in the year before" in rule.alike_in:
            needs.setdefault(year - 1, "the comparison")
        case _:
            pass
    return needs


def _lines(claims: Claims, first_month: int, cost: str) -> ir.Table:
    """Medical and pharmacy claim lines alike: person, month and contract year of service, service, code, cents."""
    medical, drugs = with_service(claims.medical_claim), claims.pharmacy_claim

    def alike(table: ir.Table, day: Any, service: Any, code: Any) -> ir.Table:
        month = month_of(day)
        return table.select(
            "person_id", "paid_date",
            month=month,
            year=((month - (first_month - 1)) / 12).floor().cast("int64"),
            service=service,
            code=code,
            cents=(table[f"{cost}_amount"] * 100).round().cast("int64"),
        )  # fmt: skip

    return alike(medical, medical.claim_start_date, medical.service, medical.hcpcs_code).union(
        alike(drugs, drugs.dispensing_date, ibis.literal("pharmacy"), ibis.literal("").cast("string"))
    )


# --- one contract year ----------------------------------------------------------------------------------------------


@dataclass
class _YearOf:
    """One contract year: every number that is made leaves a row in a table of the reconciliation."""

    work: _Work
    year: int
    tell: Callable[[str], None]
    people: list[tuple[Any, ...]] = field(default_factory=list)
    dollars: list[tuple[Any, ...]] = field(default_factory=list)
    expected: list[tuple[Any, ...]] = field(default_factory=list)
    facts: list[tuple[Any, ...]] = field(default_factory=list)

    def measured(self) -> "_YearOf":
        work, rules = self.work, self.work.rules
        everyone = self.everyone(self.year, work.found_in(self.year), "the year")
        group, rate = self.cost("the year", self.year, everyone)
        own = everyone.filter(everyone.status == COUNTS)
        self.fact("lives", group.people, "people: the year, counts")
        self.fact("member_months", group.months, "people: the year, counts, member months")
        for n, tier in enumerate(rules.tiers):
            rows = own.filter(own.tier == n)
            (row,) = _rows(rows.agg(people=rows.count(), months=rows.months.sum().fill_null(0)))
            self.people.append((self.year, "the year", f"tier “{tier}”", int(row["people"]), int(row["months"])))
            self.fact(f"member_months.{tier}", int(row["months"]), f"people: the year, tier “{tier}”, member months")
        self.months_on_record(own)
        self.measures(own)
        fees = self.fees()
        spend = to_the_cent(group.cents / 100 + fees)
        self.dollars.append((self.year, "the year", "spend", group.people, None, spend))
        self.fact("spend", spend, "dollars: the year, spend")
        if rules.benchmark:
            self.benchmark(group, rate, everyone)
        self.services(own)
        return self

    def fact(self, name: str, value: Any, where: str) -> None:
        self.facts.append((self.year, name, value, where))

    # --- people ---

    def everyone(self, year: int, found: int, group: str) -> ir.Table:
        """Everyone enrolled in a year, and why one does not count: the first rule that leaves them out."""
        work, rules, claims = self.work, self.work.rules, self.work.claims
        population, enrolled = rules.population, rules.enrollment
        self.tell(f"{self.year}: who counts in {group}")
        people = coverage(claims, [year], work.first_month)
        begin = month_of(first_day(year, work.first_month))
        deaths = claims.eligibility.group_by("person_id").agg(death=month_of(claims.eligibility.death_date.max()))
        people = _joined(people, deaths)
        left_out: list[str] = []

        def leave(condition: Any, label: str) -> None:
            nonlocal people
            people = people.mutate(**{f"out_{len(left_out)}": condition.fill_null(False)})
            left_out.append(label)

        lived = ibis.ifelse(people.died == 1, people.death - begin + 1, 12)
        leave(people.months < ibis.least(lived, enrolled.least), f"fewer than {enrolled.least:g} months of enrollment")
        if enrolled.least_before is not None:
            before = coverage(claims, [year - 1], work.first_month).select("person_id", months_before="months")
            people = _joined(people, before)
            label = f"fewer than {enrolled.least_before:g} months of enrollment the year before"
            leave(people.months_before.fill_null(0) < enrolled.least_before, label)
        if enrolled.gap is not None:
            people = _joined(people, _gaps(claims, year, work.first_month))
            after = ibis.ifelse(people.died == 1, people.death, begin + 11) - people.latest
            leave(ibis.greatest(people.gap, after) > enrolled.gap, f"a gap of more than {enrolled.gap:g} months")
        if enrolled.deaths == "left out":
            leave(people.died == 1, "died in the year")
        if population.age_from is not None:
            leave((people.age < population.age_from).fill_null(True), f"younger than {population.age_from}")
        if population.age_to is not None:
            leave((people.age > population.age_to).fill_null(True), f"older than {population.age_to}")
        if work.needs_list:
            people = _joined(people, self.list_of(found))
            if population.definition != definitions.Everyone():
                leave(~people.held.fill_null(False), "does not meet the definition")
            if "end-stage renal disease" in population.left_out:
                leave(people.esrd, "end-stage renal disease")
        if "hospice" in population.left_out:
            lines = claims.medical_claim
            hospice = lines.bill_type_code.right(3).left(2).isin(HOSPICE)
            hospice &= month_of(lines.claim_start_date).between(begin - 12, begin + 11)
            people = _flagged(people, lines.filter(hospice), "hospice")
            leave(people.hospice == 1, "hospice in the year or the one before")
        if "both Medicare and Medicaid" in population.left_out:
            leave(people.dual == 1, "both Medicare and Medicaid")
        if not isinstance(rules.attribution, Everyone):
            people = _flagged(people, rules.attribution.own(claims, year, work.first_month), "own")
            leave(people.own == 0, NOT_OWN)
        tiers = [(people[f"tier_{n}"].fill_null(False), n) for n in range(len(rules.tiers))]
        people = kept(
            people.select(
                "person_id", "payer_type", "dual", "gender", "age", "months",
                tier=ibis.cases(*tiers, else_=-1) if tiers else ibis.literal(-1),
                status=ibis.cases(*((people[f"out_{n}"], label) for n, label in enumerate(left_out)), else_=COUNTS),
            )
        )  # fmt: skip
        self.count(people, group, left_out)
        return people

    def list_of(self, found: int) -> ir.Table:
        """The people of the list that was read from a year: whether the definition held, and their tier."""
        running = int(self.work.rules.population.years_running or 1)
        rows = self.work.listed
        rows = rows.filter(rows.year.between(found - running + 1, found))
        latest = rows.year == found
        tiers = {f"tier_{n}": rows[f"tier_{n}"] for n in range(len(self.work.rules.tiers))}
        return rows.group_by("person_id").agg(
            held=rows.held.cast("int64").sum() == running,
            esrd=(rows.esrd & latest).any(),
            **{name: (flag & latest).any() for name, flag in tiers.items()},
        )

    def count(self, people: ir.Table, group: str, left_out: Sequence[str]) -> None:
        """The rows of the table `people`: everyone, those left out by each rule, those who count."""
        found = people.group_by("status").agg(people=people.count(), months=people.months.sum())
        by = {row["status"]: (int(row["people"]), int(row["months"])) for row in _rows(found)}
        whole = (sum(n for n, _ in by.values()), sum(m for _, m in by.values()))
        self.people.append((self.year, group, "enrolled", *whole))
        self.people += [(self.year, group, label, *by.get(label, (0, 0))) for label in (*left_out, COUNTS)]

    # --- dollars ---

    def cost(self, name: str, year: int, people: ir.Table, who: str = COUNTS) -> tuple[Group, float]:
        """What the people with a status cost in a year, and the completion factor, with each step in `dollars`."""
        work, rules = self.work, self.work.rules
        self.tell(f"{self.year}: what {name} cost")
        spending, run_out = rules.spending.at(year, work.contract.first_year), rules.run_out
        lines = self.counted_lines(year)
        lines = lines.left_join(people.select("person_id", "status"), "person_id").drop("person_id_right")
        lines = lines.mutate(
            step=ibis.coalesce(
                lines.step,
                ibis.cases((lines.status.isnull(), "of people not enrolled in the year"), (lines.status == who, COUNTS),
                           else_=ibis.literal("of people: ") + lines.status),
            )
        )  # fmt: skip
        found = lines.group_by("step").agg(people=lines.person_id.nunique(), n=lines.count(), cents=lines.cents.sum())
        rows = {row["step"]: row for row in _rows(found)}
        whole = work.by_year.sum()
        this = work.by_year[work.by_year.year == year].sum()
        self.add(name, "claim lines read", None, int(whole.lines), int(whole.cents))
        self.add(name, "service in another year", None, int(this.lines - whole.lines), int(this.cents - whole.cents))
        for step in sorted(rows, key=lambda step: (step.startswith("of people"), step)):
            if step != COUNTS:
                row = rows[step]
                self.add(name, step, row["people"], -row["n"], -int(row["cents"] or 0))
        counted = rows.get(COUNTS, {"people": 0, "n": 0, "cents": 0})
        self.add(name, COUNTS, counted["people"], counted["n"], int(counted["cents"]))

        spent = self.spent(lines.filter(lines.step == COUNTS), people.filter(people.status == who))
        limit = self.limit(year, lines, people)
        if limit is not None:
            beyond = ibis.greatest(spent.cents - limit, 0)
            spent = spent.mutate(
                within=spent.cents - beyond + (beyond * (spending.above or 0)).round().cast("int64"),
                over=(spent.cents > limit).cast("int64"),
            )
        else:
            spent = spent.mutate(within=spent.cents, over=ibis.literal(0, "int64"))
        (row,) = _rows(
            spent.agg(people=spent.count(), months=spent.months.sum(), within=spent.within.sum(), over=spent.over.sum())
        )
        within = int(row["within"] or 0)
        if limit is not None:
            self.add(
                name,
                f"over the limit of ${limit / 100:,.2f}",
                int(row["over"] or 0),
                None,
                within - int(counted["cents"]),
            )
        rate = 1.0
        if run_out.completion == "a given factor":
            rate = float(run_out.at(year, work.contract.first_year).factor or 1)
        elif run_out.completion == "the chain ladder":
            rate = self.chain_ladder(year)
        to_come = round(within * (rate - 1))
        if run_out.completion != "none":
            self.add(name, f"still to come, at a factor of {rate:.6f}", None, None, to_come)
        group = Group(name, year, int(row["people"]), int(row["months"] or 0), int(counted["cents"]), within, to_come)
        return group, rate

    def add(self, group: str, step: str, people: int | None, lines: int | None, cents: int) -> None:
        self.dollars.append((self.year, group, step, people, lines, cents / 100))

    def counted_lines(self, year: int) -> ir.Table:
        """The lines of a year; `step` says why one does not count, and is null where it does."""
        rules, lines = self.work.rules, self.work.lines
        lines = lines.filter(lines.year == year)
        cents = lines.cents
        services = [s for s in (*SERVICES, "pharmacy") if not rules.spending.counts(s)]
        codes = rules.fees.codes if rules.fees and rules.fees.treatment != "inside" else []
        why = [
            (cents.isnull(), f"no {rules.spending.cost} amount"),
            ((lines.paid_date >= self.work.closing(year)).fill_null(False), "paid after the closing date"),
            (lines.service.isin(services), "services left out"),
            (lines.code.isin(codes).fill_null(False), "fee claims"),
        ]
        return lines.mutate(cents=cents.fill_null(0), step=ibis.cases(*why, else_=ibis.null("string")))

    def spent(self, lines: ir.Table, people: ir.Table) -> ir.Table:
        """A row for each person with their cents, those who used nothing included."""
        by = lines.group_by("person_id").agg(cents=lines.cents.sum())
        joined = people.left_join(by, "person_id").drop("person_id_right")
        return joined.mutate(cents=joined.cents.fill_null(0))

    def limit(self, year: int, lines: ir.Table, people: ir.Table) -> int | None:
        """The cents of one person that count at most: agreed, or a point of what everyone enrolled cost."""
        spending = self.work.rules.spending.at(year, self.work.contract.first_year)
        if spending.truncated_at is not None:
            return round(float(spending.truncated_at) * 100)
        if spending.truncated_at_percentile is None:
            return None
        counted = lines.filter((lines.step == COUNTS) | lines.step.startswith("of people: "))
        everyone = self.spent(counted, people)
        point = _rows(everyone.agg(at=everyone.cents.quantile(float(spending.truncated_at_percentile))))[0]["at"]
        return round(float(point))

    def chain_ladder(self, year: int) -> float:
        """The completion factor of a year, from the payments of everyone's claims before its closing date."""
        work, rules = self.work, self.work.rules
        lines = self.work.lines
        cents = lines.cents.fill_null(0)
        services = [s for s in (*SERVICES, "pharmacy") if rules.spending.counts(s)]
        lines = lines.filter(lines.service.isin(services)).mutate(cents=cents)
        closing = work.closing(year)
        found = _rows(triangle(lines, closing, int(rules.run_out.triangle or 0)))
        cells = {(row["month"], row["lag"]): row["cents"] for row in found}
        begin = month_of(first_day(year, work.first_month))
        return completion_factor(cells, range(begin, begin + 12), month_of(closing) - 1)

    def fees(self) -> float:
        """The fees that count as spending here: of the clauses named, where they are inside total cost."""
        rules, contract = self.work.rules.fees, self.work.contract
        if not rules or rules.treatment != "inside":
            return 0.0
        now = year_from({"year": self.year} | {fact: value for _, fact, value, _ in self.facts}, "the claims")
        total = 0.0
        for clause in contract.clauses:
            if clause.name in rules.clauses:
                amount = to_the_cent(clause.at(now, contract.first_year).pay(now, Ledger())[0])
                self.dollars.append((self.year, "the year", f"fees of “{clause.name}”", None, None, amount))
                total += amount
        return total

    def services(self, own: ir.Table) -> None:
        """Counted dollars by service, before any limit, where a clause reads them."""
        wanted = [
            fact
            for fact in self.work.contract.facts()
            if fact.startswith("services.") and self.work.rules.provides(fact)
        ]
        if wanted:
            lines = self.counted_lines(self.year)
            lines = lines.filter(lines.step.isnull()).semi_join(own, "person_id")
            found = _rows(lines.group_by("service").agg(cents=lines.cents.sum()))
            by = {row["service"]: row["cents"] / 100 for row in found}
            for fact in wanted:
                amount = by.get(fact.partition(".")[2], 0.0)
                self.dollars.append((self.year, "the year by service", fact.partition(".")[2], None, None, amount))
                self.fact(fact, amount, f"dollars: the year by service, {fact.partition('.')[2]}")

    # --- what else the clauses read ---

    def months_on_record(self, own: ir.Table) -> None:
        """Member months in which an outcome is on record, by tier: engaged and documented months, and outcomes."""
        work, rules = self.work, self.work.rules
        outcomes = work.claims.outcome
        outcomes = outcomes.mutate(month=month_of(outcomes.outcome_date)).semi_join(own, "person_id")
        begin = month_of(first_day(self.year, work.first_month))
        outcomes = outcomes.filter(outcomes.month.between(begin, begin + 11))
        for name in ("engaged_months", "documented_months"):
            part = getattr(rules, name)
            if not part:
                continue
            rows = outcomes.filter(outcomes.outcome == part.outcome)
            rows = rows.group_by("person_id", "month").agg(times=rows.count())
            rows = rows.filter(rows.times >= part.least)
            rows = rows.semi_join(covered_months(work.claims, self.year, work.first_month), ["person_id", "month"])
            rows = rows.inner_join(own.select("person_id", "tier"), "person_id")
            by = {
                row["tier"]: row["months"]
                for row in rows.group_by("tier").agg(months=rows.count()).to_pyarrow().to_pylist()
            }
            words = name.replace("_", " ")
            self.people.append((self.year, "the year", words, None, sum(by.values())))
            self.fact(name, sum(by.values()), f"people: the year, {words}, member months")
            for n, tier in enumerate(rules.tiers):
                self.people.append((self.year, "the year", f"{words} of tier “{tier}”", None, by.get(n, 0)))
                self.fact(f"{name}.{tier}", by.get(n, 0), f"people: the year, {words} of tier “{tier}”, member months")
        for name, part in rules.outcomes.items():
            (row,) = _rows(outcomes.filter(outcomes.outcome == part.outcome).agg(n=ibis._.count()))
            self.fact(
                f"outcomes.{name}", int(row["n"]), f"the outcome table: “{part.outcome}”, of the people who count"
            )

    def measures(self, own: ir.Table) -> None:
        """Each measure's rate and denominator, of the people who count."""
        asked = {name: (part.measure, part.settings) for name, part in self.work.rules.measures.items()}
        if not asked:
            return
        self.tell(f"{self.year}: the measures")
        table = measures.measure_table(self.work.claims, own, self.year, asked, first_month=self.work.first_month)
        for row in _rows(table):
            name, part = row["measure"], self.work.rules.measures[row["measure"]]
            enough = part.least is None or row["denominator"] >= part.least
            rate = row["rate"] if enough else part.otherwise
            per = measures.specification(part.measure).per
            how = f"measure “{part.measure}”: {row['numerator']:,.10g} of {row['denominator']:,.10g}, times {per:,}"
            if rate is not None:
                self.fact(
                    f"measures.{name}", float(rate), how if enough else f"{how}; fewer than {part.least}: as agreed"
                )
            self.fact(f"denominators.{name}", row["denominator"], how)

    # --- what was expected ---

    def benchmark(self, group: Group, rate: float, everyone: ir.Table) -> None:
        """The benchmark and every number that it is made of."""
        work, rules = self.work, self.work.rules
        first, rule = work.contract.first_year, rules.benchmark
        own = everyone.filter(everyone.status == COUNTS)
        if isinstance(rule, OwnHistory):
            years = range(first - len(rule.weights), first)
            groups, bases = [], []
            for year in years:
                name = f"benchmark year {year}"
                if rule.people == "the same people":
                    base = self.same_people(own, year, name)
                else:
                    base = self.everyone(year, work.found_in(year), name)
                groups.append(self.cost(name, year, base)[0])
                bases.append(base)
            steps = own_history(rule, groups, self.year, first)
        elif isinstance(rule, PersistenceCorrected):
            found = min(work.found_in(self.year), self.year - 1)
            name = f"the same people in {found}, when they were found"
            before = self.cost(name, found, self.same_people(own, found, name))[0]
            earlier = self.found_earlier(found) if rule.remains is None else None
            steps = persistence_corrected(rule, before, earlier, self.year, first)
        elif isinstance(rule, MatchedComparison):
            steps = matched(self.alike(rule.alike_in, everyone), int(rule.least), rate)
        else:
            assert isinstance(rule, Fixed)
            now = rule.at(self.year, first)
            steps = [Step("agreed price", now.per_member_per_month, PMPM)]
        price = steps[-1].amount
        if rules.risk and isinstance(rule, OwnHistory):
            now_score = self.score(own, self.year)
            scored = [
                self.score(base.filter(base.status == COUNTS), g.year) for base, g in zip(bases, groups, strict=True)
            ]
            then_score = sum(weight * score for weight, score in zip(rule.weights, scored, strict=True))
            ratio = risk_ratio(now_score, then_score, rules.risk.most_growth, rules.risk.most_fall)
            steps += [
                Step("average risk score of the year", now_score, "ratio"),
                Step("average risk score of the earlier years, weighted", then_score, "ratio"),
                Step("growth of risk, within its limits", ratio, "ratio"),
            ]
            price *= ratio
        amount = to_the_cent(price * group.months)
        steps += [Step("member months", group.months, "months"), Step("benchmark", amount, "dollars")]
        self.expected += [(self.year, *step) for step in steps]
        self.fact("benchmark", amount, "benchmark: the last row")

    def same_people(self, own: ir.Table, year: int, name: str) -> ir.Table:
        """Everyone enrolled in a year; those of the contract year count."""
        people = _flagged(coverage(self.work.claims, [year], self.work.first_month), own, "here")
        label = "does not count in the contract year"
        people = people.select("person_id", "months", status=ibis.ifelse(people.here == 1, COUNTS, label))
        people = kept(people)
        self.count(people, name, [label])
        return people

    def found_earlier(self, found: int) -> tuple[Group, Group]:
        """Those whom the same rules found as much earlier, wherever they get care: their cost then and afterwards."""
        apart = self.year - found
        before = found - apart
        name = f"found in {before}, wherever they get care"
        people = self.everyone(before + apart, before, f"{name}: in {found}")
        own = people.filter(people.status.isin([COUNTS, NOT_OWN]))
        groups = []
        for year in (before, found):
            label = f"{name}: cost in {year}"
            groups.append(self.cost(label, year, self.same_people(own, year, label))[0])
        return groups[0], groups[1]

    def alike(self, alike_in: Sequence[str], everyone: ir.Table) -> pd.DataFrame:
        """For each group of alike people: the provider's member months, and whom they are compared with."""
        work = self.work
        people = everyone.filter(everyone.status.isin([COUNTS, NOT_OWN]))
        lines = self.counted_lines(self.year)
        spent = self.spent(lines.filter(lines.step.isnull()), people)
        limit = self.limit(self.year, _with_status(lines, everyone), everyone)
        if limit is not None:
            above = self.work.rules.spending.at(self.year, work.contract.first_year).above or 0
            beyond = ibis.greatest(spent.cents - limit, 0)
            spent = spent.mutate(cents=spent.cents - beyond + (beyond * above).round().cast("int64"))
        if "cost in the year before" in alike_in:
            earlier = self.counted_lines(self.year - 1)
            earlier = earlier.filter(earlier.step.isnull())
            spent = _joined(spent, earlier.group_by("person_id").agg(before=earlier.cents.sum()))
        bands = {
            "age": lambda: _band(spent.age, AGES),
            "gender": lambda: spent.gender,
            "payer_type": lambda: spent.payer_type,
            "dual": lambda: spent.dual,
            "cost in the year before": lambda: _band(spent.before.fill_null(0), [round(c * 100) for c in COSTS]),
        }
        spent = spent.mutate(**{f"alike_{n}": bands[name]() for n, name in enumerate(alike_in)})
        own, other = spent.status == COUNTS, spent.status == NOT_OWN
        cells = spent.group_by([f"alike_{n}" for n in range(len(alike_in))]).agg(
            own_months=spent.months.sum(where=own).fill_null(0),
            people=other.cast("int64").sum(),
            months=spent.months.sum(where=other).fill_null(0),
            cents=spent.cents.sum(where=other).fill_null(0),
        )
        return pd.DataFrame(_rows(cells.order_by([f"alike_{n}" for n in range(len(alike_in))])))

    def score(self, own: ir.Table, year: int) -> float:
        """The average risk score of people, from the year before, weighted by their months."""
        rule, claims = self.work.rules.risk, self.work.claims
        assert rule is not None
        if rule.score == "a given score":
            rows = claims.outcome
            rows = rows.filter(rows.outcome == rule.outcome, rows.outcome_date.year() == year - 1)
            table = rows.group_by("person_id").agg(score=rows.outcome_value.max())
        else:
            people = coverage(claims, [year - 1]).semi_join(own, "person_id")
            scored = scores(people, claims, year - 1, model=f"CMS-HCC Model {rule.score.split()[1]}")
            table = scored.select("person_id", score=scored.hcc)
        joined = own.inner_join(table, "person_id")
        joined = joined.filter(joined.score.notnull())
        (row,) = _rows(joined.agg(total=(joined.score * joined.months).sum(), months=joined.months.sum()))
        if not row["months"] or not row["total"]:
            do = "give the scores, or take the risk adjustment out"
            raise Refusal([Fault(f"risk scores, {year}", "none", "a score for the people who count", do)])
        return float(row["total"] / row["months"])


# --- small tables ---------------------------------------------------------------------------------------------------


def kept(table: ir.Table) -> ir.Table:
    """A table that the engine computes once and holds until it is closed."""
    backend: Any = table.get_backend()
    if backend.name == "duckdb":  # Ibis 12's cache drops its tables by a statement that DuckDB 2 does not read
        made: ir.Table = backend.create_table(ibis.util.gen_name("carecontracts"), table, temp=True)
        return made
    backend._run_pre_execute_hooks(table)  # which its cache forgets on PySpark: tables in memory must be there first
    return table.cache()


def _rows(table: ir.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return found


def _joined(people: ir.Table, facts: ir.Table) -> ir.Table:
    """People with what a table with one row for each says of them."""
    return people.left_join(facts, "person_id").drop("person_id_right")


def _flagged(people: ir.Table, rows: ir.Table, name: str) -> ir.Table:
    """People with a column that is 1 for those who have a row in a table."""
    marked = rows.select("person_id").distinct().mutate(**{name: ibis.literal(1)})
    people = _joined(people, marked)
    return people.mutate(**{name: people[name].fill_null(0)})


def _with_status(lines: ir.Table, people: ir.Table) -> ir.Table:
    lines = _joined(lines, people.select("person_id", "status"))
    return lines.mutate(step=ibis.ifelse(lines.step.isnull(), COUNTS, lines.step))


def _band(value: Any, begins: Sequence[float]) -> Any:
    """The number of the band that a value is in: 0 below the first."""
    return ibis.cases(*((value >= begin, n) for n, begin in reversed(list(enumerate(begins, 1)))), else_=0)


def _gaps(claims: Claims, year: int, first_month: int) -> ir.Table:
    """The longest run of months without coverage before or between a person's covered months, and the last of these."""
    months = covered_months(claims, year, first_month)
    begin = month_of(first_day(year, first_month))
    before = months.month.lag().over(group_by="person_id", order_by="month").fill_null(begin - 1)
    months = months.mutate(gap=months.month - before - 1)
    return months.group_by("person_id").agg(gap=months.gap.max(), latest=months.month.max())
