"""One design on one table of people, by statsmodels: for a program and a comparison of your own."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from ..refusal import Fault, Refusal, did_you_mean, show
from .designs import DESIGNS, reach
from .places import STRATA, Array
from .series import step


def evaluate(
    panel: pd.DataFrame,
    design: str,
    *,
    trend: float = 0.05,
    cuts: Array | None = None,
    by: Literal["person", "place"] = "person",
) -> Mapping[str, float]:
    """One design on one table, by statsmodels: the saving per person and year of the estimand, and its 95% interval.

    `panel` has a row for each person and year, for those there to the end: person_id, group (offered, and waiting,
    elsewhere or unasked as the design needs), year (0 the trigger year, the program after it), paid, enrolled, engaged
    (0 or 1). The interrupted time series needs a column `quarter` (1 to 4) and a row for each; difference-in-
    differences and the matched comparison `by` place (as `designs.by_place`) need a column `place`, and two places or
    more on either side. `cuts` are the bounds between strata of trigger-year cost; without them they are the tenths of
    the enrolled.

    >>> people = [("a", "offered", 9, 5), ("b", "offered", 7, 5), ("c", "elsewhere", 9, 7), ("d", "elsewhere", 7, 7)]
    >>> rows = [(who, group, year, cost[year], 1, 1) for who, group, *cost in people for year in (0, 1)]
    >>> table = pd.DataFrame(rows, columns=["person_id", "group", "year", "paid", "enrolled", "engaged"])
    >>> round(evaluate(table, "difference-in-differences")["saving"], 6)  # they fell by 3, the others by 1
    2.0
    """
    _check(panel, design, by)
    them = panel[panel.group.isin(["offered", DESIGNS[design].others])]
    them = them.assign(offered=(them.group == "offered").astype(int), post=(them.year > 0).astype(int))
    if design == "interrupted time series":
        return _series(them)
    one = them.groupby("person_id").agg(offered=("offered", "first"), enrolled=("enrolled", "first"))
    one["engaged"] = them.groupby("person_id").engaged.first()
    one["after"] = them[them.post == 1].groupby("person_id").paid.mean()
    one["trigger"] = them[them.year == 0].groupby("person_id").paid.sum()
    if by == "place":
        one["place"] = them.groupby("person_id").place.first()
    if design == "difference-in-differences" and by == "place":
        before = them[them.post == 0].groupby("person_id").paid.mean()
        return _of_places(one.assign(value=one.after - before))
    if design == "difference-in-differences":
        two = them.groupby(["person_id", "offered", "post"], as_index=False).paid.mean()
        clusters = {"groups": two.person_id.astype("category").cat.codes}
        fit = smf.ols("paid ~ offered * post", two).fit(cov_type="cluster", cov_kwds=clusters)
        return _found(-fit.params["offered:post"], fit.bse["offered:post"])
    if design == "encouragement":
        return _instrument(one)
    if design == "matched comparison":
        one = one[(one.offered == 0) | (one.enrolled == 1)]
        if cuts is None:
            cuts = np.quantile(one[one.offered == 1].trigger, np.arange(1, STRATA) / STRATA)
        one = one.assign(stratum=np.searchsorted(cuts, one.trigger, side="right"))
        fit = smf.ols("after ~ offered + C(stratum)", one).fit(cov_type="HC1")
        if by == "place":
            return _of_places(one.assign(value=fit.resid + fit.params["offered"] * one.offered))
        return _found(-fit.params["offered"], fit.bse["offered"])
    if design in ("trend benchmark", "pre-post"):
        years = sorted(them[them.post == 1].year.unique())
        grown = float(np.mean([(1 + trend) ** int(year) for year in years])) if design == "trend benchmark" else 1.0
        fit = smf.ols("saving ~ 1", one.assign(saving=one.trigger * grown - one.after)).fit(cov_type="HC1")
        return _found(fit.params["Intercept"], fit.bse["Intercept"])
    term = "engaged" if design == "engaged or not" else "offered"
    fit = smf.ols(f"after ~ {term} + trigger", one).fit(cov_type="HC1")
    return _found(-fit.params[term], fit.bse[term])


def event_study(
    panel: pd.DataFrame, *, others: str = "elsewhere", base: int = 0, by: Literal["person", "place"] = "person"
) -> pd.DataFrame:
    """Year by year, the difference between those offered and the others, less that of the base year (statsmodels).

    Positive is a saving. Years before the program should show none: where they do, the comparison is not one. Errors
    are clustered by person, which knows nothing of what moved a whole place; `by` place they are those of the places'
    means, with Student's interval, and need a column `place` with two places or more on either side.

    >>> people = [("a", "offered", 9, 5), ("b", "offered", 7, 5), ("c", "elsewhere", 9, 7), ("d", "elsewhere", 7, 7)]
    >>> rows = [(who, group, year, cost[year]) for who, group, *cost in people for year in (0, 1)]
    >>> table = pd.DataFrame(rows, columns=["person_id", "group", "year", "paid"]).assign(place=lambda t: t.person_id)
    >>> study = event_study(table, by="place")  # the offered fell by 4 and 2, the others by 2 and 0
    >>> study.saving.round(6).tolist(), study.se.round(3).tolist()
    ([0.0, 2.0], [0.0, 1.414])
    """
    faults = _missing(panel, ["person_id", "group", "year", "paid"] + ["place"] * (by == "place"))
    faults += _others(panel, "event_study", others) + (_places(panel, others) if by == "place" else [])
    if "year" in panel and base not in set(panel.year):
        there = ", ".join(map(str, sorted(panel.year.unique())))
        faults.append(Fault("event_study, base", show(base), there or "a year", "name a year of the panel"))
    if faults:
        raise Refusal(faults)
    them = panel[panel.group.isin(["offered", others])]
    them = them.assign(offered=(them.group == "offered").astype(int))
    years = [int(year) for year in sorted(them.year.unique())]
    if by == "place":
        one = them.pivot(index=["person_id", "place", "offered"], columns="year", values="paid").reset_index()
        found = {year: _of_places(one.assign(value=one[year] - one[base])) for year in years if year != base}
    else:
        clusters = {"groups": them.person_id.astype("category").cat.codes}
        terms = f"C(year, Treatment({base}))"
        fit = smf.ols(f"paid ~ offered * {terms}", them).fit(cov_type="cluster", cov_kwds=clusters)
        names = {year: f"offered:{terms}[T.{year}]" for year in years if year != base}
        found = {year: _found(-fit.params[name], fit.bse[name]) for year, name in names.items()}
    return pd.DataFrame([{"year": year} | found.get(year, _found(0.0, 0.0)) for year in years])


def _found(saving: float, se: float, freedom: float = np.inf) -> dict[str, float]:
    far = reach(freedom) * se
    return {"saving": float(saving), "se": float(se), "low": float(saving - far), "high": float(saving + far)}


def _instrument(one: pd.DataFrame) -> dict[str, float]:
    from statsmodels.sandbox.regression.gmm import IVGMM

    ones = np.ones(len(one))
    x = np.column_stack([ones, one.engaged, one.trigger]).astype(float)
    z = np.column_stack([ones, one.offered, one.trigger]).astype(float)
    # As many instruments as terms: one step is two-stage least squares, and the weights leave the answer alone.
    fit = IVGMM(one.after.to_numpy(), x, z).fit(
        maxiter=1,
        inv_weights=z.T @ z / len(one),
        optim_args={"disp": 0},
        weights_method="cov",
        wargs={"centered": False},
    )
    se = fit.bse[1] * np.sqrt(len(one) / (len(one) - 3))
    return _found(-fit.params[1], se)


def _series(them: pd.DataFrame) -> dict[str, float]:
    mean = them.groupby(["year", "quarter"], as_index=False).paid.mean()
    found, low, high = (float(x[0]) for x in step(4 * mean.paid.to_numpy()[None, :], (mean.year > 0).to_numpy()))
    se = (high - low) / 2 / reach(len(mean) - 3)
    return {"saving": -found, "se": se, "low": -found - (high - low) / 2, "high": -found + (high - low) / 2}


def _of_places(one: pd.DataFrame) -> dict[str, float]:
    """The difference of the places' means: a place for each observation, with places - 2 degrees of freedom."""
    places = one.groupby(["place", "offered"], as_index=False).value.mean()
    fit = smf.ols("value ~ offered", places).fit()
    return _found(-fit.params["offered"], fit.bse["offered"], len(places) - 2)


def _check(panel: pd.DataFrame, design: str, by: str) -> None:
    if design not in DESIGNS:
        do = did_you_mean(design, DESIGNS) + "name a design"
        raise Refusal([Fault("evaluate, design", show(design), ", ".join(DESIGNS), do)])
    others = DESIGNS[design].others
    needs = ["person_id", "group", "year", "paid", "enrolled", "engaged"]
    needs += ["quarter"] if design == "interrupted time series" else []
    faults = _missing(panel, needs + ["place"] * (by == "place"))
    if by not in ("person", "place") or (by == "place" and others != "elsewhere"):
        allowed = "person; or place, with difference-in-differences or a matched comparison"
        faults.append(Fault("evaluate, by", f"{by}, with {design}", allowed, "correct it"))
    elif by == "place":
        faults += _places(panel, others)
    faults += _others(panel, "evaluate", others) if others else []
    if faults:
        raise Refusal(faults)


def _missing(panel: pd.DataFrame, needs: list[str]) -> list[Fault]:
    allowed = f"columns {', '.join(needs)}"
    return [Fault(f"panel, {column}", "nothing", allowed, f"add `{column}`") for column in needs if column not in panel]


def _others(panel: pd.DataFrame, who: str, others: str) -> list[Fault]:
    """Those offered and their comparison must both be there."""
    if "group" not in panel or {"offered", others} <= set(panel.group):
        return []
    do = f"name the groups 'offered' and {others!r}"
    return [Fault(f"{who}, group", show(sorted(map(str, panel.group.unique()))), f"offered and {others}", do)]


def _places(panel: pd.DataFrame, others: str) -> list[Fault]:
    """Two places or more on either side, and none on both."""
    if not {"place", "group"} <= set(panel):
        return []
    offered, elsewhere = (set(panel[panel.group == group].place) for group in ("offered", others))
    faults = []
    if min(len(offered), len(elsewhere)) < 2:
        given, allowed = f"{len(offered)} offered, {len(elsewhere)} {others}", "two places or more on either side"
        do = "with one place, its own luck cannot be told from the program's effect: find more places"
        faults.append(Fault("panel, place", given, allowed, do))
    if both := sorted(map(str, offered & elsewhere)):
        do = "leave its people out on one side, or compare by person"
        faults.append(Fault("panel, place", f"{', '.join(both[:5])} on both sides", "a place on one side only", do))
    return faults
