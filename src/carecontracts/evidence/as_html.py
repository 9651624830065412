"""The library and the organizations as HTML that needs nothing else: no script, no network, no kernel.

The filter is made of radio buttons and a style that hides the rows they rule out, so it works on a page that was built
long ago, with a keyboard and in the dark. A browser that does not know the style shows every row.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from urllib.parse import urlsplit

from ..refusal import many
from .library import Effect, Program
from .organizations import CRITERIA, Criterion, Organization, Paid

FINDINGS = {
    ("total_cost", "better"): "fell",
    ("total_cost", "worse"): "rose",
    ("net_cost", "better"): "fell by more than it cost",
    ("net_cost", "worse"): "fell by less than it cost",
    ("net_cost", "no difference"): "no net savings",
}
INTERVALS = {"90%": "a 90% interval", "sensitivity": "a sensitivity analysis, not an interval", "range": "a range"}
UNITS = {"percent": "%", "percentage points": " points", "percent chance": "% chance"}
LINES = {
    "medicaid": "Medicaid",
    "medicare": "Medicare",
    "dual": "Both",
    "commercial": "Commercial",
    "va": "Veterans",
    "mixed": "Mixed",
}
# Who reports a figure that was not seen in its primary source, by key of the bibliography.
REPORTERS = {
    "acp2020impact": "the American College of Physicians",
    "ajc2023wpc": "the Associated Press",
    "ashecon2016cpc": "the evaluators' conference abstract",
    "bcp_iah5": "the Better Care Playbook",
    "bcp_landmark": "the Better Care Playbook",
    "bcp_pioneer": "the Better Care Playbook",
    "bondbuyer2015rikers": "The Bond Buyer",
    "ctac2024palliative": "the Coalition to Transform Advanced Care",
    "darwin_iocp": "Darwin Research Group",
    "ecare2009lifemasters": "e-CareManagement",
    "fierce2022contracosta": "Fierce Healthcare",
    "hca2019washington": "the state's Health Care Authority",
    "hcinnovation2020caremore": "Healthcare Innovation",
    "hcinnovation_landmark": "Healthcare Innovation",
    "healthaffairs2015pacci": "the pilots' evaluators and conveners on the Health Affairs Blog",
    "iowa2016news": "the University of Iowa",
    "iowa_matched": "Reference Citation Analysis",
    "massgeneral2011": "the hospital itself",
    "modernhealthcare2016washington": "Modern Healthcare",
    "modernhealthcare_iah6": "Modern Healthcare",
    "ncpa2012cbo": "the National Center for Policy Analysis",
    "nysdoh2009cidp": "the state's Department of Health",
    "olr2012cbo": "OLR Reporter",
    "paltc_iah7": "AMDA",
    "pasafetynet_hennepin": "the Safety Net Association of Pennsylvania",
    "pcpcc_iowa": "the Patient-Centered Primary Care Collaborative",
    "pcpcc_missouri": "the Patient-Centered Primary Care Collaborative",
    "protomag_mgh": "Proto Magazine",
    "relias_mgh": "Relias Media",
    "safetynet2023wpc": "the California Health Care Safety Net Institute",
    "straighttalk2020camden": "Straight Talk on Evidence",
    "techtarget_missouri": "TechTarget",
    "wolterskluwer2015fqhc": "Wolters Kluwer",
    "wsr2013healthhomes": "the Washington State Register",
}
_RANDOMIZED = {"randomized", "encouragement"}
_UNCOMPARED = {"before and after", "historical control", "review", "none"}


class Html:
    """A piece of a page."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


class Filter:
    """One question with its answers: the words of each, and which rows it keeps."""

    def __init__(self, name: str, words: str, answers: Sequence[tuple[str, str, Callable[[Program], bool]]]) -> None:
        self.name, self.words, self.answers = name, words, answers


FILTERS = (
    Filter(
        "design",
        "How it was studied",
        [
            ("randomized", "Randomized", lambda row: row.design in _RANDOMIZED),
            ("compared", "Compared", lambda row: row.design not in _RANDOMIZED | _UNCOMPARED),
            ("uncompared", "Not compared", lambda row: row.design in _UNCOMPARED),
        ],
    ),
    Filter(
        "line",
        "Who pays",
        [
            ("medicaid", "Medicaid", lambda row: row.line in ("medicaid", "dual", "mixed")),
            ("medicare", "Medicare", lambda row: row.line in ("medicare", "dual", "mixed")),
            ("commercial", "Commercial", lambda row: row.line in ("commercial", "mixed")),
            ("va", "Veterans", lambda row: row.line == "va"),
        ],
    ),
    Filter(
        "cost",
        "What cost did",
        [
            ("fell", "Fell", lambda row: row.finding == "better"),
            ("same", "No difference", lambda row: row.finding == "no difference"),
            ("other", "Untested or not seen", lambda row: row.finding in ("not tested", "not seen", "worse")),
        ],
    ),
)

STYLE = """
.evidence fieldset { border: 0; margin: 0 0 .4rem; padding: 0 0 0 10.5em; position: relative; }
.evidence legend { position: absolute; left: 0; top: .15em; width: 10em; float: none; margin: 0; padding: 0;
  font-size: 1em; font-weight: 600; pointer-events: none; }
.evidence fieldset > div { display: flex; flex-wrap: wrap; column-gap: .9rem; }
.evidence label { display: inline-flex; gap: .35em; align-items: center; min-height: 1.75rem; cursor: pointer; }
.evidence table { width: 100%; margin-top: .75rem; }
.evidence :is(th, td) { text-align: left; vertical-align: top; }
.evidence tbody th { font-weight: normal; width: 38%; }
.evidence .short { white-space: nowrap; }
.evidence summary { font-weight: 600; cursor: pointer; }
.evidence dl { margin: .5rem 0 0; }
.evidence dt { font-weight: 600; margin-top: .4rem; }
.evidence dd { margin: 0; }
.evidence dd + dd { margin-top: .25rem; }
@media (max-width: 40rem) {
  .evidence fieldset { padding: 0; }
  .evidence legend { position: static; }
  .evidence thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .evidence table.table.table tr > :is(th, td) { display: block; width: auto; padding: .1rem 0; border: 0 !important; }
  .evidence :is(table, tbody, tr) { display: block; }
  .evidence tbody tr { padding: .5rem 0; border-bottom: 1px solid var(--pst-color-border, currentColor); }
  .evidence td:empty { display: none !important; }
  .evidence td::before { content: attr(data-head) ": "; font-weight: 600; }
}
"""


def filterable(rows: Iterable[Program], filters: Sequence[Filter] = FILTERS) -> Html:
    """The library as a table with a filter over it; each row unfolds into all that is known of the program."""
    rows = list(rows)
    style = STYLE + "".join(
        f".evidence:has(#evidence-{f.name}-{key}:checked) tr:not(.{f.name}-{key}):not(.head) {{ display: none; }}\n"
        for f in filters
        for key, _, _ in f.answers
    )
    choices = "".join(_choice(f, rows) for f in filters)
    head = "".join(f'<th scope="col">{words}</th>' for words in ("Program", "Study", "Total cost", "Followed"))
    body = "".join(_row(row, filters) for row in rows)
    return Html(
        f'<div class="evidence"><style>{style}</style><form>{choices}</form>'
        f'<table class="table"><thead><tr class="head">{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def profiles(rows: Iterable[Organization]) -> Html:
    """The organizations as a table: each criterion, whether it is met and why, and how the work was paid."""
    head = "".join(
        f'<th scope="col">{w}</th>' for w in ("Organization", *(c.capitalize() for c in CRITERIA), "Paid by")
    )
    body = "".join(
        f'<tr><th scope="row"><strong>{escape(row.name)}</strong><br>{escape(row.what)}</th>'
        + "".join(
            f'<td data-head="{name.capitalize()}"><strong>{c.met.capitalize()}.</strong> '
            f"{escape(_if_secondary(c))}</td>"
            for name, c in row.criteria().items()
        )
        + f'<td data-head="Paid by">{escape(_if_secondary(row.paid))}</td></tr>'
        for row in rows
    )
    style = STYLE.replace("width: 38%", "width: 22%")
    return Html(
        f'<div class="evidence"><style>{style}</style><table class="table"><thead><tr class="head">{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def said(effect: Effect) -> str:
    """An effect in words: its estimate, its interval or p-value, and what they say.

    >>> from .library import load
    >>> said(load()["caremore-memphis"].pooled())
    'total medical spending: −7,732 (−14,914 to −550) dollars per person-year; p = 0.036; better'
    """
    unit = UNITS.get(effect.unit, " " + effect.unit)
    text = ""
    if effect.estimate is not None:
        kind = "" if effect.interval == "95%" else f", {INTERVALS.get(effect.interval, effect.interval)}"
        interval = "" if effect.low is None else f" ({_number(effect.low)} to {_number(effect.high)}{kind})"
        text = f" {_number(effect.estimate)}{interval}{unit};"
    p = f" p = {effect.p:g};" if effect.p else f" p < {effect.p_below:g};" if effect.p_below else ""
    return f"{effect.words}:{text}{p} {effect.finding}"


def _number(x: float | None) -> str:
    return "" if x is None else f"{x:,.10g}".replace("-", "−")


def _choice(f: Filter, rows: Sequence[Program]) -> str:
    def button(key: str, words: str, count: int, checked: str = "") -> str:
        return (
            f'<label><input type="radio" name="evidence-{f.name}" id="evidence-{f.name}-{key}"{checked}>'
            f" {escape(words)} ({count})</label>"
        )

    buttons = [button("all", "All", len(rows), " checked")]
    buttons += [button(key, words, sum(keeps(row) for row in rows)) for key, words, keeps in f.answers]
    return f"<fieldset><legend>{escape(f.words)}</legend><div>{''.join(buttons)}</div></fieldset>"


def _row(row: Program, filters: Sequence[Filter]) -> str:
    classes = " ".join(f"{f.name}-{key}" for f in filters for key, _, keeps in f.answers if keeps(row))
    relative = row.relative()
    cost = FINDINGS.get((row.cost_effect.outcome, row.finding), row.finding) if row.cost_effect else row.finding
    if relative and not relative.within_chance:
        cost += f"; {_number(round(-100 * relative.reduction, 1))}% (±{196 * relative.se:.0f})"
    facts = [
        ("People", row.population),
        ("Where", row.setting),
        ("What they got", row.dose),
        ("What it cost", _with_source(row.cost.words, row.cost.by)),
        ("How it was paid", _with_source(row.payment.words, row.payment.by)),
        ("Not seen", row.not_seen),
    ]
    if row.not_pooled:
        facts.append(("Not in the pooled estimate", row.not_pooled))
    effects = "".join(f"<dd>{escape(_with_source(said(e), e.by) + _noted(e))}</dd>" for e in row.effects)
    record = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    study = f"{LINES[row.line]}, {row.design}; {row.size.words}"
    months = many(row.months, "month") if row.months else ""
    source = f'<a href="{escape(row.url)}">{escape(urlsplit(row.url).netloc)}</a>'
    return (
        f'<tr class="{classes}"><th scope="row"><details><summary>{escape(row.name)}</summary>'
        f"<dl>{record}<dt>What changed</dt>{effects}"
        f"<dt>Source</dt><dd>{source}</dd></dl></details></th>"
        f'<td data-head="Study">{escape(study)}</td><td data-head="Total cost">{escape(cost)}</td>'
        f'<td data-head="Followed" class="short">{months}</td></tr>'
    )


def _noted(effect: Effect) -> str:
    """What is to be known of a figure, as a sentence after it."""
    return f". {effect.note[0].upper()}{effect.note[1:]}." if effect.note else ""


def _if_secondary(told: Criterion | Paid) -> str:
    """The words, and who reports them where that is not the source itself."""
    return _with_source(told.words, told.by if told.by in REPORTERS else None)


def _with_source(words: str, by: str | None) -> str:
    return f"{words} (as reported by {REPORTERS[by]})" if by else words
