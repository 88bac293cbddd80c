"""Keys: what one may do, what it looks like, and how it is kept."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Self

from segue.access.faults import bad_option
from segue.access.origins import checked_origin
from segue.access.scope import EVERYTHING, Scope
from segue.domain.event import Json
from segue.domain.limits import NAME_CHARACTERS_MAX, ORIGINS_MAX
from segue.domain.rate import Rate, parse_rate
from segue.domain.time import format_instant

SECRET_BYTES = 25
"""200 random bits: 40 letters and digits, none of which needs quoting anywhere."""
TAIL_CHARACTERS = 4
_KEY = re.compile(rb"segue_(write|read|admin)_[a-z2-7]{40}")
_KEY_FIELD = re.compile(rb"""(["']?writeKey["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s"'&,}]+)""")
_BURST_MAX = 1_000_000


class Kind(Enum):
    """What a key is for: sending events, reading, or changing things too."""

    WRITE = "write"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody wants of a key. ``name`` is the source's for a write key."""

    name: str
    kind: Kind
    environment: str = ""
    origins: tuple[str, ...] = ()
    rate: Rate | None = None
    scope: Scope = EVERYTHING
    public: bool = False

    @property
    def in_pages(self) -> bool:
        """Whether anybody can read the key: it was said, or follows from the sites that it is for."""
        return self.public or bool(self.origins)

    def checked(self) -> Self:
        """The same; E766 for what cannot be."""
        _word("the name", self.name, required=True)
        _word("the environment", self.environment, required=False)
        if self.origins and self.kind is not Kind.WRITE:
            raise bad_option("only write keys have origins", "leave --origin out")
        if self.public and self.kind is not Kind.WRITE:
            raise bad_option("only write keys can be public", "leave --public out")
        if self.scope.limited and self.kind is not Kind.READ:
            raise bad_option("only read keys have a scope", "leave --segments and --attributes out")
        return self

    def to_json(self) -> dict[str, Json]:
        """As it is stored, and shown."""
        rate = None if self.rate is None else str(self.rate)
        burst = None if self.rate is None else self.rate.burst
        parts = {
            "environment": self.environment,
            "origins": list(self.origins),
            "public": self.public,
            "rate": rate,
            "burst": burst,
        }
        return {name: value for name, value in parts.items() if value} | self.scope.to_json()


def grant_of(name: str, kind: Kind, parts: Mapping[str, Json]) -> Grant:
    """A grant from what :meth:`Grant.to_json` writes, which a command may also have written; E766."""
    origins = tuple(dict.fromkeys(checked_origin(each) for each in parts.get("origins") or ()))
    if len(origins) > ORIGINS_MAX:
        raise bad_option(
            f"a key has at most {ORIGINS_MAX} origins", "write https://*.shop.example for all below"
        )
    scope = Scope.of(parts.get("segments"), parts.get("attributes"))
    rate = _rate(parts.get("rate"), parts.get("burst"))
    environment, public = parts.get("environment") or "", bool(parts.get("public"))
    return Grant(name, kind, environment, origins, rate, scope, public).checked()


def _rate(text: str | None, burst: int | None) -> Rate | None:
    if text is None:
        if burst is not None:
            raise bad_option("a burst needs a rate", "add --rate 100/s")
        return None
    rate = parse_rate(text, burst)
    if rate is None or rate.burst > _BURST_MAX:
        raise bad_option(
            "the rate or the burst is malformed", "write --rate 100/s, 6000/m or 100000/h, --burst 50"
        )
    return rate


def _word(what: str, text: str, required: bool) -> None:
    if not text and not required:
        return
    if text != text.strip() or not text.isprintable() or not 1 <= len(text) <= NAME_CHARACTERS_MAX:
        raise bad_option(
            f"{what} is no word of 1 to {NAME_CHARACTERS_MAX} letters", "for example --name shop"
        )
    if is_key(text):
        raise bad_option(f"{what} is a key", "names are shown, keys are not")


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was given out; times in ms. Of its letters only the last four are known."""

    id: str
    digest: bytes
    tail: str
    grant: Grant
    created: int
    enabled: bool = True
    expires: int | None = None
    revoked: int | None = None

    def lives(self, now: int) -> bool:
        """Whether it is neither revoked nor expired; it may be off."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def state(self, now: int) -> str:
        """In one word."""
        if self.revoked is not None:
            return "revoked"
        if not self.lives(now):
            return "expired"
        return "on" if self.enabled else "off"

    def to_json(self, now: int) -> dict[str, Json]:
        """As it is listed."""
        times = {"expires": self.expires, "revoked": self.revoked}
        return {
            "id": self.id,
            "name": self.grant.name,
            "kind": self.grant.kind.value,
            "state": self.state(now),
            "ends_with": self.tail,
            "created": format_instant(self.created),
            **{name: format_instant(at) for name, at in times.items() if at is not None},
            **self.grant.to_json(),
        }


def new_key(grant: Grant, now: int, expires: int | None = None) -> tuple[str, Key]:
    """A fresh key in clear, to be shown once, and what is kept of it."""
    letters = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode().lower()
    text = f"segue_{grant.kind.value}_{letters}"
    identifier = "k_" + secrets.token_hex(4)
    return text, Key(identifier, digest_of(text), text[-TAIL_CHARACTERS:], grant, now, expires=expires)


def digest_of(text: str) -> bytes:
    """What is kept of a key. Its 200 random bits need no slow hash: there is nothing to guess."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def is_key(text: str) -> bool:
    """Whether it looks like a key."""
    return _KEY.search(text.encode(errors="replace")) is not None


def hushed(sent: bytes) -> bytes:
    """What was sent, for keeping it where people look: without the keys in it, of ours or of others."""
    return _KEY.sub(rb"segue_\1_", _KEY_FIELD.sub(rb'\1""', sent))
