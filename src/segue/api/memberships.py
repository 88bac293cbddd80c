"""The segments of one user: what most readers ask for, answered from memory."""

from __future__ import annotations

import json
from dataclasses import dataclass

from segue.access.principal import Principal
from segue.access.scope import Scope
from segue.api.answer import Answer, Header, encode
from segue.api.caching import REVALIDATE, may_be_held, tag_of, unless_known
from segue.api.doors import Doors
from segue.api.request import Request, bad_parameter
from segue.domain.event import Json
from segue.service.profiles import Look
from segue.service.views import UserView


@dataclass(frozen=True, slots=True)
class _Reading:
    """One content with its tag, ready to be sent."""

    tag: bytes
    answer: Answer


async def segments(doors: Doors, request: Request) -> Answer:
    """The user's segments; 304 when the asker has them."""
    return await _read(doors, request, request.params["id"])


async def segments_by_query(doors: Doors, request: Request) -> Answer:
    """The same, with the id in the query."""
    user_id = request.query.get("user_id")
    if not user_id:
        raise bad_parameter("the query has no user_id", "ask for /user/segments?user_id=ID")
    return await _read(doors, request, user_id)


async def _read(doors: Doors, request: Request, user_id: str) -> Answer:
    profiles = doors.service.profiles
    look = profiles.fresh(user_id)
    if look is None:
        look = await doors.glance(lambda: profiles.look(user_id))
    found = _unknown(user_id) if look is None else _reading(doors, look, user_id, request.principal)
    return unless_known(request, found.tag, found.answer)


def _reading(doors: Doors, look: Look, user_id: str, principal: Principal) -> _Reading:
    """Made once for as long as the look is good, for each scope and each id that leads there."""
    # Whoever is in no segment can be absorbed or forgotten without a change that caches hear of.
    held = len(look.since) > 0 and user_id == look.user_id and may_be_held(principal)
    if look.made is None:
        look.made = {}
    key = principal.scope, held
    found: _Reading | None = look.made.get(key)
    if found is None:
        text = _narrowed(look.text, principal.scope)
        found = look.made[key] = _made(text, look.version, doors.caching.profile(look.row, held))
    return found


def _narrowed(text: bytes, scope: Scope) -> bytes:
    return encode(scope.narrowed(json.loads(text))) if scope.limited else text


def _unknown(user_id: str) -> _Reading:
    content: Json = UserView(user_id, known=False).to_json()
    version = content.pop("version")
    return _made(encode(content), version, (REVALIDATE,))


def _made(text: bytes, version: int, headers: tuple[Header, ...]) -> _Reading:
    """The version says when the content was first so; another one alone makes no other content."""
    tag = tag_of(text)
    body = b'%s,"version":%d}' % (text[:-1], version)
    return _Reading(tag, Answer(200, body, headers=((b"etag", tag), *headers)))
