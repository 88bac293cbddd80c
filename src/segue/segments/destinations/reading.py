"""The keys of a destination's file: which kind takes which, and what may stand under each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from segue.domain.errors import Diagnostic
from segue.domain.limits import DESTINATION_BATCH_MAX, DESTINATION_CONNECTIONS_MAX, DESTINATION_RETRY_MS_MAX
from segue.segments.destinations.definition import DestinationDefinition, Limits, destination_of
from segue.segments.fields import (
    Field,
    Reader,
    Sheet,
    duration,
    head,
    integer,
    one_of,
    read_fields,
    text,
    truth,
)
from segue.segments.nodes import Entries, Items, Node, Scalar

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}", re.ASCII)
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._\-]{1,253}):[0-9]{1,5}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9._:\-]{1,249}", re.ASCII)
_KEY = re.compile(r"[ -~]{0,255}", re.ASCII)
_PATH = re.compile(r"(?:[A-Za-z0-9_\-][A-Za-z0-9._\-]{0,99}(?:/(?!$)|$)){1,9}", re.ASCII)
_SECRETS_MAX = 2
_TIMEOUT_MS_MAX = 60_000


def _variable(node: Node, key: str, sheet: Sheet) -> str | None:
    if isinstance(node, Scalar) and _VARIABLE.fullmatch(node.text):
        return node.text
    # What stands here may be the secret itself: neither it nor its line is repeated.
    hint = "put the secret into the environment, for example as CRM_SECRET, and write that name here"
    message = f"{key} is no name of an environment variable"
    sheet.findings.append(Diagnostic("E488", message, hint, sheet.place(node)))
    return None


def _variables(node: Node, key: str, sheet: Sheet) -> tuple[str, ...] | None:
    items = [*node] if isinstance(node, Items) else [node]
    found = [_variable(each, key, sheet) for each in items]
    if not 1 <= len(found) <= _SECRETS_MAX:
        hint = "two are for the time in which receivers change from the old one to the new one"
        sheet.refuse("E488", node, f"{key} holds {len(found)} names, not one or two", hint)
        return None
    names = tuple(each for each in found if each is not None)
    return names if len(names) == len(found) else None


def _matching(pattern: re.Pattern[str], wanted: str, hint: str) -> Reader:
    def read(node: Node, key: str, sheet: Sheet) -> str | None:
        if isinstance(node, Scalar) and node.plain() is not None and pattern.fullmatch(node.text):
            return node.text
        if isinstance(node, Scalar):
            sheet.refuse("E488", node, f"{key} is not {wanted}", hint)
        else:
            sheet.wrong_type(key, node, wanted, hint)
        return None

    return read


def _between(least: int, most: int) -> Reader:
    def read(node: Node, key: str, sheet: Sheet) -> int | None:
        found = integer(node, key, sheet)
        if found is not None and not least <= found <= most:
            sheet.refuse("E488", node, f"{key} is {found:,}", f"it goes from {least:,} to {most:,}")
            return None
        return found

    return read


def _at_most(most_ms: int, said: str) -> Reader:
    def read(node: Node, key: str, sheet: Sheet) -> int | None:
        found = duration(node, key, sheet)
        if found is not None and found > most_ms:
            sheet.refuse("E488", node, f"{key} is longer than {said}", f"it goes up to {said}")
            return None
        return found

    return read


LIMIT_FIELDS = (
    Field("batch", _between(1, DESTINATION_BATCH_MAX), "how many messages are handed over at a time"),
    Field(
        "connections", _between(1, DESTINATION_CONNECTIONS_MAX), "how many requests go to a webhook at once"
    ),
    Field("timeout", _at_most(_TIMEOUT_MS_MAX, "1m"), "how long one attempt may take"),
    Field("retry", _at_most(DESTINATION_RETRY_MS_MAX, "7d"), "how long a message is tried until it is dead"),
)


def _limits(node: Node, key: str, sheet: Sheet) -> Limits | None:
    noted = len(sheet.findings)
    values = read_fields(node, key, LIMIT_FIELDS, sheet)
    if values is None or len(sheet.findings) > noted:
        return None
    renamed = {f"{each}_ms" if each in ("timeout", "retry") else each: values[each] for each in values}
    return Limits(**renamed)


# ---- addresses -----------------------------------------------------------------------------


def _is_url(address: str, *schemes: str) -> bool:
    """Whether it is SCHEME://HOST[:PORT][/PATH], and nothing else stands in it."""
    try:
        parts = urlsplit(address)
        fine = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and " " not in address
    return fine and plain and not (parts.query or parts.fragment or "@" in address or "\\" in address)


def _is_hosts(address: str) -> bool:
    return all(_HOST.fullmatch(each.strip()) for each in address.split(","))


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of destination needs and may have, beside what all of them have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    fits: Callable[[str], bool] | None = None
    address: str = ""


KINDS: dict[str, Kind] = {
    "webhook": Kind(
        ("address", "secrets"), (), lambda url: _is_url(url.partition("?")[0], "http", "https"),
        "https://crm.shop.example/hooks/segue",
    ),
    "rabbitmq": Kind(
        ("address", "exchange"), ("routing_key", "username", "password", "ca"),
        lambda url: _is_url(url, "amqp", "amqps"), "amqp://rabbit.internal:5672/shop",
    ),
    "kafka": Kind(
        ("address", "topic"), ("tls", "mechanism", "username", "password", "ca"), _is_hosts,
        "kafka1.internal:9092, kafka2.internal:9092",
    ),
    "redis": Kind(
        ("address", "stream"), ("keep", "username", "password", "ca"),
        lambda url: _is_url(url, "redis", "rediss"), "redis://redis.internal:6379/0",
    ),
    "file": Kind(("path",), ("keep", "rotate_bytes")),
}  # fmt: skip
"""Every kind of destination that there is."""

MECHANISMS = ("plain", "scram-sha-256", "scram-sha-512")
"""Ways to log in to Kafka."""

_COMMON = ("destination", "kind", "owner", "description", "title", "limits")

_exchange = _matching(_KEY, "plain text of up to 255 letters", 'write "" for the default exchange')
_routing_key = _matching(_KEY, "plain text of up to 255 letters", "leave it out for the trigger's name")
_word = _matching(_WORD, "such a name", "it takes letters, digits, points, colons, hyphens and underscores")
_path = _matching(_PATH, "a path within a folder", "write it like crm/changes.jsonl: no leading slash, no ..")

DESTINATION_FIELDS = (
    *head("destination"),
    Field("kind", one_of(*KINDS), "what stands at its other end", required=True),
    Field("address", text, "where it is"),
    Field("secrets", _variables, "environment variables that hold the secrets that sign, the new one first"),
    Field("username", _variable, "the environment variable with the name to log in with"),
    Field("password", _variable, "the environment variable with its password"),
    Field("ca", _variable, "the environment variable with the path of a file of authorities to trust"),
    Field("exchange", _exchange, "the exchange that is published to"),
    Field("routing_key", _routing_key, "the routing key; the trigger's name unless said"),
    Field("topic", _word, "the topic that is written to"),
    Field("tls", truth, "whether the connection is encrypted"),
    Field("mechanism", one_of(*MECHANISMS), "how Kafka is logged in to"),
    Field("stream", _word, "the key of the stream"),
    Field("path", _path, "the file, in the folder deliveries/ of the data folder"),
    Field("keep", _between(1, 1_000_000_000), "how many entries of the stream, or files, are kept"),
    Field("rotate_bytes", _between(1_024, 2**40), "how large a file grows until the next one begins"),
    Field("limits", _limits, "its bounds: batch, connections, timeout, retry"),
)


def make_destination(values: dict[str, Any], node: Entries, sheet: Sheet) -> DestinationDefinition | None:
    """The destination that the keys make, if they fit its kind."""
    word = values["kind"]
    kind = KINDS[word]
    noted = len(sheet.findings)
    for key, (key_node, _) in node.entries.items():
        if key not in (*_COMMON, *kind.required, *kind.optional):
            hint = f"a {word} takes " + ", ".join((*kind.required, *kind.optional))
            sheet.refuse("E488", key_node, f"a {word} takes no {key}", hint)
    meanings = {field.key: field.meaning for field in DESTINATION_FIELDS}
    for key in kind.required:
        if key not in node.entries:
            sheet.refuse("E421", node, f"a {word} needs {key}", f"add `{key}: …`: {meanings[key]}")
    if "address" in values and kind.fits is not None and not kind.fits(values["address"]):
        hint = f"write it like {kind.address}; names and passwords go into the environment"
        sheet.refuse("E489", node.entries["address"][1], f"this is no address of a {word}", hint)
    if len(sheet.findings) > noted:
        return None
    found = destination_of(values, sheet.origin(node.value("address") or node.value("path")))
    _fit_together(found, node, sheet)
    return None if len(sheet.findings) > noted else found


def _fit_together(found: DestinationDefinition, node: Entries, sheet: Sheet) -> None:
    """Notes keys that mean nothing without others."""

    def refuse(key: str, message: str, hint: str) -> None:
        sheet.refuse("E488", node.entries[key][0], message, hint)

    if found.ca and not found.encrypted:
        refuse("ca", "ca says whom to trust, but the connection is not encrypted", _ENCRYPTED[found.kind])
    if found.username and not found.password:
        refuse("username", "username has no password beside it", "add `password: …`, a variable's name too")
    if found.password and not found.username and found.kind != "redis":
        refuse("password", "password has no username beside it", "add `username: …`, a variable's name too")
    if found.mechanism and not found.username:
        refuse("mechanism", "mechanism says how to log in, but not as whom", "add `username` and `password`")


_ENCRYPTED = {
    "rabbitmq": "write `address` with amqps://",
    "kafka": "add `tls: true`",
    "redis": "write `address` with rediss://",
}
