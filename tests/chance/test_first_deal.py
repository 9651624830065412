"""A first deal from nine numbers, by hand where arithmetic is all there is."""

import pytest

from carecontracts import Contract, Refusal
from carecontracts.parties.first_deal import BEDS, CHOICES, NUMBERS, UNITS, first_deal, lines


def test_a_fee_alone_by_hand():
    """100 people at $12,000, $50 for each month: 60,000 of 1,200,000; each dollar the plan pays, the practice gets."""
    deal = first_deal(people=100, cost=12_000, fee=50, share=0, effect=0.1)
    assert deal.fees == 60_000
    assert deal.required == pytest.approx(0.05)
    assert deal.highest == pytest.approx(0.1 * 12_000 / 12)
    nothing, half, whole = deal.cases
    assert nothing.nets == {"plan": -180_000, "practice": 180_000}
    # Half of a tenth of 1,200,000 is 60,000 of care not bought in each of three years: even. All of it is twice that.
    assert half.nets == {"plan": 0, "practice": 180_000}
    assert whole.nets == {"plan": 180_000, "practice": 180_000}


def test_a_share_of_savings_by_hand():
    """Without a fee: a tenth of 1,200,000 is saved; half of that is shared, in each of three years."""
    deal = first_deal(people=100, cost=12_000, fee=0, share=0.5, minimum=0.02, effect=0.1)
    assert deal.cases[-1].nets == {"plan": 180_000, "practice": 180_000}
    assert deal.cases[0].nets == {"plan": 0, "practice": 0}
    assert 0 < deal.paid_for_luck < deal.paid_for_work <= 1
    assert deal.price_of_luck > 0


def test_months_that_are_paid_raise_the_price_and_lower_the_bill():
    enrolled = first_deal(unit=UNITS[0], engaged=0.4)
    engaged = first_deal(unit=UNITS[1], engaged=0.4)
    assert engaged.fees == pytest.approx(0.4 * enrolled.fees)
    assert engaged.highest == pytest.approx(enrolled.highest / 0.4)


def test_a_practice_with_beds_nets_less_the_better_it_works():
    without, own = (first_deal(beds=beds, share=0, effect=0.1) for beds in BEDS)
    assert own.cases[0].nets == without.cases[0].nets
    lost = [a.nets["practice"] - b.nets["practice"] for a, b in zip(without.cases, own.cases, strict=True)]
    assert 0 == lost[0] < lost[1] < lost[2]


def test_it_is_a_contract_and_says_its_numbers():
    deal = first_deal()
    assert Contract.parse(deal.contract.as_yaml()) == deal.contract
    told = dict(lines(deal, 0.1))
    assert told["The fee comes to"] == "$864,000 a year"
    assert "Price of luck" not in dict(lines(first_deal(share=0), 0.1))


@pytest.mark.parametrize("name", NUMBERS)
def test_turning_any_number_moves_something(name):
    """Each of them decides something; halved, some answer is another."""
    begins = {each: value for each, (_, value, _, _) in NUMBERS.items()} | {"unit": UNITS[1]}
    assert first_deal(**begins)[1:] != first_deal(**begins | {name: begins[name] / 2})[1:]


@pytest.mark.parametrize(
    "given",
    [
        {"people": 0}, {"people": None}, {"cost": -1}, {"fee": "lots"}, {"engaged": 0}, {"effect": 1},
        {"minimum": 2}, {"share": float("nan")}, {"unit": "fortnight"}, {"beds": "some"}, {"people": True},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(given):
    with pytest.raises(Refusal) as refused:
        first_deal(**given)
    (fault,) = refused.value.faults
    assert fault.where in [what for what, *_ in (NUMBERS | CHOICES).values()]
