"""The payment mechanisms, one file each. A new one is a file here and its name in the two lists below."""

from typing import Annotated

from pydantic import Field

from .advance import Advance
from .care_management_fee import CareManagementFee
from .fee_schedule_increase import FeeScheduleIncrease
from .in_kind_support import InKindSupport
from .recoupment import Recoupment
from .service_price import ServicePrice
from .shared_losses import SharedLosses
from .shared_savings import SharedSavings

AnyClause = Annotated[
    Advance
    | CareManagementFee
    | FeeScheduleIncrease
    | InKindSupport
    | Recoupment
    | ServicePrice
    | SharedLosses
    | SharedSavings,
    Field(discriminator="kind"),
]
MECHANISMS = {
    cls.model_fields["kind"].annotation.__args__[0]: cls  # type: ignore[union-attr]
    for cls in (
        Advance,
        CareManagementFee,
        FeeScheduleIncrease,
        InKindSupport,
        Recoupment,
        ServicePrice,
        SharedLosses,
        SharedSavings,
    )
}
