"""Keys made, rotated, switched and revoked beside a running server: each holds at once, and after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.guarded.guard import Guarded, basic, bearer
from tests.api.serving import Running, serving
from tests.cli.segue import here


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path) as server:
        yield server


def writes(server: Running, key: str | None) -> int:
    headers = {} if key is None else basic(key)
    return server.http.post("/v1/batch", json={"batch": []}, headers=headers).status_code


def reads(server: Running, word: str | None) -> int:
    return server.http.get("/v1/users/ann", headers={} if word is None else bearer(word)).status_code


def edits(server: Running, word: str | None) -> int:
    headers = {} if word is None else bearer(word)
    return server.http.delete("/v1/segments/no_such", headers=headers).status_code


@pytest.mark.parametrize("kind", ["write", "read", "admin"])
def test_the_first_key_of_any_kind_ends_the_open_doors(alone: Running, kind: str) -> None:
    guarded = Guarded(alone)
    assert (writes(alone, None), writes(alone, "any"), reads(alone, None), edits(alone, None)) == (
        200, 200, 200, 404
    )  # fmt: skip
    assert reads(alone, "any") == 200
    key = guarded.key("first", kind)
    assert (writes(alone, None), writes(alone, "any"), reads(alone, None), edits(alone, None)) == (401,) * 4
    opened = (writes(alone, key), reads(alone, key), edits(alone, key))
    assert opened == {"write": (200, 403, 403), "read": (403, 200, 403), "admin": (403, 200, 404)}[kind]
    guarded.segue("keys", "revoke", "first")
    assert (writes(alone, key), reads(alone, key), edits(alone, key)) == (401,) * 3
    assert (writes(alone, None), reads(alone, None), edits(alone, None)) == (401,) * 3
    assert alone.http.get("/healthz").status_code == alone.http.get("/docs").status_code == 200
    assert alone.control("segments"), "commands go on"


def test_a_token_is_judged_also_while_there_are_no_keys(alone: Running) -> None:
    guarded = Guarded(alone)
    token = guarded.token("ann")
    assert reads(alone, None) == 200, "a token is no key"
    assert reads(alone, token) == 200
    assert alone.http.get("/v1/users/bob", headers=bearer(token)).status_code == 403
    assert alone.http.get("/v1/segments", headers=bearer(token)).status_code == 403
    assert edits(alone, token) == 403
    assert reads(alone, token[:-3] + "abc") == 401
    forwarded = {**bearer(token), "X-Forwarded-For": "203.0.113.9"}
    assert alone.http.get("/v1/users/ann", headers=forwarded).status_code == 200
    assert alone.http.get("/v1/users/ann", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403


def test_changes_hold_at_once(alone: Running) -> None:
    guarded = Guarded(alone)
    write, read = guarded.key("shop", "write"), guarded.key("crm", "read")
    assert (writes(alone, write), reads(alone, read)) == (200, 200)
    newer = guarded.segue("keys", "rotate", "shop")["key"]
    assert (writes(alone, write), writes(alone, newer)) == (200, 200)
    newest = guarded.segue("keys", "rotate", "--name", "shop", "--overlap", "0s")["key"]
    assert (writes(alone, write), writes(alone, newer), writes(alone, newest)) == (200, 401, 200)
    assert len(guarded.rows("keys", "off", "shop")) == 2
    assert (writes(alone, write), writes(alone, newest)) == (404, 404)
    guarded.rows("keys", "on", "shop")
    assert (writes(alone, write), writes(alone, newest)) == (200, 200)
    guarded.rows("keys", "revoke", write)
    assert (writes(alone, write), writes(alone, newest)) == (401, 200)
    guarded.rows("keys", "revoke", "crm")
    assert reads(alone, read) == 401
    states = [(row["name"], row["state"]) for row in guarded.rows("keys", "list")]
    assert states == [("shop", "revoked"), ("crm", "revoked"), ("shop", "expired"), ("shop", "on")]
    token = guarded.token("ann")
    assert reads(alone, token) == 200
    guarded.segue("token", "--rotate")
    assert reads(alone, token) == 200
    guarded.segue("token", "--rotate", "--overlap", "0s")
    assert reads(alone, token) == 401


def test_what_was_decided_survives_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        guarded = Guarded(first)
        kept, revoked, off = (guarded.key(name, "write") for name in ("kept", "revoked", "off"))
        token = guarded.token("ann")
        guarded.rows("keys", "revoke", "revoked")
        guarded.rows("keys", "off", "off")
        first.process.kill()
        first.process.wait()
    beside = here(
        "keys", "list", "--json", "--workspace", tmp_path / "workspace", "--data", tmp_path / "data"
    )
    assert [row["state"] for row in beside.rows] == ["on", "revoked", "off"]
    with serving(tmp_path) as second:
        assert [writes(second, key) for key in (kept, revoked, off, None)] == [200, 401, 404, 401]
        assert reads(second, token) == 200


def test_a_damaged_file_of_keys_keeps_the_server_from_starting(tmp_path: Path) -> None:
    """Without it nobody could tell who may come in: better nobody."""
    with serving(tmp_path) as server:
        Guarded(server).key("shop", "write")
        server.stop()
    (tmp_path / "data" / "access.db").write_bytes(b"not what it was" * 100)
    words = ("--workspace", tmp_path / "workspace", "--data", tmp_path / "data")
    for command in (("serve", "--port", "0"), ("keys", "list"), ("segments",)):
        ended = here(*command, *words)
        assert (ended.status, "E603" in ended.err) == (1, True)
