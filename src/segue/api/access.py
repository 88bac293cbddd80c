"""Who asks, and whether it is open to them: decided before a body is read, where a header tells."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
from functools import lru_cache
from urllib.parse import parse_qsl

from segue.access import faults
from segue.access.keys import Kind
from segue.access.principal import LOCAL, Principal, Source
from segue.access.tokens import looks_signed
from segue.api.doors import Doors
from segue.api.problems import NOT_ALLOWED
from segue.api.request import Request
from segue.api.route import Access, Route
from segue.domain.errors import refusal
from segue.domain.limits import QUERY_FIELDS_MAX

DEFAULT_SOURCE = "default"
"""Of events that come without a key, while there are none."""
NEEDS_KEY = "make a key for the sender: segue keys create --name NAME --kind write"
_FORWARDED = (b"x-forwarded-for", b"forwarded", b"x-real-ip")


def admit(doors: Doors, request: Request, route: Route) -> None:
    """Sets ``request.principal``, or ``request.source`` if a header names a write key; refuses who may not.

    E746 while there are no keys, else E760 to E765.
    """
    if route.access is Access.OPEN:
        return
    if route.access is Access.TOKEN:
        require_local(request, "commands are taken from this machine alone")
        return
    doors.quotas.ask_address(request, doors.service.workspace.settings)
    if route.access is Access.WRITE:
        if doors.access.unlocked:
            _require_near(request, "there are no keys yet, so only this machine may send", NEEDS_KEY)
        request.source = _sender_in_header(doors, request)
        return
    request.principal = principal = _reader(doors, request)
    if not _may(doors, request, route, principal):
        raise faults.not_for_you()
    _hide_segments(doors, request, principal)


# ---- who sends -------------------------------------------------------------------------------


def sender(doors: Doors, request: Request, in_body: str | None) -> Source:
    """Which source sends, once the body is known; E760 when nothing tells, E761 to E765 when it may not.

    While there are no keys any key is taken: one may be of another vendor, so it is not kept as it stands.
    """
    if request.source is not None:
        return request.source
    bearer = _bearer(request.header(b"authorization"))
    if doors.access.unlocked:
        basic = _basic_user(request.header(b"authorization"))
        key = basic or in_body or bearer or _key_in_query(request)
        return Source(_name_of_unknown(key) if key else DEFAULT_SOURCE)
    word = in_body or bearer or _key_in_query(request)
    if word is None:
        raise faults.no_write_key()
    return _writer(doors, request, word)


def announced(doors: Doors, word: str | None) -> tuple[str, bool] | None:
    """The source of a write key that a page's client names, and whether it is on; None for an unknown key."""
    if doors.access.unlocked:
        return (_name_of_unknown(word) if word else DEFAULT_SOURCE), True
    key = None if word is None else doors.access.key(word)
    if key is None or key.grant.kind is not Kind.WRITE or not key.lives(doors.access.now):
        return None
    return key.grant.name, key.enabled


def named_key(request: Request) -> str | None:
    """The write key that a request without a body names, in its header or its query."""
    header = request.header(b"authorization")
    return _basic_user(header) or _bearer(header) or _key_in_query(request)


def _sender_in_header(doors: Doors, request: Request) -> Source | None:
    """The source if a header decides it: Basic always, a Bearer token if it is a write key of ours."""
    header = request.header(b"authorization")
    if header is None or doors.access.unlocked:
        return None
    word = _basic_user(header)
    if word is None:
        word = _bearer(header)
        if word is None or doors.access.key(word) is None:
            return None
    return _writer(doors, request, word)


def _writer(doors: Doors, request: Request, word: str) -> Source:
    source = doors.access.writer(word, request.header(b"origin"))
    if source.key_id is not None:
        doors.quotas.ask_key(request, doors.access.given(source.key_id))
    return source


@lru_cache(maxsize=1024)
def _name_of_unknown(key: str) -> str:
    return "key-" + hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:12]


@lru_cache(maxsize=1024)
def _basic_user(header: bytes | None) -> str | None:
    """The user name of Basic, with or without its colon."""
    scheme, _, rest = (header or b"").partition(b" ")
    if scheme.lower() != b"basic":
        return None
    word = rest.strip()
    try:
        pair = base64.b64decode(word + b"=" * (-len(word) % 4))
    except binascii.Error:
        return None
    return pair.partition(b":")[0].decode("latin-1") or None


def _bearer(header: bytes | None) -> str | None:
    scheme, _, word = (header or b"").partition(b" ")
    return word.strip().decode("latin-1") or None if scheme.lower() == b"bearer" else None


def _key_in_query(request: Request) -> str | None:
    text: bytes = request.scope["query_string"]
    if b"writeKey" not in text:
        return None
    try:
        pairs = parse_qsl(text.decode("latin-1"), max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        return None
    return next((value for name, value in pairs if name == "writeKey"), None)


# ---- who reads -------------------------------------------------------------------------------


def _reader(doors: Doors, request: Request) -> Principal:
    """Who reads or edits. While there are no keys it is this machine, unless a token is sent."""
    header = request.header(b"authorization")
    word = _bearer(header) or _basic_user(header)
    access = doors.access
    if access.unlocked and (word is None or not looks_signed(word)):
        require_local(request)
        return LOCAL
    if word is None:
        raise faults.no_read_key()
    principal = access.reader(word)
    if principal.credential is not None and principal.reads_all:
        doors.quotas.ask_key(request, access.given(principal.credential))
    return principal


def _may(doors: Doors, request: Request, route: Route, principal: Principal) -> bool:
    if principal.scope.limited and not route.scoped:
        return False
    if principal.reads_all:
        return principal.edits or route.access is not Access.ADMIN
    if route.access is Access.USER:
        asked = request.params.get("id") or request.query.get("user_id")
        return asked is None or opens(doors, principal, asked)
    return route.access is Access.READER


def opens(doors: Doors, principal: Principal, user_id: str) -> bool:
    """Whether someone's data is open to an asker: everyone's to a key, to a token that of its own profile.

    The id is compared before anything is looked up, so the answer about others tells nothing. A profile
    that was absorbed is not the token's any more: whoever sends events could otherwise join it to another.
    """
    if principal.reads_all:
        return True
    if user_id != principal.user_id:
        return False
    row = doors.service.row_of(user_id)
    return row is None or doors.service.core.intake.identity.user_id(row) == user_id


def _hide_segments(doors: Doors, request: Request, principal: Principal) -> None:
    """E701 for a segment out of scope, in the words for one that does not exist."""
    scope = principal.scope
    if scope.segments is None:
        return
    name = request.params.get("name") or request.params.get("segment") or request.query.get("segment")
    if name is not None and not (scope.sees(name) and name in doors.service.workspace.segments):
        raise refusal("E701", f"there is no segment {name!r}", "`segue segments` lists those there are")


# ---- this machine ----------------------------------------------------------------------------


@lru_cache(maxsize=4096)
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


def require_local(
    request: Request, finding: str = "there are no keys yet, so only this machine may ask"
) -> None:
    """E746 unless the request comes from this machine and was meant for it.

    A forwarded request is its sender's, not the proxy's. A foreign Host means that a page of
    another site made the browser resolve its own name to this machine.
    """
    _require_near(request, finding, "ask from the machine itself")
    host = (request.header(b"host") or b"localhost").decode("latin-1")
    if not is_loopback(_without_port(host)):
        raise refusal(
            NOT_ALLOWED, "this machine was asked under a foreign name", "ask localhost or 127.0.0.1"
        )


def _require_near(request: Request, finding: str, hint: str) -> None:
    """E746 unless the request comes from this machine, under whatever name."""
    client = request.scope.get("client")
    near = client is not None and is_loopback(client[0])
    if not near or any(request.header(name) is not None for name in _FORWARDED):
        raise refusal(NOT_ALLOWED, finding, hint)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0]
    return host.partition(":")[0]
