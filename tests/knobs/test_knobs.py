"""A reader's first change works: every knob of every notebook is turned, and the answer is checked too.

`knobs.yaml` holds what each knob is turned to: at least three values, a small one, a large one and one of a reader's
own, one at a time and some together. `make knobs` turns every knob to all of them; `make test` to one of them each.
"""

import ast
import itertools
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from carecontracts import Contract, Refusal, gallery
from carecontracts.chance.plausible import expected_years
from carecontracts.files import as_csv
from carecontracts.gallery import gallery_names
from carecontracts.notebook import resized
from carecontracts.parties import price

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
DATA = yaml.safe_load((Path(__file__).parent / "knobs.yaml").read_text("utf-8"))
ALWAYS = {"SEED": [1, 7, 99]}  # turned in every notebook that has them
NEVER_SHOWN = {"SEED", "DRAWS"}  # what they stand at is no fact of the answer
APART = {"CONTRACT", "YEARS", "FOLDER", "PROPOSAL"}  # turned by tests of their own


@cache
def source(name: str) -> str:
    nodes = yaml.safe_load((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))["cells"]
    return "\n".join("".join(node["source"]) for node in nodes if node["cell_type"] == "code")


@cache
def knobs(name: str) -> dict[str, Any]:
    """Each knob and its value as the notebook has it, where that is written out."""
    nodes = yaml.safe_load((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))["cells"]
    (cell,) = (node for node in nodes if "knobs" in node["metadata"].get("tags", ()))
    found = {}
    for node in ast.parse("".join(cell["source"])).body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                assert isinstance(target, ast.Name), f"{name}: a knob each line, not {ast.unparse(node)}"
                try:
                    found[target.id] = ast.literal_eval(node.value)
                except ValueError:
                    found[target.id] = None
    return found


def values(name: str) -> dict[str, list[Any]]:
    given = {knob: row for knob, row in DATA[name].items() if knob.isupper()}
    return {**{knob: row for knob, row in ALWAYS.items() if knob in knobs(name)}, **given}


def quick(name: str) -> dict[str, Any]:
    """What the knobs stand at while another is turned: draws are few, so that a turn takes no time."""
    return dict(DATA[name].get("quick", {}))


def forms(value: Any) -> list[str]:
    """How a value is written where a reader sees it; a small number is too common to tell."""
    if isinstance(value, dict):
        return [form for each in value.values() for form in forms(each)]
    if isinstance(value, str):
        return [value] if len(value) > 3 else []
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    if value >= 100:
        return [f"{value:,.0f}"] + ([f"{value:.0f}"] if value < 10_000 else [])
    return [f"{value:.1%}"] if 0 < value < 1 and round(value * 100, 6) % 1 else []


def stale(texts: list[str], was: Any, now: Any, may: list[str]) -> list[str]:
    """What is shown still though its knob was turned."""
    gone = [form for form in forms(was) if form not in forms(now) and form not in may]
    return [
        f"{form!r} in {text.strip()[:300]!r}"
        for form in gone
        for text in texts
        if re.search(rf"(?<![\d.,]){re.escape(form)}(?![\d%]|[.,]\d)", text)
    ]


# --- the data ---------------------------------------------------------------------------------------------------------


def test_every_notebook_of_the_package_has_its_knobs_turned():
    assert sorted(DATA) == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb") if "myst_nb" not in source(path.stem))


@pytest.mark.parametrize("name", DATA)
def test_every_knob_has_a_small_a_large_and_an_own_value(name):
    missing = [knob for knob in knobs(name) if knob not in APART and len(values(name).get(knob, ())) < 3]
    assert missing == []
    assert [knob for knob in values(name) if knob not in knobs(name)] == []


# --- one at a time, and together --------------------------------------------------------------------------------------

ALL = "CARECONTRACTS_KNOBS" in os.environ  # every value of every knob; else one of each, small, large and own in turn
TURNS = [
    (name, knob, n)
    for name in DATA
    for k, (knob, row) in enumerate(values(name).items())
    for n in range(len(row))
    if ALL or n == k % len(row)
]


def turned(driving: Any, name: str, at: dict[str, Any], thorough: bool = False) -> Any:
    run = driving(NOTEBOOKS / f"{name}.ipynb", {**quick(name), **at}, thorough)
    assert_nothing_is_lost(run)
    if name in ANSWERS:
        ANSWERS[name](run)
    stands = {**knobs(name), **at}
    found = []
    for knob in at.keys() - NEVER_SHOWN:
        may = [str(each) for each in DATA[name].get("may", ())]
        may += [form for other, value in stands.items() if other != knob for form in forms(value)]
        found += stale(run.texts, knobs(name).get(knob), at[knob], may)
    assert found == []
    return run


@pytest.mark.parametrize(("name", "knob", "n"), TURNS, ids=[f"{name}-{knob}-{n}" for name, knob, n in TURNS])
def test_a_knob_is_turned(driving, name, knob, n):
    turned(driving, name, {knob: values(name)[knob][n]})


TOGETHER = [(name, n) for name in DATA for n in range(len(DATA[name].get("together", ())))]


@pytest.mark.parametrize(("name", "n"), TOGETHER, ids=[f"{name}-{n}" for name, n in TOGETHER])
def test_knobs_are_turned_together(driving, name, n):
    turned(driving, name, DATA[name]["together"][n], thorough=True)


@pytest.mark.parametrize("name", DATA)
def test_as_it_stands(driving, name):
    run = driving(NOTEBOOKS / f"{name}.ipynb", {})
    assert_nothing_is_lost(run)
    if name in ANSWERS:
        ANSWERS[name](run)
    assert all(re.fullmatch(r"[a-z][a-z_0-9]*", key) for key in run.pasted)


def assert_nothing_is_lost(run: Any) -> None:
    """No text that a reader sees holds what is no number, or the name of a Python object."""
    wrong = re.compile(r"\bnan\b|\binf\b|<[\w.]+ object at|\{[a-z_]+\}|\$-\d")
    assert [text for text in run.texts if wrong.search(text)] == []


# --- other contracts --------------------------------------------------------------------------------------------------

WITH_CONTRACT = [name for name in DATA if "CONTRACT" in knobs(name)]


def own_file(name: str, folder: Path, year: int) -> str:
    """The notebook's contract with the reader's own names, other numbers and years, as the path of a file."""
    data = Contract.load(gallery(knobs(name)["CONTRACT"])).model_dump(exclude_unset=True)
    names = {party: f"our {party}" for party in data["parties"]}
    names |= {clause["name"]: f"{clause['name']} of ours" for clause in data["clauses"]}

    def own(value: Any) -> Any:
        if isinstance(value, dict):
            return {names.get(key, key) if isinstance(key, str) else key: own(each) for key, each in value.items()}
        if isinstance(value, list):
            return [own(each) for each in value]
        return names.get(value, value) if isinstance(value, str) else value

    clauses = [
        {term: value if term in ("kind", "basis", "due", "note") else own(value) for term, value in clause.items()}
        for clause in data["clauses"]
    ]
    parties = {names[party]: f"Our {party}" for party in data["parties"]}
    moved = {"clauses": clauses, "parties": parties, "first_year": year, "title": "Ours"}
    contract = Contract.model_validate({**data, **moved})
    contract = resized(contract, 9, set_for=10, say=lambda said: None)
    fees = {
        clause.name: {"per_member_per_month": cheaper(clause.per_member_per_month)}
        for clause in contract.clauses
        if hasattr(clause, "per_member_per_month")
    }
    path = folder / "ours.yaml"
    path.write_text(contract.amend(fees).as_yaml(), "utf-8")
    return str(path)


def cheaper(value: Any) -> Any:
    return {key: cheaper(each) for key, each in value.items()} if isinstance(value, dict) else value * 0.95


@pytest.mark.parametrize("name", WITH_CONTRACT)
@pytest.mark.parametrize("year", [2016, 2031])
def test_a_reader_s_own_file_runs(driving, name, year, tmp_path):
    """Other names, other numbers, other years: none of the gallery's are shown."""
    run = turned(driving, name, {"CONTRACT": own_file(name, tmp_path, year)}, thorough=year == 2016)
    before = Contract.load(gallery(knobs(name)["CONTRACT"]))
    assert [text for text in run.texts if before.title in text] == []
    may = {*map(str, DATA[name].get("may", ())), *map(str, range(year, year + 3))}
    gone = {str(y) for y in range(before.first_year, before.first_year + 3) if before.first_year > 1900} - may
    assert [(y, text[:200]) for y in gone for text in run.texts if re.search(rf"(?<![\d,.]){y}(?![\d,])", text)] == []


@pytest.mark.parametrize("name", WITH_CONTRACT)
def test_every_contract_of_the_gallery_runs_or_is_refused_in_a_sentence(driving, name):
    refused: dict[str, Refusal] = {}
    for other in gallery_names():
        try:
            driving(NOTEBOOKS / f"{name}.ipynb", {**quick(name), "CONTRACT": other})
        except Refusal as refusal:
            refused[other] = refusal
    assert knobs(name)["CONTRACT"] not in refused
    assert {other: told.faults for other, told in refused.items() if len({f.do for f in told.faults}) != 1} == {}


@pytest.mark.parametrize("name", WITH_CONTRACT)
def test_what_is_not_a_contract_is_refused(driving, name, tmp_path):
    (tmp_path / "broken.yaml").write_text("title: no more", "utf-8")
    for path in ("no-such-contract", str(tmp_path / "none.yaml"), str(tmp_path / "broken.yaml")):
        with pytest.raises(Refusal):
            driving(NOTEBOOKS / f"{name}.ipynb", {"CONTRACT": path})


@pytest.mark.parametrize(
    ("name", "at"),
    [("your-deal", {"COST": 9_000}), ("combination", {"EXPECTED": 9_000})],
    ids=["your-deal", "combination"],
)
def test_knobs_that_cannot_be_together_are_refused(driving, name, at):
    """Stays that cost more than all care, which nothing else would tell."""
    with pytest.raises(Refusal, match="raise"):
        driving(NOTEBOOKS / f"{name}.ipynb", {**quick(name), **at})


# --- years of one's own, and what is taken away -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in DATA if "YEARS" in knobs(name)])
def test_years_of_one_s_own_settle_and_are_taken_away(driving, name, tmp_path):
    contract = Contract.load(gallery(knobs(name)["CONTRACT"]))
    facts = [{"year": year.year, **year.facts()} for year in expected_years(contract, lives=321)]
    columns = list(facts[0])
    path = tmp_path / "years.csv"
    path.write_text(as_csv(columns, [[row[column] for column in columns] for row in facts]), "utf-8")
    folder = tmp_path / "taken"
    turned(driving, name, {"YEARS": str(path), "FOLDER": str(folder)})
    assert Contract.load(folder / "contract.yaml").clauses[0].kind == contract.clauses[0].kind
    assert {"term-sheet.md", "term-sheet.docx", "statement.xlsx", "statement.csv", "cash-by-month.csv"} <= {
        file.name for file in folder.iterdir()
    }
    path.write_text("year,nonsense\n2026,1\n", "utf-8")
    with pytest.raises(Refusal):
        turned(driving, name, {"YEARS": str(path)})


def test_a_proposal_of_one_s_own(driving, tmp_path):
    """The example with other people, other staff and other years, from a file."""
    text = price.example().read_text("utf-8")
    mine = text.replace("eligible: 2000", "eligible: 600").replace("caseload: 75", "caseload: 40")
    assert mine.count("600") >= 1
    assert "caseload: 40" in mine
    (tmp_path / "mine.yaml").write_text(mine.replace("years: 5 ", "years: 3 "), "utf-8")
    run = turned(driving, "program-price", {"PROPOSAL": str(tmp_path / "mine.yaml")}, thorough=True)
    assert run.pasted["eligible"] == "600"
    assert run["proposal"].years == 3
    assert run["last"].price == pytest.approx(run["cost"] / run["people"] / 12)


# --- the answers, by another route ------------------------------------------------------------------------------------


def nothing_is_made(run: Any) -> None:
    """What everyone nets of a settlement comes to nothing, to the cent."""
    for ledger in run.names.values():
        if type(ledger).__name__ == "Ledger":
            assert abs(np.sum(list(itertools.chain(ledger.net().values())), axis=0)).max() < 0.01 * max(1, len(ledger))


def shared_savings(run: Any) -> None:
    """The worked year again, from the statement's own workings: what was saved, and the practice's part of it."""
    ledger, year = run["example"], run["worked"]
    _, fee, line, _, _ = ledger
    saved = year.benchmark - year.spend - fee.amount
    assert line.amount <= max(0, saved)
    assert line.workings["saved"] == pytest.approx(saved, abs=0.01)
    assert run.pasted["saved"].replace("−", "-").replace("$", "").replace(",", "") == f"{saved:.0f}"
    assert 0 <= run["none"] <= run["half"] + 0.02 <= run["full"] + 0.04


def capitation(run: Any) -> None:
    """The group's result on average, from what it is paid and what the cover pays, member by member."""
    months = run["months"]
    assert run["example"].net()[run["rate"].payee] == pytest.approx(
        sum(run["hand"]) - 2 * (run["hand"][1] + run["hand"][3])
    )
    assert run["capitation"] * run["MEMBERS"] == pytest.approx(12 * run["PAID"] * months / 12)
    drawn = run["costs"]
    assert drawn.moment(1) == pytest.approx(run["EXPECTED"])
    assert (np.diff(run["removed"]) <= 1e-12).all()


def case_rate(run: Any) -> None:
    """What both years settle to, from what was prepaid and what it cost; every dollar settled leaves no risk."""
    net = run["example"].net()[run["rate"].payee]
    prepaid, returned, made_up = run["prepaid"], run["hand"][1] + run["hand"][4], run["hand"][2] + run["hand"][5]
    assert net == pytest.approx(2 * prepaid - returned + made_up, abs=0.05)
    assert np.abs(run["kept"]["loses"]["every dollar both ways"]).max() < 0.02 or run["DRAWS"] < 50
    assert (run["kept"]["margin"]["surpluses only"] <= run["kept"]["margin"]["no reconciliation"] + 0.01).all()


def by_hand(run: Any) -> None:
    """The statement as a reader would work it: line by line, and who nets what of it."""
    ledger = run.names.get("example", run.names.get("ledger"))
    hand = list(np.ravel(run["hand"]))
    assert [line.amount for line in ledger][: len(hand)] == pytest.approx(hand, abs=0.02)


def care_management_fee(run: Any) -> None:
    """The fees again, from the months that the year holds; and the payroll from staff and wage."""
    year, rates = run["worked"], run["RATES"]
    fees = sum(rates[tier] * year.documented_months[tier] for tier in rates)
    assert run["hand"][1] == pytest.approx(fees)
    assert run["payroll"] == pytest.approx(run["STAFF"] * run["WAGE"] / run["WAGE_SHARE"])
    assert run["per_listed"] * run["listed"] == pytest.approx(run["at"]["the contract's mix"][1])
    planned = [pair[1] for pair in run["at"].values()]
    assert planned == pytest.approx([planned[0]] * 3, rel=1e-4, abs=1)  # the three are equal as planned


def shared_risk(run: Any) -> None:
    """Three years together pay luck no more than each year by itself; what is gained adds up."""
    assert (run["luck_3"] <= run["luck"] + 1e-6).all()
    assert (np.diff(run["luck"]) <= 1e-6).all()
    total = sum(run["saved"])
    assert run["gain"] <= max(0, total)
    assert run["loss"] <= max(0, -total)
    nothing_is_made(run)


def fee_at_risk(run: Any) -> None:
    """The refunds never pass the cap, and are what their workings say."""
    by_hand(run)
    paid, first, second = run["hand"]
    assert first + second <= run["for_savings"].cap * paid + 0.01
    assert run["FEE"] == pytest.approx(paid / run["MEMBERS"] / run["EXPECTED"])


def outcome_price(run: Any) -> None:
    """A price from the cost of the work: what it earns when it works, times the chance, is the cost."""
    by_hand(run)
    cost = run["TEAM"] + run["CHECKING"]
    assert run["price"].iloc[3] * run["added"] * run["CHANCE"] == pytest.approx(cost)
    assert run["average"]["against last year's count"][0] >= run["average"]["against an agreed number, 20% lower"][0]


def pay_for_performance(run: Any) -> None:
    by_hand(run)
    assert sum(run["hand"]) <= sum(run["stakes"]) + 0.01


def fee_schedule(run: Any) -> None:
    """The increase is the points of the schedule, over what is paid today."""
    by_hand(run)
    assert run["RAISE"] == pytest.approx(run["higher"].points / run["higher"].fees_today)
    assert run["ledger"].total() == pytest.approx(sum(run["hand"]), abs=0.05)


def operational_support(run: Any) -> None:
    by_hand(run)
    assert run["free"] >= run["shared"] - 0.01  # what is not counted leaves more to share


def medical_home(run: Any) -> None:
    by_hand(run)
    assert run["noise"] == pytest.approx(run["SPREAD"] / run["PANEL"] ** 0.5, rel=0.9)


def combination(run: Any) -> None:
    """The provider keeps its share and the rest of the price; together they get what the plan pays."""
    by_hand(run)
    nothing_is_made(run)
    assert run["full"] >= run["counted"] - 1e-6


def pay_for_success(run: Any) -> None:
    """Nobody is repaid more than was drawn and its most; the parties' nets come to nothing."""
    nothing_is_made(run)
    for drawn, repaid, (_, most) in zip(run["drawn_by"], run["hand"], run["RETURNS"], strict=True):
        assert repaid <= sum(drawn) * (1 + most) + 0.05


def which_payment(run: Any) -> None:
    """No contract makes money: what all net together is one sum for all of them."""
    sums = {}
    for (_, effect), one in run["result"].items():
        parties = one.expected.parties
        sums.setdefault(effect, []).append(sum(one.expected.net(p, year=1) for p in parties))
    assert all(np.ptp(each) < 1 for each in sums.values())


def your_deal(run: Any) -> None:
    """The plan's highest fee leaves it even: the same deal at that fee, by net itself."""
    left = run["left"]["left"]["works"]
    works = run["result"]["works"].expected
    whole = sum(works.net(p, year=run["first"]) for p in (run["PLAN"], run["SYSTEM"]))
    team = -works.net(run["SYSTEM"], year=run["first"], source="the team")
    assert whole + team == pytest.approx(left + float(np.mean(run["team"])), abs=2)


def health_system(run: Any) -> None:
    assert run["lost"] == pytest.approx(run["COST"] * (run["MEDICARE"] - 1 + run["FIXED"]))
    assert run["net"]["together"].to_numpy() == pytest.approx(np.full(2, run["not_spent"]))


def housing_price(run: Any) -> None:
    """At the price that it names, the months that are added pay for the staff and no more."""
    asked = run["layers"]["and only leases that are kept"]
    at_it = run["offer"](round(asked, 2), False).settle(run["years"])
    assert at_it[-1].amount == pytest.approx(run["cost"], rel=1e-3)


def what_would_it_take(run: Any) -> None:
    """At the highest fee the plan nets nothing: what care no longer costs is what it pays."""
    effect, months = run["EFFECT"], 12 * run["PEOPLE"] * run["DOCUMENTED"]
    assert run["most"](effect) * months == pytest.approx(effect * run["COST"] * run["PEOPLE"])
    if run["meet"] is not None:
        beds = run["whole"](run["meet"]) * months - run["TEAM"]
        assert run["most"](run["meet"]) * months == pytest.approx(run["TEAM"] + beds)


# What is checked of each notebook's answer; the name of the function is that of the notebook.
CHECKED = (shared_savings, capitation, case_rate, care_management_fee, shared_risk, fee_at_risk, outcome_price)
CHECKED += (pay_for_performance, fee_schedule, operational_support, medical_home, combination, pay_for_success)
CHECKED += (which_payment, your_deal, health_system, housing_price, what_would_it_take)
ANSWERS: dict[str, Any] = {answer.__name__.replace("_", "-"): answer for answer in CHECKED}
