"""Who the contract is for, and the tiers of its people."""

from typing import Literal

from ..definitions import AnyDefinition, Everyone
from ..units import Years
from .part import Part


class Population(Part):
    """Who the contract is for: a definition by name, over what was known when the list was made."""

    title = "Population"
    words = (
        "The contract is for people who meet this definition, read from {known}: {definition}.",
        "It must hold in each of {years_running} such years in a row.",
        "The list is made {made}.",
        "People are {age_from} or older at the end of the year.",
        "People are {age_to} or younger at the end of the year.",
        "Left out are people with any of: {left_out}.",
    )
    not_modelled = (
        "lists made anew within a year",
        "claims of the year before that had not arrived when the list was made",
    )
    definition: AnyDefinition = Everyone()
    known: Literal["the year before", "the year itself"] = "the year before"
    years_running: Years | None = None
    made: Literal["anew for each year", "once, before the first year"] = "anew for each year"
    age_from: Years | None = None
    age_to: Years | None = None
    left_out: list[Literal["end-stage renal disease", "hospice", "both Medicare and Medicaid"]] = []


class Tier(Part):
    """Members of one tier: those who meet its definition and no tier's before it."""

    title = "Tier"
    words = ("Of the people who count and are in no tier before it, those who meet this definition: {definition}.",)
    definition: AnyDefinition
