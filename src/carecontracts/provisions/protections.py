from typing import Literal

from .provision import Provision


class Protections(Provision):
    """What no payment may do to the people who are served."""

    title = "Protection of the people served"
    words = (
        "Whatever is paid: {promises}.",
        "Too little care is looked for in {watched}, and reported to the committee.",
    )
    apart = ("promises",)

    promises: list[
        Literal[
            "nobody is left out or let go for what they cost",
            "everyone may choose another provider",
            "a complaint is heard within 30 days by someone who did not cause it",
            "everyone is told how their helpers are paid",
            "help is given in the language and the way that people need",
            "staff are trained in care that takes trauma into account",
            "nothing that is paid depends on who is asked about trauma, or on what they answer",
        ]
    ]
    watched: list[Literal["missed visits", "delayed authorizations", "emergency visits", "complaints", "people let go"]]
