"""Commands beside a running server, for the holder of its token."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.api.serving import Running, eventually


def test_a_command_answers_in_lines(server: Running) -> None:
    server.track("commanded", "Order Completed")
    eventually(lambda: server.segments_of("commanded"))
    rows = server.control("members", name="buyers")
    assert "commanded" in {each["user_id"] for each in rows}


@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        ("members", {"name": 7}, "E781"),
        ("members", {"name": "byers"}, "E701"),
        ("import", {"file": "x"}, "E782"),
        ("no such command", {}, "E782"),
    ],
)
def test_a_refusal_is_the_last_line(
    server: Running, command: str, arguments: dict[str, object], code: str
) -> None:
    last = server.control(command, **arguments)[-1]
    assert last["error"][0]["code"] == code
    assert last["exit"] in {1, 2}


@pytest.mark.parametrize("word", ["", "Bearer", "Bearer wrong", "Bearer \xff", "Basic {token}", "{token}"])
def test_without_the_token_nothing_runs(server: Running, word: str) -> None:
    value = word.format(token=server.said["token"]).encode("latin-1")
    headers = [(b"Authorization", value)]
    answer = server.http.post("/control", json={"command": "segments"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "E746")


def test_a_client_that_leaves_frees_its_place(server: Running) -> None:
    """More of them than may run at once, each gone before its answer: the next one is still served."""
    body = json.dumps({"command": "changes", "arguments": {}})
    headers = {"Authorization": f"Bearer {server.said['token']}"}
    host = server.said["url"].removeprefix("http://")
    for _ in range(20):
        connection = http.client.HTTPConnection(host)
        connection.request("POST", "/control", body, headers)
        connection.close()
    eventually(lambda: server.http.post("/control", content=body, headers=headers).status_code == 200)
    assert server.control("segments")


def test_the_file_is_its_owners_alone(server: Running) -> None:
    path = server.data / "serve.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert server.said["pid"] == server.process.pid
