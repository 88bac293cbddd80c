"""``segue keys`` and ``segue token``: who may come in. They need nothing of a service but its gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from segue.access.faults import bad_option, bad_token_order
from segue.access.gate import Access
from segue.access.keys import Key, Kind, grant_of
from segue.access.scope import Scope
from segue.domain.event import Json
from segue.domain.ids import ANONYMOUS
from segue.domain.time import DAY, MINUTE, format_instant, parse_duration, parse_instant
from segue.service.commands.arguments import text, text_or_none, texts, whole_or_none, word
from segue.service.commands.command import Progress

OVERLAP_MS = DAY
TOKEN_MS = 15 * MINUTE


class Holder(Protocol):
    """Who has the gate: a service, or a command that holds the data folder alone."""

    @property
    def access(self) -> Access:
        """Keys and tokens."""


def run_create(holder: Holder, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``name``, ``kind`` and what the key is limited to: the key in clear, for the only time."""
    kind = Kind(word(arguments, "kind", *(each.value for each in Kind)))
    parts = {
        "environment": text_or_none(arguments, "environment"),
        "origins": texts(arguments, "origins"),
        "public": arguments.get("public") is True,
        "rate": text_or_none(arguments, "rate"),
        "burst": whole_or_none(arguments, "burst"),
        **_scope_in(arguments),
    }
    access = holder.access
    grant = grant_of(text(arguments, "name"), kind, parts)
    shown, key = access.create(grant, _end(text_or_none(arguments, "expires"), access.now))
    yield {"key": shown, **key.to_json(access.now)}


def run_list(holder: Holder, _arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """Every key that was ever made, without the keys themselves."""
    yield from _rows(holder, holder.access.every())


def run_rotate(holder: Holder, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``key``, ``overlap``: the new key in clear; ``before`` is the old one, with its end."""
    access = holder.access
    shown, key, old = access.rotate(text(arguments, "key"), _overlap(arguments))
    yield {"key": shown, **key.to_json(access.now), "before": old.to_json(access.now)}


def run_revoke(holder: Holder, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``key``: each that is meant, ended for good."""
    yield from _rows(holder, holder.access.revoke(text(arguments, "key")))


def run_on(holder: Holder, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``key``: each that is meant, good again."""
    yield from _rows(holder, holder.access.switch(text(arguments, "key"), True))


def run_off(holder: Holder, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``key``: each that is meant, good for nothing until it is switched on."""
    yield from _rows(holder, holder.access.switch(text(arguments, "key"), False))


def run_token(holder: Holder, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``user``, ``ttl``, ``visitor``: a token for that profile alone."""
    user_id = text(arguments, "user")
    if arguments.get("visitor") is True and not user_id.startswith(ANONYMOUS):
        user_id = ANONYMOUS + user_id
    spelled = text_or_none(arguments, "ttl")
    ttl = TOKEN_MS if spelled is None else parse_duration(spelled)
    if ttl is None:
        raise bad_token_order("the time is no duration", "for example --ttl 15m")
    scope = _scope_in(arguments)
    token, principal = holder.access.token(user_id, ttl, Scope.of(scope["segments"], scope["attributes"]))
    assert principal.expires is not None
    yield {"token": token, "user_id": user_id, "expires": format_instant(principal.expires)}


def run_rotate_secret(holder: Holder, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``overlap``: the id of the secret that signs from now on."""
    overlap = _overlap(arguments)
    secret = holder.access.rotate_secret(overlap)
    yield {"kid": secret.kid, "before_ends": format_instant(secret.created + overlap)}


def _rows(holder: Holder, keys: list[Key]) -> Iterator[Json]:
    now = holder.access.now
    return (key.to_json(now) for key in keys)


def _scope_in(arguments: Mapping[str, Json]) -> dict[str, list[str] | None]:
    """Names, with commas between them or one by one; None, which is all, for what was left out."""
    return {
        name: None if arguments.get(name) is None else _names(texts(arguments, name))
        for name in ("segments", "attributes")
    }


def _names(found: list[str]) -> list[str]:
    return [name.strip() for each in found for name in each.split(",") if name.strip()]


def _overlap(arguments: Mapping[str, Json]) -> int:
    spelled = text_or_none(arguments, "overlap")
    found = OVERLAP_MS if spelled is None else parse_duration(spelled)
    if found is None:
        raise bad_option("the overlap is no duration", "for example --overlap 7d, or 0s for none")
    return found


def _end(spelled: str | None, now: int) -> int | None:
    """When a key ends: after a duration, or at a moment (in UTC unless it says otherwise)."""
    if spelled is None:
        return None
    duration = parse_duration(spelled)
    found = parse_instant(spelled) if duration is None else now + duration
    if found is None or found <= now:
        raise bad_option("the key would end before it begins", "for example --expires 90d, or a date")
    return found


RUNS = {
    "keys create": run_create,
    "keys list": run_list,
    "keys rotate": run_rotate,
    "keys revoke": run_revoke,
    "keys on": run_on,
    "keys off": run_off,
    "token": run_token,
    "token rotate": run_rotate_secret,
}
"""By the names under which :data:`segue.service.commands.COMMANDS` has them."""
