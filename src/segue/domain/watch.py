"""Watches: conditions and values that are followed like segments and features, for something else.

A trigger, a variant or a model is asked for the same way a segment is, and costs the same nothing while
idle; but it is no segment: nobody lists it, no change of it is numbered, no answer shows it.
"""

from __future__ import annotations

_MARK = ":"


def watch_name(kind: str, name: str, part: str = "") -> str:
    """The name of what a definition has followed: no segment or feature can have it."""
    return f"{kind}{_MARK}{name}{_MARK}{part}" if part else f"{kind}{_MARK}{name}"


def is_watch(name: str) -> bool:
    """Whether this names a watch, and no segment or feature."""
    return _MARK in name
