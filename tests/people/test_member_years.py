"""The member-year table: months without double counting, zeros kept, every dollar somewhere."""

from datetime import date

import ibis
import pandas as pd
import pytest

from carecontracts import Refusal
from carecontracts.claims.layout import SCHEMAS, Claims
from carecontracts.claims.read import from_frames
from carecontracts.claims.services import SERVICES, is_primary_care, with_service
from carecontracts.people.member_years import member_years, outside
from carecontracts.people.months import coverage, observed_years
from carecontracts.people.stays import stays


def spans(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["person_id", "enrollment_start_date", "enrollment_end_date"])


def lines(*rows: dict) -> pd.DataFrame:
    """Claim lines: a professional one of $100 on its date, unless said otherwise."""
    made = []
    for number, row in enumerate(rows, 1):
        line = {
            "claim_id": str(number), "claim_line_number": 1, "claim_type": "professional", "paid_amount": 100.0,
            "claim_end_date": row["claim_start_date"], "allowed_amount": 120.0,
        }  # fmt: skip
        made.append(line | row)
    return pd.DataFrame(made)


def table(claims: Claims, *args, **kwargs) -> dict:
    frame = member_years(claims, *args, **kwargs).execute()
    return {(row["person_id"], row["year"]): row for row in frame.to_dict("records")}


A_VISIT = {"person_id": "a", "claim_start_date": "2026-03-02", "hcpcs_code": "99213"}


@pytest.mark.parametrize(
    ("rows", "months"),
    [
        # One span: any day of a month counts the month.
        ([("a", "2026-01-31", "2026-03-01")], {2026: 3}),
        # The same span twice, one inside another, and two that overlap: January to December once.
        ([("a", "2026-01-01", "2026-12-31"), ("a", "2026-01-01", "2026-12-31")], {2026: 12}),
        ([("a", "2026-01-01", "2026-12-31"), ("a", "2026-04-10", "2026-05-20")], {2026: 12}),
        ([("a", "2026-01-01", "2026-06-30"), ("a", "2026-05-01", "2026-08-31")], {2026: 8}),
        # A long span, then a short one inside it, then one that goes on: the gap is September alone.
        ([("a", "2026-01-01", "2026-08-31"), ("a", "2026-02-01", "2026-02-28"), ("a", "2026-10-01", "2026-12-31")],
         {2026: 11}),
        # A month left and entered again is one month.
        ([("a", "2026-01-01", "2026-03-10"), ("a", "2026-03-20", "2026-04-30")], {2026: 4}),
        # Across years, and without an end: to the last year asked for.
        ([("a", "2025-11-15", "2027-02-01")], {2025: 2, 2026: 12, 2027: 2}),
        ([("a", "2026-11-01", None)], {2026: 2, 2027: 12}),
        ([("a", "2026-11-01", "9999-12-31")], {2026: 2, 2027: 12}),
    ],
)  # fmt: skip
def test_months_are_counted_once(rows, months):
    claims = from_frames({"eligibility": spans(*rows), "medical_claim": lines(A_VISIT)})
    found = table(claims, [2025, 2026, 2027])
    assert {year: row["months"] for (_, year), row in found.items()} == months


def test_a_contract_year_may_begin_in_another_month():
    # From July: 2025 is July 2025 to June 2026. The span of 2026 gives it six months, and the year after six.
    claims = from_frames(
        {
            "eligibility": spans(("a", "2026-01-01", "2026-12-31")),
            "medical_claim": lines(A_VISIT, A_VISIT | {"claim_start_date": "2026-07-01"}),
        }
    )
    found = table(claims, first_month=7)
    assert {key: (row["months"], row["paid"]) for key, row in found.items()} == {
        ("a", 2025): (6, 100),
        ("a", 2026): (6, 100),
    }


def test_age_death_and_payer():
    people = spans(("a", "2025-01-01", "2025-12-31"), ("a", "2026-01-01", "2026-12-31"), ("a", "2026-05-01", None))
    people["birth_date"] = ["1960-12-31"] * 3
    people["death_date"] = [None, "2026-09-09", None]
    people["gender"] = ["unknown", "female", None]
    people["payer_type"] = ["medicaid", "medicaid", "medicare"]
    people["dual_status_code"] = [None, "00", "02"]
    found = table(from_frames({"eligibility": people, "medical_claim": lines(A_VISIT)}), [2025, 2026])
    facts = ("age", "died", "gender", "payer_type", "dual")
    assert [found["a", 2025][fact] for fact in facts] == [65, 0, "female", "medicaid", 0]
    assert [found["a", 2026][fact] for fact in facts] == [66, 1, "female", "medicare", 1]


@pytest.mark.parametrize(
    ("death", "first_month", "died"),
    [
        ("2025-12-31", 1, {2025: 1}),  # dead in the year before, though the plan heard of it late: no row of 2026
        ("2026-01-01", 1, {2025: 0, 2026: 1}),
        ("2026-06-30", 7, {2025: 1}),  # the contract year 2026 begins in July
        ("2026-07-01", 7, {2025: 0, 2026: 1}),
        (None, 1, {2025: 0, 2026: 0}),
    ],
)
def test_a_death_is_of_the_year_in_which_it_fell(death, first_month, died):
    people = spans(("a", "2025-01-01", "2026-12-31")).assign(death_date=[death])
    claims = from_frames({"eligibility": people, "medical_claim": lines(A_VISIT)})
    found = table(claims, [2025, 2026], first_month=first_month)
    assert {year: row["died"] for (_, year), row in found.items()} == died


@pytest.mark.parametrize(
    ("born", "first_month", "age"),
    # The contract year 2026 from July ends on 30 June 2027.
    [("2000-06-30", 7, 27), ("2000-07-01", 7, 26), ("2000-12-31", 1, 26), ("2001-01-01", 1, 25)],
)
def test_age_is_that_of_the_last_day(born, first_month, age):
    people = spans(("a", "2026-01-01", "2027-12-31")).assign(birth_date=born)
    claims = from_frames({"eligibility": people, "medical_claim": lines(A_VISIT)})
    assert table(claims, [2026], first_month=first_month)["a", 2026]["age"] == age


def test_those_who_used_nothing_are_kept_with_zeros():
    claims = from_frames(
        {"eligibility": spans(("a", "2026-01-01", None), ("b", "2026-01-01", None)), "medical_claim": lines(A_VISIT)}
    )
    nothing = table(claims)["b", 2026]
    numbers = [name for name in nothing if name.endswith("_paid") or name in ("paid", "allowed")]
    assert len(numbers) == 9
    assert [nothing[name] for name in [*numbers, "admissions", "emergency_visits"]] == [0] * 11


STAY = {"person_id": "a", "claim_type": "institutional", "bill_type_code": "111", "claim_start_date": "2026-03-02"}


def test_a_stay_is_counted_once_whatever_its_lines():
    # Two lines of one claim, and a transfer on the day of admission: one stay of 5 nights. Then a day stay: 1 night.
    stay = STAY | {"admission_date": "2026-03-02", "discharge_date": "2026-03-07"}
    claims = from_frames(
        {
            "eligibility": spans(("a", "2026-01-01", "2026-12-31")),
            "medical_claim": lines(
                stay,
                stay | {"claim_line_number": 2, "claim_id": "1"},
                stay | {"discharge_date": "2026-03-02"},
                STAY | {"claim_start_date": "2026-08-01"},
                A_VISIT | {"place_of_service_code": "21"},
            ),
        }
    )
    row = table(claims)["a", 2026]
    assert (row["admissions"], row["inpatient_days"], row["inpatient_paid"], row["paid"]) == (2, 6, 400, 500)
    assert stays(claims).execute().sort_values("admission_date")["days"].tolist() == [5, 1]


@pytest.mark.parametrize(
    ("second", "found"),
    [
        (("03-05", "03-09"), (1, 7)),  # transferred on the day of discharge: from the 2nd to the 9th
        (("03-04", "03-09"), (1, 7)),  # two claims that overlap
        (("03-06", "03-09"), (2, 6)),  # back a day later: three nights, and three
        (("03-03", "03-04"), (1, 3)),  # within the first
    ],
)
def test_a_transfer_is_the_same_stay(second, found):
    dates = [("03-02", "03-05"), second]
    claims = from_frames(
        {
            "eligibility": spans(("a", "2026-01-01", "2026-12-31")),
            "medical_claim": lines(
                *(STAY | {"admission_date": f"2026-{first}", "discharge_date": f"2026-{last}"} for first, last in dates)
            ),
        }
    )
    row = table(claims)["a", 2026]
    assert (row["admissions"], row["inpatient_days"]) == found


def test_visits_are_days():
    # The hospital's and the physician's claims for one emergency visit are one day; so are two office lines.
    hospital = {
        "person_id": "a",
        "claim_type": "institutional",
        "bill_type_code": "131",
        "claim_start_date": "2026-04-04",
    }
    claims = from_frames(
        {
            "eligibility": spans(("a", "2026-01-01", "2026-12-31")),
            "medical_claim": lines(
                hospital | {"revenue_center_code": "0450"},
                A_VISIT | {"claim_start_date": "2026-04-04", "hcpcs_code": "99284", "place_of_service_code": "23"},
                A_VISIT,
                A_VISIT | {"hcpcs_code": "G0439"},
                A_VISIT | {"claim_start_date": "2026-05-05"},
                A_VISIT | {"claim_start_date": "2026-06-06", "hcpcs_code": "80053"},
            ),
        }
    )
    row = table(claims)["a", 2026]
    assert (row["emergency_visits"], row["primary_care_visits"]) == (1, 2)
    assert (row["emergency_paid"], row["professional_paid"]) == (200, 400)


def test_every_dollar_is_in_a_member_year_or_outside():
    medical = lines(
        A_VISIT,
        A_VISIT | {"claim_start_date": "2025-12-31", "paid_amount": 7.0},  # before coverage
        A_VISIT | {"person_id": "stranger", "paid_amount": 11.0},
        A_VISIT | {"claim_start_date": "2031-01-01", "paid_amount": 13.0},  # in no year asked for
    )
    drugs = pd.DataFrame(
        {
            "claim_id": ["1", "2"], "claim_line_number": [1, 1], "person_id": ["a", "stranger"],
            "dispensing_date": ["2026-02-02"] * 2, "paid_amount": [17.0, 19.0], "allowed_amount": [18.0, 20.0],
        }
    )  # fmt: skip
    tables = {
        "eligibility": spans(("a", "2026-01-01", "2026-12-31")),
        "medical_claim": medical,
        "pharmacy_claim": drugs,
    }
    claims = from_frames(tables)
    inside, beyond = member_years(claims, [2026]).execute(), outside(claims, [2026]).execute()
    assert inside["paid"].sum() == 117
    assert beyond["paid"].sum() == 7 + 13
    assert sum(taken.paid for taken in claims.taken) == 100 * (11 + 19)  # of a stranger: no step uses them
    whole = medical["paid_amount"].sum() + drugs["paid_amount"].sum()
    assert inside["paid"].sum() + beyond["paid"].sum() + 11 + 19 == whole
    assert beyond["lines"].sum() == 2
    by_service = inside[[f"{s}_paid" for s in (*SERVICES, "pharmacy")]].sum().sum()
    assert by_service == inside["paid"].sum()


def test_the_basis_is_of_the_services_and_unknown_amounts_are_not_zero():
    tables = {"eligibility": spans(("a", "2026-01-01", None), ("b", "2026-01-01", None))}
    claims = from_frames(
        tables | {"medical_claim": lines(A_VISIT, A_VISIT | {"person_id": "b", "allowed_amount": None})}
    )
    allowed = table(claims, basis="allowed")
    assert (allowed["a", 2026]["paid"], allowed["a", 2026]["professional_paid"]) == (100, 120)
    assert pd.isna(allowed["b", 2026]["allowed"])


def test_years_default_to_those_of_the_tables():
    tables = {"eligibility": spans(("a", "2025-05-01", "9999-12-31")), "medical_claim": lines(A_VISIT)}
    assert observed_years(from_frames(tables)) == [2025, 2026]
    assert observed_years(from_frames(tables), first_month=6) == [2024, 2025]
    nobody = from_frames(tables | {"eligibility": tables["eligibility"].iloc[:0]})
    with pytest.raises(Refusal, match="no enrollment"):
        observed_years(nobody)


CODES = {"claim_type": "institutional", "bill_type_code": "131", "diagnosis_code_type": "icd-10-cm"}


@pytest.mark.parametrize(
    ("line", "service"),
    [
        (CODES, "outpatient"),
        (CODES | {"bill_type_code": "0111"}, "inpatient"),
        (CODES | {"bill_type_code": "112", "diagnosis_code_1": "F200", "revenue_center_code": "0450"}, "inpatient"),
        (CODES | {"bill_type_code": None, "drg_code": "291"}, "inpatient"),
        (CODES | {"bill_type_code": "", "admission_date": date(2026, 1, 1)}, "inpatient"),
        (CODES | {"drg_code": "291"}, "outpatient"),
        (CODES | {"bill_type_code": "211"}, "post_acute"),
        (CODES | {"bill_type_code": "329"}, "post_acute"),
        (CODES | {"bill_type_code": "121"}, "inpatient"),  # a stay that Part B pays
        (CODES | {"bill_type_code": "211", "revenue_center_code": "0450"}, "post_acute"),  # the first that it fits
        (CODES | {"revenue_center_code": "0459"}, "emergency"),
        (CODES | {"revenue_center_code": "460"}, "outpatient"),
        (CODES | {"hcpcs_code": "99281"}, "emergency"),
        (CODES | {"diagnosis_code_1": "F1120"}, "behavioral"),
        (CODES | {"diagnosis_code_1": "F0390"}, "outpatient"),
        (CODES | {"diagnosis_code_1": "F0390", "revenue_center_code": "0915"}, "behavioral"),
        (CODES | {"diagnosis_code_type": "icd-9-cm", "diagnosis_code_1": "29620"}, "behavioral"),
        (CODES | {"diagnosis_code_type": "icd-9-cm", "diagnosis_code_1": "2948"}, "outpatient"),
        ({"claim_type": "professional"}, "professional"),
        ({"claim_type": "professional", "place_of_service_code": "31"}, "post_acute"),
        ({"claim_type": "professional", "place_of_service_code": "23"}, "emergency"),
        ({"claim_type": "professional", "place_of_service_code": "53"}, "behavioral"),
        ({"claim_type": "professional", "hcpcs_code": "H0004"}, "behavioral"),
        ({"claim_type": "professional", "drg_code": "291"}, "professional"),
    ],
)
def test_a_line_is_the_first_service_that_it_fits(line, service):
    schema = SCHEMAS["medical_claim"]
    row = ibis.memtable([{column: line.get(column) for column in schema}], schema=schema)
    assert with_service(row).service.execute().tolist() == [service]


def test_a_service_that_the_lines_state_is_kept():
    stated = ibis.memtable([{"claim_type": "professional", "service": "inpatient"}])
    assert with_service(stated).service.execute().tolist() == ["inpatient"]


@pytest.mark.parametrize(
    ("hcpcs", "primary"), [("99201", 1), ("99215", 1), ("99216", 0), ("G0438", 1), ("G0437", 0), ("99281", 0)]
)
def test_primary_care_is_by_code(hcpcs, primary):
    assert is_primary_care(ibis.memtable([{"hcpcs_code": hcpcs}])).execute().tolist() == [bool(primary)]


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "bigquery", "databricks", "mssql", "postgres"])
def test_the_same_expressions_compile_for_warehouses(dialect):
    """From tables that a warehouse holds; nothing of this machine is in the SQL."""
    claims = Claims(**{name: ibis.table(schema, name=name) for name, schema in SCHEMAS.items()})
    for expression in (
        member_years(claims, [2025, 2026], first_month=7),
        outside(claims, [2025, 2026]),
        stays(claims),
        coverage(claims, [2026]),
    ):
        sql = ibis.to_sql(expression, dialect=dialect)
        assert "memtable" not in sql
        assert "eligibility" in sql or "medical_claim" in sql
