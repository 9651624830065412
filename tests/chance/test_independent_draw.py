"""What `odds` says, by another route: members drawn one by one in numpy, and each contract paid from its term sheet.

Nothing of the package is used up to the comparison. Each `..._by_hand` gives what every clause of a contract pays, to
the provider where it is above nothing and by the provider below, in each year and draw.
"""

import math

import numpy as np
import pytest

from carecontracts import Contract, gallery
from carecontracts.chance.assumed import take
from carecontracts.chance.capital import held
from carecontracts.chance.simulate import simulate

SIZES = (500, 2_000, 20_000)
DRAWS = {500: 6_000, 2_000: 4_000, 20_000: 1_500}
SPREAD, COMMON, KEPT, CHURN = 2.15, 0.016, 0.3, 0.1  # as `odds` prints them


class Drawn:
    """What members cost in each of three years over what was expected, and months over what was expected."""

    def __init__(self, people, draws, rng):
        s2 = math.log(1 + SPREAD**2)
        lasting = math.log(1 + KEPT * SPREAD**2) / s2  # of a member's logarithm, so that 0.3 of the cost correlates
        shock = np.exp(rng.normal(-math.log(1 + COMMON**2) / 2, COMMON, (3, draws)))
        self.people, self.relative, self.over = people, np.empty((3, draws)), np.empty((3, draws))
        for d in range(draws):
            same = rng.standard_normal(people, dtype=np.float32)
            for y in range(3):
                own = rng.standard_normal(people, dtype=np.float32)
                cost = np.exp(math.sqrt(s2 * lasting) * same + math.sqrt(s2 * (1 - lasting)) * own - s2 / 2)
                cost *= shock[y, d]
                self.relative[y, d] = cost.mean()
                claims = cost[cost > 250_000 / 7_680] * 7_680  # $640 a month is $7,680 a year
                self.over[y, d] = (np.minimum(claims, 1_000_000) - 250_000).sum()
        leave = rng.binomial(people // 2, CHURN, (2, 3, draws))  # of each half, at a random moment of the year
        halves = people / 2 - rng.normal(leave / 2, np.sqrt(leave / 12))
        self.halves = 12 * halves / (1 - CHURN / 2)  # the months expected are everyone's twelve
        self.months, self.rng = self.halves.sum(0), rng
        self.present = self.months / (12 * people)
        self.budget = 24_000 * people * self.present
        self.saved = self.budget * (1 - self.relative)  # before fees


@pytest.fixture(scope="module", params=SIZES)
def drawn(request):
    return Drawn(request.param, DRAWS[request.param], np.random.default_rng(20261127 + request.param))


def shared_savings_by_hand(d):
    """An advance of $400,000, $40 or $120 a month, half (then 60%) of savings of 2%, 30% of losses in year three."""
    fee = 40 * d.halves[0] + 120 * d.halves[1]  # as many are standard as are complex
    saved, enough = d.saved - fee, 0.02 * d.budget
    share = np.array([[0.5], [0.5], [0.6]])
    savings = np.where(saved >= enough, np.minimum(0.9 * share * saved, 0.1 * d.budget), 0)
    losses = np.where(-saved >= enough, np.minimum(-0.3 * saved, 0.02 * d.budget), 0)
    losses[:2] = 0
    back = np.minimum(0.5 * savings.cumsum(0), 400_000)
    advance = np.zeros_like(fee)
    advance[0] = 400_000
    recouped = np.diff(back, axis=0, prepend=0)
    return {
        "advance": advance, "care management fee": fee, "shared savings": savings, "shared losses": -losses,
        "recoupment of the advance": -recouped,
    }  # fmt: skip


def shared_risk_by_hand(d):
    """$60, $62 and $64 a month; after three years half of savings, or 30% of losses, from 1% on."""
    fee = np.array([[60], [62], [64]]) * d.months
    saved, budget = (d.saved - fee).sum(0), d.budget.sum(0)
    at_the_end = np.array([[0], [0], [1]])
    savings = np.where(saved >= 0.01 * budget, np.minimum(0.5 * saved, 0.1 * budget), 0)
    losses = np.where(-saved >= 0.01 * budget, np.minimum(-0.3 * saved, 0.03 * budget), 0)
    return {
        "care management fee": fee, "savings of three years": at_the_end * savings,
        "losses of three years": -at_the_end * losses,
    }  # fmt: skip


def hnhc_targeted_by_hand(d):
    """$200 a month; half of what lies beyond 2%, of savings to 10% of the benchmark and of losses to 3%."""
    fee = 200 * d.months
    beyond = np.abs(d.saved - fee) - 0.02 * d.budget
    paid, won = 0.5 * np.maximum(beyond, 0), d.saved > fee
    savings = np.where(won, np.minimum(paid, 0.1 * d.budget), 0)
    losses = np.where(won, 0, np.minimum(paid, 0.03 * d.budget))
    return {"care management fee": fee, "shared savings": savings, "shared losses": -losses}


def basic_e_by_hand(d):
    """Medicare's scale of minimums, half of savings by quality less 2%, 30% of losses to 8% of revenue and 4%."""
    minimum = {500: 0.122, 2_000: 0.087 - 0.037 * 1_000 / 1_999, 20_000: 0.025 - 0.003 * 1 / 30_000}[d.people]
    revenue = 0.3 * d.budget
    savings = np.where(d.saved >= minimum * d.budget, np.minimum(0.9 * 0.5 * 0.98 * d.saved, 0.1 * d.budget), 0)
    limit = np.minimum(0.04 * d.budget, 0.08 * revenue)
    losses = np.where(-d.saved >= minimum * d.budget, np.minimum(-0.3 * d.saved, limit), 0)
    return {"shared savings": savings, "shared losses": -losses}


def global_capitation_by_hand(d):
    """$640 a month, 5% of it withheld and returned as hospital and referral care keep 40% of it; two stop-losses."""
    capitation, premium = 640 * d.months, 23 * d.months
    withheld = 0.05 * capitation
    over = 0.4 * 7_680 * d.people * (d.relative * d.present - 1)
    returned = withheld * np.clip(1 - over / (0.2 * 0.4 * 7_680 * d.people), 0, 1)
    one = 0.9 * d.over
    year = np.minimum(d.relative * capitation - one, 1.3 * capitation)
    return {
        "capitation": capitation, "withhold": -withheld, "withhold returned": returned, "stop-loss premium": -premium,
        "stop-loss for one member": one, "stop-loss for the year": 0.9 * np.maximum(year - 1.1 * capitation, 0),
    }  # fmt: skip


def fee_at_risk_by_hand(d):
    """$200 for each engaged month; refunds for admissions that do not fall 5% (10%) and savings under half the fee."""
    shape, rng = d.relative.shape, d.rng
    fee = 200 * 12 * rng.binomial(d.people, 0.7, shape)
    # 300 for 1,000 people with twice Poisson's variance; high where cost is: a copula of 0.55, by ranks
    ours, theirs = (rng.poisson(rng.gamma(0.3 * d.people, 1, shape)) / d.people for _ in "ab")
    ranks = d.relative.argsort(1).argsort(1)
    normal = np.take_along_axis(np.sort(rng.standard_normal(shape), 1), ranks, 1)
    order = (0.55 * normal + math.sqrt(1 - 0.55**2) * rng.standard_normal(shape)).argsort(1).argsort(1)
    ours = np.take_along_axis(np.sort(ours, 1), order, 1)
    by = np.array([[0.05], [0.1], [0.1]])
    missed = np.maximum(theirs * (1 - by) - ours, ours - theirs * (1 - by)) * (ours > theirs * (1 - by))
    counted = rng.poisson(d.people, shape) >= 300
    admissions = np.where(counted, np.minimum(fee * missed / (by * theirs), 0.25 * fee), 0)
    target = np.array([[0.5], [1], [1]]) * fee
    saved = 24_000 * d.people * d.present * (1 - d.relative)
    short = np.maximum(target - saved, 0)
    savings = np.minimum(fee * short / target, 0.5 * fee - admissions)
    return {"care management fee": fee, "refund for admissions": -admissions, "refund for savings": -savings}


BY_HAND = {
    "shared-savings": (shared_savings_by_hand, "practice"),
    "shared-risk": (shared_risk_by_hand, "practice"),
    "hnhc-targeted": (hnhc_targeted_by_hand, "practice"),
    "mssp/basic-e": (basic_e_by_hand, "aco"),
    "global-capitation": (global_capitation_by_hand, "group"),
    "fee-at-risk": (fee_at_risk_by_hand, "practice"),
}


def apart(theirs, ours):
    """How many standard errors two samples are apart: their mean, how often anything, their spread."""
    found = []
    for a, b in ((theirs, ours), (abs(theirs) > 0.005, abs(ours) > 0.005)):
        a, b = a.astype(float), b.astype(float)
        error = math.sqrt(a.var() / a.size + b.var() / b.size)
        found.append(abs(a.mean() - b.mean()) / max(error, 1e-6 * (1 + abs(b.mean()))))
    # of a standard deviation: sqrt((fourth moment - variance^2) / n) / (2 sd)
    errors = [math.sqrt(((x - x.mean()) ** 4).mean() - x.var() ** 2) / math.sqrt(x.size) / 2 for x in (theirs, ours)]
    error = math.hypot(*(e / x.std() for e, x in zip(errors, (theirs, ours), strict=True) if x.std()))
    found.append(abs(theirs.std() - ours.std()) / max(error, 1e-6 * (1 + ours.std())))
    return np.array(found)


class DrawnWithBenchmark(Drawn):
    """The same, with a benchmark made of members too: their own history, or other people's in the same years."""

    def __init__(self, people, draws, rng, how):
        def cost(lasting, year):
            own = math.sqrt(1 - lasted) * rng.standard_normal((len(lasting), people))
            return np.exp(math.sqrt(s2) * (math.sqrt(lasted) * lasting + own) - s2 / 2).mean(1) * shock[year]

        def anyone():
            return rng.standard_normal((draws, people))

        s2 = math.log(1 + SPREAD**2)
        lasted = math.log(1 + KEPT * SPREAD**2) / s2
        shock = np.exp(rng.normal(-math.log(1 + COMMON**2) / 2, COMMON, (5, draws)))  # two years before, and three
        members = anyone()
        self.relative = np.array([cost(members, year) for year in (2, 3, 4)])
        if how == "comparison":  # of twice as many
            first, second = anyone(), anyone()
            benchmark = np.array([(cost(first, year) + cost(second, year)) / 2 for year in (2, 3, 4)])
        else:
            then = [members if how == "same-people" else anyone() for _ in "ab"]
            history = 0.4 * cost(then[0], 0) + 0.6 * cost(then[1], 1)
            benchmark = 0.7 * history + 0.3 if how == "blend" else history
        self.people, self.rng, self.present = people, rng, np.ones((3, draws))
        self.months = np.full((3, draws), 12.0 * people)
        self.budget = 24_000 * people * benchmark * self.present
        self.saved = self.budget - 24_000 * people * self.relative


def odds_of(name, people, **changed):
    contract = Contract.load(gallery(name))
    taken = take(contract, lives=people, **changed)
    draws = 4 * DRAWS.get(people, 4_000)
    return contract, simulate(contract, taken.years, rng=np.random.default_rng(7), draws=draws, luck=taken.luck)


def distances(name, drawn, **changed):
    """Of each clause in each year, and of the provider's net over the term: how far the two routes are apart."""
    by_hand, provider = BY_HAND[name]
    paid = by_hand(drawn)
    contract, simulation = odds_of(name, drawn.people, **changed)
    found = {}
    for clause, amounts in paid.items():
        for y, (theirs, ours) in enumerate(zip(simulation.of(clause), amounts, strict=True)):
            found[clause, y] = apart(theirs, abs(ours))
    to_it = {clause.name for clause in contract.clauses if provider in (clause.payer, clause.payee)}
    assert to_it - set(paid) <= {"shared savings below the minimum"}  # which pays from 2024 on
    net, ours = simulation.net(provider), sum(paid.values()).sum(0)
    found["net", 0], found["loss", 0] = apart(net, ours), apart(np.minimum(net, 0), np.minimum(ours, 0))
    if any("claims" in clause.facts for clause in contract.clauses):
        # By hand the same members are dear again; `simulate` puts whole years in the order of their totals.
        assert net.std() == pytest.approx(ours.std(), rel=0.1)
        found["net", 0] = found["net", 0][:2]
    return found


@pytest.mark.parametrize("name", BY_HAND)
def test_odds_agree_with_members_drawn_by_hand(name, drawn):
    """About 700 statistics, at three sizes, each within 4.5 standard errors, which is 1 in 150,000."""
    for what, sds in distances(name, drawn).items():
        assert sds.max() < 4.5, (what, sds.round(1))


@pytest.mark.parametrize("changed", [{"spread": 2.5}, {"common": 0.05}, {"churn": 0.5}, {"member_cost": 25_000}])
def test_the_comparison_would_tell(changed, drawn):
    """Other assumptions than those drawn by hand are seen, at least in one statistic and at one of the sizes."""
    if drawn.people == (20_000 if "common" in changed else 500):
        assert max(sds.max() for sds in distances("hnhc-targeted", drawn, **changed).values()) > 6


@pytest.mark.parametrize("how", ["history", "same-people", "blend", "comparison"])
@pytest.mark.parametrize("name", ["hnhc-targeted", "shared-risk"])
def test_a_benchmarks_error_agrees_with_one_made_of_members(name, how):
    """Each year alone, and three years together: an error that lasts adds up, a comparison's does less so."""
    drawn = DrawnWithBenchmark(800, 4_000, np.random.default_rng(20261127), how)
    made = {"weights": [0.4, 0.6]} if how != "comparison" else {"compared": 1_600}
    made |= {"own_share": 0.7} if how == "blend" else {}
    for what, sds in distances(name, drawn, spread=SPREAD, churn=0, benchmark_from=how, **made).items():
        if what[0] != "care management fee":  # of the same months in every draw
            assert sds.max() < 4.5, (what, sds.round(1))


@pytest.mark.parametrize("other", ["agreed", "history", "comparison"])
def test_the_comparison_would_tell_how_a_benchmark_is_made(other):
    drawn = DrawnWithBenchmark(800, 4_000, np.random.default_rng(20261127), "same-people")
    found = distances("shared-risk", drawn, spread=SPREAD, churn=0, benchmark_from=other)
    assert max(sds.max() for what, sds in found.items() if what[0] != "care management fee") > 6


@pytest.mark.parametrize("name", BY_HAND)
def test_so_many_members_drawn_by_hand_lose_more_than_a_value_at_risk(name, drawn):
    """1 in 20 and 1 in 100 lose more than the VaR, and on average the TVaR, within 4.5 standard errors."""
    by_hand, provider = BY_HAND[name]
    paid = sum(by_hand(drawn).values())
    _, simulation = odds_of(name, drawn.people)
    one = next(party for party in held(simulation) if party.party == provider)
    for losses, tail in ((-paid.sum(0), one.term), (-paid.min(0), one.year)):
        for level, least, worst in ((0.95, *tail[:2]), (0.99, *tail[2:])):
            slack = 4.5 * math.sqrt(level * (1 - level) * 1.25 / losses.size)
            assert (losses > least + 0.01).mean() <= 1 - level + slack
            assert (losses >= least - 0.01).mean() >= 1 - level - slack
            above = np.sort(losses)[-round((1 - level) * losses.size) :]
            if above.size < 40:
                continue  # a handful does not tell how far its mean strays
            # The variance of a mean of the worst, and of where they begin.
            few = math.sqrt(1.25 * (above.var() + (above.mean() - above[0]) ** 2) / above.size)
            assert above.mean() == pytest.approx(worst, abs=4.5 * few + 0.01 + 0.002 * losses.std())
