"""The same program and the same fee money, contracted for the people served and for everyone: both settle."""

from carecontracts import Contract, Year, gallery

TARGETED = Contract.load(gallery("hnhc-targeted"))
WHOLE = Contract.load(gallery("whole-population"))
SERVED, EVERYONE = 500 * 12, 10_000 * 12  # member months
SERVED_COST, OTHERS_COST = 15_000_000, 54_000_000  # expected


def settled(contract: Contract, months: int, expected: float, saved: float):
    year = Year(year=2026, member_months={"all": months}, benchmark=expected, spend=expected - saved)
    return contract.settle([year])


def test_the_fee_money_is_the_same():
    targeted = settled(TARGETED, SERVED, SERVED_COST, 0)
    whole = settled(WHOLE, EVERYONE, SERVED_COST + OTHERS_COST, 0)
    assert targeted.total(clause="care management fee") == whole.total(clause="care management fee") == 1_200_000


def test_one_result_is_a_share_in_one_contract_and_nothing_in_the_other():
    # 15% off what 15,000,000 was expected: 2,250,000 saved, less the fee of 1,200,000 leaves 1,050,000
    targeted = settled(TARGETED, SERVED, SERVED_COST, 2_250_000)
    assert targeted.total(clause="shared savings") == 375_000  # (1,050,000 - 2% of 15,000,000) x 50%
    # the same dollars, of 69,000,000: 1,050,000 is under 2% of it, 1,380,000
    whole = settled(WHOLE, EVERYONE, SERVED_COST + OTHERS_COST, 2_250_000)
    assert whole.total(clause="shared savings") == 0


def test_a_program_without_effect_owes_in_one_contract_only():
    # the fee of 1,200,000 is a loss of 8% of 15,000,000: (1,200,000 - 300,000) x 50% = 450,000, the cap of 3%
    assert settled(TARGETED, SERVED, SERVED_COST, 0).total(clause="shared losses") == 450_000
    # and 1.7% of 69,000,000, which is inside the first band
    assert settled(WHOLE, EVERYONE, SERVED_COST + OTHERS_COST, 0).total(clause="shared losses") == 0


def test_what_all_pay_is_what_all_receive():
    for contract, months in ((TARGETED, SERVED), (WHOLE, EVERYONE)):
        assert sum(settled(contract, months, 15e6, 3e6).net().values()) == 0
