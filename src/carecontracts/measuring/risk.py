"""The benchmark follows the people's risk."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from ..reconciliation import THE_YEAR, Kind, Step
from ..refusal import Fault, Refusal, many, refuse, show
from ..units import Share, least, most
from ..worded import Name
from .part import Part

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from .benchmark import Earlier
    from .books import Books


SCORES = (0, 20)  # what a risk score may be


class Risk(Part):
    """The benchmark follows the people's risk: their average score over that of the people it was made from.

    ratio = average score of the year / weighted average score of the earlier years' people, within the limits

    A score is weighted by member months.
    """

    title = "Risk adjustment"
    words = (
        "The benchmark is multiplied by the growth of the average risk score: {score}.",
        "A person's score is of {known}, and weighs as the person's member months.",
        "People with fewer than 12 months of coverage in that year have the score of new enrollees, without diagnoses.",
        "The scores are those that the outcome table records as {outcome}.",
        "Of several that it records for a person in that year, {several} counts.",
        "People who count and have no score are {unscored}.",
        "The score rises by {most_growth} at most.",
        "The score falls by {most_fall} at most.",
    )
    spoken = {
        "known": {
            "the year before": "the year before the one that it explains",
            "the year itself": "the year itself that it explains",
        },
        "several": {"the last": "the last (of one day, the larger)"},
        "unscored": {
            "at the average": "taken at the average of those who have one",
            "at 1": "taken at a score of 1",
            "refused": "a fault: the year is not measured without their scores",
        },
    }
    not_modelled = (
        "a correction for coding that has grown everywhere",
        "the CMS-HCC segments for kidney failure, long stays in institutions and special needs plans",
    )
    score: Literal["CMS-HCC V28", "CMS-HCC V24", "a given score"]
    outcome: Name | None = None
    known: Literal["the year before", "the year itself"] = "the year before"
    several: Literal["the last", "the largest", "the average"] = "the last"
    unscored: Literal["at the average", "at 1", "refused"] = "at the average"
    most_growth: Share | None = None
    most_fall: Share | None = None

    def sentences(self) -> list[str]:
        """Without what the kind of score makes no sense of: new enrollees, or several scores."""
        without = self.words[2] if self.given else self.words[4]
        return [sentence for sentence in super().sentences() if sentence != without]

    @property
    def given(self) -> bool:
        return self.score == "a given score"

    @model_validator(mode="after")
    def _outcome_where_given(self) -> Self:
        if self.given != (self.outcome is not None):
            refuse(
                f"score: {self.score}, outcome: {show(self.outcome)}",
                "an `outcome` with `score: a given score`, and only there",
                "add or take out `outcome:`",
            )
        if not self.given and self.several != "the last":  # which no one asks of one score
            refuse(f"`several` with `score: {self.score}`", "`several` with `score: a given score`", "take it out")
        return self

    def read_from(self, year: int) -> int:
        """The year that a year's scores are of.

        >>> Risk(score="CMS-HCC V28").read_from(2026)
        2025
        """
        return year if self.known == "the year itself" else year - 1

    def years_read(self, books: "Books", year: int) -> Iterator[tuple[int, str]]:
        if not self.given:
            yield self.read_from(year), "the risk score"

    def faults(self, books: "Books") -> Iterator[Fault]:
        if not self.given and books.first_month != 1:
            do = "begin the contract year in January, or use a given score"
            yield Fault("year_starts", str(books.first_month), "1: a CMS-HCC score is read from a calendar year", do)

    def steps(self, books: "Books", own: "ir.Table", earlier: Sequence["Earlier"]) -> list[Step]:
        """The average scores of the year's people and of those from whom the benchmark was made, and their ratio."""
        score = self.average(books, THE_YEAR, own, books.year)
        before = sum(each.weight * self.average(books, each.name, each.own, each.year) for each in earlier)
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

    def average(self, books: "Books", group: str, own: "ir.Table", year: int) -> float:
        """The average score of the people of a year, weighted by their months; those without one are counted.

        Raises: Refusal where nobody has a score, or somebody has none and that was agreed to be a fault.
        """
        from ..claims.engine import fetched
        from ..small_cells import SMALLEST
        from .books import in_months

        rows = own.select("person_id", "months", "gender", "age")
        rows = rows.left_join(self.scores(books, own, year), "person_id").drop("person_id_right")
        none, several = rows.score.isnull(), rows.times.fill_null(0) > 1
        millionths = (rows.score * 1_000_000).round().cast("int64")  # whole numbers have one sum, in whatever order
        (row,) = fetched(
            rows.agg(
                months=rows.months.sum().fill_null(0),
                total=(millionths * rows.months).sum().fill_null(0),
                unscored=none.cast("int64").sum().fill_null(0),
                unscored_months=rows.months.sum(where=none).fill_null(0),
                several=several.cast("int64").sum().fill_null(0),
                several_months=rows.months.sum(where=several).fill_null(0),
            )
        )
        months, without = row["months"], row["unscored_months"]
        books.count(group, Kind.UNSCORED, "counts, without a risk score", int(row["unscored"]), in_months(without))
        if row["unscored"]:
            few = f"fewer than {SMALLEST} people" if row["unscored"] < SMALLEST else many(row["unscored"], "person")
            books.note(f"{books.year}: {few} who count in {group} have no risk score: {self.say_term('unscored')}.")
        if self.given:
            words = "counts, with more than one risk score in the year"
            books.count(group, Kind.SCORES, words, int(row["several"]), in_months(row["several_months"]))
        if months == without or not row["total"]:
            raise Refusal([self._none(books, year)])
        if self.unscored == "refused" and row["unscored"]:
            given = f"{many(row['unscored'], 'person')} counted in {group} without one"
            do = "give their scores, or say with `unscored` at what they are taken"
            raise Refusal([Fault(f"risk scores, {year}", given, "a score of each", do)])
        if self.unscored == "at 1":
            return float((row["total"] + 1_000_000 * without) / (1_000_000 * months))
        return float(row["total"] / (1_000_000 * (months - without)))

    def _none(self, books: "Books", year: int) -> Fault:
        """Nobody has a score: of a given one, the years in which it is on record."""
        from ..claims.engine import fetched
        from ..people.months import first_day, last_day

        given, do = "none", "give the scores, or take the risk adjustment out"
        if self.given:
            rows = books.claims.outcome
            rows = rows.filter(rows.outcome == self.outcome)
            (row,) = fetched(rows.agg(first=rows.outcome_date.min(), last=rows.outcome_date.max()))
            of = self.read_from(year)
            first, last = first_day(of, books.first_month), last_day(of, books.first_month)
            given = f"none of “{self.outcome}” from {first} to {last}"
            if row["first"]:
                given += f"; it is on record from {row['first']} to {row['last']}"
                do = f"date each score in {self.say_term('known')}, or say otherwise with `known`"
        return Fault(f"risk scores, {year}", given, "a score above 0 for the people who count", do)

    def scores(self, books: "Books", own: "ir.Table", year: int) -> "ir.Table":
        """Each person's score of a contract year, and how often it is on record: person_id, score, times."""
        of = self.read_from(year)
        if self.given:
            return self._on_record(books, of)
        import ibis

        from ..people.hcc import scores
        from ..people.months import coverage

        covered = coverage(books.claims, [of]).select("person_id", covered="months")
        people = own.select("person_id", "gender", age=own.age - (year - of)).left_join(covered, "person_id")
        people = people.drop("person_id_right").mutate(
            year=ibis.literal(of, "int64"), months=people.covered.fill_null(0)
        )
        scored = scores(people, books.claims, of, model=f"CMS-HCC Model {self.score.split()[1]}")
        return scored.select("person_id", score=scored.hcc, times=scored.hcc.notnull().cast("int64"))

    def _on_record(self, books: "Books", year: int) -> "ir.Table":
        """The scores of the outcome table in a year; refuses what cannot be one."""
        import ibis

        from ..claims.engine import fetched
        from ..people.months import first_day, last_day

        rows = books.claims.outcome
        first, last = first_day(year, books.first_month), last_day(year, books.first_month)
        rows = rows.filter(rows.outcome == self.outcome, rows.outcome_date.between(first, last))
        low, high = SCORES
        value = rows.outcome_value
        (bad,) = fetched(rows.agg(n=(~value.between(low, high)).fill_null(True).cast("int64").sum().fill_null(0)))
        if bad["n"]:
            given = f"{bad['n']:,} of “{self.outcome}” from {first} to {last} are no number from {low} to {high}"
            do = "check outcome_value: an average person's score is 1, not 100"
            raise Refusal([Fault(f"risk scores of {year}", given, f"scores from {low} to {high}", do)])
        person = ibis.window(group_by="person_id", order_by=[ibis.desc("outcome_date"), ibis.desc("outcome_value")])
        rows = rows.mutate(place=ibis.row_number().over(person))
        last_score = rows.outcome_value.max(where=rows.place == 0)
        value = rows.outcome_value
        score = {"the last": last_score, "the largest": value.max(), "the average": value.mean()}[self.several]
        return rows.group_by("person_id").agg(score=score, times=rows.count())
