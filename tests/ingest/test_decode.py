"""Bodies as real clients write them: every healthy event arrives, every bad one has its reason."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.errors import SegueError
from segue.domain.limits import BATCH_EVENTS_MAX, BODY_BYTES_MAX, EVENT_BYTES_MAX, JSON_DEPTH_MAX
from segue.ingest.decode import Decoded, decode_batch, decode_events, decode_single
from segue.ingest.scan import split_batch

GOOD = b'{"type":"track","userId":"u","event":"Login","messageId":"good"}'


def batch(*events: bytes, rest: bytes = b"") -> bytes:
    return b'{"batch":[' + b",".join(events) + b"]" + rest + b"}"


def event(properties: bytes) -> bytes:
    return b'{"type":"track","userId":"u","event":"E","properties":' + properties + b"}"


def properties(decoded: Decoded, at: int = 0) -> Any:
    return msgspec.json.decode(bytes(decoded.items[at][1].properties))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b'{"a":NaN}', {"a": None}),
        (b'{"a":-Infinity,"b":1}', {"a": None, "b": 1}),
        (b'{"a":1e999}', {"a": None}),
        (b'{"a":' + b"9" * 400 + b"}", {"a": None}),
        (b'{"a":' + b"9" * 5_000 + b"}", {"a": None}),
        (b'{"a":123456789012345678901234}', {"a": 1.2345678901234568e23}),
        (b'{"a":18446744073709551615}', {"a": 18446744073709551615}),
        (b'{"a":18446744073709551616}', {"a": 18446744073709551616.0}),
        (b'{"a":-9223372036854775808}', {"a": -9223372036854775808}),
        (b'{"a":"cut \\ud83d"}', {"a": "cut \ufffd"}),
        (b'{"a":"whole \\ud83d\\ude00"}', {"a": "whole \U0001f600"}),
        (b'{"a":"\xff!"}', {"a": "\ufffd!"}),
        (b'{"a":"tab\there"}', {"a": "tab\there"}),
        (b'{"a":"\\u0000"}', {"a": "\x00"}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'{"":1,"__proto__":2,"a b":3,"$x.y":4}', {"": 1, "__proto__": 2, "a b": 3, "$x.y": 4}),
        (b'{"a":-0.0}', {"a": -0.0}),
        (b'{"a":9007199254740993}', {"a": 9007199254740993}),
    ],
)  # fmt: skip
def test_what_strict_parsers_refuse(sent: bytes, kept: dict[str, Any]) -> None:
    decoded = decode_batch(batch(GOOD, event(sent), GOOD))
    assert len(decoded.items) == 3
    assert properties(decoded, 1) == kept
    assert not decoded.rejected
    raw = decoded.items[1][0]
    assert json.loads(raw)["properties"] == kept


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"5", "E511"),
        (b"null", "E511"),
        (b'"text"', "E511"),
        (b"[1,2]", "E511"),
        (b"{broken}", "E510"),
        (b'{"a":tru}', "E510"),
        (event(b"[" * 300 + b"]" * 300), "E513"),
        (event(b"[" * 200_000 + b"]" * 200_000), "E512"),
        (event(b'{"a":"' + b"x" * EVENT_BYTES_MAX + b'"}'), "E512"),
    ],
)
def test_one_bad_event_drops_out_alone(sent: bytes, code: str) -> None:
    decoded = decode_batch(batch(GOOD, sent, GOOD))
    assert [body.messageId for _, body in decoded.items] == ["good", "good"]
    assert decoded.places == [0, 2]
    [verdict] = decoded.rejected
    assert (verdict.code, verdict.raw, verdict.place) == (code, sent, 1)
    assert verdict.hint


@pytest.mark.parametrize(
    ("properties", "code"),
    [(b"[" * 300 + b"]" * 300, "E513"), (b'"' + b"x" * EVENT_BYTES_MAX + b'"', "E512")],
)
def test_one_event_alone_is_set_aside_as_in_a_batch(properties: bytes, code: str) -> None:
    """Its sender may be known by the key within it alone."""
    sent = event(properties)[:-1] + b',"writeKey":"key"}'
    decoded = decode_single(sent, "track")
    assert [(each.code, each.raw) for each in decoded.rejected] == [(code, sent)]
    assert (len(decoded), decoded.write_key) == (0, "key")


def test_the_depth_allowed_is_taken() -> None:
    nested = b"[" * (JSON_DEPTH_MAX - 2) + b"]" * (JSON_DEPTH_MAX - 2)
    assert len(decode_batch(batch(event(b'{"a":' + nested + b"}"))).items) == 1


def test_the_size_allowed_is_taken() -> None:
    frame = len(event(b'{"a":""}'))
    assert decode_batch(batch(event(b'{"a":"' + b"x" * (EVENT_BYTES_MAX - frame) + b'"}'))).items
    assert not decode_batch(batch(event(b'{"a":"' + b"x" * (EVENT_BYTES_MAX - frame + 1) + b'"}'))).items


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "E501"),
        (b"not json", "E501"),
        (b'{"batch":[', "E501"),
        (b"[" * 1_000_000, "E501"),
        (b'{"batch":' * 1_000, "E501"),
        (b"{}", "E502"),
        (b"[]", "E502"),
        (b'{"batch":{}}', "E502"),
        (b'{"batch":null}', "E502"),
        (b'{"events":[]}', "E502"),
        (batch(*[b"{}"] * (BATCH_EVENTS_MAX + 1)), "E504"),
        (batch(b"NaN", *[b"{}"] * BATCH_EVENTS_MAX), "E504"),
        (b" " * (BODY_BYTES_MAX + 1), "E503"),
    ],
)
def test_only_a_body_without_events_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(SegueError) as refused:
        decode_batch(body)
    assert refused.value.diagnostics[0].code == code


def test_an_empty_batch_is_fine() -> None:
    assert decode_batch(b'{"batch":[]}').items == []
    assert decode_batch(b'\xef\xbb\xbf{"sentAt":NaN, "batch" : [ ] }').items == []


def test_a_full_batch_is_taken() -> None:
    assert len(decode_batch(batch(*[GOOD] * BATCH_EVENTS_MAX)).items) == BATCH_EVENTS_MAX


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_other_encodings(codec: str) -> None:
    text = '{"type":"track","userId":"é","event":"E"}'
    single = decode_single(text.encode(codec), "track")
    assert single.items[0][1].userId == "é"
    assert single.mended == 1
    if codec != "utf-16-le":
        assert decode_batch(f'{{"batch":[{text}]}}'.encode(codec)).items[0][1].userId == "é"


def test_the_batch_lends_its_context() -> None:
    shared = b',"sentAt":"2026-01-01T00:00:00Z","context":{"a":1,"b":2},"integrations":{"All":false}'
    own = b'{"type":"track","event":"E","context":{"b":3},"sentAt":5}'
    decoded = decode_batch(batch(own, GOOD, rest=shared))
    first, second = (body for _, body in decoded.items)
    assert msgspec.json.decode(bytes(first.context)) == {"a": 1, "b": 3}
    assert msgspec.json.decode(bytes(second.context)) == {"a": 1, "b": 2}
    assert (first.sentAt, second.sentAt) == (5, "2026-01-01T00:00:00Z")
    assert json.loads(decoded.items[1][0])["integrations"] == {"All": False}


def test_credentials_are_never_kept() -> None:
    secret = b'{"type":"track","event":"E","writeKey":"secret","properties":{"a":NaN}}'
    decoded = decode_batch(batch(GOOD, secret, rest=b',"writeKey":"key"'))
    assert decoded.write_key == "key"
    assert not any(b"secret" in raw for raw, _ in decoded.items)
    single = decode_single(GOOD[:-1] + b',"writeKey":"key"}', "track")
    assert single.write_key == "key"
    assert b"key" not in single.items[0][0]


def test_the_path_decides_the_type() -> None:
    for body in (b'{"userId":"u","event":"E"}', b'{"type":"identify","userId":"u","event":"E"}'):
        assert decode_single(body, "track").items[0][1].type == "track"


@pytest.mark.parametrize("body", [b"", b"5", b"[" * 100_000, b'{"a":'])
def test_a_single_call_that_is_none(body: bytes) -> None:
    if len(body) > EVENT_BYTES_MAX:
        assert decode_single(body, "track").rejected[0].code == "E512"
        return
    with pytest.raises(SegueError):
        decode_single(body, "track")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.text(max_size=9), JSON, max_size=4), max_size=4), st.booleans())
def test_any_event_that_json_can_spell_arrives(events: list[dict[str, Any]], ascii_only: bool) -> None:
    text = json.dumps({"batch": events, "sentAt": None}, ensure_ascii=ascii_only)
    decoded = decode_batch(text.encode("utf-8", "surrogatepass"))
    assert len(decoded.items) == len(events)
    for raw, _ in decoded.items:
        msgspec.json.decode(raw)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_end_in_an_answer(body: bytes) -> None:
    for text in (body, b'{"batch":[' + body + b"]}"):
        code = None
        try:
            decode_batch(text)
        except SegueError as refused:
            code = refused.diagnostics[0].code
        assert code in (None, "E501", "E502")
    assert len(decode_events([body, GOOD]).items) >= 1


@given(st.lists(JSON, max_size=5), st.sampled_from([None, 0, 2]))
def test_cutting_a_batch_apart(events: list[Any], indent: int | None) -> None:
    body = json.dumps({"a": {"batch": [1]}, "b": "batch", "batch": events, "c": ["]"]}, indent=indent)
    found = split_batch(body.encode(), 100)
    assert found is not None
    elements, count, rest = found
    assert count == len(events)
    assert json.dumps([json.loads(element) for element in elements]) == json.dumps(events)
    assert json.loads(rest) == {"a": {"batch": [1]}, "b": "batch", "batch": [], "c": ["]"]}
