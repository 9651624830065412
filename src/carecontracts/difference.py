"""Difference: what care cost less than was expected, or more: what clauses that share savings or losses share."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from .funds import OfFunds
from .ledger import Ledger
from .refusal import refuse
from .scales import credibility
from .units import Number, Persons, Share, Unit, least, most, unit_of
from .worded import ClauseName
from .year import Year


class Difference(OfFunds):
    """What a clause about savings or losses says first, and what that comes to.

    savings = benchmark - spend - payments that count as spending, of the year or of the funds named
    losses  = spend + payments that count as spending - benchmark

    Of few people, as much counts as they make credible: least(1, square root of lives / full_credibility) of it, or
    lives / (lives + half_credibility) of it; the rest is taken to be chance.
    """

    opening: ClassVar[tuple[str, ...]] = (
        "{of} are {meaning}.",
        OfFunds.of_funds,
        "Spending counts what {plan} paid under {net_of}, less what it got back under them.",
        "They count in full from {full_credibility} people on, and with fewer in part: the square root of the number of"
        " people over that number (limited-fluctuation credibility).",
        "They count in part: the number of people over the sum of that number and this one: {half_credibility}"
        " (Bühlmann credibility).",
    )
    limits: ClassVar[tuple[str, ...]] = (
        "It comes out of what {payer} is paid for the year under {only_out_of}, less what it pays back under them,"
        " and is never more.",
    )
    roles = (*OfFunds.roles, "plan", "provider")
    plainly = ("meaning",)
    reads = {"benchmark": None, "spend": None}
    looks_back = ("net_of", "only_out_of")
    units = {"credibility": unit_of(Share)}

    of: Literal["savings", "losses"]
    net_of: list[ClauseName] = []
    only_out_of: list[ClauseName] = []
    full_credibility: Persons | None = None
    half_credibility: Persons | None = None

    @model_validator(mode="after")
    def _one_credibility(self) -> Self:
        if self.full_credibility is not None and self.half_credibility is not None:
            allowed = "one of them, or neither: what is counted is weighed once"
            refuse("both `full_credibility` and `half_credibility`", allowed, "take one of them out")
        return self

    @property
    def weighed(self) -> bool:
        """Whether less than the whole counts where people are few."""
        return self.full_credibility is not None or self.half_credibility is not None

    def reading(self) -> Mapping[str, Unit | None]:
        return self.reads | ({"lives": None} if self.weighed else {})

    @property
    def meaning(self) -> str:
        if self.of == "savings":
            return "the benchmark less the year's spending"
        return "the year's spending less the benchmark"

    @property
    def plan(self) -> str:
        """The party whose money pays for the care, and whose fees therefore count as spending."""
        return self.payer if self.of == "savings" else self.payee

    @property
    def provider(self) -> str:
        return self.payee if self.of == "savings" else self.payer

    @property
    def money_back(self) -> bool:
        return self.of == "losses"

    def categories(self) -> tuple[str, str]:
        return self.lan, "ssp" if self.of == "savings" else "ssl"

    def difference(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        """The savings or the losses of a year that count, below nothing where it is the other; and what was weighed."""
        outlay = ledger.outlay(self.plan, year=year.year, clause=self.net_of)
        whole = year.benchmark - year.spend - outlay
        if self.of == "losses":
            whole = year.spend + outlay - year.benchmark
        if not self.weighed:
            return whole, {}
        part = credibility(year.lives, self.full_credibility, self.half_credibility)
        return part * whole, {f"{self.of} before credibility": whole, "credibility": part}

    def within(self, paid: Number, year: Year, ledger: Ledger) -> Number:
        """A payment, where it may only come out of others: at most what its payer has left of them."""
        if not self.only_out_of:
            return paid
        return least(paid, most(-ledger.outlay(self.payer, year=year.year, clause=self.only_out_of), 0.0))
