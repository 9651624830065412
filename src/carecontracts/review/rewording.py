"""Reading a paragraph back: the terms whose words it is now, where its words were edited."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any, Literal, get_args, get_origin

from ..units import Unit
from ..worded import Worded, fields_in, options_in

MOST_WAYS = 200  # in which several numbers are tried together
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
ALIKE = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u2011": "-"})


def plain(text: str) -> str:
    """Text as it is compared: Word's curled quotation marks and its wider spaces are no edit.

    >>> plain("the\u00a0provider\u2019s  loss")
    "the provider's loss"
    """
    return " ".join(text.translate(ALIKE).split())


def reread(part: Worded, text: str, named: Mapping[str, str] = {}) -> dict[str, Any] | None:
    """The terms that make a part say this text, those alone that changed; None, where no terms do.

    A sentence of an optional term may be struck or written in. `named` are the terms that a contract says, as in
    `Worded.say`; those cannot be reread. The caller sees by amending that the contract says the text.

    >>> from ..provisions.security import Security
    >>> reread(Security(means="a reserve", of_most=0.5), "What the provider may owe is secured by a letter of credit."
    ...        " It amounts to 40% of the most that the provider can owe in a year.")
    {'means': 'a letter of credit', 'of_most': 0.4}
    >>> reread(Security(means="a reserve"), "What the provider may owe is guaranteed.") is None
    True
    """
    said_now = {
        term: plain(named.get(term) or part.say_term(term))
        for sentence in part.sentences()
        for term in fields_in(sentence)
    }
    for found in _taken_apart(type(part), plain(text), said_now):
        terms: dict[str, Any] = {}
        for term, said in found.items():
            if term not in type(part).model_fields:  # made of other terms: it follows them
                continue
            before = said_now.get(term)
            if _alike(said, before):
                continue
            values = [None] if said is None else list(_values(part, term, said)) if term not in named else []
            if not values:
                break
            terms[term] = values[0]
        else:
            return terms
    return None


def by_numbers(part: Worded, said: str, text: str) -> Iterator[dict[str, Any]]:
    """Terms with other numbers, for words that are made of several terms together.

    Where the words have as many numbers as before, each that differs is put wherever its old one stands in a term;
    else each new number is tried alone, everywhere.
    """
    old, new = _numbers_in(plain(said)), _numbers_in(plain(text))
    values = {
        term: value
        for term, value in part.model_dump(exclude_unset=True).items()
        if term in part.terms() or term == "due"
    }
    places = [(term, place) for term, value in values.items() for place in _leaves(value)]
    if len(old) == len(new):
        changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
        where = [[p for p in places if _at(values[p[0]], p[1]) == a] for a, _ in changed]
        for chosen in islice(product(*where), MOST_WAYS) if changed else ():
            terms: dict[str, Any] = {}
            for (term, place), (_, number) in sorted(
                zip(chosen, changed, strict=True), key=lambda each: _is_key(each[0][1])
            ):
                terms[term] = _put(terms.get(term, values[term]), place, number)
            yield terms
    for number in dict.fromkeys(number for number in new if number not in old):
        yield from ({term: _put(values[term], place, number)} for term, place in places)


def read_new(kind: type[Worded], text: str) -> dict[str, Any] | None:
    """The terms of a section that was open, where its blanks were filled in and its brackets chosen."""
    for found in _taken_apart(kind, plain(text), {}):
        terms: dict[str, Any] = {}
        for term, said in found.items():
            if said is None:
                continue
            value = _from_nothing(kind, term, said.strip("[]"))
            if value is None:
                break
            terms[term] = value
        else:
            return terms
    return None


# --- the words, taken apart by the sentences that may be in it --------------------------------------------------------


def _taken_apart(kind: type[Worded], text: str, now: Mapping[str, str]) -> Iterator[dict[str, str | None]]:
    """Each way in which the text is made of the kind's sentences in order: what each term is said to be.

    `now` is what the terms are said to be before any edit, which is looked for first.
    """
    sentences = (*kind.words, *kind.closing)
    shapes = [_shape(sentence, now) for sentence in sentences]
    terms = dict.fromkeys(term for sentence in sentences for term in fields_in(sentence))

    def from_here(position: int, first: int) -> Iterator[dict[str, str]]:
        if position >= len(text):
            yield {}
            return
        for n in range(first, len(shapes)):
            for end, said in _ways(shapes[n], text, position):
                for rest in from_here(end, n + 1):
                    clash = any(not _alike(rest.get(term, value), value) for term, value in said.items())
                    if not clash:
                        yield {**said, **rest}

    for found in from_here(0, 0):
        yield {term: found.get(term) for term in terms}


def _ways(shape: re.Pattern[str], text: str, position: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Each end that a sentence may have here, the shortest first, and what its terms are then."""
    end = position
    while (end := text.find(".", end)) != -1:
        end += 1
        if end < len(text) and text[end] != " ":
            continue
        if match := shape.fullmatch(text, position, end):
            said = {name.rpartition("_")[0]: value for name, value in match.groupdict().items()}
            yield min(end + 1, len(text)) if end < len(text) else end, said


def _shape(sentence: str, now: Mapping[str, str]) -> re.Pattern[str]:
    """A sentence as a pattern: its words as they are, but for one or many, and anything where a term is."""
    made, after_term = "", False
    counted: dict[str, int] = {}
    for n, piece in enumerate(re.split(r"\{(\w+)\}", sentence)):
        if n % 2:
            counted[piece] = counted.get(piece, 0) + 1
            first = now.get(piece, "")
            known = f"(?i:{re.escape(first[0])}){re.escape(first[1:])}|" if first else ""
            made += f"(?P<{piece}_{counted[piece]}>{known}.+?)"
        elif piece:
            literal = re.escape(plain_keeping_ends(piece))
            if n == 0:
                literal = f"(?i:{literal[0]})" + literal[1:] if literal[0] != "\\" else literal
            if after_term:
                literal = re.sub(r"^(\\? )(people|\w+?)s?\b", _one_or_many, literal)
            made += literal
        after_term = bool(n % 2)
    return re.compile(made)


def _one_or_many(found: re.Match[str]) -> str:
    return found[1] + ("(?:people|person)" if found[2] == "people" else f"{found[2]}s?")


def plain_keeping_ends(text: str) -> str:
    """Text as it is compared, with the space that parts it from a term."""
    return re.sub(r"\s+", " ", text.translate(ALIKE))


def _alike(a: str | None, b: str | None) -> bool:
    """The same words, but for the large letter that begins a sentence."""
    return a == b or (a is not None and b is not None and a[1:] == b[1:] and a[:1].lower() == b[:1].lower())


# --- a term's value from its words ------------------------------------------------------------------------------------


def _is_set(part: Worded, term: str) -> bool:
    return getattr(part, term) not in (None, [], {})


def _values(part: Worded, term: str, said: str) -> Iterator[Any]:
    """Values that make the term be said so."""
    value = getattr(part, term)
    if not _is_set(part, term):
        new = _from_nothing(type(part), term, said)
        if new is not None:
            yield new
        return
    tried = [*_with_numbers(value, said), _from_nothing(type(part), term, said)]
    for candidate in tried:
        if candidate is not None and _says(part, term, candidate) == said:
            yield candidate


def _says(part: Worded, term: str, value: Any) -> str | None:
    try:
        terms = part.model_dump(exclude_unset=True) | {term: value}
        return plain(type(part).model_validate(terms).say_term(term))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _from_nothing(kind: type[Worded], term: str, said: str) -> Any:
    """A value of which nothing was known: a number in its unit, an option, several of them, or plain words."""
    unit = kind.terms().get(term)
    if isinstance(unit, Unit):
        return _number(said)
    kinds = list(options_in(kind.model_fields[term].annotation))
    listed = any(get_origin(each) is list for each in kinds)
    options = {option for each in kinds if get_origin(each) is Literal for option in get_args(each)}
    if options:
        spoken = {
            plain(kind.spoken.get(term, {}).get(option, str(option).replace("_", " "))): option for option in options
        }
        if not listed:
            return spoken.get(said)
        chosen = [spoken.get(each.strip()) for each in _items(said.removeprefix("any of: "), spoken)]
        return chosen if chosen and None not in chosen else None
    if str in kinds and not listed and not any(get_origin(each) is dict for each in kinds):
        return said.strip('"') if "____" not in said else None
    return None


def _items(said: str, known: Mapping[str, Any]) -> list[str]:
    """The items of a list in words, where commas and "and" may stand in an item as well."""
    if ";" in said:
        return said.split(";")
    found, rest = [], said
    while rest:
        item = next((name for name in sorted(known, key=len, reverse=True) if rest.startswith(name)), None)
        if item is None:
            return [said]
        found.append(item)
        rest = re.sub(r"^(, and |, | and )", "", rest[len(item) :])
    return found


def _number(said: str) -> float | int | None:
    """`$1,250`, `2.5%` or `12` as a number: a percentage is a share.

    >>> _number("$1,250"), _number("2.5%"), _number("12"), _number("twelve")
    (1250, 0.025, 12, None)
    """
    if not re.fullmatch(rf"\$?(?:{NUMBER.pattern})%?", said):
        return None
    number = float(said.strip("$%").replace(",", ""))
    if said.endswith("%"):
        return round(number / 100, 12)
    return int(number) if number.is_integer() else number


def _numbers_in(text: str) -> list[float | int]:
    return [n for found in re.findall(rf"\$?(?:{NUMBER.pattern})%?", text) if (n := _number(found)) is not None]


def _with_numbers(value: Any, said: str) -> Iterator[Any]:
    """The value with one of its numbers, or several in their order, as the words have them."""
    numbers = _numbers_in(said)
    leaves = list(_leaves(value))
    if not leaves or not numbers:
        return
    if isinstance(value, (int, float)):
        yield from numbers
        return
    for number in dict.fromkeys(numbers):
        for place in leaves:
            yield _put(value, place, number)
    # all of them at once, where there are as many
    if len(numbers) == len(leaves):
        changed = value
        for place, number in zip(leaves, numbers, strict=True):
            changed = _put(changed, place, number)
        yield changed


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all numbers in a value, those that are keys too, in the order in which they are written."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(key, (int, float)) and not isinstance(key, bool):
                yield (*place, ("key", key))
            yield from _leaves(each, (*place, key))
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from _leaves(each, (*place, n))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield place


def _is_key(place: Sequence[Any]) -> bool:
    """Keys are changed last: the places of what is under them are told by them."""
    return bool(place) and isinstance(place[-1], tuple)


def _at(value: Any, place: Sequence[Any]) -> Any:
    """The number at a place."""
    for step in place:
        if isinstance(step, tuple):
            return step[1]
        value = value[step]
    return value


def _put(value: Any, place: Sequence[Any], number: Any) -> Any:
    if not place:
        return number
    first, *rest = place
    if isinstance(first, tuple):
        return {(number if key == first[1] else key): each for key, each in value.items()}
    if isinstance(value, Mapping):
        return {key: _put(each, rest, number) if key == first else each for key, each in value.items()}
    return [_put(each, rest, number) if n == first else each for n, each in enumerate(value)]
