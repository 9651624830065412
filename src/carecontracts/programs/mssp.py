"""The Medicare Shared Savings Program: CMS's public results, settled row by row and held beside what was published.

The file is "Performance Year Financial and Quality Results" (data.cms.gov). Its spelling, percent signs and scales
change from year to year; `read` takes any of them, and the tidy panel with a column `PY`. The rules are the contracts
in `contracts/mssp/`: this file only maps columns to facts. Taken from the file rather than derived are the benchmark,
spending, lives, quality score, whether the quality standard was met, the elected minimum rate, relief, the guardrail
and early exit.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ..contract import Contract
from ..files import number_in
from ..gallery import gallery
from ..refusal import Fault, Refusal, in_dollars
from ..year import Year, year_from
from .results import (
    ROUNDING,
    Case,
    Reader,
    Row,
    Settled,
    columns_in,
    faults_in,
    net_of,
    plain,
    table_in,
    year_faults,
)

FIRST_YEAR = 2012

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


def published_rows() -> Traversable:
    """The published results that ride with the package: a few for each year, track and rule."""
    return files("carecontracts") / "programs" / "mssp_published.csv"


# --- reading ----------------------------------------------------------------------------------------------------


def read(path: Traversable | Path | str, year: int | None = None) -> list[Aco]:
    """Every ACO in a results file, in its order; `year` where the file does not say. Refuses what it cannot read."""
    where = str(path)
    header, rows = table_in(path)
    columns, tracks = columns_in(header, COLUMNS), _track_columns(header)
    faults = list(faults_in(where, header, columns | {"track": list(tracks.values())}, COLUMNS, NEEDED))
    if not tracks:
        allowed = "Current_Track, Track1, Track2 … or Current_BASIC_A … with a 1 in the row's track"
        faults.append(Fault(f"{where}, row 1", "no column for the track", allowed, "check the file"))
    faults += year_faults(where, columns.get("year", [None])[0], rows, year, FIRST_YEAR)
    if faults:
        raise Refusal(faults)
    return _Reader(where, rows, columns, year, FIRST_YEAR).read(tracks)


def _track_columns(header: list[str]) -> dict[str, str]:
    """The column that names the track (under ""), or the flag columns by track."""
    by_plain = {plain(name): name for name in header}
    for single in ("track", "currenttrack"):
        if single in by_plain:
            return {"": by_plain[single]}
    for prefix in ("current", ""):
        flags = {track: by_plain[prefix + flag] for flag, track in FLAGS.items() if prefix + flag in by_plain}
        if flags:
            return flags
    return {}


class _Reader(Reader):
    """Reads cells in the scale of their column: a column with a percent sign, or a value above 1, is in percent."""

    def read(self, tracks: dict[str, str]) -> list[Aco]:
        self.tracks = tracks
        years = [self.year_of(row) for row in self.rows]
        scales = {
            year: self._quality_scale([r for r, y in zip(self.rows, years, strict=True) if y == year])
            for year in set(years)
        }
        read = ((row, self._aco(row, year, scales[year])) for row, year in zip(self.rows, years, strict=True))
        return self.each_once(read)

    def _quality_scale(self, rows: Sequence[Row]) -> tuple[float, float]:
        """What one published unit of this year's quality score is worth, and half a step of its last digit."""
        field = "quality_exact" if any(self.cell(row, "quality_exact") for row in rows) else "quality"
        texts = [text for row in rows if (text := self.cell(row, field)).lower() not in FULL_QUALITY | {""}]
        return self.unit_of(texts)

    def _quality(self, row: Row, unit: float) -> float | None:
        text = self.cell(row, "quality_exact") or self.cell(row, "quality")
        if not text or text.lower() in FULL_QUALITY:
            return None
        return self.share(row, "quality", text, unit, "a score")

    def _track(self, row: Row) -> str | None:
        if "" in self.tracks:
            column = self.tracks[""]
            track = CODES.get(plain(row[column]))
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

    def _aco(self, row: Row, year: int, quality_scale: tuple[float, float]) -> Aco | None:
        before = len(self.faults)
        lives, benchmark, spend = (self.amount(row, field) for field in ("lives", "benchmark", "spend"))
        aco_id = self.identifier(row)
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

    def _half_year(self, row: Row, year: int) -> bool:
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


def year_for(aco: Aco) -> Year:
    """The facts of an ACO's year."""
    return year_from({"year": aco.year, **_facts(aco, aco.quality)}, "")


def _facts(aco: Aco, quality: float | None) -> dict[str, float]:
    """The facts of an ACO's year by name, with this quality score."""
    return {
        "lives": aco.lives,
        "benchmark": aco.benchmark,
        "spend": aco.spend,
        "measures.quality score": 1.0 if quality is None else quality,
        "conditions.quality standard met": int(aco.met),
        "conditions.a quality standard met": int(aco.met or aco.met_alternative),
        "conditions.in the program at year end": int(not aco.left),
        "conditions.benchmark guardrail applies": int(aco.guardrail),
        "conditions.new low-revenue agreement": int(
            aco.low_revenue and aco.lives >= 5000 and (aco.agreement_began or 0) >= 2024
        ),
        "amounts.relief for extreme circumstances": aco.relief,
    }


def settle(aco: Aco, contract: Contract | None = None) -> Settled:
    """One ACO's year under its contract (or another), beside what CMS published."""
    return _settled([aco], [contract or contract_for(aco)])[0]


def settle_all(acos: Iterable[Aco]) -> list[Settled]:
    """Every ACO's year under its contract, beside what CMS published."""
    acos = list(acos)
    return _settled(acos, [contract_for(aco) for aco in acos])


def _settled(acos: Sequence[Aco], contracts: Sequence[Contract]) -> list[Settled]:
    def earned(quality: Iterable[float | None]) -> list[float]:
        rows = zip(contracts, acos, quality, strict=True)
        return net_of([Case(contract, aco.year, _facts(aco, score)) for contract, aco, score in rows], "aco")

    def moved(by: int) -> list[float]:
        return earned(None if a.quality is None else min(max(a.quality + by * a.quality_step, 0.0), 1.0) for a in acos)

    settled = []
    for aco, recomputed, lower, higher in zip(acos, earned(a.quality for a in acos), moved(-1), moved(1), strict=True):
        band = ROUNDING + (max(abs(lower - recomputed), abs(higher - recomputed)) if recomputed else 0)
        matched = None if aco.published is None else abs(aco.published - recomputed) <= band
        reason = "" if matched else _reason(aco, recomputed)
        row = Settled(aco.aco_id, aco.year, aco.track, aco.published, recomputed, round(band, 2), matched, reason)
        settled.append(row)
    return settled


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
