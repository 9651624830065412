"""Whose person is it? Each kind of attribution: its words, its terms, and the people whom it gives to the provider."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ..reconciliation import Kind
from ..refusal import Fault, did_you_mean, show
from ..units import LongMonths
from ..worded import Name
from .part import Part, absent

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims
    from .books import Books, People


class Attribution(Part):
    """Who of the people enrolled is the provider's."""

    title = "Attribution"

    def own(self, claims: "Claims", year: int, first_month: int = 1) -> "ir.Table":
        """The person_id of everyone who is the provider's in a contract year, each once."""
        raise NotImplementedError

    def months(self, claims: "Claims", year: int, first_month: int = 1) -> "ir.Table | None":
        """The months of a contract year in which each person is the provider's; None where it is the whole year."""
        return None

    def leave_out(self, people: "People", books: "Books", year: int, found: int) -> None:
        """Leaves out those who are not the provider's, and of the others the months in which they are not."""
        people.mark(self.own(books.claims, year, books.first_month), "own")
        months = self.months(books.claims, year, books.first_month)
        if months is not None:
            people.keep_months(months, books, year)
        people.leave_out(Kind.NOT_OWN, "not the provider's", people.table.own == 0)


class Everyone(Attribution):
    """Everyone enrolled with the payer who is in the population."""

    words = ("Everyone enrolled with the payer is the provider's.",)
    kind: Literal["everyone"]

    def leave_out(self, people: "People", books: "Books", year: int, found: int) -> None:
        """Leaves nobody out."""


Timing = Literal[
    "prospective",
    "retrospective",
    "prospective with true-up",
    "refreshed each quarter",
    "refreshed each month",
]
EVERY = {"refreshed each quarter": 3, "refreshed each month": 1}  # months from one list to the next
THEIRS = "a person counts for those {} alone, but measures and outcomes see the whole year"
TIMING = {
    "prospective": "what is known on the day before the year begins",
    "retrospective": "what is known on the last day of the year",
    "prospective with true-up": (
        "what is known on the day before the year begins, less those who by its last day are another's"
    ),
    "refreshed each quarter": "what is known on the day before each quarter of the year begins; "
    + THEIRS.format("quarters"),
    "refreshed each month": "what is known on the day before each month of the year begins; " + THEIRS.format("months"),
}


class Timed(Attribution):
    """An attribution that is decided by what is known on one day, or on two."""

    spoken = {"timing": TIMING}
    timing: Timing = "prospective"

    def own(self, claims: "Claims", year: int, first_month: int = 1) -> "ir.Table":
        """The person_id of everyone who is the provider's in a contract year, each once."""
        if (months := self.months(claims, year, first_month)) is not None:
            return months.select("person_id").distinct()
        decided = self.decided(claims, year, first_month, at_end=self.timing == "retrospective")
        own = decided.filter(decided.own == 1).select("person_id")
        if self.timing != "prospective with true-up":
            return own
        later = self.decided(claims, year, first_month, at_end=True)
        return own.anti_join(later.filter(later.own == 0), "person_id")

    def months(self, claims: "Claims", year: int, first_month: int = 1) -> "ir.Table | None":
        """Each person and month of the year in which they are the provider's, where the list is refreshed within it."""
        import ibis

        every = EVERY.get(self.timing)
        if every is None:
            return None
        begin, parts = 12 * year + first_month - 1, []
        for month in range(begin, begin + 12, every):
            known = self.known(claims, month)
            own = known.filter(known.own == 1)
            parts += [own.select("person_id", month=ibis.literal(month + n, "int64")) for n in range(every)]
        return ibis.union(*parts)

    def decided(self, claims: "Claims", year: int, first_month: int, *, at_end: bool) -> "ir.Table":
        """Each person of whom anything is known on the day, and whether they are the provider's (1 or 0)."""
        return self.known(claims, 12 * (year + at_end) + first_month - 1)

    def known(self, claims: "Claims", month: int) -> "ir.Table":
        """Each person of whom anything is known when a month begins, and whether they are the provider's (1 or 0)."""
        raise NotImplementedError


class Roster(Timed):
    """A list that the payer (`assigned`) or the program (`roster`) keeps, with a first and a last day for each person.

    Prospective: on the list when the year begins. Retrospective: on it on any day of the year. With true-up: on it when
    the year begins, and not taken over by another organization during the year. Refreshed: for the quarters, or the
    months, on whose first day they are on it.
    """

    words = (
        "A person is the provider's who is on the list of {organization} that {kind} keeps.",
        "What decides is {timing}.",
    )
    spoken = {
        "kind": {"assigned": "the payer", "roster": "the program"},
        "timing": {
            "prospective": "who is on it on the first day of the year",
            "retrospective": "who is on it on any day of the year",
            "prospective with true-up": (
                "who is on it on the first day of the year, less those who by its last day are on another's"
            ),
            "refreshed each quarter": "who is on it on the first day of each quarter of the year; "
            + THEIRS.format("quarters"),
            "refreshed each month": "who is on it on the first day of each month of the year; "
            + THEIRS.format("months"),
        },
    }
    not_modelled = ("challenges to single names on a list; a name stands or falls as the list says",)
    kind: Literal["assigned", "roster"]
    organization: Name

    def faults(self, books: "Books") -> Iterator[Fault]:
        from ..claims.engine import fetched

        lists = fetched(books.claims.roster.select("organization").distinct())
        names = sorted(row["organization"] for row in lists)
        if self.organization not in names:
            do = did_you_mean(self.organization, names) + "name it as the roster does"
            allowed = "one of " + ", ".join(map(str, names[:9])) if names else "a table roster with organizations"
            where = "measurement 'attribution', term `organization`"
            yield Fault(where, show(self.organization), allowed, do)

    def decided(self, claims: "Claims", year: int, first_month: int, *, at_end: bool) -> "ir.Table":
        """Each person on any list, and whether it is the provider's.

        At the start: on the list on the first day. At the end, on the provider's on any day; or, with true-up, on
        another's on the last day and no longer on the provider's.
        """
        from ..people.months import first_day

        begin, end = first_day(year, first_month), first_day(year + 1, first_month)
        names = self._names(claims)
        if not at_end:
            return self.known(claims, 12 * year + first_month - 1)
        if self.timing == "retrospective":
            here = names.filter(names.own == 1, names.start_date < end, names.last >= begin)
        else:
            here = names.filter(names.start_date < end, names.last >= end - timedelta(days=1))
        return here.group_by("person_id").agg(own=here.own.max())

    def known(self, claims: "Claims", month: int) -> "ir.Table":
        from ..people.months import first_day

        names, day = self._names(claims), first_day(month // 12, month % 12 + 1)
        here = names.filter(names.own == 1, names.start_date <= day, names.last >= day)
        return here.group_by("person_id").agg(own=here.own.max())

    def _names(self, claims: "Claims") -> "ir.Table":
        """Every name on a list: whether it is on the provider's, and until when."""
        import ibis

        from ..claims.layout import FAR

        names = claims.roster
        last = names.end_date.fill_null(ibis.literal(FAR))
        return names.mutate(own=(names.organization == self.organization).cast("int64"), last=last)


class Plurality(Timed):
    """The organization that gave a person most of their primary care.

    A person without a primary-care visit in the window is nobody's.

    >>> from ..claims.read import from_frames
    >>> import pandas as pd
    >>> claims = from_frames({
    ...     "eligibility": pd.DataFrame({"person_id": ["a", "b"], "enrollment_start_date": ["2025-01-01"] * 2,
    ...                                  "enrollment_end_date": ["2026-12-31"] * 2}),
    ...     "medical_claim": pd.DataFrame({"claim_id": ["1", "2", "3"], "claim_line_number": [1] * 3,
    ...         "claim_type": ["professional"] * 3, "person_id": ["a", "b", "b"], "hcpcs_code": ["99213"] * 3,
    ...         "billing_npi": ["1", "1", "2"], "claim_start_date": ["2025-05-01", "2025-05-01", "2025-06-01"],
    ...         "paid_amount": [80.0] * 3}),
    ... })
    >>> rule = Plurality(kind="plurality", billed_by=["1"], lookback=12)
    >>> rule.own(claims, 2026).execute().person_id.tolist()  # b's latest visit was elsewhere
    ['a']
    """

    words = (
        "A person is the provider's whose primary care came more from it than from any other, counted by {counted_by}"
        " over {lookback} months.",
        "The provider is the billing numbers {billed_by}; every other billing number stands for itself.",
        "Primary care is office, home, preventive and wellness visits, by the code and the first day of each; a person"
        " without any is nobody's.",
        "A tie goes to {tie}, and then to the lower number.",
        "What decides is {timing}.",
    )
    spoken = {**Timed.spoken, "counted_by": {"visits": "days with a visit"}}
    not_modelled = ("a choice of doctor by the person, and steps by specialty beyond the primary-care codes",)
    kind: Literal["plurality"]
    billed_by: Annotated[list[Name], Field(min_length=1)]
    counted_by: Literal["visits", "allowed charges"] = "visits"
    lookback: LongMonths
    tie: Literal["the most recent visit", "the larger allowed charges"] = "the most recent visit"

    def years_read(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        if self.timing != "retrospective":
            yield year - -(-int(self.lookback) // 12), "the attribution"

    def faults(self, books: "Books") -> Iterator[Fault]:
        from ..claims.engine import fetched

        lines = books.claims.medical_claim
        terms = {"counted_by": self.counted_by, "tie": self.tie}
        asked = [f"{term}: {value}" for term, value in terms.items() if "allowed charges" in value]
        if asked and not fetched(lines.agg(filled=lines.allowed_amount.count()))[0]["filled"]:
            given = f"{', '.join(asked)}, and no line has an allowed amount"
            do = "give allowed_amount, or count visits, with a tie to the most recent"
            yield Fault("measurement 'attribution'", given, "the column allowed_amount of medical_claim, filled in", do)

    def unmet(self, books: "Books") -> Iterator[str]:
        if missing := absent(books.claims.medical_claim.billing_npi, self.billed_by):
            yield f"attribution: no claim line is billed by {', '.join(missing)}."

    def known(self, claims: "Claims", month: int) -> "ir.Table":
        """Each person with a primary-care visit in the window, and whether most of them were the provider's."""
        import ibis

        from ..claims.services import is_primary_care
        from ..people.months import month_of

        begin, end = month - int(self.lookback), month
        lines = claims.medical_claim
        visited = month_of(lines.claim_start_date)
        lines = lines.filter(is_primary_care(lines).fill_null(False), visited >= begin, visited < end)
        billed = lines.billing_npi.fill_null("")
        own = billed.isin(self.billed_by)
        lines = lines.mutate(number=ibis.ifelse(own, min(self.billed_by), billed), own=own.cast("int64"))
        by = lines.group_by("person_id", "number").agg(
            own=lines.own.max(),
            visits=lines.claim_start_date.nunique(),
            charges=(lines.allowed_amount.fill_null(0) * 100).round().cast("int64").sum(),
            latest=lines.claim_start_date.max(),
        )
        order = {"visits": by.visits, "allowed charges": by.charges}[self.counted_by]
        tie = {"the most recent visit": by.latest, "the larger allowed charges": by.charges}[self.tie]
        most = ibis.row_number().over(group_by=by.person_id, order_by=[ibis.desc(order), ibis.desc(tie), by.number])
        by = by.mutate(place=most)
        return by.filter(by.place == 0).select("person_id", "own")


class Geography(Attribution):
    """Everyone who lives in the areas named, by their address in the eligibility table when the year begins."""

    words = (
        "A person is the provider's who lives in one of these areas when the year begins, or is next covered in it, by"
        " {by}: {areas}.",
    )
    not_modelled = ("moves within the year",)
    kind: Literal["geography"]
    by: Literal["zip_code", "state"] = "zip_code"  # no table has a county: name its ZIP codes
    areas: Annotated[list[Name], Field(min_length=1)]

    def faults(self, books: "Books") -> Iterator[Fault]:
        from ..claims.engine import fetched

        spans = books.claims.eligibility
        if not fetched(spans.agg(filled=spans[self.by].count()))[0]["filled"]:
            allowed = f"the column {self.by} of the eligibility table, filled in"
            given = f"by: {self.by}, which is not there or empty in every row"
            do = f"give the column {self.by}, or attribute by what the table has"
            yield Fault("measurement 'attribution', term `by`", given, allowed, do)

    def unmet(self, books: "Books") -> Iterator[str]:
        if missing := absent(books.claims.eligibility[self.by], self.areas):
            yield f"attribution: nobody's {self.by} is {', '.join(missing)}."

    def own(self, claims: "Claims", year: int, first_month: int = 1) -> "ir.Table":
        """The person_id of everyone with an address in the areas, by the span of the first day or the next one."""
        import ibis

        from ..people.months import first_day

        spans = claims.eligibility
        begin, end = first_day(year, first_month), first_day(year + 1, first_month)
        here = spans.filter(spans.enrollment_start_date < end, spans.enrollment_end_date.fill_null(end) >= begin)
        order = [here.enrollment_start_date, here[self.by]]
        here = here.mutate(place=ibis.row_number().over(group_by=here.person_id, order_by=order))
        return here.filter(here.place == 0, here[self.by].isin(self.areas)).select("person_id")


AnyAttribution = Annotated[Everyone | Roster | Plurality | Geography, Field(discriminator="kind")]
