"""What a reader's own file about a party is made of: numbers with two ends, each with its basis."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..refusal import refuse, show
from ..worded import Text


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def between(what: str, least: float, most: float) -> AfterValidator:
    """Both ends of a number: beyond them it is a slip, and cents or chances would no longer be exact."""

    def check(number: float) -> float:
        if not least <= number <= most:
            refuse(show(number), f"{what}, {least:,.10g} to {most:,.10g}", "give a number in between")
        return number

    return AfterValidator(check)


Posts = Annotated[float, between("posts", 0.01, 100_000)]
Extra = Annotated[float, between("dollars per person", 0, 1_000_000)]
Money = Annotated[float, between("dollars", 0, 10_000_000_000)]
Share = Annotated[float, between("a share", 0.001, 1)]
ShareOrNone = Annotated[float, between("a share", 0, 1)]
Rate = Annotated[float, between("a yearly rate", -0.5, 0.5)]
Ramp = Annotated[list[ShareOrNone], Field(min_length=1, max_length=15)]
Basis = Annotated[Text, Field(min_length=3)]  # a key of the bibliography, `illustrative` or `assumption`


def at(ramp: list[float], n: int) -> float:
    """A ramp's share in the n-th year from 0; the last holds."""
    return ramp[min(n, len(ramp) - 1)]


def every_number_has_a_basis(names: Collection[str], basis: Mapping[str, str]) -> None:
    missing = [name for name in names if name not in basis]
    unknown = [name for name in basis if name not in names]
    if missing or unknown:
        given = "; ".join(_sides(missing, unknown))
        allowed = "a basis for each number given, and for no other"
        refuse(given, allowed, "write the source's key, `illustrative` or `assumption`")


def _sides(missing: list[str], unknown: list[str]) -> Iterator[str]:
    if missing:
        yield "no basis for " + ", ".join(missing)
    if unknown:
        yield "a basis for " + ", ".join(unknown) + ", not given"
