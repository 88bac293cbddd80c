"""``/graphql``: questions by POST, subscriptions over WebSocket."""

from __future__ import annotations

from types import ModuleType

from segue.api.answer import NO_STORE, Answer, encode, json_answer
from segue.api.doors import Doors
from segue.api.problems import status_of, wrong_method
from segue.api.request import BAD_BODY, Request
from segue.api.stream.origin import require_origin
from segue.domain.errors import SegueError, refusal

NOT_INSTALLED = "E792"
INSTALL = "pip install 'segue[graphql]'"
RESPONSE = b"application/graphql-response+json"
_HINT = 'send {"query": "{ segments { name size } }"}, with "variables" and "operationName" if you like'
_KEYS = {"query", "variables", "operationName", "extensions"}


def engine() -> ModuleType:
    """What answers questions; E792 when the extra is not installed."""
    try:
        from segue.api.graphql import engine as found  # noqa: PLC0415 -- an extra: only who asks needs it
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in {"strawberry", "graphql"}:
            raise
        finding = "GraphQL needs a package that is not installed"
        raise refusal(NOT_INSTALLED, finding, f"run {INSTALL}, and start the server again") from None
    return found


async def answer(doors: Doors, request: Request) -> Answer:
    """One question. What the graph refuses is 200 with ``errors``, or its status for who accepts that."""
    graph = engine()
    question = graph.Question(*_asked(request))
    from segue.api.graphql.asking import Asking  # noqa: PLC0415

    asking = Asking(doors, request.principal)
    strict = RESPONSE in (request.header(b"accept") or b"")
    try:
        checked = graph.checked(question, doors.service.workspace.settings.graphql_introspection)
        if checked.kind.value != "query":
            hint = "open a WebSocket to this address with the subprotocol graphql-transport-ws"
            raise refusal(graph.NOT_UNDERSTOOD, f"a {checked.kind.value} is not answered by POST", hint)
    except SegueError as refused:
        status = status_of(refused) if strict else 200
        return _answer(graph.refused_json(refused), strict, status)
    return _answer(await doors.read(lambda: graph.answered(checked, asking)), strict, 200)


def _answer(found: object, strict: bool, status: int) -> Answer:
    if strict:
        return Answer(status, encode(found), RESPONSE, (NO_STORE,))
    return json_answer(found, status, (NO_STORE,))


def _asked(request: Request) -> tuple[str, str | None, dict[str, object]]:
    """(question, operation, variables); E744 for a body that is none."""
    found = request.json(_HINT)
    text, operation = found.get("query"), found.get("operationName")
    variables = found.get("variables")
    unknown = sorted(found.keys() - _KEYS)
    if unknown:
        raise refusal(BAD_BODY, f"{unknown[0][:64]!r} is not known", _HINT)
    if not isinstance(text, str) or not isinstance(operation, str | None):
        raise refusal(BAD_BODY, '"query" is missing, or a value is no text', _HINT)
    if not isinstance(variables, dict | None):
        raise refusal(BAD_BODY, '"variables" is no object', _HINT)
    return text, operation or None, variables or {}


async def connect(doors: Doors, request: Request) -> Answer:
    """Opens a WebSocket for subscriptions; E742 for a plain GET, E788 for a page of another site."""
    graph = engine()
    if request.scope["type"] != "websocket":
        raise wrong_method(request.method, "POST, and WebSockets")
    require_origin(request, doors.service.workspace.settings)
    from segue.api.graphql.socket import Socket  # noqa: PLC0415 -- as above

    return Answer(200, talk=Socket(doors, request, graph).talk)
