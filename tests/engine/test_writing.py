"""Whatever happens while a command writes, the old file stands or the new one is whole; and what is told is true."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from carecontracts.refusal import Refusal
from carecontracts.writing import Outputs


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def refused(outputs: Outputs) -> list[str]:
    with pytest.raises(Refusal) as refusal:
        outputs.ready()
    return [fault.given for fault in refusal.value.faults]


def test_files_stand_in_their_places_once_all_is_done(tmp_path):
    (tmp_path / "old.csv").write_text("old")
    with Outputs() as outputs:
        old, new = outputs.file(tmp_path / "old.csv"), outputs.file(tmp_path / "new.csv")
        outputs.ready()
        outputs.put(new, "new é")
        outputs.put(old, b"newer")
        assert (tmp_path / "old.csv").read_text() == "old"
        assert not (tmp_path / "new.csv").exists()
    assert (tmp_path / "new.csv").read_text("utf-8") == "new é"
    assert (tmp_path / "old.csv").read_text() == "newer"
    assert outputs.written == [f"Replaced {old}", f"Wrote {new}"]
    assert left(tmp_path) == ["new.csv", "old.csv"]


def test_an_error_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "old.csv").write_text("old")

    def failing() -> None:
        with Outputs() as outputs:
            outputs.put(outputs.file(tmp_path / "old.csv"), "new")
            (outputs.folder(tmp_path / "tables") / "x").parent.mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert (tmp_path / "old.csv").read_text() == "old"
    assert left(tmp_path) == ["old.csv"]


def test_nothing_is_written_over_what_is_read_or_over_another_output(tmp_path):
    (tmp_path / "claims").mkdir()
    given, folder = tmp_path / "years.csv", tmp_path / "claims"
    given.write_text("year\n")
    (tmp_path / "link.csv").symlink_to(given)
    outputs = Outputs(inputs=[given, folder, "postgres://here/claims", None])
    for path in (given, tmp_path / "claims" / ".." / "years.csv", tmp_path / "link.csv"):
        outputs.file(path)
    outputs.file(tmp_path / "a.csv")
    outputs.file(tmp_path / "." / "a.csv")
    outputs.folder(folder)
    outputs.folder(tmp_path)  # the input lies in it
    assert refused(outputs) == [
        *["an input of this command"] * 3,
        "another output of this command",
        *["an input of this command"] * 2,
    ]


def test_what_cannot_be_written_is_told_before_the_work_and_all_at_once(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "eligibility.parquet").touch()
    (tmp_path / "a-file").touch()
    outputs = Outputs()
    outputs.file(tmp_path / "no" / "such" / "folder.csv")
    outputs.file(tmp_path / "full")
    outputs.file(tmp_path / ("x" * 300))
    outputs.file(Path("a\0b"))
    outputs.folder(tmp_path / "full")
    outputs.folder(tmp_path / "a-file")
    outputs.files_in(tmp_path / "a-file", ["people.csv"])
    given = refused(outputs)
    assert given[0] == "no such folder"
    assert given[1] == "a folder"
    assert given[2].startswith("File name too long")
    assert "null" in given[3]
    assert given[4:] == ["eligibility.parquet in it", "a file", "a file"]
    assert outputs.file(None) is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    outputs = Outputs()
    outputs.file(tmp_path / "a.csv")
    assert refused(outputs) == ["no permission to write"]


def test_a_folder_of_tables_is_new_or_whole(tmp_path):
    with Outputs() as outputs:
        making = outputs.folder(tmp_path / "deep" / "tables")
        outputs.ready()
        making.mkdir(parents=True)
        (making / "eligibility.csv").write_text("person_id\n")
        assert not (tmp_path / "deep" / "tables").exists()
    assert left(tmp_path) == ["deep", "deep/tables", "deep/tables/eligibility.csv"]


def test_what_is_kept_on_the_disk_is_open_for_writing(tmp_path, monkeypatch):
    """Windows refuses to keep a file that is open for reading only."""
    fcntl = pytest.importorskip("fcntl")
    kept = []
    monkeypatch.setattr(os, "fsync", lambda number: kept.append(fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE))
    with Outputs() as outputs:
        outputs.file(tmp_path / "a.csv")
        folder = outputs.folder(tmp_path / "tables")
        outputs.ready()
        outputs.put(tmp_path / "a.csv", "a")
        folder.mkdir()
        (folder / "b.csv").write_bytes(b"b")
    assert len(kept) == 2
    assert os.O_RDONLY not in kept


def test_of_two_that_fill_one_folder_the_second_is_refused(tmp_path):
    first, second = Outputs(), Outputs()
    for outputs, word in ((first, "first"), (second, "second")):
        made = outputs.folder(tmp_path / "tables")
        made = made.with_name(made.name) if word == "first" else made
        outputs.ready()
        outputs._beside[tmp_path / "tables"] = made = made.with_name(f".{word}")
        made.mkdir()
        (made / "who").write_text(word)
    first.__exit__(None, None, None)
    with pytest.raises(Refusal) as refusal:
        second.__exit__(None, None, None)
    assert "not empty" in refusal.value.faults[0].given
    assert (tmp_path / "tables" / "who").read_text() == "first"
    assert left(tmp_path) == ["tables", "tables/who"]


def test_files_in_a_folder_are_added_to_what_is_there(tmp_path):
    (tmp_path / "notes.txt").touch()
    for where in (tmp_path, tmp_path / "new"):
        with Outputs() as outputs:
            for path in outputs.files_in(where, ["people.csv", "facts.csv"]):
                outputs.put(path, "a")
    assert left(tmp_path) == ["facts.csv", "new", "new/facts.csv", "new/people.csv", "notes.txt", "people.csv"]


# A command that is killed, or runs out of disk, at each step of the writing.
WRITES = """
import os, sys, resource, signal
from pathlib import Path
from carecontracts.writing import Outputs

at, how = int(sys.argv[1]), sys.argv[2]
steps = 0
def step(function):
    def counted(*given, **named):
        global steps
        steps += 1
        if steps == at and how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if steps == at:
            raise OSError(28, "No space left on device")
        return function(*given, **named)
    return counted
os.fsync, os.replace = step(os.fsync), step(os.replace)
with Outputs() as outputs:
    one, two = outputs.file(Path("one.csv")), outputs.file(Path("two.csv"))
    folder = outputs.folder(Path("tables"))
    outputs.ready()
    outputs.put(one, "new\\n" * 1000)
    outputs.put(two, "new\\n" * 1000)
    folder.mkdir()
    for name in ("eligibility", "medical_claim"):
        (folder / f"{name}.csv").write_text("whole")
print("done")
"""


@pytest.mark.parametrize("how", ["killed", "starved"])
def test_killed_or_starved_at_any_step_each_file_is_old_or_new_and_whole(tmp_path, how):
    old, new = "old\n", "new\n" * 1000
    for at in range(1, 20):
        (tmp_path / "one.csv").write_text(old)
        (tmp_path / "two.csv").write_text(old)
        done = subprocess.run(
            [sys.executable, "-c", WRITES, str(at), how], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (tmp_path / "one.csv").read_text() in (old, new)
        assert (tmp_path / "two.csv").read_text() in (old, new)
        tables = tmp_path / "tables"
        assert not tables.exists() or left(tables) == ["eligibility.csv", "medical_claim.csv"]
        if done.stdout == "done\n":
            assert at == 8  # seven steps: four files are kept, three places are taken
            return
        assert done.returncode
        if tables.exists():
            for path in tables.iterdir():
                path.unlink()
            tables.rmdir()
        if how == "starved":
            assert [name for name in left(tmp_path) if name.endswith(".part")] == []
    pytest.fail("it never ended")


def test_a_file_that_does_not_fit_is_refused_with_its_place(tmp_path):
    code = (
        "import resource\nfrom pathlib import Path\nfrom carecontracts.writing import Outputs\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "with Outputs() as outputs:\n    outputs.put(outputs.file(Path('sheet.md')), 'x' * 10_000)\n"
    )
    pytest.importorskip("resource")
    (tmp_path / "sheet.md").write_text("the signed sheet")
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Refusal: sheet.md" in run.stderr
    assert (tmp_path / "sheet.md").read_text() == "the signed sheet"
    assert left(tmp_path) == ["sheet.md"]
