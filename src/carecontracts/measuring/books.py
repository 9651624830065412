"""The books of a contract: its claims as its own terms read them, who counts in a year, and what they cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..reconciliation import Dollars, Fact, Kind, Reconciliation
from ..reconciliation import People as PeopleRow
from ..refusal import in_dollars
from .population import tier_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims
    from ..clause import Clause
    from .section import Measurement


class Rule(NamedTuple):
    """A rule that leaves out people, or claim lines: the kind of its row, and its words."""

    kind: Kind
    words: str


class People:
    """Everyone enrolled in a year, and the rules that leave some of them out, in the order in which they apply."""

    def __init__(self, table: "ir.Table") -> None:
        import ibis

        self.table = table.mutate(off=ibis.literal(0.0))
        self.rules: list[Rule] = []
        self.on_list: ir.Table | None = None  # each person and month that count, where not all of a year's do

    def know(self, facts: "ir.Table") -> None:
        """Adds what a table with one row for each person says of them."""
        self.table = self.table.left_join(facts, "person_id").drop("person_id_right")

    def mark(self, rows: "ir.Table", name: str) -> None:
        """Adds a column that is 1 for those who have a row in a table, and 0 for the others."""
        import ibis

        self.know(rows.select("person_id").distinct().mutate(**{name: ibis.literal(1)}))
        self.table = self.table.mutate(**{name: self.table[name].fill_null(0)})

    def keep_months(self, months: "ir.Table", books: "Books", year: int) -> None:
        """Of those on a list in some months of a year, the covered months among them count and no others."""
        import ibis

        from ..claims.engine import kept
        from ..people.months import covered_months

        covered = covered_months(books.claims, year, books.first_month)
        months = kept(covered.semi_join(months, ["person_id", "month"]))
        self.know(months.group_by("person_id").agg(listed=months.counts.sum()))
        who = self.table
        listed = who.listed.fill_null(0)
        off = ibis.ifelse(who.own == 1, who.months - listed, 0).cast("float64")
        own = ((who.own == 1) & (listed > 0)).cast("int64")
        months_left = ibis.ifelse(own == 1, listed, who.months)
        self.table = who.mutate(own=own, off=ibis.ifelse(own == 1, off, 0.0), months=months_left).drop("listed")
        self.on_list = months

    def leave_out(self, kind: Kind, words: str, condition: Any) -> None:
        """Those of whom the condition holds do not count; of several rules, the first one says why."""
        self.table = self.table.mutate(**{f"out_{kind.value}": condition.fill_null(False)})
        self.rules.append(Rule(kind, words))

    def decided(self, tier: Any = None) -> "People":
        """The same people, each with a `status`: COUNTS, or the kind of the rule that leaves them out."""
        import ibis

        from ..claims.engine import kept

        conditions = [(self.table[f"out_{kind.value}"], kind.value) for kind, _ in self.rules]
        status = ibis.cases(*conditions, else_=Kind.COUNTS.value) if conditions else ibis.literal(Kind.COUNTS.value)
        about = ["person_id", "payer_type", "dual", "gender", "age", "months", "off"]
        self.table = kept(self.table.select(*about, tier=ibis.literal(-1) if tier is None else tier, status=status))
        return self

    @property
    def own(self) -> "ir.Table":
        """Those who count."""
        return self.table.filter(self.table.status == Kind.COUNTS.value)


class Group(NamedTuple):
    """People of one year and what they cost, in whole cents: what counts as spending."""

    name: str
    year: int
    people: int
    months: float
    cents: int

    @property
    def per_month(self) -> float:
        """Dollars for each member month.

        >>> Group("own", 2025, 2, 24, 2_400_00).per_month
        100.0
        """
        return self.cents / 100 / self.months if self.months else 0.0


@dataclass(frozen=True)
class Books:
    """What every part reads, and the rows that they write; `year` is the contract year whose facts are made."""

    claims: "Claims"  # as the contract reads them: those of its payer, those that count
    rules: "Measurement"
    clauses: Sequence["Clause"]
    first_year: int
    first_month: int
    lines: "ir.Table"  # of every claim: person, month and contract year, service, code, payment, cents; why it is `out`
    all_lines: tuple[int, int]  # how many of them there are, and their cents
    by_year: dict[int, tuple[int, int]]  # the same of each contract year
    held: list[int]  # the contract years of the lines that are of the payers named
    year: int
    tell: Callable[[str], None]
    taken: tuple[tuple[Rule, int, int, int], ...] = ()  # lines that no year uses: why, of how many people, lines, cents
    listed: "ir.Table | None" = None  # of each person and contract year: whether the definitions held
    rows: Reconciliation = field(default_factory=Reconciliation)
    notes: list[str] = field(default_factory=list)  # what a reader should know of how it came about
    found: dict[Any, Any] = field(default_factory=dict)  # what several groups ask for alike, looked up once

    def begins(self, year: int) -> int:
        """The number of the month in which a contract year begins."""
        return 12 * year + self.first_month - 1

    # --- what is written ---

    def write(self, group: str, kind: Kind, words: str, people: int | None, lines: int | None, cents: int) -> Dollars:
        """A row of dollars."""
        row = Dollars(self.year, group, kind, words, people, lines, cents)
        self.rows.dollars.append(row)
        return row

    def count(self, group: str, kind: Kind, words: str, people: int | None, months: float | None) -> PeopleRow:
        """A row of people."""
        row = PeopleRow(self.year, group, kind, words, people, months)
        self.rows.people.append(row)
        return row

    def fact(
        self,
        name: str,
        value: Any,
        source: str,
        row: PeopleRow | Dollars | None = None,
        counts: tuple[float, ...] = (),
    ) -> None:
        """A fact of the year; the row that it is, or the counts of people or services that it gives away."""
        self.rows.facts.append(Fact(self.year, name, value, source, row, counts))

    def note(self, text: str) -> None:
        """Says something once."""
        if text not in self.notes:
            self.notes.append(text)

    def facts(self) -> dict[str, Any]:
        """The facts of the year that are made so far."""
        return {"year": self.year} | {fact.fact: fact.value for fact in self.rows.facts if fact.year == self.year}

    # --- who counts, in any year, by the same rules ---

    def everyone(self, year: int, found: int, group: str) -> People:
        """Everyone enrolled in a year, and why one does not count: the first rule that leaves them out."""
        from ..people.months import coverage

        self.tell(f"{self.year}: who counts in {group}")
        people = People(coverage(self.claims, [year], self.first_month))
        for part in (self.rules.enrollment, self.rules.population, self.rules.attribution):
            part.leave_out(people, self, year, found)
        return self._counted(people.decided(tier_of(people.table, len(self.rules.tiers))), group)

    def same_people(self, own: "ir.Table", year: int, group: str) -> People:
        """Everyone enrolled in a year; those who count in the contract year count in it too."""
        from ..people.months import coverage

        people = People(coverage(self.claims, [year], self.first_month))
        people.mark(own, "here")
        people.leave_out(Kind.NOT_THIS_YEAR, "does not count in the contract year", people.table.here == 0)
        return self._counted(people.decided(), group)

    def _counted(self, people: People, group: str) -> People:
        """Writes the rows of people: everyone, those left out by each rule, those who count."""
        from ..claims.engine import fetched

        table = people.table
        found = fetched(
            table.group_by("status").agg(people=table.count(), months=table.months.sum(), off=table.off.sum())
        )
        by = {row["status"]: (int(row["people"]), in_months(row["months"])) for row in found}
        off = in_months(sum(row["off"] for row in found))
        whole = (sum(n for n, _ in by.values()), in_months(sum(m for _, m in by.values()) + off))
        self.count(group, Kind.ENROLLED, "enrolled", *whole)
        if people.on_list is not None:
            self.count(group, Kind.OFF_LIST, "months in which they were not on the list", None, off)
        for kind, words in (*people.rules, Rule(Kind.COUNTS, "counts")):
            self.count(group, kind, words, *by.get(kind.value, (0, 0)))
        return people

    # --- what they cost, in any year, by the same rules ---

    def lines_of(self, year: int, people: People | None = None) -> tuple["ir.Table", list[Rule]]:
        """The lines of a year, and the rules for lines; `why` is the kind of the one that takes a line out.

        Of people who count for some months of the year, the lines of the other months are taken out.
        """
        import ibis

        lines, rules = self.lines.filter(self.lines.year == year), self.rules
        on_list = None if people is None else people.on_list
        if on_list is not None:
            here = on_list.select("person_id", "month").mutate(listed=ibis.literal(1))
            lines = lines.left_join(here, ["person_id", "month"], rname="{name}_of_list")
            lines = lines.drop("person_id_of_list", "month_of_list")
        left_out = [
            (Rule(Kind.OTHER_PAYER, "of another payer or plan"), lines.out == Kind.OTHER_PAYER.value),
            rules.spending.without_an_amount(lines),
            rules.run_out.paid_late(lines, self, year),
            rules.spending.of_services_left_out(lines),
            *([rules.fees.claimed(lines)] if rules.fees else []),
            (Rule(Kind.NOT_COVERED, "service began out of coverage"), lines.out == Kind.NOT_COVERED.value),
        ]
        if on_list is not None:
            left_out.append((Rule(Kind.OFF_LIST, "of a month off the list"), lines.listed.isnull()))
        why = ibis.cases(*((condition, rule.kind.value) for rule, condition in left_out), else_=ibis.null("string"))
        return lines.mutate(cents=lines.cents.fill_null(0), why=why), [rule for rule, _ in left_out]

    def counted_services(self) -> "ir.Table":
        """The lines, of any year and paid on any day, that count by their coverage, service and amount."""
        lines, rules = self.lines, self.rules
        left_out = [rules.spending.without_an_amount(lines), rules.spending.of_services_left_out(lines)]
        left_out += [rules.fees.claimed(lines)] if rules.fees else []
        return lines.filter(lines.out.isnull(), *(~condition.fill_null(False) for _, condition in left_out))

    def cost(self, group: str, year: int, people: People) -> Group:
        """What the people who count cost in a year, each step with a row of dollars."""
        import ibis

        from ..claims.engine import fetched

        self.tell(f"{self.year}: what {group} cost")
        lines, rules = self.lines_of(year, people)
        lines = lines.left_join(people.table.select("person_id", "status"), "person_id").drop("person_id_right")
        # Of the rules for lines, coverage and the list come last: of those who do not count, their own rule says why.
        of_line, of_person = lines.why, lines.status.nullif(Kind.COUNTS.value)
        for last in (Kind.NOT_COVERED, Kind.OFF_LIST):
            of_line = of_line.nullif(last.value)
        of_person = ibis.ifelse(lines.status.isnull(), Kind.NOT_ENROLLED.value, of_person)
        lines = lines.mutate(why=ibis.coalesce(of_line, of_person, lines.why, Kind.COUNTS.value))
        found = lines.group_by("why").agg(people=lines.person_id.nunique(), n=lines.count(), cents=lines.cents.sum())
        by = {row["why"]: (row["people"], row["n"], int(row["cents"] or 0)) for row in fetched(found)}
        (n, cents), (n_here, cents_here) = self.all_lines, self.by_year.get(year, (0, 0))
        given = (n + sum(lines for _, _, lines, _ in self.taken), cents + sum(part for *_, part in self.taken))
        self.write(group, Kind.READ, "claim lines read", None, *given)
        for (kind, words), who, lines_, part in self.taken:
            self.write(group, kind, words, who, -lines_, -part)
        self.write(group, Kind.OTHER_YEAR, "service in another year", None, n_here - n, cents_here - cents)
        of_people = [Rule(kind, f"of people: {words}") for kind, words in people.rules]
        of_people.append(Rule(Kind.NOT_ENROLLED, "of people not enrolled in the year"))
        for kind, words in (*sorted(rules, key=_by_words), *sorted(of_people, key=_by_words)):
            if kind.value in by:
                who, n, cents = by[kind.value]
                self.write(group, kind, words, who, -n, -cents)
        who, n, counted = by.get(Kind.COUNTS.value, (0, 0, 0))
        self.write(group, Kind.COUNTS, "counts", who, n, counted)

        lines, spending = lines.filter(lines.why == Kind.COUNTS.value), self.rules.spending
        completion = self.rules.run_out.complete(self, year, people.own, lines)
        completed = round(counted * completion.factor)
        if self.rules.run_out.completion != "none":
            words = f"still to come, at a factor of {completion.say()}"
            self.write(group, Kind.TO_COME, words, None, None, completed - counted)
        limit = spending.limit(self, year, people)
        spent = spending.marked(cents_of(people.own, lines), limit, completion.factor)
        sums = spent.agg(people=spent.count(), months=spent.months.sum(), **spending.sums(spent))
        (row,) = fetched(sums)
        within = round(spending.within(row, limit, completion.factor, self, year))
        if limit is not None:
            words = f"over the limit of {in_dollars(limit / 100)}"
            self.write(group, Kind.LIMIT, words, int(row["over"] or 0), None, within - completed)
        return Group(group, year, int(row["people"]), in_months(row["months"]), within)


def in_months(months: float | None) -> float:
    """Member months as they are written: whole, or to the millionth.

    >>> in_months(18), in_months(17 / 31)
    (18, 0.548387)
    """
    return int(months or 0) if not (months or 0) % 1 else round(float(months or 0), 6)


def _by_words(rule: Rule) -> str:
    return rule.words


def cents_of(people: "ir.Table", lines: "ir.Table") -> "ir.Table":
    """A row for each person with the cents of their lines, those who used nothing included."""
    by = lines.group_by("person_id").agg(cents=lines.cents.sum())
    joined = people.left_join(by, "person_id").drop("person_id_right")
    return joined.mutate(cents=joined.cents.fill_null(0))
