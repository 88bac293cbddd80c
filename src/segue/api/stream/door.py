"""``GET /v1/stream``: what is asked for, and whether it may be; then the connection is the listener's."""

from __future__ import annotations

from segue.access import faults
from segue.access.principal import Role
from segue.api import access
from segue.api.answer import Answer, Header
from segue.api.doors import Doors
from segue.api.paging import whole_number
from segue.api.request import Receive, Request, Send, bad_parameter
from segue.api.stream.origin import require_origin
from segue.api.stream.streams import After
from segue.api.stream.wire import ServerSentEvents, WebSocket, Wire
from segue.service.hub.ear import Wanted

_TOKEN = "token."
_EVENTS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
"""The last one keeps nginx from collecting events before it hands them on."""


def carry(request: Request) -> None:
    """Puts a token where tokens are looked for: browsers cannot send headers here.

    They send it as ``token`` in the query, or as the subprotocol ``token.…`` beside ``segue``.
    """
    if request.header(b"authorization") is not None:
        return
    offered: list[str] = request.scope.get("subprotocols", [])
    found = next((each.removeprefix(_TOKEN) for each in offered if each.startswith(_TOKEN)), None)
    word = found or request.query.get("token")
    if word is not None:
        header = (b"authorization", b"Bearer " + word.encode("latin-1", "replace"))
        request.scope["headers"] = [*request.scope["headers"], header]


async def listen(doors: Doors, request: Request) -> Answer:
    """Opens a stream; E743 for an ``after`` that no change has, E788 for a page of another site."""
    doors.streams.require_room()
    headers = require_origin(request, doors.service.workspace.settings)
    wanted = _wanted(doors, request)
    after = After(_after(doors, request), _fired_after(doors, request))
    if request.method == "HEAD":
        return Answer(200, headers=(*_EVENTS[1:], *headers), type=_EVENTS[0][1])

    def holds() -> bool:
        if not doors.access.holds(request.principal):
            return False
        return wanted.user_id is None or access.opens(doors, request.principal, wanted.user_id)

    async def talk(receive: Receive, send: Send) -> None:
        wire: Wire
        if request.scope["type"] == "websocket":
            wire = WebSocket(request.scope, send)
        else:
            wire = ServerSentEvents(request.scope, send, (*_EVENTS, *headers))
        await doors.streams.attend(wanted, wire, receive, after, holds)

    return Answer(200, talk=talk)


def _wanted(doors: Doors, request: Request) -> Wanted:
    """A token hears its own user; a key whom it names, or everyone. E762 for another's user."""
    principal = request.principal
    user_id = request.query.get("user_id") or principal.user_id
    if user_id is not None and not access.opens(doors, principal, user_id):
        raise faults.not_for_you()
    segment = request.query.get("segment")
    if segment is not None:
        doors.service.segment(segment)
    fired = segment is None and not principal.scope.limited
    return Wanted(user_id, segment, principal.role is Role.USER, principal.scope.sees, fired)


def _after(doors: Doors, request: Request) -> int | None:
    """The last number that the client has; a browser that comes back says it in a header."""
    again = request.header(b"last-event-id")
    if again is not None and again.isdigit():
        after = int(again[:18])
    elif "after" in request.query:
        after = whole_number(request, "after", 0)
    else:
        return None
    head = doors.streams.hub.head
    if after > head:
        hint = "read the state anew: it is another log"
        raise bad_parameter(f"after is {after}, but the last change is {head}", hint)
    return after


def _fired_after(doors: Doors, request: Request) -> int | None:
    """The number of the last message of a trigger that the client has."""
    if "fired_after" not in request.query:
        return None
    after = whole_number(request, "fired_after", 0)
    last = 0 if doors.streams.firings is None else doors.streams.firings.last()
    if after > last:
        raise bad_parameter(f"fired_after is {after}, but the last message is {last}", "come back without it")
    return after
