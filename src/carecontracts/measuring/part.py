"""Part: one choice in how a year is measured. Each kind of part is one file: its words, its terms, what it does."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic_core import PydanticCustomError

from ..units import Schedule, say_count, say_percent
from ..worded import Name, Worded, fields_in

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

    def say(self) -> str:
        """The part in words, plain text: every term that is set is said.

        >>> from .spending import Spending
        >>> Spending(truncated_at=250_000).say()
        "Spending is the paid amount of each claim line. Of one person's spending in a year, $250,000 counts at most."
        """
        said = {term: self._say_term(term) for sentence in self.sentences() for term in fields_in(sentence)}
        return " ".join(sentence.format(**said) for sentence in self.sentences())

    def numbers(self) -> Iterator[tuple[str, str]]:
        """Each term that is a number, or several, with its value in words."""
        for term, unit in type(self).terms().items():
            value = getattr(self, term)
            if self._is_set(term) and (unit or (isinstance(value, (Mapping, list)) and _has_numbers(value))):
                yield term, self._say_term(term)

    def _is_set(self, term: str) -> bool:
        return super()._is_set(term) and getattr(self, term) != {}

    def _say_term(self, term: str) -> str:
        value, unit = getattr(self, term), type(self).terms().get(term)
        if unit and not isinstance(value, list) and (isinstance(value, Schedule) or not isinstance(value, dict)):
            return unit.say(value)
        plain = type(self).said_plainly(term)
        if term == "definition":
            return say_definition(value)
        if isinstance(value, Mapping):
            return ", ".join(f"{name} {say_count(number)}" for name, number in value.items())
        if isinstance(value, list):
            names = [_say_item(item, plain) for item in value]
            return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        return _say_item(value, plain)


def _has_numbers(value: Any) -> bool:
    if isinstance(value, (Mapping, list)):
        return any(map(_has_numbers, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _say_item(value: Any, plain: bool) -> str:
    if isinstance(value, (int, float)):
        return say_percent(value)
    return str(value).replace("_", " ") if plain else f"“{value}”"


def refused(given: str, allowed: str, do: str) -> PydanticCustomError:
    return PydanticCustomError("measurement", "{do}", {"given": given, "allowed": allowed, "do": do})
