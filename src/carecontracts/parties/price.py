"""From staffing to a price: what a program costs, what it must save, how likely that is, and what would change it.

A proposal says who works for how many people and what they are paid. The chain from there:

staff = people / caseload          cost = staff x salary x load + overhead + other
price = cost / member months       required reduction = cost / what the people would have cost

and then two different chances. That the program *truly* saves its cost, by a belief about effects like it (see
`evidence.prior`). And that the result *shows* it, when luck is added (see `chance.noise`). `backwards` asks what price,
baseline, caseload, engagement or time would make either chance what it should be.

Not modelled: an effect that weakens as caseloads grow, so a larger caseload is a limit to test and not a remedy; shared
savings and other payments, which are contracts; taxes; people who leave and return; savings that go to another payer.
"""

import math
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from ..chance.noise import Panel
from ..evidence.library import Library, faults_in, load, place_in
from ..evidence.prior import Belief, Reader, scenarios, weigh
from ..files import read_yaml
from ..refusal import Fault, Refusal, many, refuse, show
from ..worded import Name, Text
from .part import Basis, Extra, Part, Posts, Ramp, Rate, Share, at, between, every_number_has_a_basis

MOST_YEARS = 15
_WORDED = {"name", "line", "roles", "basis"}  # what a proposal says that is not a number
LARGEST_CASELOAD = 250  # people; in 2012, 2.2% of managers held more (amednews2012caseload)


class Role(Part):
    """One kind of work: so many people to each, so many staff to each, or a number of full-time posts."""

    role: Name
    caseload: Annotated[float, between("people to a post", 1, 10_000)] | None = (
        None  # people who take part, to one full-time post
    )
    staff: Posts | None = None  # posts with a caseload, to one full-time post
    full_time: Posts | None = None  # posts, whatever the number of people
    salary: Annotated[float, between("dollars a year", 1, 10_000_000)]  # dollars a year, before benefits
    basis: dict[str, Basis]

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("caseload", "staff", "full_time") if getattr(self, name) is not None]
        if len(given) != 1:
            refuse(" and ".join(given) or "none", "one of caseload, staff or full_time", "write one of them")
        every_number_has_a_basis([*given, "salary"], self.basis)
        return self


class Proposal(Part):
    """A program as it is proposed: staff, people, what they would cost without it, and where each number is from."""

    name: Text
    line: Literal["medicaid", "medicare", "dual", "commercial"]
    years: Annotated[int, Field(ge=1, le=MOST_YEARS)]
    eligible: Annotated[float, between("people", 1, 100_000_000)]
    reached: Share  # of the eligible
    engaged: Share  # of the reached
    baseline: Annotated[float, between("dollars per person and month", 1, 1_000_000)]
    trend: Rate = 0.0
    people_ramp: Ramp = [1.0]
    hired_ramp: Ramp = [1.0]
    effect_ramp: Ramp = [1.0]
    roles: Annotated[list[Role], Field(min_length=1)]
    load: Annotated[float, between("a multiple of wages", 1, 3)]
    overhead: Annotated[float, between("a share of staff cost", 0, 10)] = 0.0
    per_person_month: Extra = 0.0
    outreach: Extra = 0.0
    start_up: Annotated[float, between("dollars", 0, 10_000_000_000)] = 0.0
    raises: Rate = 0.0
    discount: Rate = 0.0
    measured: Literal["engaged", "eligible"] = "engaged"
    spread: Annotated[float, between("a standard deviation over its mean", 0.01, 20)]
    kept: Annotated[float, between("a correlation", 0, 1)] = 0.0
    common: Annotated[float, between("a share", 0, 0.99)] = 0.0
    basis: dict[str, Basis]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not any(role.caseload for role in self.roles):
            refuse("no role with a caseload", "at least one", "say how many people one of them serves")
        years = range(self.years)
        if not any(at(self.people_ramp, n) * at(self.effect_ramp, n) for n in years):
            do = "give a longer `years`, or correct the ramps"
            refuse(f"no year of the {self.years} in which people take part and there is an effect", "one at least", do)
        if not any(at(self.hired_ramp, n) for n in years):
            do = "give a longer `years`, or correct `hired_ramp`"
            refuse(f"no year of the {self.years} in which staff is paid", "one at least", do)
        given = [name for name in type(self).model_fields if name in self.model_fields_set - _WORDED]
        every_number_has_a_basis(given, self.basis)
        return self

    @classmethod
    def load_file(cls, path: Traversable | Path | str) -> Self:
        """The proposal in a YAML file; a `Refusal` lists all that is wrong with it."""
        data, lines = read_yaml(path)
        if not isinstance(data, dict):
            raise Refusal(
                [Fault(str(path), show(data), "fields and their values", "see carecontracts price --example")]
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            known = [*cls.model_fields, *Role.model_fields]
            raise Refusal(faults_in(error, place_in(lines, str(path)), known)) from None

    def amend(self, **changes: Any) -> Self:
        """The same proposal with some numbers changed, checked again; what had no basis is an assumption."""
        data = self.model_dump(exclude_unset=True) | changes
        added = {name: "assumption" for name in changes if name not in _WORDED}
        try:
            return type(self).model_validate(data | {"basis": added | data["basis"]})
        except ValidationError as error:
            raise Refusal(faults_in(error, place_in({(): 1}, self.name), type(self).model_fields)) from None

    def assumed(self) -> list[str]:
        """The numbers that rest on nothing but an assumption."""
        own = [name for name, basis in self.basis.items() if basis == "assumption"]
        return own + [
            f"{role.role}'s {name}"
            for role in self.roles
            for name, basis in role.basis.items()
            if basis == "assumption"
        ]

    @property
    def people(self) -> float:
        """How many take part when the program is full."""
        return self.eligible * self.reached * self.engaged

    def posts(self) -> dict[str, float]:
        """Full-time posts by role when the program is full.

        >>> posts = Proposal.load_file(example()).posts()
        >>> {role: round(n, 2) for role, n in posts.items()}
        {'nurse care manager': 10.67, 'community health worker': 5.33, 'supervisor': 1.6, 'medical director': 0.1}
        """
        with_people = sum(self.people / role.caseload for role in self.roles if role.caseload)
        return {
            role.role: self.people / role.caseload
            if role.caseload
            else with_people / role.staff
            if role.staff
            else role.full_time or 0.0
            for role in self.roles
        }


def example() -> Traversable:
    """The proposal that comes with the package, to copy."""
    return files("carecontracts.parties") / "price-example.yaml"


# --- the chain --------------------------------------------------------------------------------------------------


class YearOf(NamedTuple):
    """One year of a proposal; dollars of that year, before discounting. In a year without people a rate is infinite."""

    year: int
    people: float
    posts: float
    cost: float
    price: float  # dollars per member month of those who take part
    baseline: float  # what they would have cost
    required: float  # cost / baseline: the gross reduction that pays for the year
    effect: float  # the share of the full effect that is reached


def years_of(proposal: Proposal) -> list[YearOf]:
    """Each year's people, staff, cost, price and required reduction.

    >>> first, *_, last = years_of(Proposal.load_file(example()))
    >>> round(first.price), round(last.price)
    (401, 269)
    """
    posts, rows = proposal.posts(), []
    payroll = sum(posts[role.role] * role.salary for role in proposal.roles) * proposal.load
    for n in range(proposal.years):
        people = proposal.people * at(proposal.people_ramp, n)
        hired = at(proposal.hired_ramp, n)
        staff = payroll * hired * (1 + proposal.raises) ** n * (1 + proposal.overhead)
        other = 12 * proposal.per_person_month * people + proposal.outreach * proposal.eligible
        cost = staff + other + (proposal.start_up if n == 0 else 0.0)
        baseline = 12 * proposal.baseline * people * (1 + proposal.trend) ** n
        effect = at(proposal.effect_ramp, n)
        price, required = _over(cost, 12 * people), _over(cost, baseline)
        rows.append(YearOf(n + 1, people, sum(posts.values()) * hired, cost, price, baseline, required, effect))
    return rows


class ToDate(NamedTuple):
    """The years so far together, in dollars of the first year."""

    year: int
    cost: float
    savings_at_full_effect: float  # for a true reduction of 100%, as the effect builds up
    required: float  # the true full effect that pays for the years so far; infinite before there is any effect
    noise: float  # the standard deviation of measured savings, by luck alone


def to_date(proposal: Proposal) -> list[ToDate]:
    """What must be true for the program to have paid for itself by the end of each year, and how loud luck is.

    Measured savings are theta x S + noise, where S = sum of baseline x effect reached. Luck in the same people carries
    over from year to year with the correlation `kept`; what moves everyone at once does not. Where all who are eligible
    are measured, those who do not take part are taken to cost the same and to add nothing but noise.
    """
    rows, parts = [], []
    cost = savings = 0.0
    for year in years_of(proposal):
        worth = (1 + proposal.discount) ** -(year.year - 1)
        cost += worth * year.cost
        savings += worth * year.baseline * year.effect
        lives = proposal.eligible if proposal.measured == "eligible" else year.people
        dollars = worth * 12 * proposal.baseline * (1 + proposal.trend) ** (year.year - 1) * lives
        sampling = Panel(lives=lives, cv=proposal.spread, common=proposal.common).sampling if lives else 0.0
        parts.append((dollars * sampling, dollars * proposal.common))
        luck = sum(
            a * b * (1.0 if i == j else proposal.kept)
            for i, (a, _) in enumerate(parts)
            for j, (b, _) in enumerate(parts)
        )
        rows.append(
            ToDate(
                year.year,
                cost,
                savings,
                _over(cost, savings),
                math.sqrt(luck + sum(common**2 for _, common in parts)),
            )
        )
    return rows


class Chances(NamedTuple):
    """By the end of a year, under one belief."""

    year: int
    belief: str
    truly: float  # the chance that it has truly saved its cost
    shown: float  # the chance that the measured result says so


def chances(proposal: Proposal, beliefs: Mapping[str, Belief]) -> list[Chances]:
    """The chance of breaking even by each year, truly and on paper, under each belief.

    >>> rows = chances(Proposal.load_file(example()), {"null": Belief.normal(0.0, 0.0)})
    >>> rows[-1].truly, 0 < rows[-1].shown < 0.05
    (0.0, True)
    """
    rows = []
    for so_far in to_date(proposal):
        for name, belief in beliefs.items():
            if so_far.savings_at_full_effect:
                paper = belief.seen_with(so_far.noise / so_far.savings_at_full_effect)
                truly, shown = belief.chance_of(so_far.required), paper.chance_of(so_far.required)
            else:  # no effect yet: only luck can show what the years cost
                truly, shown = (Belief.normal(0.0, sd).chance_of(so_far.cost) for sd in (0.0, so_far.noise))
            rows.append(Chances(so_far.year, name, truly, shown))
    return rows


# --- backwards --------------------------------------------------------------------------------------------------


class Lever(NamedTuple):
    """One number, as it is and as it would have to be, all else as proposed; `needed` None where no value does."""

    lever: str
    now: float
    needed: float | None
    note: str


def backwards(proposal: Proposal, belief: Belief, chance: float = 0.5) -> list[Lever]:
    """What price, baseline, caseload, engagement or time would give the program this chance of truly saving its cost.

    Theta is the full effect that the belief gives that chance; each lever is set where the required effect falls to it.

    >>> proposal = Proposal.load_file(example())
    >>> price = backwards(proposal, Belief.normal(0.12, 0.0))[0]
    >>> round(price.now), round(price.needed)
    (281, 340)
    """
    if not 0 < chance < 1:
        raise Refusal(
            [Fault("backwards, `chance`", show(chance), "between 0 and 1: 0.5 is an even chance", "correct it")]
        )
    theta = belief.reached(chance)
    last = to_date(proposal)[-1]
    months = sum(12 * y.people * (1 + proposal.discount) ** -(y.year - 1) for y in years_of(proposal))
    within = theta / last.required  # how much of its cost the program could save
    price, half = last.cost / months, "none: this belief does not give any saving such a chance"
    if theta <= 1e-9:
        now = [
            ("price per member month", price),
            ("baseline per member month", proposal.baseline),
            ("caseload, times", 1.0),
            ("engaged, of the reached", proposal.engaged),
            ("years", float(proposal.years)),
        ]
        return [Lever(name, value, None, half) for name, value in now]

    def gap(changed: Proposal) -> float:
        return theta - to_date(changed)[-1].required

    def more_cases(times: float) -> Proposal:
        roles = [
            role.model_copy(update={"caseload": role.caseload * times}) if role.caseload else role
            for role in proposal.roles
        ]
        return proposal.model_copy(update={"roles": roles})

    caseload = _where(lambda times: gap(more_cases(times)), 0.05, 20.0)
    largest = max(role.caseload * (caseload or 0) for role in proposal.roles if role.caseload)
    engaged = _where(lambda share: gap(proposal.amend(engaged=share)), 0.01, 1.0)
    enough = [so_far.year for so_far in to_date(proposal.amend(years=MOST_YEARS)) if theta >= so_far.required]
    return [
        Lever("price per member month", price, price * within, "over all years, discounted"),
        Lever("baseline per member month", proposal.baseline, proposal.baseline / within, "people who cost this much"),
        Lever(
            "caseload, times",
            1.0,
            caseload,
            "no caseload does"
            if caseload is None
            else f"{many(round(largest), 'person')} to a post at most; few managers hold more than {LARGEST_CASELOAD}"
            if largest > LARGEST_CASELOAD
            else f"{many(round(largest), 'person')} to a post at most",
        ),
        Lever(
            "engaged, of the reached",
            proposal.engaged,
            engaged,
            "no share does" if engaged is None else "at the same reach",
        ),
        Lever(
            "years",
            float(proposal.years),
            float(enough[0]) if enough else None,
            "the first year by which it does" if enough else f"not within {MOST_YEARS} years",
        ),
    ]


# --- what has been seen -----------------------------------------------------------------------------------------


class Support(NamedTuple):
    """How a required reduction stands beside what comparable studies found."""

    required: float
    studies: int
    estimates: list[str]  # the studies whose estimate reaches it
    intervals: list[str]  # the studies whose 95% interval does
    largest: int  # people in the largest study whose estimate reaches it

    @property
    def warning(self) -> str | None:
        if not self.intervals:
            return f"No comparable study allows a reduction of {self.required:.1%}, even at the end of its interval."
        if not self.estimates:
            return f"No comparable study found a reduction of {self.required:.1%}; some cannot rule it out."
        return None

    def __str__(self) -> str:
        if self.warning:
            return self.warning
        found = f"{len(self.estimates)} of {self.studies} comparable studies found {self.required:.1%} or more"
        return f"{found}; the largest of them had {many(self.largest, 'person')}."


def supported(required: float, library: Library, reader: Reader) -> Support:
    """Whether any study that counts for the reader found as much as a program needs.

    >>> str(supported(0.9, load(), Reader(line="medicaid")))
    'No comparable study allows a reduction of 90.0%, even at the end of its interval.'
    """
    counted = [(w.row, w.relative) for w in weigh(library, reader) if w.weight > 0 and w.relative]
    found = [row for row, relative in counted if relative.reduction >= required]
    reach = [row.key for row, relative in counted if relative.interval()[1] >= required]
    sizes = [(row.size.treated or 0) + (row.size.comparison or 0) for row in found]
    return Support(required, len(counted), [row.key for row in found], reach, max(sizes, default=0))


class Price(NamedTuple):
    """A proposal priced: what the command and the notebook show."""

    proposal: Proposal
    years: list[YearOf]
    to_date: list[ToDate]
    chances: list[Chances]
    backwards: list[Lever]
    support: Support


def price(
    proposal: Proposal, library: Library | None = None, reader: Reader | None = None, chance: float = 0.5
) -> Price:
    """The whole chain: from the proposal's staff to its price, the chances under three beliefs, and backwards."""
    library = load() if library is None else library
    if reader is None:
        reader = Reader(line=proposal.line, months=12 * proposal.years, spread=proposal.spread)
    beliefs = scenarios(library, reader)
    so_far = to_date(proposal)
    return Price(
        proposal,
        years_of(proposal),
        so_far,
        chances(proposal, beliefs.beliefs()),
        backwards(proposal, beliefs.pooled, chance),
        supported(so_far[-1].required, library, reader),
    )


# --- helpers ----------------------------------------------------------------------------------------------------


def _over(top: float, bottom: float) -> float:
    return top / bottom if bottom else math.inf


def _where(gap: Any, low: float, high: float) -> float | None:
    """Where a gap that moves one way crosses zero, by halving; None where it does not."""
    at_low, at_high = gap(low), gap(high)
    if (at_low < 0) == (at_high < 0):
        return None
    for _ in range(60):
        middle = (low + high) / 2
        if (gap(middle) < 0) == (at_low < 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2
