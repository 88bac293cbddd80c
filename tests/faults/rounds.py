"""Many short lives of a service, each in a process that was forked when all was loaded, each with one fault.

Run by test_nth with the library of disk.c loaded: ``python -m tests.faults.rounds FOLDER {…}``.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from segue.domain.errors import SegueError
from segue.ingest.decode import decode_batch
from segue.ingest.tally import Tally
from segue.log.batch import EventBatch
from segue.service.posting import Committer, Post
from segue.service.service import Service
from tests.service.crashing import order

POSTS, EVENTS = 6, 5
DISK = ctypes.CDLL(None)


def body(first: int) -> bytes:
    """A batch of orders."""
    return json.dumps({"batch": [order(number) for number in range(first, first + EVENTS)]}).encode()


def live(folder: Path, asked: dict[str, Any], number: int) -> dict[str, Any]:
    """Open, take some posts, close; calls fail from the n-th on, until the disk is mended for the last."""
    acknowledged: list[str] = []
    DISK.disk_arm(asked["kind"], ctypes.c_long(number), asked["errno"])
    folders = folder / "workspace", folder / "data"
    with suppress(SegueError, OSError), Service.open(*folders, clock="wall") as service:
        service.start()
        for post in range(POSTS):
            if post == POSTS - 1:
                DISK.disk_mend()
            with suppress(SegueError, OSError):
                service.post(decode_batch(body(post * EVENTS)), "s").result()
                acknowledged += [f"m{post * EVENTS + at}" for at in range(EVENTS)]
    return {"hits": DISK.disk_hits(), "calls": DISK.disk_calls(), "acknowledged": acknowledged}


def in_a_fork(folder: Path, asked: dict[str, Any], number: int) -> dict[str, Any]:
    """What a life of its own process came to; a fault of the program counts as nothing acknowledged."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        found = live(folder, asked, number)
        os.write(there, json.dumps(found).encode())
        os._exit(0)
    os.close(there)
    with os.fdopen(here, "rb") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"hits": 1, "calls": 0, "acknowledged": []}


def effects(folder: Path) -> list[str]:
    """The message ids that took effect, by a service with a sound disk."""
    with Service.open(folder / "workspace", folder / "data") as service:
        numbers = [change.seq for change in service.changes()]
        assert numbers == list(range(1, len(numbers) + 1))
        batches = [entry for entry in service.log.replay() if isinstance(entry, EventBatch)]
        return [name for batch in batches for name in batch.message_ids]


def careless(self: Committer, posts: list[Post]) -> None:
    """The control: whoever waits is told that all went well."""
    with suppress(SegueError, OSError):
        self._written(posts)
    for post in posts:
        post.done.set_result(Tally())


def main(folder: Path, asked: dict[str, Any]) -> None:
    """A line for each n."""
    if asked["control"]:
        Committer._commit = careless  # type: ignore[assignment,method-assign]
    for number in asked["numbers"]:
        shutil.rmtree(folder / "data", ignore_errors=True)
        told = in_a_fork(folder, asked, number)
        found = effects(folder)
        missing = set(told["acknowledged"]) - set(found)
        doubled = len(found) - len(set(found))
        line = {**told, "n": number, "acknowledged": len(told["acknowledged"])}
        print(json.dumps({**line, "missing": len(missing), "doubled": doubled}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
