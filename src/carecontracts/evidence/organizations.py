"""Organizations by three criteria (evidence, sustainability, replicability), and how each was paid."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field

from ..files import read_yaml
from .library import Key, Words, _Row, read_rows

Met = Literal["met", "partly met", "not met", "not seen"]
CRITERIA = ("evidence", "sustainability", "replicability")


class Criterion(_Row):
    """Whether a criterion is met, why, and who says so."""

    met: Met
    words: Words
    by: Key


class Paid(_Row):
    """How an organization was paid, and who says so."""

    words: Words
    by: Key


class Organization(_Row):
    """One organization; `programs` are keys of the library."""

    key: Key
    name: Words
    what: Words
    programs: Annotated[list[Key], Field(min_length=1)]
    evidence: Criterion
    sustainability: Criterion
    replicability: Criterion
    paid: Paid

    def criteria(self) -> dict[str, Criterion]:
        return {name: getattr(self, name) for name in CRITERIA}

    def sources(self) -> list[str]:
        return list(dict.fromkeys([self.paid.by, *(c.by for c in self.criteria().values())]))


@cache
def organizations() -> tuple[Organization, ...]:
    """The organizations that come with the package.

    >>> len(organizations()) >= 10
    True
    """
    path = files("carecontracts.evidence") / "organizations.yaml"
    return tuple(read_rows(*read_yaml(path), str(path), Organization))
