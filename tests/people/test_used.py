"""What is announced is what is used: `check`, `read`, `measure` and `crosswalk` keep the same rows and dollars.

Every right value is worked by hand beside its rows.
"""

import csv
from datetime import date
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from carecontracts import Contract, Refusal
from carecontracts.claims.check import check
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import from_frames, held, read
from carecontracts.claims.rules import KEPT, LAST_KEPT, LEFT_OUT
from carecontracts.measured import Measured, measure
from carecontracts.reconciliation import LINES_LEFT_OUT, NEVER_USED, Kind

TODAY = date(2026, 11, 1)
SPAN = {"person_id": "a", "gender": "female", "birth_date": "1980-05-05", "enrollment_start_date": "2025-01-01",
        "enrollment_end_date": "2025-12-31", "payer_type": "commercial"}  # fmt: skip
AGREED = {
    "title": "Test contract", "summary": "Everyone.", "parties": {"plan": "the plan", "aco": "the ACO"},
    "first_year": 2025, "years": 1,
    "clauses": [{"name": "savings", "kind": "shared_savings", "payer": "plan", "payee": "aco", "minimum": 0,
                 "due": "9 months after the year ends", "share": 0.5, "basis": "illustrative"}],
    "measurement": {"attribution": {"kind": "everyone"}, "run_out": {"months": 12},
                    "benchmark": {"kind": "fixed", "per_member_per_month": 100, "basis": "illustrative"}},
}  # fmt: skip


def frames(
    *lines: dict[str, Any], people: tuple[dict[str, Any], ...] = (SPAN,), **more: Any
) -> dict[str, pd.DataFrame]:
    """One person's coverage, and claim lines: what is not said of one is that of an office visit."""
    line = {"claim_id": "c1", "claim_line_number": 1, "claim_type": "professional", "person_id": "a",
            "claim_start_date": "2025-02-03", "claim_end_date": "2025-02-03", "paid_date": "2025-03-01"}  # fmt: skip
    made = {"eligibility": pd.DataFrame(people), "medical_claim": pd.DataFrame([line | each for each in lines])}
    return made | more


def used(*lines: dict[str, Any], **more: Any) -> list[float]:
    """The amounts of the rows that are used."""
    return sorted(read(held(frames(*lines, **more))).medical_claim.paid_amount.execute().tolist())


def each_used(cases: list[list[dict[str, Any]]]) -> list[list[float]]:
    """The same of several cases at once, each of a person of its own; `check` keeps the same."""
    people = tuple(SPAN | {"person_id": f"p{n}"} for n in range(len(cases)))
    con = held(frames(*({**row, "person_id": f"p{n}"} for n, rows in enumerate(cases) for row in rows), people=people))
    kept = []
    for claims in (read(con), check(con, today=TODAY).kept):
        rows = claims.medical_claim.select("person_id", "paid_amount").execute()
        kept.append([sorted(rows[rows.person_id == f"p{n}"].paid_amount) for n in range(len(cases))])
    assert kept[0] == kept[1]
    return kept[0]


def spent(claims: Claims, agreed: dict[str, Any] = AGREED) -> Measured:
    return measure(claims, Contract.model_validate(agreed))


def paid(*amounts: float, days: tuple[str, ...] = (), **more: Any) -> list[dict[str, Any]]:
    """Rows of one line of one claim, each paid a month after the one before, or on the days given."""
    days = days or tuple(f"2025-{n:02d}-10" for n in range(3, 3 + len(amounts)))
    return [{"paid_amount": float(x), "paid_date": day} | more for x, day in zip(amounts, days, strict=True)]


# --- rows of one line of a claim --------------------------------------------------------------------------------------


ONE_LINE = [
    ((100, 100), ("2025-03-01",) * 2, [100]),  # given twice
    ((200, -200), (), []),  # voided
    ((300, -300, 240), (), [240]),  # original, reversal, replacement
    ((100, -100, 100), (), [100]),  # paid again, on a day of its own
    ((100, -100, 100), ("2025-03-01",) * 3, []),  # equal in every column: the original given twice, and voided
    ((100, -100, 100, -100, 80), (), [80]),
    ((300, -300, 240) * 2, ("2025-03-01",) * 6, [240]),  # the whole file given twice
    ((100, -30), (), [70]),  # a part taken back
    ((-50,), (), [-50]),  # nothing that it reverses: counts as it is
    ((-50, 0), (), [-50]),
    ((100, 80), (), [80]),  # the last paid
    ((0, 0), (), [0]),
    ((0.1, 0.2, -0.3), (), []),  # cents, not floating numbers
]


def test_rows_of_one_line():
    cases = [paid(*amounts, days=days) for amounts, days, _ in ONE_LINE]
    assert each_used(cases) == [right for *_, right in ONE_LINE]


def test_the_case_of_three_claims(tmp_path, run):
    """100 given twice, 200 voided, 300 replaced by 240: 100 + 0 + 240 = 340, in both commands."""
    rows = [
        *paid(100, 100, days=("2025-03-01",) * 2), *paid(200, -200, claim_id="c2"),
        *paid(300, -300, 240, claim_id="c4", days=("2025-06-10", "2025-07-10", "2025-07-10")),
    ]  # fmt: skip
    folder = tmp_path / "claims"
    folder.mkdir()
    for name, frame in frames(*rows).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    contract = tmp_path / "contract.yaml"
    contract.write_text(yaml.safe_dump(AGREED, sort_keys=False))
    code, out, _ = run("claims", "check", folder)
    assert (code, "340.00" in out) == (2, True)
    code, _, err = run("measure", folder, contract, "--out", tmp_path / "years.csv")
    with (tmp_path / "years.csv").open() as file:
        assert [(row["year"], float(row["spend"])) for row in csv.DictReader(file)] == [("2025", 340.0)]
    assert code == 0
    assert "given again (1 row, $100.00): used once." in err
    assert "a line and its reversal (5 rows, $240.00): netted into one." in err
    claims = read(folder)
    assert [(taken.why, taken.rows, taken.paid) for taken in claims.taken] == [("again", 1, 100_00), ("netted", 4, 0)]
    rows_of = {row.kind: row for row in spent(claims).reconciliation.dollars}
    assert (rows_of[Kind.READ].lines, rows_of[Kind.READ].cents) == (7, 440_00)
    assert (rows_of[Kind.COUNTS].lines, rows_of[Kind.COUNTS].cents) == (2, 340_00)


def test_both_amounts_net_and_all_else_is_the_last_versions():
    """A reversal may carry its allowed amount without its sign: it counts below zero like its paid one."""
    old, back, new = paid(300, -300, 240)
    rows = [
        old | {"allowed_amount": 330.0, "hcpcs_code": "99215"}, back | {"allowed_amount": 330.0, "hcpcs_code": "99215"},
        new | {"allowed_amount": 260.0, "hcpcs_code": "99214"},
    ]  # fmt: skip
    (row,) = from_frames(frames(*rows)).medical_claim.to_pyarrow().to_pylist()
    assert (row["paid_amount"], row["allowed_amount"], row["hcpcs_code"]) == (240, 260, "99214")
    assert row["paid_date"] == date(2025, 5, 10)


def test_versions_that_differ_are_a_fault_with_rows_and_dollars():
    con = held(frames(*paid(100, 80)))
    (fault,) = check(con, today=TODAY).faults
    assert (fault.rule, fault.found, fault.dollars) == ("the same line again, with other values", 2, 180.0)
    assert fault.effect == LAST_KEPT
    assert any("the same line again, with other values (2 rows, $180.00)" in note for note in read(con).notes)


def test_what_is_in_doubt_among_reversals_is_said():
    faults = {fault.rule for fault in check(held(frames(*paid(100, -100, 100, days=("2025-03-01",) * 3)))).faults}
    assert faults == {"given again", "given again among reversals"}


def test_one_number_of_two_people_or_payers_is_two_claims():
    both = (SPAN, SPAN | {"person_id": "b"})
    assert used(*paid(100), *paid(80, person_id="b"), people=both) == [80, 100]
    assert used(*paid(100, payer="one"), *paid(80, payer="two")) == [80, 100]


# --- bills that replace or void others --------------------------------------------------------------------------------


def bills(*rows: tuple[str, str, float, str], **more: Any) -> list[dict[str, Any]]:
    """Hospital bills: number, type of bill, dollars, day of payment."""
    stay = {"claim_type": "institutional", "billing_npi": "1111111111"} | more
    return [
        stay | {"claim_id": number, "bill_type_code": kind, "paid_amount": dollars, "paid_date": day}
        for number, kind, dollars, day in rows
    ]


FEB, MAR, APR = "2025-02-20", "2025-03-20", "2025-04-20"


BILLS = [
    ([("h1", "111", 1000, FEB), ("h2", "118", 1000, FEB), ("h3", "117", 800, FEB)], [800]),
    ([("h1", "111", 1000, FEB), ("h3", "117", 800, MAR)], [800]),
    ([("h1", "0111", 1000, FEB), ("h3", "0117", 800, MAR)], [800]),  # the zero before it
    ([("h1", "111", 1000, FEB), ("h1", "117", 800, MAR)], [800]),  # under one number
    ([("h1", "111", 1000, FEB), ("h3", "117", 800, MAR), ("h4", "117", 700, APR)], [700]),
    ([("h1", "111", 1000, FEB), ("h3", "117", 800, MAR), ("h4", "118", 800, APR)], []),  # the new bill is voided
    ([("h1", "111", 1000, FEB), ("h2", "118", 1000, MAR)], []),
    ([("h1", "111", 1000, FEB), ("h2", "118", -1000, MAR)], []),  # both signs say it: once
    ([("h1", "111", 1000, FEB), ("h2", "118", -300, MAR)], [-300, 1000]),  # by its sign
    ([("h1", "111", 1000, FEB), ("h2", "118", 1000, MAR), ("h5", "111", 900, APR)], [900]),  # billed anew
    ([("h1", "111", 1000, FEB), ("h2", "111", -1000, MAR), ("h3", "117", 800, MAR)], [800]),  # taken back by sign
    ([("h1", "131", 500, FEB), ("h2", "131", 300, FEB), ("h3", "138", 300, MAR)], [500]),  # of two, that amount
    ([("h1", "131", 500, FEB), ("h2", "131", 300, FEB), ("h3", "137", 400, MAR)], [300, 400, 500]),  # not known
    ([("h3", "117", 800, MAR)], [800]),  # the payer gives the last version alone
    ([("h2", "118", 1000, MAR)], []),  # a void is no payment
    ([("h1", "111", 1000, FEB), ("h3", "137", 800, MAR)], [800, 1000]),  # of another type
    ([("h1", "111", 1000, FEB), ("h3", "11G", 800, MAR)], [800]),  # by the payer's own doing
    ([("h1", "111", 1000, FEB), ("h3", "117", 800, MAR), ("h4", "11i", 700, APR)], [700]),
    ([("h1", "111", 1000, FEB), ("h3", "11A", 800, MAR)], [800, 1000]),  # a notice's letter, which replaces nothing
]


def test_bills_of_frequency_7_and_8():
    assert each_used([bills(*rows) for rows, _ in BILLS]) == [right for _, right in BILLS]


def test_professional_claims_of_frequency_7_and_8():
    """With the place of service before it; a claim of the day that says no frequency may be the one that is meant."""
    doctor = {"claim_type": "professional", "hcpcs_code": "99213"}
    said = [("h1", "111", 100, FEB), ("h2", "118", 100, FEB), ("h3", "117", 80, MAR)]
    cases = [
        (bills(*said, **doctor), [80]),
        (bills(("h1", None, 100, FEB), ("h3", "227", 80, MAR), **doctor), [80]),
        (bills(("h1", None, 100, FEB), ("h2", "118", 100, MAR), **doctor), []),
        (bills(("h1", "111", 100, FEB), ("x", "111", 40, FEB), ("h3", "117", 80, MAR), **doctor), [40, 80, 100]),
        (bills(("h1", "111", 100, FEB), **doctor) + bills(("h3", "117", 800, MAR)), [100, 800]),
    ]
    assert each_used([rows for rows, _ in cases]) == [right for _, right in cases]


def test_bills_of_other_days_people_and_hospitals_are_others():
    (old,), (new,) = bills(("h1", "111", 1000, FEB)), bills(("h3", "117", 800, MAR))
    others = ({}, {"claim_end_date": "2025-02-05"}, {"billing_npi": "2222222222"}, {"payer": "another"})
    cases = [[old | {"payer": "plan"}, new | {"payer": "plan"} | other] for other in others]
    assert each_used(cases) == [[800], *[[800, 1000]] * 3]
    assert used(old, new | {"billing_npi": None}) == [800]  # where both have one


@pytest.mark.parametrize(
    ("rows", "rule", "fault", "effect"),
    [
        ([("h3", "117", 800, MAR)], "replaces a bill that is not here (frequency 7, F to Q)", False, KEPT),
        (
            [("h2", "118", 800, MAR)],
            "voids a bill that is not here, or one of several (frequency 8)", True, LEFT_OUT,
        ),
        (
            [("h1", "131", 500, FEB), ("h2", "131", 300, FEB), ("h3", "137", 800, MAR)],
            "replaces one of several bills of these days (frequency 7, F to Q)", True, KEPT,
        ),
    ],
)  # fmt: skip
def test_a_bill_that_nothing_answers_is_told_with_its_dollars(rows, rule, fault, effect):
    found = {f.rule: f for f in check(held(frames(*bills(*rows))), today=TODAY).findings}
    assert (found[rule].fault, found[rule].effect, found[rule].dollars) == (fault, effect, 800.0)


# --- what is left out -------------------------------------------------------------------------------------------------


def test_lines_that_no_step_uses_are_told_by_measure_and_add_up():
    rows = [
        *paid(100, claim_id="whole"), *paid(7, claim_id="header", claim_line_number=None),
        *paid(20, claim_id="back", claim_end_date="2025-01-03"), *paid(3, claim_id="strange", person_id="A "),
    ]  # fmt: skip
    claims = from_frames(frames(*rows))
    assert [(t.why, t.words, t.rows, t.paid) for t in claims.taken] == [
        ("unusable", "claim_line_number: empty", 1, 7_00),
        ("unusable", "claim_end_date: ends before it starts", 1, 20_00),
        ("stranger", "person_id: a member who is not in eligibility", 1, 3_00),
    ]
    measured = spent(claims)
    found = measured.reconciliation.dollars
    (whole,), (counted,) = ([row for row in found if row.kind == kind] for kind in (Kind.READ, Kind.COUNTS))
    out = [row for row in found if row.kind in LINES_LEFT_OUT or row.kind == Kind.OTHER_YEAR]
    assert (whole.lines, whole.cents) == (4, 130_00)
    assert whole.cents + sum(row.cents for row in out) == counted.cents == 100_00
    assert {row.kind for row in out} & NEVER_USED == {Kind.UNUSABLE, Kind.STRANGER}
    for words in ("claim_line_number: empty (1 row, $7.00)", "a member who is not in eligibility (1 row, $3.00)"):
        assert any(words in note for note in measured.notes), measured.notes


def test_person_ids_that_are_nearly_alike_are_said():
    ids = frames(*paid(5, person_id="00123"), people=(SPAN | {"person_id": 123},))
    (fault,) = check(held(ids), today=TODAY).faults
    assert "1 of them differ by zeros, spaces or capitals alone" in fault.do


def test_a_year_with_nobody_is_said():
    late = SPAN | {"enrollment_start_date": "2024-01-01", "enrollment_end_date": "2024-12-31"}
    notes = spent(from_frames(frames(*paid(60), people=(late,)))).notes
    assert "2025: 1 claim line, $60.00, of people who are not enrolled in the year: they count for nobody." in notes
    assert "2025: nobody is enrolled: its lives, months and dollars are 0." in notes


def test_years_of_claims_that_no_contract_year_is_are_said():
    """Slips of the pen, and a year too many; what a part reads of an earlier year is read."""
    days = ("1925-02-03", "2024-02-03", "2025-02-03", "2052-02-03", "2052-02-04")
    rows = [line | {"claim_id": day, "claim_start_date": day, "claim_end_date": day, "paid_date": "2025-03-01"}
            for day in days for line in paid(50)]  # fmt: skip
    claims = from_frames(frames(*rows))
    assert "Claims of no contract year: 1925 (1 line, $50.00), 2024 (1 line, $50.00), 2052 (2 lines, $100.00)." in (
        spent(claims).notes
    )
    rule = {"benchmark": {"kind": "own_history", "weights": [1], "trend": 0}}
    people = (SPAN | {"enrollment_start_date": "2024-01-01"},)
    read_too = spent(from_frames(frames(*rows, people=people)), AGREED | {"measurement": AGREED["measurement"] | rule})
    assert "Claims of no contract year: 1925 (1 line, $50.00), 2052 (2 lines, $100.00)." in read_too.notes


def test_lines_without_a_date_of_payment_are_said_where_others_have_one():
    rows = [*paid(60), *paid(5, claim_id="x", days=(None,)), *paid(-8, claim_id="y", days=(None,))]
    made = spent(from_frames(frames(*rows)))
    assert "Without a date of payment: 2 claim lines, -$3.00. They count, whenever they were paid." in made.notes
    assert made.years[0].spend == 57
    assert not [note for note in spent(from_frames(frames(*paid(60)))).notes if "date of payment" in note]


@pytest.mark.parametrize(
    ("what", "column"),
    [("end-stage renal disease", "diagnosis_code_1"), ("hospice", "bill_type_code"),
     ("both Medicare and Medicaid", "dual_status_code")],
)  # fmt: skip
def test_who_is_left_out_by_a_column_that_is_not_there_is_refused(what, column):
    """One that is there and empty says that nobody is."""
    agreed = AGREED | {"measurement": AGREED["measurement"] | {"population": {"left_out": [what]}}}
    before = {"claim_id": "b", "claim_start_date": "2024-02-03", "claim_end_date": "2024-02-03"}
    tables = frames(*paid(60), *paid(5, **before), people=(SPAN | {"enrollment_start_date": "2024-01-01"},))
    with pytest.raises(Refusal, match=f"allowed: the column {column} of") as refused:
        spent(from_frames(tables), agreed)
    assert [fault.given for fault in refused.value.faults] == [what]
    for table in tables.values():
        table[column] = None
    assert spent(from_frames(tables), agreed).years[0].lives == 1


def test_what_is_allowed_must_be_there_to_be_counted():
    """Absent or empty it would be nothing; on a line of which nothing is paid, nothing is missing."""
    allowed = AGREED | {"measurement": AGREED["measurement"] | {"spending": {"cost": "allowed"}}}
    for rows in (paid(60), paid(60, allowed_amount=None), [*paid(60), *paid(7, claim_id="x", allowed_amount=9.0)]):
        with pytest.raises(Refusal) as refused:
            spent(from_frames(frames(*rows)), allowed)
        (fault,) = refused.value.faults
        assert fault.given == "1 line of medical_claim without an allowed amount, $60.00 paid"
    rows = [*paid(60, allowed_amount=80.0), *paid(0, claim_id="x", allowed_amount=None)]
    assert spent(from_frames(frames(*rows)), allowed).years[0].spend == 80
    charges = {"kind": "plurality", "billed_by": ["9"], "lookback": 12, "timing": "retrospective"}
    charges |= {"counted_by": "allowed charges"}
    with pytest.raises(Refusal, match="counted_by: allowed charges, and no line has an allowed amount"):
        spent(
            from_frames(frames(*paid(60))), AGREED | {"measurement": AGREED["measurement"] | {"attribution": charges}}
        )


@pytest.mark.parametrize("column", ["claim_start_date", "paid_date", "admission_date", "claim_end_date"])
def test_a_column_of_another_type_does_not_hide_the_other_faults(column):
    """Of days that a number gives, and of the rules that compare them with others."""
    tables = frames(*paid(5, claim_line_number="one", admission_date="2025-02-03", discharge_date="2025-02-01"))
    tables["medical_claim"][column] = 20250302
    found = {(f.column, f.rule) for f in check(held(tables), today=TODAY).faults}
    assert {("claim_line_number", "not a whole number")} < found
    assert any(column in told for told, _ in found)


def test_where_every_line_is_left_out_the_refusal_says_why():
    with pytest.raises(Refusal) as refused:
        spent(from_frames(frames(*paid(60, claim_end_date="2025-01-03"), *paid(5, claim_id="x", person_id="b"))))
    (fault,) = refused.value.faults
    assert fault.given.startswith("no claim line that is used; medical_claim: claim_end_date: ends before it starts (1")
    assert "a member who is not in eligibility (1 row, $5.00): left out." in fault.given


def test_who_is_covered_before_birth_is_told():
    born = check(held(frames(*paid(5), people=(SPAN | {"birth_date": "2026-05-05"},))), today=TODAY).faults
    assert [(fault.rule, fault.found) for fault in born] == [("covered before birth", 1)]


def test_names_of_a_contract_that_no_row_has_are_said():
    rules = {
        "attribution": {"kind": "plurality", "billed_by": ["9"], "lookback": 12, "timing": "retrospective"},
        "outcomes": {"housed": {"outcome": "housed"}},
    }
    agreed = AGREED | {"measurement": AGREED["measurement"] | rules}
    notes = spent(from_frames(frames(*paid(60))), agreed).notes
    assert "attribution: no claim line is billed by 9." in notes
    assert "No row of the outcome table has the outcome 'housed': it counts 0." in notes


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            {"attribution": {"kind": "geography", "by": "zip_code", "areas": ["80202", "80203", "8020"]}},
            "attribution: nobody's zip_code is 80203, 8020.",
        ),
        (
            {"attribution": {"kind": "geography", "by": "state", "areas": ["co", "CO"]}},
            "attribution: nobody's state is co.",
        ),
        (
            {"fees": {"treatment": "outside", "codes": ["G0506", "99490"]}},
            "fees: no claim line has the code 99490.",
        ),
    ],
)
def test_areas_and_codes_that_no_row_has_are_said_and_no_others(rule, said):
    tables = frames(*paid(60, hcpcs_code="G0506"), people=(SPAN | {"zip_code": "80202", "state": "CO"},))
    made = spent(from_frames(tables), AGREED | {"measurement": AGREED["measurement"] | rule})
    assert [note for note in made.notes if note.startswith(("attribution", "fees"))] == [said]
    assert made.years[0].lives == 1


def test_a_column_that_nothing_reads_is_said_with_the_one_it_is_near():
    notes = read(held(frames(*paid(5, allowed_amt="x", mood="good")))).notes
    (note,) = (
        note for note in notes if note.startswith("medical_claim: columns that are not read: allowed_amt, mood.")
    )
    assert "did you mean" in note


@pytest.mark.parametrize(
    ("table", "column", "meant"),
    [
        ("medical_claim", "bil_type_code", "bill_type_code"),  # voids and replacements are told by it
        ("medical_claim", "Payor", "payer"),
        ("medical_claim", "claim enddate", "claim_end_date"),
        ("eligibility", "deathdate", "death_date"),
    ],
)
def test_a_slip_in_a_columns_name_is_refused(table, column, meant):
    tables = frames(*paid(5))
    tables[table] = tables[table].assign(**{column: None}).drop(columns=meant, errors="ignore")
    with pytest.raises(Refusal) as refused:
        read(held(tables))
    (fault,) = refused.value.faults
    assert fault.where.endswith(f"column {column.lower()}")
    assert (fault.given, fault.allowed) == ("a name that no rule reads", meant)
    assert any(found.fault and column.lower() in found.column for found in check(held(tables), today=TODAY).findings)
    tables[table][meant] = None  # where the column itself is there, the other is something else
    assert any(column.lower() in note for note in read(held(tables)).notes)


def test_columns_of_a_database_are_theirs_in_any_case():
    tables = frames(*paid(5))
    tables["medical_claim"] = tables["medical_claim"].rename(columns=lambda name: name.title())
    assert read(held(tables)).medical_claim.paid_amount.execute().tolist() == [5]


# --- both ends, all at once -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "refused"), [(1e13, False), (-1e13, False), (1.1e13, True), (-1e300, True)])
def test_an_amount_has_both_ends(amount, refused):
    con = held(frames(*paid(amount)))
    report = check(con, today=TODAY)
    assert report.refused == refused
    if refused:
        with pytest.raises(Refusal, match="column paid_amount"):
            read(con)


def test_one_missing_column_does_not_hide_the_other_faults():
    tables = frames(*paid(5, allowed_amount="five", claim_end_date="soon"))
    del tables["medical_claim"]["person_id"]
    with pytest.raises(Refusal) as caught:
        read(held(tables))
    columns = [fault.where.rpartition(" ")[2] for fault in caught.value.faults]
    assert columns == ["person_id", "claim_end_date", "allowed_amount"]
    found = {(f.column, f.rule) for f in check(held(tables), today=TODAY).faults}
    assert {("claim_end_date", "not a date"), ("allowed_amount", "not a number")} < found


# --- codes in every spelling ------------------------------------------------------------------------------------------

STAY = {"claim_type": "institutional", "paid_amount": 100.0}
OFFICE = {"claim_type": "professional", "paid_amount": 100.0}


SERVICES = [
    *((STAY | {"bill_type_code": code}, "inpatient") for code in ("111", "0111", "111.0", " 111", "0111.0")),
    *((STAY | {"bill_type_code": "131", "revenue_center_code": code}, "emergency")
      for code in ("0450", "450", "450.0", "0450 ", "00450")),
    *((OFFICE | {"place_of_service_code": code}, "emergency") for code in ("23", "23.0", " 23", "023")),
    *((OFFICE | {"hcpcs_code": code}, "emergency") for code in ("99283", "99283.0", "99283 ")),
    *((OFFICE | {"hcpcs_code": code}, "behavioral") for code in ("H0015", "h0015", " h0015")),
    *((OFFICE | {"diagnosis_code_type": kind, "diagnosis_code_1": code}, "behavioral")
      for kind, code in (("icd-10-cm", "F20.9"), ("ICD-10-CM", "f209"), ("icd-10-cm", "F209 "))),
    (STAY | {"claim_type": "Institutional ", "bill_type_code": "111"}, "inpatient"),
]  # fmt: skip


def test_a_line_is_of_its_service_however_its_codes_are_spelled():
    lines = [line | {"claim_id": f"{n:02d}"} for n, (line, _) in enumerate(SERVICES)]
    found = from_frames(frames(*lines)).lines.order_by("claim_id").service.execute().tolist()
    assert found == [service for _, service in SERVICES]


def test_codes_of_people_are_read_as_their_standard_spells_them():
    written = {
        "dual_status_code": ["2", "02", "2.0", " 8", "NA", "00"],
        "zip_code": ["1234", "01234", "80202-1234", "802021234", "80202.0", "501"],
        "gender": ["F", "female", "Male", "m", "x", "U"],
        "state": ["co", "CO ", "CO", None, "", "Co"],
        "original_reason_entitlement_code": ["1.0", "01", "3", "0", None, "2 "],
    }
    people = [SPAN | {"person_id": str(n)} | {c: codes[n] for c, codes in written.items()} for n in range(6)]
    con = held({"eligibility": pd.DataFrame(people), "medical_claim": frames(*paid(5, person_id="1"))["medical_claim"]})
    read_as = read(con).eligibility.order_by("person_id").execute()
    assert read_as.dual_status_code.tolist() == ["02", "02", "02", "08", "NA", "00"]
    assert read_as.zip_code.tolist() == ["01234", "01234", "80202", "80202", "80202", "00501"]
    assert read_as.gender.tolist() == ["female", "female", "male", "male", "x", "unknown"]
    assert read_as.state.tolist()[:3] == ["CO"] * 3
    assert read_as.original_reason_entitlement_code.tolist()[:4] == ["1", "1", "3", "0"]
    told = {f.column for f in check(con, today=TODAY).notes if f.rule == "another spelling of the code"}
    assert told == set(written)


def test_codes_of_lines_are_read_as_their_standard_spells_them():
    written = {
        "drg_code": ["65", "065", "65.0", "OTH"],
        "discharge_disposition_code": ["1", "1.0", "30", " 7"],
        "admit_type_code": ["01", "1.0", "5", "9"],
        "billing_npi": ["1234567890.0", " 1234567890", "clinic", "1234567890"],
        "hcpcs_code": ["100", "g0438", "99213 ", "0001f"],
    }
    lines = [{"claim_id": str(n), "paid_amount": 1.0} | {c: codes[n] for c, codes in written.items()} for n in range(4)]
    read_as = from_frames(frames(*lines)).medical_claim.order_by("claim_id").execute()
    assert read_as.drg_code.tolist() == ["065", "065", "065", "OTH"]
    assert read_as.discharge_disposition_code.tolist() == ["01", "01", "30", "07"]
    assert read_as.admit_type_code.tolist() == ["1", "1", "5", "9"]
    assert read_as.billing_npi.tolist() == ["1234567890", "1234567890", "clinic", "1234567890"]
    assert read_as.hcpcs_code.tolist() == ["00100", "G0438", "99213", "0001F"]


def test_drug_codes_have_eleven_digits():
    written = ["00093101301", "0093-1013-01", "00093-1013-01", "93101301", "0093101301"]
    drugs = pd.DataFrame([
        {"claim_id": str(n), "claim_line_number": 1, "person_id": "a", "dispensing_date": "2025-02-03",
         "ndc_code": code, "paid_amount": 1.0} for n, code in enumerate(written)
    ])  # fmt: skip
    con = held(frames(*paid(5), pharmacy_claim=drugs))
    assert read(con).pharmacy_claim.order_by("claim_id").ndc_code.execute().tolist() == ["00093101301"] * 4 + [
        written[4]
    ]
    told = {f.rule: f.found for f in check(con, today=TODAY).findings}
    assert told["not eleven digits"] == 1  # of ten digits nobody knows which part lacks one


# --- the two agree, whatever is in the folder -------------------------------------------------------------------------

amount = st.sampled_from([100.0, -100.0, 80.0, 0.0, -30.0, None, "eighty", 1e300])
line = st.fixed_dictionaries(
    {"claim_id": st.sampled_from(["c1", "c2", "c3"]), "paid_amount": amount},
    optional={
        "claim_line_number": st.sampled_from([1, 1, 2, None]),
        "person_id": st.sampled_from(["a", "a", "b", "A", None]),
        "claim_type": st.sampled_from(["institutional", "professional", None]),
        "bill_type_code": st.sampled_from(["111", "117", "118", "0117", None]),
        "claim_end_date": st.sampled_from(["2025-02-03", "2025-01-01"]),
        "paid_date": st.sampled_from(["2025-03-01", "2025-04-01", "soon", None]),
        "allowed_amount": st.sampled_from([100.0, 90.0, None]),
    },
)


@settings(max_examples=6, deadline=None)
@given(st.lists(line, min_size=1, max_size=7), st.sampled_from([(SPAN,), (SPAN, SPAN | {"person_id": "b"})]))
def test_check_announces_what_read_gives_or_both_refuse(lines, people):
    tables = frames(*lines, people=people)
    as_text = (
        tables["medical_claim"].astype(object).map(lambda cell: None if cell is None or cell != cell else str(cell))
    )
    con = held(tables | {"medical_claim": as_text})
    report = check(con, today=TODAY)
    try:
        claims = read(con)
    except Refusal:
        assert report.refused
        return
    assert not report.refused
    kept = next(t for t in report.tables if t.table == "medical_claim")
    rows = claims.medical_claim.execute()
    assert len(rows) == kept.rows - kept.left_out == report.kept.medical_claim.count().execute()
    assert rows.paid_amount.sum() == pytest.approx(kept.paid - kept.paid_left_out, abs=0.005)
    taken = [each for each in claims.taken if each.table == "medical_claim"]
    assert kept.left_out == sum(each.rows for each in taken)
    assert round(100 * kept.paid_left_out) == sum(each.paid for each in taken)
    if len(rows):
        found = [row for row in spent(claims).reconciliation.dollars if row.kind == Kind.READ]
        assert [(row.lines, row.cents) for row in found] == [(len(lines), round(100 * kept.paid))]
