"""One row of the list of routes: what is registered, and what is documented of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from segue.api.answer import Answer
from segue.api.doors import Doors
from segue.api.request import Request

Handler = Callable[[Doors, Request], Answer]
LoopHandler = Callable[[Doors, Request], Awaitable[Answer]]


class Access(Enum):
    """Who may use a route; docs/access.md says what holds until a key is created."""

    OPEN = "anyone"
    WRITE = "a write key"
    READ = "a read key or an admin key"
    USER = "a read key, an admin key, or the user's own token"
    READER = "a read key, an admin key, or a user's token; the answer is narrowed to what they may see"
    ADMIN = "an admin key"
    TOKEN = "the holder of the running server's token, on this machine"


class Runs(Enum):
    """Where a handler runs: in the loop if it never blocks, else in a thread."""

    AT_ONCE = "at once"
    IF_FREE = "at once unless the engine is busy, then in a thread"
    IN_THREAD = "in a thread"
    IN_LOOP = "as a coroutine"


@dataclass(frozen=True, slots=True)
class Route:
    """``{id}`` in the path takes slashes too, other names do not; ``returns`` gives a schema by status.

    ``access`` says who may ask; with USER, ``{id}`` or the query's ``user_id`` is the user. ``scoped``
    says that the handler keeps to ``request.principal.scope``: other routes refuse who has a limited one.
    ``query`` and ``takes`` say which parameters and which schema of a body are understood. A
    ``tracking`` route also answers preflights and lets pages of other sites read its answers. A
    ``gives`` are the media types of what it answers when it does not refuse. A
    ``browsing`` one takes its token from the query too, because a browser sends no header with it.
    """

    method: str
    path: str
    summary: str
    handler: Handler | LoopHandler
    returns: Mapping[int, str]
    runs: Runs = Runs.IN_THREAD
    access: Access = Access.READ
    scoped: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    takes: str | None = None
    tracking: bool = False
    browsing: bool = False
    gives: tuple[str, ...] = ("application/json",)

    @property
    def varies(self) -> bool:
        """Whether the path has parameters."""
        return "{" in self.path

    def pattern(self) -> re.Pattern[str]:
        """What paths of the route look like, percent-encoded."""
        parts = re.split(r"\{(\w+)\}", self.path)
        texts = [re.escape(part) for part in parts[::2]]
        names = [f"(?P<{name}>{'.+' if name == 'id' else '[^/]+'})" for name in parts[1::2]]
        pieces = [text + name for text, name in zip(texts, [*names, ""], strict=True)]
        return re.compile("".join(pieces), re.DOTALL)
