"""The engine: log entries in order in, membership changes out.

It is a function of the log: whoever shows it the same entries gets the same changes, in batches of
any size. Records name the rows they concern, so that a replay need not ask who was who when.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import filterfalse

import duckdb
import numpy as np

from segue.domain.event import Json
from segue.domain.ids import FORGOTTEN
from segue.domain.time import parse_instant
from segue.domain.watch import is_watch
from segue.engine.feeding.feed import Feed, by_place
from segue.engine.feeding.history import HistoryReader, Marks
from segue.engine.feeding.traits import Dated
from segue.engine.kernel import layout as k
from segue.engine.program.compile import Compiled, compile_definitions
from segue.engine.state.differences import Differences, differences
from segue.engine.state.machine import Machine
from segue.engine.state.partial import partial
from segue.engine.state.selection import Selection, select
from segue.engine.state.splice import spliced
from segue.language.interpret import Noted, Override, Replacement, Rules
from segue.log.batch import Entry, EventBatch, Record, Stretch
from segue.log.said import Said
from segue.log.sqlite import SqliteLog

Moved = Callable[[int], None]
"""Told how many log entries a replay has behind it."""
_NO_OPERATIONS = np.zeros(0, k.OPERATION)


@dataclass(frozen=True)
class Prepared:
    """A program that is to follow ``before``, and an engine that was shown the past with the part of it
    that is ``selected``.
    """

    before: Compiled
    compiled: Compiled
    selected: Selection
    shown: Engine


@dataclass(frozen=True)
class Made:
    """Changes of one program: ``records`` are CHANGE records whose segments are places in ``names``."""

    names: tuple[str, ...]
    records: k.Records


class Engine:
    """Holds the program in force with its machine and feed. One thread at a time."""

    def __init__(self, log: SqliteLog, profile_id: Callable[[int], str]) -> None:
        self.log = log
        self.profile_id = profile_id
        self.made: list[Made] = []
        self.lists: dict[str, frozenset[str]] = {}
        self.evaluated_seq = 0
        self._operations = _NO_OPERATIONS
        self.left_to_accounts: dict[int, Mapping[str, dict[str, Dated]]] = {}
        """By the seq of a forgetting: what others said of the accounts that the forgotten spoke for. A replay
        needs none of it: what the forgotten said is not in the log any more."""
        self.start(compile_definitions((), Rules()))

    def start(self, compiled: Compiled) -> None:
        """Begin with a program and nobody."""
        self.compiled = compiled
        self.machine = Machine(compiled, self._keep)
        self.feed = Feed(compiled, self.profile_id)

    def _keep(self, records: k.Records) -> None:
        self.made.append(Made(self.compiled.names, records))

    def take_changes(self) -> list[Made]:
        """The changes since the last call, in order."""
        made, self.made = self.made, []
        return made

    def take_touched(self) -> k.Ints32:
        """The rows, rising, of which the last entry changed what is known, other than what models say.

        With those that its own events are about are those whose account it changed and those whose events
        had waited for their time. Of a stretch it tells nothing; asked again it tells nothing more.
        """
        found, self._operations = self._operations, _NO_OPERATIONS
        said = [
            given.feature
            for models in self.feed.model_columns.values()
            for columns in models.values()
            for given in columns
        ]
        theirs = (found["op"] != k.OP_SET) | ~np.isin(found["a"], said)
        return np.unique(found["row"][theirs])

    @property
    def now(self) -> int:
        """Engine time, in ms."""
        return self.feed.now

    # ---- the log's entries -------------------------------------------------------------------

    def apply(self, entry: Entry) -> None:
        """Show one entry of the log to the program."""
        if isinstance(entry, EventBatch):
            self._batch(entry)
            self.evaluated_seq = entry.last_seq
        elif isinstance(entry, Stretch):
            self._stretch(entry)
            self.evaluated_seq = entry.to_seq
        else:
            self.record(entry)
            self.evaluated_seq = entry.seq

    def _batch(self, batch: EventBatch) -> None:
        fed = self.feed.batch(batch)
        self._operations = fed.ops
        self.machine.run(fed, self.feed.now)

    def _stretch(self, stretch: Stretch) -> None:
        with duckdb.connect() as connection:
            events = self.log.portions(connection, stretch.from_seq - 1, stretch.to_seq)
            reader = HistoryReader(connection, events, self.feed)
            for batch in reader.batches(stretch.from_seq, stretch.to_seq, _marks(stretch)):
                self.machine.run(batch, self.feed.now)

    def record(self, record: Record) -> None:
        """Show a record to the program; what ``definitions`` says of segments is the caller's to install."""
        self.feed.advance(record.at)
        body = record.body
        if record.kind == "list":
            self._listed(body["user_id"], body["row"], body["list"], body["on"])
            self.feed.end_record(record.seq, k.BY_LIST)
        elif record.kind == "override":
            self._overridden(body)
            self.feed.end_record(record.seq, k.BY_OVERRIDE)
        elif record.kind == "score":
            self.feed.predicted(Said.of_body(body))
            self.feed.end_record(record.seq, k.BY_SCORE)
        elif record.kind == "suppress":
            self.feed.suppress(body["rows"], body["on"])
            self.feed.end_record(record.seq, k.BY_OVERRIDE)
        elif record.kind == "forget":
            self.feed.forget(body["rows"], record.at, record.seq, self.left_to_accounts.pop(record.seq, {}))
        elif record.kind == "definitions":
            self._relist(body)
            self.feed.end_record(record.seq, k.BY_DEFINITION)
        fed = self.feed.take_batch()
        self._operations = fed.ops
        self.machine.run(fed, record.at)

    def _listed(self, who: str, row: int | None, name: str, on: bool) -> None:
        """Who was forgotten since is nobody, and nobody comes to be on a list."""
        if not who.startswith(FORGOTTEN):
            self.feed.listed(who, row, name, on)

    def _overridden(self, body: Mapping[str, Json]) -> None:
        """Of a segment, or of what a model says."""
        if "model" in body:
            model = (body["gives"], body["model"])
            self.feed.replaced(body["user_id"], body["row"], model, replacement_of(body))
        else:
            self.feed.overridden(body["user_id"], body["row"], body["segment"], override_of(body))

    def lose(self, names: Collection[str]) -> None:
        """Know nothing more of ids that were forgotten, not even that a list or an override awaits them."""
        for name in names:
            self.feed.awaited.pop(name, None)
        self.lists = {each: users.difference(names) for each, users in self.lists.items()}

    def _relist(self, body: Mapping[str, Json]) -> None:
        """Put people on lists and take them off as the definitions now say."""
        listed = {each["list"]: frozenset(each.get("users", ())) for each in body.get("lists", ())}
        rows = body["rows"]
        for name in sorted({*listed, *self.lists}):
            before, after = self.lists.get(name, frozenset()), listed.get(name, frozenset())
            for who in sorted(before - after):
                self._listed(who, rows.get(who), name, False)
            for who in sorted(after - before):
                self._listed(who, rows.get(who), name, True)
        self.lists = listed

    # ---- definitions -------------------------------------------------------------------------

    def prepared(self, compiled: Compiled, seq: int, moved: Moved | None = None) -> Prepared:
        """Show the log up to position ``seq`` to what this program does not know of the next one."""
        selected = select(self.compiled, compiled)
        part = partial(compiled, selected)
        if selected.is_empty:
            shown = Engine(self.log, self.profile_id)
            shown.start(part)
            shown.evaluated_seq = seq
        else:
            shown = self.replayed(part, seq, moved=moved, fleeting=True)
        return Prepared(self.compiled, compiled, selected, shown)

    def joined(self, prepared: Prepared) -> Machine:
        """A machine for the next program; what was shown the past must stand where this one does.

        This one is only read, the one that was shown the past is given up.
        """
        prepared.shown.advance(self.now)
        return spliced(self.machine, prepared.shown.machine, prepared.compiled, prepared.selected)

    def install(self, compiled: Compiled, machine: Machine, record: Record) -> None:
        """Go on with another program from the record that says so; what differs are changes by definition."""
        before = self.machine
        self.compiled, self.machine = compiled, machine
        self.feed.use(compiled)
        machine.sink = _dropped
        self.record(record)
        machine.sink = self._keep
        self.evaluated_seq = record.seq
        differing = differences(before, machine)
        if len(differing.rows):
            self.made.append(self._by_definition(differing, record.seq))

    def become(self, fresh: Engine) -> None:
        """Take over another engine's program and all that it has seen."""
        self.compiled, self.machine, self.feed = fresh.compiled, fresh.machine, fresh.feed
        self.lists, self.evaluated_seq = fresh.lists, fresh.evaluated_seq
        self.machine.sink = self._keep

    def replayed(
        self,
        compiled: Compiled,
        upto: int,
        until: int | None = None,
        moved: Moved | None = None,
        fleeting: bool = False,
    ) -> Engine:
        """Another engine that has seen the log up to position ``upto``, received by ``until`` (ms).

        It ends at the time ``until``, or at that of the last entry. Its own changes are dropped. A
        ``fleeting`` one takes no note of traits and accounts that its program does not ask for.
        """
        other = Engine(self.log, self.profile_id)
        other.start(compiled)
        other.feed.fleeting = fleeting
        other.machine.sink = _dropped
        with duckdb.connect() as connection:
            events = self.log.portions(connection, 0, upto)
            reader = HistoryReader(connection, events, other.feed)
            for entry in _joined(self.log.read(0, upto, whole=False)):
                if isinstance(entry, Record):
                    if until is None or entry.at <= until:
                        other.record(entry)
                else:
                    for batch in reader.batches(entry.first, entry.last, entry.marks, until):
                        other.machine.run(batch, other.feed.now)
                        if moved is not None:
                            moved(int(batch.steps["seq"][-1]) if len(batch.steps) else entry.first)
        other.evaluated_seq = upto
        if until is not None:
            other.advance(until)
        return other

    def advance(self, until: int) -> None:
        """Work off everything due up to and at ``until``."""
        self.feed.advance(until)
        self.machine.run(self.feed.take_batch(), until)

    def next_due(self) -> int | None:
        """The earliest due moment."""
        dues = [due for due in (self.machine.next_due(), self.feed.next_due()) if due is not None]
        return min(dues, default=None)

    def _by_definition(self, differing: Differences, seq: int) -> Made:
        """Differences as changes, by profile and then by name."""
        changes = np.zeros(len(differing.rows), k.CHANGE)
        changes["row"], changes["segment"] = differing.rows, differing.segments
        changes["entered"], changes["at"] = differing.entered, self.now
        changes["cause"], changes["seq"] = k.BY_DEFINITION, seq
        order = np.lexsort((changes["segment"], changes["row"]))
        return Made(differing.names, changes[order])

    # ---- reading -----------------------------------------------------------------------------

    def rows_in(self, name: str) -> k.Ints32:
        """Rows of a segment's members, rising; none for a segment that has no members."""
        number = self.compiled.numbers.get(name)
        return np.zeros(0, np.int32) if number is None else self.machine.member_rows(number)

    def members(self, name: str) -> tuple[k.Ints32, k.Ints]:
        """(rows, since in ms) of a segment's members."""
        rows = self.rows_in(name)
        if not len(rows):
            return rows, np.zeros(0, np.int64)
        return rows, self.machine.since(rows, self.compiled.numbers[name])

    def everyone(self) -> dict[int, frozenset[str]]:
        """The segments of every profile that is in any."""
        found: dict[int, set[str]] = {}
        for name in filterfalse(is_watch, self.compiled.names):
            for row in self.rows_in(name).tolist():
                found.setdefault(row, set()).add(name)
        return {row: frozenset(names) for row, names in found.items()}

    def memberships(self, row: int) -> list[tuple[str, int]]:
        """(segment, since in ms) of a profile, by name."""
        return [each for each in self.held(row) if not is_watch(each[0])]

    def held(self, row: int) -> list[tuple[str, int]]:
        """The same with the watches that hold."""
        numbers = self.machine.segments_of(row)
        since = self.machine.since_of(row, numbers).tolist() if numbers else []
        return sorted((self.compiled.names[number], at) for number, at in zip(numbers, since, strict=True))


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring events of the log, whichever way they are kept."""

    first: int
    last: int
    marks: Marks


def _joined(entries: Iterable[Entry]) -> Iterable[_Run | Record]:
    """Records as they are, the events between them as one run."""
    run: _Run | None = None
    for entry in entries:
        if isinstance(entry, Record):
            if run is not None:
                yield run
            run = None
            yield entry
            continue
        if isinstance(entry, Stretch):
            found = _Run(entry.from_seq, entry.to_seq, _marks(entry))
        else:
            found = _Run(entry.first_seq, entry.last_seq, _marks(entry, entry.first_seq))
        run = found if run is None else _Run(run.first, found.last, run.marks | found.marks)
    if run is not None:
        yield run


def _marks(entry: EventBatch | Stretch, base: int = 0) -> Marks:
    """What the events taught, by their seq; ``base`` is the seq that their places are counted from."""
    named: dict[int, list[tuple[str, int]]] = {}
    for place, name, row in entry.aliases:
        named.setdefault(base + place, []).append((name, row))
    return Marks(by_place((base + place, gone, row) for place, gone, row in entry.merges), named)


def override_of(body: Mapping[str, Json]) -> Override | None:
    """The override that a record gives; None takes one back."""
    if body["member"] is None:
        return None
    until = body.get("until")
    end = None if until is None else parse_instant(until)
    return Noted(body["member"], end, body.get("by"), body.get("why"))


def replacement_of(body: Mapping[str, Json]) -> Replacement | None:
    """The word in the place of a score that a record gives; None takes one back."""
    if body["value"] is None:
        return None
    until = body.get("until")
    return Replacement(
        body["value"], None if until is None else parse_instant(until), body.get("by"), body.get("why")
    )


def _dropped(_records: k.Records) -> None:
    """Changes of a replay are nobody's news."""
