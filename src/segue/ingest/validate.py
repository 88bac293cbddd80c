"""Is this an event, and whose? Fields of any type in, clean ids and names out, or the reason why not.

``null``, blanks and values that are no id are absent; numbers as ids are made text. An id or a name is
never re-cased. Nothing here depends on state or clock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from segue.domain.event import TYPES
from segue.domain.ids import FORGOTTEN
from segue.domain.limits import ID_CHARACTERS_MAX, MESSAGE_ID_CHARACTERS_MAX
from segue.ingest import reject
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.log.body import Body

_EXCERPT_CHARACTERS = 60
_BLANKS = "".join(map(chr, range(33)))
_CALLS = frozenset(TYPES)
_OBJECT_OR_NOTHING = (b"", b"{", b"n")


@dataclass(slots=True)
class Received:
    """One event's words for who and what; its times are still as sent. ``message_id`` None: it has none."""

    kind: str
    name: str | None
    """Of a track event; page and screen have theirs among the properties."""
    user: str | None
    anonymous: str | None
    previous: str | None
    group: str | None
    message_id: str | None


def text_of(value: object) -> str | None:
    """An id or a name as text; None for what is none."""
    if isinstance(value, str):
        return value if value.strip(_BLANKS) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def validate(raw: bytes, body: Body, tally: Tally) -> Received | Rejected:
    """Judge one event; oddities that do not refuse it are counted in ``tally``."""
    kind = kind_of(body.type)
    if kind is None:
        return Rejected(reject.NO_TYPE, f"the type is {excerpt(body.type)}", raw)
    received = Received(
        kind=kind,
        name=_name_of(body, kind),
        user=text_of(body.userId),
        anonymous=text_of(body.anonymousId),
        previous=text_of(body.previousId) if kind == "alias" else None,
        group=_group_of(body, kind),
        message_id=text_of(body.messageId),
    )
    wrong = _wrong(received, body, raw)
    if wrong is None:
        _count(received, body, tally)
    return wrong or received


def kind_of(value: object) -> str | None:
    """Which of the six calls a ``type`` means; None when it means none."""
    if not isinstance(value, str):
        return None
    kind = value.strip().lower()
    return kind if kind in _CALLS else None


def _name_of(body: Body, kind: str) -> str | None:
    return body.event.strip() or None if kind == "track" and isinstance(body.event, str) else None


def _group_of(body: Body, kind: str) -> str | None:
    return text_of(body.groupId) if kind == "group" else None


def _wrong(received: Received, body: Body, raw: bytes) -> Rejected | None:
    kind = received.kind
    if received.user is None and (kind == "alias" or received.anonymous is None):
        code = reject.NO_PREVIOUS_ID if kind == "alias" else reject.NO_ID
        return Rejected(code, f"the {kind} has no user: userId is {excerpt(body.userId)}", raw)
    if kind == "alias" and received.previous is None:
        return Rejected(reject.NO_PREVIOUS_ID, f"previousId is {excerpt(body.previousId)}", raw)
    if kind == "group" and received.group is None:
        return Rejected(reject.NO_GROUP_ID, f"groupId is {excerpt(body.groupId)}", raw)
    if kind == "track" and received.name is None:
        return Rejected(reject.NO_EVENT_NAME, f"the event name is {excerpt(body.event)}", raw)
    for name, value in (("userId", received.user), ("anonymousId", received.anonymous),
                        ("previousId", received.previous), ("groupId", received.group)):  # fmt: skip
        if value is not None and (len(value) > ID_CHARACTERS_MAX or value.startswith(FORGOTTEN)):
            return Rejected(reject.BAD_ID, f"{name} is {excerpt(value)}, of {len(value)} characters", raw)
    return None


def _count(received: Received, body: Body, tally: Tally) -> None:
    for part in (body.properties, body.context, body.traits):
        tally.non_object += bytes(part)[:1] not in _OBJECT_OR_NOTHING
    if received.message_id is not None and len(received.message_id) > MESSAGE_ID_CHARACTERS_MAX:
        tally.long_message_id += 1


def excerpt(value: object) -> str:
    """A value as it is shown in a message: the sender's JSON, short."""
    if value is None:
        return "missing"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _EXCERPT_CHARACTERS else shown[:_EXCERPT_CHARACTERS] + "…"
