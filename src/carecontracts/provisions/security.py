from typing import Literal

from ..units import Share
from .provision import Provision


class Security(Provision):
    """What stands behind a payment that the provider may owe."""

    title = "Security"
    words = (
        "What the provider may owe is secured by {means}.",
        "It amounts to {of_most} of the most that the provider can owe in a year.",
    )
    favors = {
        "means": {
            "nothing": "the provider; the payer lends without knowing it",
            "a letter of credit": "the payer; it costs the provider a fee and its credit line",
            "a withheld part of the fee": "the payer; the team is paid less each month",
        }
    }

    means: Literal["nothing", "a reserve", "a letter of credit", "a withheld part of the fee", "the parent's guaranty"]
    of_most: Share | None = None
