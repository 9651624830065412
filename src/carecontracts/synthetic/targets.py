"""Targets: published figures of real populations, and how synthetic people compare.

`targets.csv` has each figure, the range in which a synthetic one counts as alike, and its source: a key of the book's
references, or `assumption` where no confirmed figure was found. This file only reads a panel and counts; but the
parameters in `synthetic.yaml` were set with these figures in view, so agreement here is a fit and not a forecast.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from ..refusal import Fault, Refusal

TARGETS = pd.read_csv(StringIO((files(__package__) / "targets.csv").read_text(encoding="utf-8")), keep_default_na=False)

# People by main coverage, millions, to mix the lines into one population of the United States (assumption).
MIX = {"commercial": 201, "medicaid": 79, "medicare": 52, "dual": 12}

# Where the people fall short of a target, and why. A test fails when one of these is met, or another is missed.
SHORT: Mapping[tuple[str, str], str] = {
    ("all", "top 5% in the top 10% next year"): "the lines differ in cost for good, and mixing them adds persistence; "
    "the figure is of 1996-97, and privately insured people persisted more in 2003-08 (Hirth 2015)",
    (
        "medicaid",
        "top 5%: mental illness",
    ): "GAO's figures ask for six times the risk with mental illness, Boyd's extra "
    "cost for much less; the weights lie in between",
    (
        "medicaid",
        "top 5%: disabled",
    ): "two thirds of the top 5% from a tenth of members would make next year's cost more "
    "certain than any published persistence",
    (
        "medicare",
        "dearest quarter: admitted",
    ): "with 1.7 stays each, CBO's share makes 318 stays per 1,000 members from this "
    "quarter alone; here all have about 245, and the sickest have more of them each",
    (
        "dual",
        "cost of the transient over the never",
    ): "here the transient are costlier and the never cheaper: one score "
    "serves both parts of the group, with and without long-term care",
    (
        "commercial",
        "top 5% in all of three years",
    ): "a score that stood this firmly would overstate the surveys' top 5% "
    "again next year; the two figures do not fit one score",
    ("commercial", "the persistent top 5%'s share of the third year's cost"): "follows from the one above",
}


def compare(people: pd.DataFrame) -> pd.DataFrame:
    """Each target of the lines in a panel: what was published, what the synthetic people do, and whether it is alike.

    Give one line's panel, or several put together; with all four, the targets of the whole population are compared too.
    The panel needs three years for the targets that look three years ahead; without them those are left out.

    >>> from carecontracts.synthetic.people import panel
    >>> seen = compare(panel("medicare", 4_000, rng=np.random.default_rng(3)))
    >>> seen.loc[seen.target == "with the same provider next year", ["published", "within"]].values.tolist()
    [[0.844, True]]
    """
    missing = sorted({"line", "year", "person_id", "covered"} - set(people.columns))
    if missing:
        do = "give what `synthetic.panel` returns"
        raise Refusal(
            [Fault("people to compare", f"no column {', '.join(missing)}", "a panel of synthetic people", do)]
        )
    people = people.assign(person_id=pd.factorize(people.person_id)[0])  # numbers are quicker to match than names
    rows = []
    for line, targets in TARGETS.groupby("line", sort=False):
        own = _mixed(people) if line == "all" else people[people.line == line]
        if own is None or own.empty:
            continue
        seen = _Seen(own)
        rows.append(targets.assign(synthetic=[MEASURES[target](seen) for target in targets.target]))
    if not rows:
        do = "name lines of business in the column `line`"
        raise Refusal([Fault("people to compare", "no line with targets", ", ".join(MIX), do)])
    found: pd.DataFrame = pd.concat(rows).dropna(subset="synthetic").reset_index(drop=True)
    found["within"] = found.synthetic.between(found.low, found.high)
    return found[["line", "target", "published", "low", "high", "synthetic", "within", "source", "note"]]


def _mixed(people: pd.DataFrame) -> pd.DataFrame | None:
    """One population of all lines, in proportion; without people in institutions, whom the surveys leave out."""
    if set(MIX) - set(people.line):
        return None
    parts, most = [], min(people[people.line == line].person_id.nunique() / weight for line, weight in MIX.items())
    for line, weight in MIX.items():
        own = people[(people.line == line)]
        ids = own.person_id.unique()[: int(most * weight)]
        parts.append(own[own.person_id.isin(ids) & (own.long_term_care == 0)])
    return pd.concat(parts)


class _Seen:
    """A panel as the measures read it: the first year, and the members of every year side by side."""

    def __init__(self, people: pd.DataFrame) -> None:
        self.people = people
        self.years = sorted(people.year.unique())
        self.first = people[people.year == self.years[0]]
        wide = people.pivot(index="person_id", columns="year", values="paid")
        self.pairs = wide[self.years[:2]].dropna() if len(self.years) > 1 else wide.iloc[:0]
        self.three = wide[self.years[:3]].dropna() if len(self.years) > 2 else wide.iloc[:0]
        self.member_years = people.months.sum() / 12

    def top(self, share: float) -> pd.DataFrame:
        first: pd.DataFrame = self.first
        return first.nlargest(int(len(first) * share), "paid")


def _top_share(share: float) -> Callable[[_Seen], float]:
    return lambda seen: float(seen.top(share).paid.sum() / seen.first.paid.sum())


def _ranks(costs: pd.DataFrame) -> pd.DataFrame:
    """Each person's place from the top, 0 to 1."""
    return pd.DataFrame(costs.rank(ascending=False, method="first") / len(costs))


def _again(share: float, then: float | None = None) -> Callable[[_Seen], float]:
    def measure(seen: _Seen) -> float:
        if seen.pairs.empty:
            return np.nan
        now, later = _ranks(seen.pairs).to_numpy().T
        return float((later[now <= share] <= (then or share)).mean())

    return measure


def _bottom_again(seen: _Seen) -> float:
    if seen.pairs.empty:
        return np.nan
    now, later = _ranks(seen.pairs).to_numpy().T
    return float((later[now > 0.5] > 0.5).mean())


def _three_years(share: float) -> Callable[[_Seen], float]:
    def measure(seen: _Seen) -> float:
        if seen.three.empty:
            return np.nan
        high = _ranks(seen.three).to_numpy() <= share
        return float(high.all(axis=1).sum() / high[:, 0].sum())

    return measure


def _over_never(persistent: bool) -> Callable[[_Seen], float]:
    """First-year cost of those in the top 10% in all three years (or not again), over those never in it."""

    def measure(seen: _Seen) -> float:
        if seen.three.empty:
            return np.nan
        high = _ranks(seen.three).to_numpy() <= 0.10
        cost = seen.three.iloc[:, 0].to_numpy()
        always, never = high.all(axis=1), ~high.any(axis=1)
        some = always if persistent else high[:, 0] & ~always
        return float(cost[some].mean() / cost[never].mean())

    return measure


def _persistent_share(seen: _Seen) -> float:
    if seen.three.empty:
        return np.nan
    high = (_ranks(seen.three) <= 0.05).all(axis=1)
    last = seen.three.iloc[:, 2]
    return float(last[high].sum() / last.sum())


def _long_term(seen: _Seen) -> float:
    if seen.three.empty:
        return np.nan
    high = (_ranks(seen.three) <= 0.10).all(axis=1)
    own = seen.first[seen.first.person_id.isin(high.index[high])]
    return float(own.post_acute_paid[own.long_term_care == 1].sum() / own.paid.sum())


def _per_1000(column: str, who: Callable[[pd.DataFrame], "pd.Series[bool]"] | None = None) -> Callable[[_Seen], float]:
    def measure(seen: _Seen) -> float:
        rows = seen.people if who is None else seen.people[who(seen.people)]
        return float(rows[column].sum() / rows.months.sum() * 12_000)

    return measure


def _of_top5(who: Callable[[pd.DataFrame], "pd.Series[bool]"]) -> Callable[[_Seen], float]:
    return lambda seen: float(who(seen.top(0.05)).mean())


def _has(column: str) -> Callable[[pd.DataFrame], "pd.Series[bool]"]:
    return lambda rows: rows[column] > 0


def _mental(rows: pd.DataFrame) -> "pd.Series[bool]":
    return (rows.smi + rows.depression) > 0


def _extra(seen: _Seen) -> float:
    rows = seen.first[(seen.first.disabled == 1) & seen.first.age.between(19, 64) & (seen.first.chronic_conditions > 0)]
    with_it = _mental(rows)
    return float(rows[with_it].paid.mean() / rows[~with_it].paid.mean() - 1)


def _per_month(rows: pd.DataFrame) -> float:
    return float(rows.paid.sum() / rows.months.sum())


def _child_over_adult(seen: _Seen) -> float:
    able = (seen.first.disabled == 0) & (seen.first.age < 65)
    return _per_month(seen.first[seen.first.age < 19]) / _per_month(seen.first[able & (seen.first.age >= 19)])


def _stays(often: bool, column: str) -> Callable[[_Seen], float]:
    def measure(seen: _Seen) -> float:
        rows = seen.people[seen.people.admissions >= 4] if often else seen.people[seen.people.admissions.between(1, 3)]
        return float(rows.admissions.mean() if column == "stays" else rows.inpatient_days.sum() / rows.admissions.sum())

    return measure


def _often(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Denver Health's rule as quoted: adults with three stays, or two and a serious mental illness."""
    return (rows.age >= 19) & ((rows.admissions >= 3) | ((rows.admissions >= 2) & (rows.smi == 1)))


def _often_again(seen: _Seen) -> float:
    if len(seen.years) < 2:
        return np.nan
    later = seen.people[seen.people.year == seen.years[1]].set_index("person_id")
    ids = seen.first.person_id[_often(seen.first)]
    return float(_often(later.loc[later.index.intersection(ids)]).mean())


def _often_later(seen: _Seen) -> float:
    """Cost a month in the third year over the first, of those still there."""
    if len(seen.years) < 3:
        return np.nan
    third = seen.people[seen.people.year == seen.years[2]]
    ids = set(seen.first.person_id[_often(seen.first)]) & set(third.person_id)
    before, after = seen.first[seen.first.person_id.isin(ids)], third[third.person_id.isin(ids)]
    level = _per_month(third) / _per_month(seen.first)  # the published dollars are of one year
    return _per_month(after) / _per_month(before) / level


def _months(seen: _Seen) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Everyone's covered months in a row, members down and months across."""
    wide = seen.people.pivot(index="person_id", columns="year", values="covered").reindex(columns=seen.years)
    bits = wide.fillna(0).astype(np.int64).to_numpy()
    months = (bits[:, :, None] >> np.arange(12)) & 1
    return months.reshape(len(wide), -1).astype(bool)


def _gap(seen: _Seen) -> float:
    """Of the members of the middle year, those who left in it and were back within a year."""
    if len(seen.years) < 3:
        return np.nan
    covered = _months(seen)
    leaves = covered[:, 11:23] & ~covered[:, 12:24]  # the last month in, at the end of month 11 to 22
    back = np.zeros(len(covered), bool)
    for month in range(12):
        back |= leaves[:, month] & covered[:, 13 + month : 12 + month + 12].any(axis=1)
    return float(back.sum() / covered[:, 12:24].any(axis=1).sum())


def _back(seen: _Seen) -> float:
    """Of those who leave alive in the first two years, those back within a year."""
    if len(seen.years) < 3:
        return np.nan
    died = set(seen.people.person_id[seen.people.died == 1])
    alive = ~seen.people.pivot(index="person_id", columns="year", values="paid").index.isin(died)
    covered = _months(seen)[alive]
    left = covered[:, 0:23] & ~covered[:, 1:24]
    back = [left[:, m] & covered[:, m + 2 : m + 13].any(axis=1) for m in range(23)]
    return float(np.sum(back) / left.sum())


def _with_need(column: str) -> Callable[[_Seen], float]:
    return lambda seen: float(seen.first[column][seen.first.social_needs > 0].mean())


def _dearest_quarter(what: str) -> Callable[[_Seen], float]:
    return lambda seen: float((seen.top(0.25)[what] > 0).mean())


def _frail_high(seen: _Seen) -> float:
    frail = seen.first[seen.first.frail == 1]
    return float((frail.paid >= seen.top(0.10).paid.min()).mean())


def _same_provider(seen: _Seen) -> float:
    if len(seen.years) < 2:
        return np.nan
    wide = seen.people.pivot(index="person_id", columns="year", values="provider")[seen.years[:2]].dropna()
    return float((wide.iloc[:, 0] == wide.iloc[:, 1]).mean())


def _gone(seen: _Seen) -> float:
    if len(seen.years) < 3:
        return np.nan
    wide = seen.people.pivot(index="person_id", columns="year", values="provider")
    first = wide.dropna(subset=[seen.years[0]])
    return float((first[seen.years[2]] != first[seen.years[0]]).mean())


MEASURES: Mapping[str, Callable[[_Seen], float]] = {
    "share of cost: top 1%": _top_share(0.01),
    "share of cost: top 5%": _top_share(0.05),
    "share of cost: bottom 50%": lambda seen: 1 - _top_share(0.50)(seen),
    "share who spend nothing": lambda seen: float((seen.first.paid == 0).mean()),
    "dollars per member and month": lambda seen: _per_month(seen.first),
    "share of the top 5%'s cost that is inpatient": lambda seen: float(
        seen.top(0.05).inpatient_paid.sum() / seen.top(0.05).paid.sum()
    ),
    "top 1% again next year": _again(0.01),
    "top 5% again next year": _again(0.05),
    "top 5% in the top 10% next year": _again(0.05, 0.10),
    "top 10% again next year": _again(0.10),
    "bottom 50% again next year": _bottom_again,
    "top 10% in all of three years": _three_years(0.10),
    "top 5% in all of three years": _three_years(0.05),
    "the persistent top 5%'s share of the third year's cost": _persistent_share,
    "cost of the persistent over the never": _over_never(True),
    "cost of the transient over the never": _over_never(False),
    "long-term care in the cost of the persistent": _long_term,
    "hospital stays per 1000": _per_1000("admissions"),
    "emergency visits per 1000": _per_1000("emergency_visits"),
    "emergency visits per 1000: 75 and over": _per_1000("emergency_visits", lambda rows: rows.age >= 75),
    "emergency visits per 1000: Black people": _per_1000(
        "emergency_visits", lambda rows: rows.race == "black or african american"
    ),
    "cost of a child over that of another adult": _child_over_adult,
    "top 5%: mental illness": _of_top5(_mental),
    "share with mental illness": lambda seen: float(_mental(seen.first).mean()),
    "top 5%: substance use disorder": _of_top5(_has("sud")),
    "top 5%: diabetes": _of_top5(_has("diabetes")),
    "top 5%: asthma": _of_top5(_has("asthma")),
    "top 5%: disabled": _of_top5(_has("disabled")),
    "share with a behavioral diagnosis": lambda seen: float((seen.first.behavioral_conditions > 0).mean()),
    "share of cost of those with a behavioral diagnosis": lambda seen: float(
        seen.first.paid[seen.first.behavioral_conditions > 0].sum() / seen.first.paid.sum()
    ),
    "mental illness beside chronic disease: extra cost": _extra,
    "super-utilizers: stays": _stays(True, "stays"),
    "others admitted: stays": _stays(False, "stays"),
    "super-utilizers: share of stays": lambda seen: float(
        seen.people.admissions[seen.people.admissions >= 4].sum() / seen.people.admissions.sum()
    ),
    "super-utilizers: days a stay": _stays(True, "days"),
    "others admitted: days a stay": _stays(False, "days"),
    "super-utilizers again next year": _often_again,
    "super-utilizers: cost two years later": _often_later,
    "share with a gap of less than a year": _gap,
    "leavers who are back within a year": _back,
    "share with a social need": lambda seen: float((seen.first.social_needs > 0).mean()),
    "of those with a social need: food": _with_need("food_need"),
    "of those with a social need: housing": _with_need("housing_need"),
    "accept care management": lambda seen: float(seen.first.engages.mean()),
    "dearest quarter: died in the year": _dearest_quarter("died"),
    "dearest quarter: admitted": _dearest_quarter("admissions"),
    "frail: in the top 10%": _frail_high,
    "with the same provider next year": _same_provider,
    "gone from the provider or the plan in 24 months": _gone,
    "member's share of the allowed amount": lambda seen: float(1 - seen.first.paid.sum() / seen.first.allowed.sum()),
}
