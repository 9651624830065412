"""Provision: a paragraph that governs and moves no money. Each section of an agreement is one file."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, get_args, get_origin

from ..worded import Worded, fields_in, options_in

BLANK = "[________]"


class Provision(Worded):
    """One section of an agreement: its words, its terms, whom each option favors, and what it does not settle."""

    title: ClassVar[str]
    between_us: ClassVar[bool] = False  # what a party asks of its own people, and does not put before the other
    favors: ClassVar[Mapping[str, Mapping[str, str]]] = {}  # by term and option: whom it favors, and what it costs

    def favored(self) -> Iterator[tuple[str, str, str]]:
        """Each choice made that favors someone: the term, the option, and whom and how."""
        for term, options in self.favors.items():
            value = getattr(self, term)
            for option in value if isinstance(value, list) else [value]:
                if option in options:
                    yield term, option, options[option]

    @classmethod
    def bracketed(cls) -> str:
        """The section as a draft leaves it open: each choice in brackets, and a blank for what is to be filled in.

        >>> from .security import Security
        >>> Security.bracketed()[:72]
        'What the provider may owe is secured by [nothing / a reserve / a letter '
        """
        return " ".join(
            sentence.format(**{term: cls._choices(term) for term in fields_in(sentence)}) for sentence in cls.words
        )

    @classmethod
    def _choices(cls, term: str) -> str:
        """What a term may be, in brackets: each option as it is said; of a list, any of them."""
        kinds = list(options_in(cls.model_fields[term].annotation))
        options = next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), ())
        if not options or any(get_origin(kind) is dict for kind in kinds):
            return BLANK
        said = [cls.spoken.get(term, {}).get(option, option) for option in options]
        any_of = "any of: " if any(get_origin(kind) is list for kind in kinds) else ""
        return f"[{any_of}{'; '.join(said) if any_of else ' / '.join(said)}]"
