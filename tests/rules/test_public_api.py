"""What the package promises by name: a name that comes or goes is a decision, and is made here."""

import subprocess
import sys
from pathlib import Path

import pytest

import carecontracts
from carecontracts.gallery import gallery_names

ROOT = Path(__file__).parents[2]


def test_the_names_of_the_package() -> None:
    assert carecontracts.__all__ == [
        "Contract", "Fault", "Ledger", "Line", "Refusal", "Year", "__version__", "gallery", "read_years",
    ]  # fmt: skip


@pytest.mark.parametrize("name", carecontracts.__all__)
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    thing = getattr(carecontracts, name)
    assert isinstance(thing, str) or thing.__doc__


def test_what_a_contract_can_do() -> None:
    own = {name for name, member in vars(carecontracts.Contract).items() if callable(member) or isinstance(member, classmethod)}  # fmt: skip # noqa: E501
    years = {"months_of", "nth", "numbers"}  # which months a contract year has, and which years there are
    assert {name for name in own if not name.startswith("_")} == {
        "load",
        "parse",
        "as_yaml",
        "amend",
        "settle",
        "facts",
        "unread",
    } | years


def test_without_docstrings_every_term_sheet_prints_the_same() -> None:
    """`python -OO` takes the docstrings away, and nothing of a legal text may go with them."""
    program = (
        "import sys\n"
        "from carecontracts import Contract, gallery\n"
        "from carecontracts.paper.term_sheet import term_sheet\n"
        "assert Contract.load.__doc__ is None\n"
        "for name in sys.argv[1:]:\n"
        "    print(term_sheet(Contract.load(gallery(name))), end='\\0')\n"
    )
    names = gallery_names()
    done = subprocess.run(
        [sys.executable, "-OO", "-X", "utf8", "-c", program, *names], capture_output=True, check=True, encoding="utf-8"
    )
    printed = dict(zip(names, done.stdout.split("\0"), strict=False))
    for name in names:
        assert printed[name] == (ROOT / "contracts" / f"{name}.md").read_text("utf-8"), name
