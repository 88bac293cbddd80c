"""Events as they are sent, made where they happen: their time and their id do not change by waiting."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from segue import __version__
from segue.domain.limits import EVENT_BYTES_MAX

_LIBRARY = {"name": "segue-python", "version": __version__}


def event(kind: str, user_id: str | None, envelope: Mapping[str, Any], fields: Mapping[str, Any]) -> bytes:
    """One event as JSON.

    ValueError without a user and without an anonymous id, for a time without a zone, or when it is larger
    than the server takes; TypeError for a value that JSON has no word for, with its place.
    """
    anonymous_id = envelope.get("anonymous_id")
    if not user_id and not anonymous_id:
        raise ValueError("an event needs a user_id or an anonymous_id")
    said = {
        "type": kind,
        "messageId": envelope.get("message_id") or uuid.uuid4().hex,
        "timestamp": envelope.get("timestamp") or datetime.now(UTC),
        "userId": user_id,
        "anonymousId": anonymous_id,
        **fields,
        "context": {"library": _LIBRARY, **(envelope.get("context") or {})},
    }
    present = {key: value for key, value in said.items() if value is not None}
    body = encoded(_plain(present, kind))
    if len(body) > EVENT_BYTES_MAX:
        raise ValueError(f"this {kind} event has {len(body):,} bytes, the server takes {EVENT_BYTES_MAX:,}")
    return body


def encoded(value: Any) -> bytes:
    """JSON as UTF-8; halves of characters, which UTF-8 has no bytes for, are escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _instant(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"the time {moment.isoformat()} has no zone: give it one, e.g. datetime.now(UTC)")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any, place: str) -> Any:
    """The value in JSON's own kinds: moments as text, exact numbers as the text that holds them."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key, place): _plain(each, f"{place}.{key}") for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, f"{place}[{number}]") for number, each in enumerate(value)]
    raise TypeError(f"{place} is of the type {type(value).__name__}, which is no JSON: convert it first")


def _key(key: Any, place: str) -> str:
    if isinstance(key, str):
        return key
    raise TypeError(f"a key of {place} is the {type(key).__name__} {key!r}: keys are text")
