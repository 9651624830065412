"""From claim lines to a contract's facts: `measure` beside hand-written SQL for the same facts, and its passes.

    python benchmarks/measuring.py [LINES] [TIMES]

LINES are 10 million, made as in claims.py. The contract is of the usual kind: people attributed by where most of their
primary care is, in each of two years; at least six months of enrollment; a limit on one person's spending; three months
of run-out and a completion factor; a benchmark of the year before; two measures. The two jobs take turns TIMES times,
each in a process of its own. Their facts must be equal. How often each reads the lines is
counted in its engine's own plans, over a small folder.
"""

import json
import os
import re
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import claims as lines_of
import duckdb
import ibis

from carecontracts import Contract
from carecontracts.claims.read import read
from carecontracts.measured import measure

OWN = [f"9{n:09d}" for n in range(40)]  # the provider's numbers: a tenth of all who bill
LIMIT, FACTOR, TREND = 20_000, 1.013, 0.048
FACTS = ("member_months", "spend", "benchmark", "measures.admissions", "measures.emergency visits")

CONTRACT = f"""
title: Shared savings, measured
summary: The plan shares savings on everyone whose primary care the practice gives.
parties: {{plan: the plan, practice: the practice}}
first_year: 2024
years: 1
clauses:
  - {{name: shared savings, kind: shared_savings, payer: plan, payee: practice, due: 9 months after the year ends,
     minimum: 0.02, share: 0.5, basis: illustrative}}
measurement:
  attribution: {{kind: plurality, billed_by: {json.dumps(OWN)}, counted_by: allowed charges, lookback: 12,
    tie: the most recent visit, timing: retrospective, basis: illustrative}}
  enrollment: {{least: 6, basis: illustrative}}
  spending: {{cost: paid, without: [pharmacy], truncated_at: {LIMIT}, basis: illustrative}}
  run_out: {{months: 3, completion: a given factor, factor: {FACTOR}, basis: assumption}}
  benchmark: {{kind: own_history, weights: [1], trend: {TREND}, basis: illustrative}}
  measures:
    admissions: {{measure: admissions, basis: illustrative}}
    emergency visits: {{measure: emergency_visits, basis: illustrative}}
"""

# The same facts, as an analyst would write them for DuckDB: the lines that began in a month of coverage once into a
# table, then one query.
SPANS = """
create temp table spans as
select person_id, 12 * year(enrollment_start_date) + month(enrollment_start_date) - 1 as first,
    12 * year(ended) + month(ended) - 1 as last
from (select *, least(enrollment_end_date, max(death_date) over (partition by person_id)) as ended
      from eligibility) where enrollment_start_date <= ended
"""
LINES = """
create temp table lines as
select person_id, year(claim_start_date) as year, claim_start_date as day, allowed_amount,
    round(paid_amount * 100)::bigint as cents, paid_date, billing_npi, {service} as service,
    hcpcs_code between '99201' and '99215' or hcpcs_code between '99341' and '99350'
        or hcpcs_code between '99381' and '99397' or hcpcs_code in ('G0402', 'G0438', 'G0439')
        or hcpcs_code between 'G0466' and 'G0470' as primary_care,
    case when claim_type = 'institutional' and (left(right(bill_type_code, 3), 2) in ('11', '12')
            or coalesce(bill_type_code, '') = '' and (coalesce(drg_code, '') <> '' or admission_date is not null))
        then coalesce(admission_date, claim_start_date) end as admitted,
    coalesce(discharge_date, claim_end_date, claim_start_date) as discharged
from medical_claim semi join spans on medical_claim.person_id = spans.person_id
    and 12 * year(coalesce(admission_date, claim_start_date)) + month(coalesce(admission_date, claim_start_date)) - 1
        between first and last
"""
SQL = """
with fresh as (
    select *, greatest(first, coalesce(max(last) over (partition by person_id order by first, last
        rows between unbounded preceding and 1 preceding) + 1, 0)) as fresh from spans),
covered as (
    select person_id, y as year, sum(greatest(0, least(last, 12 * y + 11) - greatest(fresh, 12 * y) + 1)) as months
    from fresh, (values (2023), (2024)) years(y) where first <= 12 * y + 11 and last >= 12 * y group by all),
given as (
    select person_id, year, billing_npi in ({own}) as own, sum(round(allowed_amount * 100)) as charges, max(day) as last
    from lines where primary_care
    group by person_id, year, own, case when billing_npi in ({own}) then '' else billing_npi end),
counts as (
    select person_id, year, months from (
        select person_id, year, arg_max(own, (charges, last)) as own from given group by all
    ) join covered using (person_id, year) where own and months >= 6),
spent as (
    select person_id, year, sum(cents) as cents from lines
    where not coalesce(paid_date >= make_date(year + 1, 4, 1), false) group by all),
cost as (
    select year, sum(months)::bigint as months, round(sum(least(coalesce(cents, 0) * {factor}, {limit} * 100))) as cents
    from counts left join spent using (person_id, year) group by year),
breaks as (
    select *, coalesce(admitted <= max(until) over (partition by person_id order by admitted
        rows between unbounded preceding and 1 preceding), false) as goes_on
    from (select person_id, admitted, max(discharged) as until from lines where admitted is not null group by all)),
stays as (
    select person_id, count(*) as stays from breaks
    where not goes_on and year(admitted) = 2024 group by person_id),
visits as (
    select person_id, count(distinct day) as visits from lines
    where service = 'emergency' and year = 2024 group by person_id),
used as (
    select sum(months) / 12 as years, sum(stays) as stays, sum(visits) as visits
    from counts left join stays using (person_id) left join visits using (person_id) where year = 2024)
select n.months, n.cents / 100, n.months * (b.cents / 100 / b.months * (1 + {trend})), 1000 * stays / years,
    1000 * visits / years
from cost n, cost b, used where n.year = 2024 and b.year = 2023
"""


def opened(folder: Path, con: Any, kind: str = "view") -> Any:
    """The engine with the three tables: views of the files, or the files' rows."""
    for name in ("eligibility", "medical_claim", "pharmacy_claim"):
        con.execute(f"create {kind} {name} as from '{folder}/{name}/*.parquet'")
    return con


def ours(con: Any) -> list[float]:
    found = measure(read(ibis.duckdb.from_connection(con)), Contract.parse(CONTRACT)).reconciliation.facts
    values = {row.fact: row.value for row in found}
    return [float(values[fact]) for fact in FACTS]


def sql(con: Any) -> list[float]:
    con.execute(SPANS)
    con.execute(LINES.format(service=lines_of.SERVICE))
    own = ", ".join(f"'{number}'" for number in OWN)
    (row,) = con.execute(SQL.format(own=own, limit=LIMIT, factor=FACTOR, trend=TREND)).fetchall()
    return [*map(float, row)]


JOBS: dict[str, Callable[[Any], list[float]]] = {"the package": ours, "SQL by hand": sql}


def job(name: str) -> Callable[[Path, Path], None]:
    """A job over the files of a folder, its facts written to a file."""

    def work(folder: Path, out: Path) -> None:
        out.write_text(json.dumps(JOBS[name](opened(folder, lines_of.engine(folder)))), "utf-8")

    return work


# --- passes ---------------------------------------------------------------------------------------------------


class Watched:
    """An engine that explains each statement before it runs: how often the plans read the lines, or tables of them."""

    def __init__(self, con: Any) -> None:
        self.con, self.statements = con, 0
        self.scans: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)

    def explain(self, statement: Any) -> None:
        if isinstance(statement, str) and re.match(r"\s*(with|select|create temp\w* table)", statement, re.I):
            self.statements += 1
            ((_, plan),) = self.con.execute(f"explain (format json) {statement}").fetchall()
            self.count(json.loads(plan))

    def count(self, nodes: list[Any]) -> None:
        for node in nodes:
            table = node["extra_info"].get("Table") if isinstance(node.get("extra_info"), dict) else None
            if table and "SCAN" in node["name"]:
                self.scans[table.rpartition(".")[2].strip('"')] += 1
            self.count(node.get("children", []))

    def execute(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
        self.explain(statement)
        return self.con.execute(statement, *args, **kwargs)

    def sql(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
        self.explain(statement)
        return self.con.sql(statement, *args, **kwargs)


def passes(name: str, folder: Path) -> tuple[int, float]:
    """A job's statements, and the rows that their plans read of any table, as so many times all claim lines."""
    watched = Watched(opened(folder, duckdb.connect(), "table"))
    JOBS[name](watched)
    rows = {table: watched.con.table(table).count("*").fetchall()[0][0] for table in watched.scans}
    lines = sum(watched.con.table(f"{kind}_claim").count("*").fetchall()[0][0] for kind in ("medical", "pharmacy"))
    return watched.statements, sum(times * rows[table] for table, times in watched.scans.items()) / lines


def main() -> int:
    lines = int(float(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CARECONTRACTS_BENCH_LINES", 10_000_000)))
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory(prefix="carecontracts-bench-") as scratch:
        small, folder = Path(scratch) / "small", Path(scratch) / "claims"
        for place, n in ((small, 100_000), (folder, lines)):
            place.mkdir()
            lines_of.make(place, n)
        read_by = {name: passes(name, small) for name in JOBS}
        out = {name: Path(scratch) / f"{n}.json" for n, name in enumerate(JOBS)}
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in JOBS}
        for _ in range(times):
            for name in JOBS:
                runs[name].append(lines_of.run(name, folder, out[name], __file__))
        facts = {name: json.loads(path.read_text()) for name, path in out.items()}
    load = f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"A contract's facts from {lines:,} lines: median of {times}; {load}\n")
    print(f"{'':14}{'seconds':>9}{'of SQL':>9}{'CPU s':>9}{'of SQL':>9}{'peak GB':>9}{'statements':>12}{'passes':>9}")
    took = {
        name: {of: statistics.median(one[of] for one in runs[name]) for of in ("seconds", "cpu", "gb")} for name in JOBS
    }
    by_hand = took["SQL by hand"]
    for name, one in took.items():
        statements, read_times = read_by[name]
        print(
            f"{name:14}{one['seconds']:9.2f}{one['seconds'] / by_hand['seconds']:9.2f}{one['cpu']:9.2f}"
            f"{one['cpu'] / by_hand['cpu']:9.2f}{one['gb']:9.2f}{statements:12}{read_times:9.1f}"
        )
    print("\nA pass reads as many rows as there are claim lines, of them or of tables made of them.")
    equal = all(abs(a - b) < 0.01 for a, b in zip(*facts.values(), strict=True))
    for fact, *values in zip(FACTS, *facts.values(), strict=True):
        print(f"{fact:26}" + "".join(f"{value:20,.4f}" for value in values))
    print(f"The facts are {'equal' if equal else 'NOT equal'}.")
    return 0 if equal else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        lines_of.one_job(job(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        raise SystemExit(main())
