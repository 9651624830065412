"""Pictures for notebooks and chapters: the only file that knows matplotlib."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from itertools import combinations, cycle
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

# Blue, orange, green, purple and grey that stay apart for color-blind readers and in print (Okabe and Ito).
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#8A4F93", "#5F6B76"

STYLE: Any = {
    "svg.fonttype": "none",  # letters stay letters: small files that can be searched
    "svg.hashsalt": "carecontracts",  # the same picture is the same bytes
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#D9DEE3",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


class Picture:
    """A drawing whose title states the finding and whose alternative text says it to those who do not see it."""

    def __init__(self, figure: Figure, alt: str) -> None:
        if len(alt) < 40:
            raise ValueError("alternative text says what the picture shows, in a sentence or two")
        self.figure, self.alt = figure, alt
        for ax in figure.axes:  # titles stand at the left edge of the whole picture, like a sentence
            title = ax.get_title()
            ax.set_title("")
            if title:
                figure.suptitle(title, x=0, ha="left", fontsize=12, fontweight="bold")

    def svg(self) -> bytes:
        file = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            self.figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
        return file.getvalue()

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.svg()).decode()
        return f'<img class="picture" alt="{escape(self.alt)}" src="data:image/svg+xml;base64,{data}">'


def axes(width: float = 7.2, height: float = 3.8, **options: Any) -> tuple[Figure, Any]:
    """A figure and its axes in the house style, outside of pyplot: nothing is shown twice or kept open."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(**options)


COLORS = (BLUE, ORANGE, GREY, GREEN, PURPLE)


def lines(
    x: Sequence[float],
    by_name: Mapping[str, Any],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    alt: str = "",
    colors: Sequence[str] = COLORS,
    at: float | None = None,
    level: tuple[str, float] | None = None,
    legend: str = "best",
    **options: Any,
) -> Picture:
    """A line for each name; `at` is a dotted line upright, `level` a named one across, `options` are set on the axes.

    Without `alt` the title is the finding, and where each line begins and ends is added to it.

    >>> lines([0, 10], {"saved": [0, 2]}, title="More is saved", xlabel="Months", ylabel="Dollars", at=5.0,
    ...       level=("payroll", 1.0)).alt
    'More is saved. Line chart of dollars by months, from 0 to 10. Saved: 0 to 2. Payroll: 1.'
    """
    figure, ax = axes()
    for (name, y), color in zip(by_name.items(), cycle(colors)):
        ax.plot(x, np.broadcast_to(y, np.shape(x)), color=color, lw=2.2, label=_plain(name))
    if at is not None:
        ax.axvline(at, color="black", lw=1, ls=":")
    if level:
        ax.axhline(level[1], color="black", lw=1, ls=":" if level[0] else "-")
        ax.annotate(_plain(level[0]), (0.01, level[1]), (0, 3), xycoords=("axes fraction", "data"),
                    textcoords="offset points")  # fmt: skip
    ax.set(xlabel=_plain(xlabel), ylabel=_plain(ylabel), **options)
    if len(by_name) > 1:
        ax.legend(loc=legend)
    ax.set_title(_plain(title))
    ends = {name: f"{_first(y)} to {_last(y)}" for name, y in by_name.items()}
    told = ends | ({level[0]: f"{level[1]:,.4g}"} if level and level[0] else {})
    return Picture(
        figure,
        alt
        or _told(title, f"Line chart of {_lower(ylabel)} by {_lower(xlabel)}, from {_first(x)} to {_last(x)}", told),
    )


def bars(
    labels: Sequence[str],
    by_name: Mapping[str, Any],
    *,
    title: str,
    ylabel: str,
    xlabel: str = "",
    alt: str = "",
    colors: Sequence[str] = COLORS,
    line: tuple[str, Any] | None = None,
    legend: str = "best",
    **options: Any,
) -> Picture:
    """Bars beside each other, one of each name over every label; `line` is one more, drawn as points on a line.

    >>> bars(["few", "many"], {"paid": [2, 1]}, title="Fewer pay", ylabel="Dollars", line=("usual", [1, 1])).alt
    'Fewer pay. Bar chart of dollars. Paid: few 2, many 1. Usual: few 1, many 1.'
    """
    figure, ax = axes()
    places, width = np.arange(len(labels)), 0.72 / len(by_name)
    for n, ((name, heights), color) in enumerate(zip(by_name.items(), cycle(colors))):
        ax.bar(places + (n - (len(by_name) - 1) / 2) * width, heights, width=width, color=color, label=_plain(name))
    if line:
        ax.plot(places, line[1], "o-", color=colors[len(by_name) % len(colors)], lw=2.2, label=_plain(line[0]))
    ax.axhline(0, color="black", lw=0.8)
    ax.set_xticks(places, [_plain(label) for label in labels])
    ax.set(xlabel=_plain(xlabel), ylabel=_plain(ylabel), **options)
    if len(by_name) > 1 or line:
        ax.legend(loc=legend)
    ax.set_title(_plain(title))
    shown = {**by_name, **({line[0]: line[1]} if line else {})}
    told = {
        name: ", ".join(f"{label} {height:,.4g}" for label, height in zip(labels, heights, strict=True))
        for name, heights in shown.items()
    }
    by = f" by {_lower(xlabel)}" if xlabel else ""
    return Picture(figure, alt or _told(title, f"Bar chart of {_lower(ylabel)}{by}", told))


def edges(*drawn: Any, count: int = 50) -> Any:
    """The edges of so many bins that hold all that was drawn, apart even where nothing differs.

    >>> edges([1.0, 1.0], count=2).round(2).tolist()
    [0.99, 1.0, 1.01]
    """
    every = np.concatenate(drawn, axis=None)
    low, high = float(every.min()), float(every.max())
    room = 0.01 * max(abs(low), abs(high), high - low) or 0.01
    return np.linspace(low - room, high + room, count + 1)


def histogram(
    by_name: Mapping[str, Any],
    *,
    title: str,
    xlabel: str,
    alt: str = "",
    at: float | None = 0.0,
    colors: Sequence[str] = (ORANGE, BLUE),
) -> Picture:
    """How often each amount was drawn, one outline for each name; `at` is a line upright.

    >>> histogram({"no effect": [1.0, 2.0]}, title="It strays", xlabel="Dollars").alt
    'It strays. Histogram of dollars. No effect: 1 to 2, 1.5 on average.'
    """
    figure, ax = axes(height=3.6)
    bins = edges(*by_name.values())
    for (name, drawn), color in zip(by_name.items(), cycle(colors)):
        weights = np.full(len(drawn), 100 / len(drawn))
        ax.hist(drawn, bins=bins, histtype="step", color=color, lw=2, weights=weights, label=_plain(name))
    if at is not None:
        ax.axvline(at, color="black", lw=1)
    ax.set(xlabel=_plain(xlabel), ylabel="Draws, %")
    ax.legend(loc="best")
    ax.set_title(_plain(title))
    told = {n: f"{np.min(x):,.4g} to {np.max(x):,.4g}, {np.mean(x):,.4g} on average" for n, x in by_name.items()}
    return Picture(figure, alt or _told(title, f"Histogram of {_lower(xlabel)}", told))


def _told(title: str, chart: str, parts: Mapping[str, str]) -> str:
    """Alternative text: the finding, what the chart is of, and its numbers."""
    finding = " ".join(title.replace("\\$", "$").split())
    said = "".join(f" {name[0].upper()}{name[1:]}: {part}." for name, part in parts.items())
    return f"{finding}. {chart}.{said}"


def _first(y: Any) -> str:
    return f"{np.ravel(y)[0]:,.4g}"


def _last(y: Any) -> str:
    return f"{np.ravel(y)[-1]:,.4g}"


def _lower(label: str) -> str:
    return label if label[1:2].isupper() else label[0].lower() + label[1:]


def _plain(text: str) -> str:
    """Text in which two dollar signs do not make a formula."""
    return text.replace("\\$", "$").replace("$", r"\$")


def overlap(released: Any, names: Sequence[str], title: str, alt: str) -> Picture:
    """Who is on which lists: a bar for each combination, with dots below it for the lists that it is of.

    `released` is `Crosswalk.released()`: a combination that is hidden there has no bar here. Above each bar stand the
    people, and what they cost a year before and after.
    """
    rows = released[released["on"].isin(_combinations(names))]
    figure, (bars, dots) = axes(
        7.2, 2.6 + 0.45 * len(names) + 0.9, nrows=2, sharex=True, height_ratios=[2.6, 0.45 * len(names)]
    )
    places = range(len(rows))
    shown = [0 if isinstance(n, str) else n for n in rows.people]
    bars.bar(places, shown, color=BLUE, width=0.62)
    for place, row in zip(places, rows.itertuples(index=False), strict=True):
        hidden = isinstance(row.people, str)
        text = "hidden" if hidden else f"{row.people:,}\n\\${row.cost / 1000:,.0f}k → \\${row.next_cost / 1000:,.0f}k"
        bars.annotate(
            text, (place, 0 if hidden else row.people), (0, 3), textcoords="offset points", ha="center", fontsize=9
        )
    bars.set(ylabel="People", ylim=(0, 1.28 * max([1, *shown])))
    bars.tick_params(bottom=False)
    for place, on in zip(places, rows["on"], strict=True):
        on_lists = [n for n, name in enumerate(names) if name in on.split(" and ")]
        dots.plot([place] * len(names), range(len(names)), "o", color="#D9DEE3", ms=9)
        dots.plot([place] * len(on_lists), on_lists, "o-", color=BLUE, ms=9, lw=2)
    dots.set_yticks(range(len(names)), names)
    dots.set(xticks=[], ylim=(len(names) - 0.5, -0.5), xlim=(-0.6, len(rows) - 0.4))
    dots.grid(False)
    for side in ("bottom", "left"):
        dots.spines[side].set_visible(False)
    dots.tick_params(left=False)
    bars.set_title(title)
    return Picture(figure, alt)


def _combinations(names: Sequence[str]) -> set[str]:
    every = (chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size))
    return {" and ".join(chosen) for chosen in every}
