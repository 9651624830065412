"""The Medicare Shared Savings Program: CMS's public results, settled row by row and held beside what was published.

The file is "Performance Year Financial and Quality Results" (data.cms.gov). Its spelling, percent signs and scales
change from year to year; `read` takes any of them, and the tidy panel with a column `PY`. The rules are the contracts
in `contracts/mssp/`: this file only maps columns to facts. Taken from the file rather than derived are the benchmark,
spending, lives, quality score, whether the quality standard was met, the elected minimum rate, relief, the guardrail
and early exit.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from ..contract import Contract
from ..files import number_in, read_csv
from ..gallery import gallery
from ..refusal import Fault, Refusal, in_dollars, show
from ..year import Year

MOST_BYTES = 50_000_000
FIRST_YEAR, LAST_YEAR = 2012, 2100
MOST_DOLLARS = 1e12  # more than Medicare spends
ROUNDING = 1.5  # dollars: benchmark, spending and settlement are each published to the dollar

# What we need, by the names that the file has used (letters and digits only, in lower case).
COLUMNS = {
    "aco_id": ("acoid", "aconum", "acoidentifier"),
    "year": ("py", "year", "performanceyear"),
    "lives": ("nab",),
    "benchmark": ("abtotbnchmk",),
    "spend": ("abtotexp",),
    "minimum": ("minsavperc",),
    "quality": ("qualscore",),
    "quality_exact": ("qualscoreexact",),
    "met": ("metqps",),
    "met_alternative": ("metaltqps",),
    "share_rate": ("finalsharerate",),
    "relief": ("disadj",),
    "left": ("impactmidyeartermination",),
    "guardrail": ("guardrail",),
    "revenue": ("revexpcat",),
    "start": ("currentstartdate", "startdate"),
    "published": ("earnsaveloss",),
    "per_capita_benchmark": ("updatedbnchmk",),
    "person_years": ("nabyearpy",),
}
NEEDED = ("aco_id", "lives", "benchmark", "spend", "minimum", "quality")
# Columns that flag the track with a 1, and codes that name it in one column.
FLAGS = {
    "track1": "track-1", "track2": "track-2", "track3": "track-3", "track1plus": "track-1-plus",
    "basica": "basic-a", "basicb": "basic-b", "basicc": "basic-c", "basicd": "basic-d", "basice": "basic-e",
    "enhanced": "enhanced",
}  # fmt: skip
CODES = {
    "t1": "track-1", "1": "track-1", "t2": "track-2", "2": "track-2", "t3": "track-3", "3": "track-3",
    "t1p": "track-1-plus", "t1plus": "track-1-plus", "1plus": "track-1-plus", "1p": "track-1-plus",
    "a": "basic-a", "b": "basic-b", "c": "basic-c", "d": "basic-d", "e": "basic-e", "en": "enhanced", "enh": "enhanced",
    **{f"basiclevel{level}": f"basic-{level}" for level in "abcde"}, **FLAGS,
}  # fmt: skip
ABSENT = {"", "-", "--", ".", "*", "**", "na", "n/a", "nan", "null"}
FULL_QUALITY = {"p4r"}  # pay for reporting: the whole share for a complete report
ELECTIONS = (0.0, 0.005, 0.01, 0.015, 0.02)


@dataclass(frozen=True)
class Aco:
    """One ACO's year as CMS published it, in plain units: dollars, people, shares of one."""

    aco_id: str
    year: int
    track: str
    lives: float
    benchmark: float
    spend: float
    minimum: float | None  # as printed; only an election is read from it
    quality: float | None  # None: not scored
    quality_step: float  # half a unit of the last published digit
    met: bool
    met_alternative: bool
    relief: float
    left: bool
    guardrail: bool
    low_revenue: bool
    agreement_began: int | None
    published: float | None


class Settled(NamedTuple):
    """One ACO's settlement beside the published one: earned savings above zero, owed losses below."""

    aco_id: str
    performance_year: int
    track: str
    published: float | None
    recomputed: float
    band: float  # dollars by which the published rounding of the quality score can move the settlement
    matched: bool | None
    reason: str


class YearOfResults(NamedTuple):
    """A performance year in one row."""

    performance_year: int
    acos: int
    settlements: int  # published and not zero
    matched: int
    within_a_dollar: int
    published: float
    recomputed: float


def published_rows() -> Traversable:
    """The published results that ride with the package: a few for each year, track and rule."""
    return files("carecontracts") / "programs" / "mssp_published.csv"


# --- reading ----------------------------------------------------------------------------------------------------


def read(path: Traversable | Path | str, year: int | None = None) -> list[Aco]:
    """Every ACO in a results file, in its order; `year` where the file does not say. Refuses what it cannot read."""
    where = str(path)
    header, rows = read_csv(path, MOST_BYTES, any_header=True)
    columns = _columns(header)
    faults = [
        Fault(
            f"{where}, row 1",
            f"no column {field!r}",
            "a column called " + " or ".join(COLUMNS[field]),
            "check the file",
        )
        for field in NEEDED
        if field not in columns
    ]
    tracks = _track_columns(header)
    for name in [name for names in [*columns.values(), tracks.values()] for name in names if header.count(name) > 1]:
        faults.append(Fault(f"{where}, row 1", f"the column {show(name)} twice", "each column once", "remove one"))
    if not tracks:
        allowed = "Current_Track, Track1, Track2 … or Current_BASIC_A … with a 1 in the row's track"
        faults.append(Fault(f"{where}, row 1", "no column for the track", allowed, "check the file"))
    faults += _year_faults(where, columns.get("year", [None])[0], rows, year)
    if faults:
        raise Refusal(faults)
    acos, faults = _Reader(where, rows, columns, tracks, year).read()
    if faults:
        raise Refusal(faults)
    return acos


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("+", "plus"))


def _columns(header: list[str]) -> dict[str, list[str]]:
    by_plain = {_plain(name): name for name in reversed(header)}
    columns = {field: [by_plain[n] for n in names if n in by_plain] for field, names in COLUMNS.items()}
    return {field: names for field, names in columns.items() if names}


def _track_columns(header: list[str]) -> dict[str, str]:
    """The column that names the track (under ""), or the flag columns by track."""
    plain = {_plain(name): name for name in header}
    for single in ("track", "currenttrack"):
        if single in plain:
            return {"": plain[single]}
    for prefix in ("current", ""):
        flags = {track: plain[prefix + flag] for flag, track in FLAGS.items() if prefix + flag in plain}
        if flags:
            return flags
    return {}


def _year_faults(where: str, column: str | None, rows: list[dict[str, str]], year: int | None) -> Iterator[Fault]:
    if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
        yield Fault("--year", str(year), f"a performance year from {FIRST_YEAR} on", "correct it")
    if column is None and year is None:
        hint = re.search(r"20[1-3]\d", Path(where).name)
        do = f"add --year {hint[0]}, if that is the year" if hint else "add --year with the performance year"
        yield Fault(f"{where}, row 1", "no column for the year", "a column PY, or --year", do)
    if column is not None and year is not None:
        others = {text for row in rows if (text := row[column]) and number_in(text) != year}
        if others:
            given = f"--year {year}, and rows of {', '.join(sorted(others)[:5])}"
            yield Fault(f"{where}, {column}", given, "one or the other", "leave out --year: the file says")


class _Reader:
    """Reads cells in the scale of their column: a column with a percent sign, or a value above 1, is in percent."""

    def __init__(
        self,
        where: str,
        rows: list[dict[str, str]],
        columns: dict[str, list[str]],
        tracks: dict[str, str],
        year: int | None,
    ) -> None:
        self.where, self.rows, self.columns, self.tracks, self.year = where, rows, columns, tracks, year
        self.faults: list[Fault] = []

    def read(self) -> tuple[list[Aco], list[Fault]]:
        years = [self._year(row) for row in self.rows]
        scales = {
            year: self._quality_scale([r for r, y in zip(self.rows, years, strict=True) if y == year])
            for year in set(years)
        }
        acos: dict[Aco, str] = {}  # and the row of each
        for row, year in zip(self.rows, years, strict=True):
            aco = self._aco(row, year, scales[year])
            if aco in acos:
                given = f"{aco.aco_id} again, the same as row {acos[aco]}"
                self.fault(row, self.columns["aco_id"][0], given, "each row once", "remove one")
            elif aco:
                acos[aco] = row[""]
        return list(acos), self.faults

    def _year(self, row: Mapping[str, str]) -> int:
        if self.year is not None or "year" not in self.columns:
            return self.year or 0
        year = self.number(row, "year", needed=True)
        if year is not None and (year != int(year) or not FIRST_YEAR <= year <= LAST_YEAR):
            allowed = f"a performance year from {FIRST_YEAR} on"
            self.fault(row, self.columns["year"][0], f"{year:g}", allowed, "mend the cell")
        return int(year or 0)

    def cell(self, row: Mapping[str, str], field: str) -> str:
        """The first of the field's columns that holds something; markers for "none" hold nothing."""
        texts = (row[column] for column in self.columns.get(field, ()))
        return next((text for text in texts if text.lower() not in ABSENT), "")

    def number(self, row: Mapping[str, str], field: str, needed: bool = False) -> float | None:
        text = self.cell(row, field)
        if not text and not needed:
            return None
        value = number_in(re.sub(r"[$,%\s]", "", text)) if text else text
        if isinstance(value, str):
            self.fault(row, self.columns[field][0], text or "an empty cell", "a number", "mend the cell")
            return None
        return value

    def fault(self, row: Mapping[str, str], column: str, given: str, allowed: str, do: str) -> None:
        self.faults.append(Fault(f"{self.where}, row {row['']}, {column}", show(given), allowed, do))

    def _quality_scale(self, rows: list[dict[str, str]]) -> tuple[float, float]:
        """What one published unit of this year's quality score is worth, and half a step of its last digit."""
        field = "quality_exact" if any(self.cell(row, "quality_exact") for row in rows) else "quality"
        texts = [text for row in rows if (text := self.cell(row, field)).lower() not in FULL_QUALITY | {""}]
        values = [v for text in texts if not isinstance(v := number_in(text.rstrip("% ")), str)]
        unit = 0.01 if any("%" in text for text in texts) or max(values, default=0) > 1 else 1.0
        # ten significant digits: a tidy file may hold 0.9312999999999999 for 0.9313
        digits = max((len(f"{v:.10g}".partition(".")[2]) for v in values), default=9)
        return unit, unit * 0.5 * 10.0**-digits

    def _quality(self, row: Mapping[str, str], unit: float) -> float | None:
        text = self.cell(row, "quality_exact") or self.cell(row, "quality")
        if not text or text.lower() in FULL_QUALITY:
            return None
        value = number_in(text.rstrip("% "))
        score = value if isinstance(value, str) else value * unit
        if isinstance(score, str) or not 0 <= score <= 1:
            self.fault(row, self.columns["quality"][0], text, "a score from 0 to 1, or from 0 to 100", "mend the cell")
            return None
        return score

    def _track(self, row: Mapping[str, str]) -> str | None:
        if "" in self.tracks:
            column = self.tracks[""]
            track = CODES.get(_plain(row[column]))
            given, allowed = row[column], "a track such as A to E, EN, T1, T1P, T2, T3, BASIC_A or ENHANCED"
        else:
            set_flags = [t for t, column in self.tracks.items() if number_in(row[column]) == 1]
            if not set_flags and set(self.tracks) <= {"track-2"}:
                set_flags = ["track-1"]
            track = set_flags[0] if len(set_flags) == 1 else None
            column, given = " / ".join(self.tracks.values()), f"{len(set_flags)} of them are 1"
            allowed = "a 1 in exactly one"
        if track is None:
            self.fault(row, column, given, allowed, "mend the row")
        return track

    def _aco(self, row: Mapping[str, str], year: int, quality_scale: tuple[float, float]) -> Aco | None:
        before = len(self.faults)
        lives = self.number(row, "lives", needed=True) or 0
        benchmark = self.number(row, "benchmark", needed=True) or 0
        spend = self.number(row, "spend", needed=True) or 0
        for field, value in (("lives", lives), ("benchmark", benchmark), ("spend", spend)):
            if not 0 <= value <= MOST_DOLLARS:
                self.fault(row, self.columns[field][0], f"{value:g}", f"0 to {MOST_DOLLARS:g}", "mend the cell")
        aco_id = self.cell(row, "aco_id")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", aco_id):
            self.fault(row, self.columns["aco_id"][0], aco_id, "an identifier: letters and digits", "mend the cell")
        track = self._track(row)
        quality = self._quality(row, quality_scale[0])
        met = self.number(row, "met")
        if met is None:  # 2013 to 2015 have no such column: a share above zero says so
            share = self.number(row, "share_rate")
            met = 1 if share is None or share > 0 else 0
        began = re.search(r"(\d{4})|/(\d\d)\b(?!/)", self.cell(row, "start"))
        relief = abs(self.number(row, "relief") or 0)
        if self._half_year(row, year):
            relief /= 2  # relief is published for the whole year, the other dollars for half of it
        aco = Aco(
            aco_id=aco_id,
            year=year,
            track=track or "",
            lives=lives,
            benchmark=benchmark,
            spend=spend,
            minimum=self.number(row, "minimum"),
            quality=quality,
            quality_step=quality_scale[1] if quality is not None else 0.0,
            met=met == 1,
            met_alternative=self.number(row, "met_alternative") == 1,
            relief=relief,
            left=self.number(row, "left") == 1,
            guardrail=self.number(row, "guardrail") == 1,
            low_revenue=self.cell(row, "revenue").lower().startswith("low"),
            agreement_began=int(began[1] or "20" + began[2]) if began else None,
            published=self.number(row, "published"),
        )
        return aco if len(self.faults) == before else None

    def _half_year(self, row: Mapping[str, str], year: int) -> bool:
        """Whether a 2019 row covers six months: its benchmark is half of benchmark per person times person-years."""
        if year != 2019:
            return False
        each, people, total = (self.number(row, f) for f in ("per_capita_benchmark", "person_years", "benchmark"))
        return bool(each and people and total) and round(each * people / total) == 2  # type: ignore[operator]


# --- settling ----------------------------------------------------------------------------------------------------


def contract_for(aco: Aco) -> Contract:
    """The track's contract, amended with what this ACO elected and with what the file cannot supply."""
    first_year = aco.agreement_began if aco.track == "track-2" and aco.agreement_began else 2012
    return _amended(aco.track, election(aco), min(max(first_year, 2012), aco.year))


@cache
def track_contract(track: str) -> Contract:
    return Contract.load(gallery(f"mssp/{track}"))


@cache
def is_two_sided(track: str) -> bool:
    return any(clause.kind == "shared_losses" for clause in track_contract(track).clauses)


@cache
def _amended(track: str, elected: float | None, first_year: int) -> Contract:
    contract = track_contract(track)
    terms: dict[str, object] = {}
    clauses: dict[str, dict[str, object]] = {}
    if elected is not None:
        points = {lives: share for lives, share in contract.scales["minimum rate"].items() if lives < 5000}
        terms["scales"] = {"minimum rate": {"lives": points | {5000: elected}}}
    if "shared losses" in (names := [clause.name for clause in contract.clauses]):
        if track == "track-2":
            caps = getattr(contract.clauses[names.index("shared losses")], "cap", {})
            clauses["shared losses"] = {"cap": {first_year + k - 1: cap for k, cap in caps.items()} | {2012: caps[1]}}
        elif getattr(contract.clauses[names.index("shared losses")], "revenue_cap", None) is not None:
            clauses["shared losses"] = {"revenue_cap": None}  # participants' revenue is in no public file
    return contract.amend(clauses, **terms)


def election(aco: Aco) -> float | None:
    """The fixed minimum rate that a two-sided ACO elected, or None where the sliding scale holds.

    The file prints it as 0.005, 0.5 or 0.5%: as a share or as a percentage, only one could have been elected.
    """
    scale = track_contract(aco.track).scales["minimum rate"]
    if not is_two_sided(aco.track) or aco.lives < 5000 or aco.minimum is None:
        return None
    for printed in (aco.minimum, aco.minimum / 100):
        if abs(printed - scale.at(aco.lives)) < 6e-5:
            return None
        fixed = next((rate for rate in ELECTIONS if abs(printed - rate) < 1e-6), None)
        if fixed is not None:
            return fixed
    return None


def year_for(aco: Aco, quality: float | None = None) -> Year:
    """The facts of an ACO's year; `quality` in place of the published score."""
    score = aco.quality if quality is None else quality
    return Year(
        year=aco.year,
        lives=aco.lives,
        benchmark=aco.benchmark,
        spend=aco.spend,
        measures={"quality score": 1.0 if score is None else score},
        conditions={
            "quality standard met": int(aco.met),
            "a quality standard met": int(aco.met or aco.met_alternative),
            "in the program at year end": int(not aco.left),
            "benchmark guardrail applies": int(aco.guardrail),
            "new low-revenue agreement": int(
                aco.low_revenue and aco.lives >= 5000 and (aco.agreement_began or 0) >= 2024
            ),
        },
        amounts={"relief for extreme circumstances": aco.relief},
    )


def settle(aco: Aco, contract: Contract | None = None) -> Settled:
    """One ACO's year under its contract (or another), beside what CMS published."""
    contract = contract or contract_for(aco)

    def earned(quality: float | None = None) -> float:
        return float(contract.settle([year_for(aco, quality)]).net()["aco"])

    recomputed, band = earned(), ROUNDING
    if aco.quality is not None and recomputed:
        steps = (aco.quality - aco.quality_step, aco.quality + aco.quality_step)
        band += max(abs(earned(min(max(q, 0.0), 1.0)) - recomputed) for q in steps)
    matched = None if aco.published is None else abs(aco.published - recomputed) <= band
    reason = "" if matched else _reason(aco, recomputed)
    return Settled(aco.aco_id, aco.year, aco.track, aco.published, recomputed, round(band, 2), matched, reason)


def settle_all(acos: Iterable[Aco]) -> Iterator[Settled]:
    for aco in acos:
        yield settle(aco)


def _reason(aco: Aco, recomputed: float) -> str:
    """Why a settlement differs from the published one, where that is known."""
    if aco.published is None:
        return "the file publishes no settlement"
    losses = next((c for c in track_contract(aco.track).clauses if c.kind == "shared_losses"), None)
    revenue_cap = getattr(losses, "revenue_cap", None)
    if revenue_cap and recomputed < aco.published < 0:
        revenue = (aco.relief - aco.published) / revenue_cap
        return (
            f"a loss limit of {revenue_cap:.0%} of participants' revenue would explain it: the published loss implies"
            f" {in_dollars(revenue / 1e6)} million of revenue, which is in no public file"
        )
    if aco.left and recomputed < 0:
        return "the ACO left during the year; losses are shared for its months in the program, which no file has"
    if aco.minimum is None and is_two_sided(aco.track):
        return "the file prints no minimum rate for this two-sided ACO; settled with the sliding scale"
    if aco.quality is None and aco.year > 2015:
        return "the file has no quality score; settled as if it were 100%"
    return "not explained"


def by_year(settled: Iterable[Settled]) -> list[YearOfResults]:
    """The comparison, one row for each performance year."""
    years: dict[int, list[Settled]] = {}
    for row in settled:
        years.setdefault(row.performance_year, []).append(row)
    return [
        YearOfResults(
            performance_year=year,
            acos=len(rows),
            settlements=sum(1 for r in rows if r.published),
            matched=sum(1 for r in rows if r.matched),
            within_a_dollar=sum(1 for r in rows if r.published is not None and abs(r.published - r.recomputed) <= 1),
            published=sum(r.published or 0 for r in rows),
            recomputed=sum(r.recomputed for r in rows),
        )
        for year, rows in sorted(years.items())
    ]
