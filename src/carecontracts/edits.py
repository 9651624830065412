"""Edits of a contract's text: one value set, put in, taken out or moved, and every other line left as it was written.

An edit is made in the text where it can be, and checked: read again, the text must say exactly what was meant. Where it
cannot, the whole is written anew from its values, and what the author had noted in comments is put at its head.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from .files import Place, parse_yaml
from .refusal import Fault, Refusal, show

WIDTH = 110


def written(value: Any) -> str:
    """Values as YAML, in the order in which they stand; numbers that are keys stay numbers.

    >>> written({"title": "A fee", "amount": {1: 400000, 2: 0}})
    'title: A fee\\namount: {1: 400000, 2: 0}\\n'
    """
    return str(yaml.dump(value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=WIDTH))


def set_to(text: str, place: Sequence[Any], value: Any) -> str:
    """The text with another value at a place, which is put in where it is not there; None takes it out.

    >>> print(set_to("fee: 85  # agreed in May\\nyears: 3\\n", ["fee"], 90))
    fee: 90  # agreed in May
    years: 3
    <BLANKLINE>
    """
    place = tuple(place)
    data, _ = parse_yaml(text, "contract")
    meant = copy.deepcopy(data)
    inside, key = _held(meant, place[:-1]), place[-1]
    if value is None:
        if isinstance(inside, Mapping) and key not in inside:
            return text
        del inside[key]
    elif isinstance(inside, list) and key == len(inside):
        inside.append(value)
    else:
        inside[key] = value
    if value is None:
        return _made(text, meant, lambda: _without(text, place))
    if _find(data, place):
        return _made(text, meant, lambda: _replaced(text, place, value))
    return _made(text, meant, lambda: _added(text, place, value))


def moved(text: str, place: Sequence[Any], to: int) -> str:
    """The text with an item of a list at another position."""
    place = tuple(place)
    meant, _ = parse_yaml(text, "contract")
    items = _held(meant, place[:-1])
    items.insert(to, items.pop(place[-1]))
    return _made(text, meant, lambda: _reordered(text, place, to))


def put_in(text: str, place: Sequence[Any], value: Any) -> str:
    """The text with a new item in a list, at a position."""
    place = tuple(place)
    meant, _ = parse_yaml(text, "contract")
    _held(meant, place[:-1]).insert(place[-1], value)
    return _made(text, meant, lambda: _inserted(text, place, value))


# --- values -----------------------------------------------------------------------------------------------------------


class _Writer(yaml.SafeDumper):
    """Block style down to what fits a line: schedules, tiers and lists of names stand in one."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # a list is set in under its key
        super().increase_indent(flow, False)

    def represent_dict(self, data: Mapping[Any, Any]) -> yaml.Node:  # type: ignore[override]
        return self.represent_mapping("tag:yaml.org,2002:map", data, flow_style=bool(data) and _short(data))

    def represent_list(self, data: Sequence[Any]) -> yaml.Node:  # type: ignore[override]
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=bool(data) and _short(data))


_Writer.add_representer(dict, _Writer.represent_dict)
_Writer.add_representer(list, _Writer.represent_list)


def _short(data: Any) -> bool:
    """Whether values fit a line: plain ones, and not the terms of a clause."""
    values = list(data.values()) if isinstance(data, Mapping) else list(data)
    plain = all(not isinstance(value, (dict, list)) for value in values)
    named = isinstance(data, Mapping) and all(isinstance(key, str) for key in data)
    most = 60 if named else 90
    return plain and not ({"kind", "name"} & set(data) if named else False) and len(str(data)) <= most


def _held(data: Any, place: Place) -> Any:
    for key in place:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            raise Refusal([Fault("contract", f"nothing at {show(key)}", "a place in it", "look again")]) from None
    return data


def _find(data: Any, place: Place) -> bool:
    for key in place:
        if isinstance(data, list):
            if not isinstance(key, int) or key >= len(data):
                return False
        elif not isinstance(data, Mapping) or key not in data:
            return False
        data = data[key]
    return True


def _made(text: str, meant: Any, edit: Callable[[], str | None]) -> str:
    """An edit in the text, if it says what was meant; else the whole written anew, under the author's comments."""
    try:
        new = edit()
        if new is not None and parse_yaml(new, "contract")[0] == meant:
            return new
    except (Refusal, ValueError, yaml.YAMLError):
        pass
    notes = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    return "".join(f"{line.strip()}\n" for line in notes) + written(meant)


# --- places in the text -----------------------------------------------------------------------------------------------


def _node(text: str, place: Place) -> tuple[Any, Any]:
    """The node at a place, and that of its key, where it has one."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    name = None
    for key in place:
        if isinstance(node, yaml.SequenceNode):
            node, name = node.value[key], None
        else:
            found = [pair for pair in node.value if yaml.SafeLoader("").construct_object(pair[0]) == key]
            name, node = found[0]
    return node, name


def _end(text: str, node: Any) -> int:
    """Where a value ends: before the comments and the empty lines that follow it."""
    at = int(node.end_mark.index)
    lines = text[:at].splitlines(keepends=True)
    if node.end_mark.column == 0 or not text[text.rfind("\n", 0, at) + 1 : at].strip():
        while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
            lines.pop()
        return len("".join(lines))
    return at


def on_one_line(value: Any) -> str:
    """A value on one line."""
    said = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=True)
    return str(said).removesuffix("\n").removesuffix("\n...")


def _block(value: Any, column: int) -> str:
    """A value as lines that begin at a column."""
    lines = written(value).splitlines()
    return "\n".join(" " * column + line for line in lines) + "\n"


def _line_of(text: str, index: int) -> int:
    """Where the line begins that holds a position."""
    return text.rfind("\n", 0, index) + 1


def _replaced(text: str, place: Place, value: Any) -> str:
    node, _ = _node(text, place)
    start, end = node.start_mark.index, _end(text, node)
    said = on_one_line(value)
    if text[start:end].endswith("\n"):
        said += "\n"
    return text[:start] + said + text[end:]


def _added(text: str, place: Place, value: Any) -> str | None:
    node, _ = _node(text, place[:-1])
    if isinstance(node, yaml.SequenceNode):
        return _inserted(text, place, value)
    if node.flow_style:
        end = node.end_mark.index - 1
        return (
            text[:end] + (", " if node.value else "") + f"{on_one_line(place[-1])}: {on_one_line(value)}" + text[end:]
        )
    column, end = node.value[0][0].start_mark.column, _end(text, node)
    head = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
    rest = text[end:].removeprefix("\n") if head != text[:end] else text[end:]
    if isinstance(value, (dict, list)) and value and not _short(value):
        entry = " " * column + f"{on_one_line(place[-1])}:\n" + _block(value, column + 2)
    else:
        entry = " " * column + f"{on_one_line(place[-1])}: {on_one_line(value)}\n"
    return str(head + entry + rest)


def _without(text: str, place: Place) -> str | None:
    node, name = _node(text, place)
    parent, _ = _node(text, place[:-1])
    if isinstance(parent, yaml.SequenceNode) and not parent.flow_style:
        first, last = _item(text, parent, place[-1])
        return text[:first] + text[last:]
    if name is None or parent.flow_style or len(parent.value) == 1:
        return None
    start, end = _line_of(text, name.start_mark.index), _end(text, node)
    if text[start : name.start_mark.index].strip():
        return None  # it stands behind the dash of its item
    end = text.find("\n", max(end - 1, start)) + 1 or len(text)
    return text[:start] + text[end:]


def _item(text: str, parent: Any, n: int) -> tuple[int, int]:
    """The lines of an item of a list, with the comments right above it and the empty lines after it."""
    first = _line_of(text, parent.value[n].start_mark.index)
    last = _above(text, parent, n + 1) if n + 1 < len(parent.value) else _end(text, parent.value[n])
    return _above(text, parent, n) if n else first, last


def _above(text: str, parent: Any, n: int) -> int:
    start = _line_of(text, parent.value[n].start_mark.index)
    while start and text[_line_of(text, start - 1) : start].lstrip().startswith("#"):
        start = _line_of(text, start - 1)
    return start


def _reordered(text: str, place: Place, to: int) -> str | None:
    parent, _ = _node(text, place[:-1])
    if parent.flow_style:
        return None
    spans = [_item(text, parent, n) for n in range(len(parent.value))]
    items = [text[first:last].strip("\n") for first, last in spans]
    gap = "\n\n" if "\n\n" in text[spans[0][0] : spans[-1][1]] else "\n"
    items.insert(to, items.pop(place[-1]))
    return text[: spans[0][0]] + gap.join(items) + "\n" + text[spans[-1][1] :]


def _inserted(text: str, place: Place, value: Any) -> str | None:
    parent, _ = _node(text, place[:-1])
    if parent.flow_style or not parent.value:
        return None
    spans = [_item(text, parent, n) for n in range(len(parent.value))]
    items = [text[first:last].strip("\n") for first, last in spans]
    column = parent.start_mark.column
    gap = "\n\n" if "\n\n" in text[spans[0][0] : spans[-1][1]] else "\n"
    items.insert(place[-1], _block([value], column).rstrip("\n"))
    return text[: spans[0][0]] + gap.join(items) + "\n" + text[spans[-1][1] :]
