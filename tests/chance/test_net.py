"""What each party nets: by hand, by formula, in every draw of every contract, and from the command line."""

import csv
import io
import math

import numpy as np
import openpyxl
import pytest
import yaml

from carecontracts import Contract, Year, gallery
from carecontracts.chance.assumed import take
from carecontracts.chance.plausible import expected_years
from carecontracts.gallery import gallery_names
from carecontracts.parties import net as netting
from carecontracts.parties.margin import margin, price_to_be_whole
from carecontracts.parties.outside import (
    CONTRACT,
    WORLD,
    Beds,
    Outside,
    Payer,
    Premium,
    Team,
    Visits,
    settle,
    with_care,
)
from carecontracts.refusal import Refusal

FEE = """
title: A fee
summary: The plan pays a fee.
parties: {plan: the plan, system: the health system}
first_year: 1
years: 4
clauses:
  - {name: fee, kind: care_management_fee, payer: plan, payee: system, due: monthly, per_member_per_month: 200}
"""
A = "assumption"


def beds(**changes) -> Beds:
    given = {
        "hospital": 1.0, "ours": 1.0, "payers": {"Medicaid": Payer(of_stays=1.0, payment=12_320.0)},
        "full_cost": 14_000.0, "fixed": 0.75,
    } | changes  # fmt: skip
    return Beds(**given, basis=dict.fromkeys(given, A))


def premium(**given) -> Premium:
    return Premium(**given, basis={name: A for name in given if name != "paid_by"})


def years_of(count: int, spend: float, lives: int = 600) -> list[Year]:
    return [Year(year=n + 1, lives=lives, member_months={"all": 12 * lives}, spend=spend) for n in range(count)]


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_finance_chief_s_page():
    """600 people, 72 Medicaid stays avoided: $635,040 of margin, and $373,003 if a fifth refill commercially."""
    contract = Contract.parse(FEE)
    bought = 72 * 12_320 / 0.10 * 0.90  # a tenth of care is 72 stays
    whole = Outside(name="x", beds={"system": beds()}).beside(contract)
    refilled = beds(refilled=0.2, refill={"commercial": Payer(of_stays=1.0, payment=21_697.0)})
    fifth = Outside(name="x", beds={"system": refilled}).beside(contract)
    lost = [
        -settle(contract, years_of(1, bought), each, 0.10).net("system", source="empty beds") for each in (whole, fifth)
    ]
    assert lost == [pytest.approx(635_040), pytest.approx(373_003.2)]
    # and the page of the empty bed has them a stay
    assert 72 * margin(12_320, 14_000, 0.75) == pytest.approx(lost[0])
    assert 72 * price_to_be_whole(8_820, margin(21_697, 14_000, 0.75), 0.2) == pytest.approx(lost[1])


def test_a_mix_of_payers_some_of_whom_pay_nothing():
    """Of 100 stays avoided 90 are paid $10,000; all 100 save $3,000; supplements of $500 go with each."""
    mix = {"Medicaid": Payer(of_stays=0.9, payment=10_000.0), "nobody": Payer(of_stays=0.1, payment=0.0)}
    given = beds(hospital=0.8, ours=0.5, payers=mix, full_cost=12_000.0, supplemental=500.0)
    contract = Contract.parse(FEE)
    # 900,000 lost by these beds is 0.4 of the care not bought, which is a twentieth
    spend = 900_000 / 0.4 / 0.05 * 0.95
    case = settle(contract, years_of(1, spend), Outside(name="x", beds={"system": given}).beside(contract), 0.05)
    assert case.net("system", source="empty beds") == pytest.approx(-900_000 - 100 * 500 + 100 * 3_000)


def test_the_next_premium_follows_what_the_plan_kept_two_years_before_and_the_effect_builds_up():
    contract = Contract.parse(FEE)
    outside = Outside(
        name="x",
        others={"state": "the state"},
        care={"plan": 0.75, "state": 0.25},
        effect_ramp=[0.5, 1.0],
        premiums={"plan": premium(paid_by="state", share=0.8, after=2)},
        basis={"care": A, "effect_ramp": A},
    ).beside(contract)
    care = [950_000, 900_000, 900_000, 900_000]
    years = [Year(year=n + 1, member_months={"all": 1_000}, spend=spend) for n, spend in enumerate(care)]
    case = settle(contract, years, outside, 0.10)
    kept = [case.net("plan", year=y, source="care not bought") for y in (1, 2, 3, 4)]
    assert kept == [pytest.approx(37_500), *[pytest.approx(75_000)] * 3]
    assert [case.net("plan", year=y, source="next premium") for y in (1, 2, 3, 4)] == [0, 0, -30_000, -60_000]
    assert case.net("state") == pytest.approx(12_500 + 3 * 25_000 + 90_000)


def test_a_fee_that_the_rate_allows_for_comes_back_as_late_as_the_saving_goes():
    """15% of $2,500 saved, a fee of $260, rates set two years on: -$6,600 or +$2,760 a member over five years."""
    contract = Contract.parse(FEE.replace("years: 4", "years: 5").replace("month: 200", "month: 260"))
    nets = []
    for counts in (0.0, 1.0):
        premiums = {"plan": premium(paid_by="state", after=2, fee_counts=counts)}
        outside = Outside(name="x", others={"state": "the state"}, premiums=premiums).beside(contract)
        nets.append(settle(contract, years_of(5, 12 * 600 * 2_500 * 0.85), outside, 0.15).net("plan") / 600)
    assert nets == [pytest.approx(-6_600), pytest.approx(2_760)]


def test_visits_not_billed_and_a_team_with_raises_and_a_start():
    contract = Contract.parse(FEE)
    team = Team(a_year=100_000.0, start_up=50_000.0, raises=0.1, basis={"a_year": A, "start_up": A, "raises": A})
    visits = Visits(share=0.25, variable=0.4, basis={"share": A, "variable": A})
    outside = Outside(name="x", teams={"system": team}, visits={"system": visits}).beside(contract)
    case = settle(contract, years_of(2, 950_000), outside, 0.05)
    assert [case.net("system", year=y, source="the team") for y in (1, 2)] == [-150_000, pytest.approx(-110_000)]
    assert case.net("system", year=1, source="visits not billed") == pytest.approx(-50_000 * 0.25 * 0.6)


def test_a_team_from_a_program_file_costs_what_price_says(run, tmp_path):
    program, file = tmp_path / "program.yaml", tmp_path / "outside.yaml"
    program.write_text(run("price", "--example").out, "utf-8")
    file.write_text("name: mine\nteams: {practice: {program: program.yaml}}\n", "utf-8")
    rows = csv.DictReader(
        io.StringIO((run("price", program, "--out", tmp_path / "p.csv"), (tmp_path / "p.csv").read_text())[1])
    )
    costs = list(dict.fromkeys((row["year"], float(row["cost"])) for row in rows))
    assert Outside.load_file(file).teams["practice"].costs(5) == pytest.approx([cost for _, cost in costs])


def test_who_is_paid_for_all_care_buys_it_as_it_is():
    """Capitation: the practice is paid, buys care and pays the team; the plan is let off what care would cost."""
    contract = Contract.load(gallery("compared/capitation"))
    taken = take(contract, lives=500, member_cost=30_000)
    team = Team(a_year=1_000_000.0, basis={"a_year": A})
    outside = Outside(name="x", teams={"practice": team})
    years = with_care(taken.years, 15_000_000)
    (one,) = netting.net(contract, years, outside, seed=1, effects=[0.05], draws=500, luck=taken.luck)
    care = sum(year.spend for year in one.drawn.years)
    paid, passed_on = (one.drawn.paid.total(clause=name) for name in ("capitation", "outreach"))
    assert np.allclose(one.net("practice"), paid - passed_on - care - 3_000_000, atol=0.1)
    assert np.allclose(one.net("plan"), care / 0.95 - paid, atol=0.1)


# --- in every draw of every contract ----------------------------------------------------------------------------------


def everything(contract: Contract) -> Outside:
    """Every source at once, on the contract's own parties."""
    first, second = list(contract.parties)[:2]
    mix = {"a": Payer(of_stays=0.6, payment=11_000.0), "b": Payer(of_stays=0.4, payment=0.0)}
    some = {clause.name: 0.2 for clause in contract.clauses if clause.care_taken_on == "some"}
    return Outside(
        name="everything",
        others={"treasury": "the treasury"},
        care={first: 0.7, "treasury": 0.3},
        effect_ramp=[0.5, 1.0],
        taken_on=some,
        teams={second: Team(a_year=800_000.0, start_up=1.0, basis={"a_year": A, "start_up": A})},
        beds={second: beds(hospital=0.7, ours=0.5, payers=mix, refilled=0.3, supplemental=250.0)},
        visits={first: Visits(share=0.1, variable=0.5, basis={"share": A, "variable": A})},
        premiums={first: premium(paid_by="treasury", share=0.5, after=1)},
        basis={"care": A, "effect_ramp": A} | ({"taken_on": A} if some else {}),
    )


# Luck is reckoned in years of twelve months.
YEARLY = [name for name in gallery_names() if Contract.load(gallery(name)).first_year_months == 12]


@pytest.mark.parametrize("name", YEARLY)
def test_all_parties_and_the_world_net_nothing_in_every_draw_and_month(name):
    contract = Contract.load(gallery(name))
    taken = take(contract, lives=300)
    years = with_care(taken.years, taken.lives * taken.cost)
    outside = everything(contract)
    for one in netting.net(contract, years, outside, seed=3, effects=[0.0, 0.08], draws=40, luck=taken.luck):
        everyone = [*one.parties, *WORLD]
        assert np.allclose(sum(one.net(party) for party in everyone), 0, atol=0.01)
        months: dict[str, float] = {}
        for each in one.expected.cash_flow():
            months[each.month] = months.get(each.month, 0.0) + each.position
        assert all(abs(whole) < 0.01 for whole in months.values())
        # What the asked have together is care not bought, less the work, less what beds and visits lost
        asked = sum(one.net(party) for party in one.parties)
        ramp = [0.5, *[1.0] * (len(years) - 1)]
        lets = zip(one.drawn.years, ramp, strict=True)
        care = [y.whole_spend * one.effect * r / (1 - one.effect * r) for y, r in lets]
        stays = sum(care) * 0.7 * 0.5 / 6_600
        of_beds = stays * (-6_600 - 250 + 3_500 + 0.3 * (6_600 - 3_500))
        work = 800_000 * len(years) + 1
        assert np.allclose(asked, sum(care) + of_beds - sum(care) * 0.1 * 0.5 - work, atol=1)


def test_luck_that_the_contract_does_not_move_is_in_nobody_s_net():
    """A plan that pays a fee bears the luck of care as before: its net strays by the fee's months alone."""
    contract = Contract.parse(FEE)
    years = years_of(3, 15_000_000)
    (one,) = netting.net(contract, years, Outside(name="x"), seed=1, effects=[0.0], draws=2_000)
    assert np.std(one.net("plan")) == pytest.approx(np.std(one.net("system")))
    assert np.std(one.net("plan")) < 0.02 * 3 * 600 * 12 * 200
    assert one.loses("plan") == 1
    assert one.mean("plan") == pytest.approx(-3 * 1_440_000, rel=0.01)


# --- backwards --------------------------------------------------------------------------------------------------------


def test_the_price_that_leaves_each_side_even_is_the_one_in_closed_form():
    contract = Contract.parse(FEE)
    team = Team(a_year=1_350_000.0, basis={"a_year": A})
    outside = Outside(name="x", teams={"system": team}, beds={"system": beds(hospital=1.0, ours=0.5)})
    years = years_of(3, 600 * 25_200)
    found = netting.net(contract, years, outside, seed=1, effects=[0.0, 0.1], draws=400)
    needs_0, pays_0, needs, pays = netting.zone(found, "fee")
    months = np.mean([year.member_months["all"] for year in found[0].drawn.years])
    care = np.mean([year.spend for year in found[1].drawn.years]) / 0.9
    assert (pays_0.times, pays_0.price) == (0.0, 0.0)
    assert needs_0.price == pytest.approx(1_350_000 / months, rel=1e-6)
    lost = 0.1 * care * 0.5 * 8_820 / 12_320
    assert needs.price == pytest.approx((1_350_000 + lost) / months, rel=1e-6)
    assert pays.price == pytest.approx(0.1 * care / months, rel=1e-6)
    assert pays.price == pytest.approx(netting.highest_fee(25_200, 0.1), rel=0.01)
    assert [each.pays for each in (needs, pays)] == [False, True]


def test_the_documented_months_below_which_a_team_is_not_paid_for():
    text = FEE.replace(
        "per_member_per_month: 200}", "per_member_per_month: 230, for_each: month with a documented service}"
    )
    contract = Contract.parse(text)
    years = expected_years(contract, lives=600)
    team = Team(a_year=880_000.0, basis={"a_year": A})
    (one,) = netting.net(
        contract, with_care(years, 1.0), Outside(name="x", teams={"system": team}), seed=1, effects=[0.0]
    )
    paid = np.mean([np.mean(sum(year.documented_months.values())) for year in one.drawn.years])
    assert netting.months_needed(one, "system") == pytest.approx(880_000 / 230 / paid, rel=1e-4)
    assert (
        netting.months_needed(netting.net(Contract.parse(FEE), years_of(1, 1e6), Outside(name="x"), seed=1)[0], "plan")
        is None
    )


def test_cash_to_bring_is_the_worst_month_over_a_month_of_the_team():
    contract = Contract.load(gallery("shared-savings"))
    team = Team(a_year=600_000.0, basis={"a_year": A})
    taken = take(contract, lives=500)
    years = with_care(taken.years, 1.0)
    (one,) = netting.net(contract, years, Outside(name="x", teams={"practice": team}), seed=1, effects=[0.0], draws=500)
    assert one.months_to_bring("practice") == pytest.approx(-one.worst_of_20("practice") / 50_000)
    assert 0 <= one.months_to_bring("practice") <= 36
    assert one.months_to_bring("plan") is None
    low = min(p.position for p in one.expected.cash_flow() if p.party == "practice")
    assert one.worst("practice").cash == low


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"teams": {"practise": {"a_year": 1.0, "basis": {"a_year": A}}}}, "did you mean 'practice'"),
        ({"care": {"plan": 0.5}, "basis": {"care": A}}, "add up to 0.5"),
        ({"care": {"plan": 1.0}}, "no basis for care"),
        ({"others": {"plan": "the plan"}}, "no party of the contract"),
        ({"taken_on": {"fee": 1.0}, "basis": {"taken_on": A}}, "no clause of this contract makes anyone buy care"),
        ({"premiums": {"plan": {"paid_by": "nobody"}}}, "nobody"),
        ({"teams": {"practice": {}}}, "neither"),
        ({"beds": {"practice": {"ours": 2.0}}}, "0.001 to 1"),
        ({"bed": {}}, "did you mean"),
        ({"visits": {"practice": {"share": 0.9, "variable": 0.1, "basis": {"share": A, "variable": A}}},
          "beds": {"practice": {"hospital": 0.9, "ours": 0.9, "payers": {"x": {"of_stays": 1.0, "payment": 5.0}},
                                "full_cost": 9.0, "fixed": 0.5, "basis": dict.fromkeys(
                                    ("hospital", "ours", "payers", "full_cost", "fixed"), A)}}}, "171%"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(changes, said, run, tmp_path):
    file = tmp_path / "outside.yaml"
    file.write_text(yaml.safe_dump({"name": "mine"} | changes), "utf-8")
    done = run("net", "hnhc-targeted", "--outside", file, "--draws", 50)
    assert done.code == 2
    assert said in done.err
    assert not done.out


def test_a_clause_without_a_price_is_refused(run):
    done = run("net", "hnhc-targeted", "--price-of", "care managment fee", "--draws", 50)
    assert done.code == 2
    assert "did you mean 'care management fee'" in done.err
    contract = Contract.load(gallery("vermont-corridor"))
    found = netting.net(contract, years_for("vermont-corridor"), Outside(name="x"), seed=1, effects=[0.0], draws=10)
    with pytest.raises(Refusal, match="no clause of this contract has a price in dollars"):
        netting.zone(found, "corridor")


def years_for(name: str) -> list[Year]:
    taken = take(Contract.load(gallery(name)))
    return with_care(taken.years, taken.lives * taken.cost)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_example_runs_and_its_file_adds_up_to_nothing(run, tmp_path):
    file, table, book = (tmp_path / name for name in ("outside.yaml", "net.csv", "net.xlsx"))
    file.write_text(run("net", "--example").out, "utf-8")
    words = ("net", "hnhc-targeted", "--outside", file, "--lives", 600, "--member-cost", 25_200, "--draws", 200)
    done = run(*words, "--price-of", "care management fee", "--out", table)
    assert done.code == 0, done.err
    for said in ("If the program does nothing", "If it takes 10% off", "plan (90%) and state (10%)", "needs at least",
                 "can pay at most", "months of its team's cost", "all others"):  # fmt: skip
        assert said in done.out
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert math.isclose(sum(float(row["dollars"]) for row in rows), 0, abs_tol=0.01)
    assert {row["source"] for row in rows} == {CONTRACT, "care not bought", "the team", "empty beds", "next premium"}
    assert run(*words, "--out", book).code == 0
    sheets = openpyxl.load_workbook(book, data_only=True)
    assert sheets.sheetnames == ["Lines", "Effect 0.0%", "Effect 3.0%", "Effect 10.0%"]
    for sheet in sheets.worksheets[1:]:
        head, *body = sheet.iter_rows(values_only=True)
        effect = float(sheet.title.split()[1].rstrip("%")) / 100
        for party, *amounts, whole in body:
            mine = [row for row in rows if (row["party"], float(row["effect"])) == (party, effect)]
            for source, amount in zip(head[1:-1], amounts, strict=True):
                assert amount == pytest.approx(
                    sum(float(r["dollars"]) for r in mine if r["source"] == source), abs=0.02
                )
            assert whole == pytest.approx(sum(float(row["dollars"]) for row in mine), abs=0.05)
    formulas = openpyxl.load_workbook(book).worksheets[1]
    assert formulas["B2"].value.startswith("=SUMIFS(")
    assert formulas["G2"].value == "=SUM(B2:F2)"


def test_what_nothing_says_is_listed(run):
    done = run("net", "compared/case-rate", "--draws", 50, "--effect", 0.05)
    for said in ("under “case rate”", "what the program costs", "whose beds empty", "next rate"):
        assert said in " ".join(done.out.split()), said
    assert "If the program does nothing" not in done.out
    priced = run("net", "compared/case-rate", "--draws", 50, "--effect", 0.05, "--price-of", "case rate").out
    assert priced.count("not known without") == 2
    assert "needs at least" not in priced


def test_years_of_one_s_own_say_whether_the_program_is_in_them(run, tmp_path):
    years = tmp_path / "years.csv"
    years.write_text("year,lives,member_months,benchmark,spend\n2026,600,7200,15000000,14000000\n")
    assert "--years-are" in run("net", "hnhc-targeted", years, "--draws", 50).err
    without = run("net", "hnhc-targeted", years, "--draws", 50, "--years-are", "without")
    with_it = run("net", "hnhc-targeted", years, "--draws", 50, "--years-are", "with", "--effect", 0.07)
    assert (without.code, with_it.code) == (0, 0)


def test_who_is_paid_for_all_care_may_pay_another_for_it_in_turn():
    """State 1,000 a month x 1,000 months to plan, plan 900 to group; care was to cost $1.2 million, and costs 1.08."""
    parties = {"state": "the state", "plan": "the plan", "system": "the health system"}
    clauses = [
        {
            "name": name,
            "kind": "capitation",
            "payer": payer,
            "payee": payee,
            "due": "monthly",
            "per_member_per_month": price,
        }
        for name, payer, payee, price in (("premium", "state", "plan", 1_000), ("passed on", "plan", "system", 900))
    ]
    data = yaml.safe_load(FEE) | {"parties": parties, "clauses": clauses}
    contract = Contract.parse(yaml.safe_dump(data))
    year = Year(year=1, member_months={"all": 1_000}, spend=1_080_000)
    case = settle(contract, [year], Outside(name="x").beside(contract), 0.1)
    nets = {party: round(case.net(party), 2) for party in contract.parties}
    assert nets == {"state": 200_000, "plan": 100_000, "system": -180_000}


CAPITATION = FEE.replace(
    "kind: care_management_fee, payer: plan, payee: system, due: monthly, per_member_per_month: 200",
    "kind: capitation, payer: plan, payee: system, due: monthly, per_member_per_month: 1000",
)


def test_the_rate_allows_for_a_capitation_less_the_care_that_it_replaces():
    """Paid $1 million for care of 0.9 that would have been 1 million: the next rate falls by 0.1 and allows for 0.1."""
    contract = Contract.parse(CAPITATION)
    premiums = {"plan": premium(paid_by="state", after=1, fee_counts=1.0)}
    outside = Outside(name="x", others={"state": "the state"}, premiums=premiums).beside(contract)
    years = [Year(year=n, member_months={"all": 1_000}, spend=900_000) for n in (1, 2)]
    case = settle(contract, years, outside, 0.1)
    assert case.net("plan", year=2, source="next premium") == pytest.approx(-100_000 + (1_000_000 - 900_000))
    assert case.net("plan", year=1) == pytest.approx(0)


def test_care_is_taken_on_only_while_the_conditions_hold():
    contract = Contract.parse(CAPITATION.replace("per_month: 1000}", "per_month: 1000, only_if: [licensed]}"))
    years = [
        Year(year=n, member_months={"all": 1_000}, spend=900_000, conditions={"licensed": held})
        for n, held in ((1, 0), (2, 1))
    ]
    case = settle(contract, years, Outside(name="x").beside(contract))
    assert [case.net("system", year=n) for n in (1, 2)] == [0, pytest.approx(100_000)]


def test_two_clauses_for_all_care_say_how_much_each_takes_on():
    line = next(line for line in CAPITATION.splitlines() if "name: fee" in line)
    contract = Contract.parse(CAPITATION.rstrip() + "\n" + line.replace("name: fee", "name: other") + "\n")
    told = Outside(name="x").beside(contract)
    assert (told.taken_on, told.unsaid(contract)) == ({}, ["fee", "other"])
    assert sum("taken_on" in said for said in told.missing(contract)) == 2
    basis = {"taken_on": A}
    half = Outside(name="x", taken_on={"fee": 0.5, "other": 0.5}, basis=basis).beside(contract)
    year = Year(year=1, member_months={"all": 1_000}, spend=900_000)
    assert settle(contract, [year], half).net("system", source="care taken on") == pytest.approx(-900_000)
    with pytest.raises(Refusal, match="150% of the care of plan"):
        Outside(name="x", taken_on={"fee": 0.75, "other": 0.75}, basis=basis).beside(contract)


def test_the_start_is_paid_for_in_the_first_month():
    """$12,000 a month of work and $50,000 at once, against nothing: -62,000 at the end of the first month."""
    contract = Contract.parse(FEE)
    team = Team(a_year=144_000.0, start_up=50_000.0, basis={"a_year": A, "start_up": A})
    outside = Outside(name="x", teams={"system": team}).beside(contract)
    years = [Year(year=n, member_months={"all": 0}, spend=1e6) for n in (1, 2)]
    flow = [each for each in settle(contract, years, outside).cash_flow() if each.party == "system"]
    assert [each.position for each in flow[:3]] == [-62_000, -74_000, -86_000]
    assert flow[-1].position == -50_000 - 2 * 144_000
    few = [Year(year=n, lives=1, member_months={"all": 0}, spend=1e6) for n in (1, 2)]
    (one,) = netting.net(contract, few, outside, seed=1, effects=[0.0], draws=50)
    assert one.months_to_bring("system") == pytest.approx((50_000 + 2 * 144_000) / 12_000)


def test_no_more_months_are_needed_than_members_have():
    text = FEE.replace("month: 200}", "month: 230, for_each: engaged month}")
    contract = Contract.parse(text)
    years = [
        Year(year=n, lives=100, member_months={"all": 1_200}, engaged_months={"all": 900}, spend=1e6) for n in (1, 2)
    ]
    for a_year, found in ((1.2 * 900 * 230, 1.2), (1.5 * 900 * 230, None)):
        team = Team(a_year=a_year, basis={"a_year": A})
        (one,) = netting.net(
            contract, years, Outside(name="x", teams={"system": team}), seed=1, effects=[0.0], draws=200
        )
        assert netting.months_needed(one, "system") == (found and pytest.approx(found, rel=0.02))


def test_a_first_year_of_another_length_is_refused():
    contract = Contract.parse(FEE.replace("first_year: 1\n", "first_year: 1\nfirst_year_months: 18\n"))
    with pytest.raises(Refusal, match="first_year_months"):
        netting.net(contract, years_of(2, 1e7), Outside(name="x"), seed=1)


def test_years_with_the_program_hold_as_much_of_its_effect_as_is_reached(run, tmp_path):
    """$15 million without it; with 25% and 75% of 8% in it, 14.7 and 14.1: net takes the same off again."""
    years, outside, table = (tmp_path / name for name in ("years.csv", "outside.yaml", "net.csv"))
    years.write_text(
        "year,lives,member_months,benchmark,spend\n2026,600,7200,15000000,14700000\n2027,600,7200,15000000,14100000\n"
    )
    outside.write_text("name: x\neffect_ramp: [0.25, 0.75]\nbasis: {effect_ramp: assumption}\n")
    words = ("--years-are", "with", "--effect", 0.08, "--common", 0, "--draws", 4_000, "--outside", outside)
    done = run("net", "hnhc-targeted", years, *words, "--out", table)
    assert done.code == 0, done.err
    assert "reached in each year: 25%, 75%" in " ".join(done.out.split())
    found = {
        row["year"]: float(row["dollars"])
        for row in csv.DictReader(io.StringIO(table.read_text(encoding="utf-8")))
        if row["source"] == "care not bought" and row["party"] == "plan"
    }
    assert found == {"2026": pytest.approx(300_000, rel=0.02), "2027": pytest.approx(900_000, rel=0.02)}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--cost", "nobody=5"], "--cost"),
        (["--price-of", "no such clause"], "the clause to price"),
        (["--cost", "practise=5", "--price-of", "shared savings"], "did you mean 'practice'"),
    ],
)
def test_what_no_draw_is_needed_for_is_refused_before_any(options: list[str], told: str, run, monkeypatch) -> None:
    monkeypatch.setattr("carecontracts.parties.net.draw_years", None)  # a draw would fail otherwise than by a refusal
    done = run("net", "shared-savings", *options)
    assert done.code == 2
    assert told in done.err
