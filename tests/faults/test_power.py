"""The power fails: what was acknowledged had been made sure of, byte for byte."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from tests.api.serving import Running, eventually, serving
from tests.faults.disk import Disk, environment, read_trace
from tests.service.crashing import chance, order, require_whole
from tests.service.test_crash import Sender

POSTS, TORTURE_POSTS = 150, 10_000
ROUNDS, TORTURE_ROUNDS = 5, 30
NOT_SYNCED = """
import segue.log.store as store
connect = store.Store._connect
def careless(self):
    found = connect(self)
    found.execute("PRAGMA synchronous = OFF")
    return found
store.Store._connect = careless
writing = store.Store._writing
def written(self):
    found = writing(self)
    found.execute("PRAGMA synchronous = OFF")
    return found
store.Store._writing = written
"""
"""The control: the same server, which leaves it to the system when its writes reach the disk."""


def post_one_by_one(server: Running, count: int) -> None:
    for number in range(count):
        assert server.http.post("/v1/track", json=order(number)).status_code == 200


def kept_events(folder: Path) -> int:
    """In the log as it lies there, read as SQLite reads what a crash has left."""
    with sqlite3.connect(folder / "log.db") as connection:
        try:
            found = connection.execute("SELECT sum(last_seq - first_seq + 1) FROM batches").fetchone()[0]
        except sqlite3.OperationalError:  # not even the tables were there yet
            return 0
    connection.close()
    return found or 0


def lost_at_each_acknowledgement(folder: Path, posts: int, before: str = "") -> list[int]:
    """The numbers of the posts that were acknowledged before a power loss could not have taken them."""
    data, trace = folder / "data", folder / "trace"
    with serving(folder, before=before, environment=environment(data, trace)) as server:
        post_one_by_one(server, posts)
        server.process.kill()
        server.process.wait()
    disk, acknowledged, lost = Disk(), 0, []
    for done in read_trace(trace):
        if done.kind != "A":
            disk.apply(done)
            continue
        acknowledged += 1
        here = folder / "cut"
        here.mkdir(exist_ok=True)
        for each in here.iterdir():
            each.unlink()
        for name in ("log.db", "log.db-wal"):
            (here / name).write_bytes(disk.kept.get(data / name, b""))
        if kept_events(here) < acknowledged:
            lost.append(acknowledged)
    assert acknowledged == posts
    return lost


def cut_the_power(folder: Path, rounds: int, before: str = "") -> tuple[int, int]:
    """(acknowledged, lost) over some rounds, each with its own moment, and with and without torn writes."""
    lots = chance()
    acknowledged = lost = 0
    for turn in range(rounds):
        here = folder / str(turn)
        data, trace = here / "data", here / "trace"
        with serving(here, before=before, environment=environment(data, trace)) as server:
            sender = Sender(server.said["url"], 0, lots, "wall")
            sender.start()
            eventually(sender.acknowledged.copy)
            time.sleep(lots.uniform(0.0, 0.4))
            server.process.kill()
            server.process.wait()
            sender.join()
        disk = Disk()
        for done in read_trace(trace):
            disk.apply(done)
        for kind, draw in (("clean", None), ("torn", lots)):
            left = here / kind
            left.mkdir()
            disk.after_power_loss(data, left, draw)
            found = require_whole(here / "workspace", left)
            lost += len(sender.acknowledged - found.keys())
        acknowledged += len(sender.acknowledged)
    return acknowledged, lost


def test_what_is_acknowledged_is_on_the_platter_by_then(tmp_path: Path) -> None:
    assert lost_at_each_acknowledgement(tmp_path, POSTS) == []


def test_it_is_not_if_nobody_asks_the_disk(tmp_path: Path) -> None:
    assert lost_at_each_acknowledgement(tmp_path, 5, NOT_SYNCED)


def test_power_loss_takes_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged, lost = cut_the_power(tmp_path, ROUNDS)
    assert acknowledged > 0
    assert lost == 0


def test_power_loss_takes_it_if_nobody_asks_the_disk(tmp_path: Path) -> None:
    acknowledged, lost = cut_the_power(tmp_path, 1, NOT_SYNCED)
    assert lost > 0
    assert acknowledged > 0


@pytest.mark.torture
def test_what_is_acknowledged_is_on_the_platter_by_then_always(tmp_path: Path) -> None:
    assert lost_at_each_acknowledgement(tmp_path, TORTURE_POSTS) == []


@pytest.mark.torture
def test_power_loss_takes_nothing_that_was_acknowledged_ever(tmp_path: Path) -> None:
    acknowledged, lost = cut_the_power(tmp_path, TORTURE_ROUNDS)
    assert acknowledged > 0
    assert lost == 0
