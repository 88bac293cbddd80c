"""Times as senders spell them, and the correction of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.time import parse_instant
from segue.ingest.times import UNREAD, clamped, corrected, read_time, read_times

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001


@given(MOMENTS, st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_the_fast_reading_is_the_slow_one(moment: datetime, digits: str) -> None:
    text = moment.isoformat(timespec=digits)
    assert read_times([text]).tolist() == [parse_instant(text)]
    assert read_times([text.replace("+00:00", "Z")]).tolist() == [parse_instant(text)]


@given(st.text("0123456789-:.TZ+ é\x00", max_size=45))
def test_rubbish_reads_the_same_both_ways(text: str) -> None:
    assert read_times([text]).tolist() == [read_time(text)]


@given(MOMENTS, st.integers(0, 45), st.sampled_from("0129-:.TZ+ ax"))
def test_a_spoilt_time_reads_the_same_both_ways(moment: datetime, at: int, letter: str) -> None:
    text = moment.isoformat()
    spoilt = text[:at] + letter + text[at + 1 :]
    assert read_times([spoilt]).tolist() == [read_time(spoilt)]


@pytest.mark.parametrize(
    ("sent", "ms"),
    [
        ("2026-11-22T10:00:00Z", 1_795_341_600_000),
        ("2026-11-22T10:00:00+0000", 1_795_341_600_000),
        ("2026-11-22T12:00:00+02:00", 1_795_341_600_000),
        ("2026-11-22 10:00:00", 1_795_341_600_000),
        ("2026-11-22T10:00:00.123456789Z", 1_795_341_600_123),
        ("2015-2-02T01:02:03Z", 1_422_838_923_000),
        ("2026-11-22", 1_795_305_600_000),
        (1_795_341_600, 1_795_341_600_000),
        (1_795_341_600_123, 1_795_341_600_123),
        (1_795_341_600.5, 1_795_341_600_500),
        ("1795341600", 1_795_341_600_000),
        (" 1795341600123 ", 1_795_341_600_123),
        (0, 0),
        (-1, -1_000),
    ],
)
def test_what_senders_write(sent: object, ms: int) -> None:
    assert read_time(sent) == ms
    assert read_times([sent]).tolist() == [ms]


@pytest.mark.parametrize(
    "sent",
    [None, True, "", "soon", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T24:00:00Z", [1], {},
     float("inf"), 1e30, "1" * 400, "2026-11-22T10:00:00Z" + " " * 60 + "x"],
)  # fmt: skip
def test_what_is_no_time(sent: object) -> None:
    assert read_time(sent) == UNREAD
    assert read_times([sent, "2026-11-22T10:00:00Z"]).tolist() == [UNREAD, 1_795_341_600_000]


def test_the_specifications_example() -> None:
    """A client two hours slow sends at 10:05 what happened at 10:00; it arrives at 12:05:02."""
    original, sent, received = (
        np.array([parse_instant(f"2026-11-22T{clock}Z")], np.int64)
        for clock in ("10:00:00", "10:05:00", "12:05:02")
    )
    assert corrected(original, sent, received).tolist() == [parse_instant("2026-11-22T12:00:02Z")]
    assert corrected(original, np.array([UNREAD]), received).tolist() == original.tolist()


def test_five_minutes_ahead_is_kept_and_a_millisecond_more_is_not() -> None:
    received = np.array([1_000_000, 1_000_000])
    kept, many = clamped(np.array([1_300_000, 1_300_001]), received)
    assert (kept.tolist(), many) == ([1_300_000, 1_000_000], 1)


def test_the_days_of_four_centuries() -> None:
    days = [datetime(1999, 1, 1, tzinfo=UTC) + timedelta(days=at) for at in range(0, 146_097, 7)]
    spelled = [day.strftime("%Y-%m-%dT%H:%M:%SZ") for day in days]
    assert read_times(spelled).tolist() == [int(day.timestamp()) * 1_000 for day in days]
