"""What happens, in order: everything is durable first, evaluated next, and its changes stored last.

``gate`` guards the log's end and the intake, ``turn`` the engine. Evaluation has one thread at a
time; it never holds the gate while the kernel runs, so that posts are acknowledged meanwhile.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from zoneinfo import ZoneInfo

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.domain.limits import DEDUPE_MS
from segue.engine import snapshot
from segue.engine.engine import Engine, Made, Prepared
from segue.ingest.identity import Forgetting
from segue.ingest.opening import Opening
from segue.log.batch import Entry, EventBatch, Quarantined, Record, Stretch
from segue.log.changes import ChangeColumns
from segue.log.changes import Progress as Reached
from segue.log.faults import NOT_WRITTEN
from segue.log.quality import Count
from segue.log.sqlite import SqliteLog
from segue.segments import plan
from segue.segments.workspace import Workspace
from segue.service.counting import today
from segue.service.firing.collector import Collector
from segue.service.made import columns_of, of_segments
from segue.service.program import followed, program_of, rules_of, values_of
from segue.service.suppressed import restore_suppressions
from segue.service.unfinished import finish_forgettings

Progress = Callable[[int, int], None]
UTC = ZoneInfo("UTC")

ENTRIES_WAITING_MAX = 10_000
"""Durable entries that wait to be evaluated; beyond, whoever brings more waits too."""
ENTRIES_AT_ONCE = 512
TICK_SECONDS = 0.25
SNAPSHOT_AFTER = 20_000
"""Log positions after which a snapshot pays."""
SNAPSHOT_EVERY_MS = 60_000
STRETCH_AFTER = 100_000
"""Events at the log's end that are worth a file of history of their own."""


def _moved(progress: Progress, total: int) -> Callable[[int], None]:
    return lambda seq: progress(seq, total)


def wall_ms() -> int:
    """The wall clock, in ms."""
    return time.time_ns() // 1_000_000


class Core:
    """The log with its intake and engine. Closing it is the owner's to do."""

    def __init__(self, log: SqliteLog, clock: str) -> None:
        self.log = log
        self.clock = clock
        self.gate = threading.RLock()
        self.turn = threading.RLock()
        self.progress = log.progress()
        finish_forgettings(log, self.progress.log_seq)
        forgettings = [forgetting_of(record) for record in log.records("forget")]
        self._opening = Opening(log, None if clock == "log" else wall_ms() - 8 * 86_400_000, forgettings)
        self.intake = self._opening.intake
        try:
            restore_suppressions(log, self.intake.identity)
        except BaseException:
            self._opening.give_up()
            raise
        self.engine = Engine(log, self.intake.identity.user_id)
        self._workspace: Workspace | None = None
        self._prepared: dict[int, tuple[Workspace, Prepared | None]] = {}
        self._waiting: queue.Queue[tuple[Entry, Future[None]] | None] = queue.Queue(ENTRIES_WAITING_MAX)
        self._evaluator: threading.Thread | None = None
        self._stamped = self.progress.engine_time
        self.failed: BaseException | None = None
        self._made: list[Made] = []
        self.firing = Collector(log)
        self.saved_seq = 0
        self._saved_at = wall_ms()
        self._snapshot = log.folder / "snapshot"
        # Listeners leave in threads of their own; each telling goes by a copy, so that none is passed over.
        self.change_listeners: list[Callable[[ChangeColumns], None]] = []
        """Told of changes once stored, by whichever thread evaluates; they must not wait or raise."""
        self.forget_listeners: list[Callable[[Iterable[int]], None]] = []
        """Told of rows that were forgotten, in the engine's turn: nothing of them may be kept beside it."""
        self.entry_listeners: list[Callable[[Entry], None]] = []
        """Told of entries that the engine has seen, by whichever thread evaluates; they must not wait."""

    @property
    def workspace(self) -> Workspace | None:
        """The definitions in force."""
        return self._workspace

    @workspace.setter
    def workspace(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.intake.plan = workspace.tracking_plan()

    # ---- opening -----------------------------------------------------------------------------

    def restore(self, progress: Progress) -> None:
        """Bring the engine to where the stored changes end, then evaluate what was durable beyond."""
        reached = self.progress.log_seq
        try:
            self._restored(reached, progress)
        finally:
            self._opening.ready()

    def _restored(self, reached: int, progress: Progress) -> None:
        applied = [record for record in self.log.records("definitions") if record.seq <= reached]
        if applied and not self._load(applied):
            self.workspace = workspace = plan.from_json(applied[-1].body)
            engine = self.engine
            moved = _moved(progress, reached)
            engine.become(engine.replayed(program_of(workspace), reached, moved=moved))
        for entry in self.log.read(self.engine.evaluated_seq, reached):
            self._show(entry)
        self.engine.advance(self.progress.engine_time)
        self.engine.take_changes()
        self.firing.start(self.workspace, reached)
        for entry in self.log.read(reached):
            self.evaluate(entry)

    def _load(self, applied: Sequence[Record]) -> bool:
        """Go on from the snapshot, under the definitions that were in force where it stands."""
        stands = snapshot.position(self._snapshot)
        before = [] if stands is None else [record for record in applied if record.seq <= stands]
        if not before:
            return False
        workspace = plan.from_json(before[-1].body)
        if not snapshot.load(self.engine, program_of(workspace), self._snapshot, self.progress.log_seq):
            return False
        self.workspace = workspace
        self.saved_seq = self.engine.evaluated_seq
        return True

    def save(self) -> None:
        """Write a snapshot when enough has happened since the last one. Evaluation must rest."""
        if self.engine.evaluated_seq - self.saved_seq >= SNAPSHOT_AFTER and self.failed is None:
            self.tidy()
            try:
                snapshot.save(self.engine, self._snapshot)
            except OSError:
                # An aid only: a disk too full for it keeps its room for the log.
                self.forget_snapshots()
                return
            self.saved_seq = self.engine.evaluated_seq

    def forget_snapshots(self) -> None:
        """Remove what snapshots still know of the forgotten."""
        snapshot.erase(self._snapshot)
        self._opening.forget()
        self.saved_seq = 0

    def tidy(self) -> None:
        """Close what waits at the log's end into a stretch of history when it is long enough."""
        self.log.close_stretch(STRETCH_AFTER)

    # ---- appending ---------------------------------------------------------------------------

    def day(self) -> str:
        """The calendar day under which what comes in now is counted."""
        return today(UTC if self.workspace is None else self.workspace.settings.timezone)

    def stamp(self) -> int:
        """The time of what is taken in now, in ms; it never runs backwards. Hold the gate."""
        now = self.engine.now if self.clock == "log" else wall_ms()
        self._stamped = max(self._stamped, now, 0)
        return self._stamped

    def append(
        self,
        batches: Sequence[EventBatch],
        quarantined: Sequence[Quarantined],
        counts: Sequence[Count] = (),
        imported: bool = False,
    ) -> Future[None]:
        """Make events durable and have them evaluated; what the future tells. Hold the gate.

        What is ``imported`` from a file is history to triggers.
        """
        try:
            self.log.append(batches, quarantined, counts, imported)
        except BaseException:
            self.intake.take_back()
            raise
        self.firing.imports.update(batch.first_seq for batch in batches if imported)
        self.intake.settle()
        done: Future[None] = Future()
        done.set_result(None)
        for batch in batches:
            if len(batch):
                done = self._enqueue(batch)
        return done

    def append_stretch(
        self, stretch: Stretch, quarantined: Sequence[Quarantined], counts: Sequence[Count] = ()
    ) -> Future[None]:
        """The same for a file of events. Hold the gate."""
        try:
            self.log.append_stretch(stretch, quarantined, counts)
        except BaseException:
            self.intake.take_back()
            raise
        self.intake.settle()
        return self._enqueue(stretch)

    def record(
        self, kind: str, body: Json, prepared: tuple[Workspace, Prepared | None] | None = None
    ) -> Future[None]:
        """Make a record durable and have it evaluated; what the future tells."""
        with self.gate:
            record = Record(self.log.next_seq, self.stamp(), kind, body)
            self.log.append([record])
            if prepared is not None:
                self._prepared[record.seq] = prepared
            return self._enqueue(record)

    def _enqueue(self, entry: Entry) -> Future[None]:
        done: Future[None] = Future()
        if self._evaluator is None:
            self.evaluate(entry)
            done.set_result(None)
        else:
            self._waiting.put((entry, done))
        return done

    # ---- evaluating --------------------------------------------------------------------------

    def evaluate(self, entry: Entry) -> None:
        """Show an entry to the engine and store the changes with the progress."""
        self._show(entry)
        self._store()

    def _show(self, entry: Entry) -> None:
        if isinstance(entry, Record) and entry.kind == "definitions":
            self._define(entry)
        else:
            with self.turn, self.firing.showing(self.engine, self._made, entry):
                self.engine.apply(entry)
        for listener in tuple(self.entry_listeners):
            listener(entry)

    def define(self, workspace: Workspace, progress: Progress) -> None:
        """Make a workspace's definitions those in force.

        The program that is to follow is shown the past beside the live stream; the record that
        switches it in is written when it has caught up, and only what came since is left to do then.
        """
        with self.turn:
            engine, same = self.engine, self._is_in_force(workspace)
            upto = engine.evaluated_seq
        fresh = None if same else engine.prepared(program_of(workspace), upto, _moved(progress, upto))
        with self.gate:
            body = {**plan.to_json(workspace), "rows": self._rows_of_listed(workspace)}
            done = self.record("definitions", body, (workspace, fresh))
        done.result()

    def _rows_of_listed(self, workspace: Workspace) -> dict[str, int]:
        """The rows of those who are or were on a list by its file; the others have no profile yet."""
        rows = self.intake.identity.rows
        lists = [*workspace.lists.values(), *(self.workspace.lists.values() if self.workspace else ())]
        return {who: rows[who] for each in lists for who in each.users if who in rows}

    def _is_in_force(self, workspace: Workspace) -> bool:
        """Whether a workspace means what the one in force means."""
        held = self.workspace
        return held is not None and (
            followed(held) == followed(workspace)
            and rules_of(held) == rules_of(workspace)
            and values_of(held) == values_of(workspace)
        )

    def _define(self, record: Record) -> None:
        workspace, prepared = self._prepared.pop(record.seq, (None, None))
        if workspace is None:
            workspace = plan.from_json(record.body)
        if self._is_in_force(workspace):
            with self.turn:
                with self.firing.showing(self.engine, self._made):
                    self.engine.apply(record)
                self._use(workspace)
        else:
            self._switch(workspace, prepared, record)

    def _switch(self, workspace: Workspace, prepared: Prepared | None, record: Record) -> None:
        """Go on with other definitions. Reads go on, too, while the two programs' states are joined."""
        engine = self.engine
        if prepared is None or prepared.before is not engine.compiled:
            prepared = engine.prepared(program_of(workspace), engine.evaluated_seq)
        for entry in self.log.read(prepared.shown.evaluated_seq, record.seq - 1):
            prepared.shown.apply(entry)
        with self.turn, self.firing.showing(engine, self._made):
            engine.advance(record.at)
        machine = engine.joined(prepared)
        with self.turn:
            self._use(workspace)
            with self.firing.showing(engine, self._made):
                engine.install(prepared.compiled, machine, record)

    def _use(self, workspace: Workspace) -> None:
        self.firing.use(self._workspace, workspace)
        self.workspace = workspace

    def _store(self) -> None:
        """Store what was made since the last time; what a full disk does not take waits for the next one."""
        self._made += map(of_segments, self.engine.take_changes())
        first = self.progress.next_change
        columns = columns_of(self._made, first) if any(len(each.records) for each in self._made) else None
        count = 0 if columns is None else len(columns)
        reached = Reached(self.engine.evaluated_seq, max(self.engine.now, 0), first + count)
        self.log.append_changes(reached, columns, self.firing.take(first))
        self._made.clear()
        self.progress = reached
        self.firing.stored()
        if columns is not None:
            for listener in tuple(self.change_listeners):
                listener(columns)

    # ---- evaluating beside -------------------------------------------------------------------

    def start(self) -> None:
        """Evaluate in a thread of its own from now on."""
        self._evaluator = threading.Thread(target=self._evaluating, name="segue-evaluator")
        self._evaluator.start()

    def stop(self) -> None:
        """Evaluate what waits, then end the thread."""
        if self._evaluator is not None:
            self._waiting.put(None)
            self._evaluator.join()
            self._evaluator = None
        self._opening.keep()

    def drain(self) -> None:
        """Wait until all that was appended is evaluated."""
        if self._evaluator is None:
            return
        done: Future[None] = Future()
        self._waiting.put((_NOTHING, done))
        done.result()

    def _evaluating(self) -> None:
        """Take all that waits, never wait for more; store what came of it at once."""
        while True:
            try:
                taken = [self._waiting.get(timeout=self._patience())]
            except queue.Empty:
                self._at_rest()
                continue
            while len(taken) < ENTRIES_AT_ONCE and taken[-1] is not None:
                try:
                    taken.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            self._evaluate_all([each for each in taken if each is not None])
            if taken[-1] is None:
                return

    def _evaluate_all(self, taken: Sequence[tuple[Entry, Future[None]]]) -> None:
        """Evaluate entries and tell who waits for them. A fault ends evaluation: the log goes on alone."""
        try:
            for entry, _ in taken:
                if self.failed is not None:
                    raise self.failed
                if entry is not _NOTHING:
                    self._show(entry)
        except BaseException as error:  # noqa: BLE001 -- whoever waits must hear of it
            self.failed = error
            self._tell(taken, error)
            return
        self._tell(taken, self._stored())

    def _stored(self) -> BaseException | None:
        """Store; what kept it from being stored. A disk that takes nothing now is asked again at rest."""
        try:
            self._store()
        except SegueError as error:
            if error.diagnostics[0].code != NOT_WRITTEN:
                self.failed = error
            return error
        except BaseException as error:  # noqa: BLE001 -- whoever waits must hear of it
            self.failed = error
            return error
        return None

    def _tell(self, taken: Sequence[tuple[Entry, Future[None]]], error: BaseException | None) -> None:
        for _, done in taken:
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    def _at_rest(self) -> None:
        """Nothing waits: store what a full disk held up, let time go on, save."""
        if self.failed is not None or (self._made and self._stored() is not None):
            return
        try:
            self._tick()
            self._save_at_leisure()
        except SegueError as error:
            if error.diagnostics[0].code != NOT_WRITTEN:
                self.failed = error

    def _patience(self) -> float:
        """Seconds until time itself has something to do."""
        due = self.engine.next_due()
        if self.clock == "log" or due is None:
            return TICK_SECONDS
        return min(max((due - wall_ms()) / 1000, 0.001), TICK_SECONDS)

    def _tick(self) -> None:
        """Let time go on when something is due by the wall clock; the log says that it did."""
        due = self.engine.next_due()
        if self.clock == "log" or due is None or due > wall_ms():
            return
        with self.gate:
            record = Record(self.log.next_seq, self.stamp(), "time", {})
            self.log.append([record])
            self._waiting.put((record, Future()))

    def _save_at_leisure(self) -> None:
        """A snapshot now and then while nothing waits, so that a restart has little to do."""
        if wall_ms() - self._saved_at >= SNAPSHOT_EVERY_MS:
            self._saved_at = wall_ms()
            self.save()
            if self.clock == "wall":
                with self.gate:
                    self.intake.seen.prune(self._stamped - DEDUPE_MS)


_NOTHING = Record(0, 0, "time", {})


def forgetting_of(record: Record) -> Forgetting:
    """What identity must know of a forgetting."""
    return Forgetting(record.seq, record.at, record.body["left"], record.body["unseen"])
