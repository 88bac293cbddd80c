"""What of a program has to be shown the past, and what can be taken over from the program before.

A feature is known when the program before keeps the same one; a stream when its entries reach back
far enough and the same cursors pass them. Segments are looked at again when their own definition
changed, or that of one they refer to or share a seat with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from segue.engine.kernel import layout as k
from segue.engine.program.compile import Compiled
from segue.engine.program.guards import atoms_of
from segue.engine.program.registry import FeatureKey
from segue.language.interpret import Definition, needed
from segue.language.walk import references


@dataclass(frozen=True)
class Selection:
    """Numbers in the program that is to follow: what the past must be shown to.

    ``kept`` gives for each feature that the program before knows its number there, ``streams_kept``
    the same for streams that can be taken over.
    """

    segments: frozenset[int]
    features: frozenset[int]
    streams: frozenset[int]
    kept: dict[int, int]
    streams_kept: dict[int, int]

    @property
    def is_empty(self) -> bool:
        """Whether all is known already."""
        return not (self.segments or self.features or self.streams)


def select(old: Compiled, new: Compiled) -> Selection:
    """What ``new`` cannot take over from ``old``."""
    same_rules = old.rules == new.rules
    kept = _kept_features(old, new) if same_rules else {}
    names = (
        _changed(old.definitions, new.definitions) if same_rules else {each.name for each in new.definitions}
    )
    again = {new.numbers[each.name] for each in needed(new.definitions, names)}
    asked = {feature for segment in again for feature in features_of(new, segment)}
    features = asked | {number for number in range(len(new.registry.feature_keys)) if number not in kept}
    streams = {stream for feature in features for stream in _streams_of(new, feature)}
    streams_kept = _kept_streams(old, new) if same_rules else {}
    for number, record in enumerate(new.program.streams):
        if record["kept"] and number not in streams_kept:
            streams.add(number)
    return Selection(
        frozenset(again),
        frozenset(features),
        frozenset(streams),
        {number: at for number, at in kept.items() if number not in features},
        {number: at for number, at in streams_kept.items() if number not in streams},
    )


def _changed(old: Sequence[Definition], new: Sequence[Definition]) -> set[str]:
    """Segments whose membership may be another one than under the definitions before."""
    before, after = {each.name: each for each in old}, {each.name: each for each in new}
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    dependents: dict[str, list[str]] = {}
    for each in new:
        for name in references(each.condition).segments:
            dependents.setdefault(name, []).append(each.name)
    seats: dict[str, list[str]] = {}
    for each in (*old, *new):
        if each.exclusive is not None:
            seats.setdefault(each.exclusive, []).append(each.name)
    waiting = list(changed)
    while waiting:
        name = waiting.pop()
        words = {each.exclusive for each in (before.get(name), after.get(name)) if each is not None}
        reached = [*dependents.get(name, ()), *(other for word in words if word for other in seats[word])]
        waiting += [other for other in reached if other not in changed]
        changed.update(reached)
    return changed


def _kept_features(old: Compiled, new: Compiled) -> dict[int, int]:
    found = {}
    for number, key in enumerate(new.registry.feature_keys):
        at = old.registry.features.get(key)
        if at is not None and old.registry.reading(key.stream) == new.registry.reading(key.stream):
            found[number] = at
    return found


def _kept_streams(old: Compiled, new: Compiled) -> dict[int, int]:
    """Streams whose entries, as the program before keeps them, serve all that the new one asks of them."""
    distances = [_distances(each) for each in (old, new)]
    found = {}
    for stream, number in new.registry.streams.items():
        if stream not in old.registry.streams and stream not in old.registry.shared:
            continue
        at = old.registry.number(stream)
        theirs, ours = old.program.streams[at], new.program.streams[number]
        if (
            old.registry.reading(stream) == new.registry.reading(stream)
            and theirs["horizon"] >= ours["horizon"]
            and distances[1].get(number, set()) <= distances[0].get(at, set())
        ):
            found[number] = at
    return found


def _distances(compiled: Compiled) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for stream, distance in compiled.cursors:
        found.setdefault(stream, set()).add(distance)
    return found


def features_of(compiled: Compiled, segment: int) -> set[int]:
    """The features that a segment's own condition looks at."""
    asked = atoms_of(compiled.formulas[segment])
    return {feature for atom in asked for feature in compiled.atoms[atom].features}


def _streams_of(compiled: Compiled, feature: int) -> set[int]:
    """The streams that a feature hangs on."""
    program = compiled.program
    record = program.features[feature]
    found = {int(record["stream"]), int(record["anchor"])}
    found.update(program.pool[record["step_at"] : record["step_end"]].tolist())
    if record["window"] == k.SESSION:
        found.add(int(program.bounds[k.B_SESSION_STREAM]))
    return found - {-1}


def spelled_atom(compiled: Compiled, number: int) -> tuple[object, ...]:
    """An atom without numbers that another program would give otherwise."""
    key = compiled.atoms[number]

    def named(feature: int) -> FeatureKey:
        return compiled.registry.feature_keys[feature]

    if key.kind == k.MEMBER:
        return (key.kind, key.segment)
    if key.kind == k.DOUBLE:
        code = tuple(
            (step, named(int(argument)) if step == k.PUSH_FEATURE else argument)
            for step, argument in key.code
        )
        return (key.kind, key.high, code, key.middle)
    if key.kind in (k.EXACT, k.SAME):
        return (key.kind, named(key.feature), named(key.low), key.high, key.negated)
    feature = named(key.feature)
    if key.kind == k.BIT:
        question = list(compiled.registry.questions[feature.stream])[key.low]
        return (key.kind, feature, question, key.negated)
    return (key.kind, feature, key.low, key.high, key.negated)
