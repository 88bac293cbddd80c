"""What a trigger says: what it waits for, where it tells of it, and what holds it back. Frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from segue.domain.time import DAY
from segue.domain.watch import watch_name
from segue.segments.definitions import duration_text, present
from segue.segments.nodes import Plain
from segue.segments.origin import Origin
from segue.segments.restraint import Cap
from segue.segments.triggers.on import On, OnCondition, OnEvent, OnSegment, read_on

CROSSINGS = ("rising", "falling", "both")
EXPIRES_MS = DAY
ZONE_TRAIT = "timezone"
STREAM = "stream"
"""The destination that is always there: whoever listens to the live stream."""
MINUTES_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which nobody is written to, in minutes after midnight; they may go over midnight."""

    begins: int
    ends: int

    def __str__(self) -> str:
        return "-".join(
            f"{at // MINUTES_AN_HOUR:02d}:{at % MINUTES_AN_HOUR:02d}" for at in (self.begins, self.ends)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds a message back or makes it wait. Times are in ms, dates as they are written.

    ``unless`` are segments whose members get nothing; ``expires_ms`` is how long after its moment a
    message is still worth sending.
    """

    cooldown_ms: int | None = None
    caps: tuple[Cap, ...] = ()
    channel: str | None = None
    quiet: Quiet | None = None
    zone_trait: str = ZONE_TRAIT
    holdout: float = 0.0
    starts: str | None = None
    ends: str | None = None
    delay_ms: int | None = None
    unless: tuple[str, ...] = ()
    expires_ms: int = EXPIRES_MS

    def to_json(self) -> dict[str, object]:
        """The keys as one would write them; what stands at its default is left out."""
        return present(
            cooldown=duration_text(self.cooldown_ms),
            cap=[str(each) for each in self.caps] or None,
            channel=self.channel,
            quiet=None if self.quiet is None else str(self.quiet),
            zone_trait=None if self.zone_trait == ZONE_TRAIT else self.zone_trait,
            holdout=self.holdout or None,
            starts=self.starts,
            ends=self.ends,
            delay=duration_text(self.delay_ms),
            unless=[*self.unless] or None,
            expires=None if self.expires_ms == EXPIRES_MS else duration_text(self.expires_ms),
        )


@dataclass(frozen=True, slots=True)
class TriggerDefinition:
    """A named, owned trigger.

    ``crossing`` says which way the value of a condition passes its threshold; None is whichever makes the
    condition begin to hold. ``payload`` None sends what happened and to whom, as it is.
    """

    name: str
    owner: str
    description: str
    on: str
    to: tuple[str, ...]
    title: str | None = None
    status: str = "active"
    crossing: str | None = None
    hysteresis: float = 0.0
    backfill: bool = False
    payload: Plain = None
    policy: Policy = Policy()
    origins: Mapping[str, Origin | None] = field(default_factory=dict, compare=False, repr=False)
    """Where the values of its keys stand, by key; of those in lists and in the payload also by their name."""

    @property
    def origin(self) -> Origin | None:
        """Where its name stands."""
        return self.origins.get("trigger")

    def place_of(self, key: str, name: str) -> Origin | None:
        """Where a name stands under a key."""
        return self.origins.get(f"{key} {name}") or self.origins.get(key) or self.origin

    @property
    def live(self) -> bool:
        """Whether it fires: drafts and archived ones are only checked."""
        return self.status == "active"

    @property
    def form(self) -> On:
        """What it waits for, taken apart."""
        return read_on(self.on)

    @property
    def holds(self) -> str:
        """The name under which the engine follows the condition of an event or of a crossing."""
        return watch_name("trigger", self.name, "holds")

    @property
    def rests(self) -> str:
        """The name under which it follows that a crossing may happen again; with a hysteresis only."""
        return watch_name("trigger", self.name, "rests")

    def watches(self) -> tuple[str, ...]:
        """What the engine follows for it."""
        form = self.form
        if isinstance(form, OnCondition):
            return (self.holds, self.rests) if self.hysteresis else (self.holds,)
        return (self.holds,) if isinstance(form, OnEvent) and form.condition is not None else ()

    def segments(self) -> tuple[str, ...]:
        """The segments that it names beside those in its conditions."""
        form = self.form
        return (form.segment, *self.policy.unless) if isinstance(form, OnSegment) else self.policy.unless

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        return present(
            trigger=self.name,
            owner=self.owner,
            description=self.description,
            title=self.title,
            status=None if self.live else self.status,
            on=self.on.strip(),
            crossing=self.crossing,
            hysteresis=self.hysteresis or None,
            backfill=self.backfill or None,
            to=[*self.to],
            payload=self.payload,
            **self.policy.to_json(),
        )
