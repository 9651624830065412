"""Whose coverage counts, how months of it are counted, and how long a person must have been covered to count."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from ..reconciliation import Kind
from ..refusal import Fault, did_you_mean, in_dollars, many, show
from ..units import MonthsOfYear
from ..worded import Name
from .part import Part

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims
    from .books import Books, People

# The terms that name whose coverage and claims count, and the column of the tables that each one reads.
WHOSE = {"payers": "payer", "plans": "plan", "payer_types": "payer_type", "data_sources": "data_source"}
CLAIMS = ("medical_claim", "pharmacy_claim")
MOST_NAMES = 9
IN_A_CONTRACT: Mapping[str, str] = {}


class Enrollment(Part):
    """Whose coverage counts, how months of it are counted, and how long a person must have been covered to count.

    Someone who dies is held to the months that they lived. Names of payers and plans are the same in large and small
    letters.
    """

    title = "Enrollment"
    words = (
        "Coverage and claims count that are of the payer {payers}.",
        "Coverage and claims count that are of the plan {plans}.",
        "Coverage counts that is of this type of payer: {payer_types}; claims, that have the payer and plan of such"
        " coverage, where the tables have them.",
        "Coverage and claims count that are of the data source {data_sources}.",
        "A month counts {month}; two spans that cover it count it once.",
        "A person counts who was enrolled for at least {least} months of the year.",
        "In the year before, they were enrolled for at least {least_before} months.",
        "No gap in the year, before, between or after months that count, is longer than {gap} months; after a death"
        " there is none.",
        "People who die in the year are {deaths}.",
    )
    spoken = {
        "month": {
            "any day": "with any day of coverage",
            "first day": "if its first day is covered",
            "15th day": "if its 15th day is covered",
            "days": "as the share of its days that are covered",
        },
    }
    payers: list[Name] = []
    plans: list[Name] = []
    payer_types: list[Literal["medicaid", "medicare", "commercial", "dual", "exchange", "self-insured", "other"]] = []
    data_sources: list[Name] = []
    month: Literal["any day", "first day", "15th day", "days"] = "any day"
    least: MonthsOfYear | None = None
    least_before: MonthsOfYear | None = None
    gap: MonthsOfYear | None = None
    deaths: Literal["counted for the months that they lived", "left out"] = "counted for the months that they lived"

    # --- whose coverage and claims ---

    def named(self) -> dict[str, list[str]]:
        """The columns whose values are named, and those values."""
        return {column: [*getattr(self, term)] for term, column in WHOSE.items() if getattr(self, term)}

    def counted(self, claims: "Claims") -> "Claims":
        """The claims as the contract reads them: of those named, months counted as agreed."""
        if self.named():
            spans = claims.eligibility.filter(self._is_named(claims.eligibility))
            claims = replace(
                claims,
                eligibility=spans,
                **{name: self._of(spans, claims, name, others=False) for name in CLAIMS},
            )
        return claims if self.month == claims.month_counts_by else replace(claims, month_counts_by=self.month)

    def others(self, claims: "Claims") -> "Claims | None":
        """The claims that are not of those named; none where nobody is named."""
        if not self.named():
            return None
        spans = claims.eligibility.filter(self._is_named(claims.eligibility))
        return replace(claims, **{name: self._of(spans, claims, name, others=True) for name in CLAIMS})

    def _is_named(self, table: "ir.Table") -> Any:
        """Whether a row is of those named, by the columns that the table has; one that does not say so is."""
        import ibis

        held = ibis.literal(True)
        for column, names in self.named().items():
            if column in table.columns:
                held &= _is_among(table[column], names)
        return held

    def _of(self, spans: "ir.Table", claims: "Claims", name: str, *, others: bool) -> "ir.Table":
        """The claim lines of those named, or of the others; a type of payer is that of the person's coverage."""
        table = getattr(claims, name)
        named = self._is_named(table)
        if not self.payer_types:
            return table.filter(~named if others else named)
        alike = ["person_id"]
        for column in ("payer", "plan"):
            if all(_is_filled(each[column]) for each in (claims.eligibility, table)):
                alike.append(column)
        keys = {f"its_{column}": _plain(table[column]) for column in alike}
        held = spans.select(**{f"its_{column}": _plain(spans[column]) for column in alike}).distinct()
        held = held.mutate(of_type=True)
        marked = table.mutate(**keys, named=named).left_join(held, list(keys), rname="{name}_again")
        mine = marked.named & marked.of_type.notnull()
        return marked.filter(~mine if others else mine).select(*table.columns)

    def misnamed(self, claims: "Claims", asked_by: Mapping[str, str] = IN_A_CONTRACT) -> Iterator[Fault]:
        """What the claims do not have of those named, and the rows that do not say whose they are.

        `asked_by` says where each term stands, if not in a contract.
        """
        for term, column in WHOSE.items():
            names = getattr(self, term)
            if not names:
                continue
            held = _values(claims, column)
            shown = sorted({row["shown"] for row in held if row["value"]})
            allowed = "one of " + ", ".join(map(show, shown[:MOST_NAMES])) if shown else f"a column {column}, filled in"
            where = asked_by.get(term, f"measurement 'enrollment', term `{term}`")
            wanted = {_folded(name) for name in names}
            missing = [name for name in names if _folded(name) not in {row["value"] for row in held}]
            for name in missing:
                yield Fault(where, show(name), allowed, did_you_mean(name, shown) + "name it as the tables do")
            enrolled = {row["value"] for row in held if row["table"] == "eligibility"}
            if not missing and not wanted & enrolled:
                given = f"{', '.join(map(show, names))}: in no row of eligibility"
                yield Fault(where, given, f"a {column} under which someone is covered", f"mend {column}, or amend")
            for row in held if shown else ():
                if not row["value"] and (enrolled - wanted - {""} or row["table"] == "eligibility"):
                    given = f"no {column} in {_much(row)}"
                    do = f"fill in {column}, or take `{term}` out"
                    yield Fault(f"{row['table']}, column {column}", given, f"a {column} in every row", do)
            if missing:
                return
            # What names further may only be among the rows of those named so far.
            tables = {name: getattr(claims, name) for name in ("eligibility", *CLAIMS)}
            having = {name: table for name, table in tables.items() if column in table.columns}
            claims = replace(
                claims, **{name: table.filter(_is_among(table[column], names)) for name, table in having.items()}
            )

    def unnamed(
        self, claims: "Claims", paid: Mapping[str, tuple[int, int]], asked_by: Mapping[str, str] = IN_A_CONTRACT
    ) -> Iterator[Fault]:
        """Several payers in the claims, of which none is named: each with its coverage, and its lines and cents `paid`.

        Where no row says its payer, the sources of the coverage stand for payers.
        """
        if self.payers:
            return
        from ..claims.engine import fetched

        spans = claims.eligibility
        by = {"payer": _plain(spans.payer), "source": _plain(spans.data_source)}
        spans = spans.group_by(**by).agg(spans=spans.count())
        covered: dict[str, int] = {}
        sources: dict[str, int] = {}
        for row in fetched(spans):
            for counts, name in ((covered, row["payer"]), (sources, row["source"])):
                counts[name] = counts.get(name, 0) + row["spans"]
        payers = {_folded(name) for name in (*covered, *paid)} - {""}
        if len(payers) > 1:
            allowed = "one payer, or the payers named whose coverage and claims count"
            yield _several("payer", covered, paid, allowed, asked_by.get("payers", _named_as("payers")))
        elif not payers and len({*sources} - {""}) > 1 and not self.data_sources:
            of_sources = by_value(claims, "data_source")
            allowed = "a payer in every row, or the sources named whose coverage and claims count"
            place = asked_by.get("data_sources", _named_as("data_sources"))
            yield _several("data_source", sources, of_sources, allowed, place)

    # --- how long ---

    def leave_out(self, people: "People", books: "Books", year: int, found: int) -> None:
        """Leaves out those who were covered for too short a time, or had too long a gap, or died."""
        import ibis

        from ..people.months import coverage, covered_months, month_of

        claims, first_month = books.claims, books.first_month
        begin = books.begins(year)
        spans = claims.eligibility
        day = spans.death_date.max()
        people.know(spans.group_by("person_id").agg(death=month_of(day), death_day=day.day().cast("int64")))
        who = people.table
        if self.least is not None:
            last, share = self._month_of_death(who)
            lived = ibis.ifelse(who.died == 1, last - begin + share, 12)
            short = f"fewer than {many(self.least, 'month')} of enrollment"
            people.leave_out(Kind.FEW_MONTHS, short, who.months < ibis.least(lived, self.least) - _A_HAIR)
        if self.least_before is not None:
            people.know(coverage(claims, [year - 1], first_month).select("person_id", before="months"))
            short = f"fewer than {many(self.least_before, 'month')} of enrollment the year before"
            condition = people.table.before.fill_null(0) < self.least_before - _A_HAIR
            people.leave_out(Kind.FEW_MONTHS_BEFORE, short, condition)
        if self.gap is not None:
            # The longest run without coverage before, between or after the covered months.
            months = covered_months(claims, year, first_month)
            before = months.month.lag().over(group_by="person_id", order_by="month").fill_null(begin - 1)
            months = months.mutate(gap=months.month - before - 1)
            people.know(months.group_by("person_id").agg(gap=months.gap.max(), latest=months.month.max()))
            who = people.table
            after = ibis.ifelse(who.died == 1, self._month_of_death(who)[0], begin + 11) - who.latest
            words = f"a gap of more than {many(self.gap, 'month')}"
            people.leave_out(Kind.GAP, words, ibis.greatest(who.gap, after) > self.gap)
        if self.deaths == "left out":
            people.leave_out(Kind.DIED, "died in the year", people.table.died == 1)

    def _month_of_death(self, who: "ir.Table") -> tuple[Any, Any]:
        """The last month that a death lets count, and how much of it."""
        import ibis

        from ..people.months import days_in

        if self.month == "days":
            return who.death, who.death_day / days_in(who.death)
        last = who.death - (who.death_day < 15).cast("int64") if self.month == "15th day" else who.death
        return last, ibis.literal(1)


_A_HAIR = 1e-9  # shares of months do not add up to the last digit


def _named_as(term: str) -> str:
    return f"`enrollment: {{{term}: [NAME]}}` in the measurement"


def _several(
    column: str, covered: Mapping[str, int], paid: Mapping[str, tuple[int, int]], allowed: str, place: str
) -> Fault:
    """The refusal of several payers or sources: each with its spans of coverage, claim lines and dollars."""
    told = []
    for name in sorted({_folded(name) for name in (*covered, *paid)} - {""}):
        both = [both for other, both in paid.items() if _folded(other) == name]
        lines, cents = _count(sum(n for n, _ in both), "claim line"), sum(cents for _, cents in both)
        spans = _count(covered.get(name, 0), "span")
        told.append(f"{show(name)}: {spans} of coverage, {lines}, {in_dollars(cents / 100)}")
    more = f"; and {len(told) - MOST_NAMES:,} more" if len(told) > MOST_NAMES else ""
    given = "; ".join(told[:MOST_NAMES]) + more
    return Fault(f"claims, column {column}", given, allowed, f"name them, or all of them: {place}")


def by_value(claims: "Claims", column: str) -> dict[str, tuple[int, int]]:
    """The claim lines and cents of each value of a column."""
    found: dict[str, tuple[int, int]] = {}
    for row in _values(claims, column):
        if row["table"] in CLAIMS:
            lines, cents = found.get(row["value"], (0, 0))
            found[row["value"]] = lines + row["rows"], cents + row["cents"]
    return found


def _folded(name: str) -> str:
    return name.strip().lower()


def _plain(column: Any) -> Any:
    """A name as it is compared: nothing where it is empty."""
    return column.fill_null("").strip().lower()


def _is_among(column: Any, names: Sequence[str]) -> Any:
    """Whether a cell is one of the names, or empty."""
    value = _plain(column)
    return value.isin([_folded(name) for name in names]) | (value == "")


def _is_filled(column: Any) -> bool:
    from ..claims.engine import fetched

    (row,) = fetched((_plain(column) != "").any().name("filled").as_table())
    return bool(row["filled"])


def _values(claims: "Claims", column: str) -> list[dict[str, Any]]:
    """What a column holds in each table that has it: value, one spelling of it, rows, and the cents of claims."""
    import ibis

    from ..claims.engine import fetched

    parts = []
    for name in ("eligibility", *CLAIMS):
        table = getattr(claims, name)
        if column in table.columns:
            cents = (table.paid_amount * 100).round().cast("int64") if name in CLAIMS else ibis.literal(0, "int64")
            table = table.select(value=_plain(table[column]), shown=table[column], cents=cents)
            table = table.group_by("value").agg(
                shown=table.shown.max(), rows=table.count(), cents=table.cents.sum().fill_null(0).cast("int64")
            )
            parts.append(table.mutate(table=ibis.literal(name)))
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return sorted(fetched(rows), key=lambda row: (row["table"], row["value"]))


def _much(row: dict[str, Any]) -> str:
    """The rows of a value, and their dollars where they are claims."""
    if row["table"] == "eligibility":
        return f"{_count(row['rows'], 'span')} of coverage"
    return f"{_count(row['rows'], 'row')}, {in_dollars(row['cents'] / 100)} paid"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"
