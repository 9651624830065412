"""The benchmark follows the people's risk."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from ..reconciliation import Kind, Step
from ..refusal import Fault, Refusal, refuse, show
from ..units import Share, least, most
from ..worded import Name
from .part import Part

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from .benchmark import Earlier
    from .books import Books


class Risk(Part):
    """The benchmark follows the people's risk: their average score over that of the people it was made from.

    ratio = average score of the year / weighted average score of the earlier years' people, within the limits

    A score is read from the year before the one that it explains, and weighted by member months.
    """

    title = "Risk adjustment"
    words = (
        "The benchmark is multiplied by the growth of the average risk score: {score}.",
        "The scores are those that the outcome table records as {outcome}.",
        "The score rises by {most_growth} at most.",
        "The score falls by {most_fall} at most.",
    )
    not_modelled = ("a correction for coding that has grown everywhere",)
    score: Literal["CMS-HCC V28", "CMS-HCC V24", "a given score"]
    outcome: Name | None = None
    most_growth: Share | None = None
    most_fall: Share | None = None

    @model_validator(mode="after")
    def _outcome_where_given(self) -> Self:
        if (self.score == "a given score") != (self.outcome is not None):
            refuse(
                f"score: {self.score}, outcome: {show(self.outcome)}",
                "an `outcome` with `score: a given score`, and only there",
                "add or take out `outcome:`",
            )
        return self

    def years_read(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        yield year - 1, "the risk score"

    def steps(self, books: "Books", own: "ir.Table", earlier: Sequence["Earlier"]) -> list[Step]:
        """The average scores of the year's people and of those from whom the benchmark was made, and their ratio."""
        score = self.average(books, own, books.year)
        before = sum(each.weight * self.average(books, each.own, each.year) for each in earlier)
        return [
            Step(Kind.SCORE, "average risk score of the year", score, "ratio"),
            Step(Kind.SCORE_BEFORE, "average risk score of the earlier years, weighted", before, "ratio"),
            Step(Kind.RISK_GROWTH, "growth of risk, within its limits", self.growth(score, before), "ratio"),
        ]

    def growth(self, score: float, before: float) -> float:
        """The growth of the average score within the limits that were agreed.

        >>> capped = Risk(score="CMS-HCC V28", most_growth=0.03, most_fall=0.05)
        >>> capped.growth(1.10, 1.00), capped.growth(0.9, 1.0), capped.growth(1.01, 1.0)
        (1.03, 0.95, 1.01)
        """
        ratio = score / before
        if self.most_growth is not None:
            ratio = least(ratio, 1 + self.most_growth)
        if self.most_fall is not None:
            ratio = most(ratio, 1 - self.most_fall)
        return float(ratio)

    def average(self, books: "Books", own: "ir.Table", year: int) -> float:
        """The average score of people, from the year before, weighted by their months."""
        from ..claims.engine import fetched

        rows = own.inner_join(self.scores(books, own, year - 1), "person_id")
        rows = rows.filter(rows.score.notnull())
        (row,) = fetched(rows.agg(total=(rows.score * rows.months).sum(), months=rows.months.sum()))
        if not row["months"] or not row["total"]:
            do = "give the scores, or take the risk adjustment out"
            raise Refusal([Fault(f"risk scores, {year}", "none", "a score for the people who count", do)])
        return float(row["total"] / row["months"])

    def scores(self, books: "Books", own: "ir.Table", year: int) -> "ir.Table":
        """Each person's score by what is known of a calendar year: person_id, score."""
        from ..people.hcc import scores
        from ..people.months import coverage

        if self.score == "a given score":
            rows = books.claims.outcome
            rows = rows.filter(rows.outcome == self.outcome, rows.outcome_date.year() == year)
            return rows.group_by("person_id").agg(score=rows.outcome_value.max())
        people = coverage(books.claims, [year]).semi_join(own, "person_id")
        scored = scores(people, books.claims, year, model=f"CMS-HCC Model {self.score.split()[1]}")
        return scored.select("person_id", score=scored.hcc)
