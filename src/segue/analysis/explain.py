"""Why a profile is in a segment, or is not: the thing that a membership alone does not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from segue.analysis.clauses import Clause, clause
from segue.analysis.deciding import Decision, Standing
from segue.analysis.evidence import CountedEvent, counted_event
from segue.analysis.explanation import Explanation, LastChange
from segue.analysis.needs import Needs, needs
from segue.analysis.scores import Why, Witness
from segue.analysis.sentences import Need
from segue.analysis.turning import Turning
from segue.domain.change import Change
from segue.language.interpret import Definition, Override, Person, Rules
from segue.language.interpret.scene import Scene

_NO_OVERRIDES: Mapping[str, Override] = {}


def _unknown(_model: str) -> None:
    """Nothing is known of why models say what they say."""


@dataclass(frozen=True)
class Question:
    """Whom and what to explain, at ``now`` (ms).

    ``person`` holds only what was received by then. ``definitions`` are those in force, ``overrides`` this
    profile's own by segment (:class:`~segue.language.interpret.Noted` ones tell who and why). ``since`` and
    ``last_change`` are what the engine and the change log say of this membership; ``why`` gives the reasons
    behind what models say of the profile.
    """

    user_id: str
    segment: str
    person: Person
    now: int
    definitions: Sequence[Definition]
    rules: Rules
    overrides: Mapping[str, Override] = field(default_factory=lambda: _NO_OVERRIDES)
    since: int | None = None
    last_change: Change | None = None
    why: Why = _unknown


def explain(question: Question) -> Explanation:
    """The whole answer; KeyError when the segment is not among the definitions."""
    standing = Standing(question.person, question.definitions, question.overrides, question.rules).about(
        question.segment
    )
    definition = next((each for each in standing.definitions if each.name == question.segment), None)
    if definition is None:
        raise KeyError(question.segment)
    members = standing.memberships(question.now)
    person = question.person.answering(members)
    scene = Witness(person, question.now, question.rules, question.why)
    inside = _Inside(standing, scene)
    decided = standing.decision(question.segment, question.now)
    member = members[question.segment]
    return Explanation(
        user_id=question.user_id,
        segment=question.segment,
        now=question.now,
        member=member,
        decided=decided,
        condition=clause(definition.condition, scene, inside.condition),
        since=question.since if member else None,
        last_change=_last_change(question),
        turns=standing.turns(question.segment, question.now),
        missing=_missing(definition, member, decided, Turning(person, question.now, question.rules)),
    )


def _missing(
    definition: Definition, member: bool, decided: Decision, turning: Turning
) -> tuple[Need | Needs, ...]:
    if member or decided.by != "condition":
        return ()
    return needs(definition.condition, True, turning)


def _last_change(question: Question) -> LastChange | None:
    change = question.last_change
    return None if change is None else LastChange(change, _event_of(change, question.person))


def _event_of(change: Change, person: Person) -> CountedEvent | None:
    """The event that made a change; of several with its message id the newest received by then."""
    if change.message_id is None:
        return None
    made = [
        event
        for event in person.events
        if event.message_id == change.message_id and event.received_at <= change.at
    ]
    return counted_event(max(made, key=lambda event: event.seq)) if made else None


class _Inside:
    """Explains the segments that a condition refers to, one level deep."""

    def __init__(self, standing: Standing, scene: Scene) -> None:
        self._standing = standing
        self._scene = scene

    def condition(self, name: str) -> tuple[Clause | None, str | None]:
        """The condition of a segment that is referred to, and a note when something else decides there."""
        definition = next((each for each in self._standing.definitions if each.name == name), None)
        if definition is None:
            return None, "there is no such segment"
        decided = self._standing.decision(name, self._scene.now)
        note = None if decided.by == "condition" else decided.text
        return clause(definition.condition, self._scene, lambda _name: (None, None)), note
