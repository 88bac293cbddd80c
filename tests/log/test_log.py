"""The log gives back what was put in, in order, wherever it lies by then."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.log.batch import EventBatch, Quarantined, Record, Stretch
from segue.log.sqlite import SqliteLog
from tests.log.stories import batch, opened, seqs, stretch_of, told, tracks

FIRST = {"type": "page", "name": "Home \u00e9\u0000\U0001f600", "anonymousId": "a1", "properties": {"x": 1.5}}
SECOND = {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}}
THIRD = {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"size": 5}, "context": {"ip": "1"}}


def _story() -> list[EventBatch | Record]:
    one = batch(1, [FIRST, SECOND], [0, 1])
    one.created = [(0, 0, "anon:a1"), (1, 1, "u1")]
    one.links = [(1, "a1", 1)]
    one.merges = [(1, 0, 1)]
    two = batch(4, [THIRD], [1], source="server")
    two.aliases = [(0, "old", 1)]
    return [one, Record(3, 9_000, "list", {"list": "press", "add": ["u1"]}), two]


def test_a_log_reads_back_as_it_was_written(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append(_story())
        written = told(log)
        assert log.next_seq == 5
    with opened(tmp_path) as log:
        assert log.next_seq == 5
        assert told(log) == written
        log.close_stretch(1)
        assert seqs(log.read(0)) == [1, 2, 3, 4]
        assert told(log) == written
        assert not list(log.read(4))


def test_the_story_is_told_in_full(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append(_story())
        first, record, last = log.read(0)
        assert isinstance(first, EventBatch)
        assert isinstance(last, EventBatch)
        assert record == Record(3, 9_000, "list", {"list": "press", "add": ["u1"]})
        assert first.created == [(0, 0, "anon:a1"), (1, 1, "u1")]
        assert (first.links, first.merges, last.aliases) == ([(1, "a1", 1)], [(1, 0, 1)], [(0, "old", 1)])
        event = first.event(0)
        assert (event.properties, event.name, event.order) == (
            {"name": FIRST["name"], "x": 1.5},
            None,
            (1001, 1),
        )
        assert last.event(0).group_id == "g1"
        assert last.event(0).traits == {"size": 5}
        assert last.source == "server"


def test_identity_is_loaded_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append(_story())
        found = log.identity()
    assert found.user_ids == ["anon:a1", "u1"]
    assert (found.links, found.aliases, found.merges) == ([(2, "a1", 1)], [(4, "old", 1)], [(2, 0, 1)])


def test_a_gap_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        with pytest.raises(ValueError, match="seq 4"):
            log.append([tracks(1, 2), tracks(4, 1)])
        assert (log.next_seq, told(log)) == (1, [])
        log.append([tracks(1, 2)])
        assert log.next_seq == 3


def test_an_imported_stretch_is_part_of_the_log(tmp_path: Path) -> None:
    imported = batch(2, [FIRST, SECOND], [0, 1])
    imported.created = [(0, 0, "anon:a1"), (1, 1, "u1")]
    imported.links = [(1, "a1", 1)]
    with opened(tmp_path) as log:
        log.append([tracks(1, 1)])
        log.append_stretch(stretch_of(log, imported), [Quarantined(5, "file", "E501", "m", "h", b"x")])
        assert log.quarantine_counts() == {"open": 1}
        log.append([tracks(4, 1)])
        first, middle, last = log.read(0)
        assert isinstance(first, EventBatch)
        assert isinstance(middle, Stretch)
        assert isinstance(last, EventBatch)
        (inside,) = log.read_stretch(middle)
        assert (inside.raws, inside.created, inside.links) == (
            imported.raws,
            imported.created,
            imported.links,
        )
        assert log.identity().user_ids == ["anon:a1", "u1"]
        before = told(log)
        assert log.close_stretch(3) == 0
        assert log.close_stretch(2) == 2
        assert [type(entry) for entry in log.read(0)] == [Stretch] * 3
        assert told(log) == before


def test_a_new_profile_has_the_next_row(tmp_path: Path) -> None:
    skipping = tracks(1, 1)
    skipping.created = [(0, 1, "u1")]
    with opened(tmp_path) as log:
        with pytest.raises(ValueError, match="row 0"):
            log.append([skipping])
        assert log.next_seq == 1


def test_an_imported_stretch_must_follow(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        stretch = stretch_of(log, tracks(5, 2))
        with pytest.raises(ValueError, match="seq 5"):
            log.append_stretch(stretch)
        assert log.next_seq == 1


def test_files_no_stretch_names_go_at_the_next_open(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([tracks(1, 1)])
        log.close_stretch(1)
        orphan = log.folder / "history" / stretch_of(log, tracks(2, 2)).path
        assert orphan.exists()
    with opened(tmp_path) as log:
        assert not orphan.exists()
        assert len(told(log)) == 1


def _scanned(
    log: SqliteLog, connection: duckdb.DuckDBPyConnection, after: int = 0, upto: int | None = None
) -> list[int]:
    sql = log.scan(connection, after, upto)
    return [seq for (seq,) in connection.execute(f"SELECT seq FROM {sql} ORDER BY seq").fetchall()]


def test_scan_sees_files_and_tail_and_what_came_since(tmp_path: Path) -> None:
    with opened(tmp_path) as log, duckdb.connect() as connection:
        assert _scanned(log, connection) == []
        log.append([tracks(1, 3)])
        assert _scanned(log, connection) == [1, 2, 3]
        log.append([Record(4, 1, "time", 1), tracks(5, 2)])
        assert _scanned(log, connection) == [1, 2, 3, 5, 6]
        log.close_stretch(1)
        log.append([tracks(7, 1)])
        assert _scanned(log, connection) == [1, 2, 3, 5, 6, 7]
        assert _scanned(log, connection, 2, 6) == [3, 5, 6]


def test_scan_gives_normalized_columns(tmp_path: Path) -> None:
    expected = [
        (1, 0, "web", "page", None, 1001, 2001, "m1", None, FIRST["name"], "{}", "{}"),
        (2, 1, "web", "identify", None, 1002, 2002, "m2", None, None, "{}", '{"plan":"pro"}'),
        (4, 1, "server", "group", None, 1004, 2004, "m4", "g1", None, '{"ip":"1"}', '{"size":5}'),
    ]
    columns = (
        'seq, "row", source, type, name, timestamp, received_at, message_id, group_id,'
        " properties->>'$.name', context, traits"
    )
    with opened(tmp_path) as log, duckdb.connect() as connection:
        log.append(_story())
        for _ in range(2):
            sql = f"SELECT {columns} FROM {log.scan(connection)} ORDER BY seq"
            assert connection.execute(sql).fetchall() == expected
            log.close_stretch(1)


def test_quarantine_keeps_what_was_sent(tmp_path: Path) -> None:
    bad = Quarantined(5, "web", "E501", "no user", "send a userId", b'{"type": \xff')
    with opened(tmp_path) as log:
        log.append([tracks(1, 1)], [bad, bad])
        log.append([], [bad])
        assert [held.id for held in log.quarantine_list()] == [1, 2, 3]
        assert log.quarantine_list(after=1, limit=1)[0].id == 2
        assert log.quarantine_mark([1, 3, 9], "replayed") == 2
        assert [held.id for held in log.quarantine_list()] == [2]
        assert [held.id for held in log.quarantine_list("replayed")] == [1, 3]
        assert log.quarantine_counts() == {"open": 1, "replayed": 2}
        held = log.quarantine_get(3)
        assert held is not None
        assert (held.state, held.event) == ("replayed", bad)
        assert log.quarantine_get(4) is None
        with pytest.raises(ValueError, match="lost"):
            log.quarantine_mark([1], "lost")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("events"), st.integers(1, 4)),
        st.tuples(st.just("record"), st.just(1)),
        st.tuples(st.just("stretch"), st.integers(1, 4)),
        st.tuples(st.just("close"), st.integers(1, 6)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, bounds=st.tuples(st.integers(0, 20), st.integers(0, 20)))
def test_reading_any_range_does_not_depend_on_where_things_lie(
    steps: list[tuple[str, int]], bounds: tuple[int, int]
) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        log = opened(Path(folder))
        events: list[int] = []
        for step, count in steps:
            seq = log.next_seq
            if step == "events":
                log.append([tracks(seq, count)])
            elif step == "record":
                log.append([Record(seq, 0, "time", seq)])
            elif step == "stretch":
                log.append_stretch(stretch_of(log, tracks(seq, count)))
            elif step == "close":
                log.close_stretch(count)
            else:
                log.close()
                log = opened(Path(folder))
            events += range(seq, log.next_seq) if step in {"events", "stretch"} else []
        after, upto = bounds
        upto = min(upto, log.next_seq - 1)
        assert seqs(log.read(after, upto)) == list(range(after + 1, upto + 1))
        assert _scanned(log, connection, after, upto) == [seq for seq in events if after < seq <= upto]
        log.close()


def test_large_records_are_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.log.entries._BYTES_AT_ONCE", 1_000)
    with SqliteLog.open(tmp_path / "data") as log:
        bodies = [{"text": secrets.token_hex(400)} for _ in range(7)]
        for number, body in enumerate(bodies):
            log.append([Record(number + 1, number, "time", body)])
        assert [entry.body for entry in log.read(0) if isinstance(entry, Record)] == bodies
        assert [entry.seq for entry in log.read(2, 5) if isinstance(entry, Record)] == [3, 4, 5]
