"""What is known of one user."""

from __future__ import annotations

from segue.api.answer import Answer, Header, json_answer
from segue.api.doors import Doors
from segue.api.paging import cursor, limit_of, read_cursor
from segue.api.request import Request, bad_parameter
from segue.domain.event import Event, Json
from segue.domain.time import format_instant

REVALIDATE: Header = (b"cache-control", b"private, max-age=0, must-revalidate")
NO_STORE: Header = (b"cache-control", b"no-store")


def segments(doors: Doors, request: Request) -> Answer:
    """The user's segments; 304 when the asker has this version."""
    return _view(doors, request, request.params["id"])


def segments_by_query(doors: Doors, request: Request) -> Answer:
    """The same, with the id in the query."""
    user_id = request.query.get("user_id")
    if not user_id:
        raise bad_parameter("the query has no user_id", "ask for /user/segments?user_id=ID")
    return _view(doors, request, user_id)


def _view(doors: Doors, request: Request, user_id: str) -> Answer:
    found = doors.service.user(user_id)
    tag = b'"%d"' % found.version
    headers = ((b"etag", tag), REVALIDATE)
    if _has(request.header(b"if-none-match"), tag):
        return Answer(304, headers=headers)
    return json_answer(request.principal.scope.narrowed(found.to_json()), headers=headers)


def _has(asked: bytes | None, tag: bytes) -> bool:
    """Whether If-None-Match names this version, weakly or not."""
    if asked is None:
        return False
    named = [each.strip().removeprefix(b"W/") for each in asked.split(b",")]
    return tag in named or named == [b"*"]


def explain(doors: Doors, request: Request) -> Answer:
    """Why the user is in the segment, or is not."""
    service = doors.service
    as_of = request.query.get("as_of")
    moment = None if as_of is None else service.moment(as_of)
    found = service.explain(request.params["id"], request.params["segment"], moment)
    return json_answer(found.to_json(), headers=(NO_STORE,))


def events(doors: Doors, request: Request) -> Answer:
    """The user's events, newest first, a page at a time."""
    limit = limit_of(request)
    after = read_cursor(request, int, int)
    found = doors.service.events(request.params["id"], None if after else limit + 1)
    if after:
        found = [each for each in found if each.order < (after[0], after[1])][: limit + 1]
    page = found[:limit]
    following = cursor(*page[-1].order) if len(found) > limit else None
    rows = [_event(each) for each in page]
    return json_answer({"events": rows, "next": following}, headers=(NO_STORE,))


def _event(event: Event) -> dict[str, Json]:
    found: dict[str, Json] = {
        "seq": event.seq,
        "type": event.type,
        "message_id": event.message_id,
        "timestamp": format_instant(event.timestamp),
        "received_at": format_instant(event.received_at),
    }
    parts = {
        "name": event.name,
        "group_id": event.group_id,
        "properties": dict(event.properties),
        "traits": dict(event.traits),
        "context": dict(event.context),
    }
    found.update((key, value) for key, value in parts.items() if value)
    return found


def export(doors: Doors, request: Request) -> Answer:
    """Everything that is kept about the user."""
    return json_answer(doors.service.export_user(request.params["id"]), headers=(NO_STORE,))


def forget(doors: Doors, request: Request) -> Answer:
    """Erases the user; ``forgotten`` is false for one never heard of."""
    user_id = request.params["id"]
    return json_answer({"user_id": user_id, "forgotten": doors.service.forget(user_id)})
