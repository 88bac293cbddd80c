"""What a workspace defines, as frozen records; how they are read from files stands elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from segue.domain.planned import Planned, PropertyPlan
from segue.domain.time import format_duration
from segue.segments.origin import Origin

KINDS = ("operational", "strategic")
STATUSES = ("draft", "active", "archived")


@dataclass(frozen=True, slots=True)
class SegmentDefinition:
    """A named, owned condition; durations in ms, ``review_ms`` is how often it is to be looked at again.

    ``origin`` is where its name stands, ``when_origin`` where its condition does; both are None when it
    was restored from the log.
    """

    name: str
    owner: str
    description: str
    when: str
    title: str | None = None
    kind: str = "operational"
    freshness_ms: int | None = None
    review_ms: int | None = None
    last_reviewed: date | None = None
    status: str = "active"
    exclusive: str | None = None
    priority: int | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)
    when_origin: Origin | None = field(default=None, compare=False, repr=False)

    @property
    def live(self) -> bool:
        """Whether it can have members: drafts and archived segments have none."""
        return self.status == "active"

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        return present(
            segment=self.name,
            owner=self.owner,
            description=self.description,
            title=self.title,
            kind=None if self.kind == KINDS[0] else self.kind,
            freshness=duration_text(self.freshness_ms),
            review=None if self.review_ms is None else f"every {format_duration(self.review_ms)}",
            last_reviewed=None if self.last_reviewed is None else self.last_reviewed.isoformat(),
            status=None if self.status == "active" else self.status,
            exclusive=self.exclusive,
            priority=self.priority,
            when=self.when.strip(),
        )


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """A named, owned expression, used as ``feature("name")``."""

    name: str
    owner: str
    description: str
    value: str
    title: str | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)
    value_origin: Origin | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        return present(
            feature=self.name,
            owner=self.owner,
            description=self.description,
            title=self.title,
            value=self.value.strip(),
        )


@dataclass(frozen=True, slots=True)
class ListDefinition:
    """Users put together by hand, by user id; in the order of the file, each once."""

    name: str
    users: tuple[str, ...]
    owner: str | None = None
    description: str | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        return present(list=self.name, owner=self.owner, description=self.description, users=[*self.users])


@dataclass(frozen=True, slots=True)
class EventPlan:
    """What a track event of one name carries: a page of the tracking plan.

    ``mode`` None is that of the workspace; ``additional`` lets it carry properties that are not named.
    """

    name: str
    description: str
    properties: Mapping[str, PropertyPlan]
    owner: str | None = None
    mode: str | None = None
    additional: bool = False
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        properties = {name: plan.to_json() for name, plan in self.properties.items()}
        return present(
            event=self.name,
            owner=self.owner,
            description=self.description,
            mode=self.mode,
            additional=self.additional or None,
            properties=properties or None,
        )

    def held_to(self, mode: str) -> Planned:
        """What such events are held to where the workspace's mode is ``mode``."""
        return Planned(self.mode or mode, self.properties, self.additional)


class Definition(Protocol):
    """What every kind of definition is, those included that have modules of their own."""

    @property
    def name(self) -> str:
        """Its one name."""
        ...

    @property
    def origin(self) -> Origin | None:
        """Where its name stands."""
        ...

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        ...


def fingerprint(definition: Definition) -> str:
    """A hash of all that a definition says, 32 hex digits; equal on every machine."""
    text = json.dumps(definition.to_json(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def duration_text(ms: int | None) -> str | None:
    """A duration as one would write it; None for none."""
    return None if ms is None else format_duration(ms)


def present(**values: object) -> dict[str, object]:
    """The keys that have a value."""
    return {name: value for name, value in values.items() if value is not None}
