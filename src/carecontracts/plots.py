"""Pictures for notebooks and chapters: the only file that knows matplotlib."""

import base64
import io
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Blue, orange, green, purple and grey that stay apart for colour-blind readers and in print (Okabe and Ito).
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
