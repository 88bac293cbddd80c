"""A batch on its way in: its events' fields side by side, thinned out as events drop out.

Plain events are there from the start. What is not plain is judged one by one, and its words are put beside
the text, so that from then on both are alike.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.domain.event import TYPES
from segue.domain.limits import EVENT_BYTES_MAX
from segue.ingest.decode import Decoded
from segue.ingest.holding import refuse_blocked
from segue.ingest.planned.plan import TrackingPlan, Verdict
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.ingest.times import UNREAD, read_times
from segue.ingest.validate import Received, kind_of, validate
from segue.log.body import Body, decode_body
from segue.log.columns import Picked, Slices
from segue.log.lane.cuts import Beside, Cuts
from segue.log.lane.event import (
    ANONYMOUS,
    EVENT,
    MESSAGE,
    ORIGINAL,
    PROPERTIES,
    RAW,
    RECEIVED,
    SENT,
    TIMESTAMP,
    USER,
)
from segue.log.lane.words import Words

Mask = NDArray[np.bool_]

NAMES_MAX, NAMES_BYTES_MAX = 10_000, 1 << 22
"""Names that are remembered; beyond either, all are forgotten and learned anew."""
_NUMBERS = {kind: number for number, kind in enumerate(TYPES)}
_TRACK = _NUMBERS["track"]
_WORDS = (EVENT, USER, ANONYMOUS, MESSAGE)
_TIME_FIELDS = {
    TIMESTAMP: "timestamp", ORIGINAL: "originalTimestamp", SENT: "sentAt", RECEIVED: "receivedAt",
}  # fmt: skip


def _new_id() -> bytes:
    return secrets.token_hex(16).encode()


class Names:
    """The names of track events, numbered from 1; 0 is no name."""

    def __init__(self) -> None:
        self._words = Words(EVENT_BYTES_MAX)
        self._spelled: list[str | None] = [None]

    def of(self, cuts: Cuts) -> Picked[str | None]:
        """The name of each event."""
        if len(self._words) > NAMES_MAX or self._words.size > NAMES_BYTES_MAX:
            self._words, self._spelled = Words(EVENT_BYTES_MAX), [None]
        starts, stops = cuts.bounds(EVENT)
        tracks = cuts.kinds == _TRACK
        codes = np.where(tracks, self._words.numbered(cuts.octets, starts, stops) + 1, 0).astype(np.int32)
        if len(self._words) >= len(self._spelled):
            self._spelled += [text.decode() for text in self._words.texts(len(self._spelled) - 1)]
        return Picked(codes, self._spelled)


class Columns:
    """The columns of some events; clean once :meth:`judge` is done.

    ``previous``, ``groups``, ``verdicts`` and ``warned`` say something of few events: they go by place.
    """

    def __init__(self, decoded: Decoded) -> None:
        self.cuts = decoded.cuts
        self.bodies = decoded.bodies
        self.previous: dict[int, str] = {}
        self.groups: dict[int, str] = {}
        self.verdicts: dict[int, Rejected] = {}
        self.warned: dict[int, Verdict] = {}
        self._kinds: dict[int, str] = {}
        self.unread: dict[int, int] = dict.fromkeys(_TIME_FIELDS, 0)
        """How many events say something that is no time, by field."""

    def __len__(self) -> int:
        return len(self.cuts)

    def judge(self, tally: Tally) -> None:
        """Look closely at what is not plain, and give a message id to who has none."""
        nameless = np.flatnonzero((self.cuts.spans[:, MESSAGE, 1] == 0) & self.cuts.plain).tolist()
        if not self.bodies and not nameless:
            return
        cuts, beside = self.cuts.own(), Beside(self.cuts.text)
        if nameless:
            cuts.spans[nameless, MESSAGE] = beside.put_all([_new_id() for _ in nameless])
        self._judge_odd(cuts, beside, tally)
        self._read_times(cuts)
        self.cuts = cuts.beside(beside)

    def _judge_odd(self, cuts: Cuts, beside: Beside, tally: Tally) -> None:
        odd = list(self.bodies)
        cuts.spans[odd, RAW + 1 :] = 0
        good: list[int] = []
        words: list[bytes] = []
        for at, raw in zip(odd, cuts.raws(odd), strict=True):
            found = validate(raw, self.bodies[at], tally)
            if isinstance(found, Rejected):
                self.verdicts[at] = found
                continue
            good.append(at)
            words += self._words(at, found)
        if good:
            cuts.kinds[good] = [_NUMBERS[self._kinds.pop(at)] for at in good]
            spans = beside.put_all(words).reshape(len(good), len(_WORDS), 2)
            spans[spans[:, :, 0] == spans[:, :, 1]] = 0
            cuts.spans[np.ix_(good, _WORDS)] = spans

    def _words(self, at: int, found: Received) -> list[bytes]:
        """The words of one event in the order of ``_WORDS``, nothing for what it has not."""
        self._kinds[at] = found.kind
        if found.previous is not None:
            self.previous[at] = found.previous
        if found.group is not None:
            self.groups[at] = found.group
        message_id = _new_id() if found.message_id is None else found.message_id.encode()
        return [
            (found.name or "").encode(),
            (found.user or "").encode(),
            (found.anonymous or "").encode(),
            message_id,
        ]

    def _read_times(self, cuts: Cuts) -> None:
        places = list(self.bodies)
        for part, field in _TIME_FIELDS.items() if places else ():
            sent = [getattr(body, field) for body in self.bodies.values()]
            times = read_times(sent)
            cuts.times[places, part] = times
            self.unread[part] += int((times == UNREAD).sum()) - sent.count(None)

    def body(self, at: int) -> Body:
        """One event's fields as they were sent."""
        found = self.bodies.get(at)
        return decode_body(self.cuts.raw(at)) if found is None else found

    def kind(self, at: int) -> str | None:
        """Which of the six calls one event is, by its own word or its path; None when neither says."""
        found = self.bodies.get(at)
        return TYPES[self.cuts.kinds[at]] if found is None else kind_of(found.type)

    def texts(self, part: int) -> list[str | None]:
        """The words of one part of each event."""
        starts, stops = self.cuts.bounds(part)
        if not stops.any():
            return [None] * len(stops)
        first, last = int(starts[stops > 0].min()), int(stops.max())
        text = self.cuts.text[first:last]
        bounds = zip((starts - first).tolist(), (stops - first).tolist(), strict=True)
        if text.isascii():
            whole = text.decode("ascii")
            return [whole[start:stop] if stop > 0 else None for start, stop in bounds]
        return [text[start:stop].decode() if stop > 0 else None for start, stop in bounds]

    def hold_to(self, plan: TrackingPlan, names: Picked[str | None], tally: Tally) -> None:
        """Add the verdicts on events that the tracking plan blocks, and note those that it warns of."""
        refused = [self.verdicts.get(at) for at in range(len(self))]
        asked = [name if verdict is None else None for name, verdict in zip(names, refused, strict=True)]
        text, starts, stops = self.cuts.text, *(bounds.tolist() for bounds in self.cuts.bounds(PROPERTIES))
        texts = [text[start:stop] for start, stop in zip(starts, stops, strict=True)]
        for at, body in self.bodies.items():
            texts[at] = bytes(body.properties)
        raws = Slices(text, *self.cuts.bounds(RAW), bytes)
        for verdict in refuse_blocked(plan, asked, texts, raws, refused, tally):
            self.warned[verdict.at] = verdict
        self.verdicts = {at: verdict for at, verdict in enumerate(refused) if verdict is not None}

    def keep(self, mask: Mask) -> None:
        """Drop the events where the mask is false."""
        self.cuts = self.cuts.where(mask)
        place = (np.cumsum(mask) - 1).tolist()
        kept = mask.tolist()
        for name in ("bodies", "previous", "groups", "warned"):
            held: dict[int, Any] = getattr(self, name)
            setattr(self, name, {place[at]: value for at, value in held.items() if kept[at]})
