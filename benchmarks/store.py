"""The made-up shop as a user has it: a workspace folder, JSON lines, Parquet; a real shop several times."""

from __future__ import annotations

import atexit
import json
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

from benchmarks.shop import EVENTS, FEATURES, LASTS, SHARES, START, conditions
from segue.ingest.files.mapping import read_mapping
from segue.service.service import Service

REPOSITORY = Path(__file__).parent.parent
RETAIL = REPOSITORY / "examples/online-retail"
DAY_MS = 86_400_000


def size(name: str, usual: int) -> int:
    """How large a bench is: ``SEGUE_BENCH_<NAME>`` in the environment, else the usual."""
    return int(os.environ.get(f"SEGUE_BENCH_{name}", usual))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as name:
        yield Path(name)


COUNTS = (3, 5, 8, 12, 20, 30, 50, 80, 120, 200)
AMOUNTS = (110, 120, 130, 140, 150, 160, 170, 180, 190, 199)
SILENCES = (3, 7, 14, 21, 30, 45, 60, 90, 180, 365)


def sparse_conditions() -> list[str]:
    """200 conditions over 20 features that most profiles never meet: 2.5 changes an event, not 20."""
    found = []
    for feature, _ in FEATURES:
        bounds = AMOUNTS if feature.startswith(("avg", "max")) else COUNTS
        scale = 100 if feature.startswith("sum") else 1
        found += [f"{feature} >= {bound * scale}" for bound in bounds]
    return found + [f'since(last("{name}")) > {days}d' for name in LASTS for days in SILENCES]


def write_workspace(folder: Path, texts: list[str] | None = None) -> Path:
    """Twenty features and two hundred segments."""
    (folder / "segments").mkdir(parents=True)
    (folder / "features").mkdir()
    (folder / "segue.yaml").write_text("timezone: UTC\n")
    features = [
        {"feature": f"f{place:02}", "owner": "bench@shop.example", "description": "Measured.", "value": value}
        for place, (value, _) in enumerate(FEATURES)
    ]
    (folder / "features/all.json").write_text(json.dumps(features))
    write_segments(folder, conditions() if texts is None else texts)
    return folder


def write_segments(folder: Path, texts: list[str]) -> None:
    """One segment for each condition."""
    definitions = [segment(f"s{place:03}", when) for place, when in enumerate(texts)]
    (folder / "segments/all.json").write_text(json.dumps(definitions))


def segment(name: str, when: str) -> dict[str, str]:
    """A segment's definition."""
    return {"segment": name, "owner": "bench@shop.example", "description": "Measured.", "when": when}


def write_lines(path: Path, events: int, users: int) -> Path:
    """Segment-style JSON lines of about 350 bytes, in order of time."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT '{{"type":"track","event":"' || event || '","userId":"' || user_id
            || '","messageId":"5f2c1f9e-8d5f-4a53-9d0e-' || lpad(hex(i), 12, '0') || '","timestamp":"'
            || strftime(ts, '%Y-%m-%dT%H:%M:%S.%gZ') || '","properties":{{"amount":' || amount
            || ',"currency":"EUR","sku":"' || sku || '","items":3,"coupon":"AUTUMN"}},"context":{{"ip":'
            || '"203.0.113.7","locale":"de-DE","library":{{"name":"analytics.js","version":"4.1"}}}}}}'
            FROM ({_events(events, users)}) ORDER BY i)
            TO '{path}' (FORMAT csv, HEADER false, QUOTE '', DELIMITER '\x01')"""
        )
    return path


def write_parquet(path: Path, events: int, users: int) -> Path:
    """The same as a table that goes by the usual names of columns."""
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT 'm' || i AS message_id, user_id, event, ts AS timestamp, amount, sku"
            f" FROM ({_events(events, users)}) ORDER BY i) TO '{path}' (FORMAT parquet)"
        )
    return path


MAPPING = (
    "user: user_id\nevent: event\ntimestamp: timestamp\nmessage_id: message_id\nproperties: [amount, sku]\n"
)


def _events(events: int, users: int) -> str:
    """Every user first signs in once; 30 days in all, ending where the kernel's shop begins."""
    edges = [sum(SHARES[: place + 1]) for place in range(len(EVENTS))]
    names = "".join(f" WHEN pick < {edge} THEN '{name}'" for edge, name in zip(edges, EVENTS, strict=True))
    gap = 30 * DAY_MS / events
    return (
        f"SELECT i, 'user-' || lpad(CASE WHEN i < {users} THEN i ELSE hash(i) % {users} END::VARCHAR, 7, '0')"
        f" AS user_id, CASE{names} ELSE '{EVENTS[-1]}' END AS event,"
        f" make_timestamp(({START} - {30 * DAY_MS} + (i * {gap})::BIGINT) * 1000) AS ts,"
        " 1 + (hash(i + 1) % 19900) / 100 AS amount,"
        " 'SKU-' || lpad((hash(i + 2) % 5000)::VARCHAR, 6, '0') AS sku"
        f" FROM (SELECT range AS i, (hash(range + 3) % 1000000) / 1000000 AS pick FROM range({events}))"
    )


def write_retail(path: Path, copies: int) -> Path:
    """The shipped year of a real shop several times over: other customers, a year later each."""
    source = next((RETAIL / "data").glob("*.parquet"))
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * EXCLUDE (copy) REPLACE"
            f" (user_id || '-' || copy AS user_id, ts + to_years(copy::INT) AS ts)"
            f" FROM range({copies}) c(copy), '{source}' ORDER BY ts) TO '{path}' (FORMAT parquet)"
        )
    return path


@cache
def imported(events: int, users: int) -> Path:
    """A folder with ``workspace`` and ``data``, in which so many events lie; gone when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="segue-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_workspace(folder / "workspace", sparse_conditions())
    table = write_parquet(folder / "events.parquet", events, users)
    (folder / "map.yaml").write_text(MAPPING)
    with Service.open(folder / "workspace", folder / "data") as service:
        service.import_file(
            table, read_mapping(str(folder / "map.yaml")), "bench", lambda _done, _total: None
        )
    table.unlink()
    return folder


def resident_mb() -> float:
    """Resident memory of this process now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
