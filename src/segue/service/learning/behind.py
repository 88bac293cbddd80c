"""Models whose scores are not what they promise to be any more, and why.

What a model said stays until it says something else: it came from the version that was in force. But a
version that cannot be read is not asked again, and one that is not asked in time leaves people with scores of
another day. Neither is kept quiet: explanations, `segue models` and `segue check` tell of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from segue.domain.errors import Diagnostic, SegueError, Severity
from segue.domain.event import Json
from segue.domain.time import MINUTE, format_duration, format_instant
from segue.learned.models import KINDS
from segue.learned.registry import Registry
from segue.learned.rounds import Rounds
from segue.learned.spec import ModelSpec
from segue.learned.version import Version, hold
from segue.segments.freshness import paces, read_by
from segue.segments.origin import Origin
from segue.segments.workspace import Workspace
from segue.service.core import Core, wall_ms
from segue.service.learning.in_use import UPLOAD, in_force, live

LATE_MS = MINUTE
"""A round takes a while; only then it is late."""
_READERS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Behind:
    """A model in force that keeps nobody in step. ``at`` (ms) is when all its scores last were, if they were.

    ``fault`` is why its version is not asked any more, None where it is. ``every_ms`` is by when everybody
    was to be scored again, None where nothing was promised or the time has not come.
    """

    model: str
    number: int
    at: int | None
    fault: Diagnostic | None = None
    every_ms: int | None = None

    @property
    def text(self) -> str:
        """All of it as one sentence."""
        late = ""
        if self.every_ms is not None and self.at is not None:
            late = f", longer ago than its promise of every {format_duration(self.every_ms)}"
        said = "" if self.at is None else format_instant(self.at)
        if self.fault is None:
            return f"everybody was last scored at {said}{late}" if said else "nobody was scored by it yet"
        stays = f"what it said until {said} is read on{late}" if said else "it has said nothing yet"
        return f"version {self.number} is not asked any more ({self.fault.message}); {stays}"

    @property
    def hint(self) -> str:
        """What to do."""
        if self.fault is not None:
            return self.fault.hint
        return "let `segue serve` run, and look into its log for why the model does not answer"

    def to_json(self) -> dict[str, Json]:
        """As it is shown of a model."""
        return {
            "text": self.text,
            "hint": self.hint,
            "code": None if self.fault is None else self.fault.code,
            "late": self.every_ms is not None,
        }


def behind(core: Core) -> dict[str, Behind]:
    """The models that are behind now, by name; E865 for a register that was tampered with."""
    assert core.workspace is not None
    return behind_at(core.workspace, core.log.folder, core.engine.now if core.clock == "log" else wall_ms())


def behind_at(workspace: Workspace, folder: Path, now: int) -> dict[str, Behind]:
    """The same of a workspace and a data folder, at a moment in ms."""
    registry, rounds = Registry(folder), Rounds(folder)
    found = {}
    numbers = in_force(registry)
    for name in sorted(live(workspace, handed_in=True) & numbers.keys()):
        each = _of(workspace, registry, rounds, name, numbers[name], now)
        if each.fault is not None or each.every_ms is not None:
            found[name] = each
    return found


def fault_of(spec: ModelSpec, registry: Registry, number: int) -> Diagnostic | None:
    """Why a version cannot score now; None when it can."""
    try:
        version = registry.version(spec.name, number)
        hold(version, spec)
        return _lacking(spec, version)
    except SegueError as refused:
        return refused.diagnostics[0]


def warnings(workspace: Workspace, folder: Path, now: int) -> Iterator[Diagnostic]:
    """What `segue check` says of it: W116 of a version that is not asked, W117 of scores that are too old."""
    try:
        found = behind_at(workspace, folder, now)
    except SegueError as refused:
        first = refused.diagnostics[0]
        yield _warning("W116", f"no model scores: {first.message}", first.hint, None)
        return
    for each in found.values():
        message = f"{each.model}: {each.text}{_readers(workspace, each.model)}"
        code = "W117" if each.fault is None else "W116"
        yield _warning(code, message, each.hint, workspace.models[each.model].origin)


def _warning(code: str, message: str, hint: str, origin: Origin | None) -> Diagnostic:
    found = Diagnostic(code, message, hint, severity=Severity.WARNING)
    return found.within(origin.place, origin.line) if origin else found


def _of(workspace: Workspace, registry: Registry, rounds: Rounds, name: str, number: int, now: int) -> Behind:
    last = rounds.last(name)
    at = None if last is None else last.at
    every = _promised(workspace, name)
    late = every is not None and (at is None or now - at > every + LATE_MS)
    fault = fault_of(workspace.model_specs[name], registry, number)
    return Behind(name, number, at, fault, every if late else None)


def _promised(workspace: Workspace, name: str) -> int | None:
    """By when everybody is to be scored again; None for scores that are handed in, unless it is said."""
    definition = workspace.models[name]
    if definition.kind == UPLOAD:
        return definition.rescore_ms
    return paces(workspace)[name].every_ms


def _lacking(spec: ModelSpec, version: Version) -> Diagnostic | None:
    if version.kind not in KINDS:
        return None
    model = KINDS[version.kind].read(version.document)
    gone = [each for each in model.features if each not in spec.feature_names]
    if not gone:
        return None
    return Diagnostic("E864", f"it reads {gone[0]}, which is not defined any more", "train it again")


def _readers(workspace: Workspace, model: str) -> str:
    """The segments that read it."""
    live_ones = [name for name, each in workspace.segments.items() if each.live]
    names = [name for name in live_ones if model in read_by(workspace, workspace.conditions[name])]
    if not names:
        return ""
    more = f" and {len(names) - _READERS_NAMED} more" if len(names) > _READERS_NAMED else ""
    return f"; read by {', '.join(names[:_READERS_NAMED])}{more}"
