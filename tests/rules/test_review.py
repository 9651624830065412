"""Every rule of the checker: a contract that trips it, and one beside it that does not."""

import csv
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from carecontracts import Contract, gallery
from carecontracts.chance import assumed
from carecontracts.gallery import gallery_names
from carecontracts.parties.outside import Beds, Outside, Payer, Team
from carecontracts.review.draft import Draft
from carecontracts.review.rules import RULES, Finding, findings

FEE = {
    "name": "fee",
    "kind": "care_management_fee",
    "payer": "plan",
    "payee": "practice",
    "due": "monthly",
    "per_member_per_month": 100,
}
SAVINGS = {
    "name": "savings",
    "kind": "shared_savings",
    "payer": "plan",
    "payee": "practice",
    "due": "9 months after the year ends",
    "minimum": 0.1,
    "share": 0.5,
    "net_of": ["fee"],
}
LOSSES = {
    "name": "losses",
    "kind": "shared_losses",
    "payer": "practice",
    "payee": "plan",
    "due": "9 months after the year ends",
    "minimum": 0.1,
    "share": 0.5,
    "net_of": ["fee"],
    "cap": 0.02,
}
STAYS = {
    "name": "stays",
    "kind": "outcome_price",
    "payer": "plan",
    "payee": "practice",
    "due": "quarterly",
    "outcome": "stays",
    "price": 1000,
}
BONUS = {
    "name": "bonus",
    "kind": "performance_bonus",
    "payer": "plan",
    "payee": "practice",
    "due": "quarterly",
    "measure": "seen",
    "amount": 10,
    "per": "per member month",
    "better": "higher",
    "attainment": {0.5: 1},
}
CASH = {
    "name": "capital",
    "kind": "investment",
    "payer": "plan",
    "payee": "practice",
    "due": "at the start of the year",
    "draw": 100_000,
}
BACK = {
    "name": "back",
    "kind": "repayment",
    "payer": "practice",
    "payee": "plan",
    "due": "9 months after the year ends",
    "investment": ["capital"],
    "share": 1.0,
}
OWN = {"kind": "own_history", "weights": [1], "trend": 0.03}
MEASURED = {"attribution": {"kind": "everyone"}, "fees": {"treatment": "netted once from", "clauses": ["fee"]}}
PICKED = {"population": {"definition": {"cost": {"dollars": 25_000}}}}
PURPOSE = {
    "line_of_business": "Medicaid",
    "people": 500,
    "purpose": "help",
    "identified_by": "a list",
    "other_programs": "others too",
    "refreshed": "each year",
}
QUALITY = {
    "most_measures": 1,
    "specification": "HEDIS",
    "reported_by": "the payer",
    "equity": "shown by group",
    "smallest": 30,
}
JUDGED = {
    "design": "before and after",
    "evaluator": "the payer",
    "estimand": "everyone offered",
    "uncertainty": "as it is",
    "published": "whatever it is",
}
FEED = {"what": "claims", "to": "the provider", "every": "month", "lag": 30}
GOAL = {
    "goal": "people are seen",
    "measure": "seen",
    "better": "higher",
    "reported_by": "us",
    "read_after_months": 3,
    "decides": "staffing",
}


def contract(*clauses: dict[str, Any], **more: Any) -> Contract:
    return Contract.model_validate(
        {
            "title": "A draft",
            "summary": "A draft.",
            "parties": {"plan": "the plan", "practice": "the practice"},
            "first_year": 2026,
            "years": 3,
            "clauses": [deepcopy(each) for each in clauses],
            **deepcopy(more),
        }
    )


def draft(agreed: Contract, outside: Outside | None = None, lives: int = 500, **given: Any) -> Draft:
    taken = assumed.take(agreed, lives=lives, spread=1.5, **given)
    return Draft(agreed, taken.years, taken.luck, taken.cost, 0.05, "medicaid", outside)


def beds(ours: float) -> Outside:
    terms = {
        "hospital": 1.0,
        "ours": ours,
        "payers": {"x": Payer(of_stays=1.0, payment=12_000.0)},
        "full_cost": 14_000.0,
        "fixed": 0.75,
    }
    a_year = Team(a_year=100_000.0, basis={"a_year": "assumption"})
    return Outside(
        name="x", teams={"practice": a_year}, beds={"practice": Beds(**terms, basis=dict.fromkeys(terms, "assumption"))}
    )


# rule: what trips it, and what stands beside it and does not
CASES: dict[str, tuple[Draft, Draft]] = {
    "they would have cost less anyway": (
        draft(
            contract(FEE, SAVINGS, measurement=MEASURED | PICKED | {"benchmark": OWN | {"people": "the same people"}})
        ),
        draft(contract(FEE, SAVINGS, measurement=MEASURED | PICKED | {"benchmark": OWN})),
    ),
    "the benchmark moves with the choice of people": (
        draft(
            contract(FEE, SAVINGS, measurement=MEASURED | PICKED | {"benchmark": OWN, "risk": {"score": "CMS-HCC V28"}})
        ),
        draft(contract(FEE, SAVINGS, measurement=MEASURED | {"benchmark": OWN, "risk": {"score": "CMS-HCC V28"}})),
    ),
    "judged before and after": (
        draft(contract(FEE, SAVINGS, provisions={"evaluation": JUDGED})),
        draft(contract(FEE, SAVINGS, provisions={"evaluation": JUDGED | {"design": "a random offer"}})),
    ),
    "paid for drift": (draft(contract(STAYS)), draft(contract(STAYS | {"expected": 600, "better": "fewer"}))),
    "luck decides": (
        draft(contract(FEE, SAVINGS | {"minimum": 0.02})),
        draft(contract(FEE | {"per_member_per_month": 1}, SAVINGS | {"minimum": 0.02}), lives=100_000),
    ),
    "the minimum does not fit the size": (
        draft(contract(FEE, SAVINGS | {"minimum": 0.02})),
        draft(contract(FEE, SAVINGS)),
    ),
    "few people carry losses": (draft(contract(FEE, LOSSES)), draft(contract(FEE, LOSSES), lives=1_000)),
    "a loss without an end": (
        draft(contract(FEE, {k: v for k, v in LOSSES.items() if k != "cap"})),
        draft(contract(FEE, LOSSES)),
    ),
    "a price that pays for luck": (
        draft(contract(STAYS | {"expected": 600, "better": "fewer"})),
        draft(
            contract(
                {k: v for k, v in STAYS.items() if k != "price"}
                | {"expected": 600, "better": "fewer", "schedule": {100: 1000}, "climbs": "in steps"}
            )
        ),
    ),
    "a fee counted by nobody": (
        draft(contract(FEE, SAVINGS | {"net_of": []})),
        draft(contract(FEE, SAVINGS)),
    ),
    "a month that nobody defined": (
        draft(contract(FEE | {"for_each": "engaged month"})),
        draft(
            contract(FEE | {"for_each": "engaged month"}, provisions={"meanings": {"engaged_month": "a visit is made"}})
        ),
    ),
    "finding people is nobody's line": (
        draft(contract(FEE | {"for_each": "engaged month"})),
        draft(contract(FEE | {"for_each": "engaged month"}, FEE | {"name": "outreach"})),
    ),
    "no study found as much": (
        draft(contract(FEE | {"per_member_per_month": 1_500})),
        draft(contract(FEE | {"per_member_per_month": 20})),
    ),
    "a measure that cannot pay": (
        draft(contract(BONUS | {"minimum_denominator": 300, "below_minimum": 0.5})),
        draft(contract(BONUS | {"minimum_denominator": 100, "below_minimum": 0.5})),
    ),
    "too many measures": (
        draft(contract(BONUS, BONUS | {"name": "other", "measure": "heard"}, provisions={"quality": QUALITY})),
        draft(contract(BONUS, BONUS | {"name": "other"}, provisions={"quality": QUALITY})),
    ),
    "the data come after the decision": (
        draft(
            contract(
                FEE,
                goals=[GOAL],
                provisions={"data_feeds": {"feeds": [FEED], "cure": 15, "remedy": "settlement waits"}},
            )
        ),
        draft(
            contract(
                FEE,
                goals=[GOAL],
                provisions={
                    "data_feeds": {
                        "feeds": [FEED | {"every": "day", "lag": 1}],
                        "cure": 15,
                        "remedy": "settlement waits",
                    }
                },
            )
        ),
    ),
    "it ends before it can be read": (
        draft(contract(FEE, SAVINGS, years=2)),
        draft(contract(FEE, SAVINGS, years=3)),
    ),
    "success lowers the next benchmark": (
        draft(contract(FEE, SAVINGS, measurement=MEASURED | {"benchmark": OWN})),
        draft(
            contract(FEE, SAVINGS, measurement=MEASURED | {"benchmark": {"kind": "fixed", "per_member_per_month": 900}})
        ),
    ),
    "a fee ahead, a list behind": tuple(
        draft(
            contract(
                FEE,
                measurement={
                    "attribution": {"kind": "plurality", "billed_by": ["1"], "lookback": 12, "timing": timing}
                },
            )
        )
        for timing in ("retrospective", "prospective")
    ),
    "nothing underneath to repay it": (
        draft(contract(CASH, FEE, BACK | {"out_of": ["fee"]})),
        draft(contract(CASH, STAYS, BACK | {"out_of": ["stays"]})),
    ),
    "the advance comes back too early": (
        draft(
            contract(
                {
                    "name": "advance",
                    "kind": "advance",
                    "payer": "plan",
                    "payee": "practice",
                    "due": "9 months after the year ends",
                    "amount": 100_000,
                },
                BONUS | {"due": "9 months after the year ends"},
                {
                    "name": "back",
                    "kind": "recoupment",
                    "payer": "practice",
                    "payee": "plan",
                    "due": "quarterly",
                    "advance": ["advance"],
                    "out_of": ["bonus"],
                    "share": 1.0,
                },
            )
        ),
        draft(
            contract(
                {
                    "name": "advance",
                    "kind": "advance",
                    "payer": "plan",
                    "payee": "practice",
                    "due": "at the start of the year",
                    "amount": 100_000,
                },
                BONUS | {"due": "9 months after the year ends"},
                {
                    "name": "back",
                    "kind": "recoupment",
                    "payer": "practice",
                    "payee": "plan",
                    "due": "9 months after the year ends",
                    "advance": ["advance"],
                    "out_of": ["bonus"],
                    "share": 0.5,
                },
            )
        ),
    ),
    "no security for what is owed": (
        draft(contract(FEE, LOSSES, provisions={"security": {"means": "nothing"}})),
        draft(contract(FEE, LOSSES, provisions={"security": {"means": "a reserve"}})),
    ),
    "a party loses by success": (
        draft(contract(FEE | {"per_member_per_month": 10}), beds(0.8)),
        draft(contract(FEE | {"per_member_per_month": 10}), beds(0.001)),
    ),
    "a question for counsel": (
        draft(contract(FEE, provisions={"purpose": PURPOSE})),
        draft(
            contract(
                FEE,
                provisions={
                    "purpose": PURPOSE | {"line_of_business": "commercial"},
                    "counsel": {"open": ["anti-kickback and Stark value-based rules, 42 CFR 1001.952 and 411.357"]},
                },
            )
        ),
    ),
    "substantial financial risk": (
        draft(contract(FEE, LOSSES | {"cap": 0.0126})),  # 151,200 of 600,000
        draft(contract(FEE, LOSSES | {"cap": 0.0125})),  # 150,000
    ),
    "nothing is said of it": (
        draft(contract(FEE)),
        draft(Contract.load(gallery("medicaid-with-beds"))),
    ),
}


def test_every_rule_has_its_two_contracts() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_tripped_by_what_it_is_about_and_by_nothing_else(name: str) -> None:
    trips, beside = CASES[name]
    found = list(RULES[name](trips))
    assert found
    assert not list(RULES[name](beside))
    for each in found:
        assert each.rule == name
        assert all((each.where, each.found, each.numbers, each.do))
        if each.mend:
            assert not [again for again in RULES[name](mended(trips, each)) if again.where == each.where]


RISK = RULES["substantial financial risk"]
COVER = {
    "name": "cover",
    "kind": "stop_loss",
    "payer": "insurer",
    "payee": "practice",
    "due": "9 months after the year ends",
    "attachment": 6_000,
    "coinsurance": 0.9,
}
OF_THE_YEAR = COVER | {
    "kind": "aggregate_stop_loss",
    "attachment": 1.0125,
}  # of 12,000,000: 150,000, a quarter of the fee
INSURED = {"parties": {"plan": "the plan", "practice": "the practice", "insurer": "the insurer"}}


@pytest.mark.parametrize(
    ("clauses", "told"),
    [
        ([FEE, SAVINGS | {"cap": 0.0166}], None),  # 199,200 of 799,200
        (
            [FEE, SAVINGS | {"cap": 0.0167}],
            "$200,400 hangs on it, 25% of it",
        ),  # of 800,400: a third of the fee, and more
        ([FEE, SAVINGS | {"cap": 0.01}, LOSSES | {"cap": 0.005}], None),  # 180,000 of 720,000 is a quarter
        ([FEE, SAVINGS | {"cap": 0.01}, LOSSES | {"cap": 0.0051}], "$181,200 hangs on it"),
        ([FEE, BONUS], None),  # quality is no matter of the cost of care
        ([FEE, LOSSES], "$240,000 hangs on it, 40% of it"),
    ],
)
def test_substantial_risk_is_more_than_a_quarter(clauses: list[dict[str, Any]], told: str | None) -> None:
    """Fees of 500 people: 600,000. The benchmark: 12,000,000."""
    found = list(RISK(draft(contract(*clauses))))
    assert bool(found) is (told is not None)
    assert all(told in each.numbers for each in found)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("people", "asked"),
    [
        (
            1_000,
            "90% above $6,000 of one person's care ($10,000 in hospitals and $3,000 of professionals, where apart)",
        ),
        (1_001, "90% above $30,000"),
        (5_000, "90% above $30,000"),
        (5_001, "90% above $40,000"),
        (8_000, "90% above $40,000"),
        (8_001, "90% above $75,000"),
        (10_000, "90% above $75,000"),
        (10_001, "90% above $150,000"),
        (25_000, "90% above $150,000"),
        (25_001, "no cover of one person was asked for"),
    ],
)
def test_the_cover_goes_by_the_size_of_the_panel(people: int, asked: str) -> None:
    [found] = RISK(draft(contract(FEE, LOSSES), lives=people))
    assert asked in found.numbers
    assert ("no such cover" in found.numbers) is (people <= 25_000)


@pytest.mark.parametrize(
    ("cover", "enough"),
    [
        (COVER, True),
        (COVER | {"attachment": 6_001}, False),
        (COVER | {"coinsurance": 0.89}, False),
        (COVER | {"payee": "plan"}, False),
        (OF_THE_YEAR, True),
        (OF_THE_YEAR | {"attachment": 1.0126}, False),
    ],
)
def test_cover_that_is_in_the_contract_is_seen(cover: dict[str, Any], enough: bool) -> None:
    [found] = RISK(draft(contract(FEE, LOSSES, cover, **INSURED)))
    assert ("no such cover" not in found.numbers) is enough


def test_what_would_have_to_be_paid_beside_it() -> None:
    """240,000 is a quarter of 960,000, of which 600,000 is paid here."""
    [found] = RISK(draft(contract(FEE, LOSSES)))
    assert "$360,000 a year or more for its own services" in found.do


@pytest.mark.parametrize(("minimum", "found"), [(0.009, []), (0.008, ["1.7%"])])
def test_a_minimum_fits_what_counts_of_few_people(minimum: float, found: list[str]) -> None:
    """Luck alone passes 1.28 x 1.5 / root of 500 = 8.6%; of 500 people a fifth counts, the root of 500 / 12,500."""
    weighed = draft(contract(FEE, SAVINGS | {"minimum": minimum, "full_credibility": 12_500}))
    told = list(RULES["the minimum does not fit the size"](weighed))
    assert len(told) == len(found)
    assert all(rate in each.numbers for each, rate in zip(told, found, strict=True))


def test_what_no_luck_pays_either_is_no_matter_of_luck() -> None:
    """A fee of 20% of the cost of care, to be earned back first, leaves no savings of 5%."""
    dear = draft(contract(FEE | {"per_member_per_month": 400}, SAVINGS | {"minimum": 0.0}), lives=100_000)
    (told,) = RULES["luck decides"](dear)
    assert told.found == "It pays nothing for a program that does what is hoped for."
    assert not list(RULES["luck decides"](draft(contract(FEE | {"per_member_per_month": 400}), lives=100_000)))


def test_a_minimum_that_would_be_all_of_the_benchmark_is_not_advised() -> None:
    (told,) = RULES["the minimum does not fit the size"](draft(contract(FEE, SAVINGS), lives=3))
    assert not told.mend
    assert "no minimum fits so few" in told.do


def test_a_price_for_more_says_which_side_it_pays() -> None:
    for better, said in (("fewer", "one below what was expected"), ("more", "one above what was expected")):
        (told,) = RULES["a price that pays for luck"](draft(contract(STAYS | {"expected": 600, "better": better})))
        assert said in told.found


def test_who_buys_care_of_which_nothing_says_how_much_is_not_said_to_lose() -> None:
    rate = {"kind": "case_rate", "services": ["care in the home"], "per_member_per_month": 700}
    agreed = contract({k: v for k, v in FEE.items() if k not in rate} | rate)
    assert not list(RULES["a party loses by success"](draft(agreed)))
    told = Outside(name="x", taken_on={"fee": 0.01}, basis={"taken_on": "assumption"})
    (found,) = RULES["a party loses by success"](draft(agreed, told))
    assert "loses even if" in found.found
    assert "over 3 years" in found.numbers


@pytest.mark.parametrize("name", gallery_names())
def test_a_contract_written_reads_back_the_same(name: str) -> None:
    agreed = Contract.load(gallery(name))
    again = Contract.parse(agreed.as_yaml())
    assert again == agreed
    assert [clause.model_dump() for clause in again.clauses] == [clause.model_dump() for clause in agreed.clauses]


def mended(draft: Draft, finding: Finding) -> Draft:
    """The draft with a mend made."""
    terms = dict(finding.mend)
    agreed = draft.contract.amend(terms.pop("clauses", None), **terms)
    return Draft(agreed, draft.years, draft.luck, draft.care, draft.effect, draft.line, draft.outside)


# What the gallery trips on purpose: contracts that were really signed, or that show what goes wrong.
ON_PURPOSE = {
    # Medicare leaves a part of any loss beyond the last band with the organization, which may buy stop-loss for it.
    "aco-reach-professional": {"a loss without an end"},
    "reach/professional": {"a loss without an end"},
    "reach/global": {"a loss without an end"},
}


# Luck is reckoned in years of twelve months.
YEARLY = [name for name in gallery_names() if Contract.load(gallery(name)).first_year_months == 12]


@pytest.mark.parametrize("name", YEARLY)
def test_the_gallery_has_no_error_that_is_not_listed(name: str) -> None:
    agreed = Contract.load(gallery(name))
    taken = assumed.take(agreed)
    found = findings(Draft(agreed, taken.years, taken.luck, taken.cost, 0.05, "medicaid"))
    assert {each.rule for each in found if each.severity == "error"} == ON_PURPOSE.get(name, set())


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_tells_errors_by_its_exit_code_and_writes_the_mended_contract(run: Any, tmp_path: Any) -> None:
    file, fixed, table = (tmp_path / name for name in ("mine.yaml", "fixed.yaml", "found.csv"))
    bad = contract(FEE, SAVINGS | {"net_of": [], "minimum": 0.02}, {k: v for k, v in LOSSES.items() if k != "cap"})
    file.write_text(bad.as_yaml(), "utf-8")
    done = run("check", file, "--lives", 500, "--fix", fixed, "--out", table)
    assert done.code == 1
    assert "2 errors" in done.out
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert {row["rule"] for row in rows if row["severity"] == "error"} == {
        "a fee counted by nobody",
        "a loss without an end",
    }
    again = run("check", fixed, "--lives", 500)
    assert again.code == 0
    assert Contract.load(fixed).clauses[1].net_of == ["fee"]  # type: ignore[attr-defined]
    assert run("check", "medicaid-with-beds", "--lives", 600).code == 0
    assert run("check", file, "--effect", 2).code == 2


def test_it_measures_the_years_from_claims(run: Any, tmp_path: Any) -> None:
    assert run("claims", "make", tmp_path / "claims", "--members", 300).code == 0
    mine = tmp_path / "mine.yaml"
    text = gallery("complex-care-measured").read_text(encoding="utf-8")
    mine.write_text(text.replace("first_year: 2026", "first_year: 2025"), "utf-8")
    done = run("check", mine, "--claims", tmp_path / "claims", "--years-are", "without")
    assert done.code in (0, 1), done.err
    refused = run("check", "hnhc-targeted", "--claims", tmp_path / "claims")
    assert refused.code == 2
    assert "measurement" in refused.err


def test_years_of_one_s_own_say_whether_the_program_is_in_them(run: Any, tmp_path: Any) -> None:
    years = tmp_path / "years.csv"
    years.write_text("year,lives,member_months,benchmark,spend\n2026,600,7200,15000000,14000000\n")
    words = ("check", "hnhc-targeted", "--years", years)
    unsaid = run(*words)
    assert unsaid.code == 2
    assert "--years-are without" in unsaid.err
    assert run(*words, "--years-are", "without").code in (0, 1)
    assert run(*words, "--years-are", "with", "--effect", 0.07).code in (0, 1)


def test_every_source_that_the_package_names_is_in_the_references() -> None:
    """A key is a name, a year and a word, as `counsell2009grace`; a misspelled one leads nowhere."""
    root = Path(__file__).parents[2]
    known = set(re.findall(r"^@\w+\{([^,]+),", (root / "book" / "references.bib").read_text("utf-8"), re.M))
    named = {
        (path.name, key)
        for path in (root / "src").rglob("*.py")
        for key in re.findall(r"\(([a-z]{3,}(?:19|20)\d\d[a-z]+)[,)]", path.read_text("utf-8"))
    }
    assert ("rules.py", "counsell2009grace") in named
    assert sorted((name, key) for name, key in named if key not in known) == []
