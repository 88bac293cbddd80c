"""Files to the log, through the real log: what is taken, in which order, and what is said of bad ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from segue.domain.errors import SegueError, UsageError
from segue.domain.time import format_instant, parse_instant
from segue.ingest.dedupe import Seen
from segue.ingest.files.mapping import Constant, Mapping, read_mapping
from segue.ingest.files.reading import read_file
from segue.ingest.identity import Identity
from segue.ingest.intake import Intake
from segue.ingest.opening import open_intake
from segue.ingest.tally import Tally
from segue.log.batch import EventBatch, Stretch
from segue.log.sqlite import SqliteLog

NOW = 1_795_341_600_000


def reopened(desk: Desk) -> None:
    """The same folder as another process finds it."""
    folder = desk.log.folder
    desk.log.close()
    desk.log = SqliteLog.open(folder)
    desk.intake = open_intake(desk.log, since=None)


class Desk:
    """A log with its intake: imports a file as the command does, and tells what the log then holds."""

    def __init__(self, folder: Path) -> None:
        self.log = SqliteLog.open(folder)
        self.intake = Intake(Identity(), Seen())

    def take(self, path: Path, mapping: str | None = None, source: str = "file") -> Tally:
        tally, done = Tally(), 0
        said = None if mapping is None else read_mapping(mapping)
        for portion in read_file(path, said, self.intake, self.log, source, NOW):
            if isinstance(portion.entry, Stretch):
                self.log.append_stretch(portion.entry)
                self.log.append([], portion.quarantined)
            else:
                self.log.append([portion.entry] if portion.entry else [], portion.quarantined)
            self.intake.settle()
            tally.add(portion.tally)
            assert done <= portion.done <= portion.total
            done = portion.done
        assert tally.adds_up()
        return tally

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for entry in self.log.read(0):
            batches = [entry] if isinstance(entry, EventBatch) else self.log.read_stretch(entry)  # type: ignore[arg-type]
            for batch in batches:
                for at in range(len(batch)):
                    event = batch.event(at)
                    shown = {"user": self.intake.identity.user_id(event.row), "name": event.name}
                    when = {"at": format_instant(event.timestamp), "properties": dict(event.properties)}
                    found.append(shown | when)
        return found

    def aside(self) -> list[tuple[str, str]]:
        return [(held.event.code, held.event.raw.decode()) for held in self.log.quarantine_list()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "data")
    yield desk
    desk.log.close()


def csv(tmp_path: Path, text: str, name: str = "rows.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def parquet(tmp_path: Path, select: str, name: str = "rows.parquet") -> Path:
    path = tmp_path / name
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def jsonl(tmp_path: Path, *events: dict[str, Any] | str, name: str = "events.jsonl") -> Path:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def track(user: str, at: str, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": "Login", "timestamp": f"2026-01-01T{at}Z", **fields}


# ---- tables --------------------------------------------------------------------------------


def test_a_csv_with_the_usual_names_needs_no_mapping(desk: Desk, tmp_path: Path) -> None:
    file = csv(
        tmp_path,
        "user_id,ts,event,price,day\n007,2026-01-01,buy,1.50,2026-02-03\n8,2026-01-02 03:04:05,sell,,\n",
    )
    tally = desk.take(file)
    assert tally.accepted == 2
    assert desk.events() == [
        {"user": "007", "name": "buy", "at": "2026-01-01T00:00:00.000Z",
         "properties": {"price": 1.5, "day": "2026-02-03"}},
        {"user": "8", "name": "sell", "at": "2026-01-02T03:04:05.000Z", "properties": {}},
    ]  # fmt: skip


def test_the_same_file_twice_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    file = csv(tmp_path, "user_id,ts,event\n1,2026-01-01,buy\n1,2026-01-01,buy\n2,2026-01-01,buy\n")
    assert desk.take(file).accepted == 3
    before = desk.log.next_seq
    again = desk.take(file)
    assert (again.accepted, again.duplicate) == (0, 3)
    assert desk.log.next_seq == before


def test_one_more_identical_row_is_one_more_event(desk: Desk, tmp_path: Path) -> None:
    head, row = "user_id,ts,event\n", "1,2026-01-01,buy\n"
    desk.take(csv(tmp_path, head + row * 2))
    assert desk.take(csv(tmp_path, head + row * 3)).accepted == 1


def test_a_missing_value_is_another_than_an_empty_one(desk: Desk, tmp_path: Path) -> None:
    event = "SELECT 'u' AS user_id, TIMESTAMP '2026-01-01' AS ts, 'buy' AS event,"
    rows = [f"{event} {a}::VARCHAR AS a, {b}::VARCHAR AS b"
            for a, b in (("NULL", "'x'"), ("'x'", "NULL"), ("''", "'x'"))]  # fmt: skip
    for number, row in enumerate(rows):
        assert desk.take(parquet(tmp_path, row, f"{number}.parquet")).accepted == 1


def test_rows_count_in_order_of_receipt_ties_in_file_order(desk: Desk, tmp_path: Path) -> None:
    desk.take(
        csv(tmp_path, "user_id,ts,event\na,2026-01-03,x\nb,2026-01-01,x\nc,2026-01-02,x\nd,2026-01-01,x\n")
    )
    assert [event["user"] for event in desk.events()] == ["b", "d", "c", "a"]
    assert desk.intake.identity.ids == ["b", "d", "c", "a"]


def test_every_type_of_column_becomes_json(desk: Desk, tmp_path: Path) -> None:
    file = parquet(
        tmp_path,
        "SELECT 5::DOUBLE AS user_id, TIMESTAMP '2026-01-01 10:00:00.1239' AS ts, ' buy ' AS event,"
        " 1.10::DECIMAL(9,2) AS d,"
        " 0.5::FLOAT AS f, 'NaN'::DOUBLE AS n, DATE '2026-02-03' AS day, TIME '04:05:06' AS t, true AS b,"
        " TIMESTAMPTZ '2026-01-01 12:00:00+02' AS z, 170141183460469231731687303715884105727::HUGEINT AS h,"
        " [1, 2] AS l, {'k': 'v'} AS s, 'a\"ü' AS \"odd \"\"name\"",
    )
    desk.take(file)
    [event] = desk.events()
    assert (event["user"], event["name"], event["at"]) == ("5", "buy", "2026-01-01T10:00:00.123Z")
    assert event["properties"] == {
        "d": 1.1, "f": 0.5, "day": "2026-02-03", "t": "04:05:06", "b": True, "z": "2026-01-01T10:00:00.000Z",
        "h": 1.7014118346046923e38, "l": [1, 2], "s": {"k": "v"}, 'odd "name': 'a"ü',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "at"),
    [
        ("1767225600", "2026-01-01T00:00:00.000Z"),
        ("1767225600123", "2026-01-01T00:00:00.123Z"),
        ("1767225600.5", "2026-01-01T00:00:00.500Z"),
        ("'1767225600'", "2026-01-01T00:00:00.000Z"),
        ("'2026-01-01T02:00:00+02:00'", "2026-01-01T00:00:00.000Z"),
        ("'2026-01-01'", "2026-01-01T00:00:00.000Z"),
        ("DATE '2026-01-01'", "2026-01-01T00:00:00.000Z"),
        ("TIMESTAMP_S '2026-01-01'", "2026-01-01T00:00:00.000Z"),
        ("TIMESTAMP_NS '2026-01-01 00:00:00.123456789'", "2026-01-01T00:00:00.123Z"),
    ],
)
def test_times_of_a_table(desk: Desk, tmp_path: Path, column: str, at: str) -> None:
    desk.take(parquet(tmp_path, f"SELECT 'u' AS user_id, {column} AS ts, 'x' AS event"))
    assert [event["at"] for event in desk.events()] == [at]


@pytest.mark.parametrize("column", ["TIMESTAMP '2026-07-01 12:00:00'", "'2026-07-01 12:00:00'"])
def test_a_mapping_may_name_the_zone(desk: Desk, tmp_path: Path, column: str) -> None:
    (tmp_path / "map.yaml").write_text("timezone: Europe/Berlin\n")
    file = parquet(tmp_path, f"SELECT 'u' AS user_id, {column} AS ts, 'x' AS event")
    desk.take(file, str(tmp_path / "map.yaml"))
    assert [event["at"] for event in desk.events()] == ["2026-07-01T10:00:00.000Z"]


def test_bad_rows_are_set_aside(desk: Desk, tmp_path: Path) -> None:
    file = csv(
        tmp_path,
        "user_id,ts,event,price\n,2026-01-01,a,1\nu,soon,a,1\nu,1969-01-01,a,1\nu,2026-01-01, ,1\n"
        "u,2026-01-01,a\n"
        f"{'x' * 1_025},2026-01-01,a,1\nu,2026-01-01,a,2\n",
    )
    tally = desk.take(file)
    assert (tally.rows, tally.accepted, tally.quarantined) == (7, 1, 6)
    assert sorted(code for code, _ in desk.aside()) == ["E521", "E524", "E525", "E526", "E527", "E548"]
    for held in desk.log.quarantine_list():
        assert held.event.hint not in held.event.message
    assert desk.take(file).duplicate == 1


def test_received_at_and_message_id_of_the_row_are_its_own(desk: Desk, tmp_path: Path) -> None:
    file = csv(
        tmp_path,
        "userId,event,timestamp,receivedAt,messageId\n"
        "u,a,2026-01-01T00:00:00Z,2026-01-03T00:00:00Z,m\nu,b,2026-01-09T00:00:00Z,2026-01-02T00:00:00Z,n\n"
        "u,c,2026-01-01T00:00:00Z,2026-01-03T00:00:00Z,m\n",
    )
    tally = desk.take(file)
    assert (tally.accepted, tally.duplicate, tally.future_clamped) == (2, 1, 1)
    assert [(event["name"], event["at"]) for event in desk.events()] == [
        ("b", "2026-01-02T00:00:00.000Z"), ("a", "2026-01-01T00:00:00.000Z")]  # fmt: skip


def test_a_late_change_of_type_makes_text(desk: Desk, tmp_path: Path) -> None:
    rows = "".join(f"u,2026-01-01,a,{number}\n" for number in range(21_000))
    tally = desk.take(csv(tmp_path, "user_id,ts,event,sku\n" + rows + "u,2026-01-01,a,7X\n"))
    assert tally.accepted == 21_001
    assert desk.events()[-1]["properties"] == {"sku": "7X"}


def test_identify_and_anonymous_rows_take_the_careful_road(desk: Desk, tmp_path: Path) -> None:
    file = csv(
        tmp_path,
        "userId,anonymousId,kind,event,time,plan\n"
        ",x,track,Look,2026-01-01,\nu,x,identify,,2026-01-02,pro\n,x,track,Buy,2026-01-03,\n",
    )
    desk.take(file, "type=kind,traits=plan")
    identity = desk.intake.identity
    assert identity.ids == ["anon:x", "u"]
    assert identity.survivor(0) == 1
    assert [(event["user"], event["name"]) for event in desk.events()] == [
        ("anon:x", "Look"), ("u", None), ("u", "Buy")]  # fmt: skip
    assert desk.take(file, "type=kind,traits=plan").duplicate == 3


def test_both_roads_take_the_same_rows_for_the_same(desk: Desk, tmp_path: Path) -> None:
    file = csv(tmp_path, "user_id,ts,event,a\n1,2026-01-01,buy,\n1,2026-01-01,buy,\n2,2026-01-02,buy,3\n")
    (tmp_path / "careful.yaml").write_text("type: '\"track\"'\ntraits: {}\ngroup: a\n")
    desk.take(file)
    assert desk.take(file, str(tmp_path / "careful.yaml")).duplicate == 3


def test_forgetting_holds_for_imports(desk: Desk, tmp_path: Path) -> None:
    desk.take(csv(tmp_path, "user_id,ts,event\nu,2026-01-01,first\n"))
    bound = parse_instant("2026-01-03")
    assert bound is not None
    desk.intake.identity.forget(0, 2, bound)
    tally = desk.take(csv(tmp_path, "user_id,ts,event\nu,2026-01-02,a\nu,2026-01-05,b\nv,2026-01-02,a\n"))
    assert (tally.accepted, tally.refused) == (2, 1)
    assert [(event["user"], event["name"]) for event in desk.events()][1:] == [("v", "a"), ("u", "b")]


# ---- JSON lines ----------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_json_lines(desk: Desk, tmp_path: Path, packed: bool) -> None:
    file = jsonl(
        tmp_path, track("b", "02:00:00"), "", "{broken", track("a", "01:00:00", properties={"n": 1}), "5",
        track("c", "02:00:00", receivedAt="2026-01-01T00:30:00Z"), '{"type":"track","userId":"d"}',
    )  # fmt: skip
    if packed:
        file = file.with_name("events.jsonl.gz")
        file.write_bytes(gzip.compress((tmp_path / "events.jsonl").read_bytes()))
    tally = desk.take(file)
    assert (tally.rows, tally.accepted, tally.quarantined) == (6, 3, 3)
    assert [event["user"] for event in desk.events()] == ["c", "a", "b"]
    assert sorted(code for code, _ in desk.aside()) == ["E510", "E511", "E524"]
    messages = [held.event.message for held in desk.log.quarantine_list()]
    assert any(f"{file.name}:3:" in message for message in messages)
    again = desk.take(file)
    assert (again.accepted, again.duplicate) == (0, 3)


def test_identical_lines_are_different_events(desk: Desk, tmp_path: Path) -> None:
    line = track("a", "01:00:00")
    assert desk.take(jsonl(tmp_path, line, line)).accepted == 2
    assert desk.take(jsonl(tmp_path, line, line, line)).accepted == 1


def test_a_long_file_is_streamed(desk: Desk, tmp_path: Path) -> None:
    lines = [track(f"u{number % 7}", "00:00:00", messageId=str(number)) for number in range(45_000)]
    assert desk.take(jsonl(tmp_path, *lines)).accepted == 45_000


def test_a_restart_forgets_nothing(desk: Desk, tmp_path: Path) -> None:
    table = csv(tmp_path, "user_id,ts,event\n1,2026-01-01,x\n2,2026-01-01,x\n")
    lines = jsonl(tmp_path, track("3", "00:00:00"), track("1", "00:00:00", anonymousId="x"))
    tallies = [desk.take(table), desk.take(lines)]
    identity = desk.intake.identity
    reopened(desk)
    assert [desk.take(table).duplicate, desk.take(lines).duplicate] == [tally.accepted for tally in tallies]
    again = desk.intake.identity
    assert (again.ids, again.rows, again.seen) == (identity.ids, identity.rows, identity.seen)


# ---- what can be wrong ---------------------------------------------------------------------

USUAL = "user_id,ts,event\n1,2026-01-01,x\n"


@pytest.mark.parametrize(
    ("name", "data", "mapping", "code", "named"),
    [
        ("gone.csv", None, None, "E540", "gone.csv"),
        ("gone.jsonl", None, None, "E540", "gone.jsonl"),
        ("none.csv", b"", None, "E541", "none.csv"),
        ("none.jsonl", b"", None, "E541", "none.jsonl"),
        ("none.parquet", b"", None, "E541", "none.parquet"),
        ("latin.csv", "user_id,ts,event\n1,2026-01-01,caf\xe9\n".encode("latin-1"), None, "E542", "iconv"),
        ("latin.jsonl", '{"event":"caf\xe9"}'.encode("latin-1"), None, "E542", "line 1"),
        ("utf16.csv", USUAL.encode("utf-16"), None, "E542", "iconv"),
        ("utf16.jsonl", "{}".encode("utf-16"), None, "E542", "iconv"),
        ("no.parquet", b"PAR1 this is no Parquet file PAR1", None, "E543", "no.parquet"),
        ("text.parquet", USUAL.encode(), None, "E543", "text.parquet"),
        ("a.csv", USUAL.encode(), "user=customer", "E544", '"customer"'),
        ("a.csv", USUAL.encode(), "properties=prise", "E544", '"prise"'),
        ("a.csv", b"customer_no,ts,event\n1,2026-01-01,x\n", None, "E544", "--map user=COLUMN"),
        ("a.csv", b"user_id,event\n1,x\n", None, "E544", "--map timestamp=COLUMN"),
        ("a.csv", b"user_id,ts\n1,2026-01-01\n", None, "E544", "--map event=COLUMN"),
        ("a.csv", USUAL.encode(), "event=purchased", "E544", "quotes"),
        ("a.csv", USUAL.encode(), "usr=user_id", "E545", '"usr"'),
        ("a.csv", USUAL.encode(), "user_id", "E545", '"user_id"'),
        ("a.csv", USUAL.encode(), 'type="buy"', "E545", '"buy"'),
        ("a.xlsx", b"PK", None, "E546", "a.xlsx"),
        ("list.json", b'[{"type":"track"}]', None, "E547", "jq"),
        ("cut.jsonl.gz", gzip.compress(b'{"a":1}\n' * 1_000, mtime=0)[:40], None, "E547", "cut.jsonl.gz"),
    ],
)
def test_findings(
    desk: Desk, tmp_path: Path, name: str, data: bytes | None, mapping: str | None, code: str, named: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(SegueError) as refused:
        desk.take(path, mapping)
    assert [found.code for found in refused.value.diagnostics] == [code]
    assert named in str(refused.value)
    assert desk.log.next_seq == 1


@pytest.mark.parametrize("name", ["header.csv", "a[1]*.csv"])
def test_a_header_alone_is_no_event(desk: Desk, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("user_id,ts,event\n")
    assert desk.take(tmp_path / name).rows == 0


# ---- mappings ------------------------------------------------------------------------------


def test_a_mapping_in_one_line() -> None:
    said = read_mapping('user=customer,event="Order, Completed",timestamp=at,properties=price,quantity')
    assert said == Mapping(
        user="customer",
        event=Constant("Order, Completed"),
        timestamp="at",
        properties={"price": "price", "quantity": "quantity"},
    )


def test_a_mapping_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(
        "user: customer\nevent: '\"Order\"'\nproperties: {revenue: price}\ntimezone: Europe/Berlin\n"
    )
    said = read_mapping(str(file))
    assert said.properties == {"revenue": "price"}
    assert said.event == Constant("Order")


@pytest.mark.parametrize(
    "text",
    [
        "- user",
        "user: [a]",
        "user: 5",
        "users: a",
        "timezone: Mars/Base",
        "properties: 5",
        "a: &x [1]\nb: *x",
        "{",
        "",
    ],
)
def test_a_mapping_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_mapping(str(file))
    assert refused.value.diagnostics[0].code == "E545"


# ---- a real retailer -----------------------------------------------------------------------

RETAIL = Path(__file__).parents[2] / "examples" / "online-retail" / "data" / "online_retail_2009_2010.parquet"


def test_a_real_retailers_year(desk: Desk) -> None:
    tally = desk.take(RETAIL)
    assert (tally.rows, tally.accepted) == (402_731, 402_731)
    assert len(desk.intake.identity) == 4_336
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT message_id), min(seq), max(seq),"
            " sum((properties->>'quantity')::BIGINT), count(DISTINCT \"row\"),"
            " count_if((raw->'properties')::VARCHAR = properties)"
            f" FROM {desk.log.scan(connection)}"
        ).fetchall()
        quantity = connection.execute(f"SELECT sum(quantity) FROM '{RETAIL}'").fetchall()[0][0]
    assert found == [(402_731, 402_731, 1, 402_731, quantity, 4_336, 402_731)]
    assert desk.take(RETAIL).duplicate == 402_731
