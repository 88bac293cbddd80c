"""Every option of a workspace in one list, read once from ``segue.yaml`` and the environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from segue.domain.address import Networks, parse_networks
from segue.domain.rate import Rate, parse_rate
from segue.domain.time import DAY, format_duration, parse_duration

ENVIRONMENT_PREFIX = "SEGUE_"
_TEXT_CHARACTERS_MAX = 200
_PORT_MAX = 65_535
_CACHES_MAX = 16
_THREADS_MAX = 256
NOTHING = "none"
"""How an empty list of values is spelled."""
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9_.\-]{1,253}(:\d{1,5})?")
_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,253}/?")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options of a workspace are set to; durations in ms."""

    timezone: ZoneInfo
    session_gap_ms: int
    events_mode: str
    host: str
    port: int
    quality_interval_ms: int
    deliveries_kept_ms: int
    caches: tuple[str, ...]
    cache_method: str
    cache_time_ms: int
    graphql_introspection: bool
    rate_per_address: Rate | None
    trusted_proxies: Networks
    private_targets: Networks
    stream_origins: tuple[str, ...]
    public_url: str
    analytics_js: str
    retrain_interval_ms: int
    retrain_threads: int

    def to_json(self) -> dict[str, str]:
        """The settings that decide what memberships mean, as they are spelled in ``segue.yaml``."""
        return {option.name: option.spelled(self) for option in OPTIONS if option.part_of_plan}


class OptionValueError(ValueError):
    """A value that an option does not take; the message says what it takes."""


def _text(spelling: str) -> str:
    if not spelling.strip() or len(spelling) > _TEXT_CHARACTERS_MAX or not spelling.isprintable():
        raise OptionValueError(f"one line of 1 to {_TEXT_CHARACTERS_MAX} characters")
    return spelling


def _text_or_nothing(spelling: str) -> str:
    return _text(spelling) if spelling else ""


def _url_or_nothing(spelling: str) -> str:
    if spelling and not _URL.fullmatch(spelling):
        raise OptionValueError("an address such as https://events.shop.example, without a path")
    return spelling.rstrip("/")


def _zone(spelling: str) -> ZoneInfo:
    try:
        return ZoneInfo(spelling)
    except (KeyError, ValueError, OSError) as fault:
        raise OptionValueError("a name of the time zone database, such as UTC or Europe/Berlin") from fault


def _duration(spelling: str) -> int:
    ms = parse_duration(spelling)
    if ms is None or not 1 <= ms <= 365 * DAY:
        raise OptionValueError("a duration such as 30s, 15m or 12h, up to 1y")
    return ms


def _threads(spelling: str) -> int:
    if not (spelling.isascii() and spelling.isdigit() and 1 <= int(spelling[:4]) <= _THREADS_MAX):
        raise OptionValueError(f"a whole number from 1 to {_THREADS_MAX}")
    return int(spelling)


def _port(spelling: str) -> int:
    if not (spelling.isascii() and spelling.isdigit() and len(spelling) <= 5) or int(spelling) > _PORT_MAX:
        raise OptionValueError(f"a whole number from 0 (any free port) to {_PORT_MAX}")
    return int(spelling)


def _rate_or_nothing(spelling: str) -> Rate | None:
    found = parse_rate(spelling) if spelling else None
    if spelling and found is None:
        raise OptionValueError("a rate such as 100/s, 6000/m or 100000/h")
    return found


def _networks(spelling: str) -> Networks:
    found = parse_networks(spelling)
    if found is None:
        raise OptionValueError(
            "addresses or networks with commas between them, such as 10.0.0.1, 192.168.0.0/16"
        )
    return found


def _addresses(spelling: str) -> tuple[str, ...]:
    found = tuple(spelling.replace(",", " ").split())
    if found in ((), (NOTHING,)):
        return ()
    if len(found) > _CACHES_MAX or not all(map(_is_address, found)):
        raise OptionValueError(
            f"`{NOTHING}` or up to {_CACHES_MAX} addresses such as http://cache.internal:6081/"
        )
    return found


def _origins(spelling: str) -> tuple[str, ...]:
    found = tuple(spelling.lower().replace(",", " ").split())
    if found in ((), (NOTHING,)):
        return ()
    if not all(map(_ORIGIN.fullmatch, found)):
        raise OptionValueError(f"`{NOTHING}` or sites such as https://shop.example or https://*.shop.example")
    return found


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return (
        known and text.isascii() and text.isprintable() and not (parts.query or parts.fragment or "@" in text)
    )


def _on_or_off(spelling: str) -> bool:
    return _one_of("on", "off")(spelling) == "on"


def _one_of(*words: str) -> Callable[[str], str]:
    def read(spelling: str) -> str:
        if spelling not in words:
            raise OptionValueError("one of " + ", ".join(words))
        return spelling

    return read


@dataclass(frozen=True, slots=True)
class Option:
    """One row: how the option is called, read and explained.

    ``field`` is its name in :class:`Settings`; ``part_of_plan`` says that memberships or the
    taking of events depend on it, so that a change of it is planned and applied. One of ``many`` values
    may also be written as a list.
    """

    name: str
    field: str
    read: Callable[[str], Any]
    default: str
    unit: str
    meaning: str
    part_of_plan: bool = False
    many: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()

    def spelled(self, settings: Settings) -> str:
        """The value as one would write it."""
        value = getattr(settings, self.field)
        if self.field.endswith("_ms"):
            return format_duration(value)
        if isinstance(value, bool):
            return "on" if value else "off"
        if self.many:
            return " ".join(value) or NOTHING
        return str(value)


OPTIONS = (
    Option(
        "timezone", "timezone", _zone, "UTC", "time zone",
        "The zone of calendar days and of dates without an offset.", part_of_plan=True,
    ),
    Option(
        "session_gap", "session_gap_ms", _duration, "30m", "duration",
        "The longest silence within one session.", part_of_plan=True,
    ),
    Option(
        "events.mode", "events_mode", _one_of("off", "warn", "block"), "warn", "off, warn or block",
        "What the tracking plan does to an event that breaks it: nothing, a count in the data-quality "
        "report, or quarantine.", part_of_plan=True,
    ),
    Option("host", "host", _text, "127.0.0.1", "address", "The address that `segue serve` listens on."),
    Option("port", "port", _port, "8000", "port", "The port `segue serve` listens on; 0 is a free one."),
    Option(
        "quality_interval", "quality_interval_ms", _duration, "1h", "duration",
        "How often a running server looks for what is unusual in the events, and logs it.",
    ),
    Option(
        "deliveries_kept", "deliveries_kept_ms", _duration, "30d", "duration",
        "How long it can be seen what triggers sent, and what they held back.",
    ),
    Option(
        "caches", "caches", _addresses, NOTHING, "addresses",
        "HTTP caches in front of `segue serve`: each is told at once which answers a change has made stale.",
        many=True,
    ),
    Option(
        "cache_method", "cache_method", _one_of("PURGE", "BAN"), "PURGE", "PURGE or BAN",
        "The method of the request that tells a cache.",
    ),
    Option(
        "cache_time", "cache_time_ms", _duration, "5m", "duration",
        "The longest that caches hold an answer which no change has made stale.",
    ),
    Option(
        "graphql_introspection", "graphql_introspection", _on_or_off, "on", "on or off",
        "Whether `/graphql` tells its schema to whoever asks for it.",
    ),
    Option(
        "rate_per_address", "rate_per_address", _rate_or_nothing, "", "rate",
        "How many requests of one address are taken; as many as come if empty.",
    ),
    Option(
        "trusted_proxies", "trusted_proxies", _networks, "", "addresses",
        "Proxies that are believed when they say in X-Forwarded-For for whom they ask.",
    ),
    Option(
        "private_targets", "private_targets", _networks, "", "addresses",
        "Networks that webhooks may reach although they are not on the public internet.",
    ),
    Option(
        "stream_origins", "stream_origins", _origins, NOTHING, "sites",
        "The sites whose pages may open a stream, and read with a user's token; our own may.", many=True,
    ),
    Option(
        "public_url", "public_url", _url_or_nothing, "", "address",
        "The address under which browsers reach `segue serve`; as they asked for it if empty.",
    ),
    Option(
        "analytics_js", "analytics_js", _text_or_nothing, "", "file",
        "The browser script of analytics-next that is served, a path from the workspace; none if empty.",
    ),
    Option(
        "recommendations.retrain", "retrain_interval_ms", _duration, "1h", "duration",
        "How long after a training the next one is begun, if events came in meanwhile.",
    ),
    Option(
        "recommendations.threads", "retrain_threads", _threads, "1", "whole number",
        "How many processor cores the training of recommendations may use.",
    ),
)  # fmt: skip
"""Every option there is; docs/settings.md explains each."""

BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS}


def settings_of(spellings: Mapping[str, str]) -> Settings:
    """The settings with these values and the defaults for the rest.

    Raises KeyError for an unknown option and :class:`OptionValueError` for a value it does not take.
    """
    values = {option.field: option.read(option.default) for option in OPTIONS}
    for name, spelling in spellings.items():
        option = BY_NAME[name]
        values[option.field] = option.read(spelling)
    return Settings(**values)


DEFAULTS = settings_of({})


def overrides_in(environment: Mapping[str, str]) -> dict[str, str]:
    """The options that environment variables set, by option name; empty variables set nothing."""
    return {
        option.name: environment[option.variable] for option in OPTIONS if environment.get(option.variable)
    }
