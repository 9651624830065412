"""check: what is wrong with claims, all of it at once; what later steps leave out and why; and the rows that stay.

What a column or a row must hold is also a pandera schema for Ibis (`schema`), which a data team may run by itself.
`check` counts the same rules in one pass of the engine, since pandera 0.35 brings every row's verdict into memory once
a rule is broken; what no rule of one row can see (text that is no date, duplicates, unknown members, coverage) is an
Ibis expression each. Nothing comes into Python but counts and the first examples.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, reduce
from operator import or_
from typing import Any, NamedTuple

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandera.ibis as pa

from ..refusal import Fault, did_you_mean
from .layout import FAR, KEYS, REQUIRED, SCHEMAS, Claims, Given, typed
from .read import Source, look

LEFT_OUT, ONE_KEPT, AS_EMPTY, KEPT = "left out", "the last paid is kept", "read as empty", "kept as it is"
MOST_EXAMPLES = 3

DATE_OF = {"medical_claim": "claim_start_date", "pharmacy_claim": "dispensing_date", "outcome": "outcome_date"}
AMOUNTS = ("paid_amount", "allowed_amount")
OPEN_ENDED = ("enrollment_end_date", "end_date")  # none: still enrolled, still on the roster


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


class Kept(NamedTuple):
    """A table's rows and its paid amounts: all that were given, and those that later steps leave out."""

    table: str
    rows: int
    left_out: int
    paid: float
    paid_left_out: float


@dataclass(frozen=True)
class Report:
    """What was found, how much stays, and the claims without the rows that cannot be used."""

    findings: tuple[Finding, ...]
    tables: tuple[Kept, ...]
    kept: Claims

    @property
    def faults(self) -> list[Finding]:
        """The findings that someone must mend; the others are notes."""
        return [finding for finding in self.findings if finding.fault]

    @property
    def notes(self) -> list[Finding]:
        """What sound data may look like, and someone should know the reason of."""
        return [finding for finding in self.findings if not finding.fault]


class Rule(NamedTuple):
    """A rule of each row, told at one column; `holds` is where the rule is kept, or null where it says nothing."""

    column: str
    name: str
    holds: Callable[[ir.Table], ir.BooleanValue]
    do: str
    effect: str = KEPT
    fault: bool = True


def check(
    source: Claims | Source, *, today: date | None = None, on_step: Callable[[str], None] | None = None
) -> Report:
    """Every fault of claims, by table, column and rule, with its count and first examples, and the claims without them.

    `source` is what `read` takes, or claims already read; a folder's missing and unreadable files are findings too.
    `today` is the day after which a date is in the future. `on_step` is told what is being looked at.

    >>> from carecontracts.claims.read import from_frames
    >>> import pandas as pd
    >>> span = {"person_id": "a", "enrollment_start_date": "2026-01-01", "enrollment_end_date": "2026-12-31"}
    >>> line = {"claim_id": "1", "claim_line_number": 1, "claim_type": "professional", "person_id": "a",
    ...         "claim_start_date": "2026-03-02", "paid_amount": "eighty"}
    >>> claims = from_frames({"eligibility": pd.DataFrame([span]), "medical_claim": pd.DataFrame([line])})
    >>> for fault in check(claims, today=date(2026, 11, 1)).faults:
    ...     print(fault.column, "|", fault.rule, "|", fault.found, "|", fault.effect, "|", fault.examples)
    paid_amount | not a number | 1 | left out | ("claim 1 line 1: 'eighty'",)
    """
    today = today or date.today()
    step = on_step or (lambda _: None)
    claims, faults = (source, []) if isinstance(source, Claims) else look(source)
    findings = [_of_a_file(fault, f"{source}/") for fault in faults]
    do = "nothing, if it is not needed; a table's file has the table's name"
    findings += [Finding("", "", note, 1, 1, "not read", False, (), do) for note in claims.notes]
    unusable = {name for name in claims.given if set(REQUIRED[name]) - set(claims.given[name].rows.columns)}
    summary, kept = [], {}
    people: ir.Table | None = None
    for name, table in claims.tables().items():
        given = claims.given.get(name, Given(name, table))
        absent = name in unusable or (bool(claims.given or faults) and name not in claims.given)
        if absent:
            kept[name] = ibis.memtable([], schema=SCHEMAS[name])
            continue
        step(f"{name}: columns and rows")
        looked = _Table(name, given, today, people)
        findings += looked.findings(step)
        step(f"{name}: what stays")
        summary.append(looked.summary())
        kept[name] = looked.kept()
        if name == "eligibility":
            people = kept[name]
    return Report(tuple(findings), tuple(summary), replace(claims, **kept, given={}))


def _of_a_file(fault: Fault, folder: str) -> Finding:
    do = f"{fault.do} (allowed: {fault.allowed})"
    return Finding("", fault.where.removeprefix(folder), fault.given, 1, 1, "not read", True, (), do)


# --- the rules of a row -------------------------------------------------------------------------------------


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


def row_rules(name: str, columns: Iterable[str], today: date) -> list[Rule]:
    """What the rows of a table must hold in the columns that it has, beyond types and what may not be empty."""
    rules = []
    for column, dtype in SCHEMAS[name].items():
        if dtype.is_date():
            rules.append(Rule(column, "date before 1900", _at_least(column, date(1900, 1, 1)), "mend the date"))
        if dtype.is_date() and column not in OPEN_ENDED:
            effect = LEFT_OUT if column == DATE_OF.get(name) else KEPT
            rules.append(Rule(column, "date in the future", _at_most(column, today), "mend the date", effect))
        if dtype.is_floating():
            effect = LEFT_OUT if column == "paid_amount" else KEPT
            rules.append(Rule(column, "not a finite number", _finite(column), "write the amount", effect))
        if column in AMOUNTS:
            do = "net reversals into the claims they reverse; until then it counts as a negative amount"
            rules.append(Rule(column, "negative amount", _at_least(column, 0), do))
        if column in VALUES.get(name, {}):
            allowed = VALUES[name][column]
            rule = f"not one of {', '.join(allowed)}"
            rules.append(Rule(column, rule, _one_of(column, allowed), "write one of the values"))
        if column == "diagnosis_code_1":
            do = "write codes without dots, such as I5030"
            rules.append(Rule(column, "a dot in the code", _without(column, "."), do))
        if column in NPIS:
            rules.append(Rule(column, "not ten digits", _like(column, "^[0-9]{10}$"), "give the NPI", fault=False))
    for first, then, words, effect, fault in ORDERS.get(name, []):
        rules.append(Rule(then, words, _in_order(first, then), "swap or mend the dates", effect, fault))
    return [rule for rule in rules if rule.column in set(columns)]


Holds = Callable[[ir.Table], ir.BooleanValue]


def _at_least(column: str, least: Any) -> Holds:
    return lambda rows: rows[column] >= least


def _at_most(column: str, most: Any) -> Holds:
    return lambda rows: rows[column] <= most


def _finite(column: str) -> Holds:
    return lambda rows: ~(rows[column].isnan() | rows[column].isinf())


def _one_of(column: str, allowed: tuple[str, ...]) -> Holds:
    return lambda rows: rows[column].isin(allowed)


def _without(column: str, sign: str) -> Holds:
    return lambda rows: ~rows[column].contains(sign)


def _like(column: str, pattern: str) -> Holds:
    return lambda rows: rows[column].re_search(pattern)


def _in_order(first: str, then: str) -> Holds:
    return lambda rows: rows[first] <= rows[then]


def _anything(rows: ir.Table) -> ir.BooleanValue:
    return ibis.literal(True)


NPIS = ("rendering_npi", "billing_npi", "prescribing_provider_npi")
VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "eligibility": {
        "gender": ("female", "male", "unknown"),
        "payer_type": (
            "medicaid",
            "medicare",
            "commercial",
            "dual",
            "exchange",
            "self-insured",
            "self-pay",
            "other",
            "unknown",
        ),
    },
    "medical_claim": {
        "claim_type": ("institutional", "professional", "vision", "dental", "undetermined"),
        "diagnosis_code_type": ("icd-9-cm", "icd-10-cm"),
    },
}

# Two dates that must not be the wrong way round: the first, the other, the rule, what happens, whether it is a fault.
ORDERS = {
    "eligibility": [
        ("enrollment_start_date", "enrollment_end_date", "ends before it starts", LEFT_OUT, True),
        ("birth_date", "death_date", "dead before birth", KEPT, True),
        ("enrollment_start_date", "death_date", "enrolled after death", KEPT, False),
    ],
    "medical_claim": [
        ("claim_start_date", "claim_end_date", "ends before it starts", LEFT_OUT, True),
        ("claim_line_start_date", "claim_line_end_date", "ends before it starts", KEPT, True),
        ("admission_date", "discharge_date", "discharged before admission", KEPT, True),
        ("claim_start_date", "paid_date", "paid before it began", KEPT, False),
    ],
    "pharmacy_claim": [("dispensing_date", "paid_date", "paid before it was dispensed", KEPT, False)],
    "roster": [("start_date", "end_date", "ends before it starts", LEFT_OUT, True)],
}


# --- one table ----------------------------------------------------------------------------------------------


class _Table:
    """One table under inspection: its rows as read, where text allows it, beside what was written."""

    def __init__(self, name: str, given: Given, today: date, people: ir.Table | None) -> None:
        self.name, self.given, self.people = name, given, people
        rows = given.rows
        # Parsing yields null where text is no date or number; the text stays beside it, to compare the two.
        self.parsed = [
            column
            for column, dtype in SCHEMAS[name].items()
            if column in rows.columns and _is_parsed(rows[column].type(), dtype)
        ]
        written = {f"{column}__written": rows[column].cast("string") for column in self.parsed}
        self.rows = rows.select(**typed(rows, name, "try_cast"), **written)
        self.present = [column for column in SCHEMAS[name] if column in rows.columns]
        self.broken = dict(self._row_rules(today))  # (rule) -> where it is broken

    def _row_rules(self, today: date) -> Iterator[tuple[Rule, ir.BooleanValue]]:
        rows = self.rows
        for column in self.parsed:
            written = rows[f"{column}__written"]
            kind, do = ("number", "write numbers as 1250.50")
            if rows[column].type().is_date():
                kind, do = ("date", "write dates as 2026-01-31")
            elif not rows[column].type().is_floating():
                kind = "whole number"
            needed = column in REQUIRED[self.name]
            unread = written.notnull() & (written.strip() != "") & rows[column].isnull()
            effect = LEFT_OUT if needed else AS_EMPTY
            yield Rule(column, f"not a {kind}", _anything, do, effect), unread
        for column in REQUIRED[self.name]:
            value = rows[column]
            empty = value.isnull()
            if column in self.parsed:
                written = rows[f"{column}__written"]
                empty = written.isnull() | (written.strip() == "")
            elif value.type().is_string():
                empty |= value.strip() == ""
            if column not in OPEN_ENDED:
                do = "fill it in, or leave the row out of the file"
                yield Rule(column, "empty", _anything, do, LEFT_OUT), empty
        for rule in row_rules(self.name, self.present, today):
            yield rule, ~rule.holds(rows).fill_null(True)

    @property
    def unusable(self) -> ir.BooleanValue:
        """Whether a row breaks a rule that leaves it out."""
        wrong = [where for rule, where in self.broken.items() if rule.effect == LEFT_OUT]
        return reduce(or_, wrong, ibis.literal(False))

    def usable(self) -> ir.Table:
        return self.rows.filter(~self.unusable)

    def kept(self) -> ir.Table:
        """The rows that later steps use: usable, each key once, of people who are in eligibility."""
        rows = self.usable()
        if self.surplus:
            first = [c for c in ("paid_date", "paid_amount") if c in self.present]
            others = [c for c in self.present if c not in (*first, *KEYS[self.name])]
            order = [ibis.desc(column) for column in (*first, *others)]
            again = ibis.row_number().over(ibis.window(group_by=list(KEYS[self.name]), order_by=order))
            rows = rows.mutate(again=again).filter(lambda t: t.again == 0)
        if self.people is not None:
            rows = rows.semi_join(self.people, "person_id")
        return rows.select(*SCHEMAS[self.name])

    # --- what is found

    def findings(self, step: Callable[[str], None]) -> Iterator[Finding]:
        if self.given.junk:
            shown = tuple(f"{where}: {text.strip()[:60]!r}" for where, text in self.given.junk[:MOST_EXAMPLES])
            do, count = "mend the lines: the header's number of cells, in UTF-8", len(self.given.junk)
            yield Finding(self.name, "", "a line that is no row", count, self.total + count, LEFT_OUT, True, shown, do)
        for column in self.present:
            if column.endswith("_code") or "_code_" in column:
                own = self.given.rows[column].type()
                if own.is_numeric() and self.total:
                    do = "write codes as text: 0450 is not 450"
                    rule = "numbers where codes are text"
                    yield self._finding(column, rule, self.total, "read as text", (str(own),), do)
        unread = [column for column in self.given.rows.columns if column not in SCHEMAS[self.name]]
        if unread:
            absent = [column for column in SCHEMAS[self.name] if column not in self.present]
            hints = [hint for column in unread if (hint := did_you_mean(column, absent))]
            shown = tuple(unread)  # each by its name: nothing else will speak of it
            do = "".join(hints).strip() or "nothing, if they are not needed"
            rule = "columns that are not of the layout"
            yield Finding(self.name, "", rule, len(unread), len(self.given.rows.columns), "not read", False, shown, do)
        if not self.total:
            yield Finding(self.name, "", "no rows", 0, 0, KEPT, True, (), "check that the file was written to its end")
            return
        yield from self._broken_rules()
        step(f"{self.name}: duplicates")
        yield from self._duplicates()
        if self.people is not None:
            step(f"{self.name}: members and coverage")
            yield from self._strangers(self.people)
            yield from self._outside(self.people)
        yield from self._contradictions()

    @property
    def total(self) -> int:
        return int(self._counts["rows"])

    @cached_property
    def _counts(self) -> dict[str, Any]:
        counted = {f"rule_{n}": where.cast("int64").sum() for n, where in enumerate(self.broken.values())}
        return _first(self.rows.aggregate(rows=self.rows.count(), **counted))

    @cached_property
    def surplus(self) -> int:
        """How many usable rows share their key with another one."""
        return int(_first(self._repeated.aggregate(n=(self._repeated.times - 1).sum()))["n"] or 0)

    @cached_property
    def _repeated(self) -> ir.Table:
        groups = self.usable().group_by(list(KEYS[self.name])).agg(times=lambda t: t.count())
        return groups.filter(groups.times > 1).order_by(*KEYS[self.name])

    def _broken_rules(self) -> Iterator[Finding]:
        for n, (rule, where) in enumerate(self.broken.items()):
            count = self._counts[f"rule_{n}"] or 0
            if count:
                shown = self._examples(self.rows.filter(where), rule.column)
                yield self._finding(rule.column, rule.name, count, rule.effect, shown, rule.do, rule.fault)

    def _finding(
        self, column: str, rule: str, count: int, effect: str, shown: tuple[str, ...], do: str, fault: bool = True
    ) -> Finding:
        return Finding(self.name, column, rule, count, self.total, effect, fault, shown, do)

    def _duplicates(self) -> Iterator[Finding]:
        if self.surplus:
            key, do = KEYS[self.name], "give each row once: the last version of a claim, not its history"
            shown = self._examples(self._repeated, "")
            yield self._finding(key[0], f"the same {_words(key)} again", self.surplus, ONE_KEPT, shown, do)

    def _strangers(self, people: ir.Table) -> Iterator[Finding]:
        strangers = self.usable().anti_join(people, "person_id")
        count = _first(strangers.aggregate(n=strangers.count()))["n"]
        if count:
            shown = self._examples(strangers, "person_id")
            do = "send the member's enrollment, or take the rows out on both sides"
            yield self._finding("person_id", "a member who is not in eligibility", count, LEFT_OUT, shown, do)

    def _outside(self, people: ir.Table) -> Iterator[Finding]:
        if self.name not in ("medical_claim", "pharmacy_claim"):
            return
        column = DATE_OF[self.name]
        spans = people.select(
            "person_id", starts="enrollment_start_date", ends=people.enrollment_end_date.fill_null(FAR)
        )
        rows = self.usable().semi_join(people, "person_id")
        covered = [rows.person_id == spans.person_id, rows[column] >= spans.starts, rows[column] <= spans.ends]
        outside = rows.anti_join(spans, covered)
        count = _first(outside.aggregate(n=outside.count()))["n"]
        if count:
            do = "agree whether such claims count: a contract's `begun` says it; by default, those of a covered month"
            shown = self._examples(outside, column)
            yield self._finding(column, "on a day without coverage", count, KEPT, shown, do, fault=False)

    def _contradictions(self) -> Iterator[Finding]:
        if self.name == "eligibility":
            for column in ("birth_date", "death_date", "gender", "race"):
                yield from self._one_each("person_id", column, "the last in order is used")
        if self.name == "medical_claim":
            yield from self._one_each("claim_id", "person_id", KEPT, fault=True)

    def _one_each(self, of: str, column: str, effect: str, fault: bool = False) -> Iterator[Finding]:
        if column not in self.present:
            return
        groups = self.usable().group_by(of).agg(values=lambda t: t[column].nunique()).filter(lambda t: t["values"] > 1)
        count = _first(groups.aggregate(n=groups.count()))["n"]
        if count:
            shown = tuple(str(row[of]) for row in groups.limit(MOST_EXAMPLES).to_pyarrow().to_pylist())
            rule = f"more than one {column} for a {of}"
            yield self._finding(column, rule, count, effect, shown, "agree on one", fault)

    def _examples(self, rows: ir.Table, column: str) -> tuple[str, ...]:
        """The first rows, told by what identifies them and by what the column says there."""
        named = [c for c in ("claim_id", "claim_line_number", "person_id", "outcome") if c in rows.columns]
        named = [c for c in named if c != "person_id" or "claim_id" not in named]
        told = f"{column}__written" if f"{column}__written" in rows.columns else column
        wanted = list(dict.fromkeys([*named, *([told] if told else [])]))
        shown = {c: rows[c].cast("string") if rows[c].type().is_date() else rows[c] for c in wanted}  # any year prints
        found = rows.select(**shown).limit(MOST_EXAMPLES).to_pyarrow().to_pylist()
        return tuple(_example(row, told) for row in found)

    def summary(self) -> Kept:
        kept = self.kept()
        paid = "paid_amount" in SCHEMAS[self.name]

        def amount(table: ir.Table) -> ir.Value:
            return table.paid_amount.sum(where=~table.paid_amount.isnan()).fill_null(0) if paid else ibis.literal(0.0)

        before = _first(self.rows.aggregate(n=self.rows.count(), paid=amount(self.rows)))
        after = _first(kept.aggregate(n=kept.count(), paid=amount(kept)))
        left_out = before["n"] - after["n"] + len(self.given.junk)
        return Kept(
            self.name, before["n"] + len(self.given.junk), left_out, before["paid"], before["paid"] - after["paid"]
        )


def _is_parsed(own: dt.DataType, dtype: dt.DataType) -> bool:
    """Whether a cell of the column's own type may be none of the layout's."""
    if own.is_string():
        return not dtype.is_string()
    return own.is_floating() and not dtype.is_floating()


def _first(table: ir.Table) -> dict[str, Any]:
    row: dict[str, Any] = table.to_pyarrow().to_pylist()[0]
    return row


def _example(row: dict[str, Any], told: str) -> str:
    names = {"claim_id": "claim", "claim_line_number": "line", "person_id": "person", "outcome": ""}
    place = " ".join(f"{names[c]} {row[c]}".strip() for c in names if c in row and c != told)
    value = row.get(told)
    if not told:
        return place
    shown = repr(value) if isinstance(value, str) else str(value)
    return f"{place}: {shown}" if place else shown


def _words(key: tuple[str, ...]) -> str:
    return ", ".join(key[:-1]) + f" and {key[-1]}"
