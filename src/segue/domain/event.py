"""An event as Segue knows it once it has been taken in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TYPES = ("track", "page", "screen", "identify", "group", "alias")
"""The six calls of the Segment specification."""

EXPOSURE = "Experience Viewed"
"""The track event that says that someone was given a variant; properties experience, slot and variant."""
WITHHELD = "Experience Withheld"
"""The same of someone who would have been given it, and is in the holdout."""
OWN_EVENTS = (EXPOSURE, WITHHELD)
"""Track events that Segue sends itself: no tracking plan has to name them."""

Json = Any
"""A decoded JSON value: None, bool, int, float, str, list or dict."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a user did. Times are milliseconds; ``seq`` is its position in the log.

    ``row`` is the number of the profile it was received for, in order of creation; a later
    merge may give the event to another profile. ``properties`` holds ``name`` and ``category``
    of page and screen too; ``traits`` is filled for identify and group only.
    """

    seq: int
    row: int
    type: str
    name: str | None
    timestamp: int
    received_at: int
    properties: Mapping[str, Json] = field(default_factory=dict)
    context: Mapping[str, Json] = field(default_factory=dict)
    traits: Mapping[str, Json] = field(default_factory=dict)
    group_id: str | None = None
    message_id: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands among events: (timestamp, position in the log)."""
        return (self.timestamp, self.seq)
