"""What becomes of the program's own fees in total cost."""

from typing import Literal

from ..worded import ClauseName, Name
from .part import Part


class Fees(Part):
    """What becomes of the program's own fees in total cost: inside it, outside it, or netted once at settlement.

    Inside: fee claims stay in spending, and fees of the clauses named, which are paid outside claims, are added to it.
    Outside: fee claims are taken out, and no clause nets the fees. Netted once: fee claims are taken out, and the
    clauses that share savings or losses net the fees themselves.
    """

    title = "Fees in total cost"
    words = (
        "The program's own fees are {treatment} total cost.",
        "Fee claims are claim lines with the codes {codes}.",
        "The fees are those of {clauses}.",
    )
    treatment: Literal["inside", "outside", "netted once from"]
    codes: list[Name] = []
    clauses: list[ClauseName] = []
