"""What the log holds: batches of events, other records, and closed stretches of history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import msgspec
import numpy as np

from segue.domain.event import TYPES, Event, Json
from segue.log.body import Body, context_json, decode_body, properties_json, traits_json
from segue.log.columns import codes, pieces
from segue.log.lane.cuts import Cuts, cut_at
from segue.log.shape import PLAIN, Shape

Created = tuple[int, int, str]
"""(place, row, user id): the profile that came to be with that event."""
Link = tuple[int, str, int]
"""(place, anonymous id, row of the user last seen with it)."""
Alias = tuple[int, str, int]
"""(place, absorbed or unknown previous id that now names the row, row)."""
Merge = tuple[int, int, int]
"""(place, absorbed row, surviving row)."""


class LazyBodies(Sequence[Body]):
    """The decoded events of a batch that was read back, decoded at first use."""

    __slots__ = ("_decoded", "_raws")

    def __init__(self, raws: Sequence[bytes]) -> None:
        self._raws = raws
        self._decoded: list[Body] | None = None

    def _all(self) -> list[Body]:
        if self._decoded is None:
            self._decoded = [decode_body(raw) for raw in self._raws]
        return self._decoded

    def __len__(self) -> int:
        return len(self._raws)

    def __iter__(self) -> Iterator[Body]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Body: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Body]: ...
    def __getitem__(self, index: int | slice) -> Body | Sequence[Body]:
        if self._decoded is None and isinstance(index, int):
            return decode_body(self._raws[index])
        return self._all()[index]


@dataclass(slots=True)
class EventBatch:
    """Accepted events in log order; their seqs are ``first_seq``, ``first_seq + 1``, …

    The lists run side by side. Times are milliseconds. A place in ``created``, ``links``,
    ``aliases`` and ``merges`` is an index into the batch; each of these is in order of place.
    """

    first_seq: int
    source: str
    rows: Sequence[int] = field(default_factory=list)
    types: Sequence[str] = field(default_factory=list)
    names: Sequence[str | None] = field(default_factory=list)
    timestamps: Sequence[int] = field(default_factory=list)
    received: Sequence[int] = field(default_factory=list)
    message_ids: Sequence[str] = field(default_factory=list)
    group_ids: Sequence[str | None] = field(default_factory=list)
    raws: Sequence[bytes] = field(default_factory=list)
    bodies: Sequence[Body] = field(default_factory=list)
    created: list[Created] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    known_cuts: Cuts | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def cuts(self) -> Cuts:
        """Where the parts of each event stand; looked for once when whoever made the batch did not say."""
        if self.known_cuts is None:
            kinds = codes(self.types, TYPES, np.int64)
            self.known_cuts = cut_at(*pieces(self.raws), kinds)
        return self.known_cuts

    @property
    def last_seq(self) -> int:
        """The seq of the last event; ``first_seq - 1`` of an empty batch."""
        return self.first_seq + len(self.rows) - 1

    def event(self, index: int) -> Event:
        """One event with its objects decoded."""
        body, kind = self.bodies[index], self.types[index]
        return Event(
            seq=self.first_seq + index,
            row=self.rows[index],
            type=kind,
            name=self.names[index],
            timestamp=self.timestamps[index],
            received_at=self.received[index],
            properties=msgspec.json.decode(properties_json(body, kind)),
            context=msgspec.json.decode(context_json(body)),
            traits=msgspec.json.decode(traits_json(body, kind)),
            group_id=self.group_ids[index],
            message_id=self.message_ids[index],
        )

    def part(self, start: int, stop: int) -> EventBatch:
        """The events with index in ``[start, stop)``, with the marks that belong to them."""
        bodies = self.bodies
        return EventBatch(
            first_seq=self.first_seq + start,
            source=self.source,
            rows=self.rows[start:stop],
            types=self.types[start:stop],
            names=self.names[start:stop],
            timestamps=self.timestamps[start:stop],
            received=self.received[start:stop],
            message_ids=self.message_ids[start:stop],
            group_ids=self.group_ids[start:stop],
            raws=self.raws[start:stop],
            bodies=LazyBodies(self.raws[start:stop])
            if isinstance(bodies, LazyBodies)
            else bodies[start:stop],
            created=[(at - start, row, name) for at, row, name in self.created if start <= at < stop],
            links=[(at - start, name, row) for at, name, row in self.links if start <= at < stop],
            aliases=[(at - start, name, row) for at, name, row in self.aliases if start <= at < stop],
            merges=[(at - start, gone, row) for at, gone, row in self.merges if start <= at < stop],
            known_cuts=None if self.known_cuts is None else self.known_cuts.part(start, stop),
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the log that is no event; ``at`` is engine time in ms.

    ``kind`` says how to read the body: "definitions", "list", "override", "forget", "suppress" or "score"; a
    record of "time" has none, and says that time went on.
    """

    seq: int
    at: int
    kind: str
    body: Json


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events that lie in one Parquet file under ``history/``, columns as in ``segue.log.history``.

    ``path`` is the file's name in that folder. A stretch covers the seqs ``from_seq`` to ``to_seq``
    (inclusive), of which ``count`` are events; a reader takes only rows in these bounds, because the
    file may hold more. ``shape`` says what columns it has, ``digest`` what its bytes come to, empty when
    nobody took note. A place in the four lists of marks is a seq.
    """

    path: str
    from_seq: int
    to_seq: int
    count: int
    received_min: int
    received_max: int
    shape: Shape = PLAIN
    created: list[Created] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something received that could not be taken in; ``raw`` is what was sent, ``code`` a diagnostic's."""

    received_at: int
    source: str
    code: str
    message: str
    hint: str
    raw: bytes


Entry = EventBatch | Record | Stretch
