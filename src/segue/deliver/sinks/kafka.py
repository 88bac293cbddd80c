"""Messages into a topic of Kafka, under the user as key, acknowledged by all replicas in sync.

The producer is idempotent and leaves no gap: after a message that the broker turned down, it brings in none
that stands behind it. It gives up none by itself, for behind that it would go on: when the time is over, all
that is left is taken from it at once, and a new one takes over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Report

from segue.deliver.sinks.sink import BEHIND, DELIVERED, Message, Outcome, Refused, Retry
from segue.deliver.sinks.words import CERTIFICATE, LOGIN

# What goes wrong is told by outcomes. That a producer is given up with messages under way is no news either,
# and would be written past the server's log.
_silent = logging.getLogger("segue.deliver.kafka.library")
_silent.setLevel(logging.CRITICAL + 1)

_TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE
_ALL_DOWN = KafkaError._ALL_BROKERS_DOWN
_LOGIN, _TLS = KafkaError._AUTHENTICATION, KafkaError._SSL
_TURNED_AWAY = {_LOGIN, _TLS}
_LOOK_SECONDS = 0.1
_HEARD_MAX = 10


@dataclass(frozen=True, slots=True)
class Topic:
    """Where to write: ``servers`` is HOST:PORT with commas between; a login means SASL.

    ``authorities`` is a PEM file of those to trust instead of the system's.
    """

    servers: str
    name: str
    tls: bool = False
    authorities: Path | None = None
    mechanism: str = ""
    username: str | None = None
    password: str | None = None

    @property
    def security(self) -> dict[str, str]:
        """What librdkafka is told of encryption and login."""
        protocol = ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT")
        found = {"security.protocol": protocol}
        if self.tls:
            found["ssl.endpoint.identification.algorithm"] = "https"
        if self.authorities is not None:
            found["ssl.ca.location"] = str(self.authorities)
        if self.username:
            found |= {
                "sasl.mechanism": self.mechanism,
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
        self._heard: list[KafkaError] = []

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
        self._wait(producer)
        if any(isinstance(each, Retry) for each in outcomes):
            told = replace(silent, reason=_told(self._heard, silent.reason))
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

    def _wait(self, producer: Producer) -> None:
        """Until all is answered or the time is over; from brokers that turn everybody away nothing comes."""
        ends = time.monotonic() + self._timeout_ms / 1_000
        while producer.flush(max(0.0, min(_LOOK_SECONDS, ends - time.monotonic()))):
            codes = {fault.code() for fault in self._heard}
            if time.monotonic() >= ends or (codes >= {_ALL_DOWN} and codes & _TURNED_AWAY):
                break

    def _hear(self, fault: KafkaError) -> None:
        """The producer tells what it tries to get over; it is of interest when it did not."""
        self._heard = [*self._heard[-_HEARD_MAX:], fault]

    def _made(self) -> Producer:
        self._heard = []
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
            },
            logger=_silent,
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


def _told(heard: Sequence[KafkaError], otherwise: str) -> str:
    """The fault that says most of those that were heard: brokers that are down are so for a reason."""
    if not heard:
        return otherwise
    fault = max(heard, key=lambda each: (each.code() in _TURNED_AWAY, each.code() != _ALL_DOWN))
    said = fault.str().partition("/bootstrap: ")[2] or fault.str()
    if fault.code() == _LOGIN:
        return f"{LOGIN}: {said}"
    if "certificate" in said:
        return f"{CERTIFICATE}: it is of no authority that is trusted here, or of another name"
    return f"{otherwise}: {said}"


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
