from typing import Literal

from ..units import Days, Share, Years
from .provision import Provision


class Settlement(Provision):
    """How a statement comes about, how it is challenged, and for how long it may be opened again."""

    title = "Statement, challenge and audit"
    words = (
        "The payer sends its statement with every line's workings, the facts of the year and the reconciliation behind"
        " them.",
        "The other party may challenge it within {challenge} days.",
        "A challenge is met by {rerun}.",
        "Either party may audit what a statement rests on for {audit} years.",
        "A statement is opened again within that time where a mistake moves it by {error} or more.",
        "What cannot be settled so goes to {dispute}.",
    )
    spoken = {
        "rerun": {
            "a joint rerun": "running the contract file together on the same facts",
            "the payer's answer": "the payer's answer in writing",
        }
    }
    favors = {
        "rerun": {
            "a joint rerun": "both: most disputes are about one fact",
            "the payer's answer": "the payer",
        },
        "dispute": {"the courts": "whoever can wait and pay"},
    }

    challenge: Days
    rerun: Literal["a joint rerun", "the payer's answer"]
    audit: Years
    error: Share
    dispute: Literal["a named expert", "mediation, then arbitration", "the courts"]
