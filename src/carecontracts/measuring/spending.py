"""Which dollars count, and how much of one person's."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from pydantic import model_validator

from ..reconciliation import Kind
from ..refusal import Fault, in_dollars, refuse
from ..units import Dollars, Share
from .part import Part

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims
    from .books import Books, People, Rule

Service = Literal["inpatient", "emergency", "outpatient", "professional", "behavioral", "post_acute", "pharmacy"]


class Spending(Part):
    """Which dollars count, and how much of one person's.

    >>> Spending(truncated_at=250_000).say()  # doctest: +ELLIPSIS
    "Spending is the paid amount of each claim line. ... Of one person's spending in a year, $250,000 counts at most."
    """

    title = "Spending"
    words = (
        "Spending is the {cost} amount of each claim line.",
        "It counts these services alone: {only}.",
        "It leaves out these services: {without}.",
        "A claim is of the year that holds {day}.",
        "Claims count, here and wherever else they are read, whose service began {begun}; a bill of a hospital stay"
        " that gives a day of admission goes by that day.",
        "Of one person's spending in a year, {truncated_at} counts at most.",
        "Of one person's spending in a year, no more counts than the {truncated_at_percentile} point of all people"
        " enrolled with the payer.",
        "Of what lies above that, {above} counts.",
    )
    spoken = {
        "day": {
            "first day of service": "its first day of service",
            "last day of service": "its last day of service",
            "discharge": "the day of discharge on each bill of a hospital stay, or its last day where it has none, and"
            " the first day of any other service",
            "payment": "the day on which it was paid",
        },
        "begun": {
            "covered month": "in a month of the person's coverage that counts",
            "covered day": "on a day of the person's coverage",
            "any day": "on any day of a year in which the person was covered",
        },
    }
    not_modelled = (
        "a limit that grows with months of enrollment, or a pooling charge for what lies above it",
        "standardized prices",
    )
    cost: Literal["paid", "allowed"] = "paid"
    day: Literal["first day of service", "last day of service", "discharge", "payment"] = "first day of service"
    begun: Literal["covered month", "covered day", "any day"] = "covered month"
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
        """Medical and pharmacy lines alike: month and contract year, service, code, payer, payment, cents, covered.

        A line has no year where it has no such day; `covered` is whether its service began in coverage, as agreed.
        """
        import ibis

        from ..people.months import month_of

        medical, drugs = claims.lines, claims.pharmacy_claim
        first = medical.claim_start_date
        last = ibis.coalesce(medical.claim_end_date, first)
        discharge = ibis.ifelse(medical.service == "inpatient", ibis.coalesce(medical.discharge_date, last), first)
        day = {"first day of service": first, "last day of service": last, "discharge": discharge}.get(
            self.day, medical.paid_date
        )
        filled = drugs.paid_date if self.day == "payment" else drugs.dispensing_date

        def alike(table: "ir.Table", day: Any, began: Any, service: Any, code: Any) -> "ir.Table":
            month = month_of(day)
            return table.select(
                "person_id", "paid_date", "payer",
                began=began if self.begun == "covered day" else month_of(began),
                month=month,
                year=((month - (first_month - 1)) / 12).floor().cast("int64"),
                service=service,
                code=code,
                cents=(table[f"{self.cost}_amount"] * 100).round().cast("int64"),
            )  # fmt: skip

        lines = alike(medical, day, _began(medical), medical.service, medical.hcpcs_code).union(
            alike(drugs, filled, drugs.dispensing_date, ibis.literal("pharmacy"), ibis.literal("").cast("string"))
        )
        if self.begun == "any day":
            return lines.drop("began").mutate(covered=ibis.literal(True))
        spans = self._coverage(claims)
        lines = lines.left_join(
            spans,
            [lines.person_id == spans.person_id, spans.since <= lines.began, spans.until >= lines.began],
        )
        return lines.mutate(covered=lines.since.notnull()).drop("began", "since", "until", "person_id_right")

    def counted(self, claims: "Claims") -> "Claims":
        """The claims without the lines whose service began out of coverage: what every other part reads."""
        from ..people.months import month_of

        spans = self._coverage(claims)

        def inside(table: "ir.Table", day: Any) -> "ir.Table":
            began = day if self.begun == "covered day" else month_of(day)
            here = [table.person_id == spans.person_id, spans.since <= began, spans.until >= began]
            return table.semi_join(spans, here)

        medical, drugs = claims.medical_claim, claims.pharmacy_claim
        return replace(
            claims,
            medical_claim=inside(medical, _began(medical)),
            pharmacy_claim=inside(drugs, drugs.dispensing_date),
        )

    def faults(self, books: "Books") -> Iterator[Fault]:
        from ..claims.engine import fetched

        for name in ("medical_claim", "pharmacy_claim") if self.cost == "allowed" else ():
            table = getattr(books.claims, name)
            empty = table.filter(table.allowed_amount.isnull(), table.paid_amount != 0)
            (row,) = fetched(empty.agg(lines=empty.count(), paid=(empty.paid_amount * 100).round().cast("int64").sum()))
            if row["lines"]:
                lines = f"{row['lines']:,} line{'s' * (row['lines'] != 1)} of {name}"
                given = f"{lines} without an allowed amount, {in_dollars(row['paid'] / 100)} paid"
                allowed, do = "one on every line that is paid", "give allowed_amount, or let the cost be what is paid"
                yield Fault("measurement 'spending', term `cost`", given, allowed, do)
        if self.day == "payment":
            undated = books.lines.filter(books.lines.year.isnull())
            (row,) = fetched(undated.agg(lines=undated.count(), cents=undated.cents.sum().fill_null(0)))
            if row["lines"]:
                given = f"{row['lines']:,} claim lines without a paid date, {in_dollars(row['cents'] / 100)}"
                do = "give paid_date, or let another day decide"
                yield Fault("measurement 'spending', term `day`", given, "a paid date on every line", do)

    def _coverage(self, claims: "Claims") -> "ir.Table":
        """A person's days of coverage, or months that count, from one to another; no two touch."""
        from ..people.months import month_runs, spells

        if self.begun == "covered day":
            return spells(claims).rename(since="start", until="end")
        return month_runs(claims).rename(since="first", until="last")

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


def _began(lines: "ir.Table") -> Any:
    """The day on which a service began: of a bill of a hospital stay, the day of admission."""
    import ibis

    from ..claims.services import is_inpatient

    admitted = ibis.coalesce(lines.admission_date, lines.claim_start_date)
    return ibis.ifelse(is_inpatient(lines).fill_null(False), admitted, lines.claim_start_date)
