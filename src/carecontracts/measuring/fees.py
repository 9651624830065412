"""What becomes of the program's own fees in total cost."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from ..ledger import Ledger
from ..reconciliation import Kind
from ..units import cents
from ..worded import ClauseName, Name
from ..year import year_from
from .part import Part, absent

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from .books import Books, Rule


class Fees(Part):
    """What becomes of the program's own fees in total cost: inside it, outside it, or netted once at settlement.

    Inside: fee claims stay in spending, and fees of the clauses named, which are paid outside claims, are added to it.
    Outside: fee claims are taken out, and no clause nets the fees. Netted once: fee claims are taken out, and the
    clauses that share savings or losses net the fees themselves.
    """

    title = "Fees in total cost"
    words = (
        "The program's own fees are {treatment} total cost.",
        "Fee claims are claim lines with the codes {codes}.",
        "The fees are those of {clauses}.",
    )
    treatment: Literal["inside", "outside", "netted once from"]
    codes: list[Name] = []
    clauses: list[ClauseName] = []

    def claimed(self, lines: "ir.Table") -> tuple["Rule", Any]:
        """The rule that takes out the fee's own claim lines; inside total cost they stay."""
        from .books import Rule

        codes = self.codes if self.treatment != "inside" else []
        return Rule(Kind.FEE_CLAIMS, "fee claims"), lines.code.isin(codes).fill_null(False)

    def unmet(self, books: "Books") -> Iterator[str]:
        if missing := absent(books.lines.code, self.codes) if self.codes else []:
            yield f"fees: no claim line has the code {', '.join(missing)}."

    def paid_outside_claims(self, books: "Books") -> Iterator[tuple[str, float]]:
        """Each named clause's fee for the year, where fees are inside total cost."""
        if self.treatment == "inside":
            year = year_from(books.facts(), "the claims")
            for clause in books.clauses:
                if clause.name in self.clauses:
                    yield clause.name, cents(clause.at(year, books.first_year).pay(year, Ledger())[0])
