"""kill -9 at any moment neither loses nor invents a firing, from the log to the receiver."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from segue.deliver.outbox import Outbox, State, firing_id
from segue.log.batch import EventBatch
from segue.service.service import Service
from tests.api.serving import eventually, serving, write_workspace
from tests.service.crashing import chance
from tests.service.test_crash import Sender

ROUNDS, TORTURE_ROUNDS = 4, 40
OWNED = {"owner": "crm@shop.example", "description": "Of a test."}
TRIGGERS = [
    {"trigger": "every", **OWNED, "on": 'event "Order Completed"', "to": ["crm", "stream"]},
    {"trigger": "rich", **OWNED, "on": 'event "Order Completed" if segment("big_buyers")', "to": "crm"},
    {"trigger": "big", **OWNED, "on": 'segment("big_buyers") entered or left', "to": "crm"},
    {"trigger": "huge", **OWNED, "on": 'segment("big_buyers") entered', "to": "crm"},
    {"trigger": "busy", **OWNED, "on": 'count("Order Completed") > 4', "hysteresis": 2, "to": "crm"},
]
CURSOR_FIRST = """
import time
from segue.deliver.outbox import Outbox
put = Outbox.put
def hasty(self, deliveries, cursor=None):
    put(self, [], cursor)
    time.sleep(600)
    put(self, deliveries)
Outbox.put = hasty
"""
"""The control: the same dispatcher, which notes how far it has got and writes the deliveries afterwards."""
FIRINGS_LATER = """
import time
from segue.log.sqlite import SqliteLog
append = SqliteLog.append_changes
def hasty(self, progress, columns=None, fired=None):
    append(self, progress, columns)
    if fired is not None:
        time.sleep(600)
        self.append_firings(fired)
SqliteLog.append_changes = hasty
"""
"""Another: the same log, which stores changes and progress first and what fired afterwards."""


@dataclass(frozen=True, order=True)
class Got:
    """One message as its receiver has it."""

    user: str
    id: str
    trigger: str
    body: str


@dataclass(frozen=True)
class Receiver:
    """The other end: what its file says beside name and owner, and all that came, in order of each user."""

    says: Mapping[str, object]
    came: Callable[[], list[Got]]


def file_in(folder: Path) -> Receiver:
    """A file in the data folder."""

    def came() -> list[Got]:
        lines = (folder / "data" / "deliveries" / "crm.jsonl").read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        return [Got(each["user_id"], each["id"], each["trigger"], str(each["body"])) for each in found]

    return Receiver({"kind": "file", "path": "crm.jsonl"}, came)


def write_shop(folder: Path, receiver: Receiver) -> None:
    workspace = write_workspace(folder / "workspace")
    destination = {**receiver.says, **OWNED, "destination": "crm"}
    for name, written in (("triggers", TRIGGERS), ("destinations", destination)):
        (workspace / name).mkdir()
        (workspace / name / "all.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")


def kill_delivering(
    folder: Path,
    rounds: int,
    before: str = "",
    window: Callable[[Path], object] | None = None,
    receiver: Receiver | None = None,
) -> Counter[str]:
    """Kill a server again and again, and let the last one end its work; what is missing or too much.

    It is killed some time after its first answer, or as soon as it has come to a ``window``.
    """
    receiver = receiver or file_in(folder)
    write_shop(folder, receiver)
    lots = chance()
    upcoming = 0
    for _ in range(rounds):
        with serving(folder, before=before) as server:
            sender = Sender(server.said["url"], upcoming, lots, "wall")
            sender.start()
            eventually(sender.acknowledged.copy)
            if window is None:
                time.sleep(lots.uniform(0.0, 0.6))
            else:
                eventually(partial(window, folder / "data"))
            server.process.kill()
            server.process.wait()
            sender.join()
            upcoming = sender.next
    with serving(folder) as server:
        eventually(lambda: at_rest(folder / "data"))
        assert server.stop() == 0
    return wrong(folder, receiver)


def at_rest(data: Path) -> bool:
    """Whether all that fired was decided on and sent."""
    last = asked(data / "log.db", "SELECT max(last) FROM firings")
    done = asked(data / "outbox.db", "SELECT firing FROM cursor")
    return (
        last == done
        and asked(data / "outbox.db", "SELECT count(*) FROM deliveries WHERE state = 'pending'") == 0
    )


def asked(file: Path, query: str) -> int | None:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        found: int | None = database.execute(query).fetchone()[0]
        return found


def wrong(folder: Path, receiver: Receiver) -> Counter[str]:
    """Events and changes against firings, those against deliveries, these against what was received."""
    found: Counter[str] = Counter()
    with Service.open(folder / "workspace", folder / "data") as service:
        assert service.verify(lambda _done, _total: None) == []
        firings = service.log.firings(0, 10_000_000)
        changes = Counter(f"chg_{change.seq}" for change in service.changes(segment="big_buyers"))
        batches = [entry for entry in service.log.replay() if isinstance(entry, EventBatch)]
        events = Counter(batch.first_seq + place for batch in batches for place in range(len(batch)))
    every = Counter(each.event_seq for each in firings if each.trigger == "every")
    compare(found, "events", events, every)
    compare(found, "changes", changes, Counter(each.id for each in firings if each.trigger == "big"))
    busy = Counter(each.row for each in firings if each.trigger == "busy")
    found["twice busy"] = sum(times - 1 for times in busy.values())
    fired = Counter((each.id, each.trigger) for each in firings)
    outbox = Outbox(folder / "data")
    deliveries = outbox.deliveries(limit=10_000_000)
    outbox.close()
    decided = Counter((firing_id(each.id), each.trigger) for each in deliveries if each.destination == "crm")
    compare(found, "deliveries", fired, decided)
    found["not sent"] = sum(each.state is not State.SENT for each in deliveries)
    received = receiver.came()
    different = {*received}
    compare(found, "messages", fired, Counter((firing_id(each.id), each.trigger) for each in different))
    found["ids of several messages"] = len(different) - len({each.id for each in different})
    ours = [each for each in reversed(deliveries) if each.destination == "crm"]
    wanted = [Got(each.user_id, each.id, each.trigger, "") for each in ours]
    found["out of order"] = in_order(received) != in_order(wanted)
    assert events
    print(f"{len(different)} messages, {len(received) - len(different)} of them repeated")
    return +found


def in_order(messages: list[Got]) -> dict[str, list[tuple[str, str]]]:
    """The messages of each user in the order in which each came first."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for each in messages:
        found.setdefault(each.user, {}).setdefault((each.id, each.trigger))
    return {user: [*own] for user, own in found.items()}


def compare(found: Counter[str], what: str, wanted: Counter[Any], got: Counter[Any]) -> None:
    found[f"lost {what}"] = (wanted - got).total()
    found[f"invented {what}"] = (got - wanted).total()


def test_kill_9_neither_loses_nor_invents_a_firing(tmp_path: Path) -> None:
    assert kill_delivering(tmp_path, ROUNDS) == Counter()


@pytest.mark.torture
def test_kill_9_many_times(tmp_path: Path) -> None:
    assert kill_delivering(tmp_path, TORTURE_ROUNDS) == Counter()


def test_a_dispatcher_that_writes_its_place_first_loses_some(tmp_path: Path) -> None:
    window = partial(stored, file="outbox.db", query="SELECT firing FROM cursor")
    assert kill_delivering(tmp_path, 1, CURSOR_FIRST, window)["lost deliveries"]


def test_a_log_that_stores_firings_later_loses_some(tmp_path: Path) -> None:
    window = partial(stored, file="log.db", query="SELECT max(last_seq) FROM changes")
    assert kill_delivering(tmp_path, 1, FIRINGS_LATER, window)["lost events"]


def stored(data: Path, file: str, query: str) -> int | None:
    """Whether the first half of what belongs together is on disk."""
    return asked(data / file, query)
