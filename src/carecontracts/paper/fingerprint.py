"""A fingerprint: sixteen letters by which two sides see that they hold the same text."""

import json
from hashlib import sha256

from ..contract import Contract


def fingerprint(text: str) -> str:
    """Sixteen letters that change with any word of the text, whatever its spaces.

    >>> fingerprint("seen within 7 days"), fingerprint("seen  within 7 days\\n") == fingerprint("seen within 7 days")
    ('0459 8090 c528 6175', True)
    """
    digest = sha256(" ".join(text.split()).encode()).hexdigest()
    return " ".join(digest[n : n + 4] for n in range(0, 16, 4))


def fingerprint_of(contract: Contract) -> str:
    """Sixteen letters of all that a contract says: another version has others, and a copy has the same.

    >>> from carecontracts import Contract, gallery
    >>> contract = Contract.load(gallery("shared-savings"))
    >>> fingerprint_of(contract) == fingerprint_of(contract.amend({"shared savings": {"cap": 0.1}}))
    True
    >>> fingerprint_of(contract) == fingerprint_of(contract.amend({"shared savings": {"cap": 0.2}}))
    False
    """
    return fingerprint(json.dumps(contract.model_dump(mode="json", exclude_none=True), sort_keys=True))
