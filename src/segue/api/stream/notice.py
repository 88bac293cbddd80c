"""What a listener is told beside changes: where it stands, who it hears, that all is well, why it ends."""

from __future__ import annotations

from typing import Protocol

import msgspec

from segue.domain.errors import Diagnostic
from segue.domain.event import Json

_encode = msgspec.json.Encoder().encode


class Item(Protocol):
    """Anything that goes out: as the text of a WebSocket message, or as a server-sent event."""

    @property
    def text(self) -> str: ...
    @property
    def event(self) -> bytes: ...


class Notice:
    """One message that is no change. ``kind`` names the server-sent event and the message's first field."""

    __slots__ = ("_id", "_kind", "text")

    def __init__(self, kind: str, said: Json, seq: int | None = None, **more: Json) -> None:
        place = {} if seq is None else {"seq": seq}
        self.text = _encode({kind: said, **place, **more}).decode()
        self._kind = kind
        self._id = "" if seq is None else f"id: {seq}\n"

    @property
    def event(self) -> bytes:
        """With the number that a browser is to resume after, where there is one."""
        return f"event: {self._kind}\n{self._id}data: {self.text}\n\n".encode()


def listening(seq: int, user_id: str | None, segment: str | None) -> Notice:
    """All up to ``seq`` was sent; what comes later follows as it happens."""
    return Notice("notice", "listening", seq, user_id=user_id, segment=segment)


def profile(user_id: str) -> Notice:
    """The user's id leads to another profile from now on, whose changes follow."""
    return Notice("notice", "profile", user_id=user_id)


def heartbeat(seq: int, at: str) -> Notice:
    """Nothing happened, but the line stands; all up to ``seq`` was sent."""
    return Notice("heartbeat", at, seq)


def closing(why: Diagnostic) -> Notice:
    """The last message."""
    return Notice("notice", "closing", code=why.code, message=why.message, hint=why.hint)
