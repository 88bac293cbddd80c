"""How often each key and each address may ask."""

from __future__ import annotations

import ipaddress
import time
from functools import lru_cache

from segue.access.faults import TooFastError
from segue.access.keys import Key
from segue.access.limits import Meters
from segue.api.request import Request
from segue.domain.rate import Rate
from segue.settings import Settings

_NETWORK_BITS = 64
"""Of an address of IPv6: one customer of a provider has at least that many addresses."""


class Quotas:
    """Counts requests; ``request.quota`` tells the client how far it is. Belongs to the event loop."""

    def __init__(self) -> None:
        self._keys = Meters()
        self._addresses = Meters()

    def ask_key(self, request: Request, key: Key) -> None:
        """E765 over the rate of a key."""
        if key.grant.rate is not None:
            _ask(self._keys, request, key.id, key.grant.rate)

    def ask_address(self, request: Request, settings: Settings) -> None:
        """E765 over the rate that each address has."""
        if settings.rate_per_address is not None:
            _ask(self._addresses, request, client_of(request, settings), settings.rate_per_address)


def _ask(meters: Meters, request: Request, who: str, rate: Rate) -> None:
    request.quota = meters.ask(who, rate, time.monotonic())
    if not request.quota.admitted:
        raise TooFastError(request.quota.wait)


def client_of(request: Request, settings: Settings) -> str:
    """The address that asks: the peer's, or what the last trusted proxy says of where it got it from."""
    peer = request.scope.get("client")
    address = "" if peer is None else str(peer[0])
    if settings.trusted_proxies:
        forwarded = b",".join(value for name, value in request.scope["headers"] if name == b"x-forwarded-for")
        before = [_bare(each.strip()) for each in forwarded.decode("latin-1").split(",") if each.strip()]
        while before and settings.trusted_proxies.hold(address):
            address = before.pop()
    return _counted(address)


def _bare(text: str) -> str:
    """An address without the port that some proxies write behind it."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


@lru_cache(maxsize=4096)
def _counted(address: str) -> str:
    """How an address is counted: those of one IPv6 network together, what is none as no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
