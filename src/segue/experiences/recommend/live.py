"""What people do with items, as it happens: followed in the log, so that a restart loses nothing.

``base`` is what the log held when it was last read as a whole, ``later`` what came since. Both are by the row
that an event was received for; whoever asks says which rows a profile is made of, so a merge needs no work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from segue.experiences.recommend.interest import Sight, ids_in
from segue.experiences.recommend.known import NOWHERE, Known
from segue.experiences.recommend.past import Deeds, no_deeds
from segue.log.batch import EventBatch
from segue.log.body import properties_json
from segue.log.sqlite import SqliteLog

Deed = tuple[int, int, int, int]
"""(when in ms, log position, place of the item, sight)."""
LATER_MAX = 2_000_000
"""Deeds since the log was last read as a whole; at so many it is read again."""
Heard = Callable[[int, int, int], None]
"""Told of each deed: place of the item, sight, when (ms)."""


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """Some of one profile's deeds, oldest first; ``sights`` are places in ``known_sights``."""

    known_sights: tuple[Sight, ...]
    items: npt.NDArray[np.int32]
    sights: npt.NDArray[np.int16]
    at: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.items)

    def chosen(self, which: npt.NDArray[np.generic] | slice) -> Recent:
        """Those at some places."""
        return Recent(self.known_sights, self.items[which], self.sights[which], self.at[which])

    @property
    def state(self) -> bytes:
        """Equal for equal deeds."""
        return self.items.tobytes() + self.sights.tobytes() + self.at.tobytes()


class Live:
    """Deeds by row, up to where the log is evaluated. Any thread may call any method.

    ``moves`` rises with every deed and with every forgetting.
    """

    def __init__(self, log: SqliteLog, known: Known) -> None:
        self._log = log
        self._known = known
        self._lock = threading.RLock()
        self._sights: tuple[Sight, ...] = ()
        self._looks: dict[str, list[tuple[int, str]]] = {}
        self._base = no_deeds()
        self._later: dict[int, list[Deed]] = {}
        self._count = 0
        self._gone: set[int] = set()
        self._heard: Heard = _unheard
        self.upto = 0
        self.moves = 0

    @property
    def count(self) -> int:
        """All deeds there are."""
        return len(self._base) + self._count

    @property
    def full(self) -> bool:
        """Whether so much came that the log should be read anew."""
        return self._count >= LATER_MAX

    def rebase(self, deeds: Deeds, sights: tuple[Sight, ...], upto: int, heard: Heard) -> None:
        """Begin from the whole log as it was at a position; ``heard`` is told of each deed after it.

        Whoever was forgotten while it was read is left out.
        """
        looks: dict[str, list[tuple[int, str]]] = {}
        for number, sight in enumerate(sights):
            looks.setdefault(sight.event, []).append((number, sight.item))
        with self._lock:
            self._sights, self._looks, self._heard = sights, looks, heard
            self._base = deeds.without(sorted(self._gone)) if self._gone else deeds
            self._later, self._count, self.upto = {}, 0, upto

    def follow(self, evaluated: int) -> None:
        """Hear of everything that was evaluated since."""
        if self.upto >= evaluated:
            return
        with self._lock:
            if self.upto >= evaluated:
                return
            for entry in self._log.replay(self.upto, evaluated):
                if isinstance(entry, EventBatch):
                    self._take(entry)
            self.upto = evaluated

    def _take(self, batch: EventBatch) -> None:
        for place, (kind, name) in enumerate(zip(batch.types, batch.names, strict=True)):
            looks = self._looks.get(name) if kind == "track" and name is not None else None
            if looks is None or batch.rows[place] in self._gone:
                continue
            properties = msgspec.json.decode(properties_json(batch.bodies[place], kind))
            at, seq, row = batch.timestamps[place], batch.first_seq + place, batch.rows[place]
            for sight, path in looks:
                for name_of_item in ids_in(properties, path):
                    self._note(row, (at, seq, self._known.place(name_of_item), sight))

    def _note(self, row: int, deed: Deed) -> None:
        at, _, item, sight = deed
        if item == NOWHERE:
            return
        self._later.setdefault(row, []).append(deed)
        self._count += 1
        self.moves += 1
        self._heard(item, sight, at)

    def all(self) -> tuple[int, Deeds]:
        """(the log position, everything up to it)."""
        with self._lock:
            upto, base = self.upto, self._base
            later = [(row, *deed) for row, deeds in self._later.items() for deed in deeds]
        if not later:
            return upto, base
        fresh = np.array(sorted(later), np.int64)
        rows = np.concatenate([base.rows, fresh[:, 0].astype(np.int32)])
        at = np.concatenate([base.at, fresh[:, 1]])
        # Of one moment, what was read stands before what came later: the sort keeps the order of equals.
        order = np.lexsort((at, rows))
        items = np.concatenate([base.items, fresh[:, 3].astype(np.int32)])[order]
        sights = np.concatenate([base.sights, fresh[:, 4].astype(np.int16)])[order]
        return upto, Deeds(rows[order], items, sights, at[order])

    def forget(self, rows: Iterable[int]) -> None:
        """Know nothing more of some rows, whatever is read of them still."""
        with self._lock:
            self.moves += 1
            self._gone.update(rows)
            for row in rows:
                self._count -= len(self._later.pop(row, ()))
            self._base = self._base.without(sorted(rows))

    def of(self, rows: Collection[int]) -> Recent:
        """All deeds of a profile, which is made of some rows, in order."""
        with self._lock:
            spans = [self._base.of(row) for row in rows]
            later = [deed for row in rows for deed in self._later.get(row, ())]
            base, sights = self._base, self._sights
        fresh = np.array(sorted(later), np.int64).reshape(-1, 4)
        found = Recent(
            sights,
            np.concatenate([*(base.items[span] for span in spans), fresh[:, 2].astype(np.int32)]),
            np.concatenate([*(base.sights[span] for span in spans), fresh[:, 3].astype(np.int16)]),
            np.concatenate([*(base.at[span] for span in spans), fresh[:, 0]]),
        )
        if len(found) and (len(rows) > 1 or len(fresh)):
            return found.chosen(np.argsort(found.at, kind="stable"))
        return found


def _unheard(_item: int, _sight: int, _at: int) -> None:
    """Nobody counts."""
