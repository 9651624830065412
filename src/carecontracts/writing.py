"""The one place that writes: every path is checked before the work, written whole beside, and renamed last.

    with Outputs(inputs=[contract, years]) as outputs:
        statement = outputs.file(out)          # None stays None
        ...                                    # the work; nothing is on the disk yet
        outputs.put(statement, text)

Whatever happens before the end, the old files stand. At the end all files are whole beside their places, then each is
renamed into its place, which a disk does at once or not at all. A folder of tables is made whole in the same way, so a
half folder never has its name.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from .refusal import Fault, Refusal

Source = Path | str


class Outputs:
    """What a command will write. Leaving the block without an error puts everything in its place; an error, nothing.

    `inputs` are what the command reads; what is no path, such as a database's address or a name, is no matter.
    `written` tells afterwards what was done, a sentence for each output.
    Raises: Refusal with every path that cannot be written, that is an input or another output, before any work.
    """

    def __init__(self, inputs: Iterable[Source | None] = ()) -> None:
        self.inputs = [Path(each) for each in inputs if each is not None and os.path.exists(each)]
        self.written: list[str] = []
        self._beside: dict[Path, Path] = {}  # the place, and what is made for it beside
        self._made: set[Path] = set()  # folders that are made for files in them
        self._faults: list[Fault] = []

    # --- before the work ---

    def file(self, path: Path | None) -> Path | None:
        """A file to be written: a new one, or one that is replaced."""
        if path is not None and self._may(path, "file"):
            self._beside[path] = path.with_name(f".{path.name[:80]}.{os.getpid()}.part")
        return path

    def folder(self, path: Path) -> Path:
        """A folder to be filled: a new one, or an empty one. Returns where to write until the end."""
        if not self._may(path, "folder"):
            return path
        self._beside[path] = path.with_name(f".{path.name[:80]}.{os.getpid()}.part")
        return self._beside[path]

    def files_in(self, folder: Path | None, names: Iterable[str]) -> list[Path]:
        """Files of these names in a folder, which is made where there is none; others in it are left alone."""
        if folder is None:
            return []
        if not folder.is_dir():
            if not self._may(folder, "folder"):
                return []
            self._made.add(folder.absolute())
        return [path for name in names if (path := self.file(folder / name))]

    def ready(self) -> None:
        """Refuses, with all faults at once, before any work is done."""
        if self._faults:
            raise Refusal(self._faults)

    def _may(self, path: Path, kind: str) -> bool:
        fault = self._fault(path, kind)
        if fault:
            self._faults.append(Fault(str(path), *fault))
        return fault is None

    def _fault(self, path: Path, kind: str) -> tuple[str, str, str] | None:
        """What was given, what is allowed and what to do, where a path cannot be an output."""
        try:
            path.resolve()  # tells of names that no disk takes
            for other in self.inputs:
                if _same(path, other) or (kind == "folder" and _inside(other, path)):
                    return "an input of this command", f"a {kind} that is not read", "give another path"
                if _inside(path, other):
                    return "a place in a folder that this command reads", f"a {kind} elsewhere", "give another path"
            if any(_same(path, other) for other in self._beside):
                return "another output of this command", f"a {kind} of its own", "give another path"
            if kind == "file" and path.is_dir():
                return "a folder", "a file that can be written", "name a file in it"
            if kind == "folder" and path.exists():
                if not path.is_dir():
                    return "a file", "a folder that is new or empty", "give another path"
                held = sorted(item.name for item in path.iterdir())
                if held:
                    more = f" and {len(held) - 3:,} more" if len(held) > 3 else ""
                    given = f"{', '.join(held[:3])}{more} in it"
                    return given, "a folder that is new or empty", "give another path, or empty it"
            above = path.absolute().parent
            while not above.exists() and (kind == "folder" or above in self._made):
                above = above.parent
            if not above.is_dir():
                return "no such folder", f"a {kind} in a folder that is there", f"make {above}, or correct the path"
            if not os.access(above, os.W_OK | os.X_OK) or (path.is_file() and not os.access(path, os.W_OK)):
                return "no permission to write", f"a {kind} that can be written", "give another path"
        except (OSError, ValueError) as error:  # a name too long for the disk, or with a NUL
            given = getattr(error, "strerror", None) or str(error)
            return given, f"a {kind} that can be written", "give another path"
        return None

    # --- at the end ---

    def put(self, path: Path | None, content: str | bytes) -> None:
        """Writes a file whole, beside its place."""
        if path is None:
            return
        raw = content.encode("utf-8") if isinstance(content, str) else content
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._beside[path], "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._refused(path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None:
                self._rename()
            elif isinstance(error, OSError) and error.filename is not None:
                place = next((p for p, part in self._beside.items() if _inside(Path(str(error.filename)), part)), None)
                if place:
                    raise self._refused(place, error) from None
        finally:
            for part in self._beside.values():
                shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)

    def _rename(self) -> None:
        for path, part in self._beside.items():
            if not part.exists():
                continue  # there was nothing to put there
            was = path.is_file()
            try:
                if part.is_dir():
                    _sync(part)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    if path.is_dir():
                        path.rmdir()  # only where it is still empty
                os.replace(part, path)
            except OSError as error:
                raise self._refused(path, error) from None
            self.written.append(f"{'Replaced' if was else 'Wrote'} {path}")

    def _refused(self, path: Path, error: OSError) -> Refusal:
        do = "give another path, or make room"
        refusal = Refusal([Fault(str(path), error.strerror or "an error", "a place that can be written", do)])
        refusal.done = list(self.written)
        return refusal


def _same(path: Path, other: Path) -> bool:
    if path.exists() and other.exists():
        return path.samefile(other)
    return path.resolve() == other.resolve()


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _sync(folder: Path) -> None:
    """Asks the disk to keep what is in a folder before the folder gets its name."""
    for file in folder.rglob("*"):
        if file.is_file():
            with open(file, "r+b") as opened:  # Windows keeps only what is open for writing
                os.fsync(opened.fileno())
