"""Log entries to kernel batches: what each event means for the program at hand.

The feed knows what the kernel does not: names, JSON values, traits, accounts, lists. It is a
function of the log alone, so a replay gives the same batches.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from segue.domain.event import TYPES, Event, Json
from segue.engine.feeding.assemble import Arrays, assembled
from segue.engine.feeding.builder import BatchBuilder
from segue.engine.feeding.given import Given, given_by
from segue.engine.feeding.numbering import NOT_ASKED, Numbering
from segue.engine.feeding.predictions import Predictions, read_all, without
from segue.engine.feeding.slots import SlotReader, read_slots
from segue.engine.feeding.traits import Accounts, Dated, Traits
from segue.engine.kernel import layout as k
from segue.engine.kernel.layout import FOREVER
from segue.engine.program.codes import Code
from segue.engine.program.compile import Compiled
from segue.language.interpret import Noted, Override, Replacement
from segue.language.reading import walk
from segue.log.batch import EventBatch
from segue.log.columns import codes, ints, picked
from segue.log.said import Model, Said

GIVERS = frozenset(("identify", "group"))
"""Types that set what is given from outside."""
_GIVES = np.array([type_ in GIVERS for type_ in TYPES], np.bool_)
_NO_ACCOUNTS: Mapping[str, dict[str, Dated]] = {}
SUPPRESSED = Noted(False, None, None, "the user is suppressed")


@dataclass(slots=True)
class Awaited:
    """What people decided about an id that has no profile yet."""

    lists: set[str] = field(default_factory=set)
    overrides: dict[str, Override] = field(default_factory=dict)
    words: dict[Model, Replacement] = field(default_factory=dict)


class Feed:
    """Turns events and records into operations; holds traits, accounts and what waits for its time."""

    def __init__(self, compiled: Compiled, profile_id: Callable[[int], str] = str) -> None:
        self.profile_id = profile_id
        self.traits = Traits()
        self.accounts = Accounts()
        self.builder = BatchBuilder()
        self.now = self.now_before = k.MISSING // 2
        self.waiting: list[tuple[int, int, Event]] = []
        self.survivor: dict[int, int] = {}
        self.lists: dict[int, set[str]] = {}
        self.overrides: dict[int, dict[str, Override]] = {}
        self.suppressed: set[int] = set()
        self.predictions = Predictions()
        self.awaited: dict[str, Awaited] = {}
        self.fleeting = False
        self.known = np.zeros(1024, np.bool_)
        self.use(compiled)

    def use(self, compiled: Compiled) -> None:
        """Feed another program from now on."""
        self.compiled = compiled
        self.numbers = compiled.numbers
        self.numbering = Numbering(compiled.codes)
        self.slot_readers: dict[int, SlotReader] = {}
        zone = compiled.rules.zone
        self.user_columns = given_by(compiled, "user", zone)
        self.account_columns = given_by(compiled, "account", zone)
        self.model_columns = {source: given_by(compiled, source, zone) for source in ("score", "cluster")}
        self.list_columns = {
            column.path[0]: feature for column, feature in compiled.columns.items() if column.source == "list"
        }

    def take_batch(self) -> k.Batch:
        """What was collected since the last call."""
        built = self.builder.build()
        self.builder = BatchBuilder()
        return built

    # ---- events ------------------------------------------------------------------------------

    def event(
        self,
        event: Event,
        merges: Iterable[tuple[int, int]] = (),
        named: Iterable[tuple[str, int]] = (),
    ) -> None:
        """One event at its receipt: a step, or two when its time is still to come.

        It begins its profile if that is not there yet. ``merges`` are (absorbed, surviving) rows,
        ``named`` ids that lead to a row from now on beside its own.
        """
        self._release(event.received_at)
        builder = self.builder
        self.now = max(self.now, event.received_at)
        created = not self.knows(event.row)
        if created:
            self._know(event.row)
            builder.add(k.OP_CREATE, event.row)
        for absorbed, survivor in merges:
            self.merge(absorbed, survivor)
        if self.awaited:
            if created:
                self._arrived(self.profile_id(event.row), event.row)
            for name, row in named:
                self._arrived(name, row)
        if event.timestamp > self.now:
            heapq.heappush(self.waiting, (event.timestamp, event.seq, event))
        else:
            self._effect(event)
        builder.end_step(self.now, event.seq, k.BY_EVENT)

    def batch(self, events: EventBatch) -> k.Batch:
        """A whole batch of the log. Events that only add to streams do not pass through :meth:`event`."""
        merges = by_place(events.merges)
        named: dict[int, list[tuple[str, int]]] = {}
        for place, name, row in events.aliases:
            named.setdefault(place, []).append((name, row))
        received = ints(events.received, np.int64)
        ahead = ints(events.timestamps, np.int64) > received
        if ahead.any() or (len(received) and self.falls_due(int(received.max()))):
            for index in range(len(events)):
                self.event(events.event(index), merges.get(index, ()), named.get(index, ()))
            return self.take_batch()
        special = {*merges, *named}
        if self.awaited:
            special.update(place for place, _, profile_id in events.created if profile_id in self.awaited)
        begun = np.array([place for place, _, _ in events.created if place not in special], np.int64)
        begun = begun[~_GIVES[codes(events.types, TYPES, np.uint8)[begun]]]
        rows = ints(events.rows, np.int32)[begun]
        if len(rows):
            self._reserve(int(rows.max()) + 1)
            self.known[rows] = True
        plain = self._plain(events, special, merges, named)
        now = np.maximum(np.maximum.accumulate(ints(events.received, np.int64)), self.now_before)
        return assembled(events.first_seq + begun, rows, now[begun], plain, self.take_batch())

    def _plain(
        self,
        events: EventBatch,
        special: set[int],
        merges: Mapping[int, list[tuple[int, int]]],
        named: Mapping[int, list[tuple[str, int]]],
    ) -> list[Arrays]:
        """The plain events by code; the others are shown to :meth:`event` on the way."""
        self.now_before = self.now
        now = np.maximum(np.maximum.accumulate(ints(events.received, np.int64)), self.now)
        kinds = codes(events.types, TYPES, np.uint8)
        slow = _GIVES[kinds]
        slow[list(special)] = True
        for index in np.flatnonzero(slow).tolist():
            self.now = int(now[index])
            self.event(events.event(index), merges.get(index, ()), named.get(index, ()))
        self.now = max(self.now, int(now[-1])) if len(now) else self.now
        numbers = self.numbering.numbers(kinds, picked(events.names))
        numbers[slow] = NOT_ASKED
        return [
            self._of_code(events, code, np.flatnonzero(numbers == code.number), now)
            for code in map(self.compiled.codes.all.__getitem__, np.unique(numbers[numbers >= 0]).tolist())
        ]

    def _of_code(self, events: EventBatch, code: Code, places: k.Ints, now: k.Ints) -> Arrays:
        """The events at some places, which are all of one code."""
        return {
            "seq": events.first_seq + places,
            "row": ints(events.rows, np.int32)[places],
            "timestamp": ints(events.timestamps, np.int64)[places],
            "now": now[places],
            "code": code.number,
            "slots": self._slot_reader(code).read(events, places),
        }

    def _slot_reader(self, code: Code) -> SlotReader:
        found = self.slot_readers.get(code.number)
        if found is None:
            found = self.slot_readers[code.number] = SlotReader(code)
        return found

    def knows(self, row: int) -> bool:
        """Whether the profile has begun."""
        return row < len(self.known) and bool(self.known[row])

    def _is_there(self, row: int) -> bool:
        """Whether the profile has begun; of who was forgotten the log does not tell it any more."""
        return self.knows(row) and self.current(row) >= 0

    def _know(self, row: int) -> None:
        self._reserve(row + 1)
        self.known[row] = True

    def _reserve(self, rows: int) -> None:
        if rows > len(self.known):
            grown = np.zeros(max(rows, 2 * len(self.known)), np.bool_)
            grown[: len(self.known)] = self.known
            self.known = grown

    def first_seen(self, rows: k.Ints32) -> npt.NDArray[np.bool_]:
        """Which of these events begin a profile: the first of each row that is not there yet."""
        first = np.zeros(len(rows), np.bool_)
        if len(rows):
            self._reserve(int(rows.max()) + 1)
            fresh = np.flatnonzero(~self.known[rows])
            _, places = np.unique(rows[fresh], return_index=True)
            first[fresh[places]] = True
            self.known[rows] = True
        return first

    def reached(self, now: int) -> None:
        """Engine time is ``now``; nothing was waiting for it."""
        self.now = max(self.now, now)

    @property
    def asks_what_is_given(self) -> bool:
        """Whether traits and accounts must be taken note of."""
        return not self.fleeting or bool(self.user_columns or self.account_columns)

    @property
    def awaits_profiles(self) -> bool:
        """Whether people decided about ids that have no profile yet."""
        return bool(self.awaited)

    def is_awaited(self, row: int) -> bool:
        """Whether they did about this one."""
        return self.profile_id(row) in self.awaited

    def _arrived(self, name: str, row: int) -> None:
        awaited = self.awaited.pop(name, None)
        if awaited is not None:
            for listed in sorted(awaited.lists):
                self._list_member(row, listed, True)
            for segment, override in awaited.overrides.items():
                self._override(row, segment, override)
            for model, word in awaited.words.items():
                self._replace(row, model, word)

    def advance(self, until: int) -> None:
        """Time reaches ``until``: what waited for it takes effect."""
        self._release(until)
        self.now = max(self.now, until)

    def next_due(self) -> int | None:
        """When the next waiting event takes effect, or a person's word about a score may end."""
        ending = self.predictions.next_ending()
        if not self.waiting:
            return ending
        return self.waiting[0][0] if ending is None else min(self.waiting[0][0], ending)

    def falls_due(self, until: int) -> bool:
        """Whether anything waits for a moment up to ``until``, in ms."""
        due = self.next_due()
        return due is not None and due <= until

    def _release(self, until: int) -> None:
        while (moment := self.next_due()) is not None and moment <= until:
            self.now = max(self.now, moment)
            seq = -1
            if moment == self.predictions.next_ending():
                ended = self.predictions.ended()
                if ended is not None:
                    self._set_score(*ended)
            else:
                _, seq, event = heapq.heappop(self.waiting)
                self._effect(event)
            self.builder.end_step(moment, seq, k.BY_TIME, joint=True)

    def _effect(self, event: Event) -> None:
        row = self.current(event.row)
        if row < 0:
            return
        code = self.compiled.codes.find(event.type, event.name)
        if code.links:
            base = len(self.builder.slots)
            seen = event.traits if event.type in ("identify", "group") else event.properties
            self.builder.slots += read_slots(code, seen, event.context)
            self.builder.add(k.OP_EVENT, row, code.number, base, event.timestamp, event.seq)
        if event.type == "identify":
            if event.traits:
                self._identified(row, event)
        elif event.type == "group":
            self._grouped(row, event)

    def current(self, row: int) -> int:
        """The row that a row's events now count for; -1 when it was forgotten."""
        while row in self.survivor:
            row = self.survivor[row]
        return row

    # ---- what is given from outside ----------------------------------------------------------

    def _identified(self, row: int, event: Event) -> None:
        changed = self.traits.write(row, event.traits, event.timestamp, event.seq)
        if changed:
            self._set_traits(row, self.user_columns, self.traits.of(row), changed)

    def _grouped(self, row: int, event: Event) -> None:
        assert event.group_id is not None
        changed = self.accounts.write(event.group_id, event.traits, event.timestamp, event.seq)
        moved = self.accounts.join(row, event.group_id, event.timestamp, event.seq)
        if not self.account_columns:
            return
        held = self.accounts.traits_of(event.group_id)
        if changed:
            for member in sorted(self.accounts.members(event.group_id)):
                self._set_traits(member, self.account_columns, held, changed)
        if moved:
            self._set_traits(row, self.account_columns, held, None)

    def _set_traits(
        self,
        row: int,
        columns: Mapping[str, list[Given]],
        traits: Mapping[str, Json],
        keys: Iterable[str] | None,
    ) -> None:
        for key in columns if keys is None else keys:
            for given in columns.get(key, ()):
                self.builder.add(k.OP_SET, row, given.feature, value=given.reader(walk(traits, given.path)))

    def listed(self, who: str, row: int | None, name: str, on: bool) -> None:
        """Someone is put on a list or taken off; ``row`` None when there is no such profile yet."""
        if row is not None:
            if self._is_there(row):
                self._list_member(row, name, on)
            return
        held = self.awaited.setdefault(who, Awaited()).lists
        (held.add if on else held.discard)(name)

    def overridden(self, who: str, row: int | None, segment: str, override: Override | None) -> None:
        """A person's word against a condition is given or taken back."""
        if row is not None:
            if self._is_there(row):
                self._override(row, segment, override)
            return
        held = self.awaited.setdefault(who, Awaited()).overrides
        held.pop(segment, None)
        if override is not None:
            held[segment] = override

    def replaced(self, who: str, row: int | None, model: Model, word: Replacement | None) -> None:
        """A person's word in the place of what a model says is given or taken back."""
        if row is not None:
            if self._is_there(row):
                self._replace(row, model, word)
            return
        held = self.awaited.setdefault(who, Awaited()).words
        held.pop(model, None)
        if word is not None:
            held[model] = word
            self.predictions.expect(word)

    def end_record(self, seq: int, cause: int) -> None:
        """What was collected since is the step of one record."""
        self.builder.end_step(self.now, seq, cause)

    def _list_member(self, row: int, name: str, on: bool) -> None:
        row = self.current(row)
        held = self.lists.setdefault(row, set())
        (held.add if on else held.discard)(name)
        self._set_list(row, name)

    def _set_list(self, row: int, name: str) -> None:
        feature = self.list_columns.get(name)
        if feature is not None:
            self.builder.add(k.OP_SET, row, feature, value=int(name in self.lists.get(row, ())))

    def _override(self, row: int, segment: str, override: Override | None) -> None:
        row = self.current(row)
        held = self.overrides.setdefault(row, {})
        held.pop(segment, None)
        if override is not None:
            held[segment] = override
        self._set_override(row, segment)

    def predicted(self, said: Said) -> None:
        """What a model says of profiles from now on. Who became part of another has no say in the other's."""
        columns = self.model_columns[said.gives].get(said.model, ())
        if self.fleeting and not columns:
            return
        said = said.chosen(self._standing(said.rows))
        self.predictions.write(said)
        heard = without(said, self.predictions.spoken_for(said.key))
        for given in columns:
            self.builder.add_values(heard.rows, given.feature, read_all(given, heard))

    def _standing(self, rows: k.Ints32) -> npt.NDArray[np.bool_]:
        """Which rows are profiles of their own."""
        self._reserve(int(rows.max(initial=-1)) + 1)
        found: npt.NDArray[np.bool_] = self.known[rows]
        if self.survivor:
            found &= np.array([row not in self.survivor for row in rows.tolist()], np.bool_)
        return found

    def _replace(self, row: int, model: Model, word: Replacement | None) -> None:
        row = self.current(row)
        self.predictions.replace(row, model, word, self.now)
        self._set_score(row, model)

    def _set_score(self, row: int, model: Model) -> None:
        """Have the columns hold what is read of a model now."""
        for given in self.model_columns[model[0]].get(model[1], ()):
            value = given.reader(self.predictions.heard(model, row))
            self.builder.add(k.OP_SET, row, given.feature, value=value)

    def decided(self, row: int) -> Mapping[str, Override]:
        """The overrides in force for a profile, by segment: who is suppressed is out of everything."""
        if row in self.suppressed:
            return dict.fromkeys(self.numbers, SUPPRESSED)
        return self.overrides.get(row, {})

    def suppress(self, rows: Iterable[int], on: bool) -> None:
        """No segment is to see these profiles, or each is again."""
        for row in rows:
            if not (self.knows(row) and self.current(row) == row):
                continue
            (self.suppressed.add if on else self.suppressed.discard)(row)
            for segment in sorted(self.numbers):
                self._set_override(row, segment)

    def _set_override(self, row: int, segment: str) -> None:
        number = self.numbers.get(segment)
        if number is None:
            return
        override = self.decided(row).get(segment)
        if override is None or not override.stands(self.now):
            self.builder.add(k.OP_OVERRIDE, row, number)
        else:
            until = FOREVER if override.until is None else min(override.until, FOREVER)
            self.builder.add(k.OP_OVERRIDE, row, number, 1 if override.member else 2, until)

    def merge(self, absorbed: int, survivor: int) -> None:
        """One profile becomes part of another."""
        self.survivor[absorbed] = survivor
        self.suppressed.discard(absorbed)
        if not (self.knows(absorbed) and self.knows(survivor)):
            return
        self.builder.add(k.OP_MERGE, absorbed, survivor)
        self.traits.merge(absorbed, survivor)
        self.accounts.merge(absorbed, survivor)
        words = self.predictions.forget(absorbed)
        self._set_traits(survivor, self.user_columns, self.traits.of(survivor), None)
        account = self.accounts.account_of(survivor)
        if account is not None:
            self._set_traits(survivor, self.account_columns, self.accounts.traits_of(account), None)
        names = self.lists.pop(absorbed, set())
        self.lists.setdefault(survivor, set()).update(names)
        for name in sorted(names):
            self._set_list(survivor, name)
        ours = self.overrides.get(survivor, {})
        for segment, override in self.overrides.pop(absorbed, {}).items():
            if segment not in ours or not ours[segment].stands(self.now):
                self._override(survivor, segment, override)
        for model, word in words.items():
            if model not in self.predictions.words_of(survivor):
                self._replace(survivor, model, word)

    def forget(
        self, rows: Iterable[int], at: int, seq: int, accounts: Mapping[str, dict[str, Dated]] = _NO_ACCOUNTS
    ) -> None:
        """Profiles are erased; ``accounts`` are the traits left of those for which they spoke."""
        self._release(at)
        self.now = max(self.now, at)
        for row in rows:
            self.survivor[row] = -1
            self.traits.forget(row)
            self.accounts.forget(row)
            self.predictions.forget(row)
            self.lists.pop(row, None)
            self.overrides.pop(row, None)
            self.suppressed.discard(row)
            # When the log is read again, nothing is left in it that would have begun the profile.
            if self.knows(row):
                self.builder.add(k.OP_FORGET, row)
        for account, held in accounts.items():
            changed = self.accounts.give(account, held)
            for member in sorted(self.accounts.members(account)):
                self._set_traits(member, self.account_columns, self.accounts.traits_of(account), changed)
        self.waiting = [entry for entry in self.waiting if self.current(entry[2].row) >= 0]
        heapq.heapify(self.waiting)
        self.builder.end_step(self.now, seq, k.BY_FORGET)


def by_place(merges: Iterable[tuple[int, int, int]]) -> dict[int, list[tuple[int, int]]]:
    """(absorbed, surviving) rows by the place of their event."""
    found: dict[int, list[tuple[int, int]]] = {}
    for place, absorbed, survivor in merges:
        found.setdefault(place, []).append((absorbed, survivor))
    return found
