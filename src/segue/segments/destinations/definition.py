"""Named destinations of messages: where they are, how they are spoken to, and within which bounds.

A file names environment variables where secrets are wanted; the secrets themselves stand in no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from segue.domain.time import format_duration
from segue.segments.origin import Origin

BATCH = 100
CONNECTIONS = 4
TIMEOUT_MS = 5_000
RETRY_MS = 24 * 60 * 60 * 1_000
STREAM_ENTRIES = 100_000
ROTATE_BYTES = 64 * 1024 * 1024
FILES_KEPT = 10
MECHANISM = "scram-sha-512"
"""How Kafka is logged in to unless a file says otherwise."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is sent at once and for how long it is tried; durations in ms.

    ``batch`` are messages handed over at a time, ``connections`` those of a webhook; ``timeout_ms`` is for
    one attempt; after ``retry_ms`` a message that was never taken is dead.
    """

    batch: int = BATCH
    connections: int = CONNECTIONS
    timeout_ms: int = TIMEOUT_MS
    retry_ms: int = RETRY_MS

    def to_json(self) -> dict[str, object]:
        """The bounds as one would write them; what stands at its default is left out."""
        defaults = asdict(Limits())
        spelled = {"batch": self.batch, "connections": self.connections}
        found: dict[str, object] = {name: value for name, value in spelled.items() if value != defaults[name]}
        for name, key in (("timeout_ms", "timeout"), ("retry_ms", "retry")):
            value = getattr(self, name)
            if value != defaults[name]:
                found[key] = format_duration(value)
        return found


@dataclass(frozen=True, slots=True)
class DestinationDefinition:
    """A named, owned destination. Which of the keys below ``address`` there are depends on its kind.

    ``secrets``, ``username``, ``password`` and ``ca`` are names of environment variables.
    """

    name: str
    kind: str
    owner: str
    description: str
    title: str | None = None
    address: str | None = None
    secrets: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    topic: str | None = None
    tls: bool = False
    mechanism: str | None = None
    stream: str | None = None
    path: str | None = None
    keep: int | None = None
    rotate_bytes: int | None = None
    limits: Limits = field(default_factory=Limits)
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        found: dict[str, object] = {"destination": self.name}
        for key in (*_PLAIN_KEYS, "limits"):
            value = getattr(self, key)
            spelled = value.to_json() if isinstance(value, Limits) else value
            if spelled not in (None, (), False, {}):
                found[key] = [*spelled] if isinstance(spelled, tuple) else spelled
        return found

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that it needs."""
        return (*self.secrets, *(each for each in (self.username, self.password, self.ca) if each))

    @property
    def encrypted(self) -> bool:
        """Whether the connection is."""
        scheme = (self.address or "").partition("://")[0]
        return self.tls or scheme in ("https", "amqps", "rediss")


_PLAIN_KEYS = (
    "kind", "owner", "description", "title", "address", "secrets", "username", "password", "ca",
    "exchange", "routing_key", "topic", "tls", "mechanism", "stream", "path", "keep", "rotate_bytes",
)  # fmt: skip


def destination_of(values: Mapping[str, Any], origin: Origin | None) -> DestinationDefinition:
    """The definition that the keys of a file make."""
    given = {key: values[key] for key in _PLAIN_KEYS if key in values}
    limits = values.get("limits", Limits())
    return DestinationDefinition(name=values["destination"], limits=limits, origin=origin, **given)
