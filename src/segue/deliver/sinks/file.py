"""Messages as lines of JSON in a file; a line counts when it is on disk.

The file that is written to has the name that was given; full ones get a number, 1 for the newest.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from segue.deliver.sinks.sink import DELIVERED, Message, Outcome, Retry
from segue.log.lines import held, numbered, sync_folder

_TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Lines:
    """Which file; how large it grows until the next one begins, and how many full ones are kept."""

    path: Path
    rotate_bytes: int
    keep: int


class LinesFile:
    """A sink that appends."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._file: int | None = None
        self._size = 0

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Appends all or nothing, and syncs."""
        data = b"".join(map(line_of, messages))
        try:
            with held(self._lines.path):
                self._append(data)
        except OSError as fault:
            self._give_up()
            return [Retry(f"not written: {fault.strerror or fault}", down=True)] * len(messages)
        self._size += len(data)
        return [DELIVERED] * len(messages)

    def _append(self, data: bytes) -> None:
        file = self._opened()
        if self._size and self._size + len(data) > self._lines.rotate_bytes:
            self._rotate()
            file = self._opened()
        _write(file, data)
        os.fsync(file)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        path = self._lines.path
        if self._file is not None and not _stands_at(self._file, path):
            self.close()  # it was put aside, or written anew without somebody who was forgotten
        if self._file is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._size = _whole_lines(file)
                sync_folder(path.parent)
            except OSError:
                os.close(file)
                raise
            self._file = file
        return self._file

    def _give_up(self) -> None:
        """What was written of the batch goes; if that fails too, the next opening sees to it."""
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    def _rotate(self) -> None:
        self.close()
        path = self._lines.path
        for number in range(self._lines.keep - 1, 0, -1):
            with suppress(FileNotFoundError):
                os.replace(numbered(path, number), numbered(path, number + 1))
        os.replace(path, numbered(path, 1))
        sync_folder(path.parent)


def line_of(message: Message) -> bytes:
    """One line: the message with its body as JSON, or as text if it is none."""
    body: object
    try:
        body = msgspec.Raw(msgspec.json.format(message.body, indent=-1))
    except msgspec.DecodeError:
        body = message.body.decode("utf-8", "replace")
    told = {
        "id": message.id,
        "user_id": message.key,
        "trigger": message.trigger,
        "at": message.at,
        "body": body,
    }
    return msgspec.json.encode(told) + b"\n"


def _stands_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.lstat(path))
    except FileNotFoundError:
        return False


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _whole_lines(file: int) -> int:
    """Cuts off a line that a crash left unfinished, and stands at the end; the size that is left."""
    size = end = os.lseek(file, 0, os.SEEK_END)
    while end:
        start = max(0, end - _TAIL_BYTES)
        found = os.pread(file, end - start, start).rfind(b"\n")
        end = start + found + 1 if found >= 0 else start
        if found >= 0:
            break
    if end < size:
        os.ftruncate(file, end)
    os.lseek(file, end, os.SEEK_SET)
    return end
