"""Changes of items that triggers wait for: whom each matters to, and that they are told of it once.

The trigger's condition, with the item's values written in, is a condition like any other, and means what a
segment of that text would mean. What hangs on events with the item alone is looked up for all items of a
round in one reading of the log, and judged by the plain meaning; for what is asked besides, the log is shown
to an engine that knows it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice

import numpy as np
import numpy.typing as npt

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.domain.number import micro, micro_of
from segue.engine.program.compile import compile_definitions
from segue.experiences.recommend.apart import Anchor, Apart, Word, apart, word_of
from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.catalogue.store import Catalogue, ItemChange
from segue.experiences.recommend.meetings import Wanted, meetings
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Person, Rules, holds, needed
from segue.language.tree import Condition
from segue.language.walk import references
from segue.segments.triggers.definition import TriggerDefinition
from segue.segments.triggers.on import OnItem
from segue.segments.workspace import Workspace
from segue.service.core import Core
from segue.service.program import definitions_of, rules_of

_WHOLE = re.compile(r"0|[1-9]\d{0,11}", re.ASCII)
_log = logging.getLogger("segue.recommend")

CONDITIONS_AT_ONCE = 200
"""That one showing of the log to an engine answers."""
CHANGES_AT_ONCE = 2_000
"""That one reading of the log answers, where it is looked up who met the items."""
FIRINGS_AT_ONCE = 20_000
FIRST = -(2**63) + 1
"""A moment (ms) before all others."""
Rows = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A change that a trigger waits for, and the condition on those whom it matters to."""

    trigger: str
    at: int
    detail: Json
    condition: Condition
    word: Word | None

    def taken_apart(self, now: int, rules: Rules) -> Apart | None:
        """The condition, if it holds of nobody who never met the item."""
        return None if self.word is None else apart(self.condition, self.word, now, rules)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What answers hold for: the log position, the time (ms), whom each row belongs to, who is not told."""

    upto: int
    now: int
    survivors: Rows
    hushed: Rows


class Mattering:
    """Works off the versions of a catalogue, each once. One thread at a time."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def work(self, catalogue: Catalogue) -> int:
        """Fire for every change since the last call; how many firings there were.

        What the catalogue was before the first call is nobody's news. The moment of a firing is that of
        the change, so that one that is stored again after a crash is the same firing.
        """
        told, version = catalogue.told, catalogue.version
        if told == version:
            return 0
        workspace = self._core.workspace
        waiting = [] if told is None or workspace is None else list(_waiting(workspace))
        count = 0
        if waiting and workspace is not None and told is not None:
            asked = list(_asked(workspace, waiting, catalogue.changes(told)))
            for start in range(0, len(asked), CHANGES_AT_ONCE):
                count += self._fire(workspace, asked[start : start + CHANGES_AT_ONCE])
        catalogue.tell(version)
        return count

    def _fire(self, workspace: Workspace, asked: Sequence[_Asked]) -> int:
        rows = self._meeting(workspace, asked)
        fired = (
            (each.trigger, row, self._moment(each.at), each.detail)
            for each, found in zip(asked, rows, strict=True)
            for row in found.tolist()
        )
        count = 0
        while some := list(islice(fired, FIRINGS_AT_ONCE)):
            self._core.firing.fire_changed(some)
            count += len(some)
        return count

    def _moment(self, at: int) -> int:
        """By the engine's clock; where that is the log's, the command's wall clock says nothing."""
        return at if self._core.clock == "wall" else self._core.engine.now

    def _meeting(self, workspace: Workspace, asked: Sequence[_Asked]) -> list[Rows]:
        """The rows of those who meet each condition now, without the suppressed."""
        moment, rules = self._now(), rules_of(workspace)
        taken = [
            None if each.word is None else apart(each.condition, each.word, moment.now, rules)
            for each in asked
        ]
        near = self._near([each for each in taken if each is not None], moment, rules)
        besides = [
            each.condition if part is None else part.rest for each, part in zip(asked, taken, strict=True)
        ]
        rest = self._besides(workspace, [each for each in dict.fromkeys(besides) if each is not None], moment)
        found = []
        for part, condition in zip(taken, besides, strict=True):
            sides = [] if part is None else [near[part]]
            sides += [] if condition is None else [rest[condition]]
            found.append(np.setdiff1d(reduce(np.intersect1d, sides), moment.hushed))
        return found

    def _now(self) -> _Moment:
        core = self._core
        with core.turn:
            upto, now = core.engine.evaluated_seq, core.engine.now
            hushed = np.array(sorted(core.engine.feed.suppressed), np.int32)
        return _Moment(upto, now, np.array(core.intake.identity.into, np.int32), hushed)

    def _near(self, parts: Sequence[Apart], moment: _Moment, rules: Rules) -> dict[Apart, Rows]:
        """Who meets what hangs on events with the item alone."""
        found: dict[Apart, list[int]] = {each: [] for each in parts}
        by_word: dict[Word, list[tuple[Condition, list[int]]]] = {}
        for each, rows in found.items():
            by_word.setdefault(each.word, []).append((each.near, rows))
        if parts:
            wanted = _wanted(parts, moment.now)
            for word, row, events in meetings(self._core.log, moment.upto, wanted, moment.survivors):
                person = Person(events)
                for near, rows in by_word[word]:
                    if holds(near, person, moment.now, rules):
                        rows.append(row)
        return {each: np.array(rows, np.int32) for each, rows in found.items()}

    def _besides(
        self, workspace: Workspace, conditions: Sequence[Condition], moment: _Moment
    ) -> dict[Condition, Rows]:
        """Who meets each condition, by showing an engine the log."""
        found: dict[Condition, Rows] = {}
        for start in range(0, len(conditions), CONDITIONS_AT_ONCE):
            found |= self._shown(workspace, conditions[start : start + CONDITIONS_AT_ONCE], moment)
        return found

    def _shown(
        self, workspace: Workspace, conditions: Sequence[Condition], moment: _Moment
    ) -> dict[Condition, Rows]:
        names = [f"(item):{number}" for number in range(len(conditions))]
        segments = sorted({name for each in conditions for name in references(each).segments})
        program = compile_definitions(
            (*needed(definitions_of(workspace), segments), *map(Definition, names, conditions)),
            rules_of(workspace),
        )
        engine = self._core.engine.replayed(program, moment.upto, until=moment.now, fleeting=True)
        return {
            # Who was joined to another profile since then is looked for under that.
            condition: np.unique(moment.survivors[engine.rows_in(name)])
            for name, condition in zip(names, conditions, strict=True)
        }


def _wanted(parts: Sequence[Apart], now: int) -> Wanted:
    """What to look for, for all parts together."""
    words: dict[Anchor, set[Word]] = {}
    for each in parts:
        for anchor in each.anchors:
            words.setdefault(anchor, set()).add(each.word)
    reaches = [each.reach for each in parts]
    known = [reach for reach in reaches if reach is not None]
    since = now - max(known) if len(known) == len(reaches) else FIRST
    return Wanted(
        {anchor: frozenset(each) for anchor, each in words.items()}, since, any(each.whole for each in parts)
    )


def _waiting(workspace: Workspace) -> Iterator[tuple[TriggerDefinition, OnItem]]:
    """The live triggers that wait for changes of items."""
    for trigger in workspace.triggers.values():
        form = trigger.form if trigger.live else None
        if isinstance(form, OnItem):
            yield trigger, form


def _asked(
    workspace: Workspace, waiting: Sequence[tuple[TriggerDefinition, OnItem]], changes: Iterable[ItemChange]
) -> Iterator[_Asked]:
    for change in changes:
        if change.before is None or change.after is None:
            continue
        for trigger, form in waiting:
            before, after = number_of(change.before, form.field), number_of(change.after, form.field)
            if before is None or after is None or not meets(form, before, after):
                continue
            condition = _condition(workspace, trigger, form, change.after)
            if condition is None:
                continue
            detail = {"id": change.id, "field": form.field, "before": before / 1e6, "after": after / 1e6}
            word = word_of(values_of_item(change.after)["id"])
            yield _Asked(trigger.name, change.at, detail, condition, word)


def _condition(
    workspace: Workspace, trigger: TriggerDefinition, form: OnItem, item: Item
) -> Condition | None:
    """The trigger's condition on people for one item; None for an item whose values do not go into it."""
    try:
        return check_condition(form.condition_for(values_of_item(item)), workspace.scope)
    except SegueError as refused:
        _log.warning("the trigger %s passes over the item %r: %s", trigger.name, item.id, refused)
        return None


def number_of(item: Item, field: str) -> int | None:
    """A number of an item in millionths: its price, or an attribute that is one."""
    return item.price if field == "price" else micro_of(item.attributes.get(field))


def values_of_item(item: Item) -> dict[str, Json]:
    """What ``item.…`` stands for in a condition: the item's own values, and its attributes by their names.

    An id of digits is a number there: compared with one, a text that holds it counts too, so that it is
    found in events whichever way a shop sends it.
    """
    values = {**item.attributes, **item.to_json()}
    return values | {"id": int(item.id)} if _WHOLE.fullmatch(item.id) else values


def meets(form: OnItem, before: int, after: int) -> bool:
    """Whether a change is as large as is waited for, in whole millionths: 10 % of 19.99 is 1.999."""
    moved = before - after if form.falls else after - before
    by = micro(form.by)
    if moved <= 0 or by is None:
        return False
    return moved * 100_000_000 >= abs(before) * by if form.is_share else moved >= by
