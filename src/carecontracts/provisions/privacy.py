from typing import Literal

from .provision import Provision


class Privacy(Provision):
    """Who may know what of whom, and how people agree to it."""

    title = "Privacy and consent"
    words = (
        "Under HIPAA the provider acts as {role}.",
        "People {consent}.",
        "Records of substance use treatment are shared {part_2}.",
        "What leaves either party in public shows no group of fewer than 11 people.",
    )
    spoken = {
        "consent": {
            "opt in": "are in the program only once they have agreed to it",
            "may opt out": "are in the program unless they say no, and are told so in writing",
        },
        "part_2": {
            "with consent": "with the person's written consent under 42 CFR Part 2 (check the current text)",
            "not at all": "not at all",
        },
    }
    favors = {
        "consent": {
            "opt in": "the member; those who agree are not those who do not, and a comparison must know it",
            "may opt out": "an evaluation: everyone who was offered the program can be counted",
        }
    }

    role: Literal["a covered entity that treats", "a business associate of the payer"]
    consent: Literal["opt in", "may opt out"]
    part_2: Literal["with consent", "not at all"]
