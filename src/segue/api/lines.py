"""JSON lines from a thread to a client: the thread waits for a slow reader, and stops for one that left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Self

from segue.api.answer import encode
from segue.domain.event import Json

PENDING_BYTES_MAX = 1024 * 1024


class ReaderLeftError(Exception):
    """Nobody reads the lines any more."""


class Lines:
    """A bounded queue of lines: written in one thread, read in the loop that made it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._changed = threading.Condition()
        self._pending: list[bytes] = []
        self._size = 0
        self._ended = False
        self._left = False

    def put(self, value: Json) -> None:
        """Adds a line; waits while the reader is far behind; ReaderLeftError when it is gone."""
        self.write(encode(value) + b"\n")

    def write(self, line: bytes) -> None:
        """Adds some text in the same way."""
        with self._changed:
            self._changed.wait_for(lambda: self._left or self._size < PENDING_BYTES_MAX)
            if self._left:
                raise ReaderLeftError
            self._pending.append(line)
            self._size += len(line)
            first = len(self._pending) == 1
        if first:
            self._wake()

    def end(self) -> None:
        """No line follows."""
        with self._changed:
            self._ended = True
        self._wake()

    def leave(self) -> None:
        """The reader is gone: the writer's next line fails."""
        with self._changed:
            self._left = True
            self._changed.notify_all()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._filled.set)
        except RuntimeError:  # the loop has ended, and its readers with it
            self.leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """As many lines as there are, at least one."""
        while True:
            with self._changed:
                pieces, self._pending, self._size = self._pending, [], 0
                ended = self._ended
                self._changed.notify_all()
            if pieces:
                return b"".join(pieces)
            if ended:
                raise StopAsyncIteration
            await self._filled.wait()
            self._filled.clear()


def write_in_thread(write: Callable[[Lines], None], name: str, done: Callable[[], None]) -> Lines:
    """Starts a thread that writes lines; ``done`` is called in the loop when it has ended."""
    loop = asyncio.get_running_loop()
    lines = Lines()

    def work() -> None:
        try:
            write(lines)
        finally:
            lines.end()
            if not loop.is_closed():
                loop.call_soon_threadsafe(done)

    # A daemon: a command that nobody waits for must not keep a stopped server alive.
    threading.Thread(target=work, name=name, daemon=True).start()
    return lines
