"""Definitions to program: the registries of a workspace laid out as the kernel's arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from segue.domain.time import DAY, SECOND
from segue.engine.kernel import layout as k
from segue.engine.program.codes import Codes
from segue.engine.program.defaults import Defaults
from segue.engine.program.formula import Formula, FormulaBuilder
from segue.engine.program.guards import Decisions, Guards, Uses
from segue.engine.program.registry import ANY, AtomKey, Column, FeatureKey, Registry, Stream, window_codes
from segue.engine.program.shown import Shown, shown_by
from segue.engine.program.tables import Cursors, Pool
from segue.language.interpret import Definition, Rules
from segue.language.tree import Last, Operand, SinceEvent, ThisSession

_NONE_SHOWN: Mapping[str, Operand] = {}


@dataclass(frozen=True)
class Compiled:
    """A program with what its integers stand for. Where its cells stand is the machine's to say."""

    program: k.Program
    registry: Registry
    names: tuple[str, ...]  # of segments, by number
    definitions: tuple[Definition, ...]
    codes: Codes
    rules: Rules
    columns: Mapping[Column, int]  # feature of each given column
    initials: tuple[tuple[int, ...], ...]  # of features, by number: what their cells hold without events
    atoms: tuple[AtomKey, ...]  # by number
    formulas: tuple[Formula, ...]  # of segments, by number
    cursors: Mapping[tuple[int, int], int]  # by (stream, distance in ms)
    everyone_due: tuple[tuple[int, int], ...]  # (moment, atom): fixed moments that concern everyone
    shown: Mapping[str, Shown]  # the values of named features

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Segment numbers by name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def features_on(self) -> tuple[tuple[int, ...], ...]:
        """The features of each stream, by its number."""
        found: list[list[int]] = [[] for _ in self.program.streams]
        for number, stream in enumerate(self.program.features["stream"].tolist()):
            if stream >= 0:
                found[stream].append(number)
        return tuple(map(tuple, found))


def compile_definitions(
    definitions: Sequence[Definition],
    rules: Rules,
    expressions: Mapping[str, Operand] = _NONE_SHOWN,
) -> Compiled:
    """Compile active definitions; they stand after those they refer to, groups together.

    Archived and draft segments have no members and are left out. ``expressions`` are features whose
    values are to be read, by name.
    """
    live = tuple(each for each in definitions if each.status == "active")
    names = {each.name for each in live}
    registry = Registry()
    builder = FormulaBuilder(registry, names.__contains__)
    shown = {name: shown_by(expression, builder) for name, expression in sorted(expressions.items())}
    formulas = [builder.build(each.condition) for each in live]
    return _Assembly(registry, live, formulas, rules).compiled(shown)


class _Assembly:
    """One compilation; each method lays out one table."""

    def __init__(
        self,
        registry: Registry,
        definitions: tuple[Definition, ...],
        formulas: list[Formula],
        rules: Rules,
    ) -> None:
        self.registry = registry
        self.definitions = definitions
        self.formulas = formulas
        self.rules = rules
        self.numbers = {each.name: number for number, each in enumerate(definitions)}
        if self._needs_sessions():
            registry.stream(Stream(ANY))
        registry.share_streams(apart=frozenset((Stream(ANY),)) if self._needs_sessions() else frozenset())
        self.session = registry.number(Stream(ANY)) if self._needs_sessions() else -1
        self.features = registry.feature_keys
        self.atoms = list(registry.atoms)
        self.cursors = Cursors(registry, rules.session_gap_ms)
        self.pool = Pool()

    def _needs_sessions(self) -> bool:
        return any(
            isinstance(key.window, ThisSession) or key.kind == k.SESSIONS
            for key in self.registry.feature_keys
        )

    def compiled(self, shown: Mapping[str, Shown]) -> Compiled:
        """All tables."""
        everyone = self._everyone_due()
        codes = Codes.of(self.registry, self.rules.zone)
        features, streams = self._features(), self._streams()
        guards = self._guards(everyone)
        code, constants, atoms = self._atoms(guards)
        segments, nodes = self._segments(guards)
        cursors, groups = self.cursors.table(self.pool), self._groups()
        initials = tuple(tuple(self._initial(key)) for key in self.features)
        bounds = self._bounds(codes, guards.at_creation, self._touches_max(features))
        program = k.Program(
            **codes.tables(),
            streams=streams,
            cursors=cursors,
            features=features,
            atoms=atoms,
            segments=segments,
            groups=groups,
            nodes=nodes,
            zone=zone_transitions(self.rules.zone),
            pool=self.pool.array(),
            column_initial=np.array([value for values in initials for value in values], np.int64),
            atom_sleeper=guards.sleepers,
            atom_sleeper_sum=guards.sleeper_sums,
            code=code,
            constants=constants,
            bounds=bounds,
        )
        return Compiled(
            program,
            self.registry,
            tuple(each.name for each in self.definitions),
            self.definitions,
            codes,
            self.rules,
            {
                key.stream: number
                for number, key in enumerate(self.features)
                if isinstance(key.stream, Column)
            },
            initials,
            tuple(self.atoms),
            tuple(self.formulas),
            self.cursors.numbers,
            everyone,
            shown,
        )

    # ---- features ----------------------------------------------------------------------------

    def _number(self, key: FeatureKey) -> int:
        return self.registry.number(key.stream) if isinstance(key.stream, Stream) else -1

    def _initial(self, key: FeatureKey) -> list[int]:
        """The columns of a feature without events."""
        reading = self.registry.reading(key.stream)
        empty = k.MISSING
        if reading is not None and reading.questions:
            empty = reading.reader(self.rules.zone)(None)
        if isinstance(key.stream, Column):
            if key.stream.source == "list":
                return [0]
            return [int(key.stream.path[0])] if key.stream.source == "moment" else [empty]
        if key.kind in (k.LATEST, k.EARLIEST):
            return [empty, k.MISSING, k.MISSING]
        if key.kind in (k.MIN, k.MAX, k.LAST, k.FIRST):
            return [k.MISSING]
        return [0] * {k.SUM: 2, k.AVG: 3}.get(key.kind, 1)

    def _features(self) -> k.Records:
        table = np.zeros(len(self.features), k.FEATURE)
        edges, missing, other = self._feature_atoms()
        dues = self._dues()
        for number, key in enumerate(self.features):
            self.cursors.of_window(number, key)
            record = table[number]
            record["kind"] = key.kind
            record["stream"] = self._number(key)
            record["window"], record["start"], record["end"] = window_codes(key.window)
            record["within"] = key.within
            anchor = key.window if isinstance(key.window, SinceEvent) else None
            record["anchor"] = self.registry.number(Stream(anchor.event)) if anchor else -1
            record["anchor_first"] = anchor is not None and anchor.which == "first"
            inner = window_codes(anchor.window) if anchor else (k.ALL, 0, 0)
            record["anchor_window"], record["anchor_start"], record["anchor_end"] = inner
            steps = [self.registry.number(Stream(step)) for step in key.steps[:-1]]
            self.pool.lists(record, step=steps, atom=other[number], missing=missing[number])
            self.pool.pairs(record, edge=edges[number], due=dues[number])
        return table

    def _feature_atoms(self) -> tuple[list[list[tuple[int, int]]], list[list[int]], list[list[int]]]:
        """For each feature: (edge, atom) sorted; atoms of coming and going; atoms of any change."""
        edges: list[list[tuple[int, int]]] = [[] for _ in self.features]
        missing: list[list[int]] = [[] for _ in self.features]
        other: list[list[int]] = [[] for _ in self.features]
        for number, key in enumerate(self.atoms):
            if key.kind == k.WITHIN:
                edges[key.feature] += [(edge, number) for edge in flips_at(key)]
                missing[key.feature].append(number)
            elif key.kind == k.PRESENT:
                missing[key.feature].append(number)
                if self.features[key.feature].kind == k.AVG:
                    other[key.feature].append(number)
            else:
                for feature in key.features:
                    other[feature].append(number)
        return [sorted(each) for each in edges], missing, other

    def _dues(self) -> list[list[tuple[int, int]]]:
        """For each feature whose time comes from a value: (offset, atom)."""
        dues: list[list[tuple[int, int]]] = [[] for _ in self.features]
        for number, key in enumerate(self.atoms):
            if key.kind != k.ELAPSED:
                continue
            feature = self.features[key.feature]
            for offset in flips_at(key):
                if feature.kind not in (k.LAST, k.FIRST):
                    dues[key.feature].append((offset, number))
                elif offset > 0:
                    self.cursors.of_atom(self._number(feature), offset, number)
        return dues

    def _everyone_due(self) -> tuple[tuple[int, int], ...]:
        found = []
        for number, key in enumerate(self.atoms):
            source = self.features[key.feature].stream if key.kind == k.ELAPSED else None
            if isinstance(source, Column) and source.source == "moment":
                found += [(int(source.path[0]) + offset, number) for offset in flips_at(key)]
        return tuple(sorted(found))

    # ---- streams -----------------------------------------------------------------------------

    def _streams(self) -> k.Records:
        table = np.zeros(len(self.registry.streams), k.STREAM)
        readers: list[list[int]] = [[] for _ in table]
        others: list[list[int]] = [[] for _ in table]
        table["nearest"] = k.FAR
        for number, key in enumerate(self.features):
            if isinstance(key.stream, Stream):
                readers[self._number(key)].append(number)
                for stream in self._other_streams(key):
                    others[stream].append(number)
                for stream, ms in self._kept(key):
                    table[stream]["horizon"] = max(table[stream]["horizon"], ms)
        for stream, distance in self.cursors.numbers:
            table[stream]["nearest"] = min(table[stream]["nearest"], distance)
            table[stream]["horizon"] = max(table[stream]["horizon"], distance)
        table["kept"] = table["horizon"] > 0
        for number, record in enumerate(table):
            record["column"] = -1
            self.pool.lists(
                record,
                feature=readers[number],
                other=others[number],
                cursor=self.cursors.of_stream(number),
            )
        return table

    def _other_streams(self, key: FeatureKey) -> set[int]:
        """Streams that bound the window or lead up to the event, besides the feature's own."""
        if isinstance(key.window, SinceEvent):
            return {self.registry.number(Stream(key.window.event))}
        if isinstance(key.window, ThisSession) and self._number(key) != self.session:
            return {self.session}
        return {self.registry.number(Stream(step)) for step in key.steps[:-1]}

    def _kept(self, key: FeatureKey) -> list[tuple[int, int]]:
        """(stream, ms): how long entries can still matter, beyond what cursors pass."""
        stream = self._number(key)
        window = key.window
        length = window.ms if isinstance(window, Last) else k.FAR
        if isinstance(window, SinceEvent):
            inner = window.window.ms if isinstance(window.window, Last) else k.FAR
            return [(stream, inner), (self.registry.number(Stream(window.event)), inner)]
        if isinstance(window, ThisSession):
            return [(stream, k.FAR), (self.session, k.FAR)]
        if key.kind == k.SESSIONS:
            return [(stream, min(k.FAR, length + self.rules.session_gap_ms))]
        if key.kind == k.SEQUENCE:
            reach = min(k.FAR, length + key.within)
            return [(stream, length), *((self.registry.number(Stream(s)), reach) for s in key.steps[:-1])]
        if key.kind in (k.DISTINCT, k.DAYS) or isinstance(window, Last):
            return [(stream, length)]
        return []

    # ---- atoms and segments ------------------------------------------------------------------

    def _guards(self, everyone: tuple[tuple[int, int], ...]) -> Guards:
        defaults = Defaults(self.features, lambda number: self._initial(self.features[number])[0], self.atoms)
        volatile = frozenset(atom for _, atom in everyone)
        uses = Uses(self.formulas, self.atoms, self.features)
        return Guards(defaults, uses, volatile, self.definitions, self.formulas)

    def _atoms(self, guards: Guards) -> tuple[k.Ints32, k.Doubles, k.Records]:
        constants: list[float] = []
        code: list[tuple[int, int]] = []
        table = np.zeros(len(self.atoms), k.ATOM)
        for number, key in enumerate(self.atoms):
            record = table[number]
            record["kind"], record["negated"] = key.kind, key.negated
            record["low"], record["high"] = key.low, key.high
            record["feature"] = self.numbers[key.segment] if key.kind == k.MEMBER else key.feature
            record["default"] = guards.defaults.atom(key)
            record["code_at"], record["middle"] = len(code), len(code) + key.middle
            for instruction, argument in key.code:
                if instruction == k.PUSH_CONSTANT:
                    constants.append(argument)
                    code.append((instruction, len(constants) - 1))
                else:
                    code.append((instruction, int(argument)))
            record["code_end"] = len(code)
            self.pool.lists(record, waker=guards.wakers[number])
        return np.array(code, np.int32).reshape(-1, 2), np.array(constants, np.float64), table

    def _segments(self, guards: Guards) -> tuple[k.Records, k.Records]:
        roots, nodes = Decisions().tables(self.formulas)
        table = np.zeros(len(self.definitions), k.SEGMENT)
        table["root"], table["atom"], table["group"] = roots, -1, -1
        by_name = sorted(range(len(table)), key=lambda number: self.definitions[number].name)
        table["rank"][by_name] = np.arange(len(by_name))
        for number, key in enumerate(self.atoms):
            if key.kind == k.MEMBER:
                table[self.numbers[key.segment]]["atom"] = number
        groups = {word: number for number, word in enumerate(self._group_words())}
        for number, definition in enumerate(self.definitions):
            if definition.exclusive is not None:
                table[number]["group"] = groups[definition.exclusive]
            table[number]["always"] = always = definition.name in guards.always
            table[number]["single"] = guards.single[number] and not always
            table[number]["sleeps"] = guards.sleeping[number]
            table[number]["default"] = guards.defaults.members[definition.name]
            self.pool.lists(table[number], guard=guards.guards[number])
        return table, nodes

    def _group_words(self) -> list[str]:
        return sorted({each.exclusive for each in self.definitions if each.exclusive is not None})

    def _groups(self) -> k.Records:
        words = self._group_words()
        table = np.zeros(len(words), k.GROUP)
        members: dict[str, list[int]] = {word: [] for word in words}
        for each in self.definitions:
            if each.exclusive is not None:
                members[each.exclusive].append(self.numbers[each.name])
        for number, word in enumerate(words):
            members[word].sort(key=lambda member: -self.definitions[member].priority)
            self.pool.lists(table[number], member=members[word])
        return table

    def _touches_max(self, features: k.Records) -> int:
        """The most atoms that one operation or one passed entry can touch.

        An event may change a feature by each of the streams that it hangs on, and touches all that look at
        it each time: an atom that looks at many features is touched for every one of them.
        """
        lists = ("atom", "edge", "missing")
        looking = sum(features[f"{name}_end"] - features[f"{name}_at"] for name in lists)
        times = [
            max(2, 1 + len(self._other_streams(key))) if isinstance(key.stream, Stream) else 1
            for key in self.features
        ]
        return int(np.dot(looking, times)) + len(self.atoms)

    def _bounds(self, codes: Codes, at_creation: Sequence[int], touches: int) -> k.Ints:
        """The program's scalars, with the most that one operation or one passed entry can need."""
        links = max((len(code.links) for code in codes.all), default=0)
        cursors = max((len(self.cursors.of_stream(n)) for n in self.registry.streams.values()), default=0)
        valued = [key for key in self.features if key.kind in (k.DISTINCT, k.DAYS)]
        bounds = np.zeros(10, np.int64)
        bounds[k.B_CREATION_AT], bounds[k.B_CREATION_END] = self.pool.put(at_creation)
        bounds[k.B_SESSION_STREAM] = self.session
        bounds[k.B_SESSION_GAP] = self.rules.session_gap_ms
        bounds[k.B_SESSION_COLUMN] = -1
        bounds[k.B_ENTRIES_MAX] = links + 1
        bounds[k.B_PUSHES_MAX] = links * cursors + 4 * len(self.atoms) + 2
        bounds[k.B_COUNTS_MAX] = len(valued)
        bounds[k.B_TOUCHES_MAX] = max(touches, 2 * len(at_creation)) + 16
        bounds[k.B_RECOUNTS_VALUES] = any(isinstance(key.window, SinceEvent | ThisSession) for key in valued)
        return bounds


def flips_at(key: AtomKey) -> list[int]:
    """The values at which an interval's truth turns: its low end and the one past its high end."""
    ends = [key.low] if key.low > k.MISSING + 1 else []
    return [*ends, key.high + 1] if key.high < 2**63 - 1 else ends


def zone_transitions(zone: ZoneInfo) -> k.Records:
    """(at, offset) in ms: the zone's offset from UTC from each moment on, 1970 to 2100."""
    if zone.key == "UTC":
        return np.array([(-k.FAR, 0)], k.ZONE)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    def offset(seconds: int) -> int:
        found = (epoch + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
        assert found is not None
        return round(found.total_seconds() * SECOND)

    moments, offsets = [-k.FAR], [offset(0)]
    day = DAY // SECOND
    for start in range(0, 131 * 365 * day, 7 * day):
        low, high = start, start + 7 * day
        if offset(low) == offset(high):
            continue
        before = offset(low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == before else (low, middle)
        moments.append(high * SECOND)
        offsets.append(offset(high))
    return np.array(list(zip(moments, offsets, strict=True)), k.ZONE)
