"""A change: one profile entering or leaving one segment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from segue.domain.time import format_instant


class Cause(Enum):
    """What made a membership flip."""

    EVENT = "event"
    TIME = "time"
    DEFINITION = "definition"
    MERGE = "merge"
    OVERRIDE = "override"
    LIST = "list"
    SCORE = "score"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Change:
    """One flip; ``seq`` rises by one without gaps, ``at`` is in milliseconds."""

    seq: int
    user_id: str
    segment: str
    entered: bool
    at: int
    cause: Cause
    message_id: str | None = None

    def to_json(self) -> dict[str, object]:
        """The change as it is written everywhere."""
        cause: dict[str, object] = {"type": self.cause.value}
        if self.message_id is not None:
            cause["message_id"] = self.message_id
        return {
            "seq": self.seq,
            "id": f"chg_{self.seq}",
            "user_id": self.user_id,
            "segment": self.segment,
            "action": "entered" if self.entered else "left",
            "at": format_instant(self.at),
            "cause": cause,
        }
