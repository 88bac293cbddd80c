"""A change on its way to listeners: written as text once, however many hear it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from segue.log.changes import ChangePage

_encode = msgspec.json.Encoder().encode


class Message:
    """``text`` is the change as JSON; ``event`` the same as a server-sent event, made when asked for."""

    __slots__ = ("_event", "row", "segment", "seq", "text")

    def __init__(self, seq: int, row: int, segment: str, text: str) -> None:
        self.seq = seq
        self.row = row
        self.segment = segment
        self.text = text
        self._event: bytes | None = None

    @property
    def event(self) -> bytes:
        """With its number as the event's id, so that a browser resumes after it."""
        if self._event is None:
            self._event = f"id: {self.seq}\ndata: {self.text}\n\n".encode()
        return self._event


def messages_of(pages: Iterable[ChangePage]) -> Iterator[Message]:
    """The changes of some pages, in order."""
    for page in pages:
        for row, change in zip(page.rows, page, strict=True):
            yield Message(change.seq, row, change.segment, _encode(change.to_json()).decode())
