"""The same expressions on two engines: DuckDB and PySpark give the same rows.

Needs PySpark (tests/people/spark-requirements.txt) and Java. Skipped where they are missing, unless
CARECONTRACTS_SPARK=1 says that they are to be there.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from carecontracts import Contract
from carecontracts.claims.check import check
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import read
from carecontracts.measured import measure
from carecontracts.people.member_years import member_years, outside
from carecontracts.people.months import coverage
from carecontracts.people.stays import stays

REQUIRED = os.environ.get("CARECONTRACTS_SPARK") == "1"
pytestmark = pytest.mark.filterwarnings("ignore")  # PySpark 4.3 warns of pandas 3


def drawn(rng: np.random.Generator, people: int = 300, lines: int = 5_000) -> dict[str, pd.DataFrame]:
    """Claims with what the expressions must handle: overlaps, gaps, open ends, strangers, missing codes, reversals."""
    who = np.array([f"p{n:04d}" for n in range(people)])

    def day(first: str, days: int, size: int) -> pd.Series:
        return pd.Series(pd.Timestamp(first) + pd.to_timedelta(rng.integers(0, days, size), unit="D")).dt.date

    def some(values: list, size: int) -> np.ndarray:
        return rng.choice(np.array([*values, None], dtype=object), size)

    spans = 2 * people
    starts = pd.to_datetime(day("2023-01-01", 900, spans))
    ends = starts + pd.to_timedelta(rng.integers(10, 500, spans), unit="D")
    eligibility = pd.DataFrame(
        {
            "person_id": np.tile(who, 2), "gender": rng.choice(["female", "male", "unknown"], spans),
            "race": some(["white", "asian"], spans), "birth_date": np.tile(day("1930-01-01", 30_000, people), 2),
            "death_date": np.tile(some([pd.Timestamp("2024-07-31").date()], people), 2),
            "enrollment_start_date": starts.dt.date,
            "enrollment_end_date": ends.dt.date.where(rng.random(spans) > 0.1, None),
            "payer_type": rng.choice(["medicaid", "medicare", "commercial"], spans),
            "dual_status_code": some(["02", "08", "00"], spans),
        }
    )  # fmt: skip
    begins = pd.to_datetime(day("2022-12-01", 1_000, lines))
    medical = pd.DataFrame(
        {
            "claim_id": [f"c{n // 2}" for n in range(lines)], "claim_line_number": [n % 2 + 1 for n in range(lines)],
            "claim_type": rng.choice(["institutional", "professional"], lines),
            "person_id": rng.choice([*who, "stranger"], lines), "claim_start_date": begins.dt.date,
            "claim_end_date": (begins + pd.to_timedelta(rng.integers(0, 9, lines), unit="D")).dt.date,
            "admission_date": begins.dt.date.where(rng.random(lines) < 0.05, None),
            "bill_type_code": some(["111", "0117", "131", "211", "329", "811"], lines),
            "revenue_center_code": some(["0120", "0450", "0915"], lines),
            "place_of_service_code": some(["11", "21", "23", "31", "53"], lines),
            "drg_code": some(["291"], lines), "hcpcs_code": some(["99213", "99284", "H0004", "G0439", "80053"], lines),
            "diagnosis_code_1": some(["F200", "I5030", "29620", "E119"], lines),
            "diagnosis_code_type": some(["icd-9-cm", "icd-10-cm"], lines),
            "paid_amount": np.round(rng.lognormal(4, 1.5, lines) - 20, 2),
            "allowed_amount": pd.Series(np.round(rng.lognormal(4.5, 1.5, lines), 2)).where(rng.random(lines) > 0.05),
        }
    )  # fmt: skip
    fills = lines // 2
    pharmacy = pd.DataFrame(
        {
            "claim_id": [f"d{n}" for n in range(fills)], "claim_line_number": 1, "person_id": rng.choice(who, fills),
            "dispensing_date": day("2022-12-01", 1_000, fills), "ndc_code": "00093101301",
            "paid_amount": np.round(rng.lognormal(3, 1, fills), 2),
            "allowed_amount": np.round(rng.lognormal(3, 1, fills), 2),
        }
    )  # fmt: skip
    medical["billing_npi"] = some(["1", "2", "3"], lines)
    medical["paid_date"] = (begins + pd.to_timedelta(rng.integers(0, 200, lines), unit="D")).dt.date
    outcome = pd.DataFrame({"person_id": rng.choice(who, 900), "outcome_date": day("2023-01-01", 1_000, 900)})
    outcome = outcome.assign(outcome="contact", outcome_value=rng.choice([0.5, 1.0, 2.0], 900))
    return {"eligibility": eligibility, "medical_claim": medical, "pharmacy_claim": pharmacy, "outcome": outcome}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables as Parquet, which both engines read."""
    path = tmp_path_factory.mktemp("claims")
    for name, frame in drawn(np.random.default_rng(20261122)).items():
        ibis.memtable(frame).to_parquet(path / f"{name}.parquet")
    return path


@pytest.fixture(scope="module")
def spark(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Claims]:
    """The same claims, read by name from a Spark session."""
    missing = [] if shutil.which("java") else ["Java"]
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        missing.append("PySpark (tests/people/spark-requirements.txt)")
    if missing:
        reason = f"no {' and no '.join(missing)}"
        assert not REQUIRED, f"CARECONTRACTS_SPARK=1, but {reason}"
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("spark")  # its warehouse is no table of the folder
    quiet = {
        "spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2", "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(home / "warehouse"), "spark.driver.extraJavaOptions": f"-Duser.dir={home}",
    }  # fmt: skip
    builder = SparkSession.builder.master("local[2]").appName("carecontracts")
    for key, value in quiet.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    con = ibis.pyspark.connect(session)
    for path in sorted(folder.glob("*.parquet")):
        session.read.parquet(str(path)).createOrReplaceTempView(path.stem)
    yield read(con)
    session.stop()


def rows(table: ibis.Table, *keys: str) -> pd.DataFrame:
    """All rows in one order, dollars to the cent: engines add floating numbers up in different orders."""
    frame = table.execute().sort_values(list(keys), ignore_index=True)
    frame = frame.astype(
        {column: "object" for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])}
    )
    return frame.where(frame.notna(), None).round(2)


@pytest.mark.parametrize(("first_month", "basis"), [(1, "paid"), (7, "allowed")])
def test_member_years_are_the_same_rows(folder, spark, first_month, basis):
    asked = {"first_month": first_month, "basis": basis}
    ours = rows(member_years(read(folder), **asked), "person_id", "year")
    theirs = rows(member_years(spark, **asked), "person_id", "year")
    assert len(ours) > 600
    assert (ours["inpatient_paid"] != 0).sum() > 100
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=0, atol=0.011)


@pytest.mark.parametrize(
    ("expression", "keys"),
    [
        (lambda claims: coverage(claims, [2023, 2024, 2025]), ("person_id", "year")),
        (stays, ("person_id", "admission_date")),
        (outside, ("person_id", "year")),
    ],
    ids=["coverage", "stays", "outside"],
)
def test_the_other_expressions_too(folder, spark, expression, keys):
    ours, theirs = rows(expression(read(folder)), *keys), rows(expression(spark), *keys)
    assert len(ours) > 100
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=0, atol=0.011)


def test_check_finds_the_same_on_both(folder, spark):
    ours, theirs = check(folder), check(spark)
    assert [f[:7] for f in ours.findings] == [f[:7] for f in theirs.findings]
    assert {f.rule for f in ours.findings} >= {"negative amount", "a member who is not in eligibility"}
    assert [t[:3] for t in ours.tables] == [t[:3] for t in theirs.tables]
    kept = "medical_claim"
    assert ours.kept.tables()[kept].count().execute() == theirs.kept.tables()[kept].count().execute()


CONTRACT = """
title: The same year on both
summary: Most of the rules at once.
parties: {plan: the plan, clinic: the clinic}
first_year: 2025
years: 1
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: clinic, due: monthly, per_member_per_month: 10,
     for_each: engaged month}
  - {name: savings, kind: corridor, of: savings, payer: plan, payee: clinic, due: 9 months after the year ends,
     bands: {0: 0.5}}
measurement:
  population: {definition: {cost: {dollars: 500}}}
  attribution: {kind: plurality, billed_by: ["1", "2"], lookback: 24, timing: prospective with true-up}
  enrollment: {least: 1, gap: 11}
  spending: {truncated_at_percentile: 0.95, above: 0.1, without: [post_acute]}
  run_out: {months: 2, completion: the chain ladder, triangle: 24}
  fees: {treatment: inside, clauses: [fee]}
  engaged_months: {outcome: contact}
  benchmark: {kind: persistence_corrected, remains: 0.6, trend: 0.05}
"""


OF_EVERYONE = {  # completed by what a member month costs, capped, and compared with last year's risk
    "population": {"definition": "everyone"},
    "attribution": {"kind": "everyone"},
    "spending": {"truncated_at": 5_000, "truncated_at_percentile": None},
    "run_out": {"completion": "Bornhuetter-Ferguson"},
    "benchmark": {"kind": "own_history", "weights": [1.0], "trend": 0.05},
    "risk": {"score": "CMS-HCC V24"},
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("changes", [{"run_out": {"months": 2}}, OF_EVERYONE], ids=["as written", "of everyone"])
def test_a_contract_gives_the_same_year(folder, spark, changes):
    contract = Contract.parse(CONTRACT).amend(measurement=changes)
    ours, theirs = measure(read(folder), contract), measure(spark, contract)
    assert ours.years[0].lives > 10
    assert ours.years[0].spend > 1_000
    assert ours.years == theirs.years
    tables = theirs.reconciliation.tables()
    for name, table in ours.reconciliation.tables().items():
        pd.testing.assert_frame_equal(table, tables[name], check_dtype=False, rtol=1e-12)
