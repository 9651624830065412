"""Where the contracts of the gallery are: inside an installed or packed copy, or beside `src/` in a checkout."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from .refusal import Fault, Refusal, did_you_mean


def gallery(name: str = "") -> Traversable:
    """A contract file of the gallery by its name, such as `mssp/track-1`; without a name, the gallery's folder.

    >>> gallery("shared-savings").name
    'shared-savings.yaml'
    """
    inside: Traversable = files("carecontracts") / "gallery"
    folder = inside if inside.is_dir() else Path(__file__).parents[2] / "contracts"
    if not name:
        return folder
    file = folder / f"{name}.yaml"
    if not file.is_file():
        known = gallery_names()
        raise Refusal([Fault("gallery", name, ", ".join(known), did_you_mean(name, known) + "name one of these")])
    return file


def gallery_names() -> list[str]:
    """Every contract in the gallery.

    >>> "shared-savings" in gallery_names()
    True
    """
    folder = gallery()
    names = []
    for item in folder.iterdir():
        if item.is_dir():
            names += [f"{item.name}/{file.name[:-5]}" for file in item.iterdir() if file.name.endswith(".yaml")]
        elif item.name.endswith(".yaml"):
            names.append(item.name[:-5])
    return sorted(names)
