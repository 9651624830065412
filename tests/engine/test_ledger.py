"""When money is due, how it is rounded, and what each party holds month by month."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecontracts import Contract, Ledger, Line, Refusal, Year, gallery
from carecontracts.chance.plausible import expected_years
from carecontracts.ledger import month_name
from carecontracts.paper.term_sheet import term_sheet
from carecontracts.units import cents, say_count, say_dollars, say_percent

FOUR_CLAUSES = Path(__file__).with_name("four-clauses.yaml")


def line(amount: float, *due: int, payer: str = "plan", payee: str = "practice", year: int = 2026) -> Line:
    return Line(year, "fee", payer, payee, amount, {}, due)


def months_due(due: str, year: int = 2026, year_starts: int = 1, first_year: int = 2026) -> list[str]:
    contract = Contract.load(FOUR_CLAUSES).amend(
        {"fee": {"due": due}}, year_starts=year_starts, first_year=first_year, years=None
    )
    fee = contract.clauses[1]
    return [month_name(month) for month in fee.months_due(contract.months_of(year))]


# --- rounding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        *((0, 0), (0.004, 0), (0.005, 0.01), (1.005, 1.01), (2.675, 2.68), (10.005, 10.01), (0.1 + 0.2, 0.3)),
        (625_556_159.045, 625_556_159.05),  # which a float holds as ….044999957
    ],
)
def test_half_a_cent_goes_up(amount: float, rounded: float) -> None:
    assert cents(amount) == rounded
    assert cents(np.array([amount]))[0] == rounded


@pytest.mark.parametrize("amount", [0.00499, 1.00499, 1_000_000.00499])
def test_less_than_half_a_cent_goes_down(amount: float) -> None:
    assert cents(amount) == round(amount - 0.004, 2)


@given(st.integers(0, 10**11))
def test_half_of_an_odd_number_of_cents_goes_up(odd: int) -> None:
    amount = (2 * odd + 1) / 100  # up to two billion dollars
    assert round(cents(amount * 0.5) * 100) == odd + 1


@given(st.integers(0, 10**14))
def test_half_a_cent_goes_up_as_it_is_written(number: int) -> None:
    """Up to a trillion dollars, with numbers and arrays alike."""
    amount = float(f"{number // 100}.{number % 100:02d}5")
    assert cents(amount) == float(f"{(number + 1) // 100}.{(number + 1) % 100:02d}")
    assert cents(np.array([amount]))[0] == cents(amount)


@given(st.integers(0, 10**13))
def test_whole_cents_stay_as_they_are(number: int) -> None:
    assert cents(number / 100) == number / 100


def test_nothing_is_said_to_be_less_than_nothing() -> None:
    assert (say_count(-0.0), say_dollars(-0.0), say_percent(-0.0)) == ("0", "$0", "0%")


# --- due ------------------------------------------------------------------------------------------------------------


def test_monthly_is_each_month_of_the_year() -> None:
    assert months_due("monthly") == [f"2026-{month:02}" for month in range(1, 13)]


def test_quarterly_is_the_last_month_of_each_quarter() -> None:
    assert months_due("quarterly") == ["2026-03", "2026-06", "2026-09", "2026-12"]


def test_at_the_start_is_the_first_month() -> None:
    assert months_due("at the start of the year") == ["2026-01"]


@pytest.mark.parametrize(
    ("due", "month"),
    [
        ("0 months after the year ends", "2026-12"),
        ("1 month after the year ends", "2027-01"),
        ("9 months after the year ends", "2027-09"),
        ("18 months after the year ends", "2028-06"),
    ],
)
def test_months_after_the_end_count_from_december(due: str, month: str) -> None:
    assert months_due(due) == [month]


def test_a_contract_year_may_begin_in_july() -> None:
    assert months_due("monthly", year_starts=7)[0] == "2026-07"
    assert months_due("monthly", year_starts=7)[-1] == "2027-06"
    assert months_due("quarterly", year_starts=7) == ["2026-09", "2026-12", "2027-03", "2027-06"]
    assert months_due("at the start of the year", year_starts=7) == ["2026-07"]
    assert months_due("9 months after the year ends", year_starts=7) == ["2028-03"]


def test_counted_years_have_counted_months() -> None:
    assert months_due("quarterly", year=2, first_year=1)[0] == "year 2, month 3"


# --- the cash flow --------------------------------------------------------------------------------------------------


def test_positions_run_from_the_first_payment_to_the_last() -> None:
    ledger = Ledger([line(100, 2026 * 12), line(30, 2026 * 12 + 2, payer="practice", payee="plan")])
    flow = [(p.month, p.party, p.received, p.paid, p.position) for p in ledger.cash_flow()]
    assert flow == [
        ("2026-01", "plan", 0, 100, -100), ("2026-01", "practice", 100, 0, 100),
        ("2026-02", "plan", 0, 0, -100), ("2026-02", "practice", 0, 0, 100),
        ("2026-03", "plan", 30, 0, -70), ("2026-03", "practice", 0, 30, 70),
    ]  # fmt: skip


def test_what_is_paid_and_received_in_one_month_is_netted() -> None:
    ledger = Ledger([line(100, 24312), line(100, 24312, payer="practice", payee="plan")])
    assert {(p.received, p.paid, p.position) for p in ledger.cash_flow()} == {(100, 100, 0)}


def test_no_lines_no_flow() -> None:
    assert Ledger().cash_flow() == []
    assert Ledger().net() == {}
    assert Ledger().total() == 0


@given(st.integers(0, 10**9), st.integers(1, 24))
def test_instalments_add_up_to_their_line(number: int, parts: int) -> None:
    ledger = Ledger([line(number / 100, *range(24312, 24312 + parts))])
    received = [p.received for p in ledger.cash_flow() if p.party == "practice"]
    assert cents(sum(received)) == number / 100
    assert max(received) - min(received) < 0.0101
    assert all(part == round(part, 2) >= 0 for part in received)


@given(st.lists(st.tuples(st.integers(0, 10**8), st.booleans(), st.integers(24312, 24336)), min_size=1, max_size=12))
def test_every_month_all_positions_sum_to_nothing(payments: list[tuple[int, bool, int]]) -> None:
    ledger = Ledger(
        line(n / 100, month, payer="plan" if there else "practice", payee="practice" if there else "plan")
        for n, there, month in payments
    )
    by_month: dict[str, list[float]] = {}
    for position in ledger.cash_flow():
        by_month.setdefault(position.month, []).append(position.position)
    assert all(cents(sum(positions)) == 0 for positions in by_month.values())


def test_a_programme_hires_before_it_is_paid() -> None:
    """The advance comes in January, the fee by the month, the share of savings 9 months after the year's end."""
    facts = {"member_months": {"all": 12_000}, "benchmark": 24e6, "spend": 22e6, "measures": {"quality score": 0.9}}
    ledger = Contract.load(FOUR_CLAUSES).settle([Year(year=2026, **facts)])
    practice = {p.month: p.position for p in ledger.cash_flow() if p.party == "practice"}
    assert practice["2026-01"] == 400_000 + 40_000
    assert practice["2026-12"] == practice["2027-08"] == 400_000 + 480_000
    assert practice["2027-09"] == 880_000 + 684_000 - 342_000  # savings shared, less what is recouped
    assert list(practice)[-1] == "2027-09"


def test_arrays_flow_as_their_elements_do() -> None:
    draws = np.array([0.01, 99.99, 1_234.56])
    together = Ledger([line(draws, *range(24312, 24324))])  # type: ignore[arg-type]
    for k, amount in enumerate(draws):
        alone = Ledger([line(amount, *range(24312, 24324))])
        for a, b in zip(together.cash_flow(), alone.cash_flow(), strict=True):
            assert np.broadcast_to(a.position, 3)[k] == b.position


# --- totals ---------------------------------------------------------------------------------------------------------


def test_totals_by_year_clause_and_party() -> None:
    ledger = Ledger(
        [line(10, 24312), line(5, 24324, year=2027), line(3, 24324, payer="practice", payee="plan", year=2027)]
    )
    assert ledger.total() == 18
    assert ledger.total(year=2027) == 8
    assert ledger.total(payer="plan") == 15
    assert ledger.total(payee=["plan", "practice"]) == 18
    assert ledger.total(clause=[]) == 0
    assert ledger.total(clause="another") == 0
    assert ledger.net() == {"plan": -12, "practice": 12}
    assert ledger.parties() == ["plan", "practice"]


# --- a first year of another length -----------------------------------------------------------------------------------

FIRST_YEAR = """
title: A first year of 21 months
summary: A fee and a share of savings, from April 2012; losses are carried.
parties: {cms: Medicare, aco: the ACO}
first_year: 2012
year_starts: 4
first_year_months: 21
clauses:
  - {name: fee, kind: care_management_fee, payer: cms, payee: aco, due: monthly, per_member_per_month: {1: 5, 2: 6}}
  - {name: savings, kind: shared_savings, payer: cms, payee: aco, due: 9 months after the year ends, minimum: 0,
     share: 0.5, losses_carried: 1}
"""


def of_2012(number: int, months: float = 120_000, spend: float = 9e6) -> Year:
    return Year(year=number, member_months={"all": months}, benchmark=10e6, spend=spend)


def test_a_first_year_of_21_months() -> None:
    contract = Contract.parse(FIRST_YEAR)
    fee, savings = contract.settle([of_2012(2012, 210_000)])
    assert fee.amount == 1_050_000
    assert [month_name(fee.due[0]), month_name(fee.due[-1]), len(fee.due)] == ["2012-04", "2013-12", 21]
    assert (savings.amount, month_name(savings.due[0])) == (500_000, "2014-09")


def test_the_next_year_is_the_next_calendar_year_and_the_contract_s_second() -> None:
    contract = Contract.parse(FIRST_YEAR)
    ledger = contract.settle([of_2012(2012, 210_000, 11e6), of_2012(2014), of_2012(2015)])
    assert [line.amount for line in ledger if line.clause == "fee"] == [
        1_050_000,
        720_000,
        720_000,
    ]  # $6 from year 2 on
    assert [line.amount for line in ledger if line.clause == "savings"] == [0, 0, 500_000]  # 1,000,000 was carried
    second = next(line for line in ledger if line.year == 2014)
    assert [month_name(second.due[0]), month_name(second.due[-1])] == ["2014-01", "2014-12"]


@pytest.mark.parametrize(
    ("starts", "months", "second", "begins"),
    [
        (4, 21, 2014, "2014-01"),
        (4, 9, 2013, "2013-01"),
        (4, 12, 2013, "2013-04"),
        (10, 3, 2013, "2013-01"),
        (1, 6, 2013, "2012-07"),  # the year that is called 2013
        (1, 18, 2013, "2013-07"),
        (1, 24, 2014, "2014-01"),
    ],
)
def test_when_the_second_year_begins(starts: int, months: int, second: int, begins: str) -> None:
    contract = Contract.parse(FIRST_YEAR).amend(year_starts=starts, first_year_months=months)
    assert contract.numbers(3) == [2012, second, second + 1]
    assert month_name(contract.months_of(second)[0]) == begins
    assert [contract.nth(number) for number in contract.numbers(3)] == [1, 2, 3]
    assert contract.months_of(second + 1)[0] == contract.months_of(second)[-1] + 1


@pytest.mark.parametrize(("months", "due"), [(3, 1), (4, 2), (12, 4), (21, 7), (1, 1)])
def test_quarters_end_with_a_first_year_that_is_cut_short(months: int, due: int) -> None:
    contract = Contract.parse(FIRST_YEAR).amend({"fee": {"due": "quarterly"}}, first_year_months=months)
    found = contract.clauses[0].months_due(contract.months_of(2012))
    assert len(found) == due
    assert found[-1] == contract.months_of(2012)[-1]


def test_a_counted_contract_s_second_year_is_2() -> None:
    contract = Contract.parse(FIRST_YEAR.replace("first_year: 2012", "first_year: 1").replace("21", "30"))
    assert contract.numbers(3) == [1, 2, 3]
    assert month_name(contract.months_of(2)[0]) == "year 3, month 10"


def test_a_year_inside_a_long_first_year_is_refused_with_what_to_do() -> None:
    contract = Contract.parse(FIRST_YEAR)
    with pytest.raises(Refusal, match="2012, and then 2014: the first year has 21 months"):
        contract.settle([of_2012(2012), of_2012(2013)])
    with pytest.raises(Refusal, match="2015 without 2014"):
        contract.settle([of_2012(2012), of_2012(2015)])


def test_what_reckons_in_twelve_months_says_so() -> None:
    with pytest.raises(Refusal, match="12, to reckon what luck does"):
        expected_years(Contract.parse(FIRST_YEAR))
    with pytest.raises(Refusal, match="take out `measurement`"):
        Contract.load(gallery("complex-care-measured")).amend(first_year_months=9)


def test_the_term_sheet_says_how_long_the_first_year_is() -> None:
    sheet = term_sheet(Contract.parse(FIRST_YEAR))
    assert "the first contract year has 21 months, from 1 April" in sheet
    assert "the next one is 2014, and it and each later one begin on 1 January" in sheet
