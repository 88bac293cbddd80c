"""Replay of events that were set aside."""

from __future__ import annotations

from concurrent.futures import Future

from segue.domain.errors import Diagnostic, SegueError
from segue.ingest.decode import decode_events
from segue.ingest.tally import Tally
from segue.log.quarantine import Held
from segue.service.core import Core
from segue.service.counting import counts_of


def replayed(core: Core, held: Held, mended: bytes | None) -> tuple[Tally, Future[None]]:
    """Take in one event again; SegueError with the reason when it is still bad. Hold the gate."""
    raw = held.event.raw if mended is None else mended
    decoded = decode_events([raw])
    received = None if core.clock == "log" else core.stamp()
    taken = core.intake.accept(decoded, held.event.source, core.log.next_seq, received)
    refused = [*decoded.rejected, *taken.rejected]
    if refused:
        core.intake.take_back()
        raise SegueError(*(Diagnostic(each.code, each.message, each.hint) for each in refused))
    counts = counts_of(core.day(), held.event.source, taken.tally, ())
    return taken.tally, core.append([taken.batch], (), counts)
