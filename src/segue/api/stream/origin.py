"""Which pages may open a stream: a browser asks nobody before it opens a WebSocket, so the server looks."""

from __future__ import annotations

from segue.access.origins import allows
from segue.api.answer import Header
from segue.api.request import Request
from segue.api.stream import endings
from segue.domain.errors import refusal
from segue.settings import Settings


def require_origin(request: Request, settings: Settings) -> tuple[Header, ...]:
    """The headers that let a page read; E788 for a page of a site that is not named in the settings.

    A client that is no browser sends no Origin. Pages of the server itself are at home.
    """
    origin = request.header(b"origin")
    if origin is None:
        return ()
    named = settings.stream_origins
    if not _is_home(request, origin, settings) and not (named and allows(named, origin)):
        hint = "name the site in stream_origins in segue.yaml"
        raise refusal(endings.FOREIGN, "pages of this site may not listen here", hint)
    return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))


def _is_home(request: Request, origin: bytes, settings: Settings) -> bool:
    host = request.header(b"host") or b""
    own = {b"http://" + host, b"https://" + host}
    return origin in own or bool(settings.public_url and origin == settings.public_url.encode())
