"""How codes are spelled: each standard's own spelling, and how those that spreadsheets leave are read as it.

A column of codes that a spreadsheet has held comes as 450 or 450.0 for 0450, as 8 for 08, as 'g0438 ' for G0438. It is
read as the standard spells it here and nowhere else. What still does not fit is kept as it is, and `claims check` says
so. `odd` is a quick look at each of many cells; only a column in which it finds one is spelled again.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import ibis
import ibis.expr.types as ir

Text: TypeAlias = ir.StringValue


class Code(NamedTuple):
    """A kind of code: what it looks like, a quick look at what may not, how it is read, and its exact form."""

    words: str
    odd: Callable[[Text], ir.BooleanValue]
    read: Callable[[Text], Text]
    form: str


def _plain(code: Text) -> Text:
    """Without spaces around it, and without the decimals that a spreadsheet adds."""
    return code.strip().re_replace(r"^([0-9]+)\.0*$", r"\1")


def _bare(code: Text) -> Text:
    return _plain(code.upper())


def _digits(width: int, words: str) -> Code:
    def read(code: Text) -> Text:
        bare = _bare(code)
        padded = ibis.literal("0" * width).concat(bare).right(width)
        return ibis.ifelse(bare.re_search(f"^0*[0-9]{{1,{width}}}$"), padded, bare)

    return Code(words, lambda code: (code.length() != width) | (code >= ":"), read, f"^[0-9]{{{width}}}$")


def _one_sign(words: str) -> Code:
    def read(code: Text) -> Text:
        bare = _bare(code)
        return ibis.ifelse(bare.re_search("^0+[0-9A-Z]$"), bare.right(1), bare)

    return Code(words, lambda code: (code.length() != 1) | (code >= "a"), read, "^[0-9A-Z]$")


def _bill_type(code: Text) -> Text:
    bare = _bare(code)
    return ibis.ifelse(bare.re_search("^0+[1-9][0-9][0-9A-Z]$"), bare.right(3), bare)


def _zip(code: Text) -> Text:
    bare = _bare(code)
    return ibis.cases(
        (bare.re_search("^[0-9]{5}-[0-9]{4}$"), bare.left(5)),
        (bare.re_search("^[0-9]{4}-[0-9]{4}$"), ibis.literal("0").concat(bare.left(4))),
        (bare.re_search("^[0-9]{8,9}$"), ibis.literal("0").concat(bare).right(9).left(5)),
        (bare.re_search("^[0-9]{3,4}$"), ibis.literal("00").concat(bare).right(5)),
        else_=bare,
    )


def _ndc(code: Text) -> Text:
    """Eleven digits; of ten without hyphens nobody can say which part lacks one."""
    bare = _bare(code)
    part = [ibis.literal("00000").concat(bare.re_extract("^([0-9]+)-([0-9]+)-([0-9]+)$", n)) for n in (1, 2, 3)]
    joined = part[0].right(5).concat(part[1].right(4), part[2].right(2))
    return ibis.cases(
        (bare.re_search("^[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}$"), joined),
        (bare.re_search("^[0-9]{8,9}$"), ibis.literal("000").concat(bare).right(11)),
        else_=bare,
    )


def _word(*allowed: str, **short: str) -> Code:
    def read(word: Text) -> Text:
        low = word.strip().lower()
        return ibis.cases(*((low == key, value) for key, value in short.items()), else_=low) if short else low

    return Code("one of " + ", ".join(allowed), lambda word: ~word.isin(allowed), read, f"^({'|'.join(allowed)})$")


def _dotless(code: Text) -> Text:
    return _bare(code).replace(".", "")


DIAGNOSIS = Code(
    "a code in capitals without its dot, such as I5030",
    lambda code: code.contains(".") | (code >= "a") | (code < "0"),
    _dotless,
    "^[0-9A-Z]{3,7}$",
)
NPI = Code("ten digits", lambda code: (code.length() != 10) | (code < "0"), _plain, "^[0-9]{10}$")
CODES: dict[str, Code] = {
    "claim_type": _word("institutional", "professional", "vision", "dental", "undetermined"),
    "bill_type_code": Code(
        "three digits, such as 111",
        lambda code: (code.length() != 3) | (code < "1"),
        _bill_type,
        "^[1-9][0-9][0-9A-Z]$",
    ),
    "revenue_center_code": _digits(4, "four digits, such as 0450"),
    "place_of_service_code": _digits(2, "two digits, such as 11"),
    "drg_code": _digits(3, "three digits, such as 291")._replace(form="^[0-9]{3,4}$"),  # with its severity: four
    "discharge_disposition_code": _digits(2, "two digits, such as 01"),
    "admit_type_code": _one_sign("one digit, such as 1"),
    "admit_source_code": _one_sign("one digit or letter, such as 1"),
    "hcpcs_code": _digits(5, "five digits or letters, such as 99213 or G0438")._replace(
        odd=lambda code: (code.length() != 5) | (code != code.upper()), form="^[0-9A-Z]{5}$"
    ),
    "diagnosis_code_type": _word("icd-9-cm", "icd-10-cm", icd9="icd-9-cm", icd10="icd-10-cm"),
    "diagnosis_code_1": DIAGNOSIS,
    "ndc_code": Code("eleven digits", lambda code: (code.length() != 11) | (code < "0"), _ndc, "^[0-9]{11}$"),
    "rendering_npi": NPI,
    "billing_npi": NPI,
    "facility_npi": NPI,
    "prescribing_provider_npi": NPI,
    "dispensing_provider_npi": NPI,
    "gender": _word("female", "male", "unknown", f="female", m="male", u="unknown"),
    "payer_type": _word(
        "medicaid", "medicare", "commercial", "dual", "exchange", "self-insured", "self-pay", "other", "unknown"
    ),
    "dual_status_code": _digits(2, "two digits, such as 02")._replace(form="^([0-9]{2}|NA)$"),
    "medicare_status_code": _digits(2, "two digits, such as 10"),
    "original_reason_entitlement_code": _one_sign("one digit, such as 0"),
    "zip_code": Code(
        "five digits, such as 80202", lambda code: (code.length() != 5) | (code >= ":"), _zip, "^[0-9]{5}$"
    ),
    "state": Code("two letters", lambda code: code != code.upper(), _bare, "^[A-Z]{2}$"),
}


def together(column: str) -> tuple[str, ...]:
    """The columns that are spelled as one is: a claim's diagnoses as its first."""
    return tuple(f"diagnosis_code_{n}" for n in range(1, 26)) if column == "diagnosis_code_1" else (column,)
