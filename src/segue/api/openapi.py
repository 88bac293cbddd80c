"""The list of routes as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterable

from segue import __version__
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
    413: "Too large.",
    429: "Too many requests: come back after `Retry-After` seconds.",
    500: "The server made a mistake.",
    501: "A package is not installed that this needs.",
    503: "Not now: come back after `Retry-After` seconds.",
}
_EVERYWHERE = {500: "Problem", 503: "Problem"}
_REFUSALS = {401: "Problem", 403: "Problem", 429: "Problem"}
_REFUSED = {
    Access.OPEN: {},
    Access.TOKEN: {403: "Problem"},
    Access.WRITE: {**_REFUSALS, 404: "Problem"},
}
_NUMBERS = {"limit", "after"}


def document(routes: Iterable[Route]) -> dict[str, Json]:
    """The whole description."""
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Segue",
            "version": __version__,
            "summary": "Events in, exact live segments out.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _operation(route: Route) -> dict[str, Json]:
    found: dict[str, Json] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": f"Open to {route.access.value}.",
        "tags": ["tracking" if route.tracking else _tag(route)],
        "responses": _responses(route),
    }
    parameters = _parameters(route)
    if parameters:
        found["parameters"] = parameters
    if route.takes:
        found["requestBody"] = {"required": True, "content": _content(route.takes)}
    return found


def _operation_id(route: Route) -> str:
    words = re.findall(r"[A-Za-z0-9]+", route.path)
    return "_".join([route.method.lower(), *(word for word in words if word != "v1")])


def _tag(route: Route) -> str:
    words = [word for word in route.path.split("/") if word not in {"", "v1"}]
    return "server" if route.access in {Access.OPEN, Access.TOKEN} else words[0].rstrip("s") + "s"


def _parameters(route: Route) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": TEXT}
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
    refusals = _REFUSED.get(route.access, _REFUSALS)
    for status, schema in sorted({**_EVERYWHERE, **refusals, **route.returns}.items()):
        found[str(status)] = {"description": _MEANINGS[status]}
        if schema:
            found[str(status)]["content"] = _content(schema)
    return found


def _content(schema: str) -> dict[str, Json]:
    media = "application/problem+json" if schema == "Problem" else "application/json"
    return {media: {"schema": named(schema)}}
