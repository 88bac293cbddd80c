"""Who may ask: without keys, only this machine reads; sending events is open."""

from __future__ import annotations

import ipaddress

from segue.api.problems import NOT_ALLOWED
from segue.api.request import Request
from segue.domain.errors import refusal

_FORWARDED = (b"x-forwarded-for", b"forwarded", b"x-real-ip")


def is_loopback(host: str) -> bool:
    """Whether an address or host name means this machine itself."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def require_local(request: Request) -> None:
    """E746 unless the request comes from this machine and was meant for it.

    A forwarded request is its sender's, not the proxy's. A foreign Host means that a page of
    another site made the browser resolve its own name to this machine.
    """
    client = request.scope.get("client")
    near = client is not None and is_loopback(client[0])
    if not near or any(request.header(name) is not None for name in _FORWARDED):
        raise refusal(
            NOT_ALLOWED, "there are no keys yet, so only this machine may read", "ask from the machine itself"
        )
    host = (request.header(b"host") or b"localhost").decode("latin-1")
    if not is_loopback(_without_port(host)):
        raise refusal(
            NOT_ALLOWED, "this machine was asked under a foreign name", "ask localhost or 127.0.0.1"
        )


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0]
    return host.partition(":")[0]
