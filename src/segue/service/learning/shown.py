"""Models as people look at them: what is in force, its card, its versions, and how far things drifted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.domain.errors import Diagnostic, SegueError
from segue.domain.event import Json
from segue.domain.time import format_duration, format_instant
from segue.learned.card import render as card_text
from segue.learned.looks import Looks
from segue.learned.registry import Registry
from segue.learned.rounds import Rounds
from segue.learned.version import CANDIDATE, Version
from segue.segments.freshness import Pace, paces
from segue.service.learning.behind import Behind, behind
from segue.service.learning.in_use import UPLOAD, in_force
from segue.service.learning.training import spec_of
from segue.service.learning.watching import Drift, look

if TYPE_CHECKING:
    from segue.service.service import Service

_TRENDS_MAX = 60


def listed(service: Service) -> Iterator[dict[str, Json]]:
    """Every model of the workspace by name: kind, status, version in force, whether it is behind, alarms."""
    registry, looks, rounds = Registry(service.data), Looks(service.data), Rounds(service.data)
    pace, late, broken = paces(service.workspace), *_behind(service)
    for name, definition in sorted(service.workspace.models.items()):
        found: dict[str, Json] = {
            "model": name,
            "kind": definition.kind,
            "gives": definition.gives,
            "status": definition.status,
            "owner": definition.owner,
            "version": None,
        }
        if name in pace:
            found["scored"] = _scored(definition.kind, pace[name])
            found["rescored_every"] = format_duration(pace[name].every_ms)
        if broken is not None:
            found["refused"] = broken
        else:
            found |= _standing(registry, looks, name)
            last = rounds.last(name)
            if last is not None:
                found["scored_at"] = format_instant(last.at)
            if name in late:
                found["behind"] = late[name].to_json()
        yield found


def _scored(kind: str, pace: Pace) -> str:
    if kind == UPLOAD:
        return "as handed in"
    return "as events come" if pace.stream else "on the schedule"


def _behind(service: Service) -> tuple[dict[str, Behind], str | None]:
    """The models that are behind, or why nothing can be said of any."""
    try:
        return behind(service.core), None
    except SegueError as refused:
        return {}, refused.diagnostics[0].message


def _standing(registry: Registry, looks: Looks, name: str) -> dict[str, Json]:
    """The version in force, of one that cannot be read its number alone."""
    number = in_force(registry).get(name)
    found = _aside(registry, name, number)
    if number is None:
        return found
    try:
        version = registry.version(name, number)
    except SegueError as refused:
        return {**found, "version": number, "refused": refused.diagnostics[0].message}
    last = looks.last(name, number)
    return {
        **found,
        "version": number,
        "made_at": format_instant(version.made_at),
        "passed": version.passed,
        "alarms": [] if last is None else last.seen.get("alarms", []),
    }


def _aside(registry: Registry, name: str, number: int | None) -> dict[str, Json]:
    """The latest version of a model where it is a candidate, and whether it beat its rule."""
    latest = max(registry.numbers(name), default=None)
    if latest is None or latest == number:
        return {}
    try:
        version = registry.version(name, latest)
    except SegueError:
        # What is not in force harms nobody; the model by itself tells of it.
        return {}
    return {"candidate": {"version": latest, "passed": version.passed}} if version.status == CANDIDATE else {}


def shown(service: Service, name: str) -> dict[str, Json]:
    """One model: definition, versions, moves, the card of the one in force, drift; E860 for no such one.

    A version that cannot be read is told as that.
    """
    spec_of(service, name)
    registry = Registry(service.data)
    number, versions = in_force(registry).get(name), list(_versions(registry, name))
    version = next((each for each in versions if isinstance(each, Version) and each.number == number), None)
    drift = None if version is None else look(service, [name], keep=False).get(name)
    last, late = Rounds(service.data).last(name), behind(service.core).get(name)
    return {
        "model": name,
        "definition": service.workspace.models[name].to_json(),
        "versions": [_brief(each) for each in versions],
        "moves": [each.to_json() for each in registry.moves(name)],
        "in_force": None if version is None else version.to_json(),
        "scored_at": None if last is None else format_instant(last.at),
        "behind": None if late is None else late.to_json(),
        "drift": None if drift is None else drift.to_json(),
        "looks": [] if version is None else _trend(service, version),
    }


def render(service: Service, name: str) -> str:
    """The same for people."""
    spec_of(service, name)
    registry = Registry(service.data)
    number, versions = in_force(registry).get(name), list(_versions(registry, name))
    version = next((each for each in versions if isinstance(each, Version) and each.number == number), None)
    people = {move.number: f", by {move.by}: {move.why}" for move in registry.moves(name) if move.by}
    told = [f"{_line(each)}{people.get(each.number, '')}" for each in versions]
    if number is None:
        return "\n".join([*_without(name, versions), *told])
    unread = f"{name}: version {number} is in force and cannot be read"
    lines = [unread if version is None else _card(version), *told, *_stands(service, name)]
    if version is not None:
        drift = look(service, [name], keep=False).get(name)
        lines += ["drift: nobody is scored yet"] if drift is None else drift_lines(drift)
    return "\n".join(lines)


def _without(name: str, versions: Sequence[Version | Unread]) -> Iterator[str]:
    """Of a model of which no version is in force: that, and the card of the one that was made last."""
    if not versions:
        yield f"{name}: there is no version; `segue train {name}` makes one"
        return
    yield f"{name}: no version is in force"
    last = versions[-1]
    if isinstance(last, Version):
        yield _card(last)


def _card(version: Version) -> str:
    if version.card.get("definition") is not None and "data_hash" in version.card:
        return card_text(version.name, version.number, version.status, version.card)
    return f"{version.name}, version {version.number}: {version.status}"


def _stands(service: Service, name: str) -> Iterator[str]:
    """When everybody was last scored, and what to do where that is not as promised."""
    last, late = Rounds(service.data).last(name), behind(service.core).get(name)
    if late is not None:
        yield f"behind: {late.text}"
        yield f"  {late.hint}"
    elif last is not None:
        yield f"everybody was last scored at {format_instant(last.at)}"


def drift_lines(drift: Drift) -> Iterator[str]:
    """What moved, as lines."""
    yield f"drift since {format_instant(drift.since)}, of {drift.profiles:,} profiles"
    for each in sorted(drift.columns, key=lambda each: -each.index):
        note = "  (moves with time by itself)" if each.structural else ""
        yield f"  {each.index:>7.3f}  {each.level:<6}  {each.name}{note}"
    yield f"  {drift.shift:>7.1%}  of them are elsewhere in its {'groups' if _named(drift) else 'scores'}"
    for name, (then, now) in drift.segments.items():
        yield f"  segment {name}: {then:.1%} then, {now:.1%} now"
    for alarm in drift.alarms:
        yield f"  alarm: {alarm}"


def _named(drift: Drift) -> bool:
    return all(".." not in name for name in drift.composition)


@dataclass(frozen=True, slots=True)
class Unread:
    """A version that cannot be read, and why."""

    number: int
    why: Diagnostic


def _versions(registry: Registry, name: str) -> Iterator[Version | Unread]:
    """All versions of a model, each read by itself."""
    for number in registry.numbers(name):
        try:
            yield registry.version(name, number)
        except SegueError as refused:
            yield Unread(number, refused.diagnostics[0])


def _line(each: Version | Unread) -> str:
    if isinstance(each, Unread):
        return f"version {each.number}: {each.why.message}"
    passed = {True: "beat its rule", False: "did not beat its rule", None: "has no rule to beat"}
    made = format_instant(each.made_at)
    return f"version {each.number}: {each.status}, made {made}, {passed[each.passed]}"


def _brief(version: Version | Unread) -> dict[str, Json]:
    if isinstance(version, Unread):
        return {"version": version.number, "refused": version.why.message}
    return {
        "version": version.number,
        "status": version.status,
        "made_at": format_instant(version.made_at),
        "passed": version.passed,
        "metrics": dict(version.card.get("metrics") or {}),
    }


def _trend(service: Service, version: Version) -> list[Json]:
    """The looks kept, in short."""
    found = Looks(service.data).all(version.name, version.number)[-_TRENDS_MAX:]
    return [
        {
            "at": format_instant(each.at),
            "profiles": each.seen["profiles"],
            "shift": each.seen["shift"],
            "alarms": each.seen["alarms"],
        }
        for each in found
    ]
