"""The dictionary that both parties sign says what is computed, and changes when it does."""

import pytest

from carecontracts.claims.layout import REQUIRED, SCHEMAS
from carecontracts.paper.data_appendix import Feed, appendix, fingerprint, too_late
from carecontracts.people.rates import specifications
from carecontracts.refusal import Refusal


def feed(table, every="month", lag=45):
    return Feed(table=table, sender="plan", receiver="clinic", every=every, lag_days=lag, remedy="fee credit")


ALL = [feed(table) for table in SCHEMAS]
EVERY_MEASURE = list(specifications())


def test_every_table_column_and_measure_is_on_the_page():
    text = appendix("Dictionary", ALL, EVERY_MEASURE, ["the plan", "the clinic"])
    for table, columns in SCHEMAS.items():
        for column, kind in columns.items():
            assert f"{column} ({kind})" in text
        assert all(name in columns for name in REQUIRED[table])
    for spec in specifications().values():
        assert spec.title in text
        assert spec.numerator in text
        assert spec.denominator in text
    assert text.count("____________________") == 2


def test_a_changed_word_changes_the_fingerprint_and_a_changed_space_does_not():
    one, two = (appendix("D", feeds, ["admissions"], ["a"]) for feeds in (ALL, [*ALL[:-1], feed("roster", "week")]))
    mark = [line for line in one.splitlines() if line.startswith("Fingerprint")]
    assert mark != [line for line in two.splitlines() if line.startswith("Fingerprint")]
    body = one.partition("\n\n## Signatures")[0]
    assert mark == [f"Fingerprint: {fingerprint(body)}"]
    assert fingerprint(body.replace("\n", "\n\n")) == fingerprint(body)


def test_a_measure_without_its_feed_is_refused_with_every_missing_table():
    with pytest.raises(Refusal) as refusal:
        appendix("D", [feed("eligibility"), feed("labs")], ["readmissions", "engaged_in_time"], ["a"])
    assert [fault.given for fault in refusal.value.faults] == [
        "a feed of 'labs'", "no feed of medical_claim", "no feed of outcome", "no feed of roster",
    ]  # fmt: skip


@pytest.mark.parametrize(("lag", "every", "late"), [(6, "day", True), (5, "day", False), (0, "week", True)])
def test_a_window_that_shuts_on_the_day_the_file_comes_is_too_late(lag, every, late):
    """A visit within 7 days of a discharge: the file must come by the sixth."""
    feeds = [feed("eligibility", every, lag), feed("medical_claim", every, lag)]
    assert bool(too_late(["follow_up_7"], feeds)) == late


def test_the_slowest_feed_decides_and_lagging_measures_have_time():
    feeds = [feed("eligibility", "day", 0), feed("medical_claim", "month", 60)]
    assert too_late(["follow_up_14", "readmissions", "admissions"], feeds) == [("follow_up_14", 14, 91)]
