"""One profile as readers see it now, kept in memory for as long as nothing of it changes.

Whether anything changed is told by the columns themselves: comparing them costs a tenth of reading
values out of them. So an event of one user leaves the answers about all others as they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from segue.domain.event import Json
from segue.domain.limits import PROFILES_KEPT_MAX
from segue.engine.compile import Compiled
from segue.engine.engine import Engine
from segue.engine.kernel import layout as k
from segue.engine.shown import Reader
from segue.service.core import Core
from segue.service.views import Membership, UserView

State = tuple[object, ...]
"""All that an answer is made of; equal states give equal answers."""


@dataclass(slots=True, eq=False)
class Look:
    """A profile as it stands. It is the same object while nothing that is shown of it has changed.

    ``made`` is for whoever turns it into answers: what was made of it is good for as long as it is.
    """

    row: int
    view: UserView
    made: dict[Hashable, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Kept:
    """A look with the log position at which it was last found to be right."""

    look: Look
    state: State
    compiled: Compiled
    seq: int


class Profiles:
    """Looks at profiles. The turn of the core must be held, except for :meth:`fresh`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._kept: dict[int, _Kept] = {}

    def fresh(self, user_id: str) -> Look | None:
        """A look that is known to be right without asking the engine; None when it has to be asked."""
        row = self._core.intake.identity.row_of(user_id)
        engine = self._core.engine
        if row is None or row in engine.feed.suppressed:
            return None
        kept = self._kept.get(row)
        if kept is None or kept.seq != engine.evaluated_seq or kept.compiled is not engine.compiled:
            return None
        return kept.look

    def look(self, user_id: str) -> Look | None:
        """The profile that an id leads to; None for one never heard of, or suppressed."""
        row = self._core.intake.identity.row_of(user_id)
        return None if row in self._core.engine.feed.suppressed else self.held(user_id)

    def held(self, user_id: str) -> Look | None:
        """The same for a suppressed one too: what is held of them."""
        row = self._core.intake.identity.row_of(user_id)
        engine = self._core.engine
        if row is None or not engine.feed.knows(row):
            return None
        kept = self._kept.get(row)
        state = _state_of(engine, row)
        if kept is not None and kept.compiled is engine.compiled and kept.state == state:
            kept.seq = engine.evaluated_seq
            return kept.look
        look = Look(row, self._view(engine, row))
        if kept is not None and _shown(kept.look.view) == _shown(look.view):
            look = kept.look
        self._keep(row, _Kept(look, state, engine.compiled, engine.evaluated_seq))
        return look

    def _keep(self, row: int, kept: _Kept) -> None:
        if len(self._kept) >= PROFILES_KEPT_MAX and row not in self._kept:
            del self._kept[next(iter(self._kept))]
        self._kept[row] = kept

    def _view(self, engine: Engine, row: int) -> UserView:
        traits = engine.feed.traits.of(row)
        return UserView(
            self._core.intake.identity.user_id(row),
            known=True,
            segments=[Membership(name, since) for name, since in engine.memberships(row)],
            traits={key: value for key, value in traits.items() if value is not None},
            features=self._features(engine, row, traits),
            version=engine.evaluated_seq,
        )

    def _features(self, engine: Engine, row: int, traits: Mapping[str, Json]) -> dict[str, Json]:
        """The values of the named features, without those that are missing or that only the log tells."""
        compiled, cells = engine.compiled, engine.machine.state.columns[row].tolist()
        reader = Reader(compiled.registry.feature_keys, engine.machine.placement.features, cells, engine.now)
        account = _account(engine, row)
        found = {}
        for name, shown in compiled.shown.items():
            value = None if shown.in_log else reader.value(shown, traits, account)
            if value is not None:
                found[name] = value
        return found


def _account(engine: Engine, row: int) -> dict[str, Json]:
    accounts = engine.feed.accounts
    name = accounts.account_of(row)
    return {} if name is None else accounts.traits_of(name)


def _state_of(engine: Engine, row: int) -> State:
    held = engine.machine.state
    if row >= engine.machine.rows:
        return (row, engine.evaluated_seq)
    home, count = held.since_homes[row].tolist()
    first = home * k.SINCE_UNIT
    moving = any(shown.direction for shown in engine.compiled.shown.values())
    return (
        held.columns[row].tobytes(),
        held.since_at[first : first + count].tobytes(),
        held.since_segment[first : first + count].tobytes(),
        engine.feed.traits.of(row),
        _account(engine, row),
        engine.now if moving else 0,
    )


def _shown(view: UserView) -> tuple[object, ...]:
    return (view.user_id, view.segments, view.traits, view.features)
