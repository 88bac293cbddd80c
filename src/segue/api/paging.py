"""Pages: how many rows, and where the next page begins."""

from __future__ import annotations

import base64
import binascii
import json

from segue.api.request import Request, bad_parameter
from segue.domain.event import Json
from segue.domain.limits import PAGE_ROWS, PAGE_ROWS_MAX

_DIGITS_MAX = 18


def limit_of(request: Request) -> int:
    """How many rows a page may have; E743 unless it is from 1 to 10,000."""
    found = whole_number(request, "limit", PAGE_ROWS)
    if not 1 <= found <= PAGE_ROWS_MAX:
        raise bad_parameter(f"limit is {found}", f"ask for 1 to {PAGE_ROWS_MAX:,} rows a page")
    return found


def whole_number(request: Request, name: str, default: int) -> int:
    """A parameter of digits only; E743 when it is something else."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise bad_parameter(f"{name} is no whole number", f"write it in digits, for example {name}={default}")
    return int(text)


def cursor(*parts: Json) -> str:
    """Where a page ended, as one opaque word."""
    text = json.dumps(parts, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read_cursor(request: Request, *kinds: type) -> list[Json] | None:
    """What :func:`cursor` wrote, if its parts are of these types; None without one, E743 for another."""
    text = request.query.get("cursor")
    if text is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if (
        not isinstance(found, list)
        or len(found) != len(kinds)
        or not all(type(each) is kind for each, kind in zip(found, kinds, strict=True))
    ):
        raise bad_parameter(
            "the cursor is none that was given out", "take it from the page before, unchanged"
        )
    return found
