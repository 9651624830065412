"""What one person's limit takes off: of what is paid by the piece, the part of any one person's above so many dollars.

The year gives the number of all, and beside it that of each person above the limit: `counts.hours of respite`, and
`counts.hours of respite.1`, `.2` and so on. One who had fewer may be left out; a year with nobody above gives its
largest.
"""

from .units import Number, add_up, most
from .year import Year

FIRST = ".1"  # how the fact of the first person ends
OF_ONE = "the same of one person: .1, .2 and so on for those above the limit, or .1 for the largest"


def beyond_the_limit(year: Year, fact: str, price: Number, limit: Number) -> Number:
    """The sum over persons of what each would be paid beyond the limit.

    >>> year = Year(year=1, counts={"hours": 300, "hours.1": 90, "hours.2": 120})
    >>> beyond_the_limit(year, "counts.hours", 30, 2_700)  # nothing, and 120 x 30 - 2,700
    900
    """
    group, _, name = fact.partition(".")
    each = [number for part, number in getattr(year, group).items() if part.startswith(f"{name}.")]
    return add_up(most(price * number - limit, 0.0) for number in each)
