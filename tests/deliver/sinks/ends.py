"""Both ends of every kind of destination: the sink that sends, and what a receiver finds in the end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aio_pika
import redis
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from segue.deliver.sinks.kinds import Means, sink_of
from segue.deliver.sinks.sink import Message, Sink
from segue.domain.address import Networks, parse_networks
from segue.log.lines import FOLDER
from segue.segments.destinations.definition import DestinationDefinition, Limits
from tests.deliver.sinks.brokers import LOOPBACK, Broker, KafkaServer, RabbitServer, RedisServer
from tests.deliver.sinks.receiver import Receiver

TIMEOUT_MS = 2_000
SECRETS = {"SECRET": "new one", "OLD": "old one"}


@dataclass(frozen=True)
class Came:
    """One message as a receiver has it."""

    id: str
    key: str
    trigger: str
    body: bytes


class End(Protocol):
    """A destination with its receiver. ``broker`` is None when nothing has to run for it."""

    broker: Broker | None
    definition: DestinationDefinition

    def came(self) -> list[Came]:
        """All that came so far, per user in the order in which it came."""


def definition(kind: str, **keys: Any) -> DestinationDefinition:
    """A destination of this kind with short time-outs."""
    limits = keys.pop("limits", Limits(timeout_ms=TIMEOUT_MS))
    return DestinationDefinition(kind, kind, "tests", "Words.", limits=limits, **keys)


def local() -> Networks:
    """The loopback, which webhooks reach in tests alone."""
    found = parse_networks("127.0.0.0/8")
    assert found is not None
    return found


def made(end: End, folder: Path) -> Sink:
    """A sink of the end's definition."""
    return sink_of(end.definition, Means(SECRETS, folder, local()))


def messages(count: int, users: int = 5, start: int = 0) -> list[Message]:
    """Messages of some users, by turns; the number stands in the body."""
    return [message(at, at % users) for at in range(start, start + count)]


def message(number: int, user: int) -> Message:
    """The n-th message, about a user."""
    body = b'{"n":%d,"user":"user-%d"}' % (number, user)
    return Message(f"id-{number}", f"user-{user}", "greet", 1_700_000_000_000 + number, body)


# ---- the kinds -----------------------------------------------------------------------------


class FileEnd:
    broker: Broker | None = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER / "out"
        self.definition = definition("file", path="out/lines.jsonl")

    def came(self) -> list[Came]:
        files = sorted(self._folder.glob("lines.jsonl.*"), key=lambda path: -int(path.suffix[1:]))
        files += self._folder.glob("lines.jsonl")
        rows = [json.loads(line) for path in files for line in path.read_bytes().splitlines()]
        return [Came(row["id"], row["user_id"], row["trigger"], _compact(row["body"])) for row in rows]


def _compact(body: object) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body, separators=(",", ":")).encode()


class WebhookEnd:
    """Stands for a broker too: a receiver that is gone, or takes connections and says nothing."""

    def __init__(self, _folder: Path) -> None:
        self.receiver = Receiver()
        self.broker: Broker | None = _ReceiverBroker(self.receiver)
        self.definition = definition("webhook", address=self.receiver.url, secrets=("SECRET", "OLD"))

    def came(self) -> list[Came]:
        return [
            Came(got.headers["webhook-id"], _user_of(got.body), got.headers["segue-trigger"], got.body)
            for got in self.receiver.taken
        ]


def _user_of(body: bytes) -> str:
    """Webhooks tell the user in the body alone."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("user", "")) if isinstance(found, dict) else ""


class _ReceiverBroker:
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.folder = Path()
        self.port = self.tls_port = receiver.port

    def start(self) -> None:
        self._receiver.start()

    def kill(self) -> None:
        self._receiver.stop()

    def pause(self) -> None:
        self._receiver.pause()

    def resume(self) -> None:
        self._receiver.resume()

    def end(self) -> None:
        self._receiver.resume()
        self._receiver.stop()


class RedisEnd:
    def __init__(self, server: RedisServer, name: str) -> None:
        self.broker: Broker | None = server
        self._key = f"stream:{name}"
        address = f"redis://{LOOPBACK}:{server.port}/0"
        self.definition = definition("redis", address=address, stream=self._key, keep=1_000_000)

    def came(self) -> list[Came]:
        port = int((self.definition.address or "").rpartition(":")[2].partition("/")[0])
        with redis.Redis(port=port) as client:
            rows: Any = client.xrange(self._key)
        return [
            Came(row[b"id"].decode(), row[b"user_id"].decode(), row[b"trigger"].decode(), row[b"body"])
            for _, row in rows
        ]


class RabbitEnd:
    def __init__(self, server: RabbitServer, name: str) -> None:
        self.broker: Broker | None = server
        self._came: list[Came] = []
        self._name = name
        self.url = f"amqp://guest:guest@{LOOPBACK}:{server.port}/"
        asyncio.run(self._declare())
        self.definition = definition("rabbitmq", address=f"amqp://{LOOPBACK}:{server.port}", exchange=name)

    def came(self) -> list[Came]:
        asyncio.run(self._drain())
        return [*self._came]

    async def _declare(self) -> None:
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            exchange = await channel.declare_exchange(self._name, aio_pika.ExchangeType.TOPIC, durable=True)
            queue = await channel.declare_queue(self._name, durable=True)
            await queue.bind(exchange, "#")

    async def _drain(self) -> None:
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            queue = await channel.get_queue(self._name)
            while (got := await queue.get(fail=False)) is not None:
                user = str(got.headers["user_id"])
                self._came.append(Came(got.message_id or "", user, got.type or "", got.body))
                await got.ack()


class KafkaEnd:
    def __init__(self, server: KafkaServer, name: str) -> None:
        self.broker: Broker | None = server
        self._servers = f"{LOOPBACK}:{server.port}"
        self._topic = name
        admin = AdminClient({"bootstrap.servers": self._servers})
        admin.create_topics([NewTopic(name, num_partitions=4)])[name].result(30)
        while any(each.leader < 0 for each in admin.list_topics(name, 30).topics[name].partitions.values()):
            time.sleep(0.01)
        self.definition = definition("kafka", address=self._servers, topic=name)

    def came(self) -> list[Came]:
        options = {"bootstrap.servers": self._servers, "group.id": "tests", "enable.auto.commit": False}
        consumer = Consumer(options)
        try:
            return [each for partition in range(4) for each in self._in(consumer, partition)]
        finally:
            consumer.close()

    def _in(self, consumer: Consumer, partition: int) -> Iterator[Came]:
        at = TopicPartition(self._topic, partition, 0)
        end = _end_of(consumer, at)
        consumer.assign([at])
        position = 0
        while position < end:
            got = consumer.poll(30)
            assert got is not None
            assert got.error() is None
            headers: dict[str, Any] = dict(got.headers() or [])
            key: Any = got.key()
            yield Came(headers["id"].decode(), key.decode(), headers["trigger"].decode(), got.value() or b"")
            position = (got.offset() or 0) + 1


def _end_of(consumer: Consumer, at: TopicPartition) -> int:
    """Behind its last message; a broker that has just begun needs a moment until it knows."""
    while True:
        try:
            found: Any = consumer.get_watermark_offsets(at, timeout=30)
        except KafkaException:
            time.sleep(0.05)
        else:
            return int(found[1])


# ---- their servers -------------------------------------------------------------------------

SERVERS: dict[str, Callable[[Path], Broker]] = {
    "redis": RedisServer,
    "rabbitmq": RabbitServer,
    "kafka": KafkaServer,
}
KINDS = ("file", "webhook", *SERVERS)


@contextmanager
def end_of(kind: str, server: Any, folder: Path, name: str) -> Iterator[End]:
    """A fresh destination of a kind; ``server`` is the running broker, if its kind has one."""
    if kind == "file":
        yield FileEnd(folder)
    elif kind == "webhook":
        end = WebhookEnd(folder)
        assert end.broker is not None
        end.broker.start()
        try:
            yield end
        finally:
            end.broker.end()
    elif kind == "redis":
        yield RedisEnd(server, name)
    elif kind == "rabbitmq":
        yield RabbitEnd(server, name)
    else:
        yield KafkaEnd(server, name)
