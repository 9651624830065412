"""The pages of advice: what they compute is what the package computes."""

import csv
import json
import math
import re
from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from carecontracts import Contract, Ledger, Year, gallery, read_years
from carecontracts.chance.assumed import take
from carecontracts.chance.attainment import Group, met
from carecontracts.chance.simulate import Luck
from carecontracts.ledger import costs_outside
from carecontracts.parties.outside import Outside, with_care
from carecontracts.parties.zone import Grid, axis, zone
from carecontracts.people.rates import measure_table, specifications
from carecontracts.synthetic import people as synthetic

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"


def page(name: str) -> str:
    return (BOOK / f"{name}.md").read_text("utf-8")


def dollars(amount: float) -> str:
    return f"{'−' * (amount < -0.5)}\\${abs(amount):,.0f}"


# --- negotiating ------------------------------------------------------------------------------------------------------

FEE, SHARE = ("fee for documented months", "per_member_per_month"), ("three years' savings", "share")


@cache
def grid(file: str = "") -> Grid:
    """The grid of the page's own command, without a file of what is outside and with it."""
    contract = Contract.load(gallery("medicaid-with-beds"))
    taken = take(contract, line="medicaid", complex_care=True, lives=600, engaged=0.4)
    told = Outside.load_file(BOOK / "files" / file) if file else Outside(name="mine")
    outside = told.with_teams({"system": 720_000.0}).beside(contract)
    moved = [axis(contract, *FEE, 150, 350), axis(contract, *SHARE, 0, 0.6)]
    years = with_care(taken.years, taken.lives * taken.cost)
    return zone(contract, years, outside, moved, seed=1, limits={"system": 0.2}, luck=taken.luck)


def grid_rows() -> list[str]:
    rows, points = [], iter(grid().points)
    for fee in grid().axes[0].values:
        cells = []
        for _ in grid().axes[1].values:
            point = next(points)
            cell = f"{point.behind['plan']:.0%}, {point.behind['system']:.0%}"
            cells.append(f"**{cell}**" if point in grid().zone else cell)
        rows.append(f"| \\${fee:,.0f} | " + " | ".join(cells) + " |")
    return rows


def step_rows() -> list[str]:
    rows = []
    for step in grid().steps(grid().suggested):
        fee = step.axis.term == FEE[1]
        low, high = (f"\\${x:,.0f}" if fee else f"{x:.0%}" for x in (step.low, step.high))
        cells = [
            dollars(step.nets["plan"]),
            f"{100 * step.behind['plan']:+z.0f}",
            f"{100 * step.behind['system']:+z.0f}",
        ]
        rows.append(f"| {'fee' if fee else 'share'} | {low} to {high} | " + " | ".join(cells).replace("-", "−") + " |")
    return rows


def test_the_zone_of_negotiating_is_that_of_its_command():
    text = page("negotiating")
    assert [row for row in [*grid_rows(), *step_rows()] if row not in text] == []
    fee, share = grid().suggested.at
    assert f"\\${fee:,.0f} a documented month, and a share of {share:.0%}" in text
    for party in ("plan", "system"):
        assert dollars(grid().suggested.nets[party]) in text


def test_with_beds_and_the_next_rate_negotiating_has_no_zone():
    text, found = page("negotiating"), grid("outside-the-deal.yaml")
    assert found.zone == []
    nearest = found.suggested
    assert nearest.at == (250, 0)
    assert "At the nearest point, \\$250 and no share" in text
    plan, system = (nearest.behind[party] for party in ("plan", "system"))
    assert f"the plan ends behind {plan:.0%} of the time and the system {system:.0%}" in text
    [step] = [step for step in found.steps(nearest) if step.axis.term == SHARE[1] and step.low == 0]
    assert f"from none to {step.high:.0%} takes {-100 * step.behind['system']:.0f} points off" in text


# --- Medicaid measures ------------------------------------------------------------------------------------------------

PEOPLE = 600
MEASURES = ("admissions", "avoidable_admissions", "readmissions", "follow_up_7", "mental_health_follow_up_7")
FOLLOWED = 0.366  # of Medicaid HMO discharges in 2022, those followed within 7 days, by NCQA's page
BETTER = 0.10  # what a bonus asks for, of the true rate
CLUMPS = Luck().clumps  # a count's variance over its mean
TENTH = NormalDist().inv_cdf(0.9)


@cache
def measured() -> dict[str, tuple[float, float]]:
    """Denominator and numerator of each measure in 2024, for 600 of those who were the dearest 5% in 2023."""
    rng = np.random.default_rng(2026)
    panel = synthetic.panel("medicaid", 40 * PEOPLE, 2, rng=rng)
    dearest = panel[panel.year == 2023].nlargest(2 * PEOPLE, "paid").person_id
    claims = synthetic.claims(panel[panel.person_id.isin(dearest)], rng=rng)
    people = claims.eligibility.select("person_id").distinct()
    rows = measure_table(claims, people, 2024, MEASURES).execute().set_index("measure")
    return {name: (rows.denominator[name] / 2, rows.numerator[name] / 2) for name in MEASURES}


def lucky_share(n: float, rate: float, higher: bool) -> float:
    """How often a share of n comes out a tenth better than its own true rate: exact, for events that come alone."""
    chances = met([Group(round(n), rate)])
    shares = np.arange(len(chances)) / round(n)
    better = shares >= (1 + BETTER) * rate if higher else shares <= (1 - BETTER) * rate
    return float(chances[better].sum())


def lucky_count(count: float) -> float:
    """The same of a count, by the normal curve, with the clumps that `odds` assumes."""
    return NormalDist().cdf(-BETTER * count / math.sqrt(CLUMPS * count))


def people_needed(events: float, variance: float) -> int:
    """Of how many people luck shows a tenth better in one year of ten: variance is of one event, over its mean."""
    needed = variance * (TENTH / BETTER) ** 2  # events at which a tenth of them is 1.28 standard deviations
    return round(PEOPLE * needed / events, -2)


def medicaid_rows() -> list[str]:
    stays, avoidable = (measured()[name][1] for name in MEASURES[:2])
    (n, back), (mental, _) = measured()["readmissions"], measured()["mental_health_follow_up_7"]
    rate = back / n
    rows = [
        ("Stays in hospital", f"{stays:,.0f} stays", lucky_count(stays), people_needed(stays, CLUMPS)),
        (
            "Ambulatory-sensitive stays",
            f"{avoidable:,.0f} stays",
            lucky_count(avoidable),
            people_needed(avoidable, CLUMPS),
        ),
        ("Unplanned readmissions", f"{n:,.0f} discharges", lucky_share(n, rate, False), people_needed(back, 1 - rate)),
        (
            "Follow-up after a mental-health stay",
            f"{mental:,.0f} discharges",
            lucky_share(mental, FOLLOWED, True),
            people_needed(mental * FOLLOWED, 1 - FOLLOWED),
        ),
    ]
    return [f"| {what} | {expected} | {odds:.0%} | {people:,.0f} |" for what, expected, odds, people in rows]


def test_the_denominators_of_medicaid_measures_are_those_of_the_synthetic_people():
    text = page("medicaid-measures")
    assert [row for row in medicaid_rows() if row not in text] == []
    n, back = measured()["readmissions"]
    assert f"{back / n:.0%} of them" in text
    years, avoidable = measured()["avoidable_admissions"]
    assert f"{1000 * avoidable / years:,.0f} per 1,000 adult years" in text
    assert measured()["mental_health_follow_up_7"][0] < specifications()["mental_health_follow_up_7"].minimum == 30


def test_the_luck_of_a_share_and_of_a_count_by_hand():
    assert lucky_share(2, 0.5, True) == pytest.approx(0.25)  # both of two
    assert lucky_count(100) == pytest.approx(NormalDist().cdf(-10 / math.sqrt(100 * CLUMPS)))
    assert people_needed(TENTH**2 * 100, 1.0) == PEOPLE


# --- what is handed out -----------------------------------------------------------------------------------------------


def test_the_interview_files_are_what_the_page_says():
    guide = (BOOK / "files" / "interview-guide.md").read_text("utf-8")
    assert len(re.findall(r"^\d+\. ", guide, re.M)) == 20
    assert len(re.findall(r"^## \d\. ", guide, re.M)) == 6
    assert sum(int(minutes) for minutes in re.findall(r"\((\d+) minutes\)", guide)) == 60
    assert "six parts, twenty questions, an hour" in page("peers")
    head, *lines = csv.reader((BOOK / "files" / "synthesis-sheet.csv").read_text("utf-8").splitlines())
    assert head[-1] == "what we do"
    assert lines
    assert {len(line) for line in lines} == {len(head)}


@pytest.mark.parametrize("path", sorted(BOOK.glob("*.md")), ids=lambda path: path.stem)
def test_every_file_that_a_page_hands_out_is_there(path):
    named = re.findall(r"\{download\}`[^`<]+<([^>]+)>`", path.read_text("utf-8"))
    assert [name for name in named if not (BOOK / name).is_file()] == []


def test_every_file_to_hand_out_is_on_a_page():
    pages = "".join(path.read_text("utf-8") for path in BOOK.glob("*.md"))
    assert [path.name for path in (BOOK / "files").iterdir() if f"<files/{path.name}>" not in pages] == []


CHAIRS = ("plan", "system", "medicaid", "actuary", "community", "investor")


@pytest.mark.parametrize("chair", CHAIRS)
def test_two_pages_have_five_numbers_three_traps_and_three_questions(chair):
    parts = dict(part.split("\n", 1) for part in page(f"monday-{chair}").split("\n## ")[1:])
    numbers = [line for line in parts["Five numbers"].splitlines() if line.startswith("| ")]
    assert len([line for line in numbers if "---" not in line]) == 6  # the head too
    for section in ("Three traps", "Three questions to ask"):
        assert len(re.findall(r"^\d\. ", parts[section], re.M)) == 3
    assert parts["Your position"].strip()
    assert parts["Walk away when"].strip()
    assert len(page(f"monday-{chair}").split()) < 550  # two printed pages


# --- governance and trauma --------------------------------------------------------------------------------------------


def test_the_deal_with_beds_has_what_the_pages_say_of_it():
    provisions = Contract.load(gallery("medicaid-with-beds")).provisions
    assert provisions is not None
    committee, protections, services = provisions.governance, provisions.protections, provisions.services
    assert (committee.members, committee.patients, committee.meets) == (8, 2, "each month")
    assert "eight members, two of them people served, who meet each month" in page("governance")
    assert "staff are trained in care that takes trauma into account" in protections.promises
    assert services.caseloads


# --- a housing price --------------------------------------------------------------------------------------------------

POSTS, SALARY, LOAD, OVERHEAD, HOUSED, ANYWAY = 14, 51_000, 1.42, 0.15, 150, 0.5  # as in the notebook
KEPT = (1.0, 0.86, 0.81, 0.77)  # still housed after 0, 1, 2 and 3 years, by the evaluation of Denver's program
TEAM_A_YEAR = round(POSTS * SALARY * LOAD * (1 + OVERHEAD))
COUNTS = {  # what counts, and its name in the years file
    "each day from the first": "days from the first one",
    "each day, once a lease year is kept": "days that count once a lease year is kept",
    "days after the lease year alone": "days after the lease year",
}


def days() -> dict[str, list[int]]:
    """Of people who move in evenly over the first year: days housed in each year, by what counts."""
    steps = 400
    ages = (np.arange(steps) + 0.5) / steps  # when in the first year each moves in, and each moment of a year
    found: dict[str, list[int]] = {name: [] for name in COUNTS.values()}
    for year in range(3):
        age = year + ages[:, None] - ages[None, :]  # of a stay, at each moment, by when it began
        there = np.where(age >= 0, np.interp(age, range(4), KEPT), 0.0)
        whole = HOUSED * 365
        after = whole * float((there * (age >= 1)).mean())
        found["days from the first one"].append(round(whole * float(there.mean())))
        found["days after the lease year"].append(round(after))
        kept_now = whole * KEPT[1] * (year == 1)  # all reach their first year in the second
        found["days that count once a lease year is kept"].append(round(after + kept_now))
    return found


def housing_years(name: str) -> list[Year]:
    """The years of the page, with as many days of the comparison group as would have been anyway."""
    numbers = days()[name]
    own, other = "days that count once a lease year is kept", "such days of the comparison group"
    return [Year(year=2027 + n, outcomes={own: d, other: round(ANYWAY * d)}) for n, d in enumerate(numbers)]


def housing_rows() -> list[str]:
    contract = Contract.load(BOOK / "files" / "housing.yaml")
    rows = []
    for words, name in COUNTS.items():
        years = housing_years(name)
        counted = sum(year.outcomes[o] * s for year in years for o, s in zip(year.outcomes, (1, -1), strict=True))
        price = round(3 * TEAM_A_YEAR / counted, 2)
        ledger = contract.amend({"days housed": {"price": price}}).settle(years)
        months = {year.year: contract.months_of(year.year) for year in years}
        ledger = Ledger([*ledger, *costs_outside({"community": TEAM_A_YEAR}, months)])
        own = [each for each in ledger.cash_flow() if each.party == "community"]
        start = 12 * 2027
        first = min(line.due[0] for line in ledger if line.payee == "community" and line.amount) - start + 1
        low = min(own, key=lambda each: each.position)
        month = [each.month for each in own].index(low.month) + 1
        rows.append(f"| {words} | {dollars(price * 365 / 12)} | {first} | {month} | {dollars(low.position)} |")
    return rows


def test_the_months_of_the_first_housing_cash_are_worked_out():
    text = page("community-organizations")
    for a_day in (15.12, 19.25):
        assert dollars(a_day * 365 / 12) in text
    assert f"--cost community={TEAM_A_YEAR}" in text
    assert [row for row in housing_rows() if row not in text] == []
    contract, years = Contract.load(BOOK / "files" / "housing.yaml"), read_years(BOOK / "files" / "housing-years.csv")
    assert [dict(year.outcomes) for year in years] == [
        dict(year.outcomes) for year in housing_years("days that count once a lease year is kept")
    ]
    counted = sum(int(d) - round(ANYWAY * d) for d in days()["days that count once a lease year is kept"])
    assert contract.clauses[0].price == round(3 * TEAM_A_YEAR / counted, 2)


def test_two_pages_of_a_community_organization_have_the_cash_of_its_chapter():
    cells = housing_rows()[1].strip("| ").split(" | ")
    for shown in (f"month {cells[2]}", cells[4]):
        assert shown in page("monday-community")


def test_the_notebook_on_housing_has_the_team_of_the_page():
    knobs = "".join(json.loads((ROOT / "notebooks" / "housing-price.ipynb").read_text("utf-8"))["cells"][2]["source"])
    told = dict(re.findall(r"^(\w+) = ([\d._]+)", knobs, re.M))
    wanted = {"STAFF": POSTS, "PAY": SALARY, "LOAD": LOAD, "OVERHEAD": OVERHEAD, "PEOPLE": HOUSED, "ANYWAY": ANYWAY}
    assert {name: float(told[name]) for name in wanted} == wanted
