"""SDKs that are not driven here: requests in the form in which each sends them, as read in its source."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.api.serving import Running, eventually

KEY = "wk_dialects"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
JSON = {"Content-Type": "application/json"}
PLAIN = {"Content-Type": "text/plain"}
GZIP = {"Content-Encoding": "gzip"}


@dataclass(frozen=True)
class Dialect:
    """How an SDK writes a batch."""

    path: str
    headers: dict[str, str]
    envelope: dict[str, Any] = field(default_factory=dict)
    event: dict[str, Any] = field(default_factory=dict)
    in_chunks: bool = False


DIALECTS = {
    "ruby": Dialect("/v1/import", {**BASIC, **JSON}, {"sentAt": "2026-11-22T10:00:00.000Z"}),
    "java": Dialect(
        "/v1/import/", {**BASIC, "Content-Type": "application/json; charset=UTF-8"}, {"sequence": 1}
    ),
    "php": Dialect(
        "/v1/batch",
        {**BASIC, **JSON, **GZIP},
        {"batchId": "b"},
        {"timestamp": "2026-11-22T09:59:59.000+00:00"},
    ),
    "go": Dialect(
        "/v1/batch", {**BASIC, **JSON}, {"messageId": "of-the-batch", "context": {"library": {"name": "go"}}}
    ),
    "kotlin": Dialect(
        "/v1/b", {**PLAIN, **GZIP}, {"writeKey": KEY}, {"_metadata": {"bundled": []}}, in_chunks=True
    ),
    "swift": Dialect("/v1/b", {"Content-Type": "application/json; charset=utf-8"}, {"writeKey": KEY}),
    "csharp": Dialect("/v1/b", {**PLAIN, **GZIP}, {"writeKey": KEY}, {"anonymousId": None}),
    "react-native": Dialect("/v1/b", PLAIN, {"writeKey": KEY}, {"integrations": {"Segment.io": True}}),
    "android": Dialect("/v1/import", {**BASIC, **JSON, **GZIP}, {}, {"channel": "mobile"}, in_chunks=True),
    "ios": Dialect("/v1/batch", {**BASIC, **JSON}, {}, {"context": {"device": {"type": "ios"}}}),
    "customer.io": Dialect("/v1/batch", {"Authorization": f"Bearer {KEY}", **JSON}),
    "form": Dialect("/v1/batch/", {**BASIC, "Content-Type": "application/x-www-form-urlencoded", **GZIP}),
    "no type at all": Dialect("/v1/batch", {"Content-Type": ""}, {"writeKey": KEY}),
}


def pieces(body: bytes) -> Iterator[bytes]:
    """As a client sends that does not know how long it will be."""
    for start in range(0, len(body), 50):
        yield body[start : start + 50]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_batch_in_the_dialect_of(server: Running, name: str) -> None:
    """Sent twice, as after a lost answer, it counts once; the answer is the one that all of them take."""
    dialect = DIALECTS[name]
    user = f"speaks_{name.replace(' ', '_')}"
    events = [
        {
            "type": "identify",
            "userId": user,
            "traits": {"plan": "pro"},
            "messageId": f"{user}-1",
            **dialect.event,
        },
        {
            "type": "track",
            "userId": user,
            "event": "Order Completed",
            "messageId": f"{user}-2",
            **dialect.event,
        },
    ]
    body = json.dumps({"batch": events, **dialect.envelope}).encode()
    if dialect.headers.get("Content-Encoding"):
        body = gzip.compress(body)
    for _ in range(2):
        content = pieces(body) if dialect.in_chunks else body
        answer = server.http.post(dialect.path, content=content, headers=dialect.headers)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert answer.headers["content-type"] == "application/json"
    assert eventually(lambda: server.segments_of(user)) == ["buyers"]
    found = server.http.get(f"/v1/users/{user}/events").json()["events"]
    assert sorted(each["type"] for each in found) == ["identify", "track"]


def test_all_of_them_were_one_source(server: Running) -> None:
    """A key is the same key in a header, as Basic or Bearer, and in a body."""
    event = {"type": "track", "userId": "one_source", "event": "Sent", "messageId": "one_source"}
    for headers, envelope in ((BASIC, {}), ({"Authorization": f"Bearer {KEY}"}, {}), ({}, {"writeKey": KEY})):
        server.http.post("/v1/batch", json={"batch": [event], **envelope}, headers=headers)
    assert len(eventually(lambda: server.http.get("/v1/users/one_source/events").json()["events"])) == 1


@pytest.mark.parametrize(
    "path", ["/v1/batch", "/v1/import/", "/v1/b", "/v1/t", "/v1/identify/", "/beacon/v1/batch"]
)
def test_no_answer_leads_elsewhere(server: Running, path: str) -> None:
    """A redirect breaks several clients; so does an error that is not JSON with a code and a message."""
    for method in ("POST", "GET", "PUT", "DELETE", "PATCH"):
        answer = server.http.request(method, path, content=b"{")
        assert answer.status_code in {400, 405}
        found = answer.json()
        assert isinstance(found["code"], str)
        assert isinstance(found["message"], str)
        assert found["success"] is False
