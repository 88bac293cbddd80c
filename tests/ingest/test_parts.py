"""A Parquet file read part by part gives what it gives as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.domain.errors import SegueError
from segue.ingest.files import stretch
from segue.ingest.files.mapping import Mapping
from segue.ingest.files.parquet import streamed_parquet
from segue.ingest.files.reading import read_file
from segue.ingest.opening import open_intake
from segue.log.batch import EventBatch, Stretch
from segue.log.sqlite import SqliteLog

START = 1_800_000_000_000
Row = tuple[int, str | None, str | None, str | None, float | None]
rows = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(("m1", "m2", "m3", "m4", "m5", "m6")),
        st.sampled_from(("ann", "bob", "", None)),
        st.sampled_from(("Seen", "Bought", None)),
        st.one_of(st.none(), st.floats()),
    ),
    min_size=1,
    max_size=12,
)


def write(path: Path, found: list[Row], ids: bool = True) -> Path:
    at = START
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t (ts BIGINT, message_id VARCHAR, user_id VARCHAR, event VARCHAR, n DOUBLE)"
        )
        for gap, name, user, event, number in found:
            at += gap
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [at, name, user, event, number])
        kept = "*" if ids else "* EXCLUDE (message_id)"
        connection.execute(f"COPY (SELECT {kept} FROM t) TO '{path}' (FORMAT parquet)")
    return path


@contextmanager
def parts_of(size: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stretch, "CHUNK_ROWS", size)
        yield


def imported(folder: Path, file: Path) -> list[Any]:
    """What the log has of a file, and what was set aside; keys come in any order."""
    with SqliteLog.open(folder) as log:
        intake = open_intake(log, None)
        for portion in read_file(file, None, intake, log, "file", 0):
            if isinstance(portion.entry, Stretch):
                log.append_stretch(portion.entry, portion.quarantined)
            else:
                log.append([], portion.quarantined)
            intake.settle()
        batches = [entry for entry in log.replay() if isinstance(entry, EventBatch)]
        events = [(batch.event(at), batch.raws[at]) for batch in batches for at in range(len(batch))]
        aside = [(held.event.message, held.event.raw) for held in log.quarantine_list()]
        return [(said, json.loads(raw)) for said, raw in (*events, *aside)]


@given(rows, st.integers(1, 5))
@settings(max_examples=25)
def test_parts_are_as_the_whole(found: list[Row], size: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = write(folder / "rows.parquet", found)
        assert streamed_parquet(file, Mapping()) is not None
        whole = imported(folder / "whole", file)
        with parts_of(size):
            assert imported(folder / "parts", file) == whole


def test_what_must_be_put_in_order_or_named_is_read_as_a_whole(tmp_path: Path) -> None:
    row: Row = (1, "m", "ann", "Seen", 1.0)
    assert streamed_parquet(write(tmp_path / "1.parquet", [row, row]), Mapping()) is not None
    assert streamed_parquet(write(tmp_path / "2.parquet", [row, row], ids=False), Mapping()) is None
    assert streamed_parquet(write(tmp_path / "3.parquet", [row, (-2, *row[1:])]), Mapping()) is None
    assert streamed_parquet(write(tmp_path / "4.parquet", [row, (1, None, *row[2:])]), Mapping()) is None


def test_a_file_damaged_further_down_gives_nothing(tmp_path: Path) -> None:
    file = write(
        tmp_path / "rows.parquet", [(1, f"m{at}", f"u{at % 7}", "Seen", at / 7) for at in range(5_000)]
    )
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    file.write_bytes(data)
    with parts_of(100), pytest.raises(SegueError) as refused:
        imported(tmp_path / "data", file)
    assert refused.value.diagnostics[0].code == "E543"
    with SqliteLog.open(tmp_path / "data") as log:
        assert log.next_seq == 1


@pytest.mark.parametrize("ids", [True, False])
def test_forgetting_leaves_the_columns_of_the_others(tmp_path: Path, ids: bool) -> None:
    found: list[Row] = [(1, f"m{at}", ("ann", "bob")[at % 2], "Seen", at / 4) for at in range(8)]
    file = write(tmp_path / "rows.parquet", found, ids)
    imported(tmp_path / "data", file)
    with SqliteLog.open(tmp_path / "data") as log:
        before = events_by_user(log)
        ann = log.identity().user_ids.index("ann")
        log.forget({ann}, log.next_seq - 1)
        assert events_by_user(log) == {1 - ann: before[1 - ann]}
        with duckdb.connect() as connection:
            (portion,) = log.portions(connection)
            assert [each.key for each in portion.shape.properties] == ["n"]
            held = connection.execute(f"SELECT user_id, p0 FROM {portion.held}").fetchall()
        assert held == [("bob", at / 4) for at in range(1, 8, 2)]
    kept = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(b"ann" in data for data in kept if data)


def events_by_user(log: SqliteLog) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = {}
    for batch in log.replay():
        assert isinstance(batch, EventBatch)
        for at in range(len(batch)):
            rows.setdefault(batch.rows[at], []).append(batch.event(at))
    return rows
