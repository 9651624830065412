"""What a page asks of the engine is what the command line says, to the cent, and needs no numpy to say it."""

import csv
import io
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from typer.testing import CliRunner

from carecontracts import Contract, gallery
from carecontracts.chance import assumed
from carecontracts.cli import app
from carecontracts.cli.review import HEADER
from carecontracts.files import parse_yaml, safe_cell
from carecontracts.gallery import gallery_names
from carecontracts.live import VERBS
from carecontracts.parties.net import EFFECTS, net
from carecontracts.parties.outside import Outside, with_care

HERE = Path(__file__).parent
NAMES = gallery_names()
CASES = sorted((HERE / "settlements").glob("*.yaml"))


@cache
def worker():
    """One Python in which nothing but the standard library, pydantic and PyYAML can be imported, as in a page."""
    return subprocess.Popen(
        [sys.executable, HERE / "live_without_numpy.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module", autouse=True)
def _put_away():
    yield
    apart = worker()
    apart.stdin.close()
    apart.wait()
    apart.stdout.close()
    assert apart.returncode == 0, "something was imported that a page does not have"
    worker.cache_clear()


def ask(verb: str, **asked):
    apart = worker()
    apart.stdin.write(json.dumps({"ask": verb, **asked}) + "\n")
    apart.stdin.flush()
    return json.loads(apart.stdout.readline())


def told(verb: str, **asked):
    answer = ask(verb, **asked)
    assert "is" in answer, answer
    return answer["is"]


def run(*arguments, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(params=NAMES)
def each(request, tmp_path):
    """A contract of the gallery, with plausible years in a file."""
    text = gallery(request.param).read_text("utf-8")
    years = told("years_for", contract=text) if Contract.parse(text).first_year_months == 12 else None
    if years is None:
        pytest.skip("its first year has another length: no plausible years are made of it")
    path = tmp_path / "years.csv"
    path.write_text(told("years_file", years=years), "utf-8")
    return SimpleNamespace(name=request.param, text=text, years=years, path=path, folder=tmp_path)


def test_words_statement_cash_and_findings_are_those_of_the_command_line(each):
    sheet, statement, cash, found = (each.folder / n for n in ("sheet.md", "statement.csv", "cash.csv", "found.csv"))
    run("term-sheet", each.name, "--out", sheet)
    assert told("words", contract=each.text)["markdown"] == sheet.read_text("utf-8")
    run("settle", each.name, each.path, "--out", statement, "--cash-flow", cash)
    settled = told("settle", contract=each.text, years=each.years)
    rows = list(csv.DictReader(io.StringIO(statement.read_text("utf-8"))))
    assert [f"{row['amount']:.2f}" for row in settled["rows"]] == [row["amount"] for row in rows]
    assert ["; ".join(row["workings"]) for row in settled["rows"]] == [row["workings"] for row in rows]
    assert len(settled["cash"]) == len(cash.read_text("utf-8").splitlines()) - 1
    done = CliRunner().invoke(app, ["check", each.name, "--out", str(found)])
    assert done.exit_code in (0, 1)
    rows = list(csv.DictReader(io.StringIO(found.read_text("utf-8"))))
    mine = told("found", contract=each.text)["findings"]
    assert [{name: safe_cell(one[name]) for name in HEADER} for one in mine] == rows


def test_nets_are_those_of_the_command_line_if_all_goes_as_expected(each):
    agreed = Contract.parse(each.text)
    taken = assumed.take(agreed)
    outside = Outside(name="none").beside(agreed)
    years = with_care(taken.years, taken.lives * taken.cost)
    cases = told("nets", contract=each.text)["cases"]
    for one, case in zip(net(agreed, years, outside, seed=1, draws=2), cases, strict=True):
        assert {row["party"]: row["nets"] for row in case["parties"]} == {
            party: pytest.approx(float(one.expected.net(party)), abs=0.005) for party in agreed.parties
        }
    assert [case["effect"] for case in cases] == list(EFFECTS)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_settlements_worked_by_hand(path):
    """Every case settles to what was worked out on paper, from its years as a table of cells."""
    shared = yaml.safe_load(path.read_text("utf-8"))
    for case in shared.pop("cases"):
        case = {"facts": {}} | shared | case
        given = case["contract"]
        agreed = Contract.load(gallery(given)) if isinstance(given, str) else Contract.parse(yaml.safe_dump(given))
        agreed = agreed.amend(case["amend"]) if "amend" in case else agreed
        facts = [flat(case["facts"]) | flat(year) for year in case["years"]]
        columns = list(dict.fromkeys(name for year in facts for name in year))
        table = {"columns": columns, "rows": [[str(year.get(name, "")) for name in columns] for year in facts]}
        settled = told("settle", contract=agreed.as_yaml(), years=table)
        paid: dict = {}
        for row in settled["rows"]:
            if row["amount"]:
                paid.setdefault(row["year"], {})[row["clause"]] = row["amount"]
        pays = case["pays"]
        if len(facts) == 1 and facts[0]["year"] not in pays:
            pays = {facts[0]["year"]: pays}
        wanted = {year: {k: v for k, v in amounts.items() if v} for year, amounts in pays.items()}
        wanted = {year: amounts for year, amounts in wanted.items() if amounts}
        assert close(paid, wanted), case["title"]


def flat(facts: dict) -> dict:
    named = {f"{k}.{part}": v for k, value in facts.items() if isinstance(value, dict) for part, v in value.items()}
    return named | {k: value for k, value in facts.items() if not isinstance(value, dict)}


def close(paid: dict, wanted: dict) -> bool:
    return {y: dict.fromkeys(p) for y, p in paid.items()} == {y: dict.fromkeys(p) for y, p in wanted.items()} and all(
        abs(paid[year][name] - amount) < 0.005 for year, amounts in wanted.items() for name, amount in amounts.items()
    )


def test_a_change_in_the_form_is_a_change_in_the_text():
    text = told("text_of", name="shared-savings")
    form = told("form_of", contract=text)
    fields = {field["term"]: field for field in form["clauses"][2]["fields"]}
    assert fields["minimum"]["how"] == "number"
    assert fields["share"]["value"] == [["1", "0.5"], ["3", "0.6"]]
    new = told("change", contract=text, place=fields["minimum"]["place"], value="0.03", how="number")
    assert new == text.replace("minimum: 0.02", "minimum: 0.03", 1)
    new = told("change", contract=text, place=fields["share"]["place"], value=[["1", "0.4"]], how="table")
    assert "    share: {1: 0.4}\n" in new
    assert Contract.parse(new).clauses[2].share == {1: 0.4}


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_a_form_gives_back_what_it_shows(name):
    text = gallery(name).read_text("utf-8")
    form = told("form_of", contract=text)
    parts = [*form["clauses"], *(part for section in form["sections"] for part in section["parts"])]
    for part in parts:
        assert not part["unknown"], part
        for field in part["fields"]:
            if field["set"]:
                new = told("change", contract=text, place=field["place"], value=field["value"], how=field["how"])
                assert parse_yaml(new, "new")[0] == parse_yaml(text, "old")[0], field


def test_clauses_are_added_moved_and_taken_out():
    text = told("text_of", name="shared-savings")
    names = [clause.name for clause in Contract.parse(text).clauses]
    for kind in told("kinds"):
        new = told("add_clause", contract=text, kind=kind["kind"], at=len(names))
        assert told("form_of", contract=new)["clauses"][-1]["kind"] == kind["kind"]
    assert told("remove", contract=told("add_clause", contract=text, kind="advance", at=1), place=["clauses", 1])
    new = told("move", contract=text, place=["clauses", 1], to=0)
    assert [clause.name for clause in Contract.parse(new).clauses] == [names[1], names[0], *names[2:]]


def test_a_mend_does_what_fix_does():
    mended = 0
    for name in ("shared-savings", "medicaid-both", "hnhc-targeted", "glide-path", "state-framework"):
        text = gallery(name).read_text("utf-8")
        found = told("found", contract=text)["findings"]
        for n, finding in enumerate(found):
            if finding["mend"]:
                after = told("found", contract=told("mend", contract=text, which=n))["findings"]
                assert (finding["rule"], finding["where"]) not in [(f["rule"], f["where"]) for f in after]
                mended += 1
    assert mended


def test_what_changed_and_what_it_is_worth():
    text = told("text_of", name="care-management-fee")
    years = told("years_for", contract=text)
    form = told("form_of", contract=text)
    field = next(f for f in form["clauses"][0]["fields"] if f["unit"] == "dollars")
    amounts = field["value"]
    twice = [[k, str(2 * float(v))] for k, v in amounts] if field["how"] == "table" else str(2 * float(amounts))
    new = told("change", contract=text, place=field["place"], value=twice, how=field["how"])
    compared = told("compare", before=text, after=new, years=years)
    (said,) = compared["said"]
    assert said["what"] == field["label"].lower()
    worth = {party["party"]: party["worth"] for party in compared["worth"]}
    assert sum(worth.values()) == 0
    assert said["alone"] == pytest.approx(worth[compared["payer"]], abs=0.005)
    assert worth[compared["payer"]] < 0
    assert told("compare", before=text, after=text, years=years)["said"] == []


def test_odds_come_in_steps_and_say_at_the_end_what_they_are():
    text = told("text_of", name="medicaid-shared-savings")
    first = told("odds", contract=text, draws=1_200, luck={"line": "medicaid", "complex_care": True})
    second, third, again = told("more_odds"), told("more_odds"), told("more_odds")
    assert [each["drawn"] for each in (first, second, third)] == [500, 1_000, 1_200]
    assert third == again
    assert "for results in an average year" in third["words"]


@pytest.mark.parametrize(
    "pasted",
    [
        "year\tlives\tmember_months.all\n2026\t500\t6000\n",
        "year,lives,member_months.all\n2026,500,6000\n",
        "year;lives;member_months.all\r\n2026;500;6000\r\n",
        "- {year: 2026, lives: 500, member_months: {all: 6000}}",
    ],
)
def test_pasted_cells_are_read_as_a_file_is(pasted):
    text = told("text_of", name="care-management-fee")
    name = "pasted.yaml" if pasted.startswith("-") else "pasted cells"
    table = told("years_from", contract=text, text=pasted, name=name)
    row = dict(zip(table["columns"], table["rows"][0], strict=True))
    assert (row["year"], row["lives"], row["member_months"]) == ("2026", "500", "6000")


@pytest.mark.parametrize(
    ("verb", "asked"),
    [
        ("words", {"contract": ""}),
        ("words", {"contract": "a" * 2_000_000}),
        ("words", {"contract": "{" * 10_000}),
        ("words", {"contract": "- 1\n- 2\n"}),
        ("words", {"contract": "title: &a x\nsummary: *a\n"}),
        ("form_of", {"contract": "just words"}),
        ("form_of", {"contract": "clauses: {a: 1}\nparties: [x]\n"}),
        ("years_from", {"contract": "@", "text": "\0\0"}),
        ("years_from", {"contract": "@", "text": "year\n\n"}),
        ("years_from", {"contract": "@", "text": "year,spend\n2026,lots\n"}),
        ("settle", {"contract": "@", "years": {"columns": ["year"], "rows": [["2026"]]}}),
        ("settle", {"contract": "@", "years": {"columns": ["year"], "rows": []}}),
        ("settle", {"contract": "@", "years": {"columns": ["year", "year"], "rows": [["1", "2"]]}}),
        ("add_clause", {"contract": "@", "kind": "magic", "at": 0}),
        ("text_of", {"name": "no such contract"}),
        ("sing", {}),
    ],
)
def test_garbage_is_refused_with_what_to_do(verb, asked):
    if asked.get("contract") == "@":
        asked = asked | {"contract": told("text_of", name="shared-savings")}
    answer = ask(verb, **asked)
    if verb == "form_of" and "is" in answer:
        assert answer["is"]["clauses"] == []
        return
    assert answer["refused"]
    assert all(fault["given"] is not None and fault["allowed"] and fault["do"] for fault in answer["refused"])
    assert told("text_of", name="shared-savings")  # and goes on


def test_every_verb_is_asked_for_here_or_by_a_page():
    scripts = (HERE.parents[1] / "site" / "assets" / "live").glob("*.js")
    asked = "".join(path.read_text("utf-8") for path in (Path(__file__), *scripts))
    assert [name for name in VERBS if f'"{name}"' not in asked] == []
