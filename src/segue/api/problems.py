"""Refusals as problem documents (RFC 9457) that also carry the ``code`` and ``message`` SDKs read."""

from __future__ import annotations

from http import HTTPStatus

from segue.access import faults
from segue.api.answer import PROBLEM, Answer, Header, encode
from segue.domain.errors import SegueError, refusal
from segue.domain.limits import FINDINGS_MAX

NO_REQUEST = "E773"
HEAD_TOO_LARGE = "E774"
NO_ROUTE = "E741"
WRONG_METHOD = "E742"
NOT_ALLOWED = "E746"
NOT_SERVING = "E747"
FAULT = "E748"
TOO_MUCH = "E749"

STATUS = {
    "E453": 404,
    "E503": 413,
    "E504": 413,
    "E604": 503,
    "E701": 404,
    "E702": 404,
    "E703": 404,
    "E842": 404,
    "E843": 404,
    "E860": 404,
    "E771": 404,
    "E772": 404,
    HEAD_TOO_LARGE: 431,
    faults.NO_CREDENTIAL: 401,
    faults.UNKNOWN_CREDENTIAL: 401,
    faults.NOT_FOR_YOU: 403,
    faults.SOURCE_OFF: 404,
    faults.FOREIGN_ORIGIN: 403,
    faults.TOO_FAST: 429,
    "E787": 503,
    "E788": 403,
    "E792": 501,
    "E796": 415,
    "E797": 406,
    "E836": 404,
    NO_ROUTE: 404,
    WRONG_METHOD: 405,
    NOT_ALLOWED: 403,
    NOT_SERVING: 503,
    FAULT: 500,
    TOO_MUCH: 503,
}
"""The status of each code; codes that are not here are a client's mistake, 400."""

RETRY_AFTER: Header = (b"retry-after", b"1")
CHALLENGE: Header = (b"www-authenticate", b'Bearer realm="segue"')
"""Not Basic, at which a browser would ask people for a password."""


def problem(error: SegueError, success: bool | None = None) -> Answer:
    """The answer to a refusal; ``success`` is written where clients of the tracking API look for it."""
    status = status_of(error)
    document: dict[str, object] = {} if success is None else {"success": success}
    document.update(problem_document(error))
    document["errors"] = [each.to_json() for each in error.diagnostics[:FINDINGS_MAX]]
    return Answer(status, encode(document), PROBLEM, _headers(status, error))


def problem_document(error: SegueError) -> dict[str, object]:
    """What a refusal says, by the names of RFC 9457 and those that SDKs read."""
    first, status = error.diagnostics[0], status_of(error)
    return {
        "type": f"urn:segue:error:{first.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": f"{first.message.removesuffix('.')}. {first.hint}" if first.hint else first.message,
        "code": first.code,
        "message": first.message,
    }


def _headers(status: int, error: SegueError) -> tuple[Header, ...]:
    if isinstance(error, faults.TooFastError):
        return ((b"retry-after", b"%d" % error.seconds),)
    return {503: (RETRY_AFTER,), 401: (CHALLENGE,)}.get(status, ())


def status_of(error: SegueError) -> int:
    """The status of an answer that refuses."""
    found = error.diagnostics[0]
    known = STATUS.get(found.code)
    if known is not None:
        return known
    return 500 if found.code.startswith("E6") else 400


def no_request(reason: str) -> SegueError:
    """What came over the connection is not HTTP."""
    return refusal(
        NO_REQUEST, f"this is no HTTP request: {reason}", "the connection is closed; send it again"
    )


def head_too_large() -> SegueError:
    """The request line and headers have no end."""
    return refusal(HEAD_TOO_LARGE, "the headers are too large", "send large values in the body")


def no_route() -> SegueError:
    """Nothing answers at that path."""
    return refusal(NO_ROUTE, "there is nothing at this path", "/docs lists every route")


def wrong_method(method: str, allowed: str) -> SegueError:
    """The path is known, the method is not."""
    shown = method if method.isascii() and len(method) <= 20 else "that method"
    return refusal(WRONG_METHOD, f"this path does not take {shown}", f"it takes {allowed}")


def not_serving(stopping: bool) -> SegueError:
    """The server cannot answer yet, or any more."""
    return refusal(NOT_SERVING, "the server is " + ("stopping" if stopping else "starting"), "try again")


def not_ready() -> SegueError:
    """The server runs, but its log does not take events, or nothing evaluates them."""
    return refusal(NOT_SERVING, "events cannot be taken right now", "the server's log says why")


def too_much() -> SegueError:
    """A bound on what runs at once is reached."""
    return refusal(TOO_MUCH, "too many requests are being worked on", "try again in a second")


def fault() -> SegueError:
    """An error of ours: what happened is in the server's log, not in the answer."""
    return refusal(FAULT, "the server made a mistake", "try again; the server's log says what happened")
