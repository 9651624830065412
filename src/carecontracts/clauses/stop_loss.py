import math
from typing import Literal

from ..clause import Clause
from ..ledger import Ledger
from ..units import Dollars, Number, Share, least, most
from ..year import Year


class StopLoss(Clause):
    """Cover for the member who costs too much: the part of one person's claims above an attachment point.

    paid = sum over members of coinsurance x (least(claims, cap) - attachment), for those above the attachment

    The year gives `claims`, an amount for each member who cost much; one whose claims are below the attachment
    adds nothing. A year with nobody above it gives its largest claim.
    """

    words = (
        "{payer} pays {payee} {coinsurance} of what any one member's claims in the year come to above {attachment}.",
        "Claims of one member count up to {cap}.",
    )
    not_modelled = (
        "claims that are paid after the cover ends",
        "members whom the insurer excludes by name, or covers from a higher point",
    )
    reads = {"claims": None}
    insures = "cover"

    kind: Literal["stop_loss"]
    attachment: Dollars
    coinsurance: Share
    cap: Dollars | None = None

    def claims_from(self) -> Number:
        return self.attachment

    def covers_of_a_member(self) -> tuple[Number, Number | None]:
        return self.coinsurance, self.cap

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        top = math.inf if self.cap is None else self.cap
        above = sum(most(least(claims, top) - self.attachment, 0.0) for claims in year.claims.values())
        return self.coinsurance * above, {"above the attachment": above}
