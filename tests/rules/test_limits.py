"""Every number that a reader can give has two ends: those of the commands' options, and those of every file."""

import importlib
import math
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import carecontracts
from carecontracts.cli import app, claims_app
from carecontracts.evidence.library import _Row
from carecontracts.measuring.recorded import Measure
from carecontracts.review.select import Form, Limit, Step
from carecontracts.value_sets import Condition

WORDS = {  # what a command wants before its options; none of it need be there, since all faults are told at once
    "settle": ["a.yaml", "b.csv"],
    "mssp": ["a.csv"],
    "reach": ["a.csv"],
    "odds": ["a.yaml"],
    "check": ["a.yaml"],
    "agreement": ["a.yaml", "--theirs=b.docx"],
    "compare": ["a.yaml", "b.yaml"],
    "zone": ["a.yaml"],
    "net": ["a.yaml"],
    "price": ["a.yaml"],
    "make": ["a new folder"],
    "crosswalk": ["a", "--definition", "stays", "--definition", "cost"],
}


def options() -> Iterator[tuple[list[str], str]]:
    for group, words in ((app, []), (claims_app, ["claims"])):
        for command in group.registered_commands:
            for name, kind in get_type_hints(command.callback).items():
                if {int, float} & {kind, *get_args(kind)}:
                    yield [*words, command.name], name


@pytest.mark.parametrize(
    ("words", "name"), [pytest.param(*each, id=" ".join([*each[0], each[1]])) for each in options()]
)
def test_a_number_beyond_either_end_is_refused_by_the_name_of_its_option(words, name, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (10**30, -(10**30), "nan", "inf", "-inf", "1e400", "1e300", "-1e-9"):
        done = run(*words, *WORDS[words[-1]], f"--{name.replace('_', '-')}={number}")
        assert done.code == 2, number
        assert name in done.err.replace("-", "_"), number
    assert not list(tmp_path.iterdir())


def models() -> Iterator[type[BaseModel]]:
    for module in pkgutil.walk_packages(carecontracts.__path__, "carecontracts."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, left = set(), [BaseModel]
    while left:
        for each in left.pop().__subclasses__():
            left.append(each)
            own = issubclass(
                each, (_Row, Condition, Form, Limit, Step)
            )  # data that the package ships, which nobody else writes
            if each.__module__.startswith("carecontracts.") and not own:
                found.add(each)
    yield from sorted(found, key=lambda model: (model.__module__, model.__qualname__))


def taken(kind: Any, value: Any) -> bool:
    try:
        kind.validate_python(value)
    except (ValidationError, ValueError, TypeError, AttributeError):
        return False
    return True


def numeric(kind: Any) -> bool:
    """Whether some number is taken, alone, in a list or by name."""
    return any(taken(kind, put(n)) for put in WRAPPED for n in (0, 1, 2, 0.5, 10, 2026))


WRAPPED = [lambda n: n, lambda n: [n], lambda n: {"a name": n}, lambda n: {2026: n}, lambda n: {"lives": {10: n}},
           lambda n: {0.0: n}]  # fmt: skip


def test_every_number_of_every_file_has_both_ends():
    beyond = (1e300, -1e300, math.nan, math.inf, -math.inf, 10**30, -(10**30), 1e14)
    found, open_ended = 0, []
    for model in models():
        for name, field in model.model_fields.items():
            kind: TypeAdapter[Any] = TypeAdapter(
                Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            )
            if not numeric(kind) or (model, name) == (Measure, "settings"):  # these are terms of the measure's own kind
                continue
            found += 1
            open_ended += [
                f"{model.__name__}.{name} takes {put(number)}"
                for put in WRAPPED
                for number in beyond
                if taken(kind, put(number))
            ]
    assert found > 100
    assert not open_ended, "\n".join(open_ended)
