"""A bit flips, or a file ends too early: it is noticed, or it changes nothing; never a wrong answer."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from segue.domain.errors import SegueError
from segue.log.batch import EventBatch
from segue.service.service import Service
from tests.api.serving import serving, write_workspace
from tests.service.crashing import chance, order

TIMES, TORTURE_TIMES, POST = 30, 400, 200


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a server leaves it: a log, a snapshot, a file of history."""
    folder = tmp_path_factory.mktemp("sound")
    with serving(folder) as server:
        for start in range(0, 4_000, 200):
            batch = {"batch": [order(number) for number in range(start, start + 200)]}
            assert server.http.post("/v1/batch", json=batch).status_code == 200
        assert server.stop() == 0
    with Service.open(folder / "workspace", folder / "data") as service:
        service.log.close_stretch(1)
        service.core.saved_seq = -(10**9)
    with serving(folder) as server:
        for start in range(4_000, 5_000, 200):
            batch = {"batch": [order(number) for number in range(start, start + 200)]}
            assert server.http.post("/v1/batch", json=batch).status_code == 200
        server.process.kill()
        server.process.wait()
    return folder


def told(workspace: Path, data: Path) -> dict[str, Any]:
    """All that one can ask, in one value."""
    with Service.open(workspace, data) as service:
        return {
            "members": {name: service.members(name) for name in service.workspace.segments},
            "changes": [change.to_json() for change in service.changes()],
            "events": [
                (name, stamp, bytes(raw))
                for entry in service.log.replay()
                if isinstance(entry, EventBatch)
                for name, stamp, raw in zip(entry.message_ids, entry.timestamps, entry.raws, strict=True)
            ],
        }


def damaged(path: Path, lots: random.Random) -> str:
    """Flip one bit, or cut the file; what was done.

    A write-ahead log that is cut looks like one that was never longer, so only its bits are flipped.
    """
    text = bytearray(path.read_bytes())
    at = lots.randrange(len(text))
    if lots.random() < 0.25 and path.suffix != ".db-wal":
        path.write_bytes(text[:at])
        return f"{path.name} cut at {at}"
    text[at] ^= 1 << lots.randrange(8)
    path.write_bytes(text)
    return f"{path.name} flipped at {at}"


def rot(sound: Path, folder: Path, times: int) -> Counter[str]:
    lots, outcomes = chance(), Counter[str]()
    whole = told(copy_of(sound, folder / "whole"), folder / "whole" / "data")
    for turn in range(times):
        here = folder / str(turn)
        workspace = copy_of(sound, here)
        files = sorted(each for each in (here / "data").rglob("*") if damageable(each))
        kind = lots.choice(sorted({each.suffix for each in files}))
        path = lots.choice([each for each in files if each.suffix == kind])
        what = damaged(path, lots)
        try:
            found = told(workspace, here / "data")
        except SegueError as error:
            outcomes[f"said {error.diagnostics[0].code}"] += 1
        except Exception:  # SQLite sums no pages: what lies in them may be any value
            if path.name != "log.db":
                raise
            outcomes["refused as a fault"] += 1
        else:
            assert found == whole or (path.suffix == ".db-wal" and lacks_the_last(found, whole)), what
            outcomes["harmless" if found == whole else "like a crash in the last transaction"] += 1
        shutil.rmtree(here)
    print(dict(outcomes))
    return outcomes


def lacks_the_last(found: dict[str, Any], whole: dict[str, Any]) -> bool:
    """The one thing that nobody can tell from a power loss: the newest transaction does not fit."""
    events = found["events"]
    return events == whole["events"][: len(events)] and len(events) >= len(whole["events"]) - POST


def damageable(path: Path) -> bool:
    """Not what is made anew at every start."""
    passing = path.suffix == ".db-shm" or path.name in {"serve.json", "lock"}
    return path.is_file() and path.stat().st_size > 0 and not passing


def copy_of(sound: Path, to: Path) -> Path:
    shutil.copytree(sound, to)
    return to / "workspace"


def test_one_damaged_place_is_noticed_or_harmless(sound: Path, tmp_path: Path) -> None:
    outcomes = rot(sound, tmp_path, TIMES)
    assert sum(count for name, count in outcomes.items() if name.startswith("said")) > 0


def test_no_damage_to_history_goes_unseen(sound: Path, tmp_path: Path) -> None:
    """DuckDB sums no pages either, so the file as a whole is."""
    lots = chance()
    for turn in range(10):
        workspace = copy_of(sound, tmp_path / str(turn))
        data = tmp_path / str(turn) / "data"
        what = damaged(lots.choice(sorted(data.glob("history/*.parquet"))), lots)
        with pytest.raises(SegueError, match="is damaged") as refused:
            told(workspace, data)
        assert refused.value.diagnostics[0].code == "E603", what


def test_no_id_is_taken_for_another(sound: Path, tmp_path: Path) -> None:
    """SQLite sums no pages: whatever is turned over in who is who is found by what it adds up to."""
    lots = chance()
    for turn in range(20):
        workspace = copy_of(sound, tmp_path / str(turn))
        path = tmp_path / str(turn) / "data" / "log.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        text = bytearray(path.read_bytes())
        places = [found.start() for found in re.finditer(rb"u\d{2,3}", text)]
        at = lots.choice(places) + 1
        text[at] ^= 1
        path.write_bytes(text)
        with pytest.raises(SegueError, match="is damaged"):
            told(workspace, tmp_path / str(turn) / "data")


@pytest.mark.torture
def test_one_damaged_place_is_noticed_or_harmless_everywhere(sound: Path, tmp_path: Path) -> None:
    rot(sound, tmp_path, TORTURE_TIMES)


def test_the_comparison_sees_one_event_that_is_missing(sound: Path, tmp_path: Path) -> None:
    """The control: a log that was changed by hand, in a way that no checksum can know."""
    workspace = copy_of(sound, tmp_path / "whole")
    whole = told(workspace, tmp_path / "whole" / "data")
    more = tmp_path / "more"
    write_workspace(more / "workspace")
    shutil.copytree(sound / "data", more / "data")
    with Service.open(more / "workspace", more / "data") as service:
        service.forget("u1")
    assert told(more / "workspace", more / "data") != whole
