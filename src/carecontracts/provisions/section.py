"""Provisions: all that an agreement says beside what is paid and how a year is measured."""

from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel, ConfigDict

from .counsel import Counsel
from .data_feeds import DataFeeds
from .delegation import Delegation
from .ending import Ending
from .evaluation import Evaluation
from .governance import Governance
from .meanings import Meanings
from .outreach import Outreach
from .privacy import Privacy
from .protections import Protections
from .provision import Provision
from .purpose import Purpose
from .quality import Quality
from .security import Security
from .services import Services
from .settlement import Settlement


class Provisions(BaseModel):
    """The sections of an agreement, in the order in which they are printed; what is left out is open.

    >>> provisions = Provisions.model_validate({"security": {"means": "nothing"}})
    >>> [(title, part.say()) for title, part in provisions.parts()], [part.title for part in provisions.open()[:2]]
    ([('Security', 'What the provider may owe is secured by nothing.')], ['Purpose and people', 'What words mean'])
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    purpose: Purpose | None = None
    meanings: Meanings | None = None
    services: Services | None = None
    outreach: Outreach | None = None
    data_feeds: DataFeeds | None = None
    privacy: Privacy | None = None
    delegation: Delegation | None = None
    quality: Quality | None = None
    governance: Governance | None = None
    evaluation: Evaluation | None = None
    settlement: Settlement | None = None
    ending: Ending | None = None
    security: Security | None = None
    protections: Protections | None = None
    counsel: Counsel | None = None

    def parts(self) -> Iterator[tuple[str, Provision]]:
        """Every section that is there, with its title."""
        for field in type(self).model_fields:
            if part := getattr(self, field):
                yield part.title, part

    def open(self) -> list[type[Provision]]:
        """The sections of which nothing is said."""
        return [section for field, section in SECTIONS.items() if getattr(self, field) is None]


SECTIONS: dict[str, type[Provision]] = {
    name: get_args(field.annotation)[0] for name, field in Provisions.model_fields.items()
}
