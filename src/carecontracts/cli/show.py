"""What a contract says, and which there are."""

from io import BytesIO

from ..contract import Contract
from ..files import as_csv
from ..gallery import gallery, gallery_names
from ..paper.term_sheet import term_sheet
from ..paper.word import write_word
from ..year import columns_for
from .common import ContractFile, Out, all_or_refuse, load, screen, show_or_put, table_of, tell, writing


def print_term_sheet(contract: ContractFile, out: Out = None) -> None:
    """Print a contract as a term sheet in Markdown; with --out FILE.docx, as a Word draft for the other side."""
    with writing(contract) as outputs:
        outputs.file(out)
        agreed, _ = all_or_refuse(lambda: load(contract), outputs.ready)
        if out and out.suffix.lower() == ".docx":
            document = BytesIO()
            write_word(agreed, document)
            outputs.put(out, document.getvalue())
        else:
            show_or_put(term_sheet(agreed), out, outputs)


def years(contract: ContractFile, out: Out = None) -> None:
    """Print an empty years file: the columns that a contract reads, ready to fill in."""
    with writing(contract) as outputs:
        outputs.file(out)
        agreed, _ = all_or_refuse(lambda: load(contract), outputs.ready)
        columns = ["year", *columns_for(agreed.facts())]
        rows = [(year, *[""] * (len(columns) - 1)) for year in agreed.numbers(agreed.years or 1)]
        show_or_put(as_csv(columns, rows), out, outputs)
        if "claims" in agreed.facts():
            tell("A column for each member who cost much: claims.1, claims.2 and so on.")


def list_gallery() -> None:
    """List the contracts that come with the package."""
    table = table_of("Contract", "What it is")
    for name in gallery_names():
        table.add_row(name, Contract.load(gallery(name)).title)
    screen().print(table)
