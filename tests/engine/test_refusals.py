"""Bad input: all mistakes at once, each with its place, what was given, what is allowed and what to do; exit code 2."""

import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from carecontracts import Contract, Fault, Refusal, Year, read_years
from carecontracts.clauses import RESPELLED
from carecontracts.cli import main
from carecontracts.paper.term_sheet import term_sheet
from carecontracts.programs import mssp
from carecontracts.refusal import told as told_all

FOUR_CLAUSES = Path(__file__).with_name("four-clauses.yaml")
VALID = FOUR_CLAUSES.read_text("utf-8")
GOAL = (
    "{goal: people are well, measure: health, better: higher, reported_by: people, "
    "read_after_months: 6, decides: who pays}"
)
YEARS = "year,member_months,benchmark,spend,measures.quality score\n2026,12000,24000000,22000000,0.9\n"


def faults_of(text: str) -> list[Any]:
    with pytest.raises(Refusal) as refusal:
        Contract.parse(text, "deal.yaml")
    for fault in refusal.value.faults:
        assert fault.where.startswith("deal.yaml")
        assert all(fault), "each fault says where, what was given, what is allowed and what to do"
    return refusal.value.faults


def told(text: str) -> str:
    return "\n".join(map(str, faults_of(text)))


def with_term(clause: str, term: str, value: str) -> str:
    """The valid contract with one term of one clause written otherwise."""
    changed, count = re.subn(
        rf"(?s)(name: {clause},.*?\b{term}: )(\{{[^}}]*\}}|\[[^\]]*\]|[^,}}]+)", lambda m: m[1] + value, VALID, count=1
    )
    assert count == 1
    return changed


def run(*words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str, str]:
    """The command with these words: its exit code, what it printed, and what it said on standard error."""
    monkeypatch.setattr(sys, "argv", ["carecontracts", *words])
    with pytest.raises(SystemExit) as done:
        main()
    out, err = capsys.readouterr()
    return done.value.code, out, err


# --- files that cannot be read ---------------------------------------------------------------------------------------

UNREADABLE = {
    "missing": (None, "No such file"),
    "empty": (b"", "an empty file"),
    "blank": (b" \n\t\n", "an empty file"),
    "only a byte order mark": (b"\xef\xbb\xbf", "no content|an empty row"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a binary file"),
    "UTF-16": ("title: fee\n".encode("utf-16"), "a binary file"),
    "a zero byte": (b"title: fee\x00\n", "a binary file"),
    "an escape sequence": (b"title: \x1b[31mfee\n", "a binary file"),
    "a spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00", "a binary file"),
    "huge": (b"# more\n" * 8_000_000, "a larger file"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("verb", ["contract", "years as YAML", "years as CSV", "results"])
def test_a_file_that_cannot_be_read(kind: str, verb: str, tmp_path: Path) -> None:
    content, given = UNREADABLE[kind]
    path = tmp_path / ("file.csv" if verb in ("years as CSV", "results") else "file.yaml")
    if content is not None:
        path.write_bytes(content)
    reader: Any = {"contract": Contract.load, "results": mssp.read}.get(verb, read_years)
    with pytest.raises(Refusal) as refusal:
        reader(path)
    assert re.search(given, str(refusal.value))
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("reader", [Contract.load, read_years, mssp.read])
def test_a_folder_is_not_a_file(reader: Any, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"(?s)Is a directory.*give a readable file"):
        reader(tmp_path)


def test_text_of_another_age_is_read(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends and Windows letters are no mistakes."""
    path = tmp_path / "deal.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + VALID.replace("\n", "\r\n").encode())
    assert Contract.load(path) == Contract.load(FOUR_CLAUSES)
    path.write_bytes(VALID.replace("the practice", "the caf\xe9").encode("cp1252"))
    assert Contract.load(path).parties["practice"] == "the café"
    path.write_bytes(VALID.replace("the practice", "the café").encode() + b"# a stray \xe9\n")
    with pytest.raises(Refusal, match=r"the byte E9, in a file that is otherwise UTF-8"):
        Contract.load(path)


def test_of_a_file_without_an_end_no_more_is_read_than_may_be():
    endless = Path("/dev/zero")
    if not endless.exists():
        pytest.skip("a machine without /dev/zero")
    with pytest.raises(Refusal, match="a larger file"):
        Contract.load(endless)


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_years_with_another_sign_between_the_columns(sign, tmp_path):
    path = tmp_path / "years.csv"
    path.write_text("year,spend,conditions.met\n2026,5,TRUE\n2027,6,False\n".replace(",", sign))
    assert [(year.spend, year.conditions["met"]) for year in read_years(path)] == [(5, 1), (6, 0)]


def test_many_bad_lines_are_told_on_a_page():
    faults = [Fault(f"row {n}", f"'{n}x'", "a number", "mend it") for n in range(200_000)]
    assert len("\n".join(told_all(faults)).splitlines()) < 120


# --- YAML that is not plain ------------------------------------------------------------------------------------------


def test_many_names_make_no_long_message(tmp_path):
    """3,000 parties and 300 payees who are none of them: every message once named all the parties."""
    parties = ", ".join(f"p{n}: x" for n in range(3_000))
    clauses = "".join(
        f"  - {{name: c{n}, kind: advance, payer: p0, payee: q{n}, due: monthly, amount: 5}}\n" for n in range(300)
    )
    with pytest.raises(Refusal) as refusal:
        Contract.parse(f"title: a\nsummary: b\nfirst_year: 2026\nparties: {{{parties}}}\nclauses:\n{clauses}")
    assert len(refusal.value.faults) == 300
    assert len(str(refusal.value)) < 100_000
    assert "and 2,970 more" in str(refusal.value)


def test_a_years_file_has_no_more_rows_than_there_are_years(tmp_path):
    (tmp_path / "years.csv").write_text("year,spend\n" + "1,1\n" * 3_000, "utf-8")
    with pytest.raises(Refusal, match="3,000 rows"):
        read_years(tmp_path / "years.csv")


def test_unknown_terms_are_sorted_without_looking_again():
    """By the square of their number this took a minute."""
    text = "title: a\n" + "".join(f"k{n}: 1\n" for n in range(10_000))
    start = time.process_time()
    with pytest.raises(Refusal):
        Contract.parse(text)
    assert time.process_time() - start < 30


NOT_PLAIN = {
    "not YAML": ("title: [fee\nsummary: x", "line 2", "expected ',' or ']'"),
    "a tab as indentation": ("title:\n\tfee: 1", "line 2", "cannot start any token"),
    "a Python object": ("title: !!python/object/apply:os.system ['true']", "line 1", "the tag"),
    "binary": ("title: !!binary aGk=", "line 1", "the tag"),
    "a tag of YAML's own": ("title: !!str 5", "line 1", "the tag"),
    "a tag of the writer's": ("title: !ours 5", "line 1", "the tag !ours"),
    "an anchor": ("title: &t fee", "line 1", "the anchor &t"),
    "an alias": ("title: &t fee\nsummary: *t", "line 2", "the alias *t"),
    "an alias bomb": ("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]", "line 4", "the alias *c"),
    "a merge key": ("title: fee\n<<: {summary: x}", "line 2", "the key <<"),
    "a key given twice": ("title: fee\ntitle: fee", "line 2", "`title` twice (first on line 1)"),
    "a number as a key, twice": ("title: {1: a, 1.0: b}", "line 1", "twice"),
    "a list as a key": ("? [a, b]\n: 1", "line 1", "a list or terms as a key"),
    "yes as a key": ("parties: {no: Norway}", "line 1", "the key no"),
    "nothing as a key": ("parties: {null: a}", "line 1", "the key null"),
    "a date as a key": ("parties: {2026-01-01: a}", "line 1", "the key 2026-01-01"),
    "an octal number": ("years: 010", "line 1", "the number 010"),
    "a number with a colon": ("years: 1:30", "line 1", "the number 1:30"),
    "a number with an underscore": ("years: 1_0", "line 1", "the number 1_0"),
    "a hexadecimal key": ("title: {0x10: a}", "line 1", "the key 0x10"),
    "a number of 5,000 digits": ("years: " + "9" * 5_000, "line 1", "takes for a number and cannot read"),
    "a date that is none": ("title: 2026-13-45", "line 1", "takes for a date and cannot read"),
    "two documents": ("title: fee\n---\ntitle: fee", "deal.yaml", "2 documents"),
    "only a comment": ("# nothing yet", "deal.yaml", "no content"),
    "the value sign": ("title: =", "line 1", "takes for a value and cannot read"),
    "a decimal comma": ("a: 1\nshares: {share: 0,5}", "line 2", "the key 5 without a value"),
    "nested too deep": ("title: " + "[" * 500 + "]" * 500, "line 1", "nested more than 20 deep"),
    "nested too deep in blocks": ("\n".join("  " * n + "a:" for n in range(30)), "line 21", "nested more than 20"),
}


@pytest.mark.parametrize("kind", NOT_PLAIN)
def test_yaml_that_is_not_plain(kind: str) -> None:
    text, where, given = NOT_PLAIN[kind]
    assert any(where in fault.where and given in fault.given for fault in faults_of(text)), told(text)


def test_all_that_is_not_plain_is_told_at_once() -> None:
    assert len(faults_of("a: &x 1\nb: *x\nc: !!int 2\nd: &y 3")) == 4
    assert len(faults_of("a: 1\na: 2\nb: 010\nyes: 3\nb: 4")) == 4


# --- contracts that say what cannot be -------------------------------------------------------------------------------

# what is written: clause, term, value; and what the fault must say
NOT_A_TERM = [
    ("savings", "share", "50", "for 50% write 0.5"),
    ("savings", "share", "1.5", "for 1.5% write 0.015"),
    ("savings", "share", "101", "a number from 0 to 1"),
    ("savings", "share", "'50%'", "write a share as a decimal: 0.5, not 50%"),
    ("savings", "share", "50%", "write a share as a decimal: 0.5, not 50%"),
    ("savings", "share", "'0.5'", "without quotes"),
    ("savings", "share", "half", "write a plain number"),
    ("savings", "share", "true", "write a number"),
    ("savings", "share", "null", "write a number"),
    ("savings", "share", "", "write a number"),
    ("savings", "share", "[0.5]", "write a number"),
    ("savings", "share", "-0.1", "swap payer and payee"),
    ("savings", "share", ".nan", "correct the value"),
    ("savings", "share", ".inf", "correct the value"),
    ("savings", "share", "-.inf", "swap payer and payee"),
    ("savings", "share", "1.0e+400", "correct the value"),
    ("savings", "share", "1e400", "write a plain number"),
    ("savings", "share", "2026-01-01", "write a number"),
    ("savings", "share", "12:30:45", "the number 12:30:45"),
    ("savings", "share", "{}", "write a number"),
    ("savings", "share", "{half: 0.5}", "write a number"),
    ("savings", "share", "{2027: 0.5}", "a value from the contract's first year, 2026, on"),
    ("savings", "share", "{2: 0.5}", "a value from year 1 on"),
    ("savings", "share", "{1: 0.5, 2028: 0.6}", "count all years from the contract's first, or name all"),
    ("savings", "share", "{2026: {2027: 0.5}}", "write a number"),
    ("savings", "share", "{2026: 50}", "for 50% write 0.5"),
    ("savings", "share", "{2026: null}", "write a number"),
    ("savings", "minimum", "a scale", "the name of one under `scales`"),
    ("savings", "minimum", "{lives: {5000.5: 0.02}}", "a whole number of people"),
    ("savings", "minimum", "{lives: {-5: 0.02}}", "a whole number of people"),
    ("savings", "minimum", "{lives: {5000: 2}}", "for 2% write 0.02"),
    ("savings", "minimum", "{lives: []}", "write a number"),
    ("fee", "per_member_per_month", "-85", "swap payer and payee"),
    ("fee", "per_member_per_month", "$85", "write a plain number"),
    ("fee", "per_member_per_month", "'1,000'", "without quotes, commas"),
    ("fee", "per_member_per_month", "1.0e+14", "correct the value"),
    ("fee", "per_member_per_month", "{standard: {complex: 5}}", "write a number"),
    ("fee", "per_member_per_month", '{"": 5}', "write a number"),
    ("fee", "per_member_per_month", '{"\\e[31mred": 5}', "write a number"),
    ("fee", "per_member_per_month", "{complex: 5, ' complex': 6}", "the name 'complex' twice"),
    ("fee", "name", "5", "a number as text stands in quotes"),
    ("fee", "name", "null", "a number as text stands in quotes"),
    ("fee", "name", "2026-01-01", "a number as text stands in quotes"),
    ("fee", "name", "''", "printable text"),
    ("fee", "name", "'=HYPERLINK(1)'", "does not begin with = + - or @"),
    ("fee", "name", '"a\\e[31mb"', "printable text"),
    ("fee", "name", '"a\\u202Eb"', "printable text"),
    ("fee", "name", '"a\\u0000b"', "printable text"),
    ("fee", "name", "x" * 81, "at most 80 characters"),
    ("fee", "kind", "care_managment_fee", "did you mean 'care_management_fee'"),
    ("fee", "kind", "[care_management_fee]", "one of the kinds"),
    ("fee", "kind", "{a: 1}", "one of the kinds"),
    ("fee", "kind", "null", "one of the kinds"),
    *(("fee", "kind", old, f"{old} is now: {new}") for old, new in RESPELLED.items()),
    ("fee", "kind", "savings_corridor", "savings_corridor is now: kind: corridor, of: savings"),
    ("fee", "kind", "measure_guarantee", "measure_guarantee is now: kind: fee_at_risk_on_measure"),
    ("fee", "due", "weekly", "monthly; quarterly"),
    ("fee", "due", "9", "monthly; quarterly"),
    ("fee", "due", "9999 months after the year ends", "monthly; quarterly"),
    ("fee", "payer", "plant", "did you mean 'plan'"),
    ("fee", "payer", "practice", "name who is paid"),
    ("fee", "payer", "[plan]", "a number as text stands in quotes"),
    ("savings", "net_of", "[fees]", "did you mean 'fee'"),
    ("savings", "net_of", "[losses]", "look only back"),
    ("savings", "net_of", "[savings]", "look only back"),
    ("savings", "net_of", "fee", "a list: [first, second]"),
    ("savings", "net_of", "[[fee]]", "a number as text stands in quotes"),
    ("savings", "net_of", "[5]", "a number as text stands in quotes"),
    ("savings", "quality", "[a, b]", "a number as text stands in quotes"),
    ("savings", "net_of", "[fee, fee]", "the name 'fee' twice"),
    ("savings", "net_of", "[fee, ' fee']", "the name 'fee' twice"),
    ("recouped", "advance", "[]", "at least 1"),
    ("recouped", "out_of", "[recouped]", "look only back"),
]  # fmt: skip


ADJUSTS = "{name: it, kind: payment_adjustment, payer: plan, payee: practice, due: monthly, payments: [fee], %s}"
NOT_AN_ADJUSTMENT = [
    ("due: monthly", "none of `share`, `measure` and `measures`"),
    ("share: 0.1, measure: score, ladder: {0: 1}, climbs: in steps, side: what is more", "`share` and `measure`"),
    ("measure: score", "`measure` without `ladder`"),
    ("measure: score, ladder: {0: -2}, climbs: in steps, side: what is less", "shares from -1 (all less) to 1"),
    ("measure: score, ladder: {0: -5}, climbs: in steps, side: what is less", "for -5% write -0.05"),
    ("share: 0.1, side: what is less", "`side` with a `share`"),
    ("measures: [a, b], better: lower, side: what is less", "`measures` without `peers`"),
    ("measures: [a, b], peers: [c], better: lower, side: what is less", "1 under `peers`"),
    ("measures: [a], peers: [c], weights: [d, e], better: lower, side: what is less", "2 under `weights`"),
    ("share: 0.1, minimum_cases: 25", "`minimum_cases` without `measures`"),
    ("measures: [a], peers: [c], better: lower, side: what is less, at_most: 3", "for 3% write 0.03"),
    ("share: 0.1, only_beyond: [it]", "look only back"),
]


NOT_A_LIMIT = [
    ("basis: illustrative", "one or more of `cap`, `person_cap`, `benchmark_cap`, `revenue_cap`, `fee_cap`"),
    ("benchmark_cap: 0.1, limits: for all years together", "a `cap` in dollars, where the limit is for all years"),
    ("cap: 5, funds: [hospital]", "`funds` without `benchmark_cap`"),
    ("fee_cap: 0.5", "`fee_cap` without `fees`"),
    ("person_cap: 5, limits: for all years together", "a `cap` in dollars, where the limit is for all years"),
    ("benchmark_cap: 0.1, people_of: the funds named", "`people_of` without `funds`"),
]

NOT_A_BONUS = [
    ("attainment: {0.5: 1}, baseline: before", "`baseline` without `improvement`"),
    ("relative_improvement: {0.05: 1}", "`relative_improvement` with neither of `baseline` and `forecast`"),
    ("relative_improvement: {5: 1}, baseline: before", "for 5% write 0.05"),
    ("attainment: {0.5: 1}, unit: a score, not_reported: no report", "`not_reported` of a measure that is a score"),
]
NOT_A_PRICE = [
    ("price: 5, at_least: 0.05", "`at_least` without `better`"),
    ("price: 5, at_least: 5, comparison: b, better: fewer", "for 5% write 0.05"),
    ("schedule: {0: 5}, climbs: in steps, cap_per_person: 5", "`cap_per_person` without `price`"),
    ("price: 5, comparison: b, better: fewer, cap_per_person: 5", "`cap_per_person` together with a comparison"),
]


@pytest.mark.parametrize(
    ("of", "terms", "says"),
    [
        ("savings", "savings_carried: 1", "`losses_carried`: it comes off savings"),
        ("losses", "losses_carried: 1", "write `savings_carried:`"),
        ("losses", "carried_for: 2", "`carried_for` without `savings_carried`"),
        ("savings", "losses_carried: 1, carried_for: 0", "a whole number of years, 1 or more"),
    ],
)
def test_what_cannot_be_carried(of: str, terms: str, says: str) -> None:
    text = (
        "title: A\nsummary: B\nparties: {plan: the plan, practice: the practice}\nfirst_year: 1\nclauses:\n"
        "  - {name: it, kind: corridor, payer: plan, payee: practice, due: monthly, bands: {0: 1}, "
        f"of: {of}, {terms}}}\n"
    )
    assert says in told(text)


NOT_A_PART = [
    ("among: [north, south]", "`among` without `own`"),
    ("among: [north, south], own: east, counted_in: scores", "'east', who is not under `among`"),
    ("floor: 5", "`floor` without `among`"),
    ("among: [north, north], own: north, counted_in: scores", "the name 'north' twice"),
]


@pytest.mark.parametrize(("terms", "says"), NOT_A_PART)
def test_a_part_that_cannot_be(terms: str, says: str) -> None:
    text = (
        "title: A\nsummary: B\nparties: {plan: the plan, aco: the ACO, site: the site}\nfirst_year: 1\nclauses:\n"
        "  - {name: fee, kind: advance, payer: plan, payee: aco, due: monthly, amount: 100}\n"
        "  - {name: it, kind: distribution, payer: aco, payee: site, due: monthly, out_of: [fee], share: 1, "
        f"{terms}}}\n"
    )
    assert says in told(text)


@pytest.mark.parametrize(("terms", "says"), NOT_A_LIMIT)
def test_a_joint_limit_that_cannot_be(terms: str, says: str) -> None:
    text = (
        "title: A\nsummary: B\nparties: {plan: the plan, practice: the practice}\nfirst_year: 1\nclauses:\n"
        "  - {name: fee, kind: advance, payer: plan, payee: practice, due: monthly, amount: 100}\n"
        "  - {name: it, kind: joint_cap, payer: practice, payee: plan, due: monthly, over: [fee], " + terms + "}\n"
    )
    assert says in told(text)


@pytest.mark.parametrize(("terms", "says"), NOT_A_BONUS)
def test_a_bonus_that_cannot_be(terms: str, says: str) -> None:
    text = (
        "title: A\nsummary: B\nparties: {plan: the plan, practice: the practice}\nfirst_year: 1\nclauses:\n"
        "  - {name: it, kind: performance_bonus, payer: plan, payee: practice, due: monthly, measure: m, amount: 1, "
        "per: in all, better: lower, " + terms + "}\n"
    )
    assert says in told(text)


@pytest.mark.parametrize(("terms", "says"), NOT_A_PRICE)
def test_a_price_that_cannot_be(terms: str, says: str) -> None:
    text = (
        "title: A\nsummary: B\nparties: {plan: the plan, practice: the practice}\nfirst_year: 1\nclauses:\n"
        "  - {name: it, kind: outcome_price, payer: plan, payee: practice, due: monthly, outcome: a, " + terms + "}\n"
    )
    assert says in told(text)


@pytest.mark.parametrize(("terms", "says"), NOT_AN_ADJUSTMENT)
def test_an_adjustment_that_cannot_be(terms: str, says: str) -> None:
    text = (
        "title: A\nsummary: B\nparties: {plan: the plan, practice: the practice}\nfirst_year: 1\nclauses:\n"
        "  - {name: fee, kind: advance, payer: plan, payee: practice, due: monthly, amount: 100}\n"
        f"  - {ADJUSTS % terms.replace('due: monthly', 'basis: illustrative')}\n"
    )
    assert says in told(text)


@pytest.mark.parametrize(("clause", "term", "value", "says"), NOT_A_TERM)
def test_a_term_that_cannot_be(clause: str, term: str, value: str, says: str) -> None:
    text = with_term(clause, term, value)
    line = VALID[: VALID.index(f"name: {clause},")].count("\n") + 1
    spoken = told(text)
    assert says in spoken, spoken
    assert any(fault.where.startswith(f"deal.yaml, line {n}") for fault in faults_of(text) for n in (line, line + 1))


@pytest.mark.parametrize(
    ("terms", "given", "says"),
    [
        ("kind: corridor, of: savings, bands: {0: 0, 2: 0.5, 5: 0.8}", "a band from 2", "for 2% write 0.02"),
        ("kind: corridor, of: losses, bands: {0: 0, 100: 0.5}", "a band from 100", "for 100% write 1"),
        ("kind: corridor, of: losses, bands: {0: 0.01, 100000: 0}", "a band from 100,000", "the share that it is"),
        ("kind: corridor, of: savings, bands: {2026: {0: 0, 2: 1}}", "a band from 2", "for 2% write 0.02"),
        (
            "kind: reconciliation, prepaid: [fee], services: [visits], side: what was paid beyond their cost, "
            "bands: {0: 0, 10: 1}",
            "a band from 10",
            "for 10% write 0.1",
        ),
        (
            "kind: performance_bonus, measure: seen, amount: 5, per: in all, better: higher, "
            "attainment: {0.6: 0, 80: 1}",
            "`attainment` from 80",
            "for 80% write 0.8",
        ),
        (
            "kind: performance_bonus, measure: seen, amount: 5, per: in all, better: higher, baseline: before, "
            "improvement: {2026: {5: 1}}",
            "`improvement` from 5",
            "for 5% write 0.05",
        ),
    ],
)
def test_a_rung_that_is_a_share_is_one_at_most(terms: str, given: str, says: str) -> None:
    clause = f"  - {{name: last, payer: plan, payee: practice, due: monthly, {terms}}}\n"
    (fault,) = faults_of(VALID + clause)
    assert (fault.given, says in fault.do) == (given, True), fault


def test_a_measure_that_is_no_share_has_rungs_of_its_own() -> None:
    terms = "kind: performance_bonus, measure: score, unit: a score, amount: 5, per: in all, better: higher"
    clause = f"  - {{name: last, payer: plan, payee: practice, due: monthly, {terms}, attainment: {{60: 0, 80: 1}}}}\n"
    assert Contract.parse(VALID + clause).clauses[-1].name == "last"


NOT_A_CONTRACT = [
    ("a list", "- title: fee", "terms and their values"),
    ("a word", "fee", "terms and their values"),
    ("no clauses", VALID.split("clauses:")[0], "`clauses:` is needed"),
    ("six goals", VALID + "goals: [" + ", ".join([GOAL] * 6) + "]", "at most 5"),
    ("a goal that decides nothing", VALID + "goals: [" + GOAL.replace(", decides: who pays", "") + "]", "decides"),
    ("an empty list of clauses", VALID.split("clauses:")[0] + "clauses: []", "at least 1"),
    ("clauses by name", VALID.split("clauses:")[0] + "clauses: {fee: 5}", "a list: [first, second]"),
    ("a clause that is a word", VALID + "  - fee\n", "terms and their values"),
    ("a clause that is nothing", VALID + "  -\n", "terms and their values"),
    ("no parties", VALID.replace("parties:", "partys:"), "did you mean 'parties'"),
    ("one party", VALID.replace(", practice: the practice", ""), "at least 2"),
    ("a party twice but for a space", VALID.replace("{plan:", "{'plan ': again, plan:"), "the name 'plan' twice"),
    ("parties as a list", VALID.replace("{plan: the plan, practice: the practice}", "[plan, practice]"), "terms and"),
    ("a thing not modelled twice", VALID + "not_modelled: [risk, risk]\n", "the name 'risk' twice"),
    ("a party with a number", VALID.replace("plan: the plan", "plan: 5"), "a number as text stands in quotes"),
    ("a first year in words", VALID.replace("first_year: 2026", "first_year: soon"), "a whole number"),
    ("a first year that is true", VALID.replace("first_year: 2026", "first_year: true"), "a whole number"),
    ("a first year of nothing", VALID.replace("first_year: 2026", "first_year: 0"), "1 or more"),
    ("a hundred years", VALID.replace("years: 5", "years: 100"), "99 or less"),
    ("a thirteenth month", VALID.replace("years: 5", "year_starts: 13"), "12 or less"),
    ("a title that is a formula", VALID.replace("title: Care", "title: =Care"), "does not begin with ="),
    ("a word too many", VALID + "sumary: again\n", "did you mean 'summary'"),
    ("a scale that is a number", VALID + "scales: {rate: 0.02}\n", "a sliding scale"),
    ("a scale that is a schedule", VALID + "scales: {rate: {2026: 0.02}}\n", "a sliding scale"),
    ("what is not modelled as a word", VALID + "not_modelled: all\n", "a list: [first, second]"),
    ("a basis for what is not there", VALID.replace("share: 0.5, net", "share: 0.5, basis: {cup: x}, net"), "`cup`"),
    ("a clause of another's name", VALID.replace("name: fee,", "name: advance,"), "the name 'advance' again"),
    ("another's name but for a space", VALID.replace("name: fee,", "name: 'advance ',"), "the name 'advance' again"),
    ("half of the terms on quality", VALID.replace("share: 0.3,", "share: 0.3, least_share: 0.2,"), "together with"),
    ("a condition without its measure", VALID.replace("quality: quality score", "whole_share_if: x"), "together with"),
    (
        "an advance that two clauses recoup",
        VALID + VALID[VALID.index("  - {name: recouped") :].replace("name: recouped", "name: again"),
        "each earlier clause in one recoupment only",
    ),
]


@pytest.mark.parametrize(("kind", "text", "says"), NOT_A_CONTRACT, ids=[kind for kind, *_ in NOT_A_CONTRACT])
def test_a_contract_that_cannot_be(kind: str, text: str, says: str) -> None:
    assert says in told(text), told(text)


def test_a_missing_term_is_named() -> None:
    assert "term `share`" in told(VALID.replace(", share: 0.3", ""))
    assert "add `minimum:`" in told(VALID.replace("minimum: 0.02, share: 0.3", "share: 0.3"))


def test_a_scale_of_few_people_is_no_schedule() -> None:
    Contract.parse(with_term("savings", "minimum", "{lives: {50: 0.1, 2500: 0.05}}"))


def test_every_mistake_of_a_contract_is_told_at_once() -> None:
    text = VALID
    for clause, term, value in [
        ("advance", "amount", "{2: -1}"),
        ("fee", "per_member_per_month", "'85'"),
        ("fee", "payer", "nobody"),
        ("savings", "share", "50"),
        ("savings", "net_of", "[losses]"),
        ("losses", "minimum", ".nan"),
        ("recouped", "advance", "[savings, gift]"),
    ]:
        text = re.sub(
            rf"(?s)(name: {clause},.*?\b{term}: )(\{{[^}}]*\}}|\[[^\]]*\]|[^,}}]+)", rf"\g<1>{value}", text, count=1
        )
    text = text.replace("years: 5", "years: 500").replace("summary: A fee", "summery: A fee")
    spoken = told(text)
    for says in (
        "clause 'advance', term `amount`", "clause 'fee', term `per_member_per_month`", "clause 'fee', term `payer`",
        "for 50% write 0.5", "'losses'", "clause 'losses', term `minimum`", "'gift'", "99 or less",
        "did you mean 'summary'", "`summary:` is needed",
    ):  # fmt: skip
        assert says in spoken, says
    lines = [int(number) for number in re.findall(r"deal\.yaml, line (\d+)", spoken)]
    assert lines == sorted(lines), "in the order of the file"


# --- years that cannot be --------------------------------------------------------------------------------------------

NOT_YEARS = {
    "year.csv": [
        ("a header only", "year,spend\n", "a header without rows"),
        ("no year", "spend\n5\n", "add `year`"),
        ("a year in words", "year,spend\nsoon,5\n", "row 2, year"),
        ("half a year", "year,spend\n2026.5,5\n", "row 2, year"),
        ("too few cells", "year,spend,benchmark\n2026,5\n", "2 cells"),
        ("too many cells", "year,spend\n2026,5,6\n", "3 cells"),
        ("a column twice", "year,spend,spend\n2026,5,6\n", "the column 'spend' again"),
        ("a column without a name", "year,\n2026,5\n", "column 2 without a name"),
        ("a fact twice", "year,member_months,member_months.all\n2026,5,6\n", "each fact once"),
        ("an unknown fact", "year,spent\n2026,5\n", "did you mean 'spend'"),
        ("a negative number", "year,spend\n2026,-5\n", "row 2, spend"),
        ("not a number", "year,spend\n2026,nan\n", "row 2, spend"),
        ("infinity", "year,spend\n2026,inf\n", "row 2, spend"),
        ("1e400", "year,spend\n2026,1e400\n", "row 2, spend"),
        ("thousands separated", 'year,spend\n2026,"5,000"\n', "without quotes, commas"),
        ("a percentage", "year,measures.quality\n2026,95%\n", "write a share as a decimal"),
        ("an underscore", "year,spend\n2026,5_000\n", "row 2, spend"),
        ("a condition of two", "year,conditions.met\n2026,2\n", "1 (it held) or 0 (it did not)"),
        ("a condition in words", "year,conditions.met\n2026,yes\n", "row 2, conditions.met"),
        ("a quotation that does not end", 'year,spend\n2026,"5\n', "CSV"),
        ("an empty first row", "\nyear,spend\n2026,5\n", "begin with the names of the columns"),
        ("a decimal comma", "year;spend\n2026;5,5\n", "'5,5'"),
        ("a yes that is no condition", "year,spend\n2026,TRUE\n", "'TRUE'"),
        ("too many columns", "year," + ",".join(f"c{n}" for n in range(6_000)) + "\n2026\n", "6,001 columns"),
    ],
    "year.yaml": [
        ("one year without a list", "year: 2026\nspend: 5", "begin each with `- year: 2026`"),
        ("an empty list", "[]", "begin each with `- year: 2026`"),
        ("a list of words", "[a, b]", "begin each with `- year: 2026`"),
        ("a year twice in one", "- {year: 2026, year: 2027}", "twice"),
        ("a fact in a fact", "- {year: 2026, measures: {a: {b: 1}}}", "line 1, measures.a"),
        ("a fact twice", "- {year: 2026, measures.a: 1, measures: {a: 2}}", "each fact once"),
        ("text for a number", "- {year: 2026, spend: '5'}", "without quotes"),
        ("true for a number", "- {year: 2026, spend: true}", "write a number"),
        ("a list for a number", "- {year: 2026, spend: [5]}", "write a number"),
        ("nothing for a part", "- {year: 2026, measures: {a: null}}", "line 1, measures.a"),
        ("a date", "- {year: 2026-01-01, spend: 5}", "line 1, year"),
        ("measures without names", "- {year: 2026, measures: 5}", "measures.NAME"),
        ("parts of a fact that has none", "- {year: 2026, spend: {a: 5}}", "the unknown fact 'spend.a'"),
        ("control characters in a name", '- {year: 2026, measures: {"\\e[31m": 5}}', "a name that does not print"),
        ("a number for a name", "- {year: 2026, 5: 5}", "the unknown fact '5'"),
        ("infinity", "- {year: 2026, spend: .inf}", "line 1, spend"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        pytest.param(name, text, says, id=f"{name}: {kind}")
        for name, rows in NOT_YEARS.items()
        for kind, text, says in rows
    ],
)
def test_years_that_cannot_be(name: str, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(Refusal) as refusal:
        read_years(tmp_path / name)
    spoken = str(refusal.value)
    assert says in spoken, spoken
    assert name in spoken


def test_every_mistake_of_a_years_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "years.csv").write_text("year,spend,lives\n2026,-5,x\nsoon,1,2\n2028,nan,3\n", "utf-8")
    with pytest.raises(Refusal) as refusal:
        read_years(tmp_path / "years.csv")
    places = [fault.where.removeprefix(f"{tmp_path}/years.csv, ") for fault in refusal.value.faults]
    assert places == ["row 2, lives", "row 2, spend", "row 3, year", "row 4, spend"]


def test_a_blank_row_and_an_empty_cell_are_no_mistakes(tmp_path: Path) -> None:
    (tmp_path / "years.csv").write_text("\ufeffyear,spend,lives\r\n2026,5,\r\n,,\r\n2027,6,7\r\n", "utf-8")
    years = read_years(tmp_path / "years.csv")
    assert [(year.year, year.spend, year.lives) for year in years] == [(2026, 5, None), (2027, 6, 7)]


def test_a_year_made_in_python_is_checked_too() -> None:
    with pytest.raises(Refusal) as refusal:
        Year(year=0, spend=-1, lives="many", measures={"a": float("nan")}, conditions={"met": 3})
    assert len(refusal.value.faults) == 5


# --- on the command line ---------------------------------------------------------------------------------------------


def test_the_command_says_all_mistakes_of_both_files_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deal.yaml").write_text(with_term("savings", "share", "50"), "utf-8")
    (tmp_path / "years.csv").write_text("year,spent\n2026,5\n", "utf-8")
    code, out, err = run(
        "settle", str(tmp_path / "deal.yaml"), str(tmp_path / "years.csv"), "--out", str(tmp_path / "out.csv"),
        capsys=capsys, monkeypatch=monkeypatch,
    )  # fmt: skip
    assert (code, out) == (2, "")
    assert "for 50% write 0.5" in err
    assert "did you mean 'spend'" in err
    assert "2 mistakes. Nothing was done." in err
    assert "Traceback" not in err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("verb", ["settle", "term-sheet", "years", "mssp"])
@pytest.mark.parametrize("content", [None, b"", b"\x89PNG\r\n\x1a\n\x00", b"title: !!python/name:os.system", b"a\n1\n"])
def test_every_verb_refuses_with_code_2(
    verb: str, content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    words = [verb, str(file), *([str(file)] if verb == "settle" else []), "--out", str(tmp_path / "out")]
    code, out, err = run(*words, capsys=capsys, monkeypatch=monkeypatch)
    assert code == 2
    assert "Nothing was done" in err
    assert "Traceback" not in out + err
    assert not (tmp_path / "out").exists()


def test_an_error_prints_no_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deal.yaml").write_text(VALID + '"\\e[2J\\a": 5\n', "utf-8")
    code, _, err = run("term-sheet", str(tmp_path / "deal.yaml"), capsys=capsys, monkeypatch=monkeypatch)
    assert code == 2
    assert all(c.isprintable() or c == "\n" for c in err)


def test_a_missing_fact_is_told_by_row_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "years.csv").write_text(YEARS.replace("24000000", ""), "utf-8")
    code, _, err = run("settle", str(FOUR_CLAUSES), str(tmp_path / "years.csv"), capsys=capsys, monkeypatch=monkeypatch)
    assert code == 2
    assert "years.csv, row 2, benchmark" in err
    assert "clause 'savings' reads it" in err
    assert "add `benchmark`" in err


# --- whatever is written, it is a contract or a refusal --------------------------------------------------------------

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.dates(),
    st.sampled_from(["plan", "practice", "fee", "savings", "shared_savings", "care_management_fee", "monthly", "q"]),
)  # fmt: skip
keys = st.one_of(
    st.text(max_size=8),
    st.integers(-5, 3_000),
    st.sampled_from(["title", "parties", "clauses", "scales", "first_year", "name", "kind", "share", "lives", "basis"]),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def contract_or_refusal(text: str) -> None:
    with suppress(Refusal):
        term_sheet(Contract.parse(text, "deal.yaml"))


@given(anything)
@example({"clauses": [{"kind": ["a"]}]})
@example({"scales": {"a": {"lives": {1: 2}}}})
@example({"parties": {"a": {}}, "clauses": [{"name": {}, "payer": [], "basis": {1: 2}}]})
def test_any_structure_is_a_contract_or_a_refusal(data: Any) -> None:
    contract_or_refusal(yaml.safe_dump(data, allow_unicode=True))


@given(st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_contract_with_anything_in_a_place_is_a_contract_or_a_refusal(data: st.DataObject) -> None:
    """A walk to a random place of a valid contract, where something else is put, renamed or taken out."""
    contract = yaml.safe_load(VALID)
    place: Any = contract
    while True:
        where = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
        inner = place[where]
        if not (isinstance(inner, (dict, list)) and inner) or data.draw(st.booleans()):
            break
        place = inner
    change = data.draw(st.sampled_from(["replace", "remove", "rename"]))
    if change == "replace":
        place[where] = data.draw(anything)
    elif change == "remove" or isinstance(place, list):
        place.pop(where)
    else:
        place[data.draw(keys)] = place.pop(where)
    contract_or_refusal(yaml.safe_dump(contract, allow_unicode=True))


@given(st.data())
def test_a_contract_with_characters_changed_is_a_contract_or_a_refusal(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(VALID)))
    end = data.draw(st.integers(start, min(len(VALID), start + 30)))
    put = data.draw(st.text(st.sampled_from(" \n\t-:{}[],'\"#&*!|>%@0159.eaxé=?\\"), max_size=8))
    contract_or_refusal(VALID[:start] + put + VALID[end:])


@given(data=anything)
def test_any_structure_is_years_or_a_refusal(data: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "years.yaml"
    path.write_text(yaml.safe_dump([{"year": 2026, "measures": data}, data]), "utf-8")
    with pytest.raises(Refusal):
        read_years(path)


@given(text=st.text(max_size=200))
def test_any_table_is_years_or_a_refusal(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "years.csv"
    path.write_text(f"year,spend\n{text}", "utf-8", newline="")
    with suppress(Refusal):
        assert read_years(path)
