"""What a door is asked: the request, its parameters and its body as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from segue.access.limits import Verdict
from segue.access.principal import LOCAL, Principal, Source
from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json
from segue.domain.limits import QUERY_FIELDS_MAX

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BAD_PARAMETER = "E743"
BAD_BODY = "E744"


class Request:
    """One HTTP request. ``path`` is percent-encoded as it was sent, without its last slash.

    ``params`` holds the parts of the path that vary, decoded; ``body`` is read before a handler runs, and is
    ``unread`` until then.
    ``principal`` is who reads or edits, ``source`` who sends if a header tells, ``quota`` how far the
    asker is from its limit.
    """

    __slots__ = (
        "_query",
        "body",
        "method",
        "params",
        "path",
        "principal",
        "quota",
        "scope",
        "source",
        "unread",
    )

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope.get("method", "GET")
        raw = scope.get("raw_path") or scope["path"].encode()
        self.path: str = raw.decode("latin-1")
        if self.path.endswith("/") and self.path != "/":
            self.path = self.path[:-1]
        self.params: Mapping[str, str] = {}
        self.body = b""
        self.unread = True
        self.principal: Principal = LOCAL
        self.source: Source | None = None
        self.quota: Verdict | None = None
        self._query: dict[str, str] | None = None

    def header(self, name: bytes) -> bytes | None:
        """The first header of this name, in small letters; None when there is none."""
        for key, value in self.scope["headers"]:
            if key == name:
                return value  # type: ignore[no-any-return]
        return None

    @property
    def query(self) -> Mapping[str, str]:
        """The query by name; empty values count as absent, of repeated names the last one counts."""
        if self._query is None:
            self._query = _query(self.scope["query_string"])
        return self._query

    def json(self, hint: str) -> dict[str, Json]:
        """The body, which has to be a JSON object; E744 with the hint when it is not."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
            raise refusal(BAD_BODY, f"the body is not JSON: {fault}", hint) from None
        if not isinstance(found, dict):
            raise refusal(BAD_BODY, "the body is JSON, but no object", hint)
        return found


def _query(text: bytes) -> dict[str, str]:
    if not text:
        return {}
    try:
        pairs = parse_qsl(text.decode("ascii"), errors="strict", max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        raise bad_parameter("the query cannot be read", "percent-encode it as UTF-8") from None
    return dict(pairs)


def decoded(text: str) -> str:
    """One part of a path without its percent-encoding; E743 when it is not UTF-8."""
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise bad_parameter("the path is not UTF-8", "percent-encode ids as UTF-8") from None


def bad_parameter(message: str, hint: str) -> SegueError:
    """The refusal of something in the path or the query."""
    return refusal(BAD_PARAMETER, message, hint)
