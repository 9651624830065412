"""Provision: a paragraph that governs and moves no money. Each section of an agreement is one file."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ..worded import Worded


class Provision(Worded):
    """One section of an agreement: its words, its terms, whom each option favors, and what it does not settle."""

    title: ClassVar[str]
    favors: ClassVar[Mapping[str, Mapping[str, str]]] = {}  # by term and option: whom it favors, and what it costs

    def favored(self) -> Iterator[tuple[str, str, str]]:
        """Each choice made that favors someone: the term, the option, and whom and how."""
        for term, options in self.favors.items():
            value = getattr(self, term)
            for option in value if isinstance(value, list) else [value]:
                if option in options:
                    yield term, option, options[option]
