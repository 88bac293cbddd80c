"""Batches in which one event is odd in a way of its own, and bodies with a few bytes changed."""

from __future__ import annotations

import json
import random

HEALTHY = 2
"""Events beside the odd one in each batch."""

VALUES: tuple[bytes, ...] = (
    b"null", b"true", b"0", b"-0.0", b"1e999", b"-1e999", b"1e-999", b"NaN", b"Infinity", b"-Infinity",
    b"9007199254740993", b"18446744073709551616", b"1" * 400, b"1" * 5_000, b"0.1" + b"0" * 400, b"01", b"1.",
    b'""', b'" "', b'"x"', b'"\\ud83d"', b'"\\udc00x"', b'"\\u0000"', b'"\xe2\x80\xaex"', b'"\xff\xfe"',
    b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"' + b"x" * 40_000 + b'"', b'"a\nb"', b'"\t"', b'"\\x41"', b"'x'",
    b"[]", b"{}", b'{"":1}', b'{"__proto__":{"admin":true}}', b'{"a":1,"a":2}', b'{"a":}', b"[1,]", b"[1 2]",
    b'{"' + b"k" * 5_000 + b'":1}', b'{"a.b":{"$c":1},"total billed":2}', b"undefined", b"/*x*/1",
    b"{%s}" % b",".join(b'"p%d":%d' % (number, number) for number in range(10_000)),
    b"[" * 100 + b"]" * 100, b"[" * 1_000 + b"]" * 1_000, b'{"batch":[{"type":"track"}]}',
    b'"2026-02-30T00:00:00Z"', b'"1969-12-31T23:59:59Z"', b'"9999-12-31T23:59:59Z"', b"-1", b"99999999999999",
    b'"forgotten:x"', b'"anon:x"', b'"' + "é".encode() * 600 + b'"', b'"track"', b'"alias"', b'"group"',
)  # fmt: skip

FIELDS = (
    "type", "userId", "anonymousId", "previousId", "groupId", "event", "name", "messageId", "timestamp",
    "originalTimestamp", "sentAt", "receivedAt", "properties", "traits", "context", "integrations",
    "writeKey", "version", "_metadata", "", "\\ud800",
)  # fmt: skip


def healthy(number: int) -> bytes:
    """One good event."""
    return b'{"type":"track","userId":"healthy","event":"Sent","properties":{"n":%d}}' % number


def odd_batch(chance: random.Random, number: int) -> bytes:
    """Two good events around one in which one to three fields are odd."""
    fields = {"type": b'"track"', "userId": b'"odd"', "event": b'"Odd"', "properties": b'{"n":1}'}
    for field in chance.sample(FIELDS, chance.randint(1, 3)):
        fields[field] = chance.choice(VALUES)
    odd = b"{%s}" % b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields.items())
    if chance.random() < 0.1:
        odd = chance.choice(VALUES)
    first, last = healthy(number * HEALTHY), healthy(number * HEALTHY + 1)
    return b'{"batch":[%s,%s,%s],"sentAt":null}' % (first, odd, last)


_BYTES = b'"{}[]:,\\nulltrue0123456789eE+-.\x00\xff\xef\xbb\xbf \n'


def damaged(chance: random.Random, number: int) -> bytes:
    """A good batch in which some bytes are changed, lost, or too many."""
    event = {"type": "track", "userId": f"flipped{number}", "event": "Sent", "properties": {"é": [1.5, None]}}
    body = bytearray(json.dumps({"batch": [event] * 3, "context": {"ip": "::1"}}).encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(1, len(body) - 1))
        match chance.randrange(4):
            case 0:
                body[at : at + 1] = bytes([chance.choice(_BYTES)])
            case 1:
                body[at:at] = bytes(chance.choices(_BYTES, k=chance.randint(1, 5)))
            case 2:
                del body[at : at + chance.randint(1, 9)]
            case _:
                del body[max(1, at) :]
    return bytes(body)
