"""Between httpx and the verbs: requests built, answers read, refusals told apart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, TypeVar

import httpx

from segue import __version__
from segue.client.errors import ClientError, RefusedError, UnreachableError
from segue.client.following import Followed
from segue.client.verbs import Asked

T = TypeVar("T")

TIMEOUT_SECONDS = 10.0
SILENCE_SECONDS = 45.0
"""A stream says something every fifteen seconds."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 30.0
BATCH_EVENTS, BATCH_BYTES = 500, 1_000_000
"""Sent together at most: well within what the server takes."""
HEADERS = {"User-Agent": f"segue-python/{__version__}"}


def question(asked: Asked[Any], key: str | None) -> dict[str, Any]:
    """The arguments of httpx's ``request``."""
    found: dict[str, Any] = {"method": asked.method, "url": asked.path, "headers": bearer(key)}
    if asked.query:
        found["params"] = dict(asked.query)
    if asked.body is not None:
        found["json"] = asked.body
    return found


def bearer(key: str | None) -> dict[str, str]:
    """The header that names a key, where there is one."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def batch(events: Sequence[bytes], key: str | None) -> dict[str, Any]:
    """The arguments of a post of events, which are JSON already.

    It does not say when it is sent: the server would correct the times of its events by how long this one
    request takes, and so turn events of two requests around.
    """
    body = b'{"batch":[%s]}' % b",".join(events)
    headers = {"Content-Type": "application/json", **bearer(key)}
    return {"method": "POST", "url": "/v1/batch", "content": body, "headers": headers}


def answered(answer: httpx.Response, asked: Asked[T]) -> T:
    """What an answer means; RefusedError for a refusal, UnreachableError for what Segue does not write."""
    require_taken(answer)
    try:
        return asked.read(answer.json() if answer.content else None)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreachableError(f"{answer.request.url} does not answer as Segue does: {error!r}") from error


def require_taken(answer: httpx.Response) -> None:
    """RefusedError unless the status is one of success."""
    if answer.is_success:
        return
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    finding: dict[str, Any] = next(iter(said.get("errors") or ()), {})
    raise RefusedError(
        answer.status_code,
        str(said.get("code", f"HTTP {answer.status_code}")),
        str(said.get("message") or said.get("detail") or answer.reason_phrase),
        str(finding.get("hint") or said.get("hint") or ""),
        _seconds(answer.headers.get("retry-after")),
    )


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdigit() else None


def listening(followed: Followed, key: str | None) -> dict[str, Any]:
    """The arguments of httpx's ``stream``."""
    headers = {"Accept": "text/event-stream", **bearer(key)}
    return {
        "method": "GET",
        "url": "/v1/stream",
        "params": followed.query(),
        "headers": headers,
        "timeout": SILENCE_SECONDS,
    }


def ended(address: object) -> UnreachableError:
    """A stream that came to its end, which it does when the server begins anew."""
    return UnreachableError(f"{address} ended the stream")


def unreachable(address: object, error: Exception) -> UnreachableError:
    """What a failed connection comes to."""
    return UnreachableError(f"{address} does not answer: {type(error).__name__} {error}".rstrip())


class Patience:
    """How long to wait before a batch is sent again: longer each time, and never in step with others."""

    def __init__(self) -> None:
        self._pause = FIRST_PAUSE_SECONDS

    def after(self, error: ClientError) -> float | None:
        """Seconds to wait; None when waiting does not help."""
        if isinstance(error, RefusedError):
            if not error.passes:
                return None
            if error.retry_after is not None:
                return error.retry_after + random.uniform(0, FIRST_PAUSE_SECONDS)
        pause = random.uniform(self._pause / 2, self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        return pause
