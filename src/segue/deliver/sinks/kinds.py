"""Every kind of destination that there is, and how a sink is made of a definition."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from segue.deliver.sinks.sink import Sink
from segue.domain.address import Networks
from segue.domain.errors import SegueError, refusal
from segue.domain.outbound import TargetError
from segue.log.lines import FOLDER
from segue.segments.destinations.definition import (
    FILES_KEPT,
    MECHANISM,
    ROTATE_BYTES,
    STREAM_ENTRIES,
    DestinationDefinition,
)


@dataclass(frozen=True, slots=True)
class Means:
    """What sinks need beside their definitions: secrets, a folder, and which private networks are open."""

    environment: Mapping[str, str]
    folder: Path
    private_targets: Networks


def sink_of(definition: DestinationDefinition, means: Means) -> Sink:
    """A sink that is not connected yet.

    SegueError: E489 bad address, E820 no library, E821 no secret, E822 no file of authorities.
    """
    for variable in definition.variables:
        if not means.environment.get(variable):
            hint = f"set {variable} for the process that runs `segue serve`, and start it anew"
            raise refusal("E821", f"{definition.name} needs the environment variable {variable}", hint)
    try:
        return _MAKERS[definition.kind](definition, means)
    except ModuleNotFoundError as missing:
        raise _no_library(definition, missing) from missing
    except TargetError as refused:
        hint = "name an address on the public internet, or open the network with `private_targets`"
        raise refusal("E489", f"{definition.name} does not go there: {refused}", hint) from refused


def _no_library(definition: DestinationDefinition, missing: ModuleNotFoundError) -> SegueError:
    message = f"{definition.name} is of kind {definition.kind}, and {missing.name} is not installed"
    return refusal("E820", message, f"pip install 'segue[{definition.kind}]'")


def _webhook(definition: DestinationDefinition, means: Means) -> Sink:
    from segue.deliver.sinks.webhook import Bounds, Webhook

    secrets = [means.environment[each] for each in definition.secrets]
    limits = definition.limits
    bounds = Bounds(means.private_targets, limits.connections, limits.timeout_ms)
    return Webhook(definition.address or "", secrets, bounds)


def _rabbitmq(definition: DestinationDefinition, means: Means) -> Sink:
    from segue.deliver.sinks.rabbitmq import Exchange, RabbitMq

    exchange = Exchange(
        definition.address or "",
        definition.exchange or "",
        definition.routing_key,
        authorities=_authorities(definition, means),
        **_login(definition, means),
    )
    return RabbitMq(exchange, definition.limits.timeout_ms)


def _kafka(definition: DestinationDefinition, means: Means) -> Sink:
    from segue.deliver.sinks.kafka import Kafka, Topic

    servers = ",".join(each.strip() for each in (definition.address or "").split(","))
    topic = Topic(
        servers,
        definition.topic or "",
        definition.tls,
        _authorities(definition, means),
        mechanism=(definition.mechanism or MECHANISM).upper(),
        **_login(definition, means),
    )
    return Kafka(topic, definition.limits.timeout_ms)


def _redis(definition: DestinationDefinition, means: Means) -> Sink:
    from segue.deliver.sinks.redis import RedisStream, Stream

    entries = definition.keep or STREAM_ENTRIES
    stream = Stream(
        definition.address or "",
        definition.stream or "",
        entries,
        _authorities(definition, means),
        **_login(definition, means),
    )
    return RedisStream(stream, definition.limits.timeout_ms)


def _file(definition: DestinationDefinition, means: Means) -> Sink:
    from segue.deliver.sinks.file import Lines, LinesFile

    path = means.folder / FOLDER / (definition.path or "")
    lines = Lines(path, definition.rotate_bytes or ROTATE_BYTES, definition.keep or FILES_KEPT)
    return LinesFile(lines)


def _login(definition: DestinationDefinition, means: Means) -> dict[str, str]:
    named = {"username": definition.username, "password": definition.password}
    return {key: means.environment[variable] for key, variable in named.items() if variable}


def _authorities(definition: DestinationDefinition, means: Means) -> Path | None:
    """The file of those to trust, looked into here: libraries say little of one that is no such file."""
    if definition.ca is None:
        return None
    path = Path(means.environment[definition.ca])
    try:
        ssl.create_default_context(cafile=path)
    except OSError as fault:
        why = "holds no certificates" if isinstance(fault, ssl.SSLError) else fault.strerror
        hint = f"let {definition.ca} be the path of a PEM file with those who sign for {definition.name}"
        raise refusal("E822", f"the file that {definition.ca} names is not taken: {why}", hint) from fault
    return path


_MAKERS: dict[str, Callable[[DestinationDefinition, Means], Sink]] = {
    "webhook": _webhook,
    "rabbitmq": _rabbitmq,
    "kafka": _kafka,
    "redis": _redis,
    "file": _file,
}
