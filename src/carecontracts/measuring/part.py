"""Part: one choice in how a year is measured. Each kind of part is one file: its words, its terms, what it does."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..refusal import Fault
from ..units import Schedule
from ..worded import Worded

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from .books import Books


class Part(Worded):
    """One choice in how a year is measured: its words, its terms, and what it does not model."""

    title: ClassVar[str]

    def at(self, year: int, first_year: int) -> Self:
        """The same part with every schedule turned into this year's number; before it begins, its first holds."""

        def now(value: Any) -> Any:
            if not isinstance(value, Schedule):
                return value
            count = year - first_year + 1 if value.counts_from_first_year() else year
            return value.at(max(count, min(value)))

        return self.model_copy(update={term: now(getattr(self, term)) for term in type(self).terms()})

    def years_read(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        """The years of claims that it reads to make a contract year, each with what reads it."""
        yield from ()

    def faults(self, books: "Books") -> Iterator[Fault]:
        """What it asks for that the claims do not have."""
        yield from ()

    def unmet(self, books: "Books") -> Iterator[str]:
        """In words, what it names that no row of the claims has: it can be a slip, or something that did not happen."""
        yield from ()


def absent(column: "ir.Value", names: Iterable[str]) -> list[str]:
    """The names that no row of a column has."""
    from ..claims.engine import fetched

    asked = list(names)
    given = column.name("given").as_table()  # by which it is asked, since a column of a join is no longer of the join
    found = {row["given"] for row in fetched(given.filter(given.given.isin(asked)).distinct())}
    return [name for name in asked if name not in found]
