"""One profile as readers see it now, kept in memory for as long as nothing of it changes.

Whether anything changed is told by the columns themselves: comparing them costs a tenth of reading
values out of them. So an event of one user leaves the answers about all others as they are. What is
kept is bytes: twenty thousand profiles as objects would hold up the garbage collector, and with it
every answer.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from segue.domain.event import Json
from segue.domain.limits import PROFILES_KEPT_MAX
from segue.domain.watch import is_watch
from segue.engine.engine import Engine
from segue.engine.kernel import layout as k
from segue.engine.program.compile import Compiled
from segue.engine.program.shown import Reader
from segue.learned.percentiles import Percentiles
from segue.log.said import SCORE
from segue.service.core import Core
from segue.service.views import Membership, UserView


@dataclass(slots=True, eq=False)
class Look:
    """A profile as it stands. It is the same object while nothing that is shown of it has changed.

    ``text`` is the contract's JSON without the version, ``since`` (ms) when each segment in it was entered.
    ``made`` is for whoever turns it into answers: what was made of it is good for as long as it is.
    ``state`` is all that it was read from, found to be so at the log position ``seq``.
    """

    row: int
    user_id: str
    version: int
    since: array[int]
    text: bytes
    state: bytes
    compiled: Compiled
    seq: int
    made: dict[Hashable, Any] | None = None

    @property
    def view(self) -> UserView:
        """The same as a record."""
        found = json.loads(self.text)
        attributes = found["attributes"]
        segments = [
            Membership(each["name"], at) for each, at in zip(found["segments"], self.since, strict=True)
        ]
        traits, features, scores = (attributes[kind] for kind in ("traits", "features", "scores"))
        percentiles = attributes.get("percentiles", {})
        return UserView(self.user_id, True, segments, traits, features, self.version, scores, percentiles)


class Profiles:
    """Looks at profiles. They wait for the engine's turn, :meth:`fresh` excepted."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._kept: dict[int, Look] = {}
        self._percentiles = Percentiles(core.log.folder)
        core.forget_listeners.append(self.drop)

    def drop(self, rows: Iterable[int]) -> None:
        """Keep nothing of these profiles."""
        for row in rows:
            self._kept.pop(row, None)

    def fresh(self, user_id: str) -> Look | None:
        """A look that is known to be right without asking the engine; None when it has to be asked."""
        row = self._core.intake.identity.row_of(user_id)
        engine = self._core.engine
        if row is None or row in engine.feed.suppressed:
            return None
        kept = self._kept.get(row)
        if kept is None or kept.seq != engine.evaluated_seq or kept.compiled is not engine.compiled:
            return None
        return kept

    def look(self, user_id: str) -> Look | None:
        """The profile that an id leads to; None for one never heard of, or suppressed."""
        with self._core.turn:
            row = self._core.intake.identity.row_of(user_id)
            return None if row in self._core.engine.feed.suppressed else self.held(user_id)

    def view(self, user_id: str) -> UserView:
        """What is known of the profile that an id leads to; nothing is kept of one not looked at before."""
        with self._core.turn:
            row = self._core.intake.identity.row_of(user_id)
            engine = self._core.engine
            if row is None or row in engine.feed.suppressed or not engine.feed.knows(row):
                return UserView(user_id, known=False)
            if row in self._kept:
                return self._held(engine, row).view
            own = self._core.intake.identity.user_id(row)
            return _view(engine, row, own, engine.memberships(row), self._ranked(engine, row))

    def held(self, user_id: str) -> Look | None:
        """The look at a suppressed one too: what is held of them."""
        with self._core.turn:
            row = self._core.intake.identity.row_of(user_id)
            engine = self._core.engine
            return self._held(engine, row) if row is not None and engine.feed.knows(row) else None

    def _held(self, engine: Engine, row: int) -> Look:
        kept = self._kept.get(row)
        ranked = self._ranked(engine, row)
        state = _state_of(engine, row, ranked)
        if kept is None or kept.compiled is not engine.compiled or kept.state != state:
            kept = self._looked_anew(engine, row, state, ranked, kept)
        kept.state, kept.compiled, kept.seq = state, engine.compiled, engine.evaluated_seq
        return kept

    def _ranked(self, engine: Engine, row: int) -> dict[str, int]:
        """The percentile of each score, by the version that spoke last; of an override too."""
        said, found = engine.feed.predictions, {}
        for (gives, name), value in sorted(said.of(row).items()):
            number = said.version((gives, name)) if gives == SCORE else None
            place = None if number is None else self._percentiles.of(name, number, value)
            if place is not None:
                found[name] = place
        return found

    def _looked_anew(
        self, engine: Engine, row: int, state: bytes, ranked: Mapping[str, int], before: Look | None
    ) -> Look:
        own = self._core.intake.identity.user_id(row)
        segments = engine.memberships(row)
        content = _view(engine, row, own, segments, ranked).to_json()
        del content["version"]
        text = _text(content)
        if before is not None and before.text == text:
            return before
        seq = engine.evaluated_seq
        since = array("q", [at for _, at in segments])
        found = Look(row, own, seq, since, text, state, engine.compiled, seq)
        if before is None and len(self._kept) >= PROFILES_KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[row] = found
        return found


def _view(
    engine: Engine, row: int, own: str, segments: list[tuple[str, int]], ranked: Mapping[str, int]
) -> UserView:
    traits = engine.feed.traits.of(row)
    return UserView(
        own,
        known=True,
        segments=[Membership(name, since) for name, since in segments],
        traits={key: value for key, value in traits.items() if value is not None},
        features=_features(engine, row, traits),
        version=engine.evaluated_seq,
        scores=_scores(engine, row),
        percentiles=ranked,
    )


def _features(engine: Engine, row: int, traits: Mapping[str, Json]) -> dict[str, Json]:
    """The values of the named features, without those that are missing or that only the log tells."""
    compiled, cells = engine.compiled, engine.machine.state.columns[row].tolist()
    reader = Reader(compiled.registry.feature_keys, engine.machine.placement.features, cells, engine.now)
    account = _account(engine, row)
    found = {}
    for name, shown in compiled.shown.items():
        value = None if shown.in_log or is_watch(name) else reader.value(shown, traits, account)
        if value is not None:
            found[name] = value
    return found


def _scores(engine: Engine, row: int) -> dict[str, Json]:
    """What is read of each model, by its name; a model gives a score or a cluster, never both."""
    return {name: value for (_, name), value in sorted(engine.feed.predictions.of(row).items())}


def _account(engine: Engine, row: int) -> dict[str, Json]:
    accounts = engine.feed.accounts
    name = accounts.account_of(row)
    return {} if name is None else accounts.traits_of(name)


def _state_of(engine: Engine, row: int, ranked: Mapping[str, int]) -> bytes:
    """All that an answer is made of; equal states give equal answers. Its first part tells its lengths."""
    held = engine.machine.state
    if row >= engine.machine.rows:
        return b"%d" % engine.evaluated_seq
    home, count = held.since_homes[row].tolist()
    first = home * k.SINCE_UNIT
    moving = any(shown.direction for shown in engine.compiled.shown.values())
    parts = (
        held.columns[row].tobytes(),
        held.since_at[first : first + count].tobytes(),
        held.since_segment[first : first + count].tobytes(),
        _text(engine.feed.traits.of(row)),
        _text(_account(engine, row)),
        _text(_scores(engine, row)),
        _text(ranked),
    )
    lengths = b" ".join([b"%d" % len(part) for part in parts])
    return b"".join((lengths, b" %d;" % (engine.now if moving else 0), *parts))


_encode = msgspec.json.Encoder().encode


def _text(value: Json) -> bytes:
    """JSON of what events hold, integers beyond 64 bits and half characters included."""
    try:
        return _encode(value)
    except (OverflowError, UnicodeError, ValueError):
        return json.dumps(value, separators=(",", ":")).encode()
