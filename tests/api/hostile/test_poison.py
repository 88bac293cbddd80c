"""One bad event never stops the good ones, and nothing that is sent makes the server err."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.api.hostile.mutants import HEALTHY, damaged, odd_batch
from tests.api.hostile.raw import request
from tests.api.serving import Running, eventually, serving

SEED = 20_261_122
BATCHES = 10_000
AT_ONCE = 50
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")

Maker = Callable[[random.Random, int], bytes]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of our own, so that what it counts is what we sent."""
    with serving(tmp_path_factory.mktemp("poison")) as running:
        yield running


def made(maker: Maker, count: int) -> Iterator[bytes]:
    chance = random.Random(SEED)
    return (maker(chance, number) for number in range(count))


async def thrown(server: Running, bodies: Iterator[bytes]) -> Counter[int]:
    """How often each status came back; fifty requests are under way at once, on one connection."""
    where = urlsplit(str(server.http.base_url))
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    found: Counter[int] = Counter()
    waiting = list(next_ones(bodies))
    while waiting:
        writer.write(b"".join(waiting))
        rest, due = b"", len(waiting)
        while due:
            piece = await reader.read(262_144)
            assert piece, f"the connection was closed with {due} answers due; seed {SEED}"
            rest += piece
            statuses = _STATUS.findall(rest)
            found.update(map(int, statuses))
            due -= len(statuses)
            rest = rest[-16:] if not statuses else rest[rest.rindex(b"HTTP/1.1 ") + 9 :][-16:]
        waiting = list(next_ones(bodies))
    writer.close()
    await writer.wait_closed()
    return found


def next_ones(bodies: Iterator[bytes]) -> Iterator[bytes]:
    for body in islice(bodies, AT_ONCE):
        yield request(body, b"Content-Length: %d\r\n" % len(body), b"/v1/batch")


def numbers_of(server: Running, user: str, count: int) -> list[int]:
    """The numbers of a user's events, once that many are evaluated."""
    return eventually(lambda: at_least(every_event(server, user), count))


def at_least(events: list[Any], count: int) -> list[int] | None:
    return [each["properties"]["n"] for each in events] if len(events) >= count else None


def every_event(server: Running, user: str) -> list[Any]:
    found: list[Any] = []
    query: dict[str, Any] = {"limit": 10_000}
    while True:
        page = server.http.get(f"/v1/users/{user}/events", params=query).json()
        found += page["events"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def assert_all_arrived(numbers: list[int]) -> None:
    assert Counter(numbers) == Counter(range(BATCHES * HEALTHY)), f"seed {SEED}"


def test_the_good_events_of_every_odd_batch_arrive(alone: Running) -> None:
    assert asyncio.run(thrown(alone, made(odd_batch, BATCHES))) == {200: BATCHES}
    assert_all_arrived(numbers_of(alone, "healthy", BATCHES * HEALTHY))


def test_every_odd_event_is_kept_or_set_aside(alone: Running) -> None:
    """And what is kept can be written as JSON again."""
    kept = alone.control("export", all=True)
    aside = alone.control("quarantine list", state="open")
    assert len(aside) > BATCHES // 10
    assert all(each["code"] and each["message"] for each in aside)
    assert len(kept) + len(aside) + duplicates(alone) == BATCHES * (HEALTHY + 1)
    for each in kept:
        json.dumps(each, allow_nan=False).encode()


def duplicates(server: Running) -> int:
    """Odd message ids that came up before."""
    text = server.http.get("/metrics").text
    found = re.findall(
        r'^segue_events_total\{[^}]*outcome="duplicate"[^}]*\} ([\d.e+]+)$', text, re.MULTILINE
    )
    return sum(int(float(count)) for count in found)


def test_a_strict_reader_would_lose_good_events() -> None:
    """The control: of what strict JSON takes in, the same assertion finds events missing."""
    numbers: list[list[int]] = []
    for body in made(odd_batch, BATCHES):
        try:
            events = msgspec.json.decode(body)["batch"]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        numbers.append([events[0]["properties"]["n"], events[2]["properties"]["n"]])
    with pytest.raises(AssertionError):
        assert_all_arrived(list(chain.from_iterable(numbers)))


def test_a_damaged_body_is_taken_or_refused(alone: Running) -> None:
    found = asyncio.run(thrown(alone, made(damaged, BATCHES)))
    assert found.keys() <= {200, 400}, f"seed {SEED}"
    assert found.total() == BATCHES
    assert min(found.values()) > BATCHES // 100
    assert alone.http.get("/readyz").status_code == 200


STORED: dict[str, tuple[str | bytes, Any]] = {
    "not a number": ("NaN", None),
    "infinity": ("-Infinity", None),
    "beyond a double": ("1e999", None),
    "below a double": ("1e-999", 0.0),
    "minus zero": ("-0.0", -0.0),
    "odd beyond 53 bits": ("9007199254740993", 9007199254740993),
    "beyond 64 bits": ("18446744073709551616", 18446744073709551616.0),
    "400 digits": ("1" * 400, None),
    "5,000 digits": ("1" * 5_000, None),
    "half a character": ('"\\ud83d"', "\ufffd"),
    "a whole one": ('"\\ud83d\\ude00"', "😀"),
    "a null": ('"\\u0000"', "\0"),
    "from right to left": ('"\u202egnp.exe"', "\u202egnp.exe"),
    "no UTF-8": (b'"\xff"', "\ufffd"),
    "a line break": ('"a\nb"', "a\nb"),
    "a key twice": ('{"a":1,"a":2}', {"a": 2}),
    "no key": ('{"":1}', {"": 1}),
    "a prototype": ('{"__proto__":{"admin":true}}', {"__proto__": {"admin": True}}),
    "a long key": ('{"%s":1}' % ("k" * 5_000), {"k" * 5_000: 1}),
}


@pytest.mark.parametrize("name", STORED)
def test_what_is_stored_of_an_odd_value(alone: Running, name: str) -> None:
    written, expected = STORED[name]
    value = written if isinstance(written, bytes) else written.encode()
    body = b'{"batch":[{"type":"track","userId":"%s","event":"Odd","properties":{"value":%s}}]}'
    user = name.replace(" ", "_").replace(",", "")
    assert alone.http.post("/v1/batch", content=body % (user.encode(), value)).status_code == 200
    (event,) = eventually(lambda: every_event(alone, user))
    assert event["properties"] == {"value": expected}


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_codings_of_text(alone: Running, coding: str) -> None:
    batch = {
        "batch": [{"type": "track", "userId": f"in_{coding}", "event": "Sent", "properties": {"é": "😀"}}]
    }
    body = json.dumps(batch, ensure_ascii=False).encode(coding)
    answer = alone.http.post("/v1/batch", content=body)
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        (event,) = eventually(lambda: every_event(alone, f"in_{coding}"))
        assert event["properties"] == {"é": "😀"}
    else:
        assert answer.json()["code"] in {"E501", "E502"}


def test_numbers_of_events(alone: Running) -> None:
    """None, one, a batch within a batch, and one too many."""
    event = {"type": "track", "userId": "counted", "event": "Sent"}
    assert alone.http.post("/v1/batch", json={"batch": []}).status_code == 200
    assert (
        alone.http.post("/v1/batch", json={"batch": [event, {"batch": [event]}, [event]]}).status_code == 200
    )
    assert len(eventually(lambda: every_event(alone, "counted"))) == 1
    over = alone.http.post("/v1/batch", json={"batch": [event] * 2_501})
    assert (over.status_code, over.json()["code"]) == (413, "E504")
    assert len(every_event(alone, "counted")) == 1
