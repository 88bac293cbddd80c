"""What triggers have sent, over HTTP; and dead letters sent again."""

from __future__ import annotations

from segue.api.answer import NO_STORE, Answer, json_answer
from segue.api.doors import Doors
from segue.api.paging import cursor, limit_of, read_cursor
from segue.api.problems import not_serving
from segue.api.request import BAD_BODY, Request, bad_parameter
from segue.deliver.deliveries import FILTERS, STATES, told, wanted_of
from segue.deliver.outbox import Outbox
from segue.domain.errors import refusal

_HINT = 'send {"destination": …}, or a trigger, a user or an id of dead letters'


def listing(doors: Doors, request: Request) -> Answer:
    """A page of deliveries, newest first."""
    state = request.query.get("state")
    if state is not None and state not in STATES:
        raise bad_parameter("that is no state of a delivery", "state is one of " + ", ".join(STATES))
    body = request.query.get("body", "false")
    if body not in ("true", "false"):
        raise bad_parameter("body is neither true nor false", "body=true shows what is sent")
    limit = limit_of(request)
    page = read_cursor(request, int)
    wanted = wanted_of({name: request.query.get(name) for name in FILTERS}, state)
    found = _outbox(doors).deliveries(wanted, None if page is None else page[0], limit + 1)
    rows = [told(each, body == "true") for each in found[:limit]]
    following = cursor(found[limit - 1].number) if len(found) > limit else None
    return json_answer({"deliveries": rows, "next": following}, headers=(NO_STORE,))


def replay(doors: Doors, request: Request) -> Answer:
    """Dead letters become pending anew."""
    asked = request.json(_HINT)
    filters = {name: asked[name] for name in FILTERS if name in asked}
    if not filters or asked.keys() - filters.keys():
        raise refusal(BAD_BODY, "the body names no dead letters, or something beside them", _HINT)
    if not all(isinstance(each, str) and each for each in filters.values()):
        raise refusal(BAD_BODY, "what dead letters are named by is text", _HINT)
    return json_answer({"replayed": _outbox(doors).replay(wanted_of(filters))}, headers=(NO_STORE,))


def _outbox(doors: Doors) -> Outbox:
    if doors.outbox is None:
        raise not_serving(False)
    return doors.outbox
