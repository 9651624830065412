"""Part: one choice in how a year is measured. Each kind of part is one file: its words, its terms, what it does."""

from typing import Any, ClassVar, Self

from ..units import Schedule
from ..worded import Worded


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
