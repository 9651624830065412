"""check: what is wrong with claims, all of it at once; what later steps leave out and why; and the rows that stay.

What a column or a row must hold is also a pandera schema for Ibis (`schema`), which a data team may run by itself.
`check` counts the same rules in one pass of the engine, since pandera 0.35 brings every row's verdict into memory once
a rule is broken; what no rule of one row can see (text that is no date, duplicates, unknown members, coverage) is an
Ibis expression each. Nothing comes into Python but counts and the first examples.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import pandera.ibis as pa

from ..refusal import Fault, in_dollars, many
from .codes import CODES
from .engine import fetched
from .layout import FAR, KEYS, REQUIRED, SCHEMAS, Claims, Given
from .read import Source, look
from .rules import AMOUNTS, KEPT, OPEN_ENDED, REFUSED, SPELLED, Rule, row_rules
from .used import CLAIMS, Using, meant, unread_columns, using

MOST_EXAMPLES = 3
# What two claims of one thing have alike, whatever their numbers.
ALIKE = {
    "medical_claim": (
        "person_id", "claim_type", "claim_start_date", "claim_end_date", "claim_line_start_date", "bill_type_code",
        "revenue_center_code", "hcpcs_code", "hcpcs_modifier_1", "hcpcs_modifier_2", "drg_code", "diagnosis_code_1",
        "billing_npi", "rendering_npi", "facility_npi", "payer", "service_unit_quantity", "paid_amount",
    ),
    "pharmacy_claim": (
        "person_id", "dispensing_date", "ndc_code", "quantity", "days_supply", "dispensing_provider_npi", "payer",
        "paid_amount",
    ),
}  # fmt: skip
DATE_OF = {"medical_claim": "claim_start_date", "pharmacy_claim": "dispensing_date"}


class Finding(NamedTuple):
    """One rule that rows of a table break: how many of how many, what later steps do with them, the first of them."""

    table: str
    column: str
    rule: str
    found: int
    rows: int
    effect: str
    fault: bool  # False: a note; sound data can look so, but someone should know why
    examples: tuple[str, ...]
    do: str
    dollars: float = 0.0  # paid, of the rows found


class Kept(NamedTuple):
    """A table's rows and its paid amounts: all that were given, and those that later steps leave out."""

    table: str
    rows: int
    left_out: int
    paid: float
    paid_left_out: float


@dataclass(frozen=True)
class Report:
    """What was found, how much is used, and the rows that are: what `read` gives, or would once nothing is refused."""

    findings: tuple[Finding, ...]
    tables: tuple[Kept, ...]
    kept: Claims

    @property
    def faults(self) -> list[Finding]:
        """The findings that someone must mend; the others are notes."""
        return [finding for finding in self.findings if finding.fault]

    @property
    def refused(self) -> bool:
        """Whether `read` refuses these claims, and so every step after it."""
        return any(finding.effect == REFUSED for finding in self.findings)

    @property
    def notes(self) -> list[Finding]:
        """What sound data may look like, and someone should know the reason of."""
        return [finding for finding in self.findings if not finding.fault]


def check(
    source: Claims | Source, *, today: date | None = None, on_step: Callable[[str], None] | None = None
) -> Report:
    """Every fault of claims, by table, column and rule, with its count and first examples, and the claims without them.

    `source` is what `read` takes, or claims already read; a folder's missing and unreadable files are findings too.
    `today` is the day after which a date is in the future. `on_step` is told what is being looked at.

    >>> from carecontracts.claims.read import held
    >>> import pandas as pd
    >>> span = {"person_id": "a", "enrollment_start_date": "2026-01-01", "enrollment_end_date": "2026-12-31"}
    >>> line = {"claim_id": "1", "claim_line_number": 1, "claim_type": "professional", "person_id": "a",
    ...         "claim_start_date": "2026-03-02", "paid_amount": "eighty"}
    >>> tables = held({"eligibility": pd.DataFrame([span]), "medical_claim": pd.DataFrame([line])})
    >>> for fault in check(tables, today=date(2026, 11, 1)).faults:
    ...     print(fault.column, "|", fault.rule, "|", fault.found, "|", fault.effect, "|", fault.examples)
    paid_amount | not a number | 1 | refused until mended | ("claim 1 line 1: 'eighty'",)
    """
    today = today or date.today()
    step = on_step or (lambda _: None)
    given, notes, faults = (_written(source), (), ()) if isinstance(source, Claims) else look(source)
    findings = [_of_a_file(fault, f"{source}/") for fault in faults]
    do = "nothing, if it is not needed; a table's file has the table's name"
    findings += [Finding("", "", note, 1, 1, "not read", False, (), do) for note in notes]
    summary, kept, people = [], {}, None
    for table in using(given):
        step(f"{table.name}: columns and rows")
        looked = _Table(table, today, people)
        findings += looked.findings(step)
        if set(REQUIRED[table.name]) <= set(table.present):
            summary.append(looked.summary())
            kept[table.name] = table.used
        if table.name == "eligibility" and table.name in kept:
            people = table.used
    kept |= {name: ibis.memtable([], schema=schema) for name, schema in SCHEMAS.items() if name not in kept}
    return Report(tuple(findings), tuple(summary), Claims(**kept))


def _written(claims: Claims) -> dict[str, Given]:
    return dict(claims.given) or {name: Given(name, table) for name, table in claims.tables().items()}


def _of_a_file(fault: Fault, folder: str) -> Finding:
    do = f"{fault.do} (allowed: {fault.allowed})"
    return Finding("", fault.where.removeprefix(folder), fault.given, 1, 1, REFUSED, True, (), do)


# --- as a pandera schema ----------------------------------------------------------------------------------------------


def schema(name: str, today: date | None = None) -> pa.DataFrameSchema:
    """A table's layout and rules as a pandera schema, to run on an Ibis table by itself.

    >>> schema("roster").columns["person_id"].required, schema("roster").columns["end_date"].nullable
    (True, True)
    """
    columns = {
        column: pa.Column(
            dtype,
            nullable=column not in REQUIRED[name] or column in OPEN_ENDED,
            required=column in REQUIRED[name],
        )
        for column, dtype in SCHEMAS[name].items()
    }
    rules = row_rules(name, SCHEMAS[name], today or date.today())
    checks = [_as_pandera(rule) for rule in rules]
    return pa.DataFrameSchema(columns, checks, name=name)


def _as_pandera(rule: Rule) -> pa.Check:
    return pa.Check(lambda data: rule.holds(data.table).fill_null(True), name=f"{rule.column}: {rule.name}")


# --- one table ----------------------------------------------------------------------------------------------


class _Table:
    """One table under inspection: what becomes of its rows, and what else is wrong or worth a word."""

    def __init__(self, table: Using, today: date, people: ir.Table | None) -> None:
        self.table, self.name, self.given, self.people = table, table.name, table.given, people
        self.present, self.rows, self.total = table.present, table.typed, table.counts["rows"]
        told = [rule for rule in row_rules(self.name, self.present, today) if rule.effect == KEPT]
        spelled = self.rows.mutate(**table.spelled)
        # With each rule, the rows in which it is looked for and where it is broken.
        self.broken = [(rule, spelled, ~rule.holds(spelled).fill_null(True)) for rule in told]
        for column in AMOUNTS:
            if column in self.present:
                do = "give the row that it reverses; until then it counts as a negative amount"
                rule = Rule(column, "negative amount", lambda rows: ibis.literal(True), do)
                self.broken.append((rule, table.used, (table.used[column] < 0).fill_null(False)))

    def findings(self, step: Callable[[str], None]) -> Iterator[Finding]:
        if self.given.junk:
            shown = tuple(f"{where}: {text.strip()[:60]!r}" for where, text in self.given.junk[:MOST_EXAMPLES])
            do, count = "mend the lines: the header's number of cells, in UTF-8", len(self.given.junk)
            yield Finding(self.name, "", "a line that is no row", count, self.total + count, REFUSED, True, shown, do)
        yield from self._columns()
        if not self.total:
            yield Finding(self.name, "", "no rows", 0, 0, KEPT, True, (), "check that the file was written to its end")
            return
        for rule, count, where in self.table.refused:
            shown = self._examples(where, rule.column)
            yield self._finding(rule.column, rule.name, count, rule.effect, shown, rule.do)
        yield from self._spelled()
        yield from self._broken_rules()
        step(f"{self.name}: what is used")
        _ = self.table.used
        for rule, count, dollars, _, where in self.table.found:
            shown = self._examples(where, rule.column)
            yield self._finding(rule.column, rule.name, count, rule.effect, shown, rule.do, rule.fault, dollars)
        if not set(REQUIRED[self.name]) <= set(self.present):
            return
        if self.people is not None:
            step(f"{self.name}: members and coverage")
            yield from self._outside(self.people)
        yield from self._payers()
        yield from self._contradictions()

    def _columns(self) -> Iterator[Finding]:
        for column in self.present:
            own = self.given.rows[column].type()
            code = column.endswith("_code") or "_code_" in column
            if code and own.is_numeric() and self.total and column not in CODES:
                do = "write codes as text"
                yield self._finding(column, "numbers where codes are text", self.total, "read as text", (str(own),), do)
        if unread := unread_columns(self.table):
            do = "".join(meant(self.table, column) for column in unread).strip() or "nothing, if they are not needed"
            rule, of = "columns that are not of the layout", len(self.given.rows.columns)
            yield Finding(
                self.name,
                "",
                rule,
                len(unread),
                of,
                "not read",
                False,
                tuple(f"column {column}" for column in unread),
                do,
            )

    def _spelled(self) -> Iterator[Finding]:
        """Codes that are read in another spelling than they are written in."""
        for column in CODES:
            if column in self.table.spelled:
                where = self.rows.filter(self.rows[column] != self.table.spelled[column])
                count = _first(where.aggregate(n=where.count()))["n"]
                if count:
                    shown = self._examples(where, column)
                    do = f"nothing; the standard has {CODES[column].words}"
                    yield self._finding(column, "another spelling of the code", count, SPELLED, shown, do, False)

    def _broken_rules(self) -> Iterator[Finding]:
        """Rules that take nothing out; those of the same rows are counted in one pass."""
        counts: dict[int, int] = {}
        for rows in {id(rows): rows for _, rows, _ in self.broken}.values():
            asked = {
                f"rule_{n}": where.cast("int64").sum() for n, (_, of, where) in enumerate(self.broken) if of is rows
            }
            counts |= {int(name[5:]): count or 0 for name, count in _first(rows.aggregate(**asked)).items()}
        for n, (rule, rows, where) in enumerate(self.broken):
            if counts[n]:
                shown = self._examples(rows.filter(where), rule.column)
                yield self._finding(rule.column, rule.name, counts[n], rule.effect, shown, rule.do, rule.fault)

    def _finding(
        self,
        column: str,
        rule: str,
        count: int,
        effect: str,
        shown: tuple[str, ...],
        do: str,
        fault: bool = True,
        dollars: float = 0.0,
    ) -> Finding:
        return Finding(self.name, column, rule, count, self.total, effect, fault, shown, do, dollars)

    def _outside(self, people: ir.Table) -> Iterator[Finding]:
        if self.name not in ("medical_claim", "pharmacy_claim"):
            return
        column = DATE_OF[self.name]
        spans = people.select(
            "person_id", starts="enrollment_start_date", ends=people.enrollment_end_date.fill_null(FAR)
        )
        rows = self.table.used
        covered = [rows.person_id == spans.person_id, rows[column] >= spans.starts, rows[column] <= spans.ends]
        outside = rows.anti_join(spans, covered)
        found = _first(outside.aggregate(n=outside.count(), dollars=_paid(outside)))
        count = found["n"]
        if count:
            do = "agree whether such claims count: a contract's `begun` says it; by default, those of a covered month"
            shown = self._examples(outside, column)
            yield self._finding(
                column, "on a day without coverage", count, KEPT, shown, do, False, found["dollars"] or 0
            )

    def _payers(self) -> Iterator[Finding]:
        """The payers of a table that holds several, each with its rows and dollars; or its sources, if none says its
        payer.
        """
        if "payer" not in SCHEMAS[self.name]:
            return
        used, of_claims = self.table.used, self.name in CLAIMS
        paid = _paid(used).fill_null(0) if of_claims else ibis.literal(0.0)
        for column, rule in (("payer", "several payers"), ("data_source", "several sources, and no payer")):
            if column not in self.present:
                continue
            by = used.group_by(whose=used[column].strip().lower()).agg(rows=used.count(), paid=paid)
            found = fetched(by.filter(by.whose.notnull(), by.whose != "").order_by("whose"))
            if len(found) > 1:
                shown = tuple(
                    f"{row['whose']!r}: {many(row['rows'], 'row')}"
                    + (f", {in_dollars(row['paid'])}" if of_claims else "")
                    for row in found[:MOST_EXAMPLES]
                )
                count, dollars = sum(row["rows"] for row in found), sum(row["paid"] for row in found)
                do = f"name in a contract whose coverage and claims count: `{column}s` of `enrollment`"
                yield self._finding(column, rule, count, KEPT, shown, do, False, dollars)
            if found:
                return

    def _contradictions(self) -> Iterator[Finding]:
        if self.name == "eligibility":
            for column in ("birth_date", "death_date", "gender", "race"):
                yield from self._one_each("person_id", column, "the last in order is used")
        if self.name in ("eligibility", "roster"):
            yield from self._unlike()
        if self.name == "medical_claim":
            yield from self._one_each("claim_id", "person_id", KEPT, fault=True)
        if self.name in ALIKE:
            yield from self._alike()

    def _alike(self) -> Iterator[Finding]:
        """Payments for one thing under several claims' numbers: two services of a day, or one that was given again."""
        key, used = [column for column in ALIKE[self.name] if column in self.present], self.table.used
        paid = used.filter(used.paid_amount > 0)
        alike = paid.group_by(*key).agg(first=paid.claim_id.min(), last=paid.claim_id.max(), rows=paid.count())
        alike = alike.filter(alike.first != alike["last"])
        found = _first(alike.aggregate(n=alike.rows.sum(), dollars=(alike.paid_amount * alike.rows).sum()))
        if found["n"]:
            shown = fetched(alike.select("first", "last", "paid_amount").order_by("first").limit(MOST_EXAMPLES))
            told = tuple(f"claims {row['first']} and {row['last']}: {row['paid_amount']}" for row in shown)
            do = "if one is the other, given again or replaced under a new number, give the last alone"
            rule = "alike in all but the claim's number"
            yield self._finding("claim_id", rule, found["n"], KEPT, told, do, False, found["dollars"])

    def _unlike(self) -> Iterator[Finding]:
        """Rows of one key that are not equal: months, and times on a list, count once whatever they say."""
        key = [c for c in KEYS[self.name] if c in self.present]
        used = self.table.used
        again = used.group_by(*key).agg(again=used.count() - 1).filter(lambda t: t.again > 0)
        count = _first(again.aggregate(n=again.again.sum()))["n"]
        if count:
            do = "agree on one: a month of coverage counts once, with the largest of the values"
            rule = f"the same {', '.join(key)} again, with other values"
            yield self._finding("person_id", rule, count, KEPT, self._examples(again, ""), do)

    def _one_each(self, of: str, column: str, effect: str, fault: bool = False) -> Iterator[Finding]:
        if column not in self.present:
            return
        groups = (
            self.table.used.group_by(of).agg(values=lambda t: t[column].nunique()).filter(lambda t: t["values"] > 1)
        )
        count = _first(groups.aggregate(n=groups.count()))["n"]
        if count:
            shown = tuple(str(row[of]) for row in fetched(groups.order_by(of).limit(MOST_EXAMPLES)))
            rule = f"more than one {column} for a {of}"
            yield self._finding(column, rule, count, effect, shown, "agree on one", fault)

    def _examples(self, rows: ir.Table, column: str) -> tuple[str, ...]:
        """The first rows, told by what identifies them and by what the column says there."""
        named = [c for c in ("claim_id", "claim_line_number", "person_id", "outcome") if c in rows.columns]
        named = [c for c in named if c != "person_id" or "claim_id" not in named]
        told = f"{column}__written" if f"{column}__written" in rows.columns else column
        wanted = list(dict.fromkeys([*named, *([told] if told else [])]))
        shown = {c: rows[c].cast("string") if rows[c].type().is_date() else rows[c] for c in wanted}  # any year prints
        found = fetched(rows.select(**shown).order_by(*shown).limit(MOST_EXAMPLES))
        return tuple(_example(row, told) for row in found)

    def summary(self) -> Kept:
        used, paid = self.table.used, self.name in CLAIMS
        amount = _paid(used) if paid else ibis.literal(0.0)
        after = _first(used.aggregate(n=used.count(), paid=amount))
        rows, before = self.total + len(self.given.junk), self.table.counts.get("paid", 0) / 100
        return Kept(self.name, rows, rows - after["n"], before, before - (after["paid"] or 0))


def _first(table: ir.Table) -> dict[str, Any]:
    return fetched(table)[0]


def _example(row: dict[str, Any], told: str) -> str:
    names = {"claim_id": "claim", "claim_line_number": "line", "person_id": "person", "outcome": ""}
    place = " ".join(f"{names[c]} {row[c]}".strip() for c in names if row.get(c) is not None and c != told)
    value = row.get(told)
    if not told:
        return place
    shown = repr(value) if isinstance(value, str) else "nothing" if value is None else str(value)
    return f"{place}: {shown}" if place else shown


def _paid(table: ir.Table) -> ir.Value:
    """The dollars of a table; what is no number adds none."""
    amount = table.paid_amount
    return amount.sum(where=amount.between(-1e300, 1e300))  # engines put what is no number above all that are
