"""Signatures of webhooks, as https://www.standardwebhooks.com describes them.

The receiver's side stands here too: :func:`verify` is all that a receiver in Python needs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
TOLERANCE_SECONDS = 300
_VERSION = "v1"
_CODED_PREFIX = "whsec_"
_SIGNATURES_MAX = 20


class SignatureError(ValueError):
    """A message that is not to be believed; the text says why, and holds nothing of the secret."""


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: base64 after ``whsec_``, else the text itself; SignatureError."""
    if not secret.startswith(_CODED_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_CODED_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError(f"a secret that begins with {_CODED_PREFIX} goes on in base64") from None


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The signature header: one signature for each secret; ``timestamp`` is in seconds since 1970."""
    return " ".join(f"{_VERSION},{_signature(key_of(each), message_id, timestamp, body)}" for each in secrets)


def headers_of(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a signed message."""
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: sign(secrets, message_id, timestamp, body),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: float | None = None,
    tolerance_seconds: int = TOLERANCE_SECONDS,
) -> str:
    """The id of a message that one of the secrets signed within the tolerance; SignatureError for any other.

    ``headers`` may be in any case, ``body`` is what came, byte for byte, ``now`` in seconds since 1970.
    Accept an id once: a message may come again.

    >>> headers = headers_of(["new", "old"], "m1", 1_700_000_000, b"{}")
    >>> verify(headers, b"{}", ["old"], now=1_700_000_100)
    'm1'
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, told = given.get(ID_HEADER, ""), given.get(TIMESTAMP_HEADER, "")
    if not message_id or not (told.isascii() and told.isdigit() and len(told) <= 12):
        raise SignatureError(f"{ID_HEADER} or {TIMESTAMP_HEADER} is missing or malformed")
    age = (time.time() if now is None else now) - int(told)
    if abs(age) > tolerance_seconds:
        raise SignatureError("it was signed too long ago, or in the future")
    expected = [_signature(key_of(each), message_id, int(told), body).encode() for each in secrets]
    # Every pair is compared, so that the time taken does not tell which one fitted.
    fits = [hmac.compare_digest(one, other) for one in _signatures(given) for other in expected]
    if not any(fits):
        raise SignatureError("no signature fits")
    return message_id


def _signatures(given: Mapping[str, str]) -> list[bytes]:
    words = given.get(SIGNATURE_HEADER, "").split(" ")[:_SIGNATURES_MAX]
    pairs = (word.partition(",") for word in words)
    return [signature.encode() for version, _, signature in pairs if version == _VERSION]


def _signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    content = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
