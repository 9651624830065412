"""Public files in their publishers' own layouts become the five tables, to the dollar and with every row told of."""

import csv
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from carecontracts import Refusal
from carecontracts.claims.adapters import medicare, synpuf
from carecontracts.claims.check import check
from carecontracts.claims.layout import Claims
from carecontracts.claims.read import read
from carecontracts.cli import main
from carecontracts.people.member_years import member_years, outside


def write(path: Path, rows: list[dict[str, object]], delimiter: str = ",") -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def by_year(claims: Claims) -> dict[tuple[str, int], dict]:
    return {(row["person_id"], row["year"]): row for row in member_years(claims).execute().to_dict("records")}


# --- DE-SynPUF, made up: CMS's file names and columns ---------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two people: A all of both years; B joins for 3 months of 2008, dies in May 2009; C has no month at all."""

    def person(who: str, months_a: int, months_b: int, death: str = "", **more: object) -> dict[str, object]:
        return {
            "DESYNPUF_ID": who, "BENE_BIRTH_DT": "19400501", "BENE_DEATH_DT": death, "BENE_SEX_IDENT_CD": "2",
            "BENE_RACE_CD": "1", "BENE_ESRD_IND": "0", "BENE_HI_CVRAGE_TOT_MONS": months_a,
            "BENE_SMI_CVRAGE_TOT_MONS": months_b, "BENE_HMO_CVRAGE_TOT_MONS": 0,
        } | more  # fmt: skip

    folder = tmp_path / "synpuf"
    folder.mkdir()
    name = "DE1_0_{}_Beneficiary_Summary_File_Sample_1.csv"
    write(folder / name.format(2008), [person("A", 12, 12), person("B", 0, 3, BENE_RACE_CD="2"), person("C", 0, 0)])
    again = person("B", 5, 5, "20090501", BENE_BIRTH_DT="19600615", BENE_ESRD_IND="Y", BENE_RACE_CD="2")
    write(folder / name.format(2009), [person("A", 12, 12), again, person("C", 0, 0)])
    write(
        folder / "DE1_0_2008_to_2010_Inpatient_Claims_Sample_1.csv",
        [
            {
                "DESYNPUF_ID": "A", "CLM_ID": "1001", "SEGMENT": 1, "CLM_FROM_DT": "20081230",
                "CLM_THRU_DT": "20090103", "CLM_PMT_AMT": "4000.00", "AT_PHYSN_NPI": "1234567890",
                "CLM_ADMSN_DT": "20081230", "NCH_BENE_DSCHRG_DT": "20090103", "CLM_PASS_THRU_PER_DIEM_AMT": "10",
                "NCH_BENE_IP_DDCTBL_AMT": "1024", "CLM_UTLZTN_DAY_CNT": "4", "CLM_DRG_CD": "217",
                "ICD9_DGNS_CD_1": "41401", "ICD9_DGNS_CD_2": "4019", "ICD9_PRCDR_CD_1": "3722",
            }
        ],
    )  # fmt: skip
    outpatient = {"DESYNPUF_ID": "A", "SEGMENT": 1, "CLM_FROM_DT": "20080301", "CLM_THRU_DT": "20080301"}
    write(
        folder / "DE1_0_2008_to_2010_Outpatient_Claims_Sample_1.csv",
        [
            # A laboratory test, then the visit: the claim is an emergency visit, its payment counted once.
            outpatient | {"CLM_ID": "2001", "CLM_PMT_AMT": "300", "NCH_BENE_PTB_DDCTBL_AMT": "50",
                          "HCPCS_CD_1": "80053", "HCPCS_CD_2": "99283", "HCPCS_CD_3": "85025",
                          "ICD9_DGNS_CD_1": "7866"},
            outpatient | {"CLM_ID": "2002", "CLM_PMT_AMT": "70", "HCPCS_CD_1": "", "ICD9_DGNS_CD_1": "29620"},
        ],
    )  # fmt: skip
    write(
        folder / "DE1_0_2008_to_2010_Carrier_Claims_Sample_1A.csv",
        [
            {
                "DESYNPUF_ID": "B", "CLM_ID": "3001", "CLM_FROM_DT": "20090110", "CLM_THRU_DT": "20090110",
                "ICD9_DGNS_CD_1": "25000", "HCPCS_CD_1": "99213", "HCPCS_CD_2": "", "HCPCS_CD_3": "36415",
                "PRF_PHYSN_NPI_1": "1111111111", "TAX_NUM_1": "222222222",
                "LINE_NCH_PMT_AMT_1": "60", "LINE_NCH_PMT_AMT_2": "0", "LINE_NCH_PMT_AMT_3": "9",
                "LINE_ALOWD_CHRG_AMT_1": "80", "LINE_ALOWD_CHRG_AMT_2": "0", "LINE_ALOWD_CHRG_AMT_3": "12",
                "LINE_PRCSG_IND_CD_1": "A", "LINE_PRCSG_IND_CD_2": "", "LINE_PRCSG_IND_CD_3": "N",
                "LINE_ICD9_DGNS_CD_1": "4011", "LINE_ICD9_DGNS_CD_2": "", "LINE_ICD9_DGNS_CD_3": "",
            }
        ],
    )  # fmt: skip
    write(
        folder / "DE1_0_2008_to_2010_Prescription_Drug_Events_Sample_1.csv",
        [
            {"DESYNPUF_ID": "A", "PDE_ID": "4001", "SRVC_DT": "20080707", "PROD_SRVC_ID": "00093101301",
             "QTY_DSPNSD_NUM": "30.000", "DAYS_SUPLY_NUM": "30", "PTNT_PAY_AMT": "10", "TOT_RX_CST_AMT": "40"},
            {"DESYNPUF_ID": "C", "PDE_ID": "4002", "SRVC_DT": "20080808", "PROD_SRVC_ID": "00093101301",
             "QTY_DSPNSD_NUM": "30.000", "DAYS_SUPLY_NUM": "30", "PTNT_PAY_AMT": "50", "TOT_RX_CST_AMT": "40"},
        ],
    )  # fmt: skip
    return folder


def test_synpuf_by_hand(small):
    imported = synpuf.adapt(small)
    rows = by_year(imported.claims)
    assert {key: row["months"] for key, row in rows.items()} == {
        ("A", 2008): 12, ("A", 2009): 12, ("B", 2008): 3, ("B", 2009): 5,
    }  # fmt: skip
    # Inpatient 4,000 + 10 x 4 days; outpatient 300 of an emergency visit and 70 behavioral; drugs 40 - 10.
    year = rows["A", 2008]
    assert (year["inpatient_paid"], year["admissions"], year["inpatient_days"]) == (4040, 1, 4)
    assert (year["emergency_paid"], year["emergency_visits"], year["behavioral_paid"]) == (300, 1, 70)
    assert (year["pharmacy_paid"], year["paid"]) == (30, 4040 + 300 + 70 + 30)
    assert year["allowed"] == (4040 + 1024) + (300 + 50) + 70 + 40
    # B: one line of 60; the line that Medicare did not allow (N) stays, with nothing.
    year = rows["B", 2009]
    assert (year["paid"], year["allowed"], year["primary_care_visits"], year["died"]) == (60, 80, 1, 1)
    assert (rows["B", 2008]["died"], year["age"], year["race"]) == (0, 49, "black or african american")


def test_a_carrier_line_that_does_not_say_how_it_was_processed_is_paid_as_it_says(small):
    path = small / "DE1_0_2008_to_2010_Carrier_Claims_Sample_1A.csv"
    with path.open(encoding="utf-8", newline="") as file:
        (claim,) = csv.DictReader(file)
    signs = [{"LINE_PRCSG_IND_CD_1": sign, "CLM_ID": f"30{n}"} for n, sign in enumerate(["", "A", "R", "S", "D"])]
    write(path, [claim | sign for sign in signs])
    # Four lines of $60 count: the sign is missing, or says allowed. D, and N on the third line of each, are nothing.
    year = by_year(synpuf.adapt(small).claims)["B", 2009]
    assert (year["paid"], year["allowed"]) == (4 * 60, 4 * 80)


def test_synpuf_spans_follow_the_neighboring_years(small):
    spans = synpuf.adapt(small).claims.eligibility
    joined, died = spans.filter(spans.person_id == "B").order_by("enrollment_start_date").to_pyarrow().to_pylist()
    # Three months with some the year after: the last three. Five months with some the year before: the first five.
    assert (joined["enrollment_start_date"], joined["enrollment_end_date"]) == (date(2008, 10, 1), date(2008, 12, 31))
    assert (died["enrollment_start_date"], died["enrollment_end_date"]) == (date(2009, 1, 1), date(2009, 5, 31))
    assert (joined["medicare_status_code"], died["medicare_status_code"]) == ("10", "21")


def test_synpuf_lines_and_what_became_of_the_rows(small):
    imported = synpuf.adapt(small)
    assert [(r.file, r.rows, r.became) for r in imported.read] == [
        ("beneficiary", 6, 4), ("inpatient", 1, 1), ("outpatient", 2, 4), ("carrier", 1, 2), ("drugs", 2, 2),
    ]  # fmt: skip
    assert "2 had no month" in imported.read[0].why
    lines = imported.claims.medical_claim.execute()
    visit = lines[lines["claim_id"] == "2001"].sort_values("claim_line_number")
    assert visit["hcpcs_code"].tolist() == ["99283", "80053", "85025"]
    assert visit["paid_amount"].tolist() == [300, 0, 0]
    office = lines[lines["claim_id"] == "3001"].sort_values("claim_line_number")
    assert office["claim_line_number"].tolist() == [1, 3]
    assert office["diagnosis_code_1"].tolist() == ["4011", "25000"]
    # C had no month of coverage: C's drugs, no less than nothing, are told of, not lost.
    assert imported.tables["pharmacy_claim"].filter(lambda t: t.person_id == "C").paid_amount.execute().tolist() == [0]
    assert [(taken.table, taken.why, taken.rows, taken.paid) for taken in imported.claims.taken] == [
        ("pharmacy_claim", "stranger", 1, 0),
    ]


@pytest.mark.parametrize("kind", ["Inpatient", "Outpatient", "Carrier"])
def test_a_file_of_none_of_the_columns_is_refused_with_all_that_it_lacks(small, kind):
    (path,) = small.glob(f"*_{kind}_*.csv")
    path.write_text("DESYNPUF_ID,CLM_I\nA,1\n")
    (drugs,) = small.glob("*_Drug_*.csv")
    drugs.write_text(drugs.read_text().replace("20080808", "soon"))
    with pytest.raises(Refusal) as caught:
        synpuf.adapt(small)
    told = {Path(fault.where).name for fault in caught.value.faults}
    needed = [names[0].upper() for names in synpuf.KINDS[kind.lower()].needed[1:]]
    assert told == {f"{path.name}, column {column}" for column in needed} | {f"{drugs.name}, column SRVC_DT"}


@pytest.mark.parametrize(("old", "new"), [("20080110", "epoch"), (",60,", ",6_0,"), ("20080110", "08-01-10")])
def test_synpuf_reads_no_day_or_number_that_is_not_written(small, old, new):
    (path,) = small.glob("*_Carrier_*.csv")
    path.write_text(path.read_text().replace("20090110", "20080110").replace(old, new))
    with pytest.raises(Refusal) as caught:
        synpuf.adapt(small)
    assert {fault.given.split(" and ")[0] for fault in caught.value.faults} == {repr(new.strip(","))}


def test_synpuf_files_of_a_kind_are_read_by_name_whatever_their_order(small):
    (path,) = small.glob("*_Carrier_*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        (claim,) = csv.DictReader(file)
    write(path.with_name(path.name.replace("1A", "1B")), [dict(reversed((claim | {"CLM_ID": "3002"}).items()))])
    lines = synpuf.adapt(small).claims.medical_claim.execute()
    both = lines[lines.claim_id.isin(["3001", "3002"]) & (lines.claim_line_number == 1)]
    assert both.person_id.tolist() == ["B", "B"]
    assert (both.paid_amount.tolist(), both.allowed_amount.tolist()) == ([60, 60], [80, 80])


def test_synpuf_says_who_is_given_twice_and_whose_years_are_nobodys(small, tmp_path, run):
    year = small / "DE1_0_2009_Beneficiary_Summary_File_Sample_1.csv"
    year.rename(small / "DE1_0_2010_Beneficiary_Summary_File_Sample_1.csv")
    first = small / "DE1_0_2008_Beneficiary_Summary_File_Sample_1.csv"
    first.write_text(first.read_text() + first.read_text().splitlines()[1] + "\n")
    code, _, err = run("claims", "import", "synpuf", small, tmp_path / "out")
    assert code == 0
    assert "2008: 1 person has more than one row of the year (2 rows): their months count once." in err
    assert "2009: no beneficiary is given, so that medical_claim of it (2 lines, $60.00) is nobody's." in err


def test_a_cell_that_is_no_date_is_refused_by_name(small):
    path = small / "DE1_0_2008_to_2010_Prescription_Drug_Events_Sample_1.csv"
    path.write_text(path.read_text().replace("20080808", "20081341"))
    with pytest.raises(Refusal, match="20081341"):
        synpuf.adapt(small)


def test_files_that_are_not_there_are_refused_together(tmp_path):
    (tmp_path / "notes.csv").write_text("a\n1\n")
    with pytest.raises(Refusal) as refused:
        synpuf.adapt(tmp_path)
    assert [fault.given for fault in refused.value.faults] == [
        "no file of beneficiary", "no file of inpatient", "no file of outpatient", "no file of carrier",
    ]  # fmt: skip
    with pytest.raises(Refusal, match="no such folder"):
        medicare.adapt(tmp_path / "none")


# --- DE-SynPUF, CMS's own 500 people --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def imported(sample: Path) -> synpuf.Imported:
    return synpuf.adapt(sample)


def test_the_sample_has_the_rows_that_are_known_of_it(imported):
    rows = {read.file: read.rows for read in imported.read}
    assert rows == {"beneficiary": 998, "inpatient": 225, "outpatient": 2_827, "carrier": 16_677, "drugs": 17_443}
    lines = imported.tables["medical_claim"]
    claims = lines.group_by("claim_type").agg(n=lines.claim_id.nunique()).execute().set_index("claim_type")["n"]
    assert claims.to_dict() == {"institutional": 225 + 2_827, "professional": 16_677}


def test_the_sample_has_500_people_498_of_them_in_both_years(sample):
    years = f"select desynpuf_id, count(*) as years from '{sample}/claimsdb_bene.parquet' group by all"
    assert duckdb.sql(f"select count(*), count(*) filter (years = 2) from ({years})").fetchall() == [(500, 498)]


def test_the_sample_reproduces_the_yearly_totals_that_cms_gives(sample, imported):
    """MEDREIMB_IP and MEDREIMB_OP of the beneficiary file, by person and year: CMS's own sums over more digits.

    147 of 150 inpatient years and 572 of 585 outpatient years are equal to the dollar. The carrier's are not all there:
    this sample has a claim's lines 1 to 5 of 13; where they agree, they do so only with the lines that were not allowed
    left at nothing (425 of 759, against 176 with them).
    """
    lines = imported.tables["medical_claim"]
    lines = lines.mutate(kind=lines.bill_type_code.fill_null("carrier"), year=lines.claim_start_date.year())
    sums = lines.group_by("person_id", "year", "kind").agg(paid=lines.paid_amount.sum()).to_pyarrow()
    published_totals = duckdb.sql(f"""
        unpivot (select desynpuf_id as person_id, bene_year as year, medreimb_ip as "111", medreimb_op as "131",
                 medreimb_car as carrier from '{sample}/claimsdb_bene.parquet')
        on "111", "131", carrier into name kind value total""")
    assert published_totals
    equal = duckdb.sql("""
        select kind, count(*), count(*) filter (abs(paid - total) < 0.005)
        from sums join published_totals using (person_id, year, kind) group by kind order by kind""").fetchall()
    assert sums.num_rows > 1_000
    assert equal == [("111", 150, 147), ("131", 585, 572), ("carrier", 759, 425)]


def test_every_dollar_of_the_sample_is_in_a_member_year_or_outside(imported):
    inside, beyond = member_years(imported.claims).execute(), outside(imported.claims).execute()
    claims = imported.claims
    total = claims.medical_claim.paid_amount.sum().execute() + claims.pharmacy_claim.paid_amount.sum().execute()
    assert inside["paid"].sum() + beyond["paid"].sum() == pytest.approx(total, abs=0.005)
    # 998 beneficiary-years less 63 without a month of Part A or B, which are told of.
    assert len(inside) == 998 - 63
    assert inside["months"].between(1, 12).all()
    assert inside["admissions"].sum() <= 225


def test_the_sample_goes_from_raw_files_to_checked_tables_on_the_command_line(sample, tmp_path, monkeypatch, capsys):
    def run(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["carecontracts", "claims", *map(str, words)])
        try:
            main()
        except SystemExit as done:
            return int(done.code or 0)
        return 0

    assert run("import", "synpuf", sample, tmp_path / "claims") == 0
    assert "63 had no month of Part A or Part B" in capsys.readouterr().out
    # 12 outpatient claims are below zero in the file itself, and 2 people have claims but no coverage.
    assert run("check", tmp_path / "claims") == 2
    report = check(tmp_path / "claims", today=date(2026, 11, 1))
    faults = {(f.table, f.column, f.rule): f.found for f in report.faults}
    assert faults["medical_claim", "paid_amount", "negative amount"] == 12
    assert {rule for _, _, rule in faults} == {"negative amount", "a member who is not in eligibility"}
    again = member_years(read(tmp_path / "claims")).execute()
    assert len(again) == 935


# --- Medicare's own columns, made up ----------------------------------------------------------------------------


@pytest.fixture
def rif(tmp_path: Path) -> Path:
    """One person, fee for service until June 2019, then Medicare Advantage; dual from October; an ICD-10 stay."""
    folder = tmp_path / "rif"
    folder.mkdir()
    person: dict[str, object] = {
        "BENE_ID": "-1", "BENE_BIRTH_DT": "17-Jan-1942", "BENE_SEX_IDENT_CD": "1", "BENE_RACE_CD": "4",
        "BENE_ENTLMT_RSN_ORIG": "0", "DEATH_DT": "", "RFRNC_YR": "2019",
    }  # fmt: skip
    short = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEPT", "OCT", "NOV", "DEC"]
    for n, name in enumerate(short, 1):
        person |= {
            f"MDCR_ENTLMT_BUYIN_{n}_IND": "3" if n <= 11 else "0",
            f"HMO_{n}_IND": "0" if n <= 6 else "C",
            f"META_DUAL_ELGBL_STUS_{name}_CD": "02" if n >= 10 else "NA",
            f"MDCR_STUS_{name}_CD": "10",
        }
    write(folder / "beneficiary_2019.csv", [person], "|")
    write(folder / "beneficiary_history.csv", [{"BENE_ID": "-1", "SOMETHING": "else"}], "|")
    claim = {
        "BENE_ID": "-1", "FINAL_ACTION": "F", "CLM_FROM_DT": "19-Mar-2019", "CLM_THRU_DT": "24-Mar-2019",
        "NCH_WKLY_PROC_DT": "29-Mar-2019", "PRNCPAL_DGNS_VRSN_CD": "0", "ICD_DGNS_VRSN_CD1": "0",
    }  # fmt: skip
    stay = claim | {
        "CLM_ID": "-100", "CLM_FAC_TYPE_CD": "1", "CLM_SRVC_CLSFCTN_TYPE_CD": "1", "CLM_FREQ_CD": "1",
        "CLM_PMT_AMT": "9000.50", "CLM_PASS_THRU_PER_DIEM_AMT": "10", "CLM_UTLZTN_DAY_CNT": "5",
        "NCH_BENE_IP_DDCTBL_AMT": "1364", "NCH_BENE_PTA_COINSRNC_LBLTY_AM": "0", "CLM_ADMSN_DT": "19-Mar-2019",
        "NCH_BENE_DSCHRG_DT": "24-Mar-2019", "CLM_DRG_CD": "65", "PTNT_DSCHRG_STUS_CD": "1",
        "ORG_NPI_NUM": "8886687531",
        "PRNCPAL_DGNS_CD": "I639", "ICD_DGNS_CD1": "I639", "ICD_DGNS_CD2": "I10", "REV_CNTR": "0120",
    }  # fmt: skip
    write(
        folder / "inpatient.csv",
        [
            # the payment of each line is in the claim's already
            stay | {"CLM_LINE_NUM": 1, "REV_CNTR_PMT_AMT_AMT": "5000.50"},
            stay | {"CLM_LINE_NUM": 2, "REV_CNTR_PMT_AMT_AMT": "4000", "REV_CNTR": "0450"},
            stay | {"CLM_LINE_NUM": 1, "CLM_ID": "-99", "FINAL_ACTION": "N"},
        ],
        "|",
    )
    home = claim | {
        "CLM_ID": "-200", "CLM_FAC_TYPE_CD": "3", "CLM_SRVC_CLSFCTN_TYPE_CD": "2", "CLM_FREQ_CD": "9",
        "CLM_PMT_AMT": "1500",
        "CLM_LINE_NUM": 1, "REV_CNTR": "0551", "REV_CNTR_DT": "21-Mar-2019", "PRNCPAL_DGNS_CD": "I639",
    }  # fmt: skip
    write(folder / "hha.csv", [home], "|")
    line = claim | {
        "CLM_ID": "-300", "LINE_NUM": 1, "HCPCS_CD": "99214", "LINE_PLACE_OF_SRVC_CD": "11",
        "LINE_NCH_PMT_AMT": "104.25",
        "LINE_ALOWD_CHRG_AMT": "130.31", "LINE_SBMTD_CHRG_AMT": "250", "LINE_1ST_EXPNS_DT": "19-Mar-2019",
        "LINE_LAST_EXPNS_DT": "19-Mar-2019", "PRF_PHYSN_NPI": "9999310391", "TAX_NUM": "999145882",
        "LINE_ICD_DGNS_CD": "E1122", "ICD_DGNS_CD1": "I10",
    }  # fmt: skip
    write(folder / "carrier.csv", [line, line | {"LINE_NUM": 2, "HCPCS_CD": "80053", "LINE_NCH_PMT_AMT": "10"}], "|")
    drug = {
        "PDE_ID": "-400", "FINAL_ACTION": "F", "BENE_ID": "-1", "SRVC_DT": "01-Apr-2019", "PD_DT": "05-Apr-2019",
        "PRSCRBR_ID_QLFYR_CD": "01", "PRSCRBR_ID": "9999928309", "SRVC_PRVDR_ID": "PCP1", "PROD_SRVC_ID": "50090443201",
        "QTY_DSPNSD_NUM": "90", "DAYS_SUPLY_NUM": "90", "FILL_NUM": "1", "PTNT_PAY_AMT": "40", "OTHR_TROOP_AMT": "5",
        "PLRO_AMT": "1", "TOT_RX_CST_AMT": "100",
    }  # fmt: skip
    write(folder / "pde.csv", [drug], "|")
    return folder


def test_medicare_by_hand(rif):
    imported = medicare.adapt(rif)
    assert [(r.file, r.rows, r.became) for r in imported.read] == [
        ("beneficiary", 1, 3), ("inpatient", 3, 2), ("hha", 1, 1), ("carrier", 2, 2), ("pde", 1, 1),
        ("beneficiary_history.csv", 0, 0),
    ]  # fmt: skip
    assert imported.read[1].why == "1 of claims that are not the final action"
    ((_, year),) = by_year(imported.claims).items()
    assert (year["months"], year["dual"], year["age"], year["gender"], year["race"]) == (11, 1, 77, "male", "asian")
    # The stay's payment once, on its first line: 9,000.50 + 10 x 5. An emergency room on its bill is no visit.
    assert (year["inpatient_paid"], year["admissions"], year["inpatient_days"]) == (9050.50, 1, 5)
    assert (year["emergency_visits"], year["post_acute_paid"]) == (0, 1500)
    assert (year["professional_paid"], year["primary_care_visits"]) == (114.25, 1)
    assert year["pharmacy_paid"] == 100 - 40 - 5 - 1
    assert year["allowed"] == pytest.approx((9050.50 + 1364) + 1500 + 2 * 130.31 + 100)


def test_medicare_spans_and_codes(rif):
    imported = medicare.adapt(rif)
    spans = imported.claims.eligibility.order_by("enrollment_start_date")
    shown = ["enrollment_start_date", "enrollment_end_date", "plan", "dual_status_code"]
    assert [list(row.values()) for row in spans.select(*shown).to_pyarrow().to_pylist()] == [
        [date(2019, 1, 1), date(2019, 6, 30), "fee for service", None],
        [date(2019, 7, 1), date(2019, 9, 30), "medicare advantage", None],
        [date(2019, 10, 1), date(2019, 11, 30), "medicare advantage", "02"],
    ]
    lines = imported.claims.medical_claim.order_by("claim_id", "claim_line_number").execute()
    stay = lines[lines["claim_id"] == "-100"].to_dict("records")[0]
    codes = ("bill_type_code", "drg_code", "discharge_disposition_code", "diagnosis_code_1", "diagnosis_code_2")
    assert [stay[code] for code in codes] == ["111", "065", "01", "I639", "I10"]
    assert stay["diagnosis_code_type"] == "icd-10-cm"
    office = lines[lines["claim_id"] == "-300"].to_dict("records")[0]
    assert (office["diagnosis_code_1"], office["place_of_service_code"]) == ("E1122", "11")
    assert imported.claims.pharmacy_claim.prescribing_provider_npi.execute().tolist() == ["9999928309"]


def test_imported_tables_are_what_read_takes_and_are_clean(rif, tmp_path):
    medicare.adapt(rif).write(tmp_path / "out")
    report = check(tmp_path / "out", today=date(2026, 11, 1))
    assert report.faults == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "eligibility.parquet", "medical_claim.parquet", "pharmacy_claim.parquet",
    ]  # fmt: skip
    with pytest.raises(FileExistsError):  # the command refuses such a folder before it reads
        medicare.adapt(rif).write(tmp_path / "out")


@pytest.mark.parametrize(("says", "rows"), [("F", 2), ("", 2), ("N", 1)])
def test_a_claim_counts_that_does_not_say_that_it_is_not_final(rif, says, rows):
    with (rif / "carrier.csv").open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file, delimiter="|")
    write(rif / "carrier.csv", [first, second | {"FINAL_ACTION": says}], "|")
    (carrier,) = (read for read in medicare.adapt(rif).read if read.file == "carrier")
    assert (carrier.rows, carrier.became) == (2, rows)


def test_an_import_says_who_is_given_twice_and_whose_years_are_nobodys(rif, tmp_path, run):
    """The file of 2018 holds the rows of 2019 again; the year of the line of 2018 is then nobody's."""
    (rif / "beneficiary_2018.csv").write_text((rif / "beneficiary_2019.csv").read_text())
    carrier = rif / "carrier.csv"
    carrier.write_text(carrier.read_text().replace("19-Mar-2019|24-Mar-2019", "19-Mar-2018|24-Mar-2018", 1))
    code, _, err = run("claims", "import", "medicare", rif, tmp_path / "out")
    assert code == 0
    assert "beneficiary_2018.csv: its rows are of 2019, whatever its name says." in err
    assert "2019: 1 person has more than one row of the year (2 rows): their months count once." in err
    assert "2018: no beneficiary is given, so that medical_claim of it (1 line, $104.25) is nobody's." in err


def test_a_drug_costs_what_the_plan_paid_where_the_file_has_it(rif):
    """Covered 70 and not covered 5 are the plan's; without them 100 less 40, 5 and 1."""
    assert medicare.adapt(rif).claims.pharmacy_claim.paid_amount.execute().tolist() == [54]
    head, row = (rif / "pde.csv").read_text().splitlines()
    (rif / "pde.csv").write_text(f"{head}|CVRD_D_PLAN_PD_AMT|NCVRD_PLAN_PD_AMT\n{row}|70|5\n")
    assert medicare.adapt(rif).claims.pharmacy_claim.paid_amount.execute().tolist() == [75]


def test_a_missing_column_does_not_hide_a_cell_that_is_no_date(rif):
    for name, old, new in (("pde.csv", "01-Apr-2019", "April 1"), ("hha.csv", "CLM_PMT_AMT", "CLM_PAID")):
        (rif / name).write_text((rif / name).read_text().replace(old, new))
    with pytest.raises(Refusal) as caught:
        medicare.adapt(rif)
    assert [Path(fault.where).name for fault in caught.value.faults] == [
        "hha.csv, column CLM_PMT_AMT", "pde.csv, column SRVC_DT",
    ]  # fmt: skip
