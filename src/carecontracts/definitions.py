"""Who is high-need? Population definitions: each its words, its terms and a pure expression over the member table.

A definition reads the row of a person's year and says whether that year puts the person on the list for the next one.
A class below is a definition, under its own name in small letters: `SuperUtilizer` is `super_utilizer` in a contract.
Definitions combine with `&`, `|` and `~` into a negotiated one, which prints in words and is written as YAML that a
contract file can hold:

    any:
    - denver_health_stays
    - all:
      - chronic_and_behavioral: {chronic: 3}
      - cost: {dollars: 25000}

`both_years` asks that a definition hold in the year and in the one before: a persistence test.

No definition can read a column of the year after (`next_...`): those are for judging a definition, not for making it.

Not modelled:
- refresh within the year: the member table has one row for each person and year
- leaving by a lower threshold than the one for entering (Washington's 1.5 and 1.0): entering and leaving are two rules
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, field_validator

from .files import Place
from .refusal import Fault, Refusal, did_you_mean, refuse, show
from .units import Count, Dollars, MonthsOfYear, Share
from .value_sets import KnownCondition, value_sets
from .worded import Misfit, Worded, in_number, misfits_in, refuse_each

if TYPE_CHECKING:
    import ibis.expr.types as ir

MADE_BY = {
    "predicted_paid": "add it with people.predict.with_predicted",
    "hcc": "add it with people.hcc.scores",
}  # columns that `members` does not make


class Columns:
    """A member's facts as a definition sees them: this year's, or with `prior_` those of the year before."""

    def __init__(self, members: "ir.Table", prefix: str = "") -> None:
        self._members, self._prefix = members, prefix

    def __getattr__(self, name: str) -> Any:
        column = self._prefix + name
        if name.startswith(("next_", "_")):
            raise AttributeError(f"a definition does not read {name}: it is not known when the list is drawn")
        if column not in self._members.columns:
            hint = did_you_mean(column, self._members.columns)
            do = hint + MADE_BY.get(name, "make the table with people.member_table.members, or add the column")
            raise Refusal([Fault("the member table", f"no column `{column}`", "the columns of the definition", do)])
        return self._members[column]

    def any_of(self, names: Iterable[str]) -> Any:
        flags = [getattr(self, name) == 1 for name in names]
        held = flags[0]
        for flag in flags[1:]:
            held = held | flag
        return held

    def count(self, names: Iterable[str]) -> Any:
        flags = [(getattr(self, name) == 1).fill_null(False).cast("int32") for name in names]
        return sum(flags[1:], flags[0])

    def dearest(self, share: float, by: str) -> Any:
        """Whether a member is among this share of the year's, ranked by a column; ties go by person_id.

        As many as the share makes, rounded to the nearest; a member with nothing is never among them.
        """
        import ibis

        year, ranked_by = self._members.year, getattr(self, by)
        # Both windows are of the whole year, so that no filter before or after changes who is among them.
        ranked = ibis.window(group_by=year, order_by=[ibis.desc(ranked_by.fill_null(0)), self._members.person_id])
        place = ibis.row_number().over(ranked)
        of_all = self._members.person_id.count().over(ibis.window(group_by=year))
        return (place < (of_all * share).round()) & (ranked_by > 0)


# --- what every definition can do ------------------------------------------------------------------------------------


class Definition:
    """A population definition: one rule with its terms, or others joined by all, any, not or both_years.

    >>> costly = definition("cost", dollars=25_000) & definition("has", conditions=["smi"])
    >>> shared = definition("denver_health_stays") | costly
    >>> print(shared)
    any of:
    - 3 or more hospital stays in the year, or 2 or more with a serious mental illness
    - all of:
      - cost of $25,000 or more in the year
      - 1 or more of: serious mental illness
    >>> shared == from_data(shared.data())
    True
    """

    def __and__(self, other: "Definition") -> "Definition":
        return _flat("all", self, other)

    def __or__(self, other: "Definition") -> "Definition":
        return _flat("any", self, other)

    def __invert__(self) -> "Definition":
        return Joined("not", (self,))

    def both_years(self) -> "Definition":
        """The persistence test: it holds in the year and held in the year before."""
        return Joined("both_years", (self,))

    def __call__(self, members: "ir.Table", prefix: str = "") -> Any:
        """True or false for each row of the member table, as one expression; what is unknown does not qualify."""
        raise NotImplementedError

    def say(self) -> str:
        """The definition in words, on one line."""
        raise NotImplementedError

    def lines(self) -> list[str]:
        """The definition in words, what is joined in a list."""
        return [self.say()]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def data(self) -> Any:
        """The definition as YAML holds it; `from_data` makes it again."""
        raise NotImplementedError

    def has_numbers(self) -> bool:
        """Whether any rule in it has a number that rests on something."""
        return any(unit for rule in self.rules() for unit in type(rule).terms().values())

    def within(self) -> "Iterator[Definition]":
        """The definition and all that it is made of."""
        yield self

    def rules(self) -> "list[Rule]":
        """The rules that it is made of."""
        return [each for each in self.within() if isinstance(each, Rule)]

    def bases(self) -> list[tuple[str, str, str, str]]:
        """Rule, term, value in words and what it rests on: a term that a party has set is its own, `agreed`."""
        return [
            (rule.name, term, rule.say_term(term), str(rule.basis_of(term)))
            for rule in self.rules()
            for term in type(rule).terms()
        ]

    def reads(self, members: "ir.Table") -> set[str]:
        """The columns of the member table that its expression reads.

        A definition that looked at `next_paid` would show it here: the test of purity reads the expression itself.
        """
        from ibis.expr import operations as ops

        return {op.name for op in self(members).op().find(ops.Field) if op.rel == members.op()}


class Rule(Definition, Worded):
    """A definition that stands by itself: its words, its terms with what they rest on, and its expression."""

    mark: ClassVar[Literal["published", "described", "assumption"]] = "assumption"
    # published: the thresholds are the source's; described: the source gives the kind, not the thresholds
    source: ClassVar[str] = ""  # a key of the book's references, a statute, or ""
    assumed: ClassVar[tuple[str, ...]] = ()  # the terms whose number is not the source's

    def holds(self, m: Columns) -> Any:
        """Whether a member's year meets the definition: an expression over its columns."""
        raise NotImplementedError

    @field_validator("*", mode="before")
    @classmethod
    def _one_number(cls, value: Any, info: ValidationInfo) -> Any:
        """A term is one number: the same rule draws the list of every year, so that no term is a schedule."""
        unit = cls.terms().get(info.field_name or "")
        if unit and (do := unit.fault(value)):
            refuse(show(value), unit.allowed.partition(", or one")[0], do)
        return value

    @property
    def name(self) -> str:
        return name_of(type(self))

    def say(self, named: Mapping[str, str] = {}, about: Collection[str] = ()) -> str:
        """Not a sentence of its own: it stands within one, and is said whole."""
        said = {term: self.say_term(term) for term in self.terms()}
        return in_number(" ".join(self.words), said).format(**said)

    def say_term(self, term: str) -> str:
        value, sets = getattr(self, term), value_sets()
        if isinstance(value, list):
            return ", ".join(sets[item].words if item in sets else item.replace("_", " ") for item in value)
        return super().say_term(term)

    def basis_of(self, term: str) -> str:
        if getattr(self, term) != type(self).model_fields[term].default:
            return "agreed"
        return "assumption" if self.mark == "assumption" or term in self.assumed else self.source

    def data(self) -> Any:
        terms = self.model_dump(exclude_unset=True)
        return {self.name: terms} if terms else self.name

    def __call__(self, members: "ir.Table", prefix: str = "") -> Any:
        return self.holds(Columns(members, prefix)).fill_null(False)


@dataclass(frozen=True)
class Joined(Definition):
    """Definitions joined into one."""

    op: Literal["all", "any", "not", "both_years"]
    parts: tuple[Definition, ...]

    def say(self) -> str:
        said = "; ".join(part.say() for part in self.parts)
        return f"{_HEAD[self.op]}: {said}" if self.op == "both_years" else f"{_HEAD[self.op]} ({said})"

    def lines(self) -> list[str]:
        lines = [f"{_HEAD[self.op]}:"]
        for part in self.parts:
            first, *rest = part.lines()
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines

    def data(self) -> Any:
        inside = [part.data() for part in self.parts]
        return {self.op: inside[0] if self.op in ("not", "both_years") else inside}

    def within(self) -> Iterator[Definition]:
        yield self
        for part in self.parts:
            yield from part.within()

    def __call__(self, members: "ir.Table", prefix: str = "") -> Any:
        if self.op == "both_years":
            return self.parts[0](members) & self.parts[0](members, "prior_")
        held = self.parts[0](members, prefix)
        if self.op == "not":
            return ~held
        for part in self.parts[1:]:
            held = held & part(members, prefix) if self.op == "all" else held | part(members, prefix)
        return held

    __str__ = Definition.__str__


Conditions = Annotated[list[KnownCondition], Field(min_length=1)]
Segment = Literal[
    "children_complex",
    "disabled_under_65",
    "frail_elderly",
    "advancing_illness",
    "major_complex",
    "multiple_chronic",
]
_HEAD = {"all": "all of", "any": "any of", "not": "not", "both_years": "in this year and in the one before"}


def _flat(op: Literal["all", "any"], *parts: Definition) -> Definition:
    inside = [part.parts if isinstance(part, Joined) and part.op == op else (part,) for part in parts]
    return Joined(op, tuple(each for parts in inside for each in parts))


# --- by cost ---------------------------------------------------------------------------------------------------------


class Cost(Rule):
    """Cost above a threshold."""

    words = ("cost of {dollars} or more in the year",)

    dollars: Dollars = 25_000

    def holds(self, m: Columns) -> Any:
        return m.paid >= self.dollars


class Dearest(Rule):
    """The top of last year's cost: the definition that regresses most."""

    words = ("the dearest {share} of members by cost in the year",)

    share: Share = 0.05

    def holds(self, m: Columns) -> Any:
        return m.dearest(self.share, "paid")


class Predicted(Rule):
    """The top of predicted cost. `predict.with_predicted` adds the column and says how well it predicts."""

    words = ("the dearest {share} of members by predicted cost of the next year",)

    share: Share = 0.05

    def holds(self, m: Columns) -> Any:
        return m.dearest(self.share, "predicted_paid")


class ColoradoMedicaid(Rule):
    """Colorado Medicaid defined high risk by cost (the source says no more). The threshold is an assumption."""

    words = ("cost of {dollars} or more in the year, which is the state's meaning of high risk",)
    mark = "described"
    source = "chcs_partnerships"
    assumed = ("dollars",)

    dollars: Dollars = 25_000

    def holds(self, m: Columns) -> Any:
        return m.paid >= self.dollars


# --- by use ----------------------------------------------------------------------------------------------------------


class Stays(Rule):
    """Hospital stays alone."""

    words = ("{at_least} or more hospital stays in the year",)

    at_least: Count = 2

    def holds(self, m: Columns) -> Any:
        return m.admissions >= self.at_least


class EmergencyVisits(Rule):
    """Emergency visits alone."""

    words = ("{at_least} or more emergency visits in the year",)

    at_least: Count = 4

    def holds(self, m: Columns) -> Any:
        return m.emergency_visits >= self.at_least


class SuperUtilizer(Rule):
    """HCUP's hospital super-utilizer."""

    words = (
        "{public} or more hospital stays in the year under Medicare or Medicaid,"
        " {private} or more under private insurance",
    )
    mark = "published"
    source = "hcup2015sb190"

    public: Count = 4
    private: Count = 3

    def holds(self, m: Columns) -> Any:
        return m.admissions >= (m.payer_type == "commercial").ifelse(self.private, self.public)


class EmergencySuperUtilizer(Rule):
    """One of the many emergency variants. CMS's bulletin of 24 July 2013 sets no threshold."""

    words = ("{visits} or more emergency visits, or {at_least} or more hospital stays, in the year",)

    visits: Count = 4
    at_least: Count = 2

    def holds(self, m: Columns) -> Any:
        return (m.emergency_visits >= self.visits) | (m.admissions >= self.at_least)


class DenverHealthStays(Rule):
    """Denver Health's super-utilizer, as quoted from Johnson and others (Health Affairs, 2015)."""

    words = ("{at_least} or more hospital stays in the year, or {with_smi} or more with a serious mental illness",)
    mark = "published"
    source = "frakt2015persistence"

    at_least: Count = 3
    with_smi: Count = 2

    def holds(self, m: Columns) -> Any:
        return (m.admissions >= self.at_least) | ((m.admissions >= self.with_smi) & (m.smi == 1))


class Camden(Rule):
    """The Camden Coalition's kind: the six-month rule is the trial's, the other thresholds are assumptions."""

    words = (
        "{in_six_months} or more hospital stays within six months, {chronic} or more chronic conditions, and {factors}"
        " or more of: {drugs} or more different drugs, no one at home to help, no way to get to care, a mental illness,"
        " a substance use disorder, no secure home",
    )
    mark = "described"
    source = "finkelstein2020camden"
    assumed = ("chronic", "factors", "drugs")

    in_six_months: Count = 2
    chronic: Count = 2
    factors: Count = 2
    drugs: Count = 5

    def holds(self, m: Columns) -> Any:
        found = m.count(["support_need", "transport_need", "sud", "housing_need"])
        found = found + (m.drugs >= self.drugs).fill_null(False).cast("int32")
        found = found + m.any_of(["smi", "depression"]).cast("int32")
        often = m.admissions_in_six_months >= self.in_six_months
        return often & (m.chronic_conditions >= self.chronic) & (found >= self.factors)


class Lace(Rule):
    """Length of stay, acuity, comorbidity, emergency visits; see `people.lace.score`."""

    words = ("a LACE score of {score} or more at a discharge in the year",)
    mark = "published"
    source = "vanwalraven2010lace"

    score: Count = 10

    def holds(self, m: Columns) -> Any:
        return m.lace >= self.score


# --- by condition ----------------------------------------------------------------------------------------------------


class ChronicAndBehavioral(Rule):
    """Denver Health's clinicians: primary care patients with several physical and behavioral conditions.

    The source gives the kind ("multiple chronic physical and behavioral health conditions"), not the counts.
    """

    words = (
        "{chronic} or more chronic physical conditions and {behavioral} or more behavioral conditions,"
        " with {visits} or more primary care visits in the year",
    )
    mark = "described"
    source = "chcs_partnerships"
    assumed = ("chronic", "behavioral", "visits")

    chronic: Count = 2
    behavioral: Count = 1
    visits: Count = 1

    def holds(self, m: Columns) -> Any:
        ill = (m.chronic_conditions >= self.chronic) & (m.behavioral_conditions >= self.behavioral)
        return ill & (m.primary_care_visits >= self.visits)


class Has(Rule):
    """Named conditions, as many of them as you ask for. With `~` an exclusion."""

    words = ("{at_least} or more of: {conditions}",)

    conditions: Conditions = ["diabetes"]
    at_least: Count = 1

    def holds(self, m: Columns) -> Any:
        return m.count(self.conditions) >= self.at_least


class CommonwealthFund(Rule):
    """The Commonwealth Fund's high-need adult: function decides, and claims do not hold it."""

    words = (
        "aged {age} or more, with {chronic} or more chronic conditions and {limits} or more limits in daily activities",
    )
    mark = "published"
    source = "hayes2016highneed"

    age: Count = 18
    chronic: Count = 3
    limits: Count = 1

    def holds(self, m: Columns) -> Any:
        ill = m.chronic_conditions + m.behavioral_conditions >= self.chronic
        return (m.age >= self.age) & ill & (m.functional_limits >= self.limits)


class HealthHome(Rule):
    """The Medicaid health home statute: mental health, substance use, asthma, diabetes, heart disease, BMI over 25.

    The statute says "at risk of having a second"; what that is a state decides, and here it is an assumption.
    """

    words = (
        "{chronic} chronic conditions, or one and the risk of a second ({at_risk_from}), or one serious and persistent"
        " mental health condition",
    )
    mark = "published"
    source = "42 USC 1396w-4(h)"
    assumed = ("at_risk_from",)

    chronic: Count = 2
    at_risk_from: Conditions = ["hypertension", "hyperlipidemia"]

    def holds(self, m: Columns) -> Any:
        heart = m.any_of(["coronary_disease", "heart_failure"]).fill_null(False).cast("int32")
        mind = m.any_of(["smi", "depression", "anxiety"]).fill_null(False).cast("int32")
        listed = m.count(["sud", "asthma", "diabetes", "obesity"]) + heart + mind
        return (listed >= self.chronic) | ((listed >= 1) & m.any_of(self.at_risk_from)) | (m.smi == 1)


class NewYorkHealthHome(Rule):
    """New York's health home kind, without its further risk factor, which claims do not hold."""

    words = (
        "{chronic} or more chronic conditions (substance use alone is not enough), or HIV, or a serious mental illness",
    )
    mark = "described"
    assumed = ("chronic",)

    chronic: Count = 2

    def holds(self, m: Columns) -> Any:
        listed = m.chronic_conditions + m.count(["smi", "depression", "sud"])
        return (listed >= self.chronic) | (m.hiv == 1) | (m.smi == 1)


class CaliforniaEcm(Rule):
    """California's Enhanced Care Management kind, for adults: the state's populations, with counts assumed."""

    words = (
        "aged {age} or more, and: no home and a complex need; or {visits} or more emergency visits within six months;"
        " or {at_least} or more unplanned hospital stays in the year; or a serious mental illness or substance use"
        " disorder with a social need",
    )
    mark = "described"
    source = "lacare_ecm"
    assumed = ("visits", "at_least")

    age: Count = 21
    visits: Count = 5
    at_least: Count = 3

    def holds(self, m: Columns) -> Any:
        mind = m.any_of(["smi", "sud"])
        without_home = m.any_of(["housing_need", "homeless"])
        return (m.age >= self.age) & (
            (without_home & ((m.complex_conditions >= 1) | mind))
            | (m.emergency_visits_in_six_months >= self.visits)
            | (m.unplanned_admissions >= self.at_least)
            | (mind & (m.social_needs >= 1))
        )


# --- by function, frailty and judgment -------------------------------------------------------------------------------


class Frail(Rule):
    """Frail older adults, from signs of frailty on claims: specific, and far from sensitive."""

    words = ("aged {age} or more, with {indicators} or more signs of frailty",)
    mark = "described"
    source = "nam2017effective"

    age: Count = 65
    indicators: Count = 2

    def holds(self, m: Columns) -> Any:
        return (m.age >= self.age) & (m.frailty_indicators >= self.indicators)


class NamSegment(Rule):
    """The National Academy's taxonomy. A person is in the first segment that fits, in the order of `Segment`."""

    words = ("one of these segments of the National Academy of Medicine: {segments}",)
    mark = "described"
    source = "nam2017effective"

    segments: Annotated[list[Segment], Field(min_length=1)] = list(get_args(Segment))

    def holds(self, m: Columns) -> Any:
        return nam_segment_of(m).isin(self.segments)


def nam_segment_of(m: Columns) -> Any:
    """Each member's segment, as one expression; which conditions are complex is set in value_sets.yaml (chosen)."""
    import ibis

    simple = m.chronic_conditions + m.behavioral_conditions - m.complex_conditions
    return ibis.cases(
        (
            (m.age < 18) & ((m.severe_impairments >= 4) & (m.tube_feeding == 1)
                            | (m.severe_impairments >= 2) & (m.ventilation == 1)),
            "children_complex",
        ),
        ((m.age >= 18) & (m.age < 65) & ((m.esrd == 1) | (m.disabled == 1)), "disabled_under_65"),
        ((m.age >= 65) & (m.frailty_indicators >= 2), "frail_elderly"),
        (m.any_of(["palliative", "metastatic_cancer"]), "advancing_illness"),
        ((m.complex_conditions >= 2) | (simple >= 6), "major_complex"),
        ((m.complex_conditions >= 1) | (simple >= 1), "multiple_chronic"),
        else_="relatively_healthy",
    )  # fmt: skip


class ClinicianConfirmed(Rule):
    """A clinician's yes, sent as an outcome with the code clinician_confirmed."""

    words = ("confirmed by a clinician in the year",)

    def holds(self, m: Columns) -> Any:
        return m.clinician_confirmed == 1


class SocialNeed(Rule):
    """Needs that screening found: food, housing, transport, utilities, support."""

    words = ("{at_least} or more unmet social needs",)

    at_least: Count = 1

    def holds(self, m: Columns) -> Any:
        return m.social_needs >= self.at_least


# --- by a score ------------------------------------------------------------------------------------------------------


class Score(Rule):
    """A score computed elsewhere (ACG and CRG are proprietary): it comes in as an outcome, `score_acg` and so on."""

    words = ("a score by {system} of {at_least} or more",)
    spoken = {"system": {"prism": "PRISM", "acg": "ACG", "crg": "CRG", "other": "another system"}}

    system: Literal["prism", "acg", "crg", "other"] = "prism"
    at_least: Count = 1.5

    def holds(self, m: Columns) -> Any:
        return getattr(m, f"score_{self.system}") >= self.at_least


class Washington(Rule):
    """Washington State's health home: a predicted cost of at least one and a half times the average."""

    words = ("a PRISM risk score of {at_least} or more",)
    mark = "published"
    source = "dshs2021washington"

    at_least: Count = 1.5

    def holds(self, m: Columns) -> Any:
        return m.score_prism >= self.at_least


class Hcc(Rule):
    """The raw V28 score, which `people.hcc.scores` adds to the member table."""

    words = ("a CMS-HCC risk score of {at_least} or more",)

    at_least: Count = 2

    def holds(self, m: Columns) -> Any:
        return m.hcc >= self.at_least


# --- who may be counted at all ---------------------------------------------------------------------------------------


class Everyone(Rule):
    """No choice at all: all who are members in the year."""

    words = ("everyone",)

    def holds(self, m: Columns) -> Any:
        return m.months > 0


class Covered(Rule):
    """Time enough for the record to say anything."""

    words = ("covered for {months} months or more of the year",)

    months: MonthsOfYear = 10

    def holds(self, m: Columns) -> Any:
        return m.months >= self.months


class Aged(Rule):
    """An age band, both ends included."""

    words = ("aged {at_least} to {at_most}",)

    at_least: Count = 18
    at_most: Count = 120

    def holds(self, m: Columns) -> Any:
        return (m.age >= self.at_least) & (m.age <= self.at_most)


class Alive(Rule):
    """The list is for the year that follows."""

    words = ("alive at the end of the year",)

    def holds(self, m: Columns) -> Any:
        return m.died == 0


# --- from a name, and from what YAML holds ---------------------------------------------------------------------------


def name_of(kind: type[Rule]) -> str:
    """The name of a definition in a contract.

    >>> name_of(SuperUtilizer)
    'super_utilizer'
    """
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def kinds() -> dict[str, type[Rule]]:
    """Every definition by name, in the order of this file; one written elsewhere comes after them."""
    return {name_of(kind): kind for kind in Rule.__subclasses__()}


def definition(name: str, **terms: Any) -> Definition:
    """A definition by name, with the terms that differ from its defaults.

    >>> print(definition("super_utilizer", public=5))
    5 or more hospital stays in the year under Medicare or Medicaid, 3 or more under private insurance
    >>> definition("super_utilizer", publik=5)
    Traceback (most recent call last):
    ...
    carecontracts.refusal.Refusal: definition, `super_utilizer.publik`
      given:   the unknown term `publik`
      allowed: public, private
      do:      did you mean 'public'? rename or remove it
    """
    return from_data({name: terms} if terms else name)


def from_data(data: Any, where: str = "definition") -> Definition:
    """A definition from what YAML holds; every mistake at once."""
    misfits: list[Misfit] = []
    made = _made(data, (), misfits)
    if misfits or made is None:
        raise Refusal(
            fault._replace(where=f"{where}, `{'.'.join(map(str, at))}`" if at else where) for at, fault in misfits
        )
    return made


def _given(data: Any) -> Definition:
    if isinstance(data, Definition):
        return data
    misfits: list[Misfit] = []
    made = _made(data, (), misfits)
    if misfits or made is None:
        refuse_each(misfits)
    return made


# A term of a contract that is a definition: `definition: {cost: {dollars: 25000}}`.
AnyDefinition = Annotated[Definition, PlainValidator(_given), PlainSerializer(lambda made: made.data())]


def _made(data: Any, place: Place, misfits: list[Misfit]) -> Definition | None:
    """The definition that data holds, or nothing; what is wrong with it is added to the misfits."""
    if isinstance(data, str):
        name, inside, here = data, None, place
    elif isinstance(data, Mapping) and len(data) == 1:
        ((name, inside),) = data.items()
        here = (*place, name)
    else:
        allowed = "a name; a name with its terms; or all, any, not or both_years with definitions under it"
        do = "write, say, `any: [denver_health_stays, cost: {dollars: 25000}]`"
        misfits.append((place, Fault("", show(data), allowed, do)))
        return None
    if name in ("all", "any"):
        if not isinstance(inside, list) or not inside:
            misfits.append((here, Fault("", show(inside), "a list of definitions", "write them with dashes")))
            return None
        parts = [_made(part, (*here, n), misfits) for n, part in enumerate(inside)]
        return Joined("all" if name == "all" else "any", tuple(part for part in parts if part))
    if name in ("not", "both_years"):
        only = _made(inside, here, misfits)
        if not only:
            return None
        if name == "not":
            return ~only
        if any(isinstance(each, Joined) and each.op == "both_years" for each in only.within()):
            misfits.append((here, Fault("", "both_years within both_years", "two years", "take one out")))
        return only.both_years()
    known = kinds()
    if name not in known:
        do = did_you_mean(name, [*known, *_HEAD]) + "give the name of a definition"
        misfits.append((here, Fault("", show(name), ", ".join(known), do)))
        return None
    kind, terms = known[name], {} if inside is None else inside
    if not isinstance(terms, Mapping):
        allowed = ", ".join(kind.terms()) or "no terms"
        misfits.append((here, Fault("", show(terms), allowed, "write the terms as name: value")))
        return None
    found = [((*here, *at), fault) for at, fault in misfits_in(kind, terms, kind.terms())]
    misfits += found
    return None if found else kind.model_validate(terms)
