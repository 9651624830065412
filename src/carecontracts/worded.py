"""What a clause, a part of how a year is measured and a population definition share: terms that print as words."""

import re
import string
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, NoReturn, Protocol, Self, get_args, get_origin, runtime_checkable

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from .files import Place
from .refusal import Fault, Refusal, did_you_mean, in_words, refuse, show
from .scales import SlidingScale, TieredUnit
from .units import Schedule, Unit, each_once, is_year, say_list, tidy, with_numbers

# --- the words of a contract file -------------------------------------------------------------------------------------


# Letters and marks that print as nothing, so that two names could look alike.
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(n) for n in range(0xFE00, 0xFE10)}


def _printable(text: str) -> str:
    text = tidy(text)  # a folded YAML string is one line
    if not text or not text.isprintable() or text[0] in "=+-@":
        refuse(show(text), "printable text that does not begin with = + - or @", "write it as plain words")
    if unseen := next((c for c in text if c in UNSEEN), None):
        refuse(f"{show(text)}, with U+{ord(unseen):04X}, which nobody sees", "letters that are seen", "write it anew")
    return text


EachOnce = BeforeValidator(each_once)  # of values by name, and names in a list: none is another's but for a space
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
        def each(value: Any, check: Any, info: ValidationInfo) -> Any:
            if info.mode == "json":
                value = with_numbers(value)
            if isinstance(value, Mapping) and value and all(is_year(key) for key in value):
                return Schedule({key: check(item) for key, item in value.items()})
            return check(value)

        return core_schema.with_info_wrap_validator_function(
            each,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda v: dict(v) if isinstance(v, dict) else v
            ),
        )


@runtime_checkable
class Spoken(Protocol):
    """A term that has words of its own, such as a population definition."""

    def say(self) -> str: ...

    def has_numbers(self) -> bool: ...


def in_number(sentence: str, said: Mapping[str, str]) -> str:
    """`{least} months`, where the term is 1, is one month.

    >>> in_number("{least} months, {most} people", {"least": "1", "most": "1"})
    '{least} month, {most} person'
    >>> in_number("{least} months", {"least": "11"})
    '{least} months'
    """

    def one(found: re.Match[str]) -> str:
        thing = "person" if found[2] == "people" else found[2].removesuffix("s")
        return f"{{{found[1]}}} {thing}" if said.get(found[1]) == "1" else found[0]

    return re.sub(r"\{(\w+)\} (people|[a-z]+s)\b", one, sentence)


class Worded(BaseModel):
    """Terms that print as words, each number with its basis: a clause, or a part of how a year is measured."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    words: ClassVar[tuple[str, ...]]  # sentences; one is left out while a term that it names is not set
    closing: ClassVar[tuple[str, ...]] = ()  # the sentences that end every one of its family
    not_modelled: ClassVar[tuple[str, ...]] = ()  # what the words do not cover; the term sheet repeats it
    spoken: ClassVar[Mapping[str, Mapping[str, str]]] = {}  # choices that are said otherwise than they are written
    apart: ClassVar[tuple[str, ...]] = ()  # lists of phrases, which semicolons set apart
    plainly: ClassVar[tuple[str, ...]] = ()  # the terms whose names read as plain words, without quotation marks
    together: ClassVar[tuple[tuple[str, ...], ...]] = ()  # where the first of these terms is set, the others must be
    common: ClassVar[frozenset[str]] = frozenset({"kind", "basis", "note"})  # what every one of its family has

    basis: Text | dict[str, Text] = {}
    note: Text | None = None

    @field_validator("*", mode="after")
    @classmethod
    def _names_once(cls, value: Any) -> Any:
        """No list holds a name twice: what it names would be paid, or asked, twice."""
        return each_once(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _terms_that_go_together(self) -> Self:
        for first, *others in self.together:
            for missing in (term for term in others if self._is_set(first) and not self._is_set(term)):
                refuse(
                    f"`{first}` without `{missing}`",
                    f"`{first}` together with {', '.join(f'`{term}`' for term in others)}",
                    f"add `{missing}:`, or take out `{first}`",
                )
        return self

    # --- its words ---

    def say(self, named: Mapping[str, str] = {}, about: Collection[str] = ()) -> str:
        """The paragraph in words, plain text: every term that is set is said; or the sentences about some terms alone.

        `named` says some terms in a contract's words: its parties by their full names, its clauses with their numbers.

        >>> from .units import Dollars
        >>> class Fee(Worded):
        ...     words = ("The fee is {fee} for {whom}.", "It is paid through {until}.")
        ...     fee: Dollars
        ...     whom: Name
        ...     until: Name | None = None
        >>> Fee(fee=85, whom="a visit").say()
        'The fee is $85 for “a visit”.'
        >>> Fee(fee=85, whom="a visit").say({"whom": "each visit (paragraph 2)"})
        'The fee is $85 for each visit (paragraph 2).'
        >>> Fee(fee=85, whom="a visit", until="May").say(about=["until"])
        'It is paid through “May”.'
        """
        sentences = [sentence for sentence in self.sentences() if not about or {*about} & {*fields_in(sentence)}]
        said = {term: named.get(term) or self.say_term(term) for s in sentences for term in fields_in(s)}
        spoken = [in_number(sentence, said).format(**said) for sentence in sentences]
        return " ".join(sentence[0].upper() + sentence[1:] for sentence in spoken)

    def sentences(self) -> list[str]:
        """The sentences in force, as templates: those whose every term is set."""
        return [s for s in (*self.words, *self.closing) if all(self._is_set(term) for term in fields_in(s))]

    def say_term(self, term: str) -> str:
        """One term in words: a number in its unit, a choice plainly, a name in quotation marks; by year, where it is.

        Lists are joined with "and", phrases with semicolons; settings by name are said with their names.
        """
        unit = self.terms().get(term)

        def one(value: Any) -> str:
            if unit:
                return unit.say(value)
            if isinstance(value, Spoken):
                return value.say()
            if value in self.spoken.get(term, ()):
                return self.spoken[term][value]
            return str(value).replace("_", " ") if self.said_plainly(term) else f"“{value}”"

        def all_of(value: Any) -> str:
            if isinstance(value, Schedule) and not unit:  # a unit says its own
                return value.say(lambda item: "never" if item is None else all_of(item))
            if isinstance(value, list):
                return (
                    "; ".join(item if isinstance(item, str) else one(item) for item in value)
                    if term in self.apart
                    else say_list([one(item) for item in value])
                )
            if type(value) is dict and not isinstance(unit, TieredUnit):
                return ", ".join(f"{name} {one(item)}" for name, item in value.items())
            return one(value)

        return all_of(getattr(self, term))

    def numbers(self) -> Iterator[tuple[str, str]]:
        """Each term that is a number, or holds some, with its value in words: what needs a basis."""
        for term, unit in self.terms().items():
            value = getattr(self, term)
            if self._is_set(term) and (unit or _has_numbers(value)):
                scale = value.name if isinstance(value, SlidingScale) else ""
                yield term, f"the scale “{scale}”" if scale else self.say_term(term)

    def _is_set(self, term: str) -> bool:
        value = getattr(self, term)
        return value is not None and value != [] and value != {}

    # --- its terms ---

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
        field = cls.model_fields.get(term)  # none of what is made of other terms
        options = options_in(field.annotation) if field else ()
        return term in ("due", *cls.plainly) or any(get_origin(option) is Literal for option in options)

    def basis_of(self, term: str) -> str | None:
        return self.basis if isinstance(self.basis, str) else self.basis.get(term)


@cache
def fields_in(template: str) -> tuple[str, ...]:
    """The terms that a template names.

    >>> fields_in("{payer} pays {payee} {share} of it.")
    ('payer', 'payee', 'share')
    """
    return tuple(field for _, field, _, _ in string.Formatter().parse(template) if field)


def _has_numbers(value: Any) -> bool:
    if isinstance(value, Spoken):
        return value.has_numbers()
    if isinstance(value, (Mapping, list)):
        return any(map(_has_numbers, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def options_in(annotation: Any) -> Iterator[Any]:
    """An annotation, and every one inside it: the alternatives of a union, the items of a list."""
    yield annotation
    if get_origin(annotation) is not Literal:
        for inside in get_args(annotation):
            yield from options_in(inside)


def _metadata(cls: type[BaseModel], term: str) -> list[Any]:
    field = cls.model_fields[term]
    inside = [m for option in get_args(field.annotation) for m in getattr(option, "__metadata__", ())]
    return [*field.metadata, *inside]


# --- what is wrong inside a term -------------------------------------------------------------------------------------

Misfit = tuple[Place, Fault]  # a mistake inside a term: the keys that lead to it, and the fault without its place


def refuse_each(misfits: Iterable[Misfit]) -> NoReturn:
    """Refuses a value within a validator of pydantic, each mistake told at its own place in the file."""
    raise ValidationError.from_exception_data(
        "terms",
        [
            InitErrorDetails(type=PydanticCustomError("value_error", "", {"error": Refusal([fault])}), loc=at, input="")
            for at, fault in misfits
        ],
    )


def misfits_in(kind: type[BaseModel], terms: Mapping[Any, Any], known: Collection[str]) -> Iterator[Misfit]:
    """What is wrong with the terms given of a kind, of which only the known ones may be."""
    for term in terms:
        if term not in known:
            do = did_you_mean(term, known) + "rename or remove it"
            yield (term,), Fault("", f"the unknown term `{term}`", ", ".join(known) or "no terms", do)
    try:
        kind.model_validate({term: value for term, value in terms.items() if term in known})
    except ValidationError as error:
        for each in error.errors():
            yield from ((each["loc"], fault) for fault in in_words(each, known))
