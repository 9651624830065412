from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from ..clause import Clause
from ..expected import QUALITY, Expected, Moves
from ..ledger import Ledger
from ..refusal import refuse, show
from ..units import Dollars, Number, Share, Unit, add_up, least, most, unit_of, when
from ..worded import ClauseName, MeasureName
from ..year import Year

TINY = 1e-9  # what nothing is divided by
COUNTED = {"member months": "member_months", "certified dollars": "amounts", "scores": "measures"}


class Distribution(Clause):
    """What a party passes on, of what it receives itself: to sites, or to a community organization.

    left      = received under `out_of` - paid back under `net_of` - passed on under `after`
    passed on = least(share x left, cap); or, divided among several,
                first + (share x left - how many x first) x own part, with first = least(floor, share x left / how many)

    The lines of those among whom it is divided add up to the share. Where nobody counts for anything, parts are equal.
    """

    words = (
        "Of what {payer} receives for the year under {out_of}, it passes {share} to {payee}.",
        "What {payer} pays back under {net_of} is taken off first.",
        "What it passes on under {after} comes off first.",
        "That share is divided among {among} in proportion to their {counted_in}, and the part of {own} goes to"
        " {payee}.",
        "Each of them has {floor} first, or an equal part where there is less, and the rest is divided.",
        "At most {cap} is passed on for a year.",
    )
    not_modelled = ("how the receiving party divides it among its own people",)
    looks_back = ("out_of", "net_of", "after")
    together = (
        ("among", "own", "counted_in"),
        ("own", "among"),
        ("counted_in", "among"),
        ("floor", "among"),
    )

    units = {"own part": unit_of(Share)}
    for_all = ("floor", "cap")

    kind: Literal["distribution"]
    out_of: list[ClauseName]
    share: Share
    net_of: list[ClauseName] = []
    after: list[ClauseName] = []
    among: list[MeasureName] = []
    counted_in: Literal["member months", "certified dollars", "scores"] | None = None
    own: MeasureName | None = None
    floor: Dollars | None = None
    cap: Dollars | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.own is not None and self.among and self.own not in self.among:
            refuse(f"{show(self.own)}, who is not under `among`", "one of those under `among`", "name it in both")
        return self

    def reading(self) -> Mapping[str, Unit | None]:
        return {COUNTED[self.counted_in] + ".{among}": None} if self.counted_in else {}

    @property
    def pays_for_results(self) -> bool:
        return False  # it divides what others pay for them

    def expects(self, year: Expected) -> Mapping[str, Number]:
        return {f"measures.{name}": QUALITY for name in self.among} if self.counted_in == "scores" else {}

    def moves(self) -> Mapping[str, Moves]:
        return {f"measures.{name}": Moves(held=True) for name in self.among} if self.counted_in == "scores" else {}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        received = ledger.total(year=year.year, clause=self.out_of, payee=self.payer)
        received = received - ledger.total(year=year.year, clause=[*self.net_of, *self.after], payer=self.payer)
        passed_on, how = self.share * most(received, 0.0), {"received less paid back": received}
        if self.among and self.own and self.counted_in:
            counted = {name: getattr(year, COUNTED[self.counted_in])[name] for name in self.among}
            all_of_them = add_up(counted.values())
            part = when(all_of_them > 0, counted[self.own] / most(all_of_them, TINY), 1 / len(counted))
            first = least(self.floor or 0, passed_on / len(counted))
            how |= {"to be divided": passed_on, "own part": part}
            passed_on = first + (passed_on - len(counted) * first) * part
        if self.cap is not None:
            passed_on = least(passed_on, self.cap)
        return passed_on, how
