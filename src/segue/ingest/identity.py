"""Who an event belongs to: user ids and anonymous ids become profile rows.

A profile has one id for life: its user id, or ``anon:`` and its anonymous id. Rows are numbered in
order of creation. Joining two profiles moves a whole row into another; nothing is ever torn apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segue.domain.ids import ANONYMOUS, FORGOTTEN
from segue.ingest.known import Known
from segue.log.batch import Alias, Created, Link, Merge
from segue.log.identity import Identity as Kept
from segue.log.lane.cuts import Places

Rows = NDArray[np.int32]

NEVER_AGAIN = 1 << 62
"""The moment of a forgetting that is never over: the user is suppressed."""
_BOUNDS_KEPT_MAX = 100_000


def anonymous_profile(anonymous_id: str) -> str:
    """The profile id of an anonymous id that belongs to nobody."""
    return ANONYMOUS + anonymous_id


def leaving(profile_id: str) -> str:
    """What is kept of a forgotten id: enough to know it again, not enough to read it."""
    return hashlib.sha256(profile_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(slots=True)
class Discoveries:
    """What a batch taught about identity; ``index`` is the event's place in the batch."""

    created: list[Created] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    seen_before: list[int | None] = field(default_factory=list)
    """Beside ``links``: the row that the anonymous id was seen with until then."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What the log keeps of one: events from before ``at`` (ms) are refused for the ids in ``left``.

    ``unseen`` are those of the anonymous ids that were last seen with the forgotten; both are
    :func:`leaving`s.
    """

    seq: int
    at: int
    left: list[str]
    unseen: list[str]


class Identity:
    """The resolver: a function of the events shown to it, in their order.

    ``rows`` gives a row for every profile id ever used, ``seen`` the row an anonymous id was last
    seen with (none while it is only its own profile), ``into`` the survivor of each row (always the
    last one, never a chain). They are
    open for reading so that the batch path need not pay for a call per event.
    """

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.seen: dict[str, int] = {}
        self.into: list[int] = []
        self.ids: list[str] = []
        self.forgotten: dict[str, int] = {}
        self.suppressed: set[str] = set()
        """The :func:`leaving`s of the suppressed."""
        self._suppressions: list[frozenset[str]] = []
        self._bounds: dict[str, int] = {}
        self._absorbed: dict[int, list[int]] = {}
        self._known = Known()

    # ---- reading -----------------------------------------------------------------------------

    def row_of(self, profile_id: str) -> int | None:
        """The row of the profile that this id leads to now; None for one never heard of."""
        row = self.rows.get(profile_id)
        return None if row is None else self.into[row]

    def user_id(self, row: int) -> str:
        """The profile id of a row, as given when it was created."""
        return self.ids[row]

    def survivor(self, row: int) -> int:
        """The row that holds this row's events now."""
        return self.into[row]

    def nobodys(self, row: int) -> bool:
        """Whether the profile is still anonymous."""
        return self.ids[self.into[row]].startswith(ANONYMOUS)

    def __len__(self) -> int:
        return len(self.ids)

    # ---- events ------------------------------------------------------------------------------

    def resolve(
        self, user: str | None, anonymous: str | None, previous: str | None, index: int, found: Discoveries
    ) -> int:
        """The row of one event, written into ``found`` as far as it was news.

        ``previous`` is given for alias alone. One of ``user`` and ``anonymous`` is not None.
        """
        if user is None:
            assert anonymous is not None
            return self._row_of_visitor(anonymous, index, found)
        row = self._row_of_user(user, index, found)
        if anonymous is not None:
            self._attach(anonymous, row, index, found)
        if previous is not None and previous != user:
            self._alias(previous, row, index, found)
        return row

    def rows_of_users(self, text: bytes, starts: Places, stops: Places, found: Discoveries) -> Rows:
        """The row of each event of users alone, in order; nobody joins anybody then.

        Their ids stand between places of a padded text.
        """

        def ask(index: int) -> int:
            user = text[starts[index] : stops[index]].decode()
            row = self.rows.get(user)
            return self._create(user, index, found) if row is None else row

        rows = self._known.rows(np.frombuffer(text, np.uint8), starts, stops, ask)
        if not self._absorbed:
            return rows
        return np.fromiter(map(self.into.__getitem__, rows.tolist()), np.int32, len(rows))

    def _row_of_user(self, user: str, index: int, found: Discoveries) -> int:
        row = self.rows.get(user)
        return self._create(user, index, found) if row is None else self.into[row]

    def _row_of_visitor(self, anonymous: str, index: int, found: Discoveries) -> int:
        row = self._row_behind(anonymous)
        return self._create(anonymous_profile(anonymous), index, found) if row is None else row

    def _row_behind(self, anonymous: str) -> int | None:
        row = self.seen.get(anonymous)
        if row is None:
            row = self.rows.get(anonymous_profile(anonymous))
        return None if row is None else self.into[row]

    def _create(self, profile_id: str, index: int, found: Discoveries) -> int:
        row = len(self.ids)
        self.ids.append(profile_id)
        self.into.append(row)
        self.rows[profile_id] = row
        found.created.append((index, row, profile_id))
        return row

    def _attach(self, anonymous: str, row: int, index: int, found: Discoveries) -> None:
        """The anonymous id was seen with a user: its profile joins if it is nobody's."""
        known = self._row_behind(anonymous)
        if known == row:
            return
        if known is not None and self.nobodys(known):
            self._merge(known, row, index, found)
        found.seen_before.append(self.seen.get(anonymous))
        found.links.append((index, anonymous, row))
        self.seen[anonymous] = row

    def _alias(self, previous: str, row: int, index: int, found: Discoveries) -> None:
        known = self.rows.get(previous)
        if known is not None:
            self._merge(self.into[known], row, index, found)
            return
        if self._row_behind(previous) is None:
            self.rows[previous] = row
            found.aliases.append((index, previous, row))
        self._attach(previous, row, index, found)

    def _merge(self, absorbed: int, surviving: int, index: int, found: Discoveries) -> None:
        if absorbed == surviving:
            return
        self._join(absorbed, surviving)
        found.merges.append((index, absorbed, surviving))

    def _join(self, absorbed: int, surviving: int) -> None:
        moved = [absorbed, *self._absorbed.pop(absorbed, ())]
        for row in moved:
            self.into[row] = surviving
        self._absorbed.setdefault(surviving, []).extend(moved)

    # ---- taking back -------------------------------------------------------------------------

    def take_back(self, found: Discoveries) -> None:
        """Undo a batch that could not be made durable; nothing was resolved since."""
        self._known.clear()
        for _, absorbed, surviving in reversed(found.merges):
            self._part(absorbed, surviving)
        for (_, anonymous, _), before in zip(reversed(found.links), reversed(found.seen_before), strict=True):
            if before is None:
                del self.seen[anonymous]
            else:
                self.seen[anonymous] = before
        for _, previous, _ in found.aliases:
            del self.rows[previous]
        for _, _, profile_id in found.created:
            del self.rows[profile_id]
        if found.created:
            del self.ids[found.created[0][1] :], self.into[found.created[0][1] :]

    def _part(self, absorbed: int, surviving: int) -> None:
        held = self._absorbed[surviving]
        moved = held[held.index(absorbed) :]
        del held[-len(moved) :]
        if not held:
            del self._absorbed[surviving]
        if moved[1:]:
            self._absorbed[absorbed] = moved[1:]
        for row in moved:
            self.into[row] = absorbed

    # ---- forgetting --------------------------------------------------------------------------

    @property
    def bars(self) -> bool:
        """Whether anyone's events are refused."""
        return bool(self.forgotten or self.suppressed)

    def bound_of(self, profile_id: str) -> int:
        """The time (ms) before which events of this id are refused: 0, or NEVER_AGAIN for all of them."""
        found = self._bounds.get(profile_id)
        if found is None:
            if len(self._bounds) >= _BOUNDS_KEPT_MAX:
                self._bounds.clear()
            left = leaving(profile_id)
            found = NEVER_AGAIN if left in self.suppressed else self.forgotten.get(left, 0)
            self._bounds[profile_id] = found
        return found

    def suppresses(self, profile_id: str) -> bool:
        """Whether nothing of this id is to be stored."""
        return bool(self.suppressed) and self.bound_of(profile_id) == NEVER_AGAIN

    def suppress(self, left: Iterable[str]) -> None:
        """Refuse all that comes of the ids that left these :func:`leaving`s."""
        self._suppressions.append(frozenset(left))
        self._settle_bounds()

    def admit(self, left: str) -> None:
        """Take back every suppression that this :func:`leaving` is one of."""
        self._suppressions = [each for each in self._suppressions if left not in each]
        self._settle_bounds()

    def _settle_bounds(self) -> None:
        self.suppressed = set().union(*self._suppressions)
        self._bounds.clear()

    def rows_of(self, row: int) -> set[int]:
        """All rows whose events are this profile's."""
        whole = self.into[row]
        return {whole, *self._absorbed.get(whole, ())}

    def names_of(self, row: int) -> list[str]:
        """Every id that leads to the profile of this row: profile ids, aliases, ``anon:`` ids."""
        whole = self.into[row]
        names = [name for name, at in self.rows.items() if self.into[at] == whole]
        return list(dict.fromkeys([*names, *map(anonymous_profile, self._visitors_of(whole))]))

    def _visitors_of(self, whole: int) -> list[str]:
        return [name for name, at in self.seen.items() if self.into[at] == whole]

    def forgetting(self, row: int, seq: int, at: int) -> Forgetting:
        """What the log is to keep of a forgetting; nothing is lost by asking."""
        whole = self.into[row]
        visitors = [leaving(anonymous_profile(name)) for name in self._visitors_of(whole)]
        return Forgetting(seq, at, [leaving(name) for name in self.names_of(whole)], visitors)

    def forget(self, row: int, seq: int, at: int) -> Forgetting:
        """Lose the ids of a profile; what they did before ``at`` (ms) is refused from now on.

        The rows keep their numbers and show ``FORGOTTEN`` alone.
        """
        self._known.clear()
        whole = self.into[row]
        forgetting = self.forgetting(whole, seq, at)
        for name in self.names_of(whole):
            if name in self.rows and self.into[self.rows[name]] == whole:
                del self.rows[name]
        for visitor in self._visitors_of(whole):
            del self.seen[visitor]
        for part in self.rows_of(whole):
            self.ids[part] = FORGOTTEN
        self.refuse_before(forgetting.left, at)
        return forgetting

    def refuse_before(self, left: Iterable[str], at: int) -> None:
        """Refuse what the ids of these :func:`leaving`s did before ``at`` (ms)."""
        self.forgotten.update(dict.fromkeys(left, at))
        self._bounds.clear()

    # ---- from the log ------------------------------------------------------------------------

    @classmethod
    def restored(cls, kept: Kept, forgettings: Iterable[Forgetting] = ()) -> Identity:
        """The resolver that the log's tables describe, after the log's own forgetting was done."""
        whole = cls()
        whole.ids = list(kept.user_ids)
        whole.into = list(range(len(whole.ids)))
        whole.rows = dict(zip(whole.ids, whole.into, strict=True))
        for name in [name for name in whole.ids if name.startswith(FORGOTTEN)]:
            whole.rows.pop(name, None)
        whole.rows.update((name, row) for _, name, row in kept.aliases)
        cut: dict[str, int] = {}
        for forgetting in forgettings:
            cut.update(dict.fromkeys(forgetting.unseen, forgetting.seq))
            whole.forgotten.update(dict.fromkeys(forgetting.left, forgetting.at))
        for seq, anonymous, row in kept.links:
            if not cut or seq > cut.get(leaving(anonymous_profile(anonymous)), -1):
                whole.seen[anonymous] = row
        for _, absorbed, surviving in kept.merges:
            whole._join(whole.into[absorbed], whole.into[surviving])
        return whole
