"""What a rate per member per month comes to, the same for all or by tier, over the months that count."""

from .units import Count, Number, add_up, unit_of
from .year import Year

# What a fee may be paid for, and the fact that counts it.
MONTHS = {
    "enrolled month": "member_months",
    "engaged month": "engaged_months",
    "month with a documented service": "documented_months",
}
WORKINGS = {"member months": unit_of(Count), "{per_member_per_month} member months": unit_of(Count)}


def per_month(rate: Number, year: Year, counted: str) -> tuple[Number, dict[str, Number]]:
    """The sum over tiers of (per member per month x months that count), and those months.

    >>> year = Year(year=1, member_months={"standard": 900, "complex": 100})
    >>> per_month(20, year, "member_months")
    (20000, {'member months': 1000})
    >>> per_month({"standard": 20, "complex": 100}, year, "member_months")
    (28000, {'standard member months': 900, 'complex member months': 100})
    """
    if not isinstance(rate, dict):
        months = year.fact(counted)
        return rate * months, {"member months": months}
    by_tier = {tier: year.fact(f"{counted}.{tier}") for tier in rate}
    paid = add_up(rate[tier] * months for tier, months in by_tier.items())
    return paid, {f"{tier} member months": months for tier, months in by_tier.items()}
