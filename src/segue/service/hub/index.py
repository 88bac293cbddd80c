"""Who hears a change: found by its row and its segment, never by asking every listener."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segue.ingest.identity import Identity
from segue.service.hub.ear import Ear

Picked = list[tuple[int, Ear]]
"""(place in the stretch of changes, who hears it)."""


class Index:
    """The listeners by what they want. Not safe between threads: the hub's lock guards it.

    A listener stands under the row that its user's id named when it came, or under the id itself while
    nobody has it. Rows are never given to somebody else once a change of them is stored, so an entry
    that has become useless does no harm.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._everyone: set[Ear] = set()
        self._by_segment: dict[str, set[Ear]] = {}
        self._by_row: dict[int, set[Ear]] = {}
        self._by_id: dict[str, set[Ear]] = {}
        self._marks = self._marked()
        self._ears: set[Ear] = set()

    def __len__(self) -> int:
        return len(self._ears)

    def add(self, ear: Ear) -> None:
        """From now on it is picked. Hold the gate: an identity that may be taken back must not be seen."""
        self._ears.add(ear)
        wanted = ear.wanted
        if wanted.user_id is not None:
            self._place(ear, wanted.user_id)
        elif wanted.segment is not None:
            self._by_segment.setdefault(wanted.segment, set()).add(ear)
        else:
            self._everyone.add(ear)

    def _place(self, ear: Ear, user_id: str) -> None:
        row = self._identity.rows.get(user_id)
        if row is None:
            self._by_id.setdefault(user_id, set()).add(ear)
        else:
            self._by_row.setdefault(row, set()).add(ear)
            ear.rows.add(row)

    def remove(self, ear: Ear) -> None:
        """It is picked no more, if it was."""
        if ear not in self._ears:
            return
        self._ears.remove(ear)
        wanted = ear.wanted
        if wanted.user_id is not None:
            _discard(self._by_id, wanted.user_id, ear)
            for row in ear.rows:
                _discard(self._by_row, row, ear)
            ear.rows.clear()
        elif wanted.segment is not None:
            _discard(self._by_segment, wanted.segment, ear)
        else:
            self._everyone.discard(ear)

    # ---- picking -----------------------------------------------------------------------------

    def is_stale(self) -> bool:
        """Whether ids have come to mean somebody without an event that shows it, or nobody."""
        return self._marks != self._marked()

    def _marked(self) -> tuple[int, int]:
        identity = self._identity
        return len(identity.rows) - len(identity.ids), len(identity.forgotten)

    def refresh(self) -> None:
        """Looks all ids up again. Hold the gate."""
        before, self._marks = self._marks, self._marked()
        for ear in [ear for ears in self._by_id.values() for ear in ears]:
            self._move(ear)
        if before[1] != self._marks[1]:
            for ear in {ear for ears in self._by_row.values() for ear in ears}:
                assert ear.wanted.user_id is not None
                self._place(ear, ear.wanted.user_id)

    def _move(self, ear: Ear) -> None:
        user_id = ear.wanted.user_id
        assert user_id is not None
        if user_id in self._identity.rows:
            _discard(self._by_id, user_id, ear)
            self._place(ear, user_id)

    def pick(self, rows: Sequence[int], segments: Sequence[str], settled: bool) -> Picked | None:
        """Who hears each of some stored changes.

        None when it depends on who was merged with whom and that is not ``settled``: ask again with
        the gate held.
        """
        found: Picked = []
        for place, (row, segment) in enumerate(zip(rows, segments, strict=True)):
            found += [(place, ear) for ear in self._everyone if ear.wanted.sees(segment)]
            found += [(place, ear) for ear in self._by_segment.get(segment, ()) if ear.wanted.sees(segment)]
            if self._by_id:
                self._known_now(row)
            if self._by_row:
                found += [(place, ear) for ear in self._by_row.get(row, ()) if ear.wanted.hears(segment)]
                followers = list(self._followers(row, segment))
                if followers and not settled:
                    return None
                found += [(place, ear) for ear in followers]
        return found

    def _known_now(self, row: int) -> None:
        """The first change of a profile: who waits for its id stands under its row from now on."""
        user_id = self._identity.user_id(row)
        ears = self._by_id.pop(user_id, None)
        if ears is not None:
            self._by_row.setdefault(row, set()).update(ears)
            for ear in ears:
                ear.rows.add(row)

    def _followers(self, row: int, segment: str) -> Iterator[Ear]:
        """Those of the profiles that this one has absorbed, unless they keep to themselves."""
        if self._identity.survivor(row) != row:
            return
        for other in self._identity.rows_of(row):
            if other != row:
                for ear in self._by_row.get(other, ()):
                    if not ear.wanted.alone and ear.wanted.hears(segment) and row not in ear.rows:
                        yield ear

    # ---- who is who --------------------------------------------------------------------------

    def profile_of(self, user_id: str) -> str:
        """The id of the profile that an id leads to now; the id itself for one never heard of."""
        row = self._identity.row_of(user_id)
        return user_id if row is None else self._identity.user_id(row)

    def rows_for(self, ear: Ear) -> list[int] | None:
        """The rows whose stored changes are for a listener, None for all."""
        wanted = ear.wanted
        if wanted.user_id is None:
            return None
        row = self._identity.rows.get(wanted.user_id)
        if row is None:
            return []
        return [row] if wanted.alone else sorted({row, self._identity.survivor(row)})


def _discard(held: dict[int, set[Ear]] | dict[str, set[Ear]], key: int | str, ear: Ear) -> None:
    ears = held.get(key)  # type: ignore[arg-type]
    if ears is not None:
        ears.discard(ear)
        if not ears:
            del held[key]  # type: ignore[arg-type]
