"""Why an event is set aside: one code, one sentence and one remedy for each reason."""

from __future__ import annotations

from dataclasses import dataclass

from segue.domain.errors import SegueError, refusal
from segue.ingest.planned.breaches import (
    MISSING_PROPERTY,
    NO_MATCH,
    NOT_IN_ENUM,
    UNKNOWN_EVENT,
    UNKNOWN_PROPERTY,
    WRONG_TYPE,
)

BODY_NOT_JSON = "E501"
NO_BATCH = "E502"
BODY_TOO_LARGE = "E503"
TOO_MANY_EVENTS = "E504"

NOT_JSON = "E510"
NOT_AN_OBJECT = "E511"
EVENT_TOO_LARGE = "E512"
TOO_DEEP = "E513"
NO_TYPE = "E520"
NO_ID = "E521"
NO_PREVIOUS_ID = "E522"
NO_GROUP_ID = "E523"
NO_EVENT_NAME = "E524"
BEFORE_1970 = "E525"
BAD_ID = "E526"
NO_TIME = "E527"
BAD_ROW = "E548"
NOT_THEIRS = "E769"

HINTS = {
    NOT_JSON: "send one JSON object per event; mend it and replay it from the quarantine",
    NOT_AN_OBJECT: 'an event is a JSON object such as {"type": "track", "userId": "u1", "event": "Login"}',
    EVENT_TOO_LARGE: "an event may have 32 KiB; keep large contents elsewhere and send a reference",
    TOO_DEEP: "nest objects and lists at most 200 levels deep",
    NO_TYPE: 'set "type" to one of track, page, screen, identify, group, alias',
    NO_ID: 'set "userId" or "anonymousId" to a text that is not blank',
    NO_PREVIOUS_ID: 'an alias needs "userId" (the new id) and "previousId" (the old one)',
    NO_GROUP_ID: 'a group call needs "groupId", a text that is not blank',
    NO_EVENT_NAME: 'a track call needs "event", a text that is not blank',
    BEFORE_1970: "times run from 1970 on; look at the sender's clock, and at seconds against milliseconds",
    BAD_ID: 'an id has at most 1,024 characters and does not begin with "forgotten:"',
    NOT_THEIRS: "send it from a server of your own, with a write key that is not public, or replay it",
    BAD_ROW: "mend this line of the file and import it again; the good lines are not taken twice",
    **dict.fromkeys(
        (UNKNOWN_EVENT, UNKNOWN_PROPERTY, MISSING_PROPERTY, WRONG_TYPE, NOT_IN_ENUM, NO_MATCH),
        "mend the event or the tracking plan in events/, then `segue quarantine replay` it",
    ),
    NO_TIME: 'give each row a "timestamp" in ISO 8601 or in seconds or milliseconds since 1970',
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that cannot be taken in; ``raw`` is what was sent, ``place`` where it stood among the events
    given (from 0) or in a file (its line, from 1).
    """

    code: str
    message: str
    raw: bytes
    place: int | None = None

    @property
    def hint(self) -> str:
        """What to do about it."""
        return HINTS[self.code]


def no_envelope(code: str, message: str, hint: str) -> SegueError:
    """The refusal of a whole request: nothing of it was taken."""
    return refusal(code, message, hint)
