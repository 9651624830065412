"""Every command on inputs that are nearly right: it does its work, or says what is wrong, and never a third thing.

Each input is valid but for one to three mutations: of a byte, a word, a cell, a value somewhere in the YAML, a column
of Parquet, a file of a folder, an option. It is made from its number and a seed alone, so a failure can be had again;
another seed tries other inputs.

    CARECONTRACTS_FUZZ=20000 CARECONTRACTS_FUZZ_SEED=2 python -m pytest tests/engine/test_fuzz.py
"""

import csv
import io
import os
import random
import re
import shutil
import signal
import sys
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import yaml

from carecontracts import Contract, gallery, read_years
from carecontracts.chance.plausible import expected_years
from carecontracts.cli import main
from carecontracts.gallery import gallery_names
from carecontracts.paper.word import write_word
from carecontracts.parties import outside, price
from carecontracts.programs import mssp, reach
from carecontracts.synthetic import people as synthetic
from carecontracts.year import columns_for

HERE = Path(__file__).parent
BY_HAND = HERE.parent / "people" / "claims-by-hand"
INPUTS = int(os.environ.get("CARECONTRACTS_FUZZ", "300"))
SEED = os.environ.get("CARECONTRACTS_FUZZ_SEED", "")
SECONDS = 120  # more than that is a hang

# What people type, paste, export and try.
WORDS = [
    "", " ", "0", "-0", "1", "-1", "2", "0.5", "0,5", "50", "50%", "$5", "1,250,000", "1e13", "1e300", "-1e300",
    "5e-324", "010",
    "1e-9", "1e400", "nan", "inf", "-inf", "NULL", "null", "~", "true", "yes", "99999999999999999999", "1_000",
    "1:30", "2026-13-45", "2026-01-01", "20250-03-01", "9999-12-31", "epoch", "x" * 300, "=1+1", "\t=1+1", "-1+1|cmd",
    "@SUM(A1)", "\x1b[31mred", "\x1b]0;t\x07", "\u202eevil", "\u200b", "\u3164", "caf\u00e9", "\ufeff", "a\nb",
    "a\r\nb",
    "<b>x</b>", "[red]x[/red]", "{share}", "{0}", "%s", "$x$", "`x`", "'", '"', "'; DROP TABLE x; --", "*", "[", "]",
    "a/b", "..", "plan", "practice", "all", "year", "spend", "lives", "kind", "2026", "2999", "-2026", "3000",
]  # fmt: skip
VALUES: list[Any] = [
    *WORDS, None, True, False, 0, -1, 1, 2, 0.5, 1.5, 50, 1e13, 1.1e13, 1e300, -1e300, 5e-324, 1e-300, float("nan"),
    float("inf"), float("-inf"), 10**20, [], {}, [None], [1], ["x"], ["x", "x"], {"x": 1}, {1: 0.5},
    {1: 0.5, 2026: 0.4},
    {0: 0, 2: 0.5}, {"lives": {1: 0.5}}, {"lives": {}}, {"kind": "x"}, [[]], {"x": {"x": {"x": 1}}}, {1990: "x"},
    [0, 1], [0.5, 0, 1], {0.0: 1.0},
]  # fmt: skip


class Broken(Exception):
    """What no command may do."""


# --- mutations --------------------------------------------------------------------------------------------------------


def bytes_of(raw: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, dropped, doubled or cut off; or two lines changed about."""
    at = rng.randrange(len(raw) + 1)
    to = min(len(raw), at + rng.choice([1, 1, 2, 10, 80]))
    how = rng.randrange(7)
    if how == 0:
        return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
    if how == 1:
        return raw[:at] + raw[to:]
    if how == 2:
        return raw[:at] + raw[at:to] + raw[at:]
    if how == 3:
        return raw[:at]
    if how == 4:
        return raw[:at] + rng.choice(WORDS).encode() + raw[at:]
    if how == 5:
        return rng.choice([b"", b"\n", b"\xef\xbb\xbf" + raw, raw.replace(b"\n", b"\r\n"), raw.replace(b",", b";"),
                           raw.decode("utf-8", "replace").encode("utf-16"), b"\x00" * 9, raw + b"\x00"])  # fmt: skip
    lines = raw.splitlines(keepends=True) or [b""]
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], rng.choice([lines[a], lines[b]])
    return b"".join(lines)


def words_of(raw: bytes, rng: random.Random) -> bytes:
    """A word or a number replaced."""
    text = raw.decode("utf-8", "replace")
    if not text:
        return raw
    signs = " \n\t,:;{}[]\"'|"
    at = rng.randrange(len(text))
    start = max((text.rfind(c, 0, at) for c in signs), default=-1) + 1
    end = min((n for c in signs if (n := text.find(c, at)) >= 0), default=len(text))
    return (text[:start] + rng.choice(WORDS) + text[end:]).encode()


def yaml_of(raw: bytes, rng: random.Random) -> bytes:
    """A value somewhere replaced, taken out, renamed, doubled or changed about with another."""
    try:
        data = yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError):
        return words_of(raw, rng)
    places: list[tuple[Any, Any]] = []
    held = [data]
    while held:
        inner = held.pop()
        for key in list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ():
            places.append((inner, key))
            held.append(inner[key])
    if not places:
        return words_of(raw, rng)
    inner, key = rng.choice(places)
    how = rng.randrange(6)
    if how <= 1:
        inner[key] = deepcopy(rng.choice(VALUES))
    elif how == 2:
        del inner[key]
    elif how == 3 and isinstance(inner, dict):
        inner[rng.choice([*WORDS, *(str(k) for _, k in places)])] = inner.pop(key)
    elif how == 4:
        other, there = rng.choice(places)
        if isinstance(other, list) == isinstance(inner, list) or rng.random() < 0.5:
            inner[key] = (
                deepcopy(other[there]) if there in other or (isinstance(other, list) and there < len(other)) else 0
            )
    elif isinstance(inner, list):
        inner.append(deepcopy(inner[key]))
    elif isinstance(inner[key], (int, float)):
        inner[key] = inner[key] * rng.choice([-1, 0, 0.5, 100, 1e6, 1e300])
    return yaml.safe_dump(
        data, allow_unicode=True, sort_keys=False, default_flow_style=rng.choice([None, True, False])
    ).encode()


def cells_of(raw: bytes, rng: random.Random) -> bytes:
    """A cell replaced; a column taken out, doubled, renamed or moved; a row doubled."""
    try:
        rows = list(csv.reader(io.StringIO(raw.decode())))
    except (ValueError, csv.Error):
        return bytes_of(raw, rng)
    if not rows or not rows[0]:
        return bytes_of(raw, rng)
    row, column = rng.choice(rows), rng.randrange(len(rows[0]))
    how = rng.randrange(7)
    if how <= 2:
        if column < len(row):
            row[column] = rng.choice(WORDS)
    elif how == 3:
        rows = [[*each[:column], *each[column + 1 :]] for each in rows]
    elif how == 4:
        rows = [[*each, *each[column : column + 1]] for each in rows]
    elif how == 5:
        rows[0][column] = rng.choice([*WORDS, rows[0][column] + "s", rows[0][column].upper(), rng.choice(rows[0])])
    else:
        rows.insert(rng.randrange(len(rows)), list(row))
    out = io.StringIO()
    csv.writer(out, delimiter=rng.choice(",,,,;\t"), lineterminator=rng.choice(["\n", "\r\n"])).writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def parquet_of(raw: bytes, rng: random.Random) -> bytes:
    """A column of Parquet of another kind, with a value that is none, renamed or taken out."""
    try:
        frame = pd.read_parquet(io.BytesIO(raw))
    except ValueError:  # mutated already, so that it is none
        return bytes_of(raw, rng)
    name = rng.choice(list(frame.columns))
    how = rng.randrange(8)
    if how == 0:
        frame = frame.drop(columns=name)
    elif how == 1:
        frame = frame.rename(
            columns={name: rng.choice([name + "s", name.upper(), "x", rng.choice(list(frame.columns[:2])) + " "])}
        )
    elif how == 2:
        frame[name] = rng.choice([None, 1.5, float("nan"), "x", True, pd.Timestamp("2025-01-01"), -1, 10**15])
    elif how == 3:
        frame[name] = frame[name].astype(str)
    elif how == 4:
        frame = frame.iloc[: rng.choice([0, 1])]
    elif how == 5:
        frame = pd.concat([frame, frame.iloc[:1]])
    elif len(frame):
        values = frame[name].astype(object)
        values.iloc[rng.randrange(len(frame))] = rng.choice([None, float("nan")])
        if pd.api.types.is_numeric_dtype(frame[name]):
            frame[name] = values.astype(float)
            frame.loc[frame.index[rng.randrange(len(frame))], name] = rng.choice(
                [np.inf, -np.inf, 1e300, -5.0, 1.5, 0.0]
            )
        else:
            text = frame[name].astype(str)
            text.iloc[rng.randrange(len(frame))] = rng.choice(WORDS)
            frame[name] = text if rng.random() < 0.5 else values
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


def words_of_word(raw: bytes, rng: random.Random) -> bytes:
    """A Word file whose text was edited: words changed, doubled, taken out, or set within marks that do not fit."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as packed, zipfile.ZipFile(out, "w") as again:
        for each in packed.infolist():
            data = packed.read(each)
            if each.filename == "word/document.xml":
                pieces = re.split(r"(<[^>]+>)", data.decode("utf-8"))
                for _ in range(rng.choice([1, 1, 2, 5])):
                    n = rng.randrange(len(pieces))
                    change = rng.choice(
                        ["", "0", "-1", "99999999999999999999", "[", "\u202e", "a" * 2000, pieces[n] * 2]
                    )
                    pieces[n] = change if rng.random() < 0.2 or not pieces[n].startswith("<") else pieces[n]
                data = "".join(pieces).encode("utf-8")
            again.writestr(each.filename, data)
    return out.getvalue()


def file_of(path: Path, rng: random.Random) -> None:
    raw = path.read_bytes()
    if path.suffix == ".docx":
        how: list[Callable[[bytes, random.Random], bytes]] = [words_of_word] * 5 + [bytes_of]
    elif path.suffix == ".parquet":
        how = [parquet_of] * 9 + [bytes_of]
    elif path.suffix == ".yaml":
        how = [yaml_of, yaml_of, yaml_of, yaml_of, words_of, bytes_of]
    else:
        how = [cells_of, cells_of, cells_of, words_of, bytes_of]
    path.write_bytes(rng.choice(how)(raw, rng))


def folder_of(path: Path, rng: random.Random) -> None:
    """A file of the folder mutated, taken out, renamed, doubled, or turned into a folder."""
    file = rng.choice(sorted(item for item in path.iterdir() if item.is_file() and item.stem != item.name))
    how = rng.randrange(12)
    if how == 0:
        file.unlink()
    elif how == 1:
        file.rename(
            file.with_name(rng.choice([file.stem + "s" + file.suffix, "x.txt", file.stem + ".CSV", file.name + ".gz"]))
        )
    elif how == 2:
        (path / rng.choice(["x.csv", ".hidden", file.stem + "_2025" + file.suffix, "caf\u00e9.parquet"])).write_bytes(
            file.read_bytes()
        )
    elif how == 3:
        (path / file.stem).mkdir()
        file.rename(path / file.stem / ("a" + file.suffix))
    elif how == 4:
        file.unlink()
        file.mkdir()
    else:
        file_of(file, rng)


# --- commands ---------------------------------------------------------------------------------------------------------


class Command(NamedTuple):
    words: tuple[str, ...]  # with the names of inputs in braces
    inputs: tuple[str, ...]
    share: int  # of the inputs: what is slow has fewer
    options: dict[str, tuple[str, ...]]  # and values that are not too large to wait for
    writes: tuple[str, ...]


ODD = ("0", "-1", "1e300", "5e-324", "nan", "inf", "x", "", "99999999999999999999", "1.5", "1e400", "-5")
MOVED = "--term=care management fee.per_member_per_month=100:300"
FILE = ("--out {o}.csv",)
COMMANDS = {
    "settle": Command(
        ("settle", "{deal}", "{years}"),
        ("deal", "years"),
        20,
        {},
        ("--out {o}.csv --cash-flow {o}.m.csv", "--out {o}.xlsx", ""),
    ),
    "term-sheet": Command(("term-sheet", "{deal}"), ("deal",), 16, {}, ("--out {o}.md", "--out {o}.docx", "")),
    "years": Command(("years", "{deal}"), ("deal",), 6, {}, ("--out {o}.csv", "")),
    "gallery": Command(("gallery",), (), 0, {}, ("",)),
    "definitions": Command(("claims", "definitions"), (), 0, {}, ("",)),
    "mssp": Command(("mssp", "{results}"), ("results",), 12, {"--year": (*ODD, "2022", "2019", "1990", "2030")}, FILE),
    "reach": Command(
        ("reach", "{organizations}"),
        ("organizations",),
        12,
        {"--year": (*ODD, "2022", "2023", "1990", "2030")},
        ("--out {o}.csv --lines {o}.l.csv", ""),
    ),
    "net": Command(
        ("net", "{target}", "--outside", "{outside}", "--draws=20", "--effect=0.05"),
        ("target", "outside", "outside"),
        5,
        {
            "--effect": (*ODD, "0", "0.99", "1"),
            "--lives": (*ODD, "1", "1000000"),
            "--member-cost": ODD,
            "--price-of": ("x", "", "care management fee", "shared savings", "\x1b[31m"),
            "--cost": ("practice=1", "practice=1e400", "=1", "practise=5"),
        },
        (*FILE, "--out {o}.xlsx"),
    ),
    "zone": Command(
        ("zone", "{target}", "--outside", "{outside}", "--draws=20", "--effect=0.05", "--steps=2", MOVED),
        ("target", "outside", "outside"),
        5,
        {
            "--term": (
                "care management fee.per_member_per_month=100:300",
                "a.b=1:2",
                "=",
                "x",
                "a.b=2:1",
                "a.b=1:1e400",
            ),
            "--most-loss": ("plan=0.3", "plan=2", "=", "plna=0.1"),
            "--steps": (*ODD, "2"),
        },
        FILE,
    ),
    "review": Command(
        ("check", "{whole}"),
        ("whole",),
        4,
        {"--lives": (*ODD, "1"), "--effect": (*ODD, "0.99"), "--line": ("medicare", "x", ""), "--member-cost": ODD},
        (*FILE, "--fix {o}.yaml"),
    ),
    "select": Command(
        ("select", "{answers}"),
        ("answers",),
        4,
        {"--answer": ("people=0", "people=1e400", "x=1", "=", "doubt=both doubt", "line=\x1b[31m"), "--start": ODD},
        ("--out {o}.yaml", ""),
    ),
    "agreement": Command(
        ("agreement", "{whole}"),
        ("whole",),
        2,
        {"--lives": (*ODD, "1"), "--dated": (*ODD, "2026-02-30", "tomorrow"), "--before": ("x", "", "shared-savings")},
        ("--theirs {o}.docx", "--theirs {o}.docx --ours {o}.o.docx", "--ours {o}.pdf"),
    ),
    "compare": Command(
        ("compare", "{whole}", "{edited}"),
        ("whole", "edited", "edited"),
        3,
        {"--lives": (*ODD, "1"), "--effect": (*ODD, "0.99"), "--line": ("medicare", "x", "")},
        ("--out {o}.csv --take {o}.yaml --redline {o}.docx", ""),
    ),
    "audit": Command(
        ("audit", "{target}", "{held}", "{statement}"),
        ("target", "held", "statement", "statement"),
        6,
        {},
        ("--out {o}.csv --letter {o}.txt",),
    ),
    "price": Command(
        ("price", "{program}"), ("program",), 14, {"--chance": (*ODD, "0.001", "0.999", "0.9", "1")}, FILE
    ),
    "odds": Command(
        ("odds", "{deal}", "{years}", "--draws=20"),
        ("deal", "years"),
        10,
        {
            "--draws": (*ODD, "2", "50"),
            "--effect": (*ODD, "1", "0.3", "-0.5", "0.99"),
            "--spread": (*ODD, "0.01", "20", "8"),
            "--seed": (*ODD, "9223372036854775808", "9223372036854775809"),
            "--lives": (*ODD, "1", "2", "7", "1000000", "1000001"),
            "--truncation": (*ODD, "1", "2", "1e13", "100000"),
            "--cost": ("plan=1", "x=1", "plan=", "=1", "plan=1e300", "plan=nan", "plan=-1"),
        },
        FILE,
    ),
    "make": Command(
        ("claims", "make", "{o}", "--members=15", "--years=2"),
        (),
        2,
        {
            "--members": (*ODD, "1", "2", "10000001"),
            "--years": (*ODD, "1", "10", "11"),
            "--seed": (*ODD, "2", "9223372036854775809"),
            "--first-year": (*ODD, "2022", "2032", "2033", "2024"),
            "--line": ("x", "", "dual", "medicare", "commercial", "\x1b[31m"),
        },
        ("",),
    ),
    "import": Command(("claims", "import", "{layout}", "{source}", "{o}"), ("source",), 3, {}, ("",)),
    "check": Command(("claims", "check", "{claims}"), ("claims",), 3, {}, FILE),
    "crosswalk": Command(
        ("claims", "crosswalk", "{claims}", "--definition={definition}", "--definition=stays"),
        ("claims", "definition", "definition"),
        1,
        {
            "--year": (*ODD, "2023", "2024", "2030"),
            "--definition": ("x", "", "cost", "dearest", "predicted", "\x1b[31m"),
        },
        FILE,
    ),
    "measure": Command(
        ("measure", "{claims}", "{measured}"),
        ("claims", "measured", "measured"),
        2,
        {"--unmasked-for": ("the plan", "", " ", "\x1b[31m", "=1+1")},
        ("--out {o}.csv --reconciliation {o}.r",),
    ),
}


PLAIN = """
title: A fee and savings, measured
summary: The plan pays a fee and a share of savings.
parties: {plan: the plan, practice: the practice}
first_year: 2025
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: practice, due: monthly,
     per_member_per_month: {high: 85, others: 10}}
  - {name: savings, kind: corridor, of: savings, payer: plan, payee: practice, due: quarterly, bands: {0: 0, 0.02: 0.5}}
measurement:
  population: {age_from: 18, left_out: [hospice]}
  tiers: {high: {definition: {stays: {at_least: 2}}}, others: {definition: everyone}}
  attribution: {kind: everyone}
  enrollment: {least: 3}
  spending: {cost: paid, truncated_at: 100000}
  run_out: {months: 3}
  benchmark: {kind: fixed, per_member_per_month: 900}
  measures: {emergency: {measure: emergency_visits, least: 2, otherwise: 0.5}}
"""


def seeds(folder: Path) -> None:
    """One valid input of each kind, and another of some."""
    for name in gallery_names():
        text = gallery(name).read_text(encoding="utf-8")
        place = folder / ("measured" if "\nmeasurement:" in text else "deal")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name.replace('/', ' ')}.yaml").write_text(text, "utf-8")
    shutil.rmtree(folder / "measured")  # the claims below are of 2025 and a little before
    (folder / "measured").mkdir()
    text = gallery("complex-care-measured").read_text(encoding="utf-8").replace("first_year: 2026", "first_year: 2025")
    (folder / "measured" / "complex care.yaml").write_text(text, "utf-8")
    (folder / "measured" / "plain.yaml").write_text(PLAIN, "utf-8")
    (folder / "deal" / "four-clauses.yaml").write_bytes((HERE / "four-clauses.yaml").read_bytes())
    for name in (
        "program",
        "results",
        "organizations",
        "definition",
        "claims",
        "source",
        "target",
        "outside",
        "whole",
        "held",
        "statement",
        "edited",
        "answers",
    ):
        (folder / name).mkdir()
    (folder / "program" / "program.yaml").write_bytes(price.example().read_bytes())
    (folder / "target" / "hnhc-targeted.yaml").write_bytes(gallery("hnhc-targeted").read_bytes())
    (folder / "whole" / "whole.yaml").write_bytes(gallery("medicaid-with-beds").read_bytes())
    (folder / "answers" / "answers.yaml").write_text(
        "people: 600\nline: Medicaid\nbeds: most of their stays\nreserve_months: 6\ncountable: yes\nterm: 3\n"
    )
    beds = Contract.load(gallery("medicaid-with-beds"))
    write_word(beds.amend({"stays avoided": {"price": 5000}}), folder / "edited" / "edited.docx", before=beds)
    (folder / "held" / "years.csv").write_text(
        "year,member_months,benchmark,spend\n2026,7200,15000000,14000000\n2027,7100,15000000,13700000\n"
    )
    held = read_years(folder / "held" / "years.csv")
    ledger = Contract.load(gallery("hnhc-targeted")).settle(held)
    rows = [f"{line.year},{line.clause},{line.payer},{line.payee},{line.amount:.2f}" for line in ledger]
    (folder / "statement" / "statement.csv").write_text("\n".join(["year,clause,payer,payee,amount", *rows]) + "\n")
    (folder / "outside" / "outside.yaml").write_bytes(outside.example().read_bytes())
    (folder / "results" / "results.csv").write_bytes(b"".join(mssp.published_rows().read_bytes().splitlines(True)[:12]))
    rows = reach.published_rows().read_bytes().splitlines(True)[:12]
    (folder / "organizations" / "organizations.csv").write_bytes(b"".join(rows))
    rules: list[Any] = [
        "stays", {"any": [{"cost": {"dollars": 25000}}, {"stays": {"at_least": 2}}]},
        {"all": ["stays", {"aged": {"at_least": 65}}]},
        {"has": {"conditions": ["diabetes"]}}, {"nam_segment": {"segments": ["frail_elderly"]}},
    ]  # fmt: skip
    for n, rule in enumerate(rules):
        (folder / "definition" / f"{n}.yaml").write_text(yaml.safe_dump(rule), "utf-8")
    shutil.copytree(BY_HAND, folder / "claims" / "by-hand", ignore=shutil.ignore_patterns("README.md"))
    people = synthetic.panel("medicare", 20, 3, rng=np.random.default_rng(1))
    parquet = folder / "claims" / "parquet"
    parquet.mkdir()
    for name, table in synthetic.tables(people, rng=np.random.default_rng(2)).items():
        table.to_parquet(parquet / f"{name}.parquet", index=False)
    source = folder / "source" / "synpuf"
    source.mkdir()
    name = "DE1_0_2008_to_2010_{}_Claims_Sample_1.csv"
    (source / "DE1_0_2008_Beneficiary_Summary_File_Sample_1.csv").write_text(
        "DESYNPUF_ID,BENE_BIRTH_DT,BENE_DEATH_DT,BENE_SEX_IDENT_CD,BENE_RACE_CD,BENE_ESRD_IND,BENE_HI_CVRAGE_TOT_MONS,"
        "BENE_SMI_CVRAGE_TOT_MONS,BENE_HMO_CVRAGE_TOT_MONS\nA,19400501,,2,1,0,12,12,0\nB,19600615,20081101,1,2,Y,11,11,0\n"
    )
    (source / name.format("Inpatient")).write_text(
        "DESYNPUF_ID,CLM_ID,SEGMENT,CLM_FROM_DT,CLM_THRU_DT,CLM_PMT_AMT,AT_PHYSN_NPI,CLM_ADMSN_DT,NCH_BENE_DSCHRG_DT,"
        "CLM_PASS_THRU_PER_DIEM_AMT,NCH_BENE_IP_DDCTBL_AMT,CLM_UTLZTN_DAY_CNT,CLM_DRG_CD,ICD9_DGNS_CD_1,ICD9_PRCDR_CD_1\n"
        "A,1001,1,20081220,20081223,4000.00,1234567890,20081220,20081223,10,1024,3,217,41401,3722\n"
    )
    (source / name.format("Carrier")).write_text(
        "DESYNPUF_ID,CLM_ID,CLM_FROM_DT,CLM_THRU_DT,ICD9_DGNS_CD_1,HCPCS_CD_1,PRF_PHYSN_NPI_1,TAX_NUM_1,"
        "LINE_NCH_PMT_AMT_1,LINE_ALOWD_CHRG_AMT_1,LINE_PRCSG_IND_CD_1,LINE_ICD9_DGNS_CD_1\n"
        "B,3001,20080110,20080110,25000,99213,1111111111,222222222,60,80,A,4011\n"
    )
    (source / "DE1_0_2008_to_2010_Prescription_Drug_Events_Sample_1.csv").write_text(
        "DESYNPUF_ID,PDE_ID,SRVC_DT,PROD_SRVC_ID,QTY_DSPNSD_NUM,DAYS_SUPLY_NUM,PTNT_PAY_AMT,TOT_RX_CST_AMT\n"
        "A,4001,20080707,00093101301,30.000,30,10,40\n"
    )
    (source / name.format("Outpatient")).write_text(
        "DESYNPUF_ID,CLM_ID,SEGMENT,CLM_FROM_DT,CLM_THRU_DT,CLM_PMT_AMT,NCH_BENE_PTB_DDCTBL_AMT,HCPCS_CD_1,HCPCS_CD_2,ICD9_DGNS_CD_1\n"
        "A,2001,1,20080301,20080301,300,50,80053,99283,7866\nA,2002,1,20080301,20080301,70,0,,,29620\n"
    )


def an_input(sown: Path, place: Path, name: str, rng: random.Random, mutated: bool = True) -> list[str]:
    """The words of one run: its inputs, copied and mutated, and its options."""
    command = COMMANDS[name]
    out = place / (rng.choice(["o", "o", "o", "out put", "\u00f6", "[o]"]) if mutated else "o")
    given = {"o": str(out), "layout": rng.choice(["synpuf"] * 9 + ["medicare", "x"]) if mutated else "synpuf"}
    for kind in dict.fromkeys(command.inputs):
        if kind == "years":
            given[kind] = str(years_for(Path(given["deal"]), place, rng))
            continue
        chosen = rng.choice(sorted((sown / kind).iterdir()))
        put = place / (rng.choice([chosen.name, chosen.name, "a b" + chosen.suffix, "[a]" + chosen.suffix]))
        shutil.copytree(chosen, put) if chosen.is_dir() else shutil.copy(chosen, put)
        given[kind] = str(put)
    words = [word.format(**given) for word in command.words]
    for _ in range(rng.choice([1, 1, 1, 2, 3]) if mutated else 0):
        if command.options and (not command.inputs or rng.random() < 0.3):
            option = rng.choice(list(command.options))
            words = [word for word in words if not word.startswith(option + "=") or option == "--definition"]
            words.append(f"{option}={rng.choice(command.options[option])}")
        elif command.inputs:
            path = Path(given[rng.choice(command.inputs)])
            (folder_of if path.is_dir() else file_of)(path, rng)
        elif rng.random() < 0.5:
            words.append(rng.choice(WORDS))
    writes = rng.choice(command.writes).split()
    return [*words, *(part.format(**given) for part in writes)]


def years_for(deal: Path, place: Path, rng: random.Random) -> Path:
    """The years that a contract reads, as CSV or as YAML."""
    contract = Contract.load(deal)
    columns = columns_for(contract.facts())
    rows = [
        (year.year, *(0 if (value := year.fact(column)) is None else float(value) for column in columns))
        for year in expected_years(contract.amend(first_year_months=12), 500)  # luck asks for twelve
    ]
    put = place / rng.choice(["years.csv", "years.csv", "years.yaml"])
    if put.suffix == ".yaml":
        put.write_text(yaml.safe_dump([dict(zip(("year", *columns), row, strict=True)) for row in rows]), "utf-8")
        return put
    with put.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("year", *columns), *rows])
    return put


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run(words: list[str]) -> Done:
    """The command in this process, as a terminal would start it."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2)]
    before = sys.argv, sys.stdout, sys.stderr
    sys.argv, sys.stdout, sys.stderr = ["carecontracts", *words], *streams
    code: Any = 0
    try:
        with at_most(SECONDS):
            main()
    except SystemExit as done:
        code = done.code or 0
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise Broken(
            f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {str(error)[:200]}"
        ) from error
    finally:
        sys.argv, sys.stdout, sys.stderr = before
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
    return Done(code, out, err)


@contextmanager
def at_most(seconds: int):
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: Any) -> None:
        raise Broken(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judge(words: list[str], done: Done, place: Path, before: dict[str, bytes]) -> None:
    """Exit 0 with what was asked for, or 2 with a message and nothing; inputs as they were; text that is text."""
    reviewed = (
        words[0] in ("check", "audit") and done.code == 1
    )  # a sound draft with an error in it, a statement that differs
    if done.code not in (0, 2) and not reviewed:
        raise Broken(f"exit code {done.code}")
    for text in (done.out, done.err):
        if odd := next((c for c in text if not c.isprintable() and c != "\n"), None):
            raise Broken(f"prints {odd!r}")
        if "Traceback" in text:
            raise Broken("prints a traceback")
    writing = ("--out", "--cash-flow", "--reconciliation", "--fix")
    outputs = [Path(words[n + 1]) for n, word in enumerate(words[:-1]) if word in writing]
    if words[:2] in (["claims", "make"], ["claims", "import"]):
        outputs = [Path(words[2 if words[1] == "make" else 4])]
    if done.code == 0 or reviewed or (words[:2] == ["claims", "check"] and "of fault" in done.out):
        for path in outputs:
            judge_written(path)
    elif not any(said in done.err for said in ("mistake", "Usage:", "Error")):
        raise Broken("exit 2 without a message")
    elif any(path.exists() for path in outputs):
        raise Broken("exit 2, and something was written")
    if list(place.rglob("*.part")):
        raise Broken("a part of an output is left")
    for name, raw in before.items():
        if not Path(name).is_file() or Path(name).read_bytes() != raw:
            raise Broken(f"{Path(name).name} was changed")


def judge_written(path: Path) -> None:
    """A file that is whole, and tables whose cells are numbers that are some, and text that is text."""
    if not path.exists():
        raise Broken(f"{path.suffix} was not written")
    for file in sorted(path.glob("*.csv")) if path.is_dir() else [path] if path.suffix == ".csv" else []:
        with file.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.reader(opened))
        if not rows or len({len(row) for row in rows}) > 1:
            raise Broken(f"{file.name} is no table")
        for cell in (cell for row in rows for cell in row):
            if not cell.isprintable() or cell.lstrip()[:1] in ("=", "@"):
                raise Broken(f"{file.name} has the cell {cell!r}")
            if cell in ("nan", "inf", "-inf", "None"):
                raise Broken(f"{file.name} has {cell}")


@pytest.fixture(scope="module")
def sown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeds")
    seeds(folder)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_mutation_it_does_its_work(name: str, sown: Path, tmp_path: Path) -> None:
    """Else nothing would be tried."""
    words = an_input(sown, tmp_path, name, random.Random(0), mutated=False)
    done = run(words)
    judge(words, done, tmp_path, {})
    assert done.code == 0, done.err


@pytest.mark.parametrize("name", COMMANDS)
def test_it_does_its_work_or_says_what_is_wrong(name: str, sown: Path, tmp_path: Path) -> None:
    codes: Counter[int] = Counter()
    broken: dict[str, list[str]] = {}
    for n in range(max(2, INPUTS * COMMANDS[name].share // sum(each.share for each in COMMANDS.values()))):
        place = tmp_path / str(n)
        place.mkdir()
        words = an_input(sown, place, name, random.Random(f"{SEED}{name} {n}"))
        before = {str(item): item.read_bytes() for item in place.rglob("*") if item.is_file()}
        try:
            done = run(words)
            codes[done.code] += 1
            judge(words, done, place, before)
        except Broken as error:
            if str(error) not in broken:
                print(f"{name} {n}: {error}", flush=True)
            broken.setdefault(str(error), []).append(f"{name} {n}: {' '.join(map(repr, words))}")
        shutil.rmtree(place)
    print(f"{name}: {codes.total():,} runs, {dict(codes)}")
    assert not broken, "\n" + "\n".join(f"{len(of):,} x {told}\n    {of[0]}" for told, of in broken.items())
