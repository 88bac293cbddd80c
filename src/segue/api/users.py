"""What is known of one user."""

from __future__ import annotations

from segue.api.answer import NO_STORE, Answer, encode, json_answer
from segue.api.caching import REVALIDATE, tag_of, unless_known
from segue.api.doors import Doors
from segue.api.paging import cursor, limit_of, read_cursor
from segue.api.request import Request
from segue.domain.event import Event, Json
from segue.domain.time import format_instant
from segue.service import forgetting
from segue.service.portrait import portrait


def profile(doors: Doors, request: Request) -> Answer:
    """All that is known of the user; a key with a scope sees its segments and attributes alone."""
    scope = request.principal.scope
    found = portrait(doors.service, request.params["id"]).to_json()
    shown = scope.narrowed(found)
    if scope.limited:
        shown = {key: shown[key] for key in ("user_id", "known", "segments", "attributes", "version")}
    content = {key: each for key, each in shown.items() if key != "version"}
    tag = tag_of(encode(content))
    headers = ((b"etag", tag), REVALIDATE)
    return unless_known(request, tag, json_answer(shown, headers=headers))


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
    rows = [event_json(each) for each in page]
    return json_answer({"events": rows, "next": following}, headers=(NO_STORE,))


def event_json(event: Event) -> dict[str, Json]:
    """An event as readers see it; what it does not have is left out."""
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


def forget(doors: Doors, request: Request) -> Answer:
    """Erases the user; ``forgotten`` is false for one never heard of."""
    user_id, service = request.params["id"], doors.service
    found = forgetting.forget(service.core, service.folder, user_id)
    return json_answer({"user_id": user_id, **found.to_json()})
