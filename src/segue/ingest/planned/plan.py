"""A workspace's tracking plan in force: which of many events break it, and what becomes of those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from segue.domain.planned import Planned
from segue.ingest.planned.breaches import UNKNOWN_EVENT, Breach, breaches, normal
from segue.ingest.planned.shapes import Shape

_EMPTY = b"{}"
_decode = msgspec.json.Decoder(dict).decode


@dataclass(frozen=True, slots=True)
class Verdict:
    """One event that breaks the plan: its place among those given, how it does, whether it is held back."""

    at: int
    name: str
    breaches: list[Breach]
    blocked: bool


class TrackingPlan:
    """What track events are held to. ``mode`` is that of events it does not know."""

    def __init__(self, events: Mapping[str, Planned], mode: str) -> None:
        self.mode = mode
        self.events: Mapping[str, Planned] = {name: normal(planned) for name, planned in events.items()}
        self._shapes = {
            name: Shape(planned) for name, planned in self.events.items() if planned.mode != "off"
        }

    @property
    def blocks(self) -> bool:
        """Whether it ever holds an event back."""
        modes = (planned.mode for planned in self.events.values())
        return bool(self.events) and "block" in (self.mode, *modes)

    @property
    def rests(self) -> bool:
        """Whether it does nothing at all."""
        return not self.events or (self.mode == "off" and not self._shapes)

    def verdicts(self, names: Sequence[str | None], texts: Sequence[bytes]) -> list[Verdict]:
        """Those that break the plan, in order; ``names`` is None for what is no track event.

        ``texts`` are the properties as sent; what is no object counts as none.
        """
        found: list[Verdict] = []
        places: dict[str, list[int]] = {}
        for at, name in enumerate(names):
            if name is not None:
                places.setdefault(name, []).append(at)
        for name, those in places.items():
            found += self._of_name(name, those, texts)
        return sorted(found, key=lambda verdict: verdict.at)

    def _of_name(self, name: str, places: list[int], texts: Sequence[bytes]) -> Iterator[Verdict]:
        planned = self.events.get(name)
        if planned is None:
            if self.mode != "off":
                unknown = [Breach(UNKNOWN_EVENT, "", f"{_quoted(name)} is not in the plan")]
                yield from (Verdict(at, name, unknown, self.mode == "block") for at in places)
            return
        shape = self._shapes.get(name)
        if shape is None:
            return
        those = [_object(texts[at]) for at in places]
        for number in shape.doubtful(those):
            broken = breaches(_decode(those[number]), planned)
            if broken:
                yield Verdict(places[number], name, broken, planned.mode == "block")


def _object(text: bytes) -> bytes:
    return text if text.lstrip()[:1] == b"{" else _EMPTY


def _quoted(name: str) -> str:
    return f'"{name}"' if len(name) <= 60 else f'"{name[:60]}…"'
