"""From claim lines to member-years: the package's expression beside hand-written SQL and beside a bare scan.

    python benchmarks/claims.py [LINES] [TIMES]

LINES are 10 million, or CARECONTRACTS_BENCH_LINES (100 million take some 3 GB of disk and several minutes). They are
made in a temporary folder, as Parquet by month of service with people in no order, the worst case for a sum by person.
Each job runs in a process of its own, the jobs taking turns TIMES times; the median time, without the imports, and the
largest peak of memory, with them, are told; on a busy machine the processor's seconds are the steadier. The two tables
must be equal to the cent, and the package at most as slow as the SQL, in wall time and in the processor's, and under
2.5 GB. A job that does not finish, for want of memory say, stops the bench with its engine's message.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import ibis

from carecontracts.claims.read import read
from carecontracts.people.member_years import member_years

YEARS = (2023, 2024)
LINES_A_PERSON = 50  # over the two years
PROVIDERS = 400  # who bill, each the same share of the lines
MOST_TIMES, MOST_GB = 1.0, 2.5
ENGINE_MEMORY = "1800MB"

SERVICES = ("inpatient", "emergency", "outpatient", "professional", "behavioral", "post_acute", "pharmacy")

# --- the lines ------------------------------------------------------------------------------------------------


# Some 6 lines in a hundred are of the emergency department, and 12 are office visits.
REVENUE = ["0450", "0300", "0301", "0305", "0636", "0250", "0320", "0510", "0900", "0120", "0270", "0360"]
PLACES = ["23", *["11"] * 24, *["21"] * 5, *["22"] * 5, *["81"] * 4, "53"]
PROCEDURES = ["99284", "99213", "99213", "99214", "99214", "G0439", *(f"{80_048 + 3 * n}" for n in range(34))]
DIAGNOSES = ["I10", "E119", "F329", "I5030", "M545", "Z0000", "J449", "N183", "R079", "F1120"]


def make(folder: Path, lines: int) -> None:
    """Eligibility spans, medical lines and drugs, from hashes of their numbers: the same on every machine."""
    con = duckdb.connect()
    people = max(lines // LINES_A_PERSON, 1)

    def u(what: str, salt: int) -> str:
        return f"(hash({what} * 1000 + {salt}) % 1000000007 / 1000000007.0)"

    def pick(values: list[str], salt: int) -> str:
        listed = ", ".join(f"'{value}'" if value else "null" for value in values)
        return f"([{listed}])[1 + (hash(i * 1000 + {salt}) % {len(values)})::int]"

    def write(name: str, query: str) -> None:
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        con.sql(f"copy ({query}) to '{path}' (format parquet, compression zstd)")

    # Every seventh person changes plan in mid-year with an overlap; every eleventh leaves and returns.
    span = "'p' || lpad(i::varchar, 9, '0') as person_id"
    who = f"""['female', 'male'][1 + (i % 2)::int] as gender, ['white', 'asian', 'other'][1 + (i % 3)::int] as race,
        date '1930-01-01' + ({u("i", 1)} * 30000)::int as birth_date,
        case when i % 97 = 0 then date '2024-06-30' end as death_date, null::varchar as dual_status_code"""
    write(
        "eligibility/part-1",
        f"""select {span}, {who}, date '2023-01-01' as enrollment_start_date,
        case when i % 11 = 0 then date '2023-05-31' when i % 7 = 0 then date '2023-08-15' else date '2024-12-31' end
            as enrollment_end_date,
        ['medicaid', 'medicare', 'commercial'][1 + (i % 3)::int] as payer_type from range({people}) t(i)""",
    )
    write(
        "eligibility/part-2",
        f"""select {span}, {who}, case when i % 11 = 0 then date '2023-11-10' else date '2023-07-01' end
            as enrollment_start_date,
        date '2024-12-31' as enrollment_end_date, 'medicaid' as payer_type
        from range({people}) t(i) where i % 11 = 0 or i % 7 = 0""",
    )
    medical, drugs = int(lines * 0.72) // 24, (lines - int(lines * 0.72)) // 24
    person = f"'p' || lpad(floor({people} * pow({u('i', 2)}, 2.2))::bigint::varchar, 9, '0') as person_id"
    amount = f"round(exp(4.3 + 1.2 * sqrt(-2 * ln({u('i', 3)} + 1e-9)) * cos(6.2831853 * {u('i', 4)})), 2)"
    for month in range(24):
        first = f"date '{2023 + month // 12}-{month % 12 + 1:02d}-01'"
        day = f"({first} + ({u('i', 5)} * 27)::int)"
        kind = "(hash(i * 1000 + 6) % 100)"  # 4 stay, 26 hospital outpatient, 70 professional
        write(
            f"medical_claim/{month:02d}",
            f"""select 'c' || (i // 2)::varchar as claim_id, (i % 2 + 1)::bigint as claim_line_number,
            case when {kind} < 30 then 'institutional' else 'professional' end as claim_type, {person},
            {day} as claim_start_date, {day} + (case when {kind} < 4 then 1 + i % 6 else 0 end)::int as claim_end_date,
            case when {kind} < 4 then {day} end as admission_date,
            case when {kind} < 4 then {day} + (1 + i % 6)::int end as discharge_date,
            case when {kind} < 4 then '111' when {kind} < 7 then '211' when {kind} < 30 then '131' end
                as bill_type_code,
            case when {kind} < 30 then {pick(REVENUE, 7)} end
                as revenue_center_code,
            '9' || lpad((hash(i * 1000 + 11) % {PROVIDERS})::varchar, 9, '0') as billing_npi,
            {day} + (hash(i * 1000 + 12) % 120)::int as paid_date,
            case when {kind} >= 30 then {pick(PLACES, 8)} end as place_of_service_code,
            case when {kind} < 4 then '291' end as drg_code,
            {pick(PROCEDURES, 9)} as hcpcs_code, {pick(DIAGNOSES, 10)} as diagnosis_code_1,
            'icd-10-cm' as diagnosis_code_type, {amount} as paid_amount, round({amount} * 1.2, 2) as allowed_amount
            from range({month * medical}, {(month + 1) * medical}) t(i)""",
        )
        write(
            f"pharmacy_claim/{month:02d}",
            f"""select 'd' || i::varchar as claim_id, 1::bigint as claim_line_number, {person},
            {day} as dispensing_date, '00093101301' as ndc_code, {amount} as paid_amount,
            round({amount} * 1.1, 2) as allowed_amount from range({month * drugs}, {(month + 1) * drugs}) t(i)""",
        )


# --- the jobs -------------------------------------------------------------------------------------------------


def engine(folder: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB as both tables are made by it: held to some memory, beyond which it uses the disk."""
    return duckdb.connect(config={"memory_limit": ENGINE_MEMORY, "temp_directory": str(folder.parent / "spilled")})


def ours(folder: Path, out: Path) -> None:
    con = ibis.duckdb.from_connection(engine(folder))
    for name in ("eligibility", "medical_claim", "pharmacy_claim"):
        con.raw_sql(f"create view {name} as from '{folder}/{name}/*.parquet'")
    member_years(read(con), YEARS).to_parquet(out)


# The kind of service of a line, as an analyst would write it for DuckDB.
SERVICE = """
        case when claim_type = 'institutional' and (left(right(bill_type_code, 3), 2) in ('11', '12')
                or coalesce(bill_type_code, '') = '' and (coalesce(drg_code, '') <> '' or admission_date is not null))
            then 'inpatient'
        when claim_type = 'institutional'
                and (right(bill_type_code, 3) >= '18' and right(bill_type_code, 3) < '19'
                    or right(bill_type_code, 3) >= '21' and right(bill_type_code, 3) < '24'
                    or right(bill_type_code, 3) >= '32' and right(bill_type_code, 3) < '35'
                    or right(bill_type_code, 3) >= '81' and right(bill_type_code, 3) < '83')
                or place_of_service_code in ('31', '32', '34', '61') then 'post_acute'
        when right(revenue_center_code, 3) between '450' and '459' or right(revenue_center_code, 3) = '981'
                or hcpcs_code between '99281' and '99285' or place_of_service_code = '23' then 'emergency'
        when case when diagnosis_code_type = 'icd-9-cm' then diagnosis_code_1 >= '291' and diagnosis_code_1 < '293'
                or diagnosis_code_1 >= '295' and diagnosis_code_1 < '310'
                or diagnosis_code_1 >= '311' and diagnosis_code_1 < '315'
                else diagnosis_code_1 >= 'F10' and diagnosis_code_1 < 'F7'
                or diagnosis_code_1 >= 'F9' and diagnosis_code_1 < 'G' end
                or claim_type = 'institutional' and right(revenue_center_code, 3) between '900' and '919'
                or place_of_service_code between '51' and '58' or hcpcs_code between 'H0001' and 'H2037'
            then 'behavioral'
        when claim_type = 'institutional' then 'outpatient' else 'professional' end
"""

# The same table.
SQL = """
with spans as (
    select person_id, gender, race, birth_date, death_date, payer_type, dual_status_code,
        12 * year(enrollment_start_date) + month(enrollment_start_date) - 1 as first,
        coalesce(12 * year(ended) + month(ended) - 1, 25200) as last
    from (select *, least(enrollment_end_date, max(death_date) over (partition by person_id)) as ended
          from '{folder}/eligibility/*.parquet')
    where enrollment_start_date <= coalesce(death_date, enrollment_start_date)),
fresh as (
    select *, greatest(first, coalesce(max(last) over (partition by person_id order by first, last
        rows between unbounded preceding and 1 preceding) + 1, 0)) as fresh from spans),
covered as (
    select person_id, y as year, max(payer_type) as payer_type,
        max((dual_status_code in ('01', '02', '03', '04', '05', '06', '08'))::int) as dual,
        coalesce(max(nullif(gender, 'unknown')), 'unknown') as gender, max(race) as race,
        y - year(max(birth_date)) as age,
        sum(greatest(0, least(last, 12 * y + 11) - greatest(fresh, 12 * y) + 1)) as months,
        coalesce((year(max(death_date)) = y)::int, 0) as died
    from fresh, (values (2023), (2024)) years(y) where first <= 12 * y + 11 and last >= 12 * y group by person_id, y),
lines as (
    select person_id, year(claim_start_date) as year, claim_start_date, paid_amount, allowed_amount, hcpcs_code,
        {service} as service
    from '{folder}/medical_claim/*.parquet'),
medical as (
    select person_id, year, sum(paid_amount) as paid, sum(allowed_amount) as allowed,
        sum(paid_amount) filter (service = 'inpatient') as inpatient_paid,
        sum(paid_amount) filter (service = 'emergency') as emergency_paid,
        sum(paid_amount) filter (service = 'outpatient') as outpatient_paid,
        sum(paid_amount) filter (service = 'professional') as professional_paid,
        sum(paid_amount) filter (service = 'behavioral') as behavioral_paid,
        sum(paid_amount) filter (service = 'post_acute') as post_acute_paid
    from lines group by person_id, year),
days as (
    select person_id, year, claim_start_date, max(emergency::int) as emergency, max(primary_care::int) as primary_care
    from (
        select person_id, year, claim_start_date, service = 'emergency' as emergency,
            hcpcs_code between '99201' and '99215' or hcpcs_code between '99341' and '99350'
            or hcpcs_code between '99381' and '99397' or hcpcs_code in ('G0402', 'G0438', 'G0439')
            or hcpcs_code between 'G0466' and 'G0470' as primary_care from lines)
    where emergency or primary_care group by all),
visits as (
    select person_id, year, sum(emergency) as emergency_visits, sum(primary_care) as primary_care_visits
    from days group by all),
drugs as (
    select person_id, year(dispensing_date) as year, sum(paid_amount) as paid, sum(allowed_amount) as allowed
    from '{folder}/pharmacy_claim/*.parquet' group by all),
days_in as (
    select person_id, coalesce(admission_date, claim_start_date) as admitted,
        max(coalesce(discharge_date, claim_end_date, claim_start_date)) as discharged
    from '{folder}/medical_claim/*.parquet'
    where claim_type = 'institutional' and (left(right(bill_type_code, 3), 2) in ('11', '12')
        or coalesce(bill_type_code, '') = '' and (coalesce(drg_code, '') <> '' or admission_date is not null))
    group by all),
breaks as (
    select *, coalesce(admitted <= max(discharged) over (partition by person_id order by admitted
        rows between unbounded preceding and 1 preceding), false) as goes_on from days_in),
numbered as (
    select *, sum((not goes_on)::int) over (partition by person_id order by admitted) as number from breaks),
stays as (
    select person_id, number, min(admitted) as admitted, max(discharged) as discharged from numbered group by all),
admitted as (
    select person_id, year(admitted) as year, count(*) as admissions,
        sum(greatest(1, discharged - admitted)) as inpatient_days from stays group by all)
select c.person_id, c.year, payer_type, coalesce(dual, 0) as dual, gender, race, age, months, died,
    coalesce(m.paid, 0) + coalesce(d.paid, 0) as paid, coalesce(m.allowed, 0) + coalesce(d.allowed, 0) as allowed,
    coalesce(inpatient_paid, 0) as inpatient_paid, coalesce(emergency_paid, 0) as emergency_paid,
    coalesce(outpatient_paid, 0) as outpatient_paid, coalesce(professional_paid, 0) as professional_paid,
    coalesce(behavioral_paid, 0) as behavioral_paid, coalesce(post_acute_paid, 0) as post_acute_paid,
    coalesce(d.paid, 0) as pharmacy_paid, coalesce(admissions, 0) as admissions,
    coalesce(inpatient_days, 0) as inpatient_days, coalesce(emergency_visits, 0) as emergency_visits,
    coalesce(primary_care_visits, 0) as primary_care_visits
from covered c left join medical m using (person_id, year) left join drugs d using (person_id, year)
    left join admitted a using (person_id, year) left join visits v using (person_id, year)
"""


def sql(folder: Path, out: Path) -> None:
    engine(folder).sql(f"copy ({SQL.format(folder=folder, service=SERVICE)}) to '{out}' (format parquet)")


def scan(folder: Path, out: Path) -> None:
    """Every column that the table needs, read once and thrown away."""
    used = {
        "medical_claim": "claim_type person_id claim_start_date claim_end_date admission_date discharge_date "
        "bill_type_code revenue_center_code place_of_service_code drg_code hcpcs_code diagnosis_code_1 "
        "diagnosis_code_type paid_amount allowed_amount",
        "pharmacy_claim": "person_id dispensing_date paid_amount allowed_amount",
        "eligibility": "person_id enrollment_start_date enrollment_end_date payer_type",
    }
    con = duckdb.connect()
    for name, columns in used.items():
        con.sql(f"select {', '.join(f'max({c})' for c in columns.split())} from '{folder}/{name}/*.parquet'").fetchall()
    out.touch()


JOBS = {"the package": ours, "SQL by hand": sql, "a bare scan": scan}


def run(job: str, folder: Path, out: Path, script: str = __file__) -> dict[str, float]:
    """One job of a script in a process of its own: seconds, and the process's peak of memory in GB."""
    out.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, script, "--job", job, str(folder), str(out)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{job} did not finish: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def one_job(work: Callable[[Path, Path], None], folder: Path, out: Path) -> None:
    """Does the work and prints what it took."""
    start, cpu = time.perf_counter(), time.process_time()
    work(folder, out)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes, on Linux
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu, "gb": peak / 2**20}))


def differences(first: Path, second: Path) -> int:
    """Rows of one table that the other does not have, dollars to the cent."""
    dollars = ["paid", "allowed", *(f"{service}_paid" for service in SERVICES)]
    facts = "payer_type dual gender race age months died admissions inpatient_days emergency_visits primary_care_visits"
    unlike = [f"a.{fact} is distinct from b.{fact}" for fact in facts.split()]
    unlike += [f"not coalesce(abs(a.{dollar} - b.{dollar}) < 0.005, false)" for dollar in dollars]
    both = f"'{first}' a full join '{second}' b using (person_id, year)"
    return int(duckdb.sql(f"select count(*) from {both} where {' or '.join(unlike)}").fetchall()[0][0])


def main() -> int:
    lines = int(float(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CARECONTRACTS_BENCH_LINES", 10_000_000)))
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory(prefix="carecontracts-bench-") as scratch:
        folder = Path(scratch) / "claims"
        folder.mkdir()
        start = time.perf_counter()
        make(folder, lines)
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e9
        print(f"{lines:,} lines, {size:.1f} GB of Parquet, made in {time.perf_counter() - start:.0f} s\n", flush=True)
        out = {job: Path(scratch) / f"{n}.parquet" for n, job in enumerate(JOBS)}
        runs: dict[str, list[dict[str, float]]] = {job: [] for job in JOBS}
        for _ in range(times):
            for job in JOBS:
                runs[job].append(run(job, folder, out[job]))
        rows = duckdb.sql(f"select count(*) from '{out['the package']}'").fetchall()[0][0]
        unlike = differences(out["the package"], out["SQL by hand"])
    seconds = {job: statistics.median(one["seconds"] for one in runs[job]) for job in JOBS}
    cpu = {job: statistics.median(one["cpu"] for one in runs[job]) for job in JOBS}
    peak = {job: max(one["gb"] for one in runs[job]) for job in JOBS}
    load = f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"Member-years ({rows:,} rows): median of {times}; {load}; DuckDB held to {ENGINE_MEMORY}\n")
    print(f"{'':14}{'seconds':>9}{'of SQL':>9}{'CPU s':>9}{'of SQL':>9}{'peak GB':>9}{'M lines/s':>11}")
    for job in JOBS:
        of, of_cpu = seconds[job] / seconds["SQL by hand"], cpu[job] / cpu["SQL by hand"]
        speed = lines / seconds[job] / 1e6
        print(f"{job:14}{seconds[job]:9.2f}{of:9.2f}{cpu[job]:9.2f}{of_cpu:9.2f}{peak[job]:9.2f}{speed:11.1f}")
    print(f"\n{unlike:,} rows differ.")
    ratio = max(took["the package"] / took["SQL by hand"] for took in (seconds, cpu))
    kept = unlike == 0 and ratio <= MOST_TIMES and peak["the package"] < MOST_GB
    print(f"At most {MOST_TIMES} times the SQL and under {MOST_GB} GB: {'yes' if kept else 'no'}.")
    return 0 if unlike == 0 else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        one_job(JOBS[sys.argv[2]], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        raise SystemExit(main())
