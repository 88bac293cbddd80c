"""Answers about texts, asked once for each text: values come again and again.

A reader is a function of the value alone, so that what it said of a spelling it says of the next one too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from segue.engine.kernel.layout import Ints
from segue.log.lane.cuts import Octets, Places
from segue.log.lane.words import TOO_LONG, Words

KEPT_MAX = 65_536
"""Texts whose answers are remembered; beyond, all are forgotten and learned anew."""
BYTES_MAX = 128
"""Of a text that is remembered."""


class Memo:
    """The answers so far. ``ask`` tells what is to be answered of the event at a place."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._words = Words(BYTES_MAX)
        self._answers = np.zeros(256, np.int64)

    def answers(self, octets: Octets, starts: Places, stops: Places, ask: Callable[[int], int]) -> Ints:
        """What ``ask`` says of each place, asked only of texts that it was not asked about before."""
        if len(self._words) > KEPT_MAX:
            self._forget()
        before = len(self._words)
        numbers = self._words.numbered(octets, starts, stops)
        if len(self._words) > before:
            self._learn(numbers, before, ask)
        found = self._answers[numbers]
        for at in np.flatnonzero(numbers == TOO_LONG).tolist():
            found[at] = ask(at)
        return found

    def _learn(self, numbers: npt.NDArray[np.int32], before: int, ask: Callable[[int], int]) -> None:
        """Ask about the texts with numbers from ``before`` on."""
        while len(self._answers) < len(self._words):
            self._answers = np.concatenate((self._answers, np.zeros(len(self._answers), np.int64)))
        fresh, places = np.unique(numbers, return_index=True)
        for number, at in zip(fresh.tolist(), places.tolist(), strict=True):
            if number >= before:
                self._answers[number] = ask(at)
