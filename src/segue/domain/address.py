"""Networks of addresses, as settings name them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Networks:
    """Some networks; none of them is false."""

    all: tuple[Network, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all)

    def __str__(self) -> str:
        return ", ".join(map(str, self.all))

    def hold(self, address: str) -> bool:
        """Whether an address is in one of them; what is no address is in none."""
        return _holds(self, address)


@lru_cache(maxsize=4096)
def _holds(networks: Networks, text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks.all)


def parse_networks(text: str) -> Networks | None:
    """``10.0.0.1, 192.168.0.0/16``; None when one of them is neither an address nor a network."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return Networks(tuple(ipaddress.ip_network(part) for part in parts))
    except ValueError:
        return None
