"""Messages into an exchange of RabbitMQ, each confirmed by the broker before it counts.

What no queue takes is returned by the broker, and counts as not taken. Confirmations are waited for many at
a time, but a user's next message is published only after the one before was confirmed: a broker may turn one
down and take the next.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractExchange
from aio_pika.connection import make_url
from aio_pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelInvalidStateError,
    DeliveryError,
    ProbableAuthenticationError,
    PublishError,
)
from aiormq.exceptions import InvalidFrameError

from segue.deliver.sinks.sink import BEHIND, DELIVERED, Message, Outcome, Refused, Retry
from segue.deliver.sinks.words import words

_CLOSING_SECONDS = 0.5

# What goes wrong is told by outcomes; the library would tell each attempt a second time.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)
logging.getLogger("aio_pika").setLevel(logging.CRITICAL)
_FAULTS = (AMQPError, OSError, RuntimeError, asyncio.CancelledError)
"""What a connection that goes in the middle of something ends it with: also that a channel is closed."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where to publish: ``url`` has no login in it, the routing key is the trigger's name if None.

    ``authorities`` is a PEM file of those to trust instead of the system's.
    """

    url: str
    name: str
    routing_key: str | None = None
    username: str = "guest"
    password: str = "guest"
    authorities: Path | None = None


class RabbitMq:
    """A sink that publishes; ``timeout_ms`` is for a connection, and for the confirmations of one round."""

    def __init__(self, exchange: Exchange, timeout_ms: int) -> None:
        self._exchange = exchange
        self._seconds = timeout_ms / 1_000
        self._runner = asyncio.Runner()
        self._connection: AbstractConnection | None = None
        self._open: AbstractExchange | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Publishes, and waits for the broker's confirmations."""
        return self._runner.run(self._send(messages))

    def close(self) -> None:
        """Ends the connection and the loop that it lived in."""
        self._runner.run(self._disconnect())
        self._runner.close()

    async def _send(self, messages: Sequence[Message]) -> list[Outcome]:
        try:
            exchange = self._open or await self._connect()
        except _FAULTS as fault:
            await self._disconnect()
            return [Retry(f"no connection: {_words(fault)}", down=True)] * len(messages)
        outcomes: list[Outcome] = [BEHIND] * len(messages)
        held: set[str] = set()
        for places in _rounds(messages):
            free = [place for place in places if messages[place].key not in held]
            found = await self._round(exchange, [messages[place] for place in free])
            for place, outcome in zip(free, found, strict=True):
                outcomes[place] = outcome
            held |= {messages[place].key for place in free if isinstance(outcomes[place], Retry)}
            if any(isinstance(each, Retry) and each.down for each in found):
                await self._disconnect()
                break
        return outcomes

    async def _round(self, exchange: AbstractExchange, messages: Sequence[Message]) -> list[Outcome]:
        """Publishes messages of different users at once."""
        tasks = [asyncio.ensure_future(self._published(exchange, message)) for message in messages]
        if tasks:
            await asyncio.wait(tasks)
        return [task.result() for task in tasks]

    async def _published(self, exchange: AbstractExchange, message: Message) -> Outcome:
        try:
            await exchange.publish(
                aio_pika.Message(
                    message.body,
                    message_id=message.id,
                    timestamp=datetime.fromtimestamp(message.at / 1_000, UTC),
                    content_type="application/json",
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    type=message.trigger,
                    app_id="segue",
                    headers={"user_id": message.key},
                ),
                self._exchange.routing_key or message.trigger,
                timeout=self._seconds,
            )
        except PublishError:
            return Retry("no queue took it: nothing is bound for its routing key")
        except DeliveryError:
            return Retry("the broker turned it down")
        except (TypeError, ValueError) as fault:
            return Refused(f"it cannot be told in AMQP: {fault}")
        except _FAULTS as fault:
            return Retry(f"no confirmation: {_words(fault)}", down=True)
        return DELIVERED

    # ---- connecting --------------------------------------------------------------------------

    async def _connect(self) -> AbstractExchange:
        parts = urlsplit(self._exchange.url)
        encrypted = parts.scheme == "amqps"
        async with asyncio.timeout(self._seconds):
            # Between sends nobody would answer heartbeats: what is gone is found by the next send.
            url = make_url(
                host=parts.hostname or "localhost",
                port=parts.port or (5671 if encrypted else 5672),
                login=self._exchange.username,
                password=self._exchange.password,
                virtualhost=unquote(parts.path[1:]) or "/",
                ssl=encrypted,
                heartbeat=0,
            )
            context = ssl.create_default_context(cafile=self._exchange.authorities) if encrypted else None
            # Held from the first moment: one that is let go of half open would ask for a loop to close it in.
            connection = self._connection = aio_pika.Connection(url, ssl_context=context)
            await connection.connect(timeout=self._seconds)
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            if self._exchange.name:
                self._open = await channel.get_exchange(self._exchange.name, ensure=True)
            else:
                self._open = channel.default_exchange
        return self._open

    async def _disconnect(self) -> None:
        connection, self._connection, self._open = self._connection, None, None
        if connection is not None:
            with suppress(*_FAULTS):
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await connection.close()
            await connection.close()  # by now without its line: it is closed, also where nobody said goodbye


def _rounds(messages: Sequence[Message]) -> Iterator[list[int]]:
    """Places of messages in rounds, in each of which every key is once; the n-th of a key is in the n-th."""
    rounds: list[list[int]] = []
    seen: dict[str, int] = {}
    for place, message in enumerate(messages):
        number = seen.get(message.key, 0)
        seen[message.key] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(place)
    return iter(rounds)


def _words(fault: BaseException) -> str:
    if isinstance(fault, TimeoutError):
        return "not in time"
    if isinstance(fault, InvalidFrameError):
        return "the virtual host is not there, or not open to this login"
    if isinstance(fault, ChannelInvalidStateError):
        return "the channel was closed"
    return words(fault, (AuthenticationError, ProbableAuthenticationError))
