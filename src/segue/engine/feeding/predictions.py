"""What models say of profiles until they say something else, and people's words in the place of it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segue.domain.event import Json
from segue.engine.feeding.given import Given
from segue.engine.kernel.layout import Ints, Ints32
from segue.engine.program.readings import Question, number_reader
from segue.language.interpret import Replacement
from segue.language.reading import MIRRORED
from segue.language.tree import Compare, Number
from segue.log.said import CLUSTER, NOTHING, SCORE, Model, Said, json_of

_COMPARED = {
    "==": np.equal, "!=": np.not_equal, "<": np.less,
    "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip
_NO_WORDS: Mapping[Model, Replacement] = {}
Ending = tuple[int, int, Model]
"""(moment in ms, row, model): when a person's word may end."""


@dataclass(slots=True)
class Held:
    """The values of one model by row, NOTHING where it says none; labels of the clusters it names."""

    values: Ints
    labels: list[str]
    version: int = 0

    def json(self, row: int, gives: str) -> Json:
        """What is said of a row."""
        if row >= len(self.values):
            return None
        return json_of(int(self.values[row]), self.labels if gives == CLUSTER else None)


class Predictions:
    """Values by model and row. Who is absorbed loses them; a person's word follows, as an override does."""

    def __init__(self) -> None:
        self._held: dict[Model, Held] = {}
        self.words: dict[int, dict[Model, Replacement]] = {}
        self._endings: list[Ending] = []

    # ---- what models say ---------------------------------------------------------------------

    def write(self, said: Said) -> None:
        """Take up what a model says."""
        if not len(said):
            return
        held = self._held.setdefault(said.key, Held(np.zeros(0, np.int64), []))
        held.version = said.version
        last = int(said.rows.max())
        if last >= len(held.values):
            grown = np.full(max(last + 1, 2 * len(held.values)), NOTHING, np.int64)
            grown[: len(held.values)] = held.values
            held.values = grown
        held.values[said.rows] = self._in_order_of(held, said)

    def _in_order_of(self, held: Held, said: Said) -> Ints:
        """The values, clusters as places in the labels that are held."""
        if said.gives == SCORE or tuple(held.labels) == said.labels:
            return said.values
        held.labels += [label for label in said.labels if label not in held.labels]
        places = np.array([held.labels.index(label) for label in said.labels], np.int64)
        found = said.values.copy()
        named = found != NOTHING
        found[named] = places[found[named]]
        return found

    def at(self, model: Model, rows: Ints32) -> Ints:
        """What a model says of some rows: millionths, or places in the labels."""
        found = np.full(len(rows), NOTHING, np.int64)
        held = self._held.get(model)
        if held is not None:
            there = rows < len(held.values)
            found[there] = held.values[rows[there]]
        return found

    def version(self, model: Model) -> int | None:
        """The version that spoke last; None of a model that never said anything."""
        held = self._held.get(model)
        return None if held is None else held.version

    def models(self) -> list[Model]:
        """The models that ever said anything."""
        return list(self._held)

    def labels(self, model: Model) -> list[str]:
        """The labels of a model's clusters, by place."""
        held = self._held.get(model)
        return [] if held is None else held.labels

    def said_of(self, row: int) -> dict[Model, Json]:
        """What models say of a row, whatever people say."""
        found = {model: held.json(row, model[0]) for model, held in self._held.items()}
        return {model: value for model, value in found.items() if value is not None}

    def said(self, model: Model, row: int) -> Json:
        """What a model says of a row, whatever people say."""
        held = self._held.get(model)
        return None if held is None else held.json(row, model[0])

    # ---- what people say ---------------------------------------------------------------------

    def replace(self, row: int, model: Model, word: Replacement | None, now: int) -> None:
        """A person's word in the place of what a model says is given, or taken back."""
        held = self.words.setdefault(row, {})
        held.pop(model, None)
        if word is not None and word.stands(now):
            held[model] = word
            self.expect(word, row, model)
        if not held:
            del self.words[row]

    def expect(self, word: Replacement, row: int = -1, model: Model = (SCORE, "")) -> None:
        """Have :meth:`next_ending` know of a word's end; without a row it is of who is not there yet."""
        if word.until is not None:
            heapq.heappush(self._endings, (word.until, row, model))

    def words_of(self, row: int) -> Mapping[Model, Replacement]:
        """What people say of a row."""
        return self.words.get(row, _NO_WORDS)

    def spoken_for(self, model: Model) -> list[int]:
        """The rows of which people say something in a model's place."""
        return [row for row, held in self.words.items() if model in held]

    def next_ending(self) -> int | None:
        """The first moment at which a person's word may end, in ms."""
        return self._endings[0][0] if self._endings else None

    def ended(self) -> tuple[int, Model] | None:
        """(row, model) of the word that ends next, which stands no more; None when it did not stand."""
        at, row, model = heapq.heappop(self._endings)
        word = self.words_of(row).get(model)
        if word is None or word.until != at:
            return None
        self.replace(row, model, None, at)
        return row, model

    # ---- both --------------------------------------------------------------------------------

    def of(self, row: int) -> dict[Model, Json]:
        """What is read of a row, by model: people's words, else what the model says."""
        return self.said_of(row) | {model: word.value for model, word in self.words_of(row).items()}

    def heard(self, model: Model, row: int) -> Json:
        """The same of one model."""
        word = self.words_of(row).get(model)
        return self.said(model, row) if word is None else word.value

    def forget(self, row: int) -> dict[Model, Replacement]:
        """Erase what is said of a profile; what people said of it."""
        for held in self._held.values():
            if row < len(held.values):
                held.values[row] = NOTHING
        return self.words.pop(row, {})

    def saved(self) -> list[tuple[Model, int, list[str], bytes]]:
        """What models say, to be restored: (model, version, labels, values)."""
        return [
            (model, held.version, held.labels, held.values.astype("<i8").tobytes())
            for model, held in self._held.items()
        ]

    def restore(
        self,
        saved: Iterable[tuple[Model, int, list[str], bytes]],
        words: Iterable[tuple[int, Model, Replacement]],
    ) -> None:
        """Put back what was saved, and what people say as (row, model, word)."""
        self._held = {
            (gives, name): Held(np.frombuffer(values, "<i8").astype(np.int64), labels, version)
            for (gives, name), version, labels, values in saved
        }
        self.words, self._endings = {}, []
        for row, model, word in words:
            self.words.setdefault(row, {})[model] = word
            self.expect(word, row, model)


def read_all(given: Given, said: Said) -> Ints:
    """What a column makes of each value."""
    if said.gives == SCORE:
        if given.reader is number_reader:
            return said.values
        bounds = [_bound(question) for question in given.questions]
        if given.questions and None not in bounds:
            return _answered([each for each in bounds if each is not None], said.values)
    distinct, places = np.unique(said.values, return_inverse=True)
    found: Ints = np.array([given.reader(said.json(value)) for value in distinct.tolist()], np.int64)[places]
    return found


def _bound(question: Question) -> tuple[str, int] | None:
    """A question that holds a number against another one: (operator, millionths); None for any other."""
    if not isinstance(question, Compare):
        return None
    if isinstance(question.right, Number):
        return question.op, question.right.micro
    return (MIRRORED[question.op], question.left.micro) if isinstance(question.left, Number) else None


def _answered(bounds: Sequence[tuple[str, int]], values: Ints) -> Ints:
    """The answers of many at once as bits, the first question lowest; nothing is neither more nor less."""
    found, there = np.zeros(len(values), np.int64), values != NOTHING
    for place, (op, micro) in enumerate(bounds):
        holds = np.where(there, _COMPARED[op](values, micro), op == "!=")
        found |= holds.astype(np.int64) << place
    return found


def without(said: Said, rows: Iterable[int]) -> Said:
    """What is said of all but some rows."""
    chosen: Ints32 = np.fromiter(rows, np.int32)
    return said.chosen(~np.isin(said.rows, chosen)) if len(chosen) else said
