"""Tokens for users: a site's own server asks for one after its login, and hands it to the browser."""

from __future__ import annotations

from segue.api.answer import NO_STORE, Answer, json_answer
from segue.api.doors import Doors
from segue.api.request import BAD_BODY, Request
from segue.domain.errors import refusal
from segue.service.commands.command import silent
from segue.service.commands.keys import run_token

_HINT = 'send {"user_id": "13085"}, with "ttl", "visitor", "segments" and "attributes" if you like'
_KEYS = {"user_id", "ttl", "visitor", "segments", "attributes"}


def create(doors: Doors, request: Request) -> Answer:
    """A token for one profile; E744, E766, E768 or E781 when none can be made as asked."""
    asked = request.json(_HINT)
    unknown = sorted(asked.keys() - _KEYS)
    if unknown or "user_id" not in asked:
        finding = f"{unknown[0][:64]!r} is not known" if unknown else '"user_id" is missing'
        raise refusal(BAD_BODY, finding, _HINT)
    arguments = {**asked, "user": asked["user_id"]}
    (made,) = run_token(doors.service, arguments, silent)
    return json_answer(made, 201, (NO_STORE,))
