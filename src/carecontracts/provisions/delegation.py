from typing import Annotated, Literal

from ..units import Share
from ..worded import EachOnce, Name
from .provision import Provision


class Delegation(Provision):
    """What the payer's own duties the provider does for it, and who else does part of the work."""

    title = "Delegation and subcontractors"
    words = (
        "Of the payer's own duties the provider does {delegated} (Medicaid: 42 CFR 438.208, 438.230; check the current"
        " text).",
        "The payer audits what is delegated {audited}.",
        "Subcontractors: {subcontractors}; each is bound by the same terms and paid within 30 days of the provider.",
        "Of the fee at least this share goes to them: {passed_on}.",
    )
    spoken = {
        "delegated": {
            "nothing": "none",
            "care coordination": "care coordination",
            "care coordination and assessment": "care coordination and the assessment of need",
        }
    }
    favors = {
        "delegated": {
            "nothing": "the provider: the payer's own care managers may call the same person",
            "care coordination and assessment": "the member, who is called once; the provider is audited as a plan is",
        }
    }

    delegated: Literal["nothing", "care coordination", "care coordination and assessment"]
    audited: Literal["each year", "every three years", "for cause"] | None = None
    subcontractors: list[Name] = []
    passed_on: Annotated[dict[Name, Share], EachOnce] = {}
