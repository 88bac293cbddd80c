"""Who asks, once the credential was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from segue.access.scope import EVERYTHING, Scope


class Role(Enum):
    """What kind of asker."""

    LOCAL = "this machine, while there are no keys"
    READ = "the holder of a read key"
    ADMIN = "the holder of an admin key"
    USER = "a user, or an anonymous visitor, by their own token"


@dataclass(frozen=True, slots=True)
class Principal:
    """``user_id`` is set for a user's or visitor's token: it opens that profile alone.

    ``credential`` is the id of the key or of the secret that signed, ``expires`` (ms) when it ends: with
    both, :meth:`segue.access.gate.Access.holds` tells later whether the rights still hold.
    """

    role: Role
    user_id: str | None = None
    scope: Scope = EVERYTHING
    credential: str | None = None
    expires: int | None = None

    @property
    def reads_all(self) -> bool:
        """Whether everyone's data is open, as far as the scope goes."""
        return self.role is not Role.USER

    @property
    def edits(self) -> bool:
        """Whether definitions and people may be changed."""
        return self.role in {Role.LOCAL, Role.ADMIN}


LOCAL = Principal(Role.LOCAL)


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends: the name of the write key. ``key_id`` is None while there are no keys.

    ``public`` says that the key stands where anybody can read it: it must not join two users.
    """

    name: str
    key_id: str | None = None
    public: bool = False
