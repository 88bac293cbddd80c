"""What a file gives, piece by piece: ready for the log, with what was set aside and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.log.batch import EventBatch, Quarantined, Stretch


class Destination(Protocol):
    """The log, as far as a file's events need to know it."""

    @property
    def next_seq(self) -> int:
        """The seq that the next event gets."""
        ...

    def history_path(self, first_seq: int) -> Path:
        """Where the file of a stretch goes."""
        ...


@dataclass(slots=True)
class Portion:
    """Some rows. Append the entry and what is quarantined, then settle the intake, then ask for the next.

    ``entry`` is None when nothing was accepted. ``done`` of ``total`` rows lie behind.
    """

    entry: EventBatch | Stretch | None
    quarantined: list[Quarantined]
    tally: Tally
    done: int
    total: int


def set_aside(rejected: Sequence[Rejected], path: Path, source: str, now: int) -> list[Quarantined]:
    """Rejected rows for the quarantine, each with its line; ``now`` (ms) is when the import ran."""
    return [
        Quarantined(
            received_at=now,
            source=source,
            code=verdict.code,
            message=f"{path.name}:{verdict.place}: {verdict.message}" if verdict.place else verdict.message,
            hint=verdict.hint,
            raw=verdict.raw,
        )
        for verdict in rejected
    ]
