"""Signatures of webhooks: against the published example, and against what is not to be believed."""

from __future__ import annotations

import doctest

import pytest

from segue.domain import signature
from segue.domain.signature import SignatureError, headers_of, sign, verify

# The example of Standard Webhooks, which its libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1_614_265_330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example() -> None:
    assert sign([SECRET], ID, AT, BODY) == SIGNATURE
    headers = {"Webhook-Id": ID, "WEBHOOK-TIMESTAMP": str(AT), "webhook-signature": SIGNATURE}
    assert verify(headers, BODY, [SECRET], now=AT + 60) == ID


def test_the_example_in_the_documentation_runs() -> None:
    assert doctest.testmod(signature).failed == 0


@pytest.mark.parametrize("secrets", [["new"], ["old"], ["new", "old"], ["other", "old"]])
def test_while_two_secrets_live_either_is_enough(secrets: list[str]) -> None:
    assert verify(headers_of(["new", "old"], "m", AT, BODY), BODY, secrets, now=AT) == "m"


@pytest.mark.parametrize(("age", "fits"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_either_way(age: int, fits: bool) -> None:
    headers = headers_of(["s"], "m", AT, BODY)
    if fits:
        assert verify(headers, BODY, ["s"], now=AT + age) == "m"
    else:
        with pytest.raises(SignatureError):
            verify(headers, BODY, ["s"], now=AT + age)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "another"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "²"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1"},
        {"webhook-signature": SIGNATURE.replace("v1", "v2")},
        {"webhook-signature": SIGNATURE[:-1]},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,x " * 10_000},
    ],
)
def test_what_is_not_believed(changed: dict[str, str]) -> None:
    headers = headers_of([SECRET], ID, AT, BODY) | changed
    with pytest.raises(SignatureError) as refused:
        verify(headers, BODY, [SECRET], now=AT)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1], BODY.replace(b"2", b"3", 1)])
def test_another_body_is_not_believed(body: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(headers_of([SECRET], ID, AT, BODY), body, [SECRET], now=AT)


def test_a_secret_that_is_no_base64_is_told_without_it() -> None:
    with pytest.raises(SignatureError) as refused:
        sign(["whsec_not base64!"], ID, AT, BODY)
    assert "not base64!" not in str(refused.value)
