from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from ..funds import OfFunds
from ..ledger import Ledger
from ..refusal import refuse
from ..units import Dollars, Number, Share, Unit, least, most
from ..worded import ClauseName
from ..year import Year

LIMITS = ("cap", "person_cap", "benchmark_cap", "revenue_cap", "fee_cap")


class JointCap(OfFunds):
    """One limit over several clauses: whoever was paid more gives back what exceeds it.

    limit     = least(cap, person_cap x lives, benchmark_cap x benchmark, revenue_cap x revenue, fee_cap x fees), of
                those that are set
    paid      = what was paid under the clauses named, less what has been given back under this one
    paid back = most(paid - limit, 0)
    """

    words = (
        "Taken together, what {payee} pays {payer} under {over} is at most {cap} {limits}.",
        "Taken together, what {payee} pays {payer} under {over} is at most {person_cap} times the number of people"
        " {limits}.",
        "Taken together, what {payee} pays {payer} under {over} is at most {benchmark_cap} of the benchmark {limits}.",
        *OfFunds.of_funds,
        "Taken together, what {payee} pays {payer} under {over} is at most {revenue_cap} of the provider's revenue"
        " from the payer {limits}.",
        "Taken together, what {payee} pays {payer} under {over} is at most {fee_cap} of what was paid"
        " under {fees} {limits}.",
        "{payer} pays back to {payee} what exceeds it.",
    )
    not_modelled = ("which of the clauses is cut first; the money goes back in one sum",)
    looks_back = ("over", "fees")
    together = (("fee_cap", "fees"), ("fees", "fee_cap"), ("funds", "benchmark_cap"))
    for_all = ("cap",)

    kind: Literal["joint_cap"]
    over: list[ClauseName]
    cap: Dollars | None = None
    person_cap: Dollars | None = None
    benchmark_cap: Share | None = None
    revenue_cap: Share | None = None
    fee_cap: Share | None = None
    fees: list[ClauseName] = []
    limits: Literal["for each year", "for all years together"] = "for each year"

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if all(getattr(self, limit) is None for limit in LIMITS):
            refuse("no limit", "one or more of " + ", ".join(f"`{limit}`" for limit in LIMITS), "add, say, `cap:`")
        if self.has_memory and (of_a_year := next((x for x in LIMITS[1:] if getattr(self, x) is not None), "")):
            allowed = "a `cap` in dollars, where the limit is for all years together"
            refuse(f"`{of_a_year}`", allowed, f"take out `{of_a_year}`, or say `limits: for each year`")
        return self

    @property
    def has_memory(self) -> bool:
        return self.limits == "for all years together"

    @property
    def pays_for_results(self) -> bool:
        return False  # it limits what others pay for them

    def reading(self) -> Mapping[str, Unit | None]:
        benchmark = {"benchmark": None} if self.benchmark_cap is not None else {}
        benchmark |= {"lives": None} if self.person_cap is not None else {}
        return benchmark | ({"provider_revenue": None} if self.revenue_cap is not None else {})

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        counted = year.year if self.limits == "for each year" else None
        paid = ledger.total(year=counted, clause=self.over, payer=self.payee, payee=self.payer)
        paid = paid - ledger.total(year=counted, clause=self.name)
        limits = [] if self.cap is None else [self.cap]
        if self.person_cap is not None:
            limits.append(self.person_cap * year.lives)
        if self.benchmark_cap is not None:
            limits.append(self.benchmark_cap * year.benchmark)
        if self.revenue_cap is not None:
            limits.append(self.revenue_cap * year.provider_revenue)
        if self.fee_cap is not None:
            limits.append(self.fee_cap * ledger.paid(year=year.year, clause=self.fees))
        limit = least(*limits)
        shown = {} if self.cap is limit else {"limit": limit}
        return most(paid - limit, 0.0), {"paid under those clauses": paid} | shown
