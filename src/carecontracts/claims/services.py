"""What kind of service a claim line is, and whether it is a visit to primary care: two expressions over codes.

A line is the first of these that it fits; drugs come from pharmacy_claim.

- `inpatient`: bill type 11x or 12x; without a bill type, an institutional line with a DRG or an admission date.
- `post_acute`: bill types 18x, 21x to 23x (skilled nursing), 32x to 34x (home health), 81x, 82x (hospice); places of
  service 31, 32, 34 and 61.
- `emergency`: revenue centers 0450 to 0459 and 0981, visits 99281 to 99285, place of service 23.
- `behavioral`: a first diagnosis of a mental or substance use disorder (ICD-10-CM F10 to F69 and F90 to F99; ICD-9-CM
  291, 292, 295 to 309 and 311 to 314), revenue centers 0900 to 0919, places of service 51 to 58, HCPCS H0001 to H2037.
- `outpatient`: other institutional lines.
- `professional`: all other lines.

Not modeled: carve-outs by plan, a contract's own grouper (add a `service` column instead), dementia and intellectual
disability as behavioral. Source of the codes: the National Uniform Billing Committee's bill types and revenue centers
and CMS's place-of-service set, as the Tuva Project's terminology lists them.
"""

import ibis
import ibis.expr.types as ir

SERVICES = ("inpatient", "emergency", "outpatient", "professional", "behavioral", "post_acute")


def with_service(lines: ir.Table) -> ir.Table:
    """Adds `service` to claim lines; lines that have one keep it.

    >>> line = {"claim_type": "institutional", "bill_type_code": "131", "revenue_center_code": "0450",
    ...         "hcpcs_code": "99284", "place_of_service_code": "", "drg_code": "", "diagnosis_code_1": "R079",
    ...         "diagnosis_code_type": "icd-10-cm", "admission_date": None}
    >>> with_service(ibis.memtable([line], schema={c: "string" for c in line})).service.execute()[0]
    'emergency'
    """
    if "service" in lines.columns:
        return lines
    institutional = lines.claim_type == "institutional"
    bill, revenue = lines.bill_type_code.right(3), lines.revenue_center_code.right(3)
    place, hcpcs, diagnosis = lines.place_of_service_code, lines.hcpcs_code, lines.diagnosis_code_1

    def begins(code: ir.StringValue, *ranges: tuple[str, str]) -> ir.BooleanValue:
        """Whether a code is in a range, its end left out: quicker on each of many lines than to cut its first signs."""
        return ibis.or_(*((code >= first) & (code < after) for first, after in ranges))

    ill = ibis.ifelse(
        lines.diagnosis_code_type == "icd-9-cm",
        begins(diagnosis, ("291", "293"), ("295", "310"), ("311", "315")),
        begins(diagnosis, ("F10", "F7"), ("F9", "G")),
    )
    nursing = begins(bill, ("18", "19"), ("21", "24"), ("32", "35"), ("81", "83"))
    return lines.mutate(
        service=ibis.cases(
            (is_inpatient(lines), "inpatient"),
            (institutional & nursing | place.isin(["31", "32", "34", "61"]), "post_acute"),
            (has_emergency_code(lines), "emergency"),
            (
                ill
                | (institutional & revenue.between("900", "919"))
                | place.between("51", "58")
                | hcpcs.between("H0001", "H2037"),
                "behavioral",
            ),
            (institutional, "outpatient"),
            else_="professional",
        )
    )


def has_emergency_code(lines: ir.Table) -> ir.BooleanColumn:
    """Whether a line has a code of the emergency department; of a stay or of post-acute care, it is counted there."""
    revenue = lines.revenue_center_code.right(3)
    codes = revenue.between("450", "459") | (revenue == "981") | lines.hcpcs_code.between("99281", "99285")
    return codes | (lines.place_of_service_code == "23")


def is_inpatient(lines: ir.Table) -> ir.BooleanColumn:
    """Whether a line is of a hospital's claim for a stay."""
    if "service" in lines.columns:
        return lines.service == "inpatient"
    unbilled = lines.bill_type_code.fill_null("") == ""
    stay = (lines.drg_code.fill_null("") != "") | lines.admission_date.notnull()
    kind = lines.bill_type_code.right(3).left(2)
    return (lines.claim_type == "institutional") & (kind.isin(["11", "12"]) | unbilled & stay)


def is_primary_care(lines: ir.Table) -> ir.BooleanColumn:
    """Whether a line is an office, home, preventive or wellness visit.

    Codes: 99202 to 99215 (and 99201, until 2020), 99341 to 99350, 99381 to 99397, G0402, G0438, G0439, G0466 to G0470
    (health centers). They are among the primary care services of 42 CFR 425.400(c): check the current text.

    Not modeled: the clinician's specialty, which claims in this layout do not carry.
    """
    hcpcs = lines.hcpcs_code
    return (
        hcpcs.between("99201", "99215")
        | hcpcs.between("99341", "99350")
        | hcpcs.between("99381", "99397")
        | hcpcs.isin(["G0402", "G0438", "G0439"])
        | hcpcs.between("G0466", "G0470")
    )
