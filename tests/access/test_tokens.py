"""User tokens: what was not signed here, or not lately, opens nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.access.principal import Role
from segue.access.scope import EVERYTHING, Scope
from segue.access.tokens import Secret, issue, looks_signed, new_secret, read
from segue.domain.errors import SegueError, UsageError

NOW = 1_795_000_000_000
MINUTE = 60_000
SECRET = Secret("s_1", b"k" * 32, NOW)
OTHER = Secret("s_2", b"o" * 32, NOW)
KNOWN = {each.kid: each for each in (SECRET, OTHER)}
CLAIMS: dict[str, Any] = {"iss": "segue", "sub": "ann", "iat": NOW // 1_000, "exp": NOW // 1_000 + 900}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(header: Any, claims: Any, key: bytes, digest: str = "sha256") -> str:
    """A token put together without any library, whatever it says."""
    signed = f"{part(header)}.{part(claims)}"
    mac = hmac.new(key, signed.encode(), digest).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


GOOD = {"alg": "HS256", "typ": "JWT", "kid": "s_1"}
TOKEN = issue(SECRET, "ann", EVERYTHING, NOW, 15 * MINUTE)
BOBS = issue(SECRET, "bob", EVERYTHING, NOW, 15 * MINUTE)


def test_a_token_says_whose_it_is() -> None:
    principal = read(TOKEN, KNOWN, NOW)
    assert (principal.role, principal.user_id, principal.scope) == (Role.USER, "ann", EVERYTHING)
    assert principal.expires == NOW + 15 * MINUTE
    assert not principal.reads_all
    assert not principal.edits


def test_one_made_by_hand_in_the_same_way_is_good() -> None:
    """The control for all forgeries below: what is refused there is not refused for how it was made."""
    assert read(by_hand(GOOD, CLAIMS, SECRET.value), KNOWN, NOW).user_id == "ann"


HEAD, BODY, MAC = TOKEN.split(".")
FORGED = {
    "no algorithm": f"{part(GOOD | {'alg': 'none'})}.{BODY}.",
    "no algorithm, in capitals": f"{part(GOOD | {'alg': 'None'})}.{BODY}.",
    "no algorithm, but a signature": f"{part(GOOD | {'alg': 'none'})}.{BODY}.{MAC}",
    "another algorithm": by_hand(GOOD | {"alg": "HS512"}, CLAIMS, SECRET.value, "sha512"),
    "another algorithm in the header": by_hand(GOOD | {"alg": "RS256"}, CLAIMS, SECRET.value),
    "no kid": by_hand({"alg": "HS256"}, CLAIMS, SECRET.value),
    "unknown kid": by_hand(GOOD | {"kid": "s_9"}, CLAIMS, SECRET.value),
    "kid of another secret": by_hand(GOOD | {"kid": "s_2"}, CLAIMS, SECRET.value),
    "kid that is a path": by_hand(GOOD | {"kid": "../../dev/null"}, CLAIMS, b""),
    "kid that is a number": by_hand(GOOD | {"kid": 1}, CLAIMS, SECRET.value),
    "kid that is a list": by_hand(GOOD | {"kid": ["s_1"]}, CLAIMS, SECRET.value),
    "own key in the header": by_hand(GOOD | {"jwk": {"kty": "oct", "k": "a2V5"}}, CLAIMS, b"key"),
    "empty secret": by_hand(GOOD, CLAIMS, b""),
    "guessed secret": by_hand(GOOD, CLAIMS, b"secret"),
    "the kid as secret": by_hand(GOOD, CLAIMS, b"s_1"),
    "somebody else's signature": f"{HEAD}.{BODY}.{BOBS.rpartition('.')[2]}",
    "somebody else's claims": f"{HEAD}.{BOBS.split('.')[1]}.{MAC}",
    "no signature": f"{HEAD}.{BODY}.",
    "half a signature": f"{HEAD}.{BODY}.{MAC[:20]}",
    "expired": by_hand(GOOD, CLAIMS | {"exp": NOW // 1_000}, SECRET.value),
    "no end": by_hand(GOOD, {key: value for key, value in CLAIMS.items() if key != "exp"}, SECRET.value),
    "an end that is text": by_hand(GOOD, CLAIMS | {"exp": "tomorrow"}, SECRET.value),
    "an end beyond all numbers": by_hand(GOOD, CLAIMS | {"exp": 10**400}, SECRET.value),
    "good for ever": by_hand(GOOD, CLAIMS | {"exp": NOW // 1_000 + 10**8}, SECRET.value),
    "no user": by_hand(GOOD, {key: value for key, value in CLAIMS.items() if key != "sub"}, SECRET.value),
    "a user that is a list": by_hand(GOOD, CLAIMS | {"sub": ["ann"]}, SECRET.value),
    "another issuer": by_hand(GOOD, CLAIMS | {"iss": "elsewhere"}, SECRET.value),
    "a scope that is text": by_hand(GOOD, CLAIMS | {"segments": "vip"}, SECRET.value),
    "a scope of numbers": by_hand(GOOD, CLAIMS | {"attributes": [1]}, SECRET.value),
    "claims that are a list": by_hand(GOOD, [CLAIMS], SECRET.value),
    "a header that is a list": by_hand([GOOD], CLAIMS, SECRET.value),
    "nested without end": f"{HEAD}.{base64.urlsafe_b64encode(b'[' * 4_000).decode()}.{MAC}",
    "rubbish": "a.b.c",
    "dots": "..",
    "beyond Latin": "é.ü.ß",
    "a critical extension": by_hand(GOOD | {"crit": ["x"], "x": 1}, CLAIMS, SECRET.value),
    "too long": TOKEN + "A" * 10_000,
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused_without_saying_why(token: str) -> None:
    with pytest.raises(SegueError) as refused:
        read(token, KNOWN, NOW)
    (found,) = refused.value.diagnostics
    assert (found.code, found.message) == ("E761", "this token is not valid")
    assert token not in str(refused.value)


@given(st.integers(0, len(TOKEN) - 1), st.integers(1, 255))
def test_no_letter_can_be_changed(place: int, change: int) -> None:
    letters = bytearray(TOKEN.encode())
    letters[place] ^= change
    forged = letters.decode("latin-1")
    try:
        principal = read(forged, KNOWN, NOW)
    except SegueError:
        return
    # The last letter of a part has bits that mean nothing; what was signed is then the same.
    assert place == len(TOKEN) - 1
    assert principal.user_id == "ann"


def test_a_token_ends_to_the_second() -> None:
    assert read(TOKEN, KNOWN, NOW + 15 * MINUTE - 1).user_id == "ann"
    with pytest.raises(SegueError, match="E761"):
        read(TOKEN, KNOWN, NOW + 15 * MINUTE)


def test_a_token_ends_with_its_secret() -> None:
    retiring = Secret("s_1", SECRET.value, NOW, retires=NOW + MINUTE)
    principal = read(TOKEN, {"s_1": retiring}, NOW)
    assert principal.expires == NOW + MINUTE
    with pytest.raises(SegueError, match="E761"):
        read(TOKEN, {"s_1": retiring}, NOW + MINUTE)
    with pytest.raises(SegueError, match="E761"):
        read(TOKEN, {}, NOW)


@pytest.mark.parametrize("ttl", [0, 999, 24 * 60 * MINUTE + 1])
def test_a_token_is_neither_for_no_time_nor_for_ever(ttl: int) -> None:
    with pytest.raises(UsageError, match="E768"):
        issue(SECRET, "ann", EVERYTHING, NOW, ttl)


@pytest.mark.parametrize("user_id", ["", "  ", "anon:", "x" * 1_025])
def test_a_token_is_for_somebody(user_id: str) -> None:
    with pytest.raises(UsageError, match="E768"):
        issue(SECRET, user_id, EVERYTHING, NOW, MINUTE)


@given(st.text(min_size=1, max_size=100).filter(lambda text: text.strip() and text != "anon:"))
def test_every_id_can_be_signed_for(user_id: str) -> None:
    assert read(issue(SECRET, user_id, EVERYTHING, NOW, MINUTE), KNOWN, NOW).user_id == user_id


def test_a_scope_is_signed_too() -> None:
    scope = Scope.of(["vip"], ["traits.plan"])
    assert read(issue(SECRET, "ann", scope, NOW, MINUTE), KNOWN, NOW).scope == scope


def test_secrets_are_long_and_never_the_same() -> None:
    made = [new_secret(NOW) for _ in range(20)]
    assert len({each.value for each in made}) == len({each.kid for each in made}) == 20
    assert all(len(each.value) == hashlib.sha256().digest_size for each in made)


def test_what_looks_like_a_token() -> None:
    assert looks_signed(TOKEN)
    assert not looks_signed("segue_read_abc")


def test_any_library_reads_what_was_issued() -> None:
    claims = jwt.decode(TOKEN, SECRET.value, ["HS256"], options={"verify_exp": False})
    assert claims == CLAIMS
