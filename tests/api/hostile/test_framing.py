"""Where one request ends and the next begins: what can be read in two ways is refused.

A proxy in front that reads it the other way would hand one client's request to us as part of another's.
"""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable

import pytest

from tests.api.hostile.raw import HEALTH, answers, chunked, connect, event, events_of, post, read, request
from tests.api.serving import Running, eventually

_users = itertools.count()
CHUNKED = b"Transfer-Encoding: chunked\r\n"

AMBIGUOUS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "a length and chunks": (b"Content-Length: 4\r\n" + CHUNKED, chunked),
    "chunks and a length": (CHUNKED + b"Content-Length: 4\r\n", chunked),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: 60\r\n", bytes),
    "the same length twice": (b"Content-Length: 0\r\nContent-Length: 0\r\n", bytes),
    "a list of lengths": (b"Content-Length: 0, 0\r\n", bytes),
    "a length with a sign": (b"Content-Length: +0\r\n", bytes),
    "a length below zero": (b"Content-Length: -1\r\n", bytes),
    "a length beyond 64 bits": (b"Content-Length: 99999999999999999999\r\n", bytes),
    "a length in hexadecimal": (b"Content-Length: 0x10\r\n", bytes),
    "an unknown coding": (b"Transfer-Encoding: xchunked\r\n", chunked),
    "chunks that are not last": (b"Transfer-Encoding: chunked, identity\r\n", chunked),
    "a blank before the colon": (b"Transfer-Encoding : chunked\r\n", chunked),
    "a tabulator of another kind": (b"Transfer-Encoding:\x0bchunked\r\n", chunked),
    "a folded header": (b"Transfer-Encoding:\r\n chunked\r\n", chunked),
    "a folded length": (b"X: a\r\n Content-Length: 60\r\n", bytes),
    "a bare line feed": (b"X: a\nContent-Length: 60\r\n", bytes),
    "a bare carriage return": (b"X: a\rContent-Length: 60\r\n", bytes),
    "a header without a name": (b": 1\r\n", bytes),
    "a null in a header": (b"X: a\x00b\r\n", bytes),
    "two hosts": (b"Host: other.example\r\n", bytes),
    "a chunk without a size": (CHUNKED, lambda _: b"zz\r\n\r\n0\r\n\r\n"),
    "a chunk longer than it says": (CHUNKED, lambda text: b"3\r\n" + text + b"\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": (CHUNKED, lambda _: b"fffffffffffffffff\r\n\r\n"),
    "chunks that end in line feeds": (CHUNKED, lambda text: b"%x\n%s\n0\n\n" % (len(text), text)),
    "a length after the chunks": (CHUNKED, lambda text: chunked(text)[:-2] + b"Content-Length: 9\r\n\r\n"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_is_ambiguous_is_refused_and_nothing_after_it_is_heard(server: Running, name: str) -> None:
    user = f"smuggler{next(_users)}"
    headers, written = AMBIGUOUS[name]
    ((status, body),) = answers(server, request(written(event(user)), headers) + post(user, 1), leave=False)
    found = json.loads(body)
    assert (status, found["code"], found["success"]) == (400, "E773", False)
    assert isinstance(found["message"], str)
    assert events_of(server, user) == []


def test_requests_that_follow_each_other_unasked_are_answered_in_order(server: Running) -> None:
    """The control: the same two requests without the ambiguity are both heard."""
    plain = request(chunked(event("pipeliner")), CHUNKED) + post("pipeliner", 1) + HEALTH
    assert [status for status, _ in answers(server, plain)] == [200, 200, 200]
    eventually(lambda: len(events_of(server, "pipeliner")) == 2)


def test_a_hundred_requests_at_once(server: Running) -> None:
    sent = b"".join(post("eager", number) for number in range(100))
    assert [status for status, _ in answers(server, sent)] == [200] * 100
    assert eventually(lambda: len(events_of(server, "eager")) == 100)


def test_a_flood_of_requests_on_one_connection_is_cut(server: Running) -> None:
    with connect(server) as line:
        try:
            for _ in range(100):
                line.sendall(HEALTH * 20_000)
        except ConnectionError:
            pass
        else:
            raise AssertionError("two million requests were taken at once")
    assert server.http.get("/healthz").status_code == 200


def test_rubbish_after_a_good_request_waits_for_its_answer(server: Running) -> None:
    ((status, body),) = answers(server, post("tidy") + b"RUBBISH\r\n\r\n", leave=False)
    assert (status, body) == (200, b'{"success":true}')


@pytest.mark.parametrize(
    "rubbish", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
def test_other_protocols(server: Running, rubbish: bytes) -> None:
    ((status, body),) = answers(server, rubbish, leave=False)
    assert (status, json.loads(body)["code"]) == (400, "E773")


def test_headers_without_an_end(server: Running) -> None:
    with connect(server) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        try:
            for _ in range(64):
                line.sendall(b"x" * 65_536)
        except ConnectionError:
            pass
        ((status, body),) = read(line)
    assert (status, json.loads(body)["code"]) == (431, "E774")


def test_large_headers_that_end(server: Running) -> None:
    """The control: 60 KB of headers are no offence."""
    padding = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 600) for number in range(100))
    assert [status for status, _ in answers(server, post("padded", 0, padding))] == [200]


def test_a_client_that_has_said_all_is_still_answered(server: Running) -> None:
    with connect(server) as line:
        line.sendall(post("half_closed"))
        line.shutdown(socket.SHUT_WR)
        assert read(line) == [(200, b'{"success":true}')]


def test_a_client_that_is_gone_has_sent_what_it_sent(server: Running) -> None:
    with connect(server) as line:
        line.sendall(post("hasty"))
    assert eventually(lambda: len(events_of(server, "hasty")) == 1)


def test_an_upload_that_ends_too_soon_is_nothing(server: Running) -> None:
    body = event("torn")
    assert answers(server, request(body, b"Content-Length: %d\r\n" % (len(body) + 1))) == []
    assert events_of(server, "torn") == []


def test_a_refusal_before_the_body_has_come_is_heard(server: Running) -> None:
    """And the rest of the body is not taken for a request."""
    with connect(server) as line:
        line.sendall(
            b"POST /v1/nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(HEALTH)
        )
        first = line.recv(65_536)
        line.sendall(HEALTH * 2)
        assert first.startswith(b"HTTP/1.1 404 ")
        assert read(line) == []


def test_a_server_that_is_asked_to_continue_says_so(server: Running) -> None:
    sent = answers(server, post("patient", 0, b"Expect: 100-continue\r\n"))
    assert [status for status, _ in sent] in ([100, 200], [200])
