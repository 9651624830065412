"""From staffing to a price: the chain by hand, its chances, and its way back."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from carecontracts import cli
from carecontracts.chance.noise import Panel
from carecontracts.evidence.library import load
from carecontracts.evidence.prior import Belief, Reader
from carecontracts.parties.price import (
    Price,
    Proposal,
    Role,
    backwards,
    chances,
    example,
    price,
    supported,
    to_date,
    years_of,
)
from carecontracts.refusal import Refusal

ROOT = Path(__file__).parents[2]
EXAMPLE = Proposal.load_file(example())


def plain(**changes):
    """One nurse to 50 people, a year, and nothing else: what can be worked by hand."""
    data = {
        "name": "plain",
        "line": "medicaid",
        "years": 1,
        "eligible": 1_000,
        "reached": 1.0,
        "engaged": 0.5,
        "baseline": 2_500,
        "roles": [
            {
                "role": "nurse",
                "caseload": 50,
                "salary": 81_220,
                "basis": {"caseload": "assumption", "salary": "bls2022rn"},
            }
        ],
        "load": 1.42,
        "spread": 1.18,
    } | changes
    numbers = [name for name in data if name not in ("name", "line", "roles", "basis")]
    return Proposal.model_validate(data | {"basis": dict.fromkeys(numbers, "illustrative")})


def test_the_chain_by_hand():
    # 1,000 x 1.0 x 0.5 = 500 people; 500 / 50 = 10 nurses; 10 x 81,220 x 1.42 = $1,153,324 a year
    # 500 x 12 = 6,000 member months: $192.22 each; people cost 500 x 12 x 2,500 = $15,000,000; required 7.689%
    [year] = years_of(plain())
    assert (year.people, year.posts) == (500, 10)
    assert year.cost == pytest.approx(1_153_324)
    assert year.price == pytest.approx(192.2207, abs=1e-4)
    assert year.baseline == 15_000_000
    assert year.required == pytest.approx(0.0768883, abs=1e-7)


def test_more_of_the_chain_by_hand():
    # Two years, half the people but all the staff in the first; overhead 10%, $5 a month, $10 outreach, $50,000 start
    # year 1: 1,153,324 x 1.1 + 5 x 12 x 250 + 10 x 1,000 + 50,000 = 1,268,656.40 + 15,000 + 10,000 + 50,000
    # year 2: wages up 3%: 1,268,656.40 x 1.03 + 5 x 12 x 500 + 10,000 = 1,306,716.092 + 30,000 + 10,000
    # baseline: 250 x 30,000 = 7,500,000 and 500 x 30,000 x 1.04 = 15,600,000; effect a half, then whole
    # to date, undiscounted: cost 2,690,372.492; savings at full effect 3,750,000 + 15,600,000 = 19,350,000
    proposal = plain(
        years=2, people_ramp=[0.5, 1], effect_ramp=[0.5, 1], overhead=0.10, per_person_month=5, outreach=10,
        start_up=50_000, raises=0.03, trend=0.04,
    )  # fmt: skip
    first, second = years_of(proposal)
    assert first.cost == pytest.approx(1_343_656.40)
    assert second.cost == pytest.approx(1_346_716.092)
    assert (first.baseline, second.baseline) == (7_500_000, pytest.approx(15_600_000))
    last = to_date(proposal)[-1]
    assert last.cost == pytest.approx(2_690_372.492)
    assert last.required == pytest.approx(2_690_372.492 / 19_350_000)
    later = to_date(proposal.amend(discount=0.05))[-1]
    assert later.cost == pytest.approx(1_343_656.40 + 1_346_716.092 / 1.05)


@pytest.mark.parametrize(("baseline", "required"), [(1_500, 0.173), (2_500, 0.104), (3_500, 0.074)])
def test_the_reductions_that_a_fee_of_260_dollars_requires(baseline, required):
    """Health Quality Partners' average fee (Health Services Research 2016) on three baselines: 17.3, 10.4 and 7.4%."""
    fee = load()["hqp-second"].cost.per_member_month
    salary = fee * 12 * 50  # a nurse for 50 people whose price is the fee
    role = {
        "role": "nurse",
        "caseload": 50,
        "salary": salary,
        "basis": dict.fromkeys(("caseload", "salary"), "assumption"),
    }
    [year] = years_of(plain(baseline=baseline, load=1.0, roles=[role]))
    assert year.price == pytest.approx(260)
    assert round(year.required, 3) == required


def test_the_load_is_what_wages_are_of_compensation():
    """Employer Costs for Employee Compensation, December 2023: wages are 70.4% of it."""
    assert round(1 / 0.704, 2) == EXAMPLE.load


def test_staff_are_paid_before_people_come():
    # half the staff in the first year, for a tenth of the people: 1,153,324 / 2 over 50 x 12 member months
    first, second = years_of(plain(years=2, people_ramp=[0.1, 1], hired_ramp=[0.5, 1]))
    assert first.cost == pytest.approx(576_662)
    assert first.price == pytest.approx(576_662 / 600)
    assert (first.posts, second.posts) == (5, 10)


def test_a_year_without_an_effect_is_paid_for_by_those_after_it():
    # 2 x 1,153,324 over the second year's 15,000,000; before it only luck of 15,000,000 x 1.18 / sqrt(500) = 791,583
    # shows the 1,153,324 of the first: 1.457 standard deviations, 0.0726
    proposal = plain(years=2, effect_ramp=[0, 1])
    first, second = to_date(proposal)
    assert first.required == math.inf
    assert second.required == pytest.approx(2 * 1_153_324 / 15_000_000)
    chance, *_ = chances(proposal, {"ours": Belief.normal(0.2, 0.05)})
    assert (chance.truly, chance.shown) == (0, pytest.approx(0.0726, abs=1e-4))


@pytest.mark.parametrize("measured", ["engaged", "eligible"])
def test_a_year_without_people_costs_its_staff(measured):
    # 250, 0 and 500 people, 10 nurses each year: 3 x 1,153,324 over (250 + 500) x 30,000 = 22,500,000
    proposal = plain(years=3, people_ramp=[0.5, 0, 1], measured=measured)
    _, year, _ = years_of(proposal)
    assert (year.people, year.price, year.baseline) == (0, math.inf, 0)
    assert to_date(proposal)[-1].required == pytest.approx(3 * 1_153_324 / 22_500_000)
    assert len(price(proposal).backwards) == 5


@pytest.mark.parametrize("ramp", ["effect_ramp: [0, 1]", "people_ramp: [0.5, 0, 1]", "people_ramp: [0, 1]"])
def test_the_command_leaves_out_a_rate_over_nobody(ramp, run, tmp_path):
    program, out = tmp_path / "program.yaml", tmp_path / "out.csv"
    text = example().read_text(encoding="utf-8")
    program.write_text(re.sub(rf"(?m)^{ramp.partition(':')[0]}: .*$", ramp, text), "utf-8")
    done = run("price", program, "--out", out)
    assert done.code == 0
    assert not re.search(r"\b(inf|nan)\b", done.out + out.read_text("utf-8"))


def test_supervisors_follow_staff_and_directors_do_not():
    posts = EXAMPLE.posts()
    double = EXAMPLE.amend(eligible=2 * EXAMPLE.eligible).posts()
    assert double["supervisor"] == pytest.approx(2 * posts["supervisor"])
    assert double["medical director"] == posts["medical director"]
    assert posts["supervisor"] == pytest.approx((800 / 75 + 800 / 150) / 10)


def test_noise_is_that_of_the_panel_when_every_year_is_the_same():
    proposal = plain(years=3, kept=0.5, common=0.01)
    panel = Panel(lives=500, cv=1.18, years=3, kept=0.5, common=0.01)
    last = to_date(proposal)[-1]
    assert last.noise / last.savings_at_full_effect == pytest.approx(panel.sd)


def test_measuring_everyone_eligible_is_noisier_in_dollars():
    engaged, eligible = (to_date(plain(measured=who))[-1].noise for who in ("engaged", "eligible"))
    assert eligible == pytest.approx(engaged * math.sqrt(2))  # twice the people, and sqrt(2) the dollars of luck


def test_chances_against_draws():
    """A hundred thousand programs put each chance within five standard errors."""
    belief, rng, n = Belief.normal(0.08, 0.06), np.random.default_rng(7), 100_000
    last = to_date(EXAMPLE)[-1]
    true = rng.normal(belief.mean, belief.sd, n)
    saved = true * last.savings_at_full_effect
    shown = saved + rng.normal(0, last.noise, n)
    row = chances(EXAMPLE, {"ours": belief})[-1]
    for drawn, said in ((saved, row.truly), (shown, row.shown)):
        assert abs(np.mean(drawn >= last.cost) - said) < 5 * math.sqrt(said * (1 - said) / n)


def test_a_null_never_saves_its_cost_and_sometimes_seems_to():
    rows = chances(plain(), {"null": Belief.normal(0.0, 0.0)})
    assert rows[0].truly == 0
    assert rows[0].shown == pytest.approx(
        1 - 0.5 * (1 + math.erf(0.0768883 / (1.18 / math.sqrt(500)) / math.sqrt(2))), abs=1e-5
    )


def test_even_chance_is_where_what_is_required_is_what_is_believed():
    last = to_date(EXAMPLE)[-1]
    assert chances(EXAMPLE, {"exact": Belief.normal(last.required, 0.05)})[-1].truly == pytest.approx(0.5)


@pytest.mark.parametrize("chance", [0.3, 0.5, 0.8])
def test_every_lever_that_is_pulled_gives_the_chance(chance):
    belief = Belief.normal(0.10, 0.02)
    levers = {lever.lever: lever for lever in backwards(EXAMPLE, belief, chance)}

    def reached(proposal):
        return chances(proposal, {"ours": belief})[-1].truly

    baseline = levers["baseline per member month"].needed
    assert reached(EXAMPLE.amend(baseline=baseline)) == pytest.approx(chance)
    times = levers["caseload, times"].needed
    roles = [r.model_dump(exclude_unset=True) for r in EXAMPLE.roles]
    more = [r | {"caseload": r["caseload"] * times} if "caseload" in r else r for r in roles]
    assert reached(EXAMPLE.amend(roles=more)) == pytest.approx(chance, abs=1e-6)
    price_lever = levers["price per member month"]
    scaled = price_lever.needed / price_lever.now
    required = to_date(EXAMPLE)[-1].required * scaled
    assert belief.chance_of(required) == pytest.approx(chance)
    years = levers["years"].needed
    if years:
        assert reached(EXAMPLE.amend(years=int(years))) >= chance
        if years > 1:
            assert reached(EXAMPLE.amend(years=int(years) - 1)) < chance
    engaged = levers["engaged, of the reached"].needed
    if engaged:
        assert reached(EXAMPLE.amend(engaged=engaged)) == pytest.approx(chance, abs=1e-6)


def test_no_lever_helps_a_program_that_nobody_believes_in():
    assert [lever.needed for lever in backwards(EXAMPLE, Belief.normal(0.0, 0.05), 0.5)] == [None] * 5
    with pytest.raises(Refusal, match="between 0 and 1"):
        backwards(EXAMPLE, Belief.normal(0.1, 0.05), 50)


def test_a_warning_when_no_comparable_study_found_as_much():
    """Consistency rule: required reduction above the upper interval of every study in the evidence set."""
    reader, library = Reader(line="medicaid"), load()
    assert "No comparable study allows" in supported(0.95, library, reader).warning
    middle = supported(0.60, library, reader)
    assert middle.warning is not None
    assert middle.warning.startswith("No comparable study found")
    assert middle.intervals
    little = supported(0.01, library, reader)
    assert little.warning is None
    assert f"{len(little.estimates)} of {little.studies}" in str(little)
    assert set(supported(0.104, library, reader).estimates) < set(little.estimates)


def test_a_whole_price_has_three_beliefs():
    priced = price(EXAMPLE)
    assert isinstance(priced, Price)
    assert {row.belief for row in priced.chances} == {"what the studies say", "sceptical", "null"}
    assert len(priced.chances) == 3 * EXAMPLE.years


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"eligible": -1}, "people, 1 to 100,000,000"),
        ({"years": 40}, "15 or less"),
        ({"reached": 60}, "a share, 0.001 to 1"),
        ({"caseload": 50}, "the unknown term `caseload`"),
        ({"people_ramp": [0, 0]}, "correct the ramps"),
        ({"effect_ramp": [0, 1], "years": 1}, "no year of the 1"),
        ({"hired_ramp": [0]}, "in which staff is paid"),
        ({"eligible": 1e300}, "people, 1 to 100,000,000"),
        ({"spread": 1e300}, "0.01 to 20"),
        ({"engaged": 5e-324}, "a share, 0.001 to 1"),
        ({"load": 0.4}, "a multiple of wages, 1 to 3"),
    ],
)
def test_amendments_are_refused(wrong, told):
    with pytest.raises(Refusal, match=re.escape(told)):
        EXAMPLE.amend(**wrong)


def test_a_file_is_refused_with_every_fault(tmp_path):
    text = example().read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(
        text.replace("load: 1.42", "laod: 1.42").replace("eligible: 2000", "eligible: lots"), encoding="utf-8"
    )
    with pytest.raises(Refusal) as refused:
        Proposal.load_file(path)
    assert len(refused.value.faults) == 3
    assert "did you mean 'load'" in str(refused.value)
    path.write_text(
        text.replace("  engaged: assumption\n", "").replace("spread: powers2020caremore\n", "spreads: mine\n")
    )
    with pytest.raises(Refusal, match="no basis for engaged, spread; a basis for spreads, not given"):
        Proposal.load_file(path)
    path.write_text("- a list", encoding="utf-8")
    with pytest.raises(Refusal, match="fields and their values"):
        Proposal.load_file(path)


def test_a_role_has_one_measure():
    with pytest.raises(ValueError, match="caseload and full_time"):
        Role(role="nurse", caseload=50, full_time=2, salary=1, basis={"caseload": "assumption"})


def test_every_basis_is_a_source_or_says_that_it_is_none():
    text = (ROOT / "book" / "references.bib").read_text("utf-8")
    known = set(re.findall(r"@\w+\{([^,]+),", text)) | {"assumption", "illustrative"}
    assert {basis for part in (EXAMPLE, *EXAMPLE.roles) for basis in part.basis.values()} <= known


def test_the_command(tmp_path):
    run = CliRunner()
    shown = run.invoke(cli.app, ["price", "--example"])
    assert shown.output == example().read_text(encoding="utf-8")
    mine, table = tmp_path / "mine.yaml", tmp_path / "table.csv"
    mine.write_text(shown.output, encoding="utf-8")
    priced = run.invoke(cli.app, ["price", str(mine), "--out", str(table)])
    assert priced.exit_code == 0
    last = years_of(EXAMPLE)[-1]
    assert f"{last.price:,.2f}" in priced.output
    assert str(price(EXAMPLE).support) in priced.output
    assert "nurse care manager's salary" not in priced.output
    assert "community health worker's salary" in priced.output
    assert len(table.read_text("utf-8").splitlines()) == 1 + 3 * EXAMPLE.years
    assert isinstance(run.invoke(cli.app, ["price"]).exception, Refusal)
