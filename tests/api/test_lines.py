"""Lines from a thread: bounded, complete, and given up when nobody reads."""

from __future__ import annotations

import asyncio
import json
import threading

from segue.api.lines import PENDING_BYTES_MAX, Lines, ReaderLeftError, write_in_thread

ROW = {"text": "x" * 1000}


def test_every_line_arrives_in_order() -> None:
    async def story() -> list[int]:
        def write(lines: Lines) -> None:
            for number in range(10_000):
                lines.put(number)

        lines = write_in_thread(write, "test", lambda: None)
        return [json.loads(line) for piece in [p async for p in lines] for line in piece.splitlines()]

    assert asyncio.run(story()) == list(range(10_000))


def test_a_writer_waits_for_a_slow_reader_and_stops_for_one_that_left() -> None:
    written = 0
    stopped = threading.Event()

    def write(lines: Lines) -> None:
        nonlocal written
        try:
            while True:
                lines.put(ROW)
                written += 1
        except ReaderLeftError:
            stopped.set()

    async def story() -> None:
        ended = asyncio.Event()
        lines = write_in_thread(write, "test", ended.set)
        before = -1
        while before != written:  # it writes until the bound, then stands still
            before = written
            await asyncio.sleep(0.05)
        assert written * 1000 < PENDING_BYTES_MAX + 2000
        lines.leave()
        await ended.wait()

    asyncio.run(story())
    assert stopped.is_set()
    assert written * 1000 > PENDING_BYTES_MAX / 2


def test_no_line_at_all() -> None:
    async def story() -> list[bytes]:
        return [piece async for piece in write_in_thread(Lines.end, "test", lambda: None)]

    assert asyncio.run(story()) == []
