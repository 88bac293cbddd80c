"""Scores kept in step while a server runs: who was touched is scored at once, everybody now and then.

    event ──► evaluated ──► touched ──┐  gather 0.1 s   read, predict, write what moved
                                      ├───────────────► score record ──► evaluated ──► changes
    rescore: every 1h ── everybody ───┘

One thread scores, a bounded number of profiles at a time; another one trains what is due. Neither holds up
an event. After a start everybody is scored once, so that nobody is left out whom a crash hid.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from segue.domain.errors import SegueError
from segue.domain.time import DAY, MINUTE
from segue.engine.engine import Engine
from segue.log.batch import Entry, EventBatch, Record, Stretch
from segue.log.columns import ints
from segue.observe.metrics import SCORED, SCORES
from segue.segments.freshness import Pace, paces
from segue.service.core import wall_ms
from segue.service.learning.champions import Champions
from segue.service.learning.rescoring import note_round, silence
from segue.service.learning.scoring import Champion, Scored, score
from segue.service.learning.watching import look

if TYPE_CHECKING:
    from segue.segments.workspace import Workspace
    from segue.service.service import Service

Rows = npt.NDArray[np.int32]
_log = logging.getLogger("segue.learning")

GATHER_SECONDS = 0.1
"""Events that come together are scored together."""
LOOK_SECONDS = 1.0
"""Between two looks at what is due, and after a round that failed."""
AGAIN_MS = MINUTE
"""After a round in which a model gave no answer: not before."""
LOOK_EVERY_MS = DAY
"""Between two looks for drift at one version."""
TOUCHED_MAX = 1_000_000
"""Rows that wait to be scored; beyond, everybody is."""


def touched_by(entry: Entry, engine: Engine) -> Rows | None:
    """The rows whose features an entry may have changed, once the engine has seen it; None is everybody."""
    if isinstance(entry, Stretch) or (isinstance(entry, Record) and entry.kind == "definitions"):
        return None
    beside = engine.take_touched()
    if isinstance(entry, EventBatch):
        return np.union1d(ints(entry.rows, np.int32), beside)
    return beside


class Touched:
    """The rows that wait to be scored. Any thread may add some; one takes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: list[Rows] = []
        self._count = 0
        self._everybody = True
        self._since: float | None = None
        self.waited_since: float | None = None
        """When the first of those taken last came, by the clock of performance; None after a start."""
        self.any = threading.Event()

    def add(self, rows: Rows | None) -> None:
        """Some rows, or everybody."""
        if rows is not None and not len(rows):
            return
        with self._lock:
            self._since = time.perf_counter() if self._since is None else self._since
            self._count += 0 if rows is None else len(rows)
            if rows is None or self._count > TOUCHED_MAX:
                self._everybody = True
                self._parts.clear()
            else:
                self._parts.append(rows)
        self.any.set()

    def take(self) -> Rows | None:
        """All that wait; None is everybody."""
        self.any.clear()
        with self._lock:
            everybody, parts = self._everybody, self._parts
            self._everybody, self._parts, self._count = False, [], 0
            self.waited_since, self._since = self._since, None
        if everybody:
            return None
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int32)


class Learner:
    """Two threads beside a service that is started: :meth:`start` begins them, :meth:`stop` ends them."""

    def __init__(self, service: Service, train: Callable[[Service], None] | None = None) -> None:
        """``train`` makes new versions of what is due, and comes back; it is called again and again."""
        self._service = service
        self._champions = Champions(service)
        self._touched = Touched()
        self._ended = threading.Event()
        self._due_at: dict[tuple[str, int], int] = {}
        self._looked_at: dict[tuple[str, int], int] = {}
        self._failed: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._held: tuple[Workspace, dict[str, Pace]] | None = None
        self._threads = [threading.Thread(target=self._scoring, name="segue-scores")]
        if train is not None:
            self._threads.append(
                threading.Thread(target=self._training, args=(train,), name="segue-training")
            )
        self.rounds = 0
        """How many rounds of scoring there were."""

    def start(self) -> None:
        """Begin."""
        self._service.core.entry_listeners.append(self._heard)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; a round that has begun is waited for, a training too."""
        self._ended.set()
        self._touched.any.set()
        core = self._service.core
        core.entry_listeners = [each for each in core.entry_listeners if each != self._heard]
        for thread in self._threads:
            thread.join()

    def _heard(self, entry: Entry) -> None:
        self._touched.add(touched_by(entry, self._service.engine))

    # ---- scoring -----------------------------------------------------------------------------

    def _scoring(self) -> None:
        while not self._ended.is_set():
            if self._touched.any.wait(LOOK_SECONDS):
                self._ended.wait(GATHER_SECONDS)
            if self._ended.is_set() or self._service.core.failed is not None:
                return
            rows = self._touched.take()
            try:
                self._round(rows)
            except SegueError as refused:
                _log.warning("scoring is put off: %s", refused.diagnostics[0].message)
                self._touched.add(None)
                self._ended.wait(LOOK_SECONDS)

    def _round(self, rows: Rows | None) -> None:
        """Score whom the events touched, then everybody by those whose time has come."""
        pace, now = self._paced(), self._now()
        champions = {name: each for name, each in self._champions.now().items() if name in pace}
        if rows is None:
            silence(self._service)
            self._due_at.clear()
        due = {name: each for name, each in champions.items() if self._is_due(each, now)}
        answering = champions.keys() - self._failed.keys() - due.keys()
        waiting = {name: each for name, each in champions.items() if pace[name].stream and name in answering}
        if rows is not None and len(rows) and waiting:
            self._note(waiting, score(self._service.core, waiting, rows), now)
            if self._touched.waited_since is not None:
                SCORED.observe(time.perf_counter() - self._touched.waited_since)
        if due:
            self._let_time_go_on()
            scored = score(self._service.core, due)
            self._due_at |= {(name, each.number): now + pace[name].every_ms for name, each in due.items()}
            self._note(due, scored, now)
            note_round(self._service, due, scored)
            self._look(due, now)
        self._say({**self._failed, **{name: each.message for name, each in self._champions.refused.items()}})
        self.rounds += 1

    def _paced(self) -> dict[str, Pace]:
        """When each model scores, worked out once for a workspace."""
        workspace = self._service.workspace
        if self._held is None or self._held[0] is not workspace:
            self._held = (workspace, paces(workspace))
        return self._held[1]

    def _let_time_go_on(self) -> None:
        """Bring the engine to this moment: where nothing comes in, its time would stand still."""
        if self._service.core.clock == "wall":
            self._service.core.record("time", {}).result()

    def _look(self, champions: Mapping[str, Champion], now: int) -> None:
        """Watch those for drift whom nobody looked at for a day."""
        stale = [
            name
            for name, each in champions.items()
            if now - self._looked_at.get((name, each.number), now - LOOK_EVERY_MS) >= LOOK_EVERY_MS
        ]
        for name, drift in look(self._service, stale).items() if stale else ():
            self._looked_at[name, drift.version] = now
            for alarm in drift.alarms:
                _log.warning("the model %s drifts: %s", name, alarm)

    def _is_due(self, champion: Champion, now: int) -> bool:
        at = self._due_at.get((champion.spec.name, champion.number))
        return at is None or now >= at

    def _now(self) -> int:
        core = self._service.core
        return core.engine.now if core.clock == "log" else wall_ms()

    def _note(self, asked: Mapping[str, Champion], scored: Scored, now: int) -> None:
        """Count what was written. Whoever gave no answer is soon asked of everybody again, and not before:
        the others would wait for it.
        """
        for name, written in scored.written.items():
            SCORES.labels(name).inc(written)
        for name, each in asked.items():
            self._failed.pop(name, None)
            if name in scored.refused:
                self._failed[name] = scored.refused[name]
                key = (name, each.number)
                self._due_at[key] = min(self._due_at.get(key, now + AGAIN_MS), now + AGAIN_MS)

    def _say(self, reasons: Mapping[str, str]) -> None:
        """Say once why a model does not score, not with each round."""
        for name, reason in reasons.items():
            if self._told.get(name) != reason:
                _log.warning("the model %s does not score: %s", name, reason)
        self._told = dict(reasons)

    # ---- training ----------------------------------------------------------------------------

    def _training(self, train: Callable[[Service], None]) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            if self._service.core.failed is not None:
                return
            try:
                train(self._service)
            except SegueError as refused:
                _log.warning("training is put off: %s", refused.diagnostics[0].message)
