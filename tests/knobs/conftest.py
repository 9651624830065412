"""Driving a notebook in this process: its cells in one namespace, some knobs turned, and all that it shows kept."""

import ast
import contextlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import IPython.display
import matplotlib as mpl
import pytest
from ipywidgets import FloatSlider, VBox
from matplotlib.text import Text

import carecontracts.notebook
from carecontracts.chance import convolution
from carecontracts.plots import Picture

mpl.use("Agg")
ROOT = Path(__file__).parents[2]
total = cache(convolution.total)  # the same people, again and again while other knobs are turned


@cache
def cells(path: Path) -> tuple[tuple[str, bool], ...]:
    """The code of a notebook, and which of it holds the knobs."""
    code = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    return tuple(("".join(cell["source"]), "knobs" in cell["metadata"].get("tags", [])) for cell in code)


def knobs_of(path: Path) -> list[str]:
    """The names that the cell of knobs gives a value, in order."""
    found = []
    for source, knobs in cells(path):
        for node in ast.parse(source).body if knobs else ():
            if isinstance(node, ast.Assign):
                found += [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    return found


@dataclass
class Driven:
    """What a run left behind: its names, every text that it showed, what it pasted, and its pictures and panels."""

    names: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    pasted: dict[str, Any] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)
    panels: list[VBox] = field(default_factory=list)

    def show(self, *shown: Any, **_: Any) -> None:
        for value in shown:
            if isinstance(value, Picture):
                self.pictures.append(value)
                self.texts += [value.alt, *(text.get_text() for text in value.figure.findobj(Text))]
            elif isinstance(value, VBox):
                self.panels.append(value)
            else:
                self.texts += list(_words(value))

    def paste(self, form: Any = None, /, **values: Any) -> None:
        say = form.format if isinstance(form, str) else form or (lambda value: value)
        self.pasted |= {name: say(value) for name, value in values.items()}

    def __getitem__(self, name: str) -> Any:
        return self.names[name]


def _words(value: Any) -> Iterator[str]:
    for how in ("_repr_html_", "_repr_markdown_"):
        if callable(getattr(value, how, None)) and (text := getattr(value, how)()):
            yield re.sub(r"<[^>]+>", " ", text) if how == "_repr_html_" else text
            return
    if value is not None:
        yield str(getattr(value, "data", None) or value)


def turn(path: Path, knobs: Mapping[str, Any], thorough: bool = False) -> Driven:
    """The notebook with these knobs at these values; `thorough` also draws every picture and moves every slider."""
    run = Driven({"__name__": "__main__"})
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(IPython.display, "display", run.show)
        patch.setattr(carecontracts.notebook, "paste", run.paste)
        patch.setattr(convolution, "total", total)
        patch.chdir(path.parent)
        for source, with_knobs in cells(path):
            _execute(source, run, knobs if with_knobs else {}, path)
        if thorough:
            for picture in run.pictures:
                assert picture.svg()
            for panel in run.panels:
                for slider in panel.children:
                    if isinstance(slider, FloatSlider):
                        stood, ends = slider.value, (slider.min, slider.max)
                        for slider.value in (*ends, stood):
                            pass
    run.texts += printed.getvalue().splitlines()
    return run


def _execute(source: str, run: Driven, knobs: Mapping[str, Any], path: Path) -> None:
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in knobs:
            run.names[f"_{node.targets[0].id}"] = knobs[node.targets[0].id]
            node.value = ast.copy_location(ast.Name(f"_{node.targets[0].id}", ast.Load()), node.value)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), run.names)
    if isinstance(last, ast.Expr):
        run.show(eval(compile(ast.Expression(last.value), str(path), "eval"), run.names))


@pytest.fixture(scope="session")
def driving() -> Any:
    """`turn` and `knobs_of`, for tests that import nothing from here."""
    return turn
