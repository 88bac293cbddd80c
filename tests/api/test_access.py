"""Who may read while there are no keys."""

from __future__ import annotations

import pytest

from segue.api.access import is_loopback, require_local
from segue.api.request import Request
from segue.domain.errors import SegueError


def asked(client: str | None, *headers: tuple[bytes, bytes]) -> Request:
    peer = None if client is None else (client, 50_000)
    return Request({"method": "GET", "raw_path": b"/v1/changes", "client": peer, "headers": list(headers)})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "0.0.0.0", "::", "localhost.evil.example", "", "127.0.0.1.nip.io"]
)
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "request_",
    [
        asked("127.0.0.1"),
        asked("::1", (b"host", b"[::1]:8000")),
        asked("127.0.0.1", (b"host", b"localhost:8000")),
        asked("::ffff:127.0.0.1", (b"host", b"127.0.0.1")),
    ],
)
def test_open_to_this_machine(request_: Request) -> None:
    require_local(request_)


@pytest.mark.parametrize(
    "request_",
    [
        asked("192.168.1.7"),
        asked(None),
        asked("127.0.0.1", (b"x-forwarded-for", b"127.0.0.1")),
        asked("127.0.0.1", (b"forwarded", b"for=10.0.0.1")),
        asked("127.0.0.1", (b"host", b"rebound.evil.example:8000")),
    ],
    ids=["other machine", "unknown peer", "proxied", "proxied by the standard", "foreign name"],
)
def test_closed_to_others(request_: Request) -> None:
    with pytest.raises(SegueError, match="E746"):
        require_local(request_)
