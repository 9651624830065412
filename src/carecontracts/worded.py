"""What a clause, a part of how a year is measured and a population definition share: terms that print as words."""

import string
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError, core_schema

from .refusal import show
from .units import Schedule, Unit, is_year, tidy

# --- the words of a contract file -------------------------------------------------------------------------------------


def _printable(text: str) -> str:
    text = tidy(text)  # a folded YAML string is one line
    if not text or not text.isprintable() or text[0] in "=+-@":
        raise PydanticCustomError(
            "text",
            "text",
            {
                "given": show(text),
                "allowed": "printable text that does not begin with = + - or @",
                "do": "write it as plain words",
            },
        )
    return text


Text = Annotated[str, AfterValidator(_printable)]
Name = Annotated[str, Field(max_length=80), AfterValidator(_printable)]
Party = Annotated[str, Field(max_length=80), AfterValidator(_printable)]
ClauseName = Annotated[str, Field(max_length=80), AfterValidator(_printable)]
MeasureName = Annotated[str, Field(max_length=80), AfterValidator(_printable)]
ConditionName = Annotated[str, Field(max_length=80), AfterValidator(_printable)]


class ByYear:
    """An annotation: the value, or a schedule of such values by year.

    `full_share_if: {2013: null, 2021: quality standard met}`
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def each(value: Any, check: Any) -> Any:
            if isinstance(value, Mapping) and value and all(is_year(key) for key in value):
                return Schedule({key: check(item) for key, item in value.items()})
            return check(value)

        return core_schema.no_info_wrap_validator_function(
            each,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda v: dict(v) if isinstance(v, dict) else v
            ),
        )


class Worded(BaseModel):
    """Terms that print as words, each number with its basis: a clause, or a part of how a year is measured."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    words: ClassVar[tuple[str, ...]]  # sentences; one is left out while a term that it names is not set
    closing: ClassVar[tuple[str, ...]] = ()  # the sentences that end every one of its family
    not_modelled: ClassVar[tuple[str, ...]] = ()  # what the words do not cover; the term sheet repeats it
    plainly: ClassVar[tuple[str, ...]] = ()  # the terms whose names read as plain words, without quotation marks
    together: ClassVar[tuple[tuple[str, ...], ...]] = ()  # where the first of these terms is set, the others must be
    common: ClassVar[frozenset[str]] = frozenset({"kind", "basis", "note"})  # what every one of its family has

    basis: Text | dict[str, Text] = {}
    note: Text | None = None

    @model_validator(mode="after")
    def _terms_that_go_together(self) -> Self:
        for first, *others in self.together:
            for missing in (term for term in others if self._is_set(first) and not self._is_set(term)):
                raise PydanticCustomError(
                    "together",
                    "together",
                    {
                        "given": f"`{first}` without `{missing}`",
                        "allowed": f"`{first}` together with {', '.join(f'`{term}`' for term in others)}",
                        "do": f"add `{missing}:`, or take out `{first}`",
                    },
                )
        return self

    def sentences(self) -> list[str]:
        """The sentences in force, as templates: those whose every term is set."""
        return [s for s in (*self.words, *self.closing) if all(self._is_set(term) for term in fields_in(s))]

    def _is_set(self, term: str) -> bool:
        value = getattr(self, term)
        return value is not None and value != []

    @classmethod
    @cache
    def terms(cls) -> dict[str, Unit | None]:
        """The terms that this kind adds, each with its unit (None where it is not a number)."""
        own = [t for t in cls.model_fields if t not in cls.common]
        return {term: next((m for m in _metadata(cls, term) if isinstance(m, Unit)), None) for term in own}

    @classmethod
    @cache
    def said_plainly(cls, term: str) -> bool:
        """Whether a term is said without quotation marks: it chooses among our words, or reads as plain ones."""
        return term in ("due", *cls.plainly) or "Literal[" in str(cls.model_fields[term].annotation)

    def basis_of(self, term: str) -> str | None:
        return self.basis if isinstance(self.basis, str) else self.basis.get(term)


@cache
def fields_in(template: str) -> tuple[str, ...]:
    """The terms that a template names.

    >>> fields_in("{payer} pays {payee} {share} of it.")
    ('payer', 'payee', 'share')
    """
    return tuple(field for _, field, _, _ in string.Formatter().parse(template) if field)


def _metadata(cls: type[BaseModel], term: str) -> list[Any]:
    field = cls.model_fields[term]
    inside = [m for option in get_args(field.annotation) for m in getattr(option, "__metadata__", ())]
    return [*field.metadata, *inside]
