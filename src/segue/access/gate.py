"""The gate: judges credentials in memory, and changes them on disk first."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from segue.access import faults, tokens
from segue.access.keys import Grant, Key, Kind, digest_of, is_key, new_key
from segue.access.origins import allows
from segue.access.principal import Principal, Role, Source
from segue.access.scope import EVERYTHING, Scope
from segue.access.store import Store
from segue.access.tokens import Secret
from segue.domain.limits import KEYS_MAX, TOKENS_REMEMBERED_MAX


def wall_ms() -> int:
    """Milliseconds since 1970, by the clock on the wall: rights end by it, whatever time the events have."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class _Held:
    """All that is given out, and the tokens found good under it. Replaced as a whole, never changed."""

    keys: Mapping[str, Key] = field(default_factory=dict)
    by_digest: Mapping[bytes, Key] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    read: dict[str, Principal] = field(default_factory=dict)


class Access:
    """Who may come in to one data folder, for the process that owns it.

    Questions are answered from memory, in any thread; changes are on disk before they hold. ``clock``
    gives ms since 1970.
    """

    def __init__(self, folder: Path, clock: Callable[[], int] = wall_ms) -> None:
        """E602, E603 when ``access.db`` cannot be read: nothing is opened then."""
        self._store = Store(folder)
        self._clock = clock
        self._changing = threading.Lock()
        self._held = _Held()
        self.listeners: list[Callable[[], None]] = []
        """Called after keys or secrets have changed; they must not wait."""
        self._reload()

    def _reload(self) -> None:
        keys, secrets = self._store.read()
        by_id = {key.id: key for key in keys}
        by_digest = {key.digest: key for key in keys}
        self._held = _Held(by_id, by_digest, {secret.kid: secret for secret in secrets})

    # ---- questions ---------------------------------------------------------------------------

    @property
    def unlocked(self) -> bool:
        """Whether no key was ever made. Revoking the last one does not open the doors again."""
        return not self._held.keys

    def key(self, word: str) -> Key | None:
        """The key that a credential is, in whatever state; None for none of ours."""
        digest = digest_of(word)
        found = self._held.by_digest.get(digest)
        return found if found is not None and hmac.compare_digest(found.digest, digest) else None

    def writer(self, word: str, origin: bytes | None = None) -> Source:
        """The source that a write key speaks for; E761, E762, E763, or E764 for a page of another site."""
        key = self.key(word)
        if key is None or not key.lives(self._clock()):
            raise faults.unknown_key()
        if key.grant.kind is not Kind.WRITE:
            raise faults.not_for_you()
        if not key.enabled:
            raise faults.source_off()
        if not allows(key.grant.origins, origin):
            raise faults.foreign_origin()
        return Source(key.grant.name, key.id, key.grant.in_pages)

    def reader(self, word: str) -> Principal:
        """Who holds a read key, an admin key or a token; E761, or E762 for a write key."""
        if tokens.looks_signed(word):
            return self._holder(word)
        key = self.key(word)
        if key is None or not key.lives(self._clock()):
            raise faults.unknown_key()
        if key.grant.kind is Kind.WRITE:
            raise faults.not_for_you()
        if not key.enabled:
            raise faults.unknown_key()
        role = Role.ADMIN if key.grant.kind is Kind.ADMIN else Role.READ
        return Principal(role, None, key.grant.scope, key.id, key.expires)

    def _holder(self, token: str) -> Principal:
        held, now = self._held, self._clock()
        found = held.read.get(token)
        if found is None:
            found = tokens.read(token, held.secrets, now)
            if len(held.read) >= TOKENS_REMEMBERED_MAX:
                held.read.clear()
            held.read[token] = found
        elif found.expires is not None and now >= found.expires:
            held.read.pop(token, None)
            raise faults.unknown_token()
        return found

    def holds(self, principal: Principal) -> bool:
        """Whether the rights that were found earlier are still there, for those who stay connected."""
        now, held = self._clock(), self._held
        if principal.credential is None:
            return self.unlocked
        if principal.expires is not None and now >= principal.expires:
            return False
        if principal.role is Role.USER:
            secret = held.secrets.get(principal.credential)
            return secret is not None and secret.lives(now)
        key = held.keys.get(principal.credential)
        return key is not None and key.enabled and key.lives(now)

    def given(self, identifier: str) -> Key:
        """The key of an id that was found here."""
        return self._held.keys[identifier]

    def every(self) -> list[Key]:
        """Every key that was ever made, the oldest first."""
        return list(self._held.keys.values())

    @property
    def now(self) -> int:
        """What the clock says."""
        return self._clock()

    # ---- changes -----------------------------------------------------------------------------

    def create(self, grant: Grant, expires: int | None = None) -> tuple[str, Key]:
        """A new key: in clear, which is told only here, and what is kept of it."""
        with self._changing:
            if len(self._held.keys) >= KEYS_MAX:
                raise faults.no_key(f"there are {KEYS_MAX:,} keys already", "use one of them")
            text, key = new_key(grant.checked(), self._clock(), expires)
            self._put(key)
        return text, key

    def rotate(self, named: str, overlap: int) -> tuple[str, Key, Key]:
        """A new key for the same ends, and the newest of that name, good for ``overlap`` ms more."""
        with self._changing:
            old, now = self._named(named)[-1], self._clock()
            if not old.lives(now):
                raise faults.no_key("this key is not valid any more", "make a new one: segue keys create")
            text, key = new_key(old.grant, now, old.expires)
            ends = now + overlap if old.expires is None else min(old.expires, now + overlap)
            old = replace(old, expires=ends)
            self._put(old, replace(key, enabled=old.enabled))
        return text, key, old

    def revoke(self, named: str) -> list[Key]:
        """The keys, from now on good for nothing."""
        with self._changing:
            now = self._clock()
            found = [replace(key, revoked=key.revoked or now) for key in self._named(named)]
            self._put(*found)
        return found

    def switch(self, named: str, on: bool) -> list[Key]:
        """The keys, switched on or off."""
        with self._changing:
            found = [replace(key, enabled=on) for key in self._named(named)]
            if any(key.revoked is not None for key in found):
                raise faults.no_key("this key was revoked", "make a new one: segue keys create")
            self._put(*found)
        return found

    def _put(self, *keys: Key) -> None:
        self._store.write(keys)
        self._reload()
        self._tell()

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def _named(self, word: str) -> list[Key]:
        """By its id, by the key itself, or all valid ones of a name if they are of one kind; E767."""
        known = self._held.keys.get(word) or self.key(word)
        if known is not None:
            return [known]
        if is_key(word):
            raise faults.no_key("there is no such key", "`segue keys list` shows them")
        now = self._clock()
        found = [key for key in self.every() if key.grant.name == word and key.lives(now)]
        if not found:
            raise faults.no_key(f"no valid key is called {word!r}", "`segue keys list` shows them")
        if len({key.grant.kind for key in found}) > 1:
            ids = ", ".join(f"{key.id} ({key.grant.kind.value}, …{key.tail})" for key in found)
            raise faults.no_key(f"keys of several kinds are called {word!r}", f"name one by its id: {ids}")
        return found

    # ---- tokens ------------------------------------------------------------------------------

    def token(self, user_id: str, ttl: int, scope: Scope = EVERYTHING) -> tuple[str, Principal]:
        """A token for one profile, good for ``ttl`` ms, and what it opens; E768."""
        with self._changing:
            now = self._clock()
            secret = self._signing(now)
            text = tokens.issue(secret, user_id, scope, now, ttl)
        return text, tokens.read(text, self._held.secrets, now)

    def rotate_secret(self, overlap: int) -> Secret:
        """A new secret signs; tokens of the one before are good for ``overlap`` ms, older ones for none."""
        with self._changing:
            now = self._clock()
            before = list(self._held.secrets.values())
            fresh = tokens.new_secret(now)
            last = [replace(each, retires=now + overlap) for each in before[-1:] if overlap]
            gone = [each.kid for each in (before[:-1] if overlap else before)]
            self._store.write(secrets=(*last, fresh), drop=tuple(gone))
            self._reload()
            self._tell()
        return fresh

    def _signing(self, now: int) -> Secret:
        live = [each for each in self._held.secrets.values() if each.retires is None]
        if live:
            return live[-1]
        secret = tokens.new_secret(now)
        self._store.write(secrets=(secret,))
        self._reload()
        return secret
