"""Bodies that unpack to more than anyone may send: refused before they have been unpacked."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from segue.domain.limits import BODY_BYTES_MAX
from tests.api.hostile.memory import extra
from tests.api.hostile.raw import connect, request
from tests.api.serving import Running, serving

MIB = 1024 * 1024
TEXT = b'{"batch":[]}'


def bomb(size: int) -> bytes:
    """Blanks in gzip: about a thousandth of their size."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * MIB) for _ in range(size // MIB)) + packer.flush()


BOMB = bomb(100 * MIB)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of our own, whose memory nobody else fills."""
    with serving(tmp_path_factory.mktemp("bombs")) as running:
        for _ in range(50):
            running.http.post("/v1/batch", content=gzip.compress(b" " * BODY_BYTES_MAX))
        yield running


def refused(answer: httpx.Response) -> tuple[int, str, bool]:
    found = answer.json()
    return answer.status_code, found["code"], found["success"]


def test_a_bomb(alone: Running) -> None:
    def throw() -> None:
        answer = alone.http.post("/v1/batch", content=BOMB, headers={"Content-Encoding": "gzip"})
        assert refused(answer) == (413, "E503", False)

    assert extra(alone, throw) <= 16 * MIB


def test_a_hundred_bombs_at_once(alone: Running) -> None:
    async def throw() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=alone.http.base_url, timeout=None) as client:
            return list(await asyncio.gather(*(client.post("/v1/batch", content=BOMB) for _ in range(100))))

    def throw_all() -> None:
        assert {refused(answer) for answer in asyncio.run(throw())} == {(413, "E503", False)}

    assert extra(alone, throw_all) <= 256 * MIB


def test_the_bound_is_what_refuses(alone: Running) -> None:
    """The control: as much as is allowed is unpacked and read."""
    batch = json.dumps({"batch": []}).encode()
    packed = gzip.compress(batch + b" " * (BODY_BYTES_MAX - len(batch)))
    answer = alone.http.post("/v1/batch", content=packed)
    assert (answer.status_code, answer.content) == (200, b'{"success":true}')


def test_what_is_held_is_seen(alone: Running) -> None:
    """The control of the scales: thirty bodies of 4 MiB that are not complete are thirty times 4 MiB."""

    def hold() -> None:
        with ExitStack() as opened:
            for _ in range(30):
                line = opened.enter_context(connect(alone))
                line.sendall(request(b" " * (BODY_BYTES_MAX - 1), b"Content-Length: %d\r\n" % BODY_BYTES_MAX))
            time.sleep(1)

    assert extra(alone, hold) > 64 * MIB


def damaged() -> dict[str, tuple[bytes, str]]:
    """Bodies by name, each with what is claimed of its coding."""
    whole = gzip.compress(TEXT, mtime=0)
    wrong_sum = whole[:-8] + bytes(4) + whole[-4:]
    return {
        "gzip in gzip": (gzip.compress(gzip.compress(bomb(100 * MIB))), "gzip"),
        "cut off": (whole[:-3], "gzip"),
        "a wrong sum": (wrong_sum, "gzip"),
        "an unknown coding": (TEXT, "br"),
        "another unknown coding": (TEXT, "zstd"),
        "two codings": (gzip.compress(whole), "gzip, gzip"),
        "no gzip at all": (b"\x1f\x8b\x08\x00garbage", "gzip"),
        "no deflate at all": (b"\xff\xfe\xfd", "deflate"),
    }


@pytest.mark.parametrize("name", damaged())
def test_what_cannot_be_unpacked(alone: Running, name: str) -> None:
    body, coding = damaged()[name]
    answer = alone.http.post("/v1/batch", content=body, headers={"Content-Encoding": coding})
    status, code, success = refused(answer)
    assert (status, success) == (400, False)
    assert code in {"E745", "E501"}


def test_members_of_gzip_make_one_body(alone: Running) -> None:
    two = gzip.compress(TEXT[:5]) + gzip.compress(TEXT[5:])
    assert alone.http.post("/v1/batch", content=two, headers={"Content-Encoding": "gzip"}).status_code == 200
    many = gzip.compress(b" " * MIB) * 6
    assert refused(alone.http.post("/v1/batch", content=many)) == (413, "E503", False)


def endless() -> Iterator[bytes]:
    """A gibibyte in chunks, of no length that was told."""
    piece = b" " * MIB
    for _ in range(1024):
        yield piece


@pytest.mark.parametrize("headers", [{}, {"Content-Length": str(1024 * MIB)}])
def test_an_upload_without_end(alone: Running, headers: dict[str, Any]) -> None:
    """It is cut. Whether the refusal is read depends on whether the client looks up while it writes."""

    def upload() -> None:
        try:
            answer = alone.http.post("/v1/batch", content=endless(), headers=headers)
        except httpx.TransportError:
            return
        assert refused(answer) == (413, "E503", False)

    assert extra(alone, upload) <= 32 * MIB
    assert alone.http.get("/readyz").status_code == 200


@pytest.mark.parametrize(("depth", "status"), [(100, 200), (1_000, 200), (1_000_000, 200), (2_000_000, 200)])
def test_depth_within_an_event(alone: Running, depth: int, status: int) -> None:
    """Too deep an event is set aside alone; its batch is taken."""
    deep = io.BytesIO()
    deep.write(b'{"batch":[{"type":"track","userId":"deep","event":"Deep","properties":{"a":')
    deep.write(b"[" * depth + b"]" * depth)
    deep.write(b'}},{"type":"track","userId":"beside%d","event":"Sent"}]}' % depth)
    before = len(alone.control("quarantine list", state="open"))
    assert alone.http.post("/v1/batch", content=deep.getvalue()).status_code == status
    assert len(alone.control("quarantine list", state="open")) == before + (depth > 100)
    found = alone.http.get(f"/v1/users/beside{depth}/events").json()["events"]
    assert len(found) == 1


@pytest.mark.parametrize("depth", [1_000, 1_000_000])
def test_depth_without_an_event(alone: Running, depth: int) -> None:
    answer = alone.http.post("/v1/batch", content=b"[" * depth)
    assert refused(answer) == (400, "E501", False)
