"""The time of a line, read off its bytes, is the one that decoding gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.ingest.files.order import decoded_times, line_times
from segue.ingest.times import UNREAD

TIMES = st.sampled_from(
    [None, 5, "soon", "", "2026-01-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00.5+02:00",
     1_700_000_000_000, 'a"b', "\\", {"timestamp": "2026-01-01T00:00:00Z"}, ["timestamp"], "timestamp"]
)  # fmt: skip
EVENTS = st.dictionaries(
    st.sampled_from(
        ["timestamp", "receivedAt", "originalTimestamp", "properties", "timestampx", 'q"', "context"]
    ),
    TIMES,
)


@given(st.lists(EVENTS, max_size=6), st.sampled_from([None, (", ", ": "), (",", ":"), (" ,", "  :\t")]))
def test_reading_is_decoding(events: list[dict[str, Any]], separators: tuple[str, str] | None) -> None:
    lines = [json.dumps(event, separators=separators).encode() for event in events]
    assert line_times(b"\n\n".join(lines) + b"\n").tolist() == decoded_times(lines).tolist()


@given(st.binary(max_size=120))
def test_any_bytes_have_a_time_or_none(text: bytes) -> None:
    assert len(line_times(text)) == sum(1 for line in text.split(b"\n") if any(byte > 32 for byte in line))


@pytest.mark.parametrize(
    "line", [b"{", b'{"timestamp":', b'{"timestamp":"', b'{"timestamp"', b'"timestamp":5', b"5"]
)
def test_a_broken_line_has_none(line: bytes) -> None:
    assert line_times(line).tolist() == [UNREAD]
