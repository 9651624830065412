"""Contracts and settled years as resources of the HL7 VBPR guide: valid FHIR R4, and what the guide's profiles ask.

FHIR R4B has the Measure and the MeasureReport of R4. The guide's own files (1.0.0, CC0) stay outside the project.
"""

import csv
import json
import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.measure import Measure
from fhir.resources.R4B.measurereport import MeasureReport

from carecontracts import Contract, Refusal, Year, gallery, read_years
from carecontracts.chance.plausible import expected_years
from carecontracts.gallery import gallery_names
from carecontracts.paper.vbpr import CATEGORIES, METRICS, STREAMS, bundle, payments, read_report

SAVINGS = Contract.load(gallery("shared-savings"))
YEAR = Year(
    year=2026, member_months={"standard": 8_000, "complex": 4_000}, benchmark=24e6, spend=21e6,
    measures={"quality score": 0.9},
)  # fmt: skip
GUIDE = "http://hl7.org/fhir/us/davinci-vbpr"
DATED = [name for name in gallery_names() if Contract.load(gallery(name)).first_year >= 100]


@pytest.fixture(scope="module")
def guide() -> Path:
    folder = os.environ.get("CARECONTRACTS_ORACLES")
    if not folder:
        pytest.skip("CARECONTRACTS_ORACLES is not set: it names the folder with the guide's files")
    return Path(folder) / "vbpr"


def settled(contract: Contract) -> dict[str, Any]:
    years = [] if contract.first_year_months != 12 else expected_years(contract, 500, effect=0.05)
    return bundle(contract, years)


def of_kind(made: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["resource"] for each in made["entry"] if each["resource"]["resourceType"] == kind]


# --- valid as FHIR ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DATED)
def test_every_contract_and_its_years_are_valid_fhir(name: str) -> None:
    made = settled(Contract.load(gallery(name)))
    text = json.dumps(made, allow_nan=False)
    again = json.loads(Bundle.model_validate_json(text).model_dump_json())
    assert len(again["entry"]) == len(made["entry"])
    for resource in of_kind(made, "Measure"):
        Measure.model_validate_json(json.dumps(resource))
    for resource in of_kind(made, "MeasureReport"):
        MeasureReport.model_validate_json(json.dumps(resource))
    urls = [each["fullUrl"] for each in made["entry"]]
    assert len(set(urls)) == len(urls)
    named = set(re.findall(r'"reference": "(urn:uuid:[0-9a-f-]+)"', text))
    assert named <= set(urls)


def test_a_contract_that_counts_its_years_is_told_that_a_report_has_dates() -> None:
    counted = next(c for name in gallery_names() if (c := Contract.load(gallery(name))).first_year < 100)
    with pytest.raises(Refusal, match="calendar year"):
        bundle(counted)


# --- and as the guide has it ------------------------------------------------------------------------------------------


def codes(guide: Path, system: str) -> set[str]:
    """The codes of one of the guide's code systems, from its FSH."""
    text = (guide / "CS-CodeSystems.fsh").read_text("utf-8")
    (part,) = [p for p in re.split(r"\n(?=CodeSystem: )", text) if re.search(rf"^Id: {system}$", p, re.M)]
    return set(re.findall(r"^\* #(\S+)", part, re.M))


def codings(element: Any) -> Iterator[dict[str, Any]]:
    if isinstance(element, dict):
        if "system" in element and "code" in element:
            yield element
        for each in element.values():
            yield from codings(each)
    elif isinstance(element, list):
        for each in element:
            yield from codings(each)


@pytest.mark.parametrize("name", DATED)
def test_every_code_is_one_of_the_guides_own(name: str, guide: Path) -> None:
    systems = {
        "http://terminology.hl7.org/CodeSystem/hcp-lan-apm-framework": codes(guide, "hcplan-framework"),
        "https://nahdo.org/sopt": set(re.findall(r"\$SOP#(\d)", (guide / "VS-ValueSets.fsh").read_text("utf-8"))),
        "http://hl7.org/fhir/CodeSystem/measurereport-category": {"vbp"},
        "http://terminology.hl7.org/CodeSystem/measure-population": {"denominator"},
    }
    for coding in codings(settled(Contract.load(gallery(name)))):
        system = coding["system"]
        known = systems.get(system) or codes(guide, system.removeprefix(f"{GUIDE}/CodeSystem/"))
        assert coding["code"] in known, coding


def test_our_tables_of_codes_are_the_guides(guide: Path) -> None:
    assert set(STREAMS) == codes(guide, "payment-stream")
    assert set(METRICS) <= codes(guide, "vbp-performance-metric")
    assert set(CATEGORIES) == codes(guide, "hcplan-framework")


def at(resource: Any, path: list[str]) -> list[Any]:
    """All that stands at a path of a resource."""
    found = [resource]
    for step in path:
        inside = [each.get(step) for each in found if isinstance(each, dict)]
        found = [x for each in inside for x in (each if isinstance(each, list) else [each]) if x is not None]
    return found


def slices(held: list[Any], url: str) -> list[Any]:
    return [each for each in held if isinstance(each, dict) and each.get("url") == url]


@pytest.mark.parametrize(
    ("profile", "kind"),
    [("vbp-performance-measurereport", "performance"), ("vbp-quality-measurereport", "quality")],
)
def test_what_a_profile_requires_is_there_and_what_it_bars_is_not(profile: str, kind: str, guide: Path) -> None:
    told = json.loads((guide / f"StructureDefinition-{profile}.json").read_text("utf-8"))
    held = 0
    for name in DATED:
        for report in of_kind(settled(Contract.load(gallery(name))), "MeasureReport"):
            if report["meta"]["profile"] != [told["url"]]:
                continue
            held += 1
            for element in told["differential"]["element"]:
                path, _, sliced = element["id"].removeprefix("MeasureReport").lstrip(".").partition(":")
                if not path:
                    continue
                *above, last = path.split(".")
                for parent in at(report, above):
                    here = at(parent, [last])
                    if sliced and "." not in sliced and last == "extension":
                        here = slices(here, element["type"][0]["profile"][0])
                    elif sliced:
                        continue
                    least, most = element.get("min") or 0, element.get("max") or "*"
                    assert len(here) >= least, (name, element["id"])
                    assert most == "*" or len(here) <= int(most), (name, element["id"])
                    if "fixedCode" in element and not sliced:
                        assert here == [element["fixedCode"]], (name, element["id"])
            if kind == "performance":
                (category,) = slices(
                    report["extension"], "http://hl7.org/fhir/StructureDefinition/measurereport-category"
                )
                assert [c["code"] for c in category["valueCodeableConcept"]["coding"]] == ["vbp"]
    assert held > 20


def test_the_measure_has_what_its_profile_asks() -> None:
    """SD-VbpMeasure.fsh, and the shareable measure that it rests on: no scoring, components with their status."""
    for name in DATED:
        (measure,) = of_kind(bundle(Contract.load(gallery(name))), "Measure")
        for needed in ("url", "version", "name", "title", "status", "experimental", "publisher", "description"):
            assert needed in measure, (name, needed)
        assert re.fullmatch(r"[A-Z]([A-Za-z0-9_]){0,254}", measure["name"]), name
        for barred in ("scoring", "compositeScoring", "improvementNotation"):
            assert barred not in measure
        for part in measure.get("relatedArtifact", []):
            assert part["type"] == "composed-of"
            assert part["resource"]
            assert len(slices(part["extension"], f"{GUIDE}/StructureDefinition/contractual-status")) == 1
        known = {f"{GUIDE}/StructureDefinition/{each}" for each in ("lob", "program-model", "payment-stream")}
        assert {each["url"] for each in measure.get("extension", [])} <= known


# --- what it says -----------------------------------------------------------------------------------------------------


def test_a_settled_year_by_hand() -> None:
    """The year of the shared savings chapter: a fee of 800,000, 990,000 earned, 400,000 of it paid back."""
    (report,) = [r for r in of_kind(bundle(SAVINGS, [YEAR]), "MeasureReport") if "subject" in r]
    assert (report["subject"]["display"], report["reporter"]["display"]) == ("the practice", "the plan")
    assert report["period"] == {"start": "2026-01-01", "end": "2026-12-31"}
    amounts = {
        group["id"]: group["measureScore"]["extension"][0]["valueMoney"]["value"]
        for group in report["group"]
        if "extension" in group["measureScore"]
    }
    assert amounts == {
        "paragraph-1": 400_000, "paragraph-2": 800_000, "paragraph-3": 990_000, "paragraph-4": 0,
        "paragraph-5": -400_000, "spend": 21e6, "benchmark": 24e6,
    }  # fmt: skip
    assert [g["measureScore"]["value"] for g in report["group"] if g["id"] == "member-months"] == [12_000]


def test_what_is_written_is_read_back_to_the_cent(tmp_path: Path) -> None:
    for name in ("shared-savings", "medicaid-with-beds", "pay-for-success"):
        contract = Contract.load(gallery(name))
        if contract.first_year < 100:
            contract = contract.amend(first_year=2026)
        years = expected_years(contract, 500, effect=0.05)
        path = tmp_path / "bundle.json"
        path.write_text(json.dumps(bundle(contract, years)), "utf-8")
        rows = read_report(path)
        for party, full in contract.parties.items():
            if party == contract.payer:
                continue
            got = sum(r.value for r in rows if r.subject == full and r.group.startswith("paragraph-"))
            assert got == pytest.approx(contract.settle(years).net().get(party, 0.0), abs=0.005), (name, party)


def test_a_year_that_begins_in_july_has_its_own_dates() -> None:
    contract = SAVINGS.amend(year_starts=7)
    (report,) = [r for r in of_kind(bundle(contract, [YEAR], date(2028, 1, 31)), "MeasureReport") if "subject" in r]
    assert report["period"] == {"start": "2026-07-01", "end": "2027-06-30"}
    assert report["date"] == "2028-01-31"


# --- the guide's examples ---------------------------------------------------------------------------------------------


def from_fsh(path: Path) -> dict[str, Any]:
    """An instance in FHIR Shorthand as JSON: assignments, indices [n], [=] and [+], and three kinds of value."""
    aliases = {"$measurereport-category": "http://hl7.org/fhir/StructureDefinition/measurereport-category"}
    resource: dict[str, Any] = {"resourceType": "MeasureReport"}
    last: dict[str, int] = {}
    for line in path.read_text("utf-8").splitlines():
        if not (found := re.match(r"\* (\S+) = (.+)$", line)):
            continue
        steps, value = found[1].split("."), found[2].strip()
        here: Any = resource
        so_far = ""
        for n, step in enumerate(steps):
            name, _, index = step.partition("[")
            so_far += f".{name}"
            repeats = name in REPEATED or steps[n - 1 : n + 1] == ["stratifier", "code"]
            if not repeats:
                if n == len(steps) - 1:
                    here[name] = fsh_value(name, aliases.get(value, value), here.get(name))
                else:
                    here = here.setdefault(name, {})
                continue
            held = here.setdefault(name, [])
            at = last.get(so_far, 0)
            asked = index.rstrip("]")
            at = at + 1 if asked == "+" and held else at if asked in ("=", "") else 0 if asked == "+" else int(asked)
            if asked == "+" and not held:
                at = 0
            if asked == "+":  # what is inside it begins anew
                last = {key: k for key, k in last.items() if not key.startswith(so_far + f"[{at}]")}
            last[so_far] = at
            while len(held) <= at:
                held.append({})
            so_far += f"[{at}]"
            if n == len(steps) - 1:
                held[at] = fsh_value(name, aliases.get(value, value), held[at])
            else:
                here = held[at]
    return resource


REPEATED = {"extension", "group", "stratifier", "stratum", "component", "evaluatedResource"}


def fsh_value(name: str, text: str, before: Any) -> Any:
    if text.startswith('"'):
        return text.strip('"')
    if found := re.fullmatch(r"Reference\((.+)\)", text):
        return {**(before or {}), "reference": found[1]}
    if found := re.fullmatch(r'(\S+?)#(\S+)(?: "(.*)")?', text):
        coding = {"system": found[1], "code": found[2]} | ({"display": found[3]} if found[3] else {})
        return {**(before or {}), "coding": [coding]}
    if found := re.fullmatch(r"(-?[\d.]+) '(.+)'", text):
        return {**(before or {}), "value": float(found[1]), "unit": found[2]}
    if text.startswith("#"):
        return text[1:]
    return float(text) if re.fullmatch(r"-?[\d.]+", text) else text


@pytest.mark.parametrize("number", [101, 103])
def test_the_guides_examples_read_back_into_a_statement(number: int, guide: Path, tmp_path: Path) -> None:
    example = from_fsh(guide / f"Example-MeasureReport-vbp-measurereport{number}.fsh")
    path = tmp_path / "example.json"
    path.write_text(json.dumps(example), "utf-8")
    rows = read_report(path)
    told = (guide / f"Example-MeasureReport-vbp-measurereport{number}.fsh").read_text("utf-8")
    resting = [row for row in rows if row.metric.startswith("rests on ")]
    assert len(resting) == len(re.findall(r"^\* evaluatedResource\[[^\]]*\] = ", told, re.M)) > 0
    if number == 103:
        assert len(rows) == len(resting) == 6
        return
    groups = re.findall(r"^\* group\[[^\]]*\]\.id = \"(.+)\"", told, re.M)
    assert list(dict.fromkeys(row.group for row in rows if row not in resting))[: len(groups)] == groups
    by_hand = {(row.group, row.part): row for row in rows if row not in resting}
    assert by_hand["ssq-group-starscore", ""].value == 3.8
    assert by_hand["ssq-group-01", ""][3:5] == ("Shared savings gated on quality", "Member months")
    assert by_hand["ssq-group-01", ""].value == 300
    of_months = [row for row in rows if row.group == "ssq-group-01" and row.part]
    assert [row.value for row in of_months] == [100, 50, 50, 200, 150, 50]
    assert [row.value for row in rows if row.metric == "Earned incentive" and not row.part][-1] == 11_900


# --- the command ------------------------------------------------------------------------------------------------------


def test_there_and_back_by_the_command(run: Any, tmp_path: Path) -> None:
    years, made, out = tmp_path / "years.csv", tmp_path / "made.json", tmp_path / "read.csv"
    run("years", "hnhc-targeted", "--out", years)
    years.write_text("year,member_months,benchmark,spend\n2026,7200,15000000,14000000\n", "utf-8")
    assert run("vbpr", "hnhc-targeted", "--years", years, "--out", made).code == 0
    done = run("vbpr", "--read", made, "--out", out)
    assert done.code == 0, done.err
    ledger = Contract.load(gallery("hnhc-targeted")).settle(read_years(years))
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert [float(row["value"]) for row in rows if row["group"].startswith("paragraph-")] == [
        line.amount if line.payer == "plan" else -line.amount for line in ledger
    ]
    assert payments(read_report(made))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "an empty file"),
        ("{", "no JSON"),
        ('{"resourceType": "Patient"}', "no MeasureReport"),
        ("[1]", "no MeasureReport"),
        ('{"resourceType": "MeasureReport", "group": [5]}', "not built as FHIR"),
        ('{"resourceType": "MeasureReport", "group": [{"measureScore": {"value": NaN}}]}', "no JSON"),
        ('{"a":' * 50_000, "no JSON"),
    ],
)
def test_what_is_no_report_is_refused(text: str, told: str, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, "utf-8")
    done = run("vbpr", "--read", path)
    assert done.code == 2
    assert told in done.err


def test_one_of_the_two_is_named(run: Any) -> None:
    assert run("vbpr").code == 2
    assert run("vbpr", "shared-savings", "--read", "x.json").code == 2
