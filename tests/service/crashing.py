"""Processes that are killed at a bad moment, and what must be whole afterwards."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segue.log.batch import EventBatch
from segue.service.quality.report import report
from segue.service.service import Service

FIRST_MS = 1_790_000_000_000
USERS = 300


def chance() -> random.Random:
    """Lots that can be drawn again: the seed is printed with a failure."""
    seed = random.randrange(2**32)
    print("seed", seed)
    return random.Random(seed)


def order(number: int) -> dict[str, Any]:
    """The event with a number: message id, user and amount follow from it."""
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u{number * 7919 % USERS}",
        "messageId": f"m{number}",
        "properties": {"total": number % 50},
    }


def children(pid: int) -> set[int]:
    """The processes that a process has started, and those that they have."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            own = {int(each) for each in task.read_text().split()}
        except OSError:
            continue
        found |= own.union(*map(children, own))
    return found


def running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def require_whole(workspace: Path, data: Path) -> Mapping[str, int]:
    """Open what a killed process left: changes without a gap, nothing to find for verify, an even account.

    How often each message id took effect.
    """
    with Service.open(workspace, data) as service:
        assert service.verify(lambda _done, _total: None) == []
        assert report(service.core).balance.findings == ()
        numbers = [change.seq for change in service.changes()]
        assert numbers == list(range(1, len(numbers) + 1))
        batches = (entry for entry in service.log.replay() if isinstance(entry, EventBatch))
        found = Counter(name for batch in batches for name in batch.message_ids)
        assert not [name for name, times in found.items() if times > 1]
        return found
