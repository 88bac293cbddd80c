"""Models as people look at them: what is in force, its card, its versions, and how far things drifted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.domain.time import format_duration, format_instant
from segue.learned.card import render as card_text
from segue.learned.looks import Looks
from segue.learned.registry import Registry
from segue.learned.version import Version
from segue.segments.freshness import paces
from segue.service.learning.training import spec_of
from segue.service.learning.watching import Drift, look

if TYPE_CHECKING:
    from segue.service.service import Service

_TRENDS_MAX = 60


def listed(service: Service) -> Iterator[dict[str, Json]]:
    """Every model of the workspace by name: kind, status, the version in force, the last alarms."""
    registry, looks = Registry(service.data), Looks(service.data)
    pace = paces(service.workspace)
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
            found["scored"] = "as events come" if pace[name].stream else "on the schedule"
            found["rescored_every"] = format_duration(pace[name].every_ms)
        try:
            version = registry.champion(name)
        except SegueError as refused:
            found["refused"] = refused.diagnostics[0].message
        else:
            if version is not None:
                last = looks.last(name, version.number)
                found |= {
                    "version": version.number,
                    "made_at": format_instant(version.made_at),
                    "passed": version.passed,
                    "alarms": [] if last is None else last.seen.get("alarms", []),
                }
        yield found


def shown(service: Service, name: str) -> dict[str, Json]:
    """One model: definition, versions, moves, the card of the one in force, drift; E860 for no such one."""
    spec_of(service, name)
    registry = Registry(service.data)
    version = registry.champion(name)
    drift = None if version is None else look(service, [name], keep=False).get(name)
    return {
        "model": name,
        "definition": service.workspace.models[name].to_json(),
        "versions": [_brief(each) for each in registry.versions(name)],
        "moves": [each.to_json() for each in registry.moves(name)],
        "in_force": None if version is None else version.to_json(),
        "drift": None if drift is None else drift.to_json(),
        "looks": [] if version is None else _trend(service, version),
    }


def render(service: Service, name: str) -> str:
    """The same for people."""
    spec_of(service, name)
    registry = Registry(service.data)
    version = registry.champion(name)
    lines = list(_versions(registry.versions(name)))
    if version is None:
        lines.insert(0, f"{name}: no version is in force; `segue train {name}` makes one")
        return "\n".join(lines)
    if version.card.get("definition") is not None and "data_hash" in version.card:
        lines.insert(0, card_text(name, version.number, version.status, version.card))
    else:
        lines.insert(0, f"{name}, version {version.number}: {version.status}")
    drift = look(service, [name], keep=False).get(name)
    lines += ["drift: nobody is scored yet"] if drift is None else drift_lines(drift)
    return "\n".join(lines)


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


def _versions(versions: list[Version]) -> Iterator[str]:
    for each in versions:
        passed = {True: "beat its rule", False: "did not beat its rule", None: "has no rule to beat"}
        made = format_instant(each.made_at)
        yield f"version {each.number}: {each.status}, made {made}, {passed[each.passed]}"


def _brief(version: Version) -> dict[str, Json]:
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
