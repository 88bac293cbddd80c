"""How far a reader sees: which segments, and which attributes of a user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from segue.access.faults import bad_option
from segue.domain.event import Json
from segue.domain.limits import NAME_CHARACTERS_MAX, SCOPE_NAMES_MAX

KINDS = ("traits", "features", "scores")
_SHOWN_WITH = {"percentiles": "scores"}
"""What stands beside attributes is shown to whoever may see these."""
_PATH_CHARACTERS_MAX = 256


@dataclass(frozen=True, slots=True)
class Scope:
    """``segments`` by name, ``attributes`` as ``traits``, ``traits.plan``, ``features.x``; None is all."""

    segments: frozenset[str] | None = None
    attributes: frozenset[str] | None = None

    @classmethod
    def of(cls, segments: Iterable[str] | None, attributes: Iterable[str] | None) -> Self:
        """Checked: E766 for what cannot be a segment or an attribute."""
        return cls(
            None if segments is None else frozenset(_bounded(_segment(each) for each in segments)),
            None if attributes is None else frozenset(_bounded(_attribute(each) for each in attributes)),
        )

    @property
    def limited(self) -> bool:
        """Whether anything is hidden."""
        return self.segments is not None or self.attributes is not None

    def sees(self, segment: str) -> bool:
        """Whether memberships of a segment are shown."""
        return self.segments is None or segment in self.segments

    def narrowed(self, user: dict[str, Json]) -> dict[str, Json]:
        """A user's segments and attributes, as the contract writes them, without what is hidden."""
        if not self.limited:
            return user
        segments = [each for each in user["segments"] if self.sees(each["name"])]
        attributes = {kind: self._shown(kind, values) for kind, values in user["attributes"].items()}
        return {**user, "segments": segments, "attributes": attributes}

    def _shown(self, kind: str, values: Mapping[str, Json]) -> dict[str, Json]:
        kind = _SHOWN_WITH.get(kind, kind)
        if self.attributes is None or kind in self.attributes:
            return dict(values)
        return {name: value for name, value in values.items() if f"{kind}.{name}" in self.attributes}

    def to_json(self) -> dict[str, list[str]]:
        """What is limited, by name."""
        parts = {"segments": self.segments, "attributes": self.attributes}
        return {name: sorted(found) for name, found in parts.items() if found is not None}


EVERYTHING = Scope()


def _segment(name: str) -> str:
    if not name or len(name) > NAME_CHARACTERS_MAX or not name.isprintable() or "," in name:
        raise bad_option(
            "a segment of the scope has no name a segment can have", "write --segments vip,buyers"
        )
    return name


def _attribute(path: str) -> str:
    kind, dot, name = path.partition(".")
    if kind not in KINDS or bool(dot) != bool(name) or len(path) > _PATH_CHARACTERS_MAX:
        hint = "write traits, features or scores, or one of them: --attributes traits.plan,features"
        raise bad_option("an attribute of the scope is none that a user has", hint)
    return path


def _bounded(names: Iterable[str]) -> list[str]:
    found = list(names)
    if len(found) > SCOPE_NAMES_MAX:
        raise bad_option(f"a scope has at most {SCOPE_NAMES_MAX:,} names", "make several keys")
    return found
