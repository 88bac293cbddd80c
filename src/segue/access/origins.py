"""Which sites' pages may use a key from a browser."""

from __future__ import annotations

import re

from segue.access.faults import bad_option

_ORIGIN = re.compile(
    r"(https?)://((?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?"
)
_PORTS = {"http": "80", "https": "443"}


def checked_origin(text: str) -> str:
    """In its one spelling; E766. ``https://*.shop.example`` stands for all hosts below that one."""
    found = _normal(text.strip())
    if found is None:
        raise bad_option(
            "an origin is malformed", "write it as --origin https://shop.example, without a path"
        )
    return found


def allows(origins: tuple[str, ...], origin: bytes | None) -> bool:
    """Whether a request with this Origin header may use a key; without one, it comes from no page."""
    if not origins or origin is None:
        return True
    found = _normal(origin.decode("latin-1"))
    if found is None:
        return False
    if found in origins:
        return True
    scheme, _, host = found.partition("://")
    return any(_is_below(host, scheme, pattern) for pattern in origins)


def _is_below(host: str, scheme: str, pattern: str) -> bool:
    start, star, parent = pattern.partition("://*.")
    return bool(star) and start == scheme and host.endswith("." + parent)


def _normal(text: str) -> str | None:
    found = _ORIGIN.fullmatch(text.lower())
    if found is None:
        return None
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" if port in {None, _PORTS[scheme]} else f"{scheme}://{host}:{port}"
