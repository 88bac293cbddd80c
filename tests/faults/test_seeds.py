"""One seed, one run: posts, repeats, merges, clocks, full disks, restarts and crashes in a random order.

A seed that fails is printed; ``SEGUE_SEED=1234`` runs it alone.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from segue.domain.errors import SegueError
from segue.domain.time import DAY, HOUR
from segue.ingest import dedupe
from segue.ingest.decode import decode_batch
from segue.log import faults
from segue.log.batch import EventBatch
from segue.log.store import Store
from segue.service import core
from segue.service.service import Service
from tests.api.serving import write_workspace

RUNS, TORTURE_RUNS, STEPS = 10, 500, 25
BEGIN_MS = 1_790_000_000_000
RECENT = """
segment: recent
owner: crm@shop.example
description: Seen within a day, at least {least} times.
when: count(any, last 1d) >= {least}
"""


class Simulation:
    """A service whose clock, disk and process are in the hands of one sequence of lots."""

    def __init__(self, folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lots = random.Random(seed)
        self.workspace = write_workspace(folder / "workspace")
        self.folder = folder
        self.data = folder / "data0"
        self.clock = BEGIN_MS
        self.crashes = 0
        self.sent = 0
        self.acknowledged: set[str] = set()
        self.full = False
        self.define()
        monkeypatch.setattr(core, "wall_ms", lambda: self.clock)
        transaction = Store.transaction

        def sometimes(store: Store) -> Any:
            if self.full:
                raise faults.not_written(store.folder, "no room")
            return transaction(store)

        monkeypatch.setattr(Store, "transaction", sometimes)
        self.service = self.opened()

    def opened(self) -> Service:
        service = Service.open(self.workspace, self.data, clock="wall")
        service.start()
        return service

    def run(self) -> None:
        steps: list[Callable[[], None]] = [self.post] * 12 + [
            self.tick, self.tick, self.restart, self.crash, self.post_to_a_full_disk, self.change,
        ]  # fmt: skip
        for _ in range(STEPS):
            self.lots.choice(steps)()
        self.service.core.drain()
        self.service.close()

    # ---- steps -------------------------------------------------------------------------------

    def event(self) -> dict[str, Any]:
        lots = self.lots
        if lots.random() < 0.2 and self.sent:
            number = lots.randrange(self.sent)
        else:
            number, self.sent = self.sent, self.sent + 1
        draw = random.Random(number)
        user, visitor = f"u{draw.randrange(6)}", f"v{draw.randrange(4)}"
        shape: dict[str, Any] = draw.choice(
            [
                {
                    "type": "track",
                    "event": "Order Completed",
                    "userId": user,
                    "properties": {"total": number},
                },
                {
                    "type": "track",
                    "event": "Order Completed",
                    "anonymousId": visitor,
                    "properties": {"total": 60},
                },
                {"type": "identify", "userId": user, "anonymousId": visitor, "traits": {"n": number}},
                {"type": "alias", "userId": user, "previousId": f"u{draw.randrange(6)}"},
            ]
        )
        return {**shape, "messageId": f"m{number}"}

    def post(self) -> None:
        batch = [self.event() for _ in range(self.lots.randrange(1, 8))]
        with suppress(SegueError):
            self.service.post(decode_batch(json.dumps({"batch": batch}).encode()), "s").result()
            self.acknowledged |= {each["messageId"] for each in batch}

    def tick(self) -> None:
        self.clock += self.lots.choice((1, 1_000, HOUR, DAY + 1, -HOUR, 2 * DAY))

    def restart(self) -> None:
        self.service.close()
        self.service = self.opened()

    def crash(self) -> None:
        """Go on with the files as they lie there at this moment."""
        if self.lots.random() < 0.5:
            self.service.core.drain()
        self.crashes += 1
        left = self.folder / f"data{self.crashes}"
        with self.service.core.gate, self.service.log._store._lock:
            shutil.copytree(self.data, left)
        self.service.close()
        self.data = left
        self.service = self.opened()

    def post_to_a_full_disk(self) -> None:
        self.service.core.drain()
        self.full = True
        self.post()
        self.full = False

    def define(self) -> None:
        text = RECENT.format(least=self.lots.randrange(1, 4))
        (self.workspace / "segments" / "recent.yaml").write_text(text, encoding="utf-8")

    def change(self) -> None:
        self.define()
        self.service.apply()

    # ---- afterwards --------------------------------------------------------------------------

    def effects(self) -> Counter[str]:
        with Service.open(self.workspace, self.data, clock="wall") as service:
            assert service.verify(lambda _done, _total: None) == []
            changes = list(service.changes())
            assert [change.seq for change in changes] == list(range(1, len(changes) + 1))
            assert [change.at for change in changes] == sorted(change.at for change in changes)
            batches = (entry for entry in service.log.replay() if isinstance(entry, EventBatch))
            return Counter(name for batch in batches for name in batch.message_ids)


def seeds(runs: int) -> list[int]:
    asked = os.environ.get("SEGUE_SEED")
    return [int(asked)] if asked else [random.randrange(2**32) for _ in range(runs)]


def simulate(folder: Path, runs: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each way to fail was met; empty when all went well."""
    met: Counter[str] = Counter()
    for seed in seeds(runs):
        print("seed", seed)
        here = folder / str(seed)
        with monkeypatch.context() as patched:
            simulation = Simulation(here, seed, patched)
            simulation.run()
        found = simulation.effects()
        met["lost"] += len(simulation.acknowledged - found.keys())
        met["twice"] += sum(times > 1 for times in found.values())
        shutil.rmtree(here)
    return +met


def test_whatever_happens_nothing_is_lost_or_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not simulate(tmp_path, RUNS, monkeypatch)


def test_without_memory_of_message_ids_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(self: dedupe.Seen, h1: Any, *_: Any) -> Any:  # noqa: ARG001 -- in place of a method
        return h1 != h1  # noqa: PLR0124 -- as many times false

    monkeypatch.setattr(dedupe.Seen, "seen_many", nothing)
    assert simulate(tmp_path, 3, monkeypatch)["twice"]


@pytest.mark.torture
def test_whatever_happens_in_many_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not simulate(tmp_path, TORTURE_RUNS, monkeypatch)
