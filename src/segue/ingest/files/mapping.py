"""Which column of a table means what.

    --map user=customer,event="Order Completed",timestamp=ordered_at,properties=price,quantity

or the same as a small YAML file, where properties may also be renamed: ``properties: {revenue: price}``.
"""

from __future__ import annotations

from collections.abc import Mapping as Mapped
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from segue.domain.event import TYPES
from segue.ingest.files import faults

_FILE_BYTES_MAX = 64 * 1024
_SINGLE = ("user", "anonymous", "event", "type", "timestamp", "received_at", "message_id", "group")
_MANY = ("properties", "traits")
_ENDINGS = (".yaml", ".yml", ".json")

USUAL = {
    "user": ("user_id", "userId", "userid", "user", "customer_id", "customerId", "customer"),
    "anonymous": ("anonymous_id", "anonymousId"),
    "event": ("event", "event_name", "eventName"),
    "timestamp": ("timestamp", "ts", "time", "event_time", "eventTime", "datetime", "date", "occurred_at"),
    "received_at": ("received_at", "receivedAt"),
    "message_id": ("message_id", "messageId"),
}
"""The names by which a column is known when no mapping names it, best first."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same text in every row: ``event: '"Order Completed"'``."""

    text: str


Column = str | Constant


@dataclass(frozen=True, slots=True)
class Mapping:
    """What the user said, or with :meth:`settled` what holds for a table; None is not said."""

    user: Column | None = None
    anonymous: Column | None = None
    event: Column | None = None
    type: Column | None = None
    timestamp: Column | None = None
    received_at: Column | None = None
    message_id: Column | None = None
    group: Column | None = None
    properties: Mapped[str, str] | None = None
    """Name of the property to its column; settled: all columns that nothing else takes."""
    traits: Mapped[str, str] | None = None
    timezone: str = "UTC"

    def settled(self, path: Path, columns: Sequence[str]) -> Mapping:
        """The mapping for a table with these columns; E544 when it names or needs one that is not there."""
        known = {name: getattr(self, name) or _usual(name, columns) for name in _SINGLE}
        for name, column in known.items():
            _check(path, name, column, columns)
        for name, column in (*(self.properties or {}).items(), *(self.traits or {}).items()):
            _check(path, name, column, columns)
        if known["user"] is None and known["anonymous"] is None:
            raise faults.no_column(path, "user", None, columns)
        if known["timestamp"] is None and known["received_at"] is None:
            raise faults.no_column(path, "timestamp", None, columns)
        if known["event"] is None and known["type"] in (None, Constant("track")):
            raise faults.no_column(path, "event", None, columns)
        settled = replace(self, **known)  # type: ignore[arg-type] # the single columns alone
        return settled if self.properties is not None else settled._with_the_rest(columns)

    def _with_the_rest(self, columns: Sequence[str]) -> Mapping:
        taken = {getattr(self, name) for name in _SINGLE} | set((self.traits or {}).values())
        return replace(self, properties={name: name for name in columns if name not in taken})

    def ids(self, columns: Sequence[str]) -> list[str]:
        """The columns that hold ids or names, and are text whatever they look like."""
        named = {self.user, self.anonymous, self.message_id, self.group, self.event, self.type}
        usual = {name for word in ("user", "anonymous", "message_id") for name in USUAL[word]}
        return [name for name in columns if name in named | usual]

    @property
    def only_tracks(self) -> bool:
        """Whether every row is a track call of a user."""
        plain = self.type in (None, Constant("track")) and not self.traits
        return plain and self.anonymous is None and self.group is None


def _usual(name: str, columns: Sequence[str]) -> str | None:
    return next((usual for usual in USUAL.get(name, ()) if usual in columns), None)


def _check(path: Path, name: str, column: Column | None, columns: Sequence[str]) -> None:
    if isinstance(column, str) and column not in columns:
        raise faults.no_column(path, name, column, columns)
    if name == "type" and isinstance(column, Constant) and column.text not in TYPES:
        raise faults.bad_mapping(f'"{column.text}" is no type', f"the types are {', '.join(TYPES)}")


def read_mapping(text: str) -> Mapping:
    """What stands after ``--map``: the mapping itself or the name of a YAML file. E545 when it is neither."""
    if text.endswith(_ENDINGS):
        return _of_file(Path(text))
    said: dict[str, list[str]] = {}
    current: list[str] | None = None
    for part in _parts(text):
        name, equals, value = part.partition("=")
        if equals:
            current = said.setdefault(name.strip(), [])
            current.append(value.strip())
        elif current is not None:
            current.append(part.strip())
        else:
            raise faults.bad_mapping(f'the mapping begins with "{part}"')
    return _of_words({name: values if name in _MANY else ",".join(values) for name, values in said.items()})


def _parts(text: str) -> list[str]:
    """Cut at commas that stand in no quotes."""
    parts, quoted = [""], False
    for letter in text:
        quoted ^= letter == '"'
        if letter == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _of_file(path: Path) -> Mapping:
    try:
        data = path.read_bytes()
        if len(data) > _FILE_BYTES_MAX:
            raise faults.bad_mapping(
                f"{path} has {len(data):,} bytes", f"a mapping has at most {_FILE_BYTES_MAX:,}"
            )
        text = data.decode("utf-8-sig")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise faults.bad_mapping(f"{path} uses an alias", "write the value out")
        words = yaml.safe_load(text)
    except OSError as error:
        raise faults.no_file(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise faults.encoding(path, str(error)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise faults.bad_mapping(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(words, dict):
        raise faults.bad_mapping(f"{path} is not a mapping of words to columns")
    return _of_words(words)


def _of_words(words: Mapped[object, object]) -> Mapping:
    known = {part.name for part in fields(Mapping)}
    for word in words:
        if word not in known:
            raise faults.bad_mapping(
                f'"{word}" is not a word of a mapping', f"the words are {', '.join(sorted(known))}"
            )
    single = {name: _column(name, words[name]) for name in _SINGLE if name in words}
    many = {name: _named(name, words[name]) for name in _MANY if name in words}
    return Mapping(**single, **many, timezone=_zone(words.get("timezone", "UTC")))  # type: ignore[arg-type]


def _column(name: str, value: object) -> Column:
    if not isinstance(value, str) or not value:
        raise faults.bad_mapping(f"{name} is {value!r}, not the name of a column")
    if len(value) > 1 and value[0] == value[-1] == '"':
        return Constant(value[1:-1])
    return value


def _named(name: str, value: object) -> dict[str, str]:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return {item: item for item in value if item}
    if isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair):
        return dict(value)
    raise faults.bad_mapping(f"{name} is neither a list of columns nor names with their columns")


def _zone(value: object) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise faults.bad_mapping(f'"{value}" is no time zone', "write for example Europe/Berlin") from None
