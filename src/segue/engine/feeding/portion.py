"""One portion of the log as columns: who did what when, and the properties that a program reads.

Texts cross from DuckDB once each: every event gets the place of its text among the distinct ones.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.engine.feeding.assemble import Arrays
from segue.engine.feeding.values import (
    Distinct,
    Numbers,
    Spellings,
    Values,
    absent,
    answers_side_by_side,
    micro,
    numbers,
    spelled,
    truths,
    value_of,
)
from segue.engine.kernel import layout as k
from segue.engine.program.codes import WORD_TESTS, Code, Codes, Slot
from segue.language.interpret import event_predicate
from segue.language.reading import MIRRORED, OPERATORS
from segue.language.reading import walk as walk_value
from segue.language.sql.quoting import name_sql, text_sql
from segue.language.tree import And, Compare, Condition, Kind, Not, Number, Or
from segue.language.tree import Property as Read
from segue.language.walk import walk
from segue.log.history import objects
from segue.log.scan import Portion
from segue.log.shape import Property

GIVERS = ("identify", "group")
"""Types whose properties are their traits."""
_KINDS = "segue_kinds"
_TEXTS = "segue_texts_"
Place = tuple[str, str]
"""An object of an event (properties, context, traits) and a key in it."""


@dataclass(slots=True)
class Frame:
    """Some events in order of seq; the arrays run side by side."""

    seqs: k.Ints
    rows: k.Ints32
    timestamps: k.Ints
    received: k.Ints
    codes: k.Ints32
    given: npt.NDArray[np.bool_]
    values: Mapping[Place, Values] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.seqs)

    def of(self, place: Place) -> Values:
        """The values of one property."""
        return self.values.get(place) or absent(len(self))

    def answers(self, place: Place, asked: Hashable, read: Callable[[Json], int], at: k.Ints) -> k.Ints:
        """What a reader says of the events at some places; by ``asked`` it is known again."""
        distinct = self.of(place).distinct
        return distinct.book.answers(asked, read)[distinct.places[at]]


class FrameReader:
    """Reads portions for a program; the connection is its own while it reads."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, codes: Codes) -> None:
        self.connection = connection
        self.codes = codes
        self.wanted = [code for code in codes.all if code.links]
        self._keys = {code.number: places_of(code) for code in self.wanted}
        named = [code for code in codes.all if code.name is not None]
        connection.register(
            "segue_named",
            {
                "type": objects([code.type for code in named]),
                "name": objects([code.name for code in named]),
                "code": np.array([code.number for code in named], np.int32),
            },
        )
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_KINDS} AS SELECT * FROM segue_named")
        connection.unregister("segue_named")
        self._known: dict[tuple[Place, str], Spellings] = {}
        self._unnamed = {code.type: code.number for code in codes.all if code.name is None}

    def read(self, portion: Portion, where: str) -> Frame:
        """The events of a portion for which something holds."""
        held = {each.key: each for each in portion.shape.properties}
        wanted = {place for places in self._keys.values() for place in places}
        columns = [held[key] for root, key in sorted(wanted) if root == "properties" and key in held]
        places = {each.key: self._places(each, portion, where) for each in columns if each.kind in _SPELLED}
        found = _in_order(self._fetch(columns, portion, where))
        values: dict[Place, Values] = {
            ("properties", each.key): self._values(each, found[each.column], places.get(each.key))
            for each in columns
        }
        frame = Frame(
            np.asarray(found["seq"], np.int64),
            np.asarray(found["row"], np.int32),
            np.asarray(found["timestamp"], np.int64),
            np.asarray(found["received_at"], np.int64),
            np.asarray(found["code"], np.int32),
            np.asarray(found["given"], np.bool_),
            values,
        )
        left = {
            place: None for place in sorted(wanted) if place not in values and _may_have(portion, place[0])
        }
        for root in sorted({root for root, _ in left}):
            keys = [key for origin, key in left if origin == root]
            values |= self._decoded(root, keys, frame, portion, where)
        return frame

    def _fetch(self, columns: Sequence[Property], portion: Portion, where: str) -> Arrays:
        typed = portion.shape.source is None
        kind = "e.type" if typed else "'track'"
        chosen = ['seq, "row", timestamp, received_at', self._code_sql(kind)]
        chosen.append(f"{kind} IN ('identify', 'group') AS given" if typed else "FALSE AS given")
        joins = [f"LEFT JOIN {_KINDS} kinds ON kinds.type = {kind} AND kinds.name = e.name"]
        for each in columns:
            if each.kind in _SPELLED:
                table = _TEXTS + each.column
                joins.append(f"LEFT JOIN {table} ON {table}.value = e.{name_sql(each.column)}")
                chosen.append(f"coalesce({table}.place, 0) AS {name_sql(each.column)}")
            else:
                chosen.append(f"e.{name_sql(each.column)}")
        return self.connection.execute(
            f"SELECT {', '.join(chosen)} FROM (SELECT * FROM {portion.held} WHERE {where}) e"
            f" {' '.join(joins)}"
        ).fetchnumpy()

    def _code_sql(self, kind: str) -> str:
        cases = " ".join(f"WHEN {text_sql(type_)} THEN {code}" for type_, code in self._unnamed.items())
        return f"coalesce(kinds.code, CASE {kind} {cases} END) AS code"

    def _places(self, held: Property, portion: Portion, where: str) -> k.Ints32:
        """The places in its book of a column's distinct texts, NULL first; a table numbers them alike."""
        table, column = _TEXTS + held.column, name_sql(held.column)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS"
            " SELECT row_number() OVER ()::INTEGER AS place, value FROM"
            f" (SELECT DISTINCT {column} AS value FROM {portion.held} WHERE {where} AND {column} IS NOT NULL)"
        )
        found = self.connection.execute(f"SELECT value FROM {table} ORDER BY place").fetchall()
        spellings = self._spellings(("properties", held.key), held.kind)
        spellings.begin()
        return np.concatenate((np.zeros(1, np.int32), spellings.places(text for (text,) in found)))

    def _spellings(self, place: Place, kind: str) -> Spellings:
        read = str if kind == "text" else value_of
        return self._known.setdefault((place, kind), Spellings(read))

    def _values(self, held: Property, column: npt.NDArray[np.generic], places: k.Ints32 | None) -> Values:
        if held.kind == "number":
            return numbers(column)
        if held.kind == "truth":
            return truths(column)
        assert places is not None
        known = self._spellings(("properties", held.key), held.kind)
        return Distinct(places[np.asarray(column, np.int64)], known.book)

    def _decoded(
        self, root: str, keys: Sequence[str], frame: Frame, portion: Portion, where: str
    ) -> dict[Place, Values]:
        """Keys of objects that have no columns, of the events whose code asks for one."""
        asking = [
            number
            for number, places in self._keys.items()
            if any(place in places for place in ((root, key) for key in keys))
        ]
        at = np.flatnonzero(np.isin(frame.codes, asking))
        texts: list[str] = []
        if len(at):
            self.connection.register("segue_asked", {"seq": frame.seqs[at]})
            found = self.connection.execute(
                f"SELECT {root} FROM {portion.held} SEMI JOIN segue_asked USING (seq)"
                f" WHERE {where} ORDER BY seq"
            ).fetchall()
            self.connection.unregister("segue_asked")
            texts = [text for (text,) in found]
        values: dict[Place, Values] = {}
        for key, spellings in spelled(keys, texts).items():
            known = self._spellings((root, key), "spelled")
            known.begin()
            places = np.zeros(len(frame), np.int32)
            places[at] = known.places(spellings)
            values[root, key] = Distinct(places, known.book)
        return values


_SPELLED = ("text", "json")


def _may_have(portion: Portion, root: str) -> bool:
    """Whether events may have a value that is in no column of its own."""
    if portion.shape.source is not None:
        return False
    return root != "properties" or not portion.shape.whole


def _in_order(found: Arrays) -> Arrays:
    """By seq; DuckDB gives the rows of a file in their order, unless it joined them the other way round."""
    seqs = found["seq"]
    if not len(seqs) or (np.diff(seqs) > 0).all():
        return found
    order = np.argsort(seqs, kind="stable")
    return {name: column[order] for name, column in found.items()}


def places_of(code: Code) -> frozenset[Place]:
    """All that is read of an event of one kind."""
    seen = root_of(code)
    tested = (node for test in code.tests for node in walk(test) if isinstance(node, Read))
    places = {_place_of(node, seen) for node in tested}
    return frozenset(places | {(seen, slot.path[0]) for slot in code.slots})


def root_of(code: Code) -> str:
    """The object that the properties of an event of one kind are in."""
    return "traits" if code.type in GIVERS else "properties"


def slots_of(code: Code, frame: Frame, at: k.Ints, zone: ZoneInfo) -> k.Ints:
    """The slots of the events at some places of a frame, which have one code: answers first, then values."""
    root = root_of(code)
    slots = np.zeros((len(at), code.width), np.int64)
    for place, test in enumerate(code.tests):
        answers = _holds(test, frame, at, root, zone).astype(np.int64)
        slots[:, place // WORD_TESTS] |= answers << (place % WORD_TESTS)
    for place, slot in enumerate(code.slots, code.test_words):
        slots[:, place] = _answers(slot, frame, at, root, zone)
    return slots


def _answers(slot: Slot, frame: Frame, at: k.Ints, root: str, zone: ZoneInfo) -> k.Ints:
    place, below = (root, slot.path[0]), slot.path[1:]
    values = frame.of(place)
    if isinstance(values, Numbers) and slot.reading.kind is Kind.NUMBER and not below:
        return micro(values.doubles[at])
    read = slot.reading.reader(zone)
    return frame.answers(place, slot, lambda value: read(walk_value(value, below)), at)


def _holds(test: Condition, frame: Frame, at: k.Ints, root: str, zone: ZoneInfo) -> npt.NDArray[np.bool_]:
    if isinstance(test, Not):
        return ~_holds(test.part, frame, at, root, zone)
    if isinstance(test, And | Or):
        joined = np.logical_and if isinstance(test, And) else np.logical_or
        return joined.reduce([_holds(part, frame, at, root, zone) for part in test.parts])
    if isinstance(test, Compare) and (found := _compared(test, frame, at, root)) is not None:
        return found
    predicate = event_predicate(test, zone)
    places = sorted({_place_of(node, root) for node in walk(test) if isinstance(node, Read)})

    def holds(*values: Json) -> bool:
        seen: dict[str, Json] = {}
        context: dict[str, Json] = {}
        for (origin, key), value in zip(places, values, strict=True):
            (context if origin == "context" else seen)[key] = value
        return predicate(seen, context)

    if len(places) == 1:
        return frame.answers(places[0], test, holds, at).astype(np.bool_)
    return answers_side_by_side([frame.of(place).distinct for place in places], holds, at)


def _compared(test: Compare, frame: Frame, at: k.Ints, root: str) -> npt.NDArray[np.bool_] | None:
    """A number's comparison with a literal, by the array; None for any other."""
    left, right, op = test.left, test.right, test.op
    if isinstance(left, Number):
        left, right, op = right, left, MIRRORED[op]
    if not (isinstance(left, Read) and isinstance(right, Number) and len(left.path) == 1):
        return None
    values = frame.of(_place_of(left, root))
    if not isinstance(values, Numbers):
        return None
    found = micro(values.doubles[at])
    missing = found == k.MISSING
    holds = np.asarray(OPERATORS[op](found, right.micro), np.bool_)
    return holds | missing if op == "!=" else holds & ~missing


def _place_of(node: Read, root: str) -> Place:
    return ("context" if node.root == "context" else root, node.path[0])
