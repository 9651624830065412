from typing import Literal, Self

from pydantic import model_validator

from ..refusal import refuse
from .provision import Provision

Question = Literal[
    "incentive over capitation, 42 CFR 438.6(b)(2)",
    "withhold, 42 CFR 438.6(b)(3)",
    "risk sharing agreed before the rates, 42 CFR 438.6(b)(1)",
    "directed payment, 42 CFR 438.6(c)",
    "services in lieu, 42 CFR 438.3(e)(2) and 438.16",
    "medical loss ratio, 42 CFR 438.8(e)",
    "care coordination that the plan owes, 42 CFR 438.208",
    "delegation, 42 CFR 438.230",
    "physician incentive plan, 42 CFR 422.208",
    "FQHC payment floor, Social Security Act 1902(bb)",
    "anti-kickback and Stark value-based rules, 42 CFR 1001.952 and 411.357",
    "state insurance license for the risk",
]


class Counsel(Provision):
    """The questions that only a lawyer answers: which have been put, and which have an answer."""

    title = "Questions for counsel"
    between_us = True
    words = (
        "These have been answered in writing: {answered}.",
        "These are open: {open}.",
        "Each is to be read in its current text.",
    )
    apart = ("answered", "open")

    answered: list[Question] = []
    open: list[Question] = []

    @model_validator(mode="after")
    def _open_or_answered(self) -> Self:
        if both := [question for question in self.open if question in self.answered]:
            refuse(f"{both[0]}, open and answered", "each question once", "take it out of one of the two")
        return self
