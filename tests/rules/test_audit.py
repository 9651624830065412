"""Their statement against ours: each kind of fault, planted where its cause is known, is named first."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from carecontracts import Contract, Year, gallery
from carecontracts.refusal import Refusal
from carecontracts.review.audit import audit
from carecontracts.review.statement_of import Theirs, read_statement

DEAL = Contract.load(gallery("compared/combination"))
FACTS: dict[str, Any] = {"lives": 500, "member_months": {"all": 5_873}, "benchmark": 15_000_000}
YEARS = [
    Year(year=1, **FACTS, spend=13_412_771, outcomes={"admissions": 541, "admissions expected": 600}),
    Year(year=2, **FACTS | {"member_months": {"all": 5_921}}, spend=13_108_040,
         outcomes={"admissions": 512, "admissions expected": 607}),
    Year(year=3, **FACTS, spend=12_980_314, outcomes={"admissions": 498, "admissions expected": 611}),
]  # fmt: skip


def statement(contract: Contract = DEAL, years: list[Year] = YEARS) -> list[Theirs]:
    return [Theirs(line.year, line.clause, float(line.amount), "") for line in contract.settle(years)]


def amended(**terms: Any) -> Callable[[], list[Theirs]]:
    return lambda: statement(DEAL.amend({"shared savings": terms}))


def with_line(year: int, clause: str, change: Callable[[float], float]) -> Callable[[], list[Theirs]]:
    return lambda: [
        line._replace(amount=change(line.amount)) if (line.year, line.clause) == (year, clause) else line
        for line in statement()
    ]


def with_fact(at: int, **facts: Any) -> Callable[[], list[Theirs]]:
    return lambda: statement(years=[*YEARS[:at], replace(YEARS[at], **facts), *YEARS[at + 1 :]])


FAULTS = {
    "a share": (amended(share=0.25), "share of “shared savings”: 25% instead of 30%"),
    "a price": (lambda: statement(DEAL.amend({"avoided admissions": {"price": 3_500}})),
                "price of “avoided admissions”: $3,500 instead of $4,000"),
    "a rate": (lambda: statement(DEAL.amend({"care management fee": {"per_member_per_month": 195}})),
               "per member per month of “care management fee”: $195 instead of $200"),
    "a choice": (amended(counted_from="the minimum"),
                 "counted from of “shared savings”: “the minimum” instead of “the first dollar”"),
    "a reference": (amended(net_of=["care management fee"]),
                    "“shared savings” without “avoided admissions” in its net of"),
    "a line left out": (lambda: [each for each in statement() if each[:2] != (2, "avoided admissions")],
                        "no line for “avoided admissions” of 2"),
    "a line twice": (with_line(1, "avoided admissions", lambda x: 2 * x), "“avoided admissions” of 1 counted twice"),
    "the other way round": (with_line(1, "outreach", lambda x: -x), "“outreach” of 1 the other way round"),
    "last year's fact": (with_fact(1, spend=13_412_771), "spend of 1 in 2: 13,412,771 instead of 13,108,040"),
    "digits of a fact": (with_fact(0, member_months={"all": 5_783}),
                         "member months “all” of 1: 5,783 instead of 5,873"),
    "thousands": (with_fact(0, benchmark=15_000_000, spend=13_413_000), "spend rounded to thousands"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_cause_is_named_first(name: str) -> None:
    planted, words = FAULTS[name]
    theirs = planted()
    if name == "thousands":
        theirs = statement(years=[replace(year, spend=round(year.spend, -3)) for year in YEARS])
    found = audit(DEAL, YEARS, theirs)
    assert not found.agrees
    assert found.causes[0].words == words
    assert found.causes[0].explains == len(found.gaps)
    assert not found.causes[0].spoils


def test_a_statement_that_is_ours_agrees_and_one_in_whole_dollars_is_compared_so() -> None:
    assert audit(DEAL, YEARS, statement()).agrees
    whole = audit(DEAL, YEARS, [line._replace(amount=float(round(line.amount))) for line in statement()])
    assert whole.agrees
    assert whole.whole_dollars


def test_the_first_gap_is_the_first_in_the_order_of_the_statement() -> None:
    found = audit(DEAL, YEARS, statement(DEAL.amend({"care management fee": {"per_member_per_month": 195}})))
    first = found.gaps[0]
    assert (first.year, first.paragraph, first.clause) == (1, 1, "care management fee")
    assert first.worth == pytest.approx(-5 * 5_873)


def test_two_changes_at_once_are_no_single_cause_that_explains_all() -> None:
    two = DEAL.amend({"care management fee": {"per_member_per_month": 195}, "shared savings": {"share": 0.21}})
    found = audit(DEAL, YEARS, statement(two))
    assert all(cause.explains < len(found.gaps) or cause.spoils for cause in found.causes)


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, run: Any) -> Path:
    """A years file and our own statement of it, as CSV and as XLSX."""
    (tmp_path / "years.csv").write_text(
        "year,lives,member_months,benchmark,spend,outcomes.admissions,outcomes.admissions expected\n"
        "1,500,5873,15000000,13412771,541,600\n2,500,5921,15000000,13108040,512,607\n"
    )
    for name in ("ours.csv", "ours.xlsx"):
        assert run("settle", "compared/combination", tmp_path / "years.csv", "--out", tmp_path / name).code == 0
    return tmp_path


@pytest.mark.parametrize("name", ["ours.csv", "ours.xlsx"])
def test_what_settle_writes_is_what_audit_reads(name: str, files: Path, run: Any) -> None:
    done = run("audit", "compared/combination", files / "years.csv", files / name)
    assert done.code == 0
    assert "All 10 lines agree, to the cent." in done.out


def test_a_difference_is_told_explained_and_asked_for(files: Path, run: Any) -> None:
    rows = list(csv.DictReader((files / "ours.csv").read_text("utf-8").splitlines()))
    for row in rows:
        if row["clause"] == "avoided admissions":
            row["amount"] = f"{float(row['amount']) * 0.875:.2f}"
        if row["clause"] in ("shared savings", "joint cap"):
            continue
    table = files / "theirs.csv"
    table.write_text("Year;Paragraph;Amount\n" + "".join(f"{r['year']};{r['paragraph']};{r['amount']}\n" for r in rows))
    done = run("audit", "compared/combination", files / "years.csv", table,
               "--letter", files / "letter.txt", "--out", files / "gaps.csv")  # fmt: skip
    assert done.code == 1
    assert "avoided admissions" in done.out
    letter = (files / "letter.txt").read_text("utf-8")
    assert "paragraph 3, “avoided admissions”" in letter
    assert "run the contract file together" in letter
    assert len((files / "gaps.csv").read_text("utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("year,clause\n1,care management fee\n", "no column amount"),
        ("year,amount\n1,5\n", "no column clause, or paragraph,"),
        ("year,clause,amount\n1,care managment fee,5\n", "did you mean"),
        ("year,clause,amount\n1,outreach,five\n", "dollars"),
        ("year,clause,amount\n1,outreach,nan\n", "dollars"),
        ("year,clause,amount\n1,outreach,5\n1,outreach,6\n", "each clause once a year"),
        ("year,clause,amount,payer,payee\n1,outreach,5,plan,practice\n", "practice to community"),
        ("year,paragraph,amount\n1,9,5\n", "care management fee"),
        ("year,paragraph,amount\nx,1,5\n", "a year"),
        ('year,clause,amount\n1,outreach,"1,5"\n', "'1,5'"),
        ('year,clause,amount\n1,outreach,"1.200,50"\n', "dollars"),
        ("year,clause,amount,Amount\n1,outreach,5,6\n", "the column amount twice"),
        ("year,clause,paragraph,amount\n1,outreach,3,5\n", "outreach as paragraph 3"),
        ("year,clause,amount\n9,outreach,5\n", "row 2"),
        ("year,clause,amount\n9,outreach,5\n", "a line of 9"),
    ],
)
def test_a_statement_that_cannot_be_read_is_refused(text: str, said: str, files: Path, run: Any) -> None:
    (files / "theirs.csv").write_text(text)
    done = run("audit", "compared/combination", files / "years.csv", files / "theirs.csv")
    assert done.code == 2
    assert said in done.err
    assert not done.out


def test_a_file_of_another_kind_is_refused(files: Path, run: Any) -> None:
    (files / "theirs.xlsx").write_text("not a workbook")
    done = run("audit", "compared/combination", files / "years.csv", files / "theirs.xlsx")
    assert done.code == 2
    assert "an Excel file that opens" in done.err


def test_an_amount_paid_the_other_way_round_is_negative(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Year", "Clause", "Payer", "Payee", "Amount"])
    book.active.append([1, "outreach", "community", "practice", 12.5])
    book.save(tmp_path / "theirs.xlsx")
    (line,) = read_statement(tmp_path / "theirs.xlsx", DEAL)
    assert line[:3] == (1, "outreach", -12.5)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1,200.50", 1200.5), ("($1,200.50)", -1200.5), ("-$1,200.50", -1200.5), ("$0.5", 0.5), ("1e3", 1000)],
)
def test_dollars_as_people_write_them(text: str, amount: float, tmp_path: Path) -> None:
    file = tmp_path / "theirs.csv"
    file.write_text(f'year,clause,amount\n1,outreach,"{text}"\n')
    assert [line.amount for line in read_statement(file, DEAL)] == [amount]


def test_a_workbook_without_rows_is_no_statement_of_nothing(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Year", "Clause", "Amount"])
    book.save(tmp_path / "theirs.xlsx")
    with pytest.raises(Refusal, match="a header without rows"):
        read_statement(tmp_path / "theirs.xlsx", DEAL)
