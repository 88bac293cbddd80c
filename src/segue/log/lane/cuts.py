"""The events of one text, by where their parts stand in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from segue.log.lane.event import ANY_TYPE, PLAIN, RAW, SPANS, TIMES
from segue.log.lane.octets import PAD
from segue.log.lane.scan import scan_body, scan_cut, scan_lines

Octets = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cuts:
    """``text`` ends with PAD. Side by side for each event: ``spans`` [SPANS, 2], ``times`` [TIMES] in ms, its
    type's number, its flags. Of an event that is not PLAIN only its RAW span says anything.
    """

    text: bytes
    spans: Places
    times: npt.NDArray[np.int64]
    kinds: Octets
    flags: Octets

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def octets(self) -> Octets:
        """The text as numbers."""
        return np.frombuffer(self.text, np.uint8)

    @property
    def plain(self) -> Mask:
        """Which events are in the ordinary spelling."""
        return (self.flags & PLAIN).astype(np.bool_)

    def bounds(self, part: int) -> tuple[Places, Places]:
        """Where one part of each event begins and ends; 0 and 0 where it has none."""
        return self.spans[:, part, 0], self.spans[:, part, 1]

    def raw(self, at: int) -> bytes:
        """One event as it was sent."""
        start, stop = self.spans[at, RAW].tolist()
        return self.text[start:stop]

    def raws(self, places: Sequence[int] | range) -> list[bytes]:
        """Some events as they were sent."""
        return [self.text[start:stop] for start, stop in self.spans[places, RAW].tolist()]

    def where(self, mask: Mask) -> Cuts:
        """The events where the mask is true."""
        return Cuts(self.text, self.spans[mask], self.times[mask], self.kinds[mask], self.flags[mask])

    def part(self, start: int, stop: int) -> Cuts:
        """The events from one place to before another."""
        chosen = slice(start, stop)
        return Cuts(self.text, self.spans[chosen], self.times[chosen], self.kinds[chosen], self.flags[chosen])

    def trimmed(self) -> Cuts:
        """The same without the room that was left for more events."""
        return self.own() if self.spans.base is not None else self

    def own(self) -> Cuts:
        """The same, with columns that may be written to."""
        return Cuts(self.text, self.spans.copy(), self.times.copy(), self.kinds.copy(), self.flags.copy())

    def beside(self, more: Beside) -> Cuts:
        """The same in a text that goes on with what was put beside it."""
        return replace(self, text=more.whole())

    def all_odd(self) -> Cuts:
        """The same events, none of them taken for plain."""
        return replace(self, flags=np.zeros_like(self.flags))


class Beside:
    """Texts put behind another one, for what is not spelled there as it is meant."""

    def __init__(self, text: bytes) -> None:
        self._parts = [text[: -len(PAD)]]
        self._end = len(text) - len(PAD)

    def put(self, text: bytes) -> tuple[int, int]:
        """Where the text stands."""
        self._parts.append(text)
        start, self._end = self._end, self._end + len(text)
        return start, self._end

    def put_all(self, texts: Sequence[bytes]) -> Places:
        """Where each of some texts stands: [texts, 2]."""
        stops = self._end + np.cumsum([len(text) for text in texts], dtype=np.int64)
        starts = np.concatenate(([self._end], stops[:-1]))[: len(texts)]
        self._parts += texts
        self._end = int(stops[-1]) if len(stops) else self._end
        return np.stack((starts, stops), axis=1).astype(np.int32)

    def whole(self) -> bytes:
        """The text that was there before, and all that was put."""
        return b"".join((*self._parts, PAD))


def _room(count: int) -> tuple[Places, npt.NDArray[np.int64], Octets, Octets]:
    return (
        np.empty((count, SPANS, 2), np.int32),
        np.empty((count, TIMES), np.int64),
        np.empty(count, np.uint8),
        np.empty(count, np.uint8),
    )


def cut_lines(text: bytes, at: int, number: int, most: int) -> tuple[Cuts, Places, int, int]:
    """At most so many lines of a padded text from a place on, blank ones left out.

    Gives them, the number of each (that of the first is ``number``), and the place and number of the next.
    """
    spans, times, kinds, flags = _room(most)
    numbers = np.empty(most, np.int32)
    octets = np.frombuffer(text, np.uint8)
    count, at, number = scan_lines(
        octets, at, len(text) - len(PAD), number, numbers, spans, times, kinds, flags
    )
    cuts = Cuts(text, spans[:count], times[:count], kinds[:count], flags[:count])
    return cuts, numbers[:count], at, number


def cut_texts(raws: Sequence[bytes], kind: int = ANY_TYPE) -> Cuts:
    """Events' texts put together; ``kind`` is the number of their type where they need not say it."""
    text, starts, stops = put_together(raws)
    return cut_at(text, starts, stops, np.full(len(raws), kind, np.int64))


def put_together(raws: Sequence[bytes]) -> tuple[bytes, Places, Places]:
    """Texts as a padded one, with where each begins and ends in it."""
    if len(raws) == 1:
        return raws[0] + PAD, np.zeros(1, np.int32), np.full(1, len(raws[0]), np.int32)
    stops = np.cumsum([len(raw) for raw in raws], dtype=np.int64).astype(np.int32)
    starts = np.concatenate((np.zeros(1, np.int32), stops[:-1]))[: len(raws)]
    return b"".join((*raws, PAD)), starts, stops


def cut_at(text: bytes, starts: Places, stops: Places, kinds: npt.NDArray[Any]) -> Cuts:
    """Events at places of a padded text; ``kinds`` are the numbers of their types, or ANY_TYPE."""
    spans, times, own, flags = _room(len(starts))
    spans[:, RAW, 0], spans[:, RAW, 1] = starts, stops
    scan_cut(np.frombuffer(text, np.uint8), kinds, spans, times, own, flags)
    return Cuts(text, spans, times, own, flags)


def cut_body(body: bytes, most: int) -> tuple[Cuts, str | None, str | None] | None:
    """The events of a posted batch, its ``sentAt`` and its ``writeKey``.

    None for a body that is not spelled in the ordinary way as a whole, or has more than so many events.
    """
    spans, times, kinds, flags = _room(min(most, body.count(b"{")))
    head = np.zeros(4, np.int64)
    text = body + PAD
    count = scan_body(np.frombuffer(text, np.uint8), len(body), head, spans, times, kinds, flags)
    if count < 0:
        return None
    sent, sent_end, key, key_end = head.tolist()
    if sent_end and sent == sent_end:
        return None
    cuts = Cuts(text, spans[:count], times[:count], kinds[:count], flags[:count])
    return cuts, body[sent:sent_end].decode() or None, body[key:key_end].decode() or None


def joined(parts: Sequence[Cuts]) -> Cuts:
    """The events of several texts as those of one."""
    if len(parts) < 2:
        return parts[0] if parts else cut_texts([])
    begun = np.cumsum([0, *(len(part.text) for part in parts[:-1])])
    offsets = np.repeat(begun, [len(part) for part in parts]).astype(np.int32)
    spans = _together(part.spans for part in parts)
    spans += offsets[:, None, None] * (spans[:, :, 1:] > 0)
    return Cuts(
        b"".join(part.text for part in parts),
        spans,
        *(_together(getattr(part, name) for part in parts) for name in ("times", "kinds", "flags")),
    )


def _together(columns: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(list(columns))
