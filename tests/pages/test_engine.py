"""What a page unpacks is the package and what it stands on, and nothing that a page has no use for."""

import io
import subprocess
import sys
import zipfile

import pytest

import engine


@pytest.fixture(scope="module")
def packed():
    return zipfile.ZipFile(io.BytesIO(engine.package()))


def test_the_package_imports_from_what_a_page_unpacks(packed, tmp_path):
    """In this Python, with nothing of ours but those files; pydantic's core is the one that is installed here."""
    ours = [name for name in packed.namelist() if not name.startswith(("pydantic_core", "licenses"))]
    packed.extractall(tmp_path, ours)
    code = (
        "import json; from carecontracts.live import VERBS, answer; import carecontracts;"
        f"assert carecontracts.__file__.startswith({str(tmp_path)!r});"
        "text = VERBS['text_of']('shared-savings');"
        "years = VERBS['years_for'](text);"
        "VERBS['settle'](text, years), VERBS['found'](text), VERBS['nets'](text), VERBS['odds'](text, draws=2);"
        "from carecontracts.gallery import gallery_names;"
        "[VERBS['words'](VERBS['text_of'](name)) for name in gallery_names()];"
        "VERBS['first_deal'](), VERBS['form_of'](text), VERBS['file_of'](text, years, 'cash.csv')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_it_holds_no_more_than_it_needs(packed):
    held = [name for name in packed.namelist() if name.startswith("carecontracts/")]
    assert not [name for name in held if name.split("/")[1] in ("claims", "cli", "synthetic", "programs")]
    assert sum(entry.compress_size for entry in packed.infolist()) < 2_400_000


def test_every_contract_of_the_gallery_is_in_it(packed):
    from carecontracts.gallery import gallery_names

    assert {f"carecontracts/gallery/{name}.yaml" for name in gallery_names()} <= set(packed.namelist())


def test_what_it_may_be_used_under_rides_along(packed):
    for name in engine.DISTRIBUTIONS:
        assert any(each.startswith(f"licenses/{name}/") for each in packed.namelist()), name
