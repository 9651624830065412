from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from ..clause import Clause
from ..expected import RATE, Expected, Moves, middle
from ..ledger import Ledger
from ..refusal import refuse
from ..scales import HOW_IT_CLIMBS, Change, Climbs
from ..units import Count, Dollars, Number, Rate, Share, Unit, add_up, least, most, unit_of, when
from ..worded import ClauseName, MeasureName
from ..year import Year


class PaymentAdjustment(Clause):
    """A share of what other clauses pay: agreed once, set by a measure, or by measures beside their peers.

    change = share, or what the ladder gives for the measure, or, of measures of enough cases,
             least(at_most, multiplier x sum of weight x distance from the peers' median), those worse for what is less
             and those better for what is more
    paid   = least(payments x most(change, 0), cap), or for what is less: least(payments x most(-change, 0), cap),
             less what was paid under `only_beyond`

    What goes up and what goes down are two clauses, the second with the parties the other way round.
    """

    words = (
        "{payer} pays {payee}, of what was paid for the year under {payments}, {share}.",
        "By the measure {measure}, what was paid for the year under {payments} is changed, {climbs}: {ladder}.",
        "What was paid for the year under {payments} is changed by how far each of these measures is from the median of"
        " its peers: {measures}.",
        "The medians of the peers are, in the same order: {peers}.",
        "{better} is better, and a measure on the other side of its median counts as nothing.",
        "A measure of fewer than {minimum_cases} cases counts as nothing.",
        "Each counts by the share of the payments that it is about, in the same order: {weights}.",
        "The sum is multiplied by {multiplier}, which brings the total over all who are measured to what was meant.",
        "The change is at most {at_most} of those payments.",
        "{payer} pays {payee} {side}.",
        "At most {cap} is paid for a year.",
        "Only what exceeds what {payer} pays {payee} for the year under {only_beyond} is paid, so that the larger of"
        " them counts.",
    )
    spoken = {"climbs": HOW_IT_CLIMBS}
    not_modelled = ("how the measure is made; it is a fact of the year",)
    reads = {
        "measures.{measure}": None,
        "measures.{measures}": None,
        "measures.{peers}": None,
        "measures.{weights}": unit_of(Share),
    }
    looks_back = ("payments", "only_beyond")
    together = (
        ("measure", "ladder", "climbs", "side"),
        ("ladder", "measure"),
        ("climbs", "ladder"),
        ("measures", "peers", "better", "side"),
        ("peers", "measures"),
        ("better", "measures"),
        ("minimum_cases", "measures"),
        ("weights", "measures"),
        ("multiplier", "measures"),
        ("at_most", "measures"),
    )
    units = {"change": unit_of(Share)}
    lan, vbpr = "2C", "qip"
    for_all = ("cap",)

    kind: Literal["payment_adjustment"]
    payments: list[ClauseName]
    share: Share | None = None
    measure: MeasureName | None = None
    ladder: Change | None = None
    climbs: Climbs | None = None
    measures: list[MeasureName] = []
    peers: list[MeasureName] = []
    better: Literal["higher", "lower"] | None = None
    minimum_cases: Count | None = None
    weights: list[MeasureName] = []
    multiplier: Rate | None = None
    at_most: Share | None = None
    side: Literal["what is more", "what is less"] | None = None
    cap: Dollars | None = None
    only_beyond: list[ClauseName] = []

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        ways = [term for term in ("share", "measure", "measures") if self._is_set(term)]
        if len(ways) != 1:
            given = " and ".join(f"`{way}`" for way in ways) or "none of `share`, `measure` and `measures`"
            allowed = "one of: a `share` of the payments; a `measure` with its `ladder`; `measures` with their `peers`"
            refuse(given, allowed, "take the others out" if ways else "add, say, `share:`")
        if self.side and "share" in ways:
            refuse("`side` with a `share`", "`side` where a measure goes up and down", "take out `side`")
        for term in ("peers", "weights"):
            if self.measures and (named := getattr(self, term)) and len(named) != len(self.measures):
                allowed = f"{len(self.measures)}, one for each of `measures` in the same order"
                refuse(f"{len(named)} under `{term}`", allowed, "name one for each")
        return self

    def reading(self) -> Mapping[str, Unit | None]:
        return self.reads | ({} if self.minimum_cases is None else {"denominators.{measures}": None})

    @property
    def money_back(self) -> bool:
        return self.side == "what is less"

    def expects(self, year: Expected) -> Mapping[str, Number]:
        """The middle of the ladder; or what peers have, each measure counting alike and of enough cases."""
        if self.measure and self.ladder:
            return {f"measures.{self.measure}": middle(self.ladder)}
        alike = 1 / max(len(self.measures), 1)
        known = dict.fromkeys((*self.measures, *self.peers), RATE) | dict.fromkeys(self.weights, alike)
        counted = {f"denominators.{name}": year.counted("a share") for name in self.measures if self.minimum_cases}
        return {f"measures.{name}": value for name, value in known.items()} | counted

    def moves(self) -> Mapping[str, Moves]:
        lowered = {f"measures.{name}": Moves(lowered=self.better == "lower") for name in self.measures}
        return lowered | {f"measures.{name}": Moves(held=True) for name in (*self.peers, *self.weights)}

    def settle(self, year: Year, ledger: Ledger) -> tuple[Number, dict[str, Number]]:
        payments, change = ledger.paid(year=year.year, clause=self.payments), self.share or 0
        if self.measure and self.ladder:
            change = self.ladder.climbed(year.measures[self.measure], self.climbs)
        if self.measures:
            change = self._beside_peers(year)
        paid = most(payments, 0.0) * most(-change if self.side == "what is less" else change, 0.0)
        if self.cap is not None:
            paid = least(paid, self.cap)
        if self.only_beyond:
            already = ledger.total(year=year.year, clause=self.only_beyond, payer=self.payer, payee=self.payee)
            paid = most(paid - already, 0.0)
        return paid, {"paid for the year": payments, "change": change}

    def _beside_peers(self, year: Year) -> Number:
        """The change by measures that are worse than their peers' medians, below zero; or better, above it."""
        worse = self.side == "what is less"
        way = 1 if (self.better == "lower") == worse else -1
        parts = []
        for k, (name, peer) in enumerate(zip(self.measures, self.peers, strict=True)):
            away = most(way * (year.measures[name] - year.measures[peer]), 0.0)
            if self.minimum_cases is not None:
                away = when(year.denominators[name] >= self.minimum_cases, away, 0.0)
            parts.append(away * (year.measures[self.weights[k]] if self.weights else 1))
        change = add_up(parts) * (1 if self.multiplier is None else self.multiplier)
        if self.at_most is not None:
            change = least(change, self.at_most)
        return -change if worse else change
