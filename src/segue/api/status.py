"""Whether the server answers, whether it takes events, and what it can be asked."""

from __future__ import annotations

from segue.api.answer import NO_STORE, Answer, json_answer
from segue.api.doors import Doors
from segue.api.page import POLICY
from segue.api.problems import not_ready
from segue.api.request import Request

_OK = {"status": "ok"}


def health(doors: Doors, request: Request) -> Answer:  # noqa: ARG001 -- all handlers take the same
    """Always good: that it answers is the answer."""
    return json_answer(_OK, headers=(NO_STORE,))


def ready(doors: Doors, request: Request) -> Answer:  # noqa: ARG001
    """Good while events are accepted; E747 while starting or stopping, or when the log fails."""
    if not doors.ready:
        raise not_ready()
    return json_answer(_OK, headers=(NO_STORE,))


def description(doors: Doors, request: Request) -> Answer:  # noqa: ARG001
    """The OpenAPI document."""
    return Answer(200, doors.description)


def page(doors: Doors, request: Request) -> Answer:  # noqa: ARG001
    """The OpenAPI document as a page that loads nothing and runs nothing."""
    return Answer(200, doors.page, b"text/html; charset=utf-8", ((b"content-security-policy", POLICY),))
