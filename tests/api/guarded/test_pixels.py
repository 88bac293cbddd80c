"""Images and keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.guarded.guard import Guarded


@pytest.mark.parametrize(
    "words", [{"params": {"writeKey": "segue_write_x"}}, {"headers": {"Authorization": "Basic eA=="}}, {}]
)
def test_an_image_with_a_wrong_key_is_an_image(guarded: Guarded, words: dict[str, Any]) -> None:
    """And nothing of it is kept: strangers cannot fill the quarantine."""
    held = guarded.server.control("quarantine list", state="open")
    query = {"userId": "stranger", **words.pop("params", {})}
    answer = guarded.server.http.get("/v1/pixel/track", params=query, **words)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert guarded.server.control("quarantine list", state="open") == held
    assert not guarded.knows("stranger")


def test_an_image_with_the_right_key(guarded: Guarded) -> None:
    """The control."""
    query = {"userId": "pictured", "event": "Seen", "writeKey": guarded.keys["write"]}
    assert guarded.server.http.get("/v1/pixel/track", params=query).status_code == 200
    guarded.await_users("pictured")
