"""Pages of other sites that read with a user's token: which may, and what their browsers are told."""

from __future__ import annotations

from collections.abc import Iterable

from segue.access.origins import allows
from segue.api.answer import Header
from segue.api.doors import Doors
from segue.api.request import Request
from segue.api.route import Access, Route

_OWN = {Access.USER, Access.READER}
"""What a token opens. A key is for programs, so that pages have no business with the rest."""
_ANSWERED: tuple[Header, ...] = (
    (
        b"access-control-expose-headers",
        b"ETag, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset",
    ),
)
_ASKED_FIRST: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, If-None-Match"),
    (b"access-control-max-age", b"900"),
)


def for_pages(request: Request, routes: Iterable[Route], doors: Doors) -> tuple[Header, ...]:
    """The headers that let a page read the answer of a path; none unless ``stream_origins`` names its site.
    E747 while there is no service.

    No cookie is ever looked at, so a page can do no more than somebody else with the same token.
    """
    origin = request.header(b"origin")
    if origin is None or request.scope["type"] != "http":
        return ()
    # What a stream answers with it says itself; that a page may send its token in a header is said here.
    asking_first = request.method == "OPTIONS"
    if not any(route.access in _OWN and (asking_first or not route.browsing) for route in routes):
        return ()
    named = doors.service.workspace.settings.stream_origins
    if not named or not allows(named, origin):
        return ()
    rest = _ASKED_FIRST if asking_first else _ANSWERED
    return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"), *rest)
