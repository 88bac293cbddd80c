"""What a model says: whom it is about, what it foretells and from what, who answers for it. Frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from segue.domain.event import Json
from segue.domain.time import format_duration
from segue.segments.origin import Origin

KINDS = ("propensity", "churn", "clusters", "lookalike", "value", "upload", "remote")
READY = ("churn", "likely_to_buy", "likely_to_upgrade", "lifetime_value", "habits", "lookalike")
"""Models that need no data scientist: an event, and the rest is known."""
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class GuardsGiven:
    """How much there must be to learn from, where it is not what the kind asks for, and why."""

    users: int | None = None
    events: int | None = None
    positives: int | None = None
    reason: str | None = None
    boosting: int | None = None

    def to_json(self) -> dict[str, object]:
        """The guards as one would write them."""
        return _present(
            users=self.users,
            events=self.events,
            positives=self.positives,
            boosting=self.boosting,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True)
class ModelDefinition:
    """A model as it is written; what is left out is filled in by :mod:`segue.segments.models.ready`.

    ``features`` is None for `auto`. ``options`` are the keys of one kind alone, as plain values. ``origins``
    say where each text of the condition language stands, a feature's under its name.
    """

    name: str
    owner: str
    description: str
    kind: str
    ready: str | None = None
    title: str | None = None
    status: str = "active"
    event: str | None = None
    amount: str | None = None
    target: str | None = None
    horizon_ms: int | None = None
    population: str | None = None
    seed: str | None = None
    features: Mapping[str, str] | None = None
    baseline: str | None = None
    threshold: float | None = None
    guards: GuardsGiven | None = None
    schedule_ms: int | None = None
    rescore_ms: int | None = None
    options: Mapping[str, Json] = field(default_factory=dict)
    origin: Origin | None = field(default=None, compare=False, repr=False)
    origins: Mapping[str, Origin | None] = field(default_factory=dict, compare=False, repr=False)

    @property
    def live(self) -> bool:
        """Whether it is trained and scores: drafts and archived models are only checked."""
        return self.status == "active"

    @property
    def gives(self) -> str:
        """What it says of a profile: "score" or "cluster"."""
        if self.kind == "clusters":
            return "cluster"
        return str(self.options.get("gives", "score"))

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        return _present(
            model=self.name,
            owner=self.owner,
            description=self.description,
            title=self.title,
            ready=self.ready,
            kind=None if self.ready else self.kind,
            status=None if self.live else self.status,
            event=self.event,
            amount=self.amount,
            target=_stripped(self.target),
            horizon=None if self.horizon_ms is None else format_duration(self.horizon_ms),
            population=_stripped(self.population),
            seed=_stripped(self.seed),
            features=None if self.features is None else {n: t.strip() for n, t in self.features.items()},
            baseline=_stripped(self.baseline),
            threshold=self.threshold,
            guards=None if self.guards is None else self.guards.to_json(),
            schedule=None if self.schedule_ms is None else f"every {format_duration(self.schedule_ms)}",
            rescore=None if self.rescore_ms is None else f"every {format_duration(self.rescore_ms)}",
            **self.options,
        )


def _stripped(text: str | None) -> str | None:
    return None if text is None else text.strip()


def _present(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
