"""Aliases from a sender whom anybody can be: only a visitor who was seen before is attached."""

from __future__ import annotations

import json
from typing import Any

import pytest

from segue.ingest.decode import decode_batch, decode_single
from segue.ingest.identity import Discoveries, Identity
from segue.ingest.joins import without_joins


@pytest.fixture
def identity() -> Identity:
    """Two users; a visitor of nobody, one who is ann's, one who was hers from the start; an old id of bob."""
    known = Identity()
    seen = [
        ("ann", None, None), ("bob", None, None), (None, "v1", None), (None, "v2", None),
        ("ann", "v2", None), ("ann", "v3", None), ("bob", None, "old bob"),
    ]  # fmt: skip
    for index, (user, anonymous, previous) in enumerate(seen):
        known.resolve(user, anonymous, previous, index, Discoveries())
    return known


def left(identity: Identity, *events: dict[str, Any]) -> tuple[list[Any], list[str]]:
    """What is taken and what is set aside of a batch."""
    decoded = without_joins(decode_batch(json.dumps({"batch": events}).encode()), identity)
    assert len(decoded.bodies) <= len(decoded)
    return [json.loads(raw) for raw, _ in decoded.items], [each.code for each in decoded.rejected]


def alias(user: Any, previous: Any, **more: Any) -> dict[str, Any]:
    return {"type": "alias", "userId": user, "previousId": previous, **more}


@pytest.mark.parametrize("previous", ["v1", "v2", "v3", "mallory"])
def test_visitors_may_become_users(identity: Identity, previous: str) -> None:
    event = alias("mallory", previous)
    assert left(identity, event) == ([event], [])


@pytest.mark.parametrize(
    "previous", ["ann", "bob", "old bob", "nobody yet", "anon:v1", "ann@shop.example", 7, 7.5]
)
def test_nobody_is_joined_and_no_id_is_taken_beforehand(identity: Identity, previous: Any) -> None:
    assert left(identity, alias("mallory", previous)) == ([], ["E769"])
    assert left(identity, alias("mallory", previous, anonymousId=previous)) == ([], ["E769"])
    assert left(identity, alias("mallory", previous, type=" Alias ")) == ([], ["E769"])
    single = without_joins(decode_single(json.dumps(alias("mallory", previous)).encode(), "alias"), identity)
    assert (len(single), [each.code for each in single.rejected]) == (0, ["E769"])


def test_the_others_of_the_batch_are_as_they_were(identity: Identity) -> None:
    plain = [{"type": "track", "userId": "ann", "event": f"E{number}"} for number in range(4)]
    odd = {"type": "group", "userId": "ann", "groupId": "g"}
    mine, theirs = alias("mallory", "v1"), alias("mallory", "ann")
    sent = [plain[0], theirs, odd, plain[1], mine, theirs, plain[2], plain[3], theirs]
    kept, codes = left(identity, *sent)
    assert kept == [plain[0], odd, plain[1], mine, plain[2], plain[3]]
    assert codes == ["E769"] * 3


@pytest.mark.parametrize(
    "event", [alias("mallory", None), alias(None, "v1"), alias("mallory", {}), {"type": 7}]
)
def test_what_is_broken_is_refused_elsewhere(identity: Identity, event: dict[str, Any]) -> None:
    assert left(identity, event) == ([event], [])


def test_plain_batches_pass_as_they_are(identity: Identity) -> None:
    decoded = decode_batch(b'{"batch":[{"type":"track","userId":"ann","event":"E"}]}')
    assert without_joins(decoded, identity) is decoded
