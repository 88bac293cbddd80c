"""What the law asks for: suppression of a user, looked at, set and taken back."""

from __future__ import annotations

from segue.api.answer import Answer, json_answer
from segue.api.caching import NO_STORE
from segue.api.doors import Doors
from segue.api.request import Request
from segue.service import suppressing


def suppression(doors: Doors, request: Request) -> Answer:
    """Whether the user is suppressed."""
    user_id = request.params["id"]
    return _answer(user_id, doors.service.core.intake.identity.suppresses(user_id))


def suppress(doors: Doors, request: Request) -> Answer:
    """From now on nothing of the user is stored."""
    suppressing.suppress(doors.service.core, request.params["id"])
    return _answer(request.params["id"], True)


def admit(doors: Doors, request: Request) -> Answer:
    """What comes of the user is stored again."""
    suppressing.admit(doors.service.core, request.params["id"])
    return _answer(request.params["id"], False)


def _answer(user_id: str, suppressed: bool) -> Answer:
    return json_answer({"user_id": user_id, "suppressed": suppressed}, headers=(NO_STORE,))
