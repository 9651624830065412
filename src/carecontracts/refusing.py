"""What is wrong with a contract, and where: found once, and told the same by whichever door the contract comes in.

pydantic checks every term. What no clause sees alone is checked between the typed clauses: a name given twice, a party
who is none, a reference that does not look back, a schedule that begins too late, a fee counted twice or never. Where
something is unsound, all that is sound beside it is still checked, so every fault is told at once.
"""

from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from .clause import MECHANISMS, Clause
from .definitions import Definition
from .files import Place
from .measuring.section import Measurement
from .refusal import Fault, did_you_mean, in_words, listed, show
from .units import Schedule, looks, tidy
from .worded import Worded

M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], data: Any, validate: Callable[[Any], M]) -> M:
    """The contract that the data hold, if nothing is wrong with it.

    Raises: ValidationError with every fault, in the order of the data. The `ctx` of each error is a `Fault`, and its
    place there names the clause and the term; the file is known to who read it.
    """
    told: list[tuple[Place, str, Fault]] = []
    contract: M | None = None
    data = _as_data(data)
    try:
        contract = validate(data)
    except ValidationError as error:
        told += _told(error, model, data)
    sound = contract or _sound(model, data)
    told += [(place, "contract", Fault(_where(place, data), *words)) for place, *words in _between(sound)]
    if told or not contract:
        order = _in_order(data)
        raise ValidationError.from_exception_data(
            model.__name__,
            [
                InitErrorDetails(
                    type=PydanticCustomError(kind, "{where}: given {given}; allowed {allowed}; {do}", fault._asdict()),
                    loc=place,
                    input=_value_at(data, place),
                )
                for place, kind, fault in sorted(told, key=lambda each: order(each[0]))
            ],
        )
    return contract


def _as_data(value: Any) -> Any:
    """What is given ready-made as the data that it holds: it may have been made, or copied, without a check."""
    if isinstance(value, Clause) and MECHANISMS.get(getattr(value, "kind", "")) is not type(value):
        return value
    if isinstance(value, Definition):  # its terms alone would not say which it is
        return value.data()
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name, None) for name in sorted(value.model_fields_set)}
    if type(value) is dict:
        return {key: _as_data(item) for key, item in value.items()}
    return [_as_data(item) for item in value] if type(value) is list else value


def faults_in(error: ValidationError, where: str = "contract", lines: Mapping[Place, int] = {}) -> list[Fault]:
    """What is wrong with a contract, each fault with its file and line, from what `Contract.model_validate` raises.

    >>> from carecontracts import Contract
    >>> try:
    ...     Contract(title="A fee", summary="Paid.", parties={"plan": "the plan", "practice": "us"}, first_year=2026,
    ...              clauses=[{"name": "fee", "kind": "advance", "payer": "plan", "payee": "us", "due": "monthly"}])
    ... except ValidationError as error:
    ...     print(*faults_in(error), sep="\\n")
    contract, clause 'fee', term `amount`
      given:   nothing
      allowed: dollars, 0 or more, or one amount for each run of years: {2024: 85, 2026: 80}
      do:      add `amount:`
    contract, clause 'fee', term `payee`
      given:   'us'
      allowed: one of plan, practice
      do:      name a party of the contract
    """
    faults = []
    for each in error.errors():
        place, fault = each["loc"], Fault(**each["ctx"])
        line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), 0)
        parts = (where, f"line {line}" if line else "", fault.where)
        faults.append(fault._replace(where=", ".join(filter(None, parts))))
    return faults


# --- what is wrong with a term ----------------------------------------------------------------------------------------


def _told(error: ValidationError, model: type[BaseModel], data: Any) -> list[tuple[Place, str, Fault]]:
    """pydantic's errors in the reader's words."""
    told: dict[Place, list[tuple[Place, str, Fault]]] = {}
    for each in error.errors():
        at = _follow(each["loc"], model, data)
        unit = at.owner.terms().get(at.term) if issubclass(at.owner, Worded) else None
        known = sorted(at.owner.model_fields, key="kind".__eq__)
        faults = in_words(each, known, unit.allowed if unit else "", at.kinds)
        # pydantic tells of each alternative that a value failed; the reader needs one
        told[at.place] = [(at.place, each["type"], f._replace(where=_where(at.place, data))) for f in faults]
    return [fault for here in told.values() for fault in here]


class _At(NamedTuple):
    """Where one of pydantic's errors is."""

    place: Place  # the keys that lead there in the data
    owner: type[BaseModel]  # the innermost model, and its term
    term: Any
    kinds: list[str]  # those there are, where the kind itself is wrong


def _follow(loc: Place, model: type[BaseModel], data: Any) -> _At:
    """pydantic's own place has, beside the keys, the kind of a part and the name of an alternative of a union."""
    place: Place = ()
    owner, term, rest = model, None, list(loc)
    annotation: Any = model
    while rest:
        models = _models(annotation)
        if len(models) > 1:
            rest.pop(0)  # the kind
        if not rest:
            break
        key, here = rest.pop(0), _model(models, data)
        if here:
            owner, term = here, key
            annotation = here.model_fields[key].annotation if key in here.model_fields else Any
        elif get_origin(_plain(annotation)) in (list, dict):
            annotation = get_args(_plain(annotation))[-1]
        elif isinstance(key, str) and "[" in key:
            continue  # the name of an alternative
        place, data = (*place, key), _value_at(data, (key,))
    return _At(place, owner, term, [kind for each in _models(annotation) for kind in _kinds(each)])


def _where(place: Place, data: Any) -> str:
    """A place as a reader would look for it: the clause by its name, the part of the measurement, the term."""
    parts = []
    if place[:1] == ("clauses",) and len(place) > 1:
        name = _value_at(data, (*place[:2], "name"))
        parts.append(f"clause '{name}'" if isinstance(name, str) else f"clause {place[1] + 1}")
        place = place[2:]
    elif place[:1] == ("measurement",) and len(place) > 1:
        field = Measurement.model_fields.get(place[1])
        keys = place[1:3] if field and get_origin(field.annotation) is dict else place[1:2]
        parts.append("measurement '" + ", ".join(map(str, keys)) + "'")
        place = place[1 + len(keys) :]
    elif place[:1] == ("provisions",) and len(place) > 1:
        parts.append(f"provision '{place[1]}'")
        place = place[2:]
    if place:
        parts.append("term `" + ".".join(map(str, place)) + "`")
    return ", ".join(parts)


def _value_at(data: Any, place: Place) -> Any:
    for key in place:
        inside = isinstance(data, list) and isinstance(key, int) and key < len(data)
        if not inside and not (isinstance(data, Mapping) and key in data):
            return None
        data = data[key]
    return data


def _in_order(data: Any) -> Callable[[Place], list[int]]:
    """What sorts places as the data have them."""
    positions: dict[int, dict[Any, int]] = {}  # of the keys of each mapping on the way

    def order(place: Place) -> list[int]:
        found, inside = [], data
        for key in place:
            if isinstance(inside, Mapping) and key in inside:
                if id(inside) not in positions:
                    positions[id(inside)] = {k: n for n, k in enumerate(inside)}
                found.append(positions[id(inside)][key])
            elif isinstance(inside, list) and isinstance(key, int):
                found.append(key)
            else:
                break
            inside = _value_at(inside, (key,))
        return found

    return order


# --- what is sound ----------------------------------------------------------------------------------------------------


def _sound(annotation: Any, data: Any) -> Any:
    """The value, typed as far as it is sound; nothing for what is not. A model stands there without those terms."""
    model, plain = _model(_models(annotation), data), _plain(annotation)
    if model and isinstance(data, Mapping):
        fields = {name: field for name, field in model.model_fields.items() if name in data}
        terms = {name: _sound(f.rebuild_annotation(), data[name]) for name, f in fields.items()}
        return model.model_construct(set(terms), **{name: v for name, v in terms.items() if v is not None})
    if get_origin(plain) is list and isinstance(data, list):
        return [_sound(get_args(plain)[0], item) for item in data]
    if get_origin(plain) is dict and isinstance(data, Mapping):
        return {tidy(key): _sound(get_args(plain)[1], item) for key, item in data.items()}
    try:
        return None if model else TypeAdapter(annotation).validate_python(data, strict=True)
    except ValidationError:
        return None


def _plain(annotation: Any) -> Any:
    """The type itself, of one that is annotated or may be left out."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    options = [option for option in get_args(annotation) if option is not type(None)]
    if get_origin(annotation) in (Union, UnionType) and len(options) == 1:
        return _plain(options[0])
    return annotation


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that a value may be."""
    plain = _plain(annotation)
    if get_origin(plain) in (Union, UnionType):
        return [model for option in get_args(plain) for model in _models(option)]
    return [plain] if isinstance(plain, type) and issubclass(plain, BaseModel) else []


def _model(models: list[type[BaseModel]], data: Any) -> type[BaseModel] | None:
    """The model that the data are of: by their kind, where it could be several."""
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if models == [Clause]:
        return MECHANISMS.get(kind, Clause) if isinstance(kind, str) else Clause
    if len(models) > 1:
        return next((model for model in models if kind in _kinds(model)), None)
    return models[0] if models else None


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


# --- what is wrong between clauses ------------------------------------------------------------------------------------

Misfit = tuple[Place, str, str, str]  # where, what is given, what is allowed, what to do


def _between(contract: Any) -> Iterator[Misfit]:
    """What no clause sees alone, of a contract that is sound or in part."""
    seen: list[str] = []
    looked: set[str | None] = {None}
    taken: set[tuple[type[Clause], str, str]] = set()
    scales = getattr(contract, "scales", {})
    for index, clause in enumerate(getattr(contract, "clauses", ())):
        if clause is None:
            continue
        name, place = getattr(clause, "name", None), ("clauses", index)
        if name and looks(name) in looked:
            yield (*place, "name"), f"the name {show(name)} again", "each name once", "rename one of them"
        yield from _misfits_of_parties(clause, place, getattr(contract, "parties", None))
        yield from _misfits_looking_back(clause, place, seen, taken)
        for term, scale in clause.scales_named():
            if scale not in scales:
                unit = clause.terms()[term]
                yield (*place, term), show(scale), unit.allowed, did_you_mean(scale, scales) + unit.fault(scale)
        seen += [name] if name else []
        looked.add(looks(name) if name else None)
    yield from _misfits_of_units(getattr(contract, "clauses", ()))
    for place, part in _worded(contract, ()):
        yield from _misfits_of_bases(part, place)
        for term, value in part:
            yield from _late_schedules(value, (*place, term), getattr(contract, "first_year", None))
    yield from _misfits_of_fees(contract, seen)
    months = getattr(contract, "first_year_months", 12)
    if months != 12 and getattr(contract, "measurement", None):
        allowed = "12, where the contract says how a year is measured from claims"
        do = "take out `measurement`, and give the facts of the first year in a years file"
        yield ("first_year_months",), str(months), allowed, do


def _misfits_of_units(clauses: Any) -> Iterator[Misfit]:
    """A fact that two clauses read in two units."""
    units: dict[str, tuple[str, str]] = {}
    for index, clause in enumerate(clauses):
        if clause is None or not all(hasattr(clause, term) for term in type(clause).model_fields):
            continue  # what is unsound knows nothing for sure
        for fact, how in clause.moves().items():
            unit, name = units.setdefault(fact, (how.unit, clause.name)) if how.unit else ("", "")
            if how.unit != unit:
                place = ("clauses", index, "unit") if "unit" in type(clause).model_fields else ("clauses", index)
                given = f"{fact} in {show(how.unit)}"
                yield place, given, f"{show(unit)}, as in the clause '{name}'", "give it one `unit`, or another name"


def _misfits_of_parties(clause: Any, place: Place, parties: Mapping[str, str] | None) -> Iterator[Misfit]:
    payer, payee = getattr(clause, "payer", None), getattr(clause, "payee", None)
    for role, party in (("payer", payer), ("payee", payee)):
        if parties is not None and party is not None and party not in parties:
            do = did_you_mean(party, map(str, parties)) + "name a party of the contract"
            yield (*place, role), show(party), "one of " + listed(parties), do
    if payer and payer == payee:
        yield (*place, "payee"), "the payer again", "another party", "name who is paid"


def _misfits_looking_back(
    clause: Clause, place: Place, seen: list[str], taken: set[tuple[type[Clause], str, str]]
) -> Iterator[Misfit]:
    """References to clauses that are not earlier, or that another clause of the kind has taken."""
    for term in clause.looking_back:
        for other in filter(None, getattr(clause, term, ())):
            if other not in seen:
                allowed = "an earlier clause: " + (listed(seen) or "there is none before this one")
                do = did_you_mean(other, seen) + "clauses settle in written order and look only back"
                yield (*place, term), show(other), allowed, do
            elif term in clause.once and (type(clause), term, other) in taken:
                allowed = f"each earlier clause in one {clause.kind} only"
                yield (*place, term), f"{show(other)} again", allowed, "make one clause of the two"
            taken.add((type(clause), term, other))


def _worded(value: Any, place: Place) -> Iterator[tuple[Place, Worded]]:
    """Every clause and every part of the measurement, and where it is."""
    if isinstance(value, Worded):
        yield place, value
    elif isinstance(value, (BaseModel, dict, list)):
        items = enumerate(value) if isinstance(value, list) else dict(value).items()
        for key, item in items:
            yield from _worded(item, (*place, key))


def _misfits_of_bases(part: Worded, place: Place) -> Iterator[Misfit]:
    own = [term for term in part.terms() if term in part.model_fields_set]
    for term in part.basis if isinstance(part.basis, dict) else ():
        if term not in own:
            allowed = f"a term of this {'clause' if isinstance(part, Clause) else 'part'}: " + ", ".join(own)
            yield (*place, "basis", term), f"a basis for `{term}`", allowed, "rename or remove it"


def _late_schedules(value: Any, place: Place, first_year: int | None) -> Iterator[Misfit]:
    if isinstance(value, Schedule) and first_year:
        begins, counted = min(value), value.counts_from_first_year()
        if begins > (1 if counted else first_year):
            since = "year 1" if counted else f"the contract's first year, {first_year},"
            yield place, f"a schedule that begins in {begins}", f"a value from {since} on", "add the earlier years"
    elif type(value) is dict:  # an amount for each tier
        for key, item in value.items():
            yield from _late_schedules(item, (*place, key), first_year)


def _misfits_of_fees(contract: Any, clauses: list[str]) -> Iterator[Misfit]:
    """Fees that are counted twice or never: between the clauses and what the measurement says of fees."""
    fees = getattr(getattr(contract, "measurement", None), "fees", None)
    treatment, named = getattr(fees, "treatment", None), list(filter(None, getattr(fees, "clauses", ())))
    for name in named:
        if name not in clauses:
            allowed = "a clause of the contract: " + (listed(clauses) or "there is none")
            do = did_you_mean(name, clauses) + "name the clause that pays the fee"
            yield ("measurement", "fees", "clauses"), show(name), allowed, do
    for index, clause in enumerate(getattr(contract, "clauses", ())):
        if not hasattr(clause, "net_of") or "benchmark" not in clause.reads:
            continue
        place, netted = ("clauses", index, "net_of"), clause.net_of
        left = [n for n in named if n in clauses and n not in netted]
        twice = [n for n in named if n in netted]
        if treatment == "netted once from" and left:
            do = "name it under `net_of`, or say that fees are inside or outside total cost"
            yield place, f"no {', '.join(left)}", "the fees that are netted once from total cost", do
        elif treatment in ("inside", "outside") and twice:
            allowed = f"no fee here: the measurement says that fees are {treatment} total cost"
            do = "take it out of `net_of`, or say `treatment: netted once from`"
            yield place, ", ".join(twice), allowed, do
