"""The map in README.md is the tree, and the arrows in it are the imports."""

import ast
import fnmatch
import importlib.metadata
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "carecontracts"
TREE, ARROWS = re.findall(r"(?ms)^```\n(.*?)^```", (ROOT / "README.md").read_text("utf-8").split("## The map")[1])


def mapped() -> set[Path]:
    """Every path the map names: names stand at the start of a line, two spaces apart, before the words about them."""
    paths, folder = set(), ROOT
    for line in TREE.splitlines():
        names = re.match(r"( *)((?:[\w.-][\w./-]*(?:  ?(?=[\w.-]+[./])|(?=  |$)))+)", line)
        assert names, f"no name in: {line!r}"
        found = [(folder if names[1] else ROOT) / name for name in names[2].split()]
        if not names[1] and found[0].is_dir():
            folder = found[0]
        paths.update(found)
    return paths


def unmapped(folder: Path, ignored: list[str]) -> set[str]:
    named = {path.relative_to(folder).parts[0] for path in mapped() if path.is_relative_to(folder) and path != folder}
    here = {
        path.name for path in folder.iterdir() if not any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored)
    }
    return here - named


IGNORED = [line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines() if line]
HOUSEKEEPING = [".git", ".gitignore", ".npmrc", ".ipython"]


def test_everything_on_the_map_is_there():
    assert [str(path.relative_to(ROOT)) for path in mapped() if not path.exists()] == []


def test_everything_there_is_on_the_map():
    assert unmapped(ROOT, IGNORED + HOUSEKEEPING) == set()


def test_every_room_of_the_package_is_on_the_map():
    assert unmapped(PACKAGE, [*IGNORED, "__init__.py", "py.typed"]) == set()


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports() -> set[tuple[str, str, str]]:
    """(who, whom, where) for each import of one room by another."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE.parent).with_suffix("").parts
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = ".".join(here[: len(here) - node.level]) if node.level else ""
                whole = ".".join(part for part in (base, node.module) if part)
                names = [f"{whole}.{alias.name}" for alias in node.names]
            for name in names:
                top, _, rest = name.partition(".")
                whom = rest.split(".")[0]
                if top == "carecontracts" and (PACKAGE / whom).is_dir() | (PACKAGE / f"{whom}.py").is_file():
                    found.add((room(path), whom, f"{path.relative_to(ROOT)}:{node.lineno}"))
    return {(who, whom, where) for who, whom, where in found if who not in (whom, "__init__")}


def allowed() -> dict[str, set[str]]:
    """The rooms that each room may import: those its arrows come from, those theirs come from, and its neighbours."""
    left: dict[str, set[str]] = {}
    for line in ARROWS.splitlines():
        groups = [[name.strip() for name in group.split(",")] for group in line.split("->")]
        for i, group in enumerate(groups):
            for name in group:
                left.setdefault(name, set()).update(*groups[:i], *([groups[i]] if len(group) > 1 else []))
    for _ in left:
        for name in left:
            left[name] |= {further for near in left[name] for further in left[near]}
    return left


def test_every_room_has_its_place_among_the_arrows():
    rooms = {room(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert set(allowed()) == rooms


def test_contributing_draws_the_same_arrows():
    assert ARROWS in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_no_import_points_back():
    may = allowed()
    assert [f"{where} imports {whom}" for who, whom, where in sorted(imports()) if whom not in may[who]] == []


def test_no_two_rooms_import_each_other():
    graph: dict[str, set[str]] = {}
    for who, whom, _ in imports():
        graph.setdefault(who, set()).add(whom)
    assert list(TopologicalSorter(graph).static_order())


def test_the_package_never_mentions_the_book():
    said = re.compile(r"\b(jupyter|myst|sphinx|nbclient|notebooks?/|book/)", re.I)
    found = [path for path in PACKAGE.rglob("*.py") if said.search(path.read_text("utf-8"))]
    assert found == []


def loaded_by(code: str) -> set[str]:
    """The modules outside the standard library that are loaded once this has run, by their first name."""
    listing = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    out = subprocess.check_output([sys.executable, "-c", f"{code}\n{listing}"], text=True)
    return set(out.split()) - sys.stdlib_module_names


def test_importing_loads_pydantic_and_yaml_and_nothing_else():
    kin = {
        "carecontracts",
        "pydantic",
        "pydantic_core",
        "annotated_types",
        "typing_extensions",
        "typing_inspection",
        "yaml",
    }
    installed = importlib.metadata.packages_distributions()
    new = loaded_by("import carecontracts.clauses, carecontracts.paper") - loaded_by("pass")
    assert "carecontracts" in new
    assert {name for name in new if name in installed} <= kin | {"_yaml"}
