"""What a reader takes away: the contract with these numbers as a file, its odds with their basis, its term sheet."""

import io
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .chance.assumed import take
from .chance.simulate import Simulation, in_words, simulate
from .contract import Contract
from .notebook import Table, dollars, percent, table
from .notebook import statement as statement_of
from .paper import statement, workbook
from .paper.term_sheet import escape as escape_markdown
from .paper.term_sheet import term_sheet
from .paper.word import write_word
from .refusal import Refusal
from .writing import Outputs
from .year import Year, read_years


def own_years(contract: Contract, path: Path | str) -> list[Year]:
    """The years of a file (CSV or YAML), held to what the contract reads.

    It is read as the command line reads it: every fault is told at once, and so is what no clause reads.
    """
    years = read_years(Path(path).expanduser())
    contract.settle(years)
    if unread := contract.unread(years):
        print("No clause reads: " + ", ".join(unread))
    return years


def odds(
    contract: Contract,
    years: Sequence[Year] | None = None,
    *,
    effect: float = 0.05,
    seed: int = 1,
    draws: int = 2_000,
    **assumed: Any,
) -> tuple[str, Table, Table]:
    """What luck alone pays, and what a program that saves `effect` does: in words, by party, and what it rests on.

    `years` is what is expected without the program, else made from the contract's terms; `assumed` is as in `take`.

    >>> from carecontracts import gallery
    >>> words, by_party, rests_on = odds(Contract.load(gallery("shared-savings")), lives=500, draws=200)
    >>> words.startswith("If the program changes nothing, the plan still pays")
    True
    """
    taken = take(contract, years, **assumed)
    drawn = [
        simulate(contract, taken.years, rng=np.random.default_rng(seed), draws=draws, effect=e, luck=taken.luck)
        for e in (0.0, effect)
    ]
    rows = pd.DataFrame(taken.rows())[["what", "value", "rests_on"]]
    rests_on = table(rows.set_axis(["what is assumed", "here", "it rests on"], axis=1))
    return in_words(drawn[0], drawn[1], effect), _by_party(contract, drawn, (0.0, effect)), rests_on


def _by_party(contract: Contract, drawn: Sequence[Simulation], effects: Sequence[float]) -> Table:
    rows = []
    for one, effect in zip(drawn, effects, strict=True):
        for party, name in contract.parties.items():
            net = one.net(party)
            low, middle, high = np.quantile(net, (0.05, 0.5, 0.95))
            rows.append((percent(effect, 1), name, net.mean(), low, middle, high))
    amounts = ["received less paid", "1 in 20 under", "half under", "1 in 20 over"]
    return table(pd.DataFrame(rows, columns=["true effect", "party", *amounts]), dict.fromkeys(amounts, dollars))


def handout(
    contract: Contract,
    years: Path | str | None = None,
    *,
    settled: Sequence[Year] = (),
    folder: Path | str | None = None,
    effect: float = 0.05,
    seed: int = 1,
    draws: int = 2_000,
    luck: Mapping[str, Any] = {},
    **assumed: Any,
) -> None:
    """Shows the odds, the term sheet and the file; with a folder, writes them there for a spreadsheet and for Word.

    `years` is a file of the reader's own: it is settled, and the odds are drawn around it. Without one
    `settled` are the years that are written, and the odds are drawn around years made from the contract's terms and
    what is `assumed`, as in `take`; `luck` is assumed in both. What cannot be drawn is said.
    """
    from IPython.display import HTML, Markdown, display

    show: Callable[..., Any] = display
    own = own_years(contract, years) if years else None
    if own:
        show(statement_of(contract, contract.settle(own)))
    try:
        given = {**luck, **({} if own else assumed)}
        words, by_party, rests_on = odds(contract, own, effect=effect, seed=seed, draws=draws, **given)
        show(Markdown(f"**Its odds.** {escape_markdown(words)}"), by_party, rests_on)  # type: ignore[no-untyped-call]
    except Refusal as refusal:
        print(f"Its odds cannot be drawn.\n{refusal}")
    show(HTML(_folded("Its term sheet", term_sheet(contract))))  # type: ignore[no-untyped-call]
    show(HTML(_folded("The contract as a file", contract.as_yaml())))  # type: ignore[no-untyped-call]
    if folder is None:
        print("To have these as files, put the name of a folder into FOLDER in the first cell.")
    else:
        for done in write(contract, own or settled, Path(folder).expanduser()):
            print(done)


def write(contract: Contract, years: Sequence[Year], folder: Path) -> list[str]:
    """The contract (YAML) and its term sheet (Markdown, Word); with years, its statement and cash (XLSX, CSV).

    What needs a library that is not there is left out, with the line that installs it.
    """
    names = ["contract.yaml", "term-sheet.md", "term-sheet.docx"]
    names += ["statement.xlsx", "statement.csv", "cash-by-month.csv"] if years else []
    left_out = []
    with Outputs() as outputs:
        places = dict(zip(names, outputs.files_in(folder, names), strict=False))
        outputs.ready()
        made: dict[str, Callable[[], str | bytes]] = {
            "contract.yaml": contract.as_yaml,
            "term-sheet.md": lambda: term_sheet(contract),
            "term-sheet.docx": lambda: _word(contract),
        }
        if years:
            ledger = contract.settle(years)
            made |= {
                "statement.xlsx": lambda: workbook.settled(contract, ledger),
                "statement.csv": lambda: statement.lines_csv(contract, ledger),
                "cash-by-month.csv": lambda: statement.cash_csv(ledger),
            }
        for name, making in made.items():
            try:
                outputs.put(places[name], making())
            except Refusal as refusal:
                left_out.append(f"{name} is left out: {refusal.faults[0].do}")
    return [*outputs.written, *left_out]


def _word(contract: Contract) -> bytes:
    file = io.BytesIO()
    write_word(contract, file)
    return file.getvalue()


def _folded(label: str, text: str) -> str:
    return f'<details><summary>{label}</summary><pre style="white-space: pre-wrap">{escape(text)}</pre></details>'
