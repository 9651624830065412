"""Which dollars count, and how much of one person's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from pydantic import model_validator

from ..reconciliation import Kind
from ..refusal import refuse
from ..units import Dollars, Share
from .part import Part

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims
    from .books import Books, People, Rule

Service = Literal["inpatient", "emergency", "outpatient", "professional", "behavioral", "post_acute", "pharmacy"]


class Spending(Part):
    """Which dollars count, and how much of one person's.

    >>> Spending(truncated_at=250_000).say()
    "Spending is the paid amount of each claim line. Of one person's spending in a year, $250,000 counts at most."
    """

    title = "Spending"
    words = (
        "Spending is the {cost} amount of each claim line.",
        "It counts these services alone: {only}.",
        "It leaves out these services: {without}.",
        "Of one person's spending in a year, {truncated_at} counts at most.",
        "Of one person's spending in a year, no more counts than the {truncated_at_percentile} point of all people"
        " enrolled with the payer.",
        "Of what lies above that, {above} counts.",
    )
    not_modelled = (
        "a limit that grows with months of enrollment, or a pooling charge for what lies above it",
        "standardized prices",
    )
    cost: Literal["paid", "allowed"] = "paid"
    only: list[Service] = []
    without: list[Service] = []
    truncated_at: Dollars | None = None
    truncated_at_percentile: Share | None = None
    above: Share | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        for first, second in (("only", "without"), ("truncated_at", "truncated_at_percentile")):
            if self._is_set(first) and self._is_set(second):
                refuse(f"`{first}` and `{second}`", "one of the two", "take one of them out")
        if self.above is not None and self.truncated_at is None and self.truncated_at_percentile is None:
            refuse("`above` without a limit", "a limit with it", "add `truncated_at:`, or take out `above`")
        return self

    def counts(self, service: str) -> bool:
        """Whether a service counts as spending."""
        return service in self.only if self.only else service not in self.without

    def lines(self, claims: "Claims", first_month: int) -> "ir.Table":
        """Medical and pharmacy lines alike: month and contract year of service, service, code, payment, cents."""
        import ibis

        from ..people.months import month_of

        medical, drugs = claims.lines, claims.pharmacy_claim

        def alike(table: "ir.Table", day: Any, service: Any, code: Any) -> "ir.Table":
            month = month_of(day)
            return table.select(
                "person_id", "paid_date",
                month=month,
                year=((month - (first_month - 1)) / 12).floor().cast("int64"),
                service=service,
                code=code,
                cents=(table[f"{self.cost}_amount"] * 100).round().cast("int64"),
            )  # fmt: skip

        return alike(medical, medical.claim_start_date, medical.service, medical.hcpcs_code).union(
            alike(drugs, drugs.dispensing_date, ibis.literal("pharmacy"), ibis.literal("").cast("string"))
        )

    def without_an_amount(self, lines: "ir.Table") -> tuple["Rule", Any]:
        """The rule that takes out lines that nobody has priced."""
        from .books import Rule

        return Rule(Kind.NO_AMOUNT, f"no {self.cost} amount"), lines.cents.isnull()

    def of_services_left_out(self, lines: "ir.Table") -> tuple["Rule", Any]:
        """The rule that takes out services that do not count."""
        from .books import Rule

        services = [service for service in get_args(Service) if not self.counts(service)]
        return Rule(Kind.SERVICE, "services left out"), lines.service.isin(services)

    def limit(self, books: "Books", year: int, people: "People") -> int | None:
        """The cents of one person that count at most in a year: agreed, or a point of what all enrolled people cost."""
        from ..claims.engine import fetched
        from .books import cents_of

        now = self.at(year, books.first_year)
        if now.truncated_at is not None:
            return round(float(now.truncated_at) * 100)
        if now.truncated_at_percentile is None:
            return None
        lines, _ = books.lines_of(year)
        lines = lines.filter(lines.why.isnull()).semi_join(people.table, "person_id")
        everyone = cents_of(people.table, lines)
        (row,) = fetched(everyone.agg(at=everyone.cents.quantile(float(now.truncated_at_percentile))))
        return round(float(row["at"] or 0) * books.rules.run_out.complete(books, year, people.table, lines).factor)

    def marked(self, spent: "ir.Table", limit: int | None, factor: float) -> "ir.Table":
        """What each person cost, with whether they are `over` the limit once it has grown by the factor (1 or 0)."""
        import ibis

        over = ibis.literal(0, "int64") if limit is None else (spent.cents * factor > limit).cast("int64")
        return spent.mutate(over=over, cents_over=spent.cents * over)

    def sums(self, spent: "ir.Table", where: Any = None) -> dict[str, Any]:
        """The whole numbers from which `within` is worked out: on every engine the same."""
        return {name: spent[name].sum(where=where).fill_null(0) for name in ("cents", "over", "cents_over")}

    def within(self, sums: Mapping[str, Any], limit: int | None, factor: float, books: "Books", year: int) -> float:
        """The cents that count of people: completed, and then of those over the limit no more than it allows.

        Two people cost $3,000 and $6,000, and 2% is still to come; $5,000 counts of one person at most:
        1.02 x 3,000 + 5,000 = $8,060.
        """
        whole, over = factor * int(sums["cents"]), int(sums["over"])
        if limit is None or not over:
            return whole
        beyond = factor * int(sums["cents_over"]) - over * limit
        return whole - beyond * float(1 - (self.at(year, books.first_year).above or 0))
