"""Medicare claims with CMS's own column names, of its research files and its synthetic ones, as the five tables.

Takes a folder of files named for their kind (beneficiary_2019.csv, inpatient.csv, outpatient.csv, carrier.csv, snf.csv,
hha.csv, hospice.csv, dme.csv, pde.csv), CSV with | or commas, or Parquet; columns as in CMS's synthetic data set
(beneficiary-fhir-data, rif-synthea) and the Chronic Conditions Warehouse's codebooks.

How it reads them, where the files leave a choice:

- coverage: a month counts with an entitlement indicator (MDCR_ENTLMT_BUYIN_n_IND) for Part A or B; months that follow
  one another with the same plan and dual status are one span. A month of Medicare Advantage says so in `plan`: its
  claims are not in these files.
- institutional claims repeat the claim's payment on every line: it is on the first line here, and 0 on the others.
  Inpatient and skilled nursing add the daily pass-through amount for each covered day. Allowed adds the deductible, the
  coinsurance and other payers' payments, where the file has them.
- carrier and equipment lines have their own payment and allowed charge.
- drugs: paid is what the plan paid (CVRD_D_PLAN_PD_AMT and NCVRD_PLAN_PD_AMT); where the file does not have it, the
  total cost less what the patient and others for them paid. Allowed is the total cost.
- a claim that is not the final action (FINAL_ACTION other than F) is left out, and counted.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from ..engine import fetched
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

_PERSON = (("bene_id",),)
_CLAIM = (*_PERSON, ("clm_id",), ("clm_from_dt",))
_STAY = (*_CLAIM, ("clm_thru_dt",), ("clm_pmt_amt",))
_LINE = (*_CLAIM, ("line_num",), ("line_nch_pmt_amt",))
_ENTITLED = tuple((f"mdcr_entlmt_buyin_{n}_ind", f"mdcr_entlmt_buyin_ind_{n:02d}") for n in range(1, 13))
KINDS = {
    "beneficiary": Kind(
        r"^beneficiary(?!_history|_interim)|^bene_|mbsf",
        (*_PERSON, ("rfrnc_yr", "bene_enrollmt_ref_yr"), ("bene_birth_dt",), *_ENTITLED),
    ),
    "inpatient": Kind(r"^inpatient", _STAY),
    "outpatient": Kind(r"^outpatient", _STAY),
    "carrier": Kind(r"^carrier", _LINE),
    "snf": Kind(r"^snf", _STAY),
    "hha": Kind(r"^hha", _STAY),
    "hospice": Kind(r"^hospice", _STAY),
    "dme": Kind(r"^dme", _LINE),
    "pde": Kind(r"^pde", (*_PERSON, ("pde_id",), ("srvc_dt",), ("tot_rx_cst_amt",), ("ptnt_pay_amt",))),
}
INSTITUTIONAL = ("inpatient", "outpatient", "snf", "hha", "hospice")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sept", "oct", "nov", "dec")
COVERED = ("1", "2", "3", "A", "B", "C")  # Part A, Part B, both; with a letter, the state pays the premium
FEE_FOR_SERVICE = ("0", "4")  # no managed care, or a plan whose claims Medicare pays itself
OWED = (
    "nch_bene_ip_ddctbl_amt",
    "nch_bene_pta_coinsrnc_lblty_am",
    "nch_bene_ptb_ddctbl_amt",
    "nch_bene_ptb_coinsrnc_amt",
    "nch_bene_blood_ddctbl_lblty_am",
    "nch_prmry_pyr_clm_pd_amt",
)


def adapt(folder: Path, on_step: Callable[[str], None] | None = None) -> Imported:
    """The five tables from a folder of Medicare files, and what became of each file's rows.

    Raises: Refusal without a beneficiary file or any claims, or with a cell that is no date or number.
    """
    step = on_step or (lambda _: None)
    files = Files(folder, KINDS)
    kinds = (*INSTITUTIONAL, "carrier", "dme")
    files.refuse_without("beneficiary", *(() if any(files.found[kind] for kind in kinds) else kinds))
    log, tables, parts = [], {}, []
    step("Beneficiaries")
    tables["eligibility"], people = _eligibility(files)
    rows = count(people)
    why = "a span for months that follow one another with the same plan and dual status"
    log.append(Read("beneficiary", rows, "eligibility", count(tables["eligibility"]), why))
    for kind in (*INSTITUTIONAL, "carrier", "dme", "pde"):
        given = files.table(kind)
        if given is None:
            continue
        step(kind)
        final = _final(given)
        of = files.columns(final, files.place(kind))
        name = "pharmacy_claim" if kind == "pde" else "medical_claim"
        made = _drugs(of) if kind == "pde" else _facility(of) if kind in INSTITUTIONAL else _office(of)
        lines = files.stored(kind, [made])
        rows, kept = count(given), count(final)
        why = f"{rows - kept:,} of claims that are not the final action" if rows > kept else "a line for each row"
        log.append(Read(kind, rows, name, count(lines), why))
        if kind == "pde":
            tables[name] = lines
        else:
            parts.append(lines)
    tables["medical_claim"] = ibis.union(*parts) if len(parts) > 1 else parts[0]
    files.refuse()
    notes = (*_misnamed(people), *given_twice(people), *of_nobodys_years(people, tables))
    return Imported(tables, (*log, *files.not_read()), notes)


def _misnamed(people: ir.Table) -> Iterator[str]:
    """In words, the beneficiary files whose name has another year than their rows."""
    years = people.group_by("file").agg(first=people.year.min(), last=people.year.max()).order_by("file")
    for row in fetched(years):
        named = re.search(r"(19|20)[0-9]{2}", row["file"])
        if named and row["first"] is not None and not row["first"] <= int(named[0]) <= row["last"]:
            yield f"{row['file']}: its rows are of {row['first']}, whatever its name says."


def _final(given: ir.Table) -> ir.Table:
    if "final_action" not in given.columns:
        return given
    return given.filter(Columns(given, "").text("final_action").fill_null("F") == "F")


def _eligibility(files: Files) -> tuple[ir.Table, ir.Table]:
    """Spans of months with the same plan and dual status; and the person, year and file of each row."""
    months, people = [], []
    for n, path in enumerate(files.found["beneficiary"]):
        table = files.table("beneficiary", [path], f"given_beneficiary_{n}")
        assert table is not None
        of = files.columns(table, str(path))
        person = {
            "person_id": of.text("bene_id"),
            "gender": mapped(of.text("bene_sex_ident_cd"), GENDERS),
            "race": mapped(of.text("bene_race_cd"), RACES),
            "birth_date": of.day("bene_birth_dt"),
            "death_date": ibis.coalesce(of.day("death_dt"), of.day("bene_death_dt")),
            "reason": of.text("bene_entlmt_rsn_orig"),
            "zip_code": ibis.coalesce(of.text("bene_zip_cd"), of.text("zip_cd")),
        }
        year = ibis.coalesce(of.number("rfrnc_yr"), of.number("bene_enrollmt_ref_yr")).cast("int64")
        people.append(table.select(person_id=person["person_id"], year=year, file=ibis.literal(path.name)))
        for number, short in enumerate(MONTHS, 1):
            two = f"{number:02d}"
            entitled = _first(of, f"mdcr_entlmt_buyin_{number}_ind", f"mdcr_entlmt_buyin_ind_{two}")
            managed = _first(of, f"hmo_{number}_ind", f"hmo_ind_{two}")
            dual = _first(of, f"meta_dual_elgbl_stus_{short}_cd", f"dual_stus_cd_{two}")
            rows_of_month = table.select(
                **person,
                month=year * 12 + (number - 1),
                entitled=entitled.isin(COVERED),
                plan=ibis.ifelse(managed.fill_null("0").isin(FEE_FOR_SERVICE), "fee for service", "medicare advantage"),
                dual=dual.nullif("NA").nullif("99"),
                status=_first(of, f"mdcr_stus_{short}_cd", f"mdcr_status_code_{two}"),
            )
            months.append(rows_of_month.filter(rows_of_month.entitled.fill_null(False)).drop("entitled"))
    all_months, everyone = files.stored("months", months), files.stored("people", people)
    one = all_months.group_by("person_id", "month").agg(
        **{column: all_months[column].max() for column in all_months.columns if column not in ("person_id", "month")}
    )
    # Months in a row of the same kind share the difference between their number and their rank.
    same = ibis.window(group_by=["person_id", "plan", "dual", "status"], order_by="month")
    one = one.mutate(rank=ibis.row_number().over(same))
    one = one.mutate(run=one["month"] - one["rank"])
    spans = one.group_by("person_id", "plan", "dual", "status", "run").agg(
        first=one["month"].min(),
        last=one["month"].max(),
        **{
            column: one[column].max() for column in ("gender", "race", "birth_date", "death_date", "reason", "zip_code")
        },
    )
    after = spans["last"] + 1
    made = row_of(
        "eligibility", spans,
        person_id=spans.person_id,
        member_id=spans.person_id,
        gender=spans.gender,
        race=spans.race,
        birth_date=spans.birth_date,
        death_date=spans.death_date,
        death_flag=spans.death_date.notnull().cast("int64"),
        enrollment_start_date=ibis.date(spans["first"] // 12, spans["first"] % 12 + 1, 1),
        enrollment_end_date=ibis.date(after // 12, after % 12 + 1, 1) - ibis.interval(days=1),
        payer="medicare",
        payer_type="medicare",
        plan=spans.plan,
        original_reason_entitlement_code=spans.reason,
        dual_status_code=spans.dual,
        medicare_status_code=spans.status,
        zip_code=spans.zip_code,
        data_source="medicare",
    )  # fmt: skip
    return files.stored("eligibility", [made]), everyone


def _first(of: Columns, *names: str) -> ir.StringValue:
    """The first of the names that a file has: the layouts of different years name a column differently."""
    return next((of.text(name) for name in names if name in of.table.columns), ibis.null("string"))


def _header(of: Columns, claim_type: str) -> dict[str, Any]:
    return {
        "claim_id": of.text("clm_id"),
        "claim_type": claim_type,
        "person_id": of.text("bene_id"),
        "member_id": of.text("bene_id"),
        "payer": "medicare",
        "plan": "fee for service",
        "claim_start_date": of.day("clm_from_dt"),
        "claim_end_date": of.day("clm_thru_dt"),
        "hcpcs_code": of.text("hcpcs_cd"),
        "hcpcs_modifier_1": _first(of, "hcpcs_1st_mdfr_cd"),
        "hcpcs_modifier_2": _first(of, "hcpcs_2nd_mdfr_cd"),
        "data_source": "medicare",
    }


def _diagnoses(of: Columns, first: ir.StringValue) -> dict[str, ir.Value]:
    version = ibis.coalesce(of.text("prncpal_dgns_vrsn_cd"), of.text("icd_dgns_vrsn_cd1"))
    ninth = ibis.ifelse(version.isnull(), of.day("clm_thru_dt") < ibis.date("2015-10-01"), version == "9")
    rest = [of.text(f"icd_dgns_cd{n}") for n in of.numbered("icd_dgns_cd{n}")]
    codes = [ibis.coalesce(first, *rest[:1]), *rest[1:]]
    return {
        "diagnosis_code_type": ibis.ifelse(ninth, "icd-9-cm", "icd-10-cm"),
        **{f"diagnosis_code_{n}": code for n, code in enumerate(codes[:MOST_CODES], 1)},
    }


def _facility(of: Columns) -> ir.Table:
    """A line for each revenue center; the claim's money on its first."""
    line = ibis.coalesce(of.number("clm_line_num"), ibis.literal(1.0))
    first = ibis.row_number().over(ibis.window(group_by=of.text("clm_id"), order_by=line)) == 0

    def zero(name: str) -> ir.FloatingValue:
        return of.number(name).fill_null(0)

    paid = zero("clm_pmt_amt") + zero("clm_pass_thru_per_diem_amt") * zero("clm_utlztn_day_cnt")
    allowed = sum((zero(name) for name in OWED), start=paid)
    kind = [of.text(name) for name in ("clm_fac_type_cd", "clm_srvc_clsfctn_type_cd", "clm_freq_cd")]
    drg = of.text("clm_drg_cd")
    procedures = {
        f"procedure_code_{n}": of.text(f"icd_prcdr_cd{n}") for n in of.numbered("icd_prcdr_cd{n}") if n <= MOST_CODES
    }
    return row_of(
        "medical_claim", of.table,
        **_header(of, "institutional"),
        claim_line_number=line,
        claim_line_start_date=of.day("rev_cntr_dt"),
        claim_line_end_date=of.day("rev_cntr_dt"),
        admission_date=of.day("clm_admsn_dt"),
        discharge_date=of.day("nch_bene_dschrg_dt"),
        admit_source_code=of.text("clm_src_ip_admsn_cd"),
        admit_type_code=of.text("clm_ip_admsn_type_cd"),
        discharge_disposition_code=of.text("ptnt_dschrg_stus_cd").lpad(2, "0"),
        bill_type_code=kind[0].concat(kind[1], kind[2]),
        drg_code_type=ibis.ifelse(drg.notnull(), "ms-drg", ibis.null("string")),
        drg_code=drg.lpad(3, "0"),
        revenue_center_code=of.text("rev_cntr").lpad(4, "0"),
        service_unit_quantity=of.number("rev_cntr_unit_cnt"),
        rendering_npi=ibis.coalesce(of.text("rndrng_physn_npi"), of.text("at_physn_npi")),
        billing_npi=of.text("org_npi_num"),
        facility_npi=of.text("org_npi_num"),
        paid_date=of.day("nch_wkly_proc_dt"),
        paid_amount=ibis.ifelse(first, paid, 0.0),
        allowed_amount=ibis.ifelse(first, allowed, 0.0),
        charge_amount=of.number("rev_cntr_tot_chrg_amt"),
        **_diagnoses(of, of.text("prncpal_dgns_cd")),
        **procedures,
    )  # fmt: skip


def _office(of: Columns) -> ir.Table:
    """Carrier and equipment lines, each with its own payment."""
    return row_of(
        "medical_claim", of.table,
        **_header(of, "professional"),
        claim_line_number=of.number("line_num"),
        claim_line_start_date=of.day("line_1st_expns_dt"),
        claim_line_end_date=of.day("line_last_expns_dt"),
        place_of_service_code=of.text("line_place_of_srvc_cd").lpad(2, "0"),
        service_unit_quantity=of.number("line_srvc_cnt"),
        rendering_npi=_first(of, "prf_physn_npi", "prvdr_npi"),
        rendering_tin=of.text("tax_num"),
        billing_npi=_first(of, "carr_clm_blg_npi_num", "org_npi_num"),
        paid_date=of.day("nch_wkly_proc_dt"),
        paid_amount=of.number("line_nch_pmt_amt"),
        allowed_amount=of.number("line_alowd_chrg_amt"),
        charge_amount=of.number("line_sbmtd_chrg_amt"),
        coinsurance_amount=of.number("line_coinsrnc_amt"),
        deductible_amount=of.number("line_bene_ptb_ddctbl_amt"),
        **_diagnoses(of, ibis.coalesce(of.text("line_icd_dgns_cd"), of.text("prncpal_dgns_cd"))),
    )  # fmt: skip


def _drugs(of: Columns) -> ir.Table:
    def zero(name: str) -> ir.FloatingValue:
        return of.number(name).fill_null(0)

    total = of.number("tot_rx_cst_amt")
    covered, other = of.number("cvrd_d_plan_pd_amt"), of.number("ncvrd_plan_pd_amt")
    by_plan = ibis.ifelse(
        covered.isnull() & other.isnull(), ibis.null("float64"), covered.fill_null(0) + other.fill_null(0)
    )
    npi = ibis.ifelse(of.text("prscrbr_id_qlfyr_cd") == "01", of.text("prscrbr_id"), ibis.null("string"))
    return row_of(
        "pharmacy_claim", of.table,
        claim_id=of.text("pde_id"),
        claim_line_number=1,
        person_id=of.text("bene_id"),
        member_id=of.text("bene_id"),
        payer="medicare",
        plan="part d",
        prescribing_provider_npi=npi,
        dispensing_provider_npi=of.text("srvc_prvdr_id"),
        dispensing_date=of.day("srvc_dt"),
        ndc_code=of.text("prod_srvc_id"),
        quantity=of.number("qty_dspnsd_num"),
        days_supply=of.number("days_suply_num"),
        refills=of.number("fill_num"),
        paid_date=of.day("pd_dt"),
        paid_amount=by_plan.fill_null(total - zero("ptnt_pay_amt") - zero("othr_troop_amt") - zero("plro_amt")),
        allowed_amount=total,
        copayment_amount=of.number("ptnt_pay_amt"),
        data_source="medicare",
    )  # fmt: skip
