"""Holds definitions against each other: priorities, features in order, conditions, references."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from segue.domain.errors import Diagnostic, Place, SegueError
from segue.domain.event import OWN_EVENTS
from segue.domain.planned import PropertyPlan
from segue.language import syntax, tree
from segue.language.checker import check_condition, check_operand
from segue.language.findings import Source
from segue.language.ordering import order_names, order_segments
from segue.language.parser import parse
from segue.language.scope import Scope
from segue.segments.definitions import EventPlan, FeatureDefinition, SegmentDefinition
from segue.segments.origin import Origin
from segue.settings import Settings

_ANYTHING = tree.Trait(("feature",))
"""Stands for a feature that is broken itself, so that what uses it is not blamed for it."""
_FIRST_NAME = re.compile(r"(\w+) ->")
Named = TypeVar("Named", SegmentDefinition, FeatureDefinition)


class Checking:
    """One check of one workspace; every finding is noted with its place in the files."""

    def __init__(
        self,
        settings: Settings,
        claims: Mapping[str, Mapping[str, Place | None]],
        plan: Mapping[str, EventPlan],
        findings: list[Diagnostic],
    ) -> None:
        self._findings = findings
        self._claims = claims
        self.used_features: dict[str, frozenset[str]] = {}
        self.watches: dict[str, tree.Condition] = {}
        self.watched_values: dict[str, tree.Operand] = {}
        self.scope = Scope(
            zone=settings.timezone,
            segments=claims["segment"].keys(),
            lists=claims["list"].keys(),
            events=_planned(plan) if settings.events_mode != "off" else None,
        )

    def features(self, features: Mapping[str, FeatureDefinition]) -> dict[str, tree.Operand]:
        """The checked expressions in an order in which each stands after those it names."""
        needs = {}
        for name, feature in features.items():
            needs[name] = self._features_named("feature", feature, feature.value)
        order = self._ordered(lambda: order_names(needs, {}), features)
        known: dict[str, tree.Operand] = dict.fromkeys(self._claims["feature"], _ANYTHING)
        scope = replace(self.scope, features=known)
        checked = {}
        for name in order:
            feature = features[name]
            try:
                checked[name] = known[name] = check_operand(feature.value, scope)
            except SegueError as refused:
                self.note(refused, feature.value_origin, f"feature {name}")
        self.scope = scope
        return checked

    def segments(
        self, segments: Mapping[str, SegmentDefinition]
    ) -> tuple[dict[str, tree.Condition], list[str]]:
        """The checked conditions, and the names in order of evaluation."""
        self._priorities(segments)
        conditions = {}
        for name, segment in segments.items():
            self._features_named("segment", segment, segment.when)
            try:
                conditions[name] = check_condition(segment.when, self.scope)
            except SegueError as refused:
                self.note(refused, segment.when_origin, f"segment {name}")
        groups = {name: segments[name].exclusive for name in conditions}
        return conditions, self._ordered(lambda: order_segments(conditions, groups), segments)

    def condition(
        self, text: str, origin: Origin | None, what: str, scope: Scope | None = None, before: int = 0
    ) -> tree.Condition | None:
        """A checked condition; None after noting its findings.

        ``before`` is how many letters stand in front of what was written, in its first line.
        """
        try:
            return check_condition(text, scope or self.scope)
        except SegueError as refused:
            self.note(_shifted(refused, before), origin, what)
            return None

    def watch(self, name: str, text: str, origin: Origin | None) -> None:
        """Have a condition followed under a name of :func:`segue.domain.watch.watch_name`."""
        found = self.condition(text, origin, name)
        if found is not None:
            self.watches[name] = found

    def _priorities(self, segments: Mapping[str, SegmentDefinition]) -> None:
        taken: dict[tuple[str, int], str] = {}
        for name, segment in segments.items():
            if segment.exclusive is None or segment.priority is None or segment.status == "archived":
                continue
            first = taken.setdefault((segment.exclusive, segment.priority), name)
            if first != name:
                where = self._claims["segment"].get(first)
                message = (
                    f"{name} and {first}{f' (at {where})' if where else ''} have the same priority "
                    f'{segment.priority} in the exclusive group "{segment.exclusive}"'
                )
                hint = "give each segment of a group its own priority"
                self.refuse("E432", message, hint, segment.origin)

    def _features_named(self, kind: str, definition: Named, text: str) -> frozenset[str]:
        """Which features a text names; none for a text that does not parse, which its check reports."""
        found: frozenset[str] = frozenset()
        if "feature" in text:
            try:
                found = _feature_names(parse(Source(text))[0])
            except SegueError:
                found = frozenset()
        self.used_features[f"{kind} {definition.name}"] = found
        return found

    def _ordered(self, order: Callable[[], list[str]], definitions: Mapping[str, Named]) -> list[str]:
        """The order, or for a circle its finding and no order at all."""
        try:
            return order()
        except SegueError as refused:
            for finding in refused.diagnostics:
                first = _FIRST_NAME.search(finding.message)
                named = definitions.get(first[1]) if first else None
                self.refuse(finding.code, finding.message, finding.hint, named.origin if named else None)
            return []

    def note(self, refused: SegueError, origin: Origin | None, what: str) -> None:
        """Note the findings in a text, at their places in the file; ``what`` names it where there is none."""
        for finding in refused.diagnostics:
            moved = (
                origin.moved(finding) if origin else replace(finding, message=f"{what}: {finding.message}")
            )
            self._findings.append(moved)

    def refuse(self, code: str, message: str, hint: str, origin: Origin | None) -> None:
        """Note one finding about what stands somewhere."""
        found = Diagnostic(code, message, hint)
        if origin is not None:
            found = found.within(origin.place, origin.line)
        self._findings.append(found)


def _shifted(refused: SegueError, by: int) -> SegueError:
    """The findings that many letters further left in their first line."""
    return SegueError(
        *(
            replace(found, place=replace(found.place, column=max(1, found.place.column - by)))
            if found.place is not None and found.place.line == 1
            else found
            for found in refused.diagnostics
        )
    )


def _planned(plan: Mapping[str, EventPlan]) -> Mapping[str, Collection[str] | None] | None:
    """The tracking plan as the language asks for it; None when nothing is planned."""
    if not plan:
        return None
    return {**dict.fromkeys(OWN_EVENTS), **{name: _names(event) for name, event in plan.items()}}


def _names(event: EventPlan) -> Collection[str] | None:
    """The properties that an event may carry; None where any other may come too."""
    return None if event.additional or not event.properties else tuple(_paths(event.properties, ""))


def _paths(properties: Mapping[str, PropertyPlan], before: str) -> Iterator[str]:
    """Each property by its path; within one that is not closed everything may be asked for."""
    for name, plan in properties.items():
        if plan.properties and not plan.additional:
            yield from _paths(plan.properties, f"{before}{name}.")
        else:
            yield before + name


def _feature_names(root: syntax.Expression) -> frozenset[str]:
    names = set()
    waiting: list[syntax.Expression | syntax.Pattern | syntax.Window | None] = [root]
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if isinstance(node, syntax.Reference) and node.kind == "feature":
            names.add(node.name)
        waiting.extend(syntax.parts_of(node))
    return frozenset(names)
