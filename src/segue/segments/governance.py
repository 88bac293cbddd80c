"""What nobody has to mend today and somebody will be sorry for later: warnings about a valid workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from segue.domain.errors import Diagnostic, Severity
from segue.domain.outbound import is_public_and_plain
from segue.domain.time import DAY, format_duration
from segue.language import tree
from segue.language.walk import References, references
from segue.segments.definitions import Definition, SegmentDefinition
from segue.segments.freshness import broken
from segue.segments.origin import Origin
from segue.segments.sameness import normal
from segue.segments.settings_file import SETTINGS_FILE
from segue.segments.workspace import Workspace


@dataclass(frozen=True)
class Subject:
    """A workspace under review on a day, with what several rules ask of it."""

    workspace: Workspace
    today: date

    @cached_property
    def references(self) -> dict[str, References]:
        """What each segment refers to."""
        return {name: references(condition) for name, condition in self.workspace.conditions.items()}

    @cached_property
    def referred(self) -> dict[str, list[str]]:
        """Who refers to a segment, by its name."""
        found: dict[str, list[str]] = {}
        for name, named in self.references.items():
            for other in named.segments:
                found.setdefault(other, []).append(name)
        return found

    @cached_property
    def asked(self) -> frozenset[str]:
        """The segments that something other than a segment asks for."""
        watched = (name for each in self.workspace.watches.values() for name in references(each).segments)
        told = (name for each in self.workspace.triggers.values() for name in each.segments())
        return frozenset((*watched, *told))

    @cached_property
    def normal(self) -> dict[str, tree.Condition]:
        """Every condition in the one spelling."""
        return {name: normal(condition) for name, condition in self.workspace.conditions.items()}

    @property
    def current(self) -> Iterator[SegmentDefinition]:
        """The segments that are not archived."""
        return (each for each in self.workspace.segments.values() if each.status != "archived")


def review(workspace: Workspace, today: date) -> list[Diagnostic]:
    """All warnings, in the order of the files; ``today`` decides which reviews are overdue."""
    subject = Subject(workspace, today)
    found = [warning for rule in RULES for warning in rule(subject)]
    return sorted(found, key=_position)


def _position(found: Diagnostic) -> tuple[str, int, int, str]:
    if found.place is None:
        return ("", 0, 0, found.code)
    return (found.place.file or "", found.place.line, found.place.column, found.code)


def _warning(code: str, origin: Origin | None, message: str, hint: str) -> Diagnostic:
    found = Diagnostic(code, message, hint, severity=Severity.WARNING)
    return found.within(origin.place, origin.line) if origin else found


def _named(definition: Definition, code: str, message: str, hint: str) -> Diagnostic:
    return _warning(code, definition.origin, f"{definition.name} {message}", hint)


def same_condition(subject: Subject) -> Iterator[Diagnostic]:
    """One condition under two names: sooner or later only one of the two is edited."""
    first: dict[tree.Condition, SegmentDefinition] = {}
    for segment in subject.current:
        condition = subject.normal[segment.name]
        if isinstance(condition, tree.Truth):
            continue
        other = first.setdefault(condition, segment)
        if other is not segment:
            where = f" (at {other.origin.place})" if other.origin else ""
            message = f"has the same condition as {other.name}{where}"
            hint = f'keep one of the two, or write `segment("{other.name}")` where both are meant'
            yield _named(segment, "W101", message, hint)


def unreferred(subject: Subject) -> Iterator[Diagnostic]:
    """A segment that nothing refers to and that no reader declared a need for."""
    for segment in subject.current:
        needed = segment.name in subject.referred or segment.name in subject.asked
        if segment.live and segment.freshness_ms is None and not needed:
            hint = "say with `freshness: 1m` how soon its readers need it right, or archive it"
            yield _named(segment, "W102", "is a segment that nobody refers to", hint)


def untitled(subject: Subject) -> Iterator[Diagnostic]:
    """People pick a segment by its title."""
    for segment in subject.current:
        if segment.title is None:
            hint = f"add `title: {segment.name.replace('_', ' ').capitalize()}`"
            yield _named(segment, "W103", "has no title", hint)


def overdue(subject: Subject) -> Iterator[Diagnostic]:
    """The day of the next review has passed."""
    for segment in subject.current:
        if segment.review_ms is None or segment.last_reviewed is None:
            continue
        days = -(-segment.review_ms // DAY)
        late = (subject.today - segment.last_reviewed).days - days
        if late > 0:
            past = "a day" if late == 1 else f"{late} days"
            message = f"is {past} past its review, last reviewed on {segment.last_reviewed.isoformat()}"
            hint = f"look at it with its owner, {segment.owner}, then set last_reviewed"
            yield _named(segment, "W104", message, hint)


def never_reviewed(subject: Subject) -> Iterator[Diagnostic]:
    """A review without a last one is never overdue, so it is never done."""
    for segment in subject.current:
        if segment.review_ms is not None and segment.last_reviewed is None:
            every = format_duration(segment.review_ms)
            message = f"is to be reviewed every {every}, and nothing says when it last was"
            hint = f"add `last_reviewed: {subject.today.isoformat()}` once somebody has looked at it"
            yield _named(segment, "W105", message, hint)


def reviewed_ahead(subject: Subject) -> Iterator[Diagnostic]:
    """A review in the future hides that none was held."""
    for segment in subject.current:
        # A day of grace: the date may have been written where the next day has begun.
        if segment.last_reviewed and segment.last_reviewed > subject.today + timedelta(days=1):
            message = f"was last reviewed in the future, on {segment.last_reviewed.isoformat()}"
            yield _named(segment, "W106", message, "set last_reviewed to the day of the last review")


def lifeless_reference(subject: Subject) -> Iterator[Diagnostic]:
    """Who asks for a draft or an archived segment asks for nobody."""
    segments = subject.workspace.segments
    for segment in subject.current:
        for other in sorted(subject.references[segment.name].segments):
            if not segments[other].live:
                message = f"refers to {other}, which is {_status(segments[other])} and has no members"
                yield _named(segment, "W107", message, f"take the reference out, or make {other} active")


def _status(segment: SegmentDefinition) -> str:
    return "a draft" if segment.status == "draft" else segment.status


def constant(subject: Subject) -> Iterator[Diagnostic]:
    """A condition that holds for all or for nobody, whatever happens."""
    for segment in subject.current:
        condition = subject.normal[segment.name]
        if isinstance(condition, tree.Truth):
            whom = "everyone" if condition.value else "nobody"
            message = f"holds for {whom}, whatever happens"
            hint = "correct the condition; a segment to be filled by hand is better a list"
            yield _warning("W108", segment.when_origin, f"{segment.name} {message}", hint)


def unused_list(subject: Subject) -> Iterator[Diagnostic]:
    """A list that no condition asks for changes nothing."""
    asking = (*subject.references.values(), *map(references, subject.workspace.watches.values()))
    used = {name for named in asking for name in named.lists}
    for each in subject.workspace.lists.values():
        if each.name not in used:
            hint = f'use it as `list("{each.name}")`, or remove it'
            yield _named(each, "W109", "is a list that no segment uses", hint)


def unused_feature(subject: Subject) -> Iterator[Diagnostic]:
    """A feature that nothing names is edited for nobody."""
    used = {name for named in subject.workspace.used_features.values() for name in named}
    for each in subject.workspace.features.values():
        if each.name not in used:
            hint = f'use it as `feature("{each.name}")`, or remove it'
            yield _named(each, "W110", "is a feature that nothing uses", hint)


def broken_promise(subject: Subject) -> Iterator[Diagnostic]:
    """An operational segment is exact and by rules only; leaning on a strategic one, it is neither."""
    segments = subject.workspace.segments
    for segment in subject.current:
        for other in sorted(subject.references[segment.name].segments):
            if segment.kind == "operational" and segments[other].kind == "strategic":
                message = f"is operational and refers to {other}, which is strategic"
                hint = "make it `kind: strategic`, or take the reference out"
                yield _named(segment, "W111", message, hint)


def idle_priority(subject: Subject) -> Iterator[Diagnostic]:
    """A priority outside a group decides nothing."""
    for segment in subject.current:
        if segment.priority is not None and segment.exclusive is None:
            hint = "name its group with `exclusive: …`, or remove the priority"
            yield _named(segment, "W112", "has a priority and no exclusive group", hint)


def unread_file(subject: Subject) -> Iterator[Diagnostic]:
    """A file in a folder of definitions that is not read as one."""
    for file in subject.workspace.unread:
        hint = "files end in .yaml, .yml, .json (lists also in .csv) and stand right in their folder"
        yield Diagnostic("W113", f"{file} is not read", hint, severity=Severity.WARNING)


def no_settings(subject: Subject) -> Iterator[Diagnostic]:
    """A folder without settings may be the wrong folder."""
    if not subject.workspace.has_settings_file:
        hint = "check that this is the folder you mean; then write `timezone: UTC` into the file"
        yield Diagnostic("W114", f"there is no {SETTINGS_FILE} here", hint, severity=Severity.WARNING)


def late_score(subject: Subject) -> Iterator[Diagnostic]:
    """A segment promises to be right sooner than the scores that it reads."""
    for each in broken(subject.workspace):
        promised = format_duration(each.segment.freshness_ms or 0)
        message = f"promises to be right within {promised}, but the model {each.model} {each.reason}"
        yield _named(each.segment, "W115", message, each.hint)


def plain_webhook(subject: Subject) -> Iterator[Diagnostic]:
    """Whoever stands in between reads what a webhook over plain HTTP tells of users; inside, nobody does."""
    for each in subject.workspace.destinations.values():
        if each.kind == "webhook" and is_public_and_plain(each.address or ""):
            hint = "let the receiver answer over https"
            yield _named(each, "W120", "sends over plain HTTP: anyone in between can read it", hint)


def unused_destination(subject: Subject) -> Iterator[Diagnostic]:
    """A destination to which no trigger sends."""
    used = {name for trigger in subject.workspace.triggers.values() for name in trigger.to}
    for each in subject.workspace.destinations.values():
        if each.name not in used:
            yield _named(
                each, "W121", "gets nothing from any trigger", "name it in a trigger's `to`, or remove it"
            )


RULES: tuple[Callable[[Subject], Iterator[Diagnostic]], ...] = (
    same_condition,
    unreferred,
    untitled,
    overdue,
    never_reviewed,
    reviewed_ahead,
    lifeless_reference,
    constant,
    unused_list,
    unused_feature,
    broken_promise,
    idle_priority,
    unread_file,
    no_settings,
    late_score,
    plain_webhook,
    unused_destination,
)
"""Every rule of governance; each code is explained in docs/workspace.md."""
