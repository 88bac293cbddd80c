"""The contract of a destination: messages go in, and for each comes out what became of it.

A sink belongs to one thread, which calls :meth:`Sink.send` with messages in their order and decides what
happens to those that were not taken. A sink keeps nothing: what it does not report as delivered is sent
again, with the same id, so that a receiver can tell a repetition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell. ``id`` is the same on every attempt; ``key`` is the user, whose order is kept.

    ``at`` is the moment of what happened, in ms; ``body`` is what is sent; ``attempt`` counts from 1.
    """

    id: str
    key: str
    trigger: str
    at: int
    body: bytes
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it, durably as far as it can tell."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not taken now, or nobody knows. ``after_ms`` is what the receiver asks for, if it does.

    ``down`` says that the destination takes nothing from anybody, so that the next attempt of any message
    waits too.
    """

    reason: str
    after_ms: int | None = None
    down: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Never to be taken: another attempt would end as this one did."""

    reason: str


Outcome = Delivered | Retry | Refused

DELIVERED = Delivered()
BEHIND = Retry("an earlier message of the same user has not been taken yet")
"""Of a message that was not sent, because one of its key before it has to be sent again."""


class Sink(Protocol):
    """One destination, connected when it is first needed and again after it was lost."""

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """One outcome for each message, in their order; never raises for what the receiver does.

        After a message that gets :class:`Retry`, none of the same key is delivered: those get ``BEHIND``, or
        Retry themselves where all share one fate.
        A call ends within a bounded time, whatever the receiver does.
        """

    def close(self) -> None:
        """Let go of connections and threads; nothing is sent after that."""
