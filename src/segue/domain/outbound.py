"""Where a request that somebody else's text asked for may go: out to the public internet, and nowhere else.

An address is looked at twice: as it is written, and as it resolves when a connection is opened. What is
connected to is the address that was looked at, never the name again.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

from segue.domain.address import Networks

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._\-]{1,253})"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>[/?][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_PORT_MAX = 65_535
_URL_CHARACTERS_MAX = 2_000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_EMBEDDED = (_NAT64, ipaddress.ip_network("::/96"), ipaddress.ip_network("::ffff:0:0:0/96"))
"""Networks of version 6 whose last four bytes are an address of version 4."""
_SET_APART = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20", "5f00::/16"))
)
"""Networks that no machine of the public has, which some versions of Python do not know as such."""
_INNER_NAMES = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home.arpa")
"""Names, and endings of names, that mean a machine inside; those of cloud metadata are among them."""
_METADATA_NAMES = frozenset(("metadata", "instance-data"))


class TargetError(ValueError):
    """An address that is not to be reached; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts. ``path`` holds the query too, ``authority`` is host and port as written."""

    scheme: str
    host: str
    port: int
    path: str
    authority: str


def parse_target(url: str, allowed: Networks) -> Target:
    """The parts of a URL that may be asked for; :class:`TargetError` for any other text.

    ``allowed`` are networks that may be reached although they are not public. With any of them, names of
    inner machines are taken too: the address they resolve to decides when it is connected to.
    """
    found = _URL.fullmatch(url)
    if found is None or len(url) > _URL_CHARACTERS_MAX or "#" in url or "\\" in url:
        raise TargetError(
            "it is not a plain http or https address: no user name, fragment, blank or letter beyond ASCII"
        )
    scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
    port = int(found["port"] or (443 if scheme == "https" else 80))
    if not 1 <= port <= _PORT_MAX:
        raise TargetError(f"{port} is no port")
    _look_at_host(host, allowed)
    path = found["path"] or "/"
    authority = found["host"].lower() + (f":{found['port']}" if found["port"] else "")
    return Target(scheme, host, port, path if path.startswith("/") else "/" + path, authority)


def is_public_and_plain(url: str) -> bool:
    """Whether a URL leads to the public internet without encryption."""
    try:
        return parse_target(url, Networks()).scheme == "http"
    except TargetError:
        return False


def _look_at_host(host: str, allowed: Networks) -> None:
    literal = _literal(host)
    if literal is not None:
        look_at(literal, allowed)
        return
    if not allowed and _is_inner(host.rstrip(".")):
        raise TargetError(f"{host} is the name of an inner machine")


def _literal(host: str) -> Address | None:
    """The address that a host is; None for a name. Odd spellings that resolvers take are refused."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if ":" in host:
        raise TargetError(f"{host} is no address of version 6")
    try:
        socket.inet_aton(host.rstrip("."))
    except OSError:
        return None
    raise TargetError(f"{host} is an odd spelling of an address; write four numbers with points between them")


def _is_inner(name: str) -> bool:
    if name in _METADATA_NAMES or "." not in name:
        return True
    return any(name == ending or name.endswith("." + ending) for ending in _INNER_NAMES)


def look_at(address: Address | str, allowed: Networks) -> None:
    """:class:`TargetError` unless an address is public or among those allowed."""
    found = ipaddress.ip_address(address) if isinstance(address, str) else address
    if allowed.hold(str(found)):
        return
    for each in (found, *_within(found)):
        if not each.is_global or each.is_multicast or _is_set_apart(each):
            raise TargetError(f"{found} is not an address of the public internet")


def _is_set_apart(address: Address) -> bool:
    if any(address in network for network in _SET_APART):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        return address.is_site_local or (address.is_reserved and address not in _NAT64)
    return address.is_reserved or address.is_unspecified


def _within(address: Address) -> list[Address]:
    """The addresses of version 4 that one of version 6 carries, and to which it may be led."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _EMBEDDED):
        found.append(ipaddress.IPv4Address(address.packed[-4:]))
    return [each for each in found if each is not None]


def resolve(target: Target, allowed: Networks) -> list[str]:
    """The addresses of a target, each looked at: one that may not be reached refuses all of them.

    OSError when the name does not resolve. Waits as long as the system's resolver does.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in addresses:
        look_at(address, allowed)
    return addresses
