"""DE-SynPUF, Medicare's synthetic public-use claims of 2008 to 2010, as the five tables.

Takes CMS's own CSV files (DE1_0_2008_Beneficiary_Summary_File_Sample_1.csv and so on), or the same columns in Parquet.

How it reads them, where the files leave a choice:

- coverage: the files give months of Part A and Part B by year, not which. The larger is a span: of the year's first
  months, or of its last ones for someone who had none the year before and has some the year after. Someone without a
  month in either part has no span, and is told of.
- inpatient: paid is CLM_PMT_AMT and the daily pass-through amount for each covered day, as CMS's yearly totals
  (MEDREIMB_IP) have it. Allowed adds the deductible, the coinsurance and other payers' payments.
- outpatient: the claim's payment is on its first line, with a visit to the emergency department first if it has one;
  its other procedures are lines without an amount. Lines of claims with such a visit carry revenue center 0450.
- carrier: a line each of LINE 1 to 13 that has a procedure or an amount. Lines that Medicare did not allow
  (LINE_PRCSG_IND_CD other than A, R or S) are kept with nothing paid and nothing allowed, as MEDREIMB_CAR has it.
- drugs: paid is the total cost less what the patient paid, and no less than nothing: the files' noise lets a patient
  pay more than the total.
- bill types are not in the files: 111 and 131 stand for them. Places of service and paid dates are not there either.

Source: CMS, DE-SynPUF user manual and codebook.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from ...refusal import Fault, Refusal
from ..layout import MOST_CODES
from .source import (
    GENDERS,
    RACES,
    Columns,
    Files,
    Imported,
    Kind,
    Read,
    count,
    given_twice,
    mapped,
    of_nobodys_years,
    row_of,
)

_CLAIM = (("desynpuf_id",), ("clm_id",), ("clm_from_dt",))
KINDS = {
    "beneficiary": Kind(
        r"beneficiary_summary|_bene\b|_bene\.",
        (("desynpuf_id",), ("bene_birth_dt",), ("bene_hi_cvrage_tot_mons",), ("bene_smi_cvrage_tot_mons",)),
    ),
    "inpatient": Kind(r"inpatient", (*_CLAIM, ("clm_pmt_amt",))),
    "outpatient": Kind(r"outpatient", (*_CLAIM, ("clm_pmt_amt",), ("hcpcs_cd_1",))),
    "carrier": Kind(r"carrier", (*_CLAIM, ("line_nch_pmt_amt_1",), ("line_alowd_chrg_amt_1",))),
    "drugs": Kind(
        r"prescription_drug|pde",
        (("desynpuf_id",), ("pde_id",), ("srvc_dt",), ("tot_rx_cst_amt",), ("ptnt_pay_amt",)),
    ),
}
ALLOWED = ("A", "R", "S")
VISIT = ("99281", "99285")  # the emergency department's


def adapt(folder: Path, on_step: Callable[[str], None] | None = None) -> Imported:
    """The five tables from a folder of DE-SynPUF files, and what became of each file's rows.

    Raises: Refusal without a beneficiary file or any claims, or with a cell that is no date or number.
    """
    step = on_step or (lambda _: None)
    files = Files(folder, KINDS)
    files.refuse_without("beneficiary", "inpatient", "outpatient", "carrier")
    log, tables = [], {}
    step("Beneficiaries")
    people = _people(files)
    tables["eligibility"] = files.stored("eligibility", [_eligibility(people)])
    without = count(people.filter(people.months == 0))
    why = f"{without:,} had no month of Part A or Part B" if without else "one span for each"
    log.append(Read("beneficiary", count(people), "eligibility", count(tables["eligibility"]), why))
    parts = []
    for kind, lines_of, why in (
        ("inpatient", _inpatient, "one line for each claim segment"),
        ("outpatient", _outpatient, "a line for each procedure, the payment on the first"),
        ("carrier", _carrier, "a line for each of a claim's lines that has a procedure or an amount"),
    ):
        step(kind.capitalize())
        given = files.table(kind)
        assert given is not None
        lines = files.stored(kind, lines_of(files.columns(given, files.place(kind))))
        log.append(Read(kind, count(given), "medical_claim", count(lines), why))
        parts.append(lines)
    tables["medical_claim"] = ibis.union(*parts)
    drugs = files.table("drugs")
    if drugs is not None:
        step("Drugs")
        tables["pharmacy_claim"] = files.stored("pharmacy_claim", [_drugs(files.columns(drugs, files.place("drugs")))])
        became = count(tables["pharmacy_claim"])
        log.append(Read("drugs", count(drugs), "pharmacy_claim", became, "one line for each event"))
    files.refuse()
    return Imported(tables, (*log, *files.not_read()), (*given_twice(people), *of_nobodys_years(people, tables)))


def _people(files: Files) -> ir.Table:
    """A row for each beneficiary and year, with the months of Part A or B; CMS's files say the year in their name."""
    parts = []
    for n, path in enumerate(files.found["beneficiary"]):
        table = files.table("beneficiary", [path], f"given_beneficiary_{n}")
        assert table is not None
        of = files.columns(table, str(path))
        year = of.number("bene_year") if "bene_year" in table.columns else _year_in(path)
        birth, esrd = of.day("bene_birth_dt"), of.text("bene_esrd_ind") == "Y"
        rows = table.select(
            person_id=of.text("desynpuf_id"),
            year=ibis.literal(year).cast("int64") if isinstance(year, int) else year.cast("int64"),
            birth_date=birth,
            death_date=of.day("bene_death_dt"),
            gender=mapped(of.text("bene_sex_ident_cd"), GENDERS),
            race=mapped(of.text("bene_race_cd"), RACES),
            esrd=esrd,
            months=ibis.greatest(of.number("bene_hi_cvrage_tot_mons"), of.number("bene_smi_cvrage_tot_mons")).cast(
                "int64"
            ),
            hmo=of.number("bene_hmo_cvrage_tot_mons"),
        )
        parts.append(rows)
    return files.stored("people", parts)


def _year_in(path: Path) -> int:
    year = path.name.lower().split("_beneficiary")[0][-4:]
    if not (year.isascii() and year.isdigit()):
        allowed = "a name with the year, as DE1_0_2008_Beneficiary_Summary_File_Sample_1.csv, or a column BENE_YEAR"
        raise Refusal([Fault(str(path), "no year", allowed, "name it as CMS does")])
    return int(year)


def _eligibility(people: ir.Table) -> ir.Table:
    in_order = ibis.window(group_by="person_id", order_by="year")
    people = people.mutate(
        before=people.months.lag().over(in_order).fill_null(0), after=people.months.lead().over(in_order).fill_null(0)
    )
    people = people.filter(people.months > 0)
    joined = (people.before == 0) & (people.after > 0)
    first = ibis.ifelse(joined, 13 - people.months, 1)
    last = ibis.ifelse(joined, 12, people.months)
    start = ibis.date(people.year, first, 1)
    next_month = ibis.date(
        ibis.ifelse(last == 12, people.year + 1, people.year), ibis.ifelse(last == 12, 1, last + 1), 1
    )
    old = people.year - people.birth_date.year() >= 65
    return row_of(
        "eligibility", people,
        person_id=people.person_id,
        member_id=people.person_id,
        gender=people.gender,
        race=people.race,
        birth_date=people.birth_date,
        death_date=people.death_date,
        death_flag=people.death_date.notnull().cast("int64"),
        enrollment_start_date=start,
        enrollment_end_date=next_month - ibis.interval(days=1),
        payer="medicare",
        payer_type="medicare",
        plan=ibis.ifelse(people.hmo > 0, "medicare advantage", "fee for service"),
        # 10 aged, 11 aged with kidney failure, 20 disabled, 21 disabled with kidney failure
        medicare_status_code=ibis.ifelse(old, "1", "2").concat(ibis.ifelse(people.esrd, "1", "0")),
        data_source="de-synpuf",
    )  # fmt: skip


def _diagnoses(of: Columns, first: ir.StringValue | None = None) -> dict[str, ir.Value]:
    codes = [of.text(f"icd9_dgns_cd_{n}") for n in of.numbered("icd9_dgns_cd_{n}")]
    codes = codes if first is None else [ibis.coalesce(first, *codes[:1]), *codes]
    named = {f"diagnosis_code_{n}": code for n, code in enumerate(codes[:MOST_CODES], 1)}
    return {"diagnosis_code_type": ibis.literal("icd-9-cm"), **named}


def _header(of: Columns, claim_type: str) -> dict[str, Any]:
    return {
        "claim_id": of.text("clm_id"),
        "claim_type": claim_type,
        "person_id": of.text("desynpuf_id"),
        "member_id": of.text("desynpuf_id"),
        "payer": "medicare",
        "plan": "fee for service",
        "claim_start_date": of.day("clm_from_dt"),
        "claim_end_date": of.day("clm_thru_dt"),
        "data_source": "de-synpuf",
    }


def _money(of: Columns, *names: str) -> ir.Value:
    return sum((of.number(name).fill_null(0) for name in names), start=ibis.literal(0.0))


def _inpatient(of: Columns) -> list[ir.Table]:
    paid = _money(of, "clm_pmt_amt") + _money(of, "clm_pass_thru_per_diem_amt") * _money(of, "clm_utlztn_day_cnt")
    others = ("nch_bene_ip_ddctbl_amt", "nch_bene_pta_coinsrnc_lblty_am", "nch_bene_blood_ddctbl_lblty_am")
    procedures = {
        f"procedure_code_{n}": of.text(f"icd9_prcdr_cd_{n}")
        for n in of.numbered("icd9_prcdr_cd_{n}")
        if n <= MOST_CODES
    }
    return [
        row_of(
            "medical_claim", of.table,
            **_header(of, "institutional"),
            claim_line_number=of.number("segment").fill_null(1),
            bill_type_code="111",
            admission_date=of.day("clm_admsn_dt"),
            discharge_date=of.day("nch_bene_dschrg_dt"),
            drg_code_type=ibis.ifelse(of.text("clm_drg_cd").notnull(), "ms-drg", ibis.null("string")),
            drg_code=of.text("clm_drg_cd"),
            service_unit_quantity=of.number("clm_utlztn_day_cnt"),
            rendering_npi=of.text("at_physn_npi"),
            paid_amount=paid,
            allowed_amount=paid + _money(of, *others, "nch_prmry_pyr_clm_pd_amt"),
            procedure_code_type="icd-9-pcs",
            **_diagnoses(of),
            **procedures,
        )
    ]  # fmt: skip


def _outpatient(of: Columns) -> list[ir.Table]:
    numbers = of.numbered("hcpcs_cd_{n}")
    codes = [of.text(f"hcpcs_cd_{n}") for n in numbers]
    visits = [ibis.ifelse(code.between(*VISIT), code, ibis.null("string")) for code in codes]
    visit = ibis.coalesce(*visits)
    paid = _money(of, "clm_pmt_amt")
    owed = ("nch_bene_ptb_ddctbl_amt", "nch_bene_ptb_coinsrnc_amt", "nch_bene_blood_ddctbl_lblty_am")
    allowed = paid + _money(of, *owed, "nch_prmry_pyr_clm_pd_amt")
    same = {
        **_header(of, "institutional"),
        "bill_type_code": "131",
        "rendering_npi": of.text("at_physn_npi"),
        "revenue_center_code": ibis.ifelse(visit.notnull(), "0450", ibis.null("string")),
        **_diagnoses(of),
    }
    first = ibis.coalesce(visit, *codes)
    segment = (of.number("segment").fill_null(1) - 1) * 100
    lines = [
        row_of(
            "medical_claim", of.table, **same, claim_line_number=segment + 1, hcpcs_code=first,
            paid_amount=paid, allowed_amount=allowed,
        )
    ]  # fmt: skip
    for n, code in zip(numbers, codes, strict=True):
        others = of.table.filter(code != first)
        number, nothing = segment + 1 + n, {"paid_amount": 0.0, "allowed_amount": 0.0}
        lines.append(row_of("medical_claim", others, **same, claim_line_number=number, hcpcs_code=code, **nothing))
    return lines


def _carrier(of: Columns) -> list[ir.Table]:
    lines = []
    for n in of.numbered("line_nch_pmt_amt_{n}"):
        given, limit = (
            of.number(f"line_nch_pmt_amt_{n}").fill_null(0),
            of.number(f"line_alowd_chrg_amt_{n}").fill_null(0),
        )
        code, sign = of.text(f"hcpcs_cd_{n}"), of.text(f"line_prcsg_ind_cd_{n}")
        counted = sign.isin(ALLOWED).fill_null(True)
        used = code.notnull() | (given != 0) | (limit != 0)
        rows = of.table if n == 1 else of.table.filter(used)  # a claim's first line stays, so that no claim is lost
        line = row_of(
            "medical_claim", rows,
            **_header(of, "professional"),
            claim_line_number=n,
            hcpcs_code=code,
            rendering_npi=of.text(f"prf_physn_npi_{n}"),
            rendering_tin=of.text(f"tax_num_{n}"),
            paid_amount=ibis.ifelse(counted, given, 0.0),
            allowed_amount=ibis.ifelse(counted, limit, 0.0),
            **_diagnoses(of, first=of.text(f"line_icd9_dgns_cd_{n}")),
        )  # fmt: skip
        lines.append(line)
    return lines


def _drugs(of: Columns) -> ir.Table:
    total, patient = of.number("tot_rx_cst_amt"), of.number("ptnt_pay_amt")
    return row_of(
        "pharmacy_claim", of.table,
        claim_id=of.text("pde_id"),
        claim_line_number=1,
        person_id=of.text("desynpuf_id"),
        member_id=of.text("desynpuf_id"),
        payer="medicare",
        plan="part d",
        dispensing_date=of.day("srvc_dt"),
        ndc_code=of.text("prod_srvc_id"),
        quantity=of.number("qty_dspnsd_num"),
        days_supply=of.number("days_suply_num"),
        paid_amount=ibis.greatest(total - patient.fill_null(0), 0.0),
        allowed_amount=total,
        copayment_amount=patient,
        data_source="de-synpuf",
    )  # fmt: skip
