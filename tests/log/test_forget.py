"""What was forgotten is in no file, and the rest is as it was."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import zstandard

from segue.domain.change import Cause
from segue.log.batch import Quarantined, Record, Stretch
from segue.log.changes import Progress
from segue.log.sqlite import SqliteLog
from tests.log.stories import batch, opened, seqs, stretch_of, told
from tests.log.test_changes import columns

USER, DEVICE, OLD, TRAIT, NOTE = (f"marker-{name}-7q" for name in ("user", "device", "old", "trait", "note"))
MARKERS = (USER, DEVICE, OLD, TRAIT, NOTE)
FRAME = b"\x28\xb5\x2f\xfd"


def _spelled(folder: Path) -> set[str]:
    """The markers found in any file: as they are, in whatever decompresses, or in a Parquet column."""
    found: set[str] = set()
    for file in folder.rglob("*"):
        if file.is_file():
            text = file.read_bytes() + b"".join(_frames(file.read_bytes())) + _cells(file)
            found |= {marker for marker in MARKERS if marker.encode() in text}
    return found


def _frames(data: bytes) -> list[bytes]:
    texts = []
    for match in re.finditer(re.escape(FRAME), data):
        reader = zstandard.ZstdDecompressor().decompressobj()
        try:
            texts.append(reader.decompress(data[match.start() :]))
        except zstandard.ZstdError:
            continue
    return texts


def _cells(file: Path) -> bytes:
    if file.suffix != ".parquet":
        return b""
    with duckdb.connect() as connection:
        return repr(connection.execute(f"SELECT * FROM '{file}'").fetchall()).encode()


def _events(first_seq: int, *, of: bool) -> list[dict[str, object]]:
    name, device = (USER, DEVICE) if of else ("other", "phone")
    return [
        {"type": "track", "event": f"E{first_seq}", "anonymousId": device},
        {"type": "identify", "userId": name, "traits": {"t": TRAIT if of else "plain"}},
    ]


def _planted(log: SqliteLog) -> None:
    """Two people, in an imported file, in a closed stretch and in the tail; rows 0 and 1 are the marked."""
    imported = batch(1, [*_events(1, of=True), *_events(1, of=False)], [0, 1, 2, 3])
    imported.created = [(0, 0, f"anon:{DEVICE}"), (1, 1, USER), (2, 2, "anon:phone"), (3, 3, "other")]
    imported.links = [(1, DEVICE, 1), (3, "phone", 3)]
    imported.merges = [(1, 0, 1), (3, 2, 3)]
    imported.aliases = [(1, OLD, 1), (3, "older", 3)]
    log.append_stretch(stretch_of(log, imported))
    log.append([batch(5, [*_events(5, of=True), *_events(5, of=False)], [1, 1, 3, 3])])
    log.append([Record(9, 1, "list", {"list": "press", "add": [USER, "other"], "by": {USER: 1}})])
    log.close_stretch(1)
    log.append(
        [
            batch(
                10,
                [*_events(10, of=False), *_events(10, of=True), *_events(10, of=False)],
                [3, 3, 1, 1, 3, 3],
            )
        ]
    )
    log.append([batch(16, _events(16, of=True), [1, 1])])
    log.append(
        [
            Record(18, 1, "override", {"user": OLD, "why": NOTE}),
            Record(19, 1, "override", {"user": "other", "why": "plain"}),
            Record(20, 1, "forget", {"rows": [0, 1]}),
        ],
        [
            Quarantined(1, "web", "E501", "m", "h", b'{"userId": "%s"}' % USER.encode()),
            Quarantined(1, "web", "E501", "m", "h", b'{"anonymousId": "%s", ' % DEVICE.encode()),
            Quarantined(1, "web", "E501", "m", "h", b'{"userId": "other"}'),
        ],
    )
    lines = [
        (0, "s", True, 1, Cause.EVENT, 1),
        (1, "s", True, 2, Cause.EVENT, 16),
        (3, "s", True, 3, Cause.EVENT, 10),
        (0, "s", False, 4, Cause.MERGE, 2),
    ]
    log.append_changes(Progress(20, 9, 5), columns(1, *lines))


def _others(lines: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [
        line for line in lines if not any(marker in repr(line) for marker in MARKERS) and line[0] != "record"
    ]


def test_what_was_forgotten_is_in_no_file(tmp_path: Path) -> None:
    folder = tmp_path / ".segue"
    with opened(tmp_path) as log:
        _planted(log)
        assert _spelled(folder) == set(MARKERS)
        log.forget({0, 1}, 20)
        assert _spelled(folder) == set()
        assert len(list((folder / "history").iterdir())) == 2
    assert _spelled(folder) == set()
    assert {file.name for file in folder.iterdir()} == {"lock", "log.db", "history"}


def test_the_rest_is_as_it_was(tmp_path: Path) -> None:
    left = [3, 4, 7, 8, 9, 10, 11, 14, 15, 19, 20]
    with opened(tmp_path) as log:
        _planted(log)
        before = [line for line in _others(told(log)) if line[0] != "merges" or line[1] != 2]
        log.forget({0, 1}, 20)
        assert [line for line in told(log) if line[0] != "record"] == before
        assert log.next_seq == 21
        kept = [entry for entry in log.read(0) if isinstance(entry, Record)]
        assert [entry.seq for entry in kept if entry.kind == "time"] == [18]
        records = {entry.seq: entry.body for entry in kept if entry.kind != "time"}
        assert sorted(records) == [9, 19, 20]
        assert records[9]["add"][1] == "other"
        assert records[9]["add"][0].startswith("forgotten:")
        with duckdb.connect() as connection:
            sql = f"SELECT seq FROM {log.scan(connection)} ORDER BY seq"
            scanned = [seq for (seq,) in connection.execute(sql).fetchall()]
            assert scanned == [seq for seq in left if seq not in records]
            assert len(log.message_hashes(connection, None)[0]) == 8
        assert [held.event.raw for held in log.quarantine_list()] == [b'{"userId": "other"}']
        counts = [entry.count for entry in log.read(0) if isinstance(entry, Stretch)]
        assert counts == [2, 2]


def test_changes_keep_their_numbers_under_no_name(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        _planted(log)
        log.forget({0, 1}, 20)
        (page,) = log.changes()
        assert page.seqs == [1, 2, 3, 4]
        assert page.user_ids[2] == "other"
        assert page.user_ids[0] == page.user_ids[3] != page.user_ids[1]
        assert all(page.user_ids[at].startswith("forgotten:") for at in (0, 1, 3))
        assert page.message_ids == [None, None, "m10", None]
        names = page.user_ids
        log.forget({0, 1}, 20)
        assert next(log.changes()).user_ids == names


def test_a_scan_begun_before_does_not_bring_it_back(tmp_path: Path) -> None:
    with opened(tmp_path) as log, duckdb.connect() as connection:
        _planted(log)
        assert TRAIT in repr(connection.execute(f"SELECT * FROM {log.scan(connection)}").fetchall())
        log.forget({0, 1}, 20)
        assert TRAIT not in repr(connection.execute(f"SELECT * FROM {log.scan(connection)}").fetchall())


def test_later_events_of_the_same_name_are_someone_new(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        _planted(log)
        log.forget({0, 1}, 20)
        again = batch(21, [{"type": "identify", "userId": USER}], [4])
        again.created = [(0, 4, USER)]
        log.append([again])
        log.close_stretch(1)
        assert log.identity().user_ids[4] == USER
        assert seqs(log.read(20)) == [21]
    with opened(tmp_path) as log:
        assert _spelled(log.folder) == {USER}


def test_an_erasure_cut_short_is_finished_at_the_next_open(tmp_path: Path) -> None:
    folder = tmp_path / ".segue"
    with opened(tmp_path) as log:
        _planted(log)
        old = {file: file.read_bytes() for file in (folder / "history").iterdir()}
        log.forget({0, 1}, 20)
        with log._store.transaction() as connection:
            rows = [(file.name,) for file in old] + [("",)]
            connection.executemany("INSERT INTO erasing VALUES (?)", rows)
    for file, data in old.items():
        file.write_bytes(data)
    assert TRAIT in _spelled(folder)
    opened(tmp_path).close()
    assert _spelled(folder) == set()


def test_forgetting_nobody_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        _planted(log)
        before = told(log)
        log.forget(set(), 20)
        log.forget({77}, 20)
        assert told(log) == before
