"""Who met some items: the events that name them, read from the log once for all items together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from segue.domain.event import Event, Json
from segue.experiences.recommend.apart import Anchor, Word, words_of
from segue.language.sql.quoting import extract_sql, name_sql, text_sql
from segue.log.history import connect, objects
from segue.log.scan import Portion
from segue.log.sqlite import SqliteLog
from segue.service.quality.numbers import steadily

AT_ONCE = 1_000_000
"""Events that are looked through before what was found is taken up."""
_decode = msgspec.json.Decoder().decode
_NOTHING: Mapping[str, Json] = {}
_COLUMNS = ("seq", "row", "event", "timestamp", "seen", "context")
Objects = Mapping[str, Json]
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are looked for: those after ``since`` (ms) that have one of the words at an anchor.

    ``whole`` says that all of their properties are wanted, and not the value at the anchor alone.
    """

    words: Mapping[Anchor, frozenset[Word]]
    since: int
    whole: bool


def meetings(
    log: SqliteLog, upto: int, wanted: Wanted, survivors: npt.NDArray[np.int32]
) -> Iterator[tuple[Word, int, tuple[Event, ...]]]:
    """(word, row, events) for everyone and every word they met, up to the log position ``upto``.

    ``survivors`` leads from each row to the profile that has its events.
    """
    found = steadily(lambda: _Search(wanted).through(log, upto))
    if not found.parts:
        return
    joined = {name: np.concatenate([part[name] for part in found.parts]) for name in found.parts[0]}
    people = survivors[joined["row"]]
    order = np.lexsort((joined["seq"], people, joined["word"]))
    words, people = joined["word"][order], people[order]
    edges = np.flatnonzero((words[1:] != words[:-1]) | (people[1:] != people[:-1])) + 1
    columns = [joined[name][order].tolist() for name in _COLUMNS]
    starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(words)]
    for start, end in zip(starts, ends, strict=True):
        lines = zip(*(column[start:end] for column in columns), strict=True)
        yield found.words[words[start]], int(people[start]), tuple(found.events(lines))


class _Search:
    """One reading: what was found so far, with distinct words, names and objects by number."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.words = list(dict.fromkeys(word for words in wanted.words.values() for word in words))
        self._numbers = {word: number for number, word in enumerate(self.words)}
        self._names = [anchor.event for anchor in wanted.words]
        self._seen: list[Objects] = [_NOTHING]
        self._texts: dict[str, int] = {"{}": 0}
        self.parts: list[Columns] = []
        self._connection = connect()

    def through(self, log: SqliteLog, upto: int) -> _Search:
        """The search, once it has seen the log."""
        with self._connection:
            for portion in log.portions(self._connection, 0, upto):
                last = min(portion.last, upto)
                for first in range(portion.first, last + 1, AT_ONCE):
                    bounds = f"seq BETWEEN {first} AND {min(last, first + AT_ONCE - 1)}"
                    for number, anchor in enumerate(self._wanted.words):
                        self._look(portion, bounds, number, anchor)
        return self

    def events(self, lines: Iterator[tuple[Any, ...]]) -> Iterator[Event]:
        """The events of some lines; where they are whole, each once."""
        last = None
        for seq, row, name, at, seen, context in lines:
            if seq != last or not self._wanted.whole:
                yield Event(
                    seq, row, "track", self._names[name], at, at, self._seen[seen], self._seen[context]
                )
            last = seq

    def _look(self, portion: Portion, bounds: str, number: int, anchor: Anchor) -> None:
        value, read = _value_of(portion, anchor.path)
        if value is None:
            return
        kind = "" if portion.shape.source is not None else " AND type = 'track'"
        where = f"{bounds} AND timestamp > {self._wanted.since} AND name = {text_sql(anchor.event)}{kind}"
        held = f"(SELECT * FROM {portion.held} WHERE {where})"
        query = f"SELECT DISTINCT {value} AS value FROM {held} WHERE value IS NOT NULL"
        spelled = [text for (text,) in self._connection.execute(query).fetchall()]
        if not self._note(spelled, anchor, read):
            return
        whole = portion.shape.column_list(("properties", "context")) if self._wanted.whole else ""
        found: Columns = self._connection.execute(
            f'SELECT e.seq, e."row", e.timestamp, met.word, met.seen{whole and ", " + whole}'
            f" FROM {held} e JOIN segue_met met ON met.value = {value}"
        ).fetchnumpy()
        self.parts.append(self._part(found, number))

    def _note(self, spelled: list[Any], anchor: Anchor, read: Callable[[Any], Json]) -> bool:
        """Have a table of the values that are looked for; whether there is any."""
        wanted = self._wanted.words[anchor]
        chosen = [
            (text, self._numbers[word], value)
            for text in spelled
            for value in (read(text),)
            for word in words_of(value)
            if word in wanted
        ]
        if not chosen:
            return False
        seen = [self._kept(_placed(anchor.path, value)) for _, _, value in chosen]
        words = np.array([word for _, word, _ in chosen], np.int32)
        texts = objects([text for text, _, _ in chosen])
        self._connection.register(
            "segue_noted", {"value": texts, "word": words, "seen": np.array(seen, np.int64)}
        )
        self._connection.execute("CREATE OR REPLACE TEMP TABLE segue_met AS SELECT * FROM segue_noted")
        self._connection.unregister("segue_noted")
        return True

    def _part(self, found: Columns, number: int) -> Columns:
        count = len(found["seq"])
        part = {name: np.asarray(found[name], np.int64) for name in ("seq", "row", "timestamp", "word")}
        part["event"] = np.full(count, number, np.int32)
        if self._wanted.whole:
            part["seen"], part["context"] = (self._objects(found[name]) for name in ("properties", "context"))
        else:
            part["seen"], part["context"] = np.asarray(found["seen"], np.int64), np.zeros(count, np.int64)
        return part

    def _objects(self, texts: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        for text in texts.tolist():
            if text not in self._texts:
                self._texts[text] = self._kept(_decode(text))
        return np.array([self._texts[text] for text in texts.tolist()], np.int64)

    def _kept(self, seen: Objects) -> int:
        self._seen.append(seen)
        return len(self._seen) - 1


def _value_of(portion: Portion, path: tuple[str, ...]) -> tuple[str | None, Callable[[Any], Json]]:
    """(SQL of the value at a path, how it is read); no SQL where no event of the portion has one."""
    held = next((each for each in portion.shape.properties if each.key == path[0]), None)
    if held is not None and len(path) == 1 and held.kind == "text":
        return name_sql(held.column), str
    if held is None and (portion.shape.source is not None or portion.shape.whole):
        return None, _decode
    if held is not None:
        value = extract_sql(f"to_json({held.json_sql})", path[1:])
    else:
        value = extract_sql("properties", path)
    return f"CAST({value} AS VARCHAR)", _decode


def _placed(path: tuple[str, ...], value: Json) -> Objects:
    """An object with a value at a path."""
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value
