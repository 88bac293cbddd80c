"""Answers of decisions, kept for as long as nothing changes that they rest on.

They rest on the definitions, on what holds of the user, on the request's context and on the dates of the
variants. What is kept is good while the engine has evaluated nothing more; then it is looked whether the
user's own bits are still the same, which costs a few bytes. Kept are bytes and numbers alone: many
thousand decisions as objects would hold up the garbage collector, and with it every answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from segue.domain.event import Json
from segue.domain.limits import DECISIONS_KEPT_MAX, PROFILES_KEPT_MAX
from segue.experiences.asked import Asked, require_slots
from segue.experiences.deciding import Deciding
from segue.experiences.slots import Slots
from segue.experiences.standing import bits_of
from segue.experiences.telling import encoded, exposures, told
from segue.language.reading import walk
from segue.service.core import Core

_encode = msgspec.json.Encoder(order="sorted").encode
Standing = tuple[bytes, int, int]
"""What answers about a profile rest on: (bits, number of the definitions, passed dates)."""
_Answer = tuple[bytes, bytes, str, bool]
_Kept = tuple[Standing, int, dict[bytes, _Answer]]
"""(standing, log position at which it was found to be so, answers by question)."""


class Told(NamedTuple):
    """An answer: its JSON, the events that say what was shown (JSON, ``[]`` for none), and whose they are.

    ``capped`` says that one more exposure may change the next answer.
    """

    body: bytes
    exposures: bytes
    user_id: str
    capped: bool


class Answers:
    """Answers questions for a core. It waits for the engine's turn, :meth:`fresh` excepted."""

    def __init__(self, core: Core) -> None:
        self.deciding = Deciding(core)
        self._core = core
        self._kept: dict[int, _Kept] = {}
        self._slots: Slots | None = None
        self._number = 0
        core.forget_listeners.append(self.drop)

    def drop(self, rows: Iterable[int]) -> None:
        """Keep nothing of these profiles."""
        for row in rows:
            self._kept.pop(row, None)

    def fresh(self, asked: Asked, brief: bool) -> Told | None:
        """An answer that is known to be right without asking the engine; None when it has to be asked."""
        row = self._core.intake.identity.row_of(asked.user_id)
        engine = self._core.engine
        if asked.events or row is None or row in engine.feed.suppressed:
            return None
        kept, slots = self._kept.get(row), self._slots
        if kept is None or slots is None or slots.workspace is not self._core.workspace:
            return None
        (_, number, edge), seq, made = kept
        if seq != engine.evaluated_seq or number != self._number or edge != self.deciding.edge(slots):
            return None
        question = _question(asked, slots, brief)
        found = None if question is None else made.get(question)
        return None if found is None else Told(*found)

    def answer(self, asked: Asked, brief: bool) -> Told:
        """The answer; E836 for a slot that nothing fills."""
        if asked.events:
            return self._anew(asked, brief)
        with self._core.turn:
            slots = self._numbered()
            require_slots(asked.slots, slots.by_name)
            row = self.deciding.row_of(asked.user_id)
            if row is None or row in self._core.engine.feed.suppressed:
                return self._anew(asked, brief)
            made = self._good(row, self._standing(row, slots))
            question = _question(asked, slots, brief)
            assert question is not None, "every slot is there"
            found = made.get(question)
            if found is None:
                anew = self._anew(asked, brief)
                # A plain tuple: of bytes and numbers alone, the garbage collector lets it be.
                found = (anew.body, anew.exposures, anew.user_id, anew.capped)
                if len(made) >= DECISIONS_KEPT_MAX:
                    made.clear()
                made[question] = found
            return Told(*found)

    def _anew(self, asked: Asked, brief: bool) -> Told:
        decision = self.deciding.decide(asked)
        shown = exposures(decision)
        body = encoded(told(decision, brief))
        return Told(body, encoded(shown), decision.user_id, decision.rests_on_a_cap and bool(shown))

    def _numbered(self) -> Slots:
        """The slots in force; others get another number, so that what is kept need not hold on to them."""
        slots = self.deciding.slots()
        if slots is not self._slots:
            self._number += 1
            self._slots = slots
        return slots

    def _standing(self, row: int, slots: Slots) -> Standing:
        return bits_of(self._core.engine, row), self._number, self.deciding.edge(slots)

    def _good(self, row: int, standing: Standing) -> dict[bytes, _Answer]:
        """The answers about a profile that are still right."""
        kept = self._kept.get(row)
        made = kept[2] if kept is not None and kept[0] == standing else {}
        if kept is None and len(self._kept) >= PROFILES_KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[row] = (standing, self._core.engine.evaluated_seq, made)
        return made


def _question(asked: Asked, slots: Slots, brief: bool) -> bytes | None:
    """What tells questions about one user apart: of the request, only what is asked of it."""
    try:
        paths = [slots.paths[name] for name in asked.slots]
    except KeyError:
        return None
    return _canonical([asked.slots, [[walk(asked.context, path) for path in each] for each in paths], brief])


def _canonical(value: Json) -> bytes:
    """Equal for equal JSON, integers beyond 64 bits included."""
    try:
        return _encode(value)
    except (OverflowError, ValueError):
        return json.dumps(value, sort_keys=True).encode()
