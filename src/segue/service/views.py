"""What the service answers with: plain records, times in ms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.language.interpret import Replacement
from segue.log.said import Model


@dataclass(frozen=True, slots=True)
class Membership:
    """One segment a profile is in, and the start of the unbroken stretch."""

    name: str
    since: int

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {"name": self.name, "since": format_instant(self.since)}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a segment."""

    user_id: str
    since: int

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {"user_id": self.user_id, "since": format_instant(self.since)}


@dataclass(frozen=True, slots=True)
class UserView:
    """What is known of one profile; ``known`` is False, and the rest empty, for one never heard of.

    ``user_id`` is the surviving profile's id. ``version`` rises with everything evaluated. ``percentiles``
    say of scores, by model, how many percent of those the version was judged on scored less.
    """

    user_id: str
    known: bool
    segments: Sequence[Membership] = ()
    traits: Mapping[str, Json] = field(default_factory=dict)
    features: Mapping[str, Json] = field(default_factory=dict)
    version: int = 0
    scores: Mapping[str, Json] = field(default_factory=dict)
    percentiles: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """The contract's shape; ``percentiles`` where there are any."""
        attributes: dict[str, Json] = {
            "traits": dict(self.traits),
            "features": dict(self.features),
            "scores": dict(self.scores),
        }
        if self.percentiles:
            attributes["percentiles"] = dict(self.percentiles)
        return {
            "user_id": self.user_id,
            "known": self.known,
            "segments": [each.to_json() for each in self.segments],
            "attributes": attributes,
            "version": self.version,
        }


def replaced_json(model: Model, found: Replacement) -> Json:
    """A person's word in the place of a score, as it is shown of a user."""
    until = None if found.until is None else format_instant(found.until)
    return {"gives": model[0], "model": model[1], "value": found.value, "until": until}


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment as it is defined, with the number of its members now."""

    name: str
    definition: Mapping[str, Json]
    members: int

    def to_json(self) -> dict[str, Json]:
        """The definition and the size in one object."""
        return {"name": self.name, **self.definition, "members": self.members}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a condition would select. ``overlap`` gives, by segment, how many of them are in it."""

    count: int
    share: float
    sample: Sequence[str]
    overlap: Mapping[str, int]
    as_of: int

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {
            "count": self.count,
            "share": self.share,
            "sample": list(self.sample),
            "overlap": dict(self.overlap),
            "as_of": format_instant(self.as_of),
        }


@dataclass(frozen=True, slots=True)
class Status:
    """How things stand. ``lag`` is how many log entries are durable but not evaluated."""

    engine_time: int
    log_seq: int
    evaluated_seq: int
    changes: int
    profiles: int
    quarantined: int

    @property
    def lag(self) -> int:
        """Log entries that wait to be evaluated."""
        return self.log_seq - self.evaluated_seq
