"""Measures beyond the usual sets: specifications that both parties sign, and the arithmetic that they mean.

`rates.yaml` holds the specifications: the words, with the settings in braces, and `how`, one of the kinds of arithmetic
below with its settings. A contract may change the settings, and the words say the changed ones.

A measure is one expression over the claims: a row for every person in the denominator, with the denominator (people,
discharges, months or years) and the numerator that this person adds. A rate is a sum over a sum, so it can be had for
any group and recomputed by either side.

The specifications are known when a contract is loaded; the engine is imported where a rate is computed.

Not modelled: risk adjustment, stewards' own exclusions, samples of charts, hybrid measures.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from ..files import read_yaml
from ..refusal import Fault, Refusal, did_you_mean, show
from ..units import Count, Lives, Months, Number, Unit, say_count
from ..worded import Misfit, Worded, misfits_in, refuse_each

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims

Settings = Mapping[str, Any]
Days = Annotated[Number, Unit("days", "a whole number of days, 1 or more", say_count, 3660, 1, whole=True)]
Age = Annotated[Number, Unit("years", "a whole number of years, 0 or more", say_count, 150, whole=True)]
OutcomeCode = Annotated[str, Field(min_length=1, max_length=80)]
Codes = Annotated[
    list[list[str]], Field(min_length=1)
]  # ICD-10-CM, a row for each condition; each means all that begin


# --- how a rate is computed: each kind its settings, then a row for each person --------------------------------------


class How(Worded):
    """A kind of arithmetic with its settings."""

    words: ClassVar[tuple[str, ...]] = ()  # the measure's own words say the settings

    kind: str

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        """Of the days from the first to the last: person_id, denominator, numerator."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        """A measure means the same in every year, so that no setting is a schedule."""
        by_year = [term for term in self.terms() if isinstance(getattr(self, term), Mapping)]
        if by_year:
            refuse_each(
                ((term,), Fault("", show(dict(getattr(self, term))), "one number", "write one number"))
                for term in by_year
            )
        return self

    @property
    def window(self) -> int:
        """The days in which somebody can still act; none, where there is no such window."""
        return 0

    def say_term(self, term: str) -> str:
        unit, value = self.terms()[term], getattr(self, term)
        return unit.say(value) if unit else " ".join(_flat(value))

    def said(self) -> dict[str, str]:
        """Each setting that is set, in words."""
        return {term: self.say_term(term) for term in self.set_terms()}

    def set_terms(self) -> list[str]:
        return [term for term in self.terms() if self._is_set(term)]

    def with_settings(self, settings: Settings) -> Self:
        return self.model_validate(self.model_dump(exclude_unset=True) | dict(settings))

    def misfits(self, settings: Settings) -> Iterator[Misfit]:
        """What is wrong with the settings that a contract would change."""
        own = self.terms()
        for name in settings:
            if name not in own:
                do = did_you_mean(name, own) + "rename or remove it"
                yield (name,), Fault("", f"the unknown setting `{name}`", ", ".join(own) or "no settings", do)
        changed = {name: value for name, value in settings.items() if name in own}
        yield from misfits_in(type(self), self.model_dump(exclude_unset=True) | changed, ["kind", *own])


class Within(How):
    """A measure of what follows something within some days."""

    days: Days

    @property
    def window(self) -> int:
        return int(self.days)


class OfAges(How):
    """A measure of people covered in the year, of the ages that it is for."""

    age_from: Age | None = None
    age_to: Age | None = None

    def covered(self, claims: "Claims", first: date) -> "ir.Table":
        """People covered in the year, of these ages at its end: person_id, months."""
        from .months import coverage

        rows = coverage(claims, [first.year], first.month)
        if self.age_from is not None:
            rows = rows.filter(rows.age >= self.age_from)
        if self.age_to is not None:
            rows = rows.filter(rows.age <= self.age_to)
        return rows.select("person_id", "months")

    def said(self) -> dict[str, str]:
        low, high = (None if age is None else say_count(age) for age in (self.age_from, self.age_to))
        ages = f"{low or 0} to {high}" if low != high else f"{low}"
        return super().said() | {"ages": ages if high else f"{low or 0} and older"}


class Stays(OfAges):
    """Hospital stays for each year of coverage, of all or of some principal diagnoses."""

    kind: Literal["stays"]
    diagnoses: Codes | None = None

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        from .stays import stays

        begun = stays(claims)
        begun = begun.filter(begun.admission_date.between(first, last))
        if self.diagnoses:
            begun = begun.filter(_begins_with(begun.diagnosis, self.diagnoses))
        people = self.covered(claims, first)
        return _beside(
            people.select("person_id", denominator=people.months / 12),
            begun.group_by("person_id").agg(numerator=begun.count()),
        )


class Emergency(OfAges):
    """Days with an emergency visit, for each year of coverage."""

    kind: Literal["emergency"]

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        lines = claims.lines
        lines = lines.filter(lines.service == "emergency", lines.claim_start_date.between(first, last))
        people = self.covered(claims, first)
        return _beside(
            people.select("person_id", denominator=people.months / 12),
            lines.group_by("person_id").agg(numerator=lines.claim_start_date.nunique()),
        )


class AfterDischarge(Within):
    """What follows a discharge within some days: a return to the hospital, or a visit."""

    kind: Literal["after_discharge"]
    event: Literal["readmission", "primary_care", "behavioral"]
    diagnoses: Codes | None = None

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        import ibis

        from ..claims.layout import FAR
        from ..claims.services import is_primary_care
        from .months import spells
        from .stays import stays_in_turn

        days = self.window
        index = stays_in_turn(claims)
        index = index.filter(index.discharge_date.between(first, last - timedelta(days=days)))
        index = index.filter(index.died == 0, index.still == 0)
        if self.diagnoses:
            index = index.filter(_begins_with(index.diagnosis, self.diagnoses))
        # Watched to the end of the window, or to death in it: who left coverage might have been back unseen.
        people = claims.eligibility
        deaths = people.group_by("person_id").agg(death_date=people.death_date.max())
        index = index.left_join(deaths, "person_id").drop("person_id_right")
        index = index.filter((index.death_date > index.discharge_date).fill_null(True))
        index = index.mutate(until=(index.discharge_date + ibis.interval(days=days)).cast("date"))
        index = index.mutate(watched=ibis.least(index.until, index.death_date.fill_null(ibis.literal(FAR))))
        covered = spells(claims)
        index = index.semi_join(
            covered,
            [
                index.person_id == covered.person_id,
                covered.start <= index.discharge_date,
                covered.end >= index.watched,
            ],
        )
        back = (index.next_admission <= index.until).fill_null(False)
        if self.event == "readmission":
            index = index.mutate(hit=(back & (index.next_elective == 0)).fill_null(False).cast("int64"))
            return index.group_by("person_id").agg(denominator=index.count(), numerator=index.hit.sum())
        index = index.filter(~back)
        lines = claims.lines
        seen = is_primary_care(lines) if self.event == "primary_care" else lines.service == "behavioral"
        visits = lines.filter(seen).select("person_id", day=lines.claim_start_date).distinct()
        hits = index.join(
            visits,
            [index.person_id == visits.person_id, visits.day > index.discharge_date, visits.day <= index.until],
        )
        hits = hits.group_by("person_id").agg(numerator=hits.discharge_date.nunique())
        return _beside(index.group_by("person_id").agg(denominator=index.count()), hits)


class Engaged(Within):
    """People new to the roster whom somebody reaches within some days."""

    kind: Literal["engaged"]
    outcome: OutcomeCode

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        days = self.window
        roster = claims.roster
        new = roster.group_by("person_id").agg(start=roster.start_date.min())
        new = new.filter(new.start.between(first, last - timedelta(days=days)))
        contacts = _outcomes(claims, first, last, [self.outcome])
        contacts = contacts.filter(contacts.outcome_value > 0)
        both = new.join(contacts, "person_id")
        both = both.filter(both.outcome_date.delta(both.start, unit="day").between(0, days))
        return _beside(_one_each(new), _each_once(both))


class Contacts(OfAges):
    """How often something is on record with a value above 0, for each month of coverage."""

    kind: Literal["contacts"]
    outcome: OutcomeCode

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        from .months import covered_months, month_of

        rows = _outcomes(claims, first, last, [self.outcome])
        rows = rows.filter(rows.outcome_value > 0).mutate(month=month_of(rows.outcome_date))
        rows = rows.semi_join(covered_months(claims, first.year, first.month), ["person_id", "month"])
        people = self.covered(claims, first)
        return _beside(
            people.select("person_id", denominator=people.months),
            rows.group_by("person_id").agg(numerator=rows.count()),
        )


class OnRecord(OfAges):
    """People with something on record in the year, of all or of those with something else on record."""

    kind: Literal["recorded"]
    outcome: OutcomeCode | Annotated[list[OutcomeCode], Field(min_length=1)]
    counting: Literal["any record", "a value above 0"] = "any record"
    of: OutcomeCode | None = None

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        rows = _outcomes(claims, first, last, [self.outcome] if isinstance(self.outcome, str) else self.outcome)
        if self.counting == "a value above 0":
            rows = rows.filter(rows.outcome_value.fill_null(1) > 0)
        people = self.covered(claims, first)
        if self.of is not None:
            people = people.semi_join(_outcomes(claims, first, last, [self.of]), "person_id")
        return _beside(_one_each(people), _each_once(rows))


class Change(How):
    """People whose last value of the year is better than the first by so much."""

    kind: Literal["change"]
    outcome: OutcomeCode
    first_from: Count
    first_to: Count | None = None
    by: Count
    better: Literal["lower", "higher"]

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        import ibis

        begin, final = _ends(_outcomes(claims, first, last, [self.outcome]))
        begin = begin.filter(begin.outcome_value >= self.first_from)
        if self.first_to is not None:
            begin = begin.filter(begin.outcome_value <= self.first_to)
        both = begin.left_join(final, "person_id", rname="final_{name}")
        gain = both.final_outcome_value - both.outcome_value
        better = ((gain if self.better == "higher" else -gain) >= self.by).fill_null(False)
        return both.select("person_id", denominator=ibis.literal(1), numerator=better.cast("int64"))


class Closed(Within):
    """People with a need that is closed within some days."""

    kind: Literal["closed"]
    outcome: OutcomeCode
    closes: OutcomeCode

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        days = self.window
        needs = _outcomes(claims, first, last, [self.outcome])
        needs = needs.filter(needs.outcome_value.fill_null(1) > 0)
        found = needs.group_by("person_id").agg(start=needs.outcome_date.min())
        found = found.filter(found.start <= last - timedelta(days=days))
        both = found.join(_outcomes(claims, first, last, [self.closes]), "person_id")
        both = both.filter(both.outcome_date.delta(both.start, unit="day").between(0, days))
        return _beside(_one_each(found), _each_once(both))


class Pressure(OfAges):
    """People with a diagnosis whose last blood pressure of the year is low enough."""

    kind: Literal["pressure"]
    systolic: Count
    diastolic: Count
    days: Days
    diagnoses: Codes

    def rows(self, claims: "Claims", first: date, last: date) -> "ir.Table":
        import ibis

        lines = claims.medical_claim
        codes = [lines[name] for name in lines.columns if name.startswith("diagnosis_code_") and name[-1].isdigit()]
        lines = lines.filter(
            lines.diagnosis_code_type == "icd-10-cm",
            lines.claim_start_date.between(first.replace(year=first.year - 1), last),
            ibis.or_(*[_begins_with(code, self.diagnoses) for code in codes]),
        )
        found = lines.group_by("person_id").agg(seen=lines.claim_start_date.nunique())
        people = self.covered(claims, first).semi_join(found.filter(found.seen >= self.days), "person_id")
        low = []
        for name, limit in (("systolic", self.systolic), ("diastolic", self.diastolic)):
            _, final = _ends(_outcomes(claims, first, last, [name]))
            low.append(final.filter(final.outcome_value < limit).select("person_id"))
        return _beside(_one_each(people), _each_once(low[0].semi_join(low[1], "person_id")))


AnyHow = Annotated[
    Stays | Emergency | AfterDischarge | Engaged | Contacts | OnRecord | Change | Closed | Pressure,
    Field(discriminator="kind"),
]


def _flat(value: Any) -> list[str]:
    return [text for item in value for text in _flat(item)] if isinstance(value, list) else [str(value)]


def _begins_with(code: "ir.Value", rows: Codes) -> "ir.Value":
    import ibis

    return ibis.or_(*[code.startswith(prefix) for row in rows for prefix in row]).fill_null(False)


def _outcomes(claims: "Claims", first: date, last: date, names: Sequence[str]) -> "ir.Table":
    """The outcome records of these kinds in the year."""
    rows = claims.outcome
    return rows.filter(rows.outcome.isin(names), rows.outcome_date.between(first, last))


def _ends(rows: "ir.Table") -> "tuple[ir.Table, ir.Table]":
    """Each person's first and last value; of several on one day, the largest."""
    import ibis

    daily = rows.group_by("person_id", "outcome_date").agg(outcome_value=rows.outcome_value.max())
    person = ibis.window(group_by="person_id")
    daily = daily.mutate(begin=daily.outcome_date.min().over(person), final=daily.outcome_date.max().over(person))
    first = daily.filter(daily.outcome_date == daily.begin).select("person_id", "outcome_value")
    return first, daily.filter(daily.outcome_date == daily.final).select("person_id", "outcome_value")


def _one_each(people: "ir.Table") -> "ir.Table":
    import ibis

    return people.select("person_id", denominator=ibis.literal(1))


def _each_once(rows: "ir.Table") -> "ir.Table":
    import ibis

    return rows.select("person_id").distinct().mutate(numerator=ibis.literal(1))


def _beside(denominators: "ir.Table", numerators: "ir.Table") -> "ir.Table":
    return denominators.left_join(numerators, "person_id").drop("person_id_right")


# --- the specifications ----------------------------------------------------------------------------------------------


class Spec(BaseModel):
    """One measure, in the words that both parties sign; `how` is the arithmetic and its settings."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str
    title: str
    words: str
    numerator: str
    denominator: str
    excluded: str
    lookback: str
    better: Literal["higher", "lower", "neither"]
    of: str  # what the denominator counts
    per: Count | None = None  # so many of them; without it the rate is a share of them, from 0 to 1
    needs: list[Literal["eligibility", "medical_claim", "pharmacy_claim", "outcome", "roster"]]
    lag_months: Months
    reporter: str
    steward: str
    minimum: Lives  # fewest in the denominator
    clock: Literal["leading", "lagging"]
    how: AnyHow

    @property
    def unit(self) -> str:
        """The unit in words.

        >>> [specification(name).unit for name in ("admissions", "contacts_per_month", "readmissions")]
        ['per 1,000 member years', 'per member month', 'share of discharges']
        """
        if self.per is None:
            return f"share of {self.of}"
        return f"per {self.of}" if self.per == 1 else f"per {say_count(self.per)} {self.of}"

    def rate(self, numerator: Any, denominator: Any) -> Any:
        return (self.per or 1) * numerator / denominator


WORDS = ("title", "words", "numerator", "denominator", "excluded", "lookback")  # the settings stand in them in braces


@cache
def _written() -> Mapping[str, Any]:
    data, _ = read_yaml(files(__package__) / "rates.yaml")
    return data  # type: ignore[no-any-return]


@cache
def specifications() -> Mapping[str, Spec]:
    """Every measure by name.

    >>> specifications()["readmissions"].denominator
    'Discharges alive, from the first day of the year to 30 days before its last.'
    """
    return {name: _spec(name, {}) for name in _written()}


def specification(name: str, settings: Settings | None = None) -> Spec:
    """One measure, with a contract's own settings; refuses a name or a setting that it does not know.

    >>> specification("readmissions", {"days": 14}).title
    'Unplanned readmissions within 14 days'
    """
    known(name)
    faults = [
        fault._replace(where=f"measure {name!r}, setting `{'.'.join(map(str, at))}`")
        for at, fault in specifications()[name].how.misfits(settings or {})
    ]
    if faults:
        raise Refusal(faults)
    return _spec(name, settings) if settings else specifications()[name]


def known(name: str) -> str:
    """The name of a measure; refuses one that is not in the list."""
    if name not in _written():
        do = did_you_mean(name, _written()) + "name a measure of rates.yaml"
        raise Refusal([Fault("measure", show(name), ", ".join(_written()), do)])
    return name


def _spec(name: str, settings: Settings) -> Spec:
    written = _written()[name]
    how: How = TypeAdapter(AnyHow).validate_python(written["how"]).with_settings(settings)
    texts = {key: written[key].strip().format(**how.said()) for key in WORDS}
    return Spec.model_validate({**written, **texts, "name": name, "how": how})


# --- rates -----------------------------------------------------------------------------------------------------------


def by_person(
    claims: "Claims",
    people: "ir.Table",
    year: int,
    measure: str,
    settings: Settings | None = None,
    *,
    first_month: int = 1,
) -> "ir.Table":
    """One row for each of the people in a measure's denominator: person_id, denominator, numerator.

    `people` is any table with a person_id: those who count for the contract. `settings` change the measure's own, such
    as `{"days": 14}`; unknown ones are refused. The whole is one expression: nothing runs until it is executed.
    """
    from .months import first_day

    how = specification(measure, settings).how
    last = first_day(year + 1, first_month) - timedelta(days=1)
    rows = how.rows(claims, first_day(year, first_month), last)
    return rows.semi_join(people, "person_id").select(
        "person_id",
        denominator=rows.denominator.cast("float64"),
        numerator=rows.numerator.fill_null(0).cast("float64"),
    )


def measure_table(
    claims: "Claims",
    people: "ir.Table",
    year: int,
    measures: Iterable[str] | Mapping[str, tuple[str, Settings]],
    *,
    first_month: int = 1,
) -> "ir.Table":
    """The rate of each measure in a year: columns measure, denominator, numerator, rate; no rate of nobody.

    `measures` are names, or a contract's own names with the measure and settings of each:
    `{"readmitted": ("readmissions", {"days": 14})}`.
    """
    import ibis

    asked = measures if isinstance(measures, Mapping) else {name: (name, {}) for name in measures}
    parts = []
    for own, (name, settings) in asked.items():
        rows = by_person(claims, people, year, name, settings, first_month=first_month)
        parts.append(_rate(rows.agg(**_sums(rows)), own, specification(name)))
    if not parts:
        raise Refusal([Fault("measures", "none", "at least one measure", "name the measures wanted")])
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def by_group(claims: "Claims", people: "ir.Table", year: int, measure: str, by: str) -> "ir.Table":
    """A measure by group, such as `by="race"`: group, denominator, numerator, rate. Nothing is suppressed yet."""
    rows = by_person(claims, people, year, measure)
    grouped = rows.join(people.select("person_id", group=people[by]).distinct(), "person_id")
    sums = grouped.group_by("group").agg(**_sums(grouped))
    return _rate(sums, measure, specification(measure)).drop("measure").order_by("group")


def _sums(rows: "ir.Table") -> "dict[str, ir.Value]":
    return {"denominator": rows.denominator.sum().fill_null(0), "numerator": rows.numerator.sum().fill_null(0)}


def _rate(sums: "ir.Table", name: str, spec: Spec) -> "ir.Table":
    import ibis

    keys = [column for column in sums.columns if column not in ("denominator", "numerator")]
    rate = spec.rate(sums.numerator, sums.denominator.nullif(0))
    return sums.select(*keys, "denominator", "numerator", measure=ibis.literal(name), rate=rate).relocate("measure")
