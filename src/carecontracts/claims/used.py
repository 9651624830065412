"""Which rows of the tables are used, and what becomes of the others: read by `check`, which announces it, and by all.

A table's rows go through these rules in turn; each row that one takes out is counted there, with its money.

1. Refused until mended: a cell that is no date or number where its column holds one; a number that is not finite or
   beyond 10,000,000,000,000. Nothing is read while there is one.
2. Left out: a row without what its table needs (a claim line's number, its person, its first day), and one that ends
   before it starts.
3. Bills of frequency 7 (the last sign of the type of bill: replaces an earlier one; F to Q do too, by the payer's own
   doing) and 8 (voids one), linked by
   person, payer, source, dates of service, billing NPI where both have one, and in hospital bills the first two signs
   of the type of bill. In professional claims the column may hold place of service and frequency, as 117.
   A 7 takes out the bill it replaces, and earlier 7s; an 8 itself and the bill it voids: of several, the one of its
   amount. A 7 stands if the 8 was not paid after it. An 8 with a negative amount takes both out where they add up to
   nothing, and else counts as the negative amount that it is. Where it is not clear which of several bills is meant,
   all are kept, but for an 8 with a positive amount, which is no payment.
4. A line of a claim given again, equal in every column: once. So of 100, -100 and again 100, alike in every column,
   nothing is left: what was paid twice differs in its date of payment.
5. Rows of one line of one person's claim, with amounts of both signs: an original, its reversal, a replacement. They
   net into one row: the amounts added up, everything else of the last paid that is no reversal. A reversal's other
   amounts count below zero too, however they are written. What nets to nothing was voided, and is no row.
6. Rows of one line, none a reversal, that differ: nobody can say whether a later one replaces or adds. The last paid is
   used.
7. Of a person who is not in eligibility: left out.

Of the other tables, rows that are given again are used once, and people who are not in eligibility are left out.

Not modelled:
- adjustments in professional claims that do not give their frequency: but for amounts and repeated lines nothing tells
  them from other claims of the day
- what a claim was worth on an earlier day: a line that was reversed and replaced is paid on its last day
"""

from collections.abc import Iterator, Mapping
from functools import cached_property, reduce
from operator import or_
from typing import Any, NamedTuple

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from ..refusal import Fault, Refusal, did_you_mean, in_dollars, show
from .codes import CODES, together
from .engine import blaming, fetched, kept, named
from .layout import KEYS, REQUIRED, SCHEMAS, Claims, Given, Taken, typed
from .rules import (
    BEYOND,
    KEPT,
    LAST_KEPT,
    LEFT_OUT,
    NETTED,
    ONCE,
    OPEN_ENDED,
    ORDERS,
    REFUSED,
    Rule,
    in_order,
    within,
)

MONEY = (
    "paid_amount", "allowed_amount", "charge_amount", "coinsurance_amount", "copayment_amount", "deductible_amount",
    "total_cost_amount",
)  # fmt: skip
CLAIMS = ("medical_claim", "pharmacy_claim")


class Found(NamedTuple):
    """What a rule found: the rows concerned and their dollars, those it took out, and where they can be seen."""

    rule: Rule
    rows: int
    dollars: float
    taken: Taken | None  # none: the rule takes nothing out
    where: ir.Table


class Using:
    """One table on its way from what was given to what is used."""

    def __init__(self, name: str, given: Given, people: ir.Table | None = None) -> None:
        self.name, self.given, self.people = name, given, people
        rows = given.rows
        self.present = [column for column in SCHEMAS[name] if column in rows.columns]
        # Parsing yields null where text is no date or number; the text stays beside it, to compare the two.
        self.parsed = [c for c in self.present if _is_parsed(rows[c].type(), SCHEMAS[name][c])]
        written = {f"{column}__written": rows[column].cast("string") for column in self.parsed}
        read_as = typed(rows, name)
        self.typed = rows.select(**{column: read_as[column] for column in self.present}, **written)
        self.found: list[Found] = []

    # --- one look at every row

    @cached_property
    def counts(self) -> dict[str, Any]:
        """How many rows there are, their cents, and how many of them a rule or a spelling concerns: one pass."""
        rows = self.typed
        asked: dict[str, ir.Value] = {"rows": rows.count()}
        if self.name in CLAIMS:
            asked |= {c[:-7]: _cents(rows, c).sum() for c in ("paid_amount", "allowed_amount") if c in self.present}
        asked |= {f"refused_{n}": _times(where) for n, (_, where) in enumerate(self._refusing)}
        asked["unusable"] = _times(reduce(or_, (where for _, where in self._leaving_out)))
        asked |= {f"odd_{c}": _times(CODES[c].odd(rows[c]) & (rows[c] != "")) for c in CODES if c in self.present}
        if "bill_type_code" in self.present:
            asked["adjusting"] = _times(_adjusts(rows.bill_type_code))
        place = self.given.place
        with blaming(place, "cells as the layout says", "mend the file; `carecontracts claims check` lists them"):
            (found,) = fetched(rows.aggregate(**asked))
        return {name: int(value or 0) for name, value in found.items()}

    @cached_property
    def _refusing(self) -> list[tuple[Rule, ir.BooleanValue]]:
        rows, rules = self.typed, []
        for column in self.present:
            value = rows[column]
            if column in self.parsed:
                written = rows[f"{column}__written"]
                kind, do = ("number", "write numbers as 1250.50")
                if value.type().is_date():
                    kind, do = ("date", "write dates as 2026-01-31")
                elif not value.type().is_floating():
                    kind, do = ("whole number", "write whole numbers, or text")
                unread = written.notnull() & (written.strip() != "") & value.isnull()
                rules.append((Rule(column, f"not a {kind}", _anything, do, REFUSED), unread))
            if value.type().is_floating():
                rules.append((Rule(column, BEYOND, within(column), "write the amount", REFUSED), ~within(column)(rows)))
            if value.type().is_date():
                beyond = ~value.between(ibis.date(1, 1, 1), ibis.date(9999, 12, 31))
                do = "mend the date, or leave it empty where it is open"
                rules.append((Rule(column, "a year beyond 9999", _anything, do, REFUSED), beyond))
        return rules

    @cached_property
    def _leaving_out(self) -> list[tuple[Rule, ir.BooleanValue]]:
        rows, rules = self.typed, []
        for column in REQUIRED[self.name]:
            if column in self.present and column not in OPEN_ENDED:
                value = rows[column]
                empty = value.isnull()
                if column in self.parsed:
                    written = rows[f"{column}__written"]
                    empty = written.isnull() | (written.strip() == "")
                elif value.type().is_string():
                    empty |= value.strip() == ""
                do = "fill it in, or leave the row out of the file"
                rules.append((Rule(column, "empty", _anything, do, LEFT_OUT), empty))
        for first, then, words, effect, _ in ORDERS.get(self.name, []):
            if effect == LEFT_OUT and {first, then} <= set(self.present):
                rule = Rule(then, words, in_order(first, then), "swap or mend the dates", LEFT_OUT)
                rules.append((rule, ~in_order(first, then)(rows).fill_null(True)))
        return rules or [(Rule("", "", _anything, ""), ibis.literal(False))]

    @property
    def refused(self) -> list[tuple[Rule, int, ir.Table]]:
        """The rules that no reader lets pass, where broken: how many rows, and which."""
        rules = enumerate(self._refusing)
        return [
            (rule, self.counts[f"refused_{n}"], self.typed.filter(where.fill_null(False)))
            for n, (rule, where) in rules
            if self.counts[f"refused_{n}"]
        ]

    def faults(self) -> Iterator[Fault]:
        """What no reader lets pass, a column at a time: how many cells, and the first, with its row."""
        for rule, count, where in self.refused:
            key = [c for c in ("claim_id", "claim_line_number", "person_id") if c in self.present and c != rule.column]
            told = f"{rule.column}__written" if rule.column in self.parsed else rule.column
            first = fetched(where.select(**{c: where[c].cast("string") for c in (*key, told)}).limit(1))[0]
            row = ", ".join(f"{c} {first[c]}" for c in key[:2])
            more = f" and {count - 1:,} more" if count > 1 else ""
            dtype = SCHEMAS[self.name][rule.column]
            allowed = "dates as 2026-01-31" if dtype.is_date() else "numbers as 1250.50"
            allowed = "whole numbers, or text" if dtype.is_string() else allowed
            do = "mend them; `carecontracts claims check` lists them"
            yield Fault(f"{self.given.place}, {row}, column {rule.column}", f"{show(first[told])}{more}", allowed, do)
        for where_, line in self.given.junk:
            yield Fault(
                f"{self.given.place}: {where_}",
                show(line.strip()),
                "a row as the header says, in UTF-8",
                "mend the line",
            )

    # --- what stays

    @cached_property
    def spelled(self) -> dict[str, ir.Value]:
        """The columns of codes that are read in another spelling than they are written in."""
        rows = self.typed
        return {
            each: CODES[column].read(rows[each])
            for column in CODES
            if self.counts.get(f"odd_{column}")
            for each in together(column)
            if each in self.present
        }

    @cached_property
    def used(self) -> ir.Table:
        """The rows that are used; what became of the others is in `found`."""
        # What is asked of a row is asked of it as it was read, before a code is spelled otherwise.
        more = dict(self.spelled)
        if self.refused:
            more["refused_"] = reduce(or_, (where.fill_null(False) for _, where in self._refusing))
        if self.counts["unusable"]:
            more["broken_"] = ibis.cases(*((where, n) for n, (_, where) in enumerate(self._leaving_out)), else_=-1)
        rows = self.typed.mutate(**more) if more else self.typed
        if self.refused:
            rows = rows.filter(~rows.refused_)
        if self.counts["unusable"]:
            for n, (rule, _) in enumerate(self._leaving_out):  # a row that breaks several is told at the first of them
                here = rows.filter(rows.broken_ == n)
                self._tell(rule, self._sums(here), here, "unusable")
            rows = rows.filter(rows.broken_ == -1)
        absent = {c: ibis.null(dtype) for c, dtype in SCHEMAS[self.name].items() if c not in self.present}
        rows = given = named(rows.mutate(**absent).select(*SCHEMAS[self.name]))
        if set(REQUIRED[self.name]) <= set(self.present):
            if self.counts.get("adjusting") or "bill_type_code" in self.spelled:
                rows = self._bills(rows)
            rows = self._versions(rows) if self.name in CLAIMS else self._once(rows)
        if self.people is not None and "person_id" in self.present:
            rows = self._known(rows, self.people)
        return rows if rows is given else named(rows)

    def _tell(self, rule: Rule, found: dict[str, int], where: ir.Table, why: str = "", **stays: int) -> bool:
        """Writes what a rule found in the rows of a table; those that it takes out, but for what `stays`, by reason."""
        if not found["rows"]:
            return False
        taken = None
        if why:
            words = f"{rule.column}: {rule.name}" if rule.column else rule.name
            out = {part: found[part] - stays.get(part, 0) for part in ("rows", "paid", "allowed")}
            taken = Taken(self.name, why, words, people=found["people"], **out)
        self.found.append(Found(rule, found["rows"], found["paid"] / 100, taken, where))
        return True

    def _sums(self, rows: ir.Table, times: str = "") -> dict[str, int]:
        """The rows of a table, their people and cents; each row as often as a column says."""
        weight = rows[times].sum() if times else rows.count()
        asked: dict[str, ir.Value] = {"rows": weight, "people": rows.person_id.nunique()}
        for part in ("paid", "allowed"):
            if f"{part}_amount" in rows.columns:
                cents = _cents(rows, f"{part}_amount")
                asked[part] = (cents * rows[times] if times else cents).sum()
        (found,) = fetched(rows.aggregate(**asked))
        return {"paid": 0, "allowed": 0} | {part: int(value or 0) for part, value in found.items()}

    # --- bills that replace or void others

    def _bills(self, rows: ir.Table) -> ir.Table:
        told, lines, taken = _replaced(rows), _tagged(rows), False
        for why, rule in _BILLS.items():
            where = lines.semi_join(told.filter(told.why == why), _BILL).select(*SCHEMAS[self.name])
            out = rule.effect != KEPT
            taken |= self._tell(rule, self._sums(where), where, "replaced" if out else "") and out
        out_ = [why for why, rule in _BILLS.items() if rule.effect != KEPT]
        return lines.anti_join(told.filter(told.why.isin(out_)), _BILL).select(*SCHEMAS[self.name]) if taken else rows

    # --- rows of one line of a claim

    def _versions(self, rows: ir.Table) -> ir.Table:
        again = rows.group_by("claim_id", "claim_line_number").agg(times=rows.count()).filter(lambda t: t.times > 1)
        if not fetched(again.aggregate(n=again.count()))[0]["n"]:
            return rows
        again = kept(again.select("claim_id", "claim_line_number"))
        given = kept(rows.semi_join(again, ["claim_id", "claim_line_number"]))
        return rows.anti_join(again, ["claim_id", "claim_line_number"]).union(self._one_each(given))

    def _one_each(self, given: ir.Table) -> ir.Table:
        """A row for each line of each person's claim, of rows that may be several."""
        key = list(KEYS[self.name])
        columns = [c for c in self.present if c not in key]
        given = given.mutate(**{c: given[c].fill_null("") for c in ("payer", "data_source")})
        once = given.group_by(*key, *columns).agg(times=given.count())
        paid, allowed = once.paid_amount, once.allowed_amount if "allowed_amount" in columns else ibis.literal(0.0)
        back = (paid < 0) | (paid == 0) & (allowed < 0).fill_null(False)
        once = once.mutate(again=once.times - 1, back=back.cast("int64"))
        line = ibis.window(group_by=key)
        first = [c for c in ("paid_date", "paid_amount") if c in columns]
        last = [ibis.asc("back"), *(ibis.desc(c) for c in first), *(ibis.asc(c) for c in columns if c not in first)]
        once = kept(
            once.mutate(
                versions=once.count().over(line),
                net=once.back.max().over(line),
                doubt=once.times.max().over(line) - once.times.min().over(line),
                place=ibis.row_number().over(ibis.window(group_by=key, order_by=last)),
            )
        )

        def whole(rows: ir.Table) -> ir.Table:
            made = {c: rows[c] if c in rows.columns else ibis.null(d) for c, d in SCHEMAS[self.name].items()}
            return rows.select(**made | {c: rows[c].nullif("") for c in ("payer", "data_source")})  # as they were

        again = once.filter(once.again > 0)
        self._tell(_AGAIN, self._sums(again, "again"), again, "again")
        both = once.filter(once.versions > 1, once.net == 1)
        net = both.mutate(**{c: ibis.ifelse(both.back == 1, -both[c].abs(), both[c]) for c in MONEY if c in columns})
        net = net.mutate(**{c: (net[c].sum().over(line) * 100).round() / 100 for c in MONEY if c in columns})
        net = net.filter(net.place == 0)
        left = [net[c].fill_null(0) != 0 for c in ("paid_amount", "allowed_amount") if c in columns]
        net = net.filter(reduce(or_, left))
        self._tell(_NETTED, self._sums(whole(both)), both, "netted", **self._sums(whole(net)))
        doubt = both.filter(both.doubt > 0)
        self._tell(_IN_DOUBT, self._sums(whole(doubt)), doubt)
        unlike = once.filter(once.versions > 1, once.net == 0)
        last_paid = unlike.filter(unlike.place == 0)
        self._tell(_UNLIKE, self._sums(whole(unlike)), unlike, "version", **self._sums(whole(last_paid)))
        alone = once.filter(once.versions == 1)
        return ibis.union(whole(alone), whole(net), whole(last_paid))

    # --- rows of other tables, and people

    def _once(self, rows: ir.Table) -> ir.Table:
        """Rows that are given again once: equal in every column, or records of one thing by two sources."""
        by = [c for c in (KEYS[self.name] if self.name == "outcome" else self.present) if c in self.present]
        again = rows.group_by(*by).agg(again=rows.count() - 1).filter(lambda t: t.again > 0)
        if not self._tell(_AGAIN, self._sums(again, "again"), again, "again"):
            return rows
        if self.name != "outcome":
            return rows.distinct()
        once = rows.group_by(*by).agg(**{c: rows[c].max() for c in SCHEMAS[self.name] if c not in by})
        return once.select(*SCHEMAS[self.name])

    def _known(self, rows: ir.Table, people: ir.Table) -> ir.Table:
        strangers = rows.anti_join(people, "person_id")
        found = self._sums(strangers)
        if not found["rows"]:
            return rows
        alike = strangers.mutate(person_id=_as_one(strangers.person_id))
        alike = alike.semi_join(people.select(person_id=_as_one(people.person_id)).distinct(), "person_id")
        near = fetched(alike.aggregate(n=alike.count()))[0]["n"]
        do = "send the member's enrollment, or take the rows out on both sides"
        if near:
            do = f"write person_id alike in every table: {near:,} of them differ by zeros, spaces or capitals alone"
        self._tell(_STRANGER._replace(do=do), found, strangers, "stranger")
        return rows.semi_join(kept(people.select("person_id").distinct()), "person_id")


def _anything(rows: ir.Table) -> ir.BooleanValue:
    return ibis.literal(True)


_AGAIN = Rule("", "given again", _anything, "give each row once", ONCE)
_NETTED = Rule(
    "paid_amount", "a line and its reversal", _anything,
    "nothing, if they are an original, its reversal and a replacement", NETTED, fault=False,
)  # fmt: skip
_IN_DOUBT = Rule(
    "paid_amount", "given again among reversals", _anything,
    "give what was paid twice a date of payment or a line of its own: equal in all, it counts once",
)  # fmt: skip
_UNLIKE = Rule(
    "paid_amount", "the same line again, with other values", _anything,
    "give the last version alone; lines that add up need numbers of their own", LAST_KEPT,
)  # fmt: skip
_STRANGER = Rule(
    "person_id", "a member who is not in eligibility", _anything, "", LEFT_OUT
)  # fmt: skip


def _cents(rows: ir.Table, column: str) -> ir.IntegerValue:
    """An amount in cents; nothing of what is refused."""
    amount = rows[column]
    return ibis.ifelse(within(column)(rows), (amount * 100).round().cast("int64"), 0)


def _times(where: ir.BooleanValue) -> ir.IntegerValue:
    return where.cast("int64").sum()


def _is_parsed(own: dt.DataType, dtype: dt.DataType) -> bool:
    """Whether a cell of the column's own type may be none of the layout's."""
    if own.is_string():
        return not dtype.is_string()
    return own.is_floating() and not dtype.is_floating()


def _as_one(person: ir.StringValue) -> ir.StringValue:
    """An identifier without what tables may spell differently."""
    return person.strip().lower().re_replace("^0+", "")


# --- bills that replace or void others ---------------------------------------------------------------------

_BILLS = {
    "replaced": Rule(
        "bill_type_code", "replaced or voided by a later bill (frequency 7, 8, F to Q)", _anything,
        "nothing, if bills of one person, days and type are one", LEFT_OUT, fault=False,
    ),
    "void": Rule(
        "bill_type_code", "voids a bill that is not here, or one of several (frequency 8)", _anything,
        "give the bill that it voids, or take both out", LEFT_OUT,
    ),
    "several": Rule(
        "bill_type_code", "replaces one of several bills of these days (frequency 7, F to Q)", _anything,
        "take out the bill that it replaces",
    ),
    "alone": Rule(
        "bill_type_code", "replaces a bill that is not here (frequency 7, F to Q)", _anything,
        "nothing, if the payer gives the last version alone", fault=False,
    ),
}  # fmt: skip
BY_THE_PAYER = "FGHIJKMPQ"  # frequencies of bills that a payer puts in place of earlier ones by itself
_BILL = ["claim_id", "type_", "person_id", "payer_", "source_"]
_DAYS = ["person_id", "payer_", "source_", "kind", "claim_start_date", "ends"]


def _frequency(bill_type: ir.StringValue) -> ir.StringValue:
    """The last sign of a type of bill; 7 for a bill that the payer itself put in place of another."""
    sign = bill_type.right(1).upper()
    return ibis.ifelse(sign.isin([*BY_THE_PAYER]), "7", sign)


def _adjusts(bill_type: ir.StringValue) -> ir.BooleanValue:
    return _frequency(bill_type).isin(["7", "8"])


def _tagged(rows: ir.Table) -> ir.Table:
    told = {"type_": "bill_type_code", "payer_": "payer", "source_": "data_source"}
    return rows.mutate(**{name: rows[column].fill_null("") for name, column in told.items()})


def _replaced(rows: ir.Table) -> ir.Table:
    """The bills that a rule of frequency says something of, a row for each, and `why`: a name in `_BILLS`."""
    lines = _tagged(rows).filter(rows.claim_type.isin(["institutional", "professional"]))
    lines = lines.mutate(
        kind=ibis.ifelse(lines.claim_type == "institutional", lines.type_.left(2), lines.claim_type),
        frequency=_frequency(lines.type_),
        ends=ibis.coalesce(lines.claim_end_date, lines.claim_start_date),
        npi=lines.billing_npi.nullif(""),
        cents=_cents(lines, "paid_amount"),
    )
    lines = lines.semi_join(lines.filter(_adjusts(lines.type_)).select(*_DAYS).distinct(), _DAYS)
    bills = lines.group_by(*dict.fromkeys([*_BILL, *_DAYS]), "frequency").agg(
        npi=lines.npi.max(), paid=lines.cents.sum().cast("int64"), paid_on=lines.paid_date.max()
    )
    bills = kept(bills)
    by = bills.filter(_adjusts(bills.type_)).mutate(size=lambda t: t.paid.abs())
    alike = ibis.window(group_by=[*_DAYS, "frequency", "size"])
    by = by.mutate(alike=by.count().over(alike)).rename("by_{name}")
    same_days = [by[f"by_{c}"] == bills[c] for c in _DAYS]
    other = (by.by_claim_id != bills.claim_id) | (by.by_type_ != bills.type_)
    one_biller = by.by_npi.isnull() | bills.npi.isnull() | (by.by_npi == bills.npi)
    pairs = by.join(bills, [*same_days, other, one_biller, bills.frequency != "8"])
    earlier = (pairs.paid_on < pairs.by_paid_on).fill_null(False)
    later = (pairs.paid_on > pairs.by_paid_on).fill_null(False)
    pairs = pairs.mutate(tied=(pairs.frequency == "7") & ~earlier & ~later).filter(~later)
    pairs = kept(pairs)
    each = [f"by_{c}" for c in _BILL]

    # An 8 voids the bill of its amount; else, if it has no amount below zero, the only 7 or the only bill there is.
    voids = pairs.filter(pairs.by_frequency == "8", ~pairs.tied)
    voids = voids.mutate(same=(voids.paid == voids.by_size).cast("int64"))
    of_one = ibis.window(group_by=each)
    last = ibis.window(group_by=each, order_by=[ibis.desc("same"), ibis.desc("paid_on"), ibis.desc("claim_id")])
    voids = voids.mutate(
        bills=voids.count().over(of_one),
        sames=voids.same.sum().over(of_one),
        sevens=(voids.frequency == "7").cast("int64").sum().over(of_one),
        place=ibis.row_number().over(last),
    )
    meant = ibis.cases(
        (voids.sames > 0, (voids.same == 1) & (voids.place < voids.by_alike)),
        (voids.by_paid < 0, ibis.literal(False)),
        (voids.sevens == 1, voids.frequency == "7"),
        else_=voids.bills == 1,
    )
    voids = voids.filter(meant)
    voided = voids.select(*_BILL).distinct()
    eights = bills.filter(bills.frequency == "8")
    settled = voids.select(**{c: voids[f"by_{c}"] for c in _BILL}).distinct()
    lost = eights.anti_join(settled, _BILL).filter(lambda t: t.paid >= 0)

    # A 7 replaces the one bill that was not voided, with what was taken back of it by sign, and earlier 7s.
    news = pairs.filter(pairs.by_frequency == "7", pairs.by_paid >= 0).anti_join(voided, _BILL)
    plain = ((news.frequency != "7") & (news.paid >= 0)).cast("int64").sum().over(of_one)
    news = news.mutate(plain=plain, ties=news.tied.cast("int64").sum().over(of_one))
    clear = (news.plain <= 1) & (news.ties == 0)
    replaced = news.filter(clear).select(*_BILL).distinct()
    unclear = news.filter(~clear).select(**{c: news[f"by_{c}"] for c in _BILL}).distinct().anti_join(voided, _BILL)
    sevens = bills.filter(bills.frequency == "7", bills.paid >= 0)
    paired = pairs.select(**{c: pairs[f"by_{c}"] for c in _BILL}).distinct()
    alone = sevens.anti_join(paired, _BILL).anti_join(voided, _BILL)

    def told(why: str, *tables: ir.Table) -> ir.Table:
        parts = [table.select(*_BILL) for table in tables]
        whole = ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0]
        return whole.mutate(why=ibis.literal(why))

    return kept(
        ibis.union(
            told("replaced", settled, voided, replaced),
            told("void", lost),
            told("several", unclear),
            told("alone", alone),
        )
    )


# --- all tables -----------------------------------------------------------------------------------------------------


def using(given: Mapping[str, Given]) -> Iterator[Using]:
    """Each table on its way, eligibility first, since it says who is known."""
    people = None
    for name in SCHEMAS:
        if name in given:
            table = Using(name, given[name], people)
            yield table
            if name == "eligibility" and "person_id" in table.present:
                people = table.used


def use(given: Mapping[str, Given], notes: tuple[str, ...] = (), faults: tuple[Fault, ...] = ()) -> Claims:
    """The claims of tables as they were written: the rows that are used, and what became of the others.

    Raises: Refusal with every fault so far, every line that is no row and every cell that is no value.
    """
    wrong, tables = list(faults), []
    for table in using(given):
        wrong += table.faults()
        tables.append(table)
    if wrong:
        raise Refusal(wrong)
    used = {table.name: table.used for table in tables}
    empty = {name: ibis.memtable([], schema=schema) for name, schema in SCHEMAS.items() if name not in used}
    taken = tuple(found.taken for table in tables for found in table.found if found.taken)
    told = tuple(note for table in tables for note in _notes(table))
    return Claims(**used, **empty, given=given, notes=(*notes, *told), taken=taken)


def _notes(table: Using) -> Iterator[str]:
    """What a reader of the rows that are used should know."""
    if unread := unread_columns(table):
        shown = ", ".join(unread[:8]) + (f" and {len(unread) - 8:,} more" if len(unread) > 8 else "")
        hint = "".join(meant(table, column) for column in unread)
        yield f"{table.name}: columns that are not read: {shown}. {hint}".strip()
    for found in table.found:
        if found.taken or found.rule.fault:
            column = f"{found.rule.column}: " if found.rule.column else ""
            money = f", {in_dollars(found.dollars)}" if table.name in CLAIMS else ""
            rows = f"{found.rows:,} row{'s' * (found.rows != 1)}"
            yield f"{table.name}: {column}{found.rule.name} ({rows}{money}): {found.rule.effect}."


def unread_columns(table: Using) -> list[str]:
    """The columns of a table that the layout does not have."""
    return [column for column in table.given.rows.columns if column not in SCHEMAS[table.name]]


def meant(table: Using, column: str) -> str:
    """A hint at the column of the layout that one may stand for."""
    return did_you_mean(column, [known for known in SCHEMAS[table.name] if known not in table.present])
