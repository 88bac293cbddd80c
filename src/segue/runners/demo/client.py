"""A client of the demo's own server: what it does, any client can."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

import msgspec

from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json

_PAGE = 1_000
_LOOK_SECONDS = 0.002


class Client:
    """One kept connection. Whatever is not answered with 200 is E785."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, calls: Sequence[Json]) -> None:
        """Sends a batch; returns when it is on the server's disk."""
        self._ask("POST", "/v1/batch", msgspec.json.encode({"batch": calls}))

    def changes(self, after: int) -> list[Json]:
        """All changes with a greater number."""
        found: list[Json] = []
        while True:
            page = self._ask("GET", f"/v1/changes?after={after}&limit={_PAGE}")
            found += page["changes"]
            if len(page["changes"]) < _PAGE:
                return found
            after = page["next"]

    def evaluated(self) -> int:
        """How much is evaluated: rises by one with every event."""
        return int(self._ask("GET", "/v1/changes?limit=1")["evaluated"])

    def wait(self, evaluated: int) -> None:
        """Returns when as much is evaluated."""
        while self.evaluated() < evaluated:
            time.sleep(_LOOK_SECONDS)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Json:
        try:
            self._connection.request(method, path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as fault:
            raise _no_answer(method, path, str(fault) or type(fault).__name__) from fault
        if response.status != 200:
            raise _no_answer(method, path, f"{response.status} {answer[:200].decode(errors='replace')}")
        return msgspec.json.decode(answer)


def _no_answer(method: str, path: str, why: str) -> SegueError:
    return refusal("E785", f"{method} {path} was not answered: {why}", "start the demo again")
