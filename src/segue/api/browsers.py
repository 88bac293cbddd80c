"""What browsers' SDKs ask for before they send: their settings, and the script itself."""

from __future__ import annotations

import re
from pathlib import Path

from segue.access.faults import unknown_key
from segue.api.access import announced, named_key
from segue.api.answer import Answer, Header, json_answer
from segue.api.doors import Doors
from segue.api.problems import no_route
from segue.api.request import Request, bad_parameter
from segue.api.tracking import TAKEN
from segue.domain.errors import refusal
from segue.domain.event import Json

NO_SCRIPT = "E771"
_SCRIPT_HINT = (
    "set analytics_js in segue.yaml to dist/umd/standalone.js of the npm package @segment/analytics-next"
)

_KEPT_BY_ALL: Header = (b"cache-control", b"public, max-age=120")
_KEPT_BY_ONE: Header = (b"cache-control", b"private, max-age=120")
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_SHAPED = "2026-11-22T00:00:00.000Z"
"""When the answer of :func:`source_config` last changed."""


def settings(doors: Doors, request: Request) -> Answer:
    """For analytics-next: one destination, this server; nothing else to load and nowhere else to report.

    With a second destination the SDK would download its code, and without the first it would send the
    events to its maker. Without a rate of 0 it would send statistics there. A key that is unknown or off
    is nothing at all (E741): the SDK then stays quiet.
    """
    key = request.params["writeKey"]
    known = announced(doors, key)
    if known is None or not known[1]:
        raise no_route()
    protocol, host, kept = _address(doors, request)
    own = {
        "apiKey": key,
        "apiHost": f"{host}/v1",
        "protocol": protocol,
        "addBundledMetadata": True,
        "unbundledIntegrations": [],
    }
    plan = {each: {"__default": {"enabled": True}} for each in ("track", "identify", "group")}
    found: Json = {
        "integrations": {"Segment.io": own},
        "plan": plan | {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "metrics": {"sampleRate": 0},
        "remotePlugins": [],
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "edgeFunction": {},
        "legacyVideoPluginsEnabled": False,
        "analyticsNextEnabled": True,
    }
    return json_answer(found, headers=(kept,))


def source_config(doors: Doors, request: Request) -> Answer:
    """For rudder-js: a source without destinations, which reports no statistics about itself."""
    key = named_key(request)
    known = announced(doors, key)
    if known is None:
        raise unknown_key()
    source, on = known
    quiet = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    found: Json = {
        "source": {
            "id": source,
            "name": source,
            "writeKey": key or "",
            "enabled": on,
            "workspaceId": "segue",
            "config": {"statsCollection": quiet},
            "destinations": [],
        },
        "updatedAt": _SHAPED,
    }
    return json_answer(found, headers=(_KEPT_BY_ONE,))


def swallow(doors: Doors, request: Request) -> Answer:  # noqa: ARG001 -- all handlers take the same
    """Statistics of SDKs about themselves: said to be taken, so that they are not sent elsewhere or again."""
    return TAKEN


def script(doors: Doors, request: Request) -> Answer:  # noqa: ARG001
    """The file that the operator named; E771 when there is none. Its code is not ours to bring along."""
    path = doors.service.workspace.settings.analytics_js
    if not path:
        raise refusal(NO_SCRIPT, "this server was given no analytics.min.js", _SCRIPT_HINT)
    return _file(doors.service.folder / path)


def bundle(doors: Doors, request: Request) -> Answer:
    """A part that the script loads when it needs it: a file beside the script; E771 when there is none."""
    path = doors.service.workspace.settings.analytics_js
    name = request.params["name"]
    if not path or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.\-]*\.js", name):
        raise refusal(NO_SCRIPT, "this server was given no such part of a script", _SCRIPT_HINT)
    return _file((doors.service.folder / path).parent / name)


def _file(path: Path) -> Answer:
    try:
        text = path.read_bytes()
    except OSError as fault:
        reason = fault.strerror or "it cannot be read"
        raise refusal(NO_SCRIPT, f"{path.name}: {reason}", _SCRIPT_HINT) from None
    return Answer(200, text, b"text/javascript; charset=utf-8", (_KEPT_BY_ALL,))


def _address(doors: Doors, request: Request) -> tuple[str, str, Header]:
    """(protocol, host) by which browsers reach this server, and who may keep an answer that says so.

    What the request itself says of it holds for the asker alone: a cache must not hand it to others.
    """
    url = doors.service.workspace.settings.public_url
    if url:
        protocol, _, host = url.partition("://")
        return protocol, host.rstrip("/"), _KEPT_BY_ALL
    host = (request.header(b"host") or b"").decode("latin-1")
    if not _HOST.fullmatch(host):
        raise bad_parameter("the Host header names no host", "set public_url in segue.yaml")
    forwarded = request.header(b"x-forwarded-proto")
    protocol = forwarded.decode("latin-1") if forwarded in {b"http", b"https"} else request.scope["scheme"]
    return protocol, host, _KEPT_BY_ONE
