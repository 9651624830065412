"""ACO REACH and Direct Contracting: CMS's file in several spellings, and its results settled again."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from carecontracts import Contract, Refusal
from carecontracts.programs import reach, results
from carecontracts.programs.reach import Aco


@pytest.fixture(scope="module")
def shipped() -> list[Aco]:
    return reach.read(reach.published_rows())


@pytest.fixture(scope="module")
def record(oracles: Path) -> list[Aco]:
    return reach.read(oracles / "reach_2021_2022.csv")


def aco(arrangement: str = "global", **facts: Any) -> Aco:
    """An organization of 2023 whose benchmark is 100,000,000 after its discount and withholds."""
    plainly = Aco(
        aco_id="D1", year=2023, arrangement=arrangement, kind="standard", lives=10_000, unadjusted=None, benchmark=1e8,
        raised=0.0, lowered=0.0, equity_told=True, spend_before=None, spend=1e8,
        discount=0.03 if arrangement == "global" else 0.0, retention=0.0, quality=0.85, published_before=None,
        published=None,
    )  # fmt: skip
    return replace(plainly, **facts)


def recomputed(arrangement: str, **facts: Any) -> float:
    return reach.settle(aco(arrangement, **facts)).recomputed


# --- the rules, by hand ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrangement", "difference", "paid"),
    [
        ("global", 3e6, 2_940_000),  # x 1 x 0.98
        ("global", 25e6, 24_500_000),
        ("global", 25_000_002, 24_500_000.98),  # 2 x 0.5 x 0.98
        ("global", 40e6, 30_625_000),  # (25 + 10 x 0.5 + 5 x 0.25) million x 0.98
        ("global", 60e6, 34_055_000),  # (25 + 5 + 15 x 0.25 + 10 x 0.1) million x 0.98
        ("global", -60e6, -34_750_000),  # losses whole
        ("professional", 5e6, 2_450_000),
        ("professional", 20e6, 5_145_000),  # (2.5 + 5 x 0.35 + 5 x 0.15 + 5 x 0.05) million x 0.98
        ("professional", -20e6, -5_250_000),
        ("professional", 0.0, 0),
    ],
)
def test_each_band_at_its_own_share(arrangement: str, difference: float, paid: float) -> None:
    assert recomputed(arrangement, spend=1e8 - difference) == paid


def test_the_equity_adjustment_moves_the_benchmark_and_its_bands() -> None:
    assert recomputed("global", spend=97e6, raised=1e6) == 3_920_000  # 4,000,000 x 0.98
    assert recomputed("global", spend=97e6, lowered=1e6) == 1_960_000
    # of 110,000,000 the first band is 5,500,000: (5.5 x 0.5 + 4.5 x 0.35) million x 0.98
    assert recomputed("professional", spend=1e8, raised=10e6) == 4_238_500


def test_quality_discount_and_retention_are_in_the_printed_benchmark() -> None:
    """They change the steps to it and not the settlement."""
    for facts in ({"quality": 0.4}, {"quality": None}, {"discount": 0.02}, {"retention": 0.02}):
        assert recomputed("global", spend=97e6, **facts) == 2_940_000


def test_the_lines_of_a_settlement() -> None:
    """100,000,000 x 0.967 is 96,700,000: less 3%, 2% held back, of which 85% is earned."""
    one = aco(benchmark=96_700_000.0, spend=96_000_000, spend_before=96_100_000, raised=250_000.0, lowered=50_000.0)
    assert reach.lines(one) == [
        ("benchmark before the discount and the withholds", 100_000_000),
        ("discount", -3_000_000),
        ("held back for quality", -2_000_000),
        ("earned back", 1_700_000),
        ("added to the benchmark", 250_000),
        ("taken off the benchmark", -50_000),
        ("benchmark that counts", 96_900_000),
        ("spending before stop-loss", 96_100_000),
        ("stop-loss: charge less payout", -100_000),
        ("spending", 96_000_000),
        ("saved", 900_000),
        ("100% of the part from 0%", 900_000),
        ("sequestration", -18_000),
        ("paid", 882_000),
    ]
    owing = dict(reach.lines(aco("professional", quality=1.0, retention=0.02, spend=110e6)))
    assert owing["held back for staying"] == -2_040_816.33  # 2% of 100,000,000 / 0.98
    assert (owing["lost"], owing["50% of the part from 0%"], owing["35% of the part from 5%"]) == (1e7, 25e5, 1_750_000)
    assert owing["owed"] == 4_250_000


def test_the_lines_of_every_shipped_row_add_up(shipped: list[Aco]) -> None:
    for one in shipped:
        told = reach.lines(one)
        names = [name for name, _ in told]
        at, found = names.index("benchmark that counts"), dict(told)
        assert abs(sum(dollars for _, dollars in told[:at]) - found["benchmark that counts"]) < 0.06
        assert abs(found["benchmark that counts"] - one.benchmark) < 0.01
        assert found["spending"] == pytest.approx(one.spend, abs=0.01)
        shares = sum(dollars for name, dollars in told if " of the part from " in name)
        last = found.get("paid", -found.get("owed", 0))
        assert abs(abs(last) - shares - found.get("sequestration", 0)) < 0.06
        assert last == reach.settle(one).recomputed


# --- reasons ---------------------------------------------------------------------------------------------------------


def test_what_the_file_does_not_say_is_said() -> None:
    settled = reach.settle(aco("professional", spend=97e6, published=0.0, published_before=1_500_000.0))
    assert (settled.matched, settled.published, settled.recomputed) == (False, 0.0, 1_470_000)
    assert settled.reason.startswith("$1,500,000 was shared before sequestration, as recomputed, and nothing paid")
    half = reach.settle(aco("professional", spend=97e6, published=9e5, published_before=1_500_000.0))
    assert "what became of it the file does not say" in half.reason
    unknown = aco("professional", spend=97e6, published=5.0, published_before=7.0)
    assert reach.settle(unknown).reason == "the file does not say"
    assert "no equity adjustment" in reach.settle(replace(unknown, equity_told=False)).reason
    assert reach.settle(replace(unknown, equity_told=False, year=2022)).reason == "the file does not say"
    none = reach.settle(aco())
    assert (none.matched, none.reason) == (None, "the file publishes no settlement after sequestration")


@pytest.mark.parametrize(("off", "matched"), [(0, True), (1.5, True), (1.51, False), (-1.5, True), (-1.51, False)])
def test_the_band_of_a_dollar_and_a_half(off: float, matched: bool) -> None:
    assert reach.settle(aco("professional", spend=97e6, published=1_470_000 + off)).matched is matched


# --- the file in several spellings -----------------------------------------------------------------------------------

# A Professional and a Global organization, 2023: savings of 3,250,000 and losses of 2,000,000 after the adjustment.
SPELLINGS = {
    "the restated one": (
        "perf_year,aco_id,aco_type,risk_arrangement,discount,retention_withhold,bene_cnt,final_benchmark,heba_up_amt,"
        "heba_down_amt,tot_cost_care,tot_cost_care_net,shared_savings,shared_savings_seq,qual_scr",
        "2023,D1,Standard,Professional,0.0,0.0,5000.0,100000000.0,250000.0,0.0,97100000.0,97000000.0,1625000.0,1592500.0,85.0",
        "2023,D2,High Needs,Global,3.0,2.0,900,100000000,0,-500000,101000000,101500000,-2000000,-2000000,100",
    ),
    "in capitals, the cut without a minus, shares": (
        "PERF_YEAR,ACO_ID,ACO_TYPE,RISK_ARRANGEMENT,DISCOUNT,RETENTION_WITHHOLD,BENE_CNT,FINAL_BENCHMARK,HEBA_UP_AMT,"
        "HEBA_DOWN_AMT,TOT_COST_CARE,TOT_COST_CARE_NET,SHARED_SAVINGS,SHARED_SAVINGS_SEQ,QUAL_SCR",
        "PY2023,D1,Standard ACO,Professional,0,0,5000,100000000,250000,0,97100000,97000000,1625000,1592500,0.85",
        "PY2023,D2,High-Needs,Global,0.03,0.02,900,100000000,0,500000,101000000,101500000,-2000000,-2000000,1",
    ),
    "with spaces, dollars and percent signs": (
        "Performance Year,ACO ID,ACO Type,Risk Arrangement,Discount,Retention Withhold,Bene Cnt,Final Benchmark,"
        "HEBA Up Amt,HEBA Down Amt,Tot Cost Care,Tot Cost Care Net,Shared Savings,Shared Savings Seq,Qual Scr,Other",
        '2023,D1,STANDARD,PROFESSIONAL,0%,0%,"5,000","$100,000,000","$250,000",-,"$97,100,000","$97,000,000",'
        '"$1,625,000","$1,592,500",85%,x',
        '2023,D2,High Needs,Global,3.0%,2.0%,900,"$100,000,000",N/A,"-$500,000","$101,000,000","$101,500,000",'
        '"-$2,000,000","-$2,000,000",100%,y',
    ),
}


def table(tmp_path: Path, *rows: str, name: str = "results.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join([*rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", SPELLINGS)
def test_a_file_reads_the_same_in_each_spelling(kind: str, tmp_path: Path) -> None:
    first, second = reach.read(table(tmp_path, *SPELLINGS[kind]))
    assert (first.aco_id, first.year, first.track, first.lives) == ("D1", 2023, "professional-standard", 5_000)
    assert (first.raised, first.lowered, first.discount, first.retention, first.quality) == (250_000, 0, 0, 0, 0.85)
    assert (second.track, second.lowered, second.discount, second.retention) == (
        "global-high-needs", 500_000, 0.03, 0.02)  # fmt: skip
    assert (first.spend_before, first.spend) == (97_100_000, 97_000_000)
    settled = reach.settle_all([first, second])
    assert [s.recomputed for s in settled] == [1_592_500, -2_000_000]
    assert all(s.matched for s in settled)


def test_the_year_may_come_from_outside(tmp_path: Path) -> None:
    rows = [row.partition(",")[2] for row in SPELLINGS["the restated one"]]
    path = table(tmp_path, *rows, name="REACH_PY2023.csv")
    with pytest.raises(Refusal, match="add --year 2023, if that is the year"):
        reach.read(path)
    assert [one.year for one in reach.read(path, 2023)] == [2023, 2023]
    with pytest.raises(Refusal, match="from 2021 on"):
        reach.read(path, 2020)


def test_columns_that_are_not_needed_may_be_missing(tmp_path: Path) -> None:
    [one] = reach.read(
        table(tmp_path, "ACO_ID,Risk_Arrangement,Final_Benchmark,Tot_Cost_Care_Net", "D1,Global,100,90"), 2021
    )
    assert (one.track, one.quality, one.published) == ("global", None, None)
    assert reach.settle(one).recomputed == 9.8


@pytest.mark.parametrize(
    ("cell", "written", "where", "allowed"),
    [
        ("Professional", "Both", "row 2, risk_arrangement", "global or professional"),
        ("Standard", "", "row 2, aco_type", "standard or new entrant or high needs"),
        ("D1", "=cmd()", "row 2, aco_id", "letters and digits"),
        ("97000000.0", "-1", "row 2, tot_cost_care_net", "0 to 1e+12"),
        ("100000000.0", "", "row 2, final_benchmark", "a number"),
        ("85.0", "185", "row 2, qual_scr", "a share from 0 to 1"),
        ("250000.0", "much", "row 2, heba_up_amt", "a number"),
        (",0.0,0.0,5000.0", ",40,0.0,5000.0", "row 2, discount", "at most 25% of the benchmark"),
        ("2023,D1", "2019,D1", "row 2, perf_year", "from 2021 on"),
        ("2023,D1", "soon,D1", "row 2, perf_year", "a number"),
    ],
)
def test_a_cell_that_cannot_be(cell: str, written: str, where: str, allowed: str, tmp_path: Path) -> None:
    header, first, second = SPELLINGS["the restated one"]
    with pytest.raises(Refusal) as refusal:
        reach.read(table(tmp_path, header, first.replace(cell, written), second))
    assert where in str(refusal.value)
    assert allowed in str(refusal.value)


def test_missing_columns_and_rows_given_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        reach.read(table(tmp_path, "a,b", "1,2"))
    for column in ("aco_id", "arrangement", "benchmark", "spend", "year"):
        assert column in str(refusal.value)
    header, first, _ = SPELLINGS["the restated one"]
    with pytest.raises(Refusal, match="D1 again, the same as row 2"):
        reach.read(table(tmp_path, header, first, first))


# --- breaking any rule makes rows fail -------------------------------------------------------------------------------

Broken = tuple[Callable[[Aco], Aco], Callable[[Contract], Contract]]


def as_it_is(it: Any) -> Any:
    return it


def every(**terms: Any) -> Callable[[Contract], Contract]:
    return lambda contract: contract.amend({clause.name: terms for clause in contract.clauses})


def bands(**changed: dict[float, float]) -> Callable[[Contract], Contract]:
    def change(contract: Contract) -> Contract:
        name = "global" if "Global" in contract.title else "professional"
        return every(bands=changed[name])(contract) if name in changed else contract

    return change


GLOBAL = {0.0: 1.0, 0.25: 0.5, 0.35: 0.25, 0.5: 0.1}
PROFESSIONAL = {0.0: 0.5, 0.05: 0.35, 0.1: 0.15, 0.15: 0.05}
# The rule broken, and how many of the 152 rows then fail, as measured.
BROKEN: dict[str, tuple[Broken, int]] = {
    "no sequestration": ((as_it_is, lambda c: c.amend({"shared savings": {"sequestration": None}})), 114),
    "sequestration of losses too": ((as_it_is, lambda c: c.amend({"shared losses": {"sequestration": 0.02}})), 37),
    "the bands of the other arrangement": ((as_it_is, bands(**{"global": PROFESSIONAL, "professional": GLOBAL})), 151),
    "one band for Professional": ((as_it_is, bands(professional={0.0: 0.5})), 18),
    "one band for Global": ((as_it_is, bands(**{"global": {0.0: 1.0}})), 3),
    "5% read as 6%": ((as_it_is, bands(professional={0.0: 0.5, 0.06: 0.35, 0.1: 0.15, 0.15: 0.05})), 18),
    "10% read as 12%": ((as_it_is, bands(professional={0.0: 0.5, 0.05: 0.35, 0.12: 0.15, 0.15: 0.05})), 10),
    "15% read as 20%": ((as_it_is, bands(professional={0.0: 0.5, 0.05: 0.35, 0.1: 0.15, 0.2: 0.05})), 3),
    "25% read as 30%": ((as_it_is, bands(**{"global": GLOBAL | {0.3: 0.5, 0.25: 1.0}})), 3),
    "spending before stop-loss": ((lambda a: replace(a, spend=a.spend_before or a.spend), as_it_is), 119),
    "no discount": ((as_it_is, every(discount=None)), 111),
    "no quality withhold": ((as_it_is, every(quality_withhold=None, earned_by=None)), 11),
    "no retention withhold": ((as_it_is, every(retention_withhold=None, returned_if=None)), 4),
}


def failing(acos: Iterable[Aco], broken: Broken) -> int:
    """How many rows that match no longer do when a rule is broken; the benchmark is still worked back as agreed."""
    change, rule = broken
    count = 0
    for one in acos:
        if reach.settle(one).matched:
            count += not reach.settle(change(one), rule(reach.contract_for(one))).matched
    return count


@pytest.mark.parametrize("rule", BROKEN)
def test_rows_fail_where_a_rule_is_broken(rule: str, shipped: list[Aco]) -> None:
    assert failing(shipped, BROKEN[rule][0])


@pytest.mark.parametrize("rule", BROKEN)
def test_rows_of_the_record_fail_where_a_rule_is_broken(rule: str, record: list[Aco]) -> None:
    broken, measured = BROKEN[rule]
    assert failing(record, broken) == measured


def test_an_adjustment_for_equity_left_out_makes_its_row_fail(tmp_path: Path) -> None:
    for one in reach.read(table(tmp_path, *SPELLINGS["the restated one"])):
        assert not reach.settle(one, every(raised_by=None, lowered_by=None)(reach.contract_for(one))).matched


def test_where_no_rule_is_broken_no_row_fails(shipped: list[Aco]) -> None:
    assert failing(shipped, (as_it_is, lambda contract: contract.amend(title="Another title"))) == 0


def test_the_discount_and_the_withholds_explain_the_printed_benchmark(record: list[Aco]) -> None:
    """They leave a constant of the benchmark before adjustment; without any one of them fewer rows agree on it."""
    told = reach.constants(record)
    assert [(c.performance_year, round(c.constant, 3), c.within, c.of) for c in told] == [
        (2021, 0.951, 48, 53),
        (2022, 0.948, 94, 99),
    ]
    whole = sum(c.within for c in told)
    for left in (
        lambda a: reach.kept(replace(a, discount=0)),
        lambda a: reach.kept(replace(a, retention=0)),
        lambda a: reach.kept(replace(a, quality=1)),
    ):
        assert sum(c.within for c in reach.constants(record, left)) <= whole - 4


# --- the whole record ------------------------------------------------------------------------------------------------


def test_every_shipped_row_matches_but_the_documented_one(shipped: list[Aco]) -> None:
    settled = reach.settle_all(shipped)
    assert len({one.track for one in shipped}) == 6
    assert [(s.aco_id, s.performance_year) for s in settled if not s.matched] == [("D0128", 2022)]


def test_all_152_rows_match_but_the_documented_one(record: list[Aco]) -> None:
    settled = reach.settle_all(record)
    assert len(settled) == 152
    assert [(s.aco_id, s.performance_year) for s in settled if not s.matched] == [("D0128", 2022)]
    assert "$362,122 was shared" in next(s.reason for s in settled if not s.matched)
    assert [(y.performance_year, y.acos, y.matched, round(y.published)) for y in results.by_year(settled)] == [
        (2021, 53, 53, 46_537_034),
        (2022, 99, 98, 493_430_781),
    ]


def test_before_sequestration_every_row_is_within_a_dollar(record: list[Aco]) -> None:
    rule = BROKEN["no sequestration"][0][1]
    found = [reach.settle(one, rule(reach.contract_for(one))).recomputed for one in record]
    assert all(abs(f - (one.published_before or 0)) <= 1 for f, one in zip(found, record, strict=True))
    for year, published in {2021: 48_602_206, 2022: 507_498_267}.items():
        assert abs(sum(f for f, one in zip(found, record, strict=True) if one.year == year) - published) < 2


def test_rows_settled_together_settle_as_each_alone(record: list[Aco]) -> None:
    assert reach.settle_all(record) == [reach.settle(one) for one in record]
