"""From claims to the years that settle: who counts, what they cost, what was expected, and how each number came about.

`measure(claims, contract)` asks the parts of the contract's `measurement:` section in turn. All work is Ibis
expressions until a few rows of totals are left. Money is whole cents from the first line on, so that both sides, on any
engine, get the same sum.

Not modelled:
- lines that a payer corrects after the closing date; the next run reads the tables as they are then
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from .claims.engine import fetched
from .claims.layout import Claims
from .contract import Contract
from .measuring.books import Books, Group, People, Rule, in_months
from .measuring.section import Measurement
from .people import rates
from .reconciliation import BY_SERVICE, THE_YEAR, Dollars, Expected, Kind, Reconciliation, Step
from .reconciliation import People as PeopleRow
from .refusal import Fault, Refusal, in_dollars, listed
from .units import cents
from .year import Year, year_from


class Measured(NamedTuple):
    """The years, the rows that lead to them, the facts left to be filled in, and what a reader should know."""

    years: list[Year]
    reconciliation: Reconciliation
    unmade: list[str]
    notes: list[str]


def measure(
    claims: Claims,
    contract: Contract,
    *,
    tell: Callable[[str], None] = lambda doing: None,
) -> Measured:
    """The facts of each contract year that the claims hold, by the contract's own rules, and the reconciliation.

    `tell` hears what is being done. Claims keep their lines and lists of people: the next contract finds them made.
    Raises: Refusal with everything that the section asks for and the claims or the contract do not have.
    """
    rules = _section(contract)
    books = _books(claims, contract, rules, tell)
    years = _years(books, contract)
    if rules.population.needs_a_list(rules.tiers):
        listed = rules.population.listed(books.claims, rules.tiers, books.first_month)
        books = replace(books, listed=claims.kept(listed))
    made = [_year(replace(books, year=year), contract) for year in years]
    unmade = [fact for fact in contract.facts() if not rules.provides(fact)]
    of_payer = rules.enrollment.counted(claims)
    closed = rules.run_out.notes(of_payer, years, books.first_year, books.first_month)
    notes = [
        *claims.notes,
        *_nobody(books, years),
        *_of_other_years(books, years),
        *_left_out(books),
        *closed,
        *books.notes,
        *_notes(books),
    ]
    return Measured(made, books.rows, unmade, notes)


# --- what there is to work with, and what is missing ------------------------------------------------------------------


def _section(contract: Contract) -> Measurement:
    if contract.measurement is None:
        do = "add a section `measurement:`, or fill in a years file by hand"
        raise Refusal([Fault(contract.title, "no measurement section", "how a year is measured", do)])
    if contract.first_year < 100:
        do = "write the calendar year in which the contract begins"
        raise Refusal([Fault("first_year", str(contract.first_year), "a calendar year, to measure from claims", do)])
    return contract.measurement


def _books(claims: Claims, contract: Contract, rules: Measurement, tell: Callable[[str], None]) -> Books:
    whose = rules.enrollment
    if faults := list(whose.misnamed(claims)):
        raise Refusal(faults)
    counted, others = whose.counted(claims), whose.others(claims)
    lines = rules.spending.lines(counted, contract.year_starts)
    lines = lines.mutate(out=ibis.ifelse(lines.covered, ibis.null("string"), Kind.NOT_COVERED.value)).drop("covered")
    if others:
        of_others = rules.spending.lines(others, contract.year_starts)
        lines = lines.union(of_others.mutate(out=ibis.literal(Kind.OTHER_PAYER.value)).drop("covered"))
    lines = claims.kept(lines)  # read many times: classed once
    found = fetched(
        lines.group_by("year", "payer", "out").agg(lines=lines.count(), cents=lines.cents.sum().fill_null(0))
    )

    def totals(by: str) -> dict[Any, tuple[int, int]]:
        """Lines and cents by a column: all by year, by payer those of the payers named."""
        sums: dict[Any, list[int]] = {}
        for row in found:
            if by == "year" or row["out"] != Kind.OTHER_PAYER:
                both = sums.setdefault(row[by], [0, 0])
                both[0] += row["lines"]
                both[1] += int(row["cents"])
        return {key: (n, cents) for key, (n, cents) in sums.items()}

    payers = {payer or "": both for payer, both in totals("payer").items()}
    if faults := list(whose.unnamed(counted, payers)):
        raise Refusal(faults)
    if any(row["out"] == Kind.NOT_COVERED for row in found):
        counted = rules.spending.counted(counted)
    by_year = totals("year")
    return Books(
        claims=counted,
        rules=rules,
        clauses=contract.clauses,
        first_year=contract.first_year,
        first_month=contract.year_starts,
        lines=lines,
        all_lines=(sum(n for n, _ in by_year.values()), sum(amount for _, amount in by_year.values())),
        by_year={year: both for year, both in by_year.items() if year is not None},
        held=sorted({row["year"] for row in found if row["out"] != Kind.OTHER_PAYER} - {None}),
        year=contract.first_year,
        tell=tell,
        taken=tuple(
            (Rule(Kind(of.why), f"{of.table}: {of.words}"), of.people, of.rows, getattr(of, rules.spending.cost))
            for of in claims.taken
            if of.table in ("medical_claim", "pharmacy_claim")
        ),
    )


def _left_out(books: Books) -> Iterator[str]:
    """What a reader should know of claims that do not count for a reason that the parties may have meant otherwise."""
    words = {
        Kind.OTHER_PAYER: "of another payer or plan than those named in `enrollment`",
        Kind.NOT_COVERED: "of people who count, for services that began out of their coverage (`begun` in `spending`)",
    }
    for row in books.rows.dollars:
        if row.group == THE_YEAR and row.kind in words and row.lines:
            lines = f"{-row.lines:,} claim line{'s' * (row.lines != -1)}"
            yield f"{row.year}: {lines}, {in_dollars(-row.cents / 100)}, do not count: {words[row.kind]}."


def _nobody(books: Books, years: list[int]) -> Iterator[str]:
    """Years between others without a claim line, tiers and groups without people: a slip, more often than a fact."""
    for year in range(years[0], years[-1]):
        if year not in years:
            yield f"{year}: no claim line, so the year is not measured. Is a file missing?"
    for row in books.rows.people:
        if row.people == 0 and row.kind == Kind.COUNTS and row.group != THE_YEAR:
            yield f"{row.year}: nobody counts in {row.group}, which the benchmark reads."
        elif row.people == 0 and row.kind == Kind.TIER:
            yield f"{row.year}: nobody is in the {row.step}."


def _of_other_years(books: Books, years: list[int]) -> Iterator[str]:
    """The lines of years that are no contract year and that no part reads."""
    read = {each for year in years for _, part in books.rules.parts() for each, _ in part.years_read(books, year)}
    others = {year: both for year, both in sorted(books.by_year.items()) if year not in {*years, *read}}
    if others:
        told = (
            f"{year} ({n:,} line{'s' * (n != 1)}, {in_dollars(cents / 100)})" for year, (n, cents) in others.items()
        )
        yield f"Claims of no contract year: {listed(told, 8)}."


def _years(books: Books, contract: Contract) -> list[int]:
    """The contract years that the claims hold; refuses claims that do not have what the parts read."""
    held = books.held
    if not held:
        given = "; ".join(["no claim line that is used", *books.claims.notes])
        raise Refusal([Fault("claims", given, "at least one, with its date", "mend what is left out, or give claims")])
    last = contract.first_year + contract.years - 1 if contract.years else held[-1]
    years = [year for year in held if contract.first_year <= year <= last]
    faults = list(_faults(books, years, held))
    if faults:
        raise Refusal(faults)
    return years


def _faults(books: Books, years: list[int], held: list[int]) -> Iterator[Fault]:
    parts = [part for _, part in books.rules.parts()]
    span = f"{held[0]} to {held[-1]}"
    if not years:
        do = "give claims of the contract's years, or amend `first_year`"
        yield Fault("claims", f"lines of {span}", f"lines of {books.first_year} or later", do)
    for year in years:
        needed = {year: "the year itself"}
        for part in parts:
            for read, why in part.years_read(books, year):
                needed.setdefault(read, why)
        for read, why in sorted(needed.items()):
            if read not in held:
                do = "give claims that reach back so far, or amend the measurement"
                yield Fault("claims", f"lines of {span}", f"lines of {read}: {why} in {year} reads it", do)
    for part in parts:
        yield from part.faults(books)


def _notes(books: Books) -> Iterator[str]:
    """What a reader should know of the years: who is nobody's, and what the contract names that no row has."""
    rows = {(row.year, row.kind): row for row in books.rows.dollars if row.group == THE_YEAR}
    for row in books.rows.people:
        if row.group != THE_YEAR or row.kind not in (Kind.ENROLLED, Kind.COUNTS):
            continue
        lost = rows.get((row.year, Kind.NOT_ENROLLED))
        if row.kind == Kind.ENROLLED and lost and lost.lines:
            lines = f"{-lost.lines:,} claim line{'s' * (lost.lines != -1)}, {in_dollars(-lost.cents / 100)}"
            yield f"{row.year}: {lines}, of people who are not enrolled in the year: they count for nobody."
        if not row.people:
            who = "is enrolled" if row.kind == Kind.ENROLLED else "counts"
            yield f"{row.year}: nobody {who}: its lives, months and dollars are 0."
    for _, part in books.rules.parts():
        yield from part.unmet(books)


# --- one contract year ------------------------------------------------------------------------------------------------


def _year(books: Books, contract: Contract) -> Year:
    """One contract year: each part makes its facts, and every number on the way leaves a row."""
    found = books.rules.population.found_in(books.year, books.first_year)
    people = books.everyone(books.year, found, THE_YEAR)
    group = books.cost(THE_YEAR, books.year, people)
    _people(books, people.own)
    _on_record(books, people)
    _measures(books, people.own)
    _spend(books, group)
    if books.rules.benchmark:
        _benchmark(books, people, group)
    _services(books, people, contract)
    return year_from(books.facts(), "the claims")


def _people(books: Books, own: ir.Table) -> None:
    """Lives and member months, and those of each tier."""
    (counts,) = (row for row in books.rows.people if row[:3] == (books.year, THE_YEAR, Kind.COUNTS))
    books.fact("lives", counts.people, from_people(counts), counts)
    books.fact("member_months", counts.member_months, from_people(counts, "member months"), counts)
    for n, tier in enumerate(books.rules.tiers):
        rows = own.filter(own.tier == n)
        (row,) = fetched(rows.agg(people=rows.count(), months=rows.months.sum().fill_null(0)))
        made = books.count(THE_YEAR, Kind.TIER, f"tier “{tier}”", int(row["people"]), in_months(row["months"]))
        books.fact(f"member_months.{tier}", made.member_months, from_people(made, "member months"), made)


def _on_record(books: Books, people: People) -> None:
    """Engaged and documented member months, by tier; and outcomes."""
    rules = books.rules
    for name, part in (("engaged_months", rules.engaged_months), ("documented_months", rules.documented_months)):
        if part:
            by, words = part.months(books, people), name.replace("_", " ")
            made = books.count(THE_YEAR, Kind.ON_RECORD, words, None, in_months(sum(by.values())))
            books.fact(name, made.member_months, from_people(made, "member months"), made)
            for n, tier in enumerate(rules.tiers):
                made = books.count(THE_YEAR, Kind.ON_RECORD, f"{words} of tier “{tier}”", None, by.get(n, 0))
                books.fact(f"{name}.{tier}", made.member_months, from_people(made, "member months"), made)
    for name, outcome in rules.outcomes.items():
        source = f"the outcome table: “{outcome.outcome}”, of the people who count"
        times = outcome.times(books, people.own)
        books.fact(f"outcomes.{name}", times, source, counts=(times,))


def _measures(books: Books, own: ir.Table) -> None:
    """Each measure's rate and denominator, of the people who count."""
    asked = {name: (part.measure, part.settings) for name, part in books.rules.measures.items()}
    if not asked:
        return
    books.tell(f"{books.year}: the measures")
    for row in fetched(rates.measure_table(books.claims, own, books.year, asked, first_month=books.first_month)):
        name, denominator = row["measure"], row["denominator"]
        part = books.rules.measures[name]
        how, enough = part.says(row["numerator"], denominator), part.has_enough(denominator)
        rate = row["rate"] if enough else part.otherwise
        gives = (row["numerator"], denominator, denominator - row["numerator"])
        if rate is not None:
            how_else = how if enough else f"{how}; fewer than {part.least}: as agreed"
            books.fact(f"measures.{name}", float(rate), how_else, counts=gives)
        books.fact(f"denominators.{name}", denominator, how, counts=gives)


def _spend(books: Books, group: Group) -> None:
    """What the people cost, and the fees that are paid outside claims and count as spending."""
    total = group.cents / 100
    for clause, amount in books.rules.fees.paid_outside_claims(books) if books.rules.fees else ():
        books.write(THE_YEAR, Kind.FEE, f"fees of “{clause}”", None, None, round(amount * 100))
        total += amount
    made = books.write(THE_YEAR, Kind.SPEND, "spend", group.people, None, round(cents(total) * 100))
    books.fact("spend", made.cents / 100, from_dollars(made), made)


def _benchmark(books: Books, people: People, group: Group) -> None:
    """The benchmark and every number that it is made of."""
    rule, risk = books.rules.benchmark, books.rules.risk
    assert rule is not None
    steps, earlier = rule.expected(books, people)
    price = steps[-1].amount
    if risk:
        steps += risk.steps(books, people.own, earlier)
        price *= steps[-1].amount
    amount = cents(price * group.months)
    steps.append(Step(Kind.MONTHS, "member months", group.months, "months"))
    steps.append(Step(Kind.BENCHMARK, "benchmark", amount, "dollars"))
    books.rows.benchmark.extend(Expected(books.year, *step) for step in steps)
    books.fact("benchmark", amount, "benchmark: the last row")


def _services(books: Books, people: People, contract: Contract) -> None:
    """Counted dollars by service, before any limit, where a clause reads them."""
    wanted = [fact for fact in contract.facts() if fact.startswith("services.") and books.rules.provides(fact)]
    if not wanted:
        return
    lines, _ = books.lines_of(books.year, people)
    lines = lines.filter(lines.why.isnull()).semi_join(people.own, "person_id")
    found = lines.group_by("service").agg(people=lines.person_id.nunique(), cents=lines.cents.sum())
    by = {row["service"]: (int(row["people"]), int(row["cents"])) for row in fetched(found)}
    for fact in wanted:
        service = fact.partition(".")[2]
        who, cents_of_it = by.get(service, (0, 0))
        made = books.write(BY_SERVICE, Kind.OF_SERVICE, service, who, None, cents_of_it)
        books.fact(fact, made.cents / 100, from_dollars(made), made)


def from_people(row: PeopleRow, *column: str) -> str:
    """Where a fact is from: the row of people, and the column where it is not the number of people."""
    return "people: " + ", ".join((row.group, row.step, *column))


def from_dollars(row: Dollars) -> str:
    return f"dollars: {row.group}, {row.step}"
