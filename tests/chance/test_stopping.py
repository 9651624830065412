"""Stop rules: the published constants come out, and the recursion is the multivariate normal integral."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from carecontracts.evaluation.stopping import NEVER, Rule, boundary, exits, futility, largest_information, predictive
from carecontracts.refusal import Refusal

# Jennison and Turnbull (2000), tables 2.1 (Pocock) and 2.3 (O'Brien and Fleming), two-sided 5%: looks and constant.
POCOCK = {1: 1.960, 2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 10: 2.555}
OBRIEN_FLEMING = {1: 1.960, 2: 1.977, 3: 2.004, 4: 2.024, 5: 2.040, 10: 2.087}

# Armitage, McPherson and Rowe (1969), table 2: testing at 5% each time, the chance of at least one false alarm.
AT_FIVE_PERCENT_EACH_TIME = {1: 0.05, 2: 0.083, 3: 0.107, 4: 0.126, 5: 0.142, 10: 0.193}

SHARE = (0.2, 0.45, 0.7, 1.0)


@pytest.mark.parametrize(("looks", "constant"), POCOCK.items())
def test_the_published_constants_of_pocock_come_out(looks: int, constant: float) -> None:
    assert boundary(looks, "Pocock") == pytest.approx([constant] * looks, abs=0.0005)


@pytest.mark.parametrize(("looks", "constant"), OBRIEN_FLEMING.items())
def test_the_published_constants_of_obrien_and_fleming_come_out(looks: int, constant: float) -> None:
    assert boundary(looks)[-1] == pytest.approx(constant, abs=0.0005)


def test_the_five_bounds_of_obrien_and_fleming() -> None:
    assert boundary(5) == pytest.approx([4.562, 3.226, 2.634, 2.281, 2.040], abs=0.0005)


@pytest.mark.parametrize(("looks", "chance"), AT_FIVE_PERCENT_EACH_TIME.items())
def test_looking_again_at_five_percent_raises_more_false_alarms(looks: int, chance: float) -> None:
    equal = np.arange(1, looks + 1) / looks
    found = exits(equal, [-1.96] * looks, [1.96] * looks, [0.0] * looks)
    assert sum(found.above + found.below) == pytest.approx(chance, abs=0.0006)


def test_what_looking_costs_is_what_sas_prints() -> None:
    """SAS/STAT, the SEQDESIGN procedure, example "Creating Two-Sided Pocock and O'Brien-Fleming Designs"."""
    # 118.3143, 115.6074 and 69.74805 percent; to the last digit printed but one, since solvers stop at some tolerance
    assert largest_information(4, "Pocock") == pytest.approx((1.183143, 1.156074, 0.6974805), abs=2e-6)


@pytest.mark.parametrize("drift", [0.0, 1.0, 2.8])
def test_the_recursion_is_the_multivariate_normal_integral(drift: float) -> None:
    """Staying between the bounds at every look is a box under a normal whose correlations are √(earlier/later)."""
    low, high = np.array([-1.0, -0.2, 0.4, 1.6]), np.array([3.5, 2.9, 2.4, 2.2])
    mean = drift * np.sqrt(SHARE)
    found = exits(SHARE, low, high, mean)
    together = np.sqrt(np.minimum.outer(SHARE, SHARE) / np.maximum.outer(SHARE, SHARE))
    box = multivariate_normal(mean, together)
    inside = box.cdf(high, lower_limit=low, rng=np.random.default_rng(1))
    assert found.left == pytest.approx(float(inside), abs=2e-4)  # scipy's own error at four dimensions is below 1e-4
    first = norm.cdf(low[0] - mean[0]), norm.sf(high[0] - mean[0])
    assert (found.below[0], found.above[0]) == pytest.approx(first, abs=1e-12)


def test_no_bound_is_ever_crossed_when_there_is_none() -> None:
    found = exits(SHARE, [-NEVER] * 4, [NEVER] * 4, [0.3] * 4)
    assert found.left == 1.0


def test_an_effect_that_grows_late_is_followed() -> None:
    """Means need not lie on a line: the same recursion against drawn paths, within four standard errors."""
    rng, paths = np.random.default_rng(7), 200_000
    mean, lower = np.array([0.1, 0.3, 1.1, 2.4]), np.array([-0.8, 0.0, 0.6, 1.5])
    score = np.cumsum(rng.standard_normal((paths, 4)) * np.sqrt(np.diff(SHARE, prepend=0)), axis=1)
    z = score / np.sqrt(SHARE) + mean
    ended = np.where((z < lower).any(axis=1), (z < lower).argmax(axis=1), -1)
    found = exits(SHARE, lower, [NEVER] * 4, mean)
    for look, chance in enumerate(found.below):
        assert np.mean(ended == look) == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / paths))


@pytest.mark.parametrize("shape", ["O'Brien-Fleming", "Pocock"])
def test_futility_abandons_what_works_as_often_as_agreed(shape: str) -> None:
    mean = 2.8 * np.sqrt(SHARE)
    lower = futility(SHARE, mean, 1.645, abandoned=0.10, shape=shape)  # type: ignore[arg-type]
    early = exits(SHARE[:3], lower[:3], [NEVER] * 3, mean[:3])
    part = SHARE[2]
    spent = 2 * norm.sf(norm.isf(0.05) / np.sqrt(part)) if shape[0] == "O" else 0.10 * np.log1p((np.e - 1) * part)
    assert sum(early.below) == pytest.approx(spent, abs=1e-8)
    assert sum(early.below) < 0.10


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (1.5, 0.7), (2.5, 0.0), (0.0, NEVER)])
def test_the_predictive_bound_is_where_the_final_look_succeeds_with_that_chance(mean: float, sd: float) -> None:
    """Draw the effect from what is believed at the bound, run on to the end, and count: within four standard errors."""
    rng, paths, least, final = np.random.default_rng(11), 400_000, 0.2, 1.645
    lower = predictive(SHARE, final, least, mean, sd)
    for part, bound in zip(SHARE[:3], lower, strict=False):
        weight = 0.0 if sd == NEVER else np.inf if sd == 0 else sd**-2
        spread = 0.0 if sd == 0 else (weight + part) ** -0.5
        center = mean if sd == 0 else (weight * mean + np.sqrt(part) * bound) / (weight + part)
        effect = center + spread * rng.standard_normal(paths)
        end = np.sqrt(part) * bound + (1 - part) * effect + np.sqrt(1 - part) * rng.standard_normal(paths)
        assert np.mean(end > final) == pytest.approx(least, abs=4 * np.sqrt(least * (1 - least) / paths))


def test_a_rule_without_looks_in_between_pays_to_the_end() -> None:
    found = Rule((36.0,), (1.0,), (0.0,)).cost([0.0], monthly=1_000)
    assert (found.abandoned, found.months, found.dollars) == pytest.approx((0.5, 36, 36_000))


def test_one_rule_by_hand() -> None:
    """Two looks, at months 6 and 12, each ending the program below zero; under no effect, half leave at the first.

    Of two normals with correlation √(1/2) both lie above zero with chance 1/4 + arcsin(√½)/2π = 3/8.
    """
    found = Rule((6.0, 12.0), (1.0, 2.0), (0.0, 0.0)).cost([0.0, 0.0], monthly=100)
    assert found.kept == pytest.approx(3 / 8, abs=1e-9)
    assert found.months == pytest.approx(6 * 0.5 + 12 * 0.5)
    assert found.dollars == pytest.approx(900)


def test_a_program_proved_early_is_paid_for_to_the_last_look() -> None:
    """With nothing to abandon it, half are above zero at month 6: they stop looking, and are kept for all 12 months."""
    found = Rule((6.0, 12.0), (1.0, 2.0), (-9.0, -9.0), (0.0, 9.0)).cost([0.0, 0.0], monthly=100)
    assert (found.kept, found.months, found.dollars) == pytest.approx((1, 12, 1_200), abs=1e-6)


def test_more_looks_never_abandon_less() -> None:
    mean = 2.0 * np.sqrt(SHARE)
    lower = (-0.5, 0.0, 0.5, 1.0)
    chances = [Rule(SHARE[k:], SHARE[k:], lower[k:]).cost(mean[k:]).abandoned for k in (3, 2, 1, 0)]
    assert chances == sorted(chances)


@pytest.mark.parametrize(
    ("information", "lower", "upper"),
    [((0.5, 0.4), (0, 0), (1, 1)), ((0.5, 1.0), (0,), (1, 1)), ((0.5, 1.0), (2, 0), (1, 1))],
)
def test_looks_that_cannot_be_are_refused(information, lower, upper) -> None:
    with pytest.raises(Refusal, match="do:"):
        exits(information, lower, upper, [0.0] * len(information))


def test_a_bound_for_no_looks_is_refused() -> None:
    with pytest.raises(Refusal, match="1 look or more"):
        boundary(0)
