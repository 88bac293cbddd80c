"""The verbs that tell of events, the same for both clients: none of them waits for the server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from segue.client.events import event

Json = Any


class Envelope(TypedDict, total=False):
    """What every event may carry.

    ``timestamp`` is an aware datetime, now unless given. ``message_id`` makes an event that is told twice
    count once; without one it gets its own.
    """

    anonymous_id: str | None
    timestamp: datetime | None
    message_id: str | None
    context: Mapping[str, Json] | None


class Telling(ABC):
    """Tells a server what users do.

    Each verb raises ValueError or TypeError for what can never be sent: no user, a time without a zone,
    more than 32 KiB, a value that is no JSON.
    """

    @abstractmethod
    def _put(self, body: bytes) -> None:
        """Take an event to be sent."""

    def track(
        self,
        user_id: str | None,
        name: str,
        properties: Mapping[str, Json] | None = None,
        **envelope: Unpack[Envelope],
    ) -> None:
        """A user did something."""
        self._put(event("track", user_id, envelope, {"event": name, "properties": properties}))

    def identify(
        self,
        user_id: str | None,
        traits: Mapping[str, Json] | None = None,
        **envelope: Unpack[Envelope],
    ) -> None:
        """A user is known by these traits; with an ``anonymous_id``, that visitor is this user."""
        self._put(event("identify", user_id, envelope, {"traits": traits}))

    def page(
        self,
        user_id: str | None,
        name: str | None = None,
        properties: Mapping[str, Json] | None = None,
        **envelope: Unpack[Envelope],
    ) -> None:
        """A user saw a page."""
        self._put(event("page", user_id, envelope, {"name": name, "properties": properties}))

    def screen(
        self,
        user_id: str | None,
        name: str | None = None,
        properties: Mapping[str, Json] | None = None,
        **envelope: Unpack[Envelope],
    ) -> None:
        """A user saw a screen of an app."""
        self._put(event("screen", user_id, envelope, {"name": name, "properties": properties}))

    def group(
        self,
        user_id: str | None,
        group_id: str,
        traits: Mapping[str, Json] | None = None,
        **envelope: Unpack[Envelope],
    ) -> None:
        """A user belongs to an account with these traits."""
        self._put(event("group", user_id, envelope, {"groupId": group_id, "traits": traits}))

    def alias(self, user_id: str, previous_id: str, **envelope: Unpack[Envelope]) -> None:
        """Two ids are one user, who goes on as ``user_id``."""
        self._put(event("alias", user_id, envelope, {"previousId": previous_id}))
