"""Clause: one paragraph of a contract, which makes one payment a year. Each mechanism in `clauses/` is one."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BeforeValidator

from .expected import Expected, Moves
from .ledger import Ledger
from .refusal import refuse, show
from .scales import Ladder, ScaledUnit, SlidingScale
from .units import Dollars, Number, Schedule, Unit, unit_of, when
from .worded import ClauseName, ConditionName, Name, Party, Worded, fields_in
from .year import Year

_DUE = re.compile(r"monthly|quarterly|in kind|at the start of the year|([0-9]{1,3}) months? after the year ends")


def _due(text: Any) -> Any:
    if not isinstance(text, str) or not _DUE.fullmatch(text):
        allowed = "monthly; quarterly; at the start of the year; N months after the year ends; or in kind"
        refuse(show(text), allowed, "write, say, 9 months after the year ends")
    return re.sub(r"^1 months", "1 month", text)


Due = Annotated[str, BeforeValidator(_due)]

MECHANISMS: dict[str, type["Clause"]] = {}  # by kind: every subclass that says which kind it is


class Clause(Worded):
    """What every paragraph has: a name, who pays whom, when, on what conditions, and the basis of its numbers.

    A mechanism adds, in reading order, its `words`, its terms and its `settle`.
    """

    closing = (
        "It is paid only if: {only_if}.",
        "It is not paid if: {unless}.",
        "It is paid only if nothing was ever paid under {only_if_never_paid}.",
        "Due {due}.",
    )
    apart = ("only_if", "unless", "services", "carve_outs")
    common = Worded.common | {"name", "payer", "payee", "due", "only_if", "unless", "only_if_never_paid"}
    reads: ClassVar[
        Mapping[str, Unit | None]
    ] = {}  # facts, `measures.{quality}` naming a term; None: the fact's own unit
    units: ClassVar[Mapping[str, Unit]] = {}  # of the workings that are no dollars; `{tier} months` names a term too
    roles: ClassVar[tuple[str, ...]] = ("payer", "payee")  # what the words call the parties
    looks_back: ClassVar[tuple[str, ...]] = ()  # the terms that name earlier clauses
    remembers: ClassVar[tuple[str, ...]] = ()  # the workings that its later years read
    once: ClassVar[tuple[str, ...]] = ()  # of these, the terms that name a clause in one clause of the kind only
    for_all: ClassVar[tuple[str, ...]] = ()  # the terms that are sums or counts for everyone, not for each member
    insures: ClassVar[Literal["", "cover", "premium"]] = ""  # cover from an attachment point on, or what is paid for it
    lan: ClassVar[str] = ""  # HCP-LAN category of the payment
    vbpr: ClassVar[str] = ""  # HL7 Da Vinci VBPR payment-stream code

    name: Name
    kind: str
    payer: Party
    payee: Party
    due: Due
    only_if: list[ConditionName] = []
    unless: list[ConditionName] = []
    only_if_never_paid: list[ClauseName] = []

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        for kind in get_args(cls.model_fields["kind"].annotation):
            MECHANISMS[kind] = cls

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        """The year's payment before rounding, and how it came about."""
        raise NotImplementedError

    def categories(self) -> tuple[str, str]:
        """`lan` and `vbpr`, for a mechanism whose terms decide which they are."""
        return self.lan, self.vbpr

    def set_for_size(self) -> tuple[str, ...]:
        """Those of its terms that were set for one number of people and fit no other."""
        return tuple(term for term in self.for_all if getattr(self, term) is not None)

    # --- what it reads ---

    def reading(self) -> Mapping[str, Unit | None]:
        """`reads`, for a mechanism whose terms decide which facts it needs."""
        return self.reads

    @cached_property
    def facts(self) -> dict[str, Unit | None]:
        """The facts that this clause reads, by name; `measures.{quality}` follows the term `quality`."""
        needs: dict[str, Unit | None] = {}
        for template, unit in self.reading().items():
            needs.update(dict.fromkeys(self._named(template), unit))
            for term in fields_in(template):
                value = getattr(self, term)
                if not _names_in(value) and self.terms().get(term) and value is not None:
                    needs[template.partition(".")[0]] = unit  # an untiered fee reads all member months
        if any(_slides(getattr(self, term)) for term in self.terms()):
            needs["lives"] = None
        return needs | {f"conditions.{name}": None for name in (*self.only_if, *self.unless)}

    def _named(self, template: str) -> list[str]:
        """What a template stands for, once for each name that its term gives."""
        for term in fields_in(template):
            return [template.replace(f"{{{term}}}", name) for name in _names_in(getattr(self, term))]
        return [template]

    def unit_of(self, working: str) -> Unit:
        """The unit of one of its workings: dollars, where `units` does not say otherwise."""
        named = {name: unit for template, unit in self.units.items() for name in self._named(template)}
        return named.get(working, unit_of(Dollars))

    @property
    def has_memory(self) -> bool:
        """Whether a year's payment depends on the years before it, so that none of them may be missing."""
        return False

    @property
    def looking_back(self) -> tuple[str, ...]:
        """Every term that names earlier clauses: those of its kind, and the one that each clause may have."""
        return (*self.looks_back, "only_if_never_paid")

    @property
    def needs_every_year(self) -> bool:
        """Whether no earlier year may be missing: for what it pays, or for whether it does."""
        return self.has_memory or bool(self.only_if_never_paid)

    # --- what chance must know of it ---

    @property
    def pays_for_results(self) -> bool:
        """Whether it pays by spending or by a measure, which luck moves as well as work does."""
        return self.by_spending or any(name.startswith("measures.") for name in self.facts)

    @property
    def by_spending(self) -> bool:
        """Whether what it pays hangs on what care cost, all of it or that of a fund."""
        return any(name.partition(".")[0] in ("spend", "spends") for name in self.facts)

    @property
    def money_back(self) -> bool:
        """Whether it gives back, for want of results, what was paid for them."""
        return False

    def expects(self, year: Expected) -> Mapping[str, Number]:
        """The facts of a plausible year of which it knows more than their group, if the program changes nothing."""
        return {}

    def moves(self) -> Mapping[str, Moves]:
        """How those of its facts move of which it knows more than their group."""
        return {}

    def price_of_all_care(self) -> Number | None:
        """What it pays in a year for a member's whole care, where it does; tiers count alike."""
        return None

    @property
    def care_taken_on(self) -> Literal["none", "some", "all"]:
        """How much of members' care its payee must buy, or give, out of what it is paid."""
        return "none"

    def claims_from(self) -> Number:
        """The dollars of one member's claims below which they move nothing here."""
        return 0.0

    def covers_of_a_member(self) -> tuple[Number, Number | None] | None:
        """Where it covers one member's claims: the share of them, and up to how many dollars of claims."""
        return None

    # --- its year ---

    def at(self, year: Year, first_year: int) -> Self:
        """The same clause with every schedule and sliding scale turned into this year's number."""
        now = {term: _at(getattr(self, term), year, first_year) for term in self._moving}
        return self.model_copy(update=now) if now else self

    def scales_named(self) -> Iterator[tuple[str, str]]:
        """The terms that name a scale of the contract, and which."""
        for term, unit in self.terms().items():
            value = getattr(self, term, None) if isinstance(unit, ScaledUnit) else None
            for item in value.values() if isinstance(value, Schedule) else [value]:
                if isinstance(item, SlidingScale) and item.name:
                    yield term, item.name

    def on(self, scales: Mapping[str, SlidingScale]) -> Self:
        """The same clause with the points of the scales that it names."""
        terms = {term for term, _ in self.scales_named()}
        return self.model_copy(update={term: _on(getattr(self, term), scales) for term in terms}) if terms else self

    @cached_property
    def _moving(self) -> list[str]:
        return [term for term in self.terms() if _moves(getattr(self, term))]

    def allowed(self, year: Year) -> Any:
        """Whether the conditions of payment hold: true or false, or an array of them."""
        held: Any = True
        for name in self.only_if:
            held = held & (year.conditions[name] == 1)
        for name in self.unless:
            held = held & (year.conditions[name] == 0)
        return held

    def pay(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        """`settle`, where the conditions of payment hold."""
        amount, workings = self.settle(year, ledger)
        held = self.allowed(year)
        if self.only_if_never_paid:
            held = held & (ledger.total(clause=self.only_if_never_paid) == 0)
        if held is True:
            return amount, workings
        return when(held, amount, 0.0), workings

    def months_due(self, months: range) -> tuple[int, ...]:
        """The months in which its payment for these months falls due; a quarter that is cut short ends with them."""
        if self.due == "monthly":
            return tuple(months)
        if self.due == "quarterly":
            return tuple(dict.fromkeys((*months[2::3], months[-1])))
        if self.due == "in kind":
            return ()  # worth something, but no cash moves
        if self.due == "at the start of the year":
            return (months[0],)
        return (months[-1] + int(_DUE.fullmatch(self.due)[1]),)  # type: ignore[index]


def _names_in(value: Any) -> list[str]:
    """The names of parts of a fact that a term gives: a measure, a list of them, or the tiers of a fee."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Schedule):
        return [name for item in value.values() for name in _names_in(item)]
    if isinstance(value, (list, Mapping)) and not isinstance(value, SlidingScale):
        return [str(name) for name in value]
    return []


def _on(value: Any, scales: Mapping[str, SlidingScale]) -> Any:
    if isinstance(value, Schedule):
        return Schedule({start: _on(item, scales) for start, item in value.items()})
    name = value.name if isinstance(value, SlidingScale) else ""
    return SlidingScale(scales[name], name) if name else value


def _slides(value: Any) -> bool:
    if isinstance(value, Schedule):
        return any(_slides(item) for item in value.values())
    return isinstance(value, SlidingScale)


def _moves(value: Any) -> bool:
    """Whether a term is a schedule or a sliding scale, or has one for a tier."""
    inside = isinstance(value, dict) and any(_moves(item) for item in value.values())
    return inside or isinstance(value, (Schedule, SlidingScale))


def _at(value: Any, year: Year, first_year: int) -> Any:
    if isinstance(value, Schedule):
        count = year.year - first_year + 1 if value.counts_from_first_year() else year.year
        return _at(value.at(count), year, first_year)
    if isinstance(value, SlidingScale):
        return value.at(year.lives)
    if isinstance(value, Ladder):
        return value
    if isinstance(value, dict):
        return {key: _at(item, year, first_year) for key, item in value.items()}
    return value
