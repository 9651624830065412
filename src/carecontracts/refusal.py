"""How a file is refused: every mistake at once, each with its place, what was given, what is allowed, what to do."""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, NamedTuple, NoReturn


def printable(text: str) -> str:
    r"""Text as a terminal may show it: what does not print, such as the start of a color, as its code.

    >>> print(printable("the plan\x1b[31m"))
    the plan\x1b[31m
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Fault(NamedTuple):
    """One mistake, told so that a reader can mend it."""

    where: str  # the file, the clause or row, the term or column
    given: str
    allowed: str
    do: str

    def __str__(self) -> str:
        where, given, allowed, do = map(printable, self)
        return f"{where}\n  given:   {given}\n  allowed: {allowed}\n  do:      {do}"


class Refusal(ValueError):
    """The input was not accepted; `faults` lists every reason, and `done` what was done before it was found.

    >>> raise Refusal([Fault("fee.yaml, clause 'fee', term 'share'", "50", "0 to 1", "for 50% write 0.5")])
    Traceback (most recent call last):
    ...
    carecontracts.refusal.Refusal: fee.yaml, clause 'fee', term 'share'
      given:   50
      allowed: 0 to 1
      do:      for 50% write 0.5
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        self.done: list[str] = []
        super().__init__("\n".join(told(self.faults)))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the words, without the lines of code that led to them."""
        return [str(self)]


def refuse(given: str, allowed: str, do: str) -> NoReturn:
    """Refuses a value where it is checked; who reads the file says where it stands.

    A validator of pydantic may call it: the faults are then in the `ValidationError`, each as the error's `ctx`.
    """
    raise Refusal([Fault("", given, allowed, do)])


def told(faults: Iterable[Fault], most_alike: int = 5, most_of_a_rule: int = 25, most: int = 200) -> list[str]:
    """Every fault in words; where many are alike, break one rule, or are many, the first few and how many more.

    >>> told([Fault(f"row {n}", "''", "a number", "mend it") for n in range(2, 900)])[-1]
    '… and 893 more like it, up to row 899'
    >>> told([Fault(f"row {n}", f"'{n}x'", "a number", "mend it") for n in range(2, 900)])[-1]
    '… and 873 more of this rule, up to row 899'
    >>> told([Fault(f"row {n}", "''", f"a number above {n}", "mend it") for n in range(2, 900)])[-1]
    '… and 698 more'
    """
    faults = list(faults)
    rules: dict[tuple[str, ...], dict[str, list[Fault]]] = {}
    for fault in faults:
        rules.setdefault(fault[2:], {}).setdefault(fault.given, []).append(fault)
    lines: list[str] = []
    counted = 0
    for alike in rules.values():
        if counted >= most:
            break
        counted += sum(map(len, alike.values()))
        for group in list(alike.values())[:most_of_a_rule]:
            lines += [str(fault) for fault in group[:most_alike]]
            if len(group) > most_alike:
                lines.append(f"… and {len(group) - most_alike:,} more like it, up to {printable(group[-1].where)}")
        rest = [fault for group in list(alike.values())[most_of_a_rule:] for fault in group]
        if rest:
            lines.append(f"… and {len(rest):,} more of this rule, up to {printable(rest[-1].where)}")
    if counted < len(faults):
        lines.append(f"… and {len(faults) - counted:,} more")
    return lines


def show(value: Any) -> str:
    """What was given, short enough to read in an error.

    >>> show("twelve"), show(None), show([1] * 99)
    ("'twelve'", 'nothing', '[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, …')
    """
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:58] + "…"


def in_dollars(amount: float, form: str = ",.2f") -> str:
    """An amount in a message, a minus before the sign of dollars.

    >>> in_dollars(1234.5), in_dollars(-5), in_dollars(-0.004), in_dollars(-1234.5, ",.0f")
    ('$1,234.50', '-$5.00', '$0.00', '-$1,234')
    """
    text = f"{amount:z{form}}"
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def many(number: float, thing: str) -> str:
    """So many things, of which one is one.

    >>> many(1, "row"), many(2_000, "row"), many(0, "person"), many(1.5, "month"), many(2, "study"), many(3, "day")
    ('1 row', '2,000 rows', '0 people', '1.5 months', '2 studies', '3 days')
    """
    several = "people" if thing == "person" else re.sub(r"(?<![aeou])y$", "ie", thing) + "s"
    return f"{number:,.12g} {thing if number == 1 else several}"


def listed(names: Iterable[Any], most: int = 30) -> str:
    """Names in an error: the first of them, and how many more.

    >>> listed(["fee", "bonus"]), listed(range(7_000), most=2)
    ('fee, bonus', '0, 1 and 6,998 more')
    """
    names = [str(name) for name in names]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def did_you_mean(given: Any, known: Iterable[str], most: int = 300) -> str:
    """A hint at the nearest known name, or nothing; of very many names only the first are looked at.

    >>> did_you_mean("benchmrk", ["benchmark", "spend"])
    "did you mean 'benchmark'? "
    """
    near = get_close_matches(str(given)[:200], list(islice(known, most)), n=1)
    return f"did you mean '{near[0]}'? " if near else ""


# --- what pydantic finds --------------------------------------------------------------------------------------------

TYPE_WORDS = {
    "string_type": "text (a number as text stands in quotes)",
    "list_type": "a list: [first, second]",
    "int_type": "a whole number",
    "float_type": "a number",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "literal_error": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
    "string_too_long": "at most {max_length} characters",
    **dict.fromkeys(
        ("model_type", "dict_type", "model_attributes_type"), "terms and their values (`term: value`), one to a line"
    ),
}


def in_words(
    error: Mapping[str, Any], known: Collection[str] = (), needed: str = "", kinds: Collection[str] = ()
) -> list[Fault]:
    """One of pydantic's errors in the reader's words, without its place.

    `known` are the terms that the model has, `needed` what a missing term may be, `kinds` those that may be chosen.

    >>> in_words({"type": "extra_forbidden", "loc": ("shar",), "input": 0.5}, ["share", "cap"])[0][1:]
    ('the unknown term `shar`', 'one of the terms share, cap', "did you mean 'share'? rename or remove it")
    """
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    term = error["loc"][-1] if error["loc"] else ""
    if isinstance(refusal := context.get("error"), Refusal):
        return refusal.faults
    if kind == "missing":
        return [Fault("", "nothing", needed or f"`{term}:` is needed", f"add `{term}:`")]
    if kind == "extra_forbidden":
        do = did_you_mean(term, known) + "rename or remove it"
        return [Fault("", f"the unknown term `{term}`", "one of the terms " + ", ".join(known), do)]
    if kind.startswith("union_tag"):
        given = given.get("kind") if isinstance(given, Mapping) else given
        do = did_you_mean(given, kinds) + f"write the kind of {term} as `kind:`"
        return [Fault("", f"kind: {show(given)}", "one of the kinds " + ", ".join(kinds), do)]
    allowed = TYPE_WORDS[kind].format(**context) if kind in TYPE_WORDS else error["msg"]
    words = re.findall(r"'([^']+)'", context.get("expected", ""))
    return [Fault("", show(given), allowed, did_you_mean(given, words) + "correct it")]
