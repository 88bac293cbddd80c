"""What became of the events of one portion, as the counts that the log keeps beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from segue.ingest.tally import Tally
from segue.log.batch import Quarantined
from segue.log.quality import KEPT, QUARANTINED, ROWS, Count

BREACH = "breach"
"""One way in which an event broke the plan; an event may break it in several."""
PLAIN = (
    "duplicate", "refused", "suppressed", "late", "future_clamped", "unparsed_timestamp", "non_object",
    "long_message_id", "mended", "unknown_event", "violation",
)  # fmt: skip
"""The fields of a tally that are counted under their own names."""


def today(zone: ZoneInfo) -> str:
    """The calendar day by the wall clock: 2026-11-22."""
    return datetime.now(zone).date().isoformat()


def counts_of(day: str, source: str, tally: Tally, aside: Sequence[Quarantined]) -> list[Count]:
    """The counts of one portion of one source; ``aside`` are the events that were set aside of it."""
    return [Count(day, source, what, detail, count) for what, detail, count in _said(tally, aside) if count]


def _said(tally: Tally, aside: Sequence[Quarantined]) -> Iterator[tuple[str, str, int]]:
    yield ROWS, "", tally.rows
    yield KEPT, "", tally.accepted
    for name in PLAIN:
        yield name, "", getattr(tally, name)
    for code, count in Counter(each.code for each in aside).items():
        yield QUARANTINED, code, count
    for detail, count in tally.breaches.items():
        yield BREACH, detail, count
