"""The slots of many events of one kind at once, read off their bytes.

The twin of :func:`segue.engine.feeding.feed.read_slots`: it says what an event's slots are, this finds the
same for plain events. Numbers are read by compiled code; everything else is asked of the same Python
readers, once for each spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.engine.feeding.memo import BYTES_MAX, KEPT_MAX, Memo
from segue.engine.kernel.layout import MISSING, Ints
from segue.engine.program.codes import Code
from segue.engine.program.readings import Reader, number_reader
from segue.language.interpret.where import EventPredicate
from segue.language.reading import walk as at_path
from segue.language.tree import Compare, Condition, Number, Property
from segue.language.walk import walk
from segue.log.batch import EventBatch
from segue.log.body import context_json, properties_json
from segue.log.lane.cuts import Cuts, Octets, Places, put_together
from segue.log.lane.event import CONTEXT, LABELLED, PLAIN, PROPERTIES
from segue.log.lane.octets import PAD
from segue.log.lane.paths import UNREAD, find_values, read_micros
from segue.log.lane.words import TOO_LONG, Words

Path = tuple[str, ...]
WORD_BITS = 63
_decode = msgspec.json.Decoder().decode
_NOTHING: dict[str, Json] = {}
_COMPARED: Mapping[str, Callable[[Ints, int], npt.NDArray[np.bool_]]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less,
    "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def read_slots(code: Code, properties: Mapping[str, Json], context: Mapping[str, Json]) -> list[int]:
    """The slots of one event: answers first, then values."""
    words = [0] * code.test_words
    for place, predicate in enumerate(code.predicates):
        if predicate(properties, context):
            words[place // WORD_BITS] |= 1 << (place % WORD_BITS)
    return words + [reader(at_path(properties, path)) for path, reader in code.readers]


def decoded_slots(code: Code, events: EventBatch, at: int) -> list[int]:
    """The slots of one event of a batch, decoded as a whole."""
    body = events.bodies[at]
    properties = _decode(properties_json(body, events.types[at]))
    context = _decode(context_json(body)) if code.needs_context else _NOTHING
    return read_slots(code, properties, context)


class Paths:
    """Paths of one of an event's objects, as compiled code looks for them."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.place = {path: at for at, path in enumerate(dict.fromkeys(paths))}
        text, _, ends = put_together(
            [key.encode("utf-8", "surrogatepass") for path in self.place for key in path]
        )
        self._keys = np.frombuffer(text, np.uint8)
        self._bounds = np.concatenate((np.zeros(1, np.int64), ends))
        self._heads = np.cumsum([0, *map(len, self.place)])

    def find(self, octets: Octets, starts: Places, stops: Places) -> tuple[Places, npt.NDArray[np.bool_]]:
        """Where the values stand [events, paths, 2], and of which events that is certain."""
        found = np.zeros((len(starts), len(self.place), 2), np.int32)
        sure = np.ones(len(starts), np.uint8)
        if self.place:
            starts, stops = np.ascontiguousarray(starts), np.ascontiguousarray(stops)
            find_values(octets, starts, stops, self._keys, self._bounds, self._heads, found, sure)
        return found, sure.astype(np.bool_)


@dataclass(slots=True)
class Looked:
    """Plain events of one kind: where the values at the paths stand that are asked for."""

    text: bytes
    octets: Octets
    own: Paths
    found: Places
    of_context: Paths
    found_in_context: Places
    objects: Places  # [events, 2, 2]: where the properties and the context stand

    def bounds(self, path: Path, root: str = "properties") -> tuple[Places, Places]:
        """Where each event's value at a path begins and ends."""
        if root == "context":
            spans = self.found_in_context[:, self.of_context.place[path]]
        else:
            spans = self.found[:, self.own.place[path]]
        return spans[:, 0], spans[:, 1]

    def value(self, starts: Places, stops: Places, at: int) -> Json:
        """The value between two places; None where there is none."""
        text = self.text[starts[at] : stops[at]]
        return _decode(text) if text else None

    def whole(self, at: int) -> tuple[Json, Json]:
        """The properties and the context of one event."""
        (start, stop), (begun, end) = self.objects[at].tolist()
        return _decode(self.text[start:stop] or b"{}"), _decode(self.text[begun:end] or b"{}")


class SlotReader:
    """Reads the slots of one code's events."""

    def __init__(self, code: Code) -> None:
        self.code = code
        asked = [_asked(test) for test in code.tests]
        self._own = Paths(
            [slot.path for slot in code.slots]
            + [each.path for properties in asked for each in properties if each.root != "context"]
        )
        self._of_context = Paths([each.path for some in asked for each in some if each.root == "context"])
        self._tests = [_test(test, asked[at], code, at) for at, test in enumerate(code.tests)]
        self._values = [
            _Numbers() if reader is number_reader else _Answers(reader) for _, reader in code.readers
        ]

    def read(self, events: EventBatch, places: npt.NDArray[np.int64]) -> Ints:
        """The slots [events, width] of those of a batch at these places."""
        cuts = events.cuts
        slots = np.zeros((len(places), self.code.width), np.int64)
        plain = (cuts.flags[places] & (PLAIN | LABELLED)) == PLAIN
        if plain.all():
            done = self._read_plain(cuts, places, slots)
        else:
            done, chosen = plain.copy(), np.flatnonzero(plain)
            part = np.zeros((len(chosen), self.code.width), np.int64)
            done[chosen] = self._read_plain(cuts, places[chosen], part)
            slots[chosen] = part
        for at in np.flatnonzero(~done).tolist():
            slots[at] = decoded_slots(self.code, events, int(places[at]))
        return slots

    def _read_plain(self, cuts: Cuts, places: npt.NDArray[np.int64], slots: Ints) -> npt.NDArray[np.bool_]:
        """Fill in the slots; of which events that was possible."""
        octets, objects = cuts.octets, cuts.spans[places][:, [PROPERTIES, CONTEXT]]
        found, sure = self._own.find(octets, objects[:, 0, 0], objects[:, 0, 1])
        found_in_context, sure_too = self._of_context.find(octets, objects[:, 1, 0], objects[:, 1, 1])
        looked = Looked(cuts.text, octets, self._own, found, self._of_context, found_in_context, objects)
        for at, test in enumerate(self._tests):
            slots[:, at // WORD_BITS] |= test(looked) << at % WORD_BITS
        words = self.code.test_words
        for at, (slot, column) in enumerate(zip(self.code.slots, self._values, strict=True)):
            slots[:, words + at] = column.read(looked, *looked.bounds(slot.path))
        return sure & sure_too


class _Answers:
    """A column of what a reader says of values."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._memo = Memo()

    def read(self, looked: Looked, starts: Places, stops: Places) -> Ints:
        """What it says of the value between each two places."""
        return self._memo.answers(
            looked.octets, starts, stops, lambda at: self._reader(looked.value(starts, stops, at))
        )


class _Numbers:
    """A column of numbers in millionths."""

    def __init__(self) -> None:
        self._others = _Answers(number_reader)

    def read(self, looked: Looked, starts: Places, stops: Places) -> Ints:
        """The number between each two places."""
        micros, state = np.empty(len(starts), np.int64), np.empty(len(starts), np.uint8)
        begun, ended = np.ascontiguousarray(starts), np.ascontiguousarray(stops)
        read_micros(looked.octets, begun, ended, MISSING, micros, state)
        others = np.flatnonzero(state == UNREAD)
        if len(others):
            micros[others] = self._others.read(looked, starts[others], stops[others])
        return micros


def _asked(test: Condition) -> list[Property]:
    """The values that a test looks at: it says the same of all events in which these are the same."""
    return [node for node in walk(test) if isinstance(node, Property)]


def _test(test: Condition, asked: Sequence[Property], code: Code, at: int) -> Callable[[Looked], Ints]:
    """What gives 1 or 0 for each event."""
    if isinstance(test, Compare) and isinstance(test.left, Property) and isinstance(test.right, Number):
        return partial(_compared, _Numbers(), test.op, test.left, test.right.micro)
    return _Predicate(code.predicates[at], asked).read


def _compared(numbers: _Numbers, op: str, side: Property, micro: int, looked: Looked) -> Ints:
    """A number against a literal; missing is neither less nor more nor equal."""
    found = numbers.read(looked, *looked.bounds(side.path, side.root))
    missing = found == MISSING
    return np.where(missing, op == "!=", _COMPARED[op](found, micro)).astype(np.int64)


class _Predicate:
    """Any other test, asked once for each meeting of the spellings it looks at."""

    def __init__(self, predicate: EventPredicate, asked: Sequence[Property]) -> None:
        self._predicate = predicate
        self._asked = asked
        self._forget()

    def _forget(self) -> None:
        self._words = [Words(BYTES_MAX) for _ in self._asked]
        self._memo = Memo()

    def read(self, looked: Looked) -> Ints:
        """1 or 0 for each event."""
        bounds = [looked.bounds(side.path, side.root) for side in self._asked]
        if len(bounds) == 1:
            return self._memo.answers(looked.octets, *bounds[0], lambda at: self._ask(looked, at))
        if max(map(len, self._words), default=0) > KEPT_MAX:
            self._forget()
        numbers = np.zeros((len(looked.objects), len(bounds)), np.int32)
        for place, (words, (starts, stops)) in enumerate(zip(self._words, bounds, strict=True)):
            numbers[:, place] = words.numbered(looked.octets, starts, stops)
        width = numbers.itemsize * len(bounds)
        starts = (
            np.arange(0, width * len(numbers), width, dtype=np.int32)
            if width
            else np.zeros(len(numbers), np.int32)
        )
        met = np.frombuffer(numbers.tobytes() + PAD, np.uint8)
        found = self._memo.answers(met, starts, starts + np.int32(width), lambda at: self._ask(looked, at))
        for at in np.flatnonzero((numbers == TOO_LONG).any(axis=1)).tolist():
            found[at] = self._ask(looked, at)
        return found

    def _ask(self, looked: Looked, at: int) -> int:
        return int(self._predicate(*looked.whole(at)))
