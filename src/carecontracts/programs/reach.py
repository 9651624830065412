"""ACO REACH, and Direct Contracting before it: Medicare's public results, settled row by row beside what was published.

The file is "ACO REACH financial and quality results" (before 2023, "Global and Professional Direct Contracting"), as
CMS publishes it or as others restate it: columns are found by name. The rules are the contracts in `contracts/reach/`.

The file prints the benchmark after its discount and withholds. What it was before them is worked back from the row's
own discount, withholds and score, so that each step stands in the statement; `constants` holds these steps against the
benchmark that the file prints before all adjustment. Taken from the file rather than derived are the benchmark,
spending after stop-loss, the equity adjustment, the quality score, the discount and the retention withhold.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from ..clauses.corridor import Corridor
from ..contract import Contract
from ..gallery import gallery
from ..refusal import Refusal, in_dollars
from ..units import cents
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

FIRST_YEAR = 2021
EQUITY_SINCE = 2023

# What we need, by the names that the files have used or may use (letters and digits only, in lower case).
COLUMNS = {
    "aco_id": ("acoid", "dceid", "entityid", "acoidentifier", "acodceid", "dceacoid"),
    "year": ("perfyear", "py", "year", "performanceyear", "perfyr"),
    "kind": ("acotype", "dcetype", "entitytype", "type"),
    "arrangement": (
        "riskarrangement", "risksharingarrangement", "riskshare", "risksharing", "riskoption", "risksharingoption",
        "risktrack",
    ),
    "lives": ("benecnt", "beneficiarycount", "benes", "beneficiaries", "alignedbeneficiaries", "benecount"),
    "unadjusted": ("unadjbenchmark", "unadjustedbenchmark", "unadjbnchmk", "unadjbnmrk"),
    "benchmark": ("finalbenchmark", "finalbnchmk", "finalbnmrk", "finalbenchmarkamt", "finalbenchmarkamount"),
    "raised": ("hebaupamt", "hebaupamount", "hebaup", "hebaupward", "hebaupwardamt"),
    "lowered": ("hebadownamt", "hebadownamount", "hebadown", "hebadownward", "hebadownwardamt"),
    "spend_before": ("totcostcare", "totalcostcare", "totalcostofcare", "totcostofcare"),
    "spend": ("totcostcarenet", "totalcostcarenet", "totalcostofcarenet", "totcostofcarenet", "nettotalcostofcare"),
    "discount": ("discount", "discountrate", "discountpct"),
    "retention": ("retentionwithhold", "retwithhold", "retentionwithholdrate", "retentionwithholdpct"),
    "quality": ("qualscr", "qualityscore", "qualscore", "totalqualityscore", "tqs"),
    "published_before": ("sharedsavings", "sharedsavingslosses", "sharedsavingsloss"),
    "published": (
        "sharedsavingsseq", "sharedsavingslossesseq", "sharedsavingsaftersequestration",
        "sharedsavingssequestration", "sharedsavingsaftseq", "sharedsavingspostseq",
    ),
}  # fmt: skip
NEEDED = ("aco_id", "arrangement", "benchmark", "spend")
ARRANGEMENTS = ("global", "professional")
KINDS = {"standard": "standard", "newentrant": "new-entrant", "highneeds": "high-needs"}
MOST_CUT = 0.25  # of a benchmark, by a discount or a withhold: more is a slip of scale


@dataclass(frozen=True)
class Aco:
    """One organization's year as CMS published it, in plain units: dollars, people, shares of one."""

    aco_id: str
    year: int
    arrangement: str
    kind: str  # standard, new-entrant or high-needs; nothing where the file does not say
    lives: float | None
    unadjusted: float | None  # the benchmark before all adjustment, as printed
    benchmark: float  # after the discount and the withholds, before the equity adjustment
    raised: float
    lowered: float
    equity_told: bool
    spend_before: float | None  # before stop-loss
    spend: float  # after stop-loss
    discount: float
    retention: float
    quality: float | None
    published_before: float | None  # before sequestration
    published: float | None

    @property
    def track(self) -> str:
        return "-".join(filter(None, (self.arrangement, self.kind)))


class Constant(NamedTuple):
    """One year's benchmarks: the discount and the withholds, and a constant that no file has, explain them."""

    performance_year: int
    constant: float
    within: int  # rows whose benchmark is so within 0.2%
    of: int


def published_rows() -> Traversable:
    """The published results that ride with the package: a few for each year and each kind of organization."""
    return files("carecontracts") / "programs" / "reach_published.csv"


# --- reading ----------------------------------------------------------------------------------------------------


def read(path: Traversable | Path | str, year: int | None = None) -> list[Aco]:
    """Every organization in a results file, in its order; `year` where the file does not say."""
    where = str(path)
    header, rows = table_in(path)
    columns = columns_in(header, COLUMNS)
    faults = list(faults_in(where, header, columns, COLUMNS, NEEDED))
    faults += year_faults(where, columns.get("year", [None])[0], rows, year, FIRST_YEAR)
    if faults:
        raise Refusal(faults)
    return _Reader(where, rows, columns, year, FIRST_YEAR).read()


class _Reader(Reader):
    def read(self) -> list[Aco]:
        years = [self.year_of(row) for row in self.rows]
        units = {
            year: self._units([r for r, y in zip(self.rows, years, strict=True) if y == year]) for year in {*years}
        }
        return self.each_once(
            (row, self._aco(row, year, units[year])) for row, year in zip(self.rows, years, strict=True)
        )

    def _units(self, rows: Sequence[Row]) -> dict[str, float]:
        """What one published unit of each column of shares is worth: cuts of a benchmark are far below one."""
        tops = {"discount": MOST_CUT, "retention": MOST_CUT, "quality": 1}
        return {field: self.unit_of([self.cell(row, field) for row in rows], top)[0] for field, top in tops.items()}

    def _share(self, row: Row, field: str, units: dict[str, float], top: float) -> float | None:
        text = self.cell(row, field)
        share = self.share(row, field, text, units[field], "a share") if text else None
        if share is not None and share > top:
            self.fault(row, self.columns[field][0], text, f"at most {top:.0%} of the benchmark", "mend the cell")
        return share

    def _aco(self, row: Row, year: int, units: dict[str, float]) -> Aco | None:
        before = len(self.faults)
        raised, lowered = self.number(row, "raised"), self.number(row, "lowered")
        aco = Aco(
            aco_id=self.identifier(row),
            year=year,
            arrangement=self._one_of(row, "arrangement", dict(zip(ARRANGEMENTS, ARRANGEMENTS, strict=True))),
            kind=self._one_of(row, "kind", KINDS) if "kind" in self.columns else "",
            lives=self.number(row, "lives"),
            unadjusted=self.number(row, "unadjusted"),
            benchmark=self.amount(row, "benchmark"),
            raised=abs(raised or 0),  # the column's name says which way: files write the cut with a minus or without
            lowered=abs(lowered or 0),
            equity_told=raised is not None or lowered is not None,
            spend_before=self.number(row, "spend_before"),
            spend=self.amount(row, "spend"),
            discount=self._share(row, "discount", units, MOST_CUT) or 0,
            retention=self._share(row, "retention", units, MOST_CUT) or 0,
            quality=self._share(row, "quality", units, 1),
            published_before=self.number(row, "published_before"),
            published=self.number(row, "published"),
        )
        return aco if len(self.faults) == before else None

    def _one_of(self, row: Row, field: str, known: dict[str, str]) -> str:
        """Which of the known words a cell begins with."""
        text = self.cell(row, field)
        found = next((value for word, value in known.items() if plain(text).startswith(word)), None)
        if found is None:
            allowed = " or ".join(value.replace("-", " ") for value in known.values())
            self.fault(row, self.columns[field][0], text or "an empty cell", allowed, "mend the cell")
        return found or ""


# --- settling ----------------------------------------------------------------------------------------------------


def contract_for(aco: Aco) -> Contract:
    """The arrangement's contract, with this organization's own discount and retention withhold."""
    return _amended(aco.arrangement, aco.discount, aco.retention)


@cache
def arrangement_contract(arrangement: str) -> Contract:
    return Contract.load(gallery(f"reach/{arrangement}"))


@cache
def _amended(arrangement: str, discount: float, retention: float) -> Contract:
    contract = arrangement_contract(arrangement)
    terms: dict[str, object] = {"discount": discount or None}
    terms |= {"retention_withhold": retention} if retention else {"retention_withhold": None, "returned_if": None}
    return contract.amend({clause.name: terms for clause in contract.clauses})


@cache
def quality_withhold(arrangement: str, year: int) -> float:
    """The share of the benchmark that quality must earn."""
    contract = arrangement_contract(arrangement)
    return float(_savings(contract).at(Year(year=year), contract.first_year).quality_withhold or 0)


def _savings(contract: Contract) -> Corridor:
    return next(clause for clause in contract.clauses if isinstance(clause, Corridor) and clause.of == "savings")


def kept(aco: Aco) -> float:
    """The share of the benchmark that the discount and the withholds leave."""
    unearned = 1 - (1.0 if aco.quality is None else aco.quality)
    return 1 - aco.discount - aco.retention - quality_withhold(aco.arrangement, aco.year) * unearned


def year_for(aco: Aco) -> Year:
    """The facts of an organization's year, with the benchmark worked back to before its discount and withholds."""
    return year_from({"year": aco.year, **_facts(aco)}, "")


def _facts(aco: Aco) -> dict[str, float]:
    facts = {
        "benchmark": aco.benchmark / kept(aco),
        "spend": aco.spend,
        "measures.quality score": 1.0 if aco.quality is None else aco.quality,
        "amounts.equity adjustment up": aco.raised,
        "amounts.equity adjustment down": aco.lowered,
    }
    return facts | ({"conditions.no retention withhold, or it was returned": 0} if aco.retention else {})


def settle(aco: Aco, contract: Contract | None = None) -> Settled:
    """One organization's year under its contract (or another), beside what CMS published after sequestration."""
    return _settled([aco], [contract or contract_for(aco)])[0]


def settle_all(acos: Iterable[Aco]) -> list[Settled]:
    """Every organization's year under its contract, beside what CMS published after sequestration."""
    acos = list(acos)
    return _settled(acos, [contract_for(aco) for aco in acos])


def _settled(acos: Sequence[Aco], contracts: Sequence[Contract]) -> list[Settled]:
    cases = [Case(contract, aco.year, _facts(aco)) for contract, aco in zip(contracts, acos, strict=True)]
    settled = []
    for aco, contract, recomputed in zip(acos, contracts, net_of(cases, "aco"), strict=True):
        matched = None if aco.published is None else abs(aco.published - recomputed) <= ROUNDING
        reason = "" if matched else _reason(aco, contract, recomputed)
        row = Settled(aco.aco_id, aco.year, aco.track, aco.published, recomputed, ROUNDING, matched, reason)
        settled.append(row)
    return settled


def _reason(aco: Aco, contract: Contract, recomputed: float) -> str:
    """Why a settlement differs from the published one, as far as the file says."""
    if aco.published is None:
        return "the file publishes no settlement after sequestration"
    sequestered = 1 - (_savings(contract).sequestration or 0)
    before = recomputed / sequestered if recomputed > 0 else recomputed
    if aco.published_before is not None and abs(aco.published_before - before) <= ROUNDING:
        shared = in_dollars(aco.published_before, ",.0f")
        if not aco.published:
            return (
                f"{shared} was shared before sequestration, as recomputed, and nothing paid: the file does not say why"
            )
        return f"{shared} was shared before sequestration, as recomputed; what became of it the file does not say"
    if aco.year >= EQUITY_SINCE and not aco.equity_told:
        return "the file has no equity adjustment for this row"
    return "the file does not say"


def lines(aco: Aco, contract: Contract | None = None) -> list[tuple[str, float]]:
    """How an organization's settlement comes about, line by line: each adds to those before, up to a total."""
    contract = contract or contract_for(aco)
    facts = _facts(aco)
    ledger = contract.settle([year_for(aco)])
    savings, losses = ledger[0].workings, ledger[1].workings
    saved = savings["saved"] > 0
    counted = savings["benchmark that counts"]
    found = [("benchmark before the discount and the withholds", facts["benchmark"])]
    for step, sign in {
        "discount": -1,
        "held back for quality": -1,
        "earned back": 1,
        "held back for staying": -1,
        "added to the benchmark": 1,
        "taken off the benchmark": -1,
    }.items():
        if step in savings:
            found.append((step, sign * savings[step]))
    found.append(("benchmark that counts", counted))
    if aco.spend_before is not None:
        found.append(("spending before stop-loss", aco.spend_before))
        found.append(("stop-loss: charge less payout", aco.spend - aco.spend_before))
    found.append(("spending", aco.spend))
    found.append(("saved", savings["saved"]) if saved else ("lost", losses["lost"]))
    clause = next(c for c in contract.clauses if isinstance(c, Corridor) and c.of == ("savings" if saved else "losses"))
    rate, rungs = abs(savings["saved"]) / counted if counted else 0.0, sorted(clause.bands)
    for low, high in zip(rungs, [*rungs[1:], float("inf")], strict=True):
        part = max(min(rate, high) - low, 0.0) * counted
        if part:
            found.append((f"{clause.bands[low]:.0%} of the part from {low:.0%}", clause.bands[low] * part))
    shared = sum(dollars for name, dollars in found if " of the part from " in name)
    paid = float(ledger.net()["aco"])
    if saved:
        found.append(("sequestration", paid - shared))
    return [(name, float(cents(dollars))) for name, dollars in [*found, ("paid" if saved else "owed", abs(paid))]]


def constants(acos: Iterable[Aco], left: Callable[[Aco], float] = kept) -> list[Constant]:
    """By year, how far the discount and the withholds explain the printed benchmark.

    benchmark = unadjusted x left x constant: the constant is the median row's, and no file has it.
    """
    years: dict[int, list[float]] = {}
    for aco in acos:
        if aco.unadjusted:
            years.setdefault(aco.year, []).append(aco.benchmark / aco.unadjusted / left(aco))
    return [
        Constant(year, middle := median(rates), sum(abs(r / middle - 1) <= 0.002 for r in rates), len(rates))
        for year, rates in sorted(years.items())
    ]
