"""A contract and its settled years as HL7 Da Vinci VBPR resources (FHIR R4), and such a report read back.

The guide is Value-Based Performance Reporting 1.0.0, http://hl7.org/fhir/us/davinci-vbpr. A contract is a Measure, a
settled year a summary MeasureReport for each party beside the payer. Every code is one of the guide's own; what has
none of its own is told in words.
"""

import json
import math
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from ..contract import Contract
from ..files import read_text
from ..ledger import Ledger, Line
from ..refusal import Fault, Refusal, show
from ..units import add_up
from ..year import Year
from .fingerprint import fingerprint_of
from .term_sheet import paragraph

GUIDE = "http://hl7.org/fhir/us/davinci-vbpr"
MEASURE = f"{GUIDE}/StructureDefinition/vbp-measure"
REPORT = f"{GUIDE}/StructureDefinition/vbp-performance-measurereport"
QUALITY = f"{GUIDE}/StructureDefinition/vbp-quality-measurereport"
LAN = "http://terminology.hl7.org/CodeSystem/hcp-lan-apm-framework"
PAYERS = "https://nahdo.org/sopt"
CATEGORY = "http://hl7.org/fhir/StructureDefinition/measurereport-category"
MOST_BYTES = 20_000_000
STREAMS = {  # payment streams of the guide: the code, what it is called, and the metric of what was earned by it
    "ccf": ("Care coordination fee", "earnings-ccf"),
    "ccf-with-risk": ("Care coordination fee with risk adjustment", "earnings-ccf"),
    "eoc": ("Episode of care", ""),
    "pcpcp": ("Primary Care Physician (PCP) capitation payment", "earnings-cap"),
    "ssq": ("Shared savings gated on quality", "earnings-ssl"),
    "ssl": ("Shared savings loss percent", "earnings-ssl"),
    "ssp": ("Shared savings percent", "earnings-ssl"),
    "tcoc": ("Total cost of care", "earnings-ssl"),
    "qip": ("Quality incentive payment", "earnings-qip"),
}
METRICS = {
    "earnings-ccf": "Earnings CCF",
    "earnings-cap": "Earnings capitated",
    "earnings-ssl": "Earnings SSL",
    "earnings-qip": "Earnings QIP",
    "member-months": "Member months",
    "med-rx-cost": "Medical pharmacy cost",
    "med-rx-cost-target": "Medical pharmacy cost target",
}
CATEGORIES = ("2A", "2B", "2C", "3A", "3B", "3N", "4A", "4B", "4C", "4N")
LINES = {  # of business, in the guide's value set
    "Medicare": ("1", "MEDICARE"),
    "Medicare Advantage": ("1", "MEDICARE"),
    "Medicaid": ("2", "MEDICAID"),
    "commercial": ("5", "PRIVATE HEALTH INSURANCE"),
    "self-insured": ("5", "PRIVATE HEALTH INSURANCE"),
}
FACTS = {"member_months": "member-months", "spend": "med-rx-cost", "benchmark": "med-rx-cost-target"}


# --- out --------------------------------------------------------------------------------------------------------------


def bundle(contract: Contract, years: Sequence[Year] = (), on: date | None = None) -> dict[str, Any]:
    """The contract, its parties, and the years that are given, settled, as one collection of resources.

    `on` is the day on which it is reported; without it, the last day of each year.

    >>> from carecontracts import Contract, Year, gallery
    >>> contract = Contract.load(gallery("shared-savings"))
    >>> [entry["resource"]["resourceType"] for entry in bundle(contract)["entry"]]
    ['Organization', 'Organization', 'Measure']
    """
    _has_dates(contract)
    resources = [*_organizations(contract), measure(contract)]
    if years:
        ledger = contract.settle(years)
        for year in years:
            quality = list(_quality(contract, year, on))
            resources += quality
            resources += [
                report(contract, year, ledger, party, on, quality)
                for party in contract.parties
                if party != contract.payer
            ]
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def measure(contract: Contract) -> dict[str, Any]:
    """The contract as a Measure of the guide (profile vbp-measure)."""
    purpose = contract.provisions.purpose if contract.provisions else None
    line = [purpose.line_of_business] if purpose else []
    lans = [code for each in contract.clauses if (code := _category(each.categories()[0]))]
    streams = [each.categories()[1] for each in contract.clauses]
    first = contract.months_of(contract.first_year)
    period = {"start": _day(first[0]).isoformat()}
    if contract.years:
        last = contract.months_of(contract.numbers(contract.years)[-1])
        period["end"] = _last_day(last[-1]).isoformat()
    extensions = [
        *(_extension("lob", valueCodeableConcept=_concept(PAYERS, *LINES.get(each, ("", each)))) for each in line),
        *(
            _complex("program-model", hcplan=_concept(LAN, code, f"Category {code}"))
            for code in dict.fromkeys(lans)
        ),
        *(_complex("payment-stream", type=_stream(code)) for code in dict.fromkeys(streams)),
    ]  # fmt: skip
    paid = {name for clause in contract.clauses for name in _measures(clause.facts)}
    named = [*sorted(paid), *(goal.measure for goal in contract.goals if goal.measure not in paid)]
    words = [f"{n}. {clause.name}: {paragraph(contract, clause)}" for n, clause in enumerate(contract.clauses, 1)]
    metrics = dict.fromkeys(
        [
            *filter(None, (_metric(code) for code in streams)),
            *(metric for fact, metric in FACTS.items() if _reads(contract, fact)),
        ]
    )
    groups = [{"code": _of_guide("vbp-performance-metric", metric, METRICS[metric])} for metric in metrics]
    return {
        "resourceType": "Measure",
        "id": _id(contract, "measure"),
        "meta": {"profile": [MEASURE]},
        **({"extension": extensions} if extensions else {}),
        "url": f"urn:uuid:{_id(contract, 'measure')}",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{_id(contract, 'measure')}"}],
        "version": fingerprint_of(contract).replace(" ", ""),
        "name": _name(contract.title),
        "title": contract.title,
        "status": "draft",
        "experimental": False,
        "date": period["start"],
        "publisher": contract.parties[contract.payer],
        "description": "\n".join([contract.summary, "", *words]),
        "effectivePeriod": period,
        **({"relatedArtifact": [_component(contract, name, name in paid) for name in named]} if named else {}),
        **({"group": groups} if groups else {}),
    }


def report(
    contract: Contract, year: Year, ledger: Ledger, party: str, on: date | None = None, quality: Sequence[Any] = ()
) -> dict[str, Any]:
    """One year of one party as a MeasureReport (profile vbp-performance-measurereport): what it got less what it gave.

    A group for each line of the statement that the party is in, in order: its id is the number of the paragraph.
    """
    months = contract.months_of(year.year)
    numbers = {clause.name: n for n, clause in enumerate(contract.clauses, 1)}
    lines = [each for each in ledger if each.year == year.year and party in (each.payer, each.payee)]
    groups = [_paid(contract, line, numbers[line.clause], party, months) for line in lines]
    groups += list(_measured(contract, year))
    period = {"start": _day(months[0]).isoformat(), "end": _last_day(months[-1]).isoformat()}
    return {
        "resourceType": "MeasureReport",
        "id": _id(contract, f"report {year.year} {party}"),
        "meta": {"profile": [REPORT]},
        "extension": [
            {
                "url": CATEGORY,
                "valueCodeableConcept": {
                    "coding": [{"system": "http://hl7.org/fhir/CodeSystem/measurereport-category", "code": "vbp"}]
                },
            }
        ],
        "status": "complete",
        "type": "summary",
        "measure": f"urn:uuid:{_id(contract, 'measure')}",
        "subject": {
            "extension": [_extension("organization-subject", valueReference=_reference(contract, party))],
            "display": contract.parties[party],
        },
        "date": (on or _last_day(months[-1])).isoformat(),
        "reporter": _reference(contract, contract.payer),
        "period": period,
        **({"group": groups} if groups else {}),
        **({"evaluatedResource": [{"reference": f"urn:uuid:{each['id']}"} for each in quality]} if quality else {}),
    }


def _paid(contract: Contract, line: Line, number: int, party: str, months: range) -> dict[str, Any]:
    code = contract.clauses[number - 1].categories()[1]
    metric = _metric(code)
    amount = round(float(line.amount) * (1 if line.payee == party else -1), 2) + 0.0
    return {
        "id": f"paragraph-{number}",
        "extension": [
            _complex("payment-stream", type=_stream(code, line.clause)),
            _extension("service-period", valuePeriod=_period(months)),
        ],
        "code": {**_of_guide("vbp-performance-metric", metric, METRICS[metric]), "text": line.clause}
        if metric
        else {"text": line.clause},
        "measureScore": _money(amount),
    }


def _measured(contract: Contract, year: Year) -> Iterator[dict[str, Any]]:
    """The facts that settle and have a metric of the guide."""
    for fact, metric in FACTS.items():
        value = year.fact(fact)
        if _reads(contract, fact) and value is not None:
            score = {"value": float(value)} if fact == "member_months" else _money(float(value))
            yield {
                "id": fact.replace("_", "-"),
                "code": _of_guide("vbp-performance-metric", metric, METRICS[metric]),
                "measureScore": score,
            }


def _quality(contract: Contract, year: Year, on: date | None) -> Iterator[dict[str, Any]]:
    """Each measure's result as a MeasureReport (profile vbp-quality-measurereport)."""
    months = contract.months_of(year.year)
    for name, value in year.measures.items():
        counted = year.denominators.get(name)
        code = {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/measure-population", "code": "denominator"}]
        }
        population = [{"code": code, "count": int(counted)}] if counted is not None and counted == int(counted) else []
        yield {
            "resourceType": "MeasureReport",
            "id": _id(contract, f"measure report {year.year} {name}"),
            "meta": {"profile": [QUALITY]},
            "status": "complete",
            "type": "summary",
            "measure": _canonical(contract, name),
            "date": (on or _last_day(months[-1])).isoformat(),
            "reporter": _reference(contract, contract.payer),
            "period": _period(months),
            "group": [
                {
                    "code": {"text": name},
                    **({"population": population} if population else {}),
                    "measureScore": {"value": float(value)},
                }
            ],
        }


def _organizations(contract: Contract) -> Iterator[dict[str, Any]]:
    for party, name in contract.parties.items():
        yield {
            "resourceType": "Organization",
            "id": _id(contract, f"party {party}"),
            "identifier": [{"system": f"urn:uuid:{_id(contract, 'measure')}", "value": party}],
            "active": True,
            "name": name,
        }


def _component(contract: Contract, name: str, paid: bool) -> dict[str, Any]:
    code, said = ("contractual", "Contractual") if paid else ("reporting-only", "Reporting Only")
    status = _of_guide("measure-contractual-status", code, said)
    return {
        "extension": [_extension("contractual-status", valueCodeableConcept=status)],
        "type": "composed-of",
        "display": name,
        "resource": _canonical(contract, name),
    }


def _has_dates(contract: Contract) -> None:
    if contract.first_year < 100:
        do = "amend `first_year` to the calendar year in which it begins"
        raise Refusal([Fault("first_year", str(contract.first_year), "a calendar year: a report has dates", do)])


def _measures(facts: Mapping[str, Any]) -> Iterator[str]:
    for fact in facts:
        group, _, name = fact.partition(".")
        if group == "measures":
            yield name


def _reads(contract: Contract, fact: str) -> bool:
    return any(name.partition(".")[0] == fact for name in contract.facts())


def _category(lan: str) -> str:
    """The framework's category of the guide; of a range, the first."""
    return lan[:2] if lan[:2] in CATEGORIES else ""


def _metric(stream: str) -> str:
    return STREAMS.get(stream, ("", ""))[1]


def _stream(code: str, words: str = "") -> dict[str, Any]:
    if code in STREAMS:
        return _of_guide("payment-stream", code, STREAMS[code][0])
    return {"text": words or "a payment stream that the guide has no code for"}


def _concept(system: str, code: str, said: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": said}]} if code else {"text": said}


def _of_guide(system: str, code: str, said: str) -> dict[str, Any]:
    return _concept(f"{GUIDE}/CodeSystem/{system}", code, said)


def _extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{GUIDE}/StructureDefinition/{name}", **value}


def _complex(name: str, **parts: Any) -> dict[str, Any]:
    inside = [{"url": url, "valueCodeableConcept": value} for url, value in parts.items()]
    return _extension(name, extension=inside)


def _money(amount: float) -> dict[str, Any]:
    return {"extension": [_extension("alternate-measurescore", valueMoney={"value": amount, "currency": "USD"})]}


def _reference(contract: Contract, party: str) -> dict[str, Any]:
    return {"reference": f"urn:uuid:{_id(contract, f'party {party}')}", "display": contract.parties[party]}


def _canonical(contract: Contract, name: str) -> str:
    return f"urn:uuid:{_id(contract, f'measure {name}')}"


def _id(contract: Contract, what: str) -> str:
    """The same identity for the same thing of the same terms, wherever it is written."""
    return str(uuid5(NAMESPACE_URL, f"carecontracts {fingerprint_of(contract)} {what}"))


def _name(title: str) -> str:
    """A title as a name that a computer takes: letters and digits, with a capital first."""
    name = "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", title))
    return (name if name[:1].isalpha() else f"Contract{name}")[:254]


def _day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _last_day(month: int) -> date:
    first = _day(month)
    return first.replace(day=monthrange(first.year, first.month)[1])


def _period(months: range) -> dict[str, str]:
    return {"start": _day(months[0]).isoformat(), "end": _last_day(months[-1]).isoformat()}


# --- and back ---------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One figure of a report: whose, when, of which payment stream, what it is, for whom, and how much."""

    subject: str
    period: str
    group: str
    stream: str
    metric: str
    part: str  # of the group: the stratum, or nothing for all of it
    value: float | str | None
    unit: str


def read_report(path: Traversable | Path | str) -> list[Row]:
    """Every figure of the MeasureReports in a JSON file: one resource, or a Bundle of them."""
    text = read_text(path, MOST_BYTES)
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        do = "give the JSON of a MeasureReport, or of a Bundle"
        raise Refusal([Fault(str(path), f"no JSON: {str(error)[:80]}", "a FHIR resource as JSON", do)]) from None
    found = list(_reports(data))
    if not found:
        kind = data.get("resourceType") if isinstance(data, Mapping) else type(data).__name__
        do = "give a report of the guide"
        raise Refusal([Fault(str(path), f"no MeasureReport: {show(kind)}", "a MeasureReport, or a Bundle of them", do)])
    try:
        return [row for each in found for row in _rows(each)]
    except (AttributeError, TypeError, KeyError, IndexError):
        do = "check it with a FHIR validator"
        raise Refusal(
            [Fault(str(path), "a report that is not built as FHIR has it", "a valid MeasureReport", do)]
        ) from None


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _reports(data: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, Mapping):
        if data.get("resourceType") == "MeasureReport":
            yield data
        entries = data.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, Mapping):
                yield from _reports(entry.get("resource"))


def _rows(report: Mapping[str, Any]) -> Iterator[Row]:
    subject = report.get("subject") or {}
    whose = subject.get("display") or subject.get("reference") or ""
    for n, group in enumerate(report.get("group") or [], 1):
        streams = [_inside(each, "type") for each in _named(group, "payment-stream")]
        service = next((each.get("valuePeriod") for each in _named(group, "service-period")), None)
        when = service or report.get("period") or {}
        period = f"{when.get('start', '')} to {when.get('end', '')}"
        said = (
            str(whose),
            period,
            str(group.get("id") or n),
            ", ".join(filter(None, streams)),
            _words(group.get("code")),
        )
        yield from _scores(said, "", group)
        for stratifier in group.get("stratifier") or []:
            for stratum in stratifier.get("stratum") or []:
                yield from _scores(said, _stratum(stratifier, stratum), stratum)
    for each in report.get("evaluatedResource") or []:
        of = next((x.get("valueString") for x in _named(each, "group-reference")), "")
        resting = f"rests on {each.get('reference', '')}"
        yield Row(str(whose), "", str(of or ""), "", resting, "", None, "")


def _scores(said: tuple[str, str, str, str, str], part: str, scored: Mapping[str, Any]) -> Iterator[Row]:
    """The score of a group or a stratum, as it is given: a quantity, or in place of it money, a number or words."""
    score = scored.get("measureScore") or {}
    if (value := _finite(score.get("value"))) is not None:
        yield Row(*said, part, value, str(score.get("unit") or ""))
    for other in _named(score, "alternate-measurescore"):
        kind, value = next(((k, v) for k, v in other.items() if k.startswith("value")), ("", None))
        if kind == "valueMoney" and value:
            yield Row(*said, part, _finite(value.get("value")), str(value.get("currency") or ""))
        elif kind:
            yield Row(*said, part, _words(value) if kind == "valueCodeableConcept" else str(value), "")


def _finite(value: Any) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if number else None


def _named(element: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [x for x in element.get("extension") or [] if x.get("url") == f"{GUIDE}/StructureDefinition/{name}"]


def _inside(extension: Mapping[str, Any], name: str) -> str:
    parts = [x for x in extension.get("extension") or [] if x.get("url") == name]
    return _words(parts[0].get("valueCodeableConcept")) if parts else ""


def _words(concept: Any) -> str:
    """A concept in words: its text, else what its code is called, else the code."""
    concept = concept or {}
    coding = (concept.get("coding") or [{}])[0]
    return str(concept.get("text") or coding.get("display") or coding.get("code") or "")


def _stratum(stratifier: Mapping[str, Any], stratum: Mapping[str, Any]) -> str:
    of = ", ".join(filter(None, map(_words, stratifier.get("code") or [])))
    parts = [f"{_words(each.get('code'))} {_words(each.get('value'))}" for each in stratum.get("component") or []]
    return ", ".join(filter(None, [" ".join(filter(None, [of, _words(stratum.get("value"))])), *parts]))


def payments(rows: Sequence[Row]) -> dict[str, float]:
    """What each payment stream comes to, of the figures that are earnings; parts are not counted beside their whole."""
    earned = [row for row in rows if row.unit == "USD" and not row.part and row.stream and isinstance(row.value, float)]
    return {
        name: add_up(r.value for r in earned if r.stream == name) for name in dict.fromkeys(r.stream for r in earned)
    }
