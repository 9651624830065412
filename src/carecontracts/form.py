"""A contract as a form: every clause and part with its terms, each with its label, unit, limits, options and help.

All of it is what the terms say of themselves: their units, their choices, and the sentence that each is in.
A form is made of the values as they stand in the text, so that a contract which is not sound yet can be mended in it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from .clause import MECHANISMS, Clause
from .edits import on_one_line
from .files import number_in, parse_yaml
from .measuring.section import Measurement
from .provisions.section import Provisions
from .refusal import Fault, Refusal, did_you_mean, listed, show
from .scales import LadderUnit, TieredUnit
from .units import Unit
from .worded import Worded, fields_in

DUE = ("monthly", "quarterly", "at the start of the year", "9 months after the year ends", "in kind")
SECTIONS: dict[str, type[BaseModel]] = {"measurement": Measurement, "provisions": Provisions}
AGREEMENT = (
    ("title", "text", "What the agreement is called."),
    ("summary", "text", "In a sentence or two, who pays whom for what."),
    ("first_year", "number", "The calendar year in which it begins; or 1, and years are counted."),
    ("years", "number", "How long it runs; without it, until it is ended."),
    ("year_starts", "number", "The month in which a contract year begins, 1 to 12."),
)
Field = dict[str, Any]


def form_of(text: str) -> dict[str, Any]:
    """The agreement's own terms, its parties, its clauses and its other sections, as fields to fill in."""
    data, lines = parse_yaml(text, "contract")
    if not isinstance(data, Mapping):
        do = "begin with `title:`"
        raise Refusal([Fault("contract", show(data), "terms and their values", do)])
    clauses: list[Any] = data["clauses"] if isinstance(data.get("clauses"), list) else []
    parties = list(data["parties"]) if isinstance(data.get("parties"), Mapping) else []
    return {
        "agreement": [
            {"place": [name], "label": _label(name), "how": how, "help": help_, "value": _shown(data.get(name), how)}
            for name, how, help_ in AGREEMENT
        ],
        "parties": [
            {"key": key, "place": ["parties", key], "value": str(name)}
            for key, name in (data["parties"].items() if parties else ())
        ],
        "clauses": [
            _part(clause, ["clauses", n], lines, _kind_of(clause), parties, _names(clauses[:n]))
            for n, clause in enumerate(clauses)
            if isinstance(clause, Mapping)
        ],
        "sections": [
            {
                "name": name,
                "parts": [
                    _part(part, [name, field], lines, model, parties, _names(clauses), title=_label(field))
                    for field, part in data[name].items()
                    if (model := _model_at(section, field, part)) and isinstance(part, Mapping)
                ],
            }
            for name, section in SECTIONS.items()
            if isinstance(data.get(name), Mapping)
        ],
    }


def kinds() -> list[dict[str, Any]]:
    """Every mechanism: its kind, and its first sentence with its terms by their names."""
    return [
        {"kind": kind, "label": _label(kind), "words": _named(" ".join(cls.words[:2]))}
        for kind, cls in sorted(MECHANISMS.items())
    ]


def new_clause(text: str, kind: str) -> dict[str, Any]:
    """A clause of this kind between the first two parties, under a name of its own, with what it must have."""
    if kind not in MECHANISMS:
        raise Refusal([Fault("kind", show(kind), listed(MECHANISMS), did_you_mean(kind, MECHANISMS) + "name one")])
    data, _ = parse_yaml(text, "contract")
    taken = _names(data.get("clauses") or [])
    name, n = _label(kind).lower(), 2
    while name in taken:
        name, n = f"{_label(kind).lower()} {n}", n + 1
    parties = [*data.get("parties", {}), "payer", "payee"]
    clause = {"name": name, "kind": kind, "payer": parties[0], "payee": parties[1], "due": "monthly"}
    cls = MECHANISMS[kind]
    for term, unit in cls.terms().items():
        field = cls.model_fields[term]
        if field.is_required():
            clause[term] = _first_value(unit, field.annotation, taken)
    return clause | {"basis": "assumption"}


def _first_value(unit: Unit | None, annotation: Any, earlier: Sequence[str]) -> Any:
    """A value to begin with: none for a number, the first of a choice, the last clause for a list of them."""
    if options := _choices(annotation):
        return options[0]
    if isinstance(unit, LadderUnit):
        return {0: 0, 1: 1}
    if unit:
        return unit.bottom if unit.bottom else 0
    if _is_list(annotation):
        return list(earlier[-1:])
    return "to be named"


def value_of(given: Any, how: str) -> Any:
    """What a field of a form holds as a value of the contract: nothing where it is empty.

    >>> value_of("0.5", "number"), value_of([["1", "40"], ["3", "60"]], "table"), value_of("", "text")
    (0.5, {1: 40, 3: 60}, None)
    """
    if given is None or given == "" or given == []:
        return None
    if how == "table":
        return {_key(key): number_in(str(value).strip()) for key, value in given if str(key).strip()}
    if how == "number":
        return number_in(str(given).strip())
    if how == "switch":
        return bool(given)
    if how in ("list", "clauses"):
        return [str(item).strip() for item in given if str(item).strip()]
    if how == "yaml":
        data, _ = parse_yaml(str(given), "the field")
        return data
    return str(given)


def _key(key: Any) -> Any:
    return number_in(str(key).strip())


# --- fields -----------------------------------------------------------------------------------------------------------


def _part(
    data: Mapping[Any, Any],
    place: list[Any],
    lines: Mapping[Any, int],
    model: type[BaseModel],
    parties: Sequence[str],
    earlier: Sequence[str],
    title: str = "",
) -> dict[str, Any]:
    fields = [
        _field(model, term, data, place, parties, earlier)
        for term in _terms(model)
        if term in model.model_fields and not (term == "kind" and issubclass(model, Clause))
    ]
    unknown = [str(term) for term in data if term not in model.model_fields]
    return {
        "place": place,
        "line": lines.get(tuple(place), 0),
        "name": str(data.get("name") or title),
        "kind": str(data.get("kind") or ""),
        "label": _label(str(data.get("kind") or title)),
        "fields": fields,
        "unknown": unknown,
    }


def _terms(model: type[BaseModel]) -> Iterator[str]:
    """The terms in the order of the file: who pays whom first, and what every clause may have last."""
    first = ("name", "kind", "payer", "payee", "due")
    last = ("only_if", "unless", "only_if_never_paid", "basis", "note")
    yield from (term for term in first if term in model.model_fields)
    yield from (term for term in model.model_fields if term not in (*first, *last))
    yield from (term for term in last if term in model.model_fields)


def _field(
    model: type[BaseModel],
    term: str,
    data: Mapping[Any, Any],
    place: list[Any],
    parties: Sequence[str],
    earlier: Sequence[str],
) -> Field:
    info = model.model_fields[term]
    unit = model.terms().get(term) if issubclass(model, Worded) else None
    value = data.get(term)
    how, options = _how(model, term, info.annotation, unit, value, parties, earlier)
    field: Field = {
        "place": [*place, term],
        "term": term,
        "label": _label(term),
        "how": how,
        "value": _shown(value, how),
        "set": term in data,
        "required": info.is_required(),
        "help": _help(model, term),
        "allowed": unit.allowed if unit else "",
        "unit": unit.name if unit else "",
    }
    if unit:
        field |= {"least": unit.bottom, "most": unit.top, "by_tier": isinstance(unit, TieredUnit)}
        field["ladder"] = isinstance(unit, LadderUnit)
    if options or how in ("choice", "clauses"):
        field["options"] = options
        field["default"] = "" if info.is_required() or info.default is None else str(info.default)
    return field


def _how(
    model: type[BaseModel],
    term: str,
    annotation: Any,
    unit: Unit | None,
    value: Any,
    parties: Sequence[str],
    earlier: Sequence[str],
) -> tuple[str, list[str]]:
    """How a term is filled in, and what may be chosen."""
    if term in ("payer", "payee"):
        return "choice", list(parties)
    if term == "due":
        return "text", list(DUE)
    if issubclass(model, Clause) and term in (*model.looks_back, "only_if_never_paid"):
        return ("clauses" if _is_list(annotation) else "choice"), list(earlier)
    if unit:
        if isinstance(value, Mapping):
            flat = all(not isinstance(item, (Mapping, list)) for item in value.values())
            return ("table" if flat else "yaml"), []
        return ("yaml" if isinstance(value, list) or isinstance(unit, LadderUnit) else "number"), []
    if options := _choices(annotation):
        return "choice", options
    if _plain(annotation) is bool:
        return "switch", []
    if isinstance(value, Mapping) or (isinstance(value, list) and any(not isinstance(v, str) for v in value)):
        return "yaml", []
    if _is_list(annotation):
        return "list", []
    if _plain(annotation) in (int, float):
        return "number", []
    return ("text" if _is_text(annotation) else "yaml"), []


def _shown(value: Any, how: str) -> Any:
    """A value as a field shows it."""
    if how == "table":
        return [[_said(key), _said(item)] for key, item in value.items()]
    if how in ("list", "clauses"):
        return [str(item) for item in value] if isinstance(value, list) else []
    if how == "switch":
        return bool(value)
    if value is None:
        return ""
    return on_one_line(value) if how == "yaml" else _said(value)


def _said(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else "" if value is None else str(value)


def _help(model: type[BaseModel], term: str) -> str:
    """The sentence of the words that a term is in, with the names of terms in the place of their values."""
    if not issubclass(model, Worded):
        return ""
    sentences = getattr(model, "words", ()) + model.closing
    return next((_named(sentence) for sentence in sentences if term in fields_in(sentence)), "")


def _named(sentence: str) -> str:
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: f"‹{found[1].replace('_', ' ')}›", sentence)


def _label(name: str) -> str:
    """`per_member_per_month` as a label.

    >>> _label("per_member_per_month")
    'Per member per month'
    """
    return name.replace("_", " ")[:1].upper() + name.replace("_", " ")[1:]


def _names(clauses: Sequence[Any]) -> list[str]:
    return [str(each["name"]) for each in clauses if isinstance(each, Mapping) and "name" in each]


def _kind_of(clause: Mapping[Any, Any]) -> type[Clause]:
    kind = clause.get("kind")
    return MECHANISMS.get(kind, Clause) if isinstance(kind, str) else Clause


def _plain(annotation: Any) -> Any:
    """The type itself, of one that is annotated or may be left out."""
    if hasattr(annotation, "__metadata__"):
        return _plain(annotation.__origin__)
    options = [option for option in get_args(annotation) if option is not type(None)]
    if get_origin(annotation) in (Union, UnionType) and len(options) == 1:
        return _plain(options[0])
    return annotation


def _choices(annotation: Any) -> list[str]:
    """The words among which a term chooses."""
    plain = _plain(annotation)
    return [str(option) for option in get_args(plain)] if get_origin(plain) is Literal else []


def _is_list(annotation: Any) -> bool:
    return get_origin(_plain(annotation)) is list


def _is_text(annotation: Any) -> bool:
    plain = _plain(annotation)
    options = get_args(plain) if get_origin(plain) in (Union, UnionType) else (plain,)
    return any(_plain(option) is str for option in options)


def _model_at(section: type[BaseModel], field: str, data: Any) -> type[BaseModel] | None:
    """The model of a part of a section: by its kind, where it may be several."""
    if field not in section.model_fields:
        return None
    plain = _plain(section.model_fields[field].annotation)
    options = get_args(plain) if get_origin(plain) in (Union, UnionType) else (plain,)
    models = [each for each in map(_plain, options) if isinstance(each, type) and issubclass(each, BaseModel)]
    if len(models) > 1:
        kind = data.get("kind") if isinstance(data, Mapping) else None
        return next((m for m in models if kind in get_args(m.model_fields["kind"].annotation)), None)
    return models[0] if models else None
