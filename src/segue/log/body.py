"""One event's JSON object as it was sent, decoded just far enough; and its normalized parts.

Fields that real clients fill with odd types are taken as they come. The three open objects stay
undecoded text, so that an event costs about half a microsecond however large its properties are.
"""

# ruff: noqa: N815 -- the fields are spelled as clients send them

from __future__ import annotations

from typing import Any

import msgspec

_ABSENT = msgspec.Raw(b"")
_EMPTY = b"{}"
_PAGES = ("page", "screen")


class Body(msgspec.Struct, gc=False):
    """The fields of one event as sent; whatever was left out is None, an absent object is ``b""``."""

    type: Any = None
    event: Any = None
    name: Any = None
    userId: Any = None
    anonymousId: Any = None
    previousId: Any = None
    groupId: Any = None
    messageId: Any = None
    timestamp: Any = None
    originalTimestamp: Any = None
    sentAt: Any = None
    receivedAt: Any = None
    category: Any = None
    properties: msgspec.Raw = _ABSENT
    context: msgspec.Raw = _ABSENT
    traits: msgspec.Raw = _ABSENT


class _Labels(msgspec.Struct, gc=False):
    name: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    category: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _ContextTraits(msgspec.Struct, gc=False):
    traits: msgspec.Raw = _ABSENT


decode_body = msgspec.json.Decoder(Body).decode
"""``bytes | str`` of one JSON object to its :class:`Body`; raises :class:`msgspec.DecodeError`."""
_decode_labels = msgspec.json.Decoder(_Labels).decode
_decode_context = msgspec.json.Decoder(_ContextTraits).decode


def properties_json(body: Body, kind: str) -> bytes:
    """The properties as the text of a JSON object; ``kind`` is the event's type.

    The top-level ``name`` and ``category`` of page and screen fill in where the properties lack them.
    """
    text = _object(body.properties)
    if kind in _PAGES and (body.name is not None or body.category is not None):
        return _labelled(text, body)
    return text


def context_json(body: Body) -> bytes:
    """The context as the text of a JSON object."""
    return _object(body.context)


def traits_json(body: Body, kind: str) -> bytes:
    """The traits as the text of a JSON object: of identify and group; ``{}`` for every other type.

    An identify without ``traits`` has those of its context.
    """
    if kind not in ("identify", "group"):
        return _EMPTY
    traits = bytes(body.traits)
    if kind == "identify" and traits in (b"", b"null"):
        return _object(_decode_context(_object(body.context)).traits)
    return _object(body.traits)


def _object(raw: msgspec.Raw) -> bytes:
    text = bytes(raw).strip()
    return text if text[:1] == b"{" else _EMPTY


def _labelled(text: bytes, body: Body) -> bytes:
    present = _decode_labels(text)
    added = [
        b'"%s":%s' % (key.encode(), msgspec.json.encode(value))
        for key, value, own in (
            ("name", body.name, present.name),
            ("category", body.category, present.category),
        )
        if value is not None and own is msgspec.UNSET
    ]
    if not added:
        return text
    rest = text[1:].lstrip()
    return b"{" + b",".join(added) + (rest if rest == b"}" else b"," + rest)
