"""Every query that `check`, `measure` and `crosswalk` put to an engine, in the words of engines that are not here.

The queries are recorded as DuckDB is asked them, then written for each other engine and read back. What cannot be
written is listed in book/not-compiled.csv, which the page on engines shows, and nothing else.
"""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import sqlglot
from ibis.backends.duckdb import Backend
from ibis.backends.sql import compilers
from ibis.common.exceptions import IbisError
from numpy.random import default_rng

from carecontracts import Contract, definitions
from carecontracts.claims.check import check
from carecontracts.claims.engine import Postgres
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import from_frames
from carecontracts.measured import measure
from carecontracts.measuring.attribution import AnyAttribution
from carecontracts.measuring.benchmark import AnyBenchmark
from carecontracts.measuring.section import Measurement
from carecontracts.people.crosswalk import MOST_LISTS, crosswalk
from carecontracts.people.member_table import member_table
from carecontracts.people.predict import with_predicted
from carecontracts.people.rates import specifications
from carecontracts.synthetic import people as synthetic

LISTED = Path(__file__).parents[2] / "book" / "not-compiled.csv"

# Each engine: what writes for it, the language it writes, and the language that is read back.
ENGINES = {
    "Snowflake": (compilers.SnowflakeCompiler, "snowflake", "snowflake"),
    "BigQuery": (compilers.BigQueryCompiler, "bigquery", "bigquery"),
    "Databricks": (compilers.DatabricksCompiler, "databricks", "databricks"),
    "SQL Server": (compilers.MSSQLCompiler, "tsql", "tsql"),
    "Redshift": (Postgres, "postgres", "redshift"),  # Ibis has none: PostgreSQL's, translated
}

OWN = {"kind": "own_history", "weights": [0.4, 0.6], "trend": 0.05}
CLINICS = [f"90000000{n:02d}" for n in range(1, 9)]
SECTIONS: list[dict[str, Any]] = [  # between them every kind of part, and every term that asks a question of its own
    {
        "population": {
            "definition": {"any": [{"cost": {"dollars": 5_000}}, {"camden": {}}]},
            "years_running": 2,
            "left_out": ["end-stage renal disease", "hospice", "both Medicare and Medicaid"],
        },
        "tiers": {"high": {"definition": {"stays": {"at_least": 1}}}},
        "attribution": {"kind": "plurality", "billed_by": CLINICS, "lookback": 24, "counted_by": "allowed charges",
                        "timing": "prospective with true-up"},
        "enrollment": {"least": 2, "least_before": 2, "gap": 4},
        "spending": {"truncated_at_percentile": 0.95, "above": 0.1, "without": ["pharmacy"]},
        "run_out": {"months": 2, "completion": "the chain ladder", "triangle": 24},
        "fees": {"treatment": "inside", "clauses": ["fee"], "codes": ["G9008"]},
        "benchmark": {"kind": "persistence_corrected", "trend": 0.05},
        "engaged_months": {"outcome": "food_need"},
        "documented_months": {"outcome": "housing_need"},
        "measures": {name: {"measure": name} for name in specifications()},
        "outcomes": {"needs": {"outcome": "food_need"}},
    },
    {"attribution": {"kind": "roster", "organization": "P01"}, "benchmark": OWN,
     "risk": {"score": "CMS-HCC V28"}},
    {"attribution": {"kind": "assigned", "organization": "P01"}, "benchmark": OWN | {"people": "the same people"},
     "risk": {"score": "a given score", "outcome": "food_need"}},
    {"attribution": {"kind": "geography", "areas": ["80001"]},
     "benchmark": OWN | {"kind": "regional_blend", "own": 0.8, "regional_per_member_per_month": 90}},
    {"attribution": {"kind": "plurality", "billed_by": CLINICS, "counted_by": "visits", "lookback": 12},
     "benchmark": {"kind": "matched_comparison", "alike_in": ["age", "gender", "payer_type", "dual",
                                                              "cost in the year before"]}},
    {"attribution": {"kind": "roster", "organization": "P01", "timing": "refreshed each quarter"},
     "engaged_months": {"outcome": "food_need"}, "benchmark": {"kind": "fixed", "per_member_per_month": 640}},
    {"attribution": {"kind": "everyone"}, "run_out": {"completion": "a given factor", "factor": 1.02},
     "benchmark": {"kind": "fixed", "per_member_per_month": 640}},
]  # fmt: skip


def contract(section: dict[str, Any]) -> Contract:
    fee = {
        "name": "fee",
        "kind": "care_management_fee",
        "payer": "plan",
        "payee": "clinic",
        "due": "monthly",
        "per_member_per_month": 10,
        "for_each": "engaged month" if "engaged_months" in section else "enrolled month",
    }
    return Contract.model_validate(
        {"title": "t", "summary": "s", "parties": {"plan": "the plan", "clinic": "the clinic"}, "first_year": 2027,
         "years": 1, "clauses": [fee], "measurement": section}
    )  # fmt: skip


@cache
def claims() -> Claims:
    rng = default_rng(20261128)
    tables = synthetic.tables(synthetic.panel("medicaid", 400, 4, rng=rng, first_year=2024), rng=rng)
    return from_frames(tables | {"eligibility": tables["eligibility"].assign(zip_code="80001")})


@cache
def queries() -> dict[Any, str]:
    """What is asked, each query once, and by which command."""
    asked: dict[Any, str] = {}
    by = ["check"]
    held: dict[str, Any] = {"to_pyarrow": Backend.to_pyarrow, "create_table": Backend.create_table}

    def to_pyarrow(self: Backend, expr: Any, /, **options: Any) -> Any:
        asked.setdefault(expr.as_table().op(), by[-1])
        return held["to_pyarrow"](self, expr, **options)

    def create_table(self: Backend, name: str, obj: Any = None, /, **options: Any) -> Any:
        if obj is not None:
            asked.setdefault(obj.op(), by[-1])
        return held["create_table"](self, name, obj, **options)

    tables = claims()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Backend, "to_pyarrow", to_pyarrow)
        patch.setattr(Backend, "create_table", create_table)
        check(tables)
        by.append("measure")
        for section in SECTIONS:
            measure(tables, contract(section))
        by.append("crosswalk")
        members, _ = with_predicted(tables.kept(member_table(tables)))
        lists = {name: definitions.definition(name) for name in definitions.kinds()}
        names = sorted(set(lists) - {"hcc"})  # which the command refuses: it asks for a column of its own
        for start in range(0, len(names), MOST_LISTS):
            crosswalk(members, {name: lists[name] for name in names[start : start + MOST_LISTS]})
    return asked


def refused(op: Any, engine: str) -> str:
    """Why a query cannot be written for an engine, or nothing."""
    writer, language, read_back = ENGINES[engine]
    try:
        sql = writer().to_sqlglot(op.to_expr()).sql(dialect=language)
        if language != read_back:
            sql = sqlglot.transpile(sql, language, read_back, unsupported_level=sqlglot.ErrorLevel.RAISE)[0]
        sqlglot.parse_one(sql, dialect=read_back)
    except (IbisError, sqlglot.errors.SqlglotError) as error:
        return str(error).strip().splitlines()[0]
    return ""


def test_every_kind_of_part_is_asked() -> None:
    kinds = {section[part]["kind"] for section in SECTIONS for part in ("attribution", "benchmark")}
    everything = {
        choice.model_fields["kind"].annotation for choice in (*choices(AnyAttribution), *choices(AnyBenchmark))
    }
    assert kinds == {kind for literal in everything for kind in get_args(literal)}
    assert {part for section in SECTIONS for part in section} == set(Measurement.model_fields)


def choices(union: Any) -> Iterator[Any]:
    """The classes of a union of parts."""
    for choice in get_args(union):
        if hasattr(choice, "model_fields"):
            yield choice
        else:
            yield from choices(choice)


def test_what_cannot_be_written_is_on_the_page() -> None:
    assert len(queries()) > 100
    found = {(engine, by, why) for engine in ENGINES for op, by in queries().items() if (why := refused(op, engine))}
    with LISTED.open(encoding="utf-8", newline="") as file:
        _, *listed = csv.reader(file)
    assert found == {tuple(row) for row in listed}
