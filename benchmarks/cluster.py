"""One contract year on a Spark cluster of two workers beside DuckDB, both by command; and what ten billion lines take.

    python benchmarks/cluster.py [LINES]

LINES are 10 million, made as in claims.py; the contract is that of measuring.py. The master and the workers, of one
core each, run on this machine and are ended with the bench. Seconds are of the whole command, its start included. What
the cluster did is read from its event log: the processor's seconds, bytes shuffled between tasks and spilled to disk,
and rows read of the files, in passes of as many rows as there are lines. The two files of years must be the same.

Left out, with a sentence, where PySpark or Java is missing.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import claims as lines_of
import measuring

STATE = 10_000_000_000  # claim lines of a large state's Medicaid over the years that a contract reads
CORES, PARTITION = 256, 200e6  # of a cluster, on paper; bytes of shuffle that one task is to hold
MEMORY = os.environ.get("CARECONTRACTS_BENCH_MEMORY", "2g")  # of each worker's executor


def begin(home: Path) -> tuple[str, list[subprocess.Popen[bytes]]]:
    """A master and two workers: the address, and what must be ended."""
    import pyspark

    spark = Path(pyspark.__file__).parent
    environment = os.environ | {"SPARK_HOME": str(spark), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    master, log = f"spark://127.0.0.1:{port}", (home / "log").open("wb")
    worker = ["worker.Worker", "--cores", "1", "--memory", MEMORY]
    kinds = [["master.Master", "--port", str(port)], *([*worker, "--work-dir", f"{home}/{n}", master] for n in (1, 2))]
    started = []
    for kind, *words in kinds:
        about = ["--host", "127.0.0.1", "--webui-port", "0"]
        command = [spark / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", *about, *words]
        started.append(subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log))
    for _ in range(600):
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return master, started
        time.sleep(0.2)
    raise SystemExit(f"no master in two minutes: {(home / 'log').read_text()[-500:]}")


def measured(source: str, contract: Path, out: Path) -> float:
    """Seconds of one command."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "carecontracts.cli", "measure", source, str(contract), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{source} did not finish: {done.stderr[-2000:]}")
    return time.perf_counter() - start


def logged(folder: Path) -> Counter[str]:
    """What all tasks of an event log did."""
    total: Counter[str] = Counter()
    for path in folder.rglob("*"):
        for line in path.open(encoding="utf-8") if path.is_file() else ():
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("Event") == "SparkListenerTaskEnd" and (did := event.get("Task Metrics")):
                total["tasks"] += 1
                total["cpu"] += did["Executor CPU Time"]
                total["rows"] += did["Input Metrics"]["Records Read"]
                total["shuffled"] += did["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                total["spilled"] += did["Disk Bytes Spilled"]
            total["jobs"] += event.get("Event") == "SparkListenerJobStart"
    return total


def main() -> int:
    lines = int(float(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CARECONTRACTS_BENCH_LINES", 10_000_000)))
    try:
        import pyspark  # noqa: F401
    except ImportError:
        print("The cluster is left out: no PySpark (pip install 'carecontracts[spark]').")
        return 0
    if not shutil.which("java"):
        print("The cluster is left out: no Java.")
        return 0
    with tempfile.TemporaryDirectory(prefix="carecontracts-bench-") as scratch:
        home = Path(scratch)
        folder, events = home / "claims", home / "events"
        for made in (folder, events):
            made.mkdir()
        lines_of.make(folder, lines)
        contract = home / "contract.yaml"
        contract.write_text(measuring.CONTRACT)
        master, started = begin(home)
        settings = {
            "folder": folder, "spark.executor.memory": MEMORY, "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1", "spark.eventLog.enabled": "true", "spark.eventLog.dir": events,
            "spark.eventLog.compress": "false", "spark.eventLog.rolling.enabled": "false",
            "spark.sql.shuffle.partitions": max(2, lines // 2_500_000), "spark.local.dir": home / "spilled",
        }  # fmt: skip
        try:
            address = f"{master}?" + "&".join(f"{key}={value}" for key, value in settings.items())
            took = {
                "DuckDB": measured(str(folder), contract, home / "duckdb.csv"),
                "the cluster": measured(address, contract, home / "spark.csv"),
            }
        finally:
            for process in started:
                process.kill()
                process.wait()
        same = (home / "duckdb.csv").read_text() == (home / "spark.csv").read_text()
        did = logged(events)
    load = f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"A contract year from {lines:,} lines, by command; two workers of one core and {MEMORY}; {load}\n")
    for name, seconds in took.items():
        print(f"{name:14}{seconds:9.1f} s{lines / seconds / 1e6:9.2f} M lines/s")
    cpu, passes = did["cpu"] / 1e9, did["rows"] / lines
    print(
        f"\nThe cluster: {did['jobs']} jobs, {did['tasks']} tasks, {cpu:.0f} CPU s, {passes:.1f} passes over the files,"
        f"\n  {did['shuffled'] / 1e6:,.1f} MB shuffled ({did['shuffled'] / lines:.0f} bytes a line),"
        f" {did['spilled'] / 1e6:,.1f} MB spilled to disk."
    )
    hours, shuffled = cpu / lines * STATE / 3600, did["shuffled"] / lines * STATE
    print(
        f"\nOn paper, in proportion: {STATE:,} lines take {hours:,.0f} core-hours, {hours / CORES:.1f} hours on {CORES}"
        f" cores\n  (spark.cores.max), and shuffle {shuffled / 1e12:.2f} TB, in {max(1, round(shuffled / PARTITION)):,}"
        f" partitions of {PARTITION / 1e6:.0f} MB (spark.sql.shuffle.partitions)."
        "\n  What is kept and read again must fit in spark.executor.memory, or goes to disk and comes back."
    )
    print(f"\nThe years are {'the same' if same else 'NOT the same'}.")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
