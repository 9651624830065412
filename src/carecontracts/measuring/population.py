"""Who the contract is for, and the tiers of its people."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ..definitions import AnyDefinition, Everyone
from ..reconciliation import Kind
from ..refusal import Fault
from ..units import Years
from .part import Part

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from ..claims.layout import Claims
    from .books import Books, People

HOSPICE = ("81", "82")  # type of bill
TOLD_BY = {  # the column without which nobody would be left out
    "end-stage renal disease": ("medical_claim", "diagnosis_code_1"),
    "hospice": ("medical_claim", "bill_type_code"),
    "both Medicare and Medicaid": ("eligibility", "dual_status_code"),
}


class Tier(Part):
    """Members of one tier: those who meet its definition and no tier's before it."""

    title = "Tier"
    words = ("Of the people who count and are in no tier before it, those who meet this definition: {definition}.",)
    definition: AnyDefinition


class Population(Part):
    """Who the contract is for: a definition by name, over what was known when the list was made."""

    title = "Population"
    words = (
        "The contract is for people who meet this definition, read from {known}, services by their first day and ages"
        " at its end: {definition}.",
        "It must hold in each of {years_running} such years in a row.",
        "The list is made {made}.",
        "People are {age_from} or older at the end of the year; one without a birth date is left out.",
        "People are {age_to} or younger at the end of the year; one without a birth date is left out.",
        "Left out are people with any of: {left_out}.",
    )
    spoken = {
        "left_out": {
            "end-stage renal disease": "end-stage renal disease in the year that the list is read from",
            "hospice": "hospice in the year or the one before",
            "both Medicare and Medicaid": "both Medicare and Medicaid in any part of the year",
        }
    }
    not_modelled = (
        "a definition looked up anew within a year",
        "claims of the year before that had not arrived when the list was made",
    )
    definition: AnyDefinition = Everyone()
    known: Literal["the year before", "the year itself"] = "the year before"
    years_running: Years | None = None
    made: Literal["anew for each year", "once, before the first year"] = "anew for each year"
    age_from: Years | None = None
    age_to: Years | None = None
    left_out: list[Literal["end-stage renal disease", "hospice", "both Medicare and Medicaid"]] = []

    def found_in(self, year: int, first_year: int) -> int:
        """The year from which a contract year's list is read; an earlier year has its own, by the same rules.

        >>> Population(made="once, before the first year").found_in(2028, first_year=2026)
        2025
        """
        at = first_year if self.made == "once, before the first year" and year > first_year else year
        return at - 1 if self.known == "the year before" else at

    def needs_a_list(self, tiers: Mapping[str, Tier]) -> bool:
        """Whether anything is looked up about a person beyond who is enrolled."""
        return not isinstance(self.definition, Everyone) or bool(tiers) or "end-stage renal disease" in self.left_out

    def years_read(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        if self.needs_a_list(books.rules.tiers):
            found = self.found_in(year, books.first_year)
            yield from ((found - n, "the population") for n in range(int(self.years_running or 1)))

    def faults(self, books: "Books") -> Iterator[Fault]:
        for what in self.left_out:
            table, column = TOLD_BY[what]
            if table in books.claims.given and column not in books.claims.given[table].rows.columns:
                allowed = f"the column {column} of {table}, which tells who that is"
                do = f"give the column {column}, or take this out"
                yield Fault("measurement 'population', term `left_out`", what, allowed, do)

    def listed(self, claims: "Claims", tiers: Mapping[str, Tier], first_month: int = 1) -> "ir.Table":
        """Each person and contract year: whether the definitions of the population and of each tier hold in it."""
        import ibis

        from ..people.conditions import conditions
        from ..people.member_table import member_table
        from ..people.member_years import member_years

        wanted = {"held": self.definition}
        wanted |= {f"tier_{n}": tier.definition for n, tier in enumerate(tiers.values())}
        table = member_years(claims, first_month=first_month)
        if any(definition.reads(_layout()) - set(table.columns) for definition in wanted.values()):
            table = member_table(
                claims, first_month=first_month
            )  # cost and use need no diagnoses, which are most of the work
        flags = {name: definition(table) for name, definition in wanted.items()}
        ill = "end-stage renal disease" in self.left_out
        if not ill:
            flags["esrd"] = ibis.literal(False)
        elif "esrd" in table.columns:
            flags["esrd"] = (table.esrd == 1).fill_null(False)
        table = table.mutate(**flags).select("person_id", "year", *flags)
        if "esrd" not in flags:
            found = conditions(claims, first_month=first_month)
            found = found.filter(found.esrd == 1).select("person_id", "year", "esrd")
            table = table.left_join(found, ["person_id", "year"]).drop("person_id_right", "year_right")
            table = table.mutate(esrd=(table.esrd == 1).fill_null(False))
        return table

    def leave_out(self, people: "People", books: "Books", year: int, found: int) -> None:
        """Leaves out those of another age, not on the list read from the year `found`, or ill in a way named."""
        age = people.table.age
        if self.age_from is not None:
            people.leave_out(Kind.YOUNG, f"younger than {self.age_from}", (age < self.age_from).fill_null(True))
        if self.age_to is not None:
            people.leave_out(Kind.OLD, f"older than {self.age_to}", (people.table.age > self.age_to).fill_null(True))
        if books.listed is not None:
            people.know(self._list_of(books.listed, found, len(books.rules.tiers)))
            if not isinstance(self.definition, Everyone):
                held = people.table.held.fill_null(False)
                people.leave_out(Kind.DEFINITION, "does not meet the definition", ~held)
            if "end-stage renal disease" in self.left_out:
                people.leave_out(Kind.KIDNEY_DISEASE, "end-stage renal disease", people.table.esrd)
        if "hospice" in self.left_out:
            people.mark(self._in_hospice(books, year), "hospice")
            people.leave_out(Kind.HOSPICE, "hospice in the year or the one before", people.table.hospice == 1)
        if "both Medicare and Medicaid" in self.left_out:
            people.leave_out(Kind.DUAL, "both Medicare and Medicaid", people.table.dual == 1)

    def _list_of(self, listed: "ir.Table", found: int, tiers: int) -> "ir.Table":
        """The people of the list that was read from a year: whether the definition held, and their tier."""
        running = int(self.years_running or 1)
        rows = listed.filter(listed.year.between(found - running + 1, found))
        latest = rows.year == found
        return rows.group_by("person_id").agg(
            held=rows.held.cast("int64").sum() == running,
            esrd=(rows.esrd & latest).any(),
            **{f"tier_{n}": (rows[f"tier_{n}"] & latest).any() for n in range(tiers)},
        )

    def _in_hospice(self, books: "Books", year: int) -> "ir.Table":
        """Claim lines of a hospice in the contract year or the one before."""
        from ..people.months import month_of

        lines = books.claims.medical_claim
        begin = books.begins(year)
        hospice = lines.bill_type_code.right(3).left(2).isin(HOSPICE)
        return lines.filter(hospice & month_of(lines.claim_start_date).between(begin - 12, begin + 11))


@cache
def _layout() -> "ir.Table":
    """The columns of the member table, which are those of any claims: to ask which of them a definition reads."""
    import ibis
    import pandas as pd

    from ..claims.read import from_frames
    from ..people.member_table import member_table

    day = ["2026-01-01"]
    somebody = pd.DataFrame({"person_id": ["a"], "enrollment_start_date": day, "enrollment_end_date": day})
    line = pd.DataFrame({"claim_id": ["1"], "claim_line_number": [1], "claim_type": ["professional"],
                         "person_id": ["a"], "claim_start_date": day, "paid_amount": [1.0]})  # fmt: skip
    schema = member_table(from_frames({"eligibility": somebody, "medical_claim": line})).schema()
    return ibis.table(schema, name="member_table")


def tier_of(people: "ir.Table", tiers: int) -> Any:
    """The number of each person's tier: the first whose definition they meet; -1 for none."""
    import ibis

    met = [(people[f"tier_{n}"].fill_null(False), n) for n in range(tiers)]
    return ibis.cases(*met, else_=-1) if met else ibis.literal(-1)
