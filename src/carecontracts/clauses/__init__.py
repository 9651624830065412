"""The payment mechanisms, one file each. A new one is a file here and its name in the two lists below."""

from typing import Annotated

from pydantic import Field

from .advance import Advance
from .care_management_fee import CareManagementFee
from .distribution import Distribution
from .guarantee import Guarantee
from .investment import Investment
from .joint_cap import JointCap
from .outcome_price import OutcomePrice
from .recoupment import Recoupment
from .repayment import Repayment
from .shared_losses import SharedLosses
from .shared_savings import SharedSavings

AnyClause = Annotated[
    Advance
    | CareManagementFee
    | Distribution
    | Guarantee
    | Investment
    | JointCap
    | OutcomePrice
    | Recoupment
    | Repayment
    | SharedLosses
    | SharedSavings,
    Field(discriminator="kind"),
]
MECHANISMS = {
    cls.model_fields["kind"].annotation.__args__[0]: cls  # type: ignore[union-attr]
    for cls in (
        Advance,
        CareManagementFee,
        Distribution,
        Guarantee,
        Investment,
        JointCap,
        OutcomePrice,
        Recoupment,
        Repayment,
        SharedLosses,
        SharedSavings,
    )
}
