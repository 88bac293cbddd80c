"""Reads the arguments of a command, which may come over the control door as any JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segue.domain.errors import Diagnostic, UsageError
from segue.domain.event import Json

if TYPE_CHECKING:
    from segue.service.service import Service


def wrong(name: str, expected: str) -> UsageError:
    """E781: an argument is missing or not what it is to be."""
    hint = f"it is {expected}; `segue COMMAND --help` shows an example"
    return UsageError(Diagnostic("E781", f"the argument {name} is missing or malformed", hint))


def text(arguments: Mapping[str, Json], name: str) -> str:
    """A text that has to be there."""
    value = arguments.get(name)
    if not isinstance(value, str):
        raise wrong(name, "a text")
    return value


def text_or_none(arguments: Mapping[str, Json], name: str) -> str | None:
    """A text that may be left out."""
    return None if arguments.get(name) is None else text(arguments, name)


def whole(arguments: Mapping[str, Json], name: str) -> int:
    """A whole number that has to be there."""
    value = arguments.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise wrong(name, "a whole number, 0 or more")
    return value


def whole_or_none(arguments: Mapping[str, Json], name: str) -> int | None:
    """A whole number that may be left out."""
    return None if arguments.get(name) is None else whole(arguments, name)


def texts(arguments: Mapping[str, Json], name: str) -> list[str]:
    """Texts, possibly none."""
    value = arguments.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise wrong(name, "a list of texts")
    return value


def word(arguments: Mapping[str, Json], name: str, *words: str) -> str:
    """One of some words."""
    value = text(arguments, name)
    if value not in words:
        raise wrong(name, "one of " + ", ".join(words))
    return value


def moment_or_none(service: Service, arguments: Mapping[str, Json], name: str) -> int | None:
    """A moment in ms, written as a date or date-time in the workspace's zone, that may be left out."""
    value = text_or_none(arguments, name)
    return None if value is None else service.moment(value)


def in_words(arguments: Mapping[str, Json]) -> bool:
    """Whether the answer is wanted as text for people instead of as JSON."""
    return arguments.get("in_words") is True
