"""What an experience says: a slot of a page, and who sees which content in it. Frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from segue.domain.event import Json
from segue.domain.time import format_duration
from segue.segments.definitions import present
from segue.segments.origin import Origin
from segue.segments.restraint import Cap


@dataclass(frozen=True, slots=True)
class Goal:
    """What is hoped for: an event (its properties ``where``, ``within`` a time), or a condition ``when``."""

    event: str | None = None
    where: str | None = None
    within_ms: int | None = None
    when: str | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, object]:
        """The goal as one would write it."""
        within = None if self.within_ms is None else format_duration(self.within_ms)
        return present(event=self.event, where=self.where, within=within, when=self.when)


@dataclass(frozen=True, slots=True)
class VariantDefinition:
    """One content and who may see it; ``starts`` and ``ends`` are dates or date-times as they are written."""

    name: str
    payload: Json
    audience: str | None = None
    priority: int = 0
    weight: float | None = None
    starts: str | None = None
    ends: str | None = None
    cap: Cap | None = None
    origins: Mapping[str, Origin | None] = field(default_factory=dict, compare=False, repr=False)
    """Where its name, audience and dates stand, by key."""

    def to_json(self) -> dict[str, object]:
        """The variant as one would write it; what stands at its default is left out."""
        return present(
            variant=self.name,
            audience=None if self.audience is None else self.audience.strip(),
            priority=self.priority or None,
            weight=self.weight,
            starts=self.starts,
            ends=self.ends,
            cap=None if self.cap is None else str(self.cap),
            payload=self.payload,
        )


@dataclass(frozen=True, slots=True)
class ExperienceDefinition:
    """The variants of one slot that are thought of, tried and measured together.

    ``fallback`` is what the slot shows when no variant is for the user; None when another experience of
    the slot says so. ``holdout`` is the share of users that are given none of the variants.
    """

    name: str
    owner: str
    description: str
    slot: str
    variants: tuple[VariantDefinition, ...]
    title: str | None = None
    status: str = "active"
    starts: str | None = None
    ends: str | None = None
    holdout: float = 0.0
    goal: Goal | None = None
    fallback: Json = None
    origin: Origin | None = field(default=None, compare=False, repr=False)
    origins: Mapping[str, Origin | None] = field(default_factory=dict, compare=False, repr=False)

    @property
    def live(self) -> bool:
        """Whether it takes part in decisions: drafts and archived ones are only checked."""
        return self.status == "active"

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        return present(
            experience=self.name,
            owner=self.owner,
            description=self.description,
            title=self.title,
            status=None if self.live else self.status,
            slot=self.slot,
            starts=self.starts,
            ends=self.ends,
            holdout=self.holdout or None,
            goal=None if self.goal is None else self.goal.to_json(),
            fallback=self.fallback,
            variants=[each.to_json() for each in self.variants],
        )
