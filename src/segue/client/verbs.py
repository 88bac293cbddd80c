"""Every question that a client asks, once: what is sent, and what the answer means.

The synchronous and the asynchronous client differ in how they wait, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from segue.client import records

T = TypeVar("T")
Json = Any


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """A request to be made with the read key, and how its answer is read."""

    method: str
    path: str
    read: Callable[[Json], T]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a long answer; ``following`` asks for the next one, None on the last."""

    rows: Sequence[T]
    following: Asked[Page[T]] | None


def user(user_id: str) -> Asked[records.User]:
    """Segments, traits, features and scores of a user now."""
    return Asked("GET", f"/v1/users/{_path(user_id)}/segments", records.user)


def profile(user_id: str) -> Asked[Mapping[str, Json]]:
    """All that is known of a user."""
    return Asked("GET", f"/v1/users/{_path(user_id)}", _as_it_is)


def explain(user_id: str, segment: str, as_of: datetime | None) -> Asked[Mapping[str, Json]]:
    """Why a user is in a segment, or not."""
    return Asked("GET", f"/v1/users/{_path(user_id)}/explain/{_path(segment)}", _as_it_is, _when(as_of))


def segments() -> Asked[list[records.Segment]]:
    """All segments."""
    return Asked("GET", "/v1/segments", lambda found: [records.segment(each) for each in found["segments"]])


def members(segment: str, as_of: datetime | None) -> Asked[Page[tuple[str, datetime]]]:
    """(user id, since) of a segment's members, by user id."""
    return _members(segment, _when(as_of))


def _members(segment: str, query: Mapping[str, str]) -> Asked[Page[tuple[str, datetime]]]:
    def read(found: Json) -> Page[tuple[str, datetime]]:
        rows = [(each["user_id"], records.moment(each["since"])) for each in found["members"]]
        after = found["next"]
        return Page(rows, None if after is None else _members(segment, {**query, "cursor": after}))

    return Asked("GET", f"/v1/segments/{_path(segment)}/members", read, query)


def changes(after: int, segment: str | None) -> Asked[Page[records.Change]]:
    """Stored changes in order; the last page is the first that is empty."""

    def read(found: Json) -> Page[records.Change]:
        rows = [records.change(each) for each in found["changes"]]
        return Page(rows, changes(found["next"], segment) if rows else None)

    query = {"after": str(after)} if segment is None else {"after": str(after), "segment": segment}
    return Asked("GET", "/v1/changes", read, query)


def preview(when: str, as_of: datetime | None) -> Asked[records.Preview]:
    """Whom a condition would select."""
    body = {"when": when, **({} if as_of is None else _when(as_of))}
    return Asked("POST", "/v1/segments/preview", records.preview, body=body)


def decide(
    user_id: str,
    slots: Sequence[str],
    context: Mapping[str, Json] | None,
    events: Sequence[Mapping[str, Json]],
    record: bool,
) -> Asked[records.Decision]:
    """What a user should see."""
    body = {
        "user_id": user_id,
        "slots": list(slots),
        "context": dict(context or {}),
        "events": list(events),
        "record": record,
    }
    return Asked("POST", "/v1/decide", records.decision, body=body)


def recommend(user_id: str | None, count: int | None, **said: Json) -> Asked[records.Recommendations]:
    """Items for a user."""
    body = {"user_id": user_id, "count": count, **said}
    present = {key: value for key, value in body.items() if value is not None}
    return Asked("POST", "/v1/personalized-recommendations", records.recommendations, body=present)


def put_items(items: Sequence[Mapping[str, Json]]) -> Asked[records.ItemsTaken]:
    """Put items into the catalogue; takes an admin key."""
    return Asked(
        "POST", "/v1/catalog/items", records.items_taken, body={"items": [dict(each) for each in items]}
    )


def item(item_id: str) -> Asked[Mapping[str, Json]]:
    """An item of the catalogue."""
    return Asked("GET", f"/v1/catalog/items/{_path(item_id)}", lambda found: _as_it_is(found["item"]))


def remove_item(item_id: str) -> Asked[None]:
    """Take an item out; takes an admin key."""
    return Asked("DELETE", f"/v1/catalog/items/{_path(item_id)}", lambda _found: None)


def forget(user_id: str) -> Asked[Mapping[str, Json]]:
    """Erase a user; takes an admin key."""
    return Asked("DELETE", f"/v1/users/{_path(user_id)}", _as_it_is)


def _as_it_is(found: Json) -> Mapping[str, Json]:
    said: Mapping[str, Json] = found
    return said


def _path(word: str) -> str:
    return quote(word, safe="")


def _when(as_of: datetime | None) -> dict[str, str]:
    if as_of is None:
        return {}
    if as_of.tzinfo is None:
        raise ValueError(f"the time {as_of.isoformat()} has no zone: give it one, e.g. datetime.now(UTC)")
    return {"as_of": as_of.isoformat(timespec="milliseconds")}
