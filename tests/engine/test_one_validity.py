"""Whichever door a contract comes in by, it is the same contract or is refused for the same faults."""

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from carecontracts import Contract, Fault, Refusal, gallery
from carecontracts.clauses import MECHANISMS
from carecontracts.gallery import gallery_names
from carecontracts.refusing import faults_in

WRITTEN = {name: yaml.safe_load(gallery(name).read_text("utf-8")) for name in gallery_names()}
SOUND = {name: Contract.load(gallery(name)) for name in WRITTEN}
FOUR_CLAUSES = Path(__file__).with_name("four-clauses.yaml")


def refused(door: Callable[[], Contract]) -> list[Fault]:
    """What a door says is wrong, without the file and the line."""
    try:
        door()
    except Refusal as refusal:
        faults = refusal.faults
    except ValidationError as error:
        faults = faults_in(error)
    else:
        return []
    return [f._replace(where=re.sub(r"^(deal\.yaml|/.*?\.yaml|contract|amended contract)(, line \d+)?(, |$)", "", f.where)) for f in faults]  # fmt: skip # noqa: E501


def by_every_door(data: dict[str, Any], folder: Path) -> list[Fault]:
    """The faults of the data, which are the same by four doors."""
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    (folder / "deal.yaml").write_text(text, "utf-8")
    faults = refused(lambda: Contract.model_validate(data))
    assert refused(lambda: Contract(**data)) == faults
    assert refused(lambda: Contract.parse(text, "deal.yaml")) == faults
    assert refused(lambda: Contract.load(folder / "deal.yaml")) == faults
    return faults


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("doors")


# --- a sound contract -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITTEN)
def test_every_door_gives_the_same_contract(name: str, folder: Path) -> None:
    contract = SOUND[name]
    assert Contract.model_validate(WRITTEN[name]) == Contract(**WRITTEN[name]) == contract
    assert Contract.model_validate(contract.model_dump()) == contract
    assert Contract.model_validate(contract.model_dump(exclude_unset=True)) == contract
    assert Contract.model_validate(contract) == contract
    assert Contract.model_validate_json(contract.model_dump_json(exclude_unset=True)) == contract
    assert Contract(**{term: getattr(contract, term) for term in contract.model_fields_set}) == contract
    assert contract.amend() == contract
    assert contract.model_dump() == Contract.model_validate(contract.model_dump()).model_dump()


def test_by_every_door_a_term_gets_the_points_of_the_scale_that_it_names() -> None:
    written = WRITTEN["mssp/track-1"]
    scale = written["scales"]["minimum rate"]["lives"]
    for contract in (Contract.model_validate(written), Contract(**written), SOUND["mssp/track-1"].amend(years=3)):
        (minimum,) = (clause.minimum for clause in contract.clauses if clause.kind == "shared_savings")  # type: ignore[attr-defined]
        assert (minimum.name, dict(minimum)) == ("minimum rate", scale)
    halved = {"lives": {lives: share / 2 for lives, share in scale.items()}}
    amended = SOUND["mssp/track-1"].amend(scales={"minimum rate": halved})
    (minimum,) = (clause.minimum for clause in amended.clauses if clause.kind == "shared_savings")  # type: ignore[attr-defined]
    assert dict(minimum) == halved["lives"]


# --- what is wrong is wrong by every door -----------------------------------------------------------------------------


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, dict[str, Any]], dict[str, Any], bool]:
    """A gallery contract with one to three things wrong: its name, the data; and the same as an amendment, if it can
    be said as one.
    """
    name = draw(st.sampled_from(sorted(WRITTEN)))
    data, amendable = deepcopy(WRITTEN[name]), True
    changes: dict[str, dict[str, Any]] = {}
    terms: dict[str, Any] = {}
    for index in draw(st.lists(st.sampled_from(range(len(data["clauses"]))), min_size=1, max_size=3, unique=True)):
        clause = data["clauses"][index]
        old, mechanism = SOUND[name].clauses[index].name, MECHANISMS[clause["kind"]]
        numbers = [term for term, unit in mechanism.terms().items() if unit and term in clause]
        how = draw(st.sampled_from(["party", "name", "drop", "type", "reference", "late", "unknown", "basis", "kind", "top"]))  # fmt: skip # noqa: E501
        change: dict[str, Any] = {}
        if how == "party":
            change[draw(st.sampled_from(["payer", "payee"]))] = draw(st.sampled_from(["nobody", *data["parties"]]))
        elif how == "name":
            change["name"] = draw(st.sampled_from([other.name for other in SOUND[name].clauses]))
        elif how == "drop":
            clause.pop(draw(st.sampled_from(sorted(clause))))
            amendable = False
        elif how == "type" or (how == "late" and not numbers):
            term = draw(st.sampled_from(sorted(set(clause) - {"kind"})))
            change[term] = draw(st.sampled_from([["x"], {}, "half", -1, True, 5, {"a": 1}, {2990: "x"}]))
        elif how == "reference" and mechanism.looks_back:
            change[draw(st.sampled_from(mechanism.looks_back))] = [
                draw(st.sampled_from(["nothing", old, clause["kind"]]))
            ]
        elif how == "late" and numbers:
            term = draw(st.sampled_from(numbers))
            change[term] = {draw(st.sampled_from([2, 2990])): clause[term]}
        elif how == "unknown":
            change["shar"] = 0.5
        elif how == "basis":
            change["basis"] = {draw(st.sampled_from([*mechanism.terms(), "nothing"])): "illustrative"}
        elif how == "kind":
            change["kind"] = draw(st.sampled_from(["advanc", "advance", 5]))
        else:
            terms |= draw(st.sampled_from([{"first_year": "soon"}, {"years": 500}, {"parties": {"plan": "the plan"}}, {"first_year": 2999}]))  # fmt: skip # noqa: E501
        clause |= change
        if change:
            changes[old] = change
    data |= terms
    return name, data, changes, terms, amendable


@given(mutated())
@settings(max_examples=150)
def test_the_doors_say_the_same_of_what_is_wrong(folder: Path, mutation: Any) -> None:
    name, data, changes, terms, amendable = mutation
    faults = by_every_door(data, folder)
    assert all(f.given and f.allowed and f.do and f.where for f in faults)
    if amendable:  # the file's order of terms is not the model's
        assert sorted(refused(lambda: SOUND[name].amend(changes, **terms))) == sorted(faults)


TWO = {
    "title": "A fee", "summary": "Paid.", "parties": {"plan": "the plan", "clinic": "the clinic"}, "first_year": 2026,
    "clauses": [
        {"name": "fee", "kind": "advance", "payer": "plan", "payee": "clinic", "due": "monthly", "amount": 5},
        {"name": "back", "kind": "recoupment", "payer": "clinic", "payee": "plan", "due": "monthly", "advance": ["fee"],
         "out_of": ["fee"], "share": 0.5},
    ],
}  # fmt: skip


def wrong(**changes: Any) -> dict[str, Any]:
    """The two clauses, the second of them changed."""
    return TWO | {"clauses": [TWO["clauses"][0], TWO["clauses"][1] | changes]}  # type: ignore[index, operator]


WRONG = {
    "a name twice": (wrong(name="fee"), "clause 'fee', term `name`", "the name 'fee' again"),
    "a payee who is no party": (wrong(payee="plant"), "clause 'back', term `payee`", "'plant'"),
    "a payer who is paid": (wrong(payee="clinic"), "clause 'back', term `payee`", "the payer again"),
    "a reference to nothing": (wrong(out_of=["fees"]), "clause 'back', term `out_of`", "'fees'"),
    "a reference to itself": (wrong(out_of=["back"]), "clause 'back', term `out_of`", "'back'"),
    "a late schedule": (wrong(share={2027: 0.5}), "clause 'back', term `share`", "a schedule that begins in 2027"),
    "a schedule without year 1": (wrong(share={2: 0.5}), "clause 'back', term `share`", "a schedule that begins in 2"),
    "a basis of nothing": (wrong(basis={"cap": "x"}), "clause 'back', term `basis.cap`", "a basis for `cap`"),
    "two units of one measure": (
        TWO | {"clauses": [TWO["clauses"][0], *({
            "name": name, "kind": "performance_bonus", "payer": "plan", "payee": "clinic", "due": "quarterly",
            "measure": "visits", "amount": 9, "per": "per member month", "better": "lower", "attainment": {0.6: 1},
            **unit,
        } for name, unit in (("one", {}), ("two", {"unit": "a rate per member"})))]},
        "clause 'two', term `unit`", "measures.visits in 'a rate per member'",
    ),
    "a party but for a space": (
        TWO | {"parties": {"plan": "a", "plan ": "b", "clinic": "c"}}, "term `parties`", "the name 'plan' twice",
    ),
    "a party in letters that look alike": (
        TWO | {"parties": {"plan": "a", "pl\u0430n": "b", "clinic": "c"}}, "term `parties`",
        "the name 'plan' twice, in letters that look alike",
    ),
    "a clause in letters that look alike": (
        wrong(name="f\u0435e"), "clause 'f\u0435e', term `name`", "the name 'f\u0435e' again",
    ),
    "a letter that nobody sees": (
        wrong(name="back\u3164"), "clause 'back\u3164', term `name`", "'back\u3164', with U+3164, which nobody sees",
    ),
    "a scale but for a space": (
        TWO | {"scales": {"a": {"lives": {1: 0}}, "a ": {"lives": {1: 0}}}}, "term `scales`", "the name 'a' twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_no_clause_sees_alone_is_refused_by_every_door(kind: str, folder: Path) -> None:
    data, where, given = WRONG[kind]
    (fault,) = by_every_door(data, folder)
    assert (fault.where, fault.given) == (where, given)


def test_a_schedule_from_the_first_year_is_not_late(folder: Path) -> None:
    for share in ({2026: 0.5}, {2020: 0.5}, {1: 0.5, 2: 0.4}):
        assert by_every_door(wrong(share=share), folder) == []


def test_all_that_is_sound_is_checked_beside_what_is_not(folder: Path) -> None:
    """A term of the wrong type hides neither its clause's other terms nor the clauses that name it."""
    data = deepcopy(TWO)
    data["clauses"][0] |= {"amount": "five", "payer": "nobody"}  # type: ignore[index]
    data["clauses"][1] |= {"share": 50, "advance": ["fee", 5, "gift"], "due": "weekly", "basis": {"share": "x"}}  # type: ignore[index]
    told = [(fault.where, fault.given) for fault in by_every_door(data, folder)]
    assert told == [
        ("clause 'fee', term `payer`", "'nobody'"),
        ("clause 'fee', term `amount`", "'five'"),
        ("clause 'back', term `due`", "'weekly'"),
        ("clause 'back', term `advance`", "'gift'"),
        ("clause 'back', term `advance.1`", "5"),
        ("clause 'back', term `share`", "50"),
    ]  # the reference to 'fee' and the basis of the share are sound


def test_a_clause_that_is_none_keeps_its_place(folder: Path) -> None:
    """What comes after it is told of the clause that it is in, not of the one before."""
    data = TWO | {"clauses": ["fee", wrong()["clauses"][1]]}
    told = [(fault.where, fault.given) for fault in by_every_door(data, folder)]
    assert told == [
        ("clause 1", "'fee'"), ("clause 'back', term `advance`", "'fee'"), ("clause 'back', term `out_of`", "'fee'"),
    ]  # fmt: skip


def test_fees_are_counted_once_though_something_else_is_wrong(folder: Path) -> None:
    data = deepcopy(WRITTEN["complex-care-measured"])
    fees = data["measurement"]["fees"]
    assert by_every_door(data, folder) == []
    data["measurement"]["fees"] = fees | {"clauses": [*fees["clauses"], "gift"]}
    data["measurement"]["spending"] = {"cost": "free"}
    told = {fault.where: fault.given for fault in by_every_door(data, folder)}
    assert told["measurement 'fees', term `clauses`"] == "'gift'"
    assert told["measurement 'spending', term `cost`"] == "'free'"


def test_one_model_within_another_has_its_faults_in_its_place() -> None:
    class Offer(BaseModel):
        contract: Contract

    with pytest.raises(ValidationError) as error:
        Offer.model_validate({"contract": wrong(payee="plant", share=50)})
    assert [each["loc"] for each in error.value.errors()] == [
        ("contract", "clauses", 1, "payee"), ("contract", "clauses", 1, "share"),
    ]  # fmt: skip
    assert "did you mean 'plan'?" in str(error.value)
    assert "for 50% write 0.5" in str(error.value)


def test_no_part_of_a_contract_is_settled_wrongly_by_the_constructor() -> None:
    with pytest.raises(ValidationError, match="nobody at all"):
        Contract.model_validate(wrong(payee="nobody at all"))


def test_amend_and_amend_back_changes_nothing_that_is_written(four_clauses: Contract) -> None:
    there = four_clauses.amend({"savings": {"share": 0.123}}, years=2)
    back = there.amend({"savings": {"share": four_clauses.clauses[2].share}}, years=5)  # type: ignore[attr-defined]
    assert back == four_clauses
    assert back.model_dump(exclude_unset=True) == four_clauses.model_dump(exclude_unset=True)


# --- what a stranger found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("clauses", 0, "per_member_per_month"), {"high": 120, "high ": 40}),
        (("clauses", 0, "per_member_per_month"), {2026: {"high": 120, " high": 40}}),
        (("measurement", "tiers"), {name: {"definition": "everyone"} for name in ("high", "high ")}),
        (("measurement", "measures"), {name: {"measure": "admissions"} for name in ("stays", "stays ")}),
        (("measurement", "outcomes"), {name: {"outcome": "housed"} for name in ("homes", "homes ")}),
    ],
)
def test_a_name_is_not_given_twice_with_a_space(where: tuple[Any, ...], value: Any, folder: Path) -> None:
    data = deepcopy(WRITTEN["complex-care-measured"])
    inside = data
    for key in where[:-1]:
        inside = inside[key]
    inside[where[-1]] = value
    (fault,) = by_every_door(data, folder)
    assert fault.given.endswith("twice")


def test_a_fee_that_no_clause_pays_is_told_once(folder: Path) -> None:
    data = deepcopy(WRITTEN["complex-care-measured"])
    data["measurement"]["fees"]["clauses"] = ["care management fe"]
    (fault,) = by_every_door(data, folder)
    assert fault.where == "measurement 'fees', term `clauses`"
    assert "did you mean 'care management fee'?" in fault.do


def test_what_is_given_ready_made_is_checked_like_data() -> None:
    fee, back = Contract.model_validate(TWO).clauses
    wrongly = back.model_copy(update={"share": 50})
    (fault,) = refused(lambda: Contract(**TWO | {"clauses": [fee, wrongly]}))
    assert (fault.where, fault.given) == ("clause 'back', term `share`", "50")
    unchecked = type(back).model_construct(name="back", kind="recoupment")
    assert len(refused(lambda: Contract(**TWO | {"clauses": [fee, unchecked]}))) == 6  # whatever is missing
    section = SOUND["complex-care-measured"].measurement
    spending = section.spending.model_copy(update={"cost": "charged"})  # type: ignore[union-attr]
    again = SOUND["complex-care-measured"].model_copy(
        update={"measurement": section.model_copy(update={"spending": spending})}  # type: ignore[union-attr]
    )
    (fault,) = refused(lambda: Contract.model_validate(again))
    assert fault.where == "measurement 'spending', term `cost`"


def test_a_tier_has_a_name_in_words(folder: Path) -> None:
    """In JSON, a tier "1" and the year 1 are one."""
    data = deepcopy(WRITTEN["complex-care-measured"])
    data["clauses"][0]["per_member_per_month"] = {"1": 40, "2": 120}
    (fault,) = by_every_door(data, folder)
    assert fault.where == "clause 'care management fee', term `per_member_per_month`"


@pytest.mark.parametrize("clauses", [[1], "fee", 5, [("fee", {})], {1}])
def test_an_amendment_of_no_clauses_by_name_is_refused(clauses: Any) -> None:
    (fault,) = refused(lambda: SOUND["complex-care-measured"].amend(clauses))
    assert fault.do == "write {clause: {term: value}}"


@pytest.mark.parametrize(
    "changes",
    [{"clauses": {"care management fee": None}}, {"clauses": {"care management fee": 90}}, {"measurement": 3}],
)
def test_an_amendment_that_is_no_terms_is_refused(changes: Any) -> None:
    (fault,) = refused(lambda: SOUND["complex-care-measured"].amend(**changes))
    assert fault.allowed.startswith("terms and their values")


@pytest.mark.parametrize("name", SOUND)
def test_a_name_in_braces_is_a_name(name: str) -> None:
    """And no place of a template for another term."""
    for clause in SOUND[name].clauses:
        names = [
            term for term in clause.terms() if isinstance(getattr(clause, term), str) and not clause.said_plainly(term)
        ]
        braced = clause.model_copy(update={term: f"{{no {term}}}" for term in names})
        braced.__dict__.pop("facts", None)  # what was worked out before
        assert len(braced.facts) == len(clause.facts)
        assert braced.say().count("{no ") >= len(
            [term for term in names if f"“{getattr(clause, term)}”" in clause.say()]
        )


@pytest.mark.parametrize("name", SOUND)
def test_every_clause_says_itself(name: str) -> None:
    for clause in SOUND[name].clauses:
        assert f"“{clause.payer}”" in clause.say()
