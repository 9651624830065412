from typing import Literal

from ..units import Share
from .provision import Provision


class Evaluation(Provision):
    """By which comparison it is judged, by whom, on whom, and how sure one must be."""

    title = "Evaluation"
    words = (
        "Results are judged by {design}.",
        "It is done by {evaluator}, on {estimand}.",
        "A result counts {uncertainty}.",
        "It counts where the chance that there was an effect is {chance} or more.",
        "What is found is published {published}.",
    )
    spoken = {
        "design": {
            "a random offer": "a random offer: of those who qualify, some are offered the program first",
            "a comparison over time": "change over time against a comparison group that was named beforehand",
            "matched people": "people matched on what was known before the program",
            "before and after": "the same people before and after",
        },
        "estimand": {
            "everyone offered": "everyone who was offered the program",
            "those who took part": "those who took part",
        },
        "uncertainty": {
            "as it is": "as it is, without regard to chance",
            "by its interval": "where its 95% interval leaves out no effect",
            "by its chance": "by the chance that there was an effect",
            "weighed by size": "weighed by how many people stand behind it",
        },
        "published": {
            "whatever it is": "whatever it is",
            "by agreement": "where both agree",
            "not at all": "nowhere",
        },
    }
    favors = {
        "design": {
            "a random offer": "the truth; someone must wait for the program",
            "before and after": "the provider: people who are chosen for a bad year get better by themselves",
            "matched people": "the provider, where those who agree differ from those who do not",
        },
        "estimand": {
            "those who took part": "the provider: those who refuse leave the result",
            "everyone offered": "the payer: it is what was bought",
        },
        "published": {
            "by agreement": "whoever would rather not know; nulls are never agreed on",
            "not at all": "nobody but the next seller of the same program",
        },
    }

    design: Literal["a random offer", "a comparison over time", "matched people", "before and after"]
    evaluator: Literal["the payer", "the provider", "an independent evaluator", "an actuary whom both have named"]
    estimand: Literal["everyone offered", "those who took part"]
    uncertainty: Literal["as it is", "by its interval", "by its chance", "weighed by size"]
    chance: Share | None = None
    published: Literal["whatever it is", "by agreement", "not at all"]
