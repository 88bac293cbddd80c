"""Who did what, from the log's own records, the keys and the models: definitions, overrides, erasures.

Of who was forgotten or suppressed nothing is told but that it happened: the records do not know more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from segue.access.gate import Access
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.learned.registry import Move, Registry
from segue.log.batch import Record
from segue.log.sqlite import SqliteLog
from segue.segments.readers import DEFINITION_KINDS

KINDS = ("definitions", "override", "list", "suppress", "forget", "key", "model")
"""Of entries, as ``what`` names them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done at a moment (ms); ``seq`` is its place in the log, None for keys and models."""

    at: int
    what: str
    text: str
    seq: int | None = None
    by: str | None = None

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        found: dict[str, Json] = {"at": format_instant(self.at), "what": self.what, "text": self.text}
        if self.by is not None:
            found["by"] = self.by
        return found if self.seq is None else {"seq": self.seq, **found}


def audit(log: SqliteLog, access: Access, registry: Registry) -> list[Entry]:
    """Everything that was done, in order of time; at one moment in the order of the log."""
    found = [*_definitions(log.records("definitions")), *_of_keys(access), *map(_move, registry.moves())]
    for kind, told in (
        ("override", _override),
        ("list", _list),
        ("suppress", _suppress),
        ("forget", _forget),
    ):
        found += [told(record) for record in log.records(kind)]
    return sorted(found, key=lambda entry: (entry.at, entry.seq or 0))


def _move(move: Move) -> Entry:
    """A version of a model that came to another standing."""
    text = f"{move.model}, version {move.number}: {move.status}, {move.why}"
    return Entry(move.at, "model", text, by=move.by)


def _override(record: Record) -> Entry:
    body = record.body
    if "model" in body:
        return _score(record)
    member = {True: "put into", False: "kept out of", None: "left to its condition in"}[body["member"]]
    until = f" until {body['until']}" if body.get("until") else ""
    why = f": {body['why']}" if body.get("why") else ""
    text = f"{body['user_id']} {member} {body['segment']}{until}{why}"
    return Entry(record.at, "override", text, record.seq, body.get("by"))


def _score(record: Record) -> Entry:
    body = record.body
    said = f"the {body['gives']} {body['model']}"
    done = f"left to {said}" if body["value"] is None else f"given {body['value']} in place of {said}"
    until = f" until {body['until']}" if body.get("until") else ""
    why = f": {body['why']}" if body.get("why") else ""
    return Entry(record.at, "override", f"{body['user_id']} {done}{until}{why}", record.seq, body.get("by"))


def _list(record: Record) -> Entry:
    body = record.body
    done = "put on" if body["on"] else "taken off"
    return Entry(record.at, "list", f"{body['user_id']} {done} {body['list']}", record.seq)


def _suppress(record: Record) -> Entry:
    text = "someone suppressed" if record.body["on"] else "a suppression taken back"
    return Entry(record.at, "suppress", text, record.seq)


def _forget(record: Record) -> Entry:
    return Entry(record.at, "forget", "someone forgotten", record.seq)


def _of_keys(access: Access) -> Iterator[Entry]:
    for key in access.every():
        named = f"{key.grant.kind.value} key {key.grant.name} …{key.tail}"
        yield Entry(key.created, "key", f"{named} created")
        if key.revoked is not None:
            yield Entry(key.revoked, "key", f"{named} revoked")


# ---- definitions -----------------------------------------------------------------------------


def _definitions(records: Sequence[Record]) -> Iterator[Entry]:
    before: Mapping[str, Json] = {}
    for record in records:
        done = [*_settings(before, record.body), *_changed(before, record.body)]
        yield Entry(record.at, "definitions", ", ".join(done) or "applied without a change", record.seq)
        before = record.body


def _settings(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[str]:
    old, new = before.get("settings", {}), after.get("settings", {})
    if before:
        yield from (
            f"setting {name} changed" for name in sorted({*old, *new}) if old.get(name) != new.get(name)
        )


def _changed(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[str]:
    for kind in DEFINITION_KINDS:
        old = {each[kind.key]: each for each in before.get(kind.folder, ())}
        new = {each[kind.key]: each for each in after.get(kind.folder, ())}
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                action = "added" if name not in old else "removed" if name not in new else "changed"
                yield f"{kind.key} {name} {action}"
