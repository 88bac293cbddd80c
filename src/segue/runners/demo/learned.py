"""The demo's models: trained, judged, in force where they are worth it; and a person's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.segments.override import ScoreOverride
from segue.service.learning.overriding import override_score
from segue.service.learning.training import train, trained_here
from segue.service.service import Service

LEARNED = ("likely_buyers", "worth_a_call")
"""The segments on scores: the second mixes rules, scores, groups and a list."""
_HYBRID, _MODEL, _SAID = "worth_a_call", "will_buy", 0.95
_BY, _WHY = "dana", "She told us on the phone that she orders in December"
_UNTIL_MS = 1_293_840_000_000
"""The first moment of 2011."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a model: the version in force, or why there is none."""

    model: str
    version: int | None
    why: str

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {"model": self.model, "version": self.version, "why": self.why}

    def sentence(self) -> str:
        """For people."""
        state = "" if self.version is None else f"version {self.version} is in force: "
        return f"    {self.model}: {state}{self.why}"


@dataclass(frozen=True, slots=True)
class Word:
    """A score that a person replaced: of whom, and what an explanation says before and after."""

    user: str
    segment: str
    before: str
    after: str

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {"user": self.user, "segment": self.segment, "before": self.before, "after": self.after}

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"why {self.user} is in {self.segment}, by the model (`segue explain` tells all of it):"
        yield from (f"    {line}" for line in _of_model(self.before))
        yield f"segue override {self.user} --score {_MODEL} {_SAID} --by {_BY} --why {_WHY!r}"
        yield f"    {self.after.splitlines()[0]}"
        yield from (f"    {line}" for line in _of_model(self.after))


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of all models; ``word`` is None where nobody is in the segment that it would be about.

    ``changes`` is the number of the last change by then.
    """

    models: tuple[Judged, ...]
    word: Word | None
    changes: int

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        word = None if self.word is None else self.word.to_json()
        return {"models": [each.to_json() for each in self.models], "override": word, "changes": self.changes}


def _of_model(explained: str) -> list[str]:
    """The lines of an explanation about the score alone."""
    lines = explained.splitlines()
    first = next(at for at, line in enumerate(lines) if f'score("{_MODEL}")' in line)
    last = next(at for at, line in enumerate(lines) if at > first and "  together" in line)
    return [line.removeprefix("  ") for line in lines[first : last + 1]]


def learn(folder: Path, data: Path, say: Callable[[str], None]) -> Learned:
    """Train every model of the demo, and have a person disagree with one score."""
    with Service.open(folder, data, running="segue demo") as service:
        say("learning from eleven months")
        models = []
        for name in trained_here(service.workspace):
            models.append(_trained(service, name))
            say(models[-1].sentence())
        word = _word(service)
        changes = service.status().changes
    if word is not None:
        for line in word.lines():
            say(line)
    return Learned(tuple(models), word, changes)


def _trained(service: Service, name: str) -> Judged:
    try:
        found = train(service, name)
    except SegueError as refused:
        first = refused.diagnostics[0]
        return Judged(name, None, f"refused: {first.message} ({first.code}); {first.hint}")
    return Judged(name, found.version.number if found.promoted else None, found.why)


def _word(service: Service) -> Word | None:
    """Someone whose next order the model doubts said that it will come."""
    members = service.members(_HYBRID)
    if not members:
        return None
    user = members[0].user_id
    before = service.explain(user, _HYBRID).render()
    override_score(service, ScoreOverride(user, "score", _MODEL, _SAID, _UNTIL_MS, _BY, _WHY))
    return Word(user, _HYBRID, before, service.explain(user, _HYBRID).render())
