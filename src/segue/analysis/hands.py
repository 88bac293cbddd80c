"""What people decided and models said, folded from the log's records alone: lists, overrides, scores.

The engine keeps the same beside its columns. This is the account that it is held against, so it asks nothing
of the engine: names are looked up among the profiles that the log says began, were renamed and merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import duckdb

from segue.domain.event import Json
from segue.domain.time import parse_instant
from segue.language.interpret import Override, Replacement
from segue.log.batch import Entry, EventBatch, Record, Stretch
from segue.log.said import NOTHING, Model, Said, json_of
from segue.log.sqlite import SqliteLog

Row = int
SUPPRESSED = Override(False)
"""Stands against every segment of who is suppressed."""


@dataclass(slots=True)
class Decided:
    """About one profile, or about an id that has none yet."""

    lists: set[str] = field(default_factory=set)
    overrides: dict[str, Override] = field(default_factory=dict)
    words: dict[Model, Replacement] = field(default_factory=dict)


@dataclass(frozen=True)
class Folded:
    """``said`` are values by model and row, places in the model's ``labels`` where it has any.

    ``words`` are what people say in their place, by row.
    """

    said: Mapping[Model, Mapping[Row, int]] = field(default_factory=dict)
    labels: Mapping[Model, list[str] | None] = field(default_factory=dict)
    words: Mapping[Row, Mapping[Model, Replacement]] = field(default_factory=dict)

    def said_of(self, row: Row) -> dict[Model, Json]:
        """What models say of a row."""
        return {
            model: json_of(held[row], self.labels[model]) for model, held in self.said.items() if row in held
        }

    def words_of(self, row: Row) -> Mapping[Model, Replacement]:
        """What people say of a row."""
        return self.words.get(row, {})


class Hands:
    """Takes the entries of a log in order; ``clock`` gives the engine time (ms) at a position of the log."""

    def __init__(self, clock: Callable[[int], int]) -> None:
        self.suppressed: set[Row] = set()
        self._clock = clock
        self._of_row: dict[Row, Decided] = {}
        self._awaited: dict[str, Decided] = {}
        self._rows: dict[str, Row] = {}
        self._into: dict[Row, Row] = {}
        self._gone: set[Row] = set()
        self._by_file: dict[str, frozenset[str]] = {}
        self._said: dict[Model, dict[Row, int]] = {}
        self._labels: dict[Model, list[str]] = {}

    # ---- what it comes to --------------------------------------------------------------------

    def lists(self) -> dict[Row, AbstractSet[str]]:
        """The lists that each surviving row is on."""
        return {row: decided.lists for row, decided in self._of_row.items() if decided.lists}

    def overrides(self, segments: AbstractSet[str]) -> dict[Row, Mapping[str, Override]]:
        """The overrides of each surviving row, by segment; of those suppressed, of all segments."""
        found: dict[Row, Mapping[str, Override]] = {
            row: decided.overrides for row, decided in self._of_row.items() if decided.overrides
        }
        return found | dict.fromkeys(self.suppressed, dict.fromkeys(segments, SUPPRESSED))

    def speech(self) -> Folded:
        """What models say of each surviving row, and what people say in their place."""
        words = {row: decided.words for row, decided in self._of_row.items() if decided.words}
        labels = {model: named or None for model, named in self._labels.items()}
        return Folded(self._said, labels, words)

    # ---- entries -----------------------------------------------------------------------------

    def take(self, entry: Entry) -> None:
        """The next entry."""
        if isinstance(entry, Record):
            self._record(entry)
            return
        for seq, name, row, other in sorted(_marks(entry), key=lambda mark: (mark[0], _TURNS[mark[1]])):
            if name == "merges":
                self._merge(row, other, seq)
            else:
                self._arrive(other, row)

    def _arrive(self, who: str, row: Row) -> None:
        """An id leads to a profile from now on: what was decided about it takes hold."""
        self._rows[who] = row
        awaited = self._awaited.pop(who, None)
        if awaited is not None:
            held = self._held(row)
            held.lists |= awaited.lists
            held.overrides |= awaited.overrides
            held.words |= awaited.words

    def _merge(self, absorbed: Row, survivor: Row, seq: int) -> None:
        self._into[absorbed] = survivor
        self.suppressed.discard(absorbed)
        self._unsay(absorbed)
        theirs = self._of_row.pop(absorbed, None)
        if theirs is None:
            return
        ours = self._held(survivor)
        ours.lists |= theirs.lists
        for segment, override in theirs.overrides.items():
            known = ours.overrides.get(segment)
            if known is None or not known.stands(self._clock(seq)):
                ours.overrides[segment] = override
        for model, word in theirs.words.items():
            said = ours.words.get(model)
            if said is None or not said.stands(self._clock(seq)):
                ours.words[model] = word

    def _record(self, record: Record) -> None:
        body = record.body
        if record.kind == "list":
            self._list(body["user_id"], body["list"], body["on"])
        elif record.kind == "override":
            self._overridden(body)
        elif record.kind == "score":
            self._say(Said.of_body(body))
        elif record.kind == "definitions":
            self._relist(body)
        elif record.kind == "suppress":
            standing = {row for row in body["rows"] if row not in self._into and row not in self._gone}
            self.suppressed = self.suppressed | standing if body["on"] else self.suppressed - standing
        elif record.kind == "forget":
            for row in body["rows"]:
                self._gone.add(row)
                self._unsay(row)
                self._of_row.pop(row, None)
                self.suppressed.discard(row)

    def _list(self, who: str, name: str, on: bool) -> None:
        decided = self._about(who)
        if decided is not None:
            (decided.lists.add if on else decided.lists.discard)(name)

    def _overridden(self, body: Mapping[str, Json]) -> None:
        """Of a segment, or of what a model says."""
        if "model" not in body:
            self._override(body["user_id"], body["segment"], _override_of(body))
            return
        decided = self._about(body["user_id"])
        if decided is not None:
            model = (body["gives"], body["model"])
            decided.words.pop(model, None)
            if body["value"] is not None:
                decided.words[model] = Replacement(body["value"], _end_of(body))

    def _say(self, said: Said) -> None:
        """What a model says, of those alone who are profiles of their own."""
        held, labels = self._said.setdefault(said.key, {}), self._labels.setdefault(said.key, [])
        labels += [label for label in said.labels if label not in labels]
        for row, value in zip(said.rows.tolist(), said.values.tolist(), strict=True):
            if row not in self._into and row not in self._gone:
                named = value != NOTHING and said.labels
                held[row] = labels.index(said.labels[value]) if named else value

    def _unsay(self, row: Row) -> None:
        for held in self._said.values():
            held.pop(row, None)

    def _override(self, who: str, segment: str, override: Override | None) -> None:
        decided = self._about(who)
        if decided is None:
            return
        decided.overrides.pop(segment, None)
        if override is not None:
            decided.overrides[segment] = override

    def _relist(self, body: Mapping[str, Json]) -> None:
        """A file's people are taken off its list when they go from the file, then others put on who come:
        two ids may lead to one profile.
        """
        listed = {each["list"]: frozenset(each.get("users", ())) for each in body.get("lists", ())}
        for name in {*listed, *self._by_file}:
            before, after = self._by_file.get(name, frozenset()), listed.get(name, frozenset())
            for who in before - after:
                self._list(who, name, False)
            for who in after - before:
                self._list(who, name, True)
        self._by_file = listed

    # ---- who ---------------------------------------------------------------------------------

    def _about(self, who: str) -> Decided | None:
        """Of the profile that an id leads to, or of the id; None of one who was forgotten."""
        row = self._rows.get(who)
        if row is None:
            return self._awaited.setdefault(who, Decided())
        whole = self._whole(row)
        return None if whole in self._gone else self._held(whole)

    def _held(self, row: Row) -> Decided:
        return self._of_row.setdefault(self._whole(row), Decided())

    def _whole(self, row: Row) -> Row:
        while row in self._into:
            row = self._into[row]
        return row


_TURNS = {"created": 0, "merges": 1, "aliases": 2}
"""Of one event: its profile begins, then others become part of it, then further ids lead to it."""
_Mark = tuple[int, str, Row, Any]


def _marks(entry: EventBatch | Stretch) -> Iterator[_Mark]:
    """(seq, kind, row, further row or name) of what the events of an entry taught."""
    first = entry.first_seq if isinstance(entry, EventBatch) else 0
    yield from ((first + at, "created", row, name) for at, row, name in entry.created)
    yield from ((first + at, "merges", absorbed, survivor) for at, absorbed, survivor in entry.merges)
    yield from ((first + at, "aliases", row, name) for at, name, row in entry.aliases)


def _override_of(body: Mapping[str, Json]) -> Override | None:
    if body["member"] is None:
        return None
    return Override(body["member"], _end_of(body))


def _end_of(body: Mapping[str, Json]) -> int | None:
    until = body.get("until")
    return None if until is None else parse_instant(until)


def decided(log: SqliteLog, connection: duckdb.DuckDBPyConnection, upto: int) -> Hands:
    """What people decided in a log up to a position; the connection is asked for engine times."""

    def clock(seq: int) -> int:
        found = connection.execute(f"SELECT max(received_at) FROM {log.scan(connection, 0, seq)}").fetchall()
        received: int = found[0][0]
        return max(received, *(entry.at for entry in log.read(0, seq) if isinstance(entry, Record)), 0)

    hands = Hands(clock)
    for entry in log.read(0, upto):
        hands.take(entry)
    return hands
