"""Margin: what a hospital stay that never happens does to the hospital that would have had it.

All figures are dollars for one stay, in the short run: the building and most of the staff cost the same without it.
"""

from ..units import Number


def margin(payment: Number, full_cost: Number, fixed: Number) -> Number:
    """What a stay leaves the hospital, once only the costs that come and go with it are paid.

    margin = payment - (1 - fixed) x full_cost

    `fixed` is the share of cost that stays when the patient does not come. Medicare at 82% of a cost of $14,000, with
    75% of it fixed, leaves $7,980; a patient who pays nothing costs the hospital $3,500.

    >>> margin(0.82 * 14_000, 14_000, 0.75), margin(0, 14_000, 0.75)
    (7980.0, -3500.0)
    """
    return payment - (1 - fixed) * full_cost


def refill_to_be_whole(lost: Number, received: Number, refill: Number) -> Number:
    """The share of emptied beds that must be filled again for the hospital to be no worse off.

    share = (lost - received) / refill

    `lost` is the margin of the stay avoided, `received` what a contract pays the hospital for it, and `refill` the
    margin of the patient who takes the bed. Above 1 no refilling is enough; below 0 the hospital gains without any.

    >>> round(refill_to_be_whole(7_980, 0, 18_200), 2), round(refill_to_be_whole(7_980, 5_740, 18_200), 2)
    (0.44, 0.12)
    """
    return (lost - received) / refill


def price_to_be_whole(lost: Number, refill: Number = 0.0, refilled: Number = 0.0) -> Number:
    """What a stay avoided must pay the hospital so that it loses nothing, with a share of beds filled again.

    price = lost - refilled x refill

    >>> price_to_be_whole(7_980), price_to_be_whole(7_980, refill=18_200, refilled=0.2)
    (7980.0, 4340.0)
    """
    return lost - refilled * refill
