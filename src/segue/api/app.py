"""The ASGI application: finds the route, lets the handler answer, and turns refusals into problems."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import cast

from segue.api.access import admit
from segue.api.answer import Answer, Header, encode
from segue.api.body import DisconnectedError, let_pass, read_body
from segue.api.doors import Doors
from segue.api.negotiation import require_agreement
from segue.api.openapi import document
from segue.api.page import render
from segue.api.pages import for_pages
from segue.api.pixels import PATHS, pictured
from segue.api.places import Place, Places
from segue.api.problems import NO_ROUTE, fault, problem, wrong_method
from segue.api.request import Receive, Request, Scope, Send, bad_parameter
from segue.api.route import Handler, LoopHandler, Route, Runs
from segue.api.routes import ROUTES
from segue.api.sending import respond
from segue.api.stream.door import carry
from segue.api.tracking import CORS, preflight
from segue.domain.errors import SegueError
from segue.observe import recording

_log = logging.getLogger("segue.api")


class App:
    """Answers HTTP for the doors, by the list of routes."""

    def __init__(self, doors: Doors, routes: Iterable[Route] = ROUTES) -> None:
        self._doors = doors
        self._places = Places(routes)
        description = document(routes)
        doors.description = encode(description)
        doors.page = render(description)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the handshake of a WebSocket."""
        request = Request(scope)
        began, path, tracking = time.perf_counter(), "none", False
        shared: tuple[Header, ...] = ()
        try:
            place = self._places.of(request)
            path, tracking = place.path, place.tracking
            if not tracking:
                shared = for_pages(request, place.methods.values(), self._doors)
            answer = await self._answer(place, request, receive)
        except DisconnectedError:
            return
        except SegueError as refused:
            # Whoever posts events to a misspelt path reads what the path itself would have said.
            tracking = tracking or refused.diagnostics[0].code == NO_ROUTE
            answer = problem(refused, success=False if tracking else None)
        except Exception:  # noqa: BLE001 -- the last door: whatever it is, the client gets an answer
            # Not the path as it was sent: a key may stand in it.
            _log.exception("%s %s", request.method, "/" + request.path.split("/")[1])
            answer = problem(fault(), success=False if tracking else None)
        if path.startswith(PATHS) and answer.status >= 400 and request.method in {"GET", "HEAD"}:
            answer = pictured(answer)
        took = None if answer.talk else time.perf_counter() - began
        recording.answered(path, request.method, answer.status, took)
        if request.unread and answer.status >= 400 and scope["type"] == "http":
            await let_pass(request, receive)
        if request.quota is not None:
            answer = answer.with_headers(request.quota.headers())
        headers = CORS if tracking else shared
        await respond(answer.with_headers(headers) if headers else answer, scope, receive, send)

    async def _answer(self, place: Place, request: Request, receive: Receive) -> Answer:
        route = place.methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            return _other_method(place, request)
        if route.browsing:
            carry(request)
        admit(self._doors, request, route)
        if not route.tracking:
            require_agreement(route, request)
            if request.scope["query_string"]:
                _check_query(route, request)
        if not route.takes:
            return await self._handled(route, request)
        _ = self._doors.service  # a body is not read for nothing
        with self._doors.hold() as grow:
            request.unread = False
            request.body = await read_body(receive, grow)
            return await self._handled(route, request)

    async def _handled(self, route: Route, request: Request) -> Answer:
        if route.runs is Runs.IN_LOOP:
            return await cast("LoopHandler", route.handler)(self._doors, request)
        handler = cast("Handler", route.handler)
        if route.runs is Runs.AT_ONCE:
            return handler(self._doors, request)
        wait = self._doors.glance if route.runs is Runs.IF_FREE else self._doors.read
        return await wait(lambda: handler(self._doors, request))


def _other_method(place: Place, request: Request) -> Answer:
    """Preflights are answered; any other method that the path does not take is E742."""
    allowed = ", ".join(sorted([*place.methods, *(["HEAD"] if "GET" in place.methods else []), "OPTIONS"]))
    header = ((b"allow", allowed.encode()),)
    if request.method != "OPTIONS":
        refused = wrong_method(request.method, allowed)
        return problem(refused, success=False if place.tracking else None).with_headers(header)
    return preflight(request) if place.tracking else Answer(204, headers=header)


def _check_query(route: Route, request: Request) -> None:
    """E743 for a parameter that the route does not know: a misspelt one must not be passed over."""
    unknown = sorted(request.query.keys() - route.query.keys())
    if unknown:
        known = ", ".join(route.query) or "none"
        raise bad_parameter(f"the query has an unknown parameter {unknown[0][:64]!r}", f"known here: {known}")
