"""What a contract says, and which there are."""

from ..contract import Contract
from ..gallery import gallery, gallery_names
from ..paper.term_sheet import term_sheet
from ..paper.word import write_word
from .common import ContractFile, Out, as_csv, load, screen, show_or_write, table_of, writing_to, wrote


def print_term_sheet(contract: ContractFile, out: Out = None) -> None:
    """Print a contract as a term sheet in Markdown; with --out FILE.docx, as a Word document."""
    agreed = load(contract)
    if out and out.suffix.lower() == ".docx":
        with writing_to(out):
            write_word(agreed, out)
        wrote(out)
        return
    show_or_write(term_sheet(agreed), out)


def years(contract: ContractFile, out: Out = None) -> None:
    """Print an empty years file: the columns that a contract reads, ready to fill in."""
    agreed = load(contract)
    columns = ["year", *agreed.facts()]
    last = agreed.first_year + (agreed.years or 1)
    rows = [(year, *[""] * (len(columns) - 1)) for year in range(agreed.first_year, last)]
    show_or_write(as_csv(columns, rows), out)


def list_gallery() -> None:
    """List the contracts that come with the package."""
    table = table_of("Contract", "What it is")
    for name in gallery_names():
        table.add_row(name, Contract.load(gallery(name)).title)
    screen().print(table)
