"""The parts of an event that everything reads, made plain from what clients send."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from segue.log.body import context_json, decode_body, properties_json, traits_json

PROPERTIES = [
    ("track", {"properties": {"a": 1}}, {"a": 1}),
    ("track", {}, {}),
    ("track", {"properties": None}, {}),
    ("track", {"properties": [1]}, {}),
    ("track", {"properties": "x"}, {}),
    ("track", {"name": "N", "category": "C", "properties": {"a": 1}}, {"a": 1}),
    ("page", {"name": "N", "category": "C"}, {"name": "N", "category": "C"}),
    ("page", {"name": "N", "properties": {}}, {"name": "N"}),
    ("screen", {"name": "N", "properties": {"a": {"name": "inner"}}}, {"name": "N", "a": {"name": "inner"}}),
    ("page", {"name": "N", "properties": {"name": "own"}}, {"name": "own"}),
    ("page", {"name": "N", "category": "C", "properties": {"name": None}}, {"name": None, "category": "C"}),
    ("page", {"name": None, "properties": {"a": 1}}, {"a": 1}),
    ("page", {"name": 7, "properties": 7}, {"name": 7}),
    ("page", {"name": 'q"\u00e9\n'}, {"name": 'q"\u00e9\n'}),
]


@pytest.mark.parametrize(("kind", "event", "expected"), PROPERTIES)
@pytest.mark.parametrize("spacing", [(",", ":"), (" , ", "  : ")])
def test_properties_are_one_object(
    kind: str, event: dict[str, Any], expected: dict[str, Any], spacing: tuple[str, str]
) -> None:
    body = decode_body(json.dumps(event, separators=spacing))
    assert json.loads(properties_json(body, kind)) == expected


TRAITS = [
    ("identify", {"traits": {"a": 1}, "context": {"traits": {"b": 2}}}, {"a": 1}),
    ("identify", {"context": {"traits": {"b": 2}}}, {"b": 2}),
    ("identify", {"traits": None, "context": {"traits": {"b": 2}}}, {"b": 2}),
    ("identify", {"traits": {}, "context": {"traits": {"b": 2}}}, {}),
    ("identify", {"traits": "odd", "context": {"traits": {"b": 2}}}, {}),
    ("identify", {"context": {"traits": 5}}, {}),
    ("identify", {"context": "odd"}, {}),
    ("group", {"traits": {"a": 1}}, {"a": 1}),
    ("group", {"context": {"traits": {"b": 2}}}, {}),
    ("track", {"traits": {"a": 1}}, {}),
]


@pytest.mark.parametrize(("kind", "event", "expected"), TRAITS)
def test_traits_are_of_identify_and_group(kind: str, event: dict[str, Any], expected: dict[str, Any]) -> None:
    assert json.loads(traits_json(decode_body(json.dumps(event)), kind)) == expected


def test_context_is_one_object() -> None:
    assert context_json(decode_body(b'{"context": {"ip": "1"}}')) == b'{"ip": "1"}'
    assert context_json(decode_body(b'{"context": []}')) == b"{}"
    assert context_json(decode_body(b"{}")) == b"{}"


def test_odd_types_are_decoded_as_they_come() -> None:
    body = decode_body(b'{"userId": 7, "anonymousId": null, "timestamp": 1.5, "event": ["x"], "sentAt": {}}')
    assert (body.userId, body.anonymousId, body.timestamp, body.event, body.sentAt) == (
        7,
        None,
        1.5,
        ["x"],
        {},
    )


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_body(b"[1]")
