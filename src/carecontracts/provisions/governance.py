from typing import Literal

from ..units import Count
from .provision import Provision


class Governance(Provision):
    """Who decides together, how often, and who sits at the table."""

    title = "Governance"
    words = (
        "A joint committee of {members}, as many from each side, meets {meets}.",
        "{patients} of its seats are for people who are served, or for those who care for them.",
        "It decides {decides}; where it cannot, {deadlock}.",
        "Every change of a term is written into the contract file, with its date and who asked for it.",
    )
    spoken = {
        "deadlock": {
            "nothing changes": "nothing changes",
            "a named expert decides": "an expert whom both have named beforehand decides within 30 days",
        }
    }
    favors = {
        "deadlock": {
            "nothing changes": "whoever is content today",
            "a named expert decides": "whoever has the better argument, and the cost of the expert is shared",
        }
    }
    apart = ("decides",)

    members: Count
    patients: Count
    meets: Literal["each month", "each quarter", "twice a year"]
    decides: list[
        Literal["who is on the list", "how the work is done", "measures", "corrections of the benchmark", "staffing"]
    ]
    deadlock: Literal["nothing changes", "a named expert decides"]
