"""The shapes of the graph. Names are those of the contract: `user_id`, not `userId`."""

from __future__ import annotations

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from segue.domain.change import Change as Stored
from segue.domain.event import Json as Value
from segue.domain.time import format_instant
from segue.service.views import Member as MemberView
from segue.service.views import SegmentView, UserView

Seq = NewType("Seq", int)
Json = NewType("Json", object)

SCALARS: dict[object, ScalarDefinition] = {
    Seq: strawberry.scalar(
        name="Seq",
        description="A position in the log, or the number of a change: a whole number of any size.",
        serialize=int,
        parse_value=int,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}


def json_of(value: Value) -> Json:
    """A JSON value as the graph's scalar."""
    return Json(value)


@strawberry.type(description="One segment that a user is in.")
class Membership:
    """One membership."""

    name: str
    since: str = strawberry.field(description="The start of the unbroken stretch.")


@strawberry.type(description="What is known of a user beside segments, as far as the asker may see it.")
class Attributes:
    """Traits, features and scores."""

    traits: Json
    features: Json
    scores: Json
    percentiles: Json = strawberry.field(
        default_factory=lambda: json_of({}),
        description="Of each score, how many percent of those its version was judged on scored less.",
    )


@strawberry.type(description="One event of a user.")
class Event:
    """An event as it was taken."""

    seq: Seq
    type: str
    message_id: str
    timestamp: str
    received_at: str
    name: str | None = None
    group_id: str | None = None
    properties: Json | None = None
    traits: Json | None = None
    context: Json | None = None


@strawberry.type(description="Why a change happened.")
class Cause:
    """The cause of a change."""

    type: str
    message_id: str | None


@strawberry.type(description="One user entering or leaving one segment.")
class Change:
    """A change as it is written everywhere."""

    seq: Seq
    id: str
    user_id: str
    segment: str
    action: str
    at: str
    cause: Cause


def change_of(found: dict[str, Value]) -> Change:
    """From the change's JSON."""
    cause = found["cause"]
    return Change(
        seq=found["seq"],
        id=found["id"],
        user_id=found["user_id"],
        segment=found["segment"],
        action=found["action"],
        at=found["at"],
        cause=Cause(type=cause["type"], message_id=cause.get("message_id")),
    )


def stored_change(found: Stored) -> Change:
    """From the log's record."""
    return change_of(found.to_json())


@strawberry.type(description="A page of changes in order; `next` is the `after` of the following page.")
class Changes:
    """A page of changes."""

    changes: list[Change]
    next: Seq


@strawberry.type(description="One member of a segment.")
class Member:
    """A member."""

    user_id: str
    since: str


def member_of(found: MemberView) -> Member:
    """From the service's view."""
    return Member(user_id=found.user_id, since=format_instant(found.since))


@strawberry.type(
    description="A page of members in order of user id; `next` is the `cursor` of the following page."
)
class Members:
    """A page of members."""

    members: list[Member]
    total: int
    next: str | None


@strawberry.type(description="How many of the selected are in a segment.")
class Overlap:
    """One segment of a preview's overlap."""

    segment: str
    count: int


@strawberry.type(description="What a condition would select.")
class Preview:
    """A preview."""

    count: int
    share: float
    sample: list[str]
    overlap: list[Overlap]
    as_of: str


@strawberry.type(description="Why a user is in a segment, or is not.")
class Explanation:
    """An explanation; ``whole`` is all that REST answers."""

    user_id: str
    segment: str
    as_of: str
    member: bool
    since: str | None
    leaves_when: str | None
    enters_when: str | None
    whole: Json


def explanation_of(found: dict[str, Value]) -> Explanation:
    """From the explanation's JSON."""
    keys = ("user_id", "segment", "as_of", "member", "since", "leaves_when", "enters_when")
    return Explanation(**{key: found[key] for key in keys}, whole=json_of(found))


def memberships_of(view: UserView) -> list[Membership]:
    """All segments of a user."""
    return [Membership(name=each.name, since=format_instant(each.since)) for each in view.segments]


def definition_of(view: SegmentView, key: str) -> str | None:
    """One text of a segment's definition."""
    found = view.definition.get(key)
    return None if found is None else str(found)
