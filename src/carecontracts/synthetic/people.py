"""Synthetic people: made-up members whose cost, need and comings and goings behave like the published ones.

A person has a standing need (age, disability, conditions and what no record shows) and a passing one that fades over
the years. Their sum is a normal score; the score's place in the line's cost distribution is the year's cost. So cost
is concentrated, half persistent and driven by conditions by construction, and everything else (stays, visits, deaths)
is drawn from it. `people/targets.py` holds the result beside published figures and says where it falls short.

What they are not is in NOT_MODELLED, with what each would mislead about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from ..claims.layout import Claims
from ..claims.read import from_frames
from ..files import read_yaml
from ..refusal import Fault, Refusal, did_you_mean, show
from . import claims as claim_lines

Array = np.ndarray[Any, np.dtype[Any]]

CHRONIC = (
    *("diabetes", "heart_failure", "copd", "asthma", "ckd", "esrd", "coronary_disease", "stroke", "cancer"),
    *("hypertension", "dementia"),
)
BEHAVIORAL = ("smi", "depression", "sud")
CONDITIONS = (*CHRONIC, *BEHAVIORAL)
NEEDS = ("food_need", "housing_need", "transport_need", "utility_need")
SPLIT = ("outpatient", "professional", "behavioral", "post_acute", "pharmacy")  # what is left after stays and visits
SERVICES = ("inpatient", "emergency", *SPLIT)
RACES = ("white", "black or african american", "asian", "other race", "unknown")


NOT_MODELLED: Mapping[str, str] = {  # what the people do not have, and what it would mislead about
    "a provider's own level of cost or quality": "practices differ here by the luck of their members alone; real ones "
    "differ by more, so a ranking or a spread between practices is too narrow",
    "households": "members are strangers; people who share a home share luck, and tell less than as many strangers",
    "places, and what strikes everyone at once": "no epidemic, price or policy moves all members; people average out "
    "here as they never do: give `odds` a common shock, and `draw` of evaluation a shock to each place",
    "a trend that was forecast wrongly": "costs grow as people.yaml says, which both sides know",
    "the season of a deductible": "commercial members use care through the year as all others do; real ones wait until "
    "the deductible is met, so months, run-out and part years of a commercial contract are smoother here",
    "stays apart from cost": "stays are drawn from the year's cost, so the two move together more than in life: that "
    "admissions fell is no second witness here",
    "years of dual eligibles that differ": "a quarter of them are in long-term care at much the same cost each year; "
    "their next year is better known than in any other line, and pooling years buys little",
    "why some decline": "who accepts care management has nothing to do with cost, unless `willing` says so; in every "
    "real program it has",
    "pregnancy and newborns": "Medicaid and commercial members have neither",
    "the effect of any program": "nobody is helped; an effect is taken off by whoever uses them",
}


@dataclass(frozen=True)
class Line:
    """A line of business: what its people are like. `synthetic.yaml` says what each number is and rests on."""

    mean: float
    zeros: float
    ill: float
    ill_times: float
    spread: float
    ill_spread: float
    standing: float
    fade: float
    trend: Mapping[int, float]
    ages: list[tuple[float, int, int]]
    disabled: float
    disability: float
    race: list[float]
    conditions: Mapping[str, float]
    frail: float
    social: float
    stay_share: float
    stay_price: float
    visit_rate: float
    visit_price: float
    primary_care: float
    split: Mapping[str, float]
    member_share: float
    member_most: float
    long_term: float
    long_term_cost: float
    long_term_spread: float
    newcomers: float
    leave: float
    back: float
    death: float
    death_score: float
    last_months: float
    stays_attributed: float
    engages: float


NAMES = ("medicaid", "medicare", "dual", "commercial")


def _read() -> tuple[dict[str, Line], dict[str, Any]]:
    rows, _ = read_yaml(files(__package__) / "people.yaml")
    everyone = rows.pop("everyone")
    lines = {}
    for name in NAMES:
        own = {row: figures[name] for row, figures in rows.items()}
        conditions = {condition: own.pop(condition) for condition in CONDITIONS}
        split = {service: own.pop(service) for service in SPLIT}
        lines[name] = Line(conditions=conditions, split=split, **own)
    return lines, everyone


LINES, EVERYONE = _read()

CHILD_WEIGHT, DECADE_WEIGHT, UNSEEN = -0.5, 0.06, 0.55  # of the score (assumptions)
PROVIDERS = 20
_GRID = np.linspace(-6, 6, 2_401)
_NORMAL = NormalDist()
_CDF = np.array([_NORMAL.cdf(z) for z in _GRID])


def panel(
    line: str,
    members: int,
    years: int = 3,
    *,
    rng: np.random.Generator,
    first_year: int = 2023,
    like: Line | None = None,
    willing: float = 0.0,
) -> pd.DataFrame:
    """A row for each made-up member and each calendar year with coverage, in the shape of `member_years` and more.

    Beside the member-year columns it has: `line`, `birth_date`, `death_date`, `covered` (bit m is month m + 1),
    a column of 0 and 1 for each of CONDITIONS and NEEDS, `chronic_conditions`, `behavioral_conditions`,
    `social_needs`, `disabled`, `frail`, `long_term_care`, `provider`, `offered` (care management, to those with two
    chronic conditions and a behavioral one), `engages` (would accept) and `engaged` (was offered and accepted).
    Dollars are of the year. `like` puts a Line of your own in the place of the calibrated one: for what it does to
    change one parameter, `like=dataclasses.replace(LINES["dual"], leave=0.2)`. `willing` is how far the costlier
    decline (an assumption): the correlation of accepting with need over the years, negated; as many accept in all.
    Refuses an unknown line, and fewer than one member or year.

    >>> people = panel("medicaid", 1_000, rng=np.random.default_rng(1))
    >>> people.groupby("year").person_id.count().to_dict()
    {2023: 883, 2024: 818, 2025: 769}
    >>> panel("comercial", 10, rng=np.random.default_rng(1))
    Traceback (most recent call last):
    ...
    carecontracts.refusal.Refusal: synthetic people, line
      given:   'comercial'
      allowed: medicaid, medicare, dual, commercial
      do:      did you mean 'commercial'? name a line of business
    """
    refuse_unless_possible(line, members, years, first_year, willing)
    the = like or LINES[line]
    n, shape = members, (members, years)
    calendar = first_year + np.arange(years)

    # Who they are. Age is what it is on the last day of the year.
    band = rng.choice(len(the.ages), n, p=[share for share, _, _ in the.ages])
    low, high = np.array([a[1] for a in the.ages])[band], np.array([a[2] for a in the.ages])[band]
    first_age = rng.integers(low, high + 1)
    birth = np.datetime64(f"{first_year}-01-01") - (365.25 * first_age + rng.integers(1, 365, n)).astype(
        "timedelta64[D]"
    )
    female = rng.random(n) < (0.57 if line == "dual" else 0.53)
    race = rng.choice(len(RACES), n, p=the.race)
    birth_year = birth.astype("datetime64[Y]").astype(int) + 1970
    age = calendar - birth_year[:, None]
    disabled = (first_age < 65) & (rng.random(n) < the.disabled)
    child = age < 19

    # What they have: a condition sets in when frailty, age and its own chance pass a threshold, and stays.
    frailty = rng.standard_normal(n)
    mind = rng.standard_normal(n)  # behavioral conditions come together
    has: dict[str, Array] = {}
    score = DECADE_WEIGHT * age / 10 + CHILD_WEIGHT * child + the.disability * disabled[:, None]
    for name in CONDITIONS:
        pull = (
            0.35 * frailty
            + (0.55 * mind if name in BEHAVIORAL else 0.0)
            + {"smi": 2.0, "depression": 1.8, "sud": 0.8}.get(name, 0.5) * disabled
            + rng.standard_normal(n)
        )
        latent = pull[:, None] + EVERYONE["by_decade"][name] * age / 10
        if name not in ("asthma", "depression"):
            latent = latent - 3.0 * (age < 12)
        has[name] = latent > np.quantile(latent[:, 0], 1 - the.conditions[name])
        score = score + EVERYONE["weights"][name] * has[name]
    has["ckd"] = has["ckd"] | has["esrd"]
    chronic = np.sum([has[name] for name in CHRONIC], axis=0)
    behavioral = np.sum([has[name] for name in BEHAVIORAL], axis=0)

    # Social need is commoner with behavioral conditions; its kinds as screened.
    pressed = rng.standard_normal(n) + 0.5 * mind + 0.3 * disabled
    pressed = pressed > np.quantile(pressed, 1 - the.social)
    shares = np.array([EVERYONE["needs"][name] for name in NEEDS])
    kinds = rng.random((n, len(NEEDS))) < shares
    none = ~kinds.any(axis=1)
    kinds[none, rng.choice(len(NEEDS), int(none.sum()), p=shares / shares.sum())] = True
    kinds &= pressed[:, None]
    needs = {name: kinds[:, k] for k, name in enumerate(NEEDS)}

    # The year's score: what stands and what passes, together standard normal over the line's members.
    standing = score + UNSEEN * rng.standard_normal(n)[:, None] + 0.3 * frailty[:, None]
    standing = np.column_stack([_to_normal(standing[:, k], rng) for k in range(years)])
    passing = np.empty(shape)
    passing[:, 0] = rng.standard_normal(n)
    for k in range(1, years):
        passing[:, k] = the.fade * passing[:, k - 1] + np.sqrt(1 - the.fade**2) * rng.standard_normal(n)
    z = np.sqrt(the.standing) * standing + np.sqrt(1 - the.standing) * passing

    old = age >= 65
    failing = 0.5 * standing + 0.8 * z + 0.9 * rng.standard_normal(shape)
    frail = old & (failing > np.quantile(failing[old], 1 - the.frail)) if old.any() else old

    # When they are covered and when they die.
    odds = np.log(the.death / (1 - the.death)) + the.death_score * z + 0.35 * (age - 70) / 10 * (age > 50)
    dying = rng.random(shape) < 1 / (1 + np.exp(-odds))
    covered = _covered(the, n, years, rng)
    death_month = np.where(dying, rng.integers(0, 12, shape) + 12 * np.arange(years), 12 * years)
    death_month = death_month.min(axis=1)  # months from the start
    inside = covered[np.arange(n), np.minimum(death_month, 12 * years - 1)] & (death_month < 12 * years)
    inside &= death_month > covered.argmax(axis=1)  # not in the month of joining
    death_month = np.where(inside, death_month, 12 * years)
    covered &= np.arange(12 * years) <= death_month[:, None]
    by_year = covered.reshape(n, years, 12)
    months = by_year.sum(axis=2)
    died = death_month[:, None] // 12 == np.arange(years)
    death_day = rng.integers(20, 29, n)  # late in the month, so that a short stretch has room for its stays

    # What the year cost, at the prices of 2022 and then of the year.
    part = months / 12
    cost = np.where(z > _at(the.zeros ** np.sqrt(part)), _cost(the, z), 0.0) * part
    in_care = rng.standard_normal(n) + 0.5 * disabled + 0.9 * has["dementia"][:, 0] + 0.02 * (first_age - 60)
    in_care = in_care > np.quantile(in_care, 1 - the.long_term) if the.long_term else np.zeros(n, bool)
    own = rng.standard_normal(n)[:, None] * 0.95 + rng.standard_normal(shape) * np.sqrt(1 - 0.95**2)
    long_term = np.where(in_care[:, None], the.long_term_cost * np.exp(the.long_term_spread * own), 0.0) * part
    alive_part = np.minimum(1.0, (death_month[:, None] % 12 + 1) / 4)
    last = np.where(died, the.last_months * rng.lognormal(-0.32, 0.8, shape) * alive_part, 0.0)
    longest = claim_lines.longest_run((by_year * (1 << np.arange(12))).sum(axis=2))[1]
    services, stays, visits, primary = _services(
        the, rng, z, cost + last, part, has, chronic, needs["housing_need"], race == 1, died, 4 * longest, 10 * months
    )
    services["post_acute"] = services["post_acute"] + long_term
    level = np.array([np.prod([1 + the.trend[y] for y in range(2023, year + 1)]) for year in calendar])
    for name in SERVICES:
        services[name] = np.round(services[name] * level, 2)
    paid = np.round(sum(services[name] for name in SERVICES), 2)
    owes = np.minimum(the.member_share / (1 - the.member_share) * paid, the.member_most * level)

    # A few days a stay, more for those who come back often; all of them fit into the months covered.
    days = np.where(
        stays > 0, stays + rng.poisson(rng.gamma(1.1, 3.3 * stays * np.where(stays >= 4, 1.5, 1.0) + 1e-9)), 0
    )
    days = np.maximum(stays, np.minimum(days, 11 * longest))

    offered = (chronic >= 2) & (behavioral >= 1)
    engages = _reluctance(rng.random(n), z.mean(axis=1), offered.any(axis=1), willing) < the.engages
    rows = {
        "person_id": np.arange(n)[:, None],
        "year": calendar,
        "line": 0,
        "payer_type": 0,
        "dual": int(line == "dual"),
        "gender": female[:, None].astype(int),
        "race": race[:, None],
        "age": age,
        "months": months,
        "died": died,
        "paid": paid,
        "allowed": np.round(paid + owes, 2),
        **{f"{name}_paid": services[name] for name in SERVICES},
        "admissions": stays,
        "inpatient_days": days,
        "emergency_visits": visits,
        "primary_care_visits": primary,
        **has,
        "chronic_conditions": chronic,
        "behavioral_conditions": behavioral,
        **{name: flag[:, None] for name, flag in needs.items()},
        "social_needs": kinds.sum(axis=1)[:, None],
        "disabled": disabled[:, None],
        "frail": frail,
        "long_term_care": in_care[:, None],
        "provider": _providers(the, n, years, rng),
        "offered": offered,
        "engages": engages[:, None],
        "engaged": offered & engages[:, None],
        "birth_date": birth[:, None],
        "death_date": _death_date(first_year, death_month, death_day, years)[:, None],
        "covered": (by_year * (1 << np.arange(12))).sum(axis=2),
    }
    keep = (months > 0).ravel()
    columns = {name: np.broadcast_to(value, shape).ravel()[keep] for name, value in rows.items()}
    words = {  # what the numbers of these columns stand for
        "person_id": [f"{line}-{k:07d}" for k in range(1, n + 1)],
        "line": [line],
        "payer_type": ["medicare" if line == "dual" else line],
        "gender": ["male", "female"],
        "race": list(RACES),
        "provider": [f"P{k:02d}" for k in range(1, PROVIDERS + 1)],
    }
    said = {name: pd.Index(text, dtype="str").take(columns[name]) for name, text in words.items()}
    return pd.DataFrame({k: v.astype(np.int64) if v.dtype == bool else v for k, v in columns.items()} | said)


def tables(people: pd.DataFrame, *, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """A panel as the five tables of claims: every dollar, stay, visit and condition of it on dated lines.

    The lines of a service add up to the panel's column to the cent, and `member_years` gives the panel's columns back.
    Conditions are coded on every medical line of the year, so that a person without one shows none.

    >>> people = panel("medicaid", 200, rng=np.random.default_rng(1))
    >>> lines = tables(people, rng=np.random.default_rng(2))
    >>> both = lines["medical_claim"].paid_amount.sum() + lines["pharmacy_claim"].paid_amount.sum()
    >>> bool(round(both - people.paid.sum(), 2) == 0)
    True
    """
    return claim_lines.tables(people, **EVERYONE["lines"], rng=rng)


def claims(people: pd.DataFrame, *, rng: np.random.Generator) -> Claims:
    """A panel as `Claims`, held in DuckDB's memory: what `read` gives for a real folder."""
    return from_frames(tables(people, rng=rng))


def refuse_unless_possible(line: str, members: int, years: int, first_year: int, willing: float = 0.0) -> None:
    """Refuses what nobody can be made up for."""
    faults = []
    if line not in LINES:
        do = did_you_mean(line, LINES) + "name a line of business"
        faults.append(Fault("synthetic people, line", show(line), ", ".join(LINES), do))
    for name, value, top in (("members", members, 10**7), ("years", years, 10)):
        if not 1 <= value <= top:
            faults.append(Fault(f"synthetic people, {name}", show(value), f"1 to {top:,}", "give a number in between"))
    if not 0 <= willing <= 1:
        do = "0 where accepting has nothing to do with cost, 0.3 where the costlier decline"
        faults.append(Fault("synthetic people, willing", show(willing), "0 to 1", do))
    if not 2023 <= first_year <= 2032 - min(max(years, 1), 10) + 1:
        faults.append(
            Fault("synthetic people, first_year", show(first_year), "years from 2023 to 2032", "costs grow from 2022")
        )
    if faults:
        raise Refusal(faults)


def _reluctance(chance: Array, need: Array, offered: Array, willing: float) -> Array:
    """Evenly from 0 to 1, the last to accept highest: by chance, and by need as far as `willing` says.

    Among those offered care management and among the others apart, so that as many of those offered accept.
    """
    if not willing:
        return chance
    mixed = np.empty(len(chance))
    for group in (offered, ~offered):
        own = np.argsort(np.argsort(need[group], kind="stable")) + 0.5
        mixed[group] = willing * _at(own / max(len(own), 1)) + np.sqrt(1 - willing**2) * _at(chance[group])
    return np.asarray(np.interp(mixed, _GRID, _CDF))


def _to_normal(values: Array, rng: np.random.Generator) -> Array:
    """The same order on the normal scale: place in the queue -> normal quantile."""
    place = np.empty(len(values))
    place[np.argsort(values, kind="stable")] = np.arange(len(values)) + 0.5
    return _at(place / len(values))


def _at(probability: Array | float) -> Array:
    """The normal quantile, on a grid fine enough that no cost moves by a tenth of a percent."""
    return np.asarray(np.interp(probability, _CDF, _GRID))


def _cost(the: Line, z: Array) -> Array:
    """The cost at a score: the quantile of the mixture of healthy and ill spenders, scaled to the line's mean."""
    logs = np.linspace(-8, 12, 1_601)
    healthy = np.interp(logs / the.spread, _GRID, _CDF)
    ill = np.interp((logs - np.log(the.ill_times)) / the.ill_spread, _GRID, _CDF)
    below = the.zeros + (1 - the.zeros) * ((1 - the.ill) * healthy + the.ill * ill)
    mean = (1 - the.zeros) * (
        (1 - the.ill) * np.exp(the.spread**2 / 2) + the.ill * the.ill_times * np.exp(the.ill_spread**2 / 2)
    )
    inside = (below > _CDF[0]) & (below < _CDF[-1]) & (np.diff(below, prepend=-1) > 0)
    scores = np.interp(below[inside], _CDF, _GRID)
    return np.asarray(np.exp(np.interp(z, scores, logs[inside])) * the.mean / mean)


def _covered(the: Line, n: int, years: int, rng: np.random.Generator) -> Array:
    """Which months each member is covered: joins, leaves, perhaps returns within the year."""
    every = 12 * years
    late = rng.random(n) < the.newcomers * (years - 1 / 2) / (1 + the.newcomers * (years - 1 / 2))
    start = np.where(late, rng.integers(1, every, n), 0)
    covered = np.zeros((n, every), bool)
    hazard = 1 - (1 - the.leave) ** (1 / 12)
    returns_at = np.full(n, -1)
    inside = start == 0
    for month in range(every):
        if month:
            leaves = inside & (rng.random(n) < hazard)
            gap = np.minimum(rng.geometric(0.28, n), 11)
            returns_at = np.where(leaves, np.where(rng.random(n) < the.back, month + gap, -1), returns_at)
            inside = (inside & ~leaves) | (start == month) | (returns_at == month)
        covered[:, month] = inside
    return covered


def _services(
    the: Line,
    rng: np.random.Generator,
    z: Array,
    cost: Array,
    part: Array,
    has: Mapping[str, Array],
    chronic: Array,
    housing: Array,
    black: Array,
    died: Array,
    most_stays: Array,
    most_visits: Array,
) -> tuple[dict[str, Array], Array, Array, Array]:
    """Cost by service, and the stays and visits that explain it: use never costs more than the year did."""
    shape = z.shape
    minds = has["smi"] | has["depression"]
    # Stays take a larger part of a costlier year; the rest of the year must still pay for a doctor.
    bite = the.stay_share * cost / (cost + the.stay_price) * (1 + 0.25 * has["sud"] + 0.25 * has["heart_failure"])
    price = the.stay_price * (0.6 + np.sqrt(cost / (3 * the.stay_price)))  # costlier years have costlier stays
    expected = np.where(cost > 0.4 * the.stay_price, bite * cost / price, 0.0) * (1 + 0.5 * died)
    habit = rng.gamma(2.0, 1 / 2.0, shape[0])[:, None]  # some people go to the hospital for what others do not
    stays = rng.poisson(expected * habit * (1 + 0.4 * has["smi"]) * rng.gamma(8, 1 / 8, shape))
    stays = np.minimum(np.minimum(stays, most_stays), (cost / (0.35 * the.stay_price)).astype(int))
    inpatient = np.minimum(stays * price * rng.lognormal(-0.08, 0.4, shape), 0.88 * cost)
    left = cost - inpatient

    often = 0.30 * z + 0.55 * has["smi"] + 0.70 * has["sud"] + 0.25 * minds + 0.10 * np.minimum(chronic, 5)
    often = (
        often + 0.35 * housing[:, None] + 0.70 * black[:, None]
    )  # Black patients: 1.9 times the visits (NCHS DB 503)
    visits = rng.poisson(the.visit_rate * np.exp(often) * part * rng.gamma(0.7, 1 / 0.7, shape))
    visits = np.minimum(np.minimum(visits, most_visits), (left / (1.6 * the.visit_price)).astype(int))
    emergency = np.minimum(visits * the.visit_price * rng.lognormal(-0.08, 0.4, shape), 0.6 * left)
    left = left - emergency

    bigger = {
        "outpatient": 1 + 1.5 * has["cancer"] + 6 * has["esrd"],
        "professional": np.ones(shape),
        "behavioral": 0.15 + 5.0 * has["smi"] + 2.0 * minds + 3.0 * has["sud"],
        "post_acute": 0.25 + 1.2 * (stays > 0) + 2.0 * died + 0.8 * has["dementia"],
        "pharmacy": 1 + 0.4 * has["diabetes"] + 0.8 * has["cancer"] + 0.3 * has["smi"],
    }
    drawn = {name: rng.gamma(4 * share, 1, shape) * bigger[name] for name, share in the.split.items()}
    drawn["post_acute"] = drawn["post_acute"] * ((stays > 0) | (left > 4_000))
    drawn["professional"] = drawn["professional"] + 0.02
    whole = sum(drawn.values())
    services = {name: left * weight / whole for name, weight in drawn.items()}
    for name in ("outpatient", "behavioral", "post_acute", "pharmacy"):  # no service for a few dollars
        small = services[name] < 20
        services["professional"] = services["professional"] + np.where(small, services[name], 0)
        services[name] = np.where(small, 0, services[name])
    primary = rng.poisson(the.primary_care * (0.7 + 0.25 * np.minimum(chronic, 4)) * part * np.exp(0.15 * z))
    primary = np.minimum(np.minimum(primary, most_visits), (services["professional"] / 70).astype(int))
    return services | {"inpatient": inpatient, "emergency": emergency}, stays, visits, primary


def _providers(the: Line, n: int, years: int, rng: np.random.Generator) -> Array:
    """The number of the provider each member is attributed to: large and small; most have the same next year."""
    sizes = 1 / (np.arange(PROVIDERS) + 3)
    held = np.empty((n, years), int)
    held[:, 0] = rng.choice(PROVIDERS, n, p=sizes / sizes.sum())
    for year in range(1, years):
        other = (held[:, year - 1] + rng.integers(1, PROVIDERS, n)) % PROVIDERS
        held[:, year] = np.where(rng.random(n) < the.stays_attributed, held[:, year - 1], other)
    return held


def _death_date(first_year: int, month: Array, day: Array, years: int) -> Array:
    """A day in the month of death, or no date for those who live."""
    first = np.datetime64(f"{first_year}-01", "M")
    date = (first + month.astype("timedelta64[M]")).astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    return np.where(month < 12 * years, date, np.datetime64("NaT", "D")).astype("datetime64[s]")
