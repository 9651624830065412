"""Part: one choice in how a year is measured. Each kind of part is one file: its words, its terms, what it does."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..units import Schedule, say_count
from ..worded import Name, Worded

# A population definition by name, with its terms (`{cost: {dollars: 25000}}`), or joined by `all`, `any`, `not` and
# `both_years`. `people.definitions` knows the names and checks the terms.
Definition = Name | dict[str, Any]


def say_definition(made: Any) -> str:
    """A definition in words.

    >>> say_definition({"any": ["hospital_stays", {"cost": {"dollars": 25000}}]})
    'any of (hospital stays; cost with dollars 25,000)'
    """
    if isinstance(made, Mapping) and len(made) == 1:
        (name, inside), *_ = made.items()
        if isinstance(inside, list) and name in ("all", "any"):
            return f"{name} of ({'; '.join(map(say_definition, inside))})"
        if name in ("not", "both_years"):
            return f"{'not' if name == 'not' else 'this year and the year before:'} {say_definition(inside)}"
        if isinstance(inside, Mapping) and inside:
            terms = [f"{term} {say_count(v) if isinstance(v, (int, float)) else v}" for term, v in inside.items()]
            return f"{name} with {', '.join(terms)}".replace("_", " ")
        return str(name).replace("_", " ")
    return str(made).replace("_", " ")


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

    def say_term(self, term: str) -> str:
        return say_definition(getattr(self, term)) if term == "definition" else super().say_term(term)
