"""From placed nodes to definitions: one list of keys for each kind of thing that a workspace holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from segue.domain.limits import ID_CHARACTERS_MAX
from segue.domain.planned import MODES
from segue.segments.definitions import (
    KINDS,
    STATUSES,
    Definition,
    EventPlan,
    FeatureDefinition,
    ListDefinition,
    SegmentDefinition,
)
from segue.segments.destinations.reading import DESTINATION_FIELDS, make_destination
from segue.segments.experiences.reading import EXPERIENCE_FIELDS, GOAL_FIELDS, VARIANT_FIELDS, experience
from segue.segments.fields import (
    Field,
    Sheet,
    day,
    duration,
    every,
    expression,
    head,
    integer,
    name,
    one_of,
    read_fields,
    text,
    truth,
    user_ids,
)
from segue.segments.models.reading import MODEL_FIELDS, make_model
from segue.segments.nodes import Entries, Items, Node, Scalar
from segue.segments.property_fields import properties
from segue.segments.recommendations.fields import RECOMMENDATION_FIELDS, make_recommendation
from segue.segments.triggers.reading import TRIGGER_FIELDS, trigger_of


def _event_name(node: Node, key: str, sheet: Sheet) -> str | None:
    if not isinstance(node, Scalar) or node.plain() is None:
        sheet.wrong_type(key, node, "the name of an event", 'write it like "Order Completed"')
        return None
    if not node.text.strip() or len(node.text) > ID_CHARACTERS_MAX:
        sheet.refuse("E426", node, f"{key} is empty or too long", 'write a name like "Order Completed"')
        return None
    return node.text


SEGMENT_FIELDS = (
    *head("segment"),
    Field("kind", one_of(*KINDS), "operational: exact, rules only; strategic: may use scores and clusters"),
    Field("freshness", duration, "how soon after the event it must be right"),
    Field("review", every, "how often people look at it again"),
    Field("last_reviewed", day, "the day when people last did"),
    Field("status", one_of(*STATUSES), "draft and archived segments are checked and have no members"),
    Field("exclusive", name, "the group of which a profile is in one segment at most"),
    Field("priority", integer, "which segment of the group wins: the largest whose condition holds"),
    Field("when", expression, "the condition", required=True),
)
FEATURE_FIELDS = (
    *head("feature"),
    Field("value", expression, "the expression", required=True),
)
LIST_FIELDS = (
    Field("list", name, "its one name, in lower_snake_case", required=True),
    Field("owner", text, "who answers for it"),
    Field("description", text, "who is on it, and why"),
    Field("users", user_ids, "the user ids on it", required=True),
)
EVENT_FIELDS = (
    Field("event", _event_name, "the name of a track event, as it is sent", required=True),
    Field("owner", text, "who answers for it"),
    Field("description", text, "what the user did", required=True),
    Field("mode", one_of(*MODES), "what becomes of one that breaks the plan, if not what `events.mode` says"),
    Field("additional", truth, "whether it may carry properties that are not named"),
    Field("properties", properties, "its properties by name; without this key they are free"),
)


def _segment(values: dict[str, Any], node: Entries, sheet: Sheet) -> SegmentDefinition | None:
    group, priority = values.get("exclusive"), values.get("priority")
    if "exclusive" in node.entries and "priority" not in node.entries:
        hint = "add `priority: 10`; of the segments that hold, the one of largest priority takes the profile"
        sheet.refuse("E431", node.entries["exclusive"][0], "an exclusive segment needs a priority", hint)
        return None
    return SegmentDefinition(
        name=values["segment"],
        owner=values["owner"],
        description=values["description"],
        when=values["when"],
        title=values.get("title"),
        kind=values.get("kind", KINDS[0]),
        freshness_ms=values.get("freshness"),
        review_ms=values.get("review"),
        last_reviewed=values.get("last_reviewed"),
        status=values.get("status", "active"),
        exclusive=group,
        priority=priority,
        origin=sheet.origin(node.value("segment")),
        when_origin=sheet.origin(node.value("when")),
    )


def _feature(values: dict[str, Any], node: Entries, sheet: Sheet) -> FeatureDefinition:
    return FeatureDefinition(
        name=values["feature"],
        owner=values["owner"],
        description=values["description"],
        value=values["value"],
        title=values.get("title"),
        origin=sheet.origin(node.value("feature")),
        value_origin=sheet.origin(node.value("value")),
    )


def _list(values: dict[str, Any], node: Entries, sheet: Sheet) -> ListDefinition:
    return ListDefinition(
        name=values["list"],
        users=values["users"],
        owner=values.get("owner"),
        description=values.get("description"),
        origin=sheet.origin(node.value("list")),
    )


def _event(values: dict[str, Any], node: Entries, sheet: Sheet) -> EventPlan:
    return EventPlan(
        name=values["event"],
        description=values["description"],
        properties=values.get("properties", {}),
        owner=values.get("owner"),
        mode=values.get("mode"),
        additional=values.get("additional", False),
        origin=sheet.origin(node.value("event")),
    )


def _expressions(fields: tuple[Field, ...]) -> tuple[str, ...]:
    return tuple(field.key for field in fields if field.read is expression)


@dataclass(frozen=True, slots=True)
class DefinitionKind:
    """A folder of the workspace: the key that names its definitions, their keys, and what is made of them.

    ``inner`` are the keys under which mappings of their own stand, alone or in a list, with their keys.
    """

    folder: str
    key: str
    fields: tuple[Field, ...]
    make: Callable[[dict[str, Any], Entries, Sheet], Definition | None]
    inner: tuple[tuple[str, tuple[Field, ...]], ...] = ()

    @property
    def expression_keys(self) -> tuple[str, ...]:
        """The keys that hold text of the condition language."""
        return _expressions(self.fields)

    def expressions(self, node: Node) -> Iterator[tuple[Entries, tuple[str, ...]]]:
        """Each mapping of a definition with its keys that hold such text; none behind an alias."""
        if not isinstance(node, Entries) or node.alias is not None:
            return
        yield node, self.expression_keys
        for key, fields in self.inner:
            value = node.value(key)
            if value is not None and value.alias is None:
                for each in value if isinstance(value, Items) else (value,):
                    if isinstance(each, Entries) and each.alias is None:
                        yield each, _expressions(fields)

    def read(self, node: Node, sheet: Sheet) -> Definition | None:
        """The definition that stands in a mapping; None after noting what is wrong with it."""
        noted = len(sheet.findings)
        values = read_fields(node, f"this {self.key}", self.fields, sheet)
        if values is None or not isinstance(node, Entries):
            return None
        complete = all(field.key in values for field in self.fields if field.required)
        definition = self.make(values, node, sheet) if complete else None
        return definition if len(sheet.findings) == noted else None


SEGMENTS = DefinitionKind("segments", "segment", SEGMENT_FIELDS, _segment)
FEATURES = DefinitionKind("features", "feature", FEATURE_FIELDS, _feature)
LISTS = DefinitionKind("lists", "list", LIST_FIELDS, _list)
EVENTS = DefinitionKind("events", "event", EVENT_FIELDS, _event)
MODELS = DefinitionKind("models", "model", MODEL_FIELDS, make_model)
TRIGGERS = DefinitionKind("triggers", "trigger", TRIGGER_FIELDS, trigger_of)
DESTINATIONS = DefinitionKind("destinations", "destination", DESTINATION_FIELDS, make_destination)
EXPERIENCES = DefinitionKind(
    "experiences",
    "experience",
    EXPERIENCE_FIELDS,
    experience,
    (("variants", VARIANT_FIELDS), ("goal", GOAL_FIELDS)),
)
RECOMMENDATIONS = DefinitionKind(
    "recommendations", "recommendation", RECOMMENDATION_FIELDS, make_recommendation
)

DEFINITION_KINDS = (
    SEGMENTS,
    FEATURES,
    LISTS,
    EVENTS,
    MODELS,
    TRIGGERS,
    DESTINATIONS,
    EXPERIENCES,
    RECOMMENDATIONS,
)
"""Every kind of definition that there is."""
