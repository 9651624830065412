"""Next year's cost, predicted from this year's facts by a model that fits on a page.

Ordinary least squares of the next year's paid amount, per month of coverage times twelve, on facts of the year before,
each person weighted by the months covered. Costs are cut at the `cut` quantile on both sides, so that a few people do
not set the weights. The model is fitted on the pairs of years before the one that it predicts from: its outcome ends
where the year of prediction begins, so a prediction knows nothing of what it predicts.

A prediction is one expression over the member table (a sum of coefficient times column), so both parties can replay it.

Not modelled:
- drugs, laboratory values, zip codes: add columns and name them in `features`
- what a program did to the people it is fitted on
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from ..claims.engine import fetched
from ..refusal import Fault, Refusal, many

FEATURES = (
    "paid", "inpatient_paid", "pharmacy_paid", "admissions", "emergency_visits", "age", "chronic_conditions",
    "complex_conditions", "smi", "sud", "esrd", "cancer", "dual",
)  # fmt: skip
FEWEST = 200  # person-years to fit on


@dataclass(frozen=True)
class Model:
    """A fitted model: dollars for each unit of each feature, the intercept first."""

    weights: dict[str, float]
    cut: float  # dollars at which a cost is cut
    people: int
    r_squared: float  # in the sample that it was fitted on
    fitted_on: tuple[int, ...]  # years whose facts it was fitted on; outcomes are the years after them

    def __call__(self, members: ir.Table) -> Any:
        """The predicted cost of the next year, at least zero, for each row of the member table."""
        total = ibis.literal(self.weights["intercept"])
        for name, weight in self.weights.items():
            if name != "intercept":
                total = total + weight * _feature(members, name, self.cut)
        return ibis.greatest(total, 0.0)


def _feature(members: ir.Table, name: str, cut: float) -> Any:
    value = members[name].fill_null(0).cast("float64")
    return ibis.least(value, cut) if name.endswith("paid") else value


def fit(members: ir.Table, before: int, *, features: Sequence[str] = FEATURES, cut: float = 0.995) -> Model:
    """The model fitted on all pairs of years whose second year is `before` or earlier.

    Predictions are then made from the facts of `before`, for the year after it.
    """
    used = [name for name in features if name in members.columns]
    known = members.filter((members.year < before) & (members.next_months > 0))
    (row,) = fetched(known.agg(limit=known.paid.quantile(cut)))
    limit = float(row["limit"] or 0.0)
    # The engine adds up the products of every two columns, so that no person's row comes out of it.
    columns = {"intercept": ibis.literal(1.0)} | {name: _feature(known, name, limit) for name in used}
    columns["outcome"] = ibis.least(known.next_paid.fill_null(0) * 12 / known.next_months, limit)
    columns = {f"x_{n}": column for n, column in enumerate(columns.values())}
    rows = known.select("year", months=known.next_months.cast("float64"), **columns)
    pairs = list(combinations_with_replacement(columns, 2))
    products = {f"{a}_{b}": (rows[a] * rows[b] * rows.months).sum() for a, b in pairs}
    (sums,) = fetched(rows.agg(people=rows.count(), **products))
    if sums["people"] < FEWEST:
        given = f"{many(sums['people'], 'person')} with a year before {before} and the year after it"
        do = "give claims of at least one more, earlier year"
        raise Refusal([Fault("predicted cost", given, f"{FEWEST:,} or more", do)])
    whole = np.zeros((len(columns), len(columns)))
    for (first, second), (a, b) in zip(pairs, combinations_with_replacement(range(len(columns)), 2), strict=True):
        whole[a, b] = whole[b, a] = sums[f"{first}_{second}"]
    xx, xy, yy, mean = whole[:-1, :-1], whole[:-1, -1], whole[-1, -1], whole[0, -1] / whole[0, 0]
    scale = np.sqrt(np.where(np.diag(xx) > 0, np.diag(xx), 1.0))  # columns of one size, since dollars are squared
    solved = np.linalg.lstsq(xx / np.outer(scale, scale), xy / scale, rcond=1e-12)[0] / scale
    left = yy - 2 * solved @ xy + solved @ xx @ solved
    return Model(
        dict(zip(["intercept", *used], map(float, solved), strict=True)),
        limit,
        sums["people"],
        float(1 - left / (yy - whole[0, 0] * mean**2)),
        tuple(sorted(int(row["year"]) for row in fetched(rows.select("year").distinct()))),
    )


def with_predicted(members: ir.Table, **options: Any) -> tuple[ir.Table, dict[int, Model]]:
    """The member table with `predicted_paid`, and the model of each year, fitted on the years before it.

    A year before which no pair of years ends has no prediction: the column is null there.
    """
    years = sorted(int(row["year"]) for row in fetched(members.select("year").distinct()))
    models = {year: fit(members, year, **options) for year in years[1:]}
    predictions = [(members.year == year, model(members)) for year, model in models.items()]
    nothing = ibis.null("float64")
    column = ibis.cases(*predictions, else_=nothing) if predictions else nothing
    return members.mutate(predicted_paid=column), models
