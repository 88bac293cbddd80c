"""What would hold of somebody if some events came now: tried on a copy of the one profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segue.domain.event import Event
from segue.engine.engine import Engine
from segue.engine.feeding.builder import BatchBuilder
from segue.engine.feeding.slots import read_slots
from segue.engine.kernel import layout as k
from segue.engine.program.codes import Code
from segue.engine.state.aside import ROW, Met, set_aside

STREAMING = ("track", "page", "screen")
"""Types of events that only add to streams; others change what is known of people, too."""


def may_be_supposed(engine: Engine, events: Sequence[Event], now: int) -> bool:
    """Whether a copy of the profile can tell: the events only add to streams, and nothing else waits."""
    waits = engine.feed.next_due()
    return all(event.type in STREAMING for event in events) and (waits is None or waits > now)


def supposed(engine: Engine, row: int | None, events: Sequence[Event], now: int) -> frozenset[str]:
    """The names of all that would hold of a profile at ``now`` (ms) after these events; nothing changes.

    ``row`` None is somebody new. It takes no longer in a longer log. Call it in the engine's turn, with
    events for which :func:`may_be_supposed` holds and whose times are not after ``now``.
    """
    builder = BatchBuilder()
    if row is None:
        builder.add(k.OP_CREATE, ROW)
    met: list[Met] = []
    for event in events:
        code = engine.compiled.codes.find(event.type, event.name)
        base = len(builder.slots)
        slots = read_slots(code, event.properties, event.context)
        builder.slots += slots
        builder.add(k.OP_EVENT, ROW, code.number, base, event.timestamp, event.seq)
        met += _met(code, slots, event)
        builder.end_step(now, event.seq, k.BY_EVENT)
    aside = set_aside(engine.machine, row, now, met)
    aside.run(builder.build(), now)
    names = engine.compiled.names
    return frozenset(names[number] for number in aside.segments_of(ROW))


def _met(code: Code, slots: Sequence[int], event: Event) -> Iterator[Met]:
    for stream, _, slot in code.links:
        yield stream, slots[slot] if slot >= 0 else 0, event.timestamp
