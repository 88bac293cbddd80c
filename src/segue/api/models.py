"""Models over HTTP: what is in force, with its card and drift."""

from __future__ import annotations

from segue.api.answer import NO_STORE, Answer, json_answer
from segue.api.doors import Doors
from segue.api.request import Request
from segue.service.learning.shown import listed, shown


def listing(doors: Doors, _request: Request) -> Answer:
    """Every model by name."""
    return json_answer({"models": list(listed(doors.service))}, headers=(NO_STORE,))


def one(doors: Doors, request: Request) -> Answer:
    """One model with its versions, the card of the one in force, and its drift."""
    return json_answer(shown(doors.service, request.params["name"]), headers=(NO_STORE,))
