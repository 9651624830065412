"""Value sets: which diagnosis codes mean which condition. They are data, in `value_sets.yaml`.

For each condition: the ICD-10-CM and ICD-9-CM codes, their source, and whether it counts as chronic, as behavioral or
as a sign of frailty. A contract may name a condition in a definition, so they are known when it is loaded.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter

from .files import read_yaml
from .refusal import did_you_mean, refuse, show

KINDS = {"icd10": "icd-10-cm", "icd9": "icd-9-cm"}  # as Tuva writes diagnosis_code_type


def prefixes(item: str | int) -> list[str]:
    """One prefix, or all from the first to the last of a range.

    >>> prefixes("C77-C80"), prefixes("E11"), prefixes("4254-4256")
    (['C77', 'C78', 'C79', 'C80'], ['E11'], ['4254', '4255', '4256'])
    """
    first, dash, last = str(item).partition("-")
    if not all(code.isalnum() and code == code.upper() for code in (first, last if dash else first)):
        raise ValueError(f"{show(item)}: write a code in capitals without its dot (E116), or a range (C77-C80)")
    if not dash:
        return [first]
    letter = first[: len(first) - len(first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
    digits = len(first) - len(letter)
    return [f"{letter}{n:0{digits}d}" for n in range(int(first[len(letter) :]), int(last[len(letter) :]) + 1)]


Codes = Annotated[tuple[str, ...], BeforeValidator(lambda items: tuple(p for item in items for p in prefixes(item)))]


class Condition(BaseModel):
    """One condition and the codes that mean it: a code means itself and all codes that begin with it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: str
    group: Literal["chronic", "behavioral", "frailty", "other"]
    source: Literal["quan2005", "cms_hcc", "chosen"]
    icd10: Codes
    icd9: Codes
    complex: bool = False  # counts as a complex condition where a taxonomy asks for one
    hcc: tuple[str, ...] = ()  # CMS-HCC V28 categories whose codes are all in icd10


@cache
def value_sets() -> Mapping[str, Condition]:
    """The conditions by name.

    >>> value_sets()["diabetes"].icd10
    ('E08', 'E09', 'E10', 'E11', 'E13')
    """
    data, _ = read_yaml(files(__package__) / "value_sets.yaml")
    return TypeAdapter(dict[str, Condition]).validate_python(data)


def _known(name: Any) -> Any:
    known = value_sets()
    if not isinstance(name, str) or name not in known:
        refuse(show(name), ", ".join(known), did_you_mean(name, known) + "name a condition")
    return name


# The name of a condition, as a term of a definition.
KnownCondition = Annotated[str, BeforeValidator(_known)]
