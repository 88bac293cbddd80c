"""What only one kind of destination does: what it refuses, how it keeps its bounds, what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import aio_pika
import pytest
import redis
from aio_pika.abc import AbstractChannel

from segue.deliver.sinks.file import Lines, LinesFile
from segue.deliver.sinks.sink import BEHIND, DELIVERED, Message, Refused, Retry, Sink
from tests.deliver.sinks.brokers import LOOPBACK
from tests.deliver.sinks.ends import End, FileEnd, RabbitEnd, made, messages

EndFor = Callable[[str], End]
Sinks = Callable[[End], Sink]

# ---- RabbitMQ ------------------------------------------------------------------------------


def with_channel(end: End, work: Callable[[AbstractChannel], Awaitable[object]]) -> None:
    """Does something to the broker as another client would."""

    async def run() -> None:
        assert isinstance(end, RabbitEnd)
        async with await aio_pika.connect(end.url) as connection:
            await work(await connection.channel())

    asyncio.run(run())


def test_rabbitmq_keeps_what_no_queue_takes(end_for: EndFor, sinks: Sinks) -> None:
    end = end_for("rabbitmq")
    name = end.definition.exchange or ""
    with_channel(end, lambda channel: channel.queue_delete(name))
    outcomes = sinks(end).send(messages(7))
    unrouted = Retry("no queue took it: nothing is bound for its routing key")
    assert [*outcomes] == [*[unrouted] * 5, BEHIND, BEHIND]


def test_rabbitmq_needs_its_exchange(end_for: EndFor, sinks: Sinks) -> None:
    end = end_for("rabbitmq")
    end.definition = replace(end.definition, exchange="nowhere")
    outcomes = sinks(end).send(messages(2))
    assert len(outcomes) == 2
    assert all(isinstance(each, Retry) and each.down and "nowhere" in each.reason for each in outcomes)


def test_rabbitmq_holds_back_behind_a_full_queue(end_for: EndFor, sinks: Sinks) -> None:
    end = end_for("rabbitmq")
    name = end.definition.exchange or ""

    async def narrow(channel: AbstractChannel) -> None:
        await channel.queue_delete(name)
        arguments: dict[str, aio_pika.abc.FieldValue] = {"x-max-length": 3, "x-overflow": "reject-publish"}
        queue = await channel.declare_queue(name, durable=True, arguments=arguments)
        await queue.bind(name, "#")

    with_channel(end, narrow)
    sent = messages(20, users=4)
    outcomes = [*sinks(end).send(sent)]
    assert outcomes.count(DELIVERED) >= 3
    assert Retry("the broker turned it down") in outcomes
    came = [each.id for each in end.came()]
    assert came == [each.id for each, outcome in zip(sent, outcomes, strict=True) if outcome == DELIVERED]
    held = {each.key for each, outcome in zip(sent, outcomes, strict=True) if isinstance(outcome, Retry)}
    for key in held:
        own = [outcome for each, outcome in zip(sent, outcomes, strict=True) if each.key == key]
        assert DELIVERED not in own[own.index(Retry("the broker turned it down")) :]


def test_rabbitmq_says_that_a_login_is_refused(end_for: EndFor, tmp_path: Path) -> None:
    end = end_for("rabbitmq")
    end.definition = replace(end.definition, username="SECRET", password="OLD")
    with closing(made(end, tmp_path)) as sink:
        (outcome,) = sink.send(messages(1))
    assert isinstance(outcome, Retry)
    assert outcome.down
    assert "old one" not in outcome.reason


def test_rabbitmq_uses_the_routing_key_of_the_file_or_the_trigger(end_for: EndFor, sinks: Sinks) -> None:
    end = end_for("rabbitmq")
    name = end.definition.exchange or ""

    async def bind(channel: AbstractChannel) -> None:
        queue = await channel.get_queue(name)
        await queue.unbind(name, "#")
        await queue.bind(name, "greet")

    with_channel(end, bind)
    assert [*sinks(end).send(messages(1))] == [DELIVERED]
    end.definition = replace(end.definition, routing_key="elsewhere")
    (outcome,) = sinks(end).send(messages(1))
    assert isinstance(outcome, Retry)


# ---- Kafka ---------------------------------------------------------------------------------


def test_kafka_refuses_for_good_what_is_too_large_and_takes_the_rest(end_for: EndFor, sinks: Sinks) -> None:
    end = end_for("kafka")
    sent = messages(5)
    sent[1] = replace(sent[1], body=b"x" * 2_000_000)
    outcomes = [*sinks(end).send(sent)]
    assert outcomes[1] == Refused("larger than the broker takes")
    assert outcomes[:1] + outcomes[2:] == [DELIVERED] * 4
    assert len(end.came()) == 4


def test_a_key_of_kafka_stays_in_one_partition(end_for: EndFor, sinks: Sinks) -> None:
    end = end_for("kafka")
    sink = sinks(end)
    for at in range(5):
        assert {*sink.send(messages(20, users=10, start=20 * at))} == {DELIVERED}
    came = end.came()
    assert len(came) == 100
    for user in range(10):
        own = [each.id for each in came if each.key == f"user-{user}"]
        assert own == [f"id-{at}" for at in range(user, 100, 10)]


# ---- Redis ---------------------------------------------------------------------------------


def test_redis_keeps_about_so_many_entries(end_for: EndFor, sinks: Sinks) -> None:
    end = end_for("redis")
    end.definition = replace(end.definition, keep=500)
    sink = sinks(end)
    for at in range(0, 3_000, 100):
        assert {*sink.send(messages(100, start=at))} == {DELIVERED}
    came = end.came()
    assert 500 <= len(came) <= 700
    assert came[-1].id == "id-2999"


def test_redis_says_that_something_else_stands_under_the_key(end_for: EndFor, sinks: Sinks) -> None:
    end = end_for("redis")
    assert end.broker is not None
    with redis.Redis(host=LOOPBACK, port=end.broker.port) as client:
        client.set(end.definition.stream or "", "a text")
    outcomes = sinks(end).send(messages(2))
    assert all(isinstance(each, Retry) and "wrong kind" in each.reason for each in outcomes)


# ---- files ---------------------------------------------------------------------------------


def written(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()]


def test_a_full_file_makes_way_and_old_ones_go(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "out" / "lines.jsonl", 2_000, 3)
    with closing(LinesFile(lines)) as sink:
        for at in range(0, 100, 5):
            assert {*sink.send(messages(5, start=at))} == {DELIVERED}
    files = sorted(lines.path.parent.iterdir())
    assert [file.name for file in files] == ["lines.jsonl", *(f"lines.jsonl.{n}" for n in (1, 2, 3))]
    assert all(file.stat().st_size <= 2_000 for file in files)
    kept = [each for file in (*files[:0:-1], files[0]) for each in written(file)]
    assert kept == [f"id-{at}" for at in range(100 - len(kept), 100)]


@pytest.mark.parametrize("torn", [b"", b"{", b'{"id":"id-9","bo', b"\x00" * 70_000, b"x" * 65_536])
def test_a_line_that_a_crash_left_unfinished_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    with closing(LinesFile(Lines(path, 10**6, 3))) as sink:
        sink.send(messages(3))
    with path.open("ab") as file:
        file.write(torn)
    with closing(LinesFile(Lines(path, 10**6, 3))) as sink:
        assert {*sink.send(messages(2, start=3))} == {DELIVERED}
    assert written(path) == [f"id-{at}" for at in range(5)]


def test_what_cannot_be_written_is_not_delivered_and_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes the first half of a batch and then nothing."""
    path, system = tmp_path / "lines.jsonl", os.write

    def full(file: int, data: memoryview) -> int:
        if len(data) > 100:
            return system(file, data[:100])
        raise OSError(28, "No space left on device")

    with closing(LinesFile(Lines(path, 10**6, 3))) as sink:
        assert {*sink.send(messages(3))} == {DELIVERED}
        monkeypatch.setattr(os, "write", full)
        assert {*sink.send(messages(3, start=3))} == {
            Retry("not written: No space left on device", down=True)
        }
        monkeypatch.undo()
        assert written(path) == ["id-0", "id-1", "id-2"]
        assert {*sink.send(messages(3, start=3))} == {DELIVERED}
    assert written(path) == [f"id-{at}" for at in range(6)]


def test_a_file_is_not_written_through_a_link_out_of_its_folder(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("mine\n", encoding="utf-8")
    path = tmp_path / "lines.jsonl"
    path.symlink_to(target)
    with closing(LinesFile(Lines(path, 10**6, 3))) as sink:
        (outcome,) = sink.send(messages(1))
    assert isinstance(outcome, Retry)
    assert target.read_text(encoding="utf-8") == "mine\n"


def test_every_body_stays_one_line(tmp_path: Path) -> None:
    end = FileEnd(tmp_path)
    bodies = [b'{\n "a": "x\\ny"\n}', b"two\nlines", '"\u2028"'.encode(), b"\xff"]
    sent = [Message(f"id-{at}", "ada", "t", 0, body) for at, body in enumerate(bodies)]
    with closing(made(end, tmp_path)) as sink:
        assert {*sink.send(sent)} == {DELIVERED}
    assert [each.body for each in end.came()] == [
        b'{"a":"x\\ny"}', b"two\nlines", "\u2028".encode(), "\ufffd".encode(),
    ]  # fmt: skip
