"""What the client sends and accepts, where it says so: E796 and E797 instead of a surprise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from segue.api.request import Request
from segue.api.route import Route
from segue.domain.errors import SegueError, refusal

NOT_JSON = "E796"
NOT_ACCEPTED = "E797"

_READ_AS_JSON = {"", "application/json", "text/json", "text/plain", "application/x-www-form-urlencoded"}
"""The last two are what clients put on a body of which they were not told what it is."""


_RULED_OUT = re.compile(r"q *= *0(\.0*)?")


def require_agreement(route: Route, request: Request) -> None:
    """E797 unless the client accepts what the route gives, E796 unless a body may be JSON."""
    accepted = request.header(b"accept")
    if accepted is not None and not _accepts(accepted, route.gives):
        raise _not_accepted(route.gives)
    if route.takes:
        sent = request.header(b"content-type")
        if sent is not None and not _is_json(sent):
            raise refusal(NOT_JSON, "the body is of a type that is not read here", "send application/json")


@lru_cache(maxsize=256)
def _is_json(header: bytes) -> bool:
    kind = header.partition(b";")[0].strip().lower().decode("latin-1")
    return kind in _READ_AS_JSON or (kind.startswith("application/") and kind.endswith("+json"))


@lru_cache(maxsize=1024)
def _accepts(header: bytes, given: tuple[str, ...]) -> bool:
    """Whether one of the types that are given is within one of the ranges, and not ruled out (q=0)."""
    wanted: list[str] = []
    refused: set[str] = set()
    for each in header.decode("latin-1").lower().split(","):
        kind, *parameters = (part.strip() for part in each.split(";"))
        if any(_RULED_OUT.fullmatch(part) for part in parameters):
            refused.add(kind)
        elif kind:
            wanted.append(kind)
    if not wanted and not refused:
        return True
    return any(
        kind not in refused and any(_within(kind, wider) for wider in wanted)
        for kind in (each.partition(";")[0].strip() for each in given)
    )


def _within(kind: str, wider: str) -> bool:
    return wider in {kind, "*/*", "*", f"{kind.partition('/')[0]}/*"}


def _not_accepted(given: Sequence[str]) -> SegueError:
    hint = f"accept {' or '.join(given)}, or leave Accept out"
    return refusal(NOT_ACCEPTED, "nothing that this path gives is accepted", hint)
