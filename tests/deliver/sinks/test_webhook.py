"""What webhooks send, how they take answers, and that whoever answers badly costs bounded time and room."""

from __future__ import annotations

import hashlib
import hmac
import select
import socket
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from segue.deliver.sinks import http
from segue.deliver.sinks.sink import BEHIND, DELIVERED, Message, Outcome, Refused, Retry, Sink
from segue.deliver.sinks.webhook import Bounds, Webhook, retry_after_ms
from segue.domain.limits import ANSWER_BYTES_MAX
from segue.domain.signature import SignatureError, verify
from tests.deliver.sinks.ends import SECRETS, local, messages
from tests.deliver.sinks.receiver import LOOPBACK, Got, Receiver, Reply

HookAt = Callable[[str], Webhook]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    found.start()
    yield found
    found.stop()


@pytest.fixture
def hook_at() -> Iterator[HookAt]:
    made: list[Webhook] = []

    def found(url: str) -> Webhook:
        made.append(Webhook(url, [*SECRETS.values()], Bounds(local(), 4, 500)))
        return made[-1]

    yield found
    for each in made:
        each.close()


def one(sink: Sink, message: Message | None = None) -> Outcome:
    (outcome,) = sink.send([message or messages(1)[0]])
    return outcome


# ---- what is sent --------------------------------------------------------------------------


def test_a_message_is_signed_with_every_secret(receiver: Receiver, hook_at: HookAt) -> None:
    message = Message("id-1", "ada", "greet", 1, b'{"a": "\xc3\xa9"}', 3)
    assert one(hook_at(receiver.url + "?team=1"), message) == DELIVERED
    (got,) = receiver.got
    assert (got.path, got.body) == ("/hook?team=1", message.body)
    assert got.headers["host"] == f"{LOOPBACK}:{receiver.port}"
    assert got.headers["content-type"] == "application/json"
    assert (got.headers["segue-trigger"], got.headers["segue-attempt"]) == ("greet", "3")
    for secret in SECRETS.values():
        assert verify(got.headers, got.body, [secret]) == "id-1"
        content = f"id-1.{got.headers['webhook-timestamp']}.".encode() + message.body
        by_hand = b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()
        assert f"v1,{by_hand}" in got.headers["webhook-signature"].split(" ")
    with pytest.raises(SignatureError):
        verify(got.headers, got.body, ["another one"])


def test_a_retry_is_signed_anew_under_the_same_id(receiver: Receiver, hook_at: HookAt) -> None:
    hook = hook_at(receiver.url)
    for attempt in (1, 2):
        assert one(hook, Message("id-1", "ada", "greet", 1, b"{}", attempt)) == DELIVERED
        time.sleep(1.01)
    stamps = {got.headers["webhook-timestamp"] for got in receiver.got}
    assert len(stamps) == 2
    assert {verify(got.headers, got.body, [*SECRETS.values()]) for got in receiver.got} == {"id-1"}


def test_connections_are_kept(receiver: Receiver, hook_at: HookAt) -> None:
    hook = hook_at(receiver.url)
    for _ in range(3):
        assert [*hook.send(messages(40))] == [DELIVERED] * 40
    assert receiver.connections == 4
    assert len(receiver.got) == 120


def test_nothing_of_others_ends_a_line_of_the_head(receiver: Receiver, hook_at: HookAt) -> None:
    assert one(hook_at(receiver.url), Message("a\r\nX-Evil: 1", "é", "greet\x00", 1, b"{}")) == DELIVERED
    (got,) = receiver.got
    assert "x-evil" not in got.headers
    assert got.headers["webhook-id"] == r"a\x0d\x0aX-Evil: 1"


# ---- what the answer means -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200), DELIVERED),
        (Reply(204), DELIVERED),
        (Reply(299), DELIVERED),
        (Reply(410), Refused("answered with 410: gone")),
        (Reply(429, {"Retry-After": "7"}), Retry("answered with 429", 7_000, down=True)),
        (Reply(429), Retry("answered with 429", down=True)),
        (Reply(429, {"Retry-After": "soon"}), Retry("answered with 429", down=True)),
        (Reply(503, {"Retry-After": "99999999999"}), Retry("answered with 503", 86_400_000, down=True)),
        (Reply(500), Retry("answered with 500")),
        (Reply(400), Retry("answered with 400")),
        (Reply(404), Retry("answered with 404")),
        (Reply(502), Retry("answered with 502", down=True)),
        (Reply(302), Retry("answered with 302: redirects are not followed")),
        (Reply(200, wait=2), Retry("no answer in time", down=True)),
    ],
)
def test_what_an_answer_means(receiver: Receiver, hook_at: HookAt, reply: Reply, expected: Outcome) -> None:
    receiver.decide = lambda _: reply
    assert one(hook_at(receiver.url)) == expected


def test_a_connection_that_breaks_off_is_no_answer(receiver: Receiver, hook_at: HookAt) -> None:
    receiver.decide = lambda _: Reply(reset=True)
    outcome = one(hook_at(receiver.url))
    assert isinstance(outcome, Retry)
    assert outcome.down
    assert outcome.reason.startswith("no answer")


def test_nothing_that_is_answered_is_told_on(receiver: Receiver, hook_at: HookAt) -> None:
    receiver.decide = lambda _: Reply(500, {"X-Secret": "inner-secret"}, b"inner-secret")
    assert "inner-secret" not in str(one(hook_at(receiver.url)))


def test_a_redirect_is_not_followed(receiver: Receiver, hook_at: HookAt) -> None:
    receiver.decide = lambda _: Reply(307, {"Location": f"http://{LOOPBACK}:{receiver.port}/inside"})
    assert isinstance(one(hook_at(receiver.url)), Retry)
    assert [got.path for got in receiver.got] == ["/hook"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, None),
        ("0", 0),
        ("120", 120_000),
        ("-1", None),
        ("Sun, 22 Nov 2026 10:00:30 GMT", 30_000),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
        ("Sun, 22 Nov 2099 10:00:00 GMT", 86_400_000),
        ("²", None),
    ],
)
def test_when_to_come_back(told: str | None, expected: int | None) -> None:
    assert retry_after_ms(told, now=1_795_341_600) == expected


# ---- the order of a user -------------------------------------------------------------------


def test_what_stands_behind_a_failure_of_its_user_waits(receiver: Receiver, hook_at: HookAt) -> None:
    def decide(got: Got) -> Reply:
        return Reply(500) if got.headers["webhook-id"] == "id-2" else Reply()

    receiver.decide = decide
    outcomes = hook_at(receiver.url).send(messages(15))
    assert [place for place, each in enumerate(outcomes) if each == BEHIND] == [7, 12]
    assert outcomes[2] == Retry("answered with 500")
    assert len(receiver.taken) == 12


def test_requests_about_one_user_never_run_side_by_side(receiver: Receiver, hook_at: HookAt) -> None:
    running: dict[bytes, int] = {}
    together: list[int] = []
    at_once: list[int] = []

    def decide(got: Got) -> Reply:
        user = got.body[got.body.index(b"user-") :]
        running[user] = running.get(user, 0) + 1
        together.append(running[user])
        at_once.append(sum(running.values()))
        time.sleep(0.005)
        running[user] -= 1
        return Reply()

    receiver.decide = decide
    assert [*hook_at(receiver.url).send(messages(40))] == [DELIVERED] * 40
    assert max(together) == 1
    assert max(at_once) > 1


# ---- bad receivers -------------------------------------------------------------------------


@contextmanager
def speaking(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads a request and then talks as it likes, to one after the other."""
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                link, _ = listener.accept()
            except OSError:
                return
            with link:
                try:
                    link.recv(65_536)
                    talk(link)
                except OSError:
                    continue

    with socket.create_server((LOOPBACK, 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def endless(link: socket.socket, first: bytes, piece: bytes, pause: float) -> None:
    link.sendall(first)
    while select.select([link], [], [], pause)[0] == [] or link.recv(1):
        link.sendall(piece)


@pytest.mark.parametrize(
    ("first", "piece", "pause", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536, 0, DELIVERED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", b"x" * 65_536, 0, DELIVERED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\nxxxx\r\n" * 999, 0, DELIVERED),
        (b"HTTP/1.1 200 OK\r\n", b"x-a: " + b"y" * 60_000 + b"\r\n", 0, Retry("", down=True)),
        (b"HTTP/1.1 200 OK\r\n", b"x", 0.05, Retry("", down=True)),
        (b"", b"H", 0.05, Retry("", down=True)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"", 0.05, Retry("", down=True)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000, b"", 0.05, Retry("", down=True)),
    ],
)
def test_answers_that_never_end(
    hook_at: HookAt, first: bytes, piece: bytes, pause: float, expected: Outcome
) -> None:
    with speaking(lambda link: endless(link, first, piece, pause)) as url:
        found = one(hook_at(url))
    if isinstance(expected, Retry):
        assert isinstance(found, Retry)
        assert found.down
    else:
        assert found == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff!\r\n\r\n",
        b"HTTP/1.1 999999 X\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_what_is_no_answer(hook_at: HookAt, answer: bytes) -> None:
    with speaking(lambda link: link.sendall(answer)) as url:
        found = one(hook_at(url))
    assert isinstance(found, Retry)
    assert found.down


def test_no_more_of_an_answer_is_taken_than_the_bound() -> None:
    reading = http._Reading()
    reading.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n")
    fed = 0
    while not reading.complete:
        reading.feed(b"x" * 1_024)
        fed += 1_024
    assert fed <= ANSWER_BYTES_MAX + 1_024
    assert not reading.reusable


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(hook_at: HookAt) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with speaking(lambda link: link.sendall(answer)) as url:
        hook = hook_at(url)
        assert [one(hook) for _ in range(5)] == [DELIVERED] * 5


def test_an_answer_that_nobody_asked_for_is_none_to_the_next_question(hook_at: HookAt) -> None:
    """Two answers to one request, at once or one after the other: neither is taken for that of the next."""
    good, bad = (b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status for status in (200, 500))
    asked: list[bytes] = []

    def talk(link: socket.socket) -> None:
        asked.append(b"")
        link.sendall(bad + good if len(asked) % 2 else bad)
        if len(asked) % 2 == 0:
            time.sleep(0.05)
            link.sendall(good)
        link.recv(65_536)

    with speaking(talk) as url:
        hook = hook_at(url)
        for _ in range(6):
            assert one(hook) == Retry("answered with 500")
            time.sleep(0.1)
        hook.close()
    assert len(asked) == 6


# ---- encryption ----------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of its own making for a name, and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-keyout", str(key), "-out", str(made), "-days", "2", "-subj", f"/CN={name}"]
    try:
        subprocess.run([*command, "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl on this machine")
    return made, key


@pytest.mark.parametrize("name", ["hook.example", "other.example"])
def test_the_certificate_must_be_of_the_name_and_not_of_the_address(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, key = certificate(tmp_path, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setattr(http, "_tls_context", None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, key)
    asked: list[str | None] = []
    context.sni_callback = lambda _link, host, _context: asked.append(host)

    def talk(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as link:
            link.recv(65_536)
            link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def serve() -> None:
        try:
            link, _ = listener.accept()
            with link:
                talk(link)
        except OSError:
            return

    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (LOOPBACK, 0))]
    )
    with socket.create_server((LOOPBACK, 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        hook = Webhook(f"https://hook.example:{listener.getsockname()[1]}/", ["s"], Bounds(local(), 1, 5_000))
        found = one(hook)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        hook.close()
    assert asked == ["hook.example"]
    if name == "hook.example":
        assert found == DELIVERED
    else:
        assert isinstance(found, Retry)
        assert "certificate" in found.reason
