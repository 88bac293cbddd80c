"""Who must look at what: the atoms that wake a segment, and its condition as decisions.

A *guard* of a segment is a set of atoms of which it is known that while all of them are at
their default (the truth they have for a profile without events) so is the segment. For an
``and`` the guard of one part that is false by default is enough; for an ``or``, of one that is
true. The guard that is expected to move least is taken: what few segments ask about is likely to
happen more rarely than what all of them ask about, and it wakes fewer of them when it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.program.defaults import Defaults
from segue.engine.program.formula import Constant, Formula, Junction, Leaf, Negation
from segue.engine.program.registry import AtomKey, Column, FeatureKey, Stream
from segue.language.interpret import Definition
from segue.language.tree import EventPattern, Last

Atoms = frozenset[int]


class Uses:
    """How many segments ask about each atom, and about each kind of event at all."""

    def __init__(
        self, formulas: Sequence[Formula], atoms: Sequence[AtomKey], features: Sequence[FeatureKey]
    ) -> None:
        self.atoms = atoms
        self.features = features
        self.of_atom = [0] * len(atoms)
        self.of_source: dict[EventPattern | Column | None, int] = {}
        for formula in formulas:
            asked = atoms_of(formula)
            for atom in asked:
                self.of_atom[atom] += 1
            for source in {self._source(atom) for atom in asked}:
                self.of_source[source] = self.of_source.get(source, 0) + 1

    def _source(self, atom: int) -> EventPattern | Column | None:
        key = self.atoms[atom]
        if key.kind in (k.MEMBER, k.DOUBLE):
            return None
        stream = self.features[key.feature].stream
        return stream.pattern if isinstance(stream, Stream) else stream

    def cost(self, atom: int) -> float:
        """How often the atom is expected to move, and how much that stirs up; only the order matters.

        What time takes back moves twice for each event.
        """
        key = self.atoms[atom]
        times = 2 if key.kind == k.ELAPSED else 1
        if key.kind not in (k.MEMBER, k.DOUBLE) and isinstance(self.features[key.feature].window, Last):
            times = 2
        return times * self.of_source[self._source(atom)] + self.of_atom[atom]


class Guards:
    """Guards of all segments. ``volatile`` atoms flip for everyone at a fixed moment: no default holds."""

    def __init__(
        self,
        defaults: Defaults,
        uses: Uses,
        volatile: frozenset[int],
        definitions: Sequence[Definition],
        formulas: Sequence[Formula],
    ) -> None:
        self.defaults = defaults
        self.uses = uses
        self.volatile = volatile
        self.always: set[str] = set()
        self.guards: list[list[int]] = []
        self.single: list[bool] = []
        self.sleeping: list[bool] = []
        self.wakers: list[list[int]] = [[] for _ in defaults.atoms]
        words, sums = word_counts(len(definitions))
        self.sleepers = np.zeros((len(defaults.atoms), words), np.uint64)
        defaults.settle(definitions, formulas)
        for number, (definition, formula) in enumerate(zip(definitions, formulas, strict=True)):
            self._place(number, definition.name, formula)
        self.sleeper_sums = summed(self.sleepers, sums)
        self.at_creation = [
            number
            for number, each in enumerate(definitions)
            if defaults.members[each.name] or each.name in self.always
        ]

    def _place(self, number: int, name: str, formula: Formula) -> None:
        """Make the segment a waker of its guard's atoms and a sleeper of its others."""
        asked = atoms_of(formula)
        if self._is_volatile(asked):
            self.always.add(name)
            guard = asked
        else:
            guard = self.guard(formula)
        self.guards.append(sorted(guard))
        self.single.append(_is_single(formula))
        self.sleeping.append(asked != guard)
        for atom in guard:
            self.wakers[atom].append(number)
        for atom in asked - guard:
            self.sleepers[atom, number >> 6] |= np.uint64(1 << (number & 63))

    def _is_volatile(self, asked: Atoms) -> bool:
        return bool(asked & self.volatile) or any(
            self.defaults.atoms[atom].segment in self.always for atom in asked
        )

    def guard(self, formula: Formula) -> Atoms:
        """The cheapest guard of a formula."""
        match formula:
            case Leaf():
                return frozenset((formula.atom,))
            case Constant():
                return frozenset()
            case Negation():
                return self.guard(formula.part)
            case Junction():
                deciding = [part for part in formula.parts if self.defaults.formula(part) != formula.every]
                if deciding:
                    return min((self.guard(part) for part in deciding), key=self._cost)
                return frozenset().union(*(self.guard(part) for part in formula.parts))

    def _cost(self, guard: Atoms) -> float:
        return sum(self.uses.cost(atom) for atom in guard)


def word_counts(segments: int) -> tuple[int, int]:
    """(words, sums) of a bitset over segments and of its summary."""
    words = max(1, -(-segments // 64))
    return words, -(-words // 64)


def summed(matrix: k.Words, sums: int) -> k.Words:
    """Of bitsets, [rows, words], which words hold any bit, as bits, [rows, sums]."""
    found = np.zeros((matrix.shape[0], sums), np.uint64)
    for word in range(matrix.shape[1]):
        bit = np.uint64(1 << (word & 63))
        found[:, word >> 6] |= np.where(matrix[:, word] != 0, bit, np.uint64(0))
    return found


def atoms_of(formula: Formula) -> Atoms:
    """All atoms of a formula."""
    match formula:
        case Leaf():
            return frozenset((formula.atom,))
        case Constant():
            return frozenset()
        case Negation():
            return atoms_of(formula.part)
        case Junction():
            return frozenset().union(*(atoms_of(part) for part in formula.parts))


def _is_single(formula: Formula) -> bool:
    while isinstance(formula, Negation):
        formula = formula.part
    return isinstance(formula, Leaf)


class Decisions:
    """Conditions as nodes: an atom, where to go when it is true, where when it is false."""

    def __init__(self) -> None:
        self.nodes: list[tuple[int, int, int]] = []

    def tables(self, formulas: Sequence[Formula]) -> tuple[list[int], k.Records]:
        """Roots and nodes of all formulas."""
        roots = [self._enter(formula, k.NODE_TRUE, k.NODE_FALSE) for formula in formulas]
        return roots, np.array(self.nodes, k.NODE)

    def _enter(self, formula: Formula, if_true: int, if_false: int) -> int:
        """The node to start at so that the formula's truth leads to either target."""
        match formula:
            case Leaf():
                self.nodes.append((formula.atom, if_true, if_false))
                return len(self.nodes) - 1
            case Constant():
                return if_true if formula.value else if_false
            case Negation():
                return self._enter(formula.part, if_false, if_true)
            case Junction():
                entry = if_true if formula.every else if_false
                for part in reversed(formula.parts):
                    if formula.every:
                        entry = self._enter(part, entry, if_false)
                    else:
                        entry = self._enter(part, if_true, entry)
                return entry
