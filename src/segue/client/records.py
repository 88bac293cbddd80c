"""What the server answers, as frozen records. Moments are aware datetimes in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Any


@dataclass(frozen=True, slots=True)
class Membership:
    """A segment that a user is in."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A user now; nothing is held against one who is not ``known``.

    ``version`` rises when anything of it changes. ``percentiles`` say of a score how many percent of those
    that its version was judged on scored less.
    """

    user_id: str
    known: bool
    segments: tuple[Membership, ...]
    traits: Mapping[str, Json]
    features: Mapping[str, Json]
    scores: Mapping[str, Json]
    version: int
    percentiles: Mapping[str, int] = field(default_factory=dict)

    def is_in(self, segment: str) -> bool:
        """Whether the user is in a segment."""
        return any(each.name == segment for each in self.segments)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment with the number of its members; ``definition`` is what its file says."""

    name: str
    members: int
    definition: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Change:
    """One user who entered or left one segment; ``cause`` is the type, ``message_id`` that of its event."""

    seq: int
    id: str
    user_id: str
    segment: str
    entered: bool
    at: datetime
    cause: str
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a condition would select; ``overlap`` tells how many of them are in which segment."""

    count: int
    share: float
    sample: tuple[str, ...]
    overlap: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Passed:
    """A variant that was not shown, and why."""

    experience: str
    variant: str
    why: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a slot shows; without a variant the payload is the fallback's."""

    slot: str
    experience: str | None
    variant: str | None
    payload: Json
    reason: str
    passed: tuple[Passed, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a user should see, by slot."""

    user_id: str
    known: bool
    slots: Mapping[str, Shown]
    version: int


@dataclass(frozen=True, slots=True)
class Item:
    """A recommended item. ``reason`` is a word such as ``bought_with``, ``text`` says it to people.

    ``details`` are what the catalogue says of it: title, price, url and the rest.
    """

    id: str
    score: float
    reason: str
    text: str
    details: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Items, best first."""

    user_id: str | None
    known: bool
    items: tuple[Item, ...]
    catalog_version: int


@dataclass(frozen=True, slots=True)
class ItemsTaken:
    """What became of items that were put in; ``same`` were there as they are.

    ``refused`` counts those that are none, ``findings`` has the first of them: (place, why).
    """

    version: int
    added: int
    changed: int
    same: int
    refused: int
    findings: tuple[tuple[int, str], ...]


def user(found: Json) -> User:
    """From ``GET /v1/users/{id}/segments``."""
    segments = tuple(Membership(each["name"], moment(each["since"])) for each in found["segments"])
    said = found["attributes"]
    return User(
        found["user_id"],
        found["known"],
        segments,
        said.get("traits", {}),
        said.get("features", {}),
        said.get("scores", {}),
        found["version"],
        said.get("percentiles", {}),
    )


def segment(found: Json) -> Segment:
    """From ``GET /v1/segments``."""
    definition = {key: value for key, value in found.items() if key not in ("name", "members")}
    return Segment(found["name"], found["members"], definition)


def change(found: Json) -> Change:
    """As it is written everywhere."""
    cause = found["cause"]
    entered = found["action"] == "entered"
    return Change(
        found["seq"],
        found["id"],
        found["user_id"],
        found["segment"],
        entered,
        moment(found["at"]),
        cause["type"],
        cause.get("message_id"),
    )


def preview(found: Json) -> Preview:
    """From ``POST /v1/segments/preview``."""
    return Preview(found["count"], found["share"], tuple(found["sample"]), found["overlap"])


def decision(found: Json) -> Decision:
    """From ``POST /v1/decide``."""
    slots = {slot: _shown(slot, said) for slot, said in found["slots"].items()}
    return Decision(found["user_id"], found["known"], slots, found["version"])


def _shown(slot: str, said: Json) -> Shown:
    passed = tuple(Passed(each["experience"], each["variant"], each["why"]) for each in said["passed"])
    return Shown(slot, said["experience"], said["variant"], said["payload"], said["reason"], passed)


def recommendations(found: Json) -> Recommendations:
    """From ``POST /v1/personalized-recommendations``."""
    items = tuple(map(_item, found["items"]))
    return Recommendations(found["user_id"], found["known"], items, found["catalog_version"])


def _item(said: Json) -> Item:
    details = {key: value for key, value in said.items() if key not in ("id", "score", "reason")}
    reason = said["reason"]
    return Item(said["id"], said["score"], reason["kind"], reason["text"], details)


def items_taken(found: Json) -> ItemsTaken:
    """From ``POST /v1/catalog/items``."""
    findings = tuple((each["index"], each["message"]) for each in found["findings"])
    return ItemsTaken(
        found["version"], found["added"], found["changed"], found["same"], found["refused"], findings
    )


def moment(text: str) -> datetime:
    """A moment as the server writes it."""
    return datetime.fromisoformat(text)
