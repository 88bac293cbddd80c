"""The browser's modules, each under its name, and under one that holds a digest of its content.

What stands under a digest never changes, so it may be kept for ever and be held to an integrity hash.
What stands under the plain name follows the server's version.
"""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from segue.api.answer import Answer, Header, json_answer
from segue.api.caching import tag_of, unless_known
from segue.api.doors import Doors
from segue.api.request import Request
from segue.domain.errors import refusal

NO_MODULE = "E772"
INSTALLED = "sdk"
"""Where the modules are in the installed package; in a checkout they are in sdk/served."""

_IN_CHECKOUT = ("sdk", "served")
_DIGEST_LETTERS = 16
_FOR_EVER: Header = (b"cache-control", b"public, max-age=31536000, immutable")
_FOR_MINUTES: Header = (b"cache-control", b"public, max-age=300")
_VARIES: Header = (b"vary", b"Accept-Encoding")
_TYPES = {".js": b"text/javascript; charset=utf-8", ".ts": b"text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Module:
    """One file as it is served; ``fixed`` is its name with a digest, ``integrity`` for script tags."""

    name: str
    fixed: str
    integrity: str
    type: bytes
    plain: bytes
    packed: bytes


def module(doors: Doors, request: Request) -> Answer:  # noqa: ARG001 -- all handlers take the same
    """One module; E772 when there is none of this name, or no longer one of this content."""
    asked = request.params["name"]
    found = served().get(asked)
    if found is None:
        hint = "GET /sdk tells the names of this version; /sdk/segue.js is always there"
        raise refusal(NO_MODULE, f"there is no module {asked[:64]!r}", hint)
    keeping = (_FOR_EVER if asked == found.fixed else _FOR_MINUTES, _VARIES)
    packed = _takes_gzip(request.header(b"accept-encoding") or b"")
    body = found.packed if packed else found.plain
    tag = tag_of(body)
    headers = (*keeping, (b"etag", tag))
    if packed:
        whole = Answer(200, body, found.type, (*headers, (b"content-encoding", b"gzip")))
    else:
        whole = Answer(200, body, found.type, headers)
    return unless_known(request, tag, whole)


def listing(doors: Doors, request: Request) -> Answer:  # noqa: ARG001
    """The modules by name: where each is for ever, its integrity hash, and its size."""
    modules = {
        each.name: {
            "path": f"/sdk/{each.fixed}",
            "integrity": each.integrity,
            "bytes": len(each.plain),
            "compressed": len(each.packed),
        }
        for each in served().values()
        if each.name.endswith(".js")
    }
    return json_answer({"modules": modules}, headers=(_FOR_MINUTES,))


@cache
def served() -> Mapping[str, Module]:
    """All modules, by both of their names; they are read once."""
    found: dict[str, Module] = {}
    for path in sorted(_folder().iterdir()):
        if path.suffix in _TYPES:
            each = _read(path)
            found[each.name] = found[each.fixed] = each
    return found


def _folder() -> Path:
    package = Path(__file__).parents[1]
    checkout = package.parents[1].joinpath(*_IN_CHECKOUT)
    return checkout if checkout.is_dir() else package / INSTALLED


def _read(path: Path) -> Module:
    plain = path.read_bytes()
    digest = hashlib.sha384(plain).digest()
    stem, _, kind = path.name.partition(".")
    return Module(
        path.name,
        f"{stem}.{digest.hex()[:_DIGEST_LETTERS]}.{kind}",
        f"sha384-{b64encode(digest).decode()}",
        _TYPES[path.suffix],
        plain,
        gzip.compress(plain, mtime=0),
    )


def _takes_gzip(header: bytes) -> bool:
    """Whether gzip is named and not ruled out (q=0)."""
    for each in header.lower().split(b","):
        coding, _, weight = each.replace(b" ", b"").partition(b";")
        if coding in {b"gzip", b"*"}:
            return weight.rstrip(b"0").rstrip(b".") not in {b"q=", b"q"}
    return False
