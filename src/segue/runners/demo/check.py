"""``segue demo --check``: the month as fast as it can be sent, then everything recomputed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.runners.demo.client import Client
from segue.runners.demo.learned import Learned
from segue.runners.demo.retail import Retail
from segue.service.commands.command import Progress
from segue.service.service import Service

_BATCH_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class Took:
    """How many events were taken in, in what time they were durable and evaluated, what they changed."""

    events: int
    seconds: float
    changes: int

    @property
    def rate(self) -> int:
        """Events in a second."""
        return round(self.events / self.seconds) if self.seconds else 0

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "events_per_second": self.rate,
            "changes": self.changes,
        }

    def sentence(self) -> str:
        """For people."""
        speed = f"{self.events:,} events in {self.seconds:.1f} s, {self.rate:,} a second"
        return f"{speed}: {self.changes:,} changes"


@dataclass(frozen=True, slots=True)
class Report:
    """What the check found. ``segments`` gives the members by name, at engine time ``at`` (ms)."""

    imported: Took
    learned: Learned
    played: Took
    users: int
    at: int
    segments: Mapping[str, int]
    differences: tuple[str, ...]
    verify_seconds: float

    def to_json(self) -> dict[str, Json]:
        """One object."""
        return {
            "imported": self.imported.to_json(),
            "learned": self.learned.to_json(),
            "played": self.played.to_json(),
            "users": self.users,
            "at": format_instant(self.at),
            "segments": dict(self.segments),
            "differences": list(self.differences),
            "verify_seconds": round(self.verify_seconds, 3),
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"members at {format_instant(self.at)}"
        width = max(map(len, self.segments))
        yield from (f"    {name:<{width}}  {count:>6,}" for name, count in self.segments.items())
        yield from self.differences
        found = "1 difference" if len(self.differences) == 1 else f"{len(self.differences):,} differences"
        subject = f"{len(self.segments)} segments of {self.users:,} users"
        yield f"verified {subject} by the slow reference in {self.verify_seconds:.1f} s: {found}"


def play_fast(retail: Retail, client: Client, after: int) -> Took:
    """Posts the month in large batches; returns when all of it is evaluated.

    ``after`` is the number of the last change before it.
    """
    calls = [call for hour in retail.played() for call in hour.calls]
    due = client.evaluated() + len(calls)
    began = time.perf_counter()
    for start in range(0, len(calls), _BATCH_EVENTS):
        client.post(calls[start : start + _BATCH_EVENTS])
    client.wait(due)
    seconds = time.perf_counter() - began
    return Took(len(calls), seconds, len(client.changes(after)))


def verified(
    folder: Path, data: Path, imported: Took, learned: Learned, played: Took, progress: Progress
) -> Report:
    """Opens what the server left, and recomputes it."""
    with Service.open(folder, data, running="segue demo") as service:
        began = time.perf_counter()
        differences = tuple(each.text for each in service.verify(progress))
        status = service.status()
        return Report(
            imported=imported,
            learned=learned,
            played=played,
            users=status.profiles,
            at=status.engine_time,
            segments={each.name: each.members for each in service.segments()},
            differences=differences,
            verify_seconds=time.perf_counter() - began,
        )
