"""Clients that take their time: nobody else waits for them, and in the end they are cut."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.api.hostile.memory import open_files
from tests.api.hostile.raw import HEALTH, connect, events_of, post, read, request
from tests.api.serving import Running, eventually, serving

CROWD = 1_000
DEAF = 20
LONG = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""Asked 900 times on one connection, more than any buffer holds."""
FILES = 4 * CROWD
"""What each of the two processes may have to open."""


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of our own, whose descriptors nobody else opens."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        pytest.skip(f"no process may open {FILES:,} files here, {hard:,} at most")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), hard))
    with serving(tmp_path_factory.mktemp("slow")) as running:
        yield running


def drip(lines: list[socket.socket]) -> list[socket.socket]:
    """One more byte on each; those that still take it."""
    alive = []
    for line in lines:
        try:
            line.send(b"x")
        except OSError:
            continue
        alive.append(line)
    return alive


def crowd(opened: ExitStack, server: Running, begun: bytes, size: int = CROWD) -> list[socket.socket]:
    """Connections on which all say the same, and read nothing."""
    lines = [opened.enter_context(connect(server)) for _ in range(size)]
    for line in lines:
        line.sendall(begun)
    return lines


def asked(line: socket.socket) -> int:
    """The status of a small answer on a connection that stays open."""
    line.sendall(HEALTH)
    found = b""
    while not found.endswith(b"}"):
        found += line.recv(65_536)
    return int(found.split()[1])


def test_slow_clients_are_cut_while_the_others_are_served(quiet: Running) -> None:
    """Heads and bodies that come byte by byte, connections that say nothing, readers that do not read.

    A connection that has had its answer may rest for longer than all of them.
    """
    quiet.track("warm", "Sent")
    at_rest = open_files(quiet)
    with ExitStack() as opened:
        resting = opened.enter_context(connect(quiet))
        assert asked(resting) == 200
        heads = crowd(opened, quiet, b"POST /v1/track HTTP/1.1\r\nX: ")
        uploads = bodies = crowd(opened, quiet, request(b"{", b"Content-Length: 1000\r\n"))
        crowd(opened, quiet, b"")
        crowd(opened, quiet, LONG * 900, DEAF)
        eventually(lambda: open_files(quiet) > at_rest + 3 * CROWD + DEAF)
        served = 0
        while heads or bodies:
            heads, bodies = drip(heads), drip(bodies)
            served += 1
            quiet.track("served", "Sent")
            time.sleep(0.2)
        eventually(lambda: open_files(quiet) <= at_rest + 1)
        assert asked(resting) == 200
        told = [read(line) for line in uploads]
    assert {(status, b'"E749"' in body) for answers in told for status, body in answers} == {(503, True)}
    eventually(lambda: open_files(quiet) <= at_rest)
    assert eventually(lambda: len(events_of(quiet, "served")) == served)


def test_a_client_that_is_slow_but_moves_on_is_served(quiet: Running) -> None:
    """The control: one byte after the other, but within the bounds."""
    sent = post("unhurried")
    with connect(quiet) as line:
        for at in range(len(sent)):
            line.sendall(sent[at : at + 1])
            time.sleep(0.02)
        line.shutdown(socket.SHUT_WR)
        assert [status for status, _ in read(line)] == [200]
    assert eventually(lambda: len(events_of(quiet, "unhurried")) == 1)
