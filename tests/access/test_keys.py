"""Keys: what can be asked of one, what is kept of it, and where it must not stand."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.access.keys import Grant, Kind, digest_of, grant_of, hushed, is_key, new_key
from segue.access.origins import allows, checked_origin
from segue.access.scope import EVERYTHING, Scope
from segue.domain.errors import UsageError

NOW = 1_795_000_000_000


@pytest.mark.parametrize("kind", Kind)
def test_a_key_is_long_random_and_plain(kind: Kind) -> None:
    texts = {new_key(Grant("shop", kind), NOW)[0] for _ in range(50)}
    assert len(texts) == 50
    assert all(re.fullmatch(rf"segue_{kind.value}_[a-z2-7]{{40}}", text) for text in texts)


def test_of_a_key_only_its_digest_and_tail_are_kept() -> None:
    text, key = new_key(Grant("shop", Kind.WRITE), NOW)
    assert key.digest == hashlib.sha256(text.encode()).digest()
    assert key.tail == text[-4:]
    assert text not in repr(key)
    assert text not in repr(key.to_json(NOW))


def test_states() -> None:
    _, key = new_key(Grant("shop", Kind.WRITE), NOW, expires=NOW + 10)
    assert (key.state(NOW), key.lives(NOW)) == ("on", True)
    assert (key.state(NOW + 10), key.lives(NOW + 10)) == ("expired", False)


PARTS: dict[str, Any] = {
    "environment": "production",
    "origins": ["https://shop.example", "https://*.shop.example"],
    "rate": "100/s",
    "burst": 7,
}


def test_a_grant_is_read_as_it_was_written() -> None:
    write = grant_of("shop", Kind.WRITE, PARTS)
    assert grant_of("shop", Kind.WRITE, write.to_json()) == write
    read = grant_of("crm", Kind.READ, {"segments": ["vip"], "attributes": ["traits", "features.spend"]})
    assert grant_of("crm", Kind.READ, read.to_json()) == read
    assert grant_of("a", Kind.ADMIN, {}).to_json() == {}


@pytest.mark.parametrize(
    ("name", "kind", "parts"),
    [
        ("", Kind.WRITE, {}),
        (" shop", Kind.WRITE, {}),
        ("x" * 65, Kind.WRITE, {}),
        ("a\nb", Kind.WRITE, {}),
        ("segue_write_" + "a" * 40, Kind.WRITE, {}),
        ("shop", Kind.WRITE, {"environment": "a\x1b[2J"}),
        ("crm", Kind.READ, {"origins": ["https://shop.example"]}),
        ("shop", Kind.WRITE, {"origins": ["shop.example"]}),
        ("shop", Kind.WRITE, {"origins": ["https://shop.example/path"]}),
        ("shop", Kind.WRITE, {"origins": ["null"]}),
        ("shop", Kind.WRITE, {"origins": [f"https://s{number}.example" for number in range(51)]}),
        ("shop", Kind.WRITE, {"segments": ["vip"]}),
        ("ops", Kind.ADMIN, {"attributes": ["traits"]}),
        ("crm", Kind.READ, {"attributes": ["trait.plan"]}),
        ("crm", Kind.READ, {"attributes": ["traits."]}),
        ("crm", Kind.READ, {"segments": [""]}),
        ("crm", Kind.READ, {"segments": [f"s{number}" for number in range(201)]}),
        ("shop", Kind.WRITE, {"rate": "often"}),
        ("shop", Kind.WRITE, {"rate": "0/s"}),
        ("shop", Kind.WRITE, {"burst": 5}),
        ("shop", Kind.WRITE, {"rate": "5/s", "burst": 10**7}),
    ],
)
def test_what_no_key_can_be(name: str, kind: Kind, parts: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="E766"):
        grant_of(name, kind, parts)


def test_a_burst_is_small_unless_said() -> None:
    said = {text: grant_of("s", Kind.WRITE, {"rate": text}).rate for text in ("1/s", "100/s", "60/m")}
    assert {text: rate and rate.burst for text, rate in said.items()} == {"1/s": 1, "100/s": 25, "60/m": 1}


# ---- origins ---------------------------------------------------------------------------------

SITES = tuple(
    map(checked_origin, ["https://Shop.example:443", "http://localhost:3000", "https://*.a.example"])
)


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example", "https://SHOP.example", "https://shop.example:443", "http://localhost:3000",
     "https://www.a.example", "https://deep.below.a.example"],
)  # fmt: skip
def test_pages_that_may(origin: str) -> None:
    assert allows(SITES, origin.encode())


@pytest.mark.parametrize(
    "origin",
    ["http://shop.example", "https://shop.example:8443", "https://shop.example.evil.example",
     "https://evil.example", "https://evilshop.example", "https://a.example", "http://www.a.example",
     "https://a.example.evil.example", "https://evila.example", "null", "", "*", "https://shop.example/",
     "https://shop.example@evil.example", "https://shop.example, https://evil.example", "file://",
     "https://\xe4.a.example", "https://.a.example", "http://localhost"],
)  # fmt: skip
def test_pages_that_may_not(origin: str) -> None:
    assert not allows(SITES, origin.encode("latin-1"))


def test_without_origins_and_without_a_page() -> None:
    assert allows((), b"https://anywhere.example")
    assert allows(SITES, None)


# ---- scope -----------------------------------------------------------------------------------

USER: dict[str, Any] = {
    "user_id": "ann",
    "segments": [{"name": "vip", "since": "x"}, {"name": "secret", "since": "x"}],
    "attributes": {"traits": {"plan": "pro", "email": "a@b.example"}, "features": {"spend": 7}, "scores": {}},
    "version": 3,
}


def test_a_scope_shows_what_it_names() -> None:
    seen = Scope.of(["vip", "absent"], ["traits.plan", "scores"]).narrowed(USER)
    assert seen == {
        "user_id": "ann",
        "segments": [{"name": "vip", "since": "x"}],
        "attributes": {"traits": {"plan": "pro"}, "features": {}, "scores": {}},
        "version": 3,
    }
    assert EVERYTHING.narrowed(USER) == USER
    assert Scope.of(None, []).narrowed(USER)["attributes"] == {"traits": {}, "features": {}, "scores": {}}
    assert Scope.of([], None).narrowed(USER)["segments"] == []


@pytest.mark.parametrize(
    ("attributes", "seen"), [(["traits"], {}), (["scores"], {"a": 9, "b": 8}), (["scores.a"], {"a": 9})]
)
def test_a_percentile_is_shown_to_whoever_may_see_the_score(
    attributes: list[str], seen: dict[str, int]
) -> None:
    said = {"scores": {"a": 0.1, "b": 0.2}, "percentiles": {"a": 9, "b": 8}}
    found = Scope.of(None, attributes).narrowed({**USER, "attributes": {**USER["attributes"], **said}})
    assert found["attributes"]["percentiles"] == seen


@given(st.sets(st.sampled_from(["vip", "secret", "other"])))
def test_a_larger_scope_never_shows_less(names: set[str]) -> None:
    fewer = Scope.of(names, None).narrowed(USER)["segments"]
    more = Scope.of(names | {"vip"}, None).narrowed(USER)["segments"]
    assert all(each in more for each in fewer)


# ---- what was sent ---------------------------------------------------------------------------

TEXT, _ = new_key(Grant("shop", Kind.WRITE), NOW)


@pytest.mark.parametrize(
    "sent",
    [
        f'{{"writeKey":"{TEXT}","event":"E"}}',
        f'{{"writeKey" : "{TEXT}", "event": "cut o',
        f"{{writeKey: '{TEXT}'}}",
        f"writeKey={TEXT}&event=E",
        f'["{TEXT}"]',
        TEXT,
        f"\xff{TEXT}\xff{TEXT}",
        '{"writeKey":"of another vendor"}',
    ],
    # The key is another one in each process, and the names of tests must not be.
    ids=["json", "cut off", "javascript", "form", "list", "alone", "twice", "another vendor's"],
)
def test_no_key_is_kept_with_what_was_sent(sent: str) -> None:
    kept = hushed(sent.encode("latin-1"))
    assert TEXT.encode() not in kept
    assert b"vendor" not in kept


def test_the_rest_of_what_was_sent_is_kept() -> None:
    sent = b'{"event": "E", "properties": {"a": 1, "key": "segue_write_short"}}'
    assert hushed(sent) == sent


def test_what_looks_like_a_key() -> None:
    assert is_key(TEXT)
    assert not is_key("shop")


@given(st.text(st.characters(), max_size=50))
def test_anything_can_be_looked_up(word: str) -> None:
    assert len(digest_of(word)) == 32
    assert not is_key(word)
