"""The payment mechanisms, one file each. A new one is a file here and its name in the two lists below."""

from typing import Annotated

from pydantic import Field

from .advance import Advance
from .care_management_fee import CareManagementFee
from .measure_guarantee import MeasureGuarantee
from .performance_bonus import PerformanceBonus
from .recoupment import Recoupment
from .savings_guarantee import SavingsGuarantee
from .shared_losses import SharedLosses
from .shared_savings import SharedSavings

AnyClause = Annotated[
    Advance
    | CareManagementFee
    | MeasureGuarantee
    | PerformanceBonus
    | Recoupment
    | SavingsGuarantee
    | SharedLosses
    | SharedSavings,
    Field(discriminator="kind"),
]
MECHANISMS = {
    cls.model_fields["kind"].annotation.__args__[0]: cls  # type: ignore[union-attr]
    for cls in (
        Advance,
        CareManagementFee,
        MeasureGuarantee,
        PerformanceBonus,
        Recoupment,
        SavingsGuarantee,
        SharedLosses,
        SharedSavings,
    )
}
