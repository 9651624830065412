"""Who is high-need? Population definitions, each a pure Ibis expression over the member table, and rules made of them.

A definition reads the row of a person's year and says whether that year puts the person on the list for the next one.
Its words are printed from the same terms that its expression reads. Definitions combine with `&`, `|` and `~` into a
negotiated one, which prints in words and is written as YAML that a contract file can hold:

    any:
    - denver_health_stays
    - all:
      - chronic_and_behavioral: {chronic: 3}
      - cost: {dollars: 25000}

`both_years` asks that a definition hold in the year and in the one before: a persistence test.

No definition can read a column of the year after (`next_...`): those are for judging a definition, not for making it.

Not modelled:
- refresh within the year: the member table has one row for each person and calendar year
- leaving by a lower threshold than the one for entering (Washington's 1.5 and 1.0): entering and leaving are two rules
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import ibis
import ibis.expr.types as ir
from ibis.expr import operations as ops

from .refusal import Fault, Refusal, did_you_mean, show
from .units import Count, Dollars, Share, Unit
from .value_sets import value_sets

Mark = Literal["published", "described", "assumption"]
MADE_BY = {
    "predicted_paid": "add it with people.predict.with_predicted",
    "hcc": "add it with people.hcc.scores",
}  # columns that `members` does not make


class Columns:
    """A member's facts as a definition sees them: this year's, or with `prior_` those of the year before."""

    def __init__(self, members: ir.Table, prefix: str = "") -> None:
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
        flags = [self[name] == 1 for name in names]
        held = flags[0]
        for flag in flags[1:]:
            held = held | flag
        return held

    def count(self, names: Iterable[str]) -> Any:
        flags = [(self[name] == 1).fill_null(False).cast("int32") for name in names]
        return sum(flags[1:], flags[0])

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def dearest(self, share: float, by: str) -> Any:
        """Whether a member is among this share of the year's, ranked by a column; ties go by person_id.

        As many as the share makes, rounded to the nearest; a member with nothing is never among them.
        """
        year = self._members.year
        # Both windows are of the whole year, so that no filter before or after changes who is among them.
        ranked = ibis.window(group_by=year, order_by=[ibis.desc(self[by].fill_null(0)), self._members.person_id])
        place = ibis.row_number().over(ranked)
        of_all = self._members.person_id.count().over(ibis.window(group_by=year))
        return (place < (of_all * share).round()) & (self[by] > 0)


class Rule(NamedTuple):
    """A kind of definition: its words, its terms with what each rests on, and its expression."""

    name: str
    words: str
    expression: Callable[..., Any]
    source: str  # a key of the book's references, a statute, or ""
    mark: Mark  # published: the thresholds are the source's; described: the source gives the kind, not the thresholds
    basis: Mapping[str, str]  # for each term: a key, or assumption
    defaults: Mapping[str, Any]
    units: Mapping[str, Any]
    note: str

    @property
    def asks_for(self) -> str:
        return ", ".join(self.defaults) or "no terms"


RULES: dict[str, Rule] = {}


def rule(words: str, mark: Mark, source: str = "", **basis: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function of the member columns and its terms as a definition, under its own name."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        RULES[function.__name__] = Rule(
            function.__name__,
            words,
            function,
            source,
            mark,
            {p.name: basis.get(p.name, "assumption" if mark == "assumption" else source) for p in parameters},
            {p.name: p.default for p in parameters},
            {p.name: p.annotation for p in parameters},
            inspect.getdoc(function) or "",
        )
        return function

    return register


# --- by cost ---------------------------------------------------------------------------------------------------------


@rule("cost of {dollars} or more in the year", "assumption")
def cost(m: Columns, dollars: Dollars = 25_000) -> Any:
    """Cost above a threshold."""
    return m.paid >= dollars


@rule("the dearest {share} of members by cost in the year", "assumption")
def dearest(m: Columns, share: Share = 0.05) -> Any:
    """The top of last year's cost: the definition that regresses most."""
    return m.dearest(share, "paid")


@rule("the dearest {share} of members by predicted cost of the next year", "assumption")
def predicted(m: Columns, share: Share = 0.05) -> Any:
    """The top of predicted cost. `predict.predicted` adds the column and says how well it predicts."""
    return m.dearest(share, "predicted_paid")


@rule("cost of {dollars} or more in the year, which is the state's meaning of high risk", "described",
      "chcs_partnerships", dollars="assumption")  # fmt: skip
def colorado_medicaid(m: Columns, dollars: Dollars = 25_000) -> Any:
    """Colorado Medicaid defined high risk by cost (the source says no more). The threshold is an assumption."""
    return m.paid >= dollars


# --- by use ----------------------------------------------------------------------------------------------------------


@rule("{at_least} or more hospital stays in the year", "assumption")
def stays(m: Columns, at_least: Count = 2) -> Any:
    """Hospital stays alone."""
    return m.admissions >= at_least


@rule("{at_least} or more emergency visits in the year", "assumption")
def emergency_visits(m: Columns, at_least: Count = 4) -> Any:
    """Emergency visits alone."""
    return m.emergency_visits >= at_least


@rule("{public} or more hospital stays in the year under Medicare or Medicaid, "
      "{private} or more under private insurance", "published", "hcup2015sb190")  # fmt: skip
def super_utilizer(m: Columns, public: Count = 4, private: Count = 3) -> Any:
    """HCUP's hospital super-utilizer."""
    return m.admissions >= ibis.ifelse(m.payer_type == "commercial", private, public)


@rule("{visits} or more emergency visits, or {at_least} or more hospital stays, in the year", "assumption")
def emergency_super_utilizer(m: Columns, visits: Count = 4, at_least: Count = 2) -> Any:
    """One of the many emergency variants. CMS's bulletin of 24 July 2013 sets no threshold."""
    return (m.emergency_visits >= visits) | (m.admissions >= at_least)


@rule("{at_least} or more hospital stays in the year, or {with_smi} or more with a serious mental illness",
      "published", "frakt2015persistence")  # fmt: skip
def denver_health_stays(m: Columns, at_least: Count = 3, with_smi: Count = 2) -> Any:
    """Denver Health's super-utilizer, as quoted from Johnson and others (Health Affairs, 2015)."""
    return (m.admissions >= at_least) | ((m.admissions >= with_smi) & (m.smi == 1))


@rule("{in_six_months} or more hospital stays within six months, {chronic} or more chronic conditions, and {factors} "
      "or more of: {drugs} or more different drugs, no one at home to help, no way to get to care, a mental illness, "
      "a substance use disorder, no secure home",
      "described", "finkelstein2020camden", chronic="assumption", factors="assumption", drugs="assumption")  # fmt: skip
def camden(m: Columns, in_six_months: Count = 2, chronic: Count = 2, factors: Count = 2, drugs: Count = 5) -> Any:
    """The Camden Coalition's kind: the six-month rule is the trial's, the other thresholds are assumptions."""
    found = m.count(["support_need", "transport_need", "sud", "housing_need"])
    found = found + (m.drugs >= drugs).fill_null(False).cast("int32") + m.any_of(["smi", "depression"]).cast("int32")
    return (m.admissions_in_six_months >= in_six_months) & (m.chronic_conditions >= chronic) & (found >= factors)


@rule("a LACE score of {score} or more at a discharge in the year", "published", "vanwalraven2010lace")
def lace(m: Columns, score: Count = 10) -> Any:
    """Length of stay, acuity, comorbidity, emergency visits; see `lace.score`."""
    return m.lace >= score


# --- by condition ----------------------------------------------------------------------------------------------------


@rule("{chronic} or more chronic physical conditions and {behavioral} or more behavioral conditions, "
      "with {visits} or more primary care visits in the year",
      "described", "chcs_partnerships", chronic="assumption", behavioral="assumption", visits="assumption")  # fmt: skip
def chronic_and_behavioral(m: Columns, chronic: Count = 2, behavioral: Count = 1, visits: Count = 1) -> Any:
    """Denver Health's clinicians: primary care patients with several physical and behavioral conditions.

    The source gives the kind ("multiple chronic physical and behavioral health conditions"), not the counts.
    """
    return (
        (m.chronic_conditions >= chronic) & (m.behavioral_conditions >= behavioral) & (m.primary_care_visits >= visits)
    )


@rule("{at_least} or more of: {conditions}", "assumption")
def has(m: Columns, conditions: list[str] = ["diabetes"], at_least: Count = 1) -> Any:  # noqa: B006 - never changed
    """Named conditions, as many of them as you ask for. With `~` an exclusion."""
    return m.count(conditions) >= at_least


@rule("{chronic} or more chronic conditions and {limits} or more limits in daily activities", "published",
      "hayes2016highneed")  # fmt: skip
def commonwealth_fund(m: Columns, chronic: Count = 3, limits: Count = 1) -> Any:
    """The Commonwealth Fund's high-need adult: function decides, and claims do not hold it."""
    return (m.age >= 18) & (m.chronic_conditions + m.behavioral_conditions >= chronic) & (m.functional_limits >= limits)


HEALTH_HOME = ("asthma", "diabetes", "coronary_disease", "heart_failure", "obesity", "sud", "depression", "anxiety")


@rule("{chronic} chronic conditions, or one and the risk of a second ({at_risk_from}), or one serious and persistent "
      "mental health condition",
      "published", "42 USC 1396w-4(h)", at_risk_from="assumption")  # fmt: skip
def health_home(
    m: Columns,
    chronic: Count = 2,
    at_risk_from: list[str] = ["hypertension", "hyperlipidemia"],  # noqa: B006
) -> Any:
    """The Medicaid health home statute: mental health, substance use, asthma, diabetes, heart disease, BMI over 25.

    The statute says "at risk of having a second"; what that is a state decides, and here it is an assumption.
    """
    heart = m.any_of(["coronary_disease", "heart_failure"]).fill_null(False).cast("int32")
    mind = m.any_of(["smi", "depression", "anxiety"]).fill_null(False).cast("int32")
    listed = m.count(["sud", "asthma", "diabetes", "obesity"]) + heart + mind
    return (listed >= chronic) | ((listed >= 1) & m.any_of(at_risk_from)) | (m.smi == 1)


@rule("{chronic} or more chronic conditions (substance use alone is not enough), or HIV, or a serious mental illness",
      "described", "", chronic="assumption")  # fmt: skip
def new_york_health_home(m: Columns, chronic: Count = 2) -> Any:
    """New York's health home kind, without its further risk factor, which claims do not hold."""
    return (m.chronic_conditions + m.count(["smi", "depression", "sud"]) >= chronic) | (m.hiv == 1) | (m.smi == 1)


@rule("no home and a complex need; or {visits} or more emergency visits within six months; or {at_least} or more "
      "unplanned hospital stays in the year; or a serious mental illness or substance use disorder with a social need",
      "described", "lacare_ecm", visits="assumption", at_least="assumption")  # fmt: skip
def california_ecm(m: Columns, visits: Count = 5, at_least: Count = 3) -> Any:
    """California's Enhanced Care Management kind, for adults: the state's populations, with counts assumed."""
    mind = m.any_of(["smi", "sud"])
    without_home = m.any_of(["housing_need", "homeless"])
    return (m.age >= 21) & (
        (without_home & ((m.complex_conditions >= 1) | mind))
        | (m.emergency_visits_in_six_months >= visits)
        | (m.unplanned_admissions >= at_least)
        | (mind & (m.social_needs >= 1))
    )


# --- by function, frailty and judgment -------------------------------------------------------------------------------


@rule("aged {age} or more, with {indicators} or more signs of frailty", "described", "nam2017effective",
      indicators="nam2017effective", age="nam2017effective")  # fmt: skip
def frail(m: Columns, age: Count = 65, indicators: Count = 2) -> Any:
    """Frail older adults, from signs of frailty on claims: specific, and far from sensitive."""
    return (m.age >= age) & (m.frailty_indicators >= indicators)


SEGMENTS = (
    "children_complex",
    "disabled_under_65",
    "frail_elderly",
    "advancing_illness",
    "major_complex",
    "multiple_chronic",
)


@rule("one of these segments of the National Academy of Medicine: {segments}", "described", "nam2017effective",
      segments="nam2017effective")  # fmt: skip
def nam_segment(m: Columns, segments: list[str] = list(SEGMENTS)) -> Any:  # noqa: B006
    """The National Academy's taxonomy. A person is in the first segment that fits, in the order of `SEGMENTS`."""
    return nam_segment_of(m).isin(segments)


def nam_segment_of(m: Columns) -> Any:
    """Each member's segment, as one expression; which conditions are complex is set in value_sets.yaml (chosen)."""
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


@rule("confirmed by a clinician in the year", "assumption")
def clinician_confirmed(m: Columns) -> Any:
    """A clinician's yes, sent as an outcome with the code clinician_confirmed."""
    return m.clinician_confirmed == 1


@rule("{at_least} or more unmet social needs", "assumption")
def social_need(m: Columns, at_least: Count = 1) -> Any:
    """Needs that screening found: food, housing, transport, utilities, support."""
    return m.social_needs >= at_least


# --- by a score ------------------------------------------------------------------------------------------------------


@rule("a score by {system} of {at_least} or more", "assumption")
def score(m: Columns, system: Literal["prism", "acg", "crg", "other"] = "prism", at_least: Count = 1.5) -> Any:
    """A score computed elsewhere (ACG and CRG are proprietary): it comes in as an outcome, `score_acg` and so on."""
    return m[f"score_{system}"] >= at_least


@rule("a PRISM risk score of {at_least} or more", "published", "dshs2021washington")
def washington(m: Columns, at_least: Count = 1.5) -> Any:
    """Washington State's health home: a predicted cost of at least one and a half times the average."""
    return m.score_prism >= at_least


@rule("a CMS-HCC risk score of {at_least} or more", "assumption")
def hcc(m: Columns, at_least: Count = 2) -> Any:
    """The raw V28 score, which `hcc.scores` adds to the member table."""
    return m.hcc >= at_least


# --- who may be counted at all ---------------------------------------------------------------------------------------


@rule("covered for {months} months or more of the year", "assumption")
def covered(m: Columns, months: Count = 10) -> Any:
    """Time enough for the record to say anything."""
    return m.months >= months


@rule("aged {at_least} to {at_most}", "assumption")
def aged(m: Columns, at_least: Count = 18, at_most: Count = 120) -> Any:
    """An age band, both ends included."""
    return (m.age >= at_least) & (m.age <= at_most)


@rule("alive at the end of the year", "assumption")
def alive(m: Columns) -> Any:
    """The list is for the year that follows."""
    return m.died == 0


# --- a definition, and rules made of definitions ---------------------------------------------------------------------


@dataclass(frozen=True)
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
    >>> shared == read(shared.data())
    True
    """

    op: Literal["rule", "all", "any", "not", "both_years"]
    parts: tuple["Definition", ...] = ()
    name: str = ""
    terms: Mapping[str, Any] = field(default_factory=dict)

    def __and__(self, other: "Definition") -> "Definition":
        return _joined("all", self, other)

    def __or__(self, other: "Definition") -> "Definition":
        return _joined("any", self, other)

    def __invert__(self) -> "Definition":
        return Definition("not", (self,))

    def both_years(self) -> "Definition":
        """The persistence test: it holds in the year and held in the year before."""
        return Definition("both_years", (self,))

    # --- what it says ---

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        if self.op == "rule":
            made = RULES[self.name]
            return [made.words.format(**{t: _say(made.units[t], v) for t, v in self._all_terms().items()})]
        head = {"all": "all of:", "any": "any of:", "not": "not:", "both_years": "in this year and in the one before:"}
        lines = [head[self.op]]
        for part in self.parts:
            first, *rest = part._lines()
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines

    def _all_terms(self) -> dict[str, Any]:
        return {**RULES[self.name].defaults, **self.terms}

    def data(self) -> Any:
        """The definition as YAML holds it; `read` makes it again."""
        if self.op == "rule":
            return {self.name: dict(self.terms)} if self.terms else self.name
        inside = [part.data() for part in self.parts]
        return {self.op: inside[0] if self.op in ("not", "both_years") else inside}

    def rules(self) -> list["Definition"]:
        """The rules that it is made of."""
        return [self] if self.op == "rule" else [leaf for part in self.parts for leaf in part.rules()]

    def basis(self) -> list[tuple[str, str, str, str]]:
        """Rule, term, value in words and what it rests on: a term that a party has set is its own, `agreed`."""
        return [
            (leaf.name, term, _say(RULES[leaf.name].units[term], value), leaf._basis_of(term))
            for leaf in self.rules()
            for term, value in leaf._all_terms().items()
        ]

    def _basis_of(self, term: str) -> str:
        made = RULES[self.name]
        return "agreed" if self.terms.get(term, made.defaults[term]) != made.defaults[term] else made.basis[term]

    # --- what it computes ---

    def __call__(self, members: ir.Table, prefix: str = "") -> Any:
        """True or false for each row of the member table, as one expression; what is unknown does not qualify."""
        if self.op == "both_years":
            return self.parts[0](members) & self.parts[0](members, "prior_")
        if self.op == "not":
            return ~self.parts[0](members, prefix)
        if self.op == "rule":
            return RULES[self.name].expression(Columns(members, prefix), **self._all_terms()).fill_null(False)
        held = self.parts[0](members, prefix)
        for part in self.parts[1:]:
            held = held & part(members, prefix) if self.op == "all" else held | part(members, prefix)
        return held

    def reads(self, members: ir.Table) -> set[str]:
        """The columns of the member table that its expression reads.

        A definition that looked at `next_paid` would show it here: the test of purity reads the expression itself.
        """
        return {op.name for op in self(members).op().find(ops.Field) if op.rel == members.op()}


def _joined(op: Literal["all", "any"], *parts: Definition) -> Definition:
    flat = [inner for part in parts for inner in (part.parts if part.op == op else (part,))]
    return Definition(op, tuple(flat))


def definition(name: str, **terms: Any) -> Definition:
    """A definition by name, with the terms that differ from its defaults.

    >>> print(definition("super_utilizer", public=5))
    5 or more hospital stays in the year under Medicare or Medicaid, 3 or more under private insurance
    >>> definition("super_utiliser", stays=5)
    Traceback (most recent call last):
    ...
    carecontracts.refusal.Refusal: definition 'super_utiliser'
      given:   'super_utiliser'
      allowed: cost, dearest, predicted, colorado_medicaid, stays, emergency_visits, super_utilizer, …
      do:      did you mean 'super_utilizer'? give the name of a definition
    """
    return read({name: terms} if terms else name)


def read(data: Any, where: str = "definition") -> Definition:
    """A definition from what YAML holds; every mistake at once."""
    faults: list[Fault] = []
    made = _read(data, where, faults)
    if faults or made is None:
        raise Refusal(faults)
    return made


def _read(data: Any, where: str, faults: list[Fault]) -> Definition | None:
    allowed = "a name; a name with its terms; or all, any, not or both_years with definitions under it"
    if isinstance(data, str):
        data = {data: {}}
    if not isinstance(data, Mapping) or len(data) != 1:
        faults.append(
            Fault(where, show(data), allowed, "write, say, `any: [denver_health_stays, cost: {dollars: 25000}]`")
        )
        return None
    (name, inside), *_ = data.items()
    if name in ("all", "any"):
        if not isinstance(inside, list) or not inside:
            faults.append(Fault(f"{where}, {name}", show(inside), "a list of definitions", "write them with dashes"))
            return None
        parts = [_read(part, f"{where}, {name} {n}", faults) for n, part in enumerate(inside, 1)]
        return Definition(name, tuple(part for part in parts if part))
    if name in ("not", "both_years"):
        only = _read(inside, f"{where}, {name}", faults)
        if only and name == "both_years" and any(part.op == "both_years" for part in _within(only)):
            faults.append(Fault(f"{where}, both_years", "both_years within both_years", "two years", "take one out"))
        return Definition(name, (only,)) if only else None
    if name not in RULES:
        known = ", ".join(list(RULES)[:7]) + ", …"
        do = f"{did_you_mean(name, RULES)}give the name of a definition"
        faults.append(Fault(f"{where} '{name}'", show(name), known, do))
        return None
    made, terms = RULES[name], inside or {}
    if not isinstance(terms, Mapping):
        faults.append(Fault(f"{where} '{name}'", show(terms), made.asks_for, "write the terms as name: value"))
        return None
    for term, value in terms.items():
        here = f"{where} '{name}', term '{term}'"
        if term not in made.defaults:
            faults.append(Fault(here, show(term), made.asks_for, f"{did_you_mean(term, made.defaults)}remove it"))
        elif fault := _fault(made.units[term], value, here):
            faults.append(fault)
    return Definition("rule", name=name, terms=dict(terms))


def _within(made: Definition) -> list[Definition]:
    return [made, *(inner for part in made.parts for inner in _within(part))]


def _unit(annotation: Any) -> Unit | None:
    return next((m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, Unit)), None)


def _fault(annotation: Any, value: Any, where: str) -> Fault | None:
    if unit := _unit(annotation):
        do = unit.fault(value)
        return Fault(where, show(value), unit.allowed.partition(", or one")[0], do) if do else None
    if annotation == list[str]:
        known = SEGMENTS if where.endswith("'segments'") else tuple(value_sets())
        wrong = value if not isinstance(value, list) or not value else [item for item in value if item not in known]
        if not wrong and isinstance(value, list):
            return None
        hint = did_you_mean(wrong[0], known) if isinstance(wrong, list) and wrong else ""
        return Fault(where, show(wrong), "a list of: " + ", ".join(known), f"{hint}correct the list")
    known = annotation.__args__  # a Literal
    return None if value in known else Fault(where, show(value), ", ".join(known), "choose one of these")


def _say(annotation: Any, value: Any) -> str:
    if unit := _unit(annotation):
        return unit.say(value)
    if isinstance(value, list):
        sets = value_sets()
        return ", ".join(sets[item].words if item in sets else item.replace("_", " ") for item in value)
    return str(value).upper()


def catalog() -> list[Rule]:
    """Every definition, in the order of this file."""
    return list(RULES.values())
