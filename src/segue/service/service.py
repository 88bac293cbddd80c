"""The service: what the command line and the doors may ask of a workspace with its data."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import duckdb
import numpy as np

from segue.access.gate import Access
from segue.analysis.explain import Question, explain
from segue.analysis.explanation import Explanation
from segue.analysis.fold import Difference
from segue.analysis.hands import decided
from segue.analysis.people import People
from segue.analysis.verify import Claims, Truth, verify
from segue.domain.change import Change
from segue.domain.errors import Diagnostic, SegueError, refusal
from segue.domain.event import Event, Json
from segue.domain.time import format_instant, parse_instant
from segue.engine.engine import Engine
from segue.engine.kernel import layout as k
from segue.ingest.decode import Decoded
from segue.ingest.files.aside import AsideBefore
from segue.ingest.files.mapping import Mapping as ColumnMapping
from segue.ingest.files.portion import Portion
from segue.ingest.files.reading import read_file
from segue.ingest.tally import Tally
from segue.language.checker import check_condition
from segue.language.findings import suggestion
from segue.language.interpret import Rules
from segue.language.sql import segment_sql
from segue.log.batch import EventBatch
from segue.log.quarantine import Held
from segue.log.sqlite import SqliteLog
from segue.segments import edit, plan
from segue.segments.override import ListEdit, Override
from segue.segments.plan import Plan
from segue.segments.workspace import Workspace, load_workspace
from segue.service import asking
from segue.service.as_sent import events_as_sent
from segue.service.catching_up import catch_up
from segue.service.core import Core, wall_ms
from segue.service.counting import counts_of
from segue.service.forgetting import forget
from segue.service.learning.explaining import Witnessed
from segue.service.posting import Committer
from segue.service.profiles import Profiles
from segue.service.program import definitions_of, followed, rules_of, values_of
from segue.service.quarantining import replayed
from segue.service.told_apart import ToldApart
from segue.service.views import Member, Preview, SegmentView, Status, UserView

Progress = Callable[[int, int], None]
SAMPLE_MAX = 10
PORTIONS_AHEAD = 8
"""Of a file that are durable and wait to be evaluated: their texts are held until then."""


def _unwatched(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Service:
    """A workspace folder and a data folder, opened by this process alone until :meth:`close`."""

    def __init__(self, folder: Path, data: Path, log: SqliteLog, clock: str) -> None:
        """Take over an open log: :meth:`open` is the door."""
        self.folder = folder
        self.data = data
        self.log = log
        catch_up(log, clock)
        self.core = Core(log, clock)
        self.access = Access(data)
        self.profiles = Profiles(self.core)
        self._committer: Committer | None = None

    @classmethod
    def open(
        cls,
        workspace: Path,
        data: Path,
        *,
        running: str = "segue",
        clock: str = "log",
        create: bool = True,
        progress: Progress = _unwatched,
    ) -> Self:
        """Open both folders and make the workspace's definitions, as they stand, those in force.

        SegueError with all findings of the workspace, E6xx when the data folder cannot be had.
        ``clock`` "log" takes time from the events, "wall" from the wall clock. ``progress`` hears of
        (log entries, of how many) that have to be shown to a program before it can go on.
        """
        loaded = load_workspace(workspace)
        log = SqliteLog.open(data, create=create, running=running)
        try:
            service = cls(workspace, data, log, clock)
            service.core.restore(progress)
            service._make_current(loaded, progress)
        except BaseException:
            log.close()
            raise
        return service

    def close(self) -> None:
        """Take nothing more, evaluate what was taken, and give the folders free."""
        if self._committer is not None:
            self._committer.stop()
            self._committer = None
        self.core.stop()
        try:
            self.core.save()
        finally:
            self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def workspace(self) -> Workspace:
        """The definitions in force."""
        assert self.core.workspace is not None
        return self.core.workspace

    @property
    def engine(self) -> Engine:
        """The engine; hold ``core.turn`` while reading more than one thing of it."""
        return self.core.engine

    def start(self) -> None:
        """Serve: take posts, evaluate beside them, and let time go on."""
        self.core.start()
        self._committer = Committer(self.core)
        self._committer.start()

    def status(self) -> Status:
        """How things stand."""
        open_ones = self.log.quarantine_counts().get("open", 0)
        return Status(
            engine_time=self.engine.now,
            log_seq=self.log.next_seq - 1,
            evaluated_seq=self.engine.evaluated_seq,
            changes=self.core.progress.next_change - 1,
            profiles=len(self.core.intake.identity),
            quarantined=open_ones,
        )

    # ---- taking in ---------------------------------------------------------------------------

    def import_file(
        self, path: Path, mapping: ColumnMapping | None, source: str, progress: Progress
    ) -> Tally:
        """All events of a file, durable and evaluated; ``progress`` hears of (rows done, rows)."""
        total = Tally()
        before = AsideBefore(self.quarantine, source)
        alone = self._committer is None
        if alone:
            self.core.start()
        try:
            evaluated: deque[Future[None]] = deque()
            for portion in read_file(path, mapping, self.core.intake, self.log, source, wall_ms()):
                before.leave_out(portion)
                evaluated.append(self._take_portion(portion, source))
                if len(evaluated) > PORTIONS_AHEAD:
                    wait([evaluated.popleft()])
                total.add(portion.tally)
                progress(portion.done, portion.total)
            self.core.drain()
        finally:
            if alone:
                self.core.stop()
        if self.core.failed is not None:
            raise self.core.failed
        return total

    def _take_portion(self, portion: Portion, source: str) -> Future[None]:
        with self.core.gate:
            counts = counts_of(self.core.day(), source, portion.tally, portion.quarantined)
            if portion.entry is None or isinstance(portion.entry, EventBatch):
                batches = [] if portion.entry is None else [portion.entry]
                return self.core.append(batches, portion.quarantined, counts, imported=True)
            return self.core.append_stretch(portion.entry, portion.quarantined, counts)

    def post(self, decoded: Decoded, source: str) -> Future[Tally]:
        """Take events over the wire; the future tells the counts once they are on disk (E604 if not)."""
        assert self._committer is not None, "serving only"
        return self._committer.post(decoded, source)

    def posted(self, decoded: Decoded, source: str) -> asyncio.Future[Tally]:
        """The same for who waits in an event loop."""
        assert self._committer is not None, "serving only"
        return self._committer.posted(decoded, source)

    # ---- definitions -------------------------------------------------------------------------

    def plan(self) -> Plan:
        """What applying the folder as it stands would change."""
        return plan.plan(self.core.workspace, load_workspace(self.folder))

    def apply(self, progress: Progress = _unwatched) -> Plan:
        """Make the folder as it stands the definitions in force; what that changed."""
        loaded = load_workspace(self.folder)
        planned = plan.plan(self.core.workspace, loaded)
        self._make_current(loaded, progress)
        return planned

    def _make_current(self, loaded: Workspace, progress: Progress) -> None:
        body = plan.to_json(loaded)
        if self.core.workspace is not None and plan.to_json(self.core.workspace) == body:
            self.core.workspace = loaded
            return
        self.core.define(loaded, progress)

    def put_segment(self, definition: Mapping[str, Json]) -> Path:
        """Write a segment into the folder and apply it."""
        path = edit.put_segment(self.folder, definition)
        self.apply()
        return path

    def delete_segment(self, name: str) -> Path:
        """Take a segment out of the folder and apply that."""
        path = edit.delete_segment(self.folder, name)
        self.apply()
        return path

    # ---- views -------------------------------------------------------------------------------

    def segments(self) -> list[SegmentView]:
        """All segments by name."""
        return [self.segment(name) for name in sorted(self.workspace.segments)]

    def segment(self, name: str) -> SegmentView:
        """One segment; E701 when there is none of this name."""
        definition = self.workspace.segments[self._known(name)]
        with self.core.turn:
            return SegmentView(name, definition.to_json(), len(self.engine.rows_in(name)))

    def _known(self, name: str) -> str:
        if name not in self.workspace.segments:
            hint = suggestion(name, self.workspace.segments, "`segue segments` lists those there are")
            raise refusal("E701", f"there is no segment {name!r}", hint)
        return name

    def members(self, name: str, as_of: int | None = None) -> list[Member]:
        """A segment's members, now or as of a moment (ms), sorted by user id."""
        engine = self.engine_as_of(name, as_of)
        with self.core.turn:
            rows, since = engine.members(name)
        user_id = self.core.intake.identity.user_id
        found = [Member(user_id(row), at) for row, at in zip(rows.tolist(), since.tolist(), strict=True)]
        return sorted(found, key=lambda member: member.user_id)

    def engine_as_of(self, name: str, as_of: int | None) -> Engine:
        """An engine that knows a segment as of a moment (ms), or now; E701 when there is no such segment."""
        self._known(name)
        if as_of is None:
            return self.engine
        return asking.as_of(self.engine, definitions_of(self.workspace), self.rules, name, as_of)

    @property
    def rules(self) -> Rules:
        """Time zone and session gap in force."""
        return rules_of(self.workspace)

    def changes(
        self, after: int = 0, segment: str | None = None, limit: int | None = None
    ) -> Iterator[Change]:
        """Changes in order, after a number; of one segment, or of all."""
        for page in self.log.changes(after, None, segment, limit):
            yield from page

    def row_of(self, user_id: str) -> int | None:
        """The row of the profile that an id leads to."""
        return self.core.intake.identity.row_of(user_id)

    def user(self, user_id: str) -> UserView:
        """What is known of one profile now."""
        return self.profiles.view(user_id)

    def events(self, user_id: str, limit: int | None = None) -> list[Event]:
        """A profile's events, newest first."""
        row = self.row_of(user_id)
        if row is None:
            return []
        with self._people() as people:
            person = people.person(row)
        events = sorted(person.events, key=lambda event: event.order, reverse=True) if person else []
        return events if limit is None else events[:limit]

    @contextmanager
    def _people(self, as_of: int | None = None) -> Iterator[People]:
        with duckdb.connect() as connection:
            with self.core.turn:
                upto, lists = self.engine.evaluated_seq, dict(self.engine.feed.lists)
            yield People(self.log, connection, upto=upto, as_of=as_of, lists=lists)

    def explain(self, user_id: str, segment: str, as_of: int | None = None) -> Explanation:
        """Why someone is in a segment or not, now or as of a moment; E702 for one never heard of."""
        self._known(segment)
        row = self.row_of(user_id)
        if row is None:
            hint = "look at the spelling of the id"
            raise refusal("E702", f"nothing was ever received of {user_id!r}", hint)
        engine = self.engine_as_of(segment, as_of)
        definitions = definitions_of(self.workspace)
        feed, upto = engine.feed, engine.evaluated_seq
        with duckdb.connect() as connection:
            people = People(
                self.log, connection, upto=upto, as_of=as_of, lists=dict(feed.lists), speech=feed.predictions
            )
            whole = people.survivor(row)
            person = people.person(whole)
        if person is None:
            raise refusal("E702", f"nothing was received of {user_id!r} by then", "choose a later moment")
        since = dict(engine.memberships(whole)).get(segment)
        question = Question(
            user_id=self.core.intake.identity.user_id(whole),
            segment=segment,
            person=person,
            now=engine.now,
            definitions=definitions,
            rules=self.rules,
            overrides=engine.feed.decided(whole),
            since=since,
            last_change=self.log.last_change(whole, segment, engine.now),
            why=Witnessed(self.core, engine, whole, as_of),
        )
        return explain(question)

    def preview(self, condition: str, as_of: int | None = None) -> Preview:
        """Whom a condition would select, now or as of a moment; SegueError with its findings."""
        tree = check_condition(condition, self.workspace.scope)
        definitions = definitions_of(self.workspace)
        with self.core.turn:
            asked = (
                asking.previewed(
                    self.engine, followed(self.workspace), self.rules, values_of(self.workspace), tree
                )
                if as_of is None
                else None
            )
        engine, rows = asked or asking.previewed_by_replay(self.engine, definitions, self.rules, tree, as_of)
        with self.core.turn:
            alive = int((engine.machine.state.flags[: engine.machine.rows] & k.ALIVE).sum())
            rows = np.setdiff1d(rows, np.array(sorted(self.engine.feed.suppressed), np.int32))
            chosen = np.zeros(max(engine.machine.rows, self.engine.machine.rows), np.bool_)
            chosen[rows] = True
            overlap = {
                name: int(chosen[self.engine.rows_in(name)].sum()) for name in sorted(self.workspace.segments)
            }
        user_id = self.core.intake.identity.user_id
        return Preview(
            count=len(rows),
            share=len(rows) / alive if alive else 0.0,
            sample=sorted(user_id(row) for row in rows[:SAMPLE_MAX].tolist()),
            overlap={name: count for name, count in overlap.items() if count},
            as_of=engine.now if as_of is None else as_of,
        )

    def sql(self, name: str) -> str:
        """The segment as one SELECT for DuckDB."""
        self._known(name)
        rules = rules_of(self.workspace)
        return segment_sql(name, definitions_of(self.workspace), rules.zone, rules.session_gap_ms)

    def verify(self, progress: Progress) -> list[Difference]:
        """Every membership recomputed by the slow reference; what differs."""
        self.core.drain()
        with self.core.turn:
            now, upto, held = self.engine.now, self.engine.evaluated_seq, self.engine.everyone()
            last = self.core.progress.next_change - 1
        with duckdb.connect() as connection:
            hands = decided(self.log, connection, upto)
            people = People(self.log, connection, upto=upto, lists=hands.lists(), speech=hands.speech())
            overrides = hands.overrides(self.workspace.segments.keys())
            truth = Truth(definitions_of(self.workspace), self.rules, overrides)
            claims = Claims(
                now, people.user_ids, lambda row: held.get(row, frozenset()), self.log.changes(upto=last)
            )
            return list(verify(truth, people.everyone(progress), claims))

    # ---- people's hands ----------------------------------------------------------------------

    def override(self, override: Override) -> None:
        """Put someone in or out of a segment whatever its condition says, or take that back."""
        self._known(override.segment)
        with self.core.gate:
            row = self.core.intake.identity.rows.get(override.user_id)
            body = {"until": None, **override.checked().to_json(), "row": row}
            done = self.core.record("override", body)
        done.result()

    def edit_list(self, change: ListEdit) -> None:
        """Put someone on a list or take them off; E703 when there is no such list."""
        if change.list not in self.workspace.lists:
            raise refusal("E703", f"there is no list {change.list!r}", "add it under lists/ and apply")
        with self.core.gate:
            row = self.core.intake.identity.rows.get(change.user_id)
            done = self.core.record("list", {**change.checked().to_json(), "row": row})
        done.result()

    def lists(self) -> dict[str, list[str]]:
        """The users of every list, by its name."""
        with self.core.turn:
            feed = self.engine.feed
            found: dict[str, set[str]] = {name: set() for name in self.workspace.lists}
            for row, names in feed.lists.items():
                for name in names & found.keys():
                    found[name].add(self.core.intake.identity.user_id(row))
            for user_id, awaited in feed.awaited.items():
                for name in awaited.lists & found.keys():
                    found[name].add(user_id)
        return {name: sorted(users) for name, users in found.items()}

    def list_users(self, name: str) -> list[str]:
        """The users of one list; E703 when there is none of this name."""
        found = self.lists()
        if name not in found:
            raise refusal("E703", f"there is no list {name!r}", "`segue list` shows those there are")
        return found[name]

    def forget(self, user_id: str) -> bool:
        """Erase all that is held of someone; whether there was anything."""
        return forget(self.core, self.folder, user_id).found

    def export_all(self) -> Iterator[dict[str, Json]]:
        """Every event that took effect, once, in log order, with its fields as sent."""
        upto = self.log.next_seq - 1
        apart = ToldApart(self.log, upto)
        for entry in self.log.replay(0, upto):
            if isinstance(entry, EventBatch):
                yield from map(apart.named, events_as_sent(entry))

    # ---- quarantine --------------------------------------------------------------------------

    def quarantine(self, state: str | None = "open") -> Iterator[Held]:
        """Events that were set aside, by number."""
        after = 0
        while found := self.log.quarantine_list(state, after):
            yield from found
            after = found[-1].id

    def quarantine_replay(self, number: int, mended: bytes | None) -> Tally:
        """Take in an event that was set aside, as it is or mended; it stays aside if it is still bad."""
        held = self.log.quarantine_get(number)
        if held is None:
            hint = "`segue quarantine list` shows them"
            raise refusal("E784", f"there is no quarantined event {number}", hint)
        with self.core.gate:
            tally, done = replayed(self.core, held, mended)
        done.result()
        self.log.quarantine_mark([number], "replayed")
        return tally

    def quarantine_drop(self, number: int) -> None:
        """Give an event up."""
        self.log.quarantine_mark([number], "dropped")

    # ---- reading time ------------------------------------------------------------------------

    def moment(self, text: str) -> int:
        """A moment in ms as people write it; a bare date is its midnight in the workspace's zone."""
        found = parse_instant(text, self.workspace.settings.timezone)
        if found is None:
            hint = f"write a date or a date and time, for example {format_instant(self.engine.now)}"
            raise SegueError(Diagnostic("E704", f"{text!r} is no moment", hint))
        return found
