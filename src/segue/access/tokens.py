"""User tokens: short-lived JSON Web Tokens, signed with HMAC-SHA256, each of which opens one profile."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from jwt.types import Options

from segue.access.faults import bad_option, bad_token_order, unknown_token
from segue.access.principal import Principal, Role
from segue.access.scope import Scope
from segue.domain.errors import SegueError
from segue.domain.ids import ANONYMOUS
from segue.domain.limits import ID_CHARACTERS_MAX, TOKEN_CHARACTERS_MAX, TOKEN_MS_MAX
from segue.domain.time import format_duration

ALGORITHM = "HS256"
ISSUER = "segue"
SECRET_BYTES = 32
"""How the id of a profile that belongs to nobody begins."""

_CHECKS: Options = {"require": ["iss", "sub", "iat", "exp"], "verify_exp": False, "verify_iat": False}
"""The moments are compared here, by the clock that is also used for keys."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What signs tokens; ``retires`` (ms) is when it stops to be good for reading them."""

    kid: str
    value: bytes
    created: int
    retires: int | None = None

    def lives(self, now: int) -> bool:
        """Whether tokens signed with it are still good."""
        return self.retires is None or now < self.retires


def new_secret(now: int) -> Secret:
    """256 fresh random bits."""
    return Secret("s_" + secrets.token_hex(4), secrets.token_bytes(SECRET_BYTES), now)


def issue(secret: Secret, user_id: str, scope: Scope, now: int, ttl: int) -> str:
    """A token for one profile, good for ``ttl`` ms from ``now`` on, in whole seconds; E768."""
    if not 1_000 <= ttl <= TOKEN_MS_MAX:
        hint = f"from 1s to {format_duration(TOKEN_MS_MAX)}, for example --ttl 15m"
        raise bad_token_order("a token cannot be good for that long", hint)
    if not user_id.strip() or user_id == ANONYMOUS or len(user_id) > ID_CHARACTERS_MAX:
        raise bad_token_order("that is no user id", "for example: segue token 13085")
    start = now // 1_000
    claims = {"iss": ISSUER, "sub": user_id, "iat": start, "exp": start + ttl // 1_000, **scope.to_json()}
    return jwt.encode(claims, secret.value, ALGORITHM, {"kid": secret.kid})


def read(token: str, known: Mapping[str, Secret], now: int) -> Principal:
    """Whose it is; E761 unless one of the secrets signed it and it is still good."""
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise unknown_token()
    try:
        secret = known.get(str(jwt.get_unverified_header(token).get("kid")))
        if secret is None or not secret.lives(now):
            raise unknown_token()
        claims = jwt.decode(token, secret.value, [ALGORITHM], options=_CHECKS, issuer=ISSUER)
        return _principal(claims, secret, now)
    except (jwt.PyJWTError, UnicodeError, ValueError, TypeError, RecursionError):
        raise unknown_token() from None


def _principal(claims: Mapping[str, object], secret: Secret, now: int) -> Principal:
    user_id, start, end = claims["sub"], claims["iat"], claims["exp"]
    if not (isinstance(user_id, str) and isinstance(start, int) and isinstance(end, int)):
        raise unknown_token()
    if now >= end * 1_000 or end - start > TOKEN_MS_MAX // 1_000:
        raise unknown_token()
    ends = end * 1_000 if secret.retires is None else min(end * 1_000, secret.retires)
    return Principal(Role.USER, user_id, _scope(claims), secret.kid, ends)


def _scope(claims: Mapping[str, object]) -> Scope:
    try:
        return Scope.of(_names(claims.get("segments")), _names(claims.get("attributes")))
    except SegueError:
        raise unknown_token() from None


def _names(claim: object) -> list[str] | None:
    if claim is None:
        return None
    if not isinstance(claim, list) or not all(isinstance(each, str) for each in claim):
        raise bad_option("a scope is a list of names", "sign it with `segue token`")
    return claim


def looks_signed(word: str) -> bool:
    """Whether a credential is a token rather than a key: three parts with dots between them."""
    return word.count(".") == 2
