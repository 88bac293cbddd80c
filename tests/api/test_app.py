"""The application itself: before there is a service, at its bounds, and when a handler breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import httpx
import pytest

from segue.api.answer import Answer, encode
from segue.api.app import App
from segue.api.body import read_body
from segue.api.doors import Doors
from segue.api.pixels import GIF
from segue.api.request import Message, Request
from segue.api.route import Access, Route, Runs
from segue.domain.errors import SegueError
from segue.domain.limits import BODY_BYTES_MAX, DRAINED_BYTES_MAX, POSTED_BYTES_MAX, READS_MAX


@pytest.fixture
def doors() -> Iterator[Doors]:
    opened = Doors("token")
    yield opened
    opened.close()


def ask(app: App, method: str, path: str, body: bytes = b"") -> httpx.Response:
    async def story() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, content=body)

    return asyncio.run(story())


def test_before_there_is_a_service_clients_come_back_later(doors: Doors) -> None:
    app = App(doors)
    assert ask(app, "GET", "/healthz").status_code == 200
    for method, path in (("GET", "/readyz"), ("GET", "/v1/segments"), ("PUT", "/v1/segments/x")):
        answer = ask(app, method, path)
        assert (answer.status_code, answer.json()["code"]) == (503, "E747")
        assert answer.headers["retry-after"] == "1"
    taken = ask(app, "POST", "/v1/batch", b"{}")
    assert (taken.status_code, taken.json()["success"]) == (503, False)
    assert taken.headers["access-control-allow-origin"] == "*"


def test_a_fault_of_ours_tells_the_client_nothing(doors: Doors, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(_doors: Doors, _request: Request) -> Answer:
        raise KeyError("the secret of the house")

    app = App(doors, [Route("GET", "/x", "Breaks.", breaks, {200: "Any"}, Runs.AT_ONCE, Access.OPEN)])
    with caplog.at_level(logging.ERROR, "segue.api"):
        answer = ask(app, "GET", "/x")
    assert (answer.status_code, answer.json()["code"]) == (500, "E748")
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_reads_are_bounded(doors: Doors) -> None:
    async def story() -> list[object]:
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait() -> None:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()

        waiting = [asyncio.create_task(doors.read(wait)) for _ in range(READS_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(SegueError, match="E749"):
            await doors.read(lambda: None)
        gate.set()
        return list(await asyncio.gather(*waiting))

    assert asyncio.run(story()) == [None] * READS_MAX


def test_held_bytes_are_bounded_and_given_back(doors: Doors) -> None:
    for _ in range(2):
        with doors.hold() as grow:
            grow(POSTED_BYTES_MAX)
            with doors.hold() as other, pytest.raises(SegueError, match="E749"):
                other(1)


def test_a_body_far_too_large_is_not_read_to_its_end() -> None:
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": bytes(1024 * 1024), "more_body": True}

    kept: list[int] = []
    with pytest.raises(SegueError, match="E503"):
        asyncio.run(read_body(receive, kept.append))
    assert read * 1024 * 1024 <= DRAINED_BYTES_MAX + 1024 * 1024
    assert sum(kept) <= BODY_BYTES_MAX


@pytest.mark.parametrize("value", [10**400, "\ud83d", float("nan"), {"a": [1, None, True]}])
def test_whatever_events_hold_can_be_written(value: object) -> None:
    assert encode(value).decode("ascii")


@pytest.mark.parametrize("path", ["/v1/pixel/track?userId=u", "/pixel/v1/page?writeKey=k"])
def test_an_image_is_an_image_also_before_there_is_a_service(doors: Doors, path: str) -> None:
    """But no 200: the event was not taken."""
    answer = ask(App(doors), "GET", path)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (503, GIF, "image/gif")
    assert answer.headers["retry-after"] == "1"
    assert ask(App(doors), "POST", path).headers["content-type"] == "application/problem+json"
