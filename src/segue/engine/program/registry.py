"""What the conditions of a workspace need between them: each stream, feature and atom once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from segue.engine.kernel import layout as k
from segue.engine.program.readings import QUESTIONS_MAX, Question, Reading
from segue.language.tree import AllTime, Between, EventPattern, Kind, Last, SinceEvent, ThisSession, Window

ANY = EventPattern("any")


class Stream(NamedTuple):
    """The events of a pattern, with what is wanted of each of them; ``part`` tells full columns apart."""

    pattern: EventPattern
    path: tuple[str, ...] = ()
    kind: Kind | None = None  # UNKNOWN: questions about the value
    part: int = 0


class Column(NamedTuple):
    """A value given from outside."""

    source: str  # "user" | "account" | "score" | "cluster" | "list" | "moment"
    path: tuple[str, ...]
    kind: Kind  # UNKNOWN: questions
    part: int = 0


class FeatureKey(NamedTuple):
    """What a feature keeps, of which stream, in which window."""

    kind: int
    stream: Stream | Column
    window: Window = AllTime()
    steps: tuple[EventPattern, ...] = ()
    within: int = 0


class AtomKey(NamedTuple):
    """A leaf. ``low`` and ``high`` are bounds, or feature and operator, as the kind has it."""

    kind: int
    feature: int = -1
    low: int = 0
    high: int = 0
    negated: bool = False
    code: tuple[tuple[int, float], ...] = ()
    middle: int = 0
    segment: str = ""

    @property
    def features(self) -> set[int]:
        """The numbers of the features it looks at."""
        if self.kind in (k.EXACT, k.SAME):
            return {self.feature, self.low}
        if self.kind == k.DOUBLE:
            return {int(argument) for code, argument in self.code if code == k.PUSH_FEATURE}
        return set() if self.kind == k.MEMBER else {self.feature}


@dataclass
class Registry:
    """Grows while conditions are compiled; numbers are places in the lists."""

    streams: dict[Stream, int] = field(default_factory=dict)
    shared: dict[Stream, Stream] = field(default_factory=dict)
    features: dict[FeatureKey, int] = field(default_factory=dict)
    feature_keys: list[FeatureKey] = field(default_factory=list)
    atoms: dict[AtomKey, int] = field(default_factory=dict)
    questions: dict[Stream | Column, dict[Question, int]] = field(default_factory=dict)

    def stream(self, stream: Stream) -> int:
        """The number of a stream."""
        return self.streams.setdefault(stream, len(self.streams))

    def number(self, stream: Stream) -> int:
        """The number of the stream that keeps this one's events."""
        return self.streams[self.shared.get(stream, stream)]

    def share_streams(self, apart: frozenset[Stream]) -> None:
        """Have streams that want no value use one of the same pattern that wants some, ``apart`` excepted.

        An event of the pattern is then kept once, and one cursor passes it for both.
        """
        valued: dict[EventPattern, Stream] = {}
        for stream in self.streams:
            if stream.kind is not None:
                valued.setdefault(stream.pattern, stream)
        for stream in self.streams:
            if stream.kind is None and stream.pattern in valued and stream not in apart:
                self.shared[stream] = valued[stream.pattern]
        kept = [stream for stream in self.streams if stream not in self.shared]
        self.streams = {stream: number for number, stream in enumerate(kept)}

    def feature(self, key: FeatureKey) -> int:
        """The number of a feature; its streams are taken up too."""
        if key not in self.features:
            if isinstance(key.stream, Stream):
                self.stream(key.stream)
            for step in key.steps[:-1]:
                self.stream(Stream(step))
            if isinstance(key.window, SinceEvent):
                self.stream(Stream(key.window.event))
            if isinstance(key.window, ThisSession) or key.kind == k.SESSIONS:
                self.stream(Stream(ANY))
            self.features[key] = len(self.features)
            self.feature_keys.append(key)
        return self.features[key]

    def atom(self, key: AtomKey) -> int:
        """The number of an atom."""
        return self.atoms.setdefault(key, len(self.atoms))

    def ask(self, source: Stream | Column, question: Question) -> tuple[Stream | Column, int]:
        """Where a question about a raw value is answered: a source with room, and the bit."""
        while True:
            asked = self.questions.setdefault(source, {})
            if question in asked:
                return source, asked[question]
            if len(asked) < QUESTIONS_MAX:
                asked[question] = len(asked)
                return source, asked[question]
            source = source._replace(part=source.part + 1)

    def reading(self, source: Stream | Column) -> Reading | None:
        """What is wanted of the values of a source, None when nothing is."""
        if source.kind is None:
            return None
        if source.kind is Kind.UNKNOWN:
            return Reading(questions=tuple(self.questions[source]))
        return Reading(source.kind)


def window_codes(window: Window) -> tuple[int, int, int]:
    """(kind, start, end) of a window as the kernel has it."""
    if isinstance(window, Last):
        return k.TRAILING, window.ms, 0
    if isinstance(window, Between):
        return k.FIXED, window.start, k.FAR if window.end is None else window.end
    if isinstance(window, SinceEvent):
        return k.ANCHORED, 0, 0
    if isinstance(window, ThisSession):
        return k.SESSION, 0, 0
    return k.ALL, 0, 0
