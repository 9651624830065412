"""Measures beyond the usual sets: specifications that both parties sign, and the arithmetic that they mean.

`measures.yaml` holds the specifications. Each is one Ibis expression over the claims: a row for every person in the
denominator, with the denominator (people, discharges, months or years) and the numerator that this person adds. A rate
is a sum over a sum, so it can be had for any group and recomputed by either side.

Not modelled: risk adjustment, stewards' own exclusions, samples of charts, hybrid measures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from ..claims.layout import Claims
from ..claims.services import is_inpatient, is_primary_care
from ..files import read_yaml
from ..refusal import Fault, Refusal, did_you_mean, show
from .member_years import coverage

Settings = Mapping[str, Any]
FAR = date(2100, 1, 1)  # when an enrollment that has no end ends


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One measure, in the words that both parties sign; `how` is the arithmetic and its settings."""

    name: str
    title: str
    words: str
    numerator: str
    denominator: str
    excluded: str
    lookback: str
    better: str  # higher, lower, neither
    unit: str
    needs: tuple[str, ...]  # the tables
    lag_months: int
    reporter: str
    steward: str
    minimum: int  # fewest in the denominator
    clock: str  # leading or lagging
    how: Settings

    @property
    def per(self) -> int:
        return int(self.how.get("per", 1))


class Period(NamedTuple):
    """A contract year, named for the calendar year in which it begins."""

    year: int
    first_month: int = 1

    @property
    def first(self) -> date:
        return date(self.year, self.first_month, 1)

    @property
    def last(self) -> date:
        return date(self.year + 1, self.first_month, 1) - timedelta(days=1)


@cache
def specifications() -> Mapping[str, Spec]:
    """Every measure by name.

    >>> specifications()["readmissions"].denominator
    'Discharges alive, from the first day of the year to 30 days before its last.'
    """
    data, _ = read_yaml(files(__package__) / "rates.yaml")
    return {name: Spec(name=name, **{**terms, "needs": tuple(terms["needs"])}) for name, terms in data.items()}


def specification(name: str) -> Spec:
    """One measure; refuses a name that is not in the list."""
    specs = specifications()
    if name not in specs:
        do = did_you_mean(name, specs) + "name a measure of measures.yaml"
        raise Refusal([Fault("measure", show(name), ", ".join(specs), do)])
    return specs[name]


def by_person(
    claims: Claims,
    people: ir.Table,
    year: int,
    measure: str,
    settings: Settings | None = None,
    *,
    first_month: int = 1,
) -> ir.Table:
    """One row for each of the people in a measure's denominator: person_id, denominator, numerator.

    `people` is any table with a person_id: those who count for the contract. `settings` change the measure's own, such
    as `{"days": 14}`; unknown ones are refused. The whole is one expression: nothing runs until it is executed.
    """
    spec = specification(measure)
    unknown = [name for name in settings or {} if name not in spec.how or name == "kind"]
    if unknown:
        allowed = ", ".join(name for name in spec.how if name != "kind")
        raise Refusal(
            [Fault(f"measure {measure!r}, setting {n!r}", n, allowed, did_you_mean(n, spec.how)) for n in unknown]
        )
    how = {**spec.how, **(settings or {})}
    rows = KINDS[how["kind"]](claims, Period(year, first_month), how)
    return rows.semi_join(people, "person_id").select(
        "person_id",
        denominator=rows.denominator.cast("float64"),
        numerator=rows.numerator.fill_null(0).cast("float64"),
    )


def measure_table(
    claims: Claims,
    people: ir.Table,
    year: int,
    measures: Sequence[str] | Mapping[str, tuple[str, Settings]],
    *,
    first_month: int = 1,
) -> ir.Table:
    """The rate of each measure in a year: columns measure, denominator, numerator, rate; no rate of nobody.

    `measures` are names, or a contract's own names with the measure and settings of each:
    `{"readmitted": ("readmissions", {"days": 14})}`.
    """
    asked = measures if isinstance(measures, Mapping) else {name: (name, {}) for name in measures}
    parts = []
    for own, (name, settings) in asked.items():
        rows = by_person(claims, people, year, name, settings, first_month=first_month)
        parts.append(_rate(rows.agg(**_sums(rows)), own, specification(name).per))
    if not parts:
        raise Refusal([Fault("measures", "none", "at least one measure", "name the measures wanted")])
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def by_group(
    claims: Claims,
    people: ir.Table,
    year: int,
    measure: str,
    by: str,
    settings: Settings | None = None,
    *,
    first_month: int = 1,
) -> ir.Table:
    """A measure by group, such as `by="race"`: group, denominator, numerator, rate. Nothing is suppressed yet."""
    rows = by_person(claims, people, year, measure, settings, first_month=first_month)
    grouped = rows.join(people.select("person_id", group=people[by]).distinct(), "person_id")
    sums = grouped.group_by("group").agg(**_sums(grouped))
    return _rate(sums, measure, specification(measure).per).drop("measure").order_by("group")


def _sums(rows: ir.Table) -> dict[str, ir.Value]:
    return {"denominator": rows.denominator.sum().fill_null(0), "numerator": rows.numerator.sum().fill_null(0)}


def _rate(sums: ir.Table, name: str, per: int) -> ir.Table:
    keys = [column for column in sums.columns if column not in ("denominator", "numerator")]
    rate = per * sums.numerator / sums.denominator.nullif(0)
    return sums.select(*keys, "denominator", "numerator", measure=ibis.literal(name), rate=rate).relocate("measure")


# --- parts that several measures share ------------------------------------------------------------------------------


def episodes(claims: Claims) -> ir.Table:
    """Stays, with those that begin by the day another ends as one: a transfer, or a return within the day.

    Of an episode: admission_date, discharge_date, died (the patient, in it), elective and diagnosis (the principal one,
    ICD-10-CM) of its first stay, and next_admission and next_elective of the same person's next.
    """
    lines = claims.medical_claim
    lines = lines.filter(is_inpatient(lines))
    stays = lines.group_by("person_id", admission_date=ibis.coalesce(lines.admission_date, lines.claim_start_date)).agg(
        discharge_date=ibis.coalesce(lines.discharge_date, lines.claim_end_date, lines.claim_start_date).max(),
        died=(lines.discharge_disposition_code == "20").fill_null(False).cast("int64").max(),
        elective=(lines.admit_type_code == "3").fill_null(False).cast("int64").max(),
        diagnosis=lines.diagnosis_code_1.max(where=lines.diagnosis_code_type == "icd-10-cm"),
    )
    earlier = ibis.window(group_by="person_id", order_by="admission_date", preceding=(None, 1))
    upto = stays.discharge_date.max().over(earlier)
    stays = stays.mutate(new=(upto.isnull() | (stays.admission_date > upto)).cast("int64"))
    so_far = ibis.window(group_by="person_id", order_by="admission_date", preceding=(None, 0))
    stays = stays.mutate(number=stays.new.sum().over(so_far))
    whole = stays.group_by("person_id", "number").agg(
        admission_date=stays.admission_date.min(),
        discharge_date=stays.discharge_date.max(),
        died=stays.died.max(),
        elective=stays.elective.max(where=stays.new == 1),
        diagnosis=stays.diagnosis.max(where=stays.new == 1),
    )
    person = ibis.window(group_by="person_id", order_by="admission_date")
    return whole.mutate(
        next_admission=whole.admission_date.lead().over(person), next_elective=whole.elective.lead().over(person)
    )


def _spells(claims: Claims) -> ir.Table:
    """Unbroken coverage: spans that touch or overlap are one."""
    spans = claims.eligibility
    spans = spans.select(
        "person_id",
        start=spans.enrollment_start_date,
        end=ibis.least(spans.enrollment_end_date.fill_null(ibis.literal(FAR)), ibis.literal(FAR)),
    )
    earlier = ibis.window(group_by="person_id", order_by=["start", "end"], preceding=(None, 1))
    upto = spans.end.max().over(earlier)
    spans = spans.mutate(new=(upto.isnull() | (spans.start.delta(upto, unit="day") > 1)).cast("int64"))
    so_far = ibis.window(group_by="person_id", order_by=["start", "end"], preceding=(None, 0))
    spans = spans.mutate(number=spans.new.sum().over(so_far))
    return spans.group_by("person_id", "number").agg(start=spans.start.min(), end=spans.end.max())


def _codes(how: Settings) -> list[str]:
    return [code for row in how["diagnoses"] for code in row]


def _begins_with(code: ir.Value, prefixes: Sequence[str]) -> ir.Value:
    found = [code.startswith(prefix) for prefix in prefixes]
    return ibis.or_(*found).fill_null(False)


def _outcomes(claims: Claims, period: Period, names: str | Sequence[str]) -> ir.Table:
    """The outcome records of a kind, or several, in the year."""
    rows = claims.outcome
    wanted = [names] if isinstance(names, str) else list(names)
    return rows.filter(rows.outcome.isin(wanted), rows.outcome_date.between(period.first, period.last))


def _covered(claims: Claims, period: Period, how: Settings) -> ir.Table:
    """People covered in the year, of the ages that the measure is for: person_id, months."""
    rows = coverage(claims, [period.year], period.first_month)
    if "age_from" in how:
        rows = rows.filter(rows.age >= how["age_from"])
    if "age_to" in how:
        rows = rows.filter(rows.age <= how["age_to"])
    return rows.select("person_id", "months")


def _joined(denominators: ir.Table, numerators: ir.Table) -> ir.Table:
    return denominators.left_join(numerators, "person_id").drop("person_id_right")


# --- the arithmetic, by kind: person_id, denominator, numerator -----------------------------------------------------


def _stays(claims: Claims, period: Period, how: Settings) -> ir.Table:
    whole = episodes(claims)
    whole = whole.filter(whole.admission_date.between(period.first, period.last))
    if "diagnoses" in how:
        whole = whole.filter(_begins_with(whole.diagnosis, _codes(how)))
    people = _covered(claims, period, how)
    return _joined(
        people.select("person_id", denominator=people.months / 12),
        whole.group_by("person_id").agg(numerator=whole.count()),
    )


def _emergency(claims: Claims, period: Period, how: Settings) -> ir.Table:
    lines = claims.lines
    lines = lines.filter(lines.service == "emergency", lines.claim_start_date.between(period.first, period.last))
    people = _covered(claims, period, how)
    return _joined(
        people.select("person_id", denominator=people.months / 12),
        lines.group_by("person_id").agg(numerator=lines.claim_start_date.nunique()),
    )


def _after_discharge(claims: Claims, period: Period, how: Settings) -> ir.Table:
    days = int(how["days"])
    index = episodes(claims)
    index = index.filter(
        index.discharge_date.between(period.first, period.last - timedelta(days=days)), index.died == 0
    )
    if "diagnoses" in how:
        index = index.filter(_begins_with(index.diagnosis, _codes(how)))
    # Watched to the end of the window, or to death in it: who left coverage might have been back unseen.
    people = claims.eligibility
    deaths = people.group_by("person_id").agg(death_date=people.death_date.max())
    index = index.left_join(deaths, "person_id").drop("person_id_right")
    index = index.mutate(until=(index.discharge_date + ibis.interval(days=days)).cast("date"))
    index = index.mutate(watched=ibis.least(index.until, index.death_date.fill_null(ibis.literal(FAR))))
    spells = _spells(claims)
    index = index.semi_join(
        spells,
        [
            index.person_id == spells.person_id,
            spells.start <= index.discharge_date,
            spells.end >= index.watched,
        ],
    )
    back = (index.next_admission <= index.until).fill_null(False)
    if how["event"] == "readmission":
        index = index.mutate(hit=(back & (index.next_elective == 0)).fill_null(False).cast("int64"))
        return index.group_by("person_id").agg(denominator=index.count(), numerator=index.hit.sum())
    index = index.filter(~back)
    lines = claims.lines
    seen = is_primary_care(lines) if how["event"] == "primary_care" else lines.service == "behavioral"
    visits = lines.filter(seen).select("person_id", day=lines.claim_start_date).distinct()
    hits = index.join(
        visits,
        [index.person_id == visits.person_id, visits.day > index.discharge_date, visits.day <= index.until],
    )
    hits = hits.group_by("person_id").agg(numerator=hits.discharge_date.nunique())
    return _joined(index.group_by("person_id").agg(denominator=index.count()), hits)


def _engaged(claims: Claims, period: Period, how: Settings) -> ir.Table:
    days = int(how["days"])
    roster = claims.roster
    new = roster.group_by("person_id").agg(start=roster.start_date.min())
    new = new.filter(new.start.between(period.first, period.last - timedelta(days=days)))
    contacts = _outcomes(claims, period, how["outcome"])
    contacts = contacts.filter(contacts.outcome_value > 0)
    both = new.join(contacts, "person_id")
    both = both.filter(both.outcome_date.delta(both.start, unit="day").between(0, days))
    return _joined(
        new.select("person_id", denominator=ibis.literal(1)),
        both.select("person_id").distinct().mutate(numerator=ibis.literal(1)),
    )


def _contacts(claims: Claims, period: Period, how: Settings) -> ir.Table:
    rows = _outcomes(claims, period, how["outcome"])
    rows = rows.filter(rows.outcome_value > 0)
    people = _covered(claims, period, how)
    return _joined(
        people.select("person_id", denominator=people.months),
        rows.group_by("person_id").agg(numerator=rows.count()),
    )


def _recorded(claims: Claims, period: Period, how: Settings) -> ir.Table:
    rows = _outcomes(claims, period, how["outcome"])
    rows = rows.filter(rows.outcome_value.fill_null(1) > how["above"])
    people = _covered(claims, period, how)
    if "of" in how:
        people = people.semi_join(_outcomes(claims, period, how["of"]), "person_id")
    return _joined(
        people.select("person_id", denominator=ibis.literal(1)),
        rows.select("person_id").distinct().mutate(numerator=ibis.literal(1)),
    )


def _change(claims: Claims, period: Period, how: Settings) -> ir.Table:
    first, final = _ends(_outcomes(claims, period, how["outcome"]))
    first = first.filter(first.outcome_value.between(how["first_from"], how.get("first_to", float("inf"))))
    both = first.left_join(final, "person_id", rname="final_{name}")
    way = -1 if how["falls"] else 1
    better = (way * (both.final_outcome_value - both.outcome_value) >= how["by"]).fill_null(False)
    return both.select("person_id", denominator=ibis.literal(1), numerator=better.cast("int64"))


def _ends(rows: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Each person's first and last value; of several on one day, the largest."""
    daily = rows.group_by("person_id", "outcome_date").agg(outcome_value=rows.outcome_value.max())
    person = ibis.window(group_by="person_id")
    daily = daily.mutate(begin=daily.outcome_date.min().over(person), final=daily.outcome_date.max().over(person))
    first = daily.filter(daily.outcome_date == daily.begin).select("person_id", "outcome_value")
    return first, daily.filter(daily.outcome_date == daily.final).select("person_id", "outcome_value")


def _closed(claims: Claims, period: Period, how: Settings) -> ir.Table:
    days = int(how["days"])
    needs = _outcomes(claims, period, how["outcome"])
    needs = needs.filter(needs.outcome_value.fill_null(1) > 0)
    found = needs.group_by("person_id").agg(start=needs.outcome_date.min())
    found = found.filter(found.start <= period.last - timedelta(days=days))
    both = found.join(_outcomes(claims, period, how["closes"]), "person_id")
    both = both.filter(both.outcome_date.delta(both.start, unit="day").between(0, days))
    return _joined(
        found.select("person_id", denominator=ibis.literal(1)),
        both.select("person_id").distinct().mutate(numerator=ibis.literal(1)),
    )


def _pressure(claims: Claims, period: Period, how: Settings) -> ir.Table:
    lines = claims.medical_claim
    codes = [lines[name] for name in lines.columns if name.startswith("diagnosis_code_") and name[-1].isdigit()]
    before = Period(period.year - 1, period.first_month).first
    lines = lines.filter(
        lines.diagnosis_code_type == "icd-10-cm",
        lines.claim_start_date.between(before, period.last),
        ibis.or_(*[_begins_with(code, _codes(how)) for code in codes]),
    )
    found = lines.group_by("person_id").agg(seen=lines.claim_start_date.nunique())
    people = _covered(claims, period, how).semi_join(found.filter(found.seen >= how["days"]), "person_id")
    last = {}
    for name in ("systolic", "diastolic"):
        _, final = _ends(_outcomes(claims, period, name))
        last[name] = final.filter(final.outcome_value < how[name]).select("person_id")
    good = last["systolic"].semi_join(last["diastolic"], "person_id").distinct()
    return _joined(people.select("person_id", denominator=ibis.literal(1)), good.mutate(numerator=ibis.literal(1)))


KINDS: Mapping[str, Callable[[Claims, Period, Settings], ir.Table]] = {
    "stays": _stays,
    "emergency": _emergency,
    "after_discharge": _after_discharge,
    "engaged": _engaged,
    "contacts": _contacts,
    "recorded": _recorded,
    "change": _change,
    "closed": _closed,
    "pressure": _pressure,
}
