"""The list of routes as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping

from segue import __version__
from segue.api.examples import EXAMPLES
from segue.api.route import Access, Route
from segue.api.schemas import COUNT, SCHEMAS, TEXT, named
from segue.domain.event import Json

_MEANINGS = {
    200: "Done.",
    201: "Made.",
    204: "Done; there is nothing to say.",
    304: "What you have is the newest.",
    400: "Something in the request is wrong.",
    401: "A key or token is missing, or is not valid.",
    403: "This is not open to who asks.",
    404: "There is no such thing.",
    405: "The path does not take this method.",
    406: "`Accept` leaves out what the path gives.",
    413: "Too large.",
    415: "`Content-Type` names something that is not read.",
    429: "Too many requests: come back after `Retry-After` seconds.",
    500: "The server made a mistake.",
    501: "A package is not installed that this needs.",
    503: "Not now: come back after `Retry-After` seconds.",
}
_EVERYWHERE = {500: "Problem", 503: "Problem"}
_UNTRACKED = {400: "Problem", 406: "Problem"}
_WITH_BODY = {413: "Problem", 415: "Problem"}
_REFUSALS = {401: "Problem", 403: "Problem", 429: "Problem"}
_REFUSED = {
    Access.OPEN: {},
    Access.TOKEN: {403: "Problem"},
    Access.WRITE: {**_REFUSALS, 404: "Problem"},
}
_NUMBERS = {"limit", "after", "days"}

_SECURITY: dict[str, Json] = {
    "write_key": {
        "type": "http",
        "scheme": "basic",
        "description": "A write key as the user name, with an empty password. It may also be a Bearer token,"
        " `writeKey` in the body, or `writeKey` in the query.",
    },
    "write_key_in_query": {"type": "apiKey", "in": "query", "name": "writeKey"},
    "read_key": {"type": "http", "scheme": "bearer", "description": "A read key; see docs/access.md."},
    "admin_key": {"type": "http", "scheme": "bearer", "description": "An admin key: reads and edits."},
    "user_token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A user's or visitor's own token (`segue token USER`): it opens that profile alone.",
    },
    "server_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of serve.json, for commands beside the server.",
    },
}
_OPEN_TO: dict[Access, list[str]] = {
    Access.OPEN: [],
    Access.WRITE: ["write_key", "write_key_in_query"],
    Access.READ: ["read_key", "admin_key"],
    Access.USER: ["read_key", "admin_key", "user_token"],
    Access.READER: ["read_key", "admin_key", "user_token"],
    Access.ADMIN: ["admin_key"],
    Access.TOKEN: ["server_token"],
}


def document(routes: Iterable[Route]) -> dict[str, Json]:
    """The whole description."""
    paths: dict[str, Json] = {}
    taken: set[str] = set()
    for route in routes:
        name = _operation_id(route, taken)
        taken.add(name)
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Segue",
            "version": __version__,
            "summary": "Events in, exact live segments out.",
            "description": "Until a key is created, this machine itself needs none.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "examples": {name: {"value": value} for name, value in EXAMPLES.items()},
            "securitySchemes": _SECURITY,
        },
    }


def _operation(route: Route, name: str) -> dict[str, Json]:
    found: dict[str, Json] = {
        "operationId": name,
        "summary": route.summary,
        "description": f"Open to {route.access.value}.",
        "tags": ["tracking" if route.tracking else _tag(route)],
        "security": _security(route),
        "responses": _responses(route),
    }
    parameters = _parameters(route)
    if parameters:
        found["parameters"] = parameters
    if route.takes:
        found["requestBody"] = {"required": True, "content": _content(route.takes, ("application/json",))}
    return found


def _security(route: Route) -> list[Json]:
    """Which of the credentials do; the empty one says that the key may stand in the body."""
    found: list[Json] = [{name: []} for name in _OPEN_TO[route.access]]
    return [*found, {}] if route.access is Access.WRITE else found


def _operation_id(route: Route, taken: Container[str]) -> str:
    """A name for programs; a version in the path is no part of it, unless there is the same path without."""
    words = re.findall(r"[A-Za-z0-9]+", route.path)
    name = "_".join([route.method.lower(), *(word for word in words if word != "v1")])
    return f"{name}_unversioned" if name in taken else name


def _tag(route: Route) -> str:
    words = [word for word in route.path.split("/") if word not in {"", "v1"}]
    return "server" if route.access in {Access.OPEN, Access.TOKEN} else words[0].rstrip("s") + "s"


def _parameters(route: Route) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    for name, meaning in route.query.items():
        schema = COUNT if name in _NUMBERS else TEXT
        found.append({"name": name, "in": "query", "description": meaning, "schema": schema})
    if 304 in route.returns:
        found.append({"name": "If-None-Match", "in": "header", "schema": TEXT})
    return found


def _responses(route: Route) -> dict[str, Json]:
    found: dict[str, Json] = {}
    statuses: Mapping[int, str] = {
        **_EVERYWHERE,
        **({} if route.tracking else _UNTRACKED),
        **(_WITH_BODY if route.takes and not route.tracking else {}),
        **_REFUSED.get(route.access, _REFUSALS),
        **route.returns,
    }
    for status, schema in sorted(statuses.items()):
        answer: dict[str, Json] = {"description": _MEANINGS[status]}
        if schema == "Problem":
            answer["content"] = _content(schema, ("application/problem+json",))
        elif schema:
            answer["content"] = _content(schema, route.gives)
        elif status == 200:
            answer["content"] = {media: {} for media in route.gives}
        found[str(status)] = answer
    return found


def _content(schema: str, types: Iterable[str]) -> dict[str, Json]:
    inside: dict[str, Json] = {"schema": named(schema)}
    if schema in EXAMPLES:
        inside["examples"] = {"one": {"$ref": f"#/components/examples/{schema}"}}
    return dict.fromkeys(types, inside)
