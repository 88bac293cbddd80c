"""What can go wrong between a client and its server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ClientError(Exception):
    """Everything that the client raises of its own."""


class RefusedError(ClientError):
    """The server answered, and says no: ``code`` and ``hint`` are those of docs/errors.md.

    ``retry_after`` (s) is set when the same may succeed later.
    """

    def __init__(self, status: int, code: str, message: str, hint: str, retry_after: float | None) -> None:
        super().__init__(f"{code}  {message}" + (f"\n    {hint}" if hint else ""))
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.retry_after = retry_after

    @property
    def passes(self) -> bool:
        """Whether the same may be taken later as it stands."""
        return self.status in (408, 429) or self.status >= 500


class UnreachableError(ClientError):
    """No answer came, or none that Segue gives."""


class UndeliveredError(ClientError):
    """Events that the server did not take, and why; they are in ``events`` as they were to be sent."""

    def __init__(self, events: Sequence[Mapping[str, Any]], reason: ClientError) -> None:
        super().__init__(f"{len(events)} events were not taken: {reason}")
        self.events = list(events)
        self.reason = reason
