"""Which payment: the rules are whole, what they say was measured is measured again, and the answer follows them."""

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from carecontracts import Contract, Refusal, Year, gallery
from carecontracts.chance.simulate import Luck
from carecontracts.gallery import gallery_names
from carecontracts.parties.net import Netted, net
from carecontracts.parties.outside import Beds, Outside, Payer, Team
from carecontracts.review.select import (
    Concern,
    Limit,
    Situation,
    as_markdown,
    ask_first,
    example,
    path,
    questions,
    ranked,
    rules,
    turns,
)  # fmt: skip

FORMS = rules().forms
BEDS = Situation(
    line="Medicaid", people=600, scope="identified people", beds="most of their stays", reserve_months=6,
    data_days=30, savings_year=2, term=3, doubt="the provider doubts the data",
)  # fmt: skip


# --- the rules are whole ----------------------------------------------------------------------------------------------


def test_every_rule_is_about_an_answer_that_can_be_given() -> None:
    asked = questions()
    for key, form in FORMS.items():
        for reason in (*form.objections(), *form.for_it):
            for name, wanted in reason.when.items():
                _, options = asked[name]
                assert isinstance(wanted, Limit) != bool(options), (key, name)
                if not isinstance(wanted, Limit):
                    assert set(wanted) <= set(options), (key, name)
        assert all(reason.concern in rules().order for reason in form.objections()), key
        assert not any(reason.concern for reason in form.for_it), key
        assert form.ask, key
    assert list(rules().order) == list(get_args(Concern))


def test_every_template_is_in_the_gallery_and_a_step_is_a_form() -> None:
    for key, form in FORMS.items():
        assert all(template.name in gallery_names() for template in form.contracts), key
        assert not form.contracts[-1].when, f"{key}: the last template is for everyone else"
        assert form.compared is None or f"compared/{form.compared}" in gallery_names()
    assert {step.step for step in rules().path} <= set(FORMS)
    begins = [step.begins for step in rules().path]
    assert begins == sorted(set(begins))


def some_situations() -> list[Situation]:
    """A spread of places where two sides may stand."""
    spread: dict[str, list[Any]] = {
        "people": [250, 600, 20_000],
        "scope": ["identified people", "everyone the provider serves"],
        "beds": ["none of their stays", "most of their stays"],
        "reserve_months": [0, 8, 15, 30, 60],
        "doubt": ["nobody doubts", "the payer doubts the program", "the provider doubts the data"],
        "countable": ["yes", "no"],
        "billed": ["yes", "no"],
        "savings_year": [1, 3],
        "capital": ["yes", "no"],
        "maturity": ["new", "proven here"],
    }
    return [
        Situation(**dict(zip(spread, values, strict=True)), term=3, data_days=20)
        for values in itertools.product(*spread.values())
    ]


def test_every_form_comes_first_somewhere() -> None:
    first = {ranked(situation)[0].key for situation in some_situations()}
    assert set(FORMS) - first == set()


def test_what_stands_first_has_no_higher_objection_than_any_other() -> None:
    order = list(rules().order)
    for situation in some_situations()[::37]:
        marks = [[sum(r.concern == concern for r in one.against) for concern in order] for one in ranked(situation)]
        assert marks == sorted(marks)


def test_more_reserves_never_speak_against_a_form() -> None:
    for key in FORMS:
        found = []
        for months in (0, 3, 6, 12, 24, 48):
            (one,) = [each for each in ranked(BEDS.model_copy(update={"reserve_months": months})) if each.key == key]
            found.append(len(one.against))
        assert found == sorted(found, reverse=True), key


# --- what was measured is measured again ------------------------------------------------------------------------------

PEOPLE, COST, STAY, STAYS, TEAM = 500, 30_000, 11_250, 1.2, 1_250_000


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[Netted, Netted]]:
    """Every compared contract on the same people, team and program: with no effect, and with a large one."""
    year = Year(
        year=1, lives=PEOPLE, member_months={"all": PEOPLE * 12}, benchmark=COST * PEOPLE, spend=COST * PEOPLE,
        measures={"admissions per member": STAYS, "admissions per member expected": STAYS},
        outcomes={"admissions": STAYS * PEOPLE, "admissions expected": STAYS * PEOPLE},
        services={"primary care": 0.6 * 2_300 * PEOPLE},
        counts={"care plan created": PEOPLE, "care plan reviewed": 2 * PEOPLE},
    )  # fmt: skip

    def works(of: Year, effect: float) -> Year:
        fewer = 1 - effect * COST / (STAYS * STAY)
        return replace(
            of, spend=of.spend * (1 - effect),
            outcomes=of.outcomes | {"admissions": STAYS * PEOPLE * fewer},
            measures=of.measures | {"admissions per member": STAYS * fewer},
        )  # fmt: skip

    def says(**given: Any) -> dict[str, Any]:
        return given | {"basis": dict.fromkeys(given, "illustrative")}

    beds = Beds(
        **says(
            hospital=1.0, ours=0.6, payers={"the plan": Payer(of_stays=1.0, payment=float(STAY))},
            full_cost=12_500.0, fixed=0.75, refilled=0.2,
        )
    )  # fmt: skip
    outside = Outside(
        name="the same for every contract",
        others={"hospital": "the hospital of the practice's system"},
        teams={"practice": Team(**says(a_year=float(TEAM))), "community": Team(**says(a_year=150_000.0))},
        beds={"hospital": beds},
    )
    years = [replace(year, year=number) for number in (1, 2, 3)]
    found = {}
    for key, form in FORMS.items():
        if form.compared:
            contract = Contract.load(gallery(f"compared/{form.compared}"))
            told = says(taken_on={"case rate": 2_300 / COST}) if key == "case rate" else {}
            beside = outside.model_copy(update=told)
            luck = Luck(lives=PEOPLE, cv=1.18)
            nothing, much = net(
                contract, years, beside, seed=1, effects=[0.0, 0.15], draws=2, luck=luck, works=works
            )  # fmt: skip
            found[key] = (nothing, much)
    return found


@pytest.mark.parametrize("key", [key for key, form in FORMS.items() if form.compared])
def test_what_a_form_is_said_to_cost_is_what_it_costs(key: str, measured: dict[str, tuple[Netted, Netted]]) -> None:
    form, (nothing, much) = FORMS[key], measured[key]
    out_of_pocket = -nothing.worst("practice").cash / (TEAM / 12)
    assert form.months == pytest.approx(out_of_pocket, abs=1)
    plain = measured["fee"][0].expected.net("plan")
    assert form.idle == pytest.approx(nothing.expected.net("plan") / plain, abs=0.02)
    of_system = [sum(one.expected.net(party) for party in ("practice", "hospital")) for one in (nothing, much)]
    assert form.success_costs == (of_system[1] <= of_system[0])


# --- the answer -------------------------------------------------------------------------------------------------------


def test_a_plan_and_a_system_with_beds_begin_with_the_deal_made_for_them() -> None:
    best, *_ = ranked(BEDS)
    assert (best.key, best.form.template(BEDS), best.form.category(BEDS)) == ("pooled", "medicaid-with-beds", "3A")
    assert "What is the margin of an empty bed, and whose is it?" in ask_first(BEDS)
    assert any("438.6" in question for question in ask_first(BEDS))


def test_what_would_change_the_answer_does() -> None:
    found = turns(BEDS)
    assert found
    for turn in found:
        _, options = questions()[turn.name]
        if options:
            other = BEDS.model_copy(update={turn.name: turn.answer})
            assert FORMS[ranked(other)[0].key].title == turn.first != FORMS[ranked(BEDS)[0].key].title


def test_what_is_not_known_and_would_decide_is_asked_first() -> None:
    asked = ask_first(Situation(people=600))
    assert questions()["doubt"][0] in asked
    assert questions()["people"][0] not in asked


def test_the_path_begins_where_one_stands_and_ends_with_the_contract() -> None:
    steps = path(BEDS, date(2027, 3, 1))
    assert [f"{step.begins:%Y-%m}" for step in steps] == ["2027-03", "2028-03", "2029-03"]
    assert steps[0].title == FORMS["pooled"].title
    assert steps[-1].title == FORMS["two-sided"].title
    assert all(step.tests for step in steps)


def test_it_runs_by_a_file_of_answers_and_begins_a_contract(run: Any, tmp_path: Path) -> None:
    answers, out = tmp_path / "mine.yaml", tmp_path / "contract.yaml"
    done = run("select", "--example")
    assert yaml.safe_load(done.out) == dict.fromkeys(questions())
    answers.write_text(yaml.safe_dump(BEDS.model_dump(exclude_none=True) | {"people": 640}), "utf-8")
    done = run("select", answers, "--start", "2027-01-01", "--out", out)
    assert done.code == 0, done.err
    assert "Begin with: medicaid-with-beds" in done.out
    begun = Contract.load(out)
    assert begun.provisions
    assert begun.provisions.purpose
    assert begun.provisions.purpose.people == 640
    for words in (["check", out], ["net", out, "--draws=20"], ["agreement", out, "--theirs", tmp_path / "t.docx"]):
        assert run(*words, "--lives", "640").code in (0, 1)


def test_an_answer_may_stand_on_the_command_line(run: Any) -> None:
    assert "Begin with: shared-risk" in run(
        "select", "--answer", "people=20000", "--answer", "reserve_months=30", "--answer", "beds=some of their stays"
    ).out  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--answer", "people"], "NAME=ANSWER"),
        (["--answer", "people=0"], "1 or more"),
        (["--answer", "peeple=5"], "did you mean 'people'"),
        (["--answer", "people=nan"], "`people`"),
        (["--answer", "line=medicaid"], "did you mean 'Medicaid'"),
        (["--start", "soon", "--answer", "people=5"], "YYYY-MM-DD"),
        (["--answer", "savings_year=5", "--answer", "term=3"], "sign for longer"),
        (["nothing.yaml"], "nothing.yaml"),
        ([], "no terminal to ask in"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], told: str, run: Any) -> None:
    done = run("select", *words)
    assert done.code == 2
    assert told in done.err


def test_a_file_of_answers_is_read_strictly(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("people: many\nbeds: yes\nfoo: 1\ncountable: yes\n", "utf-8")
    with pytest.raises(Refusal) as refused:
        Situation.load(file)
    assert [fault.where.rpartition("`")[0].rpartition("`")[2] for fault in refused.value.faults] == [
        "people",
        "beds",
        "foo",
    ]
    file.write_text(example(), "utf-8")
    assert Situation.load(file) == Situation()


PAGE = Path(__file__).parents[2] / "book" / "select.md"


def test_the_page_has_the_rules_as_they_are() -> None:
    told, page = as_markdown(), PAGE.read_text("utf-8")
    order, _, forms = told.partition("\n### ")
    assert order.strip() in page
    assert "### " + forms.strip() in page


DOUBT = "the payer doubts the program"
PLACES = [
    BEDS,
    BEDS.model_copy(update={"reserve_months": 0}),
    Situation(people=20_000, reserve_months=30, beds="some of their stays"),
    Situation(people=300, countable="yes", doubt=DOUBT, capital="yes", reserve_months=12),
]


@pytest.mark.parametrize("row", range(len(PLACES)))
def test_the_page_begins_with_what_the_rules_say(row: int) -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    best = ranked(PLACES[row])[0].form
    assert f"(../contracts/{best.template(PLACES[row])}.md)" in rows[row + 1]
