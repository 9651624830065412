"""Claim lines for synthetic people: the five tables of `claims/layout.py`, which add up to the panel to the cent.

Every dollar, stay, visit and condition of the panel is on a line, at a date on which the person was covered, with codes
by which `services` finds it again. Providers, drug codes and identifiers are made up and cannot be mistaken for real
ones: a National Provider Identifier begins with 1 or 2, these with 9; no labeler has the drug code 99999.

Not modelled: denied, adjusted and duplicate lines, diagnosis-related groups, professional claims during a stay, and
care on the 29th of February.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from ..refusal import Fault, Refusal

Array = np.ndarray[Any, np.dtype[Any]]
NEEDS = ("food_need", "housing_need", "transport_need", "utility_need")
TEXTS = (
    *("claim", "kind", "diagnosis", "admit_source_code", "admit_type_code", "discharge_disposition_code"),
    *("place_of_service_code", "bill_type_code", "revenue_center_code", "hcpcs_code"),
)
MOST_LINES = 12  # of one service in a year, besides those that count visits

# Diagnoses (ICD-10-CM, no dots) that mean the condition in `value_sets.yaml` and no other.
CODES: Mapping[str, tuple[str, ...]] = {
    "diabetes": ("E119", "E1165", "E1042"),
    "heart_failure": ("I509", "I5022", "I5032"),
    "copd": ("J449", "J441", "J439"),
    "asthma": ("J45909", "J4520", "J45901"),
    "ckd": ("N183", "N184", "N1830"),
    "esrd": ("N186", "Z992", "N186"),
    "coronary_disease": ("I2510", "I259", "I2582"),
    "stroke": ("I639", "I6930", "I679"),
    "cancer": ("C50919", "C3490", "C189"),
    "hypertension": ("I10", "I159", "I10"),
    "dementia": ("F0390", "G309", "F0150"),
    "smi": ("F209", "F259", "F319"),
    "depression": ("F329", "F339", "F341"),
    "sud": ("F1020", "F1120", "F1420"),
    "frail": ("R2689", "R262", "R269"),
    "frail again": ("R5381", "R54", "R296"),
    "housing_need": ("Z5900", "Z5901", "Z5900"),
}
ACUTE = ("A419", "J189", "N390", "L03115", "K5720", "J9601")  # why someone without a chronic cause is admitted
MINOR = ("J069", "R079", "R109", "R51", "M545", "R112")
ROUTINE = ("Z0000", "M2550", "R5383", "J309", "K219", "E559")
MIND = ("F4320", "F4323", "F5101")  # for those without a flag
OUTPATIENT = (("0300", "80053"), ("0320", "71046"), ("0360", "45378"), ("0636", "J1100"), ("0420", "97110"))
PROFESSIONAL = ("93000", "20610", "99244", "36415", "76700", "92014")
BEHAVIORAL = ("90834", "90837", "H0031", "H2011")
YEAR_START = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])

# A year's coverage is a number whose bit m is month m + 1; what follows is looked up by that number.
_BITS = ((np.arange(4096)[:, None] >> np.arange(12)) & 1).astype(bool)


def longest_run(covered: Array) -> tuple[Array, Array]:
    """The first month (0 to 11) and the number of months of the longest unbroken stretch of each year's coverage."""
    run = np.zeros(4096, int)
    months, last = np.zeros(4096, int), np.zeros(4096, int)
    for month in range(12):
        run = (run + 1) * _BITS[:, month]
        longer = run > months
        months, last = np.where(longer, run, months), np.where(longer, month, last)
    return (last - months + 1)[covered], months[covered]


def tables(
    panel: pd.DataFrame,
    *,
    season: list[float],
    paid_after: Mapping[str, list[float]],
    closed: float,
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """The five tables of a panel; see `synthetic.tables`, which gives the season, the lag and the needs closed."""
    wanted = {"person_id", "year", "covered", "birth_date", "provider", "engaged", "months"}
    if missing := sorted(wanted - set(panel.columns)):
        do = "give what `synthetic.panel` returns"
        raise Refusal([Fault("panel", f"no column {', '.join(missing)}", "a panel of synthetic people", do)])
    if panel.duplicated(["person_id", "year"]).any():
        do = "put panels of different lines together, each line once"
        raise Refusal([Fault("panel", "a person-year twice", "one row for each person and year", do)])
    rows = _Rows(panel.reset_index(drop=True), np.array(season), rng)
    parts = (_stays, _emergency, _primary, _professional, _behavioral, _outpatient, _post_acute)
    medical = pd.concat([part(rows, rng) for part in parts], ignore_index=True)
    drugs = _fills(rows, rng)
    row = np.concatenate([medical.row, drugs.row])
    owed = _prorated(rows.owed, row, np.concatenate([medical.cents, drugs.cents]))
    return {
        "eligibility": _eligibility(rows),
        "medical_claim": _medical(rows, medical, owed[: len(medical)], paid_after, rng),
        "pharmacy_claim": _pharmacy(rows, drugs, owed[len(medical) :], paid_after["pharmacy"], rng),
        "outcome": _outcome(rows, closed, rng),
        "roster": _roster(rows),
    }


class _Rows:
    """The panel as lines are drawn from it: cents, days of coverage and codes by row."""

    def __init__(self, panel: pd.DataFrame, season: Array, rng: np.random.Generator) -> None:
        self.panel = panel
        self.covered = panel.covered.to_numpy(np.int64)
        self.year = panel.year.to_numpy(np.int64)
        death = pd.to_datetime(panel.death_date)
        self.dies = (death.dt.year == panel.year).to_numpy()
        last = np.where(self.dies, death.dt.month.fillna(1) - 1, -1).astype(int)
        self.lengths = np.where(_BITS[self.covered], MONTH_DAYS, 0)  # covered days of each month
        self.lengths[self.dies, last[self.dies]] = death.dt.day.to_numpy()[self.dies].astype(int)
        self.before = np.cumsum(self.lengths, axis=1) - self.lengths  # covered days before each month
        self.days = self.lengths.sum(axis=1)
        weight = self.lengths * season
        self.weight = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
        self.paid = {
            name.removesuffix("_paid"): _cents(panel[name]) for name in panel.columns if name.endswith("_paid")
        }
        self.owed = _cents(panel.allowed) - _cents(panel.paid)
        self.provider = panel.provider.str.removeprefix("P").astype(int).to_numpy()
        self.person, self.line = pa.array(panel.person_id, pa.string()), pa.array(panel.line, pa.string())
        self.year_text = pa.array(self.year).cast(pa.string())
        # which conditions, in order, packed to the left: the columns of further diagnoses
        flags = {name: panel[name].to_numpy(bool) for name in CODES if name in panel.columns}
        flags["frail again"] = flags["frail"]
        names = [name for name in CODES if name in flags]
        held = np.column_stack([flags[name] for name in names])
        which = rng.integers(0, 3, held.shape)
        code = 3 * np.arange(len(names)) + which
        order = np.argsort(~held, axis=1, kind="stable")
        packed = np.take_along_axis(np.where(held, code, -1), order, axis=1)
        self.further = packed[:, : max(1, int(held.sum(axis=1).max(initial=0)))]
        book = np.array([code for name in names for code in CODES[name]], object)
        self.book = pa.array(book, pa.string())
        self.held = {name: (held[:, k], book[code[:, k]]) for k, name in enumerate(names)}


def _cents(dollars: "pd.Series[float]") -> Array:
    return np.rint(dollars.to_numpy(float) * 100).astype(np.int64)


def _events(count: Array) -> tuple[Array, Array]:
    """For counts by row: the row of each event, and its number within the row."""
    row = np.repeat(np.arange(len(count)), count)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)


def _split(cents: Array, row: Array, order: Array, rng: np.random.Generator) -> Array:
    """Each row's cents over its events: random parts that add up exactly."""
    part = rng.gamma(2.0, 1.0, len(row)) + 0.05
    total = np.bincount(row, part, minlength=len(cents))
    upto = np.cumsum(part)
    first = order == 0
    upto = upto - np.repeat((upto - part)[first], np.bincount(row, minlength=len(cents))[row[first]])
    edge = np.rint(cents[row] * np.minimum(1.0, upto / total[row])).astype(np.int64)
    final = np.append(row[1:] != row[:-1], True) if len(row) else np.zeros(0, bool)
    edge[final] = cents[row[final]]
    return np.asarray(np.diff(edge, prepend=0) + np.where(first, np.append(0, edge[:-1])[: len(edge)], 0))


def _dates(rows: _Rows, row: Array, order: Array, rng: np.random.Generator, apart: bool = False) -> Array:
    """A covered day for each event, by season; `apart`: no two of a row's events on one day."""
    u = rng.random(len(row))
    u = u[np.lexsort((u, row))]  # in order within each row
    month = np.minimum((u[:, None] >= rows.weight[row]).sum(axis=1), 11)
    below = np.where(month > 0, rows.weight[row, month - 1], 0.0)
    inside = (u - below) / np.maximum(rows.weight[row, month] - below, 1e-12)
    length = rows.lengths[row, month]
    day = rows.before[row, month] + np.minimum((inside * length).astype(int), length - 1)
    if apart and len(row):
        gap = 1_000 * np.arange(len(rows.days))[row]  # keeps the rows from pushing one another
        count = np.bincount(row, minlength=len(rows.days))[row]
        day = np.maximum.accumulate(day - order + gap) - gap + order  # never before the next day
        day = np.minimum(day, rows.days[row] - count + order)  # and never past the last
    return _calendar(rows, row, day)


def _calendar(rows: _Rows, row: Array, day: Array) -> Array:
    """The date of the n-th covered day of a row."""
    month = np.minimum((day[:, None] >= (rows.before + rows.lengths)[row]).sum(axis=1), 11)
    of_month = day - rows.before[row, month]
    start = (rows.year[row] - 1970).astype("datetime64[Y]").astype("datetime64[M]") + month
    return np.asarray(start.astype("datetime64[D]") + of_month)


def _pick(choices: tuple[str, ...], n: int, rng: np.random.Generator) -> Array:
    return np.array(choices, object)[rng.integers(0, len(choices), n)]


def _lines(row: Array, date: Array, cents: Array, kind: str, claim: Array, **codes: Any) -> pd.DataFrame:
    given = {"row": row, "start": date, "end": date, "cents": cents, "kind": kind, "claim": claim, "line": 1}
    return pd.DataFrame(given | codes)


def _stays(rows: _Rows, rng: np.random.Generator) -> pd.DataFrame:
    """A claim of two lines (room, and all else) for each stay; the stays fit into the longest unbroken coverage."""
    count, nights = rows.panel.admissions.to_numpy(np.int64), rows.panel.inpatient_days.to_numpy(np.int64)
    row, order = _events(count)
    extra = _split((nights - count), row, order, rng)
    long = 1 + extra
    # Between stays at least two days, and the rest in clumps: a discharge is when the next stay is likeliest.
    first, months = longest_run(rows.covered)
    end = np.minimum(first + months, 12) - 1
    size = rows.before[np.arange(len(first)), end] + rows.lengths[np.arange(len(first)), end]
    size = size - rows.before[np.arange(len(first)), first]
    free = np.maximum(size - nights - 2 * count, 0)
    clump = rng.gamma(0.5, 1.0, len(row))
    tail = rng.gamma(1.0, 1.0, len(count))
    share = clump / (np.bincount(row, clump, minlength=len(count)) + tail)[row]
    ahead = np.floor(share * free[row]).astype(int) + np.where(order > 0, 2, 0)
    upto = np.cumsum(ahead + long)
    start = upto - long - np.repeat((upto - ahead - long)[order == 0], count[count > 0])
    admitted = _calendar(rows, row, rows.before[row, first[row]] + start)
    discharged = admitted + long
    final = np.append(row[1:] != row[:-1], True) if len(row) else np.zeros(0, bool)
    dies_inside = final & rows.dies[row] & (rng.random(len(row)) < 0.4)
    # Why: a chronic cause of the person's own for half, an acute one for the rest.
    reason = _pick(ACUTE, len(row), rng)
    for name in ("heart_failure", "copd", "asthma", "diabetes", "coronary_disease", "stroke", "cancer", "smi", "sud"):
        has, code = rows.held[name]
        reason = np.where(has[row] & (rng.random(len(row)) < 0.25), code[row], reason)
    unplanned = rng.random(len(row)) < 0.75
    sent = np.where(rng.random(len(row)) < 0.15, "03", "01")  # to a nursing facility, or home
    cents = _split(rows.paid["inpatient"], *_events(2 * count), rng)
    frames = []
    for line, revenue in enumerate(("0120", "0250")):
        frames.append(
            _lines(
                row, admitted, cents[line::2], "institutional", _number("I", order),
                diagnosis=reason, bill_type_code="111", revenue_center_code=revenue, place_of_service_code=None,
                hcpcs_code=None, units=np.where(line == 0, long, 1), admission_date=admitted,
                discharge_date=discharged, admit_type_code=np.where(unplanned, "1", "3"),
                admit_source_code=np.where(unplanned, "7", "1"),
                discharge_disposition_code=np.where(dies_inside, "20", sent),
            ).assign(end=discharged, line=line + 1)
        )  # fmt: skip
    return pd.concat(frames)


def _emergency(rows: _Rows, rng: np.random.Generator) -> pd.DataFrame:
    row, order = _events(rows.panel.emergency_visits.to_numpy(np.int64))
    date = _dates(rows, row, order, rng, apart=True)
    return _lines(
        row, date, _split(rows.paid["emergency"], row, order, rng), "institutional", _number("E", order),
        diagnosis=_pick(MINOR, len(row), rng), bill_type_code="131", revenue_center_code="0450",
        hcpcs_code=_pick(("99283", "99284", "99285"), len(row), rng),
    )  # fmt: skip


def _number(letter: str, order: Array) -> Array:
    return np.char.add(letter, order.astype(str))


def _primary_cents(rows: _Rows, rng: np.random.Generator) -> tuple[Array, Array]:
    """Professional dollars: what the primary care visits take, and what is left for the rest."""
    visits, cents = rows.panel.primary_care_visits.to_numpy(np.int64), rows.paid["professional"]
    own = np.minimum(visits * 9_000, cents)
    others = np.where((cents > 0) & (visits == 0), 1, np.minimum(MOST_LINES, (cents - own) // 25_000))
    own = np.where(others == 0, cents, own)
    return own, others.astype(np.int64)


def _primary(rows: _Rows, rng: np.random.Generator) -> pd.DataFrame:
    """Visits to the person's own provider, but for one in eight elsewhere."""
    row, order = _events(rows.panel.primary_care_visits.to_numpy(np.int64))
    cents, _ = _primary_cents(rows, rng)
    elsewhere = rng.random(len(row)) < 0.125
    who = np.where(elsewhere, rng.integers(1, int(rows.provider.max(initial=1)) + 1, len(row)), rows.provider[row])
    return _lines(
        row, _dates(rows, row, order, rng, apart=True), _split(cents, row, order, rng), "professional",
        _number("V", order), diagnosis=_pick(ROUTINE, len(row), rng), place_of_service_code="11",
        hcpcs_code=_pick(("99213", "99214", "99213", "99215"), len(row), rng), provider=who,
    )  # fmt: skip


def _professional(rows: _Rows, rng: np.random.Generator) -> pd.DataFrame:
    own, others = _primary_cents(rows, rng)
    row, order = _events(others)
    return _lines(
        row, _dates(rows, row, order, rng), _split(rows.paid["professional"] - own, row, order, rng), "professional",
        _number("S", order), diagnosis=_pick(ROUTINE, len(row), rng), place_of_service_code="11",
        hcpcs_code=_pick(PROFESSIONAL, len(row), rng), provider=rng.integers(1_000, 1_400, len(row)),
    )  # fmt: skip


def _by_amount(cents: Array, each: int) -> tuple[Array, Array]:
    """Lines for an amount: one, and one more for each further `each` dollars, up to the most."""
    return _events(np.where(cents > 0, 1 + np.minimum(MOST_LINES - 1, cents // (100 * each)), 0))


def _behavioral(rows: _Rows, rng: np.random.Generator) -> pd.DataFrame:
    cents = rows.paid["behavioral"]
    row, order = _by_amount(cents, 250)
    reason = _pick(MIND, len(row), rng)
    for name in ("depression", "sud", "smi"):
        has, code = rows.held[name]
        reason = np.where(has[row], code[row], reason)
    return _lines(
        row, _dates(rows, row, order, rng), _split(cents, row, order, rng), "professional", _number("B", order),
        diagnosis=reason, place_of_service_code="11", hcpcs_code=_pick(BEHAVIORAL, len(row), rng),
        provider=rng.integers(2_000, 2_100, len(row)),
    )  # fmt: skip


def _outpatient(rows: _Rows, rng: np.random.Generator) -> pd.DataFrame:
    cents = rows.paid["outpatient"]
    row, order = _by_amount(cents, 700)
    pair = np.array(OUTPATIENT, object)[rng.integers(0, len(OUTPATIENT), len(row))]
    return _lines(
        row, _dates(rows, row, order, rng), _split(cents, row, order, rng), "institutional", _number("O", order),
        diagnosis=_pick(ROUTINE, len(row), rng), bill_type_code="131", revenue_center_code=pair[:, 0],
        hcpcs_code=pair[:, 1],
    )  # fmt: skip


def _post_acute(rows: _Rows, rng: np.random.Generator) -> pd.DataFrame:
    """Nursing facility for large amounts, home health for small ones; hospice in the year of death."""
    cents = rows.paid["post_acute"]
    row, order = _by_amount(cents, 3_000)
    bill = np.where(cents[row] > 1_500_000, "211", "329")
    bill = np.where(rows.dies[row] & (rng.random(len(row)) < 0.4), "813", bill)
    return _lines(
        row, _dates(rows, row, order, rng), _split(cents, row, order, rng), "institutional", _number("N", order),
        diagnosis=_pick(ROUTINE, len(row), rng), bill_type_code=bill,
        revenue_center_code=np.select([bill == "211", bill == "813"], ["0191", "0651"], "0551"),
    )  # fmt: skip


def _medical(
    rows: _Rows, lines: pd.DataFrame, owed: Array, paid_after: Mapping[str, list[float]], rng: np.random.Generator
) -> pd.DataFrame:
    """The claim lines in the layout's columns."""
    row, cents = lines.row.to_numpy(), lines.cents.to_numpy()
    institutional = (lines.kind == "institutional").to_numpy()
    person = rows.person.take(row)
    start, end = lines.start.to_numpy("datetime64[D]"), lines.end.to_numpy("datetime64[D]")
    provider = lines.provider.fillna(0).to_numpy(np.int64)  # a hospital has none of its own
    npi = 9_000_000_000 + np.where(institutional, 500_000 + rows.provider[row] // 4, provider)
    lag = np.where(
        institutional, _lag(paid_after["institutional"], len(row), rng), _lag(paid_after["professional"], len(row), rng)
    )
    same = {name: pa.array(lines[name], pa.string(), from_pandas=True) for name in TEXTS}
    further = {
        f"diagnosis_code_{k + 2}": rows.book.take(pa.array(code, mask=code < 0))
        for k, code in enumerate(rows.further[row].T)
    }
    columns: dict[str, Any] = {
        "claim_id": pc.binary_join_element_wise(person, rows.year_text.take(row), same.pop("claim"), "-"),
        "claim_line_number": lines.line.to_numpy(),
        "claim_type": same.pop("kind"),
        "person_id": person,
        "member_id": person,
        "payer": rows.line.take(row),
        "plan": _all("synthetic", len(row)),
        "claim_start_date": start,
        "claim_end_date": end,
        "claim_line_start_date": start,
        "claim_line_end_date": end,
        "admission_date": lines.admission_date.to_numpy("datetime64[D]"),
        "discharge_date": lines.discharge_date.to_numpy("datetime64[D]"),
        "diagnosis_code_1": same.pop("diagnosis"),
        **same,
        "service_unit_quantity": lines.units.fillna(1).to_numpy(float),
        "rendering_npi": pa.array(npi, mask=institutional).cast(pa.string()),
        "billing_npi": pa.array(npi).cast(pa.string()),
        "billing_tin": pc.binary_join_element_wise(
            "P", pc.utf8_lpad(pa.array(provider, mask=institutional).cast(pa.string()), 2, "0"), ""
        ),
        "facility_npi": pa.array(npi, mask=~institutional).cast(pa.string()),
        "paid_date": end + lag,
        "paid_amount": cents / 100,
        "allowed_amount": (cents + owed) / 100,
        "charge_amount": np.rint(2.2 * (cents + owed)) / 100,
        "diagnosis_code_type": _all("icd-10-cm", len(row)),
        **further,
        "data_source": _all("synthetic", len(row)),
    }
    return _frame(columns)


def _fills(rows: _Rows, rng: np.random.Generator) -> pd.DataFrame:
    cents = rows.paid["pharmacy"]
    row, order = _by_amount(cents, 120)
    return _lines(row, _dates(rows, row, order, rng), _split(cents, row, order, rng), "pharmacy", _number("D", order))


def _pharmacy(
    rows: _Rows, lines: pd.DataFrame, owed: Array, after: list[float], rng: np.random.Generator
) -> pd.DataFrame:
    row, cents = lines.row.to_numpy(), lines.cents.to_numpy()
    person, date = rows.person.take(row), lines.start.to_numpy("datetime64[D]")
    number = pa.array(lines.claim, pa.string())
    columns: dict[str, Any] = {
        "claim_id": pc.binary_join_element_wise(person, rows.year_text.take(row), number, "-"),
        "claim_line_number": lines.line.to_numpy(),
        "person_id": person,
        "member_id": person,
        "payer": rows.line.take(row),
        "plan": _all("synthetic", len(row)),
        "prescribing_provider_npi": pa.array(9_000_000_000 + rows.provider[row]).cast(pa.string()),
        "dispensing_provider_npi": pa.array(9_000_700_000 + rng.integers(0, 60, len(row))).cast(pa.string()),
        "dispensing_date": date,
        "ndc_code": pa.array(99_999_000_000 + 100 * rng.integers(1, 400, len(row)) + 1).cast(pa.string()),
        "quantity": np.full(len(row), 30.0),
        "days_supply": np.full(len(row), 30.0),
        "paid_date": date + _lag(after, len(row), rng),
        "paid_amount": cents / 100,
        "allowed_amount": (cents + owed) / 100,
        "data_source": _all("synthetic", len(row)),
    }
    return _frame(columns)


def _lag(after: list[float], n: int, rng: np.random.Generator) -> Array:
    """Days from service to payment, ten months at most."""
    median, spread = after
    return np.asarray(np.minimum(np.rint(median * np.exp(spread * rng.standard_normal(n))), 300), int)


def _prorated(total: Array, row: Array, cents: Array) -> Array:
    """Each row's total over its lines by their cents, so that it adds up exactly."""
    by_row = np.argsort(row, kind="stable")
    row, upto = row[by_row], np.cumsum(cents[by_row])
    first = np.append(True, row[1:] != row[:-1])[: len(row)]
    upto = upto - np.repeat((upto - cents[by_row])[first], np.bincount(row)[row[first]])
    whole = np.bincount(row, cents[by_row], minlength=len(total))[row]
    edge = np.rint(total[row] * (upto / np.maximum(whole, 1))).astype(np.int64)
    part = np.diff(edge, prepend=0) + np.where(first, np.append(0, edge[:-1])[: len(edge)], 0)
    placed = np.zeros(len(row), np.int64)
    placed[by_row] = part
    return np.asarray(placed)


def _eligibility(rows: _Rows) -> pd.DataFrame:
    """A row for each unbroken stretch of coverage; it ends with the month, or with death."""
    panel = rows.panel
    years = np.unique(rows.year)
    code, people = pd.factorize(panel.person_id)
    by_year = np.zeros((len(people), len(years), 12), bool)
    by_year[code, np.searchsorted(years, rows.year)] = _BITS[rows.covered]
    months = by_year.reshape(len(people), -1)
    edge = np.zeros((len(people), 1), bool)
    who, start = np.nonzero(months & ~np.hstack([edge, months[:, :-1]]))
    _, end = np.nonzero(months & ~np.hstack([months[:, 1:], edge]))
    zero = np.datetime64(f"{years[0]}-01", "M")
    each = panel.groupby("person_id", sort=False).first().take(who)
    death = each.death_date.to_numpy("datetime64[D]")
    final = (zero + end + 1).astype("datetime64[D]") - 1
    final = np.where(death.astype("datetime64[M]") == zero + end, death, final)
    known = ~np.isnat(death)
    ends_in = np.append(who[1:] != who[:-1], True)  # only a person's last stretch can end in death
    final = np.where(ends_in, final, (zero + end + 1).astype("datetime64[D]") - 1)
    old, medicare = each.age.to_numpy() >= 65, each.payer_type.to_numpy() == "medicare"
    return pd.DataFrame(
        {
            "person_id": people[who],
            "member_id": people[who],
            "gender": each.gender.to_numpy(),
            "race": each.race.to_numpy(),
            "birth_date": each.birth_date.to_numpy("datetime64[s]"),
            "death_date": death.astype("datetime64[s]"),
            "death_flag": known.astype(np.int64),
            "enrollment_start_date": (zero + start).astype("datetime64[D]").astype("datetime64[s]"),
            "enrollment_end_date": final.astype("datetime64[s]"),
            "payer": each.line.to_numpy(),
            "payer_type": each.payer_type.to_numpy(),
            "plan": "synthetic",
            "original_reason_entitlement_code": _coded(medicare, np.where(old, "0", "1")),
            "dual_status_code": _coded(each.dual.to_numpy() == 1, "02"),
            "medicare_status_code": _coded(medicare, np.where(old, "10", "20")),
            "data_source": "synthetic",
        }
    )


def _coded(where: Array, code: Any) -> "pd.Series[str]":
    """The code where it holds, and nothing elsewhere; text even where it holds nowhere."""
    return pd.Series(np.where(where, code, np.array(None, object)), dtype="str")


def _outcome(rows: _Rows, closed: float, rng: np.random.Generator) -> pd.DataFrame:
    """What claims do not say: needs found, limits in daily life, and what a care team records of those it reached."""
    panel = rows.panel
    engaged = panel.engaged.to_numpy(bool)
    low = panel.depression.to_numpy(bool) & engaged
    phq9 = np.clip(np.rint(rng.normal(14, 4, len(panel))), 5, 27)
    better = np.clip(phq9 - np.rint(rng.normal(2, 4, len(panel))), 0, 27)
    five = (panel.age == 5).to_numpy() & (panel.line == "medicaid").to_numpy()
    one = np.ones(len(panel))
    found: list[tuple[str, Array, Array]] = [
        *((need, panel[need].to_numpy(bool), one) for need in NEEDS),
        ("disabled", panel.disabled.to_numpy(bool), one),
        ("functional_limits", panel.frail.to_numpy(bool), 2 * one),
        ("contact", panel.offered.to_numpy(bool) & ~engaged, 0 * one),  # tried, not reached
        *(("contact", engaged & (panel.months.to_numpy() > month), one) for month in range(12)),
        ("assessment", engaged, one),
        ("care_plan", engaged, one),
        ("housing_need_closed", engaged & panel.housing_need.to_numpy(bool) & (rng.random(len(panel)) < closed), one),
        ("phq9", low, phq9),
        ("phq9", low, better),
        ("school_ready", five, (rng.random(len(panel)) < 0.5).astype(float)),
    ]
    frames = []
    for place, (name, who, value) in enumerate(found):
        row = np.nonzero(who)[0]
        # in the order of the list, spread over the year: a plan follows an assessment, a second score the first
        day = (rows.days[row] * (place + rng.random(len(row))) / len(found)).astype(int)
        date = _calendar(rows, row, day).astype("datetime64[s]")
        frames.append(
            pd.DataFrame(
                {
                    "person_id": panel.person_id.to_numpy()[row],
                    "outcome_date": date,
                    "outcome": name,
                    "outcome_value": value[row].astype(float),
                    "data_source": "synthetic",
                }
            )
        )
    return pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)  # two contacts of a day are one


def _roster(rows: _Rows) -> pd.DataFrame:
    """Who is whose, from the first covered day of a spell with one provider to its last; open at the end."""
    panel = rows.panel
    every = np.arange(len(panel))
    first, last = _calendar(rows, every, 0 * every), _calendar(rows, every, rows.days - 1)
    order = np.lexsort((rows.year, pd.factorize(panel.person_id)[0]))
    person, year = panel.person_id.to_numpy()[order], rows.year[order]
    provider = panel.provider.to_numpy()[order]
    new = np.append(True, (person[1:] != person[:-1]) | (provider[1:] != provider[:-1]) | (year[1:] != year[:-1] + 1))
    ends = np.append(new[1:], True)
    end = last[order][ends]
    still = (year[ends] == rows.year.max()) & (
        (end - year[ends].astype("U4").astype("datetime64[D]")).astype(int) >= 364
    )
    return pd.DataFrame(
        {
            "person_id": person[new],
            "organization": provider[new],
            "start_date": first[order][new].astype("datetime64[s]"),
            "end_date": np.where(still, np.datetime64("NaT"), end).astype("datetime64[s]"),
        }
    )


def _all(text: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([text])).cast(pa.string())


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    # an Arrow array stays as it is: pa.array would copy it cell by cell
    table = pa.table({name: pa.array(c) if isinstance(c, np.ndarray) else c for name, c in columns.items()})
    return pd.DataFrame(table.to_pandas(date_as_object=False))
