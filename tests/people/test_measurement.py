"""The measurement section: every term said, every number with its basis, every mistake told with its line."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from carecontracts import Contract, Refusal
from carecontracts.measuring.section import Measurement
from carecontracts.paper.term_sheet import term_sheet
from carecontracts.paper.word import write_word

CONTRACT = """\
title: Savings on complex care
summary: The plan pays a fee and shares savings.
parties: {plan: the plan, practice: the practice}
first_year: 2026
years: 2
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: practice, due: monthly, per_member_per_month: 85}
  - name: savings
    kind: corridor
    of: savings
    payer: plan
    payee: practice
    due: 9 months after the year ends
    bands: {0: 0, 0.02: 0.5}
    net_of: [fee]
"""
MEASUREMENT: dict[str, Any] = {
    "population": {
        "definition": {"cost": {"dollars": 25_000}},
        "years_running": 2,
        "age_from": 18,
        "age_to": 64,
        "left_out": ["hospice"],
        "made": "once, before the first year",
    },
    "attribution": {"kind": "plurality", "billed_by": ["1111"], "lookback": 24, "timing": "prospective with true-up"},
    "enrollment": {"least": 6, "least_before": 10, "gap": 1},
    "spending": {"truncated_at": {2024: 240_000, 2026: 250_000}, "above": 0.1, "without": ["pharmacy", "post_acute"]},
    "run_out": {"months": 3, "completion": "the chain ladder", "triangle": 24},
    "fees": {"treatment": "netted once from", "codes": ["G9008"], "clauses": ["fee"]},
    "benchmark": {"kind": "own_history", "weights": [0.1, 0.9], "trend": 0.05},
    "risk": {"score": "a given score", "outcome": "score", "most_growth": 0.03},
    "tiers": {"complex": {"definition": {"stays": {"at_least": 2}}}},
    "engaged_months": {"outcome": "contact", "least": 2},
    "measures": {
        "seen": {"measure": "follow_up_7", "settings": {"days": 10}, "least": 30, "otherwise": 0.5},
    },
    "outcomes": {"housing": {"outcome": "housing_need_closed"}},
}


def contract(**measurement: Any) -> Contract:
    return Contract.parse(CONTRACT + yaml.safe_dump({"measurement": MEASUREMENT | measurement}, sort_keys=False))


def faults(text: str) -> list[str]:
    with pytest.raises(Refusal) as refusal:
        Contract.parse(text, "c.yaml")
    return [str(fault) for fault in refusal.value.faults]


def test_the_term_sheet_prints_each_part_and_each_basis(tmp_path: Path) -> None:
    agreed = contract(spending=MEASUREMENT["spending"] | {"basis": {"truncated_at": "illustrative"}})
    sheet = term_sheet(agreed)
    assert "## How the year is measured" in sheet
    assert (
        "- **Spending.** Spending is the paid amount of each claim line. It leaves out these services: pharmacy"
        in sheet
    )
    assert "| Spending | truncated at: \\$240,000 in 2024 to 2025 and \\$250,000 from 2026 | illustrative |" in sheet
    assert "| Benchmark | trend: 5% | not stated |" in sheet
    assert "| Population | definition: cost of \\$25,000 or more in the year | not stated |" in sheet
    assert "- a definition looked up anew within a year" in sheet
    write_word(agreed, tmp_path / "sheet.docx")
    texts = [paragraph.text for paragraph in Document(str(tmp_path / "sheet.docx")).paragraphs]
    assert agreed.measurement
    for title, part in agreed.measurement.parts():
        assert f"{title}. {part.say()}" in texts


def test_a_contract_without_the_section_prints_none() -> None:
    assert "How the year is measured" not in term_sheet(Contract.parse(CONTRACT))


def test_dumped_and_parsed_again_it_is_the_same() -> None:
    agreed = contract()
    assert Contract.parse(yaml.safe_dump(agreed.model_dump(), sort_keys=False)) == agreed


def test_a_part_is_amended_by_its_terms_and_replaced_by_another_kind() -> None:
    agreed = contract()
    assert agreed.measurement
    changed = agreed.amend(measurement={"enrollment": {"least": 12}}).measurement
    assert changed
    assert (changed.enrollment.least, changed.enrollment.gap) == (12, 1)
    assert changed.attribution == agreed.measurement.attribution
    other = agreed.amend(measurement={"attribution": {"kind": "everyone"}}).measurement
    assert other
    assert other.attribution.kind == "everyone"
    assert agreed.amend(measurement={"risk": None}).amend(measurement={"risk": MEASUREMENT["risk"]}) == agreed


def test_a_schedule_becomes_the_years_number_and_its_first_holds_before_it() -> None:
    spending = contract().measurement.spending  # type: ignore[union-attr]
    assert [spending.at(year, 2026).truncated_at for year in (2022, 2025, 2026, 2027)] == [240e3, 240e3, 250e3, 250e3]
    remains = {"kind": "persistence_corrected", "remains": {1: 0.6, 2: 0.5}, "trend": 0.05}
    benchmark = contract(benchmark=remains, risk=None).measurement.benchmark  # type: ignore[union-attr]
    assert [benchmark.at(year, 2026).remains for year in (2025, 2026, 2027)] == [0.6, 0.6, 0.5]  # type: ignore[union-attr]


def test_all_mistakes_are_told_at_once_each_with_its_line() -> None:
    told = faults(
        CONTRACT
        + """\
measurement:
  populaton: {}
  attribution: {kind: pluralty}
  enrollment: {least: twelve}
  spending: {truncated_at: 250000, truncated_at_percentile: 0.99, only: [inpatien]}
  run_out: {completion: a given factor}
  fees: {treatment: inside, clauses: [fee, feee]}
  benchmark: {kind: own_history, weights: [0.5, 0.6], trend: 5}
  measures:
    admissions: {measur: x}
  tiers: {complex: {definition: {costt: {dollarz: lots}}, basis: {least: illustrative}}}
"""
    )
    heads = [fault.splitlines()[0] for fault in told]
    assert heads == sorted(heads, key=lambda head: int(head.split("line ")[1].split(",")[0]))
    whole = "\n".join(told)
    for expected in (
        "c.yaml, line 15, clause 'savings', term `net_of`\n  given:   fee\n",
        "c.yaml, line 17, measurement 'populaton'\n  given:   the unknown term `populaton`",
        "did you mean 'population'?",
        "c.yaml, line 18, measurement 'attribution'\n  given:   kind: 'pluralty'",
        "did you mean 'plurality'?",
        "c.yaml, line 19, measurement 'enrollment', term `least`\n  given:   'twelve'",
        "c.yaml, line 20, measurement 'spending', term `only.0`\n  given:   'inpatien'",
        "did you mean 'inpatient'?",
        "c.yaml, line 21, measurement 'run_out'\n  given:   completion: a given factor, factor: nothing",
        "c.yaml, line 22, measurement 'fees', term `clauses`\n  given:   'feee'",
        "c.yaml, line 23, measurement 'benchmark', term `trend`\n  given:   5",
        "c.yaml, line 25, measurement 'measures, admissions', term `measure`\n  given:   nothing",
        "c.yaml, line 25, measurement 'measures, admissions', term `measur`\n  given:   the unknown term `measur`",
        "c.yaml, line 26, measurement 'tiers, complex', term `definition.costt`\n  given:   'costt'\n",
        "did you mean 'cost'?",
        "c.yaml, line 26, measurement 'tiers, complex', term `basis.least`",
    ):
        assert expected in whole, expected


@pytest.mark.parametrize(
    ("change", "given"),
    [
        ({"spending": {"truncated_at": 1, "truncated_at_percentile": 0.9}}, "`truncated_at` and"),
        ({"spending": {"above": 0.5}}, "`above` without a limit"),
        ({"run_out": {"completion": "a given factor", "factor": 0.9}}, "factor: 0.9"),
        ({"run_out": {"triangle": 12}}, "completion: none, triangle: 12"),
        ({"run_out": {"completion": "Bornhuetter-Ferguson"}}, "completion: Bornhuetter-Ferguson, triangle: nothing"),
        ({"run_out": MEASUREMENT["run_out"] | {"months": 12, "triangle": 13}}, "triangle: 13, months: 12"),
        ({"run_out": MEASUREMENT["run_out"] | {"months": {1: 0, 2: 3}, "triangle": {1: 24, 2: 4}}}, "triangle: 4, mon"),
        ({"risk": {"score": "CMS-HCC V28", "several": "the largest"}}, "`several` with `score: CMS-HCC V28`"),
        ({"risk": {"score": "CMS-HCC V28", "outcome": "x"}}, "score: CMS-HCC V28, outcome: 'x'"),
        ({"risk": {"score": "CMS-HCC V28"}, "benchmark": None}, "`risk` with no benchmark"),
        ({"benchmark": {"kind": "fixed", "per_member_per_month": 9}}, "`risk` with a benchmark of kind fixed"),
        ({"benchmark": {"kind": "own_history", "weights": [0.5, 0.6], "trend": 0}}, "[0.5, 0.6]"),
        ({"fees": {"treatment": "netted once from", "clauses": ["fee", "savings"]}}, "no savings"),
        ({"fees": {"treatment": "outside", "clauses": ["fee"]}}, "fee"),
        ({"measures": {"x": {"measure": "admissions", "otherwise": 0.5}}}, "`otherwise` without `least`"),
        ({"spending": {"truncated_at": {2027: 1}}}, "a schedule that begins in 2027"),
        ({"enrollment": {"least": 13}}, "13"),
        ({"enrollment": {"least": 6.5}}, "6.5"),
        ({"enrollment": {"least_before": 24}}, "24"),
        ({"enrollment": {"gap": 1e13}}, "10000000000000.0"),
        ({"run_out": {"months": 0.5}}, "0.5"),
        ({"run_out": {"months": 1_000_000}}, "1000000"),
        ({"run_out": {"completion": "the chain ladder", "triangle": 0}}, "0"),
        ({"attribution": {"kind": "plurality", "billed_by": ["1"], "lookback": 0}}, "0"),
        ({"attribution": {"kind": "plurality", "billed_by": ["1"], "lookback": 240}}, "240"),
        ({"population": {"definition": {"covered": {"months": 13}}}}, "13"),
        ({"benchmark": {"kind": "own_history", "weights": [1.0], "trend": -1}}, "-1"),
        ({"benchmark": {"kind": "own_history", "weights": [1.0], "trend": 1.5}}, "1.5"),
        ({"benchmark": {"kind": "own_history", "weights": [1.0], "trend": -4.5}}, "-4.5"),
        ({"population": {"left_out": ["hospice", "hospice"]}}, "the name 'hospice' twice"),
        ({"attribution": {"kind": "geography", "areas": ["80001", " 80001"]}}, "the name '80001' twice"),
        ({"attribution": {"kind": "plurality", "billed_by": ["1", "1"], "lookback": 12}}, "the name '1' twice"),
        ({"spending": {"without": ["pharmacy", "pharmacy"]}}, "the name 'pharmacy' twice"),
        ({"fees": {"treatment": "netted once from", "codes": ["a", "a"], "clauses": ["fee"]}}, "the name 'a' twice"),
        ({"population": {"definition": {"has": {"conditions": ["asthma", "asthma"]}}}}, "the name 'asthma' twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, Any], given: str) -> None:
    (fault,) = faults(CONTRACT + yaml.safe_dump({"measurement": MEASUREMENT | change}))
    assert "swap payer" not in fault
    assert f"given:   {given}" in fault


@pytest.mark.parametrize(
    "load",
    [
        lambda data: Contract.parse(yaml.safe_dump(data)),
        lambda data: contract().amend(measurement=data["measurement"]),
    ],
    ids=["parse", "amend"],
)
def test_every_mistake_in_a_definition_is_told_at_its_place(load: Any) -> None:
    wrong = {"any": ["stay", {"cost": {"dollars": "lots"}}, {"not": {"has": {"conditions": ["smi", "diabetis"]}}}]}
    with pytest.raises(Refusal) as refusal:
        load(yaml.safe_load(CONTRACT) | {"measurement": MEASUREMENT | {"population": {"definition": wrong}}})
    places = [
        "measurement 'population', term `definition.any.0`",
        "measurement 'population', term `definition.any.1.cost.dollars`",
        "measurement 'population', term `definition.any.2.not.has.conditions.1`",
    ]
    assert [fault.where.partition("measurement")[2] for fault in refusal.value.faults] == [
        place.partition("measurement")[2] for place in places
    ]
    assert [fault.do.partition("?")[0] for fault in refusal.value.faults] == [
        "did you mean 'stays'", "write a plain number, without quotes, commas or signs", "did you mean 'diabetes'"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "place", "given", "do"),
    [
        ({"measure": "followupp_7"}, "measure", "'followupp_7'", "did you mean 'follow_up_7'"),
        ({"measure": "follow_up_7", "settings": {"dayz": 5}}, "settings.dayz", "the unknown", "did you mean 'days'"),
        ({"measure": "follow_up_7", "settings": {"days": 7.5}}, "settings.days", "7.5", "write a whole number"),
        ({"measure": "follow_up_7", "settings": {"days": {2026: 7}}}, "settings.days", "{2026: 7}", "write one number"),
        ({"measure": "admissions", "settings": {"per": 100}}, "settings.per", "the unknown setting", "remove it"),
        ({"measure": "follow_up_7", "settings": {"event": "primry_care"}}, "settings.event", "'primry_care'",
         "did you mean 'primary_care'"),
    ],
)  # fmt: skip
def test_a_measure_and_its_settings_are_known_when_the_contract_is_loaded(
    part: dict[str, Any], place: str, given: str, do: str
) -> None:
    text = CONTRACT + yaml.safe_dump({"measurement": MEASUREMENT | {"measures": {"seen": part}}})
    (line,) = [n for n, row in enumerate(text.splitlines(), 1) if place.rpartition(".")[2] + ":" in row and n > 15][-1:]
    (fault,) = faults(text)
    assert fault.startswith(f"c.yaml, line {line}, measurement 'measures, seen', term `{place}`\n  given:   {given}")
    assert do in fault


def test_a_measure_is_said_with_the_settings_that_the_contract_changes() -> None:
    (part,) = [part for title, part in contract().measurement.parts() if title == "Measure “seen”"]  # type: ignore[union-attr]
    assert "It is used with: days 10." in part.say()
    assert part.spec.title == "Seen within 10 days of discharge"  # type: ignore[attr-defined]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 3000)
    | st.floats()
    | st.sampled_from(["kind", "plurality", "fee", "x"]),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["kind", "basis", "clauses", 1, "x"]), inside)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*Measurement.model_fields, "x"]), anything) | anything)
def test_any_section_is_a_contract_or_a_refusal(section: Any) -> None:
    data = yaml.safe_load(CONTRACT) | {"measurement": section}
    with suppress(ValidationError):  # and nothing else
        assert Contract.model_validate(data).title
