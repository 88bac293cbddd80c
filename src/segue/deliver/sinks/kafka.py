"""Messages into a topic of Kafka, under the user as key, acknowledged by all replicas in sync.

The producer is idempotent and leaves no gap: after a message that the broker turned down, it brings in none
that stands behind it. It gives up none by itself, for behind that it would go on: when the time is over, all
that is left is taken from it at once, and a new one takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Report

from segue.deliver.sinks.sink import BEHIND, DELIVERED, Message, Outcome, Refused, Retry

_TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE


@dataclass(frozen=True, slots=True)
class Topic:
    """Where to write: ``servers`` is HOST:PORT with commas between; a login means SASL."""

    servers: str
    name: str
    tls: bool = False
    username: str | None = None
    password: str | None = None

    @property
    def security(self) -> dict[str, str]:
        """What librdkafka is told of encryption and login."""
        protocol = ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT")
        found = {"security.protocol": protocol}
        if self.username:
            found |= {
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": self.username,
                "sasl.password": self.password or "",
            }
        return found


class Kafka:
    """A sink that produces; ``timeout_ms`` is from the handing over to the acknowledgement."""

    def __init__(self, topic: Topic, timeout_ms: int) -> None:
        self._topic = topic
        self._timeout_ms = timeout_ms
        self._producer: Producer | None = None
        self._heard = ""

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Hands all over and waits for what becomes of each."""
        producer = self._producer = self._producer or self._made()
        silent = Retry("no acknowledgement in time", down=True)
        outcomes: list[Outcome] = [silent] * len(messages)
        for place, message in enumerate(messages):
            refused = self._handed_over(producer, message, _noting(outcomes, place))
            if refused is not None:
                outcomes[place] = refused
            if isinstance(refused, Retry):
                break
        producer.flush(self._timeout_ms / 1_000)
        if any(isinstance(each, Retry) for each in outcomes):
            if self._heard:
                told = replace(silent, reason=f"{silent.reason}: {self._heard}")
                outcomes = [told if each == silent else each for each in outcomes]
            self._drop()
        return _behind(messages, outcomes)

    def close(self) -> None:
        """Ends the producer."""
        self._drop()

    def _handed_over(
        self, producer: Producer, message: Message, note: Callable[[KafkaError | None, Report], None]
    ) -> Retry | Refused | None:
        headers = {"id": message.id, "trigger": message.trigger, "at": str(message.at)}
        try:
            producer.produce(
                self._topic.name,
                message.body,
                message.key.encode(),
                on_delivery=note,
                headers=[(name, value.encode()) for name, value in headers.items()],
            )
        except BufferError:
            return Retry("the producer holds too much already", down=True)
        except KafkaException as fault:
            return _outcome(fault.args[0])
        return None

    def _hear(self, fault: KafkaError) -> None:
        """The producer tells what it tries to get over; it is of interest when it did not."""
        self._heard = fault.str()

    def _made(self) -> Producer:
        self._heard = ""
        return Producer(
            {
                "bootstrap.servers": self._topic.servers,
                "client.id": "segue",
                "enable.idempotence": True,
                "enable.gapless.guarantee": True,
                "acks": "all",
                "linger.ms": 1,
                # As clients in Java place a key, so that all writers of a topic agree.
                "partitioner": "murmur2_random",
                "message.timeout.ms": 0,
                "log_level": 0,
                "error_cb": self._hear,
                "reconnect.backoff.ms": 50,
                "reconnect.backoff.max.ms": 1_000,
                **self._topic.security,
            }
        )

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            # What was on its way is given up here and sent again by the next producer: a fault to this one.
            with suppress(KafkaException):
                producer.poll(0)


def _noting(outcomes: list[Outcome], place: int) -> Callable[[KafkaError | None, Report], None]:
    def note(fault: KafkaError | None, _report: Report) -> None:
        outcomes[place] = DELIVERED if fault is None else _outcome(fault)

    return note


def _outcome(fault: KafkaError) -> Retry | Refused:
    if fault.code() == _TOO_LARGE:
        return Refused("larger than the broker takes")
    return Retry(fault.str(), down=True)


def _behind(messages: Sequence[Message], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What stands behind a message of its user that was not taken was not sent."""
    held: set[str] = set()
    found = []
    for message, outcome in zip(messages, outcomes, strict=True):
        waits = message.key in held and isinstance(outcome, Retry)
        found.append(BEHIND if waits else outcome)
        if isinstance(outcome, Retry):
            held.add(message.key)
    return found
