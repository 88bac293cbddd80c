"""From decoded events to a batch: the quirks of real senders, as stories."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.limits import DEDUPE_MS, FUTURE_MS_MAX
from segue.domain.time import parse_instant
from segue.ingest.decode import decode_events
from segue.ingest.dedupe import Seen
from segue.ingest.identity import Identity
from segue.ingest.intake import Intake, Taken
from segue.log.body import properties_json

NOW = 1_795_341_600_000
"""2026-11-22T10:00:00Z"""


def intake() -> Intake:
    return Intake(Identity(), Seen())


def sent(door: Intake, *events: dict[str, Any], at: int | None = NOW, source: str = "site") -> Taken:
    """Events over the wire at a moment, or with ``at`` None from a file."""
    decoded = decode_events([json.dumps(event).encode() for event in events])
    assert not decoded.rejected
    taken = door.accept(decoded, source, 1, at)
    assert taken.tally.adds_up()
    return taken


def track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u", "event": "Login", **fields}


def codes(taken: Taken) -> list[str]:
    return [verdict.code for verdict in taken.rejected]


@pytest.mark.parametrize("user", [0, 123, "0", "-", "ann", 12.0])
def test_what_is_an_id(user: object) -> None:
    taken = sent(intake(), track(userId=user))
    assert taken.batch.created == [(0, 0, str(user).removesuffix(".0"))]


@pytest.mark.parametrize("user", [None, "", " ", "\t\n", [], {}, True, ["ann"]])
def test_what_is_no_id(user: object) -> None:
    assert codes(sent(intake(), track(userId=user))) == ["E521"]
    taken = sent(intake(), track(userId=user, anonymousId="x"))
    assert taken.batch.created == [(0, 0, "anon:x")]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "track", "userId": "u"}, "E524"),
        (track(event=""), "E524"),
        (track(event="  "), "E524"),
        (track(event=5), "E524"),
        (track(type=None), "E520"),
        (track(type="purchase"), "E520"),
        (track(type=["track"]), "E520"),
        ({"type": "alias", "userId": "u"}, "E522"),
        ({"type": "alias", "previousId": "u"}, "E522"),
        ({"type": "group", "userId": "u", "groupId": ""}, "E523"),
        (track(userId="u" * 1_025), "E526"),
        (track(userId="forgotten:1"), "E526"),
        (track(timestamp="1969-12-31T23:59:59Z"), "E525"),
        (track(timestamp=-1), "E525"),
    ],
)
def test_a_bad_event_drops_out_alone(event: dict[str, Any], code: str) -> None:
    taken = sent(intake(), track(messageId="a"), event, track(messageId="b"))
    assert codes(taken) == [code]
    assert taken.rejected[0].place == 1
    assert taken.rejected[0].hint
    assert json.loads(taken.rejected[0].raw) == event
    assert taken.batch.message_ids == ["a", "b"]
    assert (taken.tally.accepted, taken.tally.quarantined) == (2, 1)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (track(userId=True), "the track has no user: userId is true"),
        (track(userId={"a": None}), 'the track has no user: userId is {"a": null}'),
        (track(event='"'), None),
        (track(event=[False]), "the event name is [false]"),
        (track(type='a "b"'), 'the type is "a \\"b\\""'),
        (track(timestamp=-1), "the timestamp is -1"),
        (track(timestamp="1969-12-31T23:59:59Z"), 'the timestamp is "1969-12-31T23:59:59Z"'),
    ],
)
def test_a_reason_shows_what_was_sent_as_it_was_sent(event: dict[str, Any], said: str | None) -> None:
    assert [verdict.message for verdict in sent(intake(), event).rejected] == ([said] if said else [])


def test_names_are_trimmed_and_never_recased() -> None:
    taken = sent(
        intake(), *(track(event=name) for name in (" Order Completed ", "order completed", "Order Completed"))
    )
    assert taken.batch.names == ["Order Completed", "order completed", "Order Completed"]


def test_a_page_keeps_its_name_among_its_properties() -> None:
    taken = sent(intake(), {"type": "page", "userId": "u", "name": "Home", "category": None})
    assert taken.batch.names == [None]
    assert json.loads(properties_json(taken.batch.bodies[0], "page")) == {"name": "Home"}


@pytest.mark.parametrize("odd", [[], "text", 5, True])
def test_objects_that_are_none_are_empty_and_counted(odd: object) -> None:
    taken = sent(intake(), track(properties=odd, context=odd), track(properties=None), track())
    assert taken.tally.non_object == 2
    assert properties_json(taken.batch.bodies[0], "track") == b"{}"


def test_the_first_of_a_message_id_wins() -> None:
    door = intake()
    first = sent(door, track(messageId="m", event="A"), track(messageId="m", event="B"))
    again = sent(door, track(messageId="m", event="C"), at=NOW + DEDUPE_MS)
    other = sent(door, track(messageId="m"), source="app")
    later = sent(door, track(messageId="m", event="D"), at=NOW + DEDUPE_MS + 1)
    assert first.batch.names == ["A"]
    assert [taken.tally.duplicate for taken in (first, again, other, later)] == [1, 1, 0, 0]
    assert later.batch.names == ["D"]


def test_an_import_is_compared_with_the_whole_log() -> None:
    door = intake()
    row = track(messageId="m", timestamp="2020-01-01T00:00:00Z")
    assert sent(door, row, at=None).tally.accepted == 1
    assert sent(door, {**row, "timestamp": "2026-01-01T00:00:00Z"}, at=None).tally.duplicate == 1


def test_a_bad_event_may_be_mended_under_its_id() -> None:
    door = intake()
    assert sent(door, track(messageId="m", event="")).tally.quarantined == 1
    assert sent(door, track(messageId="m")).tally.accepted == 1


def test_without_a_message_id_one_is_made() -> None:
    taken = sent(intake(), track(), track(messageId=None), track(messageId=" "))
    assert len(set(taken.batch.message_ids)) == 3
    assert all(len(name) == 32 for name in taken.batch.message_ids)


def test_a_long_message_id_is_kept_and_counted() -> None:
    door = intake()
    assert sent(door, track(messageId="m" * 101)).tally.long_message_id == 1
    assert sent(door, track(messageId="m" * 101)).tally.duplicate == 1
    assert sent(door, track(messageId="m" * 102)).tally.accepted == 1


def clock(text: str) -> int:
    found = parse_instant(f"2026-11-22T{text}Z")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({}, "10:00:00"),
        ({"timestamp": "2026-11-22T09:00:00Z"}, "09:00:00"),
        ({"originalTimestamp": "2026-11-22T09:00:00Z"}, "09:00:00"),
        ({"timestamp": "2026-11-22T07:55:00Z", "sentAt": "2026-11-22T08:00:00Z"}, "09:55:00"),
        ({"originalTimestamp": "2026-11-22T07:55:00Z", "sentAt": "2026-11-22T08:00:00Z"}, "09:55:00"),
        ({"timestamp": "2026-11-22T09:00:00Z", "sentAt": "soon"}, "09:00:00"),
        ({"sentAt": "2026-11-22T08:00:00Z"}, "10:00:00"),
        ({"timestamp": "soon"}, "10:00:00"),
        ({"receivedAt": "2020-01-01T00:00:00Z"}, "10:00:00"),
        ({"timestamp": "2026-11-22T10:05:00Z"}, "10:05:00"),
        ({"timestamp": "2026-11-22T10:05:00.001Z"}, "10:00:00"),
        ({"timestamp": "2026-11-22T08:10:00Z", "sentAt": "2026-11-22T08:00:00Z"}, "10:00:00"),
    ],
)
def test_when_it_happened(fields: dict[str, Any], at: str) -> None:
    batch = sent(intake(), track(**fields)).batch
    assert (batch.timestamps, batch.received) == ([clock(at)], [NOW])


def test_odd_times_are_counted() -> None:
    late = NOW + FUTURE_MS_MAX + 1
    taken = sent(
        intake(), track(timestamp="soon"), track(sentAt="soon"), track(timestamp=late), track(timestamp=None)
    )
    assert (taken.tally.unparsed_timestamp, taken.tally.future_clamped) == (2, 1)


@pytest.mark.parametrize(
    ("fields", "timestamp", "received"),
    [
        ({"timestamp": "2026-11-22T09:00:00Z"}, "09:00:00", "09:00:00"),
        ({"timestamp": "2026-11-22T09:00:00Z", "receivedAt": "2026-11-22T09:30:00Z"}, "09:00:00", "09:30:00"),
        ({"timestamp": "2026-11-22T09:00:00Z", "originalTimestamp": "2026-11-22T08:00:00Z",
          "sentAt": "2026-11-22T08:00:01Z", "receivedAt": "2026-11-22T09:00:02Z"}, "09:00:00", "09:00:02"),
        ({"originalTimestamp": "2026-11-22T09:00:00Z"}, "09:00:00", "09:00:00"),
        ({"receivedAt": "2026-11-22T09:00:00Z"}, "09:00:00", "09:00:00"),
        ({"timestamp": "2026-11-22T10:00:00Z", "receivedAt": "2026-11-22T09:00:00Z"}, "09:00:00", "09:00:00"),
    ],
)  # fmt: skip
def test_times_of_an_import(fields: dict[str, Any], timestamp: str, received: str) -> None:
    batch = sent(intake(), track(**fields), at=None).batch
    assert (batch.timestamps, batch.received) == ([clock(timestamp)], [clock(received)])


def test_an_import_without_any_time_is_set_aside() -> None:
    assert codes(sent(intake(), track(), track(timestamp="soon"), at=None)) == ["E527", "E527"]


def test_what_is_sent_into_the_time_of_the_log_happens_when_it_comes() -> None:
    """Unless it says when: to a server whose clock is the log, posts are rows with times of their own."""
    decoded = decode_events([json.dumps(each).encode() for each in (track(), track(timestamp=NOW - 1))])
    taken = intake().accept(decoded, "site", 1, None, NOW)
    assert (taken.batch.timestamps, taken.batch.received) == ([NOW, NOW - 1], [NOW, NOW - 1])


def test_identity_runs_through_the_batch_in_order() -> None:
    taken = sent(
        intake(),
        {"type": "page", "anonymousId": "x"},
        track(anonymousId="x"),
        {"type": "track", "anonymousId": "x", "event": "Login"},
        {"type": "alias", "userId": "new", "previousId": "u"},
        track(),
    )
    batch = taken.batch
    assert batch.rows == [0, 1, 1, 2, 2]
    assert batch.created == [(0, 0, "anon:x"), (1, 1, "u"), (3, 2, "new")]
    assert batch.links == [(1, "x", 1)]
    assert batch.merges == [(1, 0, 1), (3, 1, 2)]


def test_what_repeats_teaches_nothing() -> None:
    door = intake()
    sent(door, track(anonymousId="x", messageId="m"), track(userId="v", anonymousId="x"))
    assert sent(door, track(anonymousId="x", messageId="m")).batch.links == []
    assert sent(door, {"type": "page", "anonymousId": "x"}).batch.rows == [1]


def test_a_forgotten_users_past_is_refused_without_a_trace() -> None:
    door = intake()
    sent(door, track(timestamp=NOW - 1_000, anonymousId="x"))
    door.identity.forget(0, 5, NOW)
    old = sent(door, track(timestamp=NOW - 1), {"type": "page", "anonymousId": "x", "timestamp": NOW - 1},
               {"type": "alias", "userId": "v", "previousId": "u", "timestamp": NOW - 1})  # fmt: skip
    assert (old.tally.refused, len(old.batch), old.rejected) == (3, 0, [])
    assert old.batch.created == []
    assert sent(door, track(timestamp=NOW), at=NOW + 1).batch.created == [(0, 1, "u")]


def test_what_could_not_be_written_can_be_sent_again() -> None:
    door = intake()
    sent(door, track(messageId="kept"))
    door.settle()
    sent(door, track(messageId="m", anonymousId="x"), track(userId="v", messageId="n"))
    sent(door, track(messageId="o"))
    door.take_back()
    again = sent(
        door, track(messageId="m"), track(messageId="n"), track(messageId="o"), track(messageId="kept")
    )
    assert (again.tally.accepted, again.tally.duplicate) == (3, 1)
    assert len(door.identity) == 1


FIELDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "page", "identify", "group", "alias", "Track", None, 3]),
        "event": st.sampled_from(["Login", " Login", "", None, 7]),
        "userId": st.sampled_from(["a", "b", 1, 1.0, "", None, True]),
        "anonymousId": st.sampled_from(["x", "y", None, []]),
        "previousId": st.sampled_from(["a", "x", "old", None]),
        "groupId": st.sampled_from(["g", None]),
        "messageId": st.sampled_from(["1", "2", "3", "", "m" * 101, 4, None]),
        "timestamp": st.sampled_from([NOW, NOW - 5, "2026-11-22T10:00:00Z", "soon", None, -1, NOW + 10**9]),
        "sentAt": st.sampled_from([NOW, "2026-11-22T10:00:00Z", "soon", None]),
        "properties": st.sampled_from([{}, {"a": 1}, [], None, 5]),
    },
)


@given(st.lists(FIELDS, max_size=12), st.integers(1, 12), st.booleans())
def test_batches_of_any_size_mean_the_same(events: list[dict[str, Any]], size: int, live: bool) -> None:
    """One by one every event takes the careful road; together the known ones take the fast one."""
    slow, fast = intake(), intake()
    at = NOW if live else None
    ones = [sent(slow, event, at=at) for event in events]
    parts = [sent(fast, *events[start : start + size], at=at) for start in range(0, len(events), size)]

    def told(takens: list[Taken]) -> list[Any]:
        fields = ("rows", "types", "names", "timestamps", "received", "group_ids", "raws")
        found: list[Any] = [
            [row for taken in takens for row in getattr(taken.batch, name)] for name in fields
        ]
        return [*found, [code for taken in takens for code in codes(taken)]]

    assert told(ones) == told(parts)
    assert (slow.identity.rows, slow.identity.seen, slow.identity.into) == (
        fast.identity.rows,
        fast.identity.seen,
        fast.identity.into,
    )
