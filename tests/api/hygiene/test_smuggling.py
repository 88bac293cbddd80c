"""Where one request ends and the next begins is never in doubt: whoever makes it so is refused and cut off.

A proxy in front may read a doubtful request in another way than the server does. Then one client's body
becomes another client's request. So each of these has to be refused, or read in the only possible way.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.hygiene.raw import Said, say
from tests.api.serving import Running, eventually, serving

HOST = b"Host: localhost\r\n"
HIDDEN = b"DELETE /v1/users/victim HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN


def post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /v1/track HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


LENGTH = b"Content-Length: %d\r\n" % len(CHUNKED)
DOUBTFUL = {
    "CL.TE": post(LENGTH + b"Transfer-Encoding: chunked\r\n", CHUNKED),
    "TE.CL": post(b"Transfer-Encoding: chunked\r\n" + LENGTH, CHUNKED),
    "TE, not chunked": post(b"Transfer-Encoding: identity\r\n" + LENGTH, CHUNKED),
    "TE, chunked not last": post(b"Transfer-Encoding: chunked, identity\r\n", CHUNKED),
    "TE twice": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKED),
    "TE misspelt": post(b"Transfer-Encoding: xchunked\r\n" + LENGTH, CHUNKED),
    "TE with a blank before the colon": post(b"Transfer-Encoding : chunked\r\n" + LENGTH, CHUNKED),
    "TE with a tab before": post(b"\tTransfer-Encoding: chunked\r\n" + LENGTH, CHUNKED),
    "TE with a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n" + LENGTH, CHUNKED),
    "TE with a NUL": post(b"Transfer-Encoding: chunked\x00\r\n" + LENGTH, CHUNKED),
    "TE folded": post(b"Transfer-Encoding:\r\n chunked\r\n" + LENGTH, CHUNKED),
    "CL twice, unequal": post(b"Content-Length: 0\r\n" + LENGTH, CHUNKED),
    "CL as a list": post(b"Content-Length: 0, %d\r\n" % len(CHUNKED), CHUNKED),
    "CL with a sign": post(b"Content-Length: +%d\r\n" % len(CHUNKED), CHUNKED),
    "CL below nothing": post(b"Content-Length: -1\r\n", CHUNKED),
    "CL in hexadecimal": post(b"Content-Length: 0x10\r\n", CHUNKED),
    "CL that is no number": post(b"Content-Length: many\r\n", CHUNKED),
    "CL too large": post(b"Content-Length: 99999999999999999999999\r\n", CHUNKED),
    "CL with a blank inside": post(b"Content-Length: 1 0\r\n", CHUNKED),
    "a chunk's size that is none": post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n" + CHUNKED),
    "a chunk's size too large": post(b"Transfer-Encoding: chunked\r\n", b"f" * 17 + b"\r\n" + CHUNKED),
    "a chunk's size with a sign": post(b"Transfer-Encoding: chunked\r\n", b"-1\r\n" + CHUNKED),
    "a chunk longer than it says": post(b"Transfer-Encoding: chunked\r\n", b"1\r\nabc\r\n" + CHUNKED),
    "a header without a colon": post(b"Nothing\r\n" + LENGTH, CHUNKED),
    "a header with a NUL": post(b"X: a\x00b\r\n" + LENGTH, CHUNKED),
    "a name with a blank": post(b"X Y: a\r\n" + LENGTH, CHUNKED),
    "a line that ends in LF alone": b"POST /v1/track HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n",
    "a head that ends in LF alone": b"POST /v1/track HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\n",
    "CR alone": b"POST /v1/track HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
    "a blank within the path": b"GET /v1/users/a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/3": b"GET /healthz HTTP/3.0\r\nHost: localhost\r\n\r\n",
    "no method": b" /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method that is none": b"G@T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
"""Each may be read in two ways, or in none."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("smuggling")) as running:
        running.track("victim", "Login")
        eventually(lambda: lives(running))
        yield running


def lives(server: Running) -> bool:
    """Whether the hidden request was not carried out."""
    return bool(server.http.get("/v1/users/victim").json()["known"])


def sent(server: Running, request: bytes) -> Said:
    return say(server.said["url"], request, wait=0.5)


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_is_in_doubt_is_refused_and_cut_off(server: Running, name: str) -> None:
    said = sent(server, DOUBTFUL[name])
    assert said.statuses[-1:] in ([400], []), said.text
    assert said.closed or not said.text
    assert len(said.statuses) <= 1
    assert lives(server)


def test_equal_lengths_are_one_length_or_refused(server: Running) -> None:
    body = b'{"userId": "twice", "event": "Login"}'
    length = b"Content-Length: %d\r\n" % len(body)
    said = sent(server, post(length + length, body) + HIDDEN.replace(b"DELETE", b"GET"))
    assert said.statuses in ([400], [200, 200])


def test_the_hidden_request_works_when_it_is_not_hidden(server: Running) -> None:
    """The control: sent openly behind a whole request, it is carried out, so a desync would show."""
    server.track("other", "Login")
    eventually(lambda: server.http.get("/v1/users/other").json()["known"])
    body = b'{"userId": "x", "event": "Login"}'
    open_ = HIDDEN.replace(b"victim", b"other")
    said = sent(server, post(b"Content-Length: %d\r\n" % len(body), body) + open_)
    assert said.statuses == [200, 200]
    eventually(lambda: not server.http.get("/v1/users/other").json()["known"])


def test_a_body_is_never_the_next_request(server: Running) -> None:
    plain = post(b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN)
    chunk = b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"
    for request in (plain, post(b"Transfer-Encoding: chunked\r\n", chunk)):
        assert sent(server, request).statuses == [400]
    assert lives(server)


def test_a_request_without_a_version_is_the_last_one(server: Running) -> None:
    said = sent(server, b"GET /healthz\r\n\r\n" + HIDDEN)
    assert len(said.statuses) <= 1
    assert said.closed
    assert lives(server)


def test_a_get_with_a_body_is_read_to_its_end(server: Running) -> None:
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN)
    assert sent(server, request + HIDDEN).statuses == [200]
    assert lives(server)


def test_pipelined_requests_are_answered_in_order(server: Running) -> None:
    """More of them than are worked on at once, each with an answer of its own."""
    paths = [b"/v1/users/u%d/segments" % number for number in range(50)]
    said = sent(server, b"".join(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n" for path in paths))
    assert said.statuses == [200] * 50
    places = [said.text.index(b'"user_id":"u%d"' % number) for number in range(50)]
    assert places == sorted(places)


def test_a_request_in_pieces_is_one_request(server: Running) -> None:
    body = b'{"userId": "pieces", "event": "Login"}'
    whole = post(b"Content-Length: %d\r\n" % len(body), body)
    said = say(server.said["url"], *(bytes([each]) for each in whole))
    assert said.statuses == [200]


def test_a_head_without_end_is_cut(server: Running) -> None:
    """A hundred thousand headers are not kept for ever: the connection ends, the server goes on."""
    flood = b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % each for each in range(100_000))
    said = sent(server, flood + b"\r\n")
    assert said.statuses in ([], [400], [431], [200])
    assert server.http.get("/healthz").status_code == 200
