"""What history gives of an event's properties is what the feed reads of the event, bit for bit."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from segue.domain.event import Event
from segue.engine.feeding.portion import FrameReader, slots_of
from segue.engine.feeding.slots import read_slots
from segue.engine.feeding.values import micro
from segue.engine.program.compile import Compiled, compile_definitions
from segue.engine.program.readings import number_reader
from segue.ingest.files.reading import read_file
from segue.ingest.opening import open_intake
from segue.log.batch import EventBatch, Stretch
from segue.log.sqlite import SqliteLog
from tests.strategies import FRESH
from tests.strategies.histories import histories
from tests.strategies.vocabulary import MOMENTS, TEXTS
from tests.strategies.workspaces import workspaces

Slots = dict[int, list[int]]
CASES = settings(max_examples=60, backend=FRESH, suppress_health_check=list(HealthCheck))


def _double(bits: int) -> float:
    found: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return found


doubles = st.one_of(
    st.integers(0, 2**64 - 1).map(_double),
    st.floats(-1e13, 1e13),
    st.integers(-(10**9), 10**9).map(lambda whole: (whole + 0.5) / 1e6),
    st.sampled_from((0.0, -0.0, 1.0, 9e12, -9e12, math.nextafter(9e12, math.inf), 5e-7, 2.0000005, math.nan)),
)


@given(st.lists(doubles, max_size=50))
@example([2**53 + 1.0, 1e-320, 8999999999999.9995])
def test_numbers_by_the_array_are_numbers_one_by_one(found: list[float]) -> None:
    assert micro(np.array(found, np.float64)).tolist() == [number_reader(each) for each in found]


# ---- whole logs ------------------------------------------------------------------------------

words = st.one_of(
    st.sampled_from((*TEXTS, *MOMENTS, "1e400", "NaN", "{}", "null", "\0", "\u00a01")), st.text()
)
columns = {
    "n": st.sampled_from((
        ("DOUBLE", doubles),
        ("FLOAT", st.floats(width=32)),
        ("DECIMAL(12,3)", st.decimals(-(10**8), 10**8, places=3)),
        ("INTEGER", st.integers(-5, 5)),
    )),
    "s": st.just(("VARCHAR", words)),
    "v": st.sampled_from((
        ("BOOLEAN", st.booleans()),
        ("BIGINT", st.integers(-(2**63), 2**63 - 1)),
        ("UBIGINT", st.integers(0, 2**64 - 1)),
        ("VARCHAR[]", st.lists(words, max_size=2)),
        ("DOUBLE[]", st.lists(doubles, max_size=2)),
    )),
    "t": st.sampled_from((("DATE", st.dates()), ("TIMESTAMP", st.datetimes()), ("VARCHAR", words))),
    "o": st.just(("STRUCT(n DOUBLE, s VARCHAR)", st.fixed_dictionaries({"n": doubles, "s": words}))),
}  # fmt: skip
names = st.sampled_from(("Viewed", "Bought", "Other"))


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, str], list[dict[str, object]]]:
    """The types of the columns, and rows in which anything may be missing."""
    kinds = {name: draw(choices) for name, choices in columns.items()}
    size = draw(st.integers(1, 12))
    rows = [
        {name: draw(st.one_of(values, values, st.none())) for name, (_, values) in kinds.items()}
        | {
            "event": draw(st.sampled_from(("Viewed", "Bought", "Other"))),
            "user_id": draw(st.sampled_from("ab")),
        }
        for _ in range(size)
    ]
    return {name: kind for name, (kind, _) in kinds.items()}, rows


def write_table(path: Path, kinds: dict[str, str], rows: list[dict[str, object]]) -> None:
    names = {"user_id": "VARCHAR", "event": "VARCHAR", **kinds}
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE made (ts BIGINT, {', '.join(f'{name} {kind}' for name, kind in names.items())})"
        )
        for at, row in enumerate(rows):
            marks = ", ".join("?" for _ in names)
            given = [row[name] for name in names]
            connection.execute(f"INSERT INTO made VALUES ({1_800_000_000_000 + at}, {marks})", given)
        connection.execute(f"COPY made TO '{path}' (FORMAT parquet)")


def imported(folder: Path, file: Path) -> SqliteLog:
    log = SqliteLog.open(folder / "data")
    intake = open_intake(log, None)
    for portion in read_file(file, None, intake, log, "file", 0):
        if isinstance(portion.entry, Stretch):
            log.append_stretch(portion.entry, portion.quarantined)
        else:
            log.append([portion.entry] if portion.entry else [], portion.quarantined)
        intake.settle()
    return log


def events_of(log: SqliteLog) -> Iterator[Event]:
    for entry in log.replay():
        assert isinstance(entry, EventBatch)
        yield from (entry.event(at) for at in range(len(entry)))


def read_by_the_feed(log: SqliteLog, compiled: Compiled) -> Slots:
    found = {}
    for event in events_of(log):
        code = compiled.codes.find(event.type, event.name)
        if code.links:
            seen = event.traits if event.type in ("identify", "group") else event.properties
            found[event.seq] = read_slots(code, seen, event.context)
    return found


def read_from_history(log: SqliteLog, compiled: Compiled) -> Slots:
    found: Slots = {}
    with duckdb.connect() as connection:
        portions = log.portions(connection)
        reader = FrameReader(connection, compiled.codes)
        for portion in portions:
            frame = reader.read(portion, f"seq BETWEEN {portion.first} AND {portion.last}")
            for code in reader.wanted:
                at = np.flatnonzero(frame.codes == code.number)
                slots = slots_of(code, frame, at, compiled.rules.zone)
                found |= zip(frame.seqs[at].tolist(), slots.tolist(), strict=True)
    return dict(sorted(found.items()))


@given(st.data())
@CASES
def test_a_tables_columns_say_what_its_events_say(data: st.DataObject) -> None:
    workspace = data.draw(workspaces())
    compiled = compile_definitions(workspace.definitions, workspace.rules)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        write_table(file, *data.draw(tables()))
        with imported(Path(folder), file) as log:
            assert read_from_history(log, compiled) == read_by_the_feed(log, compiled)


@given(st.data())
@CASES
def test_events_read_alike_before_and_after_their_stretch_is_closed(data: st.DataObject) -> None:
    workspace = data.draw(workspaces())
    compiled = compile_definitions(workspace.definitions, workspace.rules)
    steps = data.draw(histories())
    with TemporaryDirectory() as folder:
        file = Path(folder) / "events.jsonl"
        file.write_text("".join(json.dumps(step[1]) + "\n" for step in steps if step[0] == "event") or "{}")
        with imported(Path(folder), file) as log:
            expected = read_by_the_feed(log, compiled)
            assert read_from_history(log, compiled) == expected
            log.close_stretch(1)
            assert read_by_the_feed(log, compiled) == expected
            assert read_from_history(log, compiled) == expected
