"""What applying the folder would change; and a workspace as one JSON value, to be logged and restored."""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import yaml

from segue.domain.errors import refusal
from segue.segments.definitions import Definition, SegmentDefinition
from segue.segments.fields import Sheet
from segue.segments.folder import FolderContents
from segue.segments.nodes import node_of
from segue.segments.readers import DEFINITION_KINDS
from segue.segments.settings_file import read_settings
from segue.segments.source import Source
from segue.segments.workspace import Workspace, assemble

FORMAT = 1
"""Rises when an older version could not read the JSON any more."""
_WHOLE_LINE = 1 << 30
_ALL_DEPEND_ON = frozenset(("timezone", "session_gap"))


def to_json(workspace: Workspace) -> dict[str, object]:
    """All that a workspace defines, without its files: the record that ``apply`` logs."""
    found: dict[str, object] = {"format": FORMAT, "settings": workspace.settings.to_json()}
    definitions = workspace.definitions()
    for kind in DEFINITION_KINDS:
        named = definitions[kind.key]
        found[kind.folder] = [named[name].to_json() for name in sorted(named)]
    return found


def from_json(value: object) -> Workspace:
    """The workspace that :func:`to_json` wrote; E460 when it is none, else the findings of its check."""
    if not isinstance(value, dict) or not _whole(value):
        raise refusal(
            "E460", "these definitions are not what Segue wrote", "apply the workspace folder again"
        )
    if value["format"] > FORMAT:
        message = (
            f"these definitions were written by a newer version (format {value['format']}, here {FORMAT})"
        )
        raise refusal("E460", message, "use that version, or a newer one")
    contents = FolderContents(has_settings_file=True)
    sheet = Sheet(Source("", ""), contents.findings)
    contents.settings = read_settings(node_of(value.get("settings", {})), sheet, {})
    for kind in DEFINITION_KINDS:
        named: dict[str, Definition] = {}
        for each in value.get(kind.folder, ()):
            definition = kind.read(node_of(each), sheet)
            if definition is not None:
                named[definition.name] = definition
        contents.definitions[kind.key] = named
        contents.claims[kind.key] = dict.fromkeys(named)
    return assemble(contents)


def _whole(value: dict[str, object]) -> bool:
    lists = all(isinstance(value.get(kind.folder, []), list) for kind in DEFINITION_KINDS)
    return lists and isinstance(value.get("format"), int)


@dataclass(frozen=True, slots=True)
class Difference:
    """One definition, or one setting, that is added, changed or removed.

    ``before`` and ``after`` hold what differs, by key. ``twin`` is the removed segment of the same
    condition as an added one: a rename, most likely.
    """

    action: str  # "added" | "changed" | "removed"
    kind: str  # segment, feature, list, event, setting
    name: str
    before: Mapping[str, object]
    after: Mapping[str, object]
    twin: str | None = None

    def lines(self) -> list[str]:
        """The difference as people read it."""
        sign = {"added": "+", "changed": "~", "removed": "-"}[self.action]
        head = f"{sign} {self.kind} {self.name}" + (f"  (as {self.twin} was)" if self.twin else "")
        keys = dict.fromkeys([*self.before, *self.after])
        return [head, *(line for key in keys for line in self._key(key))]

    def _key(self, key: str) -> list[str]:
        if key == self.kind:
            return []
        old, new = _spelled(self.before.get(key)), _spelled(self.after.get(key))
        if len(old) <= 1 and len(new) <= 1:
            shown = [old or ["nothing"], new or ["nothing"]] if self.action == "changed" else [old, new]
            return [f"    {key}: {' -> '.join(line for side in shown for line in side)}"]
        changed = _members if isinstance(self.after.get(key, self.before.get(key)), list) else _lines
        return [f"    {key}:", *(f"      {line}" for line in changed(old, new))]

    def to_json(self) -> dict[str, object]:
        """The difference as one JSON object."""
        found: dict[str, object] = {"action": self.action, "kind": self.kind, "name": self.name}
        if self.before:
            found["before"] = dict(self.before)
        if self.after:
            found["after"] = dict(self.after)
        if self.twin:
            found["same_condition_as_removed"] = self.twin
        return found


def _lines(old: list[str], new: list[str]) -> Iterator[str]:
    """A text's lines before and after, all of them, marked with what became of each."""
    marked = difflib.unified_diff(old, new, lineterm="", n=len(old) + len(new))
    return (f"{line[0]} {line[1:]}".rstrip() for line in itertools.islice(marked, 3, None))


def _members(old: list[str], new: list[str]) -> Iterator[str]:
    """Who left a list and who came; a list is long, and those who stay are not told."""
    before, after = set(old), set(new)
    yield from (f"- {each}" for each in old if each not in after)
    yield from (f"+ {each}" for each in new if each not in before)


def _spelled(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.splitlines()
    if isinstance(value, list):
        return [each if isinstance(each, str) else "".join(_yaml(each, flow=True)) for each in value]
    return _yaml(value, flow=None)


def _yaml(value: object, flow: bool | None) -> list[str]:
    """A value as its file may spell it; ``flow`` None breaks lines between the parts of a large one."""
    plain = json.loads(json.dumps(value))
    if not isinstance(plain, dict | list):
        return [json.dumps(plain)]
    return yaml.safe_dump(
        plain, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=_WHOLE_LINE
    ).splitlines()


@dataclass(frozen=True, slots=True)
class Plan:
    """All differences, and the segments whose memberships are to be found anew because of them."""

    differences: tuple[Difference, ...]
    evaluated_anew: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.differences)

    def render(self) -> str:
        """The plan as people read it."""
        if not self.differences:
            return "nothing to apply: the folder says what is in force"
        lines = [line for difference in self.differences for line in difference.lines()]
        if self.evaluated_anew:
            lines.append("evaluated anew: " + ", ".join(self.evaluated_anew))
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        """The plan as one JSON object."""
        differences = [difference.to_json() for difference in self.differences]
        return {"differences": differences, "evaluated_anew": [*self.evaluated_anew]}


def plan(applied: Workspace | None, wanted: Workspace) -> Plan:
    """What is to be done so that ``wanted`` is in force; ``applied`` None means that nothing is yet."""
    found = []
    old_settings = applied.settings.to_json() if applied else {}
    new_settings = wanted.settings.to_json()
    for name, value in new_settings.items():
        before = old_settings.get(name)
        if applied is not None and before != value:
            found.append(Difference("changed", "setting", name, {name: before}, {name: value}))
    old = applied.definitions() if applied else {}
    for kind, named in wanted.definitions().items():
        found.extend(_differences(kind, old.get(kind, {}), named))
    if applied is not None:
        found = _with_twins(found, applied, wanted)
    return Plan(tuple(found), _evaluated_anew(applied, wanted))


def _differences(kind: str, old: Mapping[str, Definition], new: Mapping[str, Definition]) -> list[Difference]:
    found = []
    for name in sorted({*old, *new}):
        before = old[name].to_json() if name in old else {}
        after = new[name].to_json() if name in new else {}
        if before == after:
            continue
        action = "changed" if before and after else "added" if after else "removed"
        same = {key for key in before if key in after and before[key] == after[key]}
        left = {key: value for key, value in before.items() if key not in same}
        come = {key: value for key, value in after.items() if key not in same}
        found.append(Difference(action, kind, name, left, come))
    return found


def _with_twins(found: list[Difference], applied: Workspace, wanted: Workspace) -> list[Difference]:
    gone = {
        applied.conditions[each.name]: each.name
        for each in found
        if each.action == "removed" and each.kind == "segment"
    }
    return [
        replace(each, twin=gone.get(wanted.conditions[each.name]))
        if each.action == "added" and each.kind == "segment"
        else each
        for each in found
    ]


def _evaluated_anew(applied: Workspace | None, wanted: Workspace) -> tuple[str, ...]:
    if applied is None:
        return tuple(wanted.segments)
    old, new = applied.settings.to_json(), wanted.settings.to_json()
    everything = any(old[name] != new[name] for name in _ALL_DEPEND_ON)
    return tuple(
        name
        for name, segment in wanted.segments.items()
        if everything
        or name not in applied.segments
        or applied.conditions[name] != wanted.conditions[name]
        or _bearing(applied.segments[name]) != _bearing(segment)
    )


def _bearing(segment: SegmentDefinition) -> tuple[object, ...]:
    return (segment.status, segment.exclusive, segment.priority)
